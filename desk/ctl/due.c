/* due.c: the deadline of a receipt, by the office's calendar; touches nothing. */
#include "desk/ctl/ctl.h"

#include "desk/calendar.h"
#include "desk/view.h"

#include <stdio.h>
#include <stdlib.h>

static void set_time(const struct ctl *c, json_t *o, const char *key, int64_t ms) {
    char buf[40];
    view_time(ms, c->offset, buf, sizeof buf);
    json_object_set_new(o, key, json_string(buf));
}

static void print_due(const struct calendar *k, const struct calendar_due *d) {
    const struct {
        const char *label;
        int64_t ms;
    } lines[] = { { "Diterima", d->received }, { "Dihitung dari", d->effective }, { "Tenggat", d->due } };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char *s = calendar_time_text(k, lines[i].ms, "id");
        printf("%-14s %s\n", lines[i].label, s);
        free(s);
    }
    for (size_t i = 0; i < d->day_count; i++) {
        printf("%-14s hari kerja ke-%zu: %s\n", i == 0 ? "Hari" : "", i + 1, d->days[i]);
    }
}

static int tell(struct ctl *c, const struct calendar *k, int64_t received) {
    struct calendar_due d;
    char why[200] = "";
    if (calendar_deadline(k, ctl_option(c, "channel"), received, &d, why, sizeof why) != 0) {
        return ctl_refuse("%s", why);
    }
    if (!c->json) {
        print_due(k, &d);
        return CTL_DONE;
    }
    json_t *o = json_object(), *days = json_array();
    set_time(c, o, "received_at", d.received);
    set_time(c, o, "effective_received_at", d.effective);
    set_time(c, o, "due_at", d.due);
    for (size_t i = 0; i < d.day_count; i++) {
        json_array_append_new(days, json_string(d.days[i]));
    }
    json_object_set_new(o, "days", days);
    return ctl_print_json(o);
}

int ctl_due(struct ctl *c) {
    const char *received = ctl_option(c, "received");
    int64_t ms = 0;
    if (!received) {
        return ctl_usage(c, "--received is missing");
    }
    if (view_parse_time(received, c->offset, &ms) != 0) {
        return ctl_usage(c, "--received is a time as in 2026-10-05T09:12:00+07:00 or 2026-10-05T09:12");
    }
    struct faults f = { NULL, 0 };
    struct calendar *k = calendar_load(c->conf->policy, c->conf->office.timezone, &f);
    int rc = f.count == 0 ? CTL_DONE : CTL_CONFIG;
    for (size_t i = 0; i < f.count; i++) {
        char *s = fault_text(&f.items[i]);
        fprintf(stderr, "aduanctl: %s\n", s);
        free(s);
    }
    if (rc == CTL_DONE) {
        rc = tell(c, k, ms);
    }
    faults_clear(&f);
    calendar_free(k);
    return rc;
}
