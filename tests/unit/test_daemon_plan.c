/* test_daemon_plan.c: the pause before a worker is started again. */
#include "daemon/plan.h"

#include <setjmp.h>
#include <stdarg.h>
/* after the headers that it needs */
#include <cmocka.h>

static void doubles_up_to_a_cap(void **state) {
    int64_t middle = 250;
    int i;

    (void)state;
    for (i = 1; i < 100; i++) {
        assert_true(plan_pause_ms(i, 0) >= middle * 3 / 4);
        assert_true(plan_pause_ms(i, UINT32_MAX) <= middle * 5 / 4);
        assert_true(plan_pause_ms(i, UINT32_MAX) > plan_pause_ms(i, 0));
        middle = middle * 2 > 30000 ? 30000 : middle * 2;
    }
}

static void no_count_of_failures_is_too_large(void **state) {
    (void)state;
    assert_in_range(plan_pause_ms(1000000000, 1u << 31), 22500, 37500);
    assert_in_range(plan_pause_ms(0, 0), 1, 250);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_up_to_a_cap),
        cmocka_unit_test(no_count_of_failures_is_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
