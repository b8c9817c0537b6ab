/* tnef.h: what is inside a winmail.dat: its attachments and plain body. */
#ifndef ADUAN_EMAIL_TNEF_H
#define ADUAN_EMAIL_TNEF_H

#include <stddef.h>

struct tnef_file {
    const char *name; /* not terminated, may be NULL */
    size_t name_len;
    const unsigned char *data; /* points into the winmail.dat */
    size_t len;
};

/* Calls file() for each attachment, at most 100. Returns how many; -1: this is no TNEF. *ret_body is the
 * plain body if there is one, pointing into bytes. */
int tnef_each(const unsigned char *bytes, size_t n, void (*file)(void *arg, const struct tnef_file *f),
              void *arg, const char **ret_body, size_t *ret_body_len);

#endif
