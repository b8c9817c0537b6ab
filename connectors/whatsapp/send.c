/*
 * send.c: an answer to Graph.
 *
 * First every attachment is uploaded, which nobody sees and which may be
 * repeated; then the messages go, one after the other. Each message costs money
 * (section 4.3): text rides as the caption of an attachment where it fits, and
 * is never split. Once a first message of several has been accepted, a failure
 * of a later one is final: repeating all would deliver the first one twice.
 */
#include "whatsapp/whatsapp.h"

#include "kit/json.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TEXT_MAX = 4096,    /* characters */
    CAPTION_MAX = 1024, /* characters */
    PARTS_MAX = 10,
    PAIR_STEPS_MAX = 6, /* 4^6 s is over an hour */
    CODE_PAIR = 131056,
};

#define MB (1000 * 1000LL)

/* A message of the answer: an attachment (with or without caption) or the text alone. */
struct part {
    const struct aduan_attachment *attachment; /* NULL: text only */
    const char *kind;                          /* "image", "document", …, "text", "template" */
    const char *text;                          /* body or caption, or NULL */
    char *media_id;
};

struct sending {
    struct whatsapp *w;
    const struct aduan_answer *answer;
    uint64_t token;
    struct part parts[PARTS_MAX + 1];
    size_t count, uploaded, sent;
    char platform_id[512];
};

/* ------------------------------------------------------------------------- plan */

static const struct {
    const char *mime, *kind;
    int64_t max;
    bool caption;
} kinds[] = {
    { "image/jpeg", "image", 5 * MB, true },   { "image/png", "image", 5 * MB, true },
    { "video/mp4", "video", 16 * MB, true },   { "video/3gpp", "video", 16 * MB, true },
    { "audio/aac", "audio", 16 * MB, false },  { "audio/amr", "audio", 16 * MB, false },
    { "audio/mpeg", "audio", 16 * MB, false }, { "audio/mp4", "audio", 16 * MB, false },
    { "audio/ogg", "audio", 16 * MB, false },  { "", "document", 100 * MB, true },
};

/* The first kind that takes the type and the size: a large photo goes as a document. -1: too large. */
static int kind_of(const struct aduan_attachment *a) {
    size_t i;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (text_starts_nocase(a->type, kinds[i].mime) && a->size <= kinds[i].max)
            return (int)i;
    return -1;
}

static bool given(const char *s) {
    return s != NULL && s[0] != '\0';
}

/* NULL, or why it can never be sent. */
static const char *plan_attachments(struct sending *s, bool *text_rides) {
    const struct aduan_answer *a = s->answer;
    size_t i;
    int kind;

    for (i = 0; i < a->attachment_count; i++) {
        kind = kind_of(&a->attachments[i]);
        if (kind < 0)
            return "Lampiran melebihi 100 MB, batas WhatsApp / attachment over WhatsApp's limit of 100 MB";
        if (a->attachments[i].sha256 == NULL)
            return "Lampiran belum tersimpan / attachment is not stored";
        s->parts[s->count] = (struct part){ .attachment = &a->attachments[i], .kind = kinds[kind].kind };
        if (kinds[kind].caption && !*text_rides && text_characters(a->text) <= CAPTION_MAX) {
            s->parts[s->count].text = a->text;
            *text_rides = true;
        }
        s->count++;
    }
    return NULL;
}

static const char *plan(struct sending *s) {
    const struct aduan_answer *a = s->answer;
    bool text_rides = !given(a->text);
    const char *opener = s->w->settings->opener.name;
    const char *why;

    if (!given(a->to.phone) && !given(a->to.id) &&
        (a->conversation == NULL || !text_starts(a->conversation, "group:")))
        return "Pengirim tidak punya nomor maupun identitas WhatsApp / there is no number or id to send to";
    if (a->kind == ADUAN_ANSWER_TEMPLATE) {
        s->parts[s->count++].kind = "template";
        return given(opener) ? NULL : "Templat belum diatur / no template is configured";
    }
    if (!text_rides && text_characters(a->text) > TEXT_MAX)
        return "Teks melebihi 4096 karakter, batas WhatsApp / text over WhatsApp's limit of 4096 characters";
    if (a->attachment_count > PARTS_MAX)
        return "Terlalu banyak lampiran (paling banyak 10) / too many attachments (at most 10)";
    why = plan_attachments(s, &text_rides);
    if (why != NULL)
        return why;
    if (!text_rides) {
        memmove(&s->parts[1], &s->parts[0], s->count * sizeof(s->parts[0]));
        s->parts[0] = (struct part){ .kind = "text", .text = a->text };
        s->count++;
    }
    return s->count > 0 ? NULL : "Jawaban kosong / the answer is empty";
}

int whatsapp_fits(const void *settings, const struct aduan_answer *answer, char *why, size_t why_size) {
    struct whatsapp w = { .settings = settings };
    struct sending s = { .w = &w, .answer = answer };
    const char *fault = answer->is_public ? "WhatsApp tidak publik / WhatsApp has no public posts" : plan(&s);

    if (fault != NULL)
        snprintf(why, why_size, "%s", fault);
    return fault != NULL ? -1 : 0;
}

/* -------------------------------------------------------------------------- end */

/* 131056 backs off by 4^X s, X growing while it goes on (section 4.2). */
static void pace_pair(struct sending *s, struct aduan_result *result, bool pair_limited) {
    json_t *pairs = s->w->pairs;
    const char *key = s->answer->conversation != NULL ? s->answer->conversation : "";
    json_int_t steps = json_integer_value(json_object_get(pairs, key)) + 1;

    if (!pair_limited) {
        json_object_del(pairs, key);
        return;
    }
    if (steps > PAIR_STEPS_MAX)
        steps = PAIR_STEPS_MAX;
    json_object_set_new_nocheck(pairs, key, json_integer(steps));
    if (result->retry_after_ms < 1000 * (1LL << (2 * steps)))
        result->retry_after_ms = 1000 * (1LL << (2 * steps));
}

static void end(struct sending *s, struct aduan_result *result) {
    struct aduan_host *h = s->w->host;
    uint64_t token = s->token;
    size_t i;

    meta_end_partly(result, s->sent, s->count);
    if (result->outcome == ADUAN_SENT)
        memcpy(result->platform_id, s->platform_id, sizeof(result->platform_id));
    for (i = 0; i < s->count; i++)
        free(s->parts[i].media_id);
    free(s);
    h->ops->done(h, token, result);
}

static void end_with(struct sending *s, enum aduan_outcome outcome, const char *reason) {
    struct aduan_result result = { .outcome = outcome };

    snprintf(result.reason, sizeof(result.reason), "%s", reason);
    end(s, &result);
}

static void go_on(struct sending *s);

/* ----------------------------------------------------------------------- upload */

static void uploaded(void *arg, const struct aduan_http_response *r) {
    struct sending *s = arg;
    struct aduan_result result;
    json_t *body;

    if (!meta_accepted(r, whatsapp_rules, false, &result)) {
        end(s, &result);
        return;
    }
    body = r->body != NULL ? js_load(r->body, r->body_len) : NULL;
    s->parts[s->uploaded].media_id = js_id(body, "id");
    json_decref(body);
    if (s->parts[s->uploaded].media_id == NULL) {
        end_with(s, ADUAN_LATER, "Graph tidak memberi id lampiran / Graph gave no id for the attachment");
        return;
    }
    s->uploaded++;
    go_on(s);
}

static int upload(struct sending *s, const struct aduan_attachment *a) {
    const struct whatsapp_settings *settings = s->w->settings;
    const struct aduan_form_part form[] = {
        { .name = "messaging_product", .text = "whatsapp" },
        { .name = "type", .text = a->type },
        { .name = "file", .blob = a->sha256, .filename = a->name, .type = a->type },
    };
    char *url = xasprintf("%s/%s/media", settings->api, settings->phone_number_id);
    struct aduan_http_request req = {
        .method = "POST",
        .url = url,
        .bearer = &settings->access_token,
        .form = form,
        .form_count = sizeof(form) / sizeof(form[0]),
        .timeout_ms = 5 * 60 * 1000,
    };
    int r = s->w->host->ops->http(s->w->host, &req, uploaded, s);

    free(url);
    return r;
}

/* ------------------------------------------------------------------------- send */

static void address_message(json_t *o, const struct aduan_answer *a) {
    bool group = a->conversation != NULL && text_starts(a->conversation, "group:");

    json_object_set_new(o, "messaging_product", json_string("whatsapp"));
    json_object_set_new(o, "recipient_type", json_string(group ? "group" : "individual"));
    if (group)
        json_object_set_new(o, "to", json_string(a->conversation + strlen("group:")));
    else if (given(a->to.phone)) /* with '+': else the business' own country code is put before it */
        json_object_set_new(o, "to", json_string(a->to.phone));
    else
        json_object_set_new(o, "recipient", json_string(a->to.id));
    json_object_set_new(o, "biz_opaque_callback_data", json_string(a->id));
}

static json_t *part_body(const struct sending *s, const struct part *p) {
    const struct whatsapp_template *t = &s->w->settings->opener;
    json_t *body;

    if (strcmp(p->kind, "template") == 0)
        return json_pack("{s:s, s:{s:s}}", "name", t->name, "language", "code",
                         t->language != NULL && t->language[0] != '\0' ? t->language : "id");
    if (p->attachment == NULL)
        return json_pack("{s:b, s:s}", "preview_url", 0, "body", p->text);
    body = json_pack("{s:s}", "id", p->media_id);
    if (p->text != NULL)
        json_object_set_new(body, "caption", json_string(p->text));
    if (strcmp(p->kind, "document") == 0)
        json_object_set_new(body, "filename", json_string(p->attachment->name));
    return body;
}

static char *part_json(const struct sending *s, const struct part *p) {
    const struct aduan_answer *a = s->answer;
    json_t *o = json_object();
    char *dump;

    address_message(o, a);
    json_object_set_new(o, "type", json_string(p->kind));
    if (given(a->reply_to) && s->sent == 0 && a->kind == ADUAN_ANSWER_REPLY)
        json_object_set_new(o, "context", json_pack("{s:s}", "message_id", a->reply_to));
    json_object_set_new(o, p->kind, part_body(s, p));
    dump = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(o);
    return dump;
}

static void sent(void *arg, const struct aduan_http_response *r) {
    struct sending *s = arg;
    struct aduan_result result;
    json_t *body;
    char *id;

    if (!meta_accepted(r, whatsapp_rules, true, &result)) {
        if (result.outcome == ADUAN_LIMITED && result.scope == ADUAN_SCOPE_CONVERSATION)
            pace_pair(s, &result, true);
        end(s, &result);
        return;
    }
    body = r->body != NULL ? js_load(r->body, r->body_len) : NULL;
    id = js_id(json_array_get(js_get(body, "messages"), 0), "id");
    json_decref(body);
    if (id == NULL) {
        end_with(s, ADUAN_UNCERTAIN,
                 "Graph menerima tanpa memberi nomor pesan / Graph accepted but gave no message id");
        return;
    }
    if (s->sent++ == 0)
        snprintf(s->platform_id, sizeof(s->platform_id), "%s", id);
    free(id);
    pace_pair(s, &result, false);
    go_on(s);
}

static int send_part(struct sending *s, const struct part *p) {
    const struct whatsapp_settings *settings = s->w->settings;
    const struct aduan_header header = { "Content-Type", "application/json" };
    char *url = xasprintf("%s/%s/messages", settings->api, settings->phone_number_id);
    char *json = part_json(s, p);
    struct aduan_http_request req = {
        .method = "POST",
        .url = url,
        .headers = &header,
        .header_count = 1,
        .bearer = &settings->access_token,
        .body = json,
        .body_len = strlen(json),
    };
    int r = s->w->host->ops->http(s->w->host, &req, sent, s);

    free(json);
    free(url);
    return r;
}

/* The next step of the answer; called from the end of the one before. */
static void go_on(struct sending *s) {
    int r;

    while (s->uploaded < s->count && s->parts[s->uploaded].attachment == NULL)
        s->uploaded++;
    if (s->sent == s->count) {
        end_with(s, ADUAN_SENT, "");
        return;
    }
    if (s->uploaded < s->count)
        r = upload(s, s->parts[s->uploaded].attachment);
    else
        r = send_part(s, &s->parts[s->sent]);
    if (r != 0)
        end_with(s, ADUAN_LATER, "pengiriman belum dapat dimulai / the transfer could not be started");
}

void whatsapp_send(void *ctx, const struct aduan_answer *answer, uint64_t token) {
    struct sending *s = xcalloc(1, sizeof(*s));
    const char *why;

    s->w = ctx;
    s->answer = answer;
    s->token = token;
    why = plan(s);
    if (why != NULL)
        end_with(s, ADUAN_NEVER, why);
    else
        go_on(s);
}
