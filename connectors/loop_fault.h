/*
 * loop_fault.h: how the loop connector misbehaves on request, for the tests of the core.
 *
 * A text that holds [[VERB]] decides how its own sending ends; a file send, pull, fetch, find or
 * probe in the directory `fault` that holds VERB decides for every such call (and goes before a
 * marker). VERB:MS gives a time; VERB*N is over after N times (the file is then removed; a marker
 * counts within one worker's life).
 *
 *   later, never, refused, closed   what they say; a template still passes a closed window
 *   limited, limited-account        MS is when to come back
 *   uncertain                       delivers, then claims a broken connection
 *   lost                            claims the same and delivers nothing
 *   slow                            blocks for MS, as no module may, then goes on
 *   silent                          delivers and never says so
 *   die, die-after                  SIGKILL before or after delivery (die also in the other calls)
 */
#ifndef ADUAN_LOOP_FAULT_H
#define ADUAN_LOOP_FAULT_H

#include "connector.h"

struct loop_fault {
    char verb[32];
    int64_t ms;
    int64_t left; /* -1: for ever */
};

struct loop_faults {
    const char *directory;    /* "" = no files are looked for */
    json_t *struck;           /* answer id -> how often its marker struck */
    struct loop_fault active; /* of the send() that runs */
};

/* Faults of pull, fetch, find and probe: true when *ret says how the call ends. */
bool loop_fault_ends(struct loop_faults *f, const char *where, struct aduan_result *ret);

/* The three places of a send(): true when *ret is what to claim; does it deliver all the same; is
 * it never to answer? */
bool loop_fault_before_send(struct loop_faults *f, const struct aduan_answer *answer, struct aduan_result *ret);
bool loop_fault_delivers(const struct loop_faults *f);
bool loop_fault_after_send(const struct loop_faults *f);

char *loop_read_file(const char *path, size_t *ret_n); /* new; NULL: cannot be read */

#endif
