/*
 * send.c: the send worker: an answer out by SMTP, and what its reply means.
 *
 * The host speaks SMTP; this file composes, brings an access token where one
 * is needed, and classifies. Nothing here retries a mail: only an expired
 * token is replaced once, before anything was accepted.
 */
#include "pull.h"

#include "compose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

/* One answer on its way; lives from send() to done(). */
struct sending {
    struct email_ctx *ctx;
    uint64_t token;
    struct text mail;
    char *to, *message_id, *body; /* body: of the token request */
    bool refreshed;
};

static void submit(struct sending *s);

static void finish(struct sending *s, const struct aduan_result *result) {
    struct aduan_host *host = s->ctx->host;
    uint64_t token = s->token;

    text_free(&s->mail);
    free(s->to);
    free(s->message_id);
    free(s);
    host->ops->done(host, token, result);
}

static void finish_with(struct sending *s, enum aduan_outcome outcome, const char *reason) {
    struct aduan_result result = { .outcome = outcome };

    snprintf(result.reason, sizeof(result.reason), "%s", reason);
    finish(s, &result);
}

/* ----------------------------------------------------------------- verdicts */

struct verdict {
    int code;           /* 0: any of the class below */
    const char *status; /* enhanced status in the text, or NULL: any */
    enum aduan_outcome outcome;
    enum aduan_limit_scope scope;
    int64_t retry_after_ms;
};

/* The first row that fits. */
static const struct verdict verdicts[] = {
    { 550, "5.4.5", ADUAN_LIMITED, ADUAN_SCOPE_ACCOUNT, DAY_MS }, /* Gmail's daily limit */
    { 554, "5.4.5", ADUAN_LIMITED, ADUAN_SCOPE_ACCOUNT, DAY_MS },
    { 550, "5.7.30", ADUAN_REFUSED, 0, 0 }, /* Microsoft: no basic authentication */
    { 530, NULL, ADUAN_REFUSED, 0, 0 },
    { 534, NULL, ADUAN_REFUSED, 0, 0 },
    { 535, NULL, ADUAN_REFUSED, 0, 0 },
    { 538, NULL, ADUAN_REFUSED, 0, 0 },
    { 421, "4.7.", ADUAN_LIMITED, ADUAN_SCOPE_ACCOUNT, 0 },
    { 421, NULL, ADUAN_LATER, 0, 0 },
    { 450, "4.2.1", ADUAN_LIMITED, ADUAN_SCOPE_CONVERSATION, 0 }, /* this recipient gets too much */
    { 452, "4.5.3", ADUAN_LIMITED, ADUAN_SCOPE_ACCOUNT, 0 },
    { 454, "4.7.", ADUAN_LIMITED, ADUAN_SCOPE_ACCOUNT, 0 },
};

static void judge(const struct aduan_mail_response *r, struct aduan_result *ret) {
    const char *text = r->text != NULL ? r->text : "";
    size_t i;

    snprintf(ret->reason, sizeof(ret->reason), "smtp: %.400s", text);
    ret->outcome = r->code >= 500 && r->code < 600 ? ADUAN_NEVER : ADUAN_LATER;
    for (i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        const struct verdict *v = &verdicts[i];

        if (v->code != r->code || (v->status != NULL && strstr(text, v->status) == NULL))
            continue;
        ret->outcome = v->outcome;
        ret->scope = v->scope;
        ret->retry_after_ms = v->retry_after_ms;
        return;
    }
}

static void on_mail(void *arg, const struct aduan_mail_response *r) {
    struct sending *s = arg;
    struct email_ctx *c = s->ctx;
    struct aduan_result result = { .outcome = ADUAN_SENT };

    if (r->state == ADUAN_MAIL_AFTER_DOT) {
        result.outcome = ADUAN_UNCERTAIN;
        snprintf(result.reason, sizeof(result.reason), "smtp: no reply after the end of the mail: %.300s",
                 r->text != NULL ? r->text : "");
    } else if (r->state == ADUAN_MAIL_BEFORE_DOT) {
        judge(r, &result);
        if (result.outcome == ADUAN_REFUSED && c->settings->auth == EMAIL_AUTH_XOAUTH2 && !s->refreshed) {
            oauth_drop(&c->oauth);
            submit(s);
            return;
        }
    }
    snprintf(result.platform_id, sizeof(result.platform_id), "%s", s->message_id);
    if (result.outcome == ADUAN_REFUSED)
        c->host->ops->report(c->host, 0, result.reason);
    else if (result.outcome == ADUAN_SENT)
        c->host->ops->report(c->host, 0, NULL);
    finish(s, &result);
}

/* ------------------------------------------------------------------- sending */

static const char *smtp_user(const struct email_settings *s) {
    return s->smtp.user[0] != '\0' ? s->smtp.user : s->imap.user[0] != '\0' ? s->imap.user : s->address;
}

static void start_mail(struct sending *s) {
    struct email_ctx *c = s->ctx;
    const struct email_settings *set = c->settings;
    struct aduan_mail_request req = { .url = set->smtp.url,
                                      .from = set->address,
                                      .to = s->to,
                                      .bytes = s->mail.s,
                                      .len = s->mail.len,
                                      .user = smtp_user(set) };
    int r;

    if (set->auth == EMAIL_AUTH_XOAUTH2)
        req.bearer = &c->oauth.access;
    else if (set->smtp.password.bytes != NULL)
        req.password = &set->smtp.password;
    else if (set->imap.password.bytes != NULL)
        req.password = &set->imap.password;
    else
        req.user = NULL; /* a relay that knows us by address */
    r = c->host->ops->mail(c->host, &req, on_mail, s);
    if (r < 0)
        finish_with(s, ADUAN_LATER, "smtp: the transfer could not be started");
}

static void on_token(void *arg, const struct aduan_http_response *r) {
    struct sending *s = arg;
    struct email_ctx *c = s->ctx;
    struct aduan_result result;

    oauth_free_body(s->body);
    s->body = NULL;
    oauth_take(&c->oauth, r, &result);
    if (result.outcome == ADUAN_SENT) {
        start_mail(s);
        return;
    }
    if (result.outcome == ADUAN_REFUSED)
        c->host->ops->report(c->host, 0, result.reason);
    finish(s, &result);
}

static void submit(struct sending *s) {
    struct email_ctx *c = s->ctx;
    struct aduan_http_request req;

    if (c->settings->auth == EMAIL_AUTH_PASSWORD || oauth_is_fresh(&c->oauth)) {
        start_mail(s);
        return;
    }
    s->refreshed = true;
    s->body = oauth_body(&c->oauth);
    oauth_request(&c->oauth, s->body, &req);
    if (c->host->ops->http(c->host, &req, on_token, s) < 0) {
        oauth_free_body(s->body);
        finish_with(s, ADUAN_LATER, "token refresh: the transfer could not be started");
    }
}

void email_send(void *ctx, const struct aduan_answer *answer, uint64_t token) {
    struct email_ctx *c = ctx;
    struct sending *s = xcalloc(1, sizeof(*s));
    struct aduan_result result;
    const char *to;

    memset(&result, 0, sizeof(result));
    s->ctx = c;
    s->token = token;
    compose_mail(c->host, c->settings, answer, &s->mail, &result);
    to = result.outcome == ADUAN_SENT ? compose_recipient(answer, &result) : NULL;
    if (to == NULL) {
        finish(s, &result);
        return;
    }
    s->to = xstrdup(to);
    s->message_id = compose_message_id(c->settings, answer);
    submit(s);
}

/* --------------------------------------------------------------- find, probe */

/* Looks into Sent. IMAP_NO: there is no such folder, or it cannot be searched. */
static int search_sent(struct imap *i, const char *message_id, bool *ret_found) {
    struct imap_uids uids;
    char *folder = NULL;
    int r = imap_sent_folder(i, &folder);

    *ret_found = false;
    if (r == 0 && folder == NULL)
        r = IMAP_NO;
    if (r == 0)
        r = imap_select_raw(i, folder);
    free(folder);
    if (r != 0)
        return r;
    r = imap_search_id(i, message_id, &uids);
    if (r == 0) {
        *ret_found = uids.count > 0;
        imap_uids_clear(&uids);
    }
    return r;
}

void email_find(void *ctx, const struct aduan_answer *answer, struct aduan_result *ret) {
    struct email_ctx *c = ctx;
    struct imap i;
    char *id = compose_message_id(c->settings, answer);
    bool found = false;
    int r = imap_open(&i, c->host, c->settings, &c->oauth, ret), attempt;

    if (r != 0 || ret->outcome != ADUAN_SENT) {
        ret->outcome = ADUAN_UNCERTAIN;
        free(id);
        return;
    }
    for (attempt = 0, r = 0; attempt < 2 && r == 0 && !found; attempt++) {
        if (attempt > 0 && c->host->ops->pause(c->host, i.has_gmail ? 5000 : 500) == ADUAN_STOPPING)
            break;
        r = search_sent(&i, id, &found);
    }
    if (r < 0)
        imap_fault(&i, "find", ret);
    ret->outcome = ADUAN_UNCERTAIN;
    if (found) {
        ret->outcome = ADUAN_SENT;
        snprintf(ret->platform_id, sizeof(ret->platform_id), "%s", id);
    } else if (r == 0 && i.has_gmail && attempt == 2) {
        ret->outcome = ADUAN_LATER; /* Gmail puts every mail it takes into Sent; others may not */
        snprintf(ret->reason, sizeof(ret->reason), "not in the Sent folder");
    } else if (r >= 0) {
        snprintf(ret->reason, sizeof(ret->reason),
                 "not found in a Sent folder, which proves nothing on this server");
    }
    imap_close(&i);
    free(id);
}

void email_probe(void *ctx, struct aduan_result *ret) {
    struct email_ctx *c = ctx;
    struct imap i;
    int r = imap_open(&i, c->host, c->settings, &c->oauth, ret);

    if (r != 0 || ret->outcome != ADUAN_SENT)
        return;
    r = imap_select(&i, c->settings->imap.mailbox, true);
    if (r < 0) {
        imap_fault(&i, "select", ret);
    } else if (r == IMAP_NO) {
        ret->outcome = ADUAN_REFUSED;
        snprintf(ret->reason, sizeof(ret->reason), "imap select: mailbox \"%.100s\" cannot be opened",
                 c->settings->imap.mailbox);
    }
    imap_close(&i);
}
