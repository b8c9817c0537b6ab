/*
 * pull.c: what has to be asked for: mentions always (deep replies come by no webhook, section 3.2), private
 * messages often where there is no webhook, and seldom beside one.
 *
 * Pages come newest first. All of them are read before anything is emitted, oldest first, with the mark on the
 * last: after a crash in between everything is asked for again, and known ids say so. What was read is kept
 * while X limits us, so that a long backlog gets there in several turns.
 */
#include "x/x.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES_MAX = 60, DM_BESIDE_MS = 15 * 60 * 1000 };

struct poll {
    const char *name; /* of mark and allowance */
    int64_t next;     /* when it is due */
    char *seen;       /* newest id of a whole turn: later than the mark when nothing was worth emitting */
    /* the turn that runs: */
    json_t *items; /* bodies of one element, newest first; NULL: none runs */
    char *token, *newest, *since;
    int pages;
    size_t left_out;
};

struct x_pull {
    struct poll mentions, dms;
};

struct x_pull *x_pull_new(void) {
    struct x_pull *p = xcalloc(1, sizeof(*p));

    p->mentions.name = "mentions";
    p->dms.name = "dm_events";
    return p;
}

static void end_turn(struct poll *p) {
    json_decref(p->items);
    p->items = NULL;
    free(p->token);
    free(p->newest);
    free(p->since);
    p->token = p->newest = p->since = NULL;
    p->pages = 0;
    p->left_out = 0;
}

struct x_pull *x_pull_free(struct x_pull *p) {
    if (p != NULL) {
        end_turn(&p->mentions);
        end_turn(&p->dms);
        free(p->mentions.seen);
        free(p->dms.seen);
    }
    free(p);
    return NULL;
}

/* ------------------------------------------------------------------------- ask */

static char *url_of(const struct x *x, const struct poll *p, bool dms) {
    struct text t = TEXT_INIT;

    if (dms)
        text_addf(
            &t,
            "%s/2/dm_events?event_types=MessageCreate&dm_event.fields=created_at,sender_id,dm_conversation_id,"
            "attachments,referenced_tweets&expansions=sender_id,attachments.media_keys",
            x->settings->api);
    else
        text_addf(
            &t,
            "%s/2/users/%s/mentions?tweet.fields=created_at,author_id,conversation_id,in_reply_to_user_id,"
            "referenced_tweets,note_tweet,lang,entities,edit_history_tweet_ids,attachments"
            "&expansions=author_id,attachments.media_keys",
            x->settings->api, x->settings->user_id);
    text_add(&t, "&user.fields=username,name&media.fields=url,type,variants&max_results=100");
    if (!dms && p->since != NULL) /* dm_events knows no since_id */
        text_addf(&t, "&since_id=%s", p->since);
    if (p->token != NULL)
        text_addf(&t, "&pagination_token=%s", p->token);
    return text_steal(&t);
}

static bool is_token(const char *s) {
    return s != NULL && s[0] != '\0' && strlen(s) < 200 &&
           strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(s);
}

static char *item_id(const json_t *slice) {
    return x_id(json_array_get(js_get(slice, "data"), 0), "id");
}

/* Takes what is new of a page; true: what follows is older than we want. */
static bool take_items(struct x *x, struct poll *p, const json_t *page) {
    json_t *slices = x_page_slices(page, x->settings->user_id);
    int64_t oldest = x->host->ops->now(x->host) - x->settings->backfill;
    const json_t *slice;
    bool reached = false;
    char *id;
    size_t i;

    json_array_foreach(slices, i, slice) {
        id = item_id(slice);
        if (id != NULL && x_id_compare(id, p->newest) > 0) {
            free(p->newest);
            p->newest = xstrdup(id);
        }
        if (p->since != NULL && id != NULL && x_id_compare(id, p->since) <= 0) {
            reached = true;
        } else if (p->since == NULL && x_id_time(id) > 0 &&
                   x_time(json_array_get(js_get(slice, "data"), 0)) < oldest) {
            reached = true;
            p->left_out++;
        } else {
            json_array_append(p->items, (json_t *)(uintptr_t)slice);
        }
        free(id);
    }
    json_decref(slices);
    return reached;
}

/* {"data":[…],"errors":[…]}: some elements X would not show. */
static void tell_errors(struct x *x, const struct poll *p, const json_t *page) {
    size_t n = json_array_size(js_get(page, "errors"));
    char *first = n > 0 ? js_line(json_array_get(js_get(page, "errors"), 0), "title", 100) : NULL;

    if (n > 0)
        x->host->ops->log(x->host, ADUAN_LOG_WARN, "%s: X left out %zu parts: %s", p->name, n,
                          first != NULL ? first : "?");
    free(first);
}

enum { MORE = 1, WHOLE = 0 };

static int take_page(struct x *x, struct poll *p, const json_t *page) {
    const char *token = js_str(page, "meta.next_token");
    bool reached = take_items(x, p, page);

    tell_errors(x, p, page);
    free(p->token);
    p->token = is_token(token) ? xstrdup(token) : NULL;
    if (reached || p->token == NULL)
        return WHOLE;
    if (++p->pages < PAGES_MAX)
        return MORE;
    x->host->ops->log(x->host, ADUAN_LOG_WARN, "%s: more than %d pages: the oldest are left to X", p->name,
                      PAGES_MAX);
    return WHOLE;
}

/* One page. MORE, WHOLE, negative (stopping), or the outcome in *ret and -EAGAIN. */
static int ask(struct x *x, struct poll *p, bool dms, struct aduan_result *ret) {
    char *url = url_of(x, p, dms);
    const struct x_request req = { .method = "GET", .url = url };
    struct aduan_http_response r;
    json_t *page;
    int64_t whole_at;
    int rc = x_http_wait(x, &req, &r);

    free(url);
    if (rc != 0)
        return -ECANCELED;
    whole_at = x_limits(x, p->name, &r);
    if (whole_at > p->next)
        p->next = whole_at;
    if (!x_accepted(x, &r, false, ret)) {
        if (r.state == ADUAN_HTTP_DONE && r.status == 400)
            end_turn(p); /* a page token that has grown old */
        if (ret->outcome == ADUAN_NEVER)
            ret->outcome = r.status == 403 ? ADUAN_REFUSED : ADUAN_LATER;
        return -EAGAIN;
    }
    page = r.body != NULL ? js_load(r.body, r.body_len) : NULL;
    if (!json_is_object(page) || (js_get(page, "meta") == NULL && js_get(page, "data") == NULL)) {
        json_decref(page);
        ret->outcome = ADUAN_LATER;
        snprintf(ret->reason, sizeof(ret->reason), "jawaban X tidak terbaca / X's answer makes no sense");
        return -EAGAIN;
    }
    rc = take_page(x, p, page);
    json_decref(page);
    return rc;
}

/* ------------------------------------------------------------------------ emit */

static int emit_all(struct x *x, struct poll *p) {
    size_t i = json_array_size(p->items);
    int rc = 0;

    while (i-- > 0 && rc == 0) {
        const json_t *slice = json_array_get(p->items, i);
        char *id = item_id(slice), *bytes = json_dumps(slice, JSON_COMPACT | JSON_ENSURE_ASCII);
        struct aduan_raw raw = { .bytes = bytes, .len = bytes != NULL ? strlen(bytes) : 0, .id = id };

        if (i == 0) {
            raw.mark = p->name;
            raw.mark_value = p->newest;
        }
        raw.received_at = x_id_time(id);
        if (bytes != NULL)
            rc = x->host->ops->emit(x->host, &raw);
        free(id);
        free(bytes);
    }
    return rc;
}

static void begin_turn(struct x *x, struct poll *p) {
    const char *mark = x->host->ops->mark(x->host, p->name);

    p->items = json_array();
    if (x_id_compare(p->seen, mark) > 0)
        mark = p->seen;
    p->since = xstrdup(mark);
}

static int finish_turn(struct x *x, struct poll *p) {
    int rc = emit_all(x, p);

    if (rc == 0 && p->left_out > 0)
        x->host->ops->log(x->host, ADUAN_LOG_INFO, "%s: first reading: older than `backfill` is left on X",
                          p->name);
    if (rc == 0 && p->newest != NULL) {
        free(p->seen);
        p->seen = xstrdup(p->newest);
    }
    end_turn(p);
    return rc;
}

/* A turn, or the rest of one. 0, negative, or 1 with the outcome that ends this pull(). */
static int turn(struct x *x, struct poll *p, bool dms, int64_t every, struct aduan_result *ret) {
    int64_t now = x->host->ops->now(x->host);
    int rc = MORE;

    if (now < p->next)
        return 0;
    p->next = now + every;
    if (p->items == NULL)
        begin_turn(x, p);
    while (rc == MORE && p->next <= now + every)
        rc = ask(x, p, dms, ret);
    if (rc == MORE)
        return 0; /* the allowance is used up: the rest of the turn when it is whole again */
    if (rc == WHOLE)
        return finish_turn(x, p) != 0 ? -ECANCELED : 0;
    if (rc != -EAGAIN)
        return rc;
    if (ret->outcome != ADUAN_LIMITED)
        return 1;
    x->host->ops->log(x->host, ADUAN_LOG_WARN, "%s: X limits us, again in %lld s", p->name,
                      (long long)(ret->retry_after_ms / 1000));
    if (x->host->ops->quota != NULL)
        x->host->ops->quota(x->host, p->name, 100);
    if (now + ret->retry_after_ms > p->next)
        p->next = now + ret->retry_after_ms;
    return 0;
}

/* Beside a webhook private messages are asked for, too, though seldom: nobody promises that X repeats an event
 * that found us away (section 2.3). Those that are known stop the reading. */
static int64_t dm_pause(struct x *x) {
    const struct x_settings *s = x->settings;
    int64_t pause = s->webhook && s->dm_poll < DM_BESIDE_MS ? DM_BESIDE_MS : s->dm_poll;

    if (s->webhook && x->pull->dms.next == 0)
        x->pull->dms.next = x->host->ops->now(x->host) + pause;
    return pause;
}

int x_pull(void *ctx, int64_t wait_ms, struct aduan_result *ret) {
    struct x *x = ctx;
    int64_t now, next, pause = dm_pause(x);
    int rc = turn(x, &x->pull->mentions, false, x->settings->mentions, ret);

    if (rc == 0)
        rc = turn(x, &x->pull->dms, true, pause, ret);
    if (rc > 0)
        return (int)ret->outcome;
    if (rc < 0)
        return rc;
    next = x->pull->mentions.next;
    if (x->pull->dms.next < next)
        next = x->pull->dms.next;
    now = x->host->ops->now(x->host);
    if (next > now)
        x->host->ops->pause(x->host, next - now < wait_ms ? next - now : wait_ms);
    return 0;
}

int x_commit(void *ctx, const uint64_t *cookies, size_t count) {
    (void)ctx;
    (void)cookies;
    (void)count;
    return 0; /* the mark is all there is */
}
