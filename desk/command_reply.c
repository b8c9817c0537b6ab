/*
 * command_reply.c: an officer's answer: judged as a whole before anything of it is kept.
 *
 * On a case that began in public it goes to the citizen privately, where the platform allows that;
 * in public the only thing an officer can send is the invitation R-14, once more.
 */
#include "desk/ask.h"
#include "desk/identity.h"
#include "kit/sign.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ATTACHMENTS_MAX = 10 };

struct reply {
    char *text;
    struct aduan_attachment list[ATTACHMENTS_MAX];
    size_t count;
};

static void reply_clear(struct reply *r) {
    size_t i;

    for (i = 0; i < r->count; i++) {
        free(r->list[i].name);
        free(r->list[i].type);
        free(r->list[i].sha256);
    }
    free(r->text);
}

static int check_case(struct ask *a, const struct reg_case *c) {
    const struct desk_account *d = room_account(a->room, c->account);

    if (d == NULL)
        return ask_refuse(a, "account \"%s\" of %s is no longer configured", c->account, c->number);
    if (!d->can_send)
        return ask_refuse(a, "%s (%s) cannot send answers", c->account, c->channel);
    if (!case_state_open(c->state))
        return ask_refuse(a, "%s is %s: reopen it first", c->number, case_state_name(c->state));
    return 0;
}

/* An officer's words are never changed behind their back, so what looks like an identity number is said and not
 * masked: it may be a payment code. Who wants it to stand says so, and that is history. */
static int check_text(struct ask *a, const struct reg_case *c, const char *text) {
    size_t count;
    char shown[40], *masked;

    if (text[strspn(text, " \t\r\n")] == '\0')
        return ask_refuse(a, "the answer is empty");
    masked = identity_mask(text, &count, shown);
    free(masked);
    if (count == 0)
        return 0;
    if (json_is_true(json_object_get(a->json, "identity")))
        return room_history(a->room, c->id, a->actor, "identity_allowed", "%s in the answer", shown);
    return ask_refuse(
        a,
        "Jawaban memuat nomor seperti NIK atau paspor (%s): samarkan, atau --allow-identity bila perlu / "
        "the answer holds what looks like an identity or passport number: mask it, or "
        "--allow-identity if it must stand",
        shown);
}

/* The next attachment, from the command's raw bytes; nothing is stored yet. */
static int name_attachment(struct ask *a, const json_t *j, size_t *at, struct aduan_attachment *ret) {
    const char *name = json_string_value(json_object_get(j, "name"));
    const char *type = json_string_value(json_object_get(j, "type"));
    json_int_t size = json_integer_value(json_object_get(j, "size"));
    char sha256[SIGN_HEX256];

    if (name == NULL || size <= 0 || (size_t)size > a->e->raw_len - *at)
        return ask_refuse(a, "attachment: name and size do not fit the bytes");
    sign_sha256_hex((const char *)a->e->raw + *at, (size_t)size, sha256);
    *at += (size_t)size;
    ret->name = text_clean_filename(name, strlen(name));
    ret->type = xstrdup(type != NULL ? type : "application/octet-stream");
    ret->size = size;
    ret->sha256 = xstrdup(sha256);
    ret->state = ADUAN_ATTACHMENT_STORED;
    return 0;
}

static int name_attachments(struct ask *a, struct reply *r) {
    const json_t *j = json_object_get(a->json, "attachments");
    size_t i, at = 0, count = json_array_size(j);
    int rc = 0;

    if (count > ATTACHMENTS_MAX)
        return ask_refuse(a, "at most %d attachments", ATTACHMENTS_MAX);
    for (i = 0; rc == 0 && i < count; i++) {
        rc = name_attachment(a, json_array_get(j, i), &at, &r->list[i]);
        r->count = i + (rc == 0);
    }
    if (rc == 0 && at != a->e->raw_len)
        rc = ask_refuse(a, "attachments: %zu bytes came, %zu were named", a->e->raw_len, at);
    return rc;
}

static int store_attachments(struct ask *a, const struct reply *r) {
    size_t i, at = 0;
    char sha256[SIGN_HEX256];
    int rc = 0;

    for (i = 0; rc >= 0 && i < r->count; i++) {
        rc = blob_put(a->room->o->blobs, (const char *)a->e->raw + at, (size_t)r->list[i].size, sha256);
        at += (size_t)r->list[i].size;
    }
    return rc < 0 ? ask_refuse(a, "the attachments could not be stored: %s", strerror(-rc)) : 0;
}

static int write_reply(struct ask *a, struct reg_case *c, const struct outgoing *what) {
    bool held = false;
    char id[64];
    int rc = outgoing_answer(a->room, c, what, id, &held);

    if (rc != 0)
        return rc == OUTGOING_REFUSED ? ask_refuse(a, "%s", what->why) : rc;
    c->state = CASE_ANSWERED;
    c->answered_at = a->room->now;
    c->updated_at = a->room->now;
    rc = reg_case_save(a->room->reg, c);
    if (rc == 0)
        rc = room_history(a->room, c->id, a->actor, "replied", "%s%s%s", id,
                          c->is_public ? "; privately, to a public message" : "",
                          held ? "; held until the citizen writes" : "");
    ask_say(a, "answer", id);
    ask_say(a, "status", held ? "held" : "queued");
    if (held)
        ask_say(a, "note", "the reply window is closed: the answer goes out when the citizen writes");
    return rc;
}

static int reply_private(struct ask *a, struct reg_case *c) {
    const char *given = ask_text(a, "text");
    struct reply r = { .text = text_clean(given, strlen(given)) };
    char why[300] = "";
    struct outgoing what = { .kind = ADUAN_ANSWER_REPLY,
                             .text = r.text,
                             .language = c->language,
                             .actor = a->actor,
                             .attachments = r.list,
                             .why = why,
                             .why_size = sizeof(why) };
    int rc = check_text(a, c, r.text);

    if (rc == 0)
        rc = name_attachments(a, &r);
    what.attachment_count = r.count;
    if (rc == 0 && (rc = outgoing_check(a->room, c, &what)) == OUTGOING_REFUSED)
        rc = ask_refuse(a, "%s", why);
    if (rc == 0)
        rc = store_attachments(a, &r);
    if (rc == 0)
        rc = write_reply(a, c, &what);
    reply_clear(&r);
    return rc;
}

/* No answer yet: the case stays as it is. */
static int reply_public(struct ask *a, const struct reg_case *c) {
    const char *name = json_is_true(json_object_get(a->json, "formal")) ? "R-14F" : "R-14";
    struct text text = TEXT_INIT;
    char why[300] = "", id[64];
    struct outgoing what = { .kind = ADUAN_ANSWER_AUTOMATIC,
                             .language = c->language,
                             .actor = a->actor,
                             .in_public = true,
                             .why = why,
                             .why_size = sizeof(why) };
    int rc;

    if (ask_text(a, "text")[0] != '\0' || json_array_size(json_object_get(a->json, "attachments")) > 0)
        return ask_refuse(a, "in public only the invitation %s can be sent: no text, no attachments", name);
    if (template_render(a->room->templates, c->language, name, NULL, 0, &text, why, sizeof(why)) < 0) {
        text_free(&text);
        return ask_refuse(a, "%s", why);
    }
    what.text = text.s;
    rc = outgoing_answer(a->room, c, &what, id, NULL);
    text_free(&text);
    if (rc != 0)
        return rc == OUTGOING_REFUSED ? ask_refuse(a, "%s", why) : rc;
    ask_say(a, "answer", id);
    ask_say(a, "status", "queued");
    return room_history(a->room, c->id, a->actor, "invited", "%s: %s in public", id, name);
}

int verb_reply(struct ask *a) {
    struct reg_case c = { 0 };
    int rc = ask_case(a, &c);

    if (rc != 0)
        return rc;
    rc = check_case(a, &c);
    if (rc == 0)
        rc = json_is_true(json_object_get(a->json, "public")) ? reply_public(a, &c) : reply_private(a, &c);
    reg_case_clear(&c);
    return rc;
}
