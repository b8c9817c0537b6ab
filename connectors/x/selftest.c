/* selftest.c: offline proof with a body, a signature and OAuth values that were computed elsewhere (2.2, 5.1).
 */
#include "x/x.h"

#include "kit/hook.h"
#include "kit/oauth1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET    "rahasia-konsumen-uji-456"
#define BODY      "{\"for_user_id\":\"1234567890\",\"direct_message_events\":[]}"
#define SIGNATURE "sha256=S3hRC9ag/oy65d8ffwjRS/jBDE8EqLxkMGmsA7POqdY="

static const char dm[] =
    "{\"for_user_id\":\"1234567890\",\"direct_message_events\":[{\"type\":\"message_create\",\"id\":"
    "\"1950000000000000101\",\"created_timestamp\":\"1789800000123\",\"message_create\":{\"target\":{"
    "\"recipient_id\":\"1234567890\"},\"sender_id\":\"9876543210\",\"message_data\":{\"text\":\"Paspor &amp; "
    "visa\"}}}]}";

static int count(struct aduan_sink *sink, struct aduan_message *m) {
    if (m->kind == ADUAN_KIND_MESSAGE && text_equal(m->text, "Paspor & visa") &&
        text_equal(m->conversation, "9876543210") && m->sent_at == 1789800000123)
        sink->now++;
    aduan_message_clear(m);
    return 0;
}

static struct aduan_secret secret_of(const char *s) {
    return (struct aduan_secret){ (char *)(uintptr_t)s, strlen(s) };
}

static const char *check_hook(void) {
    const struct aduan_secret right = secret_of(SECRET), wrong = secret_of("lain");
    const struct aduan_header header = { "x-twitter-webhooks-signature", SIGNATURE };
    const struct aduan_hook_request post = { "POST", "", &header, 1, BODY, sizeof(BODY) - 1 };
    struct aduan_hook_answer answer;

    if (!hook_signed_base64(&post, header.name, &right, 1))
        return "a good signature was refused";
    if (hook_signed_base64(&post, header.name, &wrong, 1))
        return "a bad signature was believed";
    hook_answer_crc(&answer, &right, "crc_token=Y3JjLXRva2VuLWNvbnRvaA");
    if (strstr(answer.body, "eV/6Xy4N37Fby9jMnwuv1LqvEhGy2L3mE6JFKUSzaa4=") == NULL)
        return "the challenge was answered wrongly";
    return NULL;
}

static const char *check_oauth(void) {
    const struct aduan_secret ck = secret_of("CK_contoh"), cs = secret_of("CS_contoh&rahasia"),
                              tk = secret_of("111-TK_contoh"), ts = secret_of("TS_contoh/rahasia");
    const struct oauth1 o = { &ck, &cs, &tk, &ts, "nonceContoh0001", 1790000000 };
    char *signature =
        oauth1_signature(&o, "POST", "https://api.x.com/2/dm_conversations/with/9876543210/messages", NULL);
    bool right = text_equal(signature, "Iddf7cwTJ6ppB0pVzv2SzNnq14Q=");

    free(signature);
    return right ? NULL : "a request was signed wrongly";
}

int x_selftest(char *why, size_t why_size) {
    const struct aduan_bytes in = { .bytes = dm, .len = strlen(dm) };
    struct aduan_sink sink = { .record = count };
    const char *fault = check_hook();

    if (fault == NULL)
        fault = check_oauth();
    if (fault == NULL && (x_parse(NULL, &in, &sink) != 0 || sink.now != 1))
        fault = "the sample was not read as it should be";
    if (fault != NULL)
        snprintf(why, why_size, "%s", fault);
    return fault != NULL ? -1 : 0;
}
