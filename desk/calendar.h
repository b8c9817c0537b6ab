/*
 * calendar.h: the office's working calendar: which days and hours count.
 *
 * calendar_load() reads POLICY/calendar.conf (the switches and the deadlines
 * per channel) and POLICY/calendar/YEAR.conf (holidays, cuti bersama, hours,
 * Ramadan hours). Everything after that is pure. Instants are milliseconds
 * since 1970, UTC; the office's clock is a fixed offset from it, never the
 * system's zone.
 *
 * Outcomes: 0; CALENDAR_NO_YEAR: the answer depends on a year that has no
 * calendar, so there is none (why says which); CALENDAR_PAUSED: a pause is still
 * open; negative: nonsense was asked.
 */
#ifndef ADUAN_DESK_CALENDAR_H
#define ADUAN_DESK_CALENDAR_H

#include "conf/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct calendar;

enum { CALENDAR_NO_YEAR = 1, CALENDAR_PAUSED = 2 };
enum { CALENDAR_DAYS_MAX = 130 }; /* longest deadline in working days */

/* Never NULL; usable only if no fault was added. timezone: "Asia/Jakarta", "Asia/Pontianak",
 * "Asia/Makassar", "Asia/Jayapura", "WIB", "WITA" or "WIT". */
struct calendar *calendar_load(const char *policy_dir, const char *timezone, struct faults *f);
struct calendar *calendar_free(struct calendar *c); /* accepts and returns NULL */

int calendar_offset_minutes(const struct calendar *c); /* east of UTC */
const char *calendar_zone(const struct calendar *c);   /* "WIB" */
bool calendar_has_year(const struct calendar *c, int year);
int calendar_last_year(const struct calendar *c); /* without a gap from the first; 0: none */

/* The office's date and time of an instant, and back. */
struct calendar_time {
    int year, month, day, hour, minute, second, weekday; /* weekday: 0 = Monday */
};
struct calendar_time calendar_local(const struct calendar *c, int64_t ms);
int64_t calendar_instant(const struct calendar *c, const struct calendar_time *t); /* weekday is ignored */

struct calendar_due {
    int64_t received;
    int64_t effective; /* when the clock starts: opening time if it came outside the hours */
    int64_t due;
    size_t day_count; /* the working days counted, oldest first; none for deadlines in minutes */
    char days[CALENDAR_DAYS_MAX][11]; /* "2026-10-06" */
};

/* A span in which the complainant was asked; to 0: still open (then there is no deadline yet). */
struct calendar_pause {
    int64_t from, to;
};

/* Receipt + days working days by the convention that calendar.conf sets. */
int calendar_due(const struct calendar *c, int64_t received, int days, struct calendar_due *ret, char *why,
                 size_t why_size);
int calendar_due_paused(const struct calendar *c, int64_t received, int days,
                        const struct calendar_pause *pauses, size_t pause_count, struct calendar_due *ret,
                        char *why, size_t why_size);
/* The deadline of a channel ("email", "counter", …): working days or plain minutes, as
 * calendar.conf says. channel NULL or unknown there: the office's general deadline. */
int calendar_deadline(const struct calendar *c, const char *channel, int64_t received, struct calendar_due *ret,
                      char *why, size_t why_size);

/* Working time from one instant to another (0 when to <= from). */
int calendar_working_ms(const struct calendar *c, int64_t from, int64_t to, int64_t *ret, char *why,
                        size_t why_size);
/* Is the office open? */
int calendar_is_open(const struct calendar *c, int64_t at, bool *ret, char *why, size_t why_size);

/* In words: lang "en" is English, anything else Indonesian. New strings.
 * "Kamis, 8 Oktober 2026" / "Thursday, 8 October 2026" */
char *calendar_date_text(const struct calendar *c, int64_t ms, const char *lang);
/* "Kamis, 8 Oktober 2026 pukul 16.00 WIB" / "Thursday, 8 October 2026, 16:00 WIB (UTC+7)" */
char *calendar_time_text(const struct calendar *c, int64_t ms, const char *lang);

#endif
