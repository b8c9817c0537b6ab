/* kit/sign against published vectors. */
#include "kit/sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void sha256_of_fips_180(void **state) {
    char hex[SIGN_HEX256];
    struct sign_stream *s = sign_stream_new();

    (void)state;
    sign_sha256_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sign_stream_add(s, "a", 1);
    sign_stream_add(s, "bc", 2);
    sign_stream_hex(s, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_null(sign_stream_free(s));
}

static void hmac_of_rfc_4231_and_2202(void **state) {
    uint8_t mac[SIGN_SHA256];
    char hex[SIGN_HEX256];

    (void)state;
    sign_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, mac);
    sign_hex(mac, 32, hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    sign_hmac_sha1("Jefe", 4, "what do ya want for nothing?", 28, mac);
    sign_hex(mac, 20, hex);
    assert_string_equal(hex, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

static void base64_of_rfc_4648(void **state) {
    static const char *const plain[] = { "", "f", "fo", "foo", "foob", "fooba", "foobar" };
    static const char *const coded[] = { "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
    size_t i, n;

    (void)state;
    for (i = 0; i < 7; i++) {
        char *s = sign_base64(plain[i], strlen(plain[i]));
        uint8_t *back;

        assert_string_equal(s, coded[i]);
        back = sign_unbase64(s, strlen(s), &n);
        assert_non_null(back);
        assert_int_equal(n, strlen(plain[i]));
        assert_memory_equal(back, plain[i], n);
        free(back);
        free(s);
    }
    assert_null(sign_unbase64("Zg=", 3, &n));
    assert_null(sign_unbase64("Z*==", 4, &n));
    char *url = sign_base64url("\xfb\xff\xfe\x01", 4);
    assert_string_equal(url, "-__-AQ");
    free(url);
}

static void hex_both_ways(void **state) {
    uint8_t bytes[2];
    char hex[5];

    (void)state;
    assert_int_equal(sign_unhex("fA0c", 4, bytes), 0);
    sign_hex(bytes, 2, hex);
    assert_string_equal(hex, "fa0c");
    assert_int_equal(sign_unhex("fg", 2, bytes), -1);
    assert_int_equal(sign_unhex("f", 1, bytes), -1);
}

static void equal_compares_length_too(void **state) {
    (void)state;
    assert_true(sign_equal("abc", 3, "abc", 3));
    assert_false(sign_equal("abc", 3, "abd", 3));
    assert_false(sign_equal("abc", 3, "abcd", 4));
    assert_true(sign_equal("", 0, "", 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_of_fips_180),        cmocka_unit_test(hmac_of_rfc_4231_and_2202),
        cmocka_unit_test(base64_of_rfc_4648),        cmocka_unit_test(hex_both_ways),
        cmocka_unit_test(equal_compares_length_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
