/*
 * fetch.c: attachments: of private messages in the account's name, of posts by anybody's (section 4.3).
 *
 * Addresses came from outside: the account's signature goes only to X's two places for private media.
 */
#include "x/x.h"

#include "kit/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEDIA_MAX = 512 * 1024 * 1024, TIMEOUT_MS = 10 * 60 * 1000 };

struct fetching {
    struct x *x;
    uint64_t token;
    char *type;
};

static void end(struct fetching *f, const struct aduan_result *result, const char *sha256, int64_t size) {
    f->x->host->ops->fetched(f->x->host, f->token, result, sha256, size, f->type);
    free(f->type);
    free(f);
}

static void fetched(void *arg, const struct aduan_http_response *r) {
    struct fetching *f = arg;
    struct aduan_result result;

    if (x_accepted(f->x, r, false, &result)) {
        result.outcome = ADUAN_SENT;
        end(f, &result, r->sha256, r->size);
        return;
    }
    if (r->state == ADUAN_HTTP_DONE && (r->status == 404 || r->status == 410)) {
        result.outcome = ADUAN_NEVER;
        snprintf(result.reason, sizeof(result.reason),
                 "Lampiran sudah tidak ada di X / the attachment is gone from X");
    }
    end(f, &result, NULL, 0);
}

static void refuse(struct fetching *f, const char *why) {
    const struct aduan_result result = { .outcome = ADUAN_NEVER };
    struct aduan_result r = result;

    snprintf(r.reason, sizeof(r.reason), "%s", why);
    end(f, &r, NULL, 0);
}

/* One part of a path; nothing that would be another path. */
static bool add_part(struct text *t, const char *part) {
    if (part == NULL || part[0] == '\0' || part[0] == '.')
        return false;
    text_add_char(t, '/');
    query_escape(t, part);
    return true;
}

/* The signed address of a private attachment; NULL: the source makes no sense. */
static char *dm_url(const struct x *x, const json_t *source) {
    struct text t = TEXT_INIT;

    text_addf(&t, "%s", x_by_oauth2(x->settings) ? x->settings->api : x->settings->ton);
    text_add(&t, x_by_oauth2(x->settings) ? "/2/dm_conversations/media" : "/1.1/ton/data/dm");
    if (add_part(&t, js_str(source, "dm")) && add_part(&t, js_str(source, "media")) &&
        add_part(&t, js_str(source, "file")))
        return text_steal(&t);
    text_free(&t);
    return NULL;
}

static bool is_public_place(const struct x *x, const char *url) {
    static const char *const places[] = { "https://pbs.twimg.com/", "https://video.twimg.com/" };
    size_t i, n = strlen(x->settings->api);

    for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (text_starts(url, places[i]))
            return true;
    return text_starts(url, x->settings->api) && url[n] == '/';
}

static void fetch_public(struct fetching *f, const char *url) {
    const struct aduan_http_request req = { .method = "GET",
                                            .url = url,
                                            .max_bytes = MEDIA_MAX,
                                            .timeout_ms = TIMEOUT_MS,
                                            .to_blob = true,
                                            .foreign_url = true,
                                            .same_host = f->x->settings->api };

    if (f->x->host->ops->http(f->x->host, &req, fetched, f) != 0) {
        const struct aduan_result later = { .outcome = ADUAN_LATER,
                                            .reason = "belum dapat dimulai / not started" };

        end(f, &later, NULL, 0);
    }
}

void x_fetch(void *ctx, const struct aduan_attachment *attachment, uint64_t token) {
    struct fetching *f = xcalloc(1, sizeof(*f));
    json_t *source =
        attachment->source != NULL ? js_load(attachment->source, strlen(attachment->source)) : NULL;
    const char *url = js_str(source, "url");
    struct x_request req = {
        .method = "GET", .to_blob = true, .max_bytes = MEDIA_MAX, .timeout_ms = TIMEOUT_MS
    };
    char *signed_url;

    *f = (struct fetching){ .x = ctx, .token = token, .type = xstrdup(attachment->type) };
    signed_url = dm_url(f->x, source);
    req.url = signed_url;
    if (signed_url != NULL)
        x_http(f->x, &req, fetched, f);
    else if (url == NULL)
        refuse(f, "Sumber lampiran tidak dikenal / the attachment's source is not known");
    else if (is_public_place(f->x, url))
        fetch_public(f, url);
    else
        refuse(f, "Alamat lampiran bukan milik X / the attachment's address is not X's");
    free(signed_url);
    json_decref(source);
}
