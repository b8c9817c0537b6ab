/*
 * token.c: the account's health: who we are, when the token ends, and a new one before it does (section 7).
 *
 * An Instagram token lives 60 days and is refreshed every week; the first time as soon as it is 24 hours old.
 * The new one is kept by the host before it is used, together with a digest of the configured one it came from:
 * when an admin puts another token into the configuration, that one counts. A page's token does not end by
 * date; Graph is asked.
 *
 * The refresh is a GET with the token in its query, because Instagram knows no other way; neither we nor the
 * host log such a URL.
 */
#include "instagram/instagram.h"

#include "kit/json.h"
#include "kit/query.h"
#include "kit/sign.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS   (24 * 3600 * 1000LL)
#define FRESH_MS (7 * DAY_MS)
#define ALARM_MS (10 * DAY_MS)

#define KEPT     "access_token"

/* ----------------------------------------------------------------------- the kept */

static void wipe(struct aduan_secret *s) {
    if (s->bytes != NULL)
        text_wipe(s->bytes, s->len);
    free(s->bytes);
    *s = (struct aduan_secret){ NULL, 0 };
}

void instagram_token_clear(struct instagram *ig) {
    wipe(&ig->kept);
}

static void digest_of(const struct aduan_secret *s, char ret[SIGN_HEX256]) {
    sign_sha256_hex(s->bytes != NULL ? s->bytes : "", s->len, ret);
}

static void take(struct instagram *ig, const char *token, int64_t at, int64_t until) {
    wipe(&ig->kept);
    ig->kept.bytes = xstrdup(token);
    ig->kept.len = strlen(token);
    ig->kept_at = at;
    ig->kept_until = until;
    ig->graph.token = &ig->kept;
}

void instagram_token_read(struct instagram *ig) {
    struct aduan_host *h = ig->graph.host;
    const struct aduan_secret *value =
        ig->by_facebook || h->ops->kept_secret == NULL ? NULL : h->ops->kept_secret(h, KEPT);
    json_t *kept = value != NULL ? js_load(value->bytes, value->len) : NULL;
    const char *token = js_str(kept, "token");
    char from[SIGN_HEX256];

    digest_of(&ig->settings->access_token, from);
    if (token != NULL && token[0] != '\0' && text_equal(js_str(kept, "from"), from))
        take(ig, token, js_int(kept, "at", 0), js_int(kept, "until", 0));
    json_decref(kept);
}

/* ------------------------------------------------------------------------ refresh */

/* Durable first. */
static int keep(struct instagram *ig, const char *token, int64_t at, int64_t until) {
    struct aduan_host *h = ig->graph.host;
    struct aduan_secret value;
    char from[SIGN_HEX256];
    json_t *o;
    int r;

    digest_of(&ig->settings->access_token, from);
    o = json_pack("{s:s, s:s, s:I, s:I}", "from", from, "token", token, "at", (json_int_t)at, "until",
                  (json_int_t)until);
    value.bytes = json_dumps(o, JSON_COMPACT);
    value.len = value.bytes != NULL ? strlen(value.bytes) : 0;
    r = value.bytes != NULL && h->ops->keep_secret != NULL ? h->ops->keep_secret(h, KEPT, &value) : -1;
    json_decref(o);
    wipe(&value);
    return r;
}

/* https://graph.instagram.com/refresh_access_token: beside the version, not below it. */
static char *refresh_url(const struct instagram *ig) {
    const char *version = strrchr(ig->settings->api, '/');
    struct text url = TEXT_INIT;

    text_add_n(&url, ig->settings->api, (size_t)(version - ig->settings->api));
    text_add(&url, "/refresh_access_token?grant_type=ig_refresh_token&access_token=");
    query_escape(&url, ig->graph.token->bytes != NULL ? ig->graph.token->bytes : "");
    return text_steal(&url);
}

static bool take_answer(struct instagram *ig, const struct aduan_http_response *r, int64_t now) {
    json_t *body = r->body != NULL ? js_load(r->body, r->body_len) : NULL;
    const char *token = js_str(body, "access_token");
    int64_t seconds = js_int(body, "expires_in", 0), until = seconds > 0 ? now + seconds * 1000 : 0;
    bool good = token != NULL && token[0] != '\0' && keep(ig, token, now, until) == 0;

    if (good)
        take(ig, token, now, until);
    json_decref(body);
    return good;
}

/* A token that is too young is refused with 100: tried again tomorrow, like everything else. */
static void refresh(struct instagram *ig, int64_t now) {
    struct aduan_host *h = ig->graph.host;
    struct aduan_http_response r;
    struct aduan_result result;
    char *url;

    if (ig->by_facebook || (ig->kept.len > 0 && now - ig->kept_at < FRESH_MS) ||
        (ig->tried_at != 0 && now - ig->tried_at < DAY_MS))
        return;
    ig->tried_at = now;
    url = refresh_url(ig);
    struct aduan_http_request req = { .method = "GET", .url = url };

    if (h->ops->http_wait(h, &req, &r) == 0) {
        if (!graph_accepted(&ig->graph, &r, false, &result))
            h->ops->log(h, ADUAN_LOG_WARN, "Instagram's token was not refreshed: %s", result.reason);
        else if (!take_answer(ig, &r, now))
            h->ops->log(h, ADUAN_LOG_WARN, "Instagram's new token could not be kept");
        else
            h->ops->log(h, ADUAN_LOG_INFO, "Instagram's token was refreshed");
    }
    text_wipe(url, strlen(url));
    free(url);
}

/* -------------------------------------------------------------------------- probe */

static int64_t token_end(struct instagram *ig, const char **fault, int64_t now) {
    struct meta_token token;

    if (!ig->by_facebook) {
        if (ig->kept_until > 0 && ig->kept_until - now < ALARM_MS)
            *fault = "Token Instagram segera berakhir dan tidak dapat diperpanjang: buat token baru / the "
                     "token ends soon "
                     "and cannot be refreshed";
        return ig->kept_until;
    }
    if (!meta_token_read(ig->graph.host, ig->settings->api, ig->graph.token, &token))
        return 0;
    if (!token.valid)
        *fault = "Token tidak berlaku lagi menurut Meta / Meta says that the token is not valid";
    else if (token.expires_at > 0 && token.expires_at - now < ALARM_MS)
        *fault = "Token segera berakhir: buat token baru / the token ends soon: make a new one";
    return token.expires_at;
}

/* The id in webhooks is user_id, which is not what every page of Meta's shows. */
static const char *identity_fault(struct instagram *ig, const json_t *me) {
    char *user_id = js_id(me, "user_id");
    const char *fault = NULL;

    if (user_id != NULL && strcmp(user_id, ig->settings->account_id) != 0)
        fault = "account_id bukan id akun dari token ini / account_id is not the id of this token's account";
    free(user_id);
    return fault;
}

/* By the Instagram login we are installed on the account itself; by the other one on the page, where the
 * Facebook connector (or the admin) rules: one call replaces all fields. */
static const char *subscription_fault(struct instagram *ig) {
    static const char wanted[] =
        "me/subscribed_apps?subscribed_fields=messages,message_reactions,messaging_postbacks,"
        "messaging_seen,messaging_referral,message_edit,messaging_optins,messaging_handover,"
        "standby,comments,live_comments";
    struct aduan_result result;
    json_t *apps, *answer;
    bool gone, done;

    if (ig->by_facebook)
        return NULL;
    apps = graph_call(&ig->graph, "GET", "me/subscribed_apps", &result);
    gone = json_is_array(js_get(apps, "data")) && json_array_size(js_get(apps, "data")) == 0;
    json_decref(apps);
    if (!gone)
        return NULL;
    answer = graph_call(&ig->graph, "POST", wanted, &result);
    done = answer != NULL;
    json_decref(answer);
    return done ? "Langganan webhook sempat hilang dan dipasang kembali: periksa kotak masuk Instagram / the "
                  "subscription was gone and has been put back: look into the inbox"
                : "Langganan webhook hilang dan tidak dapat dipasang / the subscription is gone and cannot be "
                  "put "
                  "back";
}

void instagram_probe(void *ctx, struct aduan_result *ret) {
    struct instagram *ig = ctx;
    struct aduan_host *h = ig->graph.host;
    int64_t now = h->ops->now(h), until;
    const char *fault, *about = NULL;
    json_t *me;
    char *path;

    refresh(ig, now);
    path = ig->by_facebook ? xasprintf("%s?fields=username", ig->settings->account_id)
                           : xstrdup("me?fields=user_id,username");
    me = graph_call(&ig->graph, "GET", path, ret);
    free(path);
    if (me == NULL) {
        h->ops->report(h, ig->kept_until, ret->reason);
        return;
    }
    fault = identity_fault(ig, me);
    json_decref(me);
    until = token_end(ig, &about, now);
    if (fault == NULL)
        fault = about;
    about = subscription_fault(ig);
    h->ops->report(h, until, fault != NULL ? fault : about);
    ret->outcome = ADUAN_SENT;
}
