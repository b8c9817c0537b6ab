/* batch.c: raw bytes that pull() emitted, on their way into Redis. */
#include "daemon/batch.h"

#include "connectors/kit/sign.h"
#include "connectors/kit/step.h"
#include "connectors/kit/text.h"
#include "daemon/log.h"
#include "daemon/module.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 500, ATTEMPTS_MAX = 2 };
#define NOTE_KILLER                                                                                            \
    "Pesan ini dua kali menghentikan pembacanya; isi mentahnya disimpan / "                                    \
    "this message stopped its parser twice; its raw bytes are kept"

#define NOTE_GARBAGE "Isi yang diterima tidak dapat dibaca / what was received could not be read"
#define NOTE_EMPTY   "Tidak ada pesan di dalamnya / there was no message in it"

void batch_init(struct batch *b, struct host *h, const struct aduan_connector *c) {
    *b = (struct batch){ .host = h, .connector = c };
    parser_init(&b->parser, h);
}

static void clear_item(struct batch_item *it) {
    free(it->bytes);
    free(it->id);
    free(it->mark);
    free(it->mark_value);
    free(it->key);
    intake_clear(&it->records);
    *it = (struct batch_item){ 0 };
}

static void empty(struct batch *b) {
    while (b->count > 0)
        clear_item(&b->items[--b->count]);
    b->bytes = 0;
}

void batch_clear(struct batch *b) {
    empty(b);
    parser_stop(&b->parser);
}

bool batch_fits(const struct batch *b, size_t len) {
    return b->count == 0 || (b->count < BATCH_ITEMS && b->bytes + len <= BATCH_BYTES);
}

void batch_add(struct batch *b, const struct aduan_raw *raw) {
    struct batch_item *it = &b->items[b->count++];
    char hex[SIGN_HEX256];

    it->bytes = xcalloc(1, raw->len + 1);
    if (raw->len > 0)
        memcpy(it->bytes, raw->bytes, raw->len);
    it->len = raw->len;
    it->id = xstrdup(raw->id);
    it->mark = xstrdup(raw->mark);
    it->mark_value = xstrdup(raw->mark_value);
    it->received_at = raw->received_at;
    it->whole_size = raw->whole_size;
    it->cookie = raw->cookie;
    if (raw->id != NULL) {
        it->key = xasprintf("%s%s/%s", b->again ? "replay/" : "", b->host->base.account, raw->id);
    } else {
        sign_sha256_hex(it->bytes, it->len, hex);
        it->key = xasprintf("%s/sha256-%s", b->host->base.account, hex);
    }
    b->bytes += raw->len;
    STEP("receive.pulled");
}

/* Redis is away or the disk is full: say so and wait a moment. True: told to stop. */
static bool wait_for(struct batch *b, const char *what, const char *why) {
    char fault[400];

    snprintf(fault, sizeof(fault), "cannot %s: %s", what, why);
    b->waited = true;
    host_fault(b->host, fault);
    return host_sleep(b->host, WAIT_MS) == ADUAN_STOPPING;
}

static const char *redis_words(const struct batch *b) {
    return queue_error(b->host->job->queue);
}

/* ---------------------------------------------------------------- seen, attempts */

static int find_seen(struct batch *b) {
    const char *ids[BATCH_ITEMS];
    bool seen[BATCH_ITEMS];
    size_t i;
    int r;

    if (b->again)
        return 0;
    for (i = 0; i < b->count; i++)
        ids[i] = b->items[i].key;
    while ((r = queue_seen(b->host->job->queue, b->host->base.account, ids, b->count, seen)) < 0)
        if (wait_for(b, "ask redis what is known", redis_words(b)))
            return ADUAN_STOPPING;
    for (i = 0; i < b->count; i++)
        b->items[i].seen = seen[i];
    return 0;
}

/* The same bytes twice in one batch: one attempt, parsed once each, and accept tells them apart. */
static bool repeats_earlier(const struct batch *b, size_t i) {
    size_t k;

    for (k = 0; k < i; k++)
        if (!b->items[k].seen && strcmp(b->items[k].key, b->items[i].key) == 0)
            return true;
    return false;
}

/* Counted before the attempt, so that a death in it counts. */
static int count_attempts(struct batch *b) {
    const char *ids[BATCH_ITEMS];
    struct batch_item *items[BATCH_ITEMS];
    int counts[BATCH_ITEMS];
    size_t i, n = 0;
    int r;

    for (i = 0; i < b->count; i++)
        if (!b->items[i].seen && !repeats_earlier(b, i)) {
            items[n] = &b->items[i];
            ids[n++] = b->items[i].key;
        }
    while ((r = queue_attempts(b->host->job->queue, b->host->base.account, ids, n, counts)) < 0)
        if (wait_for(b, "count an attempt", redis_words(b)))
            return ADUAN_STOPPING;
    for (i = 0; i < n; i++)
        items[i]->attempts = counts[i];
    STEP("receive.attempt");
    return 0;
}

/* ------------------------------------------------------------------------ parsing */

static int make_stub(struct batch *b, struct batch_item *it, const struct aduan_bytes *in) {
    struct job *j = b->host->job;

    log_error("message %s stops its parser: kept as a stub", it->key);
    return intake_stub(j, j->account, in, host_wall(), NOTE_KILLER, &it->records);
}

static int parse_apart(struct batch *b, struct batch_item *it, const struct aduan_bytes *in) {
    struct job *j = b->host->job;
    struct aduan_message *records = NULL;
    const char *ids[1] = { it->key };
    size_t count = 0;
    int r, rc = 0;

    while ((r = parser_parse(&b->parser, in, &records, &count, &rc)) == PARSER_DIED) {
        if (it->attempts >= ATTEMPTS_MAX)
            return make_stub(b, it, in);
        while (queue_attempts(j->queue, j->account->name, ids, 1, &it->attempts) < 0)
            if (wait_for(b, "count an attempt", redis_words(b)))
                return ADUAN_STOPPING;
    }
    if (r != 0)
        return r;
    if (rc < 0 || count == 0)
        r = intake_stub(j, j->account, in, host_wall(), rc < 0 ? NOTE_GARBAGE : NOTE_EMPTY, &it->records);
    else
        r = intake_records(j, j->account, records, count, in, host_wall(), &it->records);
    if (r == 0 && rc >= 0 && count == 0)
        it->records.items[0].dead = true; /* as intake_parse() has it */
    free(records);
    return r;
}

static int parse_item(struct batch *b, struct batch_item *it) {
    struct job *j = b->host->job;
    struct aduan_bytes in = { it->bytes, it->len, it->id, it->received_at, it->whole_size };

    if (it->attempts > ATTEMPTS_MAX)
        return make_stub(b, it, &in);
    if ((module_can(b->connector, j->account->settings) & ADUAN_CAP_PARSE_APART) != 0)
        return parse_apart(b, it, &in);
    return intake_parse(j, j->account, &in, host_wall(), &it->records);
}

static int parse_all(struct batch *b) {
    size_t i;
    int r;

    for (i = 0; i < b->count; i++) {
        job_beat(b->host->job);
        if (b->items[i].seen)
            continue;
        while ((r = parse_item(b, &b->items[i])) < 0)
            if (wait_for(b, "keep an attachment or start the parser", strerror(-r)))
                return ADUAN_STOPPING;
        if (r > 0)
            return r;
        STEP("receive.parsed");
    }
    return 0;
}

/* ---------------------------------------------------------------------- accepting */

static int bury(struct batch *b, const struct intake_item *item) {
    char reason[] = "tidak dapat dibaca / cannot be read", kind[] = "in", id[32];
    struct queue_dead d = {
        .account = item->account->name,
        .reason = item->message.note != NULL ? item->message.note : reason,
        .ref = item->message.id,
        .kind = kind,
        .record = (char *)(uintptr_t)item->in.record,
        .at = host_wall(),
        .raw = item->message.raw,
        .raw_len = item->message.raw_len,
    };

    while (queue_bury(b->host->job->queue, &d, id) < 0)
        if (wait_for(b, "keep a dead letter", redis_words(b)))
            return ADUAN_STOPPING;
    return 0;
}

struct accepting {
    struct queue_in *in;
    size_t count;
    struct queue_mark marks[BATCH_ITEMS];
    size_t mark_count;
};

static int accept(struct batch *b, const char *account, struct accepting *a) {
    size_t fresh = 0;

    if (a->count == 0 && a->mark_count == 0)
        return 0;
    while (queue_accept(b->host->job->queue, account, a->in, a->count, a->marks, a->mark_count, NULL, &fresh) <
           0)
        if (wait_for(b, "accept", redis_words(b)))
            return ADUAN_STOPPING;
    b->received += (int64_t)fresh;
    b->repeats += (int64_t)(a->count - fresh);
    if (fresh > 0)
        b->last_in = host_wall();
    return 0;
}

static size_t count_records(const struct batch *b) {
    size_t i, n = 0;

    for (i = 0; i < b->count; i++)
        n += b->items[i].records.count;
    return n;
}

/* The last value of each cursor. */
static void collect_marks(struct batch *b, struct accepting *a) {
    size_t i, k;

    for (i = 0; i < b->count; i++) {
        if (b->items[i].mark == NULL || b->items[i].mark_value == NULL)
            continue;
        for (k = 0; k < a->mark_count && strcmp(a->marks[k].name, b->items[i].mark) != 0; k++)
            continue;
        a->marks[k] = (struct queue_mark){ b->items[i].mark, b->items[i].mark_value };
        if (k == a->mark_count)
            a->mark_count++;
    }
}

/* A replayed record that was accepted before: only the desk can tell whether it knows it whole or
 * as a stub, so it gets the record once more. *ret_told: it did. */
static int tell_again(struct batch *b, const struct intake_item *item, bool *ret_told) {
    struct job *j = b->host->job;
    json_t *event;
    char *text;

    while (queue_seen(j->queue, item->account->name, (const char *const[]){ item->in.id }, 1, ret_told) < 0)
        if (wait_for(b, "ask redis what is known", redis_words(b)))
            return ADUAN_STOPPING;
    if (!*ret_told)
        return 0;
    event = json_pack("{s:s, s:o}", "type", "replay", "record", aduan_message_to_json(&item->message));
    text = json_dumps(event, JSON_COMPACT);
    while (queue_event(j->queue, item->account->name, item->in.id, text) < 0)
        if (wait_for(b, "tell the desk", redis_words(b)))
            break;
    free(text);
    json_decref(event);
    return job_stopping(j) ? ADUAN_STOPPING : 0;
}

/* Everything that is not for the door's own `in`: dead letters, and what another account is due.
 * They go first, since the door's script moves the cursors past them. */
static int accept_others(struct batch *b, const struct intake_item *item, struct conf_account *door) {
    struct queue_in in = item->in;
    struct accepting a = { .in = &in, .count = 1 };

    if (item->dead)
        return bury(b, item);
    return item->account != door ? accept(b, item->account->name, &a) : 0;
}

static int accept_all(struct batch *b) {
    struct conf_account *door = b->host->job->account;
    struct accepting a = { .in = xcalloc(count_records(b) + 1, sizeof(struct queue_in)) };
    const struct intake_item *item;
    size_t i, k;
    int r = 0;

    for (i = 0; i < b->count; i++)
        for (k = 0; r == 0 && k < b->items[i].records.count; k++) {
            bool told = false;

            item = &b->items[i].records.items[k];
            if (b->again && !item->dead)
                r = tell_again(b, item, &told);
            if (r == 0 && !told)
                r = accept_others(b, item, door);
            if (!item->dead && !told && item->account == door)
                a.in[a.count++] = item->in;
        }
    collect_marks(b, &a);
    STEP("receive.accept");
    if (r == 0)
        r = accept(b, door->name, &a);
    free(a.in);
    if (r == 0)
        STEP("receive.accepted");
    return r;
}

/* accept() ended the counters of the ids it accepted; others are ended here. A lost one only
 * counts on towards a stub when the platform shows the same bytes again, so it is repeated. */
static int end_attempts(struct batch *b) {
    const char *ids[BATCH_ITEMS];
    const struct batch_item *it;
    size_t i, k, n = 0;

    for (i = 0; i < b->count; i++) {
        it = &b->items[i];
        for (k = 0; k < it->records.count; k++)
            if (!it->records.items[k].dead && strcmp(it->records.items[k].in.id, it->key) == 0)
                break;
        if (!it->seen && k == it->records.count)
            ids[n++] = it->key;
    }
    while (queue_attempts_end(b->host->job->queue, b->host->base.account, ids, n) < 0)
        if (wait_for(b, "end an attempt", redis_words(b)))
            return ADUAN_STOPPING;
    return 0;
}

static void commit(struct batch *b) {
    uint64_t cookies[BATCH_ITEMS];
    size_t i;
    int r;

    if (b->connector->commit == NULL || b->count == 0 || b->again)
        return;
    for (i = 0; i < b->count; i++)
        cookies[i] = b->items[i].cookie;
    STEP("receive.commit");
    r = b->connector->commit(b->ctx, cookies, b->count);
    if (r < 0)
        log_warn("cannot mark %zu messages on the platform: %s", b->count, strerror(-r));
    STEP("receive.committed");
}

int batch_flush(struct batch *b) {
    int r;

    if (b->count == 0)
        return 0;
    r = find_seen(b);
    if (r == 0)
        r = count_attempts(b);
    if (r == 0)
        r = parse_all(b);
    if (r == 0)
        r = accept_all(b);
    if (r == 0)
        r = end_attempts(b);
    if (r == 0) {
        if (b->waited)
            host_fault(b->host, NULL);
        b->waited = false;
        commit(b);
    }
    empty(b);
    return r;
}
