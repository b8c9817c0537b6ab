/*
 * internal.h: what the files of conf/ share and nobody else sees.
 */
#ifndef ADUAN_CONF_INTERNAL_H
#define ADUAN_CONF_INTERNAL_H

#include "conf/conf.h"
#include "connectors/kit/text.h"

/* ------------------------------------------------------------------- tree.c, source.c */

enum node_type { NODE_GROUP = 1, NODE_LIST, NODE_STRING, NODE_INT, NODE_FLOAT, NODE_BOOL };

struct conf_node {
    enum node_type type;
    char *key;
    char *text; /* scalars; numbers as they are written in the file */
    const char *file;
    unsigned line;
    struct conf_node *items;
    size_t count;
};

/* What libconfig does not tell of a source file: its numbers as written (it wraps large ones
 * without a word) and its includes (it ends the process on a directory). */
struct source_number {
    char *text;
    unsigned line;
};
struct source {
    char *name; /* as libconfig reports it */
    struct source_number *numbers;
    size_t number_count, next;
    char **includes;
    unsigned *include_lines;
    size_t include_count;
};
/* 0, or -1 with a reason: not a readable regular file of sensible size. */
int source_read(const char *path, struct source *ret, const char **ret_why);
void source_clear(struct source *s);
/* A whole text file (UTF-8, at most max bytes) as a new string. 0, or -1 with a reason (new string). */
int source_text(const char *path, size_t max, char **ret_text, char **ret_why);

/* --------------------------------------------------------------------------- secret.c */

/* Flag bit of our own: handed to every worker (the Redis password). */
#define CONF_FOR_ALL (1u << 16)

bool secret_wanted(enum conf_role role, unsigned flags);
/* Reads "@name" (reference with its '@') from $CREDENTIALS_DIRECTORY or dir. 0, or -1 with a
 * reason that never quotes the value (new string). */
int secret_read(const char *dir, const char *reference, struct aduan_secret *ret, char **ret_why);
/* The file behind "@name", for a library that reads it by itself; the same rules, and it must be there. */
int secret_path(const char *dir, const char *reference, char **ret_path, char **ret_why);
void secret_clear(struct aduan_secret *s);

/* ------------------------------------------------------------------------- settings.c */

struct reader {
    struct faults *faults;
    enum conf_role role;
    const char *secrets; /* directory; NULL: neither secrets nor files are read */
    const char *dir;     /* that paths are relative to */
};

/* One struct to fill from a group; several may share the group's keys. */
struct target {
    const struct aduan_setting *table;
    void *out;
};

/* also: further keys that are known here and read elsewhere; NULL-terminated, or NULL. */
void conf_apply_targets(const struct reader *r, const struct target *targets, size_t count,
                        const char *const *also, const struct conf_node *group, const char *path);
/* The nearest of some words, or NULL if none is near. */
const char *conf_nearest(const char *word, const char *const *words, size_t count);

/* ----------------------------------------------------------------------------- scalar.c */

/* Text to value of a row's type (STRING, BOOL, INT, DURATION, SIZE, CHOICE, URL). 0, or -1 with a
 * reason; strings in *out are replaced. */
int conf_scalar(const struct aduan_setting *row, const char *text, void *out, char *why, size_t why_size);
/* host:port, [v6]:port, unix:/path. 0, or -1 with a reason. */
int conf_check_listen(const char *s, const char **ret_why);

/* ---------------------------------------------------------------------------- conf.c */

extern const struct aduan_setting conf_core_table[];    /* over struct conf */
extern const struct aduan_setting conf_account_table[]; /* over struct conf_account */

/* -------------------------------------------------------------------------- notices.c */

/* Once all accounts are read. */
void conf_check_notices(const struct conf *c, const struct conf_node *root, struct faults *faults);

/* ------------------------------------------------------------------------------ tls.c */

/* At the line of a key like "imap.url" below group, or of the nearest group there is. */
void conf_fault_at(struct faults *f, const struct conf_node *group, const char *prefix, const char *key,
                   const char *reason);
/* Paths are relative to the file that names them, wherever the program is started. */
void conf_make_absolute(char **path, const char *dir);

struct tls_place {
    struct faults *faults;
    const struct conf_node *root;
    const char *group, *dir, *secrets;
    bool files; /* look into them: the master's business */
};
/* Makes the paths absolute, finds the file behind "@name", says what cannot be read or is no PEM. */
void conf_check_tls(const struct tls_place *p, struct conf_http *h);

/* ---------------------------------------------------------------------------- slice.c */

/* A digest of all values, secrets included. */
struct sign_stream;
void conf_hash(struct sign_stream *s, const struct aduan_setting *table, const void *settings);

static inline void *conf_member(void *base, size_t offset) {
    return (char *)base + offset;
}

static inline const void *conf_cmember(const void *base, size_t offset) {
    return (const char *)base + offset;
}

#endif
