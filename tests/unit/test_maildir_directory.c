/* test_maildir_directory.c: a maildir whose names and files others chose. */
#include "maildir/directory.h"

#include "kit/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64];

static char *at(const char *name) {
    return xasprintf("%s/%s", root, name);
}

static void put(const char *name, const char *content) {
    char *path = at(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    close(fd);
    free(path);
}

static bool there(const char *name) {
    char *path = at(name);
    struct stat st;
    bool is = lstat(path, &st) == 0;

    free(path);
    return is;
}

static int make(void **state) {
    static const char *const folders[] = { "new", "cur", "tmp" };
    size_t i;

    (void)state;
    snprintf(root, sizeof(root), "/tmp/aduan-maildir-XXXXXX");
    assert_non_null(mkdtemp(root));
    for (i = 0; i < 3; i++) {
        char *path = at(folders[i]);

        assert_int_equal(mkdir(path, 0700), 0);
        free(path);
    }
    return 0;
}

static int unmake(void **state) {
    char *command = xasprintf("rm -rf %s", root);

    (void)state;
    assert_int_equal(system(command), 0);
    free(command);
    return 0;
}

static struct directory_mail *find(struct directory_list *l, const char *name) {
    size_t i;

    for (i = 0; i < l->count; i++)
        if (strcmp(l->items[i].name, name) == 0)
            return &l->items[i];
    fail_msg("%s is not listed", name);
    return NULL;
}

static int read_it(const struct directory_mail *m, size_t max, size_t *ret_len, int64_t *ret_size) {
    char why[100] = "", *bytes;
    int64_t modified;
    int r = directory_read(root, m, max, &bytes, ret_len, ret_size, &modified, why, sizeof(why));

    assert_true(r != DIRECTORY_REFUSED || why[0] != '\0');
    assert_int_equal(r == 0, bytes != NULL);
    free(bytes);
    return r;
}

static void only_plain_files_are_read(void **state) {
    struct directory_list l;
    char *link, *pipe, *folder;
    size_t len = 0;
    int64_t size = 0;

    (void)state;
    put("rahasia", "x");
    put("new/1.a", "surat");
    link = at("new/2.link");
    pipe = at("new/3.pipe");
    folder = at("new/4.folder");
    assert_int_equal(symlink("../rahasia", link), 0);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    put("new/.hidden", "x");
    assert_int_equal(directory_scan(root, &l), 0);
    assert_int_equal(l.count, 3);
    assert_int_equal(read_it(find(&l, "1.a"), 100, &len, &size), 0);
    assert_int_equal(len, 5);
    assert_int_equal(read_it(find(&l, "1.a"), 2, &len, &size), 0);
    assert_true(len == 2 && size == 5);
    assert_int_equal(read_it(find(&l, "2.link"), 100, &len, &size), DIRECTORY_REFUSED);
    assert_int_equal(read_it(find(&l, "3.pipe"), 100, &len, &size), DIRECTORY_REFUSED); /* and does not wait */
    directory_list_clear(&l);
    free(link);
    free(pipe);
    free(folder);
}

static void seen_is_marked_once_and_keeps_other_flags(void **state) {
    struct directory_list l;
    size_t i, len;
    int64_t size;

    (void)state;
    put("new/1.baru", "a");
    put("cur/2.dibalas:2,RT", "b");
    put("cur/3.dibaca:2,S", "c");
    put("new/4.a b\nc", "d");
    assert_int_equal(directory_scan(root, &l), 0);
    assert_int_equal(l.count, 4);
    assert_int_equal(find(&l, "2.dibalas:2,RT")->base, strlen("2.dibalas"));
    for (i = 0; i < l.count; i++)
        assert_int_equal(directory_seen(root, &l.items[i]), 0);
    for (i = 0; i < l.count; i++) /* repeated after a crash */
        assert_int_equal(directory_seen(root, &l.items[i]), 0);
    assert_true(there("cur/1.baru:2,S") && there("cur/2.dibalas:2,RST") && there("cur/3.dibaca:2,S"));
    assert_true(there("cur/4.a b\nc:2,S") && !there("new/1.baru"));
    assert_int_equal(read_it(find(&l, "1.baru"), 10, &len, &size), DIRECTORY_GONE);
    directory_list_clear(&l);
}

static void what_is_removed_is_gone_and_stays_gone(void **state) {
    struct directory_list l;

    (void)state;
    put("new/1.a", "a");
    put("new/2.b", "b");
    assert_int_equal(directory_scan(root, &l), 0);
    assert_int_equal(directory_remove(root, find(&l, "1.a")), 0);
    assert_int_equal(directory_remove(root, find(&l, "1.a")), 0);
    assert_true(!there("new/1.a") && there("new/2.b"));
    directory_list_clear(&l);
}

static void what_is_no_maildir_is_said(void **state) {
    struct directory_list l;

    (void)state;
    assert_true(directory_scan("/tmp/aduan-there-is-no-such-place", &l) < 0);
    assert_true(directory_check("/tmp/aduan-there-is-no-such-place", false) < 0);
    assert_int_equal(directory_check(root, true), 0);
    assert_int_equal(l.count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_plain_files_are_read, make, unmake),
        cmocka_unit_test_setup_teardown(seen_is_marked_once_and_keeps_other_flags, make, unmake),
        cmocka_unit_test_setup_teardown(what_is_removed_is_gone_and_stays_gone, make, unmake),
        cmocka_unit_test_setup_teardown(what_is_no_maildir_is_said, make, unmake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
