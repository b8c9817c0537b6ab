/*
 * email.h: the settings of a mail account and what the files of this folder share.
 *
 * Two halves that never meet in one process: reading (scan, words, flowed,
 * quote, html, tnef, mime, report, parse: pure functions over bytes, run in
 * the parse worker) and talking (fence, wire, auth, imap, pull, send).
 */
#ifndef ADUAN_EMAIL_H
#define ADUAN_EMAIL_H

#include "connector.h"
#include "kit/oauth2.h"
#include "kit/text.h"

enum email_auth { EMAIL_AUTH_PASSWORD = 0, EMAIL_AUTH_XOAUTH2 = 1 };

struct email_imap_settings {
    char *url, *user, *mailbox, *after;
    struct aduan_secret password;
    bool idle;
    int64_t poll, limit, backlog;
};

struct email_smtp_settings {
    char *url, *user;
    struct aduan_secret password;
    int64_t limit; /* of a whole mail as it leaves; 0: EMAIL_SEND_MAX */
};

struct email_settings {
    char *address, *name;
    int auth;
    struct email_imap_settings imap;
    struct email_smtp_settings smtp;
    struct oauth2_settings oauth;
};

#define EMAIL_LOOP_HEADER "X-Aduan-Loop"
#define EMAIL_SEND_MAX    (25 * 1024 * 1024) /* what Gmail and Yahoo take */

extern const struct aduan_setting email_table[], email_smtp_table[];
void email_check(const void *settings, aduan_fault_fn fault, void *arg);
/* The part of it that maildir shares: who we are. */
void email_check_address(const struct email_settings *s, aduan_fault_fn fault, void *arg);
const char *email_address(const void *settings);
int email_selftest(char *why, size_t why_size);

/* parse.c: the connector's parse(). */
int email_parse(const void *settings, const struct aduan_bytes *in, struct aduan_sink *sink);

/* pull.c, send.c */
int email_open(struct aduan_host *host, const void *settings, void **ret_ctx);
void *email_close(void *ctx);
int email_pull(void *ctx, int64_t wait_ms, struct aduan_result *ret);
int email_commit(void *ctx, const uint64_t *cookies, size_t count);
void email_send(void *ctx, const struct aduan_answer *answer, uint64_t token);
void email_find(void *ctx, const struct aduan_answer *answer, struct aduan_result *ret);
void email_probe(void *ctx, struct aduan_result *ret);

/* compose.c: can this answer go as a mail, and is it small enough? As connector.h says. */
int email_fits(const void *settings, const struct aduan_answer *answer, char *why, size_t why_size);

#endif
