/* test_desk_faults.c: Redis that dies and comes back, a register that cannot be written. */
#include "desk_tests.h"

#include "desk/register_sql.h"
#include "kit/text.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void write_many(int from, int to) {
    char id[32], phone[32];
    int i;

    for (i = from; i < to; i++) {
        snprintf(id, sizeof(id), "w%d", i);
        snprintf(phone, sizeof(phone), "628%05d", i / 2); /* two messages of each citizen */
        rig_chat(&rig, id, phone, "Paspor saya belum selesai, mohon dibantu", 0);
    }
}

/* Redis is killed and restarted again and again while a desk works through its stream. */
static void redis_may_die_at_any_time(void **state) {
    int round, status;
    pid_t pid;
    json_t *out;

    (void)state;
    write_many(0, 600);
    pid = fork();
    if (pid == 0)
        _exit(rig_run(&rig));
    for (round = 0; round < 6; round++) {
        usleep(30000 + 11000 * (useconds_t)round);
        redis_kill(&rig.redis);
        usleep(150000);
        redis_again(&rig.redis);
    }
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    queue_ping(rig.queue);
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(rig_case_count(&rig), 300);
    out = rig_out(&rig, "wa");
    assert_int_equal(json_array_size(out), 300); /* one receipt each, none twice */
    assert_int_equal(redis_int(&rig.redis, "XLEN aduan:{wa}:in"), 0);
    json_decref(out);
}

static void no_redis_is_waited_for(void **state) {
    int status;
    pid_t pid;

    (void)state;
    write_many(0, 2);
    redis_kill(&rig.redis);
    pid = fork();
    if (pid == 0)
        _exit(rig_run(&rig));
    usleep(600000);
    assert_int_equal(waitpid(pid, &status, WNOHANG), 0); /* still there */
    redis_again(&rig.redis);
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(rig_case_count(&rig), 1);
}

/* The register's disk is full in the middle: exit 1, nothing acknowledged, nothing half written. */
static void a_full_disk_ends_the_desk_and_loses_nothing(void **state) {
    int status;
    pid_t pid;

    (void)state;
    write_many(0, 400);
    pid = fork();
    if (pid == 0) {
        struct rlimit limit = { 700 * 1024, 700 * 1024 };

        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        _exit(rig_run(&rig));
    }
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(rig_case_count(&rig), 200);
    assert_int_equal(redis_int(&rig.redis, "XLEN aduan:{wa}:in"), 0);
}

static void a_damaged_register_is_not_written(void **state) {
    char *file = xasprintf("%s/register.db", rig.state);
    FILE *f = fopen(file, "w");

    (void)state;
    fputs("this is no database, and long enough to be looked at as one", f);
    fclose(f);
    write_many(0, 2);
    assert_int_equal(rig_run(&rig), 1);
    assert_non_null(strstr(rig.log, "register is unusable"));
    assert_int_equal(redis_int(&rig.redis, "XLEN aduan:{wa}:in"), 2);
    free(file);
}

/* What the register cannot store costs no other message and is not lost. */
static void one_bad_record_costs_no_other(void **state) {
    (void)state;
    write_many(0, 2);
    rig_event(&rig, "wa", "o9-00000000", "{\"state\":\"sent\",\"attempt\":1,\"at\":1}");
    rig_event(&rig, "wa", "x", "nonsense");
    redis_do(&rig.redis, "XADD aduan:{wa}:in * id wa/other record %s",
             "{\"id\":\"gmail/"
             "1\",\"account\":\"gmail\",\"channel\":\"email\",\"kind\":\"message\",\"platform_id\":\"1\","
             "\"text\":\"\"}");
    write_many(2, 4);
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(rig_case_count(&rig), 2);
    assert_int_equal(rig_dead_count(&rig, "wa"), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(redis_may_die_at_any_time, reset),
        cmocka_unit_test_setup(no_redis_is_waited_for, reset),
        cmocka_unit_test_setup(a_full_disk_ends_the_desk_and_loses_nothing, reset),
        cmocka_unit_test_setup(a_damaged_register_is_not_written, reset),
        cmocka_unit_test_setup(one_bad_record_costs_no_other, reset),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
