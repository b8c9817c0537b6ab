/*
 * expected.h: every sample body of a folder of tests/platforms against the records that its expected.json
 * names.
 */
#ifndef TEST_EXPECTED_H
#define TEST_EXPECTED_H

#include "records.h"

/* A SAMPLE without a dot in its name is SAMPLE.json. expected.json: {"SAMPLE": [{"path.in.record": value,
 * "path~": "part of it", "path": null (not there)}, …]}. count: of the folder's files, so that none is
 * forgotten. Ends the test at the first difference. */
void expected_check(const struct aduan_connector *c, const void *settings, const char *folder, size_t count);

#endif
