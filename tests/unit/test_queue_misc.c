/* test_queue_misc.c: dead letters, commands, health, switches, kept secrets, durability, refusals. */
#include "queue/queue.h"

#include "redis_server.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct redis_server redis;
    struct queue *q;
    size_t count;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof(*f));

    redis_start(&f->redis, "");
    f->q = redis_queue(&f->redis, 3000);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;

    queue_free(f->q);
    redis_stop(&f->redis);
    free(f);
    return 0;
}

static int empty(void **state) {
    struct fixture *f = *state;

    redis_do(&f->redis, "FLUSHALL");
    f->count = 0;
    return 0;
}

/* ---------------------------------------------------------------- dead letters */

static struct queue_dead letter(const char *ref, const char *reason) {
    return (struct queue_dead){ .account = (char *)"a",
                                .kind = (char *)"in",
                                .ref = (char *)ref,
                                .reason = (char *)reason,
                                .record = (char *)"{}",
                                .at = 77,
                                .raw = (unsigned char *)"x\0y",
                                .raw_len = 3 };
}

static int count_dead(void *arg, const struct queue_dead *d) {
    struct fixture *f = arg;

    assert_string_equal(d->account, "a");
    f->count++;
    return 0;
}

static void a_dead_letter_is_kept_once_shown_and_dropped(void **state) {
    struct fixture *f = *state;
    struct queue_dead d = letter("a/1", "unknown account"), got;
    char id[32], again[32], other[32];

    assert_int_equal(queue_bury(f->q, &d, id), 0);
    assert_int_equal(queue_bury(f->q, &d, again), 0);
    assert_string_equal(id, again);
    d.reason = (char *)"another reason";
    assert_int_equal(queue_bury(f->q, &d, other), 0);
    assert_string_not_equal(id, other);
    assert_int_equal(queue_dead_get(f->q, "a", id, &got), 0);
    assert_string_equal(got.id, id);
    assert_string_equal(got.kind, "in");
    assert_string_equal(got.ref, "a/1");
    assert_string_equal(got.reason, "unknown account");
    assert_string_equal(got.record, "{}");
    assert_int_equal(got.at, 77);
    assert_int_equal(got.raw_len, 3);
    assert_memory_equal(got.raw, "x\0y", 3);
    queue_dead_clear(&got);
    assert_int_equal(queue_dead_drop(f->q, "a", id), 0);
    assert_int_equal(queue_dead_drop(f->q, "a", id), QUEUE_NOTHING);
    assert_int_equal(queue_dead_get(f->q, "a", id, &got), QUEUE_NOTHING);
    assert_int_equal(queue_dead_list(f->q, "a", count_dead, f), 0);
    assert_int_equal(f->count, 1);
}

static void a_dropped_letter_that_dies_again_is_seen_again(void **state) {
    struct fixture *f = *state;
    struct queue_dead d = letter("a/1", "why");
    char first[32], second[32];

    assert_int_equal(queue_bury(f->q, &d, first), 0);
    assert_int_equal(queue_dead_drop(f->q, "a", first), 0);
    assert_int_equal(queue_bury(f->q, &d, second), 0);
    assert_string_not_equal(first, second);
    assert_int_equal(redis_int(&f->redis, "HLEN aduan:{a}:dead:index"), 1);
}

static void letters_without_a_ref_are_told_apart_by_their_bytes(void **state) {
    struct fixture *f = *state;
    struct queue_dead d = letter("", "unreadable"), e = letter(NULL, "unreadable");

    e.raw = (unsigned char *)"other";
    e.raw_len = 5;
    assert_int_equal(queue_bury(f->q, &d, NULL), 0);
    assert_int_equal(queue_bury(f->q, &e, NULL), 0);
    assert_int_equal(queue_bury(f->q, &e, NULL), 0);
    assert_int_equal(redis_int(&f->redis, "XLEN aduan:{a}:dead"), 2);
}

static void the_list_is_whole_however_long(void **state) {
    struct fixture *f = *state;
    char ref[16];

    for (int i = 0; i < 120; i++) {
        struct queue_dead d = letter(ref, "why");

        snprintf(ref, sizeof(ref), "a/%d", i);
        assert_int_equal(queue_bury(f->q, &d, NULL), 0);
    }
    assert_int_equal(queue_dead_list(f->q, "a", count_dead, f), 0);
    assert_int_equal(f->count, 120);
    assert_int_equal(queue_dead_drop(f->q, "a", "no id"), QUEUE_NOTHING);
    assert_int_equal(queue_dead_drop(f->q, "a", ""), QUEUE_NOTHING);
}

/* ----------------------------------------------------------------- small hashes */

static void health_switches_and_kept_secrets(void **state) {
    struct fixture *f = *state;
    bool in, out;
    json_t *health;
    char *value;

    assert_int_equal(queue_health_set(f->q, "a", "send", "{\"sent\":3}"), 0);
    assert_int_equal(queue_health_set(f->q, "a", "receive", "{}"), 0);
    assert_int_equal(queue_health_get(f->q, "a", &health), 0);
    assert_int_equal(json_object_size(health), 2);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(health, "send"), "sent")), 3);
    json_decref(health);

    assert_int_equal(queue_switch_get(f->q, "a", &in, &out), 0);
    assert_false(in || out);
    assert_int_equal(queue_switch_set(f->q, "a", "out", true), 0);
    assert_int_equal(queue_switch_get(f->q, "a", &in, &out), 0);
    assert_true(!in && out);
    assert_int_equal(queue_switch_set(f->q, "a", "out", false), 0);
    assert_int_equal(queue_switch_get(f->q, "a", &in, &out), 0);
    assert_false(in || out);

    assert_int_equal(queue_kept_get(f->q, "a", "refresh", &value), QUEUE_NOTHING);
    assert_int_equal(queue_kept_set(f->q, "a", "refresh", "token", 5), 0);
    assert_int_equal(queue_kept_get(f->q, "a", "refresh", &value), 0);
    assert_string_equal(value, "token");
    free(value);
}

/* -------------------------------------------------------------------- durability */

static void how_durable(const char *options, const char *expected, bool known) {
    struct redis_server s;
    struct queue_durability d;
    char problem[1024];
    struct queue *q;

    redis_start(&s, options);
    q = redis_queue(&s, 3000);
    assert_int_equal(queue_durability(q, &d, problem, sizeof(problem)), 0);
    if (expected == NULL)
        assert_string_equal(problem, "");
    else
        assert_non_null(strstr(problem, expected));
    assert_int_equal(d.known, known);
    assert_true(strlen(d.run_id) == 40 && strlen(d.version) > 2);
    queue_free(q);
    redis_stop(&s);
}

static void what_breaks_the_promise_is_said(void **state) {
    (void)state;
    how_durable("", NULL, true);
    how_durable("--appendfsync everysec", "appendfsync is not always", true);
    how_durable("--appendfsync no", "appendfsync is not always", true);
    how_durable("--appendonly no", "appendonly no", true);
    how_durable("--no-appendfsync-on-rewrite yes", "no-appendfsync-on-rewrite", true);
    how_durable("--maxmemory 100mb --maxmemory-policy allkeys-lru", "noeviction", true);
    how_durable("--replicaof 127.0.0.1 1", "replica", true);
    how_durable("--rename-command CONFIG nobody-may", "does not let us read", false);
}

static void another_redis_has_another_run_id(void **state) {
    struct fixture *f = *state;
    struct queue_durability before, after;
    char problem[256];

    assert_int_equal(queue_durability(f->q, &before, problem, sizeof(problem)), 0);
    redis_kill(&f->redis);
    assert_int_equal(queue_durability(f->q, &after, problem, sizeof(problem)), -EAGAIN);
    redis_again(&f->redis);
    assert_int_equal(queue_durability(f->q, &after, problem, sizeof(problem)), 0);
    assert_string_not_equal(before.run_id, after.run_id);
}

/* ---------------------------------------------------------------------- refusals */

static int ping(const char *address, const char *user, const char *password, char *why) {
    struct queue_options o = { .redis = address, .user = user, .password = password, .timeout_ms = 1000 };
    struct queue *q = queue_new(&o);
    int r = queue_ping(q);

    strcpy(why, queue_error(q));
    queue_free(q);
    return r;
}

static void logging_in(void **state) {
    struct fixture *f = *state;
    char why[256];

    redis_do(&f->redis, "ACL SETUSER aduan on >geheim ~aduan:* +@all -@dangerous +config|get +info");
    assert_int_equal(ping(f->redis.address, "aduan", "geheim", why), 0);
    assert_int_equal(ping(f->redis.address, "aduan", "wrong-secret", why), -EACCES);
    assert_null(strstr(why, "wrong-secret"));
    redis_do(&f->redis, "ACL SETUSER default on >pass");
    assert_int_equal(ping(f->redis.address, "", "pass", why), 0);
    assert_int_equal(ping(f->redis.address, NULL, NULL, why), -EACCES);
    redis_do(&f->redis, "ACL SETUSER default on nopass");
}

/* A user fenced to one account: everything of it works, nothing of another. */
static void an_account_can_be_fenced_by_one_pattern(void **state) {
    struct fixture *f = *state;
    struct queue_options o = { .redis = f->redis.address, .user = "one", .password = "x" };
    struct queue_in in = { .id = "a/1", .record = "{}", .record_len = 2 };
    struct queue_mark mark = { "m", "1" };
    struct queue *q = queue_new(&o);

    redis_do(&f->redis, "ACL SETUSER one on >x ~aduan:{a}:* +@all");
    assert_int_equal(queue_accept(q, "a", &in, 1, &mark, 1, NULL, NULL), 0);
    assert_int_equal(queue_accept(q, "b", &in, 1, &mark, 1, NULL, NULL), -EACCES);
    assert_int_equal(redis_int(&f->redis, "EXISTS aduan:{b}:in"), 0);
    queue_free(q);
}

static void addresses(void **state) {
    struct redis_server s;
    char why[256], address[64];

    (void)state;
    assert_int_equal(ping("redis", NULL, NULL, why), -EINVAL);
    assert_int_equal(ping("host:99999", NULL, NULL, why), -EINVAL);
    assert_int_equal(ping("unix:/nonexistent/redis.sock", NULL, NULL, why), -EAGAIN);
    assert_non_null(strstr(why, "/nonexistent/redis.sock"));
    assert_int_equal(ping("127.0.0.1:1", NULL, NULL, why), -EAGAIN);
    for (int port = 20000 + getpid() % 20000, tries = 0; tries < 20; port++, tries++) {
        snprintf(address, sizeof(address), "127.0.0.1:%d", port);
        if (ping(address, NULL, NULL, why) != -EAGAIN)
            continue; /* somebody is there */
        snprintf(s.options, sizeof(s.options), "--port %d --bind 127.0.0.1", port);
        redis_start(&s, strdupa(s.options));
        assert_int_equal(ping(address, NULL, NULL, why), 0);
        redis_stop(&s);
        return;
    }
}

static int64_t now_ms(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void a_hanging_redis_is_away(void **state) {
    struct fixture *f = *state;
    struct queue *q = redis_queue(&f->redis, 300);
    struct queue_in in = { .id = "a/1", .record = "{}", .record_len = 2 };
    int64_t from;
    size_t fresh;

    assert_int_equal(queue_ping(q), 0);
    kill(f->redis.pid, SIGSTOP);
    from = now_ms();
    assert_int_equal(queue_accept(q, "a", &in, 1, NULL, 0, NULL, &fresh), -EAGAIN);
    assert_true(now_ms() - from < 5000);
    kill(f->redis.pid, SIGCONT);
    /* Whether it was done or not: the repeat makes it one. */
    while (queue_accept(q, "a", &in, 1, NULL, 0, NULL, &fresh) == -EAGAIN)
        continue;
    assert_int_equal(redis_int(&f->redis, "XLEN aduan:{a}:in"), 1);
    queue_free(q);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_dead_letter_is_kept_once_shown_and_dropped, empty),
        cmocka_unit_test_setup(a_dropped_letter_that_dies_again_is_seen_again, empty),
        cmocka_unit_test_setup(letters_without_a_ref_are_told_apart_by_their_bytes, empty),
        cmocka_unit_test_setup(the_list_is_whole_however_long, empty),
        cmocka_unit_test_setup(health_switches_and_kept_secrets, empty),
        cmocka_unit_test(what_breaks_the_promise_is_said),
        cmocka_unit_test(another_redis_has_another_run_id),
        cmocka_unit_test(logging_in),
        cmocka_unit_test_setup(an_account_can_be_fenced_by_one_pattern, empty),
        cmocka_unit_test(addresses),
        cmocka_unit_test_setup(a_hanging_redis_is_away, empty),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
