/* register_sql.c: prepared statements by their text, binding, fault codes. */
#include "desk/register_sql.h"

#include "kit/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What SQLite says, as what the caller can do about it. */
static int fault_code(int rc) {
    switch (rc & 0xff) {
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_RANGE:
        return -EINVAL;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    default:
        return -EIO;
    }
}

int reg_fault(struct reg *r, const char *what) {
    int rc = sqlite3_extended_errcode(r->db);
    int code = fault_code(rc);

    snprintf(r->error, sizeof(r->error), "%s: %s (%d)", what, sqlite3_errmsg(r->db), rc);
    return code;
}

int sql_text(struct reg *r, const char *sql) {
    if (sqlite3_exec(r->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return reg_fault(r, "register");
    return 0;
}

static sqlite3_stmt *prepared(struct reg *r, const char *sql) {
    size_t at = ((uintptr_t)sql >> 3) % REG_STATEMENTS, tried;

    for (tried = 0; tried < REG_STATEMENTS; tried++, at = (at + 1) % REG_STATEMENTS) {
        struct reg_statement *slot = &r->statements[at];

        if (slot->sql == sql)
            return slot->s;
        if (slot->sql != NULL)
            continue;
        if (sqlite3_prepare_v3(r->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &slot->s, NULL) != SQLITE_OK)
            return NULL;
        slot->sql = sql;
        return slot->s;
    }
    return NULL;
}

static int bind_all(sqlite3_stmt *s, const char *types, va_list ap) {
    int i, rc = SQLITE_OK;

    for (i = 1; types[i - 1] != '\0' && rc == SQLITE_OK; i++) {
        const char *text;
        const void *bytes;

        switch (types[i - 1]) {
        case 'i':
            rc = sqlite3_bind_int64(s, i, va_arg(ap, int64_t));
            break;
        case 'd':
            rc = sqlite3_bind_int(s, i, va_arg(ap, int));
            break;
        case 't':
            text = va_arg(ap, const char *);
            rc = sqlite3_bind_text(s, i, text != NULL ? text : "", -1, SQLITE_STATIC);
            break;
        default:
            bytes = va_arg(ap, const void *);
            rc = sqlite3_bind_blob64(s, i, bytes, va_arg(ap, size_t), SQLITE_STATIC);
            break;
        }
    }
    return rc;
}

static sqlite3_stmt *open_bound(struct reg *r, const char *sql, const char *types, va_list ap) {
    sqlite3_stmt *s = prepared(r, sql);

    if (s == NULL) {
        reg_fault(r, sql);
        return NULL;
    }
    if (bind_all(s, types, ap) != SQLITE_OK) {
        reg_fault(r, sql);
        sql_close(s);
        return NULL;
    }
    return s;
}

sqlite3_stmt *sql_open(struct reg *r, const char *sql, const char *types, ...) {
    sqlite3_stmt *s;
    va_list ap;

    va_start(ap, types);
    s = open_bound(r, sql, types, ap);
    va_end(ap);
    return s;
}

int sql_row(struct reg *r, sqlite3_stmt *s) {
    int rc;

    if (s == NULL)
        return -EIO;
    rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        return 1;
    return rc == SQLITE_DONE ? 0 : reg_fault(r, sqlite3_sql(s));
}

void sql_close(sqlite3_stmt *s) {
    if (s == NULL)
        return;
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
}

int sql_run(struct reg *r, const char *sql, const char *types, ...) {
    sqlite3_stmt *s;
    va_list ap;
    int rc;

    va_start(ap, types);
    s = open_bound(r, sql, types, ap);
    va_end(ap);
    do
        rc = sql_row(r, s);
    while (rc == 1);
    sql_close(s);
    return rc;
}

int sql_int(struct reg *r, int64_t *ret, const char *sql, const char *types, ...) {
    sqlite3_stmt *s;
    va_list ap;
    int rc;

    va_start(ap, types);
    s = open_bound(r, sql, types, ap);
    va_end(ap);
    rc = sql_row(r, s);
    if (rc == 1)
        *ret = sqlite3_column_int64(s, 0);
    sql_close(s);
    return rc == 1 ? 0 : rc == 0 ? REG_NOTHING : rc;
}

char *sql_string(sqlite3_stmt *s, int column) {
    const char *text = (const char *)sqlite3_column_text(s, column);

    return xstrdup(text != NULL ? text : "");
}

void sql_finalize_all(struct reg *r) {
    size_t i;

    for (i = 0; i < REG_STATEMENTS; i++)
        sqlite3_finalize(r->statements[i].s);
    memset(r->statements, 0, sizeof(r->statements));
}
