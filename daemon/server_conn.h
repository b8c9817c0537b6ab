/*
 * server_conn.h: one HTTP connection, from bytes in to bytes out, without a socket.
 *
 * The state machine between server_http (what a request is) and server.c (who
 * carries the bytes). It reads one request, calls its handler, writes the
 * answer, and goes on with what the client sent meanwhile. Without sockets it
 * can be tested a byte at a time and fuzzed.
 *
 *   idle -> head -> body -> call -> write -> idle | closing
 */
#ifndef ADUAN_SERVER_CONN_H
#define ADUAN_SERVER_CONN_H

#include "daemon/server.h"

/* What carries a connection. Called from within conn_* and server_answer(). */
struct conn_io {
    bool (*write)(void *io, const void *bytes, size_t n); /* takes all; true: and it is all out already */
    void (*hold)(void *io, bool on);                      /* stop (start again) reading from the client */
    void (*finish)(void *io); /* close once what was written is out and the client has read it */
    void (*abort)(void *io);  /* close now; conn_free() follows soon, not from within */
};

/* What connections of one listener share. */
struct conn_env {
    const struct server_route *routes;
    size_t route_count;
    struct server_limits limits; /* no zero left in it */
    bool tls;
    size_t *memory; /* bytes of bodies held now */
    size_t *busy;   /* requests between first byte and last byte of the answer */
};

struct conn;
void conn_limits_default(struct server_limits *l);
struct conn *conn_new(const struct conn_env *env, const struct conn_io *ops, void *io, const char *peer,
                      bool peer_local, int64_t now);
struct conn *conn_free(struct conn *c); /* the transport is gone; an open call is answered into the void */

void conn_input(struct conn *c, const void *bytes, size_t n, int64_t now);
void conn_drained(struct conn *c, int64_t now); /* all that write() took is out */
void conn_tick(struct conn *c, int64_t now);    /* about every second: deadlines */
bool conn_idle(const struct conn *c);           /* between two requests, nothing of the next here */
void conn_last(struct conn *c);                 /* no further request: finish at the next pause */
int64_t conn_since(const struct conn *c);       /* when it became idle */

#endif
