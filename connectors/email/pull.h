/* pull.h: the context of one worker, receiving or sending. */
#ifndef ADUAN_EMAIL_PULL_H
#define ADUAN_EMAIL_PULL_H

#include "cursor.h"
#include "email.h"
#include "imap.h"
#include "kit/oauth2.h"

struct email_ctx {
    struct aduan_host *host;
    const struct email_settings *settings;
    struct oauth oauth;
    struct imap imap;
    struct cursor cursor; /* what the host accepted, plus what was emitted since */
    bool selected, dense; /* dense: gaps in what is being taken are no holes */
    unsigned exists_seen;
    int64_t next_poll, next_full;
    /* The mail that a session died on: fetched alone, and after a few times only by its header. */
    uint32_t trouble_uid;
    unsigned trouble;
    bool single, told_left_behind, told_fault;
};

#endif
