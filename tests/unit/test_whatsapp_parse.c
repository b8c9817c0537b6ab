/* Each sample body becomes the record it should be; a batch costs nobody anything. */
#include "connector.h"
#include "records.h"

#include "kit/sign.h"
#include "kit/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

extern const struct aduan_connector aduan_connector;

/* "a.0.b" in a record's JSON. */
static const json_t *at_path(const json_t *json, const char *path) {
    char *copy = xstrdup(path), *part, *rest = copy;

    while (json != NULL && (part = strsep(&rest, ".")) != NULL)
        json = json_is_array(json) ? json_array_get(json, (size_t)atoi(part)) : json_object_get(json, part);
    free(copy);
    return json;
}

static void check_path(const char *sample, size_t i, const json_t *record, const char *path,
                       const json_t *wanted) {
    size_t n = strlen(path);
    bool part = n > 0 && path[n - 1] == '~';
    char *plain = xstrndup(path, part ? n - 1 : n);
    const json_t *got = at_path(record, plain);
    bool good = json_is_null(wanted) ? got == NULL
                : part
                    ? json_is_string(got) && strstr(json_string_value(got), json_string_value(wanted)) != NULL
                    : json_equal(got, wanted);

    if (!good) {
        char *dump = got != NULL ? json_dumps(got, JSON_ENCODE_ANY) : xstrdup("nothing");

        fail_msg("%s, record %zu, %s: is %s", sample, i, path, dump);
    }
    free(plain);
}

static void check_sample(const char *sample, const json_t *wanted) {
    struct records r = records_new();
    char *name = xasprintf("whatsapp/%s.json", sample);
    const json_t *fields, *value;
    const char *path;
    json_t *record;
    size_t n, i;
    char *body = sample_read(name, &n);

    assert_int_equal(records_parse(&r, &aduan_connector, NULL, body, n), 0);
    if (r.bad != NULL || r.count != json_array_size(wanted))
        fail_msg("%s: %zu records, %s", sample, r.count, r.bad != NULL ? r.bad : "not as many as expected");
    json_array_foreach(wanted, i, fields) {
        record = aduan_message_to_json(&r.items[i]);
        json_object_foreach((json_t *)(uintptr_t)fields, path, value)
            check_path(sample, i, record, path, value);
        json_decref(record);
    }
    records_clear(&r);
    free(body);
    free(name);
}

static void each_sample_becomes_its_record(void **state) {
    size_t n;
    char *text = sample_read("whatsapp/expected.json", &n);
    json_t *all = json_loadb(text, n, 0, NULL);
    const json_t *wanted;
    const char *sample;

    (void)state;
    assert_int_equal(json_object_size(all), 46); /* every file of the folder */
    json_object_foreach(all, sample, wanted) check_sample(sample, wanted);
    json_decref(all);
    free(text);
}

/* --------------------------------------------------------------------- batches */

static json_t *batch(size_t count, const char *padding) {
    json_t *messages = json_array(), *contacts = json_array(), *value;
    char id[40], from[40], user[40];
    size_t i;

    for (i = 0; i < count; i++) {
        snprintf(id, sizeof(id), "wamid.%zu", i);
        snprintf(from, sizeof(from), "62811%07zu", i);
        snprintf(user, sizeof(user), "ID.%zu", i);
        json_array_append_new(contacts, json_pack("{s:{s:s}, s:s, s:s}", "profile", "name", user, "wa_id", from,
                                                  "user_id", user));
        json_array_append_new(messages,
                              json_pack("{s:s, s:s, s:s, s:s, s:{s:s}}", "from", from, "id", id, "timestamp",
                                        "1789800000", "type", "text", "text", "body", padding));
    }
    value = json_pack("{s:{s:s}, s:o, s:o}", "metadata", "phone_number_id", "1", "contacts", contacts,
                      "messages", messages);
    return json_pack("{s:s, s:[{s:s, s:[{s:s, s:o}]}]}", "object", "whatsapp_business_account", "entry", "id",
                     "9", "changes", "field", "messages", "value", value);
}

static double parse_seconds(size_t count, const char *padding, size_t *ret_n) {
    json_t *json = batch(count, padding);
    char *body = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);
    struct records r = records_new();
    struct timespec a, b;
    char name[40];

    *ret_n = strlen(body);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
    assert_int_equal(records_parse(&r, &aduan_connector, NULL, body, strlen(body)), 0);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    assert_int_equal(r.count, count);
    assert_null(r.bad);
    snprintf(name, sizeof(name), "ID.%zu", count - 1);
    assert_string_equal(r.items[count - 1].sender.name, name);
    records_clear(&r);
    free(body);
    json_decref(json);
    return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

static void a_batch_of_1000_in_3_mb_is_read_fast(void **state) {
    char padding[2800];
    double seconds;
    size_t n;

    (void)state;
    memset(padding, 'a', sizeof(padding) - 1);
    padding[sizeof(padding) - 1] = '\0';
    seconds = parse_seconds(1000, padding, &n);
    assert_in_range(n, 2900000, 3400000);
    print_message("1000 messages, %zu bytes: %.0f ms\n", n, seconds * 1000);
    assert_true(seconds < 2.0); /* sanitized builds included */
}

/* A name of a megabyte that 5000 messages share must not be copied 5000 times. */
static void a_huge_name_is_not_multiplied(void **state) {
    json_t *json = batch(5000, "x"), *value, *first;
    struct records r = records_new();
    char *name = xcalloc(1000001, 1), *body;
    size_t i, total = 0;

    (void)state;
    memset(name, 'n', 1000000);
    value = json_object_get(
        json_array_get(json_object_get(json_array_get(json_object_get(json, "entry"), 0), "changes"), 0),
        "value");
    first = json_array_get(json_object_get(value, "contacts"), 0);
    json_object_set_new(json_object_get(first, "profile"), "name", json_string(name));
    for (i = 0; i < 5000; i++)
        json_object_set(json_array_get(json_object_get(value, "messages"), i), "from",
                        json_object_get(first, "wa_id"));
    json_object_set_new(json_object_get(value, "metadata"), "display_phone_number", json_string(name));
    body = json_dumps(json, JSON_COMPACT);
    assert_int_equal(records_parse(&r, &aduan_connector, NULL, body, strlen(body)), 0);
    for (i = 0; i < r.count; i++)
        total += r.items[i].raw_len;
    assert_int_equal(r.count, 5000);
    assert_true(strlen(r.items[0].sender.name) <= 200);
    assert_true(total < 10u * 1000 * 1000);
    records_clear(&r);
    json_decref(json);
    free(body);
    free(name);
}

static void a_flood_of_elements_is_one_record(void **state) {
    struct text t = TEXT_INIT;
    struct records r = records_new();
    int i;

    (void)state;
    text_add(&t, "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\",\"changes\":[{\"field\":"
                 "\"messages\",\"value\":{\"messages\":[0");
    for (i = 0; i < 100000; i++)
        text_add(&t, ",0");
    text_add(&t, "]}}]}]}");
    assert_true(records_parse(&r, &aduan_connector, NULL, t.s, t.len) < 0); /* the core keeps it whole */
    assert_int_equal(r.count, 0);
    records_clear(&r);
    text_free(&t);
}

/* ---------------------------------------------------------------- bad characters */

static void parse_text_escape(struct records *r, const char *inner) {
    char *body =
        xasprintf("{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\",\"changes\":[{\"field\":"
                  "\"messages\",\"value\":{\"metadata\":{\"phone_number_id\":\"1\"},\"messages\":["
                  "{\"from\":\"62811000\",\"id\":\"wamid.A\",\"type\":\"text\",\"text\":{\"body\":\"baik\"}},"
                  "{\"from\":\"62811001\",\"id\":\"wamid.B\",\"type\":\"text\",\"text\":{\"body\":\"%s\"}}"
                  "]}}]}]}",
                  inner);

    assert_int_equal(records_parse(r, &aduan_connector, NULL, body, strlen(body)), 0);
    assert_null(r->bad);
    assert_int_equal(r->count, 2);
    assert_string_equal(r->items[0].text, "baik");
    free(body);
}

static void half_an_emoji_costs_one_character_not_the_batch(void **state) {
    struct records r = records_new();

    (void)state;
    parse_text_escape(&r, "a\\ud83d b");
    assert_string_equal(r.items[1].text, "a\xEF\xBF\xBD b");
    parse_text_escape(&r, "a\\ude21\\ud83d\\ude21b");
    assert_string_equal(r.items[1].text, "a\xEF\xBF\xBD\xF0\x9F\x98\xA1"
                                         "b");
    parse_text_escape(&r, "back\\\\ud83d");
    assert_string_equal(r.items[1].text, "back\\ud83d");
    records_clear(&r);
}

static void a_nul_and_broken_utf8_are_mended(void **state) {
    struct records r = records_new();

    (void)state;
    parse_text_escape(&r, "a\\u0000b");
    assert_string_equal(r.items[1].text, "ab");
    parse_text_escape(&r, "a\xff"
                          "b");
    assert_string_equal(r.items[1].text, "a\xEF\xBF\xBD"
                                         "b");
    records_clear(&r);
}

/* ------------------------------------------------------------------------- time */

static int64_t sent_at(const char *timestamp) {
    char *body =
        xasprintf("{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\",\"changes\":[{\"field\":"
                  "\"messages\",\"value\":{\"messages\":[{\"from\":\"62811000\",\"id\":\"wamid.A\","
                  "\"timestamp\":%s,\"type\":\"text\",\"text\":{\"body\":\"x\"}}]}}]}]}",
                  timestamp);
    struct records r = records_new();
    int64_t t;

    assert_int_equal(records_parse(&r, &aduan_connector, NULL, body, strlen(body)), 0);
    assert_int_equal(r.count, 1);
    t = r.items[0].sent_at;
    records_clear(&r);
    free(body);
    return t;
}

static void seconds_and_milliseconds_are_told_apart(void **state) {
    (void)state;
    assert_int_equal(sent_at("\"1789800000\""), 1789800000000);
    assert_int_equal(sent_at("\"1789800000123\""), 1789800000123);
    assert_int_equal(sent_at("1789800000"), 1789800000000);
    assert_int_equal(sent_at("\"kemarin\""), 0);
    assert_int_equal(sent_at("\"-5\""), 0);
    assert_int_equal(sent_at("\"99999999999999999\""), 0);
    assert_int_equal(sent_at("null"), 0);
}

static void other_objects_are_refused_whole(void **state) {
    static const char *const bodies[] = { "",
                                          "{",
                                          "[]",
                                          "{}",
                                          "null",
                                          "{\"object\":\"page\",\"entry\":[]}",
                                          "{\"object\":\"whatsapp_business_account\",\"entry\":{}}",
                                          "{\"entry\":[]}" };
    struct records r = records_new();
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        assert_true(records_parse(&r, &aduan_connector, NULL, bodies[i], strlen(bodies[i])) < 0);
        assert_int_equal(r.count, 0);
    }
    records_clear(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sample_becomes_its_record),
        cmocka_unit_test(a_batch_of_1000_in_3_mb_is_read_fast),
        cmocka_unit_test(a_huge_name_is_not_multiplied),
        cmocka_unit_test(a_flood_of_elements_is_one_record),
        cmocka_unit_test(half_an_emoji_costs_one_character_not_the_batch),
        cmocka_unit_test(a_nul_and_broken_utf8_are_mended),
        cmocka_unit_test(seconds_and_milliseconds_are_told_apart),
        cmocka_unit_test(other_objects_are_refused_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
