/* fence.c: the framing of IMAP answers, with limits. */
#include "fence.h"

#include <string.h>
#include <strings.h>

void fence_allow(struct fence *f, int64_t literal_max, int64_t total) {
    f->literal_max = literal_max;
    f->left = total;
    f->lines = 0;
}

/* Only data answers carry literals and lists; in the text of a status or a continuation a "{9}" or "("
 * is just text, for libetpan as well. */
static bool is_data(const struct fence *f) {
    static const char *const status[] = { "* OK", "* NO", "* BAD", "* BYE", "* PREAUTH" };
    size_t i;

    if (f->head_len < 2 || f->head[0] != '*' || f->head[1] != ' ')
        return false;
    for (i = 0; i < sizeof(status) / sizeof(status[0]); i++)
        if (f->head_len >= strlen(status[i]) && strncasecmp(f->head, status[i], strlen(status[i])) == 0)
            return false;
    return true;
}

static void note_line(struct fence *f) {
    size_t i = 2;

    if (f->head_len > 5 && strncasecmp(f->head, "* BYE", 5) == 0)
        f->bye = true;
    if (f->head_len < 10 || f->head[0] != '*')
        return;
    while (i < f->head_len && f->head[i] >= '0' && f->head[i] <= '9')
        i++;
    if (f->head_len - i >= 7 && strncasecmp(f->head + i, " EXISTS", 7) == 0)
        f->exists++;
}

static const char *end_line(struct fence *f) {
    bool literal = f->brace == 3 && is_data(f);

    f->brace = 0;
    f->quoted = f->escaped = false;
    if (++f->lines > FENCE_LINES_MAX)
        return "too many lines in one answer";
    if (literal) {
        if (f->number > f->literal_max)
            return "literal larger than allowed";
        f->literal = f->number;
        return NULL; /* the line goes on behind it */
    }
    note_line(f);
    f->line = 0;
    f->head_len = 0;
    f->depth = 0;
    return NULL;
}

static void follow_brace(struct fence *f, char c) {
    if (c == '{') {
        f->brace = 1;
        f->number = 0;
    } else if (f->brace == 1 && c >= '0' && c <= '9') {
        f->number = f->number > INT64_MAX / 100 ? f->number : f->number * 10 + (c - '0');
    } else if (f->brace == 1 && c == '}') {
        f->brace = 2;
    } else if (f->brace == 2 && c == '\r') {
        f->brace = 3;
    } else if (!(f->brace == 1 && (c == '+' || c == '-'))) {
        f->brace = 0;
    }
}

static const char *feed_char(struct fence *f, char c) {
    if (f->head_len < sizeof(f->head))
        f->head[f->head_len++] = c;
    if (c == '\n') {
        if (f->brace == 2) /* a lone LF ends lines, too, for libetpan */
            f->brace = 3;
        return end_line(f);
    }
    if (++f->line > FENCE_LINE_MAX)
        return "line longer than allowed";
    follow_brace(f, c);
    if (f->quoted) {
        if (f->escaped)
            f->escaped = false;
        else if (c == '\\')
            f->escaped = true;
        else if (c == '"')
            f->quoted = false;
    } else if (c == '"') {
        f->quoted = true;
    } else if (c == '(' && ++f->depth > FENCE_DEPTH_MAX && is_data(f)) {
        return "lists nested too deep";
    } else if (c == ')' && f->depth > 0) {
        f->depth--;
    }
    return NULL;
}

const char *fence_feed(struct fence *f, const char *bytes, size_t n) {
    const char *fault = NULL;
    size_t i = 0;

    if ((int64_t)n > f->left)
        return "answer larger than allowed";
    f->left -= (int64_t)n;
    while (i < n && fault == NULL) {
        if (f->literal > 0) {
            size_t skip = (int64_t)(n - i) < f->literal ? n - i : (size_t)f->literal;

            f->literal -= (int64_t)skip;
            i += skip;
            continue;
        }
        fault = feed_char(f, bytes[i++]);
    }
    return fault;
}
