/* gateway_budget.c: token buckets for peers whose signatures are wrong; see gateway_budget.h. */
#include "daemon/gateway_budget.h"

#include "connectors/kit/text.h"

#include <stdlib.h>
#include <string.h>

struct place {
    char peer[64];
    int64_t failures_ms; /* failures not forgiven yet, each worth BUDGET_REFILL_MS */
    int64_t at;
};

struct budget {
    struct place places[BUDGET_PLACES];
};

struct budget *budget_new(void) {
    return xcalloc(1, sizeof(struct budget));
}

struct budget *budget_free(struct budget *b) {
    free(b);
    return NULL;
}

static unsigned place_of(const char *peer) {
    unsigned h = 2166136261u;

    for (; *peer != '\0'; peer++)
        h = (h ^ (unsigned char)*peer) * 16777619u;
    return h % BUDGET_PLACES;
}

static int64_t remaining(const struct place *p, int64_t now_ms) {
    int64_t left = p->failures_ms - (now_ms - p->at);

    return left > 0 ? left : 0;
}

bool budget_spent(const struct budget *b, const char *peer, int64_t now_ms) {
    const struct place *p = &b->places[place_of(peer)];

    return strncmp(p->peer, peer, sizeof(p->peer) - 1) == 0 &&
           remaining(p, now_ms) > (int64_t)(BUDGET_BURST - 1) * BUDGET_REFILL_MS;
}

void budget_charge(struct budget *b, const char *peer, int64_t now_ms) {
    struct place *p = &b->places[place_of(peer)];
    size_t n = strlen(peer);

    if (strncmp(p->peer, peer, sizeof(p->peer) - 1) != 0) {
        memset(p, 0, sizeof(*p));
        memcpy(p->peer, peer, n < sizeof(p->peer) - 1 ? n : sizeof(p->peer) - 1);
    }
    p->failures_ms = remaining(p, now_ms) + BUDGET_REFILL_MS;
    p->at = now_ms;
}
