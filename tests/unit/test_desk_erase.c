/* test_desk_erase.c: what a citizen took back is nowhere any more: text, name of the case, files. */
#include "desk_tests.h"

#include "desk/room.h"
#include "kit/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char nameless[] = "[dihapus oleh pengirim / deleted by its sender]";

static void store(const char *bytes, char ret_sha256[65]) {
    struct blob_store *s;

    assert_int_equal(blob_store_open(rig.state, &s), 0);
    assert_int_equal(blob_put(s, bytes, strlen(bytes), ret_sha256), 0);
    blob_store_close(s);
}

static char *path_of(const char *sha256) {
    return xasprintf("%s/attachments/%.2s/%s", rig.state, sha256, sha256);
}

static bool is_there(const char *sha256) {
    char *path = path_of(sha256);
    bool there = access(path, F_OK) == 0;

    free(path);
    return there;
}

/* When it was last stored, by the rig's clock. */
static void stored_at(const char *sha256, int64_t ms) {
    struct timespec t[2] = { { .tv_sec = ms / 1000 }, { .tv_sec = ms / 1000 } };
    char *path = path_of(sha256);

    assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
    free(path);
}

static void say(const char *id, const char *text, const char *sha256) {
    struct aduan_message m = rig_record(&rig, ADUAN_KIND_MESSAGE, "fb", "facebook", id);

    m.conversation = xstrdup("u1");
    m.sender.id = xstrdup("u1");
    free(m.text);
    m.text = xstrdup(text);
    if (sha256 != NULL) {
        struct aduan_attachment *a = aduan_message_add_attachment(&m);

        a->name = xstrdup("foto.jpg");
        a->type = xstrdup("image/jpeg");
        a->source = xstrdup("media:1");
        a->state = sha256[0] != '\0' ? ADUAN_ATTACHMENT_STORED : ADUAN_ATTACHMENT_PENDING;
        if (sha256[0] != '\0')
            a->sha256 = xstrdup(sha256);
    }
    rig_accept(&rig, "fb", &m);
}

static void about(enum aduan_kind kind, const char *id, const char *of, const char *text) {
    struct aduan_message m = rig_record(&rig, kind, "fb", "facebook", id);

    m.conversation = xstrdup("u1");
    m.reply_to = xstrdup(of);
    free(m.text);
    m.text = xstrdup(text);
    rig_accept(&rig, "fb", &m);
}

static void unsend(const char *of) {
    char id[64];

    snprintf(id, sizeof(id), "del-%s", of);
    about(ADUAN_KIND_DELETE, id, of, "");
}

/* The desk's turn at removing files, `later` ms from the rig's now. */
static void erase(int64_t later) {
    struct desk_options o = { .conf = &rig.conf };
    struct room room = { .o = &o, .now = rig.now + later };
    char why[200];

    rig.reg = reg_close(rig.reg);
    assert_int_equal(blob_store_open(rig.state, &o.blobs), 0);
    assert_int_equal(reg_open(rig.state, REG_WRITE, &room.reg, why, sizeof(why)), 0);
    assert_int_equal(erase_files(&room), 0);
    reg_close(room.reg);
    blob_store_close(o.blobs);
}

static void subject_is(const char *subject) {
    json_t *show = rig_show(&rig, "TPI-2026-000001");

    assert_string_equal(rig_string(show, "subject"), subject);
    json_decref(show);
}

/* Whatever it is kept as. */
static bool register_holds(const char *words) {
    char *command = xasprintf("grep -qa '%s' %s/register.db", words, rig.state);
    int rc;

    rig.reg = reg_close(rig.reg);
    rc = system(command);
    free(command);
    assert_true(rc >= 0);
    return rc == 0;
}

/* ------------------------------------------------------------------- the name */

static void a_case_is_not_called_by_what_was_taken_back(void **state) {
    (void)state;
    say("m1", "nomor paspor saya C1234567\nmohon dibantu", NULL);
    run();
    subject_is("nomor paspor saya C1234567");
    unsend("m1");
    run();
    subject_is(nameless);
}

/* An edit does not rename a case, so the name may be of a text that is no longer there. */
static void an_edited_message_has_named_it_all_the_same(void **state) {
    (void)state;
    say("m1", "nomor paspor saya C1234567", NULL);
    run();
    about(ADUAN_KIND_EDIT, "e1", "m1", "maaf, salah kirim");
    run();
    say("m2", "paspor saya belum jadi", NULL);
    run();
    unsend("m1");
    run();
    subject_is("paspor saya belum jadi"); /* what is still there */
    assert_false(register_holds("C1234567"));
    unsend("m2");
    run();
    subject_is(nameless);
}

static void another_message_taken_back_leaves_the_name(void **state) {
    (void)state;
    say("m1", "paspor saya belum jadi", NULL);
    run();
    say("m2", "nomor paspor saya C1234567", NULL);
    run();
    unsend("m2");
    run();
    subject_is("paspor saya belum jadi");
}

/* ----------------------------------------------------- unsent before it came */

static void what_was_unsent_before_it_came_is_not_read(void **state) {
    char sha256[65];
    json_t *show;

    (void)state;
    store("foto paspor", sha256);
    stored_at(sha256, rig.now);
    unsend("m1");
    run();
    assert_int_equal(rig_case_count(&rig), 0);
    assert_int_equal(rig_dead_count(&rig, "fb"), 0);
    rig.now += 30 * (int64_t)HOUR_MS; /* platforms deliver what was not taken again for days */
    say("m1", "nomor paspor saya C1234567", sha256);
    run();
    show = rig_show(&rig, "TPI-2026-000001");
    assert_string_equal(rig_string(show, "subject"), nameless);
    assert_string_equal(rig_message(show, 0, "text"), "");
    assert_string_equal(rig_message(show, 0, "status"), "deleted");
    assert_int_equal(rig_events(show, "deleted"), 1);
    assert_int_equal(rig_events(show, "acknowledged"), 0);
    assert_true(history_says(show, "no_receipt", "took it back"));
    json_decref(show);
    assert_false(register_holds("C1234567"));
    erase(3 * MINUTE_MS);
    assert_false(is_there(sha256));
    say("m2", "paspor saya belum jadi", NULL); /* the next is read as any other */
    run();
    show = rig_show(&rig, "TPI-2026-000001");
    assert_string_equal(rig_message(show, 1, "text"), "paspor saya belum jadi");
    json_decref(show);
}

/* ------------------------------------------------------------------- the files */

static void its_file_goes(void **state) {
    char sha256[65];

    (void)state;
    store("foto paspor", sha256);
    stored_at(sha256, rig.now);
    say("m1", "", sha256);
    run();
    erase(60 * MINUTE_MS);
    assert_true(is_there(sha256));
    unsend("m1");
    run();
    erase(60 * 1000); /* somebody may be about to say that they stored it, too */
    assert_true(is_there(sha256));
    erase(3 * MINUTE_MS);
    assert_false(is_there(sha256));
    erase(3 * MINUTE_MS); /* as after a crash: once more changes nothing */
}

static void what_another_message_has_stays(void **state) {
    char sha256[65];

    (void)state;
    store("gambar yang sama", sha256);
    stored_at(sha256, rig.now);
    say("m1", "satu", sha256);
    say("m2", "dua", sha256);
    run();
    unsend("m1");
    run();
    erase(10 * MINUTE_MS);
    assert_true(is_there(sha256));
    unsend("m2");
    run();
    erase(10 * MINUTE_MS);
    assert_false(is_there(sha256));
}

/* A worker found it there, was told "stored", and has not said so yet. */
static void what_was_stored_again_since_stays(void **state) {
    char sha256[65];

    (void)state;
    store("gambar yang sama", sha256);
    stored_at(sha256, rig.now);
    say("m1", "satu", sha256);
    run();
    unsend("m1");
    run();
    stored_at(sha256, rig.now + 9 * MINUTE_MS);
    erase(10 * MINUTE_MS);
    assert_true(is_there(sha256));
    say("m2", "dua", sha256);
    run();
    erase(30 * MINUTE_MS);
    assert_true(is_there(sha256));
}

/* Fetched only after its message was unsent. */
static void a_file_that_comes_too_late_goes(void **state) {
    char sha256[65], event[300];

    (void)state;
    say("m1", "lihat", "");
    run();
    unsend("m1");
    run();
    store("foto paspor", sha256);
    stored_at(sha256, rig.now);
    snprintf(event, sizeof(event),
             "{\"type\":\"media\",\"state\":\"stored\",\"sha256\":\"%s\",\"size\":11,\"type_\":\"image/jpeg\"}",
             sha256);
    rig_event(&rig, "fb", "fb/m1#0", event);
    run();
    erase(3 * MINUTE_MS);
    assert_false(is_there(sha256));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_case_is_not_called_by_what_was_taken_back, reset),
        cmocka_unit_test_setup(an_edited_message_has_named_it_all_the_same, reset),
        cmocka_unit_test_setup(another_message_taken_back_leaves_the_name, reset),
        cmocka_unit_test_setup(what_was_unsent_before_it_came_is_not_read, reset),
        cmocka_unit_test_setup(its_file_goes, reset),
        cmocka_unit_test_setup(what_another_message_has_stays, reset),
        cmocka_unit_test_setup(what_was_stored_again_since_stays, reset),
        cmocka_unit_test_setup(a_file_that_comes_too_late_goes, reset),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
