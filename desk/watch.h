/*
 * watch.h: which troubles there are, and of which the admin is to be told; pure.
 *
 * watch_look() makes a list of what is wrong now. watch_apply() carries it into
 * the rows that the register keeps, so that each trouble has a beginning and an
 * end, also across a restart: it is told once it has lasted (or has risen to a
 * new level), and its end once it has been gone for a while, so that what comes
 * and goes every minute is one trouble and not a hundred.
 */
#ifndef ADUAN_DESK_WATCH_H
#define ADUAN_DESK_WATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WATCH_GONE_MS = 5 * 60 * 1000, WATCH_MAIL_MS = 60 * 60 * 1000 };

struct watch_account {
    const char *name;
    const json_t *health; /* by role; NULL: not known */
    int64_t oldest_out;   /* how long the oldest answer has waited, ms */
    int64_t dead;         /* dead letters */
    bool out_paused;
    /* Of a webhook: when it last brought something, how long it is silent usually (0: not known yet), and how
     * much office time has passed since. */
    int64_t last_in, usual_ms, office_ms;
};

struct watch_world {
    int64_t now;
    const struct watch_account *accounts;
    size_t count;
    const char *redis_problem; /* why it does not keep what it acknowledges; NULL or "": it does, or unknown */
    int64_t disk_free, disk_size;
    bool silence; /* tell of silent webhooks */
};

struct watch_trouble {
    char key[80]; /* KIND or KIND:ACCOUNT */
    int level;    /* a higher one is told again */
    bool counts;  /* the level may fall, and what comes then is new */
    int64_t after_ms;
    char what[320]; /* "Teks / text", fit to be mailed: no secret, nothing of a citizen */
};
struct watch_list {
    struct watch_trouble *items;
    size_t count;
};

/* What the register keeps of a trouble. */
struct watch_row {
    char key[80], what[320];
    int level, told_level;
    int64_t since, seen_at, due_at; /* due_at: since then it has lasted long enough to be told */
    int64_t told_at, over_at, over_told_at;
};
struct watch_book {
    struct watch_row *rows;
    size_t count;
    bool changed;
};

void watch_look(const struct watch_world *w, struct watch_list *ret); /* the caller frees ret->items */
void watch_apply(struct watch_book *book, const struct watch_list *now_wrong, int64_t now);
/* Is its beginning (or a new level), or its end, to be told? */
bool watch_begun(const struct watch_row *row, int64_t now);
bool watch_ended(const struct watch_row *row);
/* May a mail be sent now? The first goes at once, then one an hour. */
bool watch_may_mail(const struct watch_book *book, int64_t now);
/* A mail that tells all of it was written. */
void watch_told(struct watch_book *book, int64_t now);
bool watch_open(const struct watch_row *row, int64_t now); /* to be shown as a trouble */
/* What it means for the public and what to do, by the row's key; "Teks / text", or a command. */
const char *watch_meaning(const char *key);
char *watch_command(const char *key);          /* new */
const char *watch_account_of(const char *key); /* "" none */

#endif
