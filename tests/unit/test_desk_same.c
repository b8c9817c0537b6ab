/* test_desk_same.c: one citizen, several messages: copies, several doors at once, order, late texts. */
#include "desk_tests.h"

#include "kit/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const int64_t minute = 60 * 1000;

static size_t answers(const char *account) {
    json_t *out = rig_out(&rig, account);
    size_t n = json_array_size(out);

    json_decref(out);
    return n;
}

/* ------------------------------------------------------------------- copies */

static void mail_to(const char *account, const char *from, const char *text) {
    rig_mail(&rig, &(struct mail){ .id = "m1@x", .from = from, .text = text, .account = account });
}

/* Which of the two boxes was read first does not matter, nor whether both were read at once. */
static void the_same_mail_in_two_boxes_is_one_case(void **state) {
    static const char *const boxes[][2] = {
        { "gmail", "yahoo" }, { "yahoo", "gmail" }, { "gmail", "box" }, { "box", "yahoo" }
    };
    size_t i, at_once;

    for (i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++)
        for (at_once = 0; at_once < 2; at_once++) {
            json_t *show;

            reset(state);
            mail_to(boxes[i][0], "siti@example.com", NULL);
            if (!at_once) {
                run();
                rig.now += minute;
            }
            mail_to(boxes[i][1], "Siti@Example.com", NULL);
            run();
            assert_int_equal(rig_case_count(&rig), 1);
            assert_int_equal(answers("gmail") + answers("yahoo") + answers("box"), 1);
            show = rig_show(&rig, "TPI-2026-000001");
            assert_int_equal(rig_events(show, "copy"), 1);
            assert_int_equal(rig_events(show, "follow_up"), 0);
            assert_int_equal(json_array_size(json_object_get(show, "messages")), 3);
            json_decref(show);
        }
}

static void a_forged_copy_is_a_case_of_its_own(void **state) {
    struct aduan_message m;
    struct aduan_attachment *a;

    (void)state;
    mail_to("gmail", "siti@example.com", "Teks asli");
    mail_to("yahoo", "siti@example.com", "Teks lain");                      /* another text */
    mail_to("box", "mallory@example.com", "Teks asli");                     /* another sender */
    m = rig_record(&rig, ADUAN_KIND_MESSAGE, "yahoo", "email", "m1-again"); /* something was added */
    m.message_id = xstrdup("m1@x");
    m.sender.id = xstrdup("siti@example.com");
    m.sender.address = xstrdup("siti@example.com");
    m.conversation = xstrdup("siti@example.com");
    m.subject = xstrdup("Keluhan paspor");
    free(m.text);
    m.text = xstrdup("Teks asli");
    a = aduan_message_add_attachment(&m);
    a->name = xstrdup("virus.exe");
    a->type = xstrdup("application/octet-stream");
    a->state = ADUAN_ATTACHMENT_STORED;
    a->sha256 = xstrdup("ab");
    rig_accept(&rig, "yahoo", &m);
    run();
    assert_int_equal(rig_case_count(&rig), 4);
    mail_to("box", "siti@example.com", NULL); /* nothing of it stops later mail with the same id */
    run();
    assert_int_equal(rig_case_count(&rig), 4 + 0 * answers("box")); /* "box/m1@x" is known by now */
}

static void nameless_mail(const char *account, const char *id, const char *text, int64_t sent_at) {
    struct aduan_message m = rig_record(&rig, ADUAN_KIND_MESSAGE, account, "email", id);

    m.sender.id = xstrdup("siti@example.com");
    m.sender.address = xstrdup("siti@example.com");
    m.conversation = xstrdup("siti@example.com");
    m.subject = xstrdup("Keluhan paspor");
    m.sent_at = sent_at;
    free(m.text);
    m.text = xstrdup(text);
    rig_accept(&rig, account, &m);
}

/* Some scanners and forms send mail without a Message-ID. */
static void without_a_message_id_sender_and_date_tell(void **state) {
    (void)state;
    nameless_mail("gmail", "uid1", "Teks asli", rig.now - minute);
    nameless_mail("yahoo", "uid2", "Teks asli", rig.now - minute);
    run();
    assert_int_equal(rig_case_count(&rig), 1);
    nameless_mail("yahoo", "uid3", "Teks lain", rig.now - minute);
    nameless_mail("yahoo", "uid4", "Teks asli", rig.now - 2 * minute);
    nameless_mail("yahoo", "uid5", "Teks asli", 0); /* no Date: nothing tells */
    run();
    assert_int_equal(rig_case_count(&rig), 4);
}

/* The second copy neither reopens the case nor moves where its answers go. */
static void a_late_copy_changes_nothing(void **state) {
    json_t *show, *a;

    (void)state;
    mail_to("gmail", "siti@example.com", NULL);
    run();
    command("{\"verb\":\"reply\",\"actor\":\"root\",\"number\":\"TPI-2026-000001\",\"text\":\"Sudah.\"}", true);
    rig.now += 60 * minute;
    mail_to("yahoo", "siti@example.com", NULL);
    run();
    show = rig_show(&rig, "TPI-2026-000001");
    assert_string_equal(rig_string(show, "state"), "answered");
    assert_string_equal(rig_string(show, "account"), "gmail");
    assert_int_equal(rig_events(show, "reopened"), 0);
    json_decref(show);
    command("{\"verb\":\"close\",\"actor\":\"root\",\"number\":\"TPI-2026-000001\",\"reason\":\"x\"}", true);
    mail_to("box", "siti@example.com", NULL);
    run();
    assert_int_equal(rig_case_count(&rig), 1);
    a = last_answer("gmail");
    assert_string_equal(rig_string(a, "text"), "Sudah.");
    json_decref(a);
}

/* An uncertain answer is settled by its proof, also when a copy came in between. */
static void a_copy_is_nothing_that_happened_since(void **state) {
    json_t *show;
    char *id;

    (void)state;
    mail_to("gmail", "siti@example.com", NULL);
    run();
    command("{\"verb\":\"reply\",\"actor\":\"root\",\"number\":\"TPI-2026-000001\",\"text\":\"Sudah.\"}", true);
    id = rig_settle(&rig, "gmail", 1, QUEUE_UNCERTAIN, NULL, "no reply after the final dot");
    mail_to("yahoo", "siti@example.com", NULL);
    run();
    rig_event(&rig, "gmail", id, "{\"state\":\"sent\",\"attempt\":2,\"at\":1,\"platform_id\":\"x@y\"}");
    run();
    show = rig_show(&rig, "TPI-2026-000001");
    assert_string_equal(rig_string(show, "state"), "answered");
    json_decref(show);
    free(id);
}

/* ---------------------------------------------------------------- at once */

/* Webhook and poll, several connections each, at the same instant: one citizen is one case. */
static void several_doors_at_once_make_one_case(void **state) {
    enum { DOORS = 6, EACH = 25 };
    pid_t pids[DOORS], desk;
    int i, k, status;

    (void)state;
    for (i = 0; i < DOORS; i++) {
        pids[i] = fork();
        if (pids[i] != 0)
            continue;
        rig.queue = redis_queue(&rig.redis, 5000);
        for (k = 0; k < EACH; k++) {
            char id[32];

            snprintf(id, sizeof(id), "d%d-%d", i, k);
            if (i % 2 == 0)
                rig_direct(&rig, "fb", id, "u1", "halo");
            else
                rig_chat(&rig, id, "6281", "halo", 0);
        }
        _exit(0);
    }
    desk = fork();
    if (desk == 0)
        _exit(rig_run(&rig)); /* while they write */
    for (i = 0; i < DOORS; i++)
        waitpid(pids[i], &status, 0);
    waitpid(desk, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    run();
    assert_int_equal(rig_case_count(&rig), 2); /* one on each platform */
    assert_int_equal(answers("fb"), 1);
    assert_int_equal(answers("wa"), 1);
}

static void after_closing_a_new_matter_is_a_new_case(void **state) {
    static const char close[] =
        "{\"verb\":\"close\",\"actor\":\"root\",\"number\":\"%s\",\"reason\":\"selesai\"}";
    const char *numbers[] = { "TPI-2026-000001", "TPI-2026-000002", "TPI-2026-000003", "TPI-2026-000004" };
    json_t *show;
    int i;

    (void)state;
    rig_chat(&rig, "w1", "6281", "halo", 0);
    run();
    rig_direct(&rig, "fb", "d1", "u1", "halo");
    run();
    rig_comment(&rig, "ig", "c1", "u1", "halo");
    run();
    rig_mail(&rig, &(struct mail){ .id = "m1@x", .from = "siti@example.com" });
    run();
    for (i = 0; i < 4; i++) {
        char *json = xasprintf(close, numbers[i]);

        command(json, true);
        free(json);
    }
    rig_chat(&rig, "w2", "6281", "hal baru", 0);
    rig_direct(&rig, "fb", "d2", "u1", "hal baru");
    rig_comment(&rig, "ig", "c2", "u1", "hal baru");
    rig_mail(&rig, &(struct mail){ .id = "m2@x", .from = "siti@example.com", .reply_to = "m1@x" });
    run();
    assert_int_equal(rig_case_count(&rig), 8);
    for (i = 5; i <= 8; i++) {
        char number[32];

        snprintf(number, sizeof(number), "TPI-2026-%06d", i);
        show = rig_show(&rig, number);
        assert_true(history_says(show, "possible_follow_up", "its case is closed"));
        json_decref(show);
    }
}

/* ------------------------------------------------------------------- order */

static void a_conversation_is_shown_as_it_was_written(void **state) {
    json_t *show;

    (void)state;
    rig_chat(&rig, "w3", "6281", "tiga", rig.now - 1 * minute); /* delivered in the wrong order */
    rig_chat(&rig, "w1", "6281", "satu", rig.now - 3 * minute);
    rig_chat(&rig, "w2", "6281", "dua", rig.now - 2 * minute);
    rig_chat(&rig, "w4", "6281", "empat", rig.now + 600 * minute); /* a clock that is ahead is not believed */
    run();
    rig.now += minute;
    rig_chat(&rig, "w5", "6281", "lima", rig.now - 3000 * minute); /* nor is two days ago */
    run();
    assert_int_equal(rig_case_count(&rig), 1);
    show = rig_show(&rig, "TPI-2026-000001");
    assert_string_equal(rig_message(show, 0, "text"), "satu");
    assert_string_equal(rig_message(show, 1, "text"), "dua");
    assert_string_equal(rig_message(show, 2, "text"), "tiga");
    assert_string_equal(rig_message(show, 3, "kind"), "automatic"); /* written before "empat" was read */
    assert_string_equal(rig_message(show, 4, "text"), "empat");
    assert_string_equal(rig_message(show, 5, "text"), "lima");
    json_decref(show);
}

/* ------------------------------------------------------- texts that come as a file */

static char *stored_text(const char *bytes, size_t n) {
    struct blob_store *blobs;
    char sha256[65];

    assert_int_equal(blob_store_open(rig.state, &blobs), 0);
    assert_int_equal(blob_put(blobs, bytes, n, sha256), 0);
    blob_store_close(blobs);
    return xasprintf("{\"type\":\"media\",\"state\":\"stored\",\"sha256\":\"%s\",\"size\":%zu,\"type_\":\"text/"
                     "plain\"}",
                     sha256, n);
}

static void a_message_whose_text_is_a_file(const char *text) {
    struct aduan_message m = rig_record(&rig, ADUAN_KIND_MESSAGE, "fb", "facebook", "d1");
    struct aduan_attachment *a = aduan_message_add_attachment(&m);

    m.conversation = xstrdup("u1");
    m.sender.id = xstrdup("u1");
    free(m.text);
    m.text = xstrdup(text);
    a->name = xstrdup("teks.txt");
    a->type = xstrdup("text/plain");
    a->state = ADUAN_ATTACHMENT_PENDING;
    a->source = xstrdup("text:1");
    a->is_text = true;
    rig_accept(&rig, "fb", &m);
}

/* In whichever order text and message come. */
static void a_text_that_comes_as_a_file_is_the_messages(void **state) {
    static const char bytes[] = "\nPaspor saya hilang\r\ndi bandara \xff\n";
    int early;

    for (early = 0; early < 2; early++) {
        json_t *show;
        char *end;

        reset(state);
        end = stored_text(bytes, sizeof(bytes) - 1);
        if (early)
            rig_event(&rig, "fb", "fb/d1#0", end);
        run();
        a_message_whose_text_is_a_file("");
        run();
        if (!early)
            rig_event(&rig, "fb", "fb/d1#0", end);
        run();
        show = rig_show(&rig, "TPI-2026-000001");
        assert_string_equal(rig_message(show, 0, "text"), "\nPaspor saya hilang\ndi bandara \xef\xbf\xbd\n");
        assert_string_equal(rig_string(show, "subject"), "Paspor saya hilang");
        assert_int_equal(rig_events(show, "text"), 1);
        json_decref(show);
        free(end);
    }
}

static void a_message_keeps_its_own_text(void **state) {
    char *end = stored_text("lain", 4), *big = xcalloc(1, 100000);
    json_t *show;

    (void)state;
    a_message_whose_text_is_a_file("teks saya");
    rig_event(&rig, "fb", "fb/d1#0", end);
    run();
    show = rig_show(&rig, "TPI-2026-000001");
    assert_string_equal(rig_message(show, 0, "text"), "teks saya");
    json_decref(show);
    free(end);
    reset(state);
    memset(big, 'a', 100000);
    end = stored_text(big, 100000);
    a_message_whose_text_is_a_file("");
    rig_event(&rig, "fb", "fb/d1#0", end);
    run();
    show = rig_show(&rig, "TPI-2026-000001");
    assert_int_equal(strlen(rig_message(show, 0, "text")), 64 * 1024);
    assert_true(history_says(show, "text", "longer than shown"));
    json_decref(show);
    free(end);
    free(big);
}

static void a_file_that_is_gone_is_said(void **state) {
    json_t *show;

    (void)state;
    a_message_whose_text_is_a_file("");
    rig_event(
        &rig, "fb", "fb/d1#0",
        "{\"type\":\"media\",\"state\":\"stored\",\"sha256\":\"ab\",\"size\":12,\"type_\":\"text/plain\"}");
    run();
    show = rig_show(&rig, "TPI-2026-000001");
    assert_true(history_says(show, "text", "cannot be read"));
    json_decref(show);
}

/* ------------------------------------------------------------------ new names */

/* A notice about somebody without a case is a letter, but what it said of them is known from then on. */
static void a_new_id_is_remembered_without_a_case(void **state) {
    struct aduan_message m;

    (void)state;
    m = rig_record(&rig, ADUAN_KIND_MESSAGE, "wa", "whatsapp", "old");
    m.flags = ADUAN_MESSAGE_HISTORY; /* known, but no case */
    m.conversation = xstrdup("6281");
    m.sender.id = xstrdup("ID.one");
    m.sender.phone = xstrdup("+6281");
    rig_accept(&rig, "wa", &m);
    m = rig_record(&rig, ADUAN_KIND_SYSTEM, "wa", "whatsapp", "s1");
    m.conversation = xstrdup("6281");
    m.sender.id = xstrdup("ID.one");
    m.sender.phone = xstrdup("+6281");
    m.note = xstrdup("the user has a new id");
    m.extra = json_pack("{s:s}", "new_id", "ID.two");
    rig_accept(&rig, "wa", &m);
    run();
    assert_int_equal(rig_dead_count(&rig, "wa"), 1);
    m = rig_record(&rig, ADUAN_KIND_MESSAGE, "wa", "whatsapp", "w1");
    m.conversation = xstrdup("6281");
    m.sender.id = xstrdup("ID.one");
    m.sender.phone = xstrdup("+6281");
    rig_accept(&rig, "wa", &m);
    run();
    m = rig_record(&rig, ADUAN_KIND_MESSAGE, "wa", "whatsapp", "w2"); /* under the new id alone */
    m.conversation = xstrdup("ID.two");
    m.sender.id = xstrdup("ID.two");
    rig_accept(&rig, "wa", &m);
    run();
    assert_int_equal(rig_case_count(&rig), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_same_mail_in_two_boxes_is_one_case, reset),
        cmocka_unit_test_setup(a_forged_copy_is_a_case_of_its_own, reset),
        cmocka_unit_test_setup(without_a_message_id_sender_and_date_tell, reset),
        cmocka_unit_test_setup(a_late_copy_changes_nothing, reset),
        cmocka_unit_test_setup(a_copy_is_nothing_that_happened_since, reset),
        cmocka_unit_test_setup(several_doors_at_once_make_one_case, reset),
        cmocka_unit_test_setup(after_closing_a_new_matter_is_a_new_case, reset),
        cmocka_unit_test_setup(a_conversation_is_shown_as_it_was_written, reset),
        cmocka_unit_test_setup(a_text_that_comes_as_a_file_is_the_messages, reset),
        cmocka_unit_test_setup(a_message_keeps_its_own_text, reset),
        cmocka_unit_test_setup(a_file_that_is_gone_is_said, reset),
        cmocka_unit_test_setup(a_new_id_is_remembered_without_a_case, reset),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
