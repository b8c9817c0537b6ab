/* words.c: charsets that lie, and encoded words however they were cut. */
#include "words.h"

#include "kit/sign.h"
#include "kit/text.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---------------------------------------------------------------- charsets */

struct alias {
    const char *label, *iconv;
};

/* What is meant by a label, where that is not what it says. */
static const struct alias aliases[] = {
    { "utf8", "UTF-8" },
    { "unicode-1-1-utf-8", "UTF-8" },
    { "utf-8mb4", "UTF-8" },
    { "iso-8859-1", "CP1252" },
    { "iso8859-1", "CP1252" },
    { "iso_8859-1", "CP1252" },
    { "latin1", "CP1252" },
    { "windows-1252", "CP1252" },
    { "cp-1252", "CP1252" },
    { "cp1252", "CP1252" },
    { "ansi", "CP1252" },
    { "x-ansi", "CP1252" },
    { "us-ascii", "US-ASCII" },
    { "ascii", "US-ASCII" },
    { "ansi_x3.4-1968", "US-ASCII" },
    { "gb2312", "GB18030" },
    { "gbk", "GB18030" },
    { "x-gbk", "GB18030" },
    { "ks_c_5601-1987", "CP949" },
    { "euc-kr", "CP949" },
    { "shift_jis", "CP932" },
    { "shift-jis", "CP932" },
    { "x-sjis", "CP932" },
    { "big5", "BIG5-HKSCS" },
    { "cp950", "BIG5-HKSCS" },
    { "unicode-1-1-utf-7", "UTF-7" },
    { "iso-8859-8-i", "ISO-8859-8" },
    { "iso-8859-9", "CP1254" },
    { "x-mac-roman", "MACINTOSH" },
    { "macroman", "MACINTOSH" },
    { "cp-850", "CP850" },
    { "x-unknown", NULL },
    { "unknown-8bit", NULL },
    { "8bit", NULL },
    { "binary", NULL },
};

/* windows-1252 from 0x80 to 0x9f; the five holes become U+FFFD. */
static const uint16_t high_1252[32] = {
    0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178,
};

/* The name for iconv in buf; false: no usable label. */
static bool charset_name(const char *label, char *buf, size_t size) {
    size_t n, i;

    if (label == NULL)
        return false;
    while (*label == ' ' || *label == '"' || *label == '\'')
        label++;
    n = strcspn(label, " \"'*;");
    if (n == 0 || n >= size)
        return false;
    memcpy(buf, label, n);
    buf[n] = '\0';
    for (i = 0; i < n; i++) /* no slash: "//TRANSLIT" is not the sender's to ask for */
        if ((unsigned char)buf[i] <= ' ' || (unsigned char)buf[i] >= 0x7f || buf[i] == '/' || buf[i] == ',')
            return false;
    for (i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        if (strcasecmp(buf, aliases[i].label) != 0)
            continue;
        if (aliases[i].iconv == NULL)
            return false;
        memcpy(buf, aliases[i].iconv, strlen(aliases[i].iconv) + 1);
        return true;
    }
    return true;
}

static void add_1252(struct text *t, const unsigned char *s, size_t n) {
    size_t i;

    for (i = 0; i < n; i++)
        text_add_codepoint(t, s[i] >= 0x80 && s[i] < 0xa0 ? high_1252[s[i] - 0x80] : s[i]);
}

/* UTF-8 but for NULs, which are not worth another charset. */
static bool looks_utf8(const unsigned char *s, size_t n) {
    size_t at = 0;

    while (at < n) {
        const unsigned char *nul = memchr(s + at, 0, n - at);
        size_t end = nul != NULL ? (size_t)(nul - s) : n;

        if (!text_is_utf8(s + at, end - at))
            return false;
        at = end + 1;
    }
    return true;
}

/* The bottom of the ladder: never fails. */
static void add_guessed(struct text *t, const void *bytes, size_t n) {
    if (looks_utf8(bytes, n))
        text_add_n(t, bytes, n);
    else
        add_1252(t, bytes, n);
}

/* false: too many faults for this to be the charset. */
static bool add_iconv(struct text *t, const char *name, const void *bytes, size_t n) {
    iconv_t cd = iconv_open("UTF-8", name);
    char buf[4096], *in = (char *)bytes;
    size_t left = n, faults = 0, before = t->len;

    if (cd == (iconv_t)-1)
        return false;
    while (left > 0) {
        char *out = buf;
        size_t room = sizeof(buf), r = iconv(cd, &in, &left, &out, &room);

        text_add_n(t, buf, sizeof(buf) - room);
        if (r != (size_t)-1 || errno == E2BIG)
            continue;
        text_add_codepoint(t, 0xfffd);
        faults++;
        if (errno == EINVAL) /* cut in the middle of the last character */
            break;
        in++;
        left--;
    }
    iconv_close(cd);
    if (faults * 50 <= n)
        return true;
    if (before < t->len) {
        t->len = before;
        t->s[before] = '\0';
    }
    return false;
}

static void add_charset(struct text *t, const void *bytes, size_t n, const char *charset) {
    char name[40];

    if (n == 0)
        return;
    if (!charset_name(charset, name, sizeof(name)) || strcasecmp(name, "US-ASCII") == 0 ||
        strcasecmp(name, "CP1252") == 0) {
        add_guessed(t, bytes, n); /* text in a one-byte charset is hardly ever UTF-8 by chance */
        return;
    }
    if (strcasecmp(name, "UTF-8") == 0) {
        if (looks_utf8(bytes, n) || !add_iconv(t, name, bytes, n))
            add_guessed(t, bytes, n);
        return;
    }
    if (!add_iconv(t, name, bytes, n))
        add_guessed(t, bytes, n);
}

char *words_to_utf8(const void *bytes, size_t n, const char *charset) {
    struct text t = TEXT_INIT;
    const char *s;
    char *clean;

    text_add(&t, "");
    add_charset(&t, bytes, n, charset);
    s = t.s;
    if (t.len >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
        s += 3;
    clean = text_clean(s, t.len - (size_t)(s - t.s));
    text_free(&t);
    return clean;
}

/* ----------------------------------------------------------- encoded words */

enum { WORD_MAX = 2048 }; /* 75 by the book */

struct word {
    char charset[40];
    char encoding;          /* 'B' or 'Q' */
    const char *text, *end; /* end: behind "?=" */
    size_t len;
};

static bool read_word(const char *s, const char *end, struct word *w) {
    const char *mark, *text, *stop;
    size_t n;

    if (end - s < 8 || s[0] != '=' || s[1] != '?')
        return false;
    if (end - s > WORD_MAX) /* keeps a header of unclosed words linear */
        end = s + WORD_MAX;
    mark = memchr(s + 2, '?', (size_t)(end - s - 2));
    if (mark == NULL || end - mark < 4 || mark[2] != '?')
        return false;
    n = (size_t)(mark - s - 2);
    if (n == 0 || n >= sizeof(w->charset))
        return false;
    memcpy(w->charset, s + 2, n);
    w->charset[n] = '\0';
    w->charset[strcspn(w->charset, "*")] = '\0';
    w->encoding = (char)(mark[1] & ~0x20);
    if (w->encoding != 'B' && w->encoding != 'Q')
        return false;
    text = mark + 3;
    stop = text;
    while (stop + 1 < end && !(stop[0] == '?' && stop[1] == '=')) {
        if (stop[0] == '=' && stop[1] == '?' && stop + 2 < end && stop[2] != '=' && w->encoding == 'B')
            return false; /* another word begins inside: this one is not closed */
        stop++;
    }
    if (stop + 1 >= end)
        return false;
    w->text = text;
    w->len = (size_t)(stop - text);
    w->end = stop + 2;
    return true;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void add_q(struct text *t, const char *s, size_t n) {
    size_t i;

    for (i = 0; i < n; i++) {
        if (s[i] == '_') {
            text_add_char(t, ' ');
        } else if (s[i] == '=' && i + 2 < n && hex_digit(s[i + 1]) >= 0 && hex_digit(s[i + 2]) >= 0) {
            text_add_char(t, (char)(hex_digit(s[i + 1]) * 16 + hex_digit(s[i + 2])));
            i += 2;
        } else {
            text_add_char(t, s[i]);
        }
    }
}

void words_base64(struct text *t, const char *s, size_t n) {
    uint32_t bits = 0;
    int have = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        char c = s[i];
        int v = c >= 'A' && c <= 'Z'   ? c - 'A'
                : c >= 'a' && c <= 'z' ? c - 'a' + 26
                : c >= '0' && c <= '9' ? c - '0' + 52
                : c == '+' || c == '-' ? 62
                : c == '/' || c == '_' ? 63
                                       : -1;

        if (c == '=')
            have = 0; /* what comes behind is coded anew */
        if (v < 0)
            continue;
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            text_add_char(t, (char)(bits >> have & 0xff));
        }
    }
}

static const char *skip_white(const char *s, const char *end) {
    while (s < end && (*s == ' ' || *s == '\t' || *s == '\r' || *s == '\n'))
        s++;
    return s;
}

/* Adjacent words of one charset, their bytes joined before decoding: mailers cut inside characters. */
static const char *add_run(struct text *out, const char *s, const char *end, struct word *w) {
    struct text bytes = TEXT_INIT;
    char charset[40];

    memcpy(charset, w->charset, sizeof(charset));
    text_add(&bytes, "");
    do {
        if (w->encoding == 'B')
            words_base64(&bytes, w->text, w->len);
        else
            add_q(&bytes, w->text, w->len);
        s = w->end;
    } while (read_word(skip_white(s, end), end, w) && strcasecmp(w->charset, charset) == 0);
    add_charset(out, bytes.s, bytes.len, charset);
    text_free(&bytes);
    return s;
}

char *words_decode(const char *value, size_t n, size_t max) {
    struct text out = TEXT_INIT;
    const char *s = value, *end = value + n, *plain = value;
    struct word w;
    char *line;
    bool after_word = false;

    text_add(&out, "");
    while (s < end) {
        if (*s != '=' || !read_word(s, end, &w)) {
            s++;
            continue;
        }
        if (!after_word || skip_white(plain, s) != s) /* white space between two words is not text */
            add_guessed(&out, plain, (size_t)(s - plain));
        s = add_run(&out, s, end, &w);
        plain = s;
        after_word = true;
    }
    add_guessed(&out, plain, (size_t)(end - plain));
    line = text_clean_line(out.s, out.len, max);
    text_free(&out);
    return line;
}
