/*
 * prose.h: the text a person wrote, out of what their mail program made of it.
 *
 * Everything here takes valid UTF-8 with LF line ends and returns the same.
 */
#ifndef ADUAN_EMAIL_PROSE_H
#define ADUAN_EMAIL_PROSE_H

#include <stdbool.h>
#include <stddef.h>

/* format=flowed (RFC 3676): soft line breaks joined within one quote depth. New string. */
char *prose_unflow(const char *text, bool delsp);

struct prose {
    char *text;      /* never NULL */
    char *quoted;    /* what was split off, or NULL */
    char *signature; /* the part of quoted behind "-- ", or NULL: may hold name and address */
};

/* Splits quoted replies and the signature off; where nothing would remain, all stays in text. */
void prose_split(const char *text, struct prose *ret);
void prose_clear(struct prose *p);

/* HTML to readable text in one pass without a tree: script, style and hidden elements dropped, links
 * kept as "text <url>", quotes marked by their mail program go to quoted. Linear in n. */
void prose_from_html(const char *html, size_t n, struct prose *ret);

#endif
