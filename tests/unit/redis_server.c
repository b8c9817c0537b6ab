/* redis_server.c: starts, kills and asks a private redis-server; loses replies on demand. */
#include "redis_server.h"

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what) {
    perror(what);
    abort();
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st;
    (void)type;
    (void)ftw;
    remove(path);
    return 0;
}

void remove_tree(const char *dir) {
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void nap(void) {
    nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
}

/* ---------------------------------------------------------------------- server */

static void run_server(const struct redis_server *s) {
    const char *argv[64] = { "redis-server", "--port",    "0",  "--unixsocket", s->socket, "--dir",
                             s->dir,         "--save",    "",   "--appendonly", "yes",     "--appendfsync",
                             "always",       "--logfile", "log" };
    char *words = strdup(s->options), *save = NULL;
    int n = 15;

    for (char *w = strtok_r(words, " ", &save); w != NULL && n < 63; w = strtok_r(NULL, " ", &save))
        argv[n++] = w;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp(argv[0], (char *const *)argv);
    perror("redis-server");
    _exit(127);
}

void redis_launch(struct redis_server *s) {
    if (s->cli != NULL)
        redisFree(s->cli);
    s->cli = NULL;
    unlink(s->socket);
    s->pid = fork();
    if (s->pid < 0)
        die("fork");
    if (s->pid == 0)
        run_server(s);
}

static int answers(struct redis_server *s) {
    redisReply *r;

    if (s->cli == NULL)
        s->cli = redisConnectUnix(s->socket);
    if (s->cli == NULL || s->cli->err != 0) {
        redisFree(s->cli);
        s->cli = NULL;
        return 0;
    }
    r = redis_do(s, "PING");
    return r != NULL && r->type == REDIS_REPLY_STATUS;
}

void redis_again(struct redis_server *s) {
    redis_launch(s);
    for (int i = 0; i < 4000; i++) {
        if (answers(s))
            return;
        if (waitpid(s->pid, NULL, WNOHANG) == s->pid)
            break;
        nap();
    }
    fprintf(stderr, "redis-server in %s does not answer\n", s->dir);
    abort();
}

void redis_start(struct redis_server *s, const char *options) {
    memset(s, 0, sizeof(*s));
    strcpy(s->dir, "/tmp/aduan-redis-XXXXXX");
    if (mkdtemp(s->dir) == NULL)
        die("mkdtemp");
    snprintf(s->socket, sizeof(s->socket), "%s/redis.sock", s->dir);
    snprintf(s->address, sizeof(s->address), "unix:%s", s->socket);
    snprintf(s->options, sizeof(s->options), "%s", options);
    redis_again(s);
}

void redis_kill(struct redis_server *s) {
    if (s->cli != NULL)
        redisFree(s->cli);
    s->cli = NULL;
    if (s->pid > 0) {
        kill(s->pid, SIGKILL);
        waitpid(s->pid, NULL, 0);
    }
    s->pid = 0;
}

void redis_stop(struct redis_server *s) {

    redis_kill(s);
    remove_tree(s->dir);
}

struct queue *redis_queue(const struct redis_server *s, int64_t timeout_ms) {
    struct queue_options o = { .redis = s->address, .timeout_ms = timeout_ms };

    return queue_new(&o);
}

static redisReply *last_reply;

static redisReply *do_command(struct redis_server *s, const char *fmt, va_list ap) {
    if (last_reply != NULL)
        freeReplyObject(last_reply);
    last_reply = redisvCommand(s->cli, fmt, ap);
    return last_reply;
}

redisReply *redis_do(struct redis_server *s, const char *fmt, ...) {
    redisReply *r;
    va_list ap;

    va_start(ap, fmt);
    r = do_command(s, fmt, ap);
    va_end(ap);
    return r;
}

long long redis_int(struct redis_server *s, const char *fmt, ...) {
    redisReply *r;
    va_list ap;

    va_start(ap, fmt);
    r = do_command(s, fmt, ap);
    va_end(ap);
    return r != NULL && r->type == REDIS_REPLY_INTEGER ? r->integer : -1;
}

/* ----------------------------------------------------------------------- proxy */

static int unix_socket(const char *path, struct sockaddr_un *ret) {
    memset(ret, 0, sizeof(*ret));
    ret->sun_family = AF_UNIX;
    strcpy(ret->sun_path, path);
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int pass(int from, int to) {
    char buf[65536];
    ssize_t n = read(from, buf, sizeof(buf));

    if (n <= 0)
        return -1;
    for (ssize_t at = 0; at < n;) {
        ssize_t w = write(to, buf + at, (size_t)(n - at));

        if (w <= 0)
            return -1;
        at += w;
    }
    return 0;
}

/* One connection; ends when either side ends or a reply is to be lost. */
static void serve(int client, const char *server, volatile int *lose) {
    struct sockaddr_un a;
    int fd = unix_socket(server, &a);
    struct pollfd fds[2] = { { .fd = client, .events = POLLIN }, { .fd = fd, .events = POLLIN } };

    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
        return;
    for (;;) {
        if (poll(fds, 2, -1) < 0)
            return;
        if (fds[0].revents != 0 && pass(client, fd) < 0)
            return;
        if (fds[1].revents == 0)
            continue;
        if (lose[0] > 0 && lose[1] > 0) {
            __sync_fetch_and_sub(&lose[1], 1);
        } else if (lose[0] > 0) {
            __sync_fetch_and_sub(lose, 1);
            return;
        }
        if (pass(fd, client) < 0)
            return;
    }
}

static void run_proxy(const struct redis_proxy *p, int listener, const char *server) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int client = accept(listener, NULL, NULL);

        if (client < 0)
            continue;
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            serve(client, server, p->lose);
            _exit(0);
        }
        close(client);
    }
}

void redis_proxy_start(struct redis_proxy *p, const struct redis_server *s) {
    struct sockaddr_un a;
    int fd;

    snprintf(p->socket, sizeof(p->socket), "%s/proxy.sock", s->dir);
    snprintf(p->address, sizeof(p->address), "unix:%s", p->socket);
    p->lose = mmap(NULL, 2 * sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fd = unix_socket(p->socket, &a);
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 64) < 0)
        die("proxy");
    p->pid = fork();
    if (p->pid == 0)
        run_proxy(p, fd, s->socket);
    close(fd);
}

void redis_proxy_stop(struct redis_proxy *p) {
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    munmap((void *)p->lose, 2 * sizeof(int));
}

void redis_pair_start(struct redis_pair *p) {
    struct queue_options o = { .timeout_ms = 2000 };

    redis_start(&p->redis, "");
    redis_proxy_start(&p->proxy, &p->redis);
    p->q = redis_queue(&p->redis, 3000);
    o.redis = p->proxy.address;
    p->through = queue_new(&o);
}

void redis_pair_stop(struct redis_pair *p) {
    queue_free(p->q);
    queue_free(p->through);
    redis_proxy_stop(&p->proxy);
    redis_stop(&p->redis);
}
