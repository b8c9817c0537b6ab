/* test_daemon_address.c: where a transfer may go. */
#include "daemon/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
/* after the headers that it needs */
#include <cmocka.h>

static bool allowed(enum address_rule rule, const char *text) {
    struct sockaddr_in four = { .sin_family = AF_INET };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };

    if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
        return address_allowed(rule, (struct sockaddr *)&four);
    assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
    return address_allowed(rule, (struct sockaddr *)&six);
}

static void only_the_internet_is_public(void **state) {
    static const char *const public[] = { "8.8.8.8",           "157.240.1.1",    "172.15.0.1",
                                          "172.32.0.1",        "100.128.0.1",    "2606:4700::1111",
                                          "2a03:2880:f10c::1", "::ffff:8.8.8.8", "11.0.0.1" };
    static const char *const not [] = {
        "0.0.0.0",
        "10.1.2.3",
        "127.0.0.1",
        "127.255.0.9",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "100.127.255.255",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:db8::1",
        "2001::1",
        "64:ff9b:1::1",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(public) / sizeof(public[0]); i++)
        if (!allowed(ADDRESS_PUBLIC, public[i]))
            fail_msg("%s is public", public[i]);
    for (i = 0; i < sizeof(not ) / sizeof(not [0]); i++)
        if (allowed(ADDRESS_PUBLIC, not [i]))
            fail_msg("%s is not public", not [i]);
}

static void loopback_is_this_machine(void **state) {
    (void)state;
    assert_true(allowed(ADDRESS_LOOPBACK, "127.0.0.1"));
    assert_true(allowed(ADDRESS_LOOPBACK, "::1"));
    assert_true(allowed(ADDRESS_LOOPBACK, "::ffff:127.0.0.1"));
    assert_false(allowed(ADDRESS_LOOPBACK, "8.8.8.8"));
    assert_false(allowed(ADDRESS_LOOPBACK, "::2"));
    assert_true(allowed(ADDRESS_ANY, "10.0.0.1"));
}

static int judge(const char *url, bool foreign, const char *same_host, enum address_rule *ret) {
    char why[256];

    return url_judge(url, "http", "https", foreign, same_host, ret, why, sizeof(why));
}

static void our_own_urls(void **state) {
    enum address_rule rule;

    (void)state;
    assert_int_equal(judge("https://graph.facebook.com/v25.0/me", false, NULL, &rule), 0);
    assert_int_equal(rule, ADDRESS_ANY);
    assert_int_equal(judge("http://127.0.0.1:8080/x", false, NULL, &rule), 0);
    assert_int_equal(rule, ADDRESS_LOOPBACK);
    assert_int_equal(judge("http://[::1]:8080/x", false, NULL, &rule), 0);
    assert_int_equal(judge("HTTP://LocalHost/x", false, NULL, &rule), 0);
    assert_int_equal(judge("http://example.org/", false, NULL, &rule), -1);
    assert_int_equal(judge("http://127.0.0.1.example.org/", false, NULL, &rule), -1);
    assert_int_equal(judge("http://127.0.0.1@example.org/", false, NULL, &rule), -1);
    assert_int_equal(judge("file:///etc/passwd", false, NULL, &rule), -1);
    assert_int_equal(judge("gopher://example.org/", false, NULL, &rule), -1);
    assert_int_equal(judge("nothing", false, NULL, &rule), -1);
}

static void foreign_urls(void **state) {
    enum address_rule rule;

    (void)state;
    assert_int_equal(judge("https://lookaside.fbsbx.com/x", true, "https://graph.facebook.com/v25.0", &rule),
                     0);
    assert_int_equal(rule, ADDRESS_PUBLIC);
    assert_int_equal(judge("http://127.0.0.1:9/x", true, "https://graph.facebook.com", &rule), -1);
    assert_int_equal(judge("https://127.0.0.1:9/x", true, NULL, &rule), 0);
    assert_int_equal(rule, ADDRESS_PUBLIC); /* and so refused on the socket */
    assert_int_equal(judge("http://127.0.0.1:9/x", true, "http://127.0.0.1:9/graph", &rule), 0);
    assert_int_equal(rule, ADDRESS_LOOPBACK);
    /* The same host at another port is another service. */
    assert_int_equal(judge("http://127.0.0.1:6379/x", true, "http://127.0.0.1:9/graph", &rule), -1);
    assert_int_equal(judge("https://user:word@example.org/", true, NULL, &rule), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_internet_is_public),
        cmocka_unit_test(loopback_is_this_machine),
        cmocka_unit_test(our_own_urls),
        cmocka_unit_test(foreign_urls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
