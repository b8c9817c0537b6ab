/*
 * probe.h: when a worker asks its platform whether the account is well.
 *
 * At the worker's start, every probe_every_ms, soon after a fault, and when an
 * admin asks (`aduanctl connectors probe`: queue_probe_ask()). The connector's
 * probe() blocks by host calls, so the worker runs it from its own loop only,
 * when nothing is under way; a probe never runs beside itself. What is known of
 * an account this way stands in the worker's health and under queue_probe_get().
 */
#ifndef ADUAN_PROBE_H
#define ADUAN_PROBE_H

#include "daemon/host.h"

struct probe {
    struct host *host;
    const struct aduan_connector *connector;
    bool mine;    /* this worker asks by itself */
    bool answers; /* and an admin, for its side */
    bool running; /* the tick comes back here meanwhile */
    int64_t due;  /* by the steady clock */
    int64_t held_since, excused_until;
    char request[65], answered[65]; /* of an admin: the newest, and the last one told about */
    bool read;                      /* what stood there before this life is known */
    int64_t at;                     /* of the last one, wall clock; 0: none yet */
    enum aduan_outcome outcome;
    char *reason; /* why it was not well; NULL: it was */
};

/* can: what the account is able to do. The send worker asks where it can send, the receive worker where it
 * cannot; where it pulls as well the receive worker answers an admin too (a mailbox is not its submission). */
void probe_open(struct probe *p, struct host *h, const struct aduan_connector *c, uint32_t can);
void probe_close(struct probe *p);
/* Reads whether an admin asks; from the worker's poll of its switches. */
void probe_listen(struct probe *p);
/* Is one to be made now? */
bool probe_wanted(const struct probe *p);
/* Shall nothing new be begun, so that what is under way ends and the probe can run? For a limited time only. */
bool probe_holds(struct probe *p);
/* Makes it, and tells. ctx NULL: the connector cannot be opened; why says so. */
void probe_run(struct probe *p, void *ctx, const char *why);
/* Something went wrong: ask soon what is known of it. */
void probe_soon(struct probe *p);
/* Adds "probes", "probe_waits", "probe" and "quota" to a worker's health. */
void probe_publish(const struct probe *p, json_t *health);

#endif
