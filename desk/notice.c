/*
 * notice.c: mail to the office's own people, by the way every answer goes.
 *
 * A notice stands in the outbox like any answer (written once, sent once), but
 * belongs to no citizen: kind NOTICE, ticket 0 or the case it is about. What
 * comes back for it, a reply, a bounce, a copy, is kept beside it and starts
 * nothing: no case, no answer, no dead letter, so that two machines can never
 * talk to each other by way of us.
 */
#include "desk/room.h"

#include "kit/text.h"

#include <stdlib.h>
#include <string.h>

#define NOTICE_NUMBER "notice" /* where a citizen's answer has the case's number in its token */
enum { REFERENCES_MAX = 50 };

static int talk_to(struct room *room, const struct desk_account *a, const char *to, struct reg_talk *ret) {
    /* An echo's kind: it teaches the register nothing of who lives at that address. */
    struct aduan_message m = { .kind = ADUAN_KIND_ECHO,
                               .account = (char *)(uintptr_t)a->name,
                               .channel = (char *)(uintptr_t)a->channel,
                               .conversation = (char *)(uintptr_t)to };

    return reg_talk_of(room->reg, &m, room->now, ret);
}

int notice_send(struct room *room, const struct desk_account *a, const char *to, const char *subject,
                const char *text, int64_t ticket) {
    struct aduan_answer answer = { .kind = ADUAN_ANSWER_NOTICE, .queued_at = room->now };
    struct reg_talk talk = { 0 };
    char id[64];
    int rc = reg_out_next_id(room->reg, id);

    if (rc == 0)
        rc = talk_to(room, a, to, &talk);
    if (rc == 0) {
        answer.id = xstrdup(id);
        answer.account = xstrdup(a->name);
        answer.conversation = xstrdup(to);
        answer.to.address = xstrdup(to);
        answer.subject = xstrdup(subject);
        answer.text = xstrdup(text);
        answer.language = xstrdup("id");
        answer.token = thread_token(&room->key, NOTICE_NUMBER, id);
        rc = reg_out_add(room->reg, &answer, "sistem", ticket, talk.id, REG_OUT_READY, room->now);
    }
    aduan_answer_clear(&answer);
    reg_talk_clear(&talk);
    return rc;
}

/* -------------------------------------------------------------- what comes back */

static bool names_notice(const struct room *room, const char *id) {
    char number[32], answer[65];

    return id != NULL && thread_verify(&room->key, id, number, answer) == 0 &&
           text_compare_nocase(number, NOTICE_NUMBER) == 0;
}

/* Some mail programs drop the references: then an admin's own address and our mark in the subject tell. */
static bool is_from_admin(const struct room *room, const struct aduan_message *m) {
    const struct aduan_strings *admin = &room->o->conf->notices.admin;
    size_t i;

    if (m->subject == NULL || strstr(m->subject, "[Aduan]") == NULL || m->sender.address == NULL)
        return false;
    for (i = 0; i < admin->count; i++)
        if (text_compare_nocase(admin->items[i], m->sender.address) == 0)
            return true;
    return false;
}

bool notice_is_about(const struct room *room, const struct aduan_message *m) {
    bool is = names_notice(room, m->message_id) || names_notice(room, m->reply_to) || is_from_admin(room, m);
    size_t i;

    for (i = 0; !is && i < m->reference_count && i < REFERENCES_MAX; i++)
        is = names_notice(room, m->references[i]);
    return is;
}

int notice_reply(struct room *room, const struct aduan_message *m, const void *raw, size_t raw_len) {
    struct reg_talk talk = { 0 };
    char *person = reg_person_key(m->channel, &m->sender);
    int64_t id;
    int rc = reg_talk_of(room->reg, m, room->now, &talk);

    if (rc == 0)
        rc = reg_message_add(room->reg, m, person, 0, talk.id, false, raw, raw_len, &id);
    if (rc == 0)
        rc = room_history(room, 0, "sistem", "notice_reply", "%s is about a notice of ours: kept, no case",
                          m->id);
    free(person);
    reg_talk_clear(&talk);
    return rc;
}

int notice_failed(struct room *room, const struct reg_out *o, const char *reason) {
    int rc = reg_out_set(room->reg, o->id, REG_OUT_ENDED, false, o->attempt, o->relayed_at);

    if (rc == 0)
        rc = room_history(room, o->ticket, "sistem", "notice_failed", "%s: %s", o->key, reason);
    room_log(room, DESK_WARN, "a notice did not arrive: %s: %s", o->key, reason);
    return rc;
}
