/* act.c: what an officer does to a case, sent to the desk as commands. */
#include "desk/ctl/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { TEXT_MAX = 256 * 1024, ATTACHED_MAX = 64 * 1024 * 1024 };

/* TEXT, or "-" for standard input. NULL: said why. */
char *ctl_take_text(const char *word) {
    char *s = strcmp(word, "-") == 0 ? ctl_read_stdin(TEXT_MAX) : text_clean(word, strlen(word));
    size_t n = s ? strlen(s) : 0;
    while (n > 0 && strchr(" \t\n", s[n - 1])) {
        s[--n] = '\0';
    }
    if (s && n == 0) {
        ctl_refuse("the text is empty");
        free(s);
        s = NULL;
    }
    return s;
}

/* ---------------------------------------------------------------------- attachments */

static const char *type_of(const char *name) {
    static const struct {
        const char *suffix, *type;
    } types[] = {
        { ".pdf", "application/pdf" },
        { ".jpg", "image/jpeg" },
        { ".jpeg", "image/jpeg" },
        { ".png", "image/png" },
        { ".txt", "text/plain" },
        { ".csv", "text/csv" },
        { ".mp4", "video/mp4" },
        { ".mp3", "audio/mpeg" },
        { ".doc", "application/msword" },
        { ".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
        { ".xls", "application/vnd.ms-excel" },
        { ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
    };
    char *lower = text_lower(name);
    const char *found = "application/octet-stream";
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (text_ends(lower, types[i].suffix)) {
            found = types[i].type;
        }
    }
    free(lower);
    return found;
}

int ctl_attach_file(const char *path, json_t *list, struct text *bytes) {
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC); /* does not wait for a pipe */
    FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
    struct stat st;
    if (!f || fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode)) {
        int rc = ctl_refuse("attachment \"%s\": %s", path, f ? "not a file" : strerror(errno));
        if (f) {
            fclose(f);
        }
        return rc;
    }
    size_t before = bytes->len;
    char buf[16384];
    for (size_t n; (n = fread(buf, 1, sizeof buf, f)) > 0 && bytes->len <= ATTACHED_MAX;) {
        text_add_n(bytes, buf, n);
    }
    bool bad = ferror(f) != 0;
    fclose(f);
    if (bad || bytes->len > ATTACHED_MAX || bytes->len == before) {
        return ctl_refuse("attachment \"%s\": %s", path,
                          bad                    ? "cannot be read"
                          : bytes->len == before ? "is empty"
                                                 : "too large");
    }
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    char *clean = text_clean_filename(name, strlen(name));
    json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "name", clean, "type", type_of(clean), "size",
                                          (json_int_t)(bytes->len - before)));
    free(clean);
    return CTL_DONE;
}

/* ---------------------------------------------------------------------------- verbs */

/* Sends and says in a line what was done; steals command. */
static int do_command(struct ctl *c, json_t *command, const void *raw, size_t raw_len, const char *done) {
    json_t *answer = NULL;
    int rc = ctl_command(c, command, raw, raw_len, &answer);
    if (rc != CTL_DONE || c->json) {
        return rc != CTL_DONE ? rc : ctl_print_json(answer);
    }
    const char *number = json_string_value(json_object_get(answer, "number"));
    const char *status = json_string_value(json_object_get(answer, "status"));
    const char *note = json_string_value(json_object_get(answer, "note"));
    printf("%s: %s%s%s%s%s%s\n", number ? number : c->words[0], done, status ? " (" : "",
           status ? ctl_label("status", status) : "", status ? ")" : "", note && note[0] ? "; " : "",
           note ? note : "");
    json_decref(answer);
    return CTL_DONE;
}

static bool asked(const struct ctl *c, const char *name) {
    return ctl_option(c, name) != NULL;
}

/* In public there is nothing to say but the invitation. */
static int reply_public(struct ctl *c) {
    if (c->word_count > 1 || asked(c, "attach") || asked(c, "allow-identity")) {
        return ctl_refuse("di ruang publik hanya ajakan R-14: tanpa teks, tanpa lampiran / in public only the "
                          "invitation R-14: no text, no attachments");
    }
    json_t *command = json_pack("{s:s, s:s, s:b, s:b}", "verb", "reply", "number", c->words[0], "public", 1,
                                "formal", asked(c, "formal"));
    return command ? do_command(c, command, NULL, 0, "ajakan dikirim lagi / invitation queued")
                   : ctl_refuse("this is not text (UTF-8)");
}

int ctl_reply(struct ctl *c) {
    if (asked(c, "public")) {
        return reply_public(c);
    }
    if (c->word_count < 2 || asked(c, "formal")) {
        return ctl_usage(c, c->word_count < 2 ? "the answer's text is missing" : "--formal goes with --public");
    }
    char *text = ctl_take_text(c->words[1]);
    json_t *list = json_array();
    struct text bytes = TEXT_INIT;
    int rc = text ? CTL_DONE : CTL_REFUSED;
    for (size_t i = 0; rc == CTL_DONE && i < c->option_count; i++) {
        if (strcmp(c->options[i].name, "attach") == 0) {
            rc = ctl_attach_file(c->options[i].value, list, &bytes);
        }
    }
    if (rc == CTL_DONE) {
        json_t *command = json_pack("{s:s, s:s, s:s, s:O, s:b}", "verb", "reply", "number", c->words[0], "text",
                                    text, "attachments", list, "identity", asked(c, "allow-identity"));
        rc = command
                 ? do_command(c, command, bytes.s, bytes.len, "jawaban diterima untuk dikirim / answer queued")
                 : ctl_refuse("this is not text (UTF-8)");
    }
    json_decref(list);
    text_free(&bytes);
    free(text);
    return rc;
}

int ctl_note(struct ctl *c) {
    char *text = ctl_take_text(c->words[1]);
    if (!text) {
        return CTL_REFUSED;
    }
    json_t *command = json_pack("{s:s, s:s, s:s}", "verb", "note", "number", c->words[0], "text", text);
    free(text);
    return command ? do_command(c, command, NULL, 0, "dicatat / noted")
                   : ctl_refuse("this is not text (UTF-8)");
}

static int with_reason(struct ctl *c, const char *verb, const char *done) {
    const char *reason = ctl_option(c, "reason");
    json_t *command =
        json_pack("{s:s, s:s, s:s}", "verb", verb, "number", c->words[0], "reason", reason ? reason : "");
    return command ? do_command(c, command, NULL, 0, done) : ctl_refuse("this is not text (UTF-8)");
}

int ctl_close(struct ctl *c) {
    return with_reason(c, "close", "selesai / closed");
}

int ctl_reopen(struct ctl *c) {
    return with_reason(c, "reopen", "dibuka kembali / reopened");
}

int ctl_assign(struct ctl *c) {
    const char *officer = strcmp(c->words[1], "-") == 0 ? "" : c->words[1];
    json_t *command = json_pack("{s:s, s:s, s:s}", "verb", "assign", "number", c->words[0], "officer", officer);
    return command ? do_command(c, command, NULL, 0, "petugas diganti / assigned")
                   : ctl_refuse("this is not text (UTF-8)");
}

int ctl_classify(struct ctl *c) {
    static const char *const fields[] = { "class",   "category", "section", "confidentiality",
                                          "urgency", "name",     "address", "phone" };
    json_t *command = json_pack("{s:s, s:s}", "verb", "classify", "number", c->words[0]);
    size_t given = 0;
    for (size_t i = 0; command && i < sizeof fields / sizeof fields[0]; i++) {
        const char *value = ctl_option(c, fields[i]);
        if (value) {
            given++;
            json_object_set_new(command, fields[i], json_string(value));
        }
    }
    if (given == 0) {
        json_decref(command);
        return ctl_usage(c, "nothing to change was given");
    }
    return do_command(c, command, NULL, 0, "diperbaiki / corrected");
}
