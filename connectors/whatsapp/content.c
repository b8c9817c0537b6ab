/*
 * content.c: what a message says, by its type (sections 2.2 to 2.5), in words an officer understands.
 *
 * A type that nobody has heard of is shown by its name and what text it holds; it is never dropped.
 */
#include "whatsapp/whatsapp.h"

#include "kit/json.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One message being read: body is the object named like its type. */
struct content {
    struct aduan_message *m;
    const json_t *element, *body;
    const char *type;
    const char *number_id;
    struct text text;
};

enum { LINE_MAX_BYTES = 1000, LEAVES_MAX = 40, ITEMS_MAX = 50 };

static void add_line(struct content *c, const char *path, const char *before, const char *after) {
    char *line = js_line(c->body, path, LINE_MAX_BYTES);

    if (line != NULL)
        text_addf(&c->text, "%s%s%s", before, line, after);
    free(line);
}

/* ------------------------------------------------------------------------ media */

static const struct {
    const char *type, *label, *stem;
} media_types[] = {
    { "image", "[gambar]", "gambar" },     { "video", "[video]", "video" },
    { "audio", "[pesan suara]", "suara" }, { "document", "[dokumen]", "dokumen" },
    { "sticker", "[stiker]", "stiker" },
};

static const struct {
    const char *mime, *suffix;
} suffixes[] = {
    { "image/jpeg", ".jpg" }, { "image/png", ".png" }, { "image/webp", ".webp" },     { "video/mp4", ".mp4" },
    { "video/3gpp", ".3gp" }, { "audio/ogg", ".ogg" }, { "audio/mpeg", ".mp3" },      { "audio/aac", ".aac" },
    { "audio/mp4", ".m4a" },  { "audio/amr", ".amr" }, { "application/pdf", ".pdf" }, { "text/plain", ".txt" },
};

static const char *suffix_of(const char *mime) {
    size_t i;

    for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        if (text_starts(mime, suffixes[i].mime))
            return suffixes[i].suffix;
    return "";
}

static char *media_name(const struct content *c, const char *mime, const char *stem) {
    char *given = js_text(c->body, "filename"), *name;

    if (given != NULL && given[0] != '\0')
        name = text_clean_filename(given, strlen(given));
    else
        name = xasprintf("%s%s", stem, suffix_of(mime));
    free(given);
    return name;
}

/* Where fetch.c finds it: the link in the webhook lives five minutes, the id seven days. */
static char *media_source(const struct content *c, const char *id, const char *mime) {
    char *sha256 = js_line(c->body, "sha256", 100);
    json_t *o = json_pack("{s:s, s:s}", "id", id, "mime", mime);
    char *source;

    if (c->number_id != NULL)
        json_object_set_new_nocheck(o, "phone_number_id", json_string(c->number_id));
    if (sha256 != NULL)
        json_object_set_new_nocheck(o, "sha256", json_string(sha256));
    source = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    free(sha256);
    return source;
}

static void add_media(struct content *c, const char *stem) {
    struct aduan_attachment *a = aduan_message_add_attachment(c->m);
    char *mime = js_line(c->body, "mime_type", 200), *id = js_id(c->body, "id");

    a->type = mime != NULL ? text_lower(mime) : xstrdup("application/octet-stream");
    a->name = media_name(c, a->type, stem);
    a->size = js_int(c->body, "file_size", -1);
    if (id != NULL) {
        a->state = ADUAN_ATTACHMENT_PENDING;
        a->source = media_source(c, id, a->type);
    } else {
        a->state = ADUAN_ATTACHMENT_FAILED;
        a->note = xstrdup("WhatsApp tidak menyertakan berkasnya / WhatsApp did not include the file");
    }
    free(mime);
    free(id);
}

static void read_media(struct content *c) {
    const char *label = "", *stem = "lampiran";
    char *caption = js_text(c->body, "caption");
    size_t i;

    for (i = 0; i < sizeof(media_types) / sizeof(media_types[0]); i++) {
        if (strcmp(media_types[i].type, c->type) == 0) {
            label = media_types[i].label;
            stem = media_types[i].stem;
        }
    }
    add_media(c, stem);
    text_add(&c->text, caption != NULL && caption[0] != '\0' ? caption : label);
    free(caption);
}

/* ------------------------------------------------------------------ plain types */

static void read_text(struct content *c) {
    char *body = js_text(c->body, "body");

    text_add(&c->text, body);
    free(body);
}

static void read_location(struct content *c) {
    const json_t *latitude = js_get(c->body, "latitude"), *longitude = js_get(c->body, "longitude");

    text_add(&c->text, "[lokasi]");
    add_line(c, "name", " ", "");
    add_line(c, "address", ", ", "");
    if (json_is_number(latitude) && json_is_number(longitude))
        text_addf(&c->text, " (%.6f, %.6f)", json_number_value(latitude), json_number_value(longitude));
    add_line(c, "url", " ", "");
    whatsapp_extra(c->m, "location", js_copy(c->body));
}

/* The same list of lines for phones and mails of a contact card. */
static void add_list(struct text *t, const json_t *list, const char *key) {
    const json_t *item;
    char *line;
    size_t i;

    json_array_foreach(list, i, item) {
        line = i < ITEMS_MAX ? js_line(item, key, 200) : NULL;
        if (line != NULL)
            text_addf(t, "; %s", line);
        free(line);
    }
}

/* body is an array here: the cards themselves, not the envelope's contacts. */
static void read_contacts(struct content *c) {
    const json_t *card;
    char *name, *company;
    size_t i;

    json_array_foreach(c->body, i, card) {
        if (i >= ITEMS_MAX)
            break;
        name = js_line(card, "name.formatted_name", 200);
        company = js_line(card, "org.company", 200);
        text_addf(&c->text, "%s[kontak] %s", i > 0 ? "\n" : "", name != NULL ? name : "(tanpa nama)");
        if (company != NULL)
            text_addf(&c->text, " (%s)", company);
        add_list(&c->text, js_get(card, "phones"), "phone");
        add_list(&c->text, js_get(card, "emails"), "email");
        free(name);
        free(company);
    }
}

static void read_button(struct content *c) {
    add_line(c, "text", "", "");
    if (c->text.len == 0)
        add_line(c, "payload", "", "");
    whatsapp_extra(c->m, "button", js_copy(c->body));
}

static void read_order(struct content *c) {
    const json_t *items = js_get(c->body, "product_items"), *item, *price;
    char *product, *currency;
    size_t i;

    text_add(&c->text, "[pesanan]");
    add_line(c, "text", " ", "");
    json_array_foreach(items, i, item) {
        if (i >= ITEMS_MAX)
            break;
        product = js_line(item, "product_retailer_id", 200);
        currency = js_line(item, "currency", 20);
        price = js_get(item, "item_price");
        text_addf(&c->text, "\n- %s x %lld", product != NULL ? product : "?",
                  (long long)js_int(item, "quantity", 1));
        if (json_is_number(price))
            text_addf(&c->text, " @ %.15g %s", json_number_value(price), currency != NULL ? currency : "");
        free(product);
        free(currency);
    }
}

static void read_reaction(struct content *c) {
    c->m->kind = ADUAN_KIND_REACTION;
    free(c->m->reply_to);
    c->m->reply_to = js_id(c->body, "message_id");
    add_line(c, "emoji", "", ""); /* absent: taken back */
}

static void read_welcome(struct content *c) {
    c->m->kind = ADUAN_KIND_SYSTEM;
    text_add(&c->text, "[membuka percakapan untuk pertama kali]");
}

static void read_system(struct content *c) {
    whatsapp_system(c->m, c->element);
}

/* ------------------------------------------------------------------ interactive */

/* "key: value" for each text or number, at most LEAVES_MAX, of an object whose keys we do not know. */
static void add_leaves(struct text *t, const json_t *o, int *left) {
    const json_t *value;
    const char *key;
    char *line, *name;

    json_object_foreach((json_t *)(uintptr_t)o, key, value) {
        if (*left <= 0)
            return;
        if (json_is_object(value))
            add_leaves(t, value, left);
        if ((!json_is_string(value) && !json_is_number(value)) || strcmp(key, "flow_token") == 0)
            continue;
        (*left)--;
        name = text_clean_line(key, strlen(key), 100);
        if (json_is_string(value))
            line = text_clean_line(json_string_value(value), json_string_length(value), LINE_MAX_BYTES);
        else
            line = xasprintf("%.15g", json_number_value(value));
        text_addf(t, "%s%s: %s", t->len > 0 ? "\n" : "", name, line);
        free(line);
        free(name);
    }
}

/* A form (flow): its answers are JSON inside a string. */
static void read_form(struct content *c, const json_t *reply) {
    const char *inner = js_str(reply, "response_json");
    json_t *answers = inner != NULL ? js_load(inner, strlen(inner)) : NULL;
    int left = LEAVES_MAX;

    text_add(&c->text, "[formulir]");
    if (answers != NULL) {
        add_leaves(&c->text, answers, &left);
        whatsapp_extra(c->m, "form", js_copy(answers));
        json_decref(answers);
    } else if (inner != NULL) {
        text_addf(&c->text, "\n%s", inner);
    }
}

static void read_interactive(struct content *c) {
    const char *kind = js_str(c->body, "type");
    const json_t *reply = kind != NULL ? json_object_get(c->body, kind) : NULL;
    int left = LEAVES_MAX;
    const json_t *whole = c->body;

    if (text_equal(kind, "nfm_reply")) {
        read_form(c, reply);
        return;
    }
    whatsapp_extra(c->m, "interactive", js_copy(whole));
    c->body = reply;
    add_line(c, "title", "", "");
    add_line(c, "description", " (", ")");
    if (text_equal(kind, "call_permission_reply"))
        add_line(c, "response", "[izin panggilan] ", "");
    if (c->text.len == 0) {
        text_add(&c->text, "[jawaban interaktif]");
        add_leaves(&c->text, whole, &left);
    }
    c->body = whole;
}

/* ----------------------------------------------- unsupported, unknown, edit, revoke */

static const struct {
    const char *type, *label;
} unsupported_labels[] = {
    { "poll_creation", "jajak pendapat" },
    { "poll_update", "pilihan jajak pendapat" },
    { "group_invite", "undangan grup" },
    { "gif", "gambar bergerak" },
    { "keep_in_chat", "pesan yang disimpan" },
    { "link_preview", "tautan" },
    { "list", "daftar" },
    { "pin", "pesan yang disematkan" },
    { "product", "produk" },
    { "edit", "suntingan pesan sebelumnya" },
    { "image", "gambar" },
    { "location", "lokasi" },
    { "order", "pesanan" },
    { "reaction", "reaksi" },
    { "media_placeholder", "media" },
};

static const char *unsupported_label(const char *type) {
    size_t i;

    for (i = 0; type != NULL && i < sizeof(unsupported_labels) / sizeof(unsupported_labels[0]); i++)
        if (strcmp(unsupported_labels[i].type, type) == 0)
            return unsupported_labels[i].label;
    return "jenis yang tidak didukung";
}

/* Something was written that Graph does not hand over: it must become a ticket all the same. */
static void read_unsupported(struct content *c) {
    const char *label = unsupported_label(js_str(c->body, "type"));

    text_addf(&c->text, "[pesan tidak dapat ditampilkan: %s]", label);
}

static void read_unknown(struct content *c) {
    char *type = js_line(c->element, "type", 100);
    int left = LEAVES_MAX;

    text_addf(&c->text, "[jenis pesan belum dikenal: %s]", type != NULL ? type : "tanpa jenis");
    if (json_is_object(c->body))
        add_leaves(&c->text, c->body, &left);
    c->m->note =
        xstrdup("Jenis pesan ini belum dikenal Aduan; lihat juga di aplikasi WhatsApp / this type of message "
                "is not known yet");
    free(type);
}

static void read_revoke(struct content *c) {
    c->m->kind = ADUAN_KIND_DELETE;
    free(c->m->reply_to);
    c->m->reply_to = js_id(c->body, "original_message_id");
}

static void read_edit(struct content *c) {
    const json_t *inner = js_get(c->body, "message");
    char *original = js_id(c->body, "original_message_id");

    if (json_is_object(inner) && !text_equal(js_str(inner, "type"), "edit"))
        whatsapp_content(c->m, inner, c->number_id);
    c->m->kind = ADUAN_KIND_EDIT;
    free(c->m->reply_to);
    c->m->reply_to = original;
}

static const struct {
    const char *type;
    void (*read)(struct content *c);
} readers[] = {
    { "text", read_text },
    { "image", read_media },
    { "video", read_media },
    { "audio", read_media },
    { "document", read_media },
    { "sticker", read_media },
    { "location", read_location },
    { "contacts", read_contacts },
    { "button", read_button },
    { "interactive", read_interactive },
    { "reaction", read_reaction },
    { "order", read_order },
    { "system", read_system },
    { "request_welcome", read_welcome },
    { "unsupported", read_unsupported },
    { "edit", read_edit },
    { "revoke", read_revoke },
};

/* --------------------------------------------------------------- around the body */

static void read_context(struct aduan_message *m, const json_t *element) {
    const json_t *context = js_get(element, "context"), *product = js_get(context, "referred_product");

    if (m->reply_to == NULL)
        m->reply_to = js_id(context, "id");
    if (js_true(context, "frequently_forwarded"))
        whatsapp_extra(m, "forwarded", json_string("often"));
    else if (js_true(context, "forwarded"))
        whatsapp_extra(m, "forwarded", json_string("yes"));
    if (product != NULL)
        whatsapp_extra(m, "product", js_copy(product));
}

/* The ad or post the chat was opened from. */
static void read_referral(struct aduan_message *m, const json_t *element) {
    const json_t *referral = js_get(element, "referral");
    char *headline, *body, *url;

    if (!json_is_object(referral))
        return;
    headline = js_line(referral, "headline", LINE_MAX_BYTES);
    body = js_line(referral, "body", LINE_MAX_BYTES);
    url = js_line(referral, "source_url", LINE_MAX_BYTES);
    free(m->quoted);
    m->quoted = xasprintf("Dari %s: %s%s%s %s",
                          text_equal(js_str(referral, "source_type"), "post") ? "kiriman" : "iklan",
                          headline != NULL ? headline : "", headline != NULL && body != NULL ? ". " : "",
                          body != NULL ? body : "", url != NULL ? url : "");
    whatsapp_extra(m, "referral", js_copy(referral));
    free(headline);
    free(body);
    free(url);
}

enum { CODE_UNAVAILABLE = 131060, CODE_MEDIA = 131052 };

/* errors[] of a message: why we do not have what was sent. */
static void read_errors(struct aduan_message *m, const json_t *element) {
    const json_t *item = json_array_get(js_get(element, "errors"), 0);
    struct meta_error error;
    const char *advice =
        "Lihat di aplikasi WhatsApp di telepon atau minta pengirim menuliskannya / look in the phone "
        "app or ask the sender to write it";

    if (!meta_error_read(item, &error))
        return;
    if (error.code == CODE_UNAVAILABLE)
        advice =
            "Isinya hanya ada di aplikasi WhatsApp di telepon kantor: lihat di sana / only the office's phone "
            "app has the text: look there";
    if (error.code == CODE_MEDIA)
        advice =
            "Berkas tidak dapat diambil (terlalu besar atau rusak): minta pengirim mengirim ulang / the file "
            "could not be taken over: ask for it again";
    free(m->note);
    m->note = xasprintf("%s. WhatsApp: %s (%d)", advice, error.text, error.code);
}

void whatsapp_content(struct aduan_message *m, const json_t *element, const char *number_id) {
    struct content c = { .m = m, .element = element, .number_id = number_id, .text = TEXT_INIT };
    void (*read)(struct content *) = read_unknown;
    size_t i;

    c.type = js_str(element, "type");
    c.body = c.type != NULL ? json_object_get(element, c.type) : NULL;
    for (i = 0; c.type != NULL && i < sizeof(readers) / sizeof(readers[0]); i++)
        if (strcmp(readers[i].type, c.type) == 0)
            read = readers[i].read;
    read_context(m, element);
    read(&c);
    read_referral(m, element);
    read_errors(m, element);
    if (m->text == NULL)
        m->text = text_steal(&c.text);
    text_free(&c.text);
}
