/*
 * instagram.h: what the files of the Instagram connector share.
 *
 * Facts: platforms/instagram.md in the project's reference; section numbers in comments here are its. Messages
 * are read and sent by graph/; here is what Instagram has beside them: comments, mentions, two logins, a token
 * that wants to be refreshed.
 */
#ifndef ADUAN_INSTAGRAM_H
#define ADUAN_INSTAGRAM_H

#include "connector.h"

#include "graph/graph.h"

enum instagram_login { INSTAGRAM_AUTO = 0, INSTAGRAM_BY_FACEBOOK, INSTAGRAM_BY_INSTAGRAM };

struct instagram_settings {
    char *api, *account_id, *page_id;
    int login; /* enum instagram_login */
    struct aduan_secret access_token, verify_token;
    struct aduan_secrets app_secret;
    bool human_agent;
};

/* One worker's account. */
struct instagram {
    struct graph_account graph; /* first: its token points to kept or to the settings */
    const struct instagram_settings *settings;
    bool by_facebook;
    struct aduan_secret kept; /* the refreshed token, or empty */
    int64_t kept_at, kept_until, tried_at;
};

/* Which of the two logins these settings mean. */
bool instagram_by_facebook(const struct instagram_settings *s);

/* public.c: comments and mentions. A mention elsewhere is known by ids only: its conversation is
 * "public:MEDIA:mention" or "public:MEDIA:mention:COMMENT", which is all an answer needs. */
#define INSTAGRAM_MENTION "mention"
bool instagram_change(struct aduan_message *m, const char *field, const json_t *value, const char *account,
                      int64_t at);

struct instagram_mention {
    char *media, *comment; /* comment NULL: in the caption */
};
/* True: the conversation is a mention's. Filled strings are the caller's. */
bool instagram_mention_of(const char *conversation, struct instagram_mention *ret);
void instagram_mention_clear(struct instagram_mention *mention);

/* send.c */
extern const struct graph_limits instagram_limits;
int instagram_fits(const void *settings, const struct aduan_answer *answer, char *why, size_t why_size);
void instagram_send(void *ctx, const struct aduan_answer *answer, uint64_t token);

/* fetch.c: media, and the text of a mention. */
void instagram_fetch(void *ctx, const struct aduan_attachment *attachment, uint64_t token);
/* The path that reads a mention's fields (text, caption, …); the caller frees. */
char *instagram_mention_path(const struct instagram_settings *s, const char *comment, const char *media,
                             const char *fields);

/* token.c */
void instagram_token_read(struct instagram *ig); /* what the host keeps: at open, and before a reader uses it */
void instagram_token_clear(struct instagram *ig);
void instagram_probe(void *ctx, struct aduan_result *ret);

int instagram_parse(const void *settings, const struct aduan_bytes *in, struct aduan_sink *sink);
int instagram_selftest(char *why, size_t why_size);

#endif
