/*
 * loop.c: the smallest connector: a tutorial, and the double that the crash tests drive.
 *
 * Its "platform" is a directory. What lies in `inbox` comes in, one file at a time in the order of
 * their names; what is sent becomes a line at the end of `outbox`. Webhooks come in, too, signed
 * like Meta's. docs/connectors.md walks through this file from top to bottom.
 *
 * A file or body is JSON, one message or a list of them, or plain text that is one message:
 *
 *   {"id", "from", "name", "phone", "address", "text", "subject", "sent_at" (ms), "reply_to", "to",
 *    "conversation" (default: from), "public", "kind" (default: "message"),
 *    "attachments": [{"name", "type", "text" (its bytes) | "source" (a file below `media`, or a URL)}],
 *    "status": {"state", "platform_id", "answer", "reason", "window_closed"}}
 *
 * It misbehaves on request: see loop_fault.h, which a real connector has no need of.
 */
#include "loop_fault.h"
#include "loop_outbox.h"

#include "kit/hook.h"
#include "kit/json.h"
#include "kit/sign.h"
#include "kit/step.h"
#include "kit/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ------------------------------------------------------------------ settings
 *
 * The table fills this struct before any function below is called. */

struct loop_settings {
    char *inbox, *outbox, *done, *media, *fault, *address;
    int64_t poll;
    bool template_set;
    struct aduan_secret secret;
};

static const struct aduan_setting settings[] = {
    ADUAN_SET_STRING("inbox", struct loop_settings, inbox, NULL, 0,
                     "Folder berisi pesan masuk, satu berkas satu pesan / Folder of incoming files"),
    ADUAN_SET_STRING(
        "outbox", struct loop_settings, outbox, NULL, 0,
        "Berkas (atau folder) tempat jawaban dicatat / File (or folder) where answers are appended"),
    ADUAN_SET_STRING(
        "done", struct loop_settings, done, NULL, 0,
        "Folder untuk berkas yang sudah diterima; kosong: berkas tetap di tempat, dilewati menurut nama / "
        "Folder for accepted files; empty: files stay and are stepped past by name"),
    ADUAN_SET_STRING("media", struct loop_settings, media, NULL, 0,
                     "Folder asal lampiran / Folder that attachments are fetched from"),
    ADUAN_SET_STRING("fault", struct loop_settings, fault, NULL, 0,
                     "Folder berisi gangguan yang diminta / Folder of faults to play (tests)"),
    ADUAN_SET_STRING("address", struct loop_settings, address, NULL, 0,
                     "Alamat kita sendiri / Our own address, matched with a message's \"to\""),
    ADUAN_SET_DURATION("poll", struct loop_settings, poll, "200ms", 10, 3600000,
                       "Jeda antara dua kali melihat inbox / Pause between two looks at the inbox"),
    ADUAN_SET_BOOL("template", struct loop_settings, template_set, "false",
                   "Jendela yang tertutup dapat dibuka / A closed window can be opened"),
    ADUAN_SET_SECRET("secret", struct loop_settings, secret, ADUAN_FOR_GATEWAY,
                     "Rahasia tanda tangan /hook/NAME / Secret that signs what is posted to /hook/NAME"),
    ADUAN_SET_END,
};

static const char *address(const void *settings_) {
    return ((const struct loop_settings *)settings_)->address;
}

static bool has_template(const void *settings_) {
    return ((const struct loop_settings *)settings_)->template_set;
}

/* ------------------------------------------------------------ verify and parse
 *
 * Pure functions over bytes: no file, no clock, no memory of what was before. */

static int verify(const void *settings_, const struct aduan_hook_request *req,
                  struct aduan_hook_answer *ret_answer) {
    const struct loop_settings *s = settings_;

    if (strcmp(req->method, "POST") != 0)
        return hook_answer(ret_answer, 403, "");
    if (!hook_signed(req, "x-loop-signature", &s->secret, 1))
        return hook_answer(ret_answer, 401, "");
    return 0;
}

static char *id_of(const void *bytes, size_t n) {
    char hex[SIGN_HEX256];

    sign_sha256_hex(bytes, n, hex);
    return xasprintf("sha256-%s", hex);
}

static void keep_raw(struct aduan_message *m, const void *bytes, size_t n) {
    m->raw = xcalloc(n, 1);
    memcpy(m->raw, bytes, n);
    m->raw_len = n;
}

static void parse_attachment(struct aduan_message *m, const json_t *item) {
    struct aduan_attachment *a = aduan_message_add_attachment(m);
    const json_t *text = js_get(item, "text");
    char *name = js_text(item, "name");

    a->name = text_clean_filename(name != NULL ? name : "", name != NULL ? strlen(name) : 0);
    a->type = js_line(item, "type", 100);
    if (a->type == NULL)
        a->type = xstrdup("text/plain");
    free(name);
    if (json_is_string(text)) {
        a->state = ADUAN_ATTACHMENT_STORED; /* the core stores data before anything is accepted */
        a->size = (int64_t)json_string_length(text);
        a->data = xcalloc((size_t)a->size + 1, 1);
        memcpy(a->data, json_string_value(text), (size_t)a->size);
        a->data_len = (size_t)a->size;
    } else {
        a->state = ADUAN_ATTACHMENT_PENDING;
        a->source = js_text(item, "source");
        if (a->source == NULL)
            a->source = xstrdup("");
    }
}

static void parse_fields(struct aduan_message *m, const json_t *o) {
    const json_t *item;
    size_t i;

    m->to = js_id(o, "to");
    m->sender.id = js_id(o, "from");
    m->sender.name = js_line(o, "name", 200);
    m->sender.phone = js_line(o, "phone", 40);
    m->sender.address = js_line(o, "address", 320);
    m->conversation = js_id(o, "conversation");
    if (m->conversation == NULL)
        m->conversation = m->sender.id != NULL ? xstrdup(m->sender.id) : xstrdup("loop");
    m->subject = js_line(o, "subject", 1000);
    m->text = js_text(o, "text");
    m->sent_at = js_int(o, "sent_at", 0);
    m->reply_to = js_id(o, "reply_to");
    m->is_public = js_true(o, "public");
    m->status.state = js_line(o, "status.state", 40);
    m->status.platform_id = js_id(o, "status.platform_id");
    m->status.answer = js_id(o, "status.answer");
    m->status.reason = js_line(o, "status.reason", 400);
    m->status.window_closed = js_true(o, "status.window_closed");
    json_array_foreach(js_get(o, "attachments"), i, item) parse_attachment(m, item);
}

/* One message. What it cannot make sense of becomes a record that says so: never nothing. */
static int parse_one(const json_t *o, struct aduan_sink *sink) {
    struct aduan_message m = { .kind = ADUAN_KIND_MESSAGE };
    char *dump = json_dumps(o, JSON_COMPACT | JSON_ENCODE_ANY);
    char *raw = xasprintf("[%s]", dump); /* parses to this record again, whatever it is */
    const char *kind = js_str(o, "kind");
    int r;

    keep_raw(&m, raw, strlen(raw));
    m.platform_id = js_id(o, "id");
    if (m.platform_id == NULL)
        m.platform_id = id_of(raw, strlen(raw));
    parse_fields(&m, o);
    if (!json_is_object(o) || (kind != NULL && aduan_kind_parse(kind, &m.kind) < 0) ||
        (m.kind == ADUAN_KIND_STATUS && m.status.state == NULL)) {
        m.kind = ADUAN_KIND_UNPARSED;
        m.note = xstrdup("Isi pesan tidak dikenal / the message makes no sense");
    }
    if (m.text == NULL)
        m.text = xstrdup("");
    free(raw);
    free(dump);
    r = sink->record(sink, &m);
    aduan_message_clear(&m); /* the sink took what it wanted */
    return r;
}

static int parse_text(const struct aduan_bytes *in, struct aduan_sink *sink) {
    struct aduan_message m = { .kind = ADUAN_KIND_MESSAGE };
    int r;

    if (in->len == 0 || !text_is_utf8(in->bytes, in->len))
        return -EINVAL;
    m.platform_id = in->id != NULL ? text_clean(in->id, strlen(in->id)) : id_of(in->bytes, in->len);
    m.conversation = xstrdup("loop");
    m.sender.id = xstrdup("loop");
    m.text = text_clean(in->bytes, in->len);
    keep_raw(&m, in->bytes, in->len);
    r = sink->record(sink, &m);
    aduan_message_clear(&m);
    return r;
}

static int parse(const void *settings_, const struct aduan_bytes *in, struct aduan_sink *sink) {
    const char *p = in->bytes;
    json_t *json;
    const json_t *item;
    size_t i;
    int r = 0;

    (void)settings_;
    if (in->len == 0 || (p[0] != '{' && p[0] != '['))
        return parse_text(in, sink);
    json = js_load(in->bytes, in->len);
    if (json == NULL)
        return -EINVAL; /* the core keeps the bytes as one record for an officer */
    if (json_is_object(json))
        r = parse_one(json, sink);
    json_array_foreach(json, i, item) {
        if (r == 0)
            r = parse_one(item, sink);
    }
    json_decref(json);
    return r;
}

/* ------------------------------------------------------------------- context
 *
 * From here on the functions run in a worker of their own, with a host to talk to. */

struct loop {
    struct aduan_host *host;
    const struct loop_settings *settings;
    char **files; /* emitted, by cookie */
    size_t count;
    char *last; /* without `done`: the file we are past, this run */
    struct loop_faults faults;
};

static int64_t now(struct loop *l) {
    return l->host->ops->now(l->host);
}

static void *loop_close(void *ctx) {
    struct loop *l = ctx;

    if (l == NULL)
        return NULL;
    while (l->count > 0)
        free(l->files[--l->count]);
    free(l->files);
    free(l->last);
    json_decref(l->faults.struck);
    free(l);
    return NULL;
}

static int loop_open(struct aduan_host *host, const void *settings_, void **ret_ctx) {
    struct loop *l = xcalloc(1, sizeof(*l));

    l->host = host;
    l->settings = settings_;
    l->faults.directory = l->settings->fault;
    l->faults.struck = json_object();
    if (l->settings->done[0] != '\0')
        mkdir(l->settings->done, 0750);
    *ret_ctx = l;
    return 0;
}

/* ------------------------------------------------------------------- inbound
 *
 * pull() hands out what is there; the core makes it durable and only then calls commit(). */

static int wanted(const struct dirent *e) {
    return e->d_name[0] != '.' && !text_ends(e->d_name, ".tmp");
}

static int emit_file(struct loop *l, const char *name) {
    char *path = xasprintf("%s/%s", l->settings->inbox, name);
    struct aduan_raw raw = { .mark = "file", .mark_value = name, .cookie = l->count };
    char *content = loop_read_file(path, &raw.len);
    int r = 0;

    if (content != NULL) {
        raw.bytes = content;
        raw.id = text_ends(name, ".json") ? NULL : name; /* JSON brings its own ids */
        l->files = xrealloc(l->files, l->count + 1, sizeof(*l->files));
        l->files[l->count++] = xstrdup(name);
        r = l->host->ops->emit(l->host, &raw);
    }
    free(content);
    free(path);
    return r;
}

/* Without `done` the files stay, and the mark says how far we are. It moves only with an accepted
 * message, so a restart begins where the last acceptance ended. */
static bool is_past(struct loop *l, const char *name) {
    const char *mark;

    if (l->settings->done[0] != '\0')
        return false;
    if (l->last == NULL) {
        mark = l->host->ops->mark(l->host, "file");
        l->last = xstrdup(mark != NULL ? mark : "");
    }
    return strcmp(name, l->last) <= 0;
}

static void step_past(struct loop *l, const char *name) {
    free(l->last);
    l->last = xstrdup(name);
}

/* All files that are there now. Returns how many were emitted, or -errno, or ADUAN_STOPPING as *ret. */
static int emit_all(struct loop *l, size_t *ret_count) {
    struct dirent **entries;
    int i, n = scandir(l->settings->inbox, &entries, wanted, alphasort);
    int r = 0;

    *ret_count = 0;
    if (n < 0)
        return errno == ENOENT ? 0 : -errno;
    for (i = 0; i < n; i++) {
        if (r == 0 && !is_past(l, entries[i]->d_name)) {
            r = emit_file(l, entries[i]->d_name);
            if (r == 0 && l->settings->done[0] == '\0')
                step_past(l, entries[i]->d_name);
            (*ret_count)++;
        }
        free(entries[i]);
    }
    free(entries);
    return r == 0 && *ret_count > 0 ? l->host->ops->flush(l->host) : r;
}

static int pull(void *ctx, int64_t wait_ms, struct aduan_result *ret) {
    struct loop *l = ctx;
    int64_t end = now(l) + wait_ms;
    size_t count;
    int r;

    if (loop_fault_ends(&l->faults, "pull", ret))
        return (int)ret->outcome;
    do {
        r = emit_all(l, &count);
        if (r != 0 || count > 0)
            break;
        r = l->host->ops->pause(l->host, l->settings->poll);
    } while (r == ADUAN_TIMEOUT && now(l) < end);
    if (r >= 0)
        return 0;
    /* Not accepted: show it all again next time, from the mark on. */
    free(l->last);
    l->last = NULL;
    return r;
}

/* Cosmetic: a file that is not moved is emitted again, and the core knows its messages already. */
static int commit(void *ctx, const uint64_t *cookies, size_t count) {
    struct loop *l = ctx;
    char *from, *to;
    size_t i;

    for (i = 0; i < count && l->settings->done[0] != '\0'; i++) {
        if (cookies[i] >= l->count || l->files[cookies[i]] == NULL)
            continue;
        from = xasprintf("%s/%s", l->settings->inbox, l->files[cookies[i]]);
        to = xasprintf("%s/%s", l->settings->done, l->files[cookies[i]]);
        STEP("loop.move");
        rename(from, to);
        STEP("loop.moved");
        free(from);
        free(to);
        free(l->files[cookies[i]]);
        l->files[cookies[i]] = NULL;
    }
    return 0;
}

/* ------------------------------------------------------------------ outbound
 *
 * send() ends in exactly one done(), now or from a later callback. */

static void deliver_and_tell(struct loop *l, const struct aduan_answer *a, struct aduan_result *ret) {
    const char *outbox = l->settings->outbox, *account = l->host->account;
    int attempt = loop_deliveries(outbox, account, a->id) + 1;
    int r = loop_deliver(outbox, account, a, attempt, now(l));

    if (r < 0) {
        ret->outcome = ADUAN_LATER;
        snprintf(ret->reason, sizeof(ret->reason), "outbox: %s", strerror(-r));
        return;
    }
    ret->outcome = ADUAN_SENT;
    snprintf(ret->platform_id, sizeof(ret->platform_id), "loop-%s-%d", a->id, attempt);
}

static void loop_send(void *ctx, const struct aduan_answer *answer, uint64_t token) {
    struct loop *l = ctx;
    struct aduan_result result = { 0 }, claim;
    bool claimed = loop_fault_before_send(&l->faults, answer, &claim);

    if (!claimed || loop_fault_delivers(&l->faults))
        deliver_and_tell(l, answer, &result);
    if (loop_fault_after_send(&l->faults))
        return; /* never says how it ended */
    if (claimed && (result.outcome == 0 || result.outcome == ADUAN_SENT))
        result = claim;
    l->host->ops->done(l->host, token, &result);
}

/* This platform can tell what it has got, so nothing needs to stay uncertain. */
static void find(void *ctx, const struct aduan_answer *answer, struct aduan_result *ret) {
    struct loop *l = ctx;
    int n;

    memset(ret, 0, sizeof(*ret));
    if (loop_fault_ends(&l->faults, "find", ret))
        return;
    n = loop_deliveries(l->settings->outbox, l->host->account, answer->id);
    ret->outcome = n > 0 ? ADUAN_SENT : ADUAN_LATER;
    if (n > 0)
        snprintf(ret->platform_id, sizeof(ret->platform_id), "loop-%s-1", answer->id);
}

/* --------------------------------------------------------------------- media */

struct fetch {
    struct loop *loop;
    uint64_t token;
    char *type;
};

static void fetch_end(struct fetch *f, struct aduan_result *result, const char *sha256, int64_t size) {
    struct aduan_host *h = f->loop->host;

    h->ops->fetched(h, f->token, result, sha256, size, f->type);
    free(f->type);
    free(f);
}

static void fetch_answered(void *arg, const struct aduan_http_response *r) {
    struct aduan_result result = { .outcome = ADUAN_SENT };

    if (r->state != ADUAN_HTTP_DONE || r->status >= 500)
        result.outcome = ADUAN_LATER;
    else if (r->status != 200)
        result.outcome = ADUAN_NEVER;
    if (result.outcome != ADUAN_SENT)
        snprintf(result.reason, sizeof(result.reason), "%s",
                 r->error != NULL ? r->error : "the server refused it");
    fetch_end(arg, &result, r->sha256, r->size);
}

/* A file below `media`; never outside of it, for the name came with a message. */
static void fetch_file(struct fetch *f, const char *source) {
    struct aduan_host *h = f->loop->host;
    struct aduan_result result = { .outcome = ADUAN_NEVER };
    char *path = xasprintf("%s/%s", f->loop->settings->media, source);
    char sha256[SIGN_HEX256] = "";
    size_t n = 0;
    char *content = strstr(source, "..") == NULL ? loop_read_file(path, &n) : NULL;

    if (content == NULL || h->ops->blob_put == NULL)
        snprintf(result.reason, sizeof(result.reason), "no such file");
    else if (h->ops->blob_put(h, content, n, sha256) < 0)
        result.outcome = ADUAN_LATER;
    else
        result.outcome = ADUAN_SENT;
    free(content);
    free(path);
    fetch_end(f, &result, sha256, (int64_t)n);
}

static void fetch(void *ctx, const struct aduan_attachment *attachment, uint64_t token) {
    struct loop *l = ctx;
    struct fetch *f = xcalloc(1, sizeof(*f));
    struct aduan_http_request req = { .method = "GET", .url = attachment->source, .to_blob = true };
    struct aduan_result result;

    *f = (struct fetch){ .loop = l, .token = token, .type = xstrdup(attachment->type) };
    if (loop_fault_ends(&l->faults, "fetch", &result)) {
        fetch_end(f, &result, "", 0);
    } else if (!text_starts(attachment->source, "http")) {
        fetch_file(f, attachment->source);
    } else if (l->host->ops->http(l->host, &req, fetch_answered, f) != 0) {
        result = (struct aduan_result){ .outcome = ADUAN_LATER, .reason = "the host takes no transfer" };
        fetch_end(f, &result, "", 0);
    }
}

/* ---------------------------------------------------------- health and proof */

static void probe(void *ctx, struct aduan_result *ret) {
    struct loop *l = ctx;

    memset(ret, 0, sizeof(*ret));
    if (loop_fault_ends(&l->faults, "probe", ret))
        return;
    ret->outcome = ADUAN_SENT;
    if (l->settings->inbox[0] == '\0' || access(l->settings->inbox, R_OK | X_OK) == 0)
        return;
    ret->outcome = ADUAN_REFUSED;
    snprintf(ret->reason, sizeof(ret->reason), "inbox: %s", strerror(errno));
}

static int count_record(struct aduan_sink *sink, struct aduan_message *m) {
    sink->now +=
        m->kind == ADUAN_KIND_MESSAGE && strcmp(m->platform_id, "1") == 0 && strcmp(m->text, "Halo") == 0;
    aduan_message_clear(m);
    return 0;
}

/* What is shipped proves itself with samples it carries, at `aduand -n`: no network, no file. */
static int selftest(char *why, size_t why_size) {
    static const char body[] = "{\"id\":\"1\",\"from\":\"siti\",\"text\":\"Halo\"}";
    struct aduan_header header = { "x-loop-signature",
                                   "sha256=f768e007f82b1a2002fd3985fefe0c12596e7e97f266e63f985945f975ef17af" };
    struct loop_settings s = { .secret = { (char *)(uintptr_t) "rahasia", 7 } };
    struct aduan_hook_request req = { "POST", "", &header, 1, body, sizeof(body) - 1 };
    struct aduan_bytes in = { .bytes = body, .len = sizeof(body) - 1 };
    struct aduan_sink sink = { .record = count_record };
    struct aduan_hook_answer answer;

    if (verify(&s, &req, &answer) != 0) {
        snprintf(why, why_size, "a good signature was refused");
        return -1;
    }
    req.body_len--;
    if (verify(&s, &req, &answer) != ADUAN_HOOK_ANSWER || answer.status != 401) {
        snprintf(why, why_size, "a bad signature was believed");
        return -1;
    }
    if (parse(&s, &in, &sink) != 0 || sink.now != 1) {
        snprintf(why, why_size, "the sample was not read");
        return -1;
    }
    return 0;
}

ADUAN_CONNECTOR = {
    ADUAN_CONNECTOR_HEAD,
    .type = "loop",
    .channel = "loop",
    .summary = "folder lokal untuk belajar dan uji coba / a local folder, to learn and to test",
    .capabilities = ADUAN_CAP_PULL | ADUAN_CAP_PUSH | ADUAN_CAP_SEND | ADUAN_CAP_MEDIA | ADUAN_CAP_RECEIPTS |
                    ADUAN_CAP_FIND | ADUAN_CAP_ATTACH | ADUAN_CAP_PUBLIC | ADUAN_CAP_TEMPLATE,
    .traits = { .text_max = 65536, .attachment_max = 25 * 1024 * 1024 },
    .settings = settings,
    .settings_size = sizeof(struct loop_settings),
    .selftest = selftest,
    .address = address,
    .has_template = has_template,
    .verify = verify,
    .parse = parse,
    .open = loop_open,
    .pull = pull,
    .commit = commit,
    .send = loop_send,
    .find = find,
    .fetch = fetch,
    .probe = probe,
    .close = loop_close,
};
