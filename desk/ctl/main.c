/*
 * main.c: aduanctl, the office's book from a terminal.
 *
 * The command line is taken apart here, against one table: every verb's words
 * and options stand in it with their usage, so that help, checking and the
 * verb itself cannot differ.
 */
#include "desk/ctl/ctl.h"

#include "desk/view.h"
#include "queue/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* options: names divided by blanks; those that end in '=' take a value. */
static const struct verb {
    const char *name;
    int (*run)(struct ctl *c);
    size_t words_min, words_max;
    const char *options, *usage, *help;
} verbs[] = {
    { "status", ctl_status, 0, 0, "", "status",
      "Keadaan layanan dan tiap akun / the service and every account" },
    { "tickets", ctl_tickets, 0, 0, "state= section= officer= channel= search= limit= overdue open",
      "tickets [--state S] [--section S] [--officer U] [--channel C] [--overdue] [--open] [--search TEXT] "
      "[--limit N]",
      "Daftar pengaduan, terbaru dahulu / list of complaints, newest first" },
    { "show", ctl_show, 1, 1, "", "show NUMBER", "Segala hal tentang satu pengaduan / everything about one" },
    { "reply", ctl_reply, 1, 2, "attach= public formal allow-identity",
      "reply NUMBER TEXT|- [--attach FILE]... [--allow-identity] | reply NUMBER --public [--formal]",
      "Jawab lewat kanal asalnya, tulisan publik secara pribadi; \"-\" membaca masukan; --public: hanya ajakan "
      "menulis pribadi / answer the way it came, a public message privately; \"-\" reads standard input; "
      "--public: "
      "the invitation to write privately, nothing else" },
    { "note", ctl_note, 2, 2, "", "note NUMBER TEXT|-",
      "Catatan, hanya untuk petugas / a note for officers only" },
    { "close", ctl_close, 1, 1, "reason=", "close NUMBER [--reason R]", "Nyatakan selesai / close" },
    { "reopen", ctl_reopen, 1, 1, "reason=", "reopen NUMBER [--reason R]", "Buka kembali / reopen" },
    { "assign", ctl_assign, 2, 2, "", "assign NUMBER USER|-",
      "Serahkan kepada petugas (\"-\" tidak ada) / assign to an officer" },
    { "classify", ctl_classify, 1, 1,
      "class= category= section= confidentiality= urgency= name= address= phone=",
      "classify NUMBER [--class C] [--category C] [--section S] [--confidentiality C] [--urgency U] [--name N] "
      "[--address A] [--phone P]",
      "Perbaiki golongan atau data pengadu / correct what is known of it" },
    { "intake", ctl_intake, 0, 0,
      "channel= account= name= address= phone= identity= subject= text= party= when= where= received= attach= "
      "id-copy= received-by= receipt= incomplete",
      "intake --channel counter|phone|letter|box [--account A] [--name N] [--address A] [--phone P] "
      "[--identity KTP] "
      "[--subject S] [--text TEXT|-] [--party P] [--when W] [--where W] [--received TIME] [--attach FILE]... "
      "[--id-copy FILE] [--received-by NAME] [--incomplete] [--receipt FILE.html]",
      "Catat pengaduan di loket, telepon, surat, kotak saran; mencetak tanda terima / log a complaint; prints "
      "the "
      "receipt" },
    { "import", ctl_import, 2, 2, "", "import ACCOUNT FILE|-",
      "Masukkan laporan dari berkas (CSV, JSON, surel pemberitahuan) ke akun yang dapat membacanya / reports "
      "from a "
      "file into an account that can read them" },
    { "worklist", ctl_worklist, 0, 3, "account= ref= at= reason=",
      "worklist [--account A] | worklist show ID | export ID DIR | print ID FILE.html | done ID [--ref TEXT] "
      "[--at TIME] | failed ID --reason R",
      "Jawaban yang disampaikan petugas sendiri / answers that are carried over by hand" },
    { "connectors", ctl_connectors, 0, 2, "in out", "connectors [probe|pause|resume NAME [--in|--out]]",
      "Akun kanal; hentikan atau lanjutkan / accounts; pause or resume one" },
    { "dead", ctl_dead, 0, 2, "account= reason=", "dead [show|retry|drop ID] [--account A] [--reason R]",
      "Kiriman yang perlu ditangani orang / what needs a person" },
    { "replay", ctl_replay, 0, 0, "account= from= failed", "replay --account A --from TIME [--failed]",
      "Baca ulang naskah asli yang tersimpan / parse kept raw bytes again" },
    { "user", ctl_user, 0, 2, "role= name= section= email=",
      "user [add NAME --role R [--name FULL] [--section S] [--email A] | passwd NAME | disable NAME | enable "
      "NAME]",
      "Petugas; kata sandi dari masukan / people; the password comes from standard input" },
    { "try", ctl_try, 0, 0, "channel= at= subject= anonymous secret",
      "try --channel C [--at TIME] [--subject S] [--anonymous] [--secret] < TEXT",
      "Coba: kelengkapan, arah dan tenggat sebuah teks, tanpa mencatat apa pun / what would be made of a text; "
      "touches nothing" },
    { "due", ctl_due, 0, 0, "received= channel=", "due --received TIME [--channel C]",
      "Tenggat dan hari yang dihitung / the deadline, with the days counted" },
};

enum { VERB_COUNT = sizeof verbs / sizeof verbs[0] };

static const char *const globals = "json as= request= again config= help version";

static void help(FILE *out) {
    fprintf(out, "Pemakaian / usage: aduanctl [-c FILE] VERB ... [--as USER] [--json]\n\n");
    for (size_t i = 0; i < VERB_COUNT; i++) {
        fprintf(out, "  %s\n      %s\n", verbs[i].usage, verbs[i].help);
    }
    fprintf(
        out,
        "\n  -c FILE     konfigurasi / configuration (%s)\n"
        "  --as USER   petugas yang bertindak / the acting officer\n"
        "  --json      keluaran untuk program / output for programs\n"
        "  --request ID  ulangi perintah itu, dilaksanakan sekali saja / repeat that command, done once only\n"
        "  --again     lakukan meskipun yang sama baru dilaksanakan / do it although the same was just done\n"
        "\nWaktu / times: 2026-10-05T09:12:00+07:00, 2026-10-05T09:12, 2026-10-05\n"
        "Hasil / exit: 0 berhasil / done, 1 ditolak / refused, 2 salah tulis / usage, 78 konfigurasi / "
        "configuration\n",
        conf_default_file());
}

static const struct verb *find_verb(const char *name) {
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return &verbs[i];
        }
    }
    return NULL;
}

static const struct verb *nearest_verb(const char *name) {
    const struct verb *best = NULL;
    size_t distance = strlen(name) / 3 + 2;
    for (size_t i = 0; i < VERB_COUNT; i++) {
        size_t d = text_distance(name, verbs[i].name);
        if (d < distance) {
            distance = d;
            best = &verbs[i];
        }
    }
    return best;
}

/* Is "name" in the list? 1: a switch, 2: takes a value, 0: no. */
static int in_list(const char *list, const char *name, size_t n) {
    for (const char *p = list; *p; p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");
        bool value = len > 0 && p[len - 1] == '=';
        if (len - value == n && strncmp(p, name, n) == 0) {
            return value ? 2 : 1;
        }
        p += len;
    }
    return 0;
}

/* Options may stand anywhere, and what a verb knows is only clear once it is read: so all are
 * collected first, with a value where any verb's option of that name takes one. */
static int takes_value(const char *name, size_t n) {
    int kind = in_list(globals, name, n);
    for (size_t i = 0; kind == 0 && i < VERB_COUNT; i++) {
        kind = in_list(verbs[i].options, name, n);
    }
    return kind;
}

static int add_option(struct ctl *c, const char *name, const char *value) {
    if (c->option_count == CTL_OPTIONS_MAX) {
        return ctl_usage(c, "too many options");
    }
    c->options[c->option_count++] = (struct ctl_option){ name, value };
    return CTL_DONE;
}

/* --name, --name=value, --name value. Moves *i past the value. */
static int take_option(struct ctl *c, char **argv, int argc, int *i) {
    char *name = argv[*i] + 2, *equals = strchr(name, '=');
    int kind = takes_value(name, equals ? (size_t)(equals - name) : strlen(name));
    if (kind == 2 && !equals && *i + 1 >= argc) {
        return ctl_usage(c, "--%s needs a value", name);
    }
    if (equals && kind == 1) {
        return ctl_usage(c, "--%.*s takes no value", (int)(equals - name), name);
    }
    if (equals) {
        *equals = '\0';
    }
    return add_option(c, name, equals ? equals + 1 : kind == 2 ? argv[++*i] : "");
}

static int take_word(struct ctl *c, const char **verb, const char *word) {
    if (!*verb) {
        const struct verb *v = find_verb(word);
        c->usage = v ? v->usage : c->usage;
        *verb = word;
        return CTL_DONE;
    }
    if (c->word_count == CTL_WORDS_MAX) {
        return ctl_usage(c, "too many words; put a text into quotes");
    }
    c->words[c->word_count++] = word;
    return CTL_DONE;
}

static int take_arguments(struct ctl *c, int argc, char **argv, const char **verb) {
    bool only_words = false;
    int rc = CTL_DONE;
    for (int i = 1; i < argc && rc == CTL_DONE; i++) {
        if (only_words || argv[i][0] != '-' || argv[i][1] == '\0') {
            rc = take_word(c, verb, argv[i]);
        } else if (strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (strcmp(argv[i], "-c") == 0) {
            rc = i + 1 < argc ? add_option(c, "config", argv[++i]) : ctl_usage(c, "-c needs a file");
        } else if (strcmp(argv[i], "-h") == 0) {
            rc = add_option(c, "help", "");
        } else if (argv[i][1] != '-') {
            rc = ctl_usage(c, "unknown option \"%s\"", argv[i]);
        } else {
            rc = take_option(c, argv, argc, &i);
        }
    }
    return rc;
}

static int check_options(struct ctl *c, const struct verb *v) {
    for (size_t i = 0; i < c->option_count; i++) {
        const char *name = c->options[i].name;
        if (in_list(globals, name, strlen(name)) == 0 && in_list(v->options, name, strlen(name)) == 0) {
            return ctl_usage(c, "%s has no option --%s", v->name, name);
        }
    }
    if (c->word_count < v->words_min || c->word_count > v->words_max) {
        return ctl_usage(c, c->word_count < v->words_min ? "something is missing"
                                                         : "too many words; put a text into quotes");
    }
    return CTL_DONE;
}

/* status tells what is wrong, so it goes on with what can be read of a broken file. */
static bool goes_on(struct ctl *c, const struct verb *v) {
    return v->run == ctl_status && c->conf_faults && access(c->file, R_OK) == 0;
}

static int configure(struct ctl *c, const struct verb *v) {
    struct faults faults = { NULL, 0 };
    c->conf = conf_read(c->file, CONF_FOR_TOOL, NULL, NULL, &faults);
    for (size_t i = 0; i < faults.count; i++) {
        char *s = fault_text(&faults.items[i]);
        fprintf(stderr, "aduanctl: %s\n", s);
        c->conf_faults = c->conf_faults ? c->conf_faults : json_array();
        json_array_append_new(c->conf_faults, json_string(s));
        free(s);
    }
    int rc = faults.count > 0 && !goes_on(c, v) ? CTL_CONFIG : CTL_DONE;
    faults_clear(&faults);
    if (rc == CTL_DONE && view_zone_offset(c->conf->office.timezone, c->now, &c->offset) != 0) {
        fprintf(stderr, "aduanctl: %s: office.timezone: unknown\n", c->file);
        rc = goes_on(c, v) ? CTL_DONE : CTL_CONFIG;
    }
    if (rc == CTL_DONE) {
        struct queue_options o = { .redis = c->conf->queue.redis,
                                   .user = c->conf->queue.user,
                                   .password = c->conf->queue.password.bytes };
        c->queue = queue_new(&o);
    }
    return rc;
}

static int run(struct ctl *c, const struct verb *v) {
    if (ctl_option(c, "help")) {
        printf("aduanctl %s\n    %s\n", v->usage, v->help);
        return CTL_DONE;
    }
    int rc = check_options(c, v);
    if (rc == CTL_DONE) {
        rc = configure(c, v);
    }
    if (rc == CTL_DONE) {
        rc = v->run(c);
    }
    reg_close(c->reg);
    queue_free(c->queue);
    conf_free(c->conf);
    json_decref(c->conf_faults);
    return rc;
}

int main(int argc, char **argv) {
    struct ctl c = { .file = conf_default_file() };
    const char *name = NULL;
    c.now = clock_wall_ms();
    int rc = take_arguments(&c, argc, argv, &name);
    if (rc != CTL_DONE) {
        return rc;
    }
    c.file = ctl_option(&c, "config") ? ctl_option(&c, "config") : c.file;
    c.as = ctl_option(&c, "as");
    c.json = ctl_option(&c, "json") != NULL;
    if (ctl_option(&c, "version")) {
        printf("aduanctl %s\n", ADUAN_VERSION);
        return CTL_DONE;
    }
    const struct verb *v = name ? find_verb(name) : NULL;
    if (!v && (ctl_option(&c, "help") || text_equal(name, "help"))) {
        help(stdout);
        return CTL_DONE;
    }
    if (!v) {
        const struct verb *near = name ? nearest_verb(name) : NULL;
        c.usage = near ? near->usage : "VERB ...  (aduanctl --help)";
        return name ? ctl_usage(&c, "there is no verb \"%s\"", name) : ctl_usage(&c, "what to do is missing");
    }
    return run(&c, v);
}
