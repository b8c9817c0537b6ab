/*
 * profile.c: a profile, the file that says what of LAPOR's API an account may use and how.
 *
 * INI-like: [section], key = value, "#" and ";" begin a remark on a line of its own; keys and values may stand
 * in quotes. Every fault is told with its line and its key; none ends the reading.
 */
#include "lapor/lapor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES_MAX = 2000 };

struct reading {
    struct lapor_profile *p;
    lapor_fault fault;
    void *arg;
    int faults;
};

static void tell(struct reading *r, unsigned line, const char *section, const char *key, const char *reason) {
    char *s = line > 0 ? xasprintf("baris / line %u: [%s] %s: %s", line, section, key, reason)
                       : xasprintf("[%s] %s: %s", section, key, reason);

    r->faults++;
    if (r->fault != NULL)
        r->fault(r->arg, s);
    free(s);
}

/* -------------------------------------------------------------------- reading */

static char *unquoted(const char *s, size_t n) {
    while (n > 0 && strchr(" \t\r", s[n - 1]) != NULL)
        n--;
    while (n > 0 && (*s == ' ' || *s == '\t')) {
        s++;
        n--;
    }
    if (n >= 2 && s[0] == '"' && s[n - 1] == '"') {
        s++;
        n -= 2;
    }
    return text_clean_line(s, n, 2000);
}

static const char *equals_of(const char *s, size_t n) {
    const char *close = n > 1 && *s == '"' ? memchr(s + 1, '"', n - 1) : s;

    return close != NULL ? memchr(close, '=', n - (size_t)(close - s)) : NULL;
}

static void one_line(struct reading *r, const char *s, size_t n, unsigned line, char **section) {
    const char *equals;
    struct lapor_entry *e;
    char *key;

    while (n > 0 && (*s == ' ' || *s == '\t')) {
        s++;
        n--;
    }
    while (n > 0 && strchr(" \t\r", s[n - 1]) != NULL)
        n--;
    if (n == 0 || *s == '#' || *s == ';')
        return;
    if (*s == '[') {
        free(*section);
        *section = s[n - 1] == ']' ? unquoted(s + 1, n - 2) : xstrdup("");
        if ((*section)[0] == '\0')
            tell(r, line, "", "[", "nama bagian harus diakhiri \"]\" / a section's name ends with \"]\"");
        return;
    }
    equals = equals_of(s, n);
    if (equals == NULL || r->p->count == ENTRIES_MAX) {
        tell(r, line, *section, "",
             equals == NULL ? "tanpa \"=\" / there is no \"=\"" : "terlalu panjang / too long");
        return;
    }
    key = unquoted(s, (size_t)(equals - s));
    if (lapor_get(r->p, *section, key) != NULL) {
        tell(r, line, *section, key, "tertulis dua kali / stands here twice");
        free(key);
        return;
    }
    r->p->items = xrealloc(r->p->items, r->p->count + 1, sizeof(*r->p->items));
    e = &r->p->items[r->p->count++];
    *e = (struct lapor_entry){ xstrdup(*section), key, unquoted(equals + 1, (size_t)(s + n - equals - 1)),
                               line };
}

const char *lapor_get(const struct lapor_profile *p, const char *section, const char *key) {
    size_t i;

    for (i = 0; i < p->count; i++)
        if (strcmp(p->items[i].section, section) == 0 && strcmp(p->items[i].key, key) == 0)
            return p->items[i].value;
    return NULL;
}

const char *lapor_or(const struct lapor_profile *p, const char *section, const char *key,
                     const char *otherwise) {
    const char *s = lapor_get(p, section, key);

    return s != NULL && s[0] != '\0' ? s : otherwise;
}

int64_t lapor_number(const struct lapor_profile *p, const char *section, const char *key, int64_t otherwise) {
    const char *s = lapor_get(p, section, key);
    int64_t n;

    return s != NULL && text_parse_int(s, 0, INT64_MAX, &n) == 0 ? n : otherwise;
}

bool lapor_enabled(const struct lapor_profile *p, const char *capability) {
    char *section = xasprintf("cap.%s", capability);
    const char *s = lapor_get(p, section, "enabled");

    free(section);
    return s != NULL && strcmp(s, "yes") == 0;
}

/* -------------------------------------------------------------------- checking */

enum kind {
    TEXT,
    YES,
    NUMBER,
    POINTER,
    POINTERS,
    REPLY,
    ADDRESS,
    PART,
    METHOD,
    NEXT,
    SINCE,
    ENCODING,
    STATE,
    RANGE,
    URL
};

static const struct {
    const char *section, *key; /* "*": any */
    enum kind kind;
} known[] = {
    { "profile", "name", TEXT },        { "profile", "base_url", URL },
    { "profile", "institution", TEXT }, { "http", "total_timeout", NUMBER },
    { "http", "max_body", NUMBER },     { "http", "per_minute", NUMBER },
    { "http", "pages", NUMBER },        { "cap.*", "enabled", YES },
    { "cap.*", "method", METHOD },      { "cap.*", "path", ADDRESS },
    { "cap.*", "query", ADDRESS },      { "cap.*", "items", POINTER },
    { "cap.*", "next", POINTER },       { "cap.*", "next_kind", NEXT },
    { "cap.*", "since_param", TEXT },   { "cap.*", "since_format", SINCE },
    { "cap.*", "root", POINTER },       { "cap.*", "encoding", ENCODING },
    { "cap.*", "file_part", PART },     { "cap.*", "ids", POINTERS },
    { "cap.*", "id", POINTER },         { "cap.*", "name", POINTER },
    { "map.in", "*", POINTER },         { "map.reply", "*", REPLY },
    { "status.map", "*", STATE },       { "limits", "reply_max_chars", NUMBER },
    { "limits", "attach_max", NUMBER }, { "limits", "attach_max_bytes", NUMBER },
    { "limits", "attach_types", TEXT }, { "ok", "http", RANGE },
    { "ok", "json_true", POINTER },     { "ok", "json_false", POINTER },
    { "ok", "error_text", POINTER },
};

static const char *const capabilities[] = { "cap.list",
                                            "cap.detail",
                                            "cap.followups",
                                            "cap.reply",
                                            "cap.upload",
                                            "cap.reject",
                                            "cap.masters.institutions",
                                            NULL };
static const char *const in_keys[] = {
    "remote_id", "item_id", "title",         "body",           "created",
    "status",    "from",    "reporter_name", "reporter_phone", "reporter_address",
    "anonymous", "secret",  "event_date",    "files",          NULL
};
static const char *const states[] = { "baru",    "diterima",       "diproses", "selesai", "menunggu_pengadu",
                                      "ditutup", "periksa_manual", NULL };

static bool among(const char *const *names, const char *name) {
    for (; *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

bool lapor_state_known(const char *state) {
    return among(states, state);
}

/* "/a/0/id,/b/0/id": several lists, one after the other. */
static const char *pointers_fault(const char *s) {
    const char *why = NULL;

    while (*s != '\0' && why == NULL) {
        size_t n = strcspn(s, ",");
        char *one = xstrndup(s, n);

        why = lapor_expression_fault(one);
        free(one);
        s += n + (s[n] == ',');
    }
    return why;
}

static const char *value_fault(enum kind kind, const char *s) {
    static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", NULL };
    static const char *const nexts[] = { "url", "page", "cursor", "none", NULL };
    static const char *const sinces[] = { "date", "stamp", "seconds", NULL };
    static const char *const encodings[] = { "json", "multipart", NULL };
    static const char *const in_reply[] = { "reply_text", "remote_id",      "number",
                                            "secret",     "attachment_ids", NULL };
    static const char *const in_address[] = { "id", "page", "cursor", "since", NULL };
    static const char *const in_part[] = { "n", NULL };
    static const char *const yes[] = { "yes", "no", NULL };
    int64_t n;
    int lo, hi;

    if (s[0] == '\0')
        return NULL; /* not set */
    switch (kind) {
    case YES:
        return among(yes, s) ? NULL : "harus yes atau no / must be yes or no";
    case NUMBER:
        return text_parse_int(s, 0, INT32_MAX, &n) == 0 ? NULL : "harus angka / must be a number";
    case POINTER:
        return lapor_expression_fault(s);
    case POINTERS:
        return pointers_fault(s);
    case REPLY:
        return lapor_pattern_fault(s, in_reply);
    case ADDRESS:
        return lapor_pattern_fault(s, in_address);
    case PART:
        return lapor_pattern_fault(s, in_part);
    case METHOD:
        return among(methods, s) ? NULL : "harus / must be GET, POST, PUT, PATCH";
    case NEXT:
        return among(nexts, s) ? NULL : "harus / must be url, page, cursor, none";
    case SINCE:
        return among(sinces, s) ? NULL : "harus / must be date, stamp, seconds";
    case ENCODING:
        return among(encodings, s) ? NULL : "harus / must be json, multipart";
    case STATE:
        return among(states, s)
                   ? NULL
                   : "harus / must be baru, diterima, diproses, selesai, menunggu_pengadu, ditutup, "
                     "periksa_manual";
    case RANGE:
        return sscanf(s, "%3d-%3d", &lo, &hi) == 2 && lo <= hi ? NULL : "harus seperti / must be as 200-299";
    case URL:
        return (text_starts(s, "https://") || text_starts(s, "http://127.0.0.1:")) && !text_ends(s, "/")
                   ? NULL
                   : "harus https://… tanpa \"/\" di akhir / must be https://… without \"/\" at its end";
    case TEXT:
        break;
    }
    return NULL;
}

static void check_entry(struct reading *r, const struct lapor_entry *e) {
    bool cap = text_starts(e->section, "cap.");
    const char *why = "kunci tidak dikenal / unknown key";
    size_t i;

    if (cap && !among(capabilities, e->section))
        why = "kemampuan tidak dikenal / unknown capability";
    for (i = 0; i < sizeof(known) / sizeof(known[0]) && !(cap && !among(capabilities, e->section)); i++)
        if ((strcmp(known[i].section, e->section) == 0 || (cap && strcmp(known[i].section, "cap.*") == 0)) &&
            (strcmp(known[i].key, e->key) == 0 || known[i].key[0] == '*'))
            why = value_fault(known[i].kind, e->value);
    if (strcmp(e->section, "map.in") == 0 && !among(in_keys, e->key))
        why = "kunci tidak dikenal / unknown key";
    if (why != NULL)
        tell(r, e->line, e->section, e->key, why);
}

static void need(struct reading *r, const char *section, const char *key, const char *for_what) {
    char *why;

    if (lapor_or(r->p, section, key, NULL) != NULL)
        return;
    why = xasprintf("wajib untuk %s / is needed for it", for_what);
    tell(r, 0, section, key, why);
    free(why);
}

static void check_whole(struct reading *r) {
    const struct lapor_profile *p = r->p;
    size_t i;

    for (i = 0; capabilities[i] != NULL; i++) {
        if (!lapor_enabled(p, capabilities[i] + 4))
            continue;
        need(r, capabilities[i], "path", capabilities[i]);
        need(r, "profile", "base_url", capabilities[i]);
    }
    if (lapor_enabled(p, "list") || lapor_enabled(p, "detail") || lapor_enabled(p, "followups")) {
        need(r, "map.in", "remote_id", "list, detail, followups");
        need(r, "map.in", "body", "list, detail, followups");
    }
    if (lapor_enabled(p, "followups") && lapor_or(p, "map.reply", "institution_from_id", NULL) == NULL)
        need(r, "profile", "institution", "cap.followups: jawaban sendiri / to tell our own answers");
    if (lapor_enabled(p, "list"))
        need(r, "cap.list", "items", "cap.list");
    if (lapor_enabled(p, "reply")) {
        need(r, "map.reply", "content", "cap.reply");
        need(r, "map.reply", "complaint_id", "cap.reply");
    }
    if (lapor_enabled(p, "upload")) {
        need(r, "cap.upload", "file_part", "cap.upload");
        need(r, "cap.upload", "ids", "cap.upload");
    }
    if (lapor_enabled(p, "reject"))
        tell(r, 0, "cap.reject", "enabled", "belum didukung / not supported yet: must be no");
}

int lapor_profile_read(const char *text, lapor_fault fault, void *arg, struct lapor_profile *ret) {
    struct reading r = { .p = ret, .fault = fault, .arg = arg };
    char *section = xstrdup("");
    const char *s = text != NULL ? text : "";
    unsigned line = 1;
    size_t i;

    *ret = (struct lapor_profile){ NULL, 0 };
    for (; *s != '\0'; line++) {
        size_t n = strcspn(s, "\n");

        one_line(&r, s, n, line, &section);
        s += n + (s[n] == '\n');
    }
    free(section);
    for (i = 0; i < ret->count; i++)
        check_entry(&r, &ret->items[i]);
    check_whole(&r);
    return r.faults > 0 ? -1 : 0;
}

void lapor_profile_clear(struct lapor_profile *p) {
    size_t i;

    for (i = 0; i < p->count; i++) {
        free(p->items[i].section);
        free(p->items[i].key);
        free(p->items[i].value);
    }
    free(p->items);
    *p = (struct lapor_profile){ NULL, 0 };
}
