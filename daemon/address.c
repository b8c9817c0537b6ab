/* address.c: which addresses and URLs a transfer may go to. */
#include "daemon/address.h"

#include "connectors/kit/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* IANA's special-purpose registries: everything that is not one host of the Internet. */
static const struct {
    const char *prefix;
    int bits;
} special4[] = {
    { "0.0.0.0", 8 },       { "10.0.0.0", 8 },     { "100.64.0.0", 10 },  { "127.0.0.0", 8 },
    { "169.254.0.0", 16 },  { "172.16.0.0", 12 },  { "192.0.0.0", 24 },   { "192.0.2.0", 24 },
    { "192.31.196.0", 24 }, { "192.52.193.0", 24 }, { "192.88.99.0", 24 }, { "192.168.0.0", 16 },
    { "192.175.48.0", 24 }, { "198.18.0.0", 15 },  { "198.51.100.0", 24 }, { "203.0.113.0", 24 },
    { "224.0.0.0", 4 },     { "240.0.0.0", 4 },
}, special6[] = {
    /* Only 2000::/3 is given out at all; these are the exceptions within. */
    { "2001::", 23 }, { "2001:db8::", 32 }, { "2002::", 16 }, { "2620:4f:8000::", 48 }, { "3fff::", 20 },
};

static bool in_prefix(const unsigned char *a, const char *prefix, int family, int bits) {
    unsigned char p[16];
    int whole = bits / 8, rest = bits % 8;

    inet_pton(family, prefix, p);
    if (memcmp(a, p, (size_t)whole) != 0)
        return false;
    return rest == 0 || ((a[whole] ^ p[whole]) & (0xff << (8 - rest) & 0xff)) == 0;
}

static bool is_public4(const unsigned char *a) {
    size_t i;

    for (i = 0; i < sizeof(special4) / sizeof(special4[0]); i++)
        if (in_prefix(a, special4[i].prefix, AF_INET, special4[i].bits))
            return false;
    return true;
}

/* An IPv4 address inside an IPv6 one (mapped, NAT64) is judged as what it is. */
static bool is_public6(const unsigned char *a) {
    size_t i;

    if (in_prefix(a, "::ffff:0:0", AF_INET6, 96) || in_prefix(a, "64:ff9b::", AF_INET6, 96))
        return is_public4(a + 12);
    if (!in_prefix(a, "2000::", AF_INET6, 3))
        return false;
    for (i = 0; i < sizeof(special6) / sizeof(special6[0]); i++)
        if (in_prefix(a, special6[i].prefix, AF_INET6, special6[i].bits))
            return false;
    return true;
}

static bool is_loopback6(const unsigned char *a) {
    if (in_prefix(a, "::ffff:0:0", AF_INET6, 96))
        return a[12] == 127;
    return in_prefix(a, "::1", AF_INET6, 128);
}

bool address_allowed(enum address_rule rule, const struct sockaddr *a) {
    const unsigned char *bytes;
    bool four = a->sa_family == AF_INET;

    if (rule == ADDRESS_ANY)
        return true;
    if (!four && a->sa_family != AF_INET6)
        return false;
    bytes = four ? (const unsigned char *)&((const struct sockaddr_in *)(const void *)a)->sin_addr
                 : (const unsigned char *)&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
    if (rule == ADDRESS_LOOPBACK)
        return four ? bytes[0] == 127 : is_loopback6(bytes);
    return four ? is_public4(bytes) : is_public6(bytes);
}

/* ----------------------------------------------------------------------- URLs */

static void copy_lower(char *out, size_t size, const char *s) {
    size_t i, n = strlen(s);

    /* An IPv6 host comes in brackets. */
    if (n >= 2 && s[0] == '[' && s[n - 1] == ']') {
        s++;
        n -= 2;
    }
    for (i = 0; i < n && i + 1 < size; i++)
        out[i] = (char)tolower((unsigned char)s[i]);
    out[i] = '\0';
}

static int take_part(CURLU *u, CURLUPart what, unsigned flags, char *out, size_t size) {
    char *s = NULL;

    if (curl_url_get(u, what, &s, flags) != CURLUE_OK || s == NULL || strlen(s) >= size) {
        curl_free(s);
        return -1;
    }
    copy_lower(out, size, s);
    curl_free(s);
    return out[0] != '\0' ? 0 : -1;
}

/* libcurl has no default port for schemes it does not know; ours are few. */
static int default_port(const char *scheme) {
    static const struct {
        const char *scheme;
        int port;
    } ports[] = { { "http", 80 },   { "https", 443 }, { "smtp", 587 },
                  { "smtps", 465 }, { "imap", 143 },  { "imaps", 993 } };
    size_t i;

    for (i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
        if (strcmp(ports[i].scheme, scheme) == 0)
            return ports[i].port;
    return 0;
}

int url_split(const char *url, struct url_parts *ret) {
    CURLU *u = curl_url();
    char port[8];
    int64_t number;
    int r = -1;

    if (u == NULL)
        return -1;
    if (url != NULL && curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
        take_part(u, CURLUPART_SCHEME, 0, ret->scheme, sizeof(ret->scheme)) == 0 &&
        take_part(u, CURLUPART_HOST, 0, ret->host, sizeof(ret->host)) == 0) {
        r = 0;
        ret->port = default_port(ret->scheme);
        if (take_part(u, CURLUPART_PORT, 0, port, sizeof(port)) == 0 &&
            text_parse_int(port, 1, 65535, &number) == 0)
            ret->port = (int)number;
    }
    curl_url_cleanup(u);
    return r;
}

bool url_is_loopback(const struct url_parts *u) {
    struct in_addr four;
    struct in6_addr six;

    if (strcmp(u->host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, u->host, &four) == 1)
        return (ntohl(four.s_addr) >> 24) == 127;
    return inet_pton(AF_INET6, u->host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

static bool names_user(const char *url) {
    const char *host = strstr(url, "://");
    size_t n;

    if (host == NULL)
        return false;
    host += 3;
    n = strcspn(host, "/?#");
    return memchr(host, '@', n) != NULL;
}

int url_judge(const char *url, const char *plain, const char *tls, bool foreign, const char *same_host,
              enum address_rule *ret_rule, char *why, size_t why_size) {
    struct url_parts u, ours;
    bool same = false;

    if (url_split(url, &u) < 0) {
        snprintf(why, why_size, "not a URL");
        return -1;
    }
    if (foreign) {
        same = same_host != NULL && url_split(same_host, &ours) == 0 && strcmp(ours.host, u.host) == 0 &&
               ours.port == u.port;
        if (names_user(url)) {
            snprintf(why, why_size, "the URL carries a user name");
            return -1;
        }
    }
    if (strcmp(u.scheme, tls) == 0) {
        *ret_rule = foreign && !same ? ADDRESS_PUBLIC : ADDRESS_ANY;
        return 0;
    }
    if (strcmp(u.scheme, plain) == 0 && url_is_loopback(&u) && (!foreign || same)) {
        *ret_rule = ADDRESS_LOOPBACK;
        return 0;
    }
    if (strcmp(u.scheme, plain) == 0)
        snprintf(why, why_size, "%s:// is only for this machine, not for \"%s\"", plain, u.host);
    else
        snprintf(why, why_size, "\"%s://\" is not spoken here", u.scheme);
    return -1;
}
