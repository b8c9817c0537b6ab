/* test_daemon_outbox.c: order within a conversation, independence between them, limits. */
#include "daemon/outbox.h"

#include "connectors/kit/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* after the headers that it needs */
#include <cmocka.h>

static struct out_item *item(struct outbox *o, const char *conversation, const char *key) {
    struct out_item *it = xcalloc(1, sizeof(*it));

    snprintf(it->entry, sizeof(it->entry), "%s-0", key);
    it->key = xstrdup(key);
    it->answer.conversation = xstrdup(conversation);
    it->state = OUT_WAITING;
    outbox_add(o, it);
    return it;
}

static struct out_item *take(struct outbox *o, int64_t now) {
    struct out_item *it = outbox_next(o, now);

    if (it != NULL)
        outbox_started(o, it, now);
    return it;
}

static void end(struct outbox *o, struct out_item *it) {
    outbox_returned(o, it);
    outbox_drop(o, it);
}

static void one_conversation_goes_in_order(void **state) {
    const struct aduan_traits t = { 0 };
    struct outbox o;
    struct out_item *a;

    (void)state;
    outbox_init(&o, &t);
    item(&o, "budi", "1");
    item(&o, "budi", "2");
    a = take(&o, 1);
    assert_string_equal(a->key, "1");
    assert_null(outbox_next(&o, 1));
    /* It failed and waits: the second still may not pass it. */
    outbox_returned(&o, a);
    a->state = OUT_WAITING;
    a->due = 100;
    assert_null(outbox_next(&o, 50));
    a = take(&o, 100);
    assert_string_equal(a->key, "1");
    end(&o, a);
    a = take(&o, 100);
    assert_string_equal(a->key, "2");
    outbox_clear(&o);
}

static void a_slow_conversation_holds_up_no_other(void **state) {
    const struct aduan_traits t = { 0 };
    struct outbox o;
    struct out_item *it;
    char name[16];
    int i;

    (void)state;
    outbox_init(&o, &t);
    item(&o, "slow", "s")->due = 1000000;
    for (i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        item(&o, name, name);
        assert_non_null(it = take(&o, 1));
        assert_string_equal(it->key, name);
        end(&o, it);
    }
    assert_null(outbox_next(&o, 1));
    assert_int_equal(outbox_next_due(&o), 1000000);
    outbox_clear(&o);
}

static void sixteen_at_once(void **state) {
    const struct aduan_traits t = { 0 };
    struct outbox o;
    char name[16];
    int i, n = 0;

    (void)state;
    outbox_init(&o, &t);
    for (i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        item(&o, name, name);
    }
    while (take(&o, 1) != NULL)
        n++;
    assert_int_equal(n, OUTBOX_SENDING_MAX);
    outbox_clear(&o);
}

static void a_trial_is_one_at_a_time(void **state) {
    const struct aduan_traits t = { 0 };
    struct outbox o;

    (void)state;
    outbox_init(&o, &t);
    item(&o, "a", "1");
    item(&o, "b", "2");
    o.trial = true;
    o.account_due = 500;
    assert_null(outbox_next(&o, 499));
    assert_non_null(take(&o, 500));
    assert_null(outbox_next(&o, 500));
    outbox_clear(&o);
}

static void answers_per_second(void **state) {
    const struct aduan_traits t = { .per_second = 5 };
    struct outbox o;
    struct out_item *it;
    char name[16];
    int64_t now;
    int i, n = 0;

    (void)state;
    outbox_init(&o, &t);
    for (i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        item(&o, name, name);
    }
    for (now = 1000; now <= 3000; now += 10)
        while ((it = take(&o, now)) != NULL) {
            end(&o, it);
            n++;
        }
    /* A first burst of five, then five in each of two seconds. */
    assert_in_range(n, 14, 15);
    outbox_clear(&o);
}

static void a_pause_between_two_of_a_pair(void **state) {
    const struct aduan_traits t = { .pair_interval_ms = 6000 };
    struct outbox o;
    struct out_item *it;

    (void)state;
    outbox_init(&o, &t);
    item(&o, "budi", "1");
    end(&o, take(&o, 1000));
    /* The pause outlives the last answer of the conversation. */
    item(&o, "budi", "2");
    assert_null(outbox_next(&o, 6999));
    assert_int_equal(outbox_next_due(&o), 7000);
    assert_non_null(it = take(&o, 7000));
    end(&o, it);
    item(&o, "siti", "3");
    assert_non_null(take(&o, 20000));
    /* ... and is forgotten once it is over. */
    assert_int_equal(o.conversation_count, 1);
    outbox_clear(&o);
}

static void resumed_by_an_officer(void **state) {
    const struct aduan_traits t = { 0 };
    struct outbox o;

    (void)state;
    outbox_init(&o, &t);
    item(&o, "budi", "1")->due = 9000;
    o.account_due = 9000;
    outbox_resume(&o); /* a rate limit of the account is the platform's word: it stands */
    assert_null(outbox_next(&o, 8999));
    o.trial = true;
    outbox_resume(&o);
    assert_non_null(take(&o, 1));
    outbox_clear(&o);
}

static void found_again_by_what_names_it(void **state) {
    const struct aduan_traits t = { 0 };
    struct outbox o;
    struct out_item *it;

    (void)state;
    outbox_init(&o, &t);
    it = item(&o, "budi", "1");
    assert_true(outbox_has(&o, "1-0"));
    assert_false(outbox_has(&o, "2-0"));
    take(&o, 1);
    it->token = 42;
    it->deadline = 900;
    assert_ptr_equal(outbox_by_token(&o, 42), it);
    assert_null(outbox_by_token(&o, 41));
    assert_null(outbox_overdue(&o, 899));
    assert_ptr_equal(outbox_overdue(&o, 900), it);
    outbox_clear(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_conversation_goes_in_order),
        cmocka_unit_test(a_slow_conversation_holds_up_no_other),
        cmocka_unit_test(sixteen_at_once),
        cmocka_unit_test(a_trial_is_one_at_a_time),
        cmocka_unit_test(answers_per_second),
        cmocka_unit_test(a_pause_between_two_of_a_pair),
        cmocka_unit_test(resumed_by_an_officer),
        cmocka_unit_test(found_again_by_what_names_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
