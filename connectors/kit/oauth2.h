/*
 * oauth2.h: access tokens from a refresh token (RFC 6749 section 6).
 *
 * The receive and the send worker of an account each hold an access token of
 * their own; a refresh token that the provider rotates is kept by the host
 * before it is used, and read again by whoever refreshes next.
 */
#ifndef ADUAN_OAUTH2_H
#define ADUAN_OAUTH2_H

#include "connector.h"

struct oauth2_settings {
    char *token_url, *client_id, *scope;
    struct aduan_secret client_secret, refresh_token;
    bool basic; /* the client's id and secret go as Basic authentication, not in the body (RFC 6749 2.3.1) */
};

struct oauth {
    struct aduan_host *host;
    const struct oauth2_settings *settings;
    struct aduan_secret access;
    struct aduan_secret used; /* the refresh token of the last request */
    int64_t expires_at;
    struct aduan_header headers[3]; /* of the request; the third for Basic */
    char *basic;
};

void oauth_init(struct oauth *o, struct aduan_host *host, const struct oauth2_settings *settings);
void oauth_clear(struct oauth *o);
bool oauth_is_fresh(const struct oauth *o);
void oauth_drop(struct oauth *o); /* the server refused the access token: get a new one */

/* The refresh as a request; body must be freed with oauth_free_body() after the call. */
char *oauth_body(struct oauth *o);
void oauth_free_body(char *body);
void oauth_request(struct oauth *o, const char *body, struct aduan_http_request *ret);
/* Takes the answer. ADUAN_SENT: there is a fresh token; LATER; REFUSED. */
void oauth_take(struct oauth *o, const struct aduan_http_response *r, struct aduan_result *ret);
/* Has the host another refresh token than the one that was just refused? Then try once more. */
bool oauth_has_newer(const struct oauth *o);

/* All of it, waiting. SENT, LATER or REFUSED in *ret; ADUAN_STOPPING or 0. */
int oauth_wait(struct oauth *o, struct aduan_result *ret);

#endif
