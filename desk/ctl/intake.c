/* intake.c: a complaint from the counter, the telephone, a letter or the box is logged; a receipt is printed.
 */
#include "desk/ctl/ctl.h"
#include "desk/ctl/paper.h"
#include "desk/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const channels[] = { "counter", "phone", "letter", "box" };

static bool is_channel(const char *name) {
    for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++) {
        if (text_equal(channels[i], name)) {
            return true;
        }
    }
    return false;
}

/* What the desk reads: see connectors/counter.c. NULL: said why (*ret_rc). */
static json_t *make_document(struct ctl *c, int *ret_rc) {
    static const struct {
        const char *option, *key;
    } lines[] = { { "channel", "channel" },   { "name", "name" },
                  { "address", "address" },   { "phone", "phone" },
                  { "identity", "identity" }, { "subject", "subject" },
                  { "party", "party" },       { "when", "when" },
                  { "where", "where" },       { "received-by", "received_by" } };
    const char *received = ctl_option(c, "received"), *text = ctl_option(c, "text");
    json_t *doc = json_object();
    int64_t ms = 0;
    *ret_rc = CTL_DONE;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *value = ctl_option(c, lines[i].option);
        if (value && json_object_set_new(doc, lines[i].key, json_string(value)) != 0) {
            *ret_rc = ctl_refuse("--%s is not text (UTF-8)", lines[i].option);
        }
    }
    if (*ret_rc == CTL_DONE && received && view_parse_time(received, c->offset, &ms) != 0) {
        *ret_rc = ctl_usage(c, "--received is a time as in 2026-10-05T09:12");
    } else if (received) {
        json_object_set_new(doc, "received_at", json_integer(ms));
    }
    char *said = *ret_rc == CTL_DONE && text ? ctl_take_text(text) : NULL;
    if (*ret_rc == CTL_DONE && text && !said) {
        *ret_rc = CTL_REFUSED;
    }
    if (said) {
        json_object_set_new(doc, "text", json_string(said));
    }
    free(said);
    if (*ret_rc == CTL_DONE) {
        return doc;
    }
    json_decref(doc);
    return NULL;
}

/* The copy of the ID comes first: it is evidence, and what makes a letter complete. */
static int add_files(struct ctl *c, json_t *list, struct text *bytes) {
    const char *copy = ctl_option(c, "id-copy");
    int rc = copy ? ctl_attach_file(copy, list, bytes) : CTL_DONE;
    if (rc == CTL_DONE && copy) {
        json_object_set_new(json_array_get(list, 0), "id_copy", json_true());
    }
    for (size_t i = 0; rc == CTL_DONE && i < c->option_count; i++) {
        if (strcmp(c->options[i].name, "attach") == 0) {
            rc = ctl_attach_file(c->options[i].value, list, bytes);
        }
    }
    return rc;
}

static const char *receipt_text(const json_t *answer, const char *key) {
    const char *s = json_string_value(json_object_get(json_object_get(answer, key), "text"));
    return s ? s : "";
}

static int print_receipt(struct ctl *c, json_t *answer) {
    const char *similar = json_string_value(json_object_get(answer, "possible_follow_up"));
    if (similar) {
        fprintf(
            stderr,
            "aduanctl: kemungkinan lanjutan %s: nomor telepon yang sama / possibly a follow-up of %s: the same "
            "telephone number\n",
            similar, similar);
    }
    if (c->json) {
        return ctl_print_json(answer);
    }
    char *id = ctl_safe(receipt_text(answer, "receipt_id")), *en = ctl_safe(receipt_text(answer, "receipt_en"));
    printf("%s\n\n%s\n", id, en);
    free(id);
    free(en);
    json_decref(answer);
    return CTL_DONE;
}

/* The case is there whatever becomes of the file. */
static int write_receipt(struct ctl *c, const json_t *answer) {
    const char *file = ctl_option(c, "receipt");
    if (!file) {
        return CTL_DONE;
    }
    char *page = paper_receipt(c->conf->office.name, answer);
    int rc = ctl_write_new(file, page, strlen(page));
    free(page);
    return rc;
}

int ctl_intake(struct ctl *c) {
    const char *account = ctl_option(c, "account");
    struct text bytes = TEXT_INIT;
    json_t *list = json_array(), *answer = NULL;
    int rc = CTL_DONE;
    if (!is_channel(ctl_option(c, "channel"))) {
        json_decref(list);
        return ctl_usage(c, "--channel is counter, phone, letter or box");
    }
    json_t *doc = make_document(c, &rc);
    if (rc == CTL_DONE) {
        rc = add_files(c, list, &bytes);
    }
    if (rc == CTL_DONE) {
        json_t *command =
            json_pack("{s:s, s:s, s:O, s:O, s:b}", "verb", "intake", "account", account ? account : "",
                      "document", doc, "attachments", list, "incomplete", ctl_option(c, "incomplete") != NULL);
        rc = ctl_command(c, command, bytes.s, bytes.len, &answer);
    }
    if (rc == CTL_DONE) {
        int written = write_receipt(c, answer);
        rc = print_receipt(c, answer);
        rc = written != CTL_DONE ? written : rc;
    }
    json_decref(doc);
    json_decref(list);
    text_free(&bytes);
    return rc;
}
