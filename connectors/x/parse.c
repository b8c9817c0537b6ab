/*
 * parse.c: bodies to records: webhooks of both kinds (section 3.1, 3.2) and pages that pull() read (3.3).
 *
 * Each element gives a record whatever stands beside it; what is not understood becomes one, too. In a body
 * of several elements each record has its own raw: a body with only this element, which parses to the same
 * record again. Names are cleaned once and have limits: the cost of a body stays linear in its size.
 */
#include "x/x.h"

#include "kit/sign.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ELEMENTS_MAX = 20000, NAME_MAX_BYTES = 200, URL_MAX = 1000 };

#define NOTE_SHAPE "Bagian ini tidak dapat dibaca / this part could not be read"

/* ------------------------------------------------------------------------ emit */

static char *digest_id(const char *what, const json_t *json) {
    char *dump = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    char *whole = xasprintf("%s %s", what, dump != NULL ? dump : ""), *id;
    char hex[SIGN_HEX256];

    sign_sha256_hex(whole, strlen(whole), hex);
    id = xasprintf("sha256-%s", hex);
    free(whole);
    free(dump);
    return id;
}

void x_emit(struct x_walk *w, struct aduan_message *m, json_t *slice) {
    if (m->text == NULL)
        m->text = xstrdup("");
    if (m->conversation == NULL && m->kind == ADUAN_KIND_MESSAGE)
        m->conversation = xstrdup(m->platform_id);
    m->to = xstrdup(w->me);
    if (slice != NULL && w->slices) {
        m->raw = (unsigned char *)json_dumps(slice, JSON_COMPACT | JSON_ENSURE_ASCII);
        m->raw_len = m->raw != NULL ? strlen((char *)m->raw) : 0;
    }
    json_decref(slice);
    if (w->r == 0)
        w->r = w->sink->record(w->sink, m);
    aduan_message_clear(m);
}

void x_emit_daily(struct x_walk *w, const char *kind, int64_t at, const char *note, json_t *slice) {
    struct aduan_message m = { .kind = ADUAN_KIND_SYSTEM, .sent_at = at };
    time_t t = (time_t)(at / 1000);
    struct tm tm;

    gmtime_r(&t, &tm);
    m.platform_id =
        xasprintf("%s:%04d-%02d-%02d", kind, (tm.tm_year + 1900) % 10000, tm.tm_mon + 1, tm.tm_mday);
    if (json_object_get(w->days, m.platform_id) != NULL) {
        json_decref(slice);
        aduan_message_clear(&m);
        return;
    }
    json_object_set_new_nocheck(w->days, m.platform_id, json_true());
    m.note = xstrdup(note);
    x_extra(&m, "event", json_string(kind));
    x_emit(w, &m, slice);
}

static void emit_unparsed(struct x_walk *w, const char *what, const json_t *json, const char *note,
                          json_t *slice) {
    struct aduan_message m = { .kind = ADUAN_KIND_UNPARSED };

    m.platform_id = digest_id(what, json);
    m.note = xstrdup(note);
    x_emit(w, &m, slice);
}

/* ---------------------------------------------------------------------- people */

static void add_person(struct x_walk *w, const json_t *user) {
    char *id = x_id(user, "id"), *name = js_line(user, "name", NAME_MAX_BYTES);
    char *handle = js_line(user, "username", NAME_MAX_BYTES);
    json_t *person;

    if (handle == NULL)
        handle = js_line(user, "screen_name", NAME_MAX_BYTES);
    if (id != NULL) {
        person = json_pack("{s:s}", "id", id);
        if (name != NULL)
            json_object_set_new(person, "name", json_string(name));
        if (handle != NULL)
            json_object_set_new(person, "username", json_string(handle));
        json_object_set_new(w->people, id, person);
    }
    free(id);
    free(name);
    free(handle);
}

/* "users" is an object by id (v1.1; in XAA each under "data") or, in "includes", a list. */
static void add_people(struct x_walk *w, const json_t *users) {
    const json_t *user, *inner;
    const char *key;
    size_t i;

    json_array_foreach(users, i, user) add_person(w, user);
    if (json_is_object(users))
        json_object_foreach((json_t *)(uintptr_t)users, key, user) {
            inner = js_get(user, "data");
            add_person(w, inner != NULL ? inner : user);
        }
}

/* Of the renderings of a video the best that is a file; else the picture's address. */
static const char *media_url(const json_t *media) {
    const char *url = js_str(media, "media_url_https"), *best = NULL;
    const json_t *variants = x_either(media, "variants", "video_info.variants"), *v;
    int64_t rate = -1, r;
    size_t i;

    json_array_foreach(variants, i, v) {
        r = js_int(v, "bit_rate", js_int(v, "bitrate", 0));
        if (text_equal(js_str(v, "content_type"), "video/mp4") && js_str(v, "url") != NULL && r > rate) {
            best = js_str(v, "url");
            rate = r;
        }
    }
    if (best != NULL)
        return best;
    return url != NULL ? url : js_str(media, "url");
}

static void add_media(struct x_walk *w, const json_t *list) {
    const json_t *media;
    const char *url;
    char *key, *type;
    json_t *clean;
    size_t i;

    json_array_foreach(list, i, media) {
        key = js_line(media, "media_key", NAME_MAX_BYTES);
        type = js_line(media, "type", 40);
        url = media_url(media);
        if (key != NULL) {
            clean = json_pack("{s:s}", "media_key", key);
            if (type != NULL)
                json_object_set_new(clean, "type", json_string(type));
            if (url != NULL && strlen(url) <= URL_MAX)
                json_object_set_new(clean, "url", json_string(url));
            json_object_set_new_nocheck(w->media, key, clean);
        }
        free(key);
        free(type);
    }
}

/* ------------------------------------------------------------------- v1.1 lists */

static void deleted(struct x_walk *w, const json_t *event) {
    struct aduan_message m = { .kind = ADUAN_KIND_DELETE, .is_public = true };
    char *id = x_id(js_get(event, "status"), "id"), *author = x_id(js_get(event, "status"), "user_id");

    if (id == NULL)
        id = x_id(event, "id"); /* post.delete */
    if (author == NULL)
        author = x_id(event, "author_id");
    if (id == NULL) {
        free(author);
        emit_unparsed(w, "delete", event, NOTE_SHAPE, x_slice_v1(w, "tweet_delete_events", event));
        return;
    }
    m.platform_id = xasprintf("delete:%s", id);
    m.reply_to = id;
    m.sent_at = js_int(event, "timestamp_ms", 0) > 0 ? x_time(event) : 0;
    x_sender(w, &m, author);
    free(author);
    x_emit(w, &m, x_slice_v1(w, "tweet_delete_events", event));
}

#define DAILY(name, list, note)                                                                                \
    static void name(struct x_walk *w, const json_t *event) {                                                  \
        x_emit_daily(w, #name, x_time(event), note " (yang pertama hari ini / the first of the day)",          \
                     x_slice_v1(w, list, event));                                                              \
    }
DAILY(typing, "direct_message_indicate_typing_events", "Warga sedang mengetik / somebody types")
DAILY(favorite, "favorite_events", "Kiriman disukai, bukan aduan / a post was liked, no complaint")
DAILY(follow, "follow_events", "Akun diikuti, bukan aduan / the account was followed, no complaint")
DAILY(block, "block_events", "Blokir akun / an account was blocked")
DAILY(mute, "mute_events", "Bisukan akun / an account was muted")

static const struct {
    const char *name;
    void (*read)(struct x_walk *w, const json_t *element);
} lists[] = {
    { "tweet_create_events", x_post_v1 },
    { "tweet_delete_events", deleted },
    { "direct_message_events", x_dm_v1 },
    { "direct_message_mark_read_events", x_dm_read },
    { "direct_message_indicate_typing_events", typing },
    { "favorite_events", favorite },
    { "follow_events", follow },
    { "block_events", block },
    { "mute_events", mute },
};
enum { LISTS = sizeof(lists) / sizeof(lists[0]) };

static size_t count_lists(const json_t *body) {
    size_t i, n = 0;

    for (i = 0; i < LISTS; i++)
        n += json_array_size(json_object_get(body, lists[i].name));
    return n;
}

static void read_lists(struct x_walk *w, const json_t *body) {
    const json_t *element;
    size_t i, j;

    for (i = 0; i < LISTS; i++) {
        json_array_foreach(json_object_get(body, lists[i].name), j, element) {
            if (json_is_object(element))
                lists[i].read(w, element);
            else
                emit_unparsed(w, lists[i].name, element, NOTE_SHAPE, x_slice_v1(w, lists[i].name, element));
        }
    }
}

static bool has_lists(const json_t *body) {
    size_t i;

    for (i = 0; i < LISTS; i++)
        if (json_is_array(json_object_get(body, lists[i].name)))
            return true;
    return false;
}

/* ---------------------------------------------------------------- what X tells */

static void revoked(struct x_walk *w, const json_t *body) {
    const json_t *revoke = js_get(body, "user_event.revoke");
    struct aduan_message m = { .kind = ADUAN_KIND_SYSTEM };
    char *user = x_id(js_get(revoke, "source"), "user_id"), *at = js_line(revoke, "date_time", 40);

    if (w->me == NULL)
        w->me = xstrdup(user);
    m.platform_id = xasprintf("revoke:%s:%s", user != NULL ? user : "", at != NULL ? at : "");
    m.sent_at = x_rfc3339(at);
    m.note = xstrdup(
        "Izin Aduan atas akun X dicabut: tidak ada lagi yang masuk atau keluar sampai diberi izin lagi / "
        "access to the X account was revoked: nothing comes or goes until it is granted again");
    x_extra(&m, "event", json_string("revoke"));
    x_extra(&m, "fault", json_true());
    x_extra(&m, "revoke", js_copy(revoke));
    free(user);
    free(at);
    x_emit(w, &m, NULL);
}

static void replayed(struct x_walk *w, const json_t *body) {
    const json_t *job = js_get(body, "replay_job_status");
    struct aduan_message m = { .kind = ADUAN_KIND_SYSTEM };
    char *id = js_line(job, "job_id", 80), *state = js_line(job, "job_state", 40);

    m.platform_id =
        id != NULL ? xasprintf("replay:%s:%s", id, state != NULL ? state : "") : digest_id("replay", job);
    m.note = xasprintf("Pengiriman ulang oleh X: %s / replay by X", state != NULL ? state : "?");
    x_extra(&m, "event", json_string("replay_job_status"));
    x_extra(&m, "replay_job_status", js_copy(job));
    free(id);
    free(state);
    x_emit(w, &m, NULL);
}

static void told_errors(struct x_walk *w, const json_t *body) {
    const json_t *first = json_array_get(js_get(body, "errors"), 0);
    char *said = js_line(first, "message", 300), *note;

    if (said == NULL)
        said = js_line(first, "title", 300);
    note = xasprintf("Galat X: %s / an error of X", said != NULL ? said : "?");
    emit_unparsed(w, "errors", js_get(body, "errors"), note, NULL);
    free(note);
    free(said);
}

/* ------------------------------------------------------------------------- XAA */

static const struct {
    const char *prefix, *kind, *note;
} quiet[] = {
    { "like.", "favorite", "Kiriman disukai, bukan aduan / a post was liked, no complaint" },
    { "post.repost.", "repost", "Kiriman diteruskan, bukan aduan / a post was reposted, no complaint" },
    { "follow.", "follow", "Akun diikuti, bukan aduan / the account was followed, no complaint" },
    { "mute.", "mute", "Bisukan akun / an account was muted" },
    { "block.", "block", "Blokir akun / an account was blocked" },
    { "profile.", "profile", "Profil berubah / the profile was changed" },
    { "dm.indicate_typing", "typing", "Warga sedang mengetik / somebody types" },
};

static void unknown_event(struct x_walk *w, const json_t *data, const char *type) {
    struct aduan_message m = { .kind = ADUAN_KIND_UNPARSED };
    char *uuid = js_line(data, "event_uuid", 80);

    m.platform_id = uuid != NULL ? xasprintf("event:%s", uuid) : digest_id("event", data);
    m.note = xasprintf("Peristiwa X yang belum dikenal: %s / an event of X not known yet", type);
    x_extra(&m, "event", json_string(type));
    free(uuid);
    x_emit(w, &m, NULL);
}

static void revoked_by_event(struct x_walk *w, const json_t *data) {
    json_t *body = json_pack("{s:{s:{s:{s:s}, s:s}}}", "user_event", "revoke", "source", "user_id",
                             w->me != NULL ? w->me : "", "date_time",
                             js_str(data, "event_uuid") != NULL ? js_str(data, "event_uuid") : "");

    revoked(w, body);
    json_decref(body);
}

static void read_event(struct x_walk *w, const json_t *data, int64_t now) {
    char *type = js_line(data, "event_type", 80);
    const json_t *payload = js_get(data, "payload");
    size_t i;

    add_people(w, js_get(payload, "users"));
    add_people(w, js_get(data, "includes.users"));
    add_media(w, js_get(data, "includes.media"));
    if (has_lists(payload)) {
        w->slices = count_lists(payload) > 1;
        read_lists(w, payload);
    } else if (text_starts(type, "post.delete") && json_is_object(payload)) {
        deleted(w, payload);
    } else if (text_starts(type, "post.") && !text_starts(type, "post.repost") &&
               js_get(payload, "id") != NULL) {
        x_post_v2(w, payload);
    } else if (text_starts(type, "chat.") && json_is_object(payload)) {
        x_chat(w, payload, strcmp(type, "chat.sent") == 0, now);
    } else if (strcmp(type, "oauth.revoke") == 0) {
        revoked_by_event(w, data);
    } else {
        for (i = 0; i < sizeof(quiet) / sizeof(quiet[0]) && !text_starts(type, quiet[i].prefix); i++)
            ;
        if (i < sizeof(quiet) / sizeof(quiet[0]))
            x_emit_daily(w, quiet[i].kind, x_time(payload), quiet[i].note, NULL);
        else
            unknown_event(w, data, type);
    }
    free(type);
}

/* ----------------------------------------------------------------------- pages */

static void read_page(struct x_walk *w, const json_t *body) {
    const json_t *item, *items = js_get(body, "data");
    size_t i;

    add_people(w, js_get(body, "includes.users"));
    add_media(w, js_get(body, "includes.media"));
    w->slices = json_array_size(items) != 1;
    json_array_foreach(items, i, item) {
        if (!json_is_object(item))
            emit_unparsed(w, "page", item, NOTE_SHAPE, x_slice_v2(w, item));
        else if (js_get(item, "event_type") != NULL || js_get(item, "dm_conversation_id") != NULL)
            x_dm_v2(w, item);
        else
            x_post_v2(w, item);
    }
}

/* Lists that we do not know are kept whole. */
static size_t read_strange(struct x_walk *w, const json_t *body) {
    static const char *const ours[] = { "users", "apps", "for_user_id", "user_has_blocked", "only" };
    const json_t *value;
    const char *key;
    size_t i, n = 0;
    json_t *slice;

    json_object_foreach((json_t *)(uintptr_t)body, key, value) {
        for (i = 0; i < sizeof(ours) / sizeof(ours[0]) && strcmp(ours[i], key) != 0; i++)
            ;
        if (i < sizeof(ours) / sizeof(ours[0]) || !text_ends(key, "_events"))
            continue;
        for (i = 0; i < LISTS && strcmp(lists[i].name, key) != 0; i++)
            ;
        if (i < LISTS && json_is_array(value))
            continue;
        slice = json_pack("{s:O}", key, value);
        if (w->me != NULL)
            json_object_set_new(slice, "for_user_id", json_string(w->me));
        emit_unparsed(w, key, value, NOTE_SHAPE, slice);
        n++;
    }
    return n;
}

json_t *x_page_slices(const json_t *page, const char *me) {
    struct x_walk w = { .me = (char *)(uintptr_t)me, .people = json_object(), .media = json_object() };
    json_t *slices = json_array();
    const json_t *item;
    size_t i;

    add_people(&w, js_get(page, "includes.users"));
    add_media(&w, js_get(page, "includes.media"));
    json_array_foreach(js_get(page, "data"), i, item) json_array_append_new(slices, x_slice_v2(&w, item));
    json_decref(w.people);
    json_decref(w.media);
    return slices;
}

static int read_body(struct x_walk *w, const json_t *body, int64_t now) {
    add_people(w, js_get(body, "users"));
    if (json_is_array(js_get(body, "data"))) {
        read_page(w, body);
    } else if (js_str(body, "data.event_type") != NULL) {
        read_event(w, js_get(body, "data"), now);
    } else if (json_is_object(js_get(body, "user_event.revoke"))) {
        revoked(w, body);
    } else if (json_is_object(js_get(body, "replay_job_status"))) {
        replayed(w, body);
    } else if (has_lists(body)) {
        w->slices = true;
        read_lists(w, body);
        read_strange(w, body);
    } else if (json_array_size(js_get(body, "errors")) > 0) {
        told_errors(w, body);
    } else {
        w->slices = true;
        if (read_strange(w, body) == 0 && js_get(body, "meta.result_count") == NULL) /* else an empty page */
            return -EINVAL;
    }
    return w->r;
}

int x_parse(const void *settings, const struct aduan_bytes *in, struct aduan_sink *sink) {
    const struct x_settings *s = settings;
    json_t *body = js_load(in->bytes, in->len);
    struct x_walk w = { .sink = sink };
    int r;

    if (!json_is_object(body)) {
        json_decref(body);
        return -EINVAL;
    }
    w.people = json_object();
    w.media = json_object();
    w.days = json_object();
    w.only = js_str(body, "only");
    w.me = x_id(body, "for_user_id");
    if (w.me == NULL)
        w.me = x_id(js_get(body, "data.filter"), "user_id");
    if (w.me == NULL && s != NULL && s->user_id != NULL && s->user_id[0] != '\0')
        w.me = xstrdup(s->user_id);
    r = read_body(&w, body, sink->now);
    json_decref(w.people);
    json_decref(w.media);
    json_decref(w.days);
    json_decref(body);
    free(w.me);
    return r;
}
