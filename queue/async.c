/*
 * async.c: the gateway's side: group commit over one non-blocking connection.
 *
 * At most one round of accepts is in flight: one EVALSHA an account, written
 * together, so that one fsync of Redis serves them all. What arrives meanwhile
 * waits and is the next round. A round is built when the fd turns writable, not
 * when it is asked for, so that all of one turn of the gateway's loop is in it.
 *
 * The adapter between hiredis and the gateway's loop is ours: hiredis calls
 * add_write/del_write, the loop calls queue_async_readable/_writable.
 */
#include "queue/connection.h"

#include "kit/step.h"
#include "kit/text.h"

#include <errno.h>
#include <hiredis/async.h>
#include <stdlib.h>
#include <string.h>

/* What somebody asked for. */
struct ask {
    struct ask *next;
    char *account;
    const struct queue_in *in;
    size_t count;
    void (*done)(void *arg, int rc);
    void *arg;
};

struct asks {
    struct ask *first, **end;
};

/* One account's part of the round. */
struct part {
    struct part *next;
    struct queue_async *q;
    struct asks asks;
    size_t count, bytes;
    struct args args;
    bool whole_script; /* sent as EVAL */
};

enum state { DOWN, CONNECTING, GREETING, UP };

struct queue_async {
    struct queue_options_copy options;
    struct queue_async_ops ops;
    void *arg;
    redisAsyncContext *redis;
    enum state state;
    int64_t since; /* when the round, the greeting or the connect call left */
    int64_t tried; /* when we last tried to connect or to greet */
    int64_t away;  /* since when it is not up */
    bool greeting; /* a PING is outstanding */
    bool wants_write;
    struct asks waiting;
    struct part *round;
};

/* Of one EVALSHA: enough to fill an fsync, small enough not to hold Redis up for long. */
enum { PART_MESSAGES = 512, PART_BYTES = 8 << 20, RETRY_MS = 200 };

/* ------------------------------------------------------------------------ asks */

static void asks_init(struct asks *l) {
    l->first = NULL;
    l->end = &l->first;
}

static void asks_add(struct asks *l, struct ask *a) {
    a->next = NULL;
    *l->end = a;
    l->end = &a->next;
}

static struct ask *asks_take(struct asks *l) {
    struct ask *a = l->first;

    if (a != NULL) {
        l->first = a->next;
        if (l->first == NULL)
            l->end = &l->first;
    }
    return a;
}

static void tell(struct asks *l, int rc) {
    struct ask *a;

    while ((a = asks_take(l)) != NULL) {
        a->done(a->arg, rc);
        free(a->account);
        free(a);
    }
}

static void part_free(struct part *p) {
    args_free(&p->args);
    free(p);
}

/* Takes a part out of the round. */
static void part_end(struct part *p, int rc) {
    struct part **at = &p->q->round;

    while (*at != NULL && *at != p)
        at = &(*at)->next;
    if (*at == p)
        *at = p->next;
    tell(&p->asks, rc);
    part_free(p);
}

static void leave_up(struct queue_async *q, enum state state) {
    if (q->state == UP)
        q->away = clock_steady_ms();
    q->state = state;
}

/* ------------------------------------------------------------ the loop's adapter */

static void want_write(struct queue_async *q, bool on) {
    if (q->wants_write == on)
        return;
    q->wants_write = on;
    q->ops.want_write(q->arg, on);
}

static void add_read(void *data) {
    (void)data; /* the loop always watches for reading */
}

static void add_write(void *data) {
    want_write(data, true);
}

static void del_write(void *data) {
    want_write(data, false);
}

static void cleanup(void *data) {
    struct queue_async *q = data;

    q->redis = NULL;
    q->wants_write = q->greeting = false;
    leave_up(q, DOWN);
    q->ops.fd_changed(q->arg, -1);
}

/* ------------------------------------------------------------------- the round */

static bool in_flight(const struct queue_async *q) {
    return q->round != NULL;
}

static void send_part(struct part *p);

static int part_result(const struct part *p, const redisReply *reply) {
    if (reply == NULL)
        return -EAGAIN;
    if (reply->type == REDIS_REPLY_ERROR)
        return queue_error_class(reply->str);
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == p->count + 1 ? 0 : -EPROTO;
}

/* What waits goes out as soon as the fd is writable. */
static void go_on(struct queue_async *q) {
    if (q->state == UP && !in_flight(q) && q->waiting.first != NULL)
        want_write(q, true);
}

static void part_replied(redisAsyncContext *c, void *r, void *data) {
    const redisReply *reply = r;
    struct part *p = data;
    struct queue_async *q = p->q;
    int rc = part_result(p, reply);

    (void)c;
    if (reply != NULL && reply->type == REDIS_REPLY_ERROR && text_starts(reply->str, "NOSCRIPT") &&
        !p->whole_script) {
        args_whole_script(&p->args, &script_accept);
        p->whole_script = true;
        send_part(p);
        return;
    }
    STEP("async.after");
    if (rc == -EAGAIN)
        leave_up(q, reply != NULL ? GREETING : DOWN); /* LOADING and the like: tick asks again */
    part_end(p, rc);
    go_on(q);
}

static void send_part(struct part *p) {
    /* hiredis copies the arguments. A connection that is ending tells us by the callback or here. */
    if (redisAsyncCommandArgv(p->q->redis, part_replied, p, (int)p->args.count, p->args.v, p->args.n) !=
        REDIS_OK)
        part_end(p, -EAGAIN);
}

static size_t ask_bytes(const struct ask *a) {
    size_t n = 0;

    for (size_t i = 0; i < a->count; i++)
        n += a->in[i].record_len + a->in[i].raw_len;
    return n;
}

/* The part this ask goes into; NULL: that is full. */
static struct part *part_for(struct queue_async *q, const struct ask *a, size_t bytes) {
    struct part *p = q->round;

    while (p != NULL && !text_equal(p->asks.first->account, a->account))
        p = p->next;
    if (p != NULL && (p->count + a->count > PART_MESSAGES || p->bytes + bytes > PART_BYTES))
        return NULL;
    if (p == NULL) {
        p = xcalloc(1, sizeof(*p));
        asks_init(&p->asks);
        p->q = q;
        p->next = q->round;
        q->round = p;
    }
    return p;
}

/* Takes what waits into parts, in order, until one is full: nothing overtakes. */
static void fill_round(struct queue_async *q) {
    while (q->waiting.first != NULL) {
        size_t bytes = ask_bytes(q->waiting.first);
        struct part *p = part_for(q, q->waiting.first, bytes);
        struct ask *a;

        if (p == NULL)
            return;
        a = asks_take(&q->waiting);
        asks_add(&p->asks, a);
        p->count += a->count;
        p->bytes += bytes;
    }
}

static void part_arguments(struct part *p) {
    const struct queue_in **in = xcalloc(p->count + 1, sizeof(*in));
    size_t n = 0;

    for (const struct ask *a = p->asks.first; a != NULL; a = a->next)
        for (size_t i = 0; i < a->count; i++)
            in[n++] = &a->in[i];
    accept_arguments(&p->args, p->asks.first->account, in, n, NULL, 0);
    free(in);
}

static void start_round(struct queue_async *q) {
    struct part *next;

    fill_round(q);
    q->since = clock_steady_ms();
    STEP("async.before");
    for (struct part *p = q->round; p != NULL; p = next) {
        next = p->next;
        part_arguments(p);
        send_part(p);
    }
}

/* ------------------------------------------------------------------ connecting */

static void greeted(redisAsyncContext *c, void *r, void *data) {
    struct queue_async *q = data;
    const redisReply *reply = r;

    (void)c;
    q->greeting = false;
    if (reply == NULL || reply->type != REDIS_REPLY_STATUS)
        return;
    q->state = UP;
    go_on(q);
}

static void logged_in(redisAsyncContext *c, void *r, void *data) {
    const redisReply *reply = r;

    (void)data;
    if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
        redisAsyncDisconnect(c);
}

static void greet(struct queue_async *q) {
    leave_up(q, GREETING);
    q->since = q->tried = clock_steady_ms();
    q->greeting = true;
    redisAsyncCommand(q->redis, greeted, q, "PING");
}

static void connect_ended(const redisAsyncContext *c, int status) {
    struct queue_async *q = c->data;

    if (status != REDIS_OK)
        return; /* hiredis cleans up */
    if (q->options.password[0] != '\0' && q->options.user[0] != '\0')
        redisAsyncCommand(q->redis, logged_in, q, "AUTH %s %s", q->options.user, q->options.password);
    else if (q->options.password[0] != '\0')
        redisAsyncCommand(q->redis, logged_in, q, "AUTH %s", q->options.password);
    greet(q);
}

static redisAsyncContext *start_connecting(const struct queue_async *q) {
    redisAsyncContext *c;
    char *host;
    int port;

    if (text_starts(q->options.redis, "unix:"))
        return redisAsyncConnectUnix(q->options.redis + 5);
    if (queue_split_address(q->options.redis, &host, &port) < 0)
        return NULL;
    c = redisAsyncConnect(host, port);
    free(host);
    return c;
}

static void try_connect(struct queue_async *q) {
    redisAsyncContext *c;

    q->since = q->tried = clock_steady_ms();
    c = start_connecting(q);
    if (c == NULL || c->err != 0) {
        if (c != NULL)
            redisAsyncFree(c);
        return;
    }
    q->redis = c;
    q->state = CONNECTING;
    c->data = q;
    c->ev.data = q;
    c->ev.addRead = add_read;
    c->ev.addWrite = add_write;
    c->ev.delWrite = del_write;
    c->ev.cleanup = cleanup;
    q->ops.fd_changed(q->arg, c->c.fd);
    redisAsyncSetConnectCallback(c, connect_ended); /* asks for writing */
}

/* Every reply that is outstanding comes as NULL, so the round ends with -EAGAIN. */
static void hang_up(struct queue_async *q) {
    if (q->redis != NULL)
        redisAsyncFree(q->redis);
}

/* -------------------------------------------------------------- the public side */

struct queue_async *queue_async_new(const struct queue_options *o, const struct queue_async_ops *ops,
                                    void *arg) {
    struct queue_async *q = xcalloc(1, sizeof(*q));

    queue_options_take(&q->options, o);
    q->ops = *ops;
    q->arg = arg;
    asks_init(&q->waiting);
    q->away = clock_steady_ms();
    try_connect(q);
    return q;
}

struct queue_async *queue_async_free(struct queue_async *q) {
    if (q == NULL)
        return NULL;
    hang_up(q);
    while (q->round != NULL)
        part_end(q->round, -EAGAIN);
    tell(&q->waiting, -EAGAIN);
    queue_options_clear(&q->options);
    free(q);
    return NULL;
}

void queue_async_readable(struct queue_async *q) {
    if (q->redis != NULL)
        redisAsyncHandleRead(q->redis);
}

void queue_async_writable(struct queue_async *q) {
    if (q->redis == NULL)
        return;
    if (q->state == UP && !in_flight(q) && q->waiting.first != NULL)
        start_round(q);
    if (q->redis != NULL)
        redisAsyncHandleWrite(q->redis);
}

bool queue_async_up(const struct queue_async *q) {
    return q->state == UP;
}

void queue_async_accept(struct queue_async *q, const char *account, const struct queue_in *in, size_t count,
                        void (*done)(void *arg, int rc), void *arg) {
    struct ask *a = xcalloc(1, sizeof(*a));

    a->account = xstrdup(account);
    a->in = in;
    a->count = count;
    a->done = done;
    a->arg = arg;
    asks_add(&q->waiting, a);
    go_on(q);
}

void queue_async_tick(struct queue_async *q, int64_t now_ms) {
    int64_t now = clock_steady_ms();

    bool outstanding = in_flight(q) || q->greeting || q->state == CONNECTING;

    (void)now_ms; /* deadlines must not move with the wall clock */
    if (q->redis != NULL && outstanding && now - q->since > q->options.timeout_ms)
        hang_up(q);
    if (q->state == DOWN && q->redis == NULL && now - q->tried >= RETRY_MS)
        try_connect(q);
    else if (q->state == GREETING && !outstanding && now - q->tried >= RETRY_MS)
        greet(q);
    /* Away: whoever waits is told soon rather than kept in doubt. */
    if (q->state != UP && now - q->away >= RETRY_MS)
        tell(&q->waiting, -EAGAIN);
    go_on(q);
}
