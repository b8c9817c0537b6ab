/* loop_fault.c: faults on request, from a file or from a marker in the text. */
#include "loop_fault.h"

#include "kit/text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

char *loop_read_file(const char *path, size_t *ret_n) {
    struct text t = TEXT_INIT;
    char buf[65536];
    FILE *f = fopen(path, "re");
    size_t n;

    if (f == NULL)
        return NULL;
    while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
        text_add_n(&t, buf, n);
    fclose(f);
    *ret_n = t.len;
    return text_steal(&t);
}

/* "VERB[:MS][*COUNT]" */
static bool read_fault(const char *s, struct loop_fault *ret) {
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz-");
    char *end = (char *)(uintptr_t)s + n;

    if (n == 0 || n >= sizeof(ret->verb))
        return false;
    *ret = (struct loop_fault){ .left = -1 };
    memcpy(ret->verb, s, n);
    if (*end == ':')
        ret->ms = strtoll(end + 1, &end, 10);
    if (*end == '*')
        ret->left = strtoll(end + 1, NULL, 10);
    return true;
}

static void count_down(const char *path, const struct loop_fault *fault) {
    FILE *f;

    if (fault->left == 1)
        unlink(path);
    if (fault->left <= 1)
        return;
    f = fopen(path, "we");
    if (f == NULL)
        return;
    fprintf(f, "%s:%lld*%lld", fault->verb, (long long)fault->ms, (long long)fault->left - 1);
    fclose(f);
}

static bool fault_by_file(struct loop_faults *f, const char *where, struct loop_fault *ret) {
    char *path, *content;
    size_t n;
    bool found;

    if (f->directory[0] == '\0')
        return false;
    path = xasprintf("%s/%s", f->directory, where);
    content = loop_read_file(path, &n);
    found = content != NULL && read_fault(content, ret);
    if (found)
        count_down(path, ret);
    free(content);
    free(path);
    return found;
}

static bool fault_by_marker(struct loop_faults *f, const struct aduan_answer *answer, struct loop_fault *ret) {
    const char *marker = answer->text != NULL ? strstr(answer->text, "[[") : NULL;
    json_int_t struck;

    if (marker == NULL || !read_fault(marker + 2, ret))
        return false;
    if (ret->left < 0)
        return true;
    struck = json_integer_value(json_object_get(f->struck, answer->id));
    json_object_set_new(f->struck, answer->id, json_integer(struck + 1));
    return struck < ret->left;
}

static const struct {
    const char *verb;
    enum aduan_outcome outcome;
    enum aduan_limit_scope scope;
} verbs[] = {
    { "later", ADUAN_LATER, ADUAN_SCOPE_CONVERSATION },
    { "limited", ADUAN_LIMITED, ADUAN_SCOPE_CONVERSATION },
    { "limited-account", ADUAN_LIMITED, ADUAN_SCOPE_ACCOUNT },
    { "never", ADUAN_NEVER, ADUAN_SCOPE_CONVERSATION },
    { "refused", ADUAN_REFUSED, ADUAN_SCOPE_ACCOUNT },
    { "closed", ADUAN_CLOSED, ADUAN_SCOPE_CONVERSATION },
    { "uncertain", ADUAN_UNCERTAIN, ADUAN_SCOPE_CONVERSATION },
    { "lost", ADUAN_UNCERTAIN, ADUAN_SCOPE_CONVERSATION },
};

/* Plays what happens in place; true when the fault is an outcome. */
static bool play(const struct loop_fault *fault, struct aduan_result *ret) {
    struct timespec t = { .tv_sec = fault->ms / 1000, .tv_nsec = fault->ms % 1000 * 1000000 };
    size_t i;

    memset(ret, 0, sizeof(*ret));
    if (strcmp(fault->verb, "slow") == 0)
        nanosleep(&t, NULL);
    if (strcmp(fault->verb, "die") == 0)
        raise(SIGKILL);
    for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(fault->verb, verbs[i].verb) != 0)
            continue;
        ret->outcome = verbs[i].outcome;
        ret->scope = verbs[i].scope;
        ret->retry_after_ms = fault->ms;
        snprintf(ret->reason, sizeof(ret->reason), "fault \"%s\" was asked for", fault->verb);
        return true;
    }
    return false;
}

bool loop_fault_ends(struct loop_faults *f, const char *where, struct aduan_result *ret) {
    struct loop_fault fault;

    return fault_by_file(f, where, &fault) && play(&fault, ret);
}

bool loop_fault_before_send(struct loop_faults *f, const struct aduan_answer *answer,
                            struct aduan_result *ret) {
    struct loop_fault fault;

    f->active.verb[0] = '\0';
    if (!fault_by_file(f, "send", &fault) && !fault_by_marker(f, answer, &fault))
        return false;
    if (strcmp(fault.verb, "closed") == 0 && answer->kind == ADUAN_ANSWER_TEMPLATE)
        return false;
    f->active = fault;
    return play(&fault, ret);
}

bool loop_fault_delivers(const struct loop_faults *f) {
    return strcmp(f->active.verb, "uncertain") == 0;
}

bool loop_fault_after_send(const struct loop_faults *f) {
    if (strcmp(f->active.verb, "die-after") == 0)
        raise(SIGKILL);
    return strcmp(f->active.verb, "silent") == 0;
}
