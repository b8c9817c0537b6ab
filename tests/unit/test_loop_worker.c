/* The test double does what its head promises: the crash tests of the core stand on it. */
#include "connector.h"

#include "kit/sign.h"
#include "kit/text.h"

#include <errno.h>
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

extern const struct aduan_connector aduan_connector;
#define C (&aduan_connector)

/* ----------------------------------------------------------------------- a host */

struct fake {
    struct aduan_host host;
    void *ctx;
    struct text emitted; /* "mark=content;" each */
    uint64_t cookies[20];
    size_t cookie_count;
    int emit_fails;
    char *accepted; /* mark */
    struct aduan_result result;
    int ends;
    char blob[100];
    int64_t clock;
};

static int64_t fake_now(struct aduan_host *h) {
    return ((struct fake *)h)->clock;
}

static int fake_pause(struct aduan_host *h, int64_t ms) {
    ((struct fake *)h)->clock += ms > 0 ? ms : 200;
    return ADUAN_TIMEOUT;
}

static int fake_emit(struct aduan_host *h, const struct aduan_raw *raw) {
    struct fake *f = (struct fake *)h;

    if (f->emit_fails-- == 0)
        return -EAGAIN;
    assert_string_equal(raw->mark, "file");
    text_addf(&f->emitted, "%s=%.*s;", raw->mark_value, (int)raw->len, (const char *)raw->bytes);
    f->cookies[f->cookie_count++] = raw->cookie;
    free(f->accepted);
    f->accepted = xstrdup(raw->mark_value);
    return 0;
}

static int fake_flush(struct aduan_host *h) {
    struct fake *f = (struct fake *)h;

    assert_int_equal(C->commit(f->ctx, f->cookies, f->cookie_count), 0);
    assert_int_equal(C->commit(f->ctx, f->cookies, f->cookie_count), 0); /* repeatable */
    f->cookie_count = 0;
    return 0;
}

static const char *fake_mark(struct aduan_host *h, const char *name) {
    assert_string_equal(name, "file");
    return ((struct fake *)h)->accepted;
}

static void fake_done(struct aduan_host *h, uint64_t token, const struct aduan_result *result) {
    struct fake *f = (struct fake *)h;

    assert_int_equal(token, 5);
    f->ends++;
    f->result = *result;
}

static void fake_fetched(struct aduan_host *h, uint64_t token, const struct aduan_result *result,
                         const char *sha256, int64_t size, const char *type) {
    (void)sha256;
    (void)size;
    (void)type;
    fake_done(h, token, result);
}

static int fake_blob_put(struct aduan_host *h, const void *bytes, size_t n, char ret_sha256[65]) {
    struct fake *f = (struct fake *)h;

    snprintf(f->blob, sizeof(f->blob), "%.*s", (int)n, (const char *)bytes);
    sign_sha256_hex(bytes, n, ret_sha256);
    return 0;
}

static const struct aduan_host_ops ops = {
    .size = sizeof(ops),
    .now = fake_now,
    .pause = fake_pause,
    .emit = fake_emit,
    .flush = fake_flush,
    .mark = fake_mark,
    .done = fake_done,
    .fetched = fake_fetched,
    .blob_put = fake_blob_put,
};

/* ------------------------------------------------------------------- a directory */

static char dir[64];
static struct fake fake;
static void *settings;

static char *path(const char *name) {
    return xasprintf("%s/%s", dir, name);
}

static void put(const char *name, const char *content) {
    char *p = path(name);
    FILE *f = fopen(p, "we");

    assert_non_null(f);
    fputs(content, f);
    fclose(f);
    free(p);
}

static bool there(const char *name) {
    char *p = path(name);
    bool yes = access(p, F_OK) == 0;

    free(p);
    return yes;
}

static int lines(const char *name) {
    char *p = path(name), *line = NULL;
    FILE *f = fopen(p, "re");
    size_t room = 0;
    int n = 0;

    while (f != NULL && getline(&line, &room, f) >= 0)
        n++;
    if (f != NULL)
        fclose(f);
    free(line);
    free(p);
    return n;
}

/* By the table, as conf/ does it. */
static void set(const char *key, const char *value) {
    const struct aduan_setting *s;

    for (s = C->settings; s->key != NULL; s++) {
        if (strcmp(s->key, key) != 0)
            continue;
        free(*(char **)(void *)((char *)settings + s->offset));
        *(char **)(void *)((char *)settings + s->offset) = xstrdup(value);
        return;
    }
    fail_msg("no setting %s", key);
}

static void set_path(const char *key, const char *name) {
    char *p = path(name);

    set(key, p);
    free(p);
}

static void reopen(void) {
    fake.ctx = C->close(fake.ctx);
    assert_int_equal(C->open(&fake.host, settings, &fake.ctx), 0);
}

static int set_up(void **state) {
    static const char *const names[] = { "inbox", "outbox", "done", "media", "fault", "address" };
    static const char *const made[] = { "inbox", "media", "fault" };
    size_t i;
    char *p;

    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/test_loop.XXXXXX");
    assert_non_null(mkdtemp(dir));
    settings = xcalloc(C->settings_size, 1);
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        set_path(names[i], names[i]);
    for (i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        p = path(made[i]);
        mkdir(p, 0700);
        free(p);
    }
    fake = (struct fake){ .host = { &ops, "loop1" }, .emit_fails = -1 };
    return C->open(&fake.host, settings, &fake.ctx);
}

static int tear_down(void **state) {
    static const char *const names[] = { "inbox", "outbox", "done", "media", "fault", "address" };
    const struct aduan_setting *s;
    char *command = xasprintf("rm -rf %s", dir);
    size_t i;

    (void)state;
    fake.ctx = C->close(fake.ctx);
    for (s = C->settings; s->key != NULL; s++)
        for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            if (strcmp(s->key, names[i]) == 0)
                free(*(char **)(void *)((char *)settings + s->offset));
    free(settings);
    text_free(&fake.emitted);
    free(fake.accepted);
    assert_int_equal(system(command), 0);
    free(command);
    return 0;
}

static void pull(void) {
    struct aduan_result r = { 0 };

    assert_int_equal(C->pull(fake.ctx, 500, &r), 0);
}

static const char *emitted(void) {
    return fake.emitted.s != NULL ? fake.emitted.s : "";
}

/* ----------------------------------------------------------------------- inbound */

static void files_come_in_by_name_and_are_moved_once_accepted(void **state) {
    (void)state;
    put("inbox/2.json", "dua");
    put("inbox/1.json", "satu");
    put("inbox/.hidden", "x");
    put("inbox/3.json.tmp", "x");
    pull();
    assert_string_equal(emitted(), "1.json=satu;2.json=dua;");
    assert_true(there("done/1.json") && there("done/2.json"));
    assert_true(there("inbox/3.json.tmp") && !there("inbox/1.json"));
    pull();
    assert_string_equal(emitted(), "1.json=satu;2.json=dua;");
}

static void what_was_not_accepted_comes_again(void **state) {
    struct aduan_result r = { 0 };

    (void)state;
    put("inbox/1", "satu");
    put("inbox/2", "dua");
    fake.emit_fails = 1;
    assert_int_equal(C->pull(fake.ctx, 500, &r), -EAGAIN);
    assert_true(there("inbox/1") && there("inbox/2"));
    reopen();
    fake.emit_fails = -1;
    pull();
    assert_string_equal(emitted(), "1=satu;1=satu;2=dua;");
}

static void files_that_stay_are_stepped_past_by_the_mark(void **state) {
    (void)state;
    set("done", "");
    reopen();
    put("inbox/1", "satu");
    pull();
    put("inbox/2", "dua");
    pull();
    reopen(); /* a new worker knows only what was accepted */
    put("inbox/3", "tiga");
    pull();
    assert_string_equal(emitted(), "1=satu;2=dua;3=tiga;");
    assert_true(there("inbox/1"));
}

static void waiting_ends_in_time(void **state) {
    (void)state;
    fake.clock = 1000;
    pull();
    assert_in_range(fake.clock, 1500, 2000);
}

/* ---------------------------------------------------------------------- outbound */

static void send_text(const char *text) {
    struct aduan_answer a = { .id = (char *)(uintptr_t) "o1",
                              .kind = ADUAN_ANSWER_REPLY,
                              .text = (char *)(uintptr_t)text,
                              .to = { .id = (char *)(uintptr_t) "siti" } };

    fake.ends = 0;
    C->send(fake.ctx, &a, 5);
}

static void ask_find(struct aduan_result *r) {
    struct aduan_answer a = { .id = (char *)(uintptr_t) "o1" };

    C->find(fake.ctx, &a, r);
}

static void a_delivery_is_a_line_and_can_be_found(void **state) {
    struct aduan_result r;

    (void)state;
    ask_find(&r);
    assert_int_equal(r.outcome, ADUAN_LATER);
    send_text("Halo\n\"Siti\"");
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    assert_string_equal(fake.result.platform_id, "loop-o1-1");
    assert_int_equal(lines("outbox"), 1);
    ask_find(&r);
    assert_int_equal(r.outcome, ADUAN_SENT);
    assert_string_equal(r.platform_id, "loop-o1-1");
    send_text("Halo"); /* a double delivery must be seen as one */
    assert_int_equal(lines("outbox"), 2);
    assert_string_equal(fake.result.platform_id, "loop-o1-2");
}

static void markers_decide_how_it_ends(void **state) {
    static const struct {
        const char *text;
        enum aduan_outcome outcome;
        int delivered;
    } cases[] = {
        { "[[later]]", ADUAN_LATER, 0 },    { "a [[limited:1500]]", ADUAN_LIMITED, 0 },
        { "[[never]]", ADUAN_NEVER, 0 },    { "[[refused]]", ADUAN_REFUSED, 0 },
        { "[[closed]]", ADUAN_CLOSED, 0 },  { "[[uncertain]]", ADUAN_UNCERTAIN, 1 },
        { "[[lost]]", ADUAN_UNCERTAIN, 0 }, { "[[slow:10]]", ADUAN_SENT, 1 },
        { "[[nonsense]]", ADUAN_SENT, 1 },  { "[[", ADUAN_SENT, 1 },
    };
    size_t i;
    int before;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        before = lines("outbox");
        send_text(cases[i].text);
        assert_int_equal(fake.ends, 1);
        assert_int_equal(fake.result.outcome, cases[i].outcome);
        assert_int_equal(lines("outbox") - before, cases[i].delivered);
    }
    send_text("[[limited-account:900]]");
    assert_int_equal(fake.result.scope, ADUAN_SCOPE_ACCOUNT);
    assert_int_equal(fake.result.retry_after_ms, 900);
    before = lines("outbox");
    send_text("[[silent]]");
    assert_int_equal(fake.ends, 0);
    assert_int_equal(lines("outbox") - before, 1);
}

static void a_counted_fault_is_over_in_time(void **state) {
    (void)state;
    send_text("[[later*2]]");
    assert_int_equal(fake.result.outcome, ADUAN_LATER);
    send_text("[[later*2]]");
    assert_int_equal(fake.result.outcome, ADUAN_LATER);
    send_text("[[later*2]]");
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    put("fault/send", "never*2");
    send_text("x");
    send_text("x");
    assert_int_equal(fake.result.outcome, ADUAN_NEVER);
    assert_false(there("fault/send"));
    send_text("x");
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
}

static void a_template_passes_a_closed_window(void **state) {
    struct aduan_answer a = { .id = (char *)(uintptr_t) "o2",
                              .kind = ADUAN_ANSWER_TEMPLATE,
                              .text = (char *)(uintptr_t) "[[closed]]" };

    (void)state;
    C->send(fake.ctx, &a, 5);
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
}

/* The process dies before, or after, the line is there. */
static void die_kills_at_its_place(void **state) {
    static const char *const texts[] = { "[[die]]", "[[die-after]]" };
    int i, status;
    pid_t child;

    (void)state;
    for (i = 0; i < 2; i++) {
        child = fork();
        if (child == 0) {
            send_text(texts[i]);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_int_equal(lines("outbox"), i);
    }
}

static void other_calls_fail_on_request_too(void **state) {
    struct aduan_result r = { 0 };

    (void)state;
    put("fault/pull", "refused*1");
    assert_int_equal(C->pull(fake.ctx, 10, &r), ADUAN_REFUSED);
    assert_int_equal(r.outcome, ADUAN_REFUSED);
    put("fault/find", "uncertain*1");
    ask_find(&r);
    assert_int_equal(r.outcome, ADUAN_UNCERTAIN);
    put("fault/probe", "refused*1");
    C->probe(fake.ctx, &r);
    assert_int_equal(r.outcome, ADUAN_REFUSED);
    C->probe(fake.ctx, &r);
    assert_int_equal(r.outcome, ADUAN_SENT);
}

static void fetch(const char *source) {
    struct aduan_attachment a = { .source = (char *)(uintptr_t)source,
                                  .type = (char *)(uintptr_t) "text/plain" };

    fake.ends = 0;
    fake.blob[0] = '\0';
    C->fetch(fake.ctx, &a, 5);
    assert_int_equal(fake.ends, 1);
}

static void media_comes_from_its_folder_only(void **state) {
    (void)state;
    put("media/a.txt", "lampiran");
    put("secret", "rahasia");
    fetch("a.txt");
    assert_int_equal(fake.result.outcome, ADUAN_SENT);
    assert_string_equal(fake.blob, "lampiran");
    fetch("../secret");
    assert_int_equal(fake.result.outcome, ADUAN_NEVER);
    fetch("none");
    assert_int_equal(fake.result.outcome, ADUAN_NEVER);
    put("fault/fetch", "later*1");
    fetch("a.txt");
    assert_int_equal(fake.result.outcome, ADUAN_LATER);
    assert_string_equal(fake.blob, "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(files_come_in_by_name_and_are_moved_once_accepted),
        TEST(what_was_not_accepted_comes_again),
        TEST(files_that_stay_are_stepped_past_by_the_mark),
        TEST(waiting_ends_in_time),
        TEST(a_delivery_is_a_line_and_can_be_found),
        TEST(markers_decide_how_it_ends),
        TEST(a_counted_fault_is_over_in_time),
        TEST(a_template_passes_a_closed_window),
        TEST(die_kills_at_its_place),
        TEST(other_calls_fail_on_request_too),
        TEST(media_comes_from_its_folder_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
