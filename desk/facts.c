/* facts.c: what a person really wrote; see facts.h. The parts are in facts_*.c. */
#include "desk/facts.h"

#include "desk/facts_words.h"
#include "kit/text.h"

#include <stdint.h>
#include <stdlib.h>

void facts_read(const struct places *p, const char *text, int64_t now, int offset_minutes, struct facts *ret) {
    struct words w;
    size_t first = SIZE_MAX, end = SIZE_MAX;
    *ret = (struct facts){ .soonest_day = -1 };
    if (!text) {
        return;
    }
    words_read(p, text, &w);
    if (facts_find_name(&w, &first, &end)) {
        ret->name = words_copy(&w, first, end, 200);
    }
    facts_find_address(&w, end, ret);
    facts_numbers(p, text, ret);
    facts_find_event(p, &w, now, offset_minutes, ret);
    words_clear(&w);
}

void facts_clear(struct facts *f) {
    free(f->name);
    free(f->address);
    free(f->phone_raw);
    free(f->event_place);
    free(f->party);
    free(f->remedy);
    text_wipe(f, sizeof *f);
}

const char *facts_score_name(enum facts_score s) {
    static const char *const names[] = { "none", "partial", "full" };
    return names[s];
}
