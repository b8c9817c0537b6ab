/* Answers to X within its rules, and attachments from it. */
#include "x_host.h"

#include "kit/json.h"
#include "kit/text.h"

#include "../../connectors/x/x.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct aduan_connector aduan_connector;

#define T(s) ((char *)(uintptr_t)(s))
#define API  "https://api.x.com"

static struct x_settings settings = {
    .api = (char *)(uintptr_t)API,
    .ton = (char *)(uintptr_t) "https://ton.twitter.com",
    .user_id = (char *)(uintptr_t) "1234567890",
    .consumer_key = { (char *)(uintptr_t) "CK", 2 },
    .consumer_secret = { (char *)(uintptr_t) "CS", 2 },
    .access_token = { (char *)(uintptr_t) "TK", 2 },
    .access_token_secret = { (char *)(uintptr_t) "TS", 2 },
    .webhook = true,
    .post_max = 280,
    .dm_max = 10000,
};

static struct x_host f;
static void *ctx;

#define NOW 1790000000000LL

static int set_up(void **state) {
    (void)state;
    memset(&f, 0, sizeof(f));
    f.now = NOW;
    x_host_reset(&f, NULL, 0);
    settings.public_replies = X_REPLIES_SUMMONED;
    return aduan_connector.open(&f.host, &settings, &ctx);
}

static int tear_down(void **state) {
    (void)state;
    ctx = aduan_connector.close(ctx);
    x_host_reset(&f, NULL, 0);
    return 0;
}

static struct aduan_answer dm(const char *text) {
    return (struct aduan_answer){ .id = T("o1"),
                                  .kind = ADUAN_ANSWER_REPLY,
                                  .conversation = T("9876543210"),
                                  .to = { .id = T("9876543210") },
                                  .text = T(text),
                                  .queued_at = NOW };
}

static struct aduan_answer invitation(void) {
    struct aduan_answer a = dm("Halo Kak, mohon kirim lewat DM.");

    a.kind = ADUAN_ANSWER_AUTOMATIC;
    a.is_public = true;
    a.conversation = T("public:500:9876543210");
    a.reply_to = T("500");
    return a;
}

static void play(const struct aduan_answer *a, const struct x_play *plays, size_t count) {
    x_host_reset(&f, plays, count);
    aduan_connector.send(ctx, a, 77);
    x_host_run(&f);
}

#define PLAY(a, plays) play(a, plays, sizeof(plays) / sizeof((plays)[0]))
#define ACCEPTED                                                                                               \
    { 0, 201, "{\"data\":{\"dm_conversation_id\":\"1-9\",\"dm_event_id\":\"777\"}}", 15, 14, 0 }
#define ONE(status_, body)                                                                                     \
    {                                                                                                          \
        { 0, status_, body, 0, 0, 0 }                                                                          \
    }

static void a_message_goes_as_documented(void **state) {
    const struct x_play plays[] = { ACCEPTED };
    const struct aduan_answer a = dm("Halo Kak Siti 🙏");
    json_t *body;

    (void)state;
    PLAY(&a, plays);
    assert_int_equal(f.result.outcome, ADUAN_SENT);
    assert_string_equal(f.result.platform_id, "777");
    assert_string_equal(f.asked[0].method, "POST");
    assert_string_equal(f.asked[0].url, API "/2/dm_conversations/with/9876543210/messages");
    assert_string_equal(f.asked[0].type, "application/json");
    assert_true(text_starts(f.asked[0].authorization, "OAuth "));
    body = json_loads(f.asked[0].body, 0, NULL);
    assert_string_equal(js_str(body, "text"), "Halo Kak Siti 🙏");
    json_decref(body);
    assert_int_equal(f.quota, 6);
    assert_string_equal(f.quota_name, "dm");
}

/* And the officer is told before, in the same words. */
static void never(const struct aduan_answer *a, const char *part) {
    char why[512] = "";

    x_host_reset(&f, NULL, 0);
    aduan_connector.send(ctx, a, 77);
    x_host_run(&f);
    assert_int_equal(f.result.outcome, ADUAN_NEVER);
    assert_int_equal(aduan_connector.fits(&settings, a, why, sizeof(why)), -1);
    assert_string_equal(why, f.result.reason);
    assert_non_null(strstr(why, part));
    assert_non_null(strstr(why, " / "));
}

static void what_x_forbids_is_not_tried(void **state) {
    struct aduan_attachment files[2] = {
        { .name = T("a.pdf"), .type = T("application/pdf"), .size = 10, .sha256 = T("ab") }
    };
    struct aduan_answer a = dm("Jawaban");
    char *text = xcalloc(10002, 1);

    (void)state;
    a.conversation = T("public:500:9876543210"); /* the officer's own words on a public case */
    a.reply_to = T("500");
    never(&a, "R-14");
    a = invitation();
    a.answered_before = 1;
    never(&a, "satu balasan");
    a = invitation();
    settings.public_replies = X_REPLIES_NEVER;
    never(&a, "public_replies");
    settings.public_replies = X_REPLIES_SUMMONED;
    memset(text, 'a', 281);
    a.text = text;
    never(&a, "280");
    memset(text, 'a', 10001);
    a = dm(text);
    never(&a, "10000");
    a = dm("x");
    a.attachments = files;
    a.attachment_count = 1;
    never(&a, "gambar");
    files[0].type = T("image/png");
    files[0].size = 5000001;
    never(&a, "5 MB");
    a.attachment_count = 2;
    never(&a, "satu lampiran");
    a = dm("");
    never(&a, "kosong");
    a = invitation();
    a.attachments = files;
    a.attachment_count = 1;
    never(&a, "lampiran");
    free(text);
}

#define MENTIONED                                                                                              \
    {                                                                                                          \
        0, 200,                                                                                                \
            "{\"data\":{\"id\":\"500\",\"author_id\":\"9\",\"entities\":{\"mentions\":[{\"id\":"               \
            "\"1234567890\"}]}}}",                                                                             \
            0, 0, 0                                                                                            \
    }

static void a_post_is_read_again_before_it_is_answered(void **state) {
    const struct x_play plays[] = { MENTIONED,
                                    { 0, 201, "{\"data\":{\"id\":\"600\",\"text\":\"x\"}}", 0, 0, 0 } };
    const struct x_play gone[] = ONE(200, "{\"errors\":[{\"type\":\"https://api.x.com/2/problems/"
                                          "resource-not-found\",\"title\":\"Not Found Error\"}]}");
    const struct aduan_answer a = invitation();
    json_t *body;

    (void)state;
    PLAY(&a, plays);
    assert_int_equal(f.result.outcome, ADUAN_SENT);
    assert_string_equal(f.result.platform_id, "600");
    assert_true(text_starts(f.asked[0].url, API "/2/tweets/500?"));
    assert_string_equal(f.asked[1].url, API "/2/tweets");
    body = json_loads(f.asked[1].body, 0, NULL);
    assert_string_equal(js_str(body, "reply.in_reply_to_tweet_id"), "500");
    json_decref(body);
    PLAY(&a, gone);
    assert_int_equal(f.result.outcome, ADUAN_NEVER);
    assert_int_equal(f.count, 1);
}

static void who_did_not_call_us_is_not_answered_in_public(void **state) {
    const struct x_play others[] =
        ONE(200, "{\"data\":{\"id\":\"500\",\"entities\":{\"mentions\":[{\"id\":\"5\"}]}}}");
    const struct x_play quoted[] = { { 0, 200,
                                       "{\"data\":{\"id\":\"500\",\"entities\":{}},\"includes\":{\"posts\":[{"
                                       "\"id\":\"3\",\"author_id\":\"1234567890\"}]}}",
                                       0, 0, 0 },
                                     { 0, 201, "{\"data\":{\"id\":\"600\"}}", 0, 0, 0 } };
    const struct x_play silent[] = {
        { 0, 200, "{\"data\":{\"id\":\"500\"}}", 0, 0, 0 },
        { 0, 403, "{\"title\":\"Forbidden\",\"detail\":\"You are not permitted to reply\"}", 0, 0, 0 }
    };
    const struct aduan_answer a = invitation();

    (void)state;
    PLAY(&a, others);
    assert_int_equal(f.result.outcome, ADUAN_NEVER);
    assert_non_null(strstr(f.result.reason, "disebut atau dikutip"));
    PLAY(&a, quoted);
    assert_int_equal(f.result.outcome, ADUAN_SENT);
    PLAY(&a, silent); /* the post does not say: X decides */
    assert_int_equal(f.result.outcome, ADUAN_NEVER);
    assert_non_null(strstr(f.result.reason, "not permitted"));
    assert_non_null(strstr(f.result.reason, "DM"));
}

static void each_answer_has_its_outcome(void **state) {
    static const struct {
        struct x_play play;
        enum aduan_outcome outcome;
    } cases[] = {
        { { 0, 400, "{\"title\":\"Invalid Request\"}", 0, 0, 0 }, ADUAN_NEVER },
        { { 0, 401, "{\"title\":\"Unauthorized\"}", 0, 0, 0 }, ADUAN_REFUSED },
        { { 0, 402, "{\"title\":\"Payment Required\"}", 0, 0, 0 }, ADUAN_REFUSED },
        { { 0, 403, "{\"title\":\"Forbidden\"}", 0, 0, 0 }, ADUAN_NEVER },
        { { 0, 403, "{\"errors\":[{\"code\":93,\"message\":\"x\"}]}", 0, 0, 0 }, ADUAN_REFUSED },
        { { 0, 403, "{\"errors\":[{\"code\":349,\"message\":\"x\"}]}", 0, 0, 0 }, ADUAN_NEVER },
        { { 0, 403, "{\"type\":\"https://api.x.com/2/problems/client-forbidden\"}", 0, 0, 0 }, ADUAN_REFUSED },
        { { 0, 403, "<html>proxy</html>", 0, 0, 0 }, ADUAN_LATER },
        { { 0, 404, "{\"title\":\"Not Found\"}", 0, 0, 0 }, ADUAN_NEVER },
        { { 0, 429, "{\"type\":\"https://api.x.com/2/problems/usage-capped\"}", 0, 0, 0 }, ADUAN_REFUSED },
        { { 0, 500, "{\"title\":\"Internal\"}", 0, 0, 0 }, ADUAN_UNCERTAIN },
        { { 0, 502, "<html>", 0, 0, 0 }, ADUAN_UNCERTAIN },
        { { 0, 503, "{\"title\":\"Service Unavailable\"}", 0, 0, 0 }, ADUAN_LATER },
        { { 0, 503, "<html>", 0, 0, 0 }, ADUAN_UNCERTAIN },
        { { ADUAN_HTTP_BROKEN, 0, NULL, 0, 0, 0 }, ADUAN_UNCERTAIN },
        { { ADUAN_HTTP_SENT_NOTHING, 0, NULL, 0, 0, 0 }, ADUAN_LATER },
        { { 0, 201, "ok", 0, 0, 0 }, ADUAN_UNCERTAIN },
    };
    const struct aduan_answer a = dm("Halo");
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        play(&a, &cases[i].play, 1);
        if (f.result.outcome != cases[i].outcome)
            fail_msg("case %zu: outcome %d, %s", i, (int)f.result.outcome, f.result.reason);
        assert_true(f.result.reason[0] != '\0');
    }
}

static void the_budget_of_messages_waits_for_its_reset(void **state) {
    const struct x_play plays[] = { { 0, 429, "{\"title\":\"Too Many Requests\"}", 15, 0, NOW / 1000 + 321 } };
    const struct aduan_answer a = dm("Halo");

    (void)state;
    PLAY(&a, plays);
    assert_int_equal(f.result.outcome, ADUAN_LIMITED);
    assert_int_equal(f.result.scope, ADUAN_SCOPE_ACCOUNT);
    assert_int_equal(f.result.retry_after_ms, 321000);
    assert_int_equal(f.quota, 100);
}

/* ------------------------------------------------------------------------- find */

static void find(const struct aduan_answer *a, const struct x_play *plays, size_t count,
                 struct aduan_result *ret) {
    x_host_reset(&f, plays, count);
    aduan_connector.find(ctx, a, ret);
    assert_int_equal(f.next, count);
}

static void what_was_lost_is_looked_for_among_our_own(void **state) {
    const struct x_play found[] =
        ONE(200, "{\"data\":[{\"id\":\"9\",\"sender_id\":\"9876543210\",\"text\":\"Halo a &amp; "
                 "b\"},{\"id\":\"8\",\"sender_id\":\"1234567890\",\"text\":\"Halo a &amp; b "
                 "https://t.co/x\",\"created_at\":\"2026-09-21T14:13:20.000Z\"}],\"meta\":{}}");
    const struct x_play old[] = { { 0, 200,
                                    "{\"data\":[{\"id\":\"8\",\"sender_id\":\"1234567890\",\"text\":\"Halo a "
                                    "&amp; b\",\"created_at\":\"2026-09-20T00:00:00.000Z\"}],\"meta\":{}}",
                                    0, 0, 0 },
                                  { 0, 200, "{\"meta\":{\"result_count\":0}}", 0, 0, 0 } };
    const struct x_play dark[] = ONE(503, "{\"title\":\"x\"}");
    const struct aduan_answer a = dm("Halo a & b  https://imigrasi.go.id/panjang");
    struct aduan_result ret;

    (void)state;
    find(&a, found, 1, &ret);
    assert_int_equal(ret.outcome, ADUAN_SENT);
    assert_string_equal(ret.platform_id, "8");
    find(&a, old, 2, &ret); /* looked twice */
    assert_int_equal(ret.outcome, ADUAN_LATER);
    find(&a, dark, 1, &ret);
    assert_int_equal(ret.outcome, ADUAN_UNCERTAIN);
}

#define OURS(id, at)                                                                                           \
    "{\"id\":\"" id "\",\"sender_id\":\"1234567890\",\"text\":\"Halo\",\"created_at\":\"" at "\"}"
#define THEIRS                                                                                                 \
    "{\"id\":\"5\",\"sender_id\":\"9876543210\",\"text\":\"banjir\",\"created_at\":\"2026-09-21T14:13:25."     \
    "000Z\"}"
#define PAGE(items, meta)                                                                                      \
    { 0, 200, "{\"data\":[" items "],\"meta\":{" meta "}}", 0, 0, 0 }

static void what_lies_behind_the_pages_read_is_uncertain(void **state) {
    const struct x_play found[] = { PAGE(THEIRS, "\"next_token\":\"a b\""),
                                    PAGE(OURS("8", "2026-09-21T14:13:20.000Z"), "\"next_token\":\"c\"") };
    const struct x_play flood[] = { PAGE(THEIRS, "\"next_token\":\"a\""), PAGE(THEIRS, "\"next_token\":\"b\""),
                                    PAGE(THEIRS, "\"next_token\":\"c\""),
                                    PAGE(THEIRS, "\"next_token\":\"d\"") };
    const struct x_play cut[] = { PAGE(THEIRS, "\"next_token\":\"a\""),
                                  { 0, 503, "{\"title\":\"x\"}", 0, 0, 0 } };
    const struct aduan_answer a = dm("Halo");
    struct aduan_result ret;

    (void)state;
    find(&a, found, 2, &ret);
    assert_int_equal(ret.outcome, ADUAN_SENT);
    assert_string_equal(ret.platform_id, "8");
    assert_non_null(strstr(f.asked[1].url, "&pagination_token=a%20b"));
    find(&a, flood, 4, &ret);
    assert_int_equal(ret.outcome, ADUAN_UNCERTAIN);
    find(&a, cut, 2, &ret);
    assert_int_equal(ret.outcome, ADUAN_UNCERTAIN);
}

static void an_earlier_answer_with_the_same_words_is_not_this_one(void **state) {
    const struct x_play before[] = { PAGE(OURS("8", "2026-09-21T14:13:10.000Z"), "") };
    const struct x_play two[] = { PAGE(
        OURS("9", "2026-09-21T14:13:22.000Z") "," OURS("8", "2026-09-21T14:13:20.000Z"), "") };
    const struct x_play sent[] = { ACCEPTED };
    const struct x_play known[] = { PAGE(OURS("777", "2026-09-21T14:13:20.000Z"), ""),
                                    PAGE(OURS("777", "2026-09-21T14:13:20.000Z"), "") };
    const struct aduan_answer a = dm("Halo");
    struct aduan_result ret;

    (void)state;
    find(&a, before, 1, &ret); /* or is our clock ahead? */
    assert_int_equal(ret.outcome, ADUAN_UNCERTAIN);
    find(&a, two, 1, &ret);
    assert_int_equal(ret.outcome, ADUAN_UNCERTAIN);
    PLAY(&a, sent);
    find(&a, known, 2, &ret); /* X gave that one its id */
    assert_int_equal(ret.outcome, ADUAN_LATER);
}

/* ----------------------------------------------------------------- attachments */

static void a_picture_goes_in_steps_and_is_waited_for_without_blocking(void **state) {
    struct aduan_attachment file = { .name = T("a.png"), .type = T("image/png"), .size = 3, .sha256 = T("ab") };
    const struct x_play begin[] = {
        { 0, 200, "{\"data\":{\"id\":\"900\"}}", 0, 0, 0 },
        { 0, 200, "{}", 0, 0, 0 },
        { 0, 200,
          "{\"data\":{\"id\":\"900\",\"processing_info\":{\"state\":\"pending\",\"check_after_secs\":7}}}", 0,
          0, 0 }
    };
    const struct x_play then[] = {
        { 0, 200, "{\"data\":{\"processing_info\":{\"state\":\"succeeded\"}}}", 0, 0, 0 }, ACCEPTED
    };
    struct aduan_answer a = dm("Lihat");
    char path[] = "/tmp/aduan-x-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_int_equal(write(fd, "PNG", 3), 3);
    close(fd);
    f.blob = path;
    a.attachments = &file;
    a.attachment_count = 1;
    PLAY(&a, begin);
    assert_int_equal(f.result.outcome, ADUAN_LIMITED);
    assert_int_equal(f.result.scope, ADUAN_SCOPE_CONVERSATION);
    assert_int_equal(f.result.retry_after_ms, 7000);
    assert_non_null(strstr(f.asked[0].body, "\"dm_image\""));
    assert_non_null(strstr(f.asked[1].body, "\r\n\r\nPNG\r\n"));
    assert_true(text_ends(f.asked[2].url, "/2/media/upload/900/finalize"));
    PLAY(&a, then);
    assert_int_equal(f.result.outcome, ADUAN_SENT);
    assert_non_null(strstr(f.asked[0].url, "command=STATUS&media_id=900"));
    assert_non_null(strstr(f.asked[1].body, "{\"media_id\":\"900\"}"));
    remove(path);
}

static void fetch(const char *source, const struct x_play *plays, size_t count) {
    const struct aduan_attachment a = { .name = T("a"), .type = T("image/jpeg"), .source = T(source) };

    x_host_reset(&f, plays, count);
    aduan_connector.fetch(ctx, &a, 77);
    x_host_run(&f);
}

static void media_come_signed_or_not_from_xs_places_only(void **state) {
    const struct x_play plays[] = ONE(200, "");
    const struct x_play gone[] = ONE(404, "");

    (void)state;
    fetch("{\"dm\":\"1\",\"media\":\"2\",\"file\":\"A b.jpg\"}", plays, 1);
    assert_string_equal(f.asked[0].url, "https://ton.twitter.com/1.1/ton/data/dm/1/2/A%20b.jpg");
    assert_true(text_starts(f.asked[0].authorization, "OAuth "));
    assert_true(f.asked[0].to_blob);
    fetch("{\"url\":\"https://pbs.twimg.com/media/A.jpg\"}", plays, 1);
    assert_null(f.asked[0].authorization);
    assert_true(f.asked[0].foreign);
    fetch("{\"url\":\"https://pbs.twimg.com.jahat.example/A.jpg\"}", NULL, 0);
    assert_int_equal(f.result.outcome, ADUAN_NEVER);
    fetch("{\"url\":\"https://api.x.com.jahat.example/A.jpg\"}", NULL, 0);
    assert_int_equal(f.result.outcome, ADUAN_NEVER);
    fetch("{\"dm\":\"..\",\"media\":\"2\",\"file\":\"a\"}", NULL, 0);
    assert_int_equal(f.result.outcome, ADUAN_NEVER);
    fetch("{\"dm\":\"1\",\"media\":\"2\",\"file\":\"a\"}", gone, 1);
    assert_int_equal(f.result.outcome, ADUAN_NEVER);
}

static void a_dead_webhook_is_revived_by_the_probe(void **state) {
    const struct x_play plays[] = {
        { 0, 200, "{\"data\":{\"id\":\"1234567890\"}}", 0, 0, 0 },
        { 0, 200, "{\"data\":[{\"id\":\"33\",\"url\":\"https://k/hook/x\",\"valid\":false}]}", 0, 0, 0 },
        { 0, 200, "{\"data\":{\"valid\":true}}", 0, 0, 0 }
    };
    const struct x_play other[] = ONE(200, "{\"data\":{\"id\":\"5\"}}");
    struct aduan_result ret;

    (void)state;
    x_host_reset(&f, plays, 3);
    aduan_connector.probe(ctx, &ret);
    assert_int_equal(ret.outcome, ADUAN_SENT);
    assert_string_equal(f.asked[2].method, "PUT");
    assert_true(text_ends(f.asked[2].url, "/2/webhooks/33"));
    assert_non_null(strstr(f.fault, "dipasang kembali"));
    x_host_reset(&f, other, 1);
    aduan_connector.probe(ctx, &ret);
    assert_non_null(strstr(f.fault, "user_id"));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_message_goes_as_documented),
        TEST(what_x_forbids_is_not_tried),
        TEST(a_post_is_read_again_before_it_is_answered),
        TEST(who_did_not_call_us_is_not_answered_in_public),
        TEST(each_answer_has_its_outcome),
        TEST(the_budget_of_messages_waits_for_its_reset),
        TEST(what_was_lost_is_looked_for_among_our_own),
        TEST(what_lies_behind_the_pages_read_is_uncertain),
        TEST(an_earlier_answer_with_the_same_words_is_not_this_one),
        TEST(a_picture_goes_in_steps_and_is_waited_for_without_blocking),
        TEST(media_come_signed_or_not_from_xs_places_only),
        TEST(a_dead_webhook_is_revived_by_the_probe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
