/* json.c: tolerant loading, and getters that never fail. */
#include "kit/json.h"

#include "kit/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------ load */

/* The value of \uXXXX at p, or -1. */
static int escape_value(const char *p, const char *end) {
    int value = 0, i;

    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    for (i = 2; i < 6; i++) {
        if (!isxdigit((unsigned char)p[i]))
            return -1;
        value = value * 16 + (isdigit((unsigned char)p[i]) ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
    }
    return value;
}

static bool is_high(int v) {
    return v >= 0xD800 && v <= 0xDBFF;
}

static bool is_low(int v) {
    return v >= 0xDC00 && v <= 0xDFFF;
}

/* Replaces each half of a surrogate pair that stands alone by U+FFFD, in place (same length). */
static void mend_surrogates(char *s, size_t n) {
    char *p = s, *end = s + n;
    int value;

    while (p < end) {
        if (*p != '\\') {
            p++;
            continue;
        }
        value = escape_value(p, end);
        if (value < 0) {
            p += end - p >= 2 ? 2 : 1;
        } else if (is_high(value) && is_low(escape_value(p + 6, end))) {
            p += 12;
        } else {
            if (is_high(value) || is_low(value))
                memcpy(p, "\\ufffd", 6);
            p += 6;
        }
    }
}

json_t *js_load(const void *bytes, size_t n) {
    json_t *json = json_loadb(bytes, n, JSON_ALLOW_NUL, NULL);
    char *mended;

    if (json != NULL || n == 0)
        return json;
    mended = text_clean(bytes, n);
    mend_surrogates(mended, strlen(mended));
    json = json_loadb(mended, strlen(mended), JSON_ALLOW_NUL, NULL);
    free(mended);
    return json;
}

/* --------------------------------------------------------------------- getters */

const json_t *js_get(const json_t *object, const char *path) {
    const char *dot;

    while (object != NULL && (dot = strchr(path, '.')) != NULL) {
        object = json_object_getn(object, path, (size_t)(dot - path));
        path = dot + 1;
    }
    return json_object_get(object, path);
}

const char *js_str(const json_t *object, const char *path) {
    return json_string_value(js_get(object, path));
}

int64_t js_int(const json_t *object, const char *path, int64_t otherwise) {
    const json_t *j = js_get(object, path);
    int64_t value = otherwise;

    if (json_is_integer(j))
        return (int64_t)json_integer_value(j);
    if (json_is_string(j))
        text_parse_int(json_string_value(j), INT64_MIN, INT64_MAX, &value);
    return value;
}

bool js_true(const json_t *object, const char *path) {
    return json_is_true(js_get(object, path));
}

char *js_text(const json_t *object, const char *path) {
    const json_t *j = js_get(object, path);

    if (!json_is_string(j))
        return NULL;
    return text_clean(json_string_value(j), json_string_length(j));
}

char *js_line(const json_t *object, const char *path, size_t max) {
    const json_t *j = js_get(object, path);
    char *line;

    if (!json_is_string(j))
        return NULL;
    line = text_clean_line(json_string_value(j), json_string_length(j), max);
    if (line[0] != '\0')
        return line;
    free(line);
    return NULL;
}

char *js_id(const json_t *object, const char *path) {
    const json_t *j = js_get(object, path);

    if (json_is_integer(j))
        return xasprintf("%lld", (long long)json_integer_value(j));
    if (!json_is_string(j) || json_string_length(j) == 0)
        return NULL;
    return text_clean(json_string_value(j), json_string_length(j));
}

/* Deeper than any platform nests; what is below is left out. */
static json_t *copy_to_depth(const json_t *json, int depth) {
    json_t *copy;
    const json_t *item;
    const char *key;
    char *clean;
    size_t i;

    if (json_is_string(json)) {
        clean = text_clean(json_string_value(json), json_string_length(json));
        copy = json_string(clean);
        free(clean);
    } else if (json_is_object(json)) {
        copy = json_object();
        json_object_foreach((json_t *)(uintptr_t)json, key, item) {
            if (depth > 0)
                json_object_set_new_nocheck(copy, key, copy_to_depth(item, depth - 1));
        }
    } else if (json_is_array(json)) {
        copy = json_array();
        json_array_foreach(json, i, item) {
            if (depth > 0)
                json_array_append_new(copy, copy_to_depth(item, depth - 1));
        }
    } else {
        copy = json_copy((json_t *)(uintptr_t)json);
    }
    return copy;
}

json_t *js_copy(const json_t *json) {
    return json != NULL ? copy_to_depth(json, 32) : NULL;
}
