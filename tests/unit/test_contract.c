/*
 * What every connector must be, whatever its platform: built once for each module.
 *
 * The module says nothing of itself that is not so, parses anything without harm and always the
 * same, refuses what nobody signed, and gives each record bytes that make the same record again.
 * Its samples are the files of tests/platforms/SAMPLES (a compile definition; without it, only
 * those at the end of this file).
 */
#include "connector.h"
#include "records.h"

#include "kit/text.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

extern const struct aduan_connector aduan_connector;
#define C (&aduan_connector)

/* ------------------------------------------------------------ head and capabilities */

static void the_head_is_of_this_abi(void **state) {
    (void)state;
    assert_int_equal(C->abi_major, ADUAN_ABI_MAJOR);
    assert_int_equal(C->abi_minor, ADUAN_ABI_MINOR);
    assert_int_equal(C->size, sizeof(struct aduan_connector));
    assert_string_equal(C->type, CONNECTOR_TYPE);
    assert_true(C->channel != NULL && C->channel[0] != '\0');
    assert_true(C->summary != NULL && text_is_utf8(C->summary, strlen(C->summary)));
    assert_null(strchr(C->summary, '\n'));
}

static bool has(uint32_t capability) {
    return (C->capabilities & capability) != 0;
}

static void each_capability_has_its_function(void **state) {
    (void)state;
    assert_int_equal(has(ADUAN_CAP_PULL), C->pull != NULL);
    assert_int_equal(has(ADUAN_CAP_PULL), C->commit != NULL);
    assert_int_equal(has(ADUAN_CAP_PUSH), C->verify != NULL);
    assert_int_equal(has(ADUAN_CAP_SEND), C->send != NULL);
    assert_int_equal(has(ADUAN_CAP_MEDIA), C->fetch != NULL);
    assert_int_equal(has(ADUAN_CAP_FIND), C->find != NULL);
    assert_int_equal(has(ADUAN_CAP_ATTACH), C->traits.attachment_max > 0);
    assert_int_equal(has(ADUAN_CAP_TEMPLATE), C->has_template != NULL);
    if (has(ADUAN_CAP_PULL) || has(ADUAN_CAP_PUSH))
        assert_non_null(C->parse);
    if (has(ADUAN_CAP_PULL) || has(ADUAN_CAP_SEND) || has(ADUAN_CAP_MEDIA))
        assert_true(C->open != NULL && C->close != NULL && C->probe != NULL);
    assert_true(C->capabilities != 0 && C->capabilities < ADUAN_CAP_BY_HAND * 2);
    assert_true(C->traits.window_ms >= 0 && C->traits.text_max >= 0 && C->traits.per_second >= 0);
    if (C->close != NULL)
        assert_null(C->close(NULL));
}

static void the_selftest_passes(void **state) {
    char why[200] = "";

    (void)state;
    assert_non_null(C->selftest);
    if (C->selftest(why, sizeof(why)) != 0)
        fail_msg("%s", why);
}

/* ------------------------------------------------------------------- settings */

static const size_t member_size[] = {
    [ADUAN_TYPE_STRING] = sizeof(char *),
    [ADUAN_TYPE_BOOL] = sizeof(bool),
    [ADUAN_TYPE_INT] = sizeof(int64_t),
    [ADUAN_TYPE_DURATION] = sizeof(int64_t),
    [ADUAN_TYPE_SIZE] = sizeof(int64_t),
    [ADUAN_TYPE_CHOICE] = sizeof(int),
    [ADUAN_TYPE_URL] = sizeof(char *),
    [ADUAN_TYPE_SECRET] = sizeof(struct aduan_secret),
    [ADUAN_TYPE_SECRETS] = sizeof(struct aduan_secrets),
    [ADUAN_TYPE_STRINGS] = sizeof(struct aduan_strings),
    [ADUAN_TYPE_FILE] = sizeof(char *),
    [ADUAN_TYPE_GROUP] = 1,
};

static bool is_choice(const struct aduan_setting *s) {
    size_t i;

    for (i = 0; s->choices[i] != NULL; i++)
        if (strcmp(s->choices[i], s->def) == 0)
            return true;
    return s->def == NULL;
}

static int64_t with_unit(const char *s) {
    static const struct {
        const char *unit;
        int64_t factor;
    } units[] = { { "ms", 1 },       { "s", 1000 },      { "m", 60000 },     { "h", 3600000 },
                  { "d", 86400000 }, { "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 },
                  { "B", 1 },        { "", 1 } };
    char *end;
    long long v = strtoll(s, &end, 10);
    size_t i;

    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(end, units[i].unit) == 0)
            return v * units[i].factor;
    fail_msg("\"%s\" has no unit that is known", s);
    return 0;
}

static void check_default(const struct aduan_setting *s) {
    int64_t v;

    if (s->type == ADUAN_TYPE_CHOICE)
        assert_true(s->choices != NULL && is_choice(s));
    if (s->type == ADUAN_TYPE_URL)
        assert_non_null(s->choices);
    if (s->type == ADUAN_TYPE_BOOL && s->def != NULL)
        assert_true(strcmp(s->def, "true") == 0 || strcmp(s->def, "false") == 0);
    if ((s->type == ADUAN_TYPE_SECRET || s->type == ADUAN_TYPE_SECRETS)) {
        assert_null(s->def);
        assert_true((s->flags & (ADUAN_FOR_RECEIVE | ADUAN_FOR_SEND | ADUAN_FOR_GATEWAY)) != 0);
        /* a send token never reaches the gateway; but one secret of X's is two things (docs/threat-model.md) */
        if (strcmp(C->type, "x") != 0 || strcmp(s->key, "consumer_secret") != 0)
            assert_false((s->flags & ADUAN_FOR_GATEWAY) && (s->flags & ADUAN_FOR_SEND));
    }
    if (s->type == ADUAN_TYPE_INT || s->type == ADUAN_TYPE_DURATION || s->type == ADUAN_TYPE_SIZE) {
        assert_true(s->min <= s->max && s->max > 0);
        v = s->def != NULL ? with_unit(s->def) : 0;
        if (!(s->flags & ADUAN_REQUIRED))
            assert_in_range(v, s->min, s->max);
    }
}

/* Own keys of aduan.conf, which no connector may take. */
static const char *const common[] = { "name", "type", "enabled", "uncertain", "tls_ca" };

static void check_table(const struct aduan_setting *table, size_t size, int depth) {
    const struct aduan_setting *s, *t;
    size_t i;

    assert_true(depth < 3);
    for (s = table; s->key != NULL; s++) {
        assert_true(s->type >= ADUAN_TYPE_STRING && s->type <= ADUAN_TYPE_GROUP);
        assert_true(s->offset + member_size[s->type] <= size || depth > 0);
        assert_int_equal(strspn(s->key, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(s->key));
        if (s->help == NULL || strstr(s->help, " / ") == NULL)
            fail_msg("%s: help is Indonesian, then English after \" / \"", s->key);
        for (t = table; t != s; t++)
            assert_string_not_equal(t->key, s->key);
        for (i = 0; depth == 0 && i < sizeof(common) / sizeof(common[0]); i++)
            assert_string_not_equal(common[i], s->key);
        check_default(s);
        assert_true((s->flags & ADUAN_OR_FIRST) == 0 || s->type == ADUAN_TYPE_GROUP);
        if (s->type == ADUAN_TYPE_GROUP) {
            assert_non_null(s->sub);
            check_table(s->sub, size, depth + 1);
        }
    }
}

static void the_settings_table_is_sound(void **state) {
    (void)state;
    if (C->settings != NULL)
        check_table(C->settings, C->settings_size, 0);
}

/* What conf/ gives when nothing is configured: empty strings, no secrets. */
static void *empty_settings(const struct aduan_setting *table, char *base) {
    const struct aduan_setting *s;

    for (s = table; s->key != NULL; s++) {
        if (s->type == ADUAN_TYPE_STRING || s->type == ADUAN_TYPE_URL)
            *(const char **)(void *)(base + s->offset) = s->def != NULL ? s->def : "";
        if (s->type == ADUAN_TYPE_GROUP)
            empty_settings(s->sub, base + s->offset);
    }
    return base;
}

static void *new_settings(void) {
    return empty_settings(C->settings, xcalloc(C->settings_size, 1));
}

static void no_fault(void *arg, const char *key, const char *reason) {
    (void)arg;
    assert_true(key != NULL && key[0] != '\0' && reason != NULL && reason[0] != '\0');
}

static void functions_over_settings_take_empty_ones(void **state) {
    void *settings = new_settings();

    (void)state;
    if (C->check != NULL)
        C->check(settings, no_fault, NULL);
    if (C->address != NULL)
        assert_non_null(C->address(settings));
    if (C->has_template != NULL)
        assert_false(C->has_template(settings));
    free(settings);
}

/* --------------------------------------------------------------------- verify */

static void refuse(const struct aduan_hook_request *req) {
    struct aduan_hook_answer answer = { 0 };
    void *settings = new_settings();

    assert_int_equal(C->verify(settings, req, &answer), ADUAN_HOOK_ANSWER);
    assert_in_range(answer.status, 400, 499);
    assert_int_equal(answer.body_len, 0);
    free(settings);
}

/* Without secrets in the configuration nothing at all may be believed. */
static void nothing_unsigned_is_believed(void **state) {
    static const char *const names[] = { "x-hub-signature-256", "x-loop-signature",
                                         "x-twitter-webhooks-signature" };
    static const char *const values[] = {
        "sha256=",
        "sha256=00",
        "sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad",
        "sha256=0000000000000000000000000000000000000000000000000000000000000000",
        "",
        "sha1=00"
    };
    static const char *const queries[] = { "", "hub.mode=subscribe&hub.challenge=1&hub.verify_token=",
                                           "crc_token=a" };
    struct aduan_header header;
    struct aduan_hook_request req = { .method = "POST", .query = "", .body = "", .headers = &header };
    size_t i, j;

    (void)state;
    if (C->verify == NULL)
        return;
    refuse(&req);
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
            header = (struct aduan_header){ names[i], values[j] };
            req.header_count = 1;
            refuse(&req);
        }
    }
    req = (struct aduan_hook_request){ .method = "GET", .query = "", .body = "" };
    for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        req.query = queries[i];
        refuse(&req);
    }
}

/* ---------------------------------------------------------------------- parse */

struct sample {
    char *bytes;
    size_t n;
    char name[256];
};

static struct sample samples[200];
static size_t sample_count;

static void add_sample(const char *name, char *bytes, size_t n) {
    assert_true(sample_count < sizeof(samples) / sizeof(samples[0]));
    samples[sample_count].bytes = bytes;
    samples[sample_count].n = n;
    snprintf(samples[sample_count].name, sizeof(samples[sample_count].name), "%s", name);
    sample_count++;
}

static const char *const plain_samples[] = {
    "{\"id\":\"1\",\"from\":\"siti\",\"name\":\"Siti\",\"text\":\"Paspor saya?\",\"sent_at\":1789800000000,"
    "\"attachments\":[{\"name\":\"a.txt\",\"text\":\"isi\"},{\"name\":\"../b\",\"source\":\"b.jpg\"}]}",
    "[{\"id\":\"1\",\"text\":\"a\",\"from\":\"x\"},{\"id\":\"2\",\"from\":\"y\",\"kind\":\"reaction\",\"reply_"
    "to\":\"1\"},"
    "{\"id\":\"3\",\"kind\":\"status\",\"status\":{\"state\":\"read\",\"answer\":\"o1\"}},7,{\"kind\":\"apa\"}"
    "]",
    "teks biasa, satu pesan",
};

static int load_samples(void **state) {
    size_t i, n;

    (void)state;
#ifdef SAMPLES
    char *directory = xasprintf("%s/tests/platforms/%s", SOURCE_DIR, SAMPLES), *path;
    struct dirent **entries;
    int k, count = scandir(directory, &entries, NULL, alphasort);

    for (k = 0; k < count; k++) {
        if (entries[k]->d_name[0] != '.' && !text_starts(entries[k]->d_name, "INDEX") &&
            !text_starts(entries[k]->d_name, "expected")) {
            path = xasprintf("%s/%s", SAMPLES, entries[k]->d_name);
            char *bytes = sample_read(path, &n);

            add_sample(entries[k]->d_name, bytes, n);
            free(path);
        }
        free(entries[k]);
    }
    if (count >= 0)
        free(entries);
    free(directory);
#else
    for (i = 0; i < sizeof(plain_samples) / sizeof(plain_samples[0]); i++) {
        n = strlen(plain_samples[i]);
        add_sample("plain", xstrdup(plain_samples[i]), n);
    }
#endif
    (void)i;
    (void)plain_samples;
    return sample_count > 0 ? 0 : -1;
}

static int free_samples(void **state) {
    (void)state;
    while (sample_count > 0)
        free(samples[--sample_count].bytes);
    return 0;
}

/* Bytes that are all from outside: a copy of exactly n, so that one too far is found. */
static int parse_copy(struct records *r, const void *settings, const char *bytes, size_t n) {
    char *copy = malloc(n > 0 ? n : 1);
    int rc;

    memcpy(copy, bytes, n);
    rc = records_parse(r, C, settings, copy, n);
    free(copy);
    if (r->bad != NULL)
        fail_msg("after %zu bytes: %s", n, r->bad);
    return rc;
}

static json_t *record_json(const struct aduan_message *m) {
    return aduan_message_to_json(m);
}

static void samples_give_valid_records(void **state) {
    struct records r = records_new();
    void *settings = new_settings();
    size_t i;

    (void)state;
    for (i = 0; i < sample_count; i++) {
        assert_int_equal(parse_copy(&r, settings, samples[i].bytes, samples[i].n), 0);
        if (r.count == 0)
            fail_msg("%s: no record", samples[i].name);
    }
    records_clear(&r);
    free(settings);
}

static void every_prefix_is_survived(void **state) {
    struct records r = records_new();
    void *settings = new_settings();
    size_t i, n;

    (void)state;
    for (i = 0; i < sample_count; i++)
        for (n = 0; n < samples[i].n; n += samples[i].n / 2000 + 1)
            parse_copy(&r, settings, samples[i].bytes, n);
    records_clear(&r);
    free(settings);
}

/* Each byte in turn: another value, a quote, a NUL, a bracket, a high bit. */
static void every_changed_byte_is_survived(void **state) {
    static const char changes[] = { '"', '\0', '{', ']', '9', '\\', (char)0xff };
    struct records r = records_new();
    void *settings = new_settings();
    size_t i, at, k;
    char kept;

    (void)state;
    for (i = 0; i < sample_count; i++) {
        for (at = 0; at < samples[i].n; at++) {
            kept = samples[i].bytes[at];
            for (k = 0; k < sizeof(changes); k++) {
                if ((at + k) % (samples[i].n / 300 + 1) != 0)
                    continue; /* long samples by a part of their bytes: the suite must stay quick */
                samples[i].bytes[at] = changes[k];
                parse_copy(&r, settings, samples[i].bytes, samples[i].n);
            }
            samples[i].bytes[at] = kept;
        }
    }
    records_clear(&r);
    free(settings);
}

static void the_same_bytes_give_the_same_records(void **state) {
    struct records a = records_new(), b = records_new();
    void *settings = new_settings();
    size_t i, k;

    (void)state;
    for (i = 0; i < sample_count; i++) {
        parse_copy(&a, settings, samples[i].bytes, samples[i].n);
        parse_copy(&b, settings, samples[i].bytes, samples[i].n);
        assert_int_equal(a.count, b.count);
        for (k = 0; k < a.count; k++) {
            json_t *one = record_json(&a.items[k]), *two = record_json(&b.items[k]);

            assert_true(json_equal(one, two));
            json_decref(one);
            json_decref(two);
        }
    }
    records_clear(&a);
    records_clear(&b);
    free(settings);
}

static void ids_within_a_body_differ(void **state) {
    struct records r = records_new();
    void *settings = new_settings();
    size_t i, k, j;

    (void)state;
    for (i = 0; i < sample_count; i++) {
        parse_copy(&r, settings, samples[i].bytes, samples[i].n);
        for (k = 0; k < r.count; k++)
            for (j = 0; j < k; j++)
                assert_string_not_equal(r.items[k].platform_id, r.items[j].platform_id);
    }
    records_clear(&r);
    free(settings);
}

/* A record's own raw is what a replay parses: it must give this record, alone. */
static void raw_of_a_record_gives_it_again(void **state) {
    struct records r = records_new(), again = records_new();
    void *settings = new_settings();
    size_t i, k;

    (void)state;
    for (i = 0; i < sample_count; i++) {
        parse_copy(&r, settings, samples[i].bytes, samples[i].n);
        for (k = 0; k < r.count; k++) {
            json_t *one, *two;

            if (r.items[k].raw == NULL) {
                assert_int_equal(r.count, 1); /* then all bytes are its raw */
                continue;
            }
            parse_copy(&again, settings, (char *)r.items[k].raw, r.items[k].raw_len);
            if (again.count != 1)
                fail_msg("%s, record %zu: its raw gives %zu", samples[i].name, k, again.count);
            one = record_json(&r.items[k]);
            two = record_json(&again.items[0]);
            if (!json_equal(one, two))
                fail_msg("%s, record %zu: %s became %s", samples[i].name, k, json_dumps(one, 0),
                         json_dumps(two, 0));
            json_decref(one);
            json_decref(two);
        }
    }
    records_clear(&r);
    records_clear(&again);
    free(settings);
}

/* ------------------------------------------------------------------- big inputs */

static double seconds_for(const void *settings, const char *bytes, size_t n) {
    struct records r = records_new();
    struct timespec a, b;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
    records_parse(&r, C, settings, bytes, n);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    records_clear(&r);
    return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

/* 16 times the bytes may take 16 times as long, not 256 times. */
static void check_growth(const char *what, const void *settings, const char *head, const char *unit,
                         const char *tail) {
    double small, large;
    size_t n = strlen(unit), want, k;
    struct text t[2] = { TEXT_INIT, TEXT_INIT };

    for (k = 0; k < 2; k++) {
        want = k == 0 ? 60000 : 960000;
        text_add(&t[k], head);
        while (t[k].len + n < want)
            text_add(&t[k], unit);
        text_add(&t[k], tail);
    }
    small = seconds_for(settings, t[0].s, t[0].len);
    large = seconds_for(settings, t[1].s, t[1].len);
    if (large > 16 * 4 * small + 0.5)
        fail_msg("%s: %.0f ms for 60 kB, %.0f ms for 960 kB", what, small * 1000, large * 1000);
    text_free(&t[0]);
    text_free(&t[1]);
}

static void big_inputs_take_time_in_proportion(void **state) {
    static const char *const units[] = { "a",
                                         "(",
                                         "[",
                                         "{\"a\":",
                                         "\"",
                                         "\\",
                                         "\n",
                                         "a:b\n",
                                         "{\"entry\":[",
                                         "\xf0",
                                         "Content-Type: multipart/mixed; boundary=x\n\n--x\n",
                                         "0,",
                                         "=?utf-8?q?a?= " };
    void *settings = new_settings();
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        check_growth(units[i], settings, "", units[i], "");
    check_growth("messages", settings,
                 "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\",\"changes\":[{\"field\":"
                 "\"messages\","
                 "\"value\":{\"messages\":[0",
                 ",{\"id\":\"w\",\"from\":\"1\",\"type\":\"text\",\"text\":{\"body\":\"x\"}}", "]}}]}]}");
    check_growth("a long text", settings, "{\"id\":\"1\",\"text\":\"", "\\ud83d kata \\u0000", "\"}");
    check_growth("a list", settings, "[0", ",{\"id\":\"1\"}", "]");
    free(settings);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_is_of_this_abi),
        cmocka_unit_test(each_capability_has_its_function),
        cmocka_unit_test(the_selftest_passes),
        cmocka_unit_test(the_settings_table_is_sound),
        cmocka_unit_test(functions_over_settings_take_empty_ones),
        cmocka_unit_test(nothing_unsigned_is_believed),
        cmocka_unit_test(samples_give_valid_records),
        cmocka_unit_test(every_prefix_is_survived),
        cmocka_unit_test(every_changed_byte_is_survived),
        cmocka_unit_test(the_same_bytes_give_the_same_records),
        cmocka_unit_test(ids_within_a_body_differ),
        cmocka_unit_test(raw_of_a_record_gives_it_again),
        cmocka_unit_test(big_inputs_take_time_in_proportion),
    };

    return cmocka_run_group_tests(tests, load_samples, free_samples);
}
