/* Media from Graph in two steps, and the probe, against a host whose transfers the test plays. */
#include "connector.h"

#include "kit/json.h"
#include "kit/sign.h"
#include "kit/text.h"

#include "fake_host.h"

#include "../../connectors/whatsapp/whatsapp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct aduan_connector aduan_connector;

static struct whatsapp_settings settings = {
    .api = (char *)(uintptr_t) "https://graph.facebook.com/v25.0",
    .phone_number_id = (char *)(uintptr_t) "1065",
    .access_token = { (char *)(uintptr_t) "TOKEN", 5 },
    .opener = { (char *)(uintptr_t) "buka", (char *)(uintptr_t) "id" },
};

static void *ctx;

static struct fake fake;

static int set_up(void **state) {
    (void)state;
    fake_reset(&fake, NULL);
    return aduan_connector.open(&fake.host, &settings, &ctx);
}

static int tear_down(void **state) {
    (void)state;
    ctx = aduan_connector.close(ctx);
    fake_reset(&fake, NULL);
    return 0;
}

static struct aduan_attachment picture(void) {
    return (struct aduan_attachment){ .name = (char *)(uintptr_t) "x.jpg",
                                      .type = (char *)(uintptr_t) "image/jpeg",
                                      .size = -1,
                                      .state = ADUAN_ATTACHMENT_PENDING };
}

/* ------------------------------------------------------------------------ media */

#define LINK(url) "{\"url\":\"" url "\",\"mime_type\":\"image/jpeg\",\"file_size\":4}"
#define LOOKASIDE "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1"

static void fetch_by(const char *source, const struct play *plays) {
    struct aduan_attachment a = picture();

    a.source = (char *)(uintptr_t)source;
    fake_reset(&fake, plays);
    aduan_connector.fetch(ctx, &a, 77);
    fake_run(&fake);
}

static void media_comes_in_two_steps(void **state) {
    const struct play plays[] = { { 0, 200, LINK(LOOKASIDE), NULL, NULL }, { 0, 200, NULL, "isi!", NULL } };
    char hex[SIGN_HEX256];

    (void)state;
    fetch_by("{\"id\":\"100/3\",\"phone_number_id\":\"42\"}", plays);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    sign_sha256_hex("isi!", 4, hex);
    assert_string_equal(fake.sha256, hex);
    assert_string_equal(fake.asked[0].url, "https://graph.facebook.com/v25.0/100%2F3?phone_number_id=42");
    assert_false(fake.asked[0].to_blob);
    assert_string_equal(fake.asked[1].url, LOOKASIDE);
    assert_true(fake.asked[1].bearer && fake.asked[1].foreign && fake.asked[1].to_blob);
}

static void an_expired_link_is_asked_for_again(void **state) {
    const struct play plays[] = { { 0, 200, LINK(LOOKASIDE), NULL, NULL },
                                  { 0, 404, "", NULL, NULL },
                                  { 0, 200, LINK(LOOKASIDE), NULL, NULL },
                                  { 0, 200, NULL, "isi!", NULL } };
    const struct play always[] = { { 0, 200, LINK(LOOKASIDE), NULL, NULL }, { 0, 404, "", NULL, NULL },
                                   { 0, 200, LINK(LOOKASIDE), NULL, NULL }, { 0, 404, "", NULL, NULL },
                                   { 0, 200, LINK(LOOKASIDE), NULL, NULL }, { 0, 404, "", NULL, NULL } };

    (void)state;
    fetch_by("{\"id\":\"1\"}", plays);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    assert_int_equal(fake.count, 4);
    fetch_by("{\"id\":\"1\"}", always);
    assert_int_equal(fake.result.outcome, ADUAN_LATER);
    assert_int_equal(fake.count, 6);
}

/* Both encodings have been seen (section 6); what matches neither is fetched again. */
static void the_digest_is_compared_in_either_encoding(void **state) {
    const struct play plays[] = { { 0, 200, LINK(LOOKASIDE), NULL, NULL }, { 0, 200, NULL, "isi!", NULL } };
    uint8_t digest[SIGN_SHA256];
    char hex[SIGN_HEX256], *base64, *source;

    (void)state;
    sign_sha256("isi!", 4, digest);
    sign_hex(digest, sizeof(digest), hex);
    base64 = sign_base64(digest, sizeof(digest));
    source = xasprintf("{\"id\":\"1\",\"sha256\":\"%s\"}", base64);
    fetch_by(source, plays);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    free(source);
    source = xasprintf("{\"id\":\"1\",\"sha256\":\"%s\"}", hex);
    fetch_by(source, plays);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    source[20] ^= 1;
    fetch_by(source, plays);
    assert_int_equal(fake.result.outcome, ADUAN_LATER);
    assert_string_equal(fake.sha256, "");
    free(source);
    free(base64);
}

static void the_token_goes_to_meta_only(void **state) {
    static const char *const away[] = {
        LINK("https://evil.example/x"),
        LINK("http://lookaside.fbsbx.com/x"),
        LINK("https://fbsbx.com.evil.example/x"),
        LINK("https://evilfbsbx.com/x"),
        LINK("https://x@evil.example/.fbsbx.com"),
        LINK("https://evil.example?.fbsbx.com"),
        LINK("https://evil.example#.fbsbx.com"),
        LINK("ftp://lookaside.fbsbx.com/x"),
        LINK("https://graph.facebook.com.evil/x"),
        LINK("https://user@lookaside.fbsbx.com/x"),
        LINK("https://evil.example\\\\.fbsbx.com/x"),
    };
    struct play plays[2] = { { 0, 200, NULL, NULL, NULL }, { 0, 200, NULL, "isi!", NULL } };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(away) / sizeof(away[0]); i++) {
        plays[0].body = away[i];
        fetch_by("{\"id\":\"1\"}", plays);
        if (fake.count != 1)
            fail_msg("the token went to %s", fake.asked[1].url);
        assert_int_equal(fake.result.outcome, ADUAN_NEVER);
    }
    plays[0].body = LINK("https://graph.facebook.com/bytes/1");
    fetch_by("{\"id\":\"1\"}", plays);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
}

static void media_that_is_gone_is_given_up(void **state) {
    const struct play gone[] = { { 0, 400, "{\"error\":{\"code\":100,\"message\":\"does not exist\"}}", NULL,
                                   NULL } };
    const struct play large[] = { { 0, 200, "{\"url\":\"" LOOKASIDE "\",\"file_size\":104857601}", NULL,
                                    NULL } };
    const struct play token[] = { { 0, 401, "{\"error\":{\"code\":190,\"message\":\"x\"}}", NULL, NULL } };
    const struct play broken[] = { { 0, 200, LINK(LOOKASIDE), NULL, NULL },
                                   { ADUAN_HTTP_BROKEN, 0, 0, NULL, NULL } };

    (void)state;
    fetch_by("{\"id\":\"1\"}", gone);
    assert_int_equal(fake.result.outcome, ADUAN_NEVER);
    fetch_by("{\"id\":\"1\"}", large);
    assert_int_equal(fake.result.outcome, ADUAN_NEVER);
    fetch_by("{\"id\":\"1\"}", token);
    assert_int_equal(fake.result.outcome, ADUAN_REFUSED);
    fetch_by("{\"id\":\"1\"}", broken);
    assert_int_equal(fake.result.outcome, ADUAN_LATER);
    fetch_by("bukan json", NULL);
    assert_int_equal(fake.result.outcome, ADUAN_NEVER);
}

static void the_probe_tells_when_the_token_ends(void **state) {
    const struct play plays[] = {
        { 0, 200, "{\"quality_rating\":\"RED\"}", NULL, NULL },
        { 0, 200, "[{\"code\":200,\"body\":\"{\\\"data\\\":{\\\"expires_at\\\":1800000000}}\"}]", NULL, NULL }
    };
    const struct play revoked[] = { { 0, 401, "{\"error\":{\"code\":190,\"message\":\"revoked\"}}", NULL,
                                      NULL } };
    struct aduan_result r;

    (void)state;
    fake_reset(&fake, plays);
    aduan_connector.probe(ctx, &r);
    assert_int_equal(r.outcome, ADUAN_SENT);
    assert_int_equal(fake.expires, 1800000000000);
    assert_non_null(strstr(fake.fault, "merah"));
    assert_non_null(strstr(fake.asked[1].form, "input_token=TOKEN")); /* in the body, never in a URL */
    fake_reset(&fake, revoked);
    aduan_connector.probe(ctx, &r);
    assert_int_equal(r.outcome, ADUAN_REFUSED);
    assert_true(fake.fault[0] != '\0');
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(media_comes_in_two_steps),
        TEST(an_expired_link_is_asked_for_again),
        TEST(the_digest_is_compared_in_either_encoding),
        TEST(the_token_goes_to_meta_only),
        TEST(media_that_is_gone_is_given_up),
        TEST(the_probe_tells_when_the_token_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
