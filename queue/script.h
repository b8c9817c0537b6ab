/* script.h: the Lua scripts of queue/lua as constants (made by CMake). */
#ifndef ADUAN_SCRIPT_H
#define ADUAN_SCRIPT_H

#include <stddef.h>

struct script {
    const char *name;
    const char *sha1; /* what EVALSHA calls it */
    const char *text;
    size_t len;
};

extern const struct script script_accept, script_attempt, script_put, script_begin, script_settle,
    script_forget, script_bury, script_drop, script_ack, script_command, script_withdraw;

#endif
