/*
 * scan.h: what must be known of a mail before any parser sees it.
 *
 * Works on raw bytes with nothing but pointers: no allocation that the sender
 * can steer, no recursion, time linear in the length. Gives the mail's
 * identity, its raw header fields, and says which limit it breaks.
 */
#ifndef ADUAN_EMAIL_SCAN_H
#define ADUAN_EMAIL_SCAN_H

#include <stdbool.h>
#include <stddef.h>

enum {
    SCAN_HEADER_MAX = 100 * 1024, /* one header block */
    SCAN_COMMENT_MAX = 32,        /* nesting of ( ) in a structured field */
    SCAN_GROUP_MAX = 64,          /* colons in an address field: GMime recurses on groups */
    SCAN_DEPTH_MAX = 50,          /* multiparts and messages inside one another */
    SCAN_PARTS_MAX = 1000,
};

struct scan_field {
    const char *name;
    size_t name_len;
    const char *value; /* after the colon, still folded */
    size_t value_len;
};

/* Where the body begins: behind the first empty line, or n when there is none. */
size_t scan_body(const char *mail, size_t n);
/* Steps through a header block; *at starts at 0. false: no more. Lines that are no field are skipped. */
bool scan_field(const char *block, size_t n, size_t *at, struct scan_field *ret);
/* The first field of that name in the block, unfolded and trimmed, raw bytes without NUL; new, or NULL. */
char *scan_header(const char *block, size_t n, const char *name);
bool scan_has(const char *block, size_t n, const char *name);
/* A parameter (boundary, report-type) of an unfolded field value; new, or NULL. */
char *scan_parameter(const char *value, const char *name);

/* The mail's identity: 40 hex digits over its whole header and body, however long. Trace fields, which
 * differ between two deliveries of one mail, and line endings do not count; only where neither Message-ID
 * nor Date tells one mail from the next, trace fields do. */
void scan_id(const char *mail, size_t n, char ret[41]);

/* NULL when it is safe to parse; else what is too much, in plain words (static). */
const char *scan_limits(const char *mail, size_t n);

#endif
