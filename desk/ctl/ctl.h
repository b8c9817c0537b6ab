/*
 * ctl.h: aduanctl's verbs and what they share.
 *
 * A verb gets its words and options already checked against its line in the
 * table of main.c. It returns the exit status of the program. What changes
 * anything goes to the desk as a command; what only looks reads the register
 * and Redis itself.
 */
#ifndef ADUAN_DESK_CTL_H
#define ADUAN_DESK_CTL_H

#include "conf/conf.h"
#include "connectors/kit/text.h"
#include "desk/register.h"
#include "queue/queue.h"

#include <jansson.h>
#include <stdbool.h>

enum { CTL_DONE = 0, CTL_REFUSED = 1, CTL_USAGE = 2, CTL_CONFIG = 78 };
enum { CTL_WORDS_MAX = 8, CTL_OPTIONS_MAX = 32 };

struct ctl_option {
    const char *name;  /* without the dashes */
    const char *value; /* "" for a switch */
};

struct ctl {
    const char *file; /* configuration */
    const char *as;   /* acting officer, or NULL */
    bool json;
    const char *words[CTL_WORDS_MAX]; /* after the verb */
    size_t word_count;
    struct ctl_option options[CTL_OPTIONS_MAX];
    size_t option_count;
    const char *usage; /* of the verb that runs */
    struct conf *conf;
    json_t *conf_faults; /* of a configuration that `status` shows all the same; NULL: none */
    struct queue *queue;
    struct reg *reg;
    int64_t now;
    int offset; /* the office's, minutes east of UTC */
};

/* ------------------------------------------------------------------------ ctl.c */

/* NULL when not given. */
const char *ctl_option(const struct ctl *c, const char *name);
/* One line on stderr; returns CTL_REFUSED. */
int ctl_refuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same and how the verb is written; returns CTL_USAGE. */
int ctl_usage(const struct ctl *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Opens the register for reading: CTL_DONE, or CTL_REFUSED (said why). */
int ctl_open_register(struct ctl *c);
/* A refusal in the words of the register or the queue. */
int ctl_register_fault(const struct ctl *c, int rc);
int ctl_queue_fault(const struct ctl *c, int rc);
/* Sends a command (steals it) to the desk and prints nothing. CTL_DONE and the desk's answer (new
 * reference), or CTL_REFUSED (said why). raw may be NULL. */
int ctl_command(struct ctl *c, json_t *command, const void *raw, size_t raw_len, json_t **ret_answer);
/* An account of the configuration; NULL: there is none (said so). */
const struct conf_account *ctl_account(const struct ctl *c, const char *name);
/* Standard input to its end, as clean UTF-8; NULL when larger than max (said so). */
char *ctl_read_stdin(size_t max);
/* TEXT, or "-" for standard input, without blanks at its end; new. NULL: said why. */
char *ctl_take_text(const char *word);
/* Appends a file's bytes, and {name, type, size} to the list. CTL_DONE, or CTL_REFUSED (said why). */
int ctl_attach_file(const char *path, json_t *list, struct text *bytes);
/* A new file, for its owner's eyes; never over one that is there. CTL_DONE, or CTL_REFUSED (said why). */
int ctl_write_new(const char *path, const char *bytes, size_t n);
/* One line from standard input, without echo at a terminal. To be wiped. NULL: none. */
char *ctl_read_password(void);

/* ---------------------------------------------------------------------- print.c */

/* JSON to stdout, and its end (steals it); returns CTL_DONE. */
int ctl_print_json(json_t *j);
/* A table: cells are copied; NULL cells are "-". Columns are as wide as they must be. */
struct ctl_table {
    size_t columns, rows;
    char **cells;
};
void ctl_table_row(struct ctl_table *t, size_t columns, const char *const *cells);
void ctl_table_print(struct ctl_table *t); /* first row is the head; frees */
/* Text from outside, harmless to a terminal: no escape sequences, no bidi controls. New string. */
char *ctl_safe(const char *s);
char *ctl_safe_line(const char *s, size_t max_characters); /* on one line, cut with "…" */
/* "5 Okt 09.12" style short time of an RFC 3339 text; "-" for NULL. New string. */
char *ctl_short_time(const char *rfc3339);
const char *ctl_label(const char *kind, const char *name); /* Indonesian word for a state, status, channel, … */
char *ctl_span(int64_t ms); /* "3 hari 2 jam", "5 menit", "12 detik"; new string */

/* ------------------------------------------------------------------------ verbs */

int ctl_status(struct ctl *c);
int ctl_tickets(struct ctl *c);
int ctl_show(struct ctl *c);
int ctl_reply(struct ctl *c);
int ctl_note(struct ctl *c);
int ctl_close(struct ctl *c);
int ctl_reopen(struct ctl *c);
int ctl_assign(struct ctl *c);
int ctl_classify(struct ctl *c);
int ctl_connectors(struct ctl *c);
int ctl_probe(struct ctl *c, const struct conf_account *a); /* probe.c, for ctl_connectors() */
int ctl_dead(struct ctl *c);
int ctl_replay(struct ctl *c);
int ctl_user(struct ctl *c);
int ctl_due(struct ctl *c);
int ctl_try(struct ctl *c);
int ctl_intake(struct ctl *c);
int ctl_worklist(struct ctl *c);
int ctl_import(struct ctl *c);

#endif
