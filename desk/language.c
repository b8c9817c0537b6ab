/* language.c: Indonesian or English, by the small words that every text is full of. */
#include "desk/room.h"

#include "kit/text.h"

#include <ctype.h>
#include <string.h>

static const char *const indonesian[] = {
    "saya",   "yang",    "dan",   "di",    "ke",     "dari",      "untuk",  "dengan", "tidak",  "belum",
    "sudah",  "ini",     "itu",   "mohon", "tolong", "bagaimana", "kapan",  "apakah", "ada",    "bisa",
    "paspor", "kami",    "anda",  "bapak", "ibu",    "pak",       "bu",     "min",    "kak",    "terima",
    "kasih",  "selamat", "pagi",  "siang", "sore",   "malam",     "nya",    "atau",   "karena", "sampai",
    "lagi",   "gak",     "ga",    "nggak", "udah",   "udh",       "yg",     "dgn",    "krn",    "tdk",
    "blm",    "sdh",     "aja",   "mau",   "minta",  "kalau",     "juga",   "akan",   "hari",   "petugas",
    "alamat", "nama",    "boleh", "macam", "mana",   "nak",       "hendak", "encik",  "awak",
};
static const char *const english[] = {
    "the",  "and",    "i",     "my",   "is",   "are",     "was",   "to",    "of",     "for",
    "in",   "at",     "it",    "you",  "your", "have",    "has",   "not",   "please", "passport",
    "when", "how",    "what",  "this", "that", "with",    "but",   "been",  "from",   "hello",
    "dear", "thanks", "thank", "we",   "they", "there",   "would", "could", "can",    "an",
    "a",    "on",     "am",    "hi",   "help", "regards", "name",
};

static bool listed(const char *word, const char *const *list, size_t count) {
    size_t i;

    for (i = 0; i < count; i++)
        if (strcmp(list[i], word) == 0)
            return true;
    return false;
}

/* Looks at the first 200 words; that is enough, and no long text costs more. */
static int lean(const char *text) {
    int score = 0, words = 0;
    char word[16];

    while (text != NULL && *text != '\0' && words < 200) {
        size_t n = 0, i;

        while (*text != '\0' && !isalpha((unsigned char)*text))
            text++;
        while (isalpha((unsigned char)text[n]))
            n++;
        if (n > 0 && n < sizeof(word)) {
            for (i = 0; i < n; i++)
                word[i] = (char)tolower((unsigned char)text[i]);
            word[n] = '\0';
            score += listed(word, indonesian, sizeof(indonesian) / sizeof(indonesian[0]));
            score -= listed(word, english, sizeof(english) / sizeof(english[0]));
        }
        text += n;
        words++;
    }
    return score;
}

const char *language_of(const struct aduan_message *m, const char *fallback) {
    int score = 2 * lean(m->text) + lean(m->subject);

    if (score != 0)
        return score > 0 ? "id" : "en";
    if (m->language != NULL && text_starts_nocase(m->language, "en"))
        return "en";
    if (m->language != NULL && (text_starts_nocase(m->language, "id") || text_starts_nocase(m->language, "ms")))
        return "id";
    return text_equal(fallback, "en") ? "en" : "id";
}
