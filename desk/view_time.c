/* view_time.c: the office's clock: RFC 3339 with its offset, both ways. */
#include "desk/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const struct {
    const char *name;
    int minutes;
} zones[] = {
    { "Asia/Jakarta", 420 }, { "Asia/Pontianak", 420 }, { "Asia/Makassar", 480 }, { "Asia/Jayapura", 540 },
    { "WIB", 420 },          { "WITA", 480 },           { "WIT", 540 },           { "UTC", 0 },
    { "Etc/UTC", 0 },
};

/* Another office, another country: what the zone database says for that moment. */
static int database_offset(const char *timezone, int64_t now, int *ret_minutes) {
    char path[256];
    const char *former = getenv("TZ");
    char *kept = former != NULL ? strdup(former) : NULL;
    time_t t = (time_t)(now / 1000);
    struct stat st;
    struct tm tm;

    snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", timezone);
    if (timezone[0] == '\0' || strstr(timezone, "..") != NULL || stat(path, &st) < 0 || !S_ISREG(st.st_mode)) {
        free(kept);
        return -1;
    }
    setenv("TZ", timezone, 1);
    tzset();
    localtime_r(&t, &tm);
    *ret_minutes = (int)(tm.tm_gmtoff / 60);
    if (kept != NULL)
        setenv("TZ", kept, 1);
    else
        unsetenv("TZ");
    tzset();
    free(kept);
    return 0;
}

int view_zone_offset(const char *timezone, int64_t now, int *ret_minutes) {
    size_t i;

    for (i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
        if (strcmp(zones[i].name, timezone) == 0) {
            *ret_minutes = zones[i].minutes;
            return 0;
        }
    return database_offset(timezone, now, ret_minutes);
}

void view_time(int64_t ms, int offset_minutes, char *buf, size_t size) {
    time_t t = (time_t)(ms / 1000) + offset_minutes * 60;
    int off = offset_minutes < 0 ? -offset_minutes : offset_minutes;
    struct tm tm;

    gmtime_r(&t, &tm);
    snprintf(buf, size, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, offset_minutes < 0 ? '-' : '+', off / 60, off % 60);
}

static int zone_suffix(const char *s, int *ret_minutes) {
    int hours, minutes;
    char sign;

    if (strcmp(s, "Z") == 0 || strcmp(s, "z") == 0) {
        *ret_minutes = 0;
        return 0;
    }
    if (sscanf(s, "%c%2d:%2d", &sign, &hours, &minutes) != 3 || (sign != '+' && sign != '-') || strlen(s) != 6)
        return -1;
    *ret_minutes = (hours * 60 + minutes) * (sign == '-' ? -1 : 1);
    return 0;
}

int view_parse_time(const char *s, int offset_minutes, int64_t *ret_ms) {
    struct tm tm = { 0 };
    int n = 0, seconds_n = 0;

    if (sscanf(s, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &n) != 3 || n != 10)
        return -1;
    s += n;
    if (*s != '\0') {
        if (sscanf(s, "%*1[T ]%2d:%2d%n", &tm.tm_hour, &tm.tm_min, &n) != 2)
            return -1;
        s += n;
        if (sscanf(s, ":%2d%n", &tm.tm_sec, &seconds_n) == 1)
            s += seconds_n;
        if (*s == '.')
            s += 1 + strspn(s + 1, "0123456789");
        if (*s != '\0' && zone_suffix(s, &offset_minutes) < 0)
            return -1;
    }
    if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
        tm.tm_min > 59)
        return -1;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *ret_ms = ((int64_t)timegm(&tm) - offset_minutes * 60) * 1000;
    return 0;
}
