/*
 * blob.c: files named by their SHA-256.
 *
 * A blob is written under a name that nobody looks for, fsynced, renamed into
 * place, and its directory fsynced: after a crash there is nothing or all of
 * it. What a dead process left unfinished is removed a day later.
 *
 * Whoever stores and whoever removes take turns by a lock on the folder (ab/).
 * Storing what is there already makes the file young again, under that lock,
 * and only an old file is removed, under that lock: so what somebody has just
 * been told is stored stays, until they had time to write down that they need
 * it. A remover that dies leaves the file or has removed it; it asks again.
 */
#include "queue/blob.h"

#include "kit/sign.h"
#include "kit/step.h"
#include "kit/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct blob_store {
    int dir; /* STATE/attachments */
};

struct blob_writer {
    struct blob_store *store;
    int fd;
    char name[64];
    struct sign_stream *sum;
    int64_t size;
    int fault; /* -errno of the first write that failed */
};

enum { UNFINISHED_S = 24 * 60 * 60, FILE_MODE = 0640, DIR_MODE = 0750 };
static const char unfinished[] = ".new-";

/* ---------------------------------------------------------------------- store */

static void remove_unfinished(int dir) {
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
    time_t old = time(NULL) - UNFINISHED_S;
    struct dirent *e;
    struct stat st;

    if (d == NULL) {
        if (copy >= 0)
            close(copy);
        return;
    }
    while ((e = readdir(d)) != NULL)
        if (text_starts(e->d_name, unfinished) && fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            st.st_mtime < old)
            unlinkat(dir, e->d_name, 0);
    closedir(d);
}

/* Makes a directory that is still there after a power cut, and opens it. */
static int make_dir(int at, const char *name) {
    int fd;

    if (mkdirat(at, name, DIR_MODE) < 0 && errno != EEXIST)
        return -errno;
    STEP("blob.made-dir");
    if (fsync(at) < 0) /* also when somebody else made it: he may have died before this */
        return -errno;
    fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}

int blob_store_open(const char *state_dir, struct blob_store **ret) {
    int state = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int dir;

    if (state < 0)
        return -errno;
    dir = make_dir(state, "attachments");
    close(state);
    if (dir < 0)
        return dir;
    remove_unfinished(dir);
    *ret = xcalloc(1, sizeof(**ret));
    (*ret)->dir = dir;
    return 0;
}

struct blob_store *blob_store_close(struct blob_store *s) {
    if (s == NULL)
        return NULL;
    close(s->dir);
    free(s);
    return NULL;
}

/* -------------------------------------------------------------------- writing */

int blob_begin(struct blob_store *s, struct blob_writer **ret) {
    struct blob_writer *w = xcalloc(1, sizeof(*w));
    uint8_t random[8];
    char hex[17];

    sign_random(random, sizeof(random));
    sign_hex(random, sizeof(random), hex);
    snprintf(w->name, sizeof(w->name), "%s%ld-%s", unfinished, (long)getpid(), hex);
    w->store = s;
    w->fd = openat(s->dir, w->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (w->fd < 0) {
        int r = -errno;

        free(w);
        return r;
    }
    w->sum = sign_stream_new();
    *ret = w;
    return 0;
}

int blob_write(struct blob_writer *w, const void *bytes, size_t n) {
    const char *at = bytes;

    if (w->fault != 0)
        return w->fault;
    if (n > 0)
        sign_stream_add(w->sum, bytes, n);
    while (n > 0) {
        ssize_t wrote = write(w->fd, at, n);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return w->fault = -errno;
        at += wrote;
        n -= (size_t)wrote;
        w->size += wrote;
    }
    return 0;
}

static void end(struct blob_writer *w) {
    if (w->fd >= 0)
        close(w->fd);
    sign_stream_free(w->sum);
    free(w);
}

void blob_abort(struct blob_writer *w) {
    if (w == NULL)
        return;
    unlinkat(w->store->dir, w->name, 0);
    end(w);
}

/* Until the folder is closed. */
static int take_turn(int dir, int how) {
    while (flock(dir, how) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

/* Renames the finished file to its place and makes the name durable. */
static int put_in_place(struct blob_writer *w, const char *sha256) {
    char prefix[3] = { sha256[0], sha256[1], '\0' };
    int dir = make_dir(w->store->dir, prefix);
    int r = dir < 0 ? dir : take_turn(dir, LOCK_SH);

    if (dir < 0)
        return dir;
    if (r == 0 && renameat(w->store->dir, w->name, dir, sha256) < 0)
        r = -errno;
    STEP("blob.renamed");
    if (r == 0 && fsync(dir) < 0)
        r = -errno;
    STEP("blob.durable");
    close(dir);
    return r;
}

int blob_finish(struct blob_writer *w, char ret_sha256[65], int64_t *ret_size) {
    char sha256[SIGN_HEX256];
    int64_t size = w->size;
    int r = w->fault;

    sign_stream_hex(w->sum, sha256);
    STEP("blob.written");
    if (r == 0 && (fchmod(w->fd, FILE_MODE) < 0 || fsync(w->fd) < 0))
        r = -errno;
    STEP("blob.synced");
    if (r == 0)
        r = put_in_place(w, sha256);
    if (r < 0) {
        blob_abort(w);
        return r;
    }
    end(w);
    memcpy(ret_sha256, sha256, sizeof(sha256));
    if (ret_size != NULL)
        *ret_size = size;
    return 0;
}

static int open_folder(struct blob_store *s, const char *sha256) {
    char prefix[3] = { sha256[0], sha256[1], '\0' };
    int dir = openat(s->dir, prefix, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    return dir < 0 ? -errno : dir;
}

/* Whole already? Then it is young again. Its name may still be on its way to disk: the other writer fsyncs it
 * later. */
static bool have(struct blob_store *s, const char *sha256, size_t size) {
    int dir = open_folder(s, sha256);
    struct stat st;
    bool found;

    if (dir < 0)
        return false;
    found = take_turn(dir, LOCK_SH) == 0 && utimensat(dir, sha256, NULL, AT_SYMLINK_NOFOLLOW) == 0 &&
            fstatat(dir, sha256, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            (size_t)st.st_size == size && fsync(dir) == 0 && fsync(s->dir) == 0;
    close(dir);
    return found;
}

int blob_put(struct blob_store *s, const void *bytes, size_t n, char ret_sha256[65]) {
    char sha256[SIGN_HEX256];
    struct blob_writer *w;
    int r;

    sign_sha256_hex(bytes, n, sha256);
    if (have(s, sha256, n)) {
        memcpy(ret_sha256, sha256, sizeof(sha256));
        return 0;
    }
    r = blob_begin(s, &w);
    if (r < 0)
        return r;
    blob_write(w, bytes, n); /* a fault comes back from blob_finish() */
    return blob_finish(w, ret_sha256, NULL);
}

/* ------------------------------------------------------------------- removing */

static int remove_older(int dir, const char *sha256, int64_t before) {
    struct stat st;

    if (fstatat(dir, sha256, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (st.st_mtim.tv_sec * INT64_C(1000) + st.st_mtim.tv_nsec / 1000000 >= before)
        return BLOB_YOUNG;
    if (unlinkat(dir, sha256, 0) < 0)
        return -errno;
    STEP("blob.removed");
    return fsync(dir) < 0 ? -errno : 0;
}

int blob_remove(struct blob_store *s, const char *sha256, int64_t before) {
    uint8_t digest[SIGN_SHA256];
    int dir, r;

    if (sha256 == NULL || strlen(sha256) != 64 || sign_unhex(sha256, 64, digest) < 0)
        return -EINVAL;
    dir = open_folder(s, sha256);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    r = take_turn(dir, LOCK_EX);
    if (r == 0)
        r = remove_older(dir, sha256, before);
    close(dir);
    return r;
}

/* -------------------------------------------------------------------- reading */

int blob_open(struct blob_store *s, const char *sha256) {
    uint8_t digest[SIGN_SHA256];
    char path[80];
    int fd;

    if (sha256 == NULL || strlen(sha256) != 64 || sign_unhex(sha256, 64, digest) < 0)
        return -EINVAL;
    snprintf(path, sizeof(path), "%.2s/%s", sha256, sha256);
    fd = openat(s->dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}
