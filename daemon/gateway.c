/*
 * gateway.c: the worker that takes webhooks in: loop, health, start and stop.
 *
 * One loop serves HTTP, the asynchronous connection to Redis and a tick. What
 * is rare (dead letters, health, switches, durability) goes over a second,
 * blocking connection with a short timeout, and only while the first one says
 * that Redis is there, so that a hanging Redis never holds up a platform.
 */
#include "daemon/gateway.h"

#include "connectors/kit/step.h"
#include "connectors/kit/text.h"
#include "daemon/log.h"
#include "daemon/module.h"
#include "queue/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TICK_MS = 100,
    ASYNC_TIMEOUT_MS = 1500, /* X gives us 3 s: time enough left for the spool */
    ADMIN_TIMEOUT_MS = 1000,
    ADMIN_PAUSE_MS = 5000, /* after a fault of the blocking connection */
    HEALTH_MS = 2000,
    SWITCHES_MS = 300, /* who pauses an account waits for it */
    DURABILITY_MS = 60 * 1000,
    REMIND_MS = 3600 * 1000,
    METRICS_MS = 5000, /* between two tries to listen */
    DRAIN_MS = 10 * 1000,
};

#define SPOOL_MAX ((int64_t)1024 * 1024 * 1024)

int64_t gateway_now(void) {
    return clock_wall_ms();
}

int64_t gateway_tick(void) {
    return clock_steady_ms();
}

/* --------------------------------------------------------- Redis in the loop */

static void on_redis(void *arg, bool readable, bool writable) {
    struct gateway *g = arg;

    if (readable)
        queue_async_readable(g->async);
    if (writable && g->want_write)
        queue_async_writable(g->async);
}

static void redis_want_write(void *arg, bool on) {
    struct gateway *g = arg;

    g->want_write = on;
    if (g->async_watch != NULL)
        server_watch_write(g->async_watch, on);
}

/* The other connection is lost, too, or will be in doubt: it connects anew at its next use. */
static void renew_admin(struct gateway *g) {
    struct queue_options o = job_queue_options(g->job);

    o.timeout_ms = ADMIN_TIMEOUT_MS;
    queue_free(g->admin);
    g->admin = queue_new(&o);
    g->admin_not_before = 0;
}

static void redis_fd_changed(void *arg, int fd) {
    struct gateway *g = arg;

    g->async_watch = server_watch_free(g->async_watch);
    if (fd >= 0)
        g->async_watch = server_watch_new(g->server, fd, on_redis, g);
    else
        renew_admin(g);
}

static void open_redis(struct gateway *g) {
    static const struct queue_async_ops ops = { redis_want_write, redis_fd_changed };
    struct queue_options o = job_queue_options(g->job);

    renew_admin(g);
    o.timeout_ms = ASYNC_TIMEOUT_MS;
    g->async = queue_async_new(&o, &ops, g);
}

bool gateway_admin_ready(const struct gateway *g) {
    return queue_async_up(g->async) && gateway_tick() >= g->admin_not_before;
}

static int admin_result(struct gateway *g, int r) {
    if (r == -EAGAIN)
        g->admin_not_before = gateway_tick() + ADMIN_PAUSE_MS;
    return r;
}

int gateway_bury(struct gateway *g, const char *account, const struct queue_in *in, const char *reason) {
    struct queue_dead dead = {
        .account = (char *)(uintptr_t)account,
        .reason = (char *)(uintptr_t)(reason != NULL ? reason : ""),
        .ref = (char *)(uintptr_t)in->id,
        .kind = (char *)(uintptr_t) "in",
        .record = (char *)(uintptr_t)in->record,
        .at = gateway_now(),
        .raw = (unsigned char *)(uintptr_t)in->raw,
        .raw_len = in->raw_len,
    };
    char id[32];

    if (!gateway_admin_ready(g))
        return -EAGAIN;
    return admin_result(g, queue_bury(g->admin, &dead, id));
}

bool gateway_spool_has_room(const struct gateway *g) {
    return g->spool != NULL && g->spool_failed_at == 0 && spool_bytes(g->spool) < SPOOL_MAX;
}

/* ------------------------------------------------------------------- health */

static json_t *door_health(const struct gateway *g, const struct door *d) {
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:I, s:I, s:i, s:b}", "last_in",
                     (json_int_t)d->last_in, "posts", (json_int_t)d->posts, "messages", (json_int_t)d->messages,
                     "dead", (json_int_t)d->dead, "refused", (json_int_t)d->refused, "unavailable",
                     (json_int_t)d->unavailable, "spool",
                     (json_int_t)(g->spool != NULL ? spool_count(g->spool) : -1), "spool_bytes",
                     (json_int_t)(g->spool != NULL ? spool_bytes(g->spool) : 0), "durability", g->problem,
                     "pid", (json_int_t)getpid(), "started", (json_int_t)g->started, "restarts",
                     g->job->restarts, "paused", d->paused);
}

static void publish_health(struct gateway *g) {
    size_t i;
    int r = 0;

    for (i = 0; i < g->door_count && r == 0; i++) {
        json_t *fields = door_health(g, &g->doors[i]);
        char *line;

        json_object_set_new(fields, "at", json_integer(gateway_now()));
        line = json_dumps(fields, JSON_COMPACT);
        r = admin_result(g, queue_health_set(g->admin, g->doors[i].account->name, "gateway", line));
        free(line);
        json_decref(fields);
    }
}

static void read_switches(struct gateway *g) {
    bool in, out;
    size_t i;

    for (i = 0; i < g->door_count; i++) {
        if (admin_result(g, queue_switch_get(g->admin, g->doors[i].account->name, &in, &out)) != 0)
            return;
        if (in != g->doors[i].paused)
            log_info("%s: %s", g->doors[i].account->name, in ? "paused, its webhooks get 503" : "resumed");
        g->doors[i].paused = in;
    }
}

static void check_durability(struct gateway *g) {
    struct queue_durability d;
    char problem[sizeof(g->problem)] = "";

    if (admin_result(g, queue_durability(g->admin, &d, problem, sizeof(problem))) < 0)
        return;
    if (strcmp(problem, g->problem) == 0 &&
        (problem[0] == '\0' || gateway_tick() - g->problem_logged_at < REMIND_MS))
        return;
    if (problem[0] != '\0')
        log_error("REDIS IS NOT DURABLE, acknowledged messages can be lost: %s", problem);
    else
        log_info("redis is durable");
    memcpy(g->problem, problem, sizeof(problem));
    g->problem_logged_at = gateway_tick();
}

static bool is_due(int64_t *at, int64_t every_ms) {
    int64_t now = gateway_tick();

    if (*at != 0 && now - *at < every_ms)
        return false;
    *at = now;
    return true;
}

static void on_tick(void *arg) {
    struct gateway *g = arg;

    queue_async_tick(g->async, gateway_tick());
    job_beat(g->job);
    if (is_due(&g->spool_note_at, HEALTH_MS))
        gateway_spool_note(g);
    if (is_due(&g->metrics_at, METRICS_MS))
        metrics_listen(g);
    if (gateway_admin_ready(g) && is_due(&g->durability_at, DURABILITY_MS))
        check_durability(g);
    if (gateway_admin_ready(g) && is_due(&g->switches_at, SWITCHES_MS))
        read_switches(g);
    if (gateway_admin_ready(g) && is_due(&g->health_at, HEALTH_MS))
        publish_health(g);
}

/* The end of a turn: all requests that were ready are read, so all they bring goes on together. */
static void on_turn(void *arg) {
    struct gateway *g = arg;

    delivery_flush(g);
    replay_step(g);
    if (g->want_write && queue_async_up(g->async))
        queue_async_writable(g->async);
}

static void on_wake(void *arg, bool readable, bool writable) {
    (void)arg; /* job_stopping() is asked after each turn */
    (void)readable;
    (void)writable;
}

/* ------------------------------------------------------------ start and stop */

static void open_doors(struct gateway *g) {
    struct conf *conf = g->job->conf;
    size_t i;

    g->doors = xcalloc(conf->account_count + 1, sizeof(*g->doors));
    for (i = 0; i < conf->account_count; i++) {
        struct conf_account *a = &conf->accounts[i];
        const struct module *module = job_module(g->job, a);

        if (a->enabled && (module_can(module->connector, a->settings) & ADUAN_CAP_PUSH))
            g->doors[g->door_count++] = (struct door){ .account = a, .connector = module->connector };
    }
}

static void open_spool(struct gateway *g) {
    char *dir = xasprintf("%s/spool", g->job->conf->state);
    char why[512] = "";
    int r;

    if (mkdir(dir, 0750) < 0 && errno != EEXIST)
        log_error("cannot make %s: %s", dir, strerror(errno));
    r = spool_open(dir, "gateway", SPOOL_MAX, &g->spool, why, sizeof(why));
    if (r < 0) {
        g->spool = NULL;
        log_error("no spool, webhooks get 503 while redis is away: %s", why);
    } else if (why[0] != '\0') {
        log_error("spool: %s", why);
    }
    if (g->spool != NULL && spool_count(g->spool) > 0)
        log_warn("%lld messages are waiting in the spool", (long long)spool_count(g->spool));
    free(dir);
}

static int listen_hooks(struct gateway *g) {
    static struct server_route routes[] = {
        { "POST", "/hook/", gateway_hook, NULL },
        { "GET", "/hook/", gateway_hook, NULL },
    };
    const struct conf_http *http = &g->job->conf->gateway;
    struct server_options o = {
        .listen = http->listen,
        .tls_cert = http->tls_cert,
        .tls_key = http->tls_key,
        .routes = routes,
        .route_count = sizeof(routes) / sizeof(routes[0]),
    };
    struct server_listener *listener;
    char why[512];

    if (http->listen == NULL || http->listen[0] == '\0')
        return 0;
    routes[0].arg = routes[1].arg = g;
    if (server_listen(g->server, &o, &listener, why, sizeof(why)) < 0) {
        log_error("cannot listen: gateway.listen: %s", why);
        return -1;
    }
    log_info("listening on %s, %zu doors", http->listen, g->door_count);
    return 0;
}

static int gateway_open(struct gateway *g) {
    char why[256];

    g->server = server_new(0, why, sizeof(why));
    if (g->server == NULL) {
        log_error("%s", why);
        return -1;
    }
    g->budget = budget_new();
    open_doors(g);
    open_spool(g);
    open_redis(g);
    metrics_listen(g);
    server_watch_new(g->server, job_wake_fd(g->job), on_wake, g);
    server_every(g->server, TICK_MS, on_tick, g);
    server_after_turn(g->server, on_turn, g);
    return listen_hooks(g);
}

/* Told to stop: no new connection, what is in flight ends, at most for DRAIN_MS. */
static int drain(struct gateway *g) {
    int64_t until = gateway_tick() + DRAIN_MS;

    server_stop_listening(g->server);
    while (server_busy(g->server) > 0 || g->in_flight > 0 || g->fresh.first != NULL || g->unsent.first != NULL)
        if (gateway_tick() > until || server_turn(g->server) < 0)
            break;
    log_info("stopped");
    return 0;
}

static void gateway_close(struct gateway *g) {
    g->async = queue_async_free(g->async); /* what it still had comes back as unsent */
    replay_clear(g);
    if (g->spool != NULL)
        spool_close(g->spool);
    g->server = server_free(g->server);
    queue_free(g->admin);
    budget_free(g->budget);
    free(g->doors);
}

int job_gateway(struct job *j) {
    struct gateway g = { .job = j, .started = gateway_now() };
    int status = 1;

    if (gateway_open(&g) == 0) {
        job_ready(j);
        while (!job_stopping(j) && server_turn(g.server) == 0)
            ;
        status = job_stopping(j) ? drain(&g) : 1;
    }
    gateway_close(&g);
    return status;
}
