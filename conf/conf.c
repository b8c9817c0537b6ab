/*
 * conf.c: the whole configuration from its files; see conf.h.
 *
 * FILE first, then the .conf files of connectors.d beside it in the order of
 * their names, each of which is one more entry of `connectors`, or several. A file that cannot be
 * parsed costs its own content only: the others are still checked, so that
 * the admin sees all faults at once.
 */
#include "conf/internal.h"

#include "connectors/kit/sign.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ACCOUNTS_MAX = 256, NAME_MAX_LEN = 32 };

/* ------------------------------------------------------------------- the tables */

static const char *const languages[] = { "id", "en", NULL };
static const char *const zones[] = { "Asia/Jakarta",  "Asia/Pontianak",
                                     "Asia/Makassar", "Asia/Ujung_Pandang",
                                     "Asia/Jayapura", "WIB",
                                     "WITA",          "WIT" };
static const char *const uncertain[] = { "hold", "resend", NULL };

static const struct aduan_setting office_table[] = {
    ADUAN_SET_STRING("name", struct conf_office, name, NULL, ADUAN_REQUIRED,
                     "Nama kantor / the office's full name"),
    ADUAN_SET_STRING("code", struct conf_office, code, NULL, ADUAN_REQUIRED,
                     "Kode untuk nomor tiket, huruf besar / code in ticket numbers, capital letters"),
    ADUAN_SET_STRING("timezone", struct conf_office, timezone, "Asia/Jakarta", 0,
                     "Zona waktu: WIB, WITA atau WIT / time zone of Indonesia"),
    ADUAN_SET_STRING("language", struct conf_office, language, "id", 0,
                     "Bahasa bila tidak diketahui: id atau en / language when none is known: id or en"),
    ADUAN_SET_END,
};

static const struct aduan_setting queue_table[] = {
    ADUAN_SET_STRING("redis", struct conf_redis, redis, "unix:/run/aduan/redis.sock", ADUAN_REQUIRED,
                     "Alamat Redis: unix:/path atau host:port / where Redis listens"),
    ADUAN_SET_STRING("user", struct conf_redis, user, NULL, 0, "Pengguna Redis (ACL) / Redis ACL user"),
    ADUAN_SET_SECRET("password", struct conf_redis, password, CONF_FOR_ALL,
                     "Kata sandi Redis / Redis password"),
    ADUAN_SET_END,
};

#define HTTP_TABLE(name, listen_default)                                                                       \
    static const struct aduan_setting name[] = {                                                               \
        ADUAN_SET_STRING("listen", struct conf_http, listen, listen_default, 0,                                \
                         "host:port atau unix:/path; kosong berarti mati / empty switches it off"),            \
        ADUAN_SET_STRING("tls_cert", struct conf_http, tls_cert, NULL, 0,                                      \
                         "Sertifikat PEM, bila tanpa proksi TLS / PEM certificate, without a TLS proxy"),      \
        ADUAN_SET_STRING("tls_key", struct conf_http, tls_key, NULL, 0,                                        \
                         "Kunci PEM: berkas atau \"@nama\" / PEM key: a file or \"@name\" of a secret"),       \
        ADUAN_SET_END,                                                                                         \
    }

HTTP_TABLE(gateway_table, "127.0.0.1:8081");
HTTP_TABLE(console_table, "127.0.0.1:8080");
HTTP_TABLE(metrics_table, "127.0.0.1:9090");

static const struct aduan_setting notices_table[] = {
    ADUAN_SET_STRING("account", struct conf_notices, account, NULL, 0,
                     "Akun surel yang mengirim pemberitahuan / the mail account that sends them"),
    ADUAN_SET_STRINGS("admin", struct conf_notices, admin, 0,
                      "Alamat surel admin, satu atau daftar / where admins are told, one or a list"),
    ADUAN_SET_BOOL("silence", struct conf_notices, silence, "true",
                   "Beri tahu juga bila webhook lama diam / also tell when a webhook fell silent"),
    ADUAN_SET_END,
};

const struct aduan_setting conf_core_table[] = {
    ADUAN_SET_GROUP("office", struct conf, office, struct conf_office, office_table, ADUAN_REQUIRED,
                    "Kantor / the office"),
    ADUAN_SET_STRING("state", struct conf, state, "/var/lib/aduan", ADUAN_REQUIRED,
                     "Direktori data: register.db, lampiran / data directory"),
    ADUAN_SET_STRING("secrets", struct conf, secrets, "secrets", ADUAN_REQUIRED,
                     "Direktori rahasia (bawaan: secrets di samping berkas ini) / directory of secret files"),
    ADUAN_SET_STRING("policy", struct conf, policy, NULL, 0,
                     "Direktori kalender dan templat (bawaan: di sini) / directory of calendar and templates"),
    ADUAN_SET_STRING("modules", struct conf, modules, NULL, 0,
                     "Direktori modul kanal / directory of channel modules"),
    ADUAN_SET_GROUP("queue", struct conf, queue, struct conf_redis, queue_table, 0, "Antrean / the queue"),
    ADUAN_SET_GROUP("gateway", struct conf, gateway, struct conf_http, gateway_table, 0,
                    "Pintu webhook / webhooks"),
    ADUAN_SET_GROUP("console", struct conf, console, struct conf_http, console_table, 0,
                    "Konsol petugas / officers' console"),
    ADUAN_SET_GROUP("metrics", struct conf, metrics, struct conf_http, metrics_table, 0, "/metrics, /healthz"),
    ADUAN_SET_GROUP("notices", struct conf, notices, struct conf_notices, notices_table, 0,
                    "Surel kepada admin / mail to the admin"),
    ADUAN_SET_END,
};

const struct aduan_setting conf_account_table[] = {
    ADUAN_SET_STRING("name", struct conf_account, name, NULL, ADUAN_REQUIRED,
                     "Nama akun: a-z, 0-9, -, paling panjang 32 / name of the account"),
    ADUAN_SET_STRING("type", struct conf_account, type, NULL, ADUAN_REQUIRED,
                     "Jenis kanal / kind of connector"),
    ADUAN_SET_BOOL("enabled", struct conf_account, enabled, "true", "Dipakai atau tidak / in use or not"),
    ADUAN_SET_CHOICE(
        "uncertain", struct conf_account, uncertain, "hold", uncertain,
        "Bila nasib kiriman tidak pasti: tahan atau kirim ulang / an uncertain answer: hold or resend"),
    ADUAN_SET_STRING("tls_ca", struct conf_account, tls_ca, NULL, 0,
                     "Berkas PEM sebuah CA sendiri / PEM file of a private CA"),
    ADUAN_SET_END,
};

/* ----------------------------------------------------------------------- reading */

struct job {
    struct conf *c;
    enum conf_role role;
    conf_lookup lookup;
    void *arg;
    struct faults *faults;
    const struct conf_node **lines; /* of each account: where it stands */
};

static char *directory_of(const char *file) {
    const char *slash = strrchr(file, '/');
    char *dir = !slash ? xstrdup(".") : slash == file ? xstrdup("/") : xstrndup(file, (size_t)(slash - file));
    char real[PATH_MAX];
    if (realpath(dir, real)) {
        free(dir);
        dir = xstrdup(real);
    }
    return dir;
}

static bool is_directory(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The first of these directories that is there, seen from the program's own; NULL: none. */
static char *beside_program(const char *const *beside, size_t count) {
    char exe[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n <= 0) {
        return NULL;
    }
    exe[n] = '\0';
    *strrchr(exe, '/') = '\0';
    for (size_t i = 0; i < count; i++) {
        char *dir = xasprintf("%s/%s", exe, beside[i]);
        if (is_directory(dir)) {
            return dir;
        }
        free(dir);
    }
    return NULL;
}

/* Beside the program when run from a build, ../lib of it when installed. */
static char *default_modules(void) {
    static const char *const beside[] = { "connectors", "../lib/aduan/connectors" };
    char *dir = beside_program(beside, 2);
    return dir != NULL ? dir : xstrdup("/usr/lib/aduan/connectors");
}

/* The directory of FILE; but a trial from a build, whose file lies elsewhere without any policy
 * beside it, gets the one that the source tree ships. */
static char *default_policy(const char *file_dir) {
    static const char *const shipped[] = { "../conf/templates" };
    char *own = xasprintf("%s/templates", file_dir);
    char *calendar = xasprintf("%s/calendar", file_dir);
    bool has_own = is_directory(own) || is_directory(calendar);
    char *dir = has_own ? NULL : beside_program(shipped, 1);
    free(own);
    free(calendar);
    if (dir == NULL) {
        return xstrdup(".");
    }
    *strrchr(dir, '/') = '\0';
    return dir;
}

/* -------------------------------------------------------------------- the core */

static void check_http(const struct job *j, const struct conf_node *root, const char *key, struct conf_http *h,
                       const char *dir, const char *secrets) {
    const char *why = "";
    if (h->listen[0] != '\0' && conf_check_listen(h->listen, &why) != 0) {
        char *path = xasprintf("%s.listen", key);
        conf_fault_at(j->faults, root, "", path, why);
        free(path);
    }
    struct tls_place place = { j->faults, root, key, dir, secrets, j->role == CONF_FOR_MASTER };
    conf_check_tls(&place, h);
}

static void check_office(const struct job *j, const struct conf_node *root) {
    const struct conf_office *o = &j->c->office;
    static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t n = sizeof zones / sizeof zones[0], i = 0;
    if (o->code[strspn(o->code, capitals)] != '\0' || strlen(o->code) > 12) {
        conf_fault_at(j->faults, root, "office", "code", "must be at most 12 of A-Z and 0-9");
    }
    while (i < n && strcmp(zones[i], o->timezone) != 0) {
        i++;
    }
    if (i == n) {
        const char *near = conf_nearest(o->timezone, zones, n);
        char *why =
            xasprintf("must be Asia/Jakarta, Asia/Pontianak, Asia/Makassar or Asia/Jayapura (or WIB, WITA, "
                      "WIT)%s%s%s",
                      near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        conf_fault_at(j->faults, root, "office", "timezone", why);
        free(why);
    }
    if (strcmp(o->language, languages[0]) != 0 && strcmp(o->language, languages[1]) != 0) {
        conf_fault_at(j->faults, root, "office", "language", "must be \"id\" or \"en\"");
    }
}

static void read_core(const struct job *j, const struct conf_node *root, const char *dir) {
    static const char *const also[] = { "connectors", NULL };
    struct conf *c = j->c;
    char *secrets = NULL;
    /* The directory of the secrets must be known before the first of them is read. */
    const struct conf_node *node = conf_node_get(root, "secrets");
    secrets = xstrdup(node && node->type == NODE_STRING ? node->text : "secrets");
    conf_make_absolute(&secrets, dir);
    struct reader r = { .faults = j->faults, .role = j->role, .secrets = secrets, .dir = dir };
    struct target t = { conf_core_table, c };
    conf_apply_targets(&r, &t, 1, also, root, "");
    node = conf_node_get(root, "policy");
    c->policy_known = !node || node->type == NODE_STRING;
    const char *why = "";
    if (c->queue.redis[0] != '\0' && conf_check_listen(c->queue.redis, &why) != 0) {
        conf_fault_at(j->faults, root, "queue", "redis", why);
    }
    if (conf_node_get(root, "office")) {
        check_office(j, root);
    }
    check_http(j, root, "gateway", &c->gateway, dir, secrets);
    check_http(j, root, "console", &c->console, dir, secrets);
    check_http(j, root, "metrics", &c->metrics, dir, secrets);
    free(secrets);
}

static void finish_core(struct conf *c, const char *dir) {
    char **paths[] = { &c->state, &c->secrets, &c->policy, &c->modules };
    if (c->modules[0] == '\0') {
        free(c->modules);
        c->modules = default_modules();
    }
    if (c->policy[0] == '\0') {
        free(c->policy);
        c->policy = default_policy(dir);
    }
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        conf_make_absolute(paths[i], dir);
    }
    struct sign_stream *s = sign_stream_new();
    conf_hash(s, conf_core_table, c);
    sign_stream_hex(s, c->core_digest);
    sign_stream_free(s);
}

/* ------------------------------------------------------------------- the accounts */

static bool name_ok(const char *name) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    size_t n = strlen(name);
    return n > 0 && n <= NAME_MAX_LEN && name[strspn(name, allowed)] == '\0';
}

static void check_name(const struct job *j, const struct conf_node *group, const char *path, const char *name) {
    if (name[0] == '\0') {
        return; /* a fault already */
    }
    if (!name_ok(name) || strcmp(name, "desk") == 0) {
        conf_fault_at(j->faults, group, path, "name",
                      name_ok(name) ? "\"desk\" is taken by the program itself"
                                    : "must be 1 to 32 of a-z, 0-9 and \"-\"");
        return;
    }
    for (size_t i = 0; i + 1 < j->c->account_count; i++) {
        if (strcmp(j->c->accounts[i].name, name) == 0) {
            char *why = xasprintf("\"%s\" is already the name of the account at %s:%u", name, j->lines[i]->file,
                                  j->lines[i]->line);
            conf_fault_at(j->faults, group, path, "name", why);
            free(why);
        }
    }
}

/* Finds the type's table. The account's type stands in the tree, for it is not applied yet. */
static int find_type(const struct job *j, const struct conf_node *group, const char *path,
                     struct conf_connector_type *ret) {
    const struct conf_node *type = conf_node_get(group, "type");
    const char *known = NULL;
    if (!type || type->type != NODE_STRING || type->text[0] == '\0') {
        return -1; /* the table of the common keys says so */
    }
    if (j->lookup(j->arg, type->text, ret, &known) == 0) {
        return 0;
    }
    const char *words[64];
    size_t n = 0;
    char *copy = xstrdup(known ? known : ""), *save = NULL;
    for (char *w = strtok_r(copy, ", ", &save); w && n < 64; w = strtok_r(NULL, ", ", &save)) {
        words[n++] = w;
    }
    const char *near = conf_nearest(type->text, words, n);
    char *why =
        near ? xasprintf("there is no such connector; did you mean \"%s\"?", near)
             : xasprintf("there is no such connector; there are: %s", known && known[0] ? known : "none");
    conf_fault_at(j->faults, group, path, "type", why);
    free(why);
    free(copy);
    return -1;
}

struct check_arg {
    const struct job *j;
    const struct conf_node *group;
    const char *path;
};

static void connector_fault(void *arg, const char *key, const char *reason) {
    const struct check_arg *a = arg;
    conf_fault_at(a->j->faults, a->group, a->path, key, reason);
}

static void hash_account(struct conf_account *a) {
    struct sign_stream *s = sign_stream_new();
    conf_hash(s, conf_account_table, a);
    conf_hash(s, a->table, a->settings);
    sign_stream_hex(s, a->digest);
    sign_stream_free(s);
}

/* Only the common keys: of all others nothing is known. */
static void read_common(const struct job *j, const struct conf_node *group, const char *path,
                        struct conf_account *a) {
    struct conf_node common = *group;
    common.items = xcalloc(group->count ? group->count : 1, sizeof *common.items);
    common.count = 0;
    for (size_t i = 0; i < group->count; i++) {
        for (const struct aduan_setting *row = conf_account_table; row->key; row++) {
            if (strcmp(row->key, group->items[i].key) == 0) {
                common.items[common.count++] = group->items[i];
            }
        }
    }
    conf_apply(conf_account_table, &common, path, a, j->faults);
    free(common.items);
}

static void read_settings(const struct job *j, const struct conf_node *group, const char *path,
                          const struct conf_connector_type *type, const char *dir, struct conf_account *a) {
    const struct conf_node *enabled = conf_node_get(group, "enabled");
    bool off = enabled && enabled->type == NODE_BOOL && strcmp(enabled->text, "false") == 0;
    struct reader r = {
        .faults = j->faults, .role = j->role, .secrets = off ? NULL : j->c->secrets, .dir = dir
    };
    a->table = type->table;
    a->settings_size = type->settings_size;
    a->settings = xcalloc(1, type->settings_size ? type->settings_size : 1);
    struct target targets[] = { { conf_account_table, a }, { type->table, a->settings } };
    size_t before = j->faults->count;
    conf_apply_targets(&r, targets, 2, NULL, group, path);
    /* check() may ask whether a secret is there: that is known only where all are resolved. */
    if (type->check && j->faults->count == before && !off && j->role == CONF_FOR_MASTER) {
        struct check_arg arg = { j, group, path };
        type->check(a->settings, connector_fault, &arg);
    }
}

static void read_account(struct job *j, const struct conf_node *group, const char *path, const char *dir) {
    struct conf *c = j->c;
    c->accounts = xrealloc(c->accounts, c->account_count + 1, sizeof *c->accounts);
    j->lines = xrealloc(j->lines, c->account_count + 1, sizeof *j->lines);
    struct conf_account *a = &c->accounts[c->account_count];
    *a = (struct conf_account){ .name = NULL };
    j->lines[c->account_count++] = group;
    struct conf_connector_type type = { NULL, 0, NULL };
    const struct conf_node *name = conf_node_get(group, "name");
    char *called = name && name->type == NODE_STRING && name_ok(name->text)
                       ? xasprintf("connectors.%s", name->text)
                       : xstrdup(path);
    if (!j->lookup || find_type(j, group, called, &type) != 0) {
        read_common(j, group, called, a);
    } else {
        read_settings(j, group, called, &type, dir, a);
    }
    check_name(j, group, called, a->name);
    conf_make_absolute(&a->tls_ca, dir);
    hash_account(a);
    free(called);
}

static void read_list(struct job *j, const struct conf_node *list, const char *dir) {
    if (list->type != NODE_LIST) {
        faults_add(j->faults, list->file, list->line, "connectors",
                   "must be a list of groups: ( { … }, { … } )");
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        char *path = xasprintf("connectors[%zu]", i);
        if (list->items[i].type != NODE_GROUP) {
            faults_add(j->faults, list->items[i].file, list->items[i].line, path, "must be a group { … }");
        } else if (j->c->account_count < ACCOUNTS_MAX) {
            read_account(j, &list->items[i], path, dir);
        }
        free(path);
    }
    if (list->count > ACCOUNTS_MAX) {
        faults_add(j->faults, list->file, list->line, "connectors", "more than %d", ACCOUNTS_MAX);
    }
}

/* -------------------------------------------------------------------- connectors.d */

static bool is_account(const struct conf_node *n) {
    return n->type == NODE_GROUP && (conf_node_get(n, "name") || conf_node_get(n, "type"));
}

static void not_beside(const struct job *j, const struct conf_node *n) {
    faults_add(j->faults, n->file, n->line, n->key,
               "unknown key; beside whole accounts nothing else may stand");
}

/* One file: the keys of an account, or a name for the group that has them, or `connectors` as in
 * the main file. However it is written, it is clear what is meant. */
static void read_entry(struct job *j, const struct conf_node *root, const char *prefix, const char *dir) {
    size_t whole = 0;
    for (size_t i = 0; !is_account(root) && i < root->count; i++) {
        whole += is_account(&root->items[i]) || strcmp(root->items[i].key, "connectors") == 0;
    }
    if (whole == 0) {
        read_account(j, root, prefix, dir);
        return;
    }
    for (size_t i = 0; i < root->count; i++) {
        const struct conf_node *n = &root->items[i];
        char *path = xasprintf("%s.%s", prefix, n->key);
        if (strcmp(n->key, "connectors") == 0) {
            read_list(j, n, dir);
        } else if (!is_account(n)) {
            not_beside(j, n);
        } else if (j->c->account_count < ACCOUNTS_MAX) {
            read_account(j, n, path, dir);
        }
        free(path);
    }
}

static int is_conf_file(const struct dirent *e) {
    return e->d_name[0] != '.' && text_ends(e->d_name, ".conf");
}

/* Reads connectors.d; the trees live until the end of conf_read, for faults point into them. */
static struct conf_tree **read_directory(struct job *j, const char *file, size_t *ret_count) {
    const char *slash = strrchr(file, '/');
    char *dir = xasprintf("%.*sconnectors.d", slash ? (int)(slash - file) + 1 : 0, file);
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, is_conf_file, alphasort);
    struct conf_tree **trees = xcalloc(n > 0 ? (size_t)n : 1, sizeof *trees);
    char *base = n > 0 ? directory_of(file) : NULL;
    for (int i = 0; i < n; i++) {
        char *path = xasprintf("%s/%s", dir, entries[i]->d_name);
        trees[i] = conf_tree_read(path, j->faults);
        if (trees[i] && j->c->account_count < ACCOUNTS_MAX) {
            char *prefix = xasprintf("connectors.(%s)", entries[i]->d_name);
            read_entry(j, conf_tree_root(trees[i]), prefix, base);
            free(prefix);
        }
        free(path);
        free(entries[i]);
    }
    free(entries);
    free(base);
    free(dir);
    *ret_count = n > 0 ? (size_t)n : 0;
    return trees;
}

/* ------------------------------------------------------------------- the whole */

/* Without its main file there is no configuration, but every member must be there. */
static void read_nothing(const struct job *j) {
    struct faults ignored = { NULL, 0 };
    struct conf_node empty = { .type = NODE_GROUP, .file = j->c->file, .line = 1 };
    conf_apply(conf_core_table, &empty, "", j->c, &ignored);
    faults_clear(&ignored);
}

/* In the order in which an admin walks through the files: stable, by file as first met, then line. */
static void sort_faults(struct fault *items, size_t count) {
    for (size_t i = 1; i < count; i++) {
        struct fault f = items[i];
        size_t at = i, same_file = i;
        while (same_file > 0 && strcmp(items[same_file - 1].file, f.file) != 0) {
            same_file--;
        }
        for (at = same_file; at > 0 && strcmp(items[at - 1].file, f.file) == 0 && items[at - 1].line > f.line;
             at--) {
        }
        at = same_file == 0 ? i : at;
        memmove(&items[at + 1], &items[at], (i - at) * sizeof *items);
        items[at] = f;
    }
}

struct conf *conf_read(const char *file, enum conf_role role, conf_lookup lookup, void *arg,
                       struct faults *faults) {
    struct conf *c = xcalloc(1, sizeof *c);
    struct job j = { .c = c, .role = role, .lookup = lookup, .arg = arg, .faults = faults };
    size_t before = faults->count;
    c->file = xstrdup(file);
    char *dir = directory_of(file);
    struct conf_tree *tree = conf_tree_read(file, faults);
    const struct conf_node *list = tree ? conf_node_get(conf_tree_root(tree), "connectors") : NULL;
    if (tree) {
        read_core(&j, conf_tree_root(tree), dir);
    } else {
        read_nothing(&j);
    }
    finish_core(c, dir);
    if (list) {
        read_list(&j, list, dir);
    }
    size_t count = 0;
    struct conf_tree **trees = read_directory(&j, file, &count);
    if (tree) {
        conf_check_notices(c, conf_tree_root(tree), faults);
    }
    for (size_t i = 0; i < count; i++) {
        conf_tree_free(trees[i]);
    }
    free(trees);
    conf_tree_free(tree);
    if (faults->count > before) {
        sort_faults(faults->items + before, faults->count - before);
    }
    free(j.lines);
    free(dir);
    return c;
}

struct conf *conf_free(struct conf *c) {
    if (c) {
        for (size_t i = 0; i < c->account_count; i++) {
            struct conf_account *a = &c->accounts[i];
            conf_settings_clear(a->table, a->settings);
            free(a->settings);
            conf_settings_clear(conf_account_table, a);
        }
        free(c->accounts);
        conf_settings_clear(conf_core_table, c);
        free(c->file);
        free(c);
    }
    return NULL;
}

struct conf_account *conf_find(const struct conf *c, const char *name) {
    for (size_t i = 0; i < c->account_count; i++) {
        if (text_equal(c->accounts[i].name, name)) {
            return &c->accounts[i];
        }
    }
    return NULL;
}

const char *conf_default_file(void) {
    const char *file = getenv("ADUAN_CONF");
    return file && file[0] != '\0' ? file : "/etc/aduan/aduan.conf";
}
