/*
 * find.c: was an answer accepted at an earlier attempt? X takes no key of ours along, but it shows what we
 * wrote.
 *
 * Addresses are compared as such only: X writes its own short ones in their place. What is not there was not
 * sent only where the pages read reach back to before the answer was made; and what has the same words is it
 * only where it cannot be an earlier answer. Else it is uncertain: a person looks, nobody is told twice.
 */
#include "x/x.h"

#include "kit/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLOCKS_MS = 60 * 1000, SETTLE_MS = 3000, SECOND = 1000, PAGES_MAX = 4 };

struct search {
    const struct x *x;
    const struct aduan_answer *a;
    char id[512];      /* of the one that is it; "": none */
    size_t found;      /* with its words, since it was made */
    bool doubtful;     /* with its words, from just before it was made by our clock */
    bool reaches_back; /* all that is as new as the answer was seen */
};

/* The words without addresses and white space. */
static char *essence(const char *s) {
    struct text t = TEXT_INIT;

    text_add(&t, "");
    while (*s != '\0') {
        if (text_starts_nocase(s, "http://") || text_starts_nocase(s, "https://"))
            s += strcspn(s, " \t\r\n");
        else if (strchr(" \t\r\n", *s) != NULL)
            s++;
        else
            text_add_char(&t, *s++);
    }
    return text_steal(&t);
}

/* A public answer begins, as X shows it, with the @names it went to. */
static bool same_words(const struct aduan_answer *a, const json_t *item) {
    char *text = x_text(item, "text"), *ours = essence(a->text != NULL ? a->text : ""),
         *theirs = essence(text != NULL ? text : "");
    bool same = a->is_public ? text_ends(theirs, ours) : strcmp(ours, theirs) == 0;

    free(text);
    free(ours);
    free(theirs);
    return same;
}

static bool answers(const struct aduan_answer *a, const json_t *item) {
    const json_t *list = x_either(item, "referenced_tweets", "referenced_posts"), *one;
    bool found = false;
    char *id;
    size_t i;

    json_array_foreach(list, i, one) {
        id = x_id(one, "id");
        found |= text_equal(js_str(one, "type"), "replied_to") && text_equal(id, a->reply_to);
        free(id);
    }
    return found;
}

static bool is_own(const struct search *s, const json_t *item) {
    char *sender = x_id(item, "sender_id");
    bool own = s->a->is_public ? answers(s->a, item) : text_equal(sender, s->x->settings->user_id);

    free(sender);
    return own;
}

/* One of ours with its words. X tells whole seconds. */
static void judge(struct search *s, const char *id, int64_t at) {
    if (id == NULL || json_object_get(s->x->sent, id) != NULL || at < s->a->queued_at - CLOCKS_MS)
        return;
    if (at < s->a->queued_at - s->a->queued_at % SECOND) {
        s->doubtful = true;
        return;
    }
    if (s->found++ == 0)
        snprintf(s->id, sizeof(s->id), "%s", id);
}

/* Newest first. True: all of the page could be read. */
static bool look_through(struct search *s, const json_t *page) {
    const json_t *item;
    int64_t at;
    char *id;
    size_t i;

    if (js_get(page, "meta") == NULL && js_get(page, "data") == NULL)
        return false;
    json_array_foreach(js_get(page, "data"), i, item) {
        at = x_time(item);
        s->reaches_back |= at > 0 && at < s->a->queued_at - CLOCKS_MS;
        if (!is_own(s, item) || !same_words(s->a, item))
            continue;
        id = x_id(item, "id");
        judge(s, id, at);
        free(id);
    }
    return true;
}

static char *url_of(const struct x *x, const struct aduan_answer *a) {
    const char *api = x->settings->api, *chat = a->conversation;

    if (a->is_public)
        return xasprintf("%s/2/users/%s/tweets?max_results=100&tweet.fields=created_at,referenced_tweets", api,
                         x->settings->user_id);
    if (chat != NULL && text_starts(chat, "group:"))
        return xasprintf(
            "%s/2/dm_conversations/%s/dm_events?dm_event.fields=created_at,sender_id&max_results=100", api,
            chat + strlen("group:"));
    return xasprintf(
        "%s/2/dm_conversations/with/%s/dm_events?dm_event.fields=created_at,sender_id&max_results=100", api,
        chat != NULL ? chat : a->to.id);
}

/* NULL: could not be had. */
static json_t *get_page(struct x *x, const char *url, const char *token) {
    struct text t = TEXT_INIT;
    struct x_request req = { .method = "GET" };
    struct aduan_http_response r;
    struct aduan_result why;
    json_t *page = NULL;

    text_add(&t, url);
    if (token != NULL) {
        text_add(&t, "&pagination_token=");
        query_escape(&t, token);
    }
    req.url = t.s;
    if (x_http_wait(x, &req, &r) == 0 && x_accepted(x, &r, false, &why) && r.body != NULL)
        page = js_load(r.body, r.body_len);
    text_free(&t);
    return page;
}

/* Page by page until it is found or can be no further back. False: X did not answer. */
static bool read_pages(struct x *x, struct search *s, const char *url) {
    char *token = NULL;
    bool readable = true;
    int n;

    for (n = 0; readable && n < PAGES_MAX && s->found == 0 && !s->reaches_back; n++) {
        json_t *page = get_page(x, url, token);

        readable = json_is_object(page) && look_through(s, page);
        free(token);
        token = js_line(page, "meta.next_token", 500);
        json_decref(page);
        s->reaches_back |= readable && token == NULL;
    }
    free(token);
    return readable;
}

static void conclude(struct aduan_result *ret, enum aduan_outcome outcome, const char *reason) {
    ret->outcome = outcome;
    snprintf(ret->reason, sizeof(ret->reason), "%s", reason);
}

static void look(struct x *x, const struct aduan_answer *a, struct aduan_result *ret) {
    struct search s = { .x = x, .a = a };
    char *url = url_of(x, a);
    bool read = read_pages(x, &s, url);

    memset(ret, 0, sizeof(*ret));
    if (s.found == 1) {
        conclude(ret, ADUAN_SENT, "");
        snprintf(ret->platform_id, sizeof(ret->platform_id), "%s", s.id);
    } else if (s.found > 1 || s.doubtful)
        conclude(ret, ADUAN_UNCERTAIN,
                 "di X ada jawaban lain dengan kata yang sama / X shows other answers with the same words");
    else if (!read)
        conclude(ret, ADUAN_UNCERTAIN, "X tidak dapat ditanya / X cannot be asked");
    else if (!s.reaches_back)
        conclude(ret, ADUAN_UNCERTAIN,
                 "terlalu banyak pesan baru di X untuk dicari / too much came on X since to look through");
    else
        conclude(ret, ADUAN_LATER, "tidak ada di X / not found on X");
    free(url);
}

/* What is not there is looked for once more: lists on X lag a little behind. */
void x_find(void *ctx, const struct aduan_answer *answer, struct aduan_result *ret) {
    struct x *x = ctx;

    look(x, answer, ret);
    if (ret->outcome == ADUAN_LATER && x->host->ops->pause(x->host, SETTLE_MS) == ADUAN_TIMEOUT)
        look(x, answer, ret);
}
