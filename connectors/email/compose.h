/*
 * compose.h: an answer as the mail that carries it (RFC 5322), ready for SMTP.
 *
 * The same answer gives the same bytes at every attempt: Date is when it was
 * queued, Message-ID and boundary come from its token.
 */
#ifndef ADUAN_EMAIL_COMPOSE_H
#define ADUAN_EMAIL_COMPOSE_H

#include "email.h"

/* The Message-ID without brackets; new. */
char *compose_message_id(const struct email_settings *s, const struct aduan_answer *a);
/* To whom: the bare address, or NULL with a reason for the officer in *ret (NEVER). Points into a. */
const char *compose_recipient(const struct aduan_answer *a, struct aduan_result *ret);
/* SENT and the mail in *ret_mail, or NEVER/LATER with a reason. Reads attachments by host blob_open(). */
void compose_mail(struct aduan_host *host, const struct email_settings *s, const struct aduan_answer *a,
                  struct text *ret_mail, struct aduan_result *ret);

#endif
