/*
 * rules.h: the office's rules for reading a complaint, from conf/routing.conf.
 *
 * Sections, categories with their phrases, what each channel demands. Read once, then only looked
 * at; route.c and complete.c are the functions over it.
 */
#ifndef ADUAN_DESK_RULES_H
#define ADUAN_DESK_RULES_H

#include "conf/fault.h"
#include "connectors/kit/setting.h"
#include "desk/lexicon.h"

#include <stdint.h>

/* What the desk does with a complaint of a category that lacks something, or is not ours. */
enum rules_without { RULES_ASK = 0, RULES_GO_ON, RULES_ANSWER, RULES_REFER };

struct rules_patterns {
    int *items; /* numbers in the lexicon */
    size_t count;
};

struct rules_section {
    char *code, *name;
    struct aduan_strings aliases;
};

struct rules_category {
    char *name, *section;
    struct aduan_strings cc;
    int class, urgency, confidentiality, without; /* indices; enum rules_without */
    bool no_grievance;                            /* only where nothing is complained of */
    struct rules_patterns hard, strong, weak, against, unless, hint;
};

struct rules_channel {
    struct aduan_strings names, needs, supplies;
};

/* Phrases that are not of a category. */
enum rules_general {
    RULES_GRIEVANCE, /* something is wrong */
    RULES_QUESTION,
    RULES_SECRET,    /* the name is not to be told */
    RULES_ANONYMOUS, /* the person will not say who it is */
    RULES_URGENT,
    RULES_TRAVEL,   /* urgent when the day named is near */
    RULES_NEGATION, /* right before a hard word: "tidak ada pungli" */
    RULES_GENERAL
};

struct rules {
    struct fold_slang slang;
    struct lexicon *lexicon;
    int64_t threshold, near, soon_days;
    char *desk; /* the section for what nobody can tell */
    struct rules_section *sections;
    size_t section_count;
    struct rules_category *categories;
    size_t category_count;
    struct rules_channel *channels;
    size_t channel_count;
    struct rules_patterns general[RULES_GENERAL];
};

/* POLICY/routing.conf. Never NULL; usable only if no fault was added. */
struct rules *rules_load(const char *policy_dir, struct faults *f);
struct rules *rules_free(struct rules *r); /* accepts and returns NULL */

/* A section by code or alias; NULL: none. */
const struct rules_section *rules_section(const struct rules *r, const char *name);
/* What a channel demands, by any of its names; NULL: it is not in the file. */
const struct rules_channel *rules_channel(const struct rules *r, const char *name);

/* The words of the file, as they are in JSON. */
extern const char *const rules_classes[], *const rules_urgencies[], *const rules_confidentialities[];
enum { RULES_COMPLAINT = 0, RULES_INFORMATION, RULES_ASPIRATION, RULES_WHISTLE };
enum { RULES_NORMAL = 0, RULES_HIGH, RULES_CRITICAL };
enum { RULES_OPEN = 0, RULES_CONFIDENTIAL, RULES_NAMELESS };

#endif
