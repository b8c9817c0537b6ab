/*
 * oauth1.h: OAuth 1.0a signatures by HMAC-SHA1 (RFC 5849 section 3).
 *
 * Pure: nonce and time are parameters. JSON and multipart bodies are not signed; a form's are.
 */
#ifndef ADUAN_OAUTH1_H
#define ADUAN_OAUTH1_H

#include "kit/setting.h"

struct oauth1 {
    const struct aduan_secret *consumer_key, *consumer_secret, *token, *token_secret;
    const char *nonce; /* never twice with the same time */
    int64_t time;      /* seconds since 1970 */
};

/* What is signed. url may have a query; form is an urlencoded body or NULL. New string. */
char *oauth1_base(const struct oauth1 *o, const char *method, const char *url, const char *form);
char *oauth1_signature(const struct oauth1 *o, const char *method, const char *url, const char *form);
/* The value of Authorization. New string. */
char *oauth1_header(const struct oauth1 *o, const char *method, const char *url, const char *form);

#endif
