/* test_queue_blob.c: a blob is there whole under its digest, or not at all. */
#include "queue/blob.h"

#include "kit/sign.h"

#include "redis_server.h"
#include "step_kill.h"

#include <dirent.h>
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
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char dir[64];
    struct blob_store *s;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof(*f));

    strcpy(f->dir, "/tmp/aduan-blob-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_int_equal(blob_store_open(f->dir, &f->s), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;

    blob_store_close(f->s);
    remove_tree(f->dir);
    free(f);
    return 0;
}

/* Files below attachments/, by what their name begins with. */
static int files(const struct fixture *f, const char *prefix) {
    char command[160];
    FILE *p;
    int n = 0;

    snprintf(command, sizeof(command), "find %s/attachments -type f -name '%s*' | wc -l", f->dir, prefix);
    p = popen(command, "r");
    assert_int_equal(fscanf(p, "%d", &n), 1);
    pclose(p);
    return n;
}

static void expect_content(const struct fixture *f, const char *sha256, const char *bytes, size_t n) {
    char buf[128];
    int fd = blob_open(f->s, sha256);

    assert_true(fd >= 0);
    assert_int_equal(read(fd, buf, sizeof(buf)), n);
    assert_memory_equal(buf, bytes, n);
    close(fd);
}

static void the_same_content_is_stored_once(void **state) {
    struct fixture *f = *state;
    char a[65], b[65], path[160];
    struct stat st;

    assert_int_equal(blob_put(f->s, "hel\0lo", 6, a), 0);
    assert_int_equal(blob_put(f->s, "hel\0lo", 6, b), 0);
    assert_string_equal(a, b);
    assert_int_equal(files(f, ""), 1);
    expect_content(f, a, "hel\0lo", 6);
    snprintf(path, sizeof(path), "%s/attachments/%.2s/%s", f->dir, a, a);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

static void the_name_is_the_digest(void **state) {
    struct fixture *f = *state;
    char sha256[65];

    assert_int_equal(blob_put(f->s, "abc", 3, sha256), 0);
    assert_string_equal(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(blob_put(f->s, NULL, 0, sha256), 0);
    assert_string_equal(sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void a_stream_is_the_same_as_its_bytes(void **state) {
    struct fixture *f = *state;
    struct blob_writer *w;
    char whole[65], parts[65];
    int64_t size;

    assert_int_equal(blob_put(f->s, "one two", 7, whole), 0);
    assert_int_equal(blob_begin(f->s, &w), 0);
    assert_int_equal(blob_write(w, "one", 3), 0);
    assert_int_equal(blob_write(w, " two", 4), 0);
    assert_int_equal(files(f, ".new-"), 1);
    assert_int_equal(blob_finish(w, parts, &size), 0);
    assert_string_equal(whole, parts);
    assert_int_equal(size, 7);
    assert_int_equal(files(f, ""), 1);
}

static void an_aborted_stream_leaves_nothing(void **state) {
    struct fixture *f = *state;
    struct blob_writer *w;

    assert_int_equal(blob_begin(f->s, &w), 0);
    assert_int_equal(blob_write(w, "one", 3), 0);
    blob_abort(w);
    blob_abort(NULL);
    assert_int_equal(files(f, ""), 0);
}

static void only_digests_are_opened(void **state) {
    static const char *const bad[] = { "", "abc", "../../../../etc/passwd",
                                       "../attachments/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                       "zz7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" };
    struct fixture *f = *state;

    for (size_t i = 0; i < 5; i++)
        assert_int_equal(blob_open(f->s, bad[i]), -EINVAL);
    assert_int_equal(blob_open(f->s, NULL), -EINVAL);
    assert_int_equal(blob_open(f->s, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
                     -ENOENT);
}

static void a_shorter_file_in_its_place_is_replaced(void **state) {
    struct fixture *f = *state;
    char sha256[65], path[160];

    assert_int_equal(blob_put(f->s, "abcdef", 6, sha256), 0);
    snprintf(path, sizeof(path), "%s/attachments/%.2s/%s", f->dir, sha256, sha256);
    assert_int_equal(truncate(path, 2), 0);
    assert_int_equal(blob_put(f->s, "abcdef", 6, sha256), 0);
    expect_content(f, sha256, "abcdef", 6);
}

static void a_full_disk_leaves_nothing(void **state) {
    struct fixture *f = *state;
    struct rlimit all, little;
    char big[20000], sha256[65];

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &all);
    little = (struct rlimit){ 10000, all.rlim_max };
    memset(big, 'x', sizeof(big));
    setrlimit(RLIMIT_FSIZE, &little);
    assert_int_equal(blob_put(f->s, big, sizeof(big), sha256), -EFBIG);
    setrlimit(RLIMIT_FSIZE, &all);
    assert_int_equal(files(f, ""), 0);
    assert_int_equal(blob_put(f->s, big, sizeof(big), sha256), 0);
}

static void what_a_dead_writer_left_goes_after_a_day(void **state) {
    struct fixture *f = *state;
    char path[160];
    struct timespec old[2] = { { .tv_sec = time(NULL) - 2 * 86400 }, { .tv_sec = time(NULL) - 2 * 86400 } };
    int fd;

    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/attachments/.new-1-%d", f->dir, i);
        fd = open(path, O_WRONLY | O_CREAT, 0600);
        if (i == 0)
            futimens(fd, old);
        close(fd);
    }
    blob_store_close(f->s);
    assert_int_equal(blob_store_open(f->dir, &f->s), 0);
    assert_int_equal(files(f, ".new-"), 1);
}

/* What was stored again is young: whoever was told so has not had time to say that they need it. */
static void only_what_is_old_is_removed(void **state) {
    static const char sha256[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    static const struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
    struct fixture *f = *state;
    char stored[65];
    int fd;

    assert_int_equal(blob_remove(f->s, sha256, 5000000), 0); /* never there */
    assert_int_equal(blob_put(f->s, "abc", 3, stored), 0);
    assert_int_equal(blob_remove(f->s, sha256, 2000000), BLOB_YOUNG);
    fd = blob_open(f->s, sha256);
    futimens(fd, old);
    assert_int_equal(blob_put(f->s, "abc", 3, stored), 0);
    assert_int_equal(blob_remove(f->s, sha256, 2000000), BLOB_YOUNG);
    expect_content(f, sha256, "abc", 3);
    futimens(fd, old);
    close(fd);
    assert_int_equal(blob_remove(f->s, sha256, 1000000), BLOB_YOUNG);
    assert_int_equal(blob_remove(f->s, sha256, 1000001), 0);
    assert_int_equal(blob_open(f->s, sha256), -ENOENT);
    assert_int_equal(blob_remove(f->s, "../register.db", 2000000), -EINVAL);
}

static void child_puts(void *arg) {
    struct fixture *f = arg;
    char sha256[65];

    if (blob_put(f->s, "abc", 3, sha256) < 0)
        _exit(1);
}

static void killed_at_each_step_there_is_nothing_or_all(void **state) {
    static const char *const steps[] = { "blob.written", "blob.synced", "blob.made-dir", "blob.renamed",
                                         "blob.durable" };
    static const char sha256[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    (void)state;
    if (!step_kill_possible())
        return;
    for (size_t i = 0; i < 5; i++) {
        void *fixture;
        struct fixture *f;
        int fd;

        set_up(&fixture);
        f = fixture;
        assert_true(step_kill(steps[i], child_puts, f));
        fd = blob_open(f->s, sha256);
        assert_true((i < 3) == (fd == -ENOENT));
        if (fd >= 0) {
            close(fd);
            expect_content(f, sha256, "abc", 3);
        }
        child_puts(f); /* repeated */
        expect_content(f, sha256, "abc", 3);
        assert_int_equal(files(f, "ba"), 1);
        tear_down(&fixture);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_content_is_stored_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_name_is_the_digest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stream_is_the_same_as_its_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_aborted_stream_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_digests_are_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_shorter_file_in_its_place_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_dead_writer_left_goes_after_a_day, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_what_is_old_is_removed, set_up, tear_down),
        cmocka_unit_test(killed_at_each_step_there_is_nothing_or_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
