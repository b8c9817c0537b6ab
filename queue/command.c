/*
 * command.c: commands to the desk and their answers.
 *
 * A command carries a random key. Putting it is repeated under the same key
 * when Redis is away for a moment, and Redis takes it once.
 */
#include "queue/connection.h"

#include "kit/sign.h"
#include "kit/step.h"
#include "kit/text.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char desk[] = "desk";

enum { KEEP_ANSWERS = 1000, REPEATS_KNOWN_S = 3600, PAUSE_MS = 50 };

/* A pause that a stop ends. */
static bool pause_unless_woken(const struct queue *q) {
    struct pollfd fd = { .fd = q->wake_fd, .events = POLLIN };

    return poll(&fd, 1, PAUSE_MS) == 0;
}

static int newest_answer(struct queue *q, char ret[32]) {
    struct args a = { 0 };
    redisReply *reply = NULL;
    int r;

    args_add(&a, "XREVRANGE");
    args_key(&a, desk, "done", NULL);
    args_add(&a, "+");
    args_add(&a, "-");
    args_add(&a, "COUNT");
    args_add(&a, "1");
    r = queue_call(q, &a, &reply);
    if (r == 0)
        snprintf(ret, 32, "%s", reply->elements == 1 ? reply->element[0]->element[0]->str : "0-0");
    freeReplyObject(reply);
    args_free(&a);
    return r;
}

static int put_command(struct queue *q, const char *key, const char *json, const void *raw, size_t raw_len) {
    struct args a = { 0 };
    long long put;
    int r;

    args_script(&a, &script_command, 2);
    args_key(&a, desk, "do", NULL);
    args_key(&a, desk, "do", key);
    args_add(&a, key);
    args_add(&a, json);
    args_add_n(&a, raw, raw_len);
    args_int(&a, REPEATS_KNOWN_S);
    STEP("command.before");
    r = queue_eval_int(q, &script_command, &a, &put);
    STEP("command.after");
    args_free(&a);
    return r;
}

/* Looks through answers after `from` for ours; moves `from` on. */
static int find_answer(const redisReply *reply, const char *key, char from[32], char **ret_json) {
    const redisReply *entries = reply->element[0]->element[1];

    for (size_t i = 0; i < entries->elements; i++) {
        const redisReply *fields = entries->element[i]->element[1];

        snprintf(from, 32, "%s", entries->element[i]->element[0]->str);
        if (fields->elements >= 4 && text_equal(fields->element[1]->str, key)) {
            *ret_json = xstrndup(fields->element[3]->str, fields->element[3]->len);
            return 0;
        }
    }
    return QUEUE_NOTHING;
}

static int wait_answer(struct queue *q, const char *key, char from[32], int64_t wait_ms, char **ret_json) {
    struct args a = { 0 };
    redisReply *reply = NULL;
    int r;

    args_add(&a, "XREAD");
    args_add(&a, "BLOCK");
    args_int(&a, wait_ms > 0 ? wait_ms : 1);
    args_add(&a, "STREAMS");
    args_key(&a, desk, "done", NULL);
    args_add(&a, from);
    r = queue_call_waiting(q, &a, wait_ms, &reply);
    if (r == 0 && reply->type == REDIS_REPLY_ARRAY && reply->elements == 1)
        r = find_answer(reply, key, from, ret_json);
    else if (r == 0)
        r = QUEUE_NOTHING;
    freeReplyObject(reply);
    args_free(&a);
    return r;
}

/* Repeats what Redis being away interrupted, until the deadline. */
int queue_command(struct queue *q, const char *json, const void *raw, size_t raw_len, int64_t wait_ms,
                  char **ret_json) {
    int64_t deadline = queue_monotonic_ms() + wait_ms;
    bool placed = false, known = false;
    uint8_t random[16];
    char key[33], from[32];
    int r;

    sign_random(random, sizeof(random));
    sign_hex(random, sizeof(random), key);
    for (;;) {
        r = known ? 0 : newest_answer(q, from);
        known = known || r == 0;
        if (known && !placed) {
            r = put_command(q, key, json, raw, raw_len);
            placed = r == 0;
        }
        if (placed)
            r = wait_answer(q, key, from, deadline - queue_monotonic_ms(), ret_json);
        if (r != -EAGAIN && r != QUEUE_NOTHING)
            return r;
        if (queue_monotonic_ms() >= deadline || (r == -EAGAIN && !pause_unless_woken(q)))
            return placed ? QUEUE_NOTHING : r;
        if (r == QUEUE_NOTHING && q->redis == NULL)
            return r; /* woken */
    }
}

int queue_command_done(struct queue *q, const char *key, const char *json) {
    struct args a = { 0 };
    redisReply *reply = NULL;
    int r;

    args_add(&a, "XADD");
    args_key(&a, desk, "done", NULL);
    args_add(&a, "MAXLEN");
    args_int(&a, KEEP_ANSWERS);
    args_add(&a, "*");
    args_add(&a, "id");
    args_add(&a, key);
    args_add(&a, "record");
    args_add(&a, json);
    STEP("done.before");
    r = queue_call(q, &a, &reply);
    STEP("done.after");
    freeReplyObject(reply);
    args_free(&a);
    return r;
}
