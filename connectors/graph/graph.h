/*
 * graph.h: what the Instagram and the Facebook connector share: messaging events, the Send API, media, Graph
 * calls.
 *
 * Facts: platforms/instagram.md, messenger.md. A module brings what differs: its name on the wire, its limits,
 * its public things (entry[].changes[]). Only connectors/instagram and connectors/facebook include this.
 *
 * Reading (gateway, pure): parse() of a module is one call of graph_parse() with a static graph_reader.
 * Sending (workers): open() fills a graph_account; send() picks graph_send() or graph_publish(); fetch() and
 * probe() stand on graph_fetch() and graph_call().
 */
#ifndef ADUAN_GRAPH_H
#define ADUAN_GRAPH_H

#include "connector.h"

#include "kit/meta.h"

/* ---------------------------------------------------------------------- reading */

struct graph_reader {
    const char *object;  /* "instagram", "page": anything else is not ours (parse fails as a whole) */
    const char *channel; /* "Instagram", "Facebook": in texts for officers */
    /* One {field,value} of entry[].changes[] (value is an object; never the messaging shape of dashboard tests,
     * that is read as a message). *m is empty but for `to` (the entry's id), kind UNPARSED and sent_at (at).
     * Sets kind and what it knows; platform_id NULL: a digest of the element, note NULL: a general one. False:
     * the field is unknown, a SYSTEM record names it. at: time of the delivery in ms, 0 unknown. */
    bool (*change)(struct aduan_message *m, const char *field, const json_t *value, const char *account,
                   int64_t at);
};

/* A webhook body (an object, or an array of them) to records: one for each element of messaging[], standby[],
 * changes[] or flat {field,value}, one for each mid of a delivery. Of several elements each gets its own raw.
 * 0, the sink's failure, or -EINVAL. */
int graph_parse(const struct graph_reader *reader, const struct aduan_bytes *in, struct aduan_sink *sink);

/* m->extra, made when missing; steals value. */
void graph_extra(struct aduan_message *m, const char *key, json_t *value);
/* A pending attachment that graph_fetch() can get. kind: "image", "video", "audio", "file", "sticker". The same
 * URL twice is one attachment. NULL url: a failed attachment with a note. */
void graph_attach(struct aduan_message *m, const char *kind, const char *url);

/* ---------------------------------------------------------------------- sending */

/* A media type that can be sent, as which kind, up to which size. First match; mime "" takes any. */
struct graph_kind {
    const char *mime, *kind;
    int64_t max;
};

struct graph_limits {
    const char *channel; /* "Instagram": in reasons */
    int64_t text_max;
    bool text_max_is_bytes;         /* else characters */
    const struct graph_kind *kinds; /* ended by mime NULL */
    const char *kinds_said;         /* in the reason: "PNG, JPEG, … " */
    size_t images_max;              /* in one message */
    bool metadata;                  /* message.metadata comes back in the echo: carries the outbox id */
    const char *upload_platform;    /* "platform" of an upload, or NULL */
};

/* One account in one worker. Filled by open(); everything is borrowed and lives until close(). */
struct graph_account {
    struct aduan_host *host;
    const char *api;                  /* https://graph.facebook.com/v25.0 */
    const char *sender;               /* page or account id: /{sender}/messages */
    const struct aduan_secret *token; /* may be made to point elsewhere between two calls */
    const struct graph_limits *limits;
    bool human_agent;
};

/* Send API, Graph and comment errors of both (messenger.md 4.1, instagram.md 5); subcodes stand in it like
 * codes. */
extern const struct meta_rule graph_rules[];

/* Is a private answer about something public: a private reply to answer->reply_to? */
bool graph_is_private_reply(const struct aduan_answer *answer);

/* The limits of a private answer: text, attachments; a private reply is one text, once. 0, or -1 with the
 * reason. (A public answer is judged by the module.) */
int graph_fits(const struct graph_limits *limits, const struct aduan_answer *answer, char *why,
               size_t why_size);

/* Sends a private answer to recipient {key: id} ("id", "comment_id", "post_id", "user_ref"): uploads, then
 * text, then attachments. Calls graph_fits() itself. key and id live as long as the answer. host->done(token)
 * once. Within the 24 h (answer->heard_at) RESPONSE, beyond them HUMAN_AGENT where the account may and a person
 * wrote it. */
void graph_send(struct graph_account *account, const struct aduan_answer *answer, const char *key,
                const char *id, uint64_t token);

/* A public answer: first GET {api}/{check} (NULL: not), which ends it when the thing is gone; then POST
 * {api}/{path} with body (stolen). The id that Graph gives is the platform_id. host->done(token) once. */
void graph_publish(struct graph_account *account, const char *check, const char *path, json_t *body,
                   uint64_t token);

/* What a person may still answer after the citizen's last message, and a machine: for window(). */
int64_t graph_window(bool human_agent, bool by_person);

/* ------------------------------------------------------------------------ media */

/* Gets what graph_attach() noted: from Meta's hosts (or the API's own) only, without the token, at most 25 MB.
 * host->fetched(token) once. */
void graph_fetch(struct graph_account *account, const struct aduan_attachment *attachment, uint64_t token);

/* ------------------------------------------------------------------------ calls */

/* meta_accepted() with graph_rules; and reads the usage headers: host->quota(), and for a limit how long it
 * lasts. */
bool graph_accepted(struct graph_account *account, const struct aduan_http_response *r, bool accepts,
                    struct aduan_result *ret);

/* A blocking call (probe, open, find): METHOD {api}/{path}, path with query. The body as JSON (to be released),
 * or NULL: then *ret says why (outcome, reason). Never for what must not happen twice. */
json_t *graph_call(struct graph_account *account, const char *method, const char *path,
                   struct aduan_result *ret);

#endif
