/*
 * power_cut.c: preloaded into redis-server: notes how much of each file is surely on disk.
 *
 * Whenever fsync or fdatasync returned, the size the file had before the call is
 * durable. That size is appended to the file that ADUAN_DURABLE names, as
 * "inode size". A test that kills the server and cuts each append-only file back
 * to its last noted size does what a power cut does to a disk that honours its
 * flushes, in the worst case: everything after the last flush is gone.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef int (*sync_fn)(int fd);

static int note(int fd, const char *name) {
    sync_fn real = (sync_fn)dlsym(RTLD_NEXT, name);
    const char *file = getenv("ADUAN_DURABLE");
    struct stat st;
    char line[64];
    int known = fstat(fd, &st) == 0;
    int r = real(fd);
    int out, n;

    if (r != 0 || !known || file == NULL)
        return r;
    out = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    n = snprintf(line, sizeof(line), "%lu %ld\n", (unsigned long)st.st_ino, (long)st.st_size);
    if (out < 0 || write(out, line, (size_t)n) != n)
        abort();
    close(out);
    return 0;
}

__attribute__((visibility("default"))) int fsync(int fd) {
    return note(fd, "fsync");
}

__attribute__((visibility("default"))) int fdatasync(int fd) {
    return note(fd, "fdatasync");
}
