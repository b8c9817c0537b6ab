/* bad_module.c: connector modules with one fault each (BAD says which), for test_daemon_module. */
#include "connector.h"

struct bad_settings {
    char *address;
};

static const struct aduan_setting settings[] = {
    ADUAN_SET_STRING("address", struct bad_settings, address, NULL, 0, "Alamat / Address"),
    ADUAN_SET_END,
};

#define GOOD                1
#define NO_SYMBOL           2
#define MAJOR               3
#define SHORT               4
#define OTHER_TYPE          5
#define PUSH_WITHOUT_VERIFY 6
#define NO_TABLE            7
#define NEWER               8

#if BAD == NO_SYMBOL
extern const struct aduan_connector aduan_connector_by_another_name;
__attribute__((visibility("default"))) const struct aduan_connector aduan_connector_by_another_name = {
#elif BAD == NEWER
/* What a connector.h of a later minor will make of it. */
struct newer {
    struct aduan_connector known;
    int (*unheard_of)(void *ctx);
};
extern const struct newer aduan_connector;
__attribute__((visibility("default"))) const struct newer aduan_connector = { .known = {
#else
extern const struct aduan_connector aduan_connector;
ADUAN_CONNECTOR = {
#endif
    .abi_major = ADUAN_ABI_MAJOR + (BAD == MAJOR),
    .abi_minor = ADUAN_ABI_MINOR + (BAD == NEWER),
    .size = sizeof(struct aduan_connector) - (BAD == SHORT ? sizeof(void *) : 0) +
            (BAD == NEWER ? sizeof(void *) : 0),
    .type = BAD == OTHER_TYPE ? "somebody" : NAME,
    .channel = "test",
    .summary = "a module with a fault",
    .capabilities = BAD == PUSH_WITHOUT_VERIFY ? ADUAN_CAP_PUSH : 0,
    .settings = BAD == NO_TABLE ? NULL : settings,
    .settings_size = sizeof(struct bad_settings),
#if BAD == NEWER
}
#endif
}
;
