"""A scripted IMAP server for what no honest server does: hostile answers, late mail, quirks."""
import re
import socketserver
import threading
import time


class FakeImap(socketserver.ThreadingTCPServer):
    """Serves self.mails {uid: bytes}. hook(session, tag, command) may answer itself: True = handled."""
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, mails=None, hook=None, capability="IMAP4rev1 UIDPLUS"):
        self.mails = dict(mails or {})
        self.hidden = set()
        self.hook = hook
        self.capability = capability
        self.validity = 7
        self.commands = []
        self.sessions = 0
        super().__init__(("127.0.0.1", 0), _Session)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def visible(self):
        return sorted(u for u in self.mails if u not in self.hidden)

    def uidnext(self):
        return max(self.mails, default=0) + 1

    def close(self):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        pass


def _uids(spec, visible):
    out = []
    top = visible[-1] if visible else 0
    for part in spec.split(","):
        a, _, b = part.partition(":")
        a = top if a == "*" else int(a)
        b = a if not b else (top if b == "*" else int(b))
        out += [u for u in visible if min(a, b) <= u <= max(a, b)]
    return out


class _Session(socketserver.StreamRequestHandler):
    def send(self, text):
        self.wfile.write(text if isinstance(text, bytes) else text.encode())
        self.wfile.flush()

    def handle(self):
        self.server.sessions += 1
        self.send("* OK hello\r\n")
        for line in self.rfile:
            text = line.decode("latin-1").rstrip("\r\n")
            self.server.commands.append(text)
            tag, _, command = text.partition(" ")
            if self.server.hook and self.server.hook(self, tag, command):
                continue
            if self.default(tag, command):
                return

    def default(self, tag, command):
        s = self.server
        up = command.upper()
        if up.startswith("CAPABILITY"):
            self.send("* CAPABILITY %s\r\n" % s.capability)
        elif up.startswith(("EXAMINE", "SELECT")):
            self.send("* FLAGS (\\Seen)\r\n* %d EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY %d] v\r\n* OK [UIDNEXT %d] n\r\n"
                      % (len(s.visible()), s.validity, s.uidnext()))
        elif up.startswith("UID SEARCH UID"):
            visible = s.visible()
            spec = up.split()[3]
            found = _uids(spec, visible)
            if spec.endswith(":*") and visible and not found:
                found = visible[-1:]
            self.send("* SEARCH %s\r\n" % " ".join(map(str, found)))
        elif up.startswith("UID FETCH"):
            for uid in _uids(up.split()[2], s.visible()):
                mail = s.mails[uid]
                if "BODY.PEEK[HEADER]" in up:
                    head = mail.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
                    self.send(b"* %d FETCH (UID %d BODY[HEADER]<0> {%d}\r\n%s)\r\n" % (uid, uid, len(head), head))
                elif "BODY.PEEK[]" in up:
                    self.send(b"* %d FETCH (UID %d BODY[] {%d}\r\n%s)\r\n" % (uid, uid, len(mail), mail))
                else:
                    self.send("* %d FETCH (UID %d RFC822.SIZE %d INTERNALDATE \"%s\")\r\n"
                              % (uid, uid, len(mail), time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime())))
        elif up.startswith("LOGOUT"):
            self.send("* BYE\r\n%s OK\r\n" % tag)
            return True
        self.send("%s OK done\r\n" % tag)
        return False


def split_uid(command):
    m = re.match(r"UID FETCH (\S+) ", command, re.I)
    return m.group(1) if m else None
