/* email.c: the settings of a mail account and the proof that its mail is read. */
#include "email.h"

#include "address.h"
#include "mime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const auth_names[] = { "password", "xoauth2", NULL };
static const char *const imap_schemes[] = { "imaps", "imap", NULL };
static const char *const smtp_schemes[] = { "smtps", "smtp", NULL };
static const char *const https_schemes[] = { "https", "http", NULL };

enum { MINUTE = 60 * 1000, KIB = 1024, MIB = 1024 * 1024 };
#define DAY ((int64_t)24 * 60 * MINUTE)

static const struct aduan_setting imap_table[] = {
    ADUAN_SET_URL("url", struct email_imap_settings, url, NULL, imap_schemes, ADUAN_REQUIRED,
                  "Server IMAP, mis. imaps://imap.gmail.com:993 / the IMAP server"),
    ADUAN_SET_STRING("user", struct email_imap_settings, user, "", 0,
                     "Nama masuk; kosong: alamat / login name; empty: the address"),
    ADUAN_SET_SECRET("password", struct email_imap_settings, password, ADUAN_FOR_RECEIVE | ADUAN_FOR_SEND,
                     "Kata sandi (aplikasi) / the (app) password"),
    ADUAN_SET_STRING("mailbox", struct email_imap_settings, mailbox, "INBOX", 0,
                     "Kotak yang dibaca / mailbox to read"),
    ADUAN_SET_BOOL("idle", struct email_imap_settings, idle, "true",
                   "Menunggu surat dengan IDLE bila server bisa / wait by IDLE where the server can"),
    ADUAN_SET_DURATION("poll", struct email_imap_settings, poll, "60s", 1000, 60 * MINUTE,
                       "Jarak antar tanya tanpa IDLE / how often to ask without IDLE"),
    ADUAN_SET_STRING(
        "after", struct email_imap_settings, after, "keep", 0,
        "Setelah diterima: keep, seen, atau move:FOLDER / once accepted: leave, mark seen, or move"),
    ADUAN_SET_SIZE("limit", struct email_imap_settings, limit, "30MiB", 64 * KIB, 100 * MIB,
                   "Surat lebih besar hanya diambil kepalanya / of larger mails only the header is fetched"),
    ADUAN_SET_DURATION(
        "backlog", struct email_imap_settings, backlog, "3d", 0, 3650 * DAY,
        "Kontak pertama: surat setua ini juga diambil / first contact: also take mail of this age"),
    ADUAN_SET_END,
};

const struct aduan_setting email_smtp_table[] = {
    ADUAN_SET_URL("url", struct email_smtp_settings, url, NULL, smtp_schemes, ADUAN_REQUIRED,
                  "Server SMTP, mis. smtps://smtp.gmail.com:465 / the submission server"),
    ADUAN_SET_STRING("user", struct email_smtp_settings, user, "", 0,
                     "Nama masuk; kosong: seperti imap / login name; empty: as for imap"),
    ADUAN_SET_SECRET("password", struct email_smtp_settings, password, ADUAN_FOR_SEND,
                     "Kata sandi; kosong: seperti imap / password; absent: as for imap"),
    ADUAN_SET_SIZE("limit", struct email_smtp_settings, limit, "25MiB", 64 * KIB, 150 * MIB,
                   "Surat keluar terbesar yang diterima penyedia / the largest mail the provider takes"),
    ADUAN_SET_END,
};

static const struct aduan_setting oauth_table[] = {
    ADUAN_SET_URL("token_url", struct oauth2_settings, token_url, "", https_schemes, 0,
                  "Alamat pembaruan token / where tokens are refreshed"),
    ADUAN_SET_STRING("client_id", struct oauth2_settings, client_id, "", 0,
                     "Id aplikasi OAuth / OAuth client id"),
    ADUAN_SET_SECRET("client_secret", struct oauth2_settings, client_secret, ADUAN_FOR_RECEIVE | ADUAN_FOR_SEND,
                     "Rahasia aplikasi OAuth / OAuth client secret"),
    ADUAN_SET_SECRET("refresh_token", struct oauth2_settings, refresh_token, ADUAN_FOR_RECEIVE | ADUAN_FOR_SEND,
                     "Refresh token / the refresh token"),
    ADUAN_SET_STRING("scope", struct oauth2_settings, scope, "", 0,
                     "Cakupan, bila penyedia memintanya / scope, where the provider asks for it"),
    ADUAN_SET_END,
};

const struct aduan_setting email_table[] = {
    ADUAN_SET_STRING("address", struct email_settings, address, NULL, ADUAN_REQUIRED,
                     "Alamat surel kantor / the office's mail address"),
    ADUAN_SET_STRING("from_name", struct email_settings, name, "", 0,
                     "Nama pengirim pada jawaban / display name on answers"),
    ADUAN_SET_CHOICE("auth", struct email_settings, auth, "password", auth_names,
                     "Cara masuk: password atau xoauth2 / how to log in"),
    ADUAN_SET_GROUP("imap", struct email_settings, imap, struct email_imap_settings, imap_table, ADUAN_REQUIRED,
                    "Penerimaan / receiving"),
    ADUAN_SET_GROUP("smtp", struct email_settings, smtp, struct email_smtp_settings, email_smtp_table,
                    ADUAN_REQUIRED, "Pengiriman / sending"),
    ADUAN_SET_GROUP("oauth", struct email_settings, oauth, struct oauth2_settings, oauth_table, 0,
                    "Untuk auth = xoauth2 / for auth = xoauth2"),
    ADUAN_SET_END,
};

void email_check_address(const struct email_settings *s, aduan_fault_fn fault, void *arg) {
    if (s->address[0] != '\0' && !address_is_plain(s->address))
        fault(arg, "address", "is not a plain mail address");
    if (strpbrk(s->name, "\r\n") != NULL)
        fault(arg, "from_name", "must be one line");
}

void email_check(const void *settings, aduan_fault_fn fault, void *arg) {
    const struct email_settings *s = settings;
    const char *after = s->imap.after;

    email_check_address(s, fault, arg);
    if (strpbrk(s->imap.user, "\r\n") != NULL)
        fault(arg, "imap.user", "must be one line");
    if (strcmp(after, "keep") != 0 && strcmp(after, "seen") != 0 &&
        (!text_starts(after, "move:") || after[5] == '\0' || strpbrk(after, "\r\n") != NULL))
        fault(arg, "imap.after", "must be keep, seen or move:FOLDER");
    if (text_starts(after, "move:") && strcasecmp(after + 5, s->imap.mailbox) == 0)
        fault(arg, "imap.after", "moves into the mailbox that is read");
    if (s->imap.mailbox[0] == '\0' || strpbrk(s->imap.mailbox, "\r\n") != NULL)
        fault(arg, "imap.mailbox", "must name a mailbox");
    if (s->auth == EMAIL_AUTH_XOAUTH2) {
        if (s->oauth.token_url[0] == '\0')
            fault(arg, "oauth.token_url", "is needed for auth = \"xoauth2\"");
        if (s->oauth.client_id[0] == '\0')
            fault(arg, "oauth.client_id", "is needed for auth = \"xoauth2\"");
    } else if (s->smtp.password.bytes != NULL && s->imap.password.bytes == NULL) {
        fault(arg, "imap.password", "is needed for auth = \"password\"");
    }
}

const char *email_address(const void *settings) {
    return ((const struct email_settings *)settings)->address;
}

/* ---------------------------------------------------------------- selftest */

static const char sample[] =
    "From: =?utf-8?q?Siti_R=C3=A4hma?= <Siti@Example.NET>\r\n"
    "To: pengaduan@kantor.example\r\n"
    "Message-ID: <a1@example.net>\r\n"
    "In-Reply-To: <t.1@kantor.example>\r\n"
    "Date: Sat, 19 Sep 2026 14:20:00 +0700\r\n"
    "Subject: =?utf-8?q?Keluhan=3A_paspor_=E2=80=93?= =?utf-8?q?_lama?=\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/plain; charset=windows-1252\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    "Terlampir =96 bukti.\r\n\r\nPada Sab, 19 Sep 2026, Kantor <a@b>\r\nmenulis:\r\n> Halo\r\n"
    "--b\r\nContent-Type: application/pdf\r\n"
    "Content-Disposition: attachment; filename*=UTF-8''bukti%20%E2%80%93.pdf\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQK\r\n--b--\r\n";

struct proof {
    struct aduan_sink sink;
    struct aduan_message m;
    int count;
};

static int take(struct aduan_sink *sink, struct aduan_message *m) {
    struct proof *p = (struct proof *)sink;

    aduan_message_clear(&p->m);
    p->m = *m;
    memset(m, 0, sizeof(*m));
    p->count++;
    return 0;
}

static const char *judge(const struct proof *p) {
    const struct aduan_message *m = &p->m;

    if (p->count != 1 || m->kind != ADUAN_KIND_MESSAGE)
        return "the sample is not one message";
    if (!text_equal(m->conversation, "siti@example.net") || !text_equal(m->sender.name, "Siti Rähma"))
        return "the sample's sender is wrong";
    if (!text_equal(m->subject, "Keluhan: paspor – lama"))
        return "the sample's subject is wrong";
    if (!text_equal(m->text, "Terlampir – bukti.") || m->quoted == NULL)
        return "the sample's text is wrong";
    if (m->attachment_count != 1 || !text_equal(m->attachments[0].name, "bukti –.pdf"))
        return "the sample's attachment is wrong";
    if (m->sent_at != INT64_C(1789802400000) || !text_equal(m->reply_to, "t.1@kantor.example"))
        return "the sample's date or thread is wrong";
    return NULL;
}

int email_selftest(char *why, size_t why_size) {
    struct email_settings s = { .address = (char *)"pengaduan@kantor.example" };
    struct aduan_bytes in = { .bytes = sample, .len = sizeof(sample) - 1 };
    struct proof p = { .sink = { .record = take } };
    const char *fault = email_parse(&s, &in, &p.sink) != 0 ? "the sample was not parsed" : judge(&p);

    aduan_message_clear(&p.m);
    if (fault != NULL)
        snprintf(why, why_size, "%s", fault);
    return fault != NULL ? -1 : 0;
}
