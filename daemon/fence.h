/*
 * fence.h: what a worker gives up before it reads its first hostile byte.
 *
 * no_new_privs, not dumpable (no core, no ptrace, no /proc/PID/environ for
 * others of the same user), Landlock for files and TCP, and a seccomp
 * allow-list. What the kernel lacks is one log line, not an error; a fence the
 * kernel has but that cannot be closed is an error (-errno): do not go on.
 */
#ifndef ADUAN_FENCE_H
#define ADUAN_FENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fence_flags {
    FENCE_NETWORK = 1u << 0, /* sockets at all (Redis is one) */
    FENCE_LISTEN = 1u << 1,  /* accept connections */
    FENCE_CONNECT = 1u << 2, /* TCP to anywhere; otherwise only to `port` */
    FENCE_EXEC = 1u << 3,    /* start itself again (the parse worker) */
};

enum { FENCE_PATHS = 64 };

struct fence {
    unsigned flags;
    const char *read[FENCE_PATHS + 1];  /* files and directories, NULL-terminated; missing ones are skipped */
    const char *write[FENCE_PATHS + 1]; /* directories */
    uint16_t port;                      /* Redis by TCP, or 0 */
};

void fence_read(struct fence *f, const char *path); /* NULL and "" add nothing; path must live on */
void fence_write(struct fence *f, const char *path);

/* First of all, in every process of ours that may hold a secret. */
void fence_basics(void);
/* Closes everything above fd 3. */
void fence_files(void);
int fence_close(const struct fence *f);

#endif
