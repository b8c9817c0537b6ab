/*
 * records.h: a sink that collects records, and samples from tests/platforms, for tests of connectors.
 */
#ifndef TEST_RECORDS_H
#define TEST_RECORDS_H

#include "connector.h"

struct records {
    struct aduan_sink sink;
    struct aduan_message *items;
    size_t count, room;
    const char *bad; /* the first rule that a record broke, or NULL */
};

struct records records_new(void);
void records_clear(struct records *r);
/* parse() of bytes into r (cleared first); its return value. */
int records_parse(struct records *r, const struct aduan_connector *c, const void *settings, const void *bytes,
                  size_t n);

/* A file of tests/platforms (…/NAME); ends the test when it is not there. */
char *sample_read(const char *name, size_t *ret_n);

#endif
