/* test_desk_case.c: how messages become cases: one each, threaded, acknowledged once. */
#include "desk_tests.h"

#include "kit/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_mail_becomes_a_case_and_is_acknowledged_once(void **state) {
    json_t *show, *out;

    (void)state;
    rig_mail(&rig, &(struct mail){ .id = "m1@example.com", .from = "siti@example.com" });
    run();
    run();
    show = rig_show(&rig, "TPI-2026-000001");
    assert_non_null(show);
    assert_string_equal(rig_string(show, "state"), "new");
    assert_string_equal(rig_string(show, "channel"), "email");
    assert_string_equal(rig_string(show, "due_at"), "2026-10-08T16:00:00+07:00");
    assert_true(json_is_null(json_object_get(show, "name")));
    assert_string_equal(rig_message(show, 0, "direction"), "in");
    assert_string_equal(rig_message(show, 1, "kind"), "automatic");
    assert_string_equal(rig_message(show, 1, "status"), "queued");
    out = rig_out(&rig, "gmail");
    assert_int_equal(json_array_size(out), 1);
    assert_non_null(strstr(rig_string(json_array_get(out, 0), "text"), "TPI-2026-000001"));
    assert_non_null(strstr(rig_string(json_array_get(out, 0), "text"), "Bapak/Ibu"));
    assert_null(strstr(rig_string(json_array_get(out, 0), "text"), "Nama Profil"));
    assert_string_equal(rig_string(json_array_get(out, 0), "reply_to"), "m1@example.com");
    assert_string_equal(rig_string(json_array_get(out, 0), "subject"), "Re: Keluhan paspor [TPI-2026-000001]");
    assert_int_equal(redis_int(&rig.redis, "XLEN aduan:{gmail}:in"), 0);
    json_decref(out);
    json_decref(show);
}

static void english_is_answered_in_english(void **state) {
    json_t *out;

    (void)state;
    rig_chat(&rig, "w1", "6281", "Hello, when will my passport be ready? I have been waiting for two weeks.",
             0);
    run();
    out = rig_out(&rig, "wa");
    assert_string_equal(rig_string(json_array_get(out, 0), "language"), "en");
    assert_non_null(strstr(rig_string(json_array_get(out, 0), "text"), "TPI-2026-000001"));
    json_decref(out);
}

static void repeats_change_nothing(void **state) {
    struct aduan_message m;
    json_t *before, *after;
    int i;

    (void)state;
    rig_chat(&rig, "w1", "6281", "Paspor saya belum jadi", 0);
    run();
    before = rig_show(&rig, "TPI-2026-000001");
    /* The same message past the queue's own memory: written to the stream again. */
    for (i = 0; i < 3; i++) {
        json_t *json;
        char *record;

        m = rig_record(&rig, ADUAN_KIND_MESSAGE, "wa", "whatsapp", "w1");
        m.conversation = xstrdup("6281");
        json = aduan_message_to_json(&m);
        record = json_dumps(json, 0);
        redis_do(&rig.redis, "XADD aduan:{wa}:in * id wa/w1 record %s", record);
        free(record);
        json_decref(json);
        aduan_message_clear(&m);
        run();
    }
    after = rig_show(&rig, "TPI-2026-000001");
    assert_true(json_equal(before, after));
    assert_int_equal(rig_case_count(&rig), 1);
    json_decref(before);
    json_decref(after);
}

static void two_first_messages_at_once_make_one_case(void **state) {
    json_t *show, *out;

    (void)state;
    rig_chat(&rig, "w1", "6281", "Halo, paspor saya hilang", 0);
    rig_chat(&rig, "w2", "6281", "bagaimana caranya?", 0);
    rig_chat(&rig, "w3", "6282", "orang lain", 0);
    run();
    assert_int_equal(rig_case_count(&rig), 2);
    show = rig_show(&rig, "tpi-2026-000001");
    assert_string_equal(rig_message(show, 0, "id"), "wa/w1");
    assert_int_equal(rig_events(show, "follow_up"), 1);
    assert_int_equal(rig_events(show, "acknowledged"), 1);
    out = rig_out(&rig, "wa");
    assert_int_equal(json_array_size(out), 2);
    json_decref(out);
    json_decref(show);
}

static void a_person_known_by_number_and_by_id_is_one_conversation(void **state) {
    struct aduan_message m;

    (void)state;
    m = rig_record(&rig, ADUAN_KIND_MESSAGE, "wa", "whatsapp", "w1");
    m.conversation = xstrdup("6281");
    m.sender.id = xstrdup("ID.one");
    m.sender.phone = xstrdup("+6281");
    rig_accept(&rig, "wa", &m);
    m = rig_record(&rig, ADUAN_KIND_MESSAGE, "wa", "whatsapp", "w2"); /* later without a number */
    m.conversation = xstrdup("ID.one");
    m.sender.id = xstrdup("ID.one");
    rig_accept(&rig, "wa", &m);
    run();
    assert_int_equal(rig_case_count(&rig), 1);
    m = rig_record(&rig, ADUAN_KIND_MESSAGE, "wa", "whatsapp", "w3"); /* a recycled number is somebody else */
    m.conversation = xstrdup("ID.two");
    m.sender.id = xstrdup("ID.two");
    m.sender.phone = xstrdup("+6281");
    rig_accept(&rig, "wa", &m);
    run();
    assert_int_equal(rig_case_count(&rig), 2);
}

/* The signed Message-ID of the first answer in :out. */
static char *first_token(void) {
    json_t *out = rig_out(&rig, "gmail");
    char *id = xasprintf("%s@example.com", rig_string(json_array_get(out, 0), "token"));

    json_decref(out);
    return id;
}

static void mail_threads_by_our_token(void **state) {
    char *token;

    (void)state;
    rig_mail(&rig, &(struct mail){ .id = "m1@x", .from = "siti@example.com" });
    run();
    token = first_token();
    rig_mail(&rig, &(struct mail){
                       .id = "m2@x", .from = "siti@kantor.example", .subject = "lain", .references = token });
    run();
    assert_int_equal(rig_case_count(&rig), 1);
    rig_mail(&rig, &(struct mail){ .id = "m3@x", .from = "budi@example.com" });
    run();
    token[strlen("tpi-2026-00000")] = '2'; /* Budi's number under the signature for Siti's */
    rig_mail(&rig, &(struct mail){
                       .id = "m4@x", .from = "mallory@example.com", .subject = "lain", .references = token });
    run();
    assert_int_equal(rig_case_count(&rig), 3);
    free(token);
}

/* Whoever quotes our id joins the case, but the answer goes into the citizen's own thread. */
static void an_answer_stays_in_the_citizens_thread(void **state) {
    static const char reply[] =
        "{\"verb\":\"reply\",\"actor\":\"root\",\"number\":\"TPI-2026-000001\",\"text\":\"Sudah.\"}";
    struct aduan_message m;
    json_t *out, *show, *last, *references;
    char *token;

    (void)state;
    rig_mail(&rig, &(struct mail){ .id = "m1@x", .from = "siti@example.com" });
    run();
    token = first_token();
    rig_mail(&rig, &(struct mail){
                       .id = "m2@x", .from = "Siti@example.com", .subject = "Susulan", .references = token });
    run();
    rig_mail(&rig, &(struct mail){
                       .id = "m3@x", .from = "orang@lain.example", .subject = "Rahasia", .references = token });
    m = rig_record(&rig, ADUAN_KIND_MESSAGE, "gmail", "email", "m4@x"); /* without a From */
    m.message_id = xstrdup("m4@x");
    m.subject = xstrdup("Tanpa nama");
    aduan_message_add_reference(&m, token);
    rig_accept(&rig, "gmail", &m);
    run();
    assert_int_equal(rig_case_count(&rig), 1);
    json_decref(rig_command(&rig, reply, NULL, 0));
    out = rig_out(&rig, "gmail");
    last = json_array_get(out, json_array_size(out) - 1);
    assert_string_equal(rig_string(last, "text"), "Sudah.");
    assert_string_equal(rig_string(last, "reply_to"), "m2@x");
    assert_string_equal(rig_string(last, "subject"), "Re: Susulan [TPI-2026-000001]");
    references = json_object_get(last, "references");
    assert_string_equal(json_string_value(json_array_get(references, json_array_size(references) - 1)), "m2@x");
    json_decref(out);
    show = rig_show(&rig, "TPI-2026-000001");
    assert_true(history_says(show, "other_sender", "gmail/m3@x"));
    assert_true(history_says(show, "other_sender", "gmail/m4@x"));
    assert_false(history_says(show, "other_sender", "gmail/m2@x"));
    json_decref(show);
    free(token);
}

static void a_new_mail_of_the_same_sender_is_a_new_matter(void **state) {
    (void)state;
    rig_mail(&rig, &(struct mail){ .id = "m1@x", .from = "siti@example.com" });
    rig_mail(&rig, &(struct mail){ .id = "m2@x", .from = "siti@example.com", .subject = "soal lain" });
    rig_mail(&rig, &(struct mail){ .id = "m3@x", .from = "siti@example.com", .reply_to = "m2@x" });
    run();
    assert_int_equal(rig_case_count(&rig), 2);
}

static void a_stranger_joins_no_case(void **state) {
    json_t *show;

    (void)state;
    rig_mail(&rig, &(struct mail){ .id = "m1@x", .from = "siti@example.com" });
    run();
    rig_mail(&rig, &(struct mail){ .id = "m2@x",
                                   .from = "mallory@example.com",
                                   .subject = "Re: [TPI-2026-000001] alamat saya" });
    rig_mail(&rig, &(struct mail){ .id = "m3@x", .from = "mallory@example.com", .reply_to = "m1@x" });
    rig_mail(&rig,
             &(struct mail){ .id = "m4@x", .from = "siti@example.com", .subject = "tpi-2026-000001 tambahan" });
    run();
    assert_int_equal(rig_case_count(&rig), 3);
    show = rig_show(&rig, "TPI-2026-000002");
    assert_int_equal(rig_events(show, "possible_follow_up"), 1);
    json_decref(show);
    show = rig_show(&rig, "TPI-2026-000001");
    assert_int_equal(json_array_size(json_object_get(show, "messages")), 3); /* m1, its receipt, m4 */
    json_decref(show);
}

static void machines_get_no_acknowledgement(void **state) {
    static const unsigned flags[] = { ADUAN_MESSAGE_AUTOMATIC, ADUAN_MESSAGE_LIST, ADUAN_MESSAGE_HISTORY };
    char id[32];
    size_t i;
    json_t *out;

    (void)state;
    for (i = 0; i < 3; i++) {
        snprintf(id, sizeof(id), "a%zu@x", i);
        rig_mail(&rig, &(struct mail){ .id = id, .from = "mesin@example.com", .flags = flags[i] });
    }
    rig_mail(&rig, &(struct mail){ .id = "own@x", .from = "Kantor@Example.com" });
    rig_mail(&rig, &(struct mail){ .id = "nr@x", .from = "no-reply@example.com" });
    rig_mail(&rig, &(struct mail){
                       .id = "old@x", .from = "siti@example.com", .sent_at = rig.now - 25 * 3600 * 1000LL });
    run();
    out = rig_out(&rig, "gmail");
    assert_int_equal(json_array_size(out), 0);
    assert_int_equal(rig_case_count(&rig), 5); /* all but old traffic are seen by an officer */
    json_decref(out);
}

static void five_automatic_answers_a_day(void **state) {
    char id[32];
    int i;
    json_t *out;

    (void)state;
    for (i = 0; i < 8; i++) {
        snprintf(id, sizeof(id), "b%d@x", i);
        rig_mail(&rig, &(struct mail){ .id = id, .from = "siti@example.com" });
    }
    run();
    out = rig_out(&rig, "gmail");
    assert_int_equal(json_array_size(out), 5);
    assert_int_equal(rig_case_count(&rig), 8);
    json_decref(out);
    rig.now += 24 * 3600 * 1000LL;
    rig_mail(&rig, &(struct mail){ .id = "next@x", .from = "siti@example.com" });
    run();
    out = rig_out(&rig, "gmail");
    assert_int_equal(json_array_size(out), 6);
    json_decref(out);
}

static void public_posts_get_the_neutral_text_only(void **state) {
    struct aduan_message m = rig_record(&rig, ADUAN_KIND_MESSAGE, "ig", "instagram", "c1");
    json_t *out;

    (void)state;
    m.is_public = true;
    m.conversation = xstrdup("post1/c1");
    m.sender.id = xstrdup("citizen");
    m.sender.name = xstrdup("Siti");
    free(m.text);
    m.text = xstrdup("Paspor saya TPI-2026-000001 belum jadi min");
    rig_accept(&rig, "ig", &m);
    run();
    out = rig_out(&rig, "ig");
    assert_int_equal(json_array_size(out), 1);
    assert_null(strstr(rig_string(json_array_get(out, 0), "text"), "TPI-"));
    assert_null(strstr(rig_string(json_array_get(out, 0), "text"), "Siti"));
    assert_non_null(strstr(rig_string(json_array_get(out, 0), "text"), "DM"));
    json_decref(out);
}

static void without_a_calendar_no_date_is_promised(void **state) {
    json_t *show, *out;

    (void)state;
    rig.now = 1924920000000; /* December 2030 */
    rig_mail(&rig, &(struct mail){ .id = "m1@x", .from = "siti@example.com" });
    run();
    show = rig_show(&rig, "TPI-2030-000001");
    assert_non_null(show);
    assert_true(json_is_null(json_object_get(show, "due_at")));
    assert_int_equal(rig_events(show, "no_receipt"), 1);
    out = rig_out(&rig, "gmail");
    assert_int_equal(json_array_size(out), 0);
    assert_non_null(strstr(rig.log, "no deadline"));
    json_decref(show);
    json_decref(out);
}

static void edits_and_deletions(void **state) {
    struct aduan_message m;
    json_t *show;
    unsigned char *raw;
    size_t raw_len;
    char sha256[65];

    (void)state;
    rig_chat(&rig, "w1", "6281", "teks pertama", 0);
    m = rig_record(&rig, ADUAN_KIND_EDIT, "wa", "whatsapp", "e1");
    m.reply_to = xstrdup("w1");
    free(m.text);
    m.text = xstrdup("teks kedua");
    rig_accept(&rig, "wa", &m);
    run();
    show = rig_show(&rig, "TPI-2026-000001");
    assert_string_equal(rig_message(show, 0, "text"), "teks kedua");
    json_decref(show);
    m = rig_record(&rig, ADUAN_KIND_DELETE, "wa", "whatsapp", "d1");
    m.reply_to = xstrdup("w1");
    rig_accept(&rig, "wa", &m);
    run();
    show = rig_show(&rig, "TPI-2026-000001");
    assert_string_equal(rig_message(show, 0, "text"), "");
    assert_string_equal(rig_message(show, 0, "status"), "deleted");
    assert_int_equal(rig_events(show, "deleted"), 1);
    assert_int_equal(reg_raw(rig_reader(&rig), "wa/w1", &raw, &raw_len, sha256), REG_NOTHING);
    json_decref(show);
}

static void what_is_about_nothing_becomes_a_dead_letter_once(void **state) {
    static const enum aduan_kind kinds[] = { ADUAN_KIND_EDIT, ADUAN_KIND_DELETE, ADUAN_KIND_REACTION,
                                             ADUAN_KIND_STATUS };
    struct aduan_message m;
    char id[16];
    size_t i;

    (void)state;
    for (i = 0; i < 4; i++) {
        snprintf(id, sizeof(id), "x%zu", i);
        m = rig_record(&rig, kinds[i], "wa", "whatsapp", id);
        m.reply_to = xstrdup("never-seen");
        if (kinds[i] == ADUAN_KIND_STATUS) {
            m.status.state = xstrdup("read");
            m.status.answer = xstrdup("o99-00000000");
        }
        rig_accept(&rig, "wa", &m);
    }
    redis_do(&rig.redis, "XADD aduan:{wa}:in * id wa/broken record {nonsense");
    run();
    run();
    assert_int_equal(rig_dead_count(&rig, "wa"), 4); /* the message that was unsent may come yet */
    rig.now += INT64_C(9) * 24 * 3600 * 1000;
    run();
    assert_int_equal(rig_dead_count(&rig, "wa"), 5);
    assert_int_equal(rig_case_count(&rig), 0);
}

static void unreadable_bytes_become_a_visible_case(void **state) {
    struct aduan_message m = rig_record(&rig, ADUAN_KIND_UNPARSED, "gmail", "email", "u1");
    json_t *show, *out;

    (void)state;
    m.note = xstrdup("header block over 100 KB");
    rig_accept(&rig, "gmail", &m);
    run();
    show = rig_show(&rig, "TPI-2026-000001");
    assert_int_equal(rig_events(show, "unparsed"), 1);
    assert_string_equal(rig_message(show, 0, "note"), "header block over 100 KB");
    assert_non_null(strstr(rig_message(show, 0, "text"), "header block over 100 KB"));
    assert_non_null(strstr(rig_message(show, 0, "text"), "tidak terbaca"));
    out = rig_out(&rig, "gmail");
    assert_int_equal(json_array_size(out), 0);
    json_decref(out);
    json_decref(show);
}

static void closed_cases_are_followed_by_new_ones(void **state) {
    json_t *answer, *show;

    (void)state;
    rig_chat(&rig, "w1", "6281", "Paspor saya hilang", 0);
    run();
    answer = rig_command(
        &rig, "{\"verb\":\"close\",\"actor\":\"root\",\"number\":\"TPI-2026-000001\",\"reason\":\"selesai\"}",
        NULL, 0);
    assert_true(json_is_true(json_object_get(answer, "ok")));
    json_decref(answer);
    rig_chat(&rig, "w2", "6281", "ada lagi", 0);
    run();
    assert_int_equal(rig_case_count(&rig), 2);
    show = rig_show(&rig, "TPI-2026-000002");
    assert_int_equal(rig_events(show, "possible_follow_up"), 1);
    json_decref(show);
}

static void a_reply_within_ten_working_days_reopens(void **state) {
    json_t *answer, *show;

    (void)state;
    rig_chat(&rig, "w1", "6281", "Paspor saya hilang", 0);
    run();
    answer = rig_command(
        &rig,
        "{\"verb\":\"reply\",\"actor\":\"root\",\"number\":\"TPI-2026-000001\",\"text\":\"Silakan datang.\"}",
        NULL, 0);
    assert_true(json_is_true(json_object_get(answer, "ok")));
    json_decref(answer);
    rig.now += 3 * 24 * 3600 * 1000LL;
    rig_chat(&rig, "w2", "6281", "masih belum", 0);
    run();
    show = rig_show(&rig, "TPI-2026-000001");
    assert_string_equal(rig_string(show, "state"), "in_progress");
    assert_int_equal(rig_events(show, "reopened"), 1);
    json_decref(show);
    answer = rig_command(
        &rig, "{\"verb\":\"reply\",\"actor\":\"root\",\"number\":\"TPI-2026-000001\",\"text\":\"Sudah.\"}",
        NULL, 0);
    json_decref(answer);
    rig.now += 20 * 24 * 3600 * 1000LL;
    rig_chat(&rig, "w3", "6281", "hal baru", 0);
    run();
    assert_int_equal(rig_case_count(&rig), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_mail_becomes_a_case_and_is_acknowledged_once, reset),
        cmocka_unit_test_setup(english_is_answered_in_english, reset),
        cmocka_unit_test_setup(repeats_change_nothing, reset),
        cmocka_unit_test_setup(two_first_messages_at_once_make_one_case, reset),
        cmocka_unit_test_setup(a_person_known_by_number_and_by_id_is_one_conversation, reset),
        cmocka_unit_test_setup(mail_threads_by_our_token, reset),
        cmocka_unit_test_setup(an_answer_stays_in_the_citizens_thread, reset),
        cmocka_unit_test_setup(a_new_mail_of_the_same_sender_is_a_new_matter, reset),
        cmocka_unit_test_setup(a_stranger_joins_no_case, reset),
        cmocka_unit_test_setup(machines_get_no_acknowledgement, reset),
        cmocka_unit_test_setup(five_automatic_answers_a_day, reset),
        cmocka_unit_test_setup(public_posts_get_the_neutral_text_only, reset),
        cmocka_unit_test_setup(without_a_calendar_no_date_is_promised, reset),
        cmocka_unit_test_setup(edits_and_deletions, reset),
        cmocka_unit_test_setup(what_is_about_nothing_becomes_a_dead_letter_once, reset),
        cmocka_unit_test_setup(unreadable_bytes_become_a_visible_case, reset),
        cmocka_unit_test_setup(closed_cases_are_followed_by_new_ones, reset),
        cmocka_unit_test_setup(a_reply_within_ten_working_days_reopens, reset),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
