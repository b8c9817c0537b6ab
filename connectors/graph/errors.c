/*
 * errors.c: what Graph's errors mean for an answer on Instagram or Messenger (messenger.md 4.1, instagram.md
 * 5).
 *
 * A subcode of seven digits says more than its code and stands here like one; kit/meta.c looks for it first.
 */
#include "graph/graph.h"

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE };

#define CONVERSATION ADUAN_SCOPE_CONVERSATION
#define ACCOUNT      ADUAN_SCOPE_ACCOUNT

#define WINDOW       "Jendela balas sudah tertutup / the reply window is closed"
#define GONE                                                                                                   \
    "Orang ini tidak dapat dihubungi (memblokir kantor atau akunnya hilang) / the person cannot be reached"
#define MEDIA "Meta tidak menerima lampiran ini / Meta does not take this attachment"
#define TOKEN "Token atau izin akun ditolak Meta / Meta refuses the account's token or permission"
#define THREAD                                                                                                 \
    "Percakapan sedang dipegang aplikasi lain (kotak masuk halaman): lepaskan di sana / another app owns the " \
    "chat"

/* First match counts. Where advice is NULL the officer reads Meta's own words. */
const struct meta_rule graph_rules[] = {
    { 2018278, 2018278, ADUAN_CLOSED, CONVERSATION, 0, WINDOW },
    { 2534022, 2534022, ADUAN_CLOSED, CONVERSATION, 0, WINDOW },

    /* whoever has the chat may give it back */
    { 2018300, 2018300, ADUAN_LIMITED, CONVERSATION, 10 * MINUTE, THREAD },

    /* this person */
    { 2018001, 2018001, ADUAN_NEVER, CONVERSATION, 0, GONE },
    { 2018108, 2018108, ADUAN_NEVER, CONVERSATION, 0, GONE },
    { 1545041, 1545041, ADUAN_NEVER, CONVERSATION, 0, GONE },
    { 1893063, 1893063, ADUAN_NEVER, CONVERSATION, 0, GONE },
    { 551, 551, ADUAN_NEVER, CONVERSATION, 0, GONE },
    { 230, 230, ADUAN_NEVER, CONVERSATION, 0,
      "Orang ini belum menerima permintaan pesan / the person has not accepted the chat" },

    /* this attachment */
    { 2018008, 2018008, ADUAN_NEVER, CONVERSATION, 0, MEDIA },
    { 2018047, 2018047, ADUAN_NEVER, CONVERSATION, 0, MEDIA },
    { 2018074, 2018074, ADUAN_NEVER, CONVERSATION, 0, MEDIA },
    { 2018109, 2018109, ADUAN_NEVER, CONVERSATION, 0, MEDIA },
    { 2018294, 2018294, ADUAN_NEVER, CONVERSATION, 0, MEDIA },

    { 10900, 10900, ADUAN_NEVER, CONVERSATION, 0,
      "Komentar ini sudah pernah dibalas pribadi / there has been a private reply to this already" },

    /* come back later: nothing was sent */
    { 1, 2, ADUAN_LATER, CONVERSATION, 0, NULL },

    /* too many, too fast */
    { 2534040, 2534040, ADUAN_LIMITED, ACCOUNT, 5 * MINUTE, NULL },
    { 4, 4, ADUAN_LIMITED, ACCOUNT, MINUTE, NULL },
    { 9, 9, ADUAN_LIMITED, ACCOUNT, 5 * MINUTE, NULL },
    { 17, 17, ADUAN_LIMITED, ACCOUNT, MINUTE, NULL },
    { 32, 32, ADUAN_LIMITED, ACCOUNT, MINUTE, NULL },
    { 341, 341, ADUAN_LIMITED, ACCOUNT, 5 * MINUTE, NULL },
    { 613, 613, ADUAN_LIMITED, ACCOUNT, MINUTE, NULL },
    { 80000, 80014, ADUAN_LIMITED, ACCOUNT, 5 * MINUTE, NULL },
    { 368, 368, ADUAN_LIMITED, ACCOUNT, HOUR,
      "Akun diblokir sementara oleh Meta / the account is blocked for a time" },
    { 2022, 2022, ADUAN_LIMITED, ACCOUNT, HOUR, NULL },
    { 9000001, 9000001, ADUAN_LIMITED, ACCOUNT, HOUR, NULL },

    /* the account, not the message */
    { 3, 3, ADUAN_REFUSED, ACCOUNT, 0, TOKEN },
    { 10, 10, ADUAN_REFUSED, ACCOUNT, 0, TOKEN },
    { 102, 102, ADUAN_REFUSED, ACCOUNT, 0, TOKEN },
    { 190, 190, ADUAN_REFUSED, ACCOUNT, 0, TOKEN },
    { 200, 299, ADUAN_REFUSED, ACCOUNT, 0, TOKEN },

    { 100, 100, ADUAN_NEVER, CONVERSATION, 0, NULL },
    { -1, -1, 0, 0, 0, NULL },
};
