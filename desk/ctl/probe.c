/*
 * probe.c: "connectors probe NAME": is the account well, asked of the platform now.
 *
 * The request is left beside the account's switches; each worker that can ask
 * its platform answers under the same id (queue/queue.h). Who is to answer is
 * known from what the workers publish of themselves.
 */
#include "desk/ctl/ctl.h"

#include "connectors/kit/sign.h"
#include "queue/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 30000, LOOK_MS = 100, FRESH_MS = 8000 };

static const char *const roles[] = { "receive", "send" };
static const char *const sides[] = { "masuk / in", "keluar / out" };
enum { SIDES = 2 };

struct asked {
    char id[33];
    bool expected[SIDES], up[SIDES];
    json_t *answer[SIDES]; /* NULL: not yet */
};

/* A worker that runs says by itself whether it has anything to ask. */
static int who_answers(struct ctl *c, const struct conf_account *a, struct asked *q) {
    json_t *health = NULL;
    int rc = queue_health_get(c->queue, a->name, &health);
    for (size_t i = 0; rc >= 0 && i < SIDES; i++) {
        const json_t *h = json_object_get(health, roles[i]);
        q->up[i] = h && clock_wall_ms() - json_integer_value(json_object_get(h, "at")) < FRESH_MS;
        q->expected[i] = q->up[i] && json_is_true(json_object_get(h, "probes"));
    }
    json_decref(health);
    return rc;
}

static int look(struct ctl *c, const struct conf_account *a, struct asked *q, bool *ret_all) {
    json_t *told = NULL;
    int rc = queue_probe_get(c->queue, a->name, &told);
    *ret_all = rc >= 0;
    for (size_t i = 0; rc >= 0 && i < SIDES; i++) {
        json_t *one = json_object_get(told, roles[i]);
        if (!q->answer[i] && text_equal(json_string_value(json_object_get(one, "request")), q->id)) {
            q->answer[i] = json_incref(one);
        }
        *ret_all = *ret_all && (!q->expected[i] || q->answer[i]);
    }
    json_decref(told);
    return rc;
}

static int ask(struct ctl *c, const struct conf_account *a, struct asked *q) {
    uint8_t random[16];
    struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
    int64_t end = clock_steady_ms() + WAIT_MS;
    bool all = false;
    sign_random(random, sizeof random);
    sign_hex(random, sizeof random, q->id);
    int rc = queue_probe_ask(c->queue, a->name, q->id);
    while (rc >= 0 && !all && clock_steady_ms() < end) {
        rc = look(c, a, q, &all);
        if (rc >= 0 && !all) {
            nanosleep(&pause, NULL);
        }
    }
    return rc;
}

/* ------------------------------------------------------------------------ telling */

static const char *outcome_of(const struct asked *q, size_t i) {
    const char *outcome = json_string_value(json_object_get(q->answer[i], "outcome"));
    return outcome ? outcome : "no-answer";
}

static bool all_well(const struct asked *q) {
    bool well = true;
    for (size_t i = 0; i < SIDES; i++) {
        well = well && (!q->expected[i] || strcmp(outcome_of(q, i), "well") == 0);
    }
    return well;
}

static void print_side(const struct asked *q, size_t i) {
    const char *outcome = outcome_of(q, i),
               *reason = json_string_value(json_object_get(q->answer[i], "reason"));
    char *safe = ctl_safe_line(reason ? reason : "", 500);
    printf("  %-13s %s%s%s\n", sides[i],
           strcmp(outcome, "well") == 0        ? "baik / well"
           : strcmp(outcome, "refused") == 0   ? "DITOLAK / refused"
           : strcmp(outcome, "limited") == 0   ? "DIBATASI / limited"
           : strcmp(outcome, "no-answer") == 0 ? "belum ada hasil dalam 30 detik / no answer within 30 s"
                                               : "GAGAL / failed",
           safe[0] ? ": " : "", safe);
    free(safe);
}

static int tell(const struct ctl *c, const struct conf_account *a, const struct asked *q) {
    json_t *o = json_pack("{s:s, s:b, s:o}", "name", a->name, "well", all_well(q), "sides", json_object());
    for (size_t i = 0; i < SIDES; i++) {
        if (q->expected[i]) {
            json_t *reason = json_object_get(q->answer[i], "reason");
            json_object_set_new(json_object_get(o, "sides"), i == 0 ? "in" : "out",
                                json_pack("{s:s, s:O?}", "outcome", outcome_of(q, i), "reason", reason));
        }
    }
    if (c->json) {
        ctl_print_json(json_incref(o));
    } else {
        printf("%s\n", a->name);
        for (size_t i = 0; i < SIDES; i++) {
            if (q->expected[i]) {
                print_side(q, i);
            }
        }
    }
    json_decref(o);
    return all_well(q) ? CTL_DONE : CTL_REFUSED;
}

int ctl_probe(struct ctl *c, const struct conf_account *a) {
    struct asked q = { .id = "" };
    if (!a->enabled) {
        return ctl_refuse("account \"%s\" is switched off (enabled = false)", a->name);
    }
    int rc = who_answers(c, a, &q);
    if (rc >= 0 && !q.up[0] && !q.up[1]) {
        return ctl_refuse("no worker of \"%s\" is running; see \"aduanctl status\" and the journal", a->name);
    }
    if (rc >= 0 && !q.expected[0] && !q.expected[1]) {
        return ctl_refuse("\"%s\" has no platform that could be asked", a->name);
    }
    rc = rc < 0 ? rc : ask(c, a, &q);
    rc = rc < 0 ? ctl_queue_fault(c, rc) : tell(c, a, &q);
    for (size_t i = 0; i < SIDES; i++) {
        json_decref(q.answer[i]);
    }
    return rc;
}
