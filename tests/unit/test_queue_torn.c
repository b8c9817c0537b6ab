/*
 * test_queue_torn.c: an append-only file torn at any byte gives a prefix of what was acknowledged,
 * with stream and "seen" agreeing.
 *
 * Every byte with ADUAN_LONG=1, else all bytes near the ends of records and a sample between.
 */
#include "queue/queue.h"

#include "redis_server.h"

#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { CALLS = 4, LOG_MAX = 65536 };

struct torn {
    struct redis_server redis;
    char path[256];
    char log[LOG_MAX];
    size_t len, ends[CALLS]; /* the log's size when each call was acknowledged */
    int tried, caught;
};

static const char *const ids[CALLS + 1] = { "a/0", "a/1", "a/2", "a/3", "a/extra" };

static void find_log(struct torn *t) {
    char pattern[128];
    glob_t g;

    snprintf(pattern, sizeof(pattern), "%s/appendonlydir/*.incr.aof", t->redis.dir);
    assert_int_equal(glob(pattern, 0, NULL, &g), 0);
    assert_int_equal(g.gl_pathc, 1);
    snprintf(t->path, sizeof(t->path), "%s", g.gl_pathv[0]);
    globfree(&g);
}

static size_t size_of(const struct torn *t) {
    struct stat st;

    assert_int_equal(stat(t->path, &st), 0);
    return (size_t)st.st_size;
}

static void keep_log(struct torn *t) {
    int fd = open(t->path, O_RDONLY);

    t->len = size_of(t);
    assert_true(t->len < LOG_MAX);
    assert_int_equal(read(fd, t->log, t->len), t->len);
    close(fd);
}

static void write_log(const struct torn *t, size_t len) {
    int fd = open(t->path, O_WRONLY | O_TRUNC);

    assert_int_equal(write(fd, t->log, len), len);
    close(fd);
}

/* Does the stream hold exactly the messages that are "seen", and the acknowledged prefix? */
static bool agrees(struct torn *t, size_t cut) {
    struct queue *q = redis_queue(&t->redis, 3000);
    size_t acked = 0, there;
    bool seen[CALLS], right;
    char *mark = NULL;

    while (acked < CALLS && t->ends[acked] <= cut)
        acked++;
    assert_int_equal(queue_seen(q, "a", ids, CALLS, seen), 0);
    there = (size_t)redis_int(&t->redis, "XLEN aduan:{a}:in");
    right = there == acked;
    for (size_t i = 0; i < CALLS; i++)
        right = right && seen[i] == (i < acked);
    /* The cursor never runs ahead of the messages. */
    if (queue_mark_get(q, "a", "uid", &mark) == 0)
        right = right && (size_t)atoi(mark) == acked;
    else
        right = right && acked == 0;
    free(mark);
    queue_free(q);
    return right;
}

static bool near_an_end(const struct torn *t, size_t cut) {
    for (size_t i = 0; i < CALLS; i++)
        if (cut + 12 >= t->ends[i] && cut <= t->ends[i] + 6)
            return true;
    return false;
}

static void tear(struct torn *t) {
    size_t step = getenv("ADUAN_LONG") != NULL ? 1 : 23;

    redis_kill(&t->redis);
    for (size_t cut = 0; cut <= t->len; cut++) {
        if (cut % step != 0 && !near_an_end(t, cut) && cut != t->len)
            continue;
        write_log(t, cut);
        redis_again(&t->redis);
        t->tried++;
        t->caught += !agrees(t, cut);
        redis_kill(&t->redis);
    }
}

static void start(struct torn *t) {
    memset(t, 0, sizeof(*t));
    redis_start(&t->redis, "--aof-load-truncated yes");
    find_log(t);
}

static void every_tear_leaves_the_acknowledged_prefix(void **state) {
    static struct torn t;
    struct queue *q;

    (void)state;
    start(&t);
    q = redis_queue(&t.redis, 3000);
    for (int i = 0; i < CALLS; i++) {
        struct queue_in in = {
            .id = ids[i], .record = "{\"text\":\"x\"}", .record_len = 12, .raw = "raw", .raw_len = 3
        };
        char value[8];
        struct queue_mark mark = { "uid", value };

        snprintf(value, sizeof(value), "%d", i + 1);
        assert_int_equal(queue_accept(q, "a", &in, 1, &mark, 1, NULL, NULL), 0);
        t.ends[i] = size_of(&t);
    }
    queue_free(q);
    keep_log(&t);
    tear(&t);
    print_message("%d tears of a log of %zu bytes\n", t.tried, t.len);
    assert_int_equal(t.caught, 0);
    redis_stop(&t.redis);
}

/* The negative control: the same writes as separate commands. Tears between them must be caught. */
static void separate_commands_are_caught(void **state) {
    static struct torn t;
    redisReply *r;
    struct queue *q;

    (void)state;
    start(&t);
    q = redis_queue(&t.redis, 3000);
    for (int i = 0; i < CALLS; i++) {
        struct queue_in in = { .id = ids[i], .record = "{}", .record_len = 2 };

        assert_int_equal(queue_accept(q, "other", &in, 1, NULL, 0, NULL, NULL), 0);
        redis_do(&t.redis, "XADD aduan:{a}:in * id %s", ids[i]);
        /* The same "seen" entries under account a, by copying the bucket that accept made. */
        r = redis_do(&t.redis, "KEYS aduan:{other}:seen:*");
        assert_int_equal(r->elements, 1);
        {
            char from[64], to[64];

            snprintf(from, sizeof(from), "%s", r->element[0]->str);
            snprintf(to, sizeof(to), "aduan:{a}%s", strchr(from, '}') + 1);
            redis_do(&t.redis, "COPY %s %s", from, to);
            redis_do(&t.redis, "DEL %s aduan:{other}:in", from);
        }
        redis_do(&t.redis, "HSET aduan:{a}:mark uid %d", i + 1);
        t.ends[i] = size_of(&t);
    }
    queue_free(q);
    keep_log(&t);
    tear(&t);
    print_message("separate commands: %d of %d tears caught\n", t.caught, t.tried);
    assert_true(t.caught > 0);
    redis_stop(&t.redis);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tear_leaves_the_acknowledged_prefix),
        cmocka_unit_test(separate_commands_are_caught),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
