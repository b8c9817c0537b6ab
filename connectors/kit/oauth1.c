/* oauth1.c: the signature base string, its HMAC and the header that carries it. */
#include "kit/oauth1.h"

#include "kit/query.h"
#include "kit/sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS_MAX = 100 }; /* our own requests have a dozen */

struct pairs {
    char *items[PAIRS_MAX]; /* "key=value", both percent-encoded */
    size_t count;
};

static void add(struct pairs *p, const char *key, const char *value) {
    struct text t = TEXT_INIT;

    if (p->count == PAIRS_MAX)
        return;
    query_escape(&t, key);
    text_add_char(&t, '=');
    query_escape(&t, value != NULL ? value : "");
    p->items[p->count++] = text_steal(&t);
}

/* Of a query or a form: decoded and encoded again, so that "+" and "%2b" are signed as they should be. */
static void add_encoded(struct pairs *p, const char *query) {
    size_t part, key;
    char *name, *value;

    for (; *query != '\0'; query += part + (query[part] == '&')) {
        part = strcspn(query, "&");
        key = strcspn(query, "=&");
        if (part == 0)
            continue;
        name = query_decode(query, key);
        value = key < part ? query_decode(query + key + 1, part - key - 1) : xstrdup("");
        add(p, name, value);
        free(name);
        free(value);
    }
}

/* By the encoded bytes of the key, then of the value: '=' sorts after some bytes that a key may hold. */
static int compare(const void *a, const void *b) {
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    size_t n = strcspn(x, "="), m = strcspn(y, "=");
    int order = memcmp(x, y, n < m ? n : m);

    if (order == 0 && n != m)
        return n < m ? -1 : 1;
    return order != 0 ? order : strcmp(x + n, y + m);
}

static const char *plain(const struct aduan_secret *s) {
    return s != NULL && s->bytes != NULL ? s->bytes : "";
}

char *oauth1_base(const struct oauth1 *o, const char *method, const char *url, const char *form) {
    struct pairs p = { .count = 0 };
    struct text joined = TEXT_INIT, base = TEXT_INIT;
    size_t path = strcspn(url, "?"), i;
    char time[24], *bare = xstrndup(url, path);

    snprintf(time, sizeof(time), "%lld", (long long)o->time);
    add(&p, "oauth_consumer_key", plain(o->consumer_key));
    add(&p, "oauth_nonce", o->nonce);
    add(&p, "oauth_signature_method", "HMAC-SHA1");
    add(&p, "oauth_timestamp", time);
    add(&p, "oauth_token", plain(o->token));
    add(&p, "oauth_version", "1.0");
    if (url[path] == '?')
        add_encoded(&p, url + path + 1);
    if (form != NULL)
        add_encoded(&p, form);
    qsort(p.items, p.count, sizeof(p.items[0]), compare);
    for (i = 0; i < p.count; i++) {
        text_addf(&joined, "%s%s", i > 0 ? "&" : "", p.items[i]);
        free(p.items[i]);
    }
    text_addf(&base, "%s&", method);
    query_escape(&base, bare);
    text_add_char(&base, '&');
    query_escape(&base, joined.s);
    text_free(&joined);
    free(bare);
    return text_steal(&base);
}

char *oauth1_signature(const struct oauth1 *o, const char *method, const char *url, const char *form) {
    const char *secrets[] = { plain(o->consumer_secret), plain(o->token_secret) };
    struct text key = TEXT_INIT;
    uint8_t mac[SIGN_SHA1];
    char *base = oauth1_base(o, method, url, form), *signature;

    key.room = 3 * (strlen(secrets[0]) + strlen(secrets[1])) + 64;
    key.s = xcalloc(1, key.room); /* all at once: no copy of a secret stays behind in freed memory */
    query_escape(&key, secrets[0]);
    text_add_char(&key, '&');
    query_escape(&key, secrets[1]);
    sign_hmac_sha1(key.s, key.len, base, strlen(base), mac);
    signature = sign_base64(mac, sizeof(mac));
    text_wipe(key.s, key.len);
    text_free(&key);
    free(base);
    return signature;
}

static void add_field(struct text *t, const char *key, const char *value) {
    text_addf(t, "%s%s=\"", t->len == 0 ? "OAuth " : ", ", key);
    query_escape(t, value);
    text_add_char(t, '"');
}

char *oauth1_header(const struct oauth1 *o, const char *method, const char *url, const char *form) {
    struct text t = TEXT_INIT;
    char time[24], *signature = oauth1_signature(o, method, url, form);

    snprintf(time, sizeof(time), "%lld", (long long)o->time);
    add_field(&t, "oauth_consumer_key", plain(o->consumer_key));
    add_field(&t, "oauth_nonce", o->nonce);
    add_field(&t, "oauth_signature", signature);
    add_field(&t, "oauth_signature_method", "HMAC-SHA1");
    add_field(&t, "oauth_timestamp", time);
    add_field(&t, "oauth_token", plain(o->token));
    add_field(&t, "oauth_version", "1.0");
    free(signature);
    return text_steal(&t);
}
