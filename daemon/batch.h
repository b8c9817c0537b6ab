/*
 * batch.h: raw bytes that pull() emitted, on their way into Redis.
 *
 * batch_flush() makes all of them durable together with their cursors and then
 * commits them on the platform. It waits for Redis and the disk as long as it
 * takes, so it ends only with 0, ADUAN_STOPPING (nothing was committed; the
 * platform shows it all again) or -errno for a batch that cannot be handled.
 */
#ifndef ADUAN_BATCH_H
#define ADUAN_BATCH_H

#include "daemon/intake.h"
#include "daemon/parser.h"

enum { BATCH_ITEMS = 64, BATCH_BYTES = 4 << 20 };

struct batch_item {
    char *bytes, *id, *mark, *mark_value;
    size_t len;
    int64_t received_at, whole_size;
    uint64_t cookie;
    char *key; /* what its attempts are counted under */
    bool seen; /* accepted before: only cursor and commit are left */
    int attempts;
    struct intake_batch records;
};

struct batch {
    struct host *host;
    const struct aduan_connector *connector;
    void *ctx;
    struct parser parser;
    struct batch_item items[BATCH_ITEMS];
    size_t count, bytes;
    bool again;  /* a replay: known ids are told to the desk, nothing is marked or committed */
    bool waited; /* a fault of ours is shown */
    int64_t last_in, received, repeats;
};

void batch_init(struct batch *b, struct host *h, const struct aduan_connector *c);
void batch_clear(struct batch *b); /* forgets what is in it and ends the parser */
bool batch_fits(const struct batch *b, size_t len);
void batch_add(struct batch *b, const struct aduan_raw *raw); /* copies */
int batch_flush(struct batch *b);

#endif
