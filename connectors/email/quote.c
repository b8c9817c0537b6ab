/*
 * quote.c: where a reply ends and what it quotes begins.
 *
 * Looks at lines. A quote begins at an introduction ("Pada … menulis:", also
 * wrapped over three lines), at a separator ("-----Pesan Asli-----"), at a
 * block of copied header fields ("Dari: … Dikirim: …"), or at lines with ">".
 * A forwarded message is what the citizen wants to show us: it stays.
 */
#include "prose.h"

#include "kit/text.h"

#include <stdlib.h>
#include <string.h>

struct lines {
    const char *text;
    size_t *at; /* count + 1 starts; line i is at[i] .. at[i+1] with its LF */
    size_t count;
};

static struct lines split_lines(const char *text) {
    struct lines l = { .text = text };
    size_t n = strlen(text), room = 64, i = 0;

    l.at = xcalloc(room, sizeof(*l.at));
    while (i < n) {
        const char *lf = strchr(text + i, '\n');

        if (l.count + 2 > room) {
            room *= 2;
            l.at = xrealloc(l.at, room, sizeof(*l.at));
        }
        l.at[l.count++] = i;
        i = lf != NULL ? (size_t)(lf - text) + 1 : n;
    }
    l.at[l.count] = n;
    return l;
}

/* Line i without leading and trailing white space, and "*" of bold. */
static const char *line(const struct lines *l, size_t i, size_t *ret_n) {
    const char *s = l->text + l->at[i], *end = l->text + l->at[i + 1];

    while (s < end && ((unsigned char)*s <= ' ' || *s == '*' || (unsigned char)*s == 0xa0))
        s++;
    while (end > s && ((unsigned char)end[-1] <= ' ' || end[-1] == '*'))
        end--;
    *ret_n = (size_t)(end - s);
    return s;
}

static bool is_blank_line(const struct lines *l, size_t i) {
    size_t n;

    line(l, i, &n);
    return n == 0;
}

static bool is_quote_line(const struct lines *l, size_t i) {
    return l->text[l->at[i]] == '>' || text_starts(l->text + l->at[i], " >");
}

static bool begins(const char *s, size_t n, const char *word) {
    size_t len = strlen(word);

    return n >= len && text_starts_nocase(s, word);
}

static bool ends(const char *s, size_t n, const char *word) {
    size_t len = strlen(word);

    return n >= len && text_starts_nocase(s + n - len, word);
}

/* "On … wrote:", "Pada … menulis:" in up to three lines. Returns how many, 0: it is none. */
static size_t introduction(const struct lines *l, size_t i) {
    static const char *const starts[] = { "On ", "Pada ", "El ", "Le ", "Am ", "Em ", "Op ", "Il " };
    static const char *const stops[] = { "wrote:",    "menulis:", "menuliskan:", "tulis:",    "wrote :",
                                         "menulis :", "schrieb:", "crit :",      "escribió:", "написал:" };
    size_t n, k, j;
    const char *s = line(l, i, &n);
    bool found = false;

    for (k = 0; k < sizeof(starts) / sizeof(starts[0]); k++)
        found = found || begins(s, n, starts[k]);
    if (!found)
        return 0;
    for (j = i; j < l->count && j < i + 3; j++) {
        s = line(l, j, &n);
        if (n == 0 || n > 400)
            return 0;
        for (k = 0; k < sizeof(stops) / sizeof(stops[0]); k++)
            if (ends(s, n, stops[k]))
                return j - i + 1;
    }
    return 0;
}

static bool is_separator(const struct lines *l, size_t i) {
    static const char *const words[] = { "Original Message",        "Pesan Asli",
                                         "Original Appointment",    "Pesan asal",
                                         "Ursprüngliche Nachricht", "Message d'origine" };
    size_t n, k, dashes = 0;
    const char *s = line(l, i, &n);

    while (dashes < n && s[dashes] == '-')
        dashes++;
    if (dashes < 2)
        return false;
    s += dashes;
    n -= dashes;
    while (n > 0 && *s == ' ') {
        s++;
        n--;
    }
    for (k = 0; k < sizeof(words) / sizeof(words[0]); k++)
        if (begins(s, n, words[k]))
            return true;
    return false;
}

static bool is_marker(const struct lines *l, size_t i) {
    size_t n;
    const char *s = line(l, i, &n);

    while (n > 0 && (*s == '-' || *s == '#' || *s == '=' || *s == ' ')) {
        s++;
        n--;
    }
    return begins(s, n, "Balas di atas baris ini") || begins(s, n, "Reply above this line");
}

/* Outlook's copy of the header: From/Dari first, and two more of its fields close behind. */
static bool is_header_block(const struct lines *l, size_t i) {
    static const char *const first[] = { "From:", "Dari:" };
    static const char *const more[] = { "Sent:",  "Date:", "Dikirim:", "Tanggal:", "To:",      "Kepada:",
                                        "Untuk:", "Cc:",   "Subject:", "Subjek:",  "Perihal:", "Judul:" };
    size_t n, k, j, found = 0;
    const char *s = line(l, i, &n);

    if (!begins(s, n, first[0]) && !begins(s, n, first[1]))
        return false;
    for (j = i + 1; j < l->count && j < i + 8; j++) {
        s = line(l, j, &n);
        for (k = 0; k < sizeof(more) / sizeof(more[0]); k++)
            if (begins(s, n, more[k])) {
                found++;
                break;
            }
    }
    return found >= 2;
}

static bool is_ruler(const struct lines *l, size_t i) {
    size_t n, k;
    const char *s = line(l, i, &n);

    if (n < 10 || i + 1 >= l->count)
        return false;
    for (k = 0; k < n; k++)
        if (s[k] != '_')
            return false;
    for (k = i + 1; k < l->count && k < i + 4; k++)
        if (is_header_block(l, k))
            return true;
    return false;
}

static bool is_forward(const struct lines *l, size_t i) {
    size_t n;
    const char *s = line(l, i, &n);

    while (n > 0 && (*s == '-' || *s == ' ')) {
        s++;
        n--;
    }
    return begins(s, n, "Forwarded message") || begins(s, n, "Pesan terusan") ||
           begins(s, n, "Begin forwarded message") || begins(s, n, "Pesan yang diteruskan") ||
           begins(s, n, "Mulai pesan terusan");
}

/* The first line after the run of ">" and empty lines that starts at i. */
static size_t quote_run(const struct lines *l, size_t i, size_t limit) {
    size_t last = i;

    for (; i < limit && (is_quote_line(l, i) || is_blank_line(l, i)); i++)
        if (is_quote_line(l, i))
            last = i + 1;
    return last;
}

static bool has_text(const struct lines *l, size_t from, size_t to) {
    for (; from < to; from++)
        if (!is_blank_line(l, from))
            return true;
    return false;
}

static bool has_quote(const struct lines *l, size_t from, size_t to) {
    for (; from < to; from++)
        if (is_quote_line(l, from))
            return true;
    return false;
}

static char *trimmed(const char *s, size_t n) {
    size_t blank = 0, i;

    for (i = 0; i < n && (unsigned char)s[i] <= ' '; i++)
        if (s[i] == '\n')
            blank = i + 1;
    s += blank;
    n -= blank;
    while (n > 0 && (unsigned char)s[n - 1] <= ' ')
        n--;
    return xstrndup(s, n);
}

/* [from, to) are lines of the quote; equal when there is none. limit: where the signature begins. */
static void find_quote(const struct lines *l, size_t limit, size_t *ret_from, size_t *ret_to) {
    size_t i, k;

    *ret_from = *ret_to = l->count;
    for (i = 0; i < limit && !is_forward(l, i); i++) {
        k = introduction(l, i);
        if (is_separator(l, i) || is_header_block(l, i) || is_ruler(l, i) || is_marker(l, i)) {
            *ret_from = i;
            return;
        }
        if (k == 0 && !is_quote_line(l, i))
            continue;
        *ret_from = i;
        while (i + k < limit && is_blank_line(l, i + k))
            k++;
        if (i + k < limit && is_quote_line(l, i + k)) {
            *ret_to = quote_run(l, i + k, limit);
            if (has_text(l, *ret_to, limit) && (has_text(l, 0, i) || has_quote(l, *ret_to, limit)))
                *ret_from = *ret_to = l->count; /* written between the quotes: they are its context */
        }
        return;
    }
}

/* The line of "-- ", when what follows is short enough to be a signature; else `to`. */
static size_t find_signature(const struct lines *l, size_t from, size_t to) {
    size_t i;

    for (i = to; i-- > from && to - i <= 20;) {
        const char *s = l->text + l->at[i];
        size_t n = l->at[i + 1] - l->at[i];

        if (n > 0 && s[n - 1] == '\n')
            n--;
        if (n == 3 && memcmp(s, "-- ", 3) == 0)
            return i;
    }
    return to;
}

static void keep_all(const char *text, struct prose *ret) {
    ret->text = trimmed(text, strlen(text));
    ret->quoted = NULL;
    ret->signature = NULL;
}

void prose_split(const char *text, struct prose *ret) {
    struct lines l = split_lines(text);
    struct text body = TEXT_INIT, quoted = TEXT_INIT;
    size_t from, to, end, signature;

    find_quote(&l, find_signature(&l, 0, l.count), &from, &to);
    /* a reply below its quote has its signature at the end, one above it before the quote */
    end = has_text(&l, to, l.count) ? l.count : from;
    signature = find_signature(&l, end > to ? to : 0, end);
    text_add(&body, "");
    text_add_n(&body, text, l.at[signature < from ? signature : from]);
    if (signature > to)
        text_add_n(&body, text + l.at[to], l.at[signature] - l.at[to]);
    ret->text = trimmed(body.s, body.len);
    ret->quoted = ret->signature = NULL;
    if (ret->text[0] == '\0') {
        free(ret->text);
        keep_all(text, ret);
    } else {
        if (signature < end)
            ret->signature = trimmed(text + l.at[signature], l.at[end] - l.at[signature]);
        text_add(&quoted, "");
        if (ret->signature != NULL)
            text_addf(&quoted, "%s\n\n", ret->signature);
        text_add_n(&quoted, text + l.at[from], l.at[to] - l.at[from]);
        if (quoted.len > 0)
            ret->quoted = trimmed(quoted.s, quoted.len);
    }
    text_free(&body);
    text_free(&quoted);
    free(l.at);
}

void prose_clear(struct prose *p) {
    free(p->text);
    free(p->quoted);
    free(p->signature);
    memset(p, 0, sizeof(*p));
}
