/*
 * probe.c: is the account well? Who we are, and whether X still believes our webhook: one that failed too long
 * is switched off until somebody asks for a new challenge (section 2.1).
 */
#include "x/x.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *ask(struct x *x, const char *method, char *url, struct aduan_result *ret) {
    const struct x_request req = { .method = method, .url = url };
    struct aduan_http_response r;
    json_t *body = NULL;

    memset(ret, 0, sizeof(*ret));
    ret->outcome = ADUAN_LATER;
    if (x_http_wait(x, &req, &r) == 0 && x_accepted(x, &r, false, ret)) {
        ret->outcome = ADUAN_SENT;
        body = r.body != NULL ? js_load(r.body, r.body_len) : NULL;
    }
    free(url);
    return body;
}

/* A fault in plain words, or NULL. Not being allowed to ask (the list wants an app-only token at some tiers,
 * section 2) is no fault of the account's. */
static const char *check_webhooks(struct x *x) {
    struct aduan_result result;
    json_t *body = ask(x, "GET", xasprintf("%s/2/webhooks", x->settings->api), &result);
    const json_t *hook;
    const char *fault = NULL;
    char *id;
    size_t i, known = json_array_size(js_get(body, "data"));

    if (result.outcome == ADUAN_SENT && known == 0)
        fault = "X tidak punya webhook untuk aplikasi ini: daftarkan / no webhook is registered at X";
    json_array_foreach(js_get(body, "data"), i, hook) {
        id = x_id(hook, "id");
        if (json_is_false(js_get(hook, "valid")) && id != NULL) {
            json_decref(ask(x, "PUT", xasprintf("%s/2/webhooks/%s", x->settings->api, id), &result));
            fault = result.outcome == ADUAN_SENT ? "webhook X mati, dipasang kembali; peristiwa yang terlewat: "
                                                   "minta replay / X's webhook was "
                                                   "off and is back on: ask X for a replay"
                                                 : "webhook X mati dan tidak dapat dipasang kembali / X's "
                                                   "webhook is off and cannot be revived";
        }
        free(id);
    }
    json_decref(body);
    return fault;
}

void x_probe(void *ctx, struct aduan_result *ret) {
    struct x *x = ctx;
    json_t *body = ask(x, "GET", xasprintf("%s/2/users/me", x->settings->api), ret);
    char *id = x_id(js_get(body, "data"), "id");
    const char *fault = NULL;

    if (ret->outcome == ADUAN_SENT && id != NULL && !text_equal(id, x->settings->user_id))
        fault = "token milik akun X lain daripada user_id / the token belongs to another account than user_id";
    else if (ret->outcome == ADUAN_SENT && x->settings->webhook)
        fault = check_webhooks(x);
    if (ret->outcome == ADUAN_NEVER)
        ret->outcome = ADUAN_REFUSED;
    x->host->ops->report(x->host, 0, ret->outcome == ADUAN_SENT ? fault : ret->reason);
    free(id);
    json_decref(body);
}
