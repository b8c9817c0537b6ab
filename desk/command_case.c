/* command_case.c: what officers do to a case, beside answering it (command_reply.c). */
#include "desk/ask.h"
#include "kit/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
