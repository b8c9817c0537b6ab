#!/usr/bin/python3
"""A stand-in for SP4N-LAPOR!'s REST API (g3) as office/lapor-api.md shows it, with the citizens' portal.

Written from the notes, not from our parser. Standard library only. Where one institution's reports are listed is not known
publicly: GET /complaints/institution/{id} is this stand-in's own invention, and a profile has to map it. Everything else
has the paths, the names and the oddities that one integrator's code shows.

    with Lapor() as lapor:
        lapor.base                               # `base_url` of a profile
        lapor.headers, lapor.values              # ( "auth: Bearer ", "token: " ) and what stands behind them
        lapor.profile(reply=False, list_="…")    # a profile's text for it, every capability on but those said False
        ident = lapor.file("Siti", "Paspor", "Belum jadi", anonymous=False, secret=False, files=["foto.jpg"])
        lapor.say(ident, "Bagaimana?")           # the citizen adds to the report
        lapor.entry(ident, institution_from_id=…, data='{"…"}', attachments={…})   # any entry of the follow-up
        lapor.status(ident, "Dalam Proses")
        lapor.followups(ident)                   # what the citizen sees, oldest first, "side": "citizen" | "office"
        lapor.fault("list", "html", times=2)
        lapor.page_size, lapor.overlap = 2, 1    # items of a page again at the head of the next
        lapor.refuse = True                      # the tokens are no good any more
        lapor.requests                           # everything that came in, for assertions

Faults: on = "list" | "detail" | "followups" | "reply" | "upload" | "create" | "reject" | "institutions";
do = "error" (status=, body=) | "html" (502 of a proxy) | "redirect" (a loop) | "slow" (seconds=) | "truncated" |
"message" (200, no results) | "cut-before" | "cut-after" (accepted, no answer) | "500-accepted".

As a process: python3 lapor.py --port 9205. Control API (JSON):

    POST /control/file {"name", "title", "text", "anonymous", "secret"} -> {"id"};  POST /control/say {"id", "text"}
    POST /control/status {"id", "name"};  POST /control/fault {"on", "do", …};  POST /control/refuse {"on": true}
    GET /control/reports -> {"reports": [{"id", "name", "title", "status", "followups": […]}]};  GET /control/file?id=…
"""
import argparse
import json
import re
import threading
import time
import urllib.parse
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROOT = "/lapor/3.0.0"
WIB = 7 * 3600
OWN = {"id": 77, "name": "Kantor Imigrasi Uji"}
ADMIN = {"id": 1, "name": "Admin LAPOR!"}
STATES = {"Belum Terverifikasi": 1, "Terverifikasi": 2, "Dalam Proses": 3, "Selesai": 4, "Ditolak": 5}


class Cut(Exception):
    """End the connection without an answer."""


def stamp():
    return time.strftime("%d-%m-%Y %H:%M:%S", time.gmtime(time.time() + WIB))


class Lapor:
    headers = ("auth: Bearer ", "token: ")

    def __init__(self, port=0, host="127.0.0.1"):
        self.values = ["kunci-auth-SANGAT-rahasia", "kunci-token-SANGAT-rahasia"]
        self.reports, self.files, self.uploads = {}, {}, {}
        self.requests, self.faults = [], []
        self.page_size, self.overlap, self.refuse, self.counter = 10, 0, False, 7654320
        self.lock = threading.RLock()
        self.server = ThreadingHTTPServer((host, port), handler_of(self))
        self.server.daemon_threads = True
        self.root = f"http://{host}:{self.server.server_address[1]}"
        self.base = self.root + ROOT
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def next_id(self):
        with self.lock:
            self.counter += 1
            return self.counter

    def profile(self, **paths):
        """The text of a profile; `reply="…"` replaces a section's lines, `reply=False` switches it off."""
        caps = {
            "list": f"path = /complaints/institution/{OWN['id']}\nquery = page={{page}}\nitems = /results/data\nnext_kind = url\n",
            "detail": "path = /complaints/{id}/complaint\nroot = /results/data\n",
            "followups": "path = /complaints/{id}/followups\nquery = page={page}\nitems = /results/data\nnext_kind = url\n",
            "reply": "path = /complaints/followup/add\nencoding = multipart\nfile_part = attachment[{n}]\n",
            "masters.institutions": "path = /masters/institutions/external\nquery = page_size=1000\nitems = /results/data\n",
        }
        more = paths.pop("more", "")
        text = f"[profile]\nname = uji\nbase_url = {self.base}\ninstitution = {OWN['id']}\n"
        text += "[http]\ntotal_timeout = 5\nper_minute = 6000\n"
        for name, lines in caps.items():
            own = paths.pop(name.split(".")[0], None)
            if own is not False:
                text += f"[cap.{name}]\nenabled = yes\n{own or lines}"
        assert not paths, paths
        text += ("[map.in]\nremote_id = /complaint_id|/id\nitem_id = /id\ntitle = /title\nbody = /content|/template_content\n"
                 "created = /created_at|/date:fmt(%d-%m-%Y %H:%M:%S)\nstatus = /status_name|/status_code\n"
                 "from = /institution_from_id/id|/institution_from_id\nreporter_name = /reporter_name\nfiles = /attachments\n"
                 "anonymous = /is_anonymous:bool\nsecret = /is_secret:bool\n"
                 "[map.reply]\ncontent = {reply_text}\ncomplaint_id = {remote_id}\nuser_id = 9\n"
                 f"institution_from_id = {OWN['id']}\ninstitution_to_id = {OWN['id']}\ntemplate_code =\nrating = 0\n"
                 "is_secret = {secret:0|1}\ninfo_disposition =\n"
                 '[status.map]\n"Belum Terverifikasi" = baru\n"Dalam Proses" = diproses\n"Selesai" = selesai\ndefault = periksa_manual\n')
        return text + more

    # ----------------------------------------------------------------- citizens

    def file(self, name, title, text, anonymous=False, secret=False, files=()):
        with self.lock:
            ident = str(self.next_id())
            self.reports[ident] = {"complaint_id": int(ident), "title": title, "content": text, "created_at": stamp(),
                                   "status_code": 1, "status_name": "Belum Terverifikasi", "is_anonymous": int(anonymous),
                                   "is_secret": int(secret), "date_of_incident": "2026-11-20", "attachments": paths_of(files),
                                   "reporter_name": name, "entries": [], "logs": []}
            return ident

    def entry(self, ident, **fields):
        with self.lock:
            e = {"id": self.next_id(), "complaint_id": int(ident), "institution_from_id": None, "institution_to_id": OWN,
                 "status_old": None, "status_new": None, "data": None, "template_code": None, "template_content": None,
                 "content": None, "created_at": stamp(), "attachments": {}, **fields}
            self.reports[str(ident)]["entries"].append(e)
            return e["id"]

    def say(self, ident, text, files=()):
        return self.entry(ident, content=text, attachments=paths_of(files))

    def status(self, ident, name):
        with self.lock:
            r = self.reports[str(ident)]
            r["logs"].append({"note": f"{r['status_name']} -> {name}", "timestamp": stamp()})
            r["status_name"], r["status_code"] = name, STATES.get(name, 99)

    def followups(self, ident):
        with self.lock:
            return [{"id": e["id"], "side": "office" if (e["institution_from_id"] or {}).get("id") == OWN["id"] else "citizen",
                     "text": e["content"], "files": [f["file_name"] for f in files_of(e["attachments"])], "at": e["created_at"]}
                    for e in self.reports[str(ident)]["entries"]]

    def fault(self, on, do, times=1, **more):
        with self.lock:
            self.faults.append({"on": on, "do": do, "times": times, **more})

    def take_fault(self, on):
        with self.lock:
            for f in self.faults:
                if f["on"] == on and f["times"] > 0:
                    f["times"] -= 1
                    return f
        return {"do": None}

    def asked(self, on):
        with self.lock:
            return [r for r in self.requests if r["on"] == on]

    # ---------------------------------------------------------------------- API

    def page(self, path, items, query):
        """Laravel's paginator; with `overlap`, a page begins with the end of the one before, as when rows move."""
        number = int(query.get("page", "1") or "1")
        size = int(query.get("page_size", self.page_size))
        start = (number - 1) * size
        more = start + size < len(items)
        rest = {k: v for k, v in query.items() if k != "page"}
        url = f"{self.base}{path}?{urllib.parse.urlencode({**rest, 'page': number + 1})}"
        return 200, {"results": {"current_page": number, "data": items[max(0, start - self.overlap):start + size], "per_page": size,
                                 "total": len(items), "next_page_url": url if more else None}}

    def list(self, path, query):
        with self.lock:
            newest = sorted(self.reports.values(), key=lambda r: -r["complaint_id"])
            return self.page(path, [{k: v for k, v in r.items() if k not in ("entries", "logs")} for r in newest], query)

    def detail(self, ident):
        with self.lock:
            r = self.reports.get(ident)
            if r is None:
                return 200, {"message": "Laporan tidak ditemukan"}  # no "results"
            data = {k: r[k] for k in ("status_code", "status_name", "title", "content", "created_at", "is_anonymous", "is_secret")}
            return 200, {"results": {"data": {**data, "disposition_id": OWN["id"], "disposition_name": OWN["name"],
                                              "status_logs": r["logs"]}, "data_logs": r["logs"]}}

    def reply(self, form):
        ident = text_of(form, "complaint_id")
        missing = [n for n in ("user_id", "institution_from_id", "institution_to_id", "content") if not text_of(form, n)]
        if ident not in self.reports or missing:
            return 422, {"message": "The given data was invalid.", "errors": {n: ["required"] for n in missing}}
        attachments = {}
        for name, value in form.items():
            if re.fullmatch(r"attachment\[\d+\]", name):
                at = f"files/{self.next_id()}"
                self.files[at] = value["bytes"]
                attachments[str(len(attachments))] = {"path": at, "file_name": value["filename"],
                                                      "extension": value["filename"].rsplit(".")[-1]}
        told = text_of(form, "attachments")
        if told:  # the oddity: "[1,2]." in a string
            found = re.fullmatch(r"\[(\d+(?:,\d+)*)\]\.", told)
            if not found or any(int(i) not in self.uploads for i in found[1].split(",")):
                return 422, {"message": "attachments"}
            attachments["docs"] = [self.uploads[int(i)] for i in found[1].split(",")]
        who = {"id": int(text_of(form, "institution_from_id")), "name": OWN["name"]}
        n = self.entry(ident, content=text_of(form, "content"), institution_from_id=who, attachments=attachments)
        return 200, {"results": {"id": n}, "message": "success"}

    def upload(self, form):
        images, docs = [], []
        for value in form.get("attachments[]", {}).get("all", []):
            n, name = self.next_id(), value["filename"]
            self.files[f"files/{n}"] = value["bytes"]
            self.uploads[n] = {"path": f"files/{n}", "file_name": name, "extension": name.rsplit(".")[-1]}
            (images if name.lower().endswith((".jpg", ".jpeg", ".png")) else docs).append({"id": n})
        return 200, {"results": {"images": images, "docs": docs}}

    def create(self, o):
        if not o.get("title") or not o.get("content"):
            return 422, {"message": "The given data was invalid."}
        return 200, {"complaint_id": int(self.file(o.get("nameUser", "?"), o["title"], o["content"]))}

    def reject(self, ident, o):
        if ident not in self.reports or o.get("is_request") != 1 or not o.get("reason"):
            return 422, {"message": "The given data was invalid."}
        self.status(ident, "Ditolak")
        return 200, {"message": "success"}

    def route(self, method, path, query, body, headers):
        """(name, work)"""
        kind = headers.get("Content-Type", "")

        def read_json():
            return json.loads(body or b"{}")

        parts = path.strip("/").split("/")
        if path == f"/complaints/institution/{OWN['id']}":
            return "list", lambda: self.list(path, query)
        if path == "/masters/institutions/external":
            return "institutions", lambda: self.page(path, [OWN, ADMIN], query)
        if path == "/complaints/followup/add" and method == "POST":
            form = form_of(kind, body) if kind.startswith("multipart/") else {k: {"text": v} for k, v in read_json().items()}
            return "reply", lambda: self.reply(form)
        if path == "/complaints/complaint/file" and method == "POST":
            return "upload", lambda: self.upload(form_of(kind, body))
        if path in ("/complaints/complaint", "/complaints/complaint-lmw") and method == "POST":
            return "create", lambda: self.create(read_json())
        if parts[:2] == ["complaints", "process"] and parts[3:] == ["reject"]:
            return "reject", lambda: self.reject(parts[2], read_json())
        if parts[0] == "complaints" and parts[2:] == ["complaint"]:
            return "detail", lambda: self.detail(parts[1])
        if parts[0] == "complaints" and parts[2:] == ["followups"] and parts[1] in self.reports:
            return "followups", lambda: self.page(path, list(self.reports[parts[1]]["entries"]), query)
        return "nothing", lambda: (404, {"message": "Not Found"})


def paths_of(names):
    """The oddity: an object with numeric keys, and documents under a key of their own."""
    found = {}
    for i, n in enumerate(names):
        one = {"path": f"files/{n}", "file_name": n, "extension": n.rsplit(".")[-1]}
        if n.endswith((".pdf", ".doc", ".docx")):
            found.setdefault("docs", []).append(one)
        else:
            found[str(i)] = one
    return found


def files_of(attachments):
    for v in attachments.values():
        yield from v if isinstance(v, list) else [v]


def text_of(form, name):
    value = form.get(name, {}).get("text")
    return value if isinstance(value, str) else ""


def form_of(kind, body):
    """{name: {"text"} or {"bytes", "filename"}}, "all": every part of that name."""
    whole = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    form = {}
    for part in whole.get_payload():
        name = part.get_param("name", header="content-disposition")
        one = {"bytes": part.get_payload(decode=True), "filename": part.get_filename()}
        if one["filename"] is None:
            one["text"] = one["bytes"].decode()
        form.setdefault(name, {"all": []}).update(one)
        form[name]["all"].append(one)
    return form


CONTROLS = {
    "file": lambda x, o: {"id": x.file(o["name"], o["title"], o["text"], o.get("anonymous", False), o.get("secret", False))},
    "say": lambda x, o: {"id": x.say(o["id"], o["text"])},
    "status": lambda x, o: x.status(o["id"], o["name"]),
    "fault": lambda x, o: x.fault(**o),
    "refuse": lambda x, o: setattr(x, "refuse", bool(o["on"])),
    "reports": lambda x, o: {"reports": [{"id": i, "name": r["reporter_name"], "title": r["title"], "text": r["content"],
                                          "status": r["status_name"], "at": r["created_at"], "followups": x.followups(i)}
                                         for i, r in x.reports.items()]},
}


def handler_of(x):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def answer(self, status, body, kind="application/json", more=()):
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in [("Content-Type", kind), ("Content-Length", str(len(body))), *more]:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def control(self, name, query, body):
            if name == "file" and self.command == "GET":
                self.answer(200, x.files.get(query.get("id", ""), b""), "application/octet-stream")
            elif name in CONTROLS:
                self.answer(200, CONTROLS[name](x, json.loads(body or b"{}")) or {})
            else:
                self.answer(404, {"message": name})

        def spoil(self, fault, work):
            """What a faulty portal or the proxy before it answers."""
            do = fault["do"]
            if do in ("cut-before", "cut-after"):
                if do == "cut-after":
                    work()
                raise Cut
            if do == "500-accepted":
                work()
                self.answer(500, {"message": "Server Error"})
            elif do == "error":
                self.answer(fault.get("status", 500), fault.get("body", {"message": "Server Error"}))
            elif do == "html":
                self.answer(502, b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>", "text/html")
            elif do == "redirect":
                self.answer(302, b"", "text/html", [("Location", self.path)])
            elif do == "message":
                self.answer(200, {"message": "Data tidak tersedia"})
            elif do == "truncated":
                self.answer(200, json.dumps(work()[1]).encode()[:-20])
            elif do == "slow":
                self.slow(json.dumps(work()[1]).encode(), fault.get("seconds", 60))

        def slow(self, body, seconds):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            end, at = time.monotonic() + seconds, 0
            while at < len(body):
                self.wfile.write(body[at:at + 1])
                self.wfile.flush()
                at += 1
                time.sleep(max(0.0, min(0.2, end - time.monotonic())))

        def serve(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            url = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
            if url.path.startswith("/control/"):
                self.control(url.path[9:], query, body)
                return
            path = url.path[len(ROOT):] if url.path.startswith(ROOT + "/") else "/"
            name, work = x.route(self.command, path, query, body, self.headers)
            good = not x.refuse and [self.headers.get("auth"), self.headers.get("token")] == ["Bearer " + x.values[0], x.values[1]]
            with x.lock:
                x.requests.append({"on": name, "method": self.command, "path": path, "query": query, "body": body, "known": good})
            if not good:
                self.answer(401, {"message": "Unauthenticated."})
                return
            fault = x.take_fault(name)
            if fault["do"]:
                self.spoil(fault, work)
            else:
                self.answer(*work())

        def handle_one(self):
            try:
                self.serve()
            except (Cut, BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        do_GET = do_POST = handle_one

    return Handler


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--port", type=int, default=9205)
    p.add_argument("--auth")
    p.add_argument("--token")
    o = p.parse_args()
    x = Lapor(port=o.port)
    x.values = [o.auth or x.values[0], o.token or x.values[1]]
    x.server.serve_forever()


if __name__ == "__main__":
    main()
