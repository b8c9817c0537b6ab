/* Mentions and messages by polling: all pages first, the mark last, X's limits obeyed. */
#include "x_host.h"

#include "kit/text.h"

#include "../../connectors/x/x.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct aduan_connector aduan_connector;

#define T(s) ((char *)(uintptr_t)(s))

static struct x_settings settings = {
    .api = (char *)(uintptr_t) "https://api.x.com",
    .user_id = (char *)(uintptr_t) "1234567890",
    .consumer_key = { (char *)(uintptr_t) "CK", 2 },
    .consumer_secret = { (char *)(uintptr_t) "CS", 2 },
    .access_token = { (char *)(uintptr_t) "TK", 2 },
    .access_token_secret = { (char *)(uintptr_t) "TS", 2 },
    .webhook = true,
    .mentions = 60000,
    .dm_poll = 60000,
    .backfill = 86400000,
};

static struct x_host f;
static void *ctx;

#define NOW 1755000000000LL /* a little after the ids below */

static int set_up(void **state) {
    (void)state;
    memset(&f, 0, sizeof(f));
    f.now = NOW;
    x_host_reset(&f, NULL, 0);
    settings.webhook = true;
    return aduan_connector.open(&f.host, &settings, &ctx);
}

static int tear_down(void **state) {
    (void)state;
    ctx = aduan_connector.close(ctx);
    x_host_reset(&f, NULL, 0);
    return 0;
}

static int pull(const struct x_play *plays, size_t count, struct aduan_result *ret) {
    memset(ret, 0, sizeof(*ret));
    x_host_reset(&f, plays, count);
    return aduan_connector.pull(ctx, 1000, ret);
}

#define PULL(plays) pull(plays, sizeof(plays) / sizeof((plays)[0]), &ret)
#define POST(n)     "{\"id\":\"19550000000000000" n "\",\"text\":\"t" n "\",\"author_id\":\"9\"}"
#define ID(n)       "19550000000000000" n

static const struct x_play two_pages[] = {
    { 0, 200,
      "{\"data\":[" POST("05") "," POST("04") "],\"meta\":{\"newest_id\":\"" ID(
          "05") "\",\"next_token\":\"abc\"}}",
      300, 200, 0 },
    { 0, 200, "{\"data\":[" POST("03") "],\"meta\":{\"result_count\":1}}", 300, 199, 0 },
};

static void all_pages_come_first_then_oldest_first_with_the_mark_on_the_last(void **state) {
    struct aduan_result ret;

    (void)state;
    assert_int_equal(PULL(two_pages), 0);
    assert_int_equal(f.count, 2);
    assert_null(strstr(f.asked[0].url, "since_id"));
    assert_non_null(strstr(f.asked[1].url, "pagination_token=abc"));
    assert_true(text_starts(f.asked[0].authorization, "OAuth oauth_consumer_key=\"CK\""));
    assert_int_equal(f.emitted_count, 3);
    assert_non_null(strstr(f.emitted[0].bytes, "t03"));
    assert_non_null(strstr(f.emitted[2].bytes, "t05"));
    assert_null(f.emitted[0].mark);
    assert_null(f.emitted[1].mark);
    assert_string_equal(f.emitted[2].mark, "mentions");
    assert_string_equal(f.emitted[2].value, ID("05"));
    assert_int_equal(f.quota, 33);
    assert_true(f.paused > 0);
}

static void a_death_between_pages_loses_nothing(void **state) {
    const struct x_play broken[] = { two_pages[0], { ADUAN_HTTP_BROKEN, 0, NULL, 0, 0, 0 } };
    struct aduan_result ret;

    (void)state;
    assert_int_equal(PULL(broken), ADUAN_LATER);
    assert_int_equal(f.emitted_count, 0);
    /* the process dies; the next one begins where the mark is: at the beginning */
    aduan_connector.close(ctx);
    aduan_connector.open(&f.host, &settings, &ctx);
    assert_int_equal(PULL(two_pages), 0);
    assert_int_equal(f.emitted_count, 3);
    x_host_accept(&f);
    aduan_connector.close(ctx);
    aduan_connector.open(&f.host, &settings, &ctx);
    const struct x_play empty[] = { { 0, 200, "{\"meta\":{\"result_count\":0}}", 0, 0,
                                      0 } }; /* data is absent */
    assert_int_equal(PULL(empty), 0);
    assert_non_null(strstr(f.asked[0].url, "&since_id=" ID("05")));
    assert_int_equal(f.emitted_count, 0);
}

static void what_was_not_accepted_is_asked_for_again(void **state) {
    struct aduan_result ret;

    (void)state;
    PULL(two_pages); /* emitted, never accepted: the worker dies */
    aduan_connector.close(ctx);
    aduan_connector.open(&f.host, &settings, &ctx);
    PULL(two_pages);
    assert_null(strstr(f.asked[0].url, "since_id"));
    assert_int_equal(f.emitted_count, 3);
}

static void a_used_up_allowance_waits_for_its_reset_and_goes_on_there(void **state) {
    const struct x_play last[] = { { 0, 200, two_pages[0].body, 300, 0, NOW / 1000 + 600 } };
    const struct x_play rest[] = { two_pages[1] };
    struct aduan_result ret;

    (void)state;
    assert_int_equal(PULL(last), 0);
    assert_int_equal(f.quota, 100);
    assert_int_equal(f.emitted_count, 0);
    f.now += 599000;
    assert_int_equal(pull(NULL, 0, &ret), 0); /* asks nothing */
    f.now += 2000;
    assert_int_equal(PULL(rest), 0);
    assert_non_null(strstr(f.asked[0].url, "pagination_token=abc"));
    assert_int_equal(f.emitted_count, 3);
}

static void rate_limits_of_both_styles_are_obeyed(void **state) {
    const struct x_play fresh[] = { { 0, 429, "{\"title\":\"Too Many Requests\"}", 300, 0, NOW / 1000 + 300 } };
    const struct x_play old[] = { { 0, 429, "{\"errors\":[{\"code\":88,\"message\":\"Rate limit exceeded\"}]}",
                                    0, 0, 0 } };
    struct aduan_result ret;

    (void)state;
    assert_int_equal(PULL(fresh), 0);
    f.now += 299000;
    assert_int_equal(pull(NULL, 0, &ret), 0);
    f.now += 2000;
    assert_int_equal(PULL(old), 0);
    f.now += 59000;
    assert_int_equal(pull(NULL, 0, &ret), 0);
    f.now += 2000;
    assert_int_equal(PULL(two_pages), 0);
    assert_int_equal(f.emitted_count, 3);
}

static void an_account_in_trouble_is_said_in_plain_words(void **state) {
    const struct x_play capped[] = {
        { 0, 429, "{\"type\":\"https://api.x.com/2/problems/usage-capped\",\"title\":\"UsageCapExceeded\"}", 0,
          0, 0 }
    };
    const struct x_play enrolled[] = {
        { 0, 403, "{\"type\":\"https://api.x.com/2/problems/client-forbidden\",\"title\":\"Client Forbidden\"}",
          0, 0, 0 }
    };
    const struct x_play revoked[] = { { 0, 401, "{\"title\":\"Unauthorized\"}", 0, 0, 0 } };
    struct aduan_result ret;

    (void)state;
    assert_int_equal(PULL(capped), ADUAN_REFUSED);
    assert_non_null(strstr(ret.reason, "saldo"));
    f.now += 60000;
    assert_int_equal(PULL(enrolled), ADUAN_REFUSED);
    assert_non_null(strstr(ret.reason, "terdaftar"));
    f.now += 60000;
    assert_int_equal(PULL(revoked), ADUAN_REFUSED);
}

static void messages_are_polled_without_a_webhook_and_stop_at_what_is_known(void **state) {
    const struct x_play plays[] = {
        { 0, 200, "{\"meta\":{\"result_count\":0}}", 0, 0, 0 },
        { 0, 200,
          "{\"data\":[{\"id\":\"" ID("09") "\",\"event_type\":\"MessageCreate\",\"sender_id\":\"9\"},{\"id\":"
                                           "\"" ID("08") "\",\"event_type\":\"MessageCreate\",\"sender_id\":"
                                                         "\"9\"},{\"id\":\"" ID(
                                                             "07") "\",\"event_type\":\"MessageCreate\","
                                                                   "\"sender_id\":\"9\"}],\"meta\":{\"next_"
                                                                   "token\":\"zzz\"}}",
          15, 14, 0 },
    };
    struct aduan_result ret;

    (void)state;
    settings.webhook = false;
    strcpy(f.mark[1], ID("07"));
    assert_int_equal(PULL(plays), 0);
    assert_null(strstr(f.asked[1].url, "since_id"));
    assert_int_equal(f.emitted_count, 2);
    assert_string_equal(f.emitted[1].mark, "dm_events");
    assert_string_equal(f.emitted[1].value, ID("09"));
}

static void a_message_that_the_webhook_missed_is_asked_for_later(void **state) {
    const struct x_play nothing[] = { { 0, 200, "{\"meta\":{\"result_count\":0}}", 0, 0, 0 } };
    const struct x_play missed[] = {
        { 0, 200, "{\"meta\":{\"result_count\":0}}", 0, 0, 0 },
        { 0, 200,
          "{\"data\":[{\"id\":\"" ID(
              "09") "\",\"event_type\":\"MessageCreate\",\"sender_id\":\"9\"}],\"meta\":{}}",
          15, 14, 0 },
    };
    struct aduan_result ret;

    (void)state;
    strcpy(f.mark[1], ID("07"));
    assert_int_equal(PULL(nothing), 0);
    assert_int_equal(f.count, 1); /* mentions only: the webhook tells the rest */
    f.now += 16 * 60000;
    assert_int_equal(PULL(missed), 0);
    assert_int_equal(f.emitted_count, 1);
    assert_string_equal(f.emitted[0].mark, "dm_events");
}

static void data_and_errors_together_are_both_taken(void **state) {
    const struct x_play plays[] = {
        { 0, 200, "{\"data\":[" POST("05") "],\"errors\":[{\"title\":\"Not Found Error\"}],\"meta\":{}}", 0, 0,
          0 }
    };
    struct aduan_result ret;

    (void)state;
    assert_int_equal(PULL(plays), 0);
    assert_int_equal(f.emitted_count, 1);
}

static void the_first_reading_does_not_dig_up_the_past(void **state) {
    const struct x_play plays[] = { two_pages[0] };
    struct aduan_result ret;

    (void)state;
    f.now = NOW + 30 * 86400000LL;
    assert_int_equal(PULL(plays), 0);
    assert_int_equal(f.emitted_count, 0);
}

/* OAuth 2: a rotated refresh token is kept before the access token is used; a refused one is renewed once. */
static void a_refused_token_is_renewed_once_and_its_successor_kept(void **state) {
    const struct x_play plays[] = {
        { 0, 200, "{\"access_token\":\"A1\",\"refresh_token\":\"R2\",\"expires_in\":7200}", 0, 0, 0 },
        { 0, 401, "{\"title\":\"Unauthorized\"}", 0, 0, 0 },
        { 0, 200, "{\"access_token\":\"A2\",\"refresh_token\":\"R3\",\"expires_in\":7200}", 0, 0, 0 },
        { 0, 200, "{\"meta\":{\"result_count\":0}}", 0, 0, 0 },
    };
    struct aduan_result ret;

    (void)state;
    settings.oauth = (struct oauth2_settings){ .token_url = T("https://api.x.com/2/oauth2/token"),
                                               .client_id = T("ID"),
                                               .client_secret = { T("SECRET"), 6 },
                                               .refresh_token = { T("R1"), 2 },
                                               .basic = true };
    assert_int_equal(PULL(plays), 0);
    assert_non_null(strstr(f.asked[0].body, "refresh_token=R1"));
    assert_null(strstr(f.asked[0].body, "SECRET"));
    assert_string_equal(f.asked[0].authorization, "Basic SUQ6U0VDUkVU");
    assert_string_equal(f.asked[1].authorization, "A1");
    assert_non_null(strstr(f.asked[2].body, "refresh_token=R2"));
    assert_string_equal(f.asked[3].authorization, "A2");
    assert_string_equal(f.kept, "R3");
    memset(&settings.oauth, 0, sizeof(settings.oauth));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(all_pages_come_first_then_oldest_first_with_the_mark_on_the_last),
        TEST(a_death_between_pages_loses_nothing),
        TEST(what_was_not_accepted_is_asked_for_again),
        TEST(a_used_up_allowance_waits_for_its_reset_and_goes_on_there),
        TEST(rate_limits_of_both_styles_are_obeyed),
        TEST(an_account_in_trouble_is_said_in_plain_words),
        TEST(messages_are_polled_without_a_webhook_and_stop_at_what_is_known),
        TEST(a_message_that_the_webhook_missed_is_asked_for_later),
        TEST(data_and_errors_together_are_both_taken),
        TEST(the_first_reading_does_not_dig_up_the_past),
        TEST(a_refused_token_is_renewed_once_and_its_successor_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
