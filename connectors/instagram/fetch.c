/* fetch.c: what a webhook did not bring along: media by their links, the text of a mention by Graph. */
#include "instagram/instagram.h"

#include "kit/json.h"
#include "kit/query.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CODE_PARAMETER = 100 };

struct reading {
    struct instagram *ig;
    uint64_t token;
    bool caption;
};

static void end(struct reading *f, struct aduan_result *result, const char *sha256, int64_t size) {
    struct aduan_host *h = f->ig->graph.host;
    uint64_t token = f->token;

    free(f);
    h->ops->fetched(h, token, result, sha256, size, "text/plain");
}

static void end_with(struct reading *f, enum aduan_outcome outcome, const char *reason) {
    struct aduan_result result = { .outcome = outcome };

    snprintf(result.reason, sizeof(result.reason), "%s", reason);
    end(f, &result, "", 0);
}

static void store(struct reading *f, const char *text) {
    struct aduan_host *h = f->ig->graph.host;
    struct aduan_result result = { .outcome = ADUAN_SENT };
    char sha256[65];

    if (h->ops->blob_put == NULL || h->ops->blob_put(h, text, strlen(text), sha256) != 0)
        end_with(f, ADUAN_LATER, "teks belum dapat disimpan / the text could not be stored");
    else
        end(f, &result, sha256, (int64_t)strlen(text));
}

static void got_text(void *arg, const struct aduan_http_response *r) {
    struct reading *f = arg;
    struct aduan_result result;
    struct meta_error error;
    json_t *body;
    char *text;

    if (!graph_accepted(&f->ig->graph, r, false, &result)) {
        if (meta_error_of(r, &error) && error.code == CODE_PARAMETER)
            end_with(f, ADUAN_NEVER,
                     "sebutan ini sudah dihapus atau tidak boleh dibaca: lihat di Instagram / the mention "
                     "is gone or may not be read: look at Instagram");
        else
            end(f, &result, "", 0);
        return;
    }
    body = r->body != NULL ? js_load(r->body, r->body_len) : NULL;
    text = js_text(body, f->caption ? "mentioned_media.caption" : "mentioned_comment.text");
    if (!json_is_object(js_get(body, f->caption ? "mentioned_media" : "mentioned_comment")))
        end_with(f, ADUAN_LATER, "Graph tidak memberi sebutannya / Graph gave no mention");
    else
        store(f, text != NULL && text[0] != '\0' ? text : "[tanpa teks]");
    free(text);
    json_decref(body);
}

char *instagram_mention_path(const struct instagram_settings *s, const char *comment, const char *media,
                             const char *fields) {
    char *field = comment != NULL ? xasprintf("mentioned_comment.comment_id(%s){%s}", comment, fields)
                                  : xasprintf("mentioned_media.media_id(%s){%s}", media, fields);
    struct text path = TEXT_INIT;

    text_addf(&path, "%s?fields=", s->account_id);
    query_escape(&path, field);
    free(field);
    return text_steal(&path);
}

static void read_mention(struct instagram *ig, const char *comment, const char *media, uint64_t token) {
    struct reading *f = xcalloc(1, sizeof(*f));
    char *path =
        instagram_mention_path(ig->settings, comment, media,
                               comment != NULL ? "text,timestamp,username" : "caption,media_type,username");
    char *url = xasprintf("%s/%s", ig->settings->api, path);

    f->ig = ig;
    f->token = token;
    f->caption = comment == NULL;
    instagram_token_read(ig); /* the send worker may have got a new one meanwhile */
    struct aduan_http_request req = { .method = "GET", .url = url, .bearer = ig->graph.token };

    if (ig->graph.host->ops->http(ig->graph.host, &req, got_text, f) != 0)
        end_with(f, ADUAN_LATER, "pengambilan belum dapat dimulai / the transfer could not be started");
    free(url);
    free(path);
}

void instagram_fetch(void *ctx, const struct aduan_attachment *attachment, uint64_t token) {
    json_t *source =
        attachment->source != NULL ? js_load(attachment->source, strlen(attachment->source)) : NULL;
    char *comment = js_id(source, "mentioned_comment"), *media = js_id(source, "mentioned_media");

    if (comment != NULL || media != NULL)
        read_mention(ctx, comment, media, token);
    else
        graph_fetch(&((struct instagram *)ctx)->graph, attachment, token);
    free(comment);
    free(media);
    json_decref(source);
}
