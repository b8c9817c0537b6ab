/*
 * fuzz_http.c: any bytes on a connection, in any pieces.
 *
 * The first byte says how the rest is cut. Fed whole and fed in pieces, the
 * same bytes must give the same requests: a difference is a way to smuggle.
 */
#include "connectors/kit/text.h"
#include "daemon/server_conn.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct text requests; /* what the handler saw, written down */
    size_t memory, busy;
    bool closed;
};

static bool io_write(void *io, const void *bytes, size_t n) {
    const char *s = bytes;

    (void)io;
    if (n < 12 || strncmp(s, "HTTP/1.1 ", 9) != 0)
        abort();
    return true;
}

static void io_hold(void *io, bool on) {
    (void)io;
    (void)on;
}

static void io_end(void *io) {
    ((struct run *)io)->closed = true;
}

static void handle(void *arg, struct server_call *call, const struct server_request *r) {
    struct run *run = arg;
    struct server_answer a = { .status = 200 };
    size_t i;

    if (strlen(r->body) > r->body_len || r->path[0] != '/' || strstr(r->path, "/../") != NULL)
        abort();
    text_addf(&run->requests, "%s %s?%s\n", r->method, r->path, r->query);
    for (i = 0; i < r->header_count; i++)
        text_addf(&run->requests, "%s: %s\n", r->headers[i].name, r->headers[i].value);
    text_add_n(&run->requests, r->body, r->body_len);
    server_answer(call, &a);
}

static void feed(struct run *run, const uint8_t *data, size_t size, size_t step) {
    static const struct conn_io io = { io_write, io_hold, io_end, io_end };
    struct server_route routes[] = { { "POST", "/", handle, run }, { "GET", "/", handle, run } };
    struct conn_env env = { .routes = routes, .route_count = 2, .memory = &run->memory, .busy = &run->busy };
    struct conn *c;
    size_t at, n;

    env.limits.body_max = 1000;
    conn_limits_default(&env.limits);
    c = conn_new(&env, &io, run, "192.0.2.1", false, 1);
    for (at = 0; at < size && !run->closed; at += n) {
        n = size - at < step ? size - at : step;
        conn_input(c, data + at, n, 1);
    }
    conn_free(c);
    if (run->memory != 0 || run->busy != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct run whole = { 0 }, pieces = { 0 };

    if (size < 2)
        return 0;
    feed(&whole, data + 1, size - 1, size);
    feed(&pieces, data + 1, size - 1, (size_t)data[0] % 64 + 1);
    if (whole.requests.len != pieces.requests.len ||
        (whole.requests.len > 0 && memcmp(whole.requests.s, pieces.requests.s, whole.requests.len) != 0))
        abort();
    text_free(&whole.requests);
    text_free(&pieces.requests);
    return 0;
}
