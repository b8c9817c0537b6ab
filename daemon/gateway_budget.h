/*
 * gateway_budget.h: how many bad signatures a peer may send before we stop listening to it.
 *
 * A bucket per peer: BUDGET_BURST failures at once, one more every
 * BUDGET_REFILL_MS. The table is of fixed size; peers that meet in one place
 * push each other out, which only ever forgives. Time is a parameter.
 */
#ifndef ADUAN_GATEWAY_BUDGET_H
#define ADUAN_GATEWAY_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

enum { BUDGET_BURST = 30, BUDGET_REFILL_MS = 2000, BUDGET_PLACES = 1024 };

struct budget;

struct budget *budget_new(void);
struct budget *budget_free(struct budget *b);
bool budget_spent(const struct budget *b, const char *peer, int64_t now_ms); /* answer 429, do nothing */
void budget_charge(struct budget *b, const char *peer, int64_t now_ms);      /* one failure */

#endif
