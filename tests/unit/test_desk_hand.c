/* test_desk_hand.c: intake at the counter, answers carried over by hand, and what may be pasted in public. */
#include "desk_tests.h"

#include "connector.h"
#include "desk/intake.h"
#include "desk/template.h"
#include "desk/worklist.h"
#include "kit/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct aduan_connector aduan_connector;

#define NUMBER "TPI-2026-000001"
#define COUNTER                                                                                                \
    "{\"channel\":\"counter\",\"name\":\"Siti Rahma\",\"phone\":\"0811-7769-393\",\"identity\":\"KTP\","       \
    "\"text\":\"Paspor saya belum jadi.\"}"
#define INTAKE(doc, more) "{\"verb\":\"intake\",\"actor\":\"root\",\"document\":" doc more "}"
#define REPLY                                                                                                  \
    "{\"verb\":\"reply\",\"actor\":\"root\",\"number\":\"" NUMBER "\",\"text\":\"Silakan ambil besok.\"}"

struct one {
    struct aduan_sink sink;
    struct aduan_message *into;
};

static int take(struct aduan_sink *sink, struct aduan_message *m) {
    *((struct one *)sink)->into = *m;
    memset(m, 0, sizeof(*m));
    return 0;
}

static int document(const void *bytes, size_t len, int64_t now, struct aduan_message *ret) {
    char *settings = xcalloc(1, aduan_connector.settings_size);
    struct aduan_bytes in = { .bytes = bytes, .len = len };
    struct one one = { .sink = { .record = take, .now = now }, .into = ret };
    int rc = aduan_connector.parse(settings, &in, &one.sink);

    free(settings);
    return rc;
}

static int start_hand(void **state) {
    rig_document = document;
    return start(state);
}

static json_t *do_command(const char *json, const void *raw, size_t raw_len) {
    json_t *answer = rig_command(&rig, json, raw, raw_len);

    assert_non_null(answer);
    return answer;
}

/* The command's error, new; it must be refused. */
static char *refusal(const char *json) {
    json_t *answer = do_command(json, NULL, 0);
    char *error = xstrdup(rig_string(answer, "error"));

    assert_false(json_is_true(json_object_get(answer, "ok")));
    json_decref(answer);
    return error;
}

static char *work_id(void) {
    int rc;
    json_t *list = worklist_view(rig_reader(&rig), NULL, rig.now, 420, &rc);
    char *id = json_array_size(list) > 0 ? xstrdup(rig_string(json_array_get(list, 0), "id")) : NULL;

    json_decref(list);
    return id;
}

static size_t work_count(void) {
    int rc;
    json_t *list = worklist_view(rig_reader(&rig), NULL, rig.now, 420, &rc);
    size_t n = json_array_size(list);

    json_decref(list);
    return n;
}

/* ---------------------------------------------------------------------- intake */

static void an_intake_is_a_case_with_fifteen_minutes_and_a_receipt(void **state) {
    json_t *answer = do_command(INTAKE(COUNTER, ""), NULL, 0), *show;

    (void)state;
    assert_true(json_is_true(json_object_get(answer, "ok")));
    assert_string_equal(rig_string(answer, "number"), NUMBER);
    assert_string_equal(rig_string(answer, "due_at"), "2026-10-05T08:27:00+07:00");
    assert_non_null(strstr(rig_string(json_object_get(answer, "receipt_id"), "text"), NUMBER));
    assert_non_null(strstr(rig_string(json_object_get(answer, "receipt_id"), "text"), "tatap muka"));
    json_decref(answer);
    show = rig_show(&rig, NUMBER);
    assert_string_equal(rig_string(show, "channel"), "counter");
    assert_string_equal(rig_string(show, "account"), "loket");
    assert_string_equal(rig_string(show, "state"), "new");
    assert_string_equal(rig_string(show, "name"), "Siti Rahma");
    assert_string_equal(rig_string(show, "phone"), "0811-7769-393");
    assert_true(json_is_true(json_object_get(show, "complete")));
    assert_int_equal(json_array_size(json_object_get(show, "messages")), 1); /* the receipt is on paper */
    assert_true(history_says(show, "acknowledged", "R-20"));
    assert_int_equal(work_count(), 0);
    json_decref(show);
}

static void a_letter_has_three_working_days(void **state) {
    json_t *answer = do_command(
        INTAKE("{\"channel\":\"letter\",\"name\":\"Ani\",\"phone\":\"08123456789\",\"text\":\"x\"}", ""), NULL,
        0);

    (void)state;
    assert_string_equal(rig_string(answer, "due_at"), "2026-10-08T16:00:00+07:00");
    json_decref(answer);
}

static void the_same_request_makes_one_case(void **state) {
    static const char json[] =
        "{\"request\":\"r1\",\"verb\":\"intake\",\"actor\":\"root\",\"document\":" COUNTER "}";
    json_t *first = do_command(json, NULL, 0), *second = do_command(json, NULL, 0);

    (void)state;
    assert_string_equal(rig_string(first, "number"), rig_string(second, "number"));
    assert_int_equal(rig_case_count(&rig), 1);
    json_decref(first);
    json_decref(second);
}

static void what_is_missing_is_all_said(void **state) {
    static const struct {
        const char *doc, *id, *en;
    } rows[] = {
        { "{\"channel\":\"counter\",\"name\":\"A\",\"text\":\"x\"}", "KTP atau identitas lain", "ID card" },
        { "{\"channel\":\"phone\",\"text\":\"x\"}", "nama lengkap sesuai identitas; alamat", "full name" },
        { "{\"channel\":\"letter\",\"text\":\"x\"}", "dan/atau nomor HP", "and/or a phone number" },
        { "{\"channel\":\"box\",\"name\":\"A\"}", "alamat dan/atau nomor HP yang dapat dihubungi; uraian",
          "address and/or a phone number" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *json = xasprintf(INTAKE("%s", ""), rows[i].doc), *error = refusal(json);

        if (strstr(error, rows[i].id) == NULL || strstr(error, rows[i].en) == NULL)
            fail_msg("%s: %s", rows[i].doc, error);
        free(error);
        free(json);
    }
    assert_int_equal(rig_case_count(&rig), 0);
}

static void incomplete_is_logged_as_such(void **state) {
    json_t *answer =
        do_command(INTAKE("{\"channel\":\"box\",\"text\":\"Kursi kurang.\"}", ",\"incomplete\":true"), NULL, 0);
    json_t *show = rig_show(&rig, NUMBER), *missing = json_object_get(show, "missing");

    (void)state;
    assert_true(json_is_true(json_object_get(answer, "ok")));
    assert_string_equal(rig_string(show, "state"), "incomplete");
    assert_true(json_is_false(json_object_get(show, "complete")));
    assert_int_equal(json_array_size(missing), 2);
    assert_string_equal(json_string_value(json_array_get(missing, 0)), "name");
    assert_string_equal(json_string_value(json_array_get(missing, 1)), "address|phone");
    json_decref(answer);
    json_decref(show);
}

static void the_future_and_other_ways_are_refused(void **state) {
    char *error = refusal(INTAKE(
        "{\"channel\":\"counter\",\"identity\":\"KTP\",\"text\":\"x\",\"received_at\":1891162720000}", ""));

    (void)state;
    assert_non_null(strstr(error, "masa depan"));
    free(error);
    error = refusal(INTAKE("{\"channel\":\"fax\",\"text\":\"x\"}", ""));
    assert_non_null(strstr(error, "fax"));
    free(error);
    error = refusal(INTAKE(COUNTER, ",\"account\":\"gmail\""));
    assert_non_null(strstr(error, "bukan akun loket"));
    free(error);
}

static void a_scan_is_kept_and_completes_a_letter(void **state) {
    json_t *answer =
        do_command(INTAKE("{\"channel\":\"letter\",\"name\":\"Ani\"}",
                          ",\"attachments\":[{\"name\":\"../ktp.jpg\",\"type\":\"image/jpeg\",\"size\":3,"
                          "\"id_copy\":true},{\"name\":\"surat.pdf\",\"type\":\"application/pdf\","
                          "\"size\":2}]"),
                   "abcde", 5);
    json_t *show = rig_show(&rig, NUMBER), *files;

    (void)state;
    assert_true(json_is_true(json_object_get(answer, "ok")));
    files = json_object_get(json_array_get(json_object_get(show, "messages"), 0), "attachments");
    assert_int_equal(json_array_size(files), 2);
    assert_null(strchr(rig_string(json_array_get(files, 0), "name"), '/'));
    assert_string_equal(rig_string(json_array_get(files, 1), "state"), "stored");
    json_decref(answer);
    json_decref(show);
}

static void the_same_number_is_said_not_joined(void **state) {
    json_t *answer;

    (void)state;
    rig_chat(&rig, "w1", "628117769393", "Paspor saya hilang", 0);
    run();
    answer = do_command(INTAKE(COUNTER, ""), NULL, 0);
    assert_string_equal(rig_string(answer, "number"), "TPI-2026-000002");
    assert_string_equal(rig_string(answer, "possible_follow_up"), NUMBER);
    assert_int_equal(rig_case_count(&rig), 2);
    json_decref(answer);
}

static void the_number_of_a_card_is_not_kept_in_history(void **state) {
    json_t *show;

    (void)state;
    command(INTAKE("{\"channel\":\"counter\",\"identity\":\"KTP 2172014505900003\",\"text\":\"x\"}", ""), true);
    show = rig_show(&rig, NUMBER);
    assert_true(history_says(show, "received", "KTP 2172**********03"));
    assert_false(history_says(show, "received", "2172014505900003"));
    json_decref(show);
}

static void a_number_in_the_words_joins_nothing(void **state) {
    json_t *answer;

    (void)state;
    command(INTAKE(COUNTER, ""), true);
    answer = do_command(
        INTAKE("{\"channel\":\"counter\",\"identity\":\"SIM\",\"text\":\"Tentang TPI-2026-000001\"}", ""), NULL,
        0);
    assert_string_equal(rig_string(answer, "number"), "TPI-2026-000002");
    json_decref(answer);
}

/* ------------------------------------------------------------------- work list */

static void an_answer_waits_and_is_carried_over_once(void **state) {
    char *id, *json, *error;
    json_t *show;

    (void)state;
    command(INTAKE(COUNTER, ""), true);
    rig.now += 5 * 60 * 1000;
    command(REPLY, true);
    assert_int_equal(work_count(), 1);
    show = rig_show(&rig, NUMBER);
    assert_string_equal(rig_message(show, 1, "status"), "queued");
    json_decref(show);
    assert_int_equal(redis_int(&rig.redis, "EXISTS aduan:{loket}:out"), 0); /* no sender is asked */
    id = work_id();
    rig.now += 60 * 60 * 1000;
    json = xasprintf("{\"verb\":\"worklist-done\",\"actor\":\"root\",\"id\":\"%s\",\"ref\":\"B-7\",\"at\":"
                     "\"2026-10-05T08:20\"}",
                     id);
    command(json, true);
    show = rig_show(&rig, NUMBER);
    assert_string_equal(rig_message(show, 1, "status"), "sent");
    assert_string_equal(rig_message(show, 1, "platform_id"), "B-7");
    assert_true(history_says(show, "carried_over", "2026-10-05T08:20:00+07:00, ref B-7"));
    assert_string_equal(rig_string(show, "state"), "answered");
    assert_false(json_is_true(json_object_get(show, "overdue"))); /* met when told, not when typed */
    json_decref(show);
    assert_int_equal(work_count(), 0);
    free(json);
    json = xasprintf("{\"verb\":\"worklist-done\",\"actor\":\"root\",\"id\":\"%s\"}", id);
    error = refusal(json);
    assert_non_null(strstr(error, "tidak menunggu lagi"));
    free(error);
    free(json);
    free(id);
}

/* A note from the box without address and telephone: said when it is answered, not when the list is printed. */
static void an_answer_that_can_go_nowhere_says_so(void **state) {
    static const char *const docs[] = {
        "{\"channel\":\"box\",\"text\":\"Antrean terlalu lama.\"}",
        "{\"channel\":\"box\",\"phone\":\"0811-7769-393\",\"text\":\"Antrean.\"}"
    };
    size_t i;

    for (i = 0; i < 2; i++) {
        char *intake;
        json_t *answer;

        reset(state);
        intake =
            xasprintf("{\"verb\":\"intake\",\"actor\":\"root\",\"incomplete\":true,\"document\":%s}", docs[i]);
        command(intake, true);
        free(intake);
        answer = do_command(REPLY, NULL, 0);
        assert_true(json_is_true(json_object_get(answer, "ok")));
        assert_int_equal(strstr(rig_string(answer, "note"), "TIDAK ADA TUJUAN") != NULL, i == 0);
        json_decref(answer);
    }
}

static void done_at(const char *time, bool good) {
    char *json = xasprintf("{\"verb\":\"worklist-done\",\"actor\":\"root\",\"id\":\"o1\",\"at\":\"%s\"}", time);

    if (good)
        command(json, true);
    else
        free(refusal(json));
    free(json);
}

static void a_time_that_cannot_be_is_refused(void **state) {
    (void)state;
    command(INTAKE("{\"channel\":\"letter\",\"phone\":\"0771 21034\",\"text\":\"Antrean.\"}", ""), true);
    rig.now += 60 * 60 * 1000;
    command(REPLY, true);
    done_at("2027-01-01", false);
    done_at("2026-10-05T08:00", false);
    done_at("kemarin", false);
    done_at("2026-10-05T08:20", false); /* before the letter was written */
    assert_int_equal(work_count(), 1);
    command("{\"verb\":\"worklist-done\",\"actor\":\"root\",\"id\":\"o1\"}", true); /* the short name */
}

static void who_was_told_at_the_counter_was_told_then(void **state) {
    json_t *show;

    (void)state;
    command(INTAKE(COUNTER, ""), true);
    rig.now += 60 * 60 * 1000;
    command(REPLY, true);
    done_at("2026-10-05T08:00", false); /* before the complaint came */
    done_at("2026-10-05T08:20", true);
    show = rig_show(&rig, NUMBER);
    assert_true(history_says(show, "carried_over", "2026-10-05T08:20:00+07:00 (before it was written down)"));
    assert_false(json_is_true(json_object_get(show, "overdue")));
    json_decref(show);
}

static void a_telephone_number_has_digits(void **state) {
    (void)state;
    free(refusal(INTAKE("{\"channel\":\"letter\",\"phone\":\"tidak ada\",\"text\":\"Antrean.\"}", "")));
    command(INTAKE("{\"channel\":\"letter\",\"phone\":\"0771 21034\",\"text\":\"Antrean.\"}", ""), true);
}

static void what_could_not_be_carried_over_brings_the_case_back(void **state) {
    char *id, *json, *dead;
    json_t *show;

    (void)state;
    command(INTAKE(COUNTER, ""), true);
    command(REPLY, true);
    id = work_id();
    json = xasprintf(
        "{\"verb\":\"worklist-failed\",\"actor\":\"root\",\"id\":\"%s\",\"reason\":\"alamat tidak dikenal\"}",
        id);
    command(json, true);
    run();
    show = rig_show(&rig, NUMBER);
    assert_string_equal(rig_string(show, "state"), "in_progress");
    assert_string_equal(rig_message(show, 1, "status"), "failed");
    json_decref(show);
    assert_int_equal(rig_dead_count(&rig, "loket"), 1);
    free(json);
    dead = rig_dead_id(&rig, "loket", 0);
    json = xasprintf("{\"verb\":\"dead-retry\",\"actor\":\"root\",\"account\":\"loket\",\"id\":\"%s\"}", dead);
    command(json, true);
    assert_int_equal(work_count(), 1); /* to the list again, never to a sender */
    assert_int_equal(redis_int(&rig.redis, "EXISTS aduan:{loket}:out"), 0);
    free(json);
    free(dead);
    free(id);
}

static void nothing_automatic_is_put_into_the_list(void **state) {
    struct aduan_message m = rig_record(&rig, ADUAN_KIND_MESSAGE, "lapor", "lapor", "L1");
    json_t *show;

    (void)state;
    m.conversation = xstrdup("L1");
    free(m.text);
    m.text = xstrdup("Antrean lama sekali");
    rig_accept(&rig, "lapor", &m);
    run();
    show = rig_show(&rig, NUMBER);
    assert_int_equal(work_count(), 0);
    assert_true(history_says(show, "no_receipt", "carried over by hand"));
    json_decref(show);
    command(REPLY, true);
    assert_int_equal(work_count(), 1);
}

/* -------------------------------------------------------------- what is pasted */

static void fault_is(const char *text, const char *words) {
    json_t *who =
        json_pack("{s:[s, s], s:[s], s:[s, s]}", "names", "Siti Rahma", "Anonim", "phones", "+628117769393",
                  "addresses", "Jl. Merdeka No. 5, Tanjungpinang", "siti@example.com");
    char *fault = worklist_private_fault(text, who);

    if (words == NULL ? fault != NULL : fault == NULL || strstr(fault, words) == NULL)
        fail_msg("%s: %s", text, fault != NULL ? fault : "no fault");
    free(fault);
    json_decref(who);
}

static void nobody_is_named_in_public(void **state) {
    (void)state;
    fault_is("Paspor dapat diambil besok. Hubungi (0771) 21073.", NULL);
    fault_is("Pelapor anonim kami hargai; transiti dan Rahmawati bukan nama itu.", NULL);
    fault_is("Yth. SITI, paspor sudah jadi.", "nama pelapor");
    fault_is("Sdri. Rahma: selesai.", "nama pelapor");
    fault_is("NIK 2172014505900003 sudah kami periksa.", "NIK");
    fault_is("Paspor A1234567 sudah jadi.", "NIK atau paspor");
    fault_is("Kami menelepon 0811 7769 393 kemarin.", "telepon");
    fault_is("Kami menelepon +62-811-7769-393.", "telepon");
    fault_is("Petugas datang ke Jl Merdeka no.5 besok.", "alamat");
    fault_is("Kami menulis ke SITI@example.com.", "nama pelapor");
    fault_is("Kami bertemu di jalan Merdeka.", NULL);
}

static void what_is_pasted_is_framed_once(void **state) {
    struct faults f = { NULL, 0 };
    struct templates *t = templates_load(SOURCE_DIR "/conf", &f);
    char why[300] = "";
    struct text once = TEXT_INIT, twice = TEXT_INIT;
    json_t *item =
        json_pack("{s:s, s:s, s:s}", "text", "Antrean kini dibagi dua.", "number", NUMBER, "language", "id");

    (void)state;
    assert_int_equal(worklist_paste(t, item, &once, why, sizeof(why)), 0);
    assert_non_null(strstr(once.s, "Yth. Saudara Pelapor"));
    assert_non_null(strstr(once.s, "Antrean kini dibagi dua."));
    assert_int_equal(worklist_wrap(t, "id", NUMBER, once.s, &twice, why, sizeof(why)), 0);
    assert_string_equal(twice.s, once.s);
    text_free(&once);
    text_free(&twice);
    json_decref(item);
    templates_free(t);
    faults_clear(&f);
}

/* ----------------------------------------------------------------- the portal */

static void report(const char *account, const char *confidentiality) {
    struct aduan_message m = rig_record(&rig, ADUAN_KIND_MESSAGE, account, "lapor", "L1");

    m.conversation = xstrdup("L1");
    m.extra = json_pack("{s:s, s:s, s:s}", "name", "Budi Hartono", "phone", "0811-7769-393", "address",
                        "Jl. Merdeka No. 5, Tanjungpinang");
    if (confidentiality != NULL)
        json_object_set_new(m.extra, "confidentiality", json_string(confidentiality));
    rig_accept(&rig, account, &m);
    run();
}

static json_t *reply_with(const char *text) {
    json_t *command = json_pack("{s:s, s:s, s:s, s:s, s:b}", "verb", "reply", "actor", "root", "number", NUMBER,
                                "text", text, "identity", 1);
    char *json = json_dumps(command, JSON_COMPACT);
    json_t *answer = do_command(json, NULL, 0);

    free(json);
    json_decref(command);
    return answer;
}

static void reply_is_refused(const char *text, const char *words) {
    json_t *answer = reply_with(text);

    if (json_is_true(json_object_get(answer, "ok")) || strstr(rig_string(answer, "error"), words) == NULL)
        fail_msg("%s: %s", text, rig_string(answer, "error"));
    json_decref(answer);
}

static void the_portals_reporter_is_the_complainant(void **state) {
    json_t *show;

    (void)state;
    report("lapor", NULL);
    show = rig_show(&rig, NUMBER);
    assert_string_equal(rig_string(show, "name"), "Budi Hartono");
    assert_string_equal(rig_string(show, "phone"), "0811-7769-393");
    json_decref(show);
}

static void nothing_of_the_reporter_is_answered_on(const char *account, const char *confidentiality) {
    char *long_text = xcalloc(1, 991);

    report(account, confidentiality);
    reply_is_refused("Kepada Bapak Budi Hartono: paspor siap.", "nama pelapor");
    reply_is_refused("Kami menelepon +62 811 7769 393.", "telepon");
    reply_is_refused("Petugas datang ke Jl Merdeka no 5.", "alamat");
    reply_is_refused("Paspor A1234567 sudah jadi.", "NIK atau paspor");
    memset(long_text, 'b', 990);
    reply_is_refused(long_text, "990 + R-22 = 1");
    free(long_text);
}

static void nobody_is_named_at_the_portal_by_hand(void **state) {
    (void)state;
    nothing_of_the_reporter_is_answered_on("lapor", NULL);
    assert_int_equal(work_count(), 0);
}

static void nobody_is_named_at_the_portal_by_its_api(void **state) {
    (void)state;
    nothing_of_the_reporter_is_answered_on("lapor-api", NULL);
}

static void who_stays_unnamed_is_neither_shown_nor_named(void **state) {
    json_t *show, *answer, *out;
    char *all;

    (void)state;
    nothing_of_the_reporter_is_answered_on("lapor-api", "anonim");
    show = rig_show(&rig, NUMBER);
    all = json_dumps(show, 0);
    assert_null(strstr(all, "Hartono"));
    free(all);
    assert_string_equal(rig_string(show, "confidentiality"), "anonim");
    assert_true(history_says(show, "no_receipt", "portal"));
    json_decref(show);
    answer = reply_with("Antrean kini dibagi dua.");
    assert_true(json_is_true(json_object_get(answer, "ok")));
    json_decref(answer);
    out = rig_out(&rig, "lapor-api");
    assert_int_equal(json_array_size(out), 1);
    assert_non_null(strstr(rig_string(json_array_get(out, 0), "text"), "Yth. Saudara Pelapor"));
    assert_true(json_is_true(json_object_get(json_array_get(out, 0), "confidential")));
    json_decref(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_intake_is_a_case_with_fifteen_minutes_and_a_receipt, reset),
        cmocka_unit_test_setup(a_letter_has_three_working_days, reset),
        cmocka_unit_test_setup(the_same_request_makes_one_case, reset),
        cmocka_unit_test_setup(what_is_missing_is_all_said, reset),
        cmocka_unit_test_setup(incomplete_is_logged_as_such, reset),
        cmocka_unit_test_setup(the_future_and_other_ways_are_refused, reset),
        cmocka_unit_test_setup(a_scan_is_kept_and_completes_a_letter, reset),
        cmocka_unit_test_setup(the_same_number_is_said_not_joined, reset),
        cmocka_unit_test_setup(the_number_of_a_card_is_not_kept_in_history, reset),
        cmocka_unit_test_setup(a_number_in_the_words_joins_nothing, reset),
        cmocka_unit_test_setup(an_answer_waits_and_is_carried_over_once, reset),
        cmocka_unit_test_setup(an_answer_that_can_go_nowhere_says_so, reset),
        cmocka_unit_test_setup(a_time_that_cannot_be_is_refused, reset),
        cmocka_unit_test_setup(who_was_told_at_the_counter_was_told_then, reset),
        cmocka_unit_test_setup(a_telephone_number_has_digits, reset),
        cmocka_unit_test_setup(what_could_not_be_carried_over_brings_the_case_back, reset),
        cmocka_unit_test_setup(nothing_automatic_is_put_into_the_list, reset),
        cmocka_unit_test(nobody_is_named_in_public),
        cmocka_unit_test(what_is_pasted_is_framed_once),
        cmocka_unit_test_setup(the_portals_reporter_is_the_complainant, reset),
        cmocka_unit_test_setup(nobody_is_named_at_the_portal_by_hand, reset),
        cmocka_unit_test_setup(nobody_is_named_at_the_portal_by_its_api, reset),
        cmocka_unit_test_setup(who_stays_unnamed_is_neither_shown_nor_named, reset),
    };

    return cmocka_run_group_tests(tests, start_hand, stop);
}
