/*
 * send.c: an answer as an entry of a report's follow-up, in the form that [map.reply] gives it.
 *
 * LAPOR knows no id of ours: whether an answer is there already is told by its text (find).
 */
#include "lapor/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS_MAX = 64 };

struct sending {
    struct lapor *l;
    const struct aduan_answer *answer;
    uint64_t token;
    struct aduan_form_part parts[PARTS_MAX];
    char *owned[2 * PARTS_MAX];
    size_t count, owned_count;
};

static void end(struct sending *s, const struct aduan_result *result) {
    struct aduan_host *h = s->l->host;
    uint64_t token = s->token;

    while (s->owned_count > 0)
        free(s->owned[--s->owned_count]);
    free(s);
    h->ops->done(h, token, result);
}

static void end_with(struct sending *s, enum aduan_outcome outcome, const char *reason) {
    struct aduan_result result = { .outcome = outcome };

    snprintf(result.reason, sizeof(result.reason), "%s", reason);
    end(s, &result);
}

static void answered(void *arg, const struct aduan_http_response *r) {
    struct sending *s = arg;
    struct aduan_result result = { .outcome = ADUAN_SENT };
    json_t *body;
    char *id;

    if (!lapor_accepted(s->l, r, true, &result)) {
        end(s, &result);
        return;
    }
    body = r->body != NULL ? js_load(r->body, r->body_len) : NULL;
    id = body != NULL ? lapor_value(body, "/results/data/id|/results/id|/id") : NULL;
    result = (struct aduan_result){ .outcome = ADUAN_SENT };
    snprintf(result.platform_id, sizeof(result.platform_id), "%s:%s", s->answer->conversation,
             id != NULL ? id : s->answer->id);
    free(id);
    json_decref(body);
    end(s, &result);
}

/* The rows of [map.reply], filled in. NULL, or what is wrong. */
static char *make_parts(struct sending *s) {
    const struct lapor_profile *p = &s->l->profile;
    json_t *values = json_pack(
        "{s:s, s:s, s:s, s:i}", "reply_text", s->answer->text != NULL ? s->answer->text : "", "remote_id",
        s->answer->conversation, "number", s->answer->number != NULL ? s->answer->number : "", "secret", 0);
    char *missing = NULL, *fault = NULL, *value;
    size_t i;

    for (i = 0; i < p->count && s->count < PARTS_MAX && fault == NULL; i++) {
        if (strcmp(p->items[i].section, "map.reply") != 0)
            continue;
        value = lapor_fill(p->items[i].value, values, &missing);
        if (value == NULL)
            fault = xasprintf("Profil / profile: [map.reply] %s: {%s}", p->items[i].key,
                              missing != NULL ? missing : "?");
        else
            s->owned[s->owned_count++] = value;
        s->parts[s->count++] = (struct aduan_form_part){ .name = p->items[i].key, .text = value };
    }
    free(missing);
    json_decref(values);
    return fault;
}

static char *add_files(struct sending *s) {
    const char *part = lapor_or(&s->l->profile, "cap.reply", "file_part", NULL);
    size_t i;

    for (i = 0; i < s->answer->attachment_count && s->count < PARTS_MAX; i++) {
        const struct aduan_attachment *a = &s->answer->attachments[i];
        json_t *values = json_pack("{s:i}", "n", (int)i);
        char *name = part != NULL ? lapor_fill(part, values, NULL) : NULL;

        json_decref(values);
        if (name == NULL)
            return xstrdup(
                "Profil tidak mengatakan cara melampirkan ([cap.reply] file_part) / the profile does not "
                "say how to attach");
        s->owned[s->owned_count++] = name;
        s->parts[s->count++] =
            (struct aduan_form_part){ .name = name, .blob = a->sha256, .filename = a->name, .type = a->type };
    }
    return NULL;
}

static int post(struct sending *s, const char *url) {
    struct lapor *l = s->l;
    bool json = strcmp(lapor_or(&l->profile, "cap.reply", "encoding", "multipart"), "json") == 0;
    json_t *body = json ? json_object() : NULL;
    struct lapor_envelope e;
    char *bytes = NULL;
    size_t i;
    int rc;

    lapor_seal(l, lapor_or(&l->profile, "cap.reply", "method", "POST"), url, &e);
    if (json) {
        for (i = 0; i < s->count; i++)
            if (s->parts[i].text != NULL)
                json_object_set_new(body, s->parts[i].name, json_string(s->parts[i].text));
        bytes = json_dumps(body, JSON_COMPACT);
        e.req.body = bytes;
        e.req.body_len = strlen(bytes);
        e.headers[e.req.header_count++] = (struct aduan_header){ "Content-Type", "application/json" };
    } else {
        e.req.form = s->parts;
        e.req.form_count = s->count;
    }
    rc = l->host->ops->http(l->host, &e.req, answered, s);
    lapor_unseal(&e);
    free(bytes);
    json_decref(body);
    return rc;
}

void lapor_send(void *ctx, const struct aduan_answer *answer, uint64_t token) {
    struct lapor *l = ctx;
    struct sending *s = xcalloc(1, sizeof(*s));
    char why[400], *fault, *url;
    json_t *values;

    s->l = l;
    s->answer = answer;
    s->token = token;
    if (answer->conversation == NULL || lapor_fits(l->settings, answer, why, sizeof(why)) != 0) {
        end_with(s, ADUAN_NEVER,
                 answer->conversation == NULL ? "Tanpa nomor laporan / there is no tracking id" : why);
        return;
    }
    fault = make_parts(s);
    if (fault == NULL)
        fault = add_files(s);
    values = json_pack("{s:s}", "id", answer->conversation);
    url = lapor_url(l, "cap.reply", values);
    json_decref(values);
    if (fault != NULL || url == NULL)
        end_with(s, ADUAN_NEVER, fault != NULL ? fault : "Profil / profile: [cap.reply] path");
    else if (post(s, url) != 0)
        end_with(s, ADUAN_LATER, "pengiriman belum dapat dimulai / the transfer could not be started");
    free(fault);
    free(url);
}

/* ------------------------------------------------------------------------ find */

struct looking {
    struct lapor *l;
    char *wanted;
    char *found; /* id of the entry with this text */
};

/* Letters and digits only: LAPOR may wrap, strip or escape the rest. */
static char *essence(const char *s) {
    struct text t = TEXT_INIT;

    for (; *s != '\0'; s++)
        if ((unsigned char)*s >= 0x80 || (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') ||
            (*s >= 'A' && *s <= 'Z'))
            text_add_char(&t, *s);
    return text_steal(&t);
}

static int compare(void *arg, const json_t *item) {
    struct looking *k = arg;
    char *body = lapor_value(item, lapor_or(&k->l->profile, "map.in", "body", "/content|/template_content"));
    char *plain = lapor_plain(body, NULL), *bare = essence(plain != NULL ? plain : "");

    if (k->found == NULL && bare[0] != '\0' && strcmp(bare, k->wanted) == 0) {
        k->found = lapor_value(item, lapor_or(&k->l->profile, "map.in", "item_id", "/id"));
        if (k->found == NULL)
            k->found = xstrdup("?");
    }
    free(body);
    free(plain);
    free(bare);
    return 0;
}

void lapor_find_sent(void *ctx, const struct aduan_answer *answer, struct aduan_result *ret) {
    struct lapor *l = ctx;
    struct looking k = { .l = l };
    struct aduan_result asked = { 0 };
    int rc = -1;

    *ret = (struct aduan_result){ .outcome = ADUAN_UNCERTAIN };
    if (!lapor_enabled(&l->profile, "followups") || answer->conversation == NULL || answer->text == NULL)
        return;
    k.wanted = essence(answer->text);
    if (k.wanted[0] != '\0')
        rc = lapor_pages(l, "cap.followups", answer->conversation, "", compare, &k, &asked);
    if (k.found != NULL) {
        ret->outcome = ADUAN_SENT;
        snprintf(ret->platform_id, sizeof(ret->platform_id), "%s:%s", answer->conversation, k.found);
    } else if (rc == 0) {
        ret->outcome = ADUAN_LATER;
    }
    free(k.found);
    free(k.wanted);
}
