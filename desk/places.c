/* places.c: the gazetteer, read; see places.h. */
#include "desk/places.h"

#include "conf/conf.h"
#include "desk/facts_words.h"
#include "kit/text.h"

#include <stdlib.h>

struct file {
    struct aduan_strings kinds[PLACES_KINDS], provinces;
};

static const char *const keys[PLACES_KINDS] = {
    "areas", "cities", "landmarks", "scenes", "parties", "remedies", "evidence", "identity", "no_identity",
};

static const struct aduan_setting table[] = {
    ADUAN_SET_STRINGS("provinces", struct file, provinces, ADUAN_REQUIRED,
                      "Kode provinsi / codes of provinces"),
    ADUAN_SET_STRINGS("areas", struct file, kinds[PLACES_AREA], ADUAN_REQUIRED,
                      "Kelurahan dan kecamatan / areas"),
    ADUAN_SET_STRINGS("cities", struct file, kinds[PLACES_CITY], ADUAN_REQUIRED, "Kota dan kabupaten / towns"),
    ADUAN_SET_STRINGS("landmarks", struct file, kinds[PLACES_LANDMARK], 0, "Tempat lain / other places"),
    ADUAN_SET_STRINGS("scenes", struct file, kinds[PLACES_SCENE], 0, "Tempat kejadian / where things happen"),
    ADUAN_SET_STRINGS("parties", struct file, kinds[PLACES_PARTY], 0,
                      "Pihak yang dilaporkan / who is reported"),
    ADUAN_SET_STRINGS("remedies", struct file, kinds[PLACES_REMEDY], 0, "Kata permintaan / words that ask"),
    ADUAN_SET_STRINGS("evidence", struct file, kinds[PLACES_EVIDENCE], 0, "Kata bukti / words for evidence"),
    ADUAN_SET_STRINGS("identity", struct file, kinds[PLACES_IDENTITY], 0,
                      "Identitas ditunjukkan / an ID is shown"),
    ADUAN_SET_STRINGS("no_identity", struct file, kinds[PLACES_NO_IDENTITY], 0,
                      "Tidak ditunjukkan / it is not"),
    ADUAN_SET_END,
};

static void add_kind(struct places *p, const struct conf_node *root, int kind, const struct aduan_strings *s,
                     struct faults *f) {
    const struct conf_node *n = conf_node_get(root, keys[kind]);
    const char *why = "";
    for (size_t i = 0; n && i < s->count; i++) {
        if (lexicon_add(p->lexicon, keys[kind], s->items[i], &why) != 0) {
            const struct conf_node *at = i < conf_node_count(n) ? conf_node_at(n, i) : n;
            faults_add(f, conf_node_file(at), conf_node_line(at), keys[kind], "\"%s\" %s", s->items[i], why);
        }
    }
    char *set = xasprintf("@%s", keys[kind]);
    p->patterns[kind] = lexicon_pattern(p->lexicon, set, &why);
    free(set);
}

struct places *places_load(const char *policy_dir, struct faults *f) {
    struct places *p = xcalloc(1, sizeof *p);
    char *name = xasprintf("%s/places.conf", policy_dir);
    struct conf_tree *t = conf_tree_read(name, f);
    p->lexicon = lexicon_new(NULL, 1);
    p->known = words_known_new();
    if (t) {
        struct file file = { .provinces = { NULL, 0 } };
        conf_apply(table, conf_tree_root(t), "", &file, f);
        for (int k = 0; k < PLACES_KINDS; k++) {
            add_kind(p, conf_tree_root(t), k, &file.kinds[k], f);
        }
        p->provinces = file.provinces.items;
        p->province_count = file.provinces.count;
        file.provinces = (struct aduan_strings){ NULL, 0 };
        conf_settings_clear(table, &file);
    }
    lexicon_seal(p->lexicon);
    conf_tree_free(t);
    free(name);
    return p;
}

struct places *places_free(struct places *p) {
    for (size_t i = 0; p && i < p->province_count; i++) {
        free(p->provinces[i]);
    }
    if (p) {
        free(p->provinces);
        free(p->known);
        lexicon_free(p->lexicon);
    }
    free(p);
    return NULL;
}
