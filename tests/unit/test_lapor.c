/* SP4N-LAPOR!: what is imported becomes the records it should; a profile says where its faults are. */
#include "connector.h"
#include "expected.h"
#include "fake_host.h"

#include "kit/text.h"

#include "../../connectors/lapor/lapor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct aduan_connector aduan_connector;

static void each_sample_becomes_its_record(void **state) {
    (void)state;
    expected_check(&aduan_connector, NULL, "lapor", 5);
}

static void the_same_import_gives_the_same_ids(void **state) {
    struct records a = records_new(), b = records_new();
    size_t n, i;
    char *bytes = sample_read("lapor/list.csv", &n);

    (void)state;
    records_parse(&a, &aduan_connector, NULL, bytes, n);
    records_parse(&b, &aduan_connector, NULL, bytes, n);
    assert_int_equal(a.count, b.count);
    for (i = 0; i < a.count; i++)
        assert_string_equal(a.items[i].platform_id, b.items[i].platform_id);
    /* a record's own bytes give it again */
    records_parse(&b, &aduan_connector, NULL, a.items[2].raw, a.items[2].raw_len);
    assert_int_equal(b.count, 1);
    assert_string_equal(b.items[0].platform_id, a.items[2].platform_id);
    records_clear(&a);
    records_clear(&b);
    free(bytes);
}

/* A cell may read like a notice; a row is read as it was, not as it looks. */
static void a_cell_like_a_notice_stays_a_cell(void **state) {
    static const char list[] = "Nomor;Judul;Isi\n71;A;\"Tracking ID: 99\nJudul: x\nIsi: y\"\n72;B;C\n73\n;;\n";
    struct records a = records_new(), b = records_new();
    size_t i;

    (void)state;
    records_parse(&a, &aduan_connector, NULL, list, strlen(list));
    assert_int_equal(a.count, 4);
    assert_string_equal(a.items[0].platform_id, "71");
    assert_string_equal(a.items[1].platform_id, "72");
    assert_string_equal(a.items[2].platform_id, "73");
    assert_int_equal(a.items[3].kind, ADUAN_KIND_UNPARSED);
    for (i = 0; i < a.count; i++) {
        records_parse(&b, &aduan_connector, NULL, a.items[i].raw, a.items[i].raw_len);
        assert_int_equal(b.count, 1);
        assert_string_equal(b.items[0].platform_id, a.items[i].platform_id);
        assert_string_equal(b.items[0].text, a.items[i].text);
    }
    records_clear(&a);
    records_clear(&b);
}

/* What a list holds is there afterwards, if only for a person to look at. */
static void no_row_is_swallowed(void **state) {
    static const struct {
        const char *list;
        size_t len;
        const char *ids[3]; /* NULL: unparsed */
        size_t count;
        const char *note;
    } cases[] = {
#define LIST(s) "Nomor;Judul;Isi\n" s, sizeof("Nomor;Judul;Isi\n" s) - 1
        { LIST("1;A;\"open;x\n2;B;y\n"), { NULL }, 1, "tidak ditutup" },
        { LIST("0;Z;z\n1;A;\"open\n2;B;\"y\"\n3;C;z\n"), { "0", NULL }, 2, "tidak ditutup" },
        { LIST("1;A;one\n1;A;two\n2;B;x\n"), { "1", NULL, "2" }, 3, "isi lain" },
        { LIST("1;A;one\n1;A;one\n"), { "1", "1" }, 2, NULL },
        { LIST("10\00007;A;x\n2;B;y\n"), { NULL, "2" }, 2, "NUL" },
        { LIST("1;A;\"two\nlines\"\n2;B;\"y\"\n"), { "1", "2" }, 2, NULL },
    };
    size_t i, k;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct records r = records_new();

        records_parse(&r, &aduan_connector, NULL, cases[i].list, cases[i].len);
        if (r.count != cases[i].count)
            fail_msg("%s: %zu records", cases[i].list, r.count);
        for (k = 0; k < r.count; k++)
            if (cases[i].ids[k] != NULL) {
                assert_string_equal(r.items[k].platform_id, cases[i].ids[k]);
            } else {
                assert_int_equal(r.items[k].kind, ADUAN_KIND_UNPARSED);
                assert_non_null(strstr(r.items[k].note, cases[i].note));
            }
        records_clear(&r);
    }
}

static void pointers_and_converters(void **state) {
    static const struct {
        const char *expression, *value;
    } cases[] = {
        { "/a/0", "x" },
        { "/none|/b~1c", "3" },
        { "/list/*/id", "1,2" },
        { "/list/*/id|json_array|suffix(\".\")|quote", "\"[1,2].\"" },
        { "/list/*/id|join(\"; \")", "1; 2" },
        { "/yes:bool", "1" },
        { "/a/0:int", NULL },
        { "/at:fmt(%d-%m-%Y %H:%M:%S)", "1795482900000" },
        { "/at:fmt(%Y)", NULL },
        { "/a/0:prefix(\"id-\")", "id-x" },
        { "/a/0:format(<%s>)", "<x>" },
        { "/nothing", NULL },
    };
    json_t *j = json_loads("{\"a\":[\"x\"],\"b/c\":3,\"list\":[{\"id\":1},{\"id\":2}],\"yes\":\"Ya\","
                           "\"at\":\"24-11-2026 08:15:00\"}",
                           0, NULL);
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *got = lapor_value(j, cases[i].expression);

        if (!text_equal(got, cases[i].value))
            fail_msg("%s: %s", cases[i].expression, got != NULL ? got : "NULL");
        free(got);
    }
    json_decref(j);
}

static void no_files_and_two(void **state) {
    static const char pattern[] = "{attachment_ids}|none(\"false\")|json_array|suffix(\".\")|json";
    static const char *const cases[][2] = { { "", "false" }, { "1,2", "[1,2]." } };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *values = json_pack("{s:s}", "attachment_ids", cases[i][0]);
        char *got = lapor_fill(pattern, values, NULL);

        assert_string_equal(got, cases[i][1]);
        free(got);
        json_decref(values);
    }
}

static void collect(void *arg, const char *reason) {
    text_addf(arg, "%s\n", reason);
}

static void faults_name_line_and_key(void **state) {
    static const char bad[] =
        "[profile]\nbase_url = http://lapor.example\n[cap.reply]\nenabled = yes\nenabld = x\n"
        "[map.in]\nbody = content\ntitle = /t:nonsense\n[status.map]\n\"A = B\" = kabur\n"
        "[map.reply]\nx = {replytext}\n[cap.upload]\nenabled = yes\npath = /f/{nr}\nids = results\n";
    struct lapor_profile p;
    struct text t = TEXT_INIT;

    (void)state;
    assert_int_equal(lapor_profile_read(bad, collect, &t, &p), -1);
    assert_non_null(strstr(t.s, "line 2: [profile] base_url"));
    assert_non_null(strstr(t.s, "line 5: [cap.reply] enabld"));
    assert_non_null(strstr(t.s, "line 7: [map.in] body"));
    assert_non_null(strstr(t.s, "line 8: [map.in] title"));
    assert_non_null(strstr(t.s, "line 10: [status.map] A = B"));
    assert_non_null(strstr(t.s, "line 12: [map.reply] x"));
    assert_non_null(strstr(t.s, "line 15: [cap.upload] path"));
    assert_non_null(strstr(t.s, "line 16: [cap.upload] ids"));
    assert_non_null(strstr(t.s, "[cap.upload] file_part"));
    assert_non_null(strstr(t.s, "[cap.reply] path"));
    assert_non_null(strstr(t.s, "[map.reply] content"));
    lapor_profile_clear(&p);
    text_free(&t);
}

/* Without it our own answers would come back as the citizen's. */
static void followups_need_to_know_the_office(void **state) {
    static const char start[] =
        "[profile]\nbase_url = http://127.0.0.1:1\n%s[cap.followups]\nenabled = yes\npath = /f/{id}\n"
        "[map.in]\nremote_id = /id\nbody = /content\n[map.reply]\n%s";
    static const struct {
        const char *profile, *reply;
        int rc;
    } cases[] = { { "institution =\n", "", -1 },
                  { "institution = 77\n", "", 0 },
                  { "", "institution_from_id = 77\n", 0 } };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = xasprintf(start, cases[i].profile, cases[i].reply);
        struct lapor_profile p;
        struct text t = TEXT_INIT;

        assert_int_equal(lapor_profile_read(text, collect, &t, &p), cases[i].rc);
        if (cases[i].rc < 0)
            assert_non_null(strstr(t.s, "[profile] institution"));
        lapor_profile_clear(&p);
        text_free(&t);
        free(text);
    }
}

static void shipped_profiles_are_without_fault_and_off(void **state) {
    static const char *const names[] = { "splp-v3", "splp-v3-sandbox", "legacy-f01", "assisted" };
    static const char *const caps[] = { "list", "detail", "followups", "reply", "upload", "reject" };
    struct lapor_profile p;
    struct text t = TEXT_INIT;
    size_t i, k, n;

    (void)state;
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *name = xasprintf("../../conf/lapor/%s.profile", names[i]), *text = sample_read(name, &n);

        if (lapor_profile_read(text, collect, &t, &p) != 0)
            fail_msg("%s: %s", names[i], t.s);
        for (k = 0; k < sizeof(caps) / sizeof(caps[0]); k++)
            assert_false(lapor_enabled(&p, caps[k]));
        lapor_profile_clear(&p);
        free(text);
        free(name);
    }
    text_free(&t);
}

static const char api[] =
    "[profile]\nbase_url = http://127.0.0.1:1\ninstitution = 77\n"
    "[cap.followups]\nenabled = yes\npath = /complaints/{id}/followups\nnext_kind = url\n"
    "[cap.reply]\nenabled = yes\npath = /complaints/followup/add\n"
    "[map.in]\nremote_id = /complaint_id\nbody = /content\n"
    "[map.reply]\ncontent = {reply_text}\ncomplaint_id = {remote_id}\nis_secret = {secret:0|1}\n"
    "[status.map]\nSelesai = selesai\ndefault = periksa_manual\n";

static struct lapor_settings settings(const char *profile) {
    return (
        struct lapor_settings){ .mode = LAPOR_API, .profile = (char *)(uintptr_t)profile, .text_max = 1000 };
}

static void only_what_is_mapped_goes_by_itself(void **state) {
    struct lapor_settings s = settings("");

    (void)state;
    assert_true(aduan_connector.able(&s) & ADUAN_CAP_BY_HAND);
    assert_false(aduan_connector.able(&s) & ADUAN_CAP_SEND);
    s.profile = (char *)(uintptr_t)api;
    assert_true(aduan_connector.able(&s) & ADUAN_CAP_SEND);
    assert_false(aduan_connector.able(&s) & ADUAN_CAP_BY_HAND);
    s.mode = LAPOR_ASSISTED;
    assert_false(aduan_connector.able(&s) & ADUAN_CAP_SEND);
}

static void an_answer_fits_or_it_is_said_why(void **state) {
    struct lapor_settings s = settings("[limits]\nreply_max_chars = 5\nattach_types = pdf\n");
    char name[] = "a.exe", five[] = "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", six[] = "123456", why[400];
    struct aduan_attachment file = { .name = name, .size = 10 };
    struct aduan_answer a = { .text = five };

    (void)state;
    assert_int_equal(aduan_connector.fits(&s, &a, why, sizeof(why)), 0);
    a.text = six;
    assert_int_equal(aduan_connector.fits(&s, &a, why, sizeof(why)), -1);
    a.text = five;
    a.attachments = &file;
    a.attachment_count = 1;
    assert_int_equal(aduan_connector.fits(&s, &a, why, sizeof(why)), -1);
    memcpy(name, "a.PDF", 6);
    assert_int_equal(aduan_connector.fits(&s, &a, why, sizeof(why)), 0);
}

/* 23-11-2026 10:00:00 WIB */
#define QUEUED (1795402800 * INT64_C(1000))

static struct aduan_result send_with(struct fake *f, const struct play *plays, bool find) {
    struct lapor_settings s = settings(api);
    char id[] = "t-1", conversation[] = "765", text[] = "Sudah <selesai>, ya.";
    struct aduan_answer a = { .id = id, .conversation = conversation, .text = text, .queued_at = QUEUED };
    struct aduan_result r = { 0 };
    void *ctx = NULL;

    fake_reset(f, plays);
    assert_int_equal(aduan_connector.open(&f->host, &s, &ctx), 0);
    if (find) {
        aduan_connector.find(ctx, &a, &r);
    } else {
        aduan_connector.send(ctx, &a, 77);
        fake_run(f);
        r = f->result;
    }
    aduan_connector.close(ctx);
    return r;
}

static void what_an_answer_of_lapor_means(void **state) {
    static const struct {
        struct play play;
        enum aduan_outcome outcome;
    } cases[] = {
        { { .status = 200, .body = "{\"results\":{\"id\":9}}" }, ADUAN_SENT },
        { { .status = 500, .body = "<html>" }, ADUAN_UNCERTAIN },
        { { .status = 200, .body = "<html>login</html>" }, ADUAN_UNCERTAIN },
        { { .status = 200, .body = "" }, ADUAN_UNCERTAIN },
        { { .status = 200, .body = "{\"success\":false,\"message\":\"gagal, token\"}" }, ADUAN_NEVER },
        { { .status = 200, .body = "{\"status\":\"error\",\"message\":\"x\"}" }, ADUAN_NEVER },
        { { .status = 200, .body = "{\"status\":422,\"message\":\"x\"}" }, ADUAN_NEVER },
        { { .status = 200, .body = "{\"success\":true,\"status\":200}" }, ADUAN_SENT },
        { { .status = 422, .body = "{\"message\":\"content\"}" }, ADUAN_NEVER },
        { { .status = 401, .body = "{}" }, ADUAN_REFUSED },
        { { .status = 429, .body = "" }, ADUAN_LIMITED },
        { { .state = ADUAN_HTTP_BROKEN }, ADUAN_UNCERTAIN },
        { { .state = ADUAN_HTTP_SENT_NOTHING }, ADUAN_LATER },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fake f = { .count = 0 };
        struct play plays[2] = { cases[i].play, { 0 } };

        assert_int_equal(send_with(&f, plays, false).outcome, cases[i].outcome);
        assert_string_equal(f.asked[0].url, "http://127.0.0.1:1/complaints/followup/add");
        fake_reset(&f, NULL);
    }
}

#define ENTRIES(entries) "{\"results\":{\"data\":[" entries "],\"next_page_url\":null}}"
#define ENTRY(id, at)    "{\"id\":" id ",\"content\":\"Sudah &lt;selesai&gt;, ya.\",\"created_at\":\"" at "\"}"

static void an_answer_that_is_there_is_not_sent_again(void **state) {
    static const struct {
        const char *body;
        enum aduan_outcome outcome;
    } cases[] = {
        { ENTRIES(ENTRY("4", "23-11-2026 10:00:05")), ADUAN_SENT },
        { ENTRIES(ENTRY("4", "23-11-2026 09:59:10")), ADUAN_SENT }, /* clocks differ */
        { ENTRIES("{\"id\":4,\"content\":\"lain\"}"), ADUAN_LATER },
        /* the same words, said before: they prove nothing, neither way */
        { ENTRIES(ENTRY("4", "22-11-2026 10:00:05")), ADUAN_UNCERTAIN },
        { ENTRIES("{\"id\":4,\"content\":\"Sudah &lt;selesai&gt;, ya.\"}"), ADUAN_UNCERTAIN },
        { ENTRIES(ENTRY("4", "22-11-2026 10:00:05") "," ENTRY("5", "23-11-2026 10:00:05")), ADUAN_SENT },
        { ENTRIES(ENTRY("4", "23-11-2026 10:00:01") "," ENTRY("5", "23-11-2026 10:00:05")), ADUAN_UNCERTAIN },
        { "{\"results\":{\"da", ADUAN_UNCERTAIN },
        { "{\"message\":\"x\"}", ADUAN_UNCERTAIN },
    };
    struct fake f = { .count = 0 };
    struct aduan_result r;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct play plays[] = { { .status = 200, .body = cases[i].body }, { 0 } };

        r = send_with(&f, plays, true);
        if (r.outcome != cases[i].outcome)
            fail_msg("%s: %d %s", cases[i].body, (int)r.outcome, r.reason);
        if (i == 5)
            assert_string_equal(r.platform_id, "765:5");
        if (i == 6)
            assert_non_null(strstr(r.reason, "2 tindak lanjut"));
    }
    fake_reset(&f, NULL);
}

/* ----------------------------------------------------------------------- pull */

static struct {
    char mark[100000];
    char *ids[64];
    size_t count;
    int64_t now;
} pulled;

static int take_emitted(struct aduan_host *h, const struct aduan_raw *raw) {
    (void)h;
    assert_true(pulled.count < 64);
    pulled.ids[pulled.count++] = xstrdup(raw->id != NULL ? raw->id : "");
    snprintf(pulled.mark, sizeof(pulled.mark), "%s", raw->mark_value);
    return 0;
}

static const char *give_mark(struct aduan_host *h, const char *name) {
    (void)h;
    return strcmp(name, "known") == 0 && pulled.mark[0] != '\0' ? pulled.mark : NULL;
}

static int64_t give_now(struct aduan_host *h) {
    (void)h;
    return pulled.now;
}

/* Reads a list once, as after a restart; how many records that brought. */
static size_t pull_once(const char *profile, const char *list) {
    struct lapor_settings s = settings(profile);
    struct play plays[] = { { .status = 200, .body = list }, { 0 } };
    struct fake f = { .count = 0 };
    struct aduan_host_ops ops;
    struct aduan_result r;
    size_t before = pulled.count;
    void *ctx = NULL;

    fake_reset(&f, plays);
    ops = *f.host.ops;
    ops.emit = take_emitted;
    ops.mark = give_mark;
    ops.now = give_now;
    f.host.ops = &ops;
    pulled.now += 60000;
    assert_int_equal(aduan_connector.open(&f.host, &s, &ctx), 0);
    assert_int_equal(aduan_connector.pull(ctx, 0, &r), 0);
    aduan_connector.close(ctx);
    fake_reset(&f, NULL);
    return pulled.count - before;
}

static void forget_pulled(void) {
    while (pulled.count > 0)
        free(pulled.ids[--pulled.count]);
    memset(&pulled, 0, sizeof(pulled));
    pulled.now = QUEUED;
}

static const char listing[] =
    "[profile]\nbase_url = http://127.0.0.1:1\n[cap.list]\nenabled = yes\npath = /list\n"
    "items = /results/data\n[map.in]\nremote_id = /complaint_id\nbody = /content\n";
#define LISTED(status)                                                                                         \
    "{\"results\":{\"data\":[{\"complaint_id\":765,\"content\":\"x\",\"status_name\":\"" status "\"}]}}"

static void a_status_that_comes_back_is_told_again(void **state) {
    static const char *const seen[] = { LISTED("Dalam Proses"), LISTED("Selesai"), LISTED("Dalam Proses"),
                                        LISTED("Selesai"),      LISTED("Selesai"), LISTED("Dalam Proses") };
    char earlier[100000];
    size_t i, k, records = 0;

    (void)state;
    forget_pulled();
    for (i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
        records += pull_once(listing, seen[i]);
    assert_int_equal(records, 5); /* the report, and four changes */
    for (i = 0; i < pulled.count; i++)
        for (k = 0; k < i; k++)
            assert_string_not_equal(pulled.ids[i], pulled.ids[k]);
    /* After a crash before the mark was kept the same change has the same id. */
    snprintf(earlier, sizeof(earlier), "%s", pulled.mark);
    assert_int_equal(pull_once(listing, LISTED("Selesai")), 1);
    snprintf(pulled.mark, sizeof(pulled.mark), "%s", earlier);
    assert_int_equal(pull_once(listing, LISTED("Selesai")), 1);
    assert_string_equal(pulled.ids[pulled.count - 1], pulled.ids[pulled.count - 2]);
    forget_pulled();
}

/* What was forgotten and comes back with another status: that is told, under an id of its own. */
static void a_forgotten_report_loses_no_status(void **state) {
    json_t *known = json_object();
    char *mark;
    size_t i;

    (void)state;
    forget_pulled();
    json_object_set_new(known, "765", json_pack("[s, i]", "Dalam Proses", 5));
    for (i = 0; i < 501; i++) {
        char id[20];

        snprintf(id, sizeof(id), "%zu", 1000 + i);
        json_object_set_new(known, id, json_pack("[s, i]", "Baru", 1));
    }
    mark = json_dumps(known, JSON_COMPACT);
    snprintf(pulled.mark, sizeof(pulled.mark), "%s", mark);
    free(mark);
    json_decref(known);
    /* Listed, it stays known however many there are. */
    assert_int_equal(pull_once(listing, LISTED("Selesai")), 1);
    assert_string_equal(pulled.ids[0], "765:status:6:Selesai");
    /* Forgotten: as when only others were listed. */
    snprintf(pulled.mark, sizeof(pulled.mark), "{\"\":true,\"1000\":[\"Baru\",1]}");
    assert_int_equal(pull_once(listing, LISTED("Dalam Proses")), 2);
    assert_string_equal(pulled.ids[1], "765");
    assert_non_null(strstr(pulled.ids[2], ":Dalam Proses"));
    assert_string_not_equal(pulled.ids[2], "765:status:6:Dalam Proses");
    assert_int_equal(pull_once(listing, LISTED("Dalam Proses")), 0);
    forget_pulled();
}

static void own_followups_are_echoes_and_unknown_states_are_seen(void **state) {
    static const char own[] =
        "{\"lapor\":\"followup\",\"id\":\"765\",\"data\":{\"id\":1,\"institution_from_id\":77,"
        "\"content\":\"jawaban kami\"}}";
    static const char status[] = "{\"lapor\":\"status\",\"id\":\"765\",\"data\":{\"complaint_id\":765,"
                                 "\"status_name\":\"Entah\",\"content\":\"x\"}}";
    struct lapor_settings s = settings(api);
    struct records r = records_new();

    (void)state;
    records_parse(&r, &aduan_connector, &s, own, strlen(own));
    assert_int_equal(r.items[0].kind, ADUAN_KIND_ECHO);
    records_parse(&r, &aduan_connector, &s, status, strlen(status));
    assert_int_equal(r.items[0].kind, ADUAN_KIND_SYSTEM);
    assert_non_null(strstr(r.items[0].note, "Entah"));
    records_clear(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sample_becomes_its_record),
        cmocka_unit_test(the_same_import_gives_the_same_ids),
        cmocka_unit_test(a_cell_like_a_notice_stays_a_cell),
        cmocka_unit_test(no_row_is_swallowed),
        cmocka_unit_test(pointers_and_converters),
        cmocka_unit_test(no_files_and_two),
        cmocka_unit_test(faults_name_line_and_key),
        cmocka_unit_test(followups_need_to_know_the_office),
        cmocka_unit_test(shipped_profiles_are_without_fault_and_off),
        cmocka_unit_test(only_what_is_mapped_goes_by_itself),
        cmocka_unit_test(an_answer_fits_or_it_is_said_why),
        cmocka_unit_test(what_an_answer_of_lapor_means),
        cmocka_unit_test(an_answer_that_is_there_is_not_sent_again),
        cmocka_unit_test(a_status_that_comes_back_is_told_again),
        cmocka_unit_test(a_forgotten_report_loses_no_status),
        cmocka_unit_test(own_followups_are_echoes_and_unknown_states_are_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
