/*
 * parse_job.c: the process that reads hostile bytes and nothing else.
 *
 * It has no secret, no socket but the one it was born with, no file it may
 * write, 1 GiB of memory and seconds of processor time for each message. What
 * it thinks of the bytes goes back as one frame.
 */
#include "daemon/parser.h"

#include "connectors/kit/text.h"
#include "daemon/log.h"
#include "daemon/wire.h"
#include "queue/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { CPU_SECONDS = 15, STACK_MAX = 8 << 20, FRAME_MAX = 512 << 20 };

struct collecting {
    struct aduan_sink sink;
    struct text *out;
};

static int collect(struct aduan_sink *sink, struct aduan_message *m) {
    struct collecting *c = (struct collecting *)sink;

    if (m->text == NULL)
        m->text = xstrdup("");
    parser_encode_record(m, c->out);
    aduan_message_clear(m);
    return 0;
}

static void limit(int what, rlim_t soft, rlim_t hard) {
    struct rlimit l = { soft, hard };

    setrlimit((__rlimit_resource_t)what, &l);
}

static void set_limits(void) {
#if !defined(__SANITIZE_ADDRESS__)
    limit(RLIMIT_AS, (rlim_t)1 << 30, (rlim_t)1 << 30);
#endif
    limit(RLIMIT_STACK, STACK_MAX, STACK_MAX);
    limit(RLIMIT_FSIZE, 0, 0);
    limit(RLIMIT_NOFILE, 16, 16);
    limit(RLIMIT_NPROC, 0, 0);
}

/* The limit on processor time is for the whole process: it moves on with each message. */
static void limit_time(void) {
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    limit(RLIMIT_CPU, (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec + CPU_SECONDS), RLIM_INFINITY);
}

static void parse(struct job *j, const struct aduan_bytes *in, struct text *out) {
    struct text records = TEXT_INIT;
    struct collecting c = { .sink = { .record = collect, .now = clock_wall_ms() }, .out = &records };
    uint64_t n;
    char head[48];
    int rc;

    rc = job_module(j, j->account)->connector->parse(j->account->settings, in, &c.sink);
    n = (uint64_t)snprintf(head, sizeof(head), "{\"rc\":%d}", rc < 0 ? rc : 0);
    text_add_n(out, &n, sizeof(n));
    text_add(out, head);
    text_add_n(out, records.s != NULL ? records.s : "", records.len);
    text_free(&records);
}

static int one_message(struct job *j, struct wire *w) {
    struct text out = TEXT_INIT;
    struct aduan_bytes in;
    char *frame, *id = NULL;
    size_t n;
    int r;

    r = wire_receive_frame(w, FRAME_MAX, &frame, &n);
    if (r < 0)
        return r;
    limit_time();
    r = parser_decode_request(frame, n, &in, &id);
    if (r == 0)
        parse(j, &in, &out);
    free(frame);
    free(id);
    if (r == 0)
        r = wire_send_frame(w, out.s, out.len);
    text_free(&out);
    return r;
}

int job_parse(struct job *j) {
    struct wire w = { .fd = j->control };
    int r;

    set_limits();
    do {
        r = one_message(j, &w);
    } while (r == 0);
    /* Its receiver is gone, or wants another: the usual end. */
    return r == -EPIPE ? 0 : 1;
}
