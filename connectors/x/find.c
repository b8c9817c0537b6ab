/*
 * find.c: was an answer accepted at an earlier attempt? X takes no key of ours along, but it shows what we
 * wrote.
 *
 * Addresses are compared as such only: X writes its own short ones in their place.
 */
#include "x/x.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLOCKS_MS = 60 * 1000, SETTLE_MS = 3000 };

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
static bool is_it(const struct aduan_answer *a, const json_t *item) {
    char *text = x_text(item, "text"), *ours = essence(a->text != NULL ? a->text : ""),
         *theirs = essence(text != NULL ? text : "");
    bool same = a->is_public ? text_ends(theirs, ours) : strcmp(ours, theirs) == 0;

    free(text);
    free(ours);
    free(theirs);
    return same && x_time(item) >= a->queued_at - CLOCKS_MS;
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

static bool look_through(const struct x *x, const struct aduan_answer *a, const json_t *page,
                         struct aduan_result *ret) {
    const json_t *item;
    char *sender, *id;
    bool own;
    size_t i;

    json_array_foreach(js_get(page, "data"), i, item) {
        sender = x_id(item, "sender_id");
        own = a->is_public ? answers(a, item) : text_equal(sender, x->settings->user_id);
        free(sender);
        if (!own || !is_it(a, item))
            continue;
        id = x_id(item, "id");
        snprintf(ret->platform_id, sizeof(ret->platform_id), "%s", id != NULL ? id : "");
        free(id);
        ret->outcome = ADUAN_SENT;
        return true;
    }
    return false;
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

static void look(struct x *x, const struct aduan_answer *a, struct aduan_result *ret) {
    char *url = url_of(x, a);
    const struct x_request req = { .method = "GET", .url = url };
    struct aduan_http_response r;
    struct aduan_result why;
    json_t *page;

    memset(ret, 0, sizeof(*ret));
    ret->outcome = ADUAN_UNCERTAIN;
    snprintf(ret->reason, sizeof(ret->reason), "X tidak dapat ditanya / X cannot be asked");
    if (x_http_wait(x, &req, &r) == 0 && x_accepted(x, &r, false, &why)) {
        page = r.body != NULL ? js_load(r.body, r.body_len) : NULL;
        if (json_is_object(page) && !look_through(x, a, page, ret) &&
            (js_get(page, "meta") != NULL || js_get(page, "data") != NULL)) {
            ret->outcome = ADUAN_LATER;
            snprintf(ret->reason, sizeof(ret->reason), "tidak ada di X / not found on X");
        }
        json_decref(page);
    }
    free(url);
}

/* What is not there is looked for once more: lists on X lag a little behind. */
void x_find(void *ctx, const struct aduan_answer *answer, struct aduan_result *ret) {
    struct x *x = ctx;

    look(x, answer, ret);
    if (ret->outcome == ADUAN_LATER && x->host->ops->pause(x->host, SETTLE_MS) == ADUAN_TIMEOUT)
        look(x, answer, ret);
}
