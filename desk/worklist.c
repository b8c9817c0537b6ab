/* worklist.c: what waits for a person, read from the register; see worklist.h. */
#include "desk/worklist.h"

#include "desk/identity.h"
#include "desk/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 100000, WORD_MIN = 4, PHONE_TAIL = 8, ADDRESS_MIN = 8 };

struct view {
    struct reg *r;
    const char *account;
    int64_t now;
    int offset;
    json_t *into;
};

bool worklist_is_portal(const char *channel) {
    return text_equal(channel, "lapor");
}

const char *worklist_way(const char *channel, const char *phone) {
    if (text_equal(channel, "letter"))
        return "letter";
    if (text_equal(channel, "counter"))
        return "hand";
    if (text_equal(channel, "phone"))
        return "call";
    if (text_equal(channel, "box"))
        return phone != NULL && phone[0] != '\0' ? "call" : "letter";
    return worklist_is_portal(channel) ? "paste" : "send";
}

static json_t *time_json(const struct view *v, int64_t ms) {
    char buf[40];

    if (ms <= 0)
        return json_null();
    view_time(ms, v->offset, buf, sizeof(buf));
    return json_string(buf);
}

static void add_known(json_t *list, const char *s) {
    if (s != NULL && s[0] != '\0')
        json_array_append_new(list, json_string(s));
}

static const char *either(const char *a, const char *b) {
    return a != NULL && a[0] != '\0' ? a : b != NULL ? b : "";
}

static void set_text(json_t *j, const char *key, const char *value) {
    json_object_set_new(j, key, json_string(value));
}

static json_t *describe(const struct view *v, const struct reg_out *o, const struct reg_case *c,
                        const struct reg_talk *t, const struct reg_message *m) {
    json_t *j = json_object(), *names = json_array(), *phones = json_array(), *addresses = json_array();
    const char *phone = either(c->phone, t->person.phone);
    int64_t end = c->met_at > 0 ? c->met_at : v->now;

    set_text(j, "id", o->key);
    set_text(j, "number", c->number);
    set_text(j, "status", answer_status_name(o->status));
    set_text(j, "account", o->account);
    set_text(j, "channel", c->channel);
    set_text(j, "way", worklist_way(c->channel, phone));
    set_text(j, "name", either(c->name, t->person.name));
    set_text(j, "address", c->address);
    set_text(j, "phone", phone);
    set_text(j, "language", either(m->language, c->language));
    set_text(j, "summary", c->subject);
    json_object_set_new(j, "received_at", time_json(v, c->received_at));
    json_object_set_new(j, "received_ms", json_integer(c->received_at));
    json_object_set_new(j, "queued_at", time_json(v, m->at));
    json_object_set_new(j, "due_at", time_json(v, c->due_at));
    json_object_set_new(j, "overdue", json_boolean(c->due_at > 0 && end > c->due_at));
    add_known(names, c->name);
    add_known(names, t->person.name);
    add_known(phones, c->phone);
    add_known(phones, t->person.phone);
    json_object_set_new(j, "names", names);
    add_known(addresses, c->address);
    add_known(addresses, t->person.address);
    json_object_set_new(j, "phones", phones);
    json_object_set_new(j, "addresses", addresses);
    return j;
}

static int add_attachment(void *arg, const struct reg_attachment *a) {
    return json_array_append_new(arg, json_pack("{s:s, s:s, s:I, s:s}", "name", a->name, "type", a->type,
                                                "size", (json_int_t)a->size, "sha256", a->sha256));
}

/* whole: with text and attachments. */
static int describe_out(struct view *v, const struct reg_out *o, bool whole, json_t **ret) {
    struct reg_case c = { 0 };
    struct reg_talk t = { 0 };
    struct reg_message m = { 0 };
    json_t *attachments = json_array();
    int rc = reg_case_get(v->r, o->ticket, &c);

    if (rc == 0)
        rc = reg_talk_get(v->r, o->talk, &t);
    if (rc == 0)
        rc = reg_message_get(v->r, o->message, &m);
    if (rc == 0 && whole)
        rc = reg_attachments(v->r, m.id, add_attachment, attachments);
    if (rc == 0) {
        *ret = describe(v, o, &c, &t, &m);
        if (whole)
            set_text(*ret, "text", m.text);
        if (whole)
            json_object_set(*ret, "attachments", attachments);
    }
    json_decref(attachments);
    reg_message_clear(&m);
    reg_talk_clear(&t);
    reg_case_clear(&c);
    return rc;
}

static int add_work(void *arg, const struct reg_out *o) {
    struct view *v = arg;
    json_t *j = NULL;
    int rc;

    if (v->account != NULL && v->account[0] != '\0' && strcmp(v->account, o->account) != 0)
        return 0;
    rc = describe_out(v, o, false, &j);
    if (rc == 0)
        json_array_append_new(v->into, j);
    return rc < 0 ? rc : 0;
}

json_t *worklist_view(struct reg *r, const char *account, int64_t now, int offset_minutes, int *ret_rc) {
    struct view v = { .r = r, .account = account, .now = now, .offset = offset_minutes, .into = json_array() };

    *ret_rc = reg_out_list(r, REG_OUT_BY_HAND, LIST_MAX, add_work, &v);
    if (*ret_rc == 0)
        return v.into;
    json_decref(v.into);
    return NULL;
}

struct find {
    const char *id;
    char *key;
};

static int match_work(void *arg, const struct reg_out *o) {
    struct find *f = arg;
    size_t n = strlen(f->id);

    if (strncmp(o->key, f->id, n) == 0 && o->key[n] == '-' && f->key == NULL)
        f->key = xstrdup(o->key);
    return 0;
}

int worklist_find(struct reg *r, const char *id, struct reg_out *ret) {
    struct find f = { .id = id };
    int rc = reg_out_by_key(r, id, ret);

    if (rc != REG_NOTHING || id[0] == '\0')
        return rc;
    rc = reg_out_list(r, REG_OUT_BY_HAND, LIST_MAX, match_work, &f);
    if (rc == 0)
        rc = f.key != NULL ? reg_out_by_key(r, f.key, ret) : REG_NOTHING;
    free(f.key);
    return rc;
}

json_t *worklist_item(struct reg *r, const char *id, int64_t now, int offset_minutes, int *ret_rc) {
    struct view v = { .r = r, .now = now, .offset = offset_minutes };
    struct reg_out o;
    json_t *j = NULL;

    *ret_rc = worklist_find(r, id, &o);
    if (*ret_rc != 0)
        return NULL;
    *ret_rc = describe_out(&v, &o, true, &j);
    reg_out_clear(&o);
    return j;
}

/* ----------------------------------------------------------- what may be pasted */

static bool is_word(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (unsigned char)c >= 0x80;
}

/* Does the word stand in the text, by itself, in any case? */
static bool has_word(const char *text, const char *word) {
    size_t n = strlen(word);
    const char *at = text;

    while ((at = text_find_nocase(at, word)) != NULL) {
        if ((at == text || !is_word(at[-1])) && !is_word(at[n]))
            return true;
        at++;
    }
    return false;
}

/* What stands for a name where there is none is no name. */
static bool is_name(const char *word) {
    static const char *const none[] = { "anonim", "anonymous", "pelapor", "rahasia" };
    size_t i;

    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        if (text_compare_nocase(none[i], word) == 0)
            return false;
    return strlen(word) >= WORD_MIN;
}

/* The first word of a name (or the whole of a short one) that the text holds; new, or NULL. */
static char *name_in(const char *text, const char *name) {
    const char *p = name;
    size_t length;

    while (*p != '\0') {
        size_t n = 0;
        char *word;

        while (*p != '\0' && !is_word(*p))
            p++;
        while (is_word(p[n]))
            n++;
        word = xstrndup(p, n);
        if (is_name(word) && has_word(text, word))
            return word;
        free(word);
        p += n;
    }
    /* A name of one short word, as a whole. */
    length = strlen(name);
    return length > 1 && length < WORD_MIN && has_word(text, name) ? xstrdup(name) : NULL;
}

/* The digits of a text, runs divided by a blank; "0811-7769 393" is one run. */
static char *digits_of(const char *s) {
    struct text t = TEXT_INIT;

    text_add(&t, "");
    for (; *s != '\0'; s++)
        if (*s >= '0' && *s <= '9')
            text_add_char(&t, *s);
        else if (strchr(" -.()/+", *s) == NULL && t.len > 0 && t.s[t.len - 1] != ' ')
            text_add_char(&t, ' ');
    return text_steal(&t);
}

static bool phone_in(const char *text, const char *phone) {
    char *where = digits_of(text), *digits = digits_of(phone);
    size_t n = strlen(digits);
    bool found = n >= PHONE_TAIL && strstr(where, digits + n - PHONE_TAIL) != NULL;

    free(where);
    free(digits);
    return found;
}

/* Letters and digits only, in one case: how an address is divided and shortened says nothing. */
static char *bare(const char *s, size_t n) {
    struct text t = TEXT_INIT;
    size_t i;

    text_add(&t, "");
    for (i = 0; i < n; i++)
        if (is_word(s[i]))
            text_add_char(&t, s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] - 'A' + 'a') : s[i]);
    return text_steal(&t);
}

/* The street is what stands before the first comma, where that is long enough to be told from a word. */
static bool address_in(const char *text, const char *address) {
    char *where = bare(text, strlen(text)), *street = bare(address, strcspn(address, ",\n"));
    char *whole = bare(address, strlen(address));
    const char *wanted = strlen(street) >= ADDRESS_MIN ? street : whole;
    bool found = strlen(wanted) >= ADDRESS_MIN && strstr(where, wanted) != NULL;

    free(where);
    free(street);
    free(whole);
    return found;
}

char *worklist_private_fault(const char *text, const json_t *who) {
    size_t i, count;
    char first[40], *masked = identity_mask(text, &count, first);
    const json_t *j;

    free(masked);
    if (count > 0)
        return xasprintf("Teks memuat nomor seperti NIK atau paspor (%s) / the text holds an identity number",
                         first);
    json_array_foreach(json_object_get(who, "names"), i, j) {
        char *word = name_in(text, json_string_value(j)), *fault;

        if (word == NULL)
            continue;
        fault = xasprintf("Teks memuat nama pelapor (\"%s\") / the text holds the reporter's name", word);
        free(word);
        return fault;
    }
    json_array_foreach(json_object_get(who, "phones"), i, j) {
        if (phone_in(text, json_string_value(j)))
            return xstrdup(
                "Teks memuat nomor telepon pelapor / the text holds the reporter's telephone number");
    }
    json_array_foreach(json_object_get(who, "addresses"), i, j) {
        if (address_in(text, json_string_value(j)))
            return xstrdup("Teks memuat alamat pelapor / the text holds the reporter's address");
    }
    return NULL;
}

int worklist_wrap(const struct templates *t, const char *language, const char *number, const char *text,
                  struct text *out, char *why, size_t why_size) {
    static const char mark[] = "(jawaban)";
    struct template_value values[] = { { "nomor_tiket", number }, { "jawaban", mark } };
    struct text frame = TEXT_INIT;
    const char *after;
    size_t before;
    int rc = template_render(t, language, "R-22", values, 2, &frame, why, why_size);

    after = rc >= 0 ? strstr(frame.s, mark) : NULL;
    if (after != NULL) {
        before = (size_t)(after - frame.s);
        after += strlen(mark);
        if (strlen(text) > before + strlen(after) && strncmp(text, frame.s, before) == 0 &&
            text_ends(text, after))
            text_add(out, text);
        else
            text_addf(out, "%.*s%s%s", (int)before, frame.s, text, after);
    } else if (rc >= 0) {
        snprintf(why, why_size, "R-22 tanpa {{jawaban}} / R-22 has no {{jawaban}}");
        rc = -1;
    }
    text_free(&frame);
    return rc < 0 ? -1 : 0;
}

int worklist_paste(const struct templates *t, const json_t *item, struct text *out, char *why,
                   size_t why_size) {
    const char *text = json_string_value(json_object_get(item, "text"));
    char *fault = worklist_private_fault(text, item);

    if (fault != NULL) {
        snprintf(why, why_size, "%s", fault);
        free(fault);
        return -1;
    }
    return worklist_wrap(t, json_string_value(json_object_get(item, "language")),
                         json_string_value(json_object_get(item, "number")), text, out, why, why_size);
}
