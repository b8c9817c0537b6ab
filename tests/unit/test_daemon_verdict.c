/* test_daemon_verdict.c: what follows each outcome of a send. */
#include "daemon/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* after the headers that it needs */
#include <cmocka.h>

enum { NOW = 1000000, DAY = 24 * 3600 * 1000 };

static struct verdict judge(enum aduan_outcome outcome, struct verdict_input in, struct aduan_result r) {
    r.outcome = outcome;
    snprintf(r.reason, sizeof(r.reason), "because");
    in.result = &r;
    in.now = NOW;
    if (in.attempt == 0)
        in.attempt = 1;
    return verdict_of(&in);
}

#define JUDGE(outcome, ...) judge(outcome, (struct verdict_input){ __VA_ARGS__ }, (struct aduan_result){ 0 })

static void ends_are_ends(void **state) {
    (void)state;
    assert_int_equal(JUDGE(ADUAN_SENT, .attempt = 1).state, QUEUE_SENT);
    assert_int_equal(JUDGE(ADUAN_NEVER, .attempt = 1).state, QUEUE_NEVER);
    assert_int_equal(JUDGE(ADUAN_CLOSED, .attempt = 1).state, QUEUE_HELD);
    assert_string_equal(JUDGE(ADUAN_CLOSED, .attempt = 1).reason, "window");
}

static void later_backs_off_until_three_days(void **state) {
    struct verdict first = JUDGE(ADUAN_LATER, .attempt = 1), fifth = JUDGE(ADUAN_LATER, .attempt = 5);

    (void)state;
    assert_int_equal(first.state, QUEUE_LATER);
    assert_true(first.due > NOW);
    assert_true(fifth.due > first.due);
    assert_int_equal(JUDGE(ADUAN_LATER, .age_ms = (int64_t)3 * DAY).state, QUEUE_LATER);
    assert_int_equal(JUDGE(ADUAN_LATER, .age_ms = (int64_t)3 * DAY + 1).state, QUEUE_NEVER);
    assert_non_null(
        strstr(JUDGE(ADUAN_LATER, .age_ms = (int64_t)4 * DAY).reason, "given up after 3 days: because"));
}

static void a_limit_holds_what_it_names(void **state) {
    struct aduan_result r = { .retry_after_ms = 7000, .scope = ADUAN_SCOPE_CONVERSATION };
    struct verdict v = judge(ADUAN_LIMITED, (struct verdict_input){ 0 }, r);

    (void)state;
    assert_int_equal(v.state, QUEUE_LATER);
    assert_int_equal(v.due, NOW + 7000);
    assert_int_equal(v.account_due, 0);
    r.scope = ADUAN_SCOPE_ACCOUNT;
    assert_int_equal(judge(ADUAN_LIMITED, (struct verdict_input){ 0 }, r).account_due, NOW + 7000);
    r.retry_after_ms = 0;
    assert_true(judge(ADUAN_LIMITED, (struct verdict_input){ 0 }, r).due > NOW);
}

static void a_refusal_keeps_the_answer_and_stops_the_account(void **state) {
    struct verdict once = JUDGE(ADUAN_REFUSED, .refusals = 0), often = JUDGE(ADUAN_REFUSED, .refusals = 50);

    (void)state;
    assert_int_equal(once.state, QUEUE_LATER);
    assert_true(once.refused);
    assert_int_equal(once.account_due, once.due);
    assert_true(often.due > once.due);
    assert_int_equal(often.due, NOW + 3600 * 1000);
}

static void uncertain_is_never_sent_again_by_itself(void **state) {
    struct verdict v;

    (void)state;
    assert_int_equal(JUDGE(ADUAN_UNCERTAIN, .resend = false).state, QUEUE_UNCERTAIN);
    v = JUDGE(ADUAN_UNCERTAIN, .can_find = true, .resend = true);
    assert_true(v.find);
    v = JUDGE(ADUAN_UNCERTAIN, .can_find = false, .resend = true);
    assert_false(v.find);
    assert_int_equal(v.state, QUEUE_LATER);
    /* What a module of another version means by 99 we do not know. */
    assert_int_equal(JUDGE((enum aduan_outcome)99, .resend = false).state, QUEUE_UNCERTAIN);
    assert_int_equal(JUDGE((enum aduan_outcome)0, .resend = false).state, QUEUE_UNCERTAIN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_are_ends),
        cmocka_unit_test(later_backs_off_until_three_days),
        cmocka_unit_test(a_limit_holds_what_it_names),
        cmocka_unit_test(a_refusal_keeps_the_answer_and_stops_the_account),
        cmocka_unit_test(uncertain_is_never_sent_again_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
