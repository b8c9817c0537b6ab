/*
 * text.h: growing strings and the few text operations everybody needs.
 *
 * A leaf: no other header of ours. Text here is UTF-8; what comes from outside
 * goes through text_clean*() once, at the door.
 */
#ifndef ADUAN_TEXT_H
#define ADUAN_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing, always NUL-terminated string. All-zero is valid and empty; s is never NULL after
 * the first append. Out of memory ends the process (text_die): the worker is restarted. */
struct text {
    char *s;
    size_t len, room;
};

#define TEXT_INIT                                                                                              \
    { NULL, 0, 0 }

void text_free(struct text *t); /* also resets to empty */
void text_reset(struct text *t);
void text_add(struct text *t, const char *s); /* NULL adds nothing */
void text_add_n(struct text *t, const void *bytes, size_t n);
void text_add_char(struct text *t, char c);
void text_add_codepoint(struct text *t, uint32_t cp);
void text_addf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_vaddf(struct text *t, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
char *text_steal(struct text *t); /* the caller frees; never NULL; t is empty afterwards */

/* Allocation that ends the process instead of failing; calloc semantics, overflow checked. */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s); /* NULL gives NULL */
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Overwrites memory in a way no compiler removes. */
void text_wipe(void *p, size_t n);

bool text_is_utf8(const void *bytes, size_t n); /* no NUL, no surrogates, no overlong forms */
/* Valid UTF-8 of any bytes: faults become U+FFFD, NUL is dropped, CRLF and CR become LF. */
char *text_clean(const void *bytes, size_t n);
/* For one line (names, subjects): also control characters and line breaks become a space, bidi
 * controls (U+202A-202E, U+2066-2069, U+200E/F) are dropped, ends trimmed, at most max bytes cut at
 * a character. */
char *text_clean_line(const void *bytes, size_t n, size_t max);
/* A file name that is safe anywhere: as above, then no path, no leading or trailing dots, none of
 * \/:*?"<>|, at most 255 bytes keeping the suffix; "lampiran" when nothing remains. */
char *text_clean_filename(const void *bytes, size_t n);

size_t text_characters(const char *s);            /* code points */
size_t text_cut(const char *s, size_t max_bytes); /* largest n <= max_bytes that ends a character */

bool text_starts(const char *s, const char *prefix);
bool text_starts_nocase(const char *s, const char *prefix); /* ASCII */
bool text_ends(const char *s, const char *suffix);
bool text_equal(const char *a, const char *b);                          /* NULL equals NULL only */
int text_compare_nocase(const char *a, const char *b);                  /* ASCII, locale-free */
const char *text_find_nocase(const char *haystack, const char *needle); /* ASCII */
char *text_lower(const char *s);                                        /* ASCII, new */

/* Levenshtein distance, for "did you mean". */
size_t text_distance(const char *a, const char *b);

/* Whole string is a number in min..max: 0, or -1 and *ret untouched. */
int text_parse_int(const char *s, int64_t min, int64_t max, int64_t *ret);

#endif
