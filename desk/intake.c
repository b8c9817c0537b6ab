/*
 * intake.c: an officer logs what a citizen says or brings: a case, with a receipt to print.
 *
 * It never joins a case by itself: whoever stands at the counter says what it is about, and the
 * officer sees from the answer whether the same telephone number has an open case. The receipt
 * R-20 is the acknowledgement; nothing is sent.
 */
#include "desk/intake.h"

#include "desk/ask.h"
#include "desk/identity.h"
#include "desk/view.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUMMARY_MAX = 120 };

struct intake {
    const struct desk_account *account;
    const char *channel;
    struct aduan_message m;
    struct ask_files files;
    json_t *missing;
    struct reg_case c;
    struct calendar_due due;
    char *taken_by; /* whose name stands on the receipt */
};

static void intake_clear(struct intake *i) {
    /* The list of attachments was lent to the record. */
    i->m.attachments = NULL;
    i->m.attachment_count = 0;
    aduan_message_clear(&i->m);
    ask_files_clear(&i->files);
    reg_case_clear(&i->c);
    json_decref(i->missing);
    free(i->taken_by);
}

static const char *said(const struct intake *i, const char *key) {
    const char *s = json_string_value(json_object_get(i->m.extra, key));

    return s != NULL ? s : "";
}

/* ------------------------------------------------------------------- reading */

/* The account named, or the first counter there is. */
static int find_account(struct ask *a, struct intake *i) {
    const char *name = ask_text(a, "account");
    const struct desk_options *o = a->room->o;
    size_t k;

    for (k = 0; k < o->account_count && i->account == NULL; k++) {
        const struct desk_account *d = &o->accounts[k];

        if (d->read != NULL && text_equal(d->type, "counter") && (name[0] == '\0' || text_equal(d->name, name)))
            i->account = d;
    }
    if (i->account != NULL)
        return 0;
    return name[0] != '\0'
               ? ask_refuse(a, "\"%.40s\" bukan akun loket / is no account of type counter", name)
               : ask_refuse(
                     a, "Belum ada akun loket: type = \"counter\" / no account of type counter is configured");
}

static int read_document(struct ask *a, struct intake *i) {
    json_t *doc = json_deep_copy(json_object_get(a->json, "document"));
    char *text;
    int rc = 0;

    if (!json_is_object(doc)) {
        json_decref(doc);
        return ask_refuse(a, "intake: the document is missing");
    }
    json_object_set_new(doc, "id", json_string(a->e->key));
    text = json_dumps(doc, JSON_COMPACT);
    if (i->account->read(i->account->read_arg, text, strlen(text), a->room->now, &i->m) != 0)
        rc = ask_refuse(a, "intake: the document cannot be read");
    else if (i->m.kind != ADUAN_KIND_MESSAGE)
        rc = ask_refuse(a, "%.300s", i->m.note != NULL ? i->m.note : "intake: it cannot be read");
    i->m.raw_len = strlen(text);
    i->m.raw = (unsigned char *)text;
    json_decref(doc);
    i->channel = said(i, "channel");
    return rc;
}

/* When it came: now, or as the officer says, but never in the future. */
static int take_time(struct ask *a, struct intake *i) {
    if (i->m.received_at > a->room->now)
        return ask_refuse(a, "Waktu terima ada di masa depan / the time of receipt is in the future");
    if (i->m.received_at == 0)
        i->m.received_at = a->room->now;
    return 0;
}

/* Among the files one may be the copy of an ID. */
static bool has_id_copy(const struct ask *a) {
    const json_t *list = json_object_get(a->json, "attachments"), *j;
    size_t i;

    json_array_foreach(list, i, j) {
        if (json_is_true(json_object_get(j, "id_copy")))
            return true;
    }
    return false;
}

static int refuse_incomplete(struct ask *a, const struct intake *i) {
    struct text id = TEXT_INIT, en = TEXT_INIT;
    const json_t *j;
    size_t k;
    int rc;

    json_array_foreach(i->missing, k, j) {
        char *of_id = intake_words(json_string_value(j), "id"),
             *of_en = intake_words(json_string_value(j), "en");

        text_addf(&id, "%s%s", k > 0 ? "; " : "", of_id);
        text_addf(&en, "%s%s", k > 0 ? "; " : "", of_en);
        free(of_id);
        free(of_en);
    }
    rc = ask_refuse(a, "Belum lengkap: %s (--incomplete mencatatnya sebagai belum lengkap) / missing: %s", id.s,
                    en.s);
    text_free(&id);
    text_free(&en);
    return rc;
}

static int check_complete(struct ask *a, struct intake *i) {
    const struct intake_given g = {
        .channel = i->channel,
        .name = said(i, "name")[0] != '\0',
        .address = said(i, "address")[0] != '\0',
        .phone = intake_is_phone(said(i, "phone")),
        .identity = said(i, "identity")[0] != '\0' || has_id_copy(a),
        .content =
            i->m.subject != NULL || said(i, "text")[0] != '\0' || i->files.count > (has_id_copy(a) ? 1u : 0u),
    };

    i->missing = intake_missing(&g);
    if (json_array_size(i->missing) == 0 || json_is_true(json_object_get(a->json, "incomplete")))
        return 0;
    return refuse_incomplete(a, i);
}

/* As for an answer: the account's limit. */
static int check_sizes(struct ask *a, const struct intake *i) {
    long long most = (long long)i->account->attachment_max;
    size_t k;

    for (k = 0; most > 0 && k < i->files.count; k++)
        if (i->files.list[k].size > most)
            return ask_refuse(
                a,
                "Lampiran \"%.80s\" terlalu besar: %lld byte, paling banyak %lld / attachment too "
                "large: %lld bytes at most",
                i->files.list[k].name, (long long)i->files.list[k].size, most, most);
    return 0;
}

/* ------------------------------------------------------------------- the case */

static void set_deadline(struct ask *a, struct intake *i) {
    char why[200] = "";

    if (calendar_deadline(a->room->calendar, i->channel, i->m.received_at, &i->due, why, sizeof(why)) != 0) {
        memset(&i->due, 0, sizeof(i->due));
        room_log(a->room, DESK_ERROR, "no deadline for new cases: %s", why);
    }
}

/* Whose name stands on the receipt: as given, else the acting officer's full name. New string. */
static char *name_of_taker(const struct ask *a, const char *given) {
    struct reg_user u = { NULL };
    char *name;

    if (given[0] == '\0' && reg_user_get(a->room->reg, a->actor, &u) == 0 && u.full[0] != '\0')
        given = u.full;
    name = xstrdup(given[0] != '\0' ? given : a->actor);
    reg_user_clear(&u);
    return name;
}

/* The record becomes the account's own, as the core makes it of what comes by other ways. */
static void own(struct ask *a, struct intake *i) {
    struct aduan_message *m = &i->m;

    m->id = xasprintf("%s/%s", i->account->name, m->platform_id);
    m->account = xstrdup(i->account->name);
    m->channel = xstrdup(i->channel);
    m->attachments = i->files.list;
    m->attachment_count = i->files.count;
    if (m->text == NULL)
        m->text = xstrdup("");
    i->taken_by = name_of_taker(a, said(i, "received_by"));
}

static int open_case(struct ask *a, struct intake *i, const struct reg_talk *talk, const char *person) {
    struct room *room = a->room;
    struct calendar_time local = calendar_local(room->calendar, room->now);
    char *subject = i->m.subject != NULL ? xstrdup(i->m.subject) : inbound_subject(said(i, "text"));
    char *missing = json_dumps(i->missing, JSON_COMPACT);
    bool complete = json_array_size(i->missing) == 0;
    struct reg_case made = { .state = complete ? CASE_NEW : CASE_INCOMPLETE,
                             .account = i->m.account,
                             .channel = i->m.channel,
                             .talk = talk->id,
                             .participant = (char *)(uintptr_t)person,
                             .subject = subject,
                             .language = (char *)(uintptr_t)language_of(&i->m, room->o->conf->office.language),
                             .complete = complete,
                             .missing = missing,
                             .received_at = i->m.received_at,
                             .due_at = i->due.due,
                             .updated_at = room->now };
    int rc = reg_case_add(room->reg, room->o->conf->office.code, local.year, &made);

    if (rc == 0)
        rc = reg_case_get(room->reg, made.id, &i->c);
    free(made.number);
    free(missing);
    free(subject);
    room->cases += rc == 0;
    return rc;
}

static void set(char **field, const char *value) {
    free(*field);
    *field = xstrdup(value);
}

/* What the citizen said of themselves; the receipt in their hand is the acknowledgement. */
static int save_person(struct ask *a, struct intake *i, int64_t follows) {
    set(&i->c.name, said(i, "name"));
    set(&i->c.address, said(i, "address"));
    set(&i->c.phone, said(i, "phone"));
    i->c.follows = follows;
    i->c.acknowledged = true;
    return reg_case_save(a->room->reg, &i->c);
}

/* An open case of the same telephone number: said, not joined. */
static int find_similar(struct ask *a, const struct intake *i, struct reg_case *ret) {
    if (i->m.sender.phone == NULL)
        return REG_NOTHING;
    return reg_case_open_phone(a->room->reg, i->m.sender.phone, said(i, "phone"), ret);
}

static int write_history(struct ask *a, const struct intake *i, const char *similar) {
    struct room *room = a->room;
    size_t count;
    char *missing = json_dumps(i->missing, JSON_COMPACT);
    char *shown = identity_mask(said(i, "identity"), &count, NULL); /* the kind of card, never its number */
    int rc =
        room_history(room, i->c.id, a->actor, "received", "%s %s, diterima oleh / taken by %s%s%s", i->channel,
                     i->m.id, i->taken_by, shown[0] != '\0' ? ", diperlihatkan / shown: " : "", shown);

    if (rc == 0 && json_array_size(i->missing) > 0)
        rc = room_history(room, i->c.id, a->actor, "incomplete", "%s", missing);
    if (rc == 0 && similar[0] != '\0')
        rc = room_history(room, i->c.id, "sistem", "possible_follow_up", "%s: the same telephone number",
                          similar);
    if (rc == 0 && i->c.due_at == 0)
        rc = room_history(room, i->c.id, "sistem", "no_deadline", "no calendar for the year");
    if (rc == 0)
        rc = room_history(room, i->c.id, a->actor, "acknowledged", "R-20, on paper");
    free(shown);
    free(missing);
    return rc;
}

static int write_case(struct ask *a, struct intake *i, struct reg_case *similar) {
    struct room *room = a->room;
    struct reg_talk talk = { 0 };
    char *person = reg_person_key(i->channel, &i->m.sender);
    int64_t message;
    int rc = find_similar(a, i, similar);

    if (rc >= 0)
        rc = reg_talk_of(room->reg, &i->m, room->now, &talk);
    if (rc == 0)
        rc = open_case(a, i, &talk, person);
    if (rc == 0)
        rc = reg_message_add(room->reg, &i->m, person, i->c.id, talk.id, false, i->m.raw, i->m.raw_len,
                             &message);
    if (rc == 0)
        rc = reg_talk_heard(room->reg, talk.id, i->m.received_at, i->m.platform_id);
    if (rc == 0)
        rc = save_person(a, i, similar->id);
    if (rc == 0)
        rc = write_history(a, i, similar->number != NULL ? similar->number : "");
    room->messages += rc == 0;
    reg_talk_clear(&talk);
    free(person);
    return rc;
}

/* ----------------------------------------------------------------- the receipt */

/* One line, short, without an identity number that the citizen may have put there. New string. */
static char *summary_of(const struct reg_case *c) {
    size_t count;
    char *masked = identity_mask(c->subject, &count, NULL);
    char *line = text_clean_line(masked, strlen(masked), SUMMARY_MAX);

    free(masked);
    if (line[0] != '\0')
        return line;
    free(line);
    return xstrdup("-");
}

/* "KTP diperlihatkan, 2 lampiran; belum: alamat" */
static char *checklist_of(const struct intake *i, const char *lang) {
    bool english = text_equal(lang, "en");
    struct text t = TEXT_INIT;
    size_t count, k;
    const json_t *j;
    char *masked = identity_mask(said(i, "identity"), &count, NULL);

    if (masked[0] != '\0')
        text_addf(&t, english ? "ID shown: %s" : "identitas diperlihatkan: %s", masked);
    if (i->files.count > 0)
        text_addf(&t, english ? "%s%zu attachment(s)" : "%s%zu lampiran", t.len > 0 ? ", " : "",
                  i->files.count);
    json_array_foreach(i->missing, k, j) {
        char *words = intake_words(json_string_value(j), lang);

        text_addf(&t, "%s%s%s", t.len > 0 ? "; " : "", english ? "missing: " : "belum ada: ", words);
        free(words);
    }
    if (t.len == 0)
        text_add(&t, english ? "complete" : "lengkap");
    free(masked);
    return text_steal(&t);
}

static void say_time(struct ask *a, const char *key, int64_t ms) {
    char buf[40];

    if (ms <= 0)
        return;
    view_time(ms, calendar_offset_minutes(a->room->calendar), buf, sizeof(buf));
    ask_say(a, key, buf);
}

/* The receipt in one language, as text; its fields, too, for whoever prints it otherwise. */
static int say_receipt(struct ask *a, const struct intake *i, const char *lang) {
    char *received = calendar_time_text(a->room->calendar, i->c.received_at, lang);
    char *until = i->c.due_at > 0 ? calendar_time_text(a->room->calendar, i->c.due_at, lang) : xstrdup("-");
    char *summary = summary_of(&i->c), *list = checklist_of(i, lang);
    const struct template_value values[] = {
        { "nama", i->c.name[0] != '\0' ? i->c.name : template_fallback_name(lang) },
        { "nomor_tiket", i->c.number },
        { "tanggal_terima", received },
        { "kanal", intake_channel_words(i->channel, lang) },
        { "petugas", i->taken_by },
        { "ringkasan", summary },
        { "daftar_kelengkapan", list },
        { "tenggat", until },
    };
    enum { VALUES = sizeof(values) / sizeof(values[0]) };
    json_t *fields = json_object();
    struct text text = TEXT_INIT;
    char why[300] = "", key[16];
    size_t k;
    int rc = template_render(a->room->templates, lang, "R-20", values, VALUES, &text, why, sizeof(why));

    for (k = 0; k < VALUES; k++)
        json_object_set_new(fields, values[k].name, json_string(values[k].value));
    json_object_set_new(fields, "text", json_string(text.s != NULL ? text.s : ""));
    snprintf(key, sizeof(key), "receipt_%s", lang);
    json_object_set_new(a->answer, key, fields);
    text_free(&text);
    free(received);
    free(until);
    free(summary);
    free(list);
    return rc < 0 ? ask_refuse(a, "%s", why) : 0;
}

static int say_case(struct ask *a, const struct intake *i, const char *similar) {
    int rc;

    ask_say(a, "number", i->c.number);
    ask_say(a, "state", case_state_name(i->c.state));
    ask_say(a, "channel", i->channel);
    ask_say(a, "account", i->m.account);
    json_object_set_new(a->answer, "complete", json_boolean(i->c.complete));
    json_object_set(a->answer, "missing", i->missing);
    say_time(a, "received_at", i->c.received_at);
    say_time(a, "due_at", i->c.due_at);
    if (similar[0] != '\0')
        ask_say(a, "possible_follow_up", similar);
    rc = say_receipt(a, i, "id");
    return rc == 0 ? say_receipt(a, i, "en") : rc;
}

/* ------------------------------------------------------------------- the verb */

int verb_intake(struct ask *a) {
    struct intake i = { .account = NULL };
    struct reg_case similar = { 0 };
    int rc = find_account(a, &i);

    if (i.account == NULL)
        return rc;
    if (rc == 0)
        rc = read_document(a, &i);
    if (rc == 0)
        rc = take_time(a, &i);
    if (rc == 0)
        rc = ask_files(a, &i.files);
    if (rc == 0)
        rc = check_sizes(a, &i);
    if (rc == 0)
        rc = check_complete(a, &i);
    if (rc == 0)
        rc = ask_files_store(a, &i.files);
    if (rc == 0) {
        own(a, &i);
        set_deadline(a, &i);
    }
    if (rc == 0)
        rc = write_case(a, &i, &similar);
    if (rc == 0)
        rc = say_case(a, &i, similar.number != NULL ? similar.number : "");
    reg_case_clear(&similar);
    intake_clear(&i);
    return rc == REG_SEEN ? ask_refuse(a, "intake: this was logged before") : rc;
}
