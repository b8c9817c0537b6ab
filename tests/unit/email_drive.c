/*
 * email_drive.c: the mail connector on a command line, for the system tests.
 *
 *     email_drive key=value… VERB…
 *
 * keys: url user pass address after poll idle limit backlog mark(file) smtp mailbox name auth nocommit stop
 * verbs: pull:MS  send:FILE.json  find:FILE.json  probe  parse:FILE  die (SIGKILL)  mark
 * Each verb prints one JSON line. Records are parsed here, in place of the parse worker.
 */
#include "email_host.h"

#include "connectors/kit/text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct drive {
    struct email_host host;
    struct email_settings settings;
    const char *mark_file;
    void *ctx;
    json_t *records;
};

static void load_mark(struct drive *d) {
    FILE *f = d->mark_file != NULL ? fopen(d->mark_file, "r") : NULL;

    if (f != NULL && fgets(d->host.mark, sizeof(d->host.mark), f) == NULL)
        d->host.mark[0] = '\0';
    if (f != NULL)
        fclose(f);
}

static void save_mark(struct drive *d) {
    FILE *f = d->mark_file != NULL ? fopen(d->mark_file, "w") : NULL;

    if (f == NULL)
        return;
    fputs(d->host.mark, f);
    fclose(f);
}

static void option(struct drive *d, const char *key, const char *value) {
    struct email_settings *s = &d->settings;
    const struct {
        const char *key;
        char **member;
    } strings[] = { { "url", &s->imap.url },
                    { "user", &s->imap.user },
                    { "address", &s->address },
                    { "after", &s->imap.after },
                    { "smtp", &s->smtp.url },
                    { "mailbox", &s->imap.mailbox },
                    { "name", &s->name },
                    { "pass", &s->imap.password.bytes },
                    { "token_url", &s->oauth.token_url } };
    const struct {
        const char *key;
        int64_t *member;
    } numbers[] = { { "poll", &s->imap.poll }, { "limit", &s->imap.limit }, { "backlog", &s->imap.backlog } };
    size_t i;

    for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
        if (strcmp(key, strings[i].key) == 0)
            email_host_set(strings[i].member, value);
    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (strcmp(key, numbers[i].key) == 0)
            *numbers[i].member = atoll(value);
    s->imap.password.len = strlen(s->imap.password.bytes);
    if (strcmp(key, "idle") == 0)
        s->imap.idle = atoi(value) != 0;
    else if (strcmp(key, "auth") == 0)
        s->auth = strcmp(value, "xoauth2") == 0 ? EMAIL_AUTH_XOAUTH2 : EMAIL_AUTH_PASSWORD;
    else if (strcmp(key, "mark") == 0)
        d->mark_file = value;
    else if (strcmp(key, "nocommit") == 0)
        d->host.no_commit = atoi(value) != 0;
    else if (strcmp(key, "stop") == 0)
        d->host.stop_after = atoi(value);
    else if (strcmp(key, "verbose") == 0)
        d->host.quiet = false;
    else if (strcmp(key, "blobs") == 0)
        snprintf(d->host.blob_dir, sizeof(d->host.blob_dir), "%s", value);
}

struct collect {
    struct aduan_sink sink;
    json_t *list;
};

static int collect(struct aduan_sink *sink, struct aduan_message *m) {
    json_array_append_new(((struct collect *)sink)->list, aduan_message_to_json(m));
    aduan_message_clear(m);
    return 0;
}

static json_t *parse_raw(struct drive *d, const void *bytes, size_t len, const char *id, int64_t at,
                         int64_t whole) {
    struct aduan_bytes in = { .bytes = bytes, .len = len, .id = id, .received_at = at, .whole_size = whole };
    struct collect c = { .sink = { .record = collect }, .list = json_array() };

    email_parse(&d->settings, &in, &c.sink);
    return c.list;
}

static int64_t wall(void) {
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static json_t *result_json(const struct aduan_result *r) {
    return json_pack("{s:i,s:i,s:I,s:s,s:s}", "outcome", (int)r->outcome, "scope", (int)r->scope, "retry_after",
                     (json_int_t)r->retry_after_ms, "platform_id", r->platform_id, "reason", r->reason);
}

static json_t *verb_pull(struct drive *d, const char *ms) {
    struct aduan_result result;
    size_t from = d->host.count, i;
    json_t *out, *list = json_array(), *emitted = json_array();
    int rc;

    rc = email_pull(d->ctx, atoll(ms), &result);
    if (d->host.stop_after == 0)
        d->host.base.ops->flush(&d->host.base);
    save_mark(d);
    for (i = from; i < d->host.count; i++) {
        const struct email_host_raw *r = &d->host.raws[i];
        json_t *records = parse_raw(d, r->bytes, r->len, r->id, r->received_at, r->whole_size);

        json_array_append_new(emitted,
                              json_pack("[I,I]", (json_int_t)r->emitted_at, (json_int_t)r->noticed_at));
        json_array_extend(list, records);
        json_decref(records);
    }
    out = result_json(&result);
    json_object_set_new(out, "rc", json_integer(rc));
    json_object_set_new(out, "records", list);
    json_object_set_new(out, "emitted", emitted);
    json_object_set_new(out, "mark", json_string(d->host.mark));
    json_object_set_new(out, "fault", json_string(d->host.fault));
    json_object_set_new(out, "log", json_string(d->host.log_last));
    json_object_set_new(out, "at", json_integer(wall()));
    return out;
}

static json_t *verb_answer(struct drive *d, const char *file, bool find) {
    struct aduan_answer a;
    struct aduan_result result;
    json_t *json = json_load_file(file, 0, NULL);
    char why[200] = "";

    memset(&a, 0, sizeof(a));
    memset(&result, 0, sizeof(result));
    if (json == NULL || aduan_answer_from_json(&a, json, why, sizeof(why)) != 0) {
        fprintf(stderr, "%s: %s\n", file, why);
        exit(2);
    }
    json_decref(json);
    if (find) {
        email_find(d->ctx, &a, &result);
    } else {
        email_send(d->ctx, &a, 7);
        result = d->host.result;
    }
    aduan_answer_clear(&a);
    return result_json(&result);
}

static json_t *verb_parse(struct drive *d, const char *file) {
    FILE *f = fopen(file, "rb");
    struct text t = TEXT_INIT;
    char buf[65536];
    size_t n;
    json_t *list;

    if (f == NULL)
        exit(2);
    while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
        text_add_n(&t, buf, n);
    fclose(f);
    list = parse_raw(d, t.s != NULL ? t.s : "", t.len, NULL, 0, 0);
    text_free(&t);
    return list;
}

static json_t *verb(struct drive *d, const char *v) {
    struct aduan_result result;

    if (d->ctx == NULL) {
        load_mark(d);
        email_open(&d->host.base, &d->settings, &d->ctx);
        d->host.ctx = d->ctx;
    }
    if (text_starts(v, "pull:"))
        return verb_pull(d, v + 5);
    if (text_starts(v, "send:"))
        return verb_answer(d, v + 5, false);
    if (text_starts(v, "find:"))
        return verb_answer(d, v + 5, true);
    if (text_starts(v, "parse:"))
        return verb_parse(d, v + 6);
    if (strcmp(v, "die") == 0)
        raise(SIGKILL);
    if (strcmp(v, "probe") == 0) {
        memset(&result, 0, sizeof(result));
        email_probe(d->ctx, &result);
        return result_json(&result);
    }
    fprintf(stderr, "unknown verb %s\n", v);
    exit(2);
}

int main(int argc, char **argv) {
    struct drive d;
    int i;

    memset(&d, 0, sizeof(d));
    email_host_init(&d.host);
    email_host_settings(&d.settings, "pengaduan@kantor.test", "imap://127.0.0.1:143", "pengaduan", "rahasia");
    for (i = 1; i < argc; i++) {
        char *eq = strchr(argv[i], '='), *key;

        if (eq != NULL && memchr(argv[i], ':', (size_t)(eq - argv[i])) == NULL) {
            key = xstrndup(argv[i], (size_t)(eq - argv[i]));
            option(&d, key, eq + 1);
            free(key);
            continue;
        }
        json_t *out = verb(&d, argv[i]);
        char *line = json_dumps(out, JSON_COMPACT);

        puts(line);
        fflush(stdout);
        free(line);
        json_decref(out);
    }
    email_close(d.ctx);
    email_host_clear(&d.host);
    email_host_settings_clear(&d.settings);
    return 0;
}
