/* server_conn.c: one HTTP connection as a state machine; see server_conn.h. */
#include "daemon/server_conn.h"

#include "daemon/server_http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define BODY_RATE 32          /* bytes per ms that a body must come with, beyond the grace */
#define KEEP_ROOM 8192        /* an idle connection keeps no larger buffer */
#define AHEAD_MAX (64 * 1024) /* what a client may send ahead of its answer before it is held */

enum conn_state { IDLE, HEAD, BODY, CALL, WRITE, CLOSING };

struct conn {
    const struct conn_env *env;
    const struct conn_io *ops;
    void *io;
    char *peer;
    bool peer_local;
    enum conn_state state;
    int64_t since, deadline, body_since;
    struct text in;  /* what came and is not used yet */
    struct text out; /* an answer while it is written; kept for the next one */
    size_t scan;     /* how far the end of the head was looked for */
    struct server_call *call;
    struct http_chunked chunked;
    bool running; /* inside advance(): an answer from a handler must not run it again */
    bool last, held, counted;
    int64_t now; /* of the event being served */
};

struct server_call {
    struct conn *conn; /* NULL: the client has gone */
    size_t *memory;
    char *bytes; /* of the head, taken apart */
    struct http_head head;
    struct text body;
    struct server_request request;
};

void conn_limits_default(struct server_limits *l) {
    static const struct server_limits usual = {
        .head_max = 32 * 1024,
        .body_max = 4 * 1024 * 1024,
        .memory_max = 64 * 1024 * 1024,
        .connections = 1024,
        .idle_ms = 75 * 1000,
        .head_ms = 10 * 1000,
        .body_ms = 20 * 1000,
        .write_ms = 30 * 1000,
    };

    l->head_max = l->head_max > 0 ? l->head_max : usual.head_max;
    l->body_max = l->body_max > 0 ? l->body_max : usual.body_max;
    l->memory_max = l->memory_max > 0 ? l->memory_max : usual.memory_max;
    l->connections = l->connections > 0 ? l->connections : usual.connections;
    l->idle_ms = l->idle_ms > 0 ? l->idle_ms : usual.idle_ms;
    l->head_ms = l->head_ms > 0 ? l->head_ms : usual.head_ms;
    l->body_ms = l->body_ms > 0 ? l->body_ms : usual.body_ms;
    l->write_ms = l->write_ms > 0 ? l->write_ms : usual.write_ms;
}

const char *server_request_header(const struct server_request *r, const char *name) {
    size_t i;

    for (i = 0; i < r->header_count; i++)
        if (strcmp(r->headers[i].name, name) == 0)
            return r->headers[i].value;
    return NULL;
}

/* ------------------------------------------------------------------- states */

static void enter(struct conn *c, enum conn_state state, int64_t wait_ms) {
    bool busy = state != IDLE && state != CLOSING;

    if (busy != c->counted)
        *c->env->busy += busy ? 1 : (size_t)-1;
    c->counted = busy;
    c->state = state;
    c->since = c->now;
    c->deadline = wait_ms > 0 ? c->now + wait_ms : 0;
}

static void hold(struct conn *c, bool on) {
    if (c->held != on)
        c->ops->hold(c->io, on);
    c->held = on;
}

static struct server_call *call_free(struct server_call *call) {
    if (call == NULL)
        return NULL;
    *call->memory -= call->body.len;
    text_free(&call->body);
    free(call->bytes);
    free(call);
    return NULL;
}

static void drop_input(struct conn *c, size_t n) {
    c->in.len -= n;
    if (c->in.len > 0)
        memmove(c->in.s, c->in.s + n, c->in.len);
    else if (c->in.room > KEEP_ROOM)
        text_free(&c->in);
    if (c->in.s != NULL)
        c->in.s[c->in.len] = '\0';
    c->scan = 0;
}

/* ------------------------------------------------------------------ answers */

/* The Date header, made once a second. */
static const char *http_date(void) {
    static char line[64];
    static time_t made;
    time_t now = time(NULL);
    struct tm tm;

    if (now != made) {
        gmtime_r(&now, &tm);
        strftime(line, sizeof(line), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
        made = now;
    }
    return line;
}

static void add_number(struct text *t, size_t n) {
    char digits[24], *p = digits + sizeof(digits);

    do
        *--p = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    text_add_n(t, p, (size_t)(digits + sizeof(digits) - p));
}

static void add_headers(struct text *t, const struct conn *c, const struct server_answer *a, bool keep_alive) {
    static const char always[] = "X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n"
                                 "Referrer-Policy: no-referrer\r\nCache-Control: no-store\r\n"
                                 "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n";
    size_t i;

    text_add(t, "HTTP/1.1 ");
    add_number(t, (size_t)a->status);
    text_add_char(t, ' ');
    text_add(t, http_reason(a->status));
    text_add(t, "\r\n");
    text_add(t, http_date());
    text_add_n(t, always, sizeof(always) - 1);
    if (c->env->tls)
        text_add(t, "Strict-Transport-Security: max-age=31536000\r\n");
    if (a->type != NULL)
        text_addf(t, "Content-Type: %s\r\n", a->type);
    for (i = 0; i < a->header_count; i++)
        text_addf(t, "%s: %s\r\n", a->headers[i].name, a->headers[i].value);
    if (a->status != 204 && a->status != 304) {
        text_add(t, "Content-Length: ");
        add_number(t, a->body_len);
        text_add(t, "\r\n");
    }
    text_add(t, keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
}

static void write_answer(struct conn *c, const struct server_answer *a, bool keep_alive, bool head_only) {
    bool out;

    text_reset(&c->out);
    add_headers(&c->out, c, a, keep_alive);
    if (!head_only && a->status != 204 && a->status != 304)
        text_add_n(&c->out, a->body, a->body_len);
    enter(c, WRITE, c->env->limits.write_ms);
    c->last = c->last || !keep_alive;
    out = c->ops->write(c->io, c->out.s, c->out.len);
    if (c->out.room > KEEP_ROOM)
        text_free(&c->out);
    if (!out || c->state != WRITE)
        return;
    if (c->last) {
        enter(c, CLOSING, 0);
        c->ops->finish(c->io);
    } else {
        enter(c, IDLE, c->env->limits.idle_ms);
    }
}

/* The request cannot be believed, or not be read on: say so and close. */
static void refuse(struct conn *c, int status) {
    struct server_answer a = { .status = status };

    c->call = call_free(c->call);
    write_answer(c, &a, false, false);
    text_free(&c->in);
    hold(c, false); /* what still comes is thrown away, so that the answer is not lost to a reset */
}

/* ----------------------------------------------------------------- requests */

static bool route_matches(const struct server_route *r, const char *path) {
    size_t n = strlen(r->prefix);

    if (n > 0 && r->prefix[n - 1] == '/')
        return strncmp(path, r->prefix, n) == 0;
    return strcmp(path, r->prefix) == 0;
}

static void answer_no_route(struct server_call *call, const struct text *allow) {
    struct server_header header = { "Allow", allow->s };
    struct server_answer a = { .status = 404 };

    if (allow->len > 0) {
        a.status = 405;
        a.headers = &header;
        a.header_count = 1;
    }
    server_answer(call, &a);
}

static void dispatch(struct conn *c) {
    const struct conn_env *env = c->env;
    struct server_call *call = c->call;
    struct text allow = TEXT_INIT;
    size_t i;

    call->request.body = call->body.s != NULL ? call->body.s : "";
    call->request.body_len = call->body.len;
    enter(c, CALL, 0);
    for (i = 0; i < env->route_count; i++) {
        const struct server_route *r = &env->routes[i];

        if (!route_matches(r, call->request.path))
            continue;
        if (strcmp(r->method, call->request.method) == 0)
            break;
        if (allow.len > 0)
            text_add(&allow, ", ");
        text_add(&allow, r->method);
    }
    if (i < env->route_count)
        env->routes[i].handler(env->routes[i].arg, call, &call->request);
    else
        answer_no_route(call, &allow);
    text_free(&allow);
}

static void call_new(struct conn *c, size_t head_len) {
    struct server_call *call = xcalloc(1, sizeof(*call));

    call->conn = c;
    call->memory = c->env->memory;
    call->bytes = xcalloc(1, head_len + 1);
    memcpy(call->bytes, c->in.s, head_len);
    c->call = call;
}

static void fill_request(struct conn *c) {
    struct server_call *call = c->call;

    call->request = (struct server_request){
        .method = call->head.method,
        .path = call->head.path,
        .query = call->head.query,
        .headers = call->head.headers,
        .header_count = call->head.header_count,
        .peer = c->peer,
        .peer_local = c->peer_local,
    };
}

/* false: nothing more to do with what is here. */
static bool read_head(struct conn *c) {
    const struct server_limits *l = &c->env->limits;
    size_t len;
    int r;

    if (c->in.len == 0)
        return false;
    if (c->state == IDLE)
        enter(c, HEAD, l->head_ms);
    r = http_head_find(c->in.s, c->in.len, l->head_max, &c->scan, &len);
    if (r == HTTP_MORE)
        return false;
    if (r == 0) {
        call_new(c, len);
        drop_input(c, len);
        r = http_head_parse(c->call->bytes, len, &c->call->head);
    }
    if (r == 0 && c->call->head.length > l->body_max)
        r = 413;
    if (r != 0) {
        refuse(c, r);
        return false;
    }
    fill_request(c);
    enter(c, BODY, l->body_ms);
    c->body_since = c->now;
    memset(&c->chunked, 0, sizeof(c->chunked));
    if (c->call->head.expect_continue && c->in.len == 0)
        c->ops->write(c->io, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    return c->state == BODY;
}

static int take_counted(struct conn *c, size_t *ret_used) {
    struct server_call *call = c->call;
    uint64_t left = call->head.length - call->body.len;
    size_t take = c->in.len < left ? c->in.len : (size_t)left;

    if (take > 0)
        text_add_n(&call->body, c->in.s, take);
    *ret_used = take;
    return call->body.len == call->head.length ? 0 : HTTP_MORE;
}

static bool read_body(struct conn *c) {
    const struct server_limits *l = &c->env->limits;
    struct server_call *call = c->call;
    size_t before = call->body.len, used = 0;
    int r;

    if (call->head.chunked)
        r = http_chunked_feed(&c->chunked, c->in.s != NULL ? c->in.s : "", c->in.len, &call->body, l->body_max,
                              &used);
    else
        r = take_counted(c, &used);
    *call->memory += call->body.len - before;
    if (*call->memory > l->memory_max)
        r = 503;
    if (r != 0 && r != HTTP_MORE) {
        refuse(c, r);
        return false;
    }
    drop_input(c, used);
    c->deadline = c->body_since + l->body_ms + (int64_t)(call->body.len / BODY_RATE);
    if (r == HTTP_MORE)
        return false;
    dispatch(c);
    return true;
}

static void advance(struct conn *c) {
    bool more = true;

    if (c->running)
        return;
    c->running = true;
    while (more) {
        if (c->state == IDLE && c->last && c->in.len == 0) {
            enter(c, CLOSING, 0);
            c->ops->finish(c->io);
        }
        if (c->state == IDLE || c->state == HEAD)
            more = read_head(c);
        else if (c->state == BODY)
            more = read_body(c);
        else
            more = false;
    }
    c->running = false;
    if (c->state != CLOSING)
        hold(c, (c->state == CALL || c->state == WRITE) && c->in.len > AHEAD_MAX);
}

/* ------------------------------------------------------------------- public */

struct conn *conn_new(const struct conn_env *env, const struct conn_io *ops, void *io, const char *peer,
                      bool peer_local, int64_t now) {
    struct conn *c = xcalloc(1, sizeof(*c));

    c->env = env;
    c->ops = ops;
    c->io = io;
    c->peer = xstrdup(peer);
    c->peer_local = peer_local;
    c->now = now;
    enter(c, IDLE, env->limits.idle_ms);
    return c;
}

struct conn *conn_free(struct conn *c) {
    if (c == NULL)
        return NULL;
    enter(c, CLOSING, 0);
    if (c->call != NULL && c->call->request.body != NULL)
        c->call->conn = NULL; /* its handler has it and will answer */
    else
        call_free(c->call);
    text_free(&c->in);
    text_free(&c->out);
    free(c->peer);
    free(c);
    return NULL;
}

void conn_input(struct conn *c, const void *bytes, size_t n, int64_t now) {
    if (c->state == CLOSING || (c->state == WRITE && c->last))
        return;
    c->now = now;
    text_add_n(&c->in, bytes, n);
    advance(c);
}

void conn_drained(struct conn *c, int64_t now) {
    c->now = now;
    if (c->state != WRITE)
        return;
    if (c->last) {
        enter(c, CLOSING, 0);
        c->ops->finish(c->io);
        return;
    }
    enter(c, IDLE, c->env->limits.idle_ms);
    advance(c);
}

void conn_tick(struct conn *c, int64_t now) {
    c->now = now;
    if (c->deadline == 0 || now < c->deadline)
        return;
    if (c->state == HEAD || c->state == BODY)
        refuse(c, 408);
    else
        c->ops->abort(c->io);
}

bool conn_idle(const struct conn *c) {
    return c->state == IDLE && c->in.len == 0;
}

void conn_last(struct conn *c) {
    c->last = true;
    advance(c);
}

int64_t conn_since(const struct conn *c) {
    return c->since;
}

void server_answer(struct server_call *call, const struct server_answer *a) {
    struct conn *c = call->conn;
    bool keep_alive, head_only;

    if (c == NULL) {
        call_free(call);
        return;
    }
    keep_alive = call->head.keep_alive && !c->last;
    head_only = strcmp(call->request.method, "HEAD") == 0;
    c->call = NULL;
    write_answer(c, a, keep_alive, head_only);
    call_free(call);
    advance(c);
}

bool server_gone(const struct server_call *call) {
    return call->conn == NULL;
}
