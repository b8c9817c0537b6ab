/*
 * whatsapp.c: WhatsApp Business Cloud API: settings, contract, self-test.
 *
 * Webhooks are verified and read by kit/meta.c and parse.c in the gateway;
 * send.c and fetch.c work with the token in processes of their own.
 */
#include "whatsapp/whatsapp.h"

#include "kit/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const schemes[] = { "https", "http", NULL };

static const struct aduan_setting template_settings[] = {
    ADUAN_SET_STRING(
        "name", struct whatsapp_template, name, NULL, 0,
        "Nama templat yang disetujui Meta; cukup pula template = \"nama\" / Name of a template that Meta "
        "approved; template = \"name\" is enough"),
    ADUAN_SET_STRING("language", struct whatsapp_template, language, "id", 0,
                     "Kode bahasa templat / Language code of the template"),
    ADUAN_SET_END,
};

static const struct aduan_setting settings[] = {
    ADUAN_SET_URL("api", struct whatsapp_settings, api, "https://graph.facebook.com/v25.0", schemes, 0,
                  "Alamat dan versi Graph API / Address and version of the Graph API"),
    ADUAN_SET_STRING("phone_number_id", struct whatsapp_settings, phone_number_id, NULL, ADUAN_REQUIRED,
                     "Id nomor WhatsApp kantor (bukan nomornya) / Id of the office's number (not the number)"),
    ADUAN_SET_SECRET("access_token", struct whatsapp_settings, access_token,
                     ADUAN_REQUIRED | ADUAN_FOR_SEND | ADUAN_FOR_RECEIVE,
                     "Token pengguna sistem / System user token"),
    ADUAN_SET_SECRETS("app_secret", struct whatsapp_settings, app_secret, ADUAN_REQUIRED | ADUAN_FOR_GATEWAY,
                      "App secret; beberapa selama pergantian / App secret; several while rotating"),
    ADUAN_SET_SECRET("verify_token", struct whatsapp_settings, verify_token, ADUAN_REQUIRED | ADUAN_FOR_GATEWAY,
                     "Token verifikasi webhook, karangan sendiri / Webhook verify token of your own making"),
    ADUAN_SET_GROUP("template", struct whatsapp_settings, opener, struct whatsapp_template, template_settings,
                    ADUAN_OR_FIRST,
                    "Templat pembuka bila 24 jam telah lewat / Template that opens a closed window"),
    ADUAN_SET_END,
};

static void check(const void *settings_, aduan_fault_fn fault, void *arg) {
    const struct whatsapp_settings *s = settings_;
    const char *p = s->phone_number_id;

    if (strspn(p, "0123456789") != strlen(p))
        fault(arg, "phone_number_id", "must be digits only: the id that Meta shows, not the phone number");
    p = strrchr(s->api, '/');
    if (p == NULL || p[1] != 'v' || !isdigit((unsigned char)p[2]))
        fault(arg, "api", "must end in a version, as in https://graph.facebook.com/v25.0");
}

static const char *address(const void *settings_) {
    return ((const struct whatsapp_settings *)settings_)->phone_number_id;
}

static bool has_template(const void *settings_) {
    const char *name = ((const struct whatsapp_settings *)settings_)->opener.name;

    return name != NULL && name[0] != '\0';
}

static int verify(const void *settings_, const struct aduan_hook_request *req,
                  struct aduan_hook_answer *ret_answer) {
    const struct whatsapp_settings *s = settings_;

    return meta_verify(&s->app_secret, &s->verify_token, req, ret_answer);
}

static int open_account(struct aduan_host *host, const void *settings_, void **ret_ctx) {
    struct whatsapp *w = xcalloc(1, sizeof(*w));

    w->host = host;
    w->settings = settings_;
    w->pairs = json_object();
    *ret_ctx = w;
    return 0;
}

static void *close_account(void *ctx) {
    struct whatsapp *w = ctx;

    if (w != NULL)
        json_decref(w->pairs);
    free(w);
    return NULL;
}

ADUAN_CONNECTOR = {
    ADUAN_CONNECTOR_HEAD,
    .type = "whatsapp",
    .channel = "whatsapp",
    .summary = "WhatsApp Business Cloud API (Meta)",
    .capabilities = ADUAN_CAP_PUSH | ADUAN_CAP_SEND | ADUAN_CAP_MEDIA | ADUAN_CAP_RECEIPTS | ADUAN_CAP_ATTACH |
                    ADUAN_CAP_TEMPLATE,
    .traits = {
        .window_ms = 24 * 3600 * 1000,
        .text_max = 4096,
        .attachment_max = 100 * 1000 * 1000,
        /* One message in 6 s to the same person with a burst of 45 (section 4.2): a pause of our own
         * would slow every chat down for a limit that is hardly ever met, and 131056 tells. */
        .pair_interval_ms = 0,
        .per_second = 80,
    },
    .settings = settings,
    .settings_size = sizeof(struct whatsapp_settings),
    .check = check,
    .selftest = whatsapp_selftest,
    .address = address,
    .has_template = has_template,
    .verify = verify,
    .parse = whatsapp_parse,
    .open = open_account,
    .send = whatsapp_send,
    .fetch = whatsapp_fetch,
    .probe = whatsapp_probe,
    .close = close_account,
    .fits = whatsapp_fits,
};
