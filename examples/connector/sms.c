/*
 * sms.c: short messages, through a telephone that runs "SMS Gateway for Android" (https://sms-gate.app).
 *
 * An example of a connector outside Aduan's tree, and a working one: an office with an old phone and a SIM
 * card has a channel by SMS. In: the gateway's webhooks (sms:received, :sent, :delivered, :failed), one event
 * each, registered at /hook/NAME and signed with the key of the app. Out: POST …/messages with our own answer
 * id as the message's, so that an answer whose fate is unknown can be asked after (find).
 *
 *   connectors = ( { name = "sms"; type = "sms"; user = "…"; password = "@sms"; signing_key = "@sms-key"; } );
 *
 * docs/connectors.md says what each function owes.
 */
#include "connector.h"
#include "kit/hook.h"
#include "kit/json.h"
#include "kit/sign.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ten parts of a long message; what a phone still sends without a word. */
enum { TEXT_MAX = 1530 };

/* ------------------------------------------------------------------ settings */

struct sms {
    char *api, *user;
    struct aduan_secret password, signing_key;
};

static const char *const schemes[] = { "https", "http", NULL };

static const struct aduan_setting settings[] = {
    ADUAN_SET_URL("api", struct sms, api, "https://api.sms-gate.app/3rdparty/v1", schemes, ADUAN_REQUIRED,
                  "Alamat gerbang SMS / Address of the gateway"),
    ADUAN_SET_STRING("user", struct sms, user, NULL, ADUAN_REQUIRED, "Nama pengguna gerbang / User name"),
    ADUAN_SET_SECRET("password", struct sms, password, ADUAN_REQUIRED | ADUAN_FOR_SEND,
                     "Kata sandi gerbang / Password"),
    ADUAN_SET_SECRET("signing_key", struct sms, signing_key, ADUAN_REQUIRED | ADUAN_FOR_GATEWAY,
                     "Kunci tanda tangan webhook / Key that signs the webhooks"),
    ADUAN_SET_END,
};

/* ----------------------------------------------------------------- verify, parse */

/* X-Signature: hex HMAC-SHA256 over the body and, behind it, X-Timestamp. */
static bool is_signed(const struct sms *s, const struct aduan_hook_request *req) {
    const char *signature = hook_header(req, "x-signature"), *at = hook_header(req, "x-timestamp");
    uint8_t given[SIGN_SHA256], right[SIGN_SHA256];
    struct text signed_bytes = TEXT_INIT;

    if (s->signing_key.bytes == NULL || s->signing_key.len == 0 || signature == NULL || at == NULL ||
        strlen(signature) != 2 * sizeof(given) || sign_unhex(signature, 2 * sizeof(given), given) != 0)
        return false;
    text_add_n(&signed_bytes, req->body, req->body_len);
    text_add(&signed_bytes, at);
    sign_hmac_sha256(s->signing_key.bytes, s->signing_key.len, signed_bytes.s, signed_bytes.len, right);
    text_free(&signed_bytes);
    return sign_equal(given, sizeof(given), right, sizeof(right));
}

static int verify(const void *settings_, const struct aduan_hook_request *req,
                  struct aduan_hook_answer *answer) {
    if (strcmp(req->method, "POST") != 0)
        return hook_answer(answer, 405, "");
    return is_signed(settings_, req) ? 0 : hook_answer(answer, 401, "");
}

/* The gateway sends what the network gave it: "+62812…", or a name ("INDOSAT") that nobody can answer. */
static void take_sender(struct aduan_message *m, const json_t *payload) {
    m->sender.id = js_id(payload, "phoneNumber");
    m->conversation = xstrdup(m->sender.id);
    if (m->sender.id != NULL && m->sender.id[0] == '+')
        m->sender.phone = xstrdup(m->sender.id);
}

static void take_message(struct aduan_message *m, const json_t *payload) {
    m->kind = ADUAN_KIND_MESSAGE;
    take_sender(m, payload);
    m->text = js_text(payload, "message");
    if (m->text == NULL) {
        m->text = xstrdup("");
        m->note = xstrdup("pesan tanpa teks / a message without text");
    }
}

/* Our answers carry our own id; another id is a message that somebody sent from the telephone. */
static void take_status(struct aduan_message *m, const json_t *payload, const char *state) {
    m->kind = ADUAN_KIND_STATUS;
    m->text = xstrdup("");
    m->status.state = xstrdup(state);
    m->status.platform_id = js_id(payload, "messageId");
    m->status.answer = js_id(payload, "messageId");
    m->status.reason = js_line(payload, "reason", 300);
    m->conversation = js_id(payload, "phoneNumber");
}

static void take_unknown(struct aduan_message *m, const char *event) {
    m->kind = ADUAN_KIND_UNPARSED;
    m->text = xstrdup("");
    m->note = xasprintf("peristiwa SMS tidak dikenal / unknown event: %.60s", event);
}

static int parse(const void *settings_, const struct aduan_bytes *in, struct aduan_sink *sink) {
    static const char *const states[][2] = { { "sms:sent", "sent" },
                                             { "sms:delivered", "delivered" },
                                             { "sms:failed", "failed" } };
    json_t *o = js_load(in->bytes, in->len);
    const json_t *payload = js_get(o, "payload");
    struct aduan_message m = { .kind = ADUAN_KIND_MESSAGE };
    char *event = js_line(o, "event", 60), *id = js_id(o, "id");
    const char *state = NULL;
    int rc = -1; /* neither event nor id: as a whole it makes no sense */

    (void)settings_;
    for (size_t i = 0; event != NULL && i < sizeof(states) / sizeof(states[0]); i++)
        if (strcmp(event, states[i][0]) == 0)
            state = states[i][1];
    if (event != NULL && id != NULL) {
        /* The event's own id: a repeat of the webhook has the same. (messageId of a received one is made
         * from its content: "ya" twice is one id.) */
        m.platform_id = xstrdup(id);
        if (strcmp(event, "sms:received") == 0 && js_get(payload, "phoneNumber") != NULL)
            take_message(&m, payload);
        else if (state != NULL && js_get(payload, "messageId") != NULL)
            take_status(&m, payload, state);
        else
            take_unknown(&m, event);
        rc = sink->record(sink, &m);
    }
    free(event);
    free(id);
    json_decref(o);
    return rc;
}

/* ----------------------------------------------------------------------- sending */

struct ctx {
    struct aduan_host *host;
    const struct sms *s;
    char *basic; /* the whole header value; wiped at the end */
};

struct job {
    struct ctx *c;
    uint64_t token;
    char *id;
};

static int open_(struct aduan_host *host, const void *settings_, void **ret) {
    const struct sms *s = settings_;
    char *plain = xasprintf("%s:%s", s->user, s->password.bytes != NULL ? s->password.bytes : "");
    char *coded = sign_base64(plain, strlen(plain));
    struct ctx *c = xcalloc(1, sizeof(*c));

    *c = (struct ctx){ .host = host, .s = s, .basic = xasprintf("Basic %s", coded) };
    text_wipe(plain, strlen(plain));
    text_wipe(coded, strlen(coded));
    free(plain);
    free(coded);
    *ret = c;
    return 0;
}

static void *close_(void *ctx) {
    struct ctx *c = ctx;

    if (c != NULL) {
        text_wipe(c->basic, strlen(c->basic));
        free(c->basic);
    }
    free(c);
    return NULL;
}

static int fits(const void *settings_, const struct aduan_answer *a, char *why, size_t why_size) {
    (void)settings_;
    if (a->to.phone == NULL || a->to.phone[0] == '\0')
        snprintf(why, why_size, "pengirim SMS ini bukan nomor telepon / this sender is no telephone number");
    else if (a->attachment_count > 0)
        snprintf(why, why_size, "SMS tidak membawa lampiran / an SMS carries no attachment");
    else if (text_characters(a->text) > TEXT_MAX)
        snprintf(why, why_size, "SMS paling panjang %d huruf / at most %d characters", TEXT_MAX, TEXT_MAX);
    else
        return 0;
    return -1;
}

static void say(struct aduan_result *r, enum aduan_outcome outcome, const char *reason) {
    r->outcome = outcome;
    snprintf(r->reason, sizeof(r->reason), "%s", reason);
}

/* What a status says about a message that was submitted. */
static void judge(int status, struct aduan_result *r) {
    r->scope = ADUAN_SCOPE_ACCOUNT;
    if (status >= 200 && status < 300)
        r->outcome = ADUAN_SENT;
    else if (status == 401 || status == 403)
        say(r, ADUAN_REFUSED, "gerbang SMS menolak nama atau kata sandi / user or password refused");
    else if (status == 429)
        say(r, ADUAN_LIMITED, "gerbang SMS meminta jeda / asked to slow down");
    else if (status == 400 || status == 404 || status == 422)
        say(r, ADUAN_NEVER, "gerbang SMS menolak pesan ini / the gateway refuses this message");
    else /* 409: the id is known there; 5xx: whoever answered may have passed it on */
        say(r, ADUAN_UNCERTAIN, "gerbang SMS tidak pasti menerimanya / it may have been accepted");
}

static void sent(void *arg, const struct aduan_http_response *response) {
    struct job *j = arg;
    struct aduan_result r = { .outcome = ADUAN_UNCERTAIN };

    if (response->state == ADUAN_HTTP_DONE)
        judge(response->status, &r);
    else if (response->state == ADUAN_HTTP_SENT_NOTHING)
        say(&r, ADUAN_LATER, "gerbang SMS tidak terjangkau / the gateway cannot be reached");
    else
        say(&r, ADUAN_UNCERTAIN, "sambungan putus / the connection broke");
    snprintf(r.platform_id, sizeof(r.platform_id), "%s", j->id);
    j->c->host->ops->done(j->c->host, j->token, &r);
    free(j->id);
    free(j);
}

static char *message_json(const struct aduan_answer *a) {
    json_t *o = json_pack("{s:s, s:{s:s}, s:[s], s:b}", "id", a->id, "textMessage", "text", a->text,
                          "phoneNumbers", a->to.phone, "withDeliveryReport", 1);
    char *body = json_dumps(o, JSON_COMPACT);

    json_decref(o);
    return body;
}

static void send_(void *ctx, const struct aduan_answer *a, uint64_t token) {
    struct ctx *c = ctx;
    struct aduan_result r = { .outcome = ADUAN_NEVER };
    struct aduan_header headers[] = { { "Authorization", c->basic }, { "Content-Type", "application/json" } };
    struct job *j;
    char *url, *body;

    if (fits(c->s, a, r.reason, sizeof(r.reason)) != 0) {
        c->host->ops->done(c->host, token, &r);
        return;
    }
    j = xcalloc(1, sizeof(*j));
    *j = (struct job){ .c = c, .token = token, .id = xstrdup(a->id) };
    url = xasprintf("%s/messages", c->s->api);
    body = message_json(a);
    if (c->host->ops->http(c->host,
                           &(struct aduan_http_request){ .method = "POST",
                                                         .url = url,
                                                         .headers = headers,
                                                         .header_count = 2,
                                                         .body = body,
                                                         .body_len = strlen(body) },
                           sent, j) != 0)
        sent(j, &(struct aduan_http_response){ .state = ADUAN_HTTP_SENT_NOTHING });
    free(body);
    free(url);
}

static int get(struct ctx *c, const char *path, struct aduan_http_response *response) {
    struct aduan_header headers[] = { { "Authorization", c->basic } };
    char *url = xasprintf("%s%s", c->s->api, path);
    int rc = c->host->ops->http_wait(
        c->host,
        &(struct aduan_http_request){ .method = "GET", .url = url, .headers = headers, .header_count = 1 },
        response);

    free(url);
    return rc;
}

/* GET …/messages/ID: there, or surely never arrived. */
static void find(void *ctx, const struct aduan_answer *a, struct aduan_result *ret) {
    struct aduan_http_response response;
    char *path = xasprintf("/messages/%s", a->id);

    say(ret, ADUAN_UNCERTAIN, "gerbang SMS tidak dapat ditanyai / the gateway could not be asked");
    if (get(ctx, path, &response) == 0 && response.state == ADUAN_HTTP_DONE) {
        if (response.status == 200)
            ret->outcome = ADUAN_SENT;
        else if (response.status == 404)
            say(ret, ADUAN_LATER, "belum sampai di gerbang SMS / it had not arrived");
    }
    snprintf(ret->platform_id, sizeof(ret->platform_id), "%s", a->id);
    free(path);
}

static void probe(void *ctx, struct aduan_result *ret) {
    struct aduan_http_response response;

    if (get(ctx, "/webhooks", &response) != 0 || response.state != ADUAN_HTTP_DONE)
        say(ret, ADUAN_LATER, "gerbang SMS tidak terjangkau / the gateway cannot be reached");
    else if (response.status == 200)
        ret->outcome = ADUAN_SENT;
    else
        judge(response.status, ret);
}

/* ---------------------------------------------------------------------- selftest */

static int count_one(struct aduan_sink *sink, struct aduan_message *m) {
    sink->now += m->kind == ADUAN_KIND_MESSAGE && text_equal(m->sender.phone, "+6281234567890");
    aduan_message_clear(m);
    return 0;
}

static int selftest(char *why, size_t why_size) {
    static const char body[] = "{\"event\":\"sms:received\",\"id\":\"e1\",\"payload\":{\"messageId\":\"a\","
                               "\"message\":\"Paspor saya\",\"phoneNumber\":\"+6281234567890\"}}";
    static char key[] = "kunci";
    struct sms s = { .signing_key = { key, 5 } };
    struct aduan_header headers[] = { { "x-signature", "00" }, { "x-timestamp", "1" } };
    struct aduan_hook_request req = { "POST", "", headers, 2, body, sizeof(body) - 1 };
    struct aduan_bytes bytes = { .bytes = body, .len = sizeof(body) - 1 };
    struct aduan_sink sink = { .record = count_one };
    struct aduan_hook_answer answer;
    uint8_t mac[SIGN_SHA256];
    char hex[SIGN_HEX256];

    if (verify(&s, &req, &answer) == 0)
        return snprintf(why, why_size, "a wrong signature is believed"), -1;
    sign_hmac_sha256(key, 5, body, sizeof(body) - 1, mac); /* an empty timestamp adds nothing */
    sign_hex(mac, sizeof(mac), hex);
    headers[0].value = hex;
    headers[1].value = "";
    if (verify(&s, &req, &answer) != 0)
        return snprintf(why, why_size, "a right signature is refused"), -1;
    if (parse(&s, &bytes, &sink) != 0 || sink.now != 1)
        return snprintf(why, why_size, "a message is not read"), -1;
    return 0;
}

ADUAN_CONNECTOR = {
    ADUAN_CONNECTOR_HEAD,
    .type = "sms",
    .channel = "sms",
    .summary = "SMS lewat telepon Android / SMS through an Android telephone",
    .capabilities = ADUAN_CAP_PUSH | ADUAN_CAP_SEND | ADUAN_CAP_FIND | ADUAN_CAP_RECEIPTS,
    .traits = { .text_max = TEXT_MAX, .pair_interval_ms = 2000 },
    .settings = settings,
    .settings_size = sizeof(struct sms),
    .selftest = selftest,
    .verify = verify,
    .parse = parse,
    .open = open_,
    .send = send_,
    .find = find,
    .probe = probe,
    .close = close_,
    .fits = fits,
};
