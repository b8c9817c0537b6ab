/*
 * post.c: what stands in public: posts as v1.1 and as v2 writes them.
 *
 * An edit has an id of its own and may be all that a poll ever sees: it gives two records, the post under its
 * first id (known already, or new with the last words) and the edit of it. Reposts are nobody's complaint.
 */
#include "x/x.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEDIA_MAX = 8 };

struct post {
    const json_t *json;
    json_t *slice;
    char *id, *first; /* first: of its edits */
    char *author, *parent, *root, *to_user, *quoted_id;
    char *text, *quoted, *language;
    int64_t at;
    bool repost, mentions_me;
};

static void clear(struct post *p) {
    json_decref(p->slice);
    free(p->id);
    free(p->first);
    free(p->author);
    free(p->parent);
    free(p->root);
    free(p->to_user);
    free(p->quoted_id);
    free(p->text);
    free(p->quoted);
    free(p->language);
}

/* X has its own words for Indonesian and Hebrew, and some that are no language at all. */
static char *language_of(const json_t *post) {
    char *lang = js_line(post, "lang", 10);

    if (text_equal(lang, "in") || text_equal(lang, "iw")) {
        const char *known = lang[1] == 'n' ? "id" : "he";

        free(lang);
        return xstrdup(known);
    }
    if (lang != NULL && (lang[0] == 'q' || strcmp(lang, "und") == 0 || strcmp(lang, "zxx") == 0)) {
        free(lang);
        return NULL;
    }
    return lang;
}

static bool names(const json_t *mentions, const char *me) {
    const json_t *mention;
    char *id;
    size_t i;
    bool found = false;

    json_array_foreach(mentions, i, mention) {
        id = x_id(mention, "id");
        found |= me != NULL && text_equal(id, me);
        free(id);
    }
    return found;
}

/* ---------------------------------------------------------------------- record */

static void set_common(struct x_walk *w, struct aduan_message *m, const struct post *p) {
    bool own = text_equal(p->author, w->me) && p->author != NULL;
    const char *whom = !own ? p->author : p->to_user;

    m->is_public = true;
    m->sent_at = p->at;
    m->conversation = xasprintf("public:%s:%s", p->root,
                                whom != NULL        ? whom
                                : p->author != NULL ? p->author
                                                    : p->first);
    m->reply_to = xstrdup(p->parent);
    m->text = xstrdup(p->text != NULL ? p->text : "");
    m->quoted = xstrdup(p->quoted);
    m->language = xstrdup(p->language);
    x_sender(w, m, p->author);
    x_extra(m, "mentioned", json_boolean(p->mentions_me));
    if (p->quoted_id != NULL)
        x_extra(m, "quoted_id", json_string(p->quoted_id));
    if (!text_equal(p->id, p->first))
        x_extra(m, "edited_id", json_string(p->id));
}

static json_t *slice_of(const struct post *p, const char *only) {
    json_t *slice = json_copy(p->slice);

    if (only != NULL)
        json_object_set_new(slice, "only", json_string(only));
    return slice;
}

static void attach_all(struct x_walk *w, struct aduan_message *m, const json_t *post) {
    const json_t *list = x_either(post, "extended_entities.media", "entities.media"), *media, *key;
    size_t i;

    if (js_get(post, "extended_tweet") != NULL)
        list = x_either(post, "extended_tweet.extended_entities.media", "extended_tweet.entities.media");
    json_array_foreach(list, i, media) {
        const json_t *variants = js_get(media, "video_info.variants"), *v;
        const char *url = js_str(media, "media_url_https");
        int64_t rate = -1;
        size_t j;

        json_array_foreach(variants, j, v) {
            if (text_equal(js_str(v, "content_type"), "video/mp4") && js_int(v, "bitrate", 0) > rate) {
                rate = js_int(v, "bitrate", 0);
                url = js_str(v, "url");
            }
        }
        if (i < MEDIA_MAX)
            x_attach(m, js_str(media, "type"), url);
    }
    json_array_foreach(js_get(post, "attachments.media_keys"), i, key) {
        media = json_is_string(key) ? json_object_get(w->media, json_string_value(key)) : NULL;
        if (i < MEDIA_MAX)
            x_attach(m, js_str(media, "type"), js_str(media, "url"));
    }
}

static void emit_edit(struct x_walk *w, const struct post *p) {
    struct aduan_message m = { .kind = ADUAN_KIND_EDIT };

    set_common(w, &m, p);
    free(m.reply_to);
    m.reply_to = xstrdup(p->first);
    m.platform_id = xstrdup(p->id);
    x_emit(w, &m, slice_of(p, "edit"));
}

static void emit_post(struct x_walk *w, struct post *p) {
    bool own = p->author != NULL && text_equal(p->author, w->me), edited = !text_equal(p->id, p->first) && !own;
    struct aduan_message m = { .kind = own ? ADUAN_KIND_ECHO : ADUAN_KIND_MESSAGE };

    if (p->repost) {
        x_emit_daily(w, "repost", p->at, "Kiriman diteruskan, bukan aduan / a post was reposted, no complaint",
                     slice_of(p, NULL));
        return;
    }
    if (edited)
        w->slices = true;
    if (!edited || !text_equal(w->only, "edit")) {
        m.platform_id = xstrdup(p->first);
        set_common(w, &m, p);
        attach_all(w, &m, p->json);
        x_emit(w, &m, slice_of(p, edited ? "first" : NULL));
    }
    if (edited && !text_equal(w->only, "first"))
        emit_edit(w, p);
}

static void emit_shapeless(struct x_walk *w, struct post *p) {
    struct aduan_message m = { .kind = ADUAN_KIND_UNPARSED, .is_public = true };
    char *id = js_line(p->json, "id_str", 80);

    if (id == NULL)
        id = js_line(p->json, "id", 80);
    m.platform_id = xasprintf("post:%s", id != NULL ? id : "?");
    m.note = xstrdup("Kiriman tanpa id yang dapat dibaca / a post without a readable id");
    free(id);
    x_emit(w, &m, slice_of(p, NULL));
}

static void finish(struct x_walk *w, struct post *p) {
    if (p->id == NULL) {
        emit_shapeless(w, p);
    } else {
        if (p->first == NULL)
            p->first = xstrdup(p->id);
        if (p->root == NULL)
            p->root = xstrdup(p->parent != NULL ? p->parent : p->first);
        emit_post(w, p);
    }
    clear(p);
}

/* ------------------------------------------------------------------------ v1.1 */

static void keep_author(struct x_walk *w, const json_t *user, const char *id) {
    char *name = js_line(user, "name", 200), *handle = js_line(user, "screen_name", 200);
    json_t *person;

    if (id != NULL) {
        person = json_pack("{s:s, s:s*, s:s*}", "id", id, "name", name, "username", handle);
        json_object_set_new(w->people, id, person);
    }
    free(name);
    free(handle);
}

void x_post_v1(struct x_walk *w, const json_t *post) {
    const json_t *more = js_get(post, "extended_tweet"), *user = js_get(post, "user");
    const json_t *edits = js_get(post, "edit_history.initial_tweet_id");
    struct post p = { .json = post };

    p.slice = x_slice_v1(w, "tweet_create_events", post);
    p.id = x_id(post, "id");
    p.first = edits != NULL ? x_id(js_get(post, "edit_history"), "initial_tweet_id") : NULL;
    p.author = x_id(user, "id");
    p.parent = x_id(post, "in_reply_to_status_id");
    p.to_user = x_id(post, "in_reply_to_user_id");
    p.quoted_id = x_id(post, "quoted_status_id");
    p.text = x_text(more, "full_text");
    if (p.text == NULL)
        p.text = x_text(post, "full_text");
    if (p.text == NULL)
        p.text = x_text(post, "text");
    p.quoted = x_text(js_get(post, "quoted_status"), "text");
    p.language = language_of(post);
    p.at = x_time(post);
    p.repost = json_is_object(js_get(post, "retweeted_status"));
    p.mentions_me = names(js_get(post, "entities.user_mentions"), w->me) ||
                    names(js_get(more, "entities.user_mentions"), w->me);
    keep_author(w, user, p.author);
    finish(w, &p);
}

/* -------------------------------------------------------------------------- v2 */

static void read_references(struct post *p, const json_t *post) {
    const json_t *list = x_either(post, "referenced_tweets", "referenced_posts"), *item;
    const char *type;
    size_t i;

    json_array_foreach(list, i, item) {
        type = js_str(item, "type");
        if (text_equal(type, "replied_to") && p->parent == NULL)
            p->parent = x_id(item, "id");
        if (text_equal(type, "quoted") && p->quoted_id == NULL)
            p->quoted_id = x_id(item, "id");
        p->repost |= text_equal(type, "retweeted") || text_equal(type, "reposted");
    }
}

static char *first_of(const json_t *post) {
    const json_t *edits = x_either(post, "edit_history_tweet_ids", "edit_history_post_ids");
    json_t *first = json_pack("{s:O?}", "id", json_array_get(edits, 0));
    char *id = x_id(first, "id");

    json_decref(first);
    return id;
}

static char *long_text(const json_t *post) {
    char *text = x_text(x_either(post, "note_tweet", "note_post"), "text");

    return text != NULL ? text : x_text(post, "text");
}

void x_post_v2(struct x_walk *w, const json_t *post) {
    struct post p = { .json = post };

    p.slice = x_slice_v2(w, post);
    p.id = x_id(post, "id");
    p.first = first_of(post);
    p.author = x_id(post, "author_id");
    p.parent = x_id(post, "in_reply_to_tweet_id");
    if (p.parent == NULL)
        p.parent = x_id(post, "in_reply_to_post_id");
    p.to_user = x_id(post, "in_reply_to_user_id");
    p.root = x_id(post, "conversation_id");
    read_references(&p, post);
    p.text = long_text(post);
    p.language = language_of(post);
    p.at = x_time(post);
    p.mentions_me = names(js_get(post, "entities.mentions"), w->me);
    finish(w, &p);
}
