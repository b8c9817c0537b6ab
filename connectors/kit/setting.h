/*
 * setting.h: the settings of an account or a part of the daemon, as a table.
 *
 * A table row names a key, the place in a C struct it fills, its default, its
 * range and its help text. Reading configuration is then one function over a
 * table (conf/), the manual is printed from the same table, and a row whose
 * type differs from the struct member's does not compile.
 *
 * Units: durations are int64_t milliseconds ("30s", "5m", "2h", "7d" in the
 * file); sizes are int64_t bytes ("25MiB"). Strings are never NULL after
 * reading: an absent optional string is "". A secret is written as "@name" in
 * the file; what arrives here is the secret itself, and only in the one worker
 * that needs it (role below). Whoever fills the struct (conf/) owns and wipes
 * everything in it.
 */
#ifndef ADUAN_SETTING_H
#define ADUAN_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A secret has a type of its own so that no printf("%s") takes it by mistake. */
struct aduan_secret {
    char *bytes; /* NUL-terminated, len without the NUL; NULL when absent */
    size_t len;
};

/* Several secrets that are valid at once (an app secret while rotating). */
struct aduan_secrets {
    struct aduan_secret *items;
    size_t count;
};

struct aduan_strings {
    char **items;
    size_t count;
};

enum aduan_setting_type {
    ADUAN_TYPE_STRING = 1, /* char * */
    ADUAN_TYPE_BOOL,       /* bool */
    ADUAN_TYPE_INT,        /* int64_t, min..max */
    ADUAN_TYPE_DURATION,   /* int64_t milliseconds, min..max */
    ADUAN_TYPE_SIZE,       /* int64_t bytes, min..max */
    ADUAN_TYPE_CHOICE,     /* int, index into choices */
    ADUAN_TYPE_URL,        /* char *, scheme one of choices; plain-text schemes loopback only */
    ADUAN_TYPE_SECRET,     /* struct aduan_secret */
    ADUAN_TYPE_SECRETS,    /* struct aduan_secrets: one "@a" or a list ("@a", "@b") */
    ADUAN_TYPE_STRINGS,    /* struct aduan_strings: one string or a list */
    ADUAN_TYPE_FILE,       /* char *: the content of the file that is named, UTF-8 text of at most max bytes; no
                              secrets in it, for it goes to every worker of its account */
    ADUAN_TYPE_GROUP,      /* a nested { … }: sub is its table, offset its struct */
};

/* What else holds of a key; for a secret, which worker is handed it. A secret with no role bit for a worker is
 * absent (bytes == NULL) there. */
enum aduan_setting_flags {
    ADUAN_REQUIRED = 1u << 0,    /* the key must be present and not empty */
    ADUAN_FOR_RECEIVE = 1u << 1, /* secret: `receive ACCOUNT` */
    ADUAN_FOR_SEND = 1u << 2,    /* secret: `send ACCOUNT` */
    ADUAN_FOR_GATEWAY = 1u << 3, /* secret: `gateway` (signature and handshake secrets only) */
    ADUAN_OR_FIRST = 1u << 4, /* group: a plain value stands for the group's first key, the rest by default */
};

struct aduan_setting {
    const char *key;
    enum aduan_setting_type type;
    size_t offset;
    const char *def; /* as it would stand in the file; NULL: "" / 0 / false */
    int64_t min, max;
    const char *const *choices; /* NULL-terminated; CHOICE names or URL schemes */
    const struct aduan_setting *sub;
    unsigned flags;
    const char *help; /* one sentence, Indonesian then English divided by " / " */
};

/* offsetof() that refuses to compile unless the member has the given type. */
#define ADUAN_OFFSET(strct, member, type_)                                                                     \
    (offsetof(strct, member) +                                                                                 \
     0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((strct *)0)->member), type_) ? 1 : -1]))

#define ADUAN_SET_STRING(k, s, m, def_, flags_, help_)                                                         \
    {                                                                                                          \
        .key = (k), .type = ADUAN_TYPE_STRING, .offset = ADUAN_OFFSET(s, m, char *), .def = (def_),            \
        .flags = (flags_), .help = (help_)                                                                     \
    }
#define ADUAN_SET_BOOL(k, s, m, def_, help_)                                                                   \
    { .key = (k), .type = ADUAN_TYPE_BOOL, .offset = ADUAN_OFFSET(s, m, bool), .def = (def_), .help = (help_) }
#define ADUAN_SET_INT(k, s, m, def_, min_, max_, help_)                                                        \
    {                                                                                                          \
        .key = (k), .type = ADUAN_TYPE_INT, .offset = ADUAN_OFFSET(s, m, int64_t), .def = (def_),              \
        .min = (min_), .max = (max_), .help = (help_)                                                          \
    }
#define ADUAN_SET_DURATION(k, s, m, def_, min_ms, max_ms, help_)                                               \
    {                                                                                                          \
        .key = (k), .type = ADUAN_TYPE_DURATION, .offset = ADUAN_OFFSET(s, m, int64_t), .def = (def_),         \
        .min = (min_ms), .max = (max_ms), .help = (help_)                                                      \
    }
#define ADUAN_SET_SIZE(k, s, m, def_, min_, max_, help_)                                                       \
    {                                                                                                          \
        .key = (k), .type = ADUAN_TYPE_SIZE, .offset = ADUAN_OFFSET(s, m, int64_t), .def = (def_),             \
        .min = (min_), .max = (max_), .help = (help_)                                                          \
    }
#define ADUAN_SET_CHOICE(k, s, m, def_, choices_, help_)                                                       \
    {                                                                                                          \
        .key = (k), .type = ADUAN_TYPE_CHOICE, .offset = ADUAN_OFFSET(s, m, int), .def = (def_),               \
        .choices = (choices_), .help = (help_)                                                                 \
    }
#define ADUAN_SET_URL(k, s, m, def_, schemes_, flags_, help_)                                                  \
    {                                                                                                          \
        .key = (k), .type = ADUAN_TYPE_URL, .offset = ADUAN_OFFSET(s, m, char *), .def = (def_),               \
        .choices = (schemes_), .flags = (flags_), .help = (help_)                                              \
    }
#define ADUAN_SET_SECRET(k, s, m, flags_, help_)                                                               \
    {                                                                                                          \
        .key = (k), .type = ADUAN_TYPE_SECRET, .offset = ADUAN_OFFSET(s, m, struct aduan_secret),              \
        .flags = (flags_), .help = (help_)                                                                     \
    }
#define ADUAN_SET_SECRETS(k, s, m, flags_, help_)                                                              \
    {                                                                                                          \
        .key = (k), .type = ADUAN_TYPE_SECRETS, .offset = ADUAN_OFFSET(s, m, struct aduan_secrets),            \
        .flags = (flags_), .help = (help_)                                                                     \
    }
#define ADUAN_SET_STRINGS(k, s, m, flags_, help_)                                                              \
    {                                                                                                          \
        .key = (k), .type = ADUAN_TYPE_STRINGS, .offset = ADUAN_OFFSET(s, m, struct aduan_strings),            \
        .flags = (flags_), .help = (help_)                                                                     \
    }
/* The path stands in the file, relative to aduan.conf; a change of the content restarts the account's workers.
 */
#define ADUAN_SET_FILE(k, s, m, max_, flags_, help_)                                                           \
    {                                                                                                          \
        .key = (k), .type = ADUAN_TYPE_FILE, .offset = ADUAN_OFFSET(s, m, char *), .max = (max_),              \
        .flags = (flags_), .help = (help_)                                                                     \
    }
#define ADUAN_SET_GROUP(k, s, m, type_, table_, flags_, help_)                                                 \
    {                                                                                                          \
        .key = (k), .type = ADUAN_TYPE_GROUP, .offset = ADUAN_OFFSET(s, m, type_), .sub = (table_),            \
        .flags = (flags_), .help = (help_)                                                                     \
    }
#define ADUAN_SET_END                                                                                          \
    { .key = NULL }

#endif
