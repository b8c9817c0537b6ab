/*
 * facts_event.c: when and where it happened, who is reported, what is asked for.
 *
 * The day is the first one named that has already been ("17 September 2026", "tgl 5/10", "kemarin");
 * failing that, the first to come. A day without a year is the one nearest to the receipt.
 */
#include "desk/facts_words.h"

#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 86400000, REMEDY_MAX = 240, PARTY_WORDS = 4 };

/* ------------------------------------------------------------------------------ days */

/* Days since 1970-01-01 of the Gregorian calendar. */
static int64_t day_of(int year, int month, int day) {
    int64_t y = year - (month <= 2), era = y / 400, yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void date_of(int64_t days, int *ret_year, int *ret_month, int *ret_day) {
    int64_t z = days + 719468, era = z / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365,
            doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *ret_day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *ret_month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *ret_year = (int)(yoe + era * 400 + (*ret_month <= 2));
}

static int month_of(const char *word) {
    static const char *const months[12][6] = {
        { "januari", "january", "jan", NULL },
        { "februari", "february", "pebruari", "feb", NULL },
        { "maret", "march", "mar", NULL },
        { "april", "apr", NULL },
        { "mei", "may", NULL },
        { "juni", "june", "jun", NULL },
        { "juli", "july", "jul", NULL },
        { "agustus", "august", "agus", "aug", "agt", NULL },
        { "september", "sept", "sep", NULL },
        { "oktober", "october", "okt", "oct", NULL },
        { "november", "nopember", "nov", NULL },
        { "desember", "december", "des", "dec", NULL },
    };
    for (int m = 0; m < 12; m++) {
        for (int k = 0; months[m][k]; k++) {
            if (strcmp(word, months[m][k]) == 0) {
                return m + 1;
            }
        }
    }
    return 0;
}

/* The number of 1 to 4 digits that word i is, or -1. "5th" counts. */
static int number_of(const struct words *w, size_t i) {
    if (i >= w->f.count) {
        return -1;
    }
    const char *s = w->f.words[i].text;
    size_t n = strspn(s, "0123456789");
    if (n == 0 || n > 4 ||
        (s[n] != '\0' && strcmp(s + n, "th") != 0 && strcmp(s + n, "st") != 0 && strcmp(s + n, "nd") != 0 &&
         strcmp(s + n, "rd") != 0)) {
        return -1;
    }
    int value = 0;
    for (size_t k = 0; k < n; k++) {
        value = 10 * value + s[k] - '0';
    }
    return value;
}

struct days {
    const struct words *w;
    int64_t today;
    int64_t past, coming; /* INT64_MIN: none */
};

static void add_day(struct days *d, int64_t day) {
    if (day <= d->today) {
        d->past = d->past == INT64_MIN ? day : d->past;
    } else {
        d->coming = d->coming == INT64_MIN || day < d->coming ? day : d->coming;
    }
}

static void add_date(struct days *d, int year, int month, int day) {
    int y, m, dd;
    if (month < 1 || month > 12 || day < 1 || day > 31) {
        return;
    }
    date_of(d->today, &y, &m, &dd);
    if (year >= 0 && year < 100) {
        year += 2000;
    }
    if (year >= 0 && (year < y - 3 || year > y + 2)) {
        return; /* a birth date, a number */
    }
    int64_t at = day_of(year >= 0 ? year : y, month, day);
    if (year < 0 && at - d->today > 183) {
        at = day_of(y - 1, month, day);
    } else if (year < 0 && d->today - at > 183) {
        at = day_of(y + 1, month, day);
    }
    add_day(d, at);
}

/* "17 September 2026", "September 17, 2026", "5 okt". */
static void read_month(struct days *d, size_t i) {
    int month = month_of(d->w->f.words[i].text);
    if (month == 0) {
        return;
    }
    int before = i > 0 ? number_of(d->w, i - 1) : -1, after = number_of(d->w, i + 1);
    if (before >= 1 && before <= 31) {
        add_date(d, after >= 1000 ? after : -1, month, before);
    } else if (before < 0 && after >= 1 && after <= 31) {
        int year = number_of(d->w, i + 2);
        add_date(d, year >= 1000 ? year : -1, month, after);
    }
}

/* "17/09/2026", "17-9-26", "2026-09-17". */
static void read_figures(struct days *d, size_t i) {
    int a = number_of(d->w, i), b = number_of(d->w, i + 1), c = number_of(d->w, i + 2);
    if (a < 0 || b < 0 || c < 0 || !words_gap_has(d->w, i + 1, "/-.") || !words_gap_has(d->w, i + 2, "/-.")) {
        return;
    }
    size_t n;
    words_gap(d->w, i + 1, &n);
    if (n != 1) {
        return;
    }
    if (a >= 2000) {
        add_date(d, a, b, c);
    } else {
        add_date(d, c, b, a);
    }
}

static void read_relative(struct days *d, size_t i) {
    static const struct {
        const char *words[6];
        int days;
    } relative[] = {
        { { "kemarin", "kemaren", "kmrn", "kmaren", "yesterday", NULL }, -1 },
        { { "hari ini", "tadi", "barusan", "today", "this morning", NULL }, 0 },
        { { "besok", "bsk", "esok", "tomorow", "tmrw", NULL }, 1 },
        { { "lusa", NULL }, 2 },
    };
    for (size_t k = 0; k < sizeof relative / sizeof relative[0]; k++) {
        if (words_are_one(d->w, i, relative[k].words) > 0) {
            add_day(d, d->today + relative[k].days);
        }
    }
}

/* "tgl 20": this month's, or the next. */
static void read_day_only(struct days *d, size_t i) {
    int day = words_are(d->w, i, "tgl") + words_are(d->w, i, "tangal") > 0 ? number_of(d->w, i + 1) : -1, y, m,
        today;
    bool more =
        i + 2 < d->w->f.count && (month_of(d->w->f.words[i + 2].text) > 0 || words_gap_has(d->w, i + 2, "/-"));
    if (day < 1 || day > 31 || more) {
        return;
    }
    date_of(d->today, &y, &m, &today);
    add_day(d, day_of(y, m, day));
}

static void put_date(int64_t day, char ret[11]) {
    int y, m, d;
    date_of(day, &y, &m, &d);
    if (y >= 1970 && y <= 9999) {
        snprintf(ret, 11, "%04d-%02d-%02d", y, m, d);
    }
}

/* "pukul 07.40", "jam 10an", "at 8am". */
static void read_clock(const struct words *w, size_t i, struct facts *ret) {
    static const char *const leads[] = { "pukul", "jam", "pkl", NULL };
    int hour = words_are_one(w, i, leads) > 0 && i + 1 < w->f.count ? 0 : -1, minute = 0;
    if (hour < 0 || ret->event_time[0] != '\0') {
        return;
    }
    const char *s = w->f.words[i + 1].text;
    size_t n = strspn(s, "0123456789");
    if (n == 0 || n > 2) {
        return;
    }
    hour = n == 2 ? (s[0] - '0') * 10 + s[1] - '0' : s[0] - '0';
    if (s[n] == '\0' && i + 2 < w->f.count && words_gap_has(w, i + 2, ".:") &&
        !words_gap_has(w, i + 2, " \n")) {
        minute = number_of(w, i + 2);
    }
    if (hour <= 24 && minute >= 0 && minute < 60) {
        snprintf(ret->event_time, sizeof ret->event_time, "%02u:%02u", (unsigned)hour % 24,
                 (unsigned)minute % 60);
    }
}

static void read_days(const struct words *w, int64_t now, int offset_minutes, struct facts *ret) {
    int64_t local = now + (int64_t)offset_minutes * 60000;
    struct days d = { .w = w,
                      .today = (local >= 0 ? local : local - DAY_MS + 1) / DAY_MS,
                      .past = INT64_MIN,
                      .coming = INT64_MIN };
    for (size_t i = 0; i < w->f.count; i++) {
        read_month(&d, i);
        read_figures(&d, i);
        read_relative(&d, i);
        read_day_only(&d, i);
        read_clock(w, i, ret);
    }
    if (d.past != INT64_MIN || d.coming != INT64_MIN) {
        put_date(d.past != INT64_MIN ? d.past : d.coming, ret->event_date);
    }
    ret->soonest_day = d.coming != INT64_MIN && d.coming - d.today < 3660 ? (int)(d.coming - d.today) : -1;
}

/* -------------------------------------------------------------------- phrases of the file */

struct seeing {
    const struct places *p;
    const struct words *w;
    struct lexicon_hits *h;
};

static bool first_place(const struct seeing *s, int kind, size_t *ret_word, size_t *ret_words) {
    return s->p->patterns[kind] >= 0 &&
           lexicon_place(s->p->lexicon, s->h, s->p->patterns[kind], 0, ret_word, ret_words);
}

/* The party and what is said right behind it: "petugas loket 3", "agen bernama Bang Ucok". */
static char *party(const struct seeing *s, size_t word, size_t words) {
    size_t end = word + words;
    for (size_t more = 0; more < PARTY_WORDS && end < s->w->f.count; more++, end++) {
        bool name = (s->w->kinds[end] & (W_CAPITAL | W_NUMBER)) != 0 || words_are(s->w, end, "inisial") > 0 ||
                    words_are(s->w, end, "bernama") > 0 || words_are(s->w, end, "loket") > 0 ||
                    words_are(s->w, end, "konter") > 0;
        if (!name || words_gap_has(s->w, end, ".,;!?\n")) {
            break;
        }
    }
    return words_copy(s->w, word, end, 120);
}

/* The sentence around a word. */
static char *sentence(const struct words *w, size_t word) {
    size_t first = word, end = word + 1;
    while (first > 0 && !words_sentence_begins(w, first) && word - first < 40) {
        first--;
    }
    while (end < w->f.count && !words_sentence_begins(w, end) && end - word < 40) {
        end++;
    }
    return words_copy(w, first, end, REMEDY_MAX);
}

static void read_phrases(const struct places *p, const struct words *w, struct facts *ret) {
    struct seeing s = { .p = p, .w = w, .h = lexicon_find(p->lexicon, &w->f) };
    size_t word, n;
    if (first_place(&s, PLACES_SCENE, &word, &n)) {
        ret->event_place = words_copy(w, word, word + n, 120);
    }
    if (first_place(&s, PLACES_PARTY, &word, &n)) {
        ret->party = party(&s, word, n);
    }
    if (first_place(&s, PLACES_REMEDY, &word, &n)) {
        ret->remedy = sentence(w, word);
    }
    ret->identity =
        first_place(&s, PLACES_IDENTITY, &word, &n) && !first_place(&s, PLACES_NO_IDENTITY, &word, &n);
    int evidence = p->patterns[PLACES_EVIDENCE];
    while (evidence >= 0 && lexicon_place(p->lexicon, s.h, evidence, ret->evidence, &word, &n)) {
        ret->evidence++;
    }
    lexicon_hits_free(s.h);
}

void facts_find_event(const struct places *p, const struct words *w, int64_t now, int offset_minutes,
                      struct facts *ret) {
    read_days(w, now, offset_minutes, ret);
    read_phrases(p, w, ret);
}
