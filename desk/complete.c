/* complete.c: what the channel demands and the text does not say; see route.h. */
#include "desk/route.h"

#include "kit/text.h"

#include <string.h>

struct have {
    bool name, phone, identity;
    enum facts_score address;
};

static enum facts_score part(const struct have *h, const char *key, size_t n) {
    bool is = strncmp(key, "name", n) == 0 ? h->name : strncmp(key, "phone", n) == 0 ? h->phone : h->identity;
    return strncmp(key, "address", n) == 0 ? h->address : is ? FACTS_FULL : FACTS_NONE;
}

/* The best of "address|phone". */
static enum facts_score best(const struct have *h, const char *keys) {
    enum facts_score most = FACTS_NONE;
    for (size_t n; *keys; keys += n + (keys[n] == '|')) {
        n = strcspn(keys, "|");
        enum facts_score s = part(h, keys, n);
        most = s > most ? s : most;
    }
    return most;
}

static void check_needs(const struct rules_channel *c, const struct have *h, struct complete *ret) {
    for (size_t i = 0; i < c->needs.count; i++) {
        enum facts_score s = best(h, c->needs.items[i]);
        if (s == FACTS_NONE) {
            json_array_append_new(ret->missing, json_string(c->needs.items[i]));
        } else if (s == FACTS_PARTIAL && !strchr(c->needs.items[i], '|')) {
            json_array_append_new(ret->incomplete, json_string(c->needs.items[i]));
        }
    }
}

static const char *decide(const struct route *route, const struct complete *c) {
    if (route->without == RULES_REFER) {
        return "tolak_alihkan";
    }
    if (route->class == RULES_INFORMATION) {
        return "jawab_langsung";
    }
    if (json_array_size(c->missing) + json_array_size(c->incomplete) == 0) {
        return "lengkap";
    }
    if (route->confidentiality == RULES_NAMELESS || route->without == RULES_GO_ON) {
        return "proses_tanpa_identitas";
    }
    return route->without == RULES_ANSWER ? "jawab_langsung" : "minta_kelengkapan";
}

int complete_check(const struct rules *r, const struct route_asked *a, const struct facts *f,
                   const struct route *route, struct complete *ret) {
    const struct rules_channel *c = rules_channel(r, a->channel);
    struct have h = { f->name != NULL, f->phone[0] != '\0', f->identity, f->address_score };
    *ret = (struct complete){ .missing = json_array(), .incomplete = json_array() };
    for (size_t i = 0; c && !a->anonymous && i < c->supplies.count; i++) {
        h.name = h.name || text_equal(c->supplies.items[i], "name");
        h.phone = h.phone || text_equal(c->supplies.items[i], "phone");
    }
    if (c) {
        check_needs(c, &h, ret);
    }
    ret->decision = decide(route, ret);
    return c ? 0 : 1;
}

void complete_clear(struct complete *c) {
    json_decref(c->missing);
    json_decref(c->incomplete);
    *c = (struct complete){ .missing = NULL };
}
