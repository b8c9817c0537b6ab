/* Media and mentions fetched; the probe, and a token that is renewed: against a host whose transfers the test
 * plays. */
#include "connector.h"

#include "kit/json.h"
#include "kit/sign.h"
#include "kit/text.h"

#include "fake_host.h"

#include "../../connectors/instagram/instagram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct aduan_connector aduan_connector;

#define S(text) ((char *)(uintptr_t)(text))
#define API     "https://graph.instagram.com/v25.0"
#define DAY     (24 * 3600 * 1000LL)
#define NOW     1789800000000 /* of the fake host */

static struct instagram_settings settings = {
    .api = S(API), .account_id = S("1784"), .page_id = S(""), .access_token = { S("lama"), 4 }
};
static struct instagram_settings facebook = { .api = S("https://graph.facebook.com/v25.0"),
                                              .account_id = S("1784"),
                                              .page_id = S("1100"),
                                              .access_token = { S("TOKEN"), 5 } };

static void *ctx;

static struct fake fake;

static int tear_down(void **state) {
    (void)state;
    ctx = aduan_connector.close(ctx);
    fake_reset(&fake, NULL);
    return 0;
}

static void open_with(const struct instagram_settings *s, const char *kept, const struct play *plays) {
    ctx = aduan_connector.close(ctx);
    fake_reset(&fake, plays);
    snprintf(fake.kept, sizeof(fake.kept), "%s", kept);
    assert_int_equal(aduan_connector.open(&fake.host, s, &ctx), 0);
}

/* ------------------------------------------------------------------------- media */

static void fetch(const char *source, const char *type, const struct play *plays) {
    struct aduan_attachment a = { .name = S("x"), .type = S(type), .size = -1, .source = S(source) };

    open_with(&facebook, "", plays);
    aduan_connector.fetch(ctx, &a, 77);
    fake_run(&fake);
}

static void media_comes_from_metas_hosts_without_the_token(void **state) {
    static const char *const good[] = { "https://lookaside.fbsbx.com/ig_messaging_cdn/?a=1",
                                        "https://scontent.cdninstagram.com/v/a.jpg",
                                        "https://scontent.xx.fbcdn.net/v/a.jpg",
                                        "https://graph.facebook.com/cdn/1" };
    static const char *const bad[] = { "http://lookaside.fbsbx.com/a",
                                       "https://evilfbsbx.com/a",
                                       "https://fbsbx.com.evil.example/a",
                                       "https://evil.example/?.fbsbx.com",
                                       "https://a@b.fbsbx.com/",
                                       "https://127.0.0.1/",
                                       "file:///etc/passwd",
                                       "" };
    const struct play plays[] = { { 0, 200, NULL, "isi!", NULL } };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        char *source = xasprintf("{\"url\":\"%s\"}", good[i]);

        fetch(source, "image/jpeg", plays);
        assert_int_equal(fake.result.outcome, ADUAN_SENT);
        assert_string_equal(fake.asked[0].url, good[i]);
        assert_true(fake.asked[0].foreign && fake.asked[0].to_blob && !fake.asked[0].bearer);
        free(source);
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char *source = xasprintf("{\"url\":\"%s\"}", bad[i]);

        fetch(source, "image/jpeg", plays);
        assert_int_equal(fake.result.outcome, ADUAN_NEVER);
        assert_int_equal(fake.count, 0);
        free(source);
    }
}

static void a_dead_link_is_given_up_and_a_sick_server_is_not(void **state) {
    const struct play dead[] = { { 0, 404, "", NULL, NULL } }, sick[] = { { 0, 500, "", NULL, NULL } };
    const struct play cut[] = { { ADUAN_HTTP_BROKEN, 0, NULL, NULL, NULL } };
    static const char source[] = "{\"url\":\"https://lookaside.fbsbx.com/a\"}";

    (void)state;
    fetch(source, "image/jpeg", dead);
    assert_int_equal(fake.result.outcome, ADUAN_NEVER);
    fetch(source, "image/jpeg", sick);
    assert_int_equal(fake.result.outcome, ADUAN_LATER);
    fetch(source, "image/jpeg", cut);
    assert_int_equal(fake.result.outcome, ADUAN_LATER);
}

/* ---------------------------------------------------------------------- mentions */

static void the_text_of_a_mention_is_stored_alone(void **state) {
    const struct play comment[] = {
        { 0, 200, "{\"mentioned_comment\":{\"text\":\"antre dua jam\",\"username\":\"siti\"},\"id\":\"1\"}",
          NULL, NULL }
    };
    const struct play caption[] = { { 0, 200, "{\"mentioned_media\":{\"caption\":\"\"},\"id\":\"1\"}", NULL,
                                      NULL } };

    (void)state;
    fetch("{\"mentioned_comment\":\"1786\",\"media\":\"1799\"}", "text/plain", comment);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    assert_string_equal(fake.stored, "antre dua jam");
    assert_true(fake.asked[0].bearer);
    assert_string_equal(fake.asked[0].url,
                        "https://graph.facebook.com/v25.0/1784?fields=mentioned_comment.comment_id%28"
                        "1786%29%7Btext%2Ctimestamp%2Cusername%7D");
    fetch("{\"mentioned_media\":\"1799\"}", "text/plain", caption);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    assert_string_equal(fake.stored, "[tanpa teks]");
}

static void a_mention_that_is_gone_is_given_up(void **state) {
    const struct play gone[] = { { 0, 400, "{\"error\":{\"code\":100,\"error_subcode\":33}}", NULL, NULL } };
    const struct play token[] = { { 0, 401, "{\"error\":{\"code\":190}}", NULL, NULL } };
    const struct play empty[] = { { 0, 200, "{\"id\":\"1\"}", NULL, NULL } };

    (void)state;
    fetch("{\"mentioned_comment\":\"1786\"}", "text/plain", gone);
    assert_int_equal(fake.result.outcome, ADUAN_NEVER);
    fetch("{\"mentioned_comment\":\"1786\"}", "text/plain", token);
    assert_int_equal(fake.result.outcome, ADUAN_REFUSED);
    fetch("{\"mentioned_comment\":\"1786\"}", "text/plain", empty);
    assert_int_equal(fake.result.outcome, ADUAN_LATER);
}

/* ------------------------------------------------------------------------- token */

#define RENEWED   "{\"access_token\":\"baru\",\"token_type\":\"bearer\",\"expires_in\":5183944}"
#define ME        "{\"user_id\":\"1784\",\"username\":\"kantor\"}"
#define INSTALLED "{\"data\":[{\"id\":\"1\",\"subscribed_fields\":[\"messages\"]}]}"

static void probe(void) {
    struct aduan_result result;

    aduan_connector.probe(ctx, &result);
    fake.result = result;
}

static void a_token_is_renewed_and_kept_before_it_is_used(void **state) {
    const struct play plays[] = { { 0, 200, RENEWED, NULL, NULL },
                                  { 0, 200, ME, NULL, NULL },
                                  { 0, 200, INSTALLED, NULL, NULL } };
    const struct instagram *ig;
    char kept[1000];

    (void)state;
    open_with(&settings, "", plays);
    probe();
    ig = ctx;
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    assert_string_equal(
        fake.asked[0].url,
        "https://graph.instagram.com/refresh_access_token?grant_type=ig_refresh_token&access_token=lama");
    assert_non_null(strstr(fake.kept, "\"baru\""));
    assert_null(strstr(fake.kept, "lama"));
    assert_string_equal(ig->graph.token->bytes, "baru");
    assert_int_equal(fake.expires, NOW + 5183944 * 1000LL);
    assert_string_equal(fake.fault, "");
    snprintf(kept, sizeof(kept), "%s", fake.kept);

    open_with(&settings, kept, &plays[1]); /* after a restart: kept, and young */
    ig = ctx;
    assert_string_equal(ig->graph.token->bytes, "baru");
    probe();
    assert_int_equal(fake.count, 2);
    assert_int_equal(fake.expires, NOW + 5183944 * 1000LL);
}

static void what_cannot_be_kept_is_not_used(void **state) {
    const struct play plays[] = { { 0, 200, RENEWED, NULL, NULL },
                                  { 0, 200, ME, NULL, NULL },
                                  { 0, 200, INSTALLED, NULL, NULL } };
    const struct instagram *ig;

    (void)state;
    open_with(&settings, "", plays);
    fake.keeping_fails = true;
    probe();
    ig = ctx;
    assert_string_equal(ig->graph.token->bytes, "lama");
}

static char *kept_json(const char *from, int64_t at, int64_t until) {
    char hex[SIGN_HEX256];

    sign_sha256_hex(from, strlen(from), hex);
    return xasprintf("{\"from\":\"%s\",\"token\":\"tersimpan\",\"at\":%lld,\"until\":%lld}", hex, (long long)at,
                     (long long)until);
}

static void another_token_in_the_configuration_counts(void **state) {
    char *kept = kept_json("lebih lama", NOW - DAY, NOW + 50 * DAY);
    const struct instagram *ig;

    (void)state;
    open_with(&settings, kept, NULL);
    ig = ctx;
    assert_string_equal(ig->graph.token->bytes, "lama");
    free(kept);
    kept = kept_json("lama", NOW - DAY, NOW + 50 * DAY);
    open_with(&settings, kept, NULL);
    ig = ctx;
    assert_string_equal(ig->graph.token->bytes, "tersimpan");
    free(kept);
}

static void it_is_renewed_every_week_and_its_end_is_seen(void **state) {
    const struct play refused[] = { { 0, 400, "{\"error\":{\"code\":190}}", NULL, NULL },
                                    { 0, 200, ME, NULL, NULL },
                                    { 0, 200, INSTALLED, NULL, NULL },
                                    { 0, 200, ME, NULL, NULL },
                                    { 0, 200, INSTALLED, NULL, NULL } };
    char *kept = kept_json("lama", NOW - 8 * DAY, NOW + 5 * DAY);

    (void)state;
    open_with(&settings, kept, refused);
    probe();
    assert_int_equal(fake.count, 3);
    assert_non_null(strstr(fake.asked[0].url, "refresh_access_token"));
    assert_non_null(strstr(fake.fault, "segera berakhir"));
    probe(); /* once a day is enough */
    assert_int_equal(fake.count, 5);
    free(kept);
}

static void the_wrong_account_and_a_dead_token_are_said(void **state) {
    const struct play other[] = { { 0, 400, "{\"error\":{\"code\":100}}", NULL, NULL },
                                  { 0, 200, "{\"user_id\":\"9\",\"username\":\"lain\"}", NULL, NULL },
                                  { 0, 200, INSTALLED, NULL, NULL } };
    const struct play dead[] = { { 0, 401, "{\"error\":{\"code\":190}}", NULL, NULL },
                                 { 0, 401, "{\"error\":{\"code\":190}}", NULL, NULL } };

    (void)state;
    open_with(&settings, "", other);
    probe();
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    assert_non_null(strstr(fake.fault, "account_id"));
    open_with(&settings, "", dead);
    probe();
    assert_int_equal(fake.result.outcome, ADUAN_REFUSED);
    assert_non_null(strstr(fake.fault, "Token"));
}

static void a_lost_subscription_is_put_back(void **state) {
    const struct play plays[] = { { 0, 400, "{\"error\":{\"code\":100}}", NULL, NULL },
                                  { 0, 200, ME, NULL, NULL },
                                  { 0, 200, "{\"data\":[]}", NULL, NULL },
                                  { 0, 200, "{\"success\":true}", NULL, NULL } };

    (void)state;
    open_with(&settings, "", plays);
    probe();
    assert_string_equal(fake.asked[3].method, "POST");
    assert_non_null(strstr(fake.asked[3].url, "/me/subscribed_apps?subscribed_fields=messages,"));
    assert_non_null(strstr(fake.fault, "dipasang kembali"));
}

static void a_pages_token_is_looked_up(void **state) {
    const struct play plays[] = {
        { 0, 200, "{\"username\":\"kantor\",\"id\":\"1784\"}", NULL, NULL },
        { 0, 200,
          "[{\"code\":200,\"body\":\"{\\\"data\\\":{\\\"is_valid\\\":true,\\\"expires_at\\\":1790000000}}\"}]",
          NULL, NULL }
    };

    (void)state;
    open_with(&facebook, "", plays);
    probe();
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    assert_string_equal(fake.asked[0].url, "https://graph.facebook.com/v25.0/1784?fields=username");
    assert_true(fake.asked[0].bearer);
    assert_int_equal(fake.expires, 1790000000000);
    assert_non_null(strstr(fake.fault, "segera berakhir"));
    assert_int_equal(fake.count, 2); /* no refresh: such a token has none */
}

/* ---------------------------------------------------------------------- settings */

static void the_login_follows_from_the_address(void **state) {
    struct instagram_settings s = settings;

    (void)state;
    assert_false(instagram_by_facebook(&s));
    s.api = S("https://graph.facebook.com/v25.0");
    assert_true(instagram_by_facebook(&s));
    s.login = INSTAGRAM_BY_INSTAGRAM;
    assert_false(instagram_by_facebook(&s));
    s.login = INSTAGRAM_AUTO;
    s.api = S("http://127.0.0.1:9/v25.0");
    assert_false(instagram_by_facebook(&s));
    s.page_id = S("1100");
    assert_true(instagram_by_facebook(&s));
}

#define TEST(f) cmocka_unit_test_teardown(f, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(media_comes_from_metas_hosts_without_the_token),
        TEST(a_dead_link_is_given_up_and_a_sick_server_is_not),
        TEST(the_text_of_a_mention_is_stored_alone),
        TEST(a_mention_that_is_gone_is_given_up),
        TEST(a_token_is_renewed_and_kept_before_it_is_used),
        TEST(what_cannot_be_kept_is_not_used),
        TEST(another_token_in_the_configuration_counts),
        TEST(it_is_renewed_every_week_and_its_end_is_seen),
        TEST(the_wrong_account_and_a_dead_token_are_said),
        TEST(a_lost_subscription_is_put_back),
        TEST(a_pages_token_is_looked_up),
        TEST(the_login_follows_from_the_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
