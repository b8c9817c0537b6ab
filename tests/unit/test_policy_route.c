/* test_policy_route.c: routing.conf is read or refused with its line; hard rules hold before any score. */
#include "desk/route.h"

#include "tests/unit/test_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct rules *rules;
static struct places *places;

static int load(void **state) {
    struct faults f = { NULL, 0 };
    (void)state;
    rules = rules_load(SOURCE_DIR "/conf", &f);
    places = places_load(SOURCE_DIR "/conf", &f);
    print_faults(&f);
    return (int)f.count;
}

static int unload(void **state) {
    (void)state;
    rules_free(rules);
    places_free(places);
    return 0;
}

struct asked {
    struct route_asked a;
    struct facts f;
    struct route r;
    struct complete c;
};

static struct asked ask(const char *channel, const char *text) {
    struct asked q = { .a = { .channel = channel, .text = text } };
    facts_read(places, text, 1791166320000, 7 * 60, &q.f);
    route_decide(rules, &q.a, &q.f, &q.r);
    assert_int_equal(complete_check(rules, &q.a, &q.f, &q.r, &q.c), 0);
    return q;
}

static void done(struct asked *q) {
    complete_clear(&q->c);
    route_clear(&q->r);
    facts_clear(&q->f);
}

static void goes_to(const char *text, const char *section, const char *category) {
    struct asked q = ask("whatsapp", text);
    if (!text_equal(q.r.section, section) || !text_equal(q.r.category, category)) {
        char *why = json_dumps(q.r.why, 0);
        print_message("%s\n  %s %s %s\n", text, q.r.section, q.r.category ? q.r.category : "-", why);
        free(why);
    }
    assert_string_equal(q.r.section, section);
    assert_true(text_equal(q.r.category, category));
    done(&q);
}

static void extortion_never_goes_to_the_unit_complained_of(void **state) {
    (void)state;
    static const char *const texts[] = {
        "oknum petugas minta 500rb biar paspor cepet kelar",
        "O K, intinya ada PUNGLIII di loket!!!",
        "petugas loket diminta... eh minta uang tambahan 200 ribu",
        "ada p\xc3\xban\xc5\x8bli di sini, eh pungl1 maksudnya: uang pelicin",
        "the officer asked me for extra money to speed up my KITAS",
        "pegawai tu minta duit kopi RM50",
        "calo di parkiran pasang harga 2 juta, paspor hilang pun bisa diurus",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct asked q = ask("whatsapp", texts[i]);
        assert_string_equal(q.r.section, "KAKANIM");
        assert_string_equal(q.r.cc[0]->items[0], "PENGAWAS_INTERNAL");
        assert_int_equal(q.r.confidentiality, RULES_CONFIDENTIAL);
        assert_int_equal(q.r.urgency, RULES_CRITICAL);
        assert_string_equal(q.c.decision, "proses_tanpa_identitas");
        done(&q);
    }
}

static void what_is_denied_or_only_rumoured_is_no_extortion(void **state) {
    (void)state;
    goes_to("kuota online selalu abis min, jangan2 diborong calo nih", "LANTASKIM", "ANTREAN_KUOTA");
    goes_to("terima kasih, tidak ada pungli, petugas ramah", "TIKKIM", "APRESIASI_SARAN");
    goes_to("I overstayed 4 days and paid the fine but got no receipt", "INTELDAKIM", "OVERSTAY_DENDA");
    goes_to("saya minta uang saya 650rb dikembalikan, dobel bayar kode billing", "LANTASKIM",
            "PEMBAYARAN_PNBP");
}

static void trafficking_is_critical_and_adds_whom_extortion_names(void **state) {
    (void)state;
    struct asked q =
        ask("lapor", "paspor adik saya ditahan agen mau dibawa ke Kamboja, oknum petugas minta uang 2 juta");
    assert_string_equal(q.r.section, "INTELDAKIM");
    assert_int_equal(q.r.urgency, RULES_CRITICAL);
    assert_int_equal(q.r.cc_count, 2);
    assert_string_equal(q.r.cc[1]->items[0], "PENGAWAS_INTERNAL");
    done(&q);
}

static void private_data_has_its_own_way(void **state) {
    (void)state;
    goes_to("ktp saya difoto petugas pakai hp pribadi", "TIKKIM", "PRIVASI_DATA");
    goes_to("please delete my personal data", "TIKKIM", "PRIVASI_DATA");
    goes_to("sudah difoto, data paspor belum keluar", "LANTASKIM", "PASPOR_TERLAMBAT");
}

static void context_beats_the_single_word(void **state) {
    (void)state;
    goes_to("paspor saya ditolak di pelabuhan, tidak boleh naik ferry", "TPI", "TPI_PENUNDAAN");
    goes_to("slot kuota hilang dari aplikasi, habis terus", "LANTASKIM", "ANTREAN_KUOTA");
    goes_to("paspor hilang di kapal", "INTELDAKIM", "PASPOR_HILANG_RUSAK");
    goes_to("apa kabar semua", "PENGADUAN", NULL);
    goes_to("", "PENGADUAN", NULL);
}

static void each_channel_demands_its_own(void **state) {
    (void)state;
    static const struct {
        const char *channel, *text, *missing;
    } rows[] = {
        { "whatsapp", "paspor belum jadi", "[\"name\", \"address\"]" },
        { "counter", "paspor belum jadi. Menunjukkan KTP.", "[]" },
        { "tatap_muka", "paspor belum jadi.", "[\"identity\"]" },
        { "surat", "paspor belum jadi. HP 0860-0000-0001", "[]" },
        { "letter", "paspor belum jadi.", "[\"identity|phone\"]" },
        { "box", "AC mati. Siti Aminah", "[\"address|phone\"]" },
        { "kotak_saran", "AC mati. - Siti, Batu 5", "[]" },
        { "lapor", "paspor belum jadi", "[\"address\"]" }, /* the account's registered name comes along */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct asked q = ask(rows[i].channel, rows[i].text);
        char *missing = json_dumps(q.c.missing, 0);
        assert_string_equal(missing, rows[i].missing);
        free(missing);
        done(&q);
    }
}

static void an_anonymous_report_is_not_asked_who(void **state) {
    (void)state;
    struct asked q = ask("email", "saya ingin anonim: tka ilegal bekerja di proyek");
    assert_int_equal(q.r.confidentiality, RULES_NAMELESS);
    assert_string_equal(q.c.decision, "proses_tanpa_identitas");
    done(&q);
}

static void faults_name_file_and_line(void **state) {
    (void)state;
    struct faults f = { NULL, 0 };
    policy_copy();
    policy_write("routing.conf",
                 "slang = (\"ga = tidak\",\n  \"broken\");\n"
                 "sections = ( { code = \"A\"; name = \"A\"; }, { code = \"PENGADUAN\"; name = \"P\"; } );\n"
                 "sets = { money = (\"uang\"); };\n"
                 "categories = (\n"
                 "  { name = \"X\"; section = \"NOWHERE\"; hard = { id = (\"@nothing\",\n"
                 "     \"a ~ \", \"...\"); }; klass = \"x\"; } );\n"
                 "channels = ( { names = (\"x\"); needs = (\"shoe size\"); } );\n");
    rules_free(rules_load(policy_dir, &f));
    assert_true(has_fault(&f, "routing.conf:2: slang: \"broken\" must be as in"));
    assert_true(has_fault(&f, "routing.conf:6: categories[0]: there is no section \"NOWHERE\""));
    assert_true(
        has_fault(&f, "routing.conf:6: categories[0].hard.id: \"@nothing\" names a set that is not there"));
    assert_true(has_fault(&f, "routing.conf:7: categories[0].hard.id: \"a ~ \" has an empty part"));
    assert_true(has_fault(&f, "routing.conf:7: categories[0].hard.id: \"...\" has no word"));
    assert_true(has_fault(&f, "klass"));
    assert_true(has_fault(&f, "routing.conf:8: channels[0]: \"shoe size\""));
    faults_clear(&f);
    policy_remove();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extortion_never_goes_to_the_unit_complained_of),
        cmocka_unit_test(what_is_denied_or_only_rumoured_is_no_extortion),
        cmocka_unit_test(trafficking_is_critical_and_adds_whom_extortion_names),
        cmocka_unit_test(private_data_has_its_own_way),
        cmocka_unit_test(context_beats_the_single_word),
        cmocka_unit_test(each_channel_demands_its_own),
        cmocka_unit_test(an_anonymous_report_is_not_asked_who),
        cmocka_unit_test(faults_name_file_and_line),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
