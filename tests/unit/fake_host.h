/*
 * fake_host.h: a host table whose transfers the test plays, for tests of connectors that send by HTTP.
 *
 * Each request is kept in asked[] and answered by the next of plays[] when fake_run() or http_wait()
 * comes to it; one transfer at a time.
 */
#ifndef TEST_FAKE_HOST_H
#define TEST_FAKE_HOST_H

#include "connector.h"

struct play {
    int state, status;
    const char *body;
    const char *content; /* for to_blob */
    const char *retry_after;
};

struct asked {
    char *method, *url, *body, *form;
    bool bearer, foreign, to_blob;
};

struct fake {
    struct aduan_host host;
    const struct play *plays;
    size_t next;
    struct asked asked[20];
    size_t count;
    aduan_http_done done;
    void *arg;
    int ends; /* how often done() or fetched() came */
    struct aduan_result result;
    char sha256[65];
    int64_t expires;
    char fault[300];
    char kept[1000]; /* the one secret that the connector had kept; may be set before it asks */
    bool keeping_fails;
    char stored[1000]; /* by blob_put() */
};

void fake_reset(struct fake *f, const struct play *plays);
void fake_run(struct fake *f); /* until the connector has said how it ended */

#endif
