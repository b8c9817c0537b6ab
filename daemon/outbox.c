/* outbox.c: answers under way, in order per conversation. */
#include "daemon/outbox.h"

#include "connectors/kit/text.h"

#include <stdlib.h>
#include <string.h>

enum { WHOLE_TOKEN = 1000 };

void outbox_init(struct outbox *o, const struct aduan_traits *t) {
    *o = (struct outbox){ .traits = t, .tokens = t->per_second * WHOLE_TOKEN };
}

static void free_item(struct out_item *it) {
    aduan_answer_clear(&it->answer);
    free(it->key);
    free(it->platform_id);
    free(it->reason);
    free(it);
}

static void free_conversation(struct out_conversation *c) {
    struct out_item *it;

    while ((it = c->first) != NULL) {
        c->first = it->next;
        free_item(it);
    }
    free(c->key);
    free(c);
}

void outbox_clear(struct outbox *o) {
    while (o->conversation_count > 0)
        free_conversation(o->conversations[--o->conversation_count]);
    free(o->conversations);
    o->conversations = NULL;
    o->count = o->sending = 0;
}

/* An answer without a conversation stands in none but its own. */
static const char *conversation_of(const struct out_item *it) {
    return it->answer.conversation != NULL ? it->answer.conversation : it->key;
}

static struct out_conversation *find_conversation(const struct outbox *o, const char *key) {
    size_t i;

    for (i = 0; i < o->conversation_count; i++)
        if (strcmp(o->conversations[i]->key, key) == 0)
            return o->conversations[i];
    return NULL;
}

void outbox_add(struct outbox *o, struct out_item *it) {
    struct out_conversation *c = find_conversation(o, conversation_of(it));

    if (c == NULL) {
        c = xcalloc(1, sizeof(*c));
        c->key = xstrdup(conversation_of(it));
        o->conversations =
            xrealloc(o->conversations, o->conversation_count + 1, sizeof(struct out_conversation *));
        o->conversations[o->conversation_count++] = c;
    }
    it->next = NULL;
    if (c->last != NULL)
        c->last->next = it;
    else
        c->first = it;
    c->last = it;
    o->count++;
}

/* The first item that match() likes. */
static struct out_item *search(const struct outbox *o,
                               bool (*match)(const struct out_item *it, const void *arg), const void *arg) {
    struct out_item *it;
    size_t i;

    for (i = 0; i < o->conversation_count; i++)
        for (it = o->conversations[i]->first; it != NULL; it = it->next)
            if (match(it, arg))
                return it;
    return NULL;
}

static bool is_entry(const struct out_item *it, const void *arg) {
    return strcmp(it->entry, arg) == 0;
}

bool outbox_has(const struct outbox *o, const char *entry) {
    return search(o, is_entry, entry) != NULL;
}

struct wanted {
    enum out_state state;
    int64_t due;
};

static bool is_state(const struct out_item *it, const void *arg) {
    const struct wanted *w = arg;

    return it->state == w->state && it->due <= w->due;
}

struct out_item *outbox_in_state(const struct outbox *o, enum out_state state, int64_t due) {
    struct wanted w = { state, due };

    return search(o, is_state, &w);
}

static bool is_token(const struct out_item *it, const void *arg) {
    return it->state == OUT_SENDING && it->token == *(const uint64_t *)arg;
}

struct out_item *outbox_by_token(const struct outbox *o, uint64_t token) {
    return search(o, is_token, &token);
}

static bool is_overdue(const struct out_item *it, const void *arg) {
    return it->state == OUT_SENDING && it->deadline <= *(const int64_t *)arg;
}

struct out_item *outbox_overdue(const struct outbox *o, int64_t now) {
    return search(o, is_overdue, &now);
}

/* ----------------------------------------------------------------------- limits */

static void fill_bucket(struct outbox *o, int64_t now) {
    int64_t most = o->traits->per_second * WHOLE_TOKEN;

    if (now > o->filled_at && o->filled_at > 0)
        o->tokens += (now - o->filled_at) * o->traits->per_second;
    if (o->tokens > most)
        o->tokens = most;
    o->filled_at = now;
}

static bool may_send(struct outbox *o, int64_t now) {
    size_t most = o->trial ? 1 : OUTBOX_SENDING_MAX;

    if (o->sending >= most || now < o->account_due)
        return false;
    if (o->traits->per_second <= 0)
        return true;
    fill_bucket(o, now);
    return o->tokens >= WHOLE_TOKEN;
}

struct out_item *outbox_next(struct outbox *o, int64_t now) {
    const struct out_conversation *c;
    size_t i, n = o->conversation_count;

    if (!may_send(o, now))
        return NULL;
    /* Round the conversations, so that the first ones do not starve the rest. */
    for (i = 0; i < n; i++) {
        c = o->conversations[(o->turn + i) % n];
        if (c->first == NULL || c->first->state != OUT_WAITING || c->first->due > now || c->free_at > now)
            continue;
        o->turn = (o->turn + i + 1) % n;
        return c->first;
    }
    return NULL;
}

void outbox_resume(struct outbox *o) {
    struct out_item *it;
    size_t i;

    if (o->trial)
        o->account_due = 0;
    for (i = 0; i < o->conversation_count; i++)
        for (it = o->conversations[i]->first; it != NULL; it = it->next)
            if (it->state == OUT_WAITING)
                it->due = 0;
}

static void drop_conversation(struct outbox *o, const struct out_conversation *c) {
    size_t i;

    for (i = 0; o->conversations[i] != c; i++)
        continue;
    free_conversation(o->conversations[i]);
    o->conversations[i] = o->conversations[--o->conversation_count];
}

/* Conversations are remembered beyond their last answer for the pause between two; no longer. */
static void sweep(struct outbox *o, int64_t now) {
    size_t i;

    for (i = o->conversation_count; i-- > 0;)
        if (o->conversations[i]->first == NULL && o->conversations[i]->free_at <= now)
            drop_conversation(o, o->conversations[i]);
}

void outbox_started(struct outbox *o, struct out_item *it, int64_t now) {
    struct out_conversation *c = find_conversation(o, conversation_of(it));

    it->state = OUT_SENDING;
    c->free_at = now + o->traits->pair_interval_ms;
    o->tokens -= WHOLE_TOKEN;
    o->sending++;
    sweep(o, now);
}

void outbox_returned(struct outbox *o, struct out_item *it) {
    if (it->state == OUT_SENDING)
        o->sending--;
}

void outbox_drop(struct outbox *o, struct out_item *it) {
    struct out_conversation *c = find_conversation(o, conversation_of(it));
    struct out_item **p = &c->first, *before = NULL;

    while (*p != it) {
        before = *p;
        p = &before->next;
    }
    *p = it->next;
    if (c->last == it)
        c->last = before;
    free_item(it);
    o->count--;
    /* With a pause between two answers sweep() does it later. */
    if (c->first == NULL && o->traits->pair_interval_ms == 0)
        drop_conversation(o, c);
}

static int64_t later_of(int64_t a, int64_t b) {
    return a > b ? a : b;
}

int64_t outbox_next_due(const struct outbox *o) {
    const struct out_conversation *c;
    int64_t due = INT64_MAX, at;
    size_t i;

    for (i = 0; i < o->conversation_count; i++) {
        c = o->conversations[i];
        if (c->first == NULL)
            continue;
        at = c->first->state == OUT_WAITING ? later_of(later_of(c->first->due, c->free_at), o->account_due)
                                            : c->first->due;
        if (at < due)
            due = at;
    }
    return due;
}
