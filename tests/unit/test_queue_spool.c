/* test_queue_spool.c: what the spool took is there, once, in order, until it is removed. */
#include "queue/spool.h"

#include "redis_server.h"
#include "step_kill.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dirent.h>

#include <cmocka.h>

struct fixture {
    char dir[64], why[256];
    struct spool *s;
    char got[65536]; /* "account:id " */
    int64_t last;
};

static void open_spool(struct fixture *f, int64_t max_bytes) {
    assert_int_equal(spool_open(f->dir, "gateway", max_bytes, &f->s, f->why, sizeof(f->why)), 0);
}

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof(*f));

    strcpy(f->dir, "/tmp/aduan-spool-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    open_spool(f, 1 << 30);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;

    spool_close(f->s);
    remove_tree(f->dir);
    free(f);
    return 0;
}

static struct spool_in item(const char *account, const char *id) {
    return (struct spool_in){
        account, { .id = id, .record = "{}", .record_len = 2, .raw = "r\0w", .raw_len = 3, .media = 2 }
    };
}

static int collect(void *arg, int64_t row, const struct spool_in *in) {
    struct fixture *f = arg;

    assert_true(row > f->last);
    f->last = row;
    assert_int_equal(in->in.media, 2);
    assert_int_equal(in->in.raw_len, 3);
    assert_memory_equal(in->in.raw, "r\0w", 3);
    if (strlen(f->got) < sizeof(f->got) - 64)
        sprintf(f->got + strlen(f->got), "%s:%s ", in->account, in->in.id);
    return 0;
}

static size_t peek(struct fixture *f, size_t max) {
    size_t n = 0;

    f->got[0] = '\0';
    f->last = 0;
    assert_int_equal(spool_peek(f->s, max, collect, f, &n), 0);
    return n;
}

static void add(struct fixture *f, const char *account, const char *id) {
    struct spool_in in = item(account, id);

    assert_int_equal(spool_add(f->s, &in, 1), 0);
}

static void rows_come_back_in_order_and_only_once(void **state) {
    struct fixture *f = *state;
    struct spool_in two[2] = { item("a", "1"), item("b", "1") };

    assert_int_equal(spool_add(f->s, two, 2), 0);
    add(f, "a", "2");
    assert_int_equal(spool_add(f->s, two, 2), 0); /* the platform repeats */
    assert_int_equal(spool_count(f->s), 3);
    assert_int_equal(peek(f, 10), 3);
    assert_string_equal(f->got, "a:1 b:1 a:2 ");
    assert_int_equal(peek(f, 2), 2);
    assert_int_equal(spool_remove(f->s, f->last), 0);
    assert_int_equal(spool_count(f->s), 1);
    assert_int_equal(peek(f, 10), 1);
    assert_string_equal(f->got, "a:2 ");
    assert_int_equal(spool_remove(f->s, f->last), 0);
    assert_int_equal(spool_bytes(f->s), 0);
}

/* What somebody wrote is not left in the file once it is handed on. */
static void an_emptied_spool_keeps_no_words(void **state) {
    struct fixture *f = *state;
    struct spool_in in = item("a", "1");
    char command[160];

    in.in.record = "rahasia-sekali";
    in.in.record_len = strlen(in.in.record);
    assert_int_equal(spool_add(f->s, &in, 1), 0);
    snprintf(command, sizeof(command), "grep -rq rahasia-sekali %s", f->dir);
    assert_int_equal(system(command), 0);
    peek(f, 1);
    assert_int_equal(spool_remove(f->s, f->last), 0);
    assert_int_not_equal(system(command), 0);
}

static void rows_are_never_numbered_twice(void **state) {
    struct fixture *f = *state;
    int64_t first;

    add(f, "a", "1");
    peek(f, 1);
    first = f->last;
    assert_int_equal(spool_remove(f->s, first), 0);
    f->s = spool_close(f->s);
    open_spool(f, 1 << 30);
    add(f, "a", "2");
    peek(f, 1);
    assert_true(f->last > first);
}

static void everything_is_there_after_a_restart(void **state) {
    struct fixture *f = *state;
    int64_t bytes;

    add(f, "a", "1");
    add(f, "a", "2");
    bytes = spool_bytes(f->s);
    f->s = spool_close(f->s);
    open_spool(f, 1 << 30);
    assert_string_equal(f->why, "");
    assert_int_equal(spool_count(f->s), 2);
    assert_int_equal(spool_bytes(f->s), bytes);
    assert_int_equal(peek(f, 10), 2);
}

static void the_bound_refuses_whole_calls(void **state) {
    struct fixture *f = *state;
    struct spool_in three[3] = { item("a", "1"), item("a", "2"), item("a", "3") };
    struct spool_in one = item("a", "4");

    f->s = spool_close(f->s);
    open_spool(f, 300); /* two of 133 */
    assert_int_equal(spool_add(f->s, three, 3), SPOOL_FULL);
    assert_int_equal(spool_count(f->s), 0);
    assert_int_equal(peek(f, 10), 0);
    assert_int_equal(spool_add(f->s, three, 2), 0);
    assert_int_equal(spool_add(f->s, &one, 1), SPOOL_FULL);
    assert_int_equal(spool_add(f->s, three, 2), 0); /* what is kept is kept: a repeat is no news */
    peek(f, 1);
    assert_int_equal(spool_remove(f->s, f->last), 0);
    assert_int_equal(spool_add(f->s, &one, 1), 0);
    assert_int_equal(peek(f, 10), 2);
    assert_string_equal(f->got, "a:2 a:4 ");
}

/* A file size limit stands for a full disk: writes fail from there on. */
static void a_full_disk_is_full_and_harms_nothing(void **state) {
    struct fixture *f = *state;
    struct rlimit all, little = { 300000, 0 };
    char id[24], big[4096];
    int i, r = 0;

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &all);
    little.rlim_max = all.rlim_max;
    setrlimit(RLIMIT_FSIZE, &little);
    memset(big, 'x', sizeof(big));
    for (i = 0; i < 500; i++) {
        struct spool_in in = item("a", id);

        snprintf(id, sizeof(id), "%d", i);
        in.in.record = big;
        in.in.record_len = sizeof(big);
        r = spool_add(f->s, &in, 1);
        if (r != 0)
            break;
    }
    assert_int_equal(r, SPOOL_FULL);
    assert_true(i > 10);
    assert_int_equal(peek(f, 1000), i);
    setrlimit(RLIMIT_FSIZE, &all);
    add(f, "a", "after"); /* there is room again */
    assert_int_equal(spool_count(f->s), i + 1);
    f->s = spool_close(f->s);
    open_spool(f, 1 << 30);
    assert_string_equal(f->why, "");
    assert_int_equal(peek(f, 1000), i + 1);
}

static void a_really_full_disk(void **state) {
    struct fixture *f = *state;
    char mount[256], id[24];
    static char big[8192];
    int i, r = 0;

    f->s = spool_close(f->s);
    snprintf(mount, sizeof(mount), "mount -t tmpfs -o size=40m tmpfs %s 2>/dev/null", f->dir);
    if (geteuid() != 0 || system(mount) != 0) {
        print_message("SKIPPED: no tmpfs can be mounted here\n");
        open_spool(f, 1 << 30);
        return;
    }
    open_spool(f, 1 << 30);
    for (i = 0; i < 10000 && r == 0; i++) {
        struct spool_in in = item("a", id);

        snprintf(id, sizeof(id), "%d", i);
        in.in.record = big;
        in.in.record_len = sizeof(big);
        r = spool_add(f->s, &in, 1);
    }
    assert_int_equal(r, SPOOL_FULL);
    assert_true(i > 200);
    assert_int_equal(spool_count(f->s), i - 1);
    /* Draining works even when somebody else takes the rest of the disk. */
    snprintf(mount, sizeof(mount), "head -c 8M /dev/zero > %s/else", f->dir);
    assert_int_equal(system(mount), 0);
    for (int left = i - 1; left > 0; left -= 100) {
        peek(f, 100);
        assert_int_equal(spool_remove(f->s, f->last), 0);
    }
    assert_int_equal(spool_count(f->s), 0);
    snprintf(mount, sizeof(mount), "test $(du -sk --exclude=else %s | cut -f1) -lt 100", f->dir);
    assert_int_equal(system(mount), 0); /* and gives the room back */
    add(f, "a", "after");
    f->s = spool_close(f->s);
    snprintf(mount, sizeof(mount), "umount %s", f->dir);
    assert_int_equal(system(mount), 0);
}

/* ----------------------------------------------------------------------- damage */

static int entries(const char *dir, const char *contains) {
    DIR *d = opendir(dir);
    struct dirent *e;
    int n = 0;

    while ((e = readdir(d)) != NULL)
        n += strstr(e->d_name, contains) != NULL;
    closedir(d);
    return n;
}

static void scribble(struct fixture *f, off_t at, size_t n) {
    char path[128], junk[4096];
    int fd;

    memset(junk, 0xa5, sizeof(junk));
    snprintf(path, sizeof(path), "%s/gateway.db", f->dir);
    fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, junk, n, at), n);
    close(fd);
}

static void a_damaged_file_is_set_aside_and_said(void **state) {
    static const off_t places[] = { 0, 100, 4096 };
    struct fixture *f = *state;

    for (size_t i = 0; i < 3; i++) {
        for (int k = 0; k < 200; k++) {
            char id[16];

            snprintf(id, sizeof(id), "%d", k);
            add(f, "a", id);
        }
        f->s = spool_close(f->s);
        scribble(f, places[i], 512);
        open_spool(f, 1 << 30);
        assert_non_null(strstr(f->why, "set aside"));
        assert_true(entries(f->dir, ".bad-") >= 1);
        assert_int_equal(spool_count(f->s), 0);
        add(f, "a", "new");
        peek(f, 1);
        spool_remove(f->s, f->last);
    }
}

static void two_at_once_are_refused_not_taken_for_damage(void **state) {
    struct fixture *f = *state;
    struct spool *second = NULL;
    pid_t pid;
    int status;

    add(f, "a", "1");
    pid = fork(); /* POSIX locks are a process's own */
    if (pid == 0)
        _exit(spool_open(f->dir, "gateway", 1 << 30, &second, f->why, sizeof(f->why)) == -EBUSY ? 0 : 1);
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(entries(f->dir, ".bad-"), 0);
}

static void an_unusable_directory_is_said(void **state) {
    struct fixture *f = *state;
    struct spool *s = NULL;

    assert_true(spool_open("/proc/nowhere", "gateway", 1, &s, f->why, sizeof(f->why)) < 0);
    assert_non_null(strstr(f->why, "/proc/nowhere"));
    assert_null(s);
}

/* ---------------------------------------------------------------------- crashes */

static void child_adds(void *arg) {
    struct fixture *f = arg;
    struct spool_in two[2] = { item("a", "1"), item("a", "2") };

    if (spool_open(f->dir, "gateway", 1 << 30, &f->s, f->why, sizeof(f->why)) < 0 ||
        spool_add(f->s, two, 2) != 0)
        _exit(1);
}

static void child_removes(void *arg) {
    struct fixture *f = arg;

    if (spool_open(f->dir, "gateway", 1 << 30, &f->s, f->why, sizeof(f->why)) < 0 || spool_remove(f->s, 1) != 0)
        _exit(1);
}

static void killed_at_each_step(void **state) {
    struct fixture *f = *state;

    if (!step_kill_possible())
        return;
    f->s = spool_close(f->s);
    assert_true(step_kill("spool.before", child_adds, f));
    open_spool(f, 1 << 30);
    assert_int_equal(spool_count(f->s), 0); /* not acknowledged: nothing of it */
    f->s = spool_close(f->s);
    assert_true(step_kill("spool.after", child_adds, f));
    open_spool(f, 1 << 30);
    assert_int_equal(peek(f, 10), 2);
    f->s = spool_close(f->s);
    assert_false(step_kill("no such step", child_adds, f)); /* and again: no change */
    assert_true(step_kill("spool.remove-before", child_removes, f));
    open_spool(f, 1 << 30);
    assert_int_equal(peek(f, 10), 2);
    f->s = spool_close(f->s);
    assert_true(step_kill("spool.remove-after", child_removes, f));
    open_spool(f, 1 << 30);
    assert_int_equal(peek(f, 10), 1);
    assert_string_equal(f->got, "a:2 ");
}

/* ----------------------------------------------------------------------- replay */

struct replay {
    struct queue *q;
    int64_t row;
};

static int replay_one(void *arg, int64_t row, const struct spool_in *in) {
    struct replay *r = arg;
    struct queue_in one = in->in;

    one.media = 0;
    r->row = row;
    return queue_accept(r->q, in->account, &one, 1, NULL, 0, NULL, NULL);
}

/* A replay that dies before it removes is replayed whole: nothing twice, the order kept. */
static void a_repeated_replay_changes_nothing(void **state) {
    struct fixture *f = *state;
    struct redis_server redis;
    struct replay r = { 0 };
    redisReply *reply;
    char id[16];
    size_t n;

    redis_start(&redis, "");
    r.q = redis_queue(&redis, 3000);
    for (int i = 0; i < 50; i++) {
        snprintf(id, sizeof(id), "%d", i);
        add(f, "a", id);
    }
    assert_int_equal(spool_peek(f->s, 20, replay_one, &r, &n), 0);
    f->s = spool_close(f->s);
    open_spool(f, 1 << 30);
    while (spool_count(f->s) > 0) {
        assert_int_equal(spool_peek(f->s, 20, replay_one, &r, &n), 0);
        assert_int_equal(spool_remove(f->s, r.row), 0);
    }
    reply = redis_do(&redis, "XRANGE aduan:{a}:in - +");
    assert_int_equal(reply->elements, 50);
    for (int i = 0; i < 50; i++)
        assert_int_equal(atoi(reply->element[i]->element[1]->element[1]->str), i);
    queue_free(r.q);
    redis_stop(&redis);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_come_back_in_order_and_only_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_emptied_spool_keeps_no_words, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_are_never_numbered_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(everything_is_there_after_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_bound_refuses_whole_calls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_is_full_and_harms_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_really_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_set_aside_and_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_at_once_are_refused_not_taken_for_damage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unusable_directory_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(killed_at_each_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_repeated_replay_changes_nothing, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
