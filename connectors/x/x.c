/*
 * x.c: X (Twitter): settings, contract.
 *
 * Webhooks are verified and read in the gateway; pull.c asks for mentions (and for private messages where there
 * is no webhook) in the receive worker; send.c answers. What X's pages leave open is a setting.
 */
#include "x/x.h"

#include "kit/hook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE };

#define BOTH   (ADUAN_FOR_RECEIVE | ADUAN_FOR_SEND)
#define HEADER "x-twitter-webhooks-signature"

static const char *const schemes[] = { "https", "http", NULL };
static const char *const replies[] = { "summoned", "always", "never", NULL };

static const struct aduan_setting oauth_settings[] = {
    ADUAN_SET_URL("token_url", struct oauth2_settings, token_url, "https://api.x.com/2/oauth2/token", schemes,
                  0, "Alamat pembaruan token / where tokens are refreshed"),
    ADUAN_SET_STRING("client_id", struct oauth2_settings, client_id, NULL, 0, "Client ID / client id"),
    ADUAN_SET_SECRET("client_secret", struct oauth2_settings, client_secret, BOTH,
                     "Client Secret (klien rahasia) / client secret of a confidential client"),
    ADUAN_SET_SECRET(
        "refresh_token", struct oauth2_settings, refresh_token, BOTH,
        "Refresh token pertama; penggantinya disimpan sendiri / the first refresh token; its successors "
        "are kept by Aduan"),
    ADUAN_SET_BOOL("basic", struct oauth2_settings, basic, "true",
                   "Rahasia klien dikirim sebagai Basic / the client's secret goes as Basic authentication"),
    ADUAN_SET_END,
};

static const struct aduan_setting settings[] = {
    ADUAN_SET_URL("api", struct x_settings, api, "https://api.x.com", schemes, 0, "Alamat API X / X's API"),
    ADUAN_SET_URL("ton", struct x_settings, ton, "https://ton.twitter.com", schemes, 0,
                  "Tempat lampiran DM / where attachments of DMs are"),
    ADUAN_SET_STRING(
        "user_id", struct x_settings, user_id, NULL, ADUAN_REQUIRED,
        "Id akun kantor (angka, bukan @nama) / id of the office's account (digits, not the @name)"),
    ADUAN_SET_SECRET("consumer_key", struct x_settings, consumer_key, BOTH, "API Key / consumer key"),
    /* Gateway and workers: X signs its webhooks by what also signs our requests. docs/threat-model.md */
    ADUAN_SET_SECRET("consumer_secret", struct x_settings, consumer_secret, BOTH | ADUAN_FOR_GATEWAY,
                     "API Key Secret: tanda tangan webhook dan OAuth 1.0a / for webhooks and OAuth 1.0a"),
    ADUAN_SET_SECRET("access_token", struct x_settings, access_token, BOTH,
                     "Access Token (OAuth 1.0a) / access token"),
    ADUAN_SET_SECRET("access_token_secret", struct x_settings, access_token_secret, BOTH,
                     "Access Token Secret (OAuth 1.0a) / access token secret"),
    ADUAN_SET_GROUP("oauth", struct x_settings, oauth, struct oauth2_settings, oauth_settings, 0,
                    "OAuth 2 sebagai ganti access_token / OAuth 2 instead of access_token"),
    ADUAN_SET_DURATION("mentions", struct x_settings, mentions, "60s", 1000, 24 * HOUR,
                       "Jeda membaca sebutan / pause between reading mentions"),
    ADUAN_SET_BOOL("webhook", struct x_settings, webhook, "true",
                   "X mengirim peristiwa ke /hook/NAME / X sends events to /hook/NAME"),
    ADUAN_SET_DURATION(
        "dm_poll", struct x_settings, dm_poll, "60s", 1000, 24 * HOUR,
        "Tanpa webhook: jeda membaca DM; X memberi 15 per 15 menit / without a webhook: pause between "
        "reading DMs; X allows 15 in 15 minutes"),
    ADUAN_SET_DURATION("backfill", struct x_settings, backfill, "1d", MINUTE, 30LL * 24 * HOUR,
                       "Seberapa jauh ke belakang pembacaan pertama / how far back the first reading goes"),
    ADUAN_SET_CHOICE("public_replies", struct x_settings, public_replies, "summoned", replies,
                     "Balasan publik: summoned (bila disebut), always, never / public answers"),
    ADUAN_SET_INT("post_max", struct x_settings, post_max, "280", 1, 25000,
                  "Panjang kiriman menurut hitungan X / length of a post as X counts"),
    ADUAN_SET_INT("dm_max", struct x_settings, dm_max, "10000", 1, 100000,
                  "Panjang DM dalam karakter / length of a DM in characters"),
    ADUAN_SET_END,
};

static bool given(const char *s) {
    return s != NULL && s[0] != '\0';
}

bool x_by_oauth2(const struct x_settings *s) {
    return given(s->oauth.client_id);
}

/* Secrets are not here to be seen (in `aduand -n` they are): what is checked is what always is. */
static void check(const void *settings_, aduan_fault_fn fault, void *arg) {
    const struct x_settings *s = settings_;

    if (strspn(s->user_id, "0123456789") != strlen(s->user_id))
        fault(arg, "user_id", "must be digits only: the account's id, not its @name");
    if (text_ends(s->api, "/") || text_ends(s->api, "/2"))
        fault(arg, "api", "must be without a path, as in https://api.x.com");
    if (x_by_oauth2(s) && !given(s->oauth.token_url))
        fault(arg, "oauth.token_url", "is needed with oauth.client_id");
}

static const char *address(const void *settings_) {
    return ((const struct x_settings *)settings_)->user_id;
}

static uint32_t able(const void *settings_) {
    const struct x_settings *s = settings_;
    const uint32_t always = ADUAN_CAP_PULL | ADUAN_CAP_SEND | ADUAN_CAP_MEDIA | ADUAN_CAP_FIND |
                            ADUAN_CAP_ATTACH | ADUAN_CAP_PUBLIC;

    return s->webhook ? always | ADUAN_CAP_PUSH | ADUAN_CAP_RECEIPTS : always;
}

static int verify(const void *settings_, const struct aduan_hook_request *req,
                  struct aduan_hook_answer *ret_answer) {
    const struct x_settings *s = settings_;

    if (strcmp(req->method, "GET") == 0)
        return hook_answer_crc(ret_answer, &s->consumer_secret, req->query);
    return hook_signed_base64(req, HEADER, &s->consumer_secret, 1) ? 0 : hook_answer(ret_answer, 401, "");
}

static int open_account(struct aduan_host *host, const void *settings_, void **ret_ctx) {
    struct x *x = xcalloc(1, sizeof(*x));

    x->host = host;
    x->settings = settings_;
    x->uploads = json_object();
    x->sent = json_object();
    x->pull = x_pull_new();
    oauth_init(&x->oauth, host, &x->settings->oauth);
    *ret_ctx = x;
    return 0;
}

static void *close_account(void *ctx) {
    struct x *x = ctx;

    if (x != NULL) {
        oauth_clear(&x->oauth);
        json_decref(x->uploads);
        json_decref(x->sent);
        x_pull_free(x->pull);
    }
    free(x);
    return NULL;
}

ADUAN_CONNECTOR = {
    ADUAN_CONNECTOR_HEAD,
    .type = "x",
    .channel = "x",
    .summary = "X (Twitter): DM, sebutan, balasan / DMs, mentions, replies",
    .capabilities = ADUAN_CAP_PULL | ADUAN_CAP_PUSH | ADUAN_CAP_SEND | ADUAN_CAP_MEDIA | ADUAN_CAP_RECEIPTS |
                    ADUAN_CAP_FIND | ADUAN_CAP_ATTACH | ADUAN_CAP_PUBLIC,
    .traits = { .text_max = 10000, .attachment_max = 512 * 1000 * 1000LL },
    .settings = settings,
    .settings_size = sizeof(struct x_settings),
    .check = check,
    .selftest = x_selftest,
    .address = address,
    .verify = verify,
    .parse = x_parse,
    .open = open_account,
    .pull = x_pull,
    .commit = x_commit,
    .send = x_send,
    .find = x_find,
    .fetch = x_fetch,
    .probe = x_probe,
    .close = close_account,
    .able = able,
    .fits = x_fits,
    .probe_every_ms = HOUR,
};
