/*
 * route.h: what a complaint is about, who it is for, and what it still lacks.
 *
 * Hard rules first: extortion never reaches the unit that is complained of, trafficking is critical
 * at any hour, private data has its own way. Then the category with the most points; below the
 * threshold, or with two sections level, the complaint stays at the desk with suggestions. Every
 * decision says why. Pure functions over text and rules.
 */
#ifndef ADUAN_DESK_ROUTE_H
#define ADUAN_DESK_ROUTE_H

#include "desk/facts.h"
#include "desk/rules.h"

#include <jansson.h>

/* What is known beside the text. */
struct route_asked {
    const char *channel;    /* any name of it in routing.conf */
    const char *subject;    /* may be NULL */
    const char *text;       /* valid UTF-8 */
    bool anonymous, secret; /* as the platform marks it */
};

struct route {
    const char *category, *section; /* of the rules; category NULL: not told */
    const struct aduan_strings *cc[2];
    size_t cc_count; /* lists in cc */
    int class, urgency, confidentiality, without;
    json_t *why; /* array of texts, Indonesian */
};

/* facts are of the same text. To be given to route_clear(). */
void route_decide(const struct rules *r, const struct route_asked *a, const struct facts *f, struct route *ret);
void route_clear(struct route *route);

/* ----------------------------------------------------------------------- complete.c */

struct complete {
    json_t *missing;      /* keys of what is required and not there: "name", "address|phone" */
    json_t *incomplete;   /* there, but not enough: "address" */
    const char *decision; /* "lengkap", "minta_kelengkapan", … */
};

/* 0; 1: the channel is not in the rules (nothing is required then); to be given to complete_clear(). */
int complete_check(const struct rules *r, const struct route_asked *a, const struct facts *f,
                   const struct route *route, struct complete *ret);
void complete_clear(struct complete *c);

#endif
