/*
 * send.c: an answer to X: a private message, or the invitation under a post.
 *
 * X's rules (section 1.1): nobody is written to first; in public only who called the account by name or quoted
 * it is answered, once. A post is read again before it is answered: it may be gone, and it says whether we were
 * called.
 */
#include "x/x.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNCALLED                                                                                               \
    "X hanya mengizinkan balasan publik bila akun kantor disebut atau dikutip; balas dari aplikasi X atau "    \
    "tunggu "                                                                                                  \
    "DM warga / X allows a public answer only where the account was mentioned or quoted: answer in X's app, "  \
    "or "                                                                                                      \
    "wait for a DM"

enum { SENT_MAX = 1000 };

struct sending {
    struct x *x;
    const struct aduan_answer *answer;
    uint64_t token;
    char *media_id;
};

static bool given(const char *s) {
    return s != NULL && s[0] != '\0';
}

static bool is_id(const char *s) {
    return given(s) && strspn(s, "0123456789") == strlen(s);
}

/* ------------------------------------------------------------------------ fits */

static const char *public_fault(const struct x_settings *s, const struct aduan_answer *a) {
    if (s->public_replies == X_REPLIES_NEVER)
        return "Balasan publik dimatikan (public_replies) / public answers are switched off (public_replies)";
    if (a->attachment_count > 0)
        return "Di ruang publik tidak ada lampiran / no attachments in public";
    if (a->answered_before > 0)
        return "X hanya mengizinkan satu balasan otomatis untuk satu kiriman / X allows one answer to one post";
    if (!is_id(a->reply_to))
        return "Kiriman yang dibalas tidak diketahui / the post to answer is not known";
    if (x_weight(a->text) > s->post_max)
        return "Teks melebihi batas kiriman X (280 hitungan X) / text over X's limit of a post (280 as X "
               "counts)";
    return NULL;
}

static const char *private_fault(const struct x_settings *s, const struct aduan_answer *a) {
    const char *chat = a->conversation;

    if (chat != NULL && text_starts(chat, "public:"))
        return "X melarang kantor memulai DM: kirim ajakan R-14, lalu jawab bila warga menulis DM, atau lewat "
               "alamat "
               "lain yang ia berikan / X forbids writing first: send the invitation R-14 and answer when a DM "
               "comes, or "
               "by another address the citizen gave";
    if (!is_id(chat) && !is_id(a->to.id) && !(chat != NULL && text_starts(chat, "group:")))
        return "Tujuan DM tidak diketahui / there is nobody to send to";
    if (given(a->text) && (int64_t)text_characters(a->text) > s->dm_max)
        return "Teks melebihi batas DM X (10000 karakter) / text over X's limit of a DM (10000 characters)";
    if (a->attachment_count > 1)
        return "X membawa satu lampiran per pesan / X carries one attachment a message";
    return a->attachment_count == 1 ? x_upload_fits(&a->attachments[0]) : NULL;
}

static const char *plan(const struct x_settings *s, const struct aduan_answer *a) {
    if (a->kind == ADUAN_ANSWER_TEMPLATE)
        return "X tidak punya templat / X has no templates";
    if (!given(a->text) && (a->is_public || a->attachment_count == 0))
        return "Jawaban kosong / the answer is empty";
    return a->is_public ? public_fault(s, a) : private_fault(s, a);
}

int x_fits(const void *settings, const struct aduan_answer *answer, char *why, size_t why_size) {
    const char *fault = plan(settings, answer);

    if (fault != NULL)
        snprintf(why, why_size, "%s", fault);
    return fault != NULL ? -1 : 0;
}

/* ------------------------------------------------------------------------- end */

static void end(struct sending *s, const struct aduan_result *result) {
    struct aduan_host *h = s->x->host;
    uint64_t token = s->token;

    free(s->media_id);
    free(s);
    h->ops->done(h, token, result);
}

static void end_with(struct sending *s, enum aduan_outcome outcome, const char *reason, const char *id) {
    struct aduan_result result = { .outcome = outcome };

    snprintf(result.reason, sizeof(result.reason), "%s", reason);
    snprintf(result.platform_id, sizeof(result.platform_id), "%s", id != NULL ? id : "");
    end(s, &result);
}

/* Who looks for another answer with the same words must not take this one for it. */
static void remember(struct x *x, const char *id) {
    if (json_object_size(x->sent) >= SENT_MAX)
        json_object_clear(x->sent);
    json_object_set_new(x->sent, id, json_true());
}

/* Accepted: with the id at this path, or nobody knows. */
static void end_accepted(struct sending *s, const struct aduan_http_response *r, const char *path) {
    json_t *body = r->body != NULL ? js_load(r->body, r->body_len) : NULL;
    char *id = js_line(body, path, 100);

    json_decref(body);
    if (id != NULL)
        remember(s->x, id);
    if (id != NULL)
        end_with(s, ADUAN_SENT, "", id);
    else
        end_with(s, ADUAN_UNCERTAIN, "X menerima tanpa memberi nomor pesan / X accepted but gave no id", NULL);
    free(id);
}

static void post_json(struct sending *s, const char *url, json_t *body, aduan_http_done done) {
    char *dump = json_dumps(body, JSON_COMPACT | JSON_ENSURE_ASCII);
    const struct x_request req = { .method = "POST",
                                   .url = url,
                                   .type = "application/json",
                                   .body = dump,
                                   .body_len = dump != NULL ? strlen(dump) : 0 };

    json_decref(body);
    x_http(s->x, &req, done, s);
    free(dump);
}

/* --------------------------------------------------------------------- private */

static void dm_sent(void *arg, const struct aduan_http_response *r) {
    struct sending *s = arg;
    struct aduan_result result;
    char why[300];

    x_limits(s->x, "dm", r);
    if (x_accepted(s->x, r, true, &result)) {
        end_accepted(s, r, "data.dm_event_id");
        return;
    }
    if (r->status == 403 && result.outcome == ADUAN_NEVER) {
        snprintf(why, sizeof(why), "%.250s", result.reason);
        snprintf(result.reason, sizeof(result.reason),
                 "X menolak: warga menutup DM atau memblokir kantor; jawab lewat alamat lain / X refuses: the "
                 "person's "
                 "DMs are closed to us, use another address (%s)",
                 why);
    }
    end(s, &result);
}

static void send_dm(struct sending *s) {
    const struct aduan_answer *a = s->answer;
    const char *api = s->x->settings->api, *chat = a->conversation;
    char *url;
    json_t *body = json_object();

    if (chat != NULL && text_starts(chat, "group:"))
        url = xasprintf("%s/2/dm_conversations/%s/messages", api, chat + strlen("group:"));
    else
        url = xasprintf("%s/2/dm_conversations/with/%s/messages", api, is_id(chat) ? chat : a->to.id);
    if (given(a->text))
        json_object_set_new(body, "text", json_string(a->text));
    if (s->media_id != NULL)
        json_object_set_new(body, "attachments", json_pack("[{s:s}]", "media_id", s->media_id));
    post_json(s, url, body, dm_sent);
    free(url);
}

static void uploaded(void *arg, const char *media_id, const struct aduan_result *result) {
    struct sending *s = arg;

    if (media_id == NULL) {
        end(s, result);
        return;
    }
    s->media_id = xstrdup(media_id);
    send_dm(s);
}

/* ---------------------------------------------------------------------- public */

static void posted(void *arg, const struct aduan_http_response *r) {
    struct sending *s = arg;
    struct aduan_result result;
    char why[200];

    x_limits(s->x, "posts", r);
    if (x_accepted(s->x, r, true, &result)) {
        end_accepted(s, r, "data.id");
        return;
    }
    if (r->status == 403 && result.outcome == ADUAN_NEVER &&
        text_find_nocase(result.reason, "duplicate") == NULL) {
        snprintf(why, sizeof(why), "%.150s", result.reason);
        snprintf(result.reason, sizeof(result.reason), UNCALLED " (%s)", why);
    }
    end(s, &result);
}

static void send_post(struct sending *s) {
    const struct aduan_answer *a = s->answer;
    char *url = xasprintf("%s/2/tweets", s->x->settings->api);

    post_json(s, url,
              json_pack("{s:s, s:{s:s}}", "text", a->text, "reply", "in_reply_to_tweet_id", a->reply_to),
              posted);
    free(url);
}

static bool has_id(const json_t *list, const char *key, const char *id) {
    const json_t *item;
    bool found = false;
    char *one;
    size_t i;

    json_array_foreach(list, i, item) {
        one = x_id(item, key);
        found |= text_equal(one, id);
        free(one);
    }
    return found;
}

/* Did its author call us? True also where the post does not say: then X decides. */
static bool may_be_called(const struct x *x, const json_t *answer) {
    const char *me = x->settings->user_id;
    const json_t *mentions = js_get(answer, "data.entities.mentions");

    if (x->settings->public_replies == X_REPLIES_ALWAYS || js_get(answer, "data.entities") == NULL)
        return true;
    return has_id(mentions, "id", me) ||
           has_id(x_either(answer, "includes.tweets", "includes.posts"), "author_id", me);
}

static void reread(void *arg, const struct aduan_http_response *r) {
    struct sending *s = arg;
    struct aduan_result result;
    json_t *body;

    x_limits(s->x, "lookup", r);
    if (!x_accepted(s->x, r, false, &result)) {
        if (r->status == 404)
            snprintf(result.reason, sizeof(result.reason), "Kiriman sudah dihapus / the post is gone");
        end(s, &result);
        return;
    }
    body = r->body != NULL ? js_load(r->body, r->body_len) : NULL;
    if (js_get(body, "data.id") == NULL && js_get(body, "errors") != NULL)
        end_with(s, ADUAN_NEVER, "Kiriman sudah dihapus atau dikunci / the post is gone or protected", NULL);
    else if (js_get(body, "data.id") == NULL)
        end_with(s, ADUAN_LATER, "jawaban X tidak terbaca / X's answer makes no sense", NULL);
    else if (!may_be_called(s->x, body))
        end_with(s, ADUAN_NEVER, UNCALLED, NULL);
    else
        send_post(s);
    json_decref(body);
}

static void read_again(struct sending *s) {
    char *url = xasprintf("%s/2/tweets/%s?tweet.fields=author_id,entities,referenced_tweets"
                          "&expansions=referenced_tweets.id",
                          s->x->settings->api, s->answer->reply_to);
    const struct x_request req = { .method = "GET", .url = url };

    x_http(s->x, &req, reread, s);
    free(url);
}

void x_send(void *ctx, const struct aduan_answer *answer, uint64_t token) {
    struct sending *s = xcalloc(1, sizeof(*s));
    const char *why;

    s->x = ctx;
    s->answer = answer;
    s->token = token;
    why = plan(s->x->settings, answer);
    if (why != NULL)
        end_with(s, ADUAN_NEVER, why, NULL);
    else if (answer->is_public)
        read_again(s);
    else if (answer->attachment_count > 0)
        x_upload(s->x, &answer->attachments[0], true, uploaded, s);
    else
        send_dm(s);
}
