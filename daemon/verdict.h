/*
 * verdict.h: what becomes of an answer after an attempt. Pure.
 *
 * The connector says what happened, this says what follows: the state to
 * settle, when to try again, and what it means for the account.
 */
#ifndef ADUAN_VERDICT_H
#define ADUAN_VERDICT_H

#include "connectors/connector.h"
#include "queue/queue.h"

struct verdict_input {
    const struct aduan_result *result;
    int attempt;    /* this one, from 1 */
    int refusals;   /* of the account, in a row, before this */
    int64_t age_ms; /* since the answer was queued */
    int64_t now;
    bool can_find; /* the platform can be asked, and has not been for this attempt */
    bool resend;   /* policy, or the platform drops repeats */
    uint32_t random;
};

struct verdict {
    enum queue_state state;
    bool find;           /* ask the platform before settling; due says when */
    int64_t due;         /* LATER */
    int64_t account_due; /* nothing of this account before then; 0: no such thing */
    bool refused;        /* the account is in trouble: one trial at a time from then on */
    char reason[600];
};

struct verdict verdict_of(const struct verdict_input *in);

#endif
