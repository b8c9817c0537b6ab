/*
 * view.h: what is in the register, as the JSON of DESIGN.md section 7.
 *
 * Read-only; for aduanctl and the console. Every function takes the time and
 * the office's offset from UTC, so that it is a pure function of the register.
 * Times are RFC 3339 with that offset, null when unknown.
 */
#ifndef ADUAN_DESK_VIEW_H
#define ADUAN_DESK_VIEW_H

#include "desk/register.h"

#include <jansson.h>

/* Minutes east of UTC of an IANA zone name (the Indonesian ones by table, others by the system's
 * zone database at `now`). 0, or -1: unknown zone. */
int view_zone_offset(const char *timezone, int64_t now, int *ret_minutes);
/* "2026-10-05T09:12:00+07:00" into buf. */
void view_time(int64_t ms, int offset_minutes, char *buf, size_t size);
/* RFC 3339, or "YYYY-MM-DD" (midnight in the office). 0, or -1. */
int view_parse_time(const char *s, int offset_minutes, int64_t *ret_ms);

/* `show`: a new object; NULL with REG_NOTHING or negative in *ret_rc. */
json_t *view_case(struct reg *r, const char *number, int64_t now, int offset_minutes, int *ret_rc);
/* `tickets`: a new array, newest first. filter->now is taken from now. */
json_t *view_cases(struct reg *r, const struct reg_filter *filter, int64_t now, int offset_minutes,
                   int *ret_rc);
/* {"new": 3, …, "overdue": 1, "outbox": {"ready","held","stuck","by_hand"}} for `status`. */
json_t *view_summary(struct reg *r, int64_t now, int *ret_rc);
/* [{name, role, full, section, email, disabled}], never the hash. */
json_t *view_users(struct reg *r, int *ret_rc);

#endif
