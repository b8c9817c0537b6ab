/*
 * wire.h: length-prefixed messages over a socket between two of our processes.
 *
 * 0, or -errno; -EPIPE when the other end is gone, -EMSGSIZE when a frame
 * announces more than allowed, -ETIMEDOUT from wait().
 */
#ifndef ADUAN_WIRE_H
#define ADUAN_WIRE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* With wait NULL the fd blocks; otherwise the fd is non-blocking and wait(arg, fd, events) is
 * called when it would block: it may keep a heartbeat, and returns 0 to try again or -errno. */
struct wire {
    int fd;
    int (*wait)(void *arg, int fd, short events);
    void *arg;
};

int wire_send(struct wire *w, const void *bytes, size_t n);
int wire_receive(struct wire *w, void *buf, size_t n);

/* A frame is a 64-bit length and that many bytes. *ret is NUL-terminated; the caller frees. */
int wire_send_frame(struct wire *w, const void *bytes, size_t n);
int wire_receive_frame(struct wire *w, size_t max, char **ret, size_t *ret_n);

int wire_pair(int ret[2]); /* a stream socketpair, close-on-exec */

/* From here to wire_secret_end() every block that jansson frees is wiped first: the parts of a
 * JSON document with secrets in it do not stay behind in the heap. */
void wire_secret_begin(void);
void wire_secret_end(void);

#endif
