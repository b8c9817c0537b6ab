/*
 * send.c: an answer to a person by Messenger, in public under a comment, or once in private to a comment.
 *
 * A message carries the answer's id as metadata; it comes back in the echo, so an uncertain send is resolved by
 * the webhook. A comment carries nothing: there the comments under it are read to find out.
 */
#include "facebook/facebook.h"

#include "kit/json.h"
#include "kit/query.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMMENT_MAX = 1000 };

#define MB               (1000 * 1000LL)
#define PRIVATE_REPLY_MS (7 * 24 * 3600 * 1000LL)

/* 2000 characters is what people have seen, 1000 what is known to pass (section 4). */
static const struct graph_kind kinds[] = {
    { "image/jpeg", "image", 25 * MB },
    { "image/png", "image", 25 * MB },
    { "image/gif", "image", 25 * MB },
    { "video/mp4", "video", 25 * MB },
    { "audio/mpeg", "audio", 25 * MB },
    { "audio/mp4", "audio", 25 * MB },
    { "audio/aac", "audio", 25 * MB },
    { "audio/wav", "audio", 25 * MB },
    { "", "file", 25 * MB },
    { NULL, NULL, 0 },
};

const struct graph_limits facebook_limits = {
    .channel = "Facebook",
    .text_max = 1000,
    .kinds = kinds,
    .kinds_said = "gambar, video, audio, berkas / images, video, audio, files",
    .images_max = 1, /* 30 are allowed; one by one each has its own fate */
    .metadata = true,
};

/* ------------------------------------------------------------------------- fits */

static int no(char *why, size_t why_size, const char *reason) {
    snprintf(why, why_size, "%s", reason);
    return -1;
}

static int fits_public(const struct aduan_answer *a, char *why, size_t why_size) {
    if (a->reply_to == NULL || a->reply_to[0] == '\0')
        return no(why, why_size, "Tidak ada komentar yang dijawab / there is no comment to answer");
    if (a->attachment_count > 0)
        return no(why, why_size,
                  "Jawaban publik di Facebook tanpa lampiran / a public answer on Facebook has no attachments");
    if (text_characters(a->text) > COMMENT_MAX)
        return no(why, why_size, "Komentar melebihi 1000 karakter / a comment over 1000 characters");
    return 0;
}

static bool is_review(const struct aduan_answer *a) {
    return text_starts(a->conversation, "public:" FACEBOOK_REVIEW);
}

#define TOO_LATE                                                                                               \
    "Balasan pribadi di Facebook hanya sampai 7 hari setelah komentarnya; ajak menulis pesan (--public) / a "  \
    "private reply goes only within 7 days of the comment; invite to write (--public)"

int facebook_fits(const void *settings, const struct aduan_answer *answer, char *why, size_t why_size) {
    (void)settings;
    if (answer->is_public)
        return fits_public(answer, why, why_size);
    if (graph_is_private_reply(answer)) {
        if (is_review(answer))
            return no(why, why_size,
                      "Facebook tidak punya balasan pribadi untuk ulasan; ajak menulis pesan (--public) / "
                      "Facebook has "
                      "no private reply to a review; invite to write (--public)");
        if (answer->heard_at > 0 && answer->queued_at - answer->heard_at > PRIVATE_REPLY_MS)
            return no(why, why_size, TOO_LATE);
    }
    return graph_fits(&facebook_limits, answer, why, why_size);
}

/* ------------------------------------------------------------------------- send */

static void end(const struct facebook *f, uint64_t token, enum aduan_outcome outcome, const char *reason) {
    struct aduan_result result = { .outcome = outcome };

    snprintf(result.reason, sizeof(result.reason), "%s", reason);
    f->host->ops->done(f->host, token, &result);
}

static char *comments_path(const struct aduan_answer *a, const char *query) {
    struct text path = TEXT_INIT;

    query_escape(&path, a->reply_to);
    text_addf(&path, "/comments%s", query);
    return text_steal(&path);
}

static void send_public(struct facebook *f, const struct aduan_answer *a, uint64_t token) {
    char *path = comments_path(a, "");

    graph_publish(&f->graph, NULL, path, json_pack("{s:s}", "message", a->text), token);
    free(path);
}

/* "public:POST:AUTHOR": is the post itself what is answered? */
static bool is_of_post(const struct aduan_answer *a) {
    const char *post = a->conversation + strlen("public:");
    size_t n = strlen(a->reply_to);

    return strncmp(post, a->reply_to, n) == 0 && post[n] == ':';
}

static void send_private_reply(struct facebook *f, const struct aduan_answer *a, uint64_t token) {
    if (a->heard_at > 0 && f->host->ops->now(f->host) - a->heard_at > PRIVATE_REPLY_MS)
        end(f, token, ADUAN_NEVER, TOO_LATE);
    else
        graph_send(&f->graph, a, is_of_post(a) ? "post_id" : "comment_id", a->reply_to, token);
}

static const char *ref_of(const struct aduan_answer *a) {
    return a->to.id != NULL && text_starts(a->to.id, "user_ref:") ? a->to.id + strlen("user_ref:") : NULL;
}

void facebook_send(void *ctx, const struct aduan_answer *answer, uint64_t token) {
    struct facebook *f = ctx;
    char why[300] = "";

    if (facebook_fits(f->settings, answer, why, sizeof(why)) < 0)
        end(f, token, ADUAN_NEVER, why);
    else if (answer->is_public)
        send_public(f, answer, token);
    else if (graph_is_private_reply(answer))
        send_private_reply(f, answer, token);
    else if (answer->to.id == NULL || answer->to.id[0] == '\0')
        end(f, token, ADUAN_NEVER,
            "Pengirim tidak punya identitas Facebook / there is no Facebook id to send to");
    else if (ref_of(answer) != NULL)
        graph_send(&f->graph, answer, "user_ref", ref_of(answer), token);
    else
        graph_send(&f->graph, answer, "id", answer->to.id, token);
}

/* ------------------------------------------------------------------------- find */

/* Our comments with these words, oldest last; the id of the newest. */
static size_t count_ours(const struct facebook *f, const struct aduan_answer *a, const json_t *list,
                         char ret_id[512]) {
    const json_t *one;
    size_t i, count = 0;

    json_array_foreach(list, i, one) {
        char *author = js_id(one, "from.id"), *id = js_id(one, "id"), *text = js_text(one, "message");

        if (id != NULL && text_equal(author, f->settings->page_id) && text_equal(text, a->text) && count++ == 0)
            snprintf(ret_id, 512, "%s", id);
        free(author);
        free(id);
        free(text);
    }
    return count;
}

/* More of our comments with these words than there were answers before this one: it is there. Fewer proves
 * nothing: somebody may have removed or hidden it, or Graph shows it only later. */
void facebook_find(void *ctx, const struct aduan_answer *answer, struct aduan_result *ret) {
    struct facebook *f = ctx;
    json_t *body;
    char *path;

    memset(ret, 0, sizeof(*ret));
    ret->outcome = ADUAN_UNCERTAIN;
    if (!answer->is_public || answer->reply_to == NULL) {
        snprintf(
            ret->reason, sizeof(ret->reason),
            "Facebook tidak dapat ditanya; gemanya menentukan / Facebook cannot be asked, its echo will tell");
        return;
    }
    path = comments_path(answer, "?fields=id,message,from&order=reverse_chronological&limit=100");
    body = graph_call(&f->graph, "GET", path, ret);
    if (body != NULL && count_ours(f, answer, js_get(body, "data"), ret->platform_id) > answer->answered_before)
        ret->outcome = ADUAN_SENT;
    else
        ret->outcome = ADUAN_UNCERTAIN;
    if (ret->outcome == ADUAN_UNCERTAIN && ret->reason[0] == '\0')
        snprintf(ret->reason, sizeof(ret->reason),
                 "tidak terlihat di antara komentar / it is not seen among the comments");
    json_decref(body);
    free(path);
}
