/*
 * report.c: what became of an answer or an attachment.
 *
 * Reports repeat, come late and in any order: an answer's status only moves as
 * answer_status_moves() allows, and a report of an attempt that has ended is
 * ignored. A failed or uncertain answer brings the case back to the officer and
 * writes a dead letter; a later proof that it arrived settles both.
 */
#include "desk/room.h"

#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_FILE_MAX = 64 * 1024 }; /* of an attachment that is a message's text */

static bool arrived(enum answer_status s) {
    return s == ANSWER_SENT || s == ANSWER_DELIVERED || s == ANSWER_READ;
}

static int note_history(struct room *room, const struct reg_out *o, const struct report *what) {
    char event[32];

    snprintf(event, sizeof(event), "answer_%s", answer_status_name(what->status));
    return room_history(room, o->ticket, "sistem", event, "%s%s%s (%s)", o->key,
                        what->reason[0] != '\0' ? ": " : "", what->reason, what->source);
}

/* The case was brought back for an answer that has arrived after all; nothing else happened since. */
static int may_settle(struct room *room, const struct reg_out *o, const struct reg_case *c, bool *ret) {
    struct reg_message last;
    int rc = reg_message_last_in(room->reg, c->id, &last);

    *ret = rc == REG_NOTHING || (rc == 0 && last.id < o->message);
    if (rc == 0)
        reg_message_clear(&last);
    return rc < 0 ? rc : 0;
}

/* A reply goes out that was held: what reopened the case meanwhile was the citizen's leave to send it. */
static int was_released(struct room *room, const struct reg_out *o, bool *ret) {
    char *actor = NULL;
    int rc = o->again ? reg_history_actor(room->reg, o->ticket, "reopened", &actor) : REG_NOTHING;

    *ret = rc == 0 && text_equal(actor, "sistem");
    free(actor);
    return rc < 0 ? rc : 0;
}

static int case_met(struct room *room, const struct reg_out *o, const struct report *what) {
    bool was_trouble = o->status == ANSWER_UNCERTAIN || o->status == ANSWER_FAILED;
    struct reg_case c;
    bool settle = false;
    int rc = reg_case_get(room->reg, o->ticket, &c);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (c.met_at == 0)
        c.met_at = what->at;
    if (c.state == CASE_IN_PROGRESS)
        rc = was_trouble ? may_settle(room, o, &c, &settle) : was_released(room, o, &settle);
    if (settle)
        c.state = CASE_ANSWERED;
    c.updated_at = room->now;
    if (rc == 0)
        rc = reg_case_save(room->reg, &c);
    reg_case_clear(&c);
    return rc;
}

/* An echo that was taken for the office's own typing was this answer. */
static int absorb_echo(struct room *room, const struct reg_out *o, const char *platform_id) {
    struct reg_message echo;
    int rc = reg_message_by_platform(room->reg, o->account, platform_id, &echo);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (echo.out && echo.answer_kind == 0 && echo.id != o->message)
        rc = reg_message_drop(room->reg, echo.id, room->now);
    reg_message_clear(&echo);
    return rc;
}

static int early_echo(void *arg, const struct reg_early *e) {
    return follow_early_echo(arg, e);
}

static int early_status(void *arg, const struct reg_early *e) {
    struct room *room = arg;
    struct aduan_message m = { .kind = ADUAN_KIND_STATUS };
    json_t *json = json_loads(e->record, 0, NULL);
    const char *ignored = NULL;
    char why[160];
    int rc = 0;

    if (json != NULL && aduan_message_from_json(&m, json, why, sizeof(why)) == 0)
        rc = follow_status(room, &m, e->record, &ignored);
    aduan_message_clear(&m);
    json_decref(json);
    return rc < 0 ? rc : 0;
}

/* Its echo overtook the sender's word. */
static int take_echo(struct room *room, const struct reg_out *o, const char *platform_id) {
    char *key = xasprintf(REG_EARLY_ECHO "%s", platform_id);
    int rc = reg_early_take(room->reg, o->account, key, early_echo, room);

    free(key);
    return rc;
}

static int it_arrived(struct room *room, struct reg_out *o, const struct report *what) {
    int rc = reg_out_set(room->reg, o->id, o->state == REG_OUT_DONE ? REG_OUT_DONE : REG_OUT_ENDED, false,
                         o->attempt, o->relayed_at);

    if (rc == 0 && (o->status == ANSWER_FAILED || o->status == ANSWER_UNCERTAIN))
        rc = reg_burial_settle(room->reg, o->key);
    if (rc == 0 && o->kind == ADUAN_ANSWER_REPLY)
        rc = case_met(room, o, what);
    return rc < 0 ? rc : note_history(room, o, what);
}

static int bring_back(struct room *room, const struct reg_out *o) {
    struct reg_case c;
    int rc = reg_case_get(room->reg, o->ticket, &c);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (o->kind == ADUAN_ANSWER_REPLY && (c.state == CASE_ANSWERED || c.state == CASE_CLOSED)) {
        c.state = CASE_IN_PROGRESS;
        c.closed_at = 0;
    }
    if (o->kind == ADUAN_ANSWER_REPLY)
        c.met_at = 0;
    c.updated_at = room->now;
    rc = reg_case_save(room->reg, &c);
    reg_case_clear(&c);
    return rc;
}

static int trouble(struct room *room, struct reg_out *o, const struct report *what) {
    char *reason;
    int rc;

    if (o->kind == ADUAN_ANSWER_NOTICE)
        return notice_failed(room, o, what->reason);
    reason = xasprintf("answer %s: %s", answer_status_name(what->status),
                       what->reason[0] != '\0' ? what->reason : "no reason given");
    rc = reg_out_set(room->reg, o->id, REG_OUT_STUCK, false, o->attempt, o->relayed_at);
    if (rc == 0)
        rc = bring_back(room, o);
    if (rc == 0)
        rc = note_history(room, o, what);
    if (rc == 0)
        rc = room_bury(room, o->account, "out", o->key, reason, o->answer, NULL, 0);
    free(reason);
    return rc;
}

/* The platform says the window is closed. If the citizen wrote since we sent, it is open again. */
static int hold(struct room *room, struct reg_out *o, const struct report *what) {
    struct reg_talk t = { 0 };
    struct reg_case c = { 0 };
    bool reopened;
    int rc = reg_talk_get(room->reg, o->talk, &t);

    if (rc == 0)
        rc = reg_case_get(room->reg, o->ticket, &c);
    reopened = rc == 0 && t.last_in_at > o->relayed_at &&
               outgoing_window_open(room_account(room, o->account), &t, true, room->now);
    if (rc == 0)
        rc = reg_out_set(room->reg, o->id, reopened ? REG_OUT_READY : REG_OUT_HELD, true, o->attempt,
                         o->relayed_at);
    if (rc == 0)
        rc = note_history(room, o, what);
    if (rc == 0 && reopened)
        rc = reg_message_end(room->reg, o->message, ANSWER_QUEUED, "", "");
    else if (rc == 0)
        rc = outgoing_template(room, &c, &t);
    reg_talk_clear(&t);
    if (rc == 0)
        reg_case_clear(&c);
    return rc;
}

/* Machines' answers are not kept for later: their time is over. */
static int drop_automatic(struct room *room, struct reg_out *o, const struct report *what) {
    int rc = reg_message_end(room->reg, o->message, ANSWER_FAILED, "", "reply window closed");

    if (rc == 0)
        rc = reg_out_set(room->reg, o->id, REG_OUT_ENDED, false, o->attempt, o->relayed_at);
    return rc < 0 ? rc : note_history(room, o, what);
}

static int apply(struct room *room, struct reg_out *o, const struct report *what) {
    int rc = reg_message_end(room->reg, o->message, what->status, what->platform_id, what->reason);

    if (rc < 0)
        return rc;
    if (arrived(what->status))
        return it_arrived(room, o, what);
    if (what->status == ANSWER_HELD)
        return o->kind == ADUAN_ANSWER_REPLY ? hold(room, o, what) : drop_automatic(room, o, what);
    return trouble(room, o, what);
}

/* A report that moves nothing may still tell the platform's id, or (the sender's, which comes last)
 * that Redis can forget: before it settled, Redis would not. */
static int only_note(struct room *room, struct reg_out *o, const struct report *what) {
    int rc = 0;

    if (what->platform_id[0] != '\0' && what->source[0] == 's')
        rc = reg_message_end(room->reg, o->message, o->status, what->platform_id, "");
    if (rc == 0 && arrived(what->status) && arrived(o->status) && o->state != REG_OUT_READY &&
        (what->attempt > 0 || o->state != REG_OUT_DONE))
        rc = reg_out_set(room->reg, o->id, REG_OUT_ENDED, false, o->attempt, o->relayed_at);
    else if (rc == 0)
        rc = reg_out_set(room->reg, o->id, o->state, o->again, o->attempt, o->relayed_at);
    return rc;
}

/* The platform's refusal overtook its own acceptance: the sender's "sent" names the very message that was
 * refused since, and is no news. (A released answer keeps that id until its next attempt has one.) */
static int refused_since(struct room *room, const struct reg_out *o, const struct report *r, bool *ret) {
    struct reg_message m;
    int rc;

    *ret = false;
    if (r->attempt == 0 || r->status != ANSWER_SENT || r->platform_id[0] == '\0' ||
        (o->status != ANSWER_HELD && !(o->status == ANSWER_QUEUED && o->again && o->state == REG_OUT_READY)))
        return 0;
    rc = reg_message_by_key(room->reg, o->key, &m);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    *ret = text_equal(m.platform_id, r->platform_id);
    reg_message_clear(&m);
    return 0;
}

int report_answer(struct room *room, struct reg_out *o, const struct report *what) {
    struct report r = *what;
    bool fresh_id, refused;
    int rc = 0;

    if (r.attempt > 0 && r.attempt <= o->attempt)
        return 0;
    if (r.attempt > 0)
        o->attempt = r.attempt;
    r.reason = r.reason != NULL ? r.reason : "";
    r.platform_id = r.platform_id != NULL ? r.platform_id : "";
    fresh_id = r.platform_id[0] != '\0' && r.attempt > 0;
    rc = refused_since(room, o, &r, &refused);
    if (rc < 0 || refused)
        return rc < 0 ? rc : reg_out_set(room->reg, o->id, o->state, o->again, o->attempt, o->relayed_at);
    if (fresh_id)
        rc = absorb_echo(room, o, r.platform_id);
    if (rc == 0)
        rc = answer_status_moves(o->status, r.status) ? apply(room, o, &r) : only_note(room, o, &r);
    if (rc == 0 && fresh_id)
        rc = reg_early_take(room->reg, o->account, r.platform_id, early_status, room);
    return rc == 0 && fresh_id ? take_echo(room, o, r.platform_id) : rc;
}

/* ------------------------------------------------------------------- events */

static const char *text_of(const json_t *json, const char *key) {
    const char *s = json_string_value(json_object_get(json, key));

    return s != NULL ? s : "";
}

/* What a text file of a citizen says, as far as a message takes it. New string; NULL: it cannot be had. */
static char *read_text(const struct room *room, const char *sha256, bool *ret_cut) {
    int fd = room->o->blobs != NULL ? blob_open(room->o->blobs, sha256) : -1;
    char *bytes, *text;
    size_t have = 0;
    ssize_t n = fd >= 0 ? 1 : 0;

    if (fd < 0)
        return NULL;
    bytes = xcalloc(1, TEXT_FILE_MAX + 1);
    while (have <= TEXT_FILE_MAX && (n = read(fd, bytes + have, TEXT_FILE_MAX + 1 - have)) > 0)
        have += (size_t)n;
    close(fd);
    *ret_cut = have > TEXT_FILE_MAX;
    if (*ret_cut) {
        bytes[TEXT_FILE_MAX] = '\0';
        have = text_cut(bytes, TEXT_FILE_MAX);
    }
    text = n < 0 ? NULL : text_clean(bytes, have);
    free(bytes);
    return text;
}

int report_text(struct room *room, int64_t message, int index) {
    struct reg_message m;
    char sha256[65], *text, *subject;
    bool cut = false;
    int rc = reg_attachment_text(room->reg, message, index, sha256);

    if (rc == 0)
        rc = reg_message_get(room->reg, message, &m);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    text = read_text(room, sha256, &cut);
    if (text != NULL && text[0] != '\0') {
        subject = inbound_subject(text);
        rc = reg_message_text(room->reg, message, text);
        if (rc == 0 && m.ticket > 0)
            rc = reg_case_subject(room->reg, m.ticket, subject);
        free(subject);
    }
    if (rc == 0 && m.ticket > 0)
        rc = room_history(room, m.ticket, "sistem", "text", "%s: %s", m.key,
                          text == NULL ? "the file with its text cannot be read"
                          : cut        ? "its text came as a file, longer than shown: see the attachment"
                                       : "its text came as a file");
    free(text);
    reg_message_clear(&m);
    return rc;
}

/* {"type": "media", "state": "stored" | "failed", "sha256", "size", "type_" (media type), "reason"} */
static int attachment_end(struct room *room, const char *key, const json_t *json) {
    const char *hash = strrchr(key, '#');
    const char *state = text_of(json, "state");
    const char *note = text_of(json, "reason");
    const json_t *size = json_object_get(json, "size");
    int64_t index = 0, message;
    char *id;
    int rc;

    if (text_parse_int(hash + 1, 0, 100000, &index) < 0)
        return REG_NOTHING;
    id = xstrndup(key, (size_t)(hash - key));
    rc = reg_attachment_end(room->reg, id, (int)index, text_equal(state, "stored") ? "stored" : "failed",
                            text_of(json, "sha256"), json_is_integer(size) ? json_integer_value(size) : -1,
                            text_of(json, "type_"), note[0] != '\0' ? note : text_of(json, "note"), &message);
    free(id);
    if (rc == REG_SEEN) /* a repeat, or unsent meanwhile: then nobody wants the file */
        return reg_file_forget(room->reg, text_of(json, "sha256"), room->now);
    return rc == 0 ? report_text(room, message, (int)index) : rc;
}

/* An attachment of a message not read yet waits for it. */
static int attachment_event(struct room *room, const struct queue_entry *e, const json_t *json) {
    int rc = attachment_end(room, e->key, json);

    if (rc == REG_NOTHING)
        rc = reg_early_add(room->reg, &(struct reg_early){ .account = (char *)(uintptr_t)e->account,
                                                           .platform_id = (char *)(uintptr_t)e->key,
                                                           .record = (char *)(uintptr_t)e->record,
                                                           .at = room->now });
    return rc < 0 ? rc : 0;
}

struct early {
    struct room *room;
    const char *key;
};

static int early_attachment(void *arg, const struct reg_early *e) {
    struct early *early = arg;
    json_t *json = json_loads(e->record, 0, NULL);
    int rc = json != NULL ? attachment_end(early->room, early->key, json) : 0;

    json_decref(json);
    return rc < 0 ? rc : 0;
}

int report_early_attachment(struct room *room, const char *account, const char *key) {
    struct early early = { .room = room, .key = key };

    return reg_early_take(room->reg, account, key, early_attachment, &early);
}

static int answer_event(struct room *room, const struct queue_entry *e, const json_t *json) {
    struct report r = { .platform_id = text_of(json, "platform_id"),
                        .reason = text_of(json, "reason"),
                        .source = "sender",
                        .attempt = (int)json_integer_value(json_object_get(json, "attempt")),
                        .at = json_integer_value(json_object_get(json, "at")) };
    struct reg_out o;
    int rc;

    if (text_equal(text_of(json, "state"), "later"))
        return 0;
    if (answer_status_parse(text_of(json, "state"), &r.status) < 0 || r.status == ANSWER_QUEUED ||
        r.status == ANSWER_SENDING)
        return REG_NOTHING;
    if (r.at <= 0 || r.at > room->now)
        r.at = room->now;
    rc = reg_out_by_key(room->reg, e->key, &o);
    if (rc != 0)
        return rc;
    rc = report_answer(room, &o, &r);
    reg_out_clear(&o);
    return rc;
}

int report_event(struct room *room, const struct queue_entry *e) {
    json_t *json = json_loads(e->record, 0, NULL);
    int rc = REG_NOTHING;

    if (text_equal(json_string_value(json_object_get(json, "type")), "replay"))
        rc = replay_event(room, e, json);
    else if (json_is_object(json))
        rc = strchr(e->key, '#') != NULL ? attachment_event(room, e, json) : answer_event(room, e, json);
    if (rc == REG_NOTHING)
        rc = room_bury(room, e->account, "in", e->key, "event: about nothing we know", e->record, NULL, 0);
    json_decref(json);
    return rc;
}
