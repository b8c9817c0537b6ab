/* test_policy_calendar.c: every published vector, the switches, and the refusal to guess. */
#include "desk/calendar.h"

#include "tests/unit/test_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct calendar *load(const char *zone) {
    struct faults f = { NULL, 0 };
    struct calendar *c = calendar_load(policy_dir, zone, &f);
    print_faults(&f);
    assert_int_equal(f.count, 0);
    return c;
}

/* "2026-10-05 09:12" of the office. */
static int64_t at(const struct calendar *c, const char *s) {
    struct calendar_time t = { 0 };
    assert_int_equal(sscanf(s, "%d-%d-%d %d:%d", &t.year, &t.month, &t.day, &t.hour, &t.minute), 5);
    return calendar_instant(c, &t);
}

static void says(const struct calendar *c, int64_t ms, const char *expected) {
    struct calendar_time t = calendar_local(c, ms);
    char s[64];
    snprintf(s, sizeof s, "%04d-%02d-%02d %02d:%02d", t.year, t.month, t.day, t.hour, t.minute);
    assert_string_equal(s, expected);
}

static void check(const struct calendar *c, const char *received, const char *effective, const char *due) {
    struct calendar_due d;
    char why[200] = "";
    int rc = calendar_due(c, at(c, received), 3, &d, why, sizeof why);
    assert_string_equal(why, "");
    assert_int_equal(rc, 0);
    says(c, d.effective, effective);
    says(c, d.due, due);
    assert_int_equal(d.day_count, 3);
}

static void the_published_vectors(void **state) {
    (void)state;
    struct calendar *c = load("Asia/Jakarta");
    check(c, "2026-10-05 09:12", "2026-10-05 09:12", "2026-10-08 16:00");
    check(c, "2026-10-09 16:29", "2026-10-09 16:29", "2026-10-14 16:00");
    check(c, "2026-10-09 16:31", "2026-10-12 07:30", "2026-10-15 16:00");
    check(c, "2026-03-17 14:00", "2026-03-17 14:00", "2026-03-27 16:30");
    check(c, "2026-03-17 15:01", "2026-03-25 07:30", "2026-03-30 16:00");
    check(c, "2026-12-23 10:00", "2026-12-23 10:00", "2026-12-30 16:00");
    check(c, "2027-03-05 15:29", "2027-03-05 15:29", "2027-03-18 16:00");
    check(c, "2027-03-05 15:31", "2027-03-16 07:30", "2027-03-19 16:30");
    check(c, "2025-08-15 10:00", "2025-08-15 10:00", "2025-08-21 16:00");
    check(c, "2027-05-14 17:00", "2027-05-21 07:30", "2027-05-26 16:00");
    calendar_free(c);
}

static void the_days_counted_are_told(void **state) {
    (void)state;
    struct calendar *c = load("WIB");
    struct calendar_due d;
    char why[200] = "";
    assert_int_equal(calendar_due(c, at(c, "2026-03-17 14:00"), 3, &d, why, sizeof why), 0);
    assert_string_equal(d.days[0], "2026-03-25");
    assert_string_equal(d.days[1], "2026-03-26");
    assert_string_equal(d.days[2], "2026-03-27");
    calendar_free(c);
}

static void at_the_very_closing_is_in_time(void **state) {
    (void)state;
    struct calendar *c = load("Asia/Jakarta");
    check(c, "2026-10-09 16:30", "2026-10-09 16:30", "2026-10-14 16:00");
    struct calendar_due d;
    char why[200] = "";
    assert_int_equal(calendar_due(c, at(c, "2026-10-09 16:30") + 1, 3, &d, why, sizeof why), 0);
    says(c, d.due, "2026-10-15 16:00");
    calendar_free(c);
}

static void before_opening_starts_at_opening(void **state) {
    (void)state;
    struct calendar *c = load("Asia/Jakarta");
    check(c, "2026-10-05 05:00", "2026-10-05 07:30", "2026-10-08 16:00");
    check(c, "2026-10-04 23:59", "2026-10-05 07:30", "2026-10-08 16:00");
    calendar_free(c);
}

static void working_days_per_year_are_as_published(void **state) {
    static const struct {
        int year, days;
    } published[] = { { 2024, 238 }, { 2025, 237 }, { 2026, 240 }, { 2027, 242 } };
    (void)state;
    struct calendar *c = load("Asia/Jakarta");
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
        int open = 0;
        struct calendar_time t = { .year = published[i].year, .month = 1, .day = 1, .hour = 12 };
        for (int64_t ms = calendar_instant(c, &t); calendar_local(c, ms).year == t.year; ms += 86400000) {
            bool is_open = false;
            char why[200];
            assert_int_equal(calendar_is_open(c, ms, &is_open, why, sizeof why), 0);
            open += is_open;
        }
        assert_int_equal(open, published[i].days);
    }
    calendar_free(c);
}

static void a_year_without_calendar_is_refused(void **state) {
    (void)state;
    struct calendar *c = load("Asia/Jakarta");
    struct calendar_due d;
    char why[200] = "";
    assert_int_equal(calendar_due(c, at(c, "2028-01-04 09:00"), 3, &d, why, sizeof why), CALENDAR_NO_YEAR);
    assert_non_null(strstr(why, "2028"));
    assert_int_equal(calendar_due(c, at(c, "2023-06-01 09:00"), 3, &d, why, sizeof why), CALENDAR_NO_YEAR);
    assert_non_null(strstr(why, "2023"));
    /* 29, 30, 31 December are working days; one day later the third day would be in 2028. */
    assert_int_equal(calendar_due(c, at(c, "2027-12-28 09:00"), 3, &d, why, sizeof why), 0);
    says(c, d.due, "2027-12-31 16:30");
    assert_int_equal(calendar_due(c, at(c, "2027-12-29 09:00"), 3, &d, why, sizeof why), CALENDAR_NO_YEAR);
    assert_int_equal(calendar_due(c, at(c, "2027-12-31 17:00"), 1, &d, why, sizeof why), CALENDAR_NO_YEAR);
    int64_t ms = 0;
    assert_int_equal(
        calendar_working_ms(c, at(c, "2027-12-30 09:00"), at(c, "2028-01-02 09:00"), &ms, why, sizeof why),
        CALENDAR_NO_YEAR);
    assert_int_equal(calendar_last_year(c), 2027);
    assert_true(calendar_has_year(c, 2024) && !calendar_has_year(c, 2028));
    calendar_free(c);
}

static void nonsense_days_are_refused(void **state) {
    (void)state;
    struct calendar *c = load("Asia/Jakarta");
    struct calendar_due d;
    char why[200] = "";
    assert_true(calendar_due(c, at(c, "2026-01-05 09:00"), 0, &d, why, sizeof why) < 0);
    assert_true(calendar_due(c, at(c, "2026-01-05 09:00"), CALENDAR_DAYS_MAX + 1, &d, why, sizeof why) < 0);
    assert_int_equal(calendar_due(c, at(c, "2026-01-05 09:00"), CALENDAR_DAYS_MAX, &d, why, sizeof why), 0);
    calendar_free(c);
}

static void zones_are_fixed_offsets_whatever_the_system_says(void **state) {
    (void)state;
    setenv("TZ", "America/New_York", 1);
    struct calendar *wib = load("Asia/Jakarta"), *wita = load("Asia/Makassar"), *wit = load("WIT");
    int64_t instant = 1791166320000; /* 2026-10-05T02:12:00Z */
    says(wib, instant, "2026-10-05 09:12");
    says(wita, instant, "2026-10-05 10:12");
    says(wit, instant, "2026-10-05 11:12");
    assert_string_equal(calendar_zone(wit), "WIT");
    assert_int_equal(calendar_offset_minutes(wita), 480);
    calendar_free(wib);
    calendar_free(wita);
    calendar_free(wit);
    struct faults f = { NULL, 0 };
    calendar_free(calendar_load(policy_dir, "Europe/Berlin", &f));
    assert_true(has_fault(&f, "office.timezone"));
    faults_clear(&f);
}

static void dates_in_words(void **state) {
    (void)state;
    struct calendar *c = load("Asia/Jakarta");
    char *s = calendar_time_text(c, at(c, "2026-10-08 16:00"), "id");
    assert_string_equal(s, "Kamis, 8 Oktober 2026 pukul 16.00 WIB");
    free(s);
    s = calendar_time_text(c, at(c, "2026-10-08 16:00"), "en");
    assert_string_equal(s, "Thursday, 8 October 2026, 16:00 WIB (UTC+7)");
    free(s);
    s = calendar_date_text(c, at(c, "2027-01-01 00:00"), NULL);
    assert_string_equal(s, "Jumat, 1 Januari 2027");
    free(s);
    s = calendar_date_text(c, at(c, "2024-02-29 23:59"), "ms");
    assert_string_equal(s, "Kamis, 29 Februari 2024");
    free(s);
    calendar_free(c);
}

static void pauses_do_not_count(void **state) {
    (void)state;
    struct calendar *c = load("Asia/Jakarta");
    struct calendar_due d;
    char why[200] = "";
    struct calendar_pause p = { at(c, "2026-10-06 10:00"), at(c, "2026-10-07 10:00") };
    assert_int_equal(calendar_due_paused(c, at(c, "2026-10-05 09:12"), 3, &p, 1, &d, why, sizeof why), 0);
    says(c, d.due, "2026-10-12 16:00"); /* 8, 9, 12: the 6th and 7th do not count */
    p.to = 0;
    assert_int_equal(calendar_due_paused(c, at(c, "2026-10-05 09:12"), 3, &p, 1, &d, why, sizeof why),
                     CALENDAR_PAUSED);
    calendar_free(c);
}

static void working_time_is_the_time_the_office_is_open(void **state) {
    (void)state;
    struct calendar *c = load("Asia/Jakarta");
    const int64_t hour = 3600000;
    static const struct {
        const char *from, *to;
        int64_t half_hours;
    } spans[] = {
        { "2026-10-05 09:00", "2026-10-05 10:30", 3 },  { "2026-10-05 05:00", "2026-10-05 23:00", 17 },
        { "2026-10-09 15:30", "2026-10-12 08:00", 3 },  { "2026-10-10 00:00", "2026-10-11 23:59", 0 },
        { "2026-10-06 09:00", "2026-10-05 09:00", 0 },  { "2026-03-17 07:00", "2026-03-17 18:00", 14 },
        { "2026-10-05 00:00", "2026-10-12 00:00", 86 },
    };
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        int64_t ms = -1;
        char why[200];
        assert_int_equal(calendar_working_ms(c, at(c, spans[i].from), at(c, spans[i].to), &ms, why, sizeof why),
                         0);
        assert_int_equal(ms, spans[i].half_hours * hour / 2);
    }
    calendar_free(c);
}

static void fifteen_minutes_are_plain_minutes(void **state) {
    (void)state;
    struct calendar *c = load("Asia/Jakarta");
    struct calendar_due d;
    char why[200] = "";
    assert_int_equal(calendar_deadline(c, "counter", at(c, "2026-10-13 10:20"), &d, why, sizeof why), 0);
    says(c, d.due, "2026-10-13 10:35");
    assert_int_equal(d.day_count, 0);
    assert_int_equal(calendar_deadline(c, "email", at(c, "2026-10-05 09:12"), &d, why, sizeof why), 0);
    says(c, d.due, "2026-10-08 16:00");
    assert_int_equal(calendar_deadline(c, NULL, at(c, "2026-10-05 09:12"), &d, why, sizeof why), 0);
    says(c, d.due, "2026-10-08 16:00");
    calendar_free(c);
}

static void due_with(const char *rules, const char *received, const char *effective, const char *due) {
    policy_write("calendar.conf", rules);
    struct calendar *c = load("Asia/Jakarta");
    check(c, received, effective, due);
    calendar_free(c);
    policy_command("cp '%s'/conf/calendar.conf '%s'/", SOURCE_DIR, policy_dir);
}

static void each_switch_switches(void **state) {
    (void)state;
    due_with("cb_is_workday = true;", "2026-03-17 14:00", "2026-03-17 14:00",
             "2026-03-23 16:00"); /* 18, 20, 23 */
    due_with("receipt_day_counts = true;", "2026-10-05 09:12", "2026-10-05 09:12", "2026-10-07 16:00");
    due_with("due_at = \"time\";", "2026-10-05 09:12", "2026-10-05 09:12", "2026-10-08 09:12");
    due_with("due_at = \"time\";", "2026-10-06 16:00", "2026-10-06 16:00", "2026-10-09 16:00");
    due_with("late_receipt = \"same-day\";", "2026-10-09 16:31", "2026-10-09 16:31", "2026-10-14 16:00");
    policy_write("calendar.conf", "pause_ends_count = true;");
    struct calendar *c = load("Asia/Jakarta");
    struct calendar_due d;
    char why[200] = "";
    struct calendar_pause p = { at(c, "2026-10-06 10:00"), at(c, "2026-10-08 10:00") };
    assert_int_equal(calendar_due_paused(c, at(c, "2026-10-05 09:12"), 3, &p, 1, &d, why, sizeof why), 0);
    says(c, d.due, "2026-10-09 16:30"); /* 6, 8, 9: only the 7th is taken out */
    calendar_free(c);
    policy_command("cp '%s'/conf/calendar.conf '%s'/", SOURCE_DIR, policy_dir);
}

static void spoilt(const char *name, const char *content, const char *expected) {
    policy_write(name, content);
    struct faults f = { NULL, 0 };
    calendar_free(calendar_load(policy_dir, "Asia/Jakarta", &f));
    if (!has_fault(&f, expected)) {
        print_faults(&f);
        fail_msg("no fault says \"%s\"", expected);
    }
    faults_clear(&f);
    policy_command("rm '%s'/%s", policy_dir, name);
}

#define HOURS "hours = { monday = \"07.30-16.00\"; };\n"

static void faults_name_file_and_line(void **state) {
    (void)state;
    spoilt("calendar/2030.conf",
           "year = 2031;\n" HOURS "holidays = ( { date = \"2030-01-01\"; name = \"x\"; } );",
           "calendar/2030.conf:1: year: must be 2030");
    spoilt("calendar/2030.conf",
           "year = 2030;\n" HOURS "holidays = ( { date = \"2030-02-30\"; name = \"x\"; } );",
           "2030.conf:3: holidays[0]: date must be as in");
    spoilt("calendar/2030.conf",
           "year = 2030;\n" HOURS "holidays = ( { date = \"2029-01-01\"; name = \"x\"; } );",
           "2030.conf:3: holidays[0]: date is of another year");
    spoilt("calendar/2030.conf",
           "year = 2030;\n" HOURS "holidays = ( { date = \"2030-01-01\"; name = \"x\"; },\n"
           "{ date = \"2030-01-01\"; name = \"y\"; } );",
           "2030.conf:4: holidays[1]: this date is already");
    spoilt("calendar/2030.conf",
           "year = 2030;\n" HOURS "holidays = ( { date = \"2030-01-01\"; kind = \"XX\"; name = \"x\"; } );",
           "2030.conf:3: holidays[0].kind: must be one of");
    spoilt("calendar/2030.conf",
           "year = 2030;\nhours = { monday = \"16.00-07.30\"; };\n"
           "holidays = ( { date = \"2030-01-01\"; name = \"x\"; } );",
           "2030.conf:2: hours.monday: must be opening");
    spoilt("calendar/2030.conf", "year = 2030;\n" HOURS, "holidays: is missing");
    spoilt("calendar/2030.conf",
           "year = 2030;\n" HOURS "ramadan = { from = \"2030-02-10\"; to = \"2030-01-10\"; " HOURS "};"
           "holidays = ( { date = \"2030-01-01\"; name = \"x\"; } );",
           "2030.conf:3: ramadan: from and to");
    spoilt("calendar/2030.conf", "year = 2030;\n" HOURS "holiday = ( );",
           "holiday: unknown key; did you mean \"holidays\"?");
    spoilt("calendar/2030-draft.conf", "year = 2030;", "must be called YEAR.conf");
    spoilt("calendar.conf", "cb_is_workday = \"no\";", "calendar.conf:1: cb_is_workday: must be true or false");
    spoilt("calendar.conf", "deadline = {\n email = \"3 hari\"; };",
           "calendar.conf:2: deadline.email: must be as in");
    policy_command("cp '%s'/conf/calendar.conf '%s'/", SOURCE_DIR, policy_dir);
}

static void two_shorter_seasons_in_one_year(void **state) {
    (void)state; /* Ramadan begins twice in 2030 */
    policy_write(
        "calendar/2030.conf",
        "year = 2030;\n"
        "hours = { monday = \"07.30-16.00\"; tuesday = \"07:30-16:00\"; };\n"
        "ramadan = ( { from = \"2030-01-06\"; to = \"2030-02-04\"; hours = { monday = \"08.00-15.00\"; }; },\n"
        "  { from = \"2030-12-26\"; to = \"2030-12-31\"; hours = { monday = \"09.00-15.00\"; }; } );\n"
        "holidays = ( { date = \"2030-01-01\"; name = \"x\"; } );\n");
    struct calendar *c = load("Asia/Jakarta");
    int64_t ms = 0;
    char why[200];
    assert_int_equal(
        calendar_working_ms(c, at(c, "2030-01-07 00:00"), at(c, "2030-01-08 00:00"), &ms, why, sizeof why), 0);
    assert_int_equal(ms, 7 * 3600000);
    assert_int_equal(
        calendar_working_ms(c, at(c, "2030-12-30 00:00"), at(c, "2030-12-31 00:00"), &ms, why, sizeof why), 0);
    assert_int_equal(ms, 6 * 3600000);
    assert_int_equal(calendar_last_year(c), 2027); /* 2028 and 2029 are missing between */
    calendar_free(c);
    policy_command("rm '%s'/%s", policy_dir, "calendar/2030.conf");
}

static void no_calendar_at_all_is_a_fault(void **state) {
    (void)state;
    struct faults f = { NULL, 0 };
    calendar_free(calendar_load("/nowhere", "Asia/Jakarta", &f));
    assert_true(has_fault(&f, "YEAR.conf is missing"));
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
        cmocka_unit_test(the_published_vectors),
        cmocka_unit_test(the_days_counted_are_told),
        cmocka_unit_test(at_the_very_closing_is_in_time),
        cmocka_unit_test(before_opening_starts_at_opening),
        cmocka_unit_test(working_days_per_year_are_as_published),
        cmocka_unit_test(a_year_without_calendar_is_refused),
        cmocka_unit_test(nonsense_days_are_refused),
        cmocka_unit_test(zones_are_fixed_offsets_whatever_the_system_says),
        cmocka_unit_test(dates_in_words),
        cmocka_unit_test(pauses_do_not_count),
        cmocka_unit_test(working_time_is_the_time_the_office_is_open),
        cmocka_unit_test(fifteen_minutes_are_plain_minutes),
        cmocka_unit_test(each_switch_switches),
        cmocka_unit_test(faults_name_file_and_line),
        cmocka_unit_test(two_shorter_seasons_in_one_year),
        cmocka_unit_test(no_calendar_at_all_is_a_fault),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
