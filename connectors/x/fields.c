/* fields.c: ids, times, texts and people, in the spellings of v1.1 and v2. */
#include "x/x.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NAME_MAX_BYTES = 200, ID_MAX = 40, URL_MAX = 1000 };

#define SNOWFLAKE_EPOCH 1288834974657LL

/* An id is a string of digits: as a number it would be beyond 2^53. */
char *x_id(const json_t *object, const char *key) {
    char *name = xasprintf("%s_str", key), *id = js_id(object, name);

    if (id == NULL)
        id = js_id(object, key);
    free(name);
    if (id != NULL && strlen(id) <= ID_MAX && strspn(id, "0123456789") == strlen(id))
        return id;
    free(id);
    return NULL;
}

int x_id_compare(const char *a, const char *b) {
    size_t n = a != NULL ? strlen(a) : 0, m = b != NULL ? strlen(b) : 0;

    if (n != m)
        return n < m ? -1 : 1;
    return n > 0 ? strcmp(a, b) : 0;
}

/* ----------------------------------------------------------------------- times */

int64_t x_id_time(const char *id) {
    int64_t n;

    if (id == NULL || text_parse_int(id, 0, INT64_MAX, &n) != 0 || n >> 22 == 0)
        return 0;
    return (n >> 22) + SNOWFLAKE_EPOCH;
}

static int64_t ms_of(struct tm *tm, int64_t ms) {
    time_t t;

    tm->tm_year -= 1900;
    t = timegm(tm);
    return t > 0 ? (int64_t)t * 1000 + ms : 0;
}

static bool sane(const struct tm *tm) {
    return tm->tm_year >= 2006 && tm->tm_year < 3000 && tm->tm_mon >= 0 && tm->tm_mon < 12 &&
           tm->tm_mday >= 1 && tm->tm_mday <= 31 && tm->tm_hour >= 0 && tm->tm_hour < 24 && tm->tm_min >= 0 &&
           tm->tm_min < 60 && tm->tm_sec >= 0 && tm->tm_sec <= 60;
}

int64_t x_rfc3339(const char *s) {
    struct tm tm = { 0 };
    int ms = 0, n;

    if (s == NULL)
        return 0;
    n = sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2d.%3d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
               &tm.tm_sec, &ms);
    tm.tm_mon--;
    return n >= 6 && sane(&tm) && ms >= 0 ? ms_of(&tm, ms) : 0;
}

/* "Sat Sep 19 07:20:00 +0000 2026" */
static int64_t old_time(const char *s) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm = { 0 };
    char month[4] = "";
    const char *at;

    if (sscanf(s, "%*3s %3s %2d %2d:%2d:%2d +0000 %4d", month, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec,
               &tm.tm_year) != 6)
        return 0;
    at = strstr(months, month);
    if (at == NULL || strlen(month) != 3 || (at - months) % 3 != 0)
        return 0;
    tm.tm_mon = (int)(at - months) / 3;
    return sane(&tm) ? ms_of(&tm, 0) : 0;
}

int64_t x_time(const json_t *object) {
    static const char *const stamps[] = { "created_timestamp", "timestamp_ms", "created_at_msec" };
    const char *at = js_str(object, "created_at");
    char *id;
    int64_t t = 0;
    size_t i;

    for (i = 0; i < sizeof(stamps) / sizeof(stamps[0]) && t <= 0; i++)
        t = js_int(object, stamps[i], 0);
    if (t > 0 && t < 99999999999999)
        return t;
    t = at != NULL ? x_rfc3339(at) : 0;
    if (t == 0 && at != NULL)
        t = old_time(at);
    if (t == 0) {
        id = x_id(object, "id");
        t = x_id_time(id);
        free(id);
    }
    return t;
}

/* ----------------------------------------------------------------------- texts */

/* X escapes these three in texts (v1.1 surely, v2 as seen). Each is read once: "&amp;lt;" is "&lt;". */
static char *without_entities(char *s) {
    static const struct {
        const char *entity;
        char is;
    } entities[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' } };
    char *from = s, *to = s;
    size_t i;

    while (*from != '\0') {
        for (i = 0; i < 3 && !text_starts(from, entities[i].entity); i++)
            ;
        *to++ = i < 3 ? entities[i].is : *from;
        from += i < 3 ? strlen(entities[i].entity) : 1;
    }
    *to = '\0';
    return s;
}

char *x_text(const json_t *object, const char *path) {
    char *s = js_text(object, path);

    return s != NULL ? without_entities(s) : NULL;
}

const json_t *x_either(const json_t *object, const char *one, const char *two) {
    const json_t *j = js_get(object, one);

    return j != NULL ? j : js_get(object, two);
}

/* ---------------------------------------------------------------------- people */

void x_extra(struct aduan_message *m, const char *key, json_t *value) {
    if (m->extra == NULL)
        m->extra = json_object();
    json_object_set_new_nocheck(m->extra, key, value);
}

void x_sender(struct x_walk *w, struct aduan_message *m, const char *id) {
    const json_t *person = id != NULL ? json_object_get(w->people, id) : NULL;

    m->sender.id = xstrdup(id);
    m->sender.name = js_line(person, "name", NAME_MAX_BYTES);
    m->sender.handle = js_line(person, "username", NAME_MAX_BYTES);
}

/* ----------------------------------------------------------------- attachments */

static const struct {
    const char *kind, *mime, *name;
} kinds[] = {
    { "photo", "image/jpeg", "gambar.jpg" },
    { "animated_gif", "video/mp4", "gif.mp4" },
    { "video", "video/mp4", "video.mp4" },
};

/* The parts of .../dm/DM/MEDIA/FILE: they are the same by webhook and by poll, and both ways of fetching need
 * them. */
static json_t *dm_source(const char *url) {
    const char *at = strstr(url, "/data/dm/"), *parts[3];
    size_t sizes[3], i;

    if (at == NULL)
        return NULL;
    at += strlen("/data/dm/");
    for (i = 0; i < 3; i++) {
        parts[i] = at;
        sizes[i] = strcspn(at, "/?#");
        if (sizes[i] == 0 || sizes[i] > 200)
            return NULL;
        at += sizes[i] + (at[sizes[i]] == '/');
    }
    return json_pack("{s:s%, s:s%, s:s%}", "dm", parts[0], sizes[0], "media", parts[1], sizes[1], "file",
                     parts[2], sizes[2]);
}

void x_attach(struct aduan_message *m, const char *type, const char *url) {
    struct aduan_attachment *a = aduan_message_add_attachment(m);
    json_t *source = url != NULL ? dm_source(url) : NULL;
    size_t i;

    for (i = 0; i < 3 && !text_equal(type, kinds[i].kind); i++)
        ;
    a->name = xstrdup(i < 3 ? kinds[i].name : "lampiran");
    a->type = xstrdup(i < 3 ? kinds[i].mime : "application/octet-stream");
    a->state = ADUAN_ATTACHMENT_PENDING;
    if (source == NULL && url != NULL && strlen(url) <= URL_MAX)
        source = json_pack("{s:s}", "url", url);
    if (source != NULL) {
        a->source = json_dumps(source, JSON_COMPACT | JSON_ENSURE_ASCII);
    } else {
        a->state = ADUAN_ATTACHMENT_FAILED;
        a->note =
            xstrdup("X tidak memberi alamat lampiran; lihat di X / X gave no address for it; see it on X");
    }
    json_decref(source);
}

/* ---------------------------------------------------------------------- slices */

static json_t *share(const json_t *json) {
    return json_incref((json_t *)(uintptr_t)json);
}

static json_t *list_of(json_t *item) {
    json_t *list = json_array();

    json_array_append_new(list, item);
    return list;
}

static const json_t *person_of(const struct x_walk *w, const json_t *item, const char *key) {
    char *id = x_id(item, key);
    const json_t *person = id != NULL ? json_object_get(w->people, id) : NULL;

    free(id);
    return person;
}

json_t *x_slice_v2(const struct x_walk *w, const json_t *item) {
    json_t *slice = json_pack("{s:o}", "data", list_of(share(item))), *includes = json_object(), *media;
    const json_t *person = person_of(w, item, "author_id"), *key, *found;
    size_t i;

    if (person == NULL)
        person = person_of(w, item, "sender_id");
    if (person != NULL)
        json_object_set_new(includes, "users", list_of(share(person)));
    media = json_array();
    json_array_foreach(js_get(item, "attachments.media_keys"), i, key) {
        found = json_is_string(key) && i < 8 ? json_object_get(w->media, json_string_value(key)) : NULL;
        if (found != NULL)
            json_array_append_new(media, share(found));
    }
    json_object_set_new(includes, "media", media);
    json_object_set_new(slice, "includes", includes);
    if (w->me != NULL)
        json_object_set_new(slice, "for_user_id", json_string(w->me));
    return slice;
}

json_t *x_slice_v1(const struct x_walk *w, const char *list, const json_t *item) {
    json_t *slice = json_pack("{s:o}", list, list_of(share(item))), *users = json_object();
    char *ids[] = { x_id(item, "sender_id"), x_id(js_get(item, "message_create"), "sender_id"),
                    x_id(js_get(item, "message_create.target"), "recipient_id") };
    const json_t *person;
    size_t i;

    for (i = 0; i < 3; i++) {
        person = ids[i] != NULL ? json_object_get(w->people, ids[i]) : NULL;
        if (person != NULL)
            json_object_set_new(users, ids[i], share(person));
        free(ids[i]);
    }
    if (json_object_size(users) > 0)
        json_object_set_new(slice, "users", users);
    else
        json_decref(users);
    if (w->me != NULL)
        json_object_set_new(slice, "for_user_id", json_string(w->me));
    return slice;
}
