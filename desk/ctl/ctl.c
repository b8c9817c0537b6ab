/* ctl.c: what the verbs share: options, refusals, the register, commands to the desk. */
#include "desk/ctl/ctl.h"

#include "connectors/kit/sign.h"
#include "desk/command.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* Not taken within WAIT, it is taken back; taken, its answer is waited for TAKEN longer, and the desk still
 * carries it out within VALID, should it die and be started again meanwhile. */
enum {
    COMMAND_WAIT_MS = 6000,
    COMMAND_TAKEN_MS = 15000,
    COMMAND_VALID_MS = COMMAND_WAIT_MS + COMMAND_TAKEN_MS
};

const char *ctl_option(const struct ctl *c, const char *name) {
    for (size_t i = c->option_count; i > 0; i--) { /* the last one counts */
        if (strcmp(c->options[i - 1].name, name) == 0) {
            return c->options[i - 1].value;
        }
    }
    return NULL;
}

int ctl_refuse(const char *fmt, ...) {
    struct text t = TEXT_INIT;
    va_list ap;
    va_start(ap, fmt);
    text_vaddf(&t, fmt, ap);
    va_end(ap);
    char *line = ctl_safe_line(t.s ? t.s : "refused", 1000);
    fprintf(stderr, "aduanctl: %s\n", line);
    free(line);
    text_free(&t);
    return CTL_REFUSED;
}

int ctl_usage(const struct ctl *c, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fputs("aduanctl: ", stderr);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\nPemakaian / usage: aduanctl %s\n",
            c->usage ? c->usage : "[-c FILE] VERB ...  (aduanctl --help)");
    return CTL_USAGE;
}

/* -------------------------------------------------------------- register and queue */

int ctl_open_register(struct ctl *c) {
    char why[300] = "";
    if (!c->reg && reg_open(c->conf->state, REG_READ, &c->reg, why, sizeof why) != 0) {
        return ctl_refuse("the register cannot be read: %s", why);
    }
    return CTL_DONE;
}

int ctl_register_fault(const struct ctl *c, int rc) {
    return ctl_refuse("the register cannot be read: %s", c->reg ? reg_error(c->reg) : strerror(-rc));
}

int ctl_queue_fault(const struct ctl *c, int rc) {
    (void)rc;
    return ctl_refuse("redis (%s): %s", c->conf->queue.redis, queue_error(c->queue));
}

/* The program's own user; root and the service's account (who owns the state directory) may act
 * without naming an officer. */
static char *login_name(void) {
    const struct passwd *p = getpwuid(geteuid());
    return p ? xstrdup(p->pw_name) : xasprintf("uid%u", (unsigned)geteuid());
}

static bool may_act_alone(const struct ctl *c) {
    struct stat st;
    return geteuid() == 0 || (stat(c->conf->state, &st) == 0 && st.st_uid == geteuid());
}

static void complete_command(const struct ctl *c, json_t *command) {
    char *actor = login_name();
    json_object_set_new(command, "actor", json_string(actor));
    json_object_set_new(command, "as", json_string(c->as ? c->as : ""));
    json_object_set_new(command, "valid_ms", json_integer(COMMAND_VALID_MS));
    if (ctl_option(c, "again")) {
        json_object_set_new(command, "again", json_true());
    }
    free(actor);
}

/* The one --request names, or a new one. */
static int name_request(const struct ctl *c, char ret[QUEUE_REQUEST_MAX + 1]) {
    const char *given = ctl_option(c, "request");
    uint8_t random[10];
    if (!given) {
        sign_random(random, sizeof random);
        sign_hex(random, sizeof random, ret);
        return CTL_DONE;
    }
    size_t n = strspn(given, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
    if (n == 0 || given[n] || n > QUEUE_REQUEST_MAX) {
        return ctl_usage(c, "--request is letters, digits, \"-\", \"_\" and \".\", at most %d",
                         QUEUE_REQUEST_MAX);
    }
    snprintf(ret, QUEUE_REQUEST_MAX + 1, "%s", given);
    return CTL_DONE;
}

struct known {
    struct ctl *c;
    const struct queue_order *order;
};

/* The answer as the register keeps it, where that is on this host; the desk may be dead. */
static int known_answer(void *arg, char **ret_json) {
    const struct known *k = arg;
    char digest[65], *asked = NULL, *answer = NULL, why[300];
    if (!k->c->reg && reg_open(k->c->conf->state, REG_READ, &k->c->reg, why, sizeof why) != 0) {
        return -1;
    }
    command_digest(k->order->json, k->order->raw, k->order->raw_len, digest);
    bool ours = reg_command_get(k->c->reg, k->order->request, &asked, &answer) == 0 &&
                (asked[0] == '\0' || strcmp(asked, digest) == 0);
    free(asked);
    if (!ours) {
        free(answer);
        return -1;
    }
    *ret_json = answer;
    return 0;
}

static int refuse_unknown(const char *json, const char *request) {
    json_t *command = json_loads(json, 0, NULL);
    const char *number = json_string_value(json_object_get(command, "number"));
    int rc =
        ctl_refuse("no answer: it may have been carried out (mungkin sudah dilaksanakan)%s%s%s; the same "
                   "command with --request %s is carried out once only (aman diulang)",
                   number ? ", see `aduanctl show " : "", number ? number : "", number ? "`" : "", request);
    json_decref(command);
    return rc;
}

static int send_order(struct ctl *c, const char *json, const void *raw, size_t raw_len, char **ret_text) {
    char request[QUEUE_REQUEST_MAX + 1];
    struct queue_order order = { .request = request,
                                 .json = json,
                                 .raw = raw,
                                 .raw_len = raw_len,
                                 .wait_ms = COMMAND_WAIT_MS,
                                 .taken_ms = COMMAND_TAKEN_MS };
    struct known known = { c, &order };
    order.known = known_answer;
    order.arg = &known;
    int rc = name_request(c, request);
    if (rc != CTL_DONE) {
        return rc;
    }
    rc = queue_command(c->queue, &order, ret_text);
    if (rc == QUEUE_UNKNOWN) {
        return refuse_unknown(json, request);
    }
    if (rc == QUEUE_NOTHING) {
        return ctl_refuse("the desk does not answer; is the service running? (systemctl status aduan) "
                          "Tidak ada yang dilaksanakan / nothing was done");
    }
    return rc == 0 ? CTL_DONE
                   : ctl_refuse("redis (%s): %s; tidak ada yang dilaksanakan / nothing was done",
                                c->conf->queue.redis, queue_error(c->queue));
}

static int take_answer(const char *text, json_t **ret_answer) {
    json_t *answer = json_loads(text, 0, NULL);
    if (!json_is_object(answer)) {
        json_decref(answer);
        return ctl_refuse("the desk's answer is no JSON");
    }
    if (!json_is_true(json_object_get(answer, "ok"))) {
        const char *error = json_string_value(json_object_get(answer, "error"));
        int rc = ctl_refuse("%s", error ? error : "refused");
        json_decref(answer);
        return rc;
    }
    *ret_answer = answer;
    return CTL_DONE;
}

int ctl_command(struct ctl *c, json_t *command, const void *raw, size_t raw_len, json_t **ret_answer) {
    if (!c->as && !may_act_alone(c)) {
        json_decref(command);
        return ctl_refuse("name the acting officer: --as USER");
    }
    complete_command(c, command);
    char *json = json_dumps(command, JSON_COMPACT), *text = NULL;
    json_decref(command);
    int rc = json ? send_order(c, json, raw, raw_len, &text) : ctl_refuse("this is not text (UTF-8)");
    if (rc == CTL_DONE) {
        rc = take_answer(text, ret_answer);
    }
    free(text);
    free(json);
    return rc;
}

const struct conf_account *ctl_account(const struct ctl *c, const char *name) {
    const struct conf_account *a = conf_find(c->conf, name);
    if (!a) {
        struct text list = TEXT_INIT;
        for (size_t i = 0; i < c->conf->account_count; i++) {
            text_addf(&list, "%s%s", i ? ", " : "", c->conf->accounts[i].name);
        }
        ctl_refuse("there is no account \"%s\"; there are: %s", name, list.s ? list.s : "none");
        text_free(&list);
    }
    return a;
}

/* -------------------------------------------------------------------------- input */

char *ctl_read_stdin(size_t max) {
    struct text t = TEXT_INIT;
    char buf[8192];
    for (size_t n; (n = fread(buf, 1, sizeof buf, stdin)) > 0 && t.len <= max;) {
        text_add_n(&t, buf, n);
    }
    if (t.len > max) {
        text_free(&t);
        ctl_refuse("the text is larger than %zu KiB", max / 1024);
        return NULL;
    }
    char *clean = text_clean(t.s ? t.s : "", t.len);
    text_free(&t);
    return clean;
}

int ctl_write_new(const char *path, const char *bytes, size_t n) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return ctl_refuse("\"%s\": %s", path,
                          errno == EEXIST ? "sudah ada, tidak ditimpa / is there already, not overwritten"
                                          : strerror(errno));
    }
    FILE *f = fdopen(fd, "we");
    bool bad = !f || fwrite(bytes, 1, n, f) != n;
    bad = (f ? fclose(f) : close(fd)) != 0 || bad;
    return bad ? ctl_refuse("\"%s\": %s", path, strerror(errno)) : CTL_DONE;
}

char *ctl_read_password(void) {
    struct termios old, quiet;
    bool terminal = tcgetattr(STDIN_FILENO, &old) == 0;
    if (terminal) {
        fputs("Kata sandi / password: ", stderr);
        quiet = old;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    char line[1024];
    char *got = fgets(line, sizeof line, stdin);
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
        fputc('\n', stderr);
    }
    char *password = NULL;
    if (got) {
        line[strcspn(line, "\r\n")] = '\0';
        password = line[0] ? xstrdup(line) : NULL;
    }
    text_wipe(line, sizeof line);
    return password;
}
