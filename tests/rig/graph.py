#!/usr/bin/python3
"""A stand-in for Meta's Graph API as the WhatsApp Business Cloud API shows itself, with the citizens' phones.

Written from platforms/whatsapp.md, not from our parser. Standard library only.

In a test:

    with Graph(hook="http://127.0.0.1:8081/hook/wa") as graph:   # port chosen by itself
        graph.api                                # for `api = …`: http://127.0.0.1:PORT/v25.0
        wamid = graph.write("+628111", "Halo", name="Siti")       # a citizen writes: signed webhook
        graph.phone("+628111")                   # what that phone shows, oldest first
        graph.read("+628111")                    # the citizen opens the chat: "read" statuses
        graph.fault(on="messages", do="error", code=131056, times=2)
        graph.advance(25 * 3600)                 # Graph's clock: windows and links run out
        graph.hold(); …; graph.release(batch=True, reverse=True, copies=2)
        graph.post(body, secret="…")             # any bytes, signed; returns the HTTP status
        graph.requests                           # everything that came in, for assertions

As a process (the sandbox): python3 graph.py --port 9201 --hook http://127.0.0.1:8081/hook/wa
    --token T --app-secret S --number-id 106540352242922 --number 6281130000111 [--template NAME:LANG]

Control API (JSON in and out, any token), what the sandbox page calls:

    POST /control/message  {"phone": "+628…" | "user_id": "ID.…", "name", "username", "text", "reply_to",
                            "type": "text" | "image" | "document" | "audio" | "video" | "sticker" | "location" | …,
                            "media": base64, "mime", "filename", "caption", "body": {…for any other type}}
                           -> {"id": "wamid.…"}
    GET  /control/phone?phone=+628…   -> {"messages": [{"id", "side": "citizen" | "office", "type", "text",
                            "media_id", "filename", "mime", "at" (ms), "status", "reply_to", "template"}],
                            "window_open": true, "window_until": ms}
    GET  /control/phones   -> {"phones": [{"phone", "user_id", "name"}]}
    GET  /control/media?id=…          -> the bytes
    POST /control/read     {"phone"}  -> the citizen opens the chat
    POST /control/fault    {"on", "do", …} as Graph.fault below;  POST /control/faults/clear {}
    POST /control/clock    {"advance": seconds}
    POST /control/hook     {"url"}    -> where webhooks go
    GET  /control/requests -> {"requests": […]}

Faults (meta.py): on = "messages" | "media" (upload) | "link" (GET media id) | "bytes" | "number".
"""
import argparse
import base64
import hashlib
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from meta import CONTROLS as COMMON, DAY, GraphError, Meta, media_of, quietly, serve  # noqa: E402

LINK_LIFE = 300
PAIR_BURST, PAIR_SECONDS = 45, 6
CAPTIONS = ("image", "video", "document")
MEDIA = ("image", "video", "audio", "document", "sticker")
KINDS = {  # section 6: formats and sizes of what is sent
    "image": (("image/jpeg", "image/png"), 5_000_000),
    "audio": (("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"), 16_000_000),
    "video": (("video/mp4", "video/3gpp"), 16_000_000),
    "document": (None, 100_000_000),
    "sticker": (("image/webp",), 500_000),
}


class Citizen:
    def __init__(self, phone, user_id, name, username):
        self.phone, self.user_id, self.name, self.username = phone, user_id, name, username
        self.hide_phone = False
        self.thread = []
        self.last_write = 0.0
        self.pair = float(PAIR_BURST)
        self.pair_at = 0.0


class Graph(Meta):
    OBJECT = "whatsapp_business_account"
    TOKEN_IN_QUERY = False  # the Cloud API's documents know the header only

    def __init__(self, hook=None, token="token-uji", app_secret="rahasia-aplikasi-uji-123",
                 number_id="106540352242922", number="6281130000111", waba="102290129340398", port=0,
                 templates=(("buka_percakapan", "id"),), tls=None, host="127.0.0.1", window="error", statuses=True):
        super().__init__(hook, token, app_secret, port, tls, host)
        self.number_id, self.number, self.waba = number_id, number, waba
        self.templates = {tuple(t) for t in templates}
        self.window = window        # "error": 131047 at once; "status": accepted, then a failed status
        self.statuses = statuses    # send sent/delivered by itself
        self.citizens = []

    # -------------------------------------------------------------- citizens

    def citizen(self, phone=None, user_id=None, name=None, username=None, make=False):
        """phone: '+628…' (or digits)."""
        digits = phone.lstrip("+") if phone else None
        with self.lock:
            for c in self.citizens:
                if (digits and c.phone == digits) or (user_id and c.user_id == user_id):
                    c.name = name or c.name
                    return c
            if not make:
                return None
            made = user_id or "ID." + hashlib.sha256((digits or "").encode()).hexdigest()[:15]
            c = Citizen(digits, made, name or f"Warga {len(self.citizens) + 1}", username)
            self.citizens.append(c)
            return c

    def write(self, phone=None, text=None, name=None, type="text", user_id=None, username=None, reply_to=None,
              body=None, media=None, mime=None, filename=None, caption=None, hide_phone=False, at=None):
        """A citizen writes. Returns the wamid."""
        with self.lock:
            c = self.citizen(phone, user_id, name, username, make=True)
            c.hide_phone = hide_phone or c.phone is None
            wamid = self.next_id("wamid.IN")
            shown = {"id": wamid, "side": "citizen", "type": type, "text": text or caption or "",
                     "at": int(self.now() * 1000), "status": "sent", "reply_to": reply_to}
            if type == "text":
                body = {"body": text}
            elif type in MEDIA and body is None:
                body = self.citizens_media(type, media or b"", mime, filename, caption)
                shown.update(media_id=body["id"], filename=filename, mime=body["mime_type"])
            message = {"id": wamid, "timestamp": str(int(at if at is not None else self.now())), "type": type,
                       type: body if body is not None else {}}
            if reply_to:
                message["context"] = {"from": self.number, "id": reply_to}
            self.address(message, c, "from", "from_user_id")
            c.thread.append(shown)
            c.last_write = max(c.last_write, at if at is not None else self.now())
            self.webhook("messages", {"contacts": [self.contact(c)], "messages": [message]})
            return wamid

    def contact(self, c):
        contact = {"profile": {"name": c.name}, "user_id": c.user_id}
        if c.username:
            contact["profile"]["username"] = c.username
        if c.phone and not c.hide_phone:
            contact["wa_id"] = c.phone
        return contact

    @staticmethod
    def address(o, c, phone_key, user_key):
        if c.phone and not c.hide_phone:
            o[phone_key] = c.phone
        o[user_key] = c.user_id

    def citizens_media(self, type, content, mime, filename, caption):
        mime = mime or {"image": "image/jpeg", "video": "video/mp4", "audio": "audio/ogg; codecs=opus",
                        "sticker": "image/webp"}.get(type, "application/pdf")
        media_id = self.next_id("10")
        self.media[media_id] = {"bytes": content, "mime": mime, "at": self.now(), "filename": filename}
        body = {"mime_type": mime, "sha256": base64.b64encode(hashlib.sha256(content).digest()).decode(),
                "id": media_id, "url": f"{self.base}/bytes/{media_id}?ext={int(self.now()) + LINK_LIFE}"}
        if caption and type in CAPTIONS:
            body["caption"] = caption
        if filename and type == "document":
            body["filename"] = filename
        if type == "audio":
            body["voice"] = True
        return body

    def phone(self, phone=None, user_id=None):
        with self.lock:
            c = self.citizen(phone, user_id)
            return [dict(m) for m in c.thread] if c else []

    def read(self, phone=None, user_id=None):
        with self.lock:
            c = self.citizen(phone, user_id)
            for m in c.thread:
                if m["side"] == "office" and m["status"] in ("sent", "delivered"):
                    self.status(c, m, "read")

    # -------------------------------------------------------------- webhooks

    def envelope(self, changes):
        return self.envelope_of([{"id": self.waba, "changes": changes}])

    def change(self, field, value):
        metadata = {"display_phone_number": self.number, "phone_number_id": self.number_id}
        return {"field": field, "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}

    def merge(self, entries):
        return [{"id": self.waba, "changes": [c for e in entries for c in e["changes"]]}]

    def webhook(self, field, value):
        self.deliver({"id": self.waba, "changes": [self.change(field, value)]})

    STEPS = {"sent": 1, "delivered": 2, "read": 3, "failed": 4}

    def status(self, c, m, state, error=None):
        """A status of one of the office's messages: shown on our side and told by webhook."""
        if self.STEPS.get(m["status"], 0) >= self.STEPS[state]:
            return
        m["status"] = state
        s = {"id": m["id"], "status": state, "timestamp": str(int(self.now()))}
        if c is not None and c.phone and not c.hide_phone:
            s["recipient_id"] = c.phone
        if c is not None and state != "failed":
            s["recipient_user_id"] = c.user_id
        if state == "sent":
            s["pricing"] = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "service"}
        if m.get("callback"):
            s["biz_opaque_callback_data"] = m["callback"]
        if error:
            s["errors"] = [error]
        value = {"statuses": [s]}
        if c is not None and state != "failed":
            value["contacts"] = [self.contact(c)]
        self.webhook("messages", value)

    # ------------------------------------------------------------- /messages

    def accept(self, o):
        """The checks of POST /messages, then the citizen's phone shows it. Returns the answer."""
        if o.get("messaging_product") != "whatsapp":
            raise GraphError(100, "The parameter messaging_product is required.")
        kind = o.get("type", "text")
        c, given = self.recipient(o)
        shown = {"side": "office", "type": kind, "at": int(self.now() * 1000), "status": "accepted", "text": "",
                 "reply_to": o.get("context", {}).get("message_id"), "callback": o.get("biz_opaque_callback_data")}
        if len(o.get("biz_opaque_callback_data", "")) > 512:
            raise GraphError(100, "Param biz_opaque_callback_data must be at most 512 characters long.")
        self.check_content(o, kind, shown)
        closed = kind != "template" and (c is None or self.now() - c.last_write > DAY)
        if closed and c is not None and self.window == "error":
            raise GraphError(131047, "Re-engagement message", details="Message failed to send because more than 24 "
                             "hours have passed since the customer last replied to this number.")
        if c is not None:
            self.check_pair(c)
        shown["id"] = self.next_id("wamid.OUT")
        self.after_acceptance(c, shown, closed)
        contact = {"input": given}
        if c is not None:
            contact["user_id"] = c.user_id
            if c.phone and not c.hide_phone:
                contact["wa_id"] = c.phone
        return {"messaging_product": "whatsapp", "contacts": [contact],
                "messages": [{"id": shown["id"], "message_status": "accepted"}]}

    def recipient(self, o):
        """`to` wins over `recipient`; without '+' the business' own country code is put before it."""
        to, user_id = o.get("to"), o.get("recipient")
        if to:
            digits = re.sub(r"[^0-9]", "", to)
            if not digits:
                raise GraphError(100, "Invalid parameter")
            return self.citizen(digits if to.startswith("+") else self.number[:2] + digits), to
        if user_id:
            return self.citizen(user_id=user_id), user_id
        raise GraphError(100, "The parameter to is required.")

    def check_content(self, o, kind, shown):
        body = o.get(kind)
        if not isinstance(body, dict):
            raise GraphError(100, f"The parameter {kind} is required.")
        if kind == "text":
            shown["text"] = body.get("body", "")
            if not 1 <= len(shown["text"]) <= 4096:
                raise GraphError(100, "Param text['body'] must be at most 4096 characters long.")
        elif kind == "template":
            name, language = body.get("name"), body.get("language", {}).get("code")
            if (name, language) not in self.templates:
                raise GraphError(132001, "Template name does not exist in the translation", 404)
            shown["template"] = shown["text"] = name
        elif kind in MEDIA:
            self.check_media(body, kind, shown)
        else:
            raise GraphError(100, f"Param type must be one of … - got \"{kind}\".")

    def check_media(self, body, kind, shown):
        media = self.media.get(body.get("id"))
        formats, most = KINDS[kind]
        if media is None:
            raise GraphError(131009, "Parameter value is not valid", details="Media id does not exist")
        if formats and media["mime"].split(";")[0] not in formats:
            raise GraphError(131053, "Media upload error", details=f"{media['mime']} is no {kind}")
        if len(media["bytes"]) > most:
            raise GraphError(131053, "Media upload error", details="Media file size too big")
        caption = body.get("caption", "")
        if caption and kind not in CAPTIONS:
            raise GraphError(100, f"Unexpected key \"caption\" on param \"{kind}\".")
        if len(caption) > 1024:
            raise GraphError(100, "Param caption must be at most 1024 characters long.")
        if "filename" in body and kind != "document":
            raise GraphError(100, f"Unexpected key \"filename\" on param \"{kind}\".")
        shown.update(text=caption, media_id=body["id"], filename=body.get("filename"), mime=media["mime"])

    def check_pair(self, c):
        now = self.now()
        c.pair = min(PAIR_BURST, c.pair + max(0, now - c.pair_at) / PAIR_SECONDS) if c.pair_at else c.pair
        c.pair_at = now
        if c.pair < 1:
            raise GraphError(131056, "(Business Account, Consumer Account) pair rate limit hit")
        c.pair -= 1

    def after_acceptance(self, c, shown, closed):
        if c is None:
            self.status(None, shown, "failed", {"code": 131026, "title": "Message undeliverable",
                                                "message": "Message undeliverable",
                                                "error_data": {"details": "Message Undeliverable."}})
        elif closed:
            self.status(c, shown, "failed", {"code": 131047, "title": "Re-engagement message",
                                             "message": "Re-engagement message",
                                             "error_data": {"details": "more than 24 hours have passed"}})
        else:
            c.thread.append(shown)
            if self.statuses:
                self.status(c, shown, "sent")
                self.status(c, shown, "delivered")

    # ----------------------------------------------------------------- media

    def upload(self, parts):
        if parts.get("messaging_product", (b"", None, None))[0] != b"whatsapp":
            raise GraphError(100, "The parameter messaging_product is required.")
        if "file" not in parts:
            raise GraphError(100, "The parameter file is required.")
        content, mime, filename = parts["file"]
        if parts.get("type"):
            mime = parts["type"][0].decode()
        if not content or len(content) > 100_000_000:
            raise GraphError(100, "Param file has an invalid size.")
        media_id = self.next_id("20")
        self.media[media_id] = {"bytes": content, "mime": mime, "at": self.now(), "filename": filename}
        return {"id": media_id}

    def link(self, media_id, query):
        media = self.media.get(media_id)
        if media is None or self.now() - media["at"] > 7 * DAY or query.get("phone_number_id", self.number_id) != self.number_id:
            raise GraphError(100, f"Unsupported get request. Object with ID '{media_id}' does not exist")
        return {"messaging_product": "whatsapp", "url": f"{self.base}/bytes/{media_id}?ext={int(self.now()) + LINK_LIFE}",
                "mime_type": media["mime"], "sha256": hashlib.sha256(media["bytes"]).hexdigest(),
                "file_size": len(media["bytes"]), "id": media_id}

    def link_is_good(self, media, query):
        return int(query.get("ext", 0)) >= self.now()

    def route(self, call, faulty):
        parts = call.parts
        if parts == [self.number_id, "messages"] and call.method == "POST":
            return faulty("messages", lambda: self.accept(call.json()))
        if parts == [self.number_id, "media"] and call.method == "POST":
            return faulty("media", lambda: self.upload(call.form()))
        if parts == [self.number_id] and call.method == "GET":
            return faulty("number", lambda: {"id": self.number_id, "display_phone_number": self.number,
                                             "verified_name": "Kantor Contoh", "quality_rating": "GREEN"})
        if len(parts) == 1 and call.method == "GET":
            return faulty("link", lambda: self.link(parts[0], call.query))
        raise GraphError(100, f"Unsupported {call.method.lower()} request. Object with ID '{''.join(parts[:1])}' does not "
                         "exist, cannot be loaded due to missing permissions")

    def controls(self):
        return CONTROLS


def control_message(graph, o, _):
    wanted = ("phone", "text", "name", "type", "user_id", "username", "reply_to", "body", "mime", "filename", "caption",
              "hide_phone")
    return {"id": graph.write(**media_of(o, wanted))}


def control_phone(graph, _, query):
    c = graph.citizen(query.get("phone"), query.get("user_id"))
    until = (c.last_write + DAY if c else 0)
    return {"messages": graph.phone(query.get("phone"), query.get("user_id")), "window_open": until > graph.now(),
            "window_until": int(until * 1000)}


def control_phones(graph, *_):
    return {"phones": [{"phone": "+" + c.phone if c.phone else None, "user_id": c.user_id, "name": c.name}
                       for c in graph.citizens]}


CONTROLS = {
    **COMMON,
    "message": control_message,
    "phone": control_phone,
    "phones": control_phones,
    "read": quietly(lambda g, o, _: g.read(o.get("phone"), o.get("user_id"))),
}


def main():
    p = argparse.ArgumentParser(description="Graph API stand-in")
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--hook")
    p.add_argument("--token", default="token-uji")
    p.add_argument("--app-secret", default="rahasia-aplikasi-uji-123")
    p.add_argument("--number-id", default="106540352242922")
    p.add_argument("--number", default="6281130000111")
    p.add_argument("--template", action="append", default=[], help="NAME:LANGUAGE")
    p.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    a = p.parse_args()
    templates = [tuple(t.split(":", 1)) for t in a.template] or (("buka_percakapan", "id"),)
    serve(Graph(hook=a.hook, token=a.token, app_secret=a.app_secret, number_id=a.number_id, number=a.number, port=a.port,
                templates=templates, tls=a.tls))


if __name__ == "__main__":
    main()
