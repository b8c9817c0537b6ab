/* test_queue_reader.c: what is read is in order, not lost with a reply, and ends when acknowledged. */
#include "queue/queue.h"

#include "redis_server.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct redis_pair on;
    char got[4096]; /* "account:key " for each entry */
    char ids[64][32];
    size_t count;
    size_t stop_after; /* 0: never */
};

static const struct queue_source ab[2] = { { "a", "in" }, { "b", "in" } };

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof(*f));

    redis_pair_start(&f->on);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;

    redis_pair_stop(&f->on);
    free(f);
    return 0;
}

static int empty(void **state) {
    struct fixture *f = *state;

    redis_do(&f->on.redis, "FLUSHALL");
    f->stop_after = 0;
    return 0;
}

static void add(struct fixture *f, const char *account, const char *key) {
    struct queue_in in = { .id = key, .record = "{}", .record_len = 2 };

    assert_int_equal(queue_accept(f->on.q, account, &in, 1, NULL, 0, NULL, NULL), 0);
}

static int collect(void *arg, const struct queue_entry *e) {
    struct fixture *f = arg;

    sprintf(f->got + strlen(f->got), "%s:%s ", e->account, e->key);
    strcpy(f->ids[f->count++], e->id);
    assert_true(e->added_ms > 1600000000000);
    return f->stop_after != 0 && f->count == f->stop_after ? 1 : 0;
}

static int cannot(void *arg, const struct queue_entry *e) {
    (void)arg;
    (void)e;
    return -EIO;
}

static int read_some(struct fixture *f, struct queue_reader *r, bool again, size_t max, int64_t wait_ms) {
    f->got[0] = '\0';
    f->count = 0;
    return queue_reader_read(r, again, max, wait_ms, collect, f);
}

static struct queue_reader *reader(struct queue *q, const char *consumer) {
    return queue_reader_new(q, "desk", consumer, ab, 2);
}

static int64_t now_ms(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void new_entries_come_once_in_order(void **state) {
    struct fixture *f = *state;
    struct queue_reader *r = reader(f->on.q, "c");

    add(f, "a", "1");
    add(f, "a", "2");
    add(f, "b", "3");
    assert_int_equal(read_some(f, r, false, 10, 0), 0);
    assert_string_equal(f->got, "a:1 a:2 b:3 ");
    assert_int_equal(read_some(f, r, false, 10, 0), QUEUE_NOTHING);
    add(f, "a", "4");
    assert_int_equal(read_some(f, r, false, 10, 1000), 0);
    assert_string_equal(f->got, "a:4 ");
    queue_reader_free(r);
}

static void what_was_not_acknowledged_comes_again_after_a_restart(void **state) {
    struct fixture *f = *state;
    struct queue_reader *r = reader(f->on.q, "c");
    char ids[1][32];

    add(f, "a", "1");
    add(f, "a", "2");
    add(f, "b", "3");
    assert_int_equal(read_some(f, r, false, 10, 0), 0);
    strcpy(ids[0], f->ids[0]);
    assert_int_equal(queue_reader_ack(r, "a", "in", (const char(*)[32])ids, 1), 0);
    queue_reader_free(r);

    r = reader(f->on.q, "c");
    assert_int_equal(read_some(f, r, true, 10, 0), 0);
    assert_string_equal(f->got, "a:2 b:3 ");
    assert_int_equal(read_some(f, r, true, 10, 0), QUEUE_NOTHING);
    assert_int_equal(redis_int(&f->on.redis, "XLEN aduan:{a}:in"), 1); /* acknowledged: gone */
    queue_reader_free(r);
    r = reader(f->on.q, "other");
    assert_int_equal(read_some(f, r, true, 10, 0), QUEUE_NOTHING); /* another consumer's are not ours */
    queue_reader_free(r);
}

static void pending_entries_come_in_pages(void **state) {
    struct fixture *f = *state;
    struct queue_reader *r = reader(f->on.q, "c");

    for (int i = 0; i < 7; i++)
        add(f, "a", (const char *[]){ "0", "1", "2", "3", "4", "5", "6" }[i]);
    while (read_some(f, r, false, 4, 0) == 0)
        continue;
    queue_reader_free(r);
    r = reader(f->on.q, "c");
    assert_int_equal(read_some(f, r, true, 6, 0), 0);
    assert_string_equal(f->got, "a:0 a:1 a:2 ");
    assert_int_equal(read_some(f, r, true, 6, 0), 0);
    assert_string_equal(f->got, "a:3 a:4 a:5 ");
    assert_int_equal(read_some(f, r, true, 6, 0), 0);
    assert_string_equal(f->got, "a:6 ");
    queue_reader_free(r);
}

static void max_is_for_all_sources_and_the_rest_waits_in_hand(void **state) {
    struct fixture *f = *state;
    struct queue_reader *r = reader(f->on.q, "c");

    add(f, "a", "1");
    add(f, "b", "2");
    add(f, "a", "3");
    assert_int_equal(read_some(f, r, false, 1, 0), 0);
    assert_string_equal(f->got, "a:1 ");
    assert_int_equal(read_some(f, r, false, 1, 0), 0);
    assert_string_equal(f->got, "b:2 ");
    assert_int_equal(read_some(f, r, false, 1, 0), 0);
    assert_string_equal(f->got, "a:3 ");
    queue_reader_free(r);
}

static void stopping_in_each_keeps_the_rest(void **state) {
    struct fixture *f = *state;
    struct queue_reader *r = reader(f->on.q, "c");

    add(f, "a", "1");
    add(f, "a", "2");
    add(f, "a", "3");
    f->stop_after = 2;
    assert_int_equal(read_some(f, r, false, 10, 0), 0);
    assert_string_equal(f->got, "a:1 a:2 ");
    f->stop_after = 0;
    assert_int_equal(read_some(f, r, false, 10, 0), 0);
    assert_string_equal(f->got, "a:3 ");
    add(f, "a", "4");
    assert_int_equal(queue_reader_read(r, false, 10, 0, cannot, f), -EIO);
    queue_reader_free(r);
}

/* Redis hands entries out and the reply never comes: the next read finds them. */
static void entries_of_a_lost_reply_are_found(void **state) {
    struct fixture *f = *state;
    struct queue_reader *r = reader(f->on.through, "c");

    add(f, "a", "1");
    assert_int_equal(read_some(f, r, false, 10, 0), 0);
    add(f, "a", "2");
    add(f, "b", "3");
    *f->on.proxy.lose = 1;
    assert_int_equal(read_some(f, r, false, 10, 0), -EAGAIN);
    assert_int_equal(redis_do(&f->on.redis, "XPENDING aduan:{a}:in desk")->element[0]->integer, 2);
    add(f, "a", "4");
    assert_int_equal(read_some(f, r, false, 10, 0), 0);
    assert_string_equal(f->got, "a:2 b:3 ");
    assert_int_equal(read_some(f, r, false, 10, 0), 0);
    assert_string_equal(f->got, "a:4 ");
    queue_reader_free(r);
}

static void a_killed_redis_gives_everything_again(void **state) {
    struct fixture *f = *state;
    struct queue_reader *r = reader(f->on.q, "c");

    add(f, "a", "1");
    add(f, "a", "2");
    assert_int_equal(read_some(f, r, false, 2, 0), 0);
    redis_kill(&f->on.redis);
    assert_int_equal(read_some(f, r, false, 10, 0), -EAGAIN);
    redis_again(&f->on.redis);
    assert_int_equal(read_some(f, r, false, 10, 0), 0);
    assert_string_equal(f->got, "a:2 ");
    queue_reader_free(r);
    r = reader(f->on.q, "c");
    assert_int_equal(read_some(f, r, true, 10, 0), 0);
    assert_string_equal(f->got, "a:1 a:2 ");
    queue_reader_free(r);
}

static void an_entry_that_was_settled_elsewhere_is_not_handed_out(void **state) {
    struct fixture *f = *state;
    struct queue_reader *r = reader(f->on.q, "c");

    add(f, "a", "1");
    add(f, "a", "2");
    assert_int_equal(read_some(f, r, false, 10, 0), 0);
    redis_do(&f->on.redis, "XDEL aduan:{a}:in %s", f->ids[0]);
    queue_reader_free(r);
    r = reader(f->on.q, "c");
    assert_int_equal(read_some(f, r, true, 10, 0), 0);
    assert_string_equal(f->got, "a:2 ");
    assert_int_equal(redis_do(&f->on.redis, "XPENDING aduan:{a}:in desk")->element[0]->integer, 1);
    queue_reader_free(r);
}

static void a_group_that_vanished_is_made_again(void **state) {
    struct fixture *f = *state;
    struct queue_reader *r = reader(f->on.q, "c");

    assert_int_equal(read_some(f, r, false, 10, 0), QUEUE_NOTHING);
    redis_do(&f->on.redis, "FLUSHALL");
    add(f, "a", "1");
    assert_int_equal(read_some(f, r, false, 10, 0), -EPROTO);
    assert_int_equal(read_some(f, r, false, 10, 0), 0);
    assert_string_equal(f->got, "a:1 ");
    queue_reader_free(r);
}

static void a_wait_ends_in_time_and_at_once_when_woken(void **state) {
    struct fixture *f = *state;
    struct queue_reader *r = reader(f->on.q, "c");
    int64_t from = now_ms();
    int fds[2];

    assert_int_equal(read_some(f, r, false, 10, 300), QUEUE_NOTHING);
    assert_true(now_ms() - from >= 290);
    assert_int_equal(pipe(fds), 0);
    queue_wake(f->on.q, fds[0]);
    if (fork() == 0) {
        usleep(100000);
        _exit(write(fds[1], "x", 1) != 1);
    }
    from = now_ms();
    assert_int_equal(read_some(f, r, false, 10, 30000), QUEUE_NOTHING);
    assert_true(now_ms() - from < 10000);
    /* Told to stop: no more waiting, but everything still works. */
    add(f, "a", "1");
    assert_int_equal(read_some(f, r, false, 10, 30000), 0);
    assert_string_equal(f->got, "a:1 ");
    assert_int_equal(read_some(f, r, false, 10, 30000), QUEUE_NOTHING);
    assert_int_equal(queue_reader_ack(r, "a", "in", (const char(*)[32])f->ids, f->count), 0);
    queue_wake(f->on.q, -1);
    queue_reader_free(r);
    close(fds[0]);
    close(fds[1]);
}

static void depth_tells_count_and_age(void **state) {
    struct fixture *f = *state;
    int64_t count, oldest, at;

    assert_int_equal(queue_depth(f->on.q, "a", "in", 0, &count, &oldest), 0);
    assert_int_equal(count, 0);
    assert_int_equal(oldest, 0);
    add(f, "a", "1");
    add(f, "a", "2");
    at = strtoll(redis_do(&f->on.redis, "XRANGE aduan:{a}:in - + COUNT 1")->element[0]->element[0]->str, NULL,
                 10);
    assert_int_equal(queue_depth(f->on.q, "a", "in", at + 5000, &count, &oldest), 0);
    assert_int_equal(count, 2);
    assert_int_equal(oldest, 5000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(new_entries_come_once_in_order, empty),
        cmocka_unit_test_setup(what_was_not_acknowledged_comes_again_after_a_restart, empty),
        cmocka_unit_test_setup(pending_entries_come_in_pages, empty),
        cmocka_unit_test_setup(max_is_for_all_sources_and_the_rest_waits_in_hand, empty),
        cmocka_unit_test_setup(stopping_in_each_keeps_the_rest, empty),
        cmocka_unit_test_setup(entries_of_a_lost_reply_are_found, empty),
        cmocka_unit_test_setup(a_killed_redis_gives_everything_again, empty),
        cmocka_unit_test_setup(an_entry_that_was_settled_elsewhere_is_not_handed_out, empty),
        cmocka_unit_test_setup(a_group_that_vanished_is_made_again, empty),
        cmocka_unit_test_setup(a_wait_ends_in_time_and_at_once_when_woken, empty),
        cmocka_unit_test_setup(depth_tells_count_and_age, empty),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
