/* password.c: yescrypt through libcrypt's crypt_gensalt and crypt. */
#include "desk/password.h"

#include "kit/sign.h"
#include "kit/text.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

/* What an unknown user's password is checked against, so that it takes as long. */
static const char nobody[] = "$y$j9T$MqLXWf2lPPfS5gy1VbPDX.$7Dxo3o8WJdYvJ6o0yCxj5b6Tn4mP0E7z9KkKzv6h8h2";

const char *password_fault(const char *password) {
    if (text_characters(password) < 8)
        return "a password needs at least 8 characters";
    if (strlen(password) > 512)
        return "a password has at most 512 bytes";
    return NULL;
}

char *password_hash(const char *password) {
    char salt[CRYPT_GENSALT_OUTPUT_SIZE];
    struct crypt_data *data;
    char *made, *ret = NULL;

    if (crypt_gensalt_rn("$y$", 0, NULL, 0, salt, sizeof(salt)) == NULL)
        return NULL;
    data = xcalloc(1, sizeof(*data));
    made = crypt_r(password, salt, data);
    if (made != NULL && text_starts(made, "$y$"))
        ret = xstrdup(made);
    text_wipe(data, sizeof(*data));
    free(data);
    return ret;
}

bool password_check(const char *password, const char *hash) {
    struct crypt_data *data = xcalloc(1, sizeof(*data));
    bool known = hash != NULL && text_starts(hash, "$y$");
    const char *against = known ? hash : nobody;
    const char *made = crypt_r(password, against, data);
    bool ok = made != NULL && sign_equal(made, strlen(made), against, strlen(against));

    text_wipe(data, sizeof(*data));
    free(data);
    return known && ok;
}
