/* Each sample body becomes the record it should be; a batch costs nobody anything; no shape is believed
 * blindly. */
#include "connector.h"
#include "expected.h"
#include "records.h"

#include "kit/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct aduan_connector aduan_connector;

static void each_sample_becomes_its_record(void **state) {
    (void)state;
    expected_check(&aduan_connector, NULL, "instagram", 59); /* every file of the folder */
}

#define ENVELOPE(inner) "{\"object\":\"instagram\",\"entry\":[" inner "]}"

static int parse(struct records *r, const char *body) {
    return records_parse(r, &aduan_connector, NULL, body, strlen(body));
}

static void other_objects_are_refused_whole(void **state) {
    static const char *const bodies[] = { "",
                                          "{}",
                                          "[]",
                                          "7",
                                          "{\"object\":\"page\",\"entry\":[]}",
                                          "{\"object\":\"instagram\"}",
                                          "[{\"object\":\"page\",\"entry\":[]}]",
                                          "[" ENVELOPE("") ",7]" };
    struct records r = records_new();
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        assert_true(parse(&r, bodies[i]) < 0);
        assert_int_equal(r.count, 0);
    }
    assert_int_equal(parse(&r, ENVELOPE("")), 0);
    records_clear(&r);
}

static void a_flood_of_elements_is_one_record(void **state) {
    struct text t = TEXT_INIT;
    struct records r = records_new();
    int i;

    (void)state;
    text_add(&t, "{\"object\":\"instagram\",\"entry\":[{\"id\":\"1\",\"messaging\":[0");
    for (i = 0; i < 100000; i++)
        text_add(&t, ",0");
    text_add(&t, "]}]}");
    assert_true(records_parse(&r, &aduan_connector, NULL, t.s, t.len) < 0); /* the core keeps it whole */
    assert_int_equal(r.count, 0);
    records_clear(&r);
    text_free(&t);
}

/* Slices repeat the entry's id and time only: a megabyte beside 2000 messages is not copied 2000 times. */
static void what_stands_beside_is_not_multiplied(void **state) {
    struct text t = TEXT_INIT;
    struct records r = records_new();
    size_t i, total = 0;

    (void)state;
    text_add(&t, "{\"object\":\"instagram\",\"entry\":[{\"time\":1789800000,\"id\":\"");
    for (i = 0; i < 1000000; i++)
        text_add_char(&t, 'n');
    text_add(&t, "\",\"messaging\":[");
    for (i = 0; i < 2000; i++)
        text_addf(&t, "%s{\"sender\":{\"id\":\"%zu\"},\"message\":{\"mid\":\"m%zu\",\"text\":\"x\"}}",
                  i > 0 ? "," : "", i, i);
    text_add(&t, "]}]}");
    assert_int_equal(records_parse(&r, &aduan_connector, NULL, t.s, t.len), 0);
    for (i = 0; i < r.count; i++)
        total += r.items[i].raw_len;
    assert_int_equal(r.count, 2000);
    assert_null(r.bad);
    assert_true(total < 1000 * 1000);
    records_clear(&r);
    text_free(&t);
}

/* A boosted post's comment comes twice: one id, one thread, so the core drops the second. */
static void the_ad_and_the_post_give_one_id(void **state) {
    struct records post = records_new(), ad = records_new();
    size_t n;
    char *body = sample_read("instagram/comment_fblogin_changes.json", &n);

    (void)state;
    assert_int_equal(records_parse(&post, &aduan_connector, NULL, body, n), 0);
    free(body);
    body = sample_read("instagram/comment_on_ad.json", &n);
    assert_int_equal(records_parse(&ad, &aduan_connector, NULL, body, n), 0);
    free(body);
    assert_string_equal(post.items[0].platform_id, ad.items[0].platform_id);
    assert_string_equal(post.items[0].conversation, ad.items[0].conversation);
    records_clear(&post);
    records_clear(&ad);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sample_becomes_its_record),
        cmocka_unit_test(other_objects_are_refused_whole),
        cmocka_unit_test(a_flood_of_elements_is_one_record),
        cmocka_unit_test(what_stands_beside_is_not_multiplied),
        cmocka_unit_test(the_ad_and_the_post_give_one_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
