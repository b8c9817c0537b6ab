/* test_conf.h: a connector type with a row of every kind, and a directory to read from. */
#ifndef TEST_CONF_H
#define TEST_CONF_H

#include "conf/conf.h"
#include "connectors/kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct box {
    char *url, *user, *mailbox;
    struct aduan_secret password;
    bool idle;
    int64_t poll;
};

struct mail {
    char *address;
    struct box imap;
    struct box smtp;
    int auth;
    int64_t parallel, largest;
    struct aduan_secrets app_secret;
    struct aduan_secret verify_token;
    struct aduan_strings folders;
    char *profile;
};

static const char *const imap_schemes[] = { "imaps", "imap", NULL };
static const char *const smtp_schemes[] = { "smtps", "smtp", NULL };
static const char *const auths[] = { "password", "xoauth2", NULL };

static const struct aduan_setting imap_table[] = {
    ADUAN_SET_URL("url", struct box, url, "imaps://imap.gmail.com:993", imap_schemes, ADUAN_REQUIRED, "where"),
    ADUAN_SET_STRING("user", struct box, user, NULL, ADUAN_REQUIRED, "who"),
    ADUAN_SET_SECRET("password", struct box, password, ADUAN_REQUIRED | ADUAN_FOR_RECEIVE, "secret"),
    ADUAN_SET_STRING("mailbox", struct box, mailbox, "INBOX", 0, "box"),
    ADUAN_SET_BOOL("idle", struct box, idle, "true", "idle"),
    ADUAN_SET_DURATION("poll", struct box, poll, "60s", 5000, 3600000, "how often"),
    ADUAN_SET_END,
};

static const struct aduan_setting smtp_table[] = {
    ADUAN_SET_URL("url", struct box, url, NULL, smtp_schemes, 0, "where"),
    ADUAN_SET_STRING("user", struct box, user, NULL, 0, "who"),
    ADUAN_SET_SECRET("password", struct box, password, ADUAN_FOR_SEND, "secret"),
    ADUAN_SET_END,
};

static const struct aduan_setting mail_table[] = {
    ADUAN_SET_STRING("address", struct mail, address, NULL, ADUAN_REQUIRED, "our address"),
    ADUAN_SET_GROUP("imap", struct mail, imap, struct box, imap_table, ADUAN_REQUIRED, "in"),
    ADUAN_SET_GROUP("smtp", struct mail, smtp, struct box, smtp_table, 0, "out"),
    ADUAN_SET_CHOICE("auth", struct mail, auth, "password", auths, "how"),
    ADUAN_SET_INT("parallel", struct mail, parallel, "2", 1, 16, "at once"),
    ADUAN_SET_SIZE("largest", struct mail, largest, "25MiB", 1024, 104857600, "size"),
    ADUAN_SET_SECRETS("app_secret", struct mail, app_secret, ADUAN_FOR_GATEWAY, "secrets"),
    ADUAN_SET_SECRET("verify_token", struct mail, verify_token, ADUAN_FOR_GATEWAY, "secret"),
    ADUAN_SET_STRINGS("folders", struct mail, folders, 0, "more"),
    ADUAN_SET_FILE("profile", struct mail, profile, 40, 0, "the content of a file"),
    ADUAN_SET_END,
};

static inline void mail_check(const void *settings,
                              void (*fault)(void *arg, const char *key, const char *reason), void *arg) {
    const struct mail *m = settings;
    if (m->smtp.user[0] == '\0' && m->smtp.url[0] != '\0') {
        fault(arg, "smtp.user", "is needed where there is a url");
    }
}

static inline int test_lookup(void *arg, const char *type, struct conf_connector_type *ret,
                              const char **ret_known) {
    (void)arg;
    if (strcmp(type, "mail") != 0 && strcmp(type, "email") != 0) {
        *ret_known = "loop, mail, whatsapp";
        return -1;
    }
    *ret = (struct conf_connector_type){ mail_table, sizeof(struct mail), mail_check };
    return 0;
}

static char test_dir[64];

static inline void put_file(const char *name, mode_t mode, const char *content) {
    char *path = xasprintf("%s/%s", test_dir, name), *slash = strrchr(path, '/');
    *slash = '\0';
    mkdir(path, 0700);
    *slash = '/';
    FILE *f = fopen(path, "we");
    if (!f || fputs(content, f) < 0 || fclose(f) != 0 || chmod(path, mode) != 0) {
        abort();
    }
    free(path);
}

static inline void make_dir(void) {
    strcpy(test_dir, "/tmp/aduan-conf-XXXXXX");
    if (!mkdtemp(test_dir)) {
        abort();
    }
}

static inline void remove_dir(void) {
    char *command = xasprintf("rm -rf '%s'", test_dir);
    if (system(command) != 0) {
        abort();
    }
    free(command);
}

/* All faults, one a line, with the directory's name replaced by DIR. */
static inline char *all_faults(const struct faults *f) {
    struct text t = TEXT_INIT;
    for (size_t i = 0; i < f->count; i++) {
        char *line = fault_text(&f->items[i]);
        for (char *p = line, *hit; *p; p = hit + strlen(test_dir)) {
            hit = strstr(p, test_dir);
            text_add_n(&t, p, hit ? (size_t)(hit - p) : strlen(p));
            if (!hit) {
                break;
            }
            text_add(&t, "DIR");
        }
        text_add(&t, "\n");
        free(line);
    }
    return text_steal(&t);
}

#endif
