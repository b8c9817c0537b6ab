/*
 * worker.h: one worker as its master sees it.
 *
 * RESTING until `due`, then STARTING, UP after its ready, ENDING after a
 * SIGTERM with `kill_at` as its last moment, and RESTING again once reaped.
 * Time is a parameter (monotonic ms).
 */
#ifndef ADUAN_WORKER_H
#define ADUAN_WORKER_H

#include "daemon/plan.h"

#include <sys/types.h>

enum worker_state { WORKER_RESTING = 0, WORKER_STARTING, WORKER_UP, WORKER_ENDING };

struct worker_limits {
    int64_t hung_ms;  /* without heartbeat */
    int64_t start_ms; /* without a first sign of life */
    int64_t grace_ms; /* from SIGTERM to SIGKILL */
};

struct worker {
    char *role, *account;
    char digest[65];
    bool wanted; /* false: ends for good */
    enum worker_state state;
    pid_t pid;
    int fd;       /* our end of its control socket, -1 none */
    int failures; /* ends in a row that nobody asked for */
    int restarts;
    bool hung; /* killed for silence */
    int64_t started, last_beat, due, kill_at, killed_at;
};

struct worker *worker_new(const struct plan_job *j, int64_t now);
struct worker *worker_free(struct worker *w);    /* closes the socket; returns NULL */
const char *worker_name(const struct worker *w); /* "send gmail"; lives until the next call */

/* Starts it with its slice of conf. On failure it rests with back-off. */
void worker_start(struct worker *w, const struct conf *conf, int64_t now);
/* Asks it to end; it is started again when still wanted. */
void worker_end(struct worker *w, const struct worker_limits *l, int64_t now);
/* Reads its heartbeats. */
void worker_hear(struct worker *w, int64_t now);
/* It has been reaped. */
void worker_ended(struct worker *w, int status, int64_t now);
/* What time asks for: kills the hung and the late. */
void worker_turn(struct worker *w, const struct worker_limits *l, int64_t now);
/* When worker_turn() or a start is next needed. */
int64_t worker_next(const struct worker *w, const struct worker_limits *l);
/* Ready once, or failed and resting. */
bool worker_settled(const struct worker *w);
/* Killed long ago and still not gone: nothing a master can do helps. */
bool worker_beyond_help(const struct worker *w, int64_t now);

#endif
