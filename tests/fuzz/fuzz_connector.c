/*
 * fuzz_connector.c: verify() and parse() of a connector on any bytes.
 *
 * Built once for each module. Nothing that is not signed is believed; every record is fit to be
 * kept; the same bytes give the same number of records; a record's own raw gives one record with
 * the same id.
 */
#include "connector.h"

#include "kit/text.h"

#include <stdlib.h>
#include <string.h>

extern const struct aduan_connector aduan_connector;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KEPT = 64 };

struct collector {
    struct aduan_sink sink;
    struct aduan_message kept[KEPT];
    size_t count;
};

static void need(bool ok) {
    if (!ok)
        abort();
}

static int collect(struct aduan_sink *sink, struct aduan_message *m) {
    struct collector *c = (struct collector *)sink;
    json_t *json = aduan_message_to_json(m), *back;
    char *dump = json_dumps(json, JSON_COMPACT);

    need(m->platform_id != NULL && m->platform_id[0] != '\0' && m->text != NULL);
    need(m->kind >= ADUAN_KIND_MESSAGE && m->kind <= ADUAN_KIND_UNPARSED);
    need(text_is_utf8(m->platform_id, strlen(m->platform_id)) && text_is_utf8(m->text, strlen(m->text)));
    back = json_loads(dump, 0, NULL);
    need(back != NULL && json_equal(json, back));
    json_decref(back);
    json_decref(json);
    free(dump);
    if (c->count < KEPT)
        c->kept[c->count] = *m;
    else
        aduan_message_clear(m);
    memset(m, 0, sizeof(*m));
    c->count++;
    return 0;
}

static void clear(struct collector *c) {
    size_t i;

    for (i = 0; i < c->count && i < KEPT; i++)
        aduan_message_clear(&c->kept[i]);
    c->count = 0;
}

/* What conf/ gives when nothing is configured. */
static void fill(const struct aduan_setting *s, char *base) {
    for (; s->key != NULL; s++) {
        if (s->type == ADUAN_TYPE_STRING || s->type == ADUAN_TYPE_URL)
            *(const char **)(void *)(base + s->offset) = s->def != NULL ? s->def : "";
        if (s->type == ADUAN_TYPE_GROUP)
            fill(s->sub, base + s->offset);
    }
}

static void ask(const void *settings, const uint8_t *data, size_t size, const char *text) {
    const struct aduan_header headers[] = { { "x-hub-signature-256", text }, { "x-loop-signature", text } };
    struct aduan_hook_request post = { "POST", "", headers, 2, data, size };
    struct aduan_hook_request get = { "GET", text, NULL, 0, "", 0 };
    struct aduan_hook_answer answer;

    need(aduan_connector.verify(settings, &post, &answer) == ADUAN_HOOK_ANSWER && answer.status == 401);
    need(aduan_connector.verify(settings, &get, &answer) == ADUAN_HOOK_ANSWER && answer.status == 403);
}

static void parse(const void *settings, const uint8_t *data, size_t size) {
    struct aduan_bytes in = { .bytes = data, .len = size };
    struct collector a = { .sink = { .record = collect } }, b = { .sink = { .record = collect } };
    int r = aduan_connector.parse(settings, &in, &a.sink);
    size_t i;

    need(r == aduan_connector.parse(settings, &in, &b.sink) && a.count == b.count);
    clear(&b);
    for (i = 0; i < a.count && i < KEPT; i++) {
        if (a.kept[i].raw == NULL)
            continue;
        in = (struct aduan_bytes){ .bytes = a.kept[i].raw, .len = a.kept[i].raw_len };
        need(aduan_connector.parse(settings, &in, &b.sink) == 0 && b.count == 1);
        need(strcmp(a.kept[i].platform_id, b.kept[0].platform_id) == 0);
        clear(&b);
    }
    clear(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char *settings;
    char *text = xstrndup((const char *)data, size);

    if (settings == NULL) {
        settings = xcalloc(aduan_connector.settings_size, 1);
        fill(aduan_connector.settings, settings);
    }
    if (aduan_connector.verify != NULL)
        ask(settings, data, size, text);
    parse(settings, data, size);
    free(text);
    return 0;
}
