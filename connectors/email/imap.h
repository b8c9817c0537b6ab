/*
 * imap.h: one IMAP session: connected, logged in, a mailbox open.
 *
 * libetpan's mailimap speaks; its bytes come from the host's stream through
 * the fence. ENVELOPE and BODYSTRUCTURE are never asked for. Every wait has a
 * deadline. After any fault the session is closed and made anew: imap_fault()
 * says what happened.
 */
#ifndef ADUAN_EMAIL_IMAP_H
#define ADUAN_EMAIL_IMAP_H

#include "email.h"
#include "fence.h"
#include "kit/oauth2.h"

enum { IMAP_BATCH = 100, IMAP_HEADER_MAX = 100 * 1024 };

struct mailimap;

struct imap_wire {
    struct aduan_host *host;
    struct aduan_stream *stream;
    struct fence fence;
    int64_t timeout_ms;
    int fault;        /* ADUAN_STOPPING, ADUAN_TIMEOUT, ADUAN_EOF, -errno; 0: none */
    const char *why;  /* what the fence refused */
    char early[4096]; /* read while waiting, not yet given to libetpan */
    size_t early_len;
};

struct imap {
    struct aduan_host *host;
    const struct email_settings *settings;
    struct imap_wire wire;
    struct mailimap *s;
    bool has_idle, has_move, has_uidplus, has_gmail;
    bool idling;
    uint32_t uidvalidity, uidnext;
    int64_t opened_at;
};

struct imap_uids {
    uint32_t *items;
    size_t count;
};

/* What was fetched of one message. */
struct imap_mail {
    uint32_t uid;
    int64_t size, received_at;
    char *bytes; /* NULL: it was not returned */
    size_t len;
};

/* Connects, logs in, greets. 0: SENT in *ret; else its outcome: LATER, LIMITED, REFUSED. On ADUAN_STOPPING
 * (returned) *ret is LATER. The session needs imap_close() only after 0 with SENT. */
int imap_open(struct imap *i, struct aduan_host *host, const struct email_settings *settings,
              struct oauth *oauth, struct aduan_result *ret);
void imap_close(struct imap *i); /* politely; accepts a closed one */
bool imap_is_open(const struct imap *i);
/* Why the last call failed, into ret; ADUAN_STOPPING when the host is stopping, else 0. Closes. */
int imap_fault(struct imap *i, const char *doing, struct aduan_result *ret);

/* All return 0, or -1: see imap_fault(). IMAP_NO: the server said NO or BAD and the session goes on. */
enum { IMAP_NO = 1 };
int imap_select(struct imap *i, const char *mailbox, bool read_only); /* sets uidvalidity, uidnext */
int imap_select_raw(struct imap *i, const char *name); /* read only, by the name the server gave */
int imap_noop(struct imap *i);
int imap_search_range(struct imap *i, uint32_t first, struct imap_uids *ret); /* first:*, filtered, ascending */
int imap_search_list(struct imap *i, const struct imap_uids *among, struct imap_uids *ret);
int imap_search_id(struct imap *i, const char *message_id, struct imap_uids *ret);
int imap_sizes(struct imap *i, struct imap_mail *mails, size_t count); /* uid set; fills size, received_at */
int imap_bodies(struct imap *i, struct imap_mail *mails, size_t count, bool header_only, int64_t limit);
int imap_store(struct imap *i, const uint32_t *uids, size_t count, bool deleted); /* \Seen or \Deleted */
int imap_move(struct imap *i, const uint32_t *uids, size_t count, const char *folder, bool *ret_left_behind);
int imap_sent_folder(struct imap *i, char **ret_name); /* by its \Sent attribute; NULL: there is none */

/* IDLE: begins, waits (0: something came; ADUAN_TIMEOUT, ADUAN_STOPPING, -1), ends. */
int imap_idle_begin(struct imap *i);
int imap_idle_wait(struct imap *i, int64_t ms);
int imap_idle_end(struct imap *i);

void imap_uids_clear(struct imap_uids *u);
char *imap_utf7(const char *utf8); /* a mailbox name in modified UTF-7 (RFC 3501 5.1.3); new */
char *imap_xoauth2(const char *user, const struct aduan_secret *token); /* base64, new: wipe it */

/* imap_login.c */
int imap_login(struct imap *i, struct oauth *oauth, struct aduan_result *ret);

#endif
