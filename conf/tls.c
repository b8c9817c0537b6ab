/*
 * tls.c: a listener's certificate and key, looked at before anybody listens; and the small
 * helpers by which a fault finds its line and a path its directory.
 */
#include "conf/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PEM_MAX = 256 * 1024 };

/* The line of a key like "imap.url" below a group, or of the nearest group there is. */
static const struct conf_node *node_of(const struct conf_node *group, const char *key) {
    while (group->type == NODE_GROUP && key[0] != '\0') {
        char *first = xstrndup(key, strcspn(key, "."));
        const struct conf_node *next = conf_node_get(group, first);
        key += strlen(first) + (key[strlen(first)] == '.');
        free(first);
        if (!next) {
            break;
        }
        group = next;
    }
    return group;
}

void conf_fault_at(struct faults *f, const struct conf_node *group, const char *prefix, const char *key,
                   const char *reason) {
    const struct conf_node *n = node_of(group, key);
    char *path = prefix[0] ? xasprintf("%s.%s", prefix, key) : xstrdup(key);
    faults_add(f, n->file, n->line, path, "%s", reason);
    free(path);
}

/* Paths are relative to the file that names them, wherever the program is started. */
void conf_make_absolute(char **path, const char *dir) {
    if ((*path)[0] != '\0' && (*path)[0] != '/') {
        char *whole = strcmp(*path, ".") == 0 ? xstrdup(dir) : xasprintf("%s/%s", dir, *path);
        free(*path);
        *path = whole;
    }
}

/* NULL, or what is wrong with a PEM file that TLS is to read. */
static const char *pem_fault(const char *path, const char *mark) {
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        return "is not a regular file";
    }
    FILE *f = fopen(path, "re");
    if (!f) {
        return strerror(errno);
    }
    setvbuf(f, NULL, _IONBF, 0); /* no copy of a key stays behind */
    char *bytes = xcalloc(1, PEM_MAX);
    size_t n = fread(bytes, 1, PEM_MAX, f);
    bool found = memmem(bytes, n, mark, strlen(mark)) != NULL;
    text_wipe(bytes, PEM_MAX);
    free(bytes);
    fclose(f);
    return found ? NULL : "holds nothing of that kind in PEM";
}

static void fault_of(const struct tls_place *p, const char *key, const char *why) {
    char *whole = xasprintf("%s.%s", p->group, key);
    conf_fault_at(p->faults, p->root, "", whole, why);
    free(whole);
}

static void check_pem(const struct tls_place *p, const char *key, const char *path, const char *mark) {
    const char *wrong = pem_fault(path, mark);
    if (wrong) {
        char *why = xasprintf("file %s: %s", path, wrong);
        fault_of(p, key, why);
        free(why);
    }
}

/* "@name" becomes the path of the secret's file, for it is the TLS library that reads it. */
static void find_key(const struct tls_place *p, struct conf_http *h) {
    char *path = NULL, *why = NULL;
    if (secret_path(p->secrets, h->tls_key, &path, &why) != 0) {
        fault_of(p, "tls_key", why);
        path = xstrdup("");
    }
    free(why);
    free(h->tls_key);
    h->tls_key = path;
}

void conf_check_tls(const struct tls_place *p, struct conf_http *h) {
    bool both = h->tls_cert[0] != '\0' && h->tls_key[0] != '\0';
    bool look = p->files && both && h->listen[0] != '\0';
    if ((h->tls_cert[0] == '\0') != (h->tls_key[0] == '\0')) {
        conf_fault_at(p->faults, p->root, "", p->group, "tls_cert and tls_key belong together");
    }
    if (look && h->tls_key[0] == '@') {
        find_key(p, h);
    } else if (h->tls_key[0] != '@') {
        conf_make_absolute(&h->tls_key, p->dir);
    }
    conf_make_absolute(&h->tls_cert, p->dir);
    if (look) {
        check_pem(p, "tls_cert", h->tls_cert, "-----BEGIN CERTIFICATE-----");
    }
    if (look && h->tls_key[0] != '\0') {
        check_pem(p, "tls_key", h->tls_key, "PRIVATE KEY-----");
    }
}
