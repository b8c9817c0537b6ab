/*
 * media.h: attachments that wait on a platform, fetched beside everything else.
 *
 * Accept writes a job to :media for each; here a few at a time are fetched by
 * the connector's fetch(), tried again with back-off for up to seven days, and
 * ended by an event for the desk. Never blocks: media_turn() starts what is
 * due, the host's loop does the rest.
 */
#ifndef ADUAN_MEDIA_H
#define ADUAN_MEDIA_H

#include "daemon/host.h"

struct media;

struct media *media_new(struct job *j, void *ctx);
struct media *media_free(struct media *m);
void media_turn(struct media *m, int64_t now);
/* The host's fetched(). */
void media_fetched(struct media *m, uint64_t token, const struct aduan_result *result, const char *sha256,
                   int64_t size, const char *type);
size_t media_waiting(const struct media *m);

#endif
