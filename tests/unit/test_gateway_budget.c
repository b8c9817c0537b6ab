/* test_gateway_budget.c: failures run out for one peer, come back with time, and concern nobody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/gateway_budget.h"

#include <stdio.h>
#include <string.h>

static void test_burst_then_refill(void **state) {
    struct budget *b = budget_new();
    int i;

    (void)state;
    for (i = 0; i < BUDGET_BURST; i++) {
        assert_false(budget_spent(b, "192.0.2.1", 5000));
        budget_charge(b, "192.0.2.1", 5000);
    }
    assert_true(budget_spent(b, "192.0.2.1", 5000));
    assert_false(budget_spent(b, "192.0.2.2", 5000));
    assert_true(budget_spent(b, "192.0.2.1", 5000 + BUDGET_REFILL_MS - 1));
    assert_false(budget_spent(b, "192.0.2.1", 5000 + BUDGET_REFILL_MS));
    budget_charge(b, "192.0.2.1", 5000 + BUDGET_REFILL_MS);
    assert_true(budget_spent(b, "192.0.2.1", 5000 + BUDGET_REFILL_MS));
    assert_false(budget_spent(b, "192.0.2.1", 5000 + 10 * (int64_t)BUDGET_BURST * BUDGET_REFILL_MS));
    budget_free(b);
}

static void test_many_peers_never_block_a_new_one(void **state) {
    struct budget *b = budget_new();
    char peer[100];
    int i;

    (void)state;
    for (i = 0; i < 10 * BUDGET_PLACES; i++) {
        snprintf(peer, sizeof(peer), "2001:db8::%x", (unsigned)i);
        budget_charge(b, peer, 1000);
    }
    assert_false(budget_spent(b, "198.51.100.7", 1000));
    memset(peer, 'a', sizeof(peer) - 1); /* an absurd name is cut, not overrun */
    peer[sizeof(peer) - 1] = '\0';
    for (i = 0; i < BUDGET_BURST; i++)
        budget_charge(b, peer, 1000);
    assert_true(budget_spent(b, peer, 1000));
    budget_free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_burst_then_refill),
        cmocka_unit_test(test_many_peers_never_block_a_new_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
