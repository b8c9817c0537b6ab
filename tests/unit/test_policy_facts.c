/* test_policy_facts.c: names, addresses, telephones and identity numbers out of what people write. */
#include "desk/facts.h"

#include "tests/unit/test_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct places *places;
/* 2026-10-05 09:12 WIB */
static const int64_t monday = 1791166320000;

static int load(void **state) {
    struct faults f = { NULL, 0 };
    (void)state;
    places = places_load(SOURCE_DIR "/conf", &f);
    print_faults(&f);
    return (int)f.count;
}

static int unload(void **state) {
    (void)state;
    places_free(places);
    return 0;
}

static struct facts read_text(const char *text) {
    struct facts f;
    facts_read(places, text, monday, 7 * 60, &f);
    return f;
}

static void is_phone(const char *text, const char *e164, int outcome) {
    char got[20] = "";
    assert_int_equal(facts_phone(text, strlen(text), got), outcome);
    assert_string_equal(got, e164);
}

static void telephones_as_people_write_them(void **state) {
    (void)state;
    is_phone("08117769393", "+628117769393", FACTS_PHONE_OK);
    is_phone("077121073", "+6277121073", FACTS_PHONE_OK);
    is_phone("(0771) 21073", "+6277121073", FACTS_PHONE_OK);
    is_phone("62 811-776-9393", "+628117769393", FACTS_PHONE_OK);
    is_phone("0062 811 776 9393", "+628117769393", FACTS_PHONE_OK);
    is_phone("008 62 811 776 9393", "+628117769393", FACTS_PHONE_OK);
    is_phone("+62 (0)811 776 9393", "+628117769393", FACTS_PHONE_OK);
    is_phone("+62 0811 776 9393", "+628117769393", FACTS_PHONE_OK);
    is_phone("8117769393", "+628117769393", FACTS_PHONE_ASSUMED);
}

static void foreign_numbers_never_get_62(void **state) {
    (void)state;
    is_phone("+65 9123 4567", "+6591234567", FACTS_PHONE_OK);
    is_phone("0065 9123 4567", "+6591234567", FACTS_PHONE_OK);
    is_phone("+60 12-345 6789", "+60123456789", FACTS_PHONE_OK);
    is_phone("+44 7700 900123", "+447700900123", FACTS_PHONE_OK);
    is_phone("91234567", "", FACTS_PHONE_INVALID); /* Singapore? ask */
    is_phone("81234567", "", FACTS_PHONE_INVALID);
    is_phone("6591234567", "", FACTS_PHONE_INVALID);
    is_phone("60123456789", "", FACTS_PHONE_INVALID);
    is_phone("0811", "", FACTS_PHONE_INVALID);
    is_phone("", "", FACTS_PHONE_INVALID);
}

static int nik(const char *text, char got[17]) {
    return facts_nik(text, strlen(text), (const char *const *)places->provinces, places->province_count, got);
}

static void identity_numbers(void **state) {
    (void)state;
    char got[17] = "";
    assert_int_equal(nik("2172035508909999", got), 0); /* a woman, 15-08-90 */
    assert_string_equal(got, "2172035508909999");
    assert_int_equal(nik("2172.0212-0385 9999", got), 0);
    assert_string_equal(got, "2172021203859999");
    assert_int_equal(nik("2172022902840001", got), 0);  /* 29 February of a leap year */
    assert_int_equal(nik("2172022902850001", got), -1); /* of no leap year */
    assert_int_equal(nik("2172023204850001", got), -1); /* the 32nd */
    assert_int_equal(nik("2172027204850001", got), -1);
    assert_int_equal(nik("2172021213850001", got), -1); /* month 13 */
    assert_int_equal(nik("2172021203850000", got), -1); /* serial 0000 */
    assert_int_equal(nik("0072021203859999", got), -1);
    assert_int_equal(nik("2172001203859999", got), -1);
    assert_int_equal(nik("1111111111111111", got), -1);
    assert_int_equal(nik("217202120385999", got), -1);
    assert_int_equal(nik("21720212038599991", got), -1);
    assert_int_equal(nik("9972021203859999", got), 1); /* a province the table does not know */
}

/* name, address and its score; NULL: none. */
static const struct {
    const char *text, *name, *address;
    enum facts_score score;
} people[] = {
    { "Nama: Yuliana Pratiwi\nAlamat: Jl. Katamso Gg. Melati II No. 14, Kel. Kemboja\nHP: 0860-0000-0101",
      "Yuliana Pratiwi", "Jl. Katamso Gg. Melati II No. 14, Kel. Kemboja", FACTS_FULL },
    { "NAMA : SITI RAHAYU\nALAMAT : KP. BUGIS RT 01 RW 02 SENGGARANG", "SITI RAHAYU",
      "KP. BUGIS RT 01 RW 02 SENGGARANG", FACTS_FULL },
    { "Name: John Tan\nAddress: Jalan Pramuka 12, Tanjungpinang", "John Tan", "Jalan Pramuka 12, Tanjungpinang",
      FACTS_FULL },
    { "saya Rahmat Zulfikri, beralamat di Jl. Pramuka No. 8 RT 03/RW 05, Kec. Bukit Bestari, telah difoto",
      "Rahmat Zulfikri", "Jl. Pramuka No. 8 RT 03/RW 05, Kec. Bukit Bestari", FACTS_FULL },
    { "nama saya budi hartono mau tanya paspor", "budi hartono", NULL, FACTS_NONE },
    { "Hello, my name is Daniel Whitmore, staying at Pondok Bahari guest house, Trikora. I overstayed.",
      "Daniel Whitmore", "Pondok Bahari guest house, Trikora", FACTS_FULL },
    { "Mohon solusinya ya. Nurhayati, Batu 9 Tanjungpinang", "Nurhayati", "Batu 9 Tanjungpinang",
      FACTS_PARTIAL },
    { "AC mati. Tolong dibenerin. - Pak Anto, Kijang, 0860 0000 0021", "Anto", "Kijang", FACTS_PARTIAL },
    { "Mohon kabarnya.\n\nHormat kami,\nHj. Rukiah Hamzah\nJl. Nusantara Km. 20 No. 2, Kec. Bintan Timur",
      "Hj. Rukiah Hamzah", "Jl. Nusantara Km. 20 No. 2, Kec. Bintan Timur", FACTS_FULL },
    { "Penelepon: Roslan bin Ahmad, alamat Jl. Sutami No. 5, Kel. Tanjung Unggat, HP 086000000017. Ditunda.",
      "Roslan bin Ahmad", "Jl. Sutami No. 5, Kel. Tanjung Unggat", FACTS_FULL },
    { "Penelepon Ibu Nurlela melaporkan paspornya hilang.", "Nurlela", NULL, FACTS_NONE },
    /* nobody and nowhere */
    { "Tolong nama saya jangan dibuka, takut dipersulit", NULL, NULL, FACTS_NONE },
    { "Nama saya pada paspor tertulis \"Muhamad\", mohon diralat", NULL, NULL, FACTS_NONE },
    { "My name still shows as blacklisted. Ridiculous!", NULL, NULL, FACTS_NONE },
    { "Nama:\nAlamat:\nHP:\n\nsaya tidak mau isi", NULL, NULL, FACTS_NONE },
    { "Nama: '; DROP TABLE cases;--", NULL, NULL, FACTS_NONE },
    { "Salam tuan, saya warga Malaysia, isteri orang Tanjungpinang.", NULL, NULL, FACTS_NONE },
    { "empat orang asing di galangan dekat Kp. Sungai Enam, Bintan Timur, setiap hari", NULL, NULL,
      FACTS_NONE },
    { "ferry to Tanjung Pinang is tmrw 8am. anyone there??", NULL, NULL, FACTS_NONE },
    { "perpanjangan izin tinggal di kantor belum selesai", NULL, NULL, FACTS_NONE },
};

static void names_and_addresses(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof people / sizeof people[0]; i++) {
        struct facts f = read_text(people[i].text);
        bool same = text_equal(f.name, people[i].name) && text_equal(f.address, people[i].address) &&
                    f.address_score == people[i].score;
        if (!same) {
            print_message("%s\n  name %s, address %s (%s)\n", people[i].text, f.name ? f.name : "-",
                          f.address ? f.address : "-", facts_score_name(f.address_score));
        }
        assert_true(same);
        facts_clear(&f);
    }
}

static void numbers_in_a_text(void **state) {
    (void)state;
    struct facts f =
        read_text("NIK 2172021203859999, paspor X1234567, HP 0860 0000 0006 17 Oktober, Rp 850.000.000");
    assert_string_equal(f.nik, "2172021203859999");
    assert_string_equal(f.passport, "X1234567");
    assert_string_equal(f.phone, "+6286000000006");
    facts_clear(&f);
    f = read_text("saya bayar Rp 850.000.000 dan IDR 812345678");
    assert_string_equal(f.phone, "");
    facts_clear(&f);
    f = read_text("hp 91234567"); /* asked about, never guessed */
    assert_string_equal(f.phone, "");
    assert_string_equal(f.phone_raw, "91234567");
    facts_clear(&f);
}

static void is_day(const char *text, const char *date, const char *clock) {
    struct facts f = read_text(text);
    assert_string_equal(f.event_date, date);
    assert_string_equal(f.event_time, clock);
    facts_clear(&f);
}

static void days_and_times(void **state) {
    (void)state;
    is_day("difoto 17 September 2026, berangkat 20 Oktober", "2026-09-17", "");
    is_day("submitted on September 28, 2026", "2026-09-28", "");
    is_day("kemaren sore pukul 07.40 di pelabuhan", "2026-10-04", "07:40");
    is_day("tadi jam 10an", "2026-10-05", "10:00");
    is_day("besok pagi", "2026-10-06", "");
    is_day("tanggal 02/10/2026", "2026-10-02", "");
    is_day("lahir 12 Maret 1985", "", "");
    is_day("10 Desember", "2026-12-10", "");
    is_day("99 Oktober, 31/31/2026, tgl 0", "", "");
}

static void an_identity_that_is_shown_or_not(void **state) {
    (void)state;
    struct facts f =
        read_text("Pengadu datang, menunjukkan KTP. Alamat sesuai KTP: Kampung Bugis RT 02 RW 04.");
    assert_true(f.identity);
    facts_clear(&f);
    f = read_text("Pengadu tidak membawa kartu identitas, fotokopi KTP tidak ada");
    assert_false(f.identity);
    facts_clear(&f);
}

/* A long hostile text costs no more than its length. */
static void a_megabyte_of_nonsense(void **state) {
    (void)state;
    static const char *const pieces[] = { "Nama: ", "alamat Jl. ", "0811 ", "saya Budi, ",
                                          "- A",    "@",           "(((",   "Jl. Jl. " };
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct text t = TEXT_INIT;
        while (t.len < 1000000) {
            text_add(&t, pieces[i]);
        }
        struct facts f = read_text(t.s);
        facts_clear(&f);
        text_free(&t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(telephones_as_people_write_them),
        cmocka_unit_test(foreign_numbers_never_get_62),
        cmocka_unit_test(identity_numbers),
        cmocka_unit_test(names_and_addresses),
        cmocka_unit_test(numbers_in_a_text),
        cmocka_unit_test(days_and_times),
        cmocka_unit_test(an_identity_that_is_shown_or_not),
        cmocka_unit_test(a_megabyte_of_nonsense),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
