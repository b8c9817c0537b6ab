/*
 * clock.h: the two clocks, in milliseconds, for whoever holds the loop; pure functions and connectors are given
 * time.
 */
#ifndef ADUAN_CLOCK_H
#define ADUAN_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void);   /* since 1970, UTC; may jump */
int64_t clock_steady_ms(void); /* since some moment; never goes back */

#endif
