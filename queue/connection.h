/*
 * connection.h: one blocking connection to Redis, for queue/ only.
 *
 * Connects at first use and again when lost; every wait has a deadline; a reply
 * that did not come in time closes the connection, because a late reply would
 * be taken for the next one's. Outcomes are those of queue.h.
 */
#ifndef ADUAN_CONNECTION_H
#define ADUAN_CONNECTION_H

#include "queue/clock.h"
#include "queue/queue.h"
#include "queue/script.h"

#include <hiredis/hiredis.h>

/* Arguments of one command. Pointers are borrowed unless the args_ function says it copies. */
struct args {
    const char **v;
    size_t *n;
    size_t count, room;
    char **owned;
    size_t owned_count, owned_room;
};

void args_free(struct args *a);
void args_reset(struct args *a);                          /* keeps the room */
void args_add_n(struct args *a, const void *p, size_t n); /* NULL: empty */
void args_add(struct args *a, const char *s);             /* NULL: empty */
void args_int(struct args *a, int64_t value);             /* copies */
void args_own(struct args *a, char *s);                   /* frees s with the args */
void args_key(struct args *a, const char *account, const char *name,
              const char *sub); /* aduan:{A}:NAME[:SUB] */
/* EVALSHA with room for KEYS and ARGV to follow; keys is how many of them are KEYS. */
void args_script(struct args *a, const struct script *s, size_t keys);
/* Turns what args_script() began into an EVAL of the whole text. */
void args_whole_script(struct args *a, const struct script *s);

struct queue_options_copy {
    char *redis, *user, *password;
    int64_t timeout_ms;
};
void queue_options_take(struct queue_options_copy *to, const struct queue_options *from);
void queue_options_clear(struct queue_options_copy *o);
/* Splits host:port (also [::1]:6379). 0, or -EINVAL. Fresh string in *ret_host. */
int queue_split_address(const char *redis, char **ret_host, int *ret_port);

struct queue {
    struct queue_options_copy options;
    redisContext *redis;
    char error[256];
    int wake_fd;
    unsigned long sent; /* commands that have begun to leave */
    char by[33];        /* tells this queue's begins from everybody else's */
    char **unsure;      /* ids whose queue_begin() got no reply */
    size_t unsure_count;
};

int queue_fault(struct queue *q, int rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* What an error reply means: a negative errno. */
int queue_error_class(const char *text);

/* Runs one command. 0 and *ret (to be freed), or negative. */
int queue_call(struct queue *q, const struct args *a, redisReply **ret);
/* The same, waits up to wait_ms more for it and stops waiting when the wake fd turns readable
 * (QUEUE_NOTHING; the connection is closed then). */
int queue_call_waiting(struct queue *q, const struct args *a, int64_t wait_ms, redisReply **ret);
/* EVALSHA, and EVAL when Redis does not know the script (yet, or any more). */
int queue_eval(struct queue *q, const struct script *s, struct args *a, redisReply **ret);
/* The same for scripts that return a number. */
int queue_eval_int(struct queue *q, const struct script *s, struct args *a, long long *ret);
/* Sends all before it reads; replies[i] are to be freed. */
int queue_pipeline(struct queue *q, const struct args *a, size_t count, redisReply **replies);
void queue_disconnect(struct queue *q);

/* accept.c, for async.c: the accept script's arguments for count messages. */
void accept_arguments(struct args *a, const char *account, const struct queue_in *const *in, size_t count,
                      const struct queue_mark *marks, size_t mark_count);

#endif
