/* expected.c: sample bodies against the records they should become. */
#include "expected.h"

#include "kit/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* "a.0.b" in a record's JSON. */
static const json_t *at_path(const json_t *json, const char *path) {
    char *copy = xstrdup(path), *part, *rest = copy;

    while (json != NULL && (part = strsep(&rest, ".")) != NULL)
        json = json_is_array(json) ? json_array_get(json, (size_t)atoi(part)) : json_object_get(json, part);
    free(copy);
    return json;
}

static bool is_as_wanted(const json_t *got, const json_t *wanted, bool part) {
    if (json_is_null(wanted))
        return got == NULL;
    if (part)
        return json_is_string(got) && strstr(json_string_value(got), json_string_value(wanted)) != NULL;
    return json_equal(got, wanted);
}

static void check_path(const char *sample, size_t i, const json_t *record, const char *path,
                       const json_t *wanted) {
    size_t n = strlen(path);
    bool part = n > 0 && path[n - 1] == '~';
    char *plain = xstrndup(path, part ? n - 1 : n);
    const json_t *got = at_path(record, plain);

    if (!is_as_wanted(got, wanted, part)) {
        char *dump = got != NULL ? json_dumps(got, JSON_ENCODE_ANY) : xstrdup("nothing");

        fail_msg("%s, record %zu, %s: is %s", sample, i, path, dump);
    }
    free(plain);
}

static void check_sample(const struct aduan_connector *c, const void *settings, const char *folder,
                         const char *sample, const json_t *wanted) {
    struct records r = records_new();
    char *name = xasprintf("%s/%s%s", folder, sample, strchr(sample, '.') != NULL ? "" : ".json");
    const json_t *fields, *value;
    const char *path;
    json_t *record;
    size_t n, i;
    char *body = sample_read(name, &n);

    assert_int_equal(records_parse(&r, c, settings, body, n), 0);
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

void expected_check(const struct aduan_connector *c, const void *settings, const char *folder, size_t count) {
    size_t n;
    char *name = xasprintf("%s/expected.json", folder), *text = sample_read(name, &n);
    json_t *all = json_loadb(text, n, 0, NULL);
    const json_t *wanted;
    const char *sample;

    assert_int_equal(json_object_size(all), count);
    json_object_foreach(all, sample, wanted) check_sample(c, settings, folder, sample, wanted);
    json_decref(all);
    free(text);
    free(name);
}
