/* dead.c: what needs a person: buried once, listed, looked at, dropped. */
#include "queue/connection.h"

#include "kit/sign.h"
#include "kit/step.h"
#include "kit/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 50 };

void queue_dead_clear(struct queue_dead *d) {
    free(d->account);
    free(d->reason);
    free(d->ref);
    free(d->kind);
    free(d->record);
    free(d->raw);
    memset(d, 0, sizeof(*d));
}

/* The same (kind, ref, reason) is one letter; without a ref its content says what it is about. */
static void digest_of(const struct queue_dead *d, char ret[SIGN_HEX256]) {
    const char *parts[] = { d->kind, d->ref, d->reason };
    struct sign_stream *s = sign_stream_new();

    for (size_t i = 0; i < 3; i++)
        sign_stream_add(s, parts[i] != NULL ? parts[i] : "", parts[i] != NULL ? strlen(parts[i]) + 1 : 1);
    if (d->ref == NULL || d->ref[0] == '\0') {
        sign_stream_add(s, d->record != NULL ? d->record : "", d->record != NULL ? strlen(d->record) + 1 : 1);
        sign_stream_add(s, d->raw, d->raw_len);
    }
    sign_stream_hex(s, ret);
    sign_stream_free(s);
}

int queue_bury(struct queue *q, const struct queue_dead *d, char ret_id[32]) {
    struct args a = { 0 };
    redisReply *reply = NULL;
    char digest[SIGN_HEX256];
    int r;

    digest_of(d, digest);
    args_script(&a, &script_bury, 2);
    args_key(&a, d->account, "dead", NULL);
    args_key(&a, d->account, "dead", "index");
    args_add(&a, digest);
    args_add(&a, d->kind);
    args_add(&a, d->ref);
    args_add(&a, d->reason);
    args_add(&a, d->record);
    args_add_n(&a, d->raw, d->raw_len);
    args_int(&a, d->at != 0 ? d->at : clock_wall_ms());
    STEP("bury.before");
    r = queue_eval(q, &script_bury, &a, &reply);
    STEP("bury.after");
    if (r == 0 && reply->type != REDIS_REPLY_STRING)
        r = queue_fault(q, -EPROTO, "bury answered no id");
    if (r == 0 && ret_id != NULL)
        snprintf(ret_id, 32, "%s", reply->str);
    freeReplyObject(reply);
    args_free(&a);
    return r;
}

static char *take(const redisReply *value) {
    return xstrndup(value->str, value->len);
}

static void read_dead(const char *account, const redisReply *entry, struct queue_dead *ret) {
    const redisReply *fields = entry->element[1];

    memset(ret, 0, sizeof(*ret));
    snprintf(ret->id, sizeof(ret->id), "%s", entry->element[0]->str);
    ret->account = xstrdup(account);
    for (size_t i = 0; i + 1 < fields->elements; i += 2) {
        const char *name = fields->element[i]->str;
        const redisReply *value = fields->element[i + 1];

        if (text_equal(name, "kind")) {
            ret->kind = take(value);
        } else if (text_equal(name, "ref")) {
            ret->ref = take(value);
        } else if (text_equal(name, "reason")) {
            ret->reason = take(value);
        } else if (text_equal(name, "record")) {
            ret->record = take(value);
        } else if (text_equal(name, "at")) {
            ret->at = strtoll(value->str, NULL, 10);
        } else if (text_equal(name, "raw")) {
            ret->raw = xcalloc(value->len + 1, 1); /* may hold NUL: no string */
            memcpy(ret->raw, value->str, value->len);
            ret->raw_len = value->len;
        }
    }
}

static int range(struct queue *q, const char *account, const char *from, const char *to, redisReply **ret) {
    struct args a = { 0 };
    int r;

    args_add(&a, "XRANGE");
    args_key(&a, account, "dead", NULL);
    args_add(&a, from);
    args_add(&a, to);
    args_add(&a, "COUNT");
    args_int(&a, PAGE);
    r = queue_call(q, &a, ret);
    args_free(&a);
    if (r == 0 && (*ret)->type != REDIS_REPLY_ARRAY) {
        freeReplyObject(*ret);
        r = queue_fault(q, -EPROTO, "dead letters are no stream");
    }
    return r;
}

int queue_dead_list(struct queue *q, const char *account, int (*each)(void *arg, const struct queue_dead *d),
                    void *arg) {
    char from[34] = "-";
    size_t got;

    do {
        redisReply *reply;
        int r = range(q, account, from, "+", &reply);

        if (r < 0)
            return r;
        got = reply->elements;
        for (size_t i = 0; r == 0 && i < got; i++) {
            struct queue_dead d;

            read_dead(account, reply->element[i], &d);
            snprintf(from, sizeof(from), "(%s", d.id);
            r = each(arg, &d);
            queue_dead_clear(&d);
        }
        freeReplyObject(reply);
        if (r != 0)
            return r < 0 ? r : 0;
    } while (got == PAGE);
    return 0;
}

static bool is_stream_id(const char *id) {
    return strlen(id) < 32 && id[strspn(id, "0123456789-")] == '\0' && id[0] >= '0' && id[0] <= '9';
}

int queue_dead_get(struct queue *q, const char *account, const char *id, struct queue_dead *ret) {
    redisReply *reply;
    int r;

    if (!is_stream_id(id))
        return QUEUE_NOTHING;
    r = range(q, account, id, id, &reply);
    if (r < 0)
        return r;
    if (reply->elements == 1)
        read_dead(account, reply->element[0], ret);
    else
        r = QUEUE_NOTHING;
    freeReplyObject(reply);
    return r;
}

int queue_dead_drop(struct queue *q, const char *account, const char *id) {
    struct args a = { 0 };
    long long dropped = 0;
    int r;

    if (!is_stream_id(id))
        return QUEUE_NOTHING;
    args_script(&a, &script_drop, 2);
    args_key(&a, account, "dead", NULL);
    args_key(&a, account, "dead", "index");
    args_add(&a, id);
    STEP("drop.before");
    r = queue_eval_int(q, &script_drop, &a, &dropped);
    STEP("drop.after");
    args_free(&a);
    if (r < 0)
        return r;
    return dropped == 1 ? 0 : QUEUE_NOTHING;
}
