/* command_case.c: what officers do to a case. */
#include "desk/ask.h"
#include "kit/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ATTACHMENTS_MAX = 10 };

/* ------------------------------------------------------------------- reply */

/* A public answer never carries case facts: only the office's neutral invitation may stand there. */
static bool neutral(const struct ask *a, const char *text) {
    static const char *const languages[] = { "id", "en" };
    char why[160];
    bool same = false;
    size_t i;

    for (i = 0; i < 2 && !same; i++) {
        struct text out = TEXT_INIT;

        if (template_render(a->room->templates, languages[i], "R-14", NULL, 0, &out, why, sizeof(why)) == 0)
            same = strcmp(out.s, text) == 0;
        text_free(&out);
    }
    return same;
}

static int check_text(struct ask *a, const struct reg_case *c, const struct desk_account *d, const char *text) {
    int64_t length = (int64_t)(d->text_max_is_bytes ? strlen(text) : text_characters(text));

    if (text[strspn(text, " \t\r\n")] == '\0')
        return ask_refuse(a, "the answer is empty");
    if (d->text_max > 0 && length > d->text_max)
        return ask_refuse(a, "the answer is too long for %s: %lld %s, at most %lld", c->channel,
                          (long long)length, d->text_max_is_bytes ? "bytes" : "characters",
                          (long long)d->text_max);
    if (c->is_public && !neutral(a, text))
        return ask_refuse(a,
                          "%s is public: a public answer carries nothing of the case, only the invitation R-14",
                          c->number);
    return 0;
}

static int check_case(struct ask *a, const struct reg_case *c, const struct desk_account *d) {
    if (d == NULL)
        return ask_refuse(a, "account \"%s\" of %s is no longer configured", c->account, c->number);
    if (!d->can_send)
        return ask_refuse(a, "%s (%s) cannot send answers", c->account, c->channel);
    if (!case_state_open(c->state))
        return ask_refuse(a, "%s is %s: reopen it first", c->number, case_state_name(c->state));
    return 0;
}

/* Takes the next attachment's bytes off the command's raw bytes and stores them. */
static int take_attachment(struct ask *a, const struct desk_account *d, const json_t *j, size_t *at,
                           struct aduan_attachment *ret) {
    const char *name = json_string_value(json_object_get(j, "name"));
    const char *type = json_string_value(json_object_get(j, "type"));
    json_int_t size = json_integer_value(json_object_get(j, "size"));
    char sha256[65];
    int rc;

    if (name == NULL || size <= 0 || (size_t)size > a->e->raw_len - *at)
        return ask_refuse(a, "attachment: name and size do not fit the bytes");
    if (d->attachment_max > 0 && size > d->attachment_max)
        return ask_refuse(a, "attachment \"%.100s\" is too large: %lld bytes, at most %lld", name,
                          (long long)size, (long long)d->attachment_max);
    rc = blob_put(a->room->o->blobs, (const char *)a->e->raw + *at, (size_t)size, sha256);
    if (rc < 0)
        return ask_refuse(a, "attachment \"%.100s\" could not be stored: %s", name, strerror(-rc));
    *at += (size_t)size;
    ret->name = text_clean_filename(name, strlen(name));
    ret->type = xstrdup(type != NULL ? type : "application/octet-stream");
    ret->size = size;
    ret->sha256 = xstrdup(sha256);
    ret->state = ADUAN_ATTACHMENT_STORED;
    return 0;
}

static int take_attachments(struct ask *a, const struct reg_case *c, const struct desk_account *d,
                            struct aduan_attachment *list, size_t *ret_count) {
    const json_t *j = json_object_get(a->json, "attachments");
    size_t i, at = 0, count = json_array_size(j);
    int rc = 0;

    if (count > 0 && !d->can_attach)
        return ask_refuse(a, "%s (%s) cannot send attachments", c->account, c->channel);
    if (count > ATTACHMENTS_MAX)
        return ask_refuse(a, "at most %d attachments", ATTACHMENTS_MAX);
    if (count > 0 && c->is_public)
        return ask_refuse(a, "%s is public: no attachments", c->number);
    for (i = 0; rc == 0 && i < count; i++) {
        rc = take_attachment(a, d, json_array_get(j, i), &at, &list[i]);
        *ret_count = i + (rc == 0);
    }
    if (rc == 0 && at != a->e->raw_len)
        rc = ask_refuse(a, "attachments: %zu bytes came, %zu were named", a->e->raw_len, at);
    return rc;
}

static int write_reply(struct ask *a, struct reg_case *c, const char *text, struct aduan_attachment *list,
                       size_t count) {
    struct outgoing what = { .kind = ADUAN_ANSWER_REPLY,
                             .text = text,
                             .language = c->language,
                             .actor = a->actor,
                             .attachments = list,
                             .attachment_count = count };
    bool held = false;
    char id[64];
    int rc = outgoing_answer(a->room, c, &what, id, &held);

    if (rc < 0)
        return rc;
    c->state = CASE_ANSWERED;
    c->answered_at = a->room->now;
    c->updated_at = a->room->now;
    rc = reg_case_save(a->room->reg, c);
    if (rc == 0)
        rc = room_history(a->room, c->id, a->actor, "replied", "%s%s", id,
                          held ? "; held until the citizen writes" : "");
    ask_say(a, "answer", id);
    ask_say(a, "status", held ? "held" : "queued");
    if (held)
        ask_say(a, "note", "the reply window is closed: the answer goes out when the citizen writes");
    return rc;
}

int verb_reply(struct ask *a) {
    struct aduan_attachment list[ATTACHMENTS_MAX] = { { NULL } };
    const char *given = ask_text(a, "text");
    char *text = text_clean(given, strlen(given));
    const struct desk_account *d;
    struct reg_case c = { 0 };
    size_t i, count = 0;
    int rc = ask_case(a, &c);

    if (rc == 0) {
        d = room_account(a->room, c.account);
        rc = check_case(a, &c, d);
        if (rc == 0)
            rc = check_text(a, &c, d, text);
        if (rc == 0)
            rc = take_attachments(a, &c, d, list, &count);
        if (rc == 0)
            rc = write_reply(a, &c, text, list, count);
        reg_case_clear(&c);
    }
    for (i = 0; i < count; i++) {
        free(list[i].name);
        free(list[i].type);
        free(list[i].sha256);
    }
    free(text);
    return rc;
}

/* ------------------------------------------------------------ the other verbs */

int verb_note(struct ask *a) {
    const char *given = ask_text(a, "text");
    struct reg_case c = { 0 };
    char *text;
    int rc = ask_case(a, &c);

    if (rc != 0)
        return rc;
    text = text_clean(given, strlen(given));
    rc = text[0] == '\0' ? ask_refuse(a, "the note is empty")
                         : room_history(a->room, c.id, a->actor, "note", "%s", text);
    free(text);
    reg_case_clear(&c);
    return rc;
}

static int move_case(struct ask *a, struct reg_case *c, enum case_state to, const char *event) {
    const char *given = ask_text(a, "reason");
    char *reason = text_clean(given, strlen(given));
    int rc;

    c->state = to;
    c->closed_at = to == CASE_CLOSED ? a->room->now : 0;
    c->updated_at = a->room->now;
    rc = reg_case_save(a->room->reg, c);
    if (rc == 0)
        rc = room_history(a->room, c->id, a->actor, event, "%s", reason);
    ask_say(a, "state", case_state_name(to));
    free(reason);
    return rc;
}

int verb_close(struct ask *a) {
    struct reg_case c = { 0 };
    int rc = ask_case(a, &c);

    if (rc != 0)
        return rc;
    if (!case_state_open(c.state))
        rc = ask_refuse(a, "%s is %s already", c.number, case_state_name(c.state));
    else
        rc = move_case(a, &c, CASE_CLOSED, "closed");
    reg_case_clear(&c);
    return rc;
}

int verb_reopen(struct ask *a) {
    struct reg_case c = { 0 };
    int rc = ask_case(a, &c);

    if (rc != 0)
        return rc;
    if (c.state == CASE_CLOSED || c.state == CASE_REFUSED || c.state == CASE_ANSWERED)
        rc = move_case(a, &c, CASE_IN_PROGRESS, "reopened");
    else
        rc = ask_refuse(a, "%s is %s: there is nothing to reopen", c.number, case_state_name(c.state));
    reg_case_clear(&c);
    return rc;
}

int verb_assign(struct ask *a) {
    const char *officer = ask_text(a, "officer");
    struct reg_user u = { NULL };
    struct reg_case c = { 0 };
    int rc = 0;

    if (officer[0] != '\0')
        rc = reg_user_get(a->room->reg, officer, &u);
    if (rc == REG_NOTHING || u.disabled)
        rc = ask_refuse(a, "no active user \"%.60s\"", officer);
    reg_user_clear(&u);
    if (rc == 0)
        rc = ask_case(a, &c);
    if (rc != 0)
        return rc;
    free(c.officer);
    c.officer = xstrdup(officer);
    if (c.state == CASE_NEW && officer[0] != '\0')
        c.state = CASE_IN_PROGRESS;
    c.updated_at = a->room->now;
    rc = reg_case_save(a->room->reg, &c);
    if (rc == 0)
        rc = room_history(a->room, c.id, a->actor, "assigned", "%s", officer);
    ask_say(a, "officer", officer);
    reg_case_clear(&c);
    return rc;
}

/* One field an officer may correct; the correction is history. */
static int correct(struct ask *a, const struct reg_case *c, const char *key, char **field) {
    const json_t *j = json_object_get(a->json, key);
    char *value;
    int rc;

    if (!json_is_string(j))
        return 0;
    value = text_clean_line(json_string_value(j), json_string_length(j), 400);
    if (strcmp(value, *field) == 0) {
        free(value);
        return 0;
    }
    rc = room_history(a->room, c->id, a->actor, "corrected", "%s: \"%s\" -> \"%s\"", key, *field, value);
    free(*field);
    *field = value;
    return rc;
}

int verb_classify(struct ask *a) {
    struct reg_case c = { 0 };
    size_t i;
    int rc = ask_case(a, &c);
    const struct {
        const char *key;
        char **field;
    } fields[] = {
        { "class", &c.class_ },
        { "category", &c.category },
        { "section", &c.section },
        { "urgency", &c.urgency },
        { "confidentiality", &c.confidentiality },
        { "name", &c.name },
        { "address", &c.address },
        { "phone", &c.phone },
    };

    if (rc != 0)
        return rc;
    for (i = 0; rc == 0 && i < sizeof(fields) / sizeof(fields[0]); i++)
        rc = correct(a, &c, fields[i].key, fields[i].field);
    c.updated_at = a->room->now;
    if (rc == 0)
        rc = reg_case_save(a->room->reg, &c);
    reg_case_clear(&c);
    return rc;
}
