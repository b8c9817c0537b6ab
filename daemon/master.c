/*
 * master.c: starts, watches, restarts and reloads the workers.
 *
 * One place waits: poll() over a signalfd and the workers' sockets. Nothing is
 * done inside a signal handler. systemd hears WATCHDOG=1 only from a turn of
 * this loop, and not while a killed worker refuses to go away.
 */
#include "daemon/master.h"

#include "connectors/kit/text.h"
#include "daemon/fence.h"
#include "daemon/log.h"
#include "daemon/setup.h"
#include "daemon/worker.h"
#include "queue/clock.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

enum { HUNG_MS = 30000, START_MS = 120000, GRACE_MS = 20000, TURN_MS = 60000 };

struct master {
    const char *file;
    struct setup setup;
    struct worker **workers;
    size_t count;
    struct worker_limits limits;
    int signals;
    bool stopping, told_ready;
    char status[700];            /* as last told to systemd */
    size_t refused;              /* faults of the last reload, 0: it was taken */
    int64_t watchdog_ms, fed_at; /* 0: no watchdog */
    struct pollfd *fds;
};

/* Tests shorten the patience; nobody else should know. */
static int64_t from_environment(const char *name, int64_t otherwise) {
    const char *s = getenv(name);
    int64_t v;

    return s != NULL && text_parse_int(s, 100, 3600000, &v) == 0 ? v : otherwise;
}

/* ------------------------------------------------------------ what systemd hears */

static void describe(const struct master *m, int64_t now, char *out, size_t size) {
    const struct worker *w;
    size_t i, up = 0, wanted = 0, n;

    for (i = 0; i < m->count; i++) {
        wanted += m->workers[i]->wanted;
        up += m->workers[i]->state == WORKER_UP;
    }
    n = (size_t)snprintf(out, size, "%s%zu of %zu workers up", m->stopping ? "stopping, " : "", up, wanted);
    for (i = 0; i < m->count && n < size; i++) {
        w = m->workers[i];
        if (w->wanted && w->state == WORKER_RESTING && w->failures > 0)
            n += (size_t)snprintf(out + n, size - n, "; %s failed %d times, again in %lld s", worker_name(w),
                                  w->failures, (long long)((w->due - now + 999) / 1000));
    }
    if (m->refused > 0 && n < size)
        snprintf(out + n, size - n, "; the last reload was refused: %zu fault%s in \"%s\"", m->refused,
                 m->refused > 1 ? "s" : "", m->file);
}

static bool is_up(const struct worker *w) {
    return !w->wanted || w->state == WORKER_UP;
}

/* Ready once the desk is up and every other worker is, or has failed loudly once: it is tried again and again,
 * and STATUS= names it. Were one of them waited for, systemd would end the whole service at its start timeout,
 * and a taken port would cost the office its mail as well. */
static bool all_settled(const struct master *m) {
    size_t i;

    for (i = 0; i < m->count; i++)
        if (!worker_settled(m->workers[i]) ||
            (strcmp(m->workers[i]->role, "desk") == 0 && !is_up(m->workers[i])))
            return false;
    return true;
}

static void tell_systemd(struct master *m, int64_t now) {
    char status[sizeof(m->status)];

    describe(m, now, status, sizeof(status));
    if (strcmp(status, m->status) != 0) {
        memcpy(m->status, status, sizeof(status));
        sd_notifyf(0, "STATUS=%s", status);
    }
    if (!m->told_ready && !m->stopping && all_settled(m)) {
        m->told_ready = true;
        sd_notify(0, "READY=1");
        log_info("%s", status);
    }
}

static void feed_watchdog(struct master *m, int64_t now) {
    size_t i;

    if (m->watchdog_ms == 0 || now - m->fed_at < m->watchdog_ms / 3)
        return;
    for (i = 0; i < m->count; i++)
        if (worker_beyond_help(m->workers[i], now)) {
            log_error("%s was killed and does not go away", worker_name(m->workers[i]));
            return;
        }
    m->fed_at = now;
    sd_notify(0, "WATCHDOG=1");
}

/* ------------------------------------------------------------------ the workers */

static struct worker *find_worker(const struct master *m, const char *role, const char *account) {
    size_t i;

    for (i = 0; i < m->count; i++)
        if (strcmp(m->workers[i]->role, role) == 0 && text_equal(m->workers[i]->account, account))
            return m->workers[i];
    return NULL;
}

static void add_worker(struct master *m, const struct plan_job *j, int64_t now) {
    m->workers = xrealloc(m->workers, m->count + 1, sizeof(struct worker *));
    m->workers[m->count++] = worker_new(j, now);
}

/* Brings the workers in line with the plan; true if anything changed. */
static bool follow_plan(struct master *m, const struct plan *p, int64_t now) {
    const struct plan_job *j;
    struct worker *w;
    bool changed = false;
    size_t i;

    for (i = 0; i < m->count; i++) {
        w = m->workers[i];
        j = plan_find(p, w->role, w->account);
        w->wanted = j != NULL;
        if (j != NULL && strcmp(j->digest, w->digest) == 0)
            continue;
        log_info("%s: %s", worker_name(w), j != NULL ? "settings changed, restarting" : "removed, stopping");
        changed = true;
        if (j != NULL)
            memcpy(w->digest, j->digest, sizeof(w->digest));
        /* One that rests after failures gets its new settings a chance at once. */
        w->failures = 0;
        w->due = now;
        worker_end(w, &m->limits, now);
    }
    for (i = 0; i < p->count; i++) {
        if (find_worker(m, p->jobs[i].role, p->jobs[i].account) != NULL)
            continue;
        changed = true;
        add_worker(m, &p->jobs[i], now);
    }
    return changed;
}

static void apply_setup(struct master *m, int64_t now) {
    struct plan p;

    plan_make(m->setup.conf, m->setup.modules, &p);
    if (!follow_plan(m, &p, now))
        log_info("nothing changed for any worker");
    plan_clear(&p);
    if (m->setup.conf->console.listen != NULL && m->setup.conf->console.listen[0] != '\0')
        log_info("console.listen is set, but the console comes with a later version: not started");
}

static void drop_worker(struct master *m, size_t i) {
    worker_free(m->workers[i]);
    memmove(&m->workers[i], &m->workers[i + 1], (m->count - i - 1) * sizeof(struct worker *));
    m->count--;
}

static void turn_workers(struct master *m, int64_t now) {
    struct worker *w;
    size_t i;

    for (i = m->count; i-- > 0;) {
        w = m->workers[i];
        worker_turn(w, &m->limits, now);
        if (w->state != WORKER_RESTING)
            continue;
        if (!w->wanted)
            drop_worker(m, i);
        else if (now >= w->due)
            worker_start(w, m->setup.conf, now);
    }
}

static void reap(struct master *m, int64_t now) {
    int status;
    pid_t pid;
    size_t i;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (i = 0; i < m->count; i++)
            if (m->workers[i]->pid == pid) {
                /* Its last words may still be in the socket. */
                worker_hear(m->workers[i], now);
                worker_ended(m->workers[i], status, now);
            }
}

/* ---------------------------------------------------------------------- signals */

static size_t log_faults(struct faults *faults) {
    size_t i, n = faults->count;
    char *line;

    for (i = 0; i < n; i++) {
        line = fault_text(&faults->items[i]);
        log_error("%s", line);
        free(line);
    }
    faults_clear(faults);
    return n;
}

static void reload(struct master *m, int64_t now) {
    struct setup fresh = { NULL, NULL };
    struct faults faults = { NULL, 0 };
    struct timespec ts;
    size_t n;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
               (unsigned long long)ts.tv_sec * 1000000 + (unsigned long long)ts.tv_nsec / 1000);
    m->told_ready = false;
    setup_read(&fresh, m->file, &faults);
    n = log_faults(&faults);
    m->refused = n;
    if (n > 0) {
        log_error("reload refused: %zu fault%s in \"%s\", the old configuration stays", n, n > 1 ? "s" : "",
                  m->file);
        setup_free(&fresh);
        return;
    }
    setup_free(&m->setup);
    m->setup = fresh;
    log_info("configuration read again");
    apply_setup(m, now);
    malloc_trim(0);
}

static void stop(struct master *m, int64_t now) {
    size_t i;

    if (m->stopping)
        return;
    m->stopping = true;
    log_info("stopping");
    sd_notify(0, "STOPPING=1");
    for (i = 0; i < m->count; i++) {
        m->workers[i]->wanted = false;
        worker_end(m->workers[i], &m->limits, now);
    }
}

static void take_signals(struct master *m, int64_t now) {
    struct signalfd_siginfo s;

    while (read(m->signals, &s, sizeof(s)) == (ssize_t)sizeof(s)) {
        if (s.ssi_signo == SIGCHLD)
            reap(m, now);
        else if (s.ssi_signo == SIGHUP && !m->stopping)
            reload(m, now);
        else if (s.ssi_signo == SIGTERM || s.ssi_signo == SIGINT)
            stop(m, now);
    }
}

/* --------------------------------------------------------------------- the loop */

static int64_t next_turn(const struct master *m, int64_t now) {
    int64_t next = now + TURN_MS, w;
    size_t i;

    if (m->watchdog_ms > 0 && m->fed_at + m->watchdog_ms / 3 < next)
        next = m->fed_at + m->watchdog_ms / 3;
    for (i = 0; i < m->count; i++) {
        w = worker_next(m->workers[i], &m->limits);
        if (w < next)
            next = w;
    }
    /* A lower bound keeps a moment that is just past from turning the loop into a spin. */
    return next - now < 5 ? 5 : next - now;
}

static void wait_for_more(struct master *m, int64_t now) {
    size_t i, count = m->count; /* a reload in take_signals() may change it */

    m->fds = xrealloc(m->fds, count + 1, sizeof(*m->fds));
    m->fds[0] = (struct pollfd){ .fd = m->signals, .events = POLLIN };
    for (i = 0; i < count; i++)
        m->fds[i + 1] = (struct pollfd){ .fd = m->workers[i]->fd, .events = POLLIN };
    if (poll(m->fds, count + 1, (int)next_turn(m, now)) < 0)
        return;
    now = clock_steady_ms();
    for (i = 0; i < count; i++)
        if (m->fds[i + 1].revents != 0)
            worker_hear(m->workers[i], now);
    if (m->fds[0].revents != 0)
        take_signals(m, now);
}

static void run_loop(struct master *m) {
    int64_t now;

    do {
        now = clock_steady_ms();
        turn_workers(m, now);
        tell_systemd(m, now);
        feed_watchdog(m, now);
        if (m->stopping && m->count == 0)
            return;
        wait_for_more(m, now);
    } while (true);
}

static int open_signals(struct master *m) {
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    m->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return m->signals < 0 ? -errno : 0;
}

static void prepare(struct master *m) {
    uint64_t watchdog_us = 0;

    m->limits.hung_ms = from_environment("ADUAN_HUNG_MS", HUNG_MS);
    m->limits.start_ms = from_environment("ADUAN_START_MS", START_MS);
    m->limits.grace_ms = from_environment("ADUAN_GRACE_MS", GRACE_MS);
    if (sd_watchdog_enabled(0, &watchdog_us) > 0)
        m->watchdog_ms = (int64_t)(watchdog_us / 1000);
    if (mkdir(m->setup.conf->state, 0750) < 0 && errno != EEXIST)
        log_warn("cannot make the state directory \"%s\": %s", m->setup.conf->state, strerror(errno));
}

int master_run(const char *file) {
    struct master m = { .file = file, .signals = -1 };
    struct faults faults = { NULL, 0 };
    size_t i;
    int r;

    fence_basics();
    log_open("master", NULL);
    setup_read(&m.setup, file, &faults);
    if (log_faults(&faults) > 0) {
        setup_free(&m.setup);
        return MASTER_CONFIG;
    }
    r = open_signals(&m);
    if (r < 0) {
        log_error("cannot wait for signals: %s", strerror(-r));
        setup_free(&m.setup);
        return 1;
    }
    prepare(&m);
    apply_setup(&m, clock_steady_ms());
    malloc_trim(0);
    run_loop(&m);
    log_info("stopped");
    for (i = 0; i < m.count; i++)
        worker_free(m.workers[i]);
    free(m.workers);
    free(m.fds);
    close(m.signals);
    setup_free(&m.setup);
    return 0;
}

int master_check(const char *file) {
    struct setup s = { NULL, NULL };
    struct faults faults = { NULL, 0 };
    size_t i, n;
    char *line;

    setup_read(&s, file, &faults);
    if (faults.count == 0)
        setup_selftest(&s, &faults);
    n = faults.count;
    for (i = 0; i < n; i++) {
        line = fault_text(&faults.items[i]);
        fprintf(stderr, "%s\n", line);
        free(line);
    }
    if (n == 0)
        printf("%s: ok, %zu accounts\n", file, s.conf->account_count);
    faults_clear(&faults);
    setup_free(&s);
    return n == 0 ? 0 : MASTER_CONFIG;
}
