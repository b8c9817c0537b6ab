/*
 * secret.c: secrets by reference, read from files that only their owner reads.
 *
 * "@name" is the file `name` in $CREDENTIALS_DIRECTORY (systemd's, first), or
 * in the directory that `secrets` names. No function here puts any byte of a
 * secret into a text, and what held one is wiped.
 */
#include "conf/internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET_MAX = 16 * 1024 };

bool secret_wanted(enum conf_role role, unsigned flags) {
    static const struct {
        enum conf_role role;
        unsigned flags;
    } wants[] = {
        { CONF_FOR_MASTER, ~0u },
        { CONF_FOR_RECEIVE, ADUAN_FOR_RECEIVE | CONF_FOR_ALL },
        { CONF_FOR_SEND, ADUAN_FOR_SEND | CONF_FOR_ALL },
        { CONF_FOR_GATEWAY, ADUAN_FOR_GATEWAY | CONF_FOR_ALL },
        { CONF_FOR_DESK, CONF_FOR_ALL },
        { CONF_FOR_TOOL, CONF_FOR_ALL },
        { CONF_FOR_PARSE, 0 },
    };
    for (size_t i = 0; i < sizeof wants / sizeof wants[0]; i++) {
        if (wants[i].role == role) {
            return role == CONF_FOR_MASTER || (flags & wants[i].flags) != 0;
        }
    }
    return false;
}

static bool name_ok(const char *name) {
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++) {
        if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i])) {
            return false;
        }
    }
    return n > 0 && n <= 128 && name[0] != '.';
}

/* The service reads a directory of its own or of root's; root also reads the service's (aduanctl, aduand -n).
 */
static bool owner_ok(uid_t owner) {
    return owner == 0 || owner == geteuid() || geteuid() == 0;
}

/* Opens dir/name if the permissions are right. systemd grants its service the credentials by an
 * ACL, whose mask shows in the group bits: there (trusted) only what others may do counts. The fd,
 * -1 with a reason, or -2: there is no such file. */
static int open_secret(const char *dir, const char *name, bool trusted, char **ret_why) {
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0) {
        *ret_why = xasprintf("directory %s cannot be opened: %s", dir, strerror(errno));
        return errno == ENOENT ? -2 : -1;
    }
    struct stat st;
    int fd = -1;
    if (fstat(dir_fd, &st) < 0 || (st.st_mode & (trusted ? S_IWOTH : S_IWGRP | S_IWOTH)) != 0 ||
        !owner_ok(st.st_uid)) {
        *ret_why = xasprintf("directory %s can be written by others (chmod go-w)", dir);
    } else if ((fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) < 0) {
        *ret_why = xasprintf("file %s/%s cannot be read: %s", dir, name, strerror(errno));
        fd = errno == ENOENT ? -2 : -1;
    } else if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        *ret_why = xasprintf("%s/%s is not a regular file", dir, name);
        close(fd);
        fd = -1;
    } else if ((st.st_mode & (trusted ? S_IRWXO : S_IRWXG | S_IRWXO)) != 0) {
        *ret_why = xasprintf("file %s/%s can be read by others (chmod 600)", dir, name);
        close(fd);
        fd = -1;
    }
    close(dir_fd);
    return fd;
}

static const char *content_fault(const char *bytes, size_t n) {
    if (n == 0) {
        return "is empty";
    }
    if (!text_is_utf8(bytes, n)) {
        return "is not text (UTF-8)";
    }
    for (size_t i = 0; i < n; i++) {
        if (iscntrl((unsigned char)bytes[i])) {
            return "has more than one line or a control character";
        }
    }
    return NULL;
}

/* Takes the file's content, without the line end that editors add. */
static int take_secret(int fd, const char *name, struct aduan_secret *ret, char **ret_why) {
    char *buf = xcalloc(SECRET_MAX + 2, 1);
    size_t n = 0;
    ssize_t got = 0;
    while (n <= SECRET_MAX &&
           ((got = read(fd, buf + n, SECRET_MAX + 1 - n)) > 0 || (got < 0 && errno == EINTR))) {
        n += got > 0 ? (size_t)got : 0;
    }
    const char *why = got < 0 ? strerror(errno) : n > SECRET_MAX ? "is larger than 16 KiB" : NULL;
    if (n > 0 && buf[n - 1] == '\n') {
        buf[--n] = '\0';
    }
    if (n > 0 && buf[n - 1] == '\r') {
        buf[--n] = '\0';
    }
    why = why ? why : content_fault(buf, n);
    if (why) {
        *ret_why = xasprintf("secret \"%s\" %s", name, why);
    } else {
        ret->bytes = xstrndup(buf, n);
        ret->len = n;
    }
    text_wipe(buf, SECRET_MAX + 2);
    free(buf);
    return why ? -1 : 0;
}

/* Opens what "@name" refers to; *ret_dir is then the directory that has it. The fd, or -1 with a reason. */
static int open_reference(const char *dir, const char *reference, const char **ret_dir, char **ret_why) {
    const char *name = reference + 1;
    if (!name_ok(name)) {
        *ret_why = xstrdup("after \"@\" stands the name of a file: letters, digits, \".\", \"_\", \"-\"");
        return -1;
    }
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    int fd = -2;
    *ret_why = NULL;
    *ret_dir = credentials;
    if (credentials && credentials[0] != '\0') {
        fd = open_secret(credentials, name, true, ret_why);
    }
    if (fd == -2) {
        free(*ret_why);
        *ret_why = NULL;
        *ret_dir = dir;
        fd = open_secret(dir, name, false, ret_why);
    }
    return fd < 0 ? -1 : fd;
}

int secret_read(const char *dir, const char *reference, struct aduan_secret *ret, char **ret_why) {
    const char *found = NULL;
    int fd = open_reference(dir, reference, &found, ret_why);
    if (fd < 0) {
        return -1;
    }
    int rc = take_secret(fd, reference + 1, ret, ret_why);
    close(fd);
    return rc;
}

int secret_path(const char *dir, const char *reference, char **ret_path, char **ret_why) {
    const char *found = NULL;
    int fd = open_reference(dir, reference, &found, ret_why);
    if (fd < 0) {
        return -1;
    }
    close(fd);
    *ret_path = xasprintf("%s/%s", found, reference + 1);
    return 0;
}

void secret_clear(struct aduan_secret *s) {
    if (s->bytes) {
        text_wipe(s->bytes, s->len);
        free(s->bytes);
    }
    *s = (struct aduan_secret){ NULL, 0 };
}
