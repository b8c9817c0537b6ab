#!/usr/bin/python3
"""A stand-in for Meta's Graph API as the WhatsApp Business Cloud API shows itself, with the citizens' phones.

Written from platforms/whatsapp.md, not from our parser. Standard library only.

In a test:

    with Graph(hook="http://127.0.0.1:8081/hook/wa") as graph:   # port chosen by itself
        graph.api                                # for `api = …`: http://127.0.0.1:PORT/v25.0
        wamid = graph.write("+628111", "Halo", name="Siti")       # a citizen writes: signed webhook
        graph.phone("+628111")                   # what that phone shows, oldest first
        graph.read("+628111")                    # the citizen opens the chat: "read" statuses
        graph.fault(on="messages", do="error", code=131056, times=2)
        graph.advance(25 * 3600)                 # Graph's clock: windows and links run out
        graph.hold(); …; graph.release(batch=True, reverse=True, copies=2)
        graph.post(body, secret="…")             # any bytes, signed; returns the HTTP status
        graph.requests                           # everything that came in, for assertions

As a process (the sandbox): python3 graph.py --port 9201 --hook http://127.0.0.1:8081/hook/wa
    --token T --app-secret S --number-id 106540352242922 --number 6281130000111 [--template NAME:LANG]

Control API (JSON in and out, any token), what the sandbox page calls:

    POST /control/message  {"phone": "+628…" | "user_id": "ID.…", "name", "username", "text", "reply_to",
                            "type": "text" | "image" | "document" | "audio" | "video" | "sticker" | "location" | …,
                            "media": base64, "mime", "filename", "caption", "body": {…for any other type}}
                           -> {"id": "wamid.…"}
    GET  /control/phone?phone=+628…   -> {"messages": [{"id", "side": "citizen" | "office", "type", "text",
                            "media_id", "filename", "mime", "at" (ms), "status", "reply_to", "template"}],
                            "window_open": true, "window_until": ms}
    GET  /control/phones   -> {"phones": [{"phone", "user_id", "name"}]}
    GET  /control/media?id=…          -> the bytes
    POST /control/read     {"phone"}  -> the citizen opens the chat
    POST /control/fault    {"on", "do", …} as Graph.fault below;  POST /control/faults/clear {}
    POST /control/clock    {"advance": seconds}
    POST /control/hook     {"url"}    -> where webhooks go
    GET  /control/requests -> {"requests": […]}

Faults: on = "messages" | "media" (upload) | "link" (GET media id) | "bytes" | "number";
    do = "error" (code, status=400) | "cut-before" | "cut-after" (accepted, then no answer) | "500-accepted" |
    "html" (502 of a proxy) | "garbage" (accepted, answer is not JSON) | "slow" (seconds) |
    "late" (accepted, statuses go out, the answer comes seconds later) | "expired" | "damage"; times=1.
"""
import argparse
import base64
import hashlib
import hmac
import json
import re
import socket
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DAY = 24 * 3600
LINK_LIFE = 300
PAIR_BURST, PAIR_SECONDS = 45, 6
CAPTIONS = ("image", "video", "document")
MEDIA = ("image", "video", "audio", "document", "sticker")
KINDS = {  # section 6: formats and sizes of what is sent
    "image": (("image/jpeg", "image/png"), 5_000_000),
    "audio": (("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"), 16_000_000),
    "video": (("video/mp4", "video/3gpp"), 16_000_000),
    "document": (None, 100_000_000),
    "sticker": (("image/webp",), 500_000),
}


class GraphError(Exception):
    def __init__(self, code, message, status=400, details=None):
        super().__init__(message)
        self.code, self.message, self.status, self.details = code, message, status, details

    def body(self):
        error = {"message": f"(#{self.code}) {self.message}", "type": "OAuthException", "code": self.code,
                 "fbtrace_id": "AcontohTrace"}
        if self.details:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        return {"error": error}


class Cut(Exception):
    """End the connection without an answer."""


class Citizen:
    def __init__(self, phone, user_id, name, username):
        self.phone, self.user_id, self.name, self.username = phone, user_id, name, username
        self.hide_phone = False
        self.thread = []
        self.last_write = 0.0
        self.pair = float(PAIR_BURST)
        self.pair_at = 0.0


class Graph:
    def __init__(self, hook=None, token="token-uji", app_secret="rahasia-aplikasi-uji-123",
                 number_id="106540352242922", number="6281130000111", waba="102290129340398", port=0,
                 templates=(("buka_percakapan", "id"),), tls=None, host="127.0.0.1", window="error", statuses=True):
        self.hook, self.token, self.app_secret = hook, token, app_secret
        self.number_id, self.number, self.waba = number_id, number, waba
        self.templates = {tuple(t) for t in templates}
        self.window = window        # "error": 131047 at once; "status": accepted, then a failed status
        self.statuses = statuses    # send sent/delivered by itself
        self.token_expires = 0      # seconds; 0 = never
        self.offset = 0.0
        self.lock = threading.RLock()
        self.citizens, self.media, self.faults, self.requests, self.answers = [], {}, [], [], []
        self.counter, self.holding, self.held, self.out = 0, False, [], []
        self.wake = threading.Condition(self.lock)
        self.stopping = False
        self.server = ThreadingHTTPServer((host, port), handler_of(self))
        self.server.daemon_threads = True
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.base = f"{'https' if tls else 'http'}://{host}:{self.server.server_address[1]}"
        self.api = self.base + "/v25.0"
        self.threads = [threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True),
                        threading.Thread(target=self.deliver_for_ever, daemon=True)]

    # ------------------------------------------------------------------ life

    def start(self):
        for t in self.threads:
            t.start()
        return self

    def stop(self):
        with self.lock:
            self.stopping = True
            self.wake.notify_all()
        self.server.shutdown()
        self.server.server_close()

    __enter__ = start

    def __exit__(self, *_):
        self.stop()

    def now(self):
        return time.time() + self.offset

    def advance(self, seconds):
        with self.lock:
            self.offset += seconds

    def next_id(self, prefix):
        self.counter += 1
        return f"{prefix}{int(self.now())}{self.counter:06d}"

    def fault(self, on, do, times=1, **more):
        with self.lock:
            self.faults.append({"on": on, "do": do, "times": times, **more})

    def take_fault(self, on):
        with self.lock:
            for f in self.faults:
                if f["on"] == on and f["times"] > 0:
                    f["times"] -= 1
                    return dict(f)
        return None

    # -------------------------------------------------------------- citizens

    def citizen(self, phone=None, user_id=None, name=None, username=None, make=False):
        """phone: '+628…' (or digits)."""
        digits = phone.lstrip("+") if phone else None
        with self.lock:
            for c in self.citizens:
                if (digits and c.phone == digits) or (user_id and c.user_id == user_id):
                    c.name = name or c.name
                    return c
            if not make:
                return None
            made = user_id or "ID." + hashlib.sha256((digits or "").encode()).hexdigest()[:15]
            c = Citizen(digits, made, name or f"Warga {len(self.citizens) + 1}", username)
            self.citizens.append(c)
            return c

    def write(self, phone=None, text=None, name=None, type="text", user_id=None, username=None, reply_to=None,
              body=None, media=None, mime=None, filename=None, caption=None, hide_phone=False, at=None):
        """A citizen writes. Returns the wamid."""
        with self.lock:
            c = self.citizen(phone, user_id, name, username, make=True)
            c.hide_phone = hide_phone or c.phone is None
            wamid = self.next_id("wamid.IN")
            shown = {"id": wamid, "side": "citizen", "type": type, "text": text or caption or "",
                     "at": int(self.now() * 1000), "status": "sent", "reply_to": reply_to}
            if type == "text":
                body = {"body": text}
            elif type in MEDIA and body is None:
                body = self.citizens_media(type, media or b"", mime, filename, caption)
                shown.update(media_id=body["id"], filename=filename, mime=body["mime_type"])
            message = {"id": wamid, "timestamp": str(int(at if at is not None else self.now())), "type": type,
                       type: body if body is not None else {}}
            if reply_to:
                message["context"] = {"from": self.number, "id": reply_to}
            self.address(message, c, "from", "from_user_id")
            c.thread.append(shown)
            c.last_write = max(c.last_write, at if at is not None else self.now())
            self.webhook("messages", {"contacts": [self.contact(c)], "messages": [message]})
            return wamid

    def contact(self, c):
        contact = {"profile": {"name": c.name}, "user_id": c.user_id}
        if c.username:
            contact["profile"]["username"] = c.username
        if c.phone and not c.hide_phone:
            contact["wa_id"] = c.phone
        return contact

    @staticmethod
    def address(o, c, phone_key, user_key):
        if c.phone and not c.hide_phone:
            o[phone_key] = c.phone
        o[user_key] = c.user_id

    def citizens_media(self, type, content, mime, filename, caption):
        mime = mime or {"image": "image/jpeg", "video": "video/mp4", "audio": "audio/ogg; codecs=opus",
                        "sticker": "image/webp"}.get(type, "application/pdf")
        media_id = self.next_id("10")
        self.media[media_id] = {"bytes": content, "mime": mime, "at": self.now(), "filename": filename}
        body = {"mime_type": mime, "sha256": base64.b64encode(hashlib.sha256(content).digest()).decode(),
                "id": media_id, "url": f"{self.base}/bytes/{media_id}?ext={int(self.now()) + LINK_LIFE}"}
        if caption and type in CAPTIONS:
            body["caption"] = caption
        if filename and type == "document":
            body["filename"] = filename
        if type == "audio":
            body["voice"] = True
        return body

    def phone(self, phone=None, user_id=None):
        with self.lock:
            c = self.citizen(phone, user_id)
            return [dict(m) for m in c.thread] if c else []

    def read(self, phone=None, user_id=None):
        with self.lock:
            c = self.citizen(phone, user_id)
            for m in c.thread:
                if m["side"] == "office" and m["status"] in ("sent", "delivered"):
                    self.status(c, m, "read")

    # -------------------------------------------------------------- webhooks

    def envelope(self, changes):
        return {"object": "whatsapp_business_account", "entry": [{"id": self.waba, "changes": changes}]}

    def change(self, field, value):
        metadata = {"display_phone_number": self.number, "phone_number_id": self.number_id}
        return {"field": field, "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}

    def webhook(self, field, value):
        with self.lock:
            (self.held if self.holding else self.out).append({"changes": [self.change(field, value)], "at": 0, "tries": 0})
            self.wake.notify_all()

    def hold(self):
        with self.lock:
            self.holding = True

    def release(self, batch=False, reverse=False, copies=1):
        with self.lock:
            held = [h for h in self.held for _ in range(copies)]
            if reverse:
                held.reverse()
            if batch and held:
                held = [{"changes": [c for h in held for c in h["changes"]], "at": 0, "tries": 0}]
            self.out += [dict(h) for h in held]
            self.held, self.holding = [], False
            self.wake.notify_all()

    def signature(self, body, secret=None):
        return "sha256=" + hmac.new((secret or self.app_secret).encode(), body, hashlib.sha256).hexdigest()

    def post(self, body, secret=None, url=None, headers=None, timeout=10):
        """POSTs bytes (or an object) with their signature; the status, or 0 when nobody answers."""
        if not isinstance(body, bytes):
            body = json.dumps(body, separators=(",", ":")).encode()  # ASCII with \\uXXXX in lower case, as Meta's
        all_headers = {"Content-Type": "application/json", "User-Agent": "facebookexternalua",
                       "X-Hub-Signature-256": self.signature(body, secret), **(headers or {})}
        request = urllib.request.Request(url or self.hook, data=body, headers=all_headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=timeout) as r:
                return r.status
        except urllib.error.HTTPError as e:
            return e.code
        except OSError:
            return 0

    def deliver_for_ever(self):
        """Repeats what was not answered 200, each at its own pace, the others meanwhile."""
        while True:
            with self.lock:
                if self.stopping:
                    return
                due = [o for o in self.out if o["at"] <= time.time()]
                if not due or not self.hook:
                    self.wake.wait(0.1)
                    continue
                item = due[0]
            status = self.post(self.envelope(item["changes"]))
            with self.lock:
                self.answers.append(status)
                if status == 200:
                    self.out.remove(item)
                else:
                    item["tries"] += 1
                    item["at"] = time.time() + min(0.2 * 2 ** item["tries"], 10)

    def idle(self):
        """Nothing waits to be delivered."""
        with self.lock:
            return not self.out

    STEPS = {"sent": 1, "delivered": 2, "read": 3, "failed": 4}

    def status(self, c, m, state, error=None):
        """A status of one of the office's messages: shown on our side and told by webhook."""
        if self.STEPS.get(m["status"], 0) >= self.STEPS[state]:
            return
        m["status"] = state
        s = {"id": m["id"], "status": state, "timestamp": str(int(self.now()))}
        if c is not None and c.phone and not c.hide_phone:
            s["recipient_id"] = c.phone
        if c is not None and state != "failed":
            s["recipient_user_id"] = c.user_id
        if state == "sent":
            s["pricing"] = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "service"}
        if m.get("callback"):
            s["biz_opaque_callback_data"] = m["callback"]
        if error:
            s["errors"] = [error]
        value = {"statuses": [s]}
        if c is not None and state != "failed":
            value["contacts"] = [self.contact(c)]
        self.webhook("messages", value)

    # ------------------------------------------------------------- /messages

    def accept(self, o):
        """The checks of POST /messages, then the citizen's phone shows it. Returns the answer."""
        if o.get("messaging_product") != "whatsapp":
            raise GraphError(100, "The parameter messaging_product is required.")
        kind = o.get("type", "text")
        c, given = self.recipient(o)
        shown = {"side": "office", "type": kind, "at": int(self.now() * 1000), "status": "accepted", "text": "",
                 "reply_to": o.get("context", {}).get("message_id"), "callback": o.get("biz_opaque_callback_data")}
        if len(o.get("biz_opaque_callback_data", "")) > 512:
            raise GraphError(100, "Param biz_opaque_callback_data must be at most 512 characters long.")
        self.check_content(o, kind, shown)
        closed = kind != "template" and (c is None or self.now() - c.last_write > DAY)
        if closed and c is not None and self.window == "error":
            raise GraphError(131047, "Re-engagement message", details="Message failed to send because more than 24 "
                             "hours have passed since the customer last replied to this number.")
        if c is not None:
            self.check_pair(c)
        shown["id"] = self.next_id("wamid.OUT")
        self.after_acceptance(c, shown, closed)
        contact = {"input": given}
        if c is not None:
            contact["user_id"] = c.user_id
            if c.phone and not c.hide_phone:
                contact["wa_id"] = c.phone
        return {"messaging_product": "whatsapp", "contacts": [contact],
                "messages": [{"id": shown["id"], "message_status": "accepted"}]}

    def recipient(self, o):
        """`to` wins over `recipient`; without '+' the business' own country code is put before it."""
        to, user_id = o.get("to"), o.get("recipient")
        if to:
            digits = re.sub(r"[^0-9]", "", to)
            if not digits:
                raise GraphError(100, "Invalid parameter")
            return self.citizen(digits if to.startswith("+") else self.number[:2] + digits), to
        if user_id:
            return self.citizen(user_id=user_id), user_id
        raise GraphError(100, "The parameter to is required.")

    def check_content(self, o, kind, shown):
        body = o.get(kind)
        if not isinstance(body, dict):
            raise GraphError(100, f"The parameter {kind} is required.")
        if kind == "text":
            shown["text"] = body.get("body", "")
            if not 1 <= len(shown["text"]) <= 4096:
                raise GraphError(100, "Param text['body'] must be at most 4096 characters long.")
        elif kind == "template":
            name, language = body.get("name"), body.get("language", {}).get("code")
            if (name, language) not in self.templates:
                raise GraphError(132001, "Template name does not exist in the translation", 404)
            shown["template"] = shown["text"] = name
        elif kind in MEDIA:
            self.check_media(body, kind, shown)
        else:
            raise GraphError(100, f"Param type must be one of … - got \"{kind}\".")

    def check_media(self, body, kind, shown):
        media = self.media.get(body.get("id"))
        formats, most = KINDS[kind]
        if media is None:
            raise GraphError(131009, "Parameter value is not valid", details="Media id does not exist")
        if formats and media["mime"].split(";")[0] not in formats:
            raise GraphError(131053, "Media upload error", details=f"{media['mime']} is no {kind}")
        if len(media["bytes"]) > most:
            raise GraphError(131053, "Media upload error", details="Media file size too big")
        caption = body.get("caption", "")
        if caption and kind not in CAPTIONS:
            raise GraphError(100, f"Unexpected key \"caption\" on param \"{kind}\".")
        if len(caption) > 1024:
            raise GraphError(100, "Param caption must be at most 1024 characters long.")
        if "filename" in body and kind != "document":
            raise GraphError(100, f"Unexpected key \"filename\" on param \"{kind}\".")
        shown.update(text=caption, media_id=body["id"], filename=body.get("filename"), mime=media["mime"])

    def check_pair(self, c):
        now = self.now()
        c.pair = min(PAIR_BURST, c.pair + max(0, now - c.pair_at) / PAIR_SECONDS) if c.pair_at else c.pair
        c.pair_at = now
        if c.pair < 1:
            raise GraphError(131056, "(Business Account, Consumer Account) pair rate limit hit")
        c.pair -= 1

    def after_acceptance(self, c, shown, closed):
        if c is None:
            self.status(None, shown, "failed", {"code": 131026, "title": "Message undeliverable",
                                                "message": "Message undeliverable",
                                                "error_data": {"details": "Message Undeliverable."}})
        elif closed:
            self.status(c, shown, "failed", {"code": 131047, "title": "Re-engagement message",
                                             "message": "Re-engagement message",
                                             "error_data": {"details": "more than 24 hours have passed"}})
        else:
            c.thread.append(shown)
            if self.statuses:
                self.status(c, shown, "sent")
                self.status(c, shown, "delivered")

    # ----------------------------------------------------------------- media

    def upload(self, headers, body):
        parts = form_parts(headers, body)
        if parts.get("messaging_product", (b"", None, None))[0] != b"whatsapp":
            raise GraphError(100, "The parameter messaging_product is required.")
        if "file" not in parts:
            raise GraphError(100, "The parameter file is required.")
        content, mime, filename = parts["file"]
        if parts.get("type"):
            mime = parts["type"][0].decode()
        if not content or len(content) > 100_000_000:
            raise GraphError(100, "Param file has an invalid size.")
        media_id = self.next_id("20")
        self.media[media_id] = {"bytes": content, "mime": mime, "at": self.now(), "filename": filename}
        return {"id": media_id}

    def link(self, media_id, query):
        media = self.media.get(media_id)
        if media is None or self.now() - media["at"] > 7 * DAY or query.get("phone_number_id", self.number_id) != self.number_id:
            raise GraphError(100, f"Unsupported get request. Object with ID '{media_id}' does not exist")
        return {"messaging_product": "whatsapp", "url": f"{self.base}/bytes/{media_id}?ext={int(self.now()) + LINK_LIFE}",
                "mime_type": media["mime"], "sha256": hashlib.sha256(media["bytes"]).hexdigest(),
                "file_size": len(media["bytes"]), "id": media_id}

    def debug_token(self, given):
        valid = given == self.token
        return {"data": {"app_id": "1", "type": "SYSTEM_USER", "is_valid": valid, "expires_at": int(self.token_expires)}}


def form_parts(headers, body):
    """multipart/form-data or urlencoded: name -> (bytes, type, filename)."""
    content_type = headers.get("Content-Type", "")
    if not content_type.startswith("multipart/form-data"):
        return {k: (v.encode(), None, None) for k, v in urllib.parse.parse_qsl(body.decode("latin-1"))}
    mail = BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    parts = {}
    for part in mail.get_payload():
        name = part.get_param("name", header="Content-Disposition")
        parts[name] = (part.get_payload(decode=True), part.get_content_type(), part.get_filename())
    return parts


# -------------------------------------------------------------------------- HTTP


def handler_of(graph):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def answer(self, status, body, content_type="application/json"):
            if not isinstance(body, bytes):
                body = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def handle_one(self):
            url = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(url.query))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = [p for p in url.path.split("/") if p]
            try:
                if parts[:1] == ["control"]:
                    self.control(parts[1:], query, body)
                else:
                    self.graph(parts, query, body)
            except GraphError as e:
                self.answer(e.status, e.body())
            except Cut:
                self.close_connection = True
                try:
                    self.connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        do_GET = do_POST = handle_one

        # ----------------------------------------------------------- as Graph

        def graph(self, parts, query, body):
            with graph.lock:
                graph.requests.append({"method": self.command, "path": "/" + "/".join(parts), "query": query,
                                       "body": body.decode("utf-8", "replace")[:20000], "at": graph.now(),
                                       "authorization": self.headers.get("Authorization")})
            if self.headers.get("Authorization") != "Bearer " + graph.token:
                if parts[:1] == ["bytes"]:
                    return self.answer(401, b"", "text/plain")
                raise GraphError(190, "Invalid OAuth access token - Cannot parse access token", 401)
            if parts[:1] == ["bytes"]:
                return self.bytes(parts[1], query)
            if not parts or not re.fullmatch(r"v\d+\.\d", parts[0]):
                raise GraphError(2500, "Unknown path components", 400)
            return self.versioned(parts[1:], query, body)

        def versioned(self, parts, query, body):
            if not parts and self.command == "POST":
                return self.batch(body)
            if parts == [graph.number_id, "messages"] and self.command == "POST":
                return self.faulty("messages", lambda: graph.accept(read_json(body)))
            if parts == [graph.number_id, "media"] and self.command == "POST":
                return self.faulty("media", lambda: graph.upload(self.headers, body))
            if parts == [graph.number_id] and self.command == "GET":
                return self.faulty("number", lambda: {"id": graph.number_id, "display_phone_number": graph.number,
                                                      "verified_name": "Kantor Contoh", "quality_rating": "GREEN"})
            if parts == ["debug_token"]:
                return self.answer(200, graph.debug_token(query.get("input_token")))
            if len(parts) == 1 and self.command == "GET":
                return self.faulty("link", lambda: graph.link(parts[0], query))
            raise GraphError(100, f"Unsupported {self.command.lower()} request. Object with ID '{parts[0]}' does not "
                             "exist, cannot be loaded due to missing permissions")

        def batch(self, body):
            answers = []
            for call in json.loads(form_parts(self.headers, body)["batch"][0]):
                inner = urllib.parse.urlsplit(call["relative_url"])
                given = dict(urllib.parse.parse_qsl(inner.query)).get("input_token")
                answers.append({"code": 200, "body": json.dumps(graph.debug_token(given))})
            self.answer(200, answers)

        def faulty(self, on, work):
            """Does the work with the fault that is asked for, if any."""
            f = graph.take_fault(on) or {"do": None}
            do = f["do"]
            if do == "slow":
                time.sleep(f.get("seconds", 1))
            if do == "error":
                raise GraphError(f.get("code", 131000), f.get("message", "asked for by the test"), f.get("status", 400))
            if do == "cut-before":
                raise Cut()
            if do == "html":
                return self.answer(502, b"<html><h1>502 Bad Gateway</h1></html>", "text/html")
            with graph.lock:
                result = work()
            if do == "cut-after":
                raise Cut()
            if do == "late":
                time.sleep(f.get("seconds", 1))
            if do == "500-accepted":
                return self.answer(500, b"<html>Internal Server Error</html>", "text/html")
            if do == "garbage":
                return self.answer(200, b"ok")
            return self.answer(200, result)

        def bytes(self, media_id, query):
            f = graph.take_fault("bytes") or {"do": None}
            media = graph.media.get(media_id)
            if f["do"] == "slow":
                time.sleep(f.get("seconds", 1))
            if f["do"] == "cut-before":
                raise Cut()
            if f["do"] == "error":
                return self.answer(f.get("status", 500), b"", "text/plain")
            if media is None or f["do"] == "expired" or int(query.get("ext", 0)) < graph.now():
                return self.answer(404, b"", "text/plain")
            content = media["bytes"]
            if f["do"] == "damage":
                content = bytes([content[0] ^ 1]) + content[1:] if content else b"x"
            return self.answer(200, content, media["mime"])

        # -------------------------------------------------------- the citizen

        def control(self, parts, query, body):
            o = read_json(body) if body else {}
            name = "_".join(parts)
            if name == "media":
                media = graph.media.get(query.get("id", ""))
                return self.answer(200 if media else 404, media["bytes"] if media else b"", media["mime"] if media else "text/plain")
            work = CONTROLS.get(name)
            if work is None:
                return self.answer(404, {"error": "no such control"})
            return self.answer(200, work(graph, o, query))

    return Handler


def read_json(body):
    try:
        o = json.loads(body)
    except ValueError:
        raise GraphError(100, "Invalid parameter") from None
    if not isinstance(o, dict):
        raise GraphError(100, "Invalid parameter")
    return o


def control_message(graph, o, _):
    wanted = ("phone", "text", "name", "type", "user_id", "username", "reply_to", "body", "mime", "filename", "caption",
              "hide_phone")
    more = {k: o[k] for k in wanted if o.get(k) is not None}
    if "media" in o:
        more["media"] = base64.b64decode(o["media"])
    return {"id": graph.write(**more)}


def control_phone(graph, _, query):
    c = graph.citizen(query.get("phone"), query.get("user_id"))
    until = (c.last_write + DAY if c else 0)
    return {"messages": graph.phone(query.get("phone"), query.get("user_id")), "window_open": until > graph.now(),
            "window_until": int(until * 1000)}


def control_phones(graph, *_):
    return {"phones": [{"phone": "+" + c.phone if c.phone else None, "user_id": c.user_id, "name": c.name}
                       for c in graph.citizens]}


def quietly(work):
    def run(graph, o, query):
        work(graph, o, query)
        return {}
    return run


CONTROLS = {
    "message": control_message,
    "phone": control_phone,
    "phones": control_phones,
    "read": quietly(lambda g, o, _: g.read(o.get("phone"), o.get("user_id"))),
    "fault": quietly(lambda g, o, _: g.fault(**o)),
    "faults_clear": quietly(lambda g, o, _: g.faults.clear()),
    "clock": quietly(lambda g, o, _: g.advance(o["advance"])),
    "hook": quietly(lambda g, o, _: setattr(g, "hook", o["url"])),
    "requests": lambda g, o, _: {"requests": list(g.requests)},
}


def main():
    p = argparse.ArgumentParser(description="Graph API stand-in")
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--hook")
    p.add_argument("--token", default="token-uji")
    p.add_argument("--app-secret", default="rahasia-aplikasi-uji-123")
    p.add_argument("--number-id", default="106540352242922")
    p.add_argument("--number", default="6281130000111")
    p.add_argument("--template", action="append", default=[], help="NAME:LANGUAGE")
    p.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    a = p.parse_args()
    templates = [tuple(t.split(":", 1)) for t in a.template] or (("buka_percakapan", "id"),)
    graph = Graph(hook=a.hook, token=a.token, app_secret=a.app_secret, number_id=a.number_id, number=a.number, port=a.port,
                  templates=templates, tls=a.tls).start()
    print(graph.api, flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        graph.stop()


if __name__ == "__main__":
    main()
