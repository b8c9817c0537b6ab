/*
 * identity.h: identity and passport numbers in a text, found and masked. Pure.
 *
 * A NIK has 16 digits (district, birth date, serial), written in one run or in groups; a passport
 * number one or two letters and six or seven digits. What merely looks like one counts, too: 16
 * digits in one run are masked whatever they say.
 */
#ifndef ADUAN_DESK_IDENTITY_H
#define ADUAN_DESK_IDENTITY_H

#include <stddef.h>

/* The text with every such number masked, "2172**********03" and "A*****67"; new. NULL gives NULL.
 * *ret_count: how many there were. ret_first (may be NULL): the first of them, masked. */
char *identity_mask(const char *text, size_t *ret_count, char ret_first[40]);

#endif
