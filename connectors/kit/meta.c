/* meta.c: the rules of Meta's webhooks and of Graph's answers. */
#include "kit/meta.h"

#include "kit/hook.h"
#include "kit/json.h"
#include "kit/query.h"
#include "kit/sign.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------- webhooks */

static int handshake(const struct aduan_secret *token, const struct aduan_hook_request *req,
                     struct aduan_hook_answer *ret) {
    char *mode = query_get(req->query, "hub.mode");
    char *given = query_get(req->query, "hub.verify_token");
    char *challenge = query_get(req->query, "hub.challenge");
    bool good = text_equal(mode, "subscribe") && given != NULL && challenge != NULL && token->bytes != NULL &&
                token->len > 0 && sign_equal(given, strlen(given), token->bytes, token->len) &&
                strlen(challenge) < sizeof(ret->body);

    hook_answer(ret, good ? 200 : 403, good ? challenge : "");
    free(mode);
    free(given);
    free(challenge);
    return ADUAN_HOOK_ANSWER;
}

int meta_verify(const struct aduan_secrets *app_secrets, const struct aduan_secret *verify_token,
                const struct aduan_hook_request *req, struct aduan_hook_answer *ret_answer) {
    if (strcmp(req->method, "GET") == 0)
        return handshake(verify_token, req, ret_answer);
    if (!hook_signed(req, "x-hub-signature-256", app_secrets->items, app_secrets->count))
        return hook_answer(ret_answer, 401, "");
    return 0;
}

int64_t meta_time(const json_t *object, const char *path) {
    int64_t t = js_int(object, path, 0);

    if (t <= 0 || t > 99999999999999)
        return 0;
    return t >= 100000000000 ? t : t * 1000; /* 10^11 s would be the year 5138 */
}

/* ---------------------------------------------------------------- Graph's errors */

/* title or message, then details where they say more. */
bool meta_error_read(const json_t *error, struct meta_error *ret) {
    char *title = js_line(error, "message", 200);
    char *details = js_line(error, "error_data.details", 300);

    if (title == NULL)
        title = js_line(error, "title", 200);
    ret->code = (int)js_int(error, "code", 0);
    snprintf(ret->text, sizeof(ret->text), "%s%s%s", title != NULL ? title : "",
             title != NULL && details != NULL ? ": " : "", details != NULL ? details : "");
    ret->text[text_cut(ret->text, sizeof(ret->text) - 1)] = '\0';
    free(title);
    free(details);
    return json_is_object(error) && (ret->code != 0 || ret->text[0] != '\0');
}

static const struct meta_rule *rule_for(const struct meta_rule *rules, int code) {
    for (; rules->first >= 0; rules++)
        if (code >= rules->first && code <= rules->last)
            return rules;
    return NULL;
}

/* Graph spoke, but by a code that the table does not know: HTTP still says whose fault it is. */
static enum aduan_outcome by_status(int status) {
    if (status == 401 || status == 403)
        return ADUAN_REFUSED;
    if (status == 429)
        return ADUAN_LIMITED;
    return status >= 500 ? ADUAN_LATER : ADUAN_NEVER;
}

/* No error of Graph's in the body: a proxy on the way, or a server dying behind it. A 5xx may come
 * after the message was taken. */
static enum aduan_outcome by_stranger(int status, bool accepts) {
    if (status == 429)
        return ADUAN_LIMITED;
    return accepts && (status == 408 || status >= 500) ? ADUAN_UNCERTAIN : ADUAN_LATER;
}

static int64_t retry_after(const struct aduan_http_response *r) {
    int64_t seconds = 0;
    size_t i;

    for (i = 0; i < r->header_count; i++)
        if (strcmp(r->headers[i].name, "retry-after") == 0)
            text_parse_int(r->headers[i].value, 0, 86400, &seconds);
    return seconds * 1000;
}

static void set_reason(struct aduan_result *ret, const char *s, int code) {
    if (code != 0)
        snprintf(ret->reason, sizeof(ret->reason), "%s (%d)", s, code);
    else
        snprintf(ret->reason, sizeof(ret->reason), "%s", s);
    ret->reason[text_cut(ret->reason, sizeof(ret->reason) - 1)] = '\0';
}

/* The peer never saw the request, or may have acted on it. */
static void unanswered(const struct aduan_http_response *r, bool accepts, struct aduan_result *ret) {
    bool nothing = r->state == ADUAN_HTTP_SENT_NOTHING;

    ret->outcome = nothing || !accepts ? ADUAN_LATER : ADUAN_UNCERTAIN;
    set_reason(ret, r->error != NULL ? r->error : "sambungan terputus / connection broken", 0);
}

bool meta_accepted(const struct aduan_http_response *r, const struct meta_rule *rules, bool accepts,
                   struct aduan_result *ret) {
    const struct meta_rule *rule = NULL;
    struct meta_error error = { 0 };
    char line[40];
    bool spoken;
    json_t *body;

    memset(ret, 0, sizeof(*ret));
    if (r->state != ADUAN_HTTP_DONE) {
        unanswered(r, accepts, ret);
        return false;
    }
    if (r->status >= 200 && r->status < 300)
        return true;
    body = r->body != NULL ? js_load(r->body, r->body_len) : NULL;
    spoken = meta_error_read(js_get(body, "error"), &error);
    if (spoken)
        rule = rule_for(rules, error.code);
    json_decref(body);
    ret->outcome = rule != NULL ? rule->outcome
                   : spoken     ? by_status(r->status)
                                : by_stranger(r->status, accepts);
    ret->scope = rule != NULL ? rule->scope : ADUAN_SCOPE_ACCOUNT;
    ret->retry_after_ms = retry_after(r);
    if (ret->retry_after_ms == 0 && rule != NULL)
        ret->retry_after_ms = rule->pause_ms;
    snprintf(line, sizeof(line), "HTTP %d", r->status);
    set_reason(ret,
               rule != NULL && rule->advice != NULL ? rule->advice
               : error.text[0] != '\0'              ? error.text
                                                    : line,
               error.code);
    return false;
}
