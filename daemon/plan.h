/*
 * plan.h: which jobs a configuration asks for, and what has changed in each.
 *
 * A job's digest covers what its worker uses of its slice and the files it reads
 * at start; a reload restarts a worker when the digest
 * differs, and only then.
 */
#ifndef ADUAN_PLAN_H
#define ADUAN_PLAN_H

#include "daemon/module.h"

struct plan_job {
    char *role, *account; /* account NULL: of no single account */
    char digest[65];
};

struct plan {
    struct plan_job *jobs;
    size_t count;
};

/* conf is without faults; modules holds what it names. */
void plan_make(const struct conf *conf, struct module_set *modules, struct plan *ret);
void plan_clear(struct plan *p);
const struct plan_job *plan_find(const struct plan *p, const char *role, const char *account);

/* The slice for a job's worker: a new reference, secrets inside. */
json_t *plan_slice(const struct conf *conf, const char *role, const char *account);

/* Pure: pause before a worker is started again after `failures` (>= 1) ends in a row, with jitter
 * from random; 250 ms doubling up to 30 s, each within a quarter. */
int64_t plan_pause_ms(int failures, uint32_t random);

#endif
