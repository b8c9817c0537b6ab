/*
 * outbox.h: answers under way, in order per conversation. No I/O; time is a parameter.
 *
 * Within a conversation only the oldest unfinished answer may be sent; whatever
 * it waits for, other conversations go on. An account's limits (answers per
 * second, pause between two of a conversation, a rate limit, a refusal) are
 * kept here, too.
 */
#ifndef ADUAN_OUTBOX_H
#define ADUAN_OUTBOX_H

#include "connectors/connector.h"
#include "queue/queue.h"

enum out_state {
    OUT_CHECK = 0, /* from an earlier life: its state is to be asked */
    OUT_WAITING,   /* may be sent once due */
    OUT_SENDING,   /* with the connector */
    OUT_FIND,      /* uncertain: ask the platform once due */
    OUT_SETTLE,    /* has ended: to be settled */
};

struct out_item {
    char entry[32];
    char *key;
    struct aduan_answer answer;
    bool unreadable; /* its record makes no sense */
    enum out_state state;
    int attempt;
    bool asked; /* find() has been tried for this attempt */
    uint64_t token;
    int64_t added, due, deadline;
    enum queue_state end; /* for OUT_SETTLE */
    char *platform_id, *reason;
    struct out_item *next; /* in its conversation */
};

struct out_conversation {
    char *key;
    struct out_item *first, *last;
    int64_t free_at; /* pair_interval_ms after the last one */
};

struct outbox {
    const struct aduan_traits *traits;
    struct out_conversation **conversations;
    size_t conversation_count, count, sending, turn;
    int64_t account_due;
    bool trial;                /* after a refusal: one at a time until one is accepted */
    int64_t tokens, filled_at; /* thousandths of an answer */
};

void outbox_init(struct outbox *o, const struct aduan_traits *t);
void outbox_clear(struct outbox *o);

/* Takes the item. */
void outbox_add(struct outbox *o, struct out_item *it);
bool outbox_has(const struct outbox *o, const char *entry);
/* The next answer that may be sent now, or NULL. The caller calls outbox_started() if it does. */
struct out_item *outbox_next(struct outbox *o, int64_t now);
void outbox_started(struct outbox *o, struct out_item *it, int64_t now);
/* An officer says that what stood in the way is gone: a refused account and all that waits may be tried
 * now. A rate limit of the account stands. */
void outbox_resume(struct outbox *o);
/* It is no longer with the connector. */
void outbox_returned(struct outbox *o, struct out_item *it);
/* It has ended: takes it out and frees it. */
void outbox_drop(struct outbox *o, struct out_item *it);

/* Any item in a state, oldest conversation first; due: only those due by then. */
struct out_item *outbox_in_state(const struct outbox *o, enum out_state state, int64_t due);
struct out_item *outbox_by_token(const struct outbox *o, uint64_t token);
/* An item with the connector whose deadline has passed. */
struct out_item *outbox_overdue(const struct outbox *o, int64_t now);
/* When something may become possible by time alone: INT64_MAX never. */
int64_t outbox_next_due(const struct outbox *o);

enum { OUTBOX_SENDING_MAX = 16 };

#endif
