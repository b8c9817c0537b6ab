/* health.c: small hashes of an account: health, switches, secrets that rotate at run time. */
#include "queue/connection.h"

#include "kit/step.h"
#include "kit/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hash_set(struct queue *q, const char *account, const char *hash, const char *field,
                    const void *value, size_t len) {
    struct args a = { 0 };
    redisReply *reply = NULL;
    int r;

    args_add(&a, value != NULL ? "HSET" : "HDEL");
    args_key(&a, account, hash, NULL);
    args_add(&a, field);
    if (value != NULL)
        args_add_n(&a, value, len);
    r = queue_call(q, &a, &reply);
    freeReplyObject(reply);
    args_free(&a);
    return r;
}

static int hash_get(struct queue *q, const char *account, const char *hash, const char *field,
                    redisReply **ret) {
    struct args a = { 0 };
    int r;

    args_add(&a, field != NULL ? "HGET" : "HGETALL");
    args_key(&a, account, hash, NULL);
    if (field != NULL)
        args_add(&a, field);
    r = queue_call(q, &a, ret);
    args_free(&a);
    return r;
}

int queue_health_set(struct queue *q, const char *account, const char *role, const char *json) {
    return hash_set(q, account, "health", role, json, strlen(json));
}

/* A hash of JSON objects as one. */
static int objects_get(struct queue *q, const char *account, const char *hash, json_t **ret_by_role) {
    redisReply *reply;
    json_t *all;
    int r = hash_get(q, account, hash, NULL, &reply);

    if (r < 0)
        return r;
    all = json_object();
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        json_t *one = json_loadb(reply->element[i + 1]->str, reply->element[i + 1]->len, 0, NULL);

        if (one != NULL)
            json_object_set_new(all, reply->element[i]->str, one);
    }
    freeReplyObject(reply);
    *ret_by_role = all;
    return 0;
}

int queue_health_get(struct queue *q, const char *account, json_t **ret_by_role) {
    return objects_get(q, account, "health", ret_by_role);
}

int queue_probe_ask(struct queue *q, const char *account, const char *request) {
    return hash_set(q, account, "switch", "probe", request, strlen(request));
}

int queue_probe_asked(struct queue *q, const char *account, char *ret, size_t size) {
    redisReply *reply = NULL;
    int r = hash_get(q, account, "switch", "probe", &reply);

    if (r >= 0)
        snprintf(ret, size, "%s", reply->type == REDIS_REPLY_STRING ? reply->str : "");
    freeReplyObject(reply);
    return r;
}

int queue_probe_tell(struct queue *q, const char *account, const char *role, const char *json) {
    return hash_set(q, account, "probe", role, json, strlen(json));
}

int queue_probe_get(struct queue *q, const char *account, json_t **ret_by_role) {
    return objects_get(q, account, "probe", ret_by_role);
}

static int count_resume(struct queue *q, const char *account) {
    struct args a = { 0 };
    redisReply *reply = NULL;
    int r;

    args_add(&a, "HINCRBY");
    args_key(&a, account, "switch", NULL);
    args_add(&a, "resumes");
    args_add(&a, "1");
    r = queue_call(q, &a, &reply);
    freeReplyObject(reply);
    args_free(&a);
    return r;
}

int queue_switch_resumes(struct queue *q, const char *account, int64_t *ret) {
    redisReply *reply = NULL;
    int r = hash_get(q, account, "switch", "resumes", &reply);

    *ret = 0;
    if (r >= 0 && reply != NULL && reply->type == REDIS_REPLY_STRING)
        (void)text_parse_int(reply->str, 0, INT64_MAX, ret);
    freeReplyObject(reply);
    return r;
}

int queue_switch_set(struct queue *q, const char *account, const char *which, bool paused) {
    int r;

    STEP("switch.before");
    r = hash_set(q, account, "switch", which, paused ? "paused" : NULL, 6);
    if (r >= 0 && !paused && text_equal(which, "out"))
        r = count_resume(q, account);
    STEP("switch.after");
    return r;
}

int queue_switch_get(struct queue *q, const char *account, bool *ret_in_paused, bool *ret_out_paused) {
    redisReply *reply;
    int r = hash_get(q, account, "switch", NULL, &reply);

    if (r < 0)
        return r;
    *ret_in_paused = *ret_out_paused = false;
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        bool paused = text_equal(reply->element[i + 1]->str, "paused");

        if (text_equal(reply->element[i]->str, "in"))
            *ret_in_paused = paused;
        else if (text_equal(reply->element[i]->str, "out"))
            *ret_out_paused = paused;
    }
    freeReplyObject(reply);
    return 0;
}

int queue_kept_set(struct queue *q, const char *account, const char *name, const void *value, size_t len) {
    int r;

    STEP("kept.before");
    r = hash_set(q, account, "kept", name, value != NULL ? value : "", len);
    STEP("kept.after");
    return r;
}

int queue_kept_get(struct queue *q, const char *account, const char *name, char **ret) {
    redisReply *reply;
    int r = hash_get(q, account, "kept", name, &reply);

    if (r < 0)
        return r;
    if (reply->type == REDIS_REPLY_STRING) {
        *ret = xstrndup(reply->str, reply->len);
        text_wipe(reply->str, reply->len);
    } else {
        r = QUEUE_NOTHING;
    }
    freeReplyObject(reply);
    return r;
}
