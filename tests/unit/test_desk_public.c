/* test_desk_public.c: what everybody may read, what goes to the citizen alone, and what is refused before. */
#include "desk_tests.h"

#include "desk/identity.h"
#include "desk/room.h"
#include "kit/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ONE         "\"verb\":\"reply\",\"actor\":\"root\",\"number\":\"TPI-2026-000001\""
#define REPLY(text) "{" ONE ",\"text\":\"" text "\"}"
#define ATTACHED(type)                                                                                         \
    "{" ONE ",\"text\":\"x\",\"attachments\":[{\"name\":\"a.bin\",\"type\":\"" type "\",\"size\":5}]}"
#define INVITE          "{" ONE ",\"public\":true}"
#define INVITE_FORMALLY "{" ONE ",\"public\":true,\"formal\":true}"

static const int64_t hour = 3600 * 1000LL;

static void is(const json_t *answer, const char *key, const char *value) {
    assert_string_equal(rig_string(answer, key), value);
}

static size_t blobs_stored(void) {
    char *command = xasprintf("find %s/attachments -type f | wc -l", rig.state);
    FILE *f = popen(command, "r");
    unsigned long n = 99;

    assert_int_equal(fscanf(f, "%lu", &n), 1);
    pclose(f);
    free(command);
    return n;
}

static void a_public_answer_carries_nothing_of_the_case(void **state) {
    json_t *a, *show;

    (void)state;
    rig_comment(&rig, "fb", "c1", "u1", "Paspor saya A1234567, NIK 2172010190000003 belum jadi min!");
    run();
    a = last_answer("fb");
    assert_true(json_is_true(json_object_get(a, "public")));
    is(a, "reply_to", "c1");
    is(a, "conversation", "public:post1:u1");
    assert_non_null(strstr(rig_string(a, "text"), "lewat DM"));
    assert_null(json_object_get(a, "number"));
    assert_null(json_object_get(a, "token"));
    assert_null(json_object_get(a, "subject"));
    assert_null(json_object_get(a, "attachments"));
    assert_null(json_object_get(json_object_get(a, "to"), "name"));
    assert_null(json_object_get(json_object_get(a, "to"), "handle"));
    json_decref(a);
    rig_comment(&rig, "fb", "c2", "u1", "sudah DM min"); /* the same author under the same post */
    run();
    assert_int_equal(rig_case_count(&rig), 1);
    rig_comment(&rig, "fb", "c3", "u2", "saya juga"); /* somebody else */
    run();
    assert_int_equal(rig_case_count(&rig), 2);
    show = rig_show(&rig, "TPI-2026-000001");
    assert_int_equal(rig_events(show, "acknowledged"), 1);
    json_decref(show);
}

/* The gate itself, asked by code that has gone wrong. */
struct wrong {
    const char *text;
    bool attach;
};

static void gate_log(void *arg, int level, const char *fmt, ...) {
    (void)arg;
    (void)level;
    (void)fmt;
}

static void only_the_invitation_passes_whoever_asks(void **state) {
    static const struct wrong tries[] = {
        { "Nomor pengaduan Anda TPI-2026-000001", false },
        { "", false },
        { "Halo Kak, terima kasih sudah menyampaikan.", false },
        { NULL, true }, /* the invitation itself, but with an attachment */
    };
    struct aduan_attachment file = { .name = (char *)"a.png",
                                     .type = (char *)"image/png",
                                     .sha256 = (char *)"ab" };
    struct desk_account fb = { .name = "fb", .channel = "facebook", .can_send = true, .can_attach = true };
    struct desk_options o = { .conf = &rig.conf, .accounts = &fb, .account_count = 1 };
    struct desk_host host = { .log = gate_log };
    struct room room = { .o = &o, .host = &host, .now = rig.now };
    struct faults faults = { 0 };
    struct text invitation = TEXT_INIT;
    struct reg_case c;
    char why[300];
    size_t i;

    (void)state;
    rig_comment(&rig, "fb", "c1", "u1", "paspor saya belum jadi");
    run();
    room.templates = templates_load(rig.conf.policy, &faults);
    assert_int_equal(reg_open(rig.state, REG_WRITE, &room.reg, why, sizeof(why)), 0);
    assert_int_equal(reg_case_by_number(room.reg, "TPI-2026-000001", &c), 0);
    assert_int_equal(template_render(room.templates, "id", "R-14", NULL, 0, &invitation, why, sizeof(why)), 0);
    for (i = 0; i <= sizeof(tries) / sizeof(tries[0]); i++) {
        bool good = i == sizeof(tries) / sizeof(tries[0]);
        struct outgoing what = { .kind = ADUAN_ANSWER_REPLY,
                                 .text = good || tries[i].text == NULL ? invitation.s : tries[i].text,
                                 .language = "id",
                                 .actor = "x",
                                 .attachments = &file,
                                 .attachment_count = good ? 0 : tries[i].attach,
                                 .in_public = true,
                                 .why = why,
                                 .why_size = sizeof(why) };

        assert_int_equal(outgoing_answer(&room, &c, &what, NULL, NULL), good ? 0 : OUTGOING_REFUSED);
        assert_int_equal(outgoing_check(&room, &c, &what), good ? 0 : OUTGOING_REFUSED);
    }
    text_free(&invitation);
    reg_case_clear(&c);
    reg_close(room.reg);
    templates_free(room.templates);
    faults_clear(&faults);
}

static void an_officer_answers_a_comment_privately(void **state) {
    json_t *a, *show;

    (void)state;
    rig_comment(&rig, "fb", "c1", "u1", "paspor saya belum jadi");
    run();
    command(REPLY("Paspor Siti sudah dapat diambil."), true);
    a = last_answer("fb");
    assert_null(json_object_get(a, "public"));
    is(a, "text", "Paspor Siti sudah dapat diambil.");
    is(a, "conversation", "public:post1:u1");
    is(a, "reply_to", "c1");
    assert_int_equal(json_integer_value(json_object_get(a, "heard_at")), rig.now);
    assert_null(json_object_get(a, "answered_before")); /* the invitation was a public one */
    json_decref(a);
    command_with(REPLY("Dan lagi."), NULL, 0, false,
                 "satu balasan pribadi"); /* the platform's limit, in words */
    free(rig_settle(&rig, "fb", 1, QUEUE_NEVER, NULL, "blocked"));
    run();
    command(REPLY("Dan lagi."), true); /* what failed does not count */
    show = rig_show(&rig, "TPI-2026-000001");
    assert_true(history_says(show, "replied", "privately"));
    json_decref(show);
}

/* Before anything is kept, and not by the platform in its own words; another comment of theirs will do. */
static void a_deleted_comment_is_not_answered(void **state) {
    struct aduan_message m;
    json_t *answer;

    (void)state;
    rig_comment(&rig, "fb", "c1", "u1", "Pelayanan lambat sekali");
    rig_comment(&rig, "fb", "c2", "u1", "Halo?");
    run();
    m = rig_record(&rig, ADUAN_KIND_DELETE, "fb", "facebook", "del2");
    m.reply_to = xstrdup("c2");
    rig_accept(&rig, "fb", &m);
    run();
    command("{\"verb\":\"reply\",\"number\":\"TPI-2026-000001\",\"text\":\"Kami bantu\"}", true);
    answer = last_answer("fb");
    is(answer, "reply_to", "c1");
    json_decref(answer);
    m = rig_record(&rig, ADUAN_KIND_DELETE, "fb", "facebook", "del1");
    m.reply_to = xstrdup("c1");
    rig_accept(&rig, "fb", &m);
    run();
    command_with("{\"verb\":\"reply\",\"number\":\"TPI-2026-000001\",\"text\":\"Kami bantu lagi\"}", NULL, 0,
                 false, "sudah dihapus");
    command_with("{\"verb\":\"reply\",\"number\":\"TPI-2026-000001\",\"public\":true}", NULL, 0, false,
                 "sudah dihapus");
}

static void a_platform_without_private_replies_says_so(void **state) {
    json_t *out;

    (void)state;
    rig_comment(&rig, "ig", "c1", "u1", "paspor saya belum jadi");
    run();
    command_with(REPLY("Paspor Siti selesai"), NULL, 0, false, "--public");
    out = rig_out(&rig, "ig");
    assert_int_equal(json_array_size(out), 1); /* the invitation */
    json_decref(out);
}

static void the_invitation_can_be_sent_again(void **state) {
    json_t *a, *show;

    (void)state;
    rig_comment(&rig, "ig", "c1", "u1", "paspor saya belum jadi");
    rig_comment(&rig, "ig", "c2", "u1", "halo??");
    run();
    command(INVITE_FORMALLY, true);
    a = last_answer("ig");
    assert_true(json_is_true(json_object_get(a, "public")));
    assert_non_null(strstr(rig_string(a, "text"), "Bapak/Ibu"));
    is(a, "reply_to", "c2");
    json_decref(a);
    command("{" ONE ",\"public\":true,\"text\":\"Paspor Siti selesai\"}", false);
    show = rig_show(&rig, "TPI-2026-000001");
    is(show, "state", "new"); /* nothing was answered yet */
    assert_int_equal(rig_events(show, "invited"), 1);
    json_decref(show);
}

static void whoever_writes_privately_takes_the_case_along(void **state) {
    json_t *a, *show, *out;

    (void)state;
    rig_comment(&rig, "fb", "c1", "u1", "Pelayanan lambat sekali");
    run();
    rig.now += hour;
    rig_direct(&rig, "fb", "d1", "u1", "Nama saya Siti, paspor saya belum selesai");
    run();
    assert_int_equal(rig_case_count(&rig), 1);
    show = rig_show(&rig, "TPI-2026-000001");
    is(show, "conversation", "u1");
    assert_false(json_is_true(json_object_get(show, "public")));
    assert_int_equal(rig_events(show, "moved_private"), 1);
    json_decref(show);
    out = rig_out(&rig, "fb");
    assert_int_equal(json_array_size(out), 2); /* R-14 in public, now R-01 in private */
    json_decref(out);
    a = last_answer("fb");
    assert_null(json_object_get(a, "public"));
    assert_non_null(strstr(rig_string(a, "text"), "TPI-2026-000001"));
    is(a, "conversation", "u1");
    is(a, "reply_to", "d1");
    json_decref(a);
    rig_direct(&rig, "fb", "d2", "u1", "bagaimana?");
    rig_comment(&rig, "fb", "c2", "u1", "sudah saya DM ya"); /* still the same matter */
    run();
    assert_int_equal(rig_case_count(&rig), 1);
    command(REPLY("Sudah selesai."), true);
    a = last_answer("fb");
    is(a, "conversation", "u1");
    is(a, "reply_to", "d2"); /* and not the comment */
    json_decref(a);
    out = rig_out(&rig, "fb");
    assert_int_equal(json_array_size(out), 3); /* R-01 once */
    json_decref(out);
    command(INVITE, true); /* its public side is still there */
    a = last_answer("fb");
    is(a, "conversation", "public:post1:u1");
    is(a, "reply_to", "c2");
    json_decref(a);
}

static void a_sensitive_case_is_acknowledged_without_a_word_too_much(void **state) {
    static const char *const as[] = { "\"category\":\"PUNGLI_CALO\"", "\"confidentiality\":\"rahasia\"" };
    size_t i;

    for (i = 0; i < 2; i++) {
        char *json = xasprintf("{\"verb\":\"classify\",\"actor\":\"root\",\"number\":\"TPI-2026-000001\","
                               "\"name\":\"Siti\",%s}",
                               as[i]);
        json_t *a;

        reset(state);
        rig_comment(&rig, "fb", "c1", "u1", "Petugas minta uang");
        run();
        command(json, true);
        rig_direct(&rig, "fb", "d1", "u1", "ini buktinya");
        run();
        a = last_answer("fb");
        assert_non_null(strstr(rig_string(a, "text"), "Identitas pelapor tidak ditampilkan"));
        assert_null(strstr(rig_string(a, "text"), "Siti"));
        json_decref(a);
        free(json);
    }
}

/* What waits for the citizen, or for an officer, follows them. */
static void what_waits_goes_along(void **state) {
    char *dead, *json;
    json_t *a;

    (void)state;
    rig_comment(&rig, "fb", "c1", "u1", "Pelayanan lambat sekali");
    run();
    command(REPLY("Silakan datang."), true);
    free(rig_settle(&rig, "fb", 1, QUEUE_HELD, NULL, "window closed"));
    run();
    rig.now += hour;
    rig_direct(&rig, "fb", "d1", "u1", "halo");
    run();
    a = last_answer("fb");
    is(a, "text", "Silakan datang.");
    is(a, "conversation", "u1");
    is(a, "reply_to", "d1");
    assert_int_equal(json_integer_value(json_object_get(a, "heard_at")), rig.now);
    json_decref(a);
    command(REPLY("Satu lagi."), true);
    free(rig_settle(&rig, "fb", 2, QUEUE_NEVER, NULL, "blocked"));
    run();
    rig.now += hour;
    rig_direct(&rig, "fb", "d2", "u1", "ya");
    run();
    dead = rig_dead_id(&rig, "fb", 0);
    json = xasprintf("{\"verb\":\"dead-retry\",\"actor\":\"root\",\"account\":\"fb\",\"id\":\"%s\"}", dead);
    command(json, true);
    a = last_answer("fb");
    assert_int_equal(json_integer_value(json_object_get(a, "heard_at")), rig.now); /* since the retry's, too */
    json_decref(a);
    free(json);
    free(dead);
}

/* A private reply that came too late goes under the comment they write next. */
static void what_waits_goes_under_the_next_comment(void **state) {
    json_t *a;

    (void)state;
    rig_comment(&rig, "fb", "c1", "u1", "Pelayanan lambat sekali");
    run();
    command(REPLY("Silakan datang."), true);
    free(rig_settle(&rig, "fb", 1, QUEUE_HELD, NULL, "window closed"));
    run();
    rig.now += 8 * 24 * hour;
    rig_comment(&rig, "fb", "c2", "u1", "halo?");
    run();
    a = last_answer("fb");
    is(a, "text", "Silakan datang.");
    is(a, "conversation", "public:post1:u1");
    is(a, "reply_to", "c2");
    assert_int_equal(json_integer_value(json_object_get(a, "heard_at")), rig.now);
    json_decref(a);
}

static void own_comment(const char *id) {
    struct aduan_message m = rig_record(&rig, ADUAN_KIND_ECHO, "fb", "facebook", id);

    m.is_public = true;
    m.conversation = xstrdup("public:post1:88");
    m.sender.id = xstrdup("88");
    m.reply_to = xstrdup("c1");
    free(m.text);
    m.text = xstrdup("Kami cek ya Kak");
    rig_accept(&rig, "fb", &m);
}

/* What the office wrote under a comment with its own telephone is seen in the case, and is no case itself. */
static void an_own_comment_stands_in_the_case_it_answers(void **state) {
    json_t *show;

    (void)state;
    rig_comment(&rig, "fb", "c1", "u1", "Pelayanan lambat sekali");
    run();
    free(rig_settle(&rig, "fb", 0, QUEUE_SENT, "r14", ""));
    run();
    own_comment("own1");
    run();
    assert_int_equal(rig_case_count(&rig), 1);
    show = rig_show(&rig, "TPI-2026-000001");
    assert_true(history_says(show, "answered_elsewhere", "fb/own1"));
    assert_string_equal(rig_message(show, 2, "text"), "Kami cek ya Kak");
    json_decref(show);
}

/* The feed is told of a comment of ours before our sender has its answer: history would say for ever that
 * somebody else wrote it. */
static void our_own_answer_is_never_the_offices_writing(void **state) {
    json_t *show;

    (void)state;
    rig_comment(&rig, "fb", "c1", "u1", "Pelayanan lambat sekali");
    run();
    own_comment("r14");
    run();
    rig.now += MINUTE_MS;
    run();
    free(rig_settle(&rig, "fb", 0, QUEUE_SENT, "r14", ""));
    run();
    rig.now += 60 * MINUTE_MS;
    run();
    show = rig_show(&rig, "TPI-2026-000001");
    assert_int_equal(rig_events(show, "answered_elsewhere"), 0);
    assert_int_equal(json_array_size(json_object_get(show, "messages")), 2);
    assert_string_equal(rig_message(show, 1, "status"), "sent");
    json_decref(show);
    assert_int_equal(rig_dead_count(&rig, "fb"), 0);
}

/* … and what was not ours is written once that is known, with its bytes. */
static void what_waited_and_was_not_ours_is_written(void **state) {
    json_t *show;

    (void)state;
    rig_comment(&rig, "fb", "c1", "u1", "Pelayanan lambat sekali");
    run();
    own_comment("own1");
    run();
    free(rig_settle(&rig, "fb", 0, QUEUE_SENT, "r14", ""));
    run();
    rig.now += MINUTE_MS;
    run();
    show = rig_show(&rig, "TPI-2026-000001");
    assert_true(history_says(show, "answered_elsewhere", "fb/own1"));
    assert_int_equal(rig_events(show, "answered_elsewhere"), 1);
    json_decref(show);
}

static void a_stranger_or_a_busy_conversation_takes_no_case_along(void **state) {
    json_t *show;

    (void)state;
    rig_direct(&rig, "fb", "d0", "u1", "Soal pertama saya"); /* waits for an answer */
    run();
    rig_comment(&rig, "fb", "c1", "u1", "balas DM saya dong");
    rig_direct(&rig, "fb", "x1", "u2", "Saya orang lain");
    rig_direct(&rig, "fb", "d1", "u1", "tambahan soal pertama");
    run();
    assert_int_equal(rig_case_count(&rig), 3);
    show = rig_show(&rig, "TPI-2026-000001");
    assert_true(history_says(show, "follow_up", "fb/d1"));
    json_decref(show);
    show = rig_show(&rig, "TPI-2026-000002");
    assert_true(json_is_true(json_object_get(show, "public")));
    json_decref(show);
    command(REPLY("Jawaban soal pertama"), true); /* now the invitation is what a message answers */
    rig_direct(&rig, "fb", "d2", "u1", "ini soal komentar saya");
    run();
    show = rig_show(&rig, "TPI-2026-000002");
    assert_false(json_is_true(json_object_get(show, "public")));
    json_decref(show);
}

/* --------------------------------------------------------------- limits */

static void a_refusal_names_the_limit_and_keeps_nothing(void **state) {
    char *json, *text;
    json_t *before, *after;

    (void)state;
    rig_direct(&rig, "fb", "d1", "u1", "halo");
    run();
    before = rig_show(&rig, "TPI-2026-000001");
    command_with(ATTACHED("application/pdf"), "bytes", 5, false, "Hanya gambar / pictures only");
    assert_int_equal(blobs_stored(), 0);
    text = xcalloc(1, 2002);
    memset(text, 'a', 2001);
    json = xasprintf("{" ONE ",\"text\":\"%s\"}", text);
    command_with(json, NULL, 0, false, "2000");
    after = rig_show(&rig, "TPI-2026-000001");
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    command(ATTACHED("image/png"), false); /* bytes were named that did not come */
    command_with(ATTACHED("image/png"), "bytes", 5, true, NULL);
    assert_int_equal(blobs_stored(), 1);
    free(json);
    free(text);
}

static void limits_hold_without_a_module_s_judgement(void **state) {
    struct text json = TEXT_INIT;
    int i;

    (void)state;
    rig_direct(&rig, "ig", "d1", "u1", "halo");
    run();
    command_with(ATTACHED("image/png"), "bytes", 5, false, "lampiran");
    text_add(&json, "{" ONE ",\"text\":\"");
    for (i = 0; i < 501; i++)
        text_add(&json, "é"); /* 1,002 bytes, 501 characters */
    text_add(&json, "\"}");
    command_with(json.s, NULL, 0, false, "1002 byte");
    text_free(&json);
    assert_int_equal(blobs_stored(), 0);
}

static void a_persons_window_is_longer(void **state) {
    json_t *show;

    (void)state;
    rig_direct(&rig, "ig", "d1", "u1", "halo");
    run();
    rig.now += 48 * hour;
    command(REPLY("Maaf menunggu."), true);
    show = rig_show(&rig, "TPI-2026-000001");
    assert_string_equal(rig_message(show, 2, "status"), "queued");
    json_decref(show);
    rig.now += 6 * 24 * hour;
    command(REPLY("Satu lagi."), true);
    show = rig_show(&rig, "TPI-2026-000001");
    assert_string_equal(rig_message(show, 3, "status"), "held");
    json_decref(show);
}

/* --------------------------------------------------------------- identity */

static void identity_numbers_are_found_and_masked(void **state) {
    static const struct {
        const char *in, *out;
        size_t count;
    } cases[] = {
        { "NIK 2172010190000003.", "NIK 2172**********03.", 1 },
        { "2172 0101 0190 0003", "2172*************03", 1 },
        { "paspor A1234567 dan XB123456", "paspor A*****67 dan X*****56", 2 },
        { "paspor a1234567, A 1234567", "paspor a*****67, A******67", 2 },
        { "kode billing 820261005123456", "kode billing 820261005123456", 0 },   /* 15 digits */
        { "21720101900000031", "21720101900000031", 0 },                         /* 17 */
        { "0811-7769-393 atau 0771-21073", "0811-7769-393 atau 0771-21073", 0 }, /* telephones */
        { "nomor TPI-2026-000123, BP 1234 XY", "nomor TPI-2026-000123, BP 1234 XY", 0 },
        { "TPI-2026-000112 123456", "TPI-2026-000112 123456", 0 }, /* 16 digits, and a date in them */
        { "NIK-2172010190000003", "NIK-2172**********03", 1 },
        { "https://x.example/A1234567", "https://x.example/A1234567", 0 },
        { "AB12345678", "AB12345678", 0 },
        { "Kamis, 8 Oktober 2026 pukul 16.00 WIB", "Kamis, 8 Oktober 2026 pukul 16.00 WIB", 0 },
        { "", "", 0 },
    };
    size_t i, count;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *masked = identity_mask(cases[i].in, &count, NULL);

        assert_string_equal(masked, cases[i].out);
        assert_int_equal(count, cases[i].count);
        free(masked);
    }
}

static void what_the_desk_words_itself_is_masked(void **state) {
    json_t *a;

    (void)state;
    rig_mail(&rig,
             &(struct mail){ .id = "m1@x", .from = "siti@example.com", .subject = "NIK 2172010190000003" });
    run();
    a = last_answer("gmail");
    is(a, "subject", "Re: NIK 2172**********03 [TPI-2026-000001]");
    json_decref(a);
    command("{\"verb\":\"classify\",\"actor\":\"root\",\"number\":\"TPI-2026-000001\",\"name\":\"Siti\"}",
            true);
}

static void an_officers_identity_number_is_asked_about(void **state) {
    json_t *a, *show;

    (void)state;
    rig_chat(&rig, "w1", "6281", "Paspor saya hilang", 0);
    run();
    command_with(REPLY("NIK Anda 2172010190000003"), NULL, 0, false, "2172**********03");
    command("{" ONE ",\"identity\":true,\"text\":\"NIK Anda 2172010190000003\"}", true);
    a = last_answer("wa");
    is(a, "text", "NIK Anda 2172010190000003"); /* never changed behind their back */
    json_decref(a);
    show = rig_show(&rig, "TPI-2026-000001");
    assert_true(history_says(show, "identity_allowed", "2172**********03"));
    assert_false(history_says(show, "identity_allowed", "2172010190000003"));
    json_decref(show);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_public_answer_carries_nothing_of_the_case, reset),
        cmocka_unit_test_setup(only_the_invitation_passes_whoever_asks, reset),
        cmocka_unit_test_setup(an_officer_answers_a_comment_privately, reset),
        cmocka_unit_test_setup(a_deleted_comment_is_not_answered, reset),
        cmocka_unit_test_setup(a_platform_without_private_replies_says_so, reset),
        cmocka_unit_test_setup(the_invitation_can_be_sent_again, reset),
        cmocka_unit_test_setup(whoever_writes_privately_takes_the_case_along, reset),
        cmocka_unit_test_setup(a_sensitive_case_is_acknowledged_without_a_word_too_much, reset),
        cmocka_unit_test_setup(what_waits_goes_along, reset),
        cmocka_unit_test_setup(what_waits_goes_under_the_next_comment, reset),
        cmocka_unit_test_setup(an_own_comment_stands_in_the_case_it_answers, reset),
        cmocka_unit_test_setup(our_own_answer_is_never_the_offices_writing, reset),
        cmocka_unit_test_setup(what_waited_and_was_not_ours_is_written, reset),
        cmocka_unit_test_setup(a_stranger_or_a_busy_conversation_takes_no_case_along, reset),
        cmocka_unit_test_setup(a_refusal_names_the_limit_and_keeps_nothing, reset),
        cmocka_unit_test_setup(limits_hold_without_a_module_s_judgement, reset),
        cmocka_unit_test_setup(a_persons_window_is_longer, reset),
        cmocka_unit_test(identity_numbers_are_found_and_masked),
        cmocka_unit_test_setup(what_the_desk_words_itself_is_masked, reset),
        cmocka_unit_test_setup(an_officers_identity_number_is_asked_about, reset),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
