/*
 * desk.h: the office's procedure as one worker, the register's only writer.
 *
 * desk_run() reads the `in` and `event` streams of all accounts and the
 * command stream, makes and moves cases in the register, and relays the
 * outbox to the `out` streams, until stopping() is true. It sees no socket
 * but Redis and no platform secret.
 */
#ifndef ADUAN_DESK_H
#define ADUAN_DESK_H

#include "conf/conf.h"
#include "queue/blob.h"
#include "queue/queue.h"

/* What the desk must know of an account; from its connector's constant. */
struct desk_account {
    const char *name, *type, *channel;
    const char *address; /* our own address there, or "" */
    bool can_send, can_attach, has_public, has_template;
    bool at_desk;             /* no worker of its own: it is up when the desk is */
    bool by_hand;             /* answers wait in the work list until a person has carried them over */
    int64_t window_ms;        /* reply window for automatic texts, 0 none */
    int64_t window_person_ms; /* the same for what an officer wrote */
    int64_t text_max;         /* 0 none */
    bool text_max_is_bytes;
    int64_t attachment_max;
    /* Can the platform take this answer as it is? 0, or -1 and why, for the officer. Pure; NULL: yes. */
    int (*fits)(const void *arg, const struct aduan_answer *answer, char *why, size_t why_size);
    const void *fits_arg;
    /* Of an account by hand: a document that an officer brings (the module's parse()), as one record to be
     * cleared by the caller. 0; -1: it makes no sense, or not of one record. Pure; NULL: takes none. */
    int (*read)(const void *arg, const void *document, size_t len, int64_t now, struct aduan_message *ret);
    const void *read_arg;
};

struct desk_host {
    void *arg;
    void (*log)(void *arg, int level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
    bool (*stopping)(void *arg);
    void (*alive)(void *arg);                  /* heartbeat; called at least every second */
    void (*health)(void *arg, json_t *fields); /* steals fields */
    int64_t (*now)(void *arg);                 /* ms, UTC */
};

struct desk_options {
    const struct conf *conf;
    const struct desk_account *accounts;
    size_t account_count;
    struct queue *queue;
    struct blob_store *blobs;
};

/* 0 when told to stop; 1 when it cannot go on (register unusable: why is logged). */
int desk_run(const struct desk_options *o, const struct desk_host *host);

#endif
