/* test_maildir_pull.c: what is taken from a maildir while others move, mend and drop mails in it. */
#include "connector.h"
#include "kit/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct aduan_connector aduan_connector;

#define DAY ((int64_t)24 * 3600 * 1000)

struct box {
    struct aduan_host host;
    void *ctx;
    char *settings;
    char root[64], mark[40];
    char *seen[40]; /* bytes emitted */
    uint64_t cookies[40];
    size_t count, flushed;
    int64_t ahead; /* of the host's clock */
    void (*on_emit)(struct box *b);
};

static struct box b;

/* -------------------------------------------------------------------- the host */

static int64_t on_now(struct aduan_host *h) {
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + ((struct box *)h)->ahead;
}

static void on_log(struct aduan_host *h, enum aduan_log_level level, const char *fmt, ...) {
    (void)h;
    (void)level;
    (void)fmt;
}

static int on_pause(struct aduan_host *h, int64_t ms) {
    (void)h;
    (void)ms;
    return ADUAN_STOPPING;
}

static int on_emit(struct aduan_host *h, const struct aduan_raw *raw) {
    struct box *box = (struct box *)h;

    assert_true(box->count < 40);
    box->seen[box->count] = xstrndup(raw->bytes, raw->len);
    box->cookies[box->count++] = raw->cookie;
    snprintf(box->mark, sizeof(box->mark), "%s", raw->mark_value);
    if (box->on_emit != NULL)
        box->on_emit(box);
    return 0;
}

static int on_flush(struct aduan_host *h) {
    struct box *box = (struct box *)h;
    size_t n = box->count - box->flushed;

    aduan_connector.commit(box->ctx, box->cookies + box->flushed, n);
    box->flushed = box->count;
    return 0;
}

static const char *on_mark(struct aduan_host *h, const char *name) {
    (void)name;
    return ((struct box *)h)->mark[0] != '\0' ? ((struct box *)h)->mark : NULL;
}

static const struct aduan_secret *on_kept(struct aduan_host *h, const char *name) {
    (void)h;
    (void)name;
    return NULL;
}

static void on_report(struct aduan_host *h, int64_t expires, const char *fault) {
    (void)h;
    (void)expires;
    (void)fault;
}

static const struct aduan_host_ops ops = { .size = sizeof(ops),
                                           .now = on_now,
                                           .log = on_log,
                                           .pause = on_pause,
                                           .emit = on_emit,
                                           .flush = on_flush,
                                           .mark = on_mark,
                                           .kept_secret = on_kept,
                                           .report = on_report };

/* ------------------------------------------------------------------- the maildir */

static void *place(const char *key) {
    const struct aduan_setting *s;

    for (s = aduan_connector.settings; s->key != NULL; s++)
        if (strcmp(s->key, key) == 0)
            return b.settings + s->offset;
    fail_msg("no setting %s", key);
    return NULL;
}

static char *at(const char *name) {
    return xasprintf("%s/%s", b.root, name);
}

static void put(const char *name, const char *words) {
    char *path = at(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

    assert_true(fd >= 0);
    assert_true(dprintf(fd, "From: a@b.test\r\nMessage-ID: <%s@b.test>\r\n\r\n%s\r\n", words, words) > 0);
    close(fd);
    free(path);
}

static void move(const char *from, const char *to) {
    char *a = at(from), *c = at(to);

    assert_int_equal(rename(a, c), 0);
    free(a);
    free(c);
}

static bool there(const char *name) {
    char *path = at(name);
    struct stat st;
    bool is = lstat(path, &st) == 0;

    free(path);
    return is;
}

/* How often a mail with these words was emitted. */
static size_t taken(const char *words) {
    size_t i, n = 0;

    for (i = 0; i < b.count; i++)
        n += strstr(b.seen[i], words) != NULL;
    return n;
}

static void start(void) {
    assert_int_equal(aduan_connector.open(&b.host, b.settings, &b.ctx), 0);
}

static void restart(void) {
    b.ctx = aduan_connector.close(b.ctx);
    start();
}

static void look(void) {
    struct aduan_result result;

    assert_int_equal(aduan_connector.pull(b.ctx, 0, &result), 0);
}

static int make(void **state) {
    static const char *const folders[] = { "new", "cur", "tmp" };
    static char address[] = "kantor@b.test", none[] = "";
    size_t i;

    (void)state;
    memset(&b, 0, sizeof(b));
    b.host.ops = &ops;
    b.host.account = "surat";
    snprintf(b.root, sizeof(b.root), "/tmp/aduan-maildir-XXXXXX");
    assert_non_null(mkdtemp(b.root));
    for (i = 0; i < 3; i++) {
        char *path = at(folders[i]);

        assert_int_equal(mkdir(path, 0700), 0);
        free(path);
    }
    b.settings = xcalloc(1, aduan_connector.settings_size);
    *(char **)place("address") = address;
    *(char **)place("from_name") = none;
    *(char **)place("path") = b.root;
    *(int *)place("after") = 1; /* seen */
    *(int64_t *)place("poll") = 1000;
    *(int64_t *)place("limit") = (int64_t)64 * 1024;
    *(int64_t *)place("backlog") = 3 * DAY;
    start();
    return 0;
}

static int unmake(void **state) {
    char *command = xasprintf("rm -rf %s", b.root);

    (void)state;
    b.ctx = aduan_connector.close(b.ctx);
    while (b.count > 0)
        free(b.seen[--b.count]);
    free(b.settings);
    assert_int_equal(system(command), 0);
    free(command);
    return 0;
}

/* ------------------------------------------------------------------------ tests */

static void moves_the_second(struct box *box) {
    if (box->count == 1)
        move("new/2.dua", "cur/2.dua:2,S");
}

static void what_moves_between_the_list_and_its_turn_is_taken_at_the_next_look(void **state) {
    (void)state;
    put("new/1.satu", "satu");
    put("new/2.dua", "dua");
    b.on_emit = moves_the_second;
    look();
    assert_true(taken("satu") > 0 && taken("dua") == 0);
    look();
    assert_int_equal(taken("dua"), 1);
    look();
    assert_int_equal(b.count, 2);
}

static void put_huge(const char *name) {
    char *words = xcalloc(200001, 1);

    memset(words, 'y', 200000);
    words[0] = 'z';
    put(name, words);
    free(words);
}

static void of_what_was_not_read_whole_the_only_copy_stays(void **state) {
    (void)state;
    *(int *)place("after") = 2; /* remove */
    put_huge("new/1.besar");
    put("new/2.kecil", "kecil");
    look();
    assert_int_equal(b.count, 2);
    assert_true(there("cur/1.besar:2,S") && !there("new/1.besar") && !there("new/2.kecil"));
    look();
    restart();
    look();
    assert_true(there("cur/1.besar:2,S"));
}

static void what_is_mended_is_read_without_a_restart(void **state) {
    char *link;

    (void)state;
    link = at("new/1.rusak");
    assert_int_equal(symlink("/nowhere", link), 0); /* stands for a file that may not be read: root reads all */
    look();
    assert_int_equal(taken("cannot be read"), 1);
    look();
    assert_int_equal(b.count, 1); /* said once */
    assert_int_equal(unlink(link), 0);
    put("new/1.rusak", "pulih");
    look();
    assert_int_equal(taken("pulih"), 1);
    look();
    assert_int_equal(b.count, 2);
    free(link);
}

static void strange_names_do_not_stand_for_each_other(void **state) {
    (void)state;
    put("new/:2,S", "pertama");
    put("new/:2,F", "kedua");
    look();
    put("new/:2,R", "ketiga");
    look();
    look();
    assert_true(taken("pertama") > 0 && taken("kedua") > 0 && taken("ketiga") > 0);
    assert_int_equal(b.count, 3);
    assert_true(there("cur/:2,S:2,S"));
}

/* A clock that was wrong for a while leaves a mark in the future. */
static void a_mark_of_the_future_hides_nothing(void **state) {
    (void)state;
    snprintf(b.mark, sizeof(b.mark), "%lld", (long long)on_now(&b.host) + 1000 * DAY);
    restart();
    put("cur/1.dibaca:2,S", "dibaca");
    look();
    assert_int_equal(taken("dibaca"), 1);
    assert_true(strtoll(b.mark, NULL, 10) <= on_now(&b.host));
}

/* A mail reader moved it while nobody looked, for months: it lies there since it was moved. */
static void what_was_moved_during_a_long_stop_is_taken(void **state) {
    (void)state;
    snprintf(b.mark, sizeof(b.mark), "%lld", (long long)on_now(&b.host) - 200 * DAY);
    restart();
    put("new/1.lama", "lama");
    move("new/1.lama", "cur/1.lama:2,S");
    look();
    assert_int_equal(taken("lama"), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_moves_between_the_list_and_its_turn_is_taken_at_the_next_look,
                                        make, unmake),
        cmocka_unit_test_setup_teardown(of_what_was_not_read_whole_the_only_copy_stays, make, unmake),
        cmocka_unit_test_setup_teardown(what_is_mended_is_read_without_a_restart, make, unmake),
        cmocka_unit_test_setup_teardown(strange_names_do_not_stand_for_each_other, make, unmake),
        cmocka_unit_test_setup_teardown(a_mark_of_the_future_hides_nothing, make, unmake),
        cmocka_unit_test_setup_teardown(what_was_moved_during_a_long_stop_is_taken, make, unmake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
