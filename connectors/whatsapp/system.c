/* system.c: records that nobody typed: numbers that change, fates of answers, faults of the account. */
#include "whatsapp/whatsapp.h"

#include "kit/json.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CODE_WINDOW = 131047, NEW_ID_MAX = 256 };

/* ---------------------------------------------------------------- type "system" */

static const struct {
    const char *type, *note;
} changes[] = {
    { "user_changed_number",
      "Pengirim berganti nomor. Pastikan orangnya sama sebelum meneruskan percakapan lama, "
      "karena nomor dapat berpindah tangan / the sender changed numbers: check who it is" },
    { "customer_changed_number",
      "Pengirim berganti nomor. Pastikan orangnya sama sebelum meneruskan percakapan lama / "
      "the sender changed numbers: check who it is" },
    { "user_changed_user_id",
      "Identitas WhatsApp pengirim berganti; balasan ke identitas lama tidak sampai / the "
      "sender's WhatsApp identity changed" },
    { "customer_identity_changed",
      "Kunci keamanan pengirim berganti (telepon atau kartu baru). Pastikan orangnya sama / "
      "the sender's security code changed: check who it is" },
};

/* The same person at the same number under another id: the desk may know both as one. Not where the number
 * is another or is not said: numbers change hands, and the old conversation is confidential. */
static void set_new_id(struct aduan_message *m, const json_t *body) {
    char *id = js_id(body, "user_id"), *before = js_id(body, "previous_user_id");
    bool same = before == NULL || m->sender.id == NULL || strcmp(before, m->sender.id) == 0;

    if (text_equal(js_str(body, "type"), "user_changed_user_id") && m->sender.phone != NULL && same &&
        id != NULL && strlen(id) <= NEW_ID_MAX)
        whatsapp_extra(m, "new_id", json_string(id));
    free(id);
    free(before);
}

void whatsapp_system(struct aduan_message *m, const json_t *element) {
    const json_t *body = js_get(element, "system"), *identity = js_get(element, "identity");
    const char *type = js_str(body, "type");
    size_t i;

    m->kind = ADUAN_KIND_SYSTEM;
    m->flags |= ADUAN_MESSAGE_AUTOMATIC;
    m->text = js_text(body, "body");
    for (i = 0; type != NULL && i < sizeof(changes) / sizeof(changes[0]); i++)
        if (strcmp(changes[i].type, type) == 0)
            m->note = xstrdup(changes[i].note);
    if (m->note == NULL)
        m->note =
            xstrdup("Pemberitahuan WhatsApp tentang pengirim / WhatsApp tells something about the sender");
    set_new_id(m, body);
    if (json_is_object(body))
        whatsapp_extra(m, "system", js_copy(body));
    if (json_is_object(identity))
        whatsapp_extra(m, "identity", js_copy(identity));
}

/* --------------------------------------------------------------------- statuses */

static const struct {
    const char *theirs, *ours;
} states[] = {
    { "sent", "sent" },   { "delivered", "delivered" }, { "read", "read" },
    { "played", "read" }, { "failed", "failed" },
};

static char *status_state(const json_t *element) {
    const char *theirs = js_str(element, "status");
    size_t i;

    for (i = 0; theirs != NULL && i < sizeof(states) / sizeof(states[0]); i++)
        if (strcmp(states[i].theirs, theirs) == 0)
            return xstrdup(states[i].ours);
    return js_line(element, "status", 40); /* new ones are kept as they are called */
}

static void status_failure(struct aduan_message *m, const json_t *element) {
    const json_t *item = json_array_get(js_get(element, "errors"), 0);
    struct meta_error error;

    if (!meta_error_read(item, &error))
        return;
    m->status.reason = xasprintf("%s (%d)", error.text, error.code);
    m->status.window_closed = error.code == CODE_WINDOW;
    whatsapp_extra(m, "code", json_integer(error.code));
}

/* The same status may come twice, and three statuses have one message id: both make the key. */
void whatsapp_status(struct aduan_message *m, const json_t *element) {
    char *participant = js_line(element, "recipient_participant_id", 200),
         *theirs = js_line(element, "status", 40);

    m->sent_at = meta_time(element, "timestamp");
    m->status.platform_id = js_id(element, "id");
    m->status.answer = js_line(element, "biz_opaque_callback_data", 512);
    m->status.state = status_state(element);
    status_failure(m, element);
    if (m->status.platform_id != NULL && theirs != NULL)
        m->platform_id = xasprintf("%s:%s%s%s", m->status.platform_id, theirs, participant != NULL ? ":" : "",
                                   participant != NULL ? participant : "");
    else
        m->kind = ADUAN_KIND_UNPARSED;
    if (m->kind == ADUAN_KIND_UNPARSED)
        m->note = xstrdup("Kabar pengiriman tanpa nomor pesan atau status / a status without message or state");
    if (js_get(element, "pricing") != NULL)
        whatsapp_extra(m, "pricing", js_copy(js_get(element, "pricing")));
    free(participant);
    free(theirs);
}

/* --------------------------------------------------- faults and other news of the account */

void whatsapp_error(struct aduan_message *m, const json_t *element) {
    struct meta_error error;

    m->kind = ADUAN_KIND_SYSTEM;
    m->flags |= ADUAN_MESSAGE_AUTOMATIC;
    meta_error_read(element, &error);
    m->text = xasprintf("[gangguan akun WhatsApp] %s (%d)", error.text, error.code);
    m->note =
        xstrdup("Gangguan pada akun, bukan pesan warga / a fault of the account, not a citizen's message");
    whatsapp_extra(m, "code", json_integer(error.code));
}

static const struct {
    const char *field, *label;
} fields[] = {
    { "account_update", "perubahan akun" },
    { "account_alerts", "peringatan akun" },
    { "account_review_update", "peninjauan akun" },
    { "business_capability_update", "perubahan batas pengiriman" },
    { "phone_number_quality_update", "perubahan mutu nomor" },
    { "phone_number_name_update", "perubahan nama tampilan" },
    { "message_template_status_update", "perubahan status templat" },
    { "message_template_quality_update", "perubahan mutu templat" },
    { "template_category_update", "perubahan kategori templat" },
    { "security", "perubahan keamanan nomor" },
    { "user_preferences", "pilihan pengguna" },
    { "business_username_updates", "perubahan nama pengguna kantor" },
    { "phone_number_username_update", "perubahan nama pengguna kantor" },
    { "smb_app_state_sync", "buku kontak telepon kantor" },
    { "history", "riwayat percakapan" },
};

/* The texts of the first level are enough to tell what happened; all of it is in raw. */
static void add_values(struct text *t, const json_t *value) {
    const json_t *item;
    const char *key;
    char *line, *name;
    int left = 20;

    json_object_foreach((json_t *)(uintptr_t)value, key, item) {
        if (left-- == 0)
            break;
        name = text_clean_line(key, strlen(key), 100);
        line = json_is_integer(item) ? xasprintf("%lld", (long long)json_integer_value(item))
                                     : js_line(value, key, 300);
        if (line != NULL)
            text_addf(t, "\n%s: %s", name, line);
        free(line);
        free(name);
    }
}

void whatsapp_notice(struct aduan_message *m, const char *field, const json_t *value) {
    struct text t = TEXT_INIT;
    char *clean = text_clean_line(field, strlen(field), 100);
    size_t i;

    m->kind = ADUAN_KIND_SYSTEM;
    m->flags |= ADUAN_MESSAGE_AUTOMATIC;
    if (strcmp(field, "smb_app_state_sync") == 0 || strcmp(field, "history") == 0)
        m->flags |= ADUAN_MESSAGE_HISTORY;
    text_addf(&t, "[pemberitahuan WhatsApp: %s]", clean);
    add_values(&t, value);
    m->text = text_steal(&t);
    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (strcmp(fields[i].field, field) == 0)
            m->note = xasprintf("Kabar dari WhatsApp: %s / news of the account: %s", fields[i].label, clean);
    if (m->note == NULL)
        m->note = xasprintf("Kabar dari WhatsApp / news of the account: %s", clean);
    free(clean);
}
