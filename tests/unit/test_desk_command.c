/*
 * test_desk_command.c: whatever dies on the way of a command, and however the officer repeats it, it is carried
 * out once.
 *
 * An officer asks; a desk dies at one step (or the officer's program does); a desk is started again; the
 * officer repeats, under the same id or with the same words. For every step that an undisturbed command passes.
 * What was said to be undone must be undone. Needs a build with ADUAN_STEPS.
 */
#include "desk_rig.h"
#include "step_kill.h"

#include "kit/text.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NUMBER "TPI-2026-000001"

static struct rig rig;

static const char *const commands[] = {
    "{\"verb\":\"note\",\"actor\":\"root\",\"as\":\"\",\"valid_ms\":60000,\"number\":\"" NUMBER
    "\",\"text\":\"dicek\"}",
    "{\"verb\":\"reply\",\"actor\":\"root\",\"as\":\"\",\"valid_ms\":60000,\"number\":\"" NUMBER
    "\",\"text\":\"Silakan datang\"}",
};
enum { NOTE, REPLY, COMMANDS };

static void a_case(void) {
    rig_reset(&rig);
    rig_mail(&rig, &(struct mail){ .id = "m1@x", .from = "siti@example.com" });
    assert_int_equal(rig_run(&rig), 0);
}

/* How often it was carried out: notes, or answers of an officer. */
static size_t times(int command) {
    json_t *show = rig_show(&rig, NUMBER);
    size_t n = rig_events(show, command == NOTE ? "note" : "replied");

    json_decref(show);
    return n;
}

/* ------------------------------------------------------------------------ the officer */

struct officer {
    const char *request, *json;
    int64_t wait_ms;
    int gives_up; /* readable: he does; -1: never */
};

/* His program; its exit status is what it learned. */
static void ask(void *arg) {
    const struct officer *o = arg;
    struct queue_order order = {
        .request = o->request, .json = o->json, .wait_ms = o->wait_ms, .taken_ms = o->wait_ms
    };
    struct queue *q = redis_queue(&rig.redis, 5000);
    char *answer = NULL;
    int rc;

    queue_wake(q, o->gives_up);
    rc = queue_command(q, &order, &answer);
    if (rc == 0)
        rc = strstr(answer, "\"ok\":true") != NULL ? 0 : 9;
    _exit(rc < 0 ? 8 : rc);
}

static pid_t start(const struct officer *o) {
    pid_t pid = fork();

    if (pid == 0)
        ask((void *)(uintptr_t)o);
    while (redis_int(&rig.redis, "XLEN aduan:{desk}:do") == 0)
        usleep(2000);
    return pid;
}

static int learned(pid_t pid) {
    int status = 0;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Repeats while a desk works; it must be answered. */
static void repeat(const char *request, const char *json) {
    struct officer again = { request, json, 60000, -1 };
    pid_t pid = start(&again);
    int status = 0;

    do
        assert_int_equal(rig_run(&rig), 0);
    while (waitpid(pid, &status, WNOHANG) == 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* -------------------------------------------------------------------------- the steps */

static bool desk_dies(const char *at) {
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        setenv("ADUAN_DIE_AT", at, 1);
        _exit(rig_run(&rig));
    }
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

struct steps {
    char at[200][80]; /* NAME:N */
    size_t count;
};

static void read_steps(const char *log, struct steps *steps) {
    char line[128], name[96];
    FILE *f = fopen(log, "r");

    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL && sscanf(line, "%*d %95s", name) == 1) {
        size_t k, nth = 1;

        for (k = 0; k < steps->count; k++)
            nth += strncmp(steps->at[k], name, strlen(name)) == 0 && steps->at[k][strlen(name)] == ':';
        assert_true(steps->count < 200);
        snprintf(steps->at[steps->count++], sizeof(steps->at[0]), "%.60s:%zu", name, nth);
    }
    fclose(f);
}

/* What the desk passes when nothing happens to it. */
static void find_steps(int command, struct steps *steps) {
    struct officer o = { "r1", commands[command], 60000, -1 };
    char log[96];
    pid_t pid;

    a_case();
    snprintf(log, sizeof(log), "%s.steps", rig.state);
    unlink(log);
    pid = start(&o);
    setenv("ADUAN_STEP_LOG", log, 1);
    assert_int_equal(rig_run(&rig), 0);
    unsetenv("ADUAN_STEP_LOG");
    assert_int_equal(learned(pid), 0);
    assert_int_equal(times(command), 1);
    steps->count = 0;
    read_steps(log, steps);
    unlink(log);
}

static void the_desk_dies(int command, const char *at, const char *second_request) {
    struct officer o = { "r1", commands[command], 60000, -1 };
    int what, patience[2];
    pid_t pid;

    a_case();
    assert_int_equal(pipe(patience), 0);
    o.gives_up = patience[0];
    pid = start(&o);
    assert_true(desk_dies(at));
    assert_int_equal(write(patience[1], "x", 1), 1);
    what = learned(pid);
    close(patience[0]);
    close(patience[1]);
    assert_true(what == 0 || what == QUEUE_NOTHING || what == QUEUE_UNKNOWN);
    if (what == QUEUE_NOTHING) {
        assert_int_equal(rig_run(&rig), 0);
        assert_int_equal(times(command), 0);
    }
    if (what != 0)
        repeat(second_request, commands[command]);
    assert_int_equal(rig_run(&rig), 0);
    if (times(command) != 1)
        fail_msg("killed at %s: carried out %zu times", at, times(command));
}

static void a_desk_killed_anywhere(void **state) {
    static struct steps steps;
    bool acknowledge = false;

    (void)state;
    if (!step_kill_possible())
        return;
    for (int command = 0; command < COMMANDS; command++) {
        find_steps(command, &steps);
        for (size_t i = 0; i < steps.count; i++) {
            acknowledge = acknowledge || strcmp(steps.at[i], "desk.acknowledge:1") == 0;
            the_desk_dies(command, steps.at[i], "r1");
            the_desk_dies(command, steps.at[i], "r2"); /* he did not read what he was told */
        }
        print_message("%zu steps\n", steps.count);
    }
    assert_true(acknowledge);
}

static void the_officers_program_killed_anywhere(void **state) {
    static const char *const at[] = { "command.before", "command.after", "withdraw.before", "withdraw.after" };

    (void)state;
    if (!step_kill_possible())
        return;
    for (int command = 0; command < COMMANDS; command++)
        for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
            struct officer o = { "r1", commands[command], 50, -1 };

            a_case();
            assert_true(step_kill(at[i], ask, &o));
            assert_int_equal(rig_run(&rig), 0);
            repeat(i % 2 == 0 ? "r1" : "r2", commands[command]);
            assert_int_equal(times(command), 1);
        }
}

/* --------------------------------------------------------------------------- repeats */

static json_t *tell(const char *request, const char *more) {
    char *json = xasprintf("{\"verb\":\"note\",\"actor\":\"root\",\"as\":\"\",\"number\":\"" NUMBER
                           "\",\"text\":\"sama\"%s,\"request\":\"%s\"}",
                           more, request);
    json_t *answer = rig_command(&rig, json, NULL, 0);

    free(json);
    return answer;
}

static void equal_commands_that_were_answered_are_both_meant(void **state) {
    (void)state;
    a_case();
    repeat("r1", commands[NOTE]);
    repeat("r2", commands[NOTE]);
    assert_int_equal(times(NOTE), 2);
}

/* The first one's answer is on record, its sender never heard it. */
static void unheard(const char *request, const char *json) {
    redis_do(&rig.redis, "XADD aduan:{desk}:do * id %s record %s raw %s", request, json, "");
    redis_do(&rig.redis, "HSET aduan:{desk}:do:%s puts 1", request);
    assert_int_equal(rig_run(&rig), 0);
}

static void an_equal_one_after_an_unheard_one_is_its_repeat(void **state) {
    (void)state;
    a_case();
    unheard("r1", commands[NOTE]);
    repeat("r2", commands[NOTE]);
    repeat("r3", commands[NOTE]); /* he was told how to say that he means it */
    assert_int_equal(times(NOTE), 1);
    repeat("r4", commands[REPLY]); /* other words */
    assert_int_equal(times(REPLY), 1);
    rig.now += 11 * 60 * 1000;
    repeat("r5", commands[NOTE]);
    assert_int_equal(times(NOTE), 2);
    rig.now -= 11 * 60 * 1000;
}

static void again_means_again(void **state) {
    char *json = xasprintf("%.*s,\"again\":true}", (int)strlen(commands[NOTE]) - 1, commands[NOTE]);

    (void)state;
    a_case();
    unheard("r1", commands[NOTE]);
    repeat("r2", json);
    assert_int_equal(times(NOTE), 2);
    free(json);
}

static void a_request_names_one_command(void **state) {
    json_t *answer;

    (void)state;
    a_case();
    json_decref(tell("r1", ""));
    answer = tell("r1", ",\"other\":1");
    assert_false(json_is_true(json_object_get(answer, "ok")));
    assert_non_null(strstr(rig_string(answer, "error"), "r1 was another command"));
    json_decref(answer);
    assert_int_equal(times(NOTE), 1);
}

/* By Redis's clock, in which the entry's id is written: the desk's own (here a day in October) does not matter.
 */
static void what_waited_too_long_is_not_done_but_may_be_asked_again(void **state) {
    (void)state;
    a_case();
    redis_do(&rig.redis, "XADD aduan:{desk}:do 1000000-0 id r1 record %s raw %s", commands[NOTE], "");
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(times(NOTE), 0);
    repeat("r1", commands[NOTE]);
    assert_int_equal(times(NOTE), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_desk_killed_anywhere),
        cmocka_unit_test(the_officers_program_killed_anywhere),
        cmocka_unit_test(equal_commands_that_were_answered_are_both_meant),
        cmocka_unit_test(an_equal_one_after_an_unheard_one_is_its_repeat),
        cmocka_unit_test(again_means_again),
        cmocka_unit_test(a_request_names_one_command),
        cmocka_unit_test(what_waited_too_long_is_not_done_but_may_be_asked_again),
    };
    int failed;

    rig_start(&rig);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rig_stop(&rig);
    return failed;
}
