/* setup.c: the configuration together with the modules it names. */
#include "daemon/setup.h"

#include "connectors/kit/text.h"
#include "desk/calendar.h"
#include "desk/template.h"

#include <stdlib.h>
#include <string.h>

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

static void check_policy(const struct conf *c, struct faults *faults) {
    const char *zone = told_of(faults, "office.timezone") ? "WIB" : c->office.timezone;

    calendar_free(calendar_load(c->policy, zone, faults));
    templates_free(templates_load(c->policy, faults));
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
