/*
 * try.c: what the desk would make of a text: completeness, routing and deadline, each with its reason.
 *
 * Touches nothing: neither the register nor Redis, and it needs neither. The text is standard input.
 */
#include "desk/ctl/ctl.h"

#include "desk/calendar.h"
#include "desk/room.h"
#include "desk/route.h"
#include "desk/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 4 << 20 };

/* The four policies a text is read by. */
struct policy {
    struct calendar *calendar;
    struct places *places;
    struct rules *rules;
};

struct tried {
    struct facts facts;
    struct route route;
    struct complete complete;
    struct calendar_due due;
    bool has_due;
    const char *language;
};

static int load(struct ctl *c, struct policy *p) {
    struct faults f = { NULL, 0 };
    p->calendar = calendar_load(c->conf->policy, c->conf->office.timezone, &f);
    p->places = places_load(c->conf->policy, &f);
    p->rules = rules_load(c->conf->policy, &f);
    for (size_t i = 0; i < f.count; i++) {
        char *s = fault_text(&f.items[i]);
        fprintf(stderr, "aduanctl: %s\n", s);
        free(s);
    }
    int rc = f.count == 0 ? CTL_DONE : CTL_CONFIG;
    faults_clear(&f);
    return rc;
}

static void set_text(json_t *o, const char *key, const char *value) {
    json_object_set_new(o, key, value && value[0] ? json_string(value) : json_null());
}

static json_t *strings(const struct route *r) {
    json_t *list = json_array();
    for (size_t i = 0; i < r->cc_count; i++) {
        for (size_t k = 0; k < r->cc[i]->count; k++) {
            bool known = strcmp(r->cc[i]->items[k], r->section) == 0;
            for (size_t m = 0; m < json_array_size(list); m++) {
                known = known || strcmp(json_string_value(json_array_get(list, m)), r->cc[i]->items[k]) == 0;
            }
            if (!known) {
                json_array_append_new(list, json_string(r->cc[i]->items[k]));
            }
        }
    }
    return list;
}

static bool is_complete(const struct tried *t) {
    return json_array_size(t->complete.missing) + json_array_size(t->complete.incomplete) == 0;
}

static json_t *in_json(const struct ctl *c, const struct tried *t) {
    json_t *o = json_object();
    char due[40] = "";
    if (t->has_due) {
        view_time(t->due.due, c->offset, due, sizeof due);
    }
    set_text(o, "class", rules_classes[t->route.class]);
    set_text(o, "category", t->route.category);
    set_text(o, "section", t->route.section);
    json_object_set_new(o, "cc", strings(&t->route));
    set_text(o, "confidentiality", rules_confidentialities[t->route.confidentiality]);
    set_text(o, "urgency", rules_urgencies[t->route.urgency]);
    set_text(o, "language", t->language);
    json_object_set_new(o, "complete", json_boolean(is_complete(t)));
    json_object_set(o, "missing", t->complete.missing);
    json_object_set(o, "incomplete", t->complete.incomplete);
    set_text(o, "name", t->facts.name);
    set_text(o, "address", t->facts.address);
    set_text(o, "address_score", facts_score_name(t->facts.address_score));
    set_text(o, "phone", t->facts.phone);
    set_text(o, "nik", t->facts.nik);
    set_text(o, "passport", t->facts.passport);
    set_text(o, "event_date", t->facts.event_date);
    set_text(o, "event_time", t->facts.event_time);
    set_text(o, "event_place", t->facts.event_place);
    set_text(o, "reported_party", t->facts.party);
    set_text(o, "remedy", t->facts.remedy);
    json_object_set_new(o, "evidence", json_integer((json_int_t)t->facts.evidence));
    set_text(o, "due_at", due);
    set_text(o, "decision", t->complete.decision);
    json_object_set(o, "why", t->route.why);
    return o;
}

static void line(const char *label, const char *value) {
    char *safe = ctl_safe_line(value && value[0] ? value : "-", 300);
    printf("%-15s %s\n", label, safe);
    free(safe);
}

static void list_line(const char *label, const json_t *list) {
    struct text t = TEXT_INIT;
    text_add(&t, "");
    for (size_t i = 0; i < json_array_size(list); i++) {
        text_addf(&t, "%s%s", i > 0 ? ", " : "", json_string_value(json_array_get(list, i)));
    }
    line(label, t.s);
    text_free(&t);
}

static void in_words(const struct tried *t, const struct calendar *k) {
    json_t *cc = strings(&t->route);
    char *due = t->has_due ? calendar_time_text(k, t->due.due, "id") : NULL;
    line("Golongan", rules_classes[t->route.class]);
    line("Kategori", t->route.category ? t->route.category : "belum jelas");
    line("Seksi", t->route.section);
    list_line("Tembusan", cc);
    line("Kerahasiaan", rules_confidentialities[t->route.confidentiality]);
    line("Urgensi", rules_urgencies[t->route.urgency]);
    line("Bahasa", t->language);
    line("Lengkap", is_complete(t) ? "ya" : "tidak");
    list_line("Kurang", t->complete.missing);
    list_line("Belum cukup", t->complete.incomplete);
    line("Nama", t->facts.name);
    line("Alamat", t->facts.address);
    line("Telepon", t->facts.phone);
    line("NIK", t->facts.nik);
    line("Waktu kejadian", t->facts.event_date);
    line("Tempat", t->facts.event_place);
    line("Pihak", t->facts.party);
    line("Tenggat", due);
    line("Keputusan", t->complete.decision);
    for (size_t i = 0; i < json_array_size(t->route.why); i++) {
        line(i == 0 ? "Sebab" : "", json_string_value(json_array_get(t->route.why, i)));
    }
    free(due);
    json_decref(cc);
}

static const char *language(const struct ctl *c, char *text, char *subject) {
    struct aduan_message m = { .text = text, .subject = subject };
    return language_of(&m, c->conf->office.language);
}

static int tell(struct ctl *c, const struct policy *p, char *text, int64_t at) {
    char *subject = ctl_option(c, "subject") ? xstrdup(ctl_option(c, "subject")) : NULL;
    struct route_asked a = { .channel = ctl_option(c, "channel"),
                             .subject = subject,
                             .text = text,
                             .anonymous = ctl_option(c, "anonymous") != NULL,
                             .secret = ctl_option(c, "secret") != NULL };
    struct tried t = { .language = language(c, text, subject) };
    char why[200] = "";
    facts_read(p->places, text, at, c->offset, &t.facts);
    route_decide(p->rules, &a, &t.facts, &t.route);
    int rc = complete_check(p->rules, &a, &t.facts, &t.route, &t.complete);
    t.has_due = calendar_deadline(p->calendar, a.channel, at, &t.due, why, sizeof why) == 0;
    if (!t.has_due) {
        json_array_append_new(t.route.why, json_string(why));
    }
    if (rc != 0) {
        rc = ctl_usage(c, "routing.conf has no channel \"%s\"", a.channel);
    } else if (c->json) {
        rc = ctl_print_json(in_json(c, &t));
    } else {
        in_words(&t, p->calendar);
    }
    complete_clear(&t.complete);
    route_clear(&t.route);
    facts_clear(&t.facts);
    free(subject);
    return rc;
}

int ctl_try(struct ctl *c) {
    int64_t at = c->now;
    struct policy p = { NULL, NULL, NULL };
    if (!ctl_option(c, "channel")) {
        return ctl_usage(c, "--channel is missing");
    }
    if (ctl_option(c, "at") && view_parse_time(ctl_option(c, "at"), c->offset, &at) != 0) {
        return ctl_usage(c, "--at is a time as in 2026-10-05T09:12:00+07:00 or 2026-10-05T09:12");
    }
    int rc = load(c, &p);
    char *text = rc == CTL_DONE ? ctl_read_stdin(TEXT_MAX) : NULL;
    if (rc == CTL_DONE) {
        rc = text ? tell(c, &p, text, at) : CTL_REFUSED;
    }
    free(text);
    calendar_free(p.calendar);
    places_free(p.places);
    rules_free(p.rules);
    return rc;
}
