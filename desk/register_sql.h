/*
 * register_sql.h: how the register's own files talk to SQLite.
 *
 * Not for anybody else. Statements are prepared once and found again by the
 * address of their text, so `sql` must be a string literal. Values are bound by
 * a type string: i int64_t, d int, t text (NULL is ''), b blob (pointer and size_t).
 */
#ifndef ADUAN_DESK_REGISTER_SQL_H
#define ADUAN_DESK_REGISTER_SQL_H

#include "desk/register.h"

#include <sqlite3.h>

enum { REG_STATEMENTS = 256 };

struct reg_statement {
    const char *sql;
    sqlite3_stmt *s;
};

struct reg {
    sqlite3 *db;
    struct reg_statement statements[REG_STATEMENTS];
    int lock;      /* held by the one writer */
    int wal_pages; /* since the last checkpoint */
    bool writes;
    char error[512];
};

extern const char *const reg_migrations[];

int reg_fault(struct reg *r, const char *what); /* notes SQLite's error; the code to return */
int reg_migrate(struct reg *r);                 /* to the newest version, each in one transaction */
int reg_migrate_to(struct reg *r, int version);
int sql_text(struct reg *r, const char *sql); /* runs plain SQL */

/* Runs to the end: 0, or a negative code. */
int sql_run(struct reg *r, const char *sql, const char *types, ...);
/* For reading rows: sql_open, sql_row (1 row, 0 end, negative) until not 1, sql_close. */
sqlite3_stmt *sql_open(struct reg *r, const char *sql, const char *types, ...);
int sql_row(struct reg *r, sqlite3_stmt *s);
void sql_close(sqlite3_stmt *s);
/* One integer: 0, REG_NOTHING or a negative code. */
int sql_int(struct reg *r, int64_t *ret, const char *sql, const char *types, ...);
char *sql_string(sqlite3_stmt *s, int column); /* new, never NULL */
void sql_finalize_all(struct reg *r);

#endif
