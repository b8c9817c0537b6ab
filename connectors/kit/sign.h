/*
 * sign.h: digests, HMAC, base64, random bytes, constant-time compare.
 *
 * The only place that includes libcrypto; a leaf that everybody may use.
 */
#ifndef ADUAN_SIGN_H
#define ADUAN_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIGN_SHA256 = 32, SIGN_SHA1 = 20, SIGN_HEX256 = 65 };

void sign_sha256(const void *bytes, size_t n, uint8_t ret[SIGN_SHA256]);
void sign_sha256_hex(const void *bytes, size_t n, char ret[SIGN_HEX256]);
void sign_hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t n, uint8_t ret[SIGN_SHA256]);
void sign_hmac_sha1(const void *key, size_t key_len, const void *bytes, size_t n, uint8_t ret[SIGN_SHA1]);

/* SHA-256 of a stream. */
struct sign_stream;
struct sign_stream *sign_stream_new(void);
void sign_stream_add(struct sign_stream *s, const void *bytes, size_t n);
void sign_stream_hex(struct sign_stream *s, char ret[SIGN_HEX256]);
struct sign_stream *sign_stream_free(struct sign_stream *s);

/* Same length and content, in time that depends on the lengths only. */
bool sign_equal(const void *a, size_t a_len, const void *b, size_t b_len);

void sign_hex(const void *bytes, size_t n, char *ret);   /* 2n + 1 bytes, lower case */
int sign_unhex(const char *hex, size_t n, uint8_t *ret); /* n hex digits into n/2 bytes; -1: not hex */
char *sign_base64(const void *bytes, size_t n);          /* new string */
char *sign_base64url(const void *bytes, size_t n);       /* RFC 4648 section 5, without padding; new */
/* Tolerates line breaks; new buffer, NULL when not base64. */
uint8_t *sign_unbase64(const char *s, size_t n, size_t *ret_n);
void sign_random(void *buf, size_t n); /* getrandom(2); ends the process if there is none */

#endif
