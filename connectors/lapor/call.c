/* call.c: requests to LAPOR by the profile. Header values are secrets: they are in no text but the request. */
#include "lapor/call.h"

#include "kit/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES = 50, SECOND = 1000, MIB = 1024 * 1024 };

void lapor_seal(const struct lapor *l, const char *method, const char *url, struct lapor_envelope *e) {
    const struct lapor_settings *s = l->settings;
    size_t i;

    *e = (struct lapor_envelope){
        .req = { .method = method,
                 .url = url,
                 .headers = e->headers,
                 .timeout_ms = lapor_number(&l->profile, "http", "total_timeout", 90) * SECOND,
                 .max_bytes = lapor_number(&l->profile, "http", "max_body", 8 * MIB) }
    };
    for (i = 0; i < s->headers.count && i < s->secrets.count && i < LAPOR_HEADERS_MAX; i++) {
        const char *colon = strstr(s->headers.items[i], ": ");

        if (colon == NULL || s->secrets.items[i].bytes == NULL)
            continue;
        e->owned[e->owned_count] = xstrndup(s->headers.items[i], (size_t)(colon - s->headers.items[i]));
        e->owned[e->owned_count + 1] = xasprintf("%s%s", colon + 2, s->secrets.items[i].bytes);
        e->headers[e->req.header_count++] =
            (struct aduan_header){ e->owned[e->owned_count], e->owned[e->owned_count + 1] };
        e->owned_count += 2;
    }
}

void lapor_unseal(struct lapor_envelope *e) {
    while (e->owned_count > 0) {
        char *s = e->owned[--e->owned_count];

        text_wipe(s, strlen(s));
        free(s);
    }
}

/* Adds what the profile calls "changed since", where there is a time to say. Takes url. */
static char *with_since(const struct lapor *l, const char *section, const json_t *values, char *url) {
    const char *name = lapor_or(&l->profile, section, "since_param", NULL), *since = js_str(values, "since");
    struct text t = TEXT_INIT;

    if (url == NULL || name == NULL || since == NULL || since[0] == '\0')
        return url;
    text_addf(&t, "%s%c%s=", url, strchr(url, '?') != NULL ? '&' : '?', name);
    query_escape(&t, since);
    free(url);
    return text_steal(&t);
}

char *lapor_url(const struct lapor *l, const char *section, const json_t *values) {
    char *path = lapor_fill(lapor_or(&l->profile, section, "path", ""), values, NULL);
    char *query = lapor_fill(lapor_or(&l->profile, section, "query", ""), values, NULL), *url = NULL;

    if (path != NULL && query != NULL)
        url = xasprintf("%s%s%s%s", lapor_or(&l->profile, "profile", "base_url", ""), path,
                        query[0] == '\0'            ? ""
                        : strchr(path, '?') != NULL ? "&"
                                                    : "?",
                        query);
    free(path);
    free(query);
    return with_since(l, section, values, url);
}

static void set(struct aduan_result *ret, enum aduan_outcome outcome, const char *what, const char *detail) {
    char *line = text_clean_line(detail, strlen(detail), 200);

    *ret = (struct aduan_result){ .outcome = outcome, .scope = ADUAN_SCOPE_ACCOUNT };
    snprintf(ret->reason, sizeof(ret->reason), "%s%s%s", what, line[0] != '\0' ? ": " : "", line);
    free(line);
}

static bool in_range(const struct lapor *l, int status) {
    int lo = 200, hi = 299;

    (void)sscanf(lapor_or(&l->profile, "ok", "http", "200-299"), "%3d-%3d", &lo, &hi);
    return status >= lo && status <= hi;
}

/* "success": false, "status": "error" or 500: accepted by HTTP, refused all the same. */
static bool says_no(const struct lapor *l, const json_t *body) {
    static const char *const words[] = { "false", "error", "fail", "failed", "gagal" };
    const json_t *v = lapor_node(body, lapor_or(&l->profile, "ok", "json_false", "/success|/status"));
    size_t i;

    for (i = 0; json_is_string(v) && i < sizeof(words) / sizeof(words[0]); i++)
        if (text_compare_nocase(json_string_value(v), words[i]) == 0)
            return true;
    return json_is_false(v) || (json_is_integer(v) && json_integer_value(v) >= 400);
}

/* What a whole answer means. acts: what is no clear answer may have been acted upon. */
static enum aduan_outcome meaning(const struct lapor *l, int status, const json_t *body, bool acts) {
    const char *flag = lapor_or(&l->profile, "ok", "json_true", NULL);
    enum aduan_outcome unclear = acts ? ADUAN_UNCERTAIN : ADUAN_LATER, no = acts ? ADUAN_NEVER : ADUAN_LATER;
    enum aduan_outcome outcome = ADUAN_SENT;
    char *truth = flag != NULL && body != NULL ? lapor_value(body, flag) : NULL;

    if (status == 401 || status == 403)
        outcome = ADUAN_REFUSED;
    else if (status == 429)
        outcome = ADUAN_LIMITED;
    else if (status >= 500 || status == 408)
        outcome = unclear;
    else if (!in_range(l, status))
        outcome = no;
    else if (body == NULL) /* a page of a proxy or a sign-in form, with 200 */
        outcome = unclear;
    else if (says_no(l, body))
        outcome = no;
    else if (flag != NULL && truth == NULL)
        outcome = unclear;
    else if (flag != NULL && strcmp(truth, "1") != 0)
        outcome = no;
    free(truth);
    return outcome;
}

bool lapor_accepted(const struct lapor *l, const struct aduan_http_response *r, bool acts,
                    struct aduan_result *ret) {
    json_t *body = NULL;
    char *detail = NULL, *what;
    enum aduan_outcome outcome;

    if (r->state != ADUAN_HTTP_DONE) {
        set(ret, acts && r->state == ADUAN_HTTP_BROKEN ? ADUAN_UNCERTAIN : ADUAN_LATER, "LAPOR!",
            r->error != NULL ? r->error : "");
        return false;
    }
    body = r->body != NULL ? js_load(r->body, r->body_len) : NULL;
    outcome = meaning(l, r->status, body, acts);
    if (outcome != ADUAN_SENT) {
        detail = body != NULL
                     ? lapor_value(body, lapor_or(&l->profile, "ok", "error_text", "/message|/error|/errors"))
                     : NULL;
        what = xasprintf("LAPOR! menjawab / answered %d%s", r->status,
                         body == NULL && in_range(l, r->status) ? ", bukan JSON / no JSON" : "");
        set(ret, outcome, what, detail != NULL ? detail : "");
        free(what);
    }
    free(detail);
    json_decref(body);
    return outcome == ADUAN_SENT;
}

/* No more requests in a minute than the profile allows. False: told to stop. */
static bool paced(struct lapor *l) {
    int64_t per_minute = lapor_number(&l->profile, "http", "per_minute", 60);
    int64_t now = l->host->ops->now(l->host), gap = per_minute > 0 ? 60 * SECOND / per_minute : 0;

    if (l->asked_at != 0 && now >= l->asked_at && now - l->asked_at < gap &&
        l->host->ops->pause(l->host, gap - (now - l->asked_at)) == ADUAN_STOPPING)
        return false;
    l->asked_at = l->host->ops->now(l->host);
    return true;
}

json_t *lapor_get_json(struct lapor *l, const char *url, struct aduan_result *ret) {
    struct aduan_http_response r = { 0 };
    struct lapor_envelope e;
    json_t *json = NULL;
    int rc;

    *ret = (struct aduan_result){ 0 };
    if (!paced(l))
        return NULL;
    lapor_seal(l, "GET", url, &e);
    rc = l->host->ops->http_wait(l->host, &e.req, &r);
    lapor_unseal(&e);
    if (rc != 0 || !lapor_accepted(l, &r, false, ret))
        return NULL;
    json = r.body != NULL ? js_load(r.body, r.body_len) : NULL;
    if (json == NULL)
        set(ret, ADUAN_LATER, "Jawaban LAPOR! bukan JSON / LAPOR's answer is no JSON", "");
    return json;
}

/* The next page's URL, or NULL: this was the last. Only LAPOR's own address is followed. */
static char *next_url(const struct lapor *l, const char *section, const json_t *page, json_t *values,
                      int64_t number) {
    const char *kind = lapor_or(&l->profile, section, "next_kind", "none");
    const char *base = lapor_or(&l->profile, "profile", "base_url", "");
    char *next = lapor_value(page, lapor_or(&l->profile, section, "next", "/results/next_page_url")),
         *url = NULL;

    if (next != NULL && strcmp(kind, "url") == 0) {
        size_t n = strlen(base);

        url = strncmp(next, base, n) == 0 && (next[n] == '/' || next[n] == '?') ? xstrdup(next) : NULL;
        if (url == NULL)
            l->host->ops->log(l->host, ADUAN_LOG_WARN,
                              "LAPOR! names a next page elsewhere; it is not followed");
    } else if (next != NULL && (strcmp(kind, "page") == 0 || strcmp(kind, "cursor") == 0)) {
        struct text t = TEXT_INIT;

        query_escape(&t, next);
        json_object_set_new(values, "page", json_integer(number));
        json_object_set_new(values, "cursor", json_string(t.s != NULL ? t.s : ""));
        url = lapor_url(l, section, values);
        text_free(&t);
    }
    free(next);
    return url;
}

int lapor_pages(struct lapor *l, const char *section, const char *id, const char *since,
                int (*each)(void *arg, const json_t *item), void *arg, struct aduan_result *ret) {
    json_t *values = json_pack("{s:s, s:s, s:i, s:s}", "id", id, "since", since, "page", 1, "cursor", "");
    int64_t most = lapor_number(&l->profile, "http", "pages", PAGES), number;
    char *url = lapor_url(l, section, values), *next;
    int rc = 0;

    if (url == NULL)
        set(ret, ADUAN_REFUSED, "Profil: nama dalam path tidak dikenal / an unknown name in a path", section);
    for (number = 1; url != NULL && rc == 0 && number <= most; number++) {
        json_t *page = lapor_get_json(l, url, ret);
        const json_t *items =
            page != NULL ? lapor_node(page, lapor_or(&l->profile, section, "items", "/results/data")) : NULL;
        const json_t *item;
        size_t i;

        if (page == NULL)
            rc = -1;
        else if (!json_is_array(items)) {
            set(ret, ADUAN_LATER, "Jawaban LAPOR! tanpa daftar / LAPOR's answer has no list", section);
            rc = -1;
        }
        json_array_foreach(items, i, item) if (rc == 0) rc = each(arg, item);
        next = rc == 0 && json_array_size(items) > 0 ? next_url(l, section, page, values, number + 1) : NULL;
        free(url);
        url = next;
        json_decref(page);
    }
    rc = url == NULL && rc == 0 && number == 1 ? -1 : rc;
    free(url);
    json_decref(values);
    return rc;
}
