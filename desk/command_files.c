/*
 * command_files.c: the files that come with a command: named, judged, and only then stored.
 *
 * Their bytes are the command's raw bytes, one after the other, in the order of its member
 * "attachments": [{name, type, size}].
 */
#include "desk/ask.h"
#include "kit/sign.h"
#include "kit/text.h"

#include <stdlib.h>
#include <string.h>

void ask_files_clear(struct ask_files *f) {
    size_t i;

    for (i = 0; i < f->count; i++) {
        free(f->list[i].name);
        free(f->list[i].type);
        free(f->list[i].sha256);
    }
    f->count = 0;
}

/* The next file; nothing is stored yet. */
static int name_file(struct ask *a, const json_t *j, size_t *at, struct aduan_attachment *ret) {
    const char *name = json_string_value(json_object_get(j, "name"));
    const char *type = json_string_value(json_object_get(j, "type"));
    json_int_t size = json_integer_value(json_object_get(j, "size"));
    char sha256[SIGN_HEX256];

    if (name == NULL || size <= 0 || (size_t)size > a->e->raw_len - *at)
        return ask_refuse(a, "attachment: name and size do not fit the bytes");
    sign_sha256_hex((const char *)a->e->raw + *at, (size_t)size, sha256);
    *at += (size_t)size;
    ret->name = text_clean_filename(name, strlen(name));
    ret->type = xstrdup(type != NULL ? type : "application/octet-stream");
    ret->size = size;
    ret->sha256 = xstrdup(sha256);
    ret->state = ADUAN_ATTACHMENT_STORED;
    return 0;
}

int ask_files(struct ask *a, struct ask_files *ret) {
    const json_t *j = json_object_get(a->json, "attachments");
    size_t i, at = 0, count = json_array_size(j);
    int rc = 0;

    ret->count = 0;
    if (count > ASK_FILES_MAX)
        return ask_refuse(a, "at most %d attachments", ASK_FILES_MAX);
    for (i = 0; rc == 0 && i < count; i++) {
        rc = name_file(a, json_array_get(j, i), &at, &ret->list[i]);
        ret->count = i + (rc == 0);
    }
    if (rc == 0 && at != a->e->raw_len)
        rc = ask_refuse(a, "attachments: %zu bytes came, %zu were named", a->e->raw_len, at);
    return rc;
}

int ask_files_store(struct ask *a, const struct ask_files *f) {
    size_t i, at = 0;
    char sha256[SIGN_HEX256];
    int rc = 0;

    for (i = 0; rc >= 0 && i < f->count; i++) {
        rc = blob_put(a->room->o->blobs, (const char *)a->e->raw + at, (size_t)f->list[i].size, sha256);
        at += (size_t)f->list[i].size;
    }
    return rc < 0 ? ask_refuse(a, "the attachments could not be stored: %s", strerror(-rc)) : 0;
}
