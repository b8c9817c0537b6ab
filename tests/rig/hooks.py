"""Webhooks for tests: signed posts to a gateway, and what is on disk of them.

The oracle is Redis' append-only file: what was acknowledged must be in it (or in the spool), in
order and once, whatever the desk has made of it and taken out of the stream meanwhile.
"""
import hashlib
import hmac
import http.client
import json
import pathlib
import socket
import sqlite3
import shutil
import tempfile

SECRET = "rahasia"


def signed(body, secret=SECRET):
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def body_of(message):
    return message if isinstance(message, bytes) else json.dumps(message).encode()


def request_of(name, message, secret=SECRET, **headers):
    """The bytes of one POST."""
    body = body_of(message)
    head = [f"POST /hook/{name} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}",
            f"X-Loop-Signature: {signed(body, secret)}"]
    head += [f"{k.replace('_', '-')}: {v}" for k, v in headers.items()]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def message(i, who="siti", **more):
    return {"id": f"m{i:06d}", "from": who, "text": f"pesan {i}", **more}


class Poster:
    """One keep-alive connection."""

    def __init__(self, port, timeout=20):
        self.port, self.timeout, self.connection = port, timeout, None

    def post(self, name, what, secret=SECRET, method="POST", headers=None):
        """(status, body); a lost connection is raised."""
        body = body_of(what)
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        try:
            self.connection.request(method, f"/hook/{name}", body,
                                    {"X-Loop-Signature": signed(body, secret), **(headers or {})})
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except BaseException:
            self.close()
            raise

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def post(port, name, what, **more):
    p = Poster(port)
    try:
        return p.post(name, what, **more)
    finally:
        p.close()


def raw(port, data, wait=True, timeout=20):
    """Sends bytes as they are and reads until the other side closes (or falls silent for 1 s)."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as s:
        try:
            s.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        got = b""
        s.settimeout(1 if not wait else timeout)
        try:
            while part := s.recv(65536):
                got += part
        except (TimeoutError, ConnectionResetError):
            pass
        return got


def statuses(answer):
    """The status codes of answers with empty bodies, one after the other."""
    return [int(p.split(b" ", 1)[0]) for p in answer.split(b"HTTP/1.1 ")[1:]]


# ------------------------------------------------------------------------- on disk

def aof_commands(directory):
    """Every command of the append-only file, oldest first. A torn end is left out."""
    files = sorted(pathlib.Path(directory, "appendonlydir").glob("*.incr.aof"))
    for data in (f.read_bytes() for f in files):
        at = 0
        while at < len(data):
            words, at = _command(data, at)
            if words is None:
                break
            yield words


def _command(data, at):
    def line(p):
        end = data.find(b"\r\n", p)
        return (None, p) if end < 0 else (data[p:end], end + 2)

    head, at = line(at)
    if head is None or head[:1] != b"*":
        return None, len(data)
    words = []
    for _ in range(int(head[1:])):
        size, at = line(at)
        if size is None or at + int(size[1:]) + 2 > len(data):
            return None, len(data)
        words.append(data[at:at + int(size[1:])])
        at += int(size[1:]) + 2
    return words, at


def kept(redis_dir, account="a", stream="in", field=b"id"):
    """The ids that were added to a stream, in order, repeats and all."""
    key = f"aduan:{{{account}}}:{stream}".encode()
    ids = []
    for words in aof_commands(redis_dir):
        if words[0].upper() == b"XADD" and words[1] == key:
            fields = words[words.index(b"id" if field == b"id" else field):]
            ids.append(dict(zip(fields[::2], fields[1::2]))[field].decode())
    return ids


def spooled(state):
    """The ids in the spool, in order. Read from a copy: its one connection is exclusive."""
    found = pathlib.Path(state, "spool")
    with tempfile.TemporaryDirectory() as d:
        for f in found.glob("gateway.db*"):
            if ".bad" not in f.name:
                shutil.copy(f, d)
        with sqlite3.connect(pathlib.Path(d, "gateway.db")) as db:
            return [r[0] for r in db.execute("SELECT id FROM item ORDER BY row")]
