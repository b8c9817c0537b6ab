/*
 * gateway_deliver.c: deliveries to Redis or the spool, and only then the answer.
 *
 * While Redis is there and nothing is spooled, a delivery goes to Redis: one
 * accept an account, all that came in one turn together. While anything is
 * spooled everything goes to the spool, behind it, so that no message overtakes
 * an older one of its conversation. What Redis did not take (away, refusing,
 * too slow) goes to the spool before anything newer does. When neither takes
 * it, 503: the platform keeps it.
 */
#include "connectors/kit/step.h"
#include "connectors/kit/text.h"
#include "daemon/gateway.h"
#include "daemon/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void list_add(struct delivery_list *list, struct delivery *d) {
    d->next = NULL;
    if (list->last != NULL)
        list->last->next = d;
    else
        list->first = d;
    list->last = d;
}

static struct delivery *list_take(struct delivery_list *list) {
    struct delivery *d = list->first;

    if (d == NULL)
        return NULL;
    list->first = d->next;
    if (list->first == NULL)
        list->last = NULL;
    return d;
}

/* --------------------------------------------------------------------- ends */

static void delivery_free(struct delivery *d) {
    size_t i;

    for (i = 0; i < d->share_count; i++)
        free(d->shares[i].in);
    free(d->shares);
    intake_clear(&d->batch);
    free(d);
}

static void count_kept(struct delivery *d) {
    size_t i;

    d->door->last_in = gateway_now();
    for (i = 0; i < d->batch.count; i++) {
        d->door->messages += !d->batch.items[i].dead;
        d->door->dead += d->batch.items[i].dead;
    }
}

static void delivery_end(struct delivery *d, int status) {
    struct server_answer a = { .status = status };

    if (status == 200)
        count_kept(d);
    else
        d->door->unavailable++;
    server_answer(d->call, &a);
    STEP("gateway.answered");
    delivery_free(d);
}

/* ------------------------------------------------------------------- shares */

static struct share *share_for(struct delivery *d, struct conf_account *account) {
    struct share *s;
    size_t i;

    for (i = 0; i < d->share_count; i++)
        if (d->shares[i].account == account)
            return &d->shares[i];
    d->shares = xrealloc(d->shares, d->share_count + 1, sizeof(*d->shares));
    s = &d->shares[d->share_count++];
    *s = (struct share){ .delivery = d, .account = account, .in = xcalloc(d->batch.count, sizeof(*s->in)) };
    return s;
}

static void make_shares(struct delivery *d) {
    size_t i;

    for (i = 0; i < d->batch.count; i++) {
        struct intake_item *item = &d->batch.items[i];
        struct share *s;

        if (item->dead)
            continue;
        s = share_for(d, item->account);
        s->in[s->count++] = item->in;
    }
}

void delivery_start(struct gateway *g, struct door *door, struct server_call *call,
                    struct intake_batch *batch) {
    struct delivery *d = xcalloc(1, sizeof(*d));

    d->gateway = g;
    d->door = door;
    d->call = call;
    d->batch = *batch;
    memset(batch, 0, sizeof(*batch));
    make_shares(d);
    door->posts++;
    list_add(&g->fresh, d);
}

/* ---------------------------------------------------------------- to Redis */

static void settle(struct delivery *d) {
    if (d->open > 0)
        return;
    d->gateway->in_flight--;
    if (d->rc == 0) {
        STEP("gateway.accepted");
        delivery_end(d, 200);
    } else {
        list_add(&d->gateway->unsent, d);
    }
}

static void share_accepted(void *arg, int rc) {
    struct share *s = arg;
    struct delivery *d = s->delivery;

    if (rc < 0 && rc != -EAGAIN)
        log_error("%s: redis does not take a message: %s", s->account->name, strerror(-rc));
    d->open--;
    if (rc != 0)
        d->rc = rc;
    settle(d);
}

static int bury_dead(struct delivery *d) {
    size_t i;
    int r = 0;

    for (i = 0; i < d->batch.count && r == 0; i++) {
        struct intake_item *item = &d->batch.items[i];

        if (item->dead)
            r = gateway_bury(d->gateway, item->account->name, &item->in, item->message.note);
    }
    return r;
}

static void send_to_redis(struct delivery *d) {
    struct gateway *g = d->gateway;
    size_t i;

    g->in_flight++;
    STEP("gateway.accept");
    d->rc = bury_dead(d);
    if (d->rc == 0) {
        d->open = d->share_count;
        for (i = 0; i < d->share_count; i++)
            queue_async_accept(g->async, d->shares[i].account->name, d->shares[i].in, d->shares[i].count,
                               share_accepted, &d->shares[i]);
    }
    if (d->open == 0)
        settle(d);
}

/* ------------------------------------------------------------- to the spool */

/* A dead letter is spooled under "!ACCOUNT", which no account can be called. */
static void spool_row(const struct intake_item *item, struct spool_in *ret) {
    ret->account = item->dead ? xasprintf("!%s", item->account->name) : xstrdup(item->account->name);
    ret->in = item->in;
}

static int spool_deliveries(struct gateway *g, struct delivery *first, struct delivery *end) {
    struct spool_in *rows = NULL;
    struct delivery *d;
    size_t count = 0, i;
    int r;

    if (g->spool == NULL)
        return SPOOL_FULL;
    for (d = first; d != end; d = d->next) {
        rows = xrealloc(rows, count + d->batch.count, sizeof(*rows));
        for (i = 0; i < d->batch.count; i++)
            spool_row(&d->batch.items[i], &rows[count++]);
    }
    STEP("gateway.spool");
    r = spool_add(g->spool, rows, count);
    g->spool_failed_at = r == 0 ? 0 : gateway_tick();
    if (r == 0) {
        STEP("gateway.spooled");
        g->spooled += count;
    }
    for (i = 0; i < count; i++)
        free((char *)(uintptr_t)rows[i].account);
    free(rows);
    return r;
}

/* All in one transaction; when that does not fit, each that fits. */
static void spool_list(struct gateway *g, struct delivery_list *list) {
    struct delivery *d;
    int all, one;

    if (list->first == NULL)
        return;
    all = spool_deliveries(g, list->first, NULL);
    while ((d = list_take(list)) != NULL) {
        d->next = NULL;
        one = all == 0 ? 0 : spool_deliveries(g, d, NULL);
        if (one < 0)
            log_error("%s: the spool does not take a message: %s", d->door->account->name, strerror(-one));
        delivery_end(d, one == 0 ? 200 : 503);
    }
}

/* --------------------------------------------------------------------- turn */

void delivery_flush(struct gateway *g) {
    bool live = queue_async_up(g->async) && g->unsent.first == NULL && g->replay.open == 0 &&
                (g->spool == NULL || spool_count(g->spool) == 0);
    struct delivery *d;

    if (live) {
        while ((d = list_take(&g->fresh)) != NULL)
            send_to_redis(d);
        return;
    }
    if (g->in_flight > 0)
        return; /* older ones are still at Redis: should they come back, they go first */
    spool_list(g, &g->unsent);
    spool_list(g, &g->fresh);
}
