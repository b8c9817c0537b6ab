/* cursor.c: a mailbox cursor with the holes it left. */
#include "cursor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_number(const char **s, uint64_t max, uint64_t *ret) {
    char *end;
    unsigned long long v;

    if (**s < '0' || **s > '9')
        return false;
    v = strtoull(*s, &end, 10);
    *s = end;
    *ret = v;
    return v <= max;
}

static void read_holes(struct cursor *c, const char *s) {
    uint64_t first, last;

    while (c->hole_count < CURSOR_HOLES && read_number(&s, UINT32_MAX, &first)) {
        last = first;
        if (*s == '-') {
            s++;
            if (!read_number(&s, UINT32_MAX, &last))
                return;
        }
        if (first == 0 || last < first)
            return;
        c->holes[c->hole_count++] = (struct cursor_range){ (uint32_t)first, (uint32_t)last };
        if (*s++ != ',')
            return;
    }
}

bool cursor_parse(const char *text, struct cursor *ret) {
    const char *s = text, *part;
    uint64_t validity, last, day;

    memset(ret, 0, sizeof(*ret));
    if (s == NULL || !read_number(&s, UINT32_MAX, &validity) || *s++ != ':' ||
        !read_number(&s, UINT32_MAX, &last) || validity == 0)
        return false;
    ret->validity = (uint32_t)validity;
    ret->last = (uint32_t)last;
    part = strstr(s, " s");
    if (part != NULL) {
        part += 2;
        if (read_number(&part, 100000, &day))
            ret->since_day = (int64_t)day;
    }
    part = strstr(s, " h");
    if (part != NULL)
        read_holes(ret, part + 2);
    return true;
}

void cursor_format(const struct cursor *c, char ret[CURSOR_TEXT]) {
    size_t i, n;

    n = (size_t)snprintf(ret, CURSOR_TEXT, "%" PRIu32 ":%" PRIu32, c->validity, c->last);
    if (c->since_day > 0)
        n += (size_t)snprintf(ret + n, CURSOR_TEXT - n, " s%" PRId64, c->since_day);
    for (i = 0; i < c->hole_count; i++) {
        n += (size_t)snprintf(ret + n, CURSOR_TEXT - n, "%s%" PRIu32, i == 0 ? " h" : ",", c->holes[i].first);
        if (c->holes[i].last != c->holes[i].first)
            n += (size_t)snprintf(ret + n, CURSOR_TEXT - n, "-%" PRIu32, c->holes[i].last);
    }
}

static void remove_hole(struct cursor *c, size_t i) {
    memmove(&c->holes[i], &c->holes[i + 1], (c->hole_count - i - 1) * sizeof(c->holes[0]));
    c->hole_count--;
}

static void add_hole(struct cursor *c, uint32_t first, uint32_t last) {
    if (c->hole_count == CURSOR_HOLES)
        remove_hole(c, 0);
    c->holes[c->hole_count++] = (struct cursor_range){ first, last };
}

static void fill_hole(struct cursor *c, uint32_t uid) {
    size_t i;

    for (i = 0; i < c->hole_count; i++) {
        struct cursor_range *r = &c->holes[i], old = *r;

        if (uid < old.first || uid > old.last)
            continue;
        if (old.first == old.last) {
            remove_hole(c, i);
        } else if (uid == old.first) {
            r->first++;
        } else {
            r->last = uid - 1;
            if (uid < old.last && c->hole_count < CURSOR_HOLES) {
                memmove(&c->holes[i + 2], &c->holes[i + 1], (c->hole_count - i - 1) * sizeof(c->holes[0]));
                c->holes[i + 1] = (struct cursor_range){ uid + 1, old.last };
                c->hole_count++;
            }
        }
        return;
    }
}

void cursor_advance(struct cursor *c, uint32_t uid, bool dense) {
    if (uid <= c->last) {
        fill_hole(c, uid);
        return;
    }
    if (!dense && uid > c->last + 1)
        add_hole(c, c->last + 1, uid - 1);
    c->last = uid;
}
