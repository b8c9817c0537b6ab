/*
 * intake.c: from a connector's raw bytes to what queue_accept() takes.
 *
 * Nothing that comes in here is dropped: bytes without sense become one
 * UNPARSED record, a message for an address nobody has becomes a dead letter of
 * the door it came through, and a record without an id gets one made of what it
 * is. A message for another account goes there only if that account believes the
 * request, too: a secret opens its own door. Attachment bytes and long raw bodies
 * are in the blob store, durable, when this returns 0; what a repeat stores again
 * is the same file.
 */
#include "daemon/intake.h"
#include "daemon/module.h"

#include "connectors/kit/sign.h"
#include "connectors/kit/step.h"
#include "connectors/kit/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_MAX       255         /* of a platform id; a longer one is digested for our key */
#define RAW_MAX      (64 * 1024) /* a longer raw body is a blob */
#define NOTE_GARBAGE "Isi yang diterima tidak dapat dibaca / what was received could not be read"
#define NOTE_EMPTY   "Tidak ada pesan di dalamnya / there was no message in it"
#define NOTE_KIND    "Jenis pesan tidak dikenal / unknown kind of message"
#define NOTE_NOBODYS "Untuk alamat yang bukan milik akun mana pun / for an address no account has"
#define NOTE_UNSIGNED                                                                                          \
    "Untuk akun lain, tetapi tidak ditandatangani untuknya / for another account, but not signed for it"
#define NOTE_NO_FETCH "Lampiran tidak dapat diambil dari kanal ini / this channel cannot fetch attachments"

enum belief { NOT_ASKED, BELIEVED, NOT_BELIEVED };

struct intake {
    struct job *job;
    struct conf_account *door;
    const struct aduan_bytes *bytes;
    const struct aduan_hook_request *request; /* NULL: not a webhook */
    enum belief *beliefs;                     /* one for each account, made when first needed */
    int64_t now;
    size_t count;            /* records in this batch */
    char whole[SIGN_HEX256]; /* digest of bytes, made when first needed */
    bool whole_stored;       /* … and they are in the blob store */
};

struct collector {
    struct aduan_sink sink;
    struct aduan_message *records;
    size_t count, room;
};

/* -------------------------------------------------------------------- ids */

static const char *whole_digest(struct intake *in) {
    if (in->whole[0] == '\0')
        sign_sha256_hex(in->bytes->bytes, in->bytes->len, in->whole);
    return in->whole;
}

/* Ours to give: of the record's own bytes where it has them, else of all bytes and its place there. */
static char *made_up_id(struct intake *in, const struct aduan_message *m, size_t index) {
    char hex[SIGN_HEX256];

    if (m->raw != NULL) {
        sign_sha256_hex(m->raw, m->raw_len, hex);
        return xasprintf("sha256-%s", hex);
    }
    if (in->count == 1)
        return xasprintf("sha256-%s", whole_digest(in));
    return xasprintf("sha256-%s-%zu", whole_digest(in), index);
}

static bool is_plain_id(const char *s) {
    size_t n = strlen(s), i;

    if (n > ID_MAX || !text_is_utf8(s, n))
        return false;
    for (i = 0; i < n; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return false;
    return true;
}

/* ACCOUNT "/" platform id; one that is too long or unfit for a key stands there by its digest. */
static char *record_id(const char *account, const char *platform_id) {
    char hex[SIGN_HEX256];

    if (is_plain_id(platform_id))
        return xasprintf("%s/%s", account, platform_id);
    sign_sha256_hex(platform_id, strlen(platform_id), hex);
    return xasprintf("%s/long-%s", account, hex);
}

/* ---------------------------------------------------------------- routing */

static const char *address_of(struct job *j, struct conf_account *a) {
    const struct module *module = job_module(j, a);

    if (module == NULL || module->connector->address == NULL)
        return NULL;
    return module->connector->address(a->settings);
}

/* Would the account have believed the request at its own door? Asked once: a digest of the whole body. */
static bool believes(struct intake *in, struct conf_account *a) {
    const struct aduan_connector *connector = job_module(in->job, a)->connector;
    struct aduan_hook_answer answer = { 0 };
    enum belief *belief;

    if (in->request == NULL || connector->verify == NULL)
        return false;
    if (in->beliefs == NULL)
        in->beliefs = xcalloc(in->job->conf->account_count, sizeof(*in->beliefs));
    belief = &in->beliefs[a - in->job->conf->accounts];
    if (*belief == NOT_ASKED)
        *belief = connector->verify(a->settings, in->request, &answer) == 0 ? BELIEVED : NOT_BELIEVED;
    return *belief == BELIEVED;
}

/* One webhook may carry messages for several numbers: each goes to the account that has it. What a
 * receive worker pulled out of a box belongs to that box, whatever is written on it. NULL: no
 * enabled account has this address. */
static struct conf_account *route(struct intake *in, const char *to) {
    const struct module *module = job_module(in->job, in->door);
    struct conf *conf = in->job->conf;
    size_t i;

    if (to == NULL || to[0] == '\0' || module->connector->address == NULL || in->job->account != NULL)
        return in->door;
    if (text_equal(address_of(in->job, in->door), to))
        return in->door;
    for (i = 0; i < conf->account_count; i++) {
        struct conf_account *a = &conf->accounts[i];

        if (a->enabled && text_equal(a->type, in->door->type) && text_equal(address_of(in->job, a), to))
            return a;
    }
    return NULL;
}

/* ------------------------------------------------------- attachments, raw */

static int store_bytes(struct intake *in, const void *bytes, size_t n, char **ret_sha256) {
    char hex[SIGN_HEX256];
    int r;

    r = blob_put(in->job->blobs, n > 0 ? bytes : "", n, hex);
    if (r < 0)
        return r;
    STEP("intake.blob");
    free(*ret_sha256);
    *ret_sha256 = xstrdup(hex);
    return 0;
}

static int settle_attachment(struct intake *in, struct aduan_attachment *a, bool can_fetch) {
    int r;

    if (a->name == NULL)
        a->name = xstrdup("lampiran");
    if (a->type == NULL)
        a->type = xstrdup("application/octet-stream");
    if (a->data != NULL) {
        r = store_bytes(in, a->data, a->data_len, &a->sha256);
        if (r < 0)
            return r;
        a->size = (int64_t)a->data_len;
        a->state = ADUAN_ATTACHMENT_STORED;
        free(a->data);
        a->data = NULL;
        a->data_len = 0;
    }
    if (a->state == ADUAN_ATTACHMENT_STORED && a->sha256 != NULL)
        return 0;
    if (a->state != ADUAN_ATTACHMENT_FAILED && a->source != NULL && can_fetch) {
        a->state = ADUAN_ATTACHMENT_PENDING;
        return 0;
    }
    a->state = ADUAN_ATTACHMENT_FAILED;
    if (a->note == NULL)
        a->note = xstrdup(NOTE_NO_FETCH);
    return 0;
}

static int settle_attachments(struct intake *in, struct aduan_message *m, unsigned *ret_pending) {
    const struct module *module = job_module(in->job, in->door);
    bool can_fetch = (module_can(module->connector, in->door->settings) & ADUAN_CAP_MEDIA) != 0;
    size_t i;
    int r;

    for (i = 0; i < m->attachment_count; i++) {
        r = settle_attachment(in, &m->attachments[i], can_fetch);
        if (r < 0)
            return r;
        if (m->attachments[i].state == ADUAN_ATTACHMENT_PENDING)
            (*ret_pending)++;
    }
    return 0;
}

static int store_whole(struct intake *in, struct aduan_message *m) {
    int r;

    if (!in->whole_stored) {
        r = blob_put(in->job->blobs, in->bytes->bytes, in->bytes->len, in->whole);
        if (r < 0)
            return r;
        STEP("intake.raw");
        in->whole_stored = true;
    }
    m->raw_sha256 = xstrdup(in->whole);
    return 0;
}

/* Every record keeps the bytes it came from: its own, else all of them; beside it when they are
 * few (also when every record of the batch carries them), else as a blob that all of it share. */
static int settle_raw(struct intake *in, struct aduan_message *m) {
    int r;

    if (m->raw_sha256 != NULL)
        return 0;
    if (m->raw == NULL) {
        if (in->bytes == NULL || in->bytes->len == 0)
            return 0;
        if (in->bytes->len > RAW_MAX / in->count)
            return store_whole(in, m);
        m->raw = xcalloc(1, in->bytes->len);
        memcpy(m->raw, in->bytes->bytes, in->bytes->len);
        m->raw_len = in->bytes->len;
        return 0;
    }
    if (m->raw_len <= RAW_MAX)
        return 0;
    r = store_bytes(in, m->raw, m->raw_len, &m->raw_sha256);
    if (r < 0)
        return r;
    free(m->raw);
    m->raw = NULL;
    m->raw_len = 0;
    return 0;
}

/* ---------------------------------------------------------------- records */

static void set_text(char **member, const char *s) {
    free(*member);
    *member = xstrdup(s);
}

static void complete_kind(struct aduan_message *m) {
    if (m->kind >= ADUAN_KIND_MESSAGE && m->kind <= ADUAN_KIND_UNPARSED)
        return;
    m->kind = ADUAN_KIND_UNPARSED;
    if (m->note == NULL)
        m->note = xstrdup(NOTE_KIND);
}

static void complete_route(struct intake *in, struct intake_item *item) {
    struct aduan_message *m = &item->message;
    char *clean;

    item->account = route(in, m->to);
    if (item->account == in->door || (item->account != NULL && believes(in, item->account)))
        return;
    clean = text_clean_line(m->to, strlen(m->to), 80);
    free(m->note);
    m->note = xasprintf("%s: %s", item->account != NULL ? NOTE_UNSIGNED : NOTE_NOBODYS, clean);
    free(clean);
    item->account = in->door;
    item->dead = true;
}

static void complete_texts(struct intake *in, struct intake_item *item, size_t index) {
    struct aduan_message *m = &item->message;
    const struct module *module = job_module(in->job, in->door);

    if (m->platform_id == NULL || m->platform_id[0] == '\0') {
        free(m->platform_id);
        m->platform_id = made_up_id(in, m, index);
    }
    free(m->id);
    m->id = record_id(item->account->name, m->platform_id);
    set_text(&m->account, item->account->name);
    set_text(&m->channel, module->connector->channel);
    if (m->text == NULL)
        m->text = xstrdup("");
    if (m->received_at == 0)
        m->received_at = in->bytes != NULL && in->bytes->received_at > 0 ? in->bytes->received_at : in->now;
}

static void fill_queue_in(struct intake_item *item, unsigned pending) {
    struct aduan_message *m = &item->message;

    item->in = (struct queue_in){
        .id = m->id,
        .raw = m->raw,
        .raw_len = m->raw_len,
        .media = item->dead ? 0 : pending,
    };
    item->in.record = aduan_message_to_text(m, &item->in.record_len);
}

static int complete(struct intake *in, struct intake_item *item, size_t index) {
    unsigned pending = 0;
    int r;

    complete_kind(&item->message);
    complete_route(in, item);
    complete_texts(in, item, index);
    r = settle_attachments(in, &item->message, &pending);
    if (r < 0)
        return r;
    r = settle_raw(in, &item->message);
    if (r < 0)
        return r;
    fill_queue_in(item, pending);
    return 0;
}

static int complete_all(struct intake *in, struct aduan_message *records, size_t count,
                        struct intake_batch *ret) {
    size_t i;
    int r = 0;

    in->count = count;
    ret->items = xcalloc(count > 0 ? count : 1, sizeof(*ret->items));
    ret->count = count;
    for (i = 0; i < count; i++) {
        ret->items[i].message = records[i];
        memset(&records[i], 0, sizeof(records[i]));
    }
    for (i = 0; i < count && r == 0; i++)
        r = complete(in, &ret->items[i], i);
    free(in->beliefs);
    in->beliefs = NULL;
    if (r < 0)
        intake_clear(ret);
    return r;
}

int intake_records(struct job *j, struct conf_account *door, struct aduan_message *records, size_t count,
                   const struct aduan_bytes *bytes, int64_t now, struct intake_batch *ret) {
    struct intake in = { .job = j, .door = door, .bytes = bytes, .now = now };

    return complete_all(&in, records, count, ret);
}

static int collect(struct aduan_sink *sink, struct aduan_message *m) {
    struct collector *c = (struct collector *)sink;

    if (c->count == c->room) {
        c->room = c->room > 0 ? c->room * 2 : 4;
        c->records = xrealloc(c->records, c->room, sizeof(*c->records));
    }
    c->records[c->count++] = *m;
    memset(m, 0, sizeof(*m));
    return 0;
}

/* One more record that stands for all the bytes. */
static void collect_stub(struct collector *c, const struct aduan_bytes *bytes, const char *note) {
    struct aduan_message m = { .kind = ADUAN_KIND_UNPARSED };
    char hex[SIGN_HEX256];

    if (bytes->id != NULL && bytes->id[0] != '\0') {
        m.platform_id = xstrdup(bytes->id);
    } else {
        sign_sha256_hex(bytes->bytes, bytes->len, hex);
        m.platform_id = xasprintf("sha256-%s", hex);
    }
    m.text = xstrdup("");
    m.note = xstrdup(note);
    collect(&c->sink, &m);
}

static int parse(struct intake *in, struct intake_batch *ret) {
    struct collector c = { .sink = { .record = collect, .now = in->now } };
    bool nothing;
    int r;

    memset(ret, 0, sizeof(*ret));
    r = job_module(in->job, in->door)->connector->parse(in->door->settings, in->bytes, &c.sink);
    nothing = r >= 0 && c.count == 0;
    if (r < 0)
        collect_stub(&c, in->bytes, NOTE_GARBAGE);
    else if (nothing)
        collect_stub(&c, in->bytes, NOTE_EMPTY);
    r = complete_all(in, c.records, c.count, ret);
    free(c.records);
    if (r == 0 && nothing)
        ret->items[0].dead = true;
    return r;
}

int intake_parse(struct job *j, struct conf_account *door, const struct aduan_bytes *bytes, int64_t now,
                 struct intake_batch *ret) {
    struct intake in = { .job = j, .door = door, .bytes = bytes, .now = now };

    return parse(&in, ret);
}

int intake_hook(struct job *j, struct conf_account *door, const struct aduan_hook_request *request, int64_t now,
                struct intake_batch *ret) {
    struct aduan_bytes bytes = { .bytes = request->body, .len = request->body_len };
    struct intake in = { .job = j, .door = door, .bytes = &bytes, .request = request, .now = now };

    return parse(&in, ret);
}

int intake_stub(struct job *j, struct conf_account *door, const struct aduan_bytes *bytes, int64_t now,
                const char *note, struct intake_batch *ret) {
    struct collector c = { .sink = { .record = collect, .now = now } };
    int r;

    memset(ret, 0, sizeof(*ret));
    collect_stub(&c, bytes, note);
    r = intake_records(j, door, c.records, c.count, bytes, now, ret);
    free(c.records);
    return r;
}

void intake_clear(struct intake_batch *b) {
    size_t i;

    for (i = 0; i < b->count; i++) {
        free((char *)(uintptr_t)b->items[i].in.record);
        aduan_message_clear(&b->items[i].message);
    }
    free(b->items);
    memset(b, 0, sizeof(*b));
}
