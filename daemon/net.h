/*
 * net.h: HTTP and SMTP transfers for connectors, on one libcurl multi handle.
 *
 * Certificates and host names are always checked. Nothing is ever repeated by
 * itself: a request that changes something goes over a fresh connection, since
 * libcurl silently repeats requests on a kept one that turns out dead.
 * Callbacks run from net_perform() only. No threads but libcurl's resolver.
 */
#ifndef ADUAN_NET_H
#define ADUAN_NET_H

#include "connectors/connector.h"
#include "queue/blob.h"

struct net;
struct net_options {
    const char *tls_ca; /* PEM file instead of the system's, or "" */
    struct blob_store *blobs;
};

struct net *net_new(const struct net_options *o);
struct net *net_free(struct net *n); /* ends transfers without calling done */

void net_http(struct net *n, const struct aduan_http_request *req, aduan_http_done done, void *arg);
void net_mail(struct net *n, const struct aduan_mail_request *req, aduan_mail_done done, void *arg);

void net_perform(struct net *n);       /* moves bytes, ends what is finished */
size_t net_count(const struct net *n); /* transfers under way */
/* Waits until a transfer can go on, fd has events or timeout. fd -1: none. True: fd has. */
bool net_wait(struct net *n, const int *fds, const short *events, size_t count, bool *ret_ready,
              int timeout_ms);

/* While the done callback of a transfer runs: its response stays valid until the next call. */
void net_keep_response(struct net *n);

#endif
