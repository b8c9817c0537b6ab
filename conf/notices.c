/* notices.c: is there an account to send the admin's mail by, and an admin to read it? */
#include "conf/internal.h"

#include <stdlib.h>
#include <string.h>

/* local@domain, of what any mail system takes without quotes. */
static bool is_address(const char *s) {
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.!#$%&'*+-/=?^_{|}~";
    const char *at = strchr(s, '@');
    size_t local = at ? (size_t)(at - s) : 0;
    return local > 0 && local <= 64 && strspn(s, allowed) == local && strlen(s) <= 254 && at[1] != '\0' &&
           at[1] != '.' && at[1 + strspn(at + 1, allowed)] == '\0' && s[strlen(s) - 1] != '.' &&
           strchr(at, '.');
}

/* The account's own address, if its connector has one. */
static const char *address_of(const struct conf_account *a) {
    for (const struct aduan_setting *row = a->settings ? a->table : NULL; row && row->key; row++) {
        if (row->type == ADUAN_TYPE_STRING && strcmp(row->key, "address") == 0) {
            return *(char *const *)conf_cmember(a->settings, row->offset);
        }
    }
    return NULL;
}

static void check_account(const struct conf *c, const struct conf_node *root, struct faults *faults) {
    const struct conf_account *a = conf_find(c, c->notices.account);
    char *why = NULL;
    if (!a) {
        why = xasprintf("there is no account \"%s\"", c->notices.account);
    } else if (!a->enabled) {
        why = xasprintf("the account \"%s\" is switched off", a->name);
    } else if (!text_equal(a->type, "email") && !text_equal(a->type, "maildir")) {
        why = xasprintf("the account \"%s\" sends no mail: it must be of type email or maildir", a->name);
    }
    if (why) {
        conf_fault_at(faults, root, "", "notices.account", why);
    }
    free(why);
}

static void check_admin(const struct conf *c, const char *address, const struct conf_node *root,
                        struct faults *faults) {
    char *why = is_address(address) ? NULL : xasprintf("\"%s\" is not a mail address", address);
    for (size_t i = 0; !why && i < c->account_count; i++) {
        const char *own = address_of(&c->accounts[i]);
        if (own && text_compare_nocase(own, address) == 0) {
            why =
                xasprintf("%s is the office's own box (account \"%s\"): a notice there would be read by nobody",
                          address, c->accounts[i].name);
        }
    }
    if (why) {
        conf_fault_at(faults, root, "", "notices.admin", why);
    }
    free(why);
}

void conf_check_notices(const struct conf *c, const struct conf_node *root, struct faults *faults) {
    const struct conf_notices *n = &c->notices;
    if (n->account[0] == '\0' && n->admin.count == 0) {
        return;
    }
    if (n->account[0] == '\0') {
        conf_fault_at(faults, root, "", "notices.account",
                      "is missing: which account sends the mail to the admin?");
    } else {
        check_account(c, root, faults);
    }
    if (n->admin.count == 0) {
        conf_fault_at(faults, root, "", "notices.admin", "is missing: to whom are notices sent?");
    }
    for (size_t i = 0; i < n->admin.count; i++) {
        check_admin(c, n->admin.items[i], root, faults);
    }
}
