/*
 * mime.h: a mail's parts, as GMime reads them: texts, attachments, reports.
 *
 * The only file that sees GMime is mime.c. It runs in the parse worker, on
 * bytes that passed scan_limits().
 */
#ifndef ADUAN_EMAIL_MIME_H
#define ADUAN_EMAIL_MIME_H

#include "kit/text.h"
#include "message.h"

struct mime {
    struct aduan_message *m; /* attachments are added here */
    struct text text, quoted, signature, note;
    char *delivery;    /* content of message/delivery-status */
    char *disposition; /* content of message/disposition-notification */
    char *original;    /* Message-ID of the mail a report is about */
    bool cut;          /* parts beyond the limit were left out */
    size_t parts;
};

/* 0, or -1: not a mail. */
int mime_read(const char *mail, size_t n, struct aduan_message *m, struct mime *ret);
void mime_clear(struct mime *x);
/* A Date field in ms since 1970; 0: unreadable. */
int64_t mime_date(const char *value);

#endif
