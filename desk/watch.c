/* watch.c: see watch.h. */
#include "desk/watch.h"

#include "kit/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
static const int64_t day_ms = 24 * (int64_t)HOUR, week_ms = 7 * 24 * (int64_t)HOUR;
enum { FRESH_MS = 8 * SECOND, FAULT_AFTER = 5 * MINUTE, WORKER_AFTER = 2 * MINUTE, REDIS_AFTER = 2 * MINUTE };
enum { ANSWER_OLD = 15 * MINUTE, QUOTA_HIGH = 80, QUOTA_FULL = 100 };
enum { SILENT_MIN = 48 * HOUR, SILENT_TIMES = 8, SILENT_OFFICE = 16 * HOUR };

static const struct {
    const char *kind, *meaning, *command;
} kinds[] = {
    { "token",
      "Bila token habis, saluran ini berhenti menerima dan mengirim / when the token ends, this channel stops",
      "aduanctl connectors probe %s" },
    { "fault",
      "Pesan masyarakat di saluran ini tertunda; tidak ada yang hilang dari antrean / messages of this channel "
      "are "
      "delayed; nothing queued is lost",
      "aduanctl connectors probe %s" },
    { "worker", "Saluran ini tidak dilayani selama prosesnya berhenti / this channel is not served meanwhile",
      "journalctl -u aduan --since -1h; aduanctl status" },
    { "queue", "Jawaban kepada masyarakat belum sampai / answers do not reach the public",
      "aduanctl connectors probe %s" },
    { "dead", "Ada yang harus dilihat oleh orang / somebody has to look at it", "aduanctl dead" },
    { "quota",
      "Bila kuota habis, jawaban menunggu sampai platform mengizinkan lagi / once it is used up, answers wait",
      "aduanctl status" },
    { "silent",
      "Mungkin pesan masyarakat tidak lagi dikirim oleh platform kepada kita / the platform may have stopped "
      "delivering",
      "aduanctl connectors probe %s" },
    { "redis",
      "Pada mati listrik, pesan yang sudah diterima dapat hilang / in a power cut, accepted messages may be "
      "lost",
      "redis-cli CONFIG GET append*; aduanctl status" },
    { "disk",
      "Bila penuh, tidak ada pesan baru yang dapat disimpan / once it is full, no new message can be kept",
      "df -h /var/lib/aduan" },
};

static size_t kind_of(const char *key) {
    size_t i, n = strcspn(key, ":");

    for (i = 0; i + 1 < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strlen(kinds[i].kind) == n && strncmp(kinds[i].kind, key, n) == 0)
            break;
    return i;
}

const char *watch_meaning(const char *key) {
    return kinds[kind_of(key)].meaning;
}

const char *watch_account_of(const char *key) {
    const char *colon = strchr(key, ':');

    return colon != NULL ? colon + 1 : "";
}

char *watch_command(const char *key) {
    const char *command = kinds[kind_of(key)].command, *hole = strstr(command, "%s");

    return hole == NULL
               ? xstrdup(command)
               : xasprintf("%.*s%s%s", (int)(hole - command), command, watch_account_of(key), hole + 2);
}

/* ------------------------------------------------------------------ what is wrong */

/* A platform's words may name a citizen or a secret: words with an @, a long number, or as long as a token do
 * not leave the office. */
static void add_plain(struct text *t, const char *s) {
    while (*s != '\0') {
        size_t n = strcspn(s, " \t\n"), digits = 0, i;
        bool odd = n >= 28 || memchr(s, '@', n) != NULL;

        for (i = 0; i < n; i++)
            digits += s[i] >= '0' && s[i] <= '9';
        if (odd || digits >= 6)
            text_add(t, "[…]");
        else
            text_add_n(t, s, n);
        s += n;
        n = strspn(s, " \t\n");
        if (n > 0)
            text_add_char(t, ' ');
        s += n;
    }
}

static struct watch_trouble *add(struct watch_list *l, const char *kind, const char *account, const char *fmt,
                                 ...) __attribute__((format(printf, 4, 5)));

static struct watch_trouble *add(struct watch_list *l, const char *kind, const char *account, const char *fmt,
                                 ...) {
    struct watch_trouble *t;
    va_list ap;

    l->items = xrealloc(l->items, l->count + 1, sizeof(*l->items));
    t = &l->items[l->count++];
    memset(t, 0, sizeof(*t));
    t->level = 1;
    snprintf(t->key, sizeof(t->key), "%s%s%s", kind, account[0] != '\0' ? ":" : "", account);
    va_start(ap, fmt);
    vsnprintf(t->what, sizeof(t->what), fmt, ap);
    va_end(ap);
    t->what[text_cut(t->what, sizeof(t->what) - 1)] = '\0';
    return t;
}

static int64_t number_of(const json_t *o, const char *key) {
    return json_integer_value(json_object_get(o, key));
}

static bool is_fresh(const json_t *health, int64_t now) {
    return now - number_of(health, "at") < FRESH_MS;
}

static void look_token(const struct watch_world *w, const struct watch_account *a, struct watch_list *l) {
    const char *role;
    json_t *health;
    struct watch_trouble *t;
    int64_t ends = 0, left;

    json_object_foreach((json_t *)(uintptr_t)a->health, role, health) {
        int64_t end = number_of(health, "token_expires_at");

        ends = end > 0 && (ends == 0 || end < ends) ? end : ends;
    }
    left = ends - w->now;
    if (ends == 0 || left > 2 * week_ms)
        return;
    t = left > 0 ? add(l, "token", a->name, "Token akun %s habis dalam %lld hari / its token ends in %lld days",
                       a->name, (long long)(left / day_ms), (long long)(left / day_ms))
                 : add(l, "token", a->name, "Token akun %s sudah habis / its token has ended", a->name);
    t->level = left <= day_ms ? 3 : left <= week_ms ? 2 : 1;
}

static void look_workers(const struct watch_world *w, const struct watch_account *a, struct watch_list *l) {
    const char *role, *fault = NULL, *gone = NULL;
    json_t *health;

    json_object_foreach((json_t *)(uintptr_t)a->health, role, health) {
        const char *said = json_string_value(json_object_get(health, "fault"));

        if (!is_fresh(health, w->now))
            gone = role;
        else if (fault == NULL && said != NULL && said[0] != '\0')
            fault = said;
    }
    if (gone != NULL)
        add(l, "worker", a->name, "Proses %s akun %s berhenti / its %s worker is gone", gone, a->name, gone)
            ->after_ms = WORKER_AFTER;
    if (fault != NULL) {
        struct text plain = TEXT_INIT;

        add_plain(&plain, fault);
        add(l, "fault", a->name, "Akun %s terganggu / account in trouble: %s", a->name, plain.s)->after_ms =
            FAULT_AFTER;
        text_free(&plain);
    }
}

static void look_quota(const struct watch_account *a, struct watch_list *l) {
    const char *role, *name;
    json_t *health, *used;
    int64_t most = 0;

    json_object_foreach((json_t *)(uintptr_t)a->health, role, health) {
        json_object_foreach(json_object_get(health, "quota"), name, used) {
            most = json_integer_value(used) > most ? json_integer_value(used) : most;
        }
    }
    if (most >= QUOTA_HIGH)
        add(l, "quota", a->name, "Kuota akun %s terpakai %lld %% / of its quota is used", a->name,
            (long long)most)
            ->level = most >= QUOTA_FULL ? 2 : 1;
}

/* Silence is only strange for who is never silent that long, and while citizens and platform are at work: two
 * days of office time, so that no weekend or holiday counts. */
static void look_silence(const struct watch_world *w, const struct watch_account *a, struct watch_list *l) {
    int64_t least = a->usual_ms * SILENT_TIMES > SILENT_MIN ? a->usual_ms * SILENT_TIMES : SILENT_MIN;

    if (w->silence && a->last_in > 0 && a->usual_ms > 0 && w->now - a->last_in >= least &&
        a->office_ms >= SILENT_OFFICE)
        add(l, "silent", a->name,
            "Webhook akun %s diam sejak %lld jam / its webhook has been silent for %lld hours", a->name,
            (long long)((w->now - a->last_in) / HOUR), (long long)((w->now - a->last_in) / HOUR));
}

static void look_account(const struct watch_world *w, const struct watch_account *a, struct watch_list *l) {
    look_token(w, a, l);
    look_workers(w, a, l);
    look_quota(a, l);
    look_silence(w, a, l);
    if (a->oldest_out > ANSWER_OLD && !a->out_paused)
        add(l, "queue", a->name,
            "Jawaban tertua akun %s menunggu %lld menit / its oldest answer waits %lld minutes", a->name,
            (long long)(a->oldest_out / MINUTE), (long long)(a->oldest_out / MINUTE));
    if (a->dead > 0) {
        struct watch_trouble *t =
            add(l, "dead", a->name, "%lld surat mati di akun %s / dead letters", (long long)a->dead, a->name);

        t->level = a->dead > 1000000 ? 1000000 : (int)a->dead;
        t->counts = true;
    }
}

void watch_look(const struct watch_world *w, struct watch_list *ret) {
    const int64_t gib = (int64_t)1 << 30;
    size_t i;

    memset(ret, 0, sizeof(*ret));
    for (i = 0; i < w->count; i++)
        look_account(w, &w->accounts[i], ret);
    if (w->redis_problem != NULL && w->redis_problem[0] != '\0')
        add(ret, "redis", "", "Redis tidak menyimpan dengan aman / Redis does not keep safely: %.200s",
            w->redis_problem)
            ->after_ms = REDIS_AFTER;
    if (w->disk_size > 0 && (w->disk_free < gib || w->disk_free < w->disk_size / 20))
        add(ret, "disk", "", "Sisa ruang data %lld MiB / disk nearly full", (long long)(w->disk_free >> 20));
}

/* ----------------------------------------------------------------- what is told */

static struct watch_row *row_of(struct watch_book *book, const char *key) {
    size_t i;

    for (i = 0; i < book->count; i++)
        if (book->rows[i].over_at == 0 && strcmp(book->rows[i].key, key) == 0)
            return &book->rows[i];
    return NULL;
}

static bool told(const struct watch_row *row) {
    return row->told_at > 0;
}

/* Nobody needs to hear that it was there. */
static bool is_forgotten(const struct watch_row *row, int64_t now) {
    if (row->over_at == 0)
        return now - row->seen_at >= WATCH_GONE_MS && !told(row) && row->seen_at < row->due_at;
    return (row->over_told_at > 0 || !told(row)) && now - row->over_at >= week_ms;
}

static void settle(struct watch_book *book, int64_t now) {
    size_t i, kept = 0;

    for (i = 0; i < book->count; i++) {
        struct watch_row *row = &book->rows[i];

        if (is_forgotten(row, now)) {
            book->changed = true;
            continue;
        }
        if (row->over_at == 0 && now - row->seen_at >= WATCH_GONE_MS) {
            row->over_at = now;
            book->changed = true;
        }
        book->rows[kept++] = *row;
    }
    book->count = kept;
}

static void see(struct watch_book *book, const struct watch_trouble *t, int64_t now) {
    struct watch_row *row = row_of(book, t->key);

    book->changed = true;
    if (row == NULL) {
        book->rows = xrealloc(book->rows, book->count + 1, sizeof(*book->rows));
        row = &book->rows[book->count++];
        memset(row, 0, sizeof(*row));
        memcpy(row->key, t->key, sizeof(row->key));
        row->since = now;
        row->due_at = now + t->after_ms;
    }
    memcpy(row->what, t->what, sizeof(row->what));
    row->level = t->level;
    row->seen_at = now;
    if (t->counts && row->told_level > row->level)
        row->told_level = row->level;
}

/* What was not seen for a while is a new trouble when it comes again; but one that has been told and was only
 * not looked at (the desk was away) goes on. */
void watch_apply(struct watch_book *book, const struct watch_list *now_wrong, int64_t now) {
    size_t i;

    for (i = 0; i < now_wrong->count; i++) {
        struct watch_row *row = row_of(book, now_wrong->items[i].key);

        if (row != NULL && !is_forgotten(row, now))
            row->seen_at = now;
    }
    settle(book, now);
    for (i = 0; i < now_wrong->count; i++)
        see(book, &now_wrong->items[i], now);
}

bool watch_open(const struct watch_row *row, int64_t now) {
    return row->over_at == 0 && now >= row->due_at && (told(row) || row->seen_at >= row->due_at);
}

bool watch_begun(const struct watch_row *row, int64_t now) {
    return watch_open(row, now) && row->level > row->told_level;
}

bool watch_ended(const struct watch_row *row) {
    return row->over_at > 0 && told(row) && row->over_told_at == 0;
}

bool watch_may_mail(const struct watch_book *book, int64_t now) {
    int64_t last = 0;
    bool any = false;
    size_t i;

    for (i = 0; i < book->count; i++) {
        const struct watch_row *row = &book->rows[i];

        last = row->told_at > last ? row->told_at : last;
        last = row->over_told_at > last ? row->over_told_at : last;
        any = any || watch_begun(row, now) || watch_ended(row);
    }
    return any && now - last >= WATCH_MAIL_MS;
}

void watch_told(struct watch_book *book, int64_t now) {
    size_t i;

    for (i = 0; i < book->count; i++) {
        struct watch_row *row = &book->rows[i];

        if (watch_begun(row, now)) {
            row->told_at = now;
            row->told_level = row->level;
        }
        if (watch_ended(row))
            row->over_told_at = now;
    }
    book->changed = true;
}
