/* plan.c: which jobs a configuration asks for, and what has changed in each. */
#include "daemon/plan.h"

#include "connectors/kit/sign.h"
#include "connectors/kit/text.h"
#include "daemon/module.h"
#include "daemon/wire.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAUSE_FIRST_MS = 250, PAUSE_MOST_MS = 30000, DEPTH_MAX = 6 };

int64_t plan_pause_ms(int failures, uint32_t random) {
    int64_t pause = PAUSE_FIRST_MS;
    int i;

    for (i = 1; i < failures && pause < PAUSE_MOST_MS; i++)
        pause *= 2;
    if (pause > PAUSE_MOST_MS)
        pause = PAUSE_MOST_MS;
    /* 3/4 to 5/4 of it: workers that fell together do not rise together. */
    return pause * 3 / 4 + pause / 2 * (int64_t)(random >> 16) / 65536;
}

/* ------------------------------------------------------------------- digests */

static void add_file(struct sign_stream *s, const char *path) {
    char buf[8192];
    ssize_t n;
    int fd;

    if (path == NULL || path[0] == '\0')
        return;
    sign_stream_add(s, path, strlen(path) + 1);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return;
    while ((n = read(fd, buf, sizeof(buf))) > 0)
        sign_stream_add(s, buf, (size_t)n);
    close(fd);
}

static int visible(const struct dirent *e) {
    return e->d_name[0] != '.';
}

/* A file, or a directory with all below it, by name and content. */
static void add_tree(struct sign_stream *s, const char *path, int depth) {
    struct dirent **names;
    struct stat st;
    char *child;
    int i, n;

    if (depth > DEPTH_MAX || stat(path, &st) < 0)
        return;
    if (!S_ISDIR(st.st_mode)) {
        add_file(s, path);
        return;
    }
    n = scandir(path, &names, visible, alphasort);
    for (i = 0; i < n; i++) {
        child = xasprintf("%s/%s", path, names[i]->d_name);
        add_tree(s, child, depth + 1);
        free(child);
        free(names[i]);
    }
    if (n >= 0)
        free(names);
}

/* A slice may carry the digests of whole accounts; a worker that holds no secret of an account
 * need not restart when such a secret changes. */
static void strip_digests(json_t *v) {
    const char *key;
    json_t *child;
    void *next;
    size_t i;

    if (json_is_object(v)) {
        json_object_del(v, "digest");
        json_object_del(v, "core_digest");
        json_object_foreach_safe(v, next, key, child) strip_digests(child);
    }
    json_array_foreach(v, i, child) strip_digests(child);
}

/* What of a slice a role's worker works with; all else may change without it. NULL-ended. */
static const struct need {
    const char *role;
    const char *core[5];
} needs[] = {
    { "receive", { "state", "modules", "queue" } },
    { "send", { "state", "modules", "queue" } },
    { "gateway", { "state", "modules", "queue", "gateway", "metrics" } },
    { "desk", { "state", "modules", "queue", "office", "policy" } },
};

static bool is_needed(const struct need *n, const char *key) {
    size_t i;

    for (i = 0; i < sizeof(n->core) / sizeof(n->core[0]) && n->core[i] != NULL; i++)
        if (strcmp(n->core[i], key) == 0)
            return true;
    return false;
}

static void narrow_core(json_t *slice, const char *role) {
    json_t *core = json_object_get(slice, "core"), *child;
    const char *key;
    void *next;
    size_t i;

    for (i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
        if (strcmp(needs[i].role, role) == 0)
            json_object_foreach_safe(core, next, key, child) if (!is_needed(&needs[i], key))
                json_object_del(core, key);
}

/* The desk is told what desk_job.c describes: no setting of a platform but these two answers. */
static void narrow_for_desk(json_t *o, const struct conf_account *a, const struct aduan_connector *c) {
    const char *address = c->address != NULL ? c->address(a->settings) : NULL;

    json_object_del(o, "settings");
    json_object_del(o, "uncertain");
    json_object_del(o, "tls_ca");
    json_object_set_new(o, "address", json_string(address != NULL ? address : ""));
    json_object_set_new(o, "has_template",
                        json_boolean(c->has_template != NULL && c->has_template(a->settings)));
}

/* The gateway reads the settings of its doors; of the others it knows that they are there. */
static void narrow_for_gateway(json_t *o, const struct conf_account *a, const struct aduan_connector *c) {
    json_object_del(o, "uncertain");
    json_object_del(o, "tls_ca");
    if (!a->enabled || (module_can(c, a->settings) & ADUAN_CAP_PUSH) == 0)
        json_object_del(o, "settings");
}

static void narrow_accounts(json_t *slice, const struct conf *conf, struct module_set *modules,
                            const char *role) {
    json_t *o;
    size_t i;

    json_array_foreach(json_object_get(slice, "accounts"), i, o) {
        const struct conf_account *a = conf_find(conf, json_string_value(json_object_get(o, "name")));
        const struct module *m;
        char why[256];

        if (strcmp(role, "receive") == 0)
            json_object_del(o, "uncertain");
        m = a != NULL ? module_load(modules, a->type, why, sizeof(why)) : NULL;
        if (m != NULL && strcmp(role, "desk") == 0)
            narrow_for_desk(o, a, m->connector);
        else if (m != NULL && strcmp(role, "gateway") == 0)
            narrow_for_gateway(o, a, m->connector);
    }
}

static void add_slice(struct sign_stream *s, const struct conf *conf, struct module_set *modules,
                      const char *role, const char *account) {
    json_t *slice;
    char *text;

    wire_secret_begin();
    slice = plan_slice(conf, role, account);
    strip_digests(slice);
    narrow_core(slice, role);
    narrow_accounts(slice, conf, modules, role);
    text = json_dumps(slice, JSON_COMPACT | JSON_SORT_KEYS);
    sign_stream_add(s, text, strlen(text));
    text_wipe(text, strlen(text));
    free(text);
    json_decref(slice);
    wire_secret_end();
}

static int is_policy(const struct dirent *e) {
    return strcmp(e->d_name, "calendar") == 0 || strcmp(e->d_name, "templates") == 0 ||
           (text_ends(e->d_name, ".conf") && strcmp(e->d_name, "aduan.conf") != 0);
}

static void add_policy(struct sign_stream *s, const struct conf *conf) {
    struct dirent **names;
    int i, n = scandir(conf->policy, &names, is_policy, alphasort);
    char *path;

    for (i = 0; i < n; i++) {
        path = xasprintf("%s/%s", conf->policy, names[i]->d_name);
        add_tree(s, path, 0);
        free(path);
        free(names[i]);
    }
    if (n >= 0)
        free(names);
}

static void make_digest(const struct conf *conf, struct module_set *modules, const char *role,
                        const char *account, char ret[65]) {
    const struct conf_account *a = account != NULL ? conf_find(conf, account) : NULL;
    struct sign_stream *s = sign_stream_new();

    sign_stream_add(s, conf->modules, strlen(conf->modules) + 1);
    add_slice(s, conf, modules, role, account);
    if (a != NULL)
        add_file(s, a->tls_ca);
    if (strcmp(role, "gateway") == 0) {
        add_file(s, conf->gateway.tls_cert);
        add_file(s, conf->gateway.tls_key);
        add_file(s, conf->metrics.tls_cert);
        add_file(s, conf->metrics.tls_key);
    }
    if (strcmp(role, "desk") == 0)
        add_policy(s, conf);
    sign_stream_hex(s, ret);
    sign_stream_free(s);
}

/* ---------------------------------------------------------------------- jobs */

json_t *plan_slice(const struct conf *conf, const char *role, const char *account) {
    static const struct {
        const char *name;
        enum conf_role role;
    } roles[] = {
        { "receive", CONF_FOR_RECEIVE },
        { "send", CONF_FOR_SEND },
        { "gateway", CONF_FOR_GATEWAY },
        { "parse", CONF_FOR_PARSE },
    };
    size_t i;

    for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
        if (strcmp(roles[i].name, role) == 0)
            return conf_slice(conf, roles[i].role, account);
    /* The desk: no platform secret at all. */
    return conf_slice(conf, CONF_FOR_DESK, account);
}

static void add_job(struct plan *p, const struct conf *conf, struct module_set *modules, const char *role,
                    const char *account) {
    struct plan_job *j;

    p->jobs = xrealloc(p->jobs, p->count + 1, sizeof(*p->jobs));
    j = &p->jobs[p->count++];
    j->role = xstrdup(role);
    j->account = xstrdup(account);
    make_digest(conf, modules, role, account, j->digest);
}

void plan_make(const struct conf *conf, struct module_set *modules, struct plan *ret) {
    const struct conf_account *a;
    const struct module *m;
    char why[256];
    uint32_t can;
    size_t i;

    *ret = (struct plan){ NULL, 0 };
    add_job(ret, conf, modules, "desk", NULL);
    if (conf->gateway.listen[0] != '\0' || conf->metrics.listen[0] != '\0')
        add_job(ret, conf, modules, "gateway", NULL);
    for (i = 0; i < conf->account_count; i++) {
        a = &conf->accounts[i];
        m = a->enabled ? module_load(modules, a->type, why, sizeof(why)) : NULL;
        can = m != NULL ? module_can(m->connector, a->settings) : 0;
        if ((can & (ADUAN_CAP_PULL | ADUAN_CAP_MEDIA)) != 0)
            add_job(ret, conf, modules, "receive", a->name);
        if ((can & ADUAN_CAP_SEND) != 0)
            add_job(ret, conf, modules, "send", a->name);
    }
}

void plan_clear(struct plan *p) {
    size_t i;

    for (i = 0; i < p->count; i++) {
        free(p->jobs[i].role);
        free(p->jobs[i].account);
    }
    free(p->jobs);
    *p = (struct plan){ NULL, 0 };
}

const struct plan_job *plan_find(const struct plan *p, const char *role, const char *account) {
    size_t i;

    for (i = 0; i < p->count; i++)
        if (strcmp(p->jobs[i].role, role) == 0 && text_equal(p->jobs[i].account, account))
            return &p->jobs[i];
    return NULL;
}
