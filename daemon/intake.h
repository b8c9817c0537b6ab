/*
 * intake.h: from a connector's raw bytes to what queue_accept() takes.
 *
 * Runs parse(), completes each record (id, account, channel, received_at, note),
 * routes it to the account whose address it names, stores attachment bytes and
 * raw bodies over 64 KiB as blobs, and turns the record to JSON. Bytes that
 * make no sense become one ADUAN_KIND_UNPARSED record, so nothing is dropped.
 * Used by the gateway and by the receive worker; pure but for the blob store.
 */
#ifndef ADUAN_INTAKE_H
#define ADUAN_INTAKE_H

#include "daemon/job.h"

struct intake_item {
    struct conf_account *account; /* whose door it goes to */
    struct queue_in in;           /* owned by the batch */
    struct aduan_message message; /* owned by the batch */
    bool dead;                    /* belongs in :dead, not :in; reason in message.note */
};

struct intake_batch {
    struct intake_item *items;
    size_t count;
};

/* door: the account it came through. 0, or -errno (a blob could not be stored: accept nothing). */
int intake_parse(struct job *j, struct conf_account *door, const struct aduan_bytes *bytes, int64_t now,
                 struct intake_batch *ret);
/* From a webhook that the door's connector believes. What is for another account goes there only if that
 * one's connector believes the request as well; else it is a dead letter of the door. */
int intake_hook(struct job *j, struct conf_account *door, const struct aduan_hook_request *request, int64_t now,
                struct intake_batch *ret);
/* The same from records already parsed elsewhere (the parse worker's answer); steals what the records
 * hold and leaves them cleared, the array stays the caller's. Items after a failure: none. */
int intake_records(struct job *j, struct conf_account *door, struct aduan_message *records, size_t count,
                   const struct aduan_bytes *bytes, int64_t now, struct intake_batch *ret);
/* A visible stub for bytes that kill or stall their parser. */
int intake_stub(struct job *j, struct conf_account *door, const struct aduan_bytes *bytes, int64_t now,
                const char *note, struct intake_batch *ret);
void intake_clear(struct intake_batch *b);

#endif
