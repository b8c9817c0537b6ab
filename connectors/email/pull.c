/*
 * pull.c: the receive worker: what is new in the mailbox, once, in order.
 *
 * The cursor is UIDVALIDITY and UID, never \Seen: officers open mail. A look
 * asks for the UIDs behind the cursor, their sizes, then their bytes in
 * batches; the cursor travels with each mail and is kept by the host when the
 * mail is. Nothing here decides what is a repeat: the host does, by the id.
 */
#include "pull.h"

#include "kit/step.h"
#include "scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    IDLE_MS = 9 * 60 * 1000,       /* NATs and servers drop a silent line; RFC 2177 says 29 min */
    SESSION_MS = 60 * 1000,        /* a session that lived this long may be made anew at once */
    GROUP_BYTES = 8 * 1024 * 1024, /* of one FETCH of bodies */
    TRIES_CONTENT = 2,             /* the mail itself breaks the session */
    TRIES_LINE = 5,                /* the line breaks; maybe the mail */
};
#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

/* Inside this file: 0 go on; STOP return from pull (stopping, or *ret says why). */
enum { STOP = 1 };

static int64_t now(const struct email_ctx *c) {
    return c->host->ops->now(c->host);
}

static const char *mailbox(const struct email_ctx *c) {
    return c->settings->imap.mailbox;
}

int email_open(struct aduan_host *host, const void *settings, void **ret_ctx) {
    struct email_ctx *c = xcalloc(1, sizeof(*c));

    c->host = host;
    c->settings = settings;
    oauth_init(&c->oauth, host, &c->settings->oauth);
    *ret_ctx = c;
    return 0;
}

void *email_close(void *ctx) {
    struct email_ctx *c = ctx;

    if (c == NULL)
        return NULL;
    if (imap_is_open(&c->imap) && c->imap.idling && imap_idle_end(&c->imap) != 0)
        imap_fault(&c->imap, "idle", &(struct aduan_result){ .outcome = ADUAN_LATER });
    imap_close(&c->imap);
    oauth_clear(&c->oauth);
    free(c);
    return NULL;
}

static int lost(struct email_ctx *c, const char *doing, struct aduan_result *ret) {
    if (imap_fault(&c->imap, doing, ret) == ADUAN_STOPPING)
        ret->outcome = ADUAN_SENT;
    c->selected = false;
    return STOP;
}

/* --------------------------------------------------------------------- emit */

static int emit(struct email_ctx *c, const struct imap_mail *m, const char *bytes, size_t len, int64_t whole) {
    struct cursor next = c->cursor;
    char mark[CURSOR_TEXT], id[41];
    struct aduan_raw raw = { .bytes = bytes,
                             .len = len,
                             .id = id,
                             .received_at = m->received_at,
                             .mark = mailbox(c),
                             .mark_value = mark,
                             .whole_size = whole };
    int r;

    scan_id(bytes, len, id);
    cursor_advance(&next, m->uid, c->dense);
    cursor_format(&next, mark);
    raw.cookie = (uint64_t)next.validity << 32 | m->uid;
    r = c->host->ops->emit(c->host, &raw);
    if (r != 0)
        return r;
    STEP("email.emitted");
    c->cursor = next;
    return 0;
}

/* Not even its header comes: an officer must know that it is there. */
static int emit_stub(struct email_ctx *c, const struct imap_mail *m) {
    char *stub = xasprintf(
        "Message-ID: <uid-%u-%u@%s>\r\nSubject: (surat tidak dapat diambil dari server / mail that the "
        "server does not hand out)\r\n\r\n",
        c->cursor.validity, m->uid, c->host->account);
    int r = emit(c, m, stub, strlen(stub), m->size > 0 ? m->size + (int64_t)strlen(stub) : 1 << 20);

    free(stub);
    return r;
}

static int emit_all(struct email_ctx *c, struct imap_mail *mails, size_t count, bool partial) {
    size_t k;
    int r = 0;

    for (k = 0; k < count && r == 0; k++) {
        struct imap_mail *m = &mails[k];
        int64_t whole = partial && m->size > (int64_t)m->len ? m->size : partial ? (int64_t)m->len + 1 : 0;

        if (m->bytes == NULL) /* expunged meanwhile, or not visible yet: a hole */
            continue;
        r = emit(c, m, m->bytes, m->len, whole);
        free(m->bytes);
        m->bytes = NULL;
    }
    return r;
}

/* ------------------------------------------------------------------ fetching */

static void note_trouble(struct email_ctx *c, uint32_t uid) {
    bool content = c->imap.wire.why != NULL || c->imap.wire.fault == 0;

    if (c->trouble_uid != uid)
        c->trouble = 0;
    c->trouble_uid = uid;
    /* in units in which TRIES_LINE is the end for both */
    c->trouble += c->single && content ? (TRIES_LINE + TRIES_CONTENT - 1) / TRIES_CONTENT : 1;
    c->single = true;
}

/* A mail that is too large, or that breaks the session: its header, or a stub. */
static int take_header(struct email_ctx *c, struct imap_mail *m, bool hopeless, struct aduan_result *ret) {
    int r = hopeless ? IMAP_NO : imap_bodies(&c->imap, m, 1, true, 2 * IMAP_HEADER_MAX);

    if (r < 0) {
        note_trouble(c, m->uid);
        return lost(c, "fetch", ret);
    }
    if (r == 0 && m->bytes != NULL && m->len > 0)
        r = emit_all(c, m, 1, true);
    else
        r = emit_stub(c, m);
    return r == 0 ? 0 : STOP;
}

static int take_group(struct email_ctx *c, struct imap_mail *mails, size_t count, struct aduan_result *ret) {
    int r = imap_bodies(&c->imap, mails, count, false, c->settings->imap.limit + 1024 * 1024);
    size_t k;

    if (r < 0) {
        note_trouble(c, mails[0].uid);
        return lost(c, "fetch", ret);
    }
    if (r == IMAP_NO && count > 1) { /* one of them spoils the command */
        for (k = 0; k < count; k++) {
            r = take_group(c, &mails[k], 1, ret);
            if (r != 0)
                return r;
        }
        return 0;
    }
    if (r == IMAP_NO)
        return take_header(c, mails, false, ret);
    return emit_all(c, mails, count, false) == 0 ? 0 : STOP;
}

static size_t group_length(const struct email_ctx *c, const struct imap_mail *mails, size_t count) {
    int64_t sum = 0;
    size_t n = 0;

    while (n < count && mails[n].size <= c->settings->imap.limit &&
           (n == 0 || sum + mails[n].size <= GROUP_BYTES)) {
        sum += mails[n].size > 0 ? mails[n].size : GROUP_BYTES / 4; /* unknown: a few at a time */
        n++;
        if (c->single)
            break;
    }
    return n;
}

static int take_batch(struct email_ctx *c, struct imap_mail *mails, size_t count, struct aduan_result *ret) {
    size_t at = 0, n;
    int r = imap_sizes(&c->imap, mails, count);

    if (r < 0)
        return lost(c, "fetch sizes", ret);
    while (at < count) {
        bool given_up = mails[at].uid == c->trouble_uid && c->trouble >= TRIES_LINE;

        if (!imap_is_open(&c->imap)) { /* a commit from within emit found it broken */
            ret->outcome = ADUAN_LATER;
            snprintf(ret->reason, sizeof(ret->reason), "imap: connection lost");
            return STOP;
        }
        n = given_up ? 0 : group_length(c, &mails[at], count - at);
        if (n == 0) {
            n = 1;
            r = take_header(c, &mails[at], given_up && c->trouble >= 2 * TRIES_LINE, ret);
        } else {
            r = take_group(c, &mails[at], n, ret);
        }
        if (r != 0)
            return r;
        at += n;
    }
    return 0;
}

static void clear_mails(struct imap_mail *mails, size_t count) {
    size_t k;

    for (k = 0; k < count; k++)
        free(mails[k].bytes);
    free(mails);
}

static int take(struct email_ctx *c, const struct imap_uids *uids, struct aduan_result *ret) {
    size_t at, n, k;
    int r = 0;

    for (at = 0; at < uids->count && r == 0; at += n) {
        struct imap_mail *mails;

        n = uids->count - at < IMAP_BATCH ? uids->count - at : IMAP_BATCH;
        mails = xcalloc(n, sizeof(*mails));
        for (k = 0; k < n; k++)
            mails[k] = (struct imap_mail){ .uid = uids->items[at + k], .size = -1 };
        r = take_batch(c, mails, n, ret);
        clear_mails(mails, n);
    }
    if (r == 0 && uids->count > 0) {
        c->single = false;
        c->trouble = 0;
        r = c->host->ops->flush(c->host) == 0 ? 0 : STOP;
    }
    return r;
}

/* --------------------------------------------------------------------- looks */

static int search_failed(struct email_ctx *c, int r, const char *doing, struct aduan_result *ret) {
    if (r < 0)
        return lost(c, doing, ret);
    ret->outcome = ADUAN_LATER;
    snprintf(ret->reason, sizeof(ret->reason), "imap %s: refused by the server", doing);
    return STOP;
}

/* Keeps of uids those that came since then, looking from the newest backwards. SEARCH SINCE would be one
 * command, but servers differ in which date it means. */
static int keep_since(struct email_ctx *c, struct imap_uids *uids, int64_t since_ms, struct aduan_result *ret) {
    size_t left = uids->count, from = uids->count, n, k;
    struct imap_mail mails[IMAP_BATCH];
    bool any = true;
    int r;

    for (; left > 0 && any; left -= n) {
        n = left < IMAP_BATCH ? left : IMAP_BATCH;
        any = false;
        for (k = 0; k < n; k++)
            mails[k] = (struct imap_mail){ .uid = uids->items[left - n + k], .size = -1 };
        r = imap_sizes(&c->imap, mails, n);
        if (r != 0)
            return search_failed(c, r, "fetch dates", ret);
        for (k = n; k-- > 0;) {
            if (mails[k].received_at > 0 && mails[k].received_at < since_ms)
                continue;
            any = true;
            uids->items[--from] = mails[k].uid;
        }
    }
    uids->count -= from;
    memmove(uids->items, uids->items + from, uids->count * sizeof(uids->items[0]));
    return 0;
}

/* A box never read, or one whose UIDs mean something else now: everything since a day. */
static int take_since(struct email_ctx *c, int64_t since_ms, struct aduan_result *ret) {
    struct imap_uids uids;
    int r = imap_search_range(&c->imap, 1, &uids);

    if (r != 0)
        return search_failed(c, r, "search", ret);
    r = keep_since(c, &uids, since_ms, ret);
    c->dense = true;
    if (r == 0)
        r = take(c, &uids, ret);
    c->dense = false;
    if (r == 0 && c->imap.uidnext > c->cursor.last + 1)
        c->cursor.last = c->imap.uidnext - 1;
    imap_uids_clear(&uids);
    return r;
}

static int first_contact(struct email_ctx *c, struct aduan_result *ret) {
    int64_t since = now(c) - c->settings->imap.backlog;

    memset(&c->cursor, 0, sizeof(c->cursor));
    c->cursor.validity = c->imap.uidvalidity;
    c->cursor.since_day = since / DAY_MS;
    c->host->ops->log(c->host, ADUAN_LOG_INFO, "first contact with %s: taking mail since day %lld", mailbox(c),
                      (long long)c->cursor.since_day);
    if (c->settings->imap.backlog == 0 && c->imap.uidnext > 0) {
        c->cursor.last = c->imap.uidnext - 1;
        return 0;
    }
    return take_since(c, c->cursor.since_day * DAY_MS, ret);
}

static int rescan(struct email_ctx *c, struct aduan_result *ret) {
    int64_t day = c->cursor.since_day;

    c->host->ops->log(c->host, ADUAN_LOG_WARN, "uidvalidity of %s changed from %u to %u: reading it again",
                      mailbox(c), c->cursor.validity, c->imap.uidvalidity);
    memset(&c->cursor, 0, sizeof(c->cursor));
    c->cursor.validity = c->imap.uidvalidity;
    c->cursor.since_day = day;
    return take_since(c, day * DAY_MS, ret);
}

/* What was invisible when the cursor passed it. */
static int audit_holes(struct email_ctx *c, struct aduan_result *ret) {
    struct imap_uids among = { xcalloc(CURSOR_HOLES * 4, sizeof(uint32_t)), 0 }, found;
    size_t i;
    uint32_t uid;
    int r;

    for (i = c->cursor.hole_count; i-- > 0;) /* newest first; a wide gap is not a late mail */
        for (uid = c->cursor.holes[i].first; uid <= c->cursor.holes[i].last && among.count < CURSOR_HOLES * 4;
             uid++)
            among.items[among.count++] = uid;
    if (among.count == 0) {
        imap_uids_clear(&among);
        return 0;
    }
    r = imap_search_list(&c->imap, &among, &found);
    imap_uids_clear(&among);
    if (r != 0)
        return search_failed(c, r, "search", ret);
    r = take(c, &found, ret);
    imap_uids_clear(&found);
    return r;
}

/* What is behind the cursor. */
static int look(struct email_ctx *c, struct aduan_result *ret) {
    struct imap_uids uids;
    int r;

    c->exists_seen = c->imap.wire.fence.exists;
    if (c->cursor.last == UINT32_MAX)
        return 0;
    r = imap_search_range(&c->imap, c->cursor.last + 1, &uids);
    if (r != 0)
        return search_failed(c, r, "search", ret);
    r = take(c, &uids, ret);
    imap_uids_clear(&uids);
    return r;
}

/* SELECT anew, which tells UIDVALIDITY and UIDNEXT for sure, and take what the cursor has not. */
static int full_look(struct email_ctx *c, struct aduan_result *ret) {
    bool read_only = strcmp(c->settings->imap.after, "keep") == 0;
    bool known = c->selected || cursor_parse(c->host->ops->mark(c->host, mailbox(c)), &c->cursor);
    int r = imap_select(&c->imap, mailbox(c), read_only);

    if (r < 0)
        return lost(c, "select", ret);
    if (r == IMAP_NO || c->imap.uidvalidity == 0) {
        ret->outcome = ADUAN_LATER;
        snprintf(ret->reason, sizeof(ret->reason), "imap select: mailbox \"%.100s\" cannot be opened",
                 mailbox(c));
        return STOP;
    }
    c->next_full = now(c) + IDLE_MS;
    c->exists_seen = c->imap.wire.fence.exists;
    if (!known)
        r = first_contact(c, ret);
    else if (c->cursor.validity != c->imap.uidvalidity)
        r = rescan(c, ret);
    if (r != 0)
        return r;
    c->selected = true;
    r = audit_holes(c, ret);
    if (r == 0 && (c->imap.uidnext == 0 || c->imap.uidnext > c->cursor.last + 1))
        r = look(c, ret);
    return r;
}

/* ------------------------------------------------------------------- waiting */

static int stop_idle(struct email_ctx *c, struct aduan_result *ret) {
    return imap_idle_end(&c->imap) == 0 ? 0 : lost(c, "idle", ret);
}

static int wait_idle(struct email_ctx *c, int64_t ms, struct aduan_result *ret) {
    int r = 0;

    if (!c->imap.idling) {
        r = imap_idle_begin(&c->imap);
        if (r < 0)
            return lost(c, "idle", ret);
        if (r == IMAP_NO) { /* offered, but not meant */
            c->imap.has_idle = false;
            return 0;
        }
        if (c->imap.wire.fence.exists != c->exists_seen) /* came before IDLE had begun */
            return stop_idle(c, ret);
    }
    if (ms > c->next_full - now(c))
        ms = c->next_full - now(c);
    r = ms > 0 ? imap_idle_wait(&c->imap, ms) : ADUAN_TIMEOUT;
    if (r == ADUAN_STOPPING)
        return STOP;
    if (r < 0)
        return lost(c, "idle", ret);
    if (r == ADUAN_TIMEOUT && now(c) < c->next_full)
        return 0;
    return stop_idle(c, ret);
}

static int wait_poll(struct email_ctx *c, int64_t ms, struct aduan_result *ret) {
    int64_t until_poll = c->next_poll - now(c);

    if (until_poll > c->settings->imap.poll)
        until_poll = c->settings->imap.poll;
    if (until_poll > 0) {
        if (c->host->ops->pause(c->host, ms < until_poll ? ms : until_poll) == ADUAN_STOPPING)
            return STOP;
        if (now(c) < c->next_poll)
            return 0;
    }
    c->next_poll = now(c) + c->settings->imap.poll;
    return imap_noop(&c->imap) < 0 ? lost(c, "noop", ret) : 0;
}

static int connect_and_look(struct email_ctx *c, struct aduan_result *ret) {
    int r;

    if (!imap_is_open(&c->imap)) {
        c->selected = false;
        r = imap_open(&c->imap, c->host, c->settings, &c->oauth, ret);
        if (r != 0)
            ret->outcome = ADUAN_SENT; /* stopping is no fault */
        if (r != 0 || ret->outcome != ADUAN_SENT)
            return STOP;
        c->exists_seen = 0;
        c->next_poll = now(c) + c->settings->imap.poll;
        c->host->ops->report(c->host, 0, NULL);
    }
    if (!c->selected || now(c) >= c->next_full)
        return c->imap.idling && stop_idle(c, ret) != 0 ? STOP : full_look(c, ret);
    if (!c->imap.idling && c->imap.wire.fence.exists != c->exists_seen)
        return look(c, ret);
    return 0;
}

static int pull_once(struct email_ctx *c, int64_t wait_ms, struct aduan_result *ret) {
    int64_t deadline = now(c) + wait_ms, left;
    int r;

    for (;;) {
        r = connect_and_look(c, ret);
        left = deadline - now(c);
        if (left > wait_ms) /* the clock was set back */
            left = wait_ms;
        if (r != 0 || left <= 0)
            return r;
        if (!c->imap.idling && c->imap.wire.fence.exists != c->exists_seen)
            continue; /* came while we looked */
        if (c->settings->imap.idle && c->imap.has_idle)
            r = wait_idle(c, left, ret);
        else
            r = wait_poll(c, left, ret);
        if (r != 0)
            return r;
        left = deadline - now(c);
        if (left <= 0 && (c->imap.idling || c->imap.wire.fence.exists == c->exists_seen))
            return 0;
    }
}

int email_pull(void *ctx, int64_t wait_ms, struct aduan_result *ret) {
    struct email_ctx *c = ctx;
    int64_t opened;
    int r;

    memset(ret, 0, sizeof(*ret));
    ret->outcome = ADUAN_SENT;
    r = pull_once(c, wait_ms, ret);
    opened = c->imap.opened_at;
    if (r != 0 && ret->outcome == ADUAN_LATER && !imap_is_open(&c->imap) && c->trouble == 0 && opened > 0 &&
        now(c) - opened > SESSION_MS) { /* sessions end: an expired token, an idle limit */
        c->imap.opened_at = 0;
        memset(ret, 0, sizeof(*ret));
        ret->outcome = ADUAN_SENT;
        r = pull_once(c, 0, ret);
    }
    if (r == 0 || ret->outcome == ADUAN_SENT) {
        ret->outcome = 0;
        return 0;
    }
    c->host->ops->report(c->host, 0, ret->reason);
    return (int)ret->outcome;
}

/* -------------------------------------------------------------------- commit */

static int commit_some(struct email_ctx *c, const uint32_t *uids, size_t count) {
    const char *after = c->settings->imap.after;
    struct aduan_result ignored;
    bool left_behind = false;
    int r;

    STEP("email.commit");
    if (text_starts(after, "move:"))
        r = imap_move(&c->imap, uids, count, after + 5, &left_behind);
    else
        r = imap_store(&c->imap, uids, count, false);
    if (r < 0) {
        imap_fault(&c->imap, "commit", &ignored);
        c->selected = false;
    }
    if (r != 0 && !c->told_fault)
        c->host->ops->log(c->host, ADUAN_LOG_WARN, "marking accepted mail (%s) did not work, going on", after);
    if (left_behind && !c->told_left_behind)
        c->host->ops->log(c->host, ADUAN_LOG_WARN,
                          "server without UIDPLUS: moved mail is copied to %s and stays in %s, marked as read",
                          after + 5, mailbox(c));
    c->told_fault = c->told_fault || r != 0;
    c->told_left_behind = c->told_left_behind || left_behind;
    return r < 0 ? -1 : 0;
}

static int compare_uids(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

int email_commit(void *ctx, const uint64_t *cookies, size_t count) {
    struct email_ctx *c = ctx;
    uint32_t uids[IMAP_BATCH];
    struct aduan_result ignored;
    size_t i, n = 0;

    if (strcmp(c->settings->imap.after, "keep") == 0 || !imap_is_open(&c->imap))
        return 0; /* cosmetic: what is accepted is accepted */
    if (c->imap.idling && stop_idle(c, &ignored) != 0)
        return 0;
    for (i = 0; i < count; i++) {
        if ((uint32_t)(cookies[i] >> 32) == c->imap.uidvalidity)
            uids[n++] = (uint32_t)cookies[i];
        if (n > 0 && (n == IMAP_BATCH || i + 1 == count)) {
            qsort(uids, n, sizeof(uids[0]), compare_uids);
            if (commit_some(c, uids, n) < 0)
                break;
            n = 0;
        }
    }
    return 0;
}
