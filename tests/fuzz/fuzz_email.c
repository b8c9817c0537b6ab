/*
 * fuzz_email.c: the reading half of the mail connector and the fence.
 *
 * One source, four programs: FUZZ_EMAIL_PARSE (a whole mail to its record),
 * _SCAN (pre-scan alone), _PROSE (flowed, quotes, HTML), _FENCE (IMAP framing:
 * the verdict must not depend on how the bytes arrive in pieces).
 */
#include "connectors/email/address.h"
#include "connectors/email/email.h"
#include "connectors/email/fence.h"
#include "connectors/email/prose.h"
#include "connectors/email/scan.h"
#include "connectors/email/words.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
    if (!condition)
        abort();
}

#ifndef FUZZ_EMAIL_FENCE
static void require_text(const char *s) {
    require(s == NULL || text_is_utf8(s, strlen(s)));
}
#endif

#if defined(FUZZ_EMAIL_PARSE)
static int take(struct aduan_sink *sink, struct aduan_message *m) {
    (void)sink;
    require(m->platform_id != NULL && m->text != NULL && m->kind != 0);
    require_text(m->text);
    require_text(m->subject);
    require_text(m->quoted);
    require_text(m->conversation);
    aduan_message_clear(m);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct email_settings settings;
    struct aduan_bytes in = { .bytes = data, .len = size };
    struct aduan_sink sink = { .record = take };

    memset(&settings, 0, sizeof(settings));
    settings.address = (char *)"pengaduan@kantor.test";
    require(email_parse(&settings, &in, &sink) == 0);
    return 0;
}
#elif defined(FUZZ_EMAIL_SCAN)
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *s = (const char *)data, *ids;
    char id[41], *value, *name, *address, *line;
    size_t body = scan_body(s, size);

    scan_id(s, size, id);
    require(strlen(id) == 40 && body <= size);
    scan_limits(s, size);
    address_flags(s, body, "a@b", "c@d");
    value = scan_header(s, body, "From");
    if (value != NULL && address_first(value, &name, &address)) {
        require_text(name);
        require_text(address);
        address_is_plain(address);
        free(name);
        free(address);
    }
    ids = value;
    while ((line = address_next_id(&ids)) != NULL)
        free(line);
    free(value);
    line = words_decode(s, size, 300);
    require_text(line);
    require(strlen(line) <= 300);
    free(line);
    return 0;
}
#elif defined(FUZZ_EMAIL_PROSE)
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = words_to_utf8(data, size, NULL), *flat = prose_unflow(text, size % 2 == 0);
    struct prose p;

    require_text(flat);
    prose_split(text, &p);
    require_text(p.text);
    require_text(p.quoted);
    prose_clear(&p);
    prose_split(flat, &p);
    prose_clear(&p);
    prose_from_html(text, strlen(text), &p);
    require_text(p.text);
    require_text(p.quoted);
    prose_clear(&p);
    free(text);
    free(flat);
    return 0;
}
#else
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fence whole, pieces;
    const char *a, *b = NULL;
    size_t i;

    memset(&whole, 0, sizeof(whole));
    memset(&pieces, 0, sizeof(pieces));
    fence_allow(&whole, 1000, 1 << 20);
    fence_allow(&pieces, 1000, 1 << 20);
    a = fence_feed(&whole, (const char *)data, size);
    for (i = 0; i < size && b == NULL; i++)
        b = fence_feed(&pieces, (const char *)data + i, 1);
    require(a == b && whole.literal <= 1000);
    require(whole.exists == pieces.exists && whole.depth == pieces.depth);
    return 0;
}
#endif
