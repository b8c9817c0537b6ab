/* server_http.c: takes HTTP/1.1 requests apart, strictly; see server_http.h. */
#include "daemon/server_http.h"

#include <string.h>
#include <strings.h>

enum { BAD = 400, METHOD_MAX = 24, CHUNK_LINE_MAX = 512, CHUNK_DIGITS = 8, TRAILERS_MAX = 32 };

static bool is_token(const char *s, size_t n) {
    size_t i;

    for (i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];

        if (c <= 0x20 || c >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", c) != NULL)
            return false;
    }
    return n > 0;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* --------------------------------------------------------------------- head */

int http_head_find(const char *bytes, size_t n, size_t max, size_t *scan, size_t *ret_len) {
    size_t from = *scan > 3 ? *scan - 3 : 0;
    const char *end = memmem(bytes + from, n - from, "\r\n\r\n", 4);

    if (end != NULL && (size_t)(end - bytes) + 4 <= max) {
        *ret_len = (size_t)(end - bytes) + 4;
        return 0;
    }
    *scan = n;
    return n >= max || end != NULL ? 431 : HTTP_MORE;
}

/* The next line, ended in place; NULL when it has a bare line feed or a control character. */
static char *take_line(char **at, size_t *ret_len) {
    char *line = *at, *p = line;

    while (*p != '\r') {
        unsigned char c = (unsigned char)*p;

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return NULL;
        p++;
    }
    if (p[1] != '\n')
        return NULL;
    *p = '\0';
    *ret_len = (size_t)(p - line);
    *at = p + 2;
    return line;
}

/* Percent-decodes and refuses what names something else than it shows. */
static int decode_path(char *path) {
    char *out = path, *p;

    for (p = path; *p != '\0'; p++) {
        int high, low, c = (unsigned char)*p;

        if (c == '%') {
            high = hex_value(p[1]);
            low = high >= 0 ? hex_value(p[2]) : -1;
            if (low < 0)
                return BAD;
            c = high * 16 + low;
            if (c < 0x20 || c == 0x7f || c == '/' || c == '\\')
                return BAD;
            p += 2;
        }
        *out++ = (char)c;
    }
    *out = '\0';
    for (p = path; (p = strstr(p, "/.")) != NULL; p++)
        if (p[2] == '\0' || p[2] == '/' || (p[2] == '.' && (p[3] == '\0' || p[3] == '/')))
            return BAD;
    return 0;
}

static int parse_target(char *target, struct http_head *head) {
    static char none[] = "";
    char *p;

    for (p = target; *p != '\0'; p++)
        if (*p <= 0x20 || *p >= 0x7f || *p == '#') /* char is signed: also what is above 0x7f */
            return BAD;
    if ((size_t)(p - target) > HTTP_TARGET_MAX)
        return 414;
    if (text_starts_nocase(target, "http://") || text_starts_nocase(target, "https://")) {
        target = strchr(strstr(target, "//") + 2, '/');
        if (target == NULL)
            return BAD;
    }
    head->path = target;
    head->query = none;
    if (strcmp(target, "*") == 0)
        return 0;
    if (target[0] != '/')
        return BAD;
    p = strchr(target, '?');
    if (p != NULL) {
        *p = '\0';
        head->query = p + 1;
    }
    return decode_path(target);
}

static int parse_request_line(char *line, struct http_head *head) {
    char *target = strchr(line, ' ');
    char *version = target != NULL ? strchr(target + 1, ' ') : NULL;

    if (version == NULL)
        return BAD;
    *target++ = '\0';
    *version++ = '\0';
    head->method = line;
    if (strlen(line) > METHOD_MAX || !is_token(line, strlen(line)))
        return BAD;
    if (strcmp(version, "HTTP/1.1") == 0)
        head->keep_alive = true;
    else if (strcmp(version, "HTTP/1.0") != 0)
        return strncmp(version, "HTTP/", 5) == 0 && strlen(version) == 8 && version[6] == '.' &&
                       version[5] >= '2' && version[5] <= '9'
                   ? 505
                   : BAD;
    return parse_target(target, head);
}

static int parse_header(char *line, size_t len, struct http_head *head) {
    char *colon = memchr(line, ':', len);
    char *value, *end, *p;

    if (colon == NULL || !is_token(line, (size_t)(colon - line)))
        return BAD; /* also a folded line: it begins with white space */
    if (head->header_count == HTTP_HEADERS_MAX)
        return 431;
    *colon = '\0';
    for (p = line; *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + ('a' - 'A'));
    for (value = colon + 1; *value == ' ' || *value == '\t'; value++)
        ;
    for (end = line + len; end > value && (end[-1] == ' ' || end[-1] == '\t'); end--)
        ;
    *end = '\0';
    head->headers[head->header_count++] = (struct server_header){ line, value };
    return 0;
}

static int parse_length(const char *value, uint64_t *ret) {
    uint64_t n = 0;
    const char *p;

    for (p = value; *p >= '0' && *p <= '9'; p++)
        n = n * 10 + (uint64_t)(*p - '0');
    if (p == value || *p != '\0' || p - value > 18)
        return BAD;
    *ret = n;
    return 0;
}

static bool list_has(const char *list, const char *word) {
    size_t n = strlen(word);
    const char *p = list;

    while (*p != '\0') {
        p += strspn(p, ", \t");
        if (strncasecmp(p, word, n) == 0 && strchr(", \t", p[n]) != NULL)
            return true;
        p += strcspn(p, ",");
    }
    return false;
}

struct framing {
    unsigned hosts, lengths, encodings;
    bool http10;
};

static int note_header(const struct server_header *h, struct http_head *head, struct framing *f) {
    if (strcmp(h->name, "host") == 0) {
        f->hosts++;
        return strpbrk(h->value, " \t,/@") != NULL ? BAD : 0;
    }
    if (strcmp(h->name, "content-length") == 0) {
        f->lengths++;
        return parse_length(h->value, &head->length);
    }
    if (strcmp(h->name, "transfer-encoding") == 0) {
        f->encodings++;
        head->chunked = strcasecmp(h->value, "chunked") == 0;
        return head->chunked ? 0 : 501;
    }
    if (strcmp(h->name, "expect") == 0) {
        head->expect_continue = strcasecmp(h->value, "100-continue") == 0;
        return head->expect_continue ? 0 : 417;
    }
    if (strcmp(h->name, "connection") == 0 && list_has(h->value, "close"))
        head->keep_alive = false;
    else if (strcmp(h->name, "connection") == 0 && f->http10 && list_has(h->value, "keep-alive"))
        head->keep_alive = true;
    return 0;
}

/* How long the body is must be said once and in one way. */
static int check_framing(const struct http_head *head, const struct framing *f) {
    if (f->hosts > 1 || (f->hosts == 0 && !f->http10))
        return BAD;
    if (f->lengths > 1 || f->encodings > 1 || (f->lengths > 0 && f->encodings > 0))
        return BAD;
    if (head->chunked && f->http10)
        return BAD;
    return 0;
}

int http_head_parse(char *bytes, size_t len, struct http_head *head) {
    struct framing f = { 0 };
    char *at = bytes, *end = bytes + len, *line;
    size_t n, i;
    int r;

    head->header_count = 0;
    head->keep_alive = head->chunked = head->expect_continue = false;
    head->length = 0;
    if (len >= 4 && at[0] == '\r' && at[1] == '\n')
        at += 2; /* RFC 9112 2.2: one empty line before a request is forgiven */
    line = take_line(&at, &n);
    r = line == NULL || n == 0 ? BAD : parse_request_line(line, head);
    if (r != 0)
        return r;
    f.http10 = !head->keep_alive;
    while (at < end) {
        line = take_line(&at, &n);
        if (line == NULL)
            return BAD;
        if (n == 0)
            break;
        r = parse_header(line, n, head);
        if (r != 0)
            return r;
    }
    if (at != end)
        return BAD;
    for (i = 0; i < head->header_count; i++) {
        r = note_header(&head->headers[i], head, &f);
        if (r != 0)
            return r;
    }
    return check_framing(head, &f);
}

/* ------------------------------------------------------------------- chunks */

enum chunk_state { SIZE = 0, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILER, TRAILER_LF, DONE };

static int chunk_size(struct http_chunked *c, char b) {
    int digit = hex_value(b);

    if (digit >= 0) {
        if (++c->line > CHUNK_DIGITS)
            return BAD;
        c->left = c->left * 16 + (uint64_t)digit;
        return 0;
    }
    if (c->line == 0 || (b != ';' && b != '\r'))
        return BAD;
    c->line = 0;
    c->state = b == ';' ? EXTENSION : SIZE_LF;
    return 0;
}

/* Inside an extension or trailer: plain text up to a carriage return, of bounded length. */
static int chunk_text(struct http_chunked *c, char b, int next) {
    unsigned char u = (unsigned char)b;

    if (b == '\r') {
        c->state = next;
        return 0;
    }
    if ((u < 0x20 && b != '\t') || u == 0x7f || ++c->line > CHUNK_LINE_MAX)
        return BAD;
    return 0;
}

static int chunk_line_feed(struct http_chunked *c, char b) {
    if (b != '\n')
        return BAD;
    switch (c->state) {
    case SIZE_LF:
        c->state = c->left > 0 ? DATA : TRAILER;
        break;
    case DATA_LF:
        c->state = SIZE;
        break;
    default: /* TRAILER_LF: an empty line ends it; otherwise that was a trailer, which nobody asked for */
        c->state = c->line == 0 ? DONE : TRAILER;
        if (++c->left > TRAILERS_MAX)
            return BAD;
    }
    c->line = 0;
    return 0;
}

static int chunk_byte(struct http_chunked *c, char b) {
    switch (c->state) {
    case SIZE:
        return chunk_size(c, b);
    case EXTENSION:
        return chunk_text(c, b, SIZE_LF);
    case DATA_CR:
        c->state = DATA_LF;
        return b == '\r' ? 0 : BAD;
    case TRAILER:
        return chunk_text(c, b, TRAILER_LF);
    default:
        return chunk_line_feed(c, b);
    }
}

int http_chunked_feed(struct http_chunked *c, const char *bytes, size_t n, struct text *body, size_t max,
                      size_t *ret_used) {
    size_t i = 0, take;
    int r;

    while (i < n && c->state != DONE) {
        if (c->state != DATA) {
            r = chunk_byte(c, bytes[i++]);
            if (r != 0)
                return r;
            continue;
        }
        take = n - i < c->left ? n - i : (size_t)c->left;
        if (take > max - body->len || c->left > max)
            return 413;
        text_add_n(body, bytes + i, take);
        i += take;
        c->left -= take;
        if (c->left == 0)
            c->state = DATA_CR;
    }
    *ret_used = i;
    return c->state == DONE ? 0 : HTTP_MORE;
}

/* ------------------------------------------------------------------- status */

const char *http_reason(int status) {
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        { 200, "OK" },
        { 201, "Created" },
        { 204, "No Content" },
        { 302, "Found" },
        { 303, "See Other" },
        { 304, "Not Modified" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 417, "Expectation Failed" },
        { 422, "Unprocessable Content" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
        { 505, "HTTP Version Not Supported" },
    };
    size_t i;

    for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}
