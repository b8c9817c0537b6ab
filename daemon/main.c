/* main.c: aduand [-c FILE] [-n | -t ACCOUNT FILE…]; the master, or with --job one of its workers. */
#include "daemon/master.h"
#include "daemon/start.h"
#include "daemon/try.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { USAGE = 2 };

static int usage(FILE *to, int status) {
    fputs(
        "usage: aduand [-c FILE] [-n | -t ACCOUNT FILE|DIR...]\n"
        "  -c FILE  configuration instead of $ADUAN_CONF or /etc/aduan/aduan.conf\n"
        "  -n       check the configuration and the modules it names, then exit: 0 or 78\n"
        "  -t NAME  print what the account would make of recorded bytes, one line of JSON each; sends nothing\n"
        "  -V       print the version\n",
        to);
    return status;
}

int main(int argc, char **argv) {
    const char *file = NULL, *account = NULL;
    int check = 0, c;

    if (argc >= 3 && strcmp(argv[1], "--job") == 0)
        return job_start(argv[2], argc > 3 ? argv[3] : NULL);
    while ((c = getopt(argc, argv, "c:nt:hV")) != -1) {
        if (c == 'c')
            file = optarg;
        else if (c == 'n')
            check = 1;
        else if (c == 't')
            account = optarg;
        else if (c == 'V')
            return printf("aduand %s\n", ADUAN_VERSION) < 0;
        else
            return c == 'h' ? usage(stdout, 0) : usage(stderr, USAGE);
    }
    if (account != NULL ? check || optind == argc : optind < argc)
        return usage(stderr, USAGE);
    if (file == NULL)
        file = conf_default_file();
    if (account != NULL)
        return try_run(file, account, argv + optind, argc - optind);
    return check ? master_check(file) : master_run(file);
}
