/* address.c: who wrote, under which id, and was it a machine? */
#include "address.h"

#include "email.h"
#include "scan.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct mailbox {
    struct text phrase, comment, angle, bare;
    bool in_angle, had_angle;
};

static const char *take_quoted(struct text *to, const char *s) {
    for (s++; *s != '\0' && *s != '"'; s++) {
        if (*s == '\\' && s[1] != '\0')
            s++;
        text_add_char(to, *s);
    }
    return *s == '"' ? s + 1 : s;
}

static const char *take_comment(struct text *to, const char *s) {
    size_t depth = 0;

    for (; *s != '\0'; s++) {
        if (*s == '\\' && s[1] != '\0') {
            s++;
        } else if (*s == '(') {
            if (depth++ == 0)
                continue;
        } else if (*s == ')' && --depth == 0) {
            return s + 1;
        }
        text_add_char(to, *s);
    }
    return s;
}

/* Up to the comma, semicolon or end that closes the mailbox. */
static const char *read_mailbox(struct mailbox *m, const char *s) {
    while (*s != '\0' && (m->in_angle || (*s != ',' && *s != ';'))) {
        if (*s == '"') {
            s = take_quoted(m->in_angle ? &m->angle : &m->phrase, s);
        } else if (*s == '(') {
            s = take_comment(&m->comment, s);
        } else if (*s == '<' && !m->in_angle) {
            m->in_angle = m->had_angle = true;
            text_reset(&m->angle);
            s++;
        } else if (*s == '>') {
            m->in_angle = false;
            s++;
        } else if (*s == ':' && !m->in_angle) { /* the name of a group */
            text_reset(&m->phrase);
            s++;
        } else {
            text_add_char(m->in_angle ? &m->angle : &m->phrase, *s++);
        }
    }
    return *s != '\0' ? s + 1 : s;
}

static void clear_mailbox(struct mailbox *m) {
    text_free(&m->phrase);
    text_free(&m->comment);
    text_free(&m->angle);
    text_free(&m->bare);
}

static char *clean_address(const struct text *t) {
    char *line = text_clean_line(t->s != NULL ? t->s : "", t->len, 320);
    char *s, *to = line;

    for (s = line; *s != '\0'; s++)
        if (*s != ' ')
            *to++ = *s;
    *to = '\0';
    return line;
}

static bool settle(const struct mailbox *m, char **ret_name, char **ret_address) {
    const struct text *name = m->had_angle ? &m->phrase : &m->comment;
    char *address = clean_address(m->had_angle ? &m->angle : &m->phrase);

    if (address[0] == '\0' || (strchr(address, '@') == NULL && !m->had_angle)) {
        free(address);
        return false;
    }
    if (name->len == 0)
        name = &m->comment;
    *ret_address = address;
    *ret_name = words_decode(name->s != NULL ? name->s : "", name->len, 200);
    if ((*ret_name)[0] == '\0') {
        free(*ret_name);
        *ret_name = NULL;
    }
    return true;
}

bool address_first(const char *list, char **ret_name, char **ret_address) {
    bool found = false;

    *ret_name = *ret_address = NULL;
    while (list != NULL && *list != '\0' && !found) {
        struct mailbox m = { .in_angle = false };

        list = read_mailbox(&m, list);
        found = settle(&m, ret_name, ret_address);
        clear_mailbox(&m);
    }
    return found;
}

bool address_is_plain(const char *address) {
    const char *at = strrchr(address, '@'), *s;

    if (at == NULL || at == address || at[1] == '\0' || strlen(address) > 254)
        return false;
    for (s = address; *s != '\0'; s++)
        if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f || strchr("<>,;:()\"\\", *s) != NULL)
            return false;
    return strchr(address, '@') == at && at[1] != '.' && at[1] != '-';
}

char *address_next_id(const char **s) {
    const char *open, *close;

    while (*s != NULL && (open = strchr(*s, '<')) != NULL) {
        char *id, *p, *to;

        close = strchr(open, '>');
        if (close == NULL)
            break;
        *s = close + 1;
        if (close - open > 500 || close - open < 2)
            continue;
        id = to = text_clean_line(open + 1, (size_t)(close - open - 1), 500);
        for (p = id; *p != '\0'; p++)
            if (*p != ' ' && *p != '<')
                *to++ = *p;
        *to = '\0';
        return id;
    }
    *s = NULL;
    return NULL;
}

/* ---------------------------------------------------------------- machines */

static bool header_has(const char *block, size_t n, const char *name, const char *const *words) {
    char *value = scan_header(block, n, name);
    bool found = false;

    for (; value != NULL && *words != NULL && !found; words++)
        found = text_find_nocase(value, *words) != NULL;
    free(value);
    return found;
}

static bool is_auto_submitted(const char *block, size_t n) {
    char *value = scan_header(block, n, "Auto-Submitted");
    bool yes =
        value != NULL && value[0] != '\0' &&
        !(text_starts_nocase(value, "no") && strchr("abcdefghijklmnopqrstuvwxyz-", value[2] | 0x20) == NULL);

    if (value != NULL && strcasecmp(value, "no") == 0)
        yes = false;
    free(value);
    return yes;
}

static bool is_null_path(const char *block, size_t n) {
    char *value = scan_header(block, n, "Return-Path");
    bool yes = value != NULL && (strcmp(value, "<>") == 0 || strcmp(value, "< >") == 0);

    free(value);
    return yes;
}

static bool is_machine_name(const char *sender) {
    static const char *const exact[] = { "mailer-daemon", "postmaster",   "no-reply",   "noreply",
                                         "no_reply",      "do-not-reply", "donotreply", "bounce",
                                         "bounces",       "mdaemon",      "listserv",   "majordomo" };
    size_t n = strcspn(sender, "@"), i;

    for (i = 0; i < sizeof(exact) / sizeof(exact[0]); i++)
        if (strlen(exact[i]) == n && strncasecmp(sender, exact[i], n) == 0)
            return true;
    if (text_starts_nocase(sender, "bounce") || text_starts_nocase(sender, "owner-") ||
        text_starts_nocase(sender, "noreply-") || text_starts_nocase(sender, "no-reply-"))
        return true;
    return (n > 8 && strncasecmp(sender + n - 8, "-request", 8) == 0) ||
           (n > 8 && strncasecmp(sender + n - 8, "-bounces", 8) == 0);
}

static bool has_list_field(const char *block, size_t n) {
    struct scan_field f;
    size_t at = 0;

    while (scan_field(block, n < SCAN_HEADER_MAX ? n : SCAN_HEADER_MAX, &at, &f))
        if (f.name_len > 5 && strncasecmp(f.name, "List-", 5) == 0)
            return true;
    return false;
}

static bool has_machine_field(const char *block, size_t n) {
    static const char *const names[] = { "X-Autoreply",       "X-Autorespond",    "X-Autoresponder",
                                         "X-Auto-Reply-From", "X-Mail-Autoreply", "X-Failed-Recipients",
                                         EMAIL_LOOP_HEADER };
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (scan_has(block, n, names[i]))
            return true;
    return false;
}

unsigned address_flags(const char *block, size_t n, const char *sender, const char *own) {
    static const char *const precedence[] = { "bulk", "junk", "list", "auto_reply", NULL };
    static const char *const suppress[] = { "oof", "autoreply", "all", NULL };
    static const char *const report[] = { "multipart/report", NULL };
    static const char *const reply[] = { "method=reply", "method=\"reply\"", NULL };
    unsigned flags = 0;

    if (is_auto_submitted(block, n) || is_null_path(block, n) || (sender != NULL && is_machine_name(sender)) ||
        header_has(block, n, "Precedence", precedence) ||
        header_has(block, n, "X-Auto-Response-Suppress", suppress) ||
        header_has(block, n, "Content-Type", report) || header_has(block, n, "Content-Type", reply) ||
        has_machine_field(block, n) || (sender != NULL && own != NULL && strcasecmp(sender, own) == 0))
        flags |= ADUAN_MESSAGE_AUTOMATIC;
    if (has_list_field(block, n))
        flags |= ADUAN_MESSAGE_LIST | ADUAN_MESSAGE_AUTOMATIC;
    return flags;
}
