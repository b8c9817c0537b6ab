"""What Meta's stand-ins share: an HTTP server as Graph's, its clock, faults on request, signed webhooks with retries.

graph.py (WhatsApp), instagram.py and facebook.py stand on it. A stand-in has

    api, base, token, app_secret, hook       # `api = …` of the account; where webhooks go
    fault(on=…, do=…, times=1, …)            # see below
    advance(seconds), now()                  # the platform's clock: windows and links run out
    hold(); …; release(batch=True, reverse=True, copies=2)
    post(body, secret=…)                     # any bytes, signed; returns the HTTP status
    requests                                 # everything that came in, for assertions
    idle()                                   # no webhook waits

Faults: do = "error" (code, subcode, status=400, transient) | "cut-before" | "cut-after" (accepted, then no answer) |
    "500-accepted" | "html" (502 of a proxy) | "garbage" (accepted, answer is not JSON) | "slow" (seconds) |
    "late" (accepted, what follows goes out, the answer comes seconds later);
    on = "bytes": "slow" | "cut-before" | "error" | "expired" | "damage". What `on` may be is said by each stand-in.
"""
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


class GraphError(Exception):
    def __init__(self, code, message, status=400, details=None, subcode=None, transient=False):
        super().__init__(message)
        self.code, self.message, self.status, self.details = code, message, status, details
        self.subcode, self.transient = subcode, transient

    def body(self):
        error = {"message": f"(#{self.code}) {self.message}", "type": "OAuthException", "code": self.code,
                 "fbtrace_id": "AcontohTrace"}
        if self.subcode:
            error["error_subcode"] = self.subcode
        if self.transient:
            error["is_transient"] = True
        if self.details:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        return {"error": error}


class Cut(Exception):
    """End the connection without an answer."""


class Call:
    """One request at Graph: the path behind the version, the query, the body's parameters by whatever way."""

    def __init__(self, method, parts, query, body, headers):
        self.method, self.parts, self.query, self.body, self.headers = method, parts, query, body, headers

    def json(self):
        return read_json(self.body)

    def form(self):
        return form_parts(self.headers, self.body)

    def parameters(self):
        """Graph takes parameters in the query, in a form or in JSON: all as strings or objects."""
        given = dict(self.query)
        if self.headers.get("Content-Type", "").startswith("application/json"):
            given.update(read_json(self.body))
        elif self.body:
            given.update({k: v[0].decode("utf-8", "replace") for k, v in self.form().items() if v[2] is None})
        return given


class Meta:
    OBJECT = ""
    TOKEN_IN_QUERY = True  # Graph takes ?access_token= as well as the header

    def __init__(self, hook=None, token="token-uji", app_secret="rahasia-aplikasi-uji-123", port=0, tls=None,
                 host="127.0.0.1"):
        self.hook, self.token, self.app_secret = hook, token, app_secret
        self.token_expires = 0      # seconds; 0 = never
        self.usage = {}             # headers of every answer
        self.offset = 0.0
        self.lock = threading.RLock()
        self.media, self.faults, self.requests, self.answers = {}, [], [], []
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

    # -------------------------------------------------------------- webhooks

    def merge(self, entries):
        """How a batch of entries is put into one POST."""
        return entries

    def envelope_of(self, entries):
        return {"object": self.OBJECT, "entry": entries}

    def deliver(self, entry):
        with self.lock:
            (self.held if self.holding else self.out).append({"entries": [entry], "at": 0, "tries": 0})
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
                held = [{"entries": self.merge([e for h in held for e in h["entries"]]), "at": 0, "tries": 0}]
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
            status = self.post(self.envelope_of(item["entries"]))
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

    # ------------------------------------------------------ what a stand-in has

    def is_good(self, token):
        return token == self.token

    def route(self, call, faulty):
        """Answers a call behind the version: the result as JSON, a (status, bytes, type), or an exception.
        faulty(on, work) does the work with the fault that is asked for, if any."""
        raise NotImplementedError

    def controls(self):
        """Name -> function (stand-in, JSON, query) of the control API."""
        return CONTROLS

    def link_is_good(self, media, query):
        return True

    def debug_token(self, given):
        return {"data": {"app_id": "1", "type": "PAGE", "is_valid": self.is_good(given),
                         "expires_at": int(self.token_expires)}}


def form_parts(headers, body):
    """multipart/form-data or urlencoded: name -> (bytes, type, filename)."""
    content_type = headers.get("Content-Type", "")
    if not content_type.startswith("multipart/form-data"):
        return {k: (v.encode(), None, None) for k, v in urllib.parse.parse_qsl(body.decode("utf-8", "replace"))}
    mail = BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    parts = {}
    for part in mail.get_payload():
        name = part.get_param("name", header="Content-Disposition")
        parts[name] = (part.get_payload(decode=True), part.get_content_type(), part.get_filename())
    return parts


def read_json(body):
    try:
        o = json.loads(body)
    except ValueError:
        raise GraphError(100, "Invalid parameter") from None
    if not isinstance(o, dict):
        raise GraphError(100, "Invalid parameter")
    return o


# -------------------------------------------------------------------------- HTTP


def handler_of(stand):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def answer(self, status, body, content_type="application/json"):
            if not isinstance(body, bytes):
                body = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            for name, value in stand.usage.items():
                self.send_header(name, value if isinstance(value, str) else json.dumps(value))
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

        do_GET = do_POST = do_DELETE = handle_one

        # ----------------------------------------------------------- as Graph

        def graph(self, parts, query, body):
            authorization = self.headers.get("Authorization")
            with stand.lock:
                stand.requests.append({"method": self.command, "path": "/" + "/".join(parts), "query": query,
                                       "body": body.decode("utf-8", "replace")[:20000], "at": stand.now(),
                                       "authorization": authorization})
            if parts[:1] == ["cdn"]:  # signed links: who has one needs no token
                return self.bytes(parts[1], query)
            given = (authorization or "").removeprefix("Bearer ")
            if not authorization and stand.TOKEN_IN_QUERY:
                given = query.get("access_token", "")
            if not stand.is_good(given):
                if parts[:1] == ["bytes"]:
                    return self.answer(401, b"", "text/plain")
                raise GraphError(190, "Invalid OAuth access token - Cannot parse access token", 401)
            if parts[:1] == ["bytes"]:
                return self.bytes(parts[1], query)
            if parts and re.fullmatch(r"v\d+\.\d", parts[0]):
                parts = parts[1:]
            elif parts != ["refresh_access_token"]:
                raise GraphError(2500, "Unknown path components", 400)
            if not parts and self.command == "POST":
                return self.batch(body)
            if parts == ["debug_token"]:
                return self.faulty("debug", lambda: stand.debug_token(query.get("input_token")))
            return stand.route(Call(self.command, parts, query, body, self.headers), self.faulty)

        def batch(self, body):
            answers = []
            for call in json.loads(form_parts(self.headers, body)["batch"][0]):
                inner = urllib.parse.urlsplit(call["relative_url"])
                given = dict(urllib.parse.parse_qsl(inner.query)).get("input_token")
                answers.append({"code": 200, "body": json.dumps(stand.debug_token(given))})
            self.answer(200, answers)

        def faulty(self, on, work):
            """Does the work with the fault that is asked for, if any."""
            f = stand.take_fault(on) or {"do": None}
            do = f["do"]
            if do == "slow":
                time.sleep(f.get("seconds", 1))
            if do == "error":
                raise GraphError(f.get("code", 131000), f.get("message", "asked for by the test"), f.get("status", 400),
                                 subcode=f.get("subcode"), transient=f.get("transient", False))
            if do == "cut-before":
                raise Cut()
            if do == "html":
                return self.answer(502, b"<html><h1>502 Bad Gateway</h1></html>", "text/html")
            with stand.lock:
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
            f = stand.take_fault("bytes") or {"do": None}
            media = stand.media.get(media_id)
            if f["do"] == "slow":
                time.sleep(f.get("seconds", 1))
            if f["do"] == "cut-before":
                raise Cut()
            if f["do"] == "error":
                return self.answer(f.get("status", 500), b"", "text/plain")
            if media is None or f["do"] == "expired" or not stand.link_is_good(media, query):
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
                media = stand.media.get(query.get("id", ""))
                return self.answer(200 if media else 404, media["bytes"] if media else b"",
                                   media["mime"] if media else "text/plain")
            work = stand.controls().get(name)
            if work is None:
                return self.answer(404, {"error": "no such control"})
            return self.answer(200, work(stand, o, query))

    return Handler


def quietly(work):
    def run(stand, o, query):
        work(stand, o, query)
        return {}
    return run


def media_of(o, wanted):
    """The keys of a control call that a stand-in's write() takes; "media" is base64."""
    more = {k: o[k] for k in wanted if o.get(k) is not None}
    if "media" in o:
        more["media"] = base64.b64decode(o["media"])
    return more


CONTROLS = {
    "fault": quietly(lambda s, o, _: s.fault(**o)),
    "faults_clear": quietly(lambda s, o, _: s.faults.clear()),
    "clock": quietly(lambda s, o, _: s.advance(o["advance"])),
    "hook": quietly(lambda s, o, _: setattr(s, "hook", o["url"])),
    "requests": lambda s, o, _: {"requests": list(s.requests)},
}


def serve(stand):
    """Runs until the terminal says stop."""
    stand.start()
    print(stand.api, flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        stand.stop()
