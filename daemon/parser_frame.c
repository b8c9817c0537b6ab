/*
 * parser_frame.c: what the receiver and its parse worker say to each other.
 *
 * A frame is a row of chunks, each a 64-bit length and that many bytes.
 * Request: JSON {id, received_at, whole_size}, bytes. Answer: JSON {rc}, then
 * for each record: JSON, raw, and the bytes of each attachment in order. A
 * member that is NULL has the length NONE.
 */
#include "daemon/parser.h"

#include "connectors/kit/text.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT64_MAX
enum { RECORDS_MAX = 20000 };

static void add_chunk(struct text *out, const void *bytes, size_t n) {
    uint64_t head = bytes != NULL ? n : NONE;

    text_add_n(out, &head, sizeof(head));
    if (bytes != NULL)
        text_add_n(out, bytes, n);
}

struct reader {
    const char *p;
    size_t left;
};

/* 0, or -1: the frame ends within a chunk. */
static int take_chunk(struct reader *r, const char **ret, size_t *ret_n) {
    uint64_t head;

    if (r->left < sizeof(head))
        return -1;
    memcpy(&head, r->p, sizeof(head));
    r->p += sizeof(head);
    r->left -= sizeof(head);
    *ret = NULL;
    *ret_n = 0;
    if (head == NONE)
        return 0;
    if (head > r->left)
        return -1;
    *ret = r->p;
    *ret_n = (size_t)head;
    r->p += head;
    r->left -= (size_t)head;
    return 0;
}

static json_t *take_json(struct reader *r) {
    const char *bytes;
    size_t n;

    if (take_chunk(r, &bytes, &n) < 0 || bytes == NULL)
        return NULL;
    return json_loadb(bytes, n, JSON_REJECT_DUPLICATES, NULL);
}

static void add_json(struct text *out, json_t *json) {
    char *s = json_dumps(json, JSON_COMPACT);

    if (s == NULL)
        abort();
    add_chunk(out, s, strlen(s));
    free(s);
    json_decref(json);
}

void parser_encode_request(const struct aduan_bytes *in, struct text *out) {
    /* An id is whatever the platform says; JSON takes UTF-8 only. */
    char *id = in->id != NULL ? text_clean(in->id, strlen(in->id)) : NULL;

    add_json(out, json_pack("{s:s?, s:I, s:I}", "id", id, "received_at", (json_int_t)in->received_at,
                            "whole_size", (json_int_t)in->whole_size));
    add_chunk(out, in->len > 0 ? in->bytes : "", in->len);
    free(id);
}

int parser_decode_request(const char *frame, size_t n, struct aduan_bytes *ret, char **ret_id) {
    struct reader r = { frame, n };
    json_t *head = take_json(&r);
    const char *bytes;

    memset(ret, 0, sizeof(*ret));
    *ret_id = NULL;
    if (head == NULL || take_chunk(&r, &bytes, &ret->len) < 0 || bytes == NULL) {
        json_decref(head);
        return -1;
    }
    *ret_id = xstrdup(json_string_value(json_object_get(head, "id")));
    ret->id = *ret_id;
    ret->bytes = bytes;
    ret->received_at = json_integer_value(json_object_get(head, "received_at"));
    ret->whole_size = json_integer_value(json_object_get(head, "whole_size"));
    json_decref(head);
    return 0;
}

void parser_encode_record(const struct aduan_message *m, struct text *out) {
    size_t i;

    add_json(out, aduan_message_to_json(m));
    add_chunk(out, m->raw, m->raw_len);
    for (i = 0; i < m->attachment_count; i++)
        add_chunk(out, m->attachments[i].data, m->attachments[i].data_len);
}

static int take_bytes(struct reader *r, unsigned char **ret, size_t *ret_n) {
    const char *bytes;

    if (take_chunk(r, &bytes, ret_n) < 0)
        return -1;
    if (bytes == NULL)
        return 0;
    *ret = xcalloc(1, *ret_n + 1);
    memcpy(*ret, bytes, *ret_n);
    return 0;
}

static int take_record(struct reader *r, struct aduan_message *m) {
    json_t *json = take_json(r);
    char why[128];
    size_t i;
    int rc;

    if (json == NULL)
        return -1;
    rc = aduan_message_from_json(m, json, why, sizeof(why));
    json_decref(json);
    if (rc < 0 || take_bytes(r, &m->raw, &m->raw_len) < 0)
        return -1;
    for (i = 0; i < m->attachment_count; i++) {
        /* Which blob holds what is ours to say, never the parser's. */
        free(m->attachments[i].sha256);
        m->attachments[i].sha256 = NULL;
        if (take_bytes(r, &m->attachments[i].data, &m->attachments[i].data_len) < 0)
            return -1;
    }
    free(m->raw_sha256);
    m->raw_sha256 = NULL;
    return 0;
}

int parser_decode_answer(const char *frame, size_t n, int *ret_rc, struct aduan_message **ret_records,
                         size_t *ret_count) {
    struct reader r = { frame, n };
    json_t *head = take_json(&r);
    struct aduan_message *records = NULL;
    size_t count = 0;
    int rc = head != NULL ? 0 : -1;

    *ret_rc = (int)json_integer_value(json_object_get(head, "rc"));
    json_decref(head);
    while (rc == 0 && r.left > 0) {
        records = xrealloc(records, count + 1, sizeof(*records));
        memset(&records[count], 0, sizeof(*records));
        rc = count < RECORDS_MAX ? take_record(&r, &records[count]) : -1;
        count++;
    }
    if (rc == 0) {
        *ret_records = records;
        *ret_count = count;
        return 0;
    }
    while (count > 0)
        aduan_message_clear(&records[--count]);
    free(records);
    return -1;
}
