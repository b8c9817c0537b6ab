/* lexicon.c: many phrases found in a text at once; see lexicon.h. */
#include "desk/lexicon.h"

#include "kit/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PHRASE_WORDS_MAX = 8, STEM_MIN = 2 };
enum { MORE_NEAR = 3 }; /* words more for each part beyond two */

struct phrase {
    char *words[PHRASE_WORDS_MAX];
    bool more[PHRASE_WORDS_MAX]; /* the word may go on */
    size_t count, set;
};

struct set {
    char *name; /* NULL: of one phrase that stands in a pattern itself */
    size_t phrases;
};

struct pattern {
    char *text;
    size_t parts[LEXICON_PARTS_MAX], count;
};

struct lexicon {
    const struct fold_slang *slang;
    size_t near;
    struct phrase *phrases;
    size_t phrase_count;
    struct set *sets;
    size_t set_count;
    struct pattern *patterns;
    size_t pattern_count;
};

struct place {
    size_t word, words, at;
};

struct lexicon_hits {
    size_t set_count;
    struct places {
        struct place *items;
        size_t count, room;
    } sets[];
};

struct lexicon *lexicon_new(const struct fold_slang *slang, size_t near) {
    struct lexicon *l = xcalloc(1, sizeof *l);
    l->slang = slang;
    l->near = near;
    return l;
}

struct lexicon *lexicon_free(struct lexicon *l) {
    for (size_t i = 0; l && i < l->phrase_count; i++) {
        for (size_t k = 0; k < l->phrases[i].count; k++) {
            free(l->phrases[i].words[k]);
        }
    }
    for (size_t i = 0; l && i < l->set_count; i++) {
        free(l->sets[i].name);
    }
    for (size_t i = 0; l && i < l->pattern_count; i++) {
        free(l->patterns[i].text);
    }
    if (l) {
        free(l->phrases);
        free(l->sets);
        free(l->patterns);
    }
    free(l);
    return NULL;
}

/* -------------------------------------------------------------------------- building */

static size_t new_set(struct lexicon *l, const char *name, size_t n) {
    l->sets = xrealloc(l->sets, l->set_count + 1, sizeof *l->sets);
    l->sets[l->set_count] = (struct set){ n > 0 ? xstrndup(name, n) : NULL, 0 };
    return l->set_count++;
}

static bool find_set(const struct lexicon *l, const char *name, size_t n, size_t *ret) {
    for (size_t i = 0; i < l->set_count; i++) {
        const char *s = l->sets[i].name;
        if (s && strncmp(s, name, n) == 0 && s[n] == '\0') {
            *ret = i;
            return true;
        }
    }
    return false;
}

static int add_phrase(struct lexicon *l, size_t set, const char *text, size_t n, const char **ret_why) {
    char *copy = xstrndup(text, n);
    struct fold f;
    struct phrase p = { .set = set };
    fold_text(l->slang, copy, &f);
    int rc = f.count >= 1 && f.count <= PHRASE_WORDS_MAX ? 0 : -1;
    *ret_why = f.count == 0 ? "has no word" : "has more than 8 words";
    for (size_t i = 0; rc == 0 && i < f.count; i++) {
        p.more[i] = copy[f.words[i].to] == '*';
        if (p.more[i] && strlen(f.words[i].text) < STEM_MIN) {
            *ret_why = "has too little before \"*\"";
            rc = -1;
        }
    }
    for (; rc == 0 && p.count < f.count; p.count++) {
        p.words[p.count] = xstrdup(f.words[p.count].text);
    }
    if (rc == 0) {
        l->phrases = xrealloc(l->phrases, l->phrase_count + 1, sizeof *l->phrases);
        l->phrases[l->phrase_count++] = p;
        l->sets[set].phrases++;
    }
    fold_clear(&f);
    free(copy);
    return rc;
}

int lexicon_add(struct lexicon *l, const char *set, const char *phrase, const char **ret_why) {
    size_t n = strlen(set), at;
    if (n == 0) {
        *ret_why = "needs a name";
        return -1;
    }
    if (!find_set(l, set, n, &at)) {
        at = new_set(l, set, n);
    }
    return add_phrase(l, at, phrase, strlen(phrase), ret_why);
}

/* One part, from s to s + n, blanks around it taken off already. */
static int add_part(struct lexicon *l, struct pattern *p, const char *s, size_t n, const char **ret_why) {
    size_t set;
    if (p->count == LEXICON_PARTS_MAX) {
        *ret_why = "has more than 4 parts";
        return -1;
    }
    if (s[0] == '@') {
        if (!find_set(l, s + 1, n - 1, &set)) {
            *ret_why = "names a set that is not there";
            return -1;
        }
    } else {
        set = new_set(l, "", 0);
        if (add_phrase(l, set, s, n, ret_why) != 0) {
            return -1;
        }
    }
    p->parts[p->count++] = set;
    return 0;
}

int lexicon_pattern(struct lexicon *l, const char *pattern, const char **ret_why) {
    struct pattern p = { .count = 0 };
    const char *s = pattern;
    *ret_why = "";
    for (bool more = true; more;) {
        size_t n = strcspn(s, "~"), len = n;
        more = s[n] == '~';
        const char *part = s;
        for (; len > 0 && *part == ' '; len--) {
            part++;
        }
        for (; len > 0 && part[len - 1] == ' '; len--) {
        }
        if (len == 0) {
            *ret_why = "has an empty part";
            return -1;
        }
        if (add_part(l, &p, part, len, ret_why) != 0) {
            return -1;
        }
        s += n + more;
    }
    p.text = xstrdup(pattern);
    l->patterns = xrealloc(l->patterns, l->pattern_count + 1, sizeof *l->patterns);
    l->patterns[l->pattern_count] = p;
    return (int)l->pattern_count++;
}

/* Phrases are looked up by two letters, so that words that may go on stand with the others. */
static int two_letters(const char *a, const char *b) {
    return strncmp(a, b, 2);
}

static int by_letters(const void *a, const void *b) {
    return two_letters(((const struct phrase *)a)->words[0], ((const struct phrase *)b)->words[0]);
}

void lexicon_seal(struct lexicon *l) {
    if (l->phrase_count > 0) {
        qsort(l->phrases, l->phrase_count, sizeof *l->phrases, by_letters);
    }
}

/* --------------------------------------------------------------------------- finding */

static bool stands(const struct phrase *p, const struct fold *text, size_t at) {
    if (text->count - at < p->count) {
        return false;
    }
    for (size_t i = 0; i < p->count; i++) {
        const char *word = text->words[at + i].text;
        if (p->more[i] ? strncmp(word, p->words[i], strlen(p->words[i])) != 0
                       : strcmp(word, p->words[i]) != 0) {
            return false;
        }
    }
    return true;
}

static void add_place(struct places *s, const struct phrase *p, const struct fold *text, size_t word) {
    if (s->count > 0 && s->items[s->count - 1].word == word) { /* two phrases of one set: the longer */
        struct place *last = &s->items[s->count - 1];
        last->words = p->count > last->words ? p->count : last->words;
        return;
    }
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 4;
        s->items = xrealloc(s->items, s->room, sizeof *s->items);
    }
    s->items[s->count++] = (struct place){ word, p->count, text->words[word].at };
}

static size_t first_phrase(const struct lexicon *l, const char *word) {
    size_t low = 0, high = l->phrase_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (two_letters(l->phrases[mid].words[0], word) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

struct lexicon_hits *lexicon_find(const struct lexicon *l, const struct fold *text) {
    struct lexicon_hits *h = xcalloc(1, sizeof *h + l->set_count * sizeof h->sets[0]);
    h->set_count = l->set_count;
    for (size_t w = 0; w < text->count; w++) {
        const char *word = text->words[w].text;
        for (size_t i = first_phrase(l, word);
             i < l->phrase_count && two_letters(l->phrases[i].words[0], word) == 0; i++) {
            if (stands(&l->phrases[i], text, w)) {
                add_place(&h->sets[l->phrases[i].set], &l->phrases[i], text, w);
            }
        }
    }
    return h;
}

struct lexicon_hits *lexicon_hits_free(struct lexicon_hits *h) {
    for (size_t i = 0; h && i < h->set_count; i++) {
        free(h->sets[i].items);
    }
    free(h);
    return NULL;
}

/* The smallest span that holds one place of each part: all lists are walked once. */
bool lexicon_has(const struct lexicon *l, const struct lexicon_hits *h, int pattern, size_t *ret_word) {
    const struct pattern *p = &l->patterns[pattern];
    size_t at[LEXICON_PARTS_MAX] = { 0 }, reach = l->near + (p->count > 2 ? (p->count - 2) * MORE_NEAR : 0);
    for (;;) {
        size_t low = 0, high = 0;
        for (size_t i = 0; i < p->count; i++) {
            if (at[i] >= h->sets[p->parts[i]].count) {
                return false;
            }
            low = h->sets[p->parts[i]].items[at[i]].at < h->sets[p->parts[low]].items[at[low]].at ? i : low;
            high = h->sets[p->parts[i]].items[at[i]].at > h->sets[p->parts[high]].items[at[high]].at ? i : high;
        }
        const struct place *first = &h->sets[p->parts[low]].items[at[low]];
        if (h->sets[p->parts[high]].items[at[high]].at - first->at <= reach) {
            if (ret_word) {
                *ret_word = first->word;
            }
            return true;
        }
        at[low]++;
    }
}

bool lexicon_place(const struct lexicon *l, const struct lexicon_hits *h, int pattern, size_t n,
                   size_t *ret_word, size_t *ret_words) {
    const struct pattern *p = &l->patterns[pattern];
    const struct places *s = &h->sets[p->parts[0]];
    if (p->count != 1 || n >= s->count) {
        return false;
    }
    *ret_word = s->items[n].word;
    *ret_words = s->items[n].words;
    return true;
}

bool lexicon_single(const struct lexicon *l, int pattern) {
    return l->patterns[pattern].count == 1;
}

const char *lexicon_text(const struct lexicon *l, int pattern) {
    return l->patterns[pattern].text;
}
