/*
 * module.h: finds, loads and judges connector modules.
 *
 * A module is DIR/TYPE.so. It is refused, each with its own words, when the
 * file is missing, has no symbol, speaks another ABI, is too short for its
 * ABI, is named unlike its file, is there twice, or claims a capability
 * without the function for it. Modules stay loaded until the process ends.
 */
#ifndef ADUAN_MODULE_H
#define ADUAN_MODULE_H

#include "daemon/job.h"

struct module_set;

struct module_set *module_set_new(const char *dir);
struct module_set *module_set_free(struct module_set *s); /* unloads; returns NULL */

/* The module of this type, loaded at first use; NULL with a reason. Owned by the set. */
const struct module *module_load(struct module_set *s, const char *type, char *why, size_t why_size);
/* "counter, email, loop": what the directory holds. Owned by the set. */
const char *module_known(struct module_set *s);

/* Judges the exported constant of a file called TYPE.so. 0, or -1 with a reason. Pure. */
int module_judge(const struct aduan_connector *c, const char *type, char *why, size_t why_size);

/* A module's constant as this core knows it: what a module of an older minor lacks is zero (absent), what one
 * of a newer minor has beyond is left out. Pure. */
void module_view(const struct aduan_connector *c, struct aduan_connector *ret);

/* What a module can do with these settings: its able(), within what it claims. */
uint32_t module_can(const struct aduan_connector *c, const void *settings);

/* For conf_read(): a conf_lookup whose arg is a struct module_source. What is wrong with a
 * module that is there is added to faults. */
struct module_source {
    struct module_set *set;
    struct faults *faults;
};
int module_lookup(void *arg, const char *type, struct conf_connector_type *ret, const char **ret_known);

#endif
