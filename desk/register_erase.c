/* register_erase.c: what its author took back leaves the register, and the files that it had. */
#include "desk/register_sql.h"

#include "kit/text.h"

#include <stdlib.h>

static int let_files_go(struct reg *r, int64_t message, int64_t at) {
    return sql_run(
        r,
        "INSERT INTO forgotten (sha256, at) SELECT sha256, ?1 FROM attachment WHERE message = ?2 AND "
        "sha256 <> '' UNION SELECT sha256, ?1 FROM raw WHERE message = ?2 AND sha256 <> '' "
        "ON CONFLICT (sha256) DO UPDATE SET at = excluded.at",
        "ii", at, message);
}

/* Bytes as they came, and former texts. */
static int drop_beside(struct reg *r, int64_t message) {
    int rc = sql_run(r, "DELETE FROM raw WHERE message = ?", "i", message);

    return rc < 0 ? rc : sql_run(r, "DELETE FROM version WHERE message = ?", "i", message);
}

int reg_message_purge(struct reg *r, int64_t id, int64_t at) {
    int rc = let_files_go(r, id, at);

    if (rc == 0)
        rc = sql_run(
            r, "UPDATE message SET text = '', quoted = '', subject = '', note = '', purged_at = ? WHERE id = ?",
            "ii", at, id);
    if (rc == 0)
        rc = drop_beside(r, id);
    if (rc == 0)
        rc = sql_run(
            r,
            "UPDATE attachment SET state = 'purged', sha256 = '', source = '', name = 'dihapus', note = '' "
            "WHERE message = ?",
            "i", id);
    return rc;
}

int reg_message_drop(struct reg *r, int64_t id, int64_t at) {
    int rc = let_files_go(r, id, at);

    if (rc == 0)
        rc = drop_beside(r, id);
    if (rc == 0)
        rc = sql_run(r, "DELETE FROM attachment WHERE message = ?", "i", id);
    return rc < 0 ? rc : sql_run(r, "DELETE FROM message WHERE id = ?", "i", id);
}

/* A case that was merged into it may be called by the same words. */
int reg_case_rename(struct reg *r, int64_t id, const char *was, const char *subject) {
    return sql_run(r,
                   "UPDATE ticket SET subject = ?1 WHERE id = ?2 OR (merged_into = ?2 AND subject = ?3 AND ?3 "
                   "<> '')",
                   "tit", subject, id, was);
}

int reg_file_forget(struct reg *r, const char *sha256, int64_t at) {
    if (sha256 == NULL || sha256[0] == '\0')
        return 0;
    return sql_run(r,
                   "INSERT INTO forgotten (sha256, at) VALUES (?, ?) "
                   "ON CONFLICT (sha256) DO UPDATE SET at = excluded.at",
                   "ti", sha256, at);
}

int reg_file_used(struct reg *r, const char *sha256) {
    int64_t one;

    return sql_int(r, &one,
                   "SELECT 1 FROM attachment WHERE sha256 = ?1 AND sha256 <> '' UNION ALL "
                   "SELECT 1 FROM raw WHERE sha256 = ?1 AND sha256 <> '' UNION ALL "
                   "SELECT 1 FROM outbox WHERE instr(answer, ?1) > 0 UNION ALL "
                   "SELECT 1 FROM burial WHERE instr(record, ?1) > 0 UNION ALL "
                   "SELECT 1 FROM early WHERE instr(record, ?1) > 0 LIMIT 1",
                   "t", sha256);
}

int reg_file_gone(struct reg *r, const char *sha256) {
    return sql_run(r, "DELETE FROM forgotten WHERE sha256 = ?", "t", sha256);
}

/* Read first, then handed over: each() writes. */
int reg_forgotten(struct reg *r, int64_t before, size_t max, int (*each)(void *arg, const char *sha256),
                  void *arg) {
    sqlite3_stmt *s = sql_open(r, "SELECT sha256 FROM forgotten WHERE at <= ? ORDER BY at, sha256 LIMIT ?",
                               "ii", before, (int64_t)max);
    char **all = NULL;
    size_t i, count = 0;
    int rc;

    while ((rc = sql_row(r, s)) == 1) {
        all = xrealloc(all, count + 1, sizeof(*all));
        all[count++] = sql_string(s, 0);
    }
    sql_close(s);
    for (i = 0; i < count; i++) {
        if (rc == 0)
            rc = each(arg, all[i]);
        free(all[i]);
    }
    free(all);
    return rc;
}
