/*
 * receipt.c: the acknowledgement: once a case, never to machines, within a budget.
 *
 * Two machines that thank each other never stop, so the rules are strict: no
 * answer to what is marked automatic, to lists, bounces and our own addresses,
 * at most 5 automatic answers a day to one correspondent over all channels, and
 * none at all to one who writes more than 20 messages within an hour.
 */
#include "desk/room.h"
#include "desk/worklist.h"

#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AUTOMATIC_PER_DAY = 5, MESSAGES_PER_HOUR = 20, TOO_OLD_MS = DAY_MS };

int receipt_count(struct room *room, const char *person, bool *ret_first_over) {
    int64_t count = 0;
    int rc;

    *ret_first_over = false;
    if (person[0] == '\0')
        return 0;
    rc = reg_count_add(room->reg, "in", person, room->now / HOUR_MS, &count);
    *ret_first_over = count == MESSAGES_PER_HOUR + 1;
    return rc;
}

/* Addresses behind which nobody reads. */
static bool machine_address(const char *address) {
    static const char *const starts[] = { "mailer-daemon", "postmaster@", "no-reply",     "noreply",
                                          "no_reply",      "donotreply",  "do-not-reply", "bounce" };
    size_t i;

    for (i = 0; address != NULL && i < sizeof(starts) / sizeof(starts[0]); i++)
        if (text_starts_nocase(address, starts[i]))
            return true;
    return false;
}

/* NULL, or why there is no automatic answer. Pure but for the counters. */
static const char *refusal(const struct room *room, const struct aduan_message *m,
                           const struct desk_account *a) {
    int64_t sent = m->sent_at > 0 ? m->sent_at : m->received_at;

    if (a == NULL || !a->can_send)
        return "the channel cannot send";
    if (a->by_hand)
        return "answers here are carried over by hand: the office's own receipt is the acknowledgement";
    if (m->kind != ADUAN_KIND_MESSAGE)
        return "it could not be read";
    if ((m->flags & REG_MESSAGE_UNSENT) != 0)
        return "its author took it back";
    if ((m->flags & ADUAN_MESSAGE_AUTOMATIC) != 0)
        return "it was written by a machine";
    if ((m->flags & ADUAN_MESSAGE_LIST) != 0)
        return "it came through a mailing list";
    if ((m->flags & (ADUAN_MESSAGE_BOUNCE | ADUAN_MESSAGE_HISTORY)) != 0)
        return "it is no new message";
    if (room_own_address(room, m->sender.address) || room_own_address(room, m->sender.id))
        return "it came from one of our own addresses";
    if (machine_address(m->sender.address))
        return "nobody reads at that address";
    if (sent > 0 && room->now - sent > TOO_OLD_MS)
        return "it is older than 24 hours";
    if (worklist_is_portal(m->channel))
        return "the portal itself shows the reporter what becomes of the report, and everybody may read there";
    return NULL;
}

static bool confidential(const struct reg_case *c) {
    return c->confidentiality[0] != '\0' && strcmp(c->confidentiality, "normal") != 0;
}

/* Matters in which a machine says no more than that it was received (templates, rule 7). */
static bool sensitive(const struct reg_case *c) {
    return text_equal(c->category, "PUNGLI_CALO") || text_equal(c->category, "TPPO_CPMI") ||
           text_equal(c->category, "PRIVASI_DATA");
}

/* 0; REG_NOTHING: there is no text that may be sent (why says it). */
static int render_private(struct room *room, const struct reg_case *c, const struct calendar_due *due,
                          struct text *out, char *why, size_t why_size) {
    char *received = calendar_time_text(room->calendar, c->received_at, c->language);
    char *until = calendar_time_text(room->calendar, c->due_at, c->language);
    char *begins = calendar_time_text(room->calendar, due->effective, c->language);
    const struct template_value values[] = {
        { "nama", c->name[0] != '\0' ? c->name : template_fallback_name(c->language) },
        { "nomor_tiket", c->number },
        { "tanggal_terima", received },
        { "tenggat", until },
        { "tanggal_mulai", begins },
    };
    bool discreet = confidential(c) || sensitive(c);
    int rc = template_render(room->templates, c->language, discreet ? "R-01R" : "R-01", values, 5, out, why,
                             why_size);

    if (rc == 0 && !sensitive(c) && due->effective > due->received) {
        text_add(out, "\n\n");
        rc = template_render(room->templates, c->language, "R-01L", values, 5, out, why, why_size);
    }
    free(received);
    free(until);
    free(begins);
    return rc == 0 ? 0 : REG_NOTHING;
}

static int render(struct room *room, const struct reg_case *c, const struct calendar_due *due, struct text *out,
                  char *why, size_t why_size) {
    if (c->is_public)
        return template_render(room->templates, c->language, "R-14", NULL, 0, out, why, why_size) == 0
                   ? 0
                   : REG_NOTHING;
    if (c->due_at == 0) {
        snprintf(why, why_size, "there is no calendar for the date it would promise");
        return REG_NOTHING;
    }
    return render_private(room, c, due, out, why, why_size);
}

static int not_sent(struct room *room, const struct reg_case *c, const char *why) {
    return room_history(room, c->id, "sistem", "no_receipt", "%s", why);
}

static int send_text(struct room *room, struct reg_case *c, const struct calendar_due *due) {
    struct text text = TEXT_INIT;
    char why[300] = "", id[64];
    int rc = render(room, c, due, &text, why, sizeof(why));

    if (rc == REG_NOTHING) {
        room_log(room, DESK_ERROR, "%s: no acknowledgement: %s", c->number, why);
        rc = not_sent(room, c, why);
    } else {
        struct outgoing what = { .kind = ADUAN_ANSWER_AUTOMATIC,
                                 .text = text.s,
                                 .language = c->language,
                                 .actor = "sistem",
                                 .in_public = c->is_public,
                                 .why = why,
                                 .why_size = sizeof(why) };

        rc = outgoing_answer(room, c, &what, id, NULL);
        if (rc == OUTGOING_REFUSED) {
            text_free(&text);
            return not_sent(room, c, why);
        }
        c->acknowledged = true;
        if (rc == 0)
            rc = reg_case_save(room->reg, c);
        if (rc == 0)
            rc = room_history(room, c->id, "sistem", "acknowledged", "%s", id);
    }
    text_free(&text);
    return rc;
}

/* Counts this answer against the day's budget; *ret_over: there is none left. */
static int spend(struct room *room, const char *person, bool *ret_over) {
    int64_t spent = 0;
    int rc;

    *ret_over = false;
    if (person[0] == '\0')
        return 0;
    rc = reg_count(room->reg, "auto", person, room->now / DAY_MS, &spent);
    if (rc == 0 && spent >= AUTOMATIC_PER_DAY)
        *ret_over = true;
    else if (rc == 0)
        rc = reg_count_add(room->reg, "auto", person, room->now / DAY_MS, &spent);
    return rc;
}

int receipt_send(struct room *room, const struct aduan_message *m, const struct desk_account *a,
                 const char *person, struct reg_case *c, const struct calendar_due *due) {
    const char *why = c->acknowledged ? "it was acknowledged before" : refusal(room, m, a);
    int64_t within_hour = 0;
    bool over = false;
    int rc = 0;

    if (why == NULL && person[0] != '\0')
        rc = reg_count(room->reg, "in", person, room->now / HOUR_MS, &within_hour);
    if (rc == 0 && why == NULL && within_hour > MESSAGES_PER_HOUR)
        why = "too many messages within the hour: automatic answers pause";
    if (rc == 0 && why == NULL)
        rc = spend(room, person, &over);
    if (rc == 0 && over)
        why = "this correspondent's automatic answers for today are used up";
    if (rc < 0)
        return rc;
    return why != NULL ? not_sent(room, c, why) : send_text(room, c, due);
}
