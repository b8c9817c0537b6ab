/* fetch.c: attachments from Meta's CDN: links that need no token and do not live long. */
#include "graph/graph.h"

#include "kit/json.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MAX_BYTES (25 * 1024 * 1024LL)

static const char *const media_hosts[] = { ".fbcdn.net", ".fbsbx.com", ".cdninstagram.com", NULL };

struct fetching {
    struct graph_account *account;
    uint64_t token;
    char *type;
};

static void end(struct fetching *f, enum aduan_outcome outcome, const char *reason, const char *sha256,
                int64_t size) {
    struct aduan_host *h = f->account->host;
    struct aduan_result result = { .outcome = outcome };

    snprintf(result.reason, sizeof(result.reason), "%s", reason);
    h->ops->fetched(h, f->token, &result, sha256, size, f->type);
    free(f->type);
    free(f);
}

/* The webhook says "image" at best; the server knows the media type. */
static void set_type(struct fetching *f, const struct aduan_http_response *r) {
    size_t i, n;

    for (i = 0; i < r->header_count; i++) {
        n = strcspn(r->headers[i].value, "; \t");
        if (strcmp(r->headers[i].name, "content-type") == 0 && n > 0 && n < 100 &&
            memchr(r->headers[i].value, '/', n) != NULL) {
            char *line = text_clean_line(r->headers[i].value, n, 100);

            free(f->type);
            f->type = text_lower(line);
            free(line);
        }
    }
}

static void got_bytes(void *arg, const struct aduan_http_response *r) {
    struct fetching *f = arg;

    if (r->state != ADUAN_HTTP_DONE || r->status >= 500 || r->status == 429) {
        end(f, ADUAN_LATER,
            r->error != NULL ? r->error : "server media tidak menjawab / the media server failed", "", 0);
    } else if (r->status != 200) {
        end(f, ADUAN_NEVER,
            "tautan lampiran sudah mati: lihat di aplikasinya / the attachment's link is dead: look in the "
            "app",
            "", 0);
    } else {
        char sha256[sizeof(r->sha256)];

        memcpy(sha256, r->sha256, sizeof(sha256));
        set_type(f, r);
        end(f, ADUAN_SENT, "", sha256, r->size);
    }
}

void graph_fetch(struct graph_account *account, const struct aduan_attachment *attachment, uint64_t token) {
    struct fetching *f = xcalloc(1, sizeof(*f));
    json_t *source =
        attachment->source != NULL ? js_load(attachment->source, strlen(attachment->source)) : NULL;
    const char *url = js_str(source, "url");
    struct aduan_http_request req = {
        .method = "GET",
        .url = url,
        .timeout_ms = 5 * 60 * 1000,
        .max_bytes = SIZE_MAX_BYTES,
        .to_blob = true,
        .foreign_url = true,
        .same_host = account->api,
    };

    f->account = account;
    f->token = token;
    f->type = xstrdup(attachment->type);
    if (url == NULL)
        end(f, ADUAN_NEVER, "lampiran tanpa tautan / the attachment has no link", "", 0);
    else if (!meta_is_host(url, account->api, media_hosts))
        end(f, ADUAN_NEVER,
            "tautan lampiran menunjuk ke luar Meta / the attachment's link leads away from Meta", "", 0);
    else if (account->host->ops->http(account->host, &req, got_bytes, f) != 0)
        end(f, ADUAN_LATER, "pengambilan belum dapat dimulai / the transfer could not be started", "", 0);
    json_decref(source);
}
