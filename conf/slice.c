/*
 * slice.c: what one worker is handed, as JSON through a pipe, and its way back.
 *
 * A secret goes into a slice only when its row says that this role holds it;
 * a row without a role bit reaches no worker at all.
 */
#include "conf/internal.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ struct to JSON */

static json_t *secret_json(const struct aduan_secret *s) {
    return s->bytes ? json_stringn(s->bytes, s->len) : json_null();
}

static json_t *secrets_json(const struct aduan_secrets *s) {
    json_t *list = json_array();
    for (size_t i = 0; i < s->count; i++) {
        json_array_append_new(list, secret_json(&s->items[i]));
    }
    return list;
}

static json_t *strings_json(const struct aduan_strings *s) {
    json_t *list = json_array();
    for (size_t i = 0; i < s->count; i++) {
        json_array_append_new(list, json_string(s->items[i]));
    }
    return list;
}

static json_t *table_json(const struct aduan_setting *table, const void *settings, enum conf_role role);

static json_t *row_json(const struct aduan_setting *row, const void *member, enum conf_role role) {
    switch (row->type) {
    case ADUAN_TYPE_STRING:
    case ADUAN_TYPE_URL:
    case ADUAN_TYPE_FILE:
        return json_string(*(char *const *)member);
    case ADUAN_TYPE_BOOL:
        return json_boolean(*(const bool *)member);
    case ADUAN_TYPE_INT:
    case ADUAN_TYPE_DURATION:
    case ADUAN_TYPE_SIZE:
        return json_integer(*(const int64_t *)member);
    case ADUAN_TYPE_CHOICE:
        return json_integer(*(const int *)member);
    case ADUAN_TYPE_SECRET:
        return secret_wanted(role, row->flags) ? secret_json(member) : NULL;
    case ADUAN_TYPE_SECRETS:
        return secret_wanted(role, row->flags) ? secrets_json(member) : NULL;
    case ADUAN_TYPE_STRINGS:
        return strings_json(member);
    case ADUAN_TYPE_GROUP:
        return table_json(row->sub, member, role);
    }
    return NULL;
}

static json_t *table_json(const struct aduan_setting *table, const void *settings, enum conf_role role) {
    json_t *o = json_object();
    for (const struct aduan_setting *row = table; settings && row && row->key; row++) {
        json_t *v = row_json(row, conf_cmember(settings, row->offset), role);
        if (v) {
            json_object_set_new(o, row->key, v);
        }
    }
    return o;
}

json_t *conf_slice(const struct conf *c, enum conf_role role, const char *account) {
    json_t *accounts = json_array();
    for (size_t i = 0; i < c->account_count; i++) {
        const struct conf_account *a = &c->accounts[i];
        if (account && strcmp(account, a->name) != 0) {
            continue;
        }
        json_t *o = table_json(conf_account_table, a, role);
        json_object_set_new(o, "digest", json_string(a->digest));
        json_object_set_new(o, "settings", table_json(a->table, a->settings, role));
        json_array_append_new(accounts, o);
    }
    json_t *slice = json_object();
    json_object_set_new(slice, "file", json_string(c->file));
    json_object_set_new(slice, "core", table_json(conf_core_table, c, role));
    json_object_set_new(slice, "core_digest", json_string(c->core_digest));
    json_object_set_new(slice, "accounts", accounts);
    return slice;
}

/* ------------------------------------------------------------------ JSON to struct */

static int take_secret(const json_t *v, struct aduan_secret *out) {
    if (json_is_string(v)) {
        out->len = json_string_length(v);
        out->bytes = xstrndup(json_string_value(v), out->len);
    }
    return json_is_string(v) || json_is_null(v) ? 0 : -1;
}

static int take_secrets(const json_t *v, struct aduan_secrets *out) {
    size_t n = json_array_size(v);
    out->items = xcalloc(n ? n : 1, sizeof *out->items);
    int rc = json_is_array(v) ? 0 : -1;
    for (size_t i = 0; i < n; i++) {
        rc |= take_secret(json_array_get(v, i), &out->items[out->count]);
        out->count++;
    }
    return rc;
}

static int take_strings(const json_t *v, struct aduan_strings *out) {
    size_t n = json_array_size(v);
    out->items = xcalloc(n ? n : 1, sizeof *out->items);
    for (size_t i = 0; i < n; i++) {
        const char *s = json_string_value(json_array_get(v, i));
        out->items[out->count++] = xstrdup(s ? s : "");
    }
    return json_is_array(v) ? 0 : -1;
}

static int take_string(const json_t *v, char **out) {
    const char *s = json_string_value(v);
    *out = xstrdup(s ? s : "");
    return s ? 0 : -1;
}

static int take_table(const struct aduan_setting *table, const json_t *o, void *out);

static int take_row(const struct aduan_setting *row, const json_t *v, void *member) {
    switch (row->type) {
    case ADUAN_TYPE_STRING:
    case ADUAN_TYPE_URL:
    case ADUAN_TYPE_FILE:
        return take_string(v, member);
    case ADUAN_TYPE_BOOL:
        *(bool *)member = json_is_true(v);
        return json_is_boolean(v) ? 0 : -1;
    case ADUAN_TYPE_INT:
    case ADUAN_TYPE_DURATION:
    case ADUAN_TYPE_SIZE:
        *(int64_t *)member = json_integer_value(v);
        return json_is_integer(v) ? 0 : -1;
    case ADUAN_TYPE_CHOICE:
        *(int *)member = (int)json_integer_value(v);
        return json_is_integer(v) ? 0 : -1;
    case ADUAN_TYPE_SECRET:
        return v ? take_secret(v, member) : 0; /* absent: not for this role */
    case ADUAN_TYPE_SECRETS:
        return v ? take_secrets(v, member) : 0;
    case ADUAN_TYPE_STRINGS:
        return take_strings(v, member);
    case ADUAN_TYPE_GROUP:
        return take_table(row->sub, v, member);
    }
    return -1;
}

static int take_table(const struct aduan_setting *table, const json_t *o, void *out) {
    int rc = json_is_object(o) ? 0 : -1;
    for (const struct aduan_setting *row = table; row && row->key; row++) {
        rc |= take_row(row, json_object_get(o, row->key), conf_member(out, row->offset));
    }
    return rc;
}

static void take_digest(const json_t *v, char ret[65]) {
    const char *s = json_string_value(v);
    if (s && strlen(s) == 64) {
        memcpy(ret, s, 65);
    }
}

static void take_account(const json_t *o, conf_lookup lookup, void *arg, struct conf_account *a,
                         const char *file, struct faults *faults) {
    const char *known = NULL;
    struct conf_connector_type type = { NULL, 0, NULL };
    if (take_table(conf_account_table, o, a) != 0) {
        faults_add(faults, file, 0, "connectors", "the slice is damaged");
    } else if (lookup && lookup(arg, a->type, &type, &known) != 0) {
        faults_add(faults, file, 0, a->name, "there is no connector \"%s\"", a->type);
    }
    take_digest(json_object_get(o, "digest"), a->digest);
    if (type.table) {
        a->table = type.table;
        a->settings_size = type.settings_size;
        a->settings = xcalloc(1, type.settings_size ? type.settings_size : 1);
        if (take_table(type.table, json_object_get(o, "settings"), a->settings) != 0) {
            faults_add(faults, file, 0, a->name, "the slice is damaged");
        }
    }
}

struct conf *conf_from_slice(const json_t *slice, conf_lookup lookup, void *arg, struct faults *faults) {
    struct conf *c = xcalloc(1, sizeof *c);
    const json_t *accounts = json_object_get(slice, "accounts");
    size_t n = json_array_size(accounts);
    take_string(json_object_get(slice, "file"), &c->file);
    if (take_table(conf_core_table, json_object_get(slice, "core"), c) != 0) {
        faults_add(faults, c->file, 0, "", "the slice is damaged");
    }
    take_digest(json_object_get(slice, "core_digest"), c->core_digest);
    c->accounts = xcalloc(n ? n : 1, sizeof *c->accounts);
    for (; c->account_count < n; c->account_count++) {
        take_account(json_array_get(accounts, c->account_count), lookup, arg, &c->accounts[c->account_count],
                     c->file, faults);
    }
    return c;
}
