/*
 * desk_job.c: gives the desk what it needs and nothing more: names and limits
 * of the accounts, a queue, the blob store.
 */
#include "daemon/job.h"

#include "connectors/kit/text.h"
#include "daemon/log.h"
#include "daemon/module.h"
#include "desk/desk.h"
#include "queue/clock.h"

#include <stdlib.h>
#include <string.h>

static void host_log(void *arg, int level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void host_log(void *arg, int level, const char *fmt, ...) {
    va_list ap;

    (void)arg;
    va_start(ap, fmt);
    log_line(level, fmt, ap);
    va_end(ap);
}

static bool host_stopping(void *arg) {
    return job_stopping(arg);
}

/* The first heartbeat comes once register and policy have been read: only then is it ready. */
static void host_alive(void *arg) {
    static bool told;

    if (!told)
        job_ready(arg);
    told = true;
    job_beat(arg);
}

static void host_health(void *arg, json_t *fields) {
    job_health(arg, "desk", fields);
}

static int64_t host_now(void *arg) {
    (void)arg;
    return clock_wall_ms();
}

/* What fits() and parse() need beside the bytes. */
struct judge {
    const struct aduan_connector *connector;
    const void *settings;
};

static int account_fits(const void *arg, const struct aduan_answer *answer, char *why, size_t why_size) {
    const struct judge *judge = arg;

    return judge->connector->fits(judge->settings, answer, why, why_size);
}

struct one_record {
    struct aduan_sink sink;
    struct aduan_message *into;
    size_t count;
};

static int take_one(struct aduan_sink *sink, struct aduan_message *m) {
    struct one_record *one = (struct one_record *)sink;

    if (one->count++ > 0) {
        aduan_message_clear(m);
        return -1;
    }
    *one->into = *m;
    memset(m, 0, sizeof(*m));
    return 0;
}

static int account_read(const void *arg, const void *document, size_t len, int64_t now,
                        struct aduan_message *ret) {
    const struct judge *judge = arg;
    struct aduan_bytes in = { .bytes = document, .len = len };
    struct one_record one = { .sink = { .record = take_one, .now = now }, .into = ret };

    memset(ret, 0, sizeof(*ret));
    if (judge->connector->parse(judge->settings, &in, &one.sink) == 0 && one.count == 1)
        return 0;
    aduan_message_clear(ret);
    return -1;
}

static int64_t window_of(const struct aduan_connector *c, const void *settings, bool by_person) {
    return c->window != NULL ? c->window(settings, by_person) : c->traits.window_ms;
}

/* judge: lives as long as what is described. */
static struct desk_account describe(const struct conf_account *a, const struct aduan_connector *c,
                                    struct judge *judge) {
    const char *address = c->address != NULL ? c->address(a->settings) : NULL;
    uint32_t can = module_can(c, a->settings);

    *judge = (struct judge){ c, a->settings };

    return (struct desk_account){
        .name = a->name,
        .type = a->type,
        .channel = c->channel,
        .address = address != NULL ? address : "",
        .can_send = (can & (ADUAN_CAP_SEND | ADUAN_CAP_BY_HAND)) != 0,
        .at_desk = (can & (ADUAN_CAP_PULL | ADUAN_CAP_PUSH | ADUAN_CAP_SEND | ADUAN_CAP_MEDIA)) == 0,
        .by_hand = (can & ADUAN_CAP_BY_HAND) != 0,
        .can_attach = (can & ADUAN_CAP_ATTACH) != 0,
        .has_public = (can & ADUAN_CAP_PUBLIC) != 0,
        .has_template = c->has_template != NULL && c->has_template(a->settings),
        .window_ms = window_of(c, a->settings, false),
        .window_person_ms = window_of(c, a->settings, true),
        .text_max = c->traits.text_max,
        .text_max_is_bytes = c->traits.text_max_is_bytes,
        .attachment_max = c->traits.attachment_max,
        .fits = c->fits != NULL ? account_fits : NULL,
        .fits_arg = judge,
        .read = (can & ADUAN_CAP_BY_HAND) != 0 && c->parse != NULL ? account_read : NULL,
        .read_arg = judge,
    };
}

/* The promise rests on how Redis keeps what it is given: said once at every start. */
static void judge_redis(struct job *j) {
    struct queue_durability d;
    char problem[1024] = "";

    if (queue_durability(j->queue, &d, problem, sizeof(problem)) < 0)
        log_warn("cannot ask redis how durable it is: %s", queue_error(j->queue));
    else if (problem[0] != '\0')
        log_warn("redis does not keep what it acknowledges: %s", problem);
    else
        log_info("redis %s keeps what it acknowledges", d.version);
}

int job_desk(struct job *j) {
    struct desk_account *accounts = xcalloc(j->conf->account_count + 1, sizeof(*accounts));
    struct judge *judges = xcalloc(j->conf->account_count + 1, sizeof(*judges));
    struct desk_options o = { .conf = j->conf, .accounts = accounts, .queue = j->queue, .blobs = j->blobs };
    struct desk_host host = {
        .arg = j,
        .log = host_log,
        .stopping = host_stopping,
        .alive = host_alive,
        .health = host_health,
        .now = host_now,
    };
    size_t i;
    int r;

    for (i = 0; i < j->conf->account_count; i++)
        if (j->conf->accounts[i].enabled) {
            accounts[o.account_count] =
                describe(&j->conf->accounts[i], job_module(j, &j->conf->accounts[i])->connector,
                         &judges[o.account_count]);
            o.account_count++;
        }
    judge_redis(j);
    queue_wake(j->queue, job_wake_fd(j));
    r = desk_run(&o, &host);
    free(accounts);
    free(judges);
    return r;
}
