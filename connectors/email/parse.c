/*
 * parse.c: one mail to one record.
 *
 * What breaks a limit, or cannot be read, becomes a stub that shows who wrote
 * and about what, made by the pre-scan alone; the raw bytes are kept anyway.
 */
#include "email.h"

#include "address.h"
#include "mime.h"
#include "report.h"
#include "scan.h"
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { REFERENCES_MAX = 100, SUBJECT_MAX = 1000 };

struct mail {
    const struct email_settings *settings;
    const struct aduan_bytes *in;
    const char *bytes;
    size_t len, head; /* head: length of the header block */
    struct aduan_message m;
};

static char *field(const struct mail *mail, const char *name) {
    return scan_header(mail->bytes, mail->head, name);
}

static char *field_line(const struct mail *mail, const char *name, size_t max) {
    char *raw = field(mail, name), *line = NULL;

    if (raw != NULL)
        line = words_decode(raw, strlen(raw), max);
    free(raw);
    return line;
}

static const char *own_domain(const struct email_settings *s) {
    const char *at = strrchr(s->address, '@');

    return at != NULL ? at + 1 : "";
}

/* ------------------------------------------------------------------ header */

static void read_sender(struct mail *mail) {
    struct aduan_person *p = &mail->m.sender;
    char *from = field(mail, "From"), *address = NULL;

    if (from == NULL || !address_first(from, &p->name, &address)) {
        free(from);
        from = field(mail, "Sender");
        if (from == NULL || !address_first(from, &p->name, &address)) {
            free(from);
            from = field(mail, "Return-Path");
            address_first(from, &p->name, &address);
        }
    }
    free(from);
    if (address == NULL)
        return;
    p->address = text_lower(address);
    p->id = xstrdup(p->address);
    free(address);
}

static bool has_reference(const struct aduan_message *m, const char *id) {
    size_t i;

    for (i = 0; i < m->reference_count; i++)
        if (strcmp(m->references[i], id) == 0)
            return true;
    return false;
}

/* The first and the newest: a long thread is cut in its middle. */
static void add_reference(struct aduan_message *m, const char *id) {
    if (has_reference(m, id))
        return;
    if (m->reference_count == REFERENCES_MAX) {
        free(m->references[1]);
        memmove(&m->references[1], &m->references[2], (REFERENCES_MAX - 2) * sizeof(char *));
        m->references[REFERENCES_MAX - 1] = xstrdup(id);
        return;
    }
    if (aduan_message_add_reference(m, id) < 0)
        abort();
}

static void read_thread(struct mail *mail) {
    static const char *const names[] = { "References", "In-Reply-To" };
    struct aduan_message *m = &mail->m;
    char *own = field(mail, "Message-ID");
    const char *s = own;
    size_t i;

    m->message_id = own != NULL ? address_next_id(&s) : NULL;
    if (m->message_id == NULL && own != NULL && own[0] != '\0' && strchr(own, ' ') == NULL)
        m->message_id = text_clean_line(own, strlen(own), 500);
    free(own);
    for (i = 0; i < 2; i++) {
        char *value = field(mail, names[i]), *id;
        bool first = true;

        for (s = value; (id = address_next_id(&s)) != NULL; free(id)) {
            add_reference(m, id);
            if (i == 1 && first)
                m->reply_to = xstrdup(id);
            first = false;
        }
        free(value);
    }
    if (m->reply_to == NULL && m->reference_count > 0)
        m->reply_to = xstrdup(m->references[m->reference_count - 1]);
}

static void keep_extra(struct aduan_message *m, const char *key, char *value) {
    if (value != NULL && value[0] != '\0') {
        if (m->extra == NULL)
            m->extra = json_object();
        json_object_set_new(m->extra, key, json_string(value));
    }
    free(value);
}

static void read_header(struct mail *mail) {
    struct aduan_message *m = &mail->m;
    char id[41], *reply_to, *name = NULL, *address = NULL;

    scan_id(mail->bytes, mail->len, id);
    m->platform_id = xstrdup(mail->in->id != NULL && mail->in->id[0] != '\0' ? mail->in->id : id);
    m->to = text_lower(mail->settings->address);
    m->received_at = mail->in->received_at;
    m->subject = field_line(mail, "Subject", SUBJECT_MAX);
    read_sender(mail);
    read_thread(mail);
    m->conversation = xstrdup(m->sender.address != NULL ? m->sender.address : m->platform_id);
    m->flags |= address_flags(mail->bytes, mail->head, m->sender.address, mail->settings->address);
    keep_extra(m, "to", field_line(mail, "To", 2000));
    keep_extra(m, "cc", field_line(mail, "Cc", 2000));
    reply_to = field(mail, "Reply-To");
    if (address_first(reply_to, &name, &address) &&
        (m->sender.address == NULL || strcasecmp(address, m->sender.address) != 0)) {
        keep_extra(m, "reply_to", address);
        address = NULL;
    }
    free(reply_to);
    free(name);
    free(address);
}

/* -------------------------------------------------------------------- body */

static void add_note(struct aduan_message *m, const char *note) {
    char *old = m->note;

    m->note = old != NULL ? xasprintf("%s; %s", old, note) : xstrdup(note);
    free(old);
}

static void make_stub(struct mail *mail, const char *why) {
    struct aduan_message *m = &mail->m;
    char *note = xasprintf("Surat tidak dapat dibaca dengan aman / mail not safe to read: %s", why);

    m->kind = ADUAN_KIND_UNPARSED;
    if (m->text == NULL)
        m->text = xstrdup("");
    add_note(m, note);
    free(note);
}

static void make_partial(struct mail *mail) {
    const char *after = mail->settings->imap.after, *where = "isi tetap di kotak surat / too large: only its "
                                                             "header was fetched, the mail is still in the box";
    char *note, *moved = NULL;

    if (after != NULL && text_starts(after, "move:"))
        where = moved =
            xasprintf("isi tetap di server surat, di folder \"%.80s\" / too large: only its header was "
                      "fetched, the mail is still on the server, in folder \"%.80s\"",
                      after + 5, after + 5);
    note = xasprintf("Surat terlalu besar (%lld KiB): hanya kepalanya diambil, %s",
                     (long long)(mail->in->whole_size / 1024), where);
    free(moved);
    mail->m.kind = ADUAN_KIND_MESSAGE;
    mail->m.flags |= ADUAN_MESSAGE_PARTIAL;
    mail->m.text = xstrdup("");
    add_note(&mail->m, note);
    free(note);
}

static bool is_ours(const struct mail *mail, const char *id) {
    const char *at = id != NULL ? strrchr(id, '@') : NULL;

    return at != NULL && strcasecmp(at + 1, own_domain(mail->settings)) == 0;
}

/* A report about a mail of ours is its status; about anything else, or without a verdict, it is for an
 * officer to read. */
static void settle_report(struct mail *mail, struct report *r, const char *original) {
    struct aduan_message *m = &mail->m;

    m->kind = ADUAN_KIND_SYSTEM;
    m->flags |= ADUAN_MESSAGE_AUTOMATIC;
    if (r->reason != NULL)
        add_note(m, r->reason);
    if (r->recipient != NULL) {
        free(m->conversation);
        m->conversation = xstrdup(r->recipient);
    }
    if (original != NULL) {
        free(m->reply_to);
        m->reply_to = xstrdup(original);
    }
    if (r->state != NULL && strcmp(r->state, "failed") == 0)
        m->flags |= ADUAN_MESSAGE_BOUNCE;
    if (r->state == NULL || !is_ours(mail, original))
        return;
    m->kind = ADUAN_KIND_STATUS;
    m->status.state = xstrdup(r->state);
    m->status.platform_id = xstrdup(original);
    m->status.reason = r->reason != NULL ? text_clean_line(r->reason, strlen(r->reason), 500) : NULL;
}

static bool is_daemon(const struct mail *mail) {
    const char *a = mail->m.sender.address;

    return a != NULL && (text_starts_nocase(a, "mailer-daemon") || text_starts_nocase(a, "postmaster@") ||
                         text_starts_nocase(a, "mdaemon@"));
}

static void read_report(struct mail *mail, struct mime *x) {
    struct report r = { .state = NULL };
    char *quoted;

    if (x->delivery != NULL) {
        report_delivery(x->delivery, &r);
        settle_report(mail, &r, x->original);
    } else if (x->disposition != NULL) {
        report_disposition(x->disposition, &r);
        settle_report(mail, &r, r.original != NULL ? r.original : x->original);
    } else if (is_daemon(mail)) {
        quoted = report_quoted_id(mail->bytes + mail->head, mail->len - mail->head, own_domain(mail->settings));
        if (quoted != NULL) {
            r.state = "failed";
            r.reason = xstrdup(mail->m.subject != NULL ? mail->m.subject : "returned mail");
            settle_report(mail, &r, quoted);
        }
        free(quoted);
    }
    report_clear(&r);
}

/* An invitation without words still says what it is. */
static void tell_calendar(struct aduan_message *m) {
    static const char *const names[] = { "SUMMARY", "DTSTART", "DTEND", "LOCATION", "ORGANIZER" };
    struct text t = TEXT_INIT;
    size_t i, k;

    for (i = 0; i < m->attachment_count && t.len == 0; i++) {
        const struct aduan_attachment *a = &m->attachments[i];
        char *ics;

        if (strcmp(a->type, "text/calendar") != 0)
            continue;
        ics = words_to_utf8(a->data, a->data_len, "utf-8");
        text_add(&t, "Undangan kalender / calendar invitation");
        for (k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
            char *start = xasprintf("\n%s", names[k]);
            const char *at = strstr(ics, start), *colon;

            colon = at != NULL ? strchr(at, ':') : NULL;
            if (colon != NULL)
                text_addf(&t, "\n%s: %.*s", names[k], (int)strcspn(colon + 1, "\n"), colon + 1);
            free(start);
        }
        free(ics);
    }
    if (t.len > 0) {
        free(m->text);
        m->text = text_clean(t.s, t.len);
    }
    text_free(&t);
}

static char *steal_or_null(struct text *t) {
    return t->len > 0 ? text_steal(t) : NULL;
}

static void read_body(struct mail *mail) {
    struct aduan_message *m = &mail->m;
    char *date = field(mail, "Date");
    struct mime x;

    if (mime_read(mail->bytes, mail->len, m, &x) < 0) {
        make_stub(mail, "bukan surat / not a mail");
    } else {
        m->kind = ADUAN_KIND_MESSAGE;
        m->sent_at = mime_date(date);
        m->text = text_steal(&x.text);
        m->quoted = steal_or_null(&x.quoted);
        keep_extra(m, "signature", steal_or_null(&x.signature));
        if (x.note.len > 0)
            add_note(m, x.note.s);
        if (x.cut)
            make_stub(mail, "terlalu banyak bagian / too many parts");
        if (m->text[strspn(m->text, " \n\t")] == '\0')
            tell_calendar(m);
        read_report(mail, &x);
    }
    mime_clear(&x);
    free(date);
}

int email_parse(const void *settings, const struct aduan_bytes *in, struct aduan_sink *sink) {
    struct mail mail = {
        .settings = settings, .in = in, .bytes = in->len > 0 ? in->bytes : "", .len = in->len
    };
    const char *fault = scan_limits(mail.bytes, mail.len);
    int r;

    mail.head = scan_body(mail.bytes, mail.len);
    read_header(&mail);
    if (fault != NULL)
        make_stub(&mail, fault);
    else if (in->whole_size > (int64_t)in->len)
        make_partial(&mail);
    else
        read_body(&mail);
    r = sink->record(sink, &mail.m);
    aduan_message_clear(&mail.m);
    return r;
}
