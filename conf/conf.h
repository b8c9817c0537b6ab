/*
 * conf.h: the whole configuration, read and checked.
 *
 * conf_read() reads FILE and connectors.d/ beside it in libconfig's syntax,
 * applies the tables, resolves secrets, and reports every fault at once. It
 * knows connectors only by the tables a lookup function gives it, so it never
 * loads code. conf_slice() is what the master hands one worker: JSON with that
 * worker's accounts and only the secrets its role may hold; conf_from_slice()
 * is its reverse in the worker.
 */
#ifndef ADUAN_CONF_H
#define ADUAN_CONF_H

#include "conf/fault.h"
#include "connectors/kit/setting.h"

#include <jansson.h>
#include <stdbool.h>

struct conf_office {
    char *name, *code, *timezone, *language;
};

/* unix:/path or host:port */
struct conf_redis {
    char *redis; /* as written */
    char *user;
    struct aduan_secret password;
};

struct conf_http {
    char *listen;             /* host:port, unix:/path, or "" = off */
    char *tls_cert, *tls_key; /* tls_key may be written "@name"; the master's is always a path */
};

/* Who is told by mail when an account is in trouble; account "" = nobody. */
struct conf_notices {
    char *account; /* the account that sends them */
    struct aduan_strings admin;
    bool silence; /* a webhook that fell silent is a trouble, too */
};

enum conf_uncertain { CONF_UNCERTAIN_HOLD = 0, CONF_UNCERTAIN_RESEND = 1 };

/* One entry of `connectors`. The common keys are ours, all others the connector's. */
struct conf_account {
    char *name; /* [a-z0-9-]{1,32} */
    char *type;
    bool enabled;
    int uncertain;  /* enum conf_uncertain */
    char *tls_ca;   /* PEM file for a private CA, or "" */
    void *settings; /* the connector's struct, filled by its table */
    const struct aduan_setting *table;
    size_t settings_size;
    char digest[65]; /* of everything in this group with its secrets: did it change? */
};

struct conf {
    char *file;
    struct conf_office office;
    char *state;       /* directory */
    char *secrets;     /* directory */
    char *policy;      /* directory of routing.conf, calendar/, templates/ */
    bool policy_known; /* false: the file could not be read so far as to say which */
    char *modules;     /* directory of *.so */
    struct conf_redis queue;
    struct conf_http gateway, console, metrics;
    struct conf_notices notices;
    struct conf_account *accounts;
    size_t account_count;
    char core_digest[65]; /* of everything outside `connectors` */
};

enum conf_role {
    CONF_FOR_MASTER,
    CONF_FOR_RECEIVE,
    CONF_FOR_SEND,
    CONF_FOR_GATEWAY,
    CONF_FOR_DESK,
    CONF_FOR_TOOL,
    CONF_FOR_PARSE /* hostile bytes: no secret at all, not even for Redis */
};

/* What conf needs to know of a connector type. */
struct conf_connector_type {
    const struct aduan_setting *table;
    size_t settings_size;
    void (*check)(const void *settings, void (*fault)(void *arg, const char *key, const char *reason),
                  void *arg);
};
/* 0 and *ret filled, or -1: no such type; *ret_known is then a comma list of known types. */
typedef int (*conf_lookup)(void *arg, const char *type, struct conf_connector_type *ret,
                           const char **ret_known);

/* lookup NULL: accounts are read by their common keys only (aduanctl, which holds no secret):
 * role CONF_FOR_TOOL resolves only the Redis password. Returns a conf (never NULL); it is usable
 * only if no fault was added. */
struct conf *conf_read(const char *file, enum conf_role role, conf_lookup lookup, void *arg,
                       struct faults *faults);
struct conf *conf_free(struct conf *c); /* wipes secrets; returns NULL */

struct conf_account *conf_find(const struct conf *c, const char *name);

/* account NULL: all accounts (gateway, desk). Never NULL; the caller wipes and frees by json_decref. */
json_t *conf_slice(const struct conf *c, enum conf_role role, const char *account);
struct conf *conf_from_slice(const json_t *slice, conf_lookup lookup, void *arg, struct faults *faults);

/* Default path: $ADUAN_CONF, else /etc/aduan/aduan.conf. */
const char *conf_default_file(void);

/* ------- the generic reader over a table, also for routing.conf and calendars (conf/settings.c) */

struct conf_tree; /* a parsed libconfig file that remembers file and line of every node */
struct conf_tree *conf_tree_read(const char *file,
                                 struct faults *faults); /* NULL only if unreadable (fault added) */
struct conf_tree *conf_tree_free(struct conf_tree *t);

/* A node: a group, list/array or scalar. */
struct conf_node;
const struct conf_node *conf_tree_root(const struct conf_tree *t);
const struct conf_node *conf_node_get(const struct conf_node *group, const char *key); /* NULL: none */
size_t conf_node_count(const struct conf_node *n);
const struct conf_node *conf_node_at(const struct conf_node *n, size_t i);
const char *conf_node_key(const struct conf_node *n);  /* NULL inside lists */
const char *conf_node_text(const struct conf_node *n); /* scalar as text; NULL for groups and lists */
const char *conf_node_file(const struct conf_node *n);
unsigned conf_node_line(const struct conf_node *n);

/* Fills *out (zeroed by the caller) from group by table; unknown keys, wrong types, ranges and
 * missing keys become faults with a suggestion. path is the prefix for messages. */
void conf_apply(const struct aduan_setting *table, const struct conf_node *group, const char *path, void *out,
                struct faults *faults);
/* The same beside keys that the caller reads by itself: also is NULL-terminated. */
void conf_apply_beside(const struct aduan_setting *table, const char *const *also,
                       const struct conf_node *group, const char *path, void *out, struct faults *faults);
void conf_settings_clear(const struct aduan_setting *table, void *settings); /* frees and wipes */

/* "30s" -> 30000; "25MiB" -> 26214400. 0, or -1 with a reason. */
int conf_parse_duration(const char *s, int64_t *ret_ms, const char **ret_why);
int conf_parse_size(const char *s, int64_t *ret_bytes, const char **ret_why);

/* Prints a table as the manual of its keys (aduanctl connectors --help TYPE, docs). */
void conf_print_table(const struct aduan_setting *table, const char *prefix,
                      void (*line)(void *arg, const char *s), void *arg);

#endif
