/*
 * hook.h: what verify() of every pushing connector needs: headers, an HMAC over the raw body, refusals.
 */
#ifndef ADUAN_HOOK_H
#define ADUAN_HOOK_H

#include "connector.h"

/* Value of a header (lower-case name), or NULL. */
const char *hook_header(const struct aduan_hook_request *req, const char *name);

/* Does header `name` say "sha256=" and the HMAC-SHA256 of the body, in 64 hex digits, by any of
 * the secrets? All are tried and compared in constant time; absent or empty secrets never match. */
bool hook_signed(const struct aduan_hook_request *req, const char *name, const struct aduan_secret *secrets,
                 size_t count);

/* The same with the digest in base64 (X). */
bool hook_signed_base64(const struct aduan_hook_request *req, const char *name,
                        const struct aduan_secret *secrets, size_t count);

/* X's challenge: 200 and {"response_token":"sha256=BASE64"} over the query's crc_token; 403 without a token or
 * a secret. Returns ADUAN_HOOK_ANSWER. */
int hook_answer_crc(struct aduan_hook_answer *ret, const struct aduan_secret *secret, const char *query);

/* Fills *ret with a status and a plain-text body ("" or NULL: none); returns ADUAN_HOOK_ANSWER. */
int hook_answer(struct aduan_hook_answer *ret, int status, const char *body);

#endif
