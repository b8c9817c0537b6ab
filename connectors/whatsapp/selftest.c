/* selftest.c: offline proof with bodies and signatures that were computed elsewhere (section 1.3). */
#include "whatsapp/whatsapp.h"

#include "kit/text.h"

#include <stdio.h>
#include <string.h>

static const char text_body[] =
    "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"102290129340398\",\"chang"
    "es\":[{\"field\":\"messages\",\"value\":{\"messaging_product\":\"whatsapp\",\"metadata\""
    ":{\"display_phone_number\":\"6281130000111\",\"phone_number_id\":\"106540352242922\"},\""
    "contacts\":[{\"profile\":{\"name\":\"Siti Rahma\",\"username\":\"siti.rahma\"},\"wa_id\""
    ":\"6281234567890\",\"user_id\":\"ID.7k2QdX9pLm41AbC\"}],\"messages\":[{\"from\":\"628123"
    "4567890\",\"from_user_id\":\"ID.7k2QdX9pLm41AbC\",\"id\":\"wamid.CONTOH_TEXT\",\"timesta"
    "mp\":\"1789800000\",\"type\":\"text\",\"text\":{\"body\":\"Pesanan #8841 belum sampai, s"
    "udah 5 hari \\ud83d\\ude21. Tolong dicek ya, Kak.\"}}]}}]}]}";
#define TEXT_SIGNATURE "sha256=73a0a60aeb4e9391b3717583c4bfd04fc4313e80c523763ac8d36c191c833606"

static const char status_body[] =
    "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"102290129340398\",\"chang"
    "es\":[{\"field\":\"messages\",\"value\":{\"messaging_product\":\"whatsapp\",\"metadata\""
    ":{\"display_phone_number\":\"6281130000111\",\"phone_number_id\":\"106540352242922\"},\""
    "statuses\":[{\"id\":\"wamid.BALASAN_KAMI_1\",\"status\":\"failed\",\"timestamp\":\"17898"
    "00000\",\"recipient_id\":\"6281234567890\",\"recipient_user_id\":\"ID.7k2QdX9pLm41AbC\","
    "\"errors\":[{\"code\":131047,\"title\":\"Re-engagement message\",\"message\":\"Re-engage"
    "ment message\",\"error_data\":{\"details\":\"Message failed to send because more than 24"
    " hours have passed since the customer last replied to this number.\"},\"href\":\"https:/"
    "/developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/\"}]}]}}]}]}";

struct counter {
    struct aduan_sink sink;
    int texts, closed;
};

static int count(struct aduan_sink *sink, struct aduan_message *m) {
    struct counter *c = (struct counter *)sink;

    c->texts += m->kind == ADUAN_KIND_MESSAGE && text_starts(m->text, "Pesanan #8841") &&
                text_equal(m->conversation, "ID.7k2QdX9pLm41AbC") &&
                text_equal(m->sender.phone, "+6281234567890");
    c->closed += m->kind == ADUAN_KIND_STATUS && m->status.window_closed;
    aduan_message_clear(m);
    return 0;
}

static int parse(const char *body, struct counter *c) {
    struct aduan_bytes in = { .bytes = body, .len = strlen(body) };

    return whatsapp_parse(NULL, &in, &c->sink);
}

int whatsapp_selftest(char *why, size_t why_size) {
    struct counter c = { .sink = { .record = count } };

    if (meta_selftest(text_body, TEXT_SIGNATURE, why, why_size) < 0)
        return -1;
    if (parse(text_body, &c) != 0 || parse(status_body, &c) != 0 || c.texts != 1 || c.closed != 1) {
        snprintf(why, why_size, "the samples were not read as they should be");
        return -1;
    }
    return 0;
}
