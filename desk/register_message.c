/* register_message.c: messages in and out, their attachments, raw bytes and former texts. */
#include "desk/register_sql.h"

#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_COLUMNS                                                                                        \
    "m.id, m.ticket, m.conversation, m.out, m.key, m.account, m.kind, m.platform_id, m.mail_id, m.person, "    \
    "m.subject, "                                                                                              \
    "m.text, m.quoted, m.note, m.language, m.reply_to, m.refs, m.is_public, m.flags, m.at, m.received_at, "    \
    "m.purged_at, m.status, m.answer_kind, m.reason"

void reg_message_clear(struct reg_message *m) {
    char **all[] = { &m->key,  &m->account, &m->kind, &m->platform_id, &m->mail_id,  &m->person, &m->subject,
                     &m->text, &m->quoted,  &m->note, &m->language,    &m->reply_to, &m->reason };
    size_t i;

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        free(*all[i]);
    for (i = 0; i < m->reference_count; i++)
        free(m->references[i]);
    free(m->references);
    memset(m, 0, sizeof(*m));
}

char *reg_person_key(const char *channel, const struct aduan_person *p) {
    char *lower, *key;

    if (p->phone != NULL && p->phone[0] != '\0')
        return xasprintf("p:%s", p->phone);
    if (p->address != NULL && p->address[0] != '\0') {
        lower = text_lower(p->address);
        key = xasprintf("a:%s", lower);
        free(lower);
        return key;
    }
    if (p->id != NULL && p->id[0] != '\0')
        return xasprintf("i:%s:%s", channel, p->id);
    return xstrdup("");
}

/* References are kept one to a line. */
static char *join_lines(char *const *items, size_t count) {
    struct text t = TEXT_INIT;
    size_t i;

    for (i = 0; i < count; i++) {
        if (i > 0)
            text_add_char(&t, '\n');
        text_add(&t, items[i]);
    }
    return text_steal(&t);
}

static void split_lines(const char *s, char ***ret, size_t *ret_count) {
    while (s != NULL && *s != '\0') {
        size_t n = strcspn(s, "\n");

        *ret = xrealloc(*ret, *ret_count + 1, sizeof(**ret));
        (*ret)[(*ret_count)++] = xstrndup(s, n);
        s += n + (s[n] == '\n');
    }
}

static void message_row(sqlite3_stmt *s, struct reg_message *m) {
    int i = 0;

    memset(m, 0, sizeof(*m));
    m->id = sqlite3_column_int64(s, i++);
    m->ticket = sqlite3_column_int64(s, i++);
    m->talk = sqlite3_column_int64(s, i++);
    m->out = sqlite3_column_int(s, i++) != 0;
    m->key = sql_string(s, i++);
    m->account = sql_string(s, i++);
    m->kind = sql_string(s, i++);
    m->platform_id = sql_string(s, i++);
    m->mail_id = sql_string(s, i++);
    m->person = sql_string(s, i++);
    m->subject = sql_string(s, i++);
    m->text = sql_string(s, i++);
    m->quoted = sql_string(s, i++);
    m->note = sql_string(s, i++);
    m->language = sql_string(s, i++);
    m->reply_to = sql_string(s, i++);
    split_lines((const char *)sqlite3_column_text(s, i++), &m->references, &m->reference_count);
    m->is_public = sqlite3_column_int(s, i++) != 0;
    m->flags = (unsigned)sqlite3_column_int64(s, i++);
    m->at = sqlite3_column_int64(s, i++);
    m->received_at = sqlite3_column_int64(s, i++);
    m->purged_at = sqlite3_column_int64(s, i++);
    answer_status_parse((const char *)sqlite3_column_text(s, i++), &m->status);
    m->answer_kind = (enum aduan_answer_kind)sqlite3_column_int(s, i++);
    m->reason = sql_string(s, i++);
}

static int message_one(struct reg *r, sqlite3_stmt *s, struct reg_message *ret) {
    int rc = sql_row(r, s);

    if (rc == 1)
        message_row(s, ret);
    sql_close(s);
    return rc == 1 ? 0 : rc == 0 ? REG_NOTHING : rc;
}

int reg_attachment_add(struct reg *r, int64_t message, int idx, const struct aduan_attachment *a) {
    static const char *const states[] = { "pending", "stored", "pending", "failed" };
    const char *state = a->state >= 1 && a->state <= 3 ? states[a->state] : states[0];

    return sql_run(
        r,
        "INSERT INTO attachment (message, idx, name, type, size, sha256, state, source, note, is_text) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "idttittttd", message, idx, a->name, a->type, a->size, a->sha256, state, a->source, a->note,
        (int)a->is_text);
}

static int add_raw(struct reg *r, int64_t message, const struct aduan_message *m, const void *raw,
                   size_t raw_len) {
    if (raw_len > 0)
        return sql_run(r, "INSERT INTO raw (message, bytes) VALUES (?, ?)", "ib", message, raw, raw_len);
    if (m->raw_sha256 != NULL && m->raw_sha256[0] != '\0')
        return sql_run(r, "INSERT INTO raw (message, sha256) VALUES (?, ?)", "it", message, m->raw_sha256);
    return 0;
}

static int insert_message(struct reg *r, const struct aduan_message *m, const char *person, int64_t ticket,
                          int64_t talk, bool out) {
    char *refs = join_lines(m->references, m->reference_count);
    int64_t at = m->sent_at > 0 ? m->sent_at : m->received_at;
    int rc = sql_run(
        r,
        "INSERT INTO message (key, ticket, conversation, out, account, kind, platform_id, mail_id, person, "
        "subject, text, quoted, note, language, reply_to, refs, is_public, flags, at, received_at, status) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
        "tiidttttttttttttd"
        "iiit",
        m->id, ticket, talk, (int)out, m->account, aduan_kind_name(m->kind), m->platform_id, m->message_id,
        person, m->subject, m->text, m->quoted, m->note, m->language, m->reply_to, refs, (int)m->is_public,
        (int64_t)m->flags, at, m->received_at, out ? "sent" : "");

    free(refs);
    return rc;
}

int reg_message_add(struct reg *r, const struct aduan_message *m, const char *person, int64_t ticket,
                    int64_t talk, bool out, const void *raw, size_t raw_len, int64_t *ret_id) {
    int rc = insert_message(r, m, person, ticket, talk, out);
    size_t i;

    if (rc < 0)
        return rc;
    if (sqlite3_changes(r->db) == 0)
        return REG_SEEN;
    *ret_id = sqlite3_last_insert_rowid(r->db);
    for (i = 0; rc == 0 && i < m->attachment_count; i++)
        rc = reg_attachment_add(r, *ret_id, (int)i, &m->attachments[i]);
    return rc < 0 ? rc : add_raw(r, *ret_id, m, raw, raw_len);
}

int reg_message_seen(struct reg *r, const char *key) {
    int64_t one;
    int rc = sql_int(r, &one, "SELECT 1 FROM message WHERE key = ?", "t", key);

    return rc == 0 ? REG_SEEN : rc;
}

int reg_message_by_key(struct reg *r, const char *key, struct reg_message *ret) {
    return message_one(r, sql_open(r, "SELECT " MESSAGE_COLUMNS " FROM message m WHERE m.key = ?", "t", key),
                       ret);
}

int reg_message_get(struct reg *r, int64_t id, struct reg_message *ret) {
    return message_one(r, sql_open(r, "SELECT " MESSAGE_COLUMNS " FROM message m WHERE m.id = ?", "i", id),
                       ret);
}

int reg_message_by_platform(struct reg *r, const char *account, const char *platform_id,
                            struct reg_message *ret) {
    if (platform_id == NULL || platform_id[0] == '\0')
        return REG_NOTHING;
    return message_one(r,
                       sql_open(r,
                                "SELECT " MESSAGE_COLUMNS
                                " FROM message m WHERE m.platform_id = ?1 AND m.platform_id "
                                "<> '' AND m.account = ?2 ORDER BY m.id LIMIT 1",
                                "tt", platform_id, account),
                       ret);
}

int reg_message_by_mail_id(struct reg *r, const char *mail_id, struct reg_message *ret) {
    if (mail_id == NULL || mail_id[0] == '\0')
        return REG_NOTHING;
    return message_one(r,
                       sql_open(r,
                                "SELECT " MESSAGE_COLUMNS
                                " FROM message m WHERE m.mail_id = ?1 AND m.mail_id <> '' "
                                "ORDER BY m.ticket DESC, m.id LIMIT 1",
                                "t", mail_id),
                       ret);
}

int reg_message_first(struct reg *r, int64_t ticket, struct reg_message *ret) {
    return message_one(r,
                       sql_open(r,
                                "SELECT " MESSAGE_COLUMNS " FROM message m WHERE m.ticket = ? AND m.out = 0 "
                                "ORDER BY m.id LIMIT 1",
                                "i", ticket),
                       ret);
}

int reg_message_last_in(struct reg *r, int64_t ticket, struct reg_message *ret) {
    return message_one(r,
                       sql_open(r,
                                "SELECT " MESSAGE_COLUMNS " FROM message m WHERE m.ticket = ?1 AND m.out = 0 "
                                "AND m.flags & ?2 = 0 ORDER BY m.id DESC LIMIT 1",
                                "id", ticket, (int)REG_MESSAGE_COPY),
                       ret);
}

/* In public everybody writes into the same conversation: there only the name tells who it was. And what was
 * deleted there cannot be answered, while a private conversation goes on. */
int reg_message_last_of(struct reg *r, const struct reg_case *c, bool is_public, struct reg_message *ret) {
    return message_one(r,
                       sql_open(r,
                                "SELECT " MESSAGE_COLUMNS
                                " FROM message m WHERE m.ticket = ?1 AND m.out = 0 AND m.is_public = ?4 "
                                "AND (m.is_public = 0 OR m.purged_at = 0) AND ((m.person = ?2 AND ?2 <> '') OR "
                                "(m.conversation = ?3 AND (?4 = 0 OR ?2 = ''))) "
                                "ORDER BY m.id DESC LIMIT 1",
                                "itid", c->id, c->participant, c->talk, (int)is_public),
                       ret);
}

int reg_message_answered(struct reg *r, int64_t ticket, bool is_public, const char *reply_to,
                         int64_t *ret_count) {
    return sql_int(
        r, ret_count,
        "SELECT count(*) FROM message WHERE ticket = ? AND out = 1 AND is_public = ? AND reply_to = ? "
        "AND status <> 'failed'",
        "idt", ticket, (int)is_public, reply_to);
}

int reg_message_text(struct reg *r, int64_t id, const char *text) {
    return sql_run(r, "UPDATE message SET text = ? WHERE id = ?", "ti", text, id);
}

int reg_message_edit(struct reg *r, int64_t id, const char *text, int64_t at) {
    int rc = sql_run(r, "INSERT INTO version (message, at, text) SELECT id, ?, text FROM message WHERE id = ?",
                     "ii", at, id);

    return rc < 0 ? rc : sql_run(r, "UPDATE message SET text = ? WHERE id = ?", "ti", text, id);
}

int reg_message_end(struct reg *r, int64_t id, enum answer_status status, const char *platform_id,
                    const char *reason) {
    return sql_run(r,
                   "UPDATE message SET status = ?1, reason = ?3, platform_id = CASE WHEN ?2 <> '' THEN ?2 ELSE "
                   "platform_id END WHERE id = ?4",
                   "ttti", answer_status_name(status), platform_id, reason, id);
}

static int messages_each(struct reg *r, sqlite3_stmt *s, int (*each)(void *arg, const struct reg_message *m),
                         void *arg) {
    struct reg_message m;
    int rc;

    while ((rc = sql_row(r, s)) == 1) {
        message_row(s, &m);
        rc = each(arg, &m);
        reg_message_clear(&m);
        if (rc != 0)
            break;
    }
    sql_close(s);
    return rc;
}

int reg_messages(struct reg *r, int64_t ticket, int (*each)(void *arg, const struct reg_message *m),
                 void *arg) {
    return messages_each(
        r,
        sql_open(r,
                 "SELECT " MESSAGE_COLUMNS " FROM message m WHERE m.ticket = ? ORDER BY CASE WHEN m.out = 1 OR "
                 "m.received_at = 0 OR m.at BETWEEN m.received_at - 86400000 AND m.received_at "
                 "THEN m.at ELSE m.received_at END, m.id",
                 "i", ticket),
        each, arg);
}

int reg_messages_by_mail_id(struct reg *r, const char *mail_id,
                            int (*each)(void *arg, const struct reg_message *m), void *arg) {
    return messages_each(r,
                         sql_open(r,
                                  "SELECT " MESSAGE_COLUMNS
                                  " FROM message m WHERE m.mail_id = ?1 AND m.mail_id <> '' AND m.out = 0 "
                                  "ORDER BY m.id",
                                  "t", mail_id),
                         each, arg);
}

int reg_messages_by_writer(struct reg *r, const char *person, int64_t at,
                           int (*each)(void *arg, const struct reg_message *m), void *arg) {
    return messages_each(r,
                         sql_open(r,
                                  "SELECT " MESSAGE_COLUMNS
                                  " FROM message m WHERE m.mail_id = '' AND m.out = 0 AND substr(m.person, 1, "
                                  "2) = 'a:' AND m.person = ?1 AND m.at = ?2 ORDER BY m.id",
                                  "ti", person, at),
                         each, arg);
}

int reg_attachments(struct reg *r, int64_t message, int (*each)(void *arg, const struct reg_attachment *a),
                    void *arg) {
    sqlite3_stmt *s =
        sql_open(r,
                 "SELECT id, idx, name, type, sha256, state, note, size FROM attachment WHERE message = ? "
                 "ORDER BY idx",
                 "i", message);
    int rc;

    while ((rc = sql_row(r, s)) == 1) {
        struct reg_attachment a = { .id = sqlite3_column_int64(s, 0),
                                    .index = sqlite3_column_int(s, 1),
                                    .name = sql_string(s, 2),
                                    .type = sql_string(s, 3),
                                    .sha256 = sql_string(s, 4),
                                    .state = sql_string(s, 5),
                                    .note = sql_string(s, 6),
                                    .size = sqlite3_column_int64(s, 7) };

        rc = each(arg, &a);
        free(a.name);
        free(a.type);
        free(a.sha256);
        free(a.state);
        free(a.note);
        if (rc != 0)
            break;
    }
    sql_close(s);
    return rc;
}

int reg_attachment_text(struct reg *r, int64_t message, int index, char ret_sha256[65]) {
    sqlite3_stmt *s =
        sql_open(r,
                 "SELECT a.sha256 FROM attachment a JOIN message m ON m.id = a.message WHERE "
                 "a.message = ? AND a.idx = ? AND a.is_text = 1 AND a.state = 'stored' AND m.text = "
                 "'' AND m.purged_at = 0",
                 "id", message, index);
    int rc = sql_row(r, s);

    if (rc == 1)
        snprintf(ret_sha256, 65, "%s", (const char *)sqlite3_column_text(s, 0));
    sql_close(s);
    return rc == 1 ? 0 : rc == 0 ? REG_NOTHING : rc;
}

/* Only a pending one moves: repeats and what the citizen unsent meanwhile change nothing. */
int reg_attachment_end(struct reg *r, const char *key, int index, const char *state, const char *sha256,
                       int64_t size, const char *type, const char *note, int64_t *ret_message) {
    int rc = sql_int(r, ret_message,
                     "SELECT m.id FROM message m JOIN attachment a ON a.message = m.id WHERE m.key = ? AND "
                     "a.idx = ?",
                     "td", key, index);

    if (rc != 0)
        return rc;
    rc = sql_run(
        r,
        "UPDATE attachment SET state = ?1, sha256 = ?2, size = CASE WHEN ?3 >= 0 THEN ?3 ELSE size END, "
        "type = CASE WHEN ?4 <> '' THEN ?4 ELSE type END, note = ?5 WHERE message = ?6 AND idx = ?7 AND "
        "state = 'pending'",
        "ttittid", state, sha256, size, type, note, *ret_message, index);
    if (rc < 0)
        return rc;
    return sqlite3_changes(r->db) > 0 ? 0 : REG_SEEN;
}

int reg_raw(struct reg *r, const char *key, unsigned char **ret, size_t *ret_len, char ret_sha256[65]) {
    sqlite3_stmt *s = sql_open(
        r, "SELECT w.bytes, w.sha256 FROM message m JOIN raw w ON w.message = m.id WHERE m.key = ?", "t", key);
    int rc = sql_row(r, s);

    *ret = NULL;
    *ret_len = 0;
    ret_sha256[0] = '\0';
    if (rc == 1) {
        *ret_len = (size_t)sqlite3_column_bytes(s, 0);
        *ret = xcalloc(1, *ret_len + 1);
        if (*ret_len > 0)
            memcpy(*ret, sqlite3_column_blob(s, 0), *ret_len);
        snprintf(ret_sha256, 65, "%s", (const char *)sqlite3_column_text(s, 1));
    }
    sql_close(s);
    return rc == 1 ? 0 : rc == 0 ? REG_NOTHING : rc;
}
