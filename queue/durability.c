/* durability.c: reads how durable this Redis is, and says what breaks the promise. */
#include "queue/connection.h"

#include "kit/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value of NAME in an INFO text, or "". */
static void info_value(const char *info, const char *name, char *ret, size_t size) {
    size_t len = strlen(name);

    ret[0] = '\0';
    for (const char *line = info; line != NULL; line = strchr(line, '\n')) {
        line += line != info;
        if (strncmp(line, name, len) == 0 && line[len] == ':') {
            snprintf(ret, size, "%.*s", (int)strcspn(line + len + 1, "\r\n"), line + len + 1);
            return;
        }
    }
}

static void read_info(const char *info, struct queue_durability *ret) {
    char value[32];

    info_value(info, "redis_version", ret->version, sizeof(ret->version));
    info_value(info, "run_id", ret->run_id, sizeof(ret->run_id));
    info_value(info, "aof_enabled", value, sizeof(value));
    ret->aof = text_equal(value, "1");
    info_value(info, "aof_last_write_status", value, sizeof(value));
    ret->aof_fails = value[0] != '\0' && !text_equal(value, "ok");
    info_value(info, "used_memory", value, sizeof(value));
    (void)text_parse_int(value, 0, INT64_MAX, &ret->used);
    info_value(info, "maxmemory", value, sizeof(value));
    (void)text_parse_int(value, 0, INT64_MAX, &ret->used_max);
    info_value(info, "role", value, sizeof(value));
    ret->is_master = text_equal(value, "master");
}

static int ask_info(struct queue *q, struct queue_durability *ret) {
    struct args a = { 0 };
    redisReply *reply = NULL;
    int r;

    args_add(&a, "INFO");
    r = queue_call(q, &a, &reply);
    if (r == 0 && reply->type == REDIS_REPLY_STRING)
        read_info(reply->str, ret);
    else if (r == 0)
        r = queue_fault(q, -EPROTO, "INFO answered nonsense");
    freeReplyObject(reply);
    args_free(&a);
    return r;
}

/* One setting. QUEUE_NOTHING: we are not allowed to ask, or Redis does not know it. */
static int ask_setting(struct queue *q, const char *name, char *ret, size_t size) {
    struct args a = { 0 };
    redisReply *reply = NULL;
    int r;

    args_add(&a, "CONFIG");
    args_add(&a, "GET");
    args_add(&a, name);
    r = queue_call(q, &a, &reply);
    args_free(&a);
    if (r == -EACCES || r == -EPROTO)
        return QUEUE_NOTHING;
    if (r == 0 && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2)
        snprintf(ret, size, "%s", reply->element[1]->str);
    else if (r == 0)
        r = QUEUE_NOTHING;
    freeReplyObject(reply);
    return r;
}

static int ask_settings(struct queue *q, struct queue_durability *ret) {
    static const char *const names[] = { "appendfsync", "no-appendfsync-on-rewrite", "maxmemory-policy",
                                         "maxmemory" };
    char value[4][40];

    for (size_t i = 0; i < 4; i++) {
        int r = ask_setting(q, names[i], value[i], sizeof(value[i]));

        if (r != 0)
            return r;
    }
    ret->known = true;
    ret->always = text_equal(value[0], "always");
    ret->rewrite_blocks_fsync = text_equal(value[1], "yes");
    ret->noeviction = text_equal(value[2], "noeviction");
    return 0;
}

static void say(const struct queue_durability *d, char *problem, size_t size) {
    const struct {
        bool broken;
        const char *line;
    } lines[] = {
        { !d->aof, "redis keeps no append-only file (appendonly no): everything queued is lost when it ends" },
        { !d->known, "redis does not let us read its settings (CONFIG GET): its fsync policy is unknown" },
        { d->known && d->aof && !d->always, "redis does not fsync before it answers (appendfsync is not "
                                            "always): a power cut loses accepted messages" },
        { d->known && d->rewrite_blocks_fsync,
          "redis stops its fsync during a rewrite (no-appendfsync-on-rewrite yes): a power cut then loses "
          "messages" },
        { d->aof_fails,
          "redis cannot write its append-only file (is the disk full?): it refuses new messages" },
        { d->known && !d->noeviction,
          "redis may evict what is queued when its memory is full (maxmemory-policy is not noeviction)" },
        { !d->is_master, "redis is a replica: what it is told is refused or overwritten by its master" },
    };
    struct text t = TEXT_INIT;

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        if (lines[i].broken)
            text_addf(&t, "%s%s", t.len > 0 ? "\n" : "", lines[i].line);
    snprintf(problem, size, "%s", t.s != NULL ? t.s : "");
    text_free(&t);
}

int queue_durability(struct queue *q, struct queue_durability *ret, char *problem, size_t problem_size) {
    struct queue_durability d = { 0 };
    int r = ask_info(q, &d);

    if (r == 0)
        r = ask_settings(q, &d);
    if (r < 0)
        return r;
    say(&d, problem, problem_size);
    *ret = d;
    return 0;
}
