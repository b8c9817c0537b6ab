/*
 * step.h: names for the durable steps, so that tests can die at each of them.
 *
 * STEP("accept.sent") marks the instant before or after something durable
 * happens. In a build with -DADUAN_STEPS=ON (the test tree, never a package)
 * the environment steers it:
 *
 *   ADUAN_STEP_LOG=FILE        appends "pid name" at every step reached
 *   ADUAN_DIE_AT=NAME[:N]      SIGKILL to itself at the Nth time (default 1)
 *   ADUAN_DIE_ONCE=FILE        … but only the one process that creates FILE
 *   ADUAN_DIE_IN=DIRECTORY     SIGKILL to itself where DIRECTORY/NAME exists; the death takes the file away
 *
 * Otherwise it compiles to nothing.
 */
#ifndef ADUAN_STEP_H
#define ADUAN_STEP_H

#ifdef ADUAN_STEPS
void step_reached(const char *name);
#define STEP(name) step_reached(name)
#else
#define STEP(name) ((void)0)
#endif

#endif
