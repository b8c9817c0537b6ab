/* test_desk_register.c: the book itself: numbers, migrations, the history's chain, readers. */
#include "desk/password.h"
#include "desk/register_sql.h"
#include "desk/thread.h"
#include "desk/view.h"
#include "kit/text.h"
#include "redis_server.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];

static int start(void **state) {
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/aduan-register-XXXXXX");
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static int stop(void **state) {
    (void)state;
    remove_tree(dir);
    return 0;
}

static struct reg *open_it(int mode) {
    struct reg *r = NULL;
    char why[200] = "";

    if (reg_open(dir, mode, &r, why, sizeof(why)) != 0)
        fail_msg("%s", why);
    return r;
}

static int64_t a_talk(struct reg *r, const char *key) {
    struct aduan_message m = { .kind = ADUAN_KIND_MESSAGE,
                               .id = (char *)"x",
                               .account = (char *)"wa",
                               .channel = (char *)"whatsapp",
                               .conversation = (char *)(uintptr_t)key };
    struct reg_talk t;
    int64_t id;

    assert_int_equal(reg_talk_of(r, &m, 1, &t), 0);
    id = t.id;
    reg_talk_clear(&t);
    return id;
}

static void a_case(struct reg *r, int64_t talk, int year) {
    struct reg_case c = { .state = CASE_NEW,
                          .account = (char *)"wa",
                          .channel = (char *)"whatsapp",
                          .talk = talk,
                          .complete = -1,
                          .received_at = 1000 };

    assert_int_equal(reg_case_add(r, "TPI", year, &c), 0);
    assert_int_equal(reg_history_add(r, c.id, 1000, "sistem", "received", c.number), 0);
    free(c.number);
}

static int64_t number(struct reg *r, const char *sql) {
    sqlite3_stmt *s = NULL;
    int64_t n;

    assert_int_equal(sqlite3_prepare_v2(r->db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return n;
}

/* A writer is killed again and again in the middle of its transactions. */
static void numbers_have_no_gaps_under_crashes(void **state) {
    struct reg *r;
    int round;

    (void)state;
    for (round = 0; round < 8; round++) {
        pid_t pid = fork();

        if (pid == 0) {
            r = open_it(REG_WRITE);
            for (;;) {
                int i;

                if (reg_begin(r) != 0)
                    _exit(1);
                for (i = 0; i < 7; i++)
                    a_case(r, a_talk(r, i % 2 == 0 ? "a" : "b"), 2026 + i % 2);
                if (i % 3 == 2)
                    reg_rollback(r);
                else if (reg_commit(r) != 0)
                    _exit(1);
            }
        }
        usleep(20000 + 7000 * (useconds_t)round);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    r = open_it(REG_WRITE);
    assert_true(number(r, "SELECT count(*) FROM ticket") > 0);
    assert_int_equal(
        number(r, "SELECT count(*) FROM (SELECT year, max(seq) - count(*) AS gap FROM ticket GROUP BY year "
                  "HAVING gap <> 0)"),
        0);
    assert_int_equal(
        number(r, "SELECT count(*) FROM counter c WHERE last <> (SELECT max(seq) FROM ticket t WHERE t.year = "
                  "c.year)"),
        0);
    reg_close(r);
}

static void there_is_one_writer(void **state) {
    struct reg *r = open_it(REG_WRITE), *other = NULL;
    char why[200] = "";

    (void)state;
    assert_true(reg_open(dir, REG_WRITE, &other, why, sizeof(why)) < 0);
    assert_non_null(strstr(why, "another desk"));
    reg_close(r);
}

static void readers_read_while_it_is_written_and_write_nothing(void **state) {
    struct reg *w = open_it(REG_WRITE), *r;
    struct stat before, after;
    char *wal = xasprintf("%s/register.db-wal", dir), *db = xasprintf("%s/register.db", dir);
    int i;

    (void)state;
    r = open_it(REG_READ);
    for (i = 0; i < 50; i++) {
        assert_int_equal(reg_begin(w), 0);
        a_case(w, a_talk(w, "a"), 2026);
        assert_int_equal(number(r, "SELECT count(*) FROM ticket"), i);
        assert_int_equal(reg_commit(w), 0);
        assert_int_equal(number(r, "SELECT count(*) FROM ticket"), i + 1);
    }
    assert_true(sqlite3_exec(r->db, "DELETE FROM ticket", NULL, NULL, NULL) != SQLITE_OK);
    assert_int_equal(stat(wal, &before), 0);
    sqlite3_exec(r->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
    reg_close(r);
    assert_int_equal(stat(wal, &after), 0);
    assert_int_equal(before.st_size, after.st_size);
    reg_close(w);
    r = open_it(REG_READ); /* the desk is not running: readers still can */
    assert_int_equal(number(r, "SELECT count(*) FROM ticket"), 50);
    reg_close(r);
    free(wal);
    free(db);
}

static void the_wal_does_not_grow_for_ever(void **state) {
    struct reg *r = open_it(REG_WRITE);
    char *wal = xasprintf("%s/register.db-wal", dir);
    struct stat st;
    int i, k;

    (void)state;
    for (i = 0; i < 60; i++) {
        assert_int_equal(reg_begin(r), 0);
        for (k = 0; k < 300; k++)
            a_case(r, a_talk(r, "a"), 2026);
        assert_int_equal(reg_commit(r), 0);
        assert_int_equal(reg_checkpoint(r), 0);
    }
    assert_int_equal(stat(wal, &st), 0);
    assert_true(st.st_size < 40 << 20);
    reg_close(r);
    free(wal);
}

/* From every older version, with a row in it, to the newest. */
static void migrations_from_every_version(void **state) {
    int from;

    (void)state;
    for (from = 0; from <= reg_version(); from++) {
        struct reg *r = xcalloc(1, sizeof(*r));
        char *file = xasprintf("%s/register.db", dir);

        unlink(file);
        assert_int_equal(sqlite3_open(file, &r->db), SQLITE_OK);
        r->lock = -1;
        assert_int_equal(reg_migrate_to(r, from), 0);
        reg_close(r);
        r = open_it(REG_WRITE);
        assert_int_equal(number(r, "PRAGMA user_version"), reg_version());
        a_case(r, a_talk(r, "a"), 2026);
        reg_close(r);
        free(file);
        remove_tree(dir);
        assert_int_equal(mkdir(dir, 0700), 0);
    }
}

static void a_newer_register_is_refused(void **state) {
    struct reg *r = open_it(REG_WRITE), *again = NULL;
    char why[200] = "";

    (void)state;
    assert_int_equal(sqlite3_exec(r->db, "PRAGMA user_version = 999", NULL, NULL, NULL), SQLITE_OK);
    reg_close(r);
    assert_true(reg_open(dir, REG_WRITE, &again, why, sizeof(why)) < 0);
    assert_non_null(strstr(why, "version 999"));
    assert_true(reg_open(dir, REG_READ, &again, why, sizeof(why)) < 0);
}

static void tampering_with_history_shows(void **state) {
    static const char *const crimes[] = {
        "UPDATE history SET detail = 'lain' WHERE id = 5",
        "UPDATE history SET at = at + 1 WHERE id = 1",
        "UPDATE history SET actor = 'x' WHERE id = 10",
        "DELETE FROM history WHERE id = 4",
        "DELETE FROM history WHERE id = 10", /* the end cut off */
        "UPDATE history SET id = 99 WHERE id = 3; UPDATE history SET id = 3 WHERE id = 4; UPDATE history SET "
        "id = 4 WHERE id = 99",
        "UPDATE history SET actor = 'sistemr', event = 'eceived' WHERE id = 2", /* same letters, other fields */
        "INSERT INTO history SELECT 11, ticket, at, actor, event, detail, digest FROM history WHERE id = 10",
    };
    struct reg *r = open_it(REG_WRITE);
    int64_t rows, bad;
    size_t i;

    (void)state;
    for (i = 0; i < 10; i++)
        a_case(r, a_talk(r, "a"), 2026);
    assert_int_equal(reg_history_verify(r, &rows, &bad), 0);
    assert_int_equal(rows, 10);
    for (i = 0; i < sizeof(crimes) / sizeof(crimes[0]); i++) {
        assert_int_equal(reg_begin(r), 0);
        assert_int_equal(sqlite3_exec(r->db, crimes[i], NULL, NULL, NULL), SQLITE_OK);
        if (reg_history_verify(r, &rows, &bad) != REG_NOTHING)
            fail_msg("not seen: %s", crimes[i]);
        reg_rollback(r);
        assert_int_equal(reg_history_verify(r, &rows, &bad), 0);
    }
    reg_close(r);
}

static void a_savepoint_takes_one_back(void **state) {
    struct reg *r = open_it(REG_WRITE);

    (void)state;
    assert_int_equal(reg_begin(r), 0);
    a_case(r, a_talk(r, "a"), 2026);
    assert_int_equal(reg_mark(r), 0);
    a_case(r, a_talk(r, "b"), 2026);
    assert_int_equal(reg_undo_to_mark(r), 0);
    a_case(r, a_talk(r, "c"), 2026);
    assert_int_equal(reg_commit(r), 0);
    assert_int_equal(number(r, "SELECT max(seq) FROM ticket"), 2);
    reg_close(r);
}

/* The conversation that a message of this person lands in. */
static int64_t talk_of(struct reg *r, enum aduan_kind kind, const char *id, const char *phone,
                       const char *new_id) {
    struct aduan_message m = { .kind = kind };
    struct reg_talk t;
    int64_t talk;

    m.conversation = xstrdup(id != NULL ? id : phone);
    m.sender.id = xstrdup(id);
    m.sender.phone = xstrdup(phone);
    m.extra = new_id != NULL ? json_pack("{s:s}", "new_id", new_id) : NULL;
    m.account = xstrdup("wa");
    m.channel = xstrdup("whatsapp");
    m.id = xstrdup("x");
    assert_int_equal(reg_talk_of(r, &m, 1, &t), 0);
    talk = t.id;
    reg_talk_clear(&t);
    aduan_message_clear(&m);
    return talk;
}

static void a_person_first_known_by_number_keeps_the_conversation(void **state) {
    struct reg *r = open_it(REG_WRITE);
    int64_t one, two;

    (void)state;
    assert_int_equal(reg_begin(r), 0);
    one = talk_of(r, ADUAN_KIND_MESSAGE, NULL, "+62811", NULL);
    assert_int_equal(talk_of(r, ADUAN_KIND_MESSAGE, "ID.one", "+62811", NULL), one);
    assert_int_equal(talk_of(r, ADUAN_KIND_MESSAGE, "ID.one", NULL, NULL), one);
    assert_true(talk_of(r, ADUAN_KIND_MESSAGE, "ID.else", "+62811", NULL) != one); /* a recycled number */
    two = talk_of(r, ADUAN_KIND_MESSAGE, "62822", "+62822", NULL);                 /* as it was kept before */
    assert_int_equal(talk_of(r, ADUAN_KIND_MESSAGE, "ID.two", "+62822", NULL), two);
    assert_int_equal(reg_commit(r), 0);
    reg_close(r);
}

static void a_new_id_at_the_same_number_keeps_the_conversation(void **state) {
    struct reg *r = open_it(REG_WRITE);
    int64_t one, two;

    (void)state;
    assert_int_equal(reg_begin(r), 0);
    one = talk_of(r, ADUAN_KIND_MESSAGE, "ID.one", "+62811", NULL);
    assert_int_equal(talk_of(r, ADUAN_KIND_SYSTEM, "ID.one", "+62811", "ID.new"), one);
    assert_int_equal(talk_of(r, ADUAN_KIND_MESSAGE, "ID.new", "+62811", NULL), one);
    assert_int_equal(talk_of(r, ADUAN_KIND_MESSAGE, "ID.new", NULL, NULL), one);
    two = talk_of(r, ADUAN_KIND_MESSAGE, "ID.two", "+62822", NULL);
    /* without a number, or as an ordinary message: nothing is joined */
    assert_int_equal(talk_of(r, ADUAN_KIND_SYSTEM, "ID.two", NULL, "ID.far"), two);
    assert_int_equal(talk_of(r, ADUAN_KIND_MESSAGE, "ID.two", "+62822", "ID.far"), two);
    assert_true(talk_of(r, ADUAN_KIND_MESSAGE, "ID.far", NULL, NULL) != two);
    assert_int_equal(reg_commit(r), 0);
    reg_close(r);
}

static void status_only_moves_forward(void **state) {
    (void)state;
    assert_true(answer_status_moves(ANSWER_QUEUED, ANSWER_SENT));
    assert_true(answer_status_moves(ANSWER_SENT, ANSWER_READ));
    assert_false(answer_status_moves(ANSWER_READ, ANSWER_DELIVERED));
    assert_false(answer_status_moves(ANSWER_SENT, ANSWER_SENT));
    assert_false(answer_status_moves(ANSWER_SENT, ANSWER_UNCERTAIN));
    assert_true(answer_status_moves(ANSWER_UNCERTAIN, ANSWER_SENT));
    assert_true(answer_status_moves(ANSWER_SENT, ANSWER_FAILED));
    assert_false(answer_status_moves(ANSWER_DELIVERED, ANSWER_FAILED));
    assert_false(answer_status_moves(ANSWER_FAILED, ANSWER_SENT));
    assert_true(answer_status_moves(ANSWER_FAILED, ANSWER_DELIVERED));
    assert_false(answer_status_moves(ANSWER_SENT, ANSWER_QUEUED));
}

static void tokens_are_ours_only(void **state) {
    struct thread_key key, other;
    char number_[32], answer[65], why[200];
    char *token, *id;
    struct stat st;
    char *file = xasprintf("%s/thread.key", dir);

    (void)state;
    assert_int_equal(thread_key_open(dir, &key, why, sizeof(why)), 0);
    assert_int_equal(thread_key_open(dir, &other, why, sizeof(why)), 0);
    assert_memory_equal(&key, &other, sizeof(key));
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    token = thread_token(&key, "TPI-2026-000123", "o12-0a1b2c3d");
    id = xasprintf("<%s@example.com>", token);
    assert_int_equal(thread_verify(&key, id, number_, answer), 0);
    assert_string_equal(number_, "TPI-2026-000123");
    assert_string_equal(answer, "o12-0a1b2c3d");
    id[1] = 'T'; /* mail systems may change the letter case */
    assert_int_equal(thread_verify(&key, id, number_, answer), 0);
    id[10] = id[10] == '1' ? '2' : '1';
    assert_int_equal(thread_verify(&key, id, number_, answer), -1);
    other.bytes[0] ^= 1;
    assert_int_equal(thread_verify(&other, token, number_, answer), -1);
    assert_int_equal(thread_verify(&key, "", number_, answer), -1);
    assert_int_equal(thread_number_in("Re: [tpi-2026-000042] paspor", "TPI", number_), 0);
    assert_string_equal(number_, "TPI-2026-000042");
    assert_int_equal(thread_number_in("XTPI-2026-000042", "TPI", number_), -1);
    assert_int_equal(thread_number_in("TPI-26-1", "TPI", number_), -1);
    free(token);
    free(id);
    free(file);
}

static void times_with_the_offices_offset(void **state) {
    char buf[40];
    int64_t ms;
    int minutes;

    (void)state;
    view_time(1791166320000, 420, buf, sizeof(buf));
    assert_int_equal(view_parse_time(buf, 0, &ms), 0);
    assert_int_equal(ms, 1791166320000);
    assert_int_equal(view_parse_time("2026-10-05", 420, &ms), 0);
    view_time(ms, 420, buf, sizeof(buf));
    assert_string_equal(buf, "2026-10-05T00:00:00+07:00");
    assert_int_equal(view_parse_time("2026-10-05T10:00Z", 420, &ms), 0);
    view_time(ms, -210, buf, sizeof(buf));
    assert_string_equal(buf, "2026-10-05T06:30:00-03:30");
    assert_int_equal(view_parse_time("5 Oktober", 420, &ms), -1);
    assert_int_equal(view_zone_offset("Asia/Jakarta", 0, &minutes), 0);
    assert_int_equal(minutes, 420);
    assert_int_equal(view_zone_offset("../../etc/passwd", 0, &minutes), -1);
}

static void passwords_are_yescrypt(void **state) {
    char *hash = password_hash("kata sandi panjang");

    (void)state;
    assert_non_null(hash);
    assert_memory_equal(hash, "$y$", 3);
    assert_true(password_check("kata sandi panjang", hash));
    assert_false(password_check("kata sandi panjanG", hash));
    assert_false(password_check("kata sandi panjang", NULL));
    assert_non_null(password_fault("pendek"));
    assert_null(password_fault("cukup panjang"));
    free(hash);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(numbers_have_no_gaps_under_crashes, start, stop),
        cmocka_unit_test_setup_teardown(there_is_one_writer, start, stop),
        cmocka_unit_test_setup_teardown(a_person_first_known_by_number_keeps_the_conversation, start, stop),
        cmocka_unit_test_setup_teardown(a_new_id_at_the_same_number_keeps_the_conversation, start, stop),
        cmocka_unit_test_setup_teardown(readers_read_while_it_is_written_and_write_nothing, start, stop),
        cmocka_unit_test_setup_teardown(the_wal_does_not_grow_for_ever, start, stop),
        cmocka_unit_test_setup_teardown(migrations_from_every_version, start, stop),
        cmocka_unit_test_setup_teardown(a_newer_register_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(tampering_with_history_shows, start, stop),
        cmocka_unit_test_setup_teardown(a_savepoint_takes_one_back, start, stop),
        cmocka_unit_test(status_only_moves_forward),
        cmocka_unit_test_setup_teardown(tokens_are_ours_only, start, stop),
        cmocka_unit_test(times_with_the_offices_offset),
        cmocka_unit_test(passwords_are_yescrypt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
