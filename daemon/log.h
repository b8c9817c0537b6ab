/*
 * log.h: one line to the journal (on a socket there) or to stderr.
 *
 * Every line of a worker carries its role and account. Lower case, cause
 * first, no full stop, never a secret, never personal data beyond an id.
 */
#ifndef ADUAN_LOG_H
#define ADUAN_LOG_H

#include <stdarg.h>

void log_open(const char *role, const char *account); /* account may be NULL */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* only with ADUAN_DEBUG=1 */
void log_line(int level, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0))); /* syslog levels */

#endif
