/*
 * job.h: one process, one job: what a worker is given and owes its master.
 *
 * The master forks and executes itself as `aduand --job ROLE [ACCOUNT]` with a
 * socket as fd 3. The worker reads its slice of the configuration from it,
 * drops what it does not need, opens its queue and calls its job function. It
 * then owes the master a heartbeat (job_beat) at least every 10 s and an end
 * soon after job_stopping() turns true. job_* functions return the exit
 * status of the process: 0 ended as told, 1 failed (restart me with back-off).
 */
#ifndef ADUAN_JOB_H
#define ADUAN_JOB_H

#include "conf/conf.h"
#include "connectors/connector.h"
#include "queue/blob.h"
#include "queue/queue.h"

#include <stdbool.h>

/* A loaded connector module (daemon/module.c). */
struct module {
    const struct aduan_connector *connector;
    void *handle;
    char *file;
};

struct job {
    const char *role;             /* "gateway", "receive", "send", "desk", "console", "parse" */
    struct conf_account *account; /* for receive, send, parse; else NULL */
    struct conf *conf;            /* this worker's slice */
    struct module *modules;       /* one per conf->accounts[i], same index */
    struct queue *queue;
    struct blob_store *blobs;
    int control;  /* fd 3 */
    int restarts; /* how often the master has restarted this job */
};

void job_ready(struct job *j);          /* once: configuration read, listening, about to work */
void job_beat(struct job *j);           /* cheap: writes at most once a second */
bool job_stopping(const struct job *j); /* SIGTERM, or the master is gone */
int job_wake_fd(const struct job *j);   /* readable as soon as job_stopping() is true */
/* Publishes this worker's health (queue_health_set) at most every 2 s; fields is an object of
 * counters and last times; pid, started and restarts are added. Steals fields. */
void job_health(struct job *j, const char *account, json_t *fields);

const struct module *job_module(const struct job *j, const struct conf_account *a);
struct queue_options job_queue_options(const struct job *j);

int job_gateway(struct job *j);
int job_receive(struct job *j);
int job_send(struct job *j);
int job_desk(struct job *j);
int job_console(struct job *j);
int job_parse(struct job *j);

#endif
