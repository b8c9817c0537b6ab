/*
 * public.c: comments and mentions (section 4).
 *
 * A comment under an advertised post comes twice, as the post's and as the ad's: the same comment id, and the
 * same thread by the original post. A mention by the Facebook login is ids only: its text is fetched (fetch.c).
 */
#include "instagram/instagram.h"

#include "kit/json.h"
#include "kit/text.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 200, WORD_MAX_BYTES = 60, TITLE_MAX_BYTES = 300 };

static void extra_id(struct aduan_message *m, const char *key, const json_t *value, const char *path) {
    char *id = js_id(value, path);

    if (id != NULL)
        graph_extra(m, key, json_string(id));
    free(id);
}

static void extra_line(struct aduan_message *m, const char *key, const json_t *value, const char *path) {
    char *line = js_line(value, path, TITLE_MAX_BYTES);

    if (line != NULL)
        graph_extra(m, key, json_string(line));
    free(line);
}

static char *first_id(const json_t *value, const char *path, const char *other) {
    char *id = js_id(value, path);

    return id != NULL ? id : js_id(value, other);
}

static void set_public_text(struct aduan_message *m, const json_t *value) {
    m->text = js_text(value, "text");
    if (m->text != NULL && m->text[0] != '\0')
        return;
    free(m->text);
    m->text = xstrdup("[komentar tanpa teks]");
}

/* ----------------------------------------------------------------------- comments */

static void read_comment(struct aduan_message *m, const char *field, const json_t *value, const char *account) {
    char *id = first_id(value, "id", "comment_id"), *author = js_id(value, "from.id");
    char *media = first_id(value, "media.original_media_id", "media.id");
    int64_t at = meta_time(value, "timestamp");
    bool own = author != NULL && text_equal(author, account);

    m->kind = id == NULL ? ADUAN_KIND_UNPARSED : own ? ADUAN_KIND_ECHO : ADUAN_KIND_MESSAGE;
    m->is_public = true;
    if (id != NULL)
        m->conversation = xasprintf("public:%s:%s", media != NULL ? media : id, author != NULL ? author : id);
    m->platform_id = id;
    m->sender.id = author;
    m->sender.handle = js_line(value, "from.username", NAME_MAX_BYTES);
    m->reply_to = js_id(value, "parent_id");
    if (at > 0)
        m->sent_at = at;
    set_public_text(m, value);
    if (media != NULL)
        graph_extra(m, "media_id", json_string(media));
    extra_line(m, "product", value, "media.media_product_type");
    extra_id(m, "ad_id", value, "media.ad_id");
    extra_line(m, "ad_title", value, "media.ad_title");
    if (author == NULL && id != NULL)
        m->note = xstrdup("Instagram tidak menyebut penulisnya / Instagram does not name the author");
    if (strcmp(field, "live_comments") == 0) {
        graph_extra(m, "live", json_true());
        if (m->note == NULL)
            m->note = xstrdup(
                "Komentar siaran langsung: balasan pribadi hanya selama siaran / a live comment: a private "
                "reply only during the broadcast");
    }
    free(media);
}

/* ----------------------------------------------------------------------- mentions */

/* The text comes later as a file that is the text. */
static void wait_for_text(struct aduan_message *m, const char *media, const char *comment) {
    struct aduan_attachment *a = aduan_message_add_attachment(m);
    json_t *source = comment != NULL ? json_pack("{s:s, s:s}", "mentioned_comment", comment, "media", media)
                                     : json_pack("{s:s}", "mentioned_media", media);

    a->name = xstrdup(comment != NULL ? "komentar.txt" : "keterangan.txt");
    a->type = xstrdup("text/plain");
    a->state = ADUAN_ATTACHMENT_PENDING;
    a->is_text = true;
    a->source = json_dumps(source, JSON_COMPACT);
    json_decref(source);
}

static void read_mention(struct aduan_message *m, const json_t *value) {
    char *media = js_id(value, "media_id"), *comment = js_id(value, "comment_id");

    if (media == NULL) {
        free(comment);
        return; /* stays UNPARSED */
    }
    m->kind = ADUAN_KIND_MESSAGE;
    m->is_public = true;
    m->platform_id = xstrdup(comment != NULL ? comment : media);
    m->conversation = xasprintf("public:%s:" INSTAGRAM_MENTION "%s%s", media, comment != NULL ? ":" : "",
                                comment != NULL ? comment : "");
    m->note = xasprintf(
        "Kantor disebut di %s akun lain; Instagram tidak menyebut penulisnya / the office is mentioned "
        "elsewhere; Instagram does not name the author",
        comment != NULL ? "komentar" : "kiriman");
    graph_extra(m, "media_id", json_string(media));
    wait_for_text(m, media, comment);
    free(media);
    free(comment);
}

bool instagram_mention_of(const char *conversation, struct instagram_mention *ret) {
    static const char mark[] = ":" INSTAGRAM_MENTION;
    const char *media, *tail;

    *ret = (struct instagram_mention){ NULL, NULL };
    if (conversation == NULL || !text_starts(conversation, "public:"))
        return false;
    media = conversation + strlen("public:");
    tail = strchr(media, ':');
    if (tail == NULL || !text_starts(tail, mark) ||
        (tail[sizeof(mark) - 1] != '\0' && tail[sizeof(mark) - 1] != ':'))
        return false;
    ret->media = xstrndup(media, (size_t)(tail - media));
    if (tail[sizeof(mark) - 1] == ':')
        ret->comment = xstrdup(tail + sizeof(mark));
    return true;
}

void instagram_mention_clear(struct instagram_mention *mention) {
    free(mention->media);
    free(mention->comment);
}

bool instagram_change(struct aduan_message *m, const char *field, const json_t *value, const char *account,
                      int64_t at) {
    (void)at;
    if (strcmp(field, "comments") == 0 || strcmp(field, "live_comments") == 0)
        read_comment(m, field, value, account);
    else if (strcmp(field, "mentions") == 0)
        read_mention(m, value);
    else
        return false;
    return true;
}
