"""web.py: the sandbox's page and its small JSON API, on loopback."""
import json
import mimetypes
import pathlib
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from badday import DAYS
from processes import Fault, answers

PAGE = pathlib.Path(__file__).resolve().parent / "page"
BODY_MAX = 12 * 1024 * 1024
INLINE = ("image/png", "image/jpeg")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                               "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Desk:
    """What aduanctl says of the cases, asked at most once a second however many pages are open."""

    def __init__(self, office):
        self.office, self.lock = office, threading.Lock()
        self.cases, self.fault, self.asked = [], None, 0.0

    def tickets(self):
        with self.lock:
            if time.monotonic() - self.asked > 1:
                try:
                    self.cases, self.fault = self.office.ask("tickets"), None
                except (Fault, OSError) as fault:
                    self.fault = str(fault)
                self.asked = time.monotonic()
            return self.cases, self.fault


class Sandbox:
    def __init__(self, office, graph, people, days):
        self.office, self.graph, self.days = office, graph, days
        self.people = people  # key -> (person, Phone or Mailbox)
        self.desk = Desk(office)

    def state(self, key):
        person, side = self.people[key]
        tickets, fault = self.desk.tickets()
        shown = {"person": person, "thread": side.thread(), "fault": getattr(side, "fault", None), "tickets": tickets,
                 "desk_fault": fault, "days": self.days.shown(),
                 "up": {"aduand": self.office.daemon.running, "redis": self.office.redis.running,
                        "gateway": answers(("127.0.0.1", self.office.gateway))}}
        if person["channel"] == "whatsapp":
            c = self.graph.citizen(person["phone"])
            shown["window_until"] = int((c.last_write + 24 * 3600) * 1000) if c and c.last_write else None
        return shown

    def write(self, o):
        person, side = self.people[o["who"]]
        text = o.get("text") or ""
        if not text.strip() and not o.get("file"):
            raise Fault("Tulis sesuatu dulu / write something first")
        return {"id": side.write(text, o.get("subject"), o.get("file"), o.get("reply_to")), "channel": person["channel"]}

    def answer(self, o):
        return self.office.ask("reply", o["number"], "-", text=o["text"])

    def case(self, number):
        return self.office.ask("show", number)


def handler_of(sandbox, hosts):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version, sys_version = "aduan-sandbox", ""

        def log_message(self, *_):
            pass

        def send(self, status, body, kind="application/json", **more):
            if not isinstance(body, bytes):
                body = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**HEADERS, "Content-Type": kind, **more}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def guarded(self, work):
            # Another site's page must not play the citizen in somebody's browser.
            if hosts and (self.headers.get("Host") or "") not in hosts:
                return self.send(421, {"error": "open the address that ./dev up printed"})
            try:
                return work()
            except Fault as fault:
                return self.send(409, {"error": str(fault)})
            except (KeyError, ValueError, TypeError) as fault:
                return self.send(400, {"error": f"{type(fault).__name__}: {fault}"})
            except OSError as fault:
                return self.send(502, {"error": str(fault)})

        def do_GET(self):
            self.guarded(self.get)

        def do_POST(self):
            self.guarded(self.post)

        def get(self):
            url = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(url.query))
            parts = [urllib.parse.unquote(p) for p in url.path.split("/") if p]
            if parts == ["api", "people"]:
                return self.send(200, [p for p, _ in sandbox.people.values()])
            if parts == ["api", "state"]:
                return self.send(200, sandbox.state(query["who"]))
            if parts == ["api", "case"]:
                return self.send(200, sandbox.case(query["number"]))
            if len(parts) == 3 and parts[0] == "file":
                return self.file(parts[1], parts[2])
            name = parts[0] if len(parts) == 1 else "index.html" if not parts else ""
            if name not in ("index.html", "sandbox.css", "sandbox.js", "icon.svg"):
                return self.send(404, {"error": "there is no such page"})
            kind = mimetypes.guess_type(name)[0] or "text/plain"
            return self.send(200, (PAGE / name).read_bytes(), kind + ("; charset=utf-8" if kind.startswith("text/") else ""))

        def file(self, where, key):
            channel = "whatsapp" if where == "wa" else "email"
            sides = [side for person, side in sandbox.people.values() if person["channel"] == channel]
            found = next((f for f in (side.file(key) for side in sides) if f), None)
            if not found:
                return self.send(404, {"error": "there is no such file"})
            name, kind, content = found
            inline = kind.split(";")[0] in INLINE
            return self.send(200, content, kind if inline else "application/octet-stream", **{
                "Content-Disposition": ("inline" if inline else "attachment")
                + "; filename*=UTF-8''" + urllib.parse.quote(name, safe=""),
                "Content-Security-Policy": "default-src 'none'; sandbox"})

        def post(self):
            length = int(self.headers.get("Content-Length") or 0)
            if self.headers.get("X-Sandbox") != "1" or length > BODY_MAX:
                self.close_connection = True
                return self.send(413 if length > BODY_MAX else 403, {"error": "refused"})
            o = json.loads(self.rfile.read(length) or b"{}")
            path = urllib.parse.urlsplit(self.path).path
            if path == "/api/write":
                return self.send(200, sandbox.write(o))
            if path == "/api/read":
                sandbox.people[o["who"]][1].read()
                return self.send(200, {})
            if path == "/api/answer":
                return self.send(200, sandbox.answer(o))
            if path == "/api/day" and o.get("key") in DAYS:
                sandbox.days.start(o["key"])
                return self.send(200, {"days": sandbox.days.shown()})
            return self.send(404, {"error": "there is no such call"})

    return Handler


class Web:
    def __init__(self, sandbox, host, port):
        loopback = host in ("127.0.0.1", "localhost")
        hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")} if loopback else None
        self.server = ThreadingHTTPServer((host, port), handler_of(sandbox, hosts))
        self.server.daemon_threads = True
        self.url = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}/"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.1,), daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
