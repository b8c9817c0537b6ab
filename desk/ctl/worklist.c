/* worklist.c: answers that a person carries over: listed, exported, printed, and said to be done. */
#include "desk/worklist.h"

#include "desk/calendar.h"
#include "desk/ctl/ctl.h"
#include "desk/ctl/paper.h"
#include "desk/intake.h"
#include "desk/view.h"
#include "queue/blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLANK "……………………"

static const char *of(const json_t *o, const char *key) {
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

/* ----------------------------------------------------------------------- looking */

static int list(struct ctl *c) {
    int fault = 0;
    json_t *all = worklist_view(c->reg, ctl_option(c, "account"), c->now, c->offset, &fault), *j;
    if (!all) {
        return ctl_register_fault(c, fault);
    }
    if (c->json) {
        return ctl_print_json(all);
    }
    struct ctl_table t = { 0 };
    ctl_table_row(&t, 7, (const char *const[]){ "ID", "Nomor", "Kanal", "Cara", "Nama", "Tenggat", "Lewat" });
    size_t i;
    json_array_foreach(all, i, j) {
        char *due = ctl_short_time(json_string_value(json_object_get(j, "due_at")));
        bool late = json_is_true(json_object_get(j, "overdue"));
        ctl_table_row(
            &t, 7,
            (const char *const[]){ of(j, "id"), of(j, "number"), ctl_label("channel", of(j, "channel")),
                                   ctl_label("way", of(j, "way")), of(j, "name"), due, late ? "YA" : "" });
        free(due);
    }
    ctl_table_print(&t);
    json_decref(all);
    return CTL_DONE;
}

/* The item of the second word; NULL: said why. */
static json_t *take_item(struct ctl *c, int *ret_rc) {
    int fault = 0;
    json_t *item = worklist_item(c->reg, c->words[1], c->now, c->offset, &fault);
    *ret_rc = CTL_DONE;
    if (!item) {
        *ret_rc = fault == REG_NOTHING
                      ? ctl_refuse("tidak ada jawaban \"%s\" / there is no answer of that id", c->words[1])
                      : ctl_register_fault(c, fault);
    }
    return item;
}

/* Of a text to be pasted: what must not stand in it. New string, or NULL. */
static char *fault_of(const json_t *item) {
    return strcmp(of(item, "way"), "paste") == 0 ? worklist_private_fault(of(item, "text"), item) : NULL;
}

static int show(struct ctl *c) {
    static const struct {
        const char *label, *key;
    } rows[] = { { "Jawaban", "id" },    { "Pengaduan", "number" }, { "Status", "status" },
                 { "Kanal", "channel" }, { "Cara", "way" },         { "Nama", "name" },
                 { "Telepon", "phone" }, { "Alamat", "address" },   { "Tenggat", "due_at" } };
    int rc;
    json_t *item = take_item(c, &rc);
    if (!item || c->json) {
        return item ? ctl_print_json(item) : rc;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *value = of(item, rows[i].key);
        char *line = ctl_safe_line(strcmp(rows[i].key, "way") == 0       ? ctl_label("way", value)
                                   : strcmp(rows[i].key, "channel") == 0 ? ctl_label("channel", value)
                                   : strcmp(rows[i].key, "status") == 0  ? ctl_label("status", value)
                                                                         : value,
                                   400);
        printf("%-10s %s\n", rows[i].label, line[0] ? line : "-");
        free(line);
    }
    json_t *j;
    size_t k;
    json_array_foreach(json_object_get(item, "attachments"), k, j) {
        char *name = ctl_safe_line(of(j, "name"), 200);
        printf("%-10s %s\n", k == 0 ? "Lampiran" : "", name);
        free(name);
    }
    char *text = ctl_safe(of(item, "text")), *fault = fault_of(item);
    printf("\n%s\n", text);
    if (fault) {
        fprintf(stderr, "aduanctl: jangan ditempel / do not paste this: %s\n", fault);
    }
    free(fault);
    free(text);
    json_decref(item);
    return CTL_DONE;
}

/* ----------------------------------------------------------------------- wording */

struct office {
    struct templates *templates;
    struct calendar *calendar;
};

static void office_clear(struct office *o) {
    calendar_free(o->calendar);
    templates_free(o->templates);
}

static int office_load(const struct ctl *c, struct office *o) {
    struct faults f = { NULL, 0 };
    o->templates = templates_load(c->conf->policy, &f);
    o->calendar = calendar_load(c->conf->policy, c->conf->office.timezone, &f);
    int rc = f.count == 0 ? CTL_DONE : CTL_CONFIG;
    for (size_t i = 0; i < f.count; i++) {
        char *s = fault_text(&f.items[i]);
        fprintf(stderr, "aduanctl: %s\n", s);
        free(s);
    }
    faults_clear(&f);
    return rc;
}

/* A blank would look as if the officer only had to fill it in. */
static const char *where_to(const json_t *item, const char *lang) {
    bool english = text_equal(lang, "en");
    if (of(item, "address")[0]) {
        return of(item, "address");
    }
    if (of(item, "phone")[0]) {
        return english ? "(no address known: by telephone)" : "(alamat tidak ada: sampaikan melalui telepon)";
    }
    return english ? "(NO ADDRESS AND NO TELEPHONE KNOWN)" : "(TIDAK ADA ALAMAT MAUPUN TELEPON)";
}

/* R-18 with what is known; the office fills in the rest. */
static int letter(const struct office *o, const json_t *item, struct text *out) {
    const char *lang = of(item, "language");
    char *received =
        calendar_date_text(o->calendar, json_integer_value(json_object_get(item, "received_ms")), lang);
    size_t files = json_array_size(json_object_get(item, "attachments"));
    char *count = files > 0 ? xasprintf("%zu", files) : xstrdup("-");
    const struct template_value values[] = {
        { "nama", of(item, "name")[0] ? of(item, "name") : BLANK },
        { "nomor_tiket", of(item, "number") },
        { "nomor_surat", BLANK },
        { "kota", BLANK },
        { "tanggal_surat", BLANK },
        { "sifat", BLANK },
        { "jumlah_lampiran", count },
        { "alamat_tujuan", where_to(item, lang) },
        { "kanal", intake_channel_words(of(item, "channel"), lang) },
        { "tanggal_terima", received },
        { "ringkasan", of(item, "summary")[0] ? of(item, "summary") : BLANK },
        { "butir_jawaban", of(item, "text") },
        { "jabatan_penanda_tangan", BLANK },
        { "nama_penanda_tangan", BLANK },
        { "nip", BLANK },
        { "tembusan", BLANK },
    };
    char why[300] = "";
    int rc = template_render(o->templates, lang, "R-18", values, sizeof values / sizeof values[0], out, why,
                             sizeof why);
    free(count);
    free(received);
    return rc == 0 ? CTL_DONE : ctl_refuse("%s", why);
}

/* The text as it is to be carried over; for what is pasted, only if everybody may read it. */
static int word(const struct office *o, const json_t *item, struct text *out) {
    char why[300] = "";
    if (strcmp(of(item, "way"), "letter") == 0) {
        return letter(o, item, out);
    }
    if (strcmp(of(item, "way"), "paste") == 0) {
        return worklist_paste(o->templates, item, out, why, sizeof why) == 0
                   ? CTL_DONE
                   : ctl_refuse(
                         "%s; aduanctl worklist failed %s --reason ... lalu jawab ulang / then answer anew",
                         why, of(item, "id"));
    }
    text_add(out, of(item, "text"));
    return CTL_DONE;
}

static int print(struct ctl *c) {
    struct office o = { NULL, NULL };
    struct text text = TEXT_INIT;
    int64_t due = 0;
    int rc;
    json_t *item = take_item(c, &rc);
    if (!item) {
        return rc;
    }
    rc = office_load(c, &o);
    if (rc == CTL_DONE) {
        rc = word(&o, item, &text);
    }
    if (rc == CTL_DONE) {
        bool known = view_parse_time(of(item, "due_at"), c->offset, &due) == 0;
        char *until = known ? calendar_time_text(o.calendar, due, "id") : NULL;
        char *page = paper_answer(c->conf->office.name, item, text.s ? text.s : "", until);
        rc = ctl_write_new(c->words[2], page, strlen(page));
        free(page);
        free(until);
    }
    text_free(&text);
    office_clear(&o);
    json_decref(item);
    return rc;
}

/* --------------------------------------------------------------------- exporting */

/* A directory of our own: made, or there and empty. Its fd; -1: said why. */
static int take_directory(const char *path) {
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        ctl_refuse("\"%s\": %s", path, strerror(errno));
        return -1;
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), copy = fd >= 0 ? dup(fd) : -1;
    DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
    if (!d) {
        ctl_refuse("\"%s\": %s", path, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    size_t entries = 0;
    while (readdir(d) != NULL) {
        entries++;
    }
    closedir(d);
    if (entries > 2) {
        ctl_refuse("\"%s\" tidak kosong / is not empty: nothing is overwritten", path);
        close(fd);
        return -1;
    }
    return fd;
}

static int new_file(int dir, const char *name) {
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        ctl_refuse("\"%s\": %s", name, strerror(errno));
    }
    return fd;
}

static int put_all(int fd, const char *bytes, size_t n) {
    while (n > 0) {
        ssize_t k = write(fd, bytes, n);
        if (k < 0 && errno != EINTR) {
            return -1;
        }
        bytes += k > 0 ? k : 0;
        n -= k > 0 ? (size_t)k : 0;
    }
    return 0;
}

static int put_text(int dir, const char *name, const char *text) {
    int fd = new_file(dir, name);
    if (fd < 0) {
        return CTL_REFUSED;
    }
    bool bad = put_all(fd, text, strlen(text)) != 0 || put_all(fd, "\n", 1) != 0;
    bad = close(fd) != 0 || bad;
    return bad ? ctl_refuse("\"%s\": %s", name, strerror(errno)) : CTL_DONE;
}

static int copy_blob(struct blob_store *blobs, const char *sha256, int dir, const char *name) {
    char buf[65536];
    int from = blob_open(blobs, sha256), to = from >= 0 ? new_file(dir, name) : -1;
    ssize_t n = 1;
    if (from < 0) {
        return ctl_refuse("attachment \"%s\": %s", name, strerror(-from));
    }
    while (to >= 0 && (n = read(from, buf, sizeof buf)) > 0) {
        if (put_all(to, buf, (size_t)n) != 0) {
            n = -1;
            break;
        }
    }
    close(from);
    if (to < 0 || close(to) != 0 || n < 0) {
        return to < 0 ? CTL_REFUSED : ctl_refuse("attachment \"%s\": %s", name, strerror(errno));
    }
    return CTL_DONE;
}

/* A name nobody else in the folder has, whatever its letters' case; new. */
static char *unique_name(const char *said, char *const *taken, size_t count) {
    char *clean = text_clean_filename(said, strlen(said)), *name = xstrdup(clean);
    for (size_t i = 0, turn = 2; i < count; i++) {
        if (text_compare_nocase(name, taken[i]) == 0) {
            free(name);
            name = xasprintf("%zu-%.200s", turn++, clean);
            i = (size_t)-1;
        }
    }
    free(clean);
    return name;
}

static int put_attachments(struct ctl *c, const json_t *item, int dir) {
    const json_t *list = json_object_get(item, "attachments"), *j;
    size_t i, count = 2;
    char **taken = xcalloc(json_array_size(list) + 2, sizeof *taken);
    struct blob_store *blobs = NULL;
    int rc = CTL_DONE;
    taken[0] = xstrdup("answer.txt");
    taken[1] = xstrdup("README.txt");
    if (json_array_size(list) > 0 && blob_store_open(c->conf->state, &blobs) < 0) {
        rc = ctl_refuse("the attachments under \"%s\" cannot be read", c->conf->state);
    }
    for (i = 0; rc == CTL_DONE && i < json_array_size(list); i++) {
        j = json_array_get(list, i);
        taken[count] = unique_name(of(j, "name"), taken, count);
        rc = copy_blob(blobs, of(j, "sha256"), dir, taken[count++]);
    }
    if (blobs) {
        blob_store_close(blobs);
    }
    while (count > 0) {
        free(taken[--count]);
    }
    free(taken);
    return rc;
}

static char *readme(const json_t *item) {
    struct text t = TEXT_INIT;
    text_addf(&t,
              "Jawaban %s atas pengaduan %s (%s).\nTenggat: %s\nCara: %s\n\n"
              "answer.txt   teks yang disampaikan, siap disalin apa adanya\n"
              "berkas lain  lampiran jawaban\n\n"
              "Sesudah disampaikan:\n    aduanctl worklist done %s --ref NOMOR --as NAMA\n"
              "Bila tidak bisa disampaikan:\n    aduanctl worklist failed %s --reason ALASAN --as NAMA\n"
              "Hapus folder ini sesudah selesai: isinya data pribadi.",
              of(item, "id"), of(item, "number"), intake_channel_words(of(item, "channel"), "id"),
              of(item, "due_at"), ctl_label("way", of(item, "way")), of(item, "id"), of(item, "id"));
    return text_steal(&t);
}

static int export(struct ctl *c) {
    struct office o = { NULL, NULL };
    struct text text = TEXT_INIT;
    int rc, dir = -1;
    json_t *item = take_item(c, &rc);
    if (!item) {
        return rc;
    }
    rc = office_load(c, &o);
    if (rc == CTL_DONE && strcmp(of(item, "way"), "paste") == 0) {
        rc = word(&o, item, &text);
    } else if (rc == CTL_DONE) {
        text_add(&text, of(item, "text"));
    }
    if (rc == CTL_DONE && (dir = take_directory(c->words[2])) < 0) {
        rc = CTL_REFUSED;
    }
    if (rc == CTL_DONE) {
        rc = put_text(dir, "answer.txt", text.s ? text.s : "");
    }
    if (rc == CTL_DONE) {
        char *s = readme(item);
        rc = put_text(dir, "README.txt", s);
        free(s);
    }
    if (rc == CTL_DONE) {
        rc = put_attachments(c, item, dir);
    }
    if (dir >= 0) {
        close(dir);
    }
    text_free(&text);
    office_clear(&o);
    json_decref(item);
    return rc;
}

/* ------------------------------------------------------------------------ saying */

static int say(struct ctl *c, const char *verb) {
    static const char *const options[] = { "ref", "at", "reason" };
    json_t *command = json_pack("{s:s, s:s}", "verb", verb, "id", c->words[1]), *answer = NULL;
    for (size_t i = 0; command && i < sizeof options / sizeof options[0]; i++) {
        const char *value = ctl_option(c, options[i]);
        if (value) {
            json_object_set_new(command, options[i], json_string(value));
        }
    }
    int rc = command ? ctl_command(c, command, NULL, 0, &answer) : ctl_refuse("this is not text (UTF-8)");
    if (rc != CTL_DONE || c->json) {
        return rc != CTL_DONE ? rc : ctl_print_json(answer);
    }
    printf("%s: %s (%s)\n", of(answer, "number"), of(answer, "id"), ctl_label("status", of(answer, "status")));
    json_decref(answer);
    return CTL_DONE;
}

static int done(struct ctl *c) {
    return say(c, "worklist-done");
}

static int failed(struct ctl *c) {
    return ctl_option(c, "reason") ? say(c, "worklist-failed") : ctl_usage(c, "--reason is missing");
}

int ctl_worklist(struct ctl *c) {
    static const struct {
        const char *name;
        size_t words;
        bool reads;
        int (*run)(struct ctl *c);
    } kinds[] = { { "show", 2, true, show },
                  { "export", 3, true, export },
                  { "print", 3, true, print },
                  { "done", 2, false, done },
                  { "failed", 2, false, failed } };
    const char *name = c->word_count > 0 ? c->words[0] : NULL;
    if (!name) {
        int rc = ctl_open_register(c);
        return rc == CTL_DONE ? list(c) : rc;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, name) == 0 && c->word_count == kinds[i].words) {
            int rc = kinds[i].reads ? ctl_open_register(c) : CTL_DONE;
            return rc == CTL_DONE ? kinds[i].run(c) : rc;
        }
    }
    return ctl_usage(c, "worklist show, export, print, done or failed, and the answer's id");
}
