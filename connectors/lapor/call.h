/* call.h: requests to LAPOR: its address and headers by the profile and the settings, what an answer means. */
#ifndef ADUAN_LAPOR_CALL_H
#define ADUAN_LAPOR_CALL_H

#include "lapor/lapor.h"

enum { LAPOR_HEADERS_MAX = 16 };

/* What must live until http() returns. */
struct lapor_envelope {
    struct aduan_http_request req;
    struct aduan_header headers[LAPOR_HEADERS_MAX + 1];
    char *owned[2 * LAPOR_HEADERS_MAX];
    size_t owned_count;
};

void lapor_seal(const struct lapor *l, const char *method, const char *url, struct lapor_envelope *e);
void lapor_unseal(struct lapor_envelope *e); /* wipes the secrets */
/* base_url + the capability's path and query, with the values of {names}; NULL: one is missing. New string. */
char *lapor_url(const struct lapor *l, const char *section, const json_t *values);
/* Was the request accepted? False: *ret says what became of it. acts: it may have been acted upon. */
bool lapor_accepted(const struct lapor *l, const struct aduan_http_response *r, bool acts,
                    struct aduan_result *ret);
/* GET that waits; new JSON, or NULL with *ret (outcome 0: told to stop). */
json_t *lapor_get_json(struct lapor *l, const char *url, struct aduan_result *ret);
/* Every page of a capability's items, handed over one by one. 0, or -1 with *ret. */
int lapor_pages(struct lapor *l, const char *section, const char *id, const char *since,
                int (*each)(void *arg, const json_t *item), void *arg, struct aduan_result *ret);

#endif
