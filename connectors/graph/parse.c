/*
 * parse.c: a webhook body of Instagram or a page to records, one for each element, whatever stands beside it.
 *
 * Three shapes (instagram.md 2.1): entry[].messaging[] and standby[]; entry[].changes[]; entry[] with flat
 * field and value; and any of them inside an array. What is not understood becomes a record of its own, too. A
 * body of several elements gives each record its own raw: an envelope with only this element, which parses to
 * the same record again.
 */
#include "graph/read.h"

#include "kit/json.h"
#include "kit/sign.h"
#include "kit/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    ELEMENTS_MAX = 20000, /* documented: 1000 a body */
    ID_MAX = 256,         /* of what slices repeat */
};

#define NOTE_SHAPE "Bagian ini tidak dapat dibaca / this part could not be read"

struct walk {
    const struct graph_reader *reader;
    struct aduan_sink *sink;
    bool slices; /* more than one element: each record gets its own raw */
    int r;       /* the sink's first failure ends it */
    char *entry; /* id */
    const json_t *time;
    int64_t at;
};

static const char *const lists[] = { "messaging", "standby" };
enum { LISTS = sizeof(lists) / sizeof(lists[0]) };

/* ----------------------------------------------------------------------- slices */

static json_t *share(const json_t *json) {
    return json_incref((json_t *)(uintptr_t)json);
}

static json_t *list_of(json_t *item) {
    json_t *list = json_array();

    json_array_append_new(list, item);
    return list;
}

static json_t *new_entry(const struct walk *w) {
    json_t *entry = json_object();

    if (w->entry != NULL)
        json_object_set_new_nocheck(entry, "id", json_string(w->entry));
    if (w->time != NULL)
        json_object_set_new_nocheck(entry, "time", share(w->time));
    return entry;
}

/* Takes the entry. */
static void set_raw(const struct walk *w, struct aduan_message *m, json_t *entry) {
    json_t *envelope = json_pack("{s:s, s:o}", "object", w->reader->object, "entry", list_of(entry));

    m->raw = (unsigned char *)json_dumps(envelope, JSON_COMPACT | JSON_ENSURE_ASCII);
    m->raw_len = m->raw != NULL ? strlen((char *)m->raw) : 0;
    json_decref(envelope);
}

static char *digest_id(const struct walk *w, const char *what, const json_t *json) {
    char *dump = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    char *whole = xasprintf("%s %lld %s", what, (long long)w->at, dump != NULL ? dump : ""), *id;
    char hex[SIGN_HEX256];

    sign_sha256_hex(whole, strlen(whole), hex);
    id = xasprintf("sha256-%s", hex);
    free(whole);
    free(dump);
    return id;
}

/* ------------------------------------------------------------------------- emit */

/* entry: the slice's, taken; only kept where the body has several elements. */
static void emit(struct walk *w, const char *what, const json_t *json, struct aduan_message *m, json_t *entry) {
    if (m->platform_id == NULL || m->platform_id[0] == '\0') {
        free(m->platform_id);
        m->platform_id = digest_id(w, what, json);
    }
    if (m->conversation == NULL && m->kind == ADUAN_KIND_MESSAGE)
        m->conversation = xstrdup(m->platform_id);
    if (m->note == NULL && m->kind == ADUAN_KIND_UNPARSED)
        m->note = xstrdup(NOTE_SHAPE);
    if (m->text == NULL)
        m->text = xstrdup("");
    if (m->to == NULL)
        m->to = xstrdup(w->entry);
    if (w->slices)
        set_raw(w, m, entry);
    else
        json_decref(entry);
    if (w->r == 0)
        w->r = w->sink->record(w->sink, m);
    aduan_message_clear(m);
}

static json_t *entry_with(const struct walk *w, const char *list, json_t *item) {
    json_t *entry = new_entry(w);

    json_object_set_new(entry, list, list_of(item));
    return entry;
}

static void emit_shapeless(struct walk *w, const json_t *json, json_t *entry) {
    struct aduan_message m = { .kind = ADUAN_KIND_UNPARSED };

    emit(w, "shape", json, &m, entry);
}

static void emit_event(struct walk *w, const char *list, const json_t *element, json_t *entry) {
    struct aduan_message m = { .kind = ADUAN_KIND_UNPARSED };

    if (json_is_object(element))
        graph_event(&m, element, w->entry, w->reader->channel);
    if (strcmp(list, "standby") == 0)
        graph_extra(&m, "standby", json_true());
    if (m.sent_at == 0)
        m.sent_at = w->at;
    emit(w, list, element, &m, entry);
}

/* ------------------------------------------------------------------- deliveries */

static size_t mid_count(const json_t *element) {
    return json_array_size(js_get(element, "delivery.mids"));
}

/* Several answers delivered at once: one record for each. */
static void read_deliveries(struct walk *w, const char *list, const json_t *element) {
    const json_t *mid;
    json_t *one, *delivery;
    size_t i;

    json_array_foreach(js_get(element, "delivery.mids"), i, mid) {
        one = json_copy((json_t *)(uintptr_t)element);
        delivery = json_copy((json_t *)(uintptr_t)js_get(element, "delivery"));
        json_object_set_new(delivery, "mids", list_of(share(mid)));
        json_object_set_new(one, "delivery", delivery);
        emit_event(w, list, one, entry_with(w, list, share(one)));
        json_decref(one);
    }
}

static void read_list(struct walk *w, const char *list, const json_t *elements) {
    const json_t *element;
    size_t i;

    json_array_foreach(elements, i, element) {
        if (w->r != 0)
            return;
        if (mid_count(element) > 1)
            read_deliveries(w, list, element);
        else
            emit_event(w, list, element, entry_with(w, list, share(element)));
    }
}

/* ---------------------------------------------------------------------- changes */

static void unknown_field(struct walk *w, struct aduan_message *m, const char *field) {
    aduan_message_clear(m);
    m->kind = ADUAN_KIND_SYSTEM;
    m->sent_at = w->at;
    m->flags |= ADUAN_MESSAGE_AUTOMATIC;
    m->note = xasprintf("Pemberitahuan %s yang tidak dipakai Aduan: %s / a notice not used: %s",
                        w->reader->channel, field, field);
}

/* change has field and value, in changes[] or in the entry itself. */
static void read_change(struct walk *w, const json_t *change, json_t *entry) {
    struct aduan_message m = { .kind = ADUAN_KIND_UNPARSED };
    const json_t *value = js_get(change, "value");
    char *field = js_line(change, "field", ID_MAX);

    if (field == NULL || !json_is_object(value)) {
        emit_shapeless(w, change, entry);
    } else if (json_is_object(js_get(value, "sender")) || json_is_object(js_get(value, "recipient"))) {
        graph_event(&m, value, w->entry, w->reader->channel); /* as the dashboard's test does it */
        emit(w, field, value, &m, entry);
    } else {
        m.to = xstrdup(w->entry);
        m.sent_at = w->at;
        if (!w->reader->change(&m, field, value, w->entry != NULL ? w->entry : "", w->at))
            unknown_field(w, &m, field);
        emit(w, field, value, &m, entry);
    }
    free(field);
}

/* ------------------------------------------------------------------------- walk */

static void open_entry(struct walk *w, const json_t *entry) {
    free(w->entry);
    w->entry = js_id(entry, "id");
    if (w->entry != NULL && strlen(w->entry) > ID_MAX) {
        free(w->entry);
        w->entry = NULL;
    }
    w->at = meta_time(entry, "time");
    w->time = w->at != 0 ? js_get(entry, "time") : NULL;
}

static bool is_flat(const json_t *entry) {
    return js_str(entry, "field") != NULL;
}

static void read_entry(struct walk *w, const json_t *entry) {
    const json_t *change, *changes = js_get(entry, "changes");
    bool known = json_is_array(changes) || is_flat(entry);
    size_t i;

    open_entry(w, entry);
    for (i = 0; i < LISTS; i++) {
        known |= json_is_array(js_get(entry, lists[i]));
        read_list(w, lists[i], js_get(entry, lists[i]));
    }
    json_array_foreach(changes, i, change) {
        if (w->r == 0)
            read_change(w, change, entry_with(w, "changes", share(change)));
    }
    if (is_flat(entry) && w->r == 0) {
        json_t *slice = new_entry(w);

        json_object_set_new(slice, "field", share(js_get(entry, "field")));
        if (js_get(entry, "value") != NULL)
            json_object_set_new(slice, "value", share(js_get(entry, "value")));
        read_change(w, slice, share(slice));
        json_decref(slice);
    }
    if (!known && w->r == 0)
        emit_shapeless(w, entry, share(entry));
}

static size_t count_entry(const json_t *entry) {
    const json_t *element;
    size_t n = json_array_size(js_get(entry, "changes")) + is_flat(entry), i, j;
    bool known = json_is_array(js_get(entry, "changes")) || is_flat(entry);

    for (i = 0; i < LISTS; i++) {
        known |= json_is_array(js_get(entry, lists[i]));
        json_array_foreach(js_get(entry, lists[i]), j, element) n +=
            mid_count(element) > 1 ? mid_count(element) : 1;
    }
    return known ? n : 1;
}

/* How many records a body gives; -1: it is none of ours. */
static ssize_t count_body(const struct graph_reader *reader, const json_t *body) {
    const json_t *entry, *entries = js_get(body, "entry");
    size_t i, n = 0;

    if (!json_is_array(entries) || !text_equal(js_str(body, "object"), reader->object))
        return -1;
    json_array_foreach(entries, i, entry) n += count_entry(entry);
    return n <= ELEMENTS_MAX ? (ssize_t)n : -1;
}

static void read_body(struct walk *w, const json_t *body) {
    const json_t *entry;
    size_t i;

    json_array_foreach(js_get(body, "entry"), i, entry) {
        if (w->r == 0)
            read_entry(w, entry);
    }
}

int graph_parse(const struct graph_reader *reader, const struct aduan_bytes *in, struct aduan_sink *sink) {
    struct walk w = { .reader = reader, .sink = sink };
    json_t *root = in->len > 0 ? js_load(in->bytes, in->len) : NULL;
    json_t *bodies = json_is_array(root) ? json_incref(root)
                     : root != NULL      ? list_of(share(root))
                                         : json_array();
    const json_t *body;
    size_t i, count = 0;

    json_array_foreach(bodies, i, body) {
        ssize_t n = count_body(reader, body);

        if (n < 0)
            w.r = -EINVAL;
        count += n > 0 ? (size_t)n : 0;
    }
    if (json_array_size(bodies) == 0 || count > ELEMENTS_MAX)
        w.r = -EINVAL;
    w.slices = count > 1;
    json_array_foreach(bodies, i, body) {
        if (w.r == 0)
            read_body(&w, body);
    }
    free(w.entry);
    json_decref(bodies);
    json_decref(root);
    return w.r;
}
