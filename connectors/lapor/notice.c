/*
 * notice.c: a notice or a pasted page: "Tracking ID: 123", "Judul: …", "Isi: …".
 *
 * A label begins a line; what stands behind it, and on the lines below that have no label, is its value.
 * The next tracking id begins the next report.
 */
#include "lapor/lapor.h"

#include <stdlib.h>
#include <string.h>

enum { LABEL_MAX = 40 };

struct notice {
    struct lapor_walk *w;
    json_t *head, *row; /* the labels so far, and their values */
    bool id;            /* an id is among them */
    struct text value;  /* of the label that is being read */
    char label[LABEL_MAX + 1];
};

/* The length of a known label at the start of a line of n bytes; 0: none. */
static size_t label_of(const char *s, size_t n) {
    const char *colon = memchr(s, ':', n);
    struct lapor_item none = { 0 };
    size_t len = colon != NULL ? (size_t)(colon - s) : 0;

    return len > 0 && len <= LABEL_MAX && lapor_set(&none, s, len, NULL) ? len : 0;
}

static bool is_id(const char *label, size_t n) {
    struct lapor_item it = { 0 };
    char *value = xstrdup("x");
    bool found;

    found = lapor_set(&it, label, n, value) && it.id != NULL;
    lapor_item_clear(&it);
    return found;
}

static char *trimmed(const struct text *t) {
    const char *s = t->s != NULL ? t->s : "";
    size_t lead = strspn(s, " \t\n"), n = strlen(s);

    while (n > lead && strchr(" \t\n", s[n - 1]) != NULL)
        n--;
    return xstrndup(s + lead, n - lead);
}

static void end_value(struct notice *no) {
    char *value = trimmed(&no->value);

    if (no->label[0] != '\0') {
        json_array_append_new(no->head, json_string(no->label));
        json_array_append_new(no->row, json_string(value));
        no->id = no->id || (value[0] != '\0' && is_id(no->label, strlen(no->label)));
    }
    free(value);
    no->label[0] = '\0';
    text_reset(&no->value);
}

static void end_report(struct notice *no) {
    end_value(no);
    if (no->id && no->w->r >= 0)
        lapor_row(no->w, no->head, no->row);
    json_array_clear(no->head);
    json_array_clear(no->row);
    no->id = false;
}

static void one_line(struct notice *no, const char *line, size_t n) {
    size_t skip = strspn(line, " \t*-"), label;

    if (skip > n)
        skip = n;
    label = label_of(line + skip, n - skip);
    if (label == 0) {
        if (no->label[0] != '\0') {
            text_add_char(&no->value, '\n');
            text_add_n(&no->value, line, n);
        }
        return;
    }
    if (is_id(line + skip, label) && (no->id || is_id(no->label, strlen(no->label))))
        end_report(no);
    end_value(no);
    memcpy(no->label, line + skip, label);
    no->label[label] = '\0';
    text_add_n(&no->value, line + skip + label + 1, n - skip - label - 1);
}

/* Enough to tell it from any other text: it begins with an id, or has one and one thing more. */
bool lapor_notice_like(const char *text, size_t n) {
    const char *end = text + n, *next;
    bool id = false, first = true, begins = false;
    size_t labels = 0, label;

    for (; text < end; text = next) {
        next = memchr(text, '\n', (size_t)(end - text));
        next = next != NULL ? next + 1 : end;
        while (text < next && strchr(" \t*-", *text) != NULL)
            text++;
        label = label_of(text, (size_t)(next - text));
        labels += label > 0;
        id = id || (label > 0 && is_id(text, label));
        begins = begins || (first && id);
        first = false;
    }
    return begins || (id && labels >= 2);
}

int lapor_notice(struct lapor_walk *w, const char *text, size_t n) {
    struct notice no = { .w = w, .head = json_array(), .row = json_array() };
    const char *end = text + n, *next, *line;

    for (line = text; line < end && w->r >= 0; line = next) {
        next = memchr(line, '\n', (size_t)(end - line));
        one_line(&no, line, (size_t)((next != NULL ? next : end) - line));
        next = next != NULL ? next + 1 : end;
    }
    end_report(&no);
    json_decref(no.head);
    json_decref(no.row);
    text_free(&no.value);
    return w->count > 0 ? 0 : -1;
}
