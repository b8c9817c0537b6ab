/*
 * facts.h: what a person really wrote about themselves and what happened.
 *
 * Labelled lines ("Nama: …"), prose ("nama saya …", "I live at …"), the last lines of a letter, in
 * Indonesian, Malay or English, in any case. Only the text counts, never a profile's name. What is
 * not there stays NULL: nothing is guessed. Pure, linear in the text, no memory between calls; the
 * gazetteer and the phrases are conf/places.conf (places.h).
 */
#ifndef ADUAN_DESK_FACTS_H
#define ADUAN_DESK_FACTS_H

#include "desk/places.h"

#include <stdint.h>

enum facts_score { FACTS_NONE = 0, FACTS_PARTIAL, FACTS_FULL };

/* Strings are new, on one line; NULL: not said. */
struct facts {
    char *name;
    char *address;
    enum facts_score address_score;
    char phone[20];     /* E.164; "": none */
    bool phone_assumed; /* the country is our guess */
    char *phone_raw;    /* what looks like a number but fits no rule: to be asked */
    char nik[17];
    bool nik_unsure; /* a province that the table does not know */
    char passport[12];
    char event_date[11]; /* "2026-10-05"; "": none */
    char event_time[6];  /* "07:40" */
    char *event_place, *party, *remedy;
    int soonest_day; /* days from now to the first coming date; -1: none */
    bool identity;   /* says that an ID was shown or is enclosed */
    size_t evidence; /* mentions of papers, pictures, receipts */
};

/* text is valid UTF-8; now (ms) and the office's offset tell which day "kemarin" is. */
void facts_read(const struct places *p, const char *text, int64_t now, int offset_minutes, struct facts *ret);
void facts_clear(struct facts *f);
const char *facts_score_name(enum facts_score s); /* "full", "partial", "none" */

/* --------------------------------------------------------------- facts_number.c */

enum { FACTS_PHONE_OK = 0, FACTS_PHONE_ASSUMED = 1, FACTS_PHONE_INVALID = 2 };

/* One number as people write it, to E.164 by the office's rules; FACTS_PHONE_… */
int facts_phone(const char *s, size_t n, char ret[20]);
/* 16 digits with a possible district, birth date and serial. 0; 1: the province is unknown; -1: no NIK.
 * provinces: the codes that there are, "11" to "96". */
int facts_nik(const char *s, size_t n, const char *const *provinces, size_t count, char ret[17]);
/* Finds all of them in a text. */
void facts_numbers(const struct places *p, const char *text, struct facts *ret);

#endif
