/*
 * bench_desk.c: messages from stream to committed case, with a real redis-server and register.
 *
 * Three kinds of traffic: first messages of as many citizens (each makes a case, a receipt and an
 * outbox row), follow-ups into those cases, and mails with References. The limit in the same run:
 * reading and acknowledging the same stream without doing anything with it.
 */
#include "desk_rig.h"

#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 200 };

static double seconds(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static char *record_of(struct aduan_message *m) {
    json_t *json = aduan_message_to_json(m);
    char *record = json_dumps(json, JSON_COMPACT);

    json_decref(json);
    return record;
}

static struct aduan_message message(struct rig *r, bool mail, const char *round, int i) {
    char *id = xasprintf("%s-%d", round, i),
         *who = mail ? xasprintf("warga%d@example.com", i) : xasprintf("62811%07d", i);
    struct aduan_message m =
        rig_record(r, ADUAN_KIND_MESSAGE, mail ? "gmail" : "wa", mail ? "email" : "whatsapp", id);

    m.conversation = xstrdup(who);
    m.sender.id = xstrdup(who);
    if (mail) {
        m.sender.address = xstrdup(who);
        m.message_id = xasprintf("%s@example.com", id);
        m.reply_to = xstrdup("unknown@example.com");
        aduan_message_add_reference(&m, "older@example.com");
        m.subject = xstrdup("Keluhan layanan paspor");
    } else {
        m.sender.phone = xasprintf("+%s", who);
    }
    free(m.text);
    m.text = xstrdup(
        "Selamat pagi, saya mau bertanya kenapa paspor saya belum selesai padahal sudah tiga minggu lewat dari "
        "tanggal yang dijanjikan petugas. Nama saya Siti, alamat Jl. Merdeka No. 1, Tanjungpinang. Mohon "
        "bantuannya, terima kasih.");
    free(id);
    free(who);
    return m;
}

static void fill(struct rig *r, bool mail, const char *round, int count) {
    static char raw[700];
    struct queue_in in[BATCH];
    char *ids[BATCH], *records[BATCH];
    int i, k;

    memset(raw, 'x', sizeof(raw));
    for (i = 0; i < count; i += BATCH) {
        for (k = 0; k < BATCH; k++) {
            struct aduan_message m = message(r, mail, round, i + k);

            ids[k] = xstrdup(m.id);
            records[k] = record_of(&m);
            in[k] = (struct queue_in){ .id = ids[k],
                                       .record = records[k],
                                       .record_len = strlen(records[k]),
                                       .raw = raw,
                                       .raw_len = sizeof(raw) };
            aduan_message_clear(&m);
        }
        if (queue_accept(r->queue, mail ? "gmail" : "wa", in, BATCH, NULL, 0, NULL, NULL) != 0)
            abort();
        for (k = 0; k < BATCH; k++) {
            free(ids[k]);
            free(records[k]);
        }
    }
}

struct drain {
    char (*ids)[32];
    size_t count;
};

static int take(void *arg, const struct queue_entry *e) {
    struct drain *d = arg;

    memcpy(d->ids[d->count++], e->id, 32);
    return 0;
}

/* The limit: the same stream, read and acknowledged in the same batches, and nothing else. */
static double drained(struct rig *r, int count) {
    struct queue_source source = { .account = "wa", .stream = "in" };
    struct queue_reader *reader = queue_reader_new(r->queue, "bench", "bench", &source, 1);
    struct drain d = { .ids = calloc(1000, 32) };
    double begin = seconds();
    int done = 0;

    while (done < count && queue_reader_read(reader, false, 200, 100, take, &d) == 0) {
        queue_reader_ack(reader, "wa", "in", (const char(*)[32])d.ids, d.count);
        done += (int)d.count;
        d.count = 0;
    }
    free(d.ids);
    queue_reader_free(reader);
    return done / (seconds() - begin);
}

static double desk_takes(struct rig *r, int count) {
    double begin = seconds();

    if (rig_run(r) != 0)
        abort();
    return count / (seconds() - begin);
}

static void line(const char *what, double rate, double limit) {
    printf("%-44s %9.0f /s   %5.2f of the bar (5000/s)   %5.2f of the bare stream\n", what, rate, rate / 5000,
           rate / limit);
    fflush(stdout);
}

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) / BATCH * BATCH : 10000;
    struct rig rig;
    double limit;

    rig_start(&rig);
    fill(&rig, false, "limit", count);
    limit = drained(&rig, count);
    printf("%-44s %9.0f /s\n", "bare stream: read and acknowledge", limit);
    rig_reset(&rig);
    fill(&rig, false, "first", count);
    rig.commit_only = true;
    line("first messages: case and receipt, committed", desk_takes(&rig, count), limit);
    rig.commit_only = false;
    line("  then their receipts relayed", desk_takes(&rig, count), limit);
    fill(&rig, false, "again", count);
    line("follow-ups", desk_takes(&rig, count), limit);
    fill(&rig, true, "mail", count);
    rig.commit_only = true;
    line("mails with references, committed", desk_takes(&rig, count), limit);
    printf("cases: %zu\n", rig_case_count(&rig));
    rig_stop(&rig);
    return 0;
}
