/*
 * test_ctl_verbs.c: aduanctl as officers and scripts use it.
 *
 * The program runs as itself against a real redis-server and a desk in a
 * process of its own; what it prints and its exit status are what is checked.
 */
#include "connectors/kit/sign.h"
#include "connectors/kit/text.h"
#include "desk/desk.h"
#include "tests/unit/redis_server.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const struct desk_account accounts[] = {
    { .name = "gmail",
      .type = "email",
      .channel = "email",
      .address = "kantor@example.com",
      .can_send = true,
      .can_attach = true,
      .attachment_max = 20 << 20 },
};

static struct {
    struct redis_server redis;
    struct queue *queue;
    char dir[64];
    pid_t desk;
    char out[65536], err[8192]; /* of the last run */
} t;

/* ------------------------------------------------------------------------- the desk */

static volatile sig_atomic_t told_to_stop;

static void on_term(int sig) {
    (void)sig;
    told_to_stop = 1;
}

static void desk_log(void *arg, int level, const char *fmt, ...) {
    va_list ap;
    (void)arg;
    (void)level;
    va_start(ap, fmt);
    if (getenv("RIG_LOG")) {
        vfprintf(stderr, fmt, ap);
        fputc('\n', stderr);
    }
    va_end(ap);
}

static bool desk_stopping(void *arg) {
    (void)arg;
    return told_to_stop != 0;
}

static void desk_alive(void *arg) {
    (void)arg;
}

static int64_t desk_now(void *arg) {
    struct timespec ts;
    (void)arg;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void desk_health(void *arg, json_t *fields) {
    char *s;
    json_object_set_new(fields, "at", json_integer(desk_now(NULL)));
    s = json_dumps(fields, 0);
    queue_health_set(arg, "desk", "desk", s);
    free(s);
    json_decref(fields);
}

static void run_desk(void) {
    char *file = xasprintf("%s/aduan.conf", t.dir);
    struct faults faults = { NULL, 0 };
    struct conf *conf = conf_read(file, CONF_FOR_DESK, NULL, NULL, &faults);
    struct blob_store *blobs = NULL;
    struct queue *queue = redis_queue(&t.redis, 5000), *health = redis_queue(&t.redis, 5000);
    struct desk_options o = { .conf = conf, .accounts = accounts, .account_count = 1, .queue = queue };
    struct desk_host host = { .arg = health,
                              .log = desk_log,
                              .stopping = desk_stopping,
                              .alive = desk_alive,
                              .health = desk_health,
                              .now = desk_now };
    if (faults.count > 0 || blob_store_open(conf->state, &blobs) != 0) {
        _exit(3);
    }
    o.blobs = blobs;
    int rc = desk_run(&o, &host);
    blob_store_close(blobs);
    _exit(rc);
}

static void start_desk(void) {
    signal(SIGTERM, on_term);
    t.desk = fork();
    if (t.desk == 0) {
        run_desk();
    }
}

static void stop_desk(void) {
    int status = 0;
    signal(SIGTERM, SIG_DFL);
    kill(t.desk, SIGTERM);
    waitpid(t.desk, &status, 0);
    t.desk = 0;
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* --------------------------------------------------------------------- the program */

static void slurp(const char *name, char *buf, size_t size) {
    char *path = xasprintf("%s/%s", t.dir, name);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    size_t n = fread(buf, 1, size - 1, f);
    buf[n] = '\0';
    fclose(f);
    free(path);
}

static void put(const char *name, const char *content) {
    char *path = xasprintf("%s/%s", t.dir, name);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    fputs(content, f);
    fclose(f);
    free(path);
}

/* Runs "aduanctl ARGUMENTS" with a text on standard input; its exit status. */
static int ctl_in(const char *arguments, const char *input) {
    put("in", input);
    char *command = xasprintf("cd '%s' && '%s' -c aduan.conf %s <in >out 2>err", t.dir, ADUANCTL, arguments);
    int status = system(command);
    free(command);
    slurp("out", t.out, sizeof t.out);
    slurp("err", t.err, sizeof t.err);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int ctl(const char *arguments) {
    return ctl_in(arguments, "");
}

static void succeeds(const char *arguments) {
    int status = ctl(arguments);
    if (status != 0) {
        fail_msg("aduanctl %s: %d, %s", arguments, status, t.err);
    }
}

/* Exit status, nothing on stdout, one line on stderr with this in it. */
static void refuses(const char *arguments, int status, const char *why) {
    int got = ctl(arguments);
    if (got != status || !strstr(t.err, why) || t.out[0] != '\0') {
        fail_msg("aduanctl %s: %d, %s%s", arguments, got, t.err, t.out);
    }
    if (status == 1) {
        assert_ptr_equal(strchr(t.err, '\n'), t.err + strlen(t.err) - 1);
    }
}

static json_t *json(const char *arguments) {
    char *whole = xasprintf("%s --json", arguments);
    succeeds(whole);
    free(whole);
    json_error_t e;
    json_t *j = json_loads(t.out, 0, &e);
    if (!j) {
        fail_msg("aduanctl %s: no JSON: %s", arguments, t.out);
    }
    return j;
}

static const char *str(const json_t *o, const char *key) {
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

/* ----------------------------------------------------------------------- messages */

static void mail(const char *id, const char *from, const char *text) {
    struct aduan_message m = { .kind = ADUAN_KIND_MESSAGE };
    m.account = xstrdup("gmail");
    m.channel = xstrdup("email");
    m.platform_id = xstrdup(id);
    m.message_id = xstrdup(id);
    m.id = xasprintf("gmail/%s", id);
    m.conversation = xstrdup(from);
    m.sender.id = xstrdup(from);
    m.sender.address = xstrdup(from);
    m.subject = xstrdup("Paspor \033[31mmerah");
    m.text = xstrdup(text);
    m.sent_at = m.received_at = desk_now(NULL);
    json_t *j = aduan_message_to_json(&m);
    char *record = json_dumps(j, JSON_COMPACT);
    struct queue_in in = {
        .id = m.id, .record = record, .record_len = strlen(record), .raw = "raw", .raw_len = 3
    };
    assert_int_equal(queue_accept(t.queue, "gmail", &in, 1, NULL, 0, NULL, NULL), 0);
    free(record);
    json_decref(j);
    aduan_message_clear(&m);
}

/* The number of the case that this correspondent opened, once the desk has made it. */
static char *number_of(const char *from) {
    for (int i = 0; i < 200; i++) {
        if (ctl("tickets --json") == 0) {
            json_t *list = json_loads(t.out, 0, NULL);
            char *number = NULL;
            for (size_t k = 0; k < json_array_size(list); k++) {
                const json_t *j = json_array_get(list, k);
                number =
                    !number && strcmp(str(j, "conversation"), from) == 0 ? xstrdup(str(j, "number")) : number;
            }
            json_decref(list);
            if (number) {
                return number;
            }
        }
        usleep(50000);
    }
    fail_msg("no case of %s: %s", from, t.err);
    return NULL;
}

static char *new_case(const char *id, const char *from) {
    mail(id, from, "Paspor saya belum jadi, mohon bantuannya.\033[2J");
    return number_of(from);
}

static int setup(void **state) {
    (void)state;
    redis_start(&t.redis, "");
    t.queue = redis_queue(&t.redis, 5000);
    strcpy(t.dir, "/tmp/aduan-ctl-XXXXXX");
    assert_non_null(mkdtemp(t.dir));
    char *path = xasprintf("%s/state", t.dir);
    assert_int_equal(mkdir(path, 0700), 0);
    free(path);
    char *conf = xasprintf(
        "office = { name = \"Kantor\"; code = \"TPI\"; };\nstate = \"state\";\npolicy = \"%s/conf\";\n"
        "queue = { redis = \"%s\"; };\n"
        "connectors = ( { name = \"gmail\"; type = \"email\"; address = \"kantor@example.com\"; } );\n",
        SOURCE_DIR, t.redis.address);
    put("aduan.conf", conf);
    free(conf);
    start_desk();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    if (t.desk > 0) {
        stop_desk();
    }
    queue_free(t.queue);
    redis_stop(&t.redis);
    remove_tree(t.dir);
    return 0;
}

/* --------------------------------------------------------------------------- tests */

static void a_case_is_listed_and_shown(void **state) {
    static const char *const keys[] = { "number",      "state",    "channel", "account",         "conversation",
                                        "class",       "category", "section", "confidentiality", "urgency",
                                        "complete",    "missing",  "name",    "address",         "phone",
                                        "received_at", "due_at",   "overdue", "officer" };
    (void)state;
    char *number = new_case("a1@x", "siti@example.com"), *show = xasprintf("show %s", number);
    assert_true(text_starts(number, "TPI-20"));
    json_t *list = json("tickets"), *one = json(show);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_non_null(json_object_get(json_array_get(list, 0), keys[i]));
        assert_non_null(json_object_get(one, keys[i]));
    }
    assert_null(json_object_get(json_array_get(list, 0), "messages"));
    assert_true(text_ends(str(one, "received_at"), "+07:00"));
    const json_t *first = json_array_get(json_object_get(one, "messages"), 0);
    assert_string_equal(str(first, "direction"), "in");
    assert_true(json_array_size(json_object_get(one, "history")) > 0);
    succeeds(show);
    assert_non_null(strstr(t.out, number));
    assert_non_null(strstr(t.out, "Paspor saya belum jadi"));
    assert_non_null(strstr(t.out, "Tenggat"));
    assert_null(strchr(t.out, '\033')); /* a citizen's text cannot steer the officer's terminal */
    succeeds("tickets");
    assert_non_null(strstr(t.out, "NOMOR"));
    assert_null(strchr(t.out, '\033'));
    json_decref(list);
    json_decref(one);
    free(show);
    free(number);
}

static void filters_filter(void **state) {
    (void)state;
    char *number = new_case("f1@x", "filter@example.com");
    json_t *none = json("tickets --state merged"), *all = json("tickets --state new --channel email --limit 1");
    assert_int_equal(json_array_size(none), 0);
    assert_int_equal(json_array_size(all), 1);
    assert_non_null(strstr(t.err, "masih ada lagi")); /* cut, and not silently */
    json_decref(none);
    json_decref(all);
    json_t *found = json("tickets --search filter@example.com --overdue");
    assert_int_equal(json_array_size(found), 0);
    json_decref(found);
    refuses("tickets --state baru", 2, "there is no state \"baru\"");
    free(number);
}

static void an_answer_goes_to_the_outbox(void **state) {
    (void)state;
    char *number = new_case("r1@x", "budi@example.com");
    long long before = redis_int(&t.redis, "XLEN aduan:{gmail}:out");
    char *reply = xasprintf("reply %s 'Paspor Bapak sudah jadi.' --json", number);
    succeeds(reply);
    free(reply);
    char *show = xasprintf("show %s", number);
    json_t *one = json(show);
    assert_string_equal(str(one, "state"), "answered");
    const json_t *messages = json_object_get(one, "messages");
    const json_t *last = json_array_get(messages, json_array_size(messages) - 1);
    assert_string_equal(str(last, "direction"), "out");
    assert_non_null(strstr(str(last, "text"), "Paspor Bapak sudah jadi."));
    assert_string_equal(str(last, "status"), "queued");
    json_decref(one);
    for (int i = 0; i < 100 && redis_int(&t.redis, "XLEN aduan:{gmail}:out") == before; i++) {
        usleep(20000);
    }
    assert_int_equal(redis_int(&t.redis, "XLEN aduan:{gmail}:out"), before + 1);
    free(show);
    free(number);
}

static void an_answer_from_standard_input_with_a_file(void **state) {
    (void)state;
    char *number = new_case("r2@x", "wati@example.com");
    put("surat keterangan.pdf", "%PDF-1.4 isi");
    char *reply = xasprintf("reply %s - --attach 'surat keterangan.pdf'", number);
    assert_int_equal(ctl_in(reply, "Baris satu\nBaris dua\n"), 0);
    free(reply);
    assert_non_null(strstr(t.out, number));
    char *show = xasprintf("show %s", number);
    json_t *one = json(show);
    const json_t *messages = json_object_get(one, "messages");
    const json_t *last = json_array_get(messages, json_array_size(messages) - 1);
    const json_t *file = json_array_get(json_object_get(last, "attachments"), 0);
    assert_non_null(strstr(str(last, "text"), "Baris satu\nBaris dua"));
    assert_string_equal(str(file, "name"), "surat keterangan.pdf");
    assert_string_equal(str(file, "type"), "application/pdf");
    assert_int_equal(json_integer_value(json_object_get(file, "size")), 12);
    char digest[65];
    sign_sha256_hex("%PDF-1.4 isi", 12, digest);
    assert_string_equal(str(file, "sha256"), digest);
    json_decref(one);
    free(show);
    char *bad = xasprintf("reply %s ada --attach tidak-ada.pdf", number);
    refuses(bad, 1, "tidak-ada.pdf");
    free(bad);
    char *make = xasprintf("mkfifo '%s/pipa'", t.dir);
    assert_int_equal(system(make), 0);
    free(make);
    bad = xasprintf("reply %s ada --attach pipa", number); /* and does not wait */
    refuses(bad, 1, "not a file");
    free(bad);
    free(number);
}

static void note_close_reopen(void **state) {
    (void)state;
    char *number = new_case("n1@x", "nina@example.com"), *show = xasprintf("show %s", number);
    char *note = xasprintf("note %s 'sudah ditelepon'", number),
         *close_it = xasprintf("close %s --reason selesai", number), *reopen = xasprintf("reopen %s", number);
    succeeds(note);
    succeeds(close_it);
    json_t *one = json(show);
    assert_string_equal(str(one, "state"), "closed");
    json_decref(one);
    succeeds(reopen);
    one = json(show);
    assert_string_not_equal(str(one, "state"), "closed");
    succeeds(show);
    assert_non_null(strstr(t.out, "sudah ditelepon"));
    json_decref(one);
    refuses("close TPI-2026-999999", 1, "TPI-2026-999999");
    refuses("show TPI-2026-999999", 1, "TPI-2026-999999");
    refuses("reply TPI-2026-999999 halo", 1, "TPI-2026-999999");
    free(note);
    free(close_it);
    free(reopen);
    free(show);
    free(number);
}

static void people_act_by_name(void **state) {
    (void)state;
    assert_int_equal(
        ctl_in("user add rina --role officer --name 'Rina Wulandari' --section TIKKIM", "rahasia-sekali\n"), 0);
    assert_int_equal(ctl_in("user add rina --role officer", "rahasia-sekali\n"), 1);
    assert_int_equal(ctl_in("user add budi --role officer", "123\n"), 1);
    assert_int_equal(ctl_in("user add budi --role officer", ""), 1);
    assert_int_equal(ctl_in("user add budi --role king", "rahasia-sekali\n"), 1);
    assert_int_equal(ctl_in("user add budi", "rahasia-sekali\n"), 2);
    assert_int_equal(ctl_in("user passwd rina", "rahasia-lain\n"), 0);
    json_t *list = json("user");
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(str(json_array_get(list, 0), "full"), "Rina Wulandari");
    assert_string_equal(str(json_array_get(list, 0), "role"), "officer");
    assert_null(strstr(t.out, "$y$"));
    json_decref(list);
    char *number = new_case("p1@x", "agus@example.com"), *note = xasprintf("note %s dicek --as rina", number),
         *show = xasprintf("show %s", number);
    succeeds(note);
    json_t *one = json(show);
    const json_t *history = json_object_get(one, "history");
    assert_string_equal(str(json_array_get(history, json_array_size(history) - 1), "actor"), "rina");
    json_decref(one);
    succeeds("user disable rina");
    refuses(note, 1, "rina");
    succeeds("user enable rina");
    succeeds(note);
    char *stranger = xasprintf("note %s x --as nobody", number);
    refuses(stranger, 1, "nobody");
    free(stranger);
    free(number);
    free(note);
    free(show);
}

static void dead_letters_are_shown_and_dropped(void **state) {
    (void)state;
    struct queue_dead d = { .account = (char *)"gmail",
                            .reason = (char *)"cannot be read",
                            .ref = (char *)"gmail/zz",
                            .kind = (char *)"in",
                            .record = (char *)"",
                            .at = desk_now(NULL),
                            .raw = (unsigned char *)"\xff\x00\x1b[2J",
                            .raw_len = 6 };
    char id[32];
    assert_int_equal(queue_bury(t.queue, &d, id), 0);
    json_t *list = json("dead"), *found = NULL;
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *j = json_array_get(list, i);
        found = strcmp(str(j, "id"), id) == 0 ? j : found;
    }
    assert_non_null(found);
    assert_string_equal(str(found, "account"), "gmail");
    assert_string_equal(str(found, "reason"), "cannot be read");
    assert_int_equal(json_integer_value(json_object_get(found, "size")), 6);
    assert_true(text_ends(str(found, "at"), "+07:00"));
    json_decref(list);
    char *show = xasprintf("dead show %s", id), *drop = xasprintf("dead drop %s --reason sampah", id);
    json_t *one = json(show);
    size_t n = 0;
    uint8_t *raw = sign_unbase64(str(one, "raw"), strlen(str(one, "raw")), &n);
    assert_int_equal(n, 6);
    assert_memory_equal(raw, "\xff\x00\x1b[2J", 6);
    free(raw);
    json_decref(one);
    succeeds(show);
    assert_null(strchr(t.out, '\033'));
    succeeds("dead");
    succeeds(drop);
    for (int i = 0; i < 100 && ctl(show) == 0; i++) {
        usleep(20000);
    }
    refuses(show, 1, "there is no letter");
    refuses("dead show", 2, "id is missing");
    refuses("dead bury 1-1", 2, "show, retry and drop");
    free(show);
    free(drop);
}

static void accounts_are_paused_in_and_out_apart(void **state) {
    (void)state;
    bool in = false, out = false;
    succeeds("connectors pause gmail --out");
    assert_int_equal(queue_switch_get(t.queue, "gmail", &in, &out), 0);
    assert_true(out && !in);
    succeeds("connectors pause gmail");
    assert_int_equal(queue_switch_get(t.queue, "gmail", &in, &out), 0);
    assert_true(out && in);
    succeeds("connectors resume gmail --in");
    assert_int_equal(queue_switch_get(t.queue, "gmail", &in, &out), 0);
    assert_true(out && !in);
    succeeds("connectors");
    assert_non_null(strstr(t.out, "dihentikan"));
    succeeds("connectors resume gmail");
    json_t *list = json("connectors");
    assert_string_equal(str(json_array_get(list, 0), "name"), "gmail");
    assert_true(json_is_false(json_object_get(json_object_get(json_array_get(list, 0), "out"), "paused")));
    json_decref(list);
    refuses("connectors pause gmial", 1, "there is no account \"gmial\"");
    refuses("connectors stop gmail", 2, "probe, pause and resume");
}

static void status_tells_what_is_up(void **state) {
    (void)state;
    json_t *o = NULL;
    for (int i = 0; i < 200; i++) {
        json_decref(o);
        o = json("status");
        if (json_is_true(json_object_get(json_object_get(o, "desk"), "up"))) {
            break;
        }
        usleep(50000);
    }
    assert_true(json_is_true(json_object_get(json_object_get(o, "queue"), "up")));
    assert_true(json_is_true(json_object_get(json_object_get(o, "desk"), "up")));
    const json_t *gmail = json_array_get(json_object_get(o, "accounts"), 0);
    assert_string_equal(str(gmail, "name"), "gmail");
    assert_true(json_is_false(json_object_get(gmail, "up"))); /* nobody receives here */
    assert_non_null(json_object_get(json_object_get(o, "register"), "overdue"));
    json_decref(o);
    queue_health_set(t.queue, "gmail", "send",
                     "{\"at\":1791162720000,\"last_out\":1791162720000,\"fault\":\"token\"}");
    o = json("status");
    gmail = json_array_get(json_object_get(o, "accounts"), 0);
    assert_string_equal(str(json_object_get(gmail, "out"), "last_at"), "2026-10-05T08:12:00+07:00");
    assert_true(json_is_null(json_object_get(gmail, "fault"))); /* of a worker that is gone */
    json_decref(o);
    char *alive = xasprintf("{\"at\":%lld,\"token_expires_at\":%lld,\"fault\":\"token refused\"}",
                            (long long)desk_now(NULL), (long long)desk_now(NULL) + 86400000LL * 5 + 3600000);
    queue_health_set(t.queue, "gmail", "send", alive);
    free(alive);
    o = json("status");
    gmail = json_array_get(json_object_get(o, "accounts"), 0);
    assert_string_equal(str(gmail, "fault"), "token refused");
    assert_int_equal(json_integer_value(json_object_get(gmail, "token_days")), 5);
    assert_true(json_is_true(json_object_get(gmail, "up")));
    json_decref(o);
    succeeds("status");
    assert_non_null(strstr(t.out, "token refused"));
    /* Redis answers but keeps nothing any more: up, and at fault. */
    redis_do(&t.redis, "CONFIG SET maxmemory 1");
    o = json("status");
    redis_do(&t.redis, "CONFIG SET maxmemory 0");
    assert_true(json_is_true(json_object_get(json_object_get(o, "queue"), "up")));
    assert_non_null(strstr(str(json_object_get(o, "queue"), "fault"), "OOM"));
    json_decref(o);
}

static void due_counts_days(void **state) {
    (void)state;
    json_t *o = json("due --received 2026-03-17T14:00:00+07:00 --channel email");
    assert_string_equal(str(o, "received_at"), "2026-03-17T14:00:00+07:00");
    assert_string_equal(str(o, "effective_received_at"), "2026-03-17T14:00:00+07:00");
    assert_string_equal(str(o, "due_at"), "2026-03-27T16:30:00+07:00");
    assert_int_equal(json_array_size(json_object_get(o, "days")), 3);
    json_decref(o);
    o = json("due --received 2026-10-09T09:31:00Z --channel whatsapp");
    assert_string_equal(str(o, "effective_received_at"), "2026-10-12T07:30:00+07:00");
    assert_string_equal(str(o, "due_at"), "2026-10-15T16:00:00+07:00");
    json_decref(o);
    o = json("due --received 2026-10-13T10:20 --channel counter");
    assert_string_equal(str(o, "due_at"), "2026-10-13T10:35:00+07:00");
    json_decref(o);
    refuses("due --received 2027-12-30T10:00:00+07:00", 1, "no calendar for 2028");
    refuses("due --received kemarin", 2, "--received is a time");
    succeeds("due --received 2026-10-05T09:12:00+07:00");
    assert_non_null(strstr(t.out, "Kamis, 8 Oktober 2026 pukul 16.00 WIB"));
}

static void exit_statuses_are_as_promised(void **state) {
    (void)state;
    refuses("", 2, "what to do is missing");
    refuses("tikets", 2, "there is no verb \"tikets\"");
    refuses("tickets --stat new", 2, "no option --stat");
    refuses("show", 2, "something is missing");
    refuses("show a b", 2, "too many words");
    refuses("close X --reason", 2, "--reason needs a value");
    refuses("replay --account gmail", 2, "--from are needed");
    succeeds("--help");
    assert_non_null(strstr(t.out, "tickets"));
    succeeds("reply --help");
    put("bad.conf", "offise = { };\n");
    assert_int_equal(ctl("-c bad.conf tickets"), 78);
    assert_non_null(strstr(t.err, "bad.conf:1: offise: unknown key; did you mean \"office\"?"));
    assert_int_equal(ctl("-c nowhere.conf tickets"), 78);
}

static void a_desk_that_is_away_is_told(void **state) {
    (void)state;
    char *number = new_case("w1@x", "away@example.com"), *note = xasprintf("note %s 'nanti'", number);
    stop_desk();
    refuses(note, 1, "the desk does not answer");
    succeeds("tickets"); /* reading needs no desk */
    start_desk();
    /* The desk was away: the command lapsed, and its repeat is the only one carried out. */
    succeeds(note);
    char *show = xasprintf("show %s", number);
    succeeds(show);
    const char *first = strstr(t.out, "nanti");
    assert_non_null(first);
    assert_null(strstr(first + 1, "nanti"));
    free(show);
    free(number);
    free(note);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_case_is_listed_and_shown),
        cmocka_unit_test(filters_filter),
        cmocka_unit_test(an_answer_goes_to_the_outbox),
        cmocka_unit_test(an_answer_from_standard_input_with_a_file),
        cmocka_unit_test(note_close_reopen),
        cmocka_unit_test(people_act_by_name),
        cmocka_unit_test(dead_letters_are_shown_and_dropped),
        cmocka_unit_test(accounts_are_paused_in_and_out_apart),
        cmocka_unit_test(status_tells_what_is_up),
        cmocka_unit_test(due_counts_days),
        cmocka_unit_test(exit_statuses_are_as_promised),
        cmocka_unit_test(a_desk_that_is_away_is_told),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
