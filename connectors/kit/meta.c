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

int meta_selftest(const char *body, const char *signature, char *why, size_t why_size) {
    static const char vector[] = "rahasia-aplikasi-uji-123"; /* platforms/whatsapp.md section 1.3 */
    struct aduan_secret secrets[] = { { (char *)(uintptr_t) "lama", 4 },
                                      { (char *)(uintptr_t)vector, sizeof(vector) - 1 } };
    const struct aduan_secrets both = { secrets, 2 }, old = { secrets, 1 };
    const struct aduan_secret token = { (char *)(uintptr_t) "token", 5 };
    const struct aduan_header header = { "x-hub-signature-256", signature };
    const struct aduan_hook_request post = { "POST", "", &header, 1, body, strlen(body) };
    struct aduan_hook_answer answer;

    if (meta_verify(&both, &token, &post, &answer) != 0) {
        snprintf(why, why_size, "a good signature was refused");
        return -1;
    }
    if (meta_verify(&old, &token, &post, &answer) != ADUAN_HOOK_ANSWER || answer.status != 401) {
        snprintf(why, why_size, "a bad signature was believed");
        return -1;
    }
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
    ret->subcode = (int)js_int(error, "error_subcode", 0);
    ret->transient = js_true(error, "is_transient");
    snprintf(ret->text, sizeof(ret->text), "%s%s%s", title != NULL ? title : "",
             title != NULL && details != NULL ? ": " : "", details != NULL ? details : "");
    ret->text[text_cut(ret->text, sizeof(ret->text) - 1)] = '\0';
    free(title);
    free(details);
    return json_is_object(error) && (ret->code != 0 || ret->text[0] != '\0');
}

enum { SUBCODE_TELLING = 1000000 }; /* smaller ones mean something only beside their code */

static const struct meta_rule *row_for(const struct meta_rule *rules, int code) {
    for (; rules->first >= 0; rules++)
        if (code >= rules->first && code <= rules->last)
            return rules;
    return NULL;
}

static const struct meta_rule *rule_for(const struct meta_rule *rules, const struct meta_error *error) {
    const struct meta_rule *row = error->subcode >= SUBCODE_TELLING ? row_for(rules, error->subcode) : NULL;

    return row != NULL ? row : row_for(rules, error->code);
}

bool meta_error_of(const struct aduan_http_response *r, struct meta_error *ret) {
    json_t *body = r->state == ADUAN_HTTP_DONE && r->body != NULL ? js_load(r->body, r->body_len) : NULL;
    bool spoken;

    memset(ret, 0, sizeof(*ret));
    spoken = meta_error_read(js_get(body, "error"), ret);
    json_decref(body);
    return spoken;
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

    memset(ret, 0, sizeof(*ret));
    if (r->state != ADUAN_HTTP_DONE) {
        unanswered(r, accepts, ret);
        return false;
    }
    if (r->status >= 200 && r->status < 300)
        return true;
    spoken = meta_error_of(r, &error);
    if (spoken)
        rule = rule_for(rules, &error);
    ret->outcome = rule != NULL ? rule->outcome
                   : spoken     ? by_status(r->status)
                                : by_stranger(r->status, accepts);
    if (error.transient && ret->outcome == ADUAN_NEVER)
        ret->outcome = ADUAN_LATER;
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

void meta_end_partly(struct aduan_result *result, size_t sent, size_t count) {
    char why[300];

    if (sent == 0 || sent >= count || result->outcome == ADUAN_UNCERTAIN || result->outcome == ADUAN_SENT)
        return;
    snprintf(why, sizeof(why), "%.290s", result->reason);
    result->outcome = ADUAN_NEVER;
    snprintf(result->reason, sizeof(result->reason),
             "%zu dari %zu bagian sudah terkirim, kirim ulang hanya sisanya / %zu of %zu parts were sent: %s",
             sent, count, sent, count, why);
    result->reason[text_cut(result->reason, sizeof(result->reason) - 1)] = '\0';
}

/* ---------------------------------------------------------------- hosts and tokens */

/* scheme://host[:port] of a URL; 0: no such thing. */
static size_t origin_length(const char *url) {
    const char *host = strstr(url, "://");

    return host != NULL ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : 0;
}

bool meta_is_host(const char *url, const char *api, const char *const *hosts) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.:/[]";
    size_t n = origin_length(url), i;
    char *origin;
    bool good = false;

    if (n == 0 || n > 300 || strspn(url, plain) < n)
        return false;
    if (n == origin_length(api) && strncmp(url, api, n) == 0)
        return true;
    origin = xstrndup(url, n);
    for (i = 0; hosts[i] != NULL && text_starts(url, "https://"); i++)
        good |= text_ends(origin, hosts[i]);
    free(origin);
    return good;
}

static void read_token(const char *body, struct meta_token *ret) {
    json_t *data = body != NULL ? js_load(body, strlen(body)) : NULL;
    char *app_id = js_line(data, "data.app_id", sizeof(ret->app_id) - 1);

    if (app_id == NULL)
        app_id = js_id(data, "data.app_id");
    ret->valid = js_true(data, "data.is_valid");
    ret->expires_at = meta_time(data, "data.expires_at");
    snprintf(ret->app_id, sizeof(ret->app_id), "%s", app_id != NULL ? app_id : "");
    free(app_id);
    json_decref(data);
}

/* By a batch call, because the plain one would carry the token in its URL, and URLs are logged on the way. */
bool meta_token_read(struct aduan_host *host, const char *api, const struct aduan_secret *token,
                     struct meta_token *ret) {
    struct text inner = TEXT_INIT;
    struct aduan_http_response r;
    json_t *batch, *answers = NULL;
    char *dump, *url = xasprintf("%s/", api);
    const char *body;

    memset(ret, 0, sizeof(*ret));
    text_add(&inner, "debug_token?input_token=");
    query_escape(&inner, token->bytes != NULL ? token->bytes : "");
    batch = json_pack("[{s:s, s:s}]", "method", "GET", "relative_url", inner.s);
    dump = json_dumps(batch, JSON_COMPACT);
    const struct aduan_form_part form[] = { { .name = "batch", .text = dump },
                                            { .name = "include_headers", .text = "false" } };
    struct aduan_http_request req = {
        .method = "POST", .url = url, .bearer = token, .form = form, .form_count = 2
    };

    if (host->ops->http_wait(host, &req, &r) == 0 && r.state == ADUAN_HTTP_DONE && r.status == 200)
        answers = js_load(r.body, r.body_len);
    body = js_str(json_array_get(answers, 0), "body");
    read_token(body, ret);
    text_wipe(inner.s, inner.len);
    text_wipe(dump, strlen(dump));
    text_free(&inner);
    json_decref(answers);
    json_decref(batch);
    free(dump);
    free(url);
    return body != NULL;
}
