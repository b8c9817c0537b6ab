/*
 * fuzz_policy.c: any text: facts and routing never crash, quote only what was written, and always decide.
 */
#include "desk/route.h"
#include "kit/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct places *places;
static struct rules *rules;

static void load(void) {
    struct faults f = { NULL, 0 };
    places = places_load(SOURCE_DIR "/conf", &f);
    rules = rules_load(SOURCE_DIR "/conf", &f);
    if (f.count > 0) {
        abort();
    }
}

static void need(bool holds) {
    if (!holds) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!rules) {
        load();
    }
    char *text = text_clean(data, size);
    struct facts f;
    struct route r;
    struct complete c;
    struct route_asked a = { .channel = size % 2 ? "email" : "box", .text = text, .secret = size % 3 == 0 };
    facts_read(places, text, 1791166320000, 7 * 60, &f);
    route_decide(rules, &a, &f, &r);
    need(complete_check(rules, &a, &f, &r, &c) == 0);
    need(rules_section(rules, r.section) != NULL && c.decision != NULL);
    need((f.address != NULL) == (f.address_score != FACTS_NONE));
    need(!f.name || (text_is_utf8(f.name, strlen(f.name)) && f.name[0] != '\0'));
    need(f.phone[0] == '\0' || (f.phone[0] == '+' && strspn(f.phone + 1, "0123456789") == strlen(f.phone + 1)));
    need(f.nik[0] == '\0' || strspn(f.nik, "0123456789") == 16);
    complete_clear(&c);
    route_clear(&r);
    facts_clear(&f);
    free(text);
    return 0;
}
