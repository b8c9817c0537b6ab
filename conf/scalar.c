/*
 * scalar.c: one text of a configuration file to one value.
 *
 * Reasons never quote what was written: it might be a secret in the wrong place.
 */
#include "conf/internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit durations[] = {
    { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 }, { NULL, 0 },
};
static const struct unit sizes[] = {
    { "B", 1 }, { "KiB", 1024 }, { "MiB", 1024 * 1024 }, { "GiB", 1024 * 1024 * 1024 }, { NULL, 0 },
};

static int parse_unit(const char *s, const struct unit *units, int64_t *ret) {
    size_t digits = strspn(s, "0123456789");
    char number[20];
    if (digits == 0 || digits >= sizeof number) {
        return -1;
    }
    memcpy(number, s, digits);
    number[digits] = '\0';
    for (const struct unit *u = units; u->name; u++) {
        int64_t n = 0;
        if (strcmp(s + digits, u->name) == 0 && text_parse_int(number, 0, INT64_MAX, &n) == 0 &&
            !__builtin_mul_overflow(n, u->factor, ret)) {
            return 0;
        }
    }
    return -1;
}

int conf_parse_duration(const char *s, int64_t *ret_ms, const char **ret_why) {
    int64_t ms = 0;
    if (parse_unit(s, durations, &ms) != 0) {
        *ret_why = "must be a number with a unit: ms, s, m, h or d, as in \"30s\"";
        return -1;
    }
    *ret_ms = ms;
    return 0;
}

int conf_parse_size(const char *s, int64_t *ret_bytes, const char **ret_why) {
    int64_t bytes = 0;
    if (parse_unit(s, sizes, &bytes) != 0) {
        *ret_why = "must be a number with a unit: B, KiB, MiB or GiB, as in \"25MiB\"";
        return -1;
    }
    *ret_bytes = bytes;
    return 0;
}

/* ------------------------------------------------------------ addresses and URLs */

static bool is_loopback(const char *host) {
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || text_starts(host, "127.");
}

/* "host", "host:port" or "[v6]:port" of n bytes. *ret_port: 0 when there is none. */
static int split_host(const char *s, size_t n, char *host, size_t size, int64_t *ret_port) {
    const char *end = s + n, *stop = end;
    *ret_port = 0;
    if (n > 0 && *s == '[') {
        stop = memchr(s++, ']', n);
    } else if (memchr(s, ':', n)) {
        stop = memchr(s, ':', n);
    }
    if (!stop || stop == s || (size_t)(stop - s) >= size) {
        return -1;
    }
    memcpy(host, s, (size_t)(stop - s));
    host[stop - s] = '\0';
    const char *rest = stop + (stop < end && *stop == ']');
    if (rest == end) {
        return 0;
    }
    char port[8] = "";
    if (*rest != ':' || (size_t)(end - rest) >= sizeof port) {
        return -1;
    }
    memcpy(port, rest + 1, (size_t)(end - rest) - 1);
    return strspn(port, "0123456789") == strlen(port) ? text_parse_int(port, 1, 65535, ret_port) : -1;
}

static bool host_ok(const char *host) {
    return host[0] != '\0' &&
           host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:")] == '\0';
}

int conf_check_listen(const char *s, const char **ret_why) {
    char host[256];
    int64_t port = 0;
    *ret_why = "must be host:port, [address]:port, or unix:/path";
    if (text_starts(s, "unix:")) {
        *ret_why = "must have an absolute path of at most 100 bytes after \"unix:\"";
        return s[5] == '/' && strlen(s + 5) <= 100 ? 0 : -1;
    }
    return split_host(s, strlen(s), host, sizeof host, &port) == 0 && port > 0 && host_ok(host) ? 0 : -1;
}

static int check_scheme(const char *url, const char *const *schemes, char *ret_scheme, size_t size, char *why,
                        size_t why_size) {
    size_t n = strcspn(url, ":");
    struct text list = TEXT_INIT;
    int rc = -1;
    for (size_t i = 0; schemes && schemes[i]; i++) {
        if (strlen(schemes[i]) == n && strncmp(url, schemes[i], n) == 0 && text_starts(url + n, "://") &&
            n < size) {
            memcpy(ret_scheme, url, n);
            ret_scheme[n] = '\0';
            rc = 0;
        }
        text_addf(&list, "%s%s://", i ? ", " : "", schemes[i]);
    }
    if (rc != 0) {
        snprintf(why, why_size, "must start with %s", list.s ? list.s : "a scheme");
    }
    text_free(&list);
    return rc;
}

/* What a plain-text scheme may be used for: on this machine only; smtp also to the submission
 * port, where the host insists on STARTTLS before it sends anything. */
static bool plain_allowed(const char *scheme, const char *host, int64_t port) {
    return is_loopback(host) || (strcmp(scheme, "smtp") == 0 && port == 587);
}

static int check_url(const char *url, const char *const *schemes, char *why, size_t why_size) {
    char scheme[16], host[256];
    int64_t port = 0;
    if (check_scheme(url, schemes, scheme, sizeof scheme, why, why_size) != 0) {
        return -1;
    }
    const char *start = url + strlen(scheme) + 3;
    size_t n = strcspn(start, "/?#");
    if (memchr(start, '@', n)) {
        snprintf(why, why_size, "must not hold a user or a password");
        return -1;
    }
    for (const char *p = url; *p; p++) {
        if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == '\\' || *p == '"') {
            snprintf(why, why_size, "must not hold spaces, quotes or control characters");
            return -1;
        }
    }
    if (split_host(start, n, host, sizeof host, &port) != 0 || !host_ok(host)) {
        snprintf(why, why_size, "has no valid host or port");
        return -1;
    }
    bool plain = !text_ends(scheme, "s");
    if (plain && !plain_allowed(scheme, host, port)) {
        snprintf(why, why_size, "%s:// is not encrypted and only for this machine itself; use %ss://", scheme,
                 scheme);
        return -1;
    }
    return 0;
}

/* ------------------------------------------------------------------ by row type */

static void put_string(void *out, const char *text) {
    char **s = out;
    free(*s);
    *s = xstrdup(text);
}

static int put_string_checked(const struct aduan_setting *row, const char *text, void *out, char *why,
                              size_t size) {
    if ((row->flags & ADUAN_REQUIRED) != 0 && text[0] == '\0') {
        snprintf(why, size, "must not be empty");
        return -1;
    }
    if (row->type == ADUAN_TYPE_URL && text[0] != '\0' && check_url(text, row->choices, why, size) != 0) {
        return -1;
    }
    put_string(out, text);
    return 0;
}

static int put_bool(const struct aduan_setting *row, const char *text, void *out, char *why, size_t size) {
    (void)row;
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
        snprintf(why, size, "must be true or false");
        return -1;
    }
    *(bool *)out = text[0] == 't';
    return 0;
}

/* A range of 0..0 is none. */
static int put_number(const struct aduan_setting *row, int64_t n, void *out, char *why, size_t size) {
    static const struct {
        enum aduan_setting_type type;
        const struct unit *units;
    } named[] = { { ADUAN_TYPE_DURATION, durations }, { ADUAN_TYPE_SIZE, sizes } };
    if ((row->min == 0 && row->max == 0) || (n >= row->min && n <= row->max)) {
        *(int64_t *)out = n;
        return 0;
    }
    struct unit lo = { "", 1 }, hi = { "", 1 };
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        for (const struct unit *u = named[i].units; row->type == named[i].type && u->name; u++) {
            lo = lo.name[0] == '\0' || (row->min != 0 && row->min % u->factor == 0) ? *u : lo;
            hi = row->max % u->factor == 0 ? *u : hi;
        }
    }
    snprintf(why, size, "must be from %lld%s to %lld%s", (long long)(row->min / lo.factor), lo.name,
             (long long)(row->max / hi.factor), hi.name);
    return -1;
}

static int put_int(const struct aduan_setting *row, const char *text, void *out, char *why, size_t size) {
    int64_t n = 0;
    size_t len = strlen(text);
    char digits[24] = "";
    while (len > 0 && text[len - 1] == 'L') { /* libconfig's mark of a 64-bit number */
        len--;
    }
    if (len < sizeof digits) {
        memcpy(digits, text, len);
        digits[len] = '\0';
    }
    if (text_parse_int(digits, INT64_MIN, INT64_MAX, &n) != 0) {
        snprintf(why, size, "must be a whole number in decimal digits%s",
                 len > 18 && strspn(text, "+-0123456789") >= len ? " and is too large for one" : "");
        return -1;
    }
    return put_number(row, n, out, why, size);
}

static int put_unit(const struct aduan_setting *row, const char *text, void *out, char *why, size_t size) {
    int64_t n = 0;
    const char *reason = "";
    int rc = row->type == ADUAN_TYPE_DURATION ? conf_parse_duration(text, &n, &reason)
                                              : conf_parse_size(text, &n, &reason);
    if (rc != 0) {
        snprintf(why, size, "%s", reason);
        return -1;
    }
    return put_number(row, n, out, why, size);
}

static int put_choice(const struct aduan_setting *row, const char *text, void *out, char *why, size_t size) {
    size_t n = 0;
    struct text list = TEXT_INIT;
    for (; row->choices && row->choices[n]; n++) {
        if (strcmp(row->choices[n], text) == 0) {
            *(int *)out = (int)n;
            text_free(&list);
            return 0;
        }
        text_addf(&list, "%s\"%s\"", n ? ", " : "", row->choices[n]);
    }
    const char *near = conf_nearest(text, row->choices, n);
    if (near) {
        snprintf(why, size, "must be one of %s; did you mean \"%s\"?", list.s ? list.s : "nothing", near);
    } else {
        snprintf(why, size, "must be one of %s", list.s ? list.s : "nothing");
    }
    text_free(&list);
    return -1;
}

int conf_scalar(const struct aduan_setting *row, const char *text, void *out, char *why, size_t why_size) {
    static int (*const put[])(const struct aduan_setting *, const char *, void *, char *, size_t) = {
        [ADUAN_TYPE_STRING] = put_string_checked,
        [ADUAN_TYPE_URL] = put_string_checked,
        [ADUAN_TYPE_BOOL] = put_bool,
        [ADUAN_TYPE_INT] = put_int,
        [ADUAN_TYPE_DURATION] = put_unit,
        [ADUAN_TYPE_SIZE] = put_unit,
        [ADUAN_TYPE_CHOICE] = put_choice,
    };
    return put[row->type](row, text, out, why, why_size);
}
