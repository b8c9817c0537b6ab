/*
 * outgoing.c: an answer is written in the same transaction as the case's new state.
 *
 * Some platforms take answers only for a time after the citizen wrote last.
 * By our own clock, a little early, such an answer is held instead; a template
 * asks the citizen to write, once for each closed period; and what was held
 * goes when they do.
 */
#include "desk/room.h"

#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW_MARGIN_MS = 5 * MINUTE_MS };

bool outgoing_window_open(const struct desk_account *a, const struct reg_talk *t, int64_t now) {
    if (a == NULL || a->window_ms <= 0 || t->is_public)
        return true;
    return now < t->last_in_at + a->window_ms - WINDOW_MARGIN_MS;
}

static bool is_mail(const struct reg_case *c) {
    return text_equal(c->channel, "email") || text_equal(c->channel, "maildir");
}

/* "Re: subject [TPI-2026-000123]" */
static char *subject_of(const struct reg_case *c, const struct reg_message *last) {
    const char *subject = last->subject != NULL && last->subject[0] != '\0' ? last->subject : c->subject;
    const char *re = text_starts_nocase(subject, "re:") ? "" : "Re: ";

    if (c->is_public || text_find_nocase(subject, c->number) != NULL)
        return xasprintf("%s%s", re, subject);
    return xasprintf("%s%s [%s]", re, subject, c->number);
}

static void add_reference(struct aduan_answer *a, const char *id) {
    if (id == NULL || id[0] == '\0')
        return;
    a->references = xrealloc(a->references, a->reference_count + 1, sizeof(*a->references));
    a->references[a->reference_count++] = xstrdup(id);
}

/* Threads the answer under the newest message of the citizen, never of somebody else who joined the case; long
 * References lose their middle. */
static void set_thread(struct aduan_answer *a, const struct reg_case *c, const struct reg_message *last) {
    size_t i, count = last->reference_count;

    if (!is_mail(c)) {
        a->reply_to = xstrdup(last->platform_id);
        return;
    }
    a->subject = subject_of(c, last);
    a->reply_to = xstrdup(last->mail_id);
    for (i = 0; i < count; i++)
        if (i == 0 || i + 10 >= count)
            add_reference(a, last->references[i]);
    add_reference(a, last->mail_id);
}

static void set_person(struct aduan_person *to, const struct aduan_person *from) {
    to->id = xstrdup(from->id);
    to->name = xstrdup(from->name);
    to->handle = xstrdup(from->handle);
    to->address = xstrdup(from->address);
    to->phone = xstrdup(from->phone);
}

static void set_attachments(struct aduan_answer *a, const struct outgoing *what) {
    size_t i;

    a->attachments = xcalloc(what->attachment_count + 1, sizeof(*a->attachments));
    a->attachment_count = what->attachment_count;
    for (i = 0; i < what->attachment_count; i++) {
        a->attachments[i].name = xstrdup(what->attachments[i].name);
        a->attachments[i].type = xstrdup(what->attachments[i].type);
        a->attachments[i].size = what->attachments[i].size;
        a->attachments[i].sha256 = xstrdup(what->attachments[i].sha256);
        a->attachments[i].state = ADUAN_ATTACHMENT_STORED;
    }
}

static int build(struct room *room, const struct reg_case *c, const struct reg_talk *t,
                 const struct outgoing *what, struct aduan_answer *a) {
    struct reg_message last = { 0 };
    char id[64];
    int rc = reg_out_next_id(room->reg, id);

    if (rc < 0)
        return rc;
    rc = reg_message_last_of(room->reg, c, c->is_public, &last);
    if (rc < 0)
        return rc;
    a->id = xstrdup(id);
    a->account = xstrdup(c->account);
    a->number = xstrdup(c->number);
    a->kind = what->kind;
    a->conversation = xstrdup(t->key);
    a->is_public = c->is_public;
    a->text = xstrdup(what->text);
    a->language = xstrdup(what->language);
    a->token = thread_token(&room->key, c->number, id);
    a->queued_at = room->now;
    a->heard_at = t->last_in_at;
    set_person(&a->to, &t->person);
    set_attachments(a, what);
    if (rc == 0)
        set_thread(a, c, &last);
    reg_message_clear(&last);
    return 0;
}

/* With its sender next, or with a person who carries it over. */
static enum reg_out_state first_state(const struct room *room, const struct reg_case *c) {
    const struct desk_account *a = room_account(room, c->account);

    return a != NULL && a->by_hand ? REG_OUT_BY_HAND : REG_OUT_READY;
}

static int write_answer(struct room *room, const struct reg_case *c, const struct reg_talk *t,
                        const struct outgoing *what, bool held, char ret_id[64]) {
    struct aduan_answer a = { 0 };
    int rc = build(room, c, t, what, &a);

    if (rc == 0)
        rc = reg_out_add(room->reg, &a, what->actor, c->id, t->id, held ? REG_OUT_HELD : first_state(room, c),
                         room->now);
    if (rc == 0 && ret_id != NULL)
        snprintf(ret_id, 64, "%s", a.id);
    aduan_answer_clear(&a);
    return rc;
}

int outgoing_template(struct room *room, const struct reg_case *c, struct reg_talk *t) {
    const struct desk_account *a = room_account(room, c->account);
    struct outgoing ask = {
        .kind = ADUAN_ANSWER_TEMPLATE, .text = "", .language = c->language, .actor = "sistem"
    };
    int rc;

    if (a == NULL || !a->has_template || t->template_at > t->last_in_at)
        return 0;
    rc = write_answer(room, c, t, &ask, false, NULL);
    if (rc == 0)
        rc = reg_talk_template(room->reg, t->id, room->now);
    if (rc == 0)
        rc = room_history(room, c->id, "sistem", "template",
                          "the reply window is closed: the citizen is asked to write");
    t->template_at = room->now;
    return rc;
}

int outgoing_answer(struct room *room, const struct reg_case *c, const struct outgoing *what, char ret_id[64],
                    bool *ret_held) {
    const struct desk_account *a = room_account(room, c->account);
    struct reg_talk t = { 0 };
    bool held = false;
    int rc = reg_talk_get(room->reg, c->talk, &t);

    if (rc == 0) {
        held = !outgoing_window_open(a, &t, room->now);
        rc = write_answer(room, c, &t, what, held, ret_id);
    }
    if (rc == 0 && held)
        rc = outgoing_template(room, c, &t);
    if (ret_held != NULL)
        *ret_held = held;
    reg_talk_clear(&t);
    return rc;
}

int outgoing_heard(struct room *room, const struct desk_account *a, struct reg_talk *t, int64_t at,
                   const char *platform_id, int64_t ticket) {
    int64_t released = 0;
    int rc;

    if (at < t->last_in_at)
        return 0;
    rc = reg_talk_heard(room->reg, t->id, at, platform_id);
    t->last_in_at = at;
    if (rc < 0 || !outgoing_window_open(a, t, room->now))
        return rc;
    rc = reg_out_release(room->reg, t->id, &released);
    if (rc == 0 && released > 0)
        rc = room_history(room, ticket, "sistem", "released", "%lld held answers go out: the citizen wrote",
                          (long long)released);
    return rc;
}
