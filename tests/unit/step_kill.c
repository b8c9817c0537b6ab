/* step_kill.c: a child that dies at a named step. */
#include "step_kill.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

bool step_kill_possible(void) {
#ifdef ADUAN_STEPS
    return true;
#else
    fprintf(stderr, "SKIPPED: this tree is built without ADUAN_STEPS, nothing can be killed at a step\n");
    return false;
#endif
}

bool step_kill(const char *step, void (*work)(void *arg), void *arg) {
    pid_t pid = fork();
    int status;

    if (pid < 0)
        abort();
    if (pid == 0) {
        setenv("ADUAN_DIE_AT", step, 1);
        work(arg);
        _exit(0);
    }
    if (waitpid(pid, &status, 0) != pid)
        abort();
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return true;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        abort();
    return false;
}
