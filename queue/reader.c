/*
 * reader.c: reads streams as a consumer of a group, and ends entries.
 *
 * Redis hands an entry to a consumer once; one whose reply got lost on the way
 * is found only among the consumer's own pending entries. So after a lost
 * connection the reader first asks for what was handed to it after the last
 * entry it passed on.
 */
#include "queue/connection.h"

#include "kit/step.h"
#include "kit/text.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct source {
    char *account, *stream, *key;
    char last[32]; /* id of the last entry passed on */
    bool grouped;  /* its group is made */
};

struct queue_reader {
    struct queue *q;
    char *group, *consumer;
    struct source *sources;
    size_t count;
    bool lost;         /* entries may have been handed to us that we never saw */
    redisReply *reply; /* what the last read brought and each() has not had yet */
    size_t at_stream, at_entry;
};

struct queue_reader *queue_reader_new(struct queue *q, const char *group, const char *consumer,
                                      const struct queue_source *sources, size_t count) {
    struct queue_reader *r = xcalloc(1, sizeof(*r));

    r->q = q;
    r->group = xstrdup(group);
    r->consumer = xstrdup(consumer);
    r->sources = xcalloc(count + 1, sizeof(*r->sources));
    r->count = count;
    for (size_t i = 0; i < count; i++) {
        struct source *s = &r->sources[i];

        s->account = xstrdup(sources[i].account);
        s->stream = xstrdup(sources[i].stream);
        s->key = xasprintf("aduan:{%s}:%s", s->account, s->stream);
        snprintf(s->last, sizeof(s->last), "0-0");
    }
    return r;
}

static void drop_reply(struct queue_reader *r) {
    freeReplyObject(r->reply);
    r->reply = NULL;
    r->at_stream = r->at_entry = 0;
}

struct queue_reader *queue_reader_free(struct queue_reader *r) {
    if (r == NULL)
        return NULL;
    drop_reply(r);
    for (size_t i = 0; i < r->count; i++) {
        free(r->sources[i].account);
        free(r->sources[i].stream);
        free(r->sources[i].key);
    }
    free(r->sources);
    free(r->group);
    free(r->consumer);
    free(r);
    return NULL;
}

/* --------------------------------------------------------------------- groups */

static int make_group(struct queue_reader *r, struct source *s) {
    struct args a = { 0 };
    redisReply *reply = NULL;
    int rc;

    args_add(&a, "XGROUP");
    args_add(&a, "CREATE");
    args_add(&a, s->key);
    args_add(&a, r->group);
    args_add(&a, "0");
    args_add(&a, "MKSTREAM");
    rc = queue_call(r->q, &a, &reply);
    if (rc < 0 && text_starts(queue_error(r->q), "BUSYGROUP"))
        rc = 0;
    s->grouped = rc == 0;
    freeReplyObject(reply);
    args_free(&a);
    return rc;
}

static int make_groups(struct queue_reader *r) {
    for (size_t i = 0; i < r->count; i++) {
        int rc = r->sources[i].grouped ? 0 : make_group(r, &r->sources[i]);

        if (rc < 0)
            return rc;
    }
    return 0;
}

/* --------------------------------------------------------------------- reading */

static bool woken(const struct queue *q) {
    struct pollfd fd = { .fd = q->wake_fd, .events = POLLIN };

    return q->wake_fd >= 0 && poll(&fd, 1, 0) > 0;
}

static void read_arguments(struct queue_reader *r, struct args *a, bool again, size_t max, int64_t wait_ms) {
    size_t share = r->count > 0 ? max / r->count : max;

    args_add(a, "XREADGROUP");
    args_add(a, "GROUP");
    args_add(a, r->group);
    args_add(a, r->consumer);
    args_add(a, "COUNT");
    args_int(a, share > 0 ? (int64_t)share : 1);
    if (!again && wait_ms > 0) {
        args_add(a, "BLOCK");
        args_int(a, wait_ms);
    }
    args_add(a, "STREAMS");
    for (size_t i = 0; i < r->count; i++)
        args_add(a, r->sources[i].key);
    for (size_t i = 0; i < r->count; i++)
        args_add(a, again ? r->sources[i].last : ">");
}

/* Fills r->reply: 0, QUEUE_NOTHING or negative. */
static int read_once(struct queue_reader *r, bool again, size_t max, int64_t wait_ms) {
    struct args a = { 0 };
    int rc = make_groups(r);

    if (rc < 0)
        return rc;
    if (woken(r->q))
        wait_ms = 0;
    read_arguments(r, &a, again, max, wait_ms);
    drop_reply(r);
    rc = queue_call_waiting(r->q, &a, again ? 0 : wait_ms, &r->reply);
    args_free(&a);
    if (rc == -EPROTO && text_starts(queue_error(r->q), "NOGROUP"))
        for (size_t i = 0; i < r->count; i++)
            r->sources[i].grouped = false;
    if (!again && (rc == -EAGAIN || rc == QUEUE_NOTHING))
        r->lost = true;
    if (rc == 0 && r->reply->type != REDIS_REPLY_ARRAY) {
        drop_reply(r);
        return QUEUE_NOTHING;
    }
    return rc;
}

static struct source *source_of(struct queue_reader *r, const char *key) {
    for (size_t i = 0; i < r->count; i++)
        if (text_equal(r->sources[i].key, key))
            return &r->sources[i];
    return NULL;
}

static void read_fields(const redisReply *fields, struct queue_entry *ret) {
    ret->key = "";
    ret->record = "";
    for (size_t i = 0; i + 1 < fields->elements; i += 2) {
        const redisReply *name = fields->element[i], *value = fields->element[i + 1];

        if (text_equal(name->str, "id")) {
            ret->key = value->str;
        } else if (text_equal(name->str, "record")) {
            ret->record = value->str;
            ret->record_len = value->len;
        } else if (text_equal(name->str, "raw") && value->len > 0) {
            ret->raw = value->str;
            ret->raw_len = value->len;
        }
    }
}

/* Passes one entry on; one that was deleted meanwhile (settled elsewhere) is only acknowledged. */
static int pass_on(struct queue_reader *r, struct source *s, const redisReply *entry,
                   int (*each)(void *arg, const struct queue_entry *e), void *arg, size_t *passed) {
    struct queue_entry e = { .account = s->account, .stream = s->stream };

    snprintf(e.id, sizeof(e.id), "%s", entry->element[0]->str);
    memcpy(s->last, e.id, sizeof(s->last));
    if (entry->element[1]->type != REDIS_REPLY_ARRAY) {
        int rc = queue_reader_ack(r, s->account, s->stream, &e.id, 1);

        return rc < 0 ? rc : 0;
    }
    read_fields(entry->element[1], &e);
    e.added_ms = strtoll(e.id, NULL, 10);
    (*passed)++;
    return each(arg, &e);
}

/* What is in hand, up to max. */
static int hand_out(struct queue_reader *r, size_t max, int (*each)(void *arg, const struct queue_entry *e),
                    void *arg, size_t *passed) {
    for (; r->reply != NULL && r->at_stream < r->reply->elements; r->at_stream++, r->at_entry = 0) {
        const redisReply *stream = r->reply->element[r->at_stream];
        struct source *s = source_of(r, stream->element[0]->str);

        while (s != NULL && r->at_entry < stream->element[1]->elements) {
            int rc;

            if (*passed >= max)
                return 0;
            rc = pass_on(r, s, stream->element[1]->element[r->at_entry++], each, arg, passed);
            if (rc != 0)
                return rc;
        }
    }
    return 0;
}

static bool in_hand(const struct queue_reader *r) {
    const redisReply *reply = r->reply;

    for (size_t i = r->at_stream; reply != NULL && i < reply->elements; i++) {
        size_t from = i == r->at_stream ? r->at_entry : 0;

        if (from < reply->element[i]->element[1]->elements)
            return true;
    }
    return false;
}

/* Looks for entries that were handed to us in a reply that never came. */
static int find_lost(struct queue_reader *r, size_t max) {
    int rc = read_once(r, true, max, 0);

    if (rc == 0 && !in_hand(r)) {
        r->lost = false;
        rc = QUEUE_NOTHING;
    }
    return rc;
}

int queue_reader_read(struct queue_reader *r, bool again, size_t max, int64_t wait_ms,
                      int (*each)(void *arg, const struct queue_entry *e), void *arg) {
    size_t passed = 0;
    int rc = 0;

    if (!in_hand(r)) {
        rc = QUEUE_NOTHING;
        if (!again && r->lost)
            rc = find_lost(r, max);
        if (rc == QUEUE_NOTHING)
            rc = read_once(r, again, max, wait_ms);
        if (rc != 0)
            return rc;
    }
    rc = hand_out(r, max, each, arg, &passed);
    if (rc < 0)
        return rc;
    return passed > 0 ? 0 : QUEUE_NOTHING;
}

int queue_reader_ack(struct queue_reader *r, const char *account, const char *stream, const char (*ids)[32],
                     size_t count) {
    struct args a = { 0 };
    long long ended;
    int rc;

    if (count == 0)
        return 0;
    args_script(&a, &script_ack, 1);
    args_key(&a, account, stream, NULL);
    args_add(&a, r->group);
    for (size_t i = 0; i < count; i++)
        args_add(&a, ids[i]);
    STEP("ack.before");
    rc = queue_eval_int(r->q, &script_ack, &a, &ended);
    STEP("ack.after");
    args_free(&a);
    return rc;
}
