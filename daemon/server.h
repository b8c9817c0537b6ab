/*
 * server.h: one HTTP/1.1 server for webhooks, metrics and the officers' console.
 *
 * A server is one loop in one process: any number of listeners, each with its
 * own routes, file descriptors that others want watched, and ticks. It asks
 * libwebsockets to wait, to do TLS and to write; it reads HTTP itself, strictly:
 * what two readers could understand differently is refused (400), a body over
 * its bound is refused (413) and never cut.
 *
 * A handler answers at once or keeps the call and answers later; the client may
 * be gone by then, which server_answer() takes care of. One request at a time
 * runs on a connection, pipelined ones wait in line.
 *
 * Room for later: an Upgrade (the console's WebSocket) can take a connection
 * over from server_conn where the head has been read.
 */
#ifndef ADUAN_SERVER_H
#define ADUAN_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server;
struct server_listener;
struct server_call;
struct server_watch;

struct server_header {
    const char *name, *value;
};

/* A whole request. Lives until server_answer() of its call. */
struct server_request {
    const char *method;
    const char *path;  /* percent-decoded; begins with '/'; no "." or ".." segment, no control character */
    const char *query; /* as sent, "" if none */
    const struct server_header *headers; /* names in lower case, in the order they came */
    size_t header_count;
    const void *body; /* NUL-terminated beyond body_len */
    size_t body_len;
    const char *peer; /* address without port; "unix" */
    bool peer_local;  /* loopback or a unix socket: a proxy of ours, or ourselves */
};

const char *server_request_header(const struct server_request *r, const char *name); /* NULL: absent */

struct server_answer {
    int status;
    const char *type;                    /* of the body; NULL: none is named */
    const struct server_header *headers; /* more of them */
    size_t header_count;
    const void *body;
    size_t body_len;
};

/* Called once for each request that matches. Must end in exactly one server_answer(call), from
 * within or later. Must not block. */
typedef void (*server_handler)(void *arg, struct server_call *call, const struct server_request *r);

/* Routes are tried in order; a prefix that ends in '/' matches what begins with it, another only
 * the whole path. A path that matches under other methods only: 405 with Allow; none: 404. */
struct server_route {
    const char *method;
    const char *prefix;
    server_handler handler;
    void *arg;
};

struct server_limits {
    size_t head_max;      /* 0: 32 KiB: request line and headers together */
    size_t body_max;      /* 0: 4 MiB */
    size_t memory_max;    /* 0: 64 MiB: bodies being received, all connections together */
    unsigned connections; /* 0: 1024; at the bound the longest idle one goes */
    int64_t idle_ms;      /* 0: 75 s between requests */
    int64_t head_ms;      /* 0: 10 s for a head, from its first byte */
    int64_t body_ms;      /* 0: 20 s for a body, and what 32 KiB/s need beyond */
    int64_t write_ms;     /* 0: 30 s for a client that does not take its answer */
};

struct server_options {
    const char *listen;                /* host:port, [v6]:port, :port (all addresses), unix:/path */
    const char *tls_cert, *tls_key;    /* both or neither ("" or NULL) */
    const struct server_route *routes; /* live as long as the listener */
    size_t route_count;
    struct server_limits limits;
};

/* NULL with a reason when the loop cannot be made. */
struct server *server_new(unsigned connections, char *why, size_t why_size);
struct server *server_free(struct server *s); /* calls still open must not be answered afterwards */

/* 0 and *ret, or -1 with a reason. It accepts from the next turn on. */
int server_listen(struct server *s, const struct server_options *o, struct server_listener **ret, char *why,
                  size_t why_size);
int server_port(const struct server_listener *l); /* the real one where 0 was asked for; 0 for unix */
void server_stop_listening(struct server *s);     /* all listeners; idle connections are closed, too */
/* Requests being read, handled or answered. After server_stop_listening() it goes down to 0. */
size_t server_busy(const struct server *s);
size_t server_connections(const struct server *s);

/* The end of a call. Copies what it needs. */
void server_answer(struct server_call *call, const struct server_answer *a);
bool server_gone(const struct server_call *call); /* the client has left: nobody will read the answer */

/* Watches somebody else's fd for reading, and for writing while server_watch_write is on. fn runs in
 * the loop. The fd stays its owner's. */
typedef void (*server_watch_fn)(void *arg, bool readable, bool writable);
struct server_watch *server_watch_new(struct server *s, int fd, server_watch_fn fn, void *arg);
void server_watch_write(struct server_watch *w, bool on);
struct server_watch *server_watch_free(struct server_watch *w); /* accepts NULL, returns NULL */

/* Calls fn about every ms. */
void server_every(struct server *s, int64_t ms, void (*fn)(void *arg), void *arg);
/* Calls fn at the end of each turn, after all that was ready has been served. */
void server_after_turn(struct server *s, void (*fn)(void *arg), void *arg);

/* Waits for something to happen and serves it. 0, or -1 when the loop is broken. */
int server_turn(struct server *s);

#endif
