/*
 * register.h: the office's book: cases, messages, history, outbox, people.
 *
 * The only header behind which there is SQL (SQLite now). One file,
 * STATE/register.db, in WAL mode with synchronous=FULL. The desk opens it with
 * REG_WRITE and is its only writer and the only one to checkpoint it; everybody
 * else opens it with REG_READ: read-only, never checkpointing (SQLite before
 * 3.51.3 can corrupt a WAL that two connections reset).
 *
 * Return values: 0 done; REG_NOTHING / REG_SEEN as documented; -EINVAL these
 * values cannot be stored (the transaction can go on after reg_undo_to_mark);
 * any other negative: the register is unusable, stop, acknowledge nothing.
 * reg_error() says it in words.
 *
 * Strings handed out in a struct belong to it and are freed by its _clear().
 * Strings inside are never NULL after reading ("" is absent). Times are ms UTC,
 * 0 unknown.
 */
#ifndef ADUAN_DESK_REGISTER_H
#define ADUAN_DESK_REGISTER_H

#include "desk/state.h"
#include "queue/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reg;

enum { REG_READ = 0, REG_WRITE = 1 };
enum {
    REG_NOTHING = 1, /* no such row */
    REG_SEEN = 2,    /* already there: nothing was changed */
};

/* REG_WRITE makes the file and migrates it; REG_READ refuses (-ENOENT) a missing one and (-EPROTO)
 * one of another version. state_dir is conf->state. */
int reg_open(const char *state_dir, int mode, struct reg **ret, char *why, size_t why_size);
struct reg *reg_close(struct reg *r); /* accepts and returns NULL */
const char *reg_error(const struct reg *r);
int reg_version(void); /* the newest migration this program knows */

/* One transaction for many messages. Between mark and undo/keep: a savepoint for one of them. */
int reg_begin(struct reg *r);
int reg_commit(struct reg *r);
void reg_rollback(struct reg *r);
int reg_mark(struct reg *r);
int reg_keep(struct reg *r);
int reg_undo_to_mark(struct reg *r);
/* Moves the WAL into the database when it grew (desk only, between transactions). */
int reg_checkpoint(struct reg *r);
int reg_quick_check(struct reg *r, char *why, size_t why_size);

/* ------------------------------------------------------------ conversations */

struct reg_talk {
    int64_t id;
    char *account, *channel, *key;
    bool is_public;
    int64_t last_in_at;  /* by the platform's clock, never in our future: opens the reply window */
    int64_t template_at; /* when a template last asked the citizen to write */
    char *last_in_id;    /* platform id of the newest inbound message */
    struct aduan_person person;
};
void reg_talk_clear(struct reg_talk *t);
/* The conversation of an inbound record, found by its key or (private ones) by the sender's other
 * identities, made if it is new; what the record newly tells of the person is added. */
int reg_talk_of(struct reg *r, const struct aduan_message *m, int64_t now, struct reg_talk *ret);
int reg_talk_get(struct reg *r, int64_t id, struct reg_talk *ret);
/* An inbound message was there at `at`: the reply window opens from then. */
int reg_talk_heard(struct reg *r, int64_t id, int64_t at, const char *platform_id);
int reg_talk_template(struct reg *r, int64_t id, int64_t at);

/* Counts against a limit, per correspondent ("a:siti@example.com") and span of time. */
int reg_count(struct reg *r, const char *what, const char *person, int64_t bucket, int64_t *ret_count);
int reg_count_add(struct reg *r, const char *what, const char *person, int64_t bucket, int64_t *ret_count);
int reg_count_forget(struct reg *r, const char *what, int64_t before_bucket);

/* --------------------------------------------------------------------- cases */

struct reg_case {
    int64_t id;
    char *number;
    enum case_state state;
    char *account, *channel;
    int64_t talk;       /* conversation row */
    char *conversation; /* its key */
    bool is_public;
    char *participant; /* who opened it, as reg_person_key() */
    char *subject, *language;
    char *class_, *category, *section, *confidentiality, *urgency;
    int complete;                 /* -1 not judged yet, 0, 1 */
    char *missing;                /* JSON array as text */
    char *name, *address, *phone; /* the complainant's own words, never the profile's */
    char *officer;
    int64_t received_at, due_at;
    int64_t answered_at; /* the officer answered */
    int64_t met_at;      /* the platform accepted it: the deadline is met */
    int64_t closed_at, updated_at;
    int64_t follows;     /* case this one may follow up, 0 none */
    int64_t merged_into; /* 0 none */
    int64_t public_talk; /* began there in public, before the citizen wrote privately; 0 did not */
    bool acknowledged;
};
void reg_case_clear(struct reg_case *c);
/* Fills c->id and c->number: the next of code and year, without gaps (same transaction). */
int reg_case_add(struct reg *r, const char *code, int year, struct reg_case *c);
int reg_case_save(struct reg *r,
                  const struct reg_case *c); /* everything but number, account, talk, times of receipt */
int reg_case_get(struct reg *r, int64_t id, struct reg_case *ret);
/* What a portal tells of the reporter, as worklist_private_fault() takes it: kept for that check, never
 * shown. */
int reg_case_withhold(struct reg *r, int64_t id, const char *json);
int reg_case_withheld(struct reg *r, int64_t id, char **ret_json);               /* new */
int reg_case_by_number(struct reg *r, const char *number, struct reg_case *ret); /* any letter case */
/* The newest open case of a telephone number: E.164, or as it was said. */
int reg_case_open_phone(struct reg *r, const char *phone, const char *said, struct reg_case *ret);
/* Also the case that began in this (public) conversation and moved since. */
int reg_case_latest_of_talk(struct reg *r, int64_t talk, bool open_only, struct reg_case *ret);
/* The newest open case that this person opened in public on this account. */
int reg_case_open_public(struct reg *r, const char *account, const char *person, struct reg_case *ret);
int reg_case_move(struct reg *r, const struct reg_case *c); /* saves talk, public_talk and is_public */
/* Gives a case without a subject one. */
int reg_case_subject(struct reg *r, int64_t id, const char *subject);
/* Its name becomes another; so does that of a case merged into it which was called the same. */
int reg_case_rename(struct reg *r, int64_t id, const char *was, const char *subject);

struct reg_filter {
    const char *state, *section, *officer, *channel, *search; /* NULL or "": any */
    bool overdue;                                             /* due before `now` and not answered in time */
    bool open_only;
    int64_t now;
    int64_t before_id; /* for the next page: ids below this one; 0: from the newest */
    size_t limit;      /* 0: 1,000 */
};
/* Newest first. The callback's case lives during the call; it returns 0 to go on. */
int reg_cases(struct reg *r, const struct reg_filter *f, int (*each)(void *arg, const struct reg_case *c),
              void *arg);
int reg_case_counts(struct reg *r, int (*each)(void *arg, const char *state, int64_t count), void *arg);

/* ------------------------------------------------------------------ messages */

struct reg_attachment {
    int64_t id;
    int index;
    char *name, *type, *sha256, *state, *note; /* state: stored, pending, failed, purged */
    int64_t size;
};

/* Flags of the register's own, beside enum aduan_message_flags: the same mail came to another box of ours; it
 * was unsent before it came. */
enum { REG_MESSAGE_COPY = 1 << 16, REG_MESSAGE_UNSENT = 1 << 17 };

struct reg_message {
    int64_t id, ticket, talk; /* ticket 0: background only (old traffic, echoes without a case) */
    bool out;
    char *key;                                    /* in: message id; out: answer id */
    char *account, *kind, *platform_id, *mail_id; /* mail_id: RFC 5322 Message-ID */
    char *person;                                 /* reg_person_key of the sender; out: the officer or "" */
    char *subject, *text, *quoted, *note, *language, *reply_to;
    char **references; /* mail: oldest first */
    size_t reference_count;
    bool is_public;
    unsigned flags;
    int64_t at; /* in: sent_at or received_at; out: when queued */
    int64_t received_at;
    int64_t purged_at;                  /* unsent by its author: text and attachments are gone */
    enum answer_status status;          /* out only */
    enum aduan_answer_kind answer_kind; /* out only; 0: written by the office elsewhere (echo) */
    char *reason;                       /* out: why failed or uncertain */
};
void reg_message_clear(struct reg_message *m);
/* "p:+62…", "a:mail@host", "i:CHANNEL:id", or "" : who wrote, for budgets and "same participant". New string.
 */
char *reg_person_key(const char *channel, const struct aduan_person *p);

/* An inbound record with attachments and raw bytes. 0 and *ret_id, or REG_SEEN (known message id). */
int reg_message_add(struct reg *r, const struct aduan_message *m, const char *person, int64_t ticket,
                    int64_t talk, bool out, const void *raw, size_t raw_len, int64_t *ret_id);
int reg_message_seen(struct reg *r, const char *key); /* REG_SEEN or REG_NOTHING */
int reg_message_by_key(struct reg *r, const char *key, struct reg_message *ret);
int reg_message_get(struct reg *r, int64_t id, struct reg_message *ret);
int reg_message_by_platform(struct reg *r, const char *account, const char *platform_id,
                            struct reg_message *ret);
int reg_message_by_mail_id(struct reg *r, const char *mail_id, struct reg_message *ret);
int reg_message_first(struct reg *r, int64_t ticket, struct reg_message *ret);   /* oldest inbound of a case */
int reg_message_last_in(struct reg *r, int64_t ticket, struct reg_message *ret); /* newest inbound of a case */
/* The newest inbound of a case by whoever opened it, of those written in public (and still there) or in
 * private. */
int reg_message_last_of(struct reg *r, const struct reg_case *c, bool is_public, struct reg_message *ret);
/* All inbound messages with this Message-ID, oldest first. */
int reg_messages_by_mail_id(struct reg *r, const char *mail_id,
                            int (*each)(void *arg, const struct reg_message *m), void *arg);
/* The same of mails without any Message-ID: of one writer, of one time. */
int reg_messages_by_writer(struct reg *r, const char *person, int64_t at,
                           int (*each)(void *arg, const struct reg_message *m), void *arg);
/* How many answers of this publicity went to this message before, without those that failed. */
int reg_message_answered(struct reg *r, int64_t ticket, bool is_public, const char *reply_to,
                         int64_t *ret_count);
/* The text of a message that came without one. */
int reg_message_text(struct reg *r, int64_t id, const char *text);
int reg_message_edit(struct reg *r, int64_t id, const char *text,
                     int64_t at); /* keeps the former text beside */
/* Text, raw, former texts and attachments are gone; their files are forgotten (below). */
int reg_message_purge(struct reg *r, int64_t id, int64_t at);
int reg_message_drop(struct reg *r, int64_t id, int64_t at); /* an echo that was our own answer */
/* Files (of queue/blob.h) that were let go of: those due since `before`; does anything in the register still
 * refer to one (0 or REG_NOTHING); and what was decided. */
int reg_file_forget(struct reg *r, const char *sha256, int64_t at);
int reg_forgotten(struct reg *r, int64_t before, size_t max, int (*each)(void *arg, const char *sha256),
                  void *arg);
int reg_file_used(struct reg *r, const char *sha256);
int reg_file_gone(struct reg *r, const char *sha256);
int reg_message_end(struct reg *r, int64_t id, enum answer_status status, const char *platform_id,
                    const char *reason);
/* In the order in which they were written: by the platform's clock where it says nothing odd (it is not
 * ahead of ours and not a day behind), else by ours. */
int reg_messages(struct reg *r, int64_t ticket, int (*each)(void *arg, const struct reg_message *m), void *arg);
int reg_attachments(struct reg *r, int64_t message, int (*each)(void *arg, const struct reg_attachment *a),
                    void *arg);
int reg_attachment_end(struct reg *r, const char *key, int index, const char *state, const char *sha256,
                       int64_t size, const char *type, const char *note,
                       int64_t *ret_message); /* REG_NOTHING: unknown */
/* Is it stored, and the text of a message that has none? 0 and its sha256, or REG_NOTHING. */
int reg_attachment_text(struct reg *r, int64_t message, int index, char ret_sha256[65]);
/* Raw bytes of an inbound message: bytes (new buffer) or, over 64 KiB, the sha256 of a blob. */
int reg_raw(struct reg *r, const char *key, unsigned char **ret, size_t *ret_len, char ret_sha256[65]);
/* The raw bytes of all inbound messages of an account received since `from` (failed: only those that could
 * not be read), oldest first; mails of which only the headers were fetched are left out. */
struct reg_kept {
    const char *key;
    int64_t received_at;
    const void *bytes; /* or, over 64 KiB, */
    size_t len;
    const char *sha256;
};
int reg_kept(struct reg *r, const char *account, int64_t from, bool failed,
             int (*each)(void *arg, const struct reg_kept *k), void *arg);
/* A stub that could be read after all: its content becomes m's. */
int reg_message_reread(struct reg *r, int64_t id, const struct aduan_message *m);
int reg_attachment_add(struct reg *r, int64_t message, int idx, const struct aduan_attachment *a);

/* ------------------------------------------------------------------- history */

struct reg_history {
    int64_t id, ticket; /* ticket 0: about the register itself (people, keys) */
    int64_t at;
    char *actor, *event, *detail;
};
/* Appends one row; its digest covers the row and the digest before it. */
int reg_history_add(struct reg *r, int64_t ticket, int64_t at, const char *actor, const char *event,
                    const char *detail);
/* Who did this last to a case: 0 and a new string, or REG_NOTHING. */
int reg_history_actor(struct reg *r, int64_t ticket, const char *event, char **ret);
int reg_history(struct reg *r, int64_t ticket, int (*each)(void *arg, const struct reg_history *h), void *arg);
/* The newest row's id, 0 for none; and what was done after a row. */
int reg_history_last(struct reg *r, int64_t *ret_id);
int reg_history_after(struct reg *r, int64_t id, int (*each)(void *arg, const struct reg_history *h),
                      void *arg);
/* 0 and *ret_count rows whole; REG_NOTHING: *ret_bad is the first row that is altered, missing or moved. */
int reg_history_verify(struct reg *r, int64_t *ret_count, int64_t *ret_bad);

/* -------------------------------------------------------------------- outbox */

enum reg_out_state {
    REG_OUT_READY = 1, /* to be relayed to Redis */
    REG_OUT_RELAYED,   /* with its sender */
    REG_OUT_HELD,      /* reply window closed */
    REG_OUT_STUCK,     /* failed or uncertain: needs a person */
    REG_OUT_ENDED,     /* accepted by the platform; Redis may forget it */
    REG_OUT_DONE,      /* … and has */
    REG_OUT_BY_HAND,   /* in the work list until a person has carried it over */
};

struct reg_out {
    int64_t id, message, ticket, talk;
    char *key;              /* answer id: "o123-9f3a1c02" */
    char *account, *answer; /* JSON of struct aduan_answer, as it goes out */
    enum reg_out_state state;
    bool again;  /* this turn is not its first: it was held, or an officer had it sent again */
    int attempt; /* the newest attempt whose end is known */
    int64_t relayed_at;
    enum aduan_answer_kind kind;
    enum answer_status status;
};
void reg_out_clear(struct reg_out *o);
/* Next answer id, then the answer itself: message row (out) and outbox row. text and JSON from *a. */
int reg_out_next_id(struct reg *r, char ret_key[64]);
int reg_out_add(struct reg *r, const struct aduan_answer *a, const char *actor, int64_t ticket, int64_t talk,
                enum reg_out_state state, int64_t now);
int reg_out_by_key(struct reg *r, const char *key, struct reg_out *ret);
/* The next answer of a case, after this outbox id, that was written to this conversation by then and is
 * accepted by the platform but not read yet. 0 or REG_NOTHING. */
int reg_out_up_to(struct reg *r, int64_t ticket, int64_t talk, int64_t until, int64_t after,
                  struct reg_out *ret);
int reg_out_set(struct reg *r, int64_t id, enum reg_out_state state, bool again, int attempt,
                int64_t relayed_at);
int reg_out_list(struct reg *r, enum reg_out_state state, size_t max,
                 int (*each)(void *arg, const struct reg_out *o), void *arg);
/* The same for those with their sender, from the one behind `after` (an outbox row) on. */
int reg_out_relayed(struct reg *r, int64_t after, size_t max, int (*each)(void *arg, const struct reg_out *o),
                    void *arg);
/* Oldest first; held answers of one conversation become ready, and know when the citizen wrote. *ret_count how
 * many. */
int reg_out_release(struct reg *r, int64_t talk, int64_t *ret_count);
/* What it says of when the citizen last wrote becomes what is known now. */
int reg_out_heard(struct reg *r, int64_t id);
/* Answers of a case that wait for the citizen or for a person go to another conversation, under reply_to. */
int reg_out_readdress(struct reg *r, int64_t ticket, int64_t from_talk, const struct reg_talk *to,
                      const char *reply_to);
/* 0 or REG_NOTHING. Is an answer of this account on its way, or did one end unknown, so that the platform may
 * know it by an id that we have not been told? */
int reg_out_unnamed(struct reg *r, const char *account);
/* Is a reply of this case held, or on its way after it was? */
int reg_out_awaited(struct reg *r, int64_t ticket);
/* How many wait for a person to carry them over. */
int reg_out_by_hand(struct reg *r, int64_t *ret_count);
int reg_out_counts(struct reg *r, int64_t *ret_ready, int64_t *ret_held, int64_t *ret_stuck);

/* Dead letters to be written to Redis once this transaction is committed. */
struct reg_burial {
    int64_t id;
    char *account, *kind, *ref, *reason, *record;
    char *dead_id; /* where it is in Redis; "" not yet */
    bool settled;  /* to be taken away again */
    unsigned char *raw;
    size_t raw_len;
    int64_t at;
};
int reg_burial_add(struct reg *r, const struct reg_burial *b);
/* Those to be written or taken away, oldest first. */
int reg_burial_list(struct reg *r, size_t max, int (*each)(void *arg, const struct reg_burial *b), void *arg);
int reg_burial_written(struct reg *r, int64_t id, const char *dead_id);
int reg_burial_settle(struct reg *r, const char *ref); /* of an answer that arrived after all */
int reg_burial_done(struct reg *r, int64_t id);
/* A letter that is in Redis (dead_id) is to be taken away. */
int reg_burial_take_away(struct reg *r, const struct reg_burial *b);
int reg_burial_dropped(struct reg *r, const char *account, const char *dead_id);

/* A record applied without becoming a message: 0, or REG_SEEN. */
int reg_seen_add(struct reg *r, const char *key);

/* What came before that which explains it: a status under the platform id of an answer, the end of an
 * attachment under its key (MESSAGE#N), an unsending under REG_EARLY_UNSENT and the message's platform id, an
 * echo under REG_EARLY_ECHO and its own. */
#define REG_EARLY_UNSENT "unsent:"
#define REG_EARLY_ECHO   "echo:"
struct reg_early {
    char *account, *platform_id, *record;
    unsigned char *raw;
    size_t raw_len;
    int64_t at;
};
int reg_early_add(struct reg *r, const struct reg_early *e);
int reg_early_take(struct reg *r, const char *account, const char *platform_id,
                   int (*each)(void *arg, const struct reg_early *e), void *arg);
/* Hands over those that came before these times, and forgets them. */
struct reg_early_before {
    int64_t status, attachment, unsent, echo;
};
int reg_early_old(struct reg *r, const struct reg_early_before *before, size_t max,
                  int (*each)(void *arg, const struct reg_early *e), void *arg);

/* ------------------------------------------------------------------ troubles */

struct watch_book; /* watch.h */
/* All rows, oldest first; the caller frees ret->rows. */
int reg_trouble_load(struct reg *r, struct watch_book *ret);
int reg_trouble_save(struct reg *r, const struct watch_book *book);
struct reg_traffic {
    int64_t last_in, usual, count;
};
int reg_traffic_get(struct reg *r, const char *account, struct reg_traffic *ret); /* 0 or REG_NOTHING */
int reg_traffic_set(struct reg *r, const char *account, const struct reg_traffic *t);

/* ---------------------------------------------------------- people, commands */

struct reg_user {
    char *name, *role, *full, *section, *email, *hash;
    bool disabled;
    int64_t created_at, changed_at;
};
void reg_user_clear(struct reg_user *u);
int reg_user_add(struct reg *r, const struct reg_user *u); /* REG_SEEN: the name is taken */
int reg_user_save(struct reg *r, const struct reg_user *u);
int reg_user_get(struct reg *r, const char *name, struct reg_user *ret);
int reg_users(struct reg *r, int (*each)(void *arg, const struct reg_user *u), void *arg);

/* Answers of commands, by request id: a repeated command gets the same answer. digest: command_digest(). */
int reg_command_get(struct reg *r, const char *request, char **ret_digest, char **ret_json);
/* The newest equal command since then, and its answer. */
int reg_command_same(struct reg *r, const char *digest, int64_t since, char **ret_request, char **ret_json);
int reg_command_add(struct reg *r, const char *request, const char *digest, const char *json, int64_t at);
int reg_command_forget(struct reg *r, int64_t before);

#endif
