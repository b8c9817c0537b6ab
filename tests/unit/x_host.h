/*
 * x_host.h: a host table for tests of the X connector: transfers played one after the other, marks, a clock.
 *
 * The request is kept with its Authorization; the answer carries X's rate headers. What is emitted becomes
 * durable only by x_host_accept(): without it, it is as if the worker had died.
 */
#ifndef TEST_X_HOST_H
#define TEST_X_HOST_H

#include "connector.h"

struct x_play {
    int state, status;
    const char *body;
    int limit, left; /* x-rate-limit-*, with limit > 0 */
    int64_t reset;   /* seconds */
};

struct x_asked {
    char *method, *url, *body, *authorization, *type;
    bool bearer, foreign, to_blob;
};

struct x_emitted {
    char *bytes, *mark, *value;
};

struct x_host {
    struct aduan_host host;
    int64_t now;
    const struct x_play *plays;
    size_t next, play_count;
    struct x_asked asked[40];
    size_t count;
    struct x_emitted emitted[40];
    size_t emitted_count;
    char mark[2][60]; /* "mentions", "dm_events" */
    aduan_http_done done;
    void *arg;
    int ends;
    struct aduan_result result;
    int quota;
    char quota_name[20], fault[400], kept[100];
    const char *blob; /* path of the only one */
    int64_t paused;
};

void x_host_reset(struct x_host *f, const struct x_play *plays,
                  size_t count);   /* keeps marks, clock and secret */
void x_host_run(struct x_host *f); /* until the connector has said how it ended */
void x_host_accept(struct x_host *f);

#endif
