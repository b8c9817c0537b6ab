/*
 * send.c: a private answer by the Send API of Instagram or Messenger.
 *
 * First every attachment is uploaded, which nobody sees and which may be repeated; then the messages go, one
 * after the other: the text, the images together, every other attachment by itself (neither platform has
 * captions). Once a first message of several has been accepted, a failure of a later one is final: repeating
 * all would deliver the first one twice.
 */
#include "graph/graph.h"

#include "kit/json.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 10, CODE_PARAMETER = 100, CODE_PERMISSION = 10 };

#define DAY_MS (24 * 3600 * 1000LL)

/* One message: the text, or the attachments first..first + count - 1 of one kind. */
struct part {
    const char *kind; /* "text", "image", … */
    size_t first, count;
};

struct sending {
    struct graph_account *account;
    const struct aduan_answer *answer;
    const char *key, *id;
    uint64_t token;
    struct part parts[FILES_MAX + 1];
    size_t count, uploaded, sent;
    char *media_ids[FILES_MAX];
    bool quotes; /* reply_to may still be said */
    bool agent;  /* goes under the human agent's tag */
    char platform_id[512];
};

/* ------------------------------------------------------------------------- plan */

static bool given(const char *s) {
    return s != NULL && s[0] != '\0';
}

bool graph_is_private_reply(const struct aduan_answer *answer) {
    return !answer->is_public && answer->conversation != NULL && text_starts(answer->conversation, "public:");
}

int64_t graph_window(bool human_agent, bool by_person) {
    return human_agent && by_person ? 7 * DAY_MS : DAY_MS;
}

static const char *kind_of(const struct graph_limits *limits, const struct aduan_attachment *a,
                           int64_t *ret_max) {
    const struct graph_kind *k;

    *ret_max = 0;
    for (k = limits->kinds; k->mime != NULL; k++) {
        if (!text_starts_nocase(a->type, k->mime))
            continue;
        *ret_max = k->max;
        if (a->size <= k->max)
            return k->kind;
    }
    return NULL;
}

static int text_fits(const struct graph_limits *l, const char *text, char *why, size_t why_size) {
    int64_t n = !given(text)           ? 0
                : l->text_max_is_bytes ? (int64_t)strlen(text)
                                       : (int64_t)text_characters(text);

    if (n <= l->text_max)
        return 0;
    snprintf(why, why_size, "Teks %lld %s, batas %s %lld / text of %lld %s, the limit is %lld", (long long)n,
             l->text_max_is_bytes ? "byte (huruf khusus dan emoji dihitung 2-4)" : "karakter", l->channel,
             (long long)l->text_max, (long long)n, l->text_max_is_bytes ? "bytes" : "characters",
             (long long)l->text_max);
    return -1;
}

static int file_fits(const struct graph_limits *l, const struct aduan_attachment *a, char *why,
                     size_t why_size) {
    int64_t max;

    if (a->sha256 == NULL) {
        snprintf(why, why_size, "Lampiran belum tersimpan / attachment is not stored");
        return -1;
    }
    if (kind_of(l, a, &max) != NULL)
        return 0;
    if (max > 0)
        snprintf(why, why_size, "%.80s melebihi %lld MB, batas %s / over the limit of %lld MB", a->name,
                 (long long)(max / 1000000), l->channel, (long long)(max / 1000000));
    else
        snprintf(why, why_size, "%.80s: %s hanya menerima %s / only these can be sent", a->name, l->channel,
                 l->kinds_said);
    return -1;
}

static const char *general_fault(const struct graph_limits *l, const struct aduan_answer *a) {
    if (a->kind == ADUAN_ANSWER_TEMPLATE)
        return "Jendela balas tidak dapat dibuka dengan templat di sini / there is no template to open the "
               "window";
    if (a->attachment_count > FILES_MAX)
        return "Terlalu banyak lampiran (paling banyak 10) / too many attachments (at most 10)";
    if (!given(a->text) && a->attachment_count == 0)
        return "Jawaban kosong / the answer is empty";
    if (!graph_is_private_reply(a))
        return NULL;
    if (a->answered_before > 0)
        return "Sebuah komentar hanya dapat dibalas pribadi sekali; tunggu orangnya menulis DM / a private "
               "reply goes "
               "only once; wait until the person writes";
    if (a->attachment_count > 0)
        return "Balasan pribadi atas komentar hanya dapat berupa teks, tanpa lampiran / a private reply "
               "carries text only";
    if (!given(a->reply_to))
        return "Komentar yang dibalas tidak diketahui / the comment to reply to is not known";
    (void)l;
    return NULL;
}

int graph_fits(const struct graph_limits *limits, const struct aduan_answer *answer, char *why,
               size_t why_size) {
    const char *fault = general_fault(limits, answer);
    size_t i;

    if (fault != NULL) {
        snprintf(why, why_size, "%s", fault);
        return -1;
    }
    if (text_fits(limits, answer->text, why, why_size) < 0)
        return -1;
    for (i = 0; i < answer->attachment_count; i++)
        if (file_fits(limits, &answer->attachments[i], why, why_size) < 0)
            return -1;
    return 0;
}

/* Images that stand side by side go together. */
static void plan(struct sending *s) {
    const struct graph_limits *l = s->account->limits;
    const struct aduan_answer *a = s->answer;
    struct part *last;
    const char *kind;
    int64_t max;
    size_t i;

    if (given(a->text))
        s->parts[s->count++].kind = "text";
    for (i = 0; i < a->attachment_count; i++) {
        kind = kind_of(l, &a->attachments[i], &max);
        if (kind == NULL) /* graph_fits() has refused it */
            continue;
        last = s->count > 0 ? &s->parts[s->count - 1] : NULL;
        if (last != NULL && strcmp(kind, "image") == 0 && strcmp(last->kind, "image") == 0 &&
            last->count < l->images_max)
            last->count++;
        else
            s->parts[s->count++] = (struct part){ .kind = kind, .first = i, .count = 1 };
    }
}

/* -------------------------------------------------------------------------- end */

static void end(struct sending *s, struct aduan_result *result) {
    struct aduan_host *h = s->account->host;
    uint64_t token = s->token;
    size_t i;

    meta_end_partly(result, s->sent, s->count);
    if (result->outcome == ADUAN_SENT)
        memcpy(result->platform_id, s->platform_id, sizeof(result->platform_id));
    for (i = 0; i < FILES_MAX; i++)
        free(s->media_ids[i]);
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

    if (!graph_accepted(s->account, r, false, &result)) {
        end(s, &result);
        return;
    }
    body = r->body != NULL ? js_load(r->body, r->body_len) : NULL;
    s->media_ids[s->uploaded] = js_id(body, "attachment_id");
    json_decref(body);
    if (s->media_ids[s->uploaded] == NULL) {
        end_with(s, ADUAN_LATER, "Graph tidak memberi id lampiran / Graph gave no id for the attachment");
        return;
    }
    s->uploaded++;
    go_on(s);
}

static int upload(struct sending *s) {
    const struct aduan_attachment *a = &s->answer->attachments[s->uploaded];
    const struct graph_limits *l = s->account->limits;
    int64_t max;
    json_t *message =
        json_pack("{s:{s:s, s:{s:b}}}", "attachment", "type", kind_of(l, a, &max), "payload", "is_reusable", 1);
    char *dump = json_dumps(message, JSON_COMPACT);
    char *url = xasprintf("%s/%s/message_attachments", s->account->api, s->account->sender);
    const struct aduan_form_part form[] = {
        { .name = "message", .text = dump },
        { .name = "filedata", .blob = a->sha256, .filename = a->name, .type = a->type },
        { .name = "platform", .text = l->upload_platform },
    };
    struct aduan_http_request req = {
        .method = "POST",
        .url = url,
        .bearer = s->account->token,
        .form = form,
        .form_count = l->upload_platform != NULL ? 3 : 2,
        .timeout_ms = 5 * 60 * 1000,
    };
    int r = s->account->host->ops->http(s->account->host, &req, uploaded, s);

    free(url);
    free(dump);
    json_decref(message);
    return r;
}

/* ------------------------------------------------------------------------- send */

static json_t *attachment_json(const struct sending *s, const char *kind, size_t i) {
    return json_pack("{s:s, s:{s:s}}", "type", kind, "payload", "attachment_id", s->media_ids[i]);
}

static json_t *message_json(const struct sending *s, const struct part *p) {
    json_t *message = json_object(), *list;
    size_t i;

    if (p->count == 0) {
        json_object_set_new(message, "text", json_string(s->answer->text));
    } else if (p->count == 1) {
        json_object_set_new(message, "attachment", attachment_json(s, p->kind, p->first));
    } else {
        list = json_array();
        for (i = 0; i < p->count; i++)
            json_array_append_new(list, attachment_json(s, p->kind, p->first + i));
        json_object_set_new(message, "attachments", list);
    }
    if (s->account->limits->metadata)
        json_object_set_new(message, "metadata", json_string(s->answer->id));
    return message;
}

/* The tag is for what a person wrote, and only where the ordinary window is over. */
static bool may_tag(const struct sending *s) {
    return s->account->human_agent && s->answer->kind == ADUAN_ANSWER_REPLY && strcmp(s->key, "id") == 0;
}

static bool is_late(const struct sending *s) {
    int64_t heard_at = s->answer->heard_at;

    return heard_at > 0 && s->account->host->ops->now(s->account->host) - heard_at >= DAY_MS;
}

static char *part_json(const struct sending *s, const struct part *p) {
    json_t *o = json_object();
    bool person = strcmp(s->key, "id") == 0;
    char *dump;

    json_object_set_new(o, "recipient", json_pack("{s:s}", s->key, s->id));
    if (person)
        json_object_set_new(o, "messaging_type", json_string(s->agent ? "MESSAGE_TAG" : "RESPONSE"));
    if (s->agent)
        json_object_set_new(o, "tag", json_string("HUMAN_AGENT"));
    if (person && s->quotes && s->sent == 0)
        json_object_set_new(o, "reply_to", json_pack("{s:s}", "mid", s->answer->reply_to));
    json_object_set_new(o, "message", message_json(s, p));
    dump = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(o);
    return dump;
}

/* Refused, so nothing was accepted, but another form may go: without quoting what is gone (the answer is worth
 * more than the quotation), or under the tag when Meta's clock says that the window is over and ours does not
 * yet. */
static bool goes_otherwise(struct sending *s, const struct aduan_http_response *r,
                           const struct aduan_result *result) {
    struct meta_error error;

    if (result->outcome == ADUAN_CLOSED && may_tag(s) && !s->agent) {
        s->agent = true;
        return true;
    }
    if (!s->quotes || s->sent > 0 || result->outcome != ADUAN_NEVER || !meta_error_of(r, &error) ||
        error.code != CODE_PARAMETER)
        return false;
    s->quotes = false;
    return true;
}

/* What an error means depends on what was tried. A comment has no window that opens again; and a tag that was
 * never approved is no reason to stop the whole account. */
static void refine(const struct sending *s, const struct aduan_http_response *r, struct aduan_result *result) {
    struct meta_error error;

    if (result->outcome == ADUAN_CLOSED && strcmp(s->key, "id") != 0) {
        result->outcome = ADUAN_NEVER;
        snprintf(result->reason, sizeof(result->reason),
                 "Batas waktu balasan pribadi sudah lewat / the time for a private reply is over");
    }
    if (s->agent && result->outcome == ADUAN_REFUSED && meta_error_of(r, &error) &&
        error.code == CODE_PERMISSION) {
        result->outcome = ADUAN_CLOSED;
        snprintf(result->reason, sizeof(result->reason),
                 "Jendela 24 jam tertutup dan Human Agent belum disetujui Meta / the window is closed and Meta "
                 "has not "
                 "approved Human Agent");
    }
}

static void sent(void *arg, const struct aduan_http_response *r) {
    struct sending *s = arg;
    struct aduan_result result;
    json_t *body;
    char *id;

    if (!graph_accepted(s->account, r, true, &result)) {
        if (goes_otherwise(s, r, &result)) {
            go_on(s);
            return;
        }
        refine(s, r, &result);
        end(s, &result);
        return;
    }
    body = r->body != NULL ? js_load(r->body, r->body_len) : NULL;
    id = js_id(body, "message_id");
    json_decref(body);
    if (id == NULL) {
        end_with(s, ADUAN_UNCERTAIN,
                 "Graph menerima tanpa memberi nomor pesan / Graph accepted but gave no message id");
        return;
    }
    if (s->sent++ == 0)
        snprintf(s->platform_id, sizeof(s->platform_id), "%s", id);
    free(id);
    go_on(s);
}

static int send_part(struct sending *s, const struct part *p) {
    const struct aduan_header header = { "Content-Type", "application/json" };
    char *url = xasprintf("%s/%s/messages", s->account->api, s->account->sender);
    char *json = part_json(s, p);
    struct aduan_http_request req = {
        .method = "POST",
        .url = url,
        .headers = &header,
        .header_count = 1,
        .bearer = s->account->token,
        .body = json,
        .body_len = strlen(json),
    };
    int r = s->account->host->ops->http(s->account->host, &req, sent, s);

    free(json);
    free(url);
    return r;
}

/* The next step of the answer; called from the end of the one before. */
static void go_on(struct sending *s) {
    int r;

    if (s->sent == s->count) {
        end_with(s, ADUAN_SENT, "");
        return;
    }
    r = s->uploaded < s->answer->attachment_count ? upload(s) : send_part(s, &s->parts[s->sent]);
    if (r != 0)
        end_with(s, ADUAN_LATER, "pengiriman belum dapat dimulai / the transfer could not be started");
}

void graph_send(struct graph_account *account, const struct aduan_answer *answer, const char *key,
                const char *id, uint64_t token) {
    struct sending *s = xcalloc(1, sizeof(*s));
    char why[300];

    s->account = account;
    s->answer = answer;
    s->key = key;
    s->id = id;
    s->token = token;
    s->quotes =
        given(answer->reply_to) && answer->kind == ADUAN_ANSWER_REPLY && !graph_is_private_reply(answer);
    if (!given(id)) {
        end_with(s, ADUAN_NEVER, "Penerima tidak diketahui / there is nobody to send to");
    } else if (graph_fits(account->limits, answer, why, sizeof(why)) < 0) {
        end_with(s, ADUAN_NEVER, why);
    } else {
        plan(s);
        s->agent = may_tag(s) && is_late(s);
        go_on(s);
    }
}
