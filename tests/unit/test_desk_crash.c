/*
 * test_desk_crash.c: the desk is killed at every durable step, resumed, and must end the same.
 *
 * First an undisturbed run, in which every step it reaches is written down. Then, for each of
 * them, the same story in an empty house: a desk in a process of its own dies there (SIGKILL),
 * another one finishes; the end must equal the undisturbed one, and a further run must change
 * nothing. Needs a build with ADUAN_STEPS.
 */
#include "desk_rig.h"

#include "kit/text.h"

#include <ctype.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef ADUAN_STEPS

static struct rig rig;
static const int64_t hour = 3600 * 1000LL;

/* -------------------------------------------------------------- the story */

static void put_command(const char *key, const char *json) {
    redis_do(&rig.redis, "XADD aduan:{desk}:do * id %s record %s", key, json);
}

static void first_chapter(void) {
    struct aduan_message m;

    rig_mail(&rig, &(struct mail){ .id = "m1@x", .from = "siti@example.com" });
    rig_mail(&rig, &(struct mail){ .id = "m2@x", .from = "budi@example.com" });
    rig_mail(&rig, &(struct mail){ .id = "m3@x", .from = "siti@example.com", .reply_to = "m1@x" });
    rig_mail(&rig, &(struct mail){ .id = "m2@x", .from = "budi@example.com", .account = "yahoo" }); /* a copy */
    rig_comment(&rig, "fb", "c1", "u1", "Pelayanan lambat sekali");
    rig_chat(&rig, "w1", "6281", "Paspor saya hilang", 0);
    rig_chat(&rig, "w2", "6281", "bagaimana caranya", 0);
    m = rig_record(&rig, ADUAN_KIND_EDIT, "wa", "whatsapp", "e1");
    m.reply_to = xstrdup("w1");
    free(m.text);
    m.text = xstrdup("Paspor anak saya hilang");
    rig_accept(&rig, "wa", &m);
    m = rig_record(&rig, ADUAN_KIND_REACTION, "wa", "whatsapp", "r1");
    m.reply_to = xstrdup("unknown");
    rig_accept(&rig, "wa", &m);
}

static void second_chapter(void) {
    put_command(
        "c1",
        "{\"verb\":\"reply\",\"actor\":\"root\",\"number\":\"TPI-2026-000001\",\"text\":\"Silakan datang\"}");
    put_command(
        "c2",
        "{\"verb\":\"reply\",\"actor\":\"root\",\"number\":\"TPI-2026-000003\",\"text\":\"Jawaban dua\"}");
    put_command("c3",
                "{\"verb\":\"note\",\"actor\":\"root\",\"number\":\"TPI-2026-000002\",\"text\":\"dicek\"}");
    put_command("c4",
                "{\"verb\":\"reply\",\"actor\":\"root\",\"number\":\"TPI-2026-000004\",\"text\":\"Jawaban "
                "tiga\"}");
}

/* The senders' part: one receipt accepted, the mail answer uncertain, the chat answer held. */
static void third_chapter(void) {
    free(rig_settle(&rig, "gmail", 0, QUEUE_SENT, "r1@x", NULL));
    free(rig_settle(&rig, "gmail", 1, QUEUE_UNCERTAIN, NULL, "no reply after the final dot"));
    free(rig_settle(&rig, "wa", 1, QUEUE_HELD, NULL, "window closed"));
    free(rig_settle(&rig, "fb", 1, QUEUE_HELD, NULL, "window closed"));
    rig.now += 2 * hour;
}

static void fourth_chapter(void) {
    rig_chat(&rig, "w3", "6281", "halo lagi", 0);
    rig_direct(&rig, "fb", "d1", "u1", "Nama saya Siti"); /* the case moves, and what was held with it */
}

static void (*const chapters[])(void) = { first_chapter, second_chapter, third_chapter, fourth_chapter };
enum { CHAPTERS = 4 };

/* ---------------------------------------------------------------- the end */

/* Answer ids have a random half: "o3-12ab34cd" reads "o3-". */
static void hide_ids(char *s) {
    char *to = s;

    while (*s != '\0') {
        char *end = s + 1;

        if (*s == 'o' && isdigit((unsigned char)s[1])) {
            end += strspn(end, "0123456789");
            if (*end == '-' && strspn(end + 1, "0123456789abcdef") >= 8) {
                memmove(to, s, (size_t)(end + 1 - s));
                to += end + 1 - s;
                s = end + 9;
                continue;
            }
        }
        *to++ = *s++;
    }
    *to = '\0';
}

static int dead_line(void *arg, const struct queue_dead *d) {
    text_addf(arg, "dead %s %s %s\n", d->kind, d->ref, d->reason);
    return 0;
}

static void add_json(struct text *t, json_t *j) {
    char *s = json_dumps(j, JSON_SORT_KEYS | JSON_INDENT(1));

    text_add(t, s);
    text_add_char(t, '\n');
    free(s);
    json_decref(j);
}

static void add_answers(struct text *t, const char *account) {
    json_t *out = rig_out(&rig, account), *answer;
    size_t i;

    json_array_foreach(out, i, answer) json_object_del(answer, "token");
    add_json(t, out);
    queue_dead_list(rig.queue, account, dead_line, t);
    text_addf(t, "waiting %lld %lld\n", redis_int(&rig.redis, "XLEN aduan:{%s}:in", account),
              redis_int(&rig.redis, "XLEN aduan:{%s}:event", account));
}

static char *the_end(void) {
    struct text t = TEXT_INIT;
    char number[32];
    int64_t rows, bad;
    int i;

    for (i = 1; i <= 9; i++) {
        json_t *show;

        snprintf(number, sizeof(number), "TPI-2026-%06d", i);
        show = rig_show(&rig, number);
        if (show != NULL)
            add_json(&t, show);
    }
    add_answers(&t, "gmail");
    add_answers(&t, "wa");
    add_answers(&t, "fb");
    add_answers(&t, "yahoo");
    assert_int_equal(reg_history_verify(rig_reader(&rig), &rows, &bad), 0);
    hide_ids(t.s);
    return text_steal(&t);
}

/* ------------------------------------------------------------------ dying */

/* A desk of its own; true when it was killed. */
static bool dies(const char *at, const char *once) {
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        setenv("ADUAN_DIE_AT", at, 1);
        setenv("ADUAN_DIE_ONCE", once, 1);
        _exit(rig_run(&rig));
    }
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* Tells the story; a desk that dies at `at` in the given chapter comes before the one that finishes. */
static char *tell(int chapter, const char *at, bool *ret_died) {
    char once[96];
    int i;

    rig_reset(&rig);
    rig.now = 1791162720000;
    snprintf(once, sizeof(once), "%s.once", rig.state);
    unlink(once);
    for (i = 0; i < CHAPTERS; i++) {
        chapters[i]();
        if (i == chapter)
            *ret_died = dies(at, once);
        assert_int_equal(rig_run(&rig), 0);
    }
    unlink(once);
    return the_end();
}

struct step {
    int chapter;
    char at[80]; /* NAME:N */
};

/* The steps of an undisturbed run, chapter by chapter. */
static size_t steps_of(struct step *steps, size_t max) {
    char log[96], line[128], name[96];
    size_t count = 0;
    int i;

    rig_reset(&rig);
    rig.now = 1791162720000;
    for (i = 0; i < CHAPTERS; i++) {
        FILE *f;
        size_t first = count;

        snprintf(log, sizeof(log), "%s.steps", rig.state);
        unlink(log);
        chapters[i]();
        setenv("ADUAN_STEP_LOG", log, 1);
        assert_int_equal(rig_run(&rig), 0);
        unsetenv("ADUAN_STEP_LOG");
        f = fopen(log, "r");
        assert_non_null(f);
        while (fgets(line, sizeof(line), f) != NULL && sscanf(line, "%*d %95s", name) == 1) {
            size_t k, nth = 1;

            for (k = first; k < count; k++)
                nth += strncmp(steps[k].at, name, strlen(name)) == 0 && steps[k].at[strlen(name)] == ':';
            assert_true(count < max);
            steps[count].chapter = i;
            snprintf(steps[count++].at, sizeof(steps[0].at), "%.60s:%zu", name, nth);
        }
        fclose(f);
        unlink(log);
    }
    return count;
}

static void killed_anywhere_it_ends_the_same(void **state) {
    static struct step steps[1000];
    size_t i, count, deaths = 0;
    char *whole, *end;
    bool died = false;

    (void)state;
    count = steps_of(steps, 1000);
    whole = the_end();
    assert_non_null(strstr(whole, "TPI-2026-000004"));
    assert_null(strstr(whole, "TPI-2026-000005"));
    assert_non_null(strstr(whole, "moved_private"));
    assert_non_null(strstr(whole, "is the same mail"));
    assert_non_null(strstr(whole, "answer_uncertain"));
    assert_non_null(strstr(whole, "released"));
    for (i = 0; i < count; i++) {
        end = tell(steps[i].chapter, steps[i].at, &died);
        deaths += died;
        if (strcmp(whole, end) != 0) {
            FILE *a = fopen("/tmp/desk-crash-whole", "w"), *b = fopen("/tmp/desk-crash-end", "w");

            fputs(whole, a);
            fputs(end, b);
            fclose(a);
            fclose(b);
            fail_msg("killed at %s in chapter %d, it ended otherwise: diff /tmp/desk-crash-*", steps[i].at,
                     steps[i].chapter);
        }
        free(end);
        if (i % 8 == 0) {
            assert_int_equal(rig_run(&rig), 0);
            end = the_end();
            assert_string_equal(whole, end);
            free(end);
        }
    }
    free(whole);
    print_message("%zu steps, %zu deaths\n", count, deaths);
    assert_true(deaths * 10 >= count * 9); /* the first desk reaches (nearly) all of them */
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(killed_anywhere_it_ends_the_same) };
    int failed;

    rig_start(&rig);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rig_stop(&rig);
    return failed;
}

#else

int main(void) {
    puts("SKIPPED: needs a build with -DADUAN_STEPS=ON");
    return 0;
}

#endif
