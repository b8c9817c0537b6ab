/*
 * gateway_hook.c: a request at /hook/NAME until its bytes are believed and parsed.
 *
 * In this order: is there such a door, has this peer used up its failures, is
 * the signature right. Only then does anything else happen to the bytes.
 */
#include "connectors/kit/text.h"
#include "daemon/gateway.h"
#include "daemon/log.h"

#include <stdlib.h>
#include <string.h>

static struct door *find_door(struct gateway *g, const char *path) {
    const char *name = path + strlen("/hook/");
    size_t i;

    for (i = 0; i < g->door_count; i++)
        if (strcmp(g->doors[i].account->name, name) == 0)
            return &g->doors[i];
    return NULL;
}

static void answer_status(struct server_call *call, int status) {
    struct server_answer a = { .status = status };

    server_answer(call, &a);
}

/* Who it is that may run out of failures. Behind our own proxy it is whom the proxy names last
 * (what stands before that, anybody can write); a proxy that names nobody stands for too many. */
static const char *peer_of(const struct server_request *r) {
    const char *list, *last;

    if (!r->peer_local)
        return r->peer;
    list = server_request_header(r, "x-forwarded-for");
    if (list == NULL)
        return NULL;
    last = strrchr(list, ',');
    last = last != NULL ? last + 1 : list;
    while (*last == ' ')
        last++;
    return *last != '\0' ? last : NULL;
}

/* The request as connectors see it; its headers are the caller's to free. */
static struct aduan_hook_request request_of(const struct server_request *r) {
    struct aduan_header *headers = xcalloc(r->header_count + 1, sizeof(*headers));
    size_t i;

    for (i = 0; i < r->header_count; i++)
        headers[i] = (struct aduan_header){ r->headers[i].name, r->headers[i].value };
    return (struct aduan_hook_request){
        .method = r->method,
        .query = r->query,
        .headers = headers,
        .header_count = r->header_count,
        .body = r->body,
        .body_len = r->body_len,
    };
}

static void answer_as_told(struct gateway *g, struct door *door, struct server_call *call, const char *peer,
                           const struct aduan_hook_answer *told) {
    struct server_answer a = {
        .status = told->status,
        .type = told->body_len > 0 ? told->type : NULL,
        .body = told->body,
        .body_len = told->body_len,
    };

    if (told->status == 401 || told->status == 403) {
        door->refused++;
        if (peer != NULL)
            budget_charge(g->budget, peer, gateway_tick());
    }
    server_answer(call, &a);
}

static void take_in(struct gateway *g, struct door *door, struct server_call *call,
                    const struct aduan_hook_request *request) {
    struct intake_batch batch;
    int rc;

    rc = intake_hook(g->job, door->account, request, gateway_now(), &batch);
    if (rc < 0) {
        log_error("%s: cannot keep an attachment or long body: %s", door->account->name, strerror(-rc));
        door->unavailable++;
        answer_status(call, 503);
        return;
    }
    delivery_start(g, door, call, &batch);
}

static void judge(struct gateway *g, struct door *door, struct server_call *call, const char *peer,
                  const struct aduan_hook_request *request) {
    struct aduan_hook_answer told = { 0 };
    int verdict = door->connector->verify(door->account->settings, request, &told);

    if (verdict == ADUAN_HOOK_ANSWER) {
        answer_as_told(g, door, call, peer, &told);
    } else if (verdict != 0) {
        log_error("%s: the connector cannot judge a request: %s", door->account->name, strerror(-verdict));
        answer_status(call, 500);
    } else if (strcmp(request->method, "POST") != 0) {
        answer_status(call, 400); /* believed, but there is nothing to take in */
    } else if (door->paused) {
        door->unavailable++;
        answer_status(call, 503);
    } else {
        take_in(g, door, call, request);
    }
}

void gateway_hook(void *arg, struct server_call *call, const struct server_request *r) {
    struct gateway *g = arg;
    struct door *door = find_door(g, r->path);
    const char *peer = peer_of(r);
    struct aduan_hook_request request;

    if (door == NULL) {
        answer_status(call, 404);
        return;
    }
    if (peer != NULL && budget_spent(g->budget, peer, gateway_tick())) {
        answer_status(call, 429);
        return;
    }
    request = request_of(r);
    judge(g, door, call, peer, &request);
    free((void *)(uintptr_t)request.headers);
}
