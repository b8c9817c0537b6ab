/*
 * apart_module.c: the loop connector whose parser runs apart and dies, hangs or eats memory on request.
 *
 * Bytes that hold [[crash]], [[hang]], [[stack]] or [[memory]] do what they say in whichever
 * process parses them.
 * [[socket]] and [[file]] die where the fence lets them through.
 */
#include "connector.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

/* loop's own constant becomes a private one. */
#undef ADUAN_CONNECTOR
#define ADUAN_CONNECTOR static const __attribute__((unused)) struct aduan_connector loop_constant
#include "connectors/loop.c"
#undef ADUAN_CONNECTOR
#define ADUAN_CONNECTOR __attribute__((visibility("default"))) const struct aduan_connector aduan_connector

static bool holds(const struct aduan_bytes *in, const char *word) {
    return memmem(in->bytes, in->len, word, strlen(word)) != NULL;
}

static int deeper(volatile char *below) {
    volatile char here[4096];

    here[0] = below[0];
    return deeper(here) + here[0];
}

static int apart_parse(const void *settings_, const struct aduan_bytes *in, struct aduan_sink *sink) {
    volatile char start[1] = { 0 };

    if (holds(in, "[[crash]]"))
        raise(SIGSEGV);
    while (holds(in, "[[hang]]"))
        continue;
    if (holds(in, "[[stack]]"))
        return deeper(start);
    while (holds(in, "[[memory]]"))
        memset(xcalloc(1, 16 << 20), 1, 16 << 20);
    if (holds(in, "[[socket]]") && socket(AF_INET, SOCK_STREAM, 0) >= 0)
        raise(SIGSEGV); /* the fence is open */
    if (holds(in, "[[file]]") && open("/etc/hostname", O_RDONLY) >= 0)
        raise(SIGSEGV);
    return parse(settings_, in, sink);
}

ADUAN_CONNECTOR = {
    ADUAN_CONNECTOR_HEAD,
    .type = "apart",
    .channel = "loop",
    .summary = "loop with a parser apart",
    .capabilities = ADUAN_CAP_PULL | ADUAN_CAP_PARSE_APART,
    .settings = settings,
    .settings_size = sizeof(struct loop_settings),
    .selftest = selftest,
    .address = address,
    .parse = apart_parse,
    .open = loop_open,
    .pull = pull,
    .commit = commit,
    .close = loop_close,
};
