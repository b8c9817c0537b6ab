/* register_people.c: the officers, and the answers of their commands. */
#include "desk/register_sql.h"

#include "kit/text.h"

#include <stdlib.h>
#include <string.h>

void reg_user_clear(struct reg_user *u) {
    free(u->name);
    free(u->role);
    free(u->full);
    free(u->section);
    free(u->email);
    if (u->hash != NULL)
        text_wipe(u->hash, strlen(u->hash));
    free(u->hash);
    memset(u, 0, sizeof(*u));
}

static void user_row(sqlite3_stmt *s, struct reg_user *u) {
    u->name = sql_string(s, 0);
    u->role = sql_string(s, 1);
    u->full = sql_string(s, 2);
    u->section = sql_string(s, 3);
    u->email = sql_string(s, 4);
    u->hash = sql_string(s, 5);
    u->disabled = sqlite3_column_int(s, 6) != 0;
    u->created_at = sqlite3_column_int64(s, 7);
    u->changed_at = sqlite3_column_int64(s, 8);
}

int reg_user_add(struct reg *r, const struct reg_user *u) {
    int rc = sql_run(r,
                     "INSERT INTO user (name, role, full_name, section, email, hash, created_at, changed_at) "
                     "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                     "ttttttii", u->name, u->role, u->full, u->section, u->email, u->hash, u->created_at,
                     u->changed_at);

    if (rc < 0)
        return rc;
    return sqlite3_changes(r->db) > 0 ? 0 : REG_SEEN;
}

int reg_user_save(struct reg *r, const struct reg_user *u) {
    return sql_run(r,
                   "UPDATE user SET role = ?, full_name = ?, section = ?, email = ?, hash = ?, disabled = ?, "
                   "changed_at = ? WHERE name = ?",
                   "tttttdit", u->role, u->full, u->section, u->email, u->hash, (int)u->disabled, u->changed_at,
                   u->name);
}

int reg_user_get(struct reg *r, const char *name, struct reg_user *ret) {
    sqlite3_stmt *s =
        sql_open(r,
                 "SELECT name, role, full_name, section, email, hash, disabled, created_at, changed_at "
                 "FROM user WHERE name = ?",
                 "t", name);
    int rc = sql_row(r, s);

    if (rc == 1)
        user_row(s, ret);
    sql_close(s);
    return rc == 1 ? 0 : rc == 0 ? REG_NOTHING : rc;
}

int reg_users(struct reg *r, int (*each)(void *arg, const struct reg_user *u), void *arg) {
    sqlite3_stmt *s =
        sql_open(r,
                 "SELECT name, role, full_name, section, email, hash, disabled, created_at, changed_at "
                 "FROM user ORDER BY name",
                 "");
    int rc;

    while ((rc = sql_row(r, s)) == 1) {
        struct reg_user u = { NULL };

        user_row(s, &u);
        rc = each(arg, &u);
        reg_user_clear(&u);
        if (rc != 0)
            break;
    }
    sql_close(s);
    return rc;
}

int reg_command_get(struct reg *r, const char *request, char **ret_digest, char **ret_json) {
    sqlite3_stmt *s = sql_open(r, "SELECT digest, answer FROM command WHERE key = ?", "t", request);
    int rc = sql_row(r, s);

    if (rc == 1) {
        *ret_digest = sql_string(s, 0);
        *ret_json = sql_string(s, 1);
    }
    sql_close(s);
    return rc == 1 ? 0 : rc == 0 ? REG_NOTHING : rc;
}

int reg_command_same(struct reg *r, const char *digest, int64_t since, char **ret_request, char **ret_json) {
    sqlite3_stmt *s =
        sql_open(r, "SELECT key, answer FROM command WHERE digest = ? AND at >= ? ORDER BY at DESC LIMIT 1",
                 "ti", digest, since);
    int rc = sql_row(r, s);

    if (rc == 1) {
        *ret_request = sql_string(s, 0);
        *ret_json = sql_string(s, 1);
    }
    sql_close(s);
    return rc == 1 ? 0 : rc == 0 ? REG_NOTHING : rc;
}

int reg_command_add(struct reg *r, const char *request, const char *digest, const char *json, int64_t at) {
    return sql_run(r,
                   "INSERT INTO command (key, at, digest, answer) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                   "titt", request, at, digest, json);
}

int reg_command_forget(struct reg *r, int64_t before) {
    return sql_run(r, "DELETE FROM command WHERE at < ?", "i", before);
}
