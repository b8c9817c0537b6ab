"""What Instagram's and Messenger's stand-ins share: people, private chats, public comments, the Send API and its windows.

Written from platforms/instagram.md and messenger.md, not from our parser. A citizen has one id everywhere; what they see
is kept apart: thread(id) is the private chat, public(post) what stands under a post.

    s.write("7700…", "Halo")                        # -> mid; also media=b"…", type="image", reply_to=mid, message={…}
    s.event("7700…", postback={…}, opens=True)      # any other messaging event
    s.edit(mid, "text");  s.unsend(mid);  s.react("7700…", mid, "love");  s.read("7700…")
    s.comment("7700…", "Kecewa", post=…, parent=…)  # -> comment id, in public
    s.thread("7700…")                               # [{"id", "side": "citizen" | "office", "text", "type", "media_id",
                                                    #   "at", "status", "reply_to", "tag", "metadata", "private_reply_to"}]
    s.public(post)                                  # [{"id", "from", "name", "text", "parent", "post", "at", "gone",
                                                    #   "hidden", "replied"}]
    s.echo("7700…", "typed in the app")             # somebody of the office wrote there, past us
    s.unsubscribe()                                 # as after an hour of failures: no webhook until it is put back
    s.lost                                          # how many events that cost

Faults: on = "messages" | "upload" | "comments" (public answers) | "read" (GET of comments, mentions) | "account" |
    "subscribed" | "refresh" | "debug" | "conversations" | "bytes".
"""
import datetime
import json
import re

from meta import CONTROLS as COMMON, DAY, GraphError, Meta, media_of, quietly

KINDS = ("image", "audio", "video", "file")
MIMES = {"image": "image/jpeg", "video": "video/mp4", "audio": "audio/mp4", "file": "application/pdf"}


class Person:
    def __init__(self, ident, name, username):
        self.id, self.name, self.username = ident, name, username
        self.thread = []
        self.last_action = 0.0  # opens the window


class Social(Meta):
    TEXT_MAX = 2000
    TEXT_IN_BYTES = False
    MEDIA_MAX = 25_000_000
    IMAGES_MAX = 30
    MID = "m_"

    def __init__(self, account_id, hook=None, app_id="1517776481860111", echoes=True, human_agent=True, **more):
        super().__init__(hook, **more)
        self.account_id, self.app_id = account_id, app_id
        self.echoes = echoes            # message_echoes are subscribed
        self.human_agent = human_agent  # the feature is approved
        self.standby = False            # another app owns the threads
        self.subscribed = list(self.FIELDS)  # None: not installed
        self.lost = 0
        self.people, self.posts, self.comments = {}, {}, {}

    # --------------------------------------------------------------- webhooks

    def emit(self, entry):
        with self.lock:
            if self.subscribed is None:
                self.lost += 1
                return
            self.deliver(entry)

    def unsubscribe(self):
        with self.lock:
            self.subscribed = None

    def messaging(self, event, ours=False):
        key = "standby" if self.standby and not ours else "messaging"
        self.emit({"id": self.account_id, "time": int(self.now() * 1000), key: [event]})

    def change(self, field, value):
        self.emit({"id": self.account_id, "time": int(self.now()), "changes": [{"field": field, "value": value}]})

    # ----------------------------------------------------------------- people

    def person(self, ident, name=None, username=None):
        with self.lock:
            p = self.people.get(ident)
            if p is None:
                p = self.people[ident] = Person(ident, name or f"Warga {len(self.people) + 1}", username or f"warga{ident[-4:]}")
            p.name, p.username = name or p.name, username or p.username
            return p

    def event(self, ident, opens=False, at=None, **body):
        """A messaging event of this person."""
        with self.lock:
            p = self.person(ident)
            at = at if at is not None else self.now()
            if opens:
                p.last_action = max(p.last_action, at)
            self.messaging({"sender": {"id": ident}, "recipient": {"id": self.account_id}, "timestamp": int(at * 1000), **body})

    def write(self, ident, text=None, name=None, username=None, type=None, media=None, mime=None, filename=None, reply_to=None,
              message=None, at=None):
        """A citizen writes privately. message: further keys of the message object. Returns the mid."""
        with self.lock:
            p = self.person(ident, name, username)
            mid = self.next_id(self.MID)
            shown = {"id": mid, "side": "citizen", "type": type or "text", "text": text or "", "status": "sent",
                     "at": int((at if at is not None else self.now()) * 1000), "reply_to": reply_to}
            body = {"mid": mid}
            if text:
                body["text"] = text
            if media is not None:
                media_id = self.keep_media(media, mime or MIMES.get(type, "image/jpeg"), filename)
                shown.update(media_id=media_id, mime=self.media[media_id]["mime"], filename=filename)
                body["attachments"] = [{"type": type or "image", "payload": {"url": self.cdn(media_id)}}]
            if reply_to:
                body["reply_to"] = {"mid": reply_to}
            body.update(message or {})
            p.thread.append(shown)
            self.event(ident, opens=True, at=at, message=body)
            return mid

    def keep_media(self, content, mime, filename=None):
        media_id = self.next_id("18")
        self.media[media_id] = {"bytes": content, "mime": mime, "at": self.now(), "filename": filename}
        return media_id

    def cdn(self, media_id):
        return f"{self.base}/cdn/{media_id}?asset_id={media_id}&signature=CONTOH"

    def said(self, mid):
        return next((p, m) for p in self.people.values() for m in p.thread if m["id"] == mid)

    def edit(self, mid, text, count=1):
        p, m = self.said(mid)
        m["text"] = text
        self.event(p.id, message_edit={"mid": mid, "text": text, "num_edit": self.edit_count(count)})

    def edit_count(self, count):
        return count

    def unsend(self, mid):
        p, m = self.said(mid)
        m.update(text="", status="unsent")
        self.event(p.id, message={"mid": mid, "is_deleted": True})

    def react(self, ident, mid, reaction="love", emoji="\u2764"):
        body = {"mid": mid, "action": "react" if reaction else "unreact"}
        if reaction:
            body.update(reaction=reaction, emoji=emoji)
        self.event(ident, opens=True, reaction=body)

    def thread(self, ident):
        with self.lock:
            return [dict(m) for m in self.people[ident].thread] if ident in self.people else []

    def echo(self, ident, text):
        """Typed by the office in Meta's own inbox."""
        with self.lock:
            mid = self.next_id(self.MID + "app")
            self.person(ident).thread.append({"id": mid, "side": "office", "type": "text", "text": text, "status": "sent",
                                              "at": int(self.now() * 1000), "reply_to": None})
            self.tell_echo(ident, {"mid": mid, "is_echo": True, "text": text})
            return mid

    def tell_echo(self, ident, message):
        self.messaging({"sender": {"id": self.account_id}, "recipient": {"id": ident}, "timestamp": int(self.now() * 1000),
                        "message": message}, ours=True)

    # ----------------------------------------------------------------- public

    def public(self, post=None):
        with self.lock:
            return [dict(c) for c in self.comments.values() if post is None or c["post"] == post]

    def keep_comment(self, ident, name, text, post, parent, prefix, at=None):
        comment_id = self.next_id(prefix)
        c = {"id": comment_id, "from": ident, "name": name, "text": text, "parent": parent, "post": post, "gone": False,
             "hidden": False, "replied": False, "at": at if at is not None else self.now()}
        self.comments[comment_id] = c
        return c

    def living(self, comment_id, method="get"):
        c = self.comments.get(comment_id)
        if c is None or c["gone"]:
            raise GraphError(100, f"Unsupported {method} request. Object with ID '{comment_id}' does not exist, cannot be loaded "
                             "due to missing permissions, or does not support this operation", subcode=33)
        return c

    # --------------------------------------------------------------- Send API

    def accept(self, call):
        """The checks of POST /messages, then the citizen's phone shows it. Returns the answer."""
        o = self.send_parameters(call)
        target, comment = self.recipient(o.get("recipient") or {})
        if o.get("sender_action"):
            return {"recipient_id": target.id}
        message = o.get("message")
        if not isinstance(message, dict):
            raise GraphError(100, "The parameter message is required.")
        self.check_window(o, target, comment)
        shown = {"id": self.next_id(self.MID + "out"), "side": "office", "type": "text", "text": "", "status": "sent",
                 "at": int(self.now() * 1000), "reply_to": (o.get("reply_to") or {}).get("mid"), "tag": o.get("tag"),
                 "metadata": message.get("metadata"), "private_reply_to": comment and comment["id"]}
        echo = self.check_content(message, call, shown)
        if len(message.get("metadata", "")) > 1000:
            raise GraphError(100, "Length of param message[metadata] must be less than or equal to 1000")
        if comment:
            comment["replied"] = True
        target.thread.append(shown)
        self.after_acceptance(target, shown, echo)
        answer = {"recipient_id": target.id, "message_id": shown["id"]}
        return answer

    @staticmethod
    def send_parameters(call):
        o = call.parameters()
        for key in ("recipient", "message", "reply_to"):
            if isinstance(o.get(key), str):
                o[key] = json.loads(o[key])
        return o

    def recipient(self, r):
        """(person, comment): a comment when this is its private reply."""
        if r.get("id"):
            if r["id"] not in self.people or not self.people[r["id"]].last_action:
                raise GraphError(100, "No matching user found", subcode=2018001)
            return self.people[r["id"]], None
        comment_id = r.get("comment_id") or r.get("post_id")
        if not comment_id:
            raise GraphError(100, "The parameter recipient is required.")
        c = self.living(comment_id, "post")
        if c["replied"]:
            raise GraphError(10900, "Activity already replied to")
        if c["from"] == self.account_id:
            raise GraphError(100, "Invalid parameter")
        return self.person(c["from"], c["name"]), c

    def check_window(self, o, p, comment):
        kind, tag = o.get("messaging_type", "RESPONSE"), o.get("tag")
        if kind == "MESSAGE_TAG" and tag != "HUMAN_AGENT":
            raise GraphError(100, "(#100) Param tag must be one of {HUMAN_AGENT}")
        if self.standby:
            raise GraphError(10, "Message failed to send because another app is controlling this thread now.", 403,
                             subcode=2018300)
        if comment:
            if self.now() - comment["at"] > 7 * DAY:
                raise GraphError(10, "This message is sent outside of allowed window.", 403, subcode=2018278)
            return
        if tag and not self.human_agent:
            raise GraphError(10, "Application does not have permission for this action", 403)
        if self.now() - p.last_action > (7 * DAY if tag else DAY):
            raise GraphError(10, "This message is sent outside of allowed window.", 403, subcode=2018278)

    def check_content(self, message, call, shown):
        """Fills what the phone shows; returns what the echo adds."""
        given = [k for k in ("text", "attachment", "attachments") if message.get(k)]
        if len(given) != 1:
            raise GraphError(100, "Message must have exactly one of text, attachment")
        if "text" in message:
            text = message["text"]
            size = len(text.encode()) if self.TEXT_IN_BYTES else len(text)
            if size > self.TEXT_MAX:
                raise GraphError(100, f"Length of param message[text] must be less than or equal to {self.TEXT_MAX}")
            shown["text"] = text
            return {"text": text}
        files = message.get("attachments") or [message["attachment"]]
        if len(files) > 1 and (len(files) > self.IMAGES_MAX or any(f.get("type") != "image" for f in files)):
            raise GraphError(100, "Invalid attachments")
        media = [self.sent_media(f, call) for f in files]
        shown.update(type=files[0]["type"], media_id=media[0], media_ids=media, mime=self.media[media[0]]["mime"],
                     filename=self.media[media[0]].get("filename"))
        return {"attachments": [{"type": f["type"], "payload": {"url": self.cdn(m)}} for f, m in zip(files, media)]}

    def sent_media(self, f, call):
        kind, payload = f.get("type"), f.get("payload") or {}
        if kind not in KINDS:
            raise GraphError(100, f"Invalid attachment type {kind}", subcode=2018109)
        if payload.get("attachment_id"):
            media = self.media.get(payload["attachment_id"])
            if media is None or media.get("kind") not in (None, kind):
                raise GraphError(100, "Invalid attachment id", subcode=2018074)
            return payload["attachment_id"]
        if call.headers.get("Content-Type", "").startswith("multipart/") and "filedata" in call.form():
            return self.take_file(call.form()["filedata"], kind)
        if payload.get("url"):  # the real one fetches it; nothing here can be reached from Meta
            raise GraphError(100, "Failed to fetch the file from the url", subcode=2018008)
        raise GraphError(100, "Invalid parameter")

    def take_file(self, part, kind):
        content, mime, filename = part
        if not content or len(content) > self.MEDIA_MAX:
            raise GraphError(100, "Attachment size exceeds allowable limit", subcode=2018047)
        self.check_type(kind, mime, len(content))
        media_id = self.keep_media(content, mime, filename)
        self.media[media_id]["kind"] = kind
        return media_id

    def check_type(self, kind, mime, size):
        if kind != "file" and not mime.startswith(kind):
            raise GraphError(100, f"Incorrect attachment type {mime}", subcode=2018109)

    def upload(self, call):
        message = call.parameters().get("message")
        message = json.loads(message) if isinstance(message, str) else message
        attachment = (message or {}).get("attachment") or {}
        if attachment.get("type") not in KINDS:
            raise GraphError(100, "Invalid parameter")
        return {"attachment_id": self.sent_media({"type": attachment["type"], "payload": attachment.get("payload")}, call)}

    def after_acceptance(self, p, shown, echo):
        raise NotImplementedError

    # --------------------------------------------------- what Graph has around it

    def subscriptions(self, call):
        """GET, POST, DELETE /{id}/subscribed_apps"""
        if call.method == "GET":
            return {"data": [] if self.subscribed is None else
                    [{"id": self.app_id, "name": "Aduan", "subscribed_fields": list(self.subscribed)}]}
        if call.method == "DELETE":
            self.subscribed = None
            return {"success": True}
        fields = [f for f in str(call.parameters().get("subscribed_fields", "")).split(",") if f]
        unknown = [f for f in fields if f not in self.FIELDS]
        if not fields or unknown:
            raise GraphError(100, f"Param subscribed_fields must be one of … - got {unknown or 'nothing'}")
        self.subscribed = fields
        return {"success": True}

    def chats(self, query):
        """GET /{id}/conversations: newest first, with what fields asks for of their messages."""
        wanted = query.get("user_id")
        people = [p for p in self.people.values() if p.thread and wanted in (None, p.id)]
        return {"data": [{"id": "t_" + p.id, "messages": self.messages_of(p)} for p in people]}

    def messages_of(self, p):
        def one(m):
            sender = p.id if m["side"] == "citizen" else self.account_id
            return {"id": m["id"], "message": m["text"], "from": {"id": sender},
                    "created_time": time_text(m["at"] / 1000)}
        return {"data": [one(m) for m in reversed(p.thread[-20:])]}

    def common_route(self, call, faulty):
        """What both have; None when it is nothing of that."""
        parts, method = call.parts, call.method
        mine = bool(parts) and parts[0] in (self.account_id, "me", *self.other_ids())
        if mine and parts[1:] == ["messages"] and method == "POST":
            return lambda: faulty("messages", lambda: self.accept(call))
        if mine and parts[1:] == ["message_attachments"] and method == "POST":
            return lambda: faulty("upload", lambda: self.upload(call))
        if mine and parts[1:] == ["subscribed_apps"]:
            return lambda: faulty("subscribed", lambda: self.subscriptions(call))
        if mine and parts[1:] == ["conversations"] and method == "GET":
            return lambda: faulty("conversations", lambda: self.chats(call.query))
        if parts and parts[0].startswith("t_") and parts[0][2:] in self.people:
            return lambda: faulty("conversations", lambda: self.messages_of(self.people[parts[0][2:]]))
        return None

    def debug_token(self, given):
        answer = super().debug_token(given)
        answer["data"]["app_id"] = self.app_id
        return answer

    def other_ids(self):
        return ()

    def nothing(self, call):
        raise GraphError(100, f"Unsupported {call.method.lower()} request. Object with ID '{''.join(call.parts[:1])}' does not "
                         "exist, cannot be loaded due to missing permissions, or does not support this operation", subcode=33)

    def controls(self):
        return CONTROLS


def time_text(seconds):
    return datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S+0000")


def field_of(fields, name):
    """The argument in `name.key(ARGUMENT)` of a fields parameter, or None."""
    found = re.search(re.escape(name) + r"\.\w+\(([^)]+)\)", fields or "")
    return found.group(1) if found else None


# ------------------------------------------------------------------- control API
#
#   POST /control/message {"id", "name", "username", "text", "type", "media": base64, "mime", "filename", "reply_to",
#                          "message": {…}} -> {"id"};  /control/edit {"mid", "text"};  /control/unsend {"mid"}
#   POST /control/comment {"id", "name", "username", "text", "post", "parent"} -> {"id"}
#   POST /control/react {"id", "mid", "reaction", "emoji"};  /control/read {"id"};  /control/echo {"id", "text"}
#   GET  /control/people -> {"people": […]};  GET /control/thread?id=… -> {"messages": […], "window_until": ms}
#   GET  /control/public?post=… -> {"comments": […]};  GET /control/posts -> {"posts": […]}
#   POST /control/unsubscribe {};  and those of meta.py

def control_message(s, o, _):
    wanted = ("text", "name", "username", "type", "mime", "filename", "reply_to", "message")
    return {"id": s.write(o["id"], **media_of(o, wanted))}


def control_comment(s, o, _):
    wanted = ("name", "username", "post", "parent")
    return {"id": s.comment(o["id"], o["text"], **{k: o[k] for k in wanted if o.get(k)})}


def control_thread(s, _, query):
    p = s.people.get(query.get("id"))
    until = p.last_action + DAY if p and p.last_action else 0
    return {"messages": s.thread(query.get("id")), "window_open": until > s.now(), "window_until": int(until * 1000)}


CONTROLS = {
    **COMMON,
    "message": control_message,
    "comment": control_comment,
    "thread": control_thread,
    "public": lambda s, _, query: {"comments": s.public(query.get("post"))},
    "posts": lambda s, *_: {"posts": [{"id": k, **v} for k, v in s.posts.items()]},
    "people": lambda s, *_: {"people": [{"id": p.id, "name": p.name, "username": p.username} for p in s.people.values()]},
    "edit": quietly(lambda s, o, _: s.edit(o["mid"], o["text"])),
    "unsend": quietly(lambda s, o, _: s.unsend(o["mid"])),
    "react": quietly(lambda s, o, _: s.react(o["id"], o["mid"], o.get("reaction", "love"), o.get("emoji", "\u2764"))),
    "read": quietly(lambda s, o, _: s.read(o["id"])),
    "echo": quietly(lambda s, o, _: s.echo(o["id"], o["text"])),
    "unsubscribe": quietly(lambda s, *_: s.unsubscribe()),
}
