/*
 * replay.c: messages that could not be read, read again.
 *
 * The desk never parses platform bytes. It puts what it kept on the account's
 * :replay stream; the receive worker parses it and sends what is new the normal
 * way. For an id that is known here the record comes back as an event: a stub
 * becomes the message it stood for, and anything else stays as it is.
 */
#include "desk/ask.h"
#include "desk/view.h"
#include "desk/worklist.h"

#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sending {
    struct ask *ask;
    const char *account;
    int64_t count;
    int rc; /* of Redis */
};

static int put_back(struct room *room, const char *account, const char *key, const struct reg_kept *kept) {
    json_t *json =
        json_pack("{s:I, s:s}", "received_at", (json_int_t)kept->received_at, "sha256", kept->sha256);
    char *text = json_dumps(json, JSON_COMPACT);
    int rc = queue_replay(room->o->queue, account, key, text, kept->bytes, kept->len);

    free(text);
    json_decref(json);
    return rc;
}

static int send_kept(void *arg, const struct reg_kept *kept) {
    struct sending *s = arg;

    s->rc = put_back(s->ask->room, s->account, kept->key, kept);
    s->count += s->rc == 0;
    return s->rc < 0 ? 1 : 0;
}

int verb_replay(struct ask *a) {
    struct sending s = { .ask = a, .account = ask_text(a, "account") };
    const char *from = ask_text(a, "from");
    int64_t since;
    int rc;

    if (room_account(a->room, s.account) == NULL)
        return ask_refuse(a, "no account \"%.40s\"", s.account);
    if (view_parse_time(from, calendar_offset_minutes(a->room->calendar), &since) < 0)
        return ask_refuse(a, "from \"%.40s\": not a date (2026-11-24) or time (2026-11-24T08:00:00+07:00)",
                          from);
    rc = reg_kept(a->room->reg, s.account, since, json_is_true(json_object_get(a->json, "failed")), send_kept,
                  &s);
    if (rc < 0)
        return rc;
    if (s.rc < 0)
        return ask_refuse(a, "redis: %s (%lld were put back)", queue_error(a->room->o->queue),
                          (long long)s.count);
    json_object_set_new(a->answer, "count", json_integer(s.count));
    return room_history(a->room, 0, a->actor, "replay", "%s from %s: %lld", s.account, from,
                        (long long)s.count);
}

/* Bytes of a dead letter that no parser understood. 0 or ASK_REFUSED. */
int replay_letter(struct ask *a, const struct queue_dead *d) {
    struct reg_kept kept = { .received_at = d->at, .sha256 = "", .bytes = d->raw, .len = d->raw_len };

    if (d->raw_len == 0)
        return ask_refuse(a, "this letter holds no bytes to parse again");
    if (put_back(a->room, ask_text(a, "account"), d->ref, &kept) < 0)
        return ask_refuse(a, "redis: %s", queue_error(a->room->o->queue));
    return 0;
}

/* A portal has one text of a report: other words under its number are that text, changed since. */
static int changed_there(struct room *room, const struct aduan_message *m, const struct reg_message *old) {
    int rc;

    if (!worklist_is_portal(m->channel) || m->kind != ADUAN_KIND_MESSAGE || old->purged_at != 0 ||
        text_equal(m->text, old->text))
        return 0;
    rc = reg_message_edit(room->reg, old->id, m->text, room->now);
    return rc < 0
               ? rc
               : room_history(room, old->ticket, "sistem", "edited", "%s; the former text is kept", old->key);
}

int replay_event(struct room *room, const struct queue_entry *e, const json_t *json) {
    struct aduan_message m = { .kind = ADUAN_KIND_MESSAGE };
    struct reg_message old;
    char why[160];
    int rc = aduan_message_from_json(&m, json_object_get(json, "record"), why, sizeof(why));

    if (rc < 0) {
        aduan_message_clear(&m);
        return 0;
    }
    rc = reg_message_by_key(room->reg, e->key, &old);
    if (rc == 0) {
        bool stub = strcmp(old.kind, aduan_kind_name(ADUAN_KIND_UNPARSED)) == 0 && old.purged_at == 0;

        if (stub && m.kind != ADUAN_KIND_UNPARSED) {
            rc = reg_message_reread(room->reg, old.id, &m);
            if (rc == 0)
                rc = room_history(room, old.ticket, "sistem", "replayed", "%s", e->key);
        } else if (m.received_at > old.received_at) {
            /* No bytes that were kept: somebody brought them a second time (aduanctl import). */
            rc = room_history(room, old.ticket, "sistem", "repeated", "%s", e->key);
            if (rc == 0)
                rc = changed_there(room, &m, &old);
        }
        reg_message_clear(&old);
    }
    aduan_message_clear(&m);
    return rc < 0 ? rc : 0;
}
