/*
 * ask.h: one command while it is being carried out; for command*.c only.
 *
 * A verb returns 0 (done), ASK_REFUSED (ask_refuse() said why) or negative: the
 * register is unusable. A refused command leaves nothing behind.
 */
#ifndef ADUAN_DESK_ASK_H
#define ADUAN_DESK_ASK_H

#include "desk/room.h"

enum { ASK_REFUSED = 1 };

struct ask {
    struct room *room;
    const struct queue_entry *e;
    const json_t *json;
    char actor[96];
    json_t *answer; /* members beside "ok" */
    char error[400];
};

int ask_refuse(struct ask *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *ask_text(const struct ask *a, const char *key); /* "" when absent or no string */
void ask_say(struct ask *a, const char *key, const char *value);
/* The case of member "number", to be cleared by the caller; says so in the answer. */
int ask_case(struct ask *a, struct reg_case *ret);

/* The files that came with a command. ask_files() names them, ask_files_store() keeps their bytes. */
enum { ASK_FILES_MAX = 10 };
struct ask_files {
    struct aduan_attachment list[ASK_FILES_MAX];
    size_t count;
};
int ask_files(struct ask *a, struct ask_files *ret); /* to be cleared also when refused */
int ask_files_store(struct ask *a, const struct ask_files *f);
void ask_files_clear(struct ask_files *f);

int verb_intake(struct ask *a);        /* intake.c */
int verb_worklist_done(struct ask *a); /* command_hand.c */
int verb_worklist_failed(struct ask *a);

int verb_reply(struct ask *a);
int verb_note(struct ask *a);
int verb_close(struct ask *a);
int verb_reopen(struct ask *a);
int verb_assign(struct ask *a);
int verb_classify(struct ask *a);

int verb_user_add(struct ask *a);
int verb_user_passwd(struct ask *a);
int verb_user_disable(struct ask *a);
int verb_user_enable(struct ask *a);
int verb_dead_retry(struct ask *a);
int verb_dead_drop(struct ask *a);
int verb_replay(struct ask *a); /* replay.c */
int replay_letter(struct ask *a, const struct queue_dead *d);
int verb_ping(struct ask *a);

#endif
