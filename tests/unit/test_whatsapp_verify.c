/* Who is believed: published signature vectors, two secrets while rotating, the handshake. */
#include "connector.h"
#include "records.h"

#include "kit/hook.h"
#include "kit/sign.h"
#include "kit/text.h"

#include "../../connectors/whatsapp/whatsapp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct aduan_connector aduan_connector;

static struct aduan_secret old_and_new[] = {
    { (char *)(uintptr_t) "rahasia-lama", 12 },
    { (char *)(uintptr_t) "rahasia-aplikasi-uji-123", 24 },
};

static const struct whatsapp_settings settings = {
    .app_secret = { old_and_new, 2 },
    .verify_token = { (char *)(uintptr_t) "token kita&=+", 13 },
};

static int ask(const struct whatsapp_settings *s, const char *signature, const void *body, size_t n,
               struct aduan_hook_answer *answer) {
    const struct aduan_header headers[] = { { "host", "x" }, { "x-hub-signature-256", signature } };
    const struct aduan_hook_request req = { "POST", "", headers, signature != NULL ? 2 : 1, body, n };

    memset(answer, 0x55, sizeof(*answer));
    return aduan_connector.verify(s, &req, answer);
}

static bool believed(const char *signature, const void *body, size_t n) {
    struct aduan_hook_answer answer;
    int r = ask(&settings, signature, body, n, &answer);

    if (r == 0)
        return true;
    assert_int_equal(r, ADUAN_HOOK_ANSWER);
    assert_int_equal(answer.status, 401);
    assert_int_equal(answer.body_len, 0);
    return false;
}

static void published_vectors_are_believed(void **state) {
    static const char minimal[] = "{\"object\":\"page\",\"entry\":[]}";

    (void)state;
    assert_true(
        believed("sha256=24656385d128e0a31194644bd77edc26579d80dbbeb047db4990fee61d56905f", minimal, 28));
    assert_true(believed("sha256=bbe06b32d0299df2a858439f5ba9f1ff3680b99d5cdd2d94c15bc4c6bfeb9e6c", "", 0));
    assert_false(
        believed("sha256=24656385d128e0a31194644bd77edc26579d80dbbeb047db4990fee61d56905f", minimal, 27));
}

/* Every sample by the signature in INDEX, which was computed elsewhere. */
static void every_sample_is_believed_and_no_other_byte(void **state) {
    size_t n, body_n, samples = 0;
    char *index = sample_read("whatsapp/INDEX", &n), *rest = index, *line, name[200], signature[100], *body,
         *path;

    (void)state;
    while ((line = strsep(&rest, "\n")) != NULL) {
        if (sscanf(line, "%150s %*u %80s", name, signature) != 2 || name[0] == '#')
            continue;
        path = xasprintf("whatsapp/%s", name);
        body = sample_read(path, &body_n);
        assert_true(believed(signature, body, body_n));
        body[body_n / 2] ^= 1;
        assert_false(believed(signature, body, body_n));
        samples++;
        free(body);
        free(path);
    }
    assert_int_equal(samples, 46);
    free(index);
}

static void what_is_no_signature_is_refused(void **state) {
    static const char body[] = "{\"object\":\"page\",\"entry\":[]}";
    static const char *const bad[] = {
        "",
        "sha256=",
        "24656385d128e0a31194644bd77edc26579d80dbbeb047db4990fee61d56905f",
        "sha256=24656385d128e0a31194644bd77edc26579d80dbbeb047db4990fee61d56905",
        "sha256=24656385d128e0a31194644bd77edc26579d80dbbeb047db4990fee61d56905f0",
        "sha256=24656385d128e0a31194644bd77edc26579d80dbbeb047db4990fee61d56905g",
        "sha1=b2394317b930d066c75bf4bd05e2669a98426de1",
        "sha256=0000000000000000000000000000000000000000000000000000000000000000",
        " sha256=24656385d128e0a31194644bd77edc26579d80dbbeb047db4990fee61d56905f",
    };
    size_t i;

    (void)state;
    assert_false(believed(NULL, body, 28));
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(believed(bad[i], body, 28));
}

static void any_secret_in_the_list_will_do_and_none_is_none(void **state) {
    static const char body[] = "isi";
    struct whatsapp_settings s = settings;
    struct aduan_secret empty[] = { { (char *)(uintptr_t) "", 0 }, { NULL, 0 } };
    struct aduan_hook_answer answer;
    uint8_t mac[SIGN_SHA256];
    char hex[SIGN_HEX256], *signature;

    (void)state;
    sign_hmac_sha256("rahasia-lama", 12, body, 3, mac);
    sign_hex(mac, sizeof(mac), hex);
    signature = xasprintf("sha256=%s", hex);
    assert_true(believed(signature, body, 3));
    free(signature);
    sign_hmac_sha256("", 0, body, 3, mac);
    sign_hex(mac, sizeof(mac), hex);
    signature = xasprintf("sha256=%s", hex);
    s.app_secret = (struct aduan_secrets){ empty, 2 };
    assert_int_equal(ask(&s, signature, body, 3, &answer), ADUAN_HOOK_ANSWER);
    s.app_secret = (struct aduan_secrets){ NULL, 0 };
    assert_int_equal(ask(&s, signature, body, 3, &answer), ADUAN_HOOK_ANSWER);
    assert_int_equal(answer.status, 401);
    free(signature);
}

static int shake(const struct whatsapp_settings *s, const char *query, struct aduan_hook_answer *answer) {
    const struct aduan_hook_request req = { .method = "GET", .query = query, .body = "" };

    assert_int_equal(aduan_connector.verify(s, &req, answer), ADUAN_HOOK_ANSWER);
    return answer->status;
}

static void the_handshake_gives_the_raw_challenge(void **state) {
    struct whatsapp_settings none = settings;
    struct aduan_hook_answer a;

    (void)state;
    assert_int_equal(shake(&settings,
                           "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=token%20kita%26%3D%2B",
                           &a),
                     200);
    assert_int_equal(a.body_len, 10);
    assert_memory_equal(a.body, "1158201444", 10);
    assert_int_equal(
        shake(&settings, "hub%2Emode=subscribe&hub.verify_token=token+kita%26%3d%2b&hub.challenge=7", &a), 200);
    assert_int_equal(shake(&settings, "hub.mode=subscribe&hub.challenge=1&hub.verify_token=token", &a), 403);
    assert_int_equal(a.body_len, 0);
    assert_int_equal(
        shake(&settings, "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=token%20kita%26%3D%2B", &a),
        403);
    assert_int_equal(shake(&settings, "hub.mode=subscribe&hub.verify_token=token%20kita%26%3D%2B", &a), 403);
    assert_int_equal(shake(&settings, "", &a), 403);
    assert_int_equal(shake(&settings, "&&=&%&%zz&hub.mode", &a), 403);
    none.verify_token = (struct aduan_secret){ NULL, 0 };
    assert_int_equal(shake(&none, "hub.mode=subscribe&hub.challenge=1&hub.verify_token=", &a), 403);
}

static void a_challenge_without_end_is_refused(void **state) {
    char *long_one = xcalloc(5000, 1), *query;
    struct aduan_hook_answer a;

    (void)state;
    memset(long_one, '1', 4999);
    query = xasprintf("hub.mode=subscribe&hub.verify_token=token+kita%%26%%3d%%2b&hub.challenge=%s", long_one);
    assert_int_equal(shake(&settings, query, &a), 403);
    free(query);
    free(long_one);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors_are_believed),
        cmocka_unit_test(every_sample_is_believed_and_no_other_byte),
        cmocka_unit_test(what_is_no_signature_is_refused),
        cmocka_unit_test(any_secret_in_the_list_will_do_and_none_is_none),
        cmocka_unit_test(the_handshake_gives_the_raw_challenge),
        cmocka_unit_test(a_challenge_without_end_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
