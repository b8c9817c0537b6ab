/* wire.c: length-prefixed messages over a socket between two of our processes. */
#include "daemon/wire.h"

#include "connectors/kit/text.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* What to do after a short read or write: 0 try again, or -errno. */
static int blocked(struct wire *w, short events) {
    if (errno == EINTR)
        return 0;
    if (errno == ECONNRESET)
        return -EPIPE;
    if (errno != EAGAIN)
        return -errno;
    /* A blocking socket only says so when its SO_SNDTIMEO or SO_RCVTIMEO ran out. */
    return w->wait != NULL ? w->wait(w->arg, w->fd, events) : -ETIMEDOUT;
}

int wire_send(struct wire *w, const void *bytes, size_t n) {
    const char *p = bytes;
    ssize_t done;
    int r;

    while (n > 0) {
        /* write(), not send(): the parse worker's filter knows no socket calls; SIGPIPE is ignored. */
        done = write(w->fd, p, n);
        if (done < 0) {
            r = blocked(w, POLLOUT);
            if (r < 0)
                return r;
            continue;
        }
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

int wire_receive(struct wire *w, void *buf, size_t n) {
    char *p = buf;
    ssize_t done;
    int r;

    while (n > 0) {
        done = read(w->fd, p, n);
        if (done == 0)
            return -EPIPE;
        if (done < 0) {
            r = blocked(w, POLLIN);
            if (r < 0)
                return r;
            continue;
        }
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

int wire_send_frame(struct wire *w, const void *bytes, size_t n) {
    uint64_t head = n;
    int r = wire_send(w, &head, sizeof(head));

    return r < 0 ? r : wire_send(w, bytes, n);
}

int wire_receive_frame(struct wire *w, size_t max, char **ret, size_t *ret_n) {
    uint64_t head;
    char *buf;
    int r;

    r = wire_receive(w, &head, sizeof(head));
    if (r < 0)
        return r;
    if (head > max)
        return -EMSGSIZE;
    buf = xcalloc(1, (size_t)head + 1);
    r = wire_receive(w, buf, (size_t)head);
    if (r < 0) {
        text_wipe(buf, (size_t)head);
        free(buf);
        return r;
    }
    *ret = buf;
    *ret_n = (size_t)head;
    return 0;
}

int wire_pair(int ret[2]) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret) < 0 ? -errno : 0;
}

static void wiping_free(void *p) {
    if (p == NULL)
        return;
    text_wipe(p, malloc_usable_size(p));
    free(p);
}

void wire_secret_begin(void) {
    json_set_alloc_funcs(malloc, wiping_free);
}

void wire_secret_end(void) {
    json_set_alloc_funcs(malloc, free);
}
