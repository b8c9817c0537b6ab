/*
 * x.h: what the files of the X connector share.
 *
 * Facts: platforms/x.md in the project's reference; section numbers in comments
 * here are its.
 */
#ifndef ADUAN_X_H
#define ADUAN_X_H

#include "connector.h"

#include "kit/json.h"
#include "kit/oauth2.h"
#include "kit/text.h"

enum x_replies { X_REPLIES_SUMMONED = 0, X_REPLIES_ALWAYS, X_REPLIES_NEVER };

struct x_settings {
    char *api, *ton;
    char *user_id;
    struct aduan_secret consumer_key, consumer_secret, access_token, access_token_secret;
    struct oauth2_settings oauth;
    bool webhook;
    int64_t mentions, dm_poll, backfill;
    int public_replies;
    int64_t post_max, dm_max;
};

bool x_by_oauth2(const struct x_settings *s);

/* ------------------------------------------------------------------ reading */

/* Where the walk over one body stands. */
struct x_walk {
    struct aduan_sink *sink;
    char *me;         /* whose events these are; NULL unknown */
    bool slices;      /* more than one record: each gets its own raw */
    int r;            /* the sink's first failure ends it */
    json_t *people;   /* id -> {"id", "name", "username"}, cleaned */
    json_t *media;    /* media_key -> {"media_key", "type", "url"}, cleaned */
    json_t *days;     /* which daily records this body gave */
    const char *only; /* of an edited post's own raw: "first" or "edit", else NULL */
};

/* A page that pull() read, as bodies of one element each, in its order. */
json_t *x_page_slices(const json_t *page, const char *me);
int x_parse(const void *settings, const struct aduan_bytes *in, struct aduan_sink *sink);

/* Hands the record over; slice: bytes that give it again, stolen, may be NULL. */
void x_emit(struct x_walk *w, struct aduan_message *m, json_t *slice);
/* For what comes in thousands and is nobody's complaint: the first of each kind and day stands for all. */
void x_emit_daily(struct x_walk *w, const char *kind, int64_t at, const char *note, json_t *slice);

void x_post_v1(struct x_walk *w, const json_t *post); /* post.c: of tweet_create_events[] */
void x_post_v2(struct x_walk *w, const json_t *post);
void x_dm_v1(struct x_walk *w, const json_t *event); /* dm.c: of direct_message_events[] */
void x_dm_v2(struct x_walk *w, const json_t *event);
void x_dm_read(struct x_walk *w, const json_t *event);
void x_chat(struct x_walk *w, const json_t *payload, bool own, int64_t at);

/* fields.c */
char *x_id(const json_t *object, const char *key); /* KEY_str before KEY; digits, else NULL */
int64_t x_time(const json_t *object); /* created_timestamp, timestamp_ms, created_at or the id's own */
int64_t x_id_time(const char *id);    /* ms of a snowflake id; 0 when it is none */
int64_t x_rfc3339(const char *s);     /* "2026-09-19T07:20:00.000Z" to ms; 0 */
int x_id_compare(const char *a, const char *b);       /* ids as numbers, NULL smallest */
char *x_text(const json_t *object, const char *path); /* clean, HTML entities read; NULL: not there */
const json_t *x_either(const json_t *object, const char *one, const char *two); /* of a renamed key */
void x_sender(struct x_walk *w, struct aduan_message *m, const char *id);
void x_extra(struct aduan_message *m, const char *key, json_t *value); /* steals value */
void x_attach(struct aduan_message *m, const char *type, const char *url);
json_t *x_slice_v2(const struct x_walk *w, const json_t *item); /* a page with this one only */
json_t *x_slice_v1(const struct x_walk *w, const char *list, const json_t *item);

/* ------------------------------------------------------------------- working */

struct x {
    struct aduan_host *host;
    const struct x_settings *settings;
    struct oauth oauth;
    struct x_pull *pull;
    json_t *uploads;    /* sha256 -> {"id", "at"}: media that X still works on or has */
    json_t *sent;       /* ids that X gave to answers in this life -> true */
    int64_t webhook_at; /* when the webhook was last put right */
};

struct x_request {
    const char *method, *url;
    const char *type; /* of body */
    const void *body;
    size_t body_len;
    bool to_blob, foreign;
    int64_t max_bytes, timeout_ms;
};

/* api.c: signed, with the token renewed once when X refuses it. As host http() and http_wait(). */
int x_http(struct x *x, const struct x_request *req, aduan_http_done done, void *arg);
int x_http_wait(struct x *x, const struct x_request *req, struct aduan_http_response *ret);

/* errors.c: what an answer means. True: 2xx. acts: a request that X may have acted upon. */
bool x_accepted(struct x *x, const struct aduan_http_response *r, bool acts, struct aduan_result *ret);
/* Tells the host how much of an allowance is used; returns when it is whole again (ms) if nothing is left, else
 * 0. */
int64_t x_limits(struct x *x, const char *name, const struct aduan_http_response *r);

int x_pull(void *ctx, int64_t wait_ms, struct aduan_result *ret);
int x_commit(void *ctx, const uint64_t *cookies, size_t count);
struct x_pull *x_pull_new(void);
struct x_pull *x_pull_free(struct x_pull *p);

void x_send(void *ctx, const struct aduan_answer *answer, uint64_t token);
int x_fits(const void *settings, const struct aduan_answer *answer, char *why, size_t why_size);
void x_find(void *ctx, const struct aduan_answer *answer, struct aduan_result *ret);
int64_t x_weight(const char *text); /* length.c: weighted length of a post (section 4.2) */

/* upload.c: one attachment to X. done: media id, or NULL and the outcome. */
typedef void (*x_uploaded)(void *arg, const char *media_id, const struct aduan_result *result);
void x_upload(struct x *x, const struct aduan_attachment *a, bool dm, x_uploaded done, void *arg);
/* NULL, or why this can never be attached. */
const char *x_upload_fits(const struct aduan_attachment *a);

void x_fetch(void *ctx, const struct aduan_attachment *attachment, uint64_t token);
void x_probe(void *ctx, struct aduan_result *ret);
int x_selftest(char *why, size_t why_size);

#endif
