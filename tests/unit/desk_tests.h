/*
 * desk_tests.h: what the desk's tests share: one rig, its fixtures, and what each of them asks.
 *
 * What fails here fails the test that asked.
 */
#ifndef ADUAN_TEST_DESK_TESTS_H
#define ADUAN_TEST_DESK_TESTS_H

#include "desk_rig.h"

extern struct rig rig;

int start(void **state); /* of the group */
int stop(void **state);
int reset(void **state); /* of each test: empty, Monday 2026-10-05 09:12 WIB */
void run(void);          /* the desk, until nothing is left to do; it must end well */
/* Runs a command that must succeed (or must be refused). */
void command(const char *json, bool ok);
void command_with(const char *json, const void *raw, size_t raw_len, bool ok, const char *words);
/* Has history a row of this event whose detail holds these words? */
bool history_says(const json_t *show, const char *event, const char *words);
/* Of the newest answer in :out of an account; new. */
json_t *last_answer(const char *account);

#endif
