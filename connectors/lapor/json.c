/*
 * json.c: reports and their follow-ups as JSON: what pull() emits, and what an officer imports.
 *
 * pull() wraps each item: {"lapor": "report" | "followup" | "status", "id": TRACKING, "data": {…}}. An import
 * is one object, a list of such, or the shape of the detail call ({"results": {"data": …}}). Every record keeps
 * as its own bytes JSON that says what it is, so that nothing has to be guessed again when they are read again.
 */
#include "lapor/lapor.h"

#include <stdlib.h>
#include <string.h>

/* What an officer's own export is likely to call things; a profile's [map.in] comes first. */
static const struct {
    const char *key, *expression;
    size_t at;
} fields[] = {
    { "remote_id", "/complaint_id|/tracking_id|/trackingid|/nomor|/ticket|/id",
      offsetof(struct lapor_item, id) },
    { "title", "/title|/judul", offsetof(struct lapor_item, title) },
    { "body", "/content|/isi|/isi_laporan|/body|/template_content", offsetof(struct lapor_item, body) },
    { "created", "/created_at|/date|/tanggal", offsetof(struct lapor_item, created) },
    { "status", "/status_name|/status_code|/status", offsetof(struct lapor_item, status) },
    { "from", "/institution_from_id/id|/institution_from_id|/institution_from/id",
      offsetof(struct lapor_item, from) },
    { "reporter_name", "/reporter_name|/nama|/name", offsetof(struct lapor_item, name) },
    { "reporter_phone", "/reporter_phone|/telepon|/phone", offsetof(struct lapor_item, phone) },
    { "reporter_address", "/alamat|/address", offsetof(struct lapor_item, address) },
    { "anonymous", "/is_anonymous|/anonim", offsetof(struct lapor_item, anonymous) },
    { "secret", "/is_secret|/rahasia", offsetof(struct lapor_item, secret) },
    { "event_date", "/date_of_incident|/tanggal_kejadian", offsetof(struct lapor_item, event) },
};

/* The oddity: "data" is JSON inside a string. Its plain members as text, or those of an object with a name. */
static json_t *details_of(const json_t *data) {
    const char *s = js_str(data, "data"), *key;
    json_t *inner = s != NULL ? js_load(s, strlen(s)) : NULL, *values = json_object(), *v;

    json_object_foreach(inner, key, v) {
        char *text = json_is_object(v) ? lapor_value(v, "/name") : NULL;

        if (json_is_string(v))
            json_object_set(values, key, v);
        else if (json_is_integer(v))
            json_object_set_new(values, key, json_sprintf("%lld", (long long)json_integer_value(v)));
        else if (text != NULL)
            json_object_set_new(values, key, json_string(text));
        free(text);
    }
    json_decref(inner);
    return values;
}

/* An entry without words of its own is shown by its details. */
static char *details_text(const json_t *data) {
    json_t *details = details_of(data), *v;
    struct text t = TEXT_INIT;
    const char *key;

    json_object_foreach(details, key, v)
        text_addf(&t, "%s%s: %s", t.len > 0 ? "\n" : "", key, json_string_value(v));
    json_decref(details);
    if (t.len > 0)
        return text_steal(&t);
    text_free(&t);
    return NULL;
}

/* What stands in {{braces}} of a text, by the item's own members. */
static json_t *names_of(const json_t *data) {
    static const char *const paths[][2] = {
        { "institution_to", "/institution_to_name|/institution_to/name|/institution_to_id/name" },
        { "institution_from", "/institution_from_name|/institution_from/name|/institution_from_id/name" },
        { "institution", "/institution/name|/institution" },
        { "status_old", "/status_old/name|/status_old" },
        { "status_new", "/status_new/name|/status_new" },
        { "institution_to_link", "/institution_to_name|/institution_to/name|/institution_to_id/name" },
    };
    json_t *values = details_of(data);
    size_t i;

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        char *s = lapor_value(data, paths[i][1]);

        if (s != NULL)
            json_object_set_new(values, paths[i][0], json_string(s));
        free(s);
    }
    return values;
}

static void read_fields(struct lapor_walk *w, const json_t *data, struct lapor_item *item) {
    json_t *values = names_of(data);
    size_t i;
    char *s;

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        char **at = (char **)(void *)((char *)item + fields[i].at);

        if (*at == NULL)
            *at = lapor_value(data, lapor_or(&w->profile, "map.in", fields[i].key, fields[i].expression));
    }
    if (item->body == NULL || item->body[0] == '\0') {
        free(item->body);
        item->body = details_text(data);
    }
    s = lapor_plain(item->body, values);
    free(item->body);
    item->body = s;
    item->files = json_incref(
        (json_t *)(uintptr_t)lapor_node(data, lapor_or(&w->profile, "map.in", "files", "/attachments")));
    json_decref(values);
}

static char *dump(const json_t *json) {
    char *s = json_dumps(json, JSON_COMPACT);

    return s != NULL ? s : xstrdup("{\"lapor\":\"item\"}"); /* nested too deep */
}

/* A follow-up has a report's id and its own, and no title. */
static bool is_followup(const json_t *data) {
    return json_object_get(data, "complaint_id") != NULL && json_object_get(data, "id") != NULL &&
           json_object_get(data, "title") == NULL;
}

static bool is_ours(struct lapor_walk *w, const struct lapor_item *item) {
    const char *own = lapor_or(&w->profile, "profile", "institution",
                               lapor_or(&w->profile, "map.reply", "institution_from_id", ""));

    return own[0] != '\0' && item->from != NULL && strcmp(item->from, own) == 0;
}

/* {"lapor": KIND, "data": {…}}: what a record keeps as its bytes, and what gives it again. */
static void one_wrapped(struct lapor_walk *w, const json_t *whole) {
    const char *kind = js_str(whole, "lapor");
    const json_t *data = json_object_get(whole, "data");
    struct lapor_item item = { 0 };
    char *slice = dump(whole);
    bool followup = strcmp(kind, "followup") == 0 || (strcmp(kind, "item") == 0 && is_followup(data));

    if (!json_is_object(data)) {
        lapor_unparsed(w, slice, strlen(slice),
                       "Bukan laporan (bukan objek JSON) / not a report (no JSON object)");
        free(slice);
        return;
    }
    item.id = js_id(whole, "id");
    if (followup)
        item.item = lapor_value(data, lapor_or(&w->profile, "map.in", "item_id", "/id"));
    read_fields(w, data, &item);
    item.own = followup && is_ours(w, &item);
    if (strcmp(kind, "status") == 0) {
        free(item.item);
        item.item = xasprintf("status:%lld:%s", (long long)json_integer_value(json_object_get(whole, "change")),
                              item.status != NULL ? item.status : "");
        free(item.body);
        item.body = NULL;
    }
    if (item.id == NULL || (followup && item.item == NULL))
        lapor_unparsed(w, slice, strlen(slice), "Tanpa nomor laporan (tracking id) / there is no tracking id");
    else
        lapor_emit(w, &item, slice, strlen(slice));
    lapor_item_clear(&item);
    free(slice);
}

/* An element of an import; one that pull() made, or that was a record's own bytes, says what it is. */
static void one_item(struct lapor_walk *w, const json_t *item) {
    const char *kind = js_str(item, "lapor");
    json_t *whole;

    if (kind != NULL && strcmp(kind, "row") == 0) {
        lapor_row(w, json_object_get(item, "head"), json_object_get(item, "row"));
    } else if (kind != NULL && strcmp(kind, "unparsed") == 0 && lapor_unparsed_again(w, item) == 0) {
        return;
    } else if (kind != NULL) {
        one_wrapped(w, item);
    } else {
        whole = json_pack("{s:s, s:O}", "lapor", "item", "data", item);
        one_wrapped(w, whole);
        json_decref(whole);
    }
}

static void set_field(struct lapor_item *item, const char *name, const char *value) {
    char *s = text_clean(value, strlen(value));
    size_t lead = strspn(s, " \t\n"), n = strlen(s);

    while (n > lead && strchr(" \t\n", s[n - 1]) != NULL)
        n--;
    lapor_set(item, name, strlen(name), xstrndup(s + lead, n - lead));
    free(s);
}

void lapor_row(struct lapor_walk *w, const json_t *head, const json_t *row) {
    json_t *whole = json_pack("{s:s, s:O?, s:O?}", "lapor", "row", "head", head, "row", row);
    char *slice = dump(whole);
    struct lapor_item item = { 0 };
    size_t i;

    for (i = 0; i < json_array_size(row) && i < json_array_size(head); i++) {
        const char *name = json_string_value(json_array_get(head, i)),
                   *value = json_string_value(json_array_get(row, i));

        if (name != NULL && value != NULL)
            set_field(&item, name, value);
    }
    if (json_array_size(row) > json_array_size(head))
        lapor_unparsed(
            w, slice, strlen(slice),
            "Baris ini mempunyai lebih banyak kolom daripada kepala tabel / this row has more columns "
            "than the head");
    else if (item.id == NULL)
        lapor_unparsed(w, slice, strlen(slice),
                       "Baris ini tanpa nomor laporan (tracking id) / this row has no tracking id");
    else
        lapor_emit(w, &item, slice, strlen(slice));
    lapor_item_clear(&item);
    free(slice);
    json_decref(whole);
}

int lapor_json(struct lapor_walk *w, const json_t *json) {
    const json_t *data = lapor_node(json, lapor_or(&w->profile, "cap.detail", "root", "/results/data")), *one;
    size_t i;

    if (js_str(json, "lapor") != NULL) {
        one_item(w, json);
        return 0;
    }
    if (data == NULL)
        data = json;
    if (json_is_object(data) && json_is_array(json_object_get(data, "data")))
        data = json_object_get(data, "data");
    if (json_is_object(data) && json_object_get(data, "message") != NULL && json_object_size(data) <= 3 &&
        json_object_get(data, "id") == NULL && json_object_get(data, "complaint_id") == NULL)
        return -1; /* an error of LAPOR's, no report */
    if (!json_is_array(data)) {
        one_item(w, data);
        return 0;
    }
    json_array_foreach(data, i, one) {
        if (w->r >= 0)
            one_item(w, one);
    }
    return 0;
}
