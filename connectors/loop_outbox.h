/*
 * loop_outbox.h: where the loop connector delivers to: a file with one line per delivery.
 *
 * A line is {"id", "attempt", "kind", "to", "conversation", "subject", "text", "reply_to",
 * "attachments": [{"name", "sha256"}], "at"}. Two lines with one id are a double delivery; attempt
 * counts them.
 */
#ifndef ADUAN_LOOP_OUTBOX_H
#define ADUAN_LOOP_OUTBOX_H

#include "message.h"

/* How often this answer was delivered: the lines that carry its id. */
int loop_deliveries(const char *outbox, const char *account, const char *id);
/* Appends a line, on disk when this returns 0; -errno. outbox: a file, or a directory of
 * ACCOUNT.jsonl. */
int loop_deliver(const char *outbox, const char *account, const struct aduan_answer *a, int attempt,
                 int64_t now);

#endif
