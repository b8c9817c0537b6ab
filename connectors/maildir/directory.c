/* directory.c: new/ and cur/ of a maildir; see directory.h. */
#include "directory.h"

#include "kit/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *folder_of(const struct directory_mail *m) {
    return m->in_cur ? "cur" : "new";
}

static int open_folder(const char *path, const char *folder) {
    char *whole = xasprintf("%s/%s", path, folder);
    int fd = open(whole, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        fd = -errno;
    free(whole);
    return fd;
}

/* ----------------------------------------------------------------- listing */

static int64_t ms_of(const struct timespec *t) {
    return (int64_t)t->tv_sec * 1000 + t->tv_nsec / 1000000;
}

static void add_mail(struct directory_list *l, const char *name, bool in_cur, const struct stat *st) {
    const char *flags = name[0] != '\0' ? strstr(name + 1, ":2,") : NULL; /* a base is never empty */

    if (l->count == l->room) {
        l->room = l->room > 0 ? l->room * 2 : 64;
        l->items = xrealloc(l->items, l->room, sizeof(l->items[0]));
    }
    l->items[l->count++] =
        (struct directory_mail){ .name = xstrdup(name),
                                 .base = flags != NULL ? (size_t)(flags - name) : strlen(name),
                                 .in_cur = in_cur,
                                 .changed_ms = ms_of(&st->st_ctim) };
}

static int scan_folder(const char *path, bool in_cur, struct directory_list *l) {
    int fd = open_folder(path, in_cur ? "cur" : "new");
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *e;
    struct stat st;

    if (d == NULL)
        return fd < 0 ? fd : -errno;
    while ((e = readdir(d)) != NULL)
        if (e->d_name[0] != '.' && fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            !S_ISDIR(st.st_mode))
            add_mail(l, e->d_name, in_cur, &st);
    closedir(d);
    return 0;
}

static int by_age(const void *a, const void *b) {
    const struct directory_mail *x = a, *y = b;

    if (x->changed_ms != y->changed_ms)
        return x->changed_ms < y->changed_ms ? -1 : 1;
    return strcmp(x->name, y->name);
}

int directory_scan(const char *path, struct directory_list *ret) {
    int r;

    *ret = (struct directory_list){ NULL, 0, 0 };
    r = scan_folder(path, false, ret);
    if (r == 0)
        r = scan_folder(path, true, ret);
    if (r < 0)
        directory_list_clear(ret);
    else if (ret->count > 1)
        qsort(ret->items, ret->count, sizeof(ret->items[0]), by_age);
    return r;
}

void directory_list_clear(struct directory_list *l) {
    size_t i;

    for (i = 0; i < l->count; i++)
        free(l->items[i].name);
    free(l->items);
    *l = (struct directory_list){ NULL, 0, 0 };
}

/* ----------------------------------------------------------------- reading */

static int read_some(int fd, size_t max, char **ret, size_t *ret_len) {
    struct stat st;
    size_t room, n = 0;
    ssize_t k = 1;

    if (fstat(fd, &st) < 0)
        return -errno;
    room = st.st_size >= 0 && (uint64_t)st.st_size < max ? (size_t)st.st_size : max;
    *ret = xcalloc(room + 1, 1);
    while (n < room && k > 0) {
        k = read(fd, *ret + n, room - n);
        if (k < 0 && errno == EINTR)
            k = 1;
        else if (k > 0)
            n += (size_t)k;
    }
    *ret_len = n;
    return k < 0 ? -errno : 0;
}

static int refuse(int error, char *why, size_t why_size) {
    if (error == ENOENT)
        return DIRECTORY_GONE;
    snprintf(why, why_size, "%s", error == ELOOP ? "a symbolic link" : strerror(error));
    return DIRECTORY_REFUSED;
}

/* A plain file, opened without following a link or waiting for a pipe; else as directory_read() ends. */
static int open_mail(const char *path, const struct directory_mail *m, int *ret_fd, struct stat *st, char *why,
                     size_t why_size) {
    int folder = open_folder(path, folder_of(m)), fd;

    if (folder < 0)
        return refuse(-folder, why, why_size);
    fd = openat(folder, m->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        int error = errno;

        close(folder);
        return refuse(error, why, why_size);
    }
    close(folder);
    if (fstat(fd, st) == 0 && S_ISREG(st->st_mode)) {
        *ret_fd = fd;
        return 0;
    }
    close(fd);
    snprintf(why, why_size, "no plain file");
    return DIRECTORY_REFUSED;
}

int directory_read(const char *path, const struct directory_mail *m, size_t max, char **ret, size_t *ret_len,
                   int64_t *ret_size, int64_t *ret_modified_ms, char *why, size_t why_size) {
    struct stat st;
    int fd, r = open_mail(path, m, &fd, &st, why, why_size);

    *ret = NULL;
    if (r != 0)
        return r;
    *ret_size = st.st_size;
    *ret_modified_ms = ms_of(&st.st_mtim);
    r = read_some(fd, max, ret, ret_len);
    close(fd);
    if (r == 0)
        return 0;
    free(*ret);
    *ret = NULL;
    return refuse(-r, why, why_size);
}

/* ---------------------------------------------------------------- marking */

/* "name:2,FS": its flags with S, in the order of letters that the format asks for. New string. */
static char *seen_name(const struct directory_mail *m) {
    const char *flags = m->name[m->base] == ':' ? m->name + m->base + 3 : "";
    size_t before = strspn(flags, "ABCDEFGHIJKLMNOPQR");

    if (strchr(flags, 'S') != NULL)
        return xstrdup(m->name);
    return xasprintf("%.*s:2,%.*sS%s", (int)m->base, m->name, (int)before, flags, flags + before);
}

int directory_seen(const char *path, const struct directory_mail *m) {
    int from = open_folder(path, folder_of(m)), to = from >= 0 ? open_folder(path, "cur") : from, r;
    char *name;

    if (to < 0) {
        if (from >= 0)
            close(from);
        return to;
    }
    name = seen_name(m);
    r = renameat(from, m->name, to, name) < 0 && errno != ENOENT ? -errno : 0;
    free(name);
    close(from);
    close(to);
    return r;
}

int directory_remove(const char *path, const struct directory_mail *m) {
    int folder = open_folder(path, folder_of(m)), r;

    if (folder < 0)
        return folder;
    r = unlinkat(folder, m->name, 0) < 0 && errno != ENOENT ? -errno : 0;
    close(folder);
    return r;
}

int directory_check(const char *path, bool write) {
    static const char *const folders[] = { "new", "cur" };
    size_t i;
    int r = 0;

    for (i = 0; r == 0 && i < 2; i++) {
        char *whole = xasprintf("%s/%s", path, folders[i]);

        r = access(whole, R_OK | X_OK | (write ? W_OK : 0)) < 0 ? -errno : 0;
        free(whole);
    }
    return r;
}
