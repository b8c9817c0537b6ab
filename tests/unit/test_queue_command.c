/* test_queue_command.c: a command is put once, answered, taken back, or said to be of unknown fate; never a
 * fourth. */
#include "queue/queue.h"
#include "queue/script.h"

#include "redis_server.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct redis_pair on;

static int set_up(void **state) {
    (void)state;
    redis_pair_start(&on);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    redis_pair_stop(&on);
    return 0;
}

static int empty(void **state) {
    (void)state;
    redis_do(&on.redis, "FLUSHALL");
    return 0;
}

static struct queue_order order(const char *request, const char *json) {
    return (struct queue_order){ .request = request, .json = json, .wait_ms = 20000, .taken_ms = 20000 };
}

/* ------------------------------------------------------------------------- a desk */

struct desk {
    struct queue *q;
    struct queue_reader *r;
    int done;
};

static int answer(void *arg, const struct queue_entry *e) {
    struct desk *d = arg;
    char json[256], id[1][32];

    snprintf(json, sizeof(json), "{\"got\":%s,\"raw\":%zu}", e->record, e->raw_len);
    memcpy(id[0], e->id, sizeof(id[0]));
    assert_int_equal(queue_command_done(d->q, e->key, json), 0);
    assert_int_equal(queue_reader_ack(d->r, "desk", "do", (const char(*)[32])id, 1), 0);
    d->done++;
    return 0;
}

static int only_look(void *arg, const struct queue_entry *e) {
    (void)e;
    ++*(int *)arg;
    return 0;
}

static struct queue_reader *reader(struct queue *q) {
    static const struct queue_source source = { "desk", "do" };

    return queue_reader_new(q, "desk", "desk", &source, 1);
}

/* A desk in a process of its own that answers n commands; `again`: first those an earlier one was handed. */
static pid_t desk_answers(int n, bool again) {
    struct desk d = { 0 };
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    d.q = redis_queue(&on.redis, 3000);
    d.r = reader(d.q);
    while (d.done < n)
        if (queue_reader_read(d.r, again, 10, 1000, answer, &d) == QUEUE_NOTHING)
            again = false;
    _exit(0);
}

/* A desk that is handed a command and dies. It already waits when this returns: Redis hands it over as it is
 * put. */
static pid_t desk_dies_with_it(void) {
    struct queue *q;
    struct queue_reader *r;
    int seen = 0;
    pid_t pid = fork();

    while (pid != 0 && strstr(redis_do(&on.redis, "CLIENT LIST")->str, "cmd=xreadgroup") == NULL)
        usleep(5000);
    if (pid != 0)
        return pid;
    q = redis_queue(&on.redis, 3000);
    r = reader(q);
    while (seen == 0)
        queue_reader_read(r, false, 10, 60000, only_look, &seen);
    _exit(0);
}

static void ended(pid_t pid) {
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static long long waiting(void) {
    return redis_int(&on.redis, "XLEN aduan:{desk}:do");
}

/* ------------------------------------------------------------------------ answered */

static void a_command_gets_its_own_answer(void **state) {
    struct queue_order one = order("r1", "1"), two = order("r2", "2");
    pid_t pid = desk_answers(2, false);
    bool unheard;
    char *json;

    (void)state;
    one.raw = "abc";
    one.raw_len = 3;
    assert_int_equal(queue_command(on.q, &one, &json), 0);
    assert_string_equal(json, "{\"got\":1,\"raw\":3}");
    free(json);
    assert_int_equal(queue_command(on.q, &two, &json), 0);
    assert_string_equal(json, "{\"got\":2,\"raw\":0}");
    free(json);
    assert_int_equal(queue_command_unheard(on.q, "r2", &unheard), 0);
    assert_false(unheard);
    ended(pid);
}

static void a_command_survives_lost_replies(void **state) {
    for (int through = 0; through <= 3; through++) { /* the question, the command, the wait … */
        struct queue_order o = order("r7", "7");
        pid_t pid;
        char *json;

        empty(state);
        pid = desk_answers(1, false);
        on.proxy.lose[1] = through;
        on.proxy.lose[0] = 1;
        assert_int_equal(queue_command(on.through, &o, &json), 0);
        assert_string_equal(json, "{\"got\":7,\"raw\":0}");
        free(json);
        on.proxy.lose[0] = 0;
        ended(pid);
    }
}

static void a_command_is_put_once_while_it_waits(void **state) {
    struct queue_order o = order("r7", "7");
    char *json;

    (void)state;
    on.proxy.lose[1] = 1;
    on.proxy.lose[0] = 1; /* the put's */
    o.wait_ms = 300;
    assert_int_equal(queue_command(on.through, &o, &json), QUEUE_NOTHING);
    on.proxy.lose[0] = 0;
    assert_int_equal(redis_int(&on.redis, "EVAL %s 1 aduan:{desk}:do",
                               "local i = redis.call('XINFO', 'STREAM', KEYS[1]) for k = 1, #i, 2 do "
                               "if i[k] == 'entries-added' then return i[k + 1] end end"),
                     1);
    assert_int_equal(waiting(), 0);
}

static void answers_are_trimmed(void **state) {
    (void)state;
    for (int i = 0; i < 1010; i++)
        assert_int_equal(queue_command_done(on.q, "k", "{}"), 0);
    assert_int_equal(redis_int(&on.redis, "XLEN aduan:{desk}:done"), 1000);
}

/* ---------------------------------------------------------------------- taken back */

static void what_nobody_took_is_taken_back(void **state) {
    struct queue_order o = order("r1", "{}");
    bool unheard;
    char *json;

    (void)state;
    o.wait_ms = 200;
    assert_int_equal(queue_command(on.q, &o, &json), QUEUE_NOTHING);
    assert_int_equal(waiting(), 0);
    assert_int_equal(queue_command_unheard(on.q, "r1", &unheard), 0);
    assert_false(unheard);
    /* Also when a desk was there once. */
    ended(desk_answers(0, false));
    assert_int_equal(queue_command(on.q, &o, &json), QUEUE_NOTHING);
    assert_int_equal(waiting(), 0);
}

/* A connection that was given up may still hold the put: it must not come true after "nothing was done". */
static void a_put_that_comes_late_puts_nothing(void **state) {
    struct queue_order o = order("r1", "{}");
    redisReply *fields;
    const char *gone = NULL;
    char sender[64];
    char *json;

    (void)state;
    o.wait_ms = 100;
    assert_int_equal(queue_command(on.q, &o, &json), QUEUE_NOTHING);
    fields = redis_do(&on.redis, "HKEYS aduan:{desk}:do:r1");
    for (size_t i = 0; i < fields->elements; i++)
        if (strncmp(fields->element[i]->str, "gone:", 5) == 0)
            gone = fields->element[i]->str + 5;
    assert_non_null(gone);
    snprintf(sender, sizeof(sender), "%s", gone);
    assert_int_equal(redis_int(&on.redis, "EVALSHA %s 2 aduan:{desk}:do aduan:{desk}:do:r1 r1 {} raw 3600 %s",
                               script_command.sha1, sender),
                     -1);
    assert_int_equal(waiting(), 0);
    /* Somebody who asks anew under the same id is another sender. */
    assert_int_equal(redis_int(&on.redis,
                               "EVALSHA %s 2 aduan:{desk}:do aduan:{desk}:do:r1 r1 {} raw 3600 other",
                               script_command.sha1),
                     1);
    assert_int_equal(waiting(), 1);
}

static void away_before_it_was_put_nothing_is_done(void **state) {
    struct queue_options to = { .timeout_ms = 500, .redis = "unix:/nowhere/redis.sock" };
    struct queue_order o = order("r1", "{}");
    struct queue *q = queue_new(&to);
    char *json;

    (void)state;
    o.wait_ms = 200;
    assert_int_equal(queue_command(q, &o, &json), -EAGAIN);
    queue_free(q);
}

/* ------------------------------------------------------------------------- unknown */

static int from_the_register(void *arg, char **ret_json) {
    int *asked = arg;

    ++*asked;
    *ret_json = strdup("{\"kept\":1}");
    return *asked > 1 ? 0 : (free(*ret_json), 1);
}

static void what_the_desk_was_handed_is_unknown_until_asked_again(void **state) {
    struct queue_order o = order("r1", "5");
    pid_t pid = desk_dies_with_it();
    bool unheard;
    char *json;

    (void)state;
    o.wait_ms = 200;
    o.taken_ms = 300;
    assert_int_equal(queue_command(on.q, &o, &json), QUEUE_UNKNOWN);
    ended(pid);
    assert_int_equal(waiting(), 1);
    assert_int_equal(queue_command_unheard(on.q, "r1", &unheard), 0);
    assert_true(unheard);
    /* The desk is back, and its sender asks again: one entry, one answer. */
    pid = desk_answers(1, true);
    o.wait_ms = 20000;
    assert_int_equal(queue_command(on.q, &o, &json), 0);
    assert_string_equal(json, "{\"got\":5,\"raw\":0}");
    free(json);
    ended(pid);
    assert_int_equal(waiting(), 0);
    assert_int_equal(queue_command_unheard(on.q, "r1", &unheard), 0);
    assert_false(unheard);
}

static void an_answer_known_otherwise_ends_the_wait(void **state) {
    struct queue_order o = order("r1", "5");
    pid_t pid = desk_dies_with_it();
    int asked = 0;
    char *json;

    (void)state;
    o.wait_ms = 200;
    o.known = from_the_register;
    o.arg = &asked;
    assert_int_equal(queue_command(on.q, &o, &json), 0);
    assert_string_equal(json, "{\"kept\":1}");
    free(json);
    assert_int_equal(asked, 2);
    ended(pid);
}

/* Answered and gone, and the answer missed (trimmed, or told before we listened): it is asked for again. */
static void a_missed_answer_is_asked_for_again(void **state) {
    struct queue_order o = order("r1", "5");
    pid_t pid = desk_dies_with_it();
    char *json;

    (void)state;
    o.wait_ms = 200;
    o.taken_ms = 0;
    assert_int_equal(queue_command(on.q, &o, &json), QUEUE_UNKNOWN);
    ended(pid);
    ended(desk_answers(1, true));
    redis_do(&on.redis, "DEL aduan:{desk}:done");
    pid = desk_answers(1, false);
    o.wait_ms = 20000;
    assert_int_equal(queue_command(on.q, &o, &json), 0);
    free(json);
    ended(pid);
}

static void redis_has_a_clock(void **state) {
    redisReply *r;
    int64_t ms = 0;

    (void)state;
    assert_int_equal(queue_time(on.q, &ms), 0);
    r = redis_do(&on.redis, "TIME");
    assert_true(llabs(atoll(r->element[0]->str) * 1000 - ms) < 60000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_command_gets_its_own_answer, empty),
        cmocka_unit_test_setup(a_command_survives_lost_replies, empty),
        cmocka_unit_test_setup(a_command_is_put_once_while_it_waits, empty),
        cmocka_unit_test_setup(answers_are_trimmed, empty),
        cmocka_unit_test_setup(what_nobody_took_is_taken_back, empty),
        cmocka_unit_test_setup(a_put_that_comes_late_puts_nothing, empty),
        cmocka_unit_test_setup(away_before_it_was_put_nothing_is_done, empty),
        cmocka_unit_test_setup(what_the_desk_was_handed_is_unknown_until_asked_again, empty),
        cmocka_unit_test_setup(an_answer_known_otherwise_ends_the_wait, empty),
        cmocka_unit_test_setup(a_missed_answer_is_asked_for_again, empty),
        cmocka_unit_test_setup(redis_has_a_clock, empty),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
