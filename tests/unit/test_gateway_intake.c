/* test_gateway_intake.c: whatever a connector makes of bytes, nothing of it is dropped or mixed up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/kit/sign.h"
#include "connectors/kit/text.h"
#include "daemon/intake.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW 1764000000000

struct settings {
    const char *address;
};

/* A connector that hands over what a test has written down. */
static struct aduan_message script[8];
static size_t script_count;
static int script_result;

static int parse(const void *settings, const struct aduan_bytes *in, struct aduan_sink *sink) {
    size_t i;

    (void)settings;
    (void)in;
    for (i = 0; i < script_count; i++)
        sink->record(sink, &script[i]);
    script_count = 0;
    return script_result;
}

static const char *address(const void *settings) {
    return ((const struct settings *)settings)->address;
}

/* Signed for an account: its address stands in the query. */
static int verify_calls;

static int verify(const void *settings, const struct aduan_hook_request *req,
                  struct aduan_hook_answer *answer) {
    verify_calls++;
    if (strstr(req->query, address(settings)) != NULL)
        return 0;
    answer->status = 401;
    return ADUAN_HOOK_ANSWER;
}

static struct aduan_connector connector = {
    ADUAN_CONNECTOR_HEAD, .type = "fake", .channel = "post",  .capabilities = ADUAN_CAP_PUSH | ADUAN_CAP_MEDIA,
    .verify = verify,     .parse = parse, .address = address,
};

const struct module *job_module(const struct job *j, const struct conf_account *a) {
    return &j->modules[a - j->conf->accounts];
}

struct rig {
    char state[64];
    struct settings settings[4];
    struct conf_account accounts[4];
    struct module modules[4];
    struct conf conf;
    struct job job;
};

static void add_account(struct rig *r, size_t i, const char *name, const char *type, const char *addr,
                        bool enabled) {
    r->settings[i].address = addr;
    r->accounts[i] = (struct conf_account){
        .name = (char *)(uintptr_t)name,
        .type = (char *)(uintptr_t)type,
        .enabled = enabled,
        .settings = &r->settings[i],
    };
    r->modules[i].connector = &connector;
}

static int setup(void **state) {
    struct rig *r = xcalloc(1, sizeof(*r));

    strcpy(r->state, "/tmp/aduan-intake-XXXXXX");
    assert_non_null(mkdtemp(r->state));
    add_account(r, 0, "one", "fake", "100", true);
    add_account(r, 1, "two", "fake", "200", true);
    add_account(r, 2, "off", "fake", "300", false);
    add_account(r, 3, "other", "unlike", "400", true);
    r->conf.accounts = r->accounts;
    r->conf.account_count = 4;
    r->job.conf = &r->conf;
    r->job.modules = r->modules;
    assert_int_equal(blob_store_open(r->state, &r->job.blobs), 0);
    script_count = 0;
    script_result = 0;
    connector.capabilities = ADUAN_CAP_PUSH | ADUAN_CAP_MEDIA;
    *state = r;
    return 0;
}

static int teardown(void **state) {
    struct rig *r = *state;
    char *command = xasprintf("rm -rf %s", r->state);

    blob_store_close(r->job.blobs);
    assert_int_equal(system(command), 0);
    free(command);
    free(r);
    return 0;
}

static struct aduan_message *say(const char *id, const char *to) {
    struct aduan_message *m = &script[script_count++];

    memset(m, 0, sizeof(*m));
    m->kind = ADUAN_KIND_MESSAGE;
    m->platform_id = xstrdup(id);
    m->to = xstrdup(to);
    m->text = xstrdup("Halo");
    return m;
}

static struct intake_batch take(struct rig *r, const void *bytes, size_t n) {
    struct aduan_bytes in = { .bytes = bytes, .len = n };
    struct intake_batch batch;

    assert_int_equal(intake_parse(&r->job, &r->accounts[0], &in, NOW, &batch), 0);
    return batch;
}

static struct intake_batch hook(struct rig *r, const char *signed_for) {
    struct aduan_hook_request request = { .method = "POST", .query = signed_for, .body = "x", .body_len = 1 };
    struct intake_batch batch;

    assert_int_equal(intake_hook(&r->job, &r->accounts[0], &request, NOW, &batch), 0);
    return batch;
}

static void check_blob(struct rig *r, const char *sha256, size_t size) {
    struct stat st;
    int fd = blob_open(r->job.blobs, sha256);

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, size);
    close(fd);
}

static void test_a_record_is_completed(void **state) {
    struct intake_batch b;
    json_t *json;

    say("wamid.1", NULL);
    b = take(*state, "raw bytes", 9);
    assert_int_equal(b.count, 1);
    assert_string_equal(b.items[0].in.id, "one/wamid.1");
    assert_string_equal(b.items[0].account->name, "one");
    assert_false(b.items[0].dead);
    assert_int_equal(b.items[0].in.raw_len, 9);
    assert_memory_equal(b.items[0].in.raw, "raw bytes", 9);
    json = json_loadb(b.items[0].in.record, b.items[0].in.record_len, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(json, "id")), "one/wamid.1");
    assert_string_equal(json_string_value(json_object_get(json, "account")), "one");
    assert_string_equal(json_string_value(json_object_get(json, "channel")), "post");
    assert_int_equal(json_integer_value(json_object_get(json, "received_at")), NOW);
    json_decref(json);
    intake_clear(&b);
}

static void test_bytes_without_sense_are_a_record(void **state) {
    struct intake_batch b, again;

    script_result = -1;
    b = take(*state, "\xff\x00garbage", 9);
    again = take(*state, "\xff\x00garbage", 9);
    assert_int_equal(b.count, 1);
    assert_int_equal(b.items[0].message.kind, ADUAN_KIND_UNPARSED);
    assert_true(text_starts(b.items[0].in.id, "one/sha256-"));
    assert_string_equal(b.items[0].in.id, again.items[0].in.id);
    assert_memory_equal(b.items[0].in.raw, "\xff\x00garbage", 9);
    assert_non_null(b.items[0].message.note);
    assert_false(b.items[0].dead);
    intake_clear(&b);
    intake_clear(&again);
}

static void test_what_was_read_before_the_fault_is_kept(void **state) {
    struct intake_batch b;

    say("1", NULL);
    script_result = -1;
    b = take(*state, "half", 4);
    assert_int_equal(b.count, 2);
    assert_string_equal(b.items[0].in.id, "one/1");
    assert_int_equal(b.items[1].message.kind, ADUAN_KIND_UNPARSED);
    intake_clear(&b);
}

static void test_nothing_in_it_is_a_dead_letter(void **state) {
    struct intake_batch b = take(*state, "{}", 2);

    assert_int_equal(b.count, 1);
    assert_true(b.items[0].dead);
    assert_memory_equal(b.items[0].in.raw, "{}", 2);
    intake_clear(&b);
}

static void test_each_goes_to_its_number(void **state) {
    struct rig *r = *state;
    struct intake_batch b;

    say("1", "100");
    say("2", "200");
    say("3", "300"); /* an account that is switched off */
    say("4", "400"); /* another connector's */
    say("5", "999");
    b = hook(r, "100 200 300 400");
    assert_int_equal(b.count, 5);
    assert_string_equal(b.items[0].in.id, "one/1");
    assert_string_equal(b.items[1].in.id, "two/2");
    assert_ptr_equal(b.items[1].account, &r->accounts[1]);
    assert_string_equal(b.items[1].message.account, "two");
    assert_false(b.items[1].dead);
    for (size_t i = 2; i < 5; i++) {
        assert_true(b.items[i].dead);
        assert_ptr_equal(b.items[i].account, &r->accounts[0]);
        assert_non_null(strstr(b.items[i].message.note, b.items[i].message.to));
    }
    intake_clear(&b);
    r->job.account = &r->accounts[0]; /* a receive worker: what lies in a box is the box's */
    say("6", "999");
    b = take(r, "x", 1);
    assert_false(b.items[0].dead);
    assert_string_equal(b.items[0].in.id, "one/6");
    intake_clear(&b);
}

static void test_a_secret_opens_its_own_door_only(void **state) {
    struct rig *r = *state;
    struct intake_batch b;

    verify_calls = 0;
    say("1", "100");
    say("2", "200");
    say("3", "200");
    b = hook(r, "100");
    assert_int_equal(b.count, 3);
    assert_false(b.items[0].dead);
    for (size_t i = 1; i < 3; i++) {
        assert_true(b.items[i].dead);
        assert_ptr_equal(b.items[i].account, &r->accounts[0]);
        assert_string_equal(b.items[i].message.account, "one");
        assert_non_null(strstr(b.items[i].message.note, "not signed for it: 200"));
    }
    assert_int_equal(verify_calls, 1);
    intake_clear(&b);
    say("4", "200"); /* no request to judge by */
    b = take(r, "x", 1);
    assert_true(b.items[0].dead);
    intake_clear(&b);
}

static void test_ids_are_made_where_there_are_none(void **state) {
    struct intake_batch b, again;

    say("", NULL);
    say("", NULL);
    b = take(*state, "same bytes", 10);
    say("", NULL);
    say("", NULL);
    again = take(*state, "same bytes", 10);
    assert_string_not_equal(b.items[0].in.id, b.items[1].in.id);
    assert_string_equal(b.items[0].in.id, again.items[0].in.id);
    assert_string_equal(b.items[1].in.id, again.items[1].in.id);
    assert_true(text_starts(b.items[0].in.id, "one/sha256-"));
    intake_clear(&b);
    intake_clear(&again);
}

static void test_unfit_ids_are_digested(void **state) {
    char longer[3000];
    struct intake_batch b;

    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    say(longer, NULL);
    longer[sizeof(longer) - 2] = 'b';
    say(longer, NULL);
    say("line\nbreak", NULL);
    say("\xff\xfe", NULL);
    b = take(*state, "x", 1);
    for (size_t i = 0; i < 4; i++) {
        assert_true(text_starts(b.items[i].in.id, "one/long-"));
        assert_int_equal(strlen(b.items[i].in.id), strlen("one/long-") + 64);
    }
    assert_string_not_equal(b.items[0].in.id, b.items[1].in.id);
    assert_int_equal(strlen(b.items[0].message.platform_id), 2999); /* answers name it by that */
    intake_clear(&b);
}

static void test_attachments_are_stored_or_fetched_later(void **state) {
    struct aduan_message *m = say("1", NULL);
    struct aduan_attachment *a = aduan_message_add_attachment(m);
    struct intake_batch b;

    a->data = (unsigned char *)xstrdup("picture");
    a->data_len = 7;
    a = aduan_message_add_attachment(m);
    a->source = xstrdup("media:1");
    a->name = xstrdup("surat.pdf");
    aduan_message_add_attachment(m); /* neither bytes nor source */
    b = take(*state, "x", 1);
    m = &b.items[0].message;
    assert_int_equal(m->attachments[0].state, ADUAN_ATTACHMENT_STORED);
    assert_null(m->attachments[0].data);
    assert_int_equal(m->attachments[0].size, 7);
    check_blob(*state, m->attachments[0].sha256, 7);
    assert_int_equal(m->attachments[1].state, ADUAN_ATTACHMENT_PENDING);
    assert_int_equal(m->attachments[2].state, ADUAN_ATTACHMENT_FAILED);
    assert_non_null(m->attachments[2].note);
    assert_int_equal(b.items[0].in.media, 1);
    intake_clear(&b);

    connector.capabilities = ADUAN_CAP_PUSH; /* nobody would ever fetch it */
    a = aduan_message_add_attachment(say("2", NULL));
    a->source = xstrdup("media:1");
    b = take(*state, "x", 1);
    assert_int_equal(b.items[0].message.attachments[0].state, ADUAN_ATTACHMENT_FAILED);
    assert_int_equal(b.items[0].in.media, 0);
    intake_clear(&b);
}

static void test_long_raw_bytes_are_a_blob(void **state) {
    size_t n = 64 * 1024 + 1;
    char *bytes = xcalloc(1, n), hex[SIGN_HEX256];
    struct aduan_message *m;
    struct intake_batch b;

    memset(bytes, 'x', n);
    sign_sha256_hex(bytes, n, hex);
    say("1", NULL);
    b = take(*state, bytes, n - 1);
    assert_int_equal(b.items[0].in.raw_len, n - 1);
    intake_clear(&b);

    say("1", NULL);
    b = take(*state, bytes, n);
    assert_int_equal(b.items[0].in.raw_len, 0);
    assert_string_equal(b.items[0].message.raw_sha256, hex);
    assert_non_null(strstr(b.items[0].in.record, hex));
    check_blob(*state, hex, n);
    intake_clear(&b);

    m = say("2", NULL); /* its own bytes, too long, too */
    m->raw = (unsigned char *)bytes;
    m->raw_len = n;
    b = take(*state, "whole", 5);
    assert_string_equal(b.items[0].message.raw_sha256, hex);
    assert_null(b.items[0].message.raw);
    intake_clear(&b);
}

static void test_a_batch_does_not_multiply_its_bytes(void **state) {
    char bytes[40 * 1024];
    struct intake_batch b;

    memset(bytes, 'y', sizeof(bytes));
    say("1", NULL);
    say("2", NULL);
    b = take(*state, bytes, sizeof(bytes));
    assert_int_equal(b.items[0].in.raw_len + b.items[1].in.raw_len, 0);
    assert_string_equal(b.items[0].message.raw_sha256, b.items[1].message.raw_sha256);
    check_blob(*state, b.items[0].message.raw_sha256, sizeof(bytes));
    intake_clear(&b);
}

/* A limit on file size stands in for a disk that is full: write() fails half-way. */
static void test_a_full_disk_accepts_nothing(void **state) {
    struct rig *r = *state;
    struct rlimit before, small;
    char *bytes = xcalloc(1, 100000);
    struct aduan_bytes in = { .bytes = bytes, .len = 100000 };
    struct intake_batch b;
    int result;

    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){ 1000, before.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    say("1", NULL);
    setrlimit(RLIMIT_FSIZE, &small);
    result = intake_parse(&r->job, &r->accounts[0], &in, NOW, &b);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_true(result < 0);
    assert_int_equal(b.count, 0);
    free(bytes);
}

static void test_a_stub_names_its_reason(void **state) {
    struct rig *r = *state;
    struct aduan_bytes in = { .bytes = "boom", .len = 4, .id = "7.42" };
    struct intake_batch b;

    assert_int_equal(intake_stub(&r->job, &r->accounts[0], &in, NOW, "kills its parser", &b), 0);
    assert_string_equal(b.items[0].in.id, "one/7.42");
    assert_string_equal(b.items[0].message.note, "kills its parser");
    assert_int_equal(b.items[0].message.kind, ADUAN_KIND_UNPARSED);
    assert_memory_equal(b.items[0].in.raw, "boom", 4);
    intake_clear(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_record_is_completed),
        TEST(test_bytes_without_sense_are_a_record),
        TEST(test_what_was_read_before_the_fault_is_kept),
        TEST(test_nothing_in_it_is_a_dead_letter),
        TEST(test_each_goes_to_its_number),
        TEST(test_a_secret_opens_its_own_door_only),
        TEST(test_ids_are_made_where_there_are_none),
        TEST(test_unfit_ids_are_digested),
        TEST(test_attachments_are_stored_or_fetched_later),
        TEST(test_long_raw_bytes_are_a_blob),
        TEST(test_a_batch_does_not_multiply_its_bytes),
        TEST(test_a_full_disk_accepts_nothing),
        TEST(test_a_stub_names_its_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
