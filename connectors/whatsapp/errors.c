/* errors.c: what Graph's error codes mean for an answer (section 4.4), as data. */
#include "whatsapp/whatsapp.h"

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE };

#define CONVERSATION ADUAN_SCOPE_CONVERSATION
#define ACCOUNT      ADUAN_SCOPE_ACCOUNT

#define TOKEN        "Token atau izin akun WhatsApp ditolak Meta / Meta refuses the account's token or permission"
#define TEMPLATE     "Templat ditolak atau belum disetujui Meta / the template is refused or not approved"

/* First match counts. Where advice is NULL the officer reads Meta's own words. */
const struct meta_rule whatsapp_rules[] = {
    { 131047, 131047, ADUAN_CLOSED, CONVERSATION, 0,
      "Jendela balas 24 jam sudah tertutup / the 24 h window is closed" },

    /* come back later: nothing was sent */
    { 1, 2, ADUAN_LATER, CONVERSATION, 0, NULL },
    { 131000, 131000, ADUAN_LATER, CONVERSATION, 0, NULL },
    { 131016, 131016, ADUAN_LATER, CONVERSATION, 0, NULL },
    { 131053, 131053, ADUAN_LATER, CONVERSATION, 0,
      "WhatsApp gagal mengambil lampiran / WhatsApp could not take the "
      "attachment" },
    { 131057, 131057, ADUAN_LATER, CONVERSATION, 0, NULL },
    { 133004, 133004, ADUAN_LATER, CONVERSATION, 0, NULL },

    /* too many, too fast */
    { 131056, 131056, ADUAN_LIMITED, CONVERSATION, 4000,
      "Terlalu banyak pesan ke orang ini / too many messages to this "
      "person" },
    { 4, 4, ADUAN_LIMITED, ACCOUNT, MINUTE, NULL },
    { 80007, 80007, ADUAN_LIMITED, ACCOUNT, 5 * MINUTE, NULL },
    { 130429, 130429, ADUAN_LIMITED, ACCOUNT, 5000, NULL },
    { 131048, 131048, ADUAN_LIMITED, ACCOUNT, HOUR,
      "Pengiriman dibatasi karena laporan spam / limited because of spam "
      "reports" },
    { 133016, 133016, ADUAN_LIMITED, ACCOUNT, HOUR, NULL },
    { 368, 368, ADUAN_LIMITED, ACCOUNT, HOUR,
      "Akun diblokir sementara oleh Meta / the account is blocked for a time" },

    /* the account, not the message */
    { 3, 3, ADUAN_REFUSED, ACCOUNT, 0, TOKEN },
    { 10, 10, ADUAN_REFUSED, ACCOUNT, 0, TOKEN },
    { 190, 190, ADUAN_REFUSED, ACCOUNT, 0, TOKEN },
    { 200, 299, ADUAN_REFUSED, ACCOUNT, 0, TOKEN },
    { 131005, 131005, ADUAN_REFUSED, ACCOUNT, 0, TOKEN },
    { 131031, 131031, ADUAN_REFUSED, ACCOUNT, 0, "Akun WhatsApp dikunci Meta / Meta locked the account" },
    { 131037, 131037, ADUAN_REFUSED, ACCOUNT, 0,
      "Nama tampilan nomor belum disetujui / display name not approved" },
    { 131042, 131042, ADUAN_REFUSED, ACCOUNT, 0,
      "Pembayaran akun WhatsApp bermasalah / payment of the account fails" },
    { 131045, 131045, ADUAN_REFUSED, ACCOUNT, 0, "Nomor belum terdaftar di Cloud API / number not registered" },
    { 133000, 133015, ADUAN_REFUSED, ACCOUNT, 0, "Nomor belum terdaftar di Cloud API / number not registered" },

    /* this message or this person */
    { 131026, 131026, ADUAN_NEVER, CONVERSATION, 0,
      "Tidak dapat diantar: nomor tidak memakai WhatsApp atau memblokir "
      "kantor / cannot be delivered to this person" },
    { 131021, 131021, ADUAN_NEVER, CONVERSATION, 0,
      "Penerima adalah nomor kantor sendiri / the recipient is ourselves" },
    { 131049, 131050, ADUAN_NEVER, CONVERSATION, 0, NULL },
    { 130472, 130472, ADUAN_NEVER, CONVERSATION, 0, NULL },
    { 130497, 130497, ADUAN_NEVER, CONVERSATION, 0,
      "Kantor tidak boleh mengirim ke negara ini / not allowed to this "
      "country" },
    { 131051, 131052, ADUAN_NEVER, CONVERSATION, 0, NULL },
    { 131062, 131063, ADUAN_NEVER, CONVERSATION, 0, NULL },
    { 33, 33, ADUAN_NEVER, CONVERSATION, 0, NULL },
    { 100, 100, ADUAN_NEVER, CONVERSATION, 0, NULL },
    { 131008, 131009, ADUAN_NEVER, CONVERSATION, 0, NULL },
    { 132000, 132999, ADUAN_NEVER, CONVERSATION, 0, TEMPLATE },
    { 135000, 135000, ADUAN_NEVER, CONVERSATION, 0, NULL },
    { 2494100, 2494100, ADUAN_NEVER, CONVERSATION, 0, NULL },
    { -1, -1, 0, 0, 0, NULL },
};
