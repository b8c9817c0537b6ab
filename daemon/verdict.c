/* verdict.c: what becomes of an answer after an attempt. */
#include "daemon/verdict.h"

#include <stdio.h>

#define GIVE_UP_MS      ((int64_t)3 * 24 * 3600 * 1000)
#define FIND_AFTER_MS   ((int64_t)2000)
#define REFUSED_MS      ((int64_t)60 * 1000)
#define REFUSED_MOST_MS ((int64_t)3600 * 1000)

static void say(struct verdict *v, const char *reason) {
    snprintf(v->reason, sizeof(v->reason), "%s", reason);
}

/* Another attempt, or the end of patience. */
static void later(struct verdict *v, const struct verdict_input *in, int64_t pause) {
    say(v, in->result->reason);
    if (in->age_ms > GIVE_UP_MS) {
        v->state = QUEUE_NEVER;
        snprintf(v->reason, sizeof(v->reason), "given up after 3 days: %s", in->result->reason);
        return;
    }
    v->state = QUEUE_LATER;
    v->due = in->now + pause;
}

static int64_t refused_pause(int refusals) {
    int64_t pause = REFUSED_MS;

    while (refusals-- > 0 && pause < REFUSED_MOST_MS)
        pause *= 2;
    return pause < REFUSED_MOST_MS ? pause : REFUSED_MOST_MS;
}

static void limited(struct verdict *v, const struct verdict_input *in) {
    int64_t pause = in->result->retry_after_ms;

    later(v, in, pause > 0 ? pause : queue_backoff_ms(in->attempt, in->random));
    if (in->result->scope == ADUAN_SCOPE_ACCOUNT && v->state == QUEUE_LATER)
        v->account_due = v->due;
}

static void refused(struct verdict *v, const struct verdict_input *in) {
    later(v, in, refused_pause(in->refusals));
    v->refused = true;
    v->account_due = in->now + refused_pause(in->refusals);
}

static void uncertain(struct verdict *v, const struct verdict_input *in) {
    if (in->can_find) {
        v->state = QUEUE_SENDING;
        v->find = true;
        v->due = in->now + FIND_AFTER_MS;
        say(v, in->result->reason);
    } else if (in->resend) {
        later(v, in, queue_backoff_ms(in->attempt, in->random));
    } else {
        v->state = QUEUE_UNCERTAIN;
        say(v, in->result->reason);
    }
}

struct verdict verdict_of(const struct verdict_input *in) {
    struct verdict v = { .state = QUEUE_UNCERTAIN };

    switch (in->result->outcome) {
    case ADUAN_SENT:
        v.state = QUEUE_SENT;
        break;
    case ADUAN_LATER:
        later(&v, in, queue_backoff_ms(in->attempt, in->random));
        break;
    case ADUAN_LIMITED:
        limited(&v, in);
        break;
    case ADUAN_NEVER:
        v.state = QUEUE_NEVER;
        say(&v, in->result->reason);
        break;
    case ADUAN_REFUSED:
        refused(&v, in);
        break;
    case ADUAN_CLOSED:
        v.state = QUEUE_HELD;
        say(&v, "window");
        break;
    case ADUAN_UNCERTAIN:
    default: /* an outcome we do not know proves nothing */
        uncertain(&v, in);
        break;
    }
    return v;
}
