/*
 * send.c: an answer to Instagram: a direct message, a private reply, a public reply, an answer to a mention.
 *
 * Text is never split: 1000 bytes are what one message takes (section 5), and an answer of an office in halves,
 * of which the second may fail, is worse than one that the officer shortens. So fits() says it beforehand, with
 * the count.
 */
#include "instagram/instagram.h"

#include "kit/query.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMMENT_MAX = 300 };

#define MB             (1000 * 1000LL)
#define PRIVATE_MAX_MS (7 * 24 * 3600 * 1000LL)

static const struct graph_kind kinds[] = {
    { "image/png", "image", 8 * MB },
    { "image/jpeg", "image", 8 * MB },
    { "audio/aac", "audio", 25 * MB },
    { "audio/mp4", "audio", 25 * MB },
    { "audio/x-m4a", "audio", 25 * MB },
    { "audio/wav", "audio", 25 * MB },
    { "video/mp4", "video", 25 * MB },
    { "video/ogg", "video", 25 * MB },
    { "video/x-msvideo", "video", 25 * MB },
    { "video/quicktime", "video", 25 * MB },
    { "video/webm", "video", 25 * MB },
    { "application/pdf", "file", 25 * MB },
    { NULL, NULL, 0 },
};

const struct graph_limits instagram_limits = {
    .channel = "Instagram",
    .text_max = 1000,
    .text_max_is_bytes = true,
    .kinds = kinds,
    .kinds_said = "PNG, JPEG, PDF, AAC, M4A, WAV, MP4, OGG, AVI, MOV, WebM",
    .images_max = 10,
    .metadata = false,
    .upload_platform = "instagram",
};

/* --------------------------------------------------------------------------- fits */

static const char *public_fault(const struct aduan_answer *a) {
    if (a->attachment_count > 0)
        return "Balasan komentar di muka umum hanya teks / a public reply carries text only";
    if (a->text == NULL || a->text[0] == '\0')
        return "Jawaban kosong / the answer is empty";
    if (text_characters(a->text) > COMMENT_MAX)
        return "Balasan di muka umum paling panjang 300 karakter / a public reply is at most 300 characters "
               "long";
    if (a->reply_to == NULL || a->reply_to[0] == '\0')
        return "Komentar yang dibalas tidak diketahui / the comment to reply to is not known";
    return NULL;
}

static bool is_mention(const struct aduan_answer *a) {
    struct instagram_mention mention;
    bool is = instagram_mention_of(a->conversation, &mention);

    instagram_mention_clear(&mention);
    return is;
}

int instagram_fits(const void *settings, const struct aduan_answer *answer, char *why, size_t why_size) {
    const char *fault = NULL;

    (void)settings;
    if (answer->is_public)
        fault = public_fault(answer);
    else if (is_mention(answer))
        fault =
            "Sebutan di kiriman orang lain tidak dapat dibalas pribadi; tunggu orangnya menulis DM / a mention "
            "elsewhere has no private reply; wait until the person writes";
    else
        return graph_fits(&instagram_limits, answer, why, why_size);
    if (fault != NULL)
        snprintf(why, why_size, "%s", fault);
    return fault != NULL ? -1 : 0;
}

/* --------------------------------------------------------------------------- send */

static void never(struct instagram *ig, const char *why, uint64_t token) {
    struct aduan_result result = { .outcome = ADUAN_NEVER };

    snprintf(result.reason, sizeof(result.reason), "%s", why);
    ig->graph.host->ops->done(ig->graph.host, token, &result);
}

static void answer_mention(struct instagram *ig, const struct aduan_answer *a,
                           const struct instagram_mention *mention, uint64_t token) {
    json_t *body = json_pack("{s:s, s:s}", "media_id", mention->media, "message", a->text);
    char *check = instagram_mention_path(ig->settings, mention->comment, mention->media, "id");
    char *path = xasprintf("%s/mentions", ig->settings->account_id);

    if (mention->comment != NULL)
        json_object_set_new(body, "comment_id", json_string(mention->comment));
    graph_publish(&ig->graph, check, path, body, token);
    free(path);
    free(check);
}

/* An id that came from outside becomes part of a path. */
static char *path_of(const char *id, const char *rest) {
    struct text t = TEXT_INIT;

    query_escape(&t, id);
    text_add(&t, rest);
    return text_steal(&t);
}

static void answer_in_public(struct instagram *ig, const struct aduan_answer *a, uint64_t token) {
    struct instagram_mention mention;

    if (instagram_mention_of(a->conversation, &mention)) {
        answer_mention(ig, a, &mention, token);
    } else {
        char *check = path_of(a->reply_to, "?fields=id"), *path = path_of(a->reply_to, "/replies");

        graph_publish(&ig->graph, check, path, json_pack("{s:s}", "message", a->text), token);
        free(path);
        free(check);
    }
    instagram_mention_clear(&mention);
}

static bool is_too_late(const struct instagram *ig, const struct aduan_answer *a) {
    return a->heard_at > 0 && ig->graph.host->ops->now(ig->graph.host) - a->heard_at > PRIVATE_MAX_MS;
}

void instagram_send(void *ctx, const struct aduan_answer *answer, uint64_t token) {
    struct instagram *ig = ctx;
    char why[300];

    if (instagram_fits(ig->settings, answer, why, sizeof(why)) < 0)
        never(ig, why, token);
    else if (answer->is_public)
        answer_in_public(ig, answer, token);
    else if (!graph_is_private_reply(answer))
        graph_send(&ig->graph, answer, "id", answer->to.id != NULL ? answer->to.id : answer->conversation,
                   token);
    else if (is_too_late(ig, answer))
        never(ig,
              "Komentar hanya dapat dibalas pribadi dalam 7 hari / a comment can be replied to in private for "
              "7 days only",
              token);
    else
        graph_send(&ig->graph, answer, "comment_id", answer->reply_to, token);
}
