"""web.py: the sandbox's page and its small JSON API, on loopback."""
import json
import mimetypes
import pathlib
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from badday import DAYS
from processes import Fault, answers

PAGE = pathlib.Path(__file__).resolve().parent / "page"
FILES = ("index.html", "sandbox.css", "threads.css", "sandbox.js", "threads.js", "desk.js", "icon.svg")
BODY_MAX = 12 * 1024 * 1024
INLINE = ("image/png", "image/jpeg")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                               "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Sandbox:
    def __init__(self, office, people, days, desk, portal=None):
        self.office, self.days, self.desk, self.portal = office, days, desk, portal
        self.people = people  # key -> (person, what plays them: citizen.py, followers.py, visitor.py, portal.py)

    def people_shown(self):
        return [{**person, "public": list(getattr(side, "ways", ())), "fields": list(getattr(side, "fields", ()))}
                for person, side in self.people.values()]

    def counts(self):
        """How much came back to whom. The counter is left out: it would ask aduanctl for each case."""
        return {key: sum(not m["mine"] for m in side.thread())
                + sum(c["ours"] for g in (side.public() if hasattr(side, "public") else []) for c in g["comments"])
                for key, (_, side) in self.people.items() if not hasattr(side, "fields")}

    def state(self, key):
        person, side = self.people[key]
        tickets, _ = self.desk.tickets()
        shown = {"person": person, "thread": list(side.thread()), "public": side.public() if hasattr(side, "public") else None,
                 "fault": getattr(side, "fault", None), "tickets": tickets, "work": self.desk.work(), "counts": self.counts(),
                 "portal": self.portal.new() if self.portal else [], "days": self.days.shown(),
                 "up": {"aduand": self.office.daemon.running, "redis": self.office.redis.running,
                        "gateway": answers(("127.0.0.1", self.office.gateway))}}
        shown["desk_fault"] = self.desk.fault
        if hasattr(side, "window_until"):
            shown["window_until"] = side.window_until()
        return shown

    def write(self, o):
        person, side = self.people[o["who"]]
        text = o.get("text") or ""
        if not text.strip() and not o.get("file"):
            raise Fault("Tulis sesuatu dulu / write something first")
        if o.get("public"):
            ident = side.write_public(text, o["public"], o.get("reply_to"))
        else:
            ident = side.write(text, o.get("subject"), o.get("file"), o.get("reply_to"))
        return {"id": ident, "channel": person["channel"]}

    def act(self, path, o):
        """What a POST does; None: there is no such call."""
        if path == "/api/write":
            return self.write(o)
        if path == "/api/read":
            self.people[o["who"]][1].read()
            return {}
        if path == "/api/answer":
            return self.desk.reply(o["number"], o["text"])
        if path == "/api/intake":
            return self.people[o["who"]][1].intake(o)
        if path == "/api/work":
            return self.portal.carry(o, self.desk) if self.portal else self.desk.hand(o)
        if path == "/api/import" and self.portal:
            return self.portal.bring(o["id"], self.desk)
        if path == "/api/day" and o.get("key") in DAYS:
            self.days.start(o["key"])
            return {"days": self.days.shown()}
        return None


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
                return self.send(200, sandbox.people_shown())
            if parts == ["api", "state"]:
                return self.send(200, sandbox.state(query["who"]))
            if parts == ["api", "case"]:
                return self.send(200, sandbox.desk.case(query["number"]))
            if len(parts) == 3 and parts[0] == "file":
                return self.file(sandbox.people[parts[1]][1].file(parts[2]))
            if len(parts) == 2 and parts[0] == "paper":
                return self.paper(sandbox.desk.printed(parts[1]))
            name = parts[0] if len(parts) == 1 else "index.html" if not parts else ""
            if name not in FILES:
                return self.send(404, {"error": "there is no such page"})
            kind = mimetypes.guess_type(name)[0] or "text/plain"
            return self.send(200, (PAGE / name).read_bytes(), kind + ("; charset=utf-8" if kind.startswith("text/") else ""))

        def paper(self, content):
            if content is None:
                return self.send(404, {"error": "there is no such paper"})
            return self.send(200, content, "text/html; charset=utf-8", **{
                "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-modals"})

        def file(self, found):
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
            done = sandbox.act(urllib.parse.urlsplit(self.path).path, o)
            return self.send(200, done) if done is not None else self.send(404, {"error": "there is no such call"})

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
