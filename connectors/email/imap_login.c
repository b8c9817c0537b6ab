/*
 * imap_login.c: AUTHENTICATE, spoken on the stream itself.
 *
 * libetpan's own needs libsasl or always sends an initial response; here a
 * response goes with the command only if SASL-IR is offered, and the error
 * challenge of XOAUTH2 is answered as its description says.
 */
#include "imap.h"

#include "kit/sign.h"

#include <libetpan/libetpan.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void wipe(char *s) {
    if (s != NULL)
        text_wipe(s, strlen(s));
    free(s);
}

char *imap_xoauth2(const char *user, const struct aduan_secret *token) {
    size_t n = strlen(user) + token->len + 32;
    char *plain = xcalloc(1, n), *coded;
    int len = snprintf(plain, n, "user=%s\001auth=Bearer %s\001\001", user, token->bytes);

    coded = sign_base64(plain, (size_t)len);
    text_wipe(plain, n);
    free(plain);
    return coded;
}

static char *plain_response(const char *user, const struct aduan_secret *password) {
    size_t user_len = strlen(user), n = user_len + password->len + 2;
    char *plain = xcalloc(1, n), *coded;

    memcpy(plain + 1, user, user_len);
    memcpy(plain + 2 + user_len, password->bytes, password->len);
    coded = sign_base64(plain, n);
    text_wipe(plain, n);
    free(plain);
    return coded;
}

static int say(struct imap *i, const char *a, const char *b, const char *c) {
    mailstream *s = i->s->imap_stream;

    if (mailstream_write(s, a, strlen(a)) < 0 || mailstream_write(s, b, strlen(b)) < 0 ||
        mailstream_write(s, c, strlen(c)) < 0 || mailstream_write(s, "\r\n", 2) < 0 || mailstream_flush(s) < 0)
        return -1;
    return 0;
}

/* A command's whole dialogue. 0 and the tagged line in *ret_line, or -1. response NULL: nothing is asked for.
 */
static int dialogue(struct imap *i, const char *command, const char *argument, const char *response,
                    char **ret_line) {
    MMAPString *buffer = mmap_string_new("");
    char *line = NULL;
    int r = buffer == NULL ? -1 : say(i, "A1 ", command, argument);

    while (r == 0) {
        line = mailstream_read_line(i->s->imap_stream, buffer);
        if (line == NULL) {
            r = -1;
        } else if (line[0] == '+') {
            r = say(i, response != NULL ? response : "", "", "");
            response = NULL; /* a second "+" carries an error: agree to it with an empty line */
        } else if (text_starts(line, "A1 ")) {
            *ret_line = text_clean_line(line + 3, strlen(line + 3), 300);
            break;
        }
    }
    if (buffer != NULL)
        mmap_string_free(buffer);
    return r;
}

static int authenticate(struct imap *i, const char *mechanism, const char *response, char **ret_line) {
    bool with_command = mailimap_has_extension(i->s, "SASL-IR");
    char *command = xasprintf("AUTHENTICATE %s%s", mechanism, with_command ? " " : "");
    int r = dialogue(i, command, with_command ? response : "", with_command ? NULL : response, ret_line);

    free(command);
    return r;
}

/* An IMAP quoted string; false: it cannot be one. */
static bool quote(const char *s, char *ret, size_t size) {
    size_t n = 0;

    ret[n++] = '"';
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f || n + 4 > size)
            return false;
        if (*s == '"' || *s == '\\')
            ret[n++] = '\\';
        ret[n++] = *s;
    }
    ret[n++] = '"';
    ret[n] = '\0';
    return true;
}

/* LOGIN, for servers without AUTH=PLAIN. What no quoted string can hold goes as libetpan sends it. */
static int login_plainly(struct imap *i, const char *user, const char *password, char **ret_line) {
    char u[600], p[600], *command;
    int r;

    if (quote(user, u, sizeof(u)) && quote(password, p, sizeof(p))) {
        command = xasprintf("LOGIN %s ", u);
        r = dialogue(i, command, p, NULL, ret_line);
        text_wipe(p, sizeof(p));
        free(command);
        return r;
    }
    r = mailimap_login(i->s, user, password);
    if (r != MAILIMAP_NO_ERROR && i->wire.fault != 0)
        return -1;
    *ret_line = xasprintf("%s %.250s", r == MAILIMAP_NO_ERROR ? "OK" : "NO",
                          i->s->imap_response != NULL ? i->s->imap_response : "");
    return 0;
}

static bool has_any(const char *line, const char *const *words) {
    for (; *words != NULL; words++)
        if (text_find_nocase(line, *words) != NULL)
            return true;
    return false;
}

/* What a refused login means. */
static void judge(const char *line, struct aduan_result *ret) {
    static const char *const limited[] = {
        "[LIMIT]", "too many simultaneous", "too many connections", "[OVERQUOTA]", "bandwidth", "rate limit",
        NULL
    };
    static const char *const later[] = { "[UNAVAILABLE]",  "[INUSE]",        "[SERVERBUG]",
                                         "[CONTACTADMIN]", "temporar",       "try again",
                                         "system error",   "internal error", NULL };

    if (has_any(line, limited)) {
        ret->outcome = ADUAN_LIMITED;
        ret->scope = ADUAN_SCOPE_ACCOUNT;
        ret->retry_after_ms = 0;
    } else {
        ret->outcome = has_any(line, later) ? ADUAN_LATER : ADUAN_REFUSED;
    }
    snprintf(ret->reason, sizeof(ret->reason), "imap login: %.300s", line);
}

static int login_once(struct imap *i, const char *user, struct oauth *oauth, struct aduan_result *ret) {
    const struct email_settings *s = i->settings;
    bool token = s->auth == EMAIL_AUTH_XOAUTH2, plain = mailimap_has_extension(i->s, "AUTH=PLAIN");
    char *response = token ? imap_xoauth2(user, &oauth->access) : plain_response(user, &s->imap.password),
         *line = NULL;
    int r;

    if (token || plain)
        r = authenticate(i, token ? "XOAUTH2" : "PLAIN", response, &line);
    else
        r = login_plainly(i, user, s->imap.password.bytes, &line);
    wipe(response);
    if (r != 0)
        return imap_fault(i, "login", ret);
    ret->outcome = ADUAN_SENT;
    if (text_starts_nocase(line, "OK"))
        i->s->imap_state = MAILIMAP_STATE_AUTHENTICATED;
    else
        judge(line, ret);
    free(line);
    return 0;
}

int imap_login(struct imap *i, struct oauth *oauth, struct aduan_result *ret) {
    const struct email_settings *s = i->settings;
    const char *user = s->imap.user[0] != '\0' ? s->imap.user : s->address;
    struct mailimap_capability_data *caps = NULL;
    int attempt, r = 0;

    if (i->s->imap_state == MAILIMAP_STATE_AUTHENTICATED) /* PREAUTH */
        return 0;
    if (s->auth == EMAIL_AUTH_PASSWORD && s->imap.password.bytes == NULL) {
        ret->outcome = ADUAN_REFUSED;
        snprintf(ret->reason, sizeof(ret->reason), "imap login: no password");
        imap_close(i);
        return 0;
    }
    if (mailimap_capability(i->s, &caps) != MAILIMAP_NO_ERROR)
        return imap_fault(i, "capability", ret);
    mailimap_capability_data_free(caps);
    for (attempt = 0; attempt < 2; attempt++) {
        if (s->auth == EMAIL_AUTH_XOAUTH2) {
            r = oauth_wait(oauth, ret);
            if (r != 0 || ret->outcome != ADUAN_SENT)
                break;
        }
        r = login_once(i, user, oauth, ret);
        if (r != 0 || !imap_is_open(i) || ret->outcome != ADUAN_REFUSED || s->auth == EMAIL_AUTH_PASSWORD)
            break;
        oauth_drop(oauth); /* its token may have been revoked early: once with a new one */
    }
    if (ret->outcome != ADUAN_SENT)
        imap_close(i);
    return r;
}
