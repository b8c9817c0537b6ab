/* fold.c: texts to plain words; see fold.h. */
#include "desk/fold.h"

#include "kit/text.h"

#include <stdlib.h>
#include <string.h>

/* What lies between two sentences counts as so many words. */
enum { SENTENCE_GAP = 4, STEM_MIN = 4 };

/* Letters that are another letter to the eye, or with a mark on it. 'a' to 'z'; runs of code points. */
static const struct {
    unsigned first;
    const char *letters; /* one for each code point from first on; '.': none */
} alike[] = {
    { 0xC0, "aaaaaaaceeeeiiiidnooooo.ouuuuy.s"
            "aaaaaaaceeeeiiiidnooooo.ouuuuy.y" },
    { 0x100, "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii..jjkkkllllll."
             ".llnnnnnn.nnoooooo..rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs" },
    { 0x430, "a....e........o.pc.y.x" }, /* Cyrillic look-alikes */
    { 0x455, "sij" },
};

static bool is_mark(unsigned cp) {
    return (cp >= 0x300 && cp <= 0x36F) || cp == 0xAD || (cp >= 0x200B && cp <= 0x200F) || cp == 0x2060 ||
           cp == 0xFEFF || (cp >= 0xFE00 && cp <= 0xFE0F) || cp == '\'' || cp == 0x2019 || cp == '`';
}

unsigned fold_codepoint(const char *s, size_t *ret_bytes) {
    const unsigned char *u = (const unsigned char *)s;
    size_t n = u[0] < 0x80 ? 1 : u[0] < 0xE0 ? 2 : u[0] < 0xF0 ? 3 : 4, i;
    unsigned cp = n == 1 ? u[0] : u[0] & (0x7Fu >> n);

    for (i = 1; i < n && u[i] != '\0'; i++)
        cp = cp << 6 | (u[i] & 0x3Fu);
    *ret_bytes = u[0] == '\0' ? 0 : i;
    return cp;
}

/* A lower-case letter or digit, or 0: no part of a word. */
static char plain(unsigned cp) {
    if (cp >= 0xFF01 && cp <= 0xFF5E)
        cp -= 0xFEE0; /* full width */
    if (cp >= 0x1D400 && cp <= 0x1D6A3)
        return (char)('a' + (cp - 0x1D400) % 26); /* mathematical letters */
    if (cp < 0x80) {
        if (cp >= 'A' && cp <= 'Z')
            return (char)(cp + 32);
        return (cp >= 'a' && cp <= 'z') || (cp >= '0' && cp <= '9') ? (char)cp : 0;
    }
    if (cp >= 0x410 && cp <= 0x42F)
        cp += 32;
    for (size_t i = 0; i < sizeof alike / sizeof alike[0]; i++) {
        if (cp >= alike[i].first && cp < alike[i].first + strlen(alike[i].letters)) {
            char c = alike[i].letters[cp - alike[i].first];
            return c == '.' ? 0 : c;
        }
    }
    return 0;
}

/* ------------------------------------------------------------------------- one word */

static bool letter(char c) {
    return c >= 'a' && c <= 'z';
}

/* "p4spor": a digit between letters is the letter it looks like. */
static void read_digits_as_letters(char *w, size_t n) {
    for (size_t i = 1; i + 1 < n; i++) {
        const char *at = letter(w[i - 1]) && letter(w[i + 1]) ? strchr("0o1i3e4a5s", w[i]) : NULL;
        if (at && w[i] >= '0' && w[i] <= '9')
            w[i] = at[1];
    }
}

/* "lamaaa", "baik2", "paspornya" to "lama", "baik", "paspor". Both sides are folded so; what is lost
 * in the meaning of single words ("fee", "fe") is lost on both. */
static size_t trim(char *w, size_t n) {
    size_t out = 0;
    for (size_t i = 0; i < n; i++) {
        if (out == 0 || w[i] != w[out - 1] || !letter(w[i]))
            w[out++] = w[i];
    }
    if (out > 3 && w[out - 1] == '2' && letter(w[out - 2]))
        out--;
    w[out] = '\0';
    return out;
}

static void stem(char *w) {
    static const char *const ends[] = { "nya", "lah", "kah" };
    size_t n = strlen(w);
    for (size_t i = 0; i < 3; i++) {
        if (n >= 3 + STEM_MIN && strcmp(w + n - 3, ends[i]) == 0) {
            w[n - 3] = '\0';
            return;
        }
    }
}

/* ----------------------------------------------------------------------------- slang */

static int by_from(const void *a, const void *b) {
    return strcmp(((const struct fold_entry *)a)->from, ((const struct fold_entry *)b)->from);
}

int fold_slang_add(struct fold_slang *s, const char *line) {
    struct fold from, to;
    const char *equals = strchr(line, '=');
    if (!equals)
        return -1;
    char *left = xstrndup(line, (size_t)(equals - line));
    fold_text(NULL, left, &from);
    fold_text(NULL, equals + 1, &to);
    struct text words = TEXT_INIT;
    text_add(&words, "");
    for (size_t i = 0; i < to.count; i++) {
        text_addf(&words, "%s%s", i > 0 ? " " : "", to.words[i].text);
    }
    for (size_t i = 0; i < from.count; i++) {
        s->entries = xrealloc(s->entries, s->count + 1, sizeof *s->entries);
        s->entries[s->count].from = xstrdup(from.words[i].text);
        s->entries[s->count++].to = xstrdup(words.s);
    }
    int rc = from.count > 0 ? 0 : -1;
    fold_clear(&from);
    fold_clear(&to);
    text_free(&words);
    free(left);
    return rc;
}

void fold_slang_sort(struct fold_slang *s) {
    if (s->count > 0)
        qsort(s->entries, s->count, sizeof *s->entries, by_from);
}

void fold_slang_clear(struct fold_slang *s) {
    for (size_t i = 0; i < s->count; i++) {
        free(s->entries[i].from);
        free(s->entries[i].to);
    }
    free(s->entries);
    *s = (struct fold_slang){ NULL, 0 };
}

static const char *slang_of(const struct fold_slang *s, const char *word) {
    struct fold_entry key = { (char *)(uintptr_t)word, NULL };
    const struct fold_entry *e =
        s && s->count > 0 ? bsearch(&key, s->entries, s->count, sizeof *s->entries, by_from) : NULL;
    return e ? e->to : NULL;
}

/* -------------------------------------------------------------------------- the text */

struct folding {
    const struct fold_slang *slang;
    struct fold *out;
    struct text pool;
    size_t room, gap;
    size_t *starts; /* of each word in the pool, which may still move */
};

static void push(struct folding *f, const char *word, size_t n, size_t from, size_t to) {
    struct fold *o = f->out;
    if (n == 0 || o->count == FOLD_WORDS_MAX)
        return;
    if (o->count == f->room) {
        f->room = f->room ? 2 * f->room : 64;
        o->words = xrealloc(o->words, f->room, sizeof *o->words);
        f->starts = xrealloc(f->starts, f->room, sizeof *f->starts);
    }
    size_t at = o->count == 0 ? 0 : o->words[o->count - 1].at + 1 + f->gap;
    f->gap = 0;
    f->starts[o->count] = f->pool.len;
    o->words[o->count++] = (struct fold_word){ NULL, from, to, at };
    text_add_n(&f->pool, word, n);
    text_add_n(&f->pool, "", 1);
}

static void push_word(struct folding *f, char *word, size_t n, size_t from, size_t to) {
    size_t digits = strspn(word, "0123456789");
    if (f->slang && digits > 0 && digits < n) { /* "500rb": an amount and its unit */
        push(f, word, digits, from, to);
        word += digits;
        n -= digits;
    }
    read_digits_as_letters(word, n);
    trim(word, n);
    const char *to_words = slang_of(f->slang, word);
    if (!to_words) {
        stem(word);
        to_words = slang_of(f->slang, word);
    }
    if (!to_words) {
        push(f, word, strlen(word), from, to);
        return;
    }
    for (size_t len; *to_words; to_words += len + (to_words[len] == ' ')) {
        len = strcspn(to_words, " ");
        push(f, to_words, len, from, to);
    }
}

/* Links, mail addresses and account names are no words. Bytes to skip, or 0. */
static size_t no_words(const char *s) {
    size_t n = strcspn(s, " \t\n,;()<>\"");
    if (s[0] == '@' || text_starts_nocase(s, "http://") || text_starts_nocase(s, "https://") ||
        text_starts_nocase(s, "www."))
        return n;
    const char *at = memchr(s, '@', n < 254 ? n : 254);
    return at && at > s ? n : 0;
}

static size_t one_word(struct folding *f, const char *text, size_t from) {
    char word[FOLD_WORD_MAX + 1];
    size_t n = 0, i = from, bytes;
    while (text[i] != '\0') {
        unsigned cp = fold_codepoint(text + i, &bytes);
        char c = plain(cp);
        if (c == 0 && (!is_mark(cp) || n == 0))
            break;
        if (c != 0 && n < FOLD_WORD_MAX)
            word[n++] = c;
        i += bytes;
    }
    word[n] = '\0';
    push_word(f, word, n, from, i);
    return i;
}

void fold_text(const struct fold_slang *slang, const char *text, struct fold *ret) {
    struct folding f = { .slang = slang, .out = ret };
    *ret = (struct fold){ NULL, 0, NULL };
    bool begins = true;
    for (size_t i = 0, bytes; text && text[i] != '\0' && ret->count < FOLD_WORDS_MAX;) {
        unsigned cp = fold_codepoint(text + i, &bytes);
        size_t skip = begins && cp > ' ' ? no_words(text + i) : 0;
        if (skip > 0) {
            i += skip;
        } else if (plain(cp) != 0) {
            i = one_word(&f, text, i);
        } else {
            f.gap = (cp == '.' || cp == '!' || cp == '?' || cp == '\n' || cp == ';') ? SENTENCE_GAP : f.gap;
            i += bytes;
        }
        begins = cp <= ' ' || strchr(",;()<>\"", (int)(cp < 0x80 ? cp : 'x')) != NULL;
    }
    for (size_t i = 0; i < ret->count; i++) {
        ret->words[i].text = f.pool.s + f.starts[i];
    }
    free(f.starts);
    ret->pool = f.pool.s;
}

void fold_clear(struct fold *f) {
    free(f->words);
    free(f->pool);
    *f = (struct fold){ NULL, 0, NULL };
}
