"""portal_api.py: SP4N-LAPOR! with an API (tests/rig/lapor.py), and a citizen there: reports, follow-ups, what the office says."""
import calendar
import time

import lapor as lapor_rig

WIB = 7 * 3600


def milliseconds(stamp):
    """Its times have no zone."""
    return (calendar.timegm(time.strptime(stamp, "%d-%m-%Y %H:%M:%S")) - WIB) * 1000


class Lapor(lapor_rig.Lapor):
    """The stand-in, with ids that an earlier start did not give (--keep), and a token as the others have one."""

    def __init__(self):
        super().__init__()
        self.counter = 8000000 + int(time.time()) // 10 % 900000

    @property
    def token(self):
        return self.values[1]

    @token.setter
    def token(self, value):
        self.values[1] = value


class ApiReporter:
    def __init__(self, person, lapor):
        self.person, self.lapor = person, lapor

    def write(self, text, subject=None, file=None, reply_to=None):
        if reply_to:
            return str(self.lapor.say(reply_to.split(":")[0], text))
        return self.lapor.file(self.person["name"], subject or text[:80], text)

    def thread(self):
        common = {"files": [], "reply_to": None, "type": "text", "status": None}
        for ident, r in list(self.lapor.reports.items()):
            if r["reporter_name"] != self.person["name"]:
                continue
            yield {**common, "id": ident, "mine": True, "subject": r["title"], "text": r["content"],
                   "at": milliseconds(r["created_at"]), "note": f"Tracking ID {ident}"}
            for f in self.lapor.followups(ident):
                ours = f["side"] == "office"
                yield {**common, "id": f"{ident}:{f['id']}", "mine": not ours, "text": f["text"] or "", "at": milliseconds(f["at"]),
                       "name": "Tindak lanjut kantor / the office's follow-up" if ours else None}

    def read(self):
        pass

    def file(self, key):
        return None
