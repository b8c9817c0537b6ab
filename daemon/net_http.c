/*
 * net_http.c: HTTP requests and their answers.
 *
 * Redirects are followed only for URLs that came from outside (media), by us and
 * not by libcurl, each hop judged anew and without our credentials.
 */
#include "daemon/net_internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TIMEOUT_MS = 30000,
    BODY_MAX = 1 << 20,
    HEADERS_MAX = 64 << 10,
    HOPS_MAX = 5,
    ERROR_BODY_MAX = 64 << 10
};

/* ------------------------------------------------------------------ the answer */

static size_t take_header(char *line, size_t size, size_t count, void *arg) {
    struct transfer *t = arg;
    size_t i, len = size * count, name = 0, end = len;
    char *lower;

    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        /* A new head: what a 100 Continue said does not count. */
        for (i = 0; i < t->header_count; i++) {
            free((char *)(uintptr_t)t->headers[i].name);
            free((char *)(uintptr_t)t->headers[i].value);
        }
        t->header_count = 0;
        return len;
    }
    while (name < len && line[name] != ':')
        name++;
    t->header_bytes += len;
    if (t->header_bytes > HEADERS_MAX) {
        snprintf(t->refusal, sizeof(t->refusal), "the answer's headers are too large");
        return 0;
    }
    if (name == len)
        return len;
    lower = xstrndup(line, name);
    for (i = 0; i < name; i++)
        lower[i] = (char)tolower((unsigned char)lower[i]);
    name++;
    while (name < end && isspace((unsigned char)line[name]))
        name++;
    while (end > name && isspace((unsigned char)line[end - 1]))
        end--;
    t->headers = xrealloc(t->headers, t->header_count + 1, sizeof(*t->headers));
    t->headers[t->header_count++] = (struct aduan_header){ lower, xstrndup(line + name, end - name) };
    return len;
}

static int take_blob(struct transfer *t, const char *bytes, size_t len) {
    int r;

    if (t->blob == NULL) {
        r = blob_begin(t->net->blobs, &t->blob);
        if (r < 0)
            return r;
    }
    return blob_write(t->blob, bytes, len);
}

static size_t take_body(char *bytes, size_t size, size_t count, void *arg) {
    struct transfer *t = arg;
    size_t len = size * count;
    long status = 0;
    bool blob;
    int r;

    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    /* A refusal is read into memory also where a picture was expected. */
    blob = t->to_blob && status >= 200 && status < 300;
    t->received += (int64_t)len;
    if (t->received > (blob || !t->to_blob ? t->max_bytes : ERROR_BODY_MAX)) {
        snprintf(t->refusal, sizeof(t->refusal), "the answer is larger than %lld bytes",
                 (long long)t->max_bytes);
        return 0;
    }
    if (!blob) {
        text_add_n(&t->body, bytes, len);
        return len;
    }
    r = take_blob(t, bytes, len);
    if (r < 0)
        snprintf(t->refusal, sizeof(t->refusal), "cannot store it: %s", strerror(-r));
    return r < 0 ? 0 : len;
}

static int finish_blob(struct transfer *t, int status) {
    int r;

    if (!t->to_blob || status < 200 || status >= 300)
        return 0;
    if (t->blob == NULL && (r = blob_begin(t->net->blobs, &t->blob)) < 0)
        return r; /* an empty file is a file, too */
    r = blob_finish(t->blob, t->sha256, &t->received);
    t->blob = NULL;
    return r;
}

static const char *error_of(const struct transfer *t, CURLcode code) {
    if (t->refusal[0] != '\0')
        return t->refusal;
    return t->error[0] != '\0' ? t->error : curl_easy_strerror(code);
}

void http_finish(struct transfer *t, CURLcode code) {
    struct aduan_http_response r = { .headers = t->headers, .header_count = t->header_count };
    long status = 0;
    int stored = 0;

    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK && !t->ended)
        stored = finish_blob(t, (int)status);
    if (stored < 0)
        snprintf(t->refusal, sizeof(t->refusal), "cannot store it: %s", strerror(-stored));
    text_add(&t->body, "");
    r.body = t->body.s;
    r.body_len = t->body.len;
    r.status = (int)status;
    r.size = t->received;
    memcpy(r.sha256, t->sha256, sizeof(r.sha256));
    if (!t->ended && code == CURLE_OK && stored == 0) {
        r.state = ADUAN_HTTP_DONE;
    } else {
        r.state = t->began ? ADUAN_HTTP_BROKEN : ADUAN_HTTP_SENT_NOTHING;
        r.error = error_of(t, code);
    }
    t->http_done(t->arg, &r);
}

/* ---------------------------------------------------------------- the request */

static size_t read_blob(char *out, size_t size, size_t count, void *arg) {
    ssize_t n = read((int)(intptr_t)arg, out, size * count);

    return n < 0 ? CURL_READFUNC_ABORT : (size_t)n;
}

static int seek_blob(void *arg, curl_off_t offset, int origin) {
    return lseek((int)(intptr_t)arg, (off_t)offset, origin) < 0 ? CURL_SEEKFUNC_FAIL : CURL_SEEKFUNC_OK;
}

static void close_blob(void *arg) {
    close((int)(intptr_t)arg);
}

static int add_part(struct transfer *t, const struct aduan_form_part *p) {
    curl_mimepart *part = curl_mime_addpart(t->form);
    struct stat st;
    int fd;

    curl_mime_name(part, p->name);
    if (p->type != NULL)
        curl_mime_type(part, p->type);
    if (p->filename != NULL)
        curl_mime_filename(part, p->filename);
    if (p->blob == NULL) {
        curl_mime_data(part, p->text != NULL ? p->text : "", CURL_ZERO_TERMINATED);
        return 0;
    }
    fd = blob_open(t->net->blobs, p->blob);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -1;
    curl_mime_data_cb(part, st.st_size, read_blob, seek_blob, close_blob, (void *)(intptr_t)fd);
    return 0;
}

static int add_form(struct transfer *t, const struct aduan_http_request *req) {
    size_t i;

    t->form = curl_mime_init(t->easy);
    for (i = 0; i < req->form_count; i++)
        if (add_part(t, &req->form[i]) < 0)
            return -1;
    curl_easy_setopt(t->easy, CURLOPT_MIMEPOST, t->form);
    return 0;
}

static void add_line(struct transfer *t, const char *line) {
    struct curl_slist *more = curl_slist_append(t->lines, line);

    if (more == NULL)
        abort();
    t->lines = more;
}

static void add_headers(struct transfer *t, const struct aduan_http_request *req) {
    char *line;
    size_t i;

    for (i = 0; i < req->header_count; i++) {
        /* A line break in a value would be a second header. */
        if (strpbrk(req->headers[i].value, "\r\n") != NULL || strpbrk(req->headers[i].name, "\r\n:") != NULL)
            continue;
        line = xasprintf("%s: %s", req->headers[i].name, req->headers[i].value);
        add_line(t, line);
        text_wipe(line, strlen(line));
        free(line);
    }
    add_line(t, "Expect:");
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->lines);
}

static bool changes_nothing(const char *method) {
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static void set_method(struct transfer *t, const struct aduan_http_request *req) {
    CURL *e = t->easy;

    if (strcmp(req->method, "HEAD") == 0)
        curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
    else if (changes_nothing(req->method))
        curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
    else if (req->form_count == 0 && (req->body != NULL || strcmp(req->method, "POST") == 0)) {
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body_len);
        curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, req->body != NULL ? req->body : "");
    }
    if (!changes_nothing(req->method) && strcmp(req->method, "POST") != 0)
        curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, req->method);
}

static void set_answer(struct transfer *t) {
    CURL *e = t->easy;

    curl_easy_setopt(e, CURLOPT_USERAGENT, "aduan/" ADUAN_VERSION);
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
    if (t->rule == ADDRESS_PUBLIC) {
        /* A kept connection was judged by another rule. */
        curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
    }
}

void net_http(struct net *n, const struct aduan_http_request *req, aduan_http_done done, void *arg) {
    struct transfer *t = transfer_new(n);
    char why[256];

    t->http_done = done;
    t->arg = arg;
    t->url = xstrdup(req->url);
    t->foreign = req->foreign_url;
    t->same_host = xstrdup(req->same_host);
    t->may_redirect = req->foreign_url && strcmp(req->method, "GET") == 0;
    t->to_blob = req->to_blob;
    t->max_bytes = req->max_bytes > 0 ? req->max_bytes : BODY_MAX;
    if (url_judge(req->url, "http", "https", req->foreign_url, req->same_host, &t->rule, why, sizeof(why)) <
        0) {
        transfer_refuse(t, why);
        return;
    }
    transfer_common(t, "http,https", req->timeout_ms > 0 ? req->timeout_ms : TIMEOUT_MS);
    set_answer(t);
    set_method(t, req);
    add_headers(t, req);
    if (!changes_nothing(req->method))
        curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L);
    if (req->bearer != NULL && req->bearer->bytes != NULL) {
        curl_easy_setopt(t->easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        curl_easy_setopt(t->easy, CURLOPT_XOAUTH2_BEARER, req->bearer->bytes);
    }
    if (req->form_count > 0 && add_form(t, req) < 0) {
        transfer_refuse(t, "an attachment is not in the store");
        return;
    }
    transfer_start(t);
}

/* ------------------------------------------------------------------- redirects */

static bool is_redirect(long status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void forget_credentials(struct transfer *t) {
    curl_easy_setopt(t->easy, CURLOPT_XOAUTH2_BEARER, NULL);
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(t->lines);
    t->lines = NULL;
}

bool http_follow(struct transfer *t, CURLcode code) {
    char *location = NULL, why[256];
    struct url_parts from, to;
    long status = 0;

    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK || t->ended || !t->may_redirect || !is_redirect(status))
        return false;
    curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &location);
    if (location == NULL || t->hops >= HOPS_MAX)
        return false;
    if (url_judge(location, "http", "https", true, t->same_host, &t->rule, why, sizeof(why)) < 0) {
        snprintf(t->refusal, sizeof(t->refusal), "redirected: %.200s", why);
        t->ended = true;
        return false;
    }
    if (url_split(t->url, &from) < 0 || url_split(location, &to) < 0 || strcmp(from.host, to.host) != 0 ||
        from.port != to.port)
        forget_credentials(t);
    t->hops++;
    free(t->url);
    t->url = xstrdup(location);
    curl_easy_setopt(t->easy, CURLOPT_URL, t->url);
    set_answer(t);
    text_reset(&t->body);
    t->received = 0;
    transfer_start(t);
    return true;
}
