/* test_queue_accept.c: what is accepted is there once, in order, with its mark, or not at all. */
#include "queue/queue.h"

#include "redis_server.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct redis_server redis;
    struct queue *q;
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
    redis_do(&f->redis, "CONFIG SET maxmemory 0");
    return 0;
}

static struct queue_in message(const char *id, const char *record) {
    return (struct queue_in){
        .id = id, .record = record, .record_len = strlen(record), .raw = "raw", .raw_len = 3
    };
}

static long long length(struct fixture *f, const char *stream) {
    return redis_int(&f->redis, "XLEN aduan:{a}:%s", stream);
}

static size_t keys(struct fixture *f) {
    return redis_do(&f->redis, "KEYS *")->elements;
}

static void a_message_is_kept_whole(void **state) {
    struct fixture *f = *state;
    struct queue_in in = message("a/1", "{\"text\":\"jalan\"}");
    char ids[1][32];
    size_t fresh;
    redisReply *r;

    in.raw = "a\0b";
    assert_int_equal(queue_accept(f->q, "a", &in, 1, NULL, 0, ids, &fresh), 0);
    assert_int_equal(fresh, 1);
    r = redis_do(&f->redis, "XRANGE aduan:{a}:in - +");
    assert_int_equal(r->elements, 1);
    assert_string_equal(r->element[0]->element[0]->str, ids[0]);
    r = r->element[0]->element[1];
    assert_int_equal(r->elements, 6);
    assert_string_equal(r->element[1]->str, "a/1");
    assert_string_equal(r->element[3]->str, "{\"text\":\"jalan\"}");
    assert_int_equal(r->element[5]->len, 3);
    assert_memory_equal(r->element[5]->str, "a\0b", 3);
}

static void a_repeat_gets_the_first_id_and_adds_nothing(void **state) {
    struct fixture *f = *state;
    struct queue_in in[2] = { message("a/1", "{}"), message("a/2", "{}") };
    char first[2][32], again[2][32];
    size_t fresh;

    assert_int_equal(queue_accept(f->q, "a", in, 1, NULL, 0, first, &fresh), 0);
    assert_int_equal(queue_accept(f->q, "a", in, 2, NULL, 0, again, &fresh), 0);
    assert_int_equal(fresh, 1);
    assert_string_equal(first[0], again[0]);
    assert_int_equal(queue_accept(f->q, "a", in, 2, NULL, 0, first, &fresh), 0);
    assert_int_equal(fresh, 0);
    assert_string_equal(first[1], again[1]);
    assert_int_equal(length(f, "in"), 2);
}

static void the_same_id_twice_in_one_call_is_one_message(void **state) {
    struct fixture *f = *state;
    struct queue_in in[3] = { message("a/1", "{\"n\":1}"), message("a/2", "{}"), message("a/1", "{\"n\":2}") };
    char ids[3][32];
    size_t fresh;

    assert_int_equal(queue_accept(f->q, "a", in, 3, NULL, 0, ids, &fresh), 0);
    assert_int_equal(fresh, 2);
    assert_string_equal(ids[0], ids[2]);
    assert_int_equal(length(f, "in"), 2);
}

static void accounts_do_not_see_each_other(void **state) {
    struct fixture *f = *state;
    struct queue_in in = message("same", "{}");
    size_t fresh;

    assert_int_equal(queue_accept(f->q, "a", &in, 1, NULL, 0, NULL, &fresh), 0);
    assert_int_equal(queue_accept(f->q, "b", &in, 1, NULL, 0, NULL, &fresh), 0);
    assert_int_equal(fresh, 1);
    assert_int_equal(redis_int(&f->redis, "XLEN aduan:{b}:in"), 1);
}

static void a_batch_keeps_its_order(void **state) {
    enum { N = 300 };
    struct fixture *f = *state;
    struct queue_in in[N];
    char names[N][16];
    redisReply *r;

    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof(names[i]), "a/%d", i);
        in[i] = message(names[i], "{}");
    }
    assert_int_equal(queue_accept(f->q, "a", in, N, NULL, 0, NULL, NULL), 0);
    r = redis_do(&f->redis, "XRANGE aduan:{a}:in - +");
    assert_int_equal(r->elements, N);
    for (int i = 0; i < N; i++)
        assert_string_equal(r->element[i]->element[1]->element[1]->str, names[i]);
}

static void marks_move_with_their_messages(void **state) {
    struct fixture *f = *state;
    struct queue_in in = message("a/1", "{}");
    struct queue_mark marks[2] = { { "uid", "7" }, { "validity", "99" } };
    char *value;

    assert_int_equal(queue_mark_get(f->q, "a", "uid", &value), QUEUE_NOTHING);
    assert_int_equal(queue_accept(f->q, "a", &in, 1, marks, 2, NULL, NULL), 0);
    assert_int_equal(queue_mark_get(f->q, "a", "uid", &value), 0);
    assert_string_equal(value, "7");
    free(value);
    marks[0].value = "8";
    assert_int_equal(queue_accept(f->q, "a", NULL, 0, marks, 1, NULL, NULL), 0); /* a mark alone */
    assert_int_equal(queue_mark_get(f->q, "a", "uid", &value), 0);
    assert_string_equal(value, "8");
    free(value);
}

static void attempts_are_counted_until_the_message_is_accepted(void **state) {
    struct fixture *f = *state;
    const char *ids[2] = { "a/1", "a/2" };
    struct queue_in in = message("a/1", "{}");
    int n[2];

    assert_int_equal(queue_attempts(f->q, "a", ids, 2, n), 0);
    assert_int_equal(n[0], 1);
    assert_int_equal(queue_attempts(f->q, "a", ids, 1, n), 0);
    assert_int_equal(n[0], 2);
    assert_int_equal(queue_accept(f->q, "a", &in, 1, NULL, 0, NULL, NULL), 0);
    assert_int_equal(queue_attempts(f->q, "a", ids, 2, n), 0);
    assert_int_equal(n[0], 1);
    assert_int_equal(n[1], 2);
}

static void seen_knows_what_was_accepted(void **state) {
    struct fixture *f = *state;
    const char *ids[3] = { "a/1", "a/2", "a/3" };
    struct queue_in in = message("a/2", "{}");
    bool seen[3];

    assert_int_equal(queue_accept(f->q, "a", &in, 1, NULL, 0, NULL, NULL), 0);
    assert_int_equal(queue_seen(f->q, "a", ids, 3, seen), 0);
    assert_false(seen[0]);
    assert_true(seen[1]);
    assert_false(seen[2]);
}

static void pending_attachments_become_jobs_once(void **state) {
    static const char record[] =
        "{\"attachments\":[{\"state\":\"stored\"},{\"state\":\"pending\",\"source\":\"s1\"},"
        "{\"state\":\"pending\",\"source\":\"s2\"}]}";
    struct fixture *f = *state;
    struct queue_in in = message("a/1", record);
    redisReply *r;

    in.media = 2;
    assert_int_equal(queue_accept(f->q, "a", &in, 1, NULL, 0, NULL, NULL), 0);
    assert_int_equal(queue_accept(f->q, "a", &in, 1, NULL, 0, NULL, NULL), 0);
    r = redis_do(&f->redis, "XRANGE aduan:{a}:media - +");
    assert_int_equal(r->elements, 2);
    assert_string_equal(r->element[0]->element[1]->element[1]->str, "a/1#1");
    assert_string_equal(r->element[0]->element[1]->element[3]->str,
                        "{\"state\":\"pending\",\"source\":\"s1\"}");
    assert_string_equal(r->element[1]->element[1]->element[1]->str, "a/1#2");
}

static void an_unknown_script_is_sent_whole(void **state) {
    struct fixture *f = *state;
    struct queue_in in = message("a/1", "{}");

    redis_do(&f->redis, "SCRIPT FLUSH");
    assert_int_equal(queue_accept(f->q, "a", &in, 1, NULL, 0, NULL, NULL), 0);
    redis_do(&f->redis, "SCRIPT FLUSH");
    assert_int_equal(queue_accept(f->q, "a", &in, 1, NULL, 0, NULL, NULL), 0);
    assert_int_equal(length(f, "in"), 1);
}

/* Whichever key has the wrong type: no record, no mark, no "seen". */
static void a_wrong_type_leaves_nothing_behind(void **state) {
    static const char *const names[] = { "in", "media", "mark", "attempt" };
    struct fixture *f = *state;
    struct queue_in in[2] = { message("a/1", "{}"),
                              message("a/2", "{\"attachments\":[{\"state\":\"pending\"}]}") };
    struct queue_mark mark = { "uid", "7" };

    in[1].media = 1;
    for (size_t i = 0; i < 4; i++) {
        redis_do(&f->redis, "FLUSHALL");
        redis_do(&f->redis, "SET aduan:{a}:%s x", names[i]);
        assert_int_equal(queue_accept(f->q, "a", in, 2, &mark, 1, NULL, NULL), -EPROTO);
        assert_non_null(strstr(queue_error(f->q), "WRONGTYPE"));
        assert_int_equal(keys(f), 1);
        redis_do(&f->redis, "DEL aduan:{a}:%s", names[i]);
        assert_int_equal(queue_accept(f->q, "a", in, 2, &mark, 1, NULL, NULL), 0);
        assert_int_equal(length(f, "in"), 2);
    }
}

static void a_seen_bucket_of_the_wrong_type_leaves_nothing_behind(void **state) {
    struct fixture *f = *state;
    struct queue_in in[2] = { message("a/1", "{}"), message("a/2", "{}") };
    char bucket[64];
    redisReply *r;

    assert_int_equal(queue_accept(f->q, "a", &in[1], 1, NULL, 0, NULL, NULL), 0);
    r = redis_do(&f->redis, "KEYS aduan:{a}:seen:*");
    assert_int_equal(r->elements, 1);
    snprintf(bucket, sizeof(bucket), "%s", r->element[0]->str);
    redis_do(&f->redis, "FLUSHALL");
    redis_do(&f->redis, "SET %s x", bucket);
    assert_int_equal(queue_accept(f->q, "a", in, 2, NULL, 0, NULL, NULL), -EPROTO);
    assert_int_equal(keys(f), 1);
}

static void full_memory_refuses_the_whole_call(void **state) {
    struct fixture *f = *state;
    struct queue_in in = message("a/1", "{}");
    struct queue_mark mark = { "uid", "7" };

    redis_do(&f->redis, "CONFIG SET maxmemory 1");
    assert_int_equal(queue_accept(f->q, "a", &in, 1, &mark, 1, NULL, NULL), -ENOSPC);
    assert_int_equal(keys(f), 0);
    redis_do(&f->redis, "CONFIG SET maxmemory 0");
    assert_int_equal(queue_accept(f->q, "a", &in, 1, &mark, 1, NULL, NULL), 0);
    assert_int_equal(length(f, "in"), 1);
}

static void seen_ids_stay_in_the_compact_form(void **state) {
    enum { N = 2000, ROUNDS = 10 };
    struct fixture *f = *state;
    static char names[N][32];
    static struct queue_in in[N];
    redisReply *r;

    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < N; i++) {
            snprintf(names[i], sizeof(names[i]), "a/%d-%d", round, i);
            in[i] = message(names[i], "{}");
        }
        assert_int_equal(queue_accept(f->q, "a", in, N, NULL, 0, NULL, NULL), 0);
    }
    r = redis_do(&f->redis, "KEYS aduan:{a}:seen:*");
    assert_true(r->elements > 3900 && r->elements <= 4096); /* well spread */
    r = redis_do(&f->redis, "EVAL %s 0",
                 "local n = 0 for _, k in ipairs(redis.call('KEYS', '*seen*')) do "
                 "if redis.call('OBJECT', 'ENCODING', k) ~= 'listpack' then n = n + 1 end end return n");
    assert_int_equal(r->integer, 0);
}

/* ------------------------------------------------------------ negative controls */

/* The same test as above, for scripts that break the rule: it must notice. */
static int keeps_the_promise(struct fixture *f, const char *script) {
    redis_do(&f->redis, "FLUSHALL");
    redis_do(&f->redis, "SET stream x"); /* XADD will fail: wrong type */
    redis_do(&f->redis, "EVAL %s 2 seen stream m1", script);
    redis_do(&f->redis, "DEL stream");
    redis_do(&f->redis, "EVAL %s 2 seen stream m1", script); /* the platform's repeat */
    redis_do(&f->redis, "EVAL %s 2 seen stream m1", script);
    return redis_int(&f->redis, "XLEN stream") == 1;
}

static void the_test_notices_a_mark_before_the_record_and_no_dedupe(void **state) {
    struct fixture *f = *state;

    assert_true(keeps_the_promise(f, "if redis.call('HGET', KEYS[1], ARGV[1]) then return 0 end "
                                     "redis.call('XADD', KEYS[2], '*', 'id', ARGV[1]) "
                                     "redis.call('HSET', KEYS[1], ARGV[1], 1) return 1"));
    assert_false(keeps_the_promise(f, "if redis.call('HSETNX', KEYS[1], ARGV[1], 1) == 0 then return 0 end "
                                      "redis.call('XADD', KEYS[2], '*', 'id', ARGV[1]) return 1"));
    assert_false(keeps_the_promise(f, "redis.call('XADD', KEYS[2], '*', 'id', ARGV[1]) return 1"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_message_is_kept_whole, empty),
        cmocka_unit_test_setup(a_repeat_gets_the_first_id_and_adds_nothing, empty),
        cmocka_unit_test_setup(the_same_id_twice_in_one_call_is_one_message, empty),
        cmocka_unit_test_setup(accounts_do_not_see_each_other, empty),
        cmocka_unit_test_setup(a_batch_keeps_its_order, empty),
        cmocka_unit_test_setup(marks_move_with_their_messages, empty),
        cmocka_unit_test_setup(attempts_are_counted_until_the_message_is_accepted, empty),
        cmocka_unit_test_setup(seen_knows_what_was_accepted, empty),
        cmocka_unit_test_setup(pending_attachments_become_jobs_once, empty),
        cmocka_unit_test_setup(an_unknown_script_is_sent_whole, empty),
        cmocka_unit_test_setup(a_wrong_type_leaves_nothing_behind, empty),
        cmocka_unit_test_setup(a_seen_bucket_of_the_wrong_type_leaves_nothing_behind, empty),
        cmocka_unit_test_setup(full_memory_refuses_the_whole_call, empty),
        cmocka_unit_test_setup(seen_ids_stay_in_the_compact_form, empty),
        cmocka_unit_test_setup(the_test_notices_a_mark_before_the_record_and_no_dedupe, empty),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
