/*
 * command.c: who may ask what, and one answer to each request.
 *
 * The answer is kept under the request's id in the same transaction as what it
 * changed, so a request that comes twice is carried out once. An officer who
 * never heard the answer asks anew instead, under another id: an equal command
 * shortly after one that was not heard is taken for its repeat.
 */
#include "desk/command.h"

#include "desk/ask.h"
#include "kit/sign.h"
#include "kit/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OFFICER = 1, SUPERIOR = 2, SECTION = 4, ADMIN = 8, AUDITOR = 16 };
enum { ADDS = 32 }; /* done twice it is there twice: an equal command may be the repeat of an unheard one */
enum { REPEAT_MS = 10 * MINUTE_MS };

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
    { "reply", verb_reply, OFFICER | SUPERIOR | ADMIN | ADDS },
    { "intake", verb_intake, OFFICER | SUPERIOR | ADMIN | ADDS },
    { "worklist-done", verb_worklist_done, OFFICER | SUPERIOR | ADMIN },
    { "worklist-failed", verb_worklist_failed, OFFICER | SUPERIOR | ADMIN },
    { "note", verb_note, OFFICER | SUPERIOR | SECTION | ADMIN | ADDS },
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

/* Redis's time, asked once a batch; while it is away, by how far it was ahead of us at last. */
static int64_t redis_now(struct room *room) {
    int64_t here = room->host->now(room->host->arg), there;

    if (!room->redis_asked && queue_time(room->o->queue, &there) == 0)
        room->redis_ahead = there - here;
    room->redis_asked = true;
    return here + room->redis_ahead;
}

/* Whoever asked has given up. Both times are Redis's: the hosts' clocks need not agree. */
static bool has_lapsed(const struct ask *a) {
    const json_t *valid = json_object_get(a->json, "valid_ms");

    return json_is_integer(valid) && a->e->added_ms > 0 &&
           redis_now(a->room) - a->e->added_ms > json_integer_value(valid);
}

/* Inside a savepoint: a refusal in the middle of a verb takes back what it had changed. */
static int run_guarded(struct ask *a) {
    int rc = reg_mark(a->room->reg), done;

    if (rc < 0)
        return rc;
    rc = json_is_object(a->json) ? run_verb(a) : ask_refuse(a, "the command is no JSON object");
    if (rc < 0 && rc != -EINVAL)
        return rc;
    if (rc == -EINVAL)
        rc = ask_refuse(a, "cannot be stored: %.300s", reg_error(a->room->reg));
    done = rc == 0 ? reg_keep(a->room->reg) : reg_undo_to_mark(a->room->reg);
    return done < 0 ? done : rc;
}

void command_digest(const char *command, const void *raw, size_t raw_len, char ret[SIGN_HEX256]) {
    static const char *const about_sending[] = { "valid_ms", "again" };
    json_t *j = json_loads(command, 0, NULL);
    char of_raw[SIGN_HEX256], *said, *all;
    size_t i;

    for (i = 0; json_is_object(j) && i < sizeof(about_sending) / sizeof(about_sending[0]); i++)
        json_object_del(j, about_sending[i]);
    said = j != NULL ? json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) : xstrdup(command);
    sign_sha256_hex(raw, raw_len, of_raw);
    all = xasprintf("%s %s", of_raw, said);
    sign_sha256_hex(all, strlen(all), ret);
    free(all);
    free(said);
    json_decref(j);
}

/* ----------------------------------------------------------------------- repeats */

static bool adds(const struct ask *a) {
    const char *verb = ask_text(a, "verb");
    size_t i;

    for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(verbs[i].name, verb) == 0)
            return (verbs[i].roles & ADDS) != 0;
    return false;
}

/* The answer of a carried-out equal command, with a word on it; NULL: that one was refused. */
static char *answer_again(const char *first) {
    json_t *answer = json_loads(first, 0, NULL);
    char *text = NULL;

    if (json_is_true(json_object_get(answer, "ok"))) {
        json_object_set_new(answer, "repeated", json_true());
        json_object_set_new(
            answer, "note",
            json_string("perintah yang sama baru saja dilaksanakan, tidak diulang; sekali lagi: "
                        "--again / the same command was just carried out, not repeated; once "
                        "more: --again"));
        text = json_dumps(answer, JSON_COMPACT);
    }
    json_decref(answer);
    return text;
}

/* Did the same person ask just this a moment ago, and never hear what became of it? 0 and its answer, or
 * REG_NOTHING. With Redis away it counts as not heard: asking once more is cheaper than doing it twice. */
static int find_unheard(struct ask *a, const char *digest, char **ret_answer) {
    char *first = NULL, *answer = NULL;
    bool unheard = true;
    int rc = REG_NOTHING;

    if (adds(a) && !json_is_true(json_object_get(a->json, "again")))
        rc = reg_command_same(a->room->reg, digest, a->room->now - REPEAT_MS, &first, &answer);
    if (rc == 0) {
        if (queue_command_unheard(a->room->o->queue, first, &unheard) < 0)
            unheard = true;
        *ret_answer = unheard ? answer_again(answer) : NULL;
        rc = *ret_answer != NULL ? 0 : REG_NOTHING;
        free(first);
        free(answer);
    }
    return rc;
}

/* A request the register knows: its answer, unless the id now names something else. */
static int known_request(struct ask *a, const char *digest, char **ret_answer) {
    char *asked = NULL;
    int rc = reg_command_get(a->room->reg, a->e->key, &asked, ret_answer);

    if (rc == 0 && asked[0] != '\0' && strcmp(asked, digest) != 0) {
        free(*ret_answer);
        *ret_answer =
            answer_text(a, ask_refuse(a, "the request %.70s was another command: nothing was done", a->e->key));
    }
    free(asked);
    return rc;
}

static int carry_out(struct ask *a, const char *digest, char **ret_answer) {
    int rc;

    if (has_lapsed(a)) { /* not kept: the same request may still be carried out when it comes again */
        rc = ask_refuse(a, "the command came too late to the desk: nothing was done");
        *ret_answer = answer_text(a, rc);
        return 0;
    }
    rc = find_unheard(a, digest, ret_answer);
    if (rc == 0) /* kept without its digest: the first one stays the one that was not heard */
        return reg_command_add(a->room->reg, a->e->key, "", *ret_answer, a->room->now);
    if (rc == REG_NOTHING)
        rc = run_guarded(a);
    if (rc < 0)
        return rc;
    *ret_answer = answer_text(a, rc);
    return reg_command_add(a->room->reg, a->e->key, digest, *ret_answer, a->room->now);
}

int command_run(struct room *room, const struct queue_entry *e, char **ret_answer) {
    json_t *json = json_loads(e->record, 0, NULL);
    struct ask a = { .room = room, .e = e, .json = json, .answer = json_object() };
    char digest[SIGN_HEX256];
    int rc;

    command_digest(e->record, e->raw, e->raw_len, digest);
    rc = known_request(&a, digest, ret_answer);
    if (rc == REG_NOTHING)
        rc = carry_out(&a, digest, ret_answer);
    json_decref(a.answer);
    json_decref(json);
    return rc;
}
