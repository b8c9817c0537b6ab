/*
 * test_queue_storm.c: many processes deliver the same at once; Redis and its clients are killed and
 * stopped at random: acknowledged means there, exactly once.
 *
 * 10 s of it, 120 s with ADUAN_LONG=1. The seed is printed; ADUAN_SEED repeats it.
 */
#include "queue/queue.h"

#include "redis_server.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { WRITERS = 3, IDS = 20, DELIVERIES = 8 };

struct shared {
    volatile long acked[WRITERS]; /* messages 0..acked-1 of this writer are acknowledged */
    volatile long refused;
    volatile int go;
};

static int64_t now_ms(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct shared *share(void) {
    return mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* -------------------------------------------------------------- the same at once */

static void deliver_all(struct redis_server *s, const struct shared *shared, bool without_dedupe, int who) {
    struct queue *q = redis_queue(s, 5000);
    redisContext *c = redisConnectUnix(s->socket);
    char id[IDS][16];

    for (int i = 0; i < IDS; i++)
        snprintf(id[i], sizeof(id[i]), "a/%d", i);
    while (!shared->go)
        usleep(100);
    for (int k = 0; k < IDS; k++) {
        /* Every process in another order. */
        struct queue_in in = { .id = id[(k * 7 + who * 3) % IDS], .record = "{}", .record_len = 2 };

        if (without_dedupe)
            freeReplyObject(redisCommand(c, "XADD aduan:{a}:in * id %s", in.id));
        else if (queue_accept(q, "a", &in, 1, NULL, 0, NULL, NULL) != 0)
            _exit(1);
    }
    _exit(0);
}

static long long delivered_at_once(struct redis_server *s, bool without_dedupe) {
    struct shared *shared = share();
    int status;

    redis_do(s, "FLUSHALL");
    for (int i = 0; i < DELIVERIES; i++)
        if (fork() == 0)
            deliver_all(s, shared, without_dedupe, i);
    usleep(50000);
    shared->go = 1;
    for (int i = 0; i < DELIVERIES; i++) {
        assert_true(wait(&status) > 0);
        if (WIFSIGNALED(status) || WEXITSTATUS(status) != 0) {
            print_error("a delivery failed\n");
            return -1;
        }
    }
    munmap(shared, sizeof(*shared));
    return redis_int(s, "XLEN aduan:{a}:in");
}

static void twenty_ids_delivered_eight_times_at_once_are_twenty(void **state) {
    (void)state;
    for (int round = 0; round < 10; round++) {
        struct redis_server s;

        redis_start(&s, "");
        assert_int_equal(delivered_at_once(&s, false), IDS);
        if (round == 0) /* the negative control */
            assert_int_equal(delivered_at_once(&s, true), IDS * DELIVERIES);
        kill(s.pid, SIGKILL);
        waitpid(s.pid, NULL, 0);
        s.pid = 0;
        redis_stop(&s);
    }
}

/* --------------------------------------------------------------------- the storm */

/* Sends its messages one after the other, each until it is acknowledged. A new writer repeats the
 * last three of its predecessor, as a platform would that never saw our 200. */
static void write_on(const struct redis_server *s, struct shared *shared, int who) {
    struct queue *q = redis_queue(s, 400);
    long i = shared->acked[who] - 3;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (i = i > 0 ? i : 0;; i++) {
        struct queue_in in = { .record = "{}", .record_len = 2 };
        char id[32], value[24];
        struct queue_mark mark = { who == 0 ? "w0" : who == 1 ? "w1" : "w2", value };
        int r;

        snprintf(id, sizeof(id), "%d/%ld", who, i);
        snprintf(value, sizeof(value), "%ld", i);
        in.id = id;
        while ((r = queue_accept(q, "a", &in, 1, &mark, 1, NULL, NULL)) != 0) {
            if (r != -EAGAIN)
                __sync_fetch_and_add(&shared->refused, 1);
            usleep(3000);
        }
        if (shared->acked[who] < i + 1)
            shared->acked[who] = i + 1;
    }
}

static pid_t spawn(const struct redis_server *s, struct shared *shared, int who) {
    pid_t pid = fork();

    if (pid == 0)
        write_on(s, shared, who);
    return pid;
}

/* Everything acknowledged is there once, in the writer's order; at most one more each. */
static long check_storm(struct redis_server *s, const struct shared *shared) {
    redisReply *r = redis_do(s, "XRANGE aduan:{a}:in - +");
    long next[WRITERS] = { 0 }, total = 0;

    for (size_t i = 0; i < r->elements; i++) {
        const char *id = r->element[i]->element[1]->element[1]->str;
        int who = id[0] - '0';

        assert_int_equal(atol(id + 2), next[who]); /* none twice, none missing, in order */
        next[who]++;
        total++;
    }
    for (int w = 0; w < WRITERS; w++)
        assert_true(next[w] == shared->acked[w] || next[w] == shared->acked[w] + 1);
    return total;
}

static void killed_and_stopped_at_random_nothing_is_lost_or_doubled(void **state) {
    static int kills[3];
    int64_t end = now_ms() + (getenv("ADUAN_LONG") != NULL ? 120000 : 10000);
    unsigned seed = getenv("ADUAN_SEED") != NULL ? (unsigned)atoi(getenv("ADUAN_SEED")) : (unsigned)time(NULL);
    struct shared *shared = share();
    struct redis_server s;
    pid_t writers[WRITERS];
    long total;

    (void)state;
    print_message("seed %u\n", seed);
    srand(seed);
    redis_start(&s, "");
    for (int w = 0; w < WRITERS; w++)
        writers[w] = spawn(&s, shared, w);
    while (now_ms() < end) {
        int what = rand() % 100, w = rand() % WRITERS;

        usleep(20000 + (useconds_t)(rand() % 100000));
        if (what < 45) {
            redis_kill(&s);
            kills[0]++;
            redis_launch(&s); /* LOADING for a while */
        } else if (what < 85) {
            kill(writers[w], SIGKILL);
            waitpid(writers[w], NULL, 0);
            writers[w] = spawn(&s, shared, w);
            kills[1]++;
        } else {
            kill(s.pid, SIGSTOP);
            usleep(50000 + (useconds_t)(rand() % 600000)); /* now and then longer than the timeout */
            kill(s.pid, SIGCONT);
            kills[2]++;
        }
    }
    for (int w = 0; w < WRITERS; w++) {
        kill(writers[w], SIGKILL);
        waitpid(writers[w], NULL, 0);
    }
    redis_kill(&s);
    redis_again(&s);
    total = check_storm(&s, shared);
    print_message("%d Redis kills, %d writer kills, %d stops; %ld acknowledged, %ld in the stream\n", kills[0],
                  kills[1], kills[2], shared->acked[0] + shared->acked[1] + shared->acked[2], total);
    assert_int_equal(shared->refused, 0);
    assert_true(total > 100);
    redis_stop(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twenty_ids_delivered_eight_times_at_once_are_twenty),
        cmocka_unit_test(killed_and_stopped_at_random_nothing_is_lost_or_doubled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
