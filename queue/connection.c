/* connection.c: one blocking connection to Redis: connect, send, wait with a deadline, classify. */
#include "queue/connection.h"

#include "kit/sign.h"
#include "kit/text.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { DEFAULT_TIMEOUT_MS = 5000 };

/* ------------------------------------------------------------------ arguments */

void args_free(struct args *a) {
    args_reset(a);
    free(a->v);
    free(a->n);
    free(a->owned);
    memset(a, 0, sizeof(*a));
}

void args_reset(struct args *a) {
    for (size_t i = 0; i < a->owned_count; i++)
        free(a->owned[i]);
    a->owned_count = 0;
    a->count = 0;
}

void args_add_n(struct args *a, const void *p, size_t n) {
    if (a->count == a->room) {
        a->room = a->room != 0 ? 2 * a->room : 16;
        a->v = xrealloc(a->v, a->room, sizeof(*a->v));
        a->n = xrealloc(a->n, a->room, sizeof(*a->n));
    }
    a->v[a->count] = p != NULL ? p : "";
    a->n[a->count++] = p != NULL ? n : 0;
}

void args_add(struct args *a, const char *s) {
    args_add_n(a, s, s != NULL ? strlen(s) : 0);
}

void args_own(struct args *a, char *s) {
    if (a->owned_count == a->owned_room) {
        a->owned_room = a->owned_room != 0 ? 2 * a->owned_room : 16;
        a->owned = xrealloc(a->owned, a->owned_room, sizeof(*a->owned));
    }
    a->owned[a->owned_count++] = s;
}

void args_int(struct args *a, int64_t value) {
    char *s = xasprintf("%lld", (long long)value);

    args_own(a, s);
    args_add(a, s);
}

/* A chain of memcpy instead of printf: one key for each message that is accepted. */
void args_key(struct args *a, const char *account, const char *name, const char *sub) {
    const char *const parts[] = {
        "aduan:{", account, "}:", name, sub != NULL ? ":" : "", sub != NULL ? sub : ""
    };
    size_t lens[6], len = 0, at = 0;
    char *key;

    for (size_t i = 0; i < 6; i++)
        len += lens[i] = strlen(parts[i]);
    key = xcalloc(len + 1, 1);
    for (size_t i = 0; i < 6; i++) {
        memcpy(key + at, parts[i], lens[i]);
        at += lens[i];
    }
    args_own(a, key);
    args_add_n(a, key, len);
}

void args_script(struct args *a, const struct script *s, size_t keys) {
    args_add_n(a, "EVALSHA", 7);
    args_add_n(a, s->sha1, 40);
    args_int(a, (int64_t)keys);
}

void args_whole_script(struct args *a, const struct script *s) {
    a->v[0] = "EVAL";
    a->n[0] = 4;
    a->v[1] = s->text;
    a->n[1] = s->len;
}

/* -------------------------------------------------------------------- options */

void queue_options_take(struct queue_options_copy *to, const struct queue_options *from) {
    to->redis = xstrdup(from->redis != NULL ? from->redis : "");
    to->user = xstrdup(from->user != NULL ? from->user : "");
    to->password = xstrdup(from->password != NULL ? from->password : "");
    to->timeout_ms = from->timeout_ms > 0 ? from->timeout_ms : DEFAULT_TIMEOUT_MS;
    /* hiredis writes with write(2): to a Redis that just died that would end us, too. */
    signal(SIGPIPE, SIG_IGN);
}

void queue_options_clear(struct queue_options_copy *o) {
    free(o->redis);
    free(o->user);
    if (o->password != NULL)
        text_wipe(o->password, strlen(o->password));
    free(o->password);
    memset(o, 0, sizeof(*o));
}

int queue_split_address(const char *redis, char **ret_host, int *ret_port) {
    const char *colon = strrchr(redis, ':');
    const char *host = redis;
    size_t len;
    int64_t port;

    if (colon == NULL || text_parse_int(colon + 1, 1, 65535, &port) < 0)
        return -EINVAL;
    len = (size_t)(colon - redis);
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    if (len == 0)
        return -EINVAL;
    *ret_host = xstrndup(host, len);
    *ret_port = (int)port;
    return 0;
}

/* --------------------------------------------------------------------- faults */

int queue_fault(struct queue *q, int rc, const char *fmt, ...) {
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(q->error, sizeof(q->error), fmt, ap);
    va_end(ap);
    for (char *c = q->error; *c != '\0'; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
    return rc;
}

int queue_error_class(const char *text) {
    static const struct {
        const char *prefix;
        int rc;
    } classes[] = {
        { "LOADING", -EAGAIN },
        { "BUSY", -EAGAIN },
        { "MASTERDOWN", -EAGAIN },
        { "TRYAGAIN", -EAGAIN },
        { "CLUSTERDOWN", -EAGAIN },
        { "READONLY", -EAGAIN },
        { "NOREPLICAS", -EAGAIN },
        { "OOM", -ENOSPC },
        { "MISCONF", -ENOSPC },
        { "NOAUTH", -EACCES },
        { "WRONGPASS", -EACCES },
        { "NOPERM", -EACCES },
        { "DENIED", -EACCES },
        { "ERR AUTH", -EACCES },
        { "ERR invalid password", -EACCES },
        { "ERR max number of clients", -EAGAIN },
    };

    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (text_starts(text, classes[i].prefix))
            return classes[i].rc;
    return -EPROTO;
}

static int lost(struct queue *q, const char *what) {
    const char *why = q->redis != NULL && q->redis->err != 0 ? q->redis->errstr : "no reply in time";
    int rc = queue_fault(q, -EAGAIN, "%s: %s (redis %s)", why, what, q->options.redis);

    queue_disconnect(q);
    return rc;
}

void queue_disconnect(struct queue *q) {
    if (q->redis != NULL)
        redisFree(q->redis);
    q->redis = NULL;
}

/* ---------------------------------------------------------------- input, output */

enum { WOKEN = 1 };

/* Waits for events on the connection. 0, WOKEN, -ETIMEDOUT or -errno. */
static int wait_for(struct queue *q, short events, int64_t deadline, bool wakes) {
    struct pollfd fds[2] = {
        { .fd = q->redis->fd, .events = events },
        { .fd = wakes ? q->wake_fd : -1, .events = POLLIN },
    };

    for (;;) {
        int64_t left = deadline - clock_steady_ms();
        int n = poll(fds, 2, left > 0 ? (int)left : 0);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0 && fds[0].revents != 0)
            return 0;
        if (n > 0)
            return WOKEN;
        if (n == 0 && left <= 0)
            return -ETIMEDOUT;
    }
}

static int flush(struct queue *q, int64_t deadline) {
    int done = 0;

    for (;;) {
        if (redisBufferWrite(q->redis, &done) != REDIS_OK)
            return -EAGAIN;
        if (done)
            return 0;
        if (wait_for(q, POLLOUT, deadline, false) != 0)
            return -EAGAIN;
    }
}

static int next_reply(struct queue *q, int64_t deadline, bool wakes, redisReply **ret) {
    void *reply = NULL;

    for (;;) {
        int r;

        if (redisGetReplyFromReader(q->redis, &reply) != REDIS_OK)
            return -EAGAIN;
        if (reply != NULL)
            break;
        r = wait_for(q, POLLIN, deadline, wakes);
        if (r != 0)
            return r == WOKEN ? WOKEN : -EAGAIN;
        if (redisBufferRead(q->redis) != REDIS_OK)
            return -EAGAIN;
    }
    *ret = reply;
    return 0;
}

/* ------------------------------------------------------------------- connecting */

static int log_in(struct queue *q, int64_t deadline) {
    const char *argv[3] = { "AUTH", q->options.user, q->options.password };
    redisReply *reply = NULL;
    int rc = 0;

    if (q->options.password[0] == '\0')
        return 0;
    if (q->options.user[0] == '\0')
        argv[1] = q->options.password;
    redisAppendCommandArgv(q->redis, q->options.user[0] == '\0' ? 2 : 3, argv, NULL);
    if (flush(q, deadline) < 0 || next_reply(q, deadline, false, &reply) < 0)
        return lost(q, "logging in");
    if (reply->type == REDIS_REPLY_ERROR) {
        rc = queue_error_class(reply->str);
        queue_fault(q, rc == -EPROTO ? -EACCES : rc, "%s: logging in (redis %s)", reply->str, q->options.redis);
        if (rc == -EPROTO)
            rc = -EACCES;
        queue_disconnect(q);
    }
    freeReplyObject(reply);
    return rc;
}

static redisContext *start_connecting(const struct queue *q) {
    redisContext *c;
    char *host;
    int port;

    if (text_starts(q->options.redis, "unix:"))
        return redisConnectUnixNonBlock(q->options.redis + 5);
    if (queue_split_address(q->options.redis, &host, &port) < 0)
        return NULL;
    c = redisConnectNonBlock(host, port);
    free(host);
    return c;
}

static int connected(struct queue *q) {
    int64_t deadline = clock_steady_ms() + q->options.timeout_ms;
    int fault = 0;
    socklen_t len = sizeof(fault);

    if (q->redis != NULL && q->redis->err == 0)
        return 0;
    queue_disconnect(q);
    q->redis = start_connecting(q);
    if (q->redis == NULL)
        return queue_fault(q, -EINVAL, "neither unix:/path nor host:port: \"%s\"", q->options.redis);
    if (q->redis->err != 0)
        return lost(q, "connecting");
    if (wait_for(q, POLLOUT, deadline, false) != 0)
        return lost(q, "connecting");
    if (getsockopt(q->redis->fd, SOL_SOCKET, SO_ERROR, &fault, &len) < 0 || fault != 0) {
        queue_fault(q, -EAGAIN, "%s: connecting (redis %s)", strerror(fault), q->options.redis);
        queue_disconnect(q);
        return -EAGAIN;
    }
    q->redis->flags |= REDIS_CONNECTED;
    return log_in(q, deadline);
}

/* --------------------------------------------------------------------- commands */

static int check_reply(struct queue *q, const struct args *a, redisReply *reply, redisReply **ret) {
    if (reply->type == REDIS_REPLY_ERROR) {
        int rc = queue_error_class(reply->str);

        queue_fault(q, rc, "%s (%s, redis %s)", reply->str, a->v[0], q->options.redis);
        freeReplyObject(reply);
        return rc;
    }
    *ret = reply;
    return 0;
}

static int call(struct queue *q, const struct args *a, int64_t wait_ms, bool wakes, redisReply **ret) {
    int64_t deadline;
    redisReply *reply = NULL;
    int r = connected(q);

    if (r < 0)
        return r;
    deadline = clock_steady_ms() + q->options.timeout_ms + wait_ms;
    redisAppendCommandArgv(q->redis, (int)a->count, a->v, a->n);
    q->sent++;
    if (flush(q, deadline) < 0)
        return lost(q, a->v[0]);
    r = next_reply(q, deadline, wakes, &reply);
    if (r == WOKEN) {
        queue_disconnect(q);
        return QUEUE_NOTHING;
    }
    if (r < 0)
        return lost(q, a->v[0]);
    *ret = reply;
    return 0;
}

int queue_call(struct queue *q, const struct args *a, redisReply **ret) {
    redisReply *reply = NULL;
    int r = call(q, a, 0, false, &reply);

    return r != 0 ? r : check_reply(q, a, reply, ret);
}

int queue_call_waiting(struct queue *q, const struct args *a, int64_t wait_ms, redisReply **ret) {
    redisReply *reply = NULL;
    int r = call(q, a, wait_ms, wait_ms > 0, &reply);

    return r != 0 ? r : check_reply(q, a, reply, ret);
}

int queue_eval(struct queue *q, const struct script *s, struct args *a, redisReply **ret) {
    redisReply *reply = NULL;
    int r = call(q, a, 0, false, &reply);

    if (r == 0 && reply->type == REDIS_REPLY_ERROR && text_starts(reply->str, "NOSCRIPT")) {
        /* A new Redis, or SCRIPT FLUSH: NOSCRIPT means that nothing was run. */
        freeReplyObject(reply);
        args_whole_script(a, s);
        r = call(q, a, 0, false, &reply);
    }
    return r != 0 ? r : check_reply(q, a, reply, ret);
}

int queue_eval_int(struct queue *q, const struct script *s, struct args *a, long long *ret) {
    redisReply *reply = NULL;
    int r = queue_eval(q, s, a, &reply);

    if (r < 0)
        return r;
    if (reply->type != REDIS_REPLY_INTEGER)
        r = queue_fault(q, -EPROTO, "script %s answered no number", s->name);
    else
        *ret = reply->integer;
    freeReplyObject(reply);
    return r;
}

static int read_all(struct queue *q, const struct args *a, size_t count, int64_t deadline,
                    redisReply **replies) {
    int rc = 0;

    for (size_t i = 0; i < count; i++) {
        redisReply *reply = NULL;
        int r;

        if (next_reply(q, deadline, false, &reply) < 0)
            return lost(q, a[i].v[0]);
        r = check_reply(q, &a[i], reply, &replies[i]);
        if (rc == 0)
            rc = r;
    }
    return rc;
}

int queue_pipeline(struct queue *q, const struct args *a, size_t count, redisReply **replies) {
    int64_t deadline;
    int r = connected(q);

    memset(replies, 0, count * sizeof(*replies));
    if (r < 0)
        return r;
    deadline = clock_steady_ms() + q->options.timeout_ms;
    for (size_t i = 0; i < count; i++)
        redisAppendCommandArgv(q->redis, (int)a[i].count, a[i].v, a[i].n);
    r = flush(q, deadline) < 0 ? lost(q, a[0].v[0]) : read_all(q, a, count, deadline, replies);
    for (size_t i = 0; r < 0 && i < count; i++) {
        freeReplyObject(replies[i]);
        replies[i] = NULL;
    }
    return r;
}
