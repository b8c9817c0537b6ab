/*
 * address.h: which addresses and URLs a transfer may go to. Pure.
 */
#ifndef ADUAN_ADDRESS_H
#define ADUAN_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* What the address behind a connection must be; checked on the socket that is about to connect,
 * after name resolution, so that no name can lie. */
enum address_rule {
    ADDRESS_ANY = 0,
    ADDRESS_PUBLIC,   /* reachable from the Internet: no private, loopback, link-local, reserved range */
    ADDRESS_LOOPBACK, /* this machine */
};

bool address_allowed(enum address_rule rule, const struct sockaddr *a);

struct url_parts {
    char scheme[16], host[256]; /* lower case; host without brackets */
    int port;
};
int url_split(const char *url, struct url_parts *ret); /* 0, or -1: no URL we understand */
bool url_is_loopback(const struct url_parts *u);       /* by its literal host: localhost, 127.x.x.x, ::1 */

/* plain, tls: the two schemes that are meant ("http", "https"). foreign: outside bytes chose the
 * URL; same_host (a URL or NULL) is then allowed beside public addresses.
 * 0 and *ret_rule, or -1 with a reason. */
int url_judge(const char *url, const char *plain, const char *tls, bool foreign, const char *same_host,
              enum address_rule *ret_rule, char *why, size_t why_size);

#endif
