/*
 * inbound.c: one record from an `in` stream becomes part of the register.
 *
 * Idempotent by the message id: what is there already changes nothing, so a
 * batch whose acknowledgement was lost can come again. What fits nowhere
 * becomes a dead letter, never nothing.
 */
#include "desk/room.h"
#include "desk/worklist.h"

#include "kit/step.h"
#include "kit/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t heard_at(const struct room *room, const struct aduan_message *m) {
    int64_t at = m->sent_at > 0 ? m->sent_at : m->received_at;

    return at > 0 && at < room->now ? at : room->now;
}

static int64_t received_at(const struct room *room, const struct aduan_message *m) {
    return m->received_at > 0 && m->received_at < room->now ? m->received_at : room->now;
}

/* The deadline, or none: a year without a calendar is said loudly and never guessed. */
static int set_deadline(struct room *room, struct reg_case *c, struct calendar_due *ret_due) {
    char why[200];
    int rc = calendar_deadline(room->calendar, c->channel, c->received_at, ret_due, why, sizeof(why));

    if (rc == 0) {
        c->due_at = ret_due->due;
        return 0;
    }
    memset(ret_due, 0, sizeof(*ret_due));
    if (room->now - room->calendar_fault > MINUTE_MS) {
        room->calendar_fault = room->now;
        room_log(room, DESK_ERROR, "no deadline for new cases: %s", why);
    }
    return 0;
}

char *inbound_subject(const char *text) {
    char *line, *clean;
    size_t n;

    if (text == NULL)
        return xstrdup("");
    text += strspn(text, " \t\n");
    n = strcspn(text, "\n");
    line = xstrndup(text, n);
    clean = text_clean_line(line, n, 120);
    free(line);
    return clean;
}

static void add_said(json_t *list, const char *s) {
    if (s != NULL && s[0] != '\0')
        json_array_append_new(list, json_string(s));
}

static void replace(char **to, const char *s) {
    if (s == NULL || s[0] == '\0')
        return;
    free(*to);
    *to = xstrdup(s);
}

/* What SP4N-LAPOR! passes on of the reporter are their own words there, no profile's. Of who stays unnamed
 * nothing is shown; but that it stands in no answer can only be told by knowing it. */
static int take_reporter(struct room *room, const struct aduan_message *m, struct reg_case *c) {
    const char *name = json_string_value(json_object_get(m->extra, "name"));
    const char *phone = json_string_value(json_object_get(m->extra, "phone"));
    const char *address = json_string_value(json_object_get(m->extra, "address"));
    const char *secrecy = json_string_value(json_object_get(m->extra, "confidentiality"));
    json_t *names = json_array(), *phones = json_array(), *addresses = json_array(), *who;
    char *text;
    int rc;

    add_said(names, name);
    add_said(phones, phone);
    add_said(addresses, address);
    who = json_pack("{s:o, s:o, s:o}", "names", names, "phones", phones, "addresses", addresses);
    text = json_dumps(who, JSON_COMPACT);
    json_decref(who);
    replace(&c->confidentiality, secrecy);
    if (secrecy == NULL || !text_starts(secrecy, "anonim")) {
        replace(&c->name, name);
        replace(&c->phone, phone);
        replace(&c->address, address);
    }
    rc = reg_case_withhold(room->reg, c->id, text);
    free(text);
    return rc == 0 ? reg_case_save(room->reg, c) : rc;
}

/* A new case, and the rows that say why it exists. */
static int open_case(struct room *room, const struct aduan_message *m, const struct reg_talk *talk,
                     const char *person, const struct match *match, struct reg_case *c,
                     struct calendar_due *ret_due) {
    struct calendar_time local = calendar_local(room->calendar, room->now);
    char *subject =
        m->subject != NULL && m->subject[0] != '\0' ? xstrdup(m->subject) : inbound_subject(m->text);
    struct reg_case made = { .state = CASE_NEW,
                             .account = m->account,
                             .channel = m->channel,
                             .talk = talk->id,
                             .is_public = m->is_public,
                             .participant = (char *)(uintptr_t)person,
                             .subject = subject,
                             .language = (char *)(uintptr_t)language_of(m, room->o->conf->office.language),
                             .complete = -1,
                             .received_at = received_at(room, m),
                             .updated_at = room->now,
                             .follows = match->link };
    int rc;

    set_deadline(room, &made, ret_due);
    rc = reg_case_add(room->reg, room->o->conf->office.code, local.year, &made);
    if (rc == 0)
        rc = reg_case_get(room->reg, made.id, c);
    free(made.number);
    free(subject);
    if (rc != 0)
        return rc;
    rc = worklist_is_portal(m->channel) ? take_reporter(room, m, c) : 0;
    if (rc == 0)
        rc = room_history(room, c->id, "sistem", "received", "%s %s", m->channel, m->id);
    if (rc == 0 && match->link != 0)
        rc = room_history(room, c->id, "sistem", "possible_follow_up", "%s: %s", match->link_number,
                          match->link_why);
    if (rc == 0 && c->due_at == 0)
        rc = room_history(room, c->id, "sistem", "no_deadline", "no calendar for the year");
    room->cases++;
    return rc;
}

/* An answered case comes back to the officer, unless a machine wrote, or the citizen just did what a held
 * answer was waiting for. */
static int reopen(struct room *room, const struct aduan_message *m, struct reg_case *c) {
    int rc;

    if (c->state != CASE_ANSWERED || (m->flags & (ADUAN_MESSAGE_AUTOMATIC | ADUAN_MESSAGE_HISTORY)) != 0)
        return 0;
    rc = reg_out_awaited(room->reg, c->id);
    if (rc != REG_NOTHING)
        return rc;
    c->state = CASE_IN_PROGRESS;
    return room_history(room, c->id, "sistem", "reopened", "the citizen replied to the answer");
}

/* The citizen was asked in public to write privately, and did: from now on the case is between them and us.
 * What waited to be said goes there, too. */
static int move_private(struct room *room, const struct aduan_message *m, const struct reg_talk *talk,
                        struct reg_case *c) {
    int64_t from = c->talk;
    int rc = room_history(room, c->id, "sistem", "moved_private",
                          "the citizen writes privately: answers go there, no longer to %s", c->conversation);

    c->public_talk = from;
    c->talk = talk->id;
    c->is_public = false;
    free(c->conversation);
    c->conversation = xstrdup(talk->key);
    if (rc == 0)
        rc = reg_case_move(room->reg, c);
    return rc < 0 ? rc : reg_out_readdress(room->reg, c->id, from, talk, m->platform_id);
}

static int follow_up(struct room *room, const struct aduan_message *m, const struct match *match,
                     const char *person, int64_t talk, struct reg_case *c) {
    bool known =
        (person[0] != '\0' && strcmp(person, c->participant) == 0) || (talk == c->talk && !c->is_public);
    int rc = room_history(room, c->id, "sistem", "follow_up", "%s by %s", m->id, match_how_name(match->how));

    if (rc == 0 && !known)
        rc = room_history(
            room, c->id, "sistem", "other_sender",
            "%s joined by %s, but was not written by whoever opened the case: answers do not go there", m->id,
            match_how_name(match->how));
    if (rc == 0)
        rc = reopen(room, m, c);
    c->updated_at = room->now;
    return rc < 0 ? rc : reg_case_save(room->reg, c);
}

/* Attachments may have been fetched before their message was read; one may be the message's text. */
static int early_ends(struct room *room, const struct aduan_message *m, int64_t id) {
    size_t i;
    int rc = 0;

    for (i = 0; rc == 0 && i < m->attachment_count; i++) {
        const struct aduan_attachment *a = &m->attachments[i];
        char *key;

        if (a->state == ADUAN_ATTACHMENT_STORED && a->is_text)
            rc = report_text(room, id, (int)i);
        if (a->state != ADUAN_ATTACHMENT_PENDING)
            continue;
        key = xasprintf("%s#%zu", m->id, i);
        rc = report_early_attachment(room, m->account, key);
        free(key);
    }
    return rc;
}

static int keep(struct room *room, const struct aduan_message *m, const char *person, int64_t ticket,
                int64_t talk, const void *raw, size_t raw_len) {
    int64_t id;
    int rc = reg_message_add(room->reg, m, person, ticket, talk, false, raw, raw_len, &id);

    room->messages++;
    return rc != 0 ? rc : early_ends(room, m, id);
}

/* Keeping a message whose text came as a file may have named its case. */
static int subject_anew(struct room *room, const struct aduan_message *m, struct reg_case *c) {
    struct reg_case now;
    size_t i;
    int rc;

    for (i = 0; i < m->attachment_count && !m->attachments[i].is_text; i++)
        ;
    if (i == m->attachment_count || c->subject[0] != '\0')
        return 0;
    rc = reg_case_get(room->reg, c->id, &now);
    if (rc != 0)
        return rc;
    free(c->subject);
    c->subject = xstrdup(now.subject);
    reg_case_clear(&now);
    return 0;
}

/* Old traffic that a platform replays: kept as background, starts nothing. */
static int background(struct room *room, const struct aduan_message *m, const struct reg_talk *talk,
                      const char *person, const void *raw, size_t raw_len) {
    struct reg_case c;
    int64_t ticket = 0;
    int rc = reg_case_latest_of_talk(room->reg, talk->id, true, &c);

    if (rc == 0) {
        ticket = c.id;
        reg_case_clear(&c);
    }
    return rc < 0 ? rc : keep(room, m, person, ticket, talk->id, raw, raw_len);
}

/* A flood of one correspondent stops automatic answers; the case says so, once an hour. */
static int count_message(struct room *room, const char *person, int64_t ticket) {
    bool first_over = false;
    int rc = receipt_count(room, person, &first_over);

    if (rc == 0 && first_over)
        rc = room_history(room, ticket, "sistem", "flood",
                          "too many messages within the hour: automatic answers pause");
    return rc;
}

/* Number and deadline, which could not be said in public; not once the case was answered. */
static int receipt_private(struct room *room, const struct aduan_message *m, const struct desk_account *a,
                           const char *person, struct reg_case *c) {
    struct calendar_due due = { 0 };
    char why[200];

    if (c->answered_at > 0)
        return 0;
    if (calendar_deadline(room->calendar, c->channel, c->received_at, &due, why, sizeof(why)) != 0)
        memset(&due, 0, sizeof(due));
    c->acknowledged = false; /* the invitation was no acknowledgement */
    return receipt_send(room, m, a, person, c, &due);
}

/* The same mail in another box of ours: kept beside the one we had, and nothing follows from it. */
static int into_copy(struct room *room, const struct aduan_message *m, const struct reg_talk *talk,
                     const char *person, const struct reg_case *c, const char *first, const void *raw,
                     size_t raw_len) {
    struct aduan_message copy = *m;
    int rc;

    copy.flags |= REG_MESSAGE_COPY;
    copy.note = xasprintf("Salinan dari %s / a copy of %s", first, first);
    rc = keep(room, &copy, person, c->id, talk->id, raw, raw_len);
    free(copy.note);
    return rc != 0 ? rc
                   : room_history(room, c->id, "sistem", "copy", "%s is the same mail as %s", m->id, first);
}

/* The case a message belongs to, found or made; then what follows from it. */
static int into_case(struct room *room, const struct aduan_message *m, const struct desk_account *a,
                     struct reg_talk *talk, const char *person, const void *raw, size_t raw_len) {
    struct calendar_due due;
    struct match match;
    struct reg_case made = { 0 }, *c;
    int rc = match_message(room, m, talk, person, &match);
    bool fresh = match.how == MATCH_NONE, moved;

    c = fresh ? &made : &match.found;
    moved = !fresh && c->is_public && !m->is_public && !talk->is_public;
    if (rc == 0 && fresh)
        rc = open_case(room, m, talk, person, &match, c, &due);
    if (rc == 0)
        rc = keep(room, m, person, c->id, talk->id, raw, raw_len);
    if (rc == 0)
        rc = subject_anew(room, m, c);
    if (rc == 0 && !fresh)
        rc = follow_up(room, m, &match, person, talk->id, c);
    if (rc == 0 && moved)
        rc = move_private(room, m, talk, c);
    if (rc == 0 && m->kind == ADUAN_KIND_UNPARSED)
        rc = room_history(room, c->id, "sistem", "unparsed", "%s",
                          m->note != NULL ? m->note : "could not be read");
    if (rc == 0)
        rc = count_message(room, person, c->id);
    if (rc == 0)
        rc = outgoing_heard(room, a, talk, heard_at(room, m), m->platform_id, c->id);
    if (rc == 0 && fresh)
        rc = receipt_send(room, m, a, person, c, &due);
    if (rc == 0 && moved)
        rc = receipt_private(room, m, a, person, c);
    reg_case_clear(&made);
    match_clear(&match);
    return rc;
}

/* Its author took it back before it came: that something was written is all that is kept, and nobody is
 * thanked for it. */
static int take_unsent(struct room *room, const struct aduan_message *m, const struct desk_account *a,
                       struct reg_talk *talk, const char *person) {
    struct aduan_message gone = *m;
    struct reg_message kept;
    int rc = reg_file_forget(room->reg, m->raw_sha256, room->now);

    gone.text = gone.subject = gone.quoted = gone.note = gone.raw_sha256 = NULL;
    gone.flags |= ADUAN_MESSAGE_AUTOMATIC | REG_MESSAGE_UNSENT; /* reopens nothing */
    if (rc == 0)
        rc = into_case(room, &gone, a, talk, person, NULL, 0);
    if (rc == 0)
        rc = reg_message_by_key(room->reg, m->id, &kept);
    if (rc == 0) {
        rc = erase_message(room, &kept);
        reg_message_clear(&kept);
    }
    return rc;
}

/* Our own answer that came back into our box proves that it was sent. */
static int own_mail(struct room *room, const struct aduan_message *m, bool *ret_own) {
    char number[32], answer[65];
    struct reg_out o;
    int rc;

    *ret_own = false;
    if (m->message_id == NULL || thread_verify(&room->key, m->message_id, number, answer) < 0)
        return 0;
    rc = reg_out_by_key(room->reg, answer, &o);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    *ret_own = true;
    rc = report_answer(room, &o,
                       &(struct report){ .status = ANSWER_SENT,
                                         .platform_id = m->message_id,
                                         .at = room->now,
                                         .reason = "",
                                         .source = "own copy" });
    reg_out_clear(&o);
    return rc;
}

static int take_message(struct room *room, const struct aduan_message *m, const void *raw, size_t raw_len) {
    const struct desk_account *a = room_account(room, m->account);
    struct reg_talk talk = { 0 };
    struct reg_case of = { 0 };
    bool own = false, unsent = false;
    char *person, *first = NULL;
    int rc = own_mail(room, m, &own);

    if (rc != 0 || own)
        return rc;
    if (notice_is_about(room, m))
        return notice_reply(room, m, raw, raw_len);
    rc = follow_unsent(room, m, &unsent);
    if (rc == 0)
        rc = reg_talk_of(room->reg, m, room->now, &talk);
    person = reg_person_key(m->channel, &m->sender);
    if (rc == 0 && unsent)
        rc = take_unsent(room, m, a, &talk, person);
    else if (rc == 0 && (m->flags & ADUAN_MESSAGE_HISTORY) != 0)
        rc = background(room, m, &talk, person, raw, raw_len);
    else if (rc == 0 && (rc = match_copy(room, m, person, &of, &first)) == 0)
        rc = into_copy(room, m, &talk, person, &of, first, raw, raw_len);
    else if (rc == REG_NOTHING)
        rc = into_case(room, m, a, &talk, person, raw, raw_len);
    reg_case_clear(&of);
    free(first);
    free(person);
    reg_talk_clear(&talk);
    return rc;
}

/* What is about a message rather than one: applied once, or a dead letter with the reason. */
static int take_other(struct room *room, const struct aduan_message *m, const char *record, const void *raw,
                      size_t raw_len, const char **ret_why) {
    int rc = m->kind == ADUAN_KIND_STATUS ? 0 : reg_seen_add(room->reg, m->id);

    if (rc == REG_SEEN)
        return REG_SEEN;
    if (rc < 0)
        return rc;
    switch (m->kind) {
    case ADUAN_KIND_EDIT:
        return follow_edit(room, m, ret_why);
    case ADUAN_KIND_DELETE:
        return follow_delete(room, m, record, ret_why);
    case ADUAN_KIND_REACTION:
        return follow_reaction(room, m, ret_why);
    case ADUAN_KIND_STATUS:
        return follow_status(room, m, record, ret_why);
    case ADUAN_KIND_ECHO:
        return follow_echo(room, m, record, raw, raw_len, ret_why);
    default:
        return follow_system(room, m, raw, raw_len, ret_why);
    }
}

static int take(struct room *room, const struct aduan_message *m, const char *record, const void *raw,
                size_t raw_len, const char **ret_why) {
    if ((m->flags & ADUAN_MESSAGE_BOUNCE) != 0)
        return follow_bounce(room, m, raw, raw_len, ret_why);
    if (m->kind == ADUAN_KIND_MESSAGE || m->kind == ADUAN_KIND_UNPARSED)
        return take_message(room, m, raw, raw_len);
    return take_other(room, m, record, raw, raw_len, ret_why);
}

static int parse(const char *account, const char *record, struct aduan_message *m, char *why, size_t why_size) {
    json_error_t error;
    json_t *json = json_loads(record, 0, &error);
    int rc = 0;

    if (json == NULL) {
        snprintf(why, why_size, "record is not JSON: %s", error.text);
        return -1;
    }
    if (aduan_message_from_json(m, json, why, why_size) < 0)
        rc = -1;
    else if (m->id == NULL || m->id[0] == '\0' || m->channel == NULL || !text_equal(m->account, account)) {
        snprintf(why, why_size, "record has no id, no channel, or another account's name");
        rc = -1;
    }
    json_decref(json);
    return rc;
}

/* Inside a savepoint, so that one record that cannot be stored costs no other. */
static int take_guarded(struct room *room, struct aduan_message *m, const char *record, const void *raw,
                        size_t raw_len, char *why, size_t why_size) {
    const char *reason = NULL;
    int rc = reg_mark(room->reg);

    if (rc < 0)
        return rc;
    rc = take(room, m, record, raw, raw_len, &reason);
    if (rc == 0)
        return reg_keep(room->reg);
    if (rc == ROOM_BURIED) { /* applied, and to be seen by a person */
        snprintf(why, why_size, "%s", reason);
        rc = reg_keep(room->reg);
        return rc < 0 ? rc : ROOM_BURIED;
    }
    if (rc == REG_SEEN) { /* a repeat leaves nothing behind */
        rc = reg_undo_to_mark(room->reg);
        return rc < 0 ? rc : REG_SEEN;
    }
    if (rc != -EINVAL && rc != REG_NOTHING)
        return rc;
    snprintf(why, why_size, "%s", reason != NULL ? reason : reg_error(room->reg));
    rc = reg_undo_to_mark(room->reg);
    return rc < 0 ? rc : ROOM_BURIED;
}

int inbound_record(struct room *room, const char *account, const char *record, const void *raw, size_t raw_len,
                   bool bury, char *why, size_t why_size) {
    struct aduan_message m = { .kind = ADUAN_KIND_MESSAGE };
    int rc = parse(account, record, &m, why, why_size) < 0 ? ROOM_BURIED : reg_message_seen(room->reg, m.id);

    if (rc == REG_NOTHING)
        rc = take_guarded(room, &m, record, raw, raw_len, why, why_size);
    if (rc == ROOM_BURIED && bury) {
        int buried = room_bury(room, account, "in", m.id != NULL ? m.id : "", why, record, raw, raw_len);

        rc = buried < 0 ? buried : rc;
    }
    if (rc == REG_SEEN) {
        room->repeats++;
        rc = 0;
    }
    aduan_message_clear(&m);
    return rc;
}
