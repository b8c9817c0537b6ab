/* Answers to people and under comments, and the watchdog, against a host whose transfers the test plays. */
#include "connector.h"

#include "kit/json.h"
#include "kit/text.h"

#include "fake_host.h"

#include "../../connectors/facebook/facebook.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct aduan_connector aduan_connector;

#define API  "https://graph.facebook.com/v25.0"
#define PAGE "110000000000001"
#define S(s) ((char *)(uintptr_t)(s))
#define DAY  (24 * 3600 * 1000LL)

static struct facebook_settings settings = {
    .api = S(API),
    .page_id = S(PAGE),
    .access_token = { S("TOKEN"), 5 },
};

static void *ctx;
static struct fake fake;

static int set_up(void **state) {
    (void)state;
    settings.human_agent = false;
    fake_reset(&fake, NULL);
    return aduan_connector.open(&fake.host, &settings, &ctx);
}

static int tear_down(void **state) {
    (void)state;
    ctx = aduan_connector.close(ctx);
    fake_reset(&fake, NULL);
    return 0;
}

/* ----------------------------------------------------------------------- answers */

static struct aduan_answer to_person(const char *text) {
    return (struct aduan_answer){ .id = S("o7"),
                                  .kind = ADUAN_ANSWER_REPLY,
                                  .conversation = S("7700"),
                                  .to = { .id = S("7700") },
                                  .text = S(text) };
}

static struct aduan_answer to_comment(const char *text, bool in_public) {
    return (struct aduan_answer){ .id = S("o8"),
                                  .kind = in_public ? ADUAN_ANSWER_AUTOMATIC : ADUAN_ANSWER_REPLY,
                                  .is_public = in_public,
                                  .conversation = S("public:" PAGE "_200:7700"),
                                  .to = { .id = S("7700") },
                                  .reply_to = S("200_301"),
                                  .text = S(text) };
}

static void send_one(const struct aduan_answer *a, const struct play *plays) {
    fake_reset(&fake, plays);
    aduan_connector.send(ctx, a, 77);
    fake_run(&fake);
}

static void assert_body(size_t i, const char *path, const char *wanted) {
    json_t *json = json_loads(fake.asked[i].body, 0, NULL);

    assert_non_null(json);
    if (wanted == NULL)
        assert_null(js_get(json, path));
    else
        assert_string_equal(js_str(json, path), wanted);
    json_decref(json);
}

static const struct play taken[] = { { 0, 200, "{\"recipient_id\":\"7700\",\"message_id\":\"m_1\"}", NULL,
                                       NULL } };

static void a_message_carries_the_answers_id(void **state) {
    struct aduan_answer a = to_person("Mohon maaf, kami cek dulu");

    (void)state;
    send_one(&a, taken);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    assert_string_equal(fake.result.platform_id, "m_1");
    assert_string_equal(fake.asked[0].url, API "/" PAGE "/messages");
    assert_true(fake.asked[0].bearer);
    assert_body(0, "recipient.id", "7700");
    assert_body(0, "messaging_type", "RESPONSE");
    assert_body(0, "tag", NULL);
    assert_body(0, "message.metadata", "o7");
}

static void beyond_the_day_only_a_person_answers_and_only_with_the_feature(void **state) {
    struct aduan_answer a = to_person("Dari petugas");

    (void)state;
    a.heard_at = fake.host.ops->now(&fake.host) - 3 * DAY;
    send_one(&a, taken);
    assert_body(0, "tag", NULL);
    settings.human_agent = true;
    aduan_connector.close(ctx);
    aduan_connector.open(&fake.host, &settings, &ctx);
    send_one(&a, taken);
    assert_body(0, "messaging_type", "MESSAGE_TAG");
    assert_body(0, "tag", "HUMAN_AGENT");
    a.kind = ADUAN_ANSWER_AUTOMATIC;
    send_one(&a, taken);
    assert_body(0, "tag", NULL);
    assert_true(aduan_connector.window(&settings, true) == 7 * DAY);
    assert_true(aduan_connector.window(&settings, false) == DAY);
}

static void a_public_answer_stands_under_the_comment(void **state) {
    struct aduan_answer a = to_comment("Halo Kak, mohon DM", true);
    const struct play plays[] = { { 0, 200, "{\"id\":\"200_302\"}", NULL, NULL } };

    (void)state;
    send_one(&a, plays);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    assert_string_equal(fake.result.platform_id, "200_302");
    assert_string_equal(fake.asked[fake.count - 1].url, API "/200_301/comments");
    assert_body(fake.count - 1, "message", "Halo Kak, mohon DM");
}

static void a_private_reply_goes_to_the_comment_or_the_post(void **state) {
    struct aduan_answer a = to_comment("Ibu Siti, paspornya jadi", false);

    (void)state;
    send_one(&a, taken);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    assert_body(0, "recipient.comment_id", "200_301");
    assert_body(0, "recipient.id", NULL);
    a.reply_to = S(PAGE "_200");
    send_one(&a, taken);
    assert_body(0, "recipient.post_id", PAGE "_200");
    assert_body(0, "recipient.comment_id", NULL);
}

/* ------------------------------------------------------------------------- limits */

static void refused(const struct aduan_answer *a, const char *words) {
    char why[300] = "";

    assert_int_equal(aduan_connector.fits(&settings, a, why, sizeof(why)), -1);
    if (strstr(why, words) == NULL || strstr(why, " / ") == NULL)
        fail_msg("%s is not in: %s", words, why);
    fake_reset(&fake, NULL);
    aduan_connector.send(ctx, a, 77); /* asks again: nothing leaves */
    fake_run(&fake);
    assert_int_equal(fake.result.outcome, ADUAN_NEVER);
    assert_int_equal(fake.count, 0);
}

static void what_does_not_fit_is_refused_in_words_and_never_leaves(void **state) {
    char longer[1002] = "";
    struct aduan_attachment big = {
        .name = S("besar.pdf"), .type = S("application/pdf"), .size = 25000001, .sha256 = S("ab12")
    };
    struct aduan_answer a = to_person(longer);
    char why[300];

    (void)state;
    memset(longer, 'a', sizeof(longer) - 1);
    longer[1001] = '\0';
    refused(&a, "1000");
    longer[1000] = '\0';
    assert_int_equal(aduan_connector.fits(&settings, &a, why, sizeof(why)), 0);
    a = to_person("Lihat lampiran");
    a.attachments = &big;
    a.attachment_count = 1;
    refused(&a, "25 MB");
    big.size--;
    assert_int_equal(aduan_connector.fits(&settings, &a, why, sizeof(why)), 0);
}

static void a_private_reply_has_limits_of_its_own(void **state) {
    struct aduan_attachment file = {
        .name = S("a.pdf"), .type = S("application/pdf"), .size = 10, .sha256 = S("ab12")
    };
    struct aduan_answer a = to_comment("Balasan", false);
    char why[300];

    (void)state;
    assert_int_equal(aduan_connector.fits(&settings, &a, why, sizeof(why)), 0);
    a.answered_before = 1;
    refused(&a, "sekali");
    a.answered_before = 0;
    a.heard_at = 1789800000000;
    a.queued_at = a.heard_at + 7 * DAY + 1;
    refused(&a, "7 hari");
    a.heard_at = 0;
    a.attachments = &file;
    a.attachment_count = 1;
    refused(&a, "lampiran");
    a = to_comment("Balasan", false);
    a.conversation = S("public:" FACEBOOK_REVIEW "500600700:7700");
    a.reply_to = S("500600700");
    refused(&a, "ulasan");
}

/* -------------------------------------------------------------------------- fates */

static void what_broke_after_the_request_left_is_uncertain(void **state) {
    struct aduan_answer a = to_person("Halo"), b = to_comment("Halo", true);
    const struct play broken[] = { { ADUAN_HTTP_BROKEN, 0, NULL, NULL, NULL } };
    const struct play unsent[] = { { ADUAN_HTTP_SENT_NOTHING, 0, NULL, NULL, NULL } };

    (void)state;
    send_one(&a, broken);
    assert_int_equal(fake.result.outcome, ADUAN_UNCERTAIN);
    send_one(&b, broken);
    assert_int_equal(fake.result.outcome, ADUAN_UNCERTAIN);
    send_one(&a, unsent);
    assert_int_equal(fake.result.outcome, ADUAN_LATER);
}

#define ERROR_OF(code, subcode)                                                                                \
    "{\"error\":{\"message\":\"x\",\"code\":" code ",\"error_subcode\":" subcode "}}"

static void errors_of_the_notes_mean_what_they_say(void **state) {
    static const struct {
        const char *body;
        int status, outcome;
    } rows[] = {
        { ERROR_OF("10", "2018278"), 403, ADUAN_CLOSED }, { ERROR_OF("10", "2534022"), 403, ADUAN_CLOSED },
        { ERROR_OF("100", "2018001"), 400, ADUAN_NEVER }, { ERROR_OF("200", "1545041"), 403, ADUAN_NEVER },
        { ERROR_OF("551", "1545041"), 400, ADUAN_NEVER }, { ERROR_OF("190", "463"), 401, ADUAN_REFUSED },
        { ERROR_OF("10", "0"), 403, ADUAN_REFUSED },      { ERROR_OF("613", "2534040"), 400, ADUAN_LIMITED },
        { ERROR_OF("80006", "0"), 400, ADUAN_LIMITED },   { ERROR_OF("368", "0"), 400, ADUAN_LIMITED },
        { ERROR_OF("1", "0"), 500, ADUAN_LATER },         { ERROR_OF("10", "2018300"), 403, ADUAN_LIMITED },
    };
    struct aduan_answer a = to_person("Halo");
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct play plays[] = { { 0, rows[i].status, rows[i].body, NULL, NULL } };

        send_one(&a, plays);
        if ((int)fake.result.outcome != rows[i].outcome)
            fail_msg("%s: outcome %d", rows[i].body, fake.result.outcome);
    }
}

#define OURS(id) "{\"id\":\"" id "\",\"message\":\"Halo Kak\",\"from\":{\"id\":\"" PAGE "\"}}"

static enum aduan_outcome find(const struct aduan_answer *a, const char *body, int status) {
    const struct play plays[] = { { 0, status, body, NULL, NULL } };
    struct aduan_result r;

    fake_reset(&fake, plays);
    aduan_connector.find(ctx, a, &r);
    assert_true(r.outcome == ADUAN_SENT || r.reason[0] != '\0');
    return r.outcome;
}

static void an_uncertain_comment_is_looked_for_and_never_taken_for_lost(void **state) {
    struct aduan_answer a = to_comment("Halo Kak", true), dm = to_person("Halo Kak");

    (void)state;
    assert_int_equal(find(&a, "{\"data\":[" OURS("200_9") "]}", 200), ADUAN_SENT);
    assert_int_equal(
        find(&a, "{\"data\":[{\"id\":\"1\",\"message\":\"Halo Kak\",\"from\":{\"id\":\"7700\"}}]}", 200),
        ADUAN_UNCERTAIN);
    assert_int_equal(find(&a, "{\"data\":[]}", 200), ADUAN_UNCERTAIN);
    assert_int_equal(find(&a, ERROR_OF("190", "463"), 401), ADUAN_UNCERTAIN);
    a.answered_before = 1;
    assert_int_equal(find(&a, "{\"data\":[" OURS("200_9") "]}", 200), ADUAN_UNCERTAIN);
    assert_int_equal(find(&a, "{\"data\":[" OURS("200_9") "," OURS("200_8") "]}", 200), ADUAN_SENT);
    assert_int_equal(find(&dm, "{\"data\":[]}", 200), ADUAN_UNCERTAIN);
    assert_int_equal(fake.count, 0);
}

/* ----------------------------------------------------------------------- watchdog */

#define TOKEN_SAYS(id)                                                                                         \
    {                                                                                                          \
        0, 200,                                                                                                \
            "[{\"code\":200,\"body\":\"{\\\"data\\\":{\\\"app_id\\\":\\\"" id                                  \
            "\\\",\\\"is_valid\\\":true}}\"}]",                                                                \
            NULL, NULL                                                                                         \
    }
#define ALL                                                                                                    \
    "[\"messages\",\"message_edits\",\"messaging_postbacks\",\"message_reactions\",\"message_deliveries\","    \
    "\"message_reads\",\"message_echoes\",\"messaging_referrals\",\"messaging_optins\",\"messaging_"           \
    "handovers\","                                                                                             \
    "\"standby\",\"messaging_policy_enforcement\",\"feed\",\"mention\",\"ratings\"]"
#define APP(id, fields) "{\"data\":[{\"id\":\"" id "\",\"subscribed_fields\":" fields "}]}"

static struct aduan_result probe(const struct play *plays) {
    struct aduan_result r;

    fake_reset(&fake, plays);
    aduan_connector.probe(ctx, &r);
    return r;
}

static void an_installed_page_is_left_alone(void **state) {
    const struct play plays[] = { TOKEN_SAYS("15"), { 0, 200, APP("15", ALL), NULL, NULL } };

    (void)state;
    assert_int_equal(probe(plays).outcome, ADUAN_SENT);
    assert_int_equal(fake.count, 2);
    assert_string_equal(fake.asked[1].url, API "/" PAGE "/subscribed_apps");
    assert_string_equal(fake.fault, "");
}

static void put_back(const char *list) {
    const struct play plays[] = { TOKEN_SAYS("15"),
                                  { 0, 200, list, NULL, NULL },
                                  { 0, 200, "{\"success\":true}", NULL, NULL } };

    aduan_connector.close(ctx);
    aduan_connector.open(&fake.host, &settings, &ctx);
    assert_int_equal(probe(plays).outcome, ADUAN_SENT);
    assert_int_equal(fake.count, 3);
    assert_string_equal(fake.asked[2].method, "POST");
    assert_non_null(strstr(fake.asked[2].url, "/subscribed_apps?subscribed_fields=messages,"));
    assert_non_null(strstr(fake.asked[2].url, ",feed,mention,ratings"));
    assert_non_null(strstr(fake.fault, "dipasang kembali"));
}

static void a_page_that_was_dropped_is_put_back_and_it_is_said(void **state) {
    (void)state;
    put_back("{\"data\":[]}");
    put_back(APP("15", "[\"messages\",\"name\"]"));
    assert_non_null(strstr(fake.asked[2].url, ",name")); /* what somebody added stays */
    put_back(APP("99", ALL));                            /* another program's subscription is none of ours */
}

static void the_fault_stands_for_a_day(void **state) {
    const struct play again[] = { { 0, 200, APP("15", ALL), NULL, NULL } };

    (void)state;
    put_back("{\"data\":[]}");
    assert_int_equal(probe(again).outcome, ADUAN_SENT);
    assert_non_null(strstr(fake.fault, "dipasang kembali"));
}

static void what_cannot_be_put_back_is_said_and_refuses_nobody(void **state) {
    const struct play no_permission[] = { TOKEN_SAYS("15"),
                                          { 0, 200, "{\"data\":[]}", NULL, NULL },
                                          { 0, 403, ERROR_OF("200", "0"), NULL, NULL } };
    const struct play unreadable[] = { { 0, 403, ERROR_OF("200", "0"), NULL, NULL },
                                       { 0, 200, "{\"id\":\"" PAGE "\"}", NULL, NULL } };
    const struct play dead[] = { { 0, 401, ERROR_OF("190", "463"), NULL, NULL },
                                 { 0, 401, ERROR_OF("190", "463"), NULL, NULL } };

    (void)state;
    assert_int_equal(probe(no_permission).outcome, ADUAN_SENT);
    assert_non_null(strstr(fake.fault, "tidak dapat dipasang"));
    assert_int_equal(probe(unreadable).outcome, ADUAN_SENT);
    assert_non_null(strstr(fake.fault, "tidak dapat diperiksa"));
    assert_int_equal(probe(dead).outcome, ADUAN_REFUSED);
    assert_string_not_equal(fake.fault, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_carries_the_answers_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(beyond_the_day_only_a_person_answers_and_only_with_the_feature, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_public_answer_stands_under_the_comment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_private_reply_goes_to_the_comment_or_the_post, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_refused_in_words_and_never_leaves, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_private_reply_has_limits_of_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_broke_after_the_request_left_is_uncertain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(errors_of_the_notes_mean_what_they_say, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_uncertain_comment_is_looked_for_and_never_taken_for_lost, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_installed_page_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_page_that_was_dropped_is_put_back_and_it_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_fault_stands_for_a_day, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_put_back_is_said_and_refuses_nobody, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
