/* desk_tests.c: see desk_tests.h. */
#include "desk_tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct rig rig;

static void demand(bool ok, const char *what, const json_t *answer) {
    if (!ok)
        fail_msg("%s: %s", what, answer != NULL ? json_dumps(answer, 0) : "no answer");
}

int start(void **state) {
    (void)state;
    rig_start(&rig);
    return 0;
}

int stop(void **state) {
    (void)state;
    rig_stop(&rig);
    return 0;
}

int reset(void **state) {
    (void)state;
    rig_reset(&rig);
    rig.now = 1791162720000;
    return 0;
}

void run(void) {
    demand(rig_run(&rig) == 0, "the desk failed", NULL);
}

void command_with(const char *json, const void *raw, size_t raw_len, bool ok, const char *words) {
    json_t *answer = rig_command(&rig, json, raw, raw_len);

    demand(answer != NULL, json, NULL);
    demand(json_is_true(json_object_get(answer, "ok")) == ok, json, answer);
    demand(words == NULL || strstr(rig_string(answer, "error"), words) != NULL, words, answer);
    json_decref(answer);
}

void command(const char *json, bool ok) {
    command_with(json, NULL, 0, ok, NULL);
}

bool history_says(const json_t *show, const char *event, const char *words) {
    const json_t *history = json_object_get(show, "history");
    size_t i;

    for (i = 0; i < json_array_size(history); i++)
        if (strcmp(rig_string(json_array_get(history, i), "event"), event) == 0 &&
            strstr(rig_string(json_array_get(history, i), "detail"), words) != NULL)
            return true;
    return false;
}

json_t *last_answer(const char *account) {
    json_t *out = rig_out(&rig, account);
    json_t *last = json_incref(json_array_get(out, json_array_size(out) - 1));

    json_decref(out);
    return last;
}
