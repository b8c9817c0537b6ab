/* tnef.c: steps through the attributes of a TNEF stream (MS-OXTNEF) within their bounds. */
#include "tnef.h"

#include <stdint.h>
#include <string.h>

enum {
    TNEF_SIGNATURE = 0x223e9f78,
    TNEF_BODY = 0x800c,
    TNEF_DATA = 0x800f,
    TNEF_TITLE = 0x8010,
    TNEF_RENDER = 0x9002, /* an attachment begins */
    TNEF_FILES_MAX = 100,
};

static uint32_t u32(const unsigned char *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

int tnef_each(const unsigned char *bytes, size_t n, void (*file)(void *arg, const struct tnef_file *f),
              void *arg, const char **ret_body, size_t *ret_body_len) {
    struct tnef_file f = { NULL, 0, NULL, 0 };
    size_t at = 6, len;
    int count = 0;

    if (n < 6 || u32(bytes) != TNEF_SIGNATURE)
        return -1;
    while (n - at >= 11 && count < TNEF_FILES_MAX) {
        const unsigned char *data = bytes + at + 9;

        len = u32(bytes + at + 5);
        if (len > n - at - 11)
            break;
        switch (u32(bytes + at + 1) & 0xffff) {
        case TNEF_BODY:
            *ret_body = (const char *)data;
            *ret_body_len = len;
            break;
        case TNEF_RENDER:
            if (f.data != NULL) {
                file(arg, &f);
                count++;
            }
            memset(&f, 0, sizeof(f));
            break;
        case TNEF_TITLE:
            f.name = (const char *)data;
            f.name_len = strnlen(f.name, len);
            break;
        case TNEF_DATA:
            f.data = data;
            f.len = len;
            break;
        default:
            break;
        }
        at += 11 + len;
    }
    if (f.data != NULL) {
        file(arg, &f);
        count++;
    }
    return count;
}
