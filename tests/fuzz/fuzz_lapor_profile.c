/* fuzz_lapor_profile.c: any profile of LAPOR, read, and each of its values used as expression and as pattern.
 */
#include "../../connectors/lapor/lapor.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = xstrndup((const char *)data, size);
    json_t *j = json_loads("{\"a\":[{\"id\":1,\"s\":\"x\"}],\"at\":\"24-11-2026 08:15:00\"}", 0, NULL);
    struct lapor_profile p;
    size_t i;

    (void)lapor_profile_read(text, NULL, NULL, &p);
    for (i = 0; i < p.count; i++) {
        free(lapor_value(j, p.items[i].value));
        free(lapor_fill(p.items[i].value, j, NULL));
        (void)lapor_expression_fault(p.items[i].value);
    }
    lapor_profile_clear(&p);
    json_decref(j);
    free(text);
    return 0;
}
