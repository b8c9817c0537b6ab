/*
 * fence.h: looks at what an IMAP server sends before libetpan does.
 *
 * libetpan believes a literal's length, recurses on parentheses and reads
 * lines of any length. The fence follows lines and literals as RFC 9051
 * frames them, byte by byte without a buffer, and says stop before any of
 * that costs more than its limits.
 */
#ifndef ADUAN_EMAIL_FENCE_H
#define ADUAN_EMAIL_FENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FENCE_LINE_MAX = 4 * 1024 * 1024, FENCE_DEPTH_MAX = 24, FENCE_LINES_MAX = 50000 };

struct fence {
    int64_t literal_max; /* of one literal */
    int64_t left;        /* bytes this command may still bring */
    int64_t literal;     /* bytes of the open literal still to come */
    int64_t number;      /* of the {number} being read */
    size_t line, lines;
    unsigned depth;
    char head[32]; /* how the line begins */
    size_t head_len;
    int brace; /* 0 none, 1 in digits, 2 behind "}", 3 behind CR */
    bool quoted, escaped;
    unsigned exists; /* how many "* n EXISTS" have passed: mail may have come */
    bool bye;
};

/* Before each command: what its answer may weigh. */
void fence_allow(struct fence *f, int64_t literal_max, int64_t total);
/* NULL, or why these bytes must not be read (static). */
const char *fence_feed(struct fence *f, const char *bytes, size_t n);

#endif
