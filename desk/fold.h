/*
 * fold.h: a text as the words that rules are matched against.
 *
 * People write "LAMAAA bgt", "p4spor", "baik2", "pápor" and mean what the rules say in plain
 * words. Folding takes case, accents, emoji, look-alike letters and repeated letters away, turns
 * slang into words by the office's own list, drops forms of address ("min", "kak"), links and
 * account names, and remembers where in the text each word stood. Rules are folded the same way,
 * so that both meet. Pure; one pass.
 */
#ifndef ADUAN_DESK_FOLD_H
#define ADUAN_DESK_FOLD_H

#include <stdbool.h>
#include <stddef.h>

enum { FOLD_WORDS_MAX = 20000, FOLD_WORD_MAX = 64 };

struct fold_word {
    const char *text; /* folded; never empty */
    size_t from, to;  /* where it stands in the text, in bytes */
    size_t at;        /* counts words, and more between sentences: what is "near" */
};

struct fold {
    struct fold_word *words;
    size_t count;
    char *pool;
};

/* Slang and its plain words. All-zero is valid and empty. */
struct fold_slang {
    struct fold_entry {
        char *from, *to; /* to "": a word to be left out */
    } * entries;
    size_t count;
};

/* "ga gak nggak = tidak": 0, or -1: not of this form (nothing is added). Call fold_slang_sort() after the last.
 */
int fold_slang_add(struct fold_slang *s, const char *line);
void fold_slang_sort(struct fold_slang *s);
void fold_slang_clear(struct fold_slang *s);

/* At most FOLD_WORDS_MAX words; slang may be NULL. To be given to fold_clear(). */
void fold_text(const struct fold_slang *slang, const char *text, struct fold *ret);
void fold_clear(struct fold *f);

/* The next character of a valid UTF-8 string, and its bytes; 0 at the end. */
unsigned fold_codepoint(const char *s, size_t *ret_bytes);

#endif
