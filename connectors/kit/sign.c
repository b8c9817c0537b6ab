/* sign.c: the only user of libcrypto. */
#include "kit/sign.h"

#include "kit/text.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Digests of memory fail only without memory or with a broken libcrypto. */
static void need(bool ok) {
    if (!ok)
        abort();
}

/* The texts of faults that we never show take 50 KiB in each process. */
__attribute__((constructor)) static void without_texts(void) {
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS, NULL);
}

/* As with HMAC below: looked up once a process. */
static const EVP_MD *sha256(void) {
    static EVP_MD *md;

    md = md != NULL ? md : EVP_MD_fetch(NULL, "SHA256", NULL);
    need(md != NULL);
    return md;
}

void sign_sha256(const void *bytes, size_t n, uint8_t ret[SIGN_SHA256]) {
    need(EVP_Digest(bytes, n, ret, NULL, sha256(), NULL) == 1);
}

void sign_sha256_hex(const void *bytes, size_t n, char ret[SIGN_HEX256]) {
    uint8_t digest[SIGN_SHA256];

    sign_sha256(bytes, n, digest);
    sign_hex(digest, sizeof(digest), ret);
}

/* libcrypto looks its HMAC and digest up by name, which takes longer than a webhook's HMAC itself:
 * once a process and digest, then. */
static EVP_MAC_CTX *hmac_context(const char *digest) {
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
    char *name = xstrdup(digest);
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0), OSSL_PARAM_END };

    need(ctx != NULL && EVP_MAC_CTX_set_params(ctx, params) == 1);
    EVP_MAC_free(mac);
    free(name);
    return ctx;
}

static void hmac(EVP_MAC_CTX *ctx, const void *key, size_t key_len, const void *bytes, size_t n, uint8_t *ret,
                 size_t size) {
    size_t len;

    need(EVP_MAC_init(ctx, key_len > 0 ? key : "", key_len, NULL) == 1 && EVP_MAC_update(ctx, bytes, n) == 1 &&
         EVP_MAC_final(ctx, ret, &len, size) == 1 && len == size);
}

void sign_hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t n, uint8_t ret[SIGN_SHA256]) {
    static EVP_MAC_CTX *ctx;

    ctx = ctx != NULL ? ctx : hmac_context("SHA256");
    hmac(ctx, key, key_len, bytes, n, ret, SIGN_SHA256);
}

void sign_hmac_sha1(const void *key, size_t key_len, const void *bytes, size_t n, uint8_t ret[SIGN_SHA1]) {
    static EVP_MAC_CTX *ctx;

    ctx = ctx != NULL ? ctx : hmac_context("SHA1");
    hmac(ctx, key, key_len, bytes, n, ret, SIGN_SHA1);
}

struct sign_stream {
    EVP_MD_CTX *ctx;
};

struct sign_stream *sign_stream_new(void) {
    struct sign_stream *s = xcalloc(1, sizeof(*s));

    s->ctx = EVP_MD_CTX_new();
    need(s->ctx != NULL && EVP_DigestInit_ex(s->ctx, sha256(), NULL) == 1);
    return s;
}

void sign_stream_add(struct sign_stream *s, const void *bytes, size_t n) {
    need(EVP_DigestUpdate(s->ctx, bytes, n) == 1);
}

void sign_stream_hex(struct sign_stream *s, char ret[SIGN_HEX256]) {
    uint8_t digest[SIGN_SHA256];

    need(EVP_DigestFinal_ex(s->ctx, digest, NULL) == 1);
    sign_hex(digest, sizeof(digest), ret);
}

struct sign_stream *sign_stream_free(struct sign_stream *s) {
    if (s != NULL) {
        EVP_MD_CTX_free(s->ctx);
        free(s);
    }
    return NULL;
}

bool sign_equal(const void *a, size_t a_len, const void *b, size_t b_len) {
    return a_len == b_len && CRYPTO_memcmp(a, b, a_len) == 0;
}

void sign_hex(const void *bytes, size_t n, char *ret) {
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = bytes;
    size_t i;

    for (i = 0; i < n; i++) {
        ret[2 * i] = digits[p[i] >> 4];
        ret[2 * i + 1] = digits[p[i] & 15];
    }
    ret[2 * n] = '\0';
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int sign_unhex(const char *hex, size_t n, uint8_t *ret) {
    size_t i;
    int high, low;

    if (n % 2 != 0)
        return -1;
    for (i = 0; i < n; i += 2) {
        high = hex_value(hex[i]);
        low = hex_value(hex[i + 1]);
        if (high < 0 || low < 0)
            return -1;
        ret[i / 2] = (uint8_t)(high << 4 | low);
    }
    return 0;
}

char *sign_base64(const void *bytes, size_t n) {
    char *out = xcalloc(4 * ((n + 2) / 3) + 1, 1);

    need(n <= INT32_MAX / 2);
    EVP_EncodeBlock((unsigned char *)out, bytes, (int)n);
    return out;
}

char *sign_base64url(const void *bytes, size_t n) {
    char *out = sign_base64(bytes, n), *p;

    out[strcspn(out, "=")] = '\0';
    for (p = out; *p != '\0'; p++)
        *p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
    return out;
}

uint8_t *sign_unbase64(const char *s, size_t n, size_t *ret_n) {
    EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
    uint8_t *out = xcalloc(n + 4, 1);
    int head = 0, tail = 0, rc;

    need(ctx != NULL && n <= INT32_MAX / 2);
    EVP_DecodeInit(ctx);
    rc = EVP_DecodeUpdate(ctx, out, &head, (const unsigned char *)s, (int)n);
    if (rc >= 0)
        rc = EVP_DecodeFinal(ctx, out + head, &tail) == 1 ? 0 : -1;
    EVP_ENCODE_CTX_free(ctx);
    if (rc < 0) {
        free(out);
        return NULL;
    }
    *ret_n = (size_t)head + (size_t)tail;
    return out;
}

void sign_random(void *buf, size_t n) {
    uint8_t *p = buf;
    ssize_t got;

    while (n > 0) {
        got = getrandom(p, n, 0);
        need(got > 0);
        p += got;
        n -= (size_t)got;
    }
}
