/* fake_host.c: a host table whose transfers the test plays. */
#include "fake_host.h"

#include "kit/sign.h"
#include "kit/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *form_text(const struct aduan_http_request *req) {
    struct text t = TEXT_INIT;
    size_t i;

    for (i = 0; i < req->form_count; i++) {
        const struct aduan_form_part *p = &req->form[i];

        text_addf(&t, "%s=%s;", p->name, p->blob != NULL ? p->blob : p->text);
        if (p->filename != NULL)
            text_addf(&t, "(%s,%s)", p->filename, p->type);
    }
    return text_steal(&t);
}

static int fake_http(struct aduan_host *h, const struct aduan_http_request *req, aduan_http_done done,
                     void *arg) {
    struct fake *f = (struct fake *)h;
    struct asked *a = &f->asked[f->count++];

    assert_null(f->done); /* one after the other */
    *a = (struct asked){ xstrdup(req->method),
                         xstrdup(req->url),
                         xstrndup(req->body, req->body_len),
                         form_text(req),
                         req->bearer != NULL && strcmp(req->bearer->bytes, "TOKEN") == 0,
                         req->foreign_url,
                         req->to_blob };
    assert_null(strstr(req->url, "TOKEN"));
    f->done = done;
    f->arg = arg;
    return 0;
}

static void fill_response(const struct play *p, struct aduan_http_response *r, struct aduan_header *header) {
    *r = (struct aduan_http_response){ .state = p->state, .status = p->status, .error = "jaringan putus" };
    r->body = p->body != NULL ? p->body : "";
    r->body_len = strlen(r->body);
    if (p->retry_after != NULL) {
        *header = (struct aduan_header){ "retry-after", p->retry_after };
        r->headers = header;
        r->header_count = 1;
    }
    if (p->content != NULL) {
        sign_sha256_hex(p->content, strlen(p->content), r->sha256);
        r->size = (int64_t)strlen(p->content);
    }
}

void fake_run(struct fake *f) {
    struct aduan_http_response r;
    struct aduan_header header;
    aduan_http_done done;

    while ((done = f->done) != NULL) {
        fill_response(&f->plays[f->next++], &r, &header);
        f->done = NULL;
        done(f->arg, &r);
    }
    assert_int_equal(f->ends, 1);
}

static int fake_http_wait(struct aduan_host *h, const struct aduan_http_request *req,
                          struct aduan_http_response *ret) {
    struct fake *f = (struct fake *)h;
    static struct aduan_header header;

    fake_http(h, req, (aduan_http_done)1, NULL);
    f->done = NULL;
    fill_response(&f->plays[f->next++], ret, &header);
    return 0;
}

static void fake_done(struct aduan_host *h, uint64_t token, const struct aduan_result *result) {
    struct fake *f = (struct fake *)h;

    assert_int_equal(token, 77);
    f->ends++;
    f->result = *result;
}

static void fake_fetched(struct aduan_host *h, uint64_t token, const struct aduan_result *result,
                         const char *sha256, int64_t size, const char *type) {
    (void)size;
    if (strcmp(type, "text/plain") != 0)
        assert_string_equal(type, "image/jpeg");
    fake_done(h, token, result);
    snprintf(((struct fake *)h)->sha256, 65, "%s", sha256);
}

static void fake_report(struct aduan_host *h, int64_t expires, const char *fault) {
    struct fake *f = (struct fake *)h;

    f->expires = expires;
    snprintf(f->fault, sizeof(f->fault), "%s", fault != NULL ? fault : "");
}

static int64_t fake_now(struct aduan_host *h) {
    (void)h;
    return 1789800000000;
}

static void fake_log(struct aduan_host *h, enum aduan_log_level level, const char *fmt, ...) {
    (void)h;
    (void)level;
    (void)fmt;
}

static int fake_keep_secret(struct aduan_host *h, const char *name, const struct aduan_secret *value) {
    struct fake *f = (struct fake *)h;

    (void)name;
    if (f->keeping_fails)
        return -1;
    snprintf(f->kept, sizeof(f->kept), "%s", value->bytes);
    return 0;
}

static const struct aduan_secret *fake_kept_secret(struct aduan_host *h, const char *name) {
    struct fake *f = (struct fake *)h;
    static struct aduan_secret secret;

    (void)name;
    secret = (struct aduan_secret){ f->kept, strlen(f->kept) };
    return f->kept[0] != '\0' ? &secret : NULL;
}

static int fake_blob_put(struct aduan_host *h, const void *bytes, size_t n, char ret_sha256[65]) {
    struct fake *f = (struct fake *)h;

    assert_true(n < sizeof(f->stored));
    memcpy(f->stored, bytes, n);
    f->stored[n] = '\0';
    sign_sha256_hex(bytes, n, ret_sha256);
    return 0;
}

static const struct aduan_host_ops ops = { .size = sizeof(ops),
                                           .now = fake_now,
                                           .log = fake_log,
                                           .http = fake_http,
                                           .http_wait = fake_http_wait,
                                           .done = fake_done,
                                           .fetched = fake_fetched,
                                           .keep_secret = fake_keep_secret,
                                           .kept_secret = fake_kept_secret,
                                           .blob_put = fake_blob_put,
                                           .report = fake_report };

void fake_reset(struct fake *f, const struct play *plays) {
    size_t i;

    for (i = 0; i < f->count; i++) {
        free(f->asked[i].method);
        free(f->asked[i].url);
        free(f->asked[i].body);
        free(f->asked[i].form);
    }
    *f = (struct fake){ .host = { &ops, "wa" }, .plays = plays };
}
