/* case.c: looking at cases: tickets, show. */
#include "desk/ctl/ctl.h"

#include "desk/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *o, const char *key) {
    return json_string_value(json_object_get(o, key));
}

/* ------------------------------------------------------------------------- tickets */

static void ticket_row(struct ctl_table *t, const json_t *j) {
    char *received = ctl_short_time(text_of(j, "received_at")), *due = ctl_short_time(text_of(j, "due_at"));
    bool overdue = json_is_true(json_object_get(j, "overdue"));
    char *deadline = xasprintf("%s%s", due, overdue ? " LEWAT" : "");
    const char *cells[] = {
        text_of(j, "number"),
        ctl_label("state", text_of(j, "state")),
        ctl_label("channel", text_of(j, "channel")),
        received,
        deadline,
        text_of(j, "officer"),
        text_of(j, "name"),
        text_of(j, "subject"),
    };
    ctl_table_row(t, sizeof cells / sizeof cells[0], cells);
    free(received);
    free(due);
    free(deadline);
}

static void print_tickets(const json_t *list) {
    static const char *const head[] = { "NOMOR",   "KEADAAN", "KANAL", "DITERIMA",
                                        "TENGGAT", "PETUGAS", "NAMA",  "PERIHAL" };
    struct ctl_table t = { 0 };
    if (json_array_size(list) == 0) {
        puts("Tidak ada pengaduan / none");
        return;
    }
    ctl_table_row(&t, sizeof head / sizeof head[0], head);
    for (size_t i = 0; i < json_array_size(list); i++) {
        ticket_row(&t, json_array_get(list, i));
    }
    ctl_table_print(&t);
}

static int check_filter(struct ctl *c, struct reg_filter *f) {
    enum case_state state;
    int64_t limit = 0;
    const char *given = ctl_option(c, "limit");
    *f = (struct reg_filter){ .state = ctl_option(c, "state"),
                              .section = ctl_option(c, "section"),
                              .officer = ctl_option(c, "officer"),
                              .channel = ctl_option(c, "channel"),
                              .search = ctl_option(c, "search"),
                              .overdue = ctl_option(c, "overdue") != NULL,
                              .open_only = ctl_option(c, "open") != NULL };
    if (f->state && case_state_parse(f->state, &state) != 0) {
        return ctl_usage(
            c,
            "there is no state \"%s\"; there are: new, incomplete, in_progress, awaiting_approval, "
            "escalated, section_answered, answered, closed, refused, merged",
            f->state);
    }
    if (given && text_parse_int(given, 1, 1000000, &limit) != 0) {
        return ctl_usage(c, "--limit is a number from 1");
    }
    f->limit = (size_t)limit;
    return CTL_DONE;
}

enum { TABLE_MAX = 1000 }; /* rows, unless asked for more */

/* Newest first, as many as were asked for; that there are more is said, not left to be guessed. */
static json_t *cases(struct ctl *c, struct reg_filter *f, int *ret_rc) {
    size_t limit = f->limit > 0 ? f->limit : c->json ? (size_t)INT32_MAX : TABLE_MAX;
    f->limit = limit + 1;
    json_t *list = view_cases(c->reg, f, c->now, c->offset, ret_rc);
    if (list && json_array_size(list) > limit) {
        json_array_remove(list, limit);
        fprintf(stderr, "Hanya %zu terbaru; masih ada lagi: --limit N / only the newest %zu, there are more\n",
                limit, limit);
    }
    return list;
}

int ctl_tickets(struct ctl *c) {
    struct reg_filter f;
    int rc = check_filter(c, &f);
    if (rc == CTL_DONE) {
        rc = ctl_open_register(c);
    }
    if (rc != CTL_DONE) {
        return rc;
    }
    int got = 0;
    json_t *list = cases(c, &f, &got);
    if (!list) {
        return ctl_register_fault(c, got);
    }
    if (c->json) {
        return ctl_print_json(list);
    }
    print_tickets(list);
    json_decref(list);
    return CTL_DONE;
}

/* ---------------------------------------------------------------------------- show */

static void line(const char *label, const char *value) {
    if (value && value[0]) {
        char *safe = ctl_safe_line(value, 400);
        printf("%-14s %s\n", label, safe);
        free(safe);
    }
}

static void time_line(const char *label, const char *rfc3339, const char *after) {
    if (rfc3339) {
        char *t = ctl_short_time(rfc3339);
        printf("%-14s %s%s\n", label, t, after);
        free(t);
    }
}

static void print_head(const json_t *j) {
    char *title = ctl_safe_line(text_of(j, "subject"), 200);
    printf("%s  %s%s%s\n\n", text_of(j, "number"), ctl_label("state", text_of(j, "state")),
           title[0] ? "  " : "", title);
    free(title);
    struct text missing = TEXT_INIT;
    const json_t *list = json_object_get(j, "missing");
    for (size_t i = 0; i < json_array_size(list); i++) {
        text_addf(&missing, "%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
    }
    line("Kanal", ctl_label("channel", text_of(j, "channel")));
    line("Akun", text_of(j, "account"));
    line(json_is_true(json_object_get(j, "public")) ? "Publik" : "Percakapan", text_of(j, "conversation"));
    line("Nama", text_of(j, "name"));
    line("Alamat", text_of(j, "address"));
    line("Telepon", text_of(j, "phone"));
    line("Kategori", text_of(j, "category"));
    line("Seksi", text_of(j, "section"));
    line("Kerahasiaan", text_of(j, "confidentiality"));
    line("Urgensi", text_of(j, "urgency"));
    line("Belum ada", missing.s);
    line("Petugas", text_of(j, "officer"));
    time_line("Diterima", text_of(j, "received_at"), "");
    time_line("Tenggat", text_of(j, "due_at"),
              json_is_true(json_object_get(j, "overdue")) ? "  LEWAT TENGGAT" : "");
    text_free(&missing);
}

static void print_indented(const char *s) {
    char *safe = ctl_safe(s);
    for (char *save = NULL, *l = strtok_r(safe, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
        printf("    %s\n", l);
    }
    free(safe);
}

static void print_attachment(const json_t *a) {
    char *name = ctl_safe_line(text_of(a, "name"), 100), *type = ctl_safe_line(text_of(a, "type"), 60);
    printf("    [lampiran] %s (%s, %lld B, %s)\n", name, type,
           (long long)json_integer_value(json_object_get(a, "size")),
           ctl_label("attachment", text_of(a, "state")));
    free(name);
    free(type);
}

static void print_message(const json_t *m) {
    bool out = text_equal(text_of(m, "direction"), "out");
    char *at = ctl_short_time(text_of(m, "at")), *reason = ctl_safe_line(text_of(m, "reason"), 200),
         *note = ctl_safe_line(text_of(m, "note"), 200), *kind = ctl_safe_line(text_of(m, "kind"), 30);
    bool plain = kind[0] == '\0' || strcmp(kind, "message") == 0 || strcmp(kind, "reply") == 0;
    printf("\n  %s %s  %s%s%s%s%s%s\n", out ? "<-- dari kantor" : "--> dari pengadu", at,
           ctl_label("status", text_of(m, "status")),
           json_is_true(json_object_get(m, "public")) ? ", publik" : "", plain ? "" : ", ", plain ? "" : kind,
           reason[0] ? ": " : "", reason);
    print_indented(text_of(m, "text"));
    if (note[0]) {
        printf("    (%s)\n", note);
    }
    const json_t *list = json_object_get(m, "attachments");
    for (size_t i = 0; i < json_array_size(list); i++) {
        print_attachment(json_array_get(list, i));
    }
    free(at);
    free(reason);
    free(note);
    free(kind);
}

static void print_history(const json_t *list) {
    puts("\nRiwayat / history");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *h = json_array_get(list, i);
        char *at = ctl_short_time(text_of(h, "at")), *actor = ctl_safe_line(text_of(h, "actor"), 60),
             *detail = ctl_safe_line(text_of(h, "detail"), 160);
        printf("  %s  %s: %s%s%s\n", at, actor, text_of(h, "event"), detail[0] ? ", " : "", detail);
        free(at);
        free(actor);
        free(detail);
    }
}

int ctl_show(struct ctl *c) {
    int rc = ctl_open_register(c), got = 0;
    if (rc != CTL_DONE) {
        return rc;
    }
    json_t *j = view_case(c->reg, c->words[0], c->now, c->offset, &got);
    if (!j) {
        return got == REG_NOTHING ? ctl_refuse("there is no complaint \"%s\"", c->words[0])
                                  : ctl_register_fault(c, got);
    }
    if (c->json) {
        return ctl_print_json(j);
    }
    print_head(j);
    const json_t *messages = json_object_get(j, "messages");
    for (size_t i = 0; i < json_array_size(messages); i++) {
        print_message(json_array_get(messages, i));
    }
    print_history(json_object_get(j, "history"));
    json_decref(j);
    return CTL_DONE;
}
