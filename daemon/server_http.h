/*
 * server_http.h: HTTP/1.1 requests as bytes: pure, strict, fed in pieces.
 *
 * Strict because a proxy stands in front: a message that it and we could cut
 * at different places (two lengths, a length and chunks, bare line feeds,
 * folded lines, spaces before a colon) is an attack or a fault, never a
 * request. Functions return 0, HTTP_MORE, or the status to refuse with.
 */
#ifndef ADUAN_SERVER_HTTP_H
#define ADUAN_SERVER_HTTP_H

#include "connectors/kit/text.h"
#include "daemon/server.h"

enum { HTTP_MORE = 1 };
enum { HTTP_HEADERS_MAX = 100, HTTP_TARGET_MAX = 8192 };

struct http_head {
    char *method, *path, *query;
    struct server_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    bool keep_alive, chunked, expect_continue;
    uint64_t length; /* Content-Length, 0 if none */
};

/* Is there a whole head in the first n bytes? *scan remembers how far was looked (0 at first).
 * 0 and *ret_len (with the empty line), HTTP_MORE, or 431 when it is longer than max. */
int http_head_find(const char *bytes, size_t n, size_t max, size_t *scan, size_t *ret_len);
/* Takes a head apart in place: *head points into bytes, which must live as long and end in a NUL. */
int http_head_parse(char *bytes, size_t len, struct http_head *head);

/* Chunked bodies. All-zero is the beginning. */
struct http_chunked {
    int state;
    uint64_t left;
    size_t line; /* length of the line being read */
};
/* Appends what it decodes to body; *ret_used bytes of the n were taken. 0 at the end of the body,
 * HTTP_MORE, 400, or 413 when the body is longer than max. */
int http_chunked_feed(struct http_chunked *c, const char *bytes, size_t n, struct text *body, size_t max,
                      size_t *ret_used);

const char *http_reason(int status);

#endif
