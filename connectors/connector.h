/*
 * connector.h: the contract between Aduan and one channel's module.
 *
 * A connector is a shared object that exports one constant,
 *
 *     ADUAN_CONNECTOR = { ADUAN_CONNECTOR_HEAD, .type = "loop", … };
 *
 * It knows one platform and nothing of Redis, HTTP libraries or configuration
 * files: the host table hands it what it needs. It classifies failures, the
 * core decides what follows. Every member below says when it is called, in
 * which process, who owns what, and whether it may block.
 *
 * ABI: a different major is refused; a newer minor only adds members at the end
 * of a struct, and `size` says how many are there. 0 is success everywhere,
 * negative is -errno (the core logs and treats it as ADUAN_LATER), positive is
 * an outcome named here.
 *
 * Processes (docs/architecture.md):
 *   gateway         verify, parse                 signature secrets
 *   receive ACCOUNT open, pull, commit, fetch     receiving secrets
 *   parse ACCOUNT   parse (when CAP_PARSE_APART)  no secret, no network
 *   send ACCOUNT    open, send, find, probe       send token
 *   aduand -n       check, selftest               nothing
 */
#ifndef ADUAN_CONNECTOR_H
#define ADUAN_CONNECTOR_H

#include "kit/setting.h"
#include "message.h"

#define ADUAN_ABI_MAJOR 1
#define ADUAN_ABI_MINOR 0

enum aduan_capability {
    ADUAN_CAP_PULL = 1u << 0,        /* has pull(): gets a receive worker */
    ADUAN_CAP_PUSH = 1u << 1,        /* has verify(): gets /hook/NAME */
    ADUAN_CAP_SEND = 1u << 2,        /* has send(): gets a send worker */
    ADUAN_CAP_MEDIA = 1u << 3,       /* has fetch(): gets a receive worker even without pull() */
    ADUAN_CAP_RECEIPTS = 1u << 4,    /* reports delivered/read as ADUAN_KIND_STATUS records */
    ADUAN_CAP_IDEMPOTENT = 1u << 5,  /* the platform drops a repeat of the same answer id */
    ADUAN_CAP_FIND = 1u << 6,        /* has find() */
    ADUAN_CAP_PARSE_APART = 1u << 7, /* parse() runs in a process of its own with hard limits */
    ADUAN_CAP_ATTACH = 1u << 8,      /* can send attachments */
    ADUAN_CAP_PUBLIC = 1u << 9,      /* has public posts */
    ADUAN_CAP_TEMPLATE = 1u << 10, /* can open a closed window by ADUAN_ANSWER_TEMPLATE (settings permitting) */
    /* Answers wait in the desk's work list until a person has carried them over and says so (a letter, a
     * portal without an API). Never together with SEND in what able() returns. */
    ADUAN_CAP_BY_HAND = 1u << 11,
};

/* What became of an attempt. */
enum aduan_outcome {
    ADUAN_SENT = 1,  /* accepted by the platform; platform_id is its id */
    ADUAN_LATER,     /* provably not accepted; try again with back-off */
    ADUAN_LIMITED,   /* not accepted, rate limited; retry_after_ms says when (0: back off) */
    ADUAN_NEVER,     /* this message will never be accepted; reason is for the officer */
    ADUAN_REFUSED,   /* the account is refused (token, permission): pause it, keep the answer */
    ADUAN_UNCERTAIN, /* may or may not have been accepted */
    ADUAN_CLOSED,    /* the reply window is closed: hold until the citizen writes */
};

/* What a rate limit holds back. */
enum aduan_limit_scope { ADUAN_SCOPE_CONVERSATION = 0, ADUAN_SCOPE_ACCOUNT = 1 };

struct aduan_result {
    enum aduan_outcome outcome;
    enum aduan_limit_scope scope; /* for ADUAN_LIMITED */
    int64_t retry_after_ms;
    char platform_id[512];
    char reason[512]; /* one line without secrets, for officer and log */
};

/* ------------------------------------------------------------ the host table */

struct aduan_host; /* opaque; passed back to every function */

enum aduan_log_level { ADUAN_LOG_ERROR = 3, ADUAN_LOG_WARN = 4, ADUAN_LOG_INFO = 6, ADUAN_LOG_DEBUG = 7 };

struct aduan_header {
    const char *name, *value;
};

/* One part of a multipart/form-data body. Either text or blob (a sha256 in the blob store). */
struct aduan_form_part {
    const char *name, *text, *blob, *filename, *type;
};

/* An HTTP request. All pointers must live until http() returns; the host copies. */
struct aduan_http_request {
    const char *method; /* "GET", "POST", … */
    const char *url;    /* https, or http to loopback */
    const struct aduan_header *headers;
    size_t header_count;
    const struct aduan_secret *bearer; /* sent as Authorization: Bearer, never logged; may be NULL */
    const void *body;
    size_t body_len;
    const struct aduan_form_part *form; /* instead of body */
    size_t form_count;
    int64_t timeout_ms; /* whole transfer; 0: 30 s */
    int64_t max_bytes;  /* of the answer; 0: 1 MiB. More fails the transfer. */
    bool to_blob;       /* stream the answer into the blob store instead of memory */
    /* Bytes that came from outside chose this URL (media, avatar): only https to public
     * addresses, or the same host as `same_host` (a URL). Redirects are checked too. */
    bool foreign_url;
    const char *same_host;
};

struct aduan_http_response {
    /* How far it came. Only SENT_NOTHING proves that the peer did not act on the request. */
    enum { ADUAN_HTTP_DONE = 0, ADUAN_HTTP_SENT_NOTHING, ADUAN_HTTP_BROKEN } state;
    int status;                         /* for DONE */
    const struct aduan_header *headers; /* names in lower case */
    size_t header_count;
    const char *body; /* NUL-terminated beyond body_len */
    size_t body_len;
    char sha256[65]; /* for to_blob */
    int64_t size;
    const char *error; /* for the others: one line */
};

/* A mail to submit by SMTP. */
struct aduan_mail_request {
    const char *url; /* smtps://host:465, smtp://host:587 (STARTTLS required unless loopback) */
    const char *user;
    const struct aduan_secret *password; /* or */
    const struct aduan_secret *bearer;   /* XOAUTH2 access token */
    const char *from, *to;               /* envelope */
    const void *bytes;                   /* the whole mail, CRLF, not dot-stuffed; host copies */
    size_t len;
    int64_t timeout_ms; /* 0: 15 min (RFC 5321 4.5.3.2: 10 min for the final dot alone) */
};

struct aduan_mail_response {
    /* BEFORE_DOT: surely not accepted (code is the SMTP reply, 0 for a network fault).
     * AFTER_DOT: the end of data may have left and no reply came. */
    enum { ADUAN_MAIL_ACCEPTED = 0, ADUAN_MAIL_BEFORE_DOT, ADUAN_MAIL_AFTER_DOT } state;
    int code;
    const char *text; /* last reply or error, one line */
};

/* Raw bytes a pull() found. The core keeps them, has them parsed, accepts all that parse()
 * made of them together with the mark, and only then calls commit() with the cookie. */
struct aduan_raw {
    const void *bytes;
    size_t len;
    const char *id;         /* platform id if it is known before parsing, else NULL */
    int64_t received_at;    /* when the platform got it, 0 unknown */
    const char *mark;       /* cursor name, or NULL */
    const char *mark_value; /* cursor once this one is accepted */
    uint64_t cookie;        /* for commit() */
    int64_t whole_size;     /* > len: only part was fetched (headers of a huge mail) */
};

/* Callbacks run from the host's loop, never from inside the call that was given them. */
typedef void (*aduan_http_done)(void *arg, const struct aduan_http_response *r);
typedef void (*aduan_mail_done)(void *arg, const struct aduan_mail_response *r);

struct aduan_stream; /* a TLS or plain byte stream, certificate checked by the host */

enum { ADUAN_STOPPING = 1, ADUAN_TIMEOUT = 2, ADUAN_EOF = 3 };

struct aduan_host_ops {
    uint32_t size;
    int64_t (*now)(struct aduan_host *h); /* wall clock, ms */
    void (*log)(struct aduan_host *h, enum aduan_log_level level, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

    /* Starts a transfer; done() is called exactly once unless the worker ends. Does not block. */
    int (*http)(struct aduan_host *h, const struct aduan_http_request *req, aduan_http_done done, void *arg);
    int (*mail)(struct aduan_host *h, const struct aduan_mail_request *req, aduan_mail_done done, void *arg);
    /* The same and waits, keeping the worker's heartbeat. 0 or ADUAN_STOPPING. Only inside pull,
     * commit, open, probe, find. The response's memory lives until the next call. */
    int (*http_wait)(struct aduan_host *h, const struct aduan_http_request *req,
                     struct aduan_http_response *ret_response);

    /* Byte streams (IMAP). url: imaps://host:port or imap:// (loopback only). Blocking with a
     * deadline, heartbeat kept. read: bytes > 0 read in *ret_n. 0, ADUAN_TIMEOUT, ADUAN_EOF,
     * ADUAN_STOPPING or -errno. */
    int (*stream_open)(struct aduan_host *h, const char *url, int64_t timeout_ms,
                       struct aduan_stream **ret_stream, char *why, size_t why_size);
    int (*stream_read)(struct aduan_stream *s, void *buf, size_t size, int64_t timeout_ms, size_t *ret_n);
    int (*stream_write)(struct aduan_stream *s, const void *buf, size_t size, int64_t timeout_ms);
    struct aduan_stream *(*stream_close)(struct aduan_stream *s); /* returns NULL, accepts NULL */

    /* Sleeps up to ms, keeping the heartbeat; ADUAN_TIMEOUT (slept) or ADUAN_STOPPING. */
    int (*pause)(struct aduan_host *h, int64_t ms);

    /* Only inside pull(). Copies; may flush what it holds (calling commit() from within). 0,
     * ADUAN_STOPPING, or -errno: then stop pulling and return. */
    int (*emit)(struct aduan_host *h, const struct aduan_raw *raw);
    /* Accept everything emitted so far and commit() it before returning. */
    int (*flush)(struct aduan_host *h);
    /* The last accepted value of a cursor; NULL when never set. Lives until the next call. */
    const char *(*mark)(struct aduan_host *h, const char *name);

    /* The end of a send(): exactly once per token, from a callback or from send() itself. */
    void (*done)(struct aduan_host *h, uint64_t token, const struct aduan_result *result);
    /* The end of a fetch(): stored in the blob store (sha256, size), or not. outcome as for
     * send: LATER and LIMITED are tried again, NEVER gives up with the reason. */
    void (*fetched)(struct aduan_host *h, uint64_t token, const struct aduan_result *result, const char *sha256,
                    int64_t size, const char *type);
    /* Opens a stored attachment for reading: an fd the caller closes, or -errno. */
    int (*blob_open)(struct aduan_host *h, const char *sha256);

    /* A secret that changed at run time (a rotated refresh token) is kept by the host before it
     * is used: 0 once durable. And read again at open(). */
    int (*keep_secret)(struct aduan_host *h, const char *name, const struct aduan_secret *value);
    const struct aduan_secret *(*kept_secret)(struct aduan_host *h, const char *name);

    /* Tells `aduanctl status`: when the token ends (ms, 0 unknown), a fault in plain words (NULL: none). */
    void (*report)(struct aduan_host *h, int64_t token_expires_at, const char *fault);

    /* Stores bytes that fetch() got without http(): durable on 0; -errno. May be NULL in an older host. */
    int (*blob_put)(struct aduan_host *h, const void *bytes, size_t n, char ret_sha256[65]);
    /* Tells `aduanctl status` and the metrics how much of a platform's allowance is used, 0..100 or more
     * ("dm", "posts"); negative forgets it. Seen before it bites: the desk warns from 80. */
    void (*quota)(struct aduan_host *h, const char *name, int used_percent);
};

struct aduan_host {
    const struct aduan_host_ops *ops;
    const char *account;
};

/* --------------------------------------------------------- what parse() uses */

/* parse() hands each record over here. The sink takes the record's contents and leaves it
 * cleared. Ids are the platform's; the core adds the account. 0, or negative: stop. */
struct aduan_sink {
    int (*record)(struct aduan_sink *sink, struct aduan_message *m);
    int64_t now; /* for parsers that need a clock: time is a parameter */
};

struct aduan_bytes {
    const void *bytes;
    size_t len;
    const char *id;      /* as emitted, or NULL */
    int64_t received_at; /* as emitted, or 0 */
    int64_t whole_size;  /* as emitted, or 0 */
};

/* A request at /hook/NAME, before its body is believed. */
struct aduan_hook_request {
    const char *method;                 /* "GET" or "POST" */
    const char *query;                  /* raw query string, "" if none */
    const struct aduan_header *headers; /* names in lower case */
    size_t header_count;
    const void *body;
    size_t body_len;
};

struct aduan_hook_answer {
    int status;       /* 200 after verify() == 0 on a POST: only once accepted */
    const char *type; /* of body, static */
    char body[1024];
    size_t body_len;
};

enum { ADUAN_HOOK_ANSWER = 1 }; /* verify(): send *answer as it is, there is nothing to parse */

/* -------------------------------------------------------------- the connector */

struct aduan_traits {
    int64_t window_ms;        /* reply window after the citizen's last message; 0: none */
    int64_t text_max;         /* 0: no limit */
    bool text_max_is_bytes;   /* bytes of UTF-8; otherwise characters */
    int64_t attachment_max;   /* bytes each; 0: none can be sent */
    int64_t pair_interval_ms; /* pause between two answers of one conversation; 0: none */
    int64_t per_second;       /* answers per second and account; 0: no limit */
};

/* Reports a configuration fault of one key ("imap.url") in plain words. */
typedef void (*aduan_fault_fn)(void *arg, const char *key, const char *reason);

struct aduan_connector {
    uint16_t abi_major, abi_minor;
    uint32_t size;
    const char *type;    /* as in the configuration and as the file is named: TYPE.so */
    const char *channel; /* "email", "whatsapp", … */
    const char *summary; /* one line for `aduanctl connectors` */
    uint32_t capabilities;
    struct aduan_traits traits;
    const struct aduan_setting *settings; /* table over the settings struct */
    size_t settings_size;

    /* Cross-field faults. Pure. May be NULL. */
    void (*check)(const void *settings, aduan_fault_fn fault, void *arg);
    /* Offline proof that the module works: embedded samples through verify and parse.
     * 0, or -1 with a reason. Pure. */
    int (*selftest)(char *why, size_t why_size);
    /* Our own address on the platform (phone_number_id, page id, lower-cased mailbox), by which
     * a record's `to` is matched to an account. Points into settings. May be NULL. */
    const char *(*address)(const void *settings);
    /* Can a closed window be opened with these settings (a template is configured)? May be NULL. */
    bool (*has_template)(const void *settings);

    /* Believe the request? Pure: bytes in, verdict out, constant time where it compares secrets.
     * 0: parse the body; ADUAN_HOOK_ANSWER: answer at once (handshake, 401 with an empty body). */
    int (*verify)(const void *settings, const struct aduan_hook_request *req,
                  struct aduan_hook_answer *ret_answer);
    /* Bytes to records. Pure, never blocks, must not trust anything. 0; negative when the bytes
     * as a whole make no sense (the core then makes one ADUAN_KIND_UNPARSED record of them). One
     * bad element must not cost the others: it becomes an UNPARSED record with its own raw. */
    int (*parse)(const void *settings, const struct aduan_bytes *in, struct aduan_sink *sink);

    /* Makes a context for one worker; settings outlive it. May block by host calls. */
    int (*open)(struct aduan_host *host, const void *settings, void **ret_ctx);
    /* Emits what is new, waits for more up to about wait_ms (or until the host says stop) and
     * returns: 0, or enum aduan_outcome LATER/LIMITED/REFUSED in *ret (the core backs off). */
    int (*pull)(void *ctx, int64_t wait_ms, struct aduan_result *ret);
    /* All raws with these cookies are durable: mark seen, move, delete. Repeatable, cosmetic. */
    int (*commit)(void *ctx, const uint64_t *cookies, size_t count);
    /* Starts sending; calls host done(token) exactly once. Never blocks. The answer lives until done(). */
    void (*send)(void *ctx, const struct aduan_answer *answer, uint64_t token);
    /* Was this answer accepted at an earlier attempt? Blocks by host calls. ADUAN_SENT (with id),
     * ADUAN_LATER (surely not), ADUAN_UNCERTAIN (cannot tell). */
    void (*find)(void *ctx, const struct aduan_answer *answer, struct aduan_result *ret);
    /* Starts fetching an attachment by its source; calls host fetched(token) once. Never blocks. */
    void (*fetch)(void *ctx, const struct aduan_attachment *attachment, uint64_t token);
    /* One cheap authenticated call: SENT = all well. Blocks by host calls. Called in the send worker (in the
     * receive worker where able() has no SEND) at its start, every probe_every_ms and when an admin asks.
     * The place, too, to renew a token, to read when it ends (host report()), and to put right what the
     * platform dropped (a page's subscription). */
    void (*probe)(void *ctx, struct aduan_result *ret);
    void *(*close)(void *ctx); /* accepts NULL, returns NULL */

    /* Which of the capabilities hold with these settings (a subset)? Pure. NULL: all of them. */
    uint32_t (*able)(const void *settings);
    /* Can this answer be sent as it is: length, attachments' types, sizes and number, public or private?
     * Pure: the desk asks before it takes the answer from an officer, send() asks again. The only place that
     * knows the platform's limits. 0, or -1 with a reason for the officer (Indonesian / English). NULL: by
     * the traits alone. */
    int (*fits)(const void *settings, const struct aduan_answer *answer, char *why, size_t why_size);
    /* The reply window with these settings, for what a person wrote or an automatic text; 0: none. Pure.
     * NULL: traits.window_ms. */
    int64_t (*window)(const void *settings, bool by_person);
    int64_t probe_every_ms; /* 0: every 6 hours */
};

/* What a module of ABI 1.0 has at least. Members of later minors follow; the core sees them as zero where a
 * module's `size` says they are not there, and a module looks at host->ops->size likewise. */
#define ADUAN_CONNECTOR_SIZE_1_0 (offsetof(struct aduan_connector, probe_every_ms) + sizeof(int64_t))

#define ADUAN_CONNECTOR_SYMBOL   "aduan_connector"
#define ADUAN_CONNECTOR          __attribute__((visibility("default"))) const struct aduan_connector aduan_connector
#define ADUAN_CONNECTOR_HEAD                                                                                   \
    .abi_major = ADUAN_ABI_MAJOR, .abi_minor = ADUAN_ABI_MINOR, .size = sizeof(struct aduan_connector)

#endif
