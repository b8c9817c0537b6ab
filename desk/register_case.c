/* register_case.c: cases, their numbers without gaps, and lists of them. */
#include "desk/register_sql.h"

#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASE_COLUMNS                                                                                           \
    "t.id, t.number, t.state, t.account, t.channel, t.conversation, c.key, t.is_public, t.participant, "       \
    "t.subject, "                                                                                              \
    "t.language, t.class, t.category, t.section, t.confidentiality, t.urgency, t.complete, t.missing, "        \
    "t.name, "                                                                                                 \
    "t.address, t.phone, t.officer, t.received_at, t.due_at, t.answered_at, t.met_at, t.closed_at, "           \
    "t.updated_at, "                                                                                           \
    "t.follows, t.merged_into, t.acknowledged, t.public_conversation"
#define CASE_FROM " FROM ticket t JOIN conversation c ON c.id = t.conversation "

void reg_case_clear(struct reg_case *c) {
    char **all[] = { &c->number,          &c->account,  &c->channel, &c->conversation, &c->participant,
                     &c->subject,         &c->language, &c->class_,  &c->category,     &c->section,
                     &c->confidentiality, &c->urgency,  &c->missing, &c->name,         &c->address,
                     &c->phone,           &c->officer };
    size_t i;

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        free(*all[i]);
    memset(c, 0, sizeof(*c));
}

static void case_row(sqlite3_stmt *s, struct reg_case *c) {
    int i = 0;

    memset(c, 0, sizeof(*c));
    c->id = sqlite3_column_int64(s, i++);
    c->number = sql_string(s, i++);
    case_state_parse((const char *)sqlite3_column_text(s, i++), &c->state);
    c->account = sql_string(s, i++);
    c->channel = sql_string(s, i++);
    c->talk = sqlite3_column_int64(s, i++);
    c->conversation = sql_string(s, i++);
    c->is_public = sqlite3_column_int(s, i++) != 0;
    c->participant = sql_string(s, i++);
    c->subject = sql_string(s, i++);
    c->language = sql_string(s, i++);
    c->class_ = sql_string(s, i++);
    c->category = sql_string(s, i++);
    c->section = sql_string(s, i++);
    c->confidentiality = sql_string(s, i++);
    c->urgency = sql_string(s, i++);
    c->complete = sqlite3_column_int(s, i++);
    c->missing = sql_string(s, i++);
    c->name = sql_string(s, i++);
    c->address = sql_string(s, i++);
    c->phone = sql_string(s, i++);
    c->officer = sql_string(s, i++);
    c->received_at = sqlite3_column_int64(s, i++);
    c->due_at = sqlite3_column_int64(s, i++);
    c->answered_at = sqlite3_column_int64(s, i++);
    c->met_at = sqlite3_column_int64(s, i++);
    c->closed_at = sqlite3_column_int64(s, i++);
    c->updated_at = sqlite3_column_int64(s, i++);
    c->follows = sqlite3_column_int64(s, i++);
    c->merged_into = sqlite3_column_int64(s, i++);
    c->acknowledged = sqlite3_column_int(s, i++) != 0;
    c->public_talk = sqlite3_column_int64(s, i++);
}

static int case_one(struct reg *r, sqlite3_stmt *s, struct reg_case *ret) {
    int rc = sql_row(r, s);

    if (rc == 1)
        case_row(s, ret);
    sql_close(s);
    return rc == 1 ? 0 : rc == 0 ? REG_NOTHING : rc;
}

/* In the same transaction as the case: a crash takes both back, so no number is ever skipped. */
static int next_number(struct reg *r, const char *code, int year, int64_t *ret_seq) {
    return sql_int(r, ret_seq,
                   "INSERT INTO counter (code, year, last) VALUES (?, ?, 1) "
                   "ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last",
                   "td", code, year);
}

int reg_case_add(struct reg *r, const char *code, int year, struct reg_case *c) {
    int64_t seq = 0;
    int rc = next_number(r, code, year, &seq);

    if (rc < 0)
        return rc;
    free(c->number);
    c->number = xasprintf("%s-%04d-%06lld", code, year, (long long)seq);
    rc = sql_run(
        r,
        "INSERT INTO ticket (number, code, year, seq, state, account, channel, conversation, is_public, "
        "participant, subject, language, complete, missing, received_at, due_at, updated_at, follows) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "ttdittt"
        "idtttdtiiii",
        c->number, code, year, seq, case_state_name(c->state), c->account, c->channel, c->talk,
        (int)c->is_public, c->participant, c->subject, c->language, c->complete,
        c->missing != NULL ? c->missing : "[]", c->received_at, c->due_at, c->updated_at, c->follows);
    c->id = sqlite3_last_insert_rowid(r->db);
    return rc;
}

int reg_case_save(struct reg *r, const struct reg_case *c) {
    return sql_run(
        r,
        "UPDATE ticket SET state = ?, subject = ?, language = ?, class = ?, category = ?, section = ?, "
        "confidentiality = ?, urgency = ?, complete = ?, missing = ?, name = ?, address = ?, phone = ?, "
        "officer = ?, due_at = ?, answered_at = ?, met_at = ?, closed_at = ?, updated_at = ?, follows = ?, "
        "merged_into = ?, acknowledged = ? WHERE id = ?",
        "ttttttttd"
        "tttttiiiiiiidi",
        case_state_name(c->state), c->subject, c->language, c->class_, c->category, c->section,
        c->confidentiality, c->urgency, c->complete, c->missing, c->name, c->address, c->phone, c->officer,
        c->due_at, c->answered_at, c->met_at, c->closed_at, c->updated_at, c->follows, c->merged_into,
        (int)c->acknowledged, c->id);
}

int reg_case_withhold(struct reg *r, int64_t id, const char *json) {
    return sql_run(r, "UPDATE ticket SET withheld = ? WHERE id = ?", "ti", json, id);
}

int reg_case_withheld(struct reg *r, int64_t id, char **ret_json) {
    sqlite3_stmt *s = sql_open(r, "SELECT withheld FROM ticket WHERE id = ?", "i", id);
    int rc = sql_row(r, s);

    *ret_json = rc == 1 ? sql_string(s, 0) : NULL;
    sql_close(s);
    return rc == 1 ? 0 : rc == 0 ? REG_NOTHING : rc;
}

int reg_case_get(struct reg *r, int64_t id, struct reg_case *ret) {
    return case_one(r, sql_open(r, "SELECT " CASE_COLUMNS CASE_FROM "WHERE t.id = ?", "i", id), ret);
}

int reg_case_by_number(struct reg *r, const char *number, struct reg_case *ret) {
    char *upper = xstrdup(number);
    char *p;
    int rc;

    for (p = upper; *p != '\0'; p++)
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
    rc = case_one(r, sql_open(r, "SELECT " CASE_COLUMNS CASE_FROM "WHERE t.number = ?", "t", upper), ret);
    free(upper);
    return rc;
}

int reg_case_open_phone(struct reg *r, const char *phone, const char *said, struct reg_case *ret) {
    return case_one(
        r,
        sql_open(r,
                 "SELECT " CASE_COLUMNS CASE_FROM
                 "WHERE t.state IN ('new', 'incomplete', 'in_progress', 'awaiting_approval', 'escalated', "
                 "'section_answered', 'answered') AND (t.participant = 'p:' || ?1 OR t.phone IN (?1, ?2)) "
                 "ORDER BY t.id DESC LIMIT 1",
                 "tt", phone, said),
        ret);
}

int reg_case_latest_of_talk(struct reg *r, int64_t talk, bool open_only, struct reg_case *ret) {
    int rc =
        case_one(r,
                 sql_open(r,
                          "SELECT " CASE_COLUMNS CASE_FROM "WHERE t.conversation = ?1 AND (?2 = 0 OR t.state "
                          "NOT IN ('closed', 'refused', 'merged')) ORDER BY t.id DESC LIMIT 1",
                          "id", talk, (int)open_only),
                 ret);

    if (rc != REG_NOTHING)
        return rc;
    return case_one(r,
                    sql_open(r,
                             "SELECT " CASE_COLUMNS CASE_FROM
                             "WHERE t.public_conversation = ?1 AND t.public_conversation <> 0 AND (?2 = 0 OR "
                             "t.state NOT IN ('closed', 'refused', 'merged')) ORDER BY t.id DESC LIMIT 1",
                             "id", talk, (int)open_only),
                    ret);
}

int reg_case_open_public(struct reg *r, const char *account, const char *person, struct reg_case *ret) {
    return case_one(
        r,
        sql_open(r,
                 "SELECT " CASE_COLUMNS CASE_FROM
                 "WHERE t.participant = ?1 AND t.is_public = 1 AND t.account = ?2 AND t.state NOT IN "
                 "('closed', 'refused', 'merged') ORDER BY t.id DESC LIMIT 1",
                 "tt", person, account),
        ret);
}

int reg_case_move(struct reg *r, const struct reg_case *c) {
    return sql_run(r, "UPDATE ticket SET conversation = ?, public_conversation = ?, is_public = ? WHERE id = ?",
                   "iidi", c->talk, c->public_talk, (int)c->is_public, c->id);
}

int reg_case_subject(struct reg *r, int64_t id, const char *subject) {
    return sql_run(r, "UPDATE ticket SET subject = ? WHERE id = ? AND subject = ''", "ti", subject, id);
}

/* ------------------------------------------------------------------- lists */

struct query {
    struct text sql;
    const char *values[16];
    int count;
};

static void where(struct query *q, const char *condition, const char *value) {
    if (value == NULL || value[0] == '\0')
        return;
    text_addf(&q->sql, " AND %s", condition);
    q->values[q->count++] = value;
}

/* % and _ in what an officer types are themselves. */
static char *like_pattern(const char *search) {
    struct text t = TEXT_INIT;
    const char *p;

    text_add_char(&t, '%');
    for (p = search; *p != '\0'; p++) {
        if (*p == '%' || *p == '_' || *p == '\\')
            text_add_char(&t, '\\');
        text_add_char(&t, *p);
    }
    text_add_char(&t, '%');
    return text_steal(&t);
}

static void build_list(struct query *q, const struct reg_filter *f, const char *pattern) {
    static const char *const searched[] = { "t.number",         "t.subject",      "t.name",
                                            "t.participant",    "t.phone",        "c.person_name",
                                            "c.person_address", "c.person_phone", "c.person_handle" };
    size_t i;

    text_add(&q->sql, "SELECT " CASE_COLUMNS CASE_FROM "WHERE 1");
    where(q, "t.state = ?", f->state);
    where(q, "t.section = ?", f->section);
    where(q, "t.officer = ?", f->officer);
    where(q, "t.channel = ?", f->channel);
    if (f->open_only)
        text_add(&q->sql, " AND t.state NOT IN ('closed', 'refused', 'merged')");
    if (f->overdue)
        text_addf(&q->sql,
                  " AND t.due_at > 0 AND t.met_at = 0 AND t.due_at < %lld AND t.state NOT IN "
                  "('closed', 'refused', 'merged')",
                  (long long)f->now);
    if (f->before_id > 0)
        text_addf(&q->sql, " AND t.id < %lld", (long long)f->before_id);
    if (pattern != NULL) {
        text_add(
            &q->sql,
            " AND (t.id IN (SELECT m.ticket FROM message m WHERE m.text LIKE ? ESCAPE '\\' OR m.subject LIKE "
            "? ESCAPE '\\')");
        q->values[q->count++] = pattern;
        q->values[q->count++] = pattern;
        for (i = 0; i < sizeof(searched) / sizeof(searched[0]); i++) {
            text_addf(&q->sql, " OR %s LIKE ? ESCAPE '\\'", searched[i]);
            q->values[q->count++] = pattern;
        }
        text_add_char(&q->sql, ')');
    }
    text_addf(&q->sql, " ORDER BY t.id DESC LIMIT %zu", f->limit > 0 ? f->limit : (size_t)1000);
}

int reg_cases(struct reg *r, const struct reg_filter *f, int (*each)(void *arg, const struct reg_case *c),
              void *arg) {
    char *pattern = f->search != NULL && f->search[0] != '\0' ? like_pattern(f->search) : NULL;
    struct query q = { .sql = TEXT_INIT };
    struct reg_case c;
    sqlite3_stmt *s = NULL;
    int i, rc = 0;

    build_list(&q, f, pattern);
    if (sqlite3_prepare_v2(r->db, q.sql.s, -1, &s, NULL) != SQLITE_OK)
        rc = reg_fault(r, "list");
    for (i = 0; rc == 0 && i < q.count; i++)
        sqlite3_bind_text(s, i + 1, q.values[i], -1, SQLITE_STATIC);
    while (rc == 0 && (rc = sql_row(r, s)) == 1) {
        case_row(s, &c);
        rc = each(arg, &c);
        reg_case_clear(&c);
    }
    sqlite3_finalize(s);
    text_free(&q.sql);
    free(pattern);
    return rc;
}

int reg_case_counts(struct reg *r, int (*each)(void *arg, const char *state, int64_t count), void *arg) {
    sqlite3_stmt *s = sql_open(r, "SELECT state, count(*) FROM ticket GROUP BY state", "");
    int rc;

    while ((rc = sql_row(r, s)) == 1 &&
           (rc = each(arg, (const char *)sqlite3_column_text(s, 0), sqlite3_column_int64(s, 1))) == 0)
        ;
    sql_close(s);
    return rc;
}
