/*
 * step_kill.h: runs a piece of work in a child that dies (SIGKILL) at a named step.
 *
 * Only where the tree is built with -DADUAN_STEPS=ON; elsewhere step_kill_possible() says so loudly.
 */
#ifndef ADUAN_TEST_STEP_KILL_H
#define ADUAN_TEST_STEP_KILL_H

#include <stdbool.h>

bool step_kill_possible(void);
/* True: it died there; false: it came to its end without passing the step. */
bool step_kill(const char *step, void (*work)(void *arg), void *arg);

#endif
