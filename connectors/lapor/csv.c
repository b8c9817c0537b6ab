/*
 * csv.c: a list of reports as a table: RFC 4180, "," or ";" or tab between, a head row with names.
 *
 * A row that makes no sense is a record of its own for a person; the others are not its hostages.
 */
#include "lapor/lapor.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 64 };

struct row {
    char *cells[COLUMNS_MAX];
    size_t count;
    bool open; /* a quote was opened and never closed, or by that of a later row */
    bool nul;  /* a cell held a NUL: it is not what it seems */
};

static void clear_row(struct row *row) {
    while (row->count > 0)
        free(row->cells[--row->count]);
    row->open = row->nul = false;
}

static char separator_of(const char *s, const char *end) {
    static const char marks[] = ",;\t";
    size_t count[3] = { 0 }, best = 0, i;
    bool quoted = false;

    for (; s < end && (quoted || *s != '\n'); s++) {
        quoted ^= *s == '"';
        for (i = 0; !quoted && i < 3; i++)
            count[i] += *s == marks[i];
    }
    for (i = 1; i < 3; i++)
        if (count[i] > count[best])
            best = i;
    return marks[best];
}

/* One cell from s; returns where it ended (a separator, a line's end or the end). */
static const char *take_cell(const char *s, const char *end, char mark, struct row *row) {
    struct text t = TEXT_INIT;
    bool quoted = s < end && *s == '"', lines = false;

    for (s += quoted; s < end; s++) {
        if (quoted && *s == '"' && s + 1 < end && s[1] == '"')
            text_add_char(&t, *s++);
        else if (quoted && *s == '"') {
            quoted = false;
            row->open |= lines && s + 1 < end && s[1] != mark && strchr(" \r\n", s[1]) == NULL;
        } else if (!quoted && (*s == mark || *s == '\n'))
            break;
        else
            text_add_char(&t, *s);
        lines |= quoted && *s == '\n';
    }
    row->open |= quoted;
    row->nul |= t.len > 0 && memchr(t.s, '\0', t.len) != NULL;
    if (row->count < COLUMNS_MAX)
        row->cells[row->count++] = text_clean(t.s != NULL ? t.s : "", t.len);
    text_free(&t);
    return s;
}

static const char *take_row(const char *s, const char *end, char mark, struct row *row) {
    do {
        s = take_cell(s, end, mark, row);
    } while (s < end && *s++ == mark);
    return s;
}

static json_t *cells_of(const struct row *row) {
    json_t *cells = json_array();
    size_t i;

    for (i = 0; i < row->count; i++)
        json_array_append_new(cells, json_string(row->cells[i]));
    return cells;
}

static bool has_known(const struct row *head) {
    struct lapor_item none = { 0 };
    size_t i, known = 0;

    for (i = 0; i < head->count; i++)
        known += lapor_set(&none, head->cells[i], strlen(head->cells[i]), NULL);
    return known >= 2;
}

int lapor_csv(struct lapor_walk *w) {
    const char *s = w->in->bytes, *end = s + w->in->len;
    struct row head = { 0 }, row = { 0 };
    json_t *names;
    char mark;

    if (w->in->len >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
        s += 3;
    mark = separator_of(s, end);
    s = take_row(s, end, mark, &head);
    if (!has_known(&head)) {
        clear_row(&head);
        return -1;
    }
    names = cells_of(&head);
    while (s < end && w->r >= 0) {
        const char *start = s;

        s = take_row(s, end, mark, &row);
        if (row.open) {
            lapor_unparsed(
                w, start, (size_t)(end - start),
                "Tanda kutip di baris ini tidak ditutup: sejak baris ini tidak ada yang dibaca / a quote "
                "in this row is never closed: nothing is read from this row on");
            s = end;
        } else if (row.nul)
            lapor_unparsed(w, start, (size_t)(s - start),
                           "Baris ini memuat byte NUL / this row holds a NUL byte");
        else if (row.count > 1 || strspn(row.cells[0], " \t\r\n") < strlen(row.cells[0])) {
            json_t *cells = cells_of(&row);

            lapor_row(w, names, cells);
            json_decref(cells);
        }
        clear_row(&row);
    }
    json_decref(names);
    clear_row(&head);
    return w->count > 0 ? 0 : -1;
}
