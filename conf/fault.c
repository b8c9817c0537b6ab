/* fault.c: the list of faults; see fault.h. */
#include "conf/fault.h"

#include "connectors/kit/text.h"

#include <stdarg.h>
#include <stdlib.h>

void faults_add(struct faults *f, const char *file, unsigned line, const char *path, const char *fmt, ...) {
    f->items = xrealloc(f->items, f->count + 1, sizeof *f->items);
    struct text reason = TEXT_INIT;
    va_list ap;
    va_start(ap, fmt);
    text_vaddf(&reason, fmt, ap);
    va_end(ap);
    f->items[f->count++] = (struct fault){
        .file = xstrdup(file ? file : ""),
        .line = line,
        .path = xstrdup(path ? path : ""),
        .reason = text_steal(&reason),
    };
}

char *fault_text(const struct fault *f) {
    struct text t = TEXT_INIT;
    if (f->file[0] != '\0') {
        text_add(&t, f->file);
        if (f->line != 0) {
            text_addf(&t, ":%u", f->line);
        }
        text_add(&t, ": ");
    }
    if (f->path[0] != '\0') {
        text_addf(&t, "%s: ", f->path);
    }
    text_add(&t, f->reason);
    return text_steal(&t);
}

void faults_clear(struct faults *f) {
    for (size_t i = 0; i < f->count; i++) {
        free(f->items[i].file);
        free(f->items[i].path);
        free(f->items[i].reason);
    }
    free(f->items);
    *f = (struct faults){ NULL, 0 };
}
