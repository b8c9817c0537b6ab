/*
 * publish.c: a public answer: first it is seen whether the thing is still there, then the answer is posted.
 *
 * Neither platform tells of every deletion by webhook, and an answer to what is gone would hang under the post
 * for all to wonder at.
 */
#include "graph/graph.h"

#include "kit/json.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CODE_PARAMETER = 100, SUBCODE_GONE = 33 };

struct publishing {
    struct graph_account *account;
    uint64_t token;
    char *path;
    json_t *body;
};

static void end(struct publishing *p, struct aduan_result *result) {
    struct aduan_host *h = p->account->host;
    uint64_t token = p->token;

    json_decref(p->body);
    free(p->path);
    free(p);
    h->ops->done(h, token, result);
}

static void end_with(struct publishing *p, enum aduan_outcome outcome, const char *reason) {
    struct aduan_result result = { .outcome = outcome };

    snprintf(result.reason, sizeof(result.reason), "%s", reason);
    end(p, &result);
}

/* 100/33: not there, or not for us; it cannot be answered either way. */
static void explain(const struct aduan_http_response *r, struct aduan_result *result) {
    struct meta_error error;

    if (meta_error_of(r, &error) && error.code == CODE_PARAMETER && error.subcode == SUBCODE_GONE) {
        result->outcome = ADUAN_NEVER;
        snprintf(result->reason, sizeof(result->reason),
                 "Komentar atau kirimannya sudah dihapus / the comment or post has been deleted");
    }
}

static void posted(void *arg, const struct aduan_http_response *r) {
    struct publishing *p = arg;
    struct aduan_result result;
    json_t *body;
    char *id;

    if (!graph_accepted(p->account, r, true, &result)) {
        explain(r, &result);
        end(p, &result);
        return;
    }
    body = r->body != NULL ? js_load(r->body, r->body_len) : NULL;
    id = js_id(body, "id");
    json_decref(body);
    result.outcome = id != NULL ? ADUAN_SENT : ADUAN_UNCERTAIN;
    if (id != NULL)
        snprintf(result.platform_id, sizeof(result.platform_id), "%s", id);
    else
        snprintf(result.reason, sizeof(result.reason),
                 "Graph menerima tanpa memberi nomor / Graph accepted but gave no id");
    free(id);
    end(p, &result);
}

static void post(struct publishing *p) {
    const struct aduan_header header = { "Content-Type", "application/json" };
    char *url = xasprintf("%s/%s", p->account->api, p->path);
    char *json = json_dumps(p->body, JSON_COMPACT | JSON_ENSURE_ASCII);
    struct aduan_http_request req = {
        .method = "POST",
        .url = url,
        .headers = &header,
        .header_count = 1,
        .bearer = p->account->token,
        .body = json,
        .body_len = strlen(json),
    };

    if (p->account->host->ops->http(p->account->host, &req, posted, p) != 0)
        end_with(p, ADUAN_LATER, "pengiriman belum dapat dimulai / the transfer could not be started");
    free(json);
    free(url);
}

static void checked(void *arg, const struct aduan_http_response *r) {
    struct publishing *p = arg;
    struct aduan_result result;

    if (graph_accepted(p->account, r, false, &result)) {
        post(p);
        return;
    }
    explain(r, &result);
    end(p, &result);
}

void graph_publish(struct graph_account *account, const char *check, const char *path, json_t *body,
                   uint64_t token) {
    struct publishing *p = xcalloc(1, sizeof(*p));
    char *url;

    p->account = account;
    p->token = token;
    p->path = xstrdup(path);
    p->body = body;
    if (check == NULL) {
        post(p);
        return;
    }
    url = xasprintf("%s/%s", account->api, check);
    struct aduan_http_request req = { .method = "GET", .url = url, .bearer = account->token };

    if (account->host->ops->http(account->host, &req, checked, p) != 0)
        end_with(p, ADUAN_LATER, "pengiriman belum dapat dimulai / the transfer could not be started");
    free(url);
}
