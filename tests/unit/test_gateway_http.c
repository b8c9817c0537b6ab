/* test_gateway_http.c: what is a request and what is refused, as tables of bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/server_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK "POST /hook/a HTTP/1.1\r\nHost: x\r\n"

struct head_case {
    const char *name, *bytes;
    int status; /* 0: a request */
};

static const struct head_case heads[] = {
    { "plain", OK "\r\n", 0 },
    { "length", OK "Content-Length: 12\r\n\r\n", 0 },
    { "chunked", OK "Transfer-Encoding: chunked\r\n\r\n", 0 },
    { "chunked in capitals", OK "Transfer-Encoding: CHUNKED\r\n\r\n", 0 },
    { "one empty line before", "\r\n" OK "\r\n", 0 },
    { "HTTP/1.0 without a host", "GET / HTTP/1.0\r\n\r\n", 0 },
    { "absolute form", "GET http://x/hook/a?b=c HTTP/1.1\r\nHost: x\r\n\r\n", 0 },
    { "tabs around a value", OK "A:\t b \t\r\n\r\n", 0 },
    { "empty value", OK "A:\r\n\r\n", 0 },
    { "no host", "GET / HTTP/1.1\r\n\r\n", 400 },
    { "two hosts", OK "Host: y\r\n\r\n", 400 },
    { "a list as host", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400 },
    { "host with a user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400 },
    /* request smuggling: the length must be said once and in one way */
    { "length and chunks", OK "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
    { "chunks and length", OK "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400 },
    { "two lengths that differ", OK "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400 },
    { "two lengths that agree", OK "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 400 },
    { "a list of lengths", OK "Content-Length: 3, 3\r\n\r\n", 400 },
    { "a negative length", OK "Content-Length: -1\r\n\r\n", 400 },
    { "a signed length", OK "Content-Length: +3\r\n\r\n", 400 },
    { "a length in hexadecimal", OK "Content-Length: 0x10\r\n\r\n", 400 },
    { "a length with a space inside", OK "Content-Length: 1 0\r\n\r\n", 400 },
    { "an empty length", OK "Content-Length:\r\n\r\n", 400 },
    { "a length beyond 64 bits", OK "Content-Length: 18446744073709551617\r\n\r\n", 400 },
    { "two encodings", OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
    { "an encoding list", OK "Transfer-Encoding: gzip, chunked\r\n\r\n", 501 },
    { "chunked, then identity", OK "Transfer-Encoding: chunked, identity\r\n\r\n", 501 },
    { "an encoding in disguise", OK "Transfer-Encoding: xchunked\r\n\r\n", 501 },
    { "an encoding in quotes", OK "Transfer-Encoding: \"chunked\"\r\n\r\n", 501 },
    { "a vertical tab before chunked",
      OK "Transfer-Encoding: \x0b"
         "chunked\r\n\r\n",
      400 },
    { "a space before the colon", OK "Content-Length : 3\r\n\r\n", 400 },
    { "a tab before the colon", OK "Transfer-Encoding\t: chunked\r\n\r\n", 400 },
    { "a folded line", OK "A: b\r\n c\r\n\r\n", 400 },
    { "a folded encoding", OK "Transfer-Encoding:\r\n chunked\r\n\r\n", 400 },
    { "a first header that is folded", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400 },
    { "a bare line feed", "GET / HTTP/1.1\nHost: x\r\n\r\n", 400 },
    { "a bare line feed in a header", OK "A: b\nContent-Length: 3\r\n\r\n", 400 },
    { "a bare carriage return", OK "A: b\rC: d\r\n\r\n", 400 },
    { "a header without a colon", OK "nonsense\r\n\r\n", 400 },
    { "a header without a name", OK ": b\r\n\r\n", 400 },
    { "a name with a quote", OK "A\"b: c\r\n\r\n", 400 },
    { "a name above ASCII", OK "\xc3\xa9: c\r\n\r\n", 400 },
    { "chunks in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
    /* the request line */
    { "two spaces", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "a tab for a space", "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "a space at the end", "GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400 },
    { "a space in the target", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "HTTP/0.9", "GET /\r\n\r\n", 400 },
    { "HTTP/2", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505 },
    { "HTTP/1.2", "GET / HTTP/1.2\r\nHost: x\r\n\r\n", 400 },
    { "http in small letters", "GET / http/1.1\r\nHost: x\r\n\r\n", 400 },
    { "a version without a dot", "GET / HTTP/11\r\nHost: x\r\n\r\n", 400 },
    { "HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\n", 505 },
    { "TLS to a plain port", "\x16\x03\x01\x02\r\n\r\n", 400 },
    { "a relative target", "GET hook HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "a fragment", "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "a target above ASCII", "GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "an empty method", " / HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "a method with a colon", "GE:T / HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "a very long method", "GETGETGETGETGETGETGETGETGET / HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "two empty lines before", "\r\n\r\n" OK "\r\n", 400 },
    { "an encoded NUL", "GET /a%00b HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "an encoded slash", "GET /a%2fb HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "half an encoding", "GET /a%2 HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "a step up", "GET /hook/../a HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "an encoded step up", "GET /hook/%2e%2E/a HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "a dot at the end", "GET /hook/. HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "dots in a name", "GET /hook/..a/b..c/.d HTTP/1.1\r\nHost: x\r\n\r\n", 0 },
    { "an expectation", OK "Expect: 100-continue\r\n\r\n", 0 },
    { "another expectation", OK "Expect: 200-ok\r\n\r\n", 417 },
};

static int parse(const char *bytes, size_t len, struct http_head *head, char **ret_copy) {
    char *copy = malloc(len + 1);
    size_t scan = 0, head_len = 0;
    int r;

    memcpy(copy, bytes, len);
    copy[len] = '\0';
    *ret_copy = copy;
    r = http_head_find(copy, len, 32768, &scan, &head_len);
    return r == 0 ? http_head_parse(copy, head_len, head) : r;
}

static void test_heads(void **state) {
    struct http_head head;
    size_t i, failed = 0;
    char *copy;
    int r;

    (void)state;
    for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        r = parse(heads[i].bytes, strlen(heads[i].bytes), &head, &copy);
        if (r != heads[i].status) {
            print_error("%s: %d instead of %d\n", heads[i].name, r, heads[i].status);
            failed++;
        }
        free(copy);
    }
    assert_int_equal(failed, 0);
}

/* A NUL anywhere in a head is no string's end to us. */
static void test_nul_anywhere(void **state) {
    static const char whole[] = OK "Content-Length: 5\r\n\r\n";
    struct http_head head;
    char bytes[sizeof(whole)], *copy;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(whole) - 5; i++) {
        memcpy(bytes, whole, sizeof(whole));
        bytes[i] = '\0';
        assert_int_not_equal(parse(bytes, sizeof(whole) - 1, &head, &copy), 0);
        free(copy);
    }
}

static void test_fields(void **state) {
    static const char bytes[] =
        "POST /hook/w%61?hub.mode=a&b=%20 HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256:  sha256=AB \r\n"
        "Content-Length: 007\r\nConnection: Close\r\n\r\n";
    struct http_head head;
    char *copy;

    (void)state;
    assert_int_equal(parse(bytes, sizeof(bytes) - 1, &head, &copy), 0);
    assert_string_equal(head.method, "POST");
    assert_string_equal(head.path, "/hook/wa");
    assert_string_equal(head.query, "hub.mode=a&b=%20");
    assert_string_equal(head.headers[1].name, "x-hub-signature-256");
    assert_string_equal(head.headers[1].value, "sha256=AB");
    assert_int_equal(head.length, 7);
    assert_false(head.keep_alive);
    free(copy);
}

static void test_bounds(void **state) {
    struct text t = TEXT_INIT;
    struct http_head head;
    char *copy;
    int i;

    (void)state;
    text_add(&t, OK);
    for (i = 0; i < HTTP_HEADERS_MAX; i++)
        text_addf(&t, "H%d: v\r\n", i);
    text_add(&t, "\r\n");
    assert_int_equal(parse(t.s, t.len, &head, &copy), 431);
    free(copy);
    text_reset(&t);
    text_add(&t, "GET /");
    for (i = 0; i < 9000; i++)
        text_add_char(&t, 'a');
    text_add(&t, " HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(parse(t.s, t.len, &head, &copy), 414);
    free(copy);
    text_reset(&t);
    text_add(&t, OK "A: ");
    for (i = 0; i < 40000; i++)
        text_add_char(&t, 'a');
    assert_int_equal(parse(t.s, t.len, &head, &copy), 431);
    free(copy);
    text_add(&t, "\r\n\r\n");
    assert_int_equal(parse(t.s, t.len, &head, &copy), 431);
    free(copy);
    text_free(&t);
}

/* ------------------------------------------------------------------- chunks */

struct chunk_case {
    const char *name, *bytes, *body;
    int status;
    size_t rest; /* bytes behind the end that must stay */
};

static const struct chunk_case chunks[] = {
    { "two", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde", 0, 0 },
    { "nothing", "0\r\n\r\n", "", 0, 0 },
    { "pipelined", "1\r\na\r\n0\r\n\r\nGET ", "a", 0, 4 },
    { "many zeros", "00000000\r\n\r\n", "", 0, 0 },
    { "hexadecimal", "A\r\n0123456789\r\n0\r\n\r\n", "0123456789", 0, 0 },
    { "an extension", "1;a=b\r\na\r\n0;x\r\n\r\n", "a", 0, 0 },
    { "a trailer", "1\r\na\r\n0\r\nX: y\r\n\r\n", "a", 0, 0 },
    { "no size", "\r\nabc\r\n0\r\n\r\n", NULL, 400, 0 },
    { "a size with a prefix", "0x3\r\nabc\r\n0\r\n\r\n", NULL, 400, 0 },
    { "a negative size", "-1\r\nabc\r\n0\r\n\r\n", NULL, 400, 0 },
    { "a size with a space", "3 \r\nabc\r\n0\r\n\r\n", NULL, 400, 0 },
    { "a huge size", "FFFFFFFFFFFFFFFF3\r\nabc", NULL, 400, 0 },
    { "a size beyond the bound", "FFFFFFFF\r\nabc", NULL, 413, 0 },
    { "a bare line feed after a size", "3\nabc\r\n0\r\n\r\n", NULL, 400, 0 },
    { "a bare line feed in an extension", "3;a\nb\r\nabc\r\n0\r\n\r\n", NULL, 400, 0 },
    { "too long for its size", "3\r\nabcd\r\n0\r\n\r\n", NULL, 400, 0 },
    { "no line end after the data", "3\r\nabc0\r\n\r\n", NULL, 400, 0 },
    { "a carriage return twice", "3\r\r\nabc\r\n0\r\n\r\n", NULL, 400, 0 },
    { "a bare line feed in a trailer", "0\r\nX: y\n\r\n", NULL, 400, 0 },
};

static void feed(const struct chunk_case *c, size_t step) {
    struct http_chunked chunked = { 0 };
    struct text body = TEXT_INIT;
    size_t len = strlen(c->bytes), at = 0, used = 0, n;
    int r = HTTP_MORE;

    while (r == HTTP_MORE && at < len) {
        n = len - at < step ? len - at : step;
        r = http_chunked_feed(&chunked, c->bytes + at, n, &body, 1000, &used);
        at += r == 0 || r == HTTP_MORE ? used : 0;
    }
    if (r != c->status)
        fail_msg("%s, %zu at a time: %d instead of %d", c->name, step, r, c->status);
    if (r == 0) {
        assert_string_equal(body.s != NULL ? body.s : "", c->body);
        assert_int_equal(len - at, c->rest);
    }
    text_free(&body);
}

static void test_chunks_in_any_pieces(void **state) {
    size_t i, step;

    (void)state;
    for (i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++)
        for (step = 1; step <= strlen(chunks[i].bytes); step++)
            feed(&chunks[i], step);
}

static void test_chunks_have_bounds(void **state) {
    struct http_chunked c = { 0 };
    struct text body = TEXT_INIT;
    char bytes[20000];
    size_t used;
    int i, r = HTTP_MORE;

    (void)state;
    for (i = 0; i < 2000 && r == HTTP_MORE; i++)
        r = http_chunked_feed(&c, "1\r\na\r\n", 6, &body, 1000, &used);
    assert_int_equal(r, 413);
    assert_int_equal(body.len, 1000); /* and never a byte more */
    text_reset(&body);
    memset(&c, 0, sizeof(c));
    memset(bytes, 'x', sizeof(bytes));
    assert_int_equal(http_chunked_feed(&c, "1;", 2, &body, 1000, &used), HTTP_MORE);
    assert_int_equal(http_chunked_feed(&c, bytes, sizeof(bytes), &body, 1000, &used), 400);
    memset(&c, 0, sizeof(c));
    assert_int_equal(http_chunked_feed(&c, "0\r\n", 3, &body, 1000, &used), HTTP_MORE);
    for (i = 0, r = HTTP_MORE; i < 100 && r == HTTP_MORE; i++)
        r = http_chunked_feed(&c, "X: y\r\n", 6, &body, 1000, &used);
    assert_int_equal(r, 400);
    text_free(&body);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_nul_anywhere),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_chunks_in_any_pieces),
        cmocka_unit_test(test_chunks_have_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
