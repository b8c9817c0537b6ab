/* thread.c: tokens made and verified; the key's file. */
#include "desk/thread.h"

#include "kit/sign.h"
#include "kit/text.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAC_HEX = 20 };

static int sync_dir(const char *dir) {
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 || fsync(fd) < 0 ? -errno : 0;

    if (fd >= 0)
        close(fd);
    return rc;
}

/* Written aside and renamed: the key is whole or not there. */
static int make_key(const char *state_dir, const char *file, struct thread_key *k) {
    char *temporary = xasprintf("%s.new", file);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int rc = fd < 0 ? -errno : 0;

    sign_random(k->bytes, sizeof(k->bytes));
    if (rc == 0 && (write(fd, k->bytes, sizeof(k->bytes)) != (ssize_t)sizeof(k->bytes) || fsync(fd) < 0))
        rc = -EIO;
    if (fd >= 0)
        close(fd);
    if (rc == 0 && rename(temporary, file) < 0)
        rc = -errno;
    if (rc == 0)
        rc = sync_dir(state_dir);
    free(temporary);
    return rc;
}

int thread_key_open(const char *state_dir, struct thread_key *ret, char *why, size_t why_size) {
    char *file = xasprintf("%s/thread.key", state_dir);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    int rc = 0;

    if (fd >= 0) {
        if (read(fd, ret->bytes, sizeof(ret->bytes)) != (ssize_t)sizeof(ret->bytes))
            rc = -EINVAL;
        close(fd);
    } else {
        rc = errno == ENOENT ? make_key(state_dir, file, ret) : -errno;
    }
    if (rc < 0)
        snprintf(why, why_size, "%s: %s", file, rc == -EINVAL ? "not a key of 32 bytes" : strerror(-rc));
    free(file);
    return rc;
}

static void mac_of(const struct thread_key *k, const char *lower, size_t n, char ret[MAC_HEX + 1]) {
    uint8_t mac[SIGN_SHA256];
    char hex[SIGN_HEX256];

    sign_hmac_sha256(k->bytes, sizeof(k->bytes), lower, n, mac);
    sign_hex(mac, sizeof(mac), hex);
    memcpy(ret, hex, MAC_HEX);
    ret[MAC_HEX] = '\0';
}

char *thread_token(const struct thread_key *k, const char *number, const char *answer) {
    char *plain = xasprintf("%s.%s", number, answer);
    char *lower = text_lower(plain);
    char mac[MAC_HEX + 1];
    char *token;

    mac_of(k, lower, strlen(lower), mac);
    token = xasprintf("%s.%s", lower, mac);
    free(plain);
    free(lower);
    return token;
}

static void upper_case(char *s) {
    for (; *s != '\0'; s++)
        *s = (char)toupper((unsigned char)*s);
}

int thread_verify(const struct thread_key *k, const char *message_id, char ret_number[32],
                  char ret_answer[65]) {
    char local[160], mac[MAC_HEX + 1];
    size_t n, i;
    char *dot, *answer;

    if (message_id == NULL)
        return -1;
    message_id += message_id[0] == '<';
    n = strcspn(message_id, "@>");
    if (n <= MAC_HEX + 1 || n >= sizeof(local))
        return -1;
    for (i = 0; i < n; i++)
        local[i] = (char)tolower((unsigned char)message_id[i]);
    local[n] = '\0';
    dot = local + n - MAC_HEX - 1;
    if (*dot != '.')
        return -1;
    mac_of(k, local, (size_t)(dot - local), mac);
    if (!sign_equal(mac, MAC_HEX, dot + 1, MAC_HEX))
        return -1;
    *dot = '\0';
    answer = strrchr(local, '.');
    if (answer == NULL || answer - local >= 32 || strlen(answer + 1) > 64)
        return -1;
    *answer = '\0';
    memcpy(ret_number, local, (size_t)(answer - local) + 1);
    upper_case(ret_number);
    memcpy(ret_answer, answer + 1, strlen(answer + 1) + 1);
    return 0;
}

/* "-2026-000123" with at least six digits at the end. */
static size_t number_tail(const char *s) {
    size_t i, digits;

    if (s[0] != '-')
        return 0;
    for (i = 1; i < 5; i++)
        if (!isdigit((unsigned char)s[i]))
            return 0;
    if (s[5] != '-')
        return 0;
    digits = strspn(s + 6, "0123456789");
    return digits >= 6 && digits <= 12 ? 6 + digits : 0;
}

int thread_number_in(const char *subject, const char *code, char ret_number[32]) {
    size_t code_len = strlen(code);
    const char *at = subject;

    while (at != NULL && (at = text_find_nocase(at, code)) != NULL) {
        size_t tail = number_tail(at + code_len);

        if (tail > 0 && code_len + tail < 32 && (at == subject || !isalnum((unsigned char)at[-1]))) {
            memcpy(ret_number, at, code_len + tail);
            ret_number[code_len + tail] = '\0';
            upper_case(ret_number);
            return 0;
        }
        at++;
    }
    return -1;
}
