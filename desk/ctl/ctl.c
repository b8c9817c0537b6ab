/* ctl.c: what the verbs share: options, refusals, the register, commands to the desk. */
#include "desk/ctl/ctl.h"

#include "connectors/kit/sign.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* The desk refuses a command that it had not begun within VALID; we wait longer than that. Silence still
 * does not prove that nothing was done: the answer to one that was carried out may be what is missing. */
enum { COMMAND_VALID_MS = 4000, COMMAND_WAIT_MS = 6000, COMMAND_TRIES = 3 };

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

static json_t *complete_command(const struct ctl *c, json_t *command) {
    uint8_t random[12];
    char id[2 * sizeof random + 1];
    char *actor = login_name();
    sign_random(random, sizeof random);
    sign_hex(random, sizeof random, id);
    json_object_set_new(command, "actor", json_string(actor));
    json_object_set_new(command, "as", json_string(c->as ? c->as : ""));
    json_object_set_new(command, "request", json_string(id)); /* a repeat is carried out once */
    json_object_set_new(command, "valid_ms", json_integer(COMMAND_VALID_MS));
    free(actor);
    return command;
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
    char *json = json_dumps(complete_command(c, command), JSON_COMPACT), *text = NULL;
    json_decref(command);
    if (!json) {
        return ctl_refuse("this is not text (UTF-8)");
    }
    int rc = -EAGAIN;
    for (int i = 0; i < COMMAND_TRIES && rc == -EAGAIN; i++) {
        rc = queue_command(c->queue, json, raw, raw_len, COMMAND_WAIT_MS, &text);
    }
    free(json);
    if (rc == QUEUE_NOTHING) {
        return ctl_refuse("the desk does not answer; is the service running? (systemctl status aduan) "
                          "The command may have been carried out: look at `show` before you repeat it");
    }
    if (rc != 0) {
        return ctl_queue_fault(c, rc);
    }
    rc = take_answer(text, ret_answer);
    free(text);
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
