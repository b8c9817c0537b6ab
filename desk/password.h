/*
 * password.h: officers' passwords as yescrypt hashes (libcrypt).
 */
#ifndef ADUAN_DESK_PASSWORD_H
#define ADUAN_DESK_PASSWORD_H

#include <stdbool.h>

/* New string "$y$…", or NULL when the system cannot (errno). At least 8 characters are asked for
 * by password_fault(): NULL, or why this password is refused. */
char *password_hash(const char *password);
const char *password_fault(const char *password);
/* In constant time once hashed; an unknown user is checked against a hash too (pass NULL). */
bool password_check(const char *password, const char *hash);

#endif
