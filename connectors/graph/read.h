/*
 * read.h: between the files of the reading half: the walk (parse.c), one event (event.c), its attachments
 * (attach.c).
 */
#ifndef ADUAN_GRAPH_READ_H
#define ADUAN_GRAPH_READ_H

#include "graph/graph.h"

/* One element of messaging[] or standby[]; account is the entry's id, may be NULL. kind is set; platform_id
 * stays NULL where the platform gave none. */
void graph_event(struct aduan_message *m, const json_t *element, const char *account, const char *channel);

/* What message.attachments[] holds: attachments to fetch, lines for the text (may be ""; the caller frees).
 * fetch: false only names them. */
char *graph_attachments(struct aduan_message *m, const json_t *message, bool fetch);

/* The ad or link a chat was opened from, into quoted and extra. */
void graph_referral(struct aduan_message *m, const json_t *referral);

/* Adds a sentence to the note. */
void graph_note(struct aduan_message *m, const char *sentence);

#endif
