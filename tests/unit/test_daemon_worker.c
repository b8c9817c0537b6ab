/* test_daemon_worker.c: a worker's life as its master sees it, with time as a parameter. */
#include "daemon/worker.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
/* after the headers that it needs */
#include <cmocka.h>

static const struct worker_limits limits = { .hung_ms = 1000, .start_ms = 5000, .grace_ms = 2000 };

/* A real process that does nothing, so that signals have somebody to hit. */
static struct worker *sleeper(int64_t now, int *ret_theirs) {
    char role[] = "send", account[] = "loop";
    struct plan_job j = { role, account, "digest" };
    struct worker *w = worker_new(&j, now);
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    w->pid = fork();
    if (w->pid == 0) {
        signal(SIGTERM, SIG_IGN);
        for (;;)
            pause();
    }
    w->fd = pair[0];
    *ret_theirs = pair[1];
    w->state = WORKER_STARTING;
    w->started = w->last_beat = now;
    return w;
}

static void bury(struct worker *w, int theirs, int64_t now) {
    int status;

    kill(w->pid, SIGKILL);
    assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
    worker_ended(w, status, now);
    close(theirs);
}

static void ready_then_alive_then_silent(void **state) {
    int theirs, status;
    struct worker *w = sleeper(0, &theirs);

    (void)state;
    assert_false(worker_settled(w));
    assert_int_equal(write(theirs, "H", 1), 1);
    worker_hear(w, 100);
    assert_int_equal(w->state, WORKER_STARTING);
    assert_int_equal(write(theirs, "HRH", 3), 3);
    worker_hear(w, 200);
    assert_int_equal(w->state, WORKER_UP);
    assert_true(worker_settled(w));
    worker_turn(w, &limits, 1199);
    assert_int_equal(w->killed_at, 0);
    worker_turn(w, &limits, 1200);
    assert_int_equal(w->killed_at, 1200);
    assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    worker_ended(w, status, 1300);
    assert_int_equal(w->failures, 1);
    assert_true(w->due > 1300);
    assert_true(worker_settled(w));
    close(theirs);
    worker_free(w);
}

static void a_slow_start_has_more_patience(void **state) {
    int theirs;
    struct worker *w = sleeper(0, &theirs);

    (void)state;
    worker_turn(w, &limits, 4999);
    assert_int_equal(w->killed_at, 0);
    assert_int_equal(worker_next(w, &limits), 5000);
    worker_turn(w, &limits, 5000);
    assert_int_equal(w->killed_at, 5000);
    assert_false(worker_beyond_help(w, 64999));
    assert_true(worker_beyond_help(w, 65000));
    bury(w, theirs, 5100);
    worker_free(w);
}

static void told_to_end_it_has_its_grace(void **state) {
    int theirs;
    struct worker *w = sleeper(0, &theirs);

    (void)state;
    worker_end(w, &limits, 100);
    assert_int_equal(w->state, WORKER_ENDING);
    worker_turn(w, &limits, 2099);
    assert_int_equal(w->killed_at, 0);
    worker_turn(w, &limits, 2100);
    assert_int_equal(w->killed_at, 2100);
    bury(w, theirs, 2200);
    /* Its end was asked for: no failure, and it may start again at once. */
    assert_int_equal(w->failures, 0);
    assert_int_equal(w->due, 2200);
    worker_free(w);
}

static void failures_count_in_a_row_only(void **state) {
    int theirs, i;
    struct worker *w = sleeper(0, &theirs);

    (void)state;
    bury(w, theirs, 10);
    for (i = 2; i <= 4; i++) {
        struct worker *next = sleeper(1000, &theirs);

        w->pid = next->pid;
        w->fd = next->fd;
        next->fd = -1;
        next->pid = 0;
        worker_free(next);
        w->state = WORKER_UP;
        w->started = 1000;
        bury(w, theirs, 1500);
        assert_int_equal(w->failures, i);
    }
    {
        struct worker *next = sleeper(1000, &theirs);

        w->pid = next->pid;
        w->fd = next->fd;
        next->fd = -1;
        worker_free(next);
        w->state = WORKER_UP;
        w->started = 1000;
        bury(w, theirs, 1000 + 60000);
    }
    assert_int_equal(w->failures, 1);
    worker_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ready_then_alive_then_silent),
        cmocka_unit_test(a_slow_start_has_more_patience),
        cmocka_unit_test(told_to_end_it_has_its_grace),
        cmocka_unit_test(failures_count_in_a_row_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
