/* accept.c: inbound: messages and cursors in one script, attempt counters, "seen before". */
#include "queue/connection.h"

#include "kit/sign.h"
#include "kit/step.h"
#include "kit/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Ids are remembered in 4,096 hashes an account, so that each stays small enough for Redis' compact
 * form (44 bytes an id): 12 bits of the digest name the hash, 16 bytes are the field.
 */
enum { DIGEST = 16 };

struct seen {
    char bucket[4];
    uint8_t digest[DIGEST];
};

static void seen_of(const char *id, struct seen *ret) {
    uint8_t whole[SIGN_SHA256];

    sign_sha256(id, strlen(id), whole);
    memcpy(ret->digest, whole, DIGEST);
    snprintf(ret->bucket, sizeof(ret->bucket), "%03x", (unsigned)(whole[30] << 8 | whole[31]) & 0xfff);
}

/* ------------------------------------------------------------------ media jobs */

static void add_job(struct args *a, const char *id, size_t index, const json_t *attachment) {
    char *key = xasprintf("%s#%zu", id, index);
    char *record = json_dumps(attachment, JSON_COMPACT);

    if (record == NULL)
        abort();
    args_own(a, key);
    args_add(a, key);
    args_own(a, record);
    args_add(a, record);
}

static bool is_pending(const json_t *attachment) {
    return text_equal(json_string_value(json_object_get(attachment, "state")), "pending");
}

/* One job for each attachment that is still at the platform, as the record itself says. */
static void add_jobs(struct args *a, const struct queue_in *in) {
    json_t *record = json_loadb(in->record, in->record_len, 0, NULL);
    const json_t *attachments = json_object_get(record, "attachments"), *one;
    int64_t jobs = 0;
    size_t i;

    json_array_foreach(attachments, i, one) jobs += is_pending(one);
    args_int(a, jobs);
    json_array_foreach(attachments, i, one) if (is_pending(one)) add_job(a, in->id, i, one);
    json_decref(record);
}

/* --------------------------------------------------------------------- accept */

static void add_message(struct args *a, const struct queue_in *in, const uint8_t *digest) {
    args_add(a, in->id);
    args_add_n(a, digest, DIGEST);
    args_add_n(a, in->record, in->record_len);
    args_add_n(a, in->raw, in->raw_len);
    if (in->media != 0)
        add_jobs(a, in);
    else
        args_add_n(a, "0", 1);
}

void accept_arguments(struct args *a, const char *account, const struct queue_in *const *in, size_t count,
                      const struct queue_mark *marks, size_t mark_count) {
    struct seen *seen = xcalloc(count + 1, sizeof(*seen));

    args_own(a, (char *)seen);
    args_script(a, &script_accept, 4 + count);
    args_key(a, account, "in", NULL);
    args_key(a, account, "media", NULL);
    args_key(a, account, "mark", NULL);
    args_key(a, account, "attempt", NULL);
    for (size_t i = 0; i < count; i++) {
        seen_of(in[i]->id, &seen[i]);
        args_key(a, account, "seen", seen[i].bucket);
    }
    args_int(a, (int64_t)count);
    args_int(a, (int64_t)mark_count);
    for (size_t i = 0; i < count; i++)
        add_message(a, in[i], seen[i].digest);
    for (size_t i = 0; i < mark_count; i++) {
        args_add(a, marks[i].name);
        args_add(a, marks[i].value);
    }
}

static int read_accepted(struct queue *q, const redisReply *reply, size_t count, char (*ret_ids)[32],
                         size_t *ret_fresh) {
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != count + 1 ||
        reply->element[0]->type != REDIS_REPLY_INTEGER)
        return queue_fault(q, -EPROTO, "accept answered nonsense");
    for (size_t i = 0; ret_ids != NULL && i < count; i++) {
        const redisReply *id = reply->element[i + 1];

        if (id->type != REDIS_REPLY_STRING)
            return queue_fault(q, -EPROTO, "accept answered no id");
        snprintf(ret_ids[i], 32, "%s", id->str);
    }
    if (ret_fresh != NULL)
        *ret_fresh = (size_t)reply->element[0]->integer;
    return 0;
}

int queue_accept(struct queue *q, const char *account, const struct queue_in *in, size_t count,
                 const struct queue_mark *marks, size_t mark_count, char (*ret_ids)[32], size_t *ret_fresh) {
    const struct queue_in **all = xcalloc(count + 1, sizeof(*all));
    struct args a = { 0 };
    redisReply *reply = NULL;
    int r;

    for (size_t i = 0; i < count; i++)
        all[i] = &in[i];
    accept_arguments(&a, account, all, count, marks, mark_count);
    STEP("accept.before");
    r = queue_eval(q, &script_accept, &a, &reply);
    STEP("accept.after");
    if (r == 0)
        r = read_accepted(q, reply, count, ret_ids, ret_fresh);
    freeReplyObject(reply);
    args_free(&a);
    free(all);
    return r;
}

int queue_mark_get(struct queue *q, const char *account, const char *name, char **ret) {
    struct args a = { 0 };
    redisReply *reply = NULL;
    int r;

    args_add(&a, "HGET");
    args_key(&a, account, "mark", NULL);
    args_add(&a, name);
    r = queue_call(q, &a, &reply);
    if (r == 0 && reply->type == REDIS_REPLY_STRING)
        *ret = xstrndup(reply->str, reply->len);
    else if (r == 0)
        r = QUEUE_NOTHING;
    freeReplyObject(reply);
    args_free(&a);
    return r;
}

int queue_attempts(struct queue *q, const char *account, const char *const *ids, size_t count, int *ret) {
    struct args a = { 0 };
    redisReply *reply = NULL;
    int r;

    if (count == 0)
        return 0;
    args_script(&a, &script_attempt, 1);
    args_key(&a, account, "attempt", NULL);
    for (size_t i = 0; i < count; i++)
        args_add(&a, ids[i]);
    STEP("attempt.before");
    r = queue_eval(q, &script_attempt, &a, &reply);
    STEP("attempt.after");
    if (r == 0 && (reply->type != REDIS_REPLY_ARRAY || reply->elements != count))
        r = queue_fault(q, -EPROTO, "attempt answered nonsense");
    for (size_t i = 0; r == 0 && i < count; i++)
        ret[i] = (int)reply->element[i]->integer;
    freeReplyObject(reply);
    args_free(&a);
    return r;
}

int queue_seen(struct queue *q, const char *account, const char *const *ids, size_t count, bool *ret) {
    struct args *a = xcalloc(count + 1, sizeof(*a));
    redisReply **replies = xcalloc(count + 1, sizeof(*replies));
    struct seen *seen = xcalloc(count + 1, sizeof(*seen));
    int r;

    for (size_t i = 0; i < count; i++) {
        seen_of(ids[i], &seen[i]);
        args_add(&a[i], "HEXISTS");
        args_key(&a[i], account, "seen", seen[i].bucket);
        args_add_n(&a[i], seen[i].digest, DIGEST);
    }
    r = count == 0 ? 0 : queue_pipeline(q, a, count, replies);
    for (size_t i = 0; i < count; i++) {
        if (r == 0)
            ret[i] = replies[i]->integer == 1;
        freeReplyObject(replies[i]);
        args_free(&a[i]);
    }
    free(seen);
    free(replies);
    free(a);
    return r;
}
