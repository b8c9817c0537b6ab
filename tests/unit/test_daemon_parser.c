/* test_daemon_parser.c: the frames between a receiver and its parse worker, also hostile ones. */
#include "daemon/parser.h"

#include "connectors/kit/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* after the headers that it needs */
#include <cmocka.h>

static struct aduan_message sample(void) {
    struct aduan_message m = { .kind = ADUAN_KIND_MESSAGE };
    struct aduan_attachment *a;

    m.platform_id = xstrdup("42");
    m.text = xstrdup("halo");
    m.raw = (unsigned char *)xstrdup("raw");
    m.raw_len = 3;
    a = aduan_message_add_attachment(&m);
    a->name = xstrdup("foto.jpg");
    a->type = xstrdup("image/jpeg");
    a->state = ADUAN_ATTACHMENT_STORED;
    a->sha256 = xstrdup("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    a->data = xcalloc(1, 5);
    memcpy(a->data, "\0\1\2\3\4", 5);
    a->data_len = 5;
    return m;
}

static void answer_with(const struct aduan_message *m, size_t count, struct text *out) {
    const char head[] = "{\"rc\":0}";
    uint64_t n = strlen(head);
    size_t i;

    text_add_n(out, &n, sizeof(n));
    text_add(out, head);
    for (i = 0; i < count; i++)
        parser_encode_record(m, out);
}

static void a_request_comes_back_whole(void **state) {
    struct aduan_bytes in = { "\0bytes", 6, "id-1", 123456789012345, 99 }, out;
    struct text frame = TEXT_INIT;
    char *id;

    (void)state;
    parser_encode_request(&in, &frame);
    assert_int_equal(parser_decode_request(frame.s, frame.len, &out, &id), 0);
    assert_int_equal(out.len, 6);
    assert_memory_equal(out.bytes, in.bytes, 6);
    assert_string_equal(out.id, "id-1");
    assert_true(out.received_at == in.received_at && out.whole_size == 99);
    free(id);
    text_free(&frame);
}

static void records_come_back_with_their_bytes(void **state) {
    struct aduan_message m = sample(), *records;
    struct text frame = TEXT_INIT;
    size_t count;
    int rc;

    (void)state;
    answer_with(&m, 2, &frame);
    assert_int_equal(parser_decode_answer(frame.s, frame.len, &rc, &records, &count), 0);
    assert_int_equal(count, 2);
    assert_string_equal(records[1].platform_id, "42");
    assert_memory_equal(records[1].raw, "raw", 3);
    assert_int_equal(records[1].attachments[0].data_len, 5);
    assert_memory_equal(records[1].attachments[0].data, "\0\1\2\3\4", 5);
    /* A parser that has been taken over must not point at other people's files. */
    assert_null(records[1].attachments[0].sha256);
    while (count > 0)
        aduan_message_clear(&records[--count]);
    free(records);
    aduan_message_clear(&m);
    text_free(&frame);
}

/* Cut anywhere it is refused (or is a shorter answer), and nothing is read beyond its end: the
 * copy has exactly its length, so that the sanitizer sees a byte too many. */
static void a_cut_answer_is_refused(void **state) {
    struct aduan_message m = sample(), *records;
    struct text frame = TEXT_INIT;
    size_t n, count;
    char *copy;
    int rc;

    (void)state;
    answer_with(&m, 1, &frame);
    for (n = 0; n < frame.len; n++) {
        copy = malloc(n > 0 ? n : 1);
        memcpy(copy, frame.s, n);
        if (parser_decode_answer(copy, n, &rc, &records, &count) == 0) {
            assert_int_equal(count, 0);
            free(records);
        }
        free(copy);
    }
    aduan_message_clear(&m);
    text_free(&frame);
}

static void every_flipped_byte_is_survived(void **state) {
    struct aduan_message m = sample(), *records;
    struct text frame = TEXT_INIT;
    size_t i, count;
    int rc, flip;

    (void)state;
    answer_with(&m, 1, &frame);
    for (i = 0; i < frame.len; i++)
        for (flip = 1; flip < 256; flip = flip * 2 + 1) {
            frame.s[i] = (char)(frame.s[i] ^ flip);
            if (parser_decode_answer(frame.s, frame.len, &rc, &records, &count) == 0) {
                while (count > 0)
                    aduan_message_clear(&records[--count]);
                free(records);
            }
            frame.s[i] = (char)(frame.s[i] ^ flip);
        }
    aduan_message_clear(&m);
    text_free(&frame);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_comes_back_whole),
        cmocka_unit_test(records_come_back_with_their_bytes),
        cmocka_unit_test(a_cut_answer_is_refused),
        cmocka_unit_test(every_flipped_byte_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
