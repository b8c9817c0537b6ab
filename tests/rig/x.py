#!/usr/bin/python3
"""A stand-in for X: webhooks of both kinds, v2's pages and sends, and what the citizens see.

Written from platforms/x.md, not from our parser. It checks OAuth 1.0a itself, from RFC 5849: signature, time, nonce.

    with X(hook="http://127.0.0.1:8081/hook/x") as x:
        x.post("98…", "@kantor paspor saya?")            # -> post id; reply_to=, mention=False, quote=
        x.write("98…", "Halo")                           # -> DM id; media=b"…"
        x.delete(post_id)                                # nobody is told, as with X
        x.thread("98…"); x.public()                      # what citizens see
        x.shape = "xaa" | "aaa" | None                   # how events are told; None: only by polling
        x.tell(body, secret=…) ; x.challenge()           # POST signed bytes; GET with a crc_token
        x.fault("dm" | "posts" | "mentions" | "dm_events" | "lookup" | "me" | "media", do, times=1, status=…, body=…)
                                                         # do: "error" | "cut-before" | "cut-after"
        x.limits["dm"] = 2                               # per window; x.window_ends() makes them whole
        x.rotate()                                       # every OAuth 2 access token is refused from now on

As a process: python3 x.py --port 9204 --hook http://127.0.0.1:8081/hook/x; POST /control/{post,write,delete,fault} with
JSON, GET /control/{thread?id=,public}.
"""
import argparse
import base64
import hashlib
import hmac
import json
import re
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WINDOW = 900
EPOCH = 1288834974657


class Problem(Exception):
    def __init__(self, status, title, kind="about:blank", detail=None, body=None):
        super().__init__(title)
        self.status, self.body = status, body or {"type": f"https://api.x.com/2/problems/{kind}", "title": title, "status": status}
        if detail:
            self.body["detail"] = detail


class Cut(Exception):
    """End the connection without an answer."""


def enc(s):
    return urllib.parse.quote(s, safe="-._~")


class X:
    def __init__(self, hook=None, user_id="1234567890", handle="kantor", port=0, host="127.0.0.1"):
        self.hook, self.user_id, self.handle = hook, user_id, handle
        self.consumer_key, self.consumer_secret = "CK_contoh", "CS_contoh&rahasia"
        self.token, self.token_secret = "111-TK_contoh", "TS_contoh/rahasia"
        self.client_id, self.client_secret, self.refresh_token, self.bearers = "klien", "rahasia-klien", "R1", set()
        self.shape, self.enterprise, self.valid = "xaa", False, True
        self.posts, self.dms, self.uploads, self.media, self.people = {}, [], {}, {}, {}
        self.faults, self.requests, self.nonces, self.bad, self.told = [], [], set(), [], []
        self.limits = {"dm": 15, "dm_events": 15, "mentions": 300, "posts": 100, "lookup": 900, "me": 75}
        self.used, self.reset = {}, int(time.time()) + WINDOW
        self.lock, self.counter = threading.RLock(), 0
        self.server = ThreadingHTTPServer((host, port), handler_of(self))
        self.server.daemon_threads = True
        self.api = f"http://{host}:{self.server.server_address[1]}"
        self.thread_ = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self.thread_.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def next_id(self):
        with self.lock:
            self.counter += 1
            return str(((int(time.time() * 1000) - EPOCH) << 22) + self.counter)

    # ----------------------------------------------------------------- citizens

    def person(self, ident, name=None):
        return self.people.setdefault(ident, {"id": ident, "name": name or f"Warga {len(self.people) + 1}", "username": f"warga{ident[-4:]}"})

    def post(self, ident, text, name=None, reply_to=None, quote=None, mention=True, deep=False):
        """deep: a reply to somebody else's reply, which no webhook tells."""
        with self.lock:
            self.person(ident, name)
            pid = self.next_id()
            root = self.posts[reply_to]["conversation_id"] if reply_to in self.posts else pid
            p = {"id": pid, "text": text, "author_id": ident, "conversation_id": root, "created_at": stamp(), "lang": "in",
                 "edit_history_tweet_ids": [pid], "entities": {"mentions": [{"id": self.user_id, "username": self.handle}]} if mention else {}}
            refs = [{"type": t, "id": i} for t, i in (("replied_to", reply_to), ("quoted", quote)) if i]
            if refs:
                p["referenced_tweets"] = refs
            self.posts[pid] = p
        if self.shape and not deep:
            self.tell(self.post_event(p))
        return pid

    def post_event(self, p):
        who = self.people[p["author_id"]]
        if self.shape == "xaa":
            kind = "post.mention.create" if p["entities"] else "post.reply.create"
            return {"data": {"event_uuid": "-" + p["id"], "filter": {"user_id": self.user_id}, "event_type": kind, "tag": "kantor",
                             "payload": p, "includes": {"users": [who]}}}
        refs = {r["type"]: r["id"] for r in p.get("referenced_tweets", [])}
        return {"for_user_id": self.user_id, "tweet_create_events": [{
            "id": int(p["id"]), "id_str": p["id"], "text": p["text"].replace("&", "&amp;").replace("<", "&lt;"), "truncated": False,
            "in_reply_to_status_id_str": refs.get("replied_to"), "lang": "in", "timestamp_ms": str(int(time.time() * 1000)),
            "user": {"id_str": who["id"], "name": who["name"], "screen_name": who["username"]},
            "entities": {"user_mentions": [{"id_str": m["id"]} for m in p["entities"].get("mentions", [])]}}]}

    def write(self, ident, text, name=None, media=None):
        with self.lock:
            who = self.person(ident, name)
            d = {"id": self.next_id(), "event_type": "MessageCreate", "text": text, "sender_id": ident, "created_at": stamp(),
                 "dm_conversation_id": "-".join(sorted((ident, self.user_id), key=int)), "with": ident}
            if media is not None:
                d["media"] = self.next_id()
                self.media[d["media"]] = media
            self.dms.append(d)
        if self.shape:
            data = {"text": text.replace("&", "&amp;").replace("<", "&lt;"), "entities": {}}
            if media is not None:
                data["attachment"] = {"type": "media", "media": {"id_str": d["media"], "type": "photo", "media_url_https": self.ton(d)}}
            event = {"type": "message_create", "id": d["id"], "created_timestamp": str(int(time.time() * 1000)),
                     "message_create": {"target": {"recipient_id": self.user_id}, "sender_id": ident, "message_data": data}}
            if self.shape == "xaa":
                self.tell({"data": {"event_uuid": "-" + d["id"], "filter": {"user_id": self.user_id}, "event_type": "dm.received",
                                    "payload": {"direct_message_events": [event], "users": {ident: {"data": who}}}}})
            else:
                self.tell({"for_user_id": self.user_id, "direct_message_events": [event],
                           "users": {ident: {"id": ident, "name": who["name"], "screen_name": who["username"]}}})
        return d["id"]

    def ton(self, d):
        return f"https://ton.twitter.com/1.1/ton/data/dm/{d['id']}/{d['media']}/FOTO.jpg"

    def delete(self, pid):
        with self.lock:
            self.posts[pid]["gone"] = True

    def thread(self, ident):
        with self.lock:
            return [dict(d, side="office" if d["sender_id"] == self.user_id else "citizen") for d in self.dms if d["with"] == ident]

    def public(self):
        with self.lock:
            return [dict(p) for p in self.posts.values()]

    # ----------------------------------------------------------------- webhooks

    def signature(self, body, secret=None):
        mac = hmac.new((secret or self.consumer_secret).encode(), body, hashlib.sha256).digest()
        return "sha256=" + base64.b64encode(mac).decode()

    def tell(self, body, secret=None, signature=None):
        """POSTs an event; returns the status (0: nobody answered)."""
        if not isinstance(body, bytes):
            body = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        request = urllib.request.Request(self.hook, data=body, method="POST", headers={
            "Content-Type": "application/json", "x-twitter-webhooks-signature": signature or self.signature(body, secret)})
        try:
            with urllib.request.urlopen(request, timeout=10) as r:
                status = r.status
        except urllib.error.HTTPError as e:
            status = e.code
        except OSError:
            status = 0
        self.told.append(status)
        return status

    def challenge(self, token="Y3JjLXRva2VuLWNvbnRvaA"):
        with urllib.request.urlopen(f"{self.hook}?crc_token={token}", timeout=10) as r:
            return json.load(r)["response_token"] == self.signature(token.encode())

    # -------------------------------------------------------------------- faults

    def fault(self, on, do, times=1, status=500, body=None):
        with self.lock:
            self.faults.append({"on": on, "do": do, "times": times, "status": status, "body": body})

    def take_fault(self, on):
        for f in self.faults:
            if f["on"] == on and f["times"] > 0:
                f["times"] -= 1
                return f
        return {"do": None}

    def window_ends(self):
        with self.lock:
            self.used, self.reset = {}, int(time.time()) + WINDOW

    def rotate(self):
        self.bearers.clear()

    # ----------------------------------------------------------------- who calls

    def check_oauth1(self, method, url, header):
        o = {k: urllib.parse.unquote(v) for k, v in re.findall(r'(\w+)="([^"]*)"', header)}
        given = o.pop("oauth_signature", "")
        pairs = sorted((enc(k), enc(v)) for k, v in [*o.items(), *urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query, keep_blank_values=True)])
        base = "&".join(enc(p) for p in (method, url.split("?")[0], "&".join(f"{k}={v}" for k, v in pairs)))
        key = f"{enc(self.consumer_secret)}&{enc(self.token_secret)}".encode()
        ours = base64.b64encode(hmac.new(key, base.encode(), hashlib.sha1).digest()).decode()
        good = (hmac.compare_digest(ours, given) and o.get("oauth_consumer_key") == self.consumer_key and o.get("oauth_token") == self.token
                and abs(int(o.get("oauth_timestamp", 0)) - time.time()) < 300 and o.get("oauth_nonce") not in self.nonces)
        self.nonces.add(o.get("oauth_nonce"))
        return good

    def check_caller(self, method, url, header):
        header = header or ""
        if header.startswith("OAuth ") and self.check_oauth1(method, url, header):
            return
        if header.startswith("Bearer ") and header[7:] in self.bearers:
            return
        self.bad.append(header[:20])
        raise Problem(401, "Unauthorized", "about:blank", "Unauthorized")

    def refresh(self, headers, body):
        o = dict(urllib.parse.parse_qsl(body.decode()))
        basic = "Basic " + base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if headers.get("Authorization") != basic or o.get("refresh_token") != self.refresh_token:
            raise Problem(400, "", body={"error": "invalid_request", "error_description": "Value passed for the token was invalid."}
                          if headers.get("Authorization") == basic else {"error": "unauthorized_client"})
        self.refresh_token, access = "R" + self.next_id(), "A" + self.next_id()
        self.bearers.add(access)
        return 200, {"token_type": "bearer", "expires_in": 7200, "access_token": access, "refresh_token": self.refresh_token}

    # ----------------------------------------------------------------------- API

    def page(self, items, query, since=None):
        items = sorted((i for i in items if since is None or int(i["id"]) > int(since)), key=lambda i: -int(i["id"]))
        at, size = int(query.get("pagination_token", "p0")[1:]), min(int(query.get("max_results", 10)), self.page_size)
        part = items[at:at + size]
        meta = {"result_count": len(part)}
        if part:
            meta.update(newest_id=part[0]["id"], oldest_id=part[-1]["id"])
        if at + size < len(items):
            meta["next_token"] = f"p{at + size}"
        users = [self.people[u] for u in {i.get("author_id") or i.get("sender_id") for i in part} if u in self.people]
        return {**({"data": part} if part else {}), "includes": {"users": users}, "meta": meta}

    page_size = 100

    def mentions(self, query):
        # The implicit mention of a reply to us counts for the list, not for the webhook.
        mine = [p for p in self.posts.values() if p["author_id"] != self.user_id and not p.get("gone") and (
            p["entities"] or any(self.posts.get(r["id"], {}).get("author_id") == self.user_id for r in p.get("referenced_tweets", [])))]
        return 200, self.page(mine, query, query.get("since_id"))

    def dm_page(self, dms, query):
        if "since_id" in query:
            raise Problem(400, "Invalid Request", "invalid-request", "The query parameter [since_id] is not one of")
        page = self.page([self.shown(d) for d in dms], query)
        keys = [k for d in page.get("data", []) for k in d.get("attachments", {}).get("media_keys", [])]
        page["includes"]["media"] = [{"media_key": f"3_{d['media']}", "type": "photo", "url": self.ton(d)} for d in dms
                                     if "media" in d and f"3_{d['media']}" in keys]
        return 200, page

    @staticmethod
    def shown(d):
        v = {k: d[k] for k in ("id", "event_type", "text", "sender_id", "dm_conversation_id", "created_at")}
        if "media" in d:
            v["attachments"] = {"media_keys": [f"3_{d['media']}"]}
        return v

    def send_dm(self, ident, o):
        if not o.get("text") and not o.get("attachments"):
            raise Problem(400, "Invalid Request", "invalid-request")
        if not any(d["with"] == ident and d["sender_id"] == ident for d in self.dms):
            raise Problem(403, "Forbidden", "about:blank", "You do not have permission to DM one or more participants.")
        media = [a["media_id"] for a in o.get("attachments", [])]
        if len(media) > 1 or any(not self.uploads.get(m, {}).get("done") for m in media):
            raise Problem(400, "Invalid Request", "invalid-request", "bad media")
        d = {"id": self.next_id(), "event_type": "MessageCreate", "text": o.get("text", ""), "sender_id": self.user_id, "with": ident,
             "created_at": stamp(), "dm_conversation_id": "-".join(sorted((ident, self.user_id), key=int)), "files": media}
        self.dms.append(d)
        return 201, {"data": {"dm_conversation_id": d["dm_conversation_id"], "dm_event_id": d["id"]}}

    def create_post(self, o):
        to = self.posts.get(o.get("reply", {}).get("in_reply_to_tweet_id"))
        if to is None or to.get("gone"):
            raise Problem(403, "Forbidden", "about:blank", "You attempted to reply to a Tweet that is deleted or not visible to you.")
        called = to["entities"] or any(self.posts.get(r["id"], {}).get("author_id") == self.user_id
                                       for r in to.get("referenced_tweets", []) if r["type"] == "quoted")
        if not called and not self.enterprise:
            raise Problem(403, "Forbidden", "about:blank", "Reply to this conversation is not allowed because you have not been mentioned")
        pid = self.next_id()
        self.posts[pid] = {"id": pid, "text": o["text"], "author_id": self.user_id, "conversation_id": to["conversation_id"], "entities": {},
                           "created_at": stamp(), "referenced_tweets": [{"type": "replied_to", "id": to["id"]}]}
        return 201, {"data": {"id": pid, "text": o["text"]}}

    def lookup(self, pid):
        p = self.posts.get(pid)
        if p is None or p.get("gone"):
            return 200, {"errors": [{"title": "Not Found Error", "resource_id": pid,
                                     "type": "https://api.x.com/2/problems/resource-not-found"}]}
        quoted = [self.posts[r["id"]] for r in p.get("referenced_tweets", []) if r["id"] in self.posts]
        return 200, {"data": p, "includes": {"tweets": quoted}}

    def upload(self, parts, query, body, headers):
        if parts == ["initialize"]:
            mid = self.next_id()
            self.uploads[mid] = {**json.loads(body), "bytes": b"", "done": False}
            return 200, {"data": {"id": mid, "expires_after_secs": 86400}}
        if parts and parts[-1] == "append":
            boundary = headers["Content-Type"].split("boundary=")[1].encode()
            part = next(p for p in body.split(b"--" + boundary) if b'name="media"' in p)
            self.uploads[parts[0]]["bytes"] += part.split(b"\r\n\r\n", 1)[1][:-2]
            return 200, {"data": {"expires_at": 0}}
        u = self.uploads[parts[0] if parts else query["media_id"]]
        if len(u["bytes"]) != u["total_bytes"]:
            raise Problem(400, "Invalid Request", "invalid-request", "Segments do not add up")
        u["done"] = True
        return 200, {"data": {"id": parts[0] if parts else query["media_id"]}}

    def route(self, method, parts, query, body, headers):
        """(name of the allowance, work)"""
        o = json.loads(body) if body and headers.get("Content-Type", "").startswith("application/json") else {}
        path = "/".join(parts)
        if path == "users/me":
            return "me", lambda: (200, {"data": {"id": self.user_id, "name": "Kantor", "username": self.handle}})
        if path == f"users/{self.user_id}/mentions":
            return "mentions", lambda: self.mentions(query)
        if path == f"users/{self.user_id}/tweets":
            return "lookup", lambda: (200, self.page([p for p in self.posts.values() if p["author_id"] == self.user_id], query))
        if path == "dm_events":
            return "dm_events", lambda: self.dm_page(self.dms, query)
        if parts[:2] == ["dm_conversations", "with"] and parts[3:] == ["dm_events"]:
            return "dm_lookup", lambda: self.dm_page([d for d in self.dms if d["with"] == parts[2]], query)
        if parts[:2] == ["dm_conversations", "with"] and method == "POST":
            return "dm", lambda: self.send_dm(parts[2], o)
        if parts[:2] == ["dm_conversations", "media"]:
            return "media", lambda: (200, self.media[parts[3]])
        if path == "tweets" and method == "POST":
            return "posts", lambda: self.create_post(o)
        if parts[0] == "tweets" and method == "GET":
            return "lookup", lambda: self.lookup(parts[1])
        if parts[:2] == ["media", "upload"]:
            return "upload", lambda: self.upload(parts[2:], query, body, headers)
        if parts[0] == "webhooks":
            return "webhooks", lambda: self.webhooks(method)
        raise Problem(404, "Not Found")

    def webhooks(self, method):
        if method == "PUT":
            self.valid = self.challenge()
        return 200, {"data": [{"id": "33", "url": self.hook, "valid": self.valid}] if method == "GET" else {"valid": self.valid}}


def stamp():
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())


CONTROLS = {
    "post": lambda x, o: {"id": x.post(**o)},
    "write": lambda x, o: {"id": x.write(o["ident"], o["text"], o.get("name"), base64.b64decode(o["media"]) if "media" in o else None)},
    "delete": lambda x, o: x.delete(o["id"]),
    "fault": lambda x, o: x.fault(**o),
    "thread": lambda x, o: x.thread(o["id"]),
    "public": lambda x, o: x.public(),
}


def handler_of(x):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def answer(self, status, body, headers=()):
            kind = "application/json"
            if isinstance(body, bytes):
                kind = "image/jpeg"
            else:
                body = json.dumps(body).encode()
            self.send_response(status)
            for name, value in [("Content-Type", kind), ("Content-Length", str(len(body))), *headers]:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def allowance(self, name):
            """The headers; 429 when it is used up."""
            limit = x.limits.get(name)
            if limit is None:
                return []
            left = limit - x.used.get(name, 0)
            x.used[name] = x.used.get(name, 0) + (left > 0)
            headers = [("x-rate-limit-limit", str(limit)), ("x-rate-limit-remaining", str(max(left - 1, 0))), ("x-rate-limit-reset", str(x.reset))]
            if left <= 0:
                self.answer(429, {"title": "Too Many Requests", "type": "about:blank", "status": 429}, headers)
                return None
            return headers

        def serve_api(self, parts, query, body):
            name, work = x.route(self.command, parts, query, body, self.headers)
            with x.lock:
                f = x.take_fault(name)
                headers = self.allowance(name)
            if headers is None:
                return
            if f["do"] == "cut-before":
                raise Cut()
            if f["do"] == "error":
                self.answer(f["status"], f["body"] or {"title": "asked for by the test", "status": f["status"]}, headers)
                return
            with x.lock:
                status, result = work()
            if f["do"] == "cut-after":
                raise Cut()
            self.answer(status, result, headers)

        def handle_one(self):
            url = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(url.query))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = [p for p in url.path.split("/") if p]
            try:
                if parts[:1] == ["control"]:
                    return self.answer(200, CONTROLS[parts[1]](x, json.loads(body) if body else query) or {})
                with x.lock:
                    x.requests.append({"method": self.command, "path": url.path, "query": query, "body": body.decode("utf-8", "replace")[:4000]})
                    if parts == ["2", "oauth2", "token"]:
                        return self.answer(*x.refresh(self.headers, body))
                    x.check_caller(self.command, x.api + self.path, self.headers.get("Authorization"))
                if parts[:4] == ["1.1", "ton", "data", "dm"]:
                    return self.answer(200, x.media[parts[5]]) if parts[5] in x.media else self.answer(404, b"")
                self.serve_api(parts[1:], query, body)
            except Problem as e:
                self.answer(e.status, e.body)
            except Cut:
                self.close_connection = True
                try:
                    self.connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        do_GET = do_POST = do_PUT = handle_one

    return Handler


def main():
    p = argparse.ArgumentParser(description="X stand-in")
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--hook")
    p.add_argument("--user-id", default="1234567890")
    a = p.parse_args()
    with X(hook=a.hook, user_id=a.user_id, port=a.port) as x:
        print(x.api, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
