/* report.c: delivery reports and read receipts. */
#include "report.h"

#include "address.h"
#include "kit/text.h"
#include "scan.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *state_of(const char *action) {
    static const struct {
        const char *action, *state;
    } table[] = {
        { "failed", "failed" },
        { "delivered", "delivered" },
        { "relayed", "delivered" },
        { "expanded", "delivered" },
    };
    size_t i;

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (text_starts_nocase(action, table[i].action))
            return table[i].state;
    return NULL; /* "delayed": it may still arrive */
}

/* "rfc822; a@b" -> "a@b" */
static char *behind_type(const char *value) {
    const char *s = strchr(value, ';');

    s = s != NULL ? s + 1 : value;
    while (*s == ' ')
        s++;
    return text_clean_line(s, strlen(s), 300);
}

static void take_group(const char *group, size_t n, struct report *ret) {
    char *action = scan_header(group, n, "Action"), *recipient, *status, *diagnostic, *text;
    const char *state;

    if (action == NULL)
        return;
    state = state_of(action);
    if (ret->state == NULL || (state != NULL && strcmp(state, "failed") == 0)) {
        ret->state = state != NULL ? state : ret->state;
        recipient = scan_header(group, n, "Final-Recipient");
        status = scan_header(group, n, "Status");
        diagnostic = scan_header(group, n, "Diagnostic-Code");
        free(ret->recipient);
        free(ret->reason);
        text = recipient != NULL ? behind_type(recipient) : NULL;
        ret->recipient = text != NULL ? text_lower(text) : NULL;
        free(text);
        text = diagnostic != NULL ? behind_type(diagnostic) : NULL;
        ret->reason = xasprintf("%s%s%s%s%s", action, status != NULL ? " " : "", status != NULL ? status : "",
                                text != NULL ? ": " : "", text != NULL ? text : "");
        free(text);
        free(recipient);
        free(status);
        free(diagnostic);
    }
    free(action);
}

void report_delivery(const char *fields, struct report *ret) {
    const char *s = fields, *end;

    memset(ret, 0, sizeof(*ret));
    while (*s != '\0') {
        end = strstr(s, "\n\n");
        end = end != NULL ? end + 1 : s + strlen(s);
        take_group(s, (size_t)(end - s), ret);
        s = end + strspn(end, "\n");
    }
}

void report_disposition(const char *fields, struct report *ret) {
    size_t n = strlen(fields);
    char *value = scan_header(fields, n, "Disposition"), *id = scan_header(fields, n, "Original-Message-ID");
    const char *s = id;

    memset(ret, 0, sizeof(*ret));
    if (value != NULL && text_find_nocase(value, "displayed") != NULL)
        ret->state = "read";
    ret->original = s != NULL ? address_next_id(&s) : NULL;
    ret->reason = value;
    free(id);
}

void report_clear(struct report *r) {
    free(r->recipient);
    free(r->reason);
    free(r->original);
    memset(r, 0, sizeof(*r));
}

char *report_quoted_id(const char *body, size_t n, const char *domain) {
    const char *s = body, *end = body + n, *lf;

    for (; s < end; s = lf + 1) {
        char *line, *id;
        const char *p, *at;

        lf = memchr(s, '\n', (size_t)(end - s));
        if (lf == NULL)
            lf = end - 1;
        while (s < lf && (*s == ' ' || *s == '>' || *s == '\t'))
            s++;
        if (lf - s < 11 || lf - s > 600 || strncasecmp(s, "Message-ID:", 11) != 0)
            continue;
        p = line = xstrndup(s, (size_t)(lf - s));
        id = address_next_id(&p);
        free(line);
        at = id != NULL ? strrchr(id, '@') : NULL;
        if (at != NULL && strcasecmp(at + 1, domain) == 0)
            return id;
        free(id);
    }
    return NULL;
}
