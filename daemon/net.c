/* net.c: transfers on one libcurl multi handle: making, moving, ending them. */
#include "daemon/net.h"

#include "daemon/net_internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONNECT_MS = 20000, WAIT_FDS = 4 };

struct net *net_new(const struct net_options *o) {
    struct net *n = xcalloc(1, sizeof(*n));

    curl_global_init(CURL_GLOBAL_DEFAULT);
    n->multi = curl_multi_init();
    if (n->multi == NULL)
        abort();
    curl_multi_setopt(n->multi, CURLMOPT_MAXCONNECTS, 16L);
    n->tls_ca = xstrdup(o->tls_ca != NULL ? o->tls_ca : "");
    n->blobs = o->blobs;
    return n;
}

struct net *net_free(struct net *n) {
    struct transfer *t;

    if (n == NULL)
        return NULL;
    while ((t = n->transfers) != NULL) {
        n->transfers = t->next;
        transfer_free(t);
    }
    if (n->kept != NULL)
        transfer_free(n->kept);
    curl_multi_cleanup(n->multi);
    free(n->tls_ca);
    free(n);
    return NULL;
}

size_t net_count(const struct net *n) {
    const struct transfer *t;
    size_t count = 0;

    for (t = n->transfers; t != NULL; t = t->next)
        count++;
    return count;
}

/* ------------------------------------------------------------------ a transfer */

struct transfer *transfer_new(struct net *n) {
    struct transfer *t = xcalloc(1, sizeof(*t));

    t->net = n;
    t->easy = curl_easy_init();
    if (t->easy == NULL)
        abort();
    t->next = n->transfers;
    n->transfers = t;
    return t;
}

void transfer_free(struct transfer *t) {
    size_t i;

    curl_multi_remove_handle(t->net->multi, t->easy);
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->lines);
    curl_mime_free(t->form);
    if (t->blob != NULL)
        blob_abort(t->blob);
    for (i = 0; i < t->header_count; i++) {
        free((char *)(uintptr_t)t->headers[i].name);
        free((char *)(uintptr_t)t->headers[i].value);
    }
    free(t->headers);
    text_free(&t->body);
    free(t->bytes);
    free(t->url);
    free(t->same_host);
    free(t);
}

static void unlink_transfer(struct transfer *t) {
    struct transfer **p = &t->net->transfers;

    while (*p != t)
        p = &(*p)->next;
    *p = t->next;
}

#ifdef ADUAN_STEPS
/* A tree for tests may be told to stay on this machine: what a sample body names is asked of nobody. */
static bool stays_here(void) {
    const char *only = getenv("ADUAN_LOOPBACK_ONLY");

    return only != NULL && strcmp(only, "1") == 0;
}

/* libcurl is about to resolve; it tells not what, but that is the URL's host (no proxies). */
static int about_to_resolve(void *resolver, void *reserved, void *arg) {
    struct transfer *t = arg;
    struct url_parts u;
    struct in6_addr number;

    (void)resolver;
    (void)reserved;
    if (!stays_here() ||
        (url_split(t->url, &u) == 0 && (url_is_loopback(&u) || inet_pton(AF_INET, u.host, &number) == 1 ||
                                        inet_pton(AF_INET6, u.host, &number) == 1)))
        return 0;
    snprintf(t->refusal, sizeof(t->refusal), "cannot resolve the host: this run stays on loopback");
    return 1;
}
#endif

/* libcurl asks for a socket once it knows the address: here no name can lie any more. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a) {
    struct transfer *t = arg;

    (void)purpose;
    if (!address_allowed(t->rule, &a->addr)) {
        snprintf(t->refusal, sizeof(t->refusal), "the host resolves to an address that is %s",
                 t->rule == ADDRESS_PUBLIC ? "not public" : "not this machine");
        return CURL_SOCKET_BAD;
    }
#ifdef ADUAN_STEPS
    if (stays_here() && !address_allowed(ADDRESS_LOOPBACK, &a->addr)) {
        snprintf(t->refusal, sizeof(t->refusal), "cannot connect: this run stays on loopback");
        return CURL_SOCKET_BAD;
    }
#endif
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* Called when connection and TLS stand and the request is about to be written: what fails
 * before this has sent nothing. */
static int about_to_send(void *arg, char *peer_ip, char *own_ip, int peer_port, int own_port) {
    struct transfer *t = arg;

    (void)peer_ip;
    (void)own_ip;
    (void)peer_port;
    (void)own_port;
    t->began = true;
    return CURL_PREREQFUNC_OK;
}

void transfer_common(struct transfer *t, const char *protocols, int64_t timeout_ms) {
    CURL *e = t->easy;

    curl_easy_setopt(e, CURLOPT_PRIVATE, t);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->error);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, protocols);
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_PROXY, "");
    curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (t->net->tls_ca[0] != '\0')
        curl_easy_setopt(e, CURLOPT_CAINFO, t->net->tls_ca);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, t);
#ifdef ADUAN_STEPS
    curl_easy_setopt(e, CURLOPT_RESOLVER_START_FUNCTION, about_to_resolve);
    curl_easy_setopt(e, CURLOPT_RESOLVER_START_DATA, t);
#endif
    curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, about_to_send);
    curl_easy_setopt(e, CURLOPT_PREREQDATA, t);
    curl_easy_setopt(e, CURLOPT_URL, t->url);
}

void transfer_refuse(struct transfer *t, const char *why) {
    snprintf(t->refusal, sizeof(t->refusal), "%s", why);
    t->ended = true;
}

void transfer_start(struct transfer *t) {
    if (curl_multi_add_handle(t->net->multi, t->easy) != CURLM_OK)
        transfer_refuse(t, "cannot start a transfer");
}

/* ----------------------------------------------------------------- moving them */

static void end_transfer(struct transfer *t, CURLcode code) {
    struct net *n = t->net;

    curl_multi_remove_handle(n->multi, t->easy);
    if (!t->is_mail && http_follow(t, code))
        return;
    unlink_transfer(t);
    n->keep = false;
    if (t->is_mail)
        mail_finish(t, code);
    else
        http_finish(t, code);
    if (!n->keep) {
        transfer_free(t);
        return;
    }
    if (n->kept != NULL)
        transfer_free(n->kept);
    n->kept = t;
}

void net_keep_response(struct net *n) {
    n->keep = true;
}

static struct transfer *find_ended(const struct net *n) {
    struct transfer *t;

    /* The analyzer does not see that unlink_transfer() took out what end_transfer() freed. */
    for (t = n->transfers; t != NULL; t = t->next)
        if (t->ended) /* NOLINT(clang-analyzer-unix.Malloc) */
            return t;
    return NULL;
}

void net_perform(struct net *n) {
    struct transfer *t;
    CURLMsg *m;
    CURLcode code;
    int running, left;

    curl_multi_perform(n->multi, &running);
    while ((m = curl_multi_info_read(n->multi, &left)) != NULL) {
        if (m->msg != CURLMSG_DONE)
            continue;
        code = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        end_transfer(t, code);
    }
    /* A callback may start (and lose) another one: look again each time. */
    while ((t = find_ended(n)) != NULL)
        end_transfer(t, CURLE_OK);
}

bool net_wait(struct net *n, const int *fds, const short *events, size_t count, bool *ret_ready,
              int timeout_ms) {
    struct curl_waitfd w[WAIT_FDS];
    bool any = false;
    size_t i;
    int ready = 0;

    if (count > WAIT_FDS)
        abort();
    for (i = 0; i < count; i++)
        w[i] = (struct curl_waitfd){ .fd = fds[i],
                                     .events = (short)((events[i] & 1 ? CURL_WAIT_POLLIN : 0) |
                                                       (events[i] & 4 ? CURL_WAIT_POLLOUT : 0)) };
    curl_multi_poll(n->multi, w, (unsigned)count, timeout_ms, &ready);
    for (i = 0; i < count; i++) {
        ret_ready[i] = w[i].revents != 0;
        any = any || ret_ready[i];
    }
    return any;
}
