/*
 * read.c: bytes to records: which of the forms they have, and what becomes of one report.
 *
 * A report is a message whose id is its tracking id; an entry of its follow-up has its own id behind that. So
 * what is imported twice is there once.
 */
#include "lapor/lapor.h"

#include "email/email.h"
#include "email/prose.h"
#include "kit/json.h"
#include "kit/sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX = 400, ID_MAX = 120 };

void lapor_item_clear(struct lapor_item *it) {
    char **strings[] = { &it->id,     &it->item,      &it->title, &it->body,    &it->created,
                         &it->status, &it->name,      &it->phone, &it->address, &it->event,
                         &it->from,   &it->anonymous, &it->secret };
    size_t i;

    for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
        free(*strings[i]);
    json_decref(it->files);
    *it = (struct lapor_item){ 0 };
}

/* ------------------------------------------------------------------------ text */

static void add_placeholder(struct text *t, const char *s, size_t n, const json_t *values) {
    char *name = text_clean_line(s, n, 60);
    const char *value = json_string_value(json_object_get(values, name));

    text_add(t, value != NULL ? value : name);
    free(name);
}

char *lapor_plain(const char *s, const json_t *values) {
    struct text t = TEXT_INIT;
    struct prose p;
    const char *close;
    char *clean, *plain;

    if (s == NULL)
        return NULL;
    while (*s != '\0') {
        close = s[0] == '{' && s[1] == '{' ? strstr(s, "}}") : NULL;
        if (close != NULL) {
            add_placeholder(&t, s + 2, (size_t)(close - s - 2), values);
            s = close + 2;
        } else {
            text_add_char(&t, *s++);
        }
    }
    clean = text_clean(t.s != NULL ? t.s : "", t.len);
    text_free(&t);
    if (strchr(clean, '<') == NULL && strchr(clean, '&') == NULL)
        return clean;
    prose_from_html(clean, strlen(clean), &p);
    plain = xstrdup(p.text);
    prose_clear(&p);
    free(clean);
    return plain;
}

/* --------------------------------------------------------------------- records */

static void hand_over(struct lapor_walk *w, struct aduan_message *m, const char *slice, size_t len) {
    m->raw = xcalloc(len + 1, 1);
    memcpy(m->raw, slice, len);
    m->raw_len = len;
    if (m->text == NULL)
        m->text = xstrdup("");
    w->count++;
    w->r = w->sink->record(w->sink, m);
    aduan_message_clear(m);
}

/* Its bytes say that they could not be read: alone they might be taken for something else. */
void lapor_unparsed(struct lapor_walk *w, const char *slice, size_t len, const char *note) {
    struct aduan_message m = { .kind = ADUAN_KIND_UNPARSED, .note = xstrdup(note) };
    char digest[SIGN_HEX256], *bytes = sign_base64(slice, len), *text = text_clean(slice, len), *raw;
    json_t *whole =
        json_pack("{s:s, s:s, s:s, s:s}", "lapor", "unparsed", "note", note, "text", text, "bytes", bytes);

    sign_sha256_hex(slice, len, digest);
    m.platform_id = xstrdup(digest);
    raw = json_dumps(whole, JSON_COMPACT);
    hand_over(w, &m, raw, strlen(raw));
    free(raw);
    free(text);
    free(bytes);
    json_decref(whole);
}

int lapor_unparsed_again(struct lapor_walk *w, const json_t *whole) {
    char *bytes = js_text(whole, "bytes"), *note = js_text(whole, "note");
    size_t len = 0;
    uint8_t *slice = bytes != NULL ? sign_unbase64(bytes, strlen(bytes), &len) : NULL;
    bool known;

    if (slice != NULL && note != NULL)
        lapor_unparsed(w, (char *)slice, len, note);
    known = slice != NULL && note != NULL;
    free(note);
    free(bytes);
    free(slice);
    return known ? 0 : -1;
}

static bool is_true(const char *s) {
    char *expressed = NULL;
    json_t *j = json_pack("{s:s}", "v", s != NULL ? s : "");
    bool yes;

    expressed = lapor_value(j, "/v:bool");
    yes = expressed != NULL && strcmp(expressed, "1") == 0;
    free(expressed);
    json_decref(j);
    return yes;
}

int64_t lapor_time_of(const char *s) {
    json_t *j = s != NULL ? json_pack("{s:s}", "v", s) : NULL;
    char *ms = j != NULL ? lapor_value(j, "/v:date") : NULL;
    int64_t at = 0;

    if (ms == NULL && s != NULL &&
        strlen(s) >= 12) /* a converter of the profile has made it a number already */
        (void)text_parse_int(s, 1, INT64_MAX, &at);
    else if (ms != NULL)
        (void)text_parse_int(ms, 1, INT64_MAX, &at);
    free(ms);
    json_decref(j);
    return at;
}

static void keep(json_t *extra, const char *key, const char *value) {
    char *s = value != NULL ? text_clean_line(value, strlen(value), LINE_MAX) : NULL;

    if (s != NULL && s[0] != '\0')
        json_object_set_new(extra, key, json_string(s));
    free(s);
}

static char *line_of(const char *s) {
    char *line = s != NULL ? text_clean_line(s, strlen(s), LINE_MAX) : NULL;

    if (line != NULL && line[0] == '\0') {
        free(line);
        line = NULL;
    }
    return line;
}

/* Files stay on LAPOR: an officer opens them there. The quirk: an object with numeric keys and "docs". */
static void add_file(struct aduan_message *m, const json_t *file) {
    const char *name = js_str(file, "file_name"), *path = js_str(file, "path");
    struct aduan_attachment *a;

    if (!json_is_object(file) || (name == NULL && path == NULL))
        return;
    a = aduan_message_add_attachment(m);
    if (a == NULL)
        return;
    if (name == NULL)
        name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    a->name = text_clean_filename(name, strlen(name));
    a->type = xstrdup("application/octet-stream");
    a->state = ADUAN_ATTACHMENT_FAILED;
    a->note =
        xstrdup("Lampiran ini ada di SP4N-LAPOR!; buka di sana / this file is on SP4N-LAPOR!; open it there");
}

static void add_files(struct aduan_message *m, const json_t *files) {
    const json_t *v, *one;
    const char *key;
    size_t i;

    json_array_foreach(files, i, one) add_file(m, one);
    json_object_foreach((json_t *)(uintptr_t)files, key, v) {
        add_file(m, v);
        json_array_foreach(v, i, one) add_file(m, one);
    }
}

/* "baru", "diproses", …; NULL: nobody knows what it means. Without a [status.map] the names LAPOR is seen to
 * use are known (section 3). */
static const char *state_of(const struct lapor_walk *w, const char *status) {
    static const char *const usual[] = { "Belum Terverifikasi",
                                         "Terverifikasi",
                                         "Sudah Terverifikasi",
                                         "Dalam Proses",
                                         "Selesai",
                                         "Ditolak",
                                         NULL };
    const char *mapped = lapor_get(&w->profile, "status.map", status);
    size_t i;

    if (mapped == NULL && w->profile.count == 0)
        for (i = 0; usual[i] != NULL; i++)
            if (text_compare_nocase(usual[i], status) == 0)
                return "";
    if (mapped == NULL)
        mapped = lapor_get(&w->profile, "status.map", "default");
    return mapped != NULL && strcmp(mapped, "periksa_manual") != 0 ? mapped : NULL;
}

static void add_status(struct lapor_walk *w, struct aduan_message *m, const struct lapor_item *it) {
    char *status = line_of(it->status);
    const char *state = status != NULL ? state_of(w, status) : "";

    if (status != NULL && state == NULL)
        m->note =
            xasprintf("Status \"%s\" dari LAPOR! tidak dikenal, periksa / LAPOR's status \"%s\" is unknown, "
                      "please check",
                      status, status);
    if (m->kind == ADUAN_KIND_SYSTEM) {
        free(m->text);
        m->text = xasprintf("Status di SP4N-LAPOR! / status there: %s", status != NULL ? status : "-");
    }
    keep(m->extra, "status", status);
    if (state != NULL && state[0] != '\0')
        keep(m->extra, "state", state);
    free(status);
}

/* A list that tells two things of one report: the second is no repeat, and which is right only a person can
 * say. */
static bool contradicts(struct lapor_walk *w, const char *id, const struct lapor_item *it) {
    const char *body = it->body != NULL ? it->body : "",
               *before = json_string_value(json_object_get(w->bodies, id));
    char *clean;

    if (it->item != NULL)
        return false;
    if (w->bodies == NULL)
        w->bodies = json_object();
    clean = text_clean(body, strlen(body));
    if (before == NULL)
        json_object_set_new(w->bodies, id, json_string(clean));
    else if (strcmp(before, clean) == 0)
        before = NULL;
    free(clean);
    return before != NULL;
}

void lapor_emit(struct lapor_walk *w, struct lapor_item *it, const char *slice, size_t len) {
    struct aduan_message m = { .kind = ADUAN_KIND_MESSAGE };
    bool status = it->item != NULL && text_starts(it->item, "status:");
    bool anonymous = is_true(it->anonymous), secret = is_true(it->secret);
    char *id = text_clean_line(it->id, strlen(it->id), LINE_MAX);
    char *item = it->item != NULL ? text_clean_line(it->item, strlen(it->item), LINE_MAX) : NULL;

    if (id[0] == '\0' || strlen(id) > ID_MAX) {
        lapor_unparsed(w, slice, len, "Nomor laporan (tracking id) tidak wajar / this is no tracking id");
        free(id);
        free(item);
        return;
    }
    if (contradicts(w, id, it)) {
        lapor_unparsed(w, slice, len,
                       "Nomor laporan ini sudah ada di daftar yang sama dengan isi lain / this list has the "
                       "report twice, with different texts");
        free(id);
        free(item);
        return;
    }
    m.kind = it->own ? ADUAN_KIND_ECHO : status ? ADUAN_KIND_SYSTEM : ADUAN_KIND_MESSAGE;
    m.platform_id = item != NULL ? xasprintf("%s:%s", id, item) : xstrdup(id);
    m.conversation = xstrdup(id);
    m.reply_to = item != NULL ? xstrdup(id) : NULL;
    m.subject = line_of(it->title);
    m.text = it->body != NULL ? text_clean(it->body, strlen(it->body)) : NULL;
    m.sent_at = lapor_time_of(it->created);
    if (!anonymous)
        m.sender.name = line_of(it->name);
    m.extra = json_object();
    keep(m.extra, "tracking_id", id);
    keep(m.extra, "name", it->name); /* the office may know it, the public may not */
    keep(m.extra, "address", it->address);
    keep(m.extra, "phone", it->phone);
    keep(m.extra, "when", it->event);
    keep(m.extra, "confidentiality",
         anonymous ? (secret ? "anonim_rahasia" : "anonim")
         : secret  ? "rahasia"
                   : NULL);
    add_status(w, &m, it);
    add_files(&m, it->files);
    hand_over(w, &m, slice, len);
    free(id);
    free(item);
}

/* ------------------------------------------------------------------------ mail */

struct letter {
    struct aduan_sink sink;
    char *text;
};

static int take_text(struct aduan_sink *sink, struct aduan_message *m) {
    struct letter *l = (struct letter *)sink;

    if (l->text == NULL && m->text != NULL)
        l->text = xasprintf("%s\n%s", m->text, m->quoted != NULL ? m->quoted : "");
    aduan_message_clear(m);
    return 0;
}

static bool looks_like_mail(const char *s, size_t n) {
    static const char *const names[] = { "Received:",     "Return-Path:",  "From:",
                                         "MIME-Version:", "Delivered-To:", "Message-ID:" };
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (n > strlen(names[i]) && text_starts_nocase(s, names[i]))
            return true;
    return false;
}

/* A mail as a file: its text by the mail connector's own reader. */
static char *mail_text(const struct aduan_bytes *in) {
    struct email_settings s = { .address = (char *)(uintptr_t) "" };
    struct letter l = { .sink = { .record = take_text } };

    (void)email_parse(&s, in, &l.sink);
    return l.text;
}

static int read_text(struct lapor_walk *w, char *text) {
    int r = text != NULL && lapor_notice_like(text, strlen(text)) ? lapor_notice(w, text, strlen(text)) : -1;

    free(text);
    return r;
}

int lapor_parse(const void *settings, const struct aduan_bytes *in, struct aduan_sink *sink) {
    struct lapor_walk w = { .settings = settings, .sink = sink, .in = in };
    json_t *json = NULL;
    size_t lead = 0;
    int r;

    if (in->len == 0)
        return -1;
    if (w.settings != NULL && w.settings->profile != NULL && w.settings->profile[0] != '\0')
        (void)lapor_profile_read(w.settings->profile, NULL, NULL, &w.profile);
    while (lead < in->len && strchr(" \t\r\n\xef\xbb\xbf", ((const char *)in->bytes)[lead]) != NULL)
        lead++;
    if (lead < in->len && strchr("[{", ((const char *)in->bytes)[lead]) != NULL)
        json = js_load((const char *)in->bytes + lead, in->len - lead);
    if (json != NULL) {
        r = lapor_json(&w, json);
    } else if (looks_like_mail(in->bytes, in->len)) {
        r = read_text(&w, mail_text(in));
    } else {
        /* The head of a table is sure; a cell of it may well read like a notice. */
        r = lapor_csv(&w);
        if (r < 0 && w.count == 0)
            r = read_text(&w, text_clean(in->bytes, in->len));
    }
    json_decref(json);
    json_decref(w.bodies);
    lapor_profile_clear(&w.profile);
    return w.r < 0 ? w.r : r;
}
