/*
 * test_queue_steps.c: the process dies at each named step of the queue, is restarted and repeats
 * its work: the end state is that of a run that nobody disturbed; and once more changes nothing.
 */
#include "queue/queue.h"

#include "redis_server.h"
#include "step_kill.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct redis_server redis;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof(*f));

    redis_start(&f->redis, "");
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;

    redis_stop(&f->redis);
    free(f);
    return 0;
}

/* A worker's way of working: on any failure it ends and is restarted. */
static void must(int r) {
    if (r != 0)
        _exit(1);
}

/* --------------------------------------------------------------------- inbound */

static void receive(void *arg) {
    static const char record[] = "{\"attachments\":[{\"state\":\"pending\",\"source\":\"s\"}]}";
    struct fixture *f = arg;
    struct queue *q = redis_queue(&f->redis, 3000);
    struct queue_in in[2] = { { .id = "a/1", .record = "{}", .record_len = 2, .raw = "raw", .raw_len = 3 },
                              { .id = "a/2", .record = record, .record_len = sizeof(record) - 1, .media = 1 } };
    struct queue_mark mark = { "uid", "2" };
    const char *ids[2] = { "a/1", "a/2" };
    int attempts[2];

    must(queue_attempts(q, "a", ids, 2, attempts));
    must(queue_accept(q, "a", in, 2, &mark, 1, NULL, NULL));
    queue_free(q);
}

/* Keeps what it reads by message id, as the desk's register does, and acknowledges. */
static int register_it(void *arg, const struct queue_entry *e) {
    struct fixture *f = arg;

    redis_do(&f->redis, "SADD register %s", e->key);
    return 0;
}

static int last_id(void *arg, const struct queue_entry *e) {
    strcpy(arg, e->id);
    return 0;
}

static void one_desk_pass(struct fixture *f, struct queue *q, bool again) {
    struct queue_source in = { "a", "in" };
    struct queue_reader *r = queue_reader_new(q, "desk", "desk", &in, 1);
    char id[1][32] = { "" };

    while (queue_reader_read(r, again, 1, 0, last_id, id[0]) == 0) {
        redisReply *reply = redis_do(&f->redis, "XRANGE aduan:{a}:in %s %s", id[0], id[0]);
        struct queue_entry e = { .key = strdupa(reply->element[0]->element[1]->element[1]->str) };

        register_it(f, &e);
        must(queue_reader_ack(r, "a", "in", (const char(*)[32])id, 1));
    }
    queue_reader_free(r);
}

static void desk(void *arg) {
    struct fixture *f = arg;
    struct queue *q = redis_queue(&f->redis, 3000);

    f->redis.cli = redisConnectUnix(f->redis.socket); /* the parent's is not ours */
    one_desk_pass(f, q, true);
    one_desk_pass(f, q, false);
    queue_free(q);
}

static void expect_inbound(struct fixture *f) {
    assert_int_equal(redis_int(&f->redis, "XLEN aduan:{a}:in"), 0);
    assert_int_equal(redis_int(&f->redis, "SCARD register"), 2);
    assert_int_equal(redis_int(&f->redis, "XLEN aduan:{a}:media"), 1);
    assert_int_equal(redis_int(&f->redis, "HLEN aduan:{a}:attempt"), 0);
    assert_string_equal(redis_do(&f->redis, "HGET aduan:{a}:mark uid")->str, "2");
    assert_int_equal(redis_do(&f->redis, "XPENDING aduan:{a}:in desk")->element[0]->integer, 0);
    /* Two entries were ever added, however often it died. */
    assert_int_equal(redis_int(&f->redis, "EVAL %s 1 aduan:{a}:in",
                               "local i = redis.call('XINFO', 'STREAM', KEYS[1]) for k = 1, #i, 2 do "
                               "if i[k] == 'entries-added' then return i[k + 1] end end"),
                     2);
}

static void inbound(void **state) {
    static const struct {
        const char *step;
        void (*dies)(void *arg);
    } rows[] = {
        { "attempt.before", receive }, { "attempt.after", receive }, { "accept.before", receive },
        { "accept.after", receive },   { "ack.before", desk },       { "ack.after", desk },
        { "ack.before:2", desk },      { "ack.after:2", desk },
    };
    struct fixture *f = *state;

    if (!step_kill_possible())
        return;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        redis_do(&f->redis, "FLUSHALL");
        if (rows[i].dies == desk)
            assert_false(step_kill("none", receive, f));
        assert_true(step_kill(rows[i].step, rows[i].dies, f));
        for (int again = 0; again < 2; again++) {
            assert_false(step_kill("none", receive, f));
            assert_false(step_kill("none", desk, f));
            expect_inbound(f);
        }
    }
}

/* -------------------------------------------------------------------- outbound */

/* The desk: its register says the answer is to be sent until it has heard the end. */
static void relay(void *arg) {
    struct fixture *f = arg;
    struct queue *q = redis_queue(&f->redis, 3000);
    struct queue_source event = { "a", "event" };
    struct queue_reader *r = queue_reader_new(q, "desk", "desk", &event, 1);
    char id[1][32];

    f->redis.cli = redisConnectUnix(f->redis.socket);
    if (redis_int(&f->redis, "EXISTS heard") == 0)
        must(queue_put(q, "a", &(struct queue_put){ "o1", "{}", 0, 0 }, 1, NULL));
    for (int again = 1; again >= 0; again--) {
        while (queue_reader_read(r, again == 1, 1, 0, last_id, id[0]) == 0) {
            redis_do(&f->redis, "SET heard yes");
            must(queue_forget(q, "a", (const char *const[]){ "o1" }, 1));
            must(queue_reader_ack(r, "a", "event", (const char(*)[32])id, 1));
        }
    }
    queue_reader_free(r);
    queue_free(q);
}

static int note_entry(void *arg, const struct queue_entry *e) {
    snprintf(arg, 32, "%s", e->id);
    return 0;
}

/* One attempt as a sender makes it. What it finds "sending" from before its death is uncertain. */
static void send_one(struct fixture *f, struct queue *q, const char *entry) {
    struct queue_settlement end = { .state = QUEUE_SENT, .platform_id = "p" };
    enum queue_state state;
    int attempt;
    int64_t due;

    if (queue_answer_state(q, "a", "o1", &state, &attempt, &due) != 0)
        return;
    if (state == QUEUE_SENDING) {
        end.state = QUEUE_UNCERTAIN;
    } else {
        must(queue_begin(q, "a", "o1", 1, &attempt));
        redis_do(&f->redis, "INCR delivered");
    }
    must(queue_settle(q, "a", "o1", attempt, entry, &end, 2));
}

static void sender(void *arg) {
    struct fixture *f = arg;
    struct queue *q = redis_queue(&f->redis, 3000);
    struct queue_source out = { "a", "out" };
    struct queue_reader *r = queue_reader_new(q, "send", "send", &out, 1);
    char entry[32];

    f->redis.cli = redisConnectUnix(f->redis.socket);
    for (int again = 1; again >= 0; again--)
        while (queue_reader_read(r, again == 1, 1, 0, note_entry, entry) == 0)
            send_one(f, q, entry);
    queue_reader_free(r);
    queue_free(q);
}

/* Delivered at most once; said to be sent only if it was. */
static void expect_outbound(struct fixture *f, const char *step) {
    const char *count = redis_do(&f->redis, "GET delivered")->str;
    int delivered = count != NULL ? atoi(count) : 0;
    bool begun_only = strcmp(step, "begin.after") == 0;

    assert_int_equal(delivered, begun_only ? 0 : 1);
    assert_int_equal(redis_int(&f->redis, "XLEN aduan:{a}:out"), 0);
    assert_int_equal(redis_int(&f->redis, "XLEN aduan:{a}:event"), 0);
    assert_int_equal(redis_int(&f->redis, "EXISTS aduan:{a}:answer:o1 aduan:{a}:retry"), 0);
    assert_int_equal(redis_int(&f->redis, "EXISTS heard"), 1);
}

static void outbound(void **state) {
    static const struct {
        const char *step;
        void (*dies)(void *arg);
        bool sent_before; /* the death comes after the sender's pass */
    } rows[] = {
        { "put.before", relay, false },   { "put.after", relay, false },      { "begin.before", sender, false },
        { "begin.after", sender, false }, { "settle.before", sender, false }, { "settle.after", sender, false },
        { "forget.before", relay, true }, { "forget.after", relay, true },    { "ack.before", relay, true },
        { "ack.after", relay, true },
    };
    struct fixture *f = *state;

    if (!step_kill_possible())
        return;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        redis_do(&f->redis, "FLUSHALL");
        if (rows[i].dies == sender || rows[i].sent_before)
            assert_false(step_kill("none", relay, f));
        if (rows[i].sent_before)
            assert_false(step_kill("none", sender, f));
        assert_true(step_kill(rows[i].step, rows[i].dies, f));
        for (int again = 0; again < 2; again++) {
            assert_false(step_kill("none", relay, f));
            assert_false(step_kill("none", sender, f));
            assert_false(step_kill("none", relay, f));
            expect_outbound(f, rows[i].step);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inbound),
        cmocka_unit_test(outbound),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
