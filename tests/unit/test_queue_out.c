/* test_queue_out.c: the life of an answer: every edge, every refused edge, fencing, lost replies. */
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
    struct redis_pair on;
    char entry[32];
};

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
    return 0;
}

static int take_entry(void *arg, const struct queue_entry *e) {
    struct fixture *f = arg;

    strcpy(f->entry, e->id);
    return 0;
}

/* The sender takes what is new on :out. */
static int take(struct fixture *f) {
    struct queue_source out = { "a", "out" };
    struct queue_reader *r = queue_reader_new(f->on.q, "send", "send", &out, 1);
    int rc = queue_reader_read(r, false, 10, 0, take_entry, f);

    queue_reader_free(r);
    return rc;
}

static int put_by(struct queue *q, int64_t turn) {
    struct queue_put item = { "o1", "{\"id\":\"o1\"}", turn, 0 };
    int result = -1, r = queue_put(q, "a", &item, 1, &result);

    return r < 0 ? r : result;
}

static int put(struct fixture *f, bool again) {
    return put_by(f->on.q, again ? 77 : 0);
}

static int forget(struct queue *q) {
    return queue_forget(q, "a", (const char *const[]){ "o1" }, 1);
}

static int settle(struct fixture *f, int attempt, enum queue_state s) {
    struct queue_settlement end = { .state = s, .platform_id = "wamid", .reason = "why", .due_ms = 5000 };

    return queue_settle(f->on.q, "a", "o1", attempt, f->entry, &end, 1000);
}

static enum queue_state state_of(struct fixture *f, int *ret_attempt, int64_t *ret_due) {
    enum queue_state s;

    assert_int_equal(queue_answer_state(f->on.q, "a", "o1", &s, ret_attempt, ret_due), 0);
    return s;
}

static enum queue_state now_state(struct fixture *f) {
    int attempt;
    int64_t due;

    return state_of(f, &attempt, &due);
}

static long long length(struct fixture *f, const char *stream) {
    return redis_int(&f->on.redis, "XLEN aduan:{a}:%s", stream);
}

/* Brings o1 into a state by the front door. */
static void bring_to(struct fixture *f, enum queue_state s) {
    int attempt;

    empty((void **)&f);
    assert_int_equal(put(f, false), 0);
    assert_int_equal(take(f), 0);
    if (s == QUEUE_QUEUED)
        return;
    assert_int_equal(queue_begin(f->on.q, "a", "o1", 1, &attempt), 0);
    assert_int_equal(attempt, 1);
    if (s != QUEUE_SENDING)
        assert_int_equal(settle(f, 1, s), 0);
    assert_int_equal(now_state(f), s);
}

static void an_answer_is_sent_and_forgotten(void **state) {
    struct fixture *f = *state;
    int attempt;

    assert_int_equal(put(f, false), 0);
    assert_int_equal(take(f), 0);
    assert_int_equal(queue_begin(f->on.q, "a", "o1", 1, &attempt), 0);
    assert_int_equal(settle(f, attempt, QUEUE_SENT), 0);
    assert_int_equal(length(f, "out"), 0);
    assert_int_equal(redis_do(&f->on.redis, "XPENDING aduan:{a}:out send")->element[0]->integer, 0);
    assert_int_equal(length(f, "event"), 1);
    assert_string_equal(
        redis_do(&f->on.redis, "XRANGE aduan:{a}:event - +")->element[0]->element[1]->element[3]->str,
        "{\"state\":\"sent\",\"attempt\":1,\"at\":1000,\"platform_id\":\"wamid\",\"reason\":\"why\"}");
    assert_int_equal(forget(f->on.q), 0);
    assert_int_equal(redis_int(&f->on.redis, "EXISTS aduan:{a}:answer:o1"), 0);
    assert_int_equal(forget(f->on.q), 0); /* a repeat */
}

static void an_answer_put_twice_is_one_entry_in_every_state(void **state) {
    static const enum queue_state all[] = { QUEUE_QUEUED, QUEUE_SENDING,   QUEUE_LATER, QUEUE_SENT,
                                            QUEUE_NEVER,  QUEUE_UNCERTAIN, QUEUE_HELD };
    struct fixture *f = *state;

    for (size_t i = 0; i < 7; i++) {
        long long before;

        bring_to(f, all[i]);
        before = length(f, "out");
        assert_int_equal(put(f, false), 0);
        assert_int_equal(length(f, "out"), before);
        assert_int_equal(now_state(f), all[i]);
    }
}

static void a_new_turn_restarts_what_ended_once(void **state) {
    static const struct {
        enum queue_state from;
        bool restarts;
    } rows[] = {
        { QUEUE_QUEUED, false }, { QUEUE_SENDING, false },  { QUEUE_LATER, false }, { QUEUE_SENT, true },
        { QUEUE_NEVER, true },   { QUEUE_UNCERTAIN, true }, { QUEUE_HELD, true },
    };
    struct fixture *f = *state;
    int attempt;

    for (size_t i = 0; i < 7; i++) {
        bring_to(f, rows[i].from);
        assert_int_equal(put(f, true), rows[i].restarts ? 0 : QUEUE_STALE);
        assert_int_equal(now_state(f), rows[i].restarts ? QUEUE_QUEUED : rows[i].from);
        if (!rows[i].restarts)
            continue;
        assert_int_equal(length(f, "out"), 1);
        assert_int_equal(take(f), 0);
        assert_int_equal(queue_begin(f->on.q, "a", "o1", 1, &attempt), 0);
        assert_int_equal(attempt, 2); /* never the number of an older attempt */
        assert_int_equal(settle(f, 1, QUEUE_SENT), QUEUE_STALE);
        /* The desk died before it noted the turn and tells it again, whatever came of it: no blind resend. */
        assert_int_equal(settle(f, 2, QUEUE_UNCERTAIN), 0);
        assert_int_equal(put(f, true), 0);
        assert_int_equal(now_state(f), QUEUE_UNCERTAIN);
        assert_int_equal(length(f, "out"), 0);
    }
}

static void many_are_put_in_order_and_numbered_on(void **state) {
    struct fixture *f = *state;
    struct queue_put items[3] = { { "a1", "{}", 0, 0 }, { "a2", "{}", 0, 4 }, { "a3", "{}", 0, 0 } };
    const char *const ids[3] = { "a1", "a2", "a3" };
    int results[3], attempt;
    redisReply *entries;

    assert_int_equal(queue_put(f->on.q, "a", items, 3, results), 0);
    entries = redis_do(&f->on.redis, "XRANGE aduan:{a}:out - +");
    assert_int_equal(entries->elements, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(results[i], 0);
        assert_string_equal(entries->element[i]->element[1]->element[1]->str, ids[i]);
    }
    assert_int_equal(queue_begin(f->on.q, "a", "a2", 1, &attempt), 0);
    assert_int_equal(attempt, 5); /* the hash was forgotten, its attempts were not */
    assert_int_equal(queue_forget(f->on.q, "a", ids, 3), QUEUE_STALE);
}

static void only_what_waits_can_begin(void **state) {
    static const struct {
        enum queue_state from;
        bool begins;
    } rows[] = {
        { QUEUE_QUEUED, true }, { QUEUE_SENDING, false },   { QUEUE_LATER, true }, { QUEUE_SENT, false },
        { QUEUE_NEVER, false }, { QUEUE_UNCERTAIN, false }, { QUEUE_HELD, false },
    };
    struct fixture *f = *state;
    int attempt;

    for (size_t i = 0; i < 7; i++) {
        bring_to(f, rows[i].from);
        assert_int_equal(queue_begin(f->on.q, "a", "o1", 1, &attempt), rows[i].begins ? 0 : QUEUE_STALE);
    }
    assert_int_equal(queue_begin(f->on.q, "a", "unknown", 1, &attempt), QUEUE_STALE);
}

static void only_the_attempt_on_record_settles(void **state) {
    static const enum queue_state ends[] = { QUEUE_LATER, QUEUE_SENT, QUEUE_NEVER, QUEUE_UNCERTAIN,
                                             QUEUE_HELD };
    struct fixture *f = *state;

    bring_to(f, QUEUE_QUEUED);
    assert_int_equal(settle(f, 0, QUEUE_SENT), QUEUE_STALE);
    assert_int_equal(settle(f, 1, QUEUE_SENT), QUEUE_STALE);
    bring_to(f, QUEUE_SENDING);
    assert_int_equal(settle(f, 2, QUEUE_SENT), QUEUE_STALE);
    assert_int_equal(settle(f, 1, QUEUE_QUEUED), -EINVAL);
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < 5; j++) {
            bring_to(f, ends[i]);
            assert_int_equal(settle(f, 1, ends[j]), i == j ? 0 : QUEUE_STALE);
            assert_int_equal(now_state(f), ends[i]);
            assert_int_equal(length(f, "event"), 1); /* a repeat says nothing twice */
        }
    }
}

static void a_paused_sender_that_comes_back_is_fenced(void **state) {
    struct fixture *f = *state;
    struct queue_settlement late = { .state = QUEUE_SENT };
    char entry[32];
    int first, second;

    assert_int_equal(put(f, false), 0);
    assert_int_equal(take(f), 0);
    strcpy(entry, f->entry);
    assert_int_equal(queue_begin(f->on.q, "a", "o1", 1, &first), 0);
    /* It hangs; its successor calls the attempt uncertain, an officer restarts it, it is sent again. */
    assert_int_equal(settle(f, first, QUEUE_UNCERTAIN), 0);
    assert_int_equal(put(f, true), 0);
    assert_int_equal(take(f), 0);
    assert_int_equal(queue_begin(f->on.q, "a", "o1", 1, &second), 0);
    assert_int_equal(queue_settle(f->on.q, "a", "o1", first, entry, &late, 9), QUEUE_STALE);
    assert_int_equal(now_state(f), QUEUE_SENDING);
    assert_int_equal(length(f, "out"), 1);
    assert_int_equal(settle(f, second, QUEUE_SENT), 0);
}

static void later_has_a_due_time_and_keeps_its_entry(void **state) {
    struct fixture *f = *state;
    int attempt;
    int64_t due;

    bring_to(f, QUEUE_LATER);
    assert_int_equal(state_of(f, &attempt, &due), QUEUE_LATER);
    assert_int_equal(attempt, 1);
    assert_int_equal(due, 5000);
    assert_int_equal(length(f, "out"), 1);
    assert_int_equal(redis_do(&f->on.redis, "XPENDING aduan:{a}:out send")->element[0]->integer, 1);
    assert_int_equal(queue_begin(f->on.q, "a", "o1", 1, &attempt), 0);
    assert_int_equal(state_of(f, &attempt, &due), QUEUE_SENDING);
    assert_int_equal(due, 0);
    assert_int_equal(redis_int(&f->on.redis, "ZCARD aduan:{a}:retry"), 0);
}

static void what_has_not_ended_is_not_forgotten(void **state) {
    static const enum queue_state open[] = { QUEUE_QUEUED, QUEUE_SENDING, QUEUE_LATER };
    static const enum queue_state ended[] = { QUEUE_SENT, QUEUE_NEVER, QUEUE_UNCERTAIN, QUEUE_HELD };
    struct fixture *f = *state;

    for (size_t i = 0; i < 3; i++) {
        bring_to(f, open[i]);
        assert_int_equal(forget(f->on.q), QUEUE_STALE);
        assert_int_equal(now_state(f), open[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        bring_to(f, ended[i]);
        assert_int_equal(forget(f->on.q), 0);
    }
}

/* The reply of each call is lost after Redis did the work: the same call again is right. */
static void calls_whose_reply_is_lost_can_be_repeated(void **state) {
    struct fixture *f = *state;
    struct queue_settlement end = { .state = QUEUE_SENT, .platform_id = "p" };
    int attempt = 0;

    assert_int_equal(queue_ping(f->on.through), 0);
    *f->on.proxy.lose = 1;
    assert_int_equal(put_by(f->on.through, 0), -EAGAIN);
    assert_int_equal(put_by(f->on.through, 0), 0);
    assert_int_equal(length(f, "out"), 1);
    assert_int_equal(take(f), 0);

    *f->on.proxy.lose = 1;
    assert_int_equal(queue_begin(f->on.through, "a", "o1", 1, &attempt), -EAGAIN);
    assert_int_equal(now_state(f), QUEUE_SENDING);
    assert_int_equal(queue_begin(f->on.q, "a", "o1", 1, &attempt), QUEUE_STALE); /* not a stranger's */
    assert_int_equal(queue_begin(f->on.through, "a", "o1", 1, &attempt), 0);
    assert_int_equal(attempt, 1);
    assert_int_equal(queue_begin(f->on.through, "a", "o1", 1, &attempt), QUEUE_STALE); /* only once */

    *f->on.proxy.lose = 1;
    assert_int_equal(queue_settle(f->on.through, "a", "o1", 1, f->entry, &end, 1), -EAGAIN);
    assert_int_equal(queue_settle(f->on.through, "a", "o1", 1, f->entry, &end, 1), 0);
    assert_int_equal(length(f, "event"), 1);

    *f->on.proxy.lose = 1;
    assert_int_equal(forget(f->on.through), -EAGAIN);
    assert_int_equal(forget(f->on.through), 0);
    assert_int_equal(*f->on.proxy.lose, 0);
}

static void a_wrong_type_settles_nothing(void **state) {
    static const char *const names[] = { "event", "retry" };
    struct fixture *f = *state;

    for (size_t i = 0; i < 2; i++) {
        bring_to(f, QUEUE_SENDING);
        redis_do(&f->on.redis, "DEL aduan:{a}:%s", names[i]);
        redis_do(&f->on.redis, "SET aduan:{a}:%s x", names[i]);
        assert_int_equal(settle(f, 1, QUEUE_SENT), -EPROTO);
        redis_do(&f->on.redis, "DEL aduan:{a}:%s", names[i]);
        assert_int_equal(now_state(f), QUEUE_SENDING);
        assert_int_equal(length(f, "out"), 1);
    }
}

static void words_of_a_platform_that_are_no_utf8_reach_the_event(void **state) {
    struct fixture *f = *state;
    struct queue_settlement end = { .state = QUEUE_NEVER, .reason = "caf\xe9" };
    json_t *event;

    bring_to(f, QUEUE_SENDING);
    assert_int_equal(queue_settle(f->on.q, "a", "o1", 1, f->entry, &end, 1), 0);
    event = json_loads(
        redis_do(&f->on.redis, "XRANGE aduan:{a}:event - +")->element[0]->element[1]->element[3]->str, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(event, "state")), "failed");
    assert_string_equal(json_string_value(json_object_get(event, "reason")), "caf\xef\xbf\xbd");
    json_decref(event);
}

static void backoff_grows_is_capped_and_spread(void **state) {
    (void)state;
    for (int attempt = 1; attempt <= 40; attempt++) {
        int64_t low = queue_backoff_ms(attempt, 0), high = queue_backoff_ms(attempt, UINT32_MAX);
        int64_t mid = queue_backoff_ms(attempt, UINT32_MAX / 2);

        assert_true(low > 0 && low < mid && mid < high);
        assert_true(high <= 3600 * 1000);
        assert_true(high >= queue_backoff_ms(attempt - 1, UINT32_MAX));
    }
    assert_int_equal(queue_backoff_ms(1, UINT32_MAX), 5000);
    assert_int_equal(queue_backoff_ms(2, UINT32_MAX), 10000);
    assert_int_equal(queue_backoff_ms(1, 0), 2500);
    assert_int_equal(queue_backoff_ms(1000000, UINT32_MAX), 3600 * 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_answer_is_sent_and_forgotten, empty),
        cmocka_unit_test_setup(an_answer_put_twice_is_one_entry_in_every_state, empty),
        cmocka_unit_test_setup(a_new_turn_restarts_what_ended_once, empty),
        cmocka_unit_test_setup(many_are_put_in_order_and_numbered_on, empty),
        cmocka_unit_test_setup(only_what_waits_can_begin, empty),
        cmocka_unit_test_setup(only_the_attempt_on_record_settles, empty),
        cmocka_unit_test_setup(a_paused_sender_that_comes_back_is_fenced, empty),
        cmocka_unit_test_setup(later_has_a_due_time_and_keeps_its_entry, empty),
        cmocka_unit_test_setup(what_has_not_ended_is_not_forgotten, empty),
        cmocka_unit_test_setup(calls_whose_reply_is_lost_can_be_repeated, empty),
        cmocka_unit_test_setup(a_wrong_type_settles_nothing, empty),
        cmocka_unit_test_setup(words_of_a_platform_that_are_no_utf8_reach_the_event, empty),
        cmocka_unit_test(backoff_grows_is_capped_and_spread),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
