/* console_job.c: the console comes later; the master does not start this job yet. */
#include "daemon/job.h"
#include "daemon/log.h"

int job_console(struct job *j) {
    (void)j;
    log_error("this version has no console");
    return 1;
}
