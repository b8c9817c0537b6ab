/* desk_rig.c: starts what a desk needs and plays its neighbours. */
#include "desk_rig.h"

#include "desk/view.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t rig_day = 24 * 3600 * 1000LL;

/* A platform as Facebook is: to a public comment one private reply within seven days, pictures only. */
static int fb_fits(const void *arg, const struct aduan_answer *a, char *why, size_t why_size) {
    const char *fault = NULL;
    size_t i;

    if (strcmp(arg, "fb") != 0)
        abort();
    if (!a->is_public && text_starts(a->conversation, "public:") &&
        (a->answered_before > 0 || a->queued_at > a->heard_at + 7 * rig_day))
        fault = "Hanya satu balasan pribadi / only one private reply";
    if (text_characters(a->text) > 2000)
        fault = "Teks melebihi 2000 karakter / over 2000 characters";
    for (i = 0; i < a->attachment_count; i++)
        if (!text_starts(a->attachments[i].type, "image/"))
            fault = "Hanya gambar / pictures only";
    if (fault == NULL)
        return 0;
    snprintf(why, why_size, "%s", fault);
    return -1;
}

int (*rig_document)(const void *document, size_t len, int64_t now, struct aduan_message *ret);

static int loket_read(const void *arg, const void *document, size_t len, int64_t now,
                      struct aduan_message *ret) {
    (void)arg;
    return rig_document != NULL ? rig_document(document, len, now, ret) : -1;
}

static const struct desk_account accounts[] = {
    { .name = "gmail",
      .type = "email",
      .channel = "email",
      .address = "kantor@example.com",
      .can_send = true,
      .can_attach = true,
      .attachment_max = 20 << 20 },
    { .name = "wa",
      .type = "whatsapp",
      .channel = "whatsapp",
      .address = "1065",
      .can_send = true,
      .can_attach = true,
      .has_template = true,
      .window_ms = 24 * 3600 * 1000LL,
      .window_person_ms = 24 * 3600 * 1000LL,
      .text_max = 4096,
      .attachment_max = 1000 },
    { .name = "ig",
      .type = "instagram",
      .channel = "instagram",
      .address = "77",
      .can_send = true,
      .has_public = true,
      .window_ms = 24 * 3600 * 1000LL,
      .window_person_ms = 7 * 24 * 3600 * 1000LL,
      .text_max = 1000,
      .text_max_is_bytes = true },
    { .name = "fb",
      .type = "facebook",
      .channel = "facebook",
      .address = "88",
      .can_send = true,
      .can_attach = true,
      .has_public = true,
      .window_ms = 24 * 3600 * 1000LL,
      .window_person_ms = 7 * 24 * 3600 * 1000LL,
      .fits = fb_fits,
      .fits_arg = "fb" },
    { .name = "yahoo",
      .type = "email",
      .channel = "email",
      .address = "kantor@yahoo.example",
      .can_send = true,
      .can_attach = true },
    { .name = "box",
      .type = "maildir",
      .channel = "maildir",
      .address = "pengaduan@kantor.example",
      .can_send = true,
      .can_attach = true },
    { .name = "loket",
      .type = "counter",
      .channel = "counter",
      .address = "",
      .can_send = true,
      .can_attach = true,
      .by_hand = true,
      .attachment_max = 20 << 20,
      .read = loket_read },
    { .name = "lapor",
      .type = "lapor",
      .channel = "lapor",
      .address = "",
      .can_send = true,
      .can_attach = true,
      .by_hand = true,
      .text_max = 1000 },
    { .name = "lapor-api",
      .type = "lapor",
      .channel = "lapor",
      .address = "",
      .can_send = true,
      .can_attach = true,
      .text_max = 1000 },
};
enum { ACCOUNTS = sizeof(accounts) / sizeof(accounts[0]) };

static void check(bool ok, const char *what) {
    if (ok)
        return;
    fprintf(stderr, "rig: %s\n", what);
    abort();
}

void rig_start(struct rig *r) {
    memset(r, 0, sizeof(*r));
    redis_start(&r->redis, "");
    snprintf(r->state, sizeof(r->state), "/tmp/aduan-desk-XXXXXX");
    check(mkdtemp(r->state) != NULL, "mkdtemp");
    r->now = 1791162720000; /* 2026-10-05 09:12 WIB, a Monday */
    r->conf.office.name = (char *)"Kantor";
    r->conf.office.code = (char *)"TPI";
    r->conf.office.timezone = (char *)"Asia/Jakarta";
    r->conf.office.language = (char *)"id";
    r->conf.state = r->state;
    r->conf.policy = (char *)SOURCE_DIR "/conf";
    r->queue = redis_queue(&r->redis, 5000);
}

void rig_stop(struct rig *r) {
    reg_close(r->reg);
    queue_free(r->queue);
    redis_stop(&r->redis);
    remove_tree(r->state);
}

void rig_reset(struct rig *r) {
    int tries = 0;

    r->reg = reg_close(r->reg);
    while (queue_ping(r->queue) != 0 && tries++ < 100)
        usleep(50000); /* it was killed and is connected again */
    redis_do(&r->redis, "FLUSHALL");
    remove_tree(r->state);
    check(mkdir(r->state, 0700) == 0, "mkdir");
}

struct run {
    struct rig *rig;
    struct queue *queue;
};

static void host_log(void *arg, int level, const char *fmt, ...) {
    struct run *run = arg;
    size_t used = strlen(run->rig->log);
    va_list ap;

    (void)level;
    va_start(ap, fmt);
    vsnprintf(run->rig->log + used, sizeof(run->rig->log) - used, fmt, ap);
    va_end(ap);
    used = strlen(run->rig->log);
    if (used + 2 < sizeof(run->rig->log))
        strcpy(run->rig->log + used, "\n");
    if (getenv("RIG_LOG") != NULL)
        fprintf(stderr, "desk: %s", run->rig->log);
}

static int one_more(void *arg, const struct reg_out *o) {
    (void)o;
    ++*(size_t *)arg;
    return 0;
}

static int one_burial(void *arg, const struct reg_burial *b) {
    (void)b;
    ++*(size_t *)arg;
    return 0;
}

static bool register_is_busy(struct rig *r) {
    struct reg *reg;
    size_t left = 0;
    char why[200];

    if (reg_open(r->state, REG_READ, &reg, why, sizeof(why)) != 0)
        return true;
    reg_out_list(reg, REG_OUT_READY, 10, one_more, &left);
    reg_out_list(reg, REG_OUT_ENDED, 10, one_more, &left);
    reg_burial_list(reg, 10, one_burial, &left);
    reg_close(reg);
    return left > 0;
}

static bool streams_are_busy(struct run *run) {
    static const char *const streams[] = { "in", "event" };
    int64_t count, oldest;
    size_t i, k;

    for (i = 0; i < ACCOUNTS; i++)
        for (k = 0; k < 2; k++)
            if (queue_depth(run->queue, accounts[i].name, streams[k], 0, &count, &oldest) != 0 || count > 0)
                return true;
    return queue_depth(run->queue, "desk", "do", 0, &count, &oldest) != 0 || count > 0;
}

static bool host_stopping(void *arg) {
    struct run *run = arg;

    if (run->rig->turns++ < 1)
        return false;
    if (run->rig->turns > 100000)
        return true;
    return !streams_are_busy(run) && (run->rig->commit_only || !register_is_busy(run->rig));
}

static void host_alive(void *arg) {
    (void)arg;
}

static void host_health(void *arg, json_t *fields) {
    (void)arg;
    json_decref(fields);
}

static int64_t host_now(void *arg) {
    struct run *run = arg;

    return run->rig->now;
}

int rig_run(struct rig *r) {
    struct run run = { .rig = r, .queue = redis_queue(&r->redis, 5000) };
    struct queue *queue = redis_queue(&r->redis, 5000);
    struct blob_store *blobs = NULL;
    struct desk_options o = {
        .conf = &r->conf, .accounts = accounts, .account_count = ACCOUNTS, .queue = queue
    };
    struct desk_host host = { .arg = &run,
                              .log = host_log,
                              .stopping = host_stopping,
                              .alive = host_alive,
                              .health = host_health,
                              .now = host_now };
    int status;

    check(blob_store_open(r->state, &blobs) == 0, "blob store");
    o.blobs = blobs;
    r->turns = 0;
    r->log[0] = '\0';
    status = desk_run(&o, &host);
    blob_store_close(blobs);
    queue_free(queue);
    queue_free(run.queue);
    return status;
}

struct reg *rig_reader(struct rig *r) {
    char why[200] = "";

    r->reg = reg_close(r->reg);
    if (reg_open(r->state, REG_READ, &r->reg, why, sizeof(why)) != 0) {
        fprintf(stderr, "rig: %s\n", why);
        abort();
    }
    return r->reg;
}

json_t *rig_show(struct rig *r, const char *number) {
    int rc;

    return view_case(rig_reader(r), number, r->now, 420, &rc);
}

json_t *rig_tickets(struct rig *r) {
    struct reg_filter all = { .limit = 10000 };
    int rc;

    return view_cases(rig_reader(r), &all, r->now, 420, &rc);
}

size_t rig_case_count(struct rig *r) {
    json_t *all = rig_tickets(r);
    size_t n = json_array_size(all);

    json_decref(all);
    return n;
}

json_t *rig_out(struct rig *r, const char *account) {
    redisReply *reply = redis_do(&r->redis, "XRANGE aduan:{%s}:out - +", account);
    json_t *all = json_array();
    size_t i, k;

    for (i = 0; i < reply->elements; i++) {
        redisReply *fields = reply->element[i]->element[1];

        for (k = 0; k + 1 < fields->elements; k += 2)
            if (strcmp(fields->element[k]->str, "record") == 0)
                json_array_append_new(all, json_loads(fields->element[k + 1]->str, 0, NULL));
    }
    return all;
}

static int count_dead(void *arg, const struct queue_dead *d) {
    (void)d;
    ++*(size_t *)arg;
    return 0;
}

size_t rig_dead_count(struct rig *r, const char *account) {
    size_t n = 0;

    queue_dead_list(r->queue, account, count_dead, &n);
    return n;
}

struct nth_dead {
    size_t left;
    char *id;
};

static int pick_dead(void *arg, const struct queue_dead *d) {
    struct nth_dead *n = arg;

    if (n->left-- == 0)
        n->id = xstrdup(d->id);
    return 0;
}

char *rig_dead_id(struct rig *r, const char *account, size_t nth) {
    struct nth_dead n = { .left = nth };

    queue_dead_list(r->queue, account, pick_dead, &n);
    return n.id;
}

/* ------------------------------------------------------------------ messages */

struct aduan_message rig_record(struct rig *r, enum aduan_kind kind, const char *account, const char *channel,
                                const char *platform_id) {
    struct aduan_message m = { .kind = kind };

    m.account = xstrdup(account);
    m.channel = xstrdup(channel);
    m.platform_id = xstrdup(platform_id);
    m.id = xasprintf("%s/%s", account, platform_id);
    m.text = xstrdup("");
    m.received_at = r->now;
    m.sent_at = r->now;
    return m;
}

void rig_accept(struct rig *r, const char *account, struct aduan_message *m) {
    json_t *json = aduan_message_to_json(m);
    char *record = json_dumps(json, JSON_COMPACT);
    struct queue_in in = {
        .id = m->id, .record = record, .record_len = strlen(record), .raw = "raw bytes", .raw_len = 9
    };
    size_t fresh;

    check(queue_accept(r->queue, account, &in, 1, NULL, 0, NULL, &fresh) == 0, "accept");
    free(record);
    json_decref(json);
    aduan_message_clear(m);
}

void rig_mail(struct rig *r, const struct mail *mail) {
    const char *account = mail->account != NULL ? mail->account : "gmail";
    const char *channel = strcmp(account, "box") == 0 ? "maildir" : "email";
    struct aduan_message m = rig_record(r, ADUAN_KIND_MESSAGE, account, channel, mail->id);

    m.message_id = xstrdup(mail->id);
    m.conversation = xstrdup(mail->from);
    m.sender.id = xstrdup(mail->from);
    m.sender.address = xstrdup(mail->from);
    m.sender.name = xstrdup("Nama Profil");
    m.subject = xstrdup(mail->subject != NULL ? mail->subject : "Keluhan paspor");
    free(m.text);
    m.text = xstrdup(mail->text != NULL ? mail->text
                                        : "Saya mau bertanya kapan paspor saya selesai, mohon bantuannya.");
    m.reply_to = xstrdup(mail->reply_to);
    if (mail->references != NULL)
        aduan_message_add_reference(&m, mail->references);
    m.flags = mail->flags;
    if (mail->sent_at != 0)
        m.sent_at = mail->sent_at;
    rig_accept(r, account, &m);
}

void rig_chat(struct rig *r, const char *id, const char *phone, const char *text, int64_t sent_at) {
    struct aduan_message m = rig_record(r, ADUAN_KIND_MESSAGE, "wa", "whatsapp", id);

    m.conversation = xstrdup(phone);
    m.sender.id = xstrdup(phone);
    m.sender.phone = xasprintf("+%s", phone);
    free(m.text);
    m.text = xstrdup(text);
    if (sent_at != 0)
        m.sent_at = sent_at;
    rig_accept(r, "wa", &m);
}

void rig_comment(struct rig *r, const char *account, const char *id, const char *author, const char *text) {
    const char *channel = strcmp(account, "ig") == 0 ? "instagram" : "facebook";
    struct aduan_message m = rig_record(r, ADUAN_KIND_MESSAGE, account, channel, id);

    m.is_public = true;
    m.conversation = xasprintf("public:post1:%s", author);
    m.sender.id = xstrdup(author);
    m.sender.name = xstrdup("Siti Rahma");
    m.sender.handle = xstrdup("sitirahma");
    m.reply_to = xstrdup("post1");
    free(m.text);
    m.text = xstrdup(text);
    rig_accept(r, account, &m);
}

void rig_direct(struct rig *r, const char *account, const char *id, const char *author, const char *text) {
    const char *channel = strcmp(account, "ig") == 0 ? "instagram" : "facebook";
    struct aduan_message m = rig_record(r, ADUAN_KIND_MESSAGE, account, channel, id);

    m.conversation = xstrdup(author);
    m.sender.id = xstrdup(author);
    free(m.text);
    m.text = xstrdup(text);
    rig_accept(r, account, &m);
}

void rig_event(struct rig *r, const char *account, const char *key, const char *json) {
    check(queue_event(r->queue, account, key, json) == 0, "event");
}

char *rig_settle(struct rig *r, const char *account, size_t nth, enum queue_state state,
                 const char *platform_id, const char *reason) {
    json_t *out = rig_out(r, account);
    char *id = xstrdup(rig_string(json_array_get(out, nth), "id"));
    struct queue_settlement s = { .state = state, .platform_id = platform_id, .reason = reason };
    int attempt = 0;

    json_decref(out);
    check(queue_begin(r->queue, account, id, r->now, &attempt) == 0, "begin");
    check(queue_settle(r->queue, account, id, attempt, "", &s, r->now) == 0, "settle");
    return id;
}

json_t *rig_command(struct rig *r, const char *json, const void *raw, size_t raw_len) {
    int pipe_fd[2], status;
    char buf[8192];
    ssize_t n, used = 0;
    pid_t pid;

    check(pipe(pipe_fd) == 0, "pipe");
    pid = fork();
    if (pid == 0) {
        struct queue *q = redis_queue(&r->redis, 5000);
        json_t *parsed = json_loads(json, 0, NULL);
        const char *named = json_string_value(json_object_get(parsed, "request"));
        char *answer = NULL, *random = xasprintf("rig-%ld", (long)getpid());
        struct queue_order order = { .request = named != NULL ? named : random,
                                     .json = json,
                                     .raw = raw,
                                     .raw_len = raw_len,
                                     .wait_ms = 20000,
                                     .taken_ms = 20000 };

        if (queue_command(q, &order, &answer) == 0 && write(pipe_fd[1], answer, strlen(answer)) < 0)
            _exit(2);
        _exit(0);
    }
    close(pipe_fd[1]);
    while (redis_int(&r->redis, "XLEN aduan:{desk}:do") == 0 && waitpid(pid, &status, WNOHANG) == 0)
        usleep(2000);
    do /* until the client has heard: it may put its command again */
        check(rig_run(r) == 0, "desk failed");
    while (waitpid(pid, &status, WNOHANG) == 0);
    while (used < (ssize_t)sizeof(buf) - 1 &&
           (n = read(pipe_fd[0], buf + used, sizeof(buf) - 1 - (size_t)used)) > 0)
        used += n;
    buf[used] = '\0';
    close(pipe_fd[0]);
    return json_loads(buf, 0, NULL);
}

/* ------------------------------------------------------------------- looking */

const char *rig_string(const json_t *o, const char *key) {
    const char *s = json_string_value(json_object_get(o, key));

    return s != NULL ? s : "";
}

const char *rig_message(const json_t *show, size_t nth, const char *key) {
    return rig_string(json_array_get(json_object_get(show, "messages"), nth), key);
}

size_t rig_events(const json_t *show, const char *event) {
    const json_t *history = json_object_get(show, "history");
    size_t i, n = 0;

    for (i = 0; i < json_array_size(history); i++)
        n += strcmp(rig_string(json_array_get(history, i), "event"), event) == 0;
    return n;
}
