/*
 * gateway_replay.c: what was spooled goes back to Redis, in its order; and how much waits is told.
 *
 * Rows are taken oldest first, accepted, and removed only after Redis has made
 * them durable; should we die in between, "seen before" makes the second time
 * harmless. A row that Redis calls nonsense (-EPROTO), found by going one at a
 * time, becomes a dead letter, so that one row never holds up all others.
 */
#include "connectors/kit/step.h"
#include "connectors/kit/text.h"
#include "daemon/gateway.h"
#include "daemon/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ROWS = 256, BYTES = 4 * 1024 * 1024, PAUSE_MS = 1000 };

static void *copy(const void *bytes, size_t n) {
    char *p;

    if (bytes == NULL)
        return NULL;
    p = xcalloc(1, n + 1);
    memcpy(p, bytes, n);
    return p;
}

static int take_row(void *arg, int64_t row, const struct spool_in *in) {
    struct replay *r = arg;
    size_t bytes = in->in.record_len + in->in.raw_len;

    if (r->count > 0 && r->bytes + bytes > BYTES)
        return 1;
    r->numbers[r->count] = row;
    r->accounts[r->count] = xstrdup(in->account);
    r->in[r->count] = in->in;
    r->in[r->count].id = xstrdup(in->in.id);
    r->in[r->count].record = copy(in->in.record, in->in.record_len);
    r->in[r->count].raw = copy(in->in.raw, in->in.raw_len);
    r->count++;
    r->bytes += bytes;
    return 0;
}

void replay_clear(struct gateway *g) {
    struct replay *r = &g->replay;
    size_t i;

    for (i = 0; i < r->count; i++) {
        free(r->accounts[i]);
        free((char *)(uintptr_t)r->in[i].id);
        free((char *)(uintptr_t)r->in[i].record);
        free((void *)(uintptr_t)r->in[i].raw);
    }
    free(r->accounts);
    free(r->in);
    free(r->numbers);
    r->accounts = NULL;
    r->in = NULL;
    r->numbers = NULL;
    r->count = r->bytes = 0;
}

static int bury_row(struct gateway *g, const char *account, const struct queue_in *in) {
    json_t *json = json_loadb(in->record, in->record_len, 0, NULL);
    const char *note = json_string_value(json_object_get(json, "note"));
    int rc = gateway_bury(g, account[0] == '!' ? account + 1 : account, in,
                          note != NULL ? note : "Redis menolaknya / Redis refuses it");

    json_decref(json);
    return rc;
}

/* One row alone that Redis still calls nonsense: it will never go. */
static int give_up_row(struct gateway *g) {
    struct replay *r = &g->replay;

    log_error("%s: redis calls the spooled message \"%s\" nonsense, it becomes a dead letter", r->accounts[0],
              r->in[0].id);
    return bury_row(g, r->accounts[0], &r->in[0]);
}

static void finish(struct gateway *g) {
    struct replay *r = &g->replay;
    int rc = r->rc == -EPROTO && r->count == 1 ? give_up_row(g) : r->rc;

    if (rc == 0) {
        STEP("gateway.replayed");
        rc = spool_remove(g->spool, r->numbers[r->count - 1]);
        STEP("gateway.removed");
    }
    if (rc == 0) {
        g->replayed += r->count;
        r->max = r->max * 2 < ROWS ? r->max * 2 : ROWS;
        if (spool_count(g->spool) == 0)
            log_info("the spool is empty again, %llu messages replayed so far",
                     (unsigned long long)g->replayed);
    } else {
        log_warn("the spool cannot be replayed yet: %s", strerror(-rc));
        r->max = rc == -EPROTO ? 1 : r->max;
        r->not_before = gateway_tick() + PAUSE_MS;
    }
    replay_clear(g);
}

static void rows_accepted(void *arg, int rc) {
    struct gateway *g = arg;

    if (rc != 0)
        g->replay.rc = rc;
    if (--g->replay.open == 0)
        finish(g);
}

/* A run of rows with the same account is one accept. */
static void send_rows(struct gateway *g) {
    struct replay *r = &g->replay;
    size_t i, end;

    for (i = 0; i < r->count && r->rc == 0; i = end) {
        for (end = i + 1; end < r->count && text_equal(r->accounts[i], r->accounts[end]); end++)
            ;
        if (r->accounts[i][0] == '!') {
            end = i + 1;
            r->rc = bury_row(g, r->accounts[i], &r->in[i]);
            continue;
        }
        r->open++;
        queue_async_accept(g->async, r->accounts[i], &r->in[i], end - i, rows_accepted, g);
    }
    if (r->open == 0)
        finish(g);
}

void replay_step(struct gateway *g) {
    struct replay *r = &g->replay;
    size_t taken;
    int rc;

    if (g->spool == NULL || r->open > 0 || spool_count(g->spool) == 0 || !queue_async_up(g->async) ||
        gateway_tick() < r->not_before)
        return;
    if (r->max == 0)
        r->max = ROWS;
    r->accounts = xcalloc(r->max, sizeof(*r->accounts));
    r->in = xcalloc(r->max, sizeof(*r->in));
    r->numbers = xcalloc(r->max, sizeof(*r->numbers));
    r->rc = 0;
    rc = spool_peek(g->spool, r->max, take_row, r, &taken);
    if (rc < 0 || r->count == 0) {
        log_error("the spool cannot be read: %s", strerror(-rc));
        r->not_before = gateway_tick() + PAUSE_MS;
        replay_clear(g);
        return;
    }
    send_rows(g);
}

/* ------------------------------------------------------------------ what waits */

static int take_oldest(void *arg, int64_t row, const struct spool_in *in) {
    json_t *record = json_loadb(in->in.record, in->in.record_len, 0, NULL);

    (void)row;
    *(int64_t *)arg = json_integer_value(json_object_get(record, "received_at"));
    json_decref(record);
    return 0;
}

int64_t gateway_spool_oldest(const struct gateway *g) {
    int64_t at = 0;
    size_t taken;

    if (g->spool != NULL && spool_count(g->spool) > 0)
        spool_peek(g->spool, 1, take_oldest, &at, &taken);
    return at;
}

/* A file and not Redis: it matters most while Redis is away, and the spool's own file has one reader only. */
void gateway_spool_note(struct gateway *g) {
    int64_t count = g->spool != NULL ? spool_count(g->spool) : -1;
    char *file, *fresh;
    FILE *f;

    /* While something waits its oldest changes, too. */
    if (g->spool_noted && count == g->spool_note && count <= 0)
        return;
    file = xasprintf("%s/spool/gateway.json", g->job->conf->state);
    fresh = xasprintf("%s.new", file);
    f = fopen(fresh, "we");
    if (f != NULL) {
        fprintf(f, "{\"count\": %lld, \"bytes\": %lld, \"oldest_at\": %lld}\n", (long long)count,
                (long long)(g->spool != NULL ? spool_bytes(g->spool) : 0), (long long)gateway_spool_oldest(g));
        fchmod(fileno(f), 0640);
        /* On a full disk the old word stands, and the next turn tries again. */
        if (fclose(f) == 0 && rename(fresh, file) == 0) {
            g->spool_note = count;
            g->spool_noted = true;
        }
    }
    free(file);
    free(fresh);
}
