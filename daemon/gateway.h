/*
 * gateway.h: what the files of the gateway share.
 *
 *   gateway.c         the job: loop, health, start and stop
 *   gateway_hook.c    a request at /hook/NAME until it is a delivery
 *   gateway_deliver.c deliveries to Redis or the spool, then the answer
 *   gateway_replay.c  the spool back to Redis
 *   metrics.c         /healthz and /metrics
 *
 * One POST is one delivery. It is answered 200 once all its messages are
 * durable, in Redis or in the spool, and not an instant earlier.
 */
#ifndef ADUAN_GATEWAY_H
#define ADUAN_GATEWAY_H

#include "daemon/gateway_budget.h"
#include "daemon/intake.h"
#include "daemon/server.h"
#include "queue/spool.h"

/* An enabled account with a hook. */
struct door {
    struct conf_account *account;
    const struct aduan_connector *connector;
    bool paused; /* by `aduanctl connectors pause NAME --in`: 503 */
    int64_t last_in;
    uint64_t posts, messages, dead, refused, unavailable; /* refused: bad signature; unavailable: 503 */
};

/* The messages of a delivery that go to one account. */
struct share {
    struct delivery *delivery;
    struct conf_account *account;
    struct queue_in *in;
    size_t count;
};

struct delivery {
    struct delivery *next;
    struct gateway *gateway;
    struct door *door;
    struct server_call *call;
    struct intake_batch batch;
    struct share *shares;
    size_t share_count, open; /* open: shares that Redis has not answered */
    int rc;
};

struct delivery_list {
    struct delivery *first, *last;
};

/* Rows of the spool on their way back. */
struct replay {
    char **accounts;     /* of each row */
    struct queue_in *in; /* owns what they point to */
    int64_t *numbers;
    size_t count, open, bytes;
    size_t max; /* how many to take: fewer after a fault, to find the one that cannot go */
    int rc;
    int64_t not_before;
};

struct gateway {
    struct job *job;
    struct server *server;
    struct queue_async *async;
    struct server_watch *async_watch;
    bool want_write;
    struct queue *admin; /* blocking, for what is rare; short timeout */
    struct spool *spool; /* NULL: cannot be used */
    struct budget *budget;
    bool metrics_on, metrics_failed;
    struct door *doors;
    size_t door_count;
    struct delivery_list fresh;  /* not given to anybody yet */
    struct delivery_list unsent; /* Redis did not take them: to the spool */
    size_t in_flight;
    struct replay replay;
    char problem[512]; /* what is wrong with Redis' durability, "" = nothing */
    int64_t started, admin_not_before;
    int64_t health_at, switches_at, durability_at, problem_logged_at, metrics_at;
    int64_t spool_failed_at; /* it or its disk was full; 0: the last use went well */
    uint64_t spooled, replayed;
    int64_t spool_note, spool_note_at; /* the count that STATE/spool/gateway.json tells */
    bool spool_noted;
};

int64_t gateway_now(void);  /* wall clock, ms */
int64_t gateway_tick(void); /* monotonic, ms */

void gateway_hook(void *arg, struct server_call *call,
                  const struct server_request *r); /* GET and POST /hook/ */

void delivery_start(struct gateway *g, struct door *door, struct server_call *call, struct intake_batch *batch);
void delivery_flush(struct gateway *g); /* end of a turn: everything fresh goes to where it is kept */

void replay_step(struct gateway *g); /* end of a turn: the next rows, when Redis is there */
void replay_clear(struct gateway *g);
int64_t gateway_spool_oldest(const struct gateway *g); /* when the oldest in it came, ms; 0: none, or unknown */
void gateway_spool_note(struct gateway *g); /* tells in STATE/spool/gateway.json what waits, where it changed */

bool gateway_admin_ready(const struct gateway *g);    /* may the blocking connection be used now? */
bool gateway_spool_has_room(const struct gateway *g); /* as far as its bound and its last use tell */

/* A dead letter, durable on 0. */
int gateway_bury(struct gateway *g, const char *account, const struct queue_in *in, const char *reason);

/* Serves /healthz and /metrics where the configuration wants them. Webhooks do not depend on it: a
 * place that is taken is logged once and tried again whenever this is called. */
void metrics_listen(struct gateway *g);

#endif
