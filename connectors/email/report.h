/* report.h: what a delivery report (RFC 3464) or a read receipt (RFC 8098) says about a mail of ours. */
#ifndef ADUAN_EMAIL_REPORT_H
#define ADUAN_EMAIL_REPORT_H

#include <stdbool.h>
#include <stddef.h>

struct report {
    const char *state; /* "delivered", "read", "failed"; NULL: nothing final (static) */
    char *recipient;   /* lower case, or NULL */
    char *reason;      /* one line, or NULL */
    char *original;    /* Original-Message-ID, or NULL */
};

void report_delivery(const char *fields, struct report *ret); /* groups of fields, LF */
void report_disposition(const char *fields, struct report *ret);
void report_clear(struct report *r);

/* Bounces without a machine-readable part: the Message-ID of ours that the body quotes; new, or NULL. */
char *report_quoted_id(const char *body, size_t n, const char *domain);

#endif
