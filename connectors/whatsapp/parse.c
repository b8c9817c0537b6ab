/*
 * parse.c: a webhook body to records, one for each element, whatever stands beside it.
 *
 * entry[] × changes[] × (messages | statuses | errors | message_echoes | history) (section 2). What
 * is not understood becomes a record of its own, too. A body of several elements gives each record
 * its own raw: an envelope with only this element, which parses to the same record again.
 *
 * Names of one body are cleaned once, ids have limits: the cost of a body stays linear in its size,
 * although every slice repeats part of the envelope.
 */
#include "whatsapp/whatsapp.h"

#include "kit/json.h"
#include "kit/sign.h"
#include "kit/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ELEMENTS_MAX = 20000, /* documented: 1000 a body */
    ID_MAX = 256,         /* of what slices repeat: entry id, field, number, user ids */
    NAME_MAX_BYTES = 200,
};

#define OBJECT     "whatsapp_business_account"
#define NOTE_SHAPE "Bagian ini tidak dapat dibaca / this part could not be read"

/* Where the walk stands. */
struct walk {
    struct aduan_sink *sink;
    bool slices; /* more than one element: each record gets its own raw */
    int r;       /* the sink's first failure ends it */
    char *entry; /* id */
    int64_t entry_time;
    char *field;
    char *number_id, *number;
    json_t *people; /* wa_id or user_id -> cleaned contact; borrowed by slices */
    json_t *only;   /* the contact, if there is just one */
    bool history;
};

/* An element and how its slice is to be wrapped. */
struct element {
    const char *list; /* "messages", … */
    const json_t *json;
    const char *thread;   /* of history, else NULL */
    const json_t *person; /* cleaned contact, or NULL */
};

/* ----------------------------------------------------------------------- slices */

static char *short_id(const json_t *object, const char *path) {
    char *id = js_id(object, path);

    if (id != NULL && strlen(id) <= ID_MAX)
        return id;
    free(id);
    return NULL;
}

static void set_string(json_t *object, const char *key, const char *s) {
    if (s != NULL)
        json_object_set_new_nocheck(object, key, json_string(s));
}

static json_t *list_of(json_t *item) {
    json_t *list = json_array();

    json_array_append_new(list, item);
    return list;
}

static json_t *share(const json_t *json) {
    return json_incref((json_t *)(uintptr_t)json);
}

static json_t *slice_value(const struct walk *w, const struct element *e) {
    json_t *value = json_object(), *metadata = json_object(), *item = share(e->json), *thread;

    set_string(value, "messaging_product", "whatsapp");
    set_string(metadata, "display_phone_number", w->number);
    set_string(metadata, "phone_number_id", w->number_id);
    json_object_set_new(value, "metadata", metadata);
    if (e->person != NULL)
        json_object_set_new(value, "contacts", list_of(share(e->person)));
    if (e->thread != NULL) {
        thread = json_pack("{s:s, s:o}", "id", e->thread, "messages", list_of(item));
        item = json_pack("{s:o}", "threads", list_of(thread));
    }
    json_object_set_new(value, e->list, list_of(item));
    return value;
}

static json_t *slice_envelope(const struct walk *w, json_t *change) {
    json_t *entry = json_object();

    set_string(entry, "id", w->entry);
    if (w->entry_time != 0)
        json_object_set_new(entry, "time", json_integer(w->entry_time));
    json_object_set_new(entry, "changes", list_of(change));
    return json_pack("{s:s, s:o}", "object", OBJECT, "entry", list_of(entry));
}

static void set_raw(struct aduan_message *m, json_t *envelope) {
    m->raw = (unsigned char *)json_dumps(envelope, JSON_COMPACT | JSON_ENSURE_ASCII);
    m->raw_len = m->raw != NULL ? strlen((char *)m->raw) : 0;
    json_decref(envelope);
}

static char *digest_id(const char *what, int64_t time, const json_t *json) {
    char *dump = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    char *whole = xasprintf("%s %lld %s", what, (long long)time, dump != NULL ? dump : ""), *id;
    char hex[SIGN_HEX256];

    sign_sha256_hex(whole, strlen(whole), hex);
    id = xasprintf("sha256-%s", hex);
    free(whole);
    free(dump);
    return id;
}

/* ------------------------------------------------------------------------- emit */

static void emit(struct walk *w, struct aduan_message *m) {
    if (m->text == NULL)
        m->text = xstrdup("");
    if (w->r == 0)
        w->r = w->sink->record(w->sink, m);
    aduan_message_clear(m);
}

static void emit_element(struct walk *w, const struct element *e, struct aduan_message *m) {
    json_t *change;

    m->to = xstrdup(w->number_id);
    if (m->platform_id == NULL)
        m->platform_id = digest_id(e->list, w->entry_time, e->json);
    if (m->conversation == NULL && m->kind == ADUAN_KIND_MESSAGE)
        m->conversation = xstrdup(m->platform_id);
    if (w->history)
        m->flags |= ADUAN_MESSAGE_HISTORY;
    if (w->slices) {
        change = json_object();
        set_string(change, "field", w->field);
        json_object_set_new(change, "value", slice_value(w, e));
        set_raw(m, slice_envelope(w, change));
    }
    emit(w, m);
}

/* A change, or an entry, that is not of any shape we know. */
static void emit_shapeless(struct walk *w, const json_t *json, json_t *envelope) {
    struct aduan_message m = { .kind = ADUAN_KIND_UNPARSED };

    m.platform_id = digest_id("shape", w->entry_time, json);
    m.note = xstrdup(NOTE_SHAPE);
    if (w->slices)
        set_raw(&m, envelope);
    else
        json_decref(envelope);
    emit(w, &m);
}

/* ----------------------------------------------------------------------- people */

/* Only what we use, cleaned, with limits: it is repeated in every slice. */
static json_t *clean_contact(const json_t *contact) {
    json_t *person = json_object(), *profile = json_object();
    char *name = js_line(contact, "profile.name", NAME_MAX_BYTES);
    char *username = js_line(contact, "profile.username", NAME_MAX_BYTES);
    char *wa_id = short_id(contact, "wa_id"), *user_id = short_id(contact, "user_id");

    set_string(profile, "name", name);
    set_string(profile, "username", username);
    json_object_set_new(person, "profile", profile);
    set_string(person, "wa_id", wa_id);
    set_string(person, "user_id", user_id);
    free(name);
    free(username);
    free(wa_id);
    free(user_id);
    return person;
}

static void index_people(struct walk *w, const json_t *value) {
    const json_t *contact, *contacts = js_get(value, "contacts");
    const char *key;
    json_t *person;
    size_t i;

    json_decref(w->people);
    w->people = json_object();
    w->only = NULL;
    json_array_foreach(contacts, i, contact) {
        person = clean_contact(contact);
        if ((key = js_str(person, "wa_id")) != NULL)
            json_object_set(w->people, key, person);
        if ((key = js_str(person, "user_id")) != NULL)
            json_object_set(w->people, key, person);
        if (json_array_size(contacts) == 1) {
            json_object_set(w->people, "", person); /* no id is empty: keeps it alive */
            w->only = person;
        }
        json_decref(person);
    }
}

static const json_t *find_person(const struct walk *w, const char *user_id, const char *phone) {
    const json_t *person = user_id != NULL ? json_object_get(w->people, user_id) : NULL;

    if (person == NULL && phone != NULL)
        person = json_object_get(w->people, phone);
    return person != NULL ? person : w->only;
}

char *whatsapp_phone(const char *digits) {
    size_t n;

    if (digits == NULL)
        return NULL;
    if (*digits == '+')
        digits++;
    n = strlen(digits);
    return n >= 5 && n <= 20 && strspn(digits, "0123456789") == n ? xasprintf("+%s", digits) : NULL;
}

void whatsapp_extra(struct aduan_message *m, const char *key, json_t *value) {
    if (m->extra == NULL)
        m->extra = json_object();
    json_object_set_new_nocheck(m->extra, key, value);
}

static void extra_string(struct aduan_message *m, const char *key, const char *s) {
    if (s != NULL)
        whatsapp_extra(m, key, json_string(s));
}

/* Who it is about. The user id is the key where there is one: the phone can be missing and can change
 * hands (section 3). Both are kept, so that the desk can join what came under either; a phone number is
 * never given as an id, or the id that comes with it later would be somebody else's. */
static void set_person(struct walk *w, struct element *e, struct aduan_message *m, const char *user_path,
                       const char *phone_path) {
    char *user_id = short_id(e->json, user_path), *wa_id = short_id(e->json, phone_path);

    e->person = find_person(w, user_id, wa_id);
    if (user_id == NULL)
        user_id = short_id(e->person, "user_id");
    if (wa_id == NULL)
        wa_id = short_id(e->person, "wa_id");
    m->sender.name = js_line(e->person, "profile.name", NAME_MAX_BYTES);
    m->sender.handle = js_line(e->person, "profile.username", NAME_MAX_BYTES);
    m->sender.phone = whatsapp_phone(wa_id);
    m->sender.id = xstrdup(user_id != NULL ? user_id : m->sender.phone != NULL ? NULL : wa_id);
    m->conversation = user_id != NULL           ? xstrdup(user_id)
                      : m->sender.phone != NULL ? xstrdup(m->sender.phone)
                                                : xstrdup(wa_id);
    extra_string(m, "user_id", user_id);
    extra_string(m, "wa_id", wa_id);
    free(user_id);
    free(wa_id);
}

/* --------------------------------------------------------------------- elements */

static void set_group(struct aduan_message *m, const json_t *element) {
    char *group = short_id(element, "group_id");

    if (group == NULL)
        return;
    free(m->conversation);
    m->conversation = xasprintf("group:%s", group);
    extra_string(m, "group_id", group);
    free(group);
}

static void read_message(struct walk *w, struct element *e) {
    struct aduan_message m = { .kind = ADUAN_KIND_MESSAGE };

    m.platform_id = js_id(e->json, "id");
    m.sent_at = meta_time(e->json, "timestamp");
    set_person(w, e, &m, "from_user_id", "from");
    set_group(&m, e->json);
    whatsapp_content(&m, e->json, w->number_id);
    emit_element(w, e, &m);
}

/* Typed in the phone app: the conversation is with whom it went to. */
static void read_echo(struct walk *w, struct element *e) {
    struct aduan_message m = { .kind = ADUAN_KIND_ECHO };

    m.platform_id = js_id(e->json, "id");
    m.sent_at = meta_time(e->json, "timestamp");
    set_person(w, e, &m, "to_user_id", "to");
    if (m.conversation == NULL && e->thread != NULL) {
        m.sender.phone = whatsapp_phone(e->thread);
        m.conversation = m.sender.phone != NULL ? xstrdup(m.sender.phone) : xstrdup(e->thread);
    }
    set_group(&m, e->json);
    whatsapp_content(&m, e->json, w->number_id);
    m.kind = ADUAN_KIND_ECHO;
    emit_element(w, e, &m);
}

static void read_status(struct walk *w, struct element *e) {
    struct aduan_message m = { .kind = ADUAN_KIND_STATUS };

    set_person(w, e, &m, "recipient_user_id", "recipient_id");
    whatsapp_status(&m, e->json);
    emit_element(w, e, &m);
}

static void read_error(struct walk *w, struct element *e) {
    struct aduan_message m = { .kind = ADUAN_KIND_SYSTEM };

    whatsapp_error(&m, e->json);
    emit_element(w, e, &m);
}

static void read_element(struct walk *w, struct element *e, void (*read)(struct walk *, struct element *)) {
    struct aduan_message m = { .kind = ADUAN_KIND_UNPARSED };

    if (json_is_object(e->json)) {
        read(w, e);
        return;
    }
    m.note = xstrdup(NOTE_SHAPE);
    emit_element(w, e, &m);
}

static bool is_ours(const struct walk *w, const json_t *element) {
    const char *from = js_str(element, "from");

    return from != NULL && w->number != NULL &&
           text_equal(from + (*from == '+'), w->number + (*w->number == '+'));
}

/* history[] × threads[] × messages[]: old chats, either side's. */
static void read_thread(struct walk *w, const json_t *thread) {
    struct element e = { .list = "history" };
    char *id = short_id(thread, "id");
    const json_t *message;
    size_t i;

    e.thread = id != NULL ? id : "";
    json_array_foreach(js_get(thread, "messages"), i, message) {
        e.json = message;
        e.person = NULL;
        read_element(w, &e, is_ours(w, message) ? read_echo : read_message);
    }
    free(id);
}

static void read_history(struct walk *w, const json_t *chunks) {
    const json_t *chunk, *thread, *error;
    struct element e = { .list = "errors" };
    size_t i, j;

    json_array_foreach(chunks, i, chunk) {
        json_array_foreach(js_get(chunk, "threads"), j, thread) read_thread(w, thread);
        json_array_foreach(js_get(chunk, "errors"), j, error) {
            e.json = error;
            read_element(w, &e, read_error);
        }
    }
}

/* ------------------------------------------------------------------------- walk */

static const struct {
    const char *name;
    void (*read)(struct walk *w, struct element *e);
} lists[] = {
    { "messages", read_message },
    { "statuses", read_status },
    { "errors", read_error },
    { "message_echoes", read_echo },
};
enum { LISTS = sizeof(lists) / sizeof(lists[0]) };

static size_t count_history(const json_t *chunks) {
    const json_t *chunk, *thread;
    size_t i, j, n = 0;

    json_array_foreach(chunks, i, chunk) {
        n += json_array_size(js_get(chunk, "errors"));
        json_array_foreach(js_get(chunk, "threads"), j, thread) n +=
            json_array_size(js_get(thread, "messages"));
    }
    return n;
}

/* How many records a value gives by its lists; 0: none of them is there. */
static size_t count_value(const json_t *value) {
    size_t i, n = count_history(js_get(value, "history"));

    for (i = 0; i < LISTS; i++)
        n += json_array_size(js_get(value, lists[i].name));
    return n;
}

static size_t count_all(const json_t *entries) {
    const json_t *entry, *change;
    size_t i, j, n = 0, in_value;

    json_array_foreach(entries, i, entry) {
        if (!json_is_array(js_get(entry, "changes")))
            n++;
        json_array_foreach(js_get(entry, "changes"), j, change) {
            in_value = count_value(js_get(change, "value"));
            n += in_value > 0 ? in_value : 1;
        }
    }
    return n;
}

/* A field of another kind: template approvals, quality, account alerts. */
static void read_notice(struct walk *w, const json_t *change) {
    struct aduan_message m = { .kind = ADUAN_KIND_SYSTEM };

    m.platform_id = digest_id(w->field, w->entry_time, js_get(change, "value"));
    m.to = xstrdup(w->number_id);
    whatsapp_notice(&m, w->field, js_get(change, "value"));
    if (w->slices)
        set_raw(&m, slice_envelope(w, share(change)));
    emit(w, &m);
}

static void read_lists(struct walk *w, const json_t *value) {
    const json_t *item;
    struct element e;
    size_t i, j;

    index_people(w, value);
    for (i = 0; i < LISTS; i++) {
        json_array_foreach(js_get(value, lists[i].name), j, item) {
            e = (struct element){ .list = lists[i].name, .json = item };
            read_element(w, &e, lists[i].read);
        }
    }
    read_history(w, js_get(value, "history"));
}

static void read_change(struct walk *w, const json_t *change) {
    const json_t *value = js_get(change, "value");

    free(w->field);
    free(w->number_id);
    free(w->number);
    w->field = short_id(change, "field");
    w->number_id = short_id(value, "metadata.phone_number_id");
    w->number = short_id(value, "metadata.display_phone_number");
    w->history = text_equal(w->field, "history");
    if (count_value(value) > 0)
        read_lists(w, value);
    else if (json_is_object(value) && w->field != NULL)
        read_notice(w, change);
    else
        emit_shapeless(w, change, slice_envelope(w, share(change)));
}

static void read_entry(struct walk *w, const json_t *entry) {
    const json_t *change, *changes = js_get(entry, "changes");
    size_t i;

    free(w->entry);
    w->entry = short_id(entry, "id");
    w->entry_time = js_int(entry, "time", 0);
    if (!json_is_array(changes))
        emit_shapeless(w, entry, json_pack("{s:s, s:o}", "object", OBJECT, "entry", list_of(share(entry))));
    json_array_foreach(changes, i, change) {
        if (w->r == 0)
            read_change(w, change);
    }
}

int whatsapp_parse(const void *settings, const struct aduan_bytes *in, struct aduan_sink *sink) {
    struct walk w = { .sink = sink };
    json_t *root = in->len > 0 ? js_load(in->bytes, in->len) : NULL;
    const json_t *entry, *entries = js_get(root, "entry");
    size_t i, count;

    (void)settings;
    count = count_all(entries);
    w.slices = count > 1;
    if (!json_is_array(entries) || !text_equal(js_str(root, "object"), OBJECT) || count > ELEMENTS_MAX)
        w.r = -EINVAL;
    json_array_foreach(entries, i, entry) {
        if (w.r == 0)
            read_entry(&w, entry);
    }
    json_decref(w.people);
    free(w.entry);
    free(w.field);
    free(w.number_id);
    free(w.number);
    json_decref(root);
    return w.r;
}
