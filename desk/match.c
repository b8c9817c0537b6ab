/*
 * match.c: which case does a message belong to?
 *
 * Chats: the open case of the same conversation; or the one that its author opened in public, when
 * they now write privately as we asked them to. Mail, in this order:
 *   1. our own signed token in In-Reply-To or References: whoever has it got our answer;
 *   2. an answer of ours, or a message of the same participant, by its Message-ID;
 *   3. a ticket number in the subject, from the same participant only;
 *   4. otherwise a new matter, though the sender may have other cases.
 * What a stranger quotes never joins a case: the new one is linked as a possible follow-up.
 *
 * An answered case takes replies for 10 working days (then it counts as settled); after that, and
 * for closed, refused and merged cases, a new case is opened that names the old one. A merged case
 * stands for the one it went into.
 */
#include "desk/room.h"

#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPLY_DAYS = 10, REFERENCES_MAX = 50, MERGES_MAX = 8 };

const char *match_how_name(enum match_how how) {
    static const char *const names[] = { "new", "token", "reference", "number", "conversation", "author" };

    return names[how];
}

void match_clear(struct match *match) {
    if (match->how != MATCH_NONE)
        reg_case_clear(&match->found);
    memset(match, 0, sizeof(*match));
}

/* May this case take a follow-up now? Without a calendar nobody is turned away. */
static bool takes_replies(struct room *room, const struct reg_case *c) {
    struct calendar_due until;
    char why[160];

    if (!case_state_open(c->state))
        return false;
    if (c->state != CASE_ANSWERED || c->answered_at <= 0)
        return true;
    if (calendar_due(room->calendar, c->answered_at, REPLY_DAYS, &until, why, sizeof(why)) != 0)
        return true;
    return room->now <= until.due;
}

static int case_of(struct room *room, int64_t ticket, struct reg_case *ret) {
    int i, rc = reg_case_get(room->reg, ticket, ret);

    for (i = 0; rc == 0 && ret->state == CASE_MERGED && ret->merged_into > 0 && i < MERGES_MAX; i++) {
        int64_t into = ret->merged_into;

        reg_case_clear(ret);
        rc = reg_case_get(room->reg, into, ret);
    }
    return rc;
}

static void link_to(struct match *ret, const struct reg_case *c, const char *why) {
    if (ret->link != 0)
        return;
    ret->link = c->id;
    snprintf(ret->link_number, sizeof(ret->link_number), "%s", c->number);
    ret->link_why = why;
}

/* Joins, or links when the case is settled. Takes *c. */
static void join_or_link(struct room *room, struct reg_case *c, enum match_how how, struct match *ret) {
    if (takes_replies(room, c)) {
        ret->how = how;
        ret->found = *c;
        return;
    }
    link_to(ret, c,
            case_state_open(c->state) ? "its case was answered more than 10 working days ago"
                                      : "its case is closed");
    reg_case_clear(c);
}

static bool same_participant(const struct reg_case *c, const struct reg_talk *talk, const char *person) {
    if (person[0] != '\0' && strcmp(person, c->participant) == 0)
        return true;
    return c->talk == talk->id && !c->is_public;
}

static int by_token(struct room *room, const char *id, struct match *ret) {
    char number[32], answer[65];
    struct reg_case c;
    int rc;

    if (thread_verify(&room->key, id, number, answer) < 0)
        return 0;
    rc = reg_case_by_number(room->reg, number, &c);
    if (rc == 0 && c.state == CASE_MERGED) {
        int64_t ticket = c.id;

        reg_case_clear(&c);
        rc = case_of(room, ticket, &c);
    }
    if (rc == 0)
        join_or_link(room, &c, MATCH_TOKEN, ret);
    return rc < 0 ? rc : 0;
}

static int by_reference(struct room *room, const char *id, const struct reg_talk *talk, const char *person,
                        struct match *ret) {
    struct reg_message known;
    struct reg_case c;
    int rc = reg_message_by_mail_id(room->reg, id, &known);

    if (rc == REG_NOTHING)
        rc = reg_message_by_platform(room->reg, talk->account, id, &known);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = known.ticket > 0 ? case_of(room, known.ticket, &c) : REG_NOTHING;
    if (rc == 0 && (known.out || same_participant(&c, talk, person))) {
        join_or_link(room, &c, MATCH_REFERENCE, ret);
    } else if (rc == 0) {
        link_to(ret, &c, "it answers a message of somebody else's case");
        reg_case_clear(&c);
    }
    reg_message_clear(&known);
    return rc < 0 ? rc : 0;
}

static int by_number(struct room *room, const struct aduan_message *m, const struct reg_talk *talk,
                     const char *person, struct match *ret) {
    char number[32];
    struct reg_case c;
    int rc;

    if (thread_number_in(m->subject, room->o->conf->office.code, number) < 0)
        return 0;
    rc = reg_case_by_number(room->reg, number, &c);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (same_participant(&c, talk, person)) {
        join_or_link(room, &c, MATCH_NUMBER, ret);
        return 0;
    }
    link_to(ret, &c, "its number is quoted by somebody else");
    reg_case_clear(&c);
    return 0;
}

/* In-Reply-To first, then References from the newest. */
static const char *reference_at(const struct aduan_message *m, size_t i) {
    if (i == 0)
        return m->reply_to;
    return i <= m->reference_count ? m->references[m->reference_count - i] : NULL;
}

static int match_mail(struct room *room, const struct aduan_message *m, const struct reg_talk *talk,
                      const char *person, struct match *ret) {
    size_t i, count = m->reference_count + 1;
    int rc = 0;

    if (count > REFERENCES_MAX)
        count = REFERENCES_MAX;
    for (i = 0; rc == 0 && ret->how == MATCH_NONE && i < count; i++)
        if (reference_at(m, i) != NULL)
            rc = by_token(room, reference_at(m, i), ret);
    for (i = 0; rc == 0 && ret->how == MATCH_NONE && ret->link == 0 && i < count; i++)
        if (reference_at(m, i) != NULL)
            rc = by_reference(room, reference_at(m, i), talk, person, ret);
    if (rc == 0 && ret->how == MATCH_NONE && ret->link == 0)
        rc = by_number(room, m, talk, person, ret);
    return rc;
}

/* Somebody writes privately. Did they open a case in public that waits for just that? A private case of theirs
 * that nobody has answered yet, or a newer one, keeps its conversation. */
static int by_author(struct room *room, const struct reg_talk *talk, const char *person, struct match *ret) {
    struct reg_case c;
    int rc;

    if (talk->is_public || person[0] == '\0')
        return 0;
    if (ret->how != MATCH_NONE && ret->found.state != CASE_ANSWERED)
        return 0;
    rc = reg_case_open_public(room->reg, talk->account, person, &c);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (!takes_replies(room, &c) || (ret->how != MATCH_NONE && ret->found.id > c.id)) {
        if (ret->how == MATCH_NONE)
            link_to(ret, &c, "its public case was answered more than 10 working days ago");
        reg_case_clear(&c);
        return 0;
    }
    match_clear(ret);
    ret->how = MATCH_AUTHOR;
    ret->found = c;
    return 0;
}

static int match_chat(struct room *room, const struct reg_talk *talk, const char *person, struct match *ret) {
    struct reg_case c;
    int rc = reg_case_latest_of_talk(room->reg, talk->id, true, &c);

    if (rc == REG_NOTHING)
        rc = reg_case_latest_of_talk(room->reg, talk->id, false, &c);
    if (rc == 0 && c.state == CASE_MERGED) {
        int64_t ticket = c.id;

        reg_case_clear(&c);
        rc = case_of(room, ticket, &c);
    }
    if (rc == 0)
        join_or_link(room, &c, MATCH_CONVERSATION, ret);
    return rc < 0 ? rc : by_author(room, talk, person, ret);
}

/* --------------------------------------------------------------------- copies */

struct copies {
    struct room *room;
    const struct aduan_message *m;
    const char *person;
    int64_t ticket; /* of the one that was found; 0 none */
    char *key;
    size_t index; /* of attachments that are compared */
    bool same;
};

static bool same_text(const char *a, const char *b) {
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static int same_attachment(void *arg, const struct reg_attachment *a) {
    struct copies *s = arg;
    const struct aduan_attachment *b = s->index < s->m->attachment_count ? &s->m->attachments[s->index] : NULL;

    s->index++;
    s->same = s->same && b != NULL && same_text(a->name, b->name) && same_text(a->sha256, b->sha256);
    return 0;
}

/* The sender alone proves nothing, nor does the Message-ID: everything that was written must be the same. A
 * mail without any Message-ID is known by its sender and its Date. What a list on the way tagged, re-wrapped or
 * put a footer under is not the same: two cases. */
static int one_copy(void *arg, const struct reg_message *had) {
    struct copies *s = arg;
    int rc;

    if (had->ticket == 0 || had->purged_at > 0 || !same_text(had->person, s->person) ||
        !same_text(had->subject, s->m->subject) || !same_text(had->text, s->m->text) ||
        !same_text(had->quoted, s->m->quoted))
        return 0;
    s->index = 0;
    s->same = true;
    rc = reg_attachments(s->room->reg, had->id, same_attachment, s);
    if (rc < 0 || !s->same || s->index != s->m->attachment_count)
        return rc;
    s->ticket = had->ticket;
    s->key = xstrdup(had->key);
    return 1;
}

static bool is_mail(const struct aduan_message *m) {
    return text_equal(m->channel, "email") || text_equal(m->channel, "maildir");
}

int match_copy(struct room *room, const struct aduan_message *m, const char *person, struct reg_case *ret,
               char **ret_key) {
    struct copies s = { .room = room, .m = m, .person = person };
    bool named = m->message_id != NULL && m->message_id[0] != '\0';
    int rc;

    if (!is_mail(m) || m->kind != ADUAN_KIND_MESSAGE || person[0] == '\0' || (!named && m->sent_at <= 0))
        return REG_NOTHING;
    rc = named ? reg_messages_by_mail_id(room->reg, m->message_id, one_copy, &s)
               : reg_messages_by_writer(room->reg, person, m->sent_at, one_copy, &s);
    if (rc < 0 || s.ticket == 0)
        return rc < 0 ? rc : REG_NOTHING;
    *ret_key = s.key;
    return case_of(room, s.ticket, ret);
}

int match_message(struct room *room, const struct aduan_message *m, const struct reg_talk *talk,
                  const char *person, struct match *ret) {
    memset(ret, 0, sizeof(*ret));
    if (is_mail(m))
        return match_mail(room, m, talk, person, ret);
    return match_chat(room, talk, person, ret);
}
