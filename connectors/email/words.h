/*
 * words.h: bytes of any charset to UTF-8, and the encoded words of RFC 2047.
 *
 * Labels lie: what cannot be what it says is tried as UTF-8, then as
 * windows-1252. US-ASCII, UTF-8, ISO-8859-1 and windows-1252 need no iconv.
 */
#ifndef ADUAN_EMAIL_WORDS_H
#define ADUAN_EMAIL_WORDS_H

#include "kit/text.h"

/* Base64 of any padding, junk skipped, appended. */
void words_base64(struct text *t, const char *s, size_t n);

/* charset NULL or unknown: the ladder alone. New string: valid UTF-8, no NUL, LF line ends, no BOM. */
char *words_to_utf8(const void *bytes, size_t n, const char *charset);
/* A header value (folded or not) as one clean line of at most max bytes; also for quoted strings and
 * file names, where encoded words are illegal but common. New string, never NULL. */
char *words_decode(const char *value, size_t n, size_t max);

#endif
