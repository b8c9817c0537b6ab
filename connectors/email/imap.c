/* imap.c: a session's life and its commands, over libetpan. */
#include "imap.h"

#include "kit/text.h"

#include <errno.h>
#include <libetpan/libetpan.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_MS = 30 * 1000, COMMAND_MS = 60 * 1000, SMALL = 8 * 1024 * 1024, LITERAL = 64 * 1024 };

/* --------------------------------------------------------------------- wire */

static ssize_t wire_read(mailstream_low *low, void *buf, size_t size) {
    struct imap_wire *w = low->data;
    size_t n = 0;

    if (w->early_len > 0) {
        n = w->early_len < size ? w->early_len : size;
        memcpy(buf, w->early, n);
        memmove(w->early, w->early + n, w->early_len - n);
        w->early_len -= n;
        return (ssize_t)n;
    }
    if (w->fault != 0)
        return -1;
    w->fault = w->host->ops->stream_read(w->stream, buf, size, w->timeout_ms, &n);
    if (w->fault != 0)
        return -1;
    w->why = fence_feed(&w->fence, buf, n);
    if (w->why != NULL) {
        w->fault = -EPROTO;
        return -1;
    }
    return (ssize_t)n;
}

static ssize_t wire_write(mailstream_low *low, const void *buf, size_t size) {
    struct imap_wire *w = low->data;

    if (w->fault != 0)
        return -1;
    w->fault = w->host->ops->stream_write(w->stream, buf, size, w->timeout_ms);
    return w->fault == 0 ? (ssize_t)size : -1;
}

static int wire_close(mailstream_low *low) {
    struct imap_wire *w = low->data;

    w->stream = w->host->ops->stream_close(w->stream);
    return 0;
}

static int wire_get_fd(mailstream_low *low) {
    (void)low;
    return -1; /* the host's, and TLS sits on it */
}

static void wire_free(mailstream_low *low) {
    free(low);
}

static void wire_cancel(mailstream_low *low) {
    (void)low;
}

static struct mailstream_cancel *wire_get_cancel(mailstream_low *low) {
    (void)low;
    return NULL;
}

static carray *wire_certificates(mailstream_low *low) {
    (void)low;
    return NULL;
}

static mailstream_low_driver wire_driver = {
    .mailstream_read = wire_read,
    .mailstream_write = wire_write,
    .mailstream_close = wire_close,
    .mailstream_get_fd = wire_get_fd,
    .mailstream_free = wire_free,
    .mailstream_cancel = wire_cancel,
    .mailstream_get_cancel = wire_get_cancel,
    .mailstream_get_certificate_chain = wire_certificates,
};

/* --------------------------------------------------------------------- life */

bool imap_is_open(const struct imap *i) {
    return i->s != NULL;
}

static void drop(struct imap *i) {
    if (i->s != NULL)
        mailimap_free(i->s); /* closes the stream without a word */
    i->s = NULL;
    i->idling = false;
}

void imap_close(struct imap *i) {
    if (i->s == NULL)
        return;
    if (i->wire.fault == 0 && !i->idling && !i->wire.fence.bye) {
        i->wire.timeout_ms = 2000;
        mailimap_logout(i->s);
    }
    if (i->s->imap_stream != NULL) {
        mailstream_close(i->s->imap_stream);
        i->s->imap_stream = NULL;
    }
    drop(i);
}

int imap_fault(struct imap *i, const char *doing, struct aduan_result *ret) {
    static const char *const words[] = { "answer not understood", "stopping", "no answer in time",
                                         "the server closed the connection" };
    int fault = i->wire.fault;
    const char *why = i->wire.why;

    if (why == NULL && i->wire.fence.bye)
        why = "the server said bye";
    if (why == NULL && fault < 0)
        why = strerror(-fault);
    if (why == NULL)
        why = words[fault >= 0 && fault <= ADUAN_EOF ? fault : 0];
    ret->outcome = ADUAN_LATER;
    snprintf(ret->reason, sizeof(ret->reason), "imap %s: %s", doing, why);
    if (i->s != NULL && i->s->imap_stream != NULL) {
        mailstream_close(i->s->imap_stream);
        i->s->imap_stream = NULL;
    }
    drop(i);
    return fault == ADUAN_STOPPING ? ADUAN_STOPPING : 0;
}

static void allow(struct imap *i, int64_t literal, int64_t total) {
    i->wire.timeout_ms = COMMAND_MS;
    fence_allow(&i->wire.fence, literal, total);
}

/* A tagged NO or BAD leaves the session usable; anything else does not. */
static int verdict(struct imap *i, int r) {
    if (r == MAILIMAP_NO_ERROR)
        return 0;
    if (i->wire.fault != 0 || i->wire.fence.bye || r == MAILIMAP_ERROR_STREAM || r == MAILIMAP_ERROR_PARSE ||
        r == MAILIMAP_ERROR_FATAL || r == MAILIMAP_ERROR_PROTOCOL || r == MAILIMAP_ERROR_BAD_STATE ||
        r == MAILIMAP_ERROR_NEEDS_MORE_DATA)
        return -1;
    return IMAP_NO;
}

static int connect_stream(struct imap *i, struct aduan_result *ret) {
    char why[256] = "";
    mailstream_low *low;
    int r;

    r = i->host->ops->stream_open(i->host, i->settings->imap.url, CONNECT_MS, &i->wire.stream, why,
                                  sizeof(why));
    if (r != 0) {
        ret->outcome = ADUAN_LATER;
        snprintf(ret->reason, sizeof(ret->reason), "imap connect: %s", why[0] != '\0' ? why : "failed");
        return r == ADUAN_STOPPING ? ADUAN_STOPPING : 0;
    }
    low = mailstream_low_new(&i->wire, &wire_driver);
    i->s = mailimap_new(0, NULL);
    if (low == NULL || i->s == NULL)
        abort();
    allow(i, LITERAL, 1024 * 1024);
    r = mailimap_connect(i->s, mailstream_new(low, 64 * 1024));
    if (r != MAILIMAP_NO_ERROR_NON_AUTHENTICATED && r != MAILIMAP_NO_ERROR_AUTHENTICATED)
        return imap_fault(i, "greeting", ret);
    ret->outcome = ADUAN_SENT;
    return 0;
}

static void read_capabilities(struct imap *i) {
    i->has_idle = mailimap_has_idle(i->s);
    i->has_move = mailimap_has_extension(i->s, "MOVE");
    i->has_uidplus = mailimap_has_uidplus(i->s);
    i->has_gmail = mailimap_has_extension(i->s, "X-GM-EXT-1");
}

/* As text: mailimap_id() leaks what it sends. */
static int tell_name(struct imap *i) {
    allow(i, LITERAL, 1024 * 1024);
    return verdict(i, mailimap_custom_command(i->s, "ID (\"name\" \"Aduan\")"));
}

int imap_open(struct imap *i, struct aduan_host *host, const struct email_settings *settings,
              struct oauth *oauth, struct aduan_result *ret) {
    struct mailimap_capability_data *caps = NULL;
    int r;

    memset(i, 0, sizeof(*i));
    memset(ret, 0, sizeof(*ret));
    i->host = host;
    i->settings = settings;
    i->wire.host = host;
    r = connect_stream(i, ret);
    if (r != 0 || ret->outcome != ADUAN_SENT)
        return r;
    r = imap_login(i, oauth, ret);
    if (r != 0 || ret->outcome != ADUAN_SENT)
        return r;
    allow(i, LITERAL, 1024 * 1024);
    if (verdict(i, mailimap_capability(i->s, &caps)) != 0) /* again: many show more after login */
        return imap_fault(i, "capability", ret);
    mailimap_capability_data_free(caps);
    read_capabilities(i);
    if (mailimap_has_id(i->s) && tell_name(i) < 0) /* Gmail asks for it */
        return imap_fault(i, "id", ret);
    i->opened_at = host->ops->now(host);
    ret->outcome = ADUAN_SENT;
    return 0;
}

/* ----------------------------------------------------------------- commands */

int imap_select(struct imap *i, const char *mailbox, bool read_only) {
    char *name = imap_utf7(mailbox);
    int r;

    allow(i, LITERAL, 1024 * 1024);
    r = verdict(i, read_only ? mailimap_examine(i->s, name) : mailimap_select(i->s, name));
    free(name);
    if (r != 0)
        return r;
    i->uidvalidity = i->s->imap_selection_info->sel_uidvalidity;
    i->uidnext = i->s->imap_selection_info->sel_uidnext;
    return 0;
}

int imap_select_raw(struct imap *i, const char *name) {
    allow(i, LITERAL, 1024 * 1024);
    return verdict(i, mailimap_examine(i->s, name));
}

int imap_noop(struct imap *i) {
    allow(i, LITERAL, 1024 * 1024);
    return verdict(i, mailimap_noop(i->s));
}

static int compare_uids(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

void imap_uids_clear(struct imap_uids *u) {
    free(u->items);
    memset(u, 0, sizeof(*u));
}

/* Steals the key. Ascending, each once. */
static int search(struct imap *i, struct mailimap_search_key *key, struct imap_uids *ret) {
    clist *found = NULL;
    clistiter *it;
    size_t n = 0, k;
    int r;

    memset(ret, 0, sizeof(*ret));
    allow(i, LITERAL, SMALL);
    r = verdict(i, mailimap_uid_search(i->s, NULL, key, &found));
    mailimap_search_key_free(key);
    if (r != 0)
        return r;
    ret->items = xcalloc((size_t)clist_count(found) + 1, sizeof(*ret->items));
    for (it = clist_begin(found); it != NULL; it = clist_next(it)) {
        uint32_t uid = *(uint32_t *)clist_content(it);

        if (uid != 0)
            ret->items[n++] = uid;
    }
    mailimap_search_result_free(found);
    qsort(ret->items, n, sizeof(*ret->items), compare_uids);
    for (k = 0; k < n; k++)
        if (k == 0 || ret->items[k] != ret->items[k - 1])
            ret->items[ret->count++] = ret->items[k];
    return 0;
}

static void drop_below(struct imap_uids *u, uint32_t first) {
    size_t k = 0;

    while (k < u->count && u->items[k] < first)
        k++;
    u->count -= k;
    if (k > 0)
        memmove(u->items, u->items + k, u->count * sizeof(u->items[0]));
}

/* "n:*" finds at least the last message of a box that is not empty; GNU imap4d finds none. There the
 * plainest search is asked instead. */
int imap_search_range(struct imap *i, uint32_t first, struct imap_uids *ret) {
    struct mailimap_set *set = mailimap_set_new_empty();
    int r;

    mailimap_set_add_interval(set, first, 0);
    r = search(i, mailimap_search_key_new_uid(set), ret);
    if (r == IMAP_NO || (r == 0 && ret->count == 0 && i->s->imap_selection_info->sel_exists > 0)) {
        imap_uids_clear(ret);
        r = search(i, mailimap_search_key_new_all(), ret);
    }
    if (r == 0)
        drop_below(ret, first);
    return r;
}

/* Runs of numbers as intervals, so that the command stays short. */
static struct mailimap_set *set_of(const uint32_t *uids, size_t count) {
    struct mailimap_set *set = mailimap_set_new_empty();
    size_t from = 0, to;

    while (from < count) {
        for (to = from; to + 1 < count && uids[to + 1] == uids[to] + 1;)
            to++;
        mailimap_set_add_interval(set, uids[from], uids[to]);
        from = to + 1;
    }
    return set;
}

int imap_search_list(struct imap *i, const struct imap_uids *among, struct imap_uids *ret) {
    return search(i, mailimap_search_key_new_uid(set_of(among->items, among->count)), ret);
}

int imap_search_id(struct imap *i, const char *message_id, struct imap_uids *ret) {
    return search(i, mailimap_search_key_new_header(strdup("Message-ID"), strdup(message_id)), ret);
}

/* ------------------------------------------------------------------ fetching */

static int64_t time_of(const struct mailimap_date_time *d) {
    struct tm tm = { .tm_year = d->dt_year - 1900,
                     .tm_mon = d->dt_month - 1,
                     .tm_mday = d->dt_day,
                     .tm_hour = d->dt_hour,
                     .tm_min = d->dt_min,
                     .tm_sec = d->dt_sec };
    int zone = d->dt_zone, offset = (abs(zone) / 100 * 60 + abs(zone) % 100) * 60;
    int64_t t = (int64_t)timegm(&tm) - (zone < 0 ? -offset : offset);

    return t > 0 ? t * 1000 : 0;
}

static struct imap_mail *mail_of(struct imap_mail *mails, size_t count, uint32_t uid) {
    size_t k;

    for (k = 0; k < count; k++)
        if (mails[k].uid == uid)
            return &mails[k];
    return NULL;
}

static void take_body(struct imap_mail *m, const char *bytes, size_t len) {
    if (m->bytes != NULL)
        return;
    m->bytes = xcalloc(1, len + 1);
    if (len > 0)
        memcpy(m->bytes, bytes, len);
    m->len = len;
}

/* One FETCH answer, whatever its order; what belongs to none of ours (another client's flags) is nothing. */
static void take_answer(struct mailimap_msg_att *answer, struct imap_mail *mails, size_t count) {
    struct imap_mail seen = { .uid = 0, .size = -1 }, *m;
    const struct mailimap_msg_att_body_section *body = NULL;
    clistiter *it;

    for (it = clist_begin(answer->att_list); it != NULL; it = clist_next(it)) {
        const struct mailimap_msg_att_item *item = clist_content(it);
        const struct mailimap_msg_att_static *att = item->att_data.att_static;

        if (item->att_type != MAILIMAP_MSG_ATT_ITEM_STATIC)
            continue;
        if (att->att_type == MAILIMAP_MSG_ATT_UID)
            seen.uid = att->att_data.att_uid;
        else if (att->att_type == MAILIMAP_MSG_ATT_RFC822_SIZE)
            seen.size = att->att_data.att_rfc822_size;
        else if (att->att_type == MAILIMAP_MSG_ATT_INTERNALDATE && att->att_data.att_internal_date != NULL)
            seen.received_at = time_of(att->att_data.att_internal_date);
        else if (att->att_type == MAILIMAP_MSG_ATT_BODY_SECTION)
            body = att->att_data.att_body_section;
    }
    m = mail_of(mails, count, seen.uid);
    if (m == NULL)
        return;
    if (seen.size >= 0)
        m->size = seen.size;
    if (seen.received_at > 0)
        m->received_at = seen.received_at;
    if (body != NULL && body->sec_body_part != NULL)
        take_body(m, body->sec_body_part, body->sec_length);
}

/* Steals what. */
static int fetch(struct imap *i, struct mailimap_fetch_type *what, struct imap_mail *mails, size_t count) {
    struct mailimap_set *set;
    uint32_t *uids = xcalloc(count, sizeof(*uids));
    clist *answers = NULL;
    clistiter *it;
    size_t k;
    int r;

    for (k = 0; k < count; k++)
        uids[k] = mails[k].uid;
    set = set_of(uids, count);
    free(uids);
    r = verdict(i, mailimap_uid_fetch(i->s, set, what, &answers));
    mailimap_set_free(set);
    mailimap_fetch_type_free(what);
    if (r == 0 && answers != NULL) {
        for (it = clist_begin(answers); it != NULL; it = clist_next(it))
            take_answer(clist_content(it), mails, count);
        mailimap_fetch_list_free(answers);
    }
    return r;
}

int imap_sizes(struct imap *i, struct imap_mail *mails, size_t count) {
    struct mailimap_fetch_type *what = mailimap_fetch_type_new_fetch_att_list_empty();

    mailimap_fetch_type_new_fetch_att_list_add(what, mailimap_fetch_att_new_uid());
    mailimap_fetch_type_new_fetch_att_list_add(what, mailimap_fetch_att_new_internaldate());
    mailimap_fetch_type_new_fetch_att_list_add(what, mailimap_fetch_att_new_rfc822_size());
    allow(i, LITERAL, SMALL);
    return fetch(i, what, mails, count);
}

int imap_bodies(struct imap *i, struct imap_mail *mails, size_t count, bool header_only, int64_t limit) {
    struct mailimap_fetch_type *what = mailimap_fetch_type_new_fetch_att_list_empty();
    struct mailimap_section *section = header_only ? mailimap_section_new_header() : mailimap_section_new(NULL);

    mailimap_fetch_type_new_fetch_att_list_add(what, mailimap_fetch_att_new_uid());
    if (header_only)
        mailimap_fetch_type_new_fetch_att_list_add(
            what, mailimap_fetch_att_new_body_peek_section_partial(section, 0, IMAP_HEADER_MAX));
    else
        mailimap_fetch_type_new_fetch_att_list_add(what, mailimap_fetch_att_new_body_peek_section(section));
    allow(i, limit, limit + SMALL); /* sizes lie: the literal itself is bounded */
    return fetch(i, what, mails, count);
}

/* ------------------------------------------------------------------- marking */

int imap_store(struct imap *i, const uint32_t *uids, size_t count, bool deleted) {
    struct mailimap_flag_list *flags = mailimap_flag_list_new_empty();
    struct mailimap_store_att_flags *store;
    struct mailimap_set *set = set_of(uids, count);
    int r;

    mailimap_flag_list_add(flags, mailimap_flag_new_seen());
    if (deleted)
        mailimap_flag_list_add(flags, mailimap_flag_new_deleted());
    store = mailimap_store_att_flags_new_add_flags_silent(flags);
    allow(i, LITERAL, 1024 * 1024);
    r = verdict(i, mailimap_uid_store(i->s, set, store));
    mailimap_store_att_flags_free(store);
    mailimap_set_free(set);
    return r;
}

static int copy_or_move(struct imap *i, struct mailimap_set *set, const char *folder) {
    int r = IMAP_NO, attempt;

    for (attempt = 0; attempt < 2 && r == IMAP_NO; attempt++) {
        allow(i, LITERAL, 1024 * 1024);
        if (attempt == 1 && verdict(i, mailimap_create(i->s, folder)) != 0)
            break;
        r = verdict(i,
                    i->has_move ? mailimap_uid_move(i->s, set, folder) : mailimap_uid_copy(i->s, set, folder));
    }
    return r;
}

int imap_move(struct imap *i, const uint32_t *uids, size_t count, const char *folder, bool *ret_left_behind) {
    struct mailimap_set *set = set_of(uids, count);
    char *name = imap_utf7(folder);
    int r;

    *ret_left_behind = false;
    r = copy_or_move(i, set, name);
    if (r == 0 && !i->has_move) {
        r = imap_store(i, uids, count, i->has_uidplus);
        if (r == 0 && i->has_uidplus) { /* never a bare EXPUNGE: it takes other people's deletions along */
            allow(i, LITERAL, 1024 * 1024);
            r = verdict(i, mailimap_uid_expunge(i->s, set));
        }
        *ret_left_behind = !i->has_uidplus;
    }
    free(name);
    mailimap_set_free(set);
    return r;
}

static bool is_sent(const struct mailimap_mailbox_list *box) {
    clistiter *it;

    if (box->mb_flag == NULL || box->mb_flag->mbf_oflags == NULL || box->mb_name == NULL)
        return false;
    for (it = clist_begin(box->mb_flag->mbf_oflags); it != NULL; it = clist_next(it)) {
        const struct mailimap_mbx_list_oflag *flag = clist_content(it);

        if (flag->of_type == MAILIMAP_MBX_LIST_OFLAG_FLAG_EXT && flag->of_flag_ext != NULL &&
            text_compare_nocase(flag->of_flag_ext + (flag->of_flag_ext[0] == '\\'), "Sent") == 0)
            return true;
    }
    return false;
}

int imap_sent_folder(struct imap *i, char **ret_name) {
    clist *boxes = NULL;
    clistiter *it;
    int r;

    *ret_name = NULL;
    allow(i, LITERAL, SMALL);
    r = verdict(i, mailimap_list(i->s, "", "*", &boxes));
    if (r != 0)
        return r;
    for (it = clist_begin(boxes); it != NULL && *ret_name == NULL; it = clist_next(it)) {
        const struct mailimap_mailbox_list *box = clist_content(it);

        if (is_sent(box))
            *ret_name = xstrdup(box->mb_name);
    }
    mailimap_list_result_free(boxes);
    return 0;
}

/* --------------------------------------------------------------------- IDLE */

int imap_idle_begin(struct imap *i) {
    int r;

    allow(i, LITERAL, SMALL);
    r = verdict(i, mailimap_idle(i->s));
    i->idling = r == 0;
    return r;
}

int imap_idle_wait(struct imap *i, int64_t ms) {
    struct imap_wire *w = &i->wire;
    size_t n = 0;
    int r;

    if (w->early_len > 0 || i->s->imap_stream->read_buffer_len > 0)
        return 0;
    r = w->host->ops->stream_read(w->stream, w->early, sizeof(w->early), ms, &n);
    if (r == ADUAN_TIMEOUT || r == ADUAN_STOPPING)
        return r;
    if (r == 0) {
        w->early_len = n;
        w->why = fence_feed(&w->fence, w->early, n);
        r = w->why != NULL ? -EPROTO : 0;
    }
    w->fault = r;
    return r == 0 ? 0 : -1;
}

int imap_idle_end(struct imap *i) {
    i->idling = false;
    i->wire.timeout_ms = COMMAND_MS;
    return verdict(i, mailimap_idle_done(i->s));
}
