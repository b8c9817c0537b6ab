/*
 * facebook.h: what the files of the Facebook connector share.
 *
 * Facts: platforms/messenger.md in the project's reference; section numbers in comments here are its. Messages,
 * sending and media are graph/'s, which Instagram uses as well.
 */
#ifndef ADUAN_FACEBOOK_H
#define ADUAN_FACEBOOK_H

#include "connector.h"

#include "graph/graph.h"

/* In "public:…:AUTHOR" before the id of a review, which has no private reply. */
#define FACEBOOK_REVIEW "rating-"

struct facebook_settings {
    char *api;
    char *page_id;
    struct aduan_secret access_token, verify_token;
    struct aduan_secrets app_secret;
    bool human_agent;
};

/* One account in one worker. */
struct facebook {
    struct aduan_host *host;
    const struct facebook_settings *settings;
    struct graph_account graph;
    char app_id[40]; /* of our token, once Graph has said it */
    int64_t token_expires, token_asked_at;
    int64_t reinstalled_at; /* 0: never in this worker's life */
};

extern const struct graph_reader facebook_reader;
extern const struct graph_limits facebook_limits;

int facebook_parse(const void *settings, const struct aduan_bytes *in, struct aduan_sink *sink);
/* feed.c: graph_reader.change: fields feed, mention, ratings. */
bool facebook_change(struct aduan_message *m, const char *field, const json_t *value, const char *page,
                     int64_t at);

/* send.c: the worker's side. */
int facebook_fits(const void *settings, const struct aduan_answer *answer, char *why, size_t why_size);
void facebook_send(void *ctx, const struct aduan_answer *answer, uint64_t token);
void facebook_find(void *ctx, const struct aduan_answer *answer, struct aduan_result *ret);

/* watchdog.c: the token, and whether the page is still installed. */
void facebook_probe(void *ctx, struct aduan_result *ret);

int facebook_selftest(char *why, size_t why_size);

#endif
