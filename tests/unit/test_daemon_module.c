/* test_daemon_module.c: a module is refused for each fault in its own words, and only then. */
#include "daemon/module.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
/* after the headers that it needs */
#include <cmocka.h>

#define DIR BUILD_DIR "/tests/bad_modules"

static void refused(const char *type, const char *words) {
    struct module_set *s = module_set_new(DIR);
    char why[512] = "";

    assert_null(module_load(s, type, why, sizeof(why)));
    if (strstr(why, words) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", why, words);
    module_set_free(s);
}

static void each_fault_has_its_words(void **state) {
    (void)state;
    refused("no_symbol", "exports no symbol \"aduan_connector\"");
    refused("major", "built for connector ABI 2, this is ABI 1");
    refused("short", "bytes, ABI 1.0 needs");
    refused("other_type", "says it is \"somebody\", but its file is called \"other_type.so\"");
    refused("push_without_verify", "claims PUSH but has no verify()");
    refused("no_table", "has no settings table");
    refused("nowhere", "there are: good, major, newer, no_symbol");
    refused("../good", "is no module name");
    refused("", "is no module name");
}

static void a_good_one_is_loaded_once(void **state) {
    struct module_set *s = module_set_new(DIR);
    const struct module *m;
    char why[512] = "";

    (void)state;
    m = module_load(s, "good", why, sizeof(why));
    if (m == NULL)
        fail_msg("%s", why);
    assert_string_equal(m->connector->type, "good");
    assert_ptr_equal(module_load(s, "good", why, sizeof(why)), m);
    module_set_free(s);
}

static void a_link_to_a_loaded_one_is_a_duplicate(void **state) {
    struct module_set *s = module_set_new(DIR);
    char why[512] = "";

    (void)state;
    unlink(DIR "/twin.so");
    assert_int_equal(symlink("good.so", DIR "/twin.so"), 0);
    assert_non_null(module_load(s, "good", why, sizeof(why)));
    assert_null(module_load(s, "twin", why, sizeof(why)));
    assert_non_null(strstr(why, "the same module as"));
    unlink(DIR "/twin.so");
    module_set_free(s);
}

/* A newer minor only adds at the end: what we know of it is all there. */
static void a_newer_minor_is_taken(void **state) {
    struct module_set *s = module_set_new(DIR);
    char why[512] = "";
    const struct module *m = module_load(s, "newer", why, sizeof(why));

    (void)state;
    if (m == NULL)
        fail_msg("%s", why);
    assert_string_equal(m->connector->type, "newer");
    assert_int_equal(m->connector->abi_minor, ADUAN_ABI_MINOR + 1);
    assert_true(m->connector->size > sizeof(struct aduan_connector));
    module_set_free(s);
}

static int never_there(const void *settings, const struct aduan_answer *answer, char *why, size_t why_size) {
    (void)settings;
    (void)answer;
    (void)why;
    (void)why_size;
    return -1;
}

/* Behind an older constant lies whatever the linker put there: it must not be taken for a member. */
static void what_an_older_minor_lacks_is_absent(void **state) {
    struct aduan_connector older = { ADUAN_CONNECTOR_HEAD, .type = "older", .capabilities = ADUAN_CAP_SEND,
                                     .fits = never_there, .probe_every_ms = 7 };
    struct aduan_connector seen;

    (void)state;
    module_view(&older, &seen);
    assert_true(seen.fits == never_there && seen.probe_every_ms == 7);
    older.size = offsetof(struct aduan_connector, fits);
    module_view(&older, &seen);
    assert_string_equal(seen.type, "older");
    assert_int_equal(seen.capabilities, ADUAN_CAP_SEND);
    assert_true(seen.fits == NULL && seen.window == NULL && seen.probe_every_ms == 0);
}

/* Nothing may be added in front of the end of ABI 1.0, and every member there counts from it. */
static void abi_1_0_is_fixed(void **state) {
    (void)state;
    assert_int_equal(ADUAN_CONNECTOR_SIZE_1_0, 248);
    assert_true(sizeof(struct aduan_connector) >= ADUAN_CONNECTOR_SIZE_1_0);
}

static void text_is_no_module(void **state) {
    struct module_set *s = module_set_new(SOURCE_DIR);
    char why[512] = "";

    (void)state;
    assert_null(module_load(s, "good", why, sizeof(why)));
    assert_non_null(strstr(why, "there is no module"));
    module_set_free(s);
}

static void lookup_blames_the_file(void **state) {
    struct faults faults = { NULL, 0 };
    struct module_source source = { module_set_new(DIR), &faults };
    struct conf_connector_type type;
    const char *known = NULL;

    (void)state;
    assert_int_equal(module_lookup(&source, "good", &type, &known), 0);
    assert_non_null(type.table);
    /* A misspelt type is conf's to report, a bad file is ours. */
    assert_int_equal(module_lookup(&source, "goood", &type, &known), -1);
    assert_int_equal(faults.count, 0);
    assert_non_null(strstr(known, "good"));
    assert_int_equal(module_lookup(&source, "major", &type, &known), -1);
    assert_int_equal(faults.count, 1);
    assert_non_null(strstr(faults.items[0].reason, "ABI"));
    faults_clear(&faults);
    module_set_free(source.set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_has_its_words),
        cmocka_unit_test(a_good_one_is_loaded_once),
        cmocka_unit_test(a_link_to_a_loaded_one_is_a_duplicate),
        cmocka_unit_test(a_newer_minor_is_taken),
        cmocka_unit_test(what_an_older_minor_lacks_is_absent),
        cmocka_unit_test(abi_1_0_is_fixed),
        cmocka_unit_test(text_is_no_module),
        cmocka_unit_test(lookup_blames_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
