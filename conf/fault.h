/*
 * fault.h: a list of faults in files an admin wrote, all of them at once.
 *
 * A leaf. Each fault prints as "file:line: path.key: reason"; line 0 prints
 * without line, an empty path without path.
 */
#ifndef ADUAN_FAULT_H
#define ADUAN_FAULT_H

#include <stddef.h>

struct fault {
    char *file;
    unsigned line;
    char *path;
    char *reason;
};

struct faults {
    struct fault *items;
    size_t count;
};

void faults_add(struct faults *f, const char *file, unsigned line, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
char *fault_text(const struct fault *f); /* new string without line end */
void faults_clear(struct faults *f);

#endif
