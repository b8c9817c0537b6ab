/* parser.c: the receiver's side of its parse worker. */
#include "daemon/parser.h"

#include "connectors/kit/text.h"
#include "daemon/log.h"
#include "daemon/plan.h"
#include "daemon/start.h"
#include "daemon/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, RENEW_AFTER = 2000, ANSWER_EXTRA = 64 << 20 };

void parser_init(struct parser *p, struct host *h) {
    *p = (struct parser){ .host = h, .fd = -1 };
}

void parser_stop(struct parser *p) {
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
    if (p->pid > 0) {
        kill(p->pid, SIGKILL);
        while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    p->pid = 0;
    p->parsed = 0;
}

static int start(struct parser *p) {
    const struct job *j = p->host->job;
    json_t *slice;
    int r;

    if (p->parsed >= RENEW_AFTER)
        parser_stop(p); /* whatever has leaked or fragmented goes with it */
    if (p->pid > 0)
        return 0;
    r = start_process("parse", j->account->name, &p->pid, &p->fd);
    if (r < 0) {
        p->pid = 0;
        p->fd = -1;
        return r;
    }
    slice = plan_slice(j->conf, "parse", j->account->name);
    r = start_hand_over(p->fd, j->conf->modules, 0, slice);
    json_decref(slice);
    if (r < 0)
        parser_stop(p);
    return r;
}

/* For wire: the parser has until the deadline; the heartbeat goes on. Downloads may go on, too,
 * but being told to stop does not end a parse that is nearly done. */
static int wait_parser(void *arg, int fd, short events) {
    struct parser *p = arg;
    int64_t left = p->deadline - host_monotonic();

    if (left <= 0)
        return -ETIMEDOUT;
    host_turn(p->host, left, fd, events, NULL);
    return 0;
}

static int64_t patience_ms(void) {
    const char *v = getenv("ADUAN_PARSE_MS"); /* tests only */
    int64_t ms;

    return v != NULL && text_parse_int(v, 100, PATIENCE_MS, &ms) == 0 ? ms : PATIENCE_MS;
}

static int ask(struct parser *p, const struct aduan_bytes *in, char **ret, size_t *ret_n) {
    struct wire w = { .fd = p->fd, .wait = wait_parser, .arg = p };
    struct text request = TEXT_INIT;
    int r;

    p->deadline = host_monotonic() + patience_ms();
    parser_encode_request(in, &request);
    r = wire_send_frame(&w, request.s, request.len);
    text_free(&request);
    return r < 0 ? r : wire_receive_frame(&w, 8 * in->len + ANSWER_EXTRA, ret, ret_n);
}

int parser_parse(struct parser *p, const struct aduan_bytes *in, struct aduan_message **ret_records,
                 size_t *ret_count, int *ret_rc) {
    char *answer;
    size_t n;
    int r;

    r = start(p);
    if (r < 0)
        return r;
    r = ask(p, in, &answer, &n);
    if (r == 0) {
        p->parsed++;
        r = parser_decode_answer(answer, n, ret_rc, ret_records, ret_count);
        free(answer);
        if (r == 0)
            return 0;
        log_error("the parser's answer makes no sense");
    } else if (r == -ETIMEDOUT) {
        log_error("the parser took longer than %lld ms", (long long)patience_ms());
    } else {
        log_error("the parser died: %s", strerror(-r));
    }
    parser_stop(p);
    return PARSER_DIED;
}
