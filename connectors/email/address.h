/*
 * address.h: mail addresses, Message-IDs and what marks a mail as a machine's.
 *
 * From header fields as scan_header() gives them; pure, linear, no recursion.
 */
#ifndef ADUAN_EMAIL_ADDRESS_H
#define ADUAN_EMAIL_ADDRESS_H

#include "message.h"

/* The first mailbox of an address list. name: display name decoded or NULL; address as written. Both new
 * or NULL; false: no address in it. */
bool address_first(const char *list, char **ret_name, char **ret_address);
/* Looks like local@domain, is ASCII, and has nothing that could break a header or an SMTP command. */
bool address_is_plain(const char *address);

/* The next <id> in *s, without brackets; new, or NULL. Advances *s. */
char *address_next_id(const char **s);

/* ADUAN_MESSAGE_AUTOMATIC, _LIST, _BOUNCE from the header block (RFC 3834 and practice). own: our address. */
unsigned address_flags(const char *block, size_t n, const char *sender, const char *own);

#endif
