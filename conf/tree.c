/*
 * tree.c: a libconfig file as nodes that remember file and line.
 *
 * libconfig's own tree is copied, so that nobody else sees the library, and
 * numbers get the text they were written with (see source.c). @include names
 * are relative to the directory of the file that is read.
 */
#include "conf/internal.h"

#include <libconfig.h>
#include <stdlib.h>
#include <string.h>

enum { TREE_DEPTH_MAX = 32, TREE_INCLUDES_MAX = 64 };

struct conf_tree {
    char *file, *dir;
    struct source *sources; /* the file and all that it includes */
    size_t source_count;
    char **names; /* of the files, for conf_node.file */
    size_t name_count;
    struct conf_node root;
};

/* ------------------------------------------------------------------ the sources */

static char *join(const struct conf_tree *t, const char *name) {
    return xasprintf("%s/%s", t->dir, name);
}

static bool source_known(const struct conf_tree *t, const char *name) {
    for (size_t i = 0; i < t->source_count; i++) {
        if (strcmp(t->sources[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Looks at one file; who included it (NULL: nobody) and where is for the fault. */
static int add_source(struct conf_tree *t, const char *name, const char *path, const char *by, unsigned line,
                      struct faults *faults) {
    struct source s;
    const char *why = "";
    if (source_read(path, &s, &why) != 0) {
        source_clear(&s);
        if (by) {
            faults_add(faults, by, line, "@include", "%s: %s", path, why);
        } else {
            faults_add(faults, path, 0, "", "cannot be read: %s", why);
        }
        return -1;
    }
    s.name = xstrdup(name);
    t->sources = xrealloc(t->sources, t->source_count + 1, sizeof *t->sources);
    t->sources[t->source_count++] = s;
    return 0;
}

static int add_includes(struct conf_tree *t, size_t of, struct faults *faults) {
    int rc = 0;
    for (size_t i = 0; i < t->sources[of].include_count; i++) {
        const char *name = t->sources[of].includes[i];
        char *by = of == 0 ? xstrdup(t->file) : join(t, t->sources[of].name);
        unsigned line = t->sources[of].include_lines[i];
        if (name[0] == '/') {
            faults_add(faults, by, line, "@include", "must be relative to %s", t->dir);
            rc = -1;
        } else if (t->source_count >= TREE_INCLUDES_MAX) {
            faults_add(faults, by, line, "@include", "more than %d files", TREE_INCLUDES_MAX);
            rc = -1;
        } else if (!source_known(t, name)) {
            char *path = join(t, name);
            rc |= add_source(t, name, path, by, line, faults);
            free(path);
        }
        free(by);
    }
    return rc;
}

static int read_sources(struct conf_tree *t, struct faults *faults) {
    if (add_source(t, t->file, t->file, NULL, 0, faults) != 0) {
        return -1;
    }
    int rc = 0;
    for (size_t i = 0; i < t->source_count; i++) {
        rc |= add_includes(t, i, faults);
    }
    return rc;
}

/* The text of the next number of this file. The n-th number of the text is the n-th number node;
 * a file that is included twice starts again. */
static const char *next_number(struct conf_tree *t, const char *file) {
    for (size_t i = 0; i < t->source_count; i++) {
        struct source *s = &t->sources[i];
        if (strcmp(s->name, file) == 0 && s->number_count > 0) {
            return s->numbers[s->next++ % s->number_count].text;
        }
    }
    return NULL;
}

/* -------------------------------------------------------------------- the nodes */

static const char *node_file(struct conf_tree *t, const char *name) {
    if (!name || strcmp(name, t->file) == 0) {
        return t->file;
    }
    char *path = join(t, name);
    for (size_t i = 0; i < t->name_count; i++) {
        if (strcmp(t->names[i], path) == 0) {
            free(path);
            return t->names[i];
        }
    }
    t->names = xrealloc(t->names, t->name_count + 1, sizeof *t->names);
    t->names[t->name_count] = path;
    return t->names[t->name_count++];
}

static enum node_type node_type(const config_setting_t *s) {
    switch (config_setting_type(s)) {
    case CONFIG_TYPE_GROUP:
        return NODE_GROUP;
    case CONFIG_TYPE_ARRAY:
    case CONFIG_TYPE_LIST:
        return NODE_LIST;
    case CONFIG_TYPE_STRING:
        return NODE_STRING;
    case CONFIG_TYPE_BOOL:
        return NODE_BOOL;
    case CONFIG_TYPE_FLOAT:
        return NODE_FLOAT;
    default:
        return NODE_INT;
    }
}

static char *scalar_text(struct conf_tree *t, const config_setting_t *s, enum node_type type) {
    if (type == NODE_STRING) {
        const char *v = config_setting_get_string(s);
        return xstrdup(v ? v : "");
    }
    if (type == NODE_BOOL) {
        return xstrdup(config_setting_get_bool(s) ? "true" : "false");
    }
    const char *written =
        next_number(t, config_setting_source_file(s) ? config_setting_source_file(s) : t->file);
    return xstrdup(written ? written : "?");
}

static void copy_node(struct conf_tree *t, const config_setting_t *s, struct conf_node *into, int depth,
                      struct faults *faults) {
    into->type = node_type(s);
    into->key = xstrdup(config_setting_name(s));
    into->file = node_file(t, config_setting_source_file(s));
    into->line = config_setting_source_line(s);
    if (into->type != NODE_GROUP && into->type != NODE_LIST) {
        into->text = scalar_text(t, s, into->type);
        if (into->type == NODE_STRING && !text_is_utf8(into->text, strlen(into->text))) {
            faults_add(faults, into->file, into->line, into->key, "is not UTF-8");
        }
        return;
    }
    if (depth >= TREE_DEPTH_MAX) {
        faults_add(faults, into->file, into->line, into->key, "is nested deeper than %d levels",
                   TREE_DEPTH_MAX);
        return;
    }
    size_t n = (size_t)config_setting_length(s);
    into->items = xcalloc(n ? n : 1, sizeof *into->items);
    into->count = n;
    for (size_t i = 0; i < n; i++) {
        copy_node(t, config_setting_get_elem(s, (unsigned)i), &into->items[i], depth + 1, faults);
    }
}

static void clear_node(struct conf_node *n) {
    for (size_t i = 0; i < n->count; i++) {
        clear_node(&n->items[i]);
    }
    if (n->text) {
        text_wipe(n->text, strlen(n->text));
    }
    free(n->items);
    free(n->key);
    free(n->text);
}

/* --------------------------------------------------------------------- the file */

/* libconfig's own words, and ours where they help more. */
static const char *syntax_reason(const char *said) {
    static const struct {
        const char *said, *better;
    } words[] = {
        { "syntax error", "syntax error here or just before (a missing \";\", quote or bracket?)" },
        { "duplicate setting name", "this key is already set in the same group" },
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (text_equal(said, words[i].said)) {
            return words[i].better;
        }
    }
    return said ? said : "cannot be read";
}

static int parse(struct conf_tree *t, struct faults *faults) {
    config_t c;
    config_init(&c);
    config_set_include_dir(&c, t->dir);
    int rc = 0;
    if (config_read_file(&c, t->file) == CONFIG_TRUE) {
        copy_node(t, config_root_setting(&c), &t->root, 0, faults);
        t->root.line = 1;
    } else {
        faults_add(faults, node_file(t, config_error_file(&c)), (unsigned)config_error_line(&c), "", "%s",
                   syntax_reason(config_error_text(&c)));
        rc = -1;
    }
    config_destroy(&c);
    return rc;
}

struct conf_tree *conf_tree_read(const char *file, struct faults *faults) {
    struct conf_tree *t = xcalloc(1, sizeof *t);
    t->file = xstrdup(file);
    const char *slash = strrchr(file, '/');
    t->dir = !slash ? xstrdup(".") : slash == file ? xstrdup("/") : xstrndup(file, (size_t)(slash - file));
    if (read_sources(t, faults) != 0 || parse(t, faults) != 0) {
        return conf_tree_free(t);
    }
    return t;
}

struct conf_tree *conf_tree_free(struct conf_tree *t) {
    if (t) {
        clear_node(&t->root);
        for (size_t i = 0; i < t->source_count; i++) {
            source_clear(&t->sources[i]);
        }
        for (size_t i = 0; i < t->name_count; i++) {
            free(t->names[i]);
        }
        free(t->sources);
        free(t->names);
        free(t->file);
        free(t->dir);
        free(t);
    }
    return NULL;
}

/* -------------------------------------------------------------------- accessors */

const struct conf_node *conf_tree_root(const struct conf_tree *t) {
    return &t->root;
}

const struct conf_node *conf_node_get(const struct conf_node *group, const char *key) {
    for (size_t i = 0; group->type == NODE_GROUP && i < group->count; i++) {
        if (text_equal(group->items[i].key, key)) {
            return &group->items[i];
        }
    }
    return NULL;
}

size_t conf_node_count(const struct conf_node *n) {
    return n->count;
}

const struct conf_node *conf_node_at(const struct conf_node *n, size_t i) {
    return i < n->count ? &n->items[i] : NULL;
}

const char *conf_node_key(const struct conf_node *n) {
    return n->key;
}

const char *conf_node_text(const struct conf_node *n) {
    return n->text;
}

const char *conf_node_file(const struct conf_node *n) {
    return n->file;
}

unsigned conf_node_line(const struct conf_node *n) {
    return n->line;
}
