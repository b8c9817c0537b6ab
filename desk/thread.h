/*
 * thread.h: the signed token in our own Message-ID, and ticket numbers in subjects.
 *
 * A token is NUMBER.ANSWER.MAC in lower case, the MAC being the first 20 hex
 * digits of HMAC-SHA256 over NUMBER.ANSWER. Whoever quotes it has received our
 * mail. The key is made once and kept in STATE/thread.key (mode 0600).
 */
#ifndef ADUAN_DESK_THREAD_H
#define ADUAN_DESK_THREAD_H

#include <stddef.h>
#include <stdint.h>

struct thread_key {
    uint8_t bytes[32];
};

/* Reads the key or makes it, durably. 0, or -errno with why. */
int thread_key_open(const char *state_dir, struct thread_key *ret, char *why, size_t why_size);
char *thread_token(const struct thread_key *k, const char *number, const char *answer); /* new string */
/* message_id: with or without <>, with or without @domain. 0 and number (upper case) and answer, or
 * -1: not one of ours. */
int thread_verify(const struct thread_key *k, const char *message_id, char ret_number[32], char ret_answer[65]);
/* The first CODE-YYYY-NNNNNN in a subject, any letter case: 0 and upper case, or -1. */
int thread_number_in(const char *subject, const char *code, char ret_number[32]);

#endif
