/* What kit/text promises: any bytes become safe text, and nothing else changes. */
#include "kit/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct pair {
    const char *in, *out;
};

static void any_bytes_become_utf8(void **state) {
    static const struct pair cases[] = {
        { "halo", "halo" },
        { "a\r\nb\rc\n", "a\nb\nc\n" },
        { "\xff\xfe", "\xEF\xBF\xBD\xEF\xBF\xBD" },
        { "\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD" },                 /* overlong '/' */
        { "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" }, /* surrogate */
        { "\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
        { "\xE2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD" }, /* cut off */
        { "\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *s = text_clean(cases[i].in, strlen(cases[i].in));

        assert_string_equal(s, cases[i].out);
        assert_true(text_is_utf8(s, strlen(s)));
        free(s);
    }
    char *s = text_clean("a\0b", 3);
    assert_string_equal(s, "ab");
    free(s);
    assert_false(text_is_utf8("a\0b", 3));
    for (size_t at = 0; at < 27; at++) { /* wherever it stands among the eights that are looked at together */
        char plain[28] = "abcdefghijklmnopqrstuvwxyz\x7f";

        plain[at] = '\x01';
        assert_true(text_is_utf8(plain, 27));
        plain[at] = '\0';
        assert_false(text_is_utf8(plain, 27));
        plain[at] = '\x80';
        assert_false(text_is_utf8(plain, 27));
    }
}

static void random_bytes_never_fail(void **state) {
    unsigned char bytes[257];
    unsigned seed = 42;
    int round;

    (void)state;
    for (round = 0; round < 2000; round++) {
        size_t i, n = (size_t)rand_r(&seed) % sizeof(bytes);
        char *s;

        for (i = 0; i < n; i++)
            bytes[i] = (unsigned char)rand_r(&seed);
        s = text_clean(bytes, n);
        assert_true(text_is_utf8(s, strlen(s)));
        free(s);
        s = text_clean_line(bytes, n, 40);
        assert_true(strlen(s) <= 40 && text_is_utf8(s, strlen(s)) && strpbrk(s, "\r\n\t") == NULL);
        free(s);
        s = text_clean_filename(bytes, n);
        assert_true(s[0] != '\0' && s[0] != '.' && strpbrk(s, "/\\:*?\"<>|\n") == NULL && strlen(s) <= 255);
        free(s);
    }
}

static void file_names_are_safe(void **state) {
    static const struct pair cases[] = {
        { "../../etc/passwd", "passwd" },
        { "C:\\Users\\x\\bukti.pdf", "bukti.pdf" },
        { "...", "lampiran" },
        { "", "lampiran" },
        { "foto\xE2\x80\xAEgpj.exe", "fotogpj.exe" }, /* right-to-left override */
        { "a?b*.txt. ", "a_b_.txt" },
        { ".htaccess", "htaccess" },
    };
    char big[400];
    size_t i;
    char *s;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        s = text_clean_filename(cases[i].in, strlen(cases[i].in));
        assert_string_equal(s, cases[i].out);
        free(s);
    }
    memset(big, 'n', sizeof(big));
    memcpy(big + sizeof(big) - 5, ".pdf", 5);
    s = text_clean_filename(big, strlen(big));
    assert_true(strlen(s) == 255 && text_ends(s, ".pdf"));
    free(s);
}

static void cut_never_splits_a_character(void **state) {
    const char *s = "a\xE2\x82\xAC"
                    "b"; /* a € b */

    (void)state;
    assert_int_equal(text_cut(s, 1), 1);
    assert_int_equal(text_cut(s, 2), 1);
    assert_int_equal(text_cut(s, 3), 1);
    assert_int_equal(text_cut(s, 4), 4);
    assert_int_equal(text_cut(s, 99), 5);
    assert_int_equal(text_characters(s), 3);
}

static void numbers_are_whole_or_refused(void **state) {
    int64_t v = 7;

    (void)state;
    assert_int_equal(text_parse_int("42", 0, 100, &v), 0);
    assert_int_equal(v, 42);
    assert_int_equal(text_parse_int("-3", -5, 5, &v), 0);
    assert_int_equal(v, -3);
    assert_int_equal(text_parse_int("101", 0, 100, &v), -1);
    assert_int_equal(text_parse_int("9223372036854775808", 0, INT64_MAX, &v), -1);
    assert_int_equal(text_parse_int("1x", 0, 100, &v), -1);
    assert_int_equal(text_parse_int(" 1", 0, 100, &v), -1);
    assert_int_equal(text_parse_int("", 0, 100, &v), -1);
    assert_int_equal(v, -3);
}

static void distance_suggests_the_nearest(void **state) {
    (void)state;
    assert_int_equal(text_distance("mailbox", "mailbox"), 0);
    assert_int_equal(text_distance("maibox", "mailbox"), 1);
    assert_int_equal(text_distance("", "abc"), 3);
    assert_int_equal(text_distance("kitten", "sitting"), 3);
}

static void strings_grow(void **state) {
    struct text t = TEXT_INIT;
    char *s;
    int i;

    (void)state;
    for (i = 0; i < 1000; i++)
        text_addf(&t, "%d,", i);
    assert_int_equal(t.len, strlen(t.s));
    text_reset(&t);
    text_add_codepoint(&t, 0x20AC);
    text_add_codepoint(&t, 0xD800);
    s = text_steal(&t);
    assert_string_equal(s, "\xE2\x82\xAC\xEF\xBF\xBD");
    free(s);
    s = text_steal(&t);
    assert_string_equal(s, "");
    free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_bytes_become_utf8),
        cmocka_unit_test(random_bytes_never_fail),
        cmocka_unit_test(file_names_are_safe),
        cmocka_unit_test(cut_never_splits_a_character),
        cmocka_unit_test(numbers_are_whole_or_refused),
        cmocka_unit_test(distance_suggests_the_nearest),
        cmocka_unit_test(strings_grow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
