/* errors.c: what X's answers mean (section 4.4): problems, old-style errors, and the headers of its limits. */
#include "x/x.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT_PAUSE_MS = 60 * 1000, RESET_MAX_MS = 24 * 3600 * 1000 };

struct problem {
    const char *type; /* the last part of its address; "" unknown */
    char text[400];
    int64_t code; /* old style; 0 none */
    bool spoken;
};

static const struct rule {
    const char *type; /* by the problem's type, or */
    int64_t code;     /* by the old code */
    enum aduan_outcome outcome;
    const char *advice;
} rules[] = {
    { "usage-capped", 0, ADUAN_REFUSED,
      "Kuota atau saldo API X habis: isi ulang di console.x.com / X's API allowance or credit is used up" },
    { "client-forbidden", 0, ADUAN_REFUSED,
      "Aplikasi X tidak terdaftar untuk fungsi ini / the X app is not enrolled for this" },
    { "oauth1-permissions", 0, ADUAN_REFUSED,
      "Izin aplikasi X kurang: perlu Read, write and Direct Messages / the X app lacks permissions" },
    { "unsupported-authentication", 0, ADUAN_REFUSED, NULL },
    { "", 93, ADUAN_REFUSED,
      "Izin aplikasi X kurang: perlu Read, write and Direct Messages / the X app lacks permissions" },
    { "", 89, ADUAN_REFUSED, "Token X tidak berlaku / the X token is not valid" },
    { "", 32, ADUAN_REFUSED, "Token X tidak berlaku / the X token is not valid" },
    { "", 135, ADUAN_REFUSED, "Jam komputer tidak tepat (NTP) / the clock of this machine is wrong" },
    { "", 64, ADUAN_REFUSED, "Akun X ditangguhkan / the X account is suspended" },
    { "", 326, ADUAN_REFUSED, "Akun X dikunci: masuk ke X untuk membukanya / the X account is locked" },
    { "", 88, ADUAN_LIMITED, "Batas laju X tercapai / X's rate limit is reached" },
    { "", 226, ADUAN_LIMITED, "X menganggapnya otomatis; ditunda / X takes it for automated; delayed" },
    { "", 187, ADUAN_NEVER,
      "Teks yang sama sudah ada di X; ubah sedikit / the same text stands on X already; change it a little" },
    { "", 349, ADUAN_NEVER, "Warga tidak menerima DM dari kantor / this person takes no DMs from the office" },
    { "", 150, ADUAN_NEVER, "Warga tidak menerima DM dari kantor / this person takes no DMs from the office" },
};

static void read_problem(const json_t *body, struct problem *p) {
    const json_t *first = json_array_get(js_get(body, "errors"), 0);
    const json_t *from = js_get(body, "title") != NULL || js_get(body, "type") != NULL ? body : first;
    const char *type = js_str(from, "type");
    char *title = js_line(from, "title", 150), *detail = js_line(from, "detail", 200);
    char *message = js_line(first, "message", 200);

    p->type = type != NULL && strrchr(type, '/') != NULL ? strrchr(type, '/') + 1 : "";
    p->code = js_int(first, "code", 0);
    snprintf(p->text, sizeof(p->text), "%s%s%s",
             title != NULL     ? title
             : message != NULL ? message
                               : "",
             detail != NULL && title != NULL ? ": " : "", detail != NULL ? detail : "");
    p->text[text_cut(p->text, sizeof(p->text) - 1)] = '\0';
    p->spoken = title != NULL || message != NULL || p->type[0] != '\0';
    free(title);
    free(detail);
    free(message);
}

static const struct rule *rule_for(const struct problem *p) {
    size_t i;

    for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if ((rules[i].type[0] != '\0' && strcmp(rules[i].type, p->type) == 0) ||
            (rules[i].code != 0 && rules[i].code == p->code))
            return &rules[i];
    return NULL;
}

/* A 5xx may come after X acted, unless X itself says that it is not there. */
static enum aduan_outcome by_status(int status, bool spoken, bool acts) {
    if (status == 429)
        return ADUAN_LIMITED;
    if (status == 402 || (status == 401 && spoken))
        return ADUAN_REFUSED;
    if (status == 408 || status >= 500)
        return acts && !(status == 503 && spoken) ? ADUAN_UNCERTAIN : ADUAN_LATER;
    if (!spoken)
        return status == 401 ? ADUAN_REFUSED : ADUAN_LATER; /* a proxy on the way */
    return ADUAN_NEVER;
}

/* -------------------------------------------------------------------- headers */

static int64_t header(const struct aduan_http_response *r, const char *name) {
    int64_t value = -1;
    size_t i;

    for (i = 0; i < r->header_count; i++)
        if (strcmp(r->headers[i].name, name) == 0)
            text_parse_int(r->headers[i].value, 0, INT64_MAX / 1000, &value);
    return value;
}

/* Until the allowance is whole again; -1: X does not say. */
static int64_t reset_in(struct x *x, const struct aduan_http_response *r) {
    int64_t reset = header(r, "x-rate-limit-reset"), in;

    if (reset < 0)
        return header(r, "retry-after") >= 0 ? header(r, "retry-after") * 1000 : -1;
    in = reset * 1000 - x->host->ops->now(x->host);
    if (in < 1000)
        in = 1000;
    return in < RESET_MAX_MS ? in : RESET_MAX_MS;
}

int64_t x_limits(struct x *x, const char *name, const struct aduan_http_response *r) {
    int64_t limit, left;

    if (r->state != ADUAN_HTTP_DONE)
        return 0;
    limit = header(r, "x-rate-limit-limit");
    left = header(r, "x-rate-limit-remaining");
    if (limit <= 0 || left < 0 || left > limit)
        return 0;
    if (x->host->ops->quota != NULL)
        x->host->ops->quota(x->host, name, (int)((limit - left) * 100 / limit));
    return left == 0 && reset_in(x, r) > 0 ? x->host->ops->now(x->host) + reset_in(x, r) : 0;
}

/* -------------------------------------------------------------------- verdict */

static void say(struct aduan_result *ret, const char *s) {
    snprintf(ret->reason, sizeof(ret->reason), "%s", s);
    ret->reason[text_cut(ret->reason, sizeof(ret->reason) - 1)] = '\0';
}

bool x_accepted(struct x *x, const struct aduan_http_response *r, bool acts, struct aduan_result *ret) {
    struct problem p = { .type = "" };
    const struct rule *rule;
    char line[40];
    json_t *body;

    memset(ret, 0, sizeof(*ret));
    if (r->state != ADUAN_HTTP_DONE) {
        ret->outcome = r->state == ADUAN_HTTP_SENT_NOTHING || !acts ? ADUAN_LATER : ADUAN_UNCERTAIN;
        say(ret, r->error != NULL ? r->error : "sambungan terputus / connection broken");
        return false;
    }
    if (r->status >= 200 && r->status < 300)
        return true;
    body = r->body != NULL ? js_load(r->body, r->body_len) : NULL;
    read_problem(body, &p);
    rule = rule_for(&p);
    ret->outcome = rule != NULL ? rule->outcome : by_status(r->status, p.spoken, acts);
    ret->scope = ADUAN_SCOPE_ACCOUNT;
    if (ret->outcome == ADUAN_LIMITED) {
        ret->retry_after_ms = reset_in(x, r);
        if (ret->retry_after_ms < 0)
            ret->retry_after_ms = LIMIT_PAUSE_MS;
    }
    snprintf(line, sizeof(line), "HTTP %d", r->status);
    say(ret, rule != NULL && rule->advice != NULL ? rule->advice : p.text[0] != '\0' ? p.text : line);
    json_decref(body);
    return false;
}
