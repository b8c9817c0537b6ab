/*
 * source.c: a second look at a configuration file's text.
 *
 * libconfig 1.5 reads 4294967297 as 1, 99999999999999999999 as -1, and ends the
 * process when an @include names a directory. So we look at the same bytes
 * with a scanner that knows only comments, strings, words and numbers.
 */
#include "conf/internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SOURCE_MAX = 4 * 1024 * 1024 };

struct scan {
    const char *at, *end;
    unsigned line;
    bool line_start; /* only blanks so far */
    struct source *into;
};

static void skip_to(struct scan *s, const char *to) {
    for (; s->at < to; s->at++) {
        if (*s->at == '\n') {
            s->line++;
            s->line_start = true;
        }
    }
}

static void skip_comment(struct scan *s, const char *closing) {
    const char *found = memmem(s->at, (size_t)(s->end - s->at), closing, strlen(closing));
    skip_to(s, found ? found + (closing[0] == '\n' ? 0 : strlen(closing)) : s->end);
}

static const char *string_end(const struct scan *s) {
    const char *p = s->at + 1;
    while (p < s->end && *p != '"') {
        p += (*p == '\\' && p + 1 < s->end) ? 2 : 1;
    }
    return p < s->end ? p + 1 : s->end;
}

static bool is_word(char c) {
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '*';
}

static bool is_number_start(const struct scan *s) {
    const char *p = s->at;
    if (p < s->end && (*p == '-' || *p == '+')) {
        p++;
    }
    if (p < s->end && *p == '.') {
        p++;
    }
    return p < s->end && isdigit((unsigned char)*p);
}

static void take_number(struct scan *s) {
    const char *p = s->at + 1;
    while (p < s->end && (isalnum((unsigned char)*p) || *p == '.' || *p == '+' || *p == '-')) {
        p++;
    }
    struct source *into = s->into;
    into->numbers = xrealloc(into->numbers, into->number_count + 1, sizeof *into->numbers);
    into->numbers[into->number_count++] =
        (struct source_number){ .text = xstrndup(s->at, (size_t)(p - s->at)), .line = s->line };
    s->at = p;
}

/* At '@' on the start of a line: @include "name". */
static void take_include(struct scan *s) {
    static const char word[] = "@include";
    const char *p = s->at + strlen(word);
    if ((size_t)(s->end - s->at) <= strlen(word) || memcmp(s->at, word, strlen(word)) != 0) {
        s->at++;
        return;
    }
    while (p < s->end && (*p == ' ' || *p == '\t')) {
        p++;
    }
    s->at = p;
    if (p == s->end || *p != '"') {
        return;
    }
    const char *end = string_end(s);
    struct source *into = s->into;
    into->includes = xrealloc(into->includes, into->include_count + 1, sizeof *into->includes);
    into->include_lines = xrealloc(into->include_lines, into->include_count + 1, sizeof *into->include_lines);
    into->includes[into->include_count] = xstrndup(p + 1, (size_t)(end - p) < 2 ? 0 : (size_t)(end - p) - 2);
    into->include_lines[into->include_count++] = s->line;
    skip_to(s, end);
}

static void scan_step(struct scan *s) {
    char c = *s->at;
    size_t left = (size_t)(s->end - s->at);
    if (c == '\n' || c == ' ' || c == '\t') {
        skip_to(s, s->at + 1);
        return;
    }
    bool first = s->line_start;
    s->line_start = false;
    if (c == '#' || (left > 1 && memcmp(s->at, "//", 2) == 0)) {
        skip_comment(s, "\n");
    } else if (left > 1 && memcmp(s->at, "/*", 2) == 0) {
        skip_comment(s, "*/");
    } else if (c == '"') {
        skip_to(s, string_end(s));
    } else if (c == '@' && first) {
        take_include(s);
    } else if (is_number_start(s)) {
        take_number(s);
    } else if (is_word(c)) {
        while (s->at < s->end && is_word(*s->at)) {
            s->at++;
        }
    } else {
        s->at++;
    }
}

static int read_whole(int fd, size_t max, struct text *ret, const char **ret_why) {
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        *ret_why = "is not a regular file";
        return -1;
    }
    char buf[16384];
    for (;;) {
        ssize_t n = read(fd, buf, sizeof buf);
        if (n == 0) {
            return 0;
        }
        if (n < 0 && errno != EINTR) {
            *ret_why = strerror(errno);
            return -1;
        }
        if (n > 0) {
            text_add_n(ret, buf, (size_t)n);
        }
        if (ret->len > max) {
            *ret_why = "is too large";
            return -1;
        }
    }
}

int source_read(const char *path, struct source *ret, const char **ret_why) {
    *ret = (struct source){ .name = NULL };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        *ret_why = strerror(errno);
        return -1;
    }
    struct text bytes = TEXT_INIT;
    int rc = read_whole(fd, SOURCE_MAX, &bytes, ret_why);
    close(fd);
    if (rc == 0 && bytes.len > 0) {
        struct scan s = {
            .at = bytes.s, .end = bytes.s + bytes.len, .line = 1, .line_start = true, .into = ret
        };
        while (s.at < s.end) {
            scan_step(&s);
        }
    }
    if (bytes.len > 0) {
        text_wipe(bytes.s, bytes.len); /* somebody may have written a secret into it */
    }
    text_free(&bytes);
    return rc;
}

int source_text(const char *path, size_t max, char **ret_text, char **ret_why) {
    struct text bytes = TEXT_INIT;
    const char *why = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        why = strerror(errno);
    } else if (read_whole(fd, max, &bytes, &why) == 0 && bytes.len > 0 && !text_is_utf8(bytes.s, bytes.len)) {
        why = "is not text (UTF-8)";
    }
    if (fd >= 0) {
        close(fd);
    }
    if (why) {
        *ret_why = xasprintf("file %s: %s", path, why);
        text_free(&bytes);
        return -1;
    }
    *ret_text = text_steal(&bytes);
    return 0;
}

void source_clear(struct source *s) {
    for (size_t i = 0; i < s->number_count; i++) {
        free(s->numbers[i].text);
    }
    for (size_t i = 0; i < s->include_count; i++) {
        free(s->includes[i]);
    }
    free(s->numbers);
    free(s->includes);
    free(s->include_lines);
    free(s->name);
    *s = (struct source){ .name = NULL };
}
