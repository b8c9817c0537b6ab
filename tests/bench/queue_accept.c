/*
 * queue_accept.c: how fast queue_async accepts, beside what redis-benchmark reaches.
 *
 *   queue_accept unix:/path/redis.sock [CLIENTS [BYTES [SECONDS]]]
 *
 * CLIENTS askers, each with one message outstanding, as many webhook connections. Prints messages
 * per second and the latencies a client sees, as JSON. queue_accept.py runs it in turns with
 * redis-benchmark and prints the ratio.
 */
#include "queue/queue.h"

#include "kit/text.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct bench;

struct asker {
    struct bench *bench;
    char id[40];
    struct queue_in in;
    int64_t asked_us;
    struct asker *next; /* told, and about to ask again */
};

struct bench {
    struct queue_async *q;
    int fd;
    bool write;
    long told, failed, serial;
    char *payload;
    struct asker *idle;
    uint32_t *latencies;
    size_t count, room;
};

static int64_t now_us(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void want_write(void *arg, bool on) {
    ((struct bench *)arg)->write = on;
}

static void fd_changed(void *arg, int fd) {
    struct bench *b = arg;

    b->fd = fd;
    b->write = false;
}

static void done(void *arg, int rc) {
    struct asker *a = arg;
    struct bench *b = a->bench;

    if (b->count == b->room) {
        b->room = b->room != 0 ? 2 * b->room : 65536;
        b->latencies = xrealloc(b->latencies, b->room, sizeof(*b->latencies));
    }
    b->latencies[b->count++] = (uint32_t)(now_us() - a->asked_us);
    if (rc == 0)
        b->told++;
    else
        b->failed++;
    a->next = b->idle;
    b->idle = a;
}

static void ask_again(struct bench *b) {
    struct asker *a;

    while ((a = b->idle) != NULL) {
        b->idle = a->next;
        snprintf(a->id, sizeof(a->id), "bench/wamid.%ld.%ld", (long)time(NULL), b->serial++);
        a->in.id = a->id;
        a->asked_us = now_us();
        queue_async_accept(b->q, "bench", &a->in, 1, done, a);
    }
}

static void turn(struct bench *b) {
    struct pollfd p = { .fd = b->fd, .events = (short)(POLLIN | (b->write ? POLLOUT : 0)) };

    if (poll(&p, 1, 100) > 0) {
        if (p.revents & POLLIN)
            queue_async_readable(b->q);
        ask_again(b);
        if (b->write)
            queue_async_writable(b->q);
    }
    queue_async_tick(b->q, 0);
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
    static const struct queue_async_ops ops = { want_write, fd_changed };
    int clients = argc > 2 ? atoi(argv[2]) : 64;
    size_t bytes = argc > 3 ? (size_t)atol(argv[3]) : 768;
    double seconds = argc > 4 ? atof(argv[4]) : 3;
    struct bench b = { .fd = -1 };
    struct queue_options o = { .redis = argc > 1 ? argv[1] : "127.0.0.1:6379" };
    struct asker *askers = xcalloc((size_t)clients, sizeof(*askers));
    int64_t start, end;

    b.payload = xcalloc(bytes + 1, 1);
    memset(b.payload, 'x', bytes);
    b.q = queue_async_new(&o, &ops, &b);
    while (!queue_async_up(b.q))
        turn(&b);
    for (int i = 0; i < clients; i++) {
        askers[i] = (struct asker){ .bench = &b, .next = b.idle };
        askers[i].in = (struct queue_in){ .record = b.payload, .record_len = bytes };
        b.idle = &askers[i];
    }
    start = now_us();
    end = start + (int64_t)(seconds * 1e6);
    ask_again(&b);
    while (now_us() < end)
        turn(&b);
    end = now_us();
    qsort(b.latencies, b.count, sizeof(*b.latencies), by_size);
    printf("{\"per_second\": %.0f, \"failed\": %ld, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f}\n",
           (double)b.told * 1e6 / (double)(end - start), b.failed, b.latencies[b.count / 2] / 1e3,
           b.latencies[b.count * 99 / 100] / 1e3, b.latencies[b.count - 1] / 1e3);
    return b.failed > 0;
}
