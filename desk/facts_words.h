/*
 * facts_words.h: a text as words that know what they may be in a name or an address.
 *
 * Between facts.c and its parts (facts_name.c, facts_address.c, facts_event.c); nobody else.
 */
#ifndef ADUAN_DESK_FACTS_WORDS_H
#define ADUAN_DESK_FACTS_WORDS_H

#include "desk/facts.h"

/* What a word may be; several at once. */
enum {
    W_STREET = 1 << 0,   /* jl, gang, blok, street */
    W_VENUE = 1 << 1,    /* hotel, kos, wisma */
    W_HOUSE = 1 << 2,    /* rt, rw, no */
    W_KM = 1 << 3,       /* km */
    W_ADMIN = 1 << 4,    /* kelurahan, kecamatan, kota: what follows is an area */
    W_HAMLET = 1 << 5,   /* kampung, dusun, desa */
    W_SHORT = 1 << 6,    /* an abbreviation: its full stop ends no sentence */
    W_STOP = 1 << 7,     /* never in an address: it ends there */
    W_NO_NAME = 1 << 8,  /* never in a name */
    W_TITLE = 1 << 9,    /* H., dr.: goes with the name */
    W_ADDRESS = 1 << 10, /* pak, mr: said to people, no part of the name */
    W_CALL = 1 << 11,    /* hp, wa, email: a label of its own */
    W_AREA = 1 << 12,    /* in the gazetteer: area, city, landmark */
    W_CITY = 1 << 13,
    W_LANDMARK = 1 << 14,
    W_NUMBER = 1 << 15,
    W_CAPITAL = 1 << 16, /* is written with a capital */
    W_JOB = 1 << 17,     /* manager, petugas: a line with it is no name */
    W_MONTH = 1 << 18,
};

enum { W_PLACE = W_AREA | W_CITY | W_LANDMARK };

struct words {
    const char *text;
    struct fold f;
    unsigned *kinds;
};

/* For places_load(); to be given to free(). */
struct words_known *words_known_new(void);

void words_read(const struct places *p, const char *text, struct words *ret);
void words_clear(struct words *w);

/* The bytes between word i - 1 and word i; i may be the count. */
const char *words_gap(const struct words *w, size_t i, size_t *ret_bytes);
bool words_gap_has(const struct words *w, size_t i, const char *any_of);
/* Does a line, or a sentence, begin at word i? */
bool words_line_begins(const struct words *w, size_t i);
bool words_sentence_begins(const struct words *w, size_t i);
/* Word i and the next are these (folded words with blanks between). 0, or how many words that are. */
size_t words_are(const struct words *w, size_t i, const char *phrase);
/* The first of a NULL-terminated list that stands at i. */
size_t words_are_one(const struct words *w, size_t i, const char *const *phrases);
/* The text of [first, end), cleaned, on one line; new. */
char *words_copy(const struct words *w, size_t first, size_t end, size_t max);

/* Names: [*ret_first, *ret_end) without "Pak"; false: none. */
bool facts_find_name(const struct words *w, size_t *ret_first, size_t *ret_end);
/* name_end: the word after the name, or SIZE_MAX. */
void facts_find_address(const struct words *w, size_t name_end, struct facts *ret);
void facts_find_event(const struct places *p, const struct words *w, int64_t now, int offset_minutes,
                      struct facts *ret);

#endif
