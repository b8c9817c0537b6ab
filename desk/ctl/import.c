/*
 * import.c: bytes that a person has (a list of reports, a notice) into an account that can read them.
 *
 * They take the road of kept bytes: the account's receive worker has them parsed in the process made for that
 * and accepts what came of them. What became of them is then read in the register: new messages have the
 * import's time, and of what was there before the desk notes that it came again.
 */
#include "desk/ctl/ctl.h"

#include "connectors/kit/sign.h"
#include "queue/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BYTES_MAX = 16 * 1024 * 1024,
    WAIT_MS = 60000,
    LOOK_MS = 200,
};

struct watch {
    struct ctl *c;
    const char *account;
    json_t *told;    /* key -> true */
    json_t *list;    /* what is printed */
    int64_t at;      /* of this import: when its records were received */
    bool late;       /* not all of it has arrived yet */
    int64_t history; /* the register's newest row before it */
};

static int read_bytes(const char *path, struct text *out) {
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;
    if (fd > STDIN_FILENO && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        return ctl_refuse("%s: bukan berkas / not a file", path);
    }
    char buf[16384];
    ssize_t n = 0;
    while (fd >= 0 && out->len <= BYTES_MAX &&
           ((n = read(fd, buf, sizeof buf)) > 0 || (n < 0 && errno == EINTR))) {
        text_add_n(out, buf, n > 0 ? (size_t)n : 0);
    }
    int rc = CTL_DONE;
    if (fd < 0 || n < 0) {
        rc = ctl_refuse("%s: %s", path, strerror(errno));
    } else if (out->len == 0 || out->len > BYTES_MAX) {
        rc = ctl_refuse("%s: %s", path, out->len == 0 ? "kosong / empty" : "lebih dari / more than 16 MiB");
    }
    if (fd > STDIN_FILENO) {
        close(fd);
    }
    return rc;
}

/* One message of the register into the list, once. */
static void tell(struct watch *w, const struct reg_message *m, bool before) {
    struct reg_case k = { 0 };
    if (json_object_get(w->told, m->key)) {
        return;
    }
    bool found = m->ticket > 0 && reg_case_get(w->c->reg, m->ticket, &k) == 0;
    json_object_set_new(w->told, m->key, json_true());
    json_array_append_new(w->list,
                          json_pack("{s:s, s:s, s:s, s:s?, s:b}", "id", m->platform_id ? m->platform_id : "",
                                    "kind", m->kind, "note", m->note ? m->note : "", "number",
                                    found ? k.number : NULL, "known", before));
    if (found) {
        reg_case_clear(&k);
    }
}

static int see_new(void *arg, const struct reg_kept *kept) {
    struct watch *w = arg;
    struct reg_message m = { 0 };
    if (kept->received_at == w->at && reg_message_by_key(w->c->reg, kept->key, &m) == 0) {
        tell(w, &m, false);
        reg_message_clear(&m);
    }
    return 0;
}

static int see_repeated(void *arg, const struct reg_history *h) {
    struct watch *w = arg;
    struct reg_message m = { 0 };
    bool ours = h->event && (strcmp(h->event, "repeated") == 0 || strcmp(h->event, "replayed") == 0);
    if (ours && h->detail && reg_message_by_key(w->c->reg, h->detail, &m) == 0) {
        if (m.account && strcmp(m.account, w->account) == 0) {
            tell(w, &m, true);
        }
        reg_message_clear(&m);
    }
    return 0;
}

/* Is nothing of this account on its way to the register? 1, 0 or negative. */
static int at_rest(const struct watch *w) {
    static const char *const streams[] = { "replay", "in", "event" };
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        int64_t count = 0, oldest = 0;
        int rc = queue_depth(w->c->queue, w->account, streams[i], clock_wall_ms(), &count, &oldest);
        if (rc < 0 || count > 0) {
            return rc < 0 ? rc : 0;
        }
    }
    return 1;
}

/* Until all of it has arrived; what takes longer is not waited for. */
static int await(struct watch *w) {
    int64_t start = clock_wall_ms(), now = start;
    int rest = 0;
    while (rest == 0 && now >= start && now - start < WAIT_MS) {
        usleep(LOOK_MS * 1000);
        rest = at_rest(w);
        now = clock_wall_ms();
    }
    if (rest < 0) {
        return ctl_queue_fault(w->c, rest);
    }
    w->late = rest == 0;
    int rc = reg_kept(w->c->reg, w->account, w->at, false, see_new, w);
    if (rc >= 0) {
        rc = reg_history_after(w->c->reg, w->history, see_repeated, w);
    }
    return rc < 0 ? ctl_register_fault(w->c, rc) : CTL_DONE;
}

static int print(struct watch *w) {
    size_t i, fresh = 0;
    json_t *one;
    if (w->c->json) {
        return ctl_print_json(json_pack("{s:O, s:b}", "reports", w->list, "late", w->late));
    }
    json_array_foreach(w->list, i, one) {
        const char *number = json_string_value(json_object_get(one, "number"));
        const char *note = json_string_value(json_object_get(one, "note"));
        char *id = ctl_safe_line(json_string_value(json_object_get(one, "id")), 120),
             *why = ctl_safe_line(note, 300);
        bool known = json_is_true(json_object_get(one, "known"));
        printf("%s\t%s%s%s%s\n", id, known ? "sudah ada / already there: " : "", number ? number : "-",
               why[0] ? "\t" : "", why);
        fresh += !known;
        free(id);
        free(why);
    }
    if (json_array_size(w->list) == 0) {
        return ctl_refuse(
            "belum ada hasil; lihat `aduanctl status` dan `aduanctl dead` / nothing came of it yet; see "
            "`aduanctl status` and `aduanctl dead`");
    }
    printf("%zu baru / new%s\n", fresh,
           w->late ? "; sebagian masih diproses / some of it is still on its way" : "");
    return CTL_DONE;
}

static int put(struct ctl *c, const char *account, const struct text *bytes, int64_t at) {
    char digest[65];
    sign_sha256_hex(bytes->s, bytes->len, digest);
    char *key = xasprintf("%s/import-%s", account, digest);
    json_t *json = json_pack("{s:I, s:s}", "received_at", (json_int_t)at, "sha256", "");
    char *record = json_dumps(json, JSON_COMPACT);
    int rc = queue_replay(c->queue, account, key, record, bytes->s, bytes->len);
    free(record);
    json_decref(json);
    free(key);
    return rc < 0 ? ctl_queue_fault(c, rc) : CTL_DONE;
}

int ctl_import(struct ctl *c) {
    const struct conf_account *a = ctl_account(c, c->words[0]);
    struct text bytes = TEXT_INIT;
    if (!a) {
        return CTL_REFUSED;
    }
    if (!a->enabled) {
        return ctl_refuse("akun \"%s\" tidak aktif / the account is not enabled", a->name);
    }
    int rc = read_bytes(c->words[1], &bytes);
    struct watch w = { .c = c, .account = a->name, .told = json_object(), .list = json_array() };
    if (rc == CTL_DONE) {
        rc = ctl_open_register(c);
    }
    w.at = clock_wall_ms();
    if (rc == CTL_DONE && reg_history_last(c->reg, &w.history) < 0) {
        rc = ctl_register_fault(c, -EIO);
    }
    if (rc == CTL_DONE) {
        rc = put(c, a->name, &bytes, w.at);
    }
    if (rc == CTL_DONE) {
        rc = await(&w);
    }
    if (rc == CTL_DONE) {
        rc = print(&w);
    }
    json_decref(w.told);
    json_decref(w.list);
    text_free(&bytes);
    return rc;
}
