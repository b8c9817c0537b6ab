/* selftest.c: offline proof that the module reads what it should. */
#include "lapor/lapor.h"

#include <stdio.h>
#include <string.h>

struct proof {
    struct aduan_sink sink;
    unsigned good, count;
};

static int judge(struct aduan_sink *sink, struct aduan_message *m) {
    struct proof *p = (struct proof *)sink;

    p->count++;
    p->good += m->kind == ADUAN_KIND_MESSAGE && text_equal(m->platform_id, "7654321") &&
               text_equal(m->conversation, "7654321") && text_equal(m->subject, "Paspor") &&
               text_equal(m->text, "Belum jadi");
    aduan_message_clear(m);
    return 0;
}

int lapor_selftest(char *why, size_t why_size) {
    static const char *const samples[] = {
        "Tracking ID;Judul;Isi Laporan\r\n7654321;Paspor;\"Belum jadi\"\r\n",
        "{\"results\":{\"data\":{\"id\":7654321,\"title\":\"Paspor\",\"content\":\"<p>Belum jadi</p>\"}}}",
        "Tracking ID: 7654321\nJudul: Paspor\nIsi: Belum jadi\n",
    };
    const size_t n = sizeof(samples) / sizeof(samples[0]);
    struct proof p = { .sink = { .record = judge } };
    size_t i;

    for (i = 0; i < n; i++) {
        struct aduan_bytes in = { .bytes = samples[i], .len = strlen(samples[i]) };

        (void)lapor_parse(NULL, &in, &p.sink);
    }
    if (p.good == n && p.count == n)
        return 0;
    snprintf(why, why_size, "%u of %zu samples were read", p.good, n);
    return -1;
}
