/* hook.c: signatures over raw bytes, before anybody looks into them. */
#include "kit/hook.h"

#include "kit/query.h"
#include "kit/sign.h"
#include "kit/text.h"

#include <stdlib.h>
#include <string.h>

enum { BASE64_SHA256 = 44 };

const char *hook_header(const struct aduan_hook_request *req, const char *name) {
    size_t i;

    for (i = 0; i < req->header_count; i++)
        if (strcmp(req->headers[i].name, name) == 0)
            return req->headers[i].value;
    return NULL;
}

/* The digest behind "sha256=", in hex or in base64. */
static bool read_digest(const char *value, bool base64, uint8_t ret[SIGN_SHA256]) {
    uint8_t *bytes;
    size_t n = 0;

    if (value == NULL || !text_starts(value, "sha256="))
        return false;
    value += strlen("sha256=");
    if (!base64)
        return strlen(value) == 2 * SIGN_SHA256 && sign_unhex(value, 2 * SIGN_SHA256, ret) == 0;
    bytes = strlen(value) == BASE64_SHA256 ? sign_unbase64(value, BASE64_SHA256, &n) : NULL;
    if (bytes != NULL && n == SIGN_SHA256)
        memcpy(ret, bytes, SIGN_SHA256);
    free(bytes);
    return n == SIGN_SHA256;
}

static bool is_signed(const struct aduan_hook_request *req, const char *name, bool base64,
                      const struct aduan_secret *secrets, size_t count) {
    uint8_t given[SIGN_SHA256], ours[SIGN_SHA256];
    bool match = false;
    size_t i;

    if (!read_digest(hook_header(req, name), base64, given))
        return false;
    for (i = 0; i < count; i++) {
        if (secrets[i].bytes == NULL || secrets[i].len == 0)
            continue;
        sign_hmac_sha256(secrets[i].bytes, secrets[i].len, req->body, req->body_len, ours);
        match |= sign_equal(given, sizeof(given), ours, sizeof(ours));
    }
    return match;
}

bool hook_signed(const struct aduan_hook_request *req, const char *name, const struct aduan_secret *secrets,
                 size_t count) {
    return is_signed(req, name, false, secrets, count);
}

bool hook_signed_base64(const struct aduan_hook_request *req, const char *name,
                        const struct aduan_secret *secrets, size_t count) {
    return is_signed(req, name, true, secrets, count);
}

int hook_answer_crc(struct aduan_hook_answer *ret, const struct aduan_secret *secret, const char *query) {
    uint8_t mac[SIGN_SHA256];
    char *token = query_get(query, "crc_token"), *coded, *body;

    if (token == NULL || token[0] == '\0' || secret->bytes == NULL || secret->len == 0) {
        free(token);
        return hook_answer(ret, 403, "");
    }
    sign_hmac_sha256(secret->bytes, secret->len, token, strlen(token), mac);
    coded = sign_base64(mac, sizeof(mac));
    body = xasprintf("{\"response_token\":\"sha256=%s\"}", coded);
    hook_answer(ret, 200, body);
    ret->type = "application/json";
    free(body);
    free(coded);
    free(token);
    return ADUAN_HOOK_ANSWER;
}

int hook_answer(struct aduan_hook_answer *ret, int status, const char *body) {
    size_t n = body != NULL ? strlen(body) : 0;

    *ret = (struct aduan_hook_answer){ .status = status, .type = "text/plain" };
    if (n >= sizeof(ret->body))
        n = sizeof(ret->body) - 1;
    if (n > 0)
        memcpy(ret->body, body, n);
    ret->body_len = n;
    return ADUAN_HOOK_ANSWER;
}
