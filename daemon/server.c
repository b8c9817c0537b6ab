/*
 * server.c: the one loop: listeners, connections, foreign fds and ticks on libwebsockets.
 *
 * libwebsockets waits (poll), does TLS, and carries bytes as a raw socket does;
 * server_conn makes HTTP of them. We accept by ourselves, so that the bound on
 * connections is kept where a connection begins: at the bound the longest idle
 * one is closed for the new one.
 *
 * Closing is always asynchronous (LWS_TO_KILL_ASYNC): nothing of ours vanishes
 * under a function that still uses it. What is freed during a turn is freed at
 * its end.
 */
#include "daemon/server.h"

#include "connectors/kit/text.h"
#include "daemon/log.h"
#include "daemon/server_conn.h"
#include "daemon/server_socket.h"
#include "queue/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE    (32 * 1024)
#define ACCEPT_BURST 64  /* connections taken in one turn */
#define SPARE_FDS    256 /* beside connections: listeners, watches, files of ours */
#define LINGER_MS    2000

struct server_watch {
    struct server *server;
    struct lws *wsi; /* NULL: libwebsockets has closed it */
    server_watch_fn fn;
    void *arg;
    bool write, dead;
    struct server_watch *next; /* in watches, then in dead */
};

/* A connection as the transport sees it. */
struct link {
    struct link *prev, *next;
    struct server_listener *listener;
    struct lws *wsi;
    struct conn *conn;
    bool adopting, finishing, lingering, aborted;
    int64_t linger_until;
};

struct server_listener {
    struct server_listener *next;
    struct server *server;
    struct conn_env env;
    struct lws_vhost *vhost;
    struct server_watch *watch;
    struct server_socket socket;
};

struct every {
    lws_sorted_usec_list_t sul; /* first: its address is ours */
    struct every *next;
    struct server *server;
    int64_t ms;
    void (*fn)(void *arg);
    void *arg;
};

struct after {
    struct after *next;
    void (*fn)(void *arg);
    void *arg;
};

struct server {
    struct lws_context *context;
    struct lws_vhost *inner; /* carries the watches */
    struct server_listener *listeners;
    struct link *links;
    struct server_watch *watches, *dead;
    struct every *every;
    struct after *after;
    size_t link_count, memory, busy;
    unsigned connections;
    bool stopped, accept_paused;
};

static void kill_later(struct lws *wsi) {
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

/* -------------------------------------------------------------- connections */

static void link_remove(struct link *l) {
    struct server *s = l->listener->server;

    if (l->prev != NULL)
        l->prev->next = l->next;
    else
        s->links = l->next;
    if (l->next != NULL)
        l->next->prev = l->prev;
    if (!l->aborted)
        s->link_count--;
    conn_free(l->conn);
    free(l);
}

static void io_abort(void *io) {
    struct link *l = io;

    if (l->aborted)
        return;
    l->aborted = true;
    l->listener->server->link_count--;
    if (l->wsi != NULL)
        kill_later(l->wsi);
}

/* The raw role needs no room in front of the bytes, unlike what libwebsockets wants for others. */
static bool io_write(void *io, const void *bytes, size_t n) {
    struct link *l = io;

    if (l->wsi == NULL || l->aborted)
        return false;
    if (lws_write(l->wsi, (unsigned char *)(uintptr_t)bytes, n, LWS_WRITE_RAW) < 0) {
        io_abort(l);
        return false;
    }
    return !lws_partial_buffered(l->wsi);
}

static void io_hold(void *io, bool on) {
    struct link *l = io;

    if (l->wsi != NULL && !l->aborted)
        lws_rx_flow_control(l->wsi, on ? 0 : 1);
}

/* Half-closes and throws away what still comes, so that a reset does not overtake the answer. */
static void linger(struct link *l) {
    l->lingering = true;
    l->linger_until = clock_steady_ms() + LINGER_MS;
    if (!l->listener->env.tls)
        shutdown(lws_get_socket_fd(l->wsi), SHUT_WR);
}

static void io_finish(void *io) {
    struct link *l = io;

    if (l->wsi == NULL || l->aborted || l->finishing)
        return;
    l->finishing = true;
    if (!lws_partial_buffered(l->wsi))
        linger(l);
}

static const struct conn_io link_io = { io_write, io_hold, io_finish, io_abort };

static int link_writable(struct link *l) {
    if (lws_partial_buffered(l->wsi))
        return 0;
    if (l->finishing && !l->lingering)
        linger(l);
    else
        conn_drained(l->conn, clock_steady_ms());
    return 0;
}

static int on_link(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
    struct link *l = lws_get_opaque_user_data(wsi);

    (void)user;
    if (l == NULL)
        return 0;
    switch ((int)reason) {
    case LWS_CALLBACK_RAW_RX:
        if (!l->finishing && !l->aborted)
            conn_input(l->conn, in, len, clock_steady_ms());
        return l->aborted ? -1 : 0;
    case LWS_CALLBACK_RAW_WRITEABLE:
        return l->aborted ? -1 : link_writable(l);
    case LWS_CALLBACK_RAW_CLOSE:
        lws_set_opaque_user_data(wsi, NULL);
        l->wsi = NULL;
        if (!l->adopting)
            link_remove(l);
        return 0;
    default:
        return 0;
    }
}

/* The connection that has been doing nothing for the longest time goes. */
static bool evict(struct server *s) {
    struct link *l, *oldest = NULL;

    for (l = s->links; l != NULL; l = l->next)
        if (!l->aborted && (l->finishing || conn_idle(l->conn)) &&
            (oldest == NULL || conn_since(l->conn) < conn_since(oldest->conn)))
            oldest = l;
    if (oldest == NULL)
        return false;
    io_abort(oldest);
    return true;
}

static void link_new(struct server_listener *listener, int fd, const char *peer, bool local) {
    struct server *s = listener->server;
    struct link *l = xcalloc(1, sizeof(*l));
    lws_adopt_desc_t desc = {
        .vh = listener->vhost,
        .type = LWS_ADOPT_SOCKET | (listener->env.tls ? LWS_ADOPT_ALLOW_SSL : 0),
        .fd = { .sockfd = fd },
        .vh_prot_name = "link",
        .opaque = l,
    };

    l->listener = listener;
    l->conn = conn_new(&listener->env, &link_io, l, peer, local, clock_steady_ms());
    l->next = s->links;
    if (s->links != NULL)
        s->links->prev = l;
    s->links = l;
    s->link_count++;
    l->adopting = true;
    l->wsi = lws_adopt_descriptor_vhost_via_info(&desc); /* closes fd when it fails */
    l->adopting = false;
    if (l->wsi == NULL)
        link_remove(l);
}

static void pause_accept(struct server *s, bool on) {
    struct server_listener *l;

    s->accept_paused = on;
    for (l = s->listeners; l != NULL; l = l->next)
        if (l->watch != NULL && l->watch->wsi != NULL)
            lws_rx_flow_control(l->watch->wsi, on ? 0 : 1);
}

static void on_listener(void *arg, bool readable, bool writable) {
    struct server_listener *l = arg;
    struct server *s = l->server;
    char peer[64];
    bool local;
    int i, fd;

    (void)readable;
    (void)writable;
    for (i = 0; i < ACCEPT_BURST && !s->stopped; i++) {
        fd = server_socket_accept(&l->socket, peer, sizeof(peer), &local);
        if (fd == -EAGAIN)
            return;
        if (fd < 0) { /* out of descriptors or memory: not again before the next tick */
            log_warn("cannot accept a connection: %s", strerror(-fd));
            evict(s);
            pause_accept(s, true);
            return;
        }
        if (s->link_count >= s->connections && !evict(s))
            close(fd);
        else
            link_new(l, fd, peer, local);
    }
}

/* ------------------------------------------------------------------ watches */

static void watch_gone(struct server_watch *w) {
    w->wsi = NULL;
    if (!w->dead)
        w->fn(w->arg, true, false); /* its owner reads and sees the end */
}

static int on_watch(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
    struct server_watch *w = lws_get_opaque_user_data(wsi);

    (void)user;
    (void)in;
    (void)len;
    if (w == NULL || w->dead)
        return 0;
    switch ((int)reason) {
    case LWS_CALLBACK_RAW_RX_FILE:
        w->fn(w->arg, true, false);
        return 0;
    case LWS_CALLBACK_RAW_WRITEABLE_FILE:
        w->fn(w->arg, false, true);
        return 0;
    case LWS_CALLBACK_RAW_CLOSE_FILE:
        lws_set_opaque_user_data(wsi, NULL);
        watch_gone(w);
        return 0;
    default:
        return 0;
    }
}

struct server_watch *server_watch_new(struct server *s, int fd, server_watch_fn fn, void *arg) {
    struct server_watch *w = xcalloc(1, sizeof(*w));
    lws_adopt_desc_t desc = {
        .vh = s->inner,
        .type = LWS_ADOPT_RAW_FILE_DESC,
        .vh_prot_name = "watch",
        .opaque = w,
    };

    w->server = s;
    w->fn = fn;
    w->arg = arg;
    w->dead = true;                                 /* until adopted: its callbacks have nothing to say yet */
    desc.fd.filefd = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* libwebsockets closes what it was given */
    if (desc.fd.filefd >= 0)
        w->wsi = lws_adopt_descriptor_vhost_via_info(&desc);
    if (w->wsi == NULL)
        log_error("cannot watch descriptor %d", fd);
    w->dead = false;
    w->next = s->watches;
    s->watches = w;
    return w;
}

void server_watch_write(struct server_watch *w, bool on) {
    w->write = on;
}

/* libwebsockets answers each request to write once, so the wish is renewed after each turn. */
static void renew_writes(struct server *s) {
    struct server_watch *w;

    for (w = s->watches; w != NULL; w = w->next)
        if (w->write && w->wsi != NULL)
            lws_callback_on_writable(w->wsi);
}

struct server_watch *server_watch_free(struct server_watch *w) {
    struct server_watch **at;

    if (w == NULL || w->dead)
        return NULL;
    w->dead = true;
    if (w->wsi != NULL) {
        lws_set_opaque_user_data(w->wsi, NULL);
        kill_later(w->wsi);
    }
    for (at = &w->server->watches; *at != w; at = &(*at)->next)
        ;
    *at = w->next;
    w->next = w->server->dead;
    w->server->dead = w;
    return NULL;
}

/* --------------------------------------------------------------------- time */

static void every_ripe(lws_sorted_usec_list_t *sul) {
    struct every *e = (struct every *)sul;

    lws_sul_schedule(e->server->context, 0, &e->sul, every_ripe, e->ms * LWS_US_PER_MS);
    e->fn(e->arg);
}

void server_every(struct server *s, int64_t ms, void (*fn)(void *arg), void *arg) {
    struct every *e = xcalloc(1, sizeof(*e));

    e->server = s;
    e->ms = ms;
    e->fn = fn;
    e->arg = arg;
    e->next = s->every;
    s->every = e;
    lws_sul_schedule(s->context, 0, &e->sul, every_ripe, ms * LWS_US_PER_MS);
}

void server_after_turn(struct server *s, void (*fn)(void *arg), void *arg) {
    struct after *a = xcalloc(1, sizeof(*a)), **at;

    a->fn = fn;
    a->arg = arg;
    for (at = &s->after; *at != NULL; at = &(*at)->next)
        ;
    *at = a;
}

static void on_second(void *arg) {
    struct server *s = arg;
    struct link *l;
    int64_t now = clock_steady_ms();

    if (s->accept_paused)
        pause_accept(s, false);
    for (l = s->links; l != NULL; l = l->next) {
        if (l->lingering && now >= l->linger_until)
            io_abort(l);
        else if (!l->finishing && !l->aborted)
            conn_tick(l->conn, now);
    }
}

/* ------------------------------------------------------------------- server */

static const struct lws_protocols protocols[] = {
    { "link", on_link, 0, 0, 0, NULL, 0 },
    { "watch", on_watch, 0, 0, 0, NULL, 0 },
    { NULL, NULL, 0, 0, 0, NULL, 0 },
};

static void lws_says(int level, const char *line) {
    (void)level;
    log_warn("libwebsockets: %.*s", (int)strcspn(line, "\n"), line);
}

struct server *server_new(unsigned connections, char *why, size_t why_size) {
    struct server *s = xcalloc(1, sizeof(*s));
    struct server_limits usual = { .connections = connections };
    struct lws_context_creation_info info = {
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .pt_serv_buf_size = READ_SIZE,
        .gid = -1,
        .uid = -1,
    };

    conn_limits_default(&usual);
    s->connections = usual.connections;
    server_socket_limit(s->connections + SPARE_FDS);
    lws_set_log_level(LLL_ERR, lws_says);
    s->context = lws_create_context(&info);
    info.vhost_name = "inner";
    info.options = 0;
    if (s->context != NULL)
        s->inner = lws_create_vhost(s->context, &info);
    if (s->inner == NULL) {
        snprintf(why, why_size, "libwebsockets cannot make its loop");
        return server_free(s);
    }
    server_every(s, 1000, on_second, s);
    return s;
}

static void bury_dead(struct server *s) {
    struct server_watch *w;

    while ((w = s->dead) != NULL) {
        s->dead = w->next;
        free(w);
    }
}

struct server *server_free(struct server *s) {
    struct server_listener *l;
    struct server_watch *w;
    struct every *e;
    struct after *a;

    if (s == NULL)
        return NULL;
    for (w = s->watches; w != NULL; w = w->next)
        w->dead = true; /* no word to owners that are going, too */
    server_stop_listening(s);
    for (e = s->every; e != NULL; e = e->next)
        lws_sul_schedule(s->context, 0, &e->sul, NULL, LWS_SET_TIMER_USEC_CANCEL);
    if (s->context != NULL)
        lws_context_destroy(s->context);
    while ((e = s->every) != NULL) {
        s->every = e->next;
        free(e);
    }
    while ((a = s->after) != NULL) {
        s->after = a->next;
        free(a);
    }
    while ((l = s->listeners) != NULL) {
        s->listeners = l->next;
        free(l);
    }
    while ((w = s->watches) != NULL) {
        s->watches = w->next;
        free(w);
    }
    bury_dead(s);
    free(s);
    return NULL;
}

static struct lws_vhost *make_vhost(struct server *s, const struct server_options *o, bool tls) {
    struct lws_context_creation_info info = {
        /* We ask no client for a certificate: the hundred authorities the system trusts are a megabyte. */
        .options = tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS : 0,
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .vhost_name = o->listen,
        .protocols = protocols,
        .timeout_secs = 15,
    };

    if (tls) {
        info.ssl_cert_filepath = o->tls_cert;
        info.ssl_private_key_filepath = o->tls_key;
        info.ssl_options_set =
            (long)(SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_RENEGOTIATION);
        info.alpn = "http/1.1";
    }
    return lws_create_vhost(s->context, &info);
}

static bool is_set(const char *s) {
    return s != NULL && s[0] != '\0';
}

int server_listen(struct server *s, const struct server_options *o, struct server_listener **ret, char *why,
                  size_t why_size) {
    bool tls = is_set(o->tls_cert) && is_set(o->tls_key);
    struct server_listener *l;

    if (tls && (server_socket_readable(o->tls_cert, why, why_size) < 0 ||
                server_socket_readable(o->tls_key, why, why_size) < 0))
        return -1;
    l = xcalloc(1, sizeof(*l));
    l->server = s;
    l->env = (struct conn_env){ .routes = o->routes,
                                .route_count = o->route_count,
                                .limits = o->limits,
                                .tls = tls,
                                .memory = &s->memory,
                                .busy = &s->busy };
    conn_limits_default(&l->env.limits);
    if (server_socket_listen(&l->socket, o->listen, why, why_size) < 0) {
        free(l);
        return -1;
    }
    l->vhost = make_vhost(s, o, tls);
    if (l->vhost == NULL) {
        snprintf(why, why_size, "%s: cannot serve there%s", o->listen, tls ? " (certificate and key?)" : "");
        server_socket_close(&l->socket);
        free(l);
        return -1;
    }
    l->watch = server_watch_new(s, l->socket.fd, on_listener, l);
    l->next = s->listeners;
    s->listeners = l;
    *ret = l;
    return 0;
}

int server_port(const struct server_listener *l) {
    return l->socket.port;
}

void server_stop_listening(struct server *s) {
    struct server_listener *l;
    struct link *link, *next;

    s->stopped = true;
    for (l = s->listeners; l != NULL; l = l->next) {
        if (l->watch == NULL)
            continue;
        l->watch = server_watch_free(l->watch);
        server_socket_close(&l->socket);
    }
    for (link = s->links; link != NULL; link = next) {
        next = link->next;
        if (!link->finishing && !link->aborted)
            conn_last(link->conn);
    }
}

size_t server_busy(const struct server *s) {
    return s->busy;
}

size_t server_connections(const struct server *s) {
    return s->link_count;
}

int server_turn(struct server *s) {
    struct after *a;

    if (lws_service(s->context, 0) < 0)
        return -1;
    for (a = s->after; a != NULL; a = a->next)
        a->fn(a->arg);
    renew_writes(s);
    bury_dead(s);
    return 0;
}
