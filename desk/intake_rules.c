/* intake_rules.c: the office's requirements for each way in, as a table; see intake.h. */
#include "desk/intake.h"

#include "kit/text.h"

#include <stdlib.h>
#include <string.h>

enum { PHONE_DIGITS = 5 };

static const struct {
    const char *channel, *needs[3];
} requirements[] = {
    { "counter", { "identity" } },
    { "phone", { "name", "address" } },
    { "letter", { "identity|phone" } },
    { "box", { "name", "address|phone" } },
};

static const struct {
    const char *key, *id, *en;
} words[] = {
    { "name", "nama lengkap sesuai identitas", "full name as on the ID" },
    { "address", "alamat", "address" },
    { "phone", "nomor HP yang dapat dihubungi", "a phone number" },
    { "identity", "KTP atau identitas lain yang sah (diperlihatkan atau salinannya)",
      "ID card or another valid ID (shown, or a copy)" },
    { "description", "uraian pengaduan (teks atau pindaian)", "what the complaint is (text or a scan)" },
};

static const struct {
    const char *channel, *id, *en;
} channels[] = {
    { "counter", "tatap muka", "the counter" },
    { "phone", "telepon (call center)", "telephone" },
    { "letter", "surat", "letter" },
    { "box", "kotak saran/pengaduan", "the suggestion box" },
    { "lapor", "SP4N-LAPOR!", "SP4N-LAPOR!" },
    { "email", "surel", "e-mail" },
    { "whatsapp", "WhatsApp", "WhatsApp" },
    { "instagram", "Instagram", "Instagram" },
    { "facebook", "Facebook", "Facebook" },
    { "x", "X/Twitter", "X/Twitter" },
};

static bool has(const struct intake_given *g, const char *key, size_t n) {
    if (strncmp(key, "name", n) == 0)
        return g->name;
    if (strncmp(key, "address", n) == 0)
        return g->address;
    if (strncmp(key, "phone", n) == 0)
        return g->phone;
    return g->identity;
}

/* Either of two is enough. */
static bool has_either(const struct intake_given *g, const char *keys) {
    size_t n = strcspn(keys, "|");

    return has(g, keys, n) || (keys[n] == '|' && has(g, keys + n + 1, strlen(keys + n + 1)));
}

bool intake_is_phone(const char *s) {
    size_t digits = 0;

    for (; *s != '\0'; s++)
        digits += *s >= '0' && *s <= '9';
    return digits >= PHONE_DIGITS;
}

json_t *intake_missing(const struct intake_given *g) {
    json_t *missing = json_array();
    size_t i, k;

    for (i = 0; i < sizeof(requirements) / sizeof(requirements[0]); i++) {
        if (!text_equal(requirements[i].channel, g->channel))
            continue;
        for (k = 0; k < 3 && requirements[i].needs[k] != NULL; k++)
            if (!has_either(g, requirements[i].needs[k]))
                json_array_append_new(missing, json_string(requirements[i].needs[k]));
    }
    if (!g->content)
        json_array_append_new(missing, json_string("description"));
    return missing;
}

char *intake_words(const char *key, const char *lang) {
    bool english = text_equal(lang, "en");
    struct text t = TEXT_INIT;
    size_t i, n;

    text_add(&t, "");
    for (; *key != '\0'; key += n + (key[n] == '|')) {
        n = strcspn(key, "|");
        if (t.len > 0)
            text_add(&t, english ? " and/or " : " dan/atau ");
        for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
            if (strncmp(words[i].key, key, n) == 0 && words[i].key[n] == '\0')
                text_add(&t, english ? words[i].en : words[i].id);
    }
    return text_steal(&t);
}

const char *intake_channel_words(const char *channel, const char *lang) {
    size_t i;

    for (i = 0; i < sizeof(channels) / sizeof(channels[0]); i++)
        if (text_equal(channels[i].channel, channel))
            return text_equal(lang, "en") ? channels[i].en : channels[i].id;
    return channel;
}
