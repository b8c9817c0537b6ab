/*
 * status.c: is everything up, and what waits: status, connectors.
 *
 * Everything is gathered into one JSON object first; what people read is
 * printed from it, so that both show the same.
 */
#include "desk/ctl/ctl.h"

#include "desk/view.h"
#include "desk/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRESH_MS = 8000 }; /* a worker writes its health every 2 s */

static const char *text_of(const json_t *o, const char *key) {
    return json_string_value(json_object_get(o, key));
}

static int64_t number_of(const json_t *o, const char *key) {
    return json_integer_value(json_object_get(o, key));
}

static json_t *time_json(const struct ctl *c, int64_t ms) {
    char buf[40];
    if (ms <= 0) {
        return json_null();
    }
    view_time(ms, c->offset, buf, sizeof buf);
    return json_string(buf);
}

/* -------------------------------------------------------------------------- workers */

static bool is_up(const struct ctl *c, const json_t *health) {
    return c->now - number_of(health, "at") < FRESH_MS;
}

static json_t *worker_json(const struct ctl *c, const json_t *health) {
    json_t *w = json_deep_copy(health);
    static const char *const times[] = { "started", "last_in", "last_out", "token_expires_at", "at" };
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        if (json_is_integer(json_object_get(health, times[i]))) {
            json_object_set_new(w, times[i], time_json(c, number_of(health, times[i])));
        }
    }
    json_object_set_new(w, "up", json_boolean(is_up(c, health)));
    return w;
}

static int64_t latest(const json_t *by_role, const char *key) {
    int64_t ms = 0;
    const char *role;
    json_t *health;
    json_object_foreach((json_t *)by_role, role, health) {
        ms = number_of(health, key) > ms ? number_of(health, key) : ms;
    }
    return ms;
}

/* The highest that any worker reports of each allowance, percent. */
static void put_quota(const json_t *by_role, json_t *o) {
    const char *role, *name;
    json_t *health, *used, *quota = json_object();
    json_object_foreach((json_t *)by_role, role, health) {
        json_object_foreach(json_object_get(health, "quota"), name, used) {
            if (json_integer_value(used) >= number_of(quota, name)) {
                json_object_set(quota, name, used);
            }
        }
    }
    json_object_set_new(o, "quota", quota);
}

/* The first fault that a living worker tells, and the soonest end of a token. */
static void put_faults(const struct ctl *c, const json_t *by_role, json_t *o) {
    const char *role, *fault = NULL;
    json_t *health;
    int64_t ends = 0;
    json_object_foreach((json_t *)by_role, role, health) {
        const char *said = text_of(health, "fault");
        int64_t end = number_of(health, "token_expires_at");
        fault = fault ? fault : said && said[0] && is_up(c, health) ? said : NULL;
        ends = end > 0 && (ends == 0 || end < ends) ? end : ends;
    }
    json_object_set_new(o, "fault", fault ? json_string(fault) : json_null());
    put_quota(by_role, o);
    json_object_set_new(o, "token_expires_at", time_json(c, ends));
    json_object_set_new(o, "token_days", ends > 0 ? json_integer((ends - c->now) / 86400000) : json_null());
}

/* ------------------------------------------------------------------------- accounts */

static int put_depth(struct ctl *c, const char *account, const char *stream, json_t *into) {
    int64_t count = 0, oldest = 0;
    int rc = queue_depth(c->queue, account, stream, c->now, &count, &oldest);
    if (rc >= 0) {
        json_object_set_new(into, "queued", json_integer(count));
        json_object_set_new(into, "oldest_ms", json_integer(oldest));
        /* How far behind the reader of this stream is: what it has not finished has waited so long. */
        json_object_set_new(into, "lag_ms", json_integer(count > 0 ? oldest : 0));
    }
    return rc;
}

/* Workers forget over a restart, a webhook's account has none: the register remembers when it last brought
 * something. */
static int64_t last_of(struct ctl *c, const char *account, const char *which, const json_t *health) {
    struct reg_traffic t = { .last_in = 0 };
    char *key = xasprintf("last_%s", which);
    int64_t at = latest(health, key);

    free(key);
    if (strcmp(which, "in") == 0 && c->reg && reg_traffic_get(c->reg, account, &t) == 0 && t.last_in > at)
        at = t.last_in;
    return at;
}

static int put_way(struct ctl *c, const char *account, const char *which, bool paused, const json_t *health,
                   json_t *o) {
    json_t *way = json_object();
    json_object_set_new(o, which, way);
    json_object_set_new(way, "paused", json_boolean(paused));
    json_object_set_new(way, "last_at", time_json(c, last_of(c, account, which, health)));
    return put_depth(c, account, which, way);
}

static int put_workers(struct ctl *c, const json_t *by_role, json_t *o) {
    json_t *workers = json_object();
    const char *role;
    json_t *health;
    bool all_up = json_object_size(by_role) > 0;
    json_object_foreach((json_t *)by_role, role, health) {
        all_up = all_up && is_up(c, health);
        json_object_set_new(workers, role, worker_json(c, health));
    }
    json_object_set_new(o, "up", json_boolean(all_up));
    json_object_set_new(o, "workers", workers);
    return 0;
}

static json_t *name_account(const struct conf_account *a) {
    return json_pack("{s:s, s:s, s:b, s:b}", "name", a->name, "type", a->type, "enabled", a->enabled, "up", 0);
}

/* Webhooks that were turned away (a wrong signature, an unknown form) since the gateway's start. */
static void put_refused(const json_t *by_role, json_t *o) {
    const json_t *refused = json_object_get(json_object_get(by_role, "gateway"), "refused");
    json_object_set_new(o, "refused", refused ? json_integer(json_integer_value(refused)) : json_null());
}

static int put_account(struct ctl *c, const struct conf_account *a, json_t *list) {
    json_t *health = NULL, *o = name_account(a), *dead = json_object();
    bool in = false, out = false;
    json_array_append_new(list, o);
    int rc = queue_health_get(c->queue, a->name, &health);
    rc = rc < 0 ? rc : queue_switch_get(c->queue, a->name, &in, &out);
    if (rc >= 0) {
        put_workers(c, health, o);
        put_faults(c, health, o);
        put_refused(health, o);
        rc = put_way(c, a->name, "in", in, health, o);
    }
    rc = rc < 0 ? rc : put_way(c, a->name, "out", out, health, o);
    rc = rc < 0 ? rc : put_depth(c, a->name, "dead", dead);
    json_object_set_new(o, "dead", json_integer(number_of(dead, "queued")));
    json_decref(dead);
    json_decref(health);
    return rc;
}

/* Who has no worker is up when the desk is. */
static void put_at_desk(struct ctl *c, json_t *list) {
    json_t *by_role = NULL, *name, *account;
    size_t i, k;
    if (queue_health_get(c->queue, "desk", &by_role) >= 0) {
        const json_t *desk = json_object_get(by_role, "desk");
        json_array_foreach(json_object_get(desk, "at_desk"), i, name) {
            json_array_foreach(list, k, account) {
                if (json_equal(json_object_get(account, "name"), name)) {
                    json_object_set_new(account, "up", json_boolean(is_up(c, desk)));
                }
            }
        }
    }
    json_decref(by_role);
}

static int put_accounts(struct ctl *c, json_t *o) {
    json_t *list = json_array();
    json_object_set_new(o, "accounts", list);
    int rc = 0;
    for (size_t i = 0; rc >= 0 && i < c->conf->account_count; i++) {
        rc = put_account(c, &c->conf->accounts[i], list);
    }
    put_at_desk(c, list);
    return rc;
}

/* --------------------------------------------------------------------- the whole */

static int put_queue(struct ctl *c, json_t *o) {
    struct queue_durability d = { .aof = false };
    char problem[400] = "";
    json_t *q = json_object();
    json_object_set_new(o, "queue", q);
    int rc = queue_ping(c->queue);
    json_object_set_new(q, "up", json_boolean(rc == 0));
    if (rc != 0) {
        json_object_set_new(q, "fault", json_string(queue_error(c->queue)));
        return rc;
    }
    /* A Redis that answers may still refuse to keep anything (memory, disk): only a write tells. */
    json_t *probe = json_pack("{s:I}", "at", (json_int_t)c->now);
    char *line = json_dumps(probe, JSON_COMPACT);
    rc = queue_health_set(c->queue, "desk", "status", line);
    free(line);
    json_decref(probe);
    json_object_set_new(q, "fault", rc == 0 ? json_null() : json_string(queue_error(c->queue)));
    rc = queue_durability(c->queue, &d, problem, sizeof problem);
    json_object_set_new(q, "durable", rc == 0 && d.known ? json_boolean(problem[0] == '\0') : json_null());
    json_object_set_new(q, "problem", problem[0] ? json_string(problem) : json_null());
    json_object_set_new(q, "version", json_string(d.version));
    if (rc == 0) {
        json_object_set_new(q, "aof_last_write", json_string(d.aof_fails ? "err" : "ok"));
        json_object_set_new(q, "used_memory", json_integer(d.used));
        json_object_set_new(q, "maxmemory", json_integer(d.used_max));
    }
    return 0;
}

static void put_desk(struct ctl *c, json_t *o) {
    json_t *by_role = NULL, *desk = NULL;
    if (queue_health_get(c->queue, "desk", &by_role) >= 0) {
        json_t *health = json_object_get(by_role, "desk");
        desk = health ? worker_json(c, health) : NULL;
    }
    json_object_set_new(o, "desk", desk ? desk : json_pack("{s:b}", "up", 0));
    json_decref(by_role);
}

/* Open ones, and of each whether the admin was told; the register keeps them. */
static json_t *troubles_json(struct ctl *c) {
    struct watch_book book;
    json_t *list = json_array();
    if (reg_trouble_load(c->reg, &book) < 0) {
        free(book.rows);
        return list;
    }
    for (size_t i = 0; i < book.count; i++) {
        const struct watch_row *row = &book.rows[i];
        if (watch_open(row, c->now)) {
            char *command = watch_command(row->key);
            json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o, s:s}", "key", row->key, "what",
                                                  row->what, "since", time_json(c, row->since), "told_at",
                                                  time_json(c, row->told_at), "command", command));
            free(command);
        }
    }
    free(book.rows);
    return list;
}

/* What waits on disk for Redis; the gateway's own word. NULL: it never said one. */
static void put_spool(struct ctl *c, json_t *o) {
    char *file = xasprintf("%s/spool/gateway.json", c->conf->state);
    json_t *note = json_load_file(file, 0, NULL);
    int64_t count = number_of(note, "count"), at = number_of(note, "oldest_at");
    free(file);
    json_object_set_new(o, "spool",
                        note ? json_pack("{s:I, s:I, s:I, s:b}", "count", (json_int_t)(count > 0 ? count : 0),
                                         "bytes", (json_int_t)number_of(note, "bytes"), "oldest_ms",
                                         (json_int_t)(at > 0 && c->now > at ? c->now - at : 0), "usable",
                                         count >= 0)
                             : json_null());
    json_decref(note);
}

static int open_register(struct ctl *c, char *why, size_t size) {
    return c->reg ? 0 : reg_open(c->conf->state, REG_READ, &c->reg, why, size);
}

static void put_register(struct ctl *c, json_t *o) {
    char why[300] = "";
    int rc = open_register(c, why, sizeof why);
    json_t *summary = rc == 0 ? view_summary(c->reg, c->now, &rc) : NULL;
    if (!summary) {
        summary = json_pack("{s:s}", "fault", why[0] ? why : c->reg ? reg_error(c->reg) : "cannot be read");
    }
    json_object_set_new(o, "register", summary);
    json_object_set_new(o, "troubles", rc == 0 ? troubles_json(c) : json_null());
}

/* Without Redis nothing is known of the accounts but their names. */
static void put_names(const struct ctl *c, json_t *o) {
    json_t *list = json_array();
    for (size_t i = 0; i < c->conf->account_count; i++) {
        const struct conf_account *a = &c->conf->accounts[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:n}",
                                              "name", a->name, "type", a->type, "enabled", a->enabled, "up",
                                              "workers", "fault", "token_expires_at", "token_days", "in", "out",
                                              "dead", "refused"));
    }
    json_object_set_new(o, "accounts", list);
    json_object_set_new(o, "desk", json_pack("{s:n}", "up"));
}

/* Faults of the parts are told inside: a status that says "down" is a status, too. */
static json_t *gather(struct ctl *c) {
    json_t *o = json_object();
    json_object_set_new(o, "now", time_json(c, c->now));
    json_object_set_new(o, "office", json_string(c->conf->office.name ? c->conf->office.name : ""));
    json_object_set_new(o, "configuration_faults", c->conf_faults ? json_incref(c->conf_faults) : json_array());
    char why[300]; /* put_register() tells it */
    open_register(c, why, sizeof why);
    put_spool(c, o);
    if (put_queue(c, o) == 0) {
        put_desk(c, o);
        put_accounts(c, o);
    } else {
        put_names(c, o);
    }
    put_register(c, o);
    return o;
}

/* ------------------------------------------------------------------------ for people */

static const char *up_text(const json_t *o) {
    const json_t *up = json_object_get(o, "up");
    return json_is_null(up) ? "tidak diketahui" : json_is_true(up) ? "jalan" : "BERHENTI";
}

static char *way_text(const json_t *account, const char *which) {
    const json_t *way = json_object_get(account, which);
    if (!json_is_true(json_object_get(account, "enabled"))) {
        return xstrdup("mati");
    }
    if (json_is_true(json_object_get(way, "paused"))) {
        return xstrdup("dihentikan");
    }
    return ctl_short_time(text_of(way, "last_at"));
}

/* "3 (5 menit)": how many wait, and how long the oldest does. */
static char *depth_text(const json_t *way) {
    int64_t count = number_of(way, "queued");
    if (count == 0) {
        return xstrdup("0");
    }
    char *span = ctl_span(number_of(way, "oldest_ms")), *s = xasprintf("%lld (%s)", (long long)count, span);
    free(span);
    return s;
}

static void account_row(struct ctl_table *t, const json_t *a) {
    const json_t *in = json_object_get(a, "in"), *out = json_object_get(a, "out");
    char *in_text = way_text(a, "in"), *out_text = way_text(a, "out"), *in_depth = depth_text(in),
         *out_depth = depth_text(out), *dead = xasprintf("%lld", (long long)number_of(a, "dead"));
    char *token = json_is_integer(json_object_get(a, "token_days"))
                      ? xasprintf("%lld hari", (long long)number_of(a, "token_days"))
                      : xstrdup("-");
    bool off = !json_is_true(json_object_get(a, "enabled"));
    const char *cells[] = { text_of(a, "name"),
                            text_of(a, "type"),
                            off ? "mati" : up_text(a),
                            in_text,
                            in_depth,
                            out_text,
                            out_depth,
                            dead,
                            token,
                            text_of(a, "fault") };
    ctl_table_row(t, sizeof cells / sizeof cells[0], cells);
    free(in_text);
    free(out_text);
    free(in_depth);
    free(out_depth);
    free(dead);
    free(token);
}

static void print_accounts(const json_t *list) {
    static const char *const head[] = { "AKUN",        "JENIS",           "KEADAAN",      "TERAKHIR MASUK",
                                        "ANTRE MASUK", "TERAKHIR KELUAR", "ANTRE KELUAR", "PERLU ORANG",
                                        "TOKEN",       "GANGGUAN" };
    struct ctl_table t = { 0 };
    ctl_table_row(&t, sizeof head / sizeof head[0], head);
    for (size_t i = 0; i < json_array_size(list); i++) {
        account_row(&t, json_array_get(list, i));
    }
    ctl_table_print(&t);
}

static void print_register(const json_t *r) {
    const char *state;
    json_t *count;
    if (text_of(r, "fault")) {
        printf("Buku      TIDAK TERBACA: %s\n", text_of(r, "fault"));
        return;
    }
    fputs("Buku      ", stdout);
    bool any = false;
    json_object_foreach((json_t *)r, state, count) {
        if (json_is_integer(count) && strcmp(state, "overdue") != 0) {
            printf("%s%s %lld", any ? ", " : "", ctl_label("state", state),
                   (long long)json_integer_value(count));
            any = true;
        }
    }
    const json_t *box = json_object_get(r, "outbox");
    printf("%sLewat tenggat %lld\n", any ? "; " : "", (long long)number_of(r, "overdue"));
    printf("Jawaban   menunggu %lld, ditahan %lld, perlu orang %lld", (long long)number_of(box, "ready"),
           (long long)number_of(box, "held"), (long long)number_of(box, "stuck"));
    if (number_of(box, "by_hand") > 0) {
        printf(", disampaikan petugas %lld (aduanctl worklist)", (long long)number_of(box, "by_hand"));
    }
    putchar('\n');
}

static void print_memory(const json_t *q) {
    if (json_object_get(q, "used_memory")) {
        char *most = number_of(q, "maxmemory") > 0
                         ? xasprintf("dari %.1f MB", (double)number_of(q, "maxmemory") / 1e6)
                         : xstrdup("tanpa batas");
        printf("Redis     memori %.1f MB %s; tulisan AOF terakhir: %s\n",
               (double)number_of(q, "used_memory") / 1e6, most, text_of(q, "aof_last_write"));
        free(most);
    }
}

static void print_spool(const json_t *spool) {
    if (number_of(spool, "count") > 0) {
        char *span = ctl_span(number_of(spool, "oldest_ms"));
        printf("Spool     %lld pesan menunggu Redis di disk, tertua %s\n", (long long)number_of(spool, "count"),
               span);
        free(span);
    } else if (json_is_false(json_object_get(spool, "usable"))) {
        puts("Spool     TIDAK DAPAT DIPAKAI: webhook ditolak selama Redis tidak terjangkau");
    }
}

/* Each webhook turned away is a message that the platform sends again, or nobody's: a wrong secret shows here.
 */
static void print_refused(const json_t *accounts) {
    for (size_t i = 0; i < json_array_size(accounts); i++) {
        const json_t *a = json_array_get(accounts, i);
        if (number_of(a, "refused") > 0) {
            printf("Ditolak   %s: %lld webhook sejak gerbang dimulai\n", text_of(a, "name"),
                   (long long)number_of(a, "refused"));
        }
    }
}

static void print_quotas(const json_t *accounts) {
    for (size_t i = 0; i < json_array_size(accounts); i++) {
        const json_t *a = json_array_get(accounts, i);
        const char *name;
        json_t *used;
        json_object_foreach(json_object_get(a, "quota"), name, used) {
            char *safe = ctl_safe_line(name, 40);
            printf("Kuota     %s %s: %lld %%%s\n", text_of(a, "name"), safe,
                   (long long)json_integer_value(used),
                   json_integer_value(used) >= 80 ? " - HAMPIR HABIS" : "");
            free(safe);
        }
    }
}

static void print_troubles(const json_t *list) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *t = json_array_get(list, i);
        char *since = ctl_short_time(text_of(t, "since"));
        printf("Gangguan  %s (sejak %s, %s): %s\n", text_of(t, "what"), since,
               text_of(t, "told_at") ? "admin sudah disurati" : "admin belum disurati", text_of(t, "command"));
        free(since);
    }
}

static void print_status(const json_t *o) {
    const json_t *q = json_object_get(o, "queue"), *desk = json_object_get(o, "desk");
    const char *problem = text_of(q, "problem"), *fault = text_of(q, "fault");
    printf("%s\n\n", text_of(o, "office"));
    const json_t *faults = json_object_get(o, "configuration_faults");
    if (json_array_size(faults) > 0) {
        printf("Setelan   RUSAK: %zu kesalahan, yang berjalan memakai setelan lama\n", json_array_size(faults));
    }
    printf("Antrean   %s%s%s%s%s\n",
           !json_is_true(json_object_get(q, "up")) ? "TIDAK TERJANGKAU: "
           : fault                                 ? "MENOLAK MENYIMPAN: "
                                                   : "jalan (Redis ",
           fault ? fault : text_of(q, "version"), fault ? "" : ")", problem ? "; PERINGATAN: " : "",
           problem ? problem : "");
    print_memory(q);
    print_spool(json_object_get(o, "spool"));
    if (desk) {
        printf("Meja      %s\n", up_text(desk));
    }
    print_register(json_object_get(o, "register"));
    print_troubles(json_object_get(o, "troubles"));
    if (json_array_size(json_object_get(o, "accounts")) > 0) {
        putchar('\n');
        print_accounts(json_object_get(o, "accounts"));
        print_quotas(json_object_get(o, "accounts"));
        print_refused(json_object_get(o, "accounts"));
    }
}

int ctl_status(struct ctl *c) {
    json_t *o = gather(c);
    if (c->json) {
        return ctl_print_json(o);
    }
    print_status(o);
    json_decref(o);
    return CTL_DONE;
}

/* ------------------------------------------------------------------------ connectors */

static int list_connectors(struct ctl *c) {
    json_t *o = json_object();
    char why[300];
    open_register(c, why, sizeof why); /* without it: what the workers tell */
    int rc = put_accounts(c, o);
    if (rc < 0) {
        json_decref(o);
        return ctl_queue_fault(c, rc);
    }
    json_t *list = json_object_get(o, "accounts");
    if (c->json) {
        ctl_print_json(json_incref(list));
    } else {
        print_accounts(list);
    }
    json_decref(o);
    return CTL_DONE;
}

static int set_switches(struct ctl *c, const struct conf_account *a, bool paused) {
    bool in = ctl_option(c, "in") != NULL, out = ctl_option(c, "out") != NULL;
    bool both = in == out;
    int rc = 0;
    if (both || in) {
        rc = queue_switch_set(c->queue, a->name, "in", paused);
    }
    if (rc == 0 && (both || out)) {
        rc = queue_switch_set(c->queue, a->name, "out", paused);
    }
    if (rc != 0) {
        return ctl_queue_fault(c, rc);
    }
    if (c->json) {
        bool now_in = false, now_out = false;
        rc = queue_switch_get(c->queue, a->name, &now_in, &now_out);
        return rc < 0 ? ctl_queue_fault(c, rc)
                      : ctl_print_json(json_pack("{s:s, s:{s:b}, s:{s:b}}", "name", a->name, "in", "paused",
                                                 now_in, "out", "paused", now_out));
    }
    printf("%s: %s%s\n", a->name,
           both ? "masuk dan keluar "
           : in ? "masuk "
                : "keluar ",
           paused ? "dihentikan / paused" : "dilanjutkan / resumed");
    return CTL_DONE;
}

int ctl_connectors(struct ctl *c) {
    if (c->word_count == 0) {
        return list_connectors(c);
    }
    const char *what = c->words[0];
    bool pause = strcmp(what, "pause") == 0, resume = strcmp(what, "resume") == 0;
    if ((!pause && !resume && strcmp(what, "probe") != 0) || c->word_count != 2) {
        return ctl_usage(c, "%s",
                         c->word_count == 2 ? "there are probe, pause and resume"
                                            : "the account's name is missing");
    }
    const struct conf_account *a = ctl_account(c, c->words[1]);
    if (!a) {
        return CTL_REFUSED;
    }
    if (!pause && !resume) {
        return ctl_probe(c, a);
    }
    return set_switches(c, a, pause);
}
