/*
 * parser.h: hostile bytes in, records out, with the parser in a process of its own.
 *
 * The parse worker is `aduand --job parse ACCOUNT`: no secret, no socket, hard
 * limits. It lives across messages; one request and one answer are one frame
 * each. Its answer is as hostile as the bytes it read, and is judged as such.
 */
#ifndef ADUAN_PARSER_H
#define ADUAN_PARSER_H

#include "daemon/host.h"

struct parser {
    struct host *host;
    pid_t pid;
    int fd;
    int parsed; /* messages this process has read */
    int64_t deadline;
};

enum { PARSER_DIED = 1 };

void parser_init(struct parser *p, struct host *h);
void parser_stop(struct parser *p);

/* 0 and the records, in *ret_rc what parse() returned; PARSER_DIED: it died or took too long
 * (it is gone, the next call starts another); ADUAN_STOPPING; -errno: it cannot be started. */
int parser_parse(struct parser *p, const struct aduan_bytes *in, struct aduan_message **ret_records,
                 size_t *ret_count, int *ret_rc);

/* The frames, for both ends and for tests. Encoders append; decoders return -1 for nonsense. */
struct text;
void parser_encode_request(const struct aduan_bytes *in, struct text *out);
int parser_decode_request(const char *frame, size_t n, struct aduan_bytes *ret, char **ret_id);
void parser_encode_record(const struct aduan_message *m, struct text *out);
int parser_decode_answer(const char *frame, size_t n, int *ret_rc, struct aduan_message **ret_records,
                         size_t *ret_count);

#endif
