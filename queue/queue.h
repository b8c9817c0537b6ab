/*
 * queue.h: what is in flight, in Redis streams.
 *
 * Keys are aduan:{ACCOUNT}:NAME as DESIGN.md section 3 fixes them; every
 * change of more than one key is one script, so that a crash between two
 * instructions leaves either all of it or nothing (Redis writes a script to its
 * AOF as MULTI … EXEC).
 *
 * Return values: 0 done; QUEUE_* positive as each function documents; negative:
 * -EAGAIN Redis is away (connection, LOADING, timeout: nothing may be assumed,
 * repeat the same call: every call here is idempotent by its ids), -ENOSPC
 * Redis refuses writes (maxmemory, disk), -EPROTO it answered nonsense,
 * -EACCES it refuses us. queue_error() says it in words.
 *
 * A queue is one blocking connection; the gateway uses queue_async.
 */
#ifndef ADUAN_QUEUE_H
#define ADUAN_QUEUE_H

#include "queue/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue;

enum {
    QUEUE_NOTHING = 1, /* nothing there (timeout elapsed, not found) */
    QUEUE_STALE = 2,   /* fenced: another attempt owns it, or the state is not the one named */
    QUEUE_UNKNOWN = 3, /* a command that may have been carried out */
};

struct queue_options {
    const char *redis;    /* unix:/path or host:port */
    const char *user;     /* "" none */
    const char *password; /* NULL or "" none */
    int64_t timeout_ms;   /* per command; 0: 5 s */
};

/* Never fails by itself: connects at first use and again when lost. Options are copied. */
struct queue *queue_new(const struct queue_options *o);
struct queue *queue_free(struct queue *q);
const char *queue_error(const struct queue *q); /* last fault, one line, no secret */
int queue_ping(struct queue *q);
/* Waits (queue_reader_read, queue_command) end early once fd is readable, as job_wake_fd is; -1: none. */
void queue_wake(struct queue *q, int fd);

/* -------------------------------------------------------------- durability */

struct queue_durability {
    bool aof, always, rewrite_blocks_fsync; /* no-appendfsync-on-rewrite = yes */
    bool noeviction, is_master, known;      /* known: CONFIG GET was allowed */
    char version[32];
    char run_id[48];
    bool aof_fails;         /* its last write to the append-only file failed */
    int64_t used_max, used; /* maxmemory (0: no limit) and used_memory, bytes */
};
/* Reads it; text_problem gets one line for each thing that breaks the promise ("" = all well). */
int queue_durability(struct queue *q, struct queue_durability *ret, char *problem, size_t problem_size);

/* -------------------------------------------------------------- inbound */

/* One message for accept: id decides "seen before". */
struct queue_in {
    const char *id;     /* message id (with account) */
    const char *record; /* JSON */
    size_t record_len;
    const void *raw;
    size_t raw_len;
    unsigned media; /* how many attachments are pending: that many jobs go to :media */
};
/* A cursor to move in the same script. */
struct queue_mark {
    const char *name, *value;
};
/* All or nothing: not seen -> XADD in first, remember second; marks move last; the attempt
 * counters of these ids end. ret_ids (count entries of 32 bytes, or NULL) get the stream id, of
 * the first time for repeats; ret_fresh (or NULL) how many were new. */
int queue_accept(struct queue *q, const char *account, const struct queue_in *in, size_t count,
                 const struct queue_mark *marks, size_t mark_count, char (*ret_ids)[32], size_t *ret_fresh);

/* Value of a cursor: 0 and a new string, or QUEUE_NOTHING. */
int queue_mark_get(struct queue *q, const char *account, const char *name, char **ret);
/* Counts attempts for each id before they are made (one round trip); ret[i] is the count so far,
 * this one included. Kept in hash aduan:{A}:attempt. */
int queue_attempts(struct queue *q, const char *account, const char *const *ids, size_t count, int *ret);
/* Ends the counters of ids that queue_accept() does not end itself: raw bytes without an id. */
int queue_attempts_end(struct queue *q, const char *account, const char *const *ids, size_t count);
/* Which of these ids are seen? (to skip work; accept decides) */
int queue_seen(struct queue *q, const char *account, const char *const *ids, size_t count, bool *ret);

/* ------------------------------------------- the asynchronous side (gateway) */

struct queue_async; /* one connection, one accept in flight; the rest waits and goes together */
struct queue_async_ops {
    /* The loop should watch fd for writing, too (or stop). Called from within our calls. */
    void (*want_write)(void *arg, bool on);
    /* A new fd to watch for reading (after connect), or -1: stop watching. */
    void (*fd_changed)(void *arg, int fd);
};
struct queue_async *queue_async_new(const struct queue_options *o, const struct queue_async_ops *ops,
                                    void *arg);
struct queue_async *queue_async_free(struct queue_async *q); /* pending accepts end with -EAGAIN */
void queue_async_readable(struct queue_async *q);
void queue_async_writable(struct queue_async *q);
/* Called about every 100 ms and after every batch: reconnects, times out. */
void queue_async_tick(struct queue_async *q, int64_t now_ms);
bool queue_async_up(const struct queue_async *q);
/* Copies nothing: in[] and what it points to live until done. rc as of queue_accept. done is
 * called exactly once, never from within. */
void queue_async_accept(struct queue_async *q, const char *account, const struct queue_in *in, size_t count,
                        void (*done)(void *arg, int rc), void *arg);

/* ------------------------------------------------------------- dead letters */

struct queue_dead {
    char id[32];                  /* stream id in :dead */
    char *account, *reason, *ref; /* ref: message id or outbox id it is about; may be "" */
    char *kind;                   /* "in" (an inbound record or bytes), "out" (an answer) */
    char *record;                 /* JSON, may be "" */
    int64_t at;
    unsigned char *raw;
    size_t raw_len;
};
void queue_dead_clear(struct queue_dead *d);
/* ref makes it idempotent: the same (kind, ref, reason) is kept once. */
int queue_bury(struct queue *q, const struct queue_dead *d, char ret_id[32]);
int queue_dead_list(struct queue *q, const char *account, int (*each)(void *arg, const struct queue_dead *d),
                    void *arg);
int queue_dead_get(struct queue *q, const char *account, const char *id, struct queue_dead *ret);
int queue_dead_drop(struct queue *q, const char *account, const char *id); /* 0 or QUEUE_NOTHING */

/* ------------------------------------------------------------ reading streams */

/* One entry as a reader sees it. Pointers live until the next read. */
struct queue_entry {
    const char *account;
    const char *stream; /* "in", "event", "out", "media", "do" */
    char id[32];
    const char *key;    /* in: message id; out: outbox id; event: outbox or message id; do: request id */
    const char *record; /* JSON text, NUL-terminated */
    size_t record_len;
    const void *raw; /* in: raw bytes; do: attached bytes; may be NULL */
    size_t raw_len;
    int64_t added_ms; /* from the stream id: when it was queued */
};

struct queue_source {
    const char *account; /* "desk" for the do stream */
    const char *stream;
};

/* Reads as consumer `consumer` of group `group` (made on first use, from the beginning) from all
 * sources at once. again true: this consumer's own unacknowledged entries, oldest first, after
 * the id each source was last read at; false: new ones. Calls each() for up to max entries in
 * all. Waits up to wait_ms for the first (wakes by queue_wake fd if given, -1 none).
 * 0 or QUEUE_NOTHING. */
struct queue_reader;
struct queue_reader *queue_reader_new(struct queue *q, const char *group, const char *consumer,
                                      const struct queue_source *sources, size_t count);
struct queue_reader *queue_reader_free(struct queue_reader *r);
int queue_reader_read(struct queue_reader *r, bool again, size_t max, int64_t wait_ms,
                      int (*each)(void *arg, const struct queue_entry *e), void *arg);
/* XACK + XDEL, many at once; ids of one stream. */
int queue_reader_ack(struct queue_reader *r, const char *account, const char *stream, const char (*ids)[32],
                     size_t count);
/* Count of entries and age of the oldest, ms (0 if none). */
int queue_depth(struct queue *q, const char *account, const char *stream, int64_t now_ms, int64_t *ret_count,
                int64_t *ret_oldest_ms);

/* ------------------------------------------------------------------ outbound
 *
 * An answer's life is hash aduan:{A}:answer:ID {state, attempt, entry, platform_id, at}:
 *
 *   queue_put     -> queued                     (desk; repeat of a turn: no change)
 *   queue_begin   queued|later -> sending, attempt+1   (durable before the first byte leaves)
 *   queue_settle  sending(attempt) -> sent | later | never | uncertain | held ; event written
 *   queue_forget  removes the hash              (desk, once its register has the end)
 *
 * `later` puts the due time into :retry; the entry stays pending with its sender. A settled end
 * acknowledges and deletes the out entry in the same script. */

enum queue_state {
    QUEUE_QUEUED = 1,
    QUEUE_SENDING,
    QUEUE_LATER,
    QUEUE_SENT,
    QUEUE_NEVER,
    QUEUE_UNCERTAIN,
    QUEUE_HELD,
};
const char *
queue_state_name(enum queue_state s); /* "queued", "sending", "later", "sent", "failed", "uncertain", "held" */

/* Puts answers of one account on :out, in order, each once a turn: turn names the decision to have it
 * sent (the first, or a restart because an officer said so or the window opened), and is the same
 * when the desk repeats itself after a crash. attempt: the newest number it has heard of. In
 * ret_results[i] (or NULL): 0, or QUEUE_STALE: an earlier turn is still on its way, tell it again later. */
struct queue_put {
    const char *id, *record;
    int64_t turn;
    int attempt;
};
int queue_put(struct queue *q, const char *account, const struct queue_put *items, size_t count,
              int *ret_results);
/* 0 and *ret_attempt; QUEUE_STALE: it is not queued or later (somebody sends it, or it ended). */
int queue_begin(struct queue *q, const char *account, const char *id, int64_t now_ms, int *ret_attempt);
struct queue_settlement {
    enum queue_state state; /* SENT, LATER, NEVER, UNCERTAIN, HELD */
    const char *platform_id;
    const char *reason;
    int64_t due_ms; /* LATER */
};
/* 0; QUEUE_STALE when attempt is not the one on record. entry: id in :out, to acknowledge. */
int queue_settle(struct queue *q, const char *account, const char *id, int attempt, const char *entry,
                 const struct queue_settlement *s, int64_t now_ms);
/* What is on record. 0 or QUEUE_NOTHING. due_ms: from :retry, 0 none. */
int queue_answer_state(struct queue *q, const char *account, const char *id, enum queue_state *ret_state,
                       int *ret_attempt, int64_t *ret_due_ms);
/* QUEUE_STALE: some of them have not ended, and are kept. */
int queue_forget(struct queue *q, const char *account, const char *const *ids, size_t count);

/* An event about an answer or an attachment, for the desk. json is an object; key as in
 * queue_entry. Repeats with the same (key, json) may appear twice: the desk is idempotent. */
int queue_event(struct queue *q, const char *account, const char *key, const char *json);

/* Attachments to fetch: entries of :media are written by accept; key is MESSAGE-ID "#" INDEX,
 * record the attachment's JSON. Ended by queue_reader_ack after queue_event. */

/* ------------------------------------------------------------------- replay
 *
 * Raw bytes that are to be parsed again wait in :replay for the account's receive worker: key is
 * the message id they were kept under, record {"received_at": ms, "sha256": …}, raw the bytes
 * unless sha256 names a blob. What parse() makes of them goes the normal way; a record whose id is
 * known already reaches the desk as an event {"type":"replay","record":{…}}. */
int queue_replay(struct queue *q, const char *account, const char *key, const char *record, const void *raw,
                 size_t raw_len);

/* ------------------------------------------------------ commands to the desk */

/* A command, for aduanctl and the console. `request` is its id: letters, digits, "-", "_", ".", at
 * most REQUEST_MAX of them, random for a new command. The desk keeps its answer under it for 30 days
 * and carries out one request once: what ended QUEUE_UNKNOWN is asked about, or repeated, by the same
 * call with the same request and json. Borrowed until the call returns. */
struct queue_order {
    const char *request, *json;
    const void *raw; /* bytes that go with it (attachments), or NULL */
    size_t raw_len;
    int64_t wait_ms;  /* for an answer; then it is taken back if the desk has not been handed it */
    int64_t taken_ms; /* how much longer for one that it was handed */
    /* Another way to the answer (the register on this host), asked now and then in taken_ms: 0 and a
     * new string, else anything. NULL: there is none. */
    int (*known)(void *arg, char **ret_json);
    void *arg;
};
enum { QUEUE_REQUEST_MAX = 64 };

/* Sends a command and waits for its answer (aduan:{desk}:do, :done); a wake ends the wait.
 *   0              answered: a new string in *ret_json
 *   QUEUE_NOTHING  the desk did not take it in time, and never will: nothing was done
 *   QUEUE_UNKNOWN  it may have been carried out, or be so soon: repeat it with the same request only
 *   negative       Redis was away or refused it: nothing was done */
int queue_command(struct queue *q, const struct queue_order *o, char **ret_json);

/* The desk's side. Answers a request; trims :done to the newest 1,000. */
int queue_command_done(struct queue *q, const char *request, const char *json);
/* Was a request put within the hour whose sender never heard the answer? */
int queue_command_unheard(struct queue *q, const char *request, bool *ret);
/* Redis's clock, by which added_ms of an entry goes. */
int queue_time(struct queue *q, int64_t *ret_ms);

/* --------------------------------------------------------------------- health */

/* hash aduan:{A}:health, field = role; a JSON object, refreshed by each worker every 2 s. */
int queue_health_set(struct queue *q, const char *account, const char *role, const char *json);
int queue_health_get(struct queue *q, const char *account, json_t **ret_by_role);
/* Switches of an account: hash aduan:{A}:switch, "in" / "out" = "paused". */
int queue_switch_set(struct queue *q, const char *account, const char *which, bool paused);
int queue_switch_get(struct queue *q, const char *account, bool *ret_in_paused, bool *ret_out_paused);
/* How often its sending has been resumed: also without a pause, that means "try now". */
int queue_switch_resumes(struct queue *q, const char *account, int64_t *ret);
/* An admin asks that the account be probed: the newest request is kept beside the switches ("probe"), and
 * each worker that asks its platform leaves what it found in hash aduan:{A}:probe, field = role: a JSON
 * object {request, at, outcome, reason}. ret is "" when nobody ever asked. */
int queue_probe_ask(struct queue *q, const char *account, const char *request);
int queue_probe_asked(struct queue *q, const char *account, char *ret, size_t size);
int queue_probe_tell(struct queue *q, const char *account, const char *role, const char *json);
int queue_probe_get(struct queue *q, const char *account, json_t **ret_by_role);
/* A secret that rotates at run time (a refresh token), kept beside the queue: hash aduan:{A}:kept. */
int queue_kept_set(struct queue *q, const char *account, const char *name, const void *value, size_t len);
int queue_kept_get(struct queue *q, const char *account, const char *name, char **ret);

/* --------------------------------------------------------------------- back-off */

/* Pure: pause before attempt n+1 (n >= 1 made), capped, with jitter from random in 0..2^32-1. */
int64_t queue_backoff_ms(int attempt, uint32_t random);

#endif
