/*
 * send.c: the worker that delivers one account's answers.
 *
 * Read from :out, begin durably, hand to the connector, settle what became of
 * it. What an earlier life left in `sending` is never simply sent again: the
 * platform is asked where it can be, else the account's policy decides. Order
 * and limits are outbox.c's, what follows an outcome is verdict.c's.
 */
#include "daemon/host.h"
#include "daemon/module.h"
#include "daemon/outbox.h"
#include "daemon/probe.h"
#include "daemon/verdict.h"

#include "connectors/kit/sign.h"
#include "connectors/kit/step.h"
#include "connectors/kit/text.h"
#include "daemon/log.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KNOWN_MAX = 8192,
    READ_MAX = 64,
    IDLE_MS = 1000,
    BUSY_MS = 20,
    REDIS_TICK_MS = 100,
    REDIS_PAUSE_MS = 500,
    SWITCH_EVERY_MS = 1000
};
enum { DEADLINE_MS = 16 * 60 * 1000, OPEN_RETRY_MS = 5000 };

struct send {
    struct job *job;
    struct host host;
    const struct aduan_connector *connector;
    void *ctx;
    struct queue_reader *reader;
    struct outbox box;
    struct probe probe;
    bool recalled;      /* what an earlier life told of its sending is known */
    bool tried_anew;    /* what that life found refused has had its new try */
    bool own_read;      /* what an earlier life left has been read */
    bool paused, stuck; /* stuck: Redis is away until stuck_until */
    int64_t stuck_until, switch_read;
    int64_t resumes; /* how often the account was resumed, -1: not asked yet */
    int64_t deadline_ms;
    uint64_t last_token;
    int refusals;
    int64_t last_out, sent, failed, uncertain;
    int64_t refused_at; /* when the platform refused the account last; 0: it accepts it, or nobody knows */
    char fault[600];
};

static const char *account(const struct send *s) {
    return s->host.base.account;
}

/* True when Redis answered; otherwise everything waits a little. */
static bool redis(struct send *s, int r) {
    if (r >= 0) {
        if (s->stuck)
            s->fault[0] = '\0';
        s->stuck = false;
        return true;
    }
    if (!s->stuck)
        log_warn("cannot go on: %s", queue_error(s->job->queue));
    snprintf(s->fault, sizeof(s->fault), "redis: %s", queue_error(s->job->queue));
    s->stuck = true;
    s->stuck_until = host_wall() + REDIS_PAUSE_MS;
    return false;
}

static uint32_t can(const struct send *s) {
    return module_can(s->connector, s->job->account->settings);
}

static bool policy_resends(const struct send *s) {
    return s->job->account->uncertain == CONF_UNCERTAIN_RESEND || (can(s) & ADUAN_CAP_IDEMPOTENT) != 0;
}

/* ------------------------------------------------------------------ what follows */

static void keep_end(struct out_item *it, enum queue_state end, const char *reason, const char *platform_id) {
    free(it->reason);
    free(it->platform_id);
    it->reason = text_clean_line(reason, strlen(reason), 500);
    it->platform_id = xstrdup(platform_id);
    it->end = end;
    it->state = OUT_SETTLE;
}

static void mind_account(struct send *s, const struct verdict *v, enum aduan_outcome outcome) {
    if (v->account_due > s->box.account_due)
        s->box.account_due = v->account_due;
    if (v->refused) {
        s->refusals++;
        s->refused_at = host_wall();
        s->box.trial = true;
        probe_soon(&s->probe);
        snprintf(s->fault, sizeof(s->fault), "the account is refused: %.500s", v->reason);
        log_error("%s", s->fault);
    } else if (outcome == ADUAN_SENT) {
        if (s->box.trial)
            log_info("the account is accepted again");
        s->refusals = 0;
        s->refused_at = 0;
        s->box.trial = false;
        s->fault[0] = '\0';
    }
}

/* A worker starts anew because its settings changed, or because somebody tries again: an answer that waits out
 * a refusal of the life before, up to an hour, is tried at once, one at first. */
static void try_anew(struct send *s) {
    if (s->tried_anew || !s->recalled || !s->own_read || outbox_in_state(&s->box, OUT_CHECK, INT64_MAX) != NULL)
        return;
    s->tried_anew = true;
    if (s->refused_at == 0)
        return;
    s->box.trial = true;
    outbox_resume(&s->box);
}

/* An attempt has ended in result. */
static void judge(struct send *s, struct out_item *it, const struct aduan_result *result) {
    struct verdict_input in = { .result = result, .attempt = it->attempt, .refusals = s->refusals };
    struct verdict v;

    in.now = host_wall();
    in.age_ms = in.now - it->added;
    in.can_find = (can(s) & ADUAN_CAP_FIND) != 0 && !it->asked;
    in.resend = policy_resends(s);
    sign_random(&in.random, sizeof(in.random));
    v = verdict_of(&in);
    outbox_returned(&s->box, it);
    mind_account(s, &v, result->outcome);
    it->due = v.due;
    if (v.find)
        it->state = OUT_FIND;
    else
        keep_end(it, v.state, v.reason, result->outcome == ADUAN_SENT ? result->platform_id : NULL);
}

/* The host's done(). */
static void on_done(void *arg, uint64_t token, const struct aduan_result *result) {
    struct send *s = arg;
    struct out_item *it = outbox_by_token(&s->box, token);

    if (it == NULL) {
        log_warn("an answer's fate came after its deadline");
        return;
    }
    STEP("send.done");
    judge(s, it, result);
}

static void count_end(struct send *s, const struct out_item *it) {
    if (it->end == QUEUE_SENT) {
        s->sent++;
        s->last_out = host_wall();
    }
    s->failed += it->end == QUEUE_NEVER;
    s->uncertain += it->end == QUEUE_UNCERTAIN;
    if (it->end == QUEUE_SENT)
        log_info("answer %s is sent", it->key);
    else
        log_warn("answer %s is %s: %s", it->key, queue_state_name(it->end), it->reason);
}

/* Writes the end of an attempt. False: Redis is away, the same will be repeated. */
static bool settle(struct send *s, struct out_item *it) {
    struct queue_settlement st = {
        .state = it->end,
        .platform_id = it->platform_id,
        .reason = it->reason,
        .due_ms = it->due,
    };
    int r;

    STEP("send.settle");
    r = queue_settle(s->job->queue, account(s), it->key, it->attempt, it->entry, &st, host_wall());
    if (!redis(s, r))
        return false;
    STEP("send.settled");
    if (r == QUEUE_STALE)
        log_warn("answer %s: attempt %d is not the one on record", it->key, it->attempt);
    count_end(s, it);
    if (it->end == QUEUE_LATER && r == 0) {
        it->state = OUT_WAITING;
        it->asked = false;
    } else {
        outbox_drop(&s->box, it);
    }
    return true;
}

/* ----------------------------------------------------------------- what was left */

/* Its state in Redis says what it is; an entry whose answer has ended is only acknowledged. */
static bool check(struct send *s, struct out_item *it) {
    struct aduan_result unknown = { .outcome = ADUAN_UNCERTAIN,
                                    .reason = "the sender ended while it was being sent" };
    enum queue_state state = QUEUE_QUEUED;
    int r = queue_answer_state(s->job->queue, account(s), it->key, &state, &it->attempt, &it->due);

    if (!redis(s, r))
        return false;
    if (r == 0 && (state == QUEUE_QUEUED || state == QUEUE_LATER)) {
        it->state = OUT_WAITING;
    } else if (r == 0 && state == QUEUE_SENDING) {
        log_warn("answer %s was being sent when its sender ended", it->key);
        judge(s, it, &unknown);
        if (it->state == OUT_FIND)
            it->due = 0;
    } else {
        if (!redis(s, queue_reader_ack(s->reader, account(s), "out", (const char(*)[32])it->entry, 1)))
            return false;
        outbox_drop(&s->box, it);
    }
    return true;
}

/* Asks the platform. Blocks by host calls: turn() goes on meanwhile from the host's tick. */
static void find(struct send *s, struct out_item *it) {
    struct aduan_result result = { .outcome = ADUAN_UNCERTAIN };

    it->asked = true;
    it->due = INT64_MAX; /* turn() must not take it up again meanwhile */
    s->connector->find(s->ctx, &it->answer, &result);
    if (job_stopping(s->job) && result.outcome == ADUAN_UNCERTAIN)
        return; /* it stays `sending`: the next life asks again */
    log_info("answer %s: the platform says %s", it->key,
             result.outcome == ADUAN_SENT    ? "it has it"
             : result.outcome == ADUAN_LATER ? "it never got it"
                                             : "nothing");
    if (result.outcome == ADUAN_LATER)
        result.retry_after_ms = 0;
    judge(s, it, &result);
}

/* ---------------------------------------------------------------------- sending */

static void start(struct send *s, struct out_item *it) {
    struct aduan_result unreadable = { .outcome = ADUAN_NEVER, .reason = "the answer's record cannot be read" };
    int64_t now = host_wall();
    int r = queue_begin(s->job->queue, account(s), it->key, now, &it->attempt);

    if (!redis(s, r))
        return;
    if (r == QUEUE_STALE) {
        it->state = OUT_CHECK;
        return;
    }
    STEP("send.begun");
    it->token = ++s->last_token;
    it->deadline = now + s->deadline_ms;
    outbox_started(&s->box, it, now);
    if (it->unreadable)
        judge(s, it, &unreadable);
    else
        s->connector->send(s->ctx, &it->answer, it->token);
}

static void end_overdue(struct send *s, int64_t now) {
    struct aduan_result late = { .outcome = ADUAN_UNCERTAIN,
                                 .reason = "the connector never said how it ended" };
    struct out_item *it;

    while ((it = outbox_overdue(&s->box, now)) != NULL) {
        log_error("answer %s: %s", it->key, late.reason);
        judge(s, it, &late);
    }
}

static void read_switch(struct send *s) {
    int64_t now = host_monotonic();
    int64_t resumes = 0;
    bool in, out;

    if (s->switch_read != 0 && now - s->switch_read < SWITCH_EVERY_MS)
        return;
    s->switch_read = now;
    if (queue_switch_get(s->job->queue, account(s), &in, &out) < 0 ||
        queue_switch_resumes(s->job->queue, account(s), &resumes) < 0)
        return;
    if (out != s->paused)
        log_info("%s", out ? "paused" : "resumed");
    s->paused = out;
    if (s->resumes >= 0 && resumes != s->resumes && !out) {
        s->refusals = 0;
        outbox_resume(&s->box);
    }
    s->resumes = resumes;
    probe_listen(&s->probe);
}

/* Whoever pauses an account is told "paused" at once: nothing may begin after that. Costs reads of Redis
 * beside the writes that each answer takes. */
static bool may_begin(struct send *s) {
    s->switch_read = 0;
    read_switch(s);
    return !s->paused;
}

/* Everything that does not block; called from every wait. */
static void turn(struct send *s) {
    struct out_item *it;
    int64_t now = host_wall();

    if (s->stuck && now < s->stuck_until)
        return;
    end_overdue(s, now);
    while ((it = outbox_in_state(&s->box, OUT_SETTLE, INT64_MAX)) != NULL)
        if (!settle(s, it))
            return;
    while ((it = outbox_in_state(&s->box, OUT_CHECK, INT64_MAX)) != NULL)
        if (!check(s, it))
            return;
    while (!s->paused && !job_stopping(s->job) && s->own_read && !probe_holds(&s->probe) &&
           (it = outbox_next(&s->box, host_wall())) != NULL && may_begin(s)) {
        start(s, it);
        if (s->stuck)
            return;
    }
}

/* ---------------------------------------------------------------------- reading */

static int take_entry(void *arg, const struct queue_entry *e) {
    struct send *s = arg;
    struct out_item *it;
    json_t *json;
    char why[128];

    if (outbox_has(&s->box, e->id))
        return 0;
    it = xcalloc(1, sizeof(*it));
    memcpy(it->entry, e->id, sizeof(it->entry));
    it->key = xstrdup(e->key);
    it->added = e->added_ms;
    it->state = s->own_read ? OUT_WAITING : OUT_CHECK;
    json = json_loadb(e->record, e->record_len, 0, NULL);
    it->unreadable = json == NULL || aduan_answer_from_json(&it->answer, json, why, sizeof(why)) < 0;
    json_decref(json);
    outbox_add(&s->box, it);
    return 0;
}

static void read_more(struct send *s, int64_t wait_ms) {
    int r;

    if (s->box.count >= KNOWN_MAX || (s->stuck && host_wall() < s->stuck_until))
        return;
    r = queue_reader_read(s->reader, !s->own_read, READ_MAX, wait_ms, take_entry, s);
    if (redis(s, r) && r == QUEUE_NOTHING && !s->own_read)
        s->own_read = true;
}

/* ----------------------------------------------------------------------- the loop */

static void publish(struct send *s) {
    const char *fault = s->fault[0] != '\0'     ? s->fault
                        : s->host.fault != NULL ? s->host.fault
                                                : s->probe.reason;
    json_t *o;

    s->recalled = s->recalled || (host_recall(&s->host, "last_out", &s->last_out) &&
                                  host_recall(&s->host, "refused_at", &s->refused_at));
    if (!s->recalled)
        return;
    o = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:s?}", "state", s->paused ? "paused" : "up",
                  "last_out", (json_int_t)s->last_out, "sent", (json_int_t)s->sent, "failed",
                  (json_int_t)s->failed, "uncertain", (json_int_t)s->uncertain, "in_flight",
                  (json_int_t)s->box.sending, "waiting", (json_int_t)(s->box.count - s->box.sending),
                  "token_expires_at", (json_int_t)s->host.token_expires_at, "paused", s->paused, "fault",
                  fault);
    if (o == NULL)
        return;
    json_object_set_new(o, "refused_at", json_integer(s->refused_at));
    probe_publish(&s->probe, o);
    job_health(s->job, account(s), o);
}

static void tick(void *arg) {
    struct send *s = arg;

    read_switch(s);
    turn(s);
    publish(s);
}

static bool busy(const struct send *s) {
    return s->box.sending > 0 || net_count(s->host.net) > 0 ||
           outbox_in_state(&s->box, OUT_SETTLE, INT64_MAX) != NULL;
}

/* An answer falls due within a tick of Redis. */
static bool soon(const struct send *s) {
    int64_t left = outbox_next_due(&s->box) - host_wall();

    return left <= REDIS_TICK_MS && (left > 0 || s->box.trial);
}

/* How long the blocking read may take: nothing under way is held up by it. An idle Redis ends a wait
 * only at its next tick, so the read ends a tick before an answer is due and short turns wait for that. */
static int64_t read_wait(const struct send *s) {
    int64_t left = outbox_next_due(&s->box) - host_wall() - REDIS_TICK_MS;

    if (busy(s) || !s->own_read || s->paused || left <= 0)
        return 0;
    return left < IDLE_MS ? left : IDLE_MS;
}

static void work(struct send *s) {
    struct out_item *it;

    while (!job_stopping(s->job) || s->box.sending > 0 ||
           outbox_in_state(&s->box, OUT_SETTLE, INT64_MAX) != NULL) {
        if (!job_stopping(s->job))
            read_more(s, read_wait(s));
        turn(s);
        try_anew(s);
        it = job_stopping(s->job) ? NULL : outbox_in_state(&s->box, OUT_FIND, host_wall());
        if (it != NULL)
            find(s, it);
        else if (!busy(s) && !job_stopping(s->job) && probe_wanted(&s->probe))
            probe_run(&s->probe, s->ctx, NULL);
        host_turn(&s->host, busy(s) || s->stuck || s->paused || soon(s) ? BUSY_MS : 0, -1, 0, NULL);
    }
}

static void open_connector(struct send *s) {
    int r;

    while (!job_stopping(s->job)) {
        r = s->connector->open(&s->host.base, s->job->account->settings, &s->ctx);
        if (r == 0)
            return;
        s->ctx = NULL;
        snprintf(s->fault, sizeof(s->fault), "cannot open: %s",
                 r < 0                   ? strerror(-r)
                 : s->host.fault != NULL ? s->host.fault
                                         : "the platform refuses");
        log_warn("%s", s->fault);
        read_switch(s);
        if (probe_wanted(&s->probe))
            probe_run(&s->probe, NULL, s->fault);
        publish(s);
        host_sleep(&s->host, OPEN_RETRY_MS);
    }
}

static int64_t deadline_ms(void) {
    const char *v = getenv("ADUAN_SEND_DEADLINE_MS"); /* tests only */
    int64_t ms;

    return v != NULL && text_parse_int(v, 100, DEADLINE_MS, &ms) == 0 ? ms : DEADLINE_MS;
}

int job_send(struct job *j) {
    struct send s = {
        .job = j, .connector = job_module(j, j->account)->connector, .deadline_ms = deadline_ms(), .resumes = -1
    };
    struct host_worker w = { .arg = &s, .tick = tick, .done = on_done };
    struct queue_source source = { j->account->name, "out" };

    host_open(&s.host, j, &w);
    outbox_init(&s.box, &s.connector->traits);
    probe_open(&s.probe, &s.host, s.connector, can(&s));
    s.reader = queue_reader_new(j->queue, "send", "send", &source, 1);
    queue_wake(j->queue, job_wake_fd(j));
    job_ready(j);
    s.host.worker.tick = NULL; /* nothing to turn before the connector is open */
    open_connector(&s);
    s.host.worker.tick = tick;
    if (s.ctx != NULL) {
        work(&s);
        s.connector->close(s.ctx);
    }
    queue_reader_free(s.reader);
    outbox_clear(&s.box);
    probe_close(&s.probe);
    host_close(&s.host);
    return 0;
}
