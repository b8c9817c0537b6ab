/*
 * map.c: where a value stands in an answer, and what a value becomes in a request.
 *
 * Reading: "/created_at|/date:fmt(%d-%m-%Y %H:%M:%S)": JSON Pointers (RFC 6901), the first that finds something
 * counts; "*" is every element; then converters, divided by ":" or "|".
 * Writing: "[{ids}]|suffix(\".\")|quote": text with names in braces, then converters.
 */
#include "lapor/lapor.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FOUND_MAX = 10000, DEPTH_MAX = 32, WIB_SECONDS = 7 * 3600 };

/* ------------------------------------------------------------------- pointers */

static char *unescape(const char *s, size_t n) {
    struct text t = TEXT_INIT;
    size_t i;

    for (i = 0; i < n; i++) {
        if (s[i] == '~' && i + 1 < n && (s[i + 1] == '0' || s[i + 1] == '1'))
            text_add_char(&t, s[++i] == '0' ? '~' : '/');
        else
            text_add_char(&t, s[i]);
    }
    return text_steal(&t);
}

static void find(const json_t *json, const char *p, int depth, json_t *found) {
    size_t n = *p == '/' ? strcspn(p + 1, "/") : 0, i;
    const json_t *child;
    const char *key;
    char *name;
    int64_t at;

    if (json == NULL || depth > DEPTH_MAX || json_array_size(found) >= FOUND_MAX)
        return;
    if (*p == '\0') {
        json_array_append(found, (json_t *)(uintptr_t)json);
        return;
    }
    name = unescape(p + 1, n);
    if (strcmp(name, "*") == 0 && json_is_object(json)) {
        json_object_foreach((json_t *)(uintptr_t)json, key, child) find(child, p + 1 + n, depth + 1, found);
    } else if (strcmp(name, "*") == 0) {
        json_array_foreach(json, i, child) find(child, p + 1 + n, depth + 1, found);
    } else if (json_is_object(json)) {
        find(json_object_get(json, name), p + 1 + n, depth + 1, found);
    } else if (text_parse_int(name, 0, INT32_MAX, &at) == 0) {
        find(json_array_get(json, (size_t)at), p + 1 + n, depth + 1, found);
    }
    free(name);
}

json_t *lapor_find(const json_t *json, const char *pointer) {
    json_t *found = json_array();

    find(json, pointer, 0, found);
    return found;
}

/* -------------------------------------------------------------------- tokens */

/* The end of a token: the next mark outside of (), {} and "". */
static const char *token_end(const char *s, const char *marks) {
    bool quoted = false;
    int depth = 0;

    for (; *s != '\0'; s++) {
        if (quoted && *s == '\\' && s[1] != '\0')
            s++;
        else if (*s == '"' && depth > 0)
            quoted = !quoted;
        else if (!quoted && (*s == '(' || *s == '{'))
            depth++;
        else if (!quoted && (*s == ')' || *s == '}') && depth > 0)
            depth--;
        else if (!quoted && depth == 0 && strchr(marks, *s) != NULL)
            break;
    }
    return s;
}

/* ----------------------------------------------------------------- converters */

static char *as_text(const json_t *v) {
    if (json_is_string(v))
        return xstrdup(json_string_value(v));
    if (json_is_integer(v))
        return xasprintf("%lld", (long long)json_integer_value(v));
    if (json_is_boolean(v))
        return xstrdup(json_is_true(v) ? "1" : "0");
    return NULL;
}

static char *to_bool(const char *s, const char *arg) {
    static const char *const yes[] = { "1", "true", "ya", "yes", "y", "on", NULL };
    size_t i;

    (void)arg;
    for (i = 0; yes[i] != NULL; i++)
        if (text_compare_nocase(s, yes[i]) == 0)
            return xstrdup("1");
    return xstrdup("0");
}

static char *to_int(const char *s, const char *arg) {
    int64_t n;

    (void)arg;
    return text_parse_int(s, INT64_MIN, INT64_MAX, &n) == 0 ? xasprintf("%lld", (long long)n) : NULL;
}

/* Without a zone it is WIB. To milliseconds. */
static char *to_ms(const char *s, const char *arg) {
    static const char *const shapes[] = {
        "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%d-%m-%Y", "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%d/%m/%Y %H:%M:%S",
        "%d/%m/%Y %H:%M",    "%d/%m/%Y",       NULL
    };
    const char *const own[] = { arg, NULL };
    const char *const *shape = arg[0] != '\0' ? own : shapes, *end;

    for (; *shape != NULL; shape++) {
        struct tm tm = { 0 };

        end = strptime(s, *shape, &tm);
        if (end == NULL)
            continue;
        if (*end == '.')
            end += 1 + strspn(end + 1, "0123456789");
        if (*end == '\0' || strcmp(end, " WIB") == 0)
            return xasprintf("%lld", ((long long)timegm(&tm) - WIB_SECONDS) * 1000);
        if (strcmp(end, "Z") == 0)
            return xasprintf("%lld", (long long)timegm(&tm) * 1000);
        if (strcmp(end, "+07:00") == 0)
            return xasprintf("%lld", ((long long)timegm(&tm) - WIB_SECONDS) * 1000);
    }
    return NULL;
}

static char *prefix(const char *s, const char *arg) {
    return xasprintf("%s%s", arg, s);
}

static char *suffix(const char *s, const char *arg) {
    return xasprintf("%s%s", s, arg);
}

/* format("Laporan %s"): the first %s is the value. */
static char *format(const char *s, const char *arg) {
    const char *at = strstr(arg, "%s");

    return at == NULL ? xstrdup(arg) : xasprintf("%.*s%s%s", (int)(at - arg), arg, s, at + 2);
}

static char *quote(const char *s, const char *arg) {
    json_t *j = json_string(s);
    char *out = j != NULL ? json_dumps(j, JSON_ENCODE_ANY) : NULL;

    (void)arg;
    json_decref(j);
    return out;
}

/* none("false"): what stands instead of nothing, as it is. */
static char *none(const char *s, const char *arg) {
    return xstrdup(s[0] == '\0' ? arg : s);
}

/* At the end in a JSON request: this text is JSON where it can be read as such (send.c). */
static char *as_it_is(const char *s, const char *arg) {
    (void)arg;
    return xstrdup(s);
}

static char *json_list(const char *s, const char *arg) {
    (void)arg;
    return xasprintf("[%s]", s);
}

/* Lists are "a,b" inside; join("; ") puts something else between. */
static char *join(const char *s, const char *arg) {
    struct text t = TEXT_INIT;

    for (; *s != '\0'; s++) {
        if (*s == ',')
            text_add(&t, arg);
        else
            text_add_char(&t, *s);
    }
    return text_steal(&t);
}

static const struct {
    const char *name;
    char *(*convert)(const char *s, const char *arg);
} converters[] = {
    { "bool", to_bool },  { "int", to_int },           { "date", to_ms }, { "fmt", to_ms },
    { "prefix", prefix }, { "suffix", suffix },        { "join", join },  { "format", format },
    { "quote", quote },   { "json_array", json_list }, { "none", none },  { "json", as_it_is },
};

/* "suffix(\".\")": its row, or -1. *ret_arg new, without quotes. */
static int converter_of(const char *s, size_t n, char **ret_arg) {
    const char *open = memchr(s, '(', n);
    size_t len = open != NULL ? (size_t)(open - s) : n, i, arg_len;

    for (i = 0; i < sizeof(converters) / sizeof(converters[0]); i++) {
        if (strlen(converters[i].name) != len || strncmp(converters[i].name, s, len) != 0)
            continue;
        if (open == NULL) {
            *ret_arg = xstrdup("");
            return (int)i;
        }
        if (s[n - 1] != ')')
            return -1;
        arg_len = (size_t)(s + n - 1 - (open + 1));
        open++;
        if (arg_len >= 2 && open[0] == '"' && open[arg_len - 1] == '"') {
            open++;
            arg_len -= 2;
        }
        *ret_arg = xstrndup(open, arg_len);
        return (int)i;
    }
    return -1;
}

/* Takes value; NULL stays NULL. */
static char *convert_all(char *value, const char *s) {
    while (*s != '\0' && value != NULL) {
        const char *start = s + 1, *end = token_end(start, "|:");
        char *arg = NULL, *next;
        int which = converter_of(start, (size_t)(end - start), &arg);

        next = which >= 0 ? converters[which].convert(value, arg) : NULL;
        s = which >= 0 && converters[which].convert == none && value[0] == '\0' ? "" : end;
        free(arg);
        free(value);
        value = next;
    }
    return value;
}

/* -------------------------------------------------------------------- reading */

static char *all_of(const json_t *found) {
    struct text t = TEXT_INIT;
    const json_t *v;
    size_t i;

    json_array_foreach(found, i, v) {
        char *s = as_text(v);

        if (s != NULL)
            text_addf(&t, "%s%s", t.len > 0 ? "," : "", s);
        free(s);
    }
    if (t.len > 0)
        return text_steal(&t);
    text_free(&t);
    return NULL;
}

char *lapor_value(const json_t *json, const char *expression) {
    const char *s = expression, *end;
    char *value = NULL;

    while (*s == '/') {
        end = token_end(s, "|:");
        if (value == NULL) {
            char *pointer = xstrndup(s, (size_t)(end - s));
            json_t *found = lapor_find(json, pointer);

            value = all_of(found);
            json_decref(found);
            free(pointer);
        }
        s = *end == '|' && end[1] == '/' ? end + 1 : end;
    }
    return convert_all(value, s);
}

const json_t *lapor_node(const json_t *json, const char *expression) {
    const json_t *node = NULL;
    const char *s = expression, *end;

    while (*s == '/' && node == NULL) {
        char *pointer;
        json_t *found;

        end = token_end(s, "|:");
        pointer = xstrndup(s, (size_t)(end - s));
        found = lapor_find(json, pointer);
        node = json_array_get(found, 0); /* json holds it */
        json_decref(found);
        free(pointer);
        s = *end == '|' ? end + 1 : end;
    }
    return expression[0] == '\0' ? json : node;
}

/* -------------------------------------------------------------------- writing */

/* One name in braces; "secret:0|1" is the first or the second word by the value's truth. */
static int add_name(struct text *t, const char *s, size_t n, const json_t *values, char **ret_missing) {
    const char *colon = memchr(s, ':', n),
               *bar = colon != NULL ? memchr(colon, '|', n - (size_t)(colon - s)) : NULL;
    char *name = xstrndup(s, colon != NULL ? (size_t)(colon - s) : n);
    char *value = as_text(json_object_get(values, name));

    if (value == NULL) {
        if (ret_missing != NULL && *ret_missing == NULL)
            *ret_missing = xstrdup(name);
        free(name);
        return -1;
    }
    if (bar == NULL)
        text_add(t, value);
    else if (strcmp(value, "0") == 0 || value[0] == '\0')
        text_add_n(t, colon + 1, (size_t)(bar - colon - 1));
    else
        text_add_n(t, bar + 1, (size_t)(s + n - bar - 1));
    free(value);
    free(name);
    return 0;
}

char *lapor_fill(const char *pattern, const json_t *values, char **ret_missing) {
    const char *end = token_end(pattern, "|"), *s, *close;
    struct text t = TEXT_INIT;
    int r = 0;

    for (s = pattern; s < end; s++) {
        close = *s == '{' ? memchr(s, '}', (size_t)(end - s)) : NULL;
        if (close == NULL) {
            text_add_char(&t, *s);
            continue;
        }
        r |= add_name(&t, s + 1, (size_t)(close - s - 1), values, ret_missing);
        s = close;
    }
    if (r != 0) {
        text_free(&t);
        return NULL;
    }
    return convert_all(text_steal(&t), end);
}

/* -------------------------------------------------------------------- checking */

static const char *converters_fault(const char *s) {
    while (*s != '\0') {
        const char *start = s + 1, *end = token_end(start, "|:");
        char *arg = NULL;
        int which = converter_of(start, (size_t)(end - start), &arg);

        free(arg);
        if (which < 0)
            return "pengubah tidak dikenal / unknown converter; there are: bool, int, date, fmt(…), format(…), "
                   "prefix(…), suffix(…), join(…), json_array, quote, none(…), json";
        s = end;
    }
    return NULL;
}

const char *lapor_expression_fault(const char *expression) {
    const char *s = expression, *end;

    if (*s != '/')
        return "harus dimulai dengan \"/\" (JSON Pointer) / must start with \"/\"";
    while (*s == '/') {
        end = token_end(s, "|:");
        s = *end == '|' && end[1] == '/' ? end + 1 : end;
    }
    return converters_fault(s);
}

static bool among(const char *const *names, const char *s, size_t n) {
    for (; *names != NULL; names++)
        if (strlen(*names) == n && strncmp(*names, s, n) == 0)
            return true;
    return false;
}

const char *lapor_pattern_fault(const char *pattern, const char *const *names) {
    const char *end = token_end(pattern, "|"), *s;

    for (s = pattern; s < end; s++) {
        const char *close = *s == '{' ? memchr(s, '}', (size_t)(end - s)) : NULL;

        if (close == NULL)
            continue;
        if (!among(names, s + 1, strcspn(s + 1, ":}")))
            return "nama dalam {} tidak dikenal / an unknown name in {}";
        s = close;
    }
    return converters_fault(end);
}
