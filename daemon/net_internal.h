/* net_internal.h: one transfer, as the files of net share it. */
#ifndef ADUAN_NET_INTERNAL_H
#define ADUAN_NET_INTERNAL_H

#include "connectors/kit/text.h"
#include "daemon/address.h"
#include "daemon/net.h"

#include <curl/curl.h>

struct transfer {
    struct net *net;
    struct transfer *next;
    bool is_mail;
    CURL *easy;
    struct curl_slist *lines; /* request headers, or recipients */
    curl_mime *form;
    enum address_rule rule;
    bool began; /* a request byte may have left */
    bool ended; /* failed before it began: waits for net_perform() */
    char *url, *same_host;
    bool foreign, may_redirect;
    int hops;
    char error[CURL_ERROR_SIZE];
    char refusal[256]; /* why we stopped it ourselves, "" if not */

    /* answer */
    struct aduan_header *headers;
    size_t header_count, header_bytes;
    struct text body;
    struct blob_writer *blob;
    bool to_blob;
    int64_t received, max_bytes;
    char sha256[65];

    /* mail */
    char *bytes;
    size_t len, given; /* handed to libcurl so far */
    char reply[512];

    aduan_http_done http_done;
    aduan_mail_done mail_done;
    void *arg;
};

struct net {
    CURLM *multi;
    struct transfer *transfers;
    struct transfer *kept; /* its response is still read by somebody */
    bool keep;
    char *tls_ca;
    struct blob_store *blobs;
};

struct transfer *transfer_new(struct net *n);
void transfer_free(struct transfer *t);
/* Common options: TLS, addresses, protocols, times. */
void transfer_common(struct transfer *t, const char *protocols, int64_t timeout_ms);
void transfer_start(struct transfer *t);
/* Ends it before it began; done is called from net_perform(). */
void transfer_refuse(struct transfer *t, const char *why);

void http_finish(struct transfer *t, CURLcode code);
void mail_finish(struct transfer *t, CURLcode code);
/* Goes to the next hop; true if it did. */
bool http_follow(struct transfer *t, CURLcode code);

#endif
