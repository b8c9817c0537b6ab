/*
 * calendar.c: deadlines counted on the office's working days; see calendar.h.
 *
 * A year is a table of 366 days, each with its opening and closing time or
 * closed, made once at load from hours, Ramadan hours, holidays and cuti
 * bersama. Day numbers count from 1970-01-01 in the office's own time.
 */
#include "desk/calendar.h"

#include "connectors/kit/text.h"
#include "desk/calendar_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE_MS = 60 * 1000, DAY_MS = 24 * 60 * MINUTE_MS };

/* ------------------------------------------------------------------- days and dates */

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* Years are counted from March, so that the leap day is the last of its year. */
int64_t calendar_day_number(int year, int month, int day) {
    int64_t y = year - (month <= 2);
    int64_t era = floor_div(y, 400), of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void day_to_date(int64_t number, struct calendar_time *t) {
    int64_t z = number + 719468, era = floor_div(z, 146097), of_era = z - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    t->day = (int)(of_year - (153 * m + 2) / 5 + 1);
    t->month = (int)(m < 10 ? m + 3 : m - 9);
    t->year = (int)(y + era * 400 + (t->month <= 2));
    t->weekday = (int)(((number + 3) % 7 + 7) % 7);
}

static int64_t local_day(const struct calendar *c, int64_t ms) {
    return floor_div(ms + (int64_t)c->offset_minutes * MINUTE_MS, DAY_MS);
}

static int64_t local_ms_of_day(const struct calendar *c, int64_t ms) {
    return ms + (int64_t)c->offset_minutes * MINUTE_MS - local_day(c, ms) * DAY_MS;
}

static int64_t instant(const struct calendar *c, int64_t day, int64_t ms_of_day) {
    return day * DAY_MS + ms_of_day - (int64_t)c->offset_minutes * MINUTE_MS;
}

struct calendar_time calendar_local(const struct calendar *c, int64_t ms) {
    struct calendar_time t = { 0 };
    day_to_date(local_day(c, ms), &t);
    int64_t of_day = local_ms_of_day(c, ms);
    t.hour = (int)(of_day / (60 * MINUTE_MS));
    t.minute = (int)(of_day / MINUTE_MS % 60);
    t.second = (int)(of_day / 1000 % 60);
    return t;
}

int64_t calendar_instant(const struct calendar *c, const struct calendar_time *t) {
    int64_t seconds = ((int64_t)t->hour * 60 + t->minute) * 60 + t->second;
    return instant(c, calendar_day_number(t->year, t->month, t->day), seconds * 1000);
}

/* ------------------------------------------------------------------------- hours */

static const struct calendar_year *find_year(const struct calendar *c, int year) {
    for (size_t i = 0; i < c->year_count; i++) {
        if (c->years[i].year == year) {
            return &c->years[i];
        }
    }
    return NULL;
}

/* Where the answer ends when a year has no calendar. */
struct question {
    const struct calendar *c;
    char *why;
    size_t why_size;
};

/* The hours of a day in ms since midnight; *ret_close 0 when closed. 0 or CALENDAR_NO_YEAR. */
static int hours_of(const struct question *q, int64_t day, int64_t *ret_open, int64_t *ret_close) {
    struct calendar_time t = { 0 };
    day_to_date(day, &t);
    const struct calendar_year *y = find_year(q->c, t.year);
    if (!y) {
        snprintf(q->why, q->why_size, "there is no calendar for %d: calendar/%d.conf is missing", t.year,
                 t.year);
        return CALENDAR_NO_YEAR;
    }
    const struct calendar_hours *h = &y->days[day - calendar_day_number(t.year, 1, 1)];
    *ret_open = (int64_t)h->open * MINUTE_MS;
    *ret_close = (int64_t)h->close * MINUTE_MS;
    return 0;
}

/* The first working day from `day` on. */
static int next_working_day(const struct question *q, int64_t *day, int64_t *ret_open, int64_t *ret_close) {
    int rc = hours_of(q, *day, ret_open, ret_close);
    while (rc == 0 && *ret_close == 0) {
        ++*day;
        rc = hours_of(q, *day, ret_open, ret_close);
    }
    return rc;
}

/* When the clock starts: now, at opening, or at the opening of the next working day. */
static int effective_receipt(const struct question *q, int64_t received, int64_t *ret) {
    const struct calendar *c = q->c;
    int64_t day = local_day(c, received), at = local_ms_of_day(c, received), open = 0, close = 0;
    int rc = hours_of(q, day, &open, &close);
    if (rc != 0) {
        return rc;
    }
    bool late = close == 0 || at > close;
    if (late && c->rules.late_receipt == CALENDAR_SAME_DAY) {
        *ret = received;
        return 0;
    }
    if (late) {
        day++;
        rc = next_working_day(q, &day, &open, &close);
    }
    *ret = late || at < open ? instant(c, day, open) : received;
    return rc;
}

/* ----------------------------------------------------------------------- counting */

static bool is_paused(const struct calendar *c, int64_t day, const struct calendar_pause *pauses,
                      size_t count) {
    for (size_t i = 0; i < count; i++) {
        int64_t first = local_day(c, pauses[i].from), last = local_day(c, pauses[i].to);
        if (c->rules.pause_ends_count ? day > first && day < last : day >= first && day <= last) {
            return true;
        }
    }
    return false;
}

static void count_day(struct calendar_due *ret, int64_t day) {
    struct calendar_time t = { 0 };
    day_to_date(day, &t);
    snprintf(ret->days[ret->day_count++], sizeof ret->days[0], "%04u-%02u-%02u", (unsigned)t.year % 10000,
             (unsigned)t.month % 100, (unsigned)t.day % 100);
}

/* Closing time of the last day, or the time of receipt moved into that day's hours. */
static int64_t due_time(const struct calendar *c, int64_t effective, int64_t day, int64_t open, int64_t close) {
    int64_t at = local_ms_of_day(c, effective);
    if (c->rules.due_at == CALENDAR_AT_CLOSING || at > close) {
        return instant(c, day, close);
    }
    return instant(c, day, at < open ? open : at);
}

static bool has_open_pause(const struct calendar_pause *pauses, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (pauses[i].to == 0) {
            return true;
        }
    }
    return false;
}

int calendar_due_paused(const struct calendar *c, int64_t received, int days,
                        const struct calendar_pause *pauses, size_t pause_count, struct calendar_due *ret,
                        char *why, size_t why_size) {
    struct question q = { c, why, why_size };
    int64_t open = 0, close = 0;
    *ret = (struct calendar_due){ .received = received };
    if (days < 1 || days > CALENDAR_DAYS_MAX) {
        snprintf(why, why_size, "a deadline is 1 to %d working days", CALENDAR_DAYS_MAX);
        return -EINVAL;
    }
    if (has_open_pause(pauses, pause_count)) {
        snprintf(why, why_size, "the clock is paused");
        return CALENDAR_PAUSED;
    }
    int rc = effective_receipt(&q, received, &ret->effective);
    int64_t day = local_day(c, ret->effective) + (c->rules.receipt_day_counts ? 0 : 1);
    while (rc == 0) {
        rc = next_working_day(&q, &day, &open, &close);
        if (rc == 0 && !is_paused(c, day, pauses, pause_count)) {
            count_day(ret, day);
        }
        if (rc == 0 && ret->day_count == (size_t)days) {
            break;
        }
        day++;
    }
    if (rc == 0) {
        ret->due = due_time(c, ret->effective, day, open, close);
    }
    return rc;
}

int calendar_due(const struct calendar *c, int64_t received, int days, struct calendar_due *ret, char *why,
                 size_t why_size) {
    return calendar_due_paused(c, received, days, NULL, 0, ret, why, why_size);
}

int calendar_deadline(const struct calendar *c, const char *channel, int64_t received, struct calendar_due *ret,
                      char *why, size_t why_size) {
    const struct calendar_deadline_rule *rule = &c->deadlines[0];
    for (size_t i = 1; channel && i < c->deadline_count; i++) {
        if (strcmp(c->deadlines[i].channel, channel) == 0) {
            rule = &c->deadlines[i];
        }
    }
    if (rule->days > 0) {
        return calendar_due(c, received, rule->days, ret, why, why_size);
    }
    *ret = (struct calendar_due){ .received = received,
                                  .effective = received,
                                  .due = received + (int64_t)rule->minutes * MINUTE_MS };
    return 0;
}

/* ------------------------------------------------------------------- working time */

int calendar_working_ms(const struct calendar *c, int64_t from, int64_t to, int64_t *ret, char *why,
                        size_t why_size) {
    struct question q = { c, why, why_size };
    int64_t sum = 0;
    for (int64_t day = local_day(c, from); from < to && day <= local_day(c, to); day++) {
        int64_t open = 0, close = 0;
        int rc = hours_of(&q, day, &open, &close);
        if (rc != 0) {
            return rc;
        }
        int64_t start = instant(c, day, open), end = instant(c, day, close);
        start = start > from ? start : from;
        end = end < to ? end : to;
        sum += close != 0 && end > start ? end - start : 0;
    }
    *ret = sum;
    return 0;
}

int calendar_is_open(const struct calendar *c, int64_t at, bool *ret, char *why, size_t why_size) {
    struct question q = { c, why, why_size };
    int64_t open = 0, close = 0, of_day = local_ms_of_day(c, at);
    int rc = hours_of(&q, local_day(c, at), &open, &close);
    if (rc == 0) {
        *ret = close != 0 && of_day >= open && of_day <= close;
    }
    return rc;
}

/* ------------------------------------------------------------------------ in words */

static const char *const weekdays_id[] = { "Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu" };
static const char *const weekdays_en[] = { "Monday", "Tuesday",  "Wednesday", "Thursday",
                                           "Friday", "Saturday", "Sunday" };
static const char *const months_id[] = {
    "Januari", "Februari", "Maret",     "April",   "Mei",      "Juni",
    "Juli",    "Agustus",  "September", "Oktober", "November", "Desember"
};
static const char *const months_en[] = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"
};

char *calendar_date_text(const struct calendar *c, int64_t ms, const char *lang) {
    struct calendar_time t = calendar_local(c, ms);
    bool en = text_equal(lang, "en");
    return xasprintf("%s, %d %s %d", (en ? weekdays_en : weekdays_id)[t.weekday], t.day,
                     (en ? months_en : months_id)[(unsigned)(t.month + 11) % 12], t.year);
}

char *calendar_time_text(const struct calendar *c, int64_t ms, const char *lang) {
    struct calendar_time t = calendar_local(c, ms);
    char *date = calendar_date_text(c, ms, lang);
    char *whole = text_equal(lang, "en") ? xasprintf("%s, %02d:%02d %s (UTC+%d)", date, t.hour, t.minute,
                                                     c->zone, c->offset_minutes / 60)
                                         : xasprintf("%s pukul %02d.%02d %s", date, t.hour, t.minute, c->zone);
    free(date);
    return whole;
}

/* ------------------------------------------------------------------------- accessors */

int calendar_offset_minutes(const struct calendar *c) {
    return c->offset_minutes;
}

const char *calendar_zone(const struct calendar *c) {
    return c->zone;
}

bool calendar_has_year(const struct calendar *c, int year) {
    return find_year(c, year) != NULL;
}

int calendar_last_year(const struct calendar *c) {
    int last = c->year_count > 0 ? c->years[0].year : 0;
    for (size_t i = 0; i < c->year_count; i++) {
        last = c->years[i].year < last ? c->years[i].year : last;
    }
    while (last != 0 && find_year(c, last + 1)) {
        last++;
    }
    return last;
}
