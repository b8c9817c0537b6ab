/* test_gateway_record.c: the record as text is, byte for byte, what the tree prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/kit/text.h"
#include "queue/message.h"

#include <stdlib.h>
#include <string.h>

static void check_same(const struct aduan_message *m) {
    json_t *json = aduan_message_to_json(m);
    char *tree = json_dumps(json, JSON_COMPACT), *text;
    size_t len;

    text = aduan_message_to_text(m, &len);
    assert_string_equal(text, tree);
    assert_int_equal(len, strlen(tree));
    free(text);
    free(tree);
    json_decref(json);
}

/* Any bytes but NUL: control characters, quotes, half characters. */
static char *any_bytes(unsigned *seed, size_t max) {
    size_t n = (size_t)rand_r(seed) % max, i;
    char *s = xcalloc(1, n + 1);

    for (i = 0; i < n; i++)
        s[i] = (char)(rand_r(seed) % (rand_r(seed) % 3 == 0 ? 255 : 94) + 1);
    return s;
}

static char *maybe(unsigned *seed) {
    return rand_r(seed) % 3 > 0 ? any_bytes(seed, 40) : NULL;
}

static void fill(struct aduan_message *m, unsigned *seed) {
    char **strings[] = { &m->id,
                         &m->account,
                         &m->channel,
                         &m->platform_id,
                         &m->to,
                         &m->conversation,
                         &m->subject,
                         &m->text,
                         &m->quoted,
                         &m->language,
                         &m->message_id,
                         &m->reply_to,
                         &m->note,
                         &m->raw_sha256,
                         &m->sender.id,
                         &m->sender.name,
                         &m->sender.handle,
                         &m->sender.address,
                         &m->sender.phone,
                         &m->status.state,
                         &m->status.platform_id,
                         &m->status.answer,
                         &m->status.reason };
    int i, n;

    for (i = 0; i < (int)(sizeof(strings) / sizeof(strings[0])); i++)
        *strings[i] = maybe(seed);
    m->kind = (enum aduan_kind)(rand_r(seed) % 8 + 1);
    m->is_public = rand_r(seed) % 2;
    m->status.window_closed = rand_r(seed) % 2;
    m->sent_at = (int64_t)rand_r(seed) * 4096 - 1000000;
    m->received_at = rand_r(seed);
    m->flags = (unsigned)rand_r(seed) % 32;
    for (i = 0, n = rand_r(seed) % 3; i < n; i++) {
        struct aduan_attachment *a = aduan_message_add_attachment(m);

        a->name = maybe(seed);
        a->type = maybe(seed);
        a->sha256 = maybe(seed);
        a->source = maybe(seed);
        a->note = maybe(seed);
        a->state = (enum aduan_attachment_state)(rand_r(seed) % 4);
        a->size = rand_r(seed) % 2 ? -1 : rand_r(seed);
    }
    for (i = 0, n = rand_r(seed) % 3; i < n; i++) {
        char *reference = any_bytes(seed, 30);

        aduan_message_add_reference(m, reference);
        free(reference);
    }
    if (rand_r(seed) % 2)
        m->extra = json_pack("{s:s, s:[i, b]}", "a", "b\"\\\n", "c", 1, 1);
}

static void test_any_record(void **state) {
    unsigned seed = 1;
    int i;

    (void)state;
    for (i = 0; i < 4000; i++) {
        struct aduan_message m = { 0 };

        fill(&m, &seed);
        check_same(&m);
        aduan_message_clear(&m);
    }
}

static void test_each_character(void **state) {
    struct aduan_message m = { .kind = ADUAN_KIND_MESSAGE };
    char text[3] = "ab";
    int c;

    (void)state;
    for (c = 1; c < 256; c++) {
        text[1] = (char)c;
        m.text = text;
        check_same(&m);
    }
}

/* What the connectors put there mostly: printed by ourselves, and whatever else is in it by jansson. */
static void test_extra_of_strings(void **state) {
    struct aduan_message m = { .kind = ADUAN_KIND_MESSAGE, .sent_at = INT64_MIN, .received_at = INT64_MAX };

    (void)state;
    m.extra = json_object();
    check_same(&m);
    json_object_set_new(m.extra, "user_id", json_string("ID.1349"));
    check_same(&m);
    json_object_set_new(m.extra, "a \"key\"\n\xc3\xa9",
                        json_string("\\ \x01\x1f\x7f / \xe2\x80\xa8 \xf0\x9f\x99\x8f"));
    json_object_set_new(m.extra, "", json_string(""));
    check_same(&m);
    json_object_set_new(m.extra, "nul", json_stringn("a\0b", 3));
    check_same(&m);
    json_decref(m.extra);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_record),
        cmocka_unit_test(test_each_character),
        cmocka_unit_test(test_extra_of_strings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
