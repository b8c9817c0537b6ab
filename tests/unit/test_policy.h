/* test_policy.h: a policy directory of one's own, copied from the installed one and then spoilt. */
#ifndef TEST_POLICY_H
#define TEST_POLICY_H

#include "conf/fault.h"
#include "connectors/kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char policy_dir[256];

static inline void policy_command(const char *fmt, const char *a, const char *b) {
    char command[1024];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(command, sizeof command, fmt, a, b);
#pragma GCC diagnostic pop
    if (system(command) != 0) {
        abort();
    }
}

static inline void policy_copy(void) {
    strcpy(policy_dir, "/tmp/aduan-policy-XXXXXX");
    if (!mkdtemp(policy_dir)) {
        abort();
    }
    policy_command("cp -r '%s'/conf/* '%s'/", SOURCE_DIR, policy_dir);
}

static inline void policy_remove(void) {
    policy_command("rm -r '%s'%s", policy_dir, "");
}

static inline void policy_write(const char *name, const char *content) {
    char *file = xasprintf("%s/%s", policy_dir, name);
    FILE *f = fopen(file, "we");
    if (!f || fputs(content, f) < 0 || fclose(f) != 0) {
        abort();
    }
    free(file);
}

/* Some fault contains this text (file names are as in the directory). */
static inline bool has_fault(const struct faults *f, const char *part) {
    bool found = false;
    for (size_t i = 0; i < f->count && !found; i++) {
        char *s = fault_text(&f->items[i]);
        found = strstr(s, part) != NULL;
        free(s);
    }
    return found;
}

static inline void print_faults(const struct faults *f) {
    for (size_t i = 0; i < f->count; i++) {
        char *s = fault_text(&f->items[i]);
        fprintf(stderr, "%s\n", s);
        free(s);
    }
}

#endif
