/* worker.c: one worker as its master sees it. */
#include "daemon/worker.h"

#include "connectors/kit/sign.h"
#include "connectors/kit/text.h"
#include "daemon/log.h"
#include "daemon/start.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEADY_MS = 60000, BEYOND_HELP_MS = 60000 };

struct worker *worker_new(const struct plan_job *j, int64_t now) {
    struct worker *w = xcalloc(1, sizeof(*w));

    w->role = xstrdup(j->role);
    w->account = xstrdup(j->account);
    memcpy(w->digest, j->digest, sizeof(w->digest));
    w->wanted = true;
    w->fd = -1;
    w->due = now;
    return w;
}

static void close_socket(struct worker *w) {
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
}

struct worker *worker_free(struct worker *w) {
    if (w == NULL)
        return NULL;
    close_socket(w);
    free(w->role);
    free(w->account);
    free(w);
    return NULL;
}

const char *worker_name(const struct worker *w) {
    static char name[64];

    snprintf(name, sizeof(name), "%s%s%s", w->role, w->account != NULL ? " " : "",
             w->account != NULL ? w->account : "");
    return name;
}

static void rest(struct worker *w, int64_t now) {
    uint32_t random;

    sign_random(&random, sizeof(random));
    w->state = WORKER_RESTING;
    w->failures++;
    w->due = now + plan_pause_ms(w->failures, random);
}

void worker_start(struct worker *w, const struct conf *conf, int64_t now) {
    json_t *slice;
    int r;

    r = start_process(w->role, w->account, &w->pid, &w->fd);
    if (r < 0) {
        rest(w, now);
        log_error("cannot start %s: %s", worker_name(w), strerror(-r));
        return;
    }
    w->state = WORKER_STARTING;
    w->started = w->last_beat = now;
    w->killed_at = w->kill_at = 0;
    w->hung = false;
    slice = plan_slice(conf, w->role, w->account);
    r = start_hand_over(w->fd, conf->modules, w->restarts, slice);
    json_decref(slice);
    /* What went wrong in it shows when it ends: worker_ended() follows. */
    if (r < 0)
        log_warn("cannot hand %s its slice: %s", worker_name(w), strerror(-r));
}

static void kill_now(struct worker *w, int64_t now) {
    w->killed_at = now;
    kill(w->pid, SIGKILL);
}

void worker_end(struct worker *w, const struct worker_limits *l, int64_t now) {
    if (w->state != WORKER_STARTING && w->state != WORKER_UP)
        return;
    w->state = WORKER_ENDING;
    w->kill_at = now + l->grace_ms;
    kill(w->pid, SIGTERM);
}

void worker_hear(struct worker *w, int64_t now) {
    char signs[64];
    ssize_t n;

    while (w->fd >= 0 && (n = read(w->fd, signs, sizeof(signs))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            break;
        w->last_beat = now;
        if (w->state == WORKER_STARTING && memchr(signs, 'R', (size_t)n) != NULL)
            w->state = WORKER_UP;
    }
    close_socket(w);
}

static void tell_end(const struct worker *w, int status) {
    const char *again = w->hung ? " (it was hung)" : "";

    if (WIFSIGNALED(status))
        log_error("%s ended by signal %d%s, failure %d in a row", worker_name(w), WTERMSIG(status), again,
                  w->failures);
    else
        log_error("%s ended with status %d, failure %d in a row", worker_name(w), WEXITSTATUS(status),
                  w->failures);
}

void worker_ended(struct worker *w, int status, int64_t now) {
    bool told_to = w->state == WORKER_ENDING;

    close_socket(w);
    w->pid = 0;
    w->kill_at = w->killed_at = 0;
    if (told_to) {
        w->state = WORKER_RESTING;
        w->failures = 0;
        w->due = now;
        if (WIFSIGNALED(status))
            log_warn("%s did not end in time and was killed", worker_name(w));
        return;
    }
    if (w->state == WORKER_UP && now - w->started >= STEADY_MS)
        w->failures = 0;
    rest(w, now);
    w->restarts++;
    tell_end(w, status);
}

static int64_t patience(const struct worker *w, const struct worker_limits *l) {
    return w->state == WORKER_STARTING ? l->start_ms : l->hung_ms;
}

void worker_turn(struct worker *w, const struct worker_limits *l, int64_t now) {
    if (w->state == WORKER_RESTING || w->killed_at != 0)
        return;
    if (w->state == WORKER_ENDING) {
        if (now >= w->kill_at)
            kill_now(w, now);
        return;
    }
    if (now - w->last_beat < patience(w, l))
        return;
    log_error("%s has been silent for %lld ms: killed", worker_name(w), (long long)(now - w->last_beat));
    w->hung = true;
    kill_now(w, now);
}

int64_t worker_next(const struct worker *w, const struct worker_limits *l) {
    if (w->state == WORKER_RESTING)
        return w->wanted ? w->due : INT64_MAX;
    if (w->killed_at != 0)
        return w->killed_at + BEYOND_HELP_MS;
    return w->state == WORKER_ENDING ? w->kill_at : w->last_beat + patience(w, l);
}

bool worker_settled(const struct worker *w) {
    return !w->wanted || w->state == WORKER_UP || (w->state == WORKER_RESTING && w->failures > 0);
}

bool worker_beyond_help(const struct worker *w, int64_t now) {
    return w->killed_at != 0 && now - w->killed_at >= BEYOND_HELP_MS;
}
