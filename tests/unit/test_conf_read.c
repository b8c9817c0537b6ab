/* test_conf_read.c: defaults, secrets and who is handed which, digests, slices there and back. */
#include "tests/unit/test_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#define MAIL(name)                                                                                             \
    "{ name = \"" name "\"; type = \"mail\"; address = \"a@b.id\";\n"                                          \
    "  imap = { user = \"u\"; password = \"@receive\"; };\n"                                                   \
    "  smtp = { url = \"smtps://s\"; user = \"v\"; password = \"@send\"; };\n"                                 \
    "  app_secret = ( \"@hook1\", \"@hook2\" ); verify_token = \"@verify\"; folders = \"A\"; }"

static const char both[] = "office = { name = \"Kanim\"; code = \"TPI\"; };\n"
                           "queue = { redis = \"unix:/r\"; user = \"aduan\"; password = \"@redis\"; };\n"
                           "connectors = ( " MAIL("one") ", " MAIL("two") " );\n";

static const char *const secrets[] = { "receive", "send", "hook1", "hook2", "verify", "redis" };

static void put_secrets(void) {
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        char *name = xasprintf("secrets/%s", secrets[i]), *value = xasprintf("value-%s\n", secrets[i]);
        put_file(name, 0600, value);
        free(name);
        free(value);
    }
}

static struct conf *read_as(enum conf_role role, conf_lookup lookup) {
    char *file = xasprintf("%s/aduan.conf", test_dir);
    struct faults f = { NULL, 0 };
    struct conf *c = conf_read(file, role, lookup, NULL, &f);
    char *s = all_faults(&f);
    assert_string_equal(s, "");
    free(s);
    free(file);
    faults_clear(&f);
    return c;
}

static void defaults_are_as_documented(void **state) {
    (void)state;
    put_file("aduan.conf", 0600,
             "office = { name = \"Kanim\"; code = \"TPI\"; };\n"
             "connectors = ( { name = \"a\"; type = \"mail\"; address = \"x\"; imap = { user = \"u\"; password "
             "= \"@receive\"; }; } );");
    struct conf *c = read_as(CONF_FOR_MASTER, test_lookup);
    char *dir = realpath(test_dir, NULL), *in_dir = xasprintf("%s/secrets", dir);
    assert_string_equal(c->office.timezone, "Asia/Jakarta");
    assert_string_equal(c->office.language, "id");
    assert_string_equal(c->state, "/var/lib/aduan");
    assert_string_equal(c->secrets, in_dir);
    assert_string_equal(c->policy, dir);
    assert_string_equal(c->queue.redis, "unix:/run/aduan/redis.sock");
    assert_null(c->queue.password.bytes);
    assert_string_equal(c->gateway.listen, "127.0.0.1:8081");
    assert_string_equal(c->console.listen, "127.0.0.1:8080");
    assert_string_equal(c->metrics.listen, "127.0.0.1:9090");
    assert_true(text_ends(c->modules, "connectors"));
    const struct conf_account *a = conf_find(c, "a");
    const struct mail *m = a->settings;
    assert_true(a->enabled);
    assert_int_equal(a->uncertain, CONF_UNCERTAIN_HOLD);
    assert_string_equal(a->tls_ca, "");
    assert_string_equal(m->imap.url, "imaps://imap.gmail.com:993");
    assert_int_equal(m->imap.poll, 60000);
    assert_true(m->imap.idle);
    assert_int_equal(m->largest, 25 << 20);
    assert_int_equal(m->parallel, 2);
    assert_string_equal(m->smtp.url, "");
    assert_null(conf_find(c, "b"));
    conf_free(c);
    free(dir);
    free(in_dir);
}

static void paths_are_relative_to_the_file(void **state) {
    (void)state;
    put_file("aduan.conf", 0600,
             "office = { name = \"Kanim\"; code = \"TPI\"; };\nstate = \"s\"; policy = \"p/q\";\n"
             "console = { tls_cert = \"c.pem\"; tls_key = \"/k.pem\"; };");
    struct conf *c = read_as(CONF_FOR_TOOL, NULL); /* the master would look into them */
    char *dir = realpath(test_dir, NULL), *s = xasprintf("%s/s", dir), *p = xasprintf("%s/p/q", dir),
         *k = xasprintf("%s/c.pem", dir);
    assert_string_equal(c->state, s);
    assert_string_equal(c->policy, p);
    assert_string_equal(c->console.tls_cert, k);
    assert_string_equal(c->console.tls_key, "/k.pem");
    conf_free(c);
    free(dir);
    free(s);
    free(p);
    free(k);
}

static void a_key_by_reference_becomes_its_path(void **state) {
    (void)state;
    put_file("c.pem", 0600, "-----BEGIN CERTIFICATE-----\n");
    put_file("secrets/key", 0600, "-----BEGIN PRIVATE KEY-----\nx\n");
    put_file("aduan.conf", 0600,
             "office = { name = \"Kanim\"; code = \"TPI\"; };\n"
             "gateway = { tls_cert = \"c.pem\"; tls_key = \"@key\"; };");
    struct conf *c = read_as(CONF_FOR_MASTER, test_lookup);
    char *dir = realpath(test_dir, NULL), *path = xasprintf("%s/secrets/key", dir);
    assert_string_equal(c->gateway.tls_key, path);
    conf_free(c);
    conf_free(read_as(CONF_FOR_TOOL, NULL)); /* aduanctl may not look at it and need not */
    free(dir);
    free(path);
}

static void the_master_resolves_every_secret(void **state) {
    (void)state;
    put_file("aduan.conf", 0600, both);
    struct conf *c = read_as(CONF_FOR_MASTER, test_lookup);
    const struct mail *m = conf_find(c, "two")->settings;
    assert_string_equal(c->queue.password.bytes, "value-redis");
    assert_string_equal(m->imap.password.bytes, "value-receive"); /* the line end is gone */
    assert_int_equal(m->imap.password.len, strlen("value-receive"));
    assert_string_equal(m->smtp.password.bytes, "value-send");
    assert_int_equal(m->app_secret.count, 2);
    assert_string_equal(m->app_secret.items[1].bytes, "value-hook2");
    assert_int_equal(m->folders.count, 1);
    conf_free(c);
}

static void aduanctl_holds_the_redis_password_only(void **state) {
    (void)state;
    put_file("aduan.conf", 0600, both);
    for (size_t i = 0; i + 1 < sizeof secrets / sizeof secrets[0]; i++) {
        char *path = xasprintf("%s/secrets/%s", test_dir, secrets[i]);
        assert_int_equal(unlink(path), 0); /* it does not even look at the others */
        free(path);
    }
    struct conf *c = read_as(CONF_FOR_TOOL, NULL);
    assert_string_equal(c->queue.password.bytes, "value-redis");
    assert_int_equal(c->account_count, 2);
    assert_string_equal(conf_find(c, "one")->type, "mail");
    assert_null(conf_find(c, "one")->settings);
    conf_free(c);
}

static void credentials_directory_comes_first(void **state) {
    (void)state;
    put_file("aduan.conf", 0600, both);
    put_file("run/send", 0440, "from-systemd\n"); /* as systemd's ACL makes it look */
    char *dir = xasprintf("%s/run", test_dir);
    setenv("CREDENTIALS_DIRECTORY", dir, 1);
    struct conf *c = read_as(CONF_FOR_MASTER, test_lookup);
    const struct mail *m = conf_find(c, "one")->settings;
    assert_string_equal(m->smtp.password.bytes, "from-systemd");
    assert_string_equal(m->imap.password.bytes, "value-receive");
    conf_free(c);
    unsetenv("CREDENTIALS_DIRECTORY");
    free(dir);
}

static void a_directory_that_others_write_is_refused(void **state) {
    (void)state;
    put_file("aduan.conf", 0600, both);
    char *dir = xasprintf("%s/secrets", test_dir), *file = xasprintf("%s/aduan.conf", test_dir);
    assert_int_equal(chmod(dir, 0770), 0);
    struct faults f = { NULL, 0 };
    conf_free(conf_read(file, CONF_FOR_MASTER, test_lookup, NULL, &f));
    char *s = all_faults(&f);
    assert_non_null(strstr(s, "secrets can be written by others (chmod go-w)"));
    assert_null(strstr(s, "value-"));
    free(s);
    faults_clear(&f);
    assert_int_equal(chmod(dir, 0700), 0);
    free(dir);
    free(file);
}

static void root_reads_the_directory_of_the_service(void **state) {
    (void)state;
    if (geteuid() != 0) {
        skip(); /* only root can give files away */
    }
    put_file("aduan.conf", 0600, both);
    char *command = xasprintf("chown -R 65534:65534 '%s/secrets'", test_dir);
    assert_int_equal(system(command), 0);
    conf_free(read_as(CONF_FOR_MASTER, test_lookup));
    free(command);
}

/* Which secrets a slice of this role holds, as the bytes of its JSON tell. */
static void holds(enum conf_role role, const char *account, const char *expected) {
    struct conf *c = read_as(CONF_FOR_MASTER, test_lookup);
    json_t *slice = conf_slice(c, role, account);
    char *bytes = json_dumps(slice, 0);
    struct text found = TEXT_INIT;
    text_add(&found, "");
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        char *value = xasprintf("value-%s", secrets[i]);
        if (strstr(bytes, value)) {
            text_addf(&found, "%s ", secrets[i]);
        }
        free(value);
    }
    assert_string_equal(found.s, expected);
    text_free(&found);
    free(bytes);
    json_decref(slice);
    conf_free(c);
}

static void each_role_is_handed_its_own_secrets(void **state) {
    (void)state;
    put_file("aduan.conf", 0600, both);
    holds(CONF_FOR_MASTER, NULL, "receive send hook1 hook2 verify redis ");
    holds(CONF_FOR_RECEIVE, "one", "receive redis ");
    holds(CONF_FOR_SEND, "one", "send redis ");
    holds(CONF_FOR_GATEWAY, NULL, "hook1 hook2 verify redis "); /* never a send token */
    holds(CONF_FOR_DESK, NULL, "redis ");
    holds(CONF_FOR_TOOL, NULL, "redis ");
    holds(CONF_FOR_PARSE, "one", "");
}

static void a_slice_comes_back_as_it_was(void **state) {
    (void)state;
    put_file("aduan.conf", 0600, both);
    struct conf *c = read_as(CONF_FOR_MASTER, test_lookup);
    json_t *slice = conf_slice(c, CONF_FOR_SEND, "two");
    char *bytes = json_dumps(slice, JSON_COMPACT);
    json_t *read = json_loads(bytes, 0, NULL);
    struct faults f = { NULL, 0 };
    struct conf *w = conf_from_slice(read, test_lookup, NULL, &f);
    assert_int_equal(f.count, 0);
    assert_int_equal(w->account_count, 1);
    const struct conf_account *a = conf_find(w, "two");
    const struct mail *m = a->settings, *original = conf_find(c, "two")->settings;
    assert_null(conf_find(w, "one"));
    assert_string_equal(m->smtp.password.bytes, "value-send");
    assert_null(m->imap.password.bytes);
    assert_int_equal(m->app_secret.count, 0);
    assert_int_equal(m->imap.poll, original->imap.poll);
    assert_int_equal(m->largest, original->largest);
    assert_string_equal(m->imap.url, original->imap.url);
    assert_string_equal(m->folders.items[0], "A");
    assert_string_equal(a->digest, conf_find(c, "two")->digest);
    assert_string_equal(w->core_digest, c->core_digest);
    assert_string_equal(w->queue.password.bytes, "value-redis");
    assert_string_equal(w->office.name, "Kanim");
    assert_string_equal(w->policy, c->policy);
    assert_true(a->enabled);
    conf_free(w);
    json_decref(read);
    json_decref(slice);
    free(bytes);
    conf_free(c);
}

static void a_damaged_slice_is_a_fault_and_no_crash(void **state) {
    static const char *const damaged[] = { "{}", "[]", "{\"core\":5}", "{\"accounts\":[5]}",
                                           "{\"accounts\":[{\"name\":1}]}" };
    (void)state;
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        json_t *j = json_loads(damaged[i], 0, NULL);
        struct faults f = { NULL, 0 };
        conf_free(conf_from_slice(j, test_lookup, NULL, &f));
        assert_true(f.count > 0);
        faults_clear(&f);
        json_decref(j);
    }
}

static void digest_of(const char *content, char core[65], char account[65]) {
    put_file("aduan.conf", 0600, content);
    struct conf *c = read_as(CONF_FOR_MASTER, test_lookup);
    memcpy(core, c->core_digest, 65);
    memcpy(account, conf_find(c, "one")->digest, 65);
    conf_free(c);
}

static void digests_tell_what_changed(void **state) {
    (void)state;
    char core[65], one[65], core2[65], one2[65];
    digest_of(both, core, one);
    assert_int_equal(strlen(core), 64);
    /* Remarks, order and spelled-out defaults change nothing. */
    char *same = xasprintf("# a remark\n%s\nconsole = { listen = \"127.0.0.1:8080\"; };\n", both);
    digest_of(same, core2, one2);
    assert_string_equal(core2, core);
    assert_string_equal(one2, one);
    char *other = xstrdup(both);
    memcpy(strstr(other, "Kanim"), "Kanin", 5);
    digest_of(other, core2, one2);
    assert_string_not_equal(core2, core);
    assert_string_equal(one2, one);
    put_file("secrets/send", 0600, "another"); /* a new secret under the same name */
    digest_of(both, core2, one2);
    assert_string_equal(core2, core);
    assert_string_not_equal(one2, one);
    free(same);
    free(other);
}

static const char with_file[] =
    "office = { name = \"Kanim\"; code = \"TPI\"; };\n"
    "connectors = ( { name = \"one\"; type = \"mail\"; address = \"a@b.id\"; profile = \"a.profile\";\n"
    "  imap = { url = \"imaps://h\"; user = \"u\"; password = \"@receive\"; }; } );\n";

static void a_file_travels_as_its_content(void **state) {
    (void)state;
    char core[65], one[65], core2[65], one2[65];
    put_file("a.profile", 0600, "[profile]\n");
    digest_of(with_file, core, one);
    struct conf *c = read_as(CONF_FOR_MASTER, test_lookup);
    json_t *slice = conf_slice(c, CONF_FOR_PARSE, "one");
    struct faults f = { NULL, 0 };
    struct conf *w = conf_from_slice(slice, test_lookup, NULL, &f);
    assert_int_equal(f.count, 0);
    assert_string_equal(((struct mail *)conf_find(w, "one")->settings)->profile, "[profile]\n");
    conf_free(w);
    json_decref(slice);
    conf_free(c);
    put_file("a.profile", 0600, "[profile]\n# changed\n");
    digest_of(with_file, core2, one2);
    assert_string_equal(core2, core);
    assert_string_not_equal(one2, one);
}

static void one_account_per_file_of_connectors_d(void **state) {
    (void)state;
    put_file("aduan.conf", 0600, "office = { name = \"Kanim\"; code = \"TPI\"; };\n");
    put_file(
        "connectors.d/20.conf", 0600,
        "name = \"b\"; type = \"mail\"; address = \"x\"; imap = { user = \"u\"; password = \"@receive\"; };");
    put_file(
        "connectors.d/10.conf", 0600,
        "name = \"a\"; type = \"mail\"; address = \"x\"; imap = { user = \"u\"; password = \"@receive\"; };");
    put_file("connectors.d/30.conf.bak", 0600, "name = \"c\"; nonsense");
    put_file("connectors.d/.hidden.conf", 0600, "name = \"c\"; nonsense");
    struct conf *c = read_as(CONF_FOR_MASTER, test_lookup);
    assert_int_equal(c->account_count, 2);
    assert_string_equal(c->accounts[0].name, "a");
    assert_string_equal(c->accounts[1].name, "b");
    conf_free(c);
}

static void the_samples_are_without_fault(void **state) {
    (void)state;
    struct faults f = { NULL, 0 };
    struct conf *c = conf_read(SOURCE_DIR "/conf/aduan.conf", CONF_FOR_TOOL, NULL, NULL, &f);
    char *s = all_faults(&f);
    assert_string_equal(s, "");
    assert_true(c->account_count >= 6);
    for (size_t i = 0; i < c->account_count; i++) {
        assert_false(c->accounts[i].enabled); /* nobody connects before an admin says so */
    }
    conf_free(c);
    faults_clear(&f);
    free(s);
}

/* The linker's --wrap=free lets us look at a secret's memory at the moment it is given back. */
static char *watched;
static size_t watched_len;
static int watched_freed;
static bool watched_wiped;

void __real_free(void *p);
void __wrap_free(void *p);
void __wrap_free(void *p) {
    if (p && p == watched) {
        watched_freed++;
        watched_wiped = true;
        for (size_t i = 0; i < watched_len; i++) {
            watched_wiped = watched_wiped && watched[i] == '\0';
        }
        watched = NULL;
    }
    __real_free(p);
}

static void watch(const struct aduan_secret *s) {
    watched = s->bytes;
    watched_len = s->len;
    watched_wiped = false;
}

static void secrets_are_wiped_when_freed(void **state) {
    (void)state;
    put_file("aduan.conf", 0600, both);
    struct conf *c = read_as(CONF_FOR_MASTER, test_lookup);
    const struct mail *m = conf_find(c, "one")->settings;
    const struct aduan_secret *each[] = { &m->imap.password, &m->app_secret.items[1], &c->queue.password };
    watched_freed = 0;
    for (size_t i = 0; i < 3; i++) {
        watch(each[i]);
        conf_free(c);
        assert_int_equal(watched_freed, (int)i + 1);
        assert_true(watched_wiped);
        c = read_as(CONF_FOR_MASTER, test_lookup);
        m = conf_find(c, "one")->settings;
        each[0] = &m->imap.password;
        each[1] = &m->app_secret.items[1];
        each[2] = &c->queue.password;
    }
    conf_free(c);
}

static void conf_file_by_environment(void **state) {
    (void)state;
    unsetenv("ADUAN_CONF");
    assert_string_equal(conf_default_file(), "/etc/aduan/aduan.conf");
    setenv("ADUAN_CONF", "/x", 1);
    assert_string_equal(conf_default_file(), "/x");
    unsetenv("ADUAN_CONF");
}

static int setup(void **state) {
    (void)state;
    unsetenv("CREDENTIALS_DIRECTORY");
    make_dir();
    put_secrets();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    remove_dir();
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(defaults_are_as_documented),
        TEST(paths_are_relative_to_the_file),
        TEST(a_key_by_reference_becomes_its_path),
        TEST(the_master_resolves_every_secret),
        TEST(aduanctl_holds_the_redis_password_only),
        TEST(credentials_directory_comes_first),
        TEST(a_directory_that_others_write_is_refused),
        TEST(root_reads_the_directory_of_the_service),
        TEST(each_role_is_handed_its_own_secrets),
        TEST(a_slice_comes_back_as_it_was),
        TEST(a_damaged_slice_is_a_fault_and_no_crash),
        TEST(digests_tell_what_changed),
        TEST(a_file_travels_as_its_content),
        TEST(one_account_per_file_of_connectors_d),
        TEST(the_samples_are_without_fault),
        TEST(secrets_are_wiped_when_freed),
        TEST(conf_file_by_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
