/*
 * test_email_parse.c: whole mails to records.
 *
 * tests/mail/own is a corpus with what each record must say; every mail of it
 * is also fed cut at many places. The killers are made here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "connectors/email/email.h"
#include "connectors/email/scan.h"
#include "connectors/kit/text.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define MAILS SOURCE_DIR "/tests/mail/"

struct sample {
    struct aduan_sink sink;
    json_t *record;
    int count;
};

static int take(struct aduan_sink *sink, struct aduan_message *m) {
    struct sample *s = (struct sample *)sink;

    json_decref(s->record);
    assert_non_null(m->platform_id);
    assert_non_null(m->text);
    assert_true(text_is_utf8(m->text, strlen(m->text)));
    s->record = aduan_message_to_json(m);
    assert_non_null(s->record);
    s->count++;
    aduan_message_clear(m);
    return 0;
}

static char *after; /* what the account does with mails taken */

/* From a buffer of exactly that size, so that a sanitizer sees a read beyond it. */
static json_t *parse(const void *bytes, size_t n, int64_t whole) {
    struct email_settings settings;
    struct sample s = { .sink = { .record = take } };
    char *exact = malloc(n > 0 ? n : 1);
    struct aduan_bytes in = { .bytes = exact, .len = n, .whole_size = whole };

    assert_non_null(exact);
    memcpy(exact, bytes, n);
    memset(&settings, 0, sizeof(settings));
    settings.address = (char *)"pengaduan@kantor.test";
    settings.imap.after = after;
    assert_int_equal(email_parse(&settings, &in, &s.sink), 0);
    assert_int_equal(s.count, 1);
    free(exact);
    return s.record;
}

static char *read_file(const char *path, size_t *ret_n) {
    FILE *f = fopen(path, "rb");
    struct text t = TEXT_INIT;
    char buf[8192];
    size_t n;

    assert_non_null(f);
    text_add(&t, "");
    while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
        text_add_n(&t, buf, n);
    fclose(f);
    *ret_n = t.len;
    return text_steal(&t);
}

static const char *string(json_t *record, const char *key) {
    const char *s = json_string_value(json_object_get(record, key));

    return s != NULL ? s : "";
}

/* -------------------------------------------------------------------- corpus */

/* What the short keys of expect.json mean. */
static json_t *value_of(json_t *record, const char *key) {
    if (strcmp(key, "name") == 0)
        return json_object_get(json_object_get(record, "sender"), "name");
    if (strcmp(key, "state") == 0)
        return json_object_get(json_object_get(record, "status"), "state");
    if (strcmp(key, "status_id") == 0)
        return json_object_get(json_object_get(record, "status"), "platform_id");
    return json_object_get(record, key);
}

static bool same_attachments(json_t *got, json_t *want) {
    json_t *one;
    size_t i;

    if (json_array_size(got) != json_array_size(want))
        return false;
    json_array_foreach(want, i, one) {
        json_t *a = json_array_get(got, i);

        if (!json_equal(json_object_get(a, "name"), json_array_get(one, 0)) ||
            !json_equal(json_object_get(a, "type"), json_array_get(one, 1)))
            return false;
        if (json_is_integer(json_array_get(one, 2)) &&
            !json_equal(json_object_get(a, "size"), json_array_get(one, 2)))
            return false;
    }
    return true;
}

static bool fits(const char *key, json_t *got, json_t *want) {
    char how = key[strlen(key) - 1];
    const char *text = json_string_value(got) != NULL ? json_string_value(got) : "";

    if (strcmp(key, "attachments") == 0)
        return same_attachments(got, want);
    if (how == '~')
        return strstr(text, json_string_value(want)) != NULL;
    if (how == '!')
        return strstr(text, json_string_value(want)) == NULL;
    return json_is_null(want) ? got == NULL : json_equal(got, want);
}

/* Prints and counts what does not fit, so that one run shows all. */
static int check_record(const char *mail, json_t *record, json_t *expect) {
    const char *key;
    json_t *want;
    int bad = 0;

    json_object_foreach(expect, key, want) {
        char *plain = xstrndup(key, strcspn(key, "~!")), *a, *b;
        json_t *got = value_of(record, plain);

        if (!fits(key, got, want)) {
            a = got != NULL ? json_dumps(got, JSON_ENCODE_ANY) : strdup("nothing");
            b = json_dumps(want, JSON_ENCODE_ANY);
            print_error("%s: %s is %s, not %s\n", mail, key, a, b);
            free(a);
            free(b);
            bad++;
        }
        free(plain);
    }
    return bad;
}

static void corpus_mails_become_the_records_they_should_be(void **state) {
    json_t *expect = json_load_file(MAILS "own/expect.json", 0, NULL), *want;
    const char *name;
    size_t count = 0;
    int bad = 0;

    (void)state;
    assert_non_null(expect);
    json_object_foreach(expect, name, want) {
        char *path = xasprintf(MAILS "own/%s.eml", name), *bytes;
        json_t *record;
        size_t n;

        bytes = read_file(path, &n);
        record = parse(bytes, n, 0);
        bad += check_record(name, record, want);
        json_decref(record);
        free(bytes);
        free(path);
        count++;
    }
    assert_int_equal(bad, 0);
    assert_true(count >= 60);
    json_decref(expect);
}

static void feed_prefixes(const char *path) {
    size_t n, at, step;
    char *bytes = read_file(path, &n);

    step = n / 120 + 1;
    for (at = 0; at <= n; at += step)
        json_decref(parse(bytes, at, 0));
    free(bytes);
}

static void every_prefix_gives_one_record(void **state) {
    static const char *const dirs[] = { MAILS "own", MAILS "samples" };
    size_t d;

    (void)state;
    for (d = 0; d < 2; d++) {
        DIR *dir = opendir(dirs[d]);
        struct dirent *e;

        assert_non_null(dir);
        while ((e = readdir(dir)) != NULL) {
            char *path = xasprintf("%s/%s", dirs[d], e->d_name);

            if (text_ends(path, ".eml"))
                feed_prefixes(path);
            free(path);
        }
        closedir(dir);
    }
}

static json_t *parse_sample(const char *name) {
    char *path = xasprintf(MAILS "samples/%s", name), *bytes;
    json_t *record;
    size_t n;

    bytes = read_file(path, &n);
    record = parse(bytes, n, 0);
    free(bytes);
    free(path);
    return record;
}

static void the_published_samples_are_understood(void **state) {
    json_t *r = parse_sample("02_reply_gmail_id_quoted.eml");

    (void)state;
    assert_string_equal(string(r, "text"), "Belum juga, Kak.");
    assert_string_equal(string(r, "reply_to"), "tiket-551.2@toko-melati.example");
    assert_non_null(strstr(string(r, "quoted"), "menulis:"));
    json_decref(r);
    r = parse_sample("05_attach_rfc2231.eml");
    assert_string_equal(string(json_array_get(json_object_get(r, "attachments"), 0), "name"),
                        "bukti transfer – 12 Okt.pdf");
    assert_string_equal(string(r, "text"), "Terlampir – bukti transfer.");
    json_decref(r);
    r = parse_sample("07_calendar_request.eml");
    assert_non_null(strstr(string(r, "text"), "Rapat keluhan pelanggan"));
    json_decref(r);
}

/* ------------------------------------------------------------------- killers */

struct killer {
    const char *name, *before, *repeated;
    size_t times;
    const char *after;
    bool stub;
};

#define WHO   "From: Penyerang <a@b.example>\r\nSubject: =?utf-8?q?pemb=C3=BCnuh?=\r\n"
#define MIXED WHO "Content-Type: multipart/mixed; boundary=x\r\n\r\n"
#define HTML  WHO "Content-Type: text/html\r\n\r\n"

static const struct killer killers[] = {
    { "comment", WHO "To: ", "(", 99000, "\r\n\r\nhi", true },
    { "comment in content-type", WHO "Content-Type: text/plain ", "(", 99000, "\r\n\r\nhi", true },
    { "group", WHO "To: ", "a:", 45000, ";\r\n\r\nhi", true },
    { "group behind an open quote", WHO "To: \"", "a:", 45000, ";\r\n\r\nhi", true },
    { "header", WHO "X: ", "A", 1000000, "\r\n\r\nhi", true },
    { "headers", WHO, "X-A: b\r\n", 100000, "\r\nhi", true },
    { "same boundary", MIXED, "--x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n", 100000, "", true },
    { "rfc822", WHO "Content-Type: message/rfc822\r\n\r\n", "Content-Type: message/rfc822\r\n\r\n", 200000,
      "hi", true },
    { "parts", MIXED, "--x\r\n\r\na\r\n", 50000, "--x--\r\n", true },
    { "part headers", MIXED "--x\r\n", "X-A: b\r\n", 50000, "\r\n", true },
    { "words", WHO "X: ", "=?utf-8?Q?", 9000, "\r\n\r\nhi", false },
    { "dashes", MIXED, "------------------------\r\n", 200000, "", false },
    { "html elements", HTML, "<div><b>", 200000, "isi", false },
    { "html links", HTML, "<a href=\"http://x\">", 200000, "isi", false },
    { "html attributes", HTML, "<a ", 300000, "href=\"", false },
    { "html comments", HTML, "<!--", 300000, "isi", false },
    { "html entities", HTML, "&", 1000000, "isi", false },
    { "quotes", WHO "\r\n", "> ", 500000, "isi", false },
    { "introductions", WHO "\r\n", "Pada x\n", 300000, "isi", false },
    { "quoted lines", WHO "\r\n", "> a\nb\n", 300000, "isi", false },
    { "from blocks", WHO "\r\n", "From: a\n", 300000, "isi", false },
    { "references", WHO "References: ", "<a@b> <c@d>", 9000, "\r\n\r\nhi", false },
    { "addresses", WHO "Cc: ", "a@b, ", 19000, "c@d\r\n\r\nhi", false },
};

static void what_kills_other_parsers_becomes_a_record_in_time(void **state) {
    json_t *ids = json_object();
    size_t i, n;

    (void)state;
    for (i = 0; i < sizeof(killers) / sizeof(killers[0]); i++) {
        const struct killer *k = &killers[i];
        struct text t = TEXT_INIT;
        clock_t start = clock();
        json_t *r;

        text_add(&t, k->before);
        for (n = k->times; n > 0; n--)
            text_add(&t, k->repeated);
        text_add(&t, k->after);
        r = parse(t.s, t.len, 0);
        if (k->stub && strcmp(string(r, "kind"), "unparsed") != 0)
            fail_msg("%s: kind %s", k->name, string(r, "kind"));
        assert_string_equal(string(r, "subject"), "pembünuh");
        assert_string_equal(string(r, "conversation"), "a@b.example");
        if ((clock() - start) / CLOCKS_PER_SEC > 8) /* many times what it takes, even with sanitizers */
            fail_msg("%s: %ld s", k->name, (long)((clock() - start) / CLOCKS_PER_SEC));
        if (json_object_get(ids, string(r, "platform_id")) != NULL)
            fail_msg("%s counts as %s", k->name,
                     json_string_value(json_object_get(ids, string(r, "platform_id"))));
        json_object_set_new(ids, string(r, "platform_id"), json_string(k->name));
        json_decref(r);
        text_free(&t);
    }
    json_decref(ids);
}

static void nesting_is_cut_at_its_limit(void **state) {
    size_t depth, i;

    (void)state;
    for (depth = 45; depth <= 56; depth += 11) {
        struct text t = TEXT_INIT;
        json_t *r;

        text_add(&t, WHO);
        for (i = 0; i < depth; i++)
            text_addf(&t, "Content-Type: multipart/mixed; boundary=b%zu\r\n\r\n--b%zu\r\n", i, i);
        text_add(&t, "Content-Type: text/plain\r\n\r\nisi\r\n");
        r = parse(t.s, t.len, 0);
        assert_string_equal(string(r, "kind"), depth <= SCAN_DEPTH_MAX ? "message" : "unparsed");
        if (depth <= SCAN_DEPTH_MAX)
            assert_string_equal(string(r, "text"), "isi");
        json_decref(r);
        text_free(&t);
    }
}

static void a_huge_mail_shows_its_sender_and_that_it_is_partial(void **state) {
    static const char head[] = MIXED;
    json_t *r = parse(head, sizeof(head) - 1, 90 * 1024 * 1024);

    (void)state;
    assert_string_equal(string(r, "kind"), "message");
    assert_int_equal(json_integer_value(json_object_get(r, "flags")), ADUAN_MESSAGE_PARTIAL);
    assert_non_null(strstr(string(r, "note"), "92160 KiB"));
    assert_string_equal(string(r, "subject"), "pembünuh");
    assert_non_null(strstr(string(r, "note"), "still in the box"));
    json_decref(r);
    after = (char *)"move:Diproses";
    r = parse(head, sizeof(head) - 1, 90 * 1024 * 1024);
    after = NULL;
    assert_null(strstr(string(r, "note"), "still in the box"));
    assert_non_null(strstr(string(r, "note"), "in folder \"Diproses\""));
    json_decref(r);
}

/* ------------------------------------------------------------------ identity */

static void id_of(const char *mail, char ret[41]) {
    scan_id(mail, strlen(mail), ret);
}

#define SAME "From: a@b\r\nMessage-ID: <1@b>\r\nDate: x\r\nSubject: s\r\n"

static void a_mail_delivered_twice_is_one_and_a_copied_message_id_is_two(void **state) {
    char a[41], b[41];

    (void)state;
    id_of("Received: by a\r\n" SAME "\r\nisi\r\n", a);
    id_of("Return-Path: <a@b>\r\nReceived: by c\r\nReceived: by d\r\n" SAME "X-Spam: 1\r\n\r\nisi\r\n", b);
    assert_string_equal(a, b);
    id_of("From: a@b\nMessage-ID: <1@b>\nDate: x\nSubject: s\n\nisi\n\n", b);
    assert_string_equal(a, b);
    id_of(SAME "\r\nisi lain\r\n", b);
    assert_string_not_equal(a, b);
    id_of("From: a@b\r\nMessage-ID: <1@b>\r\nDate: y\r\nSubject: s\r\n\r\nisi\r\n", b);
    assert_string_not_equal(a, b);
    id_of("From: a@b\r\nMessage-ID: <1@b>x\r\nDate:\r\nSubject: s\r\n\r\nisi\r\n", b);
    assert_string_not_equal(a, b);
}

#define FORM "From: form@b\r\nTo: c@d\r\nSubject: Pengaduan\r\n"

static void mails_that_differ_anywhere_are_two(void **state) {
    char a[41], b[41], *long_a, *long_b, *pad = xcalloc(1, 200001);

    (void)state;
    id_of(FORM "Reply-To: ani@b\r\n\r\nisi\r\n", a);
    id_of(FORM "Reply-To: budi@b\r\n\r\nisi\r\n", b);
    assert_string_not_equal(a, b);
    id_of(SAME "bukan medan\r\n\r\nisi\r\n", a);
    id_of(SAME "bukan medan lain\r\n\r\nisi\r\n", b);
    assert_string_not_equal(a, b);
    memset(pad, 'x', 200000);
    long_a = xasprintf("From: a@b\r\nX-Pad: %s\r\nMessage-ID: <1@b>\r\n\r\nisi", pad);
    long_b = xasprintf("From: a@b\r\nX-Pad: %s\r\nMessage-ID: <2@b>\r\n\r\nisi", pad);
    id_of(long_a, a);
    id_of(long_b, b);
    assert_string_not_equal(a, b);
    free(long_a);
    free(long_b);
    free(pad);
}

/* Nothing but their way here tells them apart. */
static void mails_without_message_id_and_date_are_told_apart_by_their_trace(void **state) {
    char a[41], b[41];

    (void)state;
    id_of("Received: by c id 1\r\n" FORM "\r\nisi\r\n", a);
    id_of("Received: by c id 2\r\n" FORM "\r\nisi\r\n", b);
    assert_string_not_equal(a, b);
    id_of("Received: by c id 1\nStatus: RO\n" FORM "X-Keywords: x\n\nisi\n", b);
    assert_string_equal(a, b);
    id_of("Received: by c id 1\r\nDate: x\r\n" FORM "\r\nisi\r\n", a);
    id_of("Received: by c id 2\r\nDate: x\r\n" FORM "\r\nisi\r\n", b);
    assert_string_equal(a, b);
}

static void the_selftest_passes(void **state) {
    char why[200] = "";

    (void)state;
    if (email_selftest(why, sizeof(why)) != 0)
        fail_msg("%s", why);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_selftest_passes),
        cmocka_unit_test(corpus_mails_become_the_records_they_should_be),
        cmocka_unit_test(the_published_samples_are_understood),
        cmocka_unit_test(every_prefix_gives_one_record),
        cmocka_unit_test(what_kills_other_parsers_becomes_a_record_in_time),
        cmocka_unit_test(nesting_is_cut_at_its_limit),
        cmocka_unit_test(a_huge_mail_shows_its_sender_and_that_it_is_partial),
        cmocka_unit_test(a_mail_delivered_twice_is_one_and_a_copied_message_id_is_two),
        cmocka_unit_test(mails_that_differ_anywhere_are_two),
        cmocka_unit_test(mails_without_message_id_and_date_are_told_apart_by_their_trace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
