/*
 * command_hand.c: a person carried an answer over, or could not.
 *
 * What a platform's report is for other channels is the officer's word here: who, when, how. The
 * deadline is met by the time at which it was carried over.
 */
#include "desk/ask.h"
#include "desk/view.h"
#include "desk/worklist.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REF_MAX = 200, REASON_MAX = 400, MINUTE = 60 * 1000 };

static char *line_of(const struct ask *a, const char *key, size_t max) {
    const char *s = ask_text(a, key);

    return text_clean_line(s, strlen(s), max);
}

/* The answer, as long as it waits; the case's number is said. To be cleared when 0. */
static int find_work(struct ask *a, struct reg_out *o, struct reg_case *c) {
    const char *id = ask_text(a, "id");
    int rc = worklist_find(a->room->reg, id, o);

    if (rc == REG_NOTHING)
        return ask_refuse(a, "Tidak ada jawaban \"%.64s\" / there is no answer of that id", id);
    if (rc == 0)
        rc = reg_case_get(a->room->reg, o->ticket, c);
    if (rc != 0)
        return rc;
    ask_say(a, "id", o->key);
    ask_say(a, "number", c->number);
    if (o->state == REG_OUT_BY_HAND)
        return 0;
    rc = ask_refuse(
        a,
        "%s (%s) tidak menunggu lagi: sudah dicatat \"%s\" / it does not wait to be carried over: it is "
        "%s already",
        o->key, c->number, answer_status_name(o->status), answer_status_name(o->status));
    reg_case_clear(c);
    reg_out_clear(o);
    return rc;
}

static int64_t queued_at(const struct reg_out *o) {
    json_t *answer = o->answer != NULL ? json_loads(o->answer, 0, NULL) : NULL;
    int64_t at = json_integer_value(json_object_get(answer, "queued_at"));

    json_decref(answer);
    return at;
}

/* Face to face and by telephone people are told first, and it is typed afterwards. */
static bool told_by_mouth(const struct reg_case *c) {
    return text_equal(c->channel, "counter") || text_equal(c->channel, "phone");
}

/* Elsewhere nothing was carried over before it was written; times are given to the minute. */
static int take_time(struct ask *a, const struct reg_out *o, const struct reg_case *c, int64_t *ret) {
    const char *at = ask_text(a, "at");
    int64_t first = told_by_mouth(c) ? c->received_at : queued_at(o);

    *ret = a->room->now;
    if (at[0] == '\0')
        return 0;
    if (view_parse_time(at, calendar_offset_minutes(a->room->calendar), ret) != 0)
        return ask_refuse(a, "\"%.40s\" bukan waktu / is no time", at);
    if (*ret > a->room->now)
        return ask_refuse(a, "%.40s ada di masa depan / is in the future", at);
    if (*ret < first - first % MINUTE)
        return ask_refuse(a, "%.40s lebih awal dari %s", at,
                          told_by_mouth(c) ? "pengaduannya / is before the complaint came"
                                           : "jawabannya / is before the answer was written");
    return 0;
}

static int settle(struct ask *a, struct reg_out *o, const struct report *what) {
    int rc = report_answer(a->room, o, what);

    if (rc == 0)
        ask_say(a, "status", answer_status_name(what->status));
    return rc;
}

int verb_worklist_done(struct ask *a) {
    struct reg_out o = { 0 };
    struct reg_case c = { 0 };
    struct report what = { .status = ANSWER_SENT, .reason = "", .source = "by hand" };
    char when[40], *ref;
    int rc = find_work(a, &o, &c);

    if (rc != 0)
        return rc;
    ref = line_of(a, "ref", REF_MAX);
    what.platform_id = ref;
    rc = take_time(a, &o, &c, &what.at);
    if (rc == 0)
        rc = settle(a, &o, &what);
    if (rc == 0) /* Redis never knew it, and has nothing to forget */
        rc = reg_out_set(a->room->reg, o.id, REG_OUT_DONE, false, o.attempt, o.relayed_at);
    view_time(what.at, calendar_offset_minutes(a->room->calendar), when, sizeof(when));
    if (rc == 0)
        rc = room_history(a->room, c.id, a->actor, "carried_over", "%s: %s, %s%s%s%s", o.key,
                          worklist_way(c.channel, c.phone), when,
                          what.at < queued_at(&o) - MINUTE ? " (before it was written down)" : "",
                          ref[0] != '\0' ? ", ref " : "", ref);
    free(ref);
    reg_out_clear(&o);
    reg_case_clear(&c);
    return rc;
}

int verb_worklist_failed(struct ask *a) {
    struct reg_out o = { 0 };
    struct reg_case c = { 0 };
    char *reason = line_of(a, "reason", REASON_MAX);
    int rc = reason[0] != '\0' ? find_work(a, &o, &c)
                               : ask_refuse(a, "Alasan diperlukan: --reason / a reason is needed");

    if (rc == 0) {
        rc = settle(a, &o,
                    &(struct report){ .status = ANSWER_FAILED,
                                      .platform_id = "",
                                      .reason = reason,
                                      .source = "by hand",
                                      .at = a->room->now });
        if (rc == 0)
            rc = room_history(a->room, c.id, a->actor, "not_carried_over", "%s: %s", o.key, reason);
        reg_out_clear(&o);
        reg_case_clear(&c);
    }
    free(reason);
    return rc;
}
