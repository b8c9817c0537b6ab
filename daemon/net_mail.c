/*
 * net_mail.c: one mail by SMTP, and how far it came.
 *
 * Until libcurl has taken the last byte of the mail, the final dot cannot have
 * left: whatever fails then was not accepted. Afterwards only a reply of the
 * server decides; without one nobody can tell.
 */
#include "daemon/net_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 15 * 60 * 1000 };

static size_t give_bytes(char *out, size_t size, size_t count, void *arg) {
    struct transfer *t = arg;
    size_t n = size * count, left = t->len - t->given;

    if (n > left)
        n = left;
    memcpy(out, t->bytes + t->given, n);
    t->given += n;
    return n;
}

/* Every reply line of the server comes here; the last one is kept. */
static size_t take_reply(char *line, size_t size, size_t count, void *arg) {
    struct transfer *t = arg;
    size_t len = size * count;
    char *clean = text_clean_line(line, len, sizeof(t->reply) - 1);

    snprintf(t->reply, sizeof(t->reply), "%s", clean);
    free(clean);
    return len;
}

static void judge(const struct transfer *t, CURLcode code, struct aduan_mail_response *r) {
    long reply = 0;

    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &reply);
    r->code = (int)reply;
    if (t->ended) {
        r->state = ADUAN_MAIL_BEFORE_DOT;
        r->code = 0;
    } else if (code == CURLE_OK) {
        r->state = ADUAN_MAIL_ACCEPTED;
    } else if (t->given < t->len || reply >= 400) {
        /* Refused in words, or the end of data was never reached. A network fault has no code. */
        r->state = ADUAN_MAIL_BEFORE_DOT;
        if (reply < 400)
            r->code = 0;
    } else {
        r->state = ADUAN_MAIL_AFTER_DOT;
        r->code = 0;
    }
}

void mail_finish(struct transfer *t, CURLcode code) {
    struct aduan_mail_response r = { .text = t->reply };

    judge(t, code, &r);
    if (t->ended)
        r.text = t->refusal;
    else if (r.state != ADUAN_MAIL_ACCEPTED && r.code == 0)
        r.text = t->refusal[0] != '\0' ? t->refusal : t->error[0] != '\0' ? t->error : curl_easy_strerror(code);
    t->mail_done(t->arg, &r);
}

static void set_login(struct transfer *t, const struct aduan_mail_request *req) {
    CURL *e = t->easy;

    if (req->user == NULL || req->user[0] == '\0')
        return;
    curl_easy_setopt(e, CURLOPT_USERNAME, req->user);
    if (req->bearer != NULL && req->bearer->bytes != NULL)
        curl_easy_setopt(e, CURLOPT_XOAUTH2_BEARER, req->bearer->bytes);
    else if (req->password != NULL && req->password->bytes != NULL)
        curl_easy_setopt(e, CURLOPT_PASSWORD, req->password->bytes);
}

/* smtp:// off this machine must become TLS before anything is said. */
static int judge_url(struct transfer *t, char *why, size_t why_size) {
    struct url_parts u;

    t->rule = ADDRESS_ANY;
    if (url_split(t->url, &u) < 0 || (strcmp(u.scheme, "smtp") != 0 && strcmp(u.scheme, "smtps") != 0)) {
        snprintf(why, why_size, "not an smtp:// or smtps:// URL");
        return -1;
    }
    if (strcmp(u.scheme, "smtp") == 0 && url_is_loopback(&u)) {
        t->rule = ADDRESS_LOOPBACK;
        curl_easy_setopt(t->easy, CURLOPT_USE_SSL, (long)CURLUSESSL_NONE);
    } else {
        curl_easy_setopt(t->easy, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
    }
    return 0;
}

void net_mail(struct net *n, const struct aduan_mail_request *req, aduan_mail_done done, void *arg) {
    struct transfer *t = transfer_new(n);
    char why[128];

    t->is_mail = true;
    t->mail_done = done;
    t->arg = arg;
    t->url = xstrdup(req->url);
    t->bytes = xcalloc(1, req->len + 1);
    memcpy(t->bytes, req->bytes, req->len);
    t->len = req->len;
    if (judge_url(t, why, sizeof(why)) < 0) {
        transfer_refuse(t, why);
        return;
    }
    transfer_common(t, "smtp,smtps", req->timeout_ms > 0 ? req->timeout_ms : TIMEOUT_MS);
    set_login(t, req);
    t->lines = curl_slist_append(NULL, req->to);
    curl_easy_setopt(t->easy, CURLOPT_MAIL_FROM, req->from);
    curl_easy_setopt(t->easy, CURLOPT_MAIL_RCPT, t->lines);
    curl_easy_setopt(t->easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(t->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)t->len);
    curl_easy_setopt(t->easy, CURLOPT_READFUNCTION, give_bytes);
    curl_easy_setopt(t->easy, CURLOPT_READDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, take_reply);
    curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L);
    transfer_start(t);
}
