/*
 * command.c: commands to the desk and their answers.
 *
 * A command goes under its request id. It is put again under the same id when
 * a reply is lost; who gives up takes it back in one script, so that it is
 * known whether the desk was handed it. One that the desk was handed is waited
 * for longer, and asked about again: the desk answers a request it has carried
 * out with the answer it gave first.
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

static const char desk[] = "desk"; /* the account, and the group that reads */

enum { KEEP_ANSWERS = 1000, KEPT_S = 3600, PAUSE_MS = 50, WITHDRAW_MS = 3000, ASK_AGAIN_MS = 500 };

/* One queue_command() under way. */
struct asking {
    struct queue *q;
    const struct queue_order *o;
    char sender[33]; /* tells it from other senders of the same request */
    char from[32];   /* answers up to this one are read */
    bool known;      /* from is */
    bool put;        /* Redis has it, or may have: a reply got lost */
};

/* A pause that a stop ends: false. */
static bool pause_unless_woken(const struct queue *q) {
    struct pollfd fd = { .fd = q->wake_fd, .events = POLLIN };

    return poll(&fd, 1, PAUSE_MS) == 0;
}

static bool woken(const struct queue *q) {
    struct pollfd fd = { .fd = q->wake_fd, .events = POLLIN };

    return q->wake_fd >= 0 && poll(&fd, 1, 0) > 0;
}

/* Where the answers stand before we ask. */
static int newest_answer(struct asking *g) {
    struct args a = { 0 };
    redisReply *reply = NULL;
    int r;

    if (g->known)
        return 0;
    args_add(&a, "XREVRANGE");
    args_key(&a, desk, "done", NULL);
    args_add(&a, "+");
    args_add(&a, "-");
    args_add(&a, "COUNT");
    args_add(&a, "1");
    r = queue_call(g->q, &a, &reply);
    if (r == 0)
        snprintf(g->from, sizeof(g->from), "%s",
                 reply->elements == 1 ? reply->element[0]->element[0]->str : "0-0");
    g->known = r == 0;
    freeReplyObject(reply);
    args_free(&a);
    return r;
}

static int put_command(struct asking *g) {
    struct args a = { 0 };
    unsigned long sent = g->q->sent;
    long long put = 0;
    int r;

    args_script(&a, &script_command, 2);
    args_key(&a, desk, "do", NULL);
    args_key(&a, desk, "do", g->o->request);
    args_add(&a, g->o->request);
    args_add(&a, g->o->json);
    args_add_n(&a, g->o->raw, g->o->raw_len);
    args_int(&a, KEPT_S);
    args_add(&a, g->sender);
    STEP("command.before");
    r = queue_eval_int(g->q, &script_command, &a, &put);
    STEP("command.after");
    g->put = g->put || r == 0 || (r == -EAGAIN && g->q->sent != sent);
    args_free(&a);
    return r;
}

/* 0: nothing was done and nothing will be; QUEUE_UNKNOWN: the desk has or had it. */
static int withdraw(struct asking *g) {
    struct args a = { 0 };
    long long gone = 0;
    int r;

    args_script(&a, &script_withdraw, 2);
    args_key(&a, desk, "do", NULL);
    args_key(&a, desk, "do", g->o->request);
    args_add(&a, desk);
    args_int(&a, KEPT_S);
    args_add(&a, g->sender);
    STEP("withdraw.before");
    r = queue_eval_int(g->q, &script_withdraw, &a, &gone);
    STEP("withdraw.after");
    args_free(&a);
    return r == 0 && gone == 0 ? QUEUE_UNKNOWN : r;
}

/* Looks through answers after g->from for ours; moves it on. */
static int find_answer(struct asking *g, const redisReply *reply, char **ret_json) {
    const redisReply *entries = reply->element[0]->element[1];

    for (size_t i = 0; i < entries->elements; i++) {
        const redisReply *fields = entries->element[i]->element[1];

        snprintf(g->from, sizeof(g->from), "%s", entries->element[i]->element[0]->str);
        if (fields->elements >= 4 && text_equal(fields->element[1]->str, g->o->request)) {
            *ret_json = xstrndup(fields->element[3]->str, fields->element[3]->len);
            return 0;
        }
    }
    return QUEUE_NOTHING;
}

static int wait_answer(struct asking *g, int64_t wait_ms, char **ret_json) {
    struct args a = { 0 };
    redisReply *reply = NULL;
    int r;

    args_add(&a, "XREAD");
    args_add(&a, "BLOCK");
    args_int(&a, wait_ms > 0 ? wait_ms : 1);
    args_add(&a, "STREAMS");
    args_key(&a, desk, "done", NULL);
    args_add(&a, g->from);
    r = queue_call_waiting(g->q, &a, wait_ms, &reply);
    if (r == 0 && reply->type == REDIS_REPLY_ARRAY && reply->elements == 1)
        r = find_answer(g, reply, ret_json);
    else if (r == 0)
        r = QUEUE_NOTHING;
    freeReplyObject(reply);
    args_free(&a);
    return r;
}

/* The caller has the answer: an equal command after this one is meant. Nothing hangs on it. */
static void tell_got(struct asking *g) {
    struct args a = { 0 };
    redisReply *reply = NULL;

    args_add(&a, "HSET");
    args_key(&a, desk, "do", g->o->request);
    args_add(&a, "got");
    args_add(&a, "1");
    if (queue_call(g->q, &a, &reply) == 0)
        freeReplyObject(reply);
    args_free(&a);
}

/* Puts it and waits until it is answered, we are woken or time is up; `again`: puts it time and again, so
 * that an answer already given is given once more. 0, QUEUE_NOTHING, or negative. */
static int ask(struct asking *g, int64_t deadline, bool again, char **ret_json) {
    bool placed = false;
    int r;

    for (;;) {
        int64_t left = deadline - clock_steady_ms();

        r = newest_answer(g);
        if (r == 0 && !placed)
            r = put_command(g);
        placed = placed || r == 0;
        if (r == 0)
            r = wait_answer(g, again && left > ASK_AGAIN_MS ? ASK_AGAIN_MS : left, ret_json);
        if (r != -EAGAIN && r != QUEUE_NOTHING)
            return r;
        if (again && g->o->known != NULL && g->o->known(g->o->arg, ret_json) == 0)
            return 0;
        placed = placed && !again;
        if (clock_steady_ms() >= deadline || woken(g->q) || (r == -EAGAIN && !pause_unless_woken(g->q)))
            return r;
    }
}

/* Redis may be away right now: tries for a while, as long as nobody wants us to stop. */
static int withdraw_for(struct asking *g, int64_t wait_ms) {
    int64_t deadline = clock_steady_ms() + wait_ms;
    int r;

    do
        r = withdraw(g);
    while (r == -EAGAIN && clock_steady_ms() < deadline && pause_unless_woken(g->q));
    return r < 0 ? QUEUE_UNKNOWN : r;
}

static void name_sender(struct asking *g) {
    uint8_t random[16];

    sign_random(random, sizeof(random));
    sign_hex(random, sizeof(random), g->sender);
}

int queue_command(struct queue *q, const struct queue_order *o, char **ret_json) {
    struct asking g = { .q = q, .o = o };
    int r;

    name_sender(&g);
    r = ask(&g, clock_steady_ms() + o->wait_ms, false, ret_json);
    if (r != 0 && (!g.put || withdraw_for(&g, WITHDRAW_MS) == 0))
        return r;
    if (r != 0 && !woken(q)) {
        name_sender(&g);
        r = ask(&g, clock_steady_ms() + o->taken_ms, true, ret_json);
        if (r != 0)
            withdraw_for(&g, WITHDRAW_MS);
    }
    if (r == 0 && q->redis != NULL)
        tell_got(&g);
    return r == 0 ? 0 : QUEUE_UNKNOWN;
}

/* -------------------------------------------------------------- the desk's side */

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

int queue_command_unheard(struct queue *q, const char *request, bool *ret) {
    struct args a = { 0 };
    redisReply *reply = NULL;
    int64_t puts = 0;
    int r;

    args_add(&a, "HMGET");
    args_key(&a, desk, "do", request);
    args_add(&a, "puts");
    args_add(&a, "got");
    r = queue_call(q, &a, &reply);
    if (r == 0 && (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2))
        r = queue_fault(q, -EPROTO, "HMGET answered no pair");
    if (r == 0)
        *ret = text_parse_int(reply->element[0]->str != NULL ? reply->element[0]->str : "", 1, INT32_MAX,
                              &puts) == 0 &&
               reply->element[1]->type == REDIS_REPLY_NIL;
    freeReplyObject(reply);
    args_free(&a);
    return r;
}

int queue_time(struct queue *q, int64_t *ret_ms) {
    struct args a = { 0 };
    redisReply *reply = NULL;
    int64_t s = 0, us = 0;
    int r;

    args_add(&a, "TIME");
    r = queue_call(q, &a, &reply);
    if (r == 0 && (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
                   text_parse_int(reply->element[0]->str, 0, INT32_MAX * (int64_t)1000, &s) < 0 ||
                   text_parse_int(reply->element[1]->str, 0, 999999, &us) < 0))
        r = queue_fault(q, -EPROTO, "TIME answered no time");
    *ret_ms = s * 1000 + us / 1000;
    freeReplyObject(reply);
    args_free(&a);
    return r;
}
