/*
 * start.c: fork and exec of ourselves.
 *
 * Between fork and exec only async-signal-safe calls are made. The environment
 * is cut down to a short list: no NOTIFY_SOCKET (a worker cannot claim the
 * service ready), no CREDENTIALS_DIRECTORY.
 */
#include "daemon/start.h"

#include "connectors/kit/text.h"
#include "daemon/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

extern char **environ;

static const char *const kept_environment[] = {
    "PATH=",           "TZ=",       "LANG=",         "LC_",
    "JOURNAL_STREAM=", "ADUAN_",    "ASAN_OPTIONS=", "UBSAN_OPTIONS=",
    "LSAN_OPTIONS=",   "SSL_CERT_", "GCOV_",         NULL,
};

static bool is_kept(const char *variable) {
    size_t i;

    for (i = 0; kept_environment[i] != NULL; i++)
        if (text_starts(variable, kept_environment[i]))
            return true;
    return false;
}

static char **small_environment(void) {
    char **env;
    size_t i, n = 0;

    for (i = 0; environ[i] != NULL; i++)
        n++;
    env = xcalloc(n + 1, sizeof(*env));
    for (i = n = 0; environ[i] != NULL; i++)
        if (is_kept(environ[i]))
            env[n++] = environ[i];
    return env;
}

static void become(int fd, const char *role, const char *account, char **env) {
    char name[] = "aduand", job[] = "--job";
    char *argv[] = { name, job, (char *)(uintptr_t)role, (char *)(uintptr_t)account, NULL };
    sigset_t none;
    int null;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_IGN);
    null = open("/dev/null", O_RDONLY);
    if (null >= 0)
        dup2(null, STDIN_FILENO);
    /* dup2 of a number onto itself would leave close-on-exec set. */
    if (fd == START_FD)
        fcntl(fd, F_SETFD, 0);
    else
        dup2(fd, START_FD);
    execve("/proc/self/exe", argv, env);
    _exit(127);
}

int start_process(const char *role, const char *account, pid_t *ret_pid, int *ret_fd) {
    char **env;
    int pair[2], r;
    pid_t pid;

    r = wire_pair(pair);
    if (r < 0)
        return r;
    env = small_environment();
    pid = fork();
    if (pid == 0)
        become(pair[1], role, account, env);
    r = pid < 0 ? -errno : 0;
    free(env);
    close(pair[1]);
    if (r < 0) {
        close(pair[0]);
        return r;
    }
    *ret_pid = pid;
    *ret_fd = pair[0];
    return 0;
}

int start_hand_over(int fd, const char *modules, int restarts, const json_t *slice) {
    struct timeval patience = { .tv_sec = 5 };
    struct wire w = { .fd = fd };
    json_t *envelope;
    char *bytes;
    size_t n;
    int r;

    wire_secret_begin();
    envelope = json_pack("{s:s, s:i, s:O}", "modules", modules, "restarts", restarts, "slice",
                         (json_t *)(uintptr_t)slice);
    n = json_dumpb(envelope, NULL, 0, JSON_COMPACT);
    bytes = xcalloc(1, n + 1);
    json_dumpb(envelope, bytes, n, JSON_COMPACT);
    /* A worker that dies or hangs before it has read its slice must not hang its master. */
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    r = wire_send_frame(&w, bytes, n);
    text_wipe(bytes, n);
    free(bytes);
    json_decref(envelope);
    wire_secret_end();
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return r;
}
