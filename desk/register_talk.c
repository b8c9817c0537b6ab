/*
 * register_talk.c: conversations and the names they are known by; counters per correspondent.
 *
 * A person may write today under a phone number and tomorrow under a platform
 * id. In a one-to-one chat every identity of the sender is an alias of the
 * conversation, so both lead to the same one. A phone number alone does not
 * join two different platform ids: numbers are recycled.
 */
#include "desk/register_sql.h"

#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TALK_COLUMNS                                                                                           \
    "c.id, c.account, c.channel, c.key, c.is_public, c.last_in_at, c.last_in_id, c.template_at, c.person_id, " \
    "c.person_name, c.person_handle, c.person_address, c.person_phone"

void reg_talk_clear(struct reg_talk *t) {
    free(t->account);
    free(t->channel);
    free(t->key);
    free(t->last_in_id);
    free(t->person.id);
    free(t->person.name);
    free(t->person.handle);
    free(t->person.address);
    free(t->person.phone);
    memset(t, 0, sizeof(*t));
}

static void talk_row(sqlite3_stmt *s, struct reg_talk *t) {
    memset(t, 0, sizeof(*t));
    t->id = sqlite3_column_int64(s, 0);
    t->account = sql_string(s, 1);
    t->channel = sql_string(s, 2);
    t->key = sql_string(s, 3);
    t->is_public = sqlite3_column_int(s, 4) != 0;
    t->last_in_at = sqlite3_column_int64(s, 5);
    t->last_in_id = sql_string(s, 6);
    t->template_at = sqlite3_column_int64(s, 7);
    t->person.id = sql_string(s, 8);
    t->person.name = sql_string(s, 9);
    t->person.handle = sql_string(s, 10);
    t->person.address = sql_string(s, 11);
    t->person.phone = sql_string(s, 12);
}

static int talk_one(struct reg *r, sqlite3_stmt *s, struct reg_talk *ret) {
    int rc = sql_row(r, s);

    if (rc == 1)
        talk_row(s, ret);
    sql_close(s);
    return rc == 1 ? 0 : rc == 0 ? REG_NOTHING : rc;
}

int reg_talk_get(struct reg *r, int64_t id, struct reg_talk *ret) {
    return talk_one(r, sql_open(r, "SELECT " TALK_COLUMNS " FROM conversation c WHERE c.id = ?", "i", id), ret);
}

static int talk_by_alias(struct reg *r, const char *account, char kind, const char *name,
                         struct reg_talk *ret) {
    char *alias;
    int rc;

    if (name == NULL || name[0] == '\0')
        return REG_NOTHING;
    alias = xasprintf("%c:%s", kind, name);
    rc = talk_one(r,
                  sql_open(r,
                           "SELECT " TALK_COLUMNS " FROM alias a JOIN conversation c ON c.id = a.conversation "
                           "WHERE a.account = ? AND a.name = ?",
                           "tt", account, alias),
                  ret);
    free(alias);
    return rc;
}

static int alias_add(struct reg *r, const char *account, char kind, const char *name, int64_t talk) {
    char *alias;
    int rc;

    if (name == NULL || name[0] == '\0')
        return 0;
    alias = xasprintf("%c:%s", kind, name);
    rc = sql_run(r, "INSERT INTO alias (account, name, conversation) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                 "tti", account, alias, talk);
    free(alias);
    return rc;
}

static bool given(const char *s) {
    return s != NULL && s[0] != '\0';
}

static bool same(const char *a, const char *b) {
    return given(a) && given(b) && strcmp(a, b) == 0;
}

/* The key of the thread; where the platform has none, the sender's own name. */
static char *talk_key(const struct aduan_message *m) {
    const struct aduan_person *p = &m->sender;

    if (given(m->conversation))
        return xstrdup(m->conversation);
    if (given(p->id))
        return xstrdup(p->id);
    if (given(p->address))
        return text_lower(p->address);
    if (given(p->phone))
        return xstrdup(p->phone);
    return xasprintf("?%s", m->id);
}

/* A chat between one citizen and the office: only there do the sender's identities name it. */
static bool one_to_one(const struct aduan_message *m, const char *key) {
    const struct aduan_person *p = &m->sender;

    if (m->is_public || m->kind == ADUAN_KIND_ECHO || m->kind == ADUAN_KIND_STATUS)
        return false;
    return same(key, p->id) || same(key, p->phone) || (given(p->phone) && same(key, p->phone + 1)) ||
           (given(p->address) && text_compare_nocase(key, p->address) == 0);
}

/* Known by number alone; also when the number was once kept as the id. */
static bool has_no_id(const struct aduan_person *p) {
    return !given(p->id) || same(p->id, p->phone) || (given(p->phone) && same(p->id, p->phone + 1));
}

static int talk_find(struct reg *r, const struct aduan_message *m, const char *key, struct reg_talk *ret) {
    const struct aduan_person *p = &m->sender;
    int rc = talk_by_alias(r, m->account, 'k', key, ret);

    if (rc != REG_NOTHING || !one_to_one(m, key))
        return rc;
    rc = talk_by_alias(r, m->account, 'i', p->id, ret);
    if (rc != REG_NOTHING)
        return rc;
    rc = talk_by_alias(r, m->account, 'p', p->phone, ret);
    if (rc == 0 && !has_no_id(p) && !has_no_id(&ret->person) && strcmp(p->id, ret->person.id) != 0) {
        reg_talk_clear(ret);
        return REG_NOTHING;
    }
    return rc;
}

static int talk_make(struct reg *r, const struct aduan_message *m, const char *key, struct reg_talk *ret) {
    int rc = sql_run(r, "INSERT INTO conversation (account, channel, key, is_public) VALUES (?, ?, ?, ?)",
                     "tttd", m->account, m->channel, key, (int)m->is_public);
    int64_t id = sqlite3_last_insert_rowid(r->db);

    if (rc == 0)
        rc = alias_add(r, m->account, 'k', key, id);
    return rc < 0 ? rc : reg_talk_get(r, id, ret);
}

/* Takes what is new of the person; true when something was. */
static bool take(char **field, const char *value) {
    if (!given(value) || strcmp(*field, value) == 0)
        return false;
    free(*field);
    *field = xstrdup(value);
    return true;
}

/* "public:POST:AUTHOR": what one author writes under one post. Other public threads are everybody's. */
static bool of_one_author(const struct aduan_message *m, const char *key) {
    size_t n = given(m->sender.id) ? strlen(m->sender.id) : 0, len = strlen(key);

    return n > 0 && text_starts(key, "public:") && len > n + 1 && key[len - n - 1] == ':' &&
           strcmp(key + len - n, m->sender.id) == 0;
}

static int talk_learn(struct reg *r, const struct aduan_message *m, const char *key, struct reg_talk *t) {
    const struct aduan_person *p = &m->sender;
    bool news = false;
    int rc;

    if (m->kind == ADUAN_KIND_ECHO || m->kind == ADUAN_KIND_STATUS || (m->is_public && !of_one_author(m, key)))
        return 0;
    news |= take(&t->person.id, p->id);
    news |= take(&t->person.name, p->name);
    news |= take(&t->person.handle, p->handle);
    news |= take(&t->person.address, p->address);
    news |= take(&t->person.phone, p->phone);
    if (!news)
        return 0;
    rc = sql_run(
        r,
        "UPDATE conversation SET person_id = ?, person_name = ?, person_handle = ?, person_address = ?, "
        "person_phone = ? WHERE id = ?",
        "ttttti", t->person.id, t->person.name, t->person.handle, t->person.address, t->person.phone, t->id);
    if (rc == 0)
        rc = alias_add(r, m->account, 'k', key, t->id);
    if (rc == 0 && one_to_one(m, key)) {
        rc = alias_add(r, m->account, 'i', p->id, t->id);
        if (rc == 0)
            rc = alias_add(r, m->account, 'p', p->phone, t->id);
    }
    return rc;
}

/* The platform says that this person has another id now (extra.new_id): what comes under it is theirs, as long
 * as it is the number that we know. */
static int talk_renamed(struct reg *r, const struct aduan_message *m, const char *key, struct reg_talk *t) {
    const char *id = json_string_value(json_object_get(m->extra, "new_id"));
    int rc;

    if (m->kind != ADUAN_KIND_SYSTEM || !given(id) || !one_to_one(m, key) ||
        !same(m->sender.phone, t->person.phone))
        return 0;
    rc = alias_add(r, m->account, 'i', id, t->id);
    if (rc == 0)
        rc = alias_add(r, m->account, 'k', id, t->id);
    if (rc == 0 && take(&t->person.id, id))
        rc = sql_run(r, "UPDATE conversation SET person_id = ? WHERE id = ?", "ti", id, t->id);
    return rc;
}

int reg_talk_of(struct reg *r, const struct aduan_message *m, int64_t now, struct reg_talk *ret) {
    char *key = talk_key(m);
    int rc = talk_find(r, m, key, ret);

    (void)now;
    if (rc == REG_NOTHING)
        rc = talk_make(r, m, key, ret);
    else if (rc == 0 && strcmp(ret->key, key) != 0)
        rc = alias_add(r, m->account, 'k', key, ret->id);
    if (rc == 0)
        rc = talk_learn(r, m, key, ret);
    if (rc == 0)
        rc = talk_renamed(r, m, key, ret);
    free(key);
    return rc;
}

int reg_talk_heard(struct reg *r, int64_t id, int64_t at, const char *platform_id) {
    return sql_run(r, "UPDATE conversation SET last_in_at = ?, last_in_id = ? WHERE id = ? AND last_in_at <= ?",
                   "itii", at, platform_id, id, at);
}

int reg_talk_template(struct reg *r, int64_t id, int64_t at) {
    return sql_run(r, "UPDATE conversation SET template_at = ? WHERE id = ?", "ii", at, id);
}

int reg_count(struct reg *r, const char *what, const char *person, int64_t bucket, int64_t *ret_count) {
    int rc = sql_int(r, ret_count, "SELECT count FROM tally WHERE what = ? AND person = ? AND bucket = ?",
                     "tti", what, person, bucket);

    if (rc == REG_NOTHING)
        *ret_count = 0;
    return rc < 0 ? rc : 0;
}

int reg_count_add(struct reg *r, const char *what, const char *person, int64_t bucket, int64_t *ret_count) {
    return sql_int(r, ret_count,
                   "INSERT INTO tally (what, person, bucket, count) VALUES (?, ?, ?, 1) "
                   "ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count",
                   "tti", what, person, bucket);
}

int reg_count_forget(struct reg *r, const char *what, int64_t before_bucket) {
    return sql_run(r, "DELETE FROM tally WHERE what = ? AND bucket < ?", "ti", what, before_bucket);
}
