/*
 * settings.c: a group of a configuration file into a C struct, by its table.
 *
 * One walk over the group finds the keys nobody knows, one over the table finds
 * what is missing or wrong. Nothing stops at the first fault.
 */
#include "conf/internal.h"

#include "connectors/kit/sign.h"

#include <stdlib.h>
#include <string.h>

enum { KEYS_MAX = 96 };

/* One value on its way: where it stands and how it is called in a fault. */
struct value {
    const struct reader *r;
    const struct aduan_setting *row;
    const struct conf_node *node;
    const char *path;
};

static void fault(const struct value *v, const char *reason) {
    faults_add(v->r->faults, v->node->file, v->node->line, v->path, "%s", reason);
}

static char *path_of(const char *path, const char *key) {
    return path[0] ? xasprintf("%s.%s", path, key) : xstrdup(key);
}

/* ------------------------------------------------------------------- suggestions */

const char *conf_nearest(const char *word, const char *const *words, size_t count) {
    const char *best = NULL;
    size_t len = strlen(word), best_distance = (len < 5 ? 1 : (len + 1) / 3) + 1;
    for (size_t i = 0; i < count; i++) {
        bool part = len >= 3 && (strstr(words[i], word) || strstr(word, words[i])); /* "zone" for "timezone" */
        size_t d = part ? 1 : text_distance(word, words[i]);
        if (d < best_distance && d < strlen(words[i])) {
            best = words[i];
            best_distance = d;
        }
    }
    return best;
}

static size_t known_keys(const struct target *targets, size_t count, const char *const *also,
                         const char **keys) {
    size_t n = 0;
    for (size_t t = 0; t < count; t++) {
        for (const struct aduan_setting *row = targets[t].table; row && row->key && n < KEYS_MAX; row++) {
            keys[n++] = row->key;
        }
    }
    for (size_t i = 0; also && also[i] && n < KEYS_MAX; i++) {
        keys[n++] = also[i];
    }
    return n;
}

static bool has_word(const char *const *words, size_t n, const char *word) {
    for (size_t i = 0; i < n; i++) {
        if (strcmp(words[i], word) == 0) {
            return true;
        }
    }
    return false;
}

static void unknown_key(const struct reader *r, const struct conf_node *node, const char *path,
                        const char *const *keys, size_t count) {
    const char *near = conf_nearest(node->key, keys, count);
    char *where = path_of(path, node->key);
    if (near) {
        faults_add(r->faults, node->file, node->line, where, "unknown key; did you mean \"%s\"?", near);
    } else {
        struct text list = TEXT_INIT;
        for (size_t i = 0; i < count; i++) {
            text_addf(&list, "%s%s", i ? ", " : "", keys[i]);
        }
        faults_add(r->faults, node->file, node->line, where, "unknown key; there are: %s",
                   list.s ? list.s : "none");
        text_free(&list);
    }
    free(where);
}

static void check_keys(const struct reader *r, const struct target *targets, size_t count,
                       const char *const *also, const struct conf_node *group, const char *path) {
    const char *keys[KEYS_MAX];
    size_t n = known_keys(targets, count, also, keys);
    for (size_t i = 0; i < group->count; i++) {
        if (!has_word(keys, n, group->items[i].key)) {
            unknown_key(r, &group->items[i], path, keys, n);
        }
    }
}

/* ------------------------------------------------------------------------- values */

static const char *const wrong_type[] = {
    [ADUAN_TYPE_STRING] = "must be a text in quotes",
    [ADUAN_TYPE_BOOL] = "must be true or false, without quotes",
    [ADUAN_TYPE_INT] = "must be a whole number, without quotes",
    [ADUAN_TYPE_DURATION] = "must be a text with a unit, as in \"30s\" (ms, s, m, h, d)",
    [ADUAN_TYPE_SIZE] = "must be a text with a unit, as in \"25MiB\" (B, KiB, MiB, GiB)",
    [ADUAN_TYPE_CHOICE] = "must be a text in quotes",
    [ADUAN_TYPE_URL] = "must be a URL in quotes",
    [ADUAN_TYPE_SECRET] = "must name a secret file, as in \"@name\"",
    [ADUAN_TYPE_SECRETS] = "must name a secret file, as in \"@name\", or be a list of such",
    [ADUAN_TYPE_STRINGS] = "must be a text in quotes or a list of such",
    [ADUAN_TYPE_FILE] = "must name a file, in quotes",
    [ADUAN_TYPE_GROUP] = "must be a group { … }",
};

static bool may_be_short(const struct aduan_setting *row) {
    return row->type == ADUAN_TYPE_GROUP && (row->flags & ADUAN_OR_FIRST) != 0;
}

static bool type_fits(const struct aduan_setting *row, enum node_type node) {
    enum aduan_setting_type type = row->type;
    static const enum node_type wanted[] = {
        [ADUAN_TYPE_STRING] = NODE_STRING,  [ADUAN_TYPE_BOOL] = NODE_BOOL,
        [ADUAN_TYPE_INT] = NODE_INT,        [ADUAN_TYPE_DURATION] = NODE_STRING,
        [ADUAN_TYPE_SIZE] = NODE_STRING,    [ADUAN_TYPE_CHOICE] = NODE_STRING,
        [ADUAN_TYPE_URL] = NODE_STRING,     [ADUAN_TYPE_SECRET] = NODE_STRING,
        [ADUAN_TYPE_SECRETS] = NODE_STRING, [ADUAN_TYPE_STRINGS] = NODE_STRING,
        [ADUAN_TYPE_FILE] = NODE_STRING,    [ADUAN_TYPE_GROUP] = NODE_GROUP,
    };
    bool many = type == ADUAN_TYPE_SECRETS || type == ADUAN_TYPE_STRINGS;
    return wanted[type] == node || (many && node == NODE_LIST) || (may_be_short(row) && node == NODE_STRING);
}

/* A libconfig list or a single value, seen alike. */
static size_t many_count(const struct conf_node *n) {
    return n->type == NODE_LIST ? n->count : 1;
}

static const struct conf_node *many_at(const struct conf_node *n, size_t i) {
    return n->type == NODE_LIST ? &n->items[i] : n;
}

static void one_secret(const struct value *v, const struct conf_node *node, struct aduan_secret *out) {
    if (node->type != NODE_STRING) {
        fault(v, wrong_type[v->row->type]);
        return;
    }
    if (node->text[0] != '@') {
        if (node->text[0] != '\0' || (v->row->flags & ADUAN_REQUIRED) != 0) {
            fault(v, node->text[0]
                         ? "a secret does not belong into this file: put it into a file of its own in the "
                           "secrets directory (mode 600) and write \"@\" and the file's name here"
                         : "must not be empty");
        }
        return;
    }
    if (!v->r->secrets || !secret_wanted(v->r->role, v->row->flags)) {
        return;
    }
    char *why = NULL;
    if (secret_read(v->r->secrets, node->text, out, &why) != 0) {
        fault(v, why);
    }
    free(why);
}

static void put_secret(const struct value *v, void *out) {
    one_secret(v, v->node, out);
}

static void put_secrets(const struct value *v, void *out) {
    struct aduan_secrets *s = out;
    size_t n = many_count(v->node);
    if (n == 0 && (v->row->flags & ADUAN_REQUIRED) != 0) {
        fault(v, "must not be empty");
    }
    s->items = xcalloc(n ? n : 1, sizeof *s->items);
    for (size_t i = 0; i < n; i++) {
        one_secret(v, many_at(v->node, i), &s->items[s->count]);
        s->count += s->items[s->count].bytes != NULL;
    }
}

static void clear_strings(struct aduan_strings *s) {
    for (size_t i = 0; i < s->count; i++) {
        free(s->items[i]);
    }
    free(s->items);
    *s = (struct aduan_strings){ NULL, 0 };
}

static void put_strings(const struct value *v, void *out) {
    struct aduan_strings *s = out;
    size_t n = many_count(v->node);
    clear_strings(s); /* the default */
    s->items = xcalloc(n ? n : 1, sizeof *s->items);
    for (size_t i = 0; i < n; i++) {
        const struct conf_node *node = many_at(v->node, i);
        if (node->type != NODE_STRING) {
            fault(v, wrong_type[ADUAN_TYPE_STRINGS]);
        } else if (node->text[0] != '\0') {
            s->items[s->count++] = xstrdup(node->text);
        }
    }
    if (s->count == 0 && (v->row->flags & ADUAN_REQUIRED) != 0) {
        fault(v, "must not be empty");
    }
}

static void put_scalar(const struct value *v, void *out) {
    char why[256];
    if (conf_scalar(v->row, v->node->text, out, why, sizeof why) != 0) {
        fault(v, why);
    }
}

static void put_file(const struct value *v, void *out) {
    char **text = out, *why = NULL;
    if (v->node->text[0] == '\0') {
        if ((v->row->flags & ADUAN_REQUIRED) != 0) {
            fault(v, "must not be empty");
        }
        return;
    }
    if (v->r->role != CONF_FOR_MASTER || !v->r->secrets) {
        return; /* workers get the content in their slice; of what is switched off nothing is read */
    }
    char *path = xstrdup(v->node->text), *found = NULL;
    conf_make_absolute(&path, v->r->dir);
    if (source_text(path, (size_t)v->row->max, &found, &why) != 0) {
        fault(v, why);
    } else {
        free(*text);
        *text = found;
    }
    free(why);
    free(path);
}

static void put_group(const struct value *v, void *out) {
    struct target t = { v->row->sub, out };
    struct conf_node first = *v->node, short_form = { .type = NODE_GROUP,
                                                      .key = v->node->key,
                                                      .file = v->node->file,
                                                      .line = v->node->line,
                                                      .items = &first,
                                                      .count = 1 };
    first.key = (char *)(uintptr_t)v->row->sub->key;
    conf_apply_targets(v->r, &t, 1, NULL, v->node->type == NODE_GROUP ? v->node : &short_form, v->path);
}

static void (*const put[])(const struct value *v, void *out) = {
    [ADUAN_TYPE_STRING] = put_scalar,   [ADUAN_TYPE_BOOL] = put_scalar,   [ADUAN_TYPE_INT] = put_scalar,
    [ADUAN_TYPE_DURATION] = put_scalar, [ADUAN_TYPE_SIZE] = put_scalar,   [ADUAN_TYPE_CHOICE] = put_scalar,
    [ADUAN_TYPE_URL] = put_scalar,      [ADUAN_TYPE_SECRET] = put_secret, [ADUAN_TYPE_SECRETS] = put_secrets,
    [ADUAN_TYPE_STRINGS] = put_strings, [ADUAN_TYPE_FILE] = put_file,     [ADUAN_TYPE_GROUP] = put_group,
};

/* ----------------------------------------------------------------------- defaults */

static bool is_scalar(enum aduan_setting_type type) {
    return put[type] == put_scalar;
}

static void set_defaults(const struct aduan_setting *table, void *out) {
    for (const struct aduan_setting *row = table; row && row->key; row++) {
        void *member = conf_member(out, row->offset);
        char why[256];
        if (row->type == ADUAN_TYPE_GROUP) {
            set_defaults(row->sub, member);
        } else if (row->type == ADUAN_TYPE_STRINGS && row->def) {
            struct aduan_strings *s = member;
            s->items = xcalloc(1, sizeof *s->items);
            s->items[s->count++] = xstrdup(row->def);
        } else if (row->type == ADUAN_TYPE_STRING || row->type == ADUAN_TYPE_URL ||
                   row->type == ADUAN_TYPE_FILE) {
            *(char **)member = xstrdup(row->def ? row->def : "");
        } else if (is_scalar(row->type) && row->def) {
            (void)conf_scalar(row, row->def, member, why, sizeof why);
        }
    }
}

/* --------------------------------------------------------------------------- apply */

static void apply_row(const struct reader *r, const struct aduan_setting *row, const struct conf_node *group,
                      const char *path, void *out) {
    const struct conf_node *node = conf_node_get(group, row->key);
    char *where = path_of(path, row->key);
    struct value v = { .r = r, .row = row, .node = node ? node : group, .path = where };
    if (!node && (row->flags & ADUAN_REQUIRED) != 0 && !row->def) {
        fault(&v, "is missing");
    } else if (node && !type_fits(row, node->type)) {
        fault(&v, may_be_short(row) ? "must be a text in quotes or a group { … }" : wrong_type[row->type]);
    } else if (node) {
        put[row->type](&v, conf_member(out, row->offset));
    }
    free(where);
}

static void apply_defaulted(const struct reader *r, const struct target *targets, size_t count,
                            const char *const *also, const struct conf_node *group, const char *path) {
    check_keys(r, targets, count, also, group, path);
    for (size_t t = 0; t < count; t++) {
        for (const struct aduan_setting *row = targets[t].table; row && row->key; row++) {
            apply_row(r, row, group, path, targets[t].out);
        }
    }
}

void conf_apply_targets(const struct reader *r, const struct target *targets, size_t count,
                        const char *const *also, const struct conf_node *group, const char *path) {
    for (size_t t = 0; t < count; t++) {
        conf_settings_clear(targets[t].table, targets[t].out); /* a group inside has its defaults already */
        set_defaults(targets[t].table, targets[t].out);
    }
    apply_defaulted(r, targets, count, also, group, path);
}

void conf_apply_beside(const struct aduan_setting *table, const char *const *also,
                       const struct conf_node *group, const char *path, void *out, struct faults *faults) {
    struct reader r = { .faults = faults, .role = CONF_FOR_TOOL, .secrets = NULL };
    struct target t = { table, out };
    conf_apply_targets(&r, &t, 1, also, group, path);
}

void conf_apply(const struct aduan_setting *table, const struct conf_node *group, const char *path, void *out,
                struct faults *faults) {
    conf_apply_beside(table, NULL, group, path, out, faults);
}

/* --------------------------------------------------------------------------- clear */

static void clear_secrets(struct aduan_secrets *s) {
    for (size_t i = 0; i < s->count; i++) {
        secret_clear(&s->items[i]);
    }
    free(s->items);
    *s = (struct aduan_secrets){ NULL, 0 };
}

void conf_settings_clear(const struct aduan_setting *table, void *settings) {
    for (const struct aduan_setting *row = table; settings && row && row->key; row++) {
        void *member = conf_member(settings, row->offset);
        if (row->type == ADUAN_TYPE_STRING || row->type == ADUAN_TYPE_URL || row->type == ADUAN_TYPE_FILE) {
            free(*(char **)member);
            *(char **)member = NULL;
        } else if (row->type == ADUAN_TYPE_STRINGS) {
            clear_strings(member);
        } else if (row->type == ADUAN_TYPE_SECRET) {
            secret_clear(member);
        } else if (row->type == ADUAN_TYPE_SECRETS) {
            clear_secrets(member);
        } else if (row->type == ADUAN_TYPE_GROUP) {
            conf_settings_clear(row->sub, member);
        }
    }
}

/* --------------------------------------------------------------------------- digest */

static void hash_text(struct sign_stream *s, const void *bytes, size_t n) {
    uint64_t len = n;
    sign_stream_add(s, &len, sizeof len);
    sign_stream_add(s, bytes ? bytes : "", bytes ? n : 0);
}

static void hash_string(struct sign_stream *s, const char *text) {
    hash_text(s, text, text ? strlen(text) : 0);
}

static void hash_strings(struct sign_stream *s, const struct aduan_strings *v) {
    hash_text(s, &v->count, sizeof v->count);
    for (size_t i = 0; i < v->count; i++) {
        hash_string(s, v->items[i]);
    }
}

static void hash_secrets(struct sign_stream *s, const struct aduan_secret *items, size_t count) {
    hash_text(s, &count, sizeof count);
    for (size_t i = 0; i < count; i++) {
        hash_text(s, items[i].bytes, items[i].len);
    }
}

static void hash_row(struct sign_stream *s, const struct aduan_setting *row, const void *member) {
    const struct aduan_secrets *many = member;
    hash_string(s, row->key);
    switch (row->type) {
    case ADUAN_TYPE_STRING:
    case ADUAN_TYPE_URL:
    case ADUAN_TYPE_FILE:
        hash_string(s, *(char *const *)member);
        break;
    case ADUAN_TYPE_BOOL:
        hash_text(s, member, sizeof(bool));
        break;
    case ADUAN_TYPE_INT:
    case ADUAN_TYPE_DURATION:
    case ADUAN_TYPE_SIZE:
        hash_text(s, member, sizeof(int64_t));
        break;
    case ADUAN_TYPE_CHOICE:
        hash_text(s, member, sizeof(int));
        break;
    case ADUAN_TYPE_SECRET:
        hash_secrets(s, member, 1);
        break;
    case ADUAN_TYPE_SECRETS:
        hash_secrets(s, many->items, many->count);
        break;
    case ADUAN_TYPE_STRINGS:
        hash_strings(s, member);
        break;
    case ADUAN_TYPE_GROUP:
        conf_hash(s, row->sub, member);
        break;
    }
}

void conf_hash(struct sign_stream *s, const struct aduan_setting *table, const void *settings) {
    for (const struct aduan_setting *row = table; settings && row && row->key; row++) {
        hash_row(s, row, conf_cmember(settings, row->offset));
    }
}
