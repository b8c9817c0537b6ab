/* test_gateway_conn.c: a connection without a socket: pieces, pipelining, late answers, deadlines, bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/kit/text.h"
#include "daemon/server_conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POST(body_len, body) "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " #body_len "\r\n\r\n" body

struct rig {
    struct conn_env env;
    struct conn *conn;
    size_t memory, busy;
    struct text out;
    bool blocked, held, finished, aborted; /* blocked: writes are taken but not out */
    struct server_call *kept[8];
    size_t kept_count, seen;
};

static bool io_write(void *io, const void *bytes, size_t n) {
    struct rig *r = io;

    text_add_n(&r->out, bytes, n);
    return !r->blocked;
}

static void io_hold(void *io, bool on) {
    ((struct rig *)io)->held = on;
}

static void io_finish(void *io) {
    ((struct rig *)io)->finished = true;
}

static void io_abort(void *io) {
    ((struct rig *)io)->aborted = true;
}

static const struct conn_io io = { io_write, io_hold, io_finish, io_abort };

static void echo(void *arg, struct server_call *call, const struct server_request *r) {
    struct server_answer a = { .status = 200, .body = r->body, .body_len = r->body_len };

    ((struct rig *)arg)->seen++;
    server_answer(call, &a);
}

static void keep(void *arg, struct server_call *call, const struct server_request *r) {
    struct rig *rig = arg;

    (void)r;
    rig->kept[rig->kept_count++] = call;
}

static struct server_route routes[] = {
    { "POST", "/echo", echo, NULL },
    { "POST", "/keep", keep, NULL },
    { "GET", "/under/", echo, NULL },
};

static struct rig *rig_new(void) {
    struct rig *r = xcalloc(1, sizeof(*r));
    size_t i;

    for (i = 0; i < 3; i++)
        routes[i].arg = r;
    r->env = (struct conn_env){ .routes = routes, .route_count = 3, .memory = &r->memory, .busy = &r->busy };
    conn_limits_default(&r->env.limits);
    r->conn = conn_new(&r->env, &io, r, "192.0.2.1", false, 1000);
    return r;
}

static void rig_free(struct rig *r) {
    conn_free(r->conn);
    assert_int_equal(r->memory, 0);
    assert_int_equal(r->busy, 0);
    text_free(&r->out);
    free(r);
}

static void input(struct rig *r, const char *s) {
    conn_input(r->conn, s, strlen(s), 1000);
}

static void answer(struct server_call *call, const char *body) {
    struct server_answer a = { .status = 200, .body = body, .body_len = strlen(body) };

    server_answer(call, &a);
}

static size_t count(const struct rig *r, const char *needle) {
    const char *p = r->out.s != NULL ? r->out.s : "";
    size_t n = 0;

    for (; (p = strstr(p, needle)) != NULL; p++)
        n++;
    return n;
}

static void expect(const struct rig *r, const char *start) {
    if (r->out.s == NULL || strncmp(r->out.s, start, strlen(start)) != 0)
        fail_msg("\"%s\" instead of \"%s\"", r->out.s != NULL ? r->out.s : "", start);
}

static void test_one_byte_at_a_time(void **state) {
    static const char bytes[] =
        POST(5, "hello") "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "3\r\nwor\r\n2\r\nld\r\n0\r\n\r\n";
    struct rig *r = rig_new();
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bytes) - 1; i++)
        conn_input(r->conn, bytes + i, 1, 1000);
    assert_int_equal(r->seen, 2);
    assert_non_null(strstr(r->out.s, "\r\n\r\nhelloHTTP/1.1 200 OK\r\n"));
    assert_true(text_ends(r->out.s, "\r\n\r\nworld"));
    assert_true(conn_idle(r->conn));
    rig_free(r);
}

static void test_pipelined_wait_in_line(void **state) {
    struct rig *r = rig_new();

    (void)state;
    input(r, "POST /keep HTTP/1.1\r\nHost: x\r\n\r\nPOST /keep HTTP/1.1\r\nHost: x\r\n\r\n" POST(1, "z"));
    assert_int_equal(r->kept_count, 1); /* one at a time */
    answer(r->kept[0], "first");
    assert_int_equal(r->kept_count, 2);
    answer(r->kept[1], "second");
    assert_int_equal(r->seen, 1);
    assert_int_equal(count(r, "HTTP/1.1 200 OK"), 3);
    assert_true(strstr(r->out.s, "first") < strstr(r->out.s, "second"));
    rig_free(r);
}

static void test_client_gone_before_the_answer(void **state) {
    struct rig *r = rig_new();

    (void)state;
    input(r, "POST /keep HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    assert_int_equal(r->memory, 3);
    r->conn = conn_free(r->conn);
    assert_true(server_gone(r->kept[0]));
    answer(r->kept[0], "into the void");
    assert_int_equal(r->out.len, 0);
    rig_free(r);
}

static void test_client_gone_in_the_body(void **state) {
    struct rig *r = rig_new();

    (void)state;
    input(r, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\nabc");
    assert_int_equal(r->memory, 3);
    rig_free(r); /* which checks that nothing is held any more */
}

static void test_sends_ahead_is_held(void **state) {
    struct rig *r = rig_new();
    char bytes[70000];

    (void)state;
    input(r, "POST /keep HTTP/1.1\r\nHost: x\r\n\r\n");
    memset(bytes, 'x', sizeof(bytes));
    conn_input(r->conn, bytes, sizeof(bytes), 1000);
    assert_true(r->held);
    answer(r->kept[0], "");
    assert_int_equal(count(r, "HTTP/1.1 431"), 1); /* what was ahead is no request */
    assert_false(r->held);
    rig_free(r);
}

static void test_refusals(void **state) {
    static const struct {
        const char *bytes, *status;
        bool closes;
    } cases[] = {
        { "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ", false },
        { "HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405 ", false },
        { "OPTIONS /echo HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405 ", false },
        { "TRACE /echo HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405 ", false },
        { "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ", false },
        { "POST /ech HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ", false },
        { "POST /echo/ HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ", false },
        { "GET /under/x HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ", false },
        { "GET /under HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ", false },
        { "nonsense\r\n\r\n", "HTTP/1.1 400 ", true },
        { "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4194305\r\n\r\n", "HTTP/1.1 413 ", true },
        { "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n400001\r\n", "HTTP/1.1 413 ",
          true },
        { "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 ", true },
        { "POST /echo HTTP/1.0\r\n\r\n", "HTTP/1.1 200 ", true },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig *r = rig_new();

        input(r, cases[i].bytes);
        if (cases[i].closes)
            input(r, "POST /echo HTTP/1.1\r\nHost: x\r\n\r\n");
        expect(r, cases[i].status);
        assert_int_equal(r->finished, cases[i].closes);
        assert_int_equal(count(r, "HTTP/1.1"), 1); /* nothing after a close is read */
        assert_int_equal(count(r, "Server:"), 0);
        rig_free(r);
    }
}

static void test_405_names_what_is_allowed(void **state) {
    struct rig *r = rig_new();

    (void)state;
    input(r, "PUT /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(count(r, "Allow: POST\r\n"), 1);
    rig_free(r);
}

static void test_expect_continue(void **state) {
    struct rig *r = rig_new();

    (void)state;
    input(r, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    assert_string_equal(r->out.s, "HTTP/1.1 100 Continue\r\n\r\n");
    input(r, "ab");
    assert_int_equal(count(r, "HTTP/1.1 200"), 1);
    text_reset(&r->out);
    input(r, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4194305\r\nExpect: 100-continue\r\n\r\n");
    expect(r, "HTTP/1.1 413"); /* before the client sends it all */
    rig_free(r);
}

static void test_deadlines(void **state) {
    struct rig *r = rig_new();

    (void)state;
    conn_tick(r->conn, 1000 + r->env.limits.idle_ms);
    assert_true(r->aborted); /* said nothing at all: no answer */
    assert_int_equal(r->out.len, 0);
    rig_free(r);

    r = rig_new();
    input(r, "POST /ec");
    conn_input(r->conn, "h", 1, 1000 + r->env.limits.head_ms - 1); /* dripping does not help */
    conn_tick(r->conn, 1000 + r->env.limits.head_ms);
    expect(r, "HTTP/1.1 408");
    rig_free(r);

    r = rig_new();
    input(r, POST(1000000, "x"));
    conn_tick(r->conn, 1000 + r->env.limits.body_ms - 1);
    assert_int_equal(r->out.len, 0);
    conn_tick(r->conn, 1000 + r->env.limits.body_ms + 1);
    expect(r, "HTTP/1.1 408");
    rig_free(r);

    r = rig_new();
    r->blocked = true;
    input(r, POST(1, "x") POST(1, "y"));
    assert_int_equal(r->seen, 1); /* no second answer on top of one that is not out */
    conn_tick(r->conn, 1000 + r->env.limits.write_ms);
    assert_true(r->aborted);
    rig_free(r);
}

static void test_drained_goes_on(void **state) {
    struct rig *r = rig_new();

    (void)state;
    r->blocked = true;
    input(r, POST(1, "x") POST(1, "y"));
    conn_drained(r->conn, 1001);
    assert_int_equal(r->seen, 2);
    r->blocked = false;
    conn_drained(r->conn, 1002);
    assert_true(conn_idle(r->conn));
    rig_free(r);
}

static void test_memory_is_bounded(void **state) {
    struct rig *r = rig_new();

    (void)state;
    r->memory = r->env.limits.memory_max; /* others hold it all */
    input(r, POST(5, "hello"));
    expect(r, "HTTP/1.1 503");
    assert_int_equal(r->memory, r->env.limits.memory_max);
    r->memory = 0;
    rig_free(r);
}

static void test_last_request_is_finished(void **state) {
    struct rig *r = rig_new();

    (void)state;
    input(r, "POST /keep HTTP/1.1\r\nHost: x\r\n\r\n");
    conn_last(r->conn);
    assert_false(r->finished);
    answer(r->kept[0], "kept");
    assert_int_equal(count(r, "Connection: close\r\n"), 1);
    assert_true(r->finished);
    rig_free(r);

    r = rig_new();
    conn_last(r->conn);
    assert_true(r->finished); /* idle: at once */
    rig_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_byte_at_a_time),
        cmocka_unit_test(test_pipelined_wait_in_line),
        cmocka_unit_test(test_client_gone_before_the_answer),
        cmocka_unit_test(test_client_gone_in_the_body),
        cmocka_unit_test(test_sends_ahead_is_held),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_405_names_what_is_allowed),
        cmocka_unit_test(test_expect_continue),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_drained_goes_on),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_last_request_is_finished),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
