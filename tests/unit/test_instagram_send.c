/* Answers to Instagram: direct, private to a comment, in public; against a host whose transfers the test plays.
 */
#include "connector.h"

#include "kit/json.h"
#include "kit/text.h"

#include "fake_host.h"

#include "../../connectors/instagram/instagram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct aduan_connector aduan_connector;

#define S(text) ((char *)(uintptr_t)(text))
#define API     "https://graph.instagram.com/v25.0"
#define DAY     (24 * 3600 * 1000LL)
#define NOW     1789800000000 /* of the fake host */

static struct instagram_settings settings = {
    .api = S(API), .account_id = S("1784"), .page_id = S(""), .access_token = { S("TOKEN"), 5 }
};

static void *ctx;

static struct fake fake;

static int set_up(void **state) {
    (void)state;
    settings.human_agent = false;
    fake_reset(&fake, NULL);
    return aduan_connector.open(&fake.host, &settings, &ctx);
}

static int tear_down(void **state) {
    (void)state;
    ctx = aduan_connector.close(ctx);
    fake_reset(&fake, NULL);
    return 0;
}

static void with_human_agent(void) {
    aduan_connector.close(ctx);
    settings.human_agent = true;
    fake_reset(&fake, NULL);
    assert_int_equal(aduan_connector.open(&fake.host, &settings, &ctx), 0);
}

/* ----------------------------------------------------------------------- answers */

#define ACCEPTED                                                                                               \
    { 0, 200, "{\"recipient_id\":\"990\",\"message_id\":\"mid.OUT\"}", NULL, NULL }
#define UPLOADED(id)                                                                                           \
    { 0, 200, "{\"attachment_id\":\"" id "\"}", NULL, NULL }
#define FAULT(status, rest)                                                                                    \
    { 0, status, "{\"error\":{\"message\":\"kata Meta\"," rest "}}", NULL, NULL }

static struct aduan_attachment file(const char *name, const char *type, int64_t size) {
    return (struct aduan_attachment){
        .name = S(name), .type = S(type), .size = size, .sha256 = S("ab12"), .state = ADUAN_ATTACHMENT_STORED
    };
}

static struct aduan_answer answer(const char *text) {
    return (struct aduan_answer){ .id = S("o7"),
                                  .kind = ADUAN_ANSWER_REPLY,
                                  .conversation = S("990"),
                                  .to = { .id = S("990") },
                                  .heard_at = NOW - 1000,
                                  .text = S(text) };
}

static struct aduan_answer comment_answer(const char *text, bool is_public) {
    struct aduan_answer a = answer(text);

    a.conversation = S("public:1799:990");
    a.reply_to = S("1786");
    a.is_public = is_public;
    return a;
}

static void send_one(const struct aduan_answer *a, const struct play *plays) {
    fake_reset(&fake, plays);
    aduan_connector.send(ctx, a, 77);
    fake_run(&fake);
}

static void assert_body(size_t i, const char *path, const char *wanted) {
    json_t *json = json_loads(fake.asked[i].body, 0, NULL);

    assert_non_null(json);
    if (wanted == NULL)
        assert_null(js_get(json, path));
    else
        assert_string_equal(js_str(json, path), wanted);
    json_decref(json);
}

/* The officer is told before, and send() says the same without a call. */
static void never(const struct aduan_answer *a, const char *part) {
    char why[300] = "";

    assert_int_equal(aduan_connector.fits(&settings, a, why, sizeof(why)), -1);
    assert_non_null(strstr(why, part));
    assert_non_null(strstr(why, " / "));
    send_one(a, NULL);
    assert_int_equal(fake.result.outcome, ADUAN_NEVER);
    assert_string_equal(fake.result.reason, why);
    assert_int_equal(fake.count, 0);
}

/* ------------------------------------------------------------------------ direct */

static void a_text_goes_as_documented(void **state) {
    struct aduan_answer a = answer("Mohon maaf 🙏");
    const struct play plays[] = { ACCEPTED };

    (void)state;
    a.reply_to = S("mid.IN");
    send_one(&a, plays);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    assert_string_equal(fake.result.platform_id, "mid.OUT");
    assert_string_equal(fake.asked[0].method, "POST");
    assert_string_equal(fake.asked[0].url, API "/1784/messages");
    assert_true(fake.asked[0].bearer);
    assert_body(0, "recipient.id", "990");
    assert_body(0, "messaging_type", "RESPONSE");
    assert_body(0, "tag", NULL);
    assert_body(0, "message.text", "Mohon maaf 🙏");
    assert_body(0, "message.metadata", NULL);
    assert_body(0, "reply_to.mid", "mid.IN");
}

static void the_facebook_login_sends_by_the_page(void **state) {
    struct instagram_settings facebook = settings;
    struct aduan_answer a = answer("Halo");
    const struct play plays[] = { ACCEPTED };

    (void)state;
    facebook.api = S("https://graph.facebook.com/v25.0");
    facebook.page_id = S("1100");
    aduan_connector.close(ctx);
    aduan_connector.open(&fake.host, &facebook, &ctx);
    send_one(&a, plays);
    assert_string_equal(fake.asked[0].url, "https://graph.facebook.com/v25.0/1100/messages");
}

/* 1000 bytes, not characters; never split. */
static void a_thousand_bytes_and_not_one_more(void **state) {
    char text[1003] = "";
    const struct play plays[] = { ACCEPTED };
    struct aduan_answer a = answer(text);
    size_t i;

    (void)state;
    for (i = 0; i < 1000; i += 2)
        memcpy(text + i, "é", 2);
    text[1000] = '\0';
    send_one(&a, plays);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    assert_int_equal(fake.count, 1);
    memcpy(text + 1000, "a", 2);
    never(&a, "1001 byte");
}

static void what_is_quoted_may_be_gone(void **state) {
    struct aduan_answer a = answer("Halo");
    const struct play plays[] = { FAULT(400, "\"code\":100"), ACCEPTED };
    const struct play twice[] = { FAULT(400, "\"code\":100"), FAULT(400, "\"code\":100") };

    (void)state;
    a.reply_to = S("mid.GONE");
    send_one(&a, plays);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    assert_int_equal(fake.count, 2);
    assert_body(1, "reply_to", NULL);
    send_one(&a, twice);
    assert_int_equal(fake.result.outcome, ADUAN_NEVER);
    assert_int_equal(fake.count, 2);
}

static void attachments_are_uploaded_first_and_images_go_together(void **state) {
    struct aduan_attachment files[] = { file("a.png", "image/png", 10), file("b.jpg", "image/jpeg", 10),
                                        file("c.pdf", "application/pdf", 10) };
    struct aduan_answer a = answer("Tiga berkas");
    const struct play plays[] = { UPLOADED("1"), UPLOADED("2"), UPLOADED("3"), ACCEPTED, ACCEPTED, ACCEPTED };
    json_t *body;

    (void)state;
    a.attachments = files;
    a.attachment_count = 3;
    a.reply_to = S("mid.IN");
    send_one(&a, plays);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    assert_int_equal(fake.count, 6);
    assert_string_equal(fake.asked[0].url, API "/1784/message_attachments");
    assert_non_null(strstr(fake.asked[0].form, "filedata=ab12;(a.png,image/png)"));
    assert_non_null(strstr(fake.asked[0].form, "\"type\":\"image\""));
    assert_non_null(strstr(fake.asked[2].form, "\"type\":\"file\""));
    assert_body(3, "message.text", "Tiga berkas");
    assert_body(3, "reply_to.mid", "mid.IN");
    body = json_loads(fake.asked[4].body, 0, NULL);
    assert_int_equal(json_array_size(js_get(body, "message.attachments")), 2);
    json_decref(body);
    assert_body(4, "reply_to", NULL);
    assert_body(5, "message.attachment.payload.attachment_id", "3");
    assert_body(5, "message.attachment.type", "file");
}

static void what_cannot_be_carried_is_said(void **state) {
    struct aduan_attachment files[11];
    struct aduan_answer a = answer("Lihat lampiran");
    size_t i;

    (void)state;
    for (i = 0; i < 11; i++)
        files[i] = file("a.png", "image/png", 10);
    a.attachments = files;
    a.attachment_count = 11;
    never(&a, "10");
    a.attachment_count = 1;
    files[0] = file("a.docx", "application/msword", 10);
    never(&a, "PDF");
    files[0] = file("a.png", "image/png", 8000001);
    never(&a, "8 MB");
    files[0] = file("a.pdf", "application/pdf", 25000001);
    never(&a, "25 MB");
    a = answer("");
    never(&a, "kosong");
}

static void a_failure_after_the_first_message_is_final(void **state) {
    struct aduan_attachment files[] = { file("c.pdf", "application/pdf", 10) };
    struct aduan_answer a = answer("Teks");
    const struct play limited[] = { UPLOADED("1"), ACCEPTED, FAULT(400, "\"code\":613") };
    const struct play upload[] = { FAULT(400, "\"code\":613") };
    const struct play cut[] = { UPLOADED("1"), ACCEPTED, { ADUAN_HTTP_BROKEN, 0, NULL, NULL, NULL } };

    (void)state;
    a.attachments = files;
    a.attachment_count = 1;
    send_one(&a, limited);
    assert_int_equal(fake.result.outcome, ADUAN_NEVER);
    assert_non_null(strstr(fake.result.reason, "1 dari 2"));
    send_one(&a, upload); /* nobody has seen anything yet */
    assert_int_equal(fake.result.outcome, ADUAN_LIMITED);
    send_one(&a, cut);
    assert_int_equal(fake.result.outcome, ADUAN_UNCERTAIN);
}

/* ------------------------------------------------------------------------ errors */

static const struct {
    int status;
    const char *error;
    enum aduan_outcome outcome;
} faults[] = {
    { 403, "\"code\":10,\"error_subcode\":2018278", ADUAN_CLOSED },
    { 403, "\"code\":10,\"error_subcode\":2534022", ADUAN_CLOSED },
    { 403, "\"code\":10", ADUAN_REFUSED },
    { 400, "\"code\":100,\"error_subcode\":2018001", ADUAN_NEVER },
    { 400, "\"code\":100,\"error_subcode\":2018300", ADUAN_LIMITED },
    { 403, "\"code\":10,\"error_subcode\":2018300", ADUAN_LIMITED },
    { 400, "\"code\":551,\"error_subcode\":1545041", ADUAN_NEVER },
    { 400, "\"code\":200,\"error_subcode\":1545041", ADUAN_NEVER },
    { 400, "\"code\":613,\"error_subcode\":2534040", ADUAN_LIMITED },
    { 400, "\"code\":80006", ADUAN_LIMITED },
    { 401, "\"code\":190,\"error_subcode\":463", ADUAN_REFUSED },
    { 400, "\"code\":230", ADUAN_NEVER },
    { 400, "\"code\":100", ADUAN_NEVER },
    { 400, "\"code\":100,\"is_transient\":true", ADUAN_LATER },
    { 500, "\"code\":2", ADUAN_LATER },
    { 400, "\"code\":424242", ADUAN_NEVER },
};

static void each_error_has_its_consequence(void **state) {
    struct aduan_answer a = answer("Halo");
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        char *body = xasprintf("{\"error\":{\"message\":\"kata Meta\",%s}}", faults[i].error);
        const struct play plays[] = { { 0, faults[i].status, body, NULL, NULL } };

        send_one(&a, plays);
        if (fake.result.outcome != faults[i].outcome)
            fail_msg("%s: %d", faults[i].error, fake.result.outcome);
        assert_int_equal(fake.count, 1);
        free(body);
    }
}

static void a_broken_transfer_is_uncertain_only_when_something_left(void **state) {
    struct aduan_answer a = answer("Halo");
    const struct play nothing[] = { { ADUAN_HTTP_SENT_NOTHING, 0, NULL, NULL, NULL } };
    const struct play broken[] = { { ADUAN_HTTP_BROKEN, 0, NULL, NULL, NULL } };
    const struct play garbage[] = { { 0, 200, "ok", NULL, NULL } };

    (void)state;
    send_one(&a, nothing);
    assert_int_equal(fake.result.outcome, ADUAN_LATER);
    send_one(&a, broken);
    assert_int_equal(fake.result.outcome, ADUAN_UNCERTAIN);
    send_one(&a, garbage);
    assert_int_equal(fake.result.outcome, ADUAN_UNCERTAIN);
}

/* ----------------------------------------------------------------------- windows */

static void the_tag_is_for_persons_and_late_answers_only(void **state) {
    struct aduan_answer a = answer("Jawaban petugas");
    const struct play plays[] = { ACCEPTED };

    (void)state;
    a.heard_at = NOW - 3 * DAY;
    send_one(&a, plays); /* not approved: Meta decides */
    assert_body(0, "messaging_type", "RESPONSE");
    with_human_agent();
    send_one(&a, plays);
    assert_body(0, "messaging_type", "MESSAGE_TAG");
    assert_body(0, "tag", "HUMAN_AGENT");
    a.kind = ADUAN_ANSWER_AUTOMATIC;
    send_one(&a, plays);
    assert_body(0, "tag", NULL);
    a = answer("Baru saja");
    send_one(&a, plays);
    assert_body(0, "tag", NULL);
}

static void metas_clock_may_be_ahead_of_ours(void **state) {
    struct aduan_answer a = answer("Di ujung jendela");
    const struct play plays[] = { FAULT(403, "\"code\":10,\"error_subcode\":2018278"), ACCEPTED };

    (void)state;
    a.heard_at = NOW - DAY + 1000;
    with_human_agent();
    send_one(&a, plays);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    assert_body(0, "tag", NULL);
    assert_body(1, "tag", "HUMAN_AGENT");
}

/* The setting is on, the approval is not: no reason to stop everything. */
static void a_tag_that_was_never_approved_holds_one_answer(void **state) {
    struct aduan_answer a = answer("Jawaban petugas");
    const struct play plays[] = { FAULT(403, "\"code\":10") };

    (void)state;
    a.heard_at = NOW - 3 * DAY;
    with_human_agent();
    send_one(&a, plays);
    assert_int_equal(fake.result.outcome, ADUAN_CLOSED);
    assert_non_null(strstr(fake.result.reason, "Human Agent"));
}

static void the_window_follows_the_setting(void **state) {
    (void)state;
    assert_int_equal(aduan_connector.window(&settings, true), DAY);
    settings.human_agent = true;
    assert_int_equal(aduan_connector.window(&settings, true), 7 * DAY);
    assert_int_equal(aduan_connector.window(&settings, false), DAY);
}

/* ------------------------------------------------------------------------ public */

static void a_comment_is_answered_in_public_after_a_look(void **state) {
    struct aduan_answer a = comment_answer("Mohon lewat DM", true);
    const struct play plays[] = { { 0, 200, "{\"id\":\"1786\"}", NULL, NULL },
                                  { 0, 200, "{\"id\":\"1787\"}", NULL, NULL } };
    const struct play gone[] = { FAULT(400, "\"code\":100,\"error_subcode\":33") };
    const struct play cut[] = { { 0, 200, "{\"id\":\"1786\"}", NULL, NULL },
                                { ADUAN_HTTP_BROKEN, 0, NULL, NULL, NULL } };

    (void)state;
    send_one(&a, plays);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    assert_string_equal(fake.result.platform_id, "1787");
    assert_string_equal(fake.asked[0].method, "GET");
    assert_string_equal(fake.asked[0].url, API "/1786?fields=id");
    assert_string_equal(fake.asked[1].url, API "/1786/replies");
    assert_body(1, "message", "Mohon lewat DM");
    send_one(&a, gone);
    assert_int_equal(fake.result.outcome, ADUAN_NEVER);
    assert_non_null(strstr(fake.result.reason, "dihapus"));
    assert_int_equal(fake.count, 1);
    send_one(&a, cut);
    assert_int_equal(fake.result.outcome, ADUAN_UNCERTAIN);
}

static void a_mention_is_answered_where_it_stands(void **state) {
    struct aduan_answer a = comment_answer("Mohon lewat DM", true);
    const struct play plays[] = { { 0, 200, "{\"mentioned_comment\":{\"id\":\"1786\"}}", NULL, NULL },
                                  { 0, 200, "{\"id\":\"1787\"}", NULL, NULL } };

    (void)state;
    a.conversation = S("public:1799:mention:1786");
    send_one(&a, plays);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    assert_string_equal(fake.asked[0].url, API "/1784?fields=mentioned_comment.comment_id%281786%29%7Bid%7D");
    assert_string_equal(fake.asked[1].url, API "/1784/mentions");
    assert_body(1, "media_id", "1799");
    assert_body(1, "comment_id", "1786");
    a.conversation = S("public:1799:mention");
    a.reply_to = S("1799");
    send_one(&a, plays);
    assert_body(1, "comment_id", NULL);
    a.is_public = false;
    never(&a, "DM");
}

static void a_public_reply_has_its_limits(void **state) {
    char text[302] = "";
    struct aduan_attachment files[] = { file("a.png", "image/png", 10) };
    struct aduan_answer a = comment_answer(text, true);
    char why[300];

    (void)state;
    memset(text, 'a', 301);
    text[300] = '\0';
    assert_int_equal(aduan_connector.fits(&settings, &a, why, sizeof(why)), 0);
    text[300] = 'a';
    text[301] = '\0';
    never(&a, "300");
    a.text = S("Halo");
    a.attachments = files;
    a.attachment_count = 1;
    never(&a, "teks");
}

static void a_private_reply_goes_once_within_seven_days(void **state) {
    struct aduan_attachment files[] = { file("a.png", "image/png", 10) };
    struct aduan_answer a = comment_answer("Ibu Siti, paspor diganti.", false);
    const struct play plays[] = { ACCEPTED };
    const struct play late[] = { FAULT(403, "\"code\":10,\"error_subcode\":2018278") };
    const struct play twice[] = { FAULT(400, "\"code\":10900") };

    (void)state;
    send_one(&a, late); /* no window that would open again */
    assert_int_equal(fake.result.outcome, ADUAN_NEVER);
    send_one(&a, twice);
    assert_int_equal(fake.result.outcome, ADUAN_NEVER);
    send_one(&a, plays);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    assert_int_equal(fake.count, 1);
    assert_string_equal(fake.asked[0].url, API "/1784/messages");
    assert_body(0, "recipient.comment_id", "1786");
    assert_body(0, "recipient.id", NULL);
    assert_body(0, "reply_to", NULL);
    assert_body(0, "tag", NULL);
    a.heard_at = NOW - 7 * DAY - 1;
    send_one(&a, NULL);
    assert_int_equal(fake.result.outcome, ADUAN_NEVER);
    assert_non_null(strstr(fake.result.reason, "7 hari"));
    a.heard_at = NOW;
    a.answered_before = 1;
    never(&a, "sekali");
    a.answered_before = 0;
    a.attachments = files;
    a.attachment_count = 1;
    never(&a, "lampiran");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_text_goes_as_documented),
        TEST(the_facebook_login_sends_by_the_page),
        TEST(a_thousand_bytes_and_not_one_more),
        TEST(what_is_quoted_may_be_gone),
        TEST(attachments_are_uploaded_first_and_images_go_together),
        TEST(what_cannot_be_carried_is_said),
        TEST(a_failure_after_the_first_message_is_final),
        TEST(each_error_has_its_consequence),
        TEST(a_broken_transfer_is_uncertain_only_when_something_left),
        TEST(the_tag_is_for_persons_and_late_answers_only),
        TEST(metas_clock_may_be_ahead_of_ours),
        TEST(a_tag_that_was_never_approved_holds_one_answer),
        TEST(the_window_follows_the_setting),
        TEST(a_comment_is_answered_in_public_after_a_look),
        TEST(a_mention_is_answered_where_it_stands),
        TEST(a_public_reply_has_its_limits),
        TEST(a_private_reply_goes_once_within_seven_days),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
