/* attempt.c: ends attempt counters of ids under which nothing was accepted (bytes without an id of their own).
 */
#include "queue/connection.h"

int queue_attempts_end(struct queue *q, const char *account, const char *const *ids, size_t count) {
    struct args a = { 0 };
    redisReply *reply = NULL;
    int r;

    if (count == 0)
        return 0;
    args_add(&a, "HDEL");
    args_key(&a, account, "attempt", NULL);
    for (size_t i = 0; i < count; i++)
        args_add(&a, ids[i]);
    r = queue_call(q, &a, &reply);
    freeReplyObject(reply);
    args_free(&a);
    return r;
}
