/*
 * counter.c: the office's own counter: face to face, call centre, letter, suggestion box.
 *
 * There is no platform and no worker. An officer writes down what a citizen says or sends
 * (`aduanctl intake`); the desk hands that document to parse(), as it does with what comes from
 * elsewhere. Answers wait in the work list until a person has carried them over.
 *
 * The document is one JSON object:
 *
 *   {"channel": "counter" | "phone" | "letter" | "box", "id" (of the request: no second case by a repeat),
 *    "name", "address", "phone", "identity" (what was shown: "KTP"), "subject", "text",
 *    "party" (who is complained of), "when", "where" (as the citizen says it), "received_at" (ms),
 * "received_by"}
 */
#include "connector.h"

#include "kit/json.h"
#include "kit/sign.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX = 400, DIGITS_MIN = 8, DIGITS_MAX = 15, MIB = 1024 * 1024 };

static const char *const ways[] = { "counter", "phone", "letter", "box", NULL };

/* ------------------------------------------------------------------ settings */

struct counter_settings {
    struct aduan_strings takes;
};

static const struct aduan_setting settings[] = {
    ADUAN_SET_STRINGS(
        "takes", struct counter_settings, takes, 0,
        "Yang diterima di sini: counter, phone, letter, box; kosong: semuanya / what is taken here; "
        "empty: all of them"),
    ADUAN_SET_END,
};

static bool among(const char *const *names, const char *name) {
    for (; name != NULL && *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static void check(const void *settings_, aduan_fault_fn fault, void *arg) {
    const struct counter_settings *s = settings_;
    size_t i;

    for (i = 0; i < s->takes.count; i++)
        if (!among(ways, s->takes.items[i]))
            fault(arg, "takes", "must be of counter, phone, letter and box");
}

static bool takes(const struct counter_settings *s, const char *way) {
    size_t i;

    if (way == NULL || !among(ways, way))
        return false;
    for (i = 0; i < s->takes.count; i++)
        if (strcmp(s->takes.items[i], way) == 0)
            return true;
    return s->takes.count == 0;
}

/* --------------------------------------------------------------------- parse */

/* "0811-7769-393", "(0771) 21073", "+62 811…" as E.164; NULL when it is no telephone number. */
static char *e164(const char *said) {
    char digits[DIGITS_MAX + 3];
    size_t n = 0;
    bool plus;

    said += strspn(said, " (");
    plus = *said == '+';
    for (said += plus; *said != '\0'; said++) {
        if (*said >= '0' && *said <= '9') {
            if (n > DIGITS_MAX)
                return NULL;
            digits[n++] = *said;
        } else if (strchr(" -.()/", *said) == NULL) {
            return NULL;
        }
    }
    digits[n] = '\0';
    if (n < DIGITS_MIN || n > DIGITS_MAX)
        return NULL;
    if (!plus && digits[0] == '0')
        return xasprintf("+62%s", digits + 1);
    return plus || strncmp(digits, "62", 2) == 0 ? xasprintf("+%s", digits) : NULL;
}

/* The words of the complaint, and below them what the form asks beside them. */
static char *whole_text(const json_t *doc) {
    static const struct {
        const char *key, *label;
    } rows[] = { { "party", "Pihak yang dilaporkan" },
                 { "when", "Waktu kejadian" },
                 { "where", "Tempat kejadian" } };
    struct text t = TEXT_INIT;
    char *said = js_text(doc, "text");
    size_t i;

    text_add(&t, said != NULL ? said : "");
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *value = js_line(doc, rows[i].key, LINE_MAX);

        if (value != NULL)
            text_addf(&t, "%s%s: %s", t.len == 0 ? "" : "\n", rows[i].label, value);
        free(value);
    }
    free(said);
    return text_steal(&t);
}

static void keep(json_t *extra, const char *key, char *value) {
    if (value != NULL)
        json_object_set_new(extra, key, json_string(value));
    free(value);
}

static json_t *kept(const json_t *doc) {
    static const char *const lines[] = { "channel", "name", "address", "phone",      "identity",
                                         "party",   "when", "where",   "received_by" };
    json_t *extra = json_object();
    size_t i;

    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        keep(extra, lines[i], js_line(doc, lines[i], LINE_MAX));
    keep(extra, "text", js_text(doc, "text"));
    return extra;
}

static void read_document(const json_t *doc, const struct aduan_bytes *in, struct aduan_message *m) {
    char digest[SIGN_HEX256], *phone = js_line(doc, "phone", LINE_MAX);

    m->platform_id = js_id(doc, "id");
    if (m->platform_id == NULL) {
        sign_sha256_hex(in->bytes, in->len, digest);
        m->platform_id = xstrdup(digest);
    }
    m->conversation = xasprintf("%s:%s", js_str(doc, "channel"), m->platform_id);
    m->sender.name = js_line(doc, "name", LINE_MAX);
    m->sender.phone = phone != NULL ? e164(phone) : NULL;
    m->subject = js_line(doc, "subject", LINE_MAX);
    m->text = whole_text(doc);
    m->received_at = js_int(doc, "received_at", 0);
    if (m->received_at < 0)
        m->received_at = 0;
    m->extra = kept(doc);
    free(phone);
}

static void cannot_read(const json_t *doc, const struct aduan_bytes *in, struct aduan_message *m) {
    char digest[SIGN_HEX256], *way = js_line(doc, "channel", 40);

    sign_sha256_hex(in->bytes, in->len, digest);
    m->kind = ADUAN_KIND_UNPARSED;
    m->platform_id = xstrdup(digest);
    m->text = xstrdup("");
    m->note =
        xasprintf("Loket ini tidak menerima \"%s\" / this counter does not take it", way != NULL ? way : "");
    free(way);
}

static int parse(const void *settings_, const struct aduan_bytes *in, struct aduan_sink *sink) {
    struct aduan_message m = { .kind = ADUAN_KIND_MESSAGE };
    json_t *doc = js_load(in->bytes, in->len);
    int r;

    if (!json_is_object(doc)) {
        json_decref(doc);
        return -1;
    }
    if (takes(settings_, js_str(doc, "channel")))
        read_document(doc, in, &m);
    else
        cannot_read(doc, in, &m);
    json_decref(doc);
    r = sink->record(sink, &m);
    aduan_message_clear(&m);
    return r;
}

/* ---------------------------------------------------------------------- fits */

/* A voice carries no paper; everything else is a matter of walking. */
static int fits(const void *settings_, const struct aduan_answer *a, char *why, size_t why_size) {
    const char *fault = NULL;
    size_t i;

    (void)settings_;
    if (a->conversation != NULL && text_starts(a->conversation, "phone:") && a->attachment_count > 0)
        fault = "Lampiran tidak dapat disampaikan lewat telepon / attachments cannot be told by telephone";
    for (i = 0; i < a->attachment_count; i++)
        if (a->attachments[i].size > (int64_t)25 * MIB)
            fault = "Lampiran lebih besar dari 25 MiB / an attachment is larger than 25 MiB";
    if (fault == NULL)
        return 0;
    snprintf(why, why_size, "%s", fault);
    return -1;
}

/* ------------------------------------------------------------------ selftest */

struct proof {
    struct aduan_sink sink;
    bool good;
};

static int judge(struct aduan_sink *sink, struct aduan_message *m) {
    struct proof *p = (struct proof *)sink;

    p->good = m->kind == ADUAN_KIND_MESSAGE && text_equal(m->conversation, "letter:r1") &&
              text_equal(m->sender.phone, "+628117769393") &&
              text_equal(m->text, "Paspor belum jadi.\nTempat kejadian: loket 3");
    aduan_message_clear(m);
    return 0;
}

static int selftest(char *why, size_t why_size) {
    static const char sample[] =
        "{\"channel\":\"letter\",\"id\":\"r1\",\"name\":\"Siti\",\"phone\":\"0811-7769-393\","
        "\"text\":\"Paspor belum jadi.\",\"where\":\"loket 3\"}";
    struct counter_settings s = { .takes = { NULL, 0 } };
    struct aduan_bytes in = { .bytes = sample, .len = sizeof(sample) - 1 };
    struct proof p = { .sink = { .record = judge } };

    if (parse(&s, &in, &p.sink) == 0 && p.good)
        return 0;
    snprintf(why, why_size, "the sample was not read");
    return -1;
}

ADUAN_CONNECTOR = {
    ADUAN_CONNECTOR_HEAD,
    .type = "counter",
    .channel = "counter",
    .summary = "loket kantor: tatap muka, telepon, surat, kotak saran / the office's own counter",
    .capabilities = ADUAN_CAP_BY_HAND | ADUAN_CAP_ATTACH,
    .traits = { .attachment_max = (int64_t)25 * MIB },
    .settings = settings,
    .settings_size = sizeof(struct counter_settings),
    .check = check,
    .selftest = selftest,
    .parse = parse,
    .fits = fits,
};
