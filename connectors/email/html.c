/*
 * html.c: what a mail in HTML says, as text.
 *
 * A tokenizer and no tree: nothing recurses, nothing is looked at twice, so
 * that a million open elements cost a million steps. The only nesting it knows
 * is the one element being skipped and the one being quoted, each by its name
 * and a count of its kind.
 */
#include "prose.h"

#include "entities.h"
#include "kit/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* An element we are inside of: ends at the close tag that balances it. */
struct inside {
    char name[16];
    size_t depth; /* 0: not inside */
};

struct html {
    const char *s, *end;
    struct text text, quoted;
    struct inside skip, quote;
    bool show_hidden; /* second try: hiding left nothing */
    bool quote_rest;
    bool space; /* white space is owed before the next character */
    int breaks; /* line breaks owed */
    size_t pre;
    char *href;     /* of the open link */
    size_t link_at; /* where its text begins */
};

struct tag {
    char name[16];
    bool closing, self;
    char *class, *id, *style, *type, *href, *alt;
    bool hidden;
};

static struct text *target(struct html *h) {
    return h->quote.depth > 0 || h->quote_rest ? &h->quoted : &h->text;
}

static void owe_breaks(struct html *h, int n) {
    if (h->breaks < n)
        h->breaks = n;
    h->space = false;
}

static void pay(struct html *h, struct text *t) {
    if (h->breaks > 0) {
        for (; t->len > 0 && h->breaks > 0; h->breaks--)
            text_add_char(t, '\n');
        h->breaks = 0;
        h->space = false;
    } else if (h->space && t->len > 0 && t->s[t->len - 1] != '\n') {
        text_add_char(t, ' ');
    }
    h->space = false;
}

static void add_visible(struct html *h, const char *s, size_t n) {
    struct text *t = target(h);

    pay(h, t);
    text_add_n(t, s, n);
}

/* --------------------------------------------------------------- text runs */

static size_t read_entity(const char *s, const char *end, uint32_t *ret) {
    size_t n = 1;

    while (s + n < end && n < 12 && s[n] != ';' && s[n] != '&' && s[n] != '<' && (unsigned char)s[n] > ' ')
        n++;
    *ret = entity_codepoint(s + 1, n - 1);
    if (*ret == 0)
        return 0;
    return s + n < end && s[n] == ';' ? n + 1 : n;
}

static void add_codepoint(struct html *h, uint32_t cp) {
    struct text one = TEXT_INIT;

    if (cp == 0xa0 || cp == ' ') {
        h->space = true;
        return;
    }
    if (cp == 0xad || cp == 0x200b || cp == 0x200c || cp == 0xfeff || cp == 0x034f) /* preheader filler */
        return;
    text_add_codepoint(&one, cp);
    add_visible(h, one.s, one.len);
    text_free(&one);
}

static void add_text(struct html *h, const char *s, const char *end) {
    const char *start;
    uint32_t cp;
    size_t n;

    if (h->skip.depth > 0)
        return;
    while (s < end) {
        if (*s == '\n' && h->pre > 0) {
            h->breaks = h->breaks < 0 ? 1 : h->breaks + 1;
            s++;
        } else if ((unsigned char)*s <= ' ' && h->pre == 0) {
            h->space = true;
            s++;
        } else if (*s == '&' && (n = read_entity(s, end, &cp)) > 0) {
            add_codepoint(h, cp);
            s += n;
        } else if (end - s >= 2 && (unsigned char)s[0] == 0xc2 &&
                   ((unsigned char)s[1] == 0xa0 || (unsigned char)s[1] == 0xad)) {
            add_codepoint(h, (unsigned char)s[1]);
            s += 2;
        } else {
            start = s++;
            while (s < end && (unsigned char)*s > ' ' && *s != '&' && (unsigned char)*s != 0xc2)
                s++;
            add_visible(h, start, (size_t)(s - start));
        }
    }
}

/* -------------------------------------------------------------------- tags */

static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == ':' ||
           c == '_';
}

static void keep_attribute(struct tag *t, const char *name, size_t n, const char *value, size_t value_n) {
    static const char *const names[] = { "class", "id", "style", "type", "href", "alt" };
    char **const members[] = { &t->class, &t->id, &t->style, &t->type, &t->href, &t->alt };
    size_t i;

    if (n == 6 && strncasecmp(name, "hidden", 6) == 0)
        t->hidden = true;
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strlen(names[i]) == n && strncasecmp(names[i], name, n) == 0 && *members[i] == NULL)
            *members[i] = xstrndup(value, value_n < 2000 ? value_n : 2000);
}

static const char *read_attribute(struct tag *t, const char *s, const char *end) {
    const char *name = s, *value;
    size_t n;
    char quote;

    while (s < end && *s != '=' && *s != '>' && *s != '/' && (unsigned char)*s > ' ')
        s++;
    n = (size_t)(s - name);
    while (s < end && (unsigned char)*s <= ' ')
        s++;
    if (s >= end || *s != '=') {
        keep_attribute(t, name, n, "", 0);
        return s;
    }
    s++;
    while (s < end && (unsigned char)*s <= ' ')
        s++;
    if (s < end && (*s == '"' || *s == '\'')) {
        quote = *s++;
        value = s;
        s = memchr(s, quote, (size_t)(end - s));
        if (s == NULL)
            return NULL;
        keep_attribute(t, name, n, value, (size_t)(s - value));
        return s + 1;
    }
    value = s;
    while (s < end && *s != '>' && (unsigned char)*s > ' ')
        s++;
    keep_attribute(t, name, n, value, (size_t)(s - value));
    return s;
}

/* s is behind "<" or "</". Behind ">" afterwards; NULL: the tag never ends. */
static const char *read_tag(struct tag *t, const char *s, const char *end) {
    size_t n = 0;

    for (; s < end && is_name(*s); s++)
        if (n + 1 < sizeof(t->name))
            t->name[n++] = *s >= 'A' && *s <= 'Z' ? (char)(*s + 32) : *s;
    while (s < end && *s != '>') {
        t->self = *s == '/';
        if ((unsigned char)*s <= ' ' || *s == '/' || *s == '=') {
            s++;
            continue;
        }
        s = read_attribute(t, s, end);
        if (s == NULL)
            return NULL;
    }
    return s < end ? s + 1 : NULL;
}

static void clear_tag(struct tag *t) {
    free(t->class);
    free(t->id);
    free(t->style);
    free(t->type);
    free(t->href);
    free(t->alt);
}

static bool is_one_of(const char *name, const char *list) {
    size_t n = strlen(name);
    const char *s;

    for (s = list; n > 0 && (s = strstr(s, name)) != NULL; s += n)
        if ((s == list || s[-1] == ' ') && (s[n] == ' ' || s[n] == '\0'))
            return true;
    return false;
}

/* A property in a style whose value is nothing: "font-size:0" but not "0.9em". */
static bool is_zero(const char *style, const char *property) {
    const char *s = style;

    while ((s = strstr(s, property)) != NULL) {
        s += strlen(property);
        if (*s == '0' && s[1] != '.' && !(s[1] >= '0' && s[1] <= '9'))
            return true;
    }
    return false;
}

static bool is_hidden(const struct tag *t) {
    char style[2001];
    size_t n = 0;
    const char *s;

    if (t->hidden)
        return true;
    if (t->style == NULL)
        return false;
    for (s = t->style; *s != '\0'; s++)
        if ((unsigned char)*s > ' ')
            style[n++] = *s >= 'A' && *s <= 'Z' ? (char)(*s + 32) : *s;
    style[n] = '\0';
    return strstr(style, "display:none") != NULL || strstr(style, "visibility:hidden") != NULL ||
           strstr(style, "mso-hide:all") != NULL || is_zero(style, "font-size:") ||
           is_zero(style, "max-height:") || is_zero(style, "opacity:");
}

static bool is_quote(const struct tag *t) {
    static const char *const classes[] = { "gmail_quote",     "gmail_attr",       "yahoo_quoted",
                                           "moz-cite-prefix", "protonmail_quote", "gmail_quote_container" };
    size_t i;

    for (i = 0; t->class != NULL && i < sizeof(classes) / sizeof(classes[0]); i++)
        if (is_one_of(classes[i], t->class))
            return true;
    if (t->id != NULL && text_starts(t->id, "yahoo_quoted"))
        return true;
    return strcmp(t->name, "blockquote") == 0 && t->type != NULL && strcasecmp(t->type, "cite") == 0;
}

static bool is_void(const char *name) {
    return is_one_of(name, "area base br col embed hr img input link meta source track wbr");
}

static void enter(struct inside *in, const char *name) {
    memcpy(in->name, name, sizeof(in->name));
    in->depth = 1;
}

/* Counts tags of the kind we are inside of. */
static void balance(struct inside *in, const struct tag *t) {
    if (in->depth == 0 || strcmp(in->name, t->name) != 0 || t->self)
        return;
    if (t->closing)
        in->depth--;
    else
        in->depth++;
}

static void open_link(struct html *h, struct tag *t) {
    free(h->href);
    h->href = NULL;
    if (t->href != NULL && (text_starts_nocase(t->href, "http://") || text_starts_nocase(t->href, "https://") ||
                            text_starts_nocase(t->href, "mailto:"))) {
        h->href = text_clean_line(t->href, strlen(t->href), 500);
        h->link_at = target(h)->len;
    }
}

static void close_link(struct html *h) {
    const char *bare;
    struct text *t = target(h);

    if (h->href == NULL)
        return;
    bare = text_starts_nocase(h->href, "mailto:") ? h->href + 7 : h->href;
    if (t->len < h->link_at || t->s == NULL || strstr(t->s + h->link_at, bare) == NULL) {
        h->space = true;
        add_visible(h, "<", 1);
        add_visible(h, bare, strlen(bare));
        add_visible(h, ">", 1);
    }
    free(h->href);
    h->href = NULL;
}

static void lay_out(struct html *h, struct tag *t) {
    if (strcmp(t->name, "br") == 0)
        h->breaks = h->breaks < 0 ? 1 : (h->breaks < 3 ? h->breaks + 1 : 3);
    else if (is_one_of(t->name, "p h1 h2 h3 h4 h5 h6 ul ol table blockquote pre hr"))
        owe_breaks(h, 2);
    else if (is_one_of(t->name, "div tr li dt dd section article header footer center form address body"))
        owe_breaks(h, 1);
    else if (is_one_of(t->name, "td th"))
        h->space = true;
    if (strcmp(t->name, "pre") == 0)
        h->pre = !t->closing;
    if (strcmp(t->name, "li") == 0 && !t->closing)
        add_visible(h, "- ", 2);
    if (strcmp(t->name, "a") == 0) {
        if (!t->closing)
            open_link(h, t);
        else
            close_link(h);
    }
    if (strcmp(t->name, "img") == 0 && t->alt != NULL && t->alt[0] != '\0') {
        char *alt = text_clean_line(t->alt, strlen(t->alt), 200);

        h->space = true;
        add_visible(h, "[", 1);
        add_text(h, alt, alt + strlen(alt));
        add_visible(h, "]", 1);
        free(alt);
    }
}

/* Behind the close tag of an element whose content is not markup. */
static const char *skip_raw(const char *s, const char *end, const char *name) {
    size_t n = strlen(name);

    for (; (s = memchr(s, '<', (size_t)(end - s))) != NULL; s++)
        if ((size_t)(end - s) > n + 2 && s[1] == '/' && strncasecmp(s + 2, name, n) == 0) {
            s = memchr(s, '>', (size_t)(end - s));
            return s != NULL ? s + 1 : end;
        }
    return end;
}

static const char *on_tag(struct html *h, struct tag *t, const char *after) {
    if (!t->closing && is_one_of(t->name, "script style title textarea noembed iframe"))
        return skip_raw(after, h->end, t->name);
    if (h->skip.depth > 0) {
        if (strcmp(h->skip.name, "p") == 0 && !t->closing && is_one_of(t->name, "p div table ul ol h1 h2 h3"))
            h->skip.depth = 0; /* a paragraph ends by itself */
        else
            balance(&h->skip, t);
        if (h->skip.depth > 0 || t->closing)
            return after;
    }
    if (t->id != NULL && (strcmp(t->id, "divRplyFwdMsg") == 0 || strcmp(t->id, "appendonsend") == 0))
        h->quote_rest = true;
    if (!t->closing && !is_void(t->name) && !t->self && !h->show_hidden && is_hidden(t)) {
        enter(&h->skip, t->name);
        return after;
    }
    if (h->quote.depth > 0) {
        balance(&h->quote, t);
    } else if (!t->closing && !t->self && is_quote(t)) {
        enter(&h->quote, t->name);
    }
    lay_out(h, t);
    return after;
}

static const char *on_markup(struct html *h, const char *s) {
    struct tag t = { .closing = s + 1 < h->end && s[1] == '/' };
    const char *after;

    if (h->end - s >= 4 && memcmp(s, "<!--", 4) == 0) {
        after = memmem(s + 4, (size_t)(h->end - s - 4), "-->", 3);
        return after != NULL ? after + 3 : h->end;
    }
    if (s + 1 < h->end && (s[1] == '!' || s[1] == '?')) {
        after = memchr(s, '>', (size_t)(h->end - s));
        return after != NULL ? after + 1 : h->end;
    }
    if (s + 1 + t.closing >= h->end || !is_name(s[1 + t.closing]) || (s[1] >= '0' && s[1] <= '9')) {
        add_text(h, s, s + 1); /* "3 < 5" */
        return s + 1;
    }
    after = read_tag(&t, s + 1 + t.closing, h->end);
    if (after == NULL) {
        add_text(h, s, h->end);
        after = h->end;
    } else {
        after = on_tag(h, &t, after);
    }
    clear_tag(&t);
    return after;
}

static void convert(struct html *h) {
    while (h->s < h->end) {
        const char *lt = memchr(h->s, '<', (size_t)(h->end - h->s));

        add_text(h, h->s, lt != NULL ? lt : h->end);
        h->s = lt != NULL ? on_markup(h, lt) : h->end;
    }
    free(h->href);
    h->href = NULL;
}

static void finish(struct html *h, struct prose *ret) {
    bool forward = h->quoted.s != NULL && (text_find_nocase(h->quoted.s, "Forwarded message") != NULL ||
                                           text_find_nocase(h->quoted.s, "Pesan terusan") != NULL);

    text_add(&h->text, "");
    if (h->quoted.len > 0 && (forward || h->text.len == 0)) {
        if (h->text.len > 0)
            text_add(&h->text, "\n\n");
        text_add_n(&h->text, h->quoted.s, h->quoted.len);
        text_free(&h->quoted);
    }
    ret->text = text_clean(h->text.s, h->text.len);
    ret->quoted = h->quoted.len > 0 ? text_clean(h->quoted.s, h->quoted.len) : NULL;
    ret->signature = NULL;
    text_free(&h->text);
    text_free(&h->quoted);
}

void prose_from_html(const char *html, size_t n, struct prose *ret) {
    struct html h = { .s = html, .end = html + n };

    convert(&h);
    if (h.text.len == 0 && h.quoted.len == 0) {
        h.s = html;
        h.show_hidden = true;
        h.skip.depth = 0;
        convert(&h);
    }
    finish(&h, ret);
}
