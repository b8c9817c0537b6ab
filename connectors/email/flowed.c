/* flowed.c: paragraphs back out of format=flowed lines. */
#include "prose.h"

#include "kit/text.h"

#include <string.h>

struct flow {
    struct text out;
    size_t depth; /* of the paragraph that is open */
    bool open;    /* the last line ended in a soft break */
};

static void add_quote_marks(struct text *t, size_t depth) {
    size_t i;

    for (i = 0; i < depth; i++)
        text_add_char(t, '>');
    if (depth > 0)
        text_add_char(t, ' ');
}

static void add_line(struct flow *f, const char *line, size_t n, bool delsp) {
    size_t depth = 0;
    bool signature, soft;

    while (depth < n && line[depth] == '>')
        depth++;
    line += depth;
    n -= depth;
    if (n > 0 && line[0] == ' ') { /* space-stuffing */
        line++;
        n--;
    }
    signature = n == 3 && memcmp(line, "-- ", 3) == 0;
    soft = n > 0 && line[n - 1] == ' ' && !signature;
    if (f->open && (f->depth != depth || signature)) {
        text_add_char(&f->out, '\n');
        f->open = false;
    }
    if (!f->open)
        add_quote_marks(&f->out, depth);
    text_add_n(&f->out, line, soft && delsp ? n - 1 : n);
    if (!soft)
        text_add_char(&f->out, '\n');
    f->open = soft;
    f->depth = depth;
}

char *prose_unflow(const char *text, bool delsp) {
    struct flow f = { .out = TEXT_INIT };
    const char *lf;

    text_add(&f.out, "");
    for (; (lf = strchr(text, '\n')) != NULL; text = lf + 1)
        add_line(&f, text, (size_t)(lf - text), delsp);
    if (text[0] != '\0')
        add_line(&f, text, strlen(text), delsp);
    return text_steal(&f.out);
}
