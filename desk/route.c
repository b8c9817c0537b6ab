/* route.c: hard rules, then points; see route.h. */
#include "desk/route.h"

#include "kit/text.h"

#include <stdlib.h>
#include <string.h>

enum { STRONG = 3, WEAK = 1, SUGGESTIONS = 3, NEGATION_REACH = 3 };

struct judging {
    const struct rules *r;
    const struct fold *text;
    const struct lexicon_hits *h;
    struct route *out;
};

static void why(struct judging *j, char *text) {
    json_array_append_new(j->out->why, json_string(text));
    free(text);
}

static bool any(const struct judging *j, const struct rules_patterns *p, const char **ret_pattern) {
    for (size_t i = 0; i < p->count; i++) {
        if (lexicon_has(j->r->lexicon, j->h, p->items[i], NULL)) {
            if (ret_pattern) {
                *ret_pattern = lexicon_text(j->r->lexicon, p->items[i]);
            }
            return true;
        }
    }
    return false;
}

static bool general(const struct judging *j, enum rules_general which) {
    return any(j, &j->r->general[which], NULL);
}

/* ------------------------------------------------------------------------ hard rules */

/* Is there a "tidak" in the words right before this one, in the same sentence? */
static bool denied(const struct judging *j, size_t word) {
    const struct rules_patterns *no = &j->r->general[RULES_NEGATION];
    for (size_t i = 0; i < no->count; i++) {
        size_t at, n;
        for (size_t k = 0; lexicon_place(j->r->lexicon, j->h, no->items[i], k, &at, &n) && at <= word; k++) {
            if (at < word && j->text->words[word].at - j->text->words[at].at <= NEGATION_REACH) {
                return true;
            }
        }
    }
    return false;
}

/* One phrase counts only where it is not denied; several near each other tell enough by themselves. */
static bool stands_undenied(const struct judging *j, int pattern) {
    size_t word, n;
    if (!lexicon_single(j->r->lexicon, pattern)) {
        return lexicon_has(j->r->lexicon, j->h, pattern, NULL);
    }
    for (size_t k = 0; lexicon_place(j->r->lexicon, j->h, pattern, k, &word, &n); k++) {
        if (!denied(j, word)) {
            return true;
        }
    }
    return false;
}

static const char *hard_hit(const struct judging *j, const struct rules_category *c) {
    if (any(j, &c->unless, NULL)) {
        return NULL;
    }
    for (size_t i = 0; i < c->hard.count; i++) {
        if (stands_undenied(j, c->hard.items[i])) {
            return lexicon_text(j->r->lexicon, c->hard.items[i]);
        }
    }
    return NULL;
}

static void take(struct judging *j, const struct rules_category *c) {
    struct route *o = j->out;
    o->category = c->name;
    o->section = c->section;
    o->cc[o->cc_count++] = &c->cc;
    o->class = c->class;
    o->urgency = c->urgency;
    o->confidentiality = c->confidentiality;
    o->without = c->without;
}

/* The first in the file wins; a second one adds its copies, so that nobody who must know is left out. */
static bool hard_rules(struct judging *j) {
    bool taken = false;
    for (size_t i = 0; i < j->r->category_count; i++) {
        const struct rules_category *c = &j->r->categories[i];
        const char *by = hard_hit(j, c);
        if (!by) {
            continue;
        }
        why(j, xasprintf("aturan keras %s: \"%s\"", c->name, by));
        if (!taken) {
            take(j, c);
            taken = true;
        } else if (j->out->cc_count < 2) {
            j->out->cc[j->out->cc_count++] = &c->cc;
        }
    }
    return taken;
}

/* ---------------------------------------------------------------------------- points */

static int points(const struct judging *j, const struct rules_patterns *p, int weight, struct text *said) {
    int sum = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (lexicon_has(j->r->lexicon, j->h, p->items[i], NULL)) {
            sum += weight;
            text_addf(said, "%s%s%s", said->len > 0 ? ", " : "", weight < 0 ? "bukan " : "",
                      lexicon_text(j->r->lexicon, p->items[i]));
        }
    }
    return sum;
}

struct score {
    const struct rules_category *c;
    int points, rank;
    char *said;
};

/* A mere question goes to where questions are answered, whatever it is about: it ranks before points. */
static int by_points(const void *a, const void *b) {
    const struct score *x = a, *y = b;
    if (x->rank != y->rank) {
        return y->rank - x->rank;
    }
    return x->points != y->points ? (x->points < y->points ? 1 : -1) : x->c < y->c ? -1 : 1;
}

static size_t score_all(const struct judging *j, struct score *list) {
    bool grievance = general(j, RULES_GRIEVANCE), foreign = false;
    size_t count = 0;
    for (size_t i = 0; i < j->r->category_count; i++) {
        const struct rules_category *c = &j->r->categories[i];
        struct text said = TEXT_INIT;
        int sum = points(j, &c->strong, STRONG, &said) + points(j, &c->weak, WEAK, &said) +
                  points(j, &c->against, -STRONG, &said);
        if (sum > 0 && !(c->no_grievance && grievance)) {
            list[count++] = (struct score){ c, sum, 0, text_steal(&said) };
            foreign = foreign || (c->without == RULES_REFER && sum >= j->r->threshold);
        }
        text_free(&said);
    }
    for (size_t i = 0; i < count; i++) {
        /* Of two that are only asked about, what is not ours wins: nobody here can answer it. */
        bool asked = list[i].c->no_grievance || (foreign && list[i].c->without == RULES_REFER && !grievance);
        list[i].rank = asked && list[i].points >= j->r->threshold && !(foreign && list[i].c->no_grievance);
    }
    if (count > 0) {
        qsort(list, count, sizeof *list, by_points);
    }
    return count;
}

/* Points decide, unless they are too few or two sections have as many. */
static void by_score(struct judging *j) {
    struct score *list = xcalloc(j->r->category_count + 1, sizeof *list);
    size_t count = score_all(j, list);
    bool enough = count > 0 && list[0].points >= j->r->threshold;
    bool tie = enough && count > 1 && list[1].points == list[0].points && list[1].rank == list[0].rank &&
               !text_equal(list[0].c->section, list[1].c->section);
    if (enough && !tie) {
        take(j, list[0].c);
        why(j, xasprintf("%s: %d poin (%s)", list[0].c->name, list[0].points, list[0].said));
    } else {
        why(j, xstrdup(tie ? "dua seksi sama kuat: meja pengaduan memutuskan"
                           : "tidak cukup petunjuk: meja pengaduan memutuskan"));
    }
    for (size_t i = enough && !tie; i < count && i < SUGGESTIONS; i++) {
        why(j, xasprintf("mungkin juga %s (%s): %d poin (%s)", list[i].c->name, list[i].c->section,
                         list[i].points, list[i].said));
    }
    for (size_t i = 0; i < count; i++) {
        free(list[i].said);
    }
    free(list);
}

/* ------------------------------------------------------------------------- the rest */

/* A question without a grievance asks for information, whatever it is about. */
static void judge_class(struct judging *j) {
    struct route *o = j->out;
    if (o->class == RULES_COMPLAINT && o->urgency != RULES_CRITICAL && general(j, RULES_QUESTION) &&
        !general(j, RULES_GRIEVANCE)) {
        o->class = RULES_INFORMATION;
        why(j, xstrdup("bertanya, tanpa keluhan: permintaan informasi"));
    }
}

static void judge_urgency(struct judging *j, const struct facts *f) {
    struct route *o = j->out;
    const char *by = NULL;
    if (o->urgency != RULES_NORMAL || o->class == RULES_ASPIRATION) {
        return;
    }
    if (any(j, &j->r->general[RULES_URGENT], &by)) {
        why(j, xasprintf("mendesak: \"%s\"", by));
        o->urgency = RULES_HIGH;
    } else if (o->class == RULES_COMPLAINT && f->soonest_day >= 0 && f->soonest_day <= j->r->soon_days &&
               any(j, &j->r->general[RULES_TRAVEL], &by)) {
        why(j, xasprintf("mendesak: \"%s\" dalam %d hari", by, f->soonest_day));
        o->urgency = RULES_HIGH;
    }
}

static void judge_confidentiality(struct judging *j, const struct route_asked *a) {
    struct route *o = j->out;
    int wanted = a->anonymous ? RULES_NAMELESS : a->secret ? RULES_CONFIDENTIAL : RULES_OPEN;
    if (wanted > o->confidentiality) {
        why(j, xstrdup(a->anonymous ? "ditandai anonim di kanalnya" : "ditandai rahasia di kanalnya"));
        o->confidentiality = wanted;
    }
    wanted = general(j, RULES_ANONYMOUS) ? RULES_NAMELESS
             : general(j, RULES_SECRET)  ? RULES_CONFIDENTIAL
                                         : RULES_OPEN;
    if (wanted > o->confidentiality) {
        why(j,
            xstrdup(wanted == RULES_NAMELESS ? "pelapor ingin anonim" : "pelapor minta namanya dirahasiakan"));
        o->confidentiality = wanted;
    }
}

/* "calo" with nobody who asked for money: for a person to look at, not a case of extortion. */
static void add_hints(struct judging *j) {
    const char *by = NULL;
    for (size_t i = 0; i < j->r->category_count; i++) {
        const struct rules_category *c = &j->r->categories[i];
        if (!text_equal(c->name, j->out->category) && any(j, &c->hint, &by)) {
            why(j, xasprintf("ditandai untuk ditinjau, %s: \"%s\"", c->name, by));
        }
    }
}

void route_decide(const struct rules *r, const struct route_asked *a, const struct facts *f,
                  struct route *ret) {
    struct fold text;
    char *all = a->subject && a->subject[0] ? xasprintf("%s\n%s", a->subject, a->text ? a->text : "")
                                            : xstrdup(a->text ? a->text : "");
    fold_text(&r->slang, all, &text);
    struct lexicon_hits *h = lexicon_find(r->lexicon, &text);
    *ret = (struct route){ .section = r->desk, .why = json_array() };
    struct judging j = { .r = r, .text = &text, .h = h, .out = ret };
    if (!hard_rules(&j)) {
        by_score(&j);
    }
    judge_class(&j);
    judge_urgency(&j, f);
    judge_confidentiality(&j, a);
    add_hints(&j);
    lexicon_hits_free(h);
    fold_clear(&text);
    free(all);
}

void route_clear(struct route *route) {
    json_decref(route->why);
    *route = (struct route){ .category = NULL };
}
