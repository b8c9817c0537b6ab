/* call.c: Graph's answers judged, how much of the allowance is used, and calls that wait. */
#include "graph/graph.h"

#include "kit/json.h"
#include "kit/text.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------ usage */

static const char *header_of(const struct aduan_http_response *r, const char *name) {
    size_t i;

    for (i = 0; i < r->header_count; i++)
        if (strcmp(r->headers[i].name, name) == 0)
            return r->headers[i].value;
    return NULL;
}

/* The largest of the percentages that an object of usage holds. */
static int used(const json_t *usage) {
    static const char *const keys[] = { "call_count", "total_cputime", "total_time" };
    int64_t most = 0, one;
    size_t i;

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        one = js_int(usage, keys[i], 0);
        most = one > most ? one : most;
    }
    return most > 1000 ? 1000 : (int)most;
}

static void tell_quota(struct graph_account *a, const char *name, int percent) {
    if (a->host->ops->quota != NULL)
        a->host->ops->quota(a->host, name, percent);
}

/* X-App-Usage, X-Page-Usage: {"call_count":28,…}. */
static void read_usage(struct graph_account *a, const char *value, const char *name) {
    json_t *usage = value != NULL ? js_load(value, strlen(value)) : NULL;

    if (json_is_object(usage))
        tell_quota(a, name, used(usage));
    json_decref(usage);
}

/* X-Business-Use-Case-Usage:
 * {"ID":[{"type":"messenger","call_count":…,"estimated_time_to_regain_access":MINUTES}]}. How long a limit
 * lasts, ms. */
static int64_t read_business_usage(struct graph_account *a, const char *value) {
    json_t *all = value != NULL ? js_load(value, strlen(value)) : NULL;
    const json_t *list, *one;
    int64_t minutes, most = 0;
    const char *id;
    char *type;
    size_t i;

    if (!json_is_object(all)) {
        json_decref(all);
        return 0;
    }
    json_object_foreach(all, id, list) {
        json_array_foreach(list, i, one) {
            if (i >= 20) /* a handful is documented */
                break;
            type = js_line(one, "type", 40);
            tell_quota(a, type != NULL ? type : "business", used(one));
            minutes = js_int(one, "estimated_time_to_regain_access", 0);
            most = minutes > most && minutes <= 24 * 60 ? minutes : most;
            free(type);
        }
    }
    json_decref(all);
    return most * 60 * 1000;
}

bool graph_accepted(struct graph_account *account, const struct aduan_http_response *r, bool accepts,
                    struct aduan_result *ret) {
    bool good = meta_accepted(r, graph_rules, accepts, ret);
    int64_t regain;

    if (r->state != ADUAN_HTTP_DONE)
        return good;
    read_usage(account, header_of(r, "x-app-usage"), "app");
    read_usage(account, header_of(r, "x-page-usage"), "page");
    regain = read_business_usage(account, header_of(r, "x-business-use-case-usage"));
    if (!good && ret->outcome == ADUAN_LIMITED && ret->scope == ADUAN_SCOPE_ACCOUNT &&
        ret->retry_after_ms < regain)
        ret->retry_after_ms = regain;
    return good;
}

/* ------------------------------------------------------------------------- calls */

json_t *graph_call(struct graph_account *account, const char *method, const char *path,
                   struct aduan_result *ret) {
    char *url = xasprintf("%s/%s", account->api, path);
    struct aduan_http_request req = { .method = method, .url = url, .bearer = account->token };
    struct aduan_http_response r;
    json_t *body = NULL;

    memset(ret, 0, sizeof(*ret));
    if (account->host->ops->http_wait(account->host, &req, &r) != 0) {
        ret->outcome = ADUAN_LATER;
        snprintf(ret->reason, sizeof(ret->reason), "dihentikan / stopping");
    } else if (graph_accepted(account, &r, false, ret)) {
        body = r.body != NULL ? js_load(r.body, r.body_len) : NULL;
        ret->outcome = body != NULL ? ADUAN_SENT : ADUAN_LATER;
        if (body == NULL)
            snprintf(ret->reason, sizeof(ret->reason), "jawaban Graph bukan JSON / Graph's answer is no JSON");
    }
    free(url);
    return body;
}
