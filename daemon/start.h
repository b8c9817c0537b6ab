/*
 * start.h: how one process of ours starts another as `aduand --job ROLE [ACCOUNT]`.
 *
 * The new process is this very program executed anew, so it has a clean
 * address space: what it may know comes down its control socket (fd 3) as one
 * frame, the envelope {modules, restarts, slice}, and nothing else.
 */
#ifndef ADUAN_START_H
#define ADUAN_START_H

#include "daemon/job.h"

enum { START_FD = 3 };

/* The worker's side: everything from main() on; returns the exit status. */
int job_start(const char *role, const char *account);

/* The parent's side. 0, *ret_pid and *ret_fd (non-blocking, close-on-exec), or -errno. */
int start_process(const char *role, const char *account, pid_t *ret_pid, int *ret_fd);
/* Sends the envelope; slice is borrowed. Secrets in copies are wiped. */
int start_hand_over(int fd, const char *modules, int restarts, const json_t *slice);

#endif
