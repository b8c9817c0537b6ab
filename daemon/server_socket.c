/* server_socket.c: opens listening sockets and accepts on them; see server_socket.h. */
#include "daemon/server_socket.h"

#include "connectors/kit/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024

static int fail(char *why, size_t why_size, const char *listen, const char *what, int fd) {
    snprintf(why, why_size, "%s: %s", listen, what);
    if (fd >= 0)
        close(fd);
    return -1;
}

/* ---------------------------------------------------------------------- unix */

/* A socket file left behind by a process that is no more may be replaced; one that answers not. */
static bool is_served(const struct sockaddr_un *address) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool served = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;

    if (fd >= 0)
        close(fd);
    return served;
}

static int listen_unix(struct server_socket *s, const char *listen_at, const char *path, char *why,
                       size_t why_size) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct stat st;
    int fd;

    if (strlen(path) >= sizeof(address.sun_path))
        return fail(why, why_size, listen_at, "the path is too long for a unix socket", -1);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        if (is_served(&address))
            return fail(why, why_size, listen_at, "somebody is serving there already", -1);
        unlink(path);
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || chmod(path, 0660) < 0 ||
        listen(fd, BACKLOG) < 0)
        return fail(why, why_size, listen_at, strerror(errno), fd);
    *s = (struct server_socket){ .fd = fd, .path = xstrdup(path) };
    return 0;
}

/* ----------------------------------------------------------------------- tcp */

static int bind_address(const struct addrinfo *a) {
    int one = 1, zero = 0, fd, saved;

    fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (a->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    saved = errno;
    close(fd);
    return -saved;
}

static int bound_port(int fd) {
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);

    if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        return 0;
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

static int listen_tcp(struct server_socket *s, const char *listen_at, const char *host, const char *port,
                      char *why, size_t why_size) {
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *found, *a;
    int r, fd = -EADDRNOTAVAIL;

    r = getaddrinfo(host[0] != '\0' ? host : NULL, port, &hints, &found);
    if (r != 0)
        return fail(why, why_size, listen_at, gai_strerror(r), -1);
    /* All addresses: the IPv6 one takes IPv4, too. A name: its IPv4 address, if it has one. */
    for (a = found; a != NULL && fd < 0; a = a->ai_next)
        if ((a->ai_family == AF_INET6) == (host[0] == '\0'))
            fd = bind_address(a);
    for (a = found; a != NULL && fd < 0; a = a->ai_next)
        fd = bind_address(a);
    freeaddrinfo(found);
    if (fd < 0)
        return fail(why, why_size, listen_at, strerror(-fd), -1);
    *s = (struct server_socket){ .fd = fd, .port = bound_port(fd) };
    return 0;
}

int server_socket_listen(struct server_socket *s, const char *listen_at, char *why, size_t why_size) {
    const char *colon = strrchr(listen_at, ':');
    const char *host = listen_at;
    int64_t port;
    char *name;
    size_t n;
    int r;

    if (text_starts(listen_at, "unix:"))
        return listen_unix(s, listen_at, listen_at + 5, why, why_size);
    if (colon == NULL || text_parse_int(colon + 1, 0, 65535, &port) < 0)
        return fail(why, why_size, listen_at, "expected host:port or unix:/path", -1);
    n = (size_t)(colon - listen_at);
    if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
        host++;
        n -= 2;
    } else if (n == 1 && host[0] == '*') {
        n = 0;
    }
    name = xstrndup(host, n);
    r = listen_tcp(s, listen_at, name, colon + 1, why, why_size);
    free(name);
    return r;
}

void server_socket_close(struct server_socket *s) {
    close(s->fd);
    s->fd = -1;
    if (s->path != NULL)
        unlink(s->path);
    free(s->path);
    s->path = NULL;
}

/* -------------------------------------------------------------------- accept */

static void describe(const struct sockaddr_storage *address, char *peer, size_t size, bool *ret_local) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

    snprintf(peer, size, "unix");
    *ret_local = true;
    if (address->ss_family == AF_INET) {
        inet_ntop(AF_INET, &v4->sin_addr, peer, (socklen_t)size);
        *ret_local = (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
    } else if (address->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], peer, (socklen_t)size);
        *ret_local = v6->sin6_addr.s6_addr[12] == 127;
    } else if (address->ss_family == AF_INET6) {
        inet_ntop(AF_INET6, &v6->sin6_addr, peer, (socklen_t)size);
        *ret_local = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) != 0;
    }
}

int server_socket_accept(struct server_socket *s, char *peer, size_t peer_size, bool *ret_local) {
    struct sockaddr_storage address = { 0 };
    socklen_t len = sizeof(address);
    int fd = accept4(s->fd, (struct sockaddr *)&address, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0) /* a connection that ended before it began is as good as none */
        return errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM ? -errno : -EAGAIN;
    describe(&address, peer, peer_size, ret_local);
    return fd;
}

/* -------------------------------------------------------------------- limits */

void server_socket_limit(unsigned descriptors) {
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max < descriptors ? limit.rlim_max : descriptors;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int server_socket_readable(const char *file, char *why, size_t why_size) {
    if (access(file, R_OK) == 0)
        return 0;
    snprintf(why, why_size, "cannot read %s: %s", file, strerror(errno));
    return -1;
}
