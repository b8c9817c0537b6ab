/* replay.c: raw bytes the office kept, parsed once more. */
#include "daemon/replay.h"

#include "connectors/kit/step.h"
#include "connectors/kit/text.h"
#include "daemon/batch.h"
#include "daemon/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_EVERY_MS = 1000, ROUND = 16 };
#define BLOB_MAX ((off_t)64 << 20)

struct replay {
    struct host *host;
    struct queue_reader *reader;
    struct batch batch;
    char entries[ROUND][32];
    size_t count;
    bool own_read; /* what an earlier life left has been read */
    int64_t read_at;
};

struct replay *replay_new(struct host *h, const struct aduan_connector *c) {
    struct queue_source source = { h->base.account, "replay" };
    struct replay *r = xcalloc(1, sizeof(*r));

    r->host = h;
    batch_init(&r->batch, h, c);
    r->batch.again = true;
    r->reader = queue_reader_new(h->job->queue, "receive", "receive", &source, 1);
    return r;
}

struct replay *replay_free(struct replay *r) {
    if (r == NULL)
        return NULL;
    batch_clear(&r->batch);
    queue_reader_free(r->reader);
    free(r);
    return NULL;
}

/* A blob as a whole; NULL when it is not there (its name is said in the log). */
static char *read_blob(struct replay *r, const char *sha256, size_t *ret_len) {
    int fd = blob_open(r->host->job->blobs, sha256);
    struct stat st;
    char *bytes = NULL;
    ssize_t n;

    *ret_len = 0;
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size <= BLOB_MAX) {
        bytes = xcalloc(1, (size_t)st.st_size + 1);
        while ((n = read(fd, bytes + *ret_len, (size_t)st.st_size - *ret_len)) > 0)
            *ret_len += (size_t)n;
    }
    if (bytes == NULL)
        log_warn("cannot replay: blob %s: %s", sha256, fd < 0 ? strerror(-fd) : "unreadable or too large");
    if (fd >= 0)
        close(fd);
    return bytes;
}

static int take_entry(void *arg, const struct queue_entry *e) {
    struct replay *r = arg;
    const char *slash = strchr(e->key, '/');
    json_t *json = json_loadb(e->record, e->record_len, 0, NULL);
    const char *sha256 = json_string_value(json_object_get(json, "sha256"));
    char *blob = NULL;
    struct aduan_raw raw = {
        .bytes = e->raw,
        .len = e->raw_len,
        .id = slash != NULL ? slash + 1 : NULL,
        .received_at = json_integer_value(json_object_get(json, "received_at")),
    };

    if (sha256 != NULL && sha256[0] != '\0')
        raw.bytes = blob = read_blob(r, sha256, &raw.len);
    if (raw.bytes != NULL)
        batch_add(&r->batch, &raw);
    memcpy(r->entries[r->count++], e->id, sizeof(e->id));
    free(blob);
    json_decref(json);
    return 0;
}

/* 0 there may be more, QUEUE_NOTHING, ADUAN_STOPPING or negative. */
static int one_round(struct replay *r) {
    const char *account = r->host->base.account;
    int rc;

    r->count = 0;
    rc = queue_reader_read(r->reader, !r->own_read, ROUND, 0, take_entry, r);
    if (rc < 0 || r->count == 0) {
        if (rc == QUEUE_NOTHING || rc == 0)
            r->own_read = true;
        return rc < 0 ? rc : QUEUE_NOTHING;
    }
    STEP("replay.read");
    rc = batch_flush(&r->batch);
    STEP("replay.done");
    if (rc != 0)
        return rc;
    log_info("%zu kept messages parsed again", r->count);
    return queue_reader_ack(r->reader, account, "replay", (const char(*)[32])r->entries, r->count);
}

void replay_turn(struct replay *r) {
    int64_t now = host_monotonic();

    if (r == NULL || (r->read_at != 0 && now - r->read_at < READ_EVERY_MS))
        return;
    r->read_at = now;
    while (!job_stopping(r->host->job)) {
        bool own = r->own_read;
        int rc = one_round(r);

        if (rc != 0 && (rc != QUEUE_NOTHING || own))
            return;
    }
}
