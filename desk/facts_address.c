/*
 * facts_address.c: the address a person gives, and how complete it is.
 *
 * An address begins after a label, after "tinggal di", after the name, or with a street word where a
 * clause begins; never after "di", "dekat", "near": that is where something happened. It goes on
 * while its parts look like one. Full: a street, block, house or named venue, and an area.
 */
#include "desk/facts_words.h"

#include "kit/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRESS_WORDS_MAX = 40, FREE_WORDS_MAX = 5 };
enum { W_FEATURE = W_STREET | W_VENUE | W_HOUSE | W_KM | W_ADMIN | W_HAMLET | W_PLACE };

struct reading {
    const struct words *w;
    size_t first, end;
    bool labelled; /* the whole line is one */
    bool led;      /* after "tinggal di": names that nobody knows are places */
};

static bool is_long_number(const struct words *w, size_t i) {
    const struct fold_word *f = &w->f.words[i];
    size_t n = f->to - f->from;
    return (w->kinds[i] & W_NUMBER) != 0 &&
           (n >= 7 || (n >= 4 && w->text[f->from] == '0') || (f->from > 0 && w->text[f->from - 1] == '+'));
}

/* "no hp", "no. wa": a label of its own, not a house. */
static bool is_call(const struct words *w, size_t i) {
    return (w->kinds[i] & W_CALL) != 0 || (words_are(w, i, "no") + words_are(w, i, "nomor") > 0 &&
                                           i + 1 < w->f.count && (w->kinds[i + 1] & W_CALL) != 0);
}

/* May the part after a comma or line break go on with word i? */
static bool part_begins(const struct reading *r, size_t i, bool new_line) {
    unsigned kinds = r->w->kinds[i];
    if ((kinds & W_FEATURE) != 0) {
        return true;
    }
    if (new_line) {
        size_t n = r->w->f.words[i].to - r->w->f.words[i].from;
        return (kinds & W_NUMBER) != 0 && n == 5; /* a postcode */
    }
    return (kinds & W_NUMBER) != 0 ||
           ((kinds & W_CAPITAL) != 0 && (kinds & (W_NO_NAME | W_STOP | W_MONTH)) == 0);
}

/* Does the address end before word i (which is not its first)? */
static bool ends_before(const struct reading *r, size_t i) {
    const struct words *w = r->w;
    unsigned kinds = w->kinds[i];
    bool new_line = words_gap_has(w, i, "\n"), feature = (kinds & W_FEATURE) != 0;
    if (i - r->first >= ADDRESS_WORDS_MAX || is_long_number(w, i) || is_call(w, i)) {
        return true;
    }
    if (new_line || words_gap_has(w, i, "!?;()\"")) {
        return !new_line || !part_begins(r, i, true) || words_gap_has(w, i, "!?;()\"");
    }
    if (words_sentence_begins(w, i) && !feature) {
        return true;
    }
    if (words_gap_has(w, i, ",") && !part_begins(r, i, false)) {
        return true;
    }
    return (kinds & W_STOP) != 0 && !feature;
}

static void extend(struct reading *r) {
    r->end = r->first;
    size_t free_words = 0;
    while (r->end < r->w->f.count && (r->end == r->first || !ends_before(r, r->end))) {
        unsigned kinds = r->w->kinds[r->end];
        /* Without capitals the words after "jl" are told from talk only by their number. */
        free_words = (kinds & (W_FEATURE | W_NUMBER | W_CAPITAL)) != 0 ? 0 : free_words + 1;
        if (free_words > FREE_WORDS_MAX) {
            break;
        }
        r->end++;
    }
    while (r->end > r->first + 1 && free_words > 1 && !r->labelled) { /* talk, not a place */
        r->end--;
        free_words--;
    }
}

/* ----------------------------------------------------------------------------- score */

static bool followed(const struct reading *r, size_t i) {
    return i + 1 < r->end;
}

static bool is_block(const struct reading *r, size_t i) {
    unsigned kinds = r->w->kinds[i];
    bool number = followed(r, i) && strpbrk(r->w->f.words[i + 1].text, "0123456789") != NULL;
    if ((kinds & (W_HOUSE | W_KM)) != 0) {
        return number;
    }
    if ((kinds & W_VENUE) != 0) {
        return followed(r, i) || i > r->first;
    }
    return (kinds & W_STREET) != 0 && (followed(r, i) || i > r->first);
}

static bool is_area(const struct reading *r, size_t i) {
    unsigned kinds = r->w->kinds[i];
    size_t n = r->w->f.words[i].to - r->w->f.words[i].from;
    bool postcode = (kinds & W_NUMBER) != 0 && n == 5 && i > r->first;
    bool named = (kinds & W_ADMIN) != 0 && followed(r, i) && (r->w->kinds[i + 1] & W_NUMBER) == 0;
    /* "Jl. Bintan 5" is a street that is called so, not in Bintan; "Jl. Bintan, Bintan" is. */
    bool street_name = i > r->first && (r->w->kinds[i - 1] & W_STREET) != 0 && !words_gap_has(r->w, i, ",\n");
    return postcode || named || ((kinds & (W_AREA | W_CITY)) != 0 && !street_name);
}

static enum facts_score score(const struct reading *r) {
    bool block = false, area = false, some = false;
    for (size_t i = r->first; i < r->end; i++) {
        block = block || is_block(r, i);
        area = area || is_area(r, i);
        some = some || (r->w->kinds[i] & W_FEATURE) != 0;
    }
    if (block && area) {
        return FACTS_FULL;
    }
    return block || area || some ? FACTS_PARTIAL : FACTS_NONE;
}

/* ---------------------------------------------------------------------- where it begins */

static const char *const labels[] = { "alamat lengkap",
                                      "alamat rumah",
                                      "alamat sesuai ktp",
                                      "alamat ktp",
                                      "alamat domisili",
                                      "alamat saya",
                                      "alamat tingal",
                                      "alamat pengadu",
                                      "alamat pelapor",
                                      "alamat",
                                      "almt",
                                      "almat",
                                      "domisili",
                                      "tempat tingal",
                                      "home adres",
                                      "my adres is",
                                      "my adres",
                                      "adres is",
                                      "adres",
                                      "adrs",
                                      NULL };
static const char *const leads[] = {
    "beralamat", "bertempat tingal", "berdomisili", "tingal",      "tgl di",   "tngl",       "menetap",
    "domisili",  "ngekos",           "ngekost",     "kos di",      "ngontrak", "mengontrak", "menginap",
    "nginap",    "rumah saya",       "rumah sy",    "rumah kami",  "staying",  "stay",       "living",
    "live",      "residing",         "reside",      "resident of", "resides",  "duduk",      NULL
};
static const char *const at[] = { "di", "d", "at", "in", "on", "dekat", "sekitar", "kat", "sekarang di", NULL };
static const char *const places_of_events[] = { "di",    "ke",        "dari",     "dekat",  "sekitar", "near",
                                                "at",    "in",        "from",     "to",     "lewat",   "via",
                                                "depan", "samping",   "belakang", "menuju", "sampai",  "antara",
                                                "on",    "pelabuhan", "proyek",   NULL };

static bool not_an_answer(const struct words *w, size_t i) {
    static const char *const no[] = { "tidak", "tdk",     "ga",      "gak",   "rahasia", "anonim", "nama",
                                      "hp",    "no hp",   "email",   "lihat", "sesuai",  "surel",  "web",
                                      "ip",    "telepon", "keluhan", "isi",   NULL };
    return i >= w->f.count || words_are_one(w, i, no) > 0;
}

static bool take(struct reading *r, struct facts *ret) {
    extend(r);
    enum facts_score s = score(r);
    if (s == FACTS_NONE && r->end > r->first &&
        (r->labelled || (r->led && (r->w->kinds[r->first] & (W_CAPITAL | W_STOP | W_NO_NAME)) == W_CAPITAL))) {
        s = FACTS_PARTIAL;
    }
    if (s <= ret->address_score) {
        return false;
    }
    free(ret->address);
    ret->address = words_copy(r->w, r->first, r->end, 500);
    ret->address_score = s;
    return true;
}

/* "Alamat: …" to the end of the line; "alamat Jl. …" in prose only with a place behind it. */
static void read_labels(const struct words *w, struct facts *ret) {
    for (size_t i = 0; i < w->f.count; i++) {
        size_t n = words_are_one(w, i, labels), v = i + n;
        if (n == 0 || v >= w->f.count || not_an_answer(w, v)) {
            continue;
        }
        bool colon = words_gap_has(w, v, ":="), same_line = !words_gap_has(w, v, "\n");
        bool place = (w->kinds[v] & W_FEATURE) != 0 || ((w->kinds[v] & W_NUMBER) != 0 && v + 1 < w->f.count &&
                                                        (w->kinds[v + 1] & W_FEATURE) != 0);
        bool prose = !colon && place && !words_gap_has(w, v, ".;!?");
        struct reading r = { .w = w, .first = v, .labelled = colon };
        if ((colon && same_line && !words_gap_has(w, v, ";'<>")) || (same_line && prose)) {
            take(&r, ret);
        }
    }
}

static void read_leads(const struct words *w, struct facts *ret) {
    for (size_t i = 0; i < w->f.count; i++) {
        size_t n = words_are_one(w, i, leads), v = i + n;
        /* "izin tinggal" is no place to live at. */
        bool permit = i > 0 && (words_are(w, i - 1, "izin") || words_are(w, i - 1, "permit") ||
                                words_are(w, i - 1, "ijin"));
        if (n == 0 || permit) {
            continue;
        }
        size_t prep = v < w->f.count ? words_are_one(w, v, at) : 0;
        v += prep;
        struct reading r = { .w = w, .first = v, .led = prep > 0 };
        if (v < w->f.count && !words_sentence_begins(w, v) && (prep > 0 || (w->kinds[v] & W_FEATURE) != 0)) {
            take(&r, ret);
        }
    }
}

static void read_after_name(const struct words *w, size_t name_end, struct facts *ret) {
    static const char *const skip[] = { "dari",  "from",   "di",        "warga",   "of",
                                        "orang", "alamat", "pengelola", "pemilik", NULL };
    size_t v = name_end;
    bool lines = v < w->f.count && w->f.count - v <= ADDRESS_WORDS_MAX && words_gap_has(w, v, "\n");
    for (size_t tries = 0; v < w->f.count && tries < 2 && words_are_one(w, v, skip) > 0; tries++) {
        v++;
    }
    /* Under a name: an office, a number, then the address. */
    for (size_t tries = 0; v < w->f.count && lines && tries < 14 && (w->kinds[v] & W_FEATURE) == 0; tries++) {
        v++;
    }
    bool house_first = v > name_end && v < w->f.count && (w->kinds[v - 1] & W_NUMBER) != 0 &&
                       !is_long_number(w, v - 1) && !words_gap_has(w, v, "\n,");
    v -= house_first;
    bool place = v < w->f.count && (w->kinds[v + house_first] & W_FEATURE) != 0;
    /* "Jan, Nirwana Gardens Villa 12, Lagoi": the place's own name comes first. */
    for (size_t k = v; !lines && !place && k < w->f.count && k < v + 4 && (w->kinds[k] & W_CAPITAL) != 0 &&
                       (w->kinds[k] & W_STOP) == 0 && !words_gap_has(w, k, ".\n");
         k++) {
        place = (w->kinds[k] & (W_VENUE | W_PLACE)) != 0;
    }
    struct reading r = { .w = w, .first = v };
    if (place && (lines || !words_sentence_begins(w, name_end))) {
        take(&r, ret);
    }
}

static bool clause_begins(const struct words *w, size_t i) {
    return words_sentence_begins(w, i) || words_gap_has(w, i, ",(:-;");
}

/* "…, Jl. Hang Tuah No. 27, …": a street where a clause begins. */
static void read_streets(const struct words *w, struct facts *ret) {
    for (size_t i = 0; i + 1 < w->f.count && ret->address_score != FACTS_FULL; i++) {
        unsigned kinds = w->kinds[i];
        bool ward = (kinds & W_ADMIN) != 0 && (words_are(w, i, "kel") || words_are(w, i, "kec"));
        if ((kinds & W_STREET) == 0 && !ward && words_are(w, i, "rt") == 0) {
            continue;
        }
        /* "14 Jalan Wisata" begins with its number. */
        size_t first = i > 0 && (w->kinds[i - 1] & W_NUMBER) != 0 && !is_long_number(w, i - 1) &&
                               !words_gap_has(w, i, ",\n.")
                           ? i - 1
                           : i;
        bool verb = words_are(w, i, "jalan") > 0 && ((kinds & w->kinds[i + 1] & W_CAPITAL) == 0);
        bool event =
            first > 0 && words_are_one(w, first - 1, places_of_events) > 0 && !words_gap_has(w, first, ",.\n");
        struct reading r = { .w = w, .first = first };
        if (clause_begins(w, first) && !verb && !event) {
            take(&r, ret);
        }
    }
}

void facts_find_address(const struct words *w, size_t name_end, struct facts *ret) {
    read_labels(w, ret);
    if (ret->address_score != FACTS_FULL) {
        read_leads(w, ret);
    }
    if (ret->address_score != FACTS_FULL && name_end != SIZE_MAX) {
        read_after_name(w, name_end, ret);
    }
    if (ret->address_score != FACTS_FULL) {
        read_streets(w, ret);
    }
}
