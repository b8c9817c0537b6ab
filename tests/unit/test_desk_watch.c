/* test_desk_watch.c: which troubles there are, when each is told, and that each is told once. */
#include "desk/watch.h"

#include "kit/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t minute = 60000, hour = 3600000, day = 86400000, start = 1791162720000;

struct play {
    struct watch_account account;
    struct watch_world world;
    struct watch_book book;
};

static struct play *play_new(int64_t now) {
    struct play *p = xcalloc(1, sizeof(*p));

    p->account.name = "ig";
    p->world = (struct watch_world){ .now = now, .accounts = &p->account, .count = 1, .silence = true };
    return p;
}

static void play_end(struct play *p) {
    json_decref((json_t *)(uintptr_t)p->account.health);
    free(p->book.rows);
    free(p);
}

static void health(struct play *p, const char *role, json_t *fields, int64_t age) {
    json_decref((json_t *)(uintptr_t)p->account.health);
    json_object_set_new(fields, "at", json_integer(p->world.now - age));
    p->account.health = json_pack("{s:o}", role, fields);
}

/* A minute later: looks, and says whether a mail would go; then it is told. */
static bool turn(struct play *p, int64_t later) {
    struct watch_list wrong;
    bool mail;

    p->world.now += later;
    if (p->account.health != NULL) {
        const char *role;
        json_t *h;

        json_object_foreach((json_t *)(uintptr_t)p->account.health, role, h) {
            if (json_object_get(h, "dead_worker") == NULL)
                json_object_set_new(h, "at", json_integer(p->world.now));
        }
    }
    watch_look(&p->world, &wrong);
    watch_apply(&p->book, &wrong, p->world.now);
    free(wrong.items);
    mail = watch_may_mail(&p->book, p->world.now);
    if (mail)
        watch_told(&p->book, p->world.now);
    return mail;
}

static int mails(struct play *p, int minutes) {
    int i, n = 0;

    for (i = 0; i < minutes; i++)
        n += turn(p, minute);
    return n;
}

static void a_fault_is_told_once_after_five_minutes_and_its_end_once(void **state) {
    struct play *p = play_new(start);

    (void)state;
    health(p, "send", json_pack("{s:s}", "fault", "token revoked"), 0);
    assert_int_equal(mails(p, 5), 0);
    assert_int_equal(mails(p, 1), 1);
    assert_int_equal(mails(p, 600), 0);
    health(p, "send", json_object(), 0);
    assert_int_equal(mails(p, 4), 0);
    assert_int_equal(mails(p, 600), 1);
    play_end(p);
}

static void a_hiccup_is_not_told_and_flapping_is_one_trouble(void **state) {
    struct play *p = play_new(start);
    int i, n = 0;

    (void)state;
    health(p, "send", json_pack("{s:s}", "fault", "later"), 0);
    assert_int_equal(mails(p, 2), 0);
    health(p, "send", json_object(), 0);
    assert_int_equal(mails(p, 60), 0);
    assert_int_equal(p->book.count, 0);
    for (i = 0; i < 300; i++) {
        health(p, "send", i % 2 == 0 ? json_pack("{s:s}", "fault", "later") : json_object(), 0);
        n += turn(p, minute);
    }
    assert_int_equal(n, 1);
    play_end(p);
}

static void a_token_is_told_at_fourteen_seven_and_one_day(void **state) {
    struct play *p = play_new(start);
    int i, n = 0;

    (void)state;
    health(p, "receive", json_pack("{s:I}", "token_expires_at", (json_int_t)(start + 20 * day)), 0);
    for (i = 0; i < 19 * 24 + 23; i++) {
        bool mail = turn(p, hour);

        n += mail;
        if (mail)
            assert_true(i / 24 == 5 || i / 24 == 12 || i / 24 == 13 || i / 24 == 18 || i / 24 == 19);
    }
    assert_int_equal(n, 3);
    play_end(p);
}

static void a_worker_quota_queue_disk_and_redis(void **state) {
    struct play *p = play_new(start);

    (void)state;
    health(p, "send", json_pack("{s:b}", "dead_worker", 1), minute);
    assert_int_equal(mails(p, 2), 0);
    assert_int_equal(mails(p, 60), 1);
    play_end(p);
    p = play_new(start);
    health(p, "send", json_pack("{s:{s:i}}", "quota", "pages", 79), 0);
    assert_int_equal(mails(p, 3), 0);
    health(p, "send", json_pack("{s:{s:i}}", "quota", "pages", 80), 0);
    assert_int_equal(mails(p, 100), 1);
    health(p, "send", json_pack("{s:{s:i}}", "quota", "pages", 100), 0);
    assert_int_equal(mails(p, 100), 1);
    p->account.oldest_out = 16 * minute;
    assert_int_equal(mails(p, 100), 1);
    p->account.oldest_out = 0;
    assert_int_equal(mails(p, 100), 1); /* its end */
    p->world.disk_size = (int64_t)100 << 30;
    p->world.disk_free = (int64_t)4 << 30;
    assert_int_equal(mails(p, 100), 1);
    p->world.redis_problem = "appendonly no";
    assert_int_equal(mails(p, 100), 1);
    play_end(p);
}

static void dead_letters_are_a_digest_of_at_most_one_an_hour(void **state) {
    struct play *p = play_new(start);
    int i, n = 0;

    (void)state;
    for (i = 1; i <= 180; i++) {
        p->account.dead = i;
        n += turn(p, minute);
    }
    assert_int_equal(n, 3);
    p->account.dead = 10; /* looked at: what comes now is new */
    assert_int_equal(mails(p, 120), 0);
    p->account.dead = 11;
    assert_int_equal(mails(p, 1), 1);
    play_end(p);
}

static void a_webhook_is_silent_only_by_its_own_measure(void **state) {
    struct play *p = play_new(start);

    (void)state;
    p->account = (struct watch_account){ .name = "ig", .last_in = start, .usual_ms = hour, .office_ms = 0 };
    assert_int_equal(mails(p, 49 * 60), 0); /* a weekend */
    p->account.office_ms = 17 * hour;
    p->account.usual_ms = 10 * day;
    assert_int_equal(mails(p, 10), 0); /* it often is */
    p->account.usual_ms = hour;
    p->world.silence = false;
    assert_int_equal(mails(p, 10), 0);
    p->world.silence = true;
    assert_int_equal(mails(p, 100), 1);
    play_end(p);
}

static void a_platforms_words_name_nobody(void **state) {
    struct play *p = play_new(start);
    const char *what;

    (void)state;
    health(
        p, "send",
        json_pack("{s:s}", "fault", "550 siti@example.com 0812345678 EAAGm0PX4ZCpsBAKZCtokenZAtokenZB refused"),
        0);
    assert_int_equal(mails(p, 10), 1);
    what = p->book.rows[0].what;
    assert_null(strstr(what, "siti"));
    assert_null(strstr(what, "0812"));
    assert_null(strstr(what, "EAAG"));
    assert_non_null(strstr(what, "550"));
    assert_non_null(strstr(what, "refused"));
    play_end(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_is_told_once_after_five_minutes_and_its_end_once),
        cmocka_unit_test(a_hiccup_is_not_told_and_flapping_is_one_trouble),
        cmocka_unit_test(a_token_is_told_at_fourteen_seven_and_one_day),
        cmocka_unit_test(a_worker_quota_queue_disk_and_redis),
        cmocka_unit_test(dead_letters_are_a_digest_of_at_most_one_an_hour),
        cmocka_unit_test(a_webhook_is_silent_only_by_its_own_measure),
        cmocka_unit_test(a_platforms_words_name_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
