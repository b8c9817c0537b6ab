/*
 * watchdog.c: is the page still installed? probe() asks, and puts it back (section 1).
 *
 * After one hour without a 200 Meta removes the page's subscription, and after that nothing comes and nothing
 * fails. So the list is read every few minutes; when we are not on it with all our fields, we are put there
 * again. What was written meanwhile never comes by itself: an officer must look into the page's own inbox, so
 * the fault is said for a day.
 */
#include "facebook/facebook.h"

#include "kit/json.h"
#include "kit/meta.h"
#include "kit/query.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS (24 * 3600 * 1000LL)

#define REINSTALLED                                                                                            \
    "Langganan halaman sempat tercabut dan sudah dipasang kembali: periksa kotak masuk halaman / the page's "  \
    "subscription was gone and has been put back: look into the page's inbox"
#define NOT_READ "Langganan halaman tidak dapat diperiksa / the page's subscription cannot be read"
#define NOT_PUT                                                                                                \
    "Langganan halaman hilang dan tidak dapat dipasang / the page's subscription is gone and cannot be put "   \
    "back"

static const char *const fields[] = {
    "messages",
    "message_edits",
    "messaging_postbacks",
    "message_reactions",
    "message_deliveries",
    "message_reads",
    "message_echoes",
    "messaging_referrals",
    "messaging_optins",
    "messaging_handovers",
    "standby",
    "messaging_policy_enforcement",
    "feed",
    "mention",
    "ratings",
};
enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

static bool has_field(const json_t *app, const char *name) {
    const json_t *field;
    size_t i;

    json_array_foreach(js_get(app, "subscribed_fields"), i, field) {
        if (text_equal(json_string_value(field), name))
            return true;
    }
    return false;
}

static bool has_all(const json_t *app) {
    size_t i;

    for (i = 0; i < FIELDS; i++)
        if (!has_field(app, fields[i]))
            return false;
    return true;
}

/* Other programs may be installed on the page, too. Where the token does not say which one we are, any that has
 * all our fields will do. */
static const json_t *our_app(const json_t *apps, const char *app_id) {
    const json_t *app;
    size_t i;

    json_array_foreach(apps, i, app) {
        char *id = js_id(app, "id");
        bool ours = app_id[0] != '\0' ? text_equal(id, app_id) : has_all(app);

        free(id);
        if (ours)
            return app;
    }
    return NULL;
}

/* All ours, and what somebody added by hand. */
static char *install_path(const struct facebook_settings *s, const json_t *app) {
    struct text path = TEXT_INIT;
    const json_t *field;
    size_t i;

    text_addf(&path, "%s/subscribed_apps?subscribed_fields=", s->page_id);
    for (i = 0; i < FIELDS; i++)
        text_addf(&path, "%s%s", i > 0 ? "," : "", fields[i]);
    json_array_foreach(js_get(app, "subscribed_fields"), i, field) {
        const char *name = json_string_value(field);
        size_t j = 0;

        while (j < FIELDS && !text_equal(fields[j], name))
            j++;
        if (name != NULL && j == FIELDS) {
            text_add_char(&path, ',');
            query_escape(&path, name);
        }
    }
    return text_steal(&path);
}

/* ------------------------------------------------------------------------- probe */

/* Once a day, and until Graph has said whose token it is. */
static void ask_token(struct facebook *f, int64_t now) {
    struct meta_token token;

    if (f->app_id[0] != '\0' && now - f->token_asked_at < DAY_MS)
        return;
    if (!meta_token_read(f->host, f->settings->api, &f->settings->access_token, &token))
        return;
    f->token_asked_at = now;
    f->token_expires = token.expires_at;
    snprintf(f->app_id, sizeof(f->app_id), "%s", token.app_id);
}

static bool reinstall(struct facebook *f, const json_t *app, struct aduan_result *ret) {
    char *path = install_path(f->settings, app);
    json_t *body = graph_call(&f->graph, "POST", path, ret);
    bool good = js_true(body, "success");

    if (body != NULL && !good)
        snprintf(ret->reason, sizeof(ret->reason), "Graph tidak menyetujui / Graph did not agree");
    json_decref(body);
    free(path);
    return good;
}

/* The list was read: what there is to say of it, or "". */
static void watch(struct facebook *f, const json_t *list, int64_t now, char *fault, size_t fault_size) {
    const json_t *app = our_app(js_get(list, "data"), f->app_id);
    struct aduan_result why;

    if (has_all(app)) {
        snprintf(fault, fault_size, "%s",
                 f->reinstalled_at > 0 && now - f->reinstalled_at < DAY_MS ? REINSTALLED : "");
        return;
    }
    if (reinstall(f, app, &why)) {
        f->reinstalled_at = now;
        snprintf(fault, fault_size, "%s", REINSTALLED);
    } else {
        snprintf(fault, fault_size, "%s: %.200s", NOT_PUT, why.reason);
    }
    f->host->ops->log(f->host, ADUAN_LOG_WARN, "%s", fault);
}

/* The list cannot be read although the token is good: sending works, so the account is not refused for it. */
static void judge_token(struct facebook *f, struct aduan_result *ret, char *fault, size_t fault_size) {
    struct aduan_result alone;
    json_t *page;

    if (ret->outcome == ADUAN_REFUSED) {
        page = graph_call(&f->graph, "GET", "me?fields=id", &alone);
        if (page != NULL) {
            snprintf(fault, fault_size, "%s: %.200s", NOT_READ, ret->reason);
            *ret = (struct aduan_result){ .outcome = ADUAN_SENT };
        }
        json_decref(page);
    }
    if (fault[0] == '\0')
        snprintf(fault, fault_size, "%s", ret->reason);
}

void facebook_probe(void *ctx, struct aduan_result *ret) {
    struct facebook *f = ctx;
    int64_t now = f->host->ops->now(f->host);
    char *path = xasprintf("%s/subscribed_apps", f->settings->page_id), fault[600] = "";
    json_t *list;

    ask_token(f, now);
    list = graph_call(&f->graph, "GET", path, ret);
    if (list != NULL)
        watch(f, list, now, fault, sizeof(fault));
    else
        judge_token(f, ret, fault, sizeof(fault));
    f->host->ops->report(f->host, f->token_expires, fault[0] != '\0' ? fault : NULL);
    json_decref(list);
    free(path);
}
