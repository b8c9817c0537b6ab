/* compose.c: header, text and attachments of an answer. */
#include "compose.h"

#include "address.h"
#include "kit/sign.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { REFERENCES_KEPT = 20, LINE_MAX_7BIT = 900, QP_LINE = 75 };

static void refuse(struct aduan_result *ret, enum aduan_outcome outcome, const char *reason) {
    ret->outcome = outcome;
    snprintf(ret->reason, sizeof(ret->reason), "%s", reason);
}

/* ------------------------------------------------------------------ the names */

static bool is_token(const char *s) {
    if (s == NULL || *s == '\0' || strlen(s) > 200)
        return false;
    for (; *s != '\0'; s++)
        if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') ||
              strchr("._-+=", *s) != NULL))
            return false;
    return true;
}

char *compose_message_id(const struct email_settings *s, const struct aduan_answer *a) {
    const char *domain = strrchr(s->address, '@');

    domain = domain != NULL ? domain + 1 : "localhost";
    if (is_token(a->token))
        return xasprintf("%s@%s", a->token, domain);
    return xasprintf("aduan.%s@%s", is_token(a->id) ? a->id : "0", domain);
}

/* An id that may stand between < and > in a header. */
static bool is_id(const char *id) {
    size_t n = id != NULL ? strlen(id) : 0;

    if (n < 3 || n > 500 || strchr(id, '@') == NULL)
        return false;
    for (; *id != '\0'; id++)
        if ((unsigned char)*id <= ' ' || (unsigned char)*id >= 0x7f || strchr("<>", *id) != NULL)
            return false;
    return true;
}

const char *compose_recipient(const struct aduan_answer *a, struct aduan_result *ret) {
    const char *to = a->to.address != NULL ? a->to.address : a->to.id != NULL ? a->to.id : a->conversation, *s;

    if (to == NULL || strchr(to, '@') == NULL) {
        refuse(ret, ADUAN_NEVER, "tidak ada alamat surel penerima / there is no mail address to answer to");
        return NULL;
    }
    if (address_is_plain(to))
        return to;
    for (s = to; *s != '\0'; s++)
        if ((unsigned char)*s >= 0x80) {
            refuse(ret, ADUAN_NEVER,
                   "alamat dengan huruf di luar ASCII belum didukung / addresses beyond ASCII are not "
                   "supported");
            return NULL;
        }
    refuse(ret, ADUAN_NEVER, "alamat surel penerima tidak sah / the recipient's mail address is not valid");
    return NULL;
}

/* ------------------------------------------------------------------ the header */

static bool is_ascii(const char *s) {
    for (; *s != '\0'; s++)
        if ((unsigned char)*s >= 0x7f || (unsigned char)*s < ' ')
            return false;
    return true;
}

/* One unstructured line: plain when short and ASCII, else encoded words of whole characters. */
static void add_words(struct text *t, const char *s) {
    bool first = true;

    if (is_ascii(s) && strlen(s) <= LINE_MAX_7BIT && strstr(s, "=?") == NULL) {
        text_add(t, s);
        return;
    }
    while (*s != '\0') {
        size_t n = text_cut(s, 42);
        char *coded;

        if (n == 0)
            n = 1;
        coded = sign_base64(s, n);
        text_addf(t, "%s=?UTF-8?B?%s?=", first ? "" : "\r\n ", coded);
        first = false;
        free(coded);
        s += n;
    }
}

static void add_mailbox(struct text *t, const char *name, const char *address) {
    char *line = name != NULL ? text_clean_line(name, strlen(name), 200) : xstrdup("");
    const char *s;

    if (line[0] != '\0' && is_ascii(line)) {
        text_add_char(t, '"');
        for (s = line; *s != '\0'; s++) {
            if (*s == '"' || *s == '\\')
                text_add_char(t, '\\');
            text_add_char(t, *s);
        }
        text_addf(t, "\"\r\n <%s>", address);
    } else if (line[0] != '\0') {
        add_words(t, line);
        text_addf(t, "\r\n <%s>", address);
    } else {
        text_add(t, address);
    }
    free(line);
}

static bool is_reply_subject(const char *s) {
    static const char *const prefixes[] = { "re:", "bls:", "balas:", "aw:", "sv:", "antw:" };
    size_t i;

    for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (text_starts_nocase(s, prefixes[i]))
            return true;
    return false;
}

static void add_subject(struct text *t, const struct aduan_answer *a) {
    char *line =
        text_clean_line(a->subject != NULL ? a->subject : "", a->subject != NULL ? strlen(a->subject) : 0, 400);
    char *full = NULL;

    if (line[0] == '\0')
        full = xasprintf("Re: Pengaduan%s%s", a->number != NULL ? " " : "", a->number != NULL ? a->number : "");
    else if (a->reply_to != NULL && !is_reply_subject(line))
        full = xasprintf("Re: %s", line);
    text_add(t, "Subject: ");
    add_words(t, full != NULL ? full : line);
    text_add(t, "\r\n");
    free(full);
    free(line);
}

static const char *parent_of(const struct aduan_answer *a) {
    size_t i;

    if (is_id(a->reply_to))
        return a->reply_to;
    for (i = a->reference_count; i-- > 0;)
        if (is_id(a->references[i]))
            return a->references[i];
    return NULL;
}

static void add_thread(struct text *t, const struct aduan_answer *a) {
    const char *parent = parent_of(a), *last = NULL;
    size_t i, good = 0, skip;

    if (parent == NULL)
        return;
    text_addf(t, "In-Reply-To: <%s>\r\nReferences:", parent);
    for (i = 0; i < a->reference_count; i++)
        good += is_id(a->references[i]);
    skip = good > REFERENCES_KEPT ? good - REFERENCES_KEPT : 0; /* behind the first: cut the middle */
    for (i = 0, good = 0; i < a->reference_count; i++) {
        if (!is_id(a->references[i]))
            continue;
        if (good == 0 || good > skip) {
            last = a->references[i];
            text_addf(t, "%s<%s>", good == 0 ? " " : "\r\n ", last);
        }
        good++;
    }
    if (last == NULL || strcmp(last, parent) != 0)
        text_addf(t, "%s<%s>", last == NULL ? " " : "\r\n ", parent);
    text_add(t, "\r\n");
}

static void add_date(struct text *t, int64_t ms) {
    static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    time_t s = (time_t)(ms / 1000);
    struct tm tm;

    gmtime_r(&s, &tm);
    text_addf(t, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
              tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void add_header(struct text *t, const struct email_settings *s, const struct aduan_answer *a,
                       const char *to, int64_t now) {
    char *id = compose_message_id(s, a);

    text_add(t, "From: ");
    add_mailbox(t, s->name, s->address);
    text_add(t, "\r\nTo: ");
    add_mailbox(t, a->to.name, to);
    text_add(t, "\r\n");
    add_subject(t, a);
    add_date(t, a->queued_at > 0 ? a->queued_at : now);
    text_addf(t, "Message-ID: <%s>\r\n", id);
    add_thread(t, a);
    if (a->kind != ADUAN_ANSWER_REPLY)
        text_addf(t, "Auto-Submitted: %s\r\nX-Auto-Response-Suppress: All\r\n" EMAIL_LOOP_HEADER ": %s\r\n",
                  a->kind == ADUAN_ANSWER_NOTICE ? "auto-generated" : "auto-replied", s->address);
    if (a->language != NULL && is_token(a->language))
        text_addf(t, "Content-Language: %s\r\n", a->language);
    text_add(t, "MIME-Version: 1.0\r\n");
    free(id);
}

/* -------------------------------------------------------------------- the text */

static bool is_7bit(const char *text) {
    const char *s = text;
    size_t line = 0;

    for (; *s != '\0'; s++) {
        if ((unsigned char)*s >= 0x7f || (*s < ' ' && *s != '\n' && *s != '\t'))
            return false;
        line = *s == '\n' ? 0 : line + 1;
        if (line > 78)
            return false;
    }
    return strstr(text, "=_aduan_") == NULL; /* could be a boundary */
}

static void add_lines(struct text *t, const char *s) {
    for (; *s != '\0'; s++) {
        if (*s == '\n')
            text_add_char(t, '\r');
        text_add_char(t, *s);
    }
}

static void add_quoted_printable(struct text *t, const char *s) {
    size_t line = 0;

    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        bool plain =
            (c > ' ' && c < 0x7f && c != '=') || ((c == ' ' || c == '\t') && s[1] != '\n' && s[1] != '\0');

        if (c == '\n') {
            text_add(t, "\r\n");
            line = 0;
            continue;
        }
        if (line + (plain ? 1 : 3) > QP_LINE) {
            text_add(t, "=\r\n");
            line = 0;
        }
        if (plain)
            text_add_char(t, (char)c);
        else
            text_addf(t, "=%02X", c);
        line += plain ? 1 : 3;
    }
}

static void add_text_part(struct text *t, const char *text) {
    char *clean = text_clean(text != NULL ? text : "", text != NULL ? strlen(text) : 0);
    bool plain = is_7bit(clean);
    size_t n = strlen(clean);

    text_addf(t, "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: %s\r\n\r\n",
              plain ? "7bit" : "quoted-printable");
    if (plain)
        add_lines(t, clean);
    else
        add_quoted_printable(t, clean);
    if (n == 0 || clean[n - 1] != '\n')
        text_add(t, "\r\n");
    free(clean);
}

/* -------------------------------------------------------------- the attachments */

static void add_type(struct text *t, const char *type) {
    const char *s, *slash = type != NULL ? strchr(type, '/') : NULL;
    bool good = slash != NULL && slash != type && slash[1] != '\0' && strlen(type) < 100;

    for (s = type; good && *s != '\0'; s++)
        good = s == slash || (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') ||
               strchr(".+-", *s) != NULL;
    if (good && (text_starts_nocase(type, "multipart/") || text_starts_nocase(type, "message/")))
        good = false; /* base64 is not allowed on those */
    text_addf(t, "Content-Type: %s\r\nContent-Transfer-Encoding: base64\r\n",
              good ? type : "application/octet-stream");
}

/* For old programs in ASCII, and as it is (RFC 2231). */
static void add_disposition(struct text *t, const char *name) {
    char *clean = text_clean_filename(name != NULL ? name : "", name != NULL ? strlen(name) : 0);
    const unsigned char *s;

    text_add(t, "Content-Disposition: attachment");
    if (!is_ascii(clean)) { /* first: some programs stop at the first name they know */
        text_add(t, ";\r\n filename*=UTF-8''");
        for (s = (const unsigned char *)clean; *s != '\0'; s++) {
            if ((*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
                (*s < 0x7f && strchr(".-_", *s) != NULL))
                text_add_char(t, (char)*s);
            else
                text_addf(t, "%%%02X", *s);
        }
    }
    text_add(t, ";\r\n filename=\"");
    for (s = (const unsigned char *)clean; *s != '\0'; s++)
        if ((*s & 0xc0) != 0x80)
            text_add_char(t, *s < ' ' || *s >= 0x7f || *s == '"' || *s == '\\' ? '_' : (char)*s);
    text_add_char(t, '"');
    text_add(t, "\r\n\r\n");
    free(clean);
}

/* 57 bytes make a line of 76. */
static int add_base64(struct text *t, int fd, size_t max) {
    unsigned char buf[57 * 256];
    size_t have = 0, at;
    ssize_t r;

    do {
        r = read(fd, buf + have, sizeof(buf) - have);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return -errno;
        have += (size_t)r;
        for (at = 0; at < have && (r == 0 || have == sizeof(buf)); at += 57) {
            char *line = sign_base64(buf + at, have - at < 57 ? have - at : 57);

            text_addf(t, "%s\r\n", line);
            free(line);
        }
        if (have == sizeof(buf))
            have = 0;
        if (t->len > max)
            return -EFBIG;
    } while (r != 0);
    return 0;
}

static bool add_attachment(struct aduan_host *host, struct text *t, const struct aduan_attachment *a,
                           size_t max, struct aduan_result *ret) {
    int fd = a->sha256 != NULL ? host->ops->blob_open(host, a->sha256) : -ENOENT, r;
    char reason[400];

    if (fd < 0) {
        snprintf(reason, sizeof(reason),
                 "lampiran \"%.100s\" tidak dapat dibuka / attachment cannot be opened: %s",
                 a->name != NULL ? a->name : "", strerror(-fd));
        refuse(ret, fd == -ENOENT || fd == -EINVAL ? ADUAN_NEVER : ADUAN_LATER, reason);
        return false;
    }
    add_type(t, a->type);
    add_disposition(t, a->name);
    r = add_base64(t, fd, max);
    close(fd);
    if (r < 0 && r != -EFBIG)
        refuse(ret, ADUAN_LATER, "lampiran tidak dapat dibaca / attachment cannot be read");
    return r == 0 || r == -EFBIG;
}

/* --------------------------------------------------------------------- the size */

static size_t mail_max(const struct email_settings *s) {
    return s->smtp.limit > 0 ? (size_t)s->smtp.limit : EMAIL_SEND_MAX;
}

static void too_large(size_t max, char *why, size_t why_size) {
    double mib = (double)max / (1024 * 1024);

    snprintf(why, why_size,
             "Surat dengan lampirannya melebihi %.4g MB / the mail with its attachments is larger than %.4g MB",
             mib, mib);
}

/* What the mail weighs at most: base64 makes 78 bytes of 57. */
static size_t weight(const struct aduan_answer *a) {
    enum { HEADERS = 16 * 1024, PART_HEADERS = 1024 };
    struct text text = TEXT_INIT;
    size_t i, sum;

    add_text_part(&text, a->text);
    sum = HEADERS + text.len;
    text_free(&text);
    for (i = 0; i < a->attachment_count; i++)
        sum += PART_HEADERS + ((size_t)a->attachments[i].size + 56) / 57 * 78;
    return sum;
}

int email_fits(const void *settings, const struct aduan_answer *answer, char *why, size_t why_size) {
    const struct email_settings *s = settings;
    struct aduan_result result = { 0 };

    if (answer->is_public) {
        snprintf(why, why_size, "Surel tidak publik / mail is not public");
        return -1;
    }
    if (compose_recipient(answer, &result) == NULL) {
        snprintf(why, why_size, "%s", result.reason);
        return -1;
    }
    if (weight(answer) <= mail_max(s))
        return 0;
    too_large(mail_max(s), why, why_size);
    return -1;
}

void compose_mail(struct aduan_host *host, const struct email_settings *s, const struct aduan_answer *a,
                  struct text *ret_mail, struct aduan_result *ret) {
    const char *to = compose_recipient(a, ret);
    char hex[SIGN_HEX256], *id, why[200];
    size_t i, max = mail_max(s);

    memset(ret_mail, 0, sizeof(*ret_mail));
    if (to == NULL)
        return;
    id = compose_message_id(s, a);
    sign_sha256_hex(id, strlen(id), hex);
    free(id);
    hex[24] = '\0';
    ret->outcome = ADUAN_SENT;
    add_header(ret_mail, s, a, to, host->ops->now(host));
    if (a->attachment_count > 0)
        text_addf(ret_mail, "Content-Type: multipart/mixed; boundary=\"=_aduan_%s\"\r\n\r\n--=_aduan_%s\r\n",
                  hex, hex);
    add_text_part(ret_mail, a->text);
    for (i = 0; i < a->attachment_count && ret->outcome == ADUAN_SENT && ret_mail->len <= max; i++) {
        text_addf(ret_mail, "--=_aduan_%s\r\n", hex);
        add_attachment(host, ret_mail, &a->attachments[i], max, ret);
    }
    if (a->attachment_count > 0)
        text_addf(ret_mail, "--=_aduan_%s--\r\n", hex);
    if (ret->outcome == ADUAN_SENT && ret_mail->len > max) {
        too_large(max, why, sizeof(why));
        refuse(ret, ADUAN_NEVER, why);
    }
    if (ret->outcome != ADUAN_SENT)
        text_free(ret_mail);
}
