/*
 * host_stream.c: byte streams for connectors that speak their own protocol (IMAP).
 *
 * libcurl connects and does TLS (CURLOPT_CONNECT_ONLY), we read and write. Each
 * stream has a multi handle of its own: in a shared one libcurl could take an
 * idle stream with waiting input for a dead connection.
 */
#include "daemon/host.h"

#include "connectors/kit/text.h"
#include "daemon/address.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONNECT_MS = 20000, CONNECT_TURN_MS = 100 };

struct aduan_stream {
    struct host *host;
    CURLM *multi;
    CURL *easy;
    curl_socket_t fd;
    enum address_rule rule;
    char error[CURL_ERROR_SIZE];
};

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a) {
    const struct aduan_stream *s = arg;

    (void)purpose;
    return address_allowed(s->rule, &a->addr) ? socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol)
                                              : CURL_SOCKET_BAD;
}

/* libcurl connects for the schemes it can leave alone afterwards: https is "TCP and TLS". */
static void set_options(struct aduan_stream *s, const struct url_parts *u, int64_t timeout_ms) {
    bool tls = strcmp(u->scheme, "imaps") == 0;
    bool six = strchr(u->host, ':') != NULL;
    const char *ca = s->host->job->account->tls_ca;
    char *url =
        xasprintf("%s://%s%s%s:%d/", tls ? "https" : "http", six ? "[" : "", u->host, six ? "]" : "", u->port);

    curl_easy_setopt(s->easy, CURLOPT_URL, url);
    free(url);
    curl_easy_setopt(s->easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(s->easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
    curl_easy_setopt(s->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(s->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(s->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(s->easy, CURLOPT_ERRORBUFFER, s->error);
    curl_easy_setopt(s->easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(s->easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(s->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(s->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(timeout_ms > 0 ? timeout_ms : CONNECT_MS));
    curl_easy_setopt(s->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(s->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(s->easy, CURLOPT_OPENSOCKETDATA, s);
    if (ca != NULL && ca[0] != '\0')
        curl_easy_setopt(s->easy, CURLOPT_CAINFO, ca);
}

/* 1 connected, 0 not yet, negative failed with s->error. */
static int connect_turn(struct aduan_stream *s) {
    CURLMsg *m;
    int running, left;

    curl_multi_perform(s->multi, &running);
    m = curl_multi_info_read(s->multi, &left);
    if (m == NULL || m->msg != CURLMSG_DONE)
        return 0;
    if (m->data.result != CURLE_OK) {
        if (s->error[0] == '\0')
            snprintf(s->error, sizeof(s->error), "%s", curl_easy_strerror(m->data.result));
        return -ECONNREFUSED;
    }
    return curl_easy_getinfo(s->easy, CURLINFO_ACTIVESOCKET, &s->fd) == CURLE_OK ? 1 : -ECONNREFUSED;
}

static int connect_stream(struct aduan_stream *s) {
    int r;

    while ((r = connect_turn(s)) == 0) {
        curl_multi_poll(s->multi, NULL, 0, CONNECT_TURN_MS, NULL);
        if (host_turn(s->host, 0, -1, 0, NULL) == ADUAN_STOPPING)
            return ADUAN_STOPPING;
    }
    return r < 0 ? r : 0;
}

int host_stream_open(struct aduan_host *base, const char *url, int64_t timeout_ms,
                     struct aduan_stream **ret_stream, char *why, size_t why_size) {
    struct aduan_stream *s;
    struct url_parts u;
    enum address_rule rule;
    int r;

    if (url_judge(url, "imap", "imaps", false, NULL, &rule, why, why_size) < 0 || url_split(url, &u) < 0)
        return -EINVAL;
    s = xcalloc(1, sizeof(*s));
    s->host = (struct host *)base;
    s->rule = rule;
    s->multi = curl_multi_init();
    s->easy = curl_easy_init();
    if (s->multi == NULL || s->easy == NULL)
        abort();
    set_options(s, &u, timeout_ms);
    curl_multi_add_handle(s->multi, s->easy);
    r = connect_stream(s);
    if (r == 0) {
        *ret_stream = s;
        return 0;
    }
    snprintf(why, why_size, "%s", r == ADUAN_STOPPING ? "stopping" : s->error);
    host_stream_close(s);
    return r;
}

/* Waits for the socket. 0, ADUAN_TIMEOUT at the deadline, ADUAN_STOPPING. */
static int wait_socket(struct aduan_stream *s, short events, int64_t deadline) {
    int64_t left = deadline - host_monotonic();
    bool ready;

    if (left <= 0)
        return ADUAN_TIMEOUT;
    return host_turn(s->host, left, (int)s->fd, events, &ready);
}

int host_stream_read(struct aduan_stream *s, void *buf, size_t size, int64_t timeout_ms, size_t *ret_n) {
    int64_t deadline = host_monotonic() + timeout_ms;
    CURLcode code;
    size_t n = 0;
    int r;

    for (;;) {
        code = curl_easy_recv(s->easy, buf, size, &n);
        if (code == CURLE_OK) {
            job_beat(s->host->job);
            *ret_n = n;
            return n > 0 ? 0 : ADUAN_EOF;
        }
        if (code == CURLE_UNSUPPORTED_PROTOCOL)
            return ADUAN_EOF; /* libcurl has found the connection closed */
        if (code != CURLE_AGAIN)
            return -EIO;
        r = wait_socket(s, POLLIN, deadline);
        if (r != 0)
            return r;
    }
}

int host_stream_write(struct aduan_stream *s, const void *buf, size_t size, int64_t timeout_ms) {
    int64_t deadline = host_monotonic() + timeout_ms;
    const char *p = buf;
    CURLcode code;
    size_t n;
    int r;

    while (size > 0) {
        n = 0;
        code = curl_easy_send(s->easy, p, size, &n);
        if (code == CURLE_OK) {
            p += n;
            size -= n;
            continue;
        }
        if (code != CURLE_AGAIN)
            return -EPIPE;
        r = wait_socket(s, POLLOUT, deadline);
        if (r != 0)
            return r;
    }
    job_beat(s->host->job);
    return 0;
}

struct aduan_stream *host_stream_close(struct aduan_stream *s) {
    if (s == NULL)
        return NULL;
    curl_multi_remove_handle(s->multi, s->easy);
    curl_easy_cleanup(s->easy);
    curl_multi_cleanup(s->multi);
    free(s);
    return NULL;
}
