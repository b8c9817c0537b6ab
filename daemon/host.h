/*
 * host.h: the host table as a receive or send worker offers it to its connector.
 *
 * One loop: host_turn() is the only place that waits, and every blocking call a
 * connector makes (http_wait, stream_read, pause …) goes through it. Each turn
 * keeps the heartbeat, moves transfers and calls tick(), so that a connector
 * waiting in IDLE holds up neither downloads nor answers.
 */
#ifndef ADUAN_HOST_H
#define ADUAN_HOST_H

#include "daemon/job.h"
#include "daemon/net.h"

/* What the worker does for its connector; NULL where it has no such thing. */
struct host_worker {
    void *arg;
    /* About every 250 ms from any wait; must not block long and must not wait itself. */
    void (*tick)(void *arg);
    int (*emit)(void *arg, const struct aduan_raw *raw);
    int (*flush)(void *arg);
    void (*done)(void *arg, uint64_t token, const struct aduan_result *result);
    void (*fetched)(void *arg, uint64_t token, const struct aduan_result *result, const char *sha256,
                    int64_t size, const char *type);
};

struct host_secret {
    char *name;
    struct aduan_secret value;
};

struct host {
    struct aduan_host base; /* first: what the connector holds is a pointer to it */
    struct job *job;
    struct host_worker worker;
    struct net *net;
    int64_t ticked;
    bool ticking;
    char *mark;                  /* lives until the next mark() */
    struct host_secret *secrets; /* kept_secret() */
    size_t secret_count;
    int64_t token_expires_at;
    char *fault;    /* as the connector reported it, NULL none */
    json_t *quotas; /* name -> percent used, as reported; NULL none */
};

void host_open(struct host *h, struct job *j, const struct host_worker *w);
void host_close(struct host *h);

/* Waits up to timeout_ms for transfers, for fd (-1: none) or for the master. 0, or ADUAN_STOPPING
 * once told to stop; *ret_ready (may be NULL): fd has the events. */
int host_turn(struct host *h, int64_t timeout_ms, int fd, short events, bool *ret_ready);
/* Sleeps whole ms unless told to stop. ADUAN_TIMEOUT or ADUAN_STOPPING. */
int host_sleep(struct host *h, int64_t ms);
/* A time that this worker published in an earlier life ("last_out"): into *ret unless that is later. False:
 * Redis cannot tell right now; until it has, nothing may be published over it. */
bool host_recall(struct host *h, const char *field, int64_t *ret);
/* One line for aduanctl, whoever found it: NULL takes it back. */
void host_fault(struct host *h, const char *fault);

/* host_stream.c */
int host_stream_open(struct aduan_host *base, const char *url, int64_t timeout_ms,
                     struct aduan_stream **ret_stream, char *why, size_t why_size);
int host_stream_read(struct aduan_stream *s, void *buf, size_t size, int64_t timeout_ms, size_t *ret_n);
int host_stream_write(struct aduan_stream *s, const void *buf, size_t size, int64_t timeout_ms);
struct aduan_stream *host_stream_close(struct aduan_stream *s);

int64_t host_monotonic(void);
int64_t host_wall(void);

#endif
