/*
 * send.c: an answer as an entry of a report's follow-up, in the form that [map.reply] gives it.
 *
 * LAPOR knows no id of ours: whether an answer is there already is told by its text (find).
 */
#include "lapor/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS_MAX = 64, CLOCKS_DIFFER_MS = 2 * 60 * 1000, TOLD_MAX = 1000 };

struct sending {
    struct lapor *l;
    const struct aduan_answer *answer;
    uint64_t token;
    struct aduan_form_part parts[PARTS_MAX];
    bool as_json[PARTS_MAX]; /* [map.reply] says "|json" */
    char *owned[2 * PARTS_MAX];
    size_t count, owned_count;
    char *uploaded; /* ids of the files that are there already, "1,2"; "" where none is */
};

static void forget_parts(struct sending *s) {
    while (s->owned_count > 0)
        free(s->owned[--s->owned_count]);
    s->count = 0;
}

static void end(struct sending *s, const struct aduan_result *result) {
    struct aduan_host *h = s->l->host;
    uint64_t token = s->token;

    forget_parts(s);
    free(s->uploaded);
    free(s);
    h->ops->done(h, token, result);
}

static void end_with(struct sending *s, enum aduan_outcome outcome, const char *reason) {
    struct aduan_result result = { .outcome = outcome };

    snprintf(result.reason, sizeof(result.reason), "%s", reason);
    end(s, &result);
}

/* Which entry is whose, so that it proves no other answer. */
static void take_note(struct lapor *l, const struct aduan_answer *answer, const char *platform_id) {
    if (l->told == NULL || json_object_size(l->told) >= TOLD_MAX) {
        json_decref(l->told);
        l->told = json_object();
    }
    json_object_set_new(l->told, platform_id, json_string(answer->id));
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
    if (id != NULL)
        take_note(s->l, s->answer, result.platform_id);
    free(id);
    json_decref(body);
    end(s, &result);
}

/* The rows of [map.reply], filled in. NULL, or what is wrong. */
static char *make_parts(struct sending *s) {
    const struct lapor_profile *p = &s->l->profile;
    json_t *values = json_pack(
        "{s:s, s:s, s:s, s:i, s:s}", "reply_text", s->answer->text != NULL ? s->answer->text : "", "remote_id",
        s->answer->conversation, "number", s->answer->number != NULL ? s->answer->number : "", "secret",
        (int)s->answer->confidential, "attachment_ids", s->uploaded != NULL ? s->uploaded : "");
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
        s->as_json[s->count] = text_ends(p->items[i].value, "|json");
        s->parts[s->count++] = (struct aduan_form_part){ .name = p->items[i].key, .text = value };
    }
    free(missing);
    json_decref(values);
    return fault;
}

static char *add_files(struct sending *s, const char *section) {
    const char *part = lapor_or(&s->l->profile, section, "file_part", NULL);
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

static json_t *json_of(const struct sending *s) {
    json_t *body = json_object(), *value;
    size_t i;

    for (i = 0; i < s->count; i++) {
        const char *text = s->parts[i].text;

        if (text == NULL)
            continue;
        value = s->as_json[i] ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
        json_object_set_new(body, s->parts[i].name, value != NULL ? value : json_string(text));
    }
    return body;
}

static int post(struct sending *s, const char *section, const char *url, aduan_http_done done) {
    struct lapor *l = s->l;
    bool json = strcmp(lapor_or(&l->profile, section, "encoding", "multipart"), "json") == 0 &&
                strcmp(section, "cap.upload") != 0;
    json_t *body = json ? json_of(s) : NULL;
    struct lapor_envelope e;
    char *bytes = NULL;
    int rc;

    lapor_seal(l, lapor_or(&l->profile, section, "method", "POST"), url, &e);
    if (json) {
        bytes = json_dumps(body, JSON_COMPACT);
        e.req.body = bytes;
        e.req.body_len = strlen(bytes);
        e.headers[e.req.header_count++] = (struct aduan_header){ "Content-Type", "application/json" };
    } else {
        e.req.form = s->parts;
        e.req.form_count = s->count;
    }
    rc = l->host->ops->http(l->host, &e.req, done, s);
    lapor_unseal(&e);
    free(bytes);
    json_decref(body);
    return rc;
}

/* Posts what the parts hold; takes fault. */
static void start(struct sending *s, const char *section, char *fault, aduan_http_done done) {
    json_t *values = json_pack("{s:s}", "id", s->answer->conversation);
    char *url = lapor_url(s->l, section, values);

    json_decref(values);
    if (fault != NULL || url == NULL)
        end_with(s, ADUAN_NEVER, fault != NULL ? fault : "Profil / profile: path");
    else if (post(s, section, url, done) != 0)
        end_with(s, ADUAN_LATER, "pengiriman belum dapat dimulai / the transfer could not be started");
    free(fault);
    free(url);
}

static void start_reply(struct sending *s) {
    char *fault = make_parts(s);

    if (fault == NULL && s->uploaded == NULL)
        fault = add_files(s, "cap.reply");
    start(s, "cap.reply", fault, answered);
}

/* "/results/images/0/id,/results/docs/0/id": the values of all the lists, "1,2". New string. */
static char *ids_of(const json_t *body, const char *lists, size_t *ret_count) {
    struct text t = TEXT_INIT;
    const char *c;

    while (*lists != '\0') {
        size_t n = strcspn(lists, ",");
        char *one = xstrndup(lists, n), *ids = lapor_value(body, one);

        if (ids != NULL)
            text_addf(&t, "%s%s", t.len > 0 ? "," : "", ids);
        free(ids);
        free(one);
        lists += n + (lists[n] == ',');
    }
    *ret_count = t.len > 0;
    for (c = t.s != NULL ? t.s : ""; *c != '\0'; c++)
        *ret_count += *c == ',';
    return t.s != NULL ? text_steal(&t) : xstrdup("");
}

/* A file that is there without an answer does nobody any harm: whatever is uncertain is done again. */
static void uploaded(void *arg, const struct aduan_http_response *r) {
    struct sending *s = arg;
    struct aduan_result result = { 0 };
    json_t *body;
    size_t count = 0;
    bool read;

    if (!lapor_accepted(s->l, r, true, &result)) {
        if (result.outcome == ADUAN_UNCERTAIN)
            result.outcome = ADUAN_LATER;
        end(s, &result);
        return;
    }
    body = r->body != NULL ? js_load(r->body, r->body_len) : NULL;
    s->uploaded = ids_of(body, lapor_or(&s->l->profile, "cap.upload", "ids", ""), &count);
    read = body != NULL;
    json_decref(body);
    forget_parts(s);
    if (!read)
        end_with(s, ADUAN_LATER, "Jawaban LAPOR! bukan JSON / LAPOR's answer is no JSON");
    else if (count != s->answer->attachment_count)
        end_with(
            s, ADUAN_NEVER,
            "LAPOR! tidak menyebut semua lampiran yang diunggah / LAPOR! does not name every file that was "
            "uploaded");
    else
        start_reply(s);
}

void lapor_send(void *ctx, const struct aduan_answer *answer, uint64_t token) {
    struct lapor *l = ctx;
    struct sending *s = xcalloc(1, sizeof(*s));
    char why[400];

    s->l = l;
    s->answer = answer;
    s->token = token;
    if (answer->conversation == NULL || lapor_fits(l->settings, answer, why, sizeof(why)) != 0)
        end_with(s, ADUAN_NEVER,
                 answer->conversation == NULL ? "Tanpa nomor laporan / there is no tracking id" : why);
    else if (answer->attachment_count > 0 && lapor_enabled(&l->profile, "upload"))
        start(s, "cap.upload", add_files(s, "cap.upload"), uploaded);
    else
        start_reply(s);
}

/* ------------------------------------------------------------------------ find */

struct looking {
    struct lapor *l;
    const struct aduan_answer *answer;
    char *wanted;
    char *found;         /* id of the entry with this text that can be this answer */
    size_t count, older; /* how many can be it; have the text but are older, or of no known time */
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

/* Written since the answer was queued, as far as clocks agree. The time is the portal's, WIB. */
static bool recent(const struct looking *k, const json_t *item) {
    char *created = lapor_value(item, lapor_or(&k->l->profile, "map.in", "created", "/created_at|/date"));
    int64_t at = lapor_time_of(created);

    free(created);
    return at > 0 && at >= k->answer->queued_at - CLOCKS_DIFFER_MS;
}

/* Known to be another answer's? */
static bool taken(const struct looking *k, const char *id) {
    const char *by = json_string_value(json_object_get(k->l->told, id));

    return by != NULL && strcmp(by, k->answer->id) != 0;
}

static int compare(void *arg, const json_t *item) {
    struct looking *k = arg;
    char *body = lapor_value(item, lapor_or(&k->l->profile, "map.in", "body", "/content|/template_content"));
    char *plain = lapor_plain(body, NULL), *bare = essence(plain != NULL ? plain : "");
    char *id, *whole;

    if (bare[0] != '\0' && strcmp(bare, k->wanted) == 0) {
        id = lapor_value(item, lapor_or(&k->l->profile, "map.in", "item_id", "/id"));
        whole = xasprintf("%s:%s", k->answer->conversation, id != NULL ? id : "?");
        if (!taken(k, whole)) {
            bool now = recent(k, item);

            k->count += now;
            k->older += !now;
            if (now) {
                free(k->found);
                k->found = xstrdup(whole);
            }
        }
        free(whole);
        free(id);
    }
    free(body);
    free(plain);
    free(bare);
    return 0;
}

/* The same words may stand there from an earlier answer, so an entry proves this one only by its time, and one
 * of several proves nothing: a person looks. */
void lapor_find_sent(void *ctx, const struct aduan_answer *answer, struct aduan_result *ret) {
    struct lapor *l = ctx;
    struct looking k = { .l = l, .answer = answer };
    struct aduan_result asked = { 0 };
    int rc = -1;

    *ret = (struct aduan_result){ .outcome = ADUAN_UNCERTAIN };
    if (!lapor_enabled(&l->profile, "followups") || answer->conversation == NULL || answer->text == NULL)
        return;
    k.wanted = essence(answer->text);
    if (k.wanted[0] != '\0')
        rc = lapor_pages(l, "cap.followups", answer->conversation, "", compare, &k, &asked);
    if (rc == 0 && k.count == 1) {
        ret->outcome = ADUAN_SENT;
        snprintf(ret->platform_id, sizeof(ret->platform_id), "%s", k.found);
        take_note(l, answer, k.found);
    } else if (rc == 0 && k.count + k.older == 0) {
        ret->outcome = ADUAN_LATER;
    } else if (k.count + k.older > 0) {
        snprintf(
            ret->reason, sizeof(ret->reason),
            "%zu tindak lanjut dengan teks ini, %zu di antaranya lama: periksa di LAPOR! / as many follow-ups "
            "with this text, so many of them old: look at LAPOR!",
            k.count + k.older, k.older);
    }
    free(k.found);
    free(k.wanted);
}
