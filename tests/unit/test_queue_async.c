/* test_queue_async.c: the gateway's side: group commit, exactly one answer each, Redis away. */
#include "queue/queue.h"

#include "redis_server.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { ASKS = 1200 };

struct one {
    char id[24];
    struct queue_in in;
    int rc, told;
};

struct fixture {
    struct redis_server redis;
    struct queue_async *q;
    int fd;
    bool write, inside;
    int told;
    struct one asks[ASKS];
};

static int64_t now_ms(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A gateway's loop in small. */
static void want_write(void *arg, bool on) {
    ((struct fixture *)arg)->write = on;
}

static void fd_changed(void *arg, int fd) {
    struct fixture *f = arg;

    f->fd = fd;
    f->write = false;
}

static void turn(struct fixture *f, int wait_ms) {
    struct pollfd p = { .fd = f->fd, .events = (short)(POLLIN | (f->write ? POLLOUT : 0)) };

    if (poll(&p, 1, wait_ms) > 0) {
        if (p.revents & (POLLIN | POLLHUP | POLLERR))
            queue_async_readable(f->q);
        if (f->fd == p.fd && (p.revents & POLLOUT))
            queue_async_writable(f->q);
    }
    queue_async_tick(f->q, 0);
}

static void loop_until_told(struct fixture *f, int told) {
    int64_t end = now_ms() + 20000;

    while (f->told < told && now_ms() < end)
        turn(f, 20);
    assert_int_equal(f->told, told);
}

static void loop_until_up(struct fixture *f, bool up) {
    int64_t end = now_ms() + 20000;

    while (queue_async_up(f->q) != up && now_ms() < end)
        turn(f, 20);
    assert_int_equal(queue_async_up(f->q), up);
}

static void done(void *arg, int rc) {
    struct one *o = arg;

    o->rc = rc;
    o->told++;
}

static struct fixture *the_fixture;

static void counted(void *arg, int rc) {
    assert_false(the_fixture->inside);
    done(arg, rc);
    the_fixture->told++;
}

static void accept_one(struct fixture *f, int i, const char *account) {
    struct one *o = &f->asks[i];

    memset(o, 0, sizeof(*o));
    snprintf(o->id, sizeof(o->id), "%s/%d", account, i);
    o->in = (struct queue_in){ .id = o->id, .record = "{}", .record_len = 2, .raw = "raw", .raw_len = 3 };
    f->inside = true;
    queue_async_accept(f->q, account, &o->in, 1, counted, o);
    f->inside = false;
}

static void open_queue(struct fixture *f, int64_t timeout_ms) {
    static const struct queue_async_ops ops = { want_write, fd_changed };
    struct queue_options o = { .redis = f->redis.address, .timeout_ms = timeout_ms };

    f->told = 0;
    f->fd = -1;
    f->q = queue_async_new(&o, &ops, f);
}

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof(*f));

    the_fixture = f;
    redis_start(&f->redis, "");
    open_queue(f, 1000);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;

    queue_async_free(f->q);
    redis_stop(&f->redis);
    free(f);
    return 0;
}

static void expect_all(const struct fixture *f, int from, int to, int rc) {
    for (int i = from; i < to; i++) {
        assert_int_equal(f->asks[i].told, 1);
        assert_int_equal(f->asks[i].rc, rc);
    }
}

static long long calls(struct fixture *f) {
    const char *at = strstr(redis_do(&f->redis, "INFO commandstats")->str, "cmdstat_evalsha:calls=");

    return at != NULL ? strtoll(at + 22, NULL, 10) : 0;
}

static void one_is_kept(void **state) {
    struct fixture *f = *state;

    accept_one(f, 0, "a"); /* before it is even connected */
    loop_until_told(f, 1);
    expect_all(f, 0, 1, 0);
    assert_int_equal(redis_int(&f->redis, "XLEN aduan:{a}:in"), 1);
}

static void what_comes_together_goes_together_in_order(void **state) {
    struct fixture *f = *state;
    long long before;
    redisReply *r;

    loop_until_up(f, true);
    accept_one(f, 0, "a");
    loop_until_told(f, 1); /* the script is known now */
    before = calls(f);
    for (int i = 1; i < 401; i++)
        accept_one(f, i, "a");
    loop_until_told(f, 401);
    expect_all(f, 0, 401, 0);
    assert_int_equal(calls(f) - before, 1);
    r = redis_do(&f->redis, "XRANGE aduan:{a}:in - +");
    assert_int_equal(r->elements, 401);
    for (int i = 0; i < 401; i++)
        assert_string_equal(r->element[i]->element[1]->element[1]->str, f->asks[i].id);
}

static void more_than_a_round_holds_keeps_its_order(void **state) {
    struct fixture *f = *state;
    redisReply *r;

    loop_until_up(f, true);
    for (int i = 0; i < ASKS; i++)
        accept_one(f, i, "a");
    loop_until_told(f, ASKS);
    expect_all(f, 0, ASKS, 0);
    r = redis_do(&f->redis, "XRANGE aduan:{a}:in - +");
    assert_int_equal(r->elements, ASKS);
    for (int i = 0; i < ASKS; i++)
        assert_string_equal(r->element[i]->element[1]->element[1]->str, f->asks[i].id);
}

static void accounts_share_a_round_but_not_their_fate(void **state) {
    struct fixture *f = *state;

    loop_until_up(f, true);
    redis_do(&f->redis, "SET aduan:{b}:in x");
    for (int i = 0; i < 30; i++)
        accept_one(f, i, (const char *[]){ "a", "b", "c" }[i / 10]);
    loop_until_told(f, 30);
    expect_all(f, 0, 10, 0);
    expect_all(f, 10, 20, -EPROTO);
    expect_all(f, 20, 30, 0);
    assert_int_equal(redis_int(&f->redis, "XLEN aduan:{c}:in"), 10);
}

static void full_memory_is_said_and_ends(void **state) {
    struct fixture *f = *state;

    loop_until_up(f, true);
    redis_do(&f->redis, "CONFIG SET maxmemory 1");
    accept_one(f, 0, "a");
    loop_until_told(f, 1);
    expect_all(f, 0, 1, -ENOSPC);
    redis_do(&f->redis, "CONFIG SET maxmemory 0");
    accept_one(f, 1, "a");
    loop_until_told(f, 2);
    expect_all(f, 1, 2, 0);
}

static void redis_away_is_said_soon_and_noticed_when_back(void **state) {
    struct fixture *f = *state;
    int64_t from;

    loop_until_up(f, true);
    redis_kill(&f->redis);
    loop_until_up(f, false);
    from = now_ms();
    accept_one(f, 0, "a");
    loop_until_told(f, 1);
    assert_true(now_ms() - from < 900); /* less than the timeout: so that the spool has it soon */
    expect_all(f, 0, 1, -EAGAIN);
    redis_again(&f->redis);
    loop_until_up(f, true);
    accept_one(f, 1, "a");
    loop_until_told(f, 2);
    expect_all(f, 1, 2, 0);
}

static void killed_in_the_middle_nobody_is_told_wrong(void **state) {
    struct fixture *f = *state;

    loop_until_up(f, true);
    for (int i = 0; i < 100; i++)
        accept_one(f, i, "a");
    turn(f, 100); /* sent */
    for (int i = 100; i < 200; i++)
        accept_one(f, i, "a");
    redis_kill(&f->redis);
    loop_until_told(f, 200);
    redis_again(&f->redis);
    for (int i = 0; i < 200; i++) {
        const struct one *o = &f->asks[i];

        assert_int_equal(o->told, 1);
        assert_true(o->rc == 0 || o->rc == -EAGAIN);
    }
    expect_all(f, 100, 200, -EAGAIN);
    if (f->asks[0].rc == 0)
        assert_int_equal(redis_int(&f->redis, "XLEN aduan:{a}:in"), 100);
}

static void a_hanging_redis_times_out(void **state) {
    struct fixture *f = *state;

    loop_until_up(f, true);
    kill(f->redis.pid, SIGSTOP);
    for (int i = 0; i < 10; i++)
        accept_one(f, i, "a");
    turn(f, 100);
    for (int i = 10; i < 20; i++)
        accept_one(f, i, "a");
    loop_until_told(f, 20);
    expect_all(f, 0, 20, -EAGAIN);
    kill(f->redis.pid, SIGCONT);
    loop_until_up(f, true);
    for (int i = 0; i < 20; i++)
        accept_one(f, i, "a"); /* as the platform's repeat, or the spool's replay */
    loop_until_told(f, 40);
    assert_int_equal(redis_int(&f->redis, "XLEN aduan:{a}:in"), 20);
}

static void a_loading_redis_is_away(void **state) {
    struct fixture *f = *state;

    loop_until_up(f, true);
    for (int i = 0; i < 200; i++)
        redis_do(&f->redis, "SET k%d x", i);
    redis_kill(&f->redis);
    strcpy(f->redis.options, "--key-load-delay 10000 --loading-process-events-interval-bytes 1024");
    redis_launch(&f->redis);
    for (int i = 0; i < 10 && f->fd < 0; i++)
        turn(f, 100);
    accept_one(f, 0, "a");
    loop_until_told(f, 1);
    assert_true(f->asks[0].rc == -EAGAIN || f->asks[0].rc == 0);
    loop_until_up(f, true);
    accept_one(f, 0, "a");
    loop_until_told(f, 2);
    expect_all(f, 0, 1, 0);
    f->redis.cli = redisConnectUnix(f->redis.socket);
    assert_int_equal(redis_int(&f->redis, "XLEN aduan:{a}:in"), 1);
}

static void a_forgotten_script_is_sent_whole(void **state) {
    struct fixture *f = *state;

    loop_until_up(f, true);
    accept_one(f, 0, "a");
    loop_until_told(f, 1);
    redis_do(&f->redis, "SCRIPT FLUSH");
    for (int i = 1; i < 50; i++)
        accept_one(f, i, i % 2 == 0 ? "a" : "b");
    loop_until_told(f, 50);
    expect_all(f, 0, 50, 0);
    assert_int_equal(redis_int(&f->redis, "XLEN aduan:{a}:in") + redis_int(&f->redis, "XLEN aduan:{b}:in"), 50);
}

static void freeing_tells_everybody(void **state) {
    struct fixture *f = *state;

    loop_until_up(f, true);
    for (int i = 0; i < 10; i++)
        accept_one(f, i, "a");
    turn(f, 100);
    for (int i = 10; i < 20; i++)
        accept_one(f, i, "a");
    f->q = queue_async_free(f->q);
    assert_int_equal(f->told, 20);
    for (int i = 0; i < 20; i++)
        assert_int_equal(f->asks[i].told, 1);
}

static void a_wrong_password_is_never_up(void **state) {
    static const struct queue_async_ops ops = { want_write, fd_changed };
    struct fixture *f = *state;
    struct queue_options o = { .redis = f->redis.address, .password = "wrong", .timeout_ms = 1000 };

    queue_async_free(f->q);
    redis_do(&f->redis, "CONFIG SET requirepass right");
    f->q = queue_async_new(&o, &ops, f);
    accept_one(f, 0, "a");
    loop_until_told(f, 1);
    expect_all(f, 0, 1, -EAGAIN);
    queue_async_free(f->q);
    o.password = "right";
    f->q = queue_async_new(&o, &ops, f);
    accept_one(f, 1, "a");
    loop_until_told(f, 2);
    expect_all(f, 1, 2, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_comes_together_goes_together_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_than_a_round_holds_keeps_its_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(accounts_share_a_round_but_not_their_fate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(full_memory_is_said_and_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(redis_away_is_said_soon_and_noticed_when_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(killed_in_the_middle_nobody_is_told_wrong, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hanging_redis_times_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_loading_redis_is_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_forgotten_script_is_sent_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(freeing_tells_everybody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_password_is_never_up, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
