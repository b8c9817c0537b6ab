/* loop_outbox.c: durable lines at the end of a file. */
#include "loop_outbox.h"

#include "kit/step.h"
#include "kit/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *outbox_path(const char *outbox, const char *account) {
    struct stat st;

    if (stat(outbox, &st) == 0 && S_ISDIR(st.st_mode))
        return xasprintf("%s/%s.jsonl", outbox, account);
    return xstrdup(outbox);
}

int loop_deliveries(const char *outbox, const char *account, const char *id) {
    char *path = outbox_path(outbox, account), *line = NULL;
    char *key = xasprintf("{\"id\":\"%s\",", id);
    FILE *f = fopen(path, "re");
    size_t room = 0;
    int n = 0;

    while (f != NULL && getline(&line, &room, f) >= 0)
        n += text_starts(line, key);
    if (f != NULL)
        fclose(f);
    free(line);
    free(key);
    free(path);
    return n;
}

static json_t *delivery_json(const struct aduan_answer *a, int attempt, int64_t now) {
    static const char *const kinds[] = { "", "reply", "automatic", "template" };
    json_t *o = json_pack("{s:s, s:i, s:s, s:s?, s:s?, s:s?, s:s?, s:s?}", "id", a->id, "attempt", attempt,
                          "kind", kinds[a->kind], "to", a->to.id, "conversation", a->conversation, "subject",
                          a->subject, "text", a->text, "reply_to", a->reply_to);
    json_t *files = json_array();
    size_t i;

    for (i = 0; i < a->attachment_count; i++)
        json_array_append_new(files, json_pack("{s:s, s:s?}", "name", a->attachments[i].name, "sha256",
                                               a->attachments[i].sha256));
    json_object_set_new(o, "attachments", files);
    json_object_set_new(o, "at", json_integer(now));
    return o;
}

int loop_deliver(const char *outbox, const char *account, const struct aduan_answer *a, int attempt,
                 int64_t now) {
    json_t *o = delivery_json(a, attempt, now);
    char *line = json_dumps(o, JSON_COMPACT), *path = outbox_path(outbox, account);
    char *whole = xasprintf("%s\n", line);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    int r = fd < 0 ? -errno : 0;

    STEP("loop.deliver");
    if (r == 0 && write(fd, whole, strlen(whole)) != (ssize_t)strlen(whole))
        r = -EIO;
    if (r == 0 && fdatasync(fd) < 0)
        r = -errno;
    STEP("loop.delivered");
    if (fd >= 0)
        close(fd);
    free(whole);
    free(path);
    free(line);
    json_decref(o);
    return r;
}
