/*
 * spool.c: webhooks on disk while Redis is away: one SQLite file, one connection.
 *
 * WAL with synchronous=FULL: a commit is an fsync. locking_mode=EXCLUSIVE: no
 * second connection can exist, so SQLite's WAL-reset fault (before 3.51.3) has
 * no ground. Row numbers only ever grow (AUTOINCREMENT), so "up to row" stays true.
 */
#include "queue/spool.h"

#include "kit/step.h"
#include "kit/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum statement { BEGIN, COMMIT, ROLLBACK, INSERT, PEEK, REMOVE, TOTAL, STATEMENTS };

struct spool {
    sqlite3 *db;
    char *path;
    int64_t max_bytes, count, bytes;
    sqlite3_stmt *statements[STATEMENTS];
};

/* Counted beside a row's own bytes, so that a million empty messages have a bound, too. */
enum { ROW_BYTES = 128 };

/* What must stay free on the disk: removing needs room, too (the log, and the file it is copied to). */
enum { RESERVE_BYTES = 16 << 20 };

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS item (row INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL,"
    " id TEXT NOT NULL, record BLOB NOT NULL, raw BLOB NOT NULL, media INTEGER NOT NULL, UNIQUE (account, id));"
    "PRAGMA user_version = 1";

static const char *const statement_texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [INSERT] = "INSERT OR IGNORE INTO item (account, id, record, raw, media) VALUES (?, ?, ?, ?, ?)",
    [PEEK] = "SELECT row, account, id, record, raw, media FROM item ORDER BY row LIMIT ?",
    [REMOVE] = "DELETE FROM item WHERE row <= ?",
    [TOTAL] = "SELECT count(*), coalesce(sum(length(record) + length(raw)), 0) FROM item WHERE row <= ?",
};

/* --------------------------------------------------------------------- opening */

static int say(char *why, size_t why_size, int rc, const char *path, const char *what) {
    snprintf(why, why_size, "%s: %s", path, what);
    return rc;
}

/* A number that a one-row statement without parameters gives; text in *ret if wanted. */
static int ask(sqlite3 *db, const char *sql, char *ret, size_t size) {
    sqlite3_stmt *s = NULL;
    int r = sqlite3_prepare_v2(db, sql, -1, &s, NULL);

    if (r == SQLITE_OK) {
        r = sqlite3_step(s);
        if (r == SQLITE_ROW && ret != NULL)
            snprintf(ret, size, "%s", (const char *)sqlite3_column_text(s, 0));
    }
    sqlite3_finalize(s);
    return r == SQLITE_ROW || r == SQLITE_DONE ? SQLITE_OK : r;
}

static int configure(sqlite3 *db) {
    static const char *const pragmas[] = {
        "PRAGMA locking_mode = EXCLUSIVE",  "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",        "PRAGMA temp_store = MEMORY",
        "PRAGMA wal_autocheckpoint = 1000", "PRAGMA journal_size_limit = 4194304",
    };
    char mode[16] = "";
    int r = SQLITE_OK;

    for (size_t i = 0; r == SQLITE_OK && i < sizeof(pragmas) / sizeof(pragmas[0]); i++)
        r = ask(db, pragmas[i], i == 1 ? mode : NULL, sizeof(mode));
    if (r == SQLITE_OK && strcmp(mode, "wal") != 0)
        r = SQLITE_CANTOPEN;
    return r;
}

static int check(sqlite3 *db) {
    char verdict[64] = "";
    int r = ask(db, "PRAGMA quick_check(1)", verdict, sizeof(verdict));

    if (r == SQLITE_OK && strcmp(verdict, "ok") != 0)
        r = SQLITE_CORRUPT;
    return r;
}

static int prepare(struct spool *s) {
    int r = sqlite3_exec(s->db, schema, NULL, NULL, NULL);

    for (size_t i = 0; r == SQLITE_OK && i < STATEMENTS; i++)
        r = sqlite3_prepare_v3(s->db, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT, &s->statements[i],
                               NULL);
    return r;
}

/* How much the rows up to one are. */
static int total(struct spool *s, int64_t upto_row, int64_t *ret_count, int64_t *ret_bytes) {
    sqlite3_stmt *t = s->statements[TOTAL];
    int r;

    sqlite3_bind_int64(t, 1, upto_row);
    r = sqlite3_step(t);
    if (r == SQLITE_ROW) {
        *ret_count = sqlite3_column_int64(t, 0);
        *ret_bytes = sqlite3_column_int64(t, 1) + *ret_count * ROW_BYTES;
    }
    sqlite3_reset(t);
    return r == SQLITE_ROW ? SQLITE_OK : r;
}

static void shut(struct spool *s) {
    for (size_t i = 0; i < STATEMENTS; i++) {
        sqlite3_finalize(s->statements[i]);
        s->statements[i] = NULL;
    }
    sqlite3_close(s->db);
    s->db = NULL;
}

static int try_open(struct spool *s) {
    int r = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                            NULL);

    if (r == SQLITE_OK)
        r = configure(s->db);
    sqlite3_extended_result_codes(s->db, 1);
    if (r == SQLITE_OK)
        r = check(s->db);
    if (r == SQLITE_OK)
        r = prepare(s);
    if (r == SQLITE_OK)
        r = total(s, INT64_MAX, &s->count, &s->bytes);
    return r;
}

static bool is_damage(int r) {
    return (r & 0xff) == SQLITE_CORRUPT || (r & 0xff) == SQLITE_NOTADB;
}

/* Keeps the damaged file for whoever can read more out of it than we. */
static int set_aside(struct spool *s, char *why, size_t why_size) {
    static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
    long now = (long)time(NULL);

    shut(s);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        char *from = xasprintf("%s%s", s->path, suffixes[i]),
             *to = xasprintf("%s.bad-%ld%s", s->path, now, suffixes[i]);
        int r = rename(from, to) < 0 && errno != ENOENT ? -errno : 0;

        free(from);
        free(to);
        if (r < 0)
            return r;
    }
    snprintf(why, why_size, "%s: damaged, set aside as %s.bad-%ld; a new one is begun", s->path, s->path, now);
    return 0;
}

static int error_of(const struct spool *s, int r) {
    int system = s->db != NULL ? sqlite3_system_errno(s->db) : 0;

    switch (r & 0xff) {
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
        return -EACCES;
    case SQLITE_CANTOPEN:
        return system == EACCES || system == ENOENT || system == ENOSPC ? -system : -EIO;
    case SQLITE_IOERR: /* a write past a quota or limit; its errno may be gone by now */
        return system == ENOSPC || system == EDQUOT || system == EFBIG ||
                       (r == SQLITE_IOERR_WRITE && system == 0)
                   ? -ENOSPC
                   : -EIO;
    default:
        return -EIO;
    }
}

int spool_open(const char *dir, const char *role, int64_t max_bytes, struct spool **ret, char *why,
               size_t why_size) {
    struct spool *s;
    int r, rc;

    snprintf(why, why_size, "%s", "");
    if (mkdir(dir, 0750) < 0 && errno != EEXIST)
        return say(why, why_size, -errno, dir, strerror(errno));
    s = xcalloc(1, sizeof(*s));
    s->max_bytes = max_bytes;
    s->path = xasprintf("%s/%s.db", dir, role);
    r = try_open(s);
    if (is_damage(r)) {
        rc = set_aside(s, why, why_size);
        if (rc < 0) {
            say(why, why_size, rc, s->path, "damaged, and cannot be set aside");
            spool_close(s);
            return rc;
        }
        r = try_open(s);
    }
    if (r != SQLITE_OK) {
        rc = say(why, why_size, error_of(s, r), s->path,
                 s->db != NULL ? sqlite3_errmsg(s->db) : sqlite3_errstr(r));
        spool_close(s);
        return rc;
    }
    chmod(s->path, 0640);
    *ret = s;
    return 0;
}

struct spool *spool_close(struct spool *s) {
    if (s == NULL)
        return NULL;
    shut(s);
    free(s->path);
    free(s);
    return NULL;
}

/* ----------------------------------------------------------------------- using */

static int run(struct spool *s, enum statement which) {
    sqlite3_stmt *t = s->statements[which];
    int r = sqlite3_step(t);

    sqlite3_reset(t);
    return r == SQLITE_DONE || r == SQLITE_ROW ? SQLITE_OK : r;
}

static int64_t size_of(const struct queue_in *in) {
    return (int64_t)(in->record_len + in->raw_len) + ROW_BYTES;
}

static int insert(struct spool *s, const struct spool_in *one, int64_t *count, int64_t *bytes) {
    sqlite3_stmt *t = s->statements[INSERT];
    const struct queue_in *in = &one->in;
    int r;

    sqlite3_bind_text(t, 1, one->account, -1, SQLITE_STATIC);
    sqlite3_bind_text(t, 2, in->id, -1, SQLITE_STATIC);
    sqlite3_bind_blob64(t, 3, in->record_len > 0 ? in->record : "", in->record_len, SQLITE_STATIC);
    sqlite3_bind_blob64(t, 4, in->raw_len > 0 ? in->raw : "", in->raw_len, SQLITE_STATIC);
    sqlite3_bind_int64(t, 5, in->media);
    r = run(s, INSERT);
    sqlite3_clear_bindings(t);
    if (r == SQLITE_OK && sqlite3_changes(s->db) > 0) {
        *count += 1;
        *bytes += size_of(in);
    }
    return r;
}

/* After a failed statement: SQLite may have rolled back by itself. */
static int give_up(struct spool *s, int r) {
    int rc = error_of(s, r);

    if (!sqlite3_get_autocommit(s->db))
        run(s, ROLLBACK);
    return rc == -ENOSPC ? SPOOL_FULL : rc;
}

static bool disk_has_room(const struct spool *s, int64_t bytes) {
    struct statvfs v;

    return statvfs(s->path, &v) < 0 || (int64_t)(v.f_bavail * v.f_frsize) >= RESERVE_BYTES + 2 * bytes;
}

int spool_add(struct spool *s, const struct spool_in *in, size_t count) {
    int64_t more = 0, bytes = 0;
    int r = run(s, BEGIN);

    for (size_t i = 0; r == SQLITE_OK && i < count; i++)
        r = insert(s, &in[i], &more, &bytes);
    if (r == SQLITE_OK && more > 0 && (s->bytes + bytes > s->max_bytes || !disk_has_room(s, bytes))) {
        run(s, ROLLBACK);
        return SPOOL_FULL;
    }
    STEP("spool.before");
    if (r == SQLITE_OK)
        r = run(s, COMMIT);
    STEP("spool.after");
    if (r != SQLITE_OK)
        return give_up(s, r);
    s->count += more;
    s->bytes += bytes;
    return 0;
}

static void read_row(sqlite3_stmt *t, struct spool_in *ret) {
    ret->account = (const char *)sqlite3_column_text(t, 1);
    ret->in.id = (const char *)sqlite3_column_text(t, 2);
    ret->in.record_len = (size_t)sqlite3_column_bytes(t, 3);
    ret->in.record = ret->in.record_len > 0 ? sqlite3_column_blob(t, 3) : "";
    ret->in.raw = sqlite3_column_blob(t, 4);
    ret->in.raw_len = (size_t)sqlite3_column_bytes(t, 4);
    ret->in.media = (unsigned)sqlite3_column_int64(t, 5);
}

int spool_peek(struct spool *s, size_t max, int (*each)(void *arg, int64_t row, const struct spool_in *in),
               void *arg, size_t *ret) {
    sqlite3_stmt *t = s->statements[PEEK];
    size_t got = 0;
    int r, rc = 0;

    sqlite3_bind_int64(t, 1, (sqlite3_int64)max);
    while (rc == 0 && (r = sqlite3_step(t)) == SQLITE_ROW) {
        struct spool_in in = { 0 };

        read_row(t, &in);
        rc = each(arg, sqlite3_column_int64(t, 0), &in);
        got++;
    }
    sqlite3_reset(t);
    *ret = got;
    if (rc != 0)
        return rc < 0 ? rc : 0;
    return r == SQLITE_DONE ? 0 : error_of(s, r);
}

/* Gives the room back, and with it what people wrote: removed rows stay in the file until then.
 * May fail; nothing is lost by that. */
static void sweep(struct spool *s) {
    sqlite3_exec(s->db, "VACUUM", NULL, NULL, NULL);
    sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

int spool_remove(struct spool *s, int64_t upto_row) {
    sqlite3_stmt *t = s->statements[REMOVE];
    int64_t count = 0, bytes = 0;
    int r = total(s, upto_row, &count, &bytes);

    sqlite3_bind_int64(t, 1, upto_row);
    STEP("spool.remove-before");
    if (r == SQLITE_OK)
        r = run(s, REMOVE);
    STEP("spool.remove-after");
    if (r != SQLITE_OK)
        return error_of(s, r);
    s->count -= count;
    s->bytes -= bytes;
    if (s->count == 0)
        sweep(s);
    return 0;
}

int64_t spool_count(const struct spool *s) {
    return s->count;
}

int64_t spool_bytes(const struct spool *s) {
    return s->bytes;
}
