/* The record survives JSON whole, and bad JSON says what is wrong. */
#include "message.h"

#include "kit/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void fill(struct aduan_message *m) {
    struct aduan_attachment *a;

    memset(m, 0, sizeof(*m));
    m->id = xstrdup("wa/wamid.1");
    m->account = xstrdup("wa");
    m->channel = xstrdup("whatsapp");
    m->platform_id = xstrdup("wamid.1");
    m->kind = ADUAN_KIND_STATUS;
    m->conversation = xstrdup("ID.7k2");
    m->sender.id = xstrdup("ID.7k2");
    m->sender.phone = xstrdup("+6281234567890");
    m->is_public = true;
    m->text = xstrdup("Pesanan \xF0\x9F\x98\xA1 belum");
    m->sent_at = 1789800000000;
    m->received_at = 1789800001000;
    m->flags = ADUAN_MESSAGE_AUTOMATIC;
    aduan_message_add_reference(m, "a@b");
    aduan_message_add_reference(m, "c@d");
    a = aduan_message_add_attachment(m);
    a->name = xstrdup("foto.jpg");
    a->type = xstrdup("image/jpeg");
    a->source = xstrdup("{\"id\":1}");
    a->state = ADUAN_ATTACHMENT_PENDING;
    m->status.state = xstrdup("failed");
    m->status.answer = xstrdup("o12");
    m->status.window_closed = true;
    m->extra = json_pack("{s:s}", "wa_id", "628");
}

static void a_record_survives_json(void **state) {
    struct aduan_message m, back;
    json_t *one, *two;
    char why[100];

    (void)state;
    fill(&m);
    one = aduan_message_to_json(&m);
    assert_int_equal(aduan_message_from_json(&back, one, why, sizeof(why)), 0);
    two = aduan_message_to_json(&back);
    assert_true(json_equal(one, two));
    assert_int_equal(back.attachments[0].size, -1);
    assert_int_equal(back.attachments[0].state, ADUAN_ATTACHMENT_PENDING);
    assert_int_equal(back.reference_count, 2);
    assert_true(back.status.window_closed);
    json_decref(one);
    json_decref(two);
    aduan_message_clear(&m);
    aduan_message_clear(&back);
    aduan_message_clear(&back);
}

static void bad_utf8_is_repaired_not_lost(void **state) {
    struct aduan_message m;
    json_t *j;

    (void)state;
    memset(&m, 0, sizeof(m));
    m.kind = ADUAN_KIND_MESSAGE;
    m.text = xstrdup("a\xff");
    j = aduan_message_to_json(&m);
    assert_string_equal(json_string_value(json_object_get(j, "text")), "a\xEF\xBF\xBD");
    json_decref(j);
    aduan_message_clear(&m);
}

static void bad_json_says_what(void **state) {
    static const char *const cases[][2] = {
        { "[]", "not an object" },
        { "{}", "kind is missing or unknown" },
        { "{\"kind\":\"telepathy\"}", "kind is missing or unknown" },
        { "{\"kind\":\"message\",\"text\":7}", "text is not a string" },
        { "{\"kind\":\"message\",\"sender\":{\"id\":7}}", "id is not a string" },
        { "{\"kind\":\"message\",\"attachments\":[{\"name\":7}]}", "name is not a string" },
    };
    struct aduan_message m;
    char why[100];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *j = json_loads(cases[i][0], 0, NULL);

        assert_int_equal(aduan_message_from_json(&m, j, why, sizeof(why)), -1);
        assert_string_equal(why, cases[i][1]);
        aduan_message_clear(&m);
        json_decref(j);
    }
}

static void an_answer_survives_json(void **state) {
    struct aduan_answer a, back;
    json_t *one, *two;
    char why[100];

    (void)state;
    memset(&a, 0, sizeof(a));
    a.id = xstrdup("o1");
    a.kind = ADUAN_ANSWER_AUTOMATIC;
    a.to.address = xstrdup("siti@example.org");
    a.text = xstrdup("Terima kasih");
    a.queued_at = 5;
    one = aduan_answer_to_json(&a);
    assert_int_equal(aduan_answer_from_json(&back, one, why, sizeof(why)), 0);
    two = aduan_answer_to_json(&back);
    assert_true(json_equal(one, two));
    json_object_del(one, "id");
    aduan_answer_clear(&back);
    assert_int_equal(aduan_answer_from_json(&back, one, why, sizeof(why)), -1);
    assert_string_equal(why, "id is missing");
    json_decref(one);
    json_decref(two);
    aduan_answer_clear(&a);
    aduan_answer_clear(&back);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_survives_json),
        cmocka_unit_test(bad_utf8_is_repaired_not_lost),
        cmocka_unit_test(bad_json_says_what),
        cmocka_unit_test(an_answer_survives_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
