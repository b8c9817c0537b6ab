/* rules.c: conf/routing.conf, read and checked; see rules.h. */
#include "desk/rules.h"

#include "conf/conf.h"
#include "kit/text.h"

#include <stdlib.h>
#include <string.h>

const char *const rules_classes[] = { "pengaduan", "permintaan_informasi", "aspirasi", "whistleblowing", NULL };
const char *const rules_urgencies[] = { "normal", "tinggi", "kritis", NULL };
const char *const rules_confidentialities[] = { "normal", "rahasia", "anonim_rahasia", NULL };
static const char *const withouts[] = { "ask", "go-on", "answer", "refer", NULL };

/* ---------------------------------------------------------------------------- tables */

struct top {
    int64_t threshold, near, soon_days;
    char *desk;
    struct aduan_strings slang, general[RULES_GENERAL];
};

static const char *const general_keys[RULES_GENERAL] = { "grievance", "question", "secret",  "anonymous",
                                                         "urgent",    "travel",   "negation" };

static const struct aduan_setting top_table[] = {
    ADUAN_SET_INT("threshold", struct top, threshold, "3", 1, 99, "Skor terendah / lowest score that decides"),
    ADUAN_SET_INT("near", struct top, near, "8", 1, 50, "Jangkauan ~ dalam kata / words that ~ may span"),
    ADUAN_SET_INT("soon_days", struct top, soon_days, "10", 0, 90,
                  "Hari yang dianggap dekat / days that are near"),
    ADUAN_SET_STRING("desk", struct top, desk, "PENGADUAN", 0,
                     "Meja untuk yang tidak jelas / for what is unclear"),
    ADUAN_SET_STRINGS("slang", struct top, slang, 0, "Kata gaul dan artinya / slang and its meaning"),
    ADUAN_SET_STRINGS("grievance", struct top, general[RULES_GRIEVANCE], 0,
                      "Kata keluhan / words of complaint"),
    ADUAN_SET_STRINGS("question", struct top, general[RULES_QUESTION], 0, "Kata tanya / words of a question"),
    ADUAN_SET_STRINGS("secret", struct top, general[RULES_SECRET], 0, "Minta dirahasiakan / asks for secrecy"),
    ADUAN_SET_STRINGS("anonymous", struct top, general[RULES_ANONYMOUS], 0,
                      "Minta anonim / asks for anonymity"),
    ADUAN_SET_STRINGS("urgent", struct top, general[RULES_URGENT], 0, "Mendesak / urgent"),
    ADUAN_SET_STRINGS("travel", struct top, general[RULES_TRAVEL], 0,
                      "Mendesak bila harinya dekat / urgent if soon"),
    ADUAN_SET_STRINGS("negation", struct top, general[RULES_NEGATION], 0, "Kata ingkar / words that deny"),
    ADUAN_SET_END,
};

static const struct aduan_setting section_table[] = {
    ADUAN_SET_STRING("code", struct rules_section, code, NULL, ADUAN_REQUIRED, "Kode / code"),
    ADUAN_SET_STRING("name", struct rules_section, name, NULL, ADUAN_REQUIRED, "Nama / name"),
    ADUAN_SET_STRINGS("aliases", struct rules_section, aliases, 0, "Sebutan lain / other names"),
    ADUAN_SET_END,
};

static const struct aduan_setting channel_table[] = {
    ADUAN_SET_STRINGS("names", struct rules_channel, names, ADUAN_REQUIRED,
                      "Nama kanal / names of the channel"),
    ADUAN_SET_STRINGS("needs", struct rules_channel, needs, 0, "Yang wajib / what is required"),
    ADUAN_SET_STRINGS("supplies", struct rules_channel, supplies, 0,
                      "Yang dibawa kanal / what the channel brings"),
    ADUAN_SET_END,
};

/* Phrases by language: only for those who read the file. */
struct tongues {
    struct aduan_strings id, en, ms;
};

static const struct aduan_setting tongues_table[] = {
    ADUAN_SET_STRINGS("id", struct tongues, id, 0, "Indonesia"),
    ADUAN_SET_STRINGS("en", struct tongues, en, 0, "English"),
    ADUAN_SET_STRINGS("ms", struct tongues, ms, 0, "Melayu"),
    ADUAN_SET_END,
};

struct category {
    struct rules_category c;
    struct tongues hard, strong, weak, against, unless, hint;
};

static const struct aduan_setting category_table[] = {
    ADUAN_SET_STRING("name", struct category, c.name, NULL, ADUAN_REQUIRED, "Nama / name"),
    ADUAN_SET_STRING("section", struct category, c.section, NULL, ADUAN_REQUIRED, "Seksi / section"),
    ADUAN_SET_STRINGS("cc", struct category, c.cc, 0, "Tembusan / copies to"),
    ADUAN_SET_CHOICE("class", struct category, c.class, "pengaduan", rules_classes, "Golongan / class"),
    ADUAN_SET_CHOICE("urgency", struct category, c.urgency, "normal", rules_urgencies, "Urgensi / urgency"),
    ADUAN_SET_CHOICE("confidentiality", struct category, c.confidentiality, "normal", rules_confidentialities,
                     "Kerahasiaan / confidentiality"),
    ADUAN_SET_CHOICE("without", struct category, c.without, "ask", withouts,
                     "Bila tidak lengkap / when incomplete: ask, go-on, answer, refer"),
    ADUAN_SET_BOOL("no_grievance", struct category, c.no_grievance, "false",
                   "Hanya bila tidak ada keluhan / only without a grievance"),
    ADUAN_SET_GROUP("hard", struct category, hard, struct tongues, tongues_table, 0,
                    "Menentukan / decides alone"),
    ADUAN_SET_GROUP("strong", struct category, strong, struct tongues, tongues_table, 0, "Bobot 3 / weight 3"),
    ADUAN_SET_GROUP("weak", struct category, weak, struct tongues, tongues_table, 0, "Bobot 1 / weight 1"),
    ADUAN_SET_GROUP("against", struct category, against, struct tongues, tongues_table, 0,
                    "Bobot -3 / weight -3"),
    ADUAN_SET_GROUP("unless", struct category, unless, struct tongues, tongues_table, 0,
                    "Membatalkan yang menentukan / voids what decides"),
    ADUAN_SET_GROUP("hint", struct category, hint, struct tongues, tongues_table, 0,
                    "Hanya ditandai / only marked"),
    ADUAN_SET_END,
};

/* -------------------------------------------------------------------------- patterns */

struct reading {
    struct rules *r;
    struct faults *f;
};

static void bad_pattern(struct reading *j, const struct conf_node *list, size_t i, const char *path,
                        const char *text, const char *why) {
    const struct conf_node *at = list && i < conf_node_count(list) ? conf_node_at(list, i) : list;
    faults_add(j->f, at ? conf_node_file(at) : "", at ? conf_node_line(at) : 0, path, "\"%s\" %s", text, why);
}

static void add_patterns(struct reading *j, const struct conf_node *list, const char *path,
                         const struct aduan_strings *s, struct rules_patterns *ret) {
    for (size_t i = 0; i < s->count; i++) {
        const char *why = "";
        int pattern = lexicon_pattern(j->r->lexicon, s->items[i], &why);
        if (pattern < 0) {
            bad_pattern(j, list, i, path, s->items[i], why);
            continue;
        }
        ret->items = xrealloc(ret->items, ret->count + 1, sizeof *ret->items);
        ret->items[ret->count++] = pattern;
    }
}

static void add_tongues(struct reading *j, const struct conf_node *category, const char *path, const char *key,
                        const struct tongues *t, struct rules_patterns *ret) {
    const struct conf_node *group = conf_node_get(category, key);
    const struct aduan_strings *lists[] = { &t->id, &t->en, &t->ms };
    static const char *const names[] = { "id", "en", "ms" };
    for (size_t i = 0; group && i < 3; i++) {
        char *where = xasprintf("%s.%s.%s", path, key, names[i]);
        add_patterns(j, conf_node_get(group, names[i]), where, lists[i], ret);
        free(where);
    }
}

/* -------------------------------------------------------------------- the file's lists */

static void need_section(struct reading *j, const struct conf_node *n, const char *path, const char *code) {
    for (size_t i = 0; code && i < j->r->section_count; i++) {
        if (text_equal(j->r->sections[i].code, code)) {
            return;
        }
    }
    faults_add(j->f, conf_node_file(n), conf_node_line(n), path, "there is no section \"%s\"",
               code ? code : "");
}

static void read_section(struct reading *j, const struct conf_node *n, const char *path) {
    struct rules *r = j->r;
    r->sections = xrealloc(r->sections, r->section_count + 1, sizeof *r->sections);
    r->sections[r->section_count] = (struct rules_section){ .code = NULL };
    conf_apply(section_table, n, path, &r->sections[r->section_count++], j->f);
}

static void read_channel(struct reading *j, const struct conf_node *n, const char *path) {
    static const char *const keys[] = { "name",          "address",        "phone", "identity",
                                        "address|phone", "identity|phone", NULL };
    struct rules *r = j->r;
    r->channels = xrealloc(r->channels, r->channel_count + 1, sizeof *r->channels);
    struct rules_channel *c = &r->channels[r->channel_count++];
    *c = (struct rules_channel){ .names = { NULL, 0 } };
    conf_apply(channel_table, n, path, c, j->f);
    for (size_t i = 0; i < c->needs.count + c->supplies.count; i++) {
        const char *key = i < c->needs.count ? c->needs.items[i] : c->supplies.items[i - c->needs.count];
        size_t k = 0;
        while (keys[k] && strcmp(keys[k], key) != 0) {
            k++;
        }
        if (!keys[k]) {
            faults_add(j->f, conf_node_file(n), conf_node_line(n), path,
                       "\"%s\": what can be required is name, address, phone, identity, \"address|phone\", "
                       "\"identity|phone\"",
                       key);
        }
    }
}

static void read_category(struct reading *j, const struct conf_node *n, const char *path) {
    struct category c = { .c = { .name = NULL } };
    struct rules *r = j->r;
    conf_apply(category_table, n, path, &c, j->f);
    need_section(j, n, path, c.c.section);
    for (size_t i = 0; i < c.c.cc.count; i++) {
        need_section(j, n, path, c.c.cc.items[i]);
    }
    const struct {
        const char *key;
        const struct tongues *t;
        struct rules_patterns *to;
    } lists[] = { { "hard", &c.hard, &c.c.hard },       { "strong", &c.strong, &c.c.strong },
                  { "weak", &c.weak, &c.c.weak },       { "against", &c.against, &c.c.against },
                  { "unless", &c.unless, &c.c.unless }, { "hint", &c.hint, &c.c.hint } };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        add_tongues(j, n, path, lists[i].key, lists[i].t, lists[i].to);
    }
    r->categories = xrealloc(r->categories, r->category_count + 1, sizeof *r->categories);
    r->categories[r->category_count++] = c.c;
    c.c = (struct rules_category){ .name = NULL }; /* moved; the phrases go */
    conf_settings_clear(category_table, &c);
}

/* sets = { money = ("uang", …); … } */
static void read_sets(struct reading *j, const struct conf_node *sets) {
    for (size_t i = 0; i < conf_node_count(sets); i++) {
        const struct conf_node *set = conf_node_at(sets, i);
        for (size_t k = 0; k < conf_node_count(set); k++) {
            const struct conf_node *n = conf_node_at(set, k);
            const char *why = "must be a text", *text = conf_node_text(n), *name = conf_node_key(set);
            if (!text || !name || lexicon_add(j->r->lexicon, name, text, &why) != 0) {
                char *path = xasprintf("sets.%s", name ? name : "?");
                faults_add(j->f, conf_node_file(n), conf_node_line(n), path, "\"%s\" %s", text ? text : "",
                           why);
                free(path);
            }
        }
    }
}

static void each(struct reading *j, const struct conf_node *root, const char *key, const char *file,
                 void (*one)(struct reading *, const struct conf_node *, const char *)) {
    const struct conf_node *list = conf_node_get(root, key);
    if (!list || conf_node_count(list) == 0) {
        faults_add(j->f, file, list ? conf_node_line(list) : 1, key, "is missing");
    }
    for (size_t i = 0; list && i < conf_node_count(list); i++) {
        char *path = xasprintf("%s[%zu]", key, i);
        one(j, conf_node_at(list, i), path);
        free(path);
    }
}

static void read_slang(struct reading *j, const struct conf_node *root, const struct aduan_strings *s) {
    for (size_t i = 0; i < s->count; i++) {
        if (fold_slang_add(&j->r->slang, s->items[i]) != 0) {
            bad_pattern(j, conf_node_get(root, "slang"), i, "slang", s->items[i],
                        "must be as in \"ga gak = tidak\"");
        }
    }
    fold_slang_sort(&j->r->slang);
}

static void read_file(struct reading *j, const struct conf_node *root, const char *file) {
    static const char *const also[] = { "sets", "sections", "categories", "channels", NULL };
    struct rules *r = j->r;
    struct top top = { .desk = NULL };
    conf_apply_beside(top_table, also, root, "", &top, j->f);
    read_slang(j, root, &top.slang); /* first: all that follows is folded with it */
    r->threshold = top.threshold;
    r->near = top.near;
    r->soon_days = top.soon_days;
    r->desk = xstrdup(top.desk);
    r->lexicon = lexicon_new(&r->slang, r->near > 0 ? (size_t)r->near : 1);
    if (conf_node_get(root, "sets")) {
        read_sets(j, conf_node_get(root, "sets"));
    }
    each(j, root, "sections", file, read_section);
    each(j, root, "categories", file, read_category);
    each(j, root, "channels", file, read_channel);
    const struct conf_node *desk = conf_node_get(root, "desk");
    need_section(j, desk ? desk : root, "desk", r->desk);
    for (int g = 0; g < RULES_GENERAL; g++) {
        add_patterns(j, conf_node_get(root, general_keys[g]), general_keys[g], &top.general[g], &r->general[g]);
    }
    lexicon_seal(r->lexicon);
    conf_settings_clear(top_table, &top);
}

struct rules *rules_load(const char *policy_dir, struct faults *f) {
    struct rules *r = xcalloc(1, sizeof *r);
    struct reading j = { .r = r, .f = f };
    char *file = xasprintf("%s/routing.conf", policy_dir);
    struct conf_tree *t = conf_tree_read(file, f);
    if (t) {
        read_file(&j, conf_tree_root(t), file);
    }
    conf_tree_free(t);
    free(file);
    return r;
}

static void free_category(struct rules_category *c) {
    struct rules_patterns *const lists[] = {
        &c->hard, &c->strong, &c->weak, &c->against, &c->unless, &c->hint
    };
    struct category whole = { .c = *c };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        free(lists[i]->items);
    }
    conf_settings_clear(category_table, &whole);
}

struct rules *rules_free(struct rules *r) {
    if (!r) {
        return NULL;
    }
    for (size_t i = 0; i < r->category_count; i++) {
        free_category(&r->categories[i]);
    }
    for (size_t i = 0; i < r->section_count; i++) {
        conf_settings_clear(section_table, &r->sections[i]);
    }
    for (size_t i = 0; i < r->channel_count; i++) {
        conf_settings_clear(channel_table, &r->channels[i]);
    }
    for (int g = 0; g < RULES_GENERAL; g++) {
        free(r->general[g].items);
    }
    free(r->categories);
    free(r->sections);
    free(r->channels);
    free(r->desk);
    lexicon_free(r->lexicon);
    fold_slang_clear(&r->slang);
    free(r);
    return NULL;
}

/* --------------------------------------------------------------------------- looking up */

static bool listed(const struct aduan_strings *s, const char *name) {
    for (size_t i = 0; i < s->count; i++) {
        if (text_compare_nocase(s->items[i], name) == 0) {
            return true;
        }
    }
    return false;
}

const struct rules_section *rules_section(const struct rules *r, const char *name) {
    for (size_t i = 0; name && i < r->section_count; i++) {
        if (text_compare_nocase(r->sections[i].code, name) == 0 || listed(&r->sections[i].aliases, name)) {
            return &r->sections[i];
        }
    }
    return NULL;
}

const struct rules_channel *rules_channel(const struct rules *r, const char *name) {
    for (size_t i = 0; name && i < r->channel_count; i++) {
        if (listed(&r->channels[i].names, name)) {
            return &r->channels[i];
        }
    }
    return NULL;
}
