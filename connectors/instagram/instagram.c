/*
 * instagram.c: Instagram (professional account): settings, contract.
 *
 * Webhooks are verified by kit/meta.c and read by graph/ and public.c in the gateway; send.c, fetch.c and
 * token.c work with the token in processes of their own.
 */
#include "instagram/instagram.h"

#include "kit/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const schemes[] = { "https", "http", NULL };
static const char *const logins[] = { "auto", "facebook", "instagram", NULL };

static const struct aduan_setting settings[] = {
    ADUAN_SET_URL(
        "api", struct instagram_settings, api, "https://graph.instagram.com/v25.0", schemes, 0,
        "Alamat dan versi Graph API: graph.instagram.com (login Instagram) atau graph.facebook.com (login "
        "Facebook) / Address and version of the Graph API, by the kind of login"),
    ADUAN_SET_CHOICE(
        "login", struct instagram_settings, login, "auto", logins,
        "Jenis login token; auto: menurut alamat api / Kind of login the token is of; auto: by the address"),
    ADUAN_SET_STRING(
        "account_id", struct instagram_settings, account_id, NULL, ADUAN_REQUIRED,
        "Id akun profesional Instagram (user_id, bukan nama) / Id of the professional account (not its name)"),
    ADUAN_SET_STRING(
        "page_id", struct instagram_settings, page_id, NULL, 0,
        "Id halaman Facebook yang terhubung, untuk login Facebook / Id of the connected Facebook page, for "
        "the Facebook login"),
    ADUAN_SET_SECRET(
        "access_token", struct instagram_settings, access_token,
        ADUAN_REQUIRED | ADUAN_FOR_SEND | ADUAN_FOR_RECEIVE,
        "Token akun (Instagram) atau token halaman (Facebook) / The account's token or the page's"),
    ADUAN_SET_SECRETS(
        "app_secret", struct instagram_settings, app_secret, ADUAN_REQUIRED | ADUAN_FOR_GATEWAY,
        "App secret Instagram dan/atau Facebook; semua diterima / App secrets; any of them is accepted"),
    ADUAN_SET_SECRET("verify_token", struct instagram_settings, verify_token,
                     ADUAN_REQUIRED | ADUAN_FOR_GATEWAY,
                     "Token verifikasi webhook, karangan sendiri / Webhook verify token of your own making"),
    ADUAN_SET_BOOL(
        "human_agent", struct instagram_settings, human_agent, "false",
        "Fitur Human Agent sudah disetujui Meta: jawaban petugas boleh sampai 7 hari / Meta approved Human "
        "Agent: an officer may answer for 7 days"),
    ADUAN_SET_END,
};

/* ---------------------------------------------------------------------- settings */

bool instagram_by_facebook(const struct instagram_settings *s) {
    const char *host = strstr(s->api, "://");
    size_t n = host != NULL ? strcspn(host + 3, "/?#") : 0;
    char *name;
    bool facebook;

    if (s->login != INSTAGRAM_AUTO)
        return s->login == INSTAGRAM_BY_FACEBOOK;
    name = xstrndup(host != NULL ? host + 3 : "", n);
    facebook = text_ends(name, "facebook.com") || (!text_ends(name, "instagram.com") && s->page_id[0] != '\0');
    free(name);
    return facebook;
}

static void check_digits(const char *key, const char *s, aduan_fault_fn fault, void *arg) {
    if (strspn(s, "0123456789") != strlen(s))
        fault(arg, key, "must be digits only: the id that Meta shows, not a name");
}

static void check(const void *settings_, aduan_fault_fn fault, void *arg) {
    const struct instagram_settings *s = settings_;
    const char *version = strrchr(s->api, '/');

    check_digits("account_id", s->account_id, fault, arg);
    check_digits("page_id", s->page_id, fault, arg);
    if (version == NULL || version[1] != 'v' || !isdigit((unsigned char)version[2]))
        fault(arg, "api", "must end in a version, as in https://graph.instagram.com/v25.0");
    if (instagram_by_facebook(s) && s->page_id[0] == '\0')
        fault(arg, "page_id", "is needed with the Facebook login: messages are sent by the connected page");
}

static const char *address(const void *settings_) {
    return ((const struct instagram_settings *)settings_)->account_id;
}

static int64_t window(const void *settings_, bool by_person) {
    return graph_window(((const struct instagram_settings *)settings_)->human_agent, by_person);
}

/* ----------------------------------------------------------------------- gateway */

static int verify(const void *settings_, const struct aduan_hook_request *req,
                  struct aduan_hook_answer *ret_answer) {
    const struct instagram_settings *s = settings_;

    return meta_verify(&s->app_secret, &s->verify_token, req, ret_answer);
}

int instagram_parse(const void *settings_, const struct aduan_bytes *in, struct aduan_sink *sink) {
    static const struct graph_reader reader = { "instagram", "Instagram", instagram_change };

    (void)settings_;
    return graph_parse(&reader, in, sink);
}

/* ----------------------------------------------------------------------- workers */

static int open_account(struct aduan_host *host, const void *settings_, void **ret_ctx) {
    const struct instagram_settings *s = settings_;
    struct instagram *ig = xcalloc(1, sizeof(*ig));

    ig->settings = s;
    ig->by_facebook = instagram_by_facebook(s);
    ig->graph = (struct graph_account){
        .host = host,
        .api = s->api,
        .sender = ig->by_facebook ? s->page_id : s->account_id,
        .token = &s->access_token,
        .limits = &instagram_limits,
        .human_agent = s->human_agent,
    };
    instagram_token_read(ig);
    *ret_ctx = ig;
    return 0;
}

static void *close_account(void *ctx) {
    struct instagram *ig = ctx;

    if (ig != NULL)
        instagram_token_clear(ig);
    free(ig);
    return NULL;
}

ADUAN_CONNECTOR = {
    ADUAN_CONNECTOR_HEAD,
    .type = "instagram",
    .channel = "instagram",
    .summary = "Instagram: pesan, komentar, sebutan / messages, comments, mentions (Meta)",
    .capabilities = ADUAN_CAP_PUSH | ADUAN_CAP_SEND | ADUAN_CAP_MEDIA | ADUAN_CAP_RECEIPTS | ADUAN_CAP_ATTACH |
                    ADUAN_CAP_PUBLIC,
    .traits = {
        .window_ms = 24 * 3600 * 1000,
        .text_max = 1000,
        .text_max_is_bytes = true,
        .attachment_max = 25 * 1000 * 1000,
        .per_second = 10, /* of audio and video; 300 of text (section 5) */
    },
    .settings = settings,
    .settings_size = sizeof(struct instagram_settings),
    .check = check,
    .selftest = instagram_selftest,
    .address = address,
    .verify = verify,
    .parse = instagram_parse,
    .open = open_account,
    .send = instagram_send,
    .fetch = instagram_fetch,
    .probe = instagram_probe,
    .close = close_account,
    .fits = instagram_fits,
    .window = window,
    .probe_every_ms = 30 * 60 * 1000,
};
