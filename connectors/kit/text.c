/* text.c: growing strings, cleaning of text from outside, small comparisons. */
#include "kit/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- allocation */

/* A worker without memory is of no use to anybody: its master starts a fresh one, and what was in
 * flight is still in Redis or on the platform. */
static void out_of_memory(void) __attribute__((noreturn));
static void out_of_memory(void) {
    static const char line[] = "out of memory\n";

    fwrite(line, 1, sizeof(line) - 1, stderr);
    abort();
}

void *xcalloc(size_t n, size_t size) {
    void *p = calloc(n != 0 ? n : 1, size != 0 ? size : 1);

    if (p == NULL)
        out_of_memory();
    return p;
}

void *xrealloc(void *p, size_t n, size_t size) {
    void *q;

    if (size != 0 && n > SIZE_MAX / size)
        out_of_memory();
    q = realloc(p, n * size != 0 ? n * size : 1);
    if (q == NULL)
        out_of_memory();
    return q;
}

char *xstrndup(const char *s, size_t n) {
    char *copy;

    if (s == NULL)
        return NULL;
    n = strnlen(s, n);
    copy = xrealloc(NULL, n + 1, 1);
    memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

char *xstrdup(const char *s) {
    return s != NULL ? xstrndup(s, strlen(s)) : NULL;
}

char *xasprintf(const char *fmt, ...) {
    struct text t = TEXT_INIT;
    va_list ap;

    va_start(ap, fmt);
    text_vaddf(&t, fmt, ap);
    va_end(ap);
    return text_steal(&t);
}

void text_wipe(void *p, size_t n) {
    if (p != NULL)
        explicit_bzero(p, n);
}

/* -------------------------------------------------------------- growing string */

static void text_room(struct text *t, size_t more) {
    size_t room = t->room != 0 ? t->room : 32;

    if (more >= SIZE_MAX / 2 - t->len)
        out_of_memory();
    while (room < t->len + more + 1)
        room *= 2;
    if (room != t->room) {
        t->s = xrealloc(t->s, room, 1);
        t->room = room;
    }
}

void text_free(struct text *t) {
    free(t->s);
    *t = (struct text)TEXT_INIT;
}

void text_reset(struct text *t) {
    t->len = 0;
    if (t->s != NULL)
        t->s[0] = '\0';
}

void text_add_n(struct text *t, const void *bytes, size_t n) {
    text_room(t, n);
    if (n != 0)
        memcpy(t->s + t->len, bytes, n);
    t->len += n;
    t->s[t->len] = '\0';
}

void text_add(struct text *t, const char *s) {
    if (s != NULL)
        text_add_n(t, s, strlen(s));
}

void text_add_char(struct text *t, char c) {
    text_add_n(t, &c, 1);
}

void text_add_codepoint(struct text *t, uint32_t cp) {
    char b[4];

    if (cp == 0 || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
        cp = 0xFFFD;
    if (cp < 0x80) {
        text_add_char(t, (char)cp);
    } else if (cp < 0x800) {
        b[0] = (char)(0xC0 | cp >> 6);
        b[1] = (char)(0x80 | (cp & 0x3F));
        text_add_n(t, b, 2);
    } else if (cp < 0x10000) {
        b[0] = (char)(0xE0 | cp >> 12);
        b[1] = (char)(0x80 | (cp >> 6 & 0x3F));
        b[2] = (char)(0x80 | (cp & 0x3F));
        text_add_n(t, b, 3);
    } else {
        b[0] = (char)(0xF0 | cp >> 18);
        b[1] = (char)(0x80 | (cp >> 12 & 0x3F));
        b[2] = (char)(0x80 | (cp >> 6 & 0x3F));
        b[3] = (char)(0x80 | (cp & 0x3F));
        text_add_n(t, b, 4);
    }
}

void text_vaddf(struct text *t, const char *fmt, va_list ap) {
    va_list again;
    int n;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    if (n < 0)
        out_of_memory();
    text_room(t, (size_t)n);
    vsnprintf(t->s + t->len, (size_t)n + 1, fmt, again);
    va_end(again);
    t->len += (size_t)n;
}

void text_addf(struct text *t, const char *fmt, ...) {
    va_list ap;

    va_start(ap, fmt);
    text_vaddf(t, fmt, ap);
    va_end(ap);
}

char *text_steal(struct text *t) {
    char *s;

    text_room(t, 0);
    t->s[t->len] = '\0';
    s = t->s;
    *t = (struct text)TEXT_INIT;
    return s;
}

/* ------------------------------------------------------------------------ UTF-8 */

/* Decodes one character of at most n bytes: its length and *cp, or 0 for a fault (RFC 3629). */
static size_t utf8_next(const unsigned char *p, size_t n, uint32_t *cp) {
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t len, i;

    if (p[0] < 0x80) {
        *cp = p[0];
        return 1;
    }
    len = p[0] >= 0xC2 && p[0] <= 0xDF ? 2 : (p[0] & 0xF0) == 0xE0 ? 3 : p[0] >= 0xF0 && p[0] <= 0xF4 ? 4 : 0;
    if (len == 0 || len > n)
        return 0;
    *cp = p[0] & (0xFFu >> (len + 1));
    for (i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        *cp = *cp << 6 | (p[i] & 0x3F);
    }
    if (*cp < least[len] || *cp > 0x10FFFF || (*cp >= 0xD800 && *cp <= 0xDFFF))
        return 0;
    return len;
}

/* How many bytes from the start are plain ASCII without NUL, by eights: nearly all of most texts. */
static size_t plain_eights(const unsigned char *p, size_t n) {
    const uint64_t high = 0x8080808080808080u, ones = 0x0101010101010101u;
    uint64_t eight;
    size_t i;

    for (i = 0; n - i >= sizeof(eight); i += sizeof(eight)) {
        memcpy(&eight, p + i, sizeof(eight));
        if (((eight | (eight - ones)) & high) != 0) /* above ASCII, or a NUL lent from its neighbour */
            break;
    }
    return i;
}

bool text_is_utf8(const void *bytes, size_t n) {
    const unsigned char *p = bytes;
    uint32_t cp;
    size_t i = plain_eights(p, n), len;

    while (i < n) {
        if (p[i] < 0x80 && p[i] != 0) {
            i++;
            continue;
        }
        len = utf8_next(p + i, n - i, &cp);
        if (len == 0 || cp == 0)
            return false;
        i += len;
    }
    return true;
}

/* Calls add for each character of any bytes: faults as U+FFFD, line ends as LF, NUL left out. */
static void each_clean(struct text *t, const unsigned char *p, size_t n, void (*add)(struct text *, uint32_t)) {
    uint32_t cp;
    size_t i = 0, len;

    while (i < n) {
        len = utf8_next(p + i, n - i, &cp);
        if (len == 0) {
            cp = 0xFFFD;
            len = 1;
        }
        i += len;
        if (cp == '\r') {
            if (i < n && p[i] == '\n')
                continue;
            cp = '\n';
        }
        if (cp != 0)
            add(t, cp);
    }
}

char *text_clean(const void *bytes, size_t n) {
    struct text t = TEXT_INIT;

    /* Nearly always there is nothing to clean, and every message passes here. */
    if (n > 0 && memchr(bytes, '\r', n) == NULL && text_is_utf8(bytes, n))
        return xstrndup(bytes, n);
    if (n > 0)
        each_clean(&t, bytes, n, text_add_codepoint);
    return text_steal(&t);
}

static bool is_bidi_control(uint32_t cp) {
    return (cp >= 0x202A && cp <= 0x202E) || (cp >= 0x2066 && cp <= 0x2069) || cp == 0x200E || cp == 0x200F ||
           cp == 0x061C;
}

static bool is_space_like(uint32_t cp) {
    return cp <= 0x20 || (cp >= 0x7F && cp <= 0x9F) || cp == 0x2028 || cp == 0x2029;
}

/* One line: a run of controls, line breaks and spaces is one space; none at the start. */
static void add_for_line(struct text *t, uint32_t cp) {
    if (is_bidi_control(cp))
        return;
    if (!is_space_like(cp))
        text_add_codepoint(t, cp);
    else if (t->len > 0 && t->s[t->len - 1] != ' ')
        text_add_char(t, ' ');
}

size_t text_cut(const char *s, size_t max_bytes) {
    size_t n = strnlen(s, max_bytes + 1);

    if (n <= max_bytes)
        return n;
    n = max_bytes;
    while (n > 0 && ((unsigned char)s[n] & 0xC0) == 0x80)
        n--;
    return n;
}

char *text_clean_line(const void *bytes, size_t n, size_t max) {
    struct text t = TEXT_INIT;
    size_t end;

    if (n > 0)
        each_clean(&t, bytes, n, add_for_line);
    if (t.s == NULL)
        return text_steal(&t);
    end = text_cut(t.s, max);
    while (end > 0 && t.s[end - 1] == ' ')
        end--;
    t.len = end;
    return text_steal(&t);
}

char *text_clean_filename(const void *bytes, size_t n) {
    char *line = text_clean_line(bytes, n, 4096);
    char *name = line, *p, *dot, *result;
    size_t len, suffix, keep;

    for (p = line; *p != '\0'; p++)
        if (*p == '/' || *p == '\\')
            name = p + 1;
    for (p = name; *p != '\0'; p++)
        if (strchr(":*?\"<>|", *p) != NULL)
            *p = '_';
    while (*name == '.' || *name == ' ')
        name++;
    len = strlen(name);
    while (len > 0 && (name[len - 1] == '.' || name[len - 1] == ' '))
        name[--len] = '\0';
    dot = strrchr(name, '.');
    suffix = dot != NULL ? strlen(dot) : 0;
    if (len == 0) {
        result = xstrdup("lampiran");
    } else if (len > 255 && suffix > 0 && suffix <= 32) {
        keep = text_cut(name, 255 - suffix);
        result = xasprintf("%.*s%s", (int)keep, name, dot);
    } else {
        result = xstrndup(name, text_cut(name, 255));
    }
    free(line);
    return result;
}

size_t text_characters(const char *s) {
    size_t n = 0;

    for (; *s != '\0'; s++)
        n += ((unsigned char)*s & 0xC0) != 0x80;
    return n;
}

/* ------------------------------------------------------------------- comparison */

static int lower(int c) {
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

bool text_starts(const char *s, const char *prefix) {
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_starts_nocase(const char *s, const char *prefix) {
    for (; *prefix != '\0'; s++, prefix++)
        if (lower((unsigned char)*s) != lower((unsigned char)*prefix))
            return false;
    return true;
}

bool text_ends(const char *s, const char *suffix) {
    size_t n = strlen(s), m = strlen(suffix);

    return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool text_equal(const char *a, const char *b) {
    if (a == NULL || b == NULL)
        return a == b;
    return strcmp(a, b) == 0;
}

int text_compare_nocase(const char *a, const char *b) {
    for (; *a != '\0' && lower((unsigned char)*a) == lower((unsigned char)*b); a++, b++)
        ;
    return lower((unsigned char)*a) - lower((unsigned char)*b);
}

const char *text_find_nocase(const char *haystack, const char *needle) {
    for (;; haystack++) {
        if (text_starts_nocase(haystack, needle))
            return haystack;
        if (*haystack == '\0')
            return NULL;
    }
}

char *text_lower(const char *s) {
    char *copy = xstrdup(s), *p;

    for (p = copy; p != NULL && *p != '\0'; p++)
        *p = (char)lower((unsigned char)*p);
    return copy;
}

size_t text_distance(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b), i, j, diagonal, above, best;
    size_t *row = xcalloc(m + 1, sizeof(*row));

    for (j = 0; j <= m; j++)
        row[j] = j;
    for (i = 1; i <= n; i++) {
        diagonal = row[0];
        row[0] = i;
        for (j = 1; j <= m; j++) {
            above = row[j];
            best = diagonal + (a[i - 1] != b[j - 1]);
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = above;
            row[j] = best;
        }
    }
    best = row[m];
    free(row);
    return best;
}

int text_parse_int(const char *s, int64_t min, int64_t max, int64_t *ret) {
    char *end;
    long long v;

    if (s == NULL || (!isdigit((unsigned char)s[0]) && !(s[0] == '-' && isdigit((unsigned char)s[1]))))
        return -1;
    errno = 0;
    v = strtoll(s, &end, 10);
    if (errno != 0 || *end != '\0' || v < min || v > max)
        return -1;
    *ret = v;
    return 0;
}
