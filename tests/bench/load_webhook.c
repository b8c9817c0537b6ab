/*
 * load_webhook.c: posts signed webhooks over keep-alive connections and times each answer.
 *
 *   load_webhook --to unix:/path|host:port --path /hook/NAME --secret S --header NAME --body FILE
 *                [--connections 64] [--seconds 5] [--first N]
 *
 * In the body, each run of '@' (12 or more) becomes a running number, so that every message is
 * new. The HMAC is computed for each, as a platform would. Prints one line of JSON.
 */
#include "connectors/kit/sign.h"
#include "connectors/kit/text.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define RESPONSE_MAX 4096

struct options {
    const char *to, *path, *secret, *header, *body_file;
    int connections, seconds;
    long first;
};

struct client {
    int fd;
    double sent_at;
    char response[RESPONSE_MAX];
    size_t got;
};

struct load {
    struct options o;
    char *body;
    size_t body_len;
    long next, acked, refused;
    double *latencies;
    size_t latency_count, latency_room;
};

static double seconds_now(void) {
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void die(const char *what) {
    fprintf(stderr, "load_webhook: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int connect_to(const char *to) {
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char *host, *colon;
    int fd;

    if (text_starts(to, "unix:")) {
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        snprintf(address.sun_path, sizeof(address.sun_path), "%s", to + 5);
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
            die(to);
        return fd;
    }
    host = xstrdup(to);
    colon = strrchr(host, ':');
    if (colon == NULL)
        die("--to wants host:port");
    *colon = '\0';
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
        die(to);
    fd = socket(found->ai_family, SOCK_STREAM, 0);
    if (connect(fd, found->ai_addr, found->ai_addrlen) < 0)
        die(to);
    freeaddrinfo(found);
    free(host);
    return fd;
}

static void number_body(struct load *l) {
    char *p = l->body, digits[32];
    size_t run;

    while ((p = strchr(p, '@')) != NULL) {
        run = strspn(p, "@");
        if (run >= 12) {
            snprintf(digits, sizeof(digits), "%012ld", l->next);
            memset(p, '0', run);
            memcpy(p + run - 12, digits, 12);
        }
        p += run;
    }
}

static char *read_body(const char *file, size_t *ret_len) {
    FILE *f = fopen(file, "re");
    char *body = xcalloc(1, 1 << 20);

    if (f == NULL)
        die(file);
    *ret_len = fread(body, 1, (1 << 20) - 1, f);
    fclose(f);
    return body;
}

static void send_one(struct load *l, struct client *c) {
    static char *original;
    uint8_t mac[SIGN_SHA256];
    char hex[65];
    struct text t = TEXT_INIT;

    if (original == NULL)
        original = xstrdup(l->body);
    memcpy(l->body, original, l->body_len);
    number_body(l);
    l->next++;
    sign_hmac_sha256(l->o.secret, strlen(l->o.secret), l->body, l->body_len, mac);
    sign_hex(mac, sizeof(mac), hex);
    text_addf(&t,
              "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
              "Content-Length: %zu\r\n%s: sha256=%s\r\n\r\n",
              l->o.path, l->body_len, l->o.header, hex);
    text_add_n(&t, l->body, l->body_len);
    c->sent_at = seconds_now();
    c->got = 0;
    if (write(c->fd, t.s, t.len) != (ssize_t)t.len)
        die("write");
    text_free(&t);
}

static void note_latency(struct load *l, double s) {
    if (l->latency_count == l->latency_room) {
        l->latency_room = l->latency_room > 0 ? l->latency_room * 2 : 4096;
        l->latencies = xrealloc(l->latencies, l->latency_room, sizeof(*l->latencies));
    }
    l->latencies[l->latency_count++] = s;
}

/* Every answer to a webhook has an empty body, so the empty line ends it. */
static bool read_answer(struct load *l, struct client *c) {
    ssize_t n = read(c->fd, c->response + c->got, RESPONSE_MAX - 1 - c->got);

    if (n <= 0)
        die("the gateway closed a connection");
    c->got += (size_t)n;
    c->response[c->got] = '\0';
    if (strstr(c->response, "\r\n\r\n") == NULL)
        return false;
    note_latency(l, seconds_now() - c->sent_at);
    if (strncmp(c->response, "HTTP/1.1 200 ", 13) == 0)
        l->acked++;
    else
        l->refused++;
    return true;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double percentile(struct load *l, double p) {
    return l->latency_count > 0 ? l->latencies[(size_t)((double)(l->latency_count - 1) * p)] * 1e3 : 0;
}

static void run(struct load *l) {
    struct client *clients = xcalloc((size_t)l->o.connections, sizeof(*clients));
    struct pollfd *fds = xcalloc((size_t)l->o.connections, sizeof(*fds));
    double start, end, now;
    int i, open = l->o.connections;

    for (i = 0; i < l->o.connections; i++) {
        clients[i].fd = connect_to(l->o.to);
        fds[i] = (struct pollfd){ .fd = clients[i].fd, .events = POLLIN };
    }
    start = now = seconds_now();
    end = start + l->o.seconds;
    for (i = 0; i < l->o.connections; i++)
        send_one(l, &clients[i]);
    while (open > 0) {
        if (poll(fds, (nfds_t)l->o.connections, 10000) <= 0)
            die("no answer for 10 s");
        now = seconds_now();
        for (i = 0; i < l->o.connections; i++) {
            if (fds[i].revents == 0 || !read_answer(l, &clients[i]))
                continue;
            if (now < end) {
                send_one(l, &clients[i]);
            } else {
                fds[i].fd = -1;
                open--;
            }
        }
    }
    now = seconds_now();
    qsort(l->latencies, l->latency_count, sizeof(*l->latencies), by_value);
    printf("{\"acked\": %ld, \"refused\": %ld, \"seconds\": %.3f, \"rate\": %.1f, \"p50_ms\": %.3f, "
           "\"p99_ms\": %.3f, "
           "\"max_ms\": %.3f, \"bytes\": %zu, \"next\": %ld}\n",
           l->acked, l->refused, now - start, (double)l->acked / (now - start), percentile(l, 0.5),
           percentile(l, 0.99), percentile(l, 1), l->body_len, l->next);
    free(clients);
    free(fds);
}

static const char *option(int argc, char **argv, const char *name, const char *def) {
    int i;

    for (i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    if (def == NULL) {
        fprintf(stderr, "load_webhook: %s is missing\n", name);
        exit(2);
    }
    return def;
}

int main(int argc, char **argv) {
    struct load l = { .o = {
                          .to = option(argc, argv, "--to", NULL),
                          .path = option(argc, argv, "--path", NULL),
                          .secret = option(argc, argv, "--secret", NULL),
                          .header = option(argc, argv, "--header", NULL),
                          .body_file = option(argc, argv, "--body", NULL),
                          .connections = atoi(option(argc, argv, "--connections", "64")),
                          .seconds = atoi(option(argc, argv, "--seconds", "5")),
                          .first = atol(option(argc, argv, "--first", "1")),
                      } };

    l.next = l.o.first;
    l.body = read_body(l.o.body_file, &l.body_len);
    run(&l);
    free(l.body);
    free(l.latencies);
    return l.refused == 0 ? 0 : 1;
}
