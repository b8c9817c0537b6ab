/* register_migrate.c: brings a register of any older version to this program's, a transaction each. */
#include "desk/register_sql.h"

#include <errno.h>
#include <stdio.h>

int reg_version(void) {
    int n = 0;

    while (reg_migrations[n] != NULL)
        n++;
    return n;
}

static int version_of(struct reg *r, int *ret) {
    sqlite3_stmt *s = NULL;
    int rc = 0;

    if (sqlite3_prepare_v2(r->db, "PRAGMA user_version", -1, &s, NULL) != SQLITE_OK)
        return reg_fault(r, "user_version");
    if (sqlite3_step(s) == SQLITE_ROW)
        *ret = sqlite3_column_int(s, 0);
    else
        rc = reg_fault(r, "user_version");
    sqlite3_finalize(s);
    return rc;
}

/* The version moves in the same transaction: killed in between, it is done again from the start. */
static int migrate_one(struct reg *r, int to) {
    char pragma[64];
    int rc;

    snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", to);
    rc = sql_text(r, "BEGIN IMMEDIATE");
    if (rc == 0)
        rc = sql_text(r, reg_migrations[to - 1]);
    if (rc == 0)
        rc = sql_text(r, pragma);
    if (rc == 0)
        rc = sql_text(r, "COMMIT");
    if (rc < 0 && !sqlite3_get_autocommit(r->db))
        sqlite3_exec(r->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

int reg_migrate_to(struct reg *r, int version) {
    int now = 0, rc = version_of(r, &now);

    if (rc < 0)
        return rc;
    if (now > reg_version()) {
        snprintf(r->error, sizeof(r->error), "register is of version %d, this program knows %d", now,
                 reg_version());
        return -EPROTO;
    }
    for (; now < version && rc == 0; now++)
        rc = migrate_one(r, now + 1);
    return rc;
}

int reg_migrate(struct reg *r) {
    return reg_migrate_to(r, reg_version());
}
