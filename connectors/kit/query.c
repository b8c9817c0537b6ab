/* query.c: percent-encoding and the parts of a query string. */
#include "kit/query.h"

#include "kit/sign.h"

#include <stdlib.h>
#include <string.h>

char *query_decode(const char *s, size_t n) {
    struct text t = TEXT_INIT;
    uint8_t byte;
    size_t i;

    for (i = 0; i < n; i++) {
        if (s[i] == '%' && n - i >= 3 && sign_unhex(s + i + 1, 2, &byte) == 0) {
            text_add_char(&t, (char)byte);
            i += 2;
        } else {
            text_add_char(&t, s[i] == '+' ? ' ' : s[i]);
        }
    }
    return text_steal(&t);
}

char *query_get(const char *query, const char *name) {
    size_t part, key;
    char *decoded;
    bool same;

    for (; *query != '\0'; query += part + (query[part] == '&')) {
        part = strcspn(query, "&");
        key = strcspn(query, "=&");
        decoded = query_decode(query, key);
        same = strcmp(decoded, name) == 0;
        free(decoded);
        if (same)
            return key < part ? query_decode(query + key + 1, part - key - 1) : xstrdup("");
    }
    return NULL;
}

void query_escape(struct text *t, const char *s) {
    for (; *s != '\0'; s++) {
        if ((*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') ||
            strchr("-._~", *s) != NULL)
            text_add_char(t, *s);
        else
            text_addf(t, "%%%02X", (unsigned)(unsigned char)*s);
    }
}
