"""followers.py: the citizens on social media: what they write in public and in private, and what came back where."""
from citizen import attachment_of

KINDS = ("image", "video", "audio")
CHAT = ("id", "at", "status", "reply_to", "type")


class Follower:
    """A citizen at one of Meta's stand-ins (tests/rig/social.py)."""

    ways = ("comment",)  # of writing in public

    def __init__(self, person, stand):
        self.person, self.stand, self.ident = person, stand, person["id"]
        stand.person(self.ident, person["name"], person["username"])

    def write(self, text, subject=None, file=None, reply_to=None):
        given = attachment_of(file)
        if not given:
            return self.stand.write(self.ident, text, reply_to=reply_to)
        name, mime, content = given
        kind = mime.split("/")[0] if mime.split("/")[0] in KINDS else "file"
        return self.stand.write(self.ident, text or None, type=kind, media=content, mime=mime, filename=name, reply_to=reply_to)

    def write_public(self, text, way="comment", reply_to=None):
        above = self.stand.comments.get(reply_to)
        return self.stand.comment(self.ident, text, parent=reply_to, post=above["post"] if above else None)

    def thread(self):
        return [{**{k: m.get(k) for k in CHAT}, "mine": m["side"] == "citizen", "text": m.get("text") or "",
                 "private_reply_to": m.get("private_reply_to"),
                 "files": [{"name": m.get("filename") or m["type"], "type": m.get("mime"),
                            "url": f"/file/{self.person['key']}/{m['media_id']}"}] if m.get("media_id") else []}
                for m in self.stand.thread(self.ident)]

    def home(self):
        """The office's own post, under which comments are written."""
        return self.stand.media_id

    def public(self):
        """[{"post": {"id", "name", "text"}, "comments": […]}]: the office's own post first, then the citizen's posts."""
        said = [c for c in self.stand.public() if not c["gone"]]
        mine = [p for p, post in list(self.stand.posts.items()) if post["from"] == self.ident]
        return [{"post": {"id": post, "name": self.stand.posts[post]["name"], "text": self.stand.posts[post]["text"],
                          "mine": post in mine},
                 "comments": [self.shown(c) for c in said if c["post"] == post and c["id"] != post]}
                for post in [self.home(), *mine]]

    def shown(self, c):
        return {"id": c["id"], "mine": c["from"] == self.ident, "ours": c["from"] == self.stand.account_id, "name": c["name"],
                "text": c["text"], "at": int(c["at"] * 1000), "reply_to": c["parent"], "files": []}

    def window_until(self):
        p = self.stand.people.get(self.ident)
        return int((p.last_action + 24 * 3600) * 1000) if p and p.last_action else None

    def read(self):
        self.stand.read(self.ident)

    def file(self, key):
        media = self.stand.media.get(key)
        return (media.get("filename") or "berkas", media["mime"], media["bytes"]) if media else None


class PageFollower(Follower):
    """On Facebook a citizen also posts on the page itself, and reviews it."""

    ways = ("comment", "post", "review")

    def home(self):
        return self.stand.post_id

    def write_public(self, text, way="comment", reply_to=None):
        if way == "post":
            return self.stand.visitor_post(self.ident, text)
        if way == "review":
            review = self.stand.review(self.ident, text)
            self.stand.posts[review] = {"from": self.ident, "name": "★ " + self.person["name"], "text": text}
            return review
        return super().write_public(text, way, reply_to)
