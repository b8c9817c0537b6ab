/* scan.c: header fields, identity and limits of a mail, from raw bytes alone. */
#include "scan.h"

#include "kit/sign.h"
#include "kit/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ----------------------------------------------------------------- fields */

/* The end of the line that starts at at: behind its LF, or n. */
static size_t line_end(const char *s, size_t n, size_t at) {
    const char *lf = memchr(s + at, '\n', n - at);

    return lf != NULL ? (size_t)(lf - s) + 1 : n;
}

static bool is_empty_line(const char *s, size_t at, size_t end) {
    return end - at == 1 ? s[at] == '\n' : end - at == 2 && s[at] == '\r' && s[at + 1] == '\n';
}

size_t scan_body(const char *mail, size_t n) {
    size_t at = 0, end;

    while (at < n) {
        end = line_end(mail, n, at);
        if (is_empty_line(mail, at, end))
            return end;
        at = end;
    }
    return n;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

bool scan_field(const char *block, size_t n, size_t *at, struct scan_field *ret) {
    while (*at < n) {
        size_t start = *at, end = line_end(block, n, start);
        const char *colon;

        if (is_empty_line(block, start, end))
            return false;
        while (end < n && is_blank(block[end]))
            end = line_end(block, n, end);
        *at = end;
        colon = memchr(block + start, ':', end - start);
        if (colon == NULL || colon == block + start)
            continue;
        ret->name = block + start;
        ret->name_len = (size_t)(colon - ret->name);
        while (ret->name_len > 0 && is_blank(ret->name[ret->name_len - 1]))
            ret->name_len--;
        ret->value = colon + 1;
        ret->value_len = (size_t)(block + end - ret->value);
        if (ret->name_len > 0 && memchr(ret->name, ' ', ret->name_len) == NULL)
            return true;
    }
    return false;
}

static bool is_named(const struct scan_field *f, const char *name) {
    return strlen(name) == f->name_len && strncasecmp(f->name, name, f->name_len) == 0;
}

static char *unfold(const char *s, size_t n) {
    struct text t = TEXT_INIT;
    size_t i;

    text_add(&t, "");
    while (n > 0 && (unsigned char)s[n - 1] <= ' ')
        n--;
    for (i = 0; i < n; i++) {
        if (s[i] == '\r' || s[i] == '\n' || s[i] == '\0')
            continue;
        if (t.len == 0 && is_blank(s[i]))
            continue;
        text_add_char(&t, s[i]);
    }
    return text_steal(&t);
}

char *scan_header(const char *block, size_t n, const char *name) {
    struct scan_field f;
    size_t at = 0;

    if (n > SCAN_HEADER_MAX)
        n = SCAN_HEADER_MAX;
    while (scan_field(block, n, &at, &f))
        if (is_named(&f, name))
            return unfold(f.value, f.value_len);
    return NULL;
}

bool scan_has(const char *block, size_t n, const char *name) {
    struct scan_field f;
    size_t at = 0;

    if (n > SCAN_HEADER_MAX)
        n = SCAN_HEADER_MAX;
    while (scan_field(block, n, &at, &f))
        if (is_named(&f, name))
            return true;
    return false;
}

static const char *skip_blank(const char *s) {
    while (is_blank(*s))
        s++;
    return s;
}

char *scan_parameter(const char *value, const char *name) {
    struct text t = TEXT_INIT;
    size_t len = strlen(name);
    const char *s = value;

    while ((s = strchr(s, ';')) != NULL) {
        s = skip_blank(s + 1);
        if (strncasecmp(s, name, len) != 0 || *skip_blank(s + len) != '=')
            continue;
        s = skip_blank(skip_blank(s + len) + 1);
        text_add(&t, "");
        if (*s == '"') {
            for (s++; *s != '\0' && *s != '"'; s++) {
                if (*s == '\\' && s[1] != '\0')
                    s++;
                text_add_char(&t, *s);
            }
        } else {
            for (; *s != '\0' && *s != ';' && !is_blank(*s); s++)
                text_add_char(&t, *s);
        }
        return text_steal(&t);
    }
    return NULL;
}

/* --------------------------------------------------------------- identity */

/* Without CR before LF, so that a mail from a maildir and from IMAP is the same. */
static void digest_body(struct sign_stream *d, const char *s, size_t n) {
    size_t at = 0;

    while (n > 0 && (s[n - 1] == '\n' || s[n - 1] == '\r'))
        n--;
    while (at < n) {
        size_t end = line_end(s, n, at), stop = end;

        if (stop > at && s[stop - 1] == '\n')
            stop--;
        if (stop < end && stop > at && s[stop - 1] == '\r')
            stop--;
        sign_stream_add(d, s + at, stop - at);
        if (stop < end)
            sign_stream_add(d, "\n", 1);
        at = end;
    }
}

/* What servers on the way write, and write anew at each delivery; of a name that ends in '-' all that begin so.
 */
static const char *const trace_fields[] = {
    "Received",
    "Return-Path",
    "Delivered-To",
    "X-Original-To",
    "Envelope-To",
    "Delivery-date",
    "DKIM-Signature",
    "DomainKey-Signature",
    "Authentication-Results",
    "Received-SPF",
    "ARC-",
    "X-Received",
    "X-Delivered-To",
    "X-Envelope-",
    "X-Google-",
    "X-Gm-",
    "X-Spam",
    "X-Spam-",
    "X-Virus-",
    "X-Rspamd-",
    "X-MS-Exchange-",
    "X-Microsoft-Antispam",
    "X-Microsoft-Antispam-",
    "X-Forefront-",
    "X-Sieve",
};
/* What a mailbox keeps in the mail itself: it changes while the mail lies there. */
static const char *const box_fields[] = {
    "Status",     "X-Status",           "X-Keywords", "X-UID",   "X-IMAP",         "X-IMAPbase",
    "X-Mozilla-", "X-Evolution-Source", "Lines",      "X-Lines", "Content-Length",
};

static bool is_listed(const struct scan_field *f, const char *const *names, size_t count) {
    size_t i;

    for (i = 0; i < count; i++) {
        size_t len = strlen(names[i]);

        if (names[i][len - 1] == '-' ? f->name_len > len && strncasecmp(f->name, names[i], len) == 0
                                     : is_named(f, names[i]))
            return true;
    }
    return false;
}

/* Neither field: nothing that its writer gave tells the mail from another with the same words. */
static bool is_nameless(const char *mail, size_t body) {
    struct scan_field f;
    size_t at = 0;

    while (scan_field(mail, body, &at, &f))
        if (is_named(&f, "Message-ID") || is_named(&f, "Date"))
            return false;
    return true;
}

/* A line with those folded behind it, without line ends, NUL and the blanks at its end. */
static void digest_line(struct sign_stream *d, const char *s, size_t n) {
    size_t i, from = 0;

    while (n > 0 && (unsigned char)s[n - 1] <= ' ')
        n--;
    for (i = 0; i < n; i++) {
        if (s[i] != '\r' && s[i] != '\n' && s[i] != '\0')
            continue;
        sign_stream_add(d, s + from, i - from);
        from = i + 1;
    }
    sign_stream_add(d, s + from, n - from);
    sign_stream_add(d, "\n", 1);
}

/* Every line of the header, also one that is no field and however long: what is left out here can make two
 * mails one, and then the second is never seen. */
static void digest_header(struct sign_stream *d, const char *mail, size_t body) {
    bool traced = !is_nameless(mail, body);
    struct scan_field f;
    size_t at = 0, end, next;

    for (; at < body; at = end) {
        end = line_end(mail, body, at);
        if (is_empty_line(mail, at, end))
            break;
        while (end < body && is_blank(mail[end]))
            end = line_end(mail, body, end);
        next = at;
        if (scan_field(mail, end, &next, &f) &&
            (is_listed(&f, box_fields, sizeof(box_fields) / sizeof(box_fields[0])) ||
             (traced && is_listed(&f, trace_fields, sizeof(trace_fields) / sizeof(trace_fields[0])))))
            continue;
        digest_line(d, mail + at, end - at);
    }
    sign_stream_add(d, "", 1);
}

void scan_id(const char *mail, size_t n, char ret[41]) {
    struct sign_stream *d = sign_stream_new();
    size_t body = scan_body(mail, n);
    char hex[SIGN_HEX256];

    digest_header(d, mail, body);
    digest_body(d, mail + body, n - body);
    sign_stream_hex(d, hex);
    sign_stream_free(d);
    memcpy(ret, hex, 40);
    ret[40] = '\0';
}

/* ----------------------------------------------------------------- limits */

static const char TOO_LONG[] = "kepala surat terlalu panjang / header block too long";
static const char TOO_COMMENT[] = "komentar bersarang terlalu dalam / comments nested too deep";
static const char TOO_GROUP[] = "terlalu banyak grup alamat / too many address groups";
static const char TOO_DEEP[] = "bagian bersarang terlalu dalam / parts nested too deep";
static const char TOO_MANY[] = "terlalu banyak bagian / too many parts";

static bool is_address_field(const struct scan_field *f) {
    static const char *const names[] = { "From",
                                         "To",
                                         "Cc",
                                         "Bcc",
                                         "Sender",
                                         "Reply-To",
                                         "Resent-From",
                                         "Resent-To",
                                         "Resent-Cc",
                                         "Resent-Bcc",
                                         "Resent-Sender",
                                         "Resent-Reply-To",
                                         "Disposition-Notification-To" };
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (is_named(f, names[i]))
            return true;
    return false;
}

static bool is_free_text(const struct scan_field *f) {
    return is_named(f, "Subject") || is_named(f, "Comments") || is_named(f, "Keywords") ||
           is_named(f, "Content-Description") || (f->name_len > 2 && strncasecmp(f->name, "X-", 2) == 0);
}

static const char *check_field(const struct scan_field *f) {
    size_t i, comment = 0, colons = 0;
    bool quoted = false;

    if (is_free_text(f))
        return NULL;
    for (i = 0; i < f->value_len; i++) {
        char c = f->value[i];

        if (c == '\\')
            i++;
        else if (c == '"' && comment == 0)
            quoted = !quoted;
        else if (c == ':' && comment == 0)
            colons++; /* also in quotes: an unclosed quote must not hide them */
        else if (!quoted && c == '(' && ++comment > SCAN_COMMENT_MAX)
            return TOO_COMMENT;
        else if (!quoted && c == ')' && comment > 0)
            comment--;
    }
    return colons > SCAN_GROUP_MAX && is_address_field(f) ? TOO_GROUP : NULL;
}

static const char *check_block(const char *block, size_t n) {
    struct scan_field f;
    const char *fault;
    size_t at = 0;

    if (n > SCAN_HEADER_MAX)
        return TOO_LONG;
    while (scan_field(block, n, &at, &f)) {
        fault = check_field(&f);
        if (fault != NULL)
            return fault;
    }
    return NULL;
}

struct level {
    char boundary[80];
    size_t len;
    size_t messages; /* message/rfc822 around it */
};

struct walk {
    struct level levels[SCAN_DEPTH_MAX];
    size_t depth, messages, parts;
    bool in_header;
    size_t block; /* where the current header block begins */
};

/* A delimiter line of an open multipart: steps to its level. */
static bool is_delimiter(struct walk *w, const char *line, size_t n) {
    size_t i;

    if (n < 3 || line[0] != '-' || line[1] != '-')
        return false;
    while (n > 2 && (unsigned char)line[n - 1] <= ' ')
        n--;
    for (i = w->depth; i-- > 0;) {
        const struct level *l = &w->levels[i];
        size_t rest;

        if (n - 2 < l->len || memcmp(line + 2, l->boundary, l->len) != 0)
            continue;
        rest = n - 2 - l->len;
        if (rest == 0 || (rest == 2 && line[n - 1] == '-' && line[n - 2] == '-')) {
            w->depth = rest == 0 ? i + 1 : i;
            w->in_header = rest == 0;
            w->messages = l->messages;
            w->parts += rest == 0;
            return true;
        }
    }
    return false;
}

static const char *open_level(struct walk *w, const char *type) {
    char *boundary = scan_parameter(type, "boundary");
    struct level *l;

    if (boundary == NULL || boundary[0] == '\0') {
        free(boundary);
        return NULL;
    }
    if (w->depth + w->messages >= SCAN_DEPTH_MAX) {
        free(boundary);
        return TOO_DEEP;
    }
    l = &w->levels[w->depth++];
    l->len = strlen(boundary);
    if (l->len > sizeof(l->boundary))
        l->len = sizeof(l->boundary);
    memcpy(l->boundary, boundary, l->len);
    while (l->len > 0 && l->boundary[l->len - 1] == ' ')
        l->len--;
    l->messages = w->messages;
    free(boundary);
    return NULL;
}

/* A header block ended before end: what does it open? */
static const char *leave_block(struct walk *w, const char *mail, size_t end) {
    const char *fault = check_block(mail + w->block, end - w->block);
    char *type;

    w->in_header = false;
    if (fault != NULL)
        return fault;
    type = scan_header(mail + w->block, end - w->block, "Content-Type");
    if (type != NULL && text_starts_nocase(type, "multipart/"))
        fault = open_level(w, type);
    else if (type != NULL && text_starts_nocase(type, "message/") && !text_starts_nocase(type, "message/del") &&
             !text_starts_nocase(type, "message/disp")) {
        w->in_header = true;
        if (++w->messages + w->depth > SCAN_DEPTH_MAX)
            fault = TOO_DEEP;
    }
    free(type);
    return fault;
}

const char *scan_limits(const char *mail, size_t n) {
    struct walk w = { .in_header = true };
    const char *fault = NULL;
    size_t at = 0, end;

    for (; at < n && fault == NULL; at = end) {
        end = line_end(mail, n, at);
        if (is_delimiter(&w, mail + at, end - at)) {
            if (w.parts > SCAN_PARTS_MAX)
                fault = TOO_MANY;
            w.block = end;
        } else if (w.in_header && is_empty_line(mail, at, end)) {
            fault = leave_block(&w, mail, at);
            w.block = end;
        } else if (w.in_header && end - w.block > SCAN_HEADER_MAX) {
            fault = TOO_LONG;
        }
    }
    if (fault == NULL && w.in_header)
        fault = leave_block(&w, mail, n);
    return fault;
}
