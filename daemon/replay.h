/*
 * replay.h: raw bytes the office kept, parsed once more.
 *
 * `aduanctl replay` (after a parser was mended) and the retry of a dead letter
 * put bytes on the account's :replay stream; here they take the road of what
 * pull() emits, but for cursors and commit(). An entry is acknowledged once all
 * that came of it is durable.
 */
#ifndef ADUAN_REPLAY_H
#define ADUAN_REPLAY_H

#include "daemon/host.h"

struct replay;

struct replay *replay_new(struct host *h, const struct aduan_connector *c);
struct replay *replay_free(struct replay *r); /* accepts and returns NULL */
/* Between two pulls: looks every few seconds, works off what is there. */
void replay_turn(struct replay *r);

#endif
