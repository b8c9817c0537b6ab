/*
 * intake.h: what the office asks of a citizen for each way in, and what is still missing. Pure.
 */
#ifndef ADUAN_DESK_INTAKE_H
#define ADUAN_DESK_INTAKE_H

#include <jansson.h>
#include <stdbool.h>

/* What was given, by channel "counter", "phone", "letter" or "box". */
struct intake_given {
    const char *channel;
    bool name, address, phone;
    bool identity; /* an ID was shown, or a copy of one is attached */
    bool content;  /* words, or a scan */
};

/* A telephone number has digits: "tidak ada" is none. */
bool intake_is_phone(const char *s);
/* The keys that are missing, as an array of "name", "address|phone", …; new reference. */
json_t *intake_missing(const struct intake_given *g);
/* A key of those, in words, "nama lengkap sesuai identitas" (lang "id") or English; "address|phone" says
 * either. New string. */
char *intake_words(const char *key, const char *lang);
/* "counter" as it is called on paper: "tatap muka" / "the counter"; the name itself when it is not known. */
const char *intake_channel_words(const char *channel, const char *lang);

#endif
