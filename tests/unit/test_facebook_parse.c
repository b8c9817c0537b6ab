/* Each sample body of the page becomes the records it should be; our own words never come back as a citizen's.
 */
#include "connector.h"
#include "expected.h"

#include "kit/hook.h"
#include "kit/sign.h"
#include "kit/text.h"

#include "../../connectors/facebook/facebook.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct aduan_connector aduan_connector;

#define PAGE "110000000000001"

static void each_sample_becomes_its_record(void **state) {
    (void)state;
    expected_check(&aduan_connector, NULL, "facebook", 64);
}

/* One change of the page's feed; every text is JSON already. */
static struct records parse(const char *item, const char *verb, const char *comment, const char *who) {
    struct records r = records_new();
    char *body =
        xasprintf("{\"object\":\"page\",\"entry\":[{\"id\":\"" PAGE "\",\"time\":1789800000,\"changes\":["
                  "{\"field\":\"feed\",\"value\":{\"item\":\"%s\",\"verb\":\"%s\",\"post_id\":\"" PAGE "_200\","
                  "%s\"reaction_type\":\"like\",\"from\":{\"id\":\"%s\"},\"message\":\"dari kantor\","
                  "\"created_time\":1789800000}}]}]}",
                  item, verb, comment, who);

    assert_int_equal(records_parse(&r, &aduan_connector, NULL, body, strlen(body)), 0);
    assert_null(r.bad);
    assert_int_equal(r.count, 1);
    free(body);
    return r;
}

static const char under_comment[] = "\"comment_id\":\"200_1\",";

/* Whatever the page itself does by whatever item: never a message, or it would be answered, and that answer,
 * too. */
static void what_the_page_writes_is_never_a_message(void **state) {
    static const char *const items[] = { "comment", "post", "status", "photo", "video",
                                         "share",   "link", "album",  "event", "hologram" };
    struct records r;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
        r = parse(items[i], "add", under_comment, PAGE);
        assert_int_equal(r.items[0].kind, ADUAN_KIND_ECHO);
        records_clear(&r);
        r = parse(items[i], "add", under_comment, "7700");
        assert_int_equal(r.items[0].kind, ADUAN_KIND_MESSAGE);
        records_clear(&r);
    }
}

static char *like_id(const char *comment, const char *who) {
    struct records r = parse("reaction", "add", comment, who);
    char *id = xstrdup(r.items[0].platform_id);

    assert_int_equal(r.items[0].kind, ADUAN_KIND_REACTION);
    records_clear(&r);
    return id;
}

static void likes_of_a_post_are_one_a_day_and_of_a_comment_each_its_own(void **state) {
    char *a = like_id("", "1"), *b = like_id("", "2"), *c = like_id(under_comment, "1"),
         *d = like_id(under_comment, "2");

    (void)state;
    assert_string_equal(a, b);
    assert_string_not_equal(c, d);
    free(a);
    free(b);
    free(c);
    free(d);
}

static void a_like_of_the_page_itself_says_so(void **state) {
    struct records r = parse("like", "add", under_comment, PAGE);

    (void)state;
    assert_int_equal(r.items[0].kind, ADUAN_KIND_REACTION);
    assert_non_null(strstr(r.items[0].text, "kantor"));
    records_clear(&r);
}

static void published_vectors_are_believed(void **state) {
    static const char minimal[] = "{\"object\":\"page\",\"entry\":[]}";
    struct aduan_secret secret = { (char *)(uintptr_t) "rahasia-aplikasi-uji-123", 24 };
    const struct facebook_settings s = { .app_secret = { &secret, 1 } };
    const struct aduan_header header = {
        "x-hub-signature-256", "sha256=24656385d128e0a31194644bd77edc26579d80dbbeb047db4990fee61d56905f"
    };
    struct aduan_hook_request req = { "POST", "", &header, 1, minimal, 28 };
    struct aduan_hook_answer answer;

    (void)state;
    assert_int_equal(aduan_connector.verify(&s, &req, &answer), 0);
    req.body_len = 27;
    assert_int_equal(aduan_connector.verify(&s, &req, &answer), ADUAN_HOOK_ANSWER);
    assert_int_equal(answer.status, 401);
}

/* Every line of INDEX: a published signature of a body that we read. */
static void every_sample_is_signed_as_published(void **state) {
    struct aduan_secret secret = { (char *)(uintptr_t) "rahasia-aplikasi-uji-123", 24 };
    const struct facebook_settings s = { .app_secret = { &secret, 1 } };
    char *index, *line, *rest, *name, *signature;
    struct aduan_hook_answer answer;
    size_t n, count = 0;

    (void)state;
    rest = index = sample_read("facebook/INDEX", &n);
    while ((line = strsep(&rest, "\n")) != NULL) {
        if (line[0] == '#' || line[0] == '\0')
            continue;
        name = xasprintf("facebook/%s", strsep(&line, "\t"));
        strsep(&line, "\t");
        signature = line;
        char *body = sample_read(name, &n);
        const struct aduan_header header = { "x-hub-signature-256", signature };
        const struct aduan_hook_request req = { "POST", "", &header, 1, body, n };

        assert_int_equal(aduan_connector.verify(&s, &req, &answer), 0);
        count++;
        free(body);
        free(name);
    }
    assert_int_equal(count, 64);
    free(index);
}

static void the_module_proves_itself(void **state) {
    char why[200] = "";

    (void)state;
    if (aduan_connector.selftest(why, sizeof(why)) != 0)
        fail_msg("%s", why);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sample_becomes_its_record),
        cmocka_unit_test(what_the_page_writes_is_never_a_message),
        cmocka_unit_test(likes_of_a_post_are_one_a_day_and_of_a_comment_each_its_own),
        cmocka_unit_test(a_like_of_the_page_itself_says_so),
        cmocka_unit_test(published_vectors_are_believed),
        cmocka_unit_test(every_sample_is_signed_as_published),
        cmocka_unit_test(the_module_proves_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
