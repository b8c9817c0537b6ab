/* test_email_parts.c: the talking half of the mail connector, piece by piece, without a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "connectors/email/compose.h"
#include "connectors/email/cursor.h"
#include "connectors/email/fence.h"
#include "connectors/email/imap.h"
#include "connectors/kit/oauth2.h"
#include "tests/unit/email_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* -------------------------------------------------------------------- vectors */

static void sasl_and_mailbox_names_match_the_published_vectors(void **state) {
    static const struct {
        const char *name, *utf7;
    } boxes[] = { { "Keluhan – 2026", "Keluhan &IBM- 2026" },
                  { "Q&A", "Q&-A" },
                  { "垃圾邮件", "&V4NXPpCuTvY-" },
                  { "INBOX", "INBOX" },
                  { "a😀", "a&2D3eAA-" } };
    struct aduan_secret token = { (char *)"TOKEN_CONTOH", 12 };
    char *s = imap_xoauth2("cs@toko-melati.example", &token);
    size_t i;

    (void)state;
    assert_string_equal(s, "dXNlcj1jc0B0b2tvLW1lbGF0aS5leGFtcGxlAWF1dGg9QmVhcmVyIFRPS0VOX0NPTlRPSAEB");
    free(s);
    for (i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) {
        s = imap_utf7(boxes[i].name);
        assert_string_equal(s, boxes[i].utf7);
        free(s);
    }
}

/* --------------------------------------------------------------------- cursor */

static void a_cursor_remembers_holes_and_fills_them(void **state) {
    struct cursor c;
    char text[CURSOR_TEXT];

    (void)state;
    assert_true(cursor_parse("7:10 s20000", &c));
    cursor_advance(&c, 11, false);
    cursor_advance(&c, 15, false);
    cursor_advance(&c, 17, false);
    cursor_format(&c, text);
    assert_string_equal(text, "7:17 s20000 h12-14,16");
    cursor_advance(&c, 13, false);
    cursor_advance(&c, 16, false);
    cursor_format(&c, text);
    assert_string_equal(text, "7:17 s20000 h12,14");
    assert_true(cursor_parse(text, &c));
    cursor_advance(&c, 12, false);
    cursor_advance(&c, 14, false);
    cursor_advance(&c, 30, true);
    cursor_format(&c, text);
    assert_string_equal(text, "7:30 s20000");
}

static void a_cursor_stays_within_its_bounds(void **state) {
    struct cursor c;
    char text[CURSOR_TEXT];
    uint32_t uid;

    (void)state;
    assert_true(cursor_parse("4294967295:1", &c));
    for (uid = 4000000000u; uid < 4000001000u; uid += 3)
        cursor_advance(&c, uid, false);
    cursor_format(&c, text);
    assert_int_equal(c.hole_count, CURSOR_HOLES);
    assert_true(cursor_parse(text, &c));
    assert_int_equal(c.hole_count, CURSOR_HOLES);
    assert_false(cursor_parse(NULL, &c));
    assert_false(cursor_parse("", &c));
    assert_false(cursor_parse("0:5", &c));
    assert_false(cursor_parse("7", &c));
    assert_false(cursor_parse("99999999999:5", &c));
    assert_true(cursor_parse("7:5 h9-3,x", &c));
    assert_int_equal(c.hole_count, 0);
}

/* ---------------------------------------------------------------------- fence */

static const char *feed(const char *bytes, size_t n, size_t piece, struct fence *f) {
    const char *why = NULL;
    size_t at, len;

    memset(f, 0, sizeof(*f));
    fence_allow(f, 1000, 100 * 1024 * 1024);
    for (at = 0; at < n && why == NULL; at += len) {
        len = n - at < piece ? n - at : piece;
        why = fence_feed(f, bytes + at, len);
    }
    return why;
}

static void the_fence_lets_honest_answers_pass_in_any_pieces(void **state) {
    static const char honest[] =
        "* OK hello ((((((((((((((((((((((((((((((((((((\r\n"
        "* 3 FETCH (UID 7 BODY[] {11}\r\n(((\"\r\n{9}\r\n FLAGS (\\Seen))\r\n"
        "* 2 FETCH (UID 6 X \"((((((((((((((((((((((((((((((((((\\\"((((\")\r\n"
        "* 9 EXISTS\r\n* NO {99999999}\r\n+ idling\r\n* 10 EXISTS\r\nA1 OK {5000}\r\n* BYE x\r\n";
    struct fence f;
    size_t piece;

    (void)state;
    for (piece = 1; piece < sizeof(honest); piece++) {
        assert_null(feed(honest, sizeof(honest) - 1, piece, &f));
        assert_int_equal(f.exists, 2);
        assert_true(f.bye);
        assert_int_equal(f.literal, 0);
    }
}

static void the_fence_stops_what_would_cost_too_much(void **state) {
    static const char *const hostile[] = { "* 1 FETCH (BODY[] {1001}\r\n",
                                           "* 1 FETCH (BODY[] {99999999999999999999}\r\n",
                                           "* 1 FETCH (BODY[] {4294967296+}\r\n",
                                           "* 1 FETCH ((((((((((((((((((((((((((" };
    struct fence f;
    size_t i, n = 5 * 1024 * 1024;
    char *big = malloc(n);

    (void)state;
    for (i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
        assert_non_null(feed(hostile[i], strlen(hostile[i]), 3, &f));
    assert_non_null(big);
    memset(big, 'A', n);
    assert_non_null(feed(big, n, 65536, &f));
    for (i = 0; i < n; i++)
        big[i] = i % 2 == 0 ? '\r' : '\n';
    assert_non_null(feed(big, n, 65536, &f));
    free(big);
    memset(&f, 0, sizeof(f));
    fence_allow(&f, 10, 20);
    assert_null(fence_feed(&f, "0123456789", 10));
    assert_non_null(fence_feed(&f, "0123456789x", 11));
}

/* --------------------------------------------------------------------- tokens */

static const char *http_answer;
static int http_status;

static void answer_http(struct email_host *h, const struct aduan_http_request *req,
                        struct aduan_http_response *ret) {
    (void)req;
    ret->state = ADUAN_HTTP_DONE;
    ret->status = http_status;
    ret->body = http_answer;
    ret->body_len = strlen(http_answer);
    if (h->kept.bytes == NULL && http_status == 400 &&
        h->http_count == 1) { /* the other worker refreshed meanwhile */
        h->kept.bytes = xstrdup("refresh-2");
        h->kept.len = 9;
    }
}

static void a_rotated_refresh_token_is_kept_before_use(void **state) {
    struct email_host h;
    struct email_settings s;
    struct oauth o;
    struct aduan_result r;

    (void)state;
    email_host_init(&h);
    email_host_settings(&s, "a@b.test", "imap://127.0.0.1:1", "a", "b");
    h.on_http = answer_http;
    http_status = 200;
    http_answer = "{\"access_token\":\"T1\",\"expires_in\":3599,\"refresh_token\":\"R2\"}";
    oauth_init(&o, &h.base, &s.oauth);
    assert_int_equal(oauth_wait(&o, &r), 0);
    assert_int_equal(r.outcome, ADUAN_SENT);
    assert_string_equal(o.access.bytes, "T1");
    assert_string_equal(h.kept.bytes, "R2");
    assert_int_equal(h.kept_count, 1);
    assert_int_equal(oauth_wait(&o, &r), 0); /* fresh: nobody is asked */
    assert_int_equal(h.http_count, 1);
    http_answer = "{\"access_token\":\"a\\r\\nb\"}";
    oauth_drop(&o);
    oauth_wait(&o, &r);
    assert_int_equal(r.outcome, ADUAN_LATER);
    oauth_clear(&o);
    email_host_clear(&h);
    email_host_settings_clear(&s);
}

static void a_refused_refresh_token_is_reported_unless_there_is_a_newer_one(void **state) {
    struct email_host h;
    struct email_settings s;
    struct oauth o;
    struct aduan_result r;

    (void)state;
    email_host_init(&h);
    email_host_settings(&s, "a@b.test", "imap://127.0.0.1:1", "a", "b");
    h.on_http = answer_http;
    http_status = 400;
    http_answer = "{\"error\":\"invalid_grant\",\"error_description\":\"Token has been expired or revoked.\"}";
    oauth_init(&o, &h.base, &s.oauth);
    oauth_wait(&o, &r);
    assert_int_equal(r.outcome, ADUAN_REFUSED);
    assert_int_equal(h.http_count, 2); /* once more with what the other worker kept */
    assert_non_null(strstr(h.fault, "invalid_grant"));
    assert_null(strstr(h.fault, "refresh-"));
    http_status = 503;
    http_answer = "busy";
    oauth_wait(&o, &r);
    assert_int_equal(r.outcome, ADUAN_LATER);
    oauth_clear(&o);
    email_host_clear(&h);
    email_host_settings_clear(&s);
}

static int mail_code;        /* what the SMTP server says, 0: accepted */
static char mail_bearer[64]; /* what it was shown */

static void answer_mail(struct email_host *h, const struct aduan_mail_request *req,
                        struct aduan_mail_response *ret) {
    (void)h;
    snprintf(mail_bearer, sizeof(mail_bearer), "%s", req->bearer != NULL ? req->bearer->bytes : "");
    assert_null(req->password);
    ret->state = mail_code == 0 ? ADUAN_MAIL_ACCEPTED : ADUAN_MAIL_BEFORE_DOT;
    ret->code = mail_code;
    ret->text = "535 5.7.8 Username and Password not accepted.";
    if (strcmp(mail_bearer, "T1") == 0) /* the next one is good */
        mail_code = 0;
}

static struct aduan_answer an_answer(void);

/* A cached token that the server refuses is replaced once; a new one that it refuses is the account's fault. */
static void a_refused_access_token_is_replaced_once_when_sending(void **state) {
    struct email_host h;
    struct email_settings s;
    struct aduan_answer a = an_answer();
    void *ctx;

    (void)state;
    email_host_init(&h);
    email_host_settings(&s, "a@b.test", "imap://127.0.0.1:1", "a", "b");
    s.auth = EMAIL_AUTH_XOAUTH2;
    h.on_http = answer_http;
    h.on_mail = answer_mail;
    assert_int_equal(email_open(&h.base, &s, &ctx), 0);
    http_status = 200;
    http_answer = "{\"access_token\":\"T1\",\"expires_in\":3599}";
    mail_code = 0;
    email_send(ctx, &a, 1);
    assert_int_equal(h.result.outcome, ADUAN_SENT);
    assert_string_equal(mail_bearer, "T1");
    http_answer = "{\"access_token\":\"T2\",\"expires_in\":3599}";
    mail_code = 535;
    email_send(ctx, &a, 2);
    assert_int_equal(h.result.outcome, ADUAN_SENT);
    assert_string_equal(mail_bearer, "T2");
    assert_int_equal(h.http_count, 2);
    mail_code = 535;
    email_send(ctx, &a, 3);
    assert_int_equal(h.result.outcome, ADUAN_REFUSED);
    assert_int_equal(h.done_count, 3);
    assert_int_equal(h.mail_count, 5);
    assert_non_null(strstr(h.fault, "535"));
    email_close(ctx);
    email_host_clear(&h);
    email_host_settings_clear(&s);
}

/* -------------------------------------------------------------------- compose */

static struct text compose(struct aduan_answer *a, struct aduan_result *r) {
    struct email_host h;
    struct email_settings s;
    struct text mail;

    email_host_init(&h);
    email_host_settings(&s, "pengaduan@kantor.test", "imap://127.0.0.1:1", "a", "b");
    memset(r, 0, sizeof(*r));
    compose_mail(&h.base, &s, a, &mail, r);
    email_host_clear(&h);
    email_host_settings_clear(&s);
    return mail;
}

static struct aduan_answer an_answer(void) {
    struct aduan_answer a = { .id = (char *)"a1",
                              .kind = ADUAN_ANSWER_REPLY,
                              .conversation = (char *)"siti@warga.test",
                              .to = { .address = (char *)"siti@warga.test" },
                              .subject = (char *)"Keluhan",
                              .text = (char *)"Isi\n",
                              .token = (char *)"t1.x",
                              .queued_at = INT64_C(1789802400000) };

    return a;
}

static size_t count_lines(const char *mail, const char *start) {
    size_t n = 0;
    const char *s;

    for (s = mail; s != NULL; s = strstr(s, "\r\n"), s = s != NULL ? s + 2 : NULL)
        n += text_starts_nocase(s, start);
    return n;
}

static void nothing_from_outside_adds_a_header_line(void **state) {
    char *refs[] = { (char *)"a@b>\r\nBcc: x@y", (char *)"baik@warga.test", (char *)"c d@e" };
    struct aduan_answer a = an_answer();
    struct aduan_result r;
    struct text mail;

    (void)state;
    a.subject = (char *)"Hai\r\nBcc: x@y\r\n\r\nisi palsu";
    a.to.name = (char *)"Siti\r\nBcc: x@y \"\\";
    a.token = (char *)"t\r\nBcc: x@y";
    a.language = (char *)"id\r\nBcc: x@y";
    a.reply_to = (char *)"z@y>\r\nBcc: q@y";
    a.references = refs;
    a.reference_count = 3;
    mail = compose(&a, &r);
    assert_int_equal(r.outcome, ADUAN_SENT);
    assert_int_equal(count_lines(mail.s, "Bcc:"), 0);
    assert_int_equal(count_lines(mail.s, "Message-ID: <aduan.a1@kantor.test>"), 1);
    assert_int_equal(count_lines(mail.s, "In-Reply-To: <baik@warga.test>"), 1);
    assert_null(strstr(mail.s, "c d@e"));
    text_free(&mail);
}

static int take_id(struct aduan_sink *sink, struct aduan_message *m) {
    (void)sink;
    assert_true(m->flags & ADUAN_MESSAGE_AUTOMATIC);
    aduan_message_clear(m);
    return 0;
}

/* Our own automatic mail, come back to us, must be known as a machine's. */
static void parse_own(const struct text *mail) {
    struct email_settings settings;
    struct aduan_bytes in = { .bytes = mail->s, .len = mail->len };
    struct aduan_sink sink = { .record = take_id };

    memset(&settings, 0, sizeof(settings));
    settings.address = (char *)"lain@kantor.test";
    assert_int_equal(email_parse(&settings, &in, &sink), 0);
}

static void the_same_answer_is_the_same_mail_at_every_attempt(void **state) {
    struct aduan_answer a = an_answer();
    struct aduan_result r;
    struct text one = compose(&a, &r), two = compose(&a, &r);

    (void)state;
    assert_string_equal(one.s, two.s);
    assert_int_equal(count_lines(one.s, "Auto-Submitted"), 0);
    text_free(&two);
    a.kind = ADUAN_ANSWER_AUTOMATIC;
    two = compose(&a, &r);
    assert_int_equal(count_lines(two.s, "Auto-Submitted: auto-replied"), 1);
    assert_int_equal(count_lines(two.s, "X-Aduan-Loop: pengaduan@kantor.test"), 1);
    parse_own(&two);
    text_free(&one);
    text_free(&two);
}

static void long_threads_are_cut_in_the_middle_and_lines_stay_short(void **state) {
    char *refs[300];
    struct aduan_answer a = an_answer();
    struct aduan_result r;
    struct text mail;
    const char *s, *end;
    size_t i;

    (void)state;
    for (i = 0; i < 300; i++)
        refs[i] = xasprintf("%0100zu@warga.test", i);
    a.references = refs;
    a.reference_count = 300;
    a.subject = (char *)"Pengaduan – Ünïcode yang sangat panjang sekali, diulang: "
                        "éééééééééééééééééééééééééééééééééééééé";
    a.text = (char *)"é";
    mail = compose(&a, &r);
    assert_non_null(strstr(mail.s, refs[0]));
    assert_non_null(strstr(mail.s, refs[299]));
    assert_null(strstr(mail.s, refs[100]));
    for (s = mail.s; (end = strstr(s, "\r\n")) != NULL; s = end + 2)
        assert_true(end - s <= 140);
    for (i = 0; i < 300; i++)
        free(refs[i]);
    text_free(&mail);
}

/* ---------------------------------------------------------------------- check */

/* What fits() lets pass must not fail for its size later: it weighs no less than the mail will. */
static void the_whole_mail_is_weighed_before(void **state) {
    struct aduan_attachment files[2] = {
        { .name = (char *)"a.pdf", .type = (char *)"application/pdf", .size = 9 << 20 },
        { .name = (char *)"b.pdf", .type = (char *)"application/pdf", .size = 9 << 20 },
    };
    struct aduan_answer a = an_answer();
    struct email_settings s;
    char why[300] = "";

    (void)state;
    email_host_settings(&s, "pengaduan@kantor.test", "imap://127.0.0.1:1", "a", "b");
    a.attachments = files;
    a.attachment_count = 1;
    assert_int_equal(email_fits(&s, &a, why, sizeof(why)), 0);
    a.attachment_count = 2; /* 18 MiB, 24.6 MiB as base64 */
    assert_int_equal(email_fits(&s, &a, why, sizeof(why)), 0);
    files[1].size = 10 << 20;
    assert_int_equal(email_fits(&s, &a, why, sizeof(why)), -1);
    assert_non_null(strstr(why, "25 MB"));
    s.smtp.limit = 1 << 20; /* a provider of another mind */
    a.attachment_count = 1;
    files[0].size = 800 * 1024;
    assert_int_equal(email_fits(&s, &a, why, sizeof(why)), -1);
    a.attachment_count = 0;
    assert_int_equal(email_fits(&s, &a, why, sizeof(why)), 0);
    a.is_public = true;
    assert_int_equal(email_fits(&s, &a, why, sizeof(why)), -1);
    a.is_public = false;
    a.to.address = a.to.id = a.conversation = (char *)"bukan alamat";
    assert_int_equal(email_fits(&s, &a, why, sizeof(why)), -1);
    email_host_settings_clear(&s);
}

struct faults {
    char keys[400];
};

static void add_fault(void *arg, const char *key, const char *reason) {
    struct faults *f = arg;

    assert_non_null(reason);
    strncat(f->keys, key, sizeof(f->keys) - strlen(f->keys) - 2);
    strcat(f->keys, " ");
}

static void wrong_settings_are_named(void **state) {
    struct email_settings s;
    struct faults f = { "" };

    (void)state;
    email_host_settings(&s, "pengaduan@kantor.test", "imap://127.0.0.1:1", "a", "b");
    email_check(&s, add_fault, &f);
    assert_string_equal(f.keys, "");
    email_host_set(&s.address, "bukan alamat");
    email_host_set(&s.imap.after, "hapus");
    email_host_set(&s.oauth.token_url, "");
    s.auth = EMAIL_AUTH_XOAUTH2;
    email_check(&s, add_fault, &f);
    assert_string_equal(f.keys, "address imap.after oauth.token_url ");
    f.keys[0] = '\0';
    email_host_set(&s.address, "a@b.test");
    email_host_set(&s.imap.after, "move:inbox");
    email_host_set(&s.oauth.token_url, "https://t.test");
    email_check(&s, add_fault, &f);
    assert_string_equal(f.keys, "imap.after ");
    email_host_settings_clear(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sasl_and_mailbox_names_match_the_published_vectors),
        cmocka_unit_test(a_cursor_remembers_holes_and_fills_them),
        cmocka_unit_test(a_cursor_stays_within_its_bounds),
        cmocka_unit_test(the_fence_lets_honest_answers_pass_in_any_pieces),
        cmocka_unit_test(the_fence_stops_what_would_cost_too_much),
        cmocka_unit_test(a_rotated_refresh_token_is_kept_before_use),
        cmocka_unit_test(a_refused_refresh_token_is_reported_unless_there_is_a_newer_one),
        cmocka_unit_test(a_refused_access_token_is_replaced_once_when_sending),
        cmocka_unit_test(nothing_from_outside_adds_a_header_line),
        cmocka_unit_test(the_same_answer_is_the_same_mail_at_every_attempt),
        cmocka_unit_test(long_threads_are_cut_in_the_middle_and_lines_stay_short),
        cmocka_unit_test(the_whole_mail_is_weighed_before),
        cmocka_unit_test(wrong_settings_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
