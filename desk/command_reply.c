/*
 * command_reply.c: an officer's answer: judged as a whole before anything of it is kept.
 *
 * On a case that began in public it goes to the citizen privately, where the platform allows that;
 * in public the only thing an officer can send is the invitation R-14, once more.
 */
#include "desk/ask.h"
#include "desk/identity.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reply {
    char *text;
    struct ask_files files;
};

static void reply_clear(struct reply *r) {
    ask_files_clear(&r->files);
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

/* A public answer and a private reply hang on a comment; the platform refuses both once it is deleted. */
static int check_there(struct ask *a, const struct reg_case *c) {
    struct reg_message last;
    int rc = c->is_public ? reg_message_last_of(a->room->reg, c, true, &last) : 0;

    if (rc == REG_NOTHING)
        return ask_refuse(
            a,
            "%s: komentarnya sudah dihapus, tidak dapat dijawab lagi; tunggu sampai yang "
            "bersangkutan menulis secara pribadi atau berkomentar lagi / the comment was deleted and "
            "cannot be answered: wait until the person writes privately or comments again",
            c->number);
    if (rc == 0 && c->is_public)
        reg_message_clear(&last);
    return rc;
}

/* A box or a letter may have brought neither address nor telephone: nobody could carry the answer anywhere. */
static int nowhere_to_go(struct ask *a, const struct reg_case *c, bool *ret) {
    const struct desk_account *d = room_account(a->room, c->account);
    struct reg_talk t = { 0 };
    int rc = reg_talk_get(a->room->reg, c->talk, &t);

    *ret = rc == 0 && text_equal(d->type, "counter") && c->address[0] == '\0' && c->phone[0] == '\0' &&
           t.person.address[0] == '\0' && t.person.phone[0] == '\0';
    reg_talk_clear(&t);
    return rc;
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

static int write_reply(struct ask *a, struct reg_case *c, const struct outgoing *what) {
    bool held = false, nowhere = false;
    char id[64];
    int rc = outgoing_answer(a->room, c, what, id, &held);

    if (rc == 0)
        rc = nowhere_to_go(a, c, &nowhere);
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
    if (c->is_public)
        ask_say(a, "note", "dikirim pribadi, bukan di ruang publik / sent privately, not in public");
    if (outgoing_first_state(a->room, c->account) == REG_OUT_BY_HAND)
        ask_say(
            a, "note",
            nowhere
                ? "TIDAK ADA TUJUAN: pengadu tidak memberi alamat maupun telepon; jawaban hanya tersimpan di "
                  "daftar kerja / there is nowhere to send it: no address and no telephone are known; the "
                  "answer waits in the work list"
                : "menunggu disampaikan petugas: aduanctl worklist / waits to be carried over by hand");
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
                             .attachments = r.files.list,
                             .why = why,
                             .why_size = sizeof(why) };
    int rc = check_text(a, c, r.text);

    if (rc == 0)
        rc = ask_files(a, &r.files);
    what.attachment_count = r.files.count;
    if (rc == 0 && (rc = outgoing_check(a->room, c, &what)) == OUTGOING_REFUSED)
        rc = ask_refuse(a, "%s", why);
    if (rc == 0)
        rc = ask_files_store(a, &r.files);
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
        rc = check_there(a, &c);
    if (rc == 0)
        rc = json_is_true(json_object_get(a->json, "public")) ? reply_public(a, &c) : reply_private(a, &c);
    reg_case_clear(&c);
    return rc;
}
