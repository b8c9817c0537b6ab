#!/usr/bin/python3
"""A stand-in for an Instagram professional account, in both login flavours: direct messages, comments, mentions.

Written from platforms/instagram.md. social.py says what it can beside this:

    with Instagram(hook="http://127.0.0.1:8081/hook/ig", login="instagram") as ig:
        ig.api, ig.account_id, ig.media_id               # one post of the account is there from the start
        ig.comment("990…", "Belum sampai", shape="flat") # "changes" | "flat" | "array": three shapes of one event
        ig.mention("990…", "@kantor tolong")             # elsewhere; the webhook tells ids only (Facebook login)
        ig.story_reply("990…", "text");  ig.story_mention("990…")
        ig.token_made = seconds                          # refresh_access_token wants 24 h
        ig.rotate = True                                 # a refreshed token ends the old one

As a process: python3 instagram.py --port 9202 --hook http://127.0.0.1:8081/hook/ig --token T --app-secret S
    --account-id ID [--login facebook]
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from meta import DAY, GraphError, quietly, serve  # noqa: E402
from social import CONTROLS as COMMON, Social, field_of, time_text  # noqa: E402

REFRESHED = 5183944
IMAGES = ("image/jpeg", "image/png")


class Instagram(Social):
    OBJECT = "instagram"
    FIELDS = ("messages", "message_reactions", "messaging_postbacks", "messaging_seen", "messaging_referral", "message_edit",
              "message_edits", "messaging_optins", "messaging_handover", "standby", "comments", "live_comments", "mentions",
              "story_insights")
    TEXT_MAX = 1000
    TEXT_IN_BYTES = True
    IMAGES_MAX = 10
    MID = "aWdfZAG1faXRlbTpDT05UT0g_"

    def __init__(self, account_id="17841400000000001", login="instagram", page_id="110000000000001", username="kantor.contoh",
                 **more):
        super().__init__(account_id, **more)
        self.login, self.page_id, self.username = login, page_id, username
        self.media_id = "17990000000000001"
        self.posts[self.media_id] = {"from": account_id, "name": username, "text": "Jam layanan kantor kami"}
        self.token_made, self.rotate, self.old_tokens = self.now() - 2 * DAY, False, set()
        self.shape = "changes"

    def other_ids(self):
        return (self.page_id,) if self.login == "facebook" else ()

    def is_good(self, token):
        return token == self.token or token in self.old_tokens

    def edit_count(self, count):
        return str(count)  # as in its documents

    def envelope_of(self, entries):
        body = {"object": self.OBJECT, "entry": [{k: v for k, v in e.items() if k != "array"} for e in entries]}
        return [body] if any(e.get("array") for e in entries) else body

    # ------------------------------------------------------------------ public

    def comment(self, ident, text, name=None, username=None, post=None, parent=None, shape=None, at=None, ad=False,
                product="FEED"):
        with self.lock:
            p = self.person(ident, name, username)
            c = self.keep_comment(ident, p.username, text, post or self.media_id, parent, "1786", at)
            self.tell_comment(c, shape or self.shape, product)
            if ad:  # boosted: the same comment once more, as the ad's
                self.tell_comment(c, shape or self.shape, "AD")
            return c["id"]

    def tell_comment(self, c, shape="changes", product="FEED"):
        media = {"id": c["post"], "media_product_type": product}
        if product == "AD":
            media = {"id": c["post"] + "9", "media_product_type": "AD", "ad_id": "120210000000000001", "ad_title": "Info",
                     "original_media_id": c["post"]}
        value = {"id": c["id"], "from": {"id": c["from"], "username": c["name"]}, "text": c["text"], "media": media}
        if self.login == "facebook" and product == "AD":
            value["comment_id"] = value.pop("id")
        if c["parent"]:
            value["parent_id"] = c["parent"]
        entry = {"id": self.account_id, "time": int(self.now())}
        if shape == "flat":
            entry.update(field="comments", value=value)
        else:
            entry["changes"] = [{"field": "comments", "value": value}]
        if shape == "array":
            entry["array"] = True
        self.emit(entry)

    def remove_comment(self, comment_id):
        self.comments[comment_id]["gone"] = True  # no webhook says so

    def mention(self, ident, text, comment=True, username=None):
        """In a comment (or a caption) elsewhere."""
        with self.lock:
            p = self.person(ident, None, username)
            media_id = self.next_id("1799")
            self.posts[media_id] = {"from": ident, "name": p.username, "text": text if not comment else "foto orang lain"}
            value = {"media_id": media_id}
            c = None
            if comment:
                c = self.keep_comment(ident, p.username, text, media_id, None, "1786")
                value["comment_id"] = c["id"]
            self.change("mentions", value)
            return c["id"] if c else media_id

    # ---------------------------------------------------------------- messages

    def story_reply(self, ident, text):
        media = self.keep_media(b"cerita", "image/jpeg")
        return self.write(ident, text, message={"reply_to": {"story": {"id": "18000000000000009", "url": self.cdn(media)}}})

    def story_mention(self, ident):
        media = self.keep_media(b"cerita", "image/jpeg")
        return self.write(ident, message={"attachments": [{"type": "story_mention", "payload": {"url": self.cdn(media)}}]})

    def check_type(self, kind, mime, size):
        if kind == "image" and (mime not in IMAGES or size > 8_000_000):
            raise GraphError(100, f"Incorrect image {mime}", subcode=2018109)
        if kind == "file" and mime != "application/pdf":
            raise GraphError(100, f"Incorrect attachment type {mime}", subcode=2018109)
        super().check_type(kind, mime, size)

    def after_acceptance(self, p, shown, echo):
        if self.echoes:
            self.tell_echo(p.id, {"mid": shown["id"], "is_echo": True, **echo})

    def read(self, ident):
        with self.lock:
            last = None
            for m in self.people[ident].thread:
                if m["side"] == "office":
                    m["status"], last = "read", m
            if last:
                self.event(ident, read={"mid": last["id"]})

    # ------------------------------------------------------------------- Graph

    def public_answer(self, target, call):
        """POST /{comment}/replies"""
        text = call.parameters().get("message")
        above = self.living(target, "post")
        return self.own_comment(text, above["post"], above["parent"] or target)

    def mention_answer(self, call):
        """POST /{id}/mentions"""
        o = call.parameters()
        if o.get("media_id") not in self.posts:
            raise GraphError(100, "Invalid parameter")
        if o.get("comment_id"):
            self.living(o["comment_id"], "post")
        return self.own_comment(o.get("message"), o["media_id"], o.get("comment_id"))

    def own_comment(self, text, post, parent):
        if not text:
            raise GraphError(100, "The parameter message is required.")
        c = self.keep_comment(self.account_id, self.username, text, post, parent, "1786")
        self.tell_comment(c)
        return {"id": c["id"]}

    def account(self, call):
        fields = call.query.get("fields", "")
        comment, media = field_of(fields, "mentioned_comment"), field_of(fields, "mentioned_media")
        if comment:
            c = self.living(comment)
            return {"id": self.account_id, "mentioned_comment": {"id": c["id"], "text": c["text"], "username": c["name"],
                    "timestamp": time_text(c["at"]), "from": {"id": c["from"], "username": c["name"]},
                    "media": {"id": c["post"]}}}
        if media:
            if media not in self.posts:
                raise GraphError(100, "Unsupported get request.", subcode=33)
            post = self.posts[media]
            return {"id": self.account_id, "mentioned_media": {"id": media, "caption": post["text"], "media_type": "IMAGE",
                                                               "username": post["name"]}}
        return {"id": self.account_id, "user_id": self.account_id, "username": self.username, "name": "Kantor Contoh"}

    def shown(self, ident):
        c = self.living(ident)
        return {"id": c["id"], "text": c["text"], "username": c["name"], "timestamp": time_text(c["at"]), "hidden": c["hidden"],
                "from": {"id": c["from"], "username": c["name"]}, "media": {"id": c["post"]}}

    def refresh(self, query):
        if self.login != "instagram" or query.get("grant_type") != "ig_refresh_token":
            raise GraphError(100, "Invalid parameter")
        if not self.is_good(query.get("access_token")):
            raise GraphError(190, "Error validating access token: Session has expired", 400, subcode=463)
        if self.now() - self.token_made < DAY:
            raise GraphError(100, "The access token is too young to be refreshed")
        if not self.rotate:
            self.old_tokens.add(self.token)
        self.token, self.token_made = self.next_id("token-baru-"), self.now()
        self.token_expires = self.now() + REFRESHED
        return {"access_token": self.token, "token_type": "bearer", "expires_in": REFRESHED}

    def route(self, call, faulty):
        parts = call.parts
        work = self.common_route(call, faulty)
        if work:
            return work()
        if parts == ["refresh_access_token"] and call.method == "GET":
            return faulty("refresh", lambda: self.refresh(call.query))
        if len(parts) == 2 and parts[1] == "replies" and call.method == "POST":
            return faulty("comments", lambda: self.public_answer(parts[0], call))
        if parts in ([self.account_id, "mentions"], ["me", "mentions"]) and call.method == "POST":
            return faulty("comments", lambda: self.mention_answer(call))
        if parts and parts[0] in (self.account_id, "me") and len(parts) == 1 and call.method == "GET":
            mentioned = "mentioned_" in call.query.get("fields", "")
            return faulty("read" if mentioned else "account", lambda: self.account(call))
        if parts == [self.page_id] and call.method == "GET":
            return faulty("account", lambda: {"id": self.page_id, "name": "Kantor Contoh"})
        if len(parts) == 1 and parts[0] in self.people and call.method == "GET":
            p = self.people[parts[0]]
            return faulty("account", lambda: {"id": p.id, "name": p.name, "username": p.username})
        if len(parts) == 1 and call.method == "GET":
            return faulty("read", lambda: self.shown(parts[0]))
        return self.nothing(call)

    def controls(self):
        return CONTROLS


CONTROLS = {
    **COMMON,
    "mention": lambda s, o, _: {"id": s.mention(o["id"], o["text"], username=o.get("username"))},
    "story_reply": lambda s, o, _: {"id": s.story_reply(o["id"], o["text"])},
    "story_mention": lambda s, o, _: {"id": s.story_mention(o["id"])},
    "remove_comment": quietly(lambda s, o, _: s.remove_comment(o["comment"])),
}


def main():
    p = argparse.ArgumentParser(description="Instagram stand-in")
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--hook")
    p.add_argument("--token", default="token-uji")
    p.add_argument("--app-secret", default="rahasia-aplikasi-uji-123")
    p.add_argument("--account-id", default="17841400000000001")
    p.add_argument("--login", choices=("instagram", "facebook"), default="instagram")
    a = p.parse_args()
    serve(Instagram(account_id=a.account_id, login=a.login, hook=a.hook, token=a.token, app_secret=a.app_secret, port=a.port))


if __name__ == "__main__":
    main()
