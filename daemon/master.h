/*
 * master.h: starts, watches, restarts and reloads the workers.
 *
 * Holds the whole configuration, opens no network, parses nothing from
 * outside. Exit status: 0 ended as told, 78 the configuration is refused.
 */
#ifndef ADUAN_MASTER_H
#define ADUAN_MASTER_H

int master_run(const char *file);
/* `aduand -n`: prints every fault; 0 or 78. */
int master_check(const char *file);

enum { MASTER_CONFIG = 78 };

#endif
