/* message.c: the message record and the answer, to JSON and back. */
#include "message.h"

#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
    [ADUAN_KIND_MESSAGE] = "message",   [ADUAN_KIND_EDIT] = "edit",         [ADUAN_KIND_DELETE] = "delete",
    [ADUAN_KIND_REACTION] = "reaction", [ADUAN_KIND_STATUS] = "status",     [ADUAN_KIND_ECHO] = "echo",
    [ADUAN_KIND_SYSTEM] = "system",     [ADUAN_KIND_UNPARSED] = "unparsed",
};

static const char *const attachment_names[] = {
    [ADUAN_ATTACHMENT_STORED] = "stored",
    [ADUAN_ATTACHMENT_PENDING] = "pending",
    [ADUAN_ATTACHMENT_FAILED] = "failed",
};

static const char *const answer_names[] = {
    [ADUAN_ANSWER_REPLY] = "reply",
    [ADUAN_ANSWER_AUTOMATIC] = "automatic",
    [ADUAN_ANSWER_TEMPLATE] = "template",
    [ADUAN_ANSWER_NOTICE] = "notice",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Index of name in a table that starts at 1; 0: not there. */
static int find_name(const char *const *names, size_t count, const char *name) {
    size_t i;

    for (i = 1; name != NULL && i < count; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return 0;
}

const char *aduan_kind_name(enum aduan_kind kind) {
    return (size_t)kind < COUNT(kind_names) && kind_names[kind] != NULL ? kind_names[kind] : "message";
}

int aduan_kind_parse(const char *name, enum aduan_kind *ret_kind) {
    int i = find_name(kind_names, COUNT(kind_names), name);

    if (i == 0)
        return -1;
    *ret_kind = (enum aduan_kind)i;
    return 0;
}

/* ------------------------------------------------------------- strings as rows */

/* Most of a record is strings. One table per struct says where each is and what it is called, and
 * clearing, writing and reading are loops over it. */
struct field {
    const char *key;
    size_t offset;
};

#define MESSAGE_FIELD(k, m)                                                                                    \
    { k, offsetof(struct aduan_message, m) }
static const struct field message_fields[] = {
    MESSAGE_FIELD("id", id),
    MESSAGE_FIELD("account", account),
    MESSAGE_FIELD("channel", channel),
    MESSAGE_FIELD("platform_id", platform_id),
    MESSAGE_FIELD("to", to),
    MESSAGE_FIELD("conversation", conversation),
    MESSAGE_FIELD("subject", subject),
    MESSAGE_FIELD("text", text),
    MESSAGE_FIELD("quoted", quoted),
    MESSAGE_FIELD("language", language),
    MESSAGE_FIELD("message_id", message_id),
    MESSAGE_FIELD("reply_to", reply_to),
    MESSAGE_FIELD("note", note),
    MESSAGE_FIELD("raw_sha256", raw_sha256),
};

#define PERSON_FIELD(k, m)                                                                                     \
    { k, offsetof(struct aduan_person, m) }
static const struct field person_fields[] = {
    PERSON_FIELD("id", id),           PERSON_FIELD("name", name),   PERSON_FIELD("handle", handle),
    PERSON_FIELD("address", address), PERSON_FIELD("phone", phone),
};

#define ATTACHMENT_FIELD(k, m)                                                                                 \
    { k, offsetof(struct aduan_attachment, m) }
static const struct field attachment_fields[] = {
    ATTACHMENT_FIELD("name", name),     ATTACHMENT_FIELD("type", type), ATTACHMENT_FIELD("sha256", sha256),
    ATTACHMENT_FIELD("source", source), ATTACHMENT_FIELD("note", note),
};

#define STATUS_FIELD(k, m)                                                                                     \
    { k, offsetof(struct aduan_status, m) }
static const struct field status_fields[] = {
    STATUS_FIELD("state", state),
    STATUS_FIELD("platform_id", platform_id),
    STATUS_FIELD("answer", answer),
    STATUS_FIELD("reason", reason),
};

#define ANSWER_FIELD(k, m)                                                                                     \
    { k, offsetof(struct aduan_answer, m) }
static const struct field answer_fields[] = {
    ANSWER_FIELD("id", id),
    ANSWER_FIELD("account", account),
    ANSWER_FIELD("number", number),
    ANSWER_FIELD("conversation", conversation),
    ANSWER_FIELD("subject", subject),
    ANSWER_FIELD("text", text),
    ANSWER_FIELD("language", language),
    ANSWER_FIELD("reply_to", reply_to),
    ANSWER_FIELD("token", token),
};

static char **field_at(const void *base, const struct field *f) {
    return (char **)((char *)(uintptr_t)base + f->offset);
}

static void fields_clear(const struct field *fields, size_t count, void *base) {
    size_t i;

    for (i = 0; i < count; i++) {
        free(*field_at(base, &fields[i]));
        *field_at(base, &fields[i]) = NULL;
    }
}

/* jansson refuses a string that is not UTF-8; a record must never be lost for that. */
static json_t *json_text(const char *s) {
    json_t *j = json_string(s);
    char *clean;

    if (j == NULL) {
        clean = text_clean(s, strlen(s));
        j = json_string(clean);
        free(clean);
    }
    return j;
}

static void fields_write(const struct field *fields, size_t count, const void *base, json_t *object) {
    const char *s;
    size_t i;

    for (i = 0; i < count; i++) {
        s = *field_at(base, &fields[i]);
        if (s != NULL)
            json_object_set_new_nocheck(object, fields[i].key, json_text(s));
    }
}

static int fields_read(const struct field *fields, size_t count, void *base, const json_t *object, char *why,
                       size_t why_size) {
    const json_t *j;
    size_t i;

    for (i = 0; i < count; i++) {
        j = json_object_get(object, fields[i].key);
        if (j == NULL || json_is_null(j))
            continue;
        if (!json_is_string(j)) {
            snprintf(why, why_size, "%s is not a string", fields[i].key);
            return -1;
        }
        free(*field_at(base, &fields[i]));
        *field_at(base, &fields[i]) = xstrndup(json_string_value(j), json_string_length(j));
    }
    return 0;
}

/* ------------------------------------------------------------------ small parts */

static void set_if(json_t *object, const char *key, json_t *value, bool wanted) {
    if (wanted)
        json_object_set_new_nocheck(object, key, value);
    else
        json_decref(value);
}

static int64_t get_int(const json_t *object, const char *key, int64_t otherwise) {
    const json_t *j = json_object_get(object, key);

    return json_is_integer(j) ? (int64_t)json_integer_value(j) : otherwise;
}

static json_t *person_to_json(const struct aduan_person *p) {
    json_t *object = json_object();

    fields_write(person_fields, COUNT(person_fields), p, object);
    return object;
}

static json_t *references_to_json(char **references, size_t count) {
    json_t *array = json_array();
    size_t i;

    for (i = 0; i < count; i++)
        json_array_append_new(array, json_text(references[i]));
    return array;
}

static void references_from_json(const json_t *array, char ***ret, size_t *ret_count) {
    const json_t *j;
    size_t i;

    json_array_foreach(array, i, j) {
        if (!json_is_string(j))
            continue;
        *ret = xrealloc(*ret, *ret_count + 1, sizeof(**ret));
        (*ret)[(*ret_count)++] = xstrdup(json_string_value(j));
    }
}

static void references_clear(char ***references, size_t *count) {
    while (*count > 0)
        free((*references)[--*count]);
    free(*references);
    *references = NULL;
}

static json_t *attachments_to_json(const struct aduan_attachment *items, size_t count) {
    json_t *array = json_array(), *object;
    size_t i;

    for (i = 0; i < count; i++) {
        object = json_object();
        fields_write(attachment_fields, COUNT(attachment_fields), &items[i], object);
        json_object_set_new(object, "size", json_integer(items[i].size));
        set_if(object, "state", json_string(attachment_names[items[i].state != 0 ? items[i].state : 1]),
               items[i].state != 0);
        set_if(object, "is_text", json_true(), items[i].is_text);
        json_array_append_new(array, object);
    }
    return array;
}

static void attachment_clear(struct aduan_attachment *a) {
    fields_clear(attachment_fields, COUNT(attachment_fields), a);
    free(a->data);
    a->data = NULL;
}

static void attachments_clear(struct aduan_attachment **items, size_t *count) {
    while (*count > 0)
        attachment_clear(&(*items)[--*count]);
    free(*items);
    *items = NULL;
}

static struct aduan_attachment *attachment_add(struct aduan_attachment **items, size_t *count) {
    struct aduan_attachment *a;

    *items = xrealloc(*items, *count + 1, sizeof(**items));
    a = &(*items)[(*count)++];
    memset(a, 0, sizeof(*a));
    a->size = -1;
    return a;
}

static int attachments_from_json(const json_t *array, struct aduan_attachment **items, size_t *count, char *why,
                                 size_t why_size) {
    struct aduan_attachment *a;
    const json_t *j;
    size_t i;

    json_array_foreach(array, i, j) {
        a = attachment_add(items, count);
        if (fields_read(attachment_fields, COUNT(attachment_fields), a, j, why, why_size) < 0)
            return -1;
        a->size = get_int(j, "size", -1);
        a->state = (enum aduan_attachment_state)find_name(attachment_names, COUNT(attachment_names),
                                                          json_string_value(json_object_get(j, "state")));
        a->is_text = json_is_true(json_object_get(j, "is_text"));
        if (a->name == NULL)
            a->name = xstrdup("lampiran");
        if (a->type == NULL)
            a->type = xstrdup("application/octet-stream");
    }
    return 0;
}

/* ---------------------------------------------------------------------- message */

void aduan_message_clear(struct aduan_message *m) {
    fields_clear(message_fields, COUNT(message_fields), m);
    fields_clear(person_fields, COUNT(person_fields), &m->sender);
    fields_clear(status_fields, COUNT(status_fields), &m->status);
    references_clear(&m->references, &m->reference_count);
    attachments_clear(&m->attachments, &m->attachment_count);
    json_decref(m->extra);
    free(m->raw);
    memset(m, 0, sizeof(*m));
}

struct aduan_attachment *aduan_message_add_attachment(struct aduan_message *m) {
    return attachment_add(&m->attachments, &m->attachment_count);
}

int aduan_message_add_reference(struct aduan_message *m, const char *id) {
    m->references = xrealloc(m->references, m->reference_count + 1, sizeof(*m->references));
    m->references[m->reference_count++] = xstrdup(id);
    return 0;
}

json_t *aduan_message_to_json(const struct aduan_message *m) {
    json_t *object = json_object(), *status;

    fields_write(message_fields, COUNT(message_fields), m, object);
    json_object_set_new(object, "kind", json_string(aduan_kind_name(m->kind)));
    json_object_set_new(object, "sender", person_to_json(&m->sender));
    set_if(object, "public", json_true(), m->is_public);
    json_object_set_new(object, "sent_at", json_integer(m->sent_at));
    json_object_set_new(object, "received_at", json_integer(m->received_at));
    set_if(object, "flags", json_integer(m->flags), m->flags != 0);
    set_if(object, "references", references_to_json(m->references, m->reference_count), m->reference_count > 0);
    set_if(object, "attachments", attachments_to_json(m->attachments, m->attachment_count),
           m->attachment_count > 0);
    if (m->kind == ADUAN_KIND_STATUS || m->status.state != NULL) {
        status = json_object();
        fields_write(status_fields, COUNT(status_fields), &m->status, status);
        set_if(status, "window_closed", json_true(), m->status.window_closed);
        json_object_set_new(object, "status", status);
    }
    set_if(object, "extra", json_incref(m->extra), m->extra != NULL);
    return object;
}

int aduan_message_from_json(struct aduan_message *m, const json_t *json, char *why, size_t why_size) {
    const json_t *status = json_object_get(json, "status");

    memset(m, 0, sizeof(*m));
    if (!json_is_object(json)) {
        snprintf(why, why_size, "not an object");
        return -1;
    }
    if (aduan_kind_parse(json_string_value(json_object_get(json, "kind")), &m->kind) < 0) {
        snprintf(why, why_size, "kind is missing or unknown");
        return -1;
    }
    if (fields_read(message_fields, COUNT(message_fields), m, json, why, why_size) < 0 ||
        fields_read(person_fields, COUNT(person_fields), &m->sender, json_object_get(json, "sender"), why,
                    why_size) < 0 ||
        fields_read(status_fields, COUNT(status_fields), &m->status, status, why, why_size) < 0 ||
        attachments_from_json(json_object_get(json, "attachments"), &m->attachments, &m->attachment_count, why,
                              why_size) < 0)
        return -1;
    references_from_json(json_object_get(json, "references"), &m->references, &m->reference_count);
    m->status.window_closed = json_is_true(json_object_get(status, "window_closed"));
    m->is_public = json_is_true(json_object_get(json, "public"));
    m->sent_at = get_int(json, "sent_at", 0);
    m->received_at = get_int(json, "received_at", 0);
    m->flags = (unsigned)get_int(json, "flags", 0);
    m->extra = json_incref(json_object_get(json, "extra"));
    if (m->text == NULL)
        m->text = xstrdup("");
    return 0;
}

/* ----------------------------------------------------------------------- answer */

void aduan_answer_clear(struct aduan_answer *a) {
    fields_clear(answer_fields, COUNT(answer_fields), a);
    fields_clear(person_fields, COUNT(person_fields), &a->to);
    references_clear(&a->references, &a->reference_count);
    attachments_clear(&a->attachments, &a->attachment_count);
    memset(a, 0, sizeof(*a));
}

json_t *aduan_answer_to_json(const struct aduan_answer *a) {
    json_t *object = json_object();

    fields_write(answer_fields, COUNT(answer_fields), a, object);
    json_object_set_new(object, "kind", json_string(answer_names[a->kind != 0 ? a->kind : ADUAN_ANSWER_REPLY]));
    json_object_set_new(object, "to", person_to_json(&a->to));
    set_if(object, "public", json_true(), a->is_public);
    set_if(object, "confidential", json_true(), a->confidential);
    set_if(object, "references", references_to_json(a->references, a->reference_count), a->reference_count > 0);
    set_if(object, "attachments", attachments_to_json(a->attachments, a->attachment_count),
           a->attachment_count > 0);
    json_object_set_new(object, "queued_at", json_integer(a->queued_at));
    set_if(object, "heard_at", json_integer(a->heard_at), a->heard_at != 0);
    set_if(object, "answered_before", json_integer(a->answered_before), a->answered_before != 0);
    return object;
}

int aduan_answer_from_json(struct aduan_answer *a, const json_t *json, char *why, size_t why_size) {
    int kind = find_name(answer_names, COUNT(answer_names), json_string_value(json_object_get(json, "kind")));

    memset(a, 0, sizeof(*a));
    if (kind == 0) {
        snprintf(why, why_size, "kind is missing or unknown");
        return -1;
    }
    a->kind = (enum aduan_answer_kind)kind;
    if (fields_read(answer_fields, COUNT(answer_fields), a, json, why, why_size) < 0 ||
        fields_read(person_fields, COUNT(person_fields), &a->to, json_object_get(json, "to"), why, why_size) <
            0 ||
        attachments_from_json(json_object_get(json, "attachments"), &a->attachments, &a->attachment_count, why,
                              why_size) < 0)
        return -1;
    if (a->id == NULL || a->id[0] == '\0') {
        snprintf(why, why_size, "id is missing");
        return -1;
    }
    references_from_json(json_object_get(json, "references"), &a->references, &a->reference_count);
    a->is_public = json_is_true(json_object_get(json, "public"));
    a->confidential = json_is_true(json_object_get(json, "confidential"));
    a->queued_at = get_int(json, "queued_at", 0);
    a->heard_at = get_int(json, "heard_at", 0);
    a->answered_before = (unsigned)get_int(json, "answered_before", 0);
    return 0;
}
