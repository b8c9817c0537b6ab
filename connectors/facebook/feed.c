/*
 * feed.c: what stands in public: comments, posts, mentions and reviews, from entry[].changes[] (section 3).
 *
 * Three fields, one grammar: an item was added, edited, removed or marked by somebody. Our own comes back, too,
 * and is an echo. The author may be missing: then each comment is a thread of its own.
 *
 * A like or any other reaction is about a comment or about a post. One about a comment is a record like
 * another: comments are cases, and the officer sees in the history that people agree. Of a post, mostly our
 * own, it is nobody's complaint, and there may be ten thousand: the first of each kind and day stands for all
 * of them. So it is seen that a post makes people angry, nothing is dropped without a trace, and nobody drowns.
 */
#include "facebook/facebook.h"

#include "kit/json.h"
#include "kit/meta.h"
#include "kit/text.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 200, WORD_MAX_BYTES = 40, LINK_MAX_BYTES = 2000, PHOTOS_MAX = 30, DAY_MS = 86400000 };

enum deed { UNKNOWN_DEED = 0, ADDED, EDITED, REMOVED, MARKED };
enum thing { UNKNOWN_THING = 0, WRITTEN, FELT };

struct change {
    const json_t *value;
    const char *page;
    int64_t at; /* of the delivery */
    enum deed deed;
    enum thing thing;
    char *item, *verb, *post, *comment, *author, *name;
    bool review, own;
};

/* ----------------------------------------------------------------------- words */

struct word {
    const char *name;
    int means;
};

static const struct word deeds[] = {
    { "add", ADDED },       { "edit", EDITED },     { "edited", EDITED },  { "update", EDITED },
    { "remove", REMOVED },  { "delete", REMOVED },  { "hide", MARKED },    { "unhide", MARKED },
    { "mute", MARKED },     { "block", MARKED },    { "unblock", MARKED }, { "follow", MARKED },
    { "unfollow", MARKED }, { NULL, UNKNOWN_DEED },
};

static const struct word things[] = {
    { "comment", WRITTEN },  { "post", WRITTEN },   { "status", WRITTEN }, { "photo", WRITTEN },
    { "video", WRITTEN },    { "share", WRITTEN },  { "link", WRITTEN },   { "album", WRITTEN },
    { "event", WRITTEN },    { "rating", WRITTEN }, { "reaction", FELT },  { "like", FELT },
    { NULL, UNKNOWN_THING },
};

static int meaning(const struct word *words, const char *name) {
    while (words->name != NULL && !text_equal(words->name, name))
        words++;
    return words->means;
}

static char *either(char *first, char *second) {
    if (first == NULL)
        return second;
    free(second);
    return first;
}

/* The first of several names that the same thing has had. */
static char *author_of(const json_t *value) {
    return either(js_id(value, "from.id"), either(js_id(value, "sender_id"), js_id(value, "reviewer_id")));
}

static char *name_of(const json_t *value) {
    return either(
        js_line(value, "from.name", NAME_MAX_BYTES),
        either(js_line(value, "sender_name", NAME_MAX_BYTES), js_line(value, "reviewer_name", NAME_MAX_BYTES)));
}

static void read_change(struct change *c, const char *field, const json_t *value, const char *page,
                        int64_t at) {
    memset(c, 0, sizeof(*c));
    c->value = value;
    c->page = page;
    c->at = at;
    c->review = text_equal(field, "ratings");
    c->item = js_line(value, "item", WORD_MAX_BYTES);
    c->verb = js_line(value, "verb", WORD_MAX_BYTES);
    c->thing = meaning(things, c->item);
    c->deed = meaning(deeds, c->verb);
    c->post = js_id(value, c->review ? "open_graph_story_id" : "post_id");
    c->comment = js_id(value, "comment_id");
    c->author = author_of(value);
    c->name = name_of(value);
    c->own = text_equal(c->author, page);
}

static void clear_change(struct change *c) {
    free(c->item);
    free(c->verb);
    free(c->post);
    free(c->comment);
    free(c->author);
    free(c->name);
}

/* --------------------------------------------------------------------- the parts */

static const char *target(const struct change *c) {
    return c->comment != NULL ? c->comment : c->post;
}

static int64_t made_at(const struct change *c) {
    int64_t at = meta_time(c->value, "created_time");

    return at > 0 ? at : c->at;
}

/* One thread for each author under each post. Whoever is not named has the comment to himself. */
static char *thread_of(const struct change *c) {
    const char *author = c->author != NULL ? c->author : target(c);

    return xasprintf("public:%s%s:%s", c->review ? FACEBOOK_REVIEW : "", c->post != NULL ? c->post : target(c),
                     author);
}

static void extra_line(struct aduan_message *m, const struct change *c, const char *key) {
    char *s = js_line(c->value, key, LINK_MAX_BYTES);

    if (s != NULL)
        graph_extra(m, key, json_string(s));
    free(s);
}

static void set_common(struct aduan_message *m, const struct change *c) {
    m->is_public = true;
    m->conversation = thread_of(c);
    m->sender.id = xstrdup(c->author);
    m->sender.name = xstrdup(c->name);
    m->sent_at = made_at(c);
    if (c->item != NULL)
        graph_extra(m, "item", json_string(c->item));
    if (c->post != NULL)
        graph_extra(m, "post_id", json_string(c->post));
    extra_line(m, c, "permalink_url");
    extra_line(m, c, "link");
}

/* What stands for a text that is not there. */
static char *stand_in(const struct change *c, const char *field) {
    char *link = js_line(c->value, "link", LINK_MAX_BYTES), *s;

    if (text_equal(field, "mention"))
        s = xasprintf("[halaman kantor disebut dalam %s]", c->comment != NULL ? "komentar" : "kiriman");
    else if (js_str(c->value, "photo") != NULL || js_get(c->value, "photos") != NULL)
        s = xstrdup("[foto]");
    else if (js_str(c->value, "video") != NULL)
        s = xstrdup("[video]");
    else if (link != NULL)
        s = xasprintf("[tautan] %s", link);
    else
        s = xasprintf("[%s tanpa teks]", c->thing == WRITTEN && c->comment != NULL ? "komentar"
                                         : c->item != NULL                         ? c->item
                                                                                   : "kiriman");
    free(link);
    return s;
}

static char *lower_line(const json_t *value, const char *key) {
    char *line = js_line(value, key, WORD_MAX_BYTES), *low = line != NULL ? text_lower(line) : NULL;

    free(line);
    return low;
}

/* A review: its words, else its verdict; the verdict is kept beside the words. */
static char *review_text(struct aduan_message *m, const struct change *c) {
    char *text = js_text(c->value, "review_text"), *verdict = lower_line(c->value, "recommendation_type");
    int64_t stars = js_int(c->value, "rating", 0);

    if (verdict != NULL)
        graph_extra(m, "recommendation", json_string(verdict));
    if (stars > 0)
        graph_extra(m, "stars", json_integer(stars));
    if (text == NULL || text[0] == '\0') {
        free(text);
        text = stars > 0 ? xasprintf("[ulasan tanpa teks: %lld dari 5]", (long long)stars)
                         : xasprintf("[ulasan tanpa teks: %s]",
                                     text_equal(verdict, "positive")   ? "merekomendasikan"
                                     : text_equal(verdict, "negative") ? "tidak merekomendasikan"
                                                                       : "tanpa penilaian");
    }
    free(verdict);
    return text;
}

static char *text_of(struct aduan_message *m, const struct change *c, const char *field) {
    char *text;

    if (c->review && c->comment == NULL)
        return review_text(m, c);
    text = js_text(c->value, "message");
    if (text != NULL && text[0] != '\0')
        return text;
    free(text);
    return stand_in(c, field);
}

static void add_files(struct aduan_message *m, const struct change *c) {
    const json_t *photo, *photos = js_get(c->value, "photos");
    size_t i;

    if (js_str(c->value, "photo") != NULL)
        graph_attach(m, "image", js_str(c->value, "photo"));
    if (js_str(c->value, "photo") == NULL) {
        json_array_foreach(photos, i, photo) {
            if (json_is_string(photo) && i < PHOTOS_MAX)
                graph_attach(m, "image", json_string_value(photo));
        }
    }
    if (js_str(c->value, "video") != NULL)
        graph_attach(m, "video", js_str(c->value, "video"));
}

/* ------------------------------------------------------------------------- deeds */

/* parent_id is the post for a comment at the top, a comment for an answer to it. */
static void set_parent(struct aduan_message *m, const struct change *c) {
    char *parent = js_id(c->value, "parent_id");

    if (parent != NULL && !text_equal(parent, c->post) && !text_equal(parent, target(c))) {
        m->reply_to = parent;
        return;
    }
    free(parent);
}

static void was_added(struct aduan_message *m, const struct change *c, const char *field) {
    m->kind = c->own ? ADUAN_KIND_ECHO : ADUAN_KIND_MESSAGE;
    m->platform_id = xstrdup(target(c));
    m->text = text_of(m, c, field);
    set_parent(m, c);
    if (c->own)
        return;
    add_files(m, c);
    if (c->thing == UNKNOWN_THING)
        m->note =
            xstrdup("Jenis kiriman yang belum dikenal: lihat di Facebook / a kind of post not known yet: see "
                    "Facebook");
    else if (c->author == NULL)
        m->note = xstrdup("Facebook tidak menyebut penulisnya / Facebook does not name the author");
}

static void was_edited(struct aduan_message *m, const struct change *c, const char *field) {
    int64_t at = meta_time(c->value, "edited_time");

    m->kind = ADUAN_KIND_EDIT;
    m->sent_at = at > 0 ? at : c->at;
    m->platform_id = xasprintf("%s:edit:%lld", target(c), (long long)m->sent_at);
    m->reply_to = xstrdup(target(c));
    m->text = text_of(m, c, field);
}

static void was_removed(struct aduan_message *m, const struct change *c) {
    m->kind = ADUAN_KIND_DELETE;
    m->platform_id = xasprintf("%s:remove", target(c));
    m->reply_to = xstrdup(target(c));
    m->sent_at = c->at;
}

/* Hidden, muted, blocked, by a person or a filter of the page: the case's history tells it. */
static void was_marked(struct aduan_message *m, const struct change *c) {
    m->kind = ADUAN_KIND_SYSTEM;
    m->platform_id = xasprintf("%s:%s:%lld", target(c), c->verb, (long long)c->at);
    m->reply_to = xstrdup(target(c));
    m->sent_at = c->at;
    m->note = xasprintf("Di Facebook: %s %s / on Facebook: %s %s",
                        text_equal(c->verb, "hide")     ? "disembunyikan"
                        : text_equal(c->verb, "unhide") ? "ditampilkan lagi"
                                                        : c->verb,
                        c->comment != NULL ? "komentar ini" : "kiriman ini", c->verb,
                        c->comment != NULL ? "this comment" : "this post");
}

static void was_felt(struct aduan_message *m, const struct change *c) {
    char *type = either(js_line(c->value, "reaction_type", WORD_MAX_BYTES), xstrdup(c->item));
    bool taken_back = c->deed == REMOVED;

    m->kind = ADUAN_KIND_REACTION;
    m->reply_to = xstrdup(target(c));
    m->text = taken_back ? xstrdup("") : xasprintf("%s%s", type, c->own ? " (kantor / the office)" : "");
    if (c->comment != NULL) {
        m->platform_id = xasprintf("%s:%s:%s:%s:%lld", target(c), type, c->verb,
                                   c->author != NULL ? c->author : "", (long long)made_at(c));
    } else {
        m->platform_id = xasprintf("%s:%s:%s:%lld", target(c), type, c->verb, (long long)(made_at(c) / DAY_MS));
        m->note = xstrdup(
            "Mewakili semua reaksi sejenis pada kiriman ini hari itu / stands for all reactions of this "
            "kind to this post on that day");
    }
    free(type);
}

/* A verb or a shape that nobody told us of: an officer looks. */
static void was_strange(struct aduan_message *m, const struct change *c, const char *field) {
    m->kind = ADUAN_KIND_UNPARSED;
    m->text = text_of(m, c, field);
    m->note = xasprintf(
        "Facebook melaporkan sesuatu yang belum dikenal (%s %s): lihat di halaman / not known yet: look "
        "at the page",
        c->item != NULL ? c->item : "?", c->verb != NULL ? c->verb : "?");
}

static bool is_ours_to_read(const char *field) {
    return strcmp(field, "feed") == 0 || strcmp(field, "mention") == 0 || strcmp(field, "ratings") == 0;
}

bool facebook_change(struct aduan_message *m, const char *field, const json_t *value, const char *page,
                     int64_t at) {
    struct change c;

    if (!is_ours_to_read(field))
        return false;
    read_change(&c, field, value, page, at);
    if (target(&c) != NULL)
        set_common(m, &c);
    if (target(&c) == NULL || c.deed == UNKNOWN_DEED)
        was_strange(m, &c, field);
    else if (c.thing == FELT)
        was_felt(m, &c);
    else if (c.deed == ADDED)
        was_added(m, &c, field);
    else if (c.deed == EDITED)
        was_edited(m, &c, field);
    else if (c.deed == REMOVED)
        was_removed(m, &c);
    else
        was_marked(m, &c);
    clear_change(&c);
    return true;
}
