/* out.c: outbound: the life of an answer, each edge one script, and events. */
#include "queue/connection.h"

#include "kit/step.h"
#include "kit/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const state_names[] = {
    [QUEUE_QUEUED] = "queued", [QUEUE_SENDING] = "sending",     [QUEUE_LATER] = "later", [QUEUE_SENT] = "sent",
    [QUEUE_NEVER] = "failed",  [QUEUE_UNCERTAIN] = "uncertain", [QUEUE_HELD] = "held",
};

enum { STATES = sizeof(state_names) / sizeof(state_names[0]) };

const char *queue_state_name(enum queue_state s) {
    return s >= QUEUE_QUEUED && (size_t)s < STATES ? state_names[s] : "unknown";
}

static int parse_state(const char *name, enum queue_state *ret) {
    for (size_t i = QUEUE_QUEUED; i < STATES; i++) {
        if (text_equal(name, state_names[i])) {
            *ret = (enum queue_state)i;
            return 0;
        }
    }
    return -EPROTO;
}

int queue_put(struct queue *q, const char *account, const struct queue_put *items, size_t count,
              int *ret_results) {
    struct args a = { 0 };
    redisReply *reply = NULL;
    size_t i;
    int r;

    if (count == 0)
        return 0;
    args_script(&a, &script_put, count + 2);
    args_key(&a, account, "out", NULL);
    args_key(&a, account, "retry", NULL);
    for (i = 0; i < count; i++)
        args_key(&a, account, "answer", items[i].id);
    args_int(&a, clock_wall_ms());
    for (i = 0; i < count; i++) {
        args_add(&a, items[i].id);
        args_add(&a, items[i].record);
        args_int(&a, items[i].turn);
        args_int(&a, items[i].attempt);
    }
    STEP("put.before");
    r = queue_eval(q, &script_put, &a, &reply);
    STEP("put.after");
    if (r == 0 && (reply->type != REDIS_REPLY_ARRAY || reply->elements != count))
        r = queue_fault(q, -EPROTO, "script put answered nonsense");
    for (i = 0; r == 0 && ret_results != NULL && i < count; i++)
        ret_results[i] = reply->element[i]->integer == 2 ? QUEUE_STALE : 0;
    freeReplyObject(reply);
    args_free(&a);
    return r;
}

/* ------------------------------------------------- begins that got no reply */

/*
 * A begin whose reply was lost may have been done. Its repeat must not call its own attempt a
 * stranger's; so such ids are remembered until a reply comes.
 */
static size_t unsure_find(const struct queue *q, const char *key) {
    size_t i = 0;

    while (i < q->unsure_count && strcmp(q->unsure[i], key) != 0)
        i++;
    return i;
}

static void unsure_set(struct queue *q, const char *key, bool unsure) {
    size_t i = unsure_find(q, key);

    if (unsure && i == q->unsure_count) {
        q->unsure = xrealloc(q->unsure, q->unsure_count + 1, sizeof(*q->unsure));
        q->unsure[q->unsure_count++] = xstrdup(key);
    } else if (!unsure && i < q->unsure_count) {
        free(q->unsure[i]);
        q->unsure[i] = q->unsure[--q->unsure_count];
    }
}

int queue_begin(struct queue *q, const char *account, const char *id, int64_t now_ms, int *ret_attempt) {
    struct args a = { 0 };
    const char *key;
    long long attempt = 0;
    int r;

    args_script(&a, &script_begin, 2);
    args_key(&a, account, "answer", id);
    key = a.v[a.count - 1];
    args_key(&a, account, "retry", NULL);
    args_add(&a, id);
    args_int(&a, now_ms);
    args_add(&a, q->by);
    args_add(&a, unsure_find(q, key) < q->unsure_count ? "1" : "0");
    STEP("begin.before");
    r = queue_eval_int(q, &script_begin, &a, &attempt);
    STEP("begin.after");
    unsure_set(q, key, r == -EAGAIN);
    args_free(&a);
    if (r < 0)
        return r;
    if (attempt == 0)
        return QUEUE_STALE;
    *ret_attempt = (int)attempt;
    return 0;
}

/* --------------------------------------------------------------------- settling */

static void set_text(json_t *o, const char *key, const char *s) {
    json_t *value;

    if (s == NULL || s[0] == '\0')
        return;
    value = json_string(s);
    if (value == NULL) { /* a platform's words that are not UTF-8 */
        char *clean = text_clean(s, strlen(s));

        value = json_string(clean);
        free(clean);
    }
    json_object_set_new(o, key, value);
}

/* {"state", "attempt", "at", "platform_id"?, "reason"?, "due"?}: what the desk reads from :event. */
static char *event_json(const struct queue_settlement *s, int attempt, int64_t now_ms) {
    json_t *o = json_object();
    char *text;

    json_object_set_new(o, "state", json_string(queue_state_name(s->state)));
    json_object_set_new(o, "attempt", json_integer(attempt));
    json_object_set_new(o, "at", json_integer(now_ms));
    set_text(o, "platform_id", s->platform_id);
    set_text(o, "reason", s->reason);
    if (s->state == QUEUE_LATER)
        json_object_set_new(o, "due", json_integer(s->due_ms));
    text = json_dumps(o, JSON_COMPACT);
    if (text == NULL)
        abort();
    json_decref(o);
    return text;
}

int queue_settle(struct queue *q, const char *account, const char *id, int attempt, const char *entry,
                 const struct queue_settlement *s, int64_t now_ms) {
    struct args a = { 0 };
    long long settled = 0;
    char *event;
    int r;

    if (s->state < QUEUE_LATER || s->state > QUEUE_HELD)
        return queue_fault(q, -EINVAL, "not an end of an attempt: %s", queue_state_name(s->state));
    args_script(&a, &script_settle, 4);
    args_key(&a, account, "answer", id);
    args_key(&a, account, "out", NULL);
    args_key(&a, account, "event", NULL);
    args_key(&a, account, "retry", NULL);
    args_add(&a, id);
    args_int(&a, attempt);
    args_add(&a, entry);
    args_add(&a, queue_state_name(s->state));
    args_add(&a, s->platform_id);
    args_int(&a, s->due_ms);
    args_int(&a, now_ms);
    event = event_json(s, attempt, now_ms);
    args_own(&a, event);
    args_add(&a, event);
    STEP("settle.before");
    r = queue_eval_int(q, &script_settle, &a, &settled);
    STEP("settle.after");
    args_free(&a);
    if (r < 0)
        return r;
    return settled == 1 ? 0 : QUEUE_STALE;
}

/* ------------------------------------------------------------ state, forgetting */

static int read_state(struct queue *q, redisReply *const reply[2], enum queue_state *ret_state,
                      int *ret_attempt, int64_t *ret_due_ms) {
    const redisReply *fields = reply[0];

    if (fields->type != REDIS_REPLY_ARRAY || fields->elements != 2)
        return queue_fault(q, -EPROTO, "an answer's record is no hash");
    if (fields->element[0]->type != REDIS_REPLY_STRING)
        return QUEUE_NOTHING;
    if (parse_state(fields->element[0]->str, ret_state) < 0)
        return queue_fault(q, -EPROTO, "an answer's state is unknown: %.40s", fields->element[0]->str);
    *ret_attempt = fields->element[1]->str != NULL ? (int)strtol(fields->element[1]->str, NULL, 10) : 0;
    *ret_due_ms = reply[1]->str != NULL ? strtoll(reply[1]->str, NULL, 10) : 0;
    return 0;
}

int queue_answer_state(struct queue *q, const char *account, const char *id, enum queue_state *ret_state,
                       int *ret_attempt, int64_t *ret_due_ms) {
    struct args a[2] = { { 0 } };
    redisReply *reply[2];
    int r;

    args_add(&a[0], "HMGET");
    args_key(&a[0], account, "answer", id);
    args_add(&a[0], "state");
    args_add(&a[0], "attempt");
    args_add(&a[1], "ZSCORE");
    args_key(&a[1], account, "retry", NULL);
    args_add(&a[1], id);
    r = queue_pipeline(q, a, 2, reply);
    if (r == 0)
        r = read_state(q, reply, ret_state, ret_attempt, ret_due_ms);
    freeReplyObject(reply[0]);
    freeReplyObject(reply[1]);
    args_free(&a[0]);
    args_free(&a[1]);
    return r;
}

int queue_forget(struct queue *q, const char *account, const char *const *ids, size_t count) {
    struct args a = { 0 };
    long long open = 0;
    size_t i;
    int r;

    if (count == 0)
        return 0;
    args_script(&a, &script_forget, count + 1);
    args_key(&a, account, "retry", NULL);
    for (i = 0; i < count; i++)
        args_key(&a, account, "answer", ids[i]);
    for (i = 0; i < count; i++)
        args_add(&a, ids[i]);
    STEP("forget.before");
    r = queue_eval_int(q, &script_forget, &a, &open);
    STEP("forget.after");
    args_free(&a);
    if (r < 0)
        return r;
    return open == 0 ? 0 : QUEUE_STALE;
}

int queue_event(struct queue *q, const char *account, const char *key, const char *json) {
    struct args a = { 0 };
    redisReply *reply = NULL;
    int r;

    args_add(&a, "XADD");
    args_key(&a, account, "event", NULL);
    args_add(&a, "*");
    args_add(&a, "id");
    args_add(&a, key);
    args_add(&a, "record");
    args_add(&a, json);
    STEP("event.before");
    r = queue_call(q, &a, &reply);
    STEP("event.after");
    freeReplyObject(reply);
    args_free(&a);
    return r;
}
