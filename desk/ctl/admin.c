/* admin.c: dead letters, replay, people. */
#include "desk/ctl/ctl.h"

#include "connectors/kit/sign.h"
#include "desk/password.h"
#include "desk/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------------- dead letters */

struct letters {
    const struct ctl *c;
    json_t *into;
};

static json_t *letter_json(const struct ctl *c, const struct queue_dead *d) {
    char at[40];
    view_time(d->at, c->offset, at, sizeof at);
    size_t size = d->raw_len > 0 ? d->raw_len : d->record ? strlen(d->record) : 0;
    return json_pack("{s:s, s:s?, s:s, s:s?, s:I, s:s?, s:s?}", "id", d->id, "account", d->account, "at", at,
                     "reason", d->reason, "size", (json_int_t)size, "kind", d->kind, "ref", d->ref);
}

static int add_letter(void *arg, const struct queue_dead *d) {
    struct letters *l = arg;
    json_t *j = letter_json(l->c, d);
    return json_array_append_new(l->into, j ? j : json_object());
}

/* All dead letters of --account, or of every account. */
static int collect(struct ctl *c, json_t *into) {
    const char *only = ctl_option(c, "account");
    struct letters l = { c, into };
    if (only && !ctl_account(c, only)) {
        return CTL_REFUSED;
    }
    for (size_t i = 0; i < c->conf->account_count; i++) {
        const char *name = c->conf->accounts[i].name;
        int rc = only && strcmp(only, name) != 0 ? 0 : queue_dead_list(c->queue, name, add_letter, &l);
        if (rc < 0) {
            return ctl_queue_fault(c, rc);
        }
    }
    return CTL_DONE;
}

static void print_letters(const json_t *list) {
    static const char *const head[] = { "ID", "AKUN", "SEJAK", "UKURAN", "SEBAB" };
    struct ctl_table t = { 0 };
    if (json_array_size(list) == 0) {
        puts("Tidak ada / none");
        return;
    }
    ctl_table_row(&t, sizeof head / sizeof head[0], head);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *j = json_array_get(list, i);
        char *at = ctl_short_time(json_string_value(json_object_get(j, "at")));
        char *size = xasprintf("%lld B", (long long)json_integer_value(json_object_get(j, "size")));
        const char *cells[] = { json_string_value(json_object_get(j, "id")),
                                json_string_value(json_object_get(j, "account")), at, size,
                                json_string_value(json_object_get(j, "reason")) };
        ctl_table_row(&t, sizeof cells / sizeof cells[0], cells);
        free(at);
        free(size);
    }
    ctl_table_print(&t);
}

static int list_letters(struct ctl *c) {
    json_t *list = json_array();
    int rc = collect(c, list);
    if (rc == CTL_DONE && c->json) {
        return ctl_print_json(list);
    }
    if (rc == CTL_DONE) {
        print_letters(list);
    }
    json_decref(list);
    return rc;
}

/* The account that holds this id: --account, or the only one that has it. */
static int find_letter(struct ctl *c, const char *id, struct queue_dead *ret, const char **ret_account) {
    const char *only = ctl_option(c, "account");
    size_t found = 0;
    if (only && !ctl_account(c, only)) {
        return CTL_REFUSED;
    }
    for (size_t i = 0; i < c->conf->account_count; i++) {
        const char *name = c->conf->accounts[i].name;
        struct queue_dead d = { .account = NULL };
        int rc = only && strcmp(only, name) != 0 ? QUEUE_NOTHING : queue_dead_get(c->queue, name, id, &d);
        if (rc < 0) {
            return ctl_queue_fault(c, rc);
        }
        if (rc == 0 && found++ == 0) {
            *ret = d;
            *ret_account = name;
        } else if (rc == 0) {
            queue_dead_clear(&d);
        }
    }
    if (found > 1) {
        queue_dead_clear(ret);
        return ctl_refuse("%zu accounts have a letter \"%s\"; name one: --account A", found, id);
    }
    return found == 1 ? CTL_DONE : ctl_refuse("there is no letter \"%s\" (it may have been dealt with)", id);
}

static void print_letter(const json_t *j, const struct queue_dead *d) {
    char *at = ctl_short_time(json_string_value(json_object_get(j, "at")));
    char *reason = ctl_safe_line(d->reason, 400), *ref = ctl_safe_line(d->ref, 200);
    printf("ID      %s\nAkun    %s\nSejak   %s\nSebab   %s\nTentang %s\nUkuran  %zu B\n", d->id, d->account, at,
           reason, ref[0] ? ref : "-", d->raw_len);
    free(at);
    free(reason);
    free(ref);
    bool text = d->raw_len > 0 && text_is_utf8(d->raw, d->raw_len);
    if (d->raw_len > 0 && !text) {
        puts("\n(bukan teks; --json memberikan base64 / not text; --json gives base64)");
        return;
    }
    char *bytes = text ? xstrndup((const char *)d->raw, d->raw_len) : xstrdup(d->record ? d->record : "");
    char *safe = ctl_safe(bytes);
    printf("\n%s\n", safe);
    free(bytes);
    free(safe);
}

static int show_letter(struct ctl *c, const char *id) {
    struct queue_dead d = { .account = NULL };
    const char *account = NULL;
    int rc = find_letter(c, id, &d, &account);
    if (rc != CTL_DONE) {
        return rc;
    }
    json_t *j = letter_json(c, &d);
    if (c->json) {
        char *raw = sign_base64(d.raw ? (const void *)d.raw : "", d.raw_len);
        json_object_set_new(j, "raw", json_string(raw));
        json_object_set_new(j, "record", d.record && d.record[0] ? json_string(d.record) : json_null());
        free(raw);
        ctl_print_json(j);
    } else {
        print_letter(j, &d);
        json_decref(j);
    }
    queue_dead_clear(&d);
    return CTL_DONE;
}

static int letter_command(struct ctl *c, const char *verb, const char *id, const char *done) {
    struct queue_dead d = { .account = NULL };
    const char *account = NULL, *reason = ctl_option(c, "reason");
    int rc = find_letter(c, id, &d, &account);
    if (rc != CTL_DONE) {
        return rc;
    }
    queue_dead_clear(&d);
    json_t *answer = NULL;
    json_t *command = json_pack("{s:s, s:s, s:s, s:s}", "verb", verb, "account", account, "id", id, "reason",
                                reason ? reason : "");
    rc = command ? ctl_command(c, command, NULL, 0, &answer) : ctl_refuse("this is not text (UTF-8)");
    if (rc == CTL_DONE && c->json) {
        return ctl_print_json(answer);
    }
    if (rc == CTL_DONE) {
        printf("%s: %s\n", id, done);
        json_decref(answer);
    }
    return rc;
}

int ctl_dead(struct ctl *c) {
    if (c->word_count == 0) {
        return list_letters(c);
    }
    if (c->word_count == 1) {
        return strcmp(c->words[0], "list") == 0 ? list_letters(c) : ctl_usage(c, "the letter's id is missing");
    }
    if (strcmp(c->words[0], "show") == 0) {
        return show_letter(c, c->words[1]);
    }
    if (strcmp(c->words[0], "retry") == 0) {
        return letter_command(c, "dead-retry", c->words[1], "dicoba lagi / tried again");
    }
    if (strcmp(c->words[0], "drop") == 0) {
        return letter_command(c, "dead-drop", c->words[1], "dibuang / dropped");
    }
    return ctl_usage(c, "there are show, retry and drop");
}

/* --------------------------------------------------------------------------- replay */

int ctl_replay(struct ctl *c) {
    const char *account = ctl_option(c, "account"), *from = ctl_option(c, "from");
    int64_t ms = 0;
    if (!account || !from) {
        return ctl_usage(c, "--account and --from are needed");
    }
    if (view_parse_time(from, c->offset, &ms) != 0) {
        return ctl_usage(c, "--from is a time as in 2026-10-05T09:12:00+07:00 or a date");
    }
    if (!ctl_account(c, account)) {
        return CTL_REFUSED;
    }
    json_t *answer = NULL;
    json_t *command = json_pack("{s:s, s:s, s:s, s:b}", "verb", "replay", "account", account, "from", from,
                                "failed", ctl_option(c, "failed") != NULL);
    int rc = ctl_command(c, command, NULL, 0, &answer);
    if (rc == CTL_DONE && c->json) {
        return ctl_print_json(answer);
    }
    if (rc == CTL_DONE) {
        printf("%s: %lld dibaca ulang / parsed again\n", account,
               (long long)json_integer_value(json_object_get(answer, "count")));
        json_decref(answer);
    }
    return rc;
}

/* --------------------------------------------------------------------------- people */

static void print_users(const json_t *list) {
    static const char *const head[] = { "NAMA", "PERAN", "NAMA LENGKAP", "SEKSI", "E-MAIL", "KEADAAN" };
    static const char *const keys[] = { "name", "role", "full", "section", "email" };
    struct ctl_table t = { 0 };
    ctl_table_row(&t, sizeof head / sizeof head[0], head);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *u = json_array_get(list, i);
        const char *cells[6];
        for (size_t k = 0; k < 5; k++) {
            cells[k] = json_string_value(json_object_get(u, keys[k]));
        }
        cells[5] = json_is_true(json_object_get(u, "disabled")) ? "nonaktif" : "aktif";
        ctl_table_row(&t, 6, cells);
    }
    ctl_table_print(&t);
}

static int list_users(struct ctl *c) {
    int rc = ctl_open_register(c), got = 0;
    if (rc != CTL_DONE) {
        return rc;
    }
    json_t *list = view_users(c->reg, &got);
    if (!list) {
        return ctl_register_fault(c, got);
    }
    if (c->json) {
        return ctl_print_json(list);
    }
    print_users(list);
    json_decref(list);
    return CTL_DONE;
}

/* The hash of the password on standard input; NULL: said why. */
static char *read_hash(void) {
    char *password = ctl_read_password();
    const char *fault = password ? password_fault(password) : "a password is needed on standard input";
    char *hash = NULL;
    if (fault) {
        ctl_refuse("%s", fault);
    } else if (!(hash = password_hash(password))) {
        ctl_refuse("this system cannot hash passwords (yescrypt)");
    }
    if (password) {
        text_wipe(password, strlen(password));
    }
    free(password);
    return hash;
}

static int user_command(struct ctl *c, json_t *command, const char *done) {
    json_t *answer = NULL;
    int rc = command ? ctl_command(c, command, NULL, 0, &answer) : ctl_refuse("this is not text (UTF-8)");
    if (rc == CTL_DONE && c->json) {
        return ctl_print_json(answer);
    }
    if (rc == CTL_DONE) {
        printf("%s: %s\n", c->words[1], done);
        json_decref(answer);
    }
    return rc;
}

static const char *option_or(const struct ctl *c, const char *name) {
    const char *s = ctl_option(c, name);
    return s ? s : "";
}

static int add_user(struct ctl *c) {
    if (!ctl_option(c, "role")) {
        return ctl_usage(c, "--role is missing: officer, superior, section, admin or auditor");
    }
    char *hash = read_hash();
    if (!hash) {
        return CTL_REFUSED;
    }
    json_t *command = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "verb", "user-add", "name", c->words[1],
                                "role", ctl_option(c, "role"), "full", option_or(c, "name"), "section",
                                option_or(c, "section"), "email", option_or(c, "email"), "hash", hash);
    free(hash);
    return user_command(c, command, "ditambahkan / added");
}

static int change_password(struct ctl *c) {
    char *hash = read_hash();
    if (!hash) {
        return CTL_REFUSED;
    }
    json_t *command = json_pack("{s:s, s:s, s:s}", "verb", "user-passwd", "name", c->words[1], "hash", hash);
    free(hash);
    return user_command(c, command, "kata sandi diganti / password changed");
}

static int switch_user(struct ctl *c, const char *verb, const char *done) {
    return user_command(c, json_pack("{s:s, s:s}", "verb", verb, "name", c->words[1]), done);
}

int ctl_user(struct ctl *c) {
    const char *what = c->word_count > 0 ? c->words[0] : "list";
    if (strcmp(what, "list") == 0 && c->word_count < 2) {
        return list_users(c);
    }
    if (c->word_count != 2) {
        return ctl_usage(c, "the user's name is missing");
    }
    if (strcmp(what, "add") == 0) {
        return add_user(c);
    }
    if (strcmp(what, "passwd") == 0) {
        return change_password(c);
    }
    if (strcmp(what, "disable") == 0) {
        return switch_user(c, "user-disable", "dinonaktifkan / disabled");
    }
    if (strcmp(what, "enable") == 0) {
        return switch_user(c, "user-enable", "diaktifkan / enabled");
    }
    return ctl_usage(c, "there are add, passwd, disable, enable and list");
}
