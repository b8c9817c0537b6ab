/* hook.c: signatures over raw bytes, before anybody looks into them. */
#include "kit/hook.h"

#include "kit/sign.h"
#include "kit/text.h"

#include <string.h>

const char *hook_header(const struct aduan_hook_request *req, const char *name) {
    size_t i;

    for (i = 0; i < req->header_count; i++)
        if (strcmp(req->headers[i].name, name) == 0)
            return req->headers[i].value;
    return NULL;
}

bool hook_signed(const struct aduan_hook_request *req, const char *name, const struct aduan_secret *secrets,
                 size_t count) {
    const char *value = hook_header(req, name);
    uint8_t given[SIGN_SHA256], ours[SIGN_SHA256];
    bool match = false;
    size_t i;

    if (value == NULL || !text_starts(value, "sha256=") || strlen(value) != 7 + 2 * SIGN_SHA256 ||
        sign_unhex(value + 7, 2 * SIGN_SHA256, given) < 0)
        return false;
    for (i = 0; i < count; i++) {
        if (secrets[i].bytes == NULL || secrets[i].len == 0)
            continue;
        sign_hmac_sha256(secrets[i].bytes, secrets[i].len, req->body, req->body_len, ours);
        match |= sign_equal(given, sizeof(given), ours, sizeof(ours));
    }
    return match;
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
