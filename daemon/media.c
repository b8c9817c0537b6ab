/* media.c: attachments that wait on a platform, fetched beside everything else. */
#include "daemon/media.h"

#include "connectors/kit/sign.h"
#include "connectors/kit/step.h"
#include "connectors/kit/text.h"
#include "daemon/log.h"

#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 4, KNOWN_MAX = 4096, READ_MAX = 64, READ_EVERY_MS = 500 };
#define FETCH_DEADLINE_MS ((int64_t)10 * 60 * 1000)
#define GIVE_UP_MS        ((int64_t)7 * 24 * 3600 * 1000)

enum media_state { MEDIA_WAITING = 0, MEDIA_FETCHING, MEDIA_ENDED };

struct media_job {
    char entry[32];
    char *key; /* MESSAGE-ID#INDEX */
    struct aduan_attachment *attachment;
    struct aduan_message holder; /* owns the attachment */
    enum media_state state;
    uint64_t token;
    int attempts;
    int64_t added, due, deadline;
    char *event; /* once it has ended: to be told, then acknowledged */
};

struct media {
    struct job *job;
    void *ctx;
    const struct aduan_connector *connector;
    struct queue_reader *reader;
    struct media_job **jobs;
    size_t count;
    uint64_t last_token;
    bool own_read; /* what an earlier life left has been read */
    int64_t read_at;
};

struct media *media_new(struct job *j, void *ctx) {
    struct queue_source source = { j->account->name, "media" };
    struct media *m = xcalloc(1, sizeof(*m));

    m->job = j;
    m->ctx = ctx;
    m->connector = job_module(j, j->account)->connector;
    m->reader = queue_reader_new(j->queue, "receive", "receive", &source, 1);
    return m;
}

static void free_job(struct media_job *e) {
    aduan_message_clear(&e->holder);
    free(e->key);
    free(e->event);
    free(e);
}

struct media *media_free(struct media *m) {
    if (m == NULL)
        return NULL;
    while (m->count > 0)
        free_job(m->jobs[--m->count]);
    free(m->jobs);
    queue_reader_free(m->reader);
    free(m);
    return NULL;
}

size_t media_waiting(const struct media *m) {
    return m->count;
}

/* ---------------------------------------------------------------------- reading */

/* An attachment's JSON is that of a message's list: read it as the list of an empty message. */
static int read_attachment(struct media_job *e, const char *record, size_t len) {
    json_t *json = json_loadb(record, len, 0, NULL);
    json_t *message;
    char why[128];
    int r;

    if (json == NULL)
        return -1;
    message = json_pack("{s:s, s:s, s:s, s:[o]}", "kind", "message", "platform_id", "x", "text", "",
                        "attachments", json);
    if (message == NULL)
        return -1;
    r = aduan_message_from_json(&e->holder, message, why, sizeof(why));
    json_decref(message);
    if (r < 0 || e->holder.attachment_count != 1)
        return -1;
    e->attachment = &e->holder.attachments[0];
    return 0;
}

static void end_job(struct media_job *e, json_t *event) {
    e->state = MEDIA_ENDED;
    e->event = json_dumps(event, JSON_COMPACT);
    json_decref(event);
}

static void fail_job(struct media_job *e, const char *reason) {
    char *clean = text_clean_line(reason, strlen(reason), 400);

    log_warn("attachment %s is given up: %s", e->key, clean);
    end_job(e, json_pack("{s:s, s:s, s:s}", "type", "media", "state", "failed", "reason", clean));
    free(clean);
}

static int take_entry(void *arg, const struct queue_entry *entry) {
    struct media *m = arg;
    struct media_job *e = xcalloc(1, sizeof(*e));

    memcpy(e->entry, entry->id, sizeof(e->entry));
    e->key = xstrdup(entry->key);
    e->added = entry->added_ms;
    m->jobs = xrealloc(m->jobs, m->count + 1, sizeof(struct media_job *));
    m->jobs[m->count++] = e;
    if (read_attachment(e, entry->record, entry->record_len) < 0)
        fail_job(e, "the attachment's record cannot be read");
    return 0;
}

static void read_jobs(struct media *m, int64_t now) {
    int r;

    if (now - m->read_at < READ_EVERY_MS || m->count >= KNOWN_MAX)
        return;
    m->read_at = now;
    r = queue_reader_read(m->reader, !m->own_read, READ_MAX, 0, take_entry, m);
    if (r == QUEUE_NOTHING && !m->own_read) {
        m->own_read = true;
        m->read_at = 0;
    }
}

/* --------------------------------------------------------------------- fetching */

static void try_later(struct media_job *e, const struct aduan_result *result, int64_t now) {
    int64_t pause;
    uint32_t random;

    if (now - e->added > GIVE_UP_MS) {
        fail_job(e, result->reason);
        return;
    }
    sign_random(&random, sizeof(random));
    pause = queue_backoff_ms(e->attempts, random);
    if (result->retry_after_ms > pause)
        pause = result->retry_after_ms;
    e->state = MEDIA_WAITING;
    e->due = now + pause;
    log_info("attachment %s later: %s", e->key, result->reason);
}

void media_fetched(struct media *m, uint64_t token, const struct aduan_result *result, const char *sha256,
                   int64_t size, const char *type) {
    struct media_job *e = NULL;
    size_t i;

    for (i = 0; i < m->count; i++)
        if (m->jobs[i]->state == MEDIA_FETCHING && m->jobs[i]->token == token)
            e = m->jobs[i];
    if (e == NULL)
        return; /* it came after its deadline */
    STEP("media.fetched");
    if (result->outcome == ADUAN_SENT && sha256 != NULL)
        end_job(e, json_pack("{s:s, s:s, s:s, s:I, s:s}", "type", "media", "state", "stored", "sha256", sha256,
                             "size", (json_int_t)size, "type_", type != NULL ? type : ""));
    else if (result->outcome == ADUAN_NEVER)
        fail_job(e, result->reason);
    else
        try_later(e, result, host_wall());
}

static void start_job(struct media *m, struct media_job *e, int64_t now) {
    e->state = MEDIA_FETCHING;
    e->token = ++m->last_token;
    e->attempts++;
    e->deadline = now + FETCH_DEADLINE_MS;
    m->connector->fetch(m->ctx, e->attachment, e->token);
}

/* Tells the desk, then acknowledges: a death in between tells it twice, which it can take. */
static bool settle_job(struct media *m, struct media_job *e) {
    const char *account = m->job->account->name;

    if (queue_event(m->job->queue, account, e->key, e->event) < 0)
        return false;
    STEP("media.told");
    return queue_reader_ack(m->reader, account, "media", (const char(*)[32])e->entry, 1) >= 0;
}

static void drop_job(struct media *m, size_t i) {
    free_job(m->jobs[i]);
    memmove(&m->jobs[i], &m->jobs[i + 1], (m->count - i - 1) * sizeof(struct media_job *));
    m->count--;
}

void media_turn(struct media *m, int64_t now) {
    struct aduan_result late = { .outcome = ADUAN_LATER, .reason = "the download did not end" };
    struct media_job *e;
    size_t i, busy = 0;

    read_jobs(m, now);
    for (i = 0; i < m->count; i++) {
        if (m->jobs[i]->state == MEDIA_FETCHING && now >= m->jobs[i]->deadline)
            try_later(m->jobs[i], &late, now);
        busy += m->jobs[i]->state == MEDIA_FETCHING;
    }
    for (i = 0; i < m->count && busy < AT_ONCE; i++) {
        e = m->jobs[i];
        if (e->state != MEDIA_WAITING || e->due > now || job_stopping(m->job))
            continue;
        busy++;
        start_job(m, e, now);
    }
    for (i = m->count; i-- > 0;)
        if (m->jobs[i]->state == MEDIA_ENDED) {
            if (!settle_job(m, m->jobs[i]))
                return; /* Redis is away: the next turn repeats it */
            drop_job(m, i);
        }
}
