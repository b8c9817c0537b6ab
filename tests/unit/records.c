/* records.c: collects what parse() hands over and checks what every record must be. */
#include "records.h"

#include "kit/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool is_clean(const char *s) {
    return s == NULL || text_is_utf8(s, strlen(s));
}

/* Everything a record says must be fit for JSON, Redis and the register. */
static const char *broken_rule(const struct aduan_message *m) {
    const char *const texts[] = { m->platform_id,
                                  m->to,
                                  m->conversation,
                                  m->sender.id,
                                  m->sender.name,
                                  m->sender.handle,
                                  m->sender.address,
                                  m->sender.phone,
                                  m->subject,
                                  m->text,
                                  m->quoted,
                                  m->language,
                                  m->message_id,
                                  m->reply_to,
                                  m->note,
                                  m->status.state,
                                  m->status.platform_id,
                                  m->status.answer,
                                  m->status.reason };
    size_t i;

    if (m->platform_id == NULL || m->platform_id[0] == '\0')
        return "no platform_id";
    if (m->text == NULL)
        return "no text";
    if (m->kind < ADUAN_KIND_MESSAGE || m->kind > ADUAN_KIND_UNPARSED)
        return "no kind";
    if (m->kind == ADUAN_KIND_UNPARSED && m->note == NULL)
        return "unparsed without a note";
    if (m->kind == ADUAN_KIND_STATUS && (m->status.state == NULL || m->status.state[0] == '\0'))
        return "status without a state";
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (!is_clean(texts[i]))
            return "a text that is not UTF-8";
    for (i = 0; i < m->attachment_count; i++) {
        const struct aduan_attachment *a = &m->attachments[i];

        if (a->name == NULL || a->type == NULL || strchr(a->name, '/') != NULL || !is_clean(a->name))
            return "an attachment without a clean name and a type";
        if (a->state == 0 && a->data == NULL)
            return "an attachment without state or bytes";
    }
    return NULL;
}

/* The record must survive the way through Redis. */
static const char *broken_in_json(const struct aduan_message *m) {
    json_t *json = aduan_message_to_json(m), *back = NULL;
    char *dump = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    const char *bad = NULL;

    if (dump != NULL)
        back = json_loads(dump, 0, NULL);
    if (back == NULL)
        bad = "the record does not survive JSON";
    json_decref(json);
    json_decref(back);
    free(dump);
    return bad;
}

static int collect(struct aduan_sink *sink, struct aduan_message *m) {
    struct records *r = (struct records *)sink;

    if (r->bad == NULL)
        r->bad = broken_rule(m);
    if (r->bad == NULL)
        r->bad = broken_in_json(m);
    if (r->count == r->room) {
        r->room = r->room != 0 ? r->room * 2 : 16;
        r->items = xrealloc(r->items, r->room, sizeof(*r->items));
    }
    r->items[r->count++] = *m;
    memset(m, 0, sizeof(*m));
    return 0;
}

struct records records_new(void) {
    return (struct records){ .sink = { .record = collect, .now = 1789800100000 } };
}

void records_clear(struct records *r) {
    while (r->count > 0)
        aduan_message_clear(&r->items[--r->count]);
    free(r->items);
    *r = records_new();
}

int records_parse(struct records *r, const struct aduan_connector *c, const void *settings, const void *bytes,
                  size_t n) {
    struct aduan_bytes in = { .bytes = bytes, .len = n };

    records_clear(r);
    return c->parse(settings, &in, &r->sink);
}

char *sample_read(const char *name, size_t *ret_n) {
    char *path = xasprintf("%s/tests/platforms/%s", SOURCE_DIR, name);
    FILE *f = fopen(path, "re");
    struct text t = TEXT_INIT;
    char buf[65536];
    size_t n;

    if (f == NULL)
        fail_msg("%s: cannot be read", path);
    while (f != NULL && (n = fread(buf, 1, sizeof(buf), f)) > 0)
        text_add_n(&t, buf, n);
    if (f != NULL)
        fclose(f);
    free(path);
    *ret_n = t.len;
    return text_steal(&t);
}
