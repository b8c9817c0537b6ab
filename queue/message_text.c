/*
 * message_text.c: the message record as JSON text, without a tree in between.
 *
 * Every message passes here on its way in, and building a tree only to print it
 * was the gateway's largest cost. The result is byte for byte what
 * aduan_message_to_json() printed compactly is; a test holds the two together.
 */
#include "message.h"

#include "kit/text.h"

#include <stdlib.h>
#include <string.h>

/* An object's or array's text while it grows: a comma stands before all but the first. */
static void begin(struct text *t, const char *key) {
    char last = t->s[t->len - 1];

    if (last != '{' && last != '[')
        text_add_n(t, ",", 1);
    if (key != NULL) {
        text_add_n(t, "\"", 1);
        text_add(t, key);
        text_add_n(t, "\":", 2);
    }
}

static void add_escape(struct text *t, unsigned char c) {
    static const char plain[] = "\"\\\b\f\n\r\t", short_for[] = "\"\\bfnrt";
    const char *at = strchr(plain, c);
    char escape[2] = { '\\', 0 };

    if (at == NULL) {
        text_addf(t, "\\u%04X", c);
        return;
    }
    escape[1] = short_for[at - plain];
    text_add_n(t, escape, 2);
}

static void add_quoted(struct text *t, const char *s, size_t n) {
    size_t i, from = 0;

    text_add_n(t, "\"", 1);
    for (i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        text_add_n(t, s + from, i - from);
        add_escape(t, c);
        from = i + 1;
    }
    text_add_n(t, s + from, n - from);
    text_add_n(t, "\"", 1);
}

static void add_string(struct text *t, const char *key, const char *s) {
    size_t n;
    char *clean;

    if (s == NULL)
        return;
    n = strlen(s);
    begin(t, key);
    if (text_is_utf8(s, n)) {
        add_quoted(t, s, n);
        return;
    }
    clean = text_clean(s, n);
    add_quoted(t, clean, strlen(clean));
    free(clean);
}

/* printf costs more than the rest of a record's numbers together. */
static void add_int(struct text *t, const char *key, int64_t value) {
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char digits[24], *p = digits + sizeof(digits);

    do
        *--p = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (value < 0)
        *--p = '-';
    begin(t, key);
    text_add_n(t, p, (size_t)(digits + sizeof(digits) - p));
}

static void add_word(struct text *t, const char *key, const char *word) {
    begin(t, key);
    text_add(t, word);
}

static void add_person(struct text *t, const struct aduan_person *p) {
    add_word(t, "sender", "{");
    add_string(t, "id", p->id);
    add_string(t, "name", p->name);
    add_string(t, "handle", p->handle);
    add_string(t, "address", p->address);
    add_string(t, "phone", p->phone);
    text_add_n(t, "}", 1);
}

static void add_references(struct text *t, const struct aduan_message *m) {
    size_t i;

    if (m->reference_count == 0)
        return;
    add_word(t, "references", "[");
    for (i = 0; i < m->reference_count; i++)
        add_string(t, NULL, m->references[i]);
    text_add_n(t, "]", 1);
}

static void add_attachments(struct text *t, const struct aduan_message *m) {
    static const char *const states[] = { NULL, "stored", "pending", "failed" };
    size_t i;

    if (m->attachment_count == 0)
        return;
    add_word(t, "attachments", "[");
    for (i = 0; i < m->attachment_count; i++) {
        const struct aduan_attachment *a = &m->attachments[i];

        add_word(t, NULL, "{");
        add_string(t, "name", a->name);
        add_string(t, "type", a->type);
        add_string(t, "sha256", a->sha256);
        add_string(t, "source", a->source);
        add_string(t, "note", a->note);
        add_int(t, "size", a->size);
        add_string(t, "state", states[a->state]);
        if (a->is_text)
            add_word(t, "is_text", "true");
        text_add_n(t, "}", 1);
    }
    text_add_n(t, "]", 1);
}

static void add_status(struct text *t, const struct aduan_message *m) {
    if (m->kind != ADUAN_KIND_STATUS && m->status.state == NULL)
        return;
    add_word(t, "status", "{");
    add_string(t, "state", m->status.state);
    add_string(t, "platform_id", m->status.platform_id);
    add_string(t, "answer", m->status.answer);
    add_string(t, "reason", m->status.reason);
    if (m->status.window_closed)
        add_word(t, "window_closed", "true");
    text_add_n(t, "}", 1);
}

/* Nearly always a few clean strings, which we print ourselves at a fraction of json_dumps' cost. */
static bool all_strings(const json_t *object) {
    const char *key;
    const json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        if (!json_is_string(value) || !text_is_utf8(key, strlen(key)) ||
            !text_is_utf8(json_string_value(value), json_string_length(value)))
            return false;
    }
    return json_object_size(object) > 0;
}

static void add_strings(struct text *t, const json_t *object) {
    const char *key;
    const json_t *value;

    text_add_n(t, "{", 1);
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        begin(t, NULL);
        add_quoted(t, key, strlen(key));
        text_add_n(t, ":", 1);
        add_quoted(t, json_string_value(value), json_string_length(value));
    }
    text_add_n(t, "}", 1);
}

static void add_extra(struct text *t, const json_t *extra) {
    char *printed;

    if (all_strings(extra)) {
        begin(t, "extra");
        add_strings(t, extra);
        return;
    }
    printed = extra != NULL ? json_dumps(extra, JSON_COMPACT) : NULL;
    if (printed != NULL)
        add_word(t, "extra", printed);
    free(printed);
}

char *aduan_message_to_text(const struct aduan_message *m, size_t *ret_len) {
    const struct {
        const char *key, *value;
    } strings[] = {
        { "id", m->id },
        { "account", m->account },
        { "channel", m->channel },
        { "platform_id", m->platform_id },
        { "to", m->to },
        { "conversation", m->conversation },
        { "subject", m->subject },
        { "text", m->text },
        { "quoted", m->quoted },
        { "language", m->language },
        { "message_id", m->message_id },
        { "reply_to", m->reply_to },
        { "note", m->note },
        { "raw_sha256", m->raw_sha256 },
        { "kind", aduan_kind_name(m->kind) },
    };
    struct text t = TEXT_INIT;
    size_t i;

    text_add_n(&t, "{", 1);
    for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
        add_string(&t, strings[i].key, strings[i].value);
    add_person(&t, &m->sender);
    if (m->is_public)
        add_word(&t, "public", "true");
    add_int(&t, "sent_at", m->sent_at);
    add_int(&t, "received_at", m->received_at);
    if (m->flags != 0)
        add_int(&t, "flags", (int64_t)m->flags);
    add_references(&t, m);
    add_attachments(&t, m);
    add_status(&t, m);
    add_extra(&t, m->extra);
    text_add_n(&t, "}", 1);
    *ret_len = t.len;
    return text_steal(&t);
}
