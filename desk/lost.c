/*
 * lost.c: answers that Redis was told of and no longer knows (emptied, or restored from a backup).
 *
 * The register does not know whether their sender had begun, for that is written in Redis alone: such an answer
 * may have gone out. So it is never put again by itself; it ends as uncertain, which brings the case back to
 * the officer, who sends it again or gives it up.
 */
#include "desk/room.h"

#include "kit/text.h"

#include <errno.h>
#include <stdlib.h>

enum { ASK_MAX = 100 };

struct asked {
    char *account, *key;
    int64_t id;
};

struct asking {
    struct asked items[ASK_MAX];
    size_t count, lost; /* the first `lost` of them */
};

static int collect(void *arg, const struct reg_out *o) {
    struct asking *a = arg;

    a->items[a->count++] = (struct asked){ xstrdup(o->account), xstrdup(o->key), o->id };
    return 0;
}

/* Moves those Redis does not know to the front. How far it came, when Redis goes meanwhile. */
static int64_t ask(struct room *room, struct asking *a, int64_t after) {
    size_t i;

    for (i = 0; i < a->count; i++) {
        enum queue_state state;
        int attempt, rc;
        int64_t due;
        struct asked here = a->items[i];

        rc = queue_answer_state(room->o->queue, here.account, here.key, &state, &attempt, &due);
        if (rc < 0)
            return after;
        after = here.id;
        if (rc == QUEUE_NOTHING) {
            a->items[i] = a->items[a->lost];
            a->items[a->lost++] = here;
        }
    }
    return a->count < ASK_MAX ? 0 : after;
}

static int end_one(struct room *room, const char *key) {
    struct reg_out o;
    int rc = reg_out_by_key(room->reg, key, &o);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = report_answer(room, &o,
                       &(struct report){ .status = ANSWER_UNCERTAIN,
                                         .platform_id = "",
                                         .source = "desk",
                                         .reason = "redis has lost it: whether it was sent is not known",
                                         .at = room->now });
    reg_out_clear(&o);
    return rc;
}

int lost_run(struct room *room, int64_t *after) {
    struct asking *a = xcalloc(1, sizeof(*a));
    size_t i;
    int rc = reg_out_relayed(room->reg, *after, ASK_MAX, collect, a);

    if (rc >= 0)
        *after = ask(room, a, *after);
    rc = rc >= 0 && a->lost > 0 ? reg_begin(room->reg) : rc;
    for (i = 0; rc >= 0 && i < a->lost; i++)
        rc = end_one(room, a->items[i].key);
    if (rc >= 0 && a->lost > 0) {
        rc = reg_commit(room->reg);
        room_log(room, DESK_WARN, "redis has lost %zu answers that were on their way: uncertain now", a->lost);
    }
    for (i = 0; i < a->count; i++) {
        free(a->items[i].account);
        free(a->items[i].key);
    }
    free(a);
    return rc < 0 ? -EIO : 0;
}
