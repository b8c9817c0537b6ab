/*
 * desk_rig.h: a real desk over a real redis-server and a register in a temporary directory.
 *
 * Time is the rig's own; desk_run() ends as soon as nothing is left to do.
 */
#ifndef ADUAN_TEST_DESK_RIG_H
#define ADUAN_TEST_DESK_RIG_H

#include "redis_server.h"

#include "desk/desk.h"
#include "desk/register.h"

/* What account "loket" (by hand, type counter) reads documents with; set by the test that needs it. */
extern int (*rig_document)(const void *document, size_t len, int64_t now, struct aduan_message *ret);

struct rig {
    struct redis_server redis;
    char state[64];
    int64_t now;
    struct conf conf;
    struct queue *queue; /* the test's own connection */
    struct reg *reg;     /* a reader, opened by rig_reader() */
    int turns;
    bool commit_only; /* ends when the streams are empty, whatever is still to be relayed */
    char log[4096];   /* lines of the last run */
};

void rig_start(struct rig *r);
void rig_stop(struct rig *r);
void rig_reset(struct rig *r); /* empty Redis, empty state */
/* Runs the desk until nothing is left to do; its exit status. */
int rig_run(struct rig *r);
struct reg *rig_reader(struct rig *r);               /* opened anew */
json_t *rig_show(struct rig *r, const char *number); /* NULL: no such case */
json_t *rig_tickets(struct rig *r);
size_t rig_case_count(struct rig *r);
/* What is in :out of an account: an array of answers (as JSON), oldest first. */
json_t *rig_out(struct rig *r, const char *account);
size_t rig_dead_count(struct rig *r, const char *account);
char *rig_dead_id(struct rig *r, const char *account, size_t nth); /* new */

/* Messages; texts are copied. */
struct mail {
    const char *id, *from, *subject, *text, *reply_to, *references; /* references: one id */
    unsigned flags;
    int64_t sent_at;
    const char *account; /* NULL: "gmail"; or "yahoo", "box" (a maildir) */
};
void rig_mail(struct rig *r, const struct mail *m);
void rig_chat(struct rig *r, const char *id, const char *phone, const char *text, int64_t sent_at);
/* On "ig" or "fb": a comment under post1, or a direct message. */
void rig_comment(struct rig *r, const char *account, const char *id, const char *author, const char *text);
void rig_direct(struct rig *r, const char *account, const char *id, const char *author, const char *text);
/* Puts one record (changed as the test likes); takes what it holds. */
void rig_accept(struct rig *r, const char *account, struct aduan_message *m);
struct aduan_message rig_record(struct rig *r, enum aduan_kind kind, const char *account, const char *channel,
                                const char *platform_id);
void rig_event(struct rig *r, const char *account, const char *key, const char *json);
/* The sender's part: begins answer `nth` of :out and settles it. Returns its id (new). */
char *rig_settle(struct rig *r, const char *account, size_t nth, enum queue_state state,
                 const char *platform_id, const char *reason);
/* A command from a forked client while the desk runs; its answer. Member "request": its request's id, if any.
 */
json_t *rig_command(struct rig *r, const char *json, const void *raw, size_t raw_len);

const char *rig_string(const json_t *o, const char *key);
const char *rig_message(const json_t *show, size_t nth, const char *key); /* of messages[nth] */
size_t rig_events(const json_t *show, const char *event);                 /* how many history rows */

#endif
