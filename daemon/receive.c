/*
 * receive.c: the worker that takes in what one account's platform holds.
 *
 * pull() emits, the batch is parsed, accepted in Redis together with the
 * cursors, and only then committed on the platform. Whatever stands in the way
 * (Redis, the disk) is waited for with the same batch in hand: the platform
 * keeps the mail. Attachments are fetched beside it (media.c).
 */
#include "daemon/batch.h"

#include "connectors/kit/sign.h"
#include "connectors/kit/step.h"
#include "connectors/kit/text.h"
#include "daemon/log.h"
#include "daemon/media.h"
#include "daemon/module.h"
#include "daemon/probe.h"
#include "daemon/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 5000, SWITCH_EVERY_MS = 2000, SPIN_MS = 20, BREATHE_MS = 200, REST_MS = 500 };
enum { REFUSED_FIRST_MS = 60000, REFUSED_MOST_MS = 900000 };

struct receive {
    struct job *job;
    struct host host;
    const struct aduan_connector *connector;
    void *ctx;
    struct batch batch;
    struct media *media;
    struct replay *replay;
    struct probe probe;
    bool paused, recalled;  /* recalled: when an earlier life received last is known */
    int failures, refusals; /* in a row */
    int64_t switch_read;
    char fault[600]; /* of this worker, beside what the connector reports */
};

/* ----------------------------------------------------------------------- health */

static void publish(struct receive *r) {
    const char *fault = r->fault[0] != '\0'     ? r->fault
                        : r->host.fault != NULL ? r->host.fault
                                                : r->probe.reason;
    json_t *o;

    r->recalled = r->recalled || host_recall(&r->host, "last_in", &r->batch.last_in);
    if (!r->recalled)
        return;
    o = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:s?}", "state", r->paused ? "paused" : "up", "last_in",
                  (json_int_t)r->batch.last_in, "received", (json_int_t)r->batch.received, "repeats",
                  (json_int_t)r->batch.repeats, "media_waiting",
                  (json_int_t)(r->media != NULL ? media_waiting(r->media) : 0), "token_expires_at",
                  (json_int_t)r->host.token_expires_at, "paused", r->paused, "fault", fault);
    if (o == NULL)
        return;
    probe_publish(&r->probe, o);
    job_health(r->job, r->job->account->name, o);
}

static void read_switch(struct receive *r, int64_t now) {
    bool in, out;

    if (r->switch_read != 0 && now - r->switch_read < SWITCH_EVERY_MS)
        return;
    r->switch_read = now;
    if (queue_switch_get(r->job->queue, r->job->account->name, &in, &out) < 0)
        return;
    if (in != r->paused)
        log_info("%s", in ? "paused" : "resumed");
    r->paused = in;
    probe_listen(&r->probe);
}

/* Sleeps; an admin who asks is answered meanwhile. */
static void rest(struct receive *r, int64_t ms) {
    int64_t end = host_monotonic() + ms, left;

    while ((left = end - host_monotonic()) > 0 && !job_stopping(r->job)) {
        if (probe_wanted(&r->probe))
            probe_run(&r->probe, r->ctx, r->fault);
        host_sleep(&r->host, left < REST_MS ? left : REST_MS);
    }
}

/* The host calls this from every wait. */
static void tick(void *arg) {
    struct receive *r = arg;

    read_switch(r, host_monotonic());
    if (r->media != NULL)
        media_turn(r->media, host_wall());
    publish(r);
}

/* -------------------------------------------------------------------- host side */

static int on_emit(void *arg, const struct aduan_raw *raw) {
    struct receive *r = arg;

    if (!batch_fits(&r->batch, raw->len)) {
        int rc = batch_flush(&r->batch);

        if (rc != 0)
            return rc;
    }
    batch_add(&r->batch, raw);
    return 0;
}

static int on_flush(void *arg) {
    return batch_flush(&((struct receive *)arg)->batch);
}

static void on_fetched(void *arg, uint64_t token, const struct aduan_result *result, const char *sha256,
                       int64_t size, const char *type) {
    struct receive *r = arg;

    if (r->media != NULL)
        media_fetched(r->media, token, result, sha256, size, type);
}

/* ---------------------------------------------------------------------- pulling */

/* How long to leave the platform alone after this outcome, by its class. */
static int64_t pause_after(struct receive *r, const struct aduan_result *result) {
    int64_t pause;
    uint32_t random;

    sign_random(&random, sizeof(random));
    if (result->outcome == ADUAN_REFUSED) {
        pause = (int64_t)REFUSED_FIRST_MS << (r->refusals < 4 ? r->refusals : 4);
        r->refusals++;
        return pause > REFUSED_MOST_MS ? REFUSED_MOST_MS : pause;
    }
    r->failures++;
    pause = queue_backoff_ms(r->failures, random);
    return result->retry_after_ms > pause ? result->retry_after_ms : pause;
}

static void back_off(struct receive *r, const struct aduan_result *result) {
    int64_t pause = pause_after(r, result);
    char *reason = text_clean_line(result->reason, strlen(result->reason), 400);

    snprintf(r->fault, sizeof(r->fault), "%s%s",
             result->outcome == ADUAN_REFUSED ? "the account is refused: " : "", reason);
    log_warn("cannot receive: %s; again in %lld s", r->fault, (long long)((pause + 999) / 1000));
    free(reason);
    probe_soon(&r->probe);
    rest(r, pause);
}

static void well_again(struct receive *r) {
    if (r->fault[0] != '\0')
        log_info("receiving again");
    r->fault[0] = '\0';
    r->failures = r->refusals = 0;
}

static void pull_once(struct receive *r) {
    struct aduan_result result = { 0 };
    int64_t began = host_monotonic(), received = r->batch.received;
    int rc = r->connector->pull(r->ctx, WAIT_MS, &result);
    int flushed = batch_flush(&r->batch);

    if (rc == 0 && flushed == 0) {
        well_again(r);
        if (host_monotonic() - began < SPIN_MS && r->batch.received == received)
            host_sleep(&r->host, BREATHE_MS);
        return;
    }
    if (job_stopping(r->job))
        return;
    if (rc <= 0) {
        result.outcome = ADUAN_LATER;
        snprintf(result.reason, sizeof(result.reason), "%s", strerror(rc < 0 ? -rc : -flushed));
    } else {
        result.outcome = (enum aduan_outcome)rc;
    }
    back_off(r, &result);
}

static void open_connector(struct receive *r) {
    struct aduan_result result = { .outcome = ADUAN_LATER };
    int rc;

    while (!job_stopping(r->job)) {
        rc = r->connector->open(&r->host.base, r->job->account->settings, &r->ctx);
        if (rc == 0)
            return;
        r->ctx = NULL;
        if (rc > 0)
            result.outcome = (enum aduan_outcome)rc;
        snprintf(result.reason, sizeof(result.reason), "cannot open: %s",
                 rc < 0                  ? strerror(-rc)
                 : r->host.fault != NULL ? r->host.fault
                                         : "the platform refuses");
        back_off(r, &result);
    }
}

static void work(struct receive *r) {
    bool pulls = (module_can(r->connector, r->job->account->settings) & ADUAN_CAP_PULL) != 0;

    while (!job_stopping(r->job)) {
        replay_turn(r->replay);
        if (probe_wanted(&r->probe))
            probe_run(&r->probe, r->ctx, NULL);
        if (pulls && !r->paused)
            pull_once(r);
        else
            rest(r, WAIT_MS / 5);
    }
}

int job_receive(struct job *j) {
    struct receive r = { .job = j, .connector = job_module(j, j->account)->connector };
    struct host_worker w = {
        .arg = &r, .tick = tick, .emit = on_emit, .flush = on_flush, .fetched = on_fetched
    };

    host_open(&r.host, j, &w);
    batch_init(&r.batch, &r.host, r.connector);
    probe_open(&r.probe, &r.host, r.connector, module_can(r.connector, j->account->settings));
    job_ready(j);
    read_switch(&r, host_monotonic());
    open_connector(&r);
    if (r.ctx != NULL && (module_can(r.connector, j->account->settings) & ADUAN_CAP_MEDIA) != 0)
        r.media = media_new(j, r.ctx);
    r.batch.ctx = r.ctx;
    r.replay = replay_new(&r.host, r.connector);
    if (r.ctx != NULL)
        work(&r);
    r.media = media_free(r.media);
    r.replay = replay_free(r.replay);
    batch_clear(&r.batch);
    if (r.ctx != NULL)
        r.connector->close(r.ctx);
    probe_close(&r.probe);
    host_close(&r.host);
    return 0;
}
