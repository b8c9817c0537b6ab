/*
 * blob.h: attachments and large raw bodies as files named by their SHA-256.
 *
 * STATE/attachments/ab/abcdef…: written to a temporary name, fsynced, renamed,
 * directory fsynced; mode 0640. The same content is stored once.
 */
#ifndef ADUAN_BLOB_H
#define ADUAN_BLOB_H

#include <stddef.h>
#include <stdint.h>

struct blob_store;
struct blob_writer;

int blob_store_open(const char *state_dir, struct blob_store **ret); /* makes attachments/; -errno */
struct blob_store *blob_store_close(struct blob_store *s);

int blob_put(struct blob_store *s, const void *bytes, size_t n, char ret_sha256[65]); /* durable on 0; -errno */
/* Streaming: nothing is visible before finish; abort removes the temporary file. */
int blob_begin(struct blob_store *s, struct blob_writer **ret);
int blob_write(struct blob_writer *w, const void *bytes, size_t n);
int blob_finish(struct blob_writer *w, char ret_sha256[65], int64_t *ret_size); /* frees w on any result */
void blob_abort(struct blob_writer *w);
/* Removes one that was last stored before `before` (ms UTC). 0: it is gone, or never was; BLOB_YOUNG: somebody
 * has stored it since, and may be about to say so; -errno. The caller knows that nothing refers to it. */
enum { BLOB_YOUNG = 1 };
int blob_remove(struct blob_store *s, const char *sha256, int64_t before);
int blob_open(struct blob_store *s, const char *sha256); /* fd, or -errno; refuses what is not 64 hex digits */

#endif
