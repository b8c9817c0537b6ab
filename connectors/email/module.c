/* module.c: the constant of the e-mail connector; what it names is shared with maildir. */
#include "email.h"

ADUAN_CONNECTOR = {
    ADUAN_CONNECTOR_HEAD,
    .type = "email",
    .channel = "email",
    .summary = "surel lewat IMAP dan SMTP / mail by IMAP and SMTP",
    .capabilities = ADUAN_CAP_PULL | ADUAN_CAP_SEND | ADUAN_CAP_FIND | ADUAN_CAP_PARSE_APART |
                    ADUAN_CAP_ATTACH | ADUAN_CAP_RECEIPTS,
    .traits = { .attachment_max = 18 * 1024 * 1024 },
    .settings = email_table,
    .settings_size = sizeof(struct email_settings),
    .check = email_check,
    .selftest = email_selftest,
    .address = email_address,
    .parse = email_parse,
    .open = email_open,
    .pull = email_pull,
    .commit = email_commit,
    .send = email_send,
    .find = email_find,
    .probe = email_probe,
    .close = email_close,
    .fits = email_fits,
};
