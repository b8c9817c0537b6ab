/* names.c: what the columns of a list and the labels of a notice are called, in two languages. */
#include "lapor/lapor.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX = 40 };

#define AT(member) offsetof(struct lapor_item, member)

static const struct {
    const char *name; /* lower case, letters and digits only */
    size_t at;
} names[] = {
    { "trackingid", AT(id) },
    { "idtracking", AT(id) },
    { "trackingnumber", AT(id) },
    { "nomor", AT(id) },
    { "no", AT(id) },
    { "nomorlaporan", AT(id) },
    { "nolaporan", AT(id) },
    { "idlaporan", AT(id) },
    { "laporanid", AT(id) },
    { "kodelaporan", AT(id) },
    { "nomoraduan", AT(id) },
    { "reportid", AT(id) },
    { "reportnumber", AT(id) },
    { "complaintid", AT(id) },
    { "ticket", AT(id) },
    { "id", AT(id) },
    { "idtindaklanjut", AT(item) },
    { "followupid", AT(item) },
    { "judul", AT(title) },
    { "judullaporan", AT(title) },
    { "title", AT(title) },
    { "subject", AT(title) },
    { "perihal", AT(title) },
    { "isi", AT(body) },
    { "isilaporan", AT(body) },
    { "laporan", AT(body) },
    { "uraian", AT(body) },
    { "content", AT(body) },
    { "body", AT(body) },
    { "text", AT(body) },
    { "report", AT(body) },
    { "tanggal", AT(created) },
    { "tanggallaporan", AT(created) },
    { "waktu", AT(created) },
    { "date", AT(created) },
    { "createdat", AT(created) },
    { "status", AT(status) },
    { "statuslaporan", AT(status) },
    { "statusname", AT(status) },
    { "nama", AT(name) },
    { "namapelapor", AT(name) },
    { "pelapor", AT(name) },
    { "name", AT(name) },
    { "reporter", AT(name) },
    { "reportername", AT(name) },
    { "telepon", AT(phone) },
    { "nomortelepon", AT(phone) },
    { "nohp", AT(phone) },
    { "hp", AT(phone) },
    { "phone", AT(phone) },
    { "alamat", AT(address) },
    { "address", AT(address) },
    { "tanggalkejadian", AT(event) },
    { "dateofincident", AT(event) },
    { "anonim", AT(anonymous) },
    { "anonymous", AT(anonymous) },
    { "isanonymous", AT(anonymous) },
    { "rahasia", AT(secret) },
    { "secret", AT(secret) },
    { "issecret", AT(secret) },
};

bool lapor_set(struct lapor_item *item, const char *name, size_t n, char *value) {
    char plain[NAME_MAX + 1];
    size_t i, k = 0;
    char **at;

    for (i = 0; i < n && k < NAME_MAX; i++)
        if (isalnum((unsigned char)name[i]))
            plain[k++] = (char)tolower((unsigned char)name[i]);
    plain[k] = '\0';
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i].name, plain) != 0)
            continue;
        at = (char **)(void *)((char *)item + names[i].at);
        if (value == NULL)
            return true;
        if (*at == NULL && value[0] != '\0')
            *at = value; /* the first of two names for the same thing */
        else
            free(value);
        return true;
    }
    free(value);
    return false;
}
