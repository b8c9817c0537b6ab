/* utf7.c: mailbox names in IMAP's own UTF-7 (RFC 3501 section 5.1.3). */
#include "imap.h"

#include <stdlib.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

struct coder {
    struct text out;
    uint32_t bits;
    int have;
    bool shifted;
};

static void add_unit(struct coder *c, uint32_t unit) {
    if (!c->shifted)
        text_add_char(&c->out, '&');
    c->shifted = true;
    c->bits = c->bits << 16 | unit;
    c->have += 16;
    while (c->have >= 6) {
        c->have -= 6;
        text_add_char(&c->out, digits[c->bits >> c->have & 63]);
    }
}

static void leave(struct coder *c) {
    if (!c->shifted)
        return;
    if (c->have > 0)
        text_add_char(&c->out, digits[c->bits << (6 - c->have) & 63]);
    text_add_char(&c->out, '-');
    c->shifted = false;
    c->bits = 0;
    c->have = 0;
}

/* One character of valid UTF-8. */
static const unsigned char *read_character(const unsigned char *s, uint32_t *ret) {
    int more = *s >= 0xf0 ? 3 : *s >= 0xe0 ? 2 : *s >= 0xc0 ? 1 : 0;

    *ret = more == 0 ? *s : *s & (0x3fu >> more);
    for (s++; more > 0 && *s != '\0'; more--)
        *ret = *ret << 6 | (*s++ & 0x3f);
    return s;
}

char *imap_utf7(const char *utf8) {
    char *clean = text_clean(utf8, strlen(utf8));
    const unsigned char *s = (const unsigned char *)clean;
    struct coder c = { .out = TEXT_INIT };
    uint32_t cp;

    text_add(&c.out, "");
    while (*s != '\0') {
        s = read_character(s, &cp);
        if (cp >= 0x20 && cp < 0x7f) {
            leave(&c);
            text_add_char(&c.out, (char)cp);
            if (cp == '&')
                text_add_char(&c.out, '-');
        } else if (cp >= 0x10000) {
            add_unit(&c, 0xd800 + ((cp - 0x10000) >> 10));
            add_unit(&c, 0xdc00 + ((cp - 0x10000) & 0x3ff));
        } else {
            add_unit(&c, cp);
        }
    }
    leave(&c);
    free(clean);
    return text_steal(&c.out);
}
