/*
 * room.h: what the desk's own files share; nobody else includes it.
 *
 * inbound   a record becomes a message of a case        (inbound.c, match.c)
 * follow    what is about a message we know             (follow.c)
 * outgoing  answers: made, held, relayed                (outgoing.c, relay.c)
 * report    what became of them                         (report.c, lost.c)
 * erase     what its author took back                   (erase.c)
 * receipt   the acknowledgement                         (receipt.c)
 *
 * Everything runs inside one register transaction per batch; return values are
 * those of register.h. What Redis is to be told waits in the register (outbox,
 * burial) until the transaction is committed.
 */
#ifndef ADUAN_DESK_ROOM_H
#define ADUAN_DESK_ROOM_H

#include "desk/calendar.h"
#include "desk/desk.h"
#include "desk/register.h"
#include "desk/template.h"
#include "desk/thread.h"

struct room {
    const struct desk_options *o;
    const struct desk_host *host;
    struct reg *reg;
    struct calendar *calendar;
    struct templates *templates;
    struct thread_key key;
    int64_t now;            /* of this batch */
    int64_t calendar_fault; /* when a missing year was last logged */
    int64_t cases, messages, repeats, buried, relayed;
    int64_t last_in_at;
    int64_t redis_ahead; /* of our clock, ms, when last asked */
    bool redis_asked;    /* in this batch */
    int64_t *heard;      /* of each account: when its last record came, in this life */
    int64_t untold_at;   /* when it was last logged that nobody can be told */
};

enum { DESK_ERROR = 3, DESK_WARN = 4, DESK_INFO = 6 }; /* syslog levels, for room_log */
enum { ROOM_BURIED = 3 };                              /* inbound_record: it became a dead letter */
enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS };

#define room_log(room, level, ...) ((room)->host->log((room)->host->arg, (level), __VA_ARGS__))

const struct desk_account *room_account(const struct room *room, const char *name);
bool room_own_address(const struct room *room, const char *address);
/* Writes a dead letter (once this batch is committed). record and raw may be empty. */
int room_bury(struct room *room, const char *account, const char *kind, const char *ref, const char *reason,
              const char *record, const void *raw, size_t raw_len);
int room_history(struct room *room, int64_t ticket, const char *actor, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* ----------------------------------------------------------------- inbound.c */

/* One record of an `in` stream. 0, ROOM_BURIED, negative. bury false: only says ROOM_BURIED and
 * why (a retry of a letter that is already there). */
int inbound_record(struct room *room, const char *account, const char *record, const void *raw, size_t raw_len,
                   bool bury, char *why, size_t why_size);

/* The first line of a text, as the subject of what has none; new. */
char *inbound_subject(const char *text);

/* ------------------------------------------------------------------- match.c */

enum match_how { MATCH_NONE = 0, MATCH_TOKEN, MATCH_REFERENCE, MATCH_NUMBER, MATCH_CONVERSATION, MATCH_AUTHOR };
struct match {
    enum match_how how;
    struct reg_case found; /* how != NONE: the case this message belongs to */
    int64_t link;          /* a case it may follow up, but must not join (0 none) */
    char link_number[32];
    const char *link_why;
};
const char *match_how_name(enum match_how how);
int match_message(struct room *room, const struct aduan_message *m, const struct reg_talk *talk,
                  const char *person, struct match *ret);
void match_clear(struct match *match);
/* Is it the same mail once more, that came to another box of ours? 0: the case it is in, and the key of the
 * one we had; REG_NOTHING; negative. */
int match_copy(struct room *room, const struct aduan_message *m, const char *person, struct reg_case *ret,
               char **ret_key);

/* ------------------------------------------------------------------ follow.c */

int follow_edit(struct room *room, const struct aduan_message *m, const char **ret_why);
int follow_delete(struct room *room, const struct aduan_message *m, const char *record, const char **ret_why);
/* Was this message unsent before it came? Asked once. */
int follow_unsent(struct room *room, const struct aduan_message *m, bool *ret);
int follow_reaction(struct room *room, const struct aduan_message *m, const char **ret_why);
int follow_status(struct room *room, const struct aduan_message *m, const char *record, const char **ret_why);
int follow_echo(struct room *room, const struct aduan_message *m, const char *record, const void *raw,
                size_t raw_len, const char **ret_why);
/* An echo that waited (REG_EARLY_ECHO): ours as is known now, still to wait, or the office's own writing. */
int follow_early_echo(struct room *room, const struct reg_early *e);
int follow_system(struct room *room, const struct aduan_message *m, const void *raw, size_t raw_len,
                  const char **ret_why);
int follow_bounce(struct room *room, const struct aduan_message *m, const void *raw, size_t raw_len,
                  const char **ret_why);

/* ------------------------------------------------------------------- erase.c */

/* The author unsent it: nothing of it stays, and a case that was named after it gets another name. */
int erase_message(struct room *room, const struct reg_message *m);
/* Removes files that messages let go of; a transaction of its own. Only while everything in Redis was read and
 * Redis has been there for ERASE_AFTER_MS, so that no worker still keeps something back. */
enum { ERASE_AFTER_MS = 2 * MINUTE_MS };
int erase_files(struct room *room);

/* ---------------------------------------------------------------- outgoing.c */

struct outgoing {
    enum aduan_answer_kind kind;
    const char *text, *language, *actor;
    struct aduan_attachment *attachments; /* sha256 known; the caller's */
    size_t attachment_count;
    bool in_public; /* where everybody reads it: only a rendering of R-14 may go there */
    char *why;      /* out: why it was refused, for a person; may be NULL */
    size_t why_size;
};
enum { OUTGOING_REFUSED = 4 };
/* Would this answer be taken: is it fit for where it goes, and within the platform's limits? 0,
 * OUTGOING_REFUSED, negative. Changes nothing. */
int outgoing_check(struct room *room, const struct reg_case *c, const struct outgoing *what);
/* Writes an answer to a case into the outbox: queued, or held while the window is closed (then a
 * template asks the citizen to write, once). ret_id, ret_held may be NULL. 0; OUTGOING_REFUSED as above,
 * nothing was written; negative. */
int outgoing_answer(struct room *room, const struct reg_case *c, const struct outgoing *what, char ret_id[64],
                    bool *ret_held);
/* Where an answer of this account begins: with its sender, or with a person who carries it over. */
enum reg_out_state outgoing_first_state(const struct room *room, const char *account);
/* by_person: for what an officer wrote, which some platforms take longer. */
bool outgoing_window_open(const struct desk_account *a, const struct reg_talk *t, bool by_person, int64_t now);
/* The citizen wrote at `at`: the window is open, what was held goes. */
int outgoing_heard(struct room *room, const struct desk_account *a, struct reg_talk *t, int64_t at,
                   const char *platform_id, int64_t ticket);
int outgoing_template(struct room *room, const struct reg_case *c, struct reg_talk *t);

/* ------------------------------------------------------------------- relay.c */

/* Tells Redis what was committed: answers, dead letters, forgotten ends; only a few while there is
 * a backlog of messages to read. *ret_more: there is more to tell. 0; -EAGAIN and the like: Redis is away;
 * -EIO: the register is unusable. */
int relay_run(struct room *room, bool backlog, bool *ret_more);

/* ------------------------------------------------------------------ notice.c */

/* Writes a mail to one of the office's own people into the outbox, by the way of account a. ticket: the case it
 * is about, or 0. */
int notice_send(struct room *room, const struct desk_account *a, const char *to, const char *subject,
                const char *text, int64_t ticket);
/* Is this message a reply to a notice, or a copy of one? Then it is kept and starts nothing. */
bool notice_is_about(const struct room *room, const struct aduan_message *m);
int notice_reply(struct room *room, const struct aduan_message *m, const void *raw, size_t raw_len);
/* A notice failed or its fate is unknown: said in the log, no dead letter. */
int notice_failed(struct room *room, const struct reg_out *o, const char *reason);

/* ----------------------------------------------------------------- trouble.c */

/* Looks what is wrong, keeps it, tells the admin. 0, also when Redis is away; negative: the register is
 * unusable. */
int trouble_run(struct room *room);

/* ------------------------------------------------------------------- lost.c */

/* Asks Redis about some answers that are with their sender: one it has forgotten ends as uncertain. From
 * *after on, the next time from where it stopped. 0, also when Redis is away; -EIO: the register is unusable.
 */
int lost_run(struct room *room, int64_t *after);

/* ------------------------------------------------------------------ report.c */

/* What became of an answer or an attachment: one entry of an `event` stream. */
int report_event(struct room *room, const struct queue_entry *e);
/* The same for an attachment whose end was told before its message was read. */
int report_early_attachment(struct room *room, const char *account, const char *key);
/* Attachment `index` of a message (its row) is stored: if it is the text of a message that came without one,
 * it becomes that. */
int report_text(struct room *room, int64_t message, int index);
struct report {
    enum answer_status status;
    const char *platform_id, *reason, *source;
    int attempt; /* 0: not from the sender */
    int64_t at;
};
int report_answer(struct room *room, struct reg_out *o, const struct report *what);

/* A stub that a replay could read after all (replay.c): an `event` of type "replay". */
int replay_event(struct room *room, const struct queue_entry *e, const json_t *json);

/* ----------------------------------------------------------------- receipt.c */

int receipt_send(struct room *room, const struct aduan_message *m, const struct desk_account *a,
                 const char *person, struct reg_case *c, const struct calendar_due *due);
/* Counts an inbound message; *ret_first_over: the first of this hour that is too many. */
int receipt_count(struct room *room, const char *person, bool *ret_first_over);
const char *language_of(const struct aduan_message *m, const char *fallback); /* "id" or "en" */

#endif
