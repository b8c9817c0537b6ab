/* setup.c: the configuration together with the modules it names. */
#include "daemon/setup.h"

#include "connectors/kit/text.h"
#include "desk/calendar.h"
#include "desk/template.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Which directory holds the modules is itself configured, and a connector's keys can only be
 * judged with its module at hand: so the file is read twice, the first time for `modules` alone. */
static char *modules_directory(const char *file) {
    struct faults unheard = { NULL, 0 };
    struct conf *c = conf_read(file, CONF_FOR_TOOL, NULL, NULL, &unheard);
    char *dir = xstrdup(c->modules != NULL ? c->modules : "");

    conf_free(c);
    faults_clear(&unheard);
    return dir;
}

/* The office's calendar and texts are configuration, too: the desk would refuse to start on them. */
static bool told_of(const struct faults *faults, const char *path) {
    size_t i;

    for (i = 0; i < faults->count; i++)
        if (text_equal(faults->items[i].path, path))
            return true;
    return false;
}

static json_t *policy_faults(const struct conf *c, const char *zone) {
    struct faults faults = { NULL, 0 };
    json_t *list = json_array();
    size_t i;

    calendar_free(calendar_load(c->policy, zone, &faults));
    templates_free(templates_load(c->policy, &faults));
    for (i = 0; i < faults.count; i++) {
        const struct fault *f = &faults.items[i];

        json_array_append_new(list,
                              json_pack("[s?, I, s?, s?]", f->file, (json_int_t)f->line, f->path, f->reason));
    }
    faults_clear(&faults);
    return list;
}

static json_t *from_child(int fd, pid_t child) {
    json_t *list;
    FILE *f = fdopen(fd, "r");

    list = f != NULL ? json_loadf(f, 0, NULL) : NULL;
    if (f != NULL)
        fclose(f);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    return list;
}

/* The desk keeps calendar and texts; we only want to know whether they are sound. A child reads them, so that
 * the master does not carry for months what it looked at once. */
static json_t *policy_faults_apart(const struct conf *c, const char *zone) {
    int ends[2];
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return policy_faults(c, zone);
    fflush(NULL);
    child = fork();
    if (child == 0) {
        json_t *list = policy_faults(c, zone);

        _exit(json_dumpfd(list, ends[1], JSON_COMPACT) == 0 ? 0 : 1);
    }
    close(ends[1]);
    if (child > 0)
        return from_child(ends[0], child);
    close(ends[0]);
    return policy_faults(c, zone);
}

static void check_policy(const struct conf *c, struct faults *faults) {
    const char *zone = told_of(faults, "office.timezone") ? "WIB" : c->office.timezone;
    json_t *list = policy_faults_apart(c, zone), *one;
    size_t i;

    if (list == NULL)
        faults_add(faults, c->policy, 0, "", "calendar and texts: whoever read them died of it");
    json_array_foreach(list, i, one) {
        const char *file = json_string_value(json_array_get(one, 0)),
                   *path = json_string_value(json_array_get(one, 2));
        const char *reason = json_string_value(json_array_get(one, 3));

        faults_add(faults, file != NULL ? file : "", (unsigned)json_integer_value(json_array_get(one, 1)),
                   path != NULL ? path : "", "%s", reason != NULL ? reason : "");
    }
    json_decref(list);
}

void setup_read(struct setup *s, const char *file, struct faults *faults) {
    char *dir = modules_directory(file);
    struct module_source source;

    s->modules = module_set_new(dir);
    source.set = s->modules;
    source.faults = faults;
    s->conf = conf_read(file, CONF_FOR_MASTER, module_lookup, &source, faults);
    free(dir);
    if (s->conf->policy_known)
        check_policy(s->conf, faults);
}

static bool tested_before(const struct conf *c, size_t i) {
    size_t k;

    for (k = 0; k < i; k++)
        if (strcmp(c->accounts[k].type, c->accounts[i].type) == 0)
            return true;
    return false;
}

void setup_selftest(const struct setup *s, struct faults *faults) {
    const struct module *m;
    char why[512];
    size_t i;

    for (i = 0; i < s->conf->account_count; i++) {
        if (tested_before(s->conf, i))
            continue;
        m = module_load(s->modules, s->conf->accounts[i].type, why, sizeof(why));
        if (m == NULL || m->connector->selftest == NULL)
            continue;
        why[0] = '\0';
        if (m->connector->selftest(why, sizeof(why)) != 0)
            faults_add(faults, m->file, 0, "", "its self-test fails: %s", why);
    }
}

void setup_free(struct setup *s) {
    /* The settings tables live in the modules: the configuration goes first. */
    s->conf = s->conf != NULL ? conf_free(s->conf) : NULL;
    s->modules = module_set_free(s->modules);
}
