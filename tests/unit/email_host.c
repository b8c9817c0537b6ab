/* email_host.c: a host of plain sockets for tests of the mail connector. */
#include "email_host.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "connectors/kit/sign.h"

struct aduan_stream {
    int fd;
};

static int64_t noticed_at; /* when a server last said EXISTS on any stream */

static int64_t host_now(struct aduan_host *base) {
    struct timespec t;

    (void)base;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void host_log(struct aduan_host *base, enum aduan_log_level level, const char *fmt, ...) {
    struct email_host *h = (struct email_host *)base;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(h->log_last, sizeof(h->log_last), fmt, ap);
    va_end(ap);
    h->log_count++;
    if (!h->quiet)
        fprintf(stderr, "log %d: %s\n", (int)level, h->log_last);
}

/* ------------------------------------------------------------------ streams */

/* scheme://host:port */
static int dial(const char *url) {
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
    char host[128] = "", port[16] = "";
    int fd = -1, one = 1;

    if (sscanf(url, "%*[^:]://%127[^:]:%15[0-9]", host, port) != 2 ||
        getaddrinfo(host, port, &hints, &list) != 0)
        return -1;
    fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, list->ai_addr, list->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    freeaddrinfo(list);
    return fd;
}

static int stream_open(struct aduan_host *base, const char *url, int64_t timeout_ms, struct aduan_stream **ret,
                       char *why, size_t why_size) {
    int fd = dial(url);

    (void)base;
    (void)timeout_ms;
    if (fd < 0) {
        snprintf(why, why_size, "connection refused");
        return -ECONNREFUSED;
    }
    *ret = xcalloc(1, sizeof(**ret));
    (*ret)->fd = fd;
    return 0;
}

static int stream_read(struct aduan_stream *s, void *buf, size_t size, int64_t timeout_ms, size_t *ret_n) {
    struct pollfd p = { .fd = s->fd, .events = POLLIN };
    ssize_t n;

    if (poll(&p, 1, (int)timeout_ms) == 0)
        return ADUAN_TIMEOUT;
    n = read(s->fd, buf, size);
    if (n == 0)
        return ADUAN_EOF;
    if (n < 0)
        return -errno;
    if (memmem(buf, (size_t)n, " EXISTS", 7) != NULL)
        noticed_at = host_now(NULL);
    *ret_n = (size_t)n;
    return 0;
}

static int stream_write(struct aduan_stream *s, const void *buf, size_t size, int64_t timeout_ms) {
    const char *p = buf;

    (void)timeout_ms;
    while (size > 0) {
        ssize_t n = send(s->fd, p, size, MSG_NOSIGNAL);

        if (n < 0)
            return -errno;
        p += n;
        size -= (size_t)n;
    }
    return 0;
}

static struct aduan_stream *stream_close(struct aduan_stream *s) {
    if (s != NULL)
        close(s->fd);
    free(s);
    return NULL;
}

static int host_pause(struct aduan_host *base, int64_t ms) {
    (void)base;
    usleep((useconds_t)(ms * 1000));
    return ADUAN_TIMEOUT;
}

/* -------------------------------------------------------------------- intake */

static int host_emit(struct aduan_host *base, const struct aduan_raw *raw) {
    struct email_host *h = (struct email_host *)base;
    struct email_host_raw *r;

    if (h->stop_after > 0 && (int)h->count >= h->stop_after)
        return ADUAN_STOPPING;
    h->raws = xrealloc(h->raws, h->count + 1, sizeof(*h->raws));
    r = &h->raws[h->count++];
    memset(r, 0, sizeof(*r));
    r->bytes = xcalloc(1, raw->len + 1);
    memcpy(r->bytes, raw->bytes, raw->len);
    r->len = raw->len;
    r->id = xstrdup(raw->id);
    r->mark = xstrdup(raw->mark_value);
    r->received_at = raw->received_at;
    r->whole_size = raw->whole_size;
    r->emitted_at = host_now(base);
    r->noticed_at = noticed_at;
    r->cookie = raw->cookie;
    return 0;
}

static int host_flush(struct aduan_host *base) {
    struct email_host *h = (struct email_host *)base;
    uint64_t *cookies = xcalloc(h->count + 1, sizeof(*cookies));
    size_t n = 0;

    for (; h->flushed < h->count; h->flushed++) {
        h->raws[h->flushed].flushed = true;
        cookies[n++] = h->raws[h->flushed].cookie;
        snprintf(h->mark, sizeof(h->mark), "%s", h->raws[h->flushed].mark);
    }
    if (n > 0 && !h->no_commit && h->ctx != NULL)
        email_commit(h->ctx, cookies, n);
    free(cookies);
    return 0;
}

static const char *host_mark(struct aduan_host *base, const char *name) {
    struct email_host *h = (struct email_host *)base;

    (void)name;
    return h->mark[0] != '\0' ? h->mark : NULL;
}

/* ------------------------------------------------------------------- sending */

static int smtp_read(int fd, char *line, size_t size) {
    size_t n = 0;

    for (;;) {
        ssize_t r = read(fd, line + n, 1);

        if (r <= 0)
            return 0;
        if (line[n] == '\n' && n >= 4) {
            line[n] = '\0';
            if (line[3] == ' ')
                return atoi(line);
            n = 0;
        } else if (n + 2 < size) {
            n++;
        }
    }
}

static int smtp_say(int fd, const char *text, char *line, size_t size) {
    struct aduan_stream s = { fd };

    if (stream_write(&s, text, strlen(text), 0) != 0)
        return 0;
    return smtp_read(fd, line, size);
}

static void smtp(const struct aduan_mail_request *req, struct aduan_mail_response *ret, char *line,
                 size_t size) {
    static const int want[] = { 2, 2, 2, 3 };
    int fd = dial(req->url), code, step;
    char *commands[4] = { xstrdup("EHLO test.example\r\n"), xasprintf("MAIL FROM:<%s>\r\n", req->from),
                          xasprintf("RCPT TO:<%s>\r\n", req->to), xstrdup("DATA\r\n") };

    ret->state = ADUAN_MAIL_BEFORE_DOT;
    ret->text = line;
    line[0] = '\0';
    code = fd >= 0 ? smtp_read(fd, line, size) : 0;
    for (step = 0; step < 4 && code > 0 && code < 400; step++) {
        code = smtp_say(fd, commands[step], line, size);
        if (code / 100 != want[step])
            break;
    }
    ret->code = code;
    if (step == 4 && code == 354) {
        struct aduan_stream s = { fd };
        const char *p = req->bytes, *end = p + req->len;

        for (; p < end; p = memchr(p, '\n', (size_t)(end - p)), p = p != NULL ? p + 1 : end) {
            const char *lf = memchr(p, '\n', (size_t)(end - p));

            if (*p == '.')
                stream_write(&s, ".", 1, 0);
            stream_write(&s, p, (size_t)((lf != NULL ? lf + 1 : end) - p), 0);
        }
        code = smtp_say(fd, ".\r\n", line, size);
        ret->code = code;
        ret->state = code / 100 == 2 ? ADUAN_MAIL_ACCEPTED
                     : code == 0     ? ADUAN_MAIL_AFTER_DOT
                                     : ADUAN_MAIL_BEFORE_DOT;
    }
    if (fd >= 0)
        close(fd);
    for (step = 0; step < 4; step++)
        free(commands[step]);
}

static int host_mail(struct aduan_host *base, const struct aduan_mail_request *req, aduan_mail_done done,
                     void *arg) {
    struct email_host *h = (struct email_host *)base;
    struct aduan_mail_response response = { 0 };
    char line[1024] = "";

    h->mail_count++;
    if (h->on_mail != NULL)
        h->on_mail(h, req, &response);
    else
        smtp(req, &response, line, sizeof(line));
    done(arg, &response);
    return 0;
}

/* HTTP/1.0 to loopback, whole answer in memory that lives until the next one. */
static void http_plain(const struct aduan_http_request *req, struct aduan_http_response *ret) {
    static char answer[65536];
    struct aduan_stream s = { dial(req->url) };
    const char *path = strchr(strstr(req->url, "://") + 3, '/');
    char *head = xasprintf(
        "%s %s HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n",
        req->method, path != NULL ? path : "/", req->body_len);
    size_t n = 0;
    ssize_t r = 1;

    if (s.fd >= 0 && stream_write(&s, head, strlen(head), 0) == 0 &&
        stream_write(&s, req->body, req->body_len, 0) == 0) {
        for (; r > 0 && n + 1 < sizeof(answer); n += (size_t)r) {
            r = read(s.fd, answer + n, sizeof(answer) - 1 - n);
            if (r <= 0)
                break;
        }
        answer[n] = '\0';
        ret->body = strstr(answer, "\r\n\r\n");
        if (sscanf(answer, "HTTP/%*s %d", &ret->status) == 1 && ret->body != NULL) {
            ret->state = ADUAN_HTTP_DONE;
            ret->body += 4;
            ret->body_len = strlen(ret->body);
        }
    }
    if (s.fd >= 0)
        close(s.fd);
    free(head);
}

static int host_http_wait(struct aduan_host *base, const struct aduan_http_request *req,
                          struct aduan_http_response *ret) {
    struct email_host *h = (struct email_host *)base;

    h->http_count++;
    memset(ret, 0, sizeof(*ret));
    ret->state = ADUAN_HTTP_SENT_NOTHING;
    ret->error = "no http here";
    if (h->on_http != NULL)
        h->on_http(h, req, ret);
    else if (text_starts(req->url, "http://127.0.0.1:"))
        http_plain(req, ret);
    return 0;
}

static int host_http(struct aduan_host *base, const struct aduan_http_request *req, aduan_http_done done,
                     void *arg) {
    struct aduan_http_response response;

    host_http_wait(base, req, &response);
    done(arg, &response);
    return 0;
}

static void host_done(struct aduan_host *base, uint64_t token, const struct aduan_result *result) {
    struct email_host *h = (struct email_host *)base;

    (void)token;
    h->result = *result;
    h->done_count++;
}

static int host_blob_open(struct aduan_host *base, const char *sha256) {
    struct email_host *h = (struct email_host *)base;
    char path[512];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", h->blob_dir, sha256);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int host_keep_secret(struct aduan_host *base, const char *name, const struct aduan_secret *value) {
    struct email_host *h = (struct email_host *)base;

    (void)name;
    free(h->kept.bytes);
    h->kept.bytes = xstrndup(value->bytes, value->len);
    h->kept.len = value->len;
    h->kept_count++;
    return 0;
}

static const struct aduan_secret *host_kept_secret(struct aduan_host *base, const char *name) {
    struct email_host *h = (struct email_host *)base;

    (void)name;
    return h->kept.bytes != NULL ? &h->kept : NULL;
}

static void host_report(struct aduan_host *base, int64_t token_expires_at, const char *fault) {
    struct email_host *h = (struct email_host *)base;

    (void)token_expires_at;
    snprintf(h->fault, sizeof(h->fault), "%s", fault != NULL ? fault : "");
}

static const struct aduan_host_ops ops = {
    .size = sizeof(struct aduan_host_ops),
    .now = host_now,
    .log = host_log,
    .http = host_http,
    .mail = host_mail,
    .http_wait = host_http_wait,
    .stream_open = stream_open,
    .stream_read = stream_read,
    .stream_write = stream_write,
    .stream_close = stream_close,
    .pause = host_pause,
    .emit = host_emit,
    .flush = host_flush,
    .mark = host_mark,
    .done = host_done,
    .blob_open = host_blob_open,
    .keep_secret = host_keep_secret,
    .kept_secret = host_kept_secret,
    .report = host_report,
};

void email_host_init(struct email_host *h) {
    memset(h, 0, sizeof(*h));
    h->base.ops = &ops;
    h->base.account = "test";
    h->quiet = true;
}

void email_host_clear(struct email_host *h) {
    size_t i;

    for (i = 0; i < h->count; i++) {
        free(h->raws[i].bytes);
        free(h->raws[i].id);
        free(h->raws[i].mark);
    }
    free(h->raws);
    free(h->kept.bytes);
    h->raws = NULL;
    h->count = h->flushed = 0;
    h->kept = (struct aduan_secret){ NULL, 0 };
}

/* ------------------------------------------------------------------ settings */

static void secret(struct aduan_secret *s, const char *value) {
    s->bytes = xstrdup(value);
    s->len = value != NULL ? strlen(value) : 0;
}

void email_host_set(char **member, const char *value) {
    free(*member);
    *member = xstrdup(value);
}

void email_host_settings(struct email_settings *s, const char *address, const char *imap_url, const char *user,
                         const char *password) {
    memset(s, 0, sizeof(*s));
    s->address = xstrdup(address);
    s->name = xstrdup("");
    s->imap.url = xstrdup(imap_url);
    s->imap.user = xstrdup(user);
    secret(&s->imap.password, password);
    s->imap.mailbox = xstrdup("INBOX");
    s->imap.after = xstrdup("keep");
    s->imap.idle = true;
    s->imap.poll = 1000;
    s->imap.limit = 30 * 1024 * 1024;
    s->imap.backlog = INT64_C(3) * 24 * 3600 * 1000;
    s->smtp.url = xstrdup("");
    s->smtp.user = xstrdup("");
    s->oauth.token_url = xstrdup("https://token.example/");
    s->oauth.client_id = xstrdup("client");
    s->oauth.scope = xstrdup("");
    secret(&s->oauth.client_secret, "client-secret");
    secret(&s->oauth.refresh_token, "refresh-1");
}

void email_host_settings_clear(struct email_settings *s) {
    char *members[] = { s->address,
                        s->name,
                        s->imap.url,
                        s->imap.user,
                        s->imap.password.bytes,
                        s->imap.mailbox,
                        s->imap.after,
                        s->smtp.url,
                        s->smtp.user,
                        s->smtp.password.bytes,
                        s->oauth.token_url,
                        s->oauth.client_id,
                        s->oauth.scope,
                        s->oauth.client_secret.bytes,
                        s->oauth.refresh_token.bytes };
    size_t i;

    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        free(members[i]);
    memset(s, 0, sizeof(*s));
}
