/*
 * outgoing.c: an answer is written in the same transaction as the case's new state.
 *
 * Every answer to a citizen passes may_leave(), whoever asks for it. In public
 * nothing may stand but a rendering of R-14, without number, subject, name or
 * attachment; elsewhere what the desk words by itself has identity numbers
 * masked; and what the platform would refuse is refused here, in words, before
 * anything is kept. What goes to a portal that everybody reads (SP4N-LAPOR!)
 * stands in R-22 and holds nothing that tells who the reporter is.
 *
 * Some platforms take answers only for a time after the citizen wrote last.
 * By our own clock, a little early, such an answer is held instead; a template
 * asks the citizen to write, once for each closed period; and what was held
 * goes when they do.
 */
#include "desk/identity.h"
#include "desk/room.h"
#include "desk/worklist.h"

#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW_MARGIN_MS = 5 * MINUTE_MS };

bool outgoing_window_open(const struct desk_account *a, const struct reg_talk *t, bool by_person, int64_t now) {
    int64_t window = a == NULL ? 0 : by_person ? a->window_person_ms : a->window_ms;

    if (window <= 0 || t->is_public)
        return true;
    return now < t->last_in_at + window - WINDOW_MARGIN_MS;
}

static bool is_mail(const struct reg_case *c) {
    return text_equal(c->channel, "email") || text_equal(c->channel, "maildir");
}

/* "Re: subject [TPI-2026-000123]"; an identity number that the citizen put there does not travel on. */
static char *subject_of(const struct reg_case *c, const struct reg_message *last) {
    const char *subject = last->subject != NULL && last->subject[0] != '\0' ? last->subject : c->subject;
    const char *re = text_starts_nocase(subject, "re:") ? "" : "Re: ";
    size_t count;
    char *masked = identity_mask(subject, &count, NULL), *whole;

    if (text_find_nocase(subject, c->number) != NULL)
        whole = xasprintf("%s%s", re, masked);
    else
        whole = xasprintf("%s%s [%s]", re, masked, c->number);
    free(masked);
    return whole;
}

static void add_reference(struct aduan_answer *a, const char *id) {
    if (id == NULL || id[0] == '\0')
        return;
    a->references = xrealloc(a->references, a->reference_count + 1, sizeof(*a->references));
    a->references[a->reference_count++] = xstrdup(id);
}

/* Threads the answer under the newest message of the citizen, never of somebody else who joined the case; long
 * References lose their middle. */
static void set_thread(struct aduan_answer *a, const struct reg_case *c, const struct reg_message *last) {
    size_t i, count = last->reference_count;

    if (!is_mail(c)) {
        a->reply_to = xstrdup(last->platform_id);
        return;
    }
    a->subject = subject_of(c, last);
    a->reply_to = xstrdup(last->mail_id);
    for (i = 0; i < count; i++)
        if (i == 0 || i + 10 >= count)
            add_reference(a, last->references[i]);
    add_reference(a, last->mail_id);
}

static void set_person(struct aduan_person *to, const struct aduan_person *from) {
    to->id = xstrdup(from->id);
    to->name = xstrdup(from->name);
    to->handle = xstrdup(from->handle);
    to->address = xstrdup(from->address);
    to->phone = xstrdup(from->phone);
}

static void set_attachments(struct aduan_answer *a, const struct outgoing *what) {
    size_t i;

    a->attachments = xcalloc(what->attachment_count + 1, sizeof(*a->attachments));
    a->attachment_count = what->attachment_count;
    for (i = 0; i < what->attachment_count; i++) {
        a->attachments[i].name = xstrdup(what->attachments[i].name);
        a->attachments[i].type = xstrdup(what->attachments[i].type);
        a->attachments[i].size = what->attachments[i].size;
        a->attachments[i].sha256 = xstrdup(what->attachments[i].sha256);
        a->attachments[i].state = ADUAN_ATTACHMENT_STORED;
    }
}

/* What an officer wrote is theirs (command_reply.c has asked); what the desk words by itself is masked. */
static char *text_of(const struct outgoing *what) {
    size_t count;

    return what->kind == ADUAN_ANSWER_REPLY ? xstrdup(what->text) : identity_mask(what->text, &count, NULL);
}

static int answered_before(struct room *room, const struct reg_case *c, struct aduan_answer *a) {
    int64_t count = 0;
    int rc = 0;

    if (a->reply_to != NULL && a->reply_to[0] != '\0')
        rc = reg_message_answered(room->reg, c->id, a->is_public, a->reply_to, &count);
    a->answered_before = (unsigned)count;
    return rc < 0 ? rc : 0;
}

static int build(struct room *room, const struct reg_case *c, const struct reg_talk *t,
                 const struct outgoing *what, struct aduan_answer *a) {
    struct reg_message last = { 0 };
    char id[64];
    int rc = reg_out_next_id(room->reg, id);

    if (rc < 0)
        return rc;
    rc = reg_message_last_of(room->reg, c, t->is_public, &last);
    if (rc < 0)
        return rc;
    a->id = xstrdup(id);
    a->account = xstrdup(c->account);
    a->kind = what->kind;
    a->conversation = xstrdup(t->key);
    a->is_public = what->in_public;
    a->text = text_of(what);
    a->language = xstrdup(what->language);
    a->queued_at = room->now;
    a->heard_at = t->last_in_at;
    if (rc == 0)
        set_thread(a, c, &last);
    if (a->is_public) {
        a->to.id = xstrdup(t->person.id);
    } else {
        a->number = xstrdup(c->number);
        a->token = thread_token(&room->key, c->number, id);
        set_person(&a->to, &t->person);
    }
    a->confidential = c->confidentiality[0] != '\0' && strcmp(c->confidentiality, "normal") != 0;
    set_attachments(a, what);
    reg_message_clear(&last);
    return answered_before(room, c, a);
}

/* ------------------------------------------------------------- what may leave */

static bool is_invitation(const struct room *room, const char *text) {
    static const char *const renderings[][2] = {
        { "id", "R-14" }, { "id", "R-14F" }, { "en", "R-14" }, { "en", "R-14F" }
    };
    char why[160];
    bool same = false;
    size_t i;

    for (i = 0; i < sizeof(renderings) / sizeof(renderings[0]) && !same; i++) {
        struct text out = TEXT_INIT;

        if (template_is_public(renderings[i][1]) &&
            template_render(room->templates, renderings[i][0], renderings[i][1], NULL, 0, &out, why,
                            sizeof(why)) == 0)
            same = text_equal(out.s, text);
        text_free(&out);
    }
    return same;
}

/* NULL, or why this must not be read by everybody. */
static const char *public_fault(const struct room *room, const struct aduan_answer *a) {
    if (!is_invitation(room, a->text))
        return "Di ruang publik hanya boleh ajakan R-14 / in public only the invitation R-14 may stand";
    if (a->attachment_count > 0)
        return "Tidak ada lampiran di ruang publik / no attachments in public";
    if (a->number != NULL || a->token != NULL || a->subject != NULL || a->reference_count > 0 ||
        a->to.name != NULL || a->to.handle != NULL || a->to.phone != NULL || a->to.address != NULL)
        return "Jawaban publik tidak memuat data pengaduan / a public answer carries nothing of the case";
    return NULL;
}

static int refuse(const struct outgoing *what, const char *why) {
    if (what->why != NULL)
        snprintf(what->why, what->why_size, "%s", why);
    return OUTGOING_REFUSED;
}

/* By what is known of a platform whose module has no judgement of its own. */
static int fits_traits(const struct desk_account *d, const struct reg_talk *t, const struct aduan_answer *a,
                       char *why, size_t why_size) {
    const char *text = a->text != NULL ? a->text : "";
    long long length = (long long)(d->text_max_is_bytes ? strlen(text) : text_characters(text));
    long long most = (long long)d->attachment_max;
    size_t i;

    if (t->is_public && !a->is_public)
        snprintf(
            why, why_size,
            "%s tidak dapat menjawab tulisan publik secara pribadi; kirim ajakan: --public / %s cannot answer "
            "a public message privately; send the invitation: --public",
            d->channel, d->channel);
    else if (d->text_max > 0 && length > d->text_max)
        snprintf(why, why_size,
                 "Teks terlalu panjang: %lld %s, paling banyak %lld / the text is too long for %s", length,
                 d->text_max_is_bytes ? "byte" : "karakter", (long long)d->text_max, d->channel);
    else if (a->attachment_count > 0 && !d->can_attach)
        snprintf(why, why_size, "%s tidak dapat mengirim lampiran / %s cannot send attachments", d->channel,
                 d->channel);
    for (i = 0; why[0] == '\0' && i < a->attachment_count; i++)
        if (most > 0 && a->attachments[i].size > most)
            snprintf(
                why, why_size,
                "Lampiran \"%.80s\" terlalu besar: %lld byte, paling banyak %lld / attachment too large for "
                "%s",
                a->attachments[i].name, (long long)a->attachments[i].size, most, d->channel);
    return why[0] == '\0' ? 0 : -1;
}

/* The one gate of everything that is written to citizens. */
static int may_leave(struct room *room, const struct reg_talk *t, const struct aduan_answer *a,
                     const struct outgoing *what) {
    const struct desk_account *d = room_account(room, a->account);
    const char *fault = a->is_public ? public_fault(room, a) : NULL;
    char why[300] = "";
    int rc = 0;

    if (fault != NULL)
        return refuse(what, fault);
    if (d != NULL)
        rc = d->fits != NULL ? d->fits(d->fits_arg, a, why, sizeof(why))
                             : fits_traits(d, t, a, why, sizeof(why));
    return rc < 0 ? refuse(what, why) : 0;
}

static void add_who(json_t *who, const char *key, const char *s) {
    json_t *list = json_object_get(who, key);

    if (s != NULL && s[0] != '\0')
        json_array_append_new(list, json_string(s));
}

/* All that is known of the reporter. */
static int who_wrote(struct room *room, const struct reg_case *c, const struct reg_talk *t, json_t **ret) {
    char *text = NULL;
    int rc = reg_case_withheld(room->reg, c->id, &text);
    json_t *who = rc == 0 ? json_loads(text, 0, NULL) : NULL;
    size_t i;

    free(text);
    if (rc < 0)
        return rc;
    if (!json_is_object(who)) {
        json_decref(who);
        who = json_object();
    }
    for (i = 0; i < 3; i++) {
        const char *key = i == 0 ? "names" : i == 1 ? "phones" : "addresses";

        if (!json_is_array(json_object_get(who, key)))
            json_object_set_new(who, key, json_array());
    }
    add_who(who, "names", c->name);
    add_who(who, "names", t->person.name);
    add_who(who, "phones", c->phone);
    add_who(who, "phones", t->person.phone);
    add_who(who, "addresses", c->address);
    add_who(who, "addresses", t->person.address);
    *ret = who;
    return 0;
}

/* Everybody may read a portal: the officer's words stand there in R-22 and name nobody, whoever carries them.
 */
static int for_portal(struct room *room, const struct reg_case *c, const struct reg_talk *t,
                      const struct outgoing *what, struct aduan_answer *a) {
    struct text framed = TEXT_INIT;
    char *fault = NULL, why[300] = "";
    json_t *who = NULL;
    int rc = who_wrote(room, c, t, &who);

    if (rc < 0)
        return rc;
    fault = worklist_private_fault(a->text, who);
    json_decref(who);
    if (fault == NULL &&
        worklist_wrap(room->templates, a->language, c->number, a->text, &framed, why, sizeof(why)) < 0)
        fault = xstrdup(why);
    if (fault != NULL) {
        rc = refuse(what, fault);
        free(fault);
        text_free(&framed);
        return rc;
    }
    free(a->text);
    a->text = text_steal(&framed);
    return 0;
}

/* With its frame where that counts; who carries it over by hand gets the frame when it is pasted. */
static int may_leave_framed(struct room *room, const struct reg_case *c, const struct reg_talk *t,
                            const struct outgoing *what, struct aduan_answer *a) {
    char *bare = xstrdup(a->text);
    int rc = for_portal(room, c, t, what, a);

    if (rc == 0 && (rc = may_leave(room, t, a, what)) == OUTGOING_REFUSED && what->why != NULL) {
        size_t n = strlen(what->why);

        snprintf(what->why + n, what->why_size - n, " (%zu + R-22 = %zu)", text_characters(bare),
                 text_characters(a->text));
    }
    if (outgoing_first_state(room, c->account) == REG_OUT_BY_HAND) {
        free(a->text);
        a->text = xstrdup(bare);
    }
    free(bare);
    return rc;
}

/* Where it goes: what everybody may read to where the case began, the rest to the citizen's conversation. */
static int prepare(struct room *room, const struct reg_case *c, const struct outgoing *what, struct reg_talk *t,
                   struct aduan_answer *a) {
    int64_t talk = what->in_public && !c->is_public ? c->public_talk : c->talk;
    int rc = talk != 0 ? reg_talk_get(room->reg, talk, t) : REG_NOTHING;

    if (rc == 0 && what->in_public && !t->is_public)
        rc = REG_NOTHING;
    if (rc == REG_NOTHING)
        return refuse(what, "Pengaduan ini tidak berasal dari ruang publik / this case has no public thread");
    if (rc == 0)
        rc = build(room, c, t, what, a);
    if (rc == 0 && worklist_is_portal(c->channel) && what->kind == ADUAN_ANSWER_REPLY)
        return may_leave_framed(room, c, t, what, a);
    return rc < 0 ? rc : may_leave(room, t, a, what);
}

int outgoing_check(struct room *room, const struct reg_case *c, const struct outgoing *what) {
    struct aduan_answer a = { 0 };
    struct reg_talk t = { 0 };
    int rc = prepare(room, c, what, &t, &a);

    aduan_answer_clear(&a);
    reg_talk_clear(&t);
    return rc;
}

/* ------------------------------------------------------------------ on its way */

enum reg_out_state outgoing_first_state(const struct room *room, const char *account) {
    const struct desk_account *a = room_account(room, account);

    return a != NULL && a->by_hand ? REG_OUT_BY_HAND : REG_OUT_READY;
}

static int write_answer(struct room *room, const struct reg_case *c, const struct outgoing *what,
                        const struct reg_talk *t, const struct aduan_answer *a, bool held) {
    return reg_out_add(room->reg, a, what->actor, c->id, t->id,
                       held ? REG_OUT_HELD : outgoing_first_state(room, c->account), room->now);
}

int outgoing_template(struct room *room, const struct reg_case *c, struct reg_talk *t) {
    const struct desk_account *d = room_account(room, c->account);
    struct outgoing ask = {
        .kind = ADUAN_ANSWER_TEMPLATE, .text = "", .language = c->language, .actor = "sistem"
    };
    struct aduan_answer a = { 0 };
    int rc;

    if (d == NULL || !d->has_template || t->is_public || t->template_at > t->last_in_at)
        return 0;
    rc = build(room, c, t, &ask, &a);
    if (rc == 0)
        rc = may_leave(room, t, &a, &ask);
    if (rc == 0)
        rc = write_answer(room, c, &ask, t, &a, false);
    aduan_answer_clear(&a);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = reg_talk_template(room->reg, t->id, room->now);
    if (rc == 0)
        rc = room_history(room, c->id, "sistem", "template",
                          "the reply window is closed: the citizen is asked to write");
    t->template_at = room->now;
    return rc;
}

int outgoing_answer(struct room *room, const struct reg_case *c, const struct outgoing *what, char ret_id[64],
                    bool *ret_held) {
    const struct desk_account *d = room_account(room, c->account);
    struct aduan_answer a = { 0 };
    struct reg_talk t = { 0 };
    bool held = false;
    int rc = prepare(room, c, what, &t, &a);

    if (rc == 0) {
        held = !outgoing_window_open(d, &t, what->kind == ADUAN_ANSWER_REPLY, room->now);
        rc = write_answer(room, c, what, &t, &a, held);
        if (ret_id != NULL)
            snprintf(ret_id, 64, "%s", a.id);
    }
    if (rc == 0 && held)
        rc = outgoing_template(room, c, &t);
    if (ret_held != NULL)
        *ret_held = held;
    aduan_answer_clear(&a);
    reg_talk_clear(&t);
    return rc;
}

int outgoing_heard(struct room *room, const struct desk_account *a, struct reg_talk *t, int64_t at,
                   const char *platform_id, int64_t ticket) {
    int64_t released = 0;
    int rc;

    if (at < t->last_in_at)
        return 0;
    rc = reg_talk_heard(room->reg, t->id, at, platform_id);
    t->last_in_at = at;
    if (rc < 0 || !outgoing_window_open(a, t, true, room->now)) /* held are officers' replies, mostly */
        return rc;
    if (t->is_public && ticket > 0) /* privately, but to the message they wrote just now */
        rc = reg_out_readdress(room->reg, ticket, t->id, t, platform_id);
    if (rc == 0)
        rc = reg_out_release(room->reg, t->id, &released);
    if (rc == 0 && released > 0)
        rc = room_history(room, ticket, "sistem", "released", "%lld held answers go out: the citizen wrote",
                          (long long)released);
    return rc;
}
