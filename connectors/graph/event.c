/*
 * event.c: one messaging event of Instagram or a page, in words an officer understands.
 *
 * An event that nobody has heard of is shown by its name; it is never dropped.
 */
#include "graph/read.h"

#include "kit/json.h"
#include "kit/text.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1000, WORD_MAX_BYTES = 100 };

/* One event being read: body is the object named like it. */
struct event {
    struct aduan_message *m;
    const json_t *element, *body;
    const char *name, *channel;
    char *citizen; /* the other side */
    bool ours;     /* we are the sender */
};

static void set_text(struct aduan_message *m, char *text) {
    free(m->text);
    m->text = text;
}

/* --------------------------------------------------------------------- messages */

void graph_referral(struct aduan_message *m, const json_t *referral) {
    char *title = js_line(referral, "ads_context_data.ad_title", LINE_MAX_BYTES);
    char *ref = js_line(referral, "ref", LINE_MAX_BYTES), *product = js_id(referral, "product.id");

    if (!json_is_object(referral))
        return;
    free(m->quoted);
    if (product != NULL)
        m->quoted = xasprintf("Dari produk: %s", product);
    else
        m->quoted = xasprintf("Dari %s: %s%s%s", js_get(referral, "ad_id") != NULL ? "iklan" : "tautan",
                              title != NULL ? title : "", title != NULL && ref != NULL ? ", " : "",
                              ref != NULL ? ref : "");
    graph_extra(m, "referral", js_copy(referral));
    free(title);
    free(ref);
    free(product);
}

static void read_reply_to(struct aduan_message *m, const json_t *message) {
    const json_t *story = js_get(message, "reply_to.story");
    char *url = js_line(story, "url", LINE_MAX_BYTES), *id = js_id(story, "id");

    if (m->reply_to == NULL)
        m->reply_to = js_id(message, "reply_to.mid");
    if (json_is_object(story)) {
        free(m->quoted);
        m->quoted =
            xasprintf("Menanggapi cerita (story) kantor%s%s", url != NULL ? ": " : "", url != NULL ? url : "");
        graph_extra(m, "story", json_pack("{s:s*, s:s*}", "url", url, "id", id));
        graph_note(m, "Tautan cerita mati dalam 24 jam / the story's link dies within 24 h");
    }
    free(url);
    free(id);
}

/* Something was written that Graph does not hand over: it must become a ticket all the same. */
static void read_missing(struct event *e) {
    char *note =
        xasprintf("%s tidak menyerahkan isi pesan ini: lihat di aplikasinya / %s does not hand this over: look "
                  "in the app",
                  e->channel, e->channel);

    if (js_true(e->body, "is_unsupported")) {
        set_text(e->m, xstrdup("[pesan tidak dapat ditampilkan]"));
    } else {
        set_text(e->m, xstrdup("[pesan tanpa teks]"));
        graph_extra(e->m, "message", js_copy(e->body));
    }
    graph_note(e->m, note);
    free(note);
}

static void read_content(struct event *e, bool fetch) {
    char *text = js_text(e->body, "text"), *lines = graph_attachments(e->m, e->body, fetch);
    bool said = text != NULL && text[0] != '\0';

    set_text(e->m, said && lines[0] != '\0' ? xasprintf("%s\n%s", text, lines) : xstrdup(said ? text : lines));
    read_reply_to(e->m, e->body);
    graph_referral(e->m, js_get(e->body, "referral"));
    if (js_get(e->body, "quick_reply") != NULL)
        graph_extra(e->m, "quick_reply", js_copy(js_get(e->body, "quick_reply")));
    if (js_get(e->body, "commands") != NULL)
        graph_extra(e->m, "commands", js_copy(js_get(e->body, "commands")));
    if (e->m->text[0] == '\0' || js_true(e->body, "is_unsupported"))
        read_missing(e);
    free(lines);
    free(text);
}

/* Written by the office, here or elsewhere. What carries our outbox id is one of our own answers. */
static void read_echo(struct event *e) {
    char *ours = js_line(e->body, "metadata", WORD_MAX_BYTES), *app = js_id(e->body, "app_id");

    read_content(e, ours == NULL);
    e->m->kind = ADUAN_KIND_ECHO;
    e->m->status.answer = ours;
    if (ours != NULL) /* a record carries the status of what it names only with a state */
        e->m->status.state = xstrdup("sent");
    if (app != NULL)
        graph_extra(e->m, "app_id", json_string(app));
    free(app);
}

static void notice(struct event *e, const char *note) {
    e->m->kind = ADUAN_KIND_SYSTEM;
    e->m->flags |= ADUAN_MESSAGE_AUTOMATIC;
    graph_note(e->m, note);
}

static void read_unsent(struct event *e, const char *mid) {
    e->m->platform_id = mid != NULL ? xasprintf("%s:delete", mid) : NULL;
    e->m->reply_to = xstrdup(mid);
    if (e->ours)
        notice(e, "Kantor menarik kembali pesannya sendiri / the office unsent a message of its own");
    else
        e->m->kind = ADUAN_KIND_DELETE;
}

static void read_message(struct event *e) {
    char *mid = js_id(e->body, "mid");

    e->m->kind = ADUAN_KIND_MESSAGE;
    if (js_true(e->body, "is_deleted")) {
        read_unsent(e, mid);
    } else {
        e->m->platform_id = xstrdup(mid);
        if (e->ours)
            read_echo(e);
        else
            read_content(e, true);
    }
    free(mid);
}

static void read_edit(struct event *e) {
    char *mid = js_id(e->body, "mid");
    int64_t count = js_int(e->body, "num_edit", 0);

    e->m->kind = ADUAN_KIND_EDIT;
    if (count <= 0)
        count = e->m->sent_at;
    if (mid != NULL && count > 0) /* else a digest: two edits are two */
        e->m->platform_id = xasprintf("%s:edit:%lld", mid, (long long)count);
    e->m->reply_to = mid;
    set_text(e->m, js_text(e->body, "text"));
}

static void read_reaction(struct event *e) {
    char *mid = js_id(e->body, "mid"), *emoji = js_line(e->body, "emoji", WORD_MAX_BYTES);
    bool taken_back = text_equal(js_str(e->body, "action"), "unreact");

    if (emoji == NULL)
        emoji = js_line(e->body, "reaction", WORD_MAX_BYTES);
    e->m->kind = ADUAN_KIND_REACTION;
    if (mid != NULL)
        e->m->platform_id = xasprintf("%s:%s:%s:%lld", mid, taken_back ? "unreact" : "react",
                                      e->citizen != NULL ? e->citizen : "", (long long)e->m->sent_at);
    e->m->reply_to = mid;
    if (e->ours)
        notice(e, "Reaksi kantor sendiri / the office's own reaction");
    set_text(e->m, !taken_back && emoji != NULL ? xstrdup(emoji) : xstrdup(taken_back ? "" : "?"));
    free(emoji);
}

/* A button of the menu or an ice breaker: what it says is what the citizen says. */
static void read_postback(struct event *e) {
    char *title = js_text(e->body, "title");

    e->m->kind = ADUAN_KIND_MESSAGE;
    e->m->platform_id = js_id(e->body, "mid");
    if (title == NULL || title[0] == '\0') {
        free(title);
        title = js_text(e->body, "payload");
    }
    set_text(e->m, title != NULL ? title : xstrdup("[tombol]"));
    graph_referral(e->m, js_get(e->body, "referral"));
    graph_extra(e->m, "postback", js_copy(e->body));
}

/* --------------------------------------------------------------------- statuses */

/* read and delivery name messages, or a time up to which all of them are meant. */
static void set_fate(struct event *e, const char *state, char *mid) {
    int64_t watermark = meta_time(e->body, "watermark");

    e->m->kind = ADUAN_KIND_STATUS;
    e->m->status.state = xstrdup(state);
    e->m->status.platform_id = mid;
    if (mid != NULL)
        e->m->platform_id = xasprintf("%s:%s", mid, state);
    if (watermark > 0)
        graph_extra(e->m, "watermark", json_integer(watermark));
}

static void read_read(struct event *e) {
    set_fate(e, "read", js_id(e->body, "mid"));
}

static void read_delivery(struct event *e) {
    json_t *first = json_pack("{s:O?}", "mid", json_array_get(js_get(e->body, "mids"), 0));

    set_fate(e, "delivered", js_id(first, "mid"));
    json_decref(first);
}

/* ---------------------------------------------------------------------- notices */

static const struct {
    const char *name, *note;
} notices[] = {
    { "referral",
      "Membuka percakapan lewat tautan atau iklan, belum menulis / opened the chat by a link or an ad, wrote "
      "nothing yet" },
    { "optin", "Setuju menerima pesan / opted in to messages" },
    { "pass_thread_control", "Percakapan diserahkan ke aplikasi lain / the chat was passed to another app" },
    { "take_thread_control", "Percakapan diambil aplikasi lain / the chat was taken by another app" },
    { "request_thread_control", "Aplikasi lain meminta percakapan ini / another app asks for this chat" },
    { "app_roles", "Peran aplikasi halaman berubah / the roles of the account's apps changed" },
    { "policy-enforcement",
      "Meta menindak akun karena kebijakan: baca alasannya / Meta acts on the account for policy" },
};

/* "action: block, reason: …" of an object whose keys we do not know. */
static char *leaves(const json_t *o) {
    struct text t = TEXT_INIT;
    const json_t *value;
    const char *key;
    char *name, *s;

    json_object_foreach((json_t *)(uintptr_t)o, key, value) {
        if (!json_is_string(value) || t.len > LINE_MAX_BYTES)
            continue;
        name = text_clean_line(key, strlen(key), WORD_MAX_BYTES);
        s = text_clean_line(json_string_value(value), json_string_length(value), LINE_MAX_BYTES);
        text_addf(&t, "%s%s: %s", t.len > 0 ? "\n" : "", name, s);
        free(name);
        free(s);
    }
    return text_steal(&t);
}

static void read_notice(struct event *e) {
    size_t i;

    for (i = 0; i < sizeof(notices) / sizeof(notices[0]); i++)
        if (strcmp(notices[i].name, e->name) == 0)
            notice(e, notices[i].note);
    set_text(e->m, leaves(e->body));
    graph_extra(e->m, e->name, js_copy(e->body));
}

static void read_referral_event(struct event *e) {
    graph_referral(e->m, e->body);
    read_notice(e);
}

/* The first key that is none of the envelope's names it. */
static void read_unknown(struct event *e) {
    const json_t *value;
    const char *key;
    char *name = NULL;

    json_object_foreach((json_t *)(uintptr_t)e->element, key, value) {
        if (name == NULL && strcmp(key, "sender") != 0 && strcmp(key, "recipient") != 0 &&
            strcmp(key, "timestamp") != 0) {
            name = text_clean_line(key, strlen(key), WORD_MAX_BYTES);
            set_text(e->m, leaves(value));
        }
    }
    e->m->kind = ADUAN_KIND_UNPARSED;
    e->m->note = xasprintf(
        "%s melaporkan sesuatu yang belum dikenal (%s): lihat di aplikasinya / not known yet: look in "
        "the app",
        e->channel, name != NULL ? name : "?");
    graph_extra(e->m, "event", js_copy(e->element));
    free(name);
}

/* ------------------------------------------------------------------------ whole */

static const struct {
    const char *name;
    void (*read)(struct event *e);
} readers[] = {
    { "message", read_message },
    { "message_edit", read_edit },
    { "reaction", read_reaction },
    { "postback", read_postback },
    { "read", read_read },
    { "delivery", read_delivery },
    { "referral", read_referral_event },
    { "optin", read_notice },
    { "pass_thread_control", read_notice },
    { "take_thread_control", read_notice },
    { "request_thread_control", read_notice },
    { "app_roles", read_notice },
    { "policy-enforcement", read_notice },
};

/* An id, or for the check box of a web page the reference that stands for one. */
static char *party(const json_t *who) {
    char *id = js_id(who, "id"), *ref = js_id(who, "user_ref");

    if (id == NULL && ref != NULL)
        id = xasprintf("user_ref:%s", ref);
    free(ref);
    return id;
}

void graph_event(struct aduan_message *m, const json_t *element, const char *account, const char *channel) {
    struct event e = { .m = m, .element = element, .channel = channel };
    void (*read)(struct event *) = read_unknown;
    char *sender = party(js_get(element, "sender")), *recipient = party(js_get(element, "recipient"));
    const json_t *message = js_get(element, "message");
    size_t i;

    e.ours = js_true(message, "is_echo") || js_true(message, "is_self") ||
             (sender != NULL && text_equal(sender, account));
    e.citizen = e.ours ? recipient : sender;
    m->to = e.ours ? sender : recipient;
    m->sent_at = meta_time(element, "timestamp");
    m->sender.id = xstrdup(e.citizen);
    m->conversation = xstrdup(e.citizen);
    for (i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        e.body = json_object_get(element, readers[i].name);
        if (json_is_object(e.body)) {
            e.name = readers[i].name;
            read = readers[i].read;
            break;
        }
    }
    read(&e);
    free(e.citizen);
}
