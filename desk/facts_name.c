/*
 * facts_name.c: the name a person gives.
 *
 * From the surest place to the least: a labelled line, "nama saya …", the name under a closing, "saya
 * Ratna, …", a last line or last words that are nothing but a name. A mononym is a full name. Words
 * of everyday speech are never names (facts_words.c), so that "nama saya jangan dibuka" names nobody.
 */
#include "desk/facts_words.h"

#include "kit/text.h"

#include <string.h>

enum { NAME_WORDS_MAX = 7, TAIL_WORDS = 40 };

struct span {
    size_t first, end;
};

static bool is_connector(const struct words *w, size_t i) {
    static const char *const list[] = { "bin", "binti", "bt",   "bte", "b", "al", "el", "van",
                                        "der", "de",    "anak", "s",   "o", "d",  NULL };
    return words_are_one(w, i, list) > 0;
}

static bool is_suffix(const struct words *w, size_t i) {
    static const char *const list[] = { "s",   "sh",  "se", "m",   "m",  "spd", "skom",
                                        "amd", "sip", "st", "sag", "mh", NULL };
    return words_are_one(w, i, list) > 0 && (w->kinds[i] & W_CAPITAL) != 0;
}

/* Only blanks between word i - 1 and i; also a full stop after "H.", "M." and before "S.H.". */
static bool joined(const struct words *w, size_t i) {
    size_t n;
    const char *gap = words_gap(w, i, &n);
    bool letter = w->f.words[i - 1].to - w->f.words[i - 1].from <= 2;
    bool stop_fits = letter || (w->kinds[i - 1] & (W_TITLE | W_ADDRESS)) != 0;
    for (size_t k = 0; k < n; k++) {
        if (gap[k] != ' ' && gap[k] != '/' && !(gap[k] == '-' && n == 1) && !(gap[k] == '.' && stop_fits) &&
            !(gap[k] == ',' && is_suffix(w, i))) {
            return false;
        }
    }
    return n > 0 && n <= 3;
}

static bool has_digit(const struct words *w, size_t i) {
    return strpbrk(w->f.words[i].text, "0123456789") != NULL;
}

static bool may_be_name(const struct words *w, size_t i, bool lower) {
    unsigned kinds = w->kinds[i];
    if (has_digit(w, i) || ((kinds & (W_NO_NAME | W_MONTH)) != 0 && (kinds & W_TITLE) == 0)) {
        return false;
    }
    return lower || (kinds & W_CAPITAL) != 0;
}

/* A name that begins at i; empty: none does. Leading "Pak" and "Mrs" are left out. */
static struct span name_at(const struct words *w, size_t i, bool lower) {
    while (i + 1 < w->f.count && (w->kinds[i] & W_ADDRESS) != 0 && joined(w, i + 1)) {
        i++;
    }
    struct span s = { i, i };
    while (s.end < w->f.count && s.end - s.first < NAME_WORDS_MAX) {
        size_t j = s.end;
        bool first = j == s.first;
        bool connector = !first && is_connector(w, j);
        bool fits = (may_be_name(w, j, lower) || connector || (!first && is_suffix(w, j))) &&
                    (first || joined(w, j)) && (w->kinds[j] & W_ADDRESS) == 0;
        if (!fits || ((w->kinds[j] & (W_CITY | W_AREA)) != 0 && (!lower || first))) {
            break;
        }
        s.end++;
    }
    while (s.end > s.first && is_connector(w, s.end - 1) && (w->kinds[s.end - 1] & W_CAPITAL) == 0) {
        s.end--;
    }
    bool only_title = s.end == s.first + 1 && (w->kinds[s.first] & W_TITLE) != 0 &&
                      w->f.words[s.first].to - w->f.words[s.first].from < 4;
    size_t letters = s.end > s.first ? w->f.words[s.end - 1].to - w->f.words[s.first].from : 0;
    return only_title || letters < 2 ? (struct span){ i, i } : s;
}

static bool found(struct span s) {
    return s.end > s.first;
}

/* The gap before word i holds only what may stand between a label and its value. */
static bool gap_is(const struct words *w, size_t i, const char *only) {
    size_t n;
    const char *gap = words_gap(w, i, &n);
    for (size_t k = 0; k < n; k++) {
        if (!strchr(only, gap[k])) {
            return false;
        }
    }
    return true;
}

/* --------------------------------------------------------------------------- labels */

static const char *const labels[] = { "nama lengkap", "nama pengadu", "nama pelapor",
                                      "nama pemohon", "nama saya",    "nama penelepon",
                                      "ful name",     "your name",    "my name",
                                      "nama",         "name",         "nma",
                                      "nm",           "penelepon",    "penelpon",
                                      "pengadu",      "pelapor",      "pemohon",
                                      "pemangil",     "caler",        NULL };

static struct span labelled(const struct words *w) {
    for (size_t i = 0; i < w->f.count; i++) {
        size_t n = words_are_one(w, i, labels), v = i + n;
        if (n > 0 && v < w->f.count && words_gap_has(w, v, ":=") && gap_is(w, v, " :=-*_.\t\"")) {
            struct span s = name_at(w, v, true);
            if (found(s)) {
                return s;
            }
        }
    }
    return (struct span){ 0, 0 };
}

/* ----------------------------------------------------------------------------- prose */

static const char *const says[] = { "nama saya adalah",
                                    "nama saya ialah",
                                    "nama lengkap saya",
                                    "perkenalkan nama saya",
                                    "perkenalkan saya",
                                    "kenalkan saya",
                                    "nama saya",
                                    "nama sy",
                                    "nama sya",
                                    "nama aku",
                                    "nama gw",
                                    "nama gue",
                                    "nama hamba",
                                    "nama kami",
                                    "saya bernama",
                                    "sy bernama",
                                    "my name is",
                                    "my names",
                                    "my ful name is",
                                    "name is",
                                    "nm saya",
                                    "nm sy",
                                    "perkenalkan",
                                    "saya yang bernama",
                                    NULL };
static const char *const weak[] = { "yang bertanda tangan di bawah ini",
                                    "saya",
                                    "sy",
                                    "aku",
                                    "i am",
                                    "im",
                                    "this is",
                                    "dengan saya",
                                    "ini dengan",
                                    "penelepon",
                                    "penelpon",
                                    "pelapor",
                                    "pengadu",
                                    "pemohon",
                                    NULL };

static struct span said(const struct words *w) {
    for (size_t i = 0; i < w->f.count; i++) {
        size_t n = words_are_one(w, i, says), v = i + n;
        if (n > 0 && v < w->f.count && gap_is(w, v, " :,-=\"*")) {
            struct span s = name_at(w, v, true);
            if (found(s)) {
                return s;
            }
        }
    }
    return (struct span){ 0, 0 };
}

/* What follows a name that was only dropped in: "saya Ratna, …", "I'm Dan from …". */
static bool ends_like_name(const struct words *w, struct span s) {
    static const char *const next[] = {
        "dari",         "nik",     "alamat",  "beralamat",  "from",   "tingal",     "of",       "warga",
        "pemilik",      "selaku",  "umur",    "hp",         "wa",     "melaporkan", "mengeluh", "mengeluhkan",
        "menyampaikan", "meminta", "melapor", "menanyakan", "merasa", NULL
    };
    size_t n = s.end - s.first;
    return s.end >= w->f.count || words_gap_has(w, s.end, ",.\n(;:") || words_are_one(w, s.end, next) > 0 ||
           n >= 2;
}

/* In a text of capitals a capital tells nothing. */
static bool capitals_tell(const struct words *w) {
    size_t capital = 0;
    for (size_t i = 0; i < w->f.count; i++) {
        capital += (w->kinds[i] & W_CAPITAL) != 0;
    }
    return w->f.count < 6 || capital * 10 < w->f.count * 7;
}

static struct span dropped(const struct words *w) {
    for (size_t i = 0; i < w->f.count; i++) {
        size_t n = words_are_one(w, i, weak);
        n = n == 0 && words_sentence_begins(w, i) ? words_are(w, i, "nama") : n; /* "Nama Syaiful Anwar, …" */
        size_t v = i + n;
        if (n > 0 && v < w->f.count && gap_is(w, v, " ,")) {
            struct span s = name_at(w, v, false);
            if (found(s) && ends_like_name(w, s)) {
                return s;
            }
        }
    }
    return (struct span){ 0, 0 };
}

/* -------------------------------------------------------------------------- the end */

static const char *const closings[] = { "wasalamualaikum wr wb",
                                        "wasalamualaikum",
                                        "wasalam",
                                        "hormat saya",
                                        "hormat kami",
                                        "salam hormat",
                                        "salam takzim",
                                        "salam sejahtera",
                                        "salam",
                                        "hormat",
                                        "terima kasih banyak",
                                        "terima kasih",
                                        "terimakasih",
                                        "makasih",
                                        "trims",
                                        "kind regards",
                                        "best regards",
                                        "warm regards",
                                        "with regards",
                                        "yours sincerely",
                                        "yours faithfuly",
                                        "yours truly",
                                        "regards",
                                        "best wishes",
                                        "best",
                                        "sincerely",
                                        "many thanks",
                                        "thanks",
                                        "thank you",
                                        "chers",
                                        "tertanda",
                                        "td",
                                        "yang mengadu",
                                        "sekian dan terima kasih",
                                        "dari",
                                        "from",
                                        "signed",
                                        "sekian",
                                        "pengirim",
                                        NULL };

/* Is this all of the line, or of what is said in it? */
static bool name_ends(const struct words *w, struct span s) {
    return s.end >= w->f.count || words_gap_has(w, s.end, ",\n(-:.;\"") ||
           (w->kinds[s.end] & (W_NUMBER | W_CALL)) != 0;
}

static struct span signed_name(const struct words *w) {
    struct span last = { 0, 0 };
    for (size_t i = 0; i < w->f.count; i++) {
        size_t n = words_sentence_begins(w, i) || words_gap_has(w, i, ",-") ? words_are_one(w, i, closings) : 0;
        size_t v = i + n;
        if (n == 0 || v >= w->f.count || !words_gap_has(w, v, ",\n:.-") || !gap_is(w, v, " ,.\n:-!*_\t")) {
            continue;
        }
        struct span s = name_at(w, v, words_gap_has(w, v, "\n"));
        if (found(s) && name_ends(w, s)) {
            last = s;
        }
    }
    return last;
}

/* Does an address, a number or an office follow, as under a letter? */
static bool place_follows(const struct words *w, size_t i) {
    unsigned place = W_STREET | W_VENUE | W_HAMLET | W_ADMIN | W_PLACE | W_NUMBER | W_CALL | W_JOB | W_KM;
    /* "…, Nirwana Gardens Villa 12": the place's own name may come first. */
    for (size_t k = i; k < w->f.count && k < i + 4; k++) {
        if ((w->kinds[k] & place) != 0) {
            return true;
        }
        if ((w->kinds[k] & (W_CAPITAL | W_STOP | W_NO_NAME)) != W_CAPITAL || words_gap_has(w, k + 1, ",.\n")) {
            return false;
        }
    }
    return false;
}

/* "Hasanah batu 8": the text ends with where. */
static bool ends_with_place(const struct words *w, size_t i) {
    return i < w->f.count && w->f.count - i <= 8 && (w->kinds[i] & (W_PLACE | W_STREET)) != 0 &&
           !words_gap_has(w, i, ".!?");
}

/* Nothing but blanks after the last word: "Ridiculous!" is no name. */
static bool text_ends_at(const struct words *w, size_t end) {
    const char *rest = w->text + w->f.words[end - 1].to;
    return rest[strspn(rest, " \t\n)")] == '\0';
}

static bool dash_before(const struct words *w, size_t i) {
    size_t n;
    const char *gap = words_gap(w, i, &n);
    char before[8] = "";
    memcpy(before, gap, n < 7 ? n : 7);
    return n >= 2 &&
           (strstr(before, "- ") || strstr(before, "\xe2\x80\x93") || strstr(before, "\xe2\x80\x94") ||
            strstr(before, "--") || strstr(before, " -") || strstr(before, "~"));
}

/* The last words that are nothing but a name, or a name and where and how it is found. */
static struct span trailing(const struct words *w) {
    bool tell = capitals_tell(w);
    size_t from = w->f.count > TAIL_WORDS ? w->f.count - TAIL_WORDS : 1;
    for (size_t i = w->f.count; i-- > from;) {
        bool line = words_line_begins(w, i), dash = dash_before(w, i);
        if (!line && !dash && !words_sentence_begins(w, i)) {
            continue;
        }
        struct span s = name_at(w, i, false);
        bool comma =
            found(s) && s.end < w->f.count && words_gap_has(w, s.end, ",-(/") && place_follows(w, s.end);
        bool alone =
            found(s) && (s.end >= w->f.count ? text_ends_at(w, s.end) || s.end - s.first > 1
                                             : words_gap_has(w, s.end, "\n") && line && s.end - s.first > 1);
        bool number = found(s) && s.end < w->f.count && (w->kinds[s.end] & (W_NUMBER | W_CALL)) != 0 &&
                      (s.end - s.first > 1 || w->f.count - s.end <= 5);
        bool where = found(s) && ends_with_place(w, s.end);
        if (found(s) && (tell || line || dash) && (comma || alone || number || where)) {
            return s;
        }
        s = name_at(w, i, true); /* "agus, jl. …" */
        if (found(s) && s.end - s.first <= 3 && s.end < w->f.count && words_gap_has(w, s.end, ",") &&
            place_follows(w, s.end) && (w->kinds[s.end] & W_JOB) == 0) {
            return s;
        }
    }
    return (struct span){ 0, 0 };
}

bool facts_find_name(const struct words *w, size_t *ret_first, size_t *ret_end) {
    static struct span (*const ways[])(const struct words *) = { labelled, said, signed_name, dropped,
                                                                 trailing };
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct span s = ways[i](w);
        if (found(s)) {
            *ret_first = s.first;
            *ret_end = s.end;
            return true;
        }
    }
    return false;
}
