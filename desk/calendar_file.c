/*
 * calendar_file.c: POLICY/calendar.conf and POLICY/calendar/YEAR.conf into a
 * calendar; every fault with file and line.
 */
#include "desk/calendar_file.h"

#include "conf/conf.h"
#include "connectors/kit/text.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name, *zone;
    int offset_minutes;
} zones[] = {
    { "Asia/Jakarta", "WIB", 7 * 60 },
    { "Asia/Pontianak", "WIB", 7 * 60 },
    { "WIB", "WIB", 7 * 60 },
    { "Asia/Makassar", "WITA", 8 * 60 },
    { "Asia/Ujung_Pandang", "WITA", 8 * 60 },
    { "WITA", "WITA", 8 * 60 },
    { "Asia/Jayapura", "WIT", 9 * 60 },
    { "WIT", "WIT", 9 * 60 },
};

static void fault(struct faults *f, const struct conf_node *n, const char *path, const char *reason) {
    faults_add(f, conf_node_file(n), conf_node_line(n), path, "%s", reason);
}

/* --------------------------------------------------------------- dates and hours */

static bool is_leap(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month) {
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* n decimal digits at s, nothing else. -1: not so. */
static int digits(const char *s, size_t n) {
    int value = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9') {
            return -1;
        }
        value = value * 10 + (s[i] - '0');
    }
    return value;
}

/* "2026-10-05" of this year to its day of the year. -1: not a date; -2: of another year. */
static int day_of_year(const char *s, int year) {
    if (!s || strlen(s) != 10 || s[4] != '-' || s[7] != '-') {
        return -1;
    }
    int y = digits(s, 4), m = digits(s + 5, 2), d = digits(s + 8, 2);
    if (y < 1 || m < 1 || m > 12 || d < 1 || d > days_in_month(y, m)) {
        return -1;
    }
    return y != year ? -2 : (int)(calendar_day_number(y, m, d) - calendar_day_number(y, 1, 1));
}

/* "07.30" or "07:30" to minutes; -1 otherwise. */
static int clock_minutes(const char *s) {
    int h = digits(s, 2);
    int m = h < 0 || (s[2] != '.' && s[2] != ':') ? -1 : digits(s + 3, 2);
    return h < 0 || h > 23 || m < 0 || m > 59 ? -1 : h * 60 + m;
}

/* "07.30-16.00", or "" for closed. */
static int parse_hours(const char *s, struct calendar_hours *ret) {
    *ret = (struct calendar_hours){ 0, 0 };
    if (s[0] == '\0') {
        return 0;
    }
    int open = strlen(s) == 11 && s[5] == '-' ? clock_minutes(s) : -1;
    int close = open < 0 ? -1 : clock_minutes(s + 6);
    if (open < 0 || close <= open) {
        return -1;
    }
    *ret = (struct calendar_hours){ (int16_t)open, (int16_t)close };
    return 0;
}

/* -------------------------------------------------------------------- one year */

struct week {
    char *text[7]; /* Monday first */
};

static const struct aduan_setting week_table[] = {
    ADUAN_SET_STRING("monday", struct week, text[0], NULL, 0, "Senin"),
    ADUAN_SET_STRING("tuesday", struct week, text[1], NULL, 0, "Selasa"),
    ADUAN_SET_STRING("wednesday", struct week, text[2], NULL, 0, "Rabu"),
    ADUAN_SET_STRING("thursday", struct week, text[3], NULL, 0, "Kamis"),
    ADUAN_SET_STRING("friday", struct week, text[4], NULL, 0, "Jumat"),
    ADUAN_SET_STRING("saturday", struct week, text[5], NULL, 0, "Sabtu"),
    ADUAN_SET_STRING("sunday", struct week, text[6], NULL, 0, "Minggu"),
    ADUAN_SET_END,
};

struct holiday {
    char *date, *name;
    int kind;
};

enum { KIND_LN = 0, KIND_CB = 1 };
static const char *const kinds[] = { "LN", "CB", NULL };

static const struct aduan_setting holiday_table[] = {
    ADUAN_SET_STRING("date", struct holiday, date, NULL, ADUAN_REQUIRED, "Tanggal / date, \"2026-12-25\""),
    ADUAN_SET_CHOICE("kind", struct holiday, kind, "LN", kinds, "LN libur nasional, CB cuti bersama"),
    ADUAN_SET_STRING("name", struct holiday, name, NULL, ADUAN_REQUIRED, "Nama / name"),
    ADUAN_SET_END,
};

struct season {
    char *from, *to;
    struct week hours;
};

static const struct aduan_setting season_table[] = {
    ADUAN_SET_STRING("from", struct season, from, NULL, ADUAN_REQUIRED, "Hari pertama / first day"),
    ADUAN_SET_STRING("to", struct season, to, NULL, ADUAN_REQUIRED, "Hari terakhir / last day"),
    ADUAN_SET_GROUP("hours", struct season, hours, struct week, week_table, ADUAN_REQUIRED,
                    "Jam kerja / hours"),
    ADUAN_SET_END,
};

struct year_file {
    int64_t year;
    char *decision;
    struct week hours;
};

static const struct aduan_setting year_table[] = {
    ADUAN_SET_INT("year", struct year_file, year, NULL, 2000, 2199, "Tahun / year"),
    ADUAN_SET_STRING("decision", struct year_file, decision, NULL, 0, "Dasar / the decision it follows"),
    ADUAN_SET_GROUP("hours", struct year_file, hours, struct week, week_table, ADUAN_REQUIRED,
                    "Jam kerja / hours"),
    ADUAN_SET_END,
};

struct year_job {
    struct calendar *c;
    struct calendar_year *y;
    struct faults *f;
    bool seen[366];
};

static int first_weekday(int year) {
    return (int)((calendar_day_number(year, 1, 1) + 3) % 7);
}

/* The hours of the days first..last, by weekday. */
static void set_hours(struct year_job *j, const struct conf_node *hours, const struct week *week,
                      const char *path, int first, int last) {
    for (int w = 0; w < 7; w++) {
        struct calendar_hours h = { 0, 0 };
        if (parse_hours(week->text[w], &h) != 0) {
            const struct conf_node *n = hours ? conf_node_get(hours, week_table[w].key) : NULL;
            char *where = xasprintf("%s.%s", path, week_table[w].key);
            if (n) {
                fault(j->f, n, where,
                      "must be opening and closing time as in \"07.30-16.00\", or \"\" for closed");
            }
            free(where);
        }
        for (int d = first; d <= last; d++) {
            if ((first_weekday(j->y->year) + d) % 7 == w) {
                j->y->days[d] = h;
            }
        }
    }
}

static void read_season(struct year_job *j, const struct conf_node *group) {
    struct season s = { .from = NULL };
    size_t before = j->f->count;
    conf_apply(season_table, group, "ramadan", &s, j->f);
    int first = s.from ? day_of_year(s.from, j->y->year) : -1, last = s.to ? day_of_year(s.to, j->y->year) : -1;
    if (j->f->count == before) {
        if (first < 0 || last < first) {
            fault(j->f, group, "ramadan",
                  "from and to must be dates of this year, as in \"2026-02-19\", in this order");
        } else {
            set_hours(j, conf_node_get(group, "hours"), &s.hours, "ramadan.hours", first, last);
        }
    }
    conf_settings_clear(season_table, &s);
}

static void read_seasons(struct year_job *j, const struct conf_node *n) {
    if (conf_node_key(n) && conf_node_get(n, "from")) {
        read_season(j, n);
        return;
    }
    for (size_t i = 0; i < conf_node_count(n); i++) {
        read_season(j, conf_node_at(n, i));
    }
}

static void read_holiday(struct year_job *j, const struct conf_node *group, size_t i) {
    struct holiday h = { .date = NULL };
    char *path = xasprintf("holidays[%zu]", i);
    size_t before = j->f->count;
    conf_apply(holiday_table, group, path, &h, j->f);
    int day = h.date ? day_of_year(h.date, j->y->year) : -1;
    if (j->f->count == before && (day < 0 || j->seen[day])) {
        fault(j->f, group, path,
              day == -1   ? "date must be as in \"2026-12-25\""
              : day == -2 ? "date is of another year"
                          : "this date is already in the list");
    } else if (j->f->count == before) {
        j->seen[day] = true;
        if (h.kind == KIND_LN || !j->c->rules.cb_is_workday) {
            j->y->days[day] = (struct calendar_hours){ 0, 0 };
        }
    }
    conf_settings_clear(holiday_table, &h);
    free(path);
}

static void read_year_keys(struct year_job *j, const struct conf_node *root, const char *file) {
    static const char *const also[] = { "ramadan", "holidays", NULL };
    struct year_file y = { .year = 0 };
    conf_apply_beside(year_table, also, root, "", &y, j->f);
    if (y.year != j->y->year) {
        const struct conf_node *n = conf_node_get(root, "year");
        faults_add(j->f, file, n ? conf_node_line(n) : 1, "year", "must be %d, as the file is called",
                   j->y->year);
    }
    set_hours(j, conf_node_get(root, "hours"), &y.hours, "hours", 0, 364 + is_leap(j->y->year));
    conf_settings_clear(year_table, &y);
}

static void read_year(struct calendar *c, const char *file, int year, struct faults *f) {
    struct conf_tree *t = conf_tree_read(file, f);
    if (!t) {
        return;
    }
    c->years = xrealloc(c->years, c->year_count + 1, sizeof *c->years);
    struct calendar_year *y = &c->years[c->year_count++];
    *y = (struct calendar_year){ .year = year };
    struct year_job j = { .c = c, .y = y, .f = f };
    const struct conf_node *root = conf_tree_root(t), *ramadan = conf_node_get(root, "ramadan"),
                           *holidays = conf_node_get(root, "holidays");
    read_year_keys(&j, root, file);
    if (ramadan) {
        read_seasons(&j, ramadan);
    }
    if (!holidays || conf_node_count(holidays) == 0) {
        faults_add(f, file, holidays ? conf_node_line(holidays) : 1, "holidays",
                   "is missing: no year is without holidays");
    }
    for (size_t i = 0; holidays && i < conf_node_count(holidays); i++) {
        read_holiday(&j, conf_node_at(holidays, i), i);
    }
    conf_tree_free(t);
}

/* --------------------------------------------------------------------- the switches */

static const char *const due_at[] = { "closing", "time", NULL };
static const char *const late[] = { "next-day", "same-day", NULL };

static const struct aduan_setting rules_table[] = {
    ADUAN_SET_BOOL("cb_is_workday", struct calendar_rules, cb_is_workday, "false",
                   "Cuti bersama dihitung hari kerja / cuti bersama counts as a working day"),
    ADUAN_SET_BOOL("receipt_day_counts", struct calendar_rules, receipt_day_counts, "false",
                   "Hari diterima adalah hari ke-1 / the day of receipt is day 1"),
    ADUAN_SET_BOOL("pause_ends_count", struct calendar_rules, pause_ends_count, "false",
                   "Hari awal dan akhir jeda dihitung / the days a pause starts and ends count"),
    ADUAN_SET_CHOICE("due_at", struct calendar_rules, due_at, "closing", due_at,
                     "Tenggat pada jam tutup atau jam diterima / due at closing or at the time of receipt"),
    ADUAN_SET_CHOICE("late_receipt", struct calendar_rules, late_receipt, "next-day", late,
                     "Diterima setelah jam tutup / received after closing"),
    ADUAN_SET_END,
};

/* "3 hari kerja" or "15 menit". */
static int parse_deadline(const char *s, struct calendar_deadline_rule *ret) {
    size_t n = s ? strspn(s, "0123456789") : 0;
    char number[8] = "";
    int64_t value = 0;
    if (n == 0 || n >= sizeof number || s[n] != ' ') {
        return -1;
    }
    memcpy(number, s, n);
    if (strcmp(s + n, " hari kerja") == 0 && text_parse_int(number, 1, CALENDAR_DAYS_MAX, &value) == 0) {
        ret->days = (int)value;
        return 0;
    }
    if (strcmp(s + n, " menit") == 0 && text_parse_int(number, 1, 7 * 24 * 60, &value) == 0) {
        ret->minutes = (int)value;
        return 0;
    }
    return -1;
}

static void add_deadline(struct calendar *c, const char *channel, struct calendar_deadline_rule rule) {
    if (strcmp(channel, "default") == 0) {
        c->deadlines[0].days = rule.days;
        c->deadlines[0].minutes = rule.minutes;
        return;
    }
    rule.channel = xstrdup(channel);
    c->deadlines = xrealloc(c->deadlines, c->deadline_count + 1, sizeof *c->deadlines);
    c->deadlines[c->deadline_count++] = rule;
}

static void read_deadlines(struct calendar *c, const struct conf_node *group, struct faults *f) {
    for (size_t i = 0; i < conf_node_count(group); i++) {
        const struct conf_node *n = conf_node_at(group, i);
        struct calendar_deadline_rule rule = { NULL, 0, 0 };
        if (!conf_node_key(n) || parse_deadline(conf_node_text(n), &rule) != 0) {
            char *path = xasprintf("deadline.%s", conf_node_key(n) ? conf_node_key(n) : "?");
            fault(f, n, path, "must be as in \"3 hari kerja\" or \"15 menit\"");
            free(path);
        } else {
            add_deadline(c, conf_node_key(n), rule);
        }
    }
}

static void read_rules(struct calendar *c, const char *policy_dir, struct faults *f) {
    static const struct {
        const char *channel;
        int minutes;
    } usual[] = { { "counter", 15 }, { "tatap_muka", 15 }, { "phone", 15 }, { "call_center", 15 } };
    static const char *const also[] = { "deadline", NULL };
    c->deadlines = xcalloc(1, sizeof *c->deadlines);
    c->deadlines[0] = (struct calendar_deadline_rule){ xstrdup("default"), 3, 0 };
    c->deadline_count = 1;
    char *file = xasprintf("%s/calendar.conf", policy_dir);
    struct conf_tree *t = access(file, F_OK) == 0 ? conf_tree_read(file, f) : NULL;
    const struct conf_node *deadline = t ? conf_node_get(conf_tree_root(t), "deadline") : NULL;
    if (t) {
        conf_apply_beside(rules_table, also, conf_tree_root(t), "", &c->rules, f);
    }
    if (deadline) {
        read_deadlines(c, deadline, f);
    }
    for (size_t i = 0; !deadline && i < sizeof usual / sizeof usual[0]; i++) {
        add_deadline(c, usual[i].channel, (struct calendar_deadline_rule){ NULL, 0, usual[i].minutes });
    }
    conf_tree_free(t);
    free(file);
}

/* ------------------------------------------------------------------------- the whole */

static void set_zone(struct calendar *c, const char *timezone, struct faults *f) {
    c->zone = "WIB";
    c->offset_minutes = 7 * 60;
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        if (text_equal(zones[i].name, timezone)) {
            c->zone = zones[i].zone;
            c->offset_minutes = zones[i].offset_minutes;
            return;
        }
    }
    faults_add(f, "", 0, "office.timezone", "is not a time zone of Indonesia");
}

static int is_conf_file(const struct dirent *e) {
    return e->d_name[0] != '.' && text_ends(e->d_name, ".conf");
}

struct calendar *calendar_load(const char *policy_dir, const char *timezone, struct faults *f) {
    struct calendar *c = xcalloc(1, sizeof *c);
    set_zone(c, timezone, f);
    read_rules(c, policy_dir, f);
    char *dir = xasprintf("%s/calendar", policy_dir);
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, is_conf_file, alphasort);
    if (n <= 0) {
        faults_add(f, dir, 0, "", "holds no calendar: YEAR.conf is missing, so no deadline can be told");
    }
    for (int i = 0; i < n; i++) {
        const char *name = entries[i]->d_name;
        char *file = xasprintf("%s/%s", dir, name);
        int year = strlen(name) == strlen("2026.conf") ? digits(name, 4) : -1;
        if (year < 2000 || year > 2199) {
            faults_add(f, file, 0, "", "must be called YEAR.conf, as in 2026.conf");
        } else {
            read_year(c, file, year, f);
        }
        free(file);
        free(entries[i]);
    }
    free(entries);
    free(dir);
    return c;
}

struct calendar *calendar_free(struct calendar *c) {
    if (c) {
        for (size_t i = 0; i < c->deadline_count; i++) {
            free(c->deadlines[i].channel);
        }
        free(c->deadlines);
        free(c->years);
        free(c);
    }
    return NULL;
}
