/* attach.c: message.attachments[] of both platforms: what is fetched, what is only named, what must not be
 * kept. */
#include "graph/read.h"

#include "kit/json.h"
#include "kit/text.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1000, ITEMS_MAX = 50, URL_MAX = 4000 };

void graph_extra(struct aduan_message *m, const char *key, json_t *value) {
    if (m->extra == NULL)
        m->extra = json_object();
    json_object_set_new_nocheck(m->extra, key, value);
}

void graph_note(struct aduan_message *m, const char *sentence) {
    char *whole = m->note != NULL ? xasprintf("%s. %s", m->note, sentence) : xstrdup(sentence);

    free(m->note);
    m->note = whole;
}

/* ------------------------------------------------------------------------ files */

static const struct {
    const char *kind, *type, *name, *label;
} files[] = {
    { "image", "image/jpeg", "gambar.jpg", "[gambar]" },
    { "sticker", "image/png", "stiker.png", "[stiker]" },
    { "video", "video/mp4", "video.mp4", "[video]" },
    { "audio", "audio/mp4", "suara.m4a", "[pesan suara]" },
    { "file", "application/octet-stream", "berkas", "[berkas]" },
};
enum { FILES = sizeof(files) / sizeof(files[0]), FILE_ROW = FILES - 1 };

static size_t file_row(const char *kind) {
    size_t i;

    for (i = 0; i < FILE_ROW; i++)
        if (text_equal(files[i].kind, kind))
            break;
    return i;
}

/* The name at the end of the URL's path where it looks like one: bukti.pdf. */
static char *name_in(const char *url, const char *otherwise) {
    const char *path = strstr(url, "://"), *last;
    size_t n;

    path = path != NULL ? path + 3 : url;
    n = strcspn(path, "?#");
    for (last = path + n; last > path && last[-1] != '/'; last--)
        ;
    n -= (size_t)(last - path);
    if (last == path || memchr(last, '.', n) == NULL)
        return xstrdup(otherwise);
    return text_clean_filename(last, n);
}

static bool has_url(const struct aduan_message *m, const char *source) {
    size_t i;

    for (i = 0; i < m->attachment_count; i++)
        if (text_equal(m->attachments[i].source, source))
            return true;
    return false;
}

void graph_attach(struct aduan_message *m, const char *kind, const char *url) {
    char *clean = url != NULL && url[0] != '\0' ? text_clean_line(url, strlen(url), URL_MAX) : NULL,
         *source = NULL;
    size_t row = file_row(kind);
    struct aduan_attachment *a;
    json_t *o;

    if (clean != NULL) {
        o = json_pack("{s:s}", "url", clean);
        source = json_dumps(o, JSON_COMPACT);
        json_decref(o);
    }
    if (source == NULL || !has_url(m, source)) {
        a = aduan_message_add_attachment(m);
        a->type = xstrdup(files[row].type);
        a->name = row == FILE_ROW && clean != NULL ? name_in(clean, files[row].name) : xstrdup(files[row].name);
        if (row == FILE_ROW && text_ends(a->name, ".pdf")) {
            free(a->type);
            a->type = xstrdup("application/pdf");
        }
        a->state = source != NULL ? ADUAN_ATTACHMENT_PENDING : ADUAN_ATTACHMENT_FAILED;
        a->source = source;
        source = NULL;
        if (a->source == NULL)
            a->note = xstrdup("Platform tidak menyertakan tautannya / the platform gave no link");
    }
    free(source);
    free(clean);
}

/* ------------------------------------------------------------------------ lines */

/* One attachment being read. */
struct item {
    struct aduan_message *m;
    const json_t *json, *payload;
    const char *type;
    const char *said; /* the message's text: a link in it is not repeated */
    bool fetch;
    struct text *lines;
};

static void add_line(struct item *it, const char *s) {
    text_addf(it->lines, "%s%s", it->lines->len > 0 ? "\n" : "", s);
}

static void read_file(struct item *it) {
    if (it->fetch)
        graph_attach(it->m, it->type, js_str(it->payload, "url"));
    if (it->said == NULL || it->said[0] == '\0')
        add_line(it, files[file_row(it->type)].label);
}

static const struct {
    const char *type, *label;
} shares[] = {
    { "share", "[membagikan kiriman]" },
    { "post", "[membagikan kiriman]" },
    { "ig_post", "[membagikan kiriman]" },
    { "media", "[membagikan kiriman]" },
    { "reel", "[membagikan reel]" },
    { "ig_reel", "[membagikan reel]" },
    { "fallback", "[tautan]" },
    { "template", "[kartu]" },
    { "appointment_booking", "[janji temu]" },
};

/* Somebody else's post: its title and link, not its bytes. */
static void read_share(struct item *it) {
    char *title = js_line(it->payload, "title", LINE_MAX_BYTES),
         *url = js_line(it->payload, "url", LINE_MAX_BYTES);
    const char *label = "[lampiran]";
    struct text t = TEXT_INIT;
    size_t i;

    if (title == NULL)
        title = js_line(it->json, "title", LINE_MAX_BYTES);
    if (url == NULL)
        url = js_line(it->json, "url", LINE_MAX_BYTES);
    for (i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
        if (strcmp(shares[i].type, it->type) == 0)
            label = shares[i].label;
    text_add(&t, label);
    if (title != NULL)
        text_addf(&t, " %s", title);
    if (url != NULL && (it->said == NULL || strstr(it->said, url) == NULL))
        text_addf(&t, " %s", url);
    add_line(it, t.s);
    graph_extra(it->m, "shared", js_copy(it->json));
    text_free(&t);
    free(title);
    free(url);
}

#define STORY_NOTE                                                                                             \
    "Isi cerita (story) tidak boleh disimpan; tautannya mati dalam 24 jam / a story may not be kept; its "     \
    "link dies "                                                                                               \
    "within 24 h"

static void read_story(struct item *it) {
    char *url = js_line(it->payload, "url", LINE_MAX_BYTES);

    add_line(it,
             strcmp(it->type, "story_mention") == 0 ? "[menyebut kantor dalam cerita]" : "[membagikan cerita]");
    graph_note(it->m, STORY_NOTE);
    if (url != NULL)
        graph_extra(it->m, "story", json_pack("{s:s}", "url", url));
    free(url);
}

static void read_ephemeral(struct item *it) {
    add_line(it, "[foto sekali lihat]");
    graph_note(
        it->m,
        "Foto sekali lihat hanya ada di aplikasinya / a disappearing photo is to be seen only in the app");
}

static void read_heart(struct item *it) {
    add_line(it, "\xe2\x9d\xa4");
}

static void read_location(struct item *it) {
    const json_t *lat = js_get(it->payload, "coordinates.lat"), *lon = js_get(it->payload, "coordinates.long");
    char *title = js_line(it->json, "title", LINE_MAX_BYTES);
    struct text t = TEXT_INIT;

    text_add(&t, "[lokasi]");
    if (title != NULL)
        text_addf(&t, " %s", title);
    if (json_is_number(lat) && json_is_number(lon))
        text_addf(&t, " (%.6f, %.6f)", json_number_value(lat), json_number_value(lon));
    add_line(it, t.s);
    graph_extra(it->m, "location", js_copy(it->payload));
    text_free(&t);
    free(title);
}

static void read_unknown(struct item *it) {
    char *type = text_clean_line(it->type, strlen(it->type), 100),
         *url = js_line(it->payload, "url", LINE_MAX_BYTES);
    char *line =
        xasprintf("[lampiran belum dikenal: %s]%s%s", type, url != NULL ? " " : "", url != NULL ? url : "");

    add_line(it, line);
    graph_note(it->m,
               "Jenis lampiran ini belum dikenal Aduan: lihat di aplikasinya / this type of attachment is not "
               "known yet: look in the app");
    graph_extra(it->m, "shared", js_copy(it->json));
    free(line);
    free(url);
    free(type);
}

static const struct {
    const char *type;
    void (*read)(struct item *it);
} readers[] = {
    { "image", read_file },          { "video", read_file },
    { "audio", read_file },          { "file", read_file },
    { "sticker", read_file },        { "share", read_share },
    { "post", read_share },          { "ig_post", read_share },
    { "media", read_share },         { "reel", read_share },
    { "ig_reel", read_share },       { "fallback", read_share },
    { "template", read_share },      { "appointment_booking", read_share },
    { "story_mention", read_story }, { "story", read_story },
    { "ig_story", read_story },      { "ephemeral", read_ephemeral },
    { "like_heart", read_heart },    { "location", read_location },
};

/* Until Aug 2026 a sticker came as image and as sticker (messenger.md 2). */
static bool is_sticker_again(const json_t *attachments, size_t at) {
    const json_t *item = json_array_get(attachments, at);
    char *id = js_id(item, "payload.sticker_id"), *other;
    bool again = false;
    size_t i;

    for (i = 0; id != NULL && !again && i < at && i < ITEMS_MAX; i++) {
        other = js_id(json_array_get(attachments, i), "payload.sticker_id");
        again = text_equal(id, other);
        free(other);
    }
    free(id);
    return again;
}

char *graph_attachments(struct aduan_message *m, const json_t *message, bool fetch) {
    const json_t *item, *attachments = js_get(message, "attachments");
    struct text lines = TEXT_INIT;
    size_t i, j;

    json_array_foreach(attachments, i, item) {
        struct item it = {
            .m = m, .json = item, .payload = js_get(item, "payload"), .fetch = fetch, .lines = &lines
        };
        void (*read)(struct item *) = read_unknown;

        if (i >= ITEMS_MAX) {
            graph_note(m, "Lampiran selebihnya tidak diambil / further attachments were not taken");
            break;
        }
        if (is_sticker_again(attachments, i))
            continue;
        it.said = js_str(message, "text");
        it.type = js_str(item, "type");
        if (it.type == NULL)
            it.type = "?";
        for (j = 0; j < sizeof(readers) / sizeof(readers[0]); j++)
            if (strcmp(readers[j].type, it.type) == 0)
                read = readers[j].read;
        read(&it);
    }
    return text_steal(&lines);
}
