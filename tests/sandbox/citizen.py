"""citizen.py: the people of the sandbox and what they see: WhatsApp at the Graph stand-in, mail by SMTP and IMAP."""
import base64
import email
import email.policy
import email.utils
import imaplib
import smtplib
import ssl
import threading
import time
from email.message import EmailMessage

PEOPLE = [
    {"key": "siti", "channel": "whatsapp", "name": "Siti Rahmawati", "phone": "+6281234567890", "language": "id"},
    {"key": "tan", "channel": "whatsapp", "name": "Tan Wei Ling", "phone": "+6590001234", "language": "en"},
    {"key": "budi", "channel": "email", "name": "Budi Santoso", "language": "id"},
    {"key": "amelia", "channel": "email", "name": "Amelia Hart", "language": "en"},
    {"key": "dewi", "channel": "instagram", "name": "Dewi Lestari", "username": "dewi.lestari", "id": "990011223344556",
     "language": "id"},
    {"key": "joko", "channel": "facebook", "name": "Joko Susilo", "username": "joko.susilo", "id": "7700112233445566",
     "language": "id"},
    {"key": "rudi", "channel": "x", "name": "Rudi Hartono", "username": "rudi_h", "id": "9876543210", "language": "id"},
    {"key": "sri", "channel": "lapor", "name": "Sri Wahyuni", "language": "id"},
    {"key": "wayan", "channel": "lapor-api", "name": "Wayan Sudarma", "language": "id"},
    {"key": "hasan", "channel": "counter", "name": "Hasan Basri", "language": "id"},
    {"key": "lia", "channel": "maildir", "name": "Lia Kurnia", "language": "id"},
]
KIND = {"image/jpeg": "image", "image/png": "image", "video/mp4": "video", "audio/ogg": "audio", "audio/mpeg": "audio"}


def attachment_of(file):
    """{name, type, data (base64)} of the page -> (name, type, bytes), or None."""
    if not file:
        return None
    return file.get("name") or "berkas", file.get("type") or "application/octet-stream", base64.b64decode(file["data"])


class Phone:
    """A citizen's WhatsApp."""

    def __init__(self, person, graph):
        self.person, self.graph = person, graph

    def write(self, text, subject=None, file=None, reply_to=None):
        common = {"phone": self.person["phone"], "name": self.person["name"], "reply_to": reply_to}
        given = attachment_of(file)
        if not given:
            return self.graph.write(text=text, **common)
        name, mime, content = given
        kind = KIND.get(mime, "document")
        if kind == "audio" and text:
            self.graph.write(text=text, **common)
        return self.graph.write(type=kind, media=content, mime=mime, filename=name if kind == "document" else None,
                                caption=text or None, **common)

    def thread(self):
        return [{"id": m["id"], "mine": m["side"] == "citizen", "text": m.get("text") or "", "at": m["at"],
                 "status": m["status"], "reply_to": m.get("reply_to"), "type": m["type"], "template": m.get("template"),
                 "files": [{"name": m.get("filename") or m["type"], "type": m.get("mime"), "url": f"/file/{self.person['key']}/{m['media_id']}"}]
                 if m.get("media_id") else []}
                for m in self.graph.phone(self.person["phone"])]

    def window_until(self):
        c = self.graph.citizen(self.person["phone"])
        return int((c.last_write + 24 * 3600) * 1000) if c and c.last_write else None

    def read(self):
        if self.graph.citizen(self.person["phone"]):
            self.graph.read(self.person["phone"])

    def file(self, key):
        media = self.graph.media.get(key)
        return (media.get("filename") or "berkas", media["mime"], media["bytes"]) if media else None


class Mailbox:
    """A citizen's mail: sends by SMTP, and asks the own box by IMAP every second."""

    def __init__(self, person, box, office):
        """box: {address, user, password, imap: (host, port), smtp: (host, port), tls: None or an SSL context}."""
        self.person, self.box, self.office = person, box, office
        self.lock, self.stopping = threading.Lock(), threading.Event()
        self.messages, self.files, self.fault = [], {}, None
        self.seen = set()
        self.thread_of_polls = threading.Thread(target=self.poll_for_ever, daemon=True)
        self.thread_of_polls.start()

    def stop(self):
        self.stopping.set()
        self.thread_of_polls.join(5)

    # ------------------------------------------------------------------------ writing

    def compose(self, text, subject, file, reply_to):
        m = EmailMessage(policy=email.policy.SMTP)
        m["From"] = email.utils.formataddr((self.person["name"], self.box["address"]))
        m["To"] = self.office
        m["Date"] = email.utils.localtime()
        m["Message-ID"] = email.utils.make_msgid(domain=self.box["address"].split("@")[1])
        answered = self.find(reply_to)
        if answered:
            m["In-Reply-To"] = answered["id"]
            m["References"] = " ".join([*answered["references"], answered["id"]])
            subject = subject or answered["subject"]
            subject = subject if subject.lower().startswith("re:") else f"Re: {subject}"
        m["Subject"] = subject or ""
        m.set_content(text)
        given = attachment_of(file)
        if given:
            main, _, sub = given[1].partition("/")
            m.add_attachment(given[2], maintype=main, subtype=sub or "octet-stream", filename=given[0])
        return m

    def write(self, text, subject=None, file=None, reply_to=None):
        m = self.compose(text, subject, file, reply_to)
        host, port = self.box["smtp"]
        with smtplib.SMTP(host, port, timeout=10) as smtp:
            if self.box.get("tls"):
                smtp.starttls(context=self.box["tls"])
            if self.box.get("smtp_login"):
                smtp.login(self.box["user"], self.box["password"])
            smtp.send_message(m, self.box["address"], [self.office])
        with self.lock:
            self.keep(m, mine=True)
        return m["Message-ID"]

    # ------------------------------------------------------------------------ reading

    def find(self, message_id):
        with self.lock:
            return next((m for m in self.messages if message_id and m["id"] == message_id), None)

    def keep(self, m, mine):
        ident = str(m["Message-ID"] or f"<tanpa-id-{len(self.messages)}>").strip()
        if ident in self.seen:
            return
        self.seen.add(ident)
        files = []
        for part in m.iter_attachments():
            key = f"{self.person['key']}-{len(self.files)}"
            self.files[key] = (part.get_filename() or "berkas", part.get_content_type(), part.get_payload(decode=True) or b"")
            files.append({"name": self.files[key][0], "type": self.files[key][1], "url": f"/file/{self.person['key']}/{key}"})
        body = m.get_body(("plain", "html"))
        references = str(m["References"] or "").split()
        known = {k["id"] for k in self.messages}
        parent = str(m["In-Reply-To"] or "").strip()
        self.messages.append({
            "id": ident, "mine": mine, "subject": str(m["Subject"] or ""), "text": body.get_content() if body else "",
            "at": int(time.time() * 1000), "status": "sent" if mine else None, "reply_to": parent or None,
            "references": references, "files": files, "from": str(m["From"] or ""),
            "threaded": bool(parent in known or known & set(references)), "auto": bool(m["Auto-Submitted"])})

    def connect(self):
        host, port = self.box["imap"]
        imap = imaplib.IMAP4(host, port, timeout=10)
        if self.box.get("tls"):
            imap.starttls(self.box["tls"])
        imap.login(self.box["user"], self.box["password"])
        return imap

    def poll(self, imap, after):
        """Keeps what came after UID `after`; the newest UID."""
        imap.select("INBOX", readonly=True)
        _, found = imap.uid("SEARCH", None, f"UID {after + 1}:*")
        for uid in (int(u) for u in found[0].split()):
            if uid <= after:
                continue
            _, data = imap.uid("FETCH", str(uid), "(BODY.PEEK[])")
            m = email.message_from_bytes(data[0][1], policy=email.policy.default)
            with self.lock:
                self.keep(m, mine=False)
            after = uid
        return after

    def poll_for_ever(self):
        imap, after = None, 0
        while not self.stopping.wait(0.5):
            try:
                imap = imap or self.connect()
                after = self.poll(imap, after)
                self.fault = None
            except (OSError, imaplib.IMAP4.error, ssl.SSLError) as fault:
                self.fault, imap = str(fault), None
        if imap:
            try:
                imap.logout()
            except (OSError, imaplib.IMAP4.error):
                pass

    def thread(self):
        with self.lock:
            return [dict(m) for m in self.messages]

    def read(self):
        pass

    def file(self, key):
        with self.lock:
            return self.files.get(key)
