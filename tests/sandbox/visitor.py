"""visitor.py: the citizen who comes by person: at the counter, by telephone, letter or suggestion box."""
import time

from processes import Fault


class Visitor:
    """What was logged here with aduanctl intake, the receipts, and what officers carried over since."""

    fields = ("channel", "name", "address", "phone", "identity")

    def __init__(self, person, desk):
        self.person, self.desk = person, desk
        self.said = []

    def intake(self, o):
        answer = self.desk.intake(o)
        self.said.append({"number": answer["number"], "text": o.get("text") or "", "at": int(time.time() * 1000),
                          "channel": o["channel"], "receipt": answer["receipt"],
                          "file": (o.get("file") or {}).get("name"), "missing": answer.get("missing") or [],
                          "words": answer["receipt_id"]["text"]})
        return answer

    def write(self, text, subject=None, file=None, reply_to=None):
        return self.intake({"channel": "counter", "name": self.person["name"], "identity": "KTP", "text": text,
                            "subject": subject, "file": file})["number"]

    def thread(self):
        return [m for s in list(self.said) for m in self.of_one(s)]

    def of_one(self, s):
        common = {"files": [], "reply_to": None, "type": "text", "status": None, "via": s["channel"]}
        yield {**common, "id": s["number"], "mine": True, "text": s["text"], "at": s["at"],
               "note": f"lampiran / attachment: {s['file']}" if s["file"] else None}
        yield {**common, "id": s["number"] + "-r", "mine": False, "text": s["words"], "at": s["at"], "auto": True,
               "files": [{"name": f"Tanda terima / receipt {s['number']}", "type": "text/html", "url": s["receipt"]}]}
        try:
            answers = [m for m in self.desk.case(s["number"])["messages"] if m["direction"] == "out" and m["status"] == "sent"]
        except (Fault, OSError):
            return
        for m in answers:
            yield {**common, "id": m["id"], "mine": False, "text": m["text"], "at": s["at"], "carried": True}

    def read(self):
        pass

    def file(self, key):
        return None
