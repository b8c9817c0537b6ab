/*
 * follow.c: records that are about something: edits, deletions, reactions, statuses, echoes,
 * notices, bounces.
 *
 * Each returns 0 when it applied, or REG_NOTHING with *ret_why when it is about nothing we know:
 * the caller then undoes it and writes a dead letter. ROOM_BURIED: what it did stays, and a letter is
 * written all the same.
 */
#include "desk/room.h"

#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An answer whose end nobody can tell does not keep an echo waiting for ever. */
enum { ECHO_WAITS_MS = 15 * MINUTE_MS };

static int known(struct room *room, const struct aduan_message *m, struct reg_message *ret) {
    return reg_message_by_platform(room->reg, m->account, m->reply_to, ret);
}

static int early_add(struct room *room, const struct aduan_message *m, const char *key, const char *record,
                     const void *raw, size_t raw_len) {
    return reg_early_add(room->reg, &(struct reg_early){ .account = m->account,
                                                         .platform_id = (char *)(uintptr_t)key,
                                                         .record = (char *)(uintptr_t)record,
                                                         .raw = (unsigned char *)(uintptr_t)raw,
                                                         .raw_len = raw_len,
                                                         .at = room->now });
}

int follow_edit(struct room *room, const struct aduan_message *m, const char **ret_why) {
    struct reg_message of;
    int rc = known(room, m, &of);

    if (rc == REG_NOTHING)
        *ret_why = "an edit of a message we never saw";
    if (rc != 0)
        return rc;
    if (of.purged_at == 0)
        rc = reg_message_edit(room->reg, of.id, m->text != NULL ? m->text : "", room->now);
    if (rc == 0 && of.ticket > 0)
        rc = room_history(room, of.ticket, "sistem", "edited", "%s; the former text is kept", of.key);
    reg_message_clear(&of);
    return rc;
}

/* Webhooks overtake each other: the message may come yet, and must not be read then. */
static int remember_unsent(struct room *room, const struct aduan_message *m, const char *record) {
    char *key = xasprintf(REG_EARLY_UNSENT "%s", m->reply_to);
    int rc = early_add(room, m, key, record, NULL, 0);

    free(key);
    return rc;
}

static int one_is_enough(void *arg, const struct reg_early *e) {
    (void)e;
    *(bool *)arg = true;
    return 0;
}

int follow_unsent(struct room *room, const struct aduan_message *m, bool *ret) {
    char *key;
    int rc;

    *ret = false;
    if (m->platform_id == NULL || m->platform_id[0] == '\0')
        return 0;
    key = xasprintf(REG_EARLY_UNSENT "%s", m->platform_id);
    rc = reg_early_take(room->reg, m->account, key, one_is_enough, ret);
    free(key);
    return rc;
}

int follow_delete(struct room *room, const struct aduan_message *m, const char *record, const char **ret_why) {
    struct reg_message of;
    int rc = known(room, m, &of);

    if (rc == REG_NOTHING && m->reply_to != NULL && m->reply_to[0] != '\0')
        return remember_unsent(room, m, record);
    if (rc == REG_NOTHING)
        *ret_why = "a deletion of a message we never saw";
    if (rc != 0)
        return rc;
    if (of.purged_at == 0)
        rc = erase_message(room, &of);
    reg_message_clear(&of);
    return rc;
}

int follow_reaction(struct room *room, const struct aduan_message *m, const char **ret_why) {
    struct reg_message of;
    int rc = known(room, m, &of);

    if (rc == 0 && of.ticket == 0) {
        reg_message_clear(&of);
        return 0;
    }
    if (rc == REG_NOTHING)
        *ret_why = "a reaction to a message we never saw";
    if (rc != 0)
        return rc;
    if (m->text != NULL && m->text[0] != '\0')
        rc = room_history(room, of.ticket, "warga", "reaction", "%.64s on %s", m->text, of.key);
    else
        rc = room_history(room, of.ticket, "warga", "reaction_removed", "on %s", of.key);
    reg_message_clear(&of);
    return rc;
}

/* ----------------------------------------------------------------- statuses */

/* The answer a status is about: by our own id where the platform gave it back, else by its id. */
static int answer_of(struct room *room, const struct aduan_message *m, struct reg_out *ret) {
    struct reg_message message;
    int rc = REG_NOTHING;

    if (m->status.answer != NULL && m->status.answer[0] != '\0')
        rc = reg_out_by_key(room->reg, m->status.answer, ret);
    if (rc != REG_NOTHING)
        return rc;
    rc = reg_message_by_platform(room->reg, m->account, m->status.platform_id, &message);
    if (rc != 0)
        return rc;
    rc = message.out ? reg_out_by_key(room->reg, message.key, ret) : REG_NOTHING;
    if (message.out && rc == REG_NOTHING)
        rc = REG_SEEN; /* the office's own typing elsewhere: nothing to move */
    reg_message_clear(&message);
    return rc;
}

/* An answer on its way may be known to the platform already, under an id we shall be told: its status waits.
 * One that carries another sender's id is about none of ours. */
static int early_or_nothing(struct room *room, const struct aduan_message *m, const char *record,
                            const char **ret_why) {
    const struct aduan_status *s = &m->status;
    int rc = REG_NOTHING;

    *ret_why = "a status of an answer we never sent";
    if (s->platform_id != NULL && s->platform_id[0] != '\0' && (s->answer == NULL || s->answer[0] == '\0'))
        rc = reg_out_unnamed(room->reg, m->account);
    return rc == 0 ? early_add(room, m, s->platform_id, record, NULL, 0) : rc;
}

static int open_case_of(struct room *room, int64_t talk, struct reg_case *ret) {
    int rc = reg_case_latest_of_talk(room->reg, talk, true, ret);

    return rc == REG_NOTHING ? reg_case_latest_of_talk(room->reg, talk, false, ret) : rc;
}

/* The case that a chat is about; it may have begun in public and got its answer as a private reply. */
static int case_read(struct room *room, const struct aduan_message *m, struct reg_case *ret) {
    struct reg_talk talk = { 0 };
    char *person = reg_person_key(m->channel, &m->sender);
    int rc = m->conversation != NULL ? reg_talk_of(room->reg, m, room->now, &talk) : REG_NOTHING;

    if (rc == 0)
        rc = open_case_of(room, talk.id, ret);
    if (rc == REG_NOTHING && person[0] != '\0')
        rc = reg_case_open_public(room->reg, m->account, person, ret);
    reg_talk_clear(&talk);
    free(person);
    return rc;
}

/* A platform that names no messages, but a time up to which all of a chat was delivered or read. That nothing
 * of ours waited for it is no news. */
static int follow_up_to(struct room *room, const struct aduan_message *m, int64_t until,
                        const struct report *what, const char **ret_why) {
    struct reg_case c;
    struct reg_out o;
    int64_t after = 0;
    int rc = case_read(room, m, &c);

    if (rc == REG_NOTHING)
        *ret_why = "a status of a conversation without a case";
    if (rc != 0)
        return rc;
    while (rc == 0 && (rc = reg_out_up_to(room->reg, c.id, c.talk, until, after, &o)) == 0) {
        after = o.id;
        rc = report_answer(room, &o, what);
        reg_out_clear(&o);
    }
    reg_case_clear(&c);
    return rc == REG_NOTHING ? 0 : rc;
}

static bool names_one(const struct aduan_status *s) {
    return (s->platform_id != NULL && s->platform_id[0] != '\0') || (s->answer != NULL && s->answer[0] != '\0');
}

int follow_status(struct room *room, const struct aduan_message *m, const char *record, const char **ret_why) {
    struct report r = { .platform_id = m->status.platform_id,
                        .reason = m->status.reason,
                        .source = "platform",
                        .at = m->sent_at > 0 && m->sent_at < room->now ? m->sent_at : room->now };
    int64_t until = json_integer_value(json_object_get(m->extra, "watermark"));
    struct reg_out o;
    int rc;

    if (answer_status_parse(m->status.state, &r.status) < 0 || r.status < ANSWER_SENT ||
        r.status > ANSWER_FAILED) {
        *ret_why = "a status of an unknown name";
        return REG_NOTHING;
    }
    if (r.status == ANSWER_FAILED && m->status.window_closed)
        r.status = ANSWER_HELD;
    if (until > 0 && !names_one(&m->status))
        return follow_up_to(room, m, until, &r, ret_why);
    rc = answer_of(room, m, &o);
    if (rc == REG_SEEN)
        return 0;
    if (rc == REG_NOTHING)
        return early_or_nothing(room, m, record, ret_why);
    if (rc != 0)
        return rc;
    rc = report_answer(room, &o, &r);
    reg_out_clear(&o);
    return rc;
}

/* --------------------------------------------------------- echoes and notices */

/* What the office wrote elsewhere stands in the case that it answers. */
static int case_answered(struct room *room, const struct aduan_message *m, int64_t talk, struct reg_case *ret) {
    struct reg_message to;
    int rc = open_case_of(room, talk, ret);

    if (rc != REG_NOTHING)
        return rc;
    rc = known(room, m, &to);
    if (rc != 0)
        return rc;
    rc = to.ticket > 0 ? reg_case_get(room->reg, to.ticket, ret) : REG_NOTHING;
    reg_message_clear(&to);
    return rc;
}

/* Is this echo one of our own answers? Then it proves that it was sent. */
static int echo_of_answer(struct room *room, const struct aduan_message *m, bool *ret_ours) {
    struct aduan_message about = { .account = m->account, .status = m->status };
    struct reg_out o;
    int rc;

    if (about.status.platform_id == NULL)
        about.status.platform_id = m->platform_id;
    rc = answer_of(room, &about, &o);
    *ret_ours = rc == 0 || rc == REG_SEEN;
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = report_answer(room, &o,
                       &(struct report){ .status = ANSWER_SENT,
                                         .platform_id = m->platform_id,
                                         .reason = "",
                                         .source = "echo",
                                         .at = room->now });
    reg_out_clear(&o);
    return rc;
}

/* Written with the platform's own tools, or by its own machines. */
static int written_elsewhere(struct room *room, const struct aduan_message *m, const void *raw,
                             size_t raw_len) {
    struct reg_talk talk = { 0 };
    struct reg_case c = { 0 };
    bool unsent = false;
    int64_t id;
    int rc = reg_talk_of(room->reg, m, room->now, &talk);

    if (rc == 0)
        rc = case_answered(room, m, talk.id, &c);
    if (rc >= 0)
        rc = reg_message_add(room->reg, m, "", c.id, talk.id, true, raw, raw_len, &id);
    if (rc == 0 && c.id > 0)
        rc = room_history(room, c.id, "kantor", "answered_elsewhere", "%s: written by the office outside Aduan",
                          m->id);
    if (rc == 0)
        rc = follow_unsent(room, m, &unsent);
    if (rc == 0 && unsent)
        rc = reg_message_purge(room->reg, id, room->now);
    if (c.id > 0)
        reg_case_clear(&c);
    reg_talk_clear(&talk);
    return rc;
}

static bool has_conversation(const struct aduan_message *m) {
    return m->conversation != NULL && m->conversation[0] != '\0';
}

/* While an answer is under way whose id at the platform we have not been told, this may be that answer: history
 * cannot be unwritten, so it waits. */
int follow_echo(struct room *room, const struct aduan_message *m, const char *record, const void *raw,
                size_t raw_len, const char **ret_why) {
    bool ours = false;
    char *key;
    int rc = echo_of_answer(room, m, &ours);

    if (rc < 0 || ours)
        return rc;
    if (!has_conversation(m)) {
        *ret_why = "an echo without a conversation";
        return REG_NOTHING;
    }
    if (m->platform_id == NULL || m->platform_id[0] == '\0')
        return written_elsewhere(room, m, raw, raw_len);
    rc = reg_out_unnamed(room->reg, m->account);
    if (rc != 0)
        return rc < 0 ? rc : written_elsewhere(room, m, raw, raw_len);
    key = xasprintf(REG_EARLY_ECHO "%s", m->platform_id);
    rc = early_add(room, m, key, record, raw, raw_len);
    free(key);
    return rc;
}

static int early_echo(struct room *room, const struct reg_early *e, const struct aduan_message *m) {
    bool ours = false;
    int rc = echo_of_answer(room, m, &ours);

    if (rc < 0 || ours)
        return rc;
    rc = room->now - e->at < ECHO_WAITS_MS ? reg_out_unnamed(room->reg, m->account) : REG_NOTHING;
    if (rc == 0)
        return reg_early_add(room->reg, e);
    if (rc == REG_NOTHING)
        rc = written_elsewhere(room, m, e->raw, e->raw_len);
    return rc < 0 ? rc : 0;
}

int follow_early_echo(struct room *room, const struct reg_early *e) {
    struct aduan_message m = { .kind = ADUAN_KIND_ECHO };
    json_t *json = json_loads(e->record, 0, NULL);
    char why[160];
    int rc = 0;

    if (json != NULL && aduan_message_from_json(&m, json, why, sizeof(why)) == 0)
        rc = early_echo(room, e, &m);
    aduan_message_clear(&m);
    json_decref(json);
    return rc;
}

int follow_system(struct room *room, const struct aduan_message *m, const void *raw, size_t raw_len,
                  const char **ret_why) {
    struct reg_talk talk = { 0 };
    struct reg_case c = { 0 };
    int64_t id;
    int rc;

    *ret_why = m->note != NULL && m->note[0] != '\0' ? "a notice of the platform: see its record"
                                                     : "a notice of the platform about no case";
    if (m->conversation == NULL || m->conversation[0] == '\0')
        return REG_NOTHING;
    rc = reg_talk_of(room->reg, m, room->now, &talk);
    if (rc == 0)
        rc = open_case_of(room, talk.id, &c);
    if (rc == REG_NOTHING && json_object_get(m->extra, "new_id") != NULL)
        rc = ROOM_BURIED; /* what it told of the person is kept all the same */
    if (rc == 0) {
        rc = reg_message_add(room->reg, m, "", c.id, talk.id, false, raw, raw_len, &id);
        if (rc == 0)
            rc = room_history(room, c.id, "sistem", "notice", "%.300s",
                              m->note != NULL && m->note[0] != '\0' ? m->note
                              : m->text != NULL                     ? m->text
                                                                    : "");
        reg_case_clear(&c);
    }
    reg_talk_clear(&talk);
    return rc;
}

/* ------------------------------------------------------------------ bounces */

/* Only our own signed token says which answer bounced: anybody can write a delivery notice. */
static int bounced_answer(struct room *room, const struct aduan_message *m, struct reg_out *ret) {
    char number[32], answer[65];
    size_t i;

    for (i = 0; i <= m->reference_count && i < 50; i++) {
        const char *id = i == 0 ? m->reply_to : m->references[i - 1];

        if (id != NULL && thread_verify(&room->key, id, number, answer) == 0)
            return reg_out_by_key(room->reg, answer, ret);
    }
    if (m->status.answer != NULL && m->status.answer[0] != '\0')
        return reg_out_by_key(room->reg, m->status.answer, ret);
    return REG_NOTHING;
}

int follow_bounce(struct room *room, const struct aduan_message *m, const void *raw, size_t raw_len,
                  const char **ret_why) {
    struct reg_out o;
    int64_t id;
    char *reason;
    int rc = bounced_answer(room, m, &o);

    if (rc == REG_NOTHING)
        *ret_why = "a delivery failure notice that matches no answer of ours";
    if (rc != 0)
        return rc;
    rc = reg_message_add(room->reg, m, "", o.ticket, o.talk, false, raw, raw_len, &id);
    if (rc == 0) {
        reason = text_clean_line(
            m->status.reason != NULL ? m->status.reason : "returned by the mail system",
            strlen(m->status.reason != NULL ? m->status.reason : "returned by the mail system"), 300);
        rc = report_answer(room, &o,
                           &(struct report){ .status = ANSWER_FAILED,
                                             .platform_id = "",
                                             .reason = reason,
                                             .source = "bounce",
                                             .at = room->now });
        free(reason);
    }
    reg_out_clear(&o);
    return rc;
}
