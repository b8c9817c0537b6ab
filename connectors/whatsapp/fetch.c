/*
 * fetch.c: attachments in two steps (section 6), and the probe.
 *
 * The id in a webhook is good for seven days; the link it is exchanged for only
 * for five minutes, and it needs the same token. The token goes to Meta's own
 * hosts only, whatever the link says.
 */
#include "whatsapp/whatsapp.h"

#include "kit/json.h"
#include "kit/query.h"
#include "kit/sign.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 3 }; /* an expired link is asked for again */

#define SIZE_MAX_BYTES (100 * 1024 * 1024LL)

struct fetching {
    struct whatsapp *w;
    uint64_t token;
    char *id, *number_id, *type;
    char *promised, *promised_by_api; /* sha256, hex or base64 */
    int rounds;
};

static void end(struct fetching *f, struct aduan_result *result, const char *sha256, int64_t size) {
    struct aduan_host *h = f->w->host;
    uint64_t token = f->token;
    char *type = f->type;

    free(f->id);
    free(f->number_id);
    free(f->promised);
    free(f->promised_by_api);
    free(f);
    h->ops->fetched(h, token, result, sha256, size, type);
    free(type);
}

static void end_with(struct fetching *f, enum aduan_outcome outcome, const char *reason) {
    struct aduan_result result = { .outcome = outcome };

    snprintf(result.reason, sizeof(result.reason), "%s", reason);
    end(f, &result, "", 0);
}

static void ask_link(struct fetching *f);

/* ---------------------------------------------------------------------- step two */

/* Hex, or base64 of the 32 bytes: both have been seen. */
static bool digest_matches(const char *promised, const char *sha256) {
    uint8_t ours[SIGN_SHA256], *theirs;
    size_t n = strlen(promised);
    bool same;

    if (n == 64)
        return text_compare_nocase(promised, sha256) == 0;
    if (sign_unhex(sha256, 64, ours) < 0)
        return false;
    theirs = sign_unbase64(promised, n, &n);
    same = theirs != NULL && n == sizeof(ours) && memcmp(theirs, ours, n) == 0;
    free(theirs);
    return same;
}

static bool is_as_promised(const struct fetching *f, const char *sha256) {
    if (f->promised == NULL && f->promised_by_api == NULL)
        return true;
    return (f->promised != NULL && digest_matches(f->promised, sha256)) ||
           (f->promised_by_api != NULL && digest_matches(f->promised_by_api, sha256));
}

static void got_bytes(void *arg, const struct aduan_http_response *r) {
    struct fetching *f = arg;
    struct aduan_result result = { .outcome = ADUAN_SENT };
    char sha256[sizeof(r->sha256)];

    if (r->state != ADUAN_HTTP_DONE || r->status >= 500 || r->status == 429) {
        end_with(f, ADUAN_LATER,
                 r->error != NULL ? r->error : "server media tidak menjawab / the media server failed");
        return;
    }
    if (r->status != 200) {
        if (f->rounds < ROUNDS)
            ask_link(f);
        else
            end_with(f, ADUAN_LATER, "tautan media selalu kedaluwarsa / the media link keeps expiring");
        return;
    }
    memcpy(sha256, r->sha256, sizeof(sha256));
    if (is_as_promised(f, sha256))
        end(f, &result, sha256, r->size);
    else
        end_with(f, ADUAN_LATER, "isi berkas tidak cocok dengan sha256-nya / the file differs from its sha256");
}

static const char *const media_hosts[] = { ".fbsbx.com", ".fbcdn.net", ".facebook.com", ".whatsapp.net", NULL };

static void ask_bytes(struct fetching *f, const char *url) {
    struct aduan_http_request req = {
        .method = "GET",
        .url = url,
        .bearer = &f->w->settings->access_token,
        .timeout_ms = 5 * 60 * 1000,
        .max_bytes = SIZE_MAX_BYTES,
        .to_blob = true,
        .foreign_url = true,
        .same_host = f->w->settings->api,
    };

    if (!meta_is_host(url, f->w->settings->api, media_hosts))
        end_with(f, ADUAN_NEVER, "tautan media menunjuk ke luar Meta / the media link leads away from Meta");
    else if (f->w->host->ops->http(f->w->host, &req, got_bytes, f) != 0)
        end_with(f, ADUAN_LATER, "pengambilan belum dapat dimulai / the transfer could not be started");
}

/* ---------------------------------------------------------------------- step one */

static void got_link(void *arg, const struct aduan_http_response *r) {
    struct fetching *f = arg;
    struct aduan_result result;
    json_t *body;
    const char *url;

    if (!meta_accepted(r, whatsapp_rules, false, &result)) {
        end(f, &result, "", 0);
        return;
    }
    body = r->body != NULL ? js_load(r->body, r->body_len) : NULL;
    url = js_str(body, "url");
    free(f->promised_by_api);
    f->promised_by_api = js_line(body, "sha256", 100);
    if (url == NULL)
        end_with(f, ADUAN_LATER, "Graph tidak memberi tautan media / Graph gave no media link");
    else if (js_int(body, "file_size", 0) > SIZE_MAX_BYTES)
        end_with(f, ADUAN_NEVER, "berkas lebih dari 100 MB / the file is over 100 MB");
    else
        ask_bytes(f, url);
    json_decref(body);
}

static void ask_link(struct fetching *f) {
    const struct whatsapp_settings *s = f->w->settings;
    struct aduan_http_request req = { .method = "GET", .bearer = &s->access_token };
    struct text url = TEXT_INIT;

    f->rounds++;
    text_addf(&url, "%s/", s->api);
    query_escape(&url, f->id);
    text_add(&url, "?phone_number_id=");
    query_escape(&url, f->number_id != NULL ? f->number_id : s->phone_number_id);
    req.url = url.s;
    if (f->w->host->ops->http(f->w->host, &req, got_link, f) != 0)
        end_with(f, ADUAN_LATER, "pengambilan belum dapat dimulai / the transfer could not be started");
    text_free(&url);
}

void whatsapp_fetch(void *ctx, const struct aduan_attachment *attachment, uint64_t token) {
    struct fetching *f = xcalloc(1, sizeof(*f));
    json_t *source =
        attachment->source != NULL ? js_load(attachment->source, strlen(attachment->source)) : NULL;

    f->w = ctx;
    f->token = token;
    f->id = js_id(source, "id");
    f->number_id = js_id(source, "phone_number_id");
    f->promised = js_line(source, "sha256", 100);
    f->type = xstrdup(attachment->type);
    json_decref(source);
    if (f->id == NULL)
        end_with(f, ADUAN_NEVER, "lampiran tanpa id media / the attachment has no media id");
    else
        ask_link(f);
}

/* ------------------------------------------------------------------------- probe */

void whatsapp_probe(void *ctx, struct aduan_result *ret) {
    struct whatsapp *w = ctx;
    char *url = xasprintf("%s/%s?fields=display_phone_number,verified_name,quality_rating", w->settings->api,
                          w->settings->phone_number_id);
    struct aduan_http_request req = { .method = "GET", .url = url, .bearer = &w->settings->access_token };
    struct aduan_http_response r;
    struct meta_token token;
    const char *fault = NULL;
    json_t *body;

    memset(ret, 0, sizeof(*ret));
    if (w->host->ops->http_wait(w->host, &req, &r) != 0) {
        ret->outcome = ADUAN_LATER;
    } else if (!meta_accepted(&r, whatsapp_rules, false, ret)) {
        w->host->ops->report(w->host, 0, ret->reason);
    } else {
        ret->outcome = ADUAN_SENT;
        body = r.body != NULL ? js_load(r.body, r.body_len) : NULL;
        if (text_equal(js_str(body, "quality_rating"), "RED"))
            fault = "mutu nomor merah: pengiriman dapat dibatasi / quality rating is red";
        json_decref(body);
        meta_token_read(w->host, w->settings->api, &w->settings->access_token, &token);
        w->host->ops->report(w->host, token.expires_at, fault);
    }
    free(url);
}
