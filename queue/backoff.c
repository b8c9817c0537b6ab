/* backoff.c: how long to wait before the next attempt: doubling, capped, spread. Pure. */
#include "queue/queue.h"

enum { FIRST_MS = 5 * 1000, CAP_MS = 60 * 60 * 1000 };

/* Half of the pause is fixed, half is random, so that answers that failed together do not come
 * back together. */
int64_t queue_backoff_ms(int attempt, uint32_t random) {
    int64_t pause = FIRST_MS;

    for (int i = 1; i < attempt && pause < CAP_MS; i++)
        pause *= 2;
    if (pause > CAP_MS)
        pause = CAP_MS;
    return pause / 2 + (int64_t)((uint64_t)(pause / 2) * random / UINT32_MAX);
}
