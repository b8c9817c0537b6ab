/* identity.c: see identity.h. One pass, each number judged where it begins. */
#include "desk/identity.h"

#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NIK_DIGITS = 16, PASSPORT_LETTERS = 2 };

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

static bool is_letter(char c) {
    return is_upper(c) || (c >= 'a' && c <= 'z');
}

static size_t digits_at(const char *s) {
    size_t n = 0;

    while (is_digit(s[n]))
        n++;
    return n;
}

/* PPKKCC DDMMYY NNNN: province 11 to 96, day 1 to 31 (women: and 40), month 1 to 12. */
static bool reads_as_nik(const char d[NIK_DIGITS]) {
    int province = (d[0] - '0') * 10 + d[1] - '0', day = (d[6] - '0') * 10 + d[7] - '0';
    int month = (d[8] - '0') * 10 + d[9] - '0';

    if (day > 40)
        day -= 40;
    return province >= 11 && province <= 96 && day >= 1 && day <= 31 && month >= 1 && month <= 12;
}

/* How many bytes of s are a NIK; 0: none begins here. Groups may be parted by one blank, dot or dash, but not
 * behind a word and a dash, as in a ticket's number. */
static size_t nik_at(const char *s, bool groups) {
    char digits[NIK_DIGITS];
    size_t at = 0, n = 0;

    while (n < NIK_DIGITS && is_digit(s[at])) {
        digits[n++] = s[at++];
        if (groups && n < NIK_DIGITS && (s[at] == ' ' || s[at] == '.' || s[at] == '-') && is_digit(s[at + 1]))
            at++;
    }
    if (n < NIK_DIGITS || is_digit(s[at]) || is_letter(s[at]))
        return 0;
    return at == NIK_DIGITS || reads_as_nik(digits) ? at : 0;
}

/* The same for a passport: "A1234567", "A 1234567", "XA123456"; small letters only with seven digits. */
static size_t passport_at(const char *s) {
    size_t letters = 0, gap, digits;
    bool upper = true;

    while (is_letter(s[letters])) {
        upper = upper && is_upper(s[letters]);
        if (++letters > PASSPORT_LETTERS)
            return 0;
    }
    gap = letters == 1 && upper && (s[1] == ' ' || s[1] == '-') ? 1 : 0;
    digits = letters > 0 ? digits_at(s + letters + gap) : 0;
    if (digits != 7 && (digits != 6 || !upper || gap > 0))
        return 0;
    return is_letter(s[letters + gap + digits]) ? 0 : letters + gap + digits;
}

/* Keeps the first `head` and the last two characters. */
static void add_masked(struct text *out, const char *s, size_t n, size_t head) {
    size_t i;

    for (i = 0; i < n; i++)
        text_add_char(out, i < head || i + 2 >= n ? s[i] : '*');
}

/* May a number begin here? Not inside a word, and a passport number not inside a link. */
static size_t number_at(const char *text, const char *s) {
    char before = s > text ? s[-1] : ' ';

    if (is_letter(before) || is_digit(before))
        return 0;
    if (is_digit(*s))
        return nik_at(s, before != '-' || s < text + 2 || !is_letter(s[-2]));
    return is_letter(*s) && before != '/' && before != '=' && before != '-' && before != '_' ? passport_at(s)
                                                                                             : 0;
}

char *identity_mask(const char *text, size_t *ret_count, char ret_first[40]) {
    struct text out = TEXT_INIT;
    const char *s = text;

    *ret_count = 0;
    if (text == NULL)
        return NULL;
    text_add(&out, "");
    while (*s != '\0') {
        size_t n = number_at(text, s), begin = out.len;

        if (n == 0) {
            text_add_char(&out, *s++);
            continue;
        }
        add_masked(&out, s, n, is_digit(*s) ? 4 : 1);
        if ((*ret_count)++ == 0 && ret_first != NULL)
            snprintf(ret_first, 40, "%s", out.s + begin);
        s += n;
    }
    return text_steal(&out);
}
