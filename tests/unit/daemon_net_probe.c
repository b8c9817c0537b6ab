/*
 * daemon_net_probe.c: one transfer through daemon/net.c; prints what became of it as JSON.
 *
 *   daemon_net_probe http METHOD URL [ca=FILE] [bearer=TOKEN] [body=TEXT|-] [foreign=1] [same=URL]
 *                    [blob=1] [max=BYTES] [timeout=MS] [store=DIR] [before=URL]
 *   daemon_net_probe mail URL [user=U] [password=P] [bearer=T] [timeout=MS] [ca=FILE] < mail
 */
#include "daemon/net.h"

#include "connectors/kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int argument_count;
static char **arguments;
static bool done;

static const char *option(const char *name) {
    size_t n = strlen(name);
    int i;

    for (i = 1; i < argument_count; i++)
        if (strncmp(arguments[i], name, n) == 0 && arguments[i][n] == '=')
            return arguments[i] + n + 1;
    return NULL;
}

static int64_t number(const char *name) {
    return option(name) != NULL ? atoll(option(name)) : 0;
}

static void print(json_t *o) {
    json_dumpf(o, stdout, JSON_COMPACT);
    json_decref(o);
    done = true;
}

static void before_done(void *arg, const struct aduan_http_response *r) {
    (void)r;
    *(bool *)arg = true;
}

/* A GET that leaves its connection open for the one that matters. */
static void run_before(struct net *n) {
    struct aduan_http_request r = { .method = "GET", .url = option("before") };
    bool over = r.url == NULL;

    if (!over)
        net_http(n, &r, before_done, &over);
    while (!over) {
        net_perform(n);
        net_wait(n, NULL, NULL, 0, NULL, 50);
    }
}

static void http_done(void *arg, const struct aduan_http_response *r) {
    static const char *const states[] = { "done", "sent nothing", "broken" };
    json_t *headers = json_object();
    size_t i;

    (void)arg;
    for (i = 0; i < r->header_count; i++)
        json_object_set_new(headers, r->headers[i].name, json_string(r->headers[i].value));
    print(json_pack("{s:s, s:i, s:s?, s:s%, s:s, s:I, s:o}", "state", states[r->state], "status", r->status,
                    "error", r->error, "body", r->body, r->body_len, "sha256", r->sha256, "size",
                    (json_int_t)r->size, "headers", headers));
}

static void mail_done(void *arg, const struct aduan_mail_response *r) {
    static const char *const states[] = { "accepted", "before dot", "after dot" };

    (void)arg;
    print(json_pack("{s:s, s:i, s:s}", "state", states[r->state], "code", r->code, "text", r->text));
}

static struct aduan_secret secret(const char *name) {
    const char *s = option(name);

    return (struct aduan_secret){ (char *)(uintptr_t)s, s != NULL ? strlen(s) : 0 };
}

static struct text read_input(void) {
    struct text t = TEXT_INIT;
    char buf[65536];
    size_t got;

    while ((got = fread(buf, 1, sizeof(buf), stdin)) > 0)
        text_add_n(&t, buf, got);
    return t;
}

static void start_http(struct net *n) {
    struct aduan_secret bearer = secret("bearer");
    struct aduan_http_request r = { .method = arguments[2], .url = arguments[3], .bearer = &bearer };
    struct text input = TEXT_INIT;

    run_before(n);
    r.body = option("body");
    if (r.body != NULL && strcmp(r.body, "-") == 0) {
        input = read_input();
        r.body = input.s;
    }
    r.body_len = input.len > 0 ? input.len : r.body != NULL ? strlen(r.body) : 0;
    r.foreign_url = number("foreign") == 1;
    r.same_host = option("same");
    r.to_blob = number("blob") == 1;
    r.max_bytes = number("max");
    r.timeout_ms = number("timeout");
    net_http(n, &r, http_done, NULL);
    text_free(&input);
}

static void start_mail(struct net *n) {
    struct aduan_secret password = secret("password"), bearer = secret("bearer");
    struct aduan_mail_request r = { .url = arguments[2],
                                    .from = "kantor@example.org",
                                    .to = "budi@example.org" };
    struct text mail = read_input();

    r.user = option("user");
    r.password = &password;
    r.bearer = &bearer;
    r.bytes = mail.s;
    r.len = mail.len;
    r.timeout_ms = number("timeout");
    net_mail(n, &r, mail_done, NULL);
    text_free(&mail);
}

int main(int argc, char **argv) {
    struct net_options o = { 0 };
    struct net *n;

    argument_count = argc;
    arguments = argv;
    if (argc < 3)
        return 2;
    o.tls_ca = option("ca");
    if (option("store") != NULL && blob_store_open(option("store"), &o.blobs) < 0)
        return 1;
    n = net_new(&o);
    if (strcmp(argv[1], "http") == 0)
        start_http(n);
    else
        start_mail(n);
    while (!done) {
        net_perform(n);
        if (!done)
            net_wait(n, NULL, NULL, 0, NULL, 200);
    }
    net_free(n);
    if (o.blobs != NULL)
        blob_store_close(o.blobs);
    return 0;
}
