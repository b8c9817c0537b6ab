/*
 * pull.c: what is new on LAPOR, as far as the profile maps it; nothing at all by hand.
 *
 * The list tells which reports there are. What was seen of each is kept in the cursor "known": its status, and
 * a number that grows with each change, so that a status that comes back is a record of its own and a change
 * that is told again after a crash is not; the entries of their follow-up are told apart by their ids.
 */
#include "lapor/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* In "known", beside the reports: some were forgotten. No report has this id. */
#define FORGOTTEN ""

enum { KNOWN_MAX = 500, DAY_SECONDS = 24 * 3600, WIB_SECONDS = 7 * 3600 };

struct round {
    struct lapor *l;
    json_t *known;  /* id -> [status, number of its last change] */
    json_t *seen;   /* ids of this round's list */
    const char *id; /* of the report whose follow-up is read */
    int stop;       /* what emit() said */
};

static json_t *load_known(struct lapor *l) {
    const char *s = l->host->ops->mark(l->host, "known");
    json_t *known = s != NULL ? json_loads(s, 0, NULL) : NULL;

    if (!json_is_object(known)) {
        json_decref(known);
        known = json_object();
    }
    return known;
}

/* What the whole list does not hold any more is forgotten where there is much. Whatever comes back after that
 * is new to us, and its status is told as a change (one_report), as it may have changed in between. */
static void forget_gone(struct round *r) {
    const char *key;
    json_t *value;
    void *next;

    json_object_foreach_safe(r->known, next, key, value) {
        if (json_object_size(r->known) <= KNOWN_MAX)
            return;
        if (key[0] == '\0' || json_object_get(r->seen, key) != NULL)
            continue;
        json_object_del(r->known, key);
        json_object_set_new(r->known, FORGOTTEN, json_true());
    }
}

/* change: number of a status's change, else 0. */
static int emit(struct round *r, const char *what, const char *id, const char *raw_id, int64_t change,
                const json_t *data) {
    json_t *whole =
        json_pack("{s:s, s:s, s:I, s:O}", "lapor", what, "id", id, "change", (json_int_t)change, "data", data);
    char *bytes = json_dumps(whole, JSON_COMPACT), *known = json_dumps(r->known, JSON_COMPACT);
    struct aduan_raw raw = {
        .bytes = bytes, .len = strlen(bytes), .id = raw_id, .mark = "known", .mark_value = known
    };

    r->stop = r->l->host->ops->emit(r->l->host, &raw);
    free(bytes);
    free(known);
    json_decref(whole);
    return r->stop != 0 ? -1 : 0;
}

static void remember(struct round *r, const char *id, const char *status, int64_t change) {
    json_object_set_new(r->known, id, json_pack("[s, I]", status, (json_int_t)change));
}

static int emit_status(struct round *r, const char *id, const char *status, int64_t change,
                       const json_t *item) {
    char *raw_id = xasprintf("%s:status:%lld:%s", id, (long long)change, status);
    int rc;

    remember(r, id, status, change);
    rc = emit(r, "status", id, raw_id, change, item);
    free(raw_id);
    return rc;
}

/* A report that is new to us. Its changes are numbered from the second on in which it was met: never as those
 * that were told before it was forgotten. */
static int new_report(struct round *r, const char *id, const char *status, const json_t *item) {
    int64_t first = r->l->host->ops->now(r->l->host) / 1000;
    bool forgotten = json_object_get(r->known, FORGOTTEN) != NULL;
    int rc;

    remember(r, id, forgotten ? "" : status, first);
    rc = emit(r, "report", id, id, 0, item);
    return rc == 0 && forgotten && status[0] != '\0' ? emit_status(r, id, status, first + 1, item) : rc;
}

/* One report of the list: new, or with another status than before. */
static int one_report(void *arg, const json_t *item) {
    struct round *r = arg;
    const struct lapor_profile *p = &r->l->profile;
    char *id = lapor_value(item, lapor_or(p, "map.in", "remote_id", "/complaint_id|/id"));
    char *status = lapor_value(item, lapor_or(p, "map.in", "status", "/status_name|/status_code"));
    const json_t *before = id != NULL ? json_object_get(r->known, id) : NULL;
    const char *was = json_string_value(json_array_get(before, 0));
    int rc = 0;

    if (id != NULL)
        json_object_set_new(r->seen, id, json_true());
    if (id == NULL || id[0] == '\0')
        rc = emit(r, "report", "", NULL, 0, item); /* a person sees that it could not be read */
    else if (was == NULL)
        rc = new_report(r, id, status != NULL ? status : "", item);
    else if (status != NULL && strcmp(was, status) != 0)
        rc = emit_status(r, id, status, (int64_t)json_integer_value(json_array_get(before, 1)) + 1, item);
    free(status);
    free(id);
    return rc;
}

static int one_followup(void *arg, const json_t *item) {
    struct round *r = arg;
    char *n = lapor_value(item, lapor_or(&r->l->profile, "map.in", "item_id", "/id"));
    char *raw_id = n != NULL ? xasprintf("%s:%s", r->id, n) : NULL;
    int rc = emit(r, "followup", r->id, raw_id, 0, item);

    free(n);
    free(raw_id);
    return rc;
}

static int read_followups(struct round *r, struct aduan_result *ret) {
    json_t *ids = json_copy(r->known), *value;
    const char *key;
    int rc = 0;

    json_object_del(ids, FORGOTTEN);
    json_object_foreach(ids, key, value) {
        r->id = key;
        if (rc == 0)
            rc = lapor_pages(r->l, "cap.followups", key, "", one_followup, r, ret);
    }
    json_decref(ids);
    return rc;
}

/* Where the list says no status, the report itself does. */
static int read_details(struct round *r, struct aduan_result *ret) {
    json_t *ids = json_copy(r->known), *value;
    const char *key;
    int rc = 0;

    json_object_del(ids, FORGOTTEN);
    json_object_foreach(ids, key, value) {
        json_t *values = json_pack("{s:s}", "id", key), *page = NULL, *data;
        char *url = lapor_url(r->l, "cap.detail", values);
        const json_t *root;

        page = rc == 0 && url != NULL ? lapor_get_json(r->l, url, ret) : NULL;
        rc = page == NULL ? -1 : rc;
        root = page != NULL ? lapor_node(page, lapor_or(&r->l->profile, "cap.detail", "root", "/results/data"))
                            : NULL;
        data = json_is_object(root) ? json_copy((json_t *)(uintptr_t)root) : NULL;
        if (data != NULL) {
            if (json_object_get(data, "complaint_id") == NULL)
                json_object_set_new(data, "complaint_id", json_string(key));
            rc = one_report(r, data);
        }
        json_decref(data);
        json_decref(page);
        json_decref(values);
        free(url);
    }
    json_decref(ids);
    return rc;
}

/* "Changed since" is a day before the last whole reading: clocks differ, and repeats cost nothing. The first
 * reading of a life asks for everything. */
static int read_list(struct round *r, struct aduan_result *ret) {
    struct lapor *l = r->l;
    const char *format = lapor_or(&l->profile, "cap.list", "since_format", "date");
    int64_t now = l->host->ops->now(l->host);
    time_t from = (time_t)(l->listed_at / 1000 - DAY_SECONDS), wib = from + WIB_SECONDS;
    char since[64] = "";
    struct tm tm;
    int rc;

    if (l->listed_at != 0 && strcmp(format, "seconds") == 0)
        snprintf(since, sizeof(since), "%lld", (long long)from);
    else if (l->listed_at != 0 && gmtime_r(&wib, &tm) != NULL)
        (void)strftime(since, sizeof(since), strcmp(format, "date") == 0 ? "%Y-%m-%d" : "%d-%m-%Y %H:%M:%S",
                       &tm);
    rc = lapor_pages(l, "cap.list", "", since, one_report, r, ret);
    if (rc == 0 && since[0] == '\0')
        forget_gone(r);
    if (rc == 0)
        l->listed_at = now;
    return rc;
}

static void read_all(struct round *r, struct aduan_result *ret) {
    const struct lapor_profile *p = &r->l->profile;
    int rc = 0;

    if (lapor_enabled(p, "list"))
        rc = read_list(r, ret);
    if (rc == 0 && lapor_enabled(p, "detail"))
        rc = read_details(r, ret);
    if (rc == 0 && lapor_enabled(p, "followups"))
        rc = read_followups(r, ret);
    if (rc == 0 || r->stop != 0)
        *ret = (struct aduan_result){ 0 };
}

int lapor_pull(void *ctx, int64_t wait_ms, struct aduan_result *ret) {
    struct lapor *l = ctx;
    struct round r = { .l = l };
    int64_t now = l->host->ops->now(l->host), rest = l->read_at + l->settings->poll - now;
    bool api = l->settings->mode == LAPOR_API &&
               (lapor_enabled(&l->profile, "list") || lapor_enabled(&l->profile, "detail") ||
                lapor_enabled(&l->profile, "followups"));

    *ret = (struct aduan_result){ 0 };
    if (!api || (l->read_at != 0 && rest > 0)) {
        (void)l->host->ops->pause(l->host, api && rest < wait_ms ? rest : wait_ms);
        return 0;
    }
    r.known = load_known(l);
    r.seen = json_object();
    read_all(&r, ret);
    json_decref(r.seen);
    json_decref(r.known);
    if (ret->outcome == 0)
        l->read_at = now;
    return (int)ret->outcome;
}

/* Reading leaves no trace on LAPOR. */
int lapor_commit(void *ctx, const uint64_t *cookies, size_t count) {
    (void)ctx;
    (void)cookies;
    (void)count;
    return 0;
}

void lapor_probe(void *ctx, struct aduan_result *ret) {
    struct lapor *l = ctx;
    static const char *const cheap[] = { "masters.institutions", "list", NULL };
    json_t *values = json_pack("{s:s, s:s, s:i, s:s}", "id", "0", "since", "", "page", 1, "cursor", "");
    json_t *answer;
    size_t i;

    *ret = (struct aduan_result){ .outcome = ADUAN_SENT };
    for (i = 0; cheap[i] != NULL && l->settings->mode == LAPOR_API; i++) {
        char *section, *url;

        if (!lapor_enabled(&l->profile, cheap[i]))
            continue;
        section = xasprintf("cap.%s", cheap[i]);
        url = lapor_url(l, section, values);
        answer = url != NULL ? lapor_get_json(l, url, ret) : NULL;
        if (answer != NULL)
            ret->outcome = ADUAN_SENT;
        else if (ret->outcome == 0)
            ret->outcome = ADUAN_LATER;
        json_decref(answer);
        free(section);
        free(url);
        break;
    }
    json_decref(values);
}
