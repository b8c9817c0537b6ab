/*
 * command.c: who may ask what, and one answer to each request.
 *
 * The answer is kept under the request's id in the same transaction as what it
 * changed, so a request that comes twice is carried out once.
 */
#include "desk/command.h"

#include "desk/ask.h"
#include "kit/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OFFICER = 1, SUPERIOR = 2, SECTION = 4, ADMIN = 8, AUDITOR = 16 };

static const struct {
    const char *name;
    int bit;
} roles[] = {
    { "officer", OFFICER }, { "superior", SUPERIOR }, { "section", SECTION },
    { "admin", ADMIN },     { "auditor", AUDITOR },
};

static const struct {
    const char *name;
    int (*run)(struct ask *a);
    int roles;
} verbs[] = {
    { "reply", verb_reply, OFFICER | SUPERIOR | ADMIN },
    { "note", verb_note, OFFICER | SUPERIOR | SECTION | ADMIN },
    { "close", verb_close, OFFICER | SUPERIOR | ADMIN },
    { "reopen", verb_reopen, OFFICER | SUPERIOR | ADMIN },
    { "assign", verb_assign, OFFICER | SUPERIOR | ADMIN },
    { "classify", verb_classify, OFFICER | SUPERIOR | ADMIN },
    { "user-add", verb_user_add, ADMIN },
    { "user-passwd", verb_user_passwd, ADMIN },
    { "user-disable", verb_user_disable, ADMIN },
    { "user-enable", verb_user_enable, ADMIN },
    { "dead-retry", verb_dead_retry, OFFICER | SUPERIOR | ADMIN },
    { "dead-drop", verb_dead_drop, OFFICER | SUPERIOR | ADMIN },
    { "replay", verb_replay, ADMIN },
    { "ping", verb_ping, OFFICER | SUPERIOR | SECTION | ADMIN | AUDITOR },
};

int ask_refuse(struct ask *a, const char *fmt, ...) {
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(a->error, sizeof(a->error), fmt, ap);
    va_end(ap);
    a->error[text_cut(a->error, sizeof(a->error) - 1)] = '\0';
    return ASK_REFUSED;
}

const char *ask_text(const struct ask *a, const char *key) {
    const char *s = json_string_value(json_object_get(a->json, key));

    return s != NULL ? s : "";
}

void ask_say(struct ask *a, const char *key, const char *value) {
    json_object_set_new(a->answer, key, json_string(value));
}

int ask_case(struct ask *a, struct reg_case *ret) {
    const char *number = ask_text(a, "number");
    int rc = reg_case_by_number(a->room->reg, number, ret);

    if (rc == REG_NOTHING)
        return ask_refuse(a, "no case with the number \"%s\"", number);
    if (rc == 0)
        ask_say(a, "number", ret->number);
    return rc;
}

/* Who acts? Without "as" the program's user does, recorded as what it is. */
static int take_actor(struct ask *a, int allowed) {
    const char *as = ask_text(a, "as"), *actor = ask_text(a, "actor");
    struct reg_user u = { NULL };
    size_t i;
    int rc;

    if (as[0] == '\0') {
        snprintf(a->actor, sizeof(a->actor), "sistem:%.80s", actor[0] != '\0' ? actor : "?");
        a->actor[text_cut(a->actor, sizeof(a->actor) - 1)] = '\0';
        return 0;
    }
    rc = reg_user_get(a->room->reg, as, &u);
    if (rc == REG_NOTHING)
        return ask_refuse(a, "no user \"%.60s\"", as);
    if (rc < 0)
        return rc;
    snprintf(a->actor, sizeof(a->actor), "%.90s", u.name);
    rc = u.disabled ? ask_refuse(a, "user \"%s\" is disabled", u.name) : 0;
    for (i = 0; rc == 0 && i < sizeof(roles) / sizeof(roles[0]); i++)
        if (strcmp(roles[i].name, u.role) == 0 && (roles[i].bit & allowed) == 0)
            rc = ask_refuse(a, "a user with the role \"%s\" may not do this", u.role);
    reg_user_clear(&u);
    return rc;
}

static int run_verb(struct ask *a) {
    const char *verb = ask_text(a, "verb");
    size_t i;
    int rc;

    for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].name, verb) != 0)
            continue;
        rc = take_actor(a, verbs[i].roles);
        return rc != 0 ? rc : verbs[i].run(a);
    }
    return ask_refuse(a, "unknown verb \"%.40s\"", verb);
}

static char *answer_text(struct ask *a, int rc) {
    json_t *out = rc == 0 ? json_object() : NULL;
    char *text;

    if (rc == 0) {
        json_object_set_new(out, "ok", json_true());
        json_object_update(out, a->answer);
    } else {
        out = json_pack("{s:b, s:s}", "ok", 0, "error", a->error);
        if (out == NULL)
            out = json_pack("{s:b, s:s}", "ok", 0, "error", "refused");
    }
    text = json_dumps(out, JSON_COMPACT);
    json_decref(out);
    return text;
}

/* Whoever asked was told that nothing was done: doing it now would do it twice when they asked again. */
static bool has_lapsed(const struct ask *a) {
    const json_t *valid = json_object_get(a->json, "valid_ms");
    int64_t now = a->room->host->now(a->room->host->arg);

    return json_is_integer(valid) && a->e->added_ms > 0 && now - a->e->added_ms > json_integer_value(valid);
}

/* Inside a savepoint: a refusal in the middle of a verb takes back what it had changed. */
static int run_guarded(struct ask *a) {
    int rc = reg_mark(a->room->reg), done;

    if (rc < 0)
        return rc;
    if (has_lapsed(a))
        rc = ask_refuse(a, "the command came too late to the desk: nothing was done");
    else
        rc = json_is_object(a->json) ? run_verb(a) : ask_refuse(a, "the command is no JSON object");
    if (rc < 0 && rc != -EINVAL)
        return rc;
    if (rc == -EINVAL)
        rc = ask_refuse(a, "cannot be stored: %.300s", reg_error(a->room->reg));
    done = rc == 0 ? reg_keep(a->room->reg) : reg_undo_to_mark(a->room->reg);
    return done < 0 ? done : rc;
}

int command_run(struct room *room, const struct queue_entry *e, char **ret_answer) {
    json_t *json = json_loads(e->record, 0, NULL);
    struct ask a = { .room = room, .e = e, .json = json, .answer = json_object() };
    const char *request =
        json_is_object(json) && ask_text(&a, "request")[0] != '\0' ? ask_text(&a, "request") : e->key;
    int rc = reg_command_get(room->reg, request, ret_answer);

    if (rc == REG_NOTHING) {
        rc = run_guarded(&a);
        if (rc >= 0) {
            *ret_answer = answer_text(&a, rc);
            rc = reg_command_add(room->reg, request, *ret_answer, room->now);
        }
    }
    json_decref(a.answer);
    json_decref(json);
    return rc;
}
