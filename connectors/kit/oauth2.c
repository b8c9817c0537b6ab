/* oauth2.c: refreshing access tokens. */
#include "kit/oauth2.h"

#include "kit/sign.h"
#include "kit/text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_NAME "refresh_token"

enum { MARGIN_MS = 2 * 60 * 1000 }; /* renewed this long before its end */

void oauth_init(struct oauth *o, struct aduan_host *host, const struct oauth2_settings *settings) {
    memset(o, 0, sizeof(*o));
    o->host = host;
    o->settings = settings;
}

static void forget(struct aduan_secret *s) {
    if (s->bytes != NULL)
        text_wipe(s->bytes, s->len);
    free(s->bytes);
    memset(s, 0, sizeof(*s));
}

static void keep(struct aduan_secret *s, const char *bytes, size_t n) {
    forget(s);
    s->bytes = xstrndup(bytes, n);
    s->len = n;
}

static void forget_basic(struct oauth *o) {
    if (o->basic != NULL)
        text_wipe(o->basic, strlen(o->basic));
    free(o->basic);
    o->basic = NULL;
}

void oauth_clear(struct oauth *o) {
    forget(&o->access);
    forget(&o->used);
    forget_basic(o);
}

bool oauth_is_fresh(const struct oauth *o) {
    return o->access.bytes != NULL && o->host->ops->now(o->host) < o->expires_at - MARGIN_MS;
}

void oauth_drop(struct oauth *o) {
    forget(&o->access);
}

/* The rotated one, else the configured one; may be NULL. */
static const struct aduan_secret *refresh_token(const struct oauth *o) {
    const struct aduan_secret *kept = NULL;

    if (o->host->ops->kept_secret != NULL)
        kept = o->host->ops->kept_secret(o->host, KEPT_NAME);
    if (kept != NULL && kept->bytes != NULL && kept->len > 0)
        return kept;
    return o->settings->refresh_token.bytes != NULL ? &o->settings->refresh_token : NULL;
}

static void add_encoded(struct text *t, const char *value, size_t n) {
    size_t i;

    for (i = 0; i < n; i++) {
        unsigned char c = (unsigned char)value[i];

        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            strchr("-._~", c) != NULL)
            text_add_char(t, (char)c);
        else
            text_addf(t, "%%%02X", c);
    }
}

static void add_form(struct text *t, const char *key, const char *value, size_t n) {
    text_addf(t, "%s%s=", t->len > 0 ? "&" : "", key);
    add_encoded(t, value, n);
}

char *oauth_body(struct oauth *o) {
    const struct aduan_secret *token = refresh_token(o), *secret = &o->settings->client_secret;
    struct text t = TEXT_INIT;
    size_t room = 1024 + 3 * ((token != NULL ? token->len : 0) + secret->len);

    t.s = xcalloc(1, room); /* all at once: no copy of a secret stays behind in freed memory */
    t.room = room;
    keep(&o->used, token != NULL ? token->bytes : "", token != NULL ? token->len : 0);
    add_form(&t, "grant_type", "refresh_token", strlen("refresh_token"));
    add_form(&t, "client_id", o->settings->client_id, strlen(o->settings->client_id));
    if (secret->bytes != NULL && !o->settings->basic)
        add_form(&t, "client_secret", secret->bytes, secret->len);
    add_form(&t, "refresh_token", o->used.bytes, o->used.len);
    if (o->settings->scope != NULL && o->settings->scope[0] != '\0')
        add_form(&t, "scope", o->settings->scope, strlen(o->settings->scope));
    return text_steal(&t);
}

void oauth_free_body(char *body) {
    text_wipe(body, strlen(body));
    free(body);
}

/* "Basic base64(id:secret)", each part form-encoded first. */
static void set_basic(struct oauth *o) {
    const struct aduan_secret *secret = &o->settings->client_secret;
    struct text t = TEXT_INIT;
    char *coded;

    t.room = 1024 + 3 * (secret->len + strlen(o->settings->client_id));
    t.s = xcalloc(1, t.room); /* as in oauth_body() */
    add_encoded(&t, o->settings->client_id, strlen(o->settings->client_id));
    text_add_char(&t, ':');
    add_encoded(&t, secret->bytes, secret->len);
    coded = sign_base64(t.s, t.len);
    forget_basic(o);
    o->basic = xasprintf("Basic %s", coded);
    text_wipe(coded, strlen(coded));
    text_wipe(t.s, t.len);
    free(coded);
    text_free(&t);
}

void oauth_request(struct oauth *o, const char *body, struct aduan_http_request *ret) {
    o->headers[0] = (struct aduan_header){ "Content-Type", "application/x-www-form-urlencoded" };
    o->headers[1] = (struct aduan_header){ "Accept", "application/json" };
    memset(ret, 0, sizeof(*ret));
    ret->method = "POST";
    ret->url = o->settings->token_url;
    ret->headers = o->headers;
    ret->header_count = 2;
    if (o->settings->basic && o->settings->client_secret.bytes != NULL) {
        set_basic(o);
        o->headers[2] = (struct aduan_header){ "Authorization", o->basic };
        ret->header_count = 3;
    }
    ret->body = body;
    ret->body_len = strlen(body);
    ret->max_bytes = 64 * 1024;
}

/* A rotated refresh token is durable before the access token that came with it is used. */
static int keep_rotated(struct oauth *o, const json_t *answer) {
    const char *token = json_string_value(json_object_get(answer, "refresh_token"));
    struct aduan_secret value = { (char *)token, token != NULL ? strlen(token) : 0 };

    if (token == NULL || value.len == 0 ||
        (value.len == o->used.len && memcmp(token, o->used.bytes, value.len) == 0))
        return 0;
    return o->host->ops->keep_secret(o->host, KEPT_NAME, &value);
}

static void take_token(struct oauth *o, const json_t *answer, struct aduan_result *ret) {
    const char *access = json_string_value(json_object_get(answer, "access_token"));
    json_int_t life = json_integer_value(json_object_get(answer, "expires_in"));

    ret->outcome = ADUAN_LATER;
    if (access == NULL || access[0] == '\0') {
        snprintf(ret->reason, sizeof(ret->reason), "token answer without access_token");
    } else if (strpbrk(access, "\r\n\001") != NULL) {
        snprintf(ret->reason, sizeof(ret->reason), "token answer with control characters");
    } else if (keep_rotated(o, answer) != 0) {
        snprintf(ret->reason, sizeof(ret->reason), "the new refresh token could not be kept");
    } else {
        keep(&o->access, access, strlen(access));
        o->expires_at = o->host->ops->now(o->host) + (life > 0 && life < 90 * 86400 ? life : 3600) * 1000;
        ret->outcome = ADUAN_SENT;
    }
}

static void take_error(const json_t *answer, int status, struct aduan_result *ret) {
    const char *error = json_string_value(json_object_get(answer, "error"));
    const char *text = json_string_value(json_object_get(answer, "error_description"));
    char *line = text_clean_line(text != NULL ? text : "", text != NULL ? strlen(text) : 0, 200);

    ret->outcome = ADUAN_LATER;
    if (error != NULL &&
        (strcmp(error, "invalid_grant") == 0 || strcmp(error, "invalid_client") == 0 ||
         strcmp(error, "unauthorized_client") == 0 || strcmp(error, "interaction_required") == 0))
        ret->outcome = ADUAN_REFUSED;
    snprintf(ret->reason, sizeof(ret->reason), "token refresh: %d %.60s %s", status, error != NULL ? error : "",
             line);
    free(line);
}

void oauth_take(struct oauth *o, const struct aduan_http_response *r, struct aduan_result *ret) {
    json_t *answer;

    memset(ret, 0, sizeof(*ret));
    if (r->state != ADUAN_HTTP_DONE) {
        ret->outcome = ADUAN_LATER;
        snprintf(ret->reason, sizeof(ret->reason), "token refresh: %.200s",
                 r->error != NULL ? r->error : "no answer");
        return;
    }
    answer = r->body != NULL ? json_loadb(r->body, r->body_len, 0, NULL) : NULL;
    if (r->status == 200 && answer != NULL)
        take_token(o, answer, ret);
    else
        take_error(answer, r->status, ret);
    json_decref(answer);
}

bool oauth_has_newer(const struct oauth *o) {
    const struct aduan_secret *token = refresh_token(o);

    return token != NULL && (token->len != o->used.len || memcmp(token->bytes, o->used.bytes, token->len) != 0);
}

int oauth_wait(struct oauth *o, struct aduan_result *ret) {
    struct aduan_http_request req;
    struct aduan_http_response answer;
    int attempt, r = 0;

    memset(ret, 0, sizeof(*ret));
    ret->outcome = ADUAN_SENT;
    for (attempt = 0; attempt < 2 && !oauth_is_fresh(o); attempt++) {
        char *body = oauth_body(o);

        oauth_request(o, body, &req);
        memset(&answer, 0, sizeof(answer));
        r = o->host->ops->http_wait(o->host, &req, &answer);
        oauth_free_body(body);
        if (r != 0) {
            ret->outcome = ADUAN_LATER;
            break;
        }
        oauth_take(o, &answer, ret);
        if (ret->outcome != ADUAN_REFUSED || !oauth_has_newer(o))
            break;
    }
    if (ret->outcome == ADUAN_REFUSED)
        o->host->ops->report(o->host, 0, ret->reason);
    return r;
}
