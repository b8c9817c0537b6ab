/*
 * register.c: opens the register's file and keeps its transactions.
 *
 * What SQLite promises here: with WAL and synchronous=FULL a COMMIT that
 * returned is on disk. What it does not (before 3.51.3): two connections that
 * may both reset the WAL can corrupt it; so only the writer, held to be one by
 * a lock file, ever checkpoints.
 */
#include "desk/register_sql.h"

#include "kit/step.h"
#include "kit/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { CHECKPOINT_PAGES = 4000 };

static int count_wal(void *arg, sqlite3 *db, const char *name, int pages) {
    struct reg *r = arg;

    (void)db;
    (void)name;
    r->wal_pages = pages;
    return SQLITE_OK;
}

static int be_the_writer(struct reg *r, const char *state_dir) {
    char *file = xasprintf("%s/register.lock", state_dir);
    int rc = 0;

    r->lock = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (r->lock < 0)
        rc = -errno;
    else if (flock(r->lock, LOCK_EX | LOCK_NB) < 0)
        rc = -errno;
    if (rc < 0)
        snprintf(r->error, sizeof(r->error), "%s: %s", file,
                 rc == -EWOULDBLOCK ? "another desk holds the register" : strerror(-rc));
    free(file);
    return rc;
}

static int open_writing(struct reg *r) {
    int on = 1, rc;

    rc = sql_text(r, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                     "PRAGMA secure_delete=ON; PRAGMA cache_size=-16384; PRAGMA wal_autocheckpoint=0;"
                     "PRAGMA temp_store=MEMORY");
    if (rc < 0)
        return rc;
    /* The WAL stays when the desk ends, so that readers without write permission can still open. */
    sqlite3_file_control(r->db, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
    sqlite3_wal_hook(r->db, count_wal, r);
    return reg_migrate(r);
}

static int open_reading(struct reg *r) {
    int64_t version = 0;
    int rc;

    sqlite3_db_config(r->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    rc = sql_text(r, "PRAGMA wal_autocheckpoint=0; PRAGMA query_only=ON; PRAGMA cache_size=-8192");
    if (rc == 0)
        rc = sql_int(r, &version, "PRAGMA user_version", "");
    if (rc == 0 && version != reg_version()) {
        snprintf(r->error, sizeof(r->error), "register is of version %d, this program wants %d", (int)version,
                 reg_version());
        rc = -EPROTO;
    }
    return rc;
}

static int open_file(struct reg *r, const char *state_dir, int mode) {
    char *file = xasprintf("%s/register.db", state_dir);
    int flags = mode == REG_WRITE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    int rc = 0;

    if (mode == REG_READ && access(file, F_OK) < 0) {
        rc = -errno;
        snprintf(r->error, sizeof(r->error), "%s: %s", file, strerror(-rc));
    } else if (sqlite3_open_v2(file, &r->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        snprintf(r->error, sizeof(r->error), "%s: %s", file, sqlite3_errmsg(r->db));
        rc = -EIO;
    } else {
        sqlite3_extended_result_codes(r->db, 1);
        sqlite3_busy_timeout(r->db, 5000);
    }
    free(file);
    return rc;
}

int reg_open(const char *state_dir, int mode, struct reg **ret, char *why, size_t why_size) {
    struct reg *r = xcalloc(1, sizeof(*r));
    int rc = 0;

    r->lock = -1;
    r->writes = mode == REG_WRITE;
    if (r->writes)
        rc = be_the_writer(r, state_dir);
    if (rc == 0)
        rc = open_file(r, state_dir, mode);
    if (rc == 0)
        rc = r->writes ? open_writing(r) : open_reading(r);
    if (rc != 0) {
        snprintf(why, why_size, "%s", r->error);
        reg_close(r);
        return rc;
    }
    *ret = r;
    return 0;
}

struct reg *reg_close(struct reg *r) {
    if (r == NULL)
        return NULL;
    sql_finalize_all(r);
    sqlite3_close_v2(r->db);
    if (r->lock >= 0)
        close(r->lock);
    free(r);
    return NULL;
}

const char *reg_error(const struct reg *r) {
    return r->error;
}

int reg_begin(struct reg *r) {
    return sql_run(r, "BEGIN IMMEDIATE", "");
}

int reg_commit(struct reg *r) {
    int rc;

    STEP("register.commit");
    rc = sql_run(r, "COMMIT", "");
    STEP("register.committed");
    return rc;
}

void reg_rollback(struct reg *r) {
    if (!sqlite3_get_autocommit(r->db))
        sqlite3_exec(r->db, "ROLLBACK", NULL, NULL, NULL);
}

int reg_mark(struct reg *r) {
    return sql_run(r, "SAVEPOINT one", "");
}

int reg_keep(struct reg *r) {
    return sql_run(r, "RELEASE one", "");
}

int reg_undo_to_mark(struct reg *r) {
    int rc = sql_run(r, "ROLLBACK TO one", "");

    return rc < 0 ? rc : reg_keep(r);
}

int reg_checkpoint(struct reg *r) {
    int pages = 0, moved = 0;

    if (!r->writes || r->wal_pages < CHECKPOINT_PAGES)
        return 0;
    if (sqlite3_wal_checkpoint_v2(r->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &moved) != SQLITE_OK &&
        sqlite3_errcode(r->db) != SQLITE_BUSY)
        return reg_fault(r, "checkpoint");
    r->wal_pages = pages - moved;
    return 0;
}

int reg_quick_check(struct reg *r, char *why, size_t why_size) {
    sqlite3_stmt *s = sql_open(r, "PRAGMA quick_check(1)", "");
    int rc = sql_row(r, s);

    if (rc == 1) {
        snprintf(why, why_size, "%s", (const char *)sqlite3_column_text(s, 0));
        rc = strcmp(why, "ok") == 0 ? 0 : -EIO;
    }
    sql_close(s);
    return rc;
}
