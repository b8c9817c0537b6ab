/* test_desk_answer.c: answers on their way: held and released, reports in any order, uncertain ends. */
#include "desk_tests.h"

#include "kit/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REPLY(text)                                                                                            \
    "{\"verb\":\"reply\",\"actor\":\"root\",\"number\":\"TPI-2026-000001\",\"text\":\"" text "\"}"

static const int64_t hour = 3600 * 1000LL;

static void status_is(size_t nth, const char *status) {
    json_t *show = rig_show(&rig, "TPI-2026-000001");

    assert_string_equal(rig_message(show, nth, "status"), status);
    json_decref(show);
}

static void state_is(const char *name) {
    json_t *show = rig_show(&rig, "TPI-2026-000001");

    assert_string_equal(rig_string(show, "state"), name);
    json_decref(show);
}

/* A WhatsApp case; messages: 0 the complaint, 1 the receipt; both answers wait in :out. */
static void a_case(void) {
    rig_chat(&rig, "w1", "6281", "Paspor saya hilang, bagaimana?", 0);
    run();
}

static void platform_says(const char *id, const char *status, const char *platform_id, const char *answer,
                          bool closed) {
    struct aduan_message m = rig_record(&rig, ADUAN_KIND_STATUS, "wa", "whatsapp", id);

    m.status.state = xstrdup(status);
    m.status.platform_id = xstrdup(platform_id);
    m.status.answer = xstrdup(answer);
    m.status.reason = xstrdup(closed ? "re-engagement message" : "");
    m.status.window_closed = closed;
    rig_accept(&rig, "wa", &m);
}

static void a_reply_is_answered_and_met_when_accepted(void **state) {
    json_t *out, *show;
    char *id;

    (void)state;
    a_case();
    command(REPLY("Silakan datang ke kantor."), true);
    state_is("answered");
    out = rig_out(&rig, "wa");
    assert_int_equal(json_array_size(out), 2);
    assert_string_equal(rig_string(json_array_get(out, 1), "text"), "Silakan datang ke kantor.");
    assert_string_equal(rig_string(json_array_get(out, 1), "reply_to"), "w1");
    json_decref(out);
    id = rig_settle(&rig, "wa", 1, QUEUE_SENT, "wamid.1", NULL);
    run();
    status_is(2, "sent");
    platform_says("s2", "read", "wamid.1", NULL, false);
    platform_says("s1", "delivered", "wamid.1", NULL, false); /* late */
    platform_says("s0", "sent", NULL, id, false);
    run();
    status_is(2, "read");
    show = rig_show(&rig, "TPI-2026-000001");
    assert_int_equal(rig_events(show, "answer_sent"), 1);
    assert_int_equal(rig_events(show, "answer_delivered"), 0);
    assert_false(json_is_true(json_object_get(show, "overdue")));
    json_decref(show);
    /* Redis need not remember what the register has. */
    assert_int_equal(redis_int(&rig.redis, "EXISTS aduan:{wa}:answer:%s", id), 0);
    free(id);
}

static void events_repeat_and_come_out_of_order(void **state) {
    json_t *before, *after;
    char *id;

    (void)state;
    a_case();
    command(REPLY("Jawaban"), true);
    platform_says("s1", "delivered", "wamid.7", NULL, false); /* before we know the platform's id */
    run();
    status_is(2, "queued");
    assert_int_equal(rig_dead_count(&rig, "wa"), 0);
    id = rig_settle(&rig, "wa", 1, QUEUE_SENT, "wamid.7", NULL);
    run();
    status_is(2, "delivered");
    before = rig_show(&rig, "TPI-2026-000001");
    rig_event(&rig, "wa", id, "{\"state\":\"sent\",\"attempt\":1,\"at\":1,\"platform_id\":\"wamid.7\"}");
    rig_event(&rig, "wa", id, "{\"state\":\"failed\",\"attempt\":1,\"at\":1,\"reason\":\"late\"}");
    rig_event(&rig, "wa", id, "{\"state\":\"uncertain\",\"attempt\":1,\"at\":1}");
    run();
    after = rig_show(&rig, "TPI-2026-000001");
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    free(id);
}

/* While an answer is on its way a status may be about it: it waits, but not for long. */
static void a_status_of_nothing_is_buried_after_a_while(void **state) {
    (void)state;
    a_case();
    platform_says("s1", "delivered", "wamid.never", NULL, false);
    run();
    assert_int_equal(rig_dead_count(&rig, "wa"), 0);
    rig.now += 45 * 1000;
    run();
    assert_int_equal(rig_dead_count(&rig, "wa"), 1);
}

static void a_status_that_nothing_can_explain_is_buried_at_once(void **state) {
    (void)state;
    a_case();
    platform_says("s1", "delivered", "wamid.x", "somebody-elses-callback", false); /* another sender's answer */
    run();
    assert_int_equal(rig_dead_count(&rig, "wa"), 1);
    free(rig_settle(&rig, "wa", 0, QUEUE_SENT, "wamid.0", NULL));
    run();
    platform_says("s2", "delivered", "wamid.y", NULL, false); /* nothing is on its way any more */
    run();
    assert_int_equal(rig_dead_count(&rig, "wa"), 2);
}

/* A queue that is far behind may tell an attachment's end long before its message is read. */
static void an_early_attachment_waits_longer_than_a_status(void **state) {
    (void)state;
    rig_event(&rig, "wa", "wa/w1#0", "{\"type\":\"media\",\"state\":\"stored\",\"sha256\":\"ab\",\"size\":12}");
    run();
    rig.now += 10 * 60 * 1000;
    run();
    assert_int_equal(rig_dead_count(&rig, "wa"), 0);
    rig.now += hour;
    run();
    assert_int_equal(rig_dead_count(&rig, "wa"), 1);
}

static void a_failed_answer_brings_the_case_back(void **state) {
    json_t *show;
    char *id;

    (void)state;
    a_case();
    command(REPLY("Jawaban"), true);
    id = rig_settle(&rig, "wa", 1, QUEUE_NEVER, NULL, "recipient not on the platform");
    run();
    state_is("in_progress");
    status_is(2, "failed");
    show = rig_show(&rig, "TPI-2026-000001");
    assert_int_equal(rig_events(show, "answer_failed"), 1);
    assert_string_equal(rig_message(show, 2, "reason"), "recipient not on the platform");
    json_decref(show);
    assert_int_equal(rig_dead_count(&rig, "wa"), 1);
    free(id);
}

static void a_dead_answer_is_sent_again_on_request(void **state) {
    char *id, *dead, *json;

    (void)state;
    a_case();
    command(REPLY("Jawaban"), true);
    id = rig_settle(&rig, "wa", 1, QUEUE_NEVER, NULL, "blocked");
    run();
    dead = rig_dead_id(&rig, "wa", 0);
    json = xasprintf("{\"verb\":\"dead-retry\",\"actor\":\"root\",\"account\":\"wa\",\"id\":\"%s\"}", dead);
    command(json, true);
    assert_int_equal(rig_dead_count(&rig, "wa"), 0);
    state_is("answered");
    status_is(2, "queued");
    rig_event(&rig, "wa", id,
              "{\"state\":\"failed\",\"attempt\":1,\"at\":1,\"reason\":\"blocked\"}"); /* a repeat */
    run();
    status_is(2, "queued");
    free(rig_settle(&rig, "wa", 1, QUEUE_SENT, "wamid.2", NULL));
    run();
    status_is(2, "sent");
    free(id);
    free(dead);
    free(json);
}

static void an_uncertain_answer_is_settled_by_a_status(void **state) {
    char *id;

    (void)state;
    a_case();
    command(REPLY("Jawaban"), true);
    id = rig_settle(&rig, "wa", 1, QUEUE_UNCERTAIN, NULL, "no reply after the request left");
    run();
    state_is("in_progress");
    status_is(2, "uncertain");
    assert_int_equal(rig_dead_count(&rig, "wa"), 1);
    platform_says("s1", "delivered", "wamid.3", id, false);
    run();
    state_is("answered");
    status_is(2, "delivered");
    assert_int_equal(rig_dead_count(&rig, "wa"), 0);
    free(id);
}

/* Whether it had gone out was known to Redis alone: a person decides, nothing is sent twice by itself. */
static void an_answer_that_redis_lost_is_uncertain(void **state) {
    char *dead = NULL, *json;
    json_t *out;
    size_t i;

    (void)state;
    a_case();
    command(REPLY("Jawaban"), true);
    rig.now += hour;
    run();
    status_is(2, "queued"); /* slow is not lost */
    redis_do(&rig.redis, "FLUSHALL");
    rig.now += hour;
    run();
    status_is(1, "uncertain");
    status_is(2, "uncertain");
    state_is("in_progress");
    out = rig_out(&rig, "wa");
    assert_int_equal(json_array_size(out), 0);
    json_decref(out);
    assert_int_equal(rig_dead_count(&rig, "wa"), 2);
    for (i = 0; i < 2; i++) { /* the officer has both sent again */
        dead = rig_dead_id(&rig, "wa", 0);
        json = xasprintf("{\"verb\":\"dead-retry\",\"actor\":\"root\",\"account\":\"wa\",\"id\":\"%s\"}", dead);
        command(json, true);
        free(json);
        free(dead);
    }
    free(rig_settle(&rig, "wa", 1, QUEUE_SENT, "wamid.2", NULL));
    run();
    status_is(2, "sent");
    state_is("answered");
    assert_int_equal(rig_dead_count(&rig, "wa"), 0);
}

static void a_closed_window_holds_and_asks_once(void **state) {
    json_t *out, *show;

    (void)state;
    a_case();
    rig.now += 24 * hour - 60 * 1000; /* within the platform's window, but too near its end */
    command(REPLY("Satu"), true);
    command(REPLY("Dua"), true);
    status_is(2, "held");
    out = rig_out(&rig, "wa");
    assert_int_equal(json_array_size(out), 2); /* the receipt and one template */
    assert_string_equal(rig_string(json_array_get(out, 1), "kind"), "template");
    json_decref(out);
    rig_chat(&rig, "w2", "6281", "ya, saya di sini", 0);
    run();
    out = rig_out(&rig, "wa");
    assert_int_equal(json_array_size(out), 4);
    assert_string_equal(rig_string(json_array_get(out, 2), "text"), "Satu");
    assert_string_equal(rig_string(json_array_get(out, 3), "text"), "Dua");
    json_decref(out);
    show = rig_show(&rig, "TPI-2026-000001");
    assert_int_equal(rig_events(show, "released"), 1);
    json_decref(show);
}

/* The "yes" that lets a held answer go is no question of its own: the case stays answered. */
static void a_released_answer_leaves_the_case_answered(void **state) {
    json_t *show;

    (void)state;
    a_case();
    rig.now += 30 * hour;
    command(REPLY("Satu"), true);
    status_is(2, "held");
    rig_chat(&rig, "w2", "6281", "Ya", 0);
    run();
    state_is("answered");
    rig_chat(&rig, "w3", "6281", "ya, saya tunggu", 0); /* it is on its way by now */
    run();
    state_is("answered");
    free(rig_settle(&rig, "wa", 2, QUEUE_SENT, "wamid.5", NULL)); /* after the receipt and the template */
    run();
    status_is(2, "sent");
    state_is("answered");
    rig_chat(&rig, "w4", "6281", "masih belum jelas", 0); /* this is about the answer */
    run();
    state_is("in_progress");
    show = rig_show(&rig, "TPI-2026-000001");
    assert_int_equal(rig_events(show, "reopened"), 1);
    json_decref(show);
}

/* The message that crossed with "closed" reopened the case before anybody knew; the answer then went out. */
static void an_answer_that_crossed_is_answered_when_accepted(void **state) {
    (void)state;
    a_case();
    command(REPLY("Satu"), true);
    rig.now += hour;
    rig_chat(&rig, "w2", "6281", "Ya", 0);
    run();
    state_is("in_progress"); /* written before the answer arrived: the officer must see it */
    free(rig_settle(&rig, "wa", 1, QUEUE_HELD, NULL, "window closed"));
    run();
    free(rig_settle(&rig, "wa", 1, QUEUE_SENT, "wamid.6", NULL));
    run();
    state_is("answered");
}

static void what_an_officer_reopened_stays_open(void **state) {
    (void)state;
    a_case();
    rig.now += 30 * hour;
    command(REPLY("Satu"), true);
    command("{\"verb\":\"reopen\",\"actor\":\"root\",\"number\":\"TPI-2026-000001\",\"reason\":\"x\"}", true);
    rig_chat(&rig, "w2", "6281", "Ya", 0);
    run();
    free(rig_settle(&rig, "wa", 2, QUEUE_SENT, "wamid.5", NULL));
    run();
    status_is(2, "sent");
    state_is("in_progress");
}

static void a_template_is_shown_in_words(void **state) {
    json_t *show, *out;

    (void)state;
    a_case();
    rig.now += 30 * hour;
    command(REPLY("Satu"), true);
    show = rig_show(&rig, "TPI-2026-000001");
    assert_string_equal(rig_message(show, 3, "kind"), "template");
    assert_non_null(strstr(rig_message(show, 3, "text"), "templat"));
    json_decref(show);
    out = rig_out(&rig, "wa");
    assert_string_equal(rig_string(json_array_get(out, 1), "text"), ""); /* but those are not words to send */
    json_decref(out);
}

static void a_late_delivery_does_not_open_the_window(void **state) {
    (void)state;
    a_case();
    rig.now += 30 * hour;
    command(REPLY("Satu"), true);
    rig_chat(&rig, "w2", "6281", "lama tertahan", rig.now - 29 * hour); /* written long ago, delivered now */
    run();
    status_is(2, "held");
}

static void held_by_the_platform_goes_when_the_citizen_writes(void **state) {
    json_t *out;
    char *id;

    (void)state;
    a_case();
    command(REPLY("Satu"), true);
    rig.now += hour;
    id = rig_settle(&rig, "wa", 1, QUEUE_HELD, NULL, "window closed");
    run();
    status_is(2, "held");
    rig_chat(&rig, "w2", "6281", "halo", 0);
    run();
    status_is(2, "queued");
    out = rig_out(&rig, "wa");
    assert_string_equal(rig_string(json_array_get(out, json_array_size(out) - 1), "id"), id);
    json_decref(out);
    free(id);
}

/* The citizen wrote after we sent, but before the platform's "closed" was read. */
static void a_message_that_crosses_with_closed_releases_at_once(void **state) {
    char *id;

    (void)state;
    a_case();
    command(REPLY("Satu"), true);
    rig.now += hour;
    rig_chat(&rig, "w2", "6281", "halo", 0);
    run();
    id = rig_settle(&rig, "wa", 1, QUEUE_HELD, NULL, "window closed");
    run();
    status_is(2, "queued");
    assert_int_equal(redis_int(&rig.redis, "XLEN aduan:{wa}:out"), 2);
    free(id);
}

static void a_bounce_with_our_token_fails_the_answer(void **state) {
    struct aduan_message m;
    char *token, *id;

    (void)state;
    rig_mail(&rig, &(struct mail){ .id = "m1@x", .from = "siti@example.com" });
    run();
    command(REPLY("Jawaban"), true);
    id = rig_settle(&rig, "gmail", 1, QUEUE_SENT, "x", NULL);
    run();
    state_is("answered");
    /* A forged notice first: the signature is not ours. */
    m = rig_record(&rig, ADUAN_KIND_MESSAGE, "gmail", "email", "b0");
    m.flags = ADUAN_MESSAGE_BOUNCE;
    m.reply_to = xasprintf("tpi-2026-000001.%s.00000000000000000000@example.com", id);
    rig_accept(&rig, "gmail", &m);
    run();
    state_is("answered");
    assert_int_equal(rig_dead_count(&rig, "gmail"), 1);
    {
        struct reg_out o;
        json_t *answer;

        assert_int_equal(reg_out_by_key(rig_reader(&rig), id, &o), 0);
        answer = json_loads(o.answer, 0, NULL);
        token = xasprintf("%s@example.com", rig_string(answer, "token"));
        json_decref(answer);
        reg_out_clear(&o);
    }
    m = rig_record(&rig, ADUAN_KIND_MESSAGE, "gmail", "email", "b1");
    m.flags = ADUAN_MESSAGE_BOUNCE | ADUAN_MESSAGE_AUTOMATIC;
    aduan_message_add_reference(&m, token);
    rig_accept(&rig, "gmail", &m);
    run();
    state_is("in_progress");
    status_is(2, "failed");
    free(token);
    free(id);
}

static void refusals(void **state) {
    static const char bytes[2000];
    struct aduan_message m;
    json_t *answer;

    (void)state;
    a_case();
    command("{\"verb\":\"reply\",\"actor\":\"root\",\"number\":\"TPI-2026-000009\",\"text\":\"x\"}", false);
    command(REPLY("  "), false);
    command("{\"verb\":\"fly\",\"actor\":\"root\"}", false);
    command("{\"verb\":\"note\",\"actor\":\"root\",\"as\":\"nobody\",\"number\":\"TPI-2026-000001\",\"text\":"
            "\"x\"}",
            false);
    answer = rig_command(&rig,
                         "{\"verb\":\"reply\",\"actor\":\"root\",\"number\":\"TPI-2026-000001\",\"text\":\"x\","
                         "\"attachments\":[{\"name\":\"a.bin\",\"type\":\"a/b\",\"size\":2000}]}",
                         bytes, 2000);
    assert_false(json_is_true(json_object_get(answer, "ok")));
    json_decref(answer);
    m = rig_record(&rig, ADUAN_KIND_MESSAGE, "ig", "instagram", "c1");
    m.is_public = true;
    m.conversation = xstrdup("post/c1");
    m.sender.id = xstrdup("citizen");
    rig_accept(&rig, "ig", &m);
    run();
    command("{\"verb\":\"reply\",\"actor\":\"root\",\"number\":\"TPI-2026-000002\",\"text\":\"Paspor atas nama "
            "Siti selesai\"}",
            false);
    state_is("new");
}

static void roles_are_kept(void **state) {
    (void)state;
    a_case();
    command(
        "{\"verb\":\"user-add\",\"actor\":\"root\",\"name\":\"rina\",\"role\":\"officer\",\"hash\":\"$y$x\"}",
        true);
    command(
        "{\"verb\":\"user-add\",\"actor\":\"root\",\"name\":\"rina\",\"role\":\"officer\",\"hash\":\"$y$x\"}",
        false);
    command(
        "{\"verb\":\"user-add\",\"actor\":\"root\",\"name\":\"tamu\",\"role\":\"auditor\",\"hash\":\"$y$x\"}",
        true);
    command("{\"verb\":\"note\",\"actor\":\"root\",\"as\":\"rina\",\"number\":\"TPI-2026-000001\",\"text\":"
            "\"dicek\"}",
            true);
    command(
        "{\"verb\":\"note\",\"actor\":\"root\",\"as\":\"tamu\",\"number\":\"TPI-2026-000001\",\"text\":\"x\"}",
        false);
    command("{\"verb\":\"user-add\",\"actor\":\"root\",\"as\":\"rina\",\"name\":\"b\",\"role\":\"admin\","
            "\"hash\":\"$y$x\"}",
            false);
    command("{\"verb\":\"user-disable\",\"actor\":\"root\",\"name\":\"rina\"}", true);
    command(
        "{\"verb\":\"note\",\"actor\":\"root\",\"as\":\"rina\",\"number\":\"TPI-2026-000001\",\"text\":\"x\"}",
        false);
}

static void one_request_is_carried_out_once(void **state) {
    static const char note[] = "{\"verb\":\"note\",\"actor\":\"root\",\"request\":\"r1\",\"number\":\"TPI-2026-"
                               "000001\",\"text\":\"x\"}";
    json_t *show;

    (void)state;
    a_case();
    command(note, true);
    command(note, true);
    show = rig_show(&rig, "TPI-2026-000001");
    assert_int_equal(rig_events(show, "note"), 1);
    json_decref(show);
}

static void attachments_end_even_before_their_message(void **state) {
    struct aduan_message m = rig_record(&rig, ADUAN_KIND_MESSAGE, "wa", "whatsapp", "w1");
    struct aduan_attachment *a = aduan_message_add_attachment(&m);
    json_t *show, *first;

    (void)state;
    m.conversation = xstrdup("6281");
    a->name = xstrdup("foto.jpg");
    a->type = xstrdup("image/jpeg");
    a->state = ADUAN_ATTACHMENT_PENDING;
    a->source = xstrdup("media:1");
    rig_event(
        &rig, "wa", "wa/w1#0",
        "{\"type\":\"media\",\"state\":\"stored\",\"sha256\":\"ab\",\"size\":12,\"type_\":\"image/png\"}");
    run();
    rig_accept(&rig, "wa", &m);
    run();
    show = rig_show(&rig, "TPI-2026-000001");
    first =
        json_array_get(json_object_get(json_array_get(json_object_get(show, "messages"), 0), "attachments"), 0);
    assert_string_equal(rig_string(first, "state"), "stored");
    assert_string_equal(rig_string(first, "type"), "image/png");
    assert_int_equal(json_integer_value(json_object_get(first, "size")), 12);
    json_decref(show);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_reply_is_answered_and_met_when_accepted, reset),
        cmocka_unit_test_setup(events_repeat_and_come_out_of_order, reset),
        cmocka_unit_test_setup(a_status_of_nothing_is_buried_after_a_while, reset),
        cmocka_unit_test_setup(a_status_that_nothing_can_explain_is_buried_at_once, reset),
        cmocka_unit_test_setup(an_early_attachment_waits_longer_than_a_status, reset),
        cmocka_unit_test_setup(a_failed_answer_brings_the_case_back, reset),
        cmocka_unit_test_setup(a_dead_answer_is_sent_again_on_request, reset),
        cmocka_unit_test_setup(an_uncertain_answer_is_settled_by_a_status, reset),
        cmocka_unit_test_setup(an_answer_that_redis_lost_is_uncertain, reset),
        cmocka_unit_test_setup(a_closed_window_holds_and_asks_once, reset),
        cmocka_unit_test_setup(a_released_answer_leaves_the_case_answered, reset),
        cmocka_unit_test_setup(an_answer_that_crossed_is_answered_when_accepted, reset),
        cmocka_unit_test_setup(what_an_officer_reopened_stays_open, reset),
        cmocka_unit_test_setup(a_template_is_shown_in_words, reset),
        cmocka_unit_test_setup(a_late_delivery_does_not_open_the_window, reset),
        cmocka_unit_test_setup(held_by_the_platform_goes_when_the_citizen_writes, reset),
        cmocka_unit_test_setup(a_message_that_crosses_with_closed_releases_at_once, reset),
        cmocka_unit_test_setup(a_bounce_with_our_token_fails_the_answer, reset),
        cmocka_unit_test_setup(refusals, reset),
        cmocka_unit_test_setup(roles_are_kept, reset),
        cmocka_unit_test_setup(one_request_is_carried_out_once, reset),
        cmocka_unit_test_setup(attachments_end_even_before_their_message, reset),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
