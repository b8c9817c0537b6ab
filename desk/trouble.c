/*
 * trouble.c: once a minute, what is wrong is asked for, kept, and told to the admin.
 *
 * What is told and that it was told stand in one transaction with the mail
 * itself (outbox), so a crash tells nothing twice and nothing never.
 */
#include "desk/room.h"
#include "desk/watch.h"

#include "kit/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

enum { USUAL_OF = 8, USUAL_FROM = 10 }; /* a moving average over 8; known from the 10th message on */

/* -------------------------------------------------------------------- the world */

/* A burst is one sign of life: only gaps that are one count. */
static int traffic(struct room *room, const char *name, int64_t heard, struct reg_traffic *t) {
    int64_t gap;
    int rc = reg_traffic_get(room->reg, name, t);

    if (rc < 0 || heard <= t->last_in)
        return rc < 0 ? rc : 0;
    gap = heard - t->last_in;
    if (t->last_in > 0)
        t->usual = t->usual == 0 ? gap : (t->usual * (USUAL_OF - 1) + gap) / USUAL_OF;
    t->last_in = heard;
    t->count++;
    rc = reg_begin(room->reg);
    if (rc == 0)
        rc = reg_traffic_set(room->reg, name, t);
    return rc == 0 ? reg_commit(room->reg) : rc;
}

/* 0; 1: Redis is away; negative: the register is unusable. */
static int ask_account(struct room *room, size_t i, struct watch_account *a) {
    const struct desk_account *d = &room->o->accounts[i];
    struct queue *q = room->o->queue;
    struct reg_traffic t;
    json_t *health = NULL;
    int64_t count, oldest;
    char why[160];
    bool in;
    int rc;

    a->name = d->name;
    if (queue_health_get(q, d->name, &health) < 0)
        return 1;
    a->health = health;
    if (queue_depth(q, d->name, "out", room->now, &count, &a->oldest_out) < 0 ||
        queue_depth(q, d->name, "dead", room->now, &a->dead, &oldest) < 0 ||
        queue_switch_get(q, d->name, &in, &a->out_paused) < 0)
        return 1;
    rc = traffic(room, d->name, room->heard[i], &t);
    if (rc == 0 && json_object_get(health, "gateway") != NULL && t.count >= USUAL_FROM && !in) {
        a->last_in = t.last_in;
        a->usual_ms = t.usual;
        if (calendar_working_ms(room->calendar, t.last_in, room->now, &a->office_ms, why, sizeof(why)) != 0)
            a->office_ms = 0;
    }
    return rc;
}

static void ask_disk(const struct room *room, struct watch_world *w) {
    struct statvfs v;

    if (statvfs(room->o->conf->state, &v) == 0) {
        w->disk_free = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
        w->disk_size = (int64_t)v.f_blocks * (int64_t)v.f_frsize;
    }
}

/* --------------------------------------------------------------------- the mail */

static bool is_in_trouble(const struct watch_book *book, const char *account, int64_t now) {
    static const char *const kinds[] = { "fault:", "worker:", "queue:" };
    size_t i, k;

    for (i = 0; i < book->count; i++)
        for (k = 0; k < 3; k++)
            if (watch_open(&book->rows[i], now) && text_starts(book->rows[i].key, kinds[k]) &&
                text_equal(watch_account_of(book->rows[i].key), account))
                return true;
    return false;
}

static bool sends_mail(const struct desk_account *a) {
    return a->can_send && !a->by_hand && (text_equal(a->channel, "email") || text_equal(a->channel, "maildir"));
}

/* The one that is set, or another that works. */
static const struct desk_account *by_which(const struct room *room, const struct watch_book *book) {
    const struct desk_account *a = room_account(room, room->o->conf->notices.account);
    size_t i;

    if (a != NULL && sends_mail(a) && !is_in_trouble(book, a->name, room->now))
        return a;
    for (i = 0; i < room->o->account_count; i++) {
        a = &room->o->accounts[i];
        if (sends_mail(a) && !is_in_trouble(book, a->name, room->now))
            return a;
    }
    return NULL;
}

static void add_row(struct room *room, struct text *t, const struct watch_row *row) {
    bool over = row->over_at > 0;
    char *since = calendar_time_text(room->calendar, row->since, "id"),
         *since_en = calendar_time_text(room->calendar, row->since, "en"), *command = watch_command(row->key);

    text_addf(t, "%s: %s\n", over ? "PULIH / OVER" : "GANGGUAN / TROUBLE", row->what);
    text_addf(t, "  Sejak / since: %s / %s\n", since, since_en);
    if (!over)
        text_addf(t, "  Artinya / what it means: %s\n  Perintah / what to do: %s\n", watch_meaning(row->key),
                  command);
    text_add(t, "\n");
    free(since);
    free(since_en);
    free(command);
}

static int write_mails(struct room *room, const struct watch_book *book, const struct desk_account *a) {
    const struct aduan_strings *admin = &room->o->conf->notices.admin;
    struct text t = TEXT_INIT;
    size_t i, begun = 0, over = 0;
    char *subject;
    int rc = 0;

    for (i = 0; i < book->count; i++) {
        if (!watch_begun(&book->rows[i], room->now) && !watch_ended(&book->rows[i]))
            continue;
        begun += book->rows[i].over_at == 0;
        over += book->rows[i].over_at > 0;
        add_row(room, &t, &book->rows[i]);
    }
    text_add(
        &t,
        "Semua keadaan / everything: aduanctl status\n"
        "Surel ini ditulis oleh Aduan; balasannya tidak dibaca / written by Aduan, replies are not read.\n");
    subject = xasprintf("[Aduan] %s: %zu gangguan, %zu pulih / %zu in trouble, %zu over",
                        room->o->conf->office.code, begun, over, begun, over);
    for (i = 0; rc == 0 && i < admin->count; i++)
        rc = notice_send(room, a, admin->items[i], subject, t.s, 0);
    free(subject);
    text_free(&t);
    return rc;
}

static int tell(struct room *room, struct watch_book *book) {
    const struct desk_account *a;
    int rc;

    if (room->o->conf->notices.admin.count == 0 || !watch_may_mail(book, room->now))
        return 0;
    a = by_which(room, book);
    if (a == NULL) {
        if (room->now - room->untold_at >= HOUR_MS)
            room_log(room, DESK_ERROR,
                     "accounts are in trouble and no mail account works to say so: see aduanctl status");
        room->untold_at = room->now - room->untold_at >= HOUR_MS ? room->now : room->untold_at;
        return 0;
    }
    rc = write_mails(room, book, a);
    if (rc == 0)
        watch_told(book, room->now);
    return rc;
}

static int keep(struct room *room, const struct watch_list *wrong) {
    struct watch_book book;
    int rc = reg_trouble_load(room->reg, &book);

    if (rc == 0)
        watch_apply(&book, wrong, room->now);
    if (rc == 0 && (book.changed || watch_may_mail(&book, room->now))) {
        rc = reg_begin(room->reg);
        if (rc == 0)
            rc = tell(room, &book);
        if (rc == 0)
            rc = reg_trouble_save(room->reg, &book);
        if (rc == 0)
            rc = reg_commit(room->reg);
    }
    free(book.rows);
    return rc;
}

int trouble_run(struct room *room) {
    struct watch_account *accounts = xcalloc(room->o->account_count + 1, sizeof(*accounts));
    struct watch_world w = { .now = room->now,
                             .accounts = accounts,
                             .count = room->o->account_count,
                             .silence = room->o->conf->notices.silence };
    struct queue_durability d;
    struct watch_list wrong;
    char problem[1024] = "";
    size_t i;
    int rc = 0;

    for (i = 0; rc == 0 && i < w.count; i++)
        rc = ask_account(room, i, &accounts[i]);
    if (rc == 0 && queue_durability(room->o->queue, &d, problem, sizeof(problem)) == 0)
        w.redis_problem = problem;
    if (rc == 0) {
        ask_disk(room, &w);
        watch_look(&w, &wrong);
        rc = keep(room, &wrong);
        free(wrong.items);
    }
    for (i = 0; i < w.count; i++)
        json_decref((json_t *)(uintptr_t)accounts[i].health);
    free(accounts);
    return rc < 0 ? rc : 0;
}
