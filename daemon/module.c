/* module.c: finds, loads and judges connector modules. */
#include "daemon/module.h"

#include "connectors/kit/text.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct loaded {
    struct module module;                   /* first: what callers get */
    struct aduan_connector view;            /* what module.connector points to */
    const struct aduan_connector *exported; /* the module's own constant, perhaps shorter or longer */
};

struct module_set {
    char *dir;
    char *known;
    struct loaded **items; /* each on its own: callers keep pointers */
    size_t count;
};

/* A capability is only believed together with its function. */
static const struct {
    uint32_t capability;
    size_t offset;
    const char *needs, *name;
} claims[] = {
    { ADUAN_CAP_PULL, offsetof(struct aduan_connector, pull), "pull", "PULL" },
    { ADUAN_CAP_PULL, offsetof(struct aduan_connector, open), "open", "PULL" },
    { ADUAN_CAP_PULL, offsetof(struct aduan_connector, close), "close", "PULL" },
    { ADUAN_CAP_PULL, offsetof(struct aduan_connector, parse), "parse", "PULL" },
    { ADUAN_CAP_PUSH, offsetof(struct aduan_connector, verify), "verify", "PUSH" },
    { ADUAN_CAP_PUSH, offsetof(struct aduan_connector, parse), "parse", "PUSH" },
    { ADUAN_CAP_SEND, offsetof(struct aduan_connector, send), "send", "SEND" },
    { ADUAN_CAP_SEND, offsetof(struct aduan_connector, open), "open", "SEND" },
    { ADUAN_CAP_SEND, offsetof(struct aduan_connector, close), "close", "SEND" },
    { ADUAN_CAP_MEDIA, offsetof(struct aduan_connector, fetch), "fetch", "MEDIA" },
    { ADUAN_CAP_MEDIA, offsetof(struct aduan_connector, open), "open", "MEDIA" },
    { ADUAN_CAP_MEDIA, offsetof(struct aduan_connector, close), "close", "MEDIA" },
    { ADUAN_CAP_FIND, offsetof(struct aduan_connector, find), "find", "FIND" },
    { ADUAN_CAP_PARSE_APART, offsetof(struct aduan_connector, parse), "parse", "PARSE_APART" },
};

static bool type_is_clean(const char *type) {
    return type[0] != '\0' && strlen(type) <= 32 &&
           strspn(type, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(type);
}

static int judge_claims(const struct aduan_connector *c, char *why, size_t why_size) {
    void (*function)(void);
    size_t i;

    for (i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
        if ((c->capabilities & claims[i].capability) == 0)
            continue;
        memcpy(&function, (const char *)c + claims[i].offset, sizeof(function));
        if (function == NULL) {
            snprintf(why, why_size, "it claims %s but has no %s()", claims[i].name, claims[i].needs);
            return -1;
        }
    }
    return 0;
}

int module_judge(const struct aduan_connector *c, const char *type, char *why, size_t why_size) {
    /* The major comes first: nothing behind it means anything before it is right. */
    if (c->abi_major != ADUAN_ABI_MAJOR) {
        snprintf(why, why_size, "it is built for connector ABI %u, this is ABI %u", c->abi_major,
                 ADUAN_ABI_MAJOR);
        return -1;
    }
    if (c->size < ADUAN_CONNECTOR_SIZE_1_0) {
        snprintf(why, why_size, "its constant has %u bytes, ABI %u.0 needs %zu", c->size, c->abi_major,
                 ADUAN_CONNECTOR_SIZE_1_0);
        return -1;
    }
    if (c->type == NULL || strcmp(c->type, type) != 0) {
        snprintf(why, why_size, "it says it is \"%s\", but its file is called \"%s.so\"",
                 c->type != NULL ? c->type : "", type);
        return -1;
    }
    if (c->channel == NULL || c->channel[0] == '\0' || c->summary == NULL) {
        snprintf(why, why_size, "it names no channel or summary");
        return -1;
    }
    if (c->settings == NULL || c->settings_size == 0) {
        snprintf(why, why_size, "it has no settings table");
        return -1;
    }
    return judge_claims(c, why, why_size);
}

void module_view(const struct aduan_connector *c, struct aduan_connector *ret) {
    memset(ret, 0, sizeof(*ret));
    memcpy(ret, c, c->size < sizeof(*ret) ? c->size : sizeof(*ret));
}

uint32_t module_can(const struct aduan_connector *c, const void *settings) {
    return c->able != NULL ? c->capabilities & c->able(settings) : c->capabilities;
}

struct module_set *module_set_new(const char *dir) {
    struct module_set *s = xcalloc(1, sizeof(*s));

    s->dir = xstrdup(dir);
    return s;
}

struct module_set *module_set_free(struct module_set *s) {
    size_t i;

    if (s == NULL)
        return NULL;
    for (i = 0; i < s->count; i++) {
        dlclose(s->items[i]->module.handle);
        free(s->items[i]->module.file);
        free(s->items[i]);
    }
    free(s->items);
    free(s->known);
    free(s->dir);
    free(s);
    return NULL;
}

static int is_module(const struct dirent *e) {
    return e->d_name[0] != '.' && text_ends(e->d_name, ".so");
}

const char *module_known(struct module_set *s) {
    struct dirent **names;
    struct text list = TEXT_INIT;
    int i, n;

    if (s->known != NULL)
        return s->known;
    n = scandir(s->dir, &names, is_module, alphasort);
    for (i = 0; i < n; i++) {
        text_add(&list, list.len > 0 ? ", " : "");
        text_add_n(&list, names[i]->d_name, strlen(names[i]->d_name) - 3);
        free(names[i]);
    }
    if (n >= 0)
        free(names);
    s->known = text_steal(&list);
    return s->known;
}

static const struct module *find(const struct module_set *s, const char *type) {
    size_t i;

    for (i = 0; i < s->count; i++)
        if (strcmp(s->items[i]->view.type, type) == 0)
            return &s->items[i]->module;
    return NULL;
}

/* dlopen() gives one handle for one file however it is called: a link to another module. */
static const struct module *find_constant(const struct module_set *s, const struct aduan_connector *c) {
    size_t i;

    for (i = 0; i < s->count; i++)
        if (s->items[i]->exported == c)
            return &s->items[i]->module;
    return NULL;
}

static const struct module *keep(struct module_set *s, const struct aduan_connector *c, void *handle,
                                 const char *file) {
    struct loaded *l = xcalloc(1, sizeof(*l));

    module_view(c, &l->view);
    l->exported = c;
    l->module = (struct module){ .connector = &l->view, .handle = handle, .file = xstrdup(file) };
    s->items = xrealloc(s->items, s->count + 1, sizeof(struct loaded *));
    s->items[s->count++] = l;
    return &l->module;
}

static const struct module *load_file(struct module_set *s, const char *type, const char *file, char *why,
                                      size_t why_size) {
    const struct aduan_connector *c;
    const struct module *twin;
    void *handle;
    char reason[256];

    /* NODELETE: libraries keep pointers into a module (and it to what it cached) beyond dlclose(). */
    handle = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (handle == NULL) {
        snprintf(why, why_size, "cannot load it: %s", dlerror());
        return NULL;
    }
    c = dlsym(handle, ADUAN_CONNECTOR_SYMBOL);
    if (c == NULL) {
        snprintf(why, why_size, "%s: it exports no symbol \"%s\"", file, ADUAN_CONNECTOR_SYMBOL);
    } else if ((twin = find_constant(s, c)) != NULL) {
        snprintf(why, why_size, "%s: it is the same module as %s, which is loaded already", file, twin->file);
    } else if (module_judge(c, type, reason, sizeof(reason)) < 0) {
        snprintf(why, why_size, "%s: %s", file, reason);
    } else {
        return keep(s, c, handle, file);
    }
    dlclose(handle);
    return NULL;
}

const struct module *module_load(struct module_set *s, const char *type, char *why, size_t why_size) {
    const struct module *m;
    char *file;

    m = find(s, type);
    if (m != NULL)
        return m;
    if (!type_is_clean(type)) {
        snprintf(why, why_size, "\"%s\" is no module name", type);
        return NULL;
    }
    file = xasprintf("%s/%s.so", s->dir, type);
    if (access(file, F_OK) < 0)
        snprintf(why, why_size, "there is no module %s; there are: %s", file, module_known(s));
    else
        m = load_file(s, type, file, why, why_size);
    free(file);
    return m;
}

int module_lookup(void *arg, const char *type, struct conf_connector_type *ret, const char **ret_known) {
    struct module_source *source = arg;
    const struct module *m;
    char why[512], *file;

    *ret_known = module_known(source->set);
    m = module_load(source->set, type, why, sizeof(why));
    if (m == NULL) {
        /* A missing file is a misspelt type: conf says so itself, with the nearest name. */
        file = xasprintf("%s/%s.so", source->set->dir, type);
        if (type_is_clean(type) && access(file, F_OK) == 0 && source->faults != NULL)
            faults_add(source->faults, file, 0, "", "%s", why);
        free(file);
        return -1;
    }
    ret->table = m->connector->settings;
    ret->settings_size = m->connector->settings_size;
    ret->check = m->connector->check;
    return 0;
}
