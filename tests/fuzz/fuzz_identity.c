/* fuzz_identity.c: any text: what is masked keeps its length, and what is not masked is not touched. */
#include "desk/identity.h"
#include "kit/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = text_clean(data, size), first[40] = "", *masked;
    size_t i, count, stars = 0;

    masked = identity_mask(text, &count, first);
    if (strlen(masked) != strlen(text) || (count > 0) != (first[0] != '\0'))
        abort();
    for (i = 0; text[i] != '\0'; i++) {
        if (masked[i] != text[i] && masked[i] != '*')
            abort();
        stars += masked[i] != text[i];
    }
    if (stars < count || (count == 0 && stars > 0))
        abort();
    free(masked);
    free(text);
    return 0;
}
