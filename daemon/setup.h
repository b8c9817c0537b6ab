/*
 * setup.h: the configuration together with the modules it names.
 */
#ifndef ADUAN_SETUP_H
#define ADUAN_SETUP_H

#include "daemon/module.h"

struct setup {
    struct conf *conf;
    struct module_set *modules;
};

/* Reads FILE and loads its modules. Usable only if faults stays empty; to be freed in any case. */
void setup_read(struct setup *s, const char *file, struct faults *faults);
/* Runs the offline self-test of every module the configuration names; faults tell. */
void setup_selftest(const struct setup *s, struct faults *faults);
void setup_free(struct setup *s); /* wipes secrets */

#endif
