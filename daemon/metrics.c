/*
 * metrics.c: /healthz for a watcher, /metrics for Prometheus, on a listener of their own.
 *
 * Everything is read from what the workers publish (queue_health_get) when it
 * is asked for; numbers in a worker's health become metrics by themselves:
 * aduan_worker{account, role, field}. Never anything personal.
 */
#include "connectors/kit/text.h"
#include "daemon/gateway.h"
#include "daemon/log.h"

#include <stdlib.h>
#include <string.h>

enum { FRESH_MS = 8000 }; /* a worker writes its health every 2 s */

static const char *const streams[] = { "in", "out", "event", "media", "dead" };

/* ------------------------------------------------------------------ healthz */

static void healthz(void *arg, struct server_call *call, const struct server_request *r) {
    struct gateway *g = arg;
    bool redis = queue_async_up(g->async);
    bool spool = gateway_spool_has_room(g);
    json_t *body =
        json_pack("{s:b, s:b, s:b, s:I, s:s}", "ok", redis || spool, "redis", redis, "spool", spool, "spooled",
                  (json_int_t)(g->spool != NULL ? spool_count(g->spool) : 0), "durability", g->problem);
    char *text = json_dumps(body, JSON_COMPACT);
    struct server_answer a = { .status = redis || spool ? 200 : 503, .type = "application/json" };

    (void)r;
    a.body = text;
    a.body_len = strlen(text);
    server_answer(call, &a);
    free(text);
    json_decref(body);
}

/* ------------------------------------------------------------------ metrics */

static void add_number(struct text *t, const char *name, const char *labels, double value) {
    text_addf(t, "aduan_%s%s%s%s %.17g\n", name, labels[0] != '\0' ? "{" : "", labels,
              labels[0] != '\0' ? "}" : "", value);
}

/* Account and role names are [a-z0-9-]; a field name comes from our own workers, but over Redis. */
static bool is_plain(const char *s) {
    return s[0] != '\0' && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(s);
}

static void add_worker(struct text *t, const char *account, const char *role, const json_t *fields) {
    const char *field;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)fields, field, value) {
        char *labels;

        if (!is_plain(field) || (!json_is_number(value) && !json_is_boolean(value)))
            continue;
        labels = xasprintf("account=\"%s\",role=\"%s\",field=\"%s\"", account, role, field);
        add_number(t, "worker", labels, json_is_number(value) ? json_number_value(value) : json_is_true(value));
        free(labels);
    }
}

/* Prometheus wants the lines of one name together, so each name is gathered apart. */
struct families {
    struct text workers, entries, oldest;
    struct text token, fault, quota, last_in, last_out;
};

/* What is known of an account as a whole, from what its workers publish. A worker that is gone has no say in
 * its faults; its last times stand. */
struct account_sum {
    int64_t token, last_in, last_out; /* ms, 0: unknown */
    bool fault;
};

static void sum_worker(struct account_sum *s, const json_t *fields, int64_t now) {
    int64_t token = json_integer_value(json_object_get(fields, "token_expires_at"));
    int64_t in = json_integer_value(json_object_get(fields, "last_in"));
    int64_t out = json_integer_value(json_object_get(fields, "last_out"));
    const char *fault = json_string_value(json_object_get(fields, "fault"));
    bool fresh = now - json_integer_value(json_object_get(fields, "at")) < FRESH_MS;

    if (token > 0 && (s->token == 0 || token < s->token))
        s->token = token;
    s->last_in = in > s->last_in ? in : s->last_in;
    s->last_out = out > s->last_out ? out : s->last_out;
    s->fault = s->fault || !fresh || (fault != NULL && fault[0] != '\0');
}

static void add_quota(struct text *t, const char *account, const char *role, const json_t *quota) {
    const char *name;
    json_t *used;

    json_object_foreach((json_t *)(uintptr_t)quota, name, used) {
        if (is_plain(name) && json_is_integer(used))
            text_addf(t, "aduan_quota_used{account=\"%s\",role=\"%s\",name=\"%s\"} %g\n", account, role, name,
                      (double)json_integer_value(used) / 100);
    }
}

static void add_since(struct text *t, const char *name, const char *account, int64_t at, int64_t now) {
    if (at > 0)
        text_addf(t, "aduan_%s{account=\"%s\"} %.3f\n", name, account, (double)(now - at) / 1000);
}

static void add_sum(struct families *f, const char *account, const struct account_sum *s, int64_t now) {
    if (s->token > 0)
        text_addf(&f->token, "aduan_token_days_left{account=\"%s\"} %.3f\n", account,
                  (double)(s->token - now) / 86400000);
    text_addf(&f->fault, "aduan_account_fault{account=\"%s\"} %d\n", account, s->fault);
    add_since(&f->last_in, "last_in_seconds", account, s->last_in, now);
    add_since(&f->last_out, "last_out_seconds", account, s->last_out, now);
}

static int add_account(struct families *f, struct gateway *g, const char *account) {
    int64_t count, oldest;
    struct account_sum sum = { 0 };
    json_t *roles = NULL, *fields;
    const char *role;
    size_t i;
    int r;

    r = queue_health_get(g->admin, account, &roles);
    if (r < 0)
        return r;
    json_object_foreach(roles, role, fields) {
        if (!is_plain(role))
            continue;
        add_worker(&f->workers, account, role, fields);
        add_quota(&f->quota, account, role, json_object_get(fields, "quota"));
        if (strcmp(account, "desk") != 0)
            sum_worker(&sum, fields, gateway_now());
    }
    if (json_object_size(roles) > 0 && strcmp(account, "desk") != 0)
        add_sum(f, account, &sum, gateway_now());
    json_decref(roles);
    for (i = 0; i < sizeof(streams) / sizeof(streams[0]) && r >= 0; i++) {
        r = queue_depth(g->admin, account, streams[i], gateway_now(), &count, &oldest);
        if (r < 0)
            break;
        text_addf(&f->entries, "aduan_queue_entries{account=\"%s\",stream=\"%s\"} %lld\n", account, streams[i],
                  (long long)count);
        text_addf(&f->oldest, "aduan_queue_oldest_seconds{account=\"%s\",stream=\"%s\"} %.3f\n", account,
                  streams[i], (double)oldest / 1000);
    }
    return r;
}

static void add_own(struct text *t, const struct gateway *g, bool redis) {
    int64_t oldest = gateway_spool_oldest(g);

    text_add(t, "# HELP aduan_redis_up Does Redis answer?\n# TYPE aduan_redis_up gauge\n");
    add_number(t, "redis_up", "", redis);
    text_add(
        t,
        "# HELP aduan_redis_durable Is what Redis acknowledges on disk?\n# TYPE aduan_redis_durable gauge\n");
    add_number(t, "redis_durable", "", g->problem[0] == '\0');
    text_add(
        t,
        "# HELP aduan_spool_messages Messages waiting on disk for Redis\n# TYPE aduan_spool_messages gauge\n");
    add_number(t, "spool_messages", "", g->spool != NULL ? (double)spool_count(g->spool) : 0);
    text_add(t, "# TYPE aduan_spool_bytes gauge\n");
    add_number(t, "spool_bytes", "", g->spool != NULL ? (double)spool_bytes(g->spool) : 0);
    text_add(t, "# TYPE aduan_spool_oldest_seconds gauge\n");
    add_number(t, "spool_oldest_seconds", "", oldest > 0 ? (double)(gateway_now() - oldest) / 1000 : 0);
    text_add(t, "# TYPE aduan_connections gauge\n");
    add_number(t, "connections", "", (double)server_connections(g->server));
}

static void add_family(struct text *t, const char *head, struct text *lines) {
    text_add(t, head);
    if (lines->len > 0)
        text_add_n(t, lines->s, lines->len);
    text_free(lines);
}

static void add_accounts(struct text *t, struct gateway *g) {
    struct families f = {
        TEXT_INIT, TEXT_INIT, TEXT_INIT, TEXT_INIT, TEXT_INIT, TEXT_INIT, TEXT_INIT, TEXT_INIT
    };
    struct conf *conf = g->job->conf;
    size_t i;
    int r = add_account(&f, g, "desk");

    for (i = 0; i < conf->account_count && r >= 0; i++)
        r = add_account(&f, g, conf->accounts[i].name);
    add_family(t, "# HELP aduan_worker What each worker publishes of itself\n# TYPE aduan_worker untyped\n",
               &f.workers);
    add_family(t, "# HELP aduan_queue_entries Entries in a stream\n# TYPE aduan_queue_entries gauge\n",
               &f.entries);
    add_family(
        t,
        "# HELP aduan_queue_oldest_seconds Age of the oldest entry\n# TYPE aduan_queue_oldest_seconds gauge\n",
        &f.oldest);
    add_family(t,
               "# HELP aduan_token_days_left Days until the account's token ends\n"
               "# TYPE aduan_token_days_left gauge\n",
               &f.token);
    add_family(t,
               "# HELP aduan_account_fault Does a worker of the account tell a fault, or is it gone?\n"
               "# TYPE aduan_account_fault gauge\n",
               &f.fault);
    add_family(t,
               "# HELP aduan_quota_used Part of a platform's allowance that is used, 1 is all of it\n"
               "# TYPE aduan_quota_used gauge\n",
               &f.quota);
    add_family(t,
               "# HELP aduan_last_in_seconds Since the account last took something in by pulling\n"
               "# TYPE aduan_last_in_seconds gauge\n",
               &f.last_in);
    add_family(t,
               "# HELP aduan_last_out_seconds Since the account last sent an answer\n"
               "# TYPE aduan_last_out_seconds gauge\n",
               &f.last_out);
}

static void metrics(void *arg, struct server_call *call, const struct server_request *r) {
    struct gateway *g = arg;
    struct text t = TEXT_INIT;
    struct server_answer a = { .status = 200, .type = "text/plain; version=0.0.4; charset=utf-8" };
    bool redis = gateway_admin_ready(g);

    (void)r;
    add_own(&t, g, redis);
    if (redis)
        add_accounts(&t, g);
    a.body = t.s;
    a.body_len = t.len;
    server_answer(call, &a);
    text_free(&t);
}

void metrics_listen(struct gateway *g) {
    static struct server_route routes[] = { { "GET", "/healthz", healthz, NULL },
                                            { "GET", "/metrics", metrics, NULL } };
    const struct conf_http *http = &g->job->conf->metrics;
    struct server_options o = {
        .listen = http->listen,
        .tls_cert = http->tls_cert,
        .tls_key = http->tls_key,
        .routes = routes,
        .route_count = sizeof(routes) / sizeof(routes[0]),
    };
    struct server_listener *listener;
    char why[512];

    if (http->listen == NULL || http->listen[0] == '\0' || g->metrics_on)
        return;
    routes[0].arg = routes[1].arg = g;
    g->metrics_on = server_listen(g->server, &o, &listener, why, sizeof(why)) == 0;
    if (!g->metrics_on && !g->metrics_failed)
        log_error("no metrics, will try again: metrics.listen: %s", why);
    g->metrics_failed = !g->metrics_on;
}
