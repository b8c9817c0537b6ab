/* step.c: dies where a test says so. Empty in production builds. */
#include "kit/step.h"

#ifdef ADUAN_STEPS

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void step_log(const char *name) {
    const char *file = getenv("ADUAN_STEP_LOG");
    char line[160];
    int fd, n;

    if (file == NULL)
        return;
    fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    n = snprintf(line, sizeof(line), "%ld %s\n", (long)getpid(), name);
    /* One write of one line to O_APPEND: lines of several processes do not mix. */
    if (n > 0 && write(fd, line, (size_t)n) < 0)
        perror("ADUAN_STEP_LOG");
    close(fd);
}

static int only_once(void) {
    const char *file = getenv("ADUAN_DIE_ONCE");
    int fd;

    if (file == NULL)
        return 1;
    fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return 0;
    close(fd);
    return 1;
}

/* A directory, so that one running service can be told of death after death. */
static void die_in(const char *dir, const char *name) {
    char file[512];
    int n = snprintf(file, sizeof(file), "%s/%s", dir, name);

    if (n > 0 && (size_t)n < sizeof(file) && unlink(file) == 0)
        kill(getpid(), SIGKILL);
}

void step_reached(const char *name) {
    static long reached;
    const char *at = getenv("ADUAN_DIE_AT"), *in = getenv("ADUAN_DIE_IN");
    const char *colon;
    size_t len;
    long nth = 1;

    step_log(name);
    if (in != NULL)
        die_in(in, name);
    if (at == NULL)
        return;
    colon = strrchr(at, ':');
    len = colon != NULL ? (size_t)(colon - at) : strlen(at);
    if (colon != NULL)
        nth = strtol(colon + 1, NULL, 10);
    if (strlen(name) != len || strncmp(name, at, len) != 0)
        return;
    if (++reached == nth && only_once())
        kill(getpid(), SIGKILL);
}

#else
typedef int step_is_off;
#endif
