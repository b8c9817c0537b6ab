/* How much of Meta's allowance is used is told before it bites, and a limit lasts as long as Meta says. */
#include "graph/graph.h"

#include "kit/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char told[300];

static void quota(struct aduan_host *h, const char *name, int percent) {
    size_t n = strlen(told);

    (void)h;
    snprintf(told + n, sizeof(told) - n, "%s=%d;", name, percent);
}

static const struct aduan_host_ops ops = { .size = sizeof(ops), .quota = quota };

static struct aduan_result judge(int status, const char *body, const char *name, const char *value) {
    struct aduan_host host = { &ops, "ig" };
    struct graph_account account = { .host = &host };
    const struct aduan_header header = { name, value };
    struct aduan_http_response r = { .status = status, .headers = &header, .header_count = 1, .body = body };
    struct aduan_result result;

    r.body_len = strlen(body);
    told[0] = '\0';
    graph_accepted(&account, &r, true, &result);
    return result;
}

static void usage_is_told_with_every_answer(void **state) {
    (void)state;
    judge(200, "{}", "x-app-usage", "{\"call_count\":28,\"total_time\":85,\"total_cputime\":1}");
    assert_string_equal(told, "app=85;");
    judge(200, "{}", "x-page-usage", "{\"call_count\":7}");
    assert_string_equal(told, "page=7;");
    judge(200, "{}", "x-business-use-case-usage",
          "{\"1784\":[{\"type\":\"messenger\",\"call_count\":100,\"estimated_time_to_regain_access\":0},"
          "{\"type\":\"instagram\",\"call_count\":3}]}");
    assert_string_equal(told, "messenger=100;instagram=3;");
}

static void a_limit_lasts_as_long_as_meta_says(void **state) {
    static const char usage[] =
        "{\"1784\":[{\"type\":\"messenger\",\"call_count\":100,\"estimated_time_to_regain_access\":19}]}";
    static const char limited[] = "{\"error\":{\"code\":80006}}",
                      closed[] = "{\"error\":{\"code\":10,\"error_subcode\":2018278}}";
    struct aduan_result result;

    (void)state;
    result = judge(400, limited, "x-business-use-case-usage", usage);
    assert_int_equal(result.outcome, ADUAN_LIMITED);
    assert_int_equal(result.retry_after_ms, 19 * 60 * 1000);
    result = judge(400, limited, "x-app-usage", "{}");
    assert_int_equal(result.retry_after_ms, 5 * 60 * 1000);
    result = judge(400, closed, "x-business-use-case-usage", usage);
    assert_int_equal(result.outcome, ADUAN_CLOSED);
    assert_int_equal(result.retry_after_ms, 0);
}

static void nonsense_in_a_header_harms_nothing(void **state) {
    static const char *const values[] = {
        "",
        "x",
        "[]",
        "{\"a\":7}",
        "{\"a\":[7]}",
        "{\"a\":[{\"estimated_time_to_regain_access\":1e300,\"call_count\":\"-5\"}]}",
        "{\"call_count\":99999999999}"
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        assert_true(
            judge(400, "{\"error\":{\"code\":4}}", "x-business-use-case-usage", values[i]).retry_after_ms ==
            60 * 1000);
        judge(200, "{}", "x-app-usage", values[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_is_told_with_every_answer),
        cmocka_unit_test(a_limit_lasts_as_long_as_meta_says),
        cmocka_unit_test(nonsense_in_a_header_harms_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
