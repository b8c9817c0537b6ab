/*
 * facebook.c: a Facebook page (Messenger, comments, posts, reviews): settings, contract.
 *
 * Webhooks are verified by kit/meta.c, messages read by graph/, public things by feed.c, in the gateway; send.c
 * and watchdog.c work with the page's token in processes of their own.
 */
#include "facebook/facebook.h"

#include "kit/meta.h"
#include "kit/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { PROBE_MS = 5 * 60 * 1000 };

static const char *const schemes[] = { "https", "http", NULL };

static const struct aduan_setting settings[] = {
    ADUAN_SET_URL("api", struct facebook_settings, api, "https://graph.facebook.com/v25.0", schemes, 0,
                  "Alamat dan versi Graph API / Address and version of the Graph API"),
    ADUAN_SET_STRING("page_id", struct facebook_settings, page_id, NULL, ADUAN_REQUIRED,
                     "Id halaman Facebook kantor / Id of the office's Facebook page"),
    ADUAN_SET_SECRET("access_token", struct facebook_settings, access_token,
                     ADUAN_REQUIRED | ADUAN_FOR_SEND | ADUAN_FOR_RECEIVE,
                     "Token halaman (page token) / Page access token"),
    ADUAN_SET_SECRETS("app_secret", struct facebook_settings, app_secret, ADUAN_REQUIRED | ADUAN_FOR_GATEWAY,
                      "App secret; beberapa selama pergantian / App secret; several while rotating"),
    ADUAN_SET_SECRET("verify_token", struct facebook_settings, verify_token, ADUAN_REQUIRED | ADUAN_FOR_GATEWAY,
                     "Token verifikasi webhook, karangan sendiri / Webhook verify token of your own making"),
    ADUAN_SET_BOOL(
        "human_agent", struct facebook_settings, human_agent, NULL,
        "Fitur Human Agent disetujui Meta: petugas boleh menjawab sampai 7 hari / Meta approved Human Agent: "
        "an officer may answer for 7 days"),
    ADUAN_SET_END,
};

static void check(const void *settings_, aduan_fault_fn fault, void *arg) {
    const struct facebook_settings *s = settings_;
    const char *p = s->page_id;

    if (strspn(p, "0123456789") != strlen(p))
        fault(arg, "page_id", "must be digits only: the id that Meta shows, not the page's name");
    p = strrchr(s->api, '/');
    if (p == NULL || p[1] != 'v' || !isdigit((unsigned char)p[2]))
        fault(arg, "api", "must end in a version, as in https://graph.facebook.com/v25.0");
}

static const char *address(const void *settings_) {
    return ((const struct facebook_settings *)settings_)->page_id;
}

static int verify(const void *settings_, const struct aduan_hook_request *req,
                  struct aduan_hook_answer *ret_answer) {
    const struct facebook_settings *s = settings_;

    return meta_verify(&s->app_secret, &s->verify_token, req, ret_answer);
}

const struct graph_reader facebook_reader = { .object = "page",
                                              .channel = "Facebook",
                                              .change = facebook_change };

int facebook_parse(const void *settings_, const struct aduan_bytes *in, struct aduan_sink *sink) {
    (void)settings_;
    return graph_parse(&facebook_reader, in, sink);
}

static int64_t window(const void *settings_, bool by_person) {
    return graph_window(((const struct facebook_settings *)settings_)->human_agent, by_person);
}

static int open_account(struct aduan_host *host, const void *settings_, void **ret_ctx) {
    struct facebook *f = xcalloc(1, sizeof(*f));

    f->host = host;
    f->settings = settings_;
    f->graph = (struct graph_account){ .host = host,
                                       .api = f->settings->api,
                                       .sender = f->settings->page_id,
                                       .token = &f->settings->access_token,
                                       .limits = &facebook_limits,
                                       .human_agent = f->settings->human_agent };
    *ret_ctx = f;
    return 0;
}

static void fetch(void *ctx, const struct aduan_attachment *attachment, uint64_t token) {
    graph_fetch(&((struct facebook *)ctx)->graph, attachment, token);
}

static void *close_account(void *ctx) {
    free(ctx);
    return NULL;
}

ADUAN_CONNECTOR = {
    ADUAN_CONNECTOR_HEAD,
    .type = "facebook",
    .channel = "facebook",
    .summary = "Facebook page: Messenger, comments, posts, reviews (Meta)",
    .capabilities = ADUAN_CAP_PUSH | ADUAN_CAP_SEND | ADUAN_CAP_MEDIA | ADUAN_CAP_RECEIPTS | ADUAN_CAP_FIND |
                    ADUAN_CAP_ATTACH | ADUAN_CAP_PUBLIC,
    .traits = {
        .window_ms = 24 * 3600 * 1000,
        .text_max = 1000,
        .attachment_max = 25 * 1000 * 1000,
        .per_second = 10, /* 300 for text, 10 for audio and video (section 4); the page's inbox slows down at 40 */
    },
    .settings = settings,
    .settings_size = sizeof(struct facebook_settings),
    .check = check,
    .selftest = facebook_selftest,
    .address = address,
    .verify = verify,
    .parse = facebook_parse,
    .open = open_account,
    .send = facebook_send,
    .find = facebook_find,
    .fetch = fetch,
    .probe = facebook_probe,
    .close = close_account,
    .fits = facebook_fits,
    .window = window,
    .probe_every_ms = PROBE_MS,
};
