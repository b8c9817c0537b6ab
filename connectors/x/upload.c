/*
 * upload.c: an attachment to X in steps: initialize, append in pieces, finalize (section 4.3).
 *
 * What X still works on is left and asked for at the next attempt: its id is remembered by digest.
 */
#include "x/x.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MB       (1000 * 1000LL)
#define BOUNDARY "aduan-7d1f0c9b5e2a4d6c8b3f"

enum { PIECE = 4 * 1024 * 1024, KEEP_MS = 20 * 3600 * 1000 }; /* usable for 24 h */

static const struct {
    const char *mime, *dm, *post;
    int64_t max;
} kinds[] = {
    { "image/jpeg", "dm_image", "tweet_image", 5 * MB },  { "image/png", "dm_image", "tweet_image", 5 * MB },
    { "image/webp", "dm_image", "tweet_image", 5 * MB },  { "image/gif", "dm_gif", "tweet_gif", 15 * MB },
    { "video/mp4", "dm_video", "tweet_video", 512 * MB },
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

struct upload {
    struct x *x;
    const struct aduan_attachment *a;
    const char *category;
    char *id;
    int fd, piece;
    int64_t sent;
    x_uploaded done;
    void *arg;
};

static size_t kind_of(const struct aduan_attachment *a) {
    size_t i;

    for (i = 0; i < KINDS && !text_starts_nocase(a->type, kinds[i].mime); i++)
        ;
    return i;
}

const char *x_upload_fits(const struct aduan_attachment *a) {
    size_t k = kind_of(a);

    if (k == KINDS)
        return "X hanya membawa gambar, GIF, dan video MP4 / X carries only pictures, GIFs and MP4 videos";
    if (a->size > kinds[k].max)
        return "Lampiran terlalu besar untuk X (gambar 5 MB, GIF 15 MB, video 512 MB) / attachment too large "
               "for X "
               "(picture 5 MB, GIF 15 MB, video 512 MB)";
    return a->sha256 == NULL ? "Lampiran belum tersimpan / attachment is not stored" : NULL;
}

/* ------------------------------------------------------------------------- end */

static void end(struct upload *u, const struct aduan_result *result) {
    x_uploaded done = u->done;
    void *arg = u->arg;
    char *id = result == NULL ? u->id : NULL;

    if (result != NULL)
        free(u->id);
    if (u->fd >= 0)
        close(u->fd);
    free(u);
    done(arg, id, result);
    free(id);
}

static void end_with(struct upload *u, enum aduan_outcome outcome, const char *reason, int64_t pause) {
    struct aduan_result result = { .outcome = outcome, .retry_after_ms = pause };

    snprintf(result.reason, sizeof(result.reason), "%s", reason);
    end(u, &result);
}

/* False: u has ended. */
static bool went_well(struct upload *u, const struct aduan_http_response *r) {
    struct aduan_result result;

    if (x_accepted(u->x, r, false, &result))
        return true;
    end(u, &result);
    return false;
}

static void remember(struct upload *u) {
    json_object_set_new(
        u->x->uploads, u->a->sha256,
        json_pack("{s:s, s:I}", "id", u->id, "at", (json_int_t)u->x->host->ops->now(u->x->host)));
}

/* ------------------------------------------------------------------------ steps */

/* The media is ready, is worked on, or was refused. */
static void judge(struct upload *u, const json_t *body) {
    const char *state = js_str(body, "data.processing_info.state");
    int64_t secs = js_int(body, "data.processing_info.check_after_secs", 5);

    if (text_equal(state, "failed")) {
        json_object_del(u->x->uploads, u->a->sha256);
        end_with(u, ADUAN_NEVER, "X tidak dapat mengolah lampiran / X cannot process the attachment", 0);
    } else if (state == NULL || strcmp(state, "succeeded") == 0) {
        end(u, NULL);
    } else {
        end_with(u, ADUAN_LIMITED, "X masih mengolah lampiran / X still works on the attachment",
                 (secs > 0 && secs < 600 ? secs : 5) * 1000);
    }
}

static void finalized(void *arg, const struct aduan_http_response *r) {
    struct upload *u = arg;
    json_t *body;

    if (r->state == ADUAN_HTTP_DONE && (r->status == 400 || r->status == 404))
        json_object_del(u->x->uploads, u->a->sha256); /* forgotten by X: from the start next time */
    if (!went_well(u, r))
        return;
    remember(u);
    body = r->body != NULL ? js_load(r->body, r->body_len) : NULL;
    judge(u, body);
    json_decref(body);
}

static void call(struct upload *u, const char *method, char *url, const char *type, const void *body, size_t n,
                 aduan_http_done done) {
    const struct x_request req = {
        .method = method, .url = url, .type = type, .body = body, .body_len = n, .timeout_ms = 5 * 60 * 1000
    };

    x_http(u->x, &req, done, u);
    free(url);
}

static void appended(void *arg, const struct aduan_http_response *r);

static bool read_piece(struct upload *u, struct text *t) {
    char *piece = xcalloc(PIECE, 1);
    size_t have = 0;
    ssize_t n = 1;

    while (have < PIECE && n > 0) {
        n = read(u->fd, piece + have, PIECE - have);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            have += (size_t)n;
    }
    text_add_n(t, piece, have);
    free(piece);
    u->sent += (int64_t)have;
    return have > 0;
}

static void append(struct upload *u) {
    const char *api = u->x->settings->api;
    struct text t = TEXT_INIT;

    text_addf(&t,
              "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"segment_index\"\r\n\r\n%d\r\n"
              "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"media\"; filename=\"media\"\r\n"
              "Content-Type: application/octet-stream\r\n\r\n",
              u->piece);
    if (read_piece(u, &t)) {
        u->piece++;
        text_add(&t, "\r\n--" BOUNDARY "--\r\n");
        call(u, "POST", xasprintf("%s/2/media/upload/%s/append", api, u->id),
             "multipart/form-data; boundary=" BOUNDARY, t.s, t.len, appended);
    } else {
        call(u, "POST", xasprintf("%s/2/media/upload/%s/finalize", api, u->id), NULL, NULL, 0, finalized);
    }
    text_free(&t);
}

static void appended(void *arg, const struct aduan_http_response *r) {
    if (went_well(arg, r))
        append(arg);
}

static void begun(void *arg, const struct aduan_http_response *r) {
    struct upload *u = arg;
    json_t *body;

    if (!went_well(u, r))
        return;
    body = r->body != NULL ? js_load(r->body, r->body_len) : NULL;
    u->id = x_id(js_get(body, "data"), "id");
    json_decref(body);
    if (u->id == NULL)
        end_with(u, ADUAN_LATER, "X tidak memberi id lampiran / X gave no id for the attachment", 0);
    else
        append(u);
}

static void begin(struct upload *u) {
    json_t *body = json_pack("{s:s, s:I, s:s}", "media_type", kinds[kind_of(u->a)].mime, "total_bytes",
                             (json_int_t)u->a->size, "media_category", u->category);
    char *dump = json_dumps(body, JSON_COMPACT);

    call(u, "POST", xasprintf("%s/2/media/upload/initialize", u->x->settings->api), "application/json", dump,
         strlen(dump), begun);
    json_decref(body);
    free(dump);
}

void x_upload(struct x *x, const struct aduan_attachment *a, bool dm, x_uploaded done, void *arg) {
    struct upload *u = xcalloc(1, sizeof(*u));
    const json_t *known = json_object_get(x->uploads, a->sha256);

    *u = (struct upload){ .x = x, .a = a, .fd = -1, .done = done, .arg = arg };
    u->category = dm ? kinds[kind_of(a)].dm : kinds[kind_of(a)].post;
    if (known != NULL && js_int(known, "at", 0) > x->host->ops->now(x->host) - KEEP_MS) {
        u->id = x_id(known, "id");
        call(u, "GET", xasprintf("%s/2/media/upload?command=STATUS&media_id=%s", x->settings->api, u->id), NULL,
             NULL, 0, finalized);
        return;
    }
    u->fd = x->host->ops->blob_open(x->host, a->sha256);
    if (u->fd < 0)
        end_with(u, ADUAN_LATER, "lampiran tidak dapat dibuka / the attachment cannot be opened", 0);
    else
        begin(u);
}
