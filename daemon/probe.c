/* probe.c: asks the platform whether an account is well, and keeps what it said. */
#include "daemon/probe.h"

#include "connectors/kit/text.h"
#include "daemon/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVERY_MS = 6 * 3600 * 1000, AGAIN_MS = 5 * 60 * 1000, SOON_MS = 10 * 1000 };
enum { HOLD_MS = 15 * 1000, EXCUSED_MS = 60 * 1000 };

void probe_open(struct probe *p, struct host *h, const struct aduan_connector *c, uint32_t can) {
    bool sender = strcmp(h->job->role, "send") == 0;

    *p = (struct probe){ .host = h, .connector = c };
    p->mine = c->probe != NULL && (can & (ADUAN_CAP_SEND | ADUAN_CAP_PULL)) != 0 &&
              sender == ((can & ADUAN_CAP_SEND) != 0);
    p->answers = p->mine || (c->probe != NULL && !sender && (can & ADUAN_CAP_PULL) != 0);
    p->due = p->mine ? host_monotonic() : INT64_MAX;
}

void probe_close(struct probe *p) {
    free(p->reason);
    p->reason = NULL;
}

/* A request that stood there before this life is answered only if it is not on record as answered. */
static void recall(struct probe *p) {
    json_t *sides = NULL;
    const char *request;

    if (queue_probe_get(p->host->job->queue, p->host->base.account, &sides) < 0)
        return;
    request = json_string_value(json_object_get(json_object_get(sides, p->host->job->role), "request"));
    snprintf(p->answered, sizeof(p->answered), "%s", request != NULL ? request : "");
    json_decref(sides);
    p->read = true;
}

void probe_listen(struct probe *p) {
    if (!p->read)
        recall(p);
    if (p->read)
        (void)queue_probe_asked(p->host->job->queue, p->host->base.account, p->request, sizeof(p->request));
}

static bool asked(const struct probe *p) {
    return p->answers && p->read && p->request[0] != '\0' && strcmp(p->request, p->answered) != 0;
}

bool probe_wanted(const struct probe *p) {
    return !p->running && (asked(p) || host_monotonic() >= p->due);
}

bool probe_holds(struct probe *p) {
    int64_t now = host_monotonic();

    if (p->running)
        return true;
    if (!probe_wanted(p) || now < p->excused_until) {
        p->held_since = 0;
        return false;
    }
    if (p->held_since == 0)
        p->held_since = now;
    if (now - p->held_since < HOLD_MS)
        return true;
    p->held_since = 0;
    p->excused_until = now + EXCUSED_MS;
    return false;
}

void probe_soon(struct probe *p) {
    int64_t soon = host_monotonic() + SOON_MS;

    if (p->mine && p->due > soon)
        p->due = soon;
}

static json_t *result_json(const struct probe *p) {
    return json_pack("{s:I, s:s, s:s?}", "at", (json_int_t)p->at, "outcome",
                     p->reason == NULL             ? "well"
                     : p->outcome == ADUAN_REFUSED ? "refused"
                     : p->outcome == ADUAN_LIMITED ? "limited"
                                                   : "failed",
                     "reason", p->reason);
}

static void tell(struct probe *p, const char *request) {
    json_t *o = result_json(p);
    char *text;

    json_object_set_new(o, "request", json_string(request));
    text = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    snprintf(p->answered, sizeof(p->answered), "%s", request); /* told or not: one probe a request */
    if (queue_probe_tell(p->host->job->queue, p->host->base.account, p->host->job->role, text) < 0)
        log_debug("cannot tell what the probe found: %s", queue_error(p->host->job->queue));
    free(text);
}

static void keep(struct probe *p, const struct aduan_result *result) {
    bool was_well = p->reason == NULL, well = result->outcome == ADUAN_SENT;

    free(p->reason);
    p->reason = well                        ? NULL
                : result->reason[0] != '\0' ? text_clean_line(result->reason, strlen(result->reason), 500)
                                            : xstrdup("tidak ada keterangan / no reason was given");
    p->outcome = result->outcome;
    p->at = host_wall();
    if (!well)
        log_warn("the account is not well: %s", p->reason);
    else if (!was_well)
        log_info("the account is well again");
}

void probe_run(struct probe *p, void *ctx, const char *why) {
    struct aduan_result result = { .outcome = ADUAN_LATER };
    int64_t every = p->connector->probe_every_ms > 0 ? p->connector->probe_every_ms : EVERY_MS;
    char request[sizeof(p->request)];

    probe_listen(p);
    snprintf(request, sizeof(request), "%s", p->request); /* a newer one is another probe */
    p->running = true;
    if (ctx == NULL)
        snprintf(result.reason, sizeof(result.reason), "%s", why);
    else
        p->connector->probe(ctx, &result);
    p->running = false;
    p->held_since = 0;
    if (job_stopping(p->host->job))
        return; /* cut short: it says nothing of the account */
    keep(p, &result);
    tell(p, request);
    if (p->mine)
        p->due = host_monotonic() + (p->reason == NULL ? every : AGAIN_MS);
}

void probe_publish(const struct probe *p, json_t *health) {
    json_object_set_new(health, "probes", json_boolean(p->answers));
    json_object_set_new(health, "probe_waits", json_boolean(probe_wanted(p)));
    if (p->at > 0)
        json_object_set_new(health, "probe", result_json(p));
    if (p->host->quotas != NULL && json_object_size(p->host->quotas) > 0)
        json_object_set_new(health, "quota", json_deep_copy(p->host->quotas));
}
