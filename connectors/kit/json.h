/*
 * json.h: reading JSON from outside, on top of jansson.
 *
 * Getters never fail: a missing key, a wrong type or a NULL object gives NULL
 * (or the value named). Strings that stay are copied through text_clean*(), so
 * that a record is valid whatever came.
 */
#ifndef ADUAN_KIT_JSON_H
#define ADUAN_KIT_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes to JSON. What strict readers refuse but platforms send (half an emoji as a lone surrogate,
 * broken UTF-8, a NUL in a text) is repaired: one bad character must not cost a whole batch. NULL
 * when it is no JSON object or array at all. */
json_t *js_load(const void *bytes, size_t n);

const json_t *js_get(const json_t *object, const char *path);              /* "a.b.c"; NULL: not there */
const char *js_str(const json_t *object, const char *path);                /* borrowed; NULL: not a string */
int64_t js_int(const json_t *object, const char *path, int64_t otherwise); /* also "123" in a string */
bool js_true(const json_t *object, const char *path);

char *js_text(const json_t *object, const char *path); /* new, clean; NULL: not a string */
char *js_line(const json_t *object, const char *path,
              size_t max); /* the same on one line; NULL also when empty */
char *js_id(const json_t *object,
            const char *path); /* new, never cut; a string or an integer; NULL also when empty */

/* A copy whose every string is clean: fit for a record's extra. New reference; NULL of NULL. */
json_t *js_copy(const json_t *json);

#endif
