"""portal.py: SP4N-LAPOR! without an API: citizens file reports, an officer imports them and pastes the answers."""
import csv
import io
import shutil
import threading
import time

from processes import Fault

COLUMNS = ("Tracking ID", "Judul Laporan", "Isi Laporan", "Tanggal", "Nama Pelapor", "Anonim", "Rahasia")
WIB = 7 * 3600


class Portal:
    """What stands at the portal, and what the office's officer does there by hand."""

    def __init__(self, account):
        self.account, self.reports, self.lock = account, [], threading.Lock()
        self.first = 7000000 + int(time.time()) // 10 % 900000  # another at each start: --keep knows the earlier ones

    def file(self, name, title, text):
        with self.lock:
            ident = str(self.first + len(self.reports))
            self.reports.append({"id": ident, "name": name, "title": title, "text": text, "at": time.time(), "number": None,
                                 "answers": []})
            return ident

    def of(self, name):
        with self.lock:
            return [dict(r, answers=list(r["answers"])) for r in self.reports if r["name"] == name]

    def new(self):
        """Reports that nobody imported yet."""
        with self.lock:
            return [{k: r[k] for k in ("id", "title")} for r in self.reports if r["number"] is None]

    def bring(self, ident, desk):
        """An officer takes the portal's list of one report over, as a file."""
        with self.lock:
            report = next((r for r in self.reports if r["id"] == ident), None)
        if report is None:
            raise KeyError(ident)
        page = io.StringIO()
        writer = csv.writer(page, delimiter=";")
        writer.writerow(COLUMNS)
        writer.writerow([ident, report["title"], report["text"],
                         time.strftime("%d-%m-%Y %H:%M:%S", time.gmtime(report["at"] + WIB)), report["name"], "tidak", "tidak"])
        try:
            found = desk.office.ask("import", self.account, "-", text=page.getvalue())["reports"]
        finally:
            desk.changed()
        number = next((r["number"] for r in found if r["id"] == ident and r["number"]), None)
        if number is None:
            raise Fault("belum terbaca, lihat aduanctl status / nothing came of it yet")
        report["number"] = number
        return {"number": number}

    def words(self, ident, desk):
        """What is to be pasted, as aduanctl exports it: checked for names and numbers."""
        folder = desk.paper("-lapor")
        status, _, error = desk.office.ctl("worklist", "export", ident, str(folder))
        try:
            if status != 0:
                raise Fault(error.strip() or "worklist export")
            return (folder / "answer.txt").read_text(encoding="utf-8").strip()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def carry(self, o, desk):
        """The work list; what is done for the portal appears there."""
        item = desk.office.ask("worklist", "show", o["id"]) if o["do"] in ("show", "done") else {}
        if item.get("way") != "paste":
            return desk.hand(o)
        text = self.words(o["id"], desk)
        if o["do"] == "show":
            return {**item, "text": text}
        answer = desk.hand(o)
        with self.lock:
            for r in self.reports:
                if r["number"] == item["number"]:
                    r["answers"].append({"id": o["id"], "text": text, "at": time.time()})
        return answer


class Reporter:
    """A citizen at the portal."""

    def __init__(self, person, portal):
        self.person, self.portal = person, portal

    def write(self, text, subject=None, file=None, reply_to=None):
        return self.portal.file(self.person["name"], subject or text[:80], text)

    def thread(self):
        common = {"files": [], "reply_to": None, "type": "text", "status": None}
        for r in self.portal.of(self.person["name"]):
            yield {**common, "id": r["id"], "mine": True, "subject": r["title"], "text": r["text"], "at": int(r["at"] * 1000),
                   "note": f"Tracking ID {r['id']} · " + (r["number"] or "menunggu kantor / waits for the office")}
            for a in r["answers"]:
                yield {**common, "id": a["id"], "mine": False, "text": a["text"], "at": int(a["at"] * 1000), "carried": True,
                       "name": "Tindak lanjut kantor / the office's follow-up"}

    def read(self):
        pass

    def file(self, key):
        return None
