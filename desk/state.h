/*
 * state.h: the states of a case, their names, and which of them are open.
 *
 * A leaf. The names are those of DESIGN.md section 6; the register stores the
 * name, so that a person who opens it with sqlite3 can read it.
 */
#ifndef ADUAN_DESK_STATE_H
#define ADUAN_DESK_STATE_H

#include <stdbool.h>

enum case_state {
    CASE_NEW = 1,
    CASE_INCOMPLETE,
    CASE_IN_PROGRESS,
    CASE_AWAITING_APPROVAL,
    CASE_ESCALATED,
    CASE_SECTION_ANSWERED,
    CASE_ANSWERED,
    CASE_CLOSED,
    CASE_REFUSED,
    CASE_MERGED,
};

const char *case_state_name(enum case_state s);                     /* "new", …; "" for nonsense */
int case_state_parse(const char *name, enum case_state *ret_state); /* 0, or -1 */
bool case_state_open(enum case_state s);                            /* takes follow-ups: new … answered */

/* What became of an answer of ours (DESIGN.md section 7). */
enum answer_status {
    ANSWER_QUEUED = 1,
    ANSWER_HELD,
    ANSWER_SENDING,
    ANSWER_SENT,
    ANSWER_DELIVERED,
    ANSWER_READ,
    ANSWER_FAILED,
    ANSWER_UNCERTAIN,
};

const char *answer_status_name(enum answer_status s);
int answer_status_parse(const char *name, enum answer_status *ret_status);
/* May a report move an answer from one status to the other? Pure; false for repeats and for
 * reports that come late: queued < sending < sent < delivered < read. */
bool answer_status_moves(enum answer_status from, enum answer_status to);

#endif
