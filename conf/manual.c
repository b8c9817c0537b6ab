/* manual.c: a table printed as the manual of its keys. */
#include "conf/internal.h"

#include <stdlib.h>

static const char *const kinds[] = {
    [ADUAN_TYPE_STRING] = "text",       [ADUAN_TYPE_BOOL] = "true|false", [ADUAN_TYPE_INT] = "number",
    [ADUAN_TYPE_DURATION] = "duration", [ADUAN_TYPE_SIZE] = "size",       [ADUAN_TYPE_CHOICE] = "choice",
    [ADUAN_TYPE_URL] = "URL",           [ADUAN_TYPE_SECRET] = "@secret",  [ADUAN_TYPE_SECRETS] = "@secret(s)",
    [ADUAN_TYPE_STRINGS] = "text(s)",   [ADUAN_TYPE_FILE] = "file",       [ADUAN_TYPE_GROUP] = "group",
};

static void print_row(const struct aduan_setting *row, const char *prefix,
                      void (*line)(void *arg, const char *s), void *arg) {
    struct text t = TEXT_INIT;
    text_addf(&t, "%s%s", prefix, row->key);
    while (t.len < 28) {
        text_add_char(&t, ' ');
    }
    text_addf(&t, " %-11s", kinds[row->type]);
    if (row->flags & ADUAN_REQUIRED) {
        text_add(&t, " wajib / required.");
    } else if (row->def) {
        text_addf(&t, " [%s].", row->def);
    }
    if (row->type == ADUAN_TYPE_CHOICE) {
        text_add(&t, " Pilihan / one of:");
        for (size_t i = 0; row->choices && row->choices[i]; i++) {
            text_addf(&t, "%s %s", i ? "," : "", row->choices[i]);
        }
        text_add(&t, ".");
    }
    text_addf(&t, " %s", row->help ? row->help : "");
    line(arg, t.s);
    text_free(&t);
}

void conf_print_table(const struct aduan_setting *table, const char *prefix,
                      void (*line)(void *arg, const char *s), void *arg) {
    for (const struct aduan_setting *row = table; row && row->key; row++) {
        if (row->type != ADUAN_TYPE_GROUP) {
            print_row(row, prefix, line, arg);
            continue;
        }
        char *inner = xasprintf("%s%s.", prefix, row->key);
        conf_print_table(row->sub, inner, line, arg);
        free(inner);
    }
}
