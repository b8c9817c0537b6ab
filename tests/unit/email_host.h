/*
 * email_host.h: a small host for the mail connector alone, over plain sockets.
 *
 * Enough of the host table to drive email.so's functions against real servers
 * on loopback without a daemon: emit() keeps what came (and forgets it again
 * where the test wants a crash), marks live in memory or in a file, mail() is
 * a plain SMTP dialogue, http() is answered by a function of the test.
 */
#ifndef EMAIL_HOST_H
#define EMAIL_HOST_H

#include "connectors/email/email.h"

struct email_host_raw {
    char *bytes, *id, *mark;
    size_t len;
    int64_t received_at, whole_size, emitted_at, noticed_at; /* noticed: the last EXISTS line */
    uint64_t cookie;
    bool flushed;
};

struct email_host {
    struct aduan_host base; /* first */
    void *ctx;              /* for commit() from flush() */
    struct email_host_raw *raws;
    size_t count, flushed;
    char mark[4096]; /* the accepted cursor, "" none */
    bool no_commit, quiet;
    int stop_after;             /* emits until ADUAN_STOPPING; 0: never */
    struct aduan_result result; /* of the last done() */
    int done_count;
    char fault[512]; /* last report() */
    char blob_dir[256];
    struct aduan_secret kept;
    int kept_count;
    int log_count;
    char log_last[512];
    /* answers http(): fills *ret; its memory lives with the test */
    void (*on_http)(struct email_host *h, const struct aduan_http_request *req,
                    struct aduan_http_response *ret);
    /* replaces the SMTP dialogue where set */
    void (*on_mail)(struct email_host *h, const struct aduan_mail_request *req,
                    struct aduan_mail_response *ret);
    int http_count, mail_count;
};

void email_host_init(struct email_host *h);
void email_host_clear(struct email_host *h);

/* Settings by their defaults, to be freed with email_host_settings_clear(). */
void email_host_settings(struct email_settings *s, const char *address, const char *imap_url, const char *user,
                         const char *password);
void email_host_settings_clear(struct email_settings *s);
void email_host_set(char **member, const char *value);

#endif
