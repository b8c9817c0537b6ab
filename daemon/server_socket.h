/*
 * server_socket.h: a listening socket from its name: host:port, [v6]:port, :port, unix:/path; limits.
 */
#ifndef ADUAN_SERVER_SOCKET_H
#define ADUAN_SERVER_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

struct server_socket {
    int fd;
    int port;   /* 0 for unix */
    char *path; /* of a unix socket, removed at close */
};

/* 0, or -1 with a reason. A unix socket that nobody serves any more is replaced. */
int server_socket_listen(struct server_socket *s, const char *listen, char *why, size_t why_size);
void server_socket_close(struct server_socket *s);
/* A new connection's fd with its peer's address; -EAGAIN: none waits; other -errno: cannot now. */
int server_socket_accept(struct server_socket *s, char *peer, size_t peer_size, bool *ret_local);

/* How many descriptors this process may have: libwebsockets reserves memory for every one allowed. */
void server_socket_limit(unsigned descriptors);
/* Can this file (certificate, key) be read? 0, or -1 with a reason. */
int server_socket_readable(const char *file, char *why, size_t why_size);

#endif
