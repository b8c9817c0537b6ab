/* dm.c: private messages, as v1.1 and as v2 writes them, what was read, and chats that nobody here can read. */
#include "x/x.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_own(const struct x_walk *w, const char *id) {
    return id != NULL && text_equal(id, w->me);
}

static void emit_shapeless(struct x_walk *w, const json_t *event, json_t *slice) {
    struct aduan_message m = { .kind = ADUAN_KIND_UNPARSED };
    char *id = js_line(event, "id", 80), *type = js_line(event, "type", 80);

    if (type == NULL)
        type = js_line(event, "event_type", 80);
    m.platform_id = xasprintf("dm:%s", id != NULL ? id : "?");
    m.note =
        xasprintf("Pesan X yang belum dikenal (%s) / a message of X not known yet", type != NULL ? type : "?");
    free(id);
    free(type);
    x_emit(w, &m, slice);
}

/* The chat is the citizen's: whoever of both is not us. */
static void set_people(struct x_walk *w, struct aduan_message *m, const char *sender, const char *recipient) {
    bool own = is_own(w, sender);

    m->kind = own ? ADUAN_KIND_ECHO : ADUAN_KIND_MESSAGE;
    x_sender(w, m, own ? recipient : sender);
    m->conversation = xstrdup(own ? recipient : sender);
}

/* ------------------------------------------------------------------------ v1.1 */

static const char *video_of(const json_t *media) {
    const json_t *variants = js_get(media, "video_info.variants"), *v;
    const char *url = NULL;
    int64_t rate = -1;
    size_t i;

    json_array_foreach(variants, i, v) {
        if (text_equal(js_str(v, "content_type"), "video/mp4") && js_int(v, "bitrate", 0) > rate) {
            rate = js_int(v, "bitrate", 0);
            url = js_str(v, "url");
        }
    }
    return url;
}

static void read_extras(struct aduan_message *m, const json_t *create, const json_t *event) {
    const json_t *data = js_get(create, "message_data"), *media = js_get(data, "attachment.media");
    const char *url = video_of(media);

    if (media != NULL)
        x_attach(m, js_str(media, "type"), url != NULL ? url : js_str(media, "media_url_https"));
    else if (js_get(data, "attachment") != NULL)
        m->note =
            xstrdup("Ada lampiran yang hanya terlihat di X / there is an attachment to be seen on X only");
    if (js_get(data, "quick_reply_response") != NULL)
        x_extra(m, "quick_reply", js_copy(js_get(data, "quick_reply_response")));
    if (js_get(event, "initiated_via") != NULL)
        x_extra(m, "initiated_via", js_copy(js_get(event, "initiated_via")));
}

void x_dm_v1(struct x_walk *w, const json_t *event) {
    const json_t *create = js_get(event, "message_create");
    struct aduan_message m = { .kind = ADUAN_KIND_MESSAGE };
    json_t *slice = x_slice_v1(w, "direct_message_events", event);
    char *sender = x_id(create, "sender_id"), *recipient = x_id(js_get(create, "target"), "recipient_id");

    m.platform_id = x_id(event, "id");
    if (m.platform_id == NULL || sender == NULL || !text_equal(js_str(event, "type"), "message_create")) {
        aduan_message_clear(&m);
        emit_shapeless(w, event, slice);
    } else {
        m.sent_at = x_time(event);
        set_people(w, &m, sender, recipient);
        m.text = x_text(create, "message_data.text");
        read_extras(&m, create, event);
        x_emit(w, &m, slice);
    }
    free(sender);
    free(recipient);
}

void x_dm_read(struct x_walk *w, const json_t *event) {
    struct aduan_message m = { .kind = ADUAN_KIND_STATUS };
    char *sender = x_id(event, "sender_id"), *last = x_id(event, "last_read_event_id");
    json_t *slice = x_slice_v1(w, "direct_message_mark_read_events", event);

    if (sender == NULL || last == NULL) {
        emit_shapeless(w, event, slice);
    } else if (is_own(w, sender)) {
        x_emit_daily(w, "read", x_time(event), "Dibaca kantor di X / read by the office on X", slice);
    } else {
        m.platform_id = xasprintf("read:%s", last);
        m.sent_at = x_time(event);
        x_sender(w, &m, sender);
        m.conversation = xstrdup(sender);
        m.status.state = xstrdup("read");
        m.status.platform_id = xstrdup(last);
        x_emit(w, &m, slice);
    }
    free(sender);
    free(last);
}

/* -------------------------------------------------------------------------- v2 */

/* "A-B" of two; else the id of a group. Group: "group:ID", new. */
static char *other_of(const struct x_walk *w, const char *conversation, const char *sender) {
    const char *dash = conversation != NULL ? strchr(conversation, '-') : NULL;
    char *first, *other;

    if (dash == NULL)
        return conversation != NULL ? xasprintf("group:%s", conversation) : xstrdup(sender);
    first = xstrndup(conversation, (size_t)(dash - conversation));
    other = text_equal(first, w->me) ? xstrdup(dash + 1) : xstrdup(first);
    free(first);
    return other;
}

static void attach_v2(struct x_walk *w, struct aduan_message *m, const json_t *event) {
    const json_t *key, *media;
    size_t i;

    json_array_foreach(js_get(event, "attachments.media_keys"), i, key) {
        media = json_is_string(key) ? json_object_get(w->media, json_string_value(key)) : NULL;
        if (i < 8)
            x_attach(m, js_str(media, "type"), js_str(media, "url"));
    }
}

static void participants(struct x_walk *w, const json_t *event, const char *type, json_t *slice) {
    struct aduan_message m = { .kind = ADUAN_KIND_SYSTEM };
    char *id = x_id(event, "id");

    m.platform_id = xasprintf("dm:%s", id != NULL ? id : "?");
    m.sent_at = x_time(event);
    m.note = xasprintf("Peserta percakapan berubah (%s) / who takes part in the chat changed", type);
    free(id);
    x_emit(w, &m, slice);
}

void x_dm_v2(struct x_walk *w, const json_t *event) {
    struct aduan_message m = { .kind = ADUAN_KIND_MESSAGE };
    json_t *slice = x_slice_v2(w, event);
    char *sender = x_id(event, "sender_id"), *type = js_line(event, "event_type", 40);
    char *conversation = js_line(event, "dm_conversation_id", 100), *other;

    m.platform_id = x_id(event, "id");
    if (type != NULL && text_starts(type, "Participants")) {
        participants(w, event, type, slice);
        aduan_message_clear(&m);
    } else if (m.platform_id == NULL || sender == NULL ||
               (type != NULL && strcmp(type, "MessageCreate") != 0)) {
        aduan_message_clear(&m);
        emit_shapeless(w, event, slice);
    } else {
        other = other_of(w, conversation, sender);
        m.sent_at = x_time(event);
        set_people(w, &m, sender, other);
        if (text_starts(other, "group:")) {
            free(m.conversation);
            m.conversation = xstrdup(other);
        }
        free(other);
        m.text = x_text(event, "text");
        attach_v2(w, &m, event);
        x_emit(w, &m, slice);
    }
    free(conversation);
    free(sender);
    free(type);
}

/* ----------------------------------------------------------------------- XChat */

/* Only ciphertext comes, and there is no way here to read it (section 1). */
void x_chat(struct x_walk *w, const json_t *payload, bool own, int64_t at) {
    struct aduan_message m = { .kind = own ? ADUAN_KIND_ECHO : ADUAN_KIND_MESSAGE };
    char *id = js_line(payload, "id", 100), *sender = x_id(payload, "sender_id");
    char *conversation = js_line(payload, "conversation_id", 100);

    (void)at;
    own = own || is_own(w, sender);
    m.kind = own ? ADUAN_KIND_ECHO : ADUAN_KIND_MESSAGE;
    m.platform_id = xasprintf("chat:%s", id != NULL ? id : conversation != NULL ? conversation : "?");
    m.sent_at = x_time(payload);
    x_sender(w, &m, sender);
    m.conversation = sender != NULL && !own ? xstrdup(sender) : xstrdup(conversation);
    m.text = xstrdup("[pesan terenkripsi: buka X untuk membacanya / encrypted message: open X to read it]");
    m.note =
        xstrdup("Obrolan terenkripsi (XChat) hanya dapat dibaca di X; minta warga menulis lewat DM biasa / an "
                "encrypted chat can be read on X only; ask for an ordinary DM");
    if (conversation != NULL)
        x_extra(&m, "chat_conversation", json_string(conversation));
    free(id);
    free(sender);
    free(conversation);
    x_emit(w, &m, NULL);
}
