/*
 * redis_server.h: a real, private redis-server for unit tests, and a proxy that loses replies.
 *
 * Lives in a new directory under /tmp, listens on a unix socket only, and dies
 * with the test that started it.
 */
#ifndef ADUAN_TEST_REDIS_SERVER_H
#define ADUAN_TEST_REDIS_SERVER_H

#include "queue/queue.h"

#include <hiredis/hiredis.h>
#include <sys/types.h>

struct redis_server {
    char dir[64], socket[96], address[112];
    char options[512]; /* words for the command line, separated by blanks */
    pid_t pid;
    redisContext *cli; /* for redis_do() */
};

/* options: more settings, later ones win; "" for appendonly yes, appendfsync always, no snapshots. */
void redis_start(struct redis_server *s, const char *options);
void redis_kill(struct redis_server *s);   /* SIGKILL and wait */
void redis_again(struct redis_server *s);  /* starts it in the same directory; waits until it answers PONG */
void redis_launch(struct redis_server *s); /* the same without waiting */
void redis_stop(struct redis_server *s);   /* kills and removes the directory */
struct queue *redis_queue(const struct redis_server *s, int64_t timeout_ms);

/* One command from the test's own connection; the reply lives until the next one. */
redisReply *redis_do(struct redis_server *s, const char *fmt, ...);
long long redis_int(struct redis_server *s, const char *fmt, ...); /* its number; -1: an error reply */

/* Forwards to a server; the next `lose` replies are swallowed and their connections cut after the
 * server has done the work. */
struct redis_proxy {
    char socket[96], address[112];
    pid_t pid;
    volatile int *lose; /* [0]: replies to lose; [1]: replies to let through before that */
};
void redis_proxy_start(struct redis_proxy *p, const struct redis_server *s);
void redis_proxy_stop(struct redis_proxy *p);

/* What most tests of the queue stand on: a server, a queue to it, and one through a proxy. */
struct redis_pair {
    struct redis_server redis;
    struct redis_proxy proxy;
    struct queue *q, *through;
};
void redis_pair_start(struct redis_pair *p);
void redis_pair_stop(struct redis_pair *p);

void remove_tree(const char *dir);

#endif
