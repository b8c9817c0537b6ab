/*
 * meta.h: what WhatsApp, Instagram and Messenger share: the handshake, the signature, Graph's errors.
 *
 * Facts: platforms/whatsapp.md sections 1.2, 1.3 and 4.4.
 */
#ifndef ADUAN_META_H
#define ADUAN_META_H

#include "connector.h"

/* verify() of a Meta webhook. GET: 200 and the raw challenge if mode and token are right, else 403.
 * POST: X-Hub-Signature-256 by any of the app secrets, else 401 and an empty body. */
int meta_verify(const struct aduan_secrets *app_secrets, const struct aduan_secret *verify_token,
                const struct aduan_hook_request *req, struct aduan_hook_answer *ret_answer);

/* For a module's selftest(): a body that was signed elsewhere with the secret of the published vectors is
 * believed with that secret as the second of two, and refused with 401 without it. 0, or -1 with a reason. */
int meta_selftest(const char *body, const char *signature, char *why, size_t why_size);

/* One row of a channel's error table: codes first..last, what follows from them. A row may also name an
 * error_subcode of seven digits, which says more than its code and is looked for first. */
struct meta_rule {
    int first, last;
    enum aduan_outcome outcome;
    enum aduan_limit_scope scope; /* for ADUAN_LIMITED */
    int64_t pause_ms;             /* for ADUAN_LIMITED; 0: the core's back-off */
    const char *advice;           /* Indonesian, for the officer; NULL: the platform's own words */
};

struct meta_error {
    int code;       /* 0: none in the body */
    int subcode;    /* 0: none */
    bool transient; /* Graph says that trying again may help */
    char text[400]; /* title and details on one line */
};

/* {"error":{…}} of an answer, or one element of errors[] in a webhook. False: there is none. */
bool meta_error_read(const json_t *error, struct meta_error *ret);

/* What an HTTP transfer means. True: status 2xx, the caller reads the body. False: *ret holds the
 * outcome by the table (ended by first == last == -1), else by the HTTP status, else by how far the
 * transfer came. accepts: a transfer that broke, or a 5xx that is not Graph's own, may have been
 * acted upon (a send, not an upload). */
bool meta_accepted(const struct aduan_http_response *r, const struct meta_rule *rules, bool accepts,
                   struct aduan_result *ret);

/* The error in an answer's body; false: there is none. */
bool meta_error_of(const struct aduan_http_response *r, struct meta_error *ret);

/* The end of an answer that went as several messages: once one was accepted, a failure of a later one is final,
 * or all would be repeated. SENT and UNCERTAIN stay; what is left is said in the reason. */
void meta_end_partly(struct aduan_result *result, size_t sent, size_t count);

/* May bytes be got from (or a token go to) this URL? The API's own origin, or https at a host that ends in one
 * of hosts (".fbcdn.net", …, NULL). The origin holds nothing that two readers of URLs could see differently. */
bool meta_is_host(const char *url, const char *api, const char *const *hosts);

/* What Graph says of a token (debug_token). Blocks. False: it could not be asked. */
struct meta_token {
    bool valid;
    int64_t expires_at; /* ms; 0: never, or not said */
    char app_id[40];    /* whose token it is; "" not said */
};
bool meta_token_read(struct aduan_host *host, const char *api, const struct aduan_secret *token,
                     struct meta_token *ret);

/* Seconds (or, as has been seen, milliseconds) in a string or number to ms; 0 when it is neither. */
int64_t meta_time(const json_t *object, const char *path);

#endif
