/* replay.c: kept raw bytes on their way back to the worker that can parse them. */
#include "queue/connection.h"

#include "kit/step.h"

#include <stdlib.h>

int queue_replay(struct queue *q, const char *account, const char *key, const char *record, const void *raw,
                 size_t raw_len) {
    struct args a = { 0 };
    redisReply *reply = NULL;
    int r;

    args_add(&a, "XADD");
    args_key(&a, account, "replay", NULL);
    args_add(&a, "*");
    args_add(&a, "id");
    args_add(&a, key);
    args_add(&a, "record");
    args_add(&a, record);
    args_add(&a, "raw");
    args_add_n(&a, raw, raw_len);
    STEP("replay.before");
    r = queue_call(q, &a, &reply);
    STEP("replay.after");
    freeReplyObject(reply);
    args_free(&a);
    return r;
}
