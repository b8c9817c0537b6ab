/*
 * maildir.c: a directory that the office's own mail server delivers to.
 *
 * Mails are parsed, identified and answered by email's own code; only the way in differs. A look
 * lists new/ and cur/ (a mail reader may have moved a mail on before us), oldest first. What this
 * life has emitted is known by its name; after a restart everything that may be new is emitted
 * again, and the host knows by its id what it has. The cursor (the newest time at which a mail came
 * to lie there) only keeps that from being the whole directory.
 */
#include "directory.h"

#include "email/email.h"
#include "email/scan.h"
#include "kit/sign.h"
#include "kit/step.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE = 60 * 1000, KIB = 1024, MIB = 1024 * 1024, PULL_MAX = 500 };
enum { HEAD_MAX = SCAN_HEADER_MAX + 64 * KIB };
enum after { AFTER_KEEP = 0, AFTER_SEEN = 1, AFTER_REMOVE = 2 };
#define DAY ((int64_t)24 * 60 * MINUTE)

/* ------------------------------------------------------------------ settings */

struct maildir_settings {
    struct email_settings mail; /* first: email's functions are given this struct */
    char *path;
    int after;
    int64_t poll, limit, backlog;
};

static const char *const after_names[] = { "keep", "seen", "remove", NULL };

static const struct aduan_setting settings[] = {
    ADUAN_SET_STRING("address", struct maildir_settings, mail.address, NULL, ADUAN_REQUIRED,
                     "Alamat surel kantor / the office's mail address"),
    ADUAN_SET_STRING("from_name", struct maildir_settings, mail.name, "", 0,
                     "Nama pengirim pada jawaban / display name on answers"),
    ADUAN_SET_STRING("path", struct maildir_settings, path, NULL, ADUAN_REQUIRED,
                     "Direktori maildir (berisi new, cur, tmp) / the maildir"),
    ADUAN_SET_CHOICE("after", struct maildir_settings, after, "seen", after_names,
                     "Setelah diterima: keep, seen (pindah ke cur), remove / once accepted"),
    ADUAN_SET_DURATION("poll", struct maildir_settings, poll, "5s", 50, 60 * MINUTE,
                       "Jarak antar melihat direktori / how often to look"),
    ADUAN_SET_SIZE("limit", struct maildir_settings, limit, "30MiB", 64 * KIB, 100 * MIB,
                   "Surat lebih besar hanya dibaca kepalanya / of larger mails only the header is read"),
    ADUAN_SET_DURATION(
        "backlog", struct maildir_settings, backlog, "3d", 0, 3650 * DAY,
        "Kontak pertama: isi cur setua ini juga diambil / first contact: also take what lies in cur"),
    ADUAN_SET_GROUP(
        "smtp", struct maildir_settings, mail.smtp, struct email_smtp_settings, email_smtp_table, 0,
        "Pengiriman; tanpa ini jawaban menunggu petugas / sending; without it answers wait for a person"),
    ADUAN_SET_END,
};

static void check(const void *settings_, aduan_fault_fn fault, void *arg) {
    const struct maildir_settings *s = settings_;

    email_check_address(&s->mail, fault, arg);
    if (s->path[0] != '\0' && s->path[0] != '/')
        fault(arg, "path", "must be an absolute path");
}

static uint32_t able(const void *settings_) {
    const struct maildir_settings *s = settings_;
    uint32_t in = ADUAN_CAP_PULL | ADUAN_CAP_PARSE_APART | ADUAN_CAP_ATTACH;

    return s->mail.smtp.url != NULL && s->mail.smtp.url[0] != '\0' ? in | ADUAN_CAP_SEND | ADUAN_CAP_RECEIPTS
                                                                   : in | ADUAN_CAP_BY_HAND;
}

/* ------------------------------------------------------------------ context */

struct emitted {
    struct directory_mail mail;
    uint64_t cookie;
    bool keep; /* only its header was emitted: what lies here is the only copy */
};

struct known {
    char *name;
    bool stub; /* it could not be read: tried again at each look */
};

/* What a look did with a mail. */
enum taken { TAKEN_NOT = 0, TAKEN_STUB, TAKEN_WHOLE };

struct maildir {
    struct aduan_host *host;
    const struct maildir_settings *settings;
    struct email_settings mail; /* with the parts that a maildir has not, empty */
    void *email;                /* email's own context, for sending */
    struct known *known;        /* emitted in this life, by name */
    size_t known_count;
    struct emitted *waiting; /* for their commit */
    size_t waiting_count;
    uint64_t cookies;
    int64_t mark; /* ms, as the host accepted it, plus what was emitted since */
    bool marked, told;
};

static int64_t now(const struct maildir *d) {
    return d->host->ops->now(d->host);
}

static int maildir_open(struct aduan_host *host, const void *settings_, void **ret_ctx) {
    struct maildir *d = xcalloc(1, sizeof(*d));
    static char none[1];
    int r;

    d->host = host;
    d->settings = settings_;
    d->mail = d->settings->mail;
    d->mail.imap.url = d->mail.imap.user = d->mail.imap.mailbox = d->mail.imap.after = none;
    d->mail.oauth.token_url = d->mail.oauth.client_id = d->mail.oauth.scope = none;
    r = email_open(host, &d->mail, &d->email);
    if (r != 0) {
        free(d);
        return r;
    }
    *ret_ctx = d;
    return 0;
}

static void forget_waiting(struct maildir *d) {
    while (d->waiting_count > 0)
        free(d->waiting[--d->waiting_count].mail.name);
}

static void forget_known(struct maildir *d) {
    while (d->known_count > 0)
        free(d->known[--d->known_count].name);
    free(d->known);
    d->known = NULL;
}

static void *maildir_close(void *ctx) {
    struct maildir *d = ctx;

    if (d == NULL)
        return NULL;
    email_close(d->email);
    forget_waiting(d);
    free(d->waiting);
    forget_known(d);
    free(d);
    return NULL;
}

/* -------------------------------------------------------------- what is new */

static int compare_names(const void *a, const void *b) {
    return strcmp(((const struct known *)a)->name, ((const struct known *)b)->name);
}

static char *base_name(const struct directory_mail *m) {
    return xstrndup(m->name, m->base);
}

/* NULL: not emitted in this life. */
static const struct known *find_known(const struct maildir *d, const struct directory_mail *m) {
    const struct known key = { .name = base_name(m) };
    const struct known *found =
        d->known_count > 0 ? bsearch(&key, d->known, d->known_count, sizeof(d->known[0]), compare_names) : NULL;

    free(key.name);
    return found;
}

/* Of the names known before and the mails now taken, those that still lie there. */
static void know(struct maildir *d, const struct directory_list *l, const enum taken *taken) {
    struct known *now_known = xcalloc(l->count + 1, sizeof(now_known[0]));
    size_t i, n = 0;

    for (i = 0; i < l->count; i++) {
        const struct known *before = find_known(d, &l->items[i]);

        if (taken[i] == TAKEN_NOT && before == NULL)
            continue;
        now_known[n].stub = taken[i] == TAKEN_STUB || (taken[i] == TAKEN_NOT && before->stub);
        now_known[n++].name = base_name(&l->items[i]);
    }
    qsort(now_known, n, sizeof(now_known[0]), compare_names);
    forget_known(d);
    d->known = now_known;
    d->known_count = n;
}

/* From when on what lies in cur/ may be new: a day's margin for clocks that were set back. A mark in the
 * future was made by a clock that was wrong, and says nothing. */
static int64_t horizon(const struct maildir *d) {
    int64_t backlog = d->settings->backlog;

    if (!d->marked)
        return now(d) - backlog;
    return d->mark <= now(d) ? d->mark - DAY : now(d) - (backlog > DAY ? backlog : DAY);
}

/* What lies in new/ is new, where we move it on. What a mail reader moves has its time (ctime) from then. */
static bool may_be_new(const struct maildir *d, const struct directory_mail *m) {
    const struct known *k = find_known(d, m);

    if (k != NULL)
        return k->stub;
    if (!m->in_cur && (d->settings->after != AFTER_KEEP || !d->marked))
        return true;
    return m->changed_ms >= horizon(d);
}

/* ------------------------------------------------------------------------ emit */

static void wait_for_commit(struct maildir *d, const struct directory_mail *m, bool keep) {
    d->waiting = xrealloc(d->waiting, d->waiting_count + 1, sizeof(d->waiting[0]));
    d->waiting[d->waiting_count] = (struct emitted){ .mail = *m, .cookie = d->cookies, .keep = keep };
    d->waiting[d->waiting_count++].mail.name = xstrdup(m->name);
}

/* commits: false leaves it where it lies. */
static int emit(struct maildir *d, const struct directory_mail *m, const struct aduan_raw *bytes,
                bool commits) {
    char mark[32], id[41];
    int64_t at = m->changed_ms < now(d) ? m->changed_ms : now(d);
    struct aduan_raw raw = *bytes;
    int r;

    if (d->mark <= now(d) && d->mark > at)
        at = d->mark;
    scan_id(raw.bytes, raw.len, id);
    snprintf(mark, sizeof(mark), "%lld", (long long)at);
    raw.id = id;
    raw.mark = "maildir";
    raw.mark_value = mark;
    raw.cookie = commits ? ++d->cookies : 0;
    if (commits)
        wait_for_commit(d, m, raw.whole_size > (int64_t)raw.len);
    r = d->host->ops->emit(d->host, &raw);
    if (r != 0)
        return r;
    STEP("maildir.emitted");
    d->mark = at;
    d->marked = true;
    return 0;
}

/* It is there, and cannot be had: an officer must know. The name tells one from the next. */
static int emit_stub(struct maildir *d, const struct directory_mail *m, const char *why) {
    char digest[SIGN_HEX256], *stub;
    struct aduan_raw raw = { .received_at = m->changed_ms < now(d) ? m->changed_ms : 0 };
    int r;

    sign_sha256_hex(m->name, m->base, digest);
    d->host->ops->log(d->host, ADUAN_LOG_WARN, "a mail cannot be read: %s", why);
    stub = xasprintf(
        "Message-ID: <maildir-%.32s@%s>\r\nSubject: (berkas surat tidak dapat dibaca / a mail that cannot "
        "be read: %s)\r\n\r\n",
        digest, d->host->account, why);
    raw.bytes = stub;
    raw.len = strlen(stub);
    raw.whole_size = (int64_t)raw.len + 1;
    r = emit(d, m, &raw, false);
    free(stub);
    return r;
}

/* Of a huge mail only the header, as over IMAP. What somebody moved since the directory was listed is not
 * taken: the next look finds it where it lies then. */
static int take(struct maildir *d, const struct directory_mail *m, enum taken *ret_taken) {
    size_t limit = (size_t)d->settings->limit, len = 0;
    struct aduan_raw raw = { .len = 0 };
    char *bytes, why[160] = "";
    int64_t size = 0, modified = 0;
    int r = directory_read(d->settings->path, m, limit + 1, &bytes, &len, &size, &modified, why, sizeof(why));

    *ret_taken = TAKEN_NOT;
    if (r == DIRECTORY_GONE || (r == DIRECTORY_REFUSED && find_known(d, m) != NULL))
        return 0;
    if (r == DIRECTORY_REFUSED) {
        *ret_taken = TAKEN_STUB;
        return emit_stub(d, m, why);
    }
    if (len > limit) {
        len = scan_body(bytes, len < HEAD_MAX ? len : HEAD_MAX);
        raw.whole_size = size > (int64_t)len ? size : (int64_t)len + 1;
    }
    raw.bytes = bytes;
    raw.len = len;
    raw.received_at = modified > 0 && modified <= now(d) ? modified : 0;
    *ret_taken = TAKEN_WHOLE;
    r = emit(d, m, &raw, true);
    free(bytes);
    return r;
}

/* One look; *ret_count: how many were emitted. At most PULL_MAX, so that a full directory holds up nothing. */
static int look(struct maildir *d, size_t *ret_count, struct aduan_result *ret) {
    struct directory_list l;
    enum taken *taken;
    size_t i;
    int r = directory_scan(d->settings->path, &l);

    *ret_count = 0;
    if (r < 0) {
        ret->outcome = ADUAN_LATER;
        snprintf(ret->reason, sizeof(ret->reason), "maildir: %s", strerror(-r));
        return 1;
    }
    taken = xcalloc(l.count + 1, sizeof(taken[0]));
    for (i = 0; r == 0 && i < l.count && *ret_count < PULL_MAX; i++) {
        if (!may_be_new(d, &l.items[i]))
            continue;
        r = take(d, &l.items[i], &taken[i]);
        *ret_count += taken[i] != TAKEN_NOT;
    }
    if (r == 0 && *ret_count > 0)
        r = d->host->ops->flush(d->host);
    if (r == 0) /* what was not accepted is not known */
        know(d, &l, taken);
    free(taken);
    directory_list_clear(&l);
    return r;
}

static void read_mark(struct maildir *d) {
    const char *mark = d->marked ? NULL : d->host->ops->mark(d->host, "maildir");

    if (mark != NULL && text_parse_int(mark, 0, INT64_MAX, &d->mark) == 0)
        d->marked = true;
}

static int maildir_pull(void *ctx, int64_t wait_ms, struct aduan_result *ret) {
    struct maildir *d = ctx;
    int64_t end = now(d) + wait_ms, left;
    size_t count;
    int r;

    memset(ret, 0, sizeof(*ret));
    forget_waiting(d); /* of an earlier look: accepted and moved, or emitted again */
    read_mark(d);
    for (;;) {
        r = look(d, &count, ret);
        if (r != 0 || count > 0)
            break;
        left = end - now(d);
        if (left <= 0 || left > wait_ms)
            break;
        if (d->host->ops->pause(d->host, left < d->settings->poll ? left : d->settings->poll) == ADUAN_STOPPING)
            break;
    }
    if (ret->outcome != 0) {
        d->host->ops->report(d->host, 0, ret->reason);
        return (int)ret->outcome;
    }
    d->host->ops->report(d->host, 0, NULL);
    return r == ADUAN_STOPPING ? 0 : r;
}

static void commit_one(struct maildir *d, const struct emitted *e) {
    const char *path = d->settings->path;
    bool remove = d->settings->after == AFTER_REMOVE && !e->keep;
    int r = remove ? directory_remove(path, &e->mail) : directory_seen(path, &e->mail);

    if (r < 0 && !d->told)
        d->host->ops->log(d->host, ADUAN_LOG_WARN, "accepted mail cannot be moved on (%s), going on",
                          strerror(-r));
    d->told = d->told || r < 0;
}

static int maildir_commit(void *ctx, const uint64_t *cookies, size_t count) {
    struct maildir *d = ctx;
    size_t i, k;

    STEP("maildir.commit");
    for (i = 0; d->settings->after != AFTER_KEEP && i < count; i++)
        for (k = 0; cookies[i] != 0 && k < d->waiting_count; k++)
            if (d->waiting[k].cookie == cookies[i])
                commit_one(d, &d->waiting[k]);
    STEP("maildir.committed");
    return 0;
}

/* --------------------------------------------------------------------- sending */

static void maildir_send(void *ctx, const struct aduan_answer *answer, uint64_t token) {
    email_send(((struct maildir *)ctx)->email, answer, token);
}

static void maildir_probe(void *ctx, struct aduan_result *ret) {
    struct maildir *d = ctx;
    int r = directory_check(d->settings->path, d->settings->after != AFTER_KEEP);

    memset(ret, 0, sizeof(*ret));
    ret->outcome = r == 0 ? ADUAN_SENT : ADUAN_REFUSED;
    if (r < 0)
        snprintf(ret->reason, sizeof(ret->reason), "maildir: %s", strerror(-r));
}

/* A person who carries it over has other limits than a mail server. */
static int maildir_fits(const void *settings_, const struct aduan_answer *a, char *why, size_t why_size) {
    return (able(settings_) & ADUAN_CAP_SEND) != 0 ? email_fits(settings_, a, why, why_size) : 0;
}

ADUAN_CONNECTOR = {
    ADUAN_CONNECTOR_HEAD,
    .type = "maildir",
    .channel = "maildir",
    .summary = "surel dari direktori maildir, keluar lewat SMTP / mail from a maildir, out by SMTP",
    .capabilities = ADUAN_CAP_PULL | ADUAN_CAP_SEND | ADUAN_CAP_PARSE_APART | ADUAN_CAP_ATTACH |
                    ADUAN_CAP_RECEIPTS | ADUAN_CAP_BY_HAND,
    .traits = { .attachment_max = (int64_t)18 * MIB },
    .settings = settings,
    .settings_size = sizeof(struct maildir_settings),
    .check = check,
    .selftest = email_selftest,
    .address = email_address,
    .parse = email_parse,
    .open = maildir_open,
    .pull = maildir_pull,
    .commit = maildir_commit,
    .send = maildir_send,
    .probe = maildir_probe,
    .close = maildir_close,
    .able = able,
    .fits = maildir_fits,
};
