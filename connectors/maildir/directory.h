/*
 * directory.h: what lies in a maildir, read as bytes that others put there: never through a link.
 *
 * The one connector that touches files: its platform is a directory (tests/lint/rules.py).
 */
#ifndef ADUAN_MAILDIR_DIRECTORY_H
#define ADUAN_MAILDIR_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIRECTORY_GONE = 1, DIRECTORY_REFUSED = 2 };

/* One mail: in new/ or cur/. base is the part of its name before ":2,", by which it stays known. */
struct directory_mail {
    char *name;
    size_t base; /* length */
    bool in_cur;
    int64_t changed_ms; /* when it came to lie there (ctime) */
};

struct directory_list {
    struct directory_mail *items;
    size_t count, room;
};

/* Everything in new/ and cur/ that is no directory, oldest first. 0, or -errno. */
int directory_scan(const char *path, struct directory_list *ret);
void directory_list_clear(struct directory_list *l);

/* Up to max + 1 bytes of a mail; *ret_size: of the whole. 0 and a new buffer; DIRECTORY_GONE: somebody took it;
 * DIRECTORY_REFUSED: a link or a device, or not readable (why says it). */
int directory_read(const char *path, const struct directory_mail *m, size_t max, char **ret, size_t *ret_len,
                   int64_t *ret_size, int64_t *ret_modified_ms, char *why, size_t why_size);

/* Moves it to cur/ with the mark that it was seen; removes it. Both bear being repeated. 0, or -errno. */
int directory_seen(const char *path, const struct directory_mail *m);
int directory_remove(const char *path, const struct directory_mail *m);
/* Can it be read (and, to move mails, written)? 0, or -errno. */
int directory_check(const char *path, bool write);

#endif
