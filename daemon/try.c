/* try.c: recorded bytes through an account's parse(), for whoever writes a profile or a module. */
#include "daemon/try.h"

#include "connectors/kit/text.h"
#include "daemon/setup.h"
#include "queue/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONFIG = 78 };
#define BYTES_MAX ((size_t)64 << 20)

struct trying {
    struct aduan_sink sink;
    const char *path;
    const struct aduan_connector *connector;
    const struct conf_account *account;
    int rc;
};

static int print(struct aduan_sink *sink, struct aduan_message *m) {
    struct trying *t = (struct trying *)sink;
    json_t *json;
    char *line;

    if (m->text == NULL)
        m->text = xstrdup("");
    json = aduan_message_to_json(m);
    json_object_set_new(json, "file", json_string(t->path));
    line = json_dumps(json, JSON_COMPACT);
    puts(line != NULL ? line : "{}");
    free(line);
    json_decref(json);
    aduan_message_clear(m);
    return 0;
}

static void complain(struct trying *t, const char *why) {
    fprintf(stderr, "%s: %s\n", t->path, why);
    t->rc = 1;
}

static void one_file(struct trying *t, const char *path) {
    struct text bytes = TEXT_INIT;
    char buf[16384];
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    t->path = path;
    while (fd >= 0 && bytes.len <= BYTES_MAX && (n = read(fd, buf, sizeof(buf))) > 0)
        text_add_n(&bytes, buf, (size_t)n);
    if (fd < 0 || n < 0 || bytes.len > BYTES_MAX) {
        complain(t, fd < 0 || n < 0 ? strerror(errno) : "too large");
    } else {
        struct aduan_bytes in = { .bytes = bytes.s != NULL ? bytes.s : "", .len = bytes.len };

        if (t->connector->parse(t->account->settings, &in, &t->sink) < 0)
            complain(t, "tidak dapat dibaca / cannot be read");
    }
    if (fd >= 0)
        close(fd);
    text_free(&bytes);
}

static int visible(const struct dirent *e) {
    return e->d_name[0] != '.';
}

static void one_path(struct trying *t, const char *path) {
    struct dirent **names = NULL;
    struct stat st;
    int i, n;

    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
        one_file(t, path);
        return;
    }
    n = scandir(path, &names, visible, alphasort);
    for (i = 0; i < n; i++) {
        char *whole = xasprintf("%s/%s", path, names[i]->d_name);

        if (stat(whole, &st) == 0 && S_ISREG(st.st_mode))
            one_file(t, whole);
        free(whole);
        free(names[i]);
    }
    free(names);
}

static int tell_faults(const struct faults *faults) {
    size_t i;

    for (i = 0; i < faults->count; i++) {
        char *line = fault_text(&faults->items[i]);

        fprintf(stderr, "%s\n", line);
        free(line);
    }
    return faults->count > 0 ? CONFIG : 0;
}

int try_run(const char *file, const char *account, char *const *paths, int count) {
    struct setup s = { NULL, NULL };
    struct faults faults = { NULL, 0 };
    struct trying t = { .sink = { .record = print, .now = clock_wall_ms() } };
    const struct module *m;
    char why[512];
    int i;

    setup_read(&s, file, &faults);
    t.rc = tell_faults(&faults);
    t.account = t.rc == 0 ? conf_find(s.conf, account) : NULL;
    if (t.rc == 0 && t.account == NULL) {
        fprintf(stderr, "%s: tidak ada akun / there is no account \"%s\"\n", file, account);
        t.rc = CONFIG;
    }
    m = t.rc == 0 ? module_load(s.modules, t.account->type, why, sizeof(why)) : NULL;
    if (m != NULL && m->connector->parse != NULL) {
        t.connector = m->connector;
        for (i = 0; i < count; i++)
            one_path(&t, paths[i]);
    } else if (t.rc == 0) {
        fprintf(stderr, "%s: modul ini tidak membaca / this module reads nothing\n", account);
        t.rc = CONFIG;
    }
    faults_clear(&faults);
    setup_free(&s);
    return t.rc;
}
