/* Answers to Graph, against a host whose transfers the test plays. */
#include "connector.h"

#include "kit/json.h"
#include "kit/sign.h"
#include "kit/text.h"

#include "fake_host.h"

#include "../../connectors/whatsapp/whatsapp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct aduan_connector aduan_connector;

static struct whatsapp_settings settings = {
    .api = (char *)(uintptr_t) "https://graph.facebook.com/v25.0",
    .phone_number_id = (char *)(uintptr_t) "1065",
    .access_token = { (char *)(uintptr_t) "TOKEN", 5 },
    .opener = { (char *)(uintptr_t) "buka", (char *)(uintptr_t) "id" },
};

static void *ctx;

static struct fake fake;

static int set_up(void **state) {
    (void)state;
    fake_reset(&fake, NULL);
    return aduan_connector.open(&fake.host, &settings, &ctx);
}

static int tear_down(void **state) {
    (void)state;
    ctx = aduan_connector.close(ctx);
    fake_reset(&fake, NULL);
    return 0;
}

/* ----------------------------------------------------------------------- answers */

#define ACCEPTED                                                                                               \
    { 0, 200, "{\"messages\":[{\"id\":\"wamid.OUT1\"}]}", NULL, NULL }

static struct aduan_attachment file(const char *name, const char *type, int64_t size) {
    return (struct aduan_attachment){ .name = (char *)(uintptr_t)name,
                                      .type = (char *)(uintptr_t)type,
                                      .size = size,
                                      .sha256 = (char *)(uintptr_t) "ab12",
                                      .state = ADUAN_ATTACHMENT_STORED };
}

static struct aduan_answer answer(const char *text) {
    return (struct aduan_answer){
        .id = (char *)(uintptr_t) "o7",
        .kind = ADUAN_ANSWER_REPLY,
        .conversation = (char *)(uintptr_t) "ID.7k2",
        .to = { .id = (char *)(uintptr_t) "ID.7k2", .phone = (char *)(uintptr_t) "+6281234567890" },
        .text = (char *)(uintptr_t)text,
    };
}

static void send_one(const struct aduan_answer *a, const struct play *plays) {
    fake_reset(&fake, plays);
    aduan_connector.send(ctx, a, 77);
    fake_run(&fake);
}

static json_t *body(size_t i) {
    json_t *json = json_loads(fake.asked[i].body, 0, NULL);

    assert_non_null(json);
    return json;
}

static void assert_body(size_t i, const char *path, const char *wanted) {
    json_t *json = body(i);

    if (wanted == NULL)
        assert_null(js_get(json, path));
    else
        assert_string_equal(js_str(json, path), wanted);
    json_decref(json);
}

static void a_text_goes_as_documented(void **state) {
    struct aduan_answer a = answer("Mohon maaf, kami cek dulu 🙏");
    const struct play plays[] = { ACCEPTED };

    (void)state;
    a.reply_to = (char *)(uintptr_t) "wamid.CONTOH_TEXT";
    send_one(&a, plays);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    assert_string_equal(fake.result.platform_id, "wamid.OUT1");
    assert_int_equal(fake.count, 1);
    assert_string_equal(fake.asked[0].method, "POST");
    assert_string_equal(fake.asked[0].url, "https://graph.facebook.com/v25.0/1065/messages");
    assert_true(fake.asked[0].bearer);
    assert_body(0, "messaging_product", "whatsapp");
    assert_body(0, "to", "+6281234567890");
    assert_body(0, "recipient", NULL);
    assert_body(0, "type", "text");
    assert_body(0, "text.body", "Mohon maaf, kami cek dulu 🙏");
    assert_body(0, "context.message_id", "wamid.CONTOH_TEXT");
    assert_body(0, "biz_opaque_callback_data", "o7");
}

static void a_user_without_a_number_is_reached_by_id(void **state) {
    struct aduan_answer a = answer("Halo");
    const struct play plays[] = { ACCEPTED };

    (void)state;
    a.to.phone = NULL;
    send_one(&a, plays);
    assert_body(0, "recipient", "ID.7k2");
    assert_body(0, "to", NULL);
    a.to.phone = (char *)(uintptr_t) ""; /* the same as none */
    send_one(&a, plays);
    assert_body(0, "recipient", "ID.7k2");
    assert_body(0, "to", NULL);
    a.conversation = (char *)(uintptr_t) "group:G1";
    send_one(&a, plays);
    assert_body(0, "to", "G1");
    assert_body(0, "recipient_type", "group");
}

static void a_template_opens_a_closed_window(void **state) {
    struct aduan_answer a = answer("Jawaban yang ditahan");
    const struct play plays[] = { ACCEPTED };

    (void)state;
    a.kind = ADUAN_ANSWER_TEMPLATE;
    a.reply_to = (char *)(uintptr_t) "wamid.X";
    send_one(&a, plays);
    assert_body(0, "type", "template");
    assert_body(0, "template.name", "buka");
    assert_body(0, "template.language.code", "id");
    assert_body(0, "context", NULL);
    assert_null(strstr(fake.asked[0].body, "ditahan"));
}

/* And the officer is told before, in the same words. */
static void never(const struct aduan_answer *a) {
    char why[300] = "";

    send_one(a, NULL);
    assert_int_equal(fake.result.outcome, ADUAN_NEVER);
    assert_int_equal(aduan_connector.fits(&settings, a, why, sizeof(why)), -1);
    assert_string_equal(why, fake.result.reason);
}

static void what_can_never_be_sent_is_not_tried(void **state) {
    struct aduan_attachment huge = file("film.mkv", "video/x-matroska", 100000001);
    struct aduan_answer a = answer("x");
    char *text = xcalloc(4098, 1);

    (void)state;
    memset(text, 'a', 4097);
    a.text = text;
    never(&a);
    assert_non_null(strstr(fake.result.reason, "4096"));
    a = answer("");
    never(&a);
    a = answer("x");
    a.attachments = &huge;
    a.attachment_count = 1;
    never(&a);
    assert_non_null(strstr(fake.result.reason, "100 MB"));
    a = answer("x");
    a.to.phone = a.to.id = NULL;
    never(&a);
    settings.opener.name = (char *)(uintptr_t) "";
    a = answer("x");
    a.kind = ADUAN_ANSWER_TEMPLATE;
    never(&a);
    settings.opener.name = (char *)(uintptr_t) "buka";
    assert_int_equal(fake.count, 0);
    free(text);
}

static void the_longest_text_counts_characters(void **state) {
    struct text t = TEXT_INIT;
    const struct play plays[] = { ACCEPTED };
    struct aduan_answer a;
    int i;

    (void)state;
    for (i = 0; i < 4096; i++)
        text_add(&t, "é");
    a = answer(t.s);
    send_one(&a, plays);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    text_free(&t);
}

/* ------------------------------------------------------------------ attachments */

static void send_file(struct aduan_attachment f, const char *text, const struct play *plays) {
    struct aduan_answer a = answer(text);

    a.attachments = &f;
    a.attachment_count = 1;
    send_one(&a, plays);
}

static void a_file_is_uploaded_then_sent_with_the_text(void **state) {
    const struct play plays[] = { { 0, 200, "{\"id\":\"M1\"}", NULL, NULL }, ACCEPTED };

    (void)state;
    send_file(file("foto.jpg", "image/jpeg", 1000), "Lihat foto", plays);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    assert_int_equal(fake.count, 2);
    assert_string_equal(fake.asked[0].url, "https://graph.facebook.com/v25.0/1065/media");
    assert_string_equal(fake.asked[0].form,
                        "messaging_product=whatsapp;type=image/jpeg;file=ab12;(foto.jpg,image/jpeg)");
    assert_body(1, "type", "image");
    assert_body(1, "image.id", "M1");
    assert_body(1, "image.caption", "Lihat foto");
    assert_body(1, "image.filename", NULL);
}

static void the_kind_follows_type_and_size(void **state) {
    static const struct {
        const char *type;
        int64_t size;
        const char *kind;
        size_t messages;
    } cases[] = {
        { "image/png", 5000000, "image", 1 },        { "image/png", 5000001, "document", 1 },
        { "image/webp", 10, "document", 1 },         { "video/mp4", 16000000, "video", 1 },
        { "video/mp4", 16000001, "document", 1 },    { "application/pdf", 100000000, "document", 1 },
        { "audio/ogg; codecs=opus", 5, "audio", 2 }, { "application/x-strange", 5, "document", 1 },
    };
    const struct play plays[] = { { 0, 200, "{\"id\":\"M1\"}", NULL, NULL }, ACCEPTED, ACCEPTED };
    size_t i, last;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        send_file(file("berkas.bin", cases[i].type, cases[i].size), "Keterangan", plays);
        assert_int_equal(fake.result.outcome, ADUAN_SENT);
        assert_int_equal(fake.count, 1 + cases[i].messages);
        last = fake.count - 1;
        assert_body(last, "type", cases[i].kind);
        if (cases[i].messages == 2) /* audio takes no caption: the text goes first, alone */
            assert_body(1, "text.body", "Keterangan");
        if (strcmp(cases[i].kind, "document") == 0)
            assert_body(last, "document.filename", "berkas.bin");
    }
}

static void a_failed_upload_harms_nothing(void **state) {
    const struct play broken[] = { { ADUAN_HTTP_BROKEN, 0, NULL, NULL, NULL } };
    const struct play refused[] = { { 0, 400, "{\"error\":{\"message\":\"type\",\"code\":100}}", NULL, NULL } };
    const struct play nothing[] = { { 0, 200, "{}", NULL, NULL } };

    (void)state;
    send_file(file("a.pdf", "application/pdf", 10), "x", broken);
    assert_int_equal(fake.result.outcome, ADUAN_LATER);
    send_file(file("a.pdf", "application/pdf", 10), "x", refused);
    assert_int_equal(fake.result.outcome, ADUAN_NEVER);
    send_file(file("a.pdf", "application/pdf", 10), "x", nothing);
    assert_int_equal(fake.result.outcome, ADUAN_LATER);
}

/* The second of two messages fails: to repeat the answer would deliver the first one twice. */
static void half_an_answer_is_never_repeated(void **state) {
    const struct play plays[] = { { 0, 200, "{\"id\":\"M1\"}", NULL, NULL },
                                  ACCEPTED,
                                  { 0, 500, "{\"error\":{\"message\":\"x\",\"code\":131000}}", NULL, NULL } };
    const struct play broken[] = { { 0, 200, "{\"id\":\"M1\"}", NULL, NULL },
                                   ACCEPTED,
                                   { ADUAN_HTTP_BROKEN, 0, NULL, NULL, NULL } };

    (void)state;
    send_file(file("a.ogg", "audio/ogg", 10), "x", plays);
    assert_int_equal(fake.result.outcome, ADUAN_NEVER);
    assert_non_null(strstr(fake.result.reason, "1 dari 2"));
    send_file(file("a.ogg", "audio/ogg", 10), "x", broken);
    assert_int_equal(fake.result.outcome, ADUAN_UNCERTAIN);
}

/* --------------------------------------------------------------------- outcomes */

static void send_play(struct play p) {
    struct aduan_answer a = answer("Halo");

    send_one(&a, &p);
}

static void send_code(int status, int code) {
    char json[100];

    snprintf(json, sizeof(json), "{\"error\":{\"message\":\"(#%d) kata Meta\",\"code\":%d}}", code, code);
    send_play((struct play){ 0, status, json, NULL, NULL });
}

static void each_code_has_its_outcome(void **state) {
    static const struct {
        int status, code;
        enum aduan_outcome outcome;
        int scope; /* -1: any */
    } cases[] = {
        { 400, 131047, ADUAN_CLOSED, -1 },  { 401, 190, ADUAN_REFUSED, -1 },
        { 401, 0, ADUAN_REFUSED, -1 },      { 400, 3, ADUAN_REFUSED, -1 },
        { 403, 10, ADUAN_REFUSED, -1 },     { 403, 200, ADUAN_REFUSED, -1 },
        { 403, 299, ADUAN_REFUSED, -1 },    { 403, 131005, ADUAN_REFUSED, -1 },
        { 403, 131031, ADUAN_REFUSED, -1 }, { 400, 133010, ADUAN_REFUSED, -1 },
        { 400, 131042, ADUAN_REFUSED, -1 }, { 500, 1, ADUAN_LATER, -1 },
        { 503, 2, ADUAN_LATER, -1 },        { 500, 131000, ADUAN_LATER, -1 },
        { 500, 131016, ADUAN_LATER, -1 },   { 400, 131057, ADUAN_LATER, -1 },
        { 500, 133004, ADUAN_LATER, -1 },   { 400, 131053, ADUAN_LATER, -1 },
        { 400, 4, ADUAN_LIMITED, 1 },       { 400, 80007, ADUAN_LIMITED, 1 },
        { 400, 130429, ADUAN_LIMITED, 1 },  { 400, 131048, ADUAN_LIMITED, 1 },
        { 400, 133016, ADUAN_LIMITED, 1 },  { 400, 368, ADUAN_LIMITED, 1 },
        { 400, 131056, ADUAN_LIMITED, 0 },  { 400, 131026, ADUAN_NEVER, -1 },
        { 400, 131049, ADUAN_NEVER, -1 },   { 400, 131050, ADUAN_NEVER, -1 },
        { 400, 130472, ADUAN_NEVER, -1 },   { 400, 131021, ADUAN_NEVER, -1 },
        { 400, 131051, ADUAN_NEVER, -1 },   { 400, 131062, ADUAN_NEVER, -1 },
        { 400, 33, ADUAN_NEVER, -1 },       { 400, 100, ADUAN_NEVER, -1 },
        { 400, 131008, ADUAN_NEVER, -1 },   { 400, 131009, ADUAN_NEVER, -1 },
        { 404, 132001, ADUAN_NEVER, -1 },   { 400, 132069, ADUAN_NEVER, -1 },
        { 400, 135000, ADUAN_NEVER, -1 },   { 400, 2494100, ADUAN_NEVER, -1 },
        { 400, 987654, ADUAN_NEVER, -1 },   { 429, 987654, ADUAN_LIMITED, 1 },
        { 500, 987654, ADUAN_LATER, -1 },   { 403, 987654, ADUAN_REFUSED, -1 },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        send_code(cases[i].status, cases[i].code);
        if (fake.result.outcome != cases[i].outcome ||
            (cases[i].scope >= 0 && (int)fake.result.scope != cases[i].scope))
            fail_msg("HTTP %d, code %d: outcome %d", cases[i].status, cases[i].code, (int)fake.result.outcome);
        assert_true(fake.result.reason[0] != '\0');
        assert_null(strstr(fake.result.reason, "TOKEN"));
    }
}

static void what_may_have_been_accepted_is_uncertain(void **state) {
    (void)state;
    send_play((struct play){ ADUAN_HTTP_BROKEN, 0, NULL, NULL, NULL });
    assert_int_equal(fake.result.outcome, ADUAN_UNCERTAIN);
    send_play((struct play){ 0, 500, "<html>Internal Server Error</html>", NULL, NULL });
    assert_int_equal(fake.result.outcome, ADUAN_UNCERTAIN);
    send_play((struct play){ 0, 504, "", NULL, NULL });
    assert_int_equal(fake.result.outcome, ADUAN_UNCERTAIN);
    send_play((struct play){ 0, 200, "ok", NULL, NULL });
    assert_int_equal(fake.result.outcome, ADUAN_UNCERTAIN);
    send_play((struct play){ 0, 200, "{\"messages\":[]}", NULL, NULL });
    assert_int_equal(fake.result.outcome, ADUAN_UNCERTAIN);
    /* and what was not */
    send_play((struct play){ ADUAN_HTTP_SENT_NOTHING, 0, NULL, NULL, NULL });
    assert_int_equal(fake.result.outcome, ADUAN_LATER);
    send_play((struct play){ 0, 403, "<html>proxy</html>", NULL, NULL });
    assert_int_equal(fake.result.outcome, ADUAN_LATER);
    send_play((struct play){ 0, 429, "", NULL, "30" });
    assert_int_equal(fake.result.outcome, ADUAN_LIMITED);
    assert_int_equal(fake.result.retry_after_ms, 30000);
}

static void the_pair_limit_backs_off_by_fours(void **state) {
    static const int64_t seconds[] = { 4, 16, 64, 256, 1024, 4096, 4096 };
    struct aduan_answer other = answer("Halo");
    const struct play limited[] = { { 0, 400, "{\"error\":{\"code\":131056,\"message\":\"pair\"}}", NULL,
                                      NULL } };
    const struct play plays[] = { ACCEPTED };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
        send_code(400, 131056);
        assert_int_equal(fake.result.retry_after_ms, seconds[i] * 1000);
    }
    other.conversation = (char *)(uintptr_t) "ID.other";
    send_one(&other, limited);
    assert_int_equal(fake.result.retry_after_ms, 4000);
    send_play(plays[0]);
    send_code(400, 131056);
    assert_int_equal(fake.result.retry_after_ms, 4000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_text_goes_as_documented),
        TEST(a_user_without_a_number_is_reached_by_id),
        TEST(a_template_opens_a_closed_window),
        TEST(what_can_never_be_sent_is_not_tried),
        TEST(the_longest_text_counts_characters),
        TEST(a_file_is_uploaded_then_sent_with_the_text),
        TEST(the_kind_follows_type_and_size),
        TEST(a_failed_upload_harms_nothing),
        TEST(half_an_answer_is_never_repeated),
        TEST(each_code_has_its_outcome),
        TEST(what_may_have_been_accepted_is_uncertain),
        TEST(the_pair_limit_backs_off_by_fours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
