/* register_kept.c: raw bytes of many messages, and a stub that was read after all. */
#include "desk/register_sql.h"

#include "kit/text.h"

#include <stdlib.h>

int reg_kept(struct reg *r, const char *account, int64_t from, bool failed,
             int (*each)(void *arg, const struct reg_kept *k), void *arg) {
    sqlite3_stmt *s =
        sql_open(r,
                 "SELECT m.key, m.received_at, w.bytes, w.sha256 FROM message m JOIN raw w ON w.message = "
                 "m.id WHERE m.account = ?1 AND m.received_at >= ?2 AND m.out = 0 AND m.purged_at = 0 AND "
                 "(m.flags & ?3) = 0 AND (?4 = 0 OR m.kind = 'unparsed') ORDER BY m.id",
                 "tiid", account, from, (int64_t)ADUAN_MESSAGE_PARTIAL, (int)failed);
    int rc;

    while ((rc = sql_row(r, s)) == 1) {
        struct reg_kept k = { .key = (const char *)sqlite3_column_text(s, 0),
                              .received_at = sqlite3_column_int64(s, 1) };

        k.bytes = sqlite3_column_blob(s, 2);
        k.len = (size_t)sqlite3_column_bytes(s, 2);
        k.sha256 = (const char *)sqlite3_column_text(s, 3);
        if (each(arg, &k) != 0) {
            rc = 0;
            break;
        }
    }
    sql_close(s);
    return rc;
}

int reg_message_reread(struct reg *r, int64_t id, const struct aduan_message *m) {
    int64_t at = m->sent_at > 0 ? m->sent_at : m->received_at;
    int rc = sql_run(
        r,
        "UPDATE message SET kind = ?, mail_id = ?, subject = ?, text = ?, quoted = ?, note = ?, language = ?, "
        "reply_to = ?, flags = ?, at = ? WHERE id = ?",
        "ttttttttiii", aduan_kind_name(m->kind), m->message_id, m->subject, m->text, m->quoted, m->note,
        m->language, m->reply_to, (int64_t)m->flags, at, id);
    size_t i;

    for (i = 0; rc == 0 && i < m->attachment_count; i++)
        rc = reg_attachment_add(r, id, (int)i, &m->attachments[i]);
    return rc;
}
