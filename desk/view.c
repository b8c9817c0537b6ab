/* view.c: cases, lists and people as JSON. */
#include "desk/view.h"

#include "kit/text.h"

#include <stdlib.h>
#include <string.h>

struct view {
    struct reg *r;
    int64_t now;
    int offset;
    json_t *into; /* array being filled */
};

static json_t *time_json(const struct view *v, int64_t ms) {
    char buf[40];

    if (ms <= 0)
        return json_null();
    view_time(ms, v->offset, buf, sizeof(buf));
    return json_string(buf);
}

static json_t *text_or_null(const char *s) {
    return s != NULL && s[0] != '\0' ? json_string(s) : json_null();
}

static bool is_overdue(const struct reg_case *c, int64_t now) {
    int64_t end = c->met_at > 0 ? c->met_at : now;

    if (c->due_at <= 0 || (c->met_at == 0 && (c->state == CASE_REFUSED || c->state == CASE_MERGED)))
        return false;
    return end > c->due_at;
}

/* Everything both shapes share. */
static json_t *case_json(const struct view *v, const struct reg_case *c) {
    json_t *missing = json_loads(c->missing, JSON_ALLOW_NUL, NULL);
    json_t *j = json_object();

    json_object_set_new(j, "number", json_string(c->number));
    json_object_set_new(j, "state", json_string(case_state_name(c->state)));
    json_object_set_new(j, "channel", json_string(c->channel));
    json_object_set_new(j, "account", json_string(c->account));
    json_object_set_new(j, "conversation", json_string(c->conversation));
    json_object_set_new(j, "public", json_boolean(c->is_public));
    json_object_set_new(j, "subject", text_or_null(c->subject));
    json_object_set_new(j, "language", text_or_null(c->language));
    json_object_set_new(j, "class", text_or_null(c->class_));
    json_object_set_new(j, "category", text_or_null(c->category));
    json_object_set_new(j, "section", text_or_null(c->section));
    json_object_set_new(j, "confidentiality", text_or_null(c->confidentiality));
    json_object_set_new(j, "urgency", text_or_null(c->urgency));
    json_object_set_new(j, "complete", c->complete < 0 ? json_null() : json_boolean(c->complete));
    json_object_set_new(j, "missing", json_is_array(missing) ? missing : json_array());
    json_object_set_new(j, "name", text_or_null(c->name));
    json_object_set_new(j, "address", text_or_null(c->address));
    json_object_set_new(j, "phone", text_or_null(c->phone));
    json_object_set_new(j, "received_at", time_json(v, c->received_at));
    json_object_set_new(j, "due_at", time_json(v, c->due_at));
    json_object_set_new(j, "overdue", json_boolean(is_overdue(c, v->now)));
    json_object_set_new(j, "answered_at", time_json(v, c->answered_at));
    json_object_set_new(j, "officer", text_or_null(c->officer));
    if (!json_is_array(missing))
        json_decref(missing);
    return j;
}

static int add_attachment(void *arg, const struct reg_attachment *a) {
    json_t *j = json_object();

    json_object_set_new(j, "name", json_string(a->name));
    json_object_set_new(j, "type", json_string(a->type));
    json_object_set_new(j, "size", a->size >= 0 ? json_integer(a->size) : json_null());
    json_object_set_new(j, "sha256", text_or_null(a->sha256));
    json_object_set_new(j, "state", json_string(a->state));
    json_object_set_new(j, "note", text_or_null(a->note));
    return json_array_append_new(arg, j);
}

static const char *answer_kind(const struct reg_message *m) {
    switch (m->answer_kind) {
    case ADUAN_ANSWER_REPLY:
        return "reply";
    case ADUAN_ANSWER_AUTOMATIC:
        return "automatic";
    case ADUAN_ANSWER_TEMPLATE:
        return "template";
    case ADUAN_ANSWER_NOTICE:
        return "notice";
    default:
        return m->kind;
    }
}

/* What a person sees of a message without words of its own. New string. */
static char *shown_text(const struct reg_message *m) {
    const char *why = m->note[0] != '\0' ? m->note : "-";

    if (m->text[0] != '\0' || m->purged_at > 0)
        return xstrdup(m->text);
    if (!m->out && text_equal(m->kind, "unparsed"))
        return xasprintf("[pesan tidak terbaca / message could not be read: %s]", why);
    if (m->out && m->answer_kind == ADUAN_ANSWER_TEMPLATE)
        return xstrdup("[templat: warga diminta menulis lagi / template: the citizen is asked to write]");
    return xstrdup("");
}

static int add_message(void *arg, const struct reg_message *m) {
    struct view *v = arg;
    json_t *attachments = json_array();
    json_t *j = json_object();
    char *text = shown_text(m);

    json_object_set_new(j, "direction", json_string(m->out ? "out" : "in"));
    json_object_set_new(j, "id", json_string(m->key));
    json_object_set_new(j, "kind", json_string(m->out ? answer_kind(m) : m->kind));
    json_object_set_new(j, "text", json_string(text));
    json_object_set_new(j, "quoted", text_or_null(m->quoted));
    json_object_set_new(j, "subject", text_or_null(m->subject));
    json_object_set_new(j, "at", time_json(v, m->at));
    json_object_set_new(j, "status",
                        m->out ? json_string(answer_status_name(m->status))
                               : json_string(m->purged_at > 0 ? "deleted" : "received"));
    json_object_set_new(j, "reason", text_or_null(m->reason));
    json_object_set_new(j, "note", text_or_null(m->note));
    json_object_set_new(j, "platform_id", text_or_null(m->platform_id));
    json_object_set_new(j, "public", json_boolean(m->is_public));
    json_object_set_new(j, "by", text_or_null(m->person));
    json_object_set_new(j, "attachments", attachments);
    json_array_append_new(v->into, j);
    free(text);
    return reg_attachments(v->r, m->id, add_attachment, attachments);
}

static int add_history(void *arg, const struct reg_history *h) {
    struct view *v = arg;
    json_t *j = json_object();

    json_object_set_new(j, "at", time_json(v, h->at));
    json_object_set_new(j, "actor", json_string(h->actor));
    json_object_set_new(j, "event", json_string(h->event));
    json_object_set_new(j, "detail", json_string(h->detail));
    return json_array_append_new(v->into, j);
}

json_t *view_case(struct reg *r, const char *number, int64_t now, int offset_minutes, int *ret_rc) {
    struct view v = { .r = r, .now = now, .offset = offset_minutes };
    struct reg_case c;
    json_t *j;

    *ret_rc = reg_case_by_number(r, number, &c);
    if (*ret_rc != 0)
        return NULL;
    j = case_json(&v, &c);
    v.into = json_array();
    json_object_set_new(j, "messages", v.into);
    *ret_rc = reg_messages(r, c.id, add_message, &v);
    v.into = json_array();
    json_object_set_new(j, "history", v.into);
    if (*ret_rc == 0)
        *ret_rc = reg_history(r, c.id, add_history, &v);
    reg_case_clear(&c);
    if (*ret_rc == 0)
        return j;
    json_decref(j);
    return NULL;
}

static int add_case(void *arg, const struct reg_case *c) {
    struct view *v = arg;

    return json_array_append_new(v->into, case_json(v, c));
}

json_t *view_cases(struct reg *r, const struct reg_filter *filter, int64_t now, int offset_minutes,
                   int *ret_rc) {
    struct view v = { .r = r, .now = now, .offset = offset_minutes, .into = json_array() };
    struct reg_filter f = *filter;

    f.now = now;
    *ret_rc = reg_cases(r, &f, add_case, &v);
    if (*ret_rc == 0)
        return v.into;
    json_decref(v.into);
    return NULL;
}

static int add_count(void *arg, const char *state, int64_t count) {
    return json_object_set_new(arg, state, json_integer(count));
}

static int count_one(void *arg, const struct reg_case *c) {
    (void)c;
    ++*(int64_t *)arg;
    return 0;
}

json_t *view_summary(struct reg *r, int64_t now, int *ret_rc) {
    struct reg_filter overdue = { .overdue = true, .now = now, .limit = 100000 };
    int64_t late = 0, ready = 0, held = 0, stuck = 0, by_hand = 0;
    json_t *j = json_object(), *out = json_object();

    *ret_rc = reg_case_counts(r, add_count, j);
    if (*ret_rc == 0)
        *ret_rc = reg_cases(r, &overdue, count_one, &late);
    if (*ret_rc == 0)
        *ret_rc = reg_out_counts(r, &ready, &held, &stuck);
    if (*ret_rc == 0)
        *ret_rc = reg_out_by_hand(r, &by_hand);
    json_object_set_new(j, "overdue", json_integer(late));
    json_object_set_new(out, "ready", json_integer(ready));
    json_object_set_new(out, "held", json_integer(held));
    json_object_set_new(out, "stuck", json_integer(stuck));
    json_object_set_new(out, "by_hand", json_integer(by_hand));
    json_object_set_new(j, "outbox", out);
    return j;
}

static int add_user(void *arg, const struct reg_user *u) {
    json_t *j = json_object();

    json_object_set_new(j, "name", json_string(u->name));
    json_object_set_new(j, "role", json_string(u->role));
    json_object_set_new(j, "full", text_or_null(u->full));
    json_object_set_new(j, "section", text_or_null(u->section));
    json_object_set_new(j, "email", text_or_null(u->email));
    json_object_set_new(j, "disabled", json_boolean(u->disabled));
    return json_array_append_new(arg, j);
}

json_t *view_users(struct reg *r, int *ret_rc) {
    json_t *j = json_array();

    *ret_rc = reg_users(r, add_user, j);
    if (*ret_rc == 0)
        return j;
    json_decref(j);
    return NULL;
}
