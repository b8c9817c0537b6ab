/* entities.h: the named characters of HTML 4, and numbered ones. */
#ifndef ADUAN_EMAIL_ENTITIES_H
#define ADUAN_EMAIL_ENTITIES_H

#include <stddef.h>
#include <stdint.h>

/* name without "&" and ";". 0: none. */
uint32_t entity_codepoint(const char *name, size_t n);

#endif
