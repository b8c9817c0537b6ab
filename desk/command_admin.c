/* command_admin.c: people, dead letters, and the rest that only some may ask for. */
#include "desk/ask.h"
#include "desk/view.h"
#include "kit/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ people */

static bool good_name(const char *name) {
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-");

    return n > 0 && n <= 32 && name[n] == '\0';
}

static bool good_role(const char *role) {
    static const char *const roles[] = { "officer", "superior", "section", "admin", "auditor" };
    size_t i;

    for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
        if (strcmp(roles[i], role) == 0)
            return true;
    return false;
}

static char *line_of(const struct ask *a, const char *key) {
    const char *s = ask_text(a, key);

    return text_clean_line(s, strlen(s), 200);
}

int verb_user_add(struct ask *a) {
    struct reg_user u = { NULL };
    int rc;

    if (!good_name(ask_text(a, "name")))
        return ask_refuse(a, "a user's name has 1 to 32 of a-z 0-9 . _ -");
    if (!good_role(ask_text(a, "role")))
        return ask_refuse(a, "unknown role \"%.40s\": officer, superior, section, admin or auditor",
                          ask_text(a, "role"));
    if (!text_starts(ask_text(a, "hash"), "$y$"))
        return ask_refuse(a, "a password is needed");
    u.name = line_of(a, "name");
    u.role = line_of(a, "role");
    u.full = line_of(a, "full");
    u.section = line_of(a, "section");
    u.email = line_of(a, "email");
    u.hash = line_of(a, "hash");
    u.created_at = u.changed_at = a->room->now;
    rc = reg_user_add(a->room->reg, &u);
    if (rc == REG_SEEN)
        rc = ask_refuse(a, "user \"%s\" exists already", u.name);
    if (rc == 0)
        rc = room_history(a->room, 0, a->actor, "user_added", "%s, %s", u.name, u.role);
    ask_say(a, "name", u.name);
    reg_user_clear(&u);
    return rc;
}

static int find_user(struct ask *a, struct reg_user *ret) {
    int rc = reg_user_get(a->room->reg, ask_text(a, "name"), ret);

    if (rc == REG_NOTHING)
        return ask_refuse(a, "no user \"%.60s\"", ask_text(a, "name"));
    if (rc == 0)
        ask_say(a, "name", ret->name);
    return rc;
}

static int save_user(struct ask *a, struct reg_user *u, const char *event) {
    int rc;

    u->changed_at = a->room->now;
    rc = reg_user_save(a->room->reg, u);
    if (rc == 0)
        rc = room_history(a->room, 0, a->actor, event, "%s", u->name);
    reg_user_clear(u);
    return rc;
}

int verb_user_passwd(struct ask *a) {
    struct reg_user u = { NULL };
    int rc = find_user(a, &u);

    if (rc != 0)
        return rc;
    if (!text_starts(ask_text(a, "hash"), "$y$")) {
        reg_user_clear(&u);
        return ask_refuse(a, "a password is needed");
    }
    free(u.hash);
    u.hash = line_of(a, "hash");
    return save_user(a, &u, "user_password");
}

static int set_disabled(struct ask *a, bool disabled) {
    struct reg_user u = { NULL };
    int rc = find_user(a, &u);

    if (rc != 0)
        return rc;
    u.disabled = disabled;
    return save_user(a, &u, disabled ? "user_disabled" : "user_enabled");
}

int verb_user_disable(struct ask *a) {
    return set_disabled(a, true);
}

int verb_user_enable(struct ask *a) {
    return set_disabled(a, false);
}

/* ------------------------------------------------------------- dead letters */

static int find_letter(struct ask *a, struct queue_dead *ret) {
    const char *account = ask_text(a, "account"), *id = ask_text(a, "id");
    int rc = queue_dead_get(a->room->o->queue, account, id, ret);

    if (rc == QUEUE_NOTHING)
        return ask_refuse(a, "no dead letter %.40s of account \"%.40s\"", id, account);
    if (rc < 0)
        return ask_refuse(a, "redis: %s", queue_error(a->room->o->queue));
    ask_say(a, "account", account);
    ask_say(a, "id", id);
    return 0;
}

/* Through the register, so that a crash on the way neither forgets it nor the history. */
static int take_away(struct ask *a, const struct queue_dead *d) {
    struct reg_burial gone = { .account = (char *)(uintptr_t)ask_text(a, "account"),
                               .kind = d->kind,
                               .ref = d->ref,
                               .reason = d->reason,
                               .record = (char *)(uintptr_t) "",
                               .at = a->room->now,
                               .dead_id = (char *)(uintptr_t)ask_text(a, "id") };
    int rc = reg_burial_dropped(a->room->reg, gone.account, gone.dead_id);

    return rc < 0 ? rc : reg_burial_take_away(a->room->reg, &gone);
}

static int retry_answer(struct ask *a, const struct queue_dead *d) {
    struct reg_out o;
    struct reg_case c;
    int rc = reg_out_by_key(a->room->reg, d->ref, &o);

    if (rc == REG_NOTHING)
        return ask_refuse(a, "answer %.64s is not in the register", d->ref);
    if (rc < 0)
        return rc;
    if (o.state != REG_OUT_STUCK && o.state != REG_OUT_HELD)
        rc = ask_refuse(a, "answer %.64s is %s: nothing to send again", d->ref, answer_status_name(o.status));
    if (rc == 0)
        rc = reg_out_set(a->room->reg, o.id, outgoing_first_state(a->room, o.account), true, o.attempt,
                         o.relayed_at);
    if (rc == 0) /* the citizen may have written since */
        rc = reg_out_heard(a->room->reg, o.id);
    if (rc == 0)
        rc = reg_message_end(a->room->reg, o.message, ANSWER_QUEUED, "", "");
    if (rc == 0)
        rc = room_history(a->room, o.ticket, a->actor, "sent_again", "%s", o.key);
    if (rc == 0 && o.kind == ADUAN_ANSWER_REPLY && reg_case_get(a->room->reg, o.ticket, &c) == 0) {
        c.state = CASE_ANSWERED;
        c.updated_at = a->room->now;
        rc = reg_case_save(a->room->reg, &c);
        reg_case_clear(&c);
    }
    reg_out_clear(&o);
    return rc;
}

static int retry_record(struct ask *a, const struct queue_dead *d) {
    char why[300] = "";
    int rc;

    if (d->record == NULL || d->record[0] != '{')
        return replay_letter(a, d);
    if (text_starts(d->reason, "event:"))
        return ask_refuse(a, "a report about nothing we know cannot be used again: drop it");
    rc =
        inbound_record(a->room, ask_text(a, "account"), d->record, d->raw, d->raw_len, false, why, sizeof(why));
    if (rc == ROOM_BURIED)
        return ask_refuse(a, "still of no use: %s", why);
    return rc;
}

int verb_dead_retry(struct ask *a) {
    struct queue_dead d = { .account = NULL };
    int rc = find_letter(a, &d);

    if (rc == 0)
        rc = text_equal(d.kind, "out") ? retry_answer(a, &d) : retry_record(a, &d);
    if (rc == 0)
        rc = take_away(a, &d);
    if (rc == 0)
        rc = room_history(a->room, 0, a->actor, "dead_retried", "%s %s %s", ask_text(a, "account"),
                          ask_text(a, "id"), d.ref);
    queue_dead_clear(&d);
    return rc;
}

/* Giving an answer up ends it: it will not be sent any more. */
static int give_up(struct ask *a, const struct queue_dead *d) {
    struct reg_out o;
    int rc = reg_out_by_key(a->room->reg, d->ref, &o);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (o.state == REG_OUT_STUCK) {
        rc = reg_out_set(a->room->reg, o.id, REG_OUT_ENDED, false, o.attempt, o.relayed_at);
        if (rc == 0)
            rc = room_history(a->room, o.ticket, a->actor, "given_up", "%s: %s", o.key, ask_text(a, "reason"));
    }
    reg_out_clear(&o);
    return rc;
}

int verb_dead_drop(struct ask *a) {
    struct queue_dead d = { .account = NULL };
    int rc = find_letter(a, &d);

    if (rc == 0 && text_equal(d.kind, "out"))
        rc = give_up(a, &d);
    if (rc == 0)
        rc = take_away(a, &d);
    if (rc == 0)
        rc = room_history(a->room, 0, a->actor, "dead_dropped", "%s %s %s: %s", ask_text(a, "account"),
                          ask_text(a, "id"), d.ref, ask_text(a, "reason"));
    queue_dead_clear(&d);
    return rc;
}

int verb_ping(struct ask *a) {
    char now[40];

    view_time(a->room->now, calendar_offset_minutes(a->room->calendar), now, sizeof(now));
    ask_say(a, "now", now);
    return 0;
}
