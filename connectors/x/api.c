/*
 * api.c: requests in the name of the account: signed by OAuth 1.0a, or with an OAuth 2 token that is renewed
 * when it is old and once when X refuses it.
 */
#include "x/x.h"

#include "kit/oauth1.h"
#include "kit/sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A request on its way. It owns what it may have to send twice. */
struct call {
    struct x *x;
    struct x_request req;
    char *token_body;
    int refused, refreshed;
    aduan_http_done done;
    void *arg;
};

/* What must live until http() returns. */
struct envelope {
    struct aduan_http_request req;
    struct aduan_header headers[2];
    char *authorization;
};

static void sign(struct x *x, const struct x_request *from, struct envelope *e) {
    const struct x_settings *s = x->settings;
    uint8_t random[16];
    char nonce[33];
    struct oauth1 o = { &s->consumer_key,
                        &s->consumer_secret,
                        &s->access_token,
                        &s->access_token_secret,
                        nonce,
                        x->host->ops->now(x->host) / 1000 };

    sign_random(random, sizeof(random));
    sign_hex(random, sizeof(random), nonce);
    e->authorization = oauth1_header(&o, from->method, from->url, NULL);
    e->headers[e->req.header_count++] = (struct aduan_header){ "Authorization", e->authorization };
}

static void seal(struct x *x, const struct x_request *from, struct envelope *e) {
    *e = (struct envelope){ .req = { .method = from->method,
                                     .url = from->url,
                                     .headers = e->headers,
                                     .body = from->body,
                                     .body_len = from->body_len,
                                     .timeout_ms = from->timeout_ms,
                                     .max_bytes = from->max_bytes > 0 ? from->max_bytes : 4 * 1024 * 1024,
                                     .to_blob = from->to_blob,
                                     .foreign_url = from->foreign,
                                     .same_host = from->foreign ? x->settings->ton : NULL } };
    if (from->type != NULL)
        e->headers[e->req.header_count++] = (struct aduan_header){ "Content-Type", from->type };
    if (x_by_oauth2(x->settings))
        e->req.bearer = &x->oauth.access;
    else
        sign(x, from, e);
}

/* ------------------------------------------------------------------ by callback */

static void start(struct call *c);

static void end(struct call *c, const struct aduan_http_response *r) {
    aduan_http_done done = c->done;
    void *arg = c->arg;

    free((char *)(uintptr_t)c->req.method);
    free((char *)(uintptr_t)c->req.url);
    free((char *)(uintptr_t)c->req.type);
    free((void *)(uintptr_t)c->req.body);
    free(c);
    done(arg, r);
}

static void end_without(struct call *c, const char *why) {
    const struct aduan_http_response r = { .state = ADUAN_HTTP_SENT_NOTHING, .error = why };

    end(c, &r);
}

static void answered(void *arg, const struct aduan_http_response *r) {
    struct call *c = arg;

    if (r->state == ADUAN_HTTP_DONE && r->status == 401 && x_by_oauth2(c->x->settings) && c->refused++ == 0) {
        oauth_drop(&c->x->oauth);
        start(c);
        return;
    }
    end(c, r);
}

/* The account is refused as by the API itself, in the token endpoint's words. */
static void end_refused(struct call *c, const char *why) {
    json_t *body = json_pack("{s:s}", "title", why);
    char *dump = json_dumps(body, JSON_COMPACT);
    const struct aduan_http_response r = {
        .state = ADUAN_HTTP_DONE, .status = 401, .body = dump, .body_len = dump != NULL ? strlen(dump) : 0
    };

    json_decref(body);
    end(c, &r);
    free(dump);
}

static void refreshed(void *arg, const struct aduan_http_response *r) {
    struct call *c = arg;
    struct aduan_result result;

    oauth_free_body(c->token_body);
    c->token_body = NULL;
    oauth_take(&c->x->oauth, r, &result);
    if (result.outcome == ADUAN_SENT ||
        (result.outcome == ADUAN_REFUSED && oauth_has_newer(&c->x->oauth) && c->refreshed++ == 0))
        start(c);
    else if (result.outcome == ADUAN_REFUSED)
        end_refused(c, result.reason);
    else
        end_without(c, result.reason);
}

static void start(struct call *c) {
    struct x *x = c->x;
    struct aduan_http_request token;
    struct envelope e;
    int r;

    if (x_by_oauth2(x->settings) && !oauth_is_fresh(&x->oauth)) {
        c->token_body = oauth_body(&x->oauth);
        oauth_request(&x->oauth, c->token_body, &token);
        r = x->host->ops->http(x->host, &token, refreshed, c);
        if (r != 0) {
            oauth_free_body(c->token_body);
            end_without(c, "token belum dapat diperbarui / the token could not be renewed");
        }
        return;
    }
    seal(x, &c->req, &e);
    r = x->host->ops->http(x->host, &e.req, answered, c);
    free(e.authorization);
    if (r != 0)
        end_without(c, "pengiriman belum dapat dimulai / the transfer could not be started");
}

int x_http(struct x *x, const struct x_request *req, aduan_http_done done, void *arg) {
    struct call *c = xcalloc(1, sizeof(*c));

    c->x = x;
    c->req = *req;
    c->req.method = xstrdup(req->method);
    c->req.url = xstrdup(req->url);
    c->req.type = xstrdup(req->type);
    c->req.body = NULL;
    if (req->body_len > 0) {
        void *body = xcalloc(req->body_len, 1);

        memcpy(body, req->body, req->body_len);
        c->req.body = body;
    }
    c->done = done;
    c->arg = arg;
    start(c);
    return 0;
}

/* --------------------------------------------------------------------- waiting */

static const char *refusal = "{\"title\":\"token refresh\"}";

int x_http_wait(struct x *x, const struct x_request *req, struct aduan_http_response *ret) {
    struct aduan_result result = { .outcome = ADUAN_SENT };
    struct envelope e;
    int attempt, r;

    for (attempt = 0;; attempt++) {
        if (x_by_oauth2(x->settings)) {
            r = oauth_wait(&x->oauth, &result);
            if (r != 0)
                return r;
        }
        if (result.outcome != ADUAN_SENT) {
            bool refused = result.outcome == ADUAN_REFUSED;

            *ret = (struct aduan_http_response){
                .state = refused ? ADUAN_HTTP_DONE : ADUAN_HTTP_SENT_NOTHING,
                .status = refused ? 401 : 0,
                .body = refusal,
                .body_len = strlen(refusal),
                .error = "token belum dapat diperbarui / the token could not be renewed",
            };
            return 0;
        }
        seal(x, req, &e);
        r = x->host->ops->http_wait(x->host, &e.req, ret);
        free(e.authorization);
        if (r != 0 || attempt > 0 || ret->state != ADUAN_HTTP_DONE || ret->status != 401 ||
            !x_by_oauth2(x->settings))
            return r;
        oauth_drop(&x->oauth);
    }
}
