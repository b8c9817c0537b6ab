/* print.c: JSON for programs, tables and words for people. */
#include "desk/ctl/ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ctl_print_json(json_t *j) {
    json_dumpf(j, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
    putchar('\n');
    json_decref(j);
    return CTL_DONE;
}

/* ------------------------------------------------------------------- harmless text */

/* Controls that steer a terminal (C0, DEL, C1) and those that turn writing round. */
static bool is_harmful(const unsigned char *p) {
    if (*p < 0x20) {
        return *p != '\n' && *p != '\t';
    }
    if (*p == 0x7f) {
        return true;
    }
    if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f) {
        return true;
    }
    if (*p != 0xe2) {
        return false;
    }
    return (p[1] == 0x80 && ((p[2] >= 0xaa && p[2] <= 0xae) || p[2] == 0x8e || p[2] == 0x8f)) ||
           (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9);
}

char *ctl_safe(const char *s) {
    struct text t = TEXT_INIT;
    text_add(&t, "");
    for (const unsigned char *p = (const unsigned char *)(s ? s : ""); *p; p++) {
        size_t bytes = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
        if (is_harmful(p)) {
            text_add(&t, "\xef\xbf\xbd");
        } else {
            text_add_n(&t, p, strnlen((const char *)p, bytes));
        }
        for (size_t i = 1; i < bytes && p[1]; i++) {
            p++;
        }
    }
    return text_steal(&t);
}

char *ctl_safe_line(const char *s, size_t max_characters) {
    char *safe = ctl_safe(s), *p = safe;
    size_t n = 0;
    for (; *p; p++) {
        if (*p == '\n' || *p == '\t') {
            *p = ' ';
        }
        if (((unsigned char)*p & 0xc0) != 0x80 && n++ == max_characters) {
            break;
        }
    }
    if (*p) {
        *p = '\0';
        char *cut = xasprintf("%s…", safe);
        free(safe);
        return cut;
    }
    return safe;
}

/* --------------------------------------------------------------------------- tables */

void ctl_table_row(struct ctl_table *t, size_t columns, const char *const *cells) {
    t->columns = columns;
    t->cells = xrealloc(t->cells, (t->rows + 1) * columns, sizeof *t->cells);
    for (size_t i = 0; i < columns; i++) {
        t->cells[t->rows * columns + i] = ctl_safe_line(cells[i] && cells[i][0] ? cells[i] : "-", 60);
    }
    t->rows++;
}

static size_t column_width(const struct ctl_table *t, size_t column) {
    size_t width = 0;
    for (size_t r = 0; r < t->rows; r++) {
        size_t n = text_characters(t->cells[r * t->columns + column]);
        width = n > width ? n : width;
    }
    return width;
}

void ctl_table_print(struct ctl_table *t) {
    for (size_t r = 0; r < t->rows; r++) {
        for (size_t i = 0; i < t->columns; i++) {
            const char *cell = t->cells[r * t->columns + i];
            size_t pad = i + 1 < t->columns ? column_width(t, i) - text_characters(cell) + 2 : 0;
            printf("%s%*s", cell, (int)pad, "");
        }
        putchar('\n');
    }
    for (size_t i = 0; i < t->rows * t->columns; i++) {
        free(t->cells[i]);
    }
    free(t->cells);
    *t = (struct ctl_table){ 0 };
}

/* ---------------------------------------------------------------------------- words */

char *ctl_short_time(const char *rfc3339) {
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "Mei", "Jun",
                                          "Jul", "Agu", "Sep", "Okt", "Nov", "Des" };
    unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0;
    if (!rfc3339 || sscanf(rfc3339, "%4u-%2u-%2uT%2u:%2u", &year, &month, &day, &hour, &minute) != 5) {
        return xstrdup("-");
    }
    return xasprintf("%u %s %u %02u.%02u", day, months[(month + 11) % 12], year, hour, minute);
}

static const struct {
    const char *kind, *name, *label;
} labels[] = {
    { "state", "new", "Baru" },
    { "state", "incomplete", "Belum lengkap" },
    { "state", "in_progress", "Diproses" },
    { "state", "awaiting_approval", "Menunggu persetujuan" },
    { "state", "escalated", "Diteruskan ke seksi" },
    { "state", "section_answered", "Dijawab seksi" },
    { "state", "answered", "Dijawab" },
    { "state", "closed", "Selesai" },
    { "state", "refused", "Bukan kewenangan" },
    { "state", "merged", "Digabung" },
    { "status", "queued", "antre kirim" },
    { "status", "held", "ditahan: jendela balas tertutup" },
    { "status", "sending", "sedang dikirim" },
    { "status", "sent", "terkirim" },
    { "status", "delivered", "diterima" },
    { "status", "read", "dibaca" },
    { "status", "failed", "gagal" },
    { "status", "uncertain", "tidak pasti: periksa sebelum mengirim lagi" },
    { "status", "received", "masuk" },
    { "status", "deleted", "dihapus pengirim" },
    { "attachment", "stored", "tersimpan" },
    { "attachment", "pending", "sedang diambil" },
    { "attachment", "failed", "gagal diambil" },
    { "attachment", "purged", "dihapus" },
    { "worker", "receive", "terima" },
    { "worker", "send", "kirim" },
    { "worker", "gateway", "webhook" },
    { "worker", "desk", "meja" },
    { "channel", "email", "E-mail" },
    { "channel", "whatsapp", "WhatsApp" },
    { "channel", "instagram", "Instagram" },
    { "channel", "facebook", "Facebook" },
    { "channel", "x", "X" },
    { "channel", "lapor", "SP4N-LAPOR!" },
    { "channel", "maildir", "E-mail" },
    { "channel", "counter", "Tatap muka" },
    { "channel", "phone", "Telepon" },
    { "channel", "letter", "Surat" },
    { "channel", "box", "Kotak saran" },
    { "way", "letter", "kirim surat" },
    { "way", "call", "telepon" },
    { "way", "hand", "serahkan" },
    { "way", "send", "kirim sendiri" },
    { "way", "paste", "tempel di LAPOR!" },
};

const char *ctl_label(const char *kind, const char *name) {
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        if (strcmp(labels[i].kind, kind) == 0 && text_equal(labels[i].name, name)) {
            return labels[i].label;
        }
    }
    return name ? name : "-";
}

char *ctl_span(int64_t ms) {
    int64_t s = ms < 0 ? 0 : ms / 1000;
    if (s < 60) {
        return xasprintf("%lld detik", (long long)s);
    }
    if (s < 3600) {
        return xasprintf("%lld menit", (long long)(s / 60));
    }
    if (s < 86400) {
        return xasprintf("%lld jam %lld menit", (long long)(s / 3600), (long long)(s / 60 % 60));
    }
    return xasprintf("%lld hari %lld jam", (long long)(s / 86400), (long long)(s / 3600 % 24));
}
