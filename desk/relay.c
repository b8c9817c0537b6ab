/*
 * relay.c: tells Redis what the register has committed.
 *
 * Each item is told, then marked as told; a crash in between tells it again,
 * which Redis ignores by its id. Nothing is told from inside a transaction.
 */
#include "desk/room.h"

#include "kit/step.h"
#include "kit/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* While messages wait to be read, they come first. */
enum { RELAY_MAX = 100, RELAY_BACKLOG = 20 };

struct relay_out {
    int64_t id;
    char *account, *key, *answer;
    bool again, told;
    int attempt;
    int64_t relayed_at;
};

struct batch {
    struct relay_out items[RELAY_MAX];
    struct reg_burial burials[RELAY_MAX];
    size_t count;
};

static int collect_out(void *arg, const struct reg_out *o) {
    struct batch *b = arg;

    b->items[b->count++] = (struct relay_out){ .id = o->id,
                                               .account = xstrdup(o->account),
                                               .key = xstrdup(o->key),
                                               .answer = xstrdup(o->answer),
                                               .again = o->again,
                                               .attempt = o->attempt,
                                               .relayed_at = o->relayed_at };
    return 0;
}

static void clear_outs(struct batch *b) {
    size_t i;

    for (i = 0; i < b->count; i++) {
        free(b->items[i].account);
        free(b->items[i].key);
        free(b->items[i].answer);
    }
    b->count = 0;
}

/* Notes what was told, in one transaction. relayed_at names the turn, so no two are the same. */
static int mark_outs(struct room *room, const struct batch *b, enum reg_out_state state) {
    size_t i;
    int rc = reg_begin(room->reg);

    for (i = 0; rc == 0 && i < b->count; i++) {
        const struct relay_out *o = &b->items[i];
        int64_t at = room->now > o->relayed_at ? room->now : o->relayed_at + 1;

        if (o->told)
            rc = reg_out_set(room->reg, o->id, state, o->again && state == REG_OUT_RELAYED, o->attempt,
                             state == REG_OUT_RELAYED ? at : o->relayed_at);
    }
    if (rc == 0)
        rc = reg_commit(room->reg);
    return rc < 0 ? -EIO : 0;
}

/* How many from `first` on go to the same account: one script, and one fsync, for all of them. */
static size_t same_account(const struct batch *b, size_t first) {
    size_t n = 1;

    while (first + n < b->count && strcmp(b->items[first].account, b->items[first + n].account) == 0)
        n++;
    return n;
}

static int put_some(struct room *room, struct relay_out *o, size_t count) {
    struct queue_put items[RELAY_MAX] = { 0 };
    int results[RELAY_MAX] = { 0 };
    size_t i;
    int rc;

    for (i = 0; i < count; i++)
        items[i] = (struct queue_put){ o[i].key, o[i].answer, o[i].again ? o[i].relayed_at : 0, o[i].attempt };
    rc = queue_put(room->o->queue, o->account, items, count, results);
    for (i = 0; rc == 0 && i < count; i++) {
        o[i].told = results[i] == 0;
        room->relayed += results[i] == 0;
    }
    return rc;
}

static int forget_some(struct room *room, struct relay_out *o, size_t count) {
    const char *ids[RELAY_MAX] = { 0 };
    size_t i;
    int rc;

    for (i = 0; i < count; i++)
        ids[i] = o[i].key;
    rc = queue_forget(room->o->queue, o->account, ids, count);
    for (i = 0; rc >= 0 && i < count; i++)
        o[i].told = true;
    return rc < 0 ? rc : 0;
}

static int tell(struct room *room, struct batch *b, enum reg_out_state from, enum reg_out_state to, size_t max,
                int (*some)(struct room *room, struct relay_out *o, size_t count)) {
    size_t i, n;
    int rc = 0, marked = 0;

    if (reg_out_list(room->reg, from, max, collect_out, b) < 0)
        return -EIO;
    STEP("relay.put");
    for (i = 0; rc == 0 && i < b->count; i += n) {
        n = same_account(b, i);
        rc = some(room, &b->items[i], n);
    }
    STEP("relay.told");
    if (b->count > 0)
        marked = mark_outs(room, b, to);
    clear_outs(b);
    return marked < 0 ? marked : rc;
}

static int collect_burial(void *arg, const struct reg_burial *b) {
    struct batch *batch = arg;
    struct reg_burial *mine = &batch->burials[batch->count++];

    *mine = *b;
    mine->account = xstrdup(b->account);
    mine->kind = xstrdup(b->kind);
    mine->ref = xstrdup(b->ref);
    mine->reason = xstrdup(b->reason);
    mine->record = xstrdup(b->record);
    mine->dead_id = xstrdup(b->dead_id);
    mine->raw = xcalloc(1, b->raw_len + 1);
    memcpy(mine->raw, b->raw, b->raw_len);
    return 0;
}

static void clear_burials(struct batch *b) {
    size_t i;

    for (i = 0; i < b->count; i++) {
        free(b->burials[i].account);
        free(b->burials[i].kind);
        free(b->burials[i].ref);
        free(b->burials[i].reason);
        free(b->burials[i].record);
        free(b->burials[i].dead_id);
        free(b->burials[i].raw);
    }
    b->count = 0;
}

/* Writes the letter; one that settled itself meanwhile is taken away again. */
static int bury_one(struct room *room, struct reg_burial *b) {
    struct queue_dead d = { .account = b->account,
                            .reason = b->reason,
                            .ref = b->ref,
                            .kind = b->kind,
                            .record = b->record,
                            .at = b->at,
                            .raw = b->raw,
                            .raw_len = b->raw_len };
    char id[32] = "";
    int rc = 0;

    if (b->dead_id[0] == '\0')
        rc = queue_bury(room->o->queue, &d, id);
    if (rc < 0)
        return rc;
    if (b->dead_id[0] == '\0') {
        free(b->dead_id);
        b->dead_id = xstrdup(id);
    }
    if (b->settled)
        rc = queue_dead_drop(room->o->queue, b->account, b->dead_id);
    return rc < 0 ? rc : 0;
}

static int mark_burials(struct room *room, const struct batch *b, size_t done) {
    size_t i;
    int rc = done > 0 ? reg_begin(room->reg) : 0;

    for (i = 0; rc == 0 && i < done; i++)
        rc = b->burials[i].settled ? reg_burial_done(room->reg, b->burials[i].id)
                                   : reg_burial_written(room->reg, b->burials[i].id, b->burials[i].dead_id);
    if (rc == 0 && done > 0)
        rc = reg_commit(room->reg);
    return rc < 0 ? -EIO : 0;
}

static int bury_letters(struct room *room, struct batch *b, size_t max) {
    size_t done = 0;
    int rc = 0, marked;

    if (reg_burial_list(room->reg, max, collect_burial, b) < 0)
        return -EIO;
    for (; done < b->count; done++) {
        STEP("relay.bury");
        rc = bury_one(room, &b->burials[done]);
        if (rc < 0)
            break;
    }
    marked = mark_burials(room, b, done);
    clear_burials(b);
    return marked < 0 ? marked : rc < 0 ? rc : 0;
}

int relay_run(struct room *room, bool backlog, bool *ret_more) {
    struct batch *b = xcalloc(1, sizeof(*b));
    size_t max = backlog ? RELAY_BACKLOG : RELAY_MAX;
    int64_t before = room->relayed;
    int rc = tell(room, b, REG_OUT_READY, REG_OUT_RELAYED, max, put_some);

    if (rc == 0)
        rc = bury_letters(room, b, max);
    if (rc == 0)
        rc = tell(room, b, REG_OUT_ENDED, REG_OUT_DONE, max, forget_some); /* Redis need not remember for us */
    *ret_more = room->relayed - before >= (int64_t)max;
    free(b);
    return rc;
}
