/* fuzz_conf.c: any bytes as a configuration file: faults or none, but no crash, leak or endless loop. */
#include "tests/unit/test_conf.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libconfig"; /* it forgets a string that a syntax error interrupts */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int fd = memfd_create("conf", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
        abort();
    }
    char *file = xasprintf("/proc/self/fd/%d", fd);
    struct faults f = { NULL, 0 };
    struct conf *c = conf_read(file, CONF_FOR_MASTER, test_lookup, NULL, &f);
    if (f.count == 0) {
        /* What is accepted comes back from a slice. */
        json_t *slice = conf_slice(c, CONF_FOR_GATEWAY, NULL);
        conf_free(conf_from_slice(slice, test_lookup, NULL, &f));
        if (f.count > 0) {
            abort();
        }
        json_decref(slice);
    }
    for (size_t i = 0; i < f.count; i++) {
        free(fault_text(&f.items[i]));
    }
    faults_clear(&f);
    conf_free(c);
    free(file);
    close(fd);
    return 0;
}
