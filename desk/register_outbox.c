/* register_outbox.c: answers on their way, dead letters to be written, reports that came too early. */
#include "desk/register_sql.h"

#include "kit/sign.h"
#include "kit/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUT_COLUMNS                                                                                            \
    "o.id, o.message, o.ticket, o.conversation, o.key, o.account, o.answer, o.state, o.again, o.attempt, "     \
    "o.relayed_at, o.kind, m.status"
#define OUT_FROM " FROM outbox o JOIN message m ON m.id = o.message "

void reg_out_clear(struct reg_out *o) {
    free(o->key);
    free(o->account);
    free(o->answer);
    memset(o, 0, sizeof(*o));
}

static void out_row(sqlite3_stmt *s, struct reg_out *o) {
    memset(o, 0, sizeof(*o));
    o->id = sqlite3_column_int64(s, 0);
    o->message = sqlite3_column_int64(s, 1);
    o->ticket = sqlite3_column_int64(s, 2);
    o->talk = sqlite3_column_int64(s, 3);
    o->key = sql_string(s, 4);
    o->account = sql_string(s, 5);
    o->answer = sql_string(s, 6);
    o->state = (enum reg_out_state)sqlite3_column_int(s, 7);
    o->again = sqlite3_column_int(s, 8) != 0;
    o->attempt = sqlite3_column_int(s, 9);
    o->relayed_at = sqlite3_column_int64(s, 10);
    o->kind = (enum aduan_answer_kind)sqlite3_column_int(s, 11);
    answer_status_parse((const char *)sqlite3_column_text(s, 12), &o->status);
}

/* The random half keeps a register restored from a backup from reusing an id Redis has seen. */
int reg_out_next_id(struct reg *r, char ret_key[64]) {
    int64_t last = 0;
    uint32_t salt;
    int rc = sql_int(r, &last, "SELECT seq FROM sqlite_sequence WHERE name = 'outbox'", "");

    if (rc < 0)
        return rc;
    sign_random(&salt, sizeof(salt));
    snprintf(ret_key, 64, "o%lld-%08x", (long long)last + 1, salt);
    return 0;
}

static int add_out_message(struct reg *r, const struct aduan_answer *a, const char *actor, int64_t ticket,
                           int64_t talk, enum reg_out_state state, int64_t now, int64_t *ret_id) {
    size_t i;
    int rc = sql_run(
        r,
        "INSERT INTO message (key, ticket, conversation, out, account, kind, person, subject, text, language, "
        "reply_to, is_public, at, status, answer_kind) VALUES (?, ?, ?, 1, ?, 'answer', ?, ?, ?, ?, ?, ?, "
        "?, ?, ?)",
        "tiittttt"
        "tditd",
        a->id, ticket, talk, a->account, actor, a->subject, a->text, a->language, a->reply_to,
        (int)a->is_public, now, state == REG_OUT_HELD ? "held" : "queued", (int)a->kind);

    *ret_id = sqlite3_last_insert_rowid(r->db);
    for (i = 0; rc == 0 && i < a->attachment_count; i++)
        rc = sql_run(
            r,
            "INSERT INTO attachment (message, idx, name, type, size, sha256, state) VALUES (?, ?, ?, ?, ?, ?, "
            "'stored')",
            "idttit", *ret_id, (int)i, a->attachments[i].name, a->attachments[i].type, a->attachments[i].size,
            a->attachments[i].sha256);
    return rc;
}

int reg_out_add(struct reg *r, const struct aduan_answer *a, const char *actor, int64_t ticket, int64_t talk,
                enum reg_out_state state, int64_t now) {
    json_t *json = aduan_answer_to_json(a);
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    int64_t message = 0;
    int rc = text != NULL ? add_out_message(r, a, actor, ticket, talk, state, now, &message) : -EINVAL;

    if (rc == 0)
        rc = sql_run(r,
                     "INSERT INTO outbox (key, message, ticket, conversation, account, kind, answer, state) "
                     "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                     "tiiitdtd", a->id, message, ticket, talk, a->account, (int)a->kind, text, (int)state);
    free(text);
    json_decref(json);
    return rc;
}

int reg_out_by_key(struct reg *r, const char *key, struct reg_out *ret) {
    sqlite3_stmt *s = sql_open(r, "SELECT " OUT_COLUMNS OUT_FROM "WHERE o.key = ?", "t", key);
    int rc = sql_row(r, s);

    if (rc == 1)
        out_row(s, ret);
    sql_close(s);
    return rc == 1 ? 0 : rc == 0 ? REG_NOTHING : rc;
}

int reg_out_up_to(struct reg *r, int64_t ticket, int64_t talk, int64_t until, int64_t after,
                  struct reg_out *ret) {
    sqlite3_stmt *s =
        sql_open(r,
                 "SELECT " OUT_COLUMNS OUT_FROM "WHERE m.ticket = ? AND m.conversation = ? AND m.at <= ? AND "
                 "m.status IN ('sent', 'delivered') AND o.id > ? ORDER BY o.id LIMIT 1",
                 "iiii", ticket, talk, until, after);
    int rc = sql_row(r, s);

    if (rc == 1)
        out_row(s, ret);
    sql_close(s);
    return rc == 1 ? 0 : rc == 0 ? REG_NOTHING : rc;
}

int reg_out_set(struct reg *r, int64_t id, enum reg_out_state state, bool again, int attempt,
                int64_t relayed_at) {
    return sql_run(r, "UPDATE outbox SET state = ?, again = ?, attempt = ?, relayed_at = ? WHERE id = ?",
                   "dddii", (int)state, (int)again, attempt, relayed_at, id);
}

static int list_after(struct reg *r, enum reg_out_state state, int64_t after, size_t max,
                      int (*each)(void *arg, const struct reg_out *o), void *arg) {
    sqlite3_stmt *s =
        sql_open(r,
                 "SELECT " OUT_COLUMNS OUT_FROM "WHERE o.state = ?1 AND o.state <> 6 AND o.id > ?2 "
                 "ORDER BY o.id LIMIT ?3",
                 "dii", (int)state, after, (int64_t)max);
    struct reg_out o;
    int rc;

    while ((rc = sql_row(r, s)) == 1) {
        out_row(s, &o);
        rc = each(arg, &o);
        reg_out_clear(&o);
        if (rc != 0)
            break;
    }
    sql_close(s);
    return rc;
}

int reg_out_list(struct reg *r, enum reg_out_state state, size_t max,
                 int (*each)(void *arg, const struct reg_out *o), void *arg) {
    return list_after(r, state, 0, max, each, arg);
}

int reg_out_relayed(struct reg *r, int64_t after, size_t max, int (*each)(void *arg, const struct reg_out *o),
                    void *arg) {
    return list_after(r, REG_OUT_RELAYED, after, max, each, arg);
}

int reg_out_release(struct reg *r, int64_t talk, int64_t *ret_count) {
    int rc = sql_run(
        r,
        "UPDATE message SET status = 'queued', reason = '' WHERE id IN (SELECT message FROM outbox WHERE "
        "conversation = ? AND state = 3)",
        "i", talk);

    *ret_count = 0;
    if (rc == 0)
        rc = sql_run(r,
                     "UPDATE outbox SET state = 1, again = 1, answer = json_set(answer, '$.heard_at', (SELECT "
                     "c.last_in_at FROM conversation c WHERE c.id = ?1)) WHERE conversation = ?1 AND state = 3",
                     "i", talk);
    if (rc == 0)
        *ret_count = sqlite3_changes(r->db);
    return rc;
}

int reg_out_heard(struct reg *r, int64_t id) {
    return sql_run(r,
                   "UPDATE outbox SET answer = json_set(answer, '$.heard_at', (SELECT c.last_in_at FROM "
                   "conversation c WHERE c.id = outbox.conversation)) WHERE id = ?",
                   "i", id);
}

int reg_out_readdress(struct reg *r, int64_t ticket, int64_t from_talk, const struct reg_talk *to,
                      const char *reply_to) {
    int rc =
        sql_run(r,
                "UPDATE message SET conversation = ?1, reply_to = ?2 WHERE id IN (SELECT message FROM outbox "
                "WHERE ticket = ?3 AND conversation = ?4 AND state IN (3, 4)) AND is_public = 0",
                "itii", to->id, reply_to, ticket, from_talk);

    if (rc < 0)
        return rc;
    return sql_run(r,
                   "UPDATE outbox SET conversation = ?1, answer = json_set(json_remove(answer, "
                   "'$.answered_before'), '$.conversation', ?2, '$.reply_to', ?3) WHERE ticket = ?4 AND "
                   "conversation = ?5 AND state IN (3, 4) AND json_extract(answer, '$.public') IS NULL",
                   "ittii", to->id, to->key, reply_to, ticket, from_talk);
}

int reg_out_unnamed(struct reg *r, const char *account) {
    int64_t one;

    return sql_int(r, &one,
                   "SELECT 1" OUT_FROM
                   "WHERE o.account = ? AND o.state <> 6 AND (o.state IN (1, 2) OR (o.state = 4 "
                   "AND m.status = 'uncertain')) LIMIT 1",
                   "t", account);
}

int reg_out_awaited(struct reg *r, int64_t ticket) {
    int64_t one;

    return sql_int(
        r, &one,
        "SELECT 1 FROM outbox WHERE ticket = ? AND kind = ? AND state <> 6 AND (state = 3 OR (again = 1 "
        "AND state IN (1, 2))) LIMIT 1",
        "id", ticket, (int)ADUAN_ANSWER_REPLY);
}

int reg_out_by_hand(struct reg *r, int64_t *ret_count) {
    return sql_int(r, ret_count, "SELECT count(*) FROM outbox WHERE state = 7 AND state <> 6", "");
}

int reg_out_counts(struct reg *r, int64_t *ret_ready, int64_t *ret_held, int64_t *ret_stuck) {
    int rc = sql_int(r, ret_ready, "SELECT count(*) FROM outbox WHERE state IN (1, 2) AND state <> 6", "");

    if (rc == 0)
        rc = sql_int(r, ret_held, "SELECT count(*) FROM outbox WHERE state = 3 AND state <> 6", "");
    if (rc == 0)
        rc = sql_int(r, ret_stuck, "SELECT count(*) FROM outbox WHERE state = 4 AND state <> 6", "");
    return rc;
}

/* ------------------------------------------------------------ dead letters */

int reg_burial_add(struct reg *r, const struct reg_burial *b) {
    return sql_run(
        r, "INSERT INTO burial (account, kind, ref, reason, record, raw, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        "tttttbi", b->account, b->kind, b->ref, b->reason, b->record, b->raw, b->raw_len, b->at);
}

static void burial_row(sqlite3_stmt *s, struct reg_burial *b) {
    memset(b, 0, sizeof(*b));
    b->id = sqlite3_column_int64(s, 0);
    b->account = sql_string(s, 1);
    b->kind = sql_string(s, 2);
    b->ref = sql_string(s, 3);
    b->reason = sql_string(s, 4);
    b->record = sql_string(s, 5);
    b->raw_len = (size_t)sqlite3_column_bytes(s, 6);
    b->raw = xcalloc(1, b->raw_len + 1);
    if (b->raw_len > 0)
        memcpy(b->raw, sqlite3_column_blob(s, 6), b->raw_len);
    b->at = sqlite3_column_int64(s, 7);
    b->settled = sqlite3_column_int(s, 8) == 2;
    b->dead_id = sql_string(s, 9);
}

static void burial_clear(struct reg_burial *b) {
    free(b->account);
    free(b->kind);
    free(b->ref);
    free(b->reason);
    free(b->record);
    free(b->raw);
    free(b->dead_id);
}

int reg_burial_list(struct reg *r, size_t max, int (*each)(void *arg, const struct reg_burial *b), void *arg) {
    sqlite3_stmt *s =
        sql_open(r,
                 "SELECT id, account, kind, ref, reason, record, raw, at, state, dead_id FROM burial "
                 "WHERE state <> 1 ORDER BY id LIMIT ?",
                 "i", (int64_t)max);
    struct reg_burial b;
    int rc;

    while ((rc = sql_row(r, s)) == 1) {
        burial_row(s, &b);
        rc = each(arg, &b);
        burial_clear(&b);
        if (rc != 0)
            break;
    }
    sql_close(s);
    return rc;
}

/* Letters about answers stay known, so that a late report can take them away; the others are done. */
int reg_burial_written(struct reg *r, int64_t id, const char *dead_id) {
    int rc = sql_run(r, "DELETE FROM burial WHERE id = ? AND kind <> 'out'", "i", id);

    return rc < 0
               ? rc
               : sql_run(r, "UPDATE burial SET state = 1, dead_id = ?, raw = NULL WHERE id = ? AND state = 0",
                         "ti", dead_id, id);
}

int reg_burial_settle(struct reg *r, const char *ref) {
    return sql_run(r, "UPDATE burial SET state = 2 WHERE ref = ? AND kind = 'out'", "t", ref);
}

int reg_burial_done(struct reg *r, int64_t id) {
    return sql_run(r, "DELETE FROM burial WHERE id = ?", "i", id);
}

int reg_burial_take_away(struct reg *r, const struct reg_burial *b) {
    return sql_run(r,
                   "INSERT INTO burial (account, kind, ref, reason, record, at, state, dead_id) VALUES (?, ?, "
                   "?, ?, ?, ?, 2, "
                   "?)",
                   "tttttit", b->account, b->kind, b->ref, b->reason, b->record, b->at, b->dead_id);
}

int reg_burial_dropped(struct reg *r, const char *account, const char *dead_id) {
    return sql_run(r, "DELETE FROM burial WHERE account = ? AND dead_id = ?", "tt", account, dead_id);
}

int reg_seen_add(struct reg *r, const char *key) {
    int rc = sql_run(r, "INSERT INTO seen (key) VALUES (?) ON CONFLICT DO NOTHING", "t", key);

    return rc < 0 ? rc : sqlite3_changes(r->db) > 0 ? 0 : REG_SEEN;
}

/* ------------------------------------------------------------ early reports */

int reg_early_add(struct reg *r, const struct reg_early *e) {
    return sql_run(r,
                   "INSERT INTO early (account, platform_id, record, raw, at) VALUES (?, ?, ?, ?, ?) "
                   "ON CONFLICT DO NOTHING",
                   "tttbi", e->account, e->platform_id, e->record, e->raw, e->raw_len, e->at);
}

struct early {
    struct reg_early *all;
    int64_t *ids;
    size_t count;
};

/* Read first, then handed over: each() writes, and so must not run inside the reading. */
static int early_collect(struct reg *r, sqlite3_stmt *s, struct early *ret) {
    int rc;

    memset(ret, 0, sizeof(*ret));
    while ((rc = sql_row(r, s)) == 1) {
        struct reg_early *e;

        ret->all = xrealloc(ret->all, ret->count + 1, sizeof(*ret->all));
        ret->ids = xrealloc(ret->ids, ret->count + 1, sizeof(*ret->ids));
        ret->ids[ret->count] = sqlite3_column_int64(s, 0);
        e = &ret->all[ret->count++];
        *e = (struct reg_early){ .account = sql_string(s, 1),
                                 .platform_id = sql_string(s, 2),
                                 .record = sql_string(s, 3),
                                 .raw_len = (size_t)sqlite3_column_bytes(s, 4),
                                 .at = sqlite3_column_int64(s, 5) };
        e->raw = xcalloc(1, e->raw_len + 1);
        if (e->raw_len > 0)
            memcpy(e->raw, sqlite3_column_blob(s, 4), e->raw_len);
    }
    sql_close(s);
    return rc;
}

/* Forgets each and hands it over; frees all. */
static int early_hand_over(struct reg *r, struct early *e, int rc,
                           int (*each)(void *arg, const struct reg_early *e), void *arg) {
    size_t i;

    for (i = 0; i < e->count; i++) {
        if (rc == 0)
            rc = sql_run(r, "DELETE FROM early WHERE id = ?", "i", e->ids[i]);
        if (rc == 0)
            rc = each(arg, &e->all[i]);
        free(e->all[i].account);
        free(e->all[i].platform_id);
        free(e->all[i].record);
        free(e->all[i].raw);
    }
    free(e->all);
    free(e->ids);
    return rc;
}

int reg_early_take(struct reg *r, const char *account, const char *platform_id,
                   int (*each)(void *arg, const struct reg_early *e), void *arg) {
    struct early e;
    int rc =
        early_collect(r,
                      sql_open(r,
                               "SELECT id, account, platform_id, record, raw, at FROM early WHERE account = "
                               "? AND platform_id = ? ORDER BY id",
                               "tt", account, platform_id),
                      &e);

    return early_hand_over(r, &e, rc, each, arg);
}

int reg_early_old(struct reg *r, const struct reg_early_before *before, size_t max,
                  int (*each)(void *arg, const struct reg_early *e), void *arg) {
    struct early e;
    int rc = early_collect(
        r,
        sql_open(r,
                 "SELECT id, account, platform_id, record, raw, at FROM early WHERE at < CASE WHEN platform_id "
                 "LIKE '" REG_EARLY_UNSENT "%' THEN ? WHEN platform_id LIKE '" REG_EARLY_ECHO
                 "%' THEN ? WHEN instr(platform_id, '#') > 0 THEN ? ELSE ? END ORDER BY id LIMIT ?",
                 "iiiii", before->unsent, before->echo, before->attachment, before->status, (int64_t)max),
        &e);

    return early_hand_over(r, &e, rc, each, arg);
}
