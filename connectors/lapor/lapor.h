/*
 * lapor.h: what the files of the SP4N-LAPOR! connector share.
 *
 * Facts: office/lapor-api.md in the project's reference; section numbers in
 * comments here are its. Little of LAPOR's API is public, so nothing of it is
 * code: what an account may do with it stands in a profile (profile.c), and
 * without one everything goes by hand.
 */
#ifndef ADUAN_LAPOR_H
#define ADUAN_LAPOR_H

#include "connector.h"

#include "kit/json.h"
#include "kit/text.h"

enum lapor_mode { LAPOR_ASSISTED = 0, LAPOR_API };

struct lapor_settings {
    int mode;
    char *profile;                /* content of the file */
    struct aduan_strings headers; /* "token: ", "auth: Bearer " */
    struct aduan_secrets secrets; /* their values, in the same order */
    int64_t poll;
    int64_t text_max;
};

/* ------------------------------------------------------------------ profile.c */

struct lapor_entry {
    char *section, *key, *value;
    unsigned line;
};

struct lapor_profile {
    struct lapor_entry *items;
    size_t count;
};

/* What is wrong, one line: "baris / line 12: [cap.list] path: …". */
typedef void (*lapor_fault)(void *arg, const char *reason);

/* Reads and checks; every fault is told (fault may be NULL). 0, or -1 when there was one. */
int lapor_profile_read(const char *text, lapor_fault fault, void *arg, struct lapor_profile *ret);
void lapor_profile_clear(struct lapor_profile *p);
/* NULL: not there. */
const char *lapor_get(const struct lapor_profile *p, const char *section, const char *key);
/* otherwise: also where it is empty. */
const char *lapor_or(const struct lapor_profile *p, const char *section, const char *key,
                     const char *otherwise);
int64_t lapor_number(const struct lapor_profile *p, const char *section, const char *key, int64_t otherwise);
bool lapor_enabled(const struct lapor_profile *p,
                   const char *capability); /* "list": [cap.list] enabled = yes */
bool lapor_state_known(const char *state);  /* of [status.map] */

/* ----------------------------------------------------------------------- map.c */

/* All that `pointer` (RFC 6901, and "*" for every element) finds in json, borrowed into a new array. */
json_t *lapor_find(const json_t *json, const char *pointer);
/* The first alternative of "/a/b|/c:bool" that finds something, converted. New string; NULL: none. */
char *lapor_value(const json_t *json, const char *expression);
/* The same as JSON (borrowed); NULL: none. Without converters. */
const json_t *lapor_node(const json_t *json, const char *expression);
/* "{reply_text}", "[{ids}]|suffix(\".\")|quote" with the values of an object. New string. NULL: a name in
 * braces is not there; it is then in *ret_missing (new string, may be NULL). */
char *lapor_fill(const char *pattern, const json_t *values, char **ret_missing);
/* NULL, or what is wrong with an expression or a pattern. */
const char *lapor_expression_fault(const char *expression);
/* names: what may stand in braces; the last is NULL. */
const char *lapor_pattern_fault(const char *pattern, const char *const *names);

/* ---------------------------------------------------------------------- read.c */

/* Everything parse() knows of one report or one entry of its follow-up. Strings are owned; NULL: not said. */
struct lapor_item {
    char *id;   /* tracking id of the report */
    char *item; /* id of a follow-up; NULL: the report itself */
    char *title, *body, *created, *status, *name, *phone, *address, *event, *from;
    char *anonymous, *secret;
    bool own; /* a follow-up by this office */
    json_t *files;
};

struct lapor_walk {
    const struct lapor_settings *settings;
    struct lapor_profile profile; /* empty: the defaults */
    struct aduan_sink *sink;
    const struct aduan_bytes *in;
    json_t *bodies; /* of the reports so far: id -> text */
    int r;          /* the sink's first failure ends it */
    size_t count;
};

/* One item to its record. slice: the bytes that give it again. Takes the item. */
void lapor_emit(struct lapor_walk *w, struct lapor_item *item, const char *slice, size_t len);
void lapor_item_clear(struct lapor_item *item);
/* A visible record for what cannot be read. */
void lapor_unparsed(struct lapor_walk *w, const char *slice, size_t len, const char *note);
/* The same of bytes that one of these records kept: {"lapor": "unparsed", "note", "text", "bytes"}. 0, or -1:
 * they are not such bytes. */
int lapor_unparsed_again(struct lapor_walk *w, const json_t *whole);
/* Milliseconds; without a zone it is WIB. 0: no time. */
int64_t lapor_time_of(const char *s);
/* HTML and {{placeholders}} gone; values may be NULL. New string. */
char *lapor_plain(const char *s, const json_t *values);

/* One report as names and values, of a table's row or of a notice's labels. Its bytes are JSON that says so:
 * {"lapor": "row", "head": […], "row": […]}. */
void lapor_row(struct lapor_walk *w, const json_t *head, const json_t *row);
int lapor_json(struct lapor_walk *w, const json_t *json); /* json.c */
int lapor_csv(struct lapor_walk *w);                      /* csv.c; -1: it is no table */
/* Sets what a column or a label is called; false: nobody knows that name. Takes the value. */
bool lapor_set(struct lapor_item *item, const char *name, size_t n, char *value); /* names.c */
int lapor_notice(struct lapor_walk *w, const char *text, size_t n);               /* notice.c */
bool lapor_notice_like(const char *text, size_t n);

int lapor_parse(const void *settings, const struct aduan_bytes *in, struct aduan_sink *sink);
int lapor_selftest(char *why, size_t why_size);

/* --------------------------------------------------------------------- working */

struct lapor {
    struct aduan_host *host;
    const struct lapor_settings *settings;
    struct lapor_profile profile;
    int64_t read_at;   /* when LAPOR was last asked; 0 never */
    int64_t listed_at; /* when the list was last read to its end in this life; 0 never */
    int64_t asked_at;
    json_t *told; /* platform id of an entry -> the answer of ours that it is; of this life */
};

int lapor_fits(const void *settings, const struct aduan_answer *answer, char *why, size_t why_size);
int lapor_pull(void *ctx, int64_t wait_ms, struct aduan_result *ret);
int lapor_commit(void *ctx, const uint64_t *cookies, size_t count);
void lapor_send(void *ctx, const struct aduan_answer *answer, uint64_t token);
void lapor_find_sent(void *ctx, const struct aduan_answer *answer, struct aduan_result *ret);
void lapor_probe(void *ctx, struct aduan_result *ret);

#endif
