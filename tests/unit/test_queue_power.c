/*
 * test_queue_power.c: what was acknowledged survives a power cut with appendfsync always, and the
 * test notices when it would not (everysec).
 *
 * The cut is simulated: power_cut.c notes what redis-server flushed; after SIGKILL its append-only
 * file is cut back to that. Sound because the file only ever grows by appending, and because the
 * size is taken before the flush begins; it does not model a disk that lies about its flushes.
 */
#include "queue/blob.h"
#include "queue/queue.h"
#include "queue/spool.h"

#include "redis_server.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { CUTS = 4, SPOOLED = 150 };

static long durable_size(const char *log, unsigned long inode) {
    FILE *f = fopen(log, "r");
    unsigned long i;
    long size, last = 0;

    while (f != NULL && fscanf(f, "%lu %ld", &i, &size) == 2)
        if (i == inode)
            last = size;
    if (f != NULL)
        fclose(f);
    return last;
}

/* Cuts every growing append-only file back to what was flushed; returns the bytes lost. */
static long cut_back(const struct redis_server *s, const char *log) {
    char dir[128], path[512];
    struct dirent *e;
    struct stat st;
    long lost = 0;
    DIR *d;

    snprintf(dir, sizeof(dir), "%s/appendonlydir", s->dir);
    d = opendir(dir);
    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        long size;

        if (strstr(e->d_name, ".incr.aof") == NULL)
            continue;
        snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        assert_int_equal(stat(path, &st), 0);
        size = durable_size(log, st.st_ino);
        assert_true(size <= st.st_size);
        lost += st.st_size - size;
        assert_int_equal(truncate(path, size), 0);
    }
    closedir(d);
    return lost;
}

static int64_t now_ms(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static long accept_for(struct queue *q, long from, int64_t ms) {
    int64_t end = now_ms() + ms;
    char id[32];

    for (; now_ms() < end; from++) {
        struct queue_in in = { .id = id, .record = "{}", .record_len = 2 };

        snprintf(id, sizeof(id), "a/%ld", from);
        assert_int_equal(queue_accept(q, "a", &in, 1, NULL, 0, NULL, NULL), 0);
    }
    return from;
}

/* How many acknowledged messages are not in the stream. */
static long missing(struct redis_server *s, long acked) {
    redisReply *r = redis_do(s, "XRANGE aduan:{a}:in - +");
    char *there = calloc((size_t)acked + 1, 1);
    long n = acked;

    for (size_t i = 0; i < r->elements; i++) {
        long k = atol(r->element[i]->element[1]->element[1]->str + 2);

        assert_true(k < acked);
        assert_false(there[k]); /* and none twice */
        there[k] = 1;
        n--;
    }
    free(there);
    return n;
}

/* Several power cuts; returns how many acknowledged messages were lost in all. */
static long lost_with(const char *options, long *ret_acked) {
    struct redis_server s;
    char log[64];
    long acked = 0, lost = 0;

    strcpy(log, "/tmp/aduan-durable-XXXXXX");
    close(mkstemp(log));
    setenv("ADUAN_DURABLE", log, 1);
    setenv("LD_PRELOAD", POWER_CUT, 1);
    redis_start(&s, options);
    for (int i = 0; i < CUTS; i++) {
        struct queue *q = redis_queue(&s, 3000);

        acked = accept_for(q, acked, 300 + 170 * i);
        redis_kill(&s);
        cut_back(&s, log);
        redis_again(&s);
        lost = missing(&s, acked);
        queue_free(q);
        if (lost > 0)
            break;
    }
    unsetenv("LD_PRELOAD");
    redis_stop(&s);
    unlink(log);
    *ret_acked = acked;
    return lost;
}

static void always_loses_nothing(void **state) {
    long acked;

    (void)state;
    assert_int_equal(lost_with("", &acked), 0);
    print_message("always: 0 lost of %ld acknowledged in %d power cuts\n", acked, CUTS);
    assert_true(acked > 100);
}

/* The negative control: if this lost nothing, the test above would prove nothing. */
static void everysec_loses_and_is_caught(void **state) {
    long acked, lost;

    (void)state;
    lost = lost_with("--appendfsync everysec", &acked);
    print_message("everysec: %ld lost of %ld acknowledged\n", lost, acked);
    assert_true(lost > 0);
}

/* ---------------------------------------------------------------- spool, blobs */

/* This program again, with the shim in it, doing one thing in dir; returns what it acknowledged
 * before it is killed. */
static long in_a_child(const char *what, const char *dir, const char *log, long enough) {
    int fds[2], status;
    long acked = 0;
    char c;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        setenv("ADUAN_DURABLE", log, 1);
        setenv("LD_PRELOAD", POWER_CUT, 1);
        setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
        dup2(fds[1], STDOUT_FILENO);
        execl("/proc/self/exe", "test_queue_power", what, dir, NULL);
        _exit(127);
    }
    close(fds[1]);
    while (acked < enough && read(fds[0], &c, 1) == 1)
        acked++;
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    while (read(fds[0], &c, 1) == 1)
        acked++;
    close(fds[0]);
    return acked;
}

static int acknowledge(void) {
    return write(STDOUT_FILENO, ".", 1) == 1 ? 0 : 1;
}

static int child_spools(const char *dir) {
    struct spool *s;
    char why[256], id[24];

    if (spool_open(dir, "gateway", 1 << 30, &s, why, sizeof(why)) < 0)
        return 1;
    for (int i = 0; i < SPOOLED; i++) {
        struct spool_in in = { "a", { .id = id, .record = "{}", .record_len = 2 } };

        snprintf(id, sizeof(id), "%d", i);
        if (spool_add(s, &in, 1) != 0 || acknowledge() != 0)
            return 1;
    }
    pause();
    return 1;
}

/* What the spool must not do: the same file, but a commit is no fsync. */
static int child_spools_carelessly(const char *dir) {
    char path[256], sql[128];
    sqlite3 *db;

    snprintf(path, sizeof(path), "%s/gateway.db", dir);
    if (sqlite3_open(path, &db) != SQLITE_OK)
        return 1;
    sqlite3_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
    for (int i = 0; i < SPOOLED; i++) {
        snprintf(sql, sizeof(sql),
                 "INSERT INTO item (account, id, record, raw, media) VALUES ('a', '%d', '', '', 0)", i);
        if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK || acknowledge() != 0)
            return 1;
    }
    pause();
    return 1;
}

/* The write-ahead log only grows until its first checkpoint, 1,000 pages; this stays below, and
 * until then nothing else is written. */
static void cut_spool(const char *dir, const char *log) {
    char path[256];
    struct stat st;

    snprintf(path, sizeof(path), "%s/gateway.db-wal", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, durable_size(log, st.st_ino)), 0);
}

struct place {
    char dir[64], log[80], why[256];
};

static void make_place(struct place *p) {
    struct spool *s;

    strcpy(p->dir, "/tmp/aduan-power-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->log, sizeof(p->log), "%s/durable", p->dir);
    assert_int_equal(spool_open(p->dir, "gateway", 1 << 30, &s, p->why, sizeof(p->why)), 0);
    spool_close(s);
}

static long spooled_after_the_cut(const char *what, long *ret_acked) {
    struct place p;
    struct spool *s;
    long there;

    make_place(&p);
    *ret_acked = in_a_child(what, p.dir, p.log, SPOOLED);
    cut_spool(p.dir, p.log);
    assert_int_equal(spool_open(p.dir, "gateway", 1 << 30, &s, p.why, sizeof(p.why)), 0);
    assert_string_equal(p.why, "");
    there = (long)spool_count(s);
    spool_close(s);
    remove_tree(p.dir);
    return there;
}

static void the_spool_loses_nothing(void **state) {
    long acked, there = spooled_after_the_cut("spool", &acked);

    (void)state;
    assert_true(acked == SPOOLED);
    assert_int_equal(there, acked);
    there = spooled_after_the_cut("careless", &acked); /* the negative control */
    print_message("a careless spool: %ld of %ld left\n", there, acked);
    assert_true(acked == SPOOLED && there < acked);
}

static int child_puts_a_blob(const char *dir) {
    struct blob_store *s;
    char sha256[65];

    if (blob_store_open(dir, &s) < 0 || blob_put(s, "abc", 3, sha256) < 0 || acknowledge() != 0)
        return 1;
    pause();
    return 1;
}

/* Which line of the log notes this file with this size? 0: none. */
static int noted(const char *log, const char *path, bool any_size) {
    FILE *f = fopen(log, "r");
    unsigned long inode;
    struct stat st;
    int line = 0, found = 0;
    long size;

    assert_int_equal(stat(path, &st), 0);
    while (f != NULL && fscanf(f, "%lu %ld", &inode, &size) == 2) {
        line++;
        if (inode == st.st_ino && (any_size || size == st.st_size))
            found = line;
    }
    if (f != NULL)
        fclose(f);
    return found;
}

/* Content first, then its name, then the directory that holds the name's directory. */
static void a_blob_is_flushed_with_its_name(void **state) {
    static const char sha256[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    char path[256];
    struct place p;
    int content, name;

    (void)state;
    make_place(&p);
    assert_int_equal(in_a_child("blob", p.dir, p.log, 1), 1);
    snprintf(path, sizeof(path), "%s/attachments/ba/%s", p.dir, sha256);
    content = noted(p.log, path, false);
    snprintf(path, sizeof(path), "%s/attachments/ba", p.dir);
    name = noted(p.log, path, true);
    assert_true(content > 0 && name > content);
    snprintf(path, sizeof(path), "%s/attachments", p.dir);
    assert_true(noted(p.log, path, true) > 0);
    assert_true(noted(p.log, p.dir, true) > 0);
    remove_tree(p.dir);
}

static int child(const char *what, const char *dir) {
    if (strcmp(what, "spool") == 0)
        return child_spools(dir);
    return strcmp(what, "careless") == 0 ? child_spools_carelessly(dir) : child_puts_a_blob(dir);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(always_loses_nothing),
        cmocka_unit_test(everysec_loses_and_is_caught),
        cmocka_unit_test(the_spool_loses_nothing),
        cmocka_unit_test(a_blob_is_flushed_with_its_name),
    };

    if (argc == 3)
        return child(argv[1], argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
