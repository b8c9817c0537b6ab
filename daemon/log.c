/*
 * log.c: one line to stderr, which systemd reads into the journal.
 *
 * When stderr is the journal's own socket (JOURNAL_STREAM names its device and
 * inode) each line starts with "<N>", the syslog level, which journald strips;
 * elsewhere with the time. A line is one write(), so lines of several processes
 * never mix, and holds no control character, so nothing can forge a second one.
 */
#include "daemon/log.h"

#include "connectors/kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2000 };

static struct {
    char who[96];
    bool journal, debug;
} to;

static bool stderr_is_journal(void) {
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long dev, ino;
    struct stat st;

    return stream != NULL && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
           st.st_dev == (dev_t)dev && st.st_ino == (ino_t)ino;
}

void log_open(const char *role, const char *account) {
    const char *debug = getenv("ADUAN_DEBUG");

    snprintf(to.who, sizeof(to.who), "%s%s%s", role, account != NULL ? " " : "",
             account != NULL ? account : "");
    to.journal = stderr_is_journal();
    to.debug = debug != NULL && strcmp(debug, "1") == 0;
}

static void add_head(struct text *line, int level) {
    struct timespec ts;
    struct tm tm;
    char stamp[40];

    if (to.journal) {
        text_addf(line, "<%d>", level);
    } else {
        clock_gettime(CLOCK_REALTIME, &ts);
        gmtime_r(&ts.tv_sec, &tm);
        strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
        text_addf(line, "%s.%03ldZ ", stamp, ts.tv_nsec / 1000000);
    }
    if (to.who[0] != '\0')
        text_addf(line, "%s: ", to.who);
    if (level <= LOG_ERR)
        text_add(line, "error: ");
    else if (level == LOG_WARNING)
        text_add(line, "warning: ");
}

void log_line(int level, const char *fmt, va_list ap) {
    struct text line = TEXT_INIT;
    size_t i;

    if (level >= LOG_DEBUG && !to.debug)
        return;
    add_head(&line, level);
    text_vaddf(&line, fmt, ap);
    if (line.len > LINE_MAX_BYTES)
        line.len = text_cut(line.s, LINE_MAX_BYTES);
    for (i = 0; i < line.len; i++)
        if ((unsigned char)line.s[i] < 0x20 || line.s[i] == 0x7f)
            line.s[i] = '?';
    line.s[line.len] = '\0';
    text_add_char(&line, '\n');
    if (write(STDERR_FILENO, line.s, line.len) < 0) {
        /* Nobody is left to tell. */
    }
    text_free(&line);
}

#define LOG_FUNCTION(name, level)                                                                              \
    void name(const char *fmt, ...) {                                                                          \
        va_list ap;                                                                                            \
        va_start(ap, fmt);                                                                                     \
        log_line(level, fmt, ap);                                                                              \
        va_end(ap);                                                                                            \
    }

LOG_FUNCTION(log_error, LOG_ERR)
LOG_FUNCTION(log_warn, LOG_WARNING)
LOG_FUNCTION(log_info, LOG_INFO)
LOG_FUNCTION(log_debug, LOG_DEBUG)
