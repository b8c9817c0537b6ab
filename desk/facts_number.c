/* facts_number.c: telephone, identity and passport numbers in a text; the rules are the office's notes. */
#include "desk/facts.h"

#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NIK_DIGITS = 16, DIGITS_MAX = 20, SPAN_MAX = 40 };

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* ------------------------------------------------------------------------------- NIK */

static int two(const char *s) {
    return (s[0] - '0') * 10 + s[1] - '0';
}

static bool date_fits(const char *d) {
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int day = two(d), month = two(d + 2), year = two(d + 4);
    day -= day > 40 ? 40 : 0; /* women */
    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (month == 2 && year % 4 == 0);
}

/* 1111… or 1234… */
static bool is_pattern(const char d[NIK_DIGITS]) {
    int step = d[1] - d[0];
    bool same = step >= -1 && step <= 1;
    for (int i = 1; i < NIK_DIGITS && same; i++) {
        same = (d[i] - d[i - 1] - step) % 10 == 0;
    }
    return same;
}

int facts_nik(const char *s, size_t n, const char *const *provinces, size_t count, char ret[17]) {
    char d[NIK_DIGITS + 1] = "";
    size_t digits = 0;
    for (size_t i = 0; i < n; i++) {
        if (is_digit(s[i]) && digits < NIK_DIGITS) {
            d[digits++] = s[i];
        } else if (is_digit(s[i]) || !strchr(" .-", s[i]) || s[i] == '\0') {
            return -1;
        }
    }
    if (digits != NIK_DIGITS || two(d) == 0 || two(d + 2) == 0 || two(d + 4) == 0 || !date_fits(d + 6) ||
        strcmp(d + 12, "0000") == 0 || is_pattern(d)) {
        return -1;
    }
    memcpy(ret, d, sizeof d);
    for (size_t i = 0; i < count; i++) {
        if (strncmp(provinces[i], d, 2) == 0) {
            return 0;
        }
    }
    return 1;
}

/* ----------------------------------------------------------------------------- phone */

/* National digits without trunk 0: a mobile, a line of the 77x areas, or a line elsewhere. */
static bool national_fits(const char *d, size_t n) {
    if (d[0] == '8') {
        return n >= 9 && n <= 12 && d[1] != '0' && d[1] != '4';
    }
    if (d[0] == '7' && d[1] == '7') {
        return n >= 8 && n <= 11 && d[2] != '4' && d[2] != '5';
    }
    return d[0] >= '2' && d[0] <= '9' && n >= 9 && n <= 12;
}

static int national(const char *d, size_t n, int outcome, char ret[20]) {
    if (!national_fits(d, n)) {
        return FACTS_PHONE_INVALID;
    }
    snprintf(ret, 20, "+62%.*s", (int)n, d);
    return outcome;
}

/* After the + or 00. */
static int international(const char *d, size_t n, char ret[20]) {
    if (strncmp(d, "62", 2) == 0) {
        size_t zero = d[2] == '0'; /* "+62 0811" */
        return n > 2 + zero ? national(d + 2 + zero, n - 2 - zero, FACTS_PHONE_OK, ret) : FACTS_PHONE_INVALID;
    }
    if (n < 8 || n > 15 || d[0] == '0') {
        return FACTS_PHONE_INVALID;
    }
    snprintf(ret, 20, "+%s", d);
    return FACTS_PHONE_OK;
}

/* Digits and one leading + only; "(0)" is left out. */
static bool phone_digits(const char *s, size_t n, char d[DIGITS_MAX + 1], bool *ret_plus) {
    size_t digits = 0;
    *ret_plus = false;
    for (size_t i = 0; i < n; i++) {
        if (n - i >= 3 && strncmp(s + i, "(0)", 3) == 0) {
            i += 2;
        } else if (is_digit(s[i]) && digits == DIGITS_MAX) {
            return false;
        } else if (is_digit(s[i])) {
            d[digits++] = s[i];
        } else if (s[i] == '+' && digits == 0) {
            *ret_plus = true;
        }
    }
    d[digits] = '\0';
    return digits > 0;
}

int facts_phone(const char *s, size_t n, char ret[20]) {
    char d[DIGITS_MAX + 1] = "";
    bool plus;
    if (!phone_digits(s, n, d, &plus)) {
        return FACTS_PHONE_INVALID;
    }
    size_t len = strlen(d);
    if (plus) {
        return international(d, len, ret);
    }
    /* Indonesia dials abroad with 008 or 009, too; "00862…" may also be China, so only home mobiles count. */
    if (strncmp(d, "008628", 6) == 0 || strncmp(d, "009628", 6) == 0) {
        return international(d + 3, len - 3, ret);
    }
    if (strncmp(d, "00", 2) == 0) {
        return len > 2 ? international(d + 2, len - 2, ret) : FACTS_PHONE_INVALID;
    }
    if (d[0] == '0') {
        return len > 1 ? national(d + 1, len - 1, FACTS_PHONE_OK, ret) : FACTS_PHONE_INVALID;
    }
    if (strncmp(d, "62", 2) == 0 && len >= 10 && len <= 14) {
        return international(d, len, ret);
    }
    /* 8 digits are a number of Singapore, 65… and 60… have a country already: ask. */
    return d[0] == '8' && len >= 9 ? national(d, len, FACTS_PHONE_ASSUMED, ret) : FACTS_PHONE_INVALID;
}

/* --------------------------------------------------------------------------- finding */

/* The end of a run of digits in groups, from s; groups are parted by one blank, dot, dash or bracket. */
static size_t run_length(const char *s) {
    size_t i = 0, digits = 0, end = 0;
    while (i < SPAN_MAX && digits <= DIGITS_MAX) {
        if (is_digit(s[i])) {
            digits++;
            end = ++i;
        } else if (s[i] == '+' && digits == 0) {
            i++;
        } else if (s[i] != '\0' && strchr(" .-()", s[i]) &&
                   (is_digit(s[i + 1]) || (s[i + 1] != '\0' && strchr("-( ", s[i + 1]) && s[i] != s[i + 1]))) {
            i++;
        } else {
            break;
        }
    }
    return end;
}

static bool begins_number(const char *text, size_t i) {
    char before = i > 0 ? text[i - 1] : ' ';
    return (is_digit(text[i]) || (text[i] == '+' && is_digit(text[i + 1]))) && !is_digit(before) &&
           !is_letter(before) && before != '/' && before != '+' && before != '@' && before != '#';
}

/* "Rp 850.000.000" and "IDR 8…" are no telephones. */
static bool is_money(const char *text, size_t i) {
    while (i > 0 && (text[i - 1] == ' ' || text[i - 1] == '.')) {
        i--;
    }
    return (i >= 2 && (text[i - 1] | 32) == 'p' && (text[i - 2] | 32) == 'r') ||
           (i >= 3 && text_starts_nocase(text + i - 3, "idr"));
}

/* The longest run of whole groups that is a telephone number; 0: none. A bare 8… must be one run. */
static size_t take_phone(const char *text, size_t i, size_t n, struct facts *ret) {
    char number[20];
    for (size_t end = n; end > 0; end--) {
        bool whole = end == n || (is_digit(text[i + end - 1]) && !is_digit(text[i + end]));
        int rc = whole ? facts_phone(text + i, end, number) : FACTS_PHONE_INVALID;
        if (rc == FACTS_PHONE_ASSUMED && (memchr(text + i, '.', end) || is_money(text, i))) {
            rc = FACTS_PHONE_INVALID;
        }
        if (rc != FACTS_PHONE_INVALID) {
            if (ret->phone[0] == '\0' || (ret->phone_assumed && rc == FACTS_PHONE_OK)) {
                snprintf(ret->phone, sizeof ret->phone, "%s", number);
                ret->phone_assumed = rc == FACTS_PHONE_ASSUMED;
            }
            return end;
        }
    }
    return 0;
}

/* Is a word for telephone right before it? Then what fits no rule is worth asking about. */
static bool is_called_phone(const char *text, size_t i) {
    static const char *const words[] = { "hp", "wa", "telp", "tel", "phone", "mobile", "nomor", "whatsapp" };
    size_t end = i;
    while (end > 0 && !is_letter(text[end - 1]) && text[end - 1] != '\n' && i - end < 4) {
        end--;
    }
    size_t begin = end;
    while (begin > 0 && is_letter(text[begin - 1]) && end - begin < 10) {
        begin--;
    }
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
        if (end - begin == strlen(words[k]) && text_starts_nocase(text + begin, words[k])) {
            return true;
        }
    }
    return false;
}

static size_t take_number(const struct places *p, const char *text, size_t i, struct facts *ret) {
    size_t n = run_length(text + i), nik_end = 0, digits = 0;
    for (size_t k = 0; k < n && digits < NIK_DIGITS; k++) {
        digits += is_digit(text[i + k]);
        nik_end = k + 1;
    }
    if (digits == NIK_DIGITS && !is_digit(text[i + nik_end]) && text[i] != '+') {
        char nik[17];
        int rc = facts_nik(text + i, nik_end, (const char *const *)p->provinces, p->province_count, nik);
        if (rc >= 0 && ret->nik[0] == '\0') {
            memcpy(ret->nik, nik, sizeof nik);
            ret->nik_unsure = rc == 1;
        }
        if (rc >= 0) {
            return nik_end;
        }
    }
    size_t used = take_phone(text, i, n, ret);
    if (used == 0 && !ret->phone_raw && n >= 7 && n <= 20 && is_called_phone(text, i)) {
        ret->phone_raw = text_clean_line(text + i, n, 40);
    }
    if (used == 0) { /* this group is none; the next may begin one */
        for (used = 1; is_digit(text[i + used]); used++) {
        }
    }
    return used;
}

/* "A1234567", "XA123456": capitals only, so that no word with a number is one. */
static size_t take_passport(const char *text, size_t i, struct facts *ret) {
    size_t letters = 0, digits = 0;
    while (text[i + letters] >= 'A' && text[i + letters] <= 'Z') {
        letters++;
    }
    while (is_digit(text[i + letters + digits])) {
        digits++;
    }
    size_t n = letters + digits;
    if (letters >= 1 && letters <= 2 && digits >= 6 && digits <= 7 && !is_letter(text[i + n]) &&
        ret->passport[0] == '\0') {
        snprintf(ret->passport, sizeof ret->passport, "%.*s", (int)n, text + i);
    }
    return n;
}

void facts_numbers(const struct places *p, const char *text, struct facts *ret) {
    for (size_t i = 0; text[i] != '\0';) {
        char before = i > 0 ? text[i - 1] : ' ';
        if (begins_number(text, i)) {
            i += take_number(p, text, i, ret);
        } else if (text[i] >= 'A' && text[i] <= 'Z' && !is_letter(before) && !is_digit(before) &&
                   !strchr("/=-_", before)) {
            i += take_passport(text, i, ret);
        } else {
            i++;
        }
    }
}
