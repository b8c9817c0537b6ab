/*
 * lapor.c: SP4N-LAPOR!: settings, contract.
 *
 * An office need not have an API: by default reports are imported by an officer (`aduanctl import`) and answers
 * wait in the work list. What a profile maps goes by itself, the rest stays by hand.
 */
#include "lapor/lapor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE, PROFILE_MAX = 256 * 1024, CHARACTERS = 1000 };

static const char *const modes[] = { "assisted", "api", NULL };

static const struct aduan_setting settings[] = {
    ADUAN_SET_CHOICE(
        "mode", struct lapor_settings, mode, "assisted", modes,
        "assisted: petugas mengimpor laporan dan menyalin jawaban, tanpa jaringan; api: menurut profile / "
        "assisted: officers import reports and copy answers, no network; api: as the profile says"),
    ADUAN_SET_FILE("profile", struct lapor_settings, profile, PROFILE_MAX, 0,
                   "Berkas profil API, nisbi terhadap aduan.conf / the API's profile, relative to aduan.conf"),
    ADUAN_SET_STRINGS(
        "headers", struct lapor_settings, headers, 0,
        "Kepala HTTP, nama dan awalan: ( \"auth: Bearer \", \"token: \" ) / HTTP headers, name and prefix"),
    ADUAN_SET_SECRETS("secrets", struct lapor_settings, secrets, ADUAN_FOR_RECEIVE | ADUAN_FOR_SEND,
                      "Isinya, dalam urutan yang sama / their values, in the same order"),
    ADUAN_SET_DURATION("poll", struct lapor_settings, poll, "15m", 1000, 24 * HOUR,
                       "Jeda membaca LAPOR / pause between reading LAPOR"),
    ADUAN_SET_INT(
        "text_max", struct lapor_settings, text_max, "1000", 1, 100000,
        "Panjang jawaban bila profil tidak mengatakannya / length of an answer where no profile says it"),
    ADUAN_SET_END,
};

struct faults {
    aduan_fault_fn fault;
    void *arg;
};

static void profile_fault(void *arg, const char *reason) {
    const struct faults *f = arg;

    f->fault(f->arg, "profile", reason);
}

static void check(const void *settings_, aduan_fault_fn fault, void *arg) {
    const struct lapor_settings *s = settings_;
    struct faults f = { fault, arg };
    struct lapor_profile p;
    size_t i;

    (void)lapor_profile_read(s->profile, profile_fault, &f, &p);
    if (s->mode == LAPOR_API && p.count == 0)
        fault(arg, "profile", "wajib untuk mode api / is needed with mode api");
    lapor_profile_clear(&p);
    if (s->headers.count != s->secrets.count)
        fault(arg, "secrets", "harus sebanyak headers / must be as many as there are headers");
    for (i = 0; i < s->headers.count; i++) {
        const char *colon = strstr(s->headers.items[i], ": ");

        if (colon == NULL || colon == s->headers.items[i])
            fault(arg, "headers", "harus seperti \"nama: awalan\" / must be as \"name: prefix\"");
    }
}

static bool by_api(const struct lapor_settings *s, const char *capability) {
    struct lapor_profile p;
    bool yes;

    if (s == NULL || s->mode != LAPOR_API)
        return false;
    (void)lapor_profile_read(s->profile, NULL, NULL, &p);
    yes = lapor_enabled(&p, capability);
    lapor_profile_clear(&p);
    return yes;
}

/* There is always a receive worker: it takes what is imported. */
static uint32_t able(const void *settings_) {
    const uint32_t always = ADUAN_CAP_PULL | ADUAN_CAP_PARSE_APART | ADUAN_CAP_ATTACH;

    return always | (by_api(settings_, "reply") ? ADUAN_CAP_SEND | ADUAN_CAP_FIND : ADUAN_CAP_BY_HAND);
}

/* ----------------------------------------------------------------------- fits */

/* "pdf" in "jpg,jpeg,pdf"? */
static bool listed(const char *list, const char *word) {
    size_t n = strlen(word);

    while (*list != '\0') {
        size_t len = strcspn(list, ", ");

        if (len == n && n > 0 && strncasecmp(list, word, n) == 0)
            return true;
        list += len;
        list += strspn(list, ", ");
    }
    return false;
}

static void files_fit(const struct lapor_profile *p, const struct aduan_answer *a, char *why, size_t why_size) {
    int64_t most = lapor_number(p, "limits", "attach_max", 5);
    int64_t bytes = lapor_number(p, "limits", "attach_max_bytes", 5 * 1024 * 1024);
    const char *types = lapor_or(p, "limits", "attach_types", "jpg,jpeg,png,pdf,doc,docx"), *dot;
    size_t i;

    if ((int64_t)a->attachment_count > most)
        snprintf(why, why_size,
                 "LAPOR! menerima paling banyak %lld lampiran / LAPOR! takes at most %lld attachments",
                 (long long)most, (long long)most);
    for (i = 0; i < a->attachment_count && why[0] == '\0'; i++) {
        dot = strrchr(a->attachments[i].name, '.');
        if (a->attachments[i].size > bytes)
            snprintf(why, why_size,
                     "Lampiran lebih besar dari %lld KiB / an attachment is larger than %lld KiB",
                     (long long)bytes / 1024, (long long)bytes / 1024);
        else if (!listed(types, dot != NULL ? dot + 1 : ""))
            snprintf(why, why_size,
                     "LAPOR! hanya menerima lampiran %.60s / LAPOR! takes only attachments of %.60s", types,
                     types);
    }
}

int lapor_fits(const void *settings_, const struct aduan_answer *a, char *why, size_t why_size) {
    const struct lapor_settings *s = settings_;
    struct lapor_profile p = { NULL, 0 };
    int64_t most;

    why[0] = '\0';
    if (s != NULL)
        (void)lapor_profile_read(s->profile, NULL, NULL, &p);
    most =
        lapor_number(&p, "limits", "reply_max_chars", s != NULL && s->text_max > 0 ? s->text_max : CHARACTERS);
    if (a->text != NULL && (int64_t)text_characters(a->text) > most)
        snprintf(why, why_size,
                 "Jawaban melebihi %lld karakter, batas LAPOR! / over LAPOR's limit of %lld characters",
                 (long long)most, (long long)most);
    else
        files_fit(&p, a, why, why_size);
    lapor_profile_clear(&p);
    return why[0] != '\0' ? -1 : 0;
}

/* --------------------------------------------------------------------- context */

static int open_account(struct aduan_host *host, const void *settings_, void **ret_ctx) {
    struct lapor *l = xcalloc(1, sizeof(*l));

    l->host = host;
    l->settings = settings_;
    (void)lapor_profile_read(l->settings->profile, NULL, NULL, &l->profile);
    *ret_ctx = l;
    return 0;
}

static void *close_account(void *ctx) {
    struct lapor *l = ctx;

    if (l != NULL)
        lapor_profile_clear(&l->profile);
    if (l != NULL)
        json_decref(l->told);
    free(l);
    return NULL;
}

ADUAN_CONNECTOR = {
    ADUAN_CONNECTOR_HEAD,
    .type = "lapor",
    .channel = "lapor",
    .summary = "SP4N-LAPOR!: impor dan daftar kerja, atau API menurut profil / by hand, or an API by a profile",
    .capabilities = ADUAN_CAP_PULL | ADUAN_CAP_SEND | ADUAN_CAP_FIND | ADUAN_CAP_PARSE_APART |
                    ADUAN_CAP_ATTACH | ADUAN_CAP_BY_HAND,
    .traits = { .attachment_max = 25 * 1024 * 1024 },
    .settings = settings,
    .settings_size = sizeof(struct lapor_settings),
    .check = check,
    .selftest = lapor_selftest,
    .parse = lapor_parse,
    .open = open_account,
    .pull = lapor_pull,
    .commit = lapor_commit,
    .send = lapor_send,
    .find = lapor_find_sent,
    .probe = lapor_probe,
    .close = close_account,
    .able = able,
    .fits = lapor_fits,
};
