/* queue.c: a queue's life, and the small calls that are one command each. */
#include "queue/connection.h"

#include "kit/sign.h"
#include "kit/step.h"
#include "kit/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct queue *queue_new(const struct queue_options *o) {
    struct queue *q = xcalloc(1, sizeof(*q));
    uint8_t random[16];

    queue_options_take(&q->options, o);
    q->wake_fd = -1;
    sign_random(random, sizeof(random));
    sign_hex(random, sizeof(random), q->by);
    return q;
}

struct queue *queue_free(struct queue *q) {
    if (q == NULL)
        return NULL;
    queue_disconnect(q);
    queue_options_clear(&q->options);
    for (size_t i = 0; i < q->unsure_count; i++)
        free(q->unsure[i]);
    free(q->unsure);
    free(q);
    return NULL;
}

const char *queue_error(const struct queue *q) {
    return q->error;
}

void queue_wake(struct queue *q, int fd) {
    q->wake_fd = fd;
}

int queue_ping(struct queue *q) {
    struct args a = { 0 };
    redisReply *reply = NULL;
    int r;

    args_add(&a, "PING");
    r = queue_call(q, &a, &reply);
    freeReplyObject(reply);
    args_free(&a);
    return r;
}

int queue_depth(struct queue *q, const char *account, const char *stream, int64_t now_ms, int64_t *ret_count,
                int64_t *ret_oldest_ms) {
    struct args a[2] = { { 0 } };
    redisReply *reply[2];
    int r;

    args_add(&a[0], "XLEN");
    args_key(&a[0], account, stream, NULL);
    args_add(&a[1], "XRANGE");
    args_key(&a[1], account, stream, NULL);
    args_add(&a[1], "-");
    args_add(&a[1], "+");
    args_add(&a[1], "COUNT");
    args_add(&a[1], "1");
    r = queue_pipeline(q, a, 2, reply);
    if (r == 0) {
        int64_t oldest = 0;

        if (reply[1]->type == REDIS_REPLY_ARRAY && reply[1]->elements == 1)
            oldest = now_ms - strtoll(reply[1]->element[0]->element[0]->str, NULL, 10);
        *ret_count = reply[0]->integer;
        *ret_oldest_ms = oldest > 0 ? oldest : 0;
    }
    freeReplyObject(reply[0]);
    freeReplyObject(reply[1]);
    args_free(&a[0]);
    args_free(&a[1]);
    return r;
}
