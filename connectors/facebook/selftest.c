/* selftest.c: offline proof with bodies and signatures that were computed elsewhere. */
#include "facebook/facebook.h"

#include "kit/meta.h"
#include "kit/text.h"

#include <stdio.h>
#include <string.h>

#define PAGE   "110000000000001"
#define PERSON "7700112233445566"

static const char text_body[] =
    "{\"object\":\"page\",\"entry\":[{\"id\":\"110000000000001\",\"time\":1789800000000,\"messaging\":[{"
    "\"sender\""
    ":{\"id\":\"7700112233445566\"},\"recipient\":{\"id\":\"110000000000001\"},\"timestamp\":1789799999500,"
    "\"mess"
    "age\":{\"mid\":\"m_CONTOH_1\",\"text\":\"Barangnya rusak, saya mau refund \\ud83d\\ude20\"}}]}]}";
#define TEXT_SIGNATURE "sha256=6e918d9d50a50e29aa6fc49a9348886659678c27b9ead8bef2f322d771f6dd7b"

static const char comment_body[] = "{\"object\":\"page\",\"entry\":[{\"id\":\"110000000000001\",\"time\":"
                                   "1789800000,\"changes\":[{\"field\":\"feed\""
                                   ",\"value\":{\"item\":\"comment\",\"verb\":\"add\",\"post_id\":"
                                   "\"110000000000001_200\",\"comment_id\":\"200_3"
                                   "01\",\"parent_id\":\"110000000000001_200\",\"from\":{\"id\":"
                                   "\"7700112233445566\",\"name\":\"Siti Rahma\"},\""
                                   "message\":\"Kecewa, barang rusak\",\"created_time\":1789799990}}]}]}";

static const char own_body[] = "{\"object\":\"page\",\"entry\":[{\"id\":\"110000000000001\",\"time\":"
                               "1789800000,\"changes\":[{\"field\":\"feed\""
                               ",\"value\":{\"item\":\"comment\",\"verb\":\"add\",\"post_id\":"
                               "\"110000000000001_200\",\"comment_id\":\"200_3"
                               "03\",\"parent_id\":\"200_301\",\"from\":{\"id\":\"110000000000001\",\"name\":"
                               "\"Toko Melati\"},\"message\":\""
                               "Mohon maaf Kak, kami DM ya\",\"created_time\":1789799999}}]}]}";

struct counter {
    struct aduan_sink sink;
    int texts, comments, echoes;
};

static int count(struct aduan_sink *sink, struct aduan_message *m) {
    struct counter *c = (struct counter *)sink;

    c->texts += m->kind == ADUAN_KIND_MESSAGE && !m->is_public && text_equal(m->conversation, PERSON);
    c->comments += m->kind == ADUAN_KIND_MESSAGE && m->is_public && text_equal(m->platform_id, "200_301") &&
                   text_equal(m->conversation, "public:" PAGE "_200:" PERSON);
    c->echoes += m->kind == ADUAN_KIND_ECHO;
    aduan_message_clear(m);
    return 0;
}

static int parse(const char *body, struct counter *c) {
    struct aduan_bytes in = { .bytes = body, .len = strlen(body) };

    return facebook_parse(NULL, &in, &c->sink);
}

int facebook_selftest(char *why, size_t why_size) {
    struct counter c = { .sink = { .record = count } };

    if (meta_selftest(text_body, TEXT_SIGNATURE, why, why_size) < 0)
        return -1;
    if (parse(text_body, &c) != 0 || parse(comment_body, &c) != 0 || parse(own_body, &c) != 0 || c.texts != 1 ||
        c.comments != 1 || c.echoes != 1) {
        snprintf(why, why_size, "the samples were not read as they should be");
        return -1;
    }
    return 0;
}
