#!/usr/bin/python3
"""A stand-in for a Facebook page at Graph: Messenger, the feed's comments and posts, ratings; and the citizens' screens.

Written from platforms/messenger.md. social.py says what it can beside this:

    with Facebook(hook="http://127.0.0.1:8081/hook/fb") as fb:
        fb.api, fb.page_id, fb.post_id                   # one post of the page is there from the start
        fb.comment("7700…", "Kecewa")                    # under fb.post_id
        fb.edit_comment(id, "text");  fb.remove_comment(id);  fb.hide_comment(id)
        fb.visitor_post("7700…", "Pelayanan buruk")      # -> post id, a post of the citizen on the page
        fb.like("7700…", reaction="anger")               # of a post
        fb.review("7700…", "Lambat", positive=False)     # -> open_graph_story_id
        fb.mention("7700…", post_id)                     # somebody named the page elsewhere
        fb.receipts = "mids" | "watermark" | None        # what delivery says

As a process: python3 facebook.py --port 9203 --hook http://127.0.0.1:8081/hook/fb --token T --app-secret S --page-id ID
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from meta import GraphError, quietly, serve  # noqa: E402
from social import CONTROLS as COMMON, Social, time_text  # noqa: E402


class Facebook(Social):
    OBJECT = "page"
    FIELDS = ("messages", "message_edits", "messaging_postbacks", "message_reactions", "message_deliveries", "message_reads",
              "message_echoes", "messaging_referrals", "messaging_optins", "messaging_handovers", "standby",
              "messaging_policy_enforcement", "feed", "mention", "ratings")

    def __init__(self, page_id="110000000000001", name="Kantor Contoh", receipts="mids", **more):
        super().__init__(page_id, **more)
        self.page_id, self.name, self.receipts = page_id, name, receipts
        self.post_id = f"{page_id}_200"
        self.posts[self.post_id] = {"from": page_id, "name": name, "text": "Jam layanan kantor kami"}

    # ---------------------------------------------------------------- the feed

    def comment(self, ident, text, name=None, username=None, post=None, parent=None, at=None, hide_author=False):
        with self.lock:
            p = self.person(ident, name, username)
            post = post or self.post_id
            c = self.keep_comment(ident, p.name, text, post, parent, post.split("_")[-1] + "_", at)
            c["hide_author"] = hide_author
            self.tell_comment(c, "add", message=text)
            return c["id"]

    def tell_comment(self, c, verb, **more):
        value = {"item": "comment", "verb": verb, "post_id": c["post"], "comment_id": c["id"],
                 "parent_id": c["parent"] or c["post"], "created_time": int(c["at"]), **more}
        if not c.get("hide_author"):
            value["from"] = {"id": c["from"], "name": c["name"]}
        if verb == "add":
            value["post"] = {"id": c["post"], "status_type": "added_photos", "is_published": True,
                             "permalink_url": "https://www.facebook.com/contoh", "promotion_status": "inactive"}
        self.change("feed", value)

    def edit_comment(self, comment_id, text):
        with self.lock:
            c = self.comments[comment_id]
            c["text"] = text
            self.tell_comment(c, "edited", message=text, edited_time=int(self.now()))

    def remove_comment(self, comment_id):
        with self.lock:
            self.comments[comment_id]["gone"] = True
            self.tell_comment(self.comments[comment_id], "remove")

    def hide_comment(self, comment_id, hide=True):
        with self.lock:
            self.comments[comment_id]["hidden"] = hide
            self.tell_comment(self.comments[comment_id], "hide" if hide else "unhide")

    def visitor_post(self, ident, text, name=None):
        with self.lock:
            p = self.person(ident, name)
            post = self.keep_comment(ident, p.name, text, None, None, self.page_id + "_")
            post["post"] = post["id"]
            self.posts[post["id"]] = {"from": ident, "name": p.name, "text": text}
            self.change("feed", {"item": "post", "verb": "add", "post_id": post["id"], "message": text,
                                 "created_time": int(self.now()), "from": {"id": ident, "name": p.name}})
            return post["id"]

    def like(self, ident, post=None, reaction="like", verb="add"):
        with self.lock:
            p, post = self.person(ident), post or self.post_id
            self.change("feed", {"item": "reaction", "verb": verb, "post_id": post, "parent_id": post,
                                 "reaction_type": reaction, "created_time": int(self.now()),
                                 "from": {"id": ident, "name": p.name}})

    def review(self, ident, text, positive=False, name=None):
        with self.lock:
            p = self.person(ident, name)
            story = self.keep_comment(ident, p.name, text, None, None, "5006")
            story["post"] = story["id"]
            self.change("ratings", {"item": "rating", "verb": "add", "reviewer_id": ident, "reviewer_name": p.name,
                                    "open_graph_story_id": story["id"], "review_text": text, "created_time": int(self.now()),
                                    "recommendation_type": "positive" if positive else "NEGATIVE"})
            return story["id"]

    def mention(self, ident, post, comment_id=None):
        with self.lock:
            value = {"post_id": post, "item": "comment" if comment_id else "post", "verb": "add", "sender_id": ident,
                     "sender_name": self.person(ident).name, "created_time": int(self.now())}
            if comment_id:
                value["comment_id"] = comment_id
            self.change("mention", value)

    # --------------------------------------------------------------- Messenger

    def after_acceptance(self, p, shown, echo):
        if self.echoes:
            message = {"mid": shown["id"], "is_echo": True, "app_id": int(self.app_id), **echo}
            if shown["metadata"]:
                message["metadata"] = shown["metadata"]
            self.tell_echo(p.id, message)
        if self.receipts:
            delivery = {"watermark": int(self.now() * 1000)}
            if self.receipts == "mids":
                delivery["mids"] = [shown["id"]]
            shown["status"] = "delivered"
            self.event(p.id, delivery=delivery)

    def read(self, ident):
        with self.lock:
            for m in self.people[ident].thread:
                if m["side"] == "office":
                    m["status"] = "read"
            self.event(ident, read={"watermark": int(self.now() * 1000)})

    # ------------------------------------------------------------------- Graph

    def public_answer(self, target, call):
        """POST /{comment or post}/comments: shown in public, and it comes back by the feed."""
        text = call.parameters().get("message")
        if not text:
            raise GraphError(100, "The parameter message is required.")
        if target in self.posts:
            post, parent = target, None
        else:
            above = self.living(target, "post")
            post, parent = above["post"], target
        c = self.keep_comment(self.page_id, self.name, text, post, parent, post.split("_")[-1] + "_")
        self.tell_comment(c, "add", message=text)
        return {"id": c["id"]}

    def shown(self, ident):
        c = self.living(ident)
        return {"id": c["id"], "message": c["text"], "from": {"id": c["from"], "name": c["name"]}, "is_hidden": c["hidden"]}

    def answers_under(self, target):
        """GET /{comment or post}/comments, newest first."""
        if target not in self.posts:
            self.living(target)
        under = [c for c in self.comments.values() if not c["gone"] and
                 (c["parent"] == target or (target == c["post"] and target != c["id"]))]
        return {"data": [{"id": c["id"], "message": c["text"], "from": {"id": c["from"], "name": c["name"]},
                          "created_time": time_text(c["at"])} for c in reversed(under)]}

    def set_hidden(self, ident, call):
        c = self.living(ident, "post")
        c["hidden"] = str(call.parameters().get("is_hidden")).lower() == "true"
        return {"success": True}

    def route(self, call, faulty):
        parts = call.parts
        work = self.common_route(call, faulty)
        if work:
            return work()
        if len(parts) == 2 and parts[1] == "comments" and call.method == "POST":
            return faulty("comments", lambda: self.public_answer(parts[0], call))
        if len(parts) == 2 and parts[1] == "comments" and call.method == "GET":
            return faulty("read", lambda: self.answers_under(parts[0]))
        if parts in ([self.page_id], ["me"]) and call.method == "GET":
            return faulty("account", lambda: {"id": self.page_id, "name": self.name})
        if len(parts) == 1 and parts[0] in self.people and call.method == "GET":
            return faulty("account", lambda: {"id": parts[0], "first_name": self.people[parts[0]].name, "last_name": ""})
        if len(parts) == 1 and call.method == "GET":
            return faulty("read", lambda: self.shown(parts[0]))
        if len(parts) == 1 and call.method == "POST":
            return faulty("comments", lambda: self.set_hidden(parts[0], call))
        return self.nothing(call)

    def controls(self):
        return CONTROLS


CONTROLS = {
    **COMMON,
    "edit_comment": quietly(lambda s, o, _: s.edit_comment(o["comment"], o["text"])),
    "remove_comment": quietly(lambda s, o, _: s.remove_comment(o["comment"])),
    "hide_comment": quietly(lambda s, o, _: s.hide_comment(o["comment"], o.get("hide", True))),
    "like": quietly(lambda s, o, _: s.like(o["id"], o.get("post"), o.get("reaction", "like"))),
    "post": lambda s, o, _: {"id": s.visitor_post(o["id"], o["text"], o.get("name"))},
    "review": lambda s, o, _: {"id": s.review(o["id"], o["text"], o.get("positive", False), o.get("name"))},
}


def main():
    p = argparse.ArgumentParser(description="Facebook page stand-in")
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--hook")
    p.add_argument("--token", default="token-uji")
    p.add_argument("--app-secret", default="rahasia-aplikasi-uji-123")
    p.add_argument("--page-id", default="110000000000001")
    a = p.parse_args()
    serve(Facebook(page_id=a.page_id, hook=a.hook, token=a.token, app_secret=a.app_secret, port=a.port))


if __name__ == "__main__":
    main()
