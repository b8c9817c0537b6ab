/* try.h: what an account's parse() makes of recorded bytes: nothing is sent, no network is opened. */
#ifndef ADUAN_TRY_H
#define ADUAN_TRY_H

/* `aduand -c FILE -t ACCOUNT FILE|DIR…`: each record as one line of JSON. 0; 1: a file could not be read or
 * parsed; 78: the configuration has faults or no such account. */
int try_run(const char *file, const char *account, char *const *paths, int count);

#endif
