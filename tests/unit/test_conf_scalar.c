/* test_conf_scalar.c: durations, sizes, addresses; and libconfig's habits that we rely on or work around. */
#include "conf/internal.h"

#include "tests/unit/test_conf.h"

#include <libconfig.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void durations(void **state) {
    static const struct {
        const char *s;
        int64_t ms; /* -1: refused */
    } cases[] = {
        { "0s", 0 },
        { "30s", 30000 },
        { "500ms", 500 },
        { "5m", 300000 },
        { "2h", 7200000 },
        { "7d", 604800000 },
        { "106751991167d", 9223372036828800000 },
        { "106751991168d", -1 },
        { "9223372036854775807ms", INT64_MAX },
        { "9223372036854775808ms", -1 },
        { "99999999999999999999ms", -1 },
        { "", -1 },
        { "30", -1 },
        { "s", -1 },
        { "-1s", -1 },
        { "+1s", -1 },
        { " 1s", -1 },
        { "1 s", -1 },
        { "1s ", -1 },
        { "1S", -1 },
        { "1.5s", -1 },
        { "1m30s", -1 },
        { "0x10s", -1 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ms = -1;
        const char *why = NULL;
        int rc = conf_parse_duration(cases[i].s, &ms, &why);
        if (rc != (cases[i].ms < 0 ? -1 : 0) || ms != cases[i].ms) {
            fail_msg("\"%s\": %d, %lld", cases[i].s, rc, (long long)ms);
        }
        assert_true(rc == 0 || why);
    }
}

static void sizes(void **state) {
    static const struct {
        const char *s;
        int64_t bytes;
    } cases[] = {
        { "0B", 0 },
        { "1B", 1 },
        { "64KiB", 65536 },
        { "25MiB", 26214400 },
        { "1GiB", 1073741824 },
        { "8589934591GiB", 9223372035781033984 },
        { "8589934592GiB", -1 },
        { "25MB", -1 },
        { "25", -1 },
        { "25 MiB", -1 },
        { "kib", -1 },
        { "1kiB", -1 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t bytes = -1;
        const char *why = NULL;
        int rc = conf_parse_size(cases[i].s, &bytes, &why);
        if (rc != (cases[i].bytes < 0 ? -1 : 0) || bytes != cases[i].bytes) {
            fail_msg("\"%s\": %d, %lld", cases[i].s, rc, (long long)bytes);
        }
    }
}

static void listen_addresses(void **state) {
    static const char *const good[] = { "127.0.0.1:8081", "[::1]:80", "localhost:65535", "unix:/run/x.sock",
                                        "kanim.local:1" };
    static const char *const bad[] = {
        "",        ":80",     "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "h:8o",   "h:+80",
        "[::1:80", "[::1]80", "unix:",     "unix:run",   "a b:80",      "::1:80",          "h:80:80"
    };
    const char *why = "";
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (conf_check_listen(good[i], &why) != 0) {
            fail_msg("\"%s\": %s", good[i], why);
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (conf_check_listen(bad[i], &why) == 0) {
            fail_msg("\"%s\" was taken", bad[i]);
        }
    }
}

/* What source.c is for: if libconfig ever mends this, it can go. */
static void libconfig_wraps_numbers_without_a_word(void **state) {
    (void)state;
    config_t c;
    config_init(&c);
    assert_int_equal(config_read_string(&c, "a = 4294967297; b = 99999999999999999999;"), CONFIG_TRUE);
    int a = 0, b = 0;
    assert_int_equal(config_lookup_int(&c, "a", &a), CONFIG_TRUE);
    assert_int_equal(config_lookup_int(&c, "b", &b), CONFIG_TRUE);
    assert_int_equal(a, 1);
    assert_int_equal(b, -1);
    config_destroy(&c);
}

static void numbers_are_read_as_they_are_written(void **state) {
    static const char content[] =
        "# 1 in a remark\n// 2\n/* 3\n4 */ a = 4294967297; # 5\nb = \"6 \\\" 7\"; c1 = -8;\n"
        "@include \"more.inc\"\n list = ( 9, { x-2 = 10; }, [ 11, 12 ] );\n d = 0x7FFFFFFFFF;\n"
        "@include \"again.inc\"\n e = 99999999999999999999\n";
    (void)state;
    make_dir();
    put_file("x.conf", 0600, content);
    put_file("more.inc", 0600, "m = 100; n = 200;\n");
    put_file("again.inc", 0600, "again = { p = 300; };\n");
    char *file = xasprintf("%s/x.conf", test_dir);
    struct faults f = { NULL, 0 };
    struct conf_tree *t = conf_tree_read(file, &f);
    assert_int_equal(f.count, 0);
    const struct conf_node *root = conf_tree_root(t), *list = conf_node_get(root, "list");
    assert_string_equal(conf_node_text(conf_node_get(root, "a")), "4294967297");
    assert_int_equal(conf_node_line(conf_node_get(root, "a")), 4);
    assert_string_equal(conf_node_text(conf_node_get(root, "b")), "6 \" 7");
    assert_string_equal(conf_node_text(conf_node_get(root, "c1")), "-8");
    assert_string_equal(conf_node_text(conf_node_get(root, "n")), "200");
    assert_true(text_ends(conf_node_file(conf_node_get(root, "n")), "/more.inc"));
    assert_int_equal(conf_node_line(conf_node_get(root, "n")), 1);
    assert_string_equal(conf_node_text(conf_node_at(list, 0)), "9");
    assert_string_equal(conf_node_text(conf_node_get(conf_node_at(list, 1), "x-2")), "10");
    assert_string_equal(conf_node_text(conf_node_at(conf_node_at(list, 2), 1)), "12");
    assert_string_equal(conf_node_text(conf_node_get(root, "d")), "0x7FFFFFFFFF");
    assert_string_equal(conf_node_text(conf_node_get(conf_node_get(root, "again"), "p")), "300");
    assert_string_equal(conf_node_text(conf_node_get(root, "e")), "99999999999999999999");
    assert_int_equal(conf_node_line(conf_node_get(root, "e")), 10);
    assert_null(conf_node_get(root, "nothing"));
    conf_tree_free(t);
    free(file);
    remove_dir();
}

static void the_nearest_word(void **state) {
    static const char *const words[] = { "name", "type", "timezone", "mailbox", "phone_number_id" };
    (void)state;
    assert_string_equal(conf_nearest("nmae", words, 5) ? conf_nearest("nmae", words, 5) : "", "");
    assert_string_equal(conf_nearest("nam", words, 5), "name");
    assert_string_equal(conf_nearest("zone", words, 5), "timezone");
    assert_string_equal(conf_nearest("mailbix", words, 5), "mailbox");
    assert_string_equal(conf_nearest("phone_numer_id", words, 5), "phone_number_id");
    assert_null(conf_nearest("zzz", words, 5));
    assert_null(conf_nearest("", words, 5));
}

struct opener {
    char *name, *language;
};
struct doors {
    struct opener a, b;
};

static const struct aduan_setting opener_table[] = {
    ADUAN_SET_STRING("name", struct opener, name, NULL, 0, "name"),
    ADUAN_SET_STRING("language", struct opener, language, "id", 0, "language"),
    ADUAN_SET_END,
};
static const struct aduan_setting doors_table[] = {
    ADUAN_SET_GROUP("a", struct doors, a, struct opener, opener_table, ADUAN_OR_FIRST, "short form"),
    ADUAN_SET_GROUP("b", struct doors, b, struct opener, opener_table, 0, "group only"),
    ADUAN_SET_END,
};

/* The faults that content has as doors; what it says is in *ret. */
static char *doors_of(const char *content, struct doors *ret) {
    make_dir();
    put_file("x.conf", 0600, content);
    char *file = xasprintf("%s/x.conf", test_dir), *all;
    struct faults f = { NULL, 0 };
    struct conf_tree *t = conf_tree_read(file, &f);
    *ret = (struct doors){ { NULL, NULL }, { NULL, NULL } };
    conf_apply(doors_table, conf_tree_root(t), "", ret, &f);
    all = all_faults(&f);
    faults_clear(&f);
    conf_tree_free(t);
    free(file);
    remove_dir();
    return all;
}

static void a_group_may_be_its_first_key_alone(void **state) {
    static const struct {
        const char *content, *name, *language, *fault;
    } cases[] = {
        { "a = \"buka\";", "buka", "id", NULL },
        { "a = { name = \"buka\"; language = \"en\"; };", "buka", "en", NULL },
        { "", "", "id", NULL },
        { "a = 5;", "", "id", "a: must be a text in quotes or a group { … }" },
        { "a = ( \"buka\" );", "", "id", "a: must be a text in quotes or a group { … }" },
        { "b = \"buka\";", "", "id", "b: must be a group { … }" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct doors d;
        char *faults = doors_of(cases[i].content, &d);
        assert_string_equal(d.a.name, cases[i].name);
        assert_string_equal(d.a.language, cases[i].language);
        if (cases[i].fault ? strstr(faults, cases[i].fault) == NULL : faults[0] != '\0') {
            fail_msg("%s: %s", cases[i].content, faults);
        }
        free(faults);
        conf_settings_clear(doors_table, &d);
    }
}

static void line(void *arg, const char *s) {
    struct text *t = arg;
    text_addf(t, "%s\n", s);
}

static void a_table_prints_as_its_manual(void **state) {
    (void)state;
    struct text t = TEXT_INIT;
    conf_print_table(mail_table, "", line, &t);
    assert_non_null(strstr(t.s, "address                      text        wajib / required. our address\n"));
    assert_non_null(strstr(t.s, "imap.poll                    duration    [60s]. how often\n"));
    assert_non_null(strstr(
        t.s,
        "auth                         choice      [password]. Pilihan / one of: password, xoauth2. how\n"));
    text_free(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(sizes),
        cmocka_unit_test(listen_addresses),
        cmocka_unit_test(libconfig_wraps_numbers_without_a_word),
        cmocka_unit_test(numbers_are_read_as_they_are_written),
        cmocka_unit_test(the_nearest_word),
        cmocka_unit_test(a_group_may_be_its_first_key_alone),
        cmocka_unit_test(a_table_prints_as_its_manual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
