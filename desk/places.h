/*
 * places.h: the office's gazetteer and the phrases by which facts are told, from conf/places.conf.
 */
#ifndef ADUAN_DESK_PLACES_H
#define ADUAN_DESK_PLACES_H

#include "conf/fault.h"
#include "desk/lexicon.h"

/* Patterns of the file, as numbers in the lexicon; each is one phrase or set. */
enum places_kind {
    PLACES_AREA,     /* kelurahan, kecamatan: part of an address by itself */
    PLACES_CITY,     /* a town or regency */
    PLACES_LANDMARK, /* known, but no administrative area */
    PLACES_SCENE,    /* where things happen: ports, counters */
    PLACES_PARTY,
    PLACES_REMEDY,
    PLACES_EVIDENCE,
    PLACES_IDENTITY,
    PLACES_NO_IDENTITY,
    PLACES_KINDS
};

struct places {
    struct lexicon *lexicon;
    int patterns[PLACES_KINDS]; /* -1: the file names none */
    char **provinces;           /* codes of the first two digits of a NIK */
    size_t province_count;
    struct words_known *known; /* of facts_words.c */
};

/* POLICY/places.conf. Never NULL; usable only if no fault was added. */
struct places *places_load(const char *policy_dir, struct faults *f);
struct places *places_free(struct places *p); /* accepts and returns NULL */

#endif
