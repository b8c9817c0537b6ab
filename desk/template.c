/*
 * template.c: reply texts read, checked and filled; see template.h.
 *
 * A text is cut at load into pieces: plain text or a value, each perhaps inside
 * one condition. Rendering only walks the pieces, so that what passed the check
 * at start cannot fail later except for a value that is not set.
 */
#include "desk/template.h"

#include "conf/conf.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Which values a text may use. `public` ones are read by everybody: they hold no value at all. */
struct template_rule {
    const char *name, *values;
    bool is_public;
    size_t max; /* characters; 0 no limit */
};

#define NAMA "nama nomor_tiket "

static const struct template_rule rules[] = {
    { "R-01", NAMA "tanggal_terima tenggat kanal", false, 0 },
    { "R-01L", NAMA "tanggal_mulai", false, 0 },
    { "R-01R", "nomor_tiket tenggat", false, 0 },
    { "R-02", NAMA "data_kurang batas_lengkapi", false, 0 },
    { "R-03", NAMA "data_kurang_singkat batas_lengkapi", false, 0 },
    { "R-04", NAMA "batas_lengkapi", false, 0 },
    { "R-05", NAMA "ringkasan jawaban permohonan_maaf petugas petugas_jabatan", false, 0 },
    { "R-06", NAMA "seksi tenggat", false, 0 },
    { "R-07",
      "nomor_tiket atasan kanal tanggal_terima ringkasan seksi alasan tenggat sisa_hari petugas "
      "tautan_setuju tautan_tolak",
      false, 0 },
    { "R-08", "nomor_tiket kepala_seksi ringkasan tautan_internal tenggat_internal tenggat atasan waktu_setuju",
      false, 0 },
    { "R-08P", "nomor_tiket tingkat ringkasan tenggat sisa_jam petugas seksi", false, 0 },
    { "R-09", NAMA "seksi jawaban langkah_lanjut permohonan_maaf", false, 0 },
    { "R-10", NAMA "alasan tenggat_baru", false, 0 },
    { "R-11", NAMA "instansi_tujuan diteruskan tanggal_terus rujukan", false, 0 },
    { "R-12", NAMA "tautan_survei", false, 0 },
    { "R-13", NAMA "tenggat", false, 0 },
    { "R-14", NULL, true, 280 },
    { "R-14F", NULL, true, 280 },
    { "R-15", "nomor_tiket tenggat", false, 0 },
    { "R-16", NAMA "jenis_permintaan tenggat", false, 0 },
    { "R-17", NAMA "waktu_insiden data_terungkap uraian upaya saran kontak", false, 0 },
    { "R-18",
      NAMA "nomor_surat kota tanggal_surat sifat jumlah_lampiran alamat_tujuan kanal tanggal_terima "
           "ringkasan butir_jawaban jabatan_penanda_tangan nama_penanda_tangan nip tembusan",
      false, 0 },
    { "R-19", "nomor_tiket", false, 0 },
    { "R-20", NAMA "tanggal_terima kanal petugas ringkasan daftar_kelengkapan tenggat", false, 0 },
    { "R-21", NAMA "jawaban tanggal_data", false, 0 },
    { "R-22", "nomor_tiket jawaban", false, 0 },
};

enum { RULE_COUNT = sizeof rules / sizeof rules[0], LANG_COUNT = 2, FILE_MAX = 64 * 1024 };

static const char *const langs[LANG_COUNT] = { "id", "en" };

/* The values of common.conf. */
struct common {
    char *telp, *wa, *situs, *jam_layanan, *darurat;
};

static const struct aduan_setting common_table[] = {
    ADUAN_SET_STRING("telp", struct common, telp, NULL, 0, "Telepon kantor / telephone"),
    ADUAN_SET_STRING("wa", struct common, wa, NULL, 0, "Nomor WhatsApp / WhatsApp number"),
    ADUAN_SET_STRING("situs", struct common, situs, NULL, 0, "Situs / web site"),
    ADUAN_SET_STRING("jam_layanan", struct common, jam_layanan, NULL, 0, "Jam layanan / service hours"),
    ADUAN_SET_STRING("darurat", struct common, darurat, NULL, 0,
                     "Nomor darurat, bila dipakai / emergency numbers, if used"),
    ADUAN_SET_END,
};

struct piece {
    char *text;  /* to print as it is, or */
    char *value; /* the name of a value */
    char *when;  /* only if this value is set; NULL: always */
};

struct body {
    struct piece *pieces;
    size_t count;
};

struct templates {
    struct body bodies[LANG_COUNT][RULE_COUNT];
    struct common common[LANG_COUNT];
};

static int rule_of(const char *name) {
    for (int i = 0; i < RULE_COUNT; i++) {
        if (strcmp(rules[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

static int lang_of(const char *lang) {
    return text_equal(lang, "en") ? 1 : 0;
}

/* ------------------------------------------------------------------------- parsing */

struct parse {
    const char *file, *at;
    unsigned line;
    const struct template_rule *rule;
    struct body *body;
    struct faults *f;
    struct text plain; /* text since the last piece */
    char *when;        /* the open condition */
    unsigned when_line;
};

static void fault(const struct parse *p, const char *name, const char *reason) {
    faults_add(p->f, p->file, p->line, name, "%s", reason);
}

static void add_piece(struct parse *p, char *text, char *value) {
    p->body->pieces = xrealloc(p->body->pieces, p->body->count + 1, sizeof *p->body->pieces);
    p->body->pieces[p->body->count++] =
        (struct piece){ .text = text, .value = value, .when = xstrdup(p->when) };
}

static void end_plain(struct parse *p) {
    if (p->plain.len > 0) {
        add_piece(p, text_steal(&p->plain), NULL);
    }
}

static bool in_words(const char *words, const char *word, size_t n) {
    for (const char *w = words; w && *w; w += strspn(w, " ")) {
        size_t len = strcspn(w, " ");
        if (len == n && memcmp(w, word, n) == 0) {
            return true;
        }
        w += len;
    }
    return false;
}

static bool is_common(const char *name) {
    for (const struct aduan_setting *row = common_table; row->key; row++) {
        if (strcmp(row->key, name) == 0) {
            return true;
        }
    }
    return false;
}

/* A value's name at p->at, checked against the rule; NULL when there is none. */
static char *take_name(struct parse *p) {
    p->at += strspn(p->at, " \t");
    size_t n = strspn(p->at, "abcdefghijklmnopqrstuvwxyz_0123456789");
    if (n == 0) {
        return NULL;
    }
    char *name = xstrndup(p->at, n);
    p->at += n;
    if (p->rule->is_public) {
        fault(p, name, "a public text must not hold any value");
    } else if (!in_words(p->rule->values, name, n) && !is_common(name)) {
        char *reason = xasprintf("unknown value; %s takes: %s, and telp, wa, situs, jam_layanan, darurat",
                                 p->rule->name, p->rule->values);
        fault(p, name, reason);
        free(reason);
    }
    return name;
}

static void take_value(struct parse *p) {
    p->at += 2;
    char *name = take_name(p);
    p->at += strspn(p->at, " \t");
    if (!name || !text_starts(p->at, "}}")) {
        fault(p, "", "\"{{\" must be followed by a value's name and \"}}\"");
        free(name);
        return;
    }
    p->at += 2;
    end_plain(p);
    add_piece(p, NULL, name);
}

static void take_condition(struct parse *p) {
    p->at += 3;
    if (p->when) {
        fault(p, "", "\"[[?\" inside another one");
    }
    char *name = take_name(p);
    if (!name) {
        fault(p, "", "\"[[?\" must be followed by a value's name");
        return;
    }
    end_plain(p);
    free(p->when);
    p->when = name;
    p->when_line = p->line;
    p->at += strspn(p->at, " \t");
}

static void end_condition(struct parse *p) {
    p->at += 2;
    while (p->plain.len > 0 && p->plain.s[p->plain.len - 1] == ' ') {
        p->plain.s[--p->plain.len] = '\0';
    }
    end_plain(p);
    if (!p->when) {
        fault(p, "", "\"]]\" without \"[[?\"");
    }
    free(p->when);
    p->when = NULL;
}

static void parse_body(struct parse *p) {
    while (*p->at) {
        if (text_starts(p->at, "{{")) {
            take_value(p);
        } else if (text_starts(p->at, "[[?")) {
            take_condition(p);
        } else if (text_starts(p->at, "]]")) {
            end_condition(p);
        } else if (text_starts(p->at, "}}")) {
            fault(p, "", "\"}}\" without \"{{\"");
            p->at += 2;
        } else if (text_starts(p->at, "**")) {
            p->at += 2; /* Markdown: our channels carry plain text */
        } else {
            p->line += *p->at == '\n';
            text_add_char(&p->plain, *p->at++);
        }
    }
    end_plain(p);
    if (p->when) {
        p->line = p->when_line;
        fault(p, p->when, "\"[[?\" is never closed by \"]]\"");
    }
    free(p->when);
}

/* Skips the remarks at the top; cuts blank ends. */
static void parse_file(struct parse *p, char *bytes) {
    p->line = 1;
    p->at = bytes;
    while (*p->at == '#' || *p->at == '\n') {
        const char *end = strchr(p->at, '\n');
        p->line += end != NULL;
        p->at = end ? end + 1 : p->at + strlen(p->at);
    }
    size_t n = strlen(bytes);
    while (n > 0 && strchr(" \t\n", bytes[n - 1])) {
        bytes[--n] = '\0';
    }
    if (p->at >= bytes + n) {
        fault(p, "", "holds no text");
        return;
    }
    parse_body(p);
}

/* --------------------------------------------------------------------------- loading */

/* The file as clean UTF-8, or NULL with a fault. */
static char *read_file(const char *file, struct faults *f) {
    FILE *in = fopen(file, "re");
    if (!in) {
        faults_add(f, file, 0, "", "cannot be read: %s", strerror(errno));
        return NULL;
    }
    char *bytes = xcalloc(FILE_MAX + 1, 1);
    size_t n = fread(bytes, 1, FILE_MAX + 1, in);
    bool bad = ferror(in) != 0;
    fclose(in);
    char *clean = NULL;
    if (bad || n > FILE_MAX) {
        faults_add(f, file, 0, "", "%s", bad ? "cannot be read" : "is larger than 64 KiB");
    } else if (!text_is_utf8(bytes, n)) {
        faults_add(f, file, 0, "", "is not UTF-8");
    } else {
        clean = text_clean(bytes, n);
    }
    free(bytes);
    return clean;
}

static void check_length(const struct parse *p) {
    size_t n = 0;
    for (size_t i = 0; i < p->body->count; i++) {
        n += p->body->pieces[i].text ? text_characters(p->body->pieces[i].text) : 0;
    }
    if (p->rule->max != 0 && n > p->rule->max) {
        faults_add(p->f, p->file, 0, "", "has %zu characters; a public text may have %zu", n, p->rule->max);
    }
}

static void load_one(struct templates *t, const char *dir, int lang, int rule, struct faults *f) {
    char *file = xasprintf("%s/%s/%s.txt", dir, langs[lang], rules[rule].name);
    char *bytes = read_file(file, f);
    if (bytes) {
        struct parse p = { .file = file, .rule = &rules[rule], .body = &t->bodies[lang][rule], .f = f };
        parse_file(&p, bytes);
        check_length(&p);
        text_free(&p.plain);
    }
    free(bytes);
    free(file);
}

static int is_text_file(const struct dirent *e) {
    return e->d_name[0] != '.' && text_ends(e->d_name, ".txt");
}

/* A file that no rule knows is a misspelt name. */
static void check_strangers(const char *dir, struct faults *f) {
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, is_text_file, alphasort);
    for (int i = 0; i < n; i++) {
        char *name = xstrndup(entries[i]->d_name, strlen(entries[i]->d_name) - 4);
        if (rule_of(name) < 0) {
            char *file = xasprintf("%s/%s", dir, entries[i]->d_name);
            faults_add(f, file, 0, "", "there is no text \"%s\"; they are called R-01 to R-22", name);
            free(file);
        }
        free(name);
        free(entries[i]);
    }
    free(entries);
}

static void load_common(struct templates *t, const char *dir, int lang, struct faults *f) {
    char *file = xasprintf("%s/%s/common.conf", dir, langs[lang]);
    struct conf_tree *tree = conf_tree_read(file, f);
    if (tree) {
        conf_apply(common_table, conf_tree_root(tree), "", &t->common[lang], f);
    }
    conf_tree_free(tree);
    free(file);
}

struct templates *templates_load(const char *policy_dir, struct faults *f) {
    struct templates *t = xcalloc(1, sizeof *t);
    char *dir = xasprintf("%s/templates", policy_dir);
    for (int lang = 0; lang < LANG_COUNT; lang++) {
        char *of_lang = xasprintf("%s/%s", dir, langs[lang]);
        load_common(t, dir, lang, f);
        for (int rule = 0; rule < RULE_COUNT; rule++) {
            load_one(t, dir, lang, rule, f);
        }
        check_strangers(of_lang, f);
        free(of_lang);
    }
    free(dir);
    return t;
}

static void body_clear(struct body *b) {
    for (size_t i = 0; i < b->count; i++) {
        free(b->pieces[i].text);
        free(b->pieces[i].value);
        free(b->pieces[i].when);
    }
    free(b->pieces);
}

struct templates *templates_free(struct templates *t) {
    for (int lang = 0; t && lang < LANG_COUNT; lang++) {
        for (int rule = 0; rule < RULE_COUNT; rule++) {
            body_clear(&t->bodies[lang][rule]);
        }
        conf_settings_clear(common_table, &t->common[lang]);
    }
    free(t);
    return NULL;
}

/* --------------------------------------------------------------------------- rendering */

struct render {
    const struct templates *t;
    int lang;
    const struct template_value *v;
    size_t n;
};

/* NULL when not set. */
static const char *value_of(const struct render *r, const char *name) {
    for (size_t i = 0; i < r->n; i++) {
        if (text_equal(r->v[i].name, name) && r->v[i].value && r->v[i].value[0]) {
            return r->v[i].value;
        }
    }
    for (const struct aduan_setting *row = common_table; row->key; row++) {
        const char *s = *(char *const *)((const char *)&r->t->common[r->lang] + row->offset);
        if (strcmp(row->key, name) == 0 && s && s[0]) {
            return s;
        }
    }
    return NULL;
}

/* After a condition that printed nothing, the blanks around it close up: at the start of a line
 * what follows moves up, elsewhere one blank is enough. */
static const char *close_gap(const struct text *out, const char *text) {
    bool line_start = out->len == 0 || out->s[out->len - 1] == '\n';
    if (line_start || out->s[out->len - 1] == ' ') {
        text += strspn(text, " ");
    }
    return line_start && *text == '\n' ? text + 1 : text;
}

static int render_pieces(const struct render *r, const struct body *b, struct text *out,
                         const char **ret_missing) {
    bool gap = false;
    for (size_t i = 0; i < b->count; i++) {
        const struct piece *p = &b->pieces[i];
        if (p->when && !value_of(r, p->when)) {
            gap = true;
            continue;
        }
        const char *s = p->text ? p->text : value_of(r, p->value);
        if (!s) {
            *ret_missing = p->value;
            return -1;
        }
        text_add(out, gap && p->text ? close_gap(out, s) : s);
        gap = false;
    }
    return 0;
}

int template_render(const struct templates *t, const char *lang, const char *name,
                    const struct template_value *v, size_t n, struct text *out, char *why, size_t why_size) {
    struct render r = { t, lang_of(lang), v, n };
    int rule = rule_of(name);
    if (rule < 0 || t->bodies[r.lang][rule].count == 0) {
        snprintf(why, why_size, "there is no text \"%s\"", name);
        return -1;
    }
    struct text whole = TEXT_INIT;
    const char *missing = "";
    int rc = render_pieces(&r, &t->bodies[r.lang][rule], &whole, &missing);
    if (rc != 0) {
        snprintf(why, why_size, "text %s needs \"%s\", which is not set", name, missing);
    } else {
        while (whole.len > 0 && strchr(" \n", whole.s[whole.len - 1])) {
            whole.s[--whole.len] = '\0';
        }
        text_add(out, whole.s);
    }
    text_free(&whole);
    return rc;
}

const char *template_fallback_name(const char *lang) {
    return lang_of(lang) == 1 ? "Sir or Madam" : "Bapak/Ibu";
}

bool template_is_public(const char *name) {
    int rule = rule_of(name);
    return rule >= 0 && rules[rule].is_public;
}
