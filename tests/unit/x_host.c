/* x_host.c: a host table whose transfers the test plays, for X. */
#include "x_host.h"

#include "kit/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct aduan_header headers[3];
static char values[3][30];

static int64_t on_now(struct aduan_host *h) {
    return ((struct x_host *)h)->now;
}

static void on_log(struct aduan_host *h, enum aduan_log_level level, const char *fmt, ...) {
    (void)h;
    (void)level;
    (void)fmt;
}

static void note(struct x_host *f, const struct aduan_http_request *req) {
    struct x_asked *a = &f->asked[f->count++];
    size_t i;

    assert_true(f->count < 40);
    *a = (struct x_asked){ .method = xstrdup(req->method),
                           .url = xstrdup(req->url),
                           .body = req->body_len > 0 ? xstrndup(req->body, req->body_len) : xstrdup(""),
                           .bearer = req->bearer != NULL,
                           .foreign = req->foreign_url,
                           .to_blob = req->to_blob };
    for (i = 0; i < req->header_count; i++) {
        if (strcmp(req->headers[i].name, "Authorization") == 0)
            a->authorization = xstrdup(req->headers[i].value);
        if (strcmp(req->headers[i].name, "Content-Type") == 0)
            a->type = xstrdup(req->headers[i].value);
    }
    if (req->bearer != NULL)
        a->authorization = xstrdup(req->bearer->bytes);
}

static int on_http(struct aduan_host *h, const struct aduan_http_request *req, aduan_http_done done,
                   void *arg) {
    struct x_host *f = (struct x_host *)h;

    assert_null(f->done);
    note(f, req);
    f->done = done;
    f->arg = arg;
    return 0;
}

static void fill(struct x_host *f, struct aduan_http_response *r) {
    const struct x_play *p;
    static const char *const names[] = { "x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset" };
    size_t i;

    if (f->next >= f->play_count)
        fail_msg("asked for more than was played: %s", f->asked[f->count - 1].url);
    p = &f->plays[f->next++];
    *r = (struct aduan_http_response){ .state = p->state, .status = p->status, .error = "putus" };
    r->body = p->body != NULL ? p->body : "";
    r->body_len = strlen(r->body);
    if (p->limit > 0) {
        snprintf(values[0], 30, "%d", p->limit);
        snprintf(values[1], 30, "%d", p->left);
        snprintf(values[2], 30, "%lld", (long long)p->reset);
        for (i = 0; i < 3; i++)
            headers[i] = (struct aduan_header){ names[i], values[i] };
        r->headers = headers;
        r->header_count = 3;
    }
}

static int on_http_wait(struct aduan_host *h, const struct aduan_http_request *req,
                        struct aduan_http_response *ret) {
    struct x_host *f = (struct x_host *)h;

    note(f, req);
    fill(f, ret);
    return 0;
}

void x_host_run(struct x_host *f) {
    struct aduan_http_response r;
    aduan_http_done done;

    while ((done = f->done) != NULL) {
        fill(f, &r);
        f->done = NULL;
        done(f->arg, &r);
    }
    assert_int_equal(f->ends, 1);
    assert_int_equal(f->next, f->play_count);
}

static int on_pause(struct aduan_host *h, int64_t ms) {
    ((struct x_host *)h)->paused += ms;
    return ADUAN_TIMEOUT;
}

static int on_emit(struct aduan_host *h, const struct aduan_raw *raw) {
    struct x_host *f = (struct x_host *)h;

    f->emitted[f->emitted_count++] =
        (struct x_emitted){ xstrndup(raw->bytes, raw->len), xstrdup(raw->mark), xstrdup(raw->mark_value) };
    return 0;
}

static char *mark_of(struct x_host *f, const char *name) {
    return f->mark[strcmp(name, "mentions") == 0 ? 0 : 1];
}

static const char *on_mark(struct aduan_host *h, const char *name) {
    const char *value = mark_of((struct x_host *)h, name);

    return value[0] != '\0' ? value : NULL;
}

void x_host_accept(struct x_host *f) {
    size_t i;

    for (i = 0; i < f->emitted_count; i++)
        if (f->emitted[i].mark != NULL)
            snprintf(mark_of(f, f->emitted[i].mark), 60, "%s", f->emitted[i].value);
}

static void on_done(struct aduan_host *h, uint64_t token, const struct aduan_result *result) {
    struct x_host *f = (struct x_host *)h;

    assert_int_equal(token, 77);
    f->ends++;
    f->result = *result;
}

static void on_fetched(struct aduan_host *h, uint64_t token, const struct aduan_result *result,
                       const char *sha256, int64_t size, const char *type) {
    (void)sha256;
    (void)size;
    (void)type;
    on_done(h, token, result);
}

static int on_blob_open(struct aduan_host *h, const char *sha256) {
    (void)sha256;
    return open(((struct x_host *)h)->blob, O_RDONLY | O_CLOEXEC);
}

static int on_keep(struct aduan_host *h, const char *name, const struct aduan_secret *value) {
    (void)name;
    snprintf(((struct x_host *)h)->kept, 100, "%s", value->bytes);
    return 0;
}

static const struct aduan_secret *on_kept(struct aduan_host *h, const char *name) {
    static struct aduan_secret s;

    (void)name;
    s = (struct aduan_secret){ ((struct x_host *)h)->kept, strlen(((struct x_host *)h)->kept) };
    return &s;
}

static void on_report(struct aduan_host *h, int64_t expires, const char *fault) {
    (void)expires;
    snprintf(((struct x_host *)h)->fault, 400, "%s", fault != NULL ? fault : "");
}

static void on_quota(struct aduan_host *h, const char *name, int used) {
    struct x_host *f = (struct x_host *)h;

    f->quota = used;
    snprintf(f->quota_name, sizeof(f->quota_name), "%s", name);
}

static const struct aduan_host_ops ops = { .size = sizeof(ops),
                                           .now = on_now,
                                           .log = on_log,
                                           .http = on_http,
                                           .http_wait = on_http_wait,
                                           .pause = on_pause,
                                           .emit = on_emit,
                                           .mark = on_mark,
                                           .done = on_done,
                                           .fetched = on_fetched,
                                           .blob_open = on_blob_open,
                                           .keep_secret = on_keep,
                                           .kept_secret = on_kept,
                                           .report = on_report,
                                           .quota = on_quota };

void x_host_reset(struct x_host *f, const struct x_play *plays, size_t count) {
    size_t i;

    for (i = 0; i < f->count; i++) {
        free(f->asked[i].method);
        free(f->asked[i].url);
        free(f->asked[i].body);
        free(f->asked[i].authorization);
        free(f->asked[i].type);
    }
    for (i = 0; i < f->emitted_count; i++) {
        free(f->emitted[i].bytes);
        free(f->emitted[i].mark);
        free(f->emitted[i].value);
    }
    f->host = (struct aduan_host){ &ops, "x" };
    f->plays = plays;
    f->play_count = count;
    f->next = f->count = f->emitted_count = 0;
    f->ends = 0;
    f->paused = 0;
    f->quota = -1;
    f->done = NULL;
}
