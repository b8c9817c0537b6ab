/* host.c: the host table as a receive or send worker offers it to its connector. */
#include "daemon/host.h"

#include "connectors/kit/text.h"
#include "daemon/log.h"
#include "queue/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 250, TURN_MS = 1000, STOP_GRACE_MS = 3000, REDIS_PAUSE_MS = 500 };

int64_t host_monotonic(void) {
    return clock_steady_ms();
}

int64_t host_wall(void) {
    return clock_wall_ms();
}

static struct host *of(struct aduan_host *base) {
    return (struct host *)base;
}

/* -------------------------------------------------------------------- the loop */

static void tick(struct host *h) {
    int64_t now = host_monotonic();

    job_beat(h->job);
    if (h->worker.tick == NULL || h->ticking || now - h->ticked < TICK_MS)
        return;
    h->ticked = now;
    h->ticking = true;
    h->worker.tick(h->worker.arg);
    h->ticking = false;
}

int host_turn(struct host *h, int64_t timeout_ms, int fd, short events, bool *ret_ready) {
    int fds[2] = { fd, job_wake_fd(h->job) };
    short wanted[2] = { events, POLLIN };
    bool ready[2] = { false, false };
    size_t first = fd < 0 ? 1 : 0;
    bool stopping = job_stopping(h->job);

    net_perform(h->net);
    tick(h);
    if (timeout_ms > (h->worker.tick != NULL ? TICK_MS : TURN_MS))
        timeout_ms = h->worker.tick != NULL ? TICK_MS : TURN_MS;
    if (timeout_ms < 0)
        timeout_ms = 0;
    /* Once told to stop the wake fd stays readable: it would only spin the loop. */
    net_wait(h->net, fds + first, wanted + first, 2 - first - (stopping ? 1 : 0), ready + first,
             (int)timeout_ms);
    net_perform(h->net);
    if (ret_ready != NULL)
        *ret_ready = ready[0];
    return stopping || job_stopping(h->job) ? ADUAN_STOPPING : 0;
}

int host_sleep(struct host *h, int64_t ms) {
    int64_t end = host_monotonic() + ms, left;

    while ((left = end - host_monotonic()) > 0)
        if (host_turn(h, left, -1, 0, NULL) != 0)
            return ADUAN_STOPPING;
    return ADUAN_TIMEOUT;
}

/* ------------------------------------------------------------- small services */

static int64_t op_now(struct aduan_host *base) {
    (void)base;
    return host_wall();
}

static void op_log(struct aduan_host *base, enum aduan_log_level level, const char *fmt, ...) {
    va_list ap;

    (void)base;
    va_start(ap, fmt);
    log_line((int)level, fmt, ap);
    va_end(ap);
}

static int op_pause(struct aduan_host *base, int64_t ms) {
    return host_sleep(of(base), ms);
}

static int op_blob_open(struct aduan_host *base, const char *sha256) {
    return blob_open(of(base)->job->blobs, sha256);
}

static int op_blob_put(struct aduan_host *base, const void *bytes, size_t n, char ret_sha256[65]) {
    return blob_put(of(base)->job->blobs, bytes, n, ret_sha256);
}

void host_fault(struct host *h, const char *fault) {
    if (text_equal(h->fault, fault))
        return;
    if (fault != NULL)
        log_warn("%s", fault);
    else
        log_info("well again");
    free(h->fault);
    h->fault = xstrdup(fault);
}

bool host_recall(struct host *h, const char *field, int64_t *ret) {
    json_t *roles = NULL;
    int64_t before;

    if (queue_health_get(h->job->queue, h->base.account, &roles) < 0)
        return false;
    before = json_integer_value(json_object_get(json_object_get(roles, h->job->role), field));
    if (before > *ret)
        *ret = before;
    json_decref(roles);
    return true;
}

static void op_report(struct aduan_host *base, int64_t token_expires_at, const char *fault) {
    of(base)->token_expires_at = token_expires_at;
    host_fault(of(base), fault);
}

/* --------------------------------------------------------------------- transfers */

static int op_http(struct aduan_host *base, const struct aduan_http_request *req, aduan_http_done done,
                   void *arg) {
    net_http(of(base)->net, req, done, arg);
    return 0;
}

static int op_mail(struct aduan_host *base, const struct aduan_mail_request *req, aduan_mail_done done,
                   void *arg) {
    net_mail(of(base)->net, req, done, arg);
    return 0;
}

struct waiting {
    struct net *net;
    struct aduan_http_response *response;
    bool done, given_up;
};

static void waited(void *arg, const struct aduan_http_response *r) {
    struct waiting *w = arg;

    if (w->given_up) {
        free(w);
        return;
    }
    *w->response = *r;
    w->done = true;
    net_keep_response(w->net);
}

static int op_http_wait(struct aduan_host *base, const struct aduan_http_request *req,
                        struct aduan_http_response *ret_response) {
    struct host *h = of(base);
    struct waiting *w = xcalloc(1, sizeof(*w));
    int64_t end = INT64_MAX;

    if (job_stopping(h->job)) {
        free(w);
        return ADUAN_STOPPING;
    }
    w->net = h->net;
    w->response = ret_response;
    net_http(h->net, req, waited, w);
    /* What is under way when the worker is told to stop gets a moment more: a token that can be used once is
     * spent at the platform, and its successor must not be lost. */
    while (!w->done && host_monotonic() < end)
        if (host_turn(h, TURN_MS, -1, 0, NULL) == ADUAN_STOPPING && end == INT64_MAX)
            end = host_monotonic() + STOP_GRACE_MS;
    if (!w->done) {
        /* The transfer may still end while others are waited for: it must find its memory. */
        w->given_up = true;
        return ADUAN_STOPPING;
    }
    free(w);
    return 0;
}

/* ------------------------------------------------------- cursors and kept secrets */

/* A cursor or a secret that Redis cannot tell right now is not "none": wait for it. */
static bool redis_back(struct host *h, int r, const char *what) {
    if (r >= 0)
        return true;
    log_warn("cannot read %s: %s", what, queue_error(h->job->queue));
    return host_sleep(h, REDIS_PAUSE_MS) == ADUAN_STOPPING;
}

static const char *op_mark(struct aduan_host *base, const char *name) {
    struct host *h = of(base);
    int r;

    free(h->mark);
    do {
        h->mark = NULL;
        r = queue_mark_get(h->job->queue, base->account, name, &h->mark);
    } while (!redis_back(h, r, "a cursor"));
    if (r != 0)
        h->mark = NULL;
    return h->mark;
}

static int op_keep_secret(struct aduan_host *base, const char *name, const struct aduan_secret *value) {
    return queue_kept_set(of(base)->job->queue, base->account, name, value->bytes, value->len);
}

static struct aduan_secret *secret_slot(struct host *h, const char *name) {
    size_t i;

    for (i = 0; i < h->secret_count; i++)
        if (strcmp(h->secrets[i].name, name) == 0)
            return &h->secrets[i].value;
    h->secrets = xrealloc(h->secrets, h->secret_count + 1, sizeof(*h->secrets));
    h->secrets[h->secret_count] = (struct host_secret){ xstrdup(name), { NULL, 0 } };
    return &h->secrets[h->secret_count++].value;
}

static void wipe_secret(struct aduan_secret *s) {
    if (s->bytes != NULL)
        text_wipe(s->bytes, s->len);
    free(s->bytes);
    *s = (struct aduan_secret){ NULL, 0 };
}

static const struct aduan_secret *op_kept_secret(struct aduan_host *base, const char *name) {
    struct host *h = of(base);
    struct aduan_secret *slot = secret_slot(h, name);
    char *value;
    int r;

    wipe_secret(slot);
    do {
        value = NULL;
        r = queue_kept_get(h->job->queue, base->account, name, &value);
    } while (!redis_back(h, r, "a kept secret"));
    if (r != 0 || value == NULL)
        return NULL;
    slot->bytes = value;
    slot->len = strlen(value);
    return slot;
}

/* --------------------------------------------------------------- what the worker does */

static int op_emit(struct aduan_host *base, const struct aduan_raw *raw) {
    struct host *h = of(base);

    return h->worker.emit != NULL ? h->worker.emit(h->worker.arg, raw) : -ENOTSUP;
}

static int op_flush(struct aduan_host *base) {
    struct host *h = of(base);

    return h->worker.flush != NULL ? h->worker.flush(h->worker.arg) : -ENOTSUP;
}

static void op_done(struct aduan_host *base, uint64_t token, const struct aduan_result *result) {
    struct host *h = of(base);

    if (h->worker.done != NULL)
        h->worker.done(h->worker.arg, token, result);
}

static void op_fetched(struct aduan_host *base, uint64_t token, const struct aduan_result *result,
                       const char *sha256, int64_t size, const char *type) {
    struct host *h = of(base);

    if (h->worker.fetched != NULL)
        h->worker.fetched(h->worker.arg, token, result, sha256, size, type);
}

static void op_quota(struct aduan_host *base, const char *name, int used_percent) {
    struct host *h = of(base);

    if (h->quotas == NULL)
        h->quotas = json_object();
    if (used_percent < 0)
        json_object_del(h->quotas, name);
    else
        json_object_set_new(h->quotas, name, json_integer(used_percent));
}

static const struct aduan_host_ops table = {
    .size = sizeof(table),
    .now = op_now,
    .log = op_log,
    .http = op_http,
    .mail = op_mail,
    .http_wait = op_http_wait,
    .stream_open = host_stream_open,
    .stream_read = host_stream_read,
    .stream_write = host_stream_write,
    .stream_close = host_stream_close,
    .pause = op_pause,
    .emit = op_emit,
    .flush = op_flush,
    .mark = op_mark,
    .done = op_done,
    .fetched = op_fetched,
    .blob_open = op_blob_open,
    .keep_secret = op_keep_secret,
    .kept_secret = op_kept_secret,
    .report = op_report,
    .blob_put = op_blob_put,
    .quota = op_quota,
};

void host_open(struct host *h, struct job *j, const struct host_worker *w) {
    struct net_options o = { .tls_ca = j->account->tls_ca, .blobs = j->blobs };

    *h = (struct host){ .base = { .ops = &table, .account = j->account->name }, .job = j, .worker = *w };
    h->net = net_new(&o);
}

void host_close(struct host *h) {
    size_t i;

    h->net = net_free(h->net);
    for (i = 0; i < h->secret_count; i++) {
        wipe_secret(&h->secrets[i].value);
        free(h->secrets[i].name);
    }
    free(h->secrets);
    free(h->mark);
    free(h->fault);
    json_decref(h->quotas);
}
