/* test_policy_template.c: the texts an office sends, whole or refused at start. */
#include "desk/template.h"

#include "tests/unit/test_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct templates *load(void) {
    struct faults f = { NULL, 0 };
    struct templates *t = templates_load(policy_dir, &f);
    print_faults(&f);
    assert_int_equal(f.count, 0);
    return t;
}

static const struct template_value receipt[] = {
    { "nama", "Siti Aminah" },
    { "nomor_tiket", "TPI-2026-000123" },
    { "tanggal_terima", "Senin, 5 Oktober 2026 pukul 09.12 WIB" },
    { "tenggat", "Kamis, 8 Oktober 2026 pukul 16.00 WIB" },
};

static void the_receipt_in_both_languages(void **state) {
    (void)state;
    struct templates *t = load();
    struct text out = TEXT_INIT;
    char why[200] = "";
    assert_int_equal(template_render(t, "id", "R-01", receipt, 4, &out, why, sizeof why), 0);
    assert_true(text_starts(out.s, "Yth. Siti Aminah,\nterima kasih telah menghubungi "));
    assert_non_null(strstr(out.s, "dengan nomor TPI-2026-000123 pada Senin, 5 Oktober 2026 pukul 09.12 WIB. "));
    assert_non_null(strstr(out.s, "paling lambat Kamis, 8 Oktober 2026 pukul 16.00 WIB."));
    assert_true(text_ends(out.s, "Hormat kami, Tim Pengelola Pengaduan"));
    assert_null(strstr(out.s, "*"));
    assert_null(strstr(out.s, "#"));
    text_reset(&out);
    assert_int_equal(template_render(t, "en", "R-01", receipt, 4, &out, why, sizeof why), 0);
    assert_true(text_starts(out.s, "Dear Siti Aminah,\nThank you"));
    text_free(&out);
    templates_free(t);
}

static void a_value_that_is_not_set_is_an_error_and_no_hole(void **state) {
    (void)state;
    struct templates *t = load();
    struct text out = TEXT_INIT;
    char why[200] = "";
    text_add(&out, "before");
    assert_int_equal(template_render(t, "id", "R-01", receipt, 3, &out, why, sizeof why), -1);
    assert_string_equal(why, "text R-01 needs \"tenggat\", which is not set");
    assert_string_equal(out.s, "before");
    struct template_value empty[] = { { "tanggal_mulai", "" } };
    assert_int_equal(template_render(t, "id", "R-01L", empty, 1, &out, why, sizeof why), -1);
    assert_int_equal(template_render(t, "id", "R-99", receipt, 4, &out, why, sizeof why), -1);
    assert_string_equal(out.s, "before");
    text_free(&out);
    templates_free(t);
}

static void values_are_never_expanded(void **state) {
    (void)state;
    struct templates *t = load();
    struct text out = TEXT_INIT;
    char why[200] = "";
    struct template_value v[] = { { "nama", "{{nomor_tiket}} **x** [[? a" },
                                  { "nomor_tiket", "T-1" },
                                  { "tenggat", "besok" } };
    assert_int_equal(template_render(t, "id", "R-13", v, 3, &out, why, sizeof why), 0);
    assert_true(text_starts(out.s, "Yth. {{nomor_tiket}} **x** [[? a, laporan T-1 kami buka kembali"));
    text_free(&out);
    templates_free(t);
}

static void a_block_is_printed_only_when_its_value_is_set(void **state) {
    (void)state;
    struct templates *t = load();
    struct text out = TEXT_INIT;
    char why[200] = "";
    struct template_value v[] = {
        { "nama", "Budi" },
        { "nomor_tiket", "T-1" },
        { "ringkasan", "antrean" },
        { "jawaban", "Sudah diperbaiki." },
        { "petugas_jabatan", "Rina, petugas" },
        { "permohonan_maaf", NULL },
    };
    assert_int_equal(template_render(t, "id", "R-05", v, 6, &out, why, sizeof why), 0);
    assert_non_null(strstr(out.s, "Sudah diperbaiki.\nApabila jawaban ini"));
    assert_null(strstr(out.s, "mohon maaf"));
    text_reset(&out);
    v[5].value = "ya";
    assert_int_equal(template_render(t, "id", "R-05", v, 6, &out, why, sizeof why), 0);
    assert_non_null(
        strstr(out.s, "Sudah diperbaiki.\nAtas ketidaknyamanan yang dialami, kami mohon maaf. Apabila"));
    text_reset(&out);
    struct template_value nine[] = {
        { "nama", "B" }, { "nomor_tiket", "T" }, { "seksi", "Lantaskim" }, { "jawaban", "J" }
    };
    assert_int_equal(template_render(t, "en", "R-09", nine, 4, &out, why, sizeof why), 0);
    assert_non_null(strstr(out.s, "we can tell you:\nJ\nIf you disagree")); /* no empty lines are left */
    text_reset(&out);
    struct template_value eleven[] = { { "nama", "B" },
                                       { "nomor_tiket", "T" },
                                       { "instansi_tujuan", "Dukcapil" } };
    assert_int_equal(template_render(t, "id", "R-11", eleven, 3, &out, why, sizeof why), 0);
    assert_non_null(strstr(out.s, "kewenangan Dukcapil. Terima kasih")); /* no double blanks */
    text_free(&out);
    templates_free(t);
}

static void common_values_come_from_their_file(void **state) {
    (void)state;
    struct templates *t = load();
    struct text out = TEXT_INIT;
    char why[200] = "";
    struct template_value v[] = { { "jawaban", "Sudah." } };
    assert_int_equal(template_render(t, "id", "R-22", v, 1, &out, why, sizeof why), 0);
    assert_non_null(strstr(out.s, "(0771) 21073"));
    text_free(&out);
    templates_free(t);
}

static void emergency_numbers_only_once_the_office_has_set_them(void **state) {
    (void)state;
    struct templates *t = load();
    struct text out = TEXT_INIT;
    char why[200] = "";
    struct template_value v[] = { { "tanggal_mulai", "Senin" } };
    assert_int_equal(template_render(t, "id", "R-01L", v, 1, &out, why, sizeof why), 0);
    assert_true(text_ends(out.s, "dihitung mulai Senin."));
    templates_free(t);
    text_reset(&out);
    policy_write("templates/id/common.conf", "darurat = \"110 (Polri) atau 112\";");
    t = load();
    assert_int_equal(template_render(t, "id", "R-01L", v, 1, &out, why, sizeof why), 0);
    assert_true(text_ends(out.s, "silakan segera menghubungi 110 (Polri) atau 112."));
    policy_command("cp '%s'/conf/templates/id/common.conf '%s'/templates/id/", SOURCE_DIR, policy_dir);
    text_free(&out);
    templates_free(t);
}

static void an_unknown_language_is_answered_in_indonesian(void **state) {
    (void)state;
    struct templates *t = load();
    struct text out = TEXT_INIT;
    char why[200] = "";
    assert_int_equal(template_render(t, "ms", "R-14", NULL, 0, &out, why, sizeof why), 0);
    assert_true(text_starts(out.s, "Halo Kak"));
    assert_string_equal(template_fallback_name("ms"), "Bapak/Ibu");
    assert_string_equal(template_fallback_name("en"), "Sir or Madam");
    text_free(&out);
    templates_free(t);
}

static void only_the_public_texts_are_public(void **state) {
    (void)state;
    assert_true(template_is_public("R-14"));
    assert_true(template_is_public("R-14F"));
    assert_false(template_is_public("R-01"));
    assert_false(template_is_public("R-99"));
}

static void spoilt(const char *name, const char *content, const char *expected) {
    policy_write(name, content);
    struct faults f = { NULL, 0 };
    templates_free(templates_load(policy_dir, &f));
    if (!has_fault(&f, expected)) {
        print_faults(&f);
        fail_msg("no fault says \"%s\"", expected);
    }
    faults_clear(&f);
    char *from = xasprintf("%s/conf/%s", SOURCE_DIR, name), *to = xasprintf("%s/%s", policy_dir, name);
    policy_command("cp '%s' '%s'", from, to);
    free(from);
    free(to);
}

static void faults_name_file_and_line(void **state) {
    (void)state;
    spoilt("templates/id/R-13.txt", "# x\n\nYth. {{nama}},\n{{nomor_tikt}}",
           "templates/id/R-13.txt:4: nomor_tikt: unknown value");
    spoilt("templates/id/R-13.txt", "Yth.\n{{nama", "R-13.txt:2: \"{{\" must be followed");
    spoilt("templates/id/R-13.txt", "Yth.\n{{ }}", "R-13.txt:2: \"{{\" must be followed");
    spoilt("templates/en/R-13.txt", "a\n[[? tenggat b\nc\n",
           "templates/en/R-13.txt:2: tenggat: \"[[?\" is never closed");
    spoilt("templates/en/R-13.txt", "a ]] b", "R-13.txt:1: \"]]\" without");
    spoilt("templates/en/R-13.txt", "a }} b", "R-13.txt:1: \"}}\" without");
    spoilt("templates/en/R-13.txt", "[[? nama [[? tenggat x]] ]]", "\"[[?\" inside another one");
    spoilt("templates/en/R-13.txt", "# only a remark\n", "holds no text");
    spoilt("templates/id/R-13.txt", "caf\xe9", "is not UTF-8");
    spoilt("templates/id/R-14.txt", "Halo {{nama}}", "R-14.txt:1: nama: a public text must not hold any value");
    spoilt("templates/id/R-14.txt", "[[? telp Halo]]", "telp: a public text must not hold any value");
    char *longer = xcalloc(300, 1);
    memset(longer, 'a', 281);
    spoilt("templates/id/R-14.txt", longer, "has 281 characters");
    free(longer);
}

static void a_missing_language_or_a_stranger_is_a_fault(void **state) {
    (void)state;
    struct faults f = { NULL, 0 };
    policy_command("mv '%s'/templates/en/R-05.txt '%s'/templates/en/R-5.txt", policy_dir, policy_dir);
    templates_free(templates_load(policy_dir, &f));
    assert_true(has_fault(&f, "templates/en/R-05.txt: cannot be read"));
    assert_true(has_fault(&f, "templates/en/R-5.txt: there is no text \"R-5\""));
    policy_command("mv '%s'/templates/en/R-5.txt '%s'/templates/en/R-05.txt", policy_dir, policy_dir);
    faults_clear(&f);
}

static int setup(void **state) {
    (void)state;
    policy_copy();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    policy_remove();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_receipt_in_both_languages),
        cmocka_unit_test(a_value_that_is_not_set_is_an_error_and_no_hole),
        cmocka_unit_test(values_are_never_expanded),
        cmocka_unit_test(a_block_is_printed_only_when_its_value_is_set),
        cmocka_unit_test(common_values_come_from_their_file),
        cmocka_unit_test(emergency_numbers_only_once_the_office_has_set_them),
        cmocka_unit_test(an_unknown_language_is_answered_in_indonesian),
        cmocka_unit_test(only_the_public_texts_are_public),
        cmocka_unit_test(faults_name_file_and_line),
        cmocka_unit_test(a_missing_language_or_a_stranger_is_a_fault),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
