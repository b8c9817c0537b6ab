/* test_ctl_paper.c: pages to print hold what was said as words, never as markup. */
#include "desk/ctl/paper.h"

#include "connectors/kit/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char hostile[] = "</td><script>alert(1)</script><img src=x onerror='a'>\"&\x1b[2J\xe2\x80\xae";

static size_t count(const char *page, const char *what) {
    size_t n = 0;
    for (const char *p = page; (p = strstr(p, what)) != NULL; p++) {
        n++;
    }
    return n;
}

/* Whatever came from outside, a page has the tags that a harmless one has. */
static void check_page(char *page, size_t tags) {
    assert_int_equal(count(page, "<"), tags);
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "<img"));
    assert_null(strchr(page, '\x1b'));
    assert_null(strstr(page, "\xe2\x80\xae"));
    assert_null(strstr(page, "://"));
    assert_non_null(strstr(page, "default-src 'none'"));
    assert_non_null(strstr(page, "&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert_true(text_is_utf8(page, strlen(page)));
    free(page);
}

static json_t *receipt_of(const char *value) {
    static const char *const fields[] = { "tanggal_terima",     "kanal",   "petugas", "nama", "ringkasan",
                                          "daftar_kelengkapan", "tenggat", "text" };
    json_t *r = json_object(), *answer = json_object();
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        json_object_set_new(r, fields[i], json_string(value));
    }
    json_object_set_new(answer, "number", json_string(value));
    json_object_set(answer, "receipt_id", r);
    json_object_set_new(answer, "receipt_en", r);
    return answer;
}

static void a_receipt_holds_no_markup_of_the_citizens(void **state) {
    (void)state;
    json_t *plain = receipt_of("a"), *bad = receipt_of(hostile);
    char *page = paper_receipt("Kantor", plain);
    size_t tags = count(page, "<");
    free(page);
    check_page(paper_receipt(hostile, bad), tags);
    json_decref(plain);
    json_decref(bad);
}

static json_t *item_of(const char *way, const char *value) {
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "way", way, "number", value, "name", value, "phone",
                     value, "address", value, "summary", value);
}

static void an_answer_holds_none_either(void **state) {
    static const char *const ways[] = { "letter", "call", "hand", "paste", "send" };
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        json_t *plain = item_of(ways[i], "a"), *bad = item_of(ways[i], hostile);
        char *page = paper_answer("Kantor", plain, "a", "a");
        size_t tags = count(page, "<");
        free(page);
        check_page(paper_answer(hostile, bad, hostile, hostile), tags);
        json_decref(plain);
        json_decref(bad);
    }
}

static void what_is_unknown_is_left_to_be_written(void **state) {
    (void)state;
    json_t *item = json_pack("{s:s, s:s}", "way", "call", "number", "TPI-2026-000001");
    char *page = paper_answer("Kantor", item, "Sudah selesai.", NULL);
    assert_non_null(strstr(page, "…………"));
    assert_non_null(strstr(page, "Sudah selesai."));
    free(page);
    json_decref(item);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receipt_holds_no_markup_of_the_citizens),
        cmocka_unit_test(an_answer_holds_none_either),
        cmocka_unit_test(what_is_unknown_is_left_to_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
