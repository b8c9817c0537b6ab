/*
 * desk.c: the desk's loop: streams in, one transaction, commit, acknowledge, relay.
 *
 * A batch of entries from all accounts goes into one register transaction; only
 * after its commit are the entries acknowledged. Killed anywhere, the entries
 * come again and change nothing. Redis away: wait. Register unusable: say so,
 * acknowledge nothing, end.
 */
#include "desk/desk.h"

#include "desk/command.h"
#include "desk/room.h"
#include "kit/step.h"
#include "kit/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH_PER_STREAM = 250, WAIT_MS = 700, PAUSE_MS = 200, HOUSEKEEPING_MS = 10 * 1000 };
/* A status waits for its sender's own report; an attachment's end for its message, which may be far behind. */
enum { EARLY_STATUS_MS = 30 * 1000, EARLY_ATTACHMENT_MS = 15 * MINUTE_MS };
/* As long as platforms go on delivering a webhook that we did not take, and a day. */
static const int64_t EARLY_UNSENT_MS = 8 * (int64_t)DAY_MS;

/* Entries of one stream to acknowledge after the commit. */
struct acks {
    const char *account, *stream;
    char (*ids)[32];
    size_t count, room;
};

struct answered {
    char *key, *json;
};

struct loop {
    struct room room;
    struct queue_reader *reader;
    struct queue_source *sources;
    struct acks *acks; /* one per source */
    size_t source_count;
    struct answered *answers;
    size_t answer_count;
    size_t taken; /* entries in this turn */
    bool open;    /* a transaction is under way */
    bool away;    /* Redis was away at the last call */
    int fault;    /* the register's, that ends us */
    int64_t housekept, health_at, watched;
    int64_t asked_after; /* lost_run() */
    int64_t there_since; /* Redis, without a break; 0: it is away */
    int64_t erased;      /* erase_files() */
};

const struct desk_account *room_account(const struct room *room, const char *name) {
    size_t i;

    for (i = 0; i < room->o->account_count; i++)
        if (text_equal(room->o->accounts[i].name, name))
            return &room->o->accounts[i];
    return NULL;
}

bool room_own_address(const struct room *room, const char *address) {
    size_t i;

    for (i = 0; address != NULL && address[0] != '\0' && i < room->o->account_count; i++)
        if (room->o->accounts[i].address != NULL &&
            text_compare_nocase(room->o->accounts[i].address, address) == 0)
            return true;
    return false;
}

int room_bury(struct room *room, const char *account, const char *kind, const char *ref, const char *reason,
              const char *record, const void *raw, size_t raw_len) {
    struct reg_burial b = { .account = (char *)(uintptr_t)account,
                            .kind = (char *)(uintptr_t)kind,
                            .ref = (char *)(uintptr_t)ref,
                            .reason = (char *)(uintptr_t)reason,
                            .record = (char *)(uintptr_t)record,
                            .raw = (unsigned char *)(uintptr_t)raw,
                            .raw_len = raw_len,
                            .at = room->now };

    room->buried++;
    return reg_burial_add(room->reg, &b);
}

int room_history(struct room *room, int64_t ticket, const char *actor, const char *event, const char *fmt,
                 ...) {
    struct text detail = TEXT_INIT;
    va_list ap;
    int rc;

    va_start(ap, fmt);
    text_vaddf(&detail, fmt, ap);
    va_end(ap);
    rc = reg_history_add(room->reg, ticket, room->now, actor, event, detail.s);
    text_free(&detail);
    return rc;
}

/* ------------------------------------------------------------------- a batch */

static int begin(struct loop *l) {
    if (l->open)
        return 0;
    l->room.now = l->room.host->now(l->room.host->arg);
    l->room.redis_asked = false;
    l->fault = reg_begin(l->room.reg);
    l->open = l->fault == 0;
    return l->fault;
}

static void remember_ack(struct loop *l, const struct queue_entry *e) {
    size_t i;

    for (i = 0; i < l->source_count; i++) {
        struct acks *a = &l->acks[i];

        if (strcmp(a->account, e->account) != 0 || strcmp(a->stream, e->stream) != 0)
            continue;
        if (a->count == a->room) {
            a->room = a->room > 0 ? 2 * a->room : 64;
            a->ids = xrealloc(a->ids, a->room, sizeof(*a->ids));
        }
        memcpy(a->ids[a->count++], e->id, sizeof(e->id));
        return;
    }
}

static void heard_of(struct room *room, const char *account) {
    size_t i;

    for (i = 0; i < room->o->account_count; i++)
        if (text_equal(room->o->accounts[i].name, account))
            room->heard[i] = room->now;
}

static int take_in(struct loop *l, const struct queue_entry *e) {
    char why[300] = "";
    int rc = inbound_record(&l->room, e->account, e->record, e->raw, e->raw_len, true, why, sizeof(why));

    l->room.last_in_at = l->room.now;
    heard_of(&l->room, e->account);
    return rc < 0 ? rc : 0;
}

static int take_command(struct loop *l, const struct queue_entry *e) {
    char *answer = NULL;
    int rc = command_run(&l->room, e, &answer);

    if (rc < 0)
        return rc;
    l->answers = xrealloc(l->answers, l->answer_count + 1, sizeof(*l->answers));
    l->answers[l->answer_count++] = (struct answered){ .key = xstrdup(e->key), .json = answer };
    return 0;
}

/* One event that cannot be stored becomes a dead letter, as in inbound_record(). */
static int take_event(struct loop *l, const struct queue_entry *e) {
    int rc = reg_mark(l->room.reg);

    if (rc == 0)
        rc = report_event(&l->room, e);
    if (rc == -EINVAL) {
        rc = reg_undo_to_mark(l->room.reg);
        return rc < 0 ? rc
                      : room_bury(&l->room, e->account, "in", e->key, "event: cannot be stored", e->record,
                                  NULL, 0);
    }
    return rc < 0 ? rc : reg_keep(l->room.reg);
}

static int take_entry(void *arg, const struct queue_entry *e) {
    struct loop *l = arg;
    int rc = begin(l);

    if (rc < 0)
        return rc;
    if (strcmp(e->stream, "in") == 0)
        rc = take_in(l, e);
    else if (strcmp(e->stream, "event") == 0)
        rc = take_event(l, e);
    else
        rc = take_command(l, e);
    if (rc < 0) {
        l->fault = rc;
        return rc;
    }
    remember_ack(l, e);
    l->taken++;
    return 0;
}

static void pause_ms(struct loop *l, int64_t ms) {
    struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000 };

    l->room.host->alive(l->room.host->arg);
    nanosleep(&t, NULL);
}

/* Says once when Redis goes and comes. */
static void redis_is(struct loop *l, int rc) {
    bool away = rc < 0;

    if (away && !l->away)
        room_log(&l->room, DESK_WARN, "waiting for redis: %s", queue_error(l->room.o->queue));
    if (!away && l->away)
        room_log(&l->room, DESK_INFO, "redis is back");
    if (away)
        l->there_since = 0;
    else if (l->there_since == 0)
        l->there_since = l->room.now;
    l->away = away;
}

static int tell_answers(struct loop *l) {
    size_t i, done = 0;
    int rc = 0;

    for (; done < l->answer_count && rc == 0; done += rc == 0)
        rc = queue_command_done(l->room.o->queue, l->answers[done].key, l->answers[done].json);
    for (i = 0; i < done; i++) {
        free(l->answers[i].key);
        free(l->answers[i].json);
    }
    memmove(l->answers, l->answers + done, (l->answer_count - done) * sizeof(*l->answers));
    l->answer_count -= done;
    return rc;
}

static int tell_acks(struct loop *l) {
    size_t i;
    int rc = 0;

    for (i = 0; rc == 0 && i < l->source_count; i++) {
        struct acks *a = &l->acks[i];

        rc = queue_reader_ack(l->reader, a->account, a->stream, (const char(*)[32])a->ids, a->count);
        if (rc == 0)
            a->count = 0;
    }
    return rc;
}

/* What is committed must be told before more is read; Redis may be away for long. Ending meanwhile
 * is safe: the entries come again and change nothing. */
static void acknowledge(struct loop *l) {
    int rc;

    STEP("desk.acknowledge");
    for (;;) {
        rc = l->answer_count > 0 ? tell_answers(l) : 0;
        if (rc == 0)
            rc = tell_acks(l);
        redis_is(l, rc);
        if (rc == 0 || l->room.host->stopping(l->room.host->arg))
            break;
        pause_ms(l, PAUSE_MS);
    }
    STEP("desk.acknowledged");
}

static int finish_batch(struct loop *l) {
    if (!l->open)
        return 0;
    l->open = false;
    l->fault = reg_commit(l->room.reg);
    if (l->fault == 0)
        acknowledge(l);
    return l->fault;
}

/* ------------------------------------------------------------- housekeeping */

static int end_early(void *arg, const struct reg_early *e) {
    const char *what = "a status of an answer we never sent";

    if (text_starts(e->platform_id, REG_EARLY_ECHO))
        return follow_early_echo(arg, e);
    if (text_starts(e->platform_id, REG_EARLY_UNSENT))
        what = "a deletion of a message we never saw";
    else if (strchr(e->platform_id, '#') != NULL)
        what = "an attachment of a message we never saw";
    return room_bury(arg, e->account, "in", e->platform_id, what, e->record, NULL, 0);
}

static int keep_house(struct loop *l) {
    struct room *room = &l->room;
    struct reg_early_before before;
    int rc;

    room->now = room->host->now(room->host->arg);
    before = (struct reg_early_before){ .status = room->now - EARLY_STATUS_MS,
                                        .attachment = room->now - EARLY_ATTACHMENT_MS,
                                        .unsent = room->now - EARLY_UNSENT_MS,
                                        .echo = room->now };
    if (room->now - l->housekept < HOUSEKEEPING_MS)
        return 0;
    l->housekept = room->now;
    rc = lost_run(room, &l->asked_after);
    if (rc == 0)
        rc = reg_begin(room->reg);
    if (rc == 0)
        rc = reg_early_old(room->reg, &before, 100, end_early, room);
    if (rc == 0)
        rc = reg_count_forget(room->reg, "in", room->now / HOUR_MS - 2);
    if (rc == 0)
        rc = reg_count_forget(room->reg, "auto", room->now / DAY_MS - 2);
    if (rc == 0)
        rc = reg_command_forget(room->reg, room->now - 30 * (int64_t)DAY_MS);
    return rc == 0 ? reg_commit(room->reg) : rc;
}

/* Nothing is left to be read, and workers had the time to tell what they kept while Redis was away. */
static int erase(struct loop *l) {
    struct room *room = &l->room;

    if (l->taken > 0 || l->there_since == 0 || room->now - l->there_since < ERASE_AFTER_MS ||
        room->now - l->erased < HOUSEKEEPING_MS)
        return 0;
    l->erased = room->now;
    return erase_files(room);
}

/* Those that have no worker to tell how they are. */
static json_t *accounts_at_desk(const struct room *room) {
    json_t *names = json_array();
    size_t i;

    for (i = 0; i < room->o->account_count; i++)
        if (room->o->accounts[i].at_desk)
            json_array_append_new(names, json_string(room->o->accounts[i].name));
    return names;
}

static void tell_health(struct loop *l) {
    struct room *room = &l->room;
    int64_t now = room->host->now(room->host->arg);
    json_t *j;

    if (now - l->health_at < 2000)
        return;
    l->health_at = now;
    j = json_object();
    json_object_set_new(j, "cases", json_integer(room->cases));
    json_object_set_new(j, "messages", json_integer(room->messages));
    json_object_set_new(j, "repeats", json_integer(room->repeats));
    json_object_set_new(j, "buried", json_integer(room->buried));
    json_object_set_new(j, "relayed", json_integer(room->relayed));
    json_object_set_new(j, "last_in", json_integer(room->last_in_at));
    json_object_set_new(j, "at_desk", accounts_at_desk(room));
    if (now - room->calendar_fault < HOUR_MS)
        json_object_set_new(j, "fault", json_string("no calendar for the year: new cases have no deadline"));
    room->host->health(room->host->arg, j);
}

/* ------------------------------------------------------------------ the loop */

static bool is_minute(struct loop *l) {
    if (l->watched != 0 && l->room.now - l->watched < MINUTE_MS)
        return false;
    l->watched = l->room.now;
    return true;
}

/* A turn: read, commit, acknowledge, relay. Negative: the register is unusable. */
static int turn(struct loop *l, bool *again, bool *more) {
    size_t max = BATCH_PER_STREAM * l->source_count;
    int rc;

    l->taken = 0;
    /* Not a wait of 1 ms: Redis ends a short one at its next tick only, up to 100 ms later. */
    rc = queue_reader_read(l->reader, *again, max, *again || *more ? 0 : WAIT_MS, take_entry, l);

    if (l->fault < 0)
        return l->fault;
    if (finish_batch(l) < 0)
        return l->fault;
    if (rc < 0) {
        redis_is(l, rc);
        pause_ms(l, PAUSE_MS);
        return 0;
    }
    if (rc == QUEUE_NOTHING)
        *again = false;
    l->room.now = l->room.host->now(l->room.host->arg);
    rc = relay_run(&l->room, l->taken >= BATCH_PER_STREAM, more);
    if (rc == -EIO)
        return rc;
    redis_is(l, rc);
    rc = keep_house(l);
    if (rc == 0 && !*again)
        rc = erase(l);
    if (rc == 0 && is_minute(l))
        rc = trouble_run(&l->room);
    return rc < 0 ? rc : reg_checkpoint(l->room.reg);
}

static int run(struct loop *l) {
    const struct desk_host *host = l->room.host;
    bool again = true, more = false;
    int rc = 0;

    while (rc == 0 && !host->stopping(host->arg)) {
        host->alive(host->arg);
        rc = turn(l, &again, &more);
        tell_health(l);
    }
    if (rc < 0) {
        reg_rollback(l->room.reg);
        room_log(&l->room, DESK_ERROR, "register is unusable: %s; nothing is acknowledged",
                 reg_error(l->room.reg));
    }
    return rc < 0 ? 1 : 0;
}

static void make_reader(struct loop *l) {
    const struct desk_options *o = l->room.o;
    size_t i;

    l->source_count = 1 + 2 * o->account_count;
    l->sources = xcalloc(l->source_count, sizeof(*l->sources));
    l->acks = xcalloc(l->source_count, sizeof(*l->acks));
    l->sources[0] = (struct queue_source){ .account = "desk", .stream = "do" };
    for (i = 0; i < o->account_count; i++) {
        l->sources[1 + 2 * i] = (struct queue_source){ .account = o->accounts[i].name, .stream = "in" };
        l->sources[2 + 2 * i] = (struct queue_source){ .account = o->accounts[i].name, .stream = "event" };
    }
    for (i = 0; i < l->source_count; i++)
        l->acks[i] = (struct acks){ .account = l->sources[i].account, .stream = l->sources[i].stream };
    l->reader = queue_reader_new(o->queue, "desk", "desk", l->sources, l->source_count);
}

/* Policy files: every fault at once. */
static int open_policy(struct room *room) {
    struct faults faults = { 0 };
    size_t i;

    room->calendar = calendar_load(room->o->conf->policy, room->o->conf->office.timezone, &faults);
    room->templates = templates_load(room->o->conf->policy, &faults);
    for (i = 0; i < faults.count; i++) {
        char *line = fault_text(&faults.items[i]);

        room_log(room, DESK_ERROR, "%s", line);
        free(line);
    }
    i = faults.count;
    faults_clear(&faults);
    return i > 0 ? -1 : 0;
}

static int open_room(struct room *room) {
    char why[512] = "";
    int rc = open_policy(room);

    if (rc == 0)
        rc = reg_open(room->o->conf->state, REG_WRITE, &room->reg, why, sizeof(why));
    if (rc == 0)
        rc = thread_key_open(room->o->conf->state, &room->key, why, sizeof(why));
    if (rc != 0 && why[0] != '\0')
        room_log(room, DESK_ERROR, "register is unusable: %s", why);
    return rc;
}

static void close_loop(struct loop *l) {
    size_t i;

    queue_reader_free(l->reader);
    for (i = 0; i < l->source_count; i++)
        free(l->acks[i].ids);
    for (i = 0; i < l->answer_count; i++) {
        free(l->answers[i].key);
        free(l->answers[i].json);
    }
    free(l->room.heard);
    free(l->acks);
    free(l->answers);
    free(l->sources);
    reg_close(l->room.reg);
    calendar_free(l->room.calendar);
    templates_free(l->room.templates);
    text_wipe(&l->room.key, sizeof(l->room.key));
}

int desk_run(const struct desk_options *o, const struct desk_host *host) {
    struct loop l = { .room = { .o = o, .host = host } };
    int status = 1;

    l.room.now = host->now(host->arg);
    l.room.heard = xcalloc(o->account_count + 1, sizeof(*l.room.heard));
    if (open_room(&l.room) == 0) {
        make_reader(&l);
        status = run(&l);
    }
    close_loop(&l);
    return status;
}
