"""xfollower.py: a citizen on X: posts that name the office, replies, and direct messages."""
import calendar
import time

from citizen import attachment_of
from processes import Fault


def milliseconds(stamp):
    return calendar.timegm(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S")) * 1000


class XFollower:
    ways = ("mention",)

    def __init__(self, person, x):
        self.person, self.x, self.ident = person, x, person["id"]
        x.person(self.ident, person["name"])["username"] = person["username"]

    def write(self, text, subject=None, file=None, reply_to=None):
        given = attachment_of(file)
        if given and not given[1].startswith("image/"):
            raise Fault("Pesan langsung X hanya membawa gambar / a direct message of X carries pictures only")
        return self.x.write(self.ident, text, media=given[2] if given else None)

    def write_public(self, text, way="mention", reply_to=None):
        """A reply names the office by itself; a post of its own has to."""
        handle = "@" + self.x.handle
        if not reply_to and handle not in text:
            text = f"{handle} {text}"
        return self.x.post(self.ident, text, reply_to=reply_to, mention=handle in text)

    def thread(self):
        return [{"id": d["id"], "mine": d["side"] == "citizen", "text": d.get("text") or "", "at": milliseconds(d["created_at"]),
                 "status": "sent", "reply_to": None, "type": "text",
                 "files": [{"name": "gambar", "type": "image/jpeg", "url": f"/file/{self.person['key']}/{key}"}
                           for key in [*([d["media"]] if "media" in d else []), *d.get("files", [])]]}
                for d in self.x.thread(self.ident)]

    def public(self):
        """One group for each conversation this citizen began."""
        said = [p for p in self.x.public() if not p.get("gone")]
        roots = [p for p in said if p["author_id"] == self.ident and p["conversation_id"] == p["id"]]
        return [{"post": {"id": r["id"], "name": "@" + self.person["username"], "text": r["text"], "mine": True,
                          "at": milliseconds(r["created_at"])},
                 "comments": [self.shown(p) for p in said if p["conversation_id"] == r["id"] and p is not r]} for r in roots]

    def shown(self, p):
        above = next((r["id"] for r in p.get("referenced_tweets", []) if r["type"] == "replied_to"), None)
        ours = p["author_id"] == self.x.user_id
        name = "@" + (self.x.handle if ours else self.x.people[p["author_id"]]["username"])
        return {"id": p["id"], "mine": p["author_id"] == self.ident, "ours": ours, "name": name, "text": p["text"],
                "at": milliseconds(p["created_at"]), "reply_to": above, "files": []}

    def read(self):
        pass

    def file(self, key):
        content = self.x.media.get(key) or self.x.uploads.get(key, {}).get("bytes")
        return ("gambar.jpg", "image/jpeg", content) if content else None
