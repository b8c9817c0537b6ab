"""desk.py: the officer's side of the page: what aduanctl says and does, asked seldom however many pages are open."""
import itertools
import pathlib
import re
import threading
import time

from citizen import attachment_of
from processes import Fault

TICKETS_S, WORK_S = 1, 5
FIELDS = ("channel", "name", "address", "phone", "identity", "subject")
OFFICER = "Petugas bak pasir"


class Desk:
    def __init__(self, office):
        self.office, self.lock = office, threading.Lock()
        self.cases, self.fault, self.asked = [], None, 0.0
        self.waiting, self.waiting_of, self.waiting_asked = [], None, 0.0
        self.shown, self.serial = {}, itertools.count(1)

    def tickets(self):
        with self.lock:
            if time.monotonic() - self.asked > TICKETS_S:
                try:
                    self.cases, self.fault = self.office.ask("tickets"), None
                except (Fault, OSError) as fault:
                    self.fault = str(fault)
                self.asked = time.monotonic()
            return self.cases, self.fault

    def work(self):
        """The work list; asked when a case changed or something was done here, else every few seconds."""
        cases, _ = self.tickets()
        with self.lock:
            if self.waiting_of != cases or time.monotonic() - self.waiting_asked > WORK_S:
                try:
                    self.waiting = self.office.ask("worklist")
                    self.waiting_of, self.waiting_asked = cases, time.monotonic()
                except (Fault, OSError) as fault:
                    self.fault = str(fault)
            return self.waiting

    def changed(self):
        """Something was done here: ask anew."""
        with self.lock:
            self.asked = self.waiting_asked = 0.0
            self.shown.clear()

    def case(self, number):
        """aduanctl show, asked again only when the case or the work list changed."""
        cases, _ = self.tickets()
        known = next((c for c in cases if c["number"] == number), None), [w["id"] for w in self.work()]
        if self.shown.get(number, (None,))[0] != known:
            self.shown[number] = known, self.office.ask("show", number)
        return self.shown[number][1]

    def reply(self, number, text):
        try:
            return self.office.ask("reply", number, "-", text=text)
        finally:
            self.changed()

    # ------------------------------------------------------------------ by hand

    def paper(self, suffix=".html"):
        """A new file to print or to hand over."""
        return self.office.dir / "papers" / f"{int(time.time())}-{next(self.serial)}{suffix}"

    def intake(self, o):
        """What is said at the counter: the answer of aduanctl intake, and where its receipt is."""
        page = self.paper()
        words = [w for k in FIELDS if o.get(k) for w in (f"--{k}", o[k])]
        given = attachment_of(o.get("file"))
        scan = None
        if given:
            scan = self.paper("-" + (re.sub(r"[^\w.-]+", "-", given[0])[-60:] or "berkas"))
            scan.write_bytes(given[2])
            words += ["--attach", str(scan)]
        if o.get("incomplete"):
            words.append("--incomplete")
        try:
            text = (o.get("text") or "").strip()
            words += ["--text", "-"] if text else []
            answer = self.office.ask("intake", *words, "--received-by", OFFICER, "--receipt", str(page), text=text)
        finally:
            if scan:
                scan.unlink()
            self.changed()
        return {**answer, "receipt": f"/paper/{page.name}"}

    def hand(self, o):
        """The work list's show, print, done and failed."""
        ident, verb = o["id"], o["do"]
        if verb == "show":
            return self.office.ask("worklist", "show", ident)
        if verb == "print":
            page = self.paper()
            status, _, error = self.office.ctl("worklist", "print", ident, str(page))
            if status != 0:
                raise Fault(error.strip() or "worklist print")
            return {"url": f"/paper/{page.name}"}
        if verb not in ("done", "failed"):
            raise KeyError(verb)
        more = ["--ref", o["ref"]] if verb == "done" and o.get("ref") else []
        more += ["--reason", o.get("reason") or "tidak dapat disampaikan"] if verb == "failed" else []
        try:
            return self.office.ask("worklist", verb, ident, *more)
        finally:
            self.changed()

    def printed(self, name):
        """The bytes of a page that was printed here, or None."""
        file = self.office.dir / "papers" / pathlib.Path(name).name
        return file.read_bytes() if re.fullmatch(r"[0-9]+-[0-9]+\.html", name) and file.exists() else None
