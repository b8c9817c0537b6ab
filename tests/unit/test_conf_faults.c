/*
 * test_conf_faults.c: every pair tests/conf/X.in and X.ok: reading the first says the second.
 *
 * A line "--- NAME" in an .in file starts a further file beside it. Secrets
 * named @good_* hold "hush-…": that word may appear in no fault at all.
 * With ADUAN_WRITE_OK=1 the .ok files are written (to be read before commit).
 */
#include "tests/unit/test_conf.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
/* libconfig 1.5 forgets a string that a syntax error interrupts. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libconfig";
}
#endif

static char *slurp(const char *path) {
    struct text t = TEXT_INIT;
    FILE *f = fopen(path, "re");
    char buf[4096];
    for (size_t n; f && (n = fread(buf, 1, sizeof buf, f)) > 0;) {
        text_add_n(&t, buf, n);
    }
    if (f) {
        fclose(f);
    }
    return text_steal(&t);
}

static void spread(char *content) {
    const char *name = "aduan.conf";
    for (char *part = content; part;) {
        char *next = strstr(part, "\n--- ");
        if (next) {
            *++next = '\0';
        }
        put_file(name, 0600, part);
        part = NULL;
        if (next) {
            name = next + 4;
            part = strchr(name, '\n');
            *part++ = '\0';
        }
    }
}

static void put_secrets(void) {
    put_file("secrets/good_in", 0600, "hush-in\n");
    put_file("secrets/good_out", 0400, "hush-out");
    put_file("secrets/open", 0644, "hush-open");
    put_file("secrets/group", 0640, "hush-group");
    put_file("secrets/empty", 0600, "\n");
    put_file("secrets/lines", 0600, "hush-one\nhush-two\n");
    put_file("secrets/binary", 0600, "hush-\xff\xfe");
}

static int one_pair(const char *dir, const char *name) {
    make_dir();
    put_secrets();
    char *in = xasprintf("%s/%s.in", dir, name), *ok = xasprintf("%s/%s.ok", dir, name);
    char *content = slurp(in), *expected = slurp(ok);
    spread(content);
    char *file = xasprintf("%s/aduan.conf", test_dir);
    struct faults f = { NULL, 0 };
    conf_free(conf_read(file, CONF_FOR_MASTER, test_lookup, NULL, &f));
    char *got = all_faults(&f);
    int bad = strcmp(got, expected) != 0 || strstr(got, "hush") != NULL;
    if (bad) {
        fprintf(stderr, "%s: expected\n%sgot\n%s", name, expected, got);
    }
    if (getenv("ADUAN_WRITE_OK")) {
        FILE *out = fopen(ok, "we");
        assert_non_null(out);
        fputs(got, out);
        fclose(out);
    }
    faults_clear(&f);
    free(got);
    free(file);
    free(content);
    free(expected);
    free(in);
    free(ok);
    remove_dir();
    return bad;
}

static int is_in(const struct dirent *e) {
    return text_ends(e->d_name, ".in");
}

static void every_pair(void **state) {
    (void)state;
    unsetenv("CREDENTIALS_DIRECTORY");
    const char *dir = SOURCE_DIR "/tests/conf";
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, is_in, alphasort), bad = 0;
    assert_true(n >= 25);
    for (int i = 0; i < n; i++) {
        entries[i]->d_name[strlen(entries[i]->d_name) - 3] = '\0';
        bad += one_pair(dir, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    assert_int_equal(bad, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_pair) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
