/*
 * register_history.c: who did what, when and why; a chain that shows tampering.
 *
 * digest(n) = SHA-256(digest(n-1), id, ticket, at, actor, event, detail), each
 * field with its length before it, so that no two rows hash the same bytes. The
 * chain table holds the number of rows and the newest digest: cutting the end
 * off shows, too.
 */
#include "desk/register_sql.h"

#include "kit/sign.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_number(struct text *t, int64_t n) {
    text_addf(t, "%lld;", (long long)n);
}

static void add_field(struct text *t, const char *s) {
    if (s == NULL)
        s = "";
    add_number(t, (int64_t)strlen(s));
    text_add(t, s);
}

static void digest_row(const void *before, size_t before_len, const struct reg_history *h,
                       uint8_t ret[SIGN_SHA256]) {
    struct text t = TEXT_INIT;

    text_add_n(&t, before, before_len);
    add_number(&t, h->id);
    add_number(&t, h->ticket);
    add_number(&t, h->at);
    add_field(&t, h->actor);
    add_field(&t, h->event);
    add_field(&t, h->detail);
    sign_sha256(t.s, t.len, ret);
    text_free(&t);
}

static int chain_end(struct reg *r, int64_t *ret_rows, uint8_t ret_digest[SIGN_SHA256], size_t *ret_len) {
    sqlite3_stmt *s = sql_open(r, "SELECT rows, digest FROM chain WHERE one = 1", "");
    int rc = sql_row(r, s);

    if (rc == 1) {
        *ret_rows = sqlite3_column_int64(s, 0);
        *ret_len = (size_t)sqlite3_column_bytes(s, 1) == SIGN_SHA256 ? SIGN_SHA256 : 0;
        if (*ret_len > 0)
            memcpy(ret_digest, sqlite3_column_blob(s, 1), SIGN_SHA256);
    }
    sql_close(s);
    return rc == 1 ? 0 : rc == 0 ? REG_NOTHING : rc;
}

int reg_history_add(struct reg *r, int64_t ticket, int64_t at, const char *actor, const char *event,
                    const char *detail) {
    struct reg_history h = {
        .ticket = ticket, .at = at, .actor = (char *)actor, .event = (char *)event, .detail = (char *)detail
    };
    uint8_t before[SIGN_SHA256], digest[SIGN_SHA256];
    size_t before_len = 0;
    int64_t rows = 0;
    int rc = chain_end(r, &rows, before, &before_len);

    if (rc != 0)
        return rc < 0 ? rc : reg_fault(r, "history chain is missing");
    h.id = rows + 1;
    digest_row(before, before_len, &h, digest);
    rc = sql_run(
        r, "INSERT INTO history (id, ticket, at, actor, event, detail, digest) VALUES (?, ?, ?, ?, ?, ?, ?)",
        "iiitttb", h.id, ticket, at, actor, event, detail, digest, sizeof(digest));
    return rc < 0 ? rc
                  : sql_run(r, "UPDATE chain SET rows = ?, digest = ? WHERE one = 1", "ib", h.id, digest,
                            sizeof(digest));
}

static void history_row(sqlite3_stmt *s, struct reg_history *h) {
    h->id = sqlite3_column_int64(s, 0);
    h->ticket = sqlite3_column_int64(s, 1);
    h->at = sqlite3_column_int64(s, 2);
    h->actor = (char *)(uintptr_t)sqlite3_column_text(s, 3);
    h->event = (char *)(uintptr_t)sqlite3_column_text(s, 4);
    h->detail = (char *)(uintptr_t)sqlite3_column_text(s, 5);
}

int reg_history_actor(struct reg *r, int64_t ticket, const char *event, char **ret) {
    sqlite3_stmt *s =
        sql_open(r, "SELECT actor FROM history WHERE ticket = ? AND event = ? ORDER BY id DESC LIMIT 1", "it",
                 ticket, event);
    int rc = sql_row(r, s);

    if (rc == 1)
        *ret = sql_string(s, 0);
    sql_close(s);
    return rc == 1 ? 0 : rc == 0 ? REG_NOTHING : rc;
}

int reg_history(struct reg *r, int64_t ticket, int (*each)(void *arg, const struct reg_history *h), void *arg) {
    sqlite3_stmt *s =
        sql_open(r, "SELECT id, ticket, at, actor, event, detail FROM history WHERE ticket = ? ORDER BY id",
                 "i", ticket);
    struct reg_history h;
    int rc;

    while ((rc = sql_row(r, s)) == 1) {
        history_row(s, &h);
        rc = each(arg, &h);
        if (rc != 0)
            break;
    }
    sql_close(s);
    return rc;
}

int reg_history_last(struct reg *r, int64_t *ret_id) {
    sqlite3_stmt *s = sql_open(r, "SELECT max(id) FROM history", "");
    int rc = sql_row(r, s);

    *ret_id = rc == 1 ? sqlite3_column_int64(s, 0) : 0;
    sql_close(s);
    return rc < 0 ? rc : 0;
}

int reg_history_after(struct reg *r, int64_t id, int (*each)(void *arg, const struct reg_history *h),
                      void *arg) {
    sqlite3_stmt *s = sql_open(
        r, "SELECT id, ticket, at, actor, event, detail FROM history WHERE id > ? ORDER BY id", "i", id);
    struct reg_history h;
    int rc;

    while ((rc = sql_row(r, s)) == 1) {
        history_row(s, &h);
        rc = each(arg, &h);
        if (rc != 0)
            break;
    }
    sql_close(s);
    return rc;
}

int reg_history_verify(struct reg *r, int64_t *ret_count, int64_t *ret_bad) {
    sqlite3_stmt *s =
        sql_open(r, "SELECT id, ticket, at, actor, event, detail, digest FROM history ORDER BY id", "");
    uint8_t before[SIGN_SHA256], digest[SIGN_SHA256], end[SIGN_SHA256];
    size_t before_len = 0, end_len = 0;
    int64_t rows = 0, count = 0;
    struct reg_history h;
    int rc, bad = 0;

    while (!bad && (rc = sql_row(r, s)) == 1) {
        history_row(s, &h);
        digest_row(before, before_len, &h, digest);
        bad = h.id != count + 1 || sqlite3_column_bytes(s, 6) != SIGN_SHA256 ||
              memcmp(sqlite3_column_blob(s, 6), digest, SIGN_SHA256) != 0;
        memcpy(before, digest, SIGN_SHA256);
        before_len = SIGN_SHA256;
        count += !bad;
    }
    sql_close(s);
    if (!bad && rc < 0)
        return rc;
    rc = chain_end(r, &rows, end, &end_len);
    if (rc < 0)
        return rc;
    if (!bad)
        bad = rc != 0 || rows != count || end_len != before_len || memcmp(end, before, end_len) != 0;
    *ret_count = count;
    *ret_bad = bad ? count + 1 : 0;
    return bad ? REG_NOTHING : 0;
}
