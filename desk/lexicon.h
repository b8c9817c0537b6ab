/*
 * lexicon.h: many phrases found in a text at once.
 *
 * A pattern is a phrase ("paspor hilang"), a phrase whose words may go on ("hilang*"), a set of
 * phrases ("@money"), or several of these that stand near each other in any order
 * ("@officer ~ @demand ~ @money"). All are folded as the text is (fold.h). After lexicon_seal() it is
 * only read. One pass over the text finds every phrase; near things are found along their places.
 */
#ifndef ADUAN_DESK_LEXICON_H
#define ADUAN_DESK_LEXICON_H

#include "desk/fold.h"

struct lexicon;
struct lexicon_hits; /* where each phrase stands in one text */

enum { LEXICON_PARTS_MAX = 4 };

/* slang and its list must live as long. near: how many words "~" may span. */
struct lexicon *lexicon_new(const struct fold_slang *slang, size_t near);
struct lexicon *lexicon_free(struct lexicon *l); /* accepts and returns NULL */

/* One phrase more of a named set. 0, or -1 with a reason. */
int lexicon_add(struct lexicon *l, const char *set, const char *phrase, const char **ret_why);
/* A pattern's number, from 0; -1 with a reason (also: a set that nobody filled). */
int lexicon_pattern(struct lexicon *l, const char *pattern, const char **ret_why);
void lexicon_seal(struct lexicon *l);

struct lexicon_hits *lexicon_find(const struct lexicon *l, const struct fold *text);
struct lexicon_hits *lexicon_hits_free(struct lexicon_hits *h); /* accepts and returns NULL */

/* Does the pattern stand in the text? *ret_word (may be NULL): the first word of its first place. */
bool lexicon_has(const struct lexicon *l, const struct lexicon_hits *h, int pattern, size_t *ret_word);
/* The n-th place of a pattern that is one phrase or set; false: no more. */
bool lexicon_place(const struct lexicon *l, const struct lexicon_hits *h, int pattern, size_t n,
                   size_t *ret_word, size_t *ret_words);
/* Is it of one part only? */
bool lexicon_single(const struct lexicon *l, int pattern);
const char *lexicon_text(const struct lexicon *l, int pattern); /* as it was written */

#endif
