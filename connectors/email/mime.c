/* mime.c: walks GMime's tree and sorts what it finds into text and attachments. */
#include "mime.h"

#include "address.h"
#include "prose.h"
#include "scan.h"
#include "tnef.h"
#include "words.h"

#include <gmime/gmime.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = SCAN_DEPTH_MAX + 2, EMBEDDED_MAX = 64 * 1024 * 1024 };

/* The faces of one multipart/alternative. */
struct choice {
    struct text plain;
    struct text html, html_quoted;
};

struct walk {
    struct mime *x;
    struct choice *choice; /* inside an alternative */
    unsigned depth;
    bool report;
};

static void walk_object(struct walk *w, GMimeObject *o);

static void add_note(struct mime *x, const char *note) {
    if (x->note.s != NULL && strstr(x->note.s, note) != NULL)
        return;
    if (x->note.len > 0)
        text_add(&x->note, "; ");
    text_add(&x->note, note);
}

static void add_paragraph(struct text *t, const char *s) {
    if (s == NULL || s[strspn(s, " \n\t")] == '\0')
        return;
    if (t->len > 0)
        text_add(t, "\n\n");
    text_add(t, s);
}

static bool is_blank(const struct text *t) {
    return t->s == NULL || t->s[strspn(t->s, " \n\t\r")] == '\0';
}

/* ------------------------------------------------------------------- texts */

static void add_plain(struct mime *x, const char *plain) {
    struct prose p;

    prose_split(plain, &p);
    add_paragraph(&x->text, p.text);
    add_paragraph(&x->quoted, p.quoted);
    add_paragraph(&x->signature, p.signature);
    prose_clear(&p);
    if (strstr(plain, "-----BEGIN PGP MESSAGE-----") != NULL)
        add_note(x, "terenkripsi PGP, tidak dapat dibaca di sini / encrypted with PGP, cannot be read here");
}

/* GMime drops the end of base64 without padding. */
static GByteArray *unbase64(GMimeStream *coded) {
    GByteArray *bytes = g_byte_array_new();
    struct text t = TEXT_INIT, plain = TEXT_INIT;
    char buf[16384];
    ssize_t n;

    g_mime_stream_reset(coded);
    while ((n = g_mime_stream_read(coded, buf, sizeof(buf))) > 0)
        text_add_n(&t, buf, (size_t)n);
    words_base64(&plain, t.s, t.len);
    if (plain.len > 0)
        g_byte_array_append(bytes, (const guint8 *)plain.s, (guint)plain.len);
    text_free(&t);
    text_free(&plain);
    return bytes;
}

static GByteArray *decoded(GMimePart *part) {
    GMimeDataWrapper *content = g_mime_part_get_content(part);
    GMimeStream *stream = g_mime_stream_mem_new();
    GByteArray *bytes = g_byte_array_new();

    g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(stream), bytes);
    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
    if (content != NULL)
        g_mime_data_wrapper_write_to_stream(content, stream);
    g_object_unref(stream);
    return bytes;
}

static const char *type_parameter(GMimeObject *o, const char *name) {
    GMimeContentType *type = g_mime_object_get_content_type(o);

    return type != NULL ? g_mime_content_type_get_parameter(type, name) : NULL;
}

static GByteArray *part_bytes(GMimePart *part) {
    GMimeDataWrapper *content = g_mime_part_get_content(part);

    if (content != NULL && g_mime_data_wrapper_get_encoding(content) == GMIME_CONTENT_ENCODING_BASE64)
        return unbase64(g_mime_data_wrapper_get_stream(content));
    return decoded(part);
}

/* What <meta> says, where MIME says nothing. */
static char *meta_charset(const char *html, size_t n) {
    char *head = n > 0 ? xstrndup(html, n < 2048 ? n : 2048) : xstrdup(""), *found = NULL;
    const char *s = text_find_nocase(head, "charset=");

    if (s != NULL) {
        s += 8;
        s += strspn(s, "\"' ");
        found = xstrndup(s, strcspn(s, "\"' ;/>"));
    }
    free(head);
    return found;
}

static void add_html(struct walk *w, const GByteArray *bytes, const char *charset) {
    char *guess = charset == NULL ? meta_charset((const char *)bytes->data, bytes->len) : NULL;
    char *html = words_to_utf8(bytes->data, bytes->len, charset != NULL ? charset : guess);
    struct prose p;

    prose_from_html(html, strlen(html), &p);
    if (w->choice != NULL) {
        add_paragraph(&w->choice->html, p.text);
        add_paragraph(&w->choice->html_quoted, p.quoted);
    } else {
        add_plain(w->x, p.text);
        add_paragraph(&w->x->quoted, p.quoted);
    }
    prose_clear(&p);
    free(html);
    free(guess);
}

static void add_text_part(struct walk *w, GMimeObject *o, bool html) {
    GByteArray *bytes = part_bytes(GMIME_PART(o));
    const char *charset = type_parameter(o, "charset"), *format = type_parameter(o, "format");
    const char *delsp = type_parameter(o, "delsp");
    char *text, *flat;

    if (html) {
        add_html(w, bytes, charset);
        g_byte_array_unref(bytes);
        return;
    }
    text = words_to_utf8(bytes->data, bytes->len, charset);
    if (format != NULL && g_ascii_strcasecmp(format, "flowed") == 0) {
        flat = prose_unflow(text, delsp != NULL && g_ascii_strcasecmp(delsp, "yes") == 0);
        free(text);
        text = flat;
    }
    if (w->choice != NULL)
        add_paragraph(&w->choice->plain, text);
    else
        add_plain(w->x, text);
    free(text);
    g_byte_array_unref(bytes);
}

/* ------------------------------------------------------------- attachments */

static const char *suffix_of(const char *type) {
    static const struct {
        const char *type, *suffix;
    } table[] = {
        { "image/jpeg", ".jpg" },      { "image/png", ".png" },       { "image/gif", ".gif" },
        { "image/heic", ".heic" },     { "image/webp", ".webp" },     { "application/pdf", ".pdf" },
        { "text/calendar", ".ics" },   { "message/rfc822", ".eml" },  { "text/html", ".html" },
        { "text/plain", ".txt" },      { "text/csv", ".csv" },        { "audio/ogg", ".ogg" },
        { "video/mp4", ".mp4" },       { "application/zip", ".zip" }, { "application/ms-tnef", ".dat" },
        { "application/rtf", ".rtf" },
    };
    size_t i;

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strcmp(table[i].type, type) == 0)
            return table[i].suffix;
    return "";
}

static struct aduan_attachment *add_attachment(struct mime *x, char *name, const char *type, const void *bytes,
                                               size_t n) {
    struct aduan_attachment *a = aduan_message_add_attachment(x->m);

    if (a == NULL)
        abort(); /* only without memory */
    a->type = text_lower(type);
    a->name = name != NULL ? name : xasprintf("lampiran%s", suffix_of(a->type));
    a->data = xcalloc(1, n > 0 ? n : 1);
    if (n > 0)
        memcpy(a->data, bytes, n);
    a->data_len = n;
    a->size = (int64_t)n;
    return a;
}

/* From Content-Disposition or Content-Type; NULL: it has none. */
static char *part_name(GMimeObject *o) {
    const char *raw = g_mime_object_get_content_disposition_parameter(o, "filename");
    char *line, *name;

    if (raw == NULL || raw[0] == '\0')
        raw = type_parameter(o, "name");
    if (raw == NULL || raw[0] == '\0')
        return NULL;
    line = words_decode(raw, strlen(raw), 1000);
    name = text_clean_filename(line, strlen(line));
    free(line);
    return name;
}

static void add_tnef_file(void *arg, const struct tnef_file *f) {
    char *line = words_to_utf8(f->name != NULL ? f->name : "", f->name_len, NULL);
    char *name = text_clean_filename(line, strlen(line));

    add_attachment(arg, name, "application/octet-stream", f->data, f->len);
    free(line);
}

static void open_tnef(struct walk *w, const GByteArray *bytes) {
    const char *body = NULL;
    size_t body_len = 0;
    char *text;
    int r = tnef_each(bytes->data, bytes->len, add_tnef_file, w->x, &body, &body_len);

    if (r <= 0)
        add_note(w->x, "winmail.dat (Outlook) disimpan / winmail.dat kept as it is");
    if (r < 0 || body == NULL || !is_blank(&w->x->text))
        return;
    text = words_to_utf8(body, body_len, NULL);
    add_plain(w->x, text);
    free(text);
}

static void add_leaf(struct walk *w, GMimeObject *o, const char *type) {
    GByteArray *bytes = part_bytes(GMIME_PART(o));
    char *name = part_name(o);

    if (name == NULL && strcmp(type, "text/calendar") == 0)
        name = xstrdup("undangan.ics");
    add_attachment(w->x, name, type, bytes->data, bytes->len);
    if (strcmp(type, "application/ms-tnef") == 0 || strcmp(type, "application/vnd.ms-tnef") == 0)
        open_tnef(w, bytes);
    if (strcmp(type, "application/pkcs7-mime") == 0 || strcmp(type, "application/x-pkcs7-mime") == 0)
        add_note(w->x, "S/MIME: isi disimpan sebagai lampiran / content kept as an attachment");
    g_byte_array_unref(bytes);
}

static void add_embedded(struct walk *w, GMimeObject *o) {
    GMimeMessage *message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(o));
    GByteArray *bytes = g_byte_array_new();
    GMimeStream *stream = g_mime_stream_mem_new();
    const char *subject = message != NULL ? g_mime_message_get_subject(message) : NULL;
    char *name = part_name(o), *with_suffix;

    g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(stream), bytes);
    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
    if (message != NULL)
        g_mime_object_write_to_stream(GMIME_OBJECT(message), NULL, stream);
    g_object_unref(stream);
    if (name == NULL) {
        with_suffix = xasprintf("%.120s.eml", subject != NULL && subject[0] != '\0' ? subject : "pesan");
        name = text_clean_filename(with_suffix, strlen(with_suffix));
        free(with_suffix);
    }
    add_attachment(w->x, name, "message/rfc822", bytes->data, bytes->len);
    g_byte_array_unref(bytes);
}

/* ------------------------------------------------------------------ reports */

static void keep_original(struct mime *x, const char *header) {
    const char *s = header;

    if (x->original == NULL && header != NULL)
        x->original = address_next_id(&s);
}

/* The machine's parts of a multipart/report. true: taken. */
static bool take_report_part(struct walk *w, GMimeObject *o, const char *type) {
    char **member = NULL, *id;
    GByteArray *bytes;

    if (GMIME_IS_MESSAGE_PART(o)) {
        GMimeMessage *message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(o));
        const char *original =
            message != NULL ? g_mime_object_get_header(GMIME_OBJECT(message), "Message-ID") : NULL;

        keep_original(w->x, original);
        return w->x->original != NULL;
    }
    if (strcmp(type, "message/delivery-status") == 0 || strcmp(type, "message/global-delivery-status") == 0)
        member = &w->x->delivery;
    else if (strcmp(type, "message/disposition-notification") == 0)
        member = &w->x->disposition;
    else if (strcmp(type, "text/rfc822-headers") != 0 && strcmp(type, "message/global-headers") != 0)
        return false;
    bytes = part_bytes(GMIME_PART(o));
    if (member != NULL && *member == NULL) {
        *member = words_to_utf8(bytes->data, bytes->len, NULL);
    } else if (member == NULL) {
        id = scan_header((const char *)bytes->data, bytes->len, "Message-ID");
        keep_original(w->x, id);
        free(id);
    }
    g_byte_array_unref(bytes);
    return true;
}

/* --------------------------------------------------------------------- tree */

static void settle_choice(struct walk *w, struct choice *c) {
    if (w->choice != NULL) { /* an alternative inside another: hand both faces up */
        add_paragraph(&w->choice->plain, c->plain.s);
        add_paragraph(&w->choice->html, c->html.s);
        add_paragraph(&w->choice->html_quoted, c->html_quoted.s);
    } else if (!is_blank(&c->plain)) {
        add_plain(w->x, c->plain.s);
    } else if (c->html.s != NULL) {
        add_plain(w->x, c->html.s);
        add_paragraph(&w->x->quoted, c->html_quoted.s);
    }
    text_free(&c->plain);
    text_free(&c->html);
    text_free(&c->html_quoted);
}

static void walk_multipart(struct walk *w, GMimeObject *o, const char *type) {
    struct choice choice = { TEXT_INIT, TEXT_INIT, TEXT_INIT }, *outer = w->choice;
    bool alternative = strcmp(type, "multipart/alternative") == 0, report = w->report;
    int i, n = g_mime_multipart_get_count(GMIME_MULTIPART(o));

    if (strcmp(type, "multipart/encrypted") == 0)
        add_note(w->x, "terenkripsi, tidak dapat dibaca di sini / encrypted, cannot be read here");
    if (strcmp(type, "multipart/signed") == 0)
        add_note(w->x,
                 "ditandatangani secara digital, tanda tangan tidak diperiksa / signed, signature not checked");
    if (alternative)
        w->choice = &choice;
    w->report = strcmp(type, "multipart/report") == 0;
    for (i = 0; i < n; i++)
        walk_object(w, g_mime_multipart_get_part(GMIME_MULTIPART(o), i));
    w->report = report;
    w->choice = outer;
    if (alternative)
        settle_choice(w, &choice);
}

static bool is_shown(GMimeObject *o, const char *type) {
    const char *disposition = g_mime_object_get_disposition(o);

    if (disposition != NULL && g_ascii_strcasecmp(disposition, "attachment") == 0)
        return false;
    if (strcmp(type, "text/plain") != 0 && strcmp(type, "text/html") != 0)
        return false;
    return g_mime_object_get_content_disposition_parameter(o, "filename") == NULL &&
           type_parameter(o, "name") == NULL;
}

static void walk_part(struct walk *w, GMimeObject *o, const char *type) {
    static const char *const dropped[] = { "text/x-amp-html", "text/enriched", "application/pkcs7-signature",
                                           "application/x-pkcs7-signature", "application/pgp-signature" };
    size_t i;

    if (w->report && take_report_part(w, o, type))
        return;
    if (GMIME_IS_MESSAGE_PART(o)) {
        add_embedded(w, o);
        return;
    }
    if (!GMIME_IS_PART(o))
        return;
    for (i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
        if (strcmp(type, dropped[i]) == 0)
            return; /* another face of a shown text, or a signature nobody checks: in raw */
    if (is_shown(o, type))
        add_text_part(w, o, strcmp(type, "text/html") == 0);
    else
        add_leaf(w, o, type);
}

static void walk_object(struct walk *w, GMimeObject *o) {
    GMimeContentType *content = g_mime_object_get_content_type(o);
    char *mime = content != NULL ? g_mime_content_type_get_mime_type(content) : NULL;
    char *type = text_lower(mime != NULL ? mime : "text/plain");

    g_free(mime);
    if (w->depth >= DEPTH_MAX || ++w->x->parts > SCAN_PARTS_MAX) {
        w->x->cut = true;
    } else {
        w->depth++;
        if (GMIME_IS_MULTIPART(o))
            walk_multipart(w, o, type);
        else
            walk_part(w, o, type);
        w->depth--;
    }
    free(type);
}

int mime_read(const char *mail, size_t n, struct aduan_message *m, struct mime *ret) {
    static bool ready;
    GMimeStream *stream;
    GMimeParser *parser;
    GMimeMessage *message;
    struct walk w = { .x = ret };

    memset(ret, 0, sizeof(*ret));
    ret->m = m;
    if (!ready) {
        g_mime_init();
        ready = true;
    }
    stream = g_mime_stream_mem_new_with_buffer(mail, n);
    parser = g_mime_parser_new_with_stream(stream);
    g_mime_parser_set_persist_stream(parser, TRUE);
    message = g_mime_parser_construct_message(parser, NULL);
    if (message != NULL && g_mime_message_get_mime_part(message) != NULL)
        walk_object(&w, g_mime_message_get_mime_part(message));
    text_add(&ret->text, "");
    if (message != NULL)
        g_object_unref(message);
    g_object_unref(parser);
    g_object_unref(stream);
    return message != NULL ? 0 : -1;
}

void mime_clear(struct mime *x) {
    text_free(&x->text);
    text_free(&x->quoted);
    text_free(&x->signature);
    text_free(&x->note);
    free(x->delivery);
    free(x->disposition);
    free(x->original);
    memset(x, 0, sizeof(*x));
}

int64_t mime_date(const char *value) {
    GDateTime *date = value != NULL ? g_mime_utils_header_decode_date(value) : NULL;
    int64_t ms;

    if (date == NULL)
        return 0;
    ms = g_date_time_to_unix(date) * 1000;
    g_date_time_unref(date);
    return ms > 0 ? ms : 0;
}
