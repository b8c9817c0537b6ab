/*
 * whatsapp.h: what the files of the WhatsApp connector share.
 *
 * Facts: platforms/whatsapp.md in the project's reference; section numbers in
 * comments here are its.
 */
#ifndef ADUAN_WHATSAPP_H
#define ADUAN_WHATSAPP_H

#include "connector.h"

#include "kit/meta.h"

struct whatsapp_template {
    char *name, *language;
};

struct whatsapp_settings {
    char *api;
    char *phone_number_id;
    struct aduan_secret access_token, verify_token;
    struct aduan_secrets app_secret;
    struct whatsapp_template opener;
};

/* parse.c: a webhook body to records. */
int whatsapp_parse(const void *settings, const struct aduan_bytes *in, struct aduan_sink *sink);

/* content.c: the body of one message by its type: kind, text, attachments, extra, note, reply_to.
 * element is the object that holds "type"; number_id is put into media sources, may be NULL. */
void whatsapp_content(struct aduan_message *m, const json_t *element, const char *number_id);

/* system.c: what is not written by a person. */
void whatsapp_system(struct aduan_message *m, const json_t *element);                  /* type "system" */
void whatsapp_status(struct aduan_message *m, const json_t *element);                  /* of value.statuses[] */
void whatsapp_error(struct aduan_message *m, const json_t *element);                   /* of value.errors[] */
void whatsapp_notice(struct aduan_message *m, const char *field, const json_t *value); /* other fields */

/* m->extra, made when missing; set steals value. */
void whatsapp_extra(struct aduan_message *m, const char *key, json_t *value);
/* "+628…" of digits; NULL when it is no phone number. */
char *whatsapp_phone(const char *digits);

/* send.c, fetch.c: the worker's side. */
struct whatsapp {
    struct aduan_host *host;
    const struct whatsapp_settings *settings;
    json_t *pairs; /* conversation -> how often in a row 131056 came */
};

extern const struct meta_rule whatsapp_rules[];

void whatsapp_send(void *ctx, const struct aduan_answer *answer, uint64_t token);
int whatsapp_fits(const void *settings, const struct aduan_answer *answer, char *why, size_t why_size);
void whatsapp_fetch(void *ctx, const struct aduan_attachment *attachment, uint64_t token);
void whatsapp_probe(void *ctx, struct aduan_result *ret);
int whatsapp_selftest(char *why, size_t why_size);

#endif
