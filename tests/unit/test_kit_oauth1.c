/* OAuth 1.0a against every published vector (platforms/x.md 5.1), and its own corners. */
#include "kit/oauth1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S(s)                                                                                                   \
    { (char *)(uintptr_t)s, sizeof(s) - 1 }

static const struct aduan_secret vendor[] = { S("xvz1evFS4wEEPTGEFPHBog"),
                                              S("kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw"),
                                              S("370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb"),
                                              S("LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE") };
static const struct aduan_secret own[] = { S("CK_contoh"), S("CS_contoh&rahasia"), S("111-TK_contoh"),
                                           S("TS_contoh/rahasia") };

static struct oauth1 oauth(const struct aduan_secret *s, const char *nonce, int64_t time) {
    return (struct oauth1){ &s[0], &s[1], &s[2], &s[3], nonce, time };
}

static void signs(const struct oauth1 *o, const char *method, const char *url, const char *form,
                  const char *wanted) {
    char *signature = oauth1_signature(o, method, url, form);

    assert_string_equal(signature, wanted);
    free(signature);
}

static void the_vendors_example_in_its_three_editions(void **state) {
    const struct oauth1 o = oauth(vendor, "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg", 1318622958);
    const char *form = "status=Hello%20Ladies%20%2B%20Gentlemen%2C%20a%20signed%20OAuth%20request%21";

    (void)state;
    signs(&o, "POST", "https://api.x.com/1.1/statuses/update.json?include_entities=true", form,
          "Ls93hJiZbQ3akF3HF3x1Bz8/zU4=");
    signs(&o, "POST", "https://api.twitter.com/1.1/statuses/update.json?include_entities=true", form,
          "hCtSmYh+iHYCEqBWrE7C7hYmtUk=");
    signs(&o, "POST", "https://api.twitter.com/1/statuses/update.json?include_entities=true", form,
          "tnnArxj06cWHq44gCs1OSKk/jLY=");
    /* a form writes a space as '+', too */
    signs(&o, "POST", "https://api.x.com/1.1/statuses/update.json?include_entities=true",
          "status=Hello+Ladies+%2b+Gentlemen,+a+signed+OAuth+request!", "Ls93hJiZbQ3akF3HF3x1Bz8/zU4=");
}

static void the_two_calls_that_we_make(void **state) {
    const struct oauth1 o = oauth(own, "nonceContoh0001", 1790000000);
    const char *url =
        "https://api.x.com/2/users/1234567890/mentions?tweet.fields=author_id,created_at&expansions="
        "author_id&max_results=100&since_id=1950000000000000000";
    char *base = oauth1_base(&o, "GET", url, NULL), *header = oauth1_header(&o, "GET", url, NULL);

    (void)state;
    assert_string_equal(
        base,
        "GET&https%3A%2F%2Fapi.x.com%2F2%2Fusers%2F1234567890%2Fmentions&expansions%3Dauthor_id%26max_results%"
        "3D100%26oauth_consumer_key%3DCK_contoh%26oauth_nonce%3DnonceContoh0001%26oauth_signature_method%"
        "3DHMAC-"
        "SHA1%26oauth_timestamp%3D1790000000%26oauth_token%3D111-TK_contoh%26oauth_version%3D1.0%26since_id%"
        "3D1950000000000000000%26tweet.fields%3Dauthor_id%252Ccreated_at");
    assert_string_equal(header,
                        "OAuth oauth_consumer_key=\"CK_contoh\", oauth_nonce=\"nonceContoh0001\", "
                        "oauth_signature=\"L9Lz%2FM8BhsaQ5bE9fe097Dww0xU%3D\", oauth_signature_method=\"HMAC-"
                        "SHA1\", oauth_timestamp=\"1790000000\", oauth_token=\"111-TK_contoh\", "
                        "oauth_version=\"1.0\"");
    free(base);
    free(header);
    signs(&o, "POST", "https://api.x.com/2/dm_conversations/with/9876543210/messages", NULL,
          "Iddf7cwTJ6ppB0pVzv2SzNnq14Q=");
}

/* RFC 5849 3.4.1.3.2: by name, then by value; a name that is the beginning of another comes first. */
static void pairs_are_sorted_by_their_bytes(void **state) {
    const struct oauth1 o = oauth(own, "n", 1);
    char *base = oauth1_base(&o, "GET", "http://x/?a-b=1&a=2&a=1&A=&b", NULL);

    (void)state;
    assert_non_null(strstr(base, "&A%3D%26a%3D1%26a%3D2%26a-b%3D1%26b%3D%26oauth_consumer_key"));
    free(base);
}

static void absent_secrets_sign_nothing_that_harms(void **state) {
    const struct aduan_secret none[4] = { { NULL, 0 } };
    const struct oauth1 o = oauth(none, "n", 1);
    char *signature = oauth1_signature(&o, "GET", "http://x/", NULL);

    (void)state;
    assert_int_equal(strlen(signature), 28);
    free(signature);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vendors_example_in_its_three_editions),
        cmocka_unit_test(the_two_calls_that_we_make),
        cmocka_unit_test(pairs_are_sorted_by_their_bytes),
        cmocka_unit_test(absent_secrets_sign_nothing_that_harms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
