/*
 * job.c: a worker's side of the bargain with its master.
 *
 * The control socket (fd 3) carries the slice down, then single bytes up: 'R'
 * ready, 'H' alive. Its end is the master's end. SIGTERM writes an eventfd;
 * both are watched by one epoll fd, which is what job_wake_fd() hands out.
 */
#include "daemon/start.h"

#include "connectors/kit/text.h"
#include "daemon/fence.h"
#include "daemon/log.h"
#include "daemon/module.h"
#include "daemon/wire.h"
#include "queue/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BEAT_EVERY_MS = 1000, HEALTH_EVERY_MS = 2000, SLICE_MAX = 64 << 20 };

/* One process is one job, and a signal handler has no argument. */
static struct {
    int term_fd, wake_fd;
    int64_t started_at, last_beat, last_health;
    bool silent; /* the parse worker: its control socket carries requests */
} self = { .term_fd = -1, .wake_fd = -1 };

/* ---------------------------------------------------------- what jobs call */

static void tell(struct job *j, char what) {
    /* A full socket means a master that does not read: the beat is lost, the job goes on. */
    if (!self.silent && write(j->control, &what, 1) < 0 && errno != EAGAIN && errno != EPIPE)
        log_warn("cannot tell the master: %s", strerror(errno));
}

void job_ready(struct job *j) {
    tell(j, 'R');
    log_info("ready");
}

void job_beat(struct job *j) {
    int64_t now = clock_steady_ms();

    if (now - self.last_beat < BEAT_EVERY_MS)
        return;
    self.last_beat = now;
    tell(j, 'H');
}

bool job_stopping(const struct job *j) {
    struct pollfd p = { .fd = self.wake_fd, .events = POLLIN };

    (void)j;
    return poll(&p, 1, 0) > 0;
}

int job_wake_fd(const struct job *j) {
    (void)j;
    return self.wake_fd;
}

void job_health(struct job *j, const char *account, json_t *fields) {
    int64_t now = clock_steady_ms();
    char *text;

    if (self.last_health != 0 && now - self.last_health < HEALTH_EVERY_MS) {
        json_decref(fields);
        return;
    }
    self.last_health = now;
    json_object_set_new(fields, "at", json_integer(clock_wall_ms()));
    json_object_set_new(fields, "pid", json_integer(getpid()));
    json_object_set_new(fields, "started", json_integer(self.started_at));
    json_object_set_new(fields, "restarts", json_integer(j->restarts));
    text = json_dumps(fields, JSON_COMPACT);
    json_decref(fields);
    if (text != NULL && queue_health_set(j->queue, account, j->role, text) < 0)
        log_debug("cannot publish health: %s", queue_error(j->queue));
    free(text);
}

const struct module *job_module(const struct job *j, const struct conf_account *a) {
    return &j->modules[a - j->conf->accounts];
}

struct queue_options job_queue_options(const struct job *j) {
    return (struct queue_options){
        .redis = j->conf->queue.redis,
        .user = j->conf->queue.user,
        .password = j->conf->queue.password.bytes,
    };
}

/* ----------------------------------------------------------------- start-up */

static const struct start_role {
    const char *name;
    int (*run)(struct job *j);
    unsigned fence;
    bool queue;
} roles[] = {
    { "receive", job_receive, FENCE_NETWORK | FENCE_CONNECT | FENCE_EXEC, true },
    { "send", job_send, FENCE_NETWORK | FENCE_CONNECT, true },
    { "gateway", job_gateway, FENCE_NETWORK | FENCE_LISTEN, true },
    { "desk", job_desk, FENCE_NETWORK, true },
    { "console", job_console, FENCE_NETWORK | FENCE_LISTEN, true },
    { "parse", job_parse, 0, false },
};

static const struct start_role *find_role(const char *name) {
    size_t i;

    for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
        if (strcmp(roles[i].name, name) == 0)
            return &roles[i];
    return NULL;
}

static void on_term(int signo) {
    uint64_t one = 1;
    int saved = errno;

    (void)signo;
    if (write(self.term_fd, &one, sizeof(one)) < 0) {
        /* It is full: stopping already. */
    }
    errno = saved;
}

static int watch(int epoll, int fd, uint32_t events) {
    struct epoll_event e = { .events = events };

    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

static int prepare_signals(void) {
    struct sigaction term = { .sa_handler = on_term, .sa_flags = SA_RESTART };
    int r;

    self.term_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    self.wake_fd = epoll_create1(EPOLL_CLOEXEC);
    if (self.term_fd < 0 || self.wake_fd < 0)
        return -errno;
    r = watch(self.wake_fd, self.term_fd, EPOLLIN);
    if (r == 0)
        r = watch(self.wake_fd, START_FD, EPOLLRDHUP);
    sigaction(SIGTERM, &term, NULL);
    signal(SIGPIPE, SIG_IGN);
    /* Ctrl-C and reload are the master's business; it tells us by SIGTERM. */
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    return r;
}

static json_t *read_envelope(void) {
    struct wire w = { .fd = START_FD };
    json_t *envelope;
    char *bytes;
    size_t n;

    if (wire_receive_frame(&w, SLICE_MAX, &bytes, &n) < 0)
        return NULL;
    envelope = json_loadb(bytes, n, 0, NULL);
    text_wipe(bytes, n);
    free(bytes);
    return envelope;
}

static int load_modules(struct job *j, struct module_set *set) {
    const struct module *m;
    char why[512];
    size_t i;

    j->modules = xcalloc(j->conf->account_count + 1, sizeof(*j->modules));
    for (i = 0; i < j->conf->account_count; i++) {
        m = module_load(set, j->conf->accounts[i].type, why, sizeof(why));
        if (m == NULL) {
            log_error("%s: %s", j->conf->accounts[i].name, why);
            return -ENOENT;
        }
        j->modules[i] = *m;
    }
    return 0;
}

static int read_slice(struct job *j, const json_t *envelope, const char *account, struct module_set **ret_set) {
    struct faults faults = { NULL, 0 };
    struct module_source source;
    size_t i;
    char *line;

    j->restarts = (int)json_integer_value(json_object_get(envelope, "restarts"));
    source.set = module_set_new(json_string_value(json_object_get(envelope, "modules")));
    source.faults = &faults;
    *ret_set = source.set;
    j->conf = conf_from_slice(json_object_get(envelope, "slice"), module_lookup, &source, &faults);
    for (i = 0; i < faults.count; i++) {
        line = fault_text(&faults.items[i]);
        log_error("%s", line);
        free(line);
    }
    i = faults.count;
    faults_clear(&faults);
    if (i > 0)
        return -EINVAL;
    if (account != NULL && (j->account = conf_find(j->conf, account)) == NULL) {
        log_error("the slice lacks account \"%s\"", account);
        return -EINVAL;
    }
    return load_modules(j, source.set);
}

static int take_slice(struct job *j, const char *account, struct module_set **ret_set) {
    json_t *envelope;
    int r;

    wire_secret_begin();
    envelope = read_envelope();
    r = envelope != NULL ? read_slice(j, envelope, account, ret_set) : -EPROTO;
    json_decref(envelope);
    wire_secret_end();
    return r;
}

/* Names in a fence must live until it is closed. */
struct names {
    char *items[FENCE_PATHS];
    size_t count;
};

static const char *keep_name(struct names *n, char *name) {
    if (n->count == FENCE_PATHS) {
        free(name);
        return NULL;
    }
    return n->items[n->count++] = name;
}

/* An absolute path in an account's settings is the administrator's word that the connector works
 * there (a maildir, a profile); a file that is not there yet will be made in its directory. */
static void fence_setting(struct fence *f, struct names *n, const char *path) {
    struct stat st;

    if (path == NULL || path[0] != '/')
        return;
    fence_write(f, stat(path, &st) == 0 ? path
                                        : keep_name(n, xstrndup(path, (size_t)(strrchr(path, '/') - path))));
}

static void fence_settings(struct fence *f, struct names *n, const struct aduan_setting *table,
                           const void *settings) {
    const char *at = settings;

    for (; table->key != NULL; table++)
        if (table->type == ADUAN_TYPE_GROUP)
            fence_settings(f, n, table->sub, at + table->offset);
        else if (table->type == ADUAN_TYPE_STRING)
            fence_setting(f, n, *(char *const *)(const void *)(at + table->offset));
}

/* The test tree's step files (kit/step.h) are written from inside the fence. */
static void fence_step_file(struct fence *f, struct names *n, const char *variable) {
#ifdef ADUAN_STEPS
    fence_setting(f, n, getenv(variable));
    if (getenv(variable) != NULL)
        fence_write(f, keep_name(n, xstrdup(dirname(strdupa(getenv(variable))))));
#else
    (void)f;
    (void)n;
    (void)variable;
#endif
}

static int is_policy(const struct dirent *e) {
    return strcmp(e->d_name, "calendar") == 0 || strcmp(e->d_name, "templates") == 0 ||
           text_ends(e->d_name, ".conf");
}

/* Not the whole policy directory: the secrets may lie in it. */
static void fence_policy(struct fence *f, struct names *n, const char *policy) {
    struct dirent **entries;
    int i, count = scandir(policy, &entries, is_policy, alphasort);

    for (i = 0; i < count; i++) {
        fence_read(f, keep_name(n, xasprintf("%s/%s", policy, entries[i]->d_name)));
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

/* Files a role may touch, beside what every C program reads. */
static void fence_paths(const struct job *j, struct fence *f, struct names *n) {
    bool serves = strcmp(j->role, "gateway") == 0 || strcmp(j->role, "console") == 0;

    fence_read(f, j->conf->modules);
    if (j->queue != NULL)
        fence_write(f, j->conf->state);
    if (strcmp(j->role, "desk") == 0 || strcmp(j->role, "console") == 0)
        fence_policy(f, n, j->conf->policy);
    if (serves) {
        fence_read(f, j->conf->gateway.tls_cert);
        fence_read(f, j->conf->gateway.tls_key);
        fence_read(f, j->conf->console.tls_cert);
        fence_read(f, j->conf->console.tls_key);
    }
    if (j->account != NULL && j->queue != NULL) {
        fence_read(f, j->account->tls_ca);
        fence_settings(f, n, j->account->table, j->account->settings);
    }
}

static int close_fence(struct job *j, unsigned flags) {
    struct fence f = { .flags = flags };
    struct names n = { .count = 0 };
    const char *redis = j->conf->queue.redis != NULL ? j->conf->queue.redis : "";
    const char *colon = strrchr(redis, ':');
    int64_t port = 0;
    int r;

    if (colon != NULL && text_parse_int(colon + 1, 1, 65535, &port) == 0)
        f.port = (uint16_t)port;
    fence_paths(j, &f, &n);
    fence_step_file(&f, &n, "ADUAN_STEP_LOG");
    fence_step_file(&f, &n, "ADUAN_DIE_ONCE");
    r = fence_close(&f);
    while (n.count > 0)
        free(n.items[--n.count]);
    return r;
}

static int open_stores(struct job *j) {
    struct queue_options o = job_queue_options(j);
    int r = blob_store_open(j->conf->state, &j->blobs);

    if (r < 0) {
        log_error("cannot open the attachments under \"%s\": %s", j->conf->state, strerror(-r));
        return r;
    }
    j->queue = queue_new(&o);
    return 0;
}

static void set_title(const char *role, const char *account) {
    char *title = xasprintf("%s %s", role, account != NULL ? account : "");

    prctl(PR_SET_NAME, title);
    free(title);
}

static void close_job(struct job *j, struct module_set *set) {
    queue_free(j->queue);
    if (j->blobs != NULL)
        blob_store_close(j->blobs);
    /* The settings' tables live in the modules. */
    if (j->conf != NULL)
        conf_free(j->conf);
    free(j->modules);
    module_set_free(set);
}

int job_start(const char *role_name, const char *account) {
    const struct start_role *role = find_role(role_name);
    struct job j = { .role = role_name, .control = START_FD };
    struct module_set *set = NULL;
    int status = 1;

    fence_basics();
    fence_files();
    log_open(role_name, account);
    if (role == NULL || fcntl(START_FD, F_GETFD) < 0) {
        log_error("--job is for the master only");
        return 1;
    }
    set_title(role_name, account);
    self.started_at = clock_wall_ms();
    if (prepare_signals() < 0 || take_slice(&j, account, &set) < 0) {
        log_error("cannot start");
    } else if ((!role->queue || open_stores(&j) == 0) && close_fence(&j, role->fence) == 0) {
        self.silent = !role->queue;
        if (!self.silent)
            fcntl(START_FD, F_SETFL, O_NONBLOCK);
        malloc_trim(0); /* the slice as JSON is gone */
        status = role->run(&j);
    }
    close_job(&j, set);
    return status;
}
