/*
 * message.h: one record for what came in by any channel, and its JSON.
 *
 * A connector's parse() fills a record; the core adds id, account, channel and
 * received_at; the queue carries it as JSON beside its raw bytes; the desk
 * makes cases of it. This is a leaf: every folder may use it.
 *
 * Every text in a record is valid UTF-8 without NUL (aduan_message_to_json
 * replaces what is not by U+FFFD). Times are milliseconds since 1970, UTC; 0 is
 * unknown. Any pointer may be NULL where not said otherwise. A record owns all
 * it points to; aduan_message_clear() frees it.
 */
#ifndef ADUAN_MESSAGE_H
#define ADUAN_MESSAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum aduan_kind {
    ADUAN_KIND_MESSAGE = 1, /* somebody wrote to the office */
    ADUAN_KIND_EDIT,        /* reply_to names what was edited; text is the new text */
    ADUAN_KIND_DELETE,      /* reply_to names what was unsent: our copy is purged, the fact kept */
    ADUAN_KIND_REACTION,    /* reply_to names what was reacted to; text is the emoji, "" = removed */
    ADUAN_KIND_STATUS,      /* the fate of an answer of ours: see status below */
    ADUAN_KIND_ECHO,        /* written by the office outside Aduan (phone app, web mail) */
    ADUAN_KIND_SYSTEM,      /* the platform tells something (number changed, bounce, account fault) */
    ADUAN_KIND_UNPARSED,    /* could not be read: note says why, raw is kept, an officer sees it */
};

enum aduan_attachment_state {
    ADUAN_ATTACHMENT_STORED = 1, /* bytes are in the blob store under sha256 */
    ADUAN_ATTACHMENT_PENDING,    /* source says where the connector can fetch it */
    ADUAN_ATTACHMENT_FAILED,     /* given up; note says why */
};

struct aduan_attachment {
    char *name;   /* cleaned file name: no path, no control or bidi characters; never NULL */
    char *type;   /* media type as declared, lower case; never NULL */
    int64_t size; /* bytes, -1 unknown */
    char *sha256; /* 64 hex digits once stored */
    char *source; /* the connector's own handle to fetch it by (opaque to everybody else) */
    char *note;   /* in plain words, what an officer should know */
    enum aduan_attachment_state state;
    /* Its bytes are the text of the message, which the platform did not send along: once stored, the desk
     * makes them the message's text. */
    bool is_text;
    /* Only between parse() and the blob store, never in JSON: */
    unsigned char *data;
    size_t data_len;
};

struct aduan_person {
    char *id;      /* the platform's stable id (user_id, PSID, lower-cased mail address) */
    char *name;    /* profile name: never the complainant's name */
    char *handle;  /* @name, changes freely */
    char *address; /* e-mail address */
    char *phone;   /* E.164 with '+' */
};

/* For ADUAN_KIND_STATUS: what became of an answer of ours. */
struct aduan_status {
    char *state;        /* "sent", "delivered", "read", "failed" */
    char *platform_id;  /* the platform's id of our answer */
    char *answer;       /* our outbox id, where the platform gave it back */
    char *reason;       /* for failed: one line */
    bool window_closed; /* for failed: refused because the reply window is closed */
};

enum aduan_message_flags {
    ADUAN_MESSAGE_AUTOMATIC = 1u << 0, /* written by a machine: never acknowledge (RFC 3834) */
    ADUAN_MESSAGE_BOUNCE = 1u << 1,    /* a delivery failure notice */
    ADUAN_MESSAGE_PARTIAL = 1u << 2,   /* only part was fetched (too large): note says so */
    ADUAN_MESSAGE_HISTORY = 1u << 3,   /* old traffic replayed by the platform: start nothing */
    ADUAN_MESSAGE_LIST = 1u << 4,      /* through a mailing list */
};

struct aduan_message {
    char *id;          /* ACCOUNT "/" platform id: the key for "seen before"; set by the core */
    char *account;     /* set by the core */
    char *channel;     /* "email", "whatsapp", …; set by the core */
    char *platform_id; /* the platform's own id, unique in the account; set by parse(), never NULL */
    char *to;          /* which of our addresses it came to (phone_number_id, page id, mailbox) */
    enum aduan_kind kind;
    char *conversation; /* key of the thread as the platform sees it: sender for chats and mail */
    struct aduan_person sender;
    bool is_public; /* a post or comment that anybody can read */
    char *subject;
    char *text;          /* what was written, quotes and signature dropped; never NULL */
    char *quoted;        /* what was split off as quoted text */
    char *language;      /* BCP 47 where the platform says it, else NULL */
    int64_t sent_at;     /* the platform's clock */
    int64_t received_at; /* our clock; for mail the server's INTERNALDATE where known */
    char *message_id;    /* RFC 5322 Message-ID without angle brackets, else NULL */
    char *reply_to;      /* platform id (mail: Message-ID) it answers or is about */
    char **references;   /* mail: every id in References and In-Reply-To, oldest first */
    size_t reference_count;
    struct aduan_attachment *attachments;
    size_t attachment_count;
    struct aduan_status status;
    unsigned flags;     /* enum aduan_message_flags */
    char *note;         /* for an officer, in plain words: why unparsed, what is missing */
    json_t *extra;      /* channel-specific details worth keeping; an object or NULL */
    unsigned char *raw; /* the bytes it came from; not in JSON, carried beside it */
    size_t raw_len;
    char *raw_sha256; /* instead of raw: a body over 64 KiB, in the blob store */
};

/* All-zero is a valid empty record; kind must be set. */
void aduan_message_clear(struct aduan_message *m);
struct aduan_attachment *
aduan_message_add_attachment(struct aduan_message *m); /* zeroed, size -1; NULL: no memory */
int aduan_message_add_reference(struct aduan_message *m, const char *id);

/* Steals nothing. Returns a new reference, NULL when out of memory. */
json_t *aduan_message_to_json(const struct aduan_message *m);
/* The same JSON as compact text, written directly: what the way in needs, at a third of the cost. */
char *aduan_message_to_text(const struct aduan_message *m, size_t *ret_len);
/* Fills *m (to be cleared by the caller also on failure).
 * 0, or -1 with a reason in why (a static or truncated text). */
int aduan_message_from_json(struct aduan_message *m, const json_t *json, char *why, size_t why_size);

const char *aduan_kind_name(enum aduan_kind kind); /* "message", "edit", … */
int aduan_kind_parse(const char *name, enum aduan_kind *ret_kind);

/*
 * An answer on its way out: what the desk queued and a connector sends.
 */
enum aduan_answer_kind {
    ADUAN_ANSWER_REPLY = 1, /* written or released by a person */
    ADUAN_ANSWER_AUTOMATIC, /* acknowledgement, reminder: marked as such (RFC 3834), loops guarded */
    ADUAN_ANSWER_TEMPLATE,  /* only opens a closed reply window; the connector picks its template */
    ADUAN_ANSWER_NOTICE,    /* to the office's own people, about no citizen's thread */
};

struct aduan_answer {
    char *id; /* outbox id, at most 64 of [A-Za-z0-9.-]; never NULL */
    char *account;
    char *number; /* ticket number */
    enum aduan_answer_kind kind;
    char *conversation;
    struct aduan_person to;
    bool is_public;
    bool confidential; /* the case is secret or its author unnamed: where answers can be hidden, this one is */
    char *subject;
    char *text;
    char *language;    /* "id" or "en" */
    char *reply_to;    /* platform id of the message that is answered */
    char **references; /* mail: References to carry, oldest first */
    size_t reference_count;
    char *token;                          /* signed local part for our own Message-ID: same at every attempt */
    struct aduan_attachment *attachments; /* all stored */
    size_t attachment_count;
    int64_t queued_at;
    int64_t heard_at;         /* when the citizen last wrote here, by the platform's clock; 0 never */
    unsigned answered_before; /* how many answers of this publicity went to the same reply_to before */
};

void aduan_answer_clear(struct aduan_answer *a);
json_t *aduan_answer_to_json(const struct aduan_answer *a);
int aduan_answer_from_json(struct aduan_answer *a, const json_t *json, char *why, size_t why_size);

#endif
