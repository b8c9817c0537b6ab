/*
 * spool.h: where webhooks wait on disk while Redis is away.
 *
 * SQLite, WAL, synchronous=FULL, one connection with locking_mode=EXCLUSIVE
 * (reliability.md section 3). One file STATE/spool/ROLE.db. What spool_add()
 * committed survives a power cut; replay hands it back in order, and the accept
 * script's "seen before" makes a repeated replay harmless.
 */
#ifndef ADUAN_SPOOL_H
#define ADUAN_SPOOL_H

#include "queue/queue.h"

struct spool;

enum { SPOOL_FULL = 1 }; /* bound reached or disk full: answer 503 */

/* 0 and *ret; or -errno with why. A damaged file is set aside (ROLE.db.bad-TIME) and a new one
 * begun; why then says so although 0 is returned. max_bytes bounds the content. */
int spool_open(const char *dir, const char *role, int64_t max_bytes, struct spool **ret, char *why,
               size_t why_size);
struct spool *spool_close(struct spool *s);

/* All of them in one transaction (account may differ per message): 0 durable, SPOOL_FULL, -errno. */
struct spool_in {
    const char *account;
    struct queue_in in;
};
int spool_add(struct spool *s, const struct spool_in *in, size_t count);
/* Oldest first, up to max. each() copies what it wants; returns how many in *ret. */
int spool_peek(struct spool *s, size_t max, int (*each)(void *arg, int64_t row, const struct spool_in *in),
               void *arg, size_t *ret);
int spool_remove(struct spool *s, int64_t upto_row); /* rows <= upto_row are in Redis now */
int64_t spool_count(const struct spool *s);
int64_t spool_bytes(const struct spool *s);

#endif
