/*
 * length.c: how long X counts a post (section 4.2).
 *
 * Whole emoji weigh 2, addresses 23, most Latin 1, all else 2. Counted as written: text that is not in
 * NFC weighs a little more here than there, never less.
 */
#include "x/x.h"

#include <ctype.h>
#include <string.h>

enum { URL_WEIGHT = 23, EMOJI_WEIGHT = 2 };

static uint32_t next(const char **p) {
    const unsigned char *s = (const unsigned char *)*p;
    int n = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4, i;
    uint32_t c = n == 1 ? s[0] : s[0] & (0xffu >> (n + 1));

    for (i = 1; i < n && (s[i] & 0xc0) == 0x80; i++)
        c = c << 6 | (s[i] & 0x3f);
    *p += i;
    return c;
}

static uint32_t peek(const char *p) {
    return *p != '\0' ? next(&p) : 0;
}

static bool is_light(uint32_t c) {
    return c <= 0x10ff || (c >= 0x2000 && c <= 0x200d) || (c >= 0x2010 && c <= 0x201f) ||
           (c >= 0x2032 && c <= 0x2037);
}

static bool is_emoji(uint32_t c) {
    return (c >= 0x1f000 && c <= 0x1faff) || (c >= 0x2190 && c <= 0x21ff) || (c >= 0x2300 && c <= 0x23ff) ||
           (c >= 0x25a0 && c <= 0x27bf) || (c >= 0x2900 && c <= 0x297f) || (c >= 0x2b00 && c <= 0x2bff) ||
           c == 0x3030 || c == 0x303d || c == 0x3297 || c == 0x3299;
}

static bool is_regional(uint32_t c) {
    return c >= 0x1f1e6 && c <= 0x1f1ff;
}

/* What hangs on an emoji: presentation, skin, keycap, tags of flags. */
static bool is_tail(uint32_t c) {
    return c == 0xfe0f || c == 0x20e3 || (c >= 0x1f3fb && c <= 0x1f3ff) || (c >= 0xe0020 && c <= 0xe007f);
}

/* The end of the emoji sequence at p; NULL: there is none. */
static const char *emoji_end(const char *p) {
    const char *after;
    uint32_t c = next(&p);

    if (is_regional(c)) {
        if (is_regional(peek(p)))
            next(&p);
        return p;
    }
    if (!is_emoji(c) && !(peek(p) == 0xfe0f) && !(peek(p) == 0x20e3))
        return NULL;
    for (;;) {
        while (is_tail(peek(p)))
            next(&p);
        after = p;
        if (peek(p) != 0x200d || (next(&after), !is_emoji(peek(after))))
            return p;
        next(&after);
        p = after;
    }
}

/* The length of the address at p, with or without https://; 0: none. A name with a dot and letters behind it
 * may become a link, too. */
static size_t url_length(const char *p) {
    size_t n = strcspn(p, " \t\r\n\"<>()"), i, dot = 0;

    if (text_starts_nocase(p, "https://") || text_starts_nocase(p, "http://"))
        return n;
    for (i = 0; i < n && (isalnum((unsigned char)p[i]) || p[i] == '-' || p[i] == '.'); i++)
        if (p[i] == '.' && i > 0 && isalpha((unsigned char)p[i + 1]) && isalpha((unsigned char)p[i + 2]))
            dot = i;
    return dot > 0 ? n : 0;
}

int64_t x_weight(const char *text) {
    const char *p = text, *end;
    int64_t weight = 0;
    bool word_starts = true;
    size_t n;

    while (*p != '\0') {
        n = word_starts ? url_length(p) : 0;
        if (n > 0) {
            weight += text_starts_nocase(p, "http") || n < URL_WEIGHT ? URL_WEIGHT : (int64_t)n;
            p += n;
            word_starts = false;
            continue;
        }
        end = emoji_end(p);
        if (end != NULL) {
            weight += EMOJI_WEIGHT;
            p = end;
            word_starts = true;
            continue;
        }
        word_starts = strchr(" \t\r\n\"<>()", *p) != NULL;
        weight += is_light(next(&p)) ? 1 : 2;
    }
    return weight;
}
