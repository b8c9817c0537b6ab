/* register_trouble.c: what is wrong, since when, and who has been told; when accounts were last heard of. */
#include "desk/register_sql.h"

#include "desk/watch.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void copy(char *to, size_t size, sqlite3_stmt *s, int column) {
    const char *text = (const char *)sqlite3_column_text(s, column);

    snprintf(to, size, "%s", text != NULL ? text : "");
}

int reg_trouble_load(struct reg *r, struct watch_book *ret) {
    sqlite3_stmt *s = sql_open(r,
                               "SELECT key, what, level, told_level, since, seen_at, due_at, told_at, over_at, "
                               "over_told_at FROM trouble ORDER BY id",
                               "");
    int rc;

    memset(ret, 0, sizeof(*ret));
    while ((rc = sql_row(r, s)) == 1) {
        struct watch_row *row;

        ret->rows = xrealloc(ret->rows, ret->count + 1, sizeof(*ret->rows));
        row = &ret->rows[ret->count++];
        memset(row, 0, sizeof(*row));
        copy(row->key, sizeof(row->key), s, 0);
        copy(row->what, sizeof(row->what), s, 1);
        row->level = sqlite3_column_int(s, 2);
        row->told_level = sqlite3_column_int(s, 3);
        row->since = sqlite3_column_int64(s, 4);
        row->seen_at = sqlite3_column_int64(s, 5);
        row->due_at = sqlite3_column_int64(s, 6);
        row->told_at = sqlite3_column_int64(s, 7);
        row->over_at = sqlite3_column_int64(s, 8);
        row->over_told_at = sqlite3_column_int64(s, 9);
    }
    sql_close(s);
    return rc;
}

int reg_trouble_save(struct reg *r, const struct watch_book *book) {
    int rc = sql_run(r, "DELETE FROM trouble", "");
    size_t i;

    for (i = 0; rc == 0 && i < book->count; i++) {
        const struct watch_row *row = &book->rows[i];

        rc = sql_run(r,
                     "INSERT INTO trouble (key, what, level, told_level, since, seen_at, due_at, told_at, "
                     "over_at, over_told_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     "ttddiiiiii", row->key, row->what, row->level, row->told_level, row->since, row->seen_at,
                     row->due_at, row->told_at, row->over_at, row->over_told_at);
    }
    return rc;
}

int reg_traffic_get(struct reg *r, const char *account, struct reg_traffic *ret) {
    sqlite3_stmt *s = sql_open(r, "SELECT last_in, usual, count FROM traffic WHERE account = ?", "t", account);
    int rc = sql_row(r, s);

    memset(ret, 0, sizeof(*ret));
    if (rc == 1) {
        ret->last_in = sqlite3_column_int64(s, 0);
        ret->usual = sqlite3_column_int64(s, 1);
        ret->count = sqlite3_column_int64(s, 2);
    }
    sql_close(s);
    return rc == 1 ? 0 : rc == 0 ? REG_NOTHING : rc;
}

int reg_traffic_set(struct reg *r, const char *account, const struct reg_traffic *t) {
    return sql_run(
        r,
        "INSERT INTO traffic (account, last_in, usual, count) VALUES (?, ?, ?, ?) ON CONFLICT (account) "
        "DO UPDATE SET last_in = excluded.last_in, usual = excluded.usual, count = excluded.count",
        "tiii", account, t->last_in, t->usual, t->count);
}
