/*
 * cursor.h: how far a mailbox was read, as one line of text kept by the host.
 *
 *     UIDVALIDITY:UID[ sDAY][ hFIRST-LAST,…]
 *
 * DAY (days since 1970) is where this office began to read the box: after a
 * change of UIDVALIDITY it is read again from there. Holes are UIDs below UID
 * that did not exist when they were passed; most never will, but a server may
 * show a mail late. The newest CURSOR_HOLES ranges are remembered.
 */
#ifndef ADUAN_EMAIL_CURSOR_H
#define ADUAN_EMAIL_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CURSOR_HOLES = 50, CURSOR_TEXT = 64 + CURSOR_HOLES * 22 };

struct cursor_range {
    uint32_t first, last;
};

struct cursor {
    uint32_t validity, last;
    int64_t since_day;
    struct cursor_range holes[CURSOR_HOLES];
    size_t hole_count;
};

/* NULL or nonsense: false, *ret all zero. */
bool cursor_parse(const char *text, struct cursor *ret);
void cursor_format(const struct cursor *c, char ret[CURSOR_TEXT]);
/* uid was accepted: behind last, what lies between becomes a hole (unless dense); below, it is none now. */
void cursor_advance(struct cursor *c, uint32_t uid, bool dense);

#endif
