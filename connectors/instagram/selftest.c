/* selftest.c: offline proof with bodies and signatures that were computed elsewhere. */
#include "instagram/instagram.h"

#include "kit/text.h"

#include <stdio.h>
#include <string.h>

#define PERSON  "990011223344556"
#define COMMENT "17860000000000001"

static const char text_body[] =
    "{\"object\":\"instagram\",\"entry\":[{\"id\":\"17841400000000001\",\"time\":1789800000000,"
    "\"messaging\":[{\"sender\":{\"id\":\"990011223344556\"},\"recipient\":{\"id\":\"1784140000"
    "0000001\"},\"timestamp\":1789799999000,\"message\":{\"mid\":\"aWdfZAG1faXRlbTpDT05UT0g_1\""
    ",\"text\":\"Kak, pesanan saya salah kirim \\ud83d\\ude22\"}}]}]}";
#define TEXT_SIGNATURE "sha256=b62b3ef57b6050227cacf8cf60ca17474218bb9cadcc19608c60316282bf4569"

static const char comment_body[] =
    "{\"object\":\"instagram\",\"entry\":[{\"id\":\"17841400000000001\",\"time\":1789800000,\"c"
    "hanges\":[{\"field\":\"comments\",\"value\":{\"from\":{\"id\":\"990011223344556\",\"userna"
    "me\":\"siti.rahma\"},\"media\":{\"id\":\"17990000000000001\",\"media_product_type\":\"FEED"
    "\"},\"id\":\"17860000000000001\",\"text\":\"Barang saya belum sampai!! @tokomelati\"}}]}]}";

static const char mention_body[] =
    "{\"object\":\"instagram\",\"entry\":[{\"id\":\"17841400000000001\",\"time\":1789800000,\"c"
    "hanges\":[{\"field\":\"mentions\",\"value\":{\"media_id\":\"17990000000000009\",\"comment_"
    "id\":\"17860000000000009\"}}]}]}";

struct counter {
    struct aduan_sink sink;
    int texts, comments, mentions;
};

static int count(struct aduan_sink *sink, struct aduan_message *m) {
    struct counter *c = (struct counter *)sink;

    c->texts += m->kind == ADUAN_KIND_MESSAGE && !m->is_public && text_equal(m->conversation, PERSON) &&
                text_starts(m->text, "Kak, pesanan saya");
    c->comments += m->kind == ADUAN_KIND_MESSAGE && m->is_public && text_equal(m->platform_id, COMMENT);
    c->mentions += m->kind == ADUAN_KIND_MESSAGE && m->attachment_count == 1 && m->attachments[0].is_text;
    aduan_message_clear(m);
    return 0;
}

static int parse(const char *body, struct counter *c) {
    struct aduan_bytes in = { .bytes = body, .len = strlen(body) };

    return instagram_parse(NULL, &in, &c->sink);
}

/* The two logins sign with two secrets: either opens the door, and no third. */
int instagram_selftest(char *why, size_t why_size) {
    struct counter c = { .sink = { .record = count } };

    if (meta_selftest(text_body, TEXT_SIGNATURE, why, why_size) < 0)
        return -1;
    if (parse(text_body, &c) != 0 || parse(comment_body, &c) != 0 || parse(mention_body, &c) != 0 ||
        c.texts != 1 || c.comments != 1 || c.mentions != 1) {
        snprintf(why, why_size, "the samples were not read as they should be");
        return -1;
    }
    return 0;
}
