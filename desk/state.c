/* state.c: names and order of the states of cases and answers. */
#include "desk/state.h"

#include <stddef.h>
#include <string.h>

static const char *const case_names[] = {
    [CASE_NEW] = "new",
    [CASE_INCOMPLETE] = "incomplete",
    [CASE_IN_PROGRESS] = "in_progress",
    [CASE_AWAITING_APPROVAL] = "awaiting_approval",
    [CASE_ESCALATED] = "escalated",
    [CASE_SECTION_ANSWERED] = "section_answered",
    [CASE_ANSWERED] = "answered",
    [CASE_CLOSED] = "closed",
    [CASE_REFUSED] = "refused",
    [CASE_MERGED] = "merged",
};

static const char *const answer_names[] = {
    [ANSWER_QUEUED] = "queued", [ANSWER_HELD] = "held",           [ANSWER_SENDING] = "sending",
    [ANSWER_SENT] = "sent",     [ANSWER_DELIVERED] = "delivered", [ANSWER_READ] = "read",
    [ANSWER_FAILED] = "failed", [ANSWER_UNCERTAIN] = "uncertain",
};

static int find_name(const char *const *names, int count, const char *name) {
    int i;

    for (i = 1; i < count; i++)
        if (name != NULL && strcmp(names[i], name) == 0)
            return i;
    return -1;
}

const char *case_state_name(enum case_state s) {
    return s >= CASE_NEW && s <= CASE_MERGED ? case_names[s] : "";
}

int case_state_parse(const char *name, enum case_state *ret_state) {
    int i = find_name(case_names, CASE_MERGED + 1, name);

    if (i > 0)
        *ret_state = (enum case_state)i;
    return i > 0 ? 0 : -1;
}

bool case_state_open(enum case_state s) {
    return s >= CASE_NEW && s <= CASE_ANSWERED;
}

const char *answer_status_name(enum answer_status s) {
    return s >= ANSWER_QUEUED && s <= ANSWER_UNCERTAIN ? answer_names[s] : "";
}

int answer_status_parse(const char *name, enum answer_status *ret_status) {
    int i = find_name(answer_names, ANSWER_UNCERTAIN + 1, name);

    if (i > 0)
        *ret_status = (enum answer_status)i;
    return i > 0 ? 0 : -1;
}

bool answer_status_moves(enum answer_status from, enum answer_status to) {
    /* How far an answer has surely come; failed and uncertain know nothing beyond "sending". */
    static const int reached[] = {
        [ANSWER_QUEUED] = 1,    [ANSWER_HELD] = 1, [ANSWER_SENDING] = 2, [ANSWER_SENT] = 3,
        [ANSWER_DELIVERED] = 4, [ANSWER_READ] = 5, [ANSWER_FAILED] = 2,  [ANSWER_UNCERTAIN] = 2,
    };

    if (from < ANSWER_QUEUED || from > ANSWER_UNCERTAIN)
        return true;
    switch (to) {
    case ANSWER_QUEUED: /* again, by an officer or an opened window */
        return from == ANSWER_HELD || from == ANSWER_FAILED || from == ANSWER_UNCERTAIN;
    case ANSWER_HELD:
        return from != ANSWER_HELD && reached[from] <= 3; /* a platform may refuse after it accepted */
    case ANSWER_FAILED:
        return from != ANSWER_FAILED && reached[from] <= 3;
    case ANSWER_UNCERTAIN:
        return from == ANSWER_QUEUED || from == ANSWER_SENDING || from == ANSWER_HELD;
    default: /* a late "sent" does not undo a failure; only a proof of arrival does */
        return from == ANSWER_FAILED ? reached[to] > 3 : reached[to] > reached[from];
    }
}
