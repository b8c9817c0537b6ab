/*
 * calendar_file.h: a working calendar in memory, between its reader
 * (calendar_file.c) and its arithmetic (calendar.c). Nobody else includes it.
 */
#ifndef ADUAN_DESK_CALENDAR_FILE_H
#define ADUAN_DESK_CALENDAR_FILE_H

#include "desk/calendar.h"

/* Minutes since midnight; close 0: closed all day. */
struct calendar_hours {
    int16_t open, close;
};

struct calendar_year {
    int year;
    struct calendar_hours days[366];
};

enum { CALENDAR_AT_CLOSING = 0, CALENDAR_AT_TIME = 1 };
enum { CALENDAR_NEXT_DAY = 0, CALENDAR_SAME_DAY = 1 };

/* The switches of calendar.conf. */
struct calendar_rules {
    bool cb_is_workday, receipt_day_counts, pause_ends_count;
    int due_at, late_receipt;
};

struct calendar_deadline_rule {
    char *channel;     /* the first is "default" */
    int days, minutes; /* one of them */
};

struct calendar {
    const char *zone;
    int offset_minutes;
    struct calendar_rules rules;
    struct calendar_deadline_rule *deadlines;
    size_t deadline_count; /* >= 1 */
    struct calendar_year *years;
    size_t year_count;
};

/* Days since 1970-01-01. */
int64_t calendar_day_number(int year, int month, int day);

#endif
