/* Each sample body of X becomes the records it should be; who is believed; both ways of one thing. */
#include "connector.h"
#include "expected.h"

#include "kit/sign.h"
#include "kit/text.h"

#include "../../connectors/x/x.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct aduan_connector aduan_connector;

static struct x_settings settings = {
    .user_id = (char *)(uintptr_t) "1234567890",
    .consumer_secret = { (char *)(uintptr_t) "rahasia-konsumen-uji-456", 24 },
    .webhook = true,
};

static void each_sample_becomes_its_record(void **state) {
    (void)state;
    expected_check(&aduan_connector, &settings, "x", 44);
}

static struct records parse(const char *sample) {
    struct records r = records_new();
    char *name = xasprintf("x/%s.json", sample);
    size_t n;
    char *body = sample_read(name, &n);

    assert_int_equal(records_parse(&r, &aduan_connector, &settings, body, n), 0);
    assert_null(r.bad);
    free(body);
    free(name);
    return r;
}

/* What comes by webhook and is then polled is one message: same id, same thread, same file. */
static void both_ways_give_one_message(void **state) {
    static const char *const pairs[][2] = { { "xaa_dm_received", "v2_dm_events_response" },
                                            { "xaa_post_mention_create", "v2_mentions_response" } };
    size_t i;

    (void)state;
    for (i = 0; i < 2; i++) {
        struct records a = parse(pairs[i][0]), b = parse(pairs[i][1]);

        assert_string_equal(a.items[0].platform_id, b.items[0].platform_id);
        assert_string_equal(a.items[0].conversation, b.items[0].conversation);
        assert_string_equal(a.items[0].sender.id, b.items[0].sender.id);
        assert_string_equal(a.items[0].text, b.items[0].text);
        records_clear(&a);
        records_clear(&b);
    }
}

/* ------------------------------------------------------------------------- verify */

static int verify(const char *method, const char *query, const char *body, const char *signature,
                  struct aduan_hook_answer *answer) {
    const struct aduan_header header = { "x-twitter-webhooks-signature", signature };
    const struct aduan_hook_request req = { method, query,       &header, signature != NULL ? 1 : 0,
                                            body,   strlen(body) };

    return aduan_connector.verify(&settings, &req, answer);
}

static void every_sample_is_believed_by_its_published_signature(void **state) {
    struct aduan_hook_answer answer;
    size_t n;
    char *index = sample_read("x/INDEX", &n), *rest = index, *line, *name, *signature;
    int count = 0;

    (void)state;
    while ((line = strsep(&rest, "\n")) != NULL) {
        if (line[0] == '#' || line[0] == '\0')
            continue;
        name = xasprintf("x/%s", strsep(&line, "\t"));
        strsep(&line, "\t");
        signature = line;
        char *body = sample_read(name, &n);
        const struct aduan_header header = { "x-twitter-webhooks-signature", signature };
        struct aduan_hook_request req = { "POST", "", &header, 1, body, n };

        assert_int_equal(aduan_connector.verify(&settings, &req, &answer), 0);
        body[n / 2] ^= 1;
        assert_int_equal(aduan_connector.verify(&settings, &req, &answer), ADUAN_HOOK_ANSWER);
        assert_int_equal(answer.status, 401);
        free(body);
        free(name);
        count++;
    }
    assert_int_equal(count, 44);
    free(index);
}

static void only_base64_of_the_right_length_counts(void **state) {
    static const char body[] = "{\"for_user_id\":\"1234567890\",\"direct_message_events\":[]}";
    static const char *const wrong[] = {
        NULL,
        "",
        "sha256=",
        "sha256=S3hRC9ag/oy65d8ffwjRS/jBDE8EqLxkMGmsA7POqdY",
        "sha256=S3hRC9ag/oy65d8ffwjRS/jBDE8EqLxkMGmsA7POqdYA",
        "sha256=S3hRC9ag/oy65d8ffwjRS/jBDE8EqLxkMGmsA7POqdY==",
        "S3hRC9ag/oy65d8ffwjRS/jBDE8EqLxkMGmsA7POqdY=",
        "sha256=4b78510bd6a0fe8cbae5df1f7f08d14bf8c10c4f04a8bc643069ac03b3cea9d6"
    };
    struct aduan_hook_answer answer;
    size_t i;

    (void)state;
    assert_int_equal(verify("POST", "", body, "sha256=S3hRC9ag/oy65d8ffwjRS/jBDE8EqLxkMGmsA7POqdY=", &answer),
                     0);
    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(verify("POST", "", body, wrong[i], &answer), ADUAN_HOOK_ANSWER);
        assert_int_equal(answer.status, 401);
    }
}

static void the_challenge_is_answered(void **state) {
    struct aduan_hook_answer answer;

    (void)state;
    assert_int_equal(verify("GET", "crc_token=Y3JjLXRva2VuLWNvbnRvaA&nonce=1", "", NULL, &answer),
                     ADUAN_HOOK_ANSWER);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.type, "application/json");
    assert_string_equal(answer.body,
                        "{\"response_token\":\"sha256=eV/6Xy4N37Fby9jMnwuv1LqvEhGy2L3mE6JFKUSzaa4=\"}");
    assert_int_equal(answer.body_len, strlen(answer.body));
    verify("GET", "crc_token=", "", NULL, &answer);
    assert_int_equal(answer.status, 403);
    verify("GET", "", "", NULL, &answer);
    assert_int_equal(answer.status, 403);
}

/* ------------------------------------------------------------------------- length */

static void posts_weigh_what_x_says(void **state) {
    static const struct {
        const char *text;
        int64_t weight;
    } cases[] = {
        { "Mohon maaf, Kak.", 16 },
        { "Mohon maaf, Kak 🙏", 18 },
        { "客服", 4 },
        { "", 0 },
        { "👨‍👩‍👧‍👦", 2 },
        { "🇮🇩🇮🇩", 4 },
        { "👍🏽", 2 },
        { "1️⃣ ✔️", 5 },
        { "lihat https://tanjungpinang.imigrasi.go.id/a/b/c/d/e/f/g/h ya", 32 },
        { "(https://x.co)", 25 },
        { "a—b…c", 6 },
        { "é", 1 },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (x_weight(cases[i].text) != cases[i].weight)
            fail_msg("%s weighs %d", cases[i].text, (int)x_weight(cases[i].text));
}

static void what_is_able_follows_the_settings(void **state) {
    struct x_settings s = settings;

    (void)state;
    assert_true(aduan_connector.able(&s) & ADUAN_CAP_PUSH);
    assert_true(aduan_connector.able(&s) & ADUAN_CAP_PULL);
    s.webhook = false;
    assert_false(aduan_connector.able(&s) & ADUAN_CAP_PUSH);
    assert_true(aduan_connector.able(&s) & ADUAN_CAP_PULL);
    assert_int_equal(aduan_connector.able(&s) & ~aduan_connector.capabilities, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sample_becomes_its_record),
        cmocka_unit_test(both_ways_give_one_message),
        cmocka_unit_test(every_sample_is_believed_by_its_published_signature),
        cmocka_unit_test(only_base64_of_the_right_length_counts),
        cmocka_unit_test(the_challenge_is_answered),
        cmocka_unit_test(posts_weigh_what_x_says),
        cmocka_unit_test(what_is_able_follows_the_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
