/* test_desk_notice.c: the admin is told once, and whatever comes back becomes no case and no answer. */
#include "desk_tests.h"

#include "kit/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t minute = 60 * 1000LL;
static char *admins[] = { (char *)"admin@kanim.go.id" };

static void health(const char *account, const char *role, const char *fault) {
    json_t *h = json_pack("{s:I, s:s?}", "at", (json_int_t)rig.now, "fault", fault);
    char *text = json_dumps(h, JSON_COMPACT);

    assert_int_equal(queue_health_set(rig.queue, account, role, text), 0);
    free(text);
    json_decref(h);
}

/* Instagram's token is refused for `minutes`; the mail accounts are well, but for mail_fault. The desk starts
 * anew every four: what was told is known only from the register. */
static void trouble_for(int minutes, const char *fault, const char *mail_fault) {
    int i;

    rig.conf.notices.account = (char *)"gmail";
    rig.conf.notices.admin = (struct aduan_strings){ admins, 1 };
    for (i = 0; i < minutes; i += 4) {
        rig.now += 4 * minute;
        health("ig", "send", fault);
        health("gmail", "send", mail_fault);
        run();
    }
}

static json_t *the_notice(const char *account, size_t count) {
    json_t *out = rig_out(&rig, account), *first;

    assert_int_equal(json_array_size(out), count);
    first = count > 0 ? json_incref(json_array_get(out, 0)) : NULL;
    json_decref(out);
    return first;
}

static void a_trouble_is_mailed_once_also_by_a_desk_that_starts_anew(void **state) {
    json_t *n;

    (void)state;
    trouble_for(90, "token revoked", NULL);
    n = the_notice("gmail", 1);
    assert_string_equal(rig_string(n, "kind"), "notice");
    assert_string_equal(rig_string(n, "conversation"), "admin@kanim.go.id");
    assert_true(text_starts(rig_string(n, "subject"), "[Aduan] "));
    assert_non_null(strstr(rig_string(n, "text"), "token revoked"));
    assert_non_null(strstr(rig_string(n, "text"), "aduanctl connectors probe ig"));
    json_decref(n);
    assert_int_equal(rig_case_count(&rig), 0);
    trouble_for(90, NULL, NULL);
    json_decref(the_notice("gmail", 2)); /* it is over */
}

static void another_mail_account_tells_of_the_first(void **state) {
    json_t *n;

    (void)state;
    trouble_for(20, NULL, "login refused");
    the_notice("gmail", 0);
    n = the_notice("yahoo", 1);
    assert_non_null(strstr(rig_string(n, "text"), "gmail"));
    json_decref(n);
}

static void nobody_is_mailed_unless_the_office_says_whom(void **state) {
    (void)state;
    trouble_for(1, NULL, NULL);
    rig.conf.notices.admin.count = 0;
    health("ig", "send", "token revoked");
    rig.now += 20 * minute;
    run();
    the_notice("gmail", 0);
}

/* What comes back: a reply, an automatic one, a copy of it, one whose program dropped the references, a bounce.
 */
static void what_comes_back_is_no_case_and_is_not_answered(void **state) {
    json_t *n;
    char *id;
    struct mail m = { .from = "admin@kanim.go.id", .text = "Terima kasih, saya periksa paspor itu." };

    (void)state;
    trouble_for(20, "token revoked", NULL);
    n = the_notice("gmail", 1);
    id = xasprintf("%s@example.com", rig_string(n, "token"));
    m.id = "r1@kanim", m.reply_to = id;
    rig_mail(&rig, &m);
    m.id = "r2@kanim", m.reply_to = NULL, m.references = id, m.flags = ADUAN_MESSAGE_AUTOMATIC;
    rig_mail(&rig, &m);
    m.id = "r3@kanim", m.references = NULL, m.flags = 0, m.subject = "Re: [Aduan] TPI: 1 gangguan";
    rig_mail(&rig, &m);
    m.id = "r4@kanim", m.from = "postmaster@kanim.go.id", m.reply_to = id, m.flags = ADUAN_MESSAGE_BOUNCE;
    rig_mail(&rig, &m);
    m.id = id, m.from = "kantor@example.com", m.reply_to = NULL, m.flags = 0;
    rig_mail(&rig, &m);
    run();
    assert_int_equal(rig_case_count(&rig), 0);
    assert_int_equal(rig_dead_count(&rig, "gmail"), 0);
    json_decref(the_notice("gmail", 1));
    free(id);
    json_decref(n);
}

static void a_notice_that_fails_is_no_dead_letter(void **state) {
    (void)state;
    trouble_for(20, "token revoked", NULL);
    free(rig_settle(&rig, "gmail", 0, QUEUE_NEVER, "", "mailbox is full"));
    trouble_for(90, "token revoked", NULL);
    assert_int_equal(rig_dead_count(&rig, "gmail"), 0);
    the_notice("gmail", 0);
    assert_int_equal(rig_case_count(&rig), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_trouble_is_mailed_once_also_by_a_desk_that_starts_anew, reset),
        cmocka_unit_test_setup(another_mail_account_tells_of_the_first, reset),
        cmocka_unit_test_setup(nobody_is_mailed_unless_the_office_says_whom, reset),
        cmocka_unit_test_setup(what_comes_back_is_no_case_and_is_not_answered, reset),
        cmocka_unit_test_setup(a_notice_that_fails_is_no_dead_letter, reset),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
