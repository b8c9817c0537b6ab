"""The example connector, built as somebody outside would: against what `cmake --install` put there and nothing else.

It is then loaded, checked, and carries a complaint in (a signed webhook), an answer out (to a stand-in of
the SMS gateway, from its documentation) and the receipt back.
"""
import base64
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "rig"))
from aduan import BUILD, ROOT, Aduan, wait  # noqa: E402

RELEASE = pathlib.Path(os.environ.get("ADUAN_RELEASE", BUILD))
KEY = "kunci-tanda-tangan"


def run(words, **more):
    p = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False, timeout=240, **more)
    assert p.returncode == 0, f"{words}: {p.stdout[-3000:]}{p.stderr[-3000:]}"
    return p.stdout


@pytest.fixture(scope="module", name="installed")
def fixture_installed(tmp_path_factory):
    """The prefix that Aduan was installed into, with the example built and installed beside it."""
    place = tmp_path_factory.mktemp("example")
    run(["cmake", "--install", RELEASE], env={**os.environ, "DESTDIR": str(place / "root")})
    pc = next((place / "root").rglob("aduan-connector.pc"))
    prefix = pc.parents[2]
    shutil.copytree(ROOT / "examples" / "connector", place / "sms")
    env = {**os.environ, "PKG_CONFIG_PATH": str(pc.parent)}
    source = re.compile(r"(?:^|[\s=]|-[IL])" + re.escape(f"{ROOT}/"))  # a path that begins in the source tree
    flags = run(["pkg-config", "--cflags", "--libs", "aduan-connector"], env=env)
    assert not source.search(flags), flags
    run(["cmake", "-S", place / "sms", "-B", place / "sms-build", "-G", "Ninja"], env=env)
    run(["cmake", "--build", place / "sms-build"], env=env)
    used = run(["ninja", "-C", place / "sms-build", "-t", "commands"])
    assert not source.search(used), used
    run(["cmake", "--install", place / "sms-build"], env=env)
    assert (prefix / "lib/aduan/connectors/sms.so").exists()
    return prefix


class Gateway(http.server.ThreadingHTTPServer):
    """POST /messages (202, with the id it was given), GET /messages/ID and /webhooks; Basic auth."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.messages = {}
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def reply(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def allowed(self):
        right = "Basic " + base64.b64encode(b"kantor:rahasia").decode()
        if self.headers.get("Authorization") == right:
            return True
        self.reply(401, {"message": "Unauthorized"})
        return False

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.allowed():
            self.server.messages[body["id"]] = body
            self.reply(202, {"id": body["id"], "state": "Pending", "recipients": []})

    def do_GET(self):
        if self.allowed():
            known = self.path == "/webhooks" or self.path.rsplit("/", 1)[1] in self.server.messages
            self.reply(200 if known else 404, [])

    def log_message(self, *args):
        pass


@pytest.fixture(name="office")
def fixture_office(installed):
    gateway = Gateway()
    with Aduan(build=RELEASE) as a:
        a.core["modules"] = str(installed / "lib/aduan/connectors")
        a.account("sms", type="sms", api=gateway.url, user="kantor", password=a.secret("sms", "rahasia"),
                  signing_key=a.secret("sms-key", KEY))
        a.gateway = gateway
        yield a
    gateway.shutdown()
    gateway.server_close()


def post(a, event, ident, payload, key=KEY):
    body = json.dumps({"deviceId": "d1", "event": event, "id": ident, "payload": payload, "webhookId": "w1"}).encode()
    at = str(int(time.time()))
    signature = hmac.new(key.encode(), body + at.encode(), hashlib.sha256).hexdigest()
    request = urllib.request.Request(f"http://127.0.0.1:{a.port}/hook/sms", body,
                                     {"X-Signature": signature, "X-Timestamp": at, "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as e:
        return e.code


def received(text, phone="+6281234567890"):
    return {"messageId": "c0ffee", "message": text, "phoneNumber": phone, "simNumber": 1,
            "receivedAt": "2026-10-05T09:12:00.000+07:00"}


def test_it_is_checked_like_any_other(office):
    status, text = office.check()
    assert status == 0, text
    del office.accounts["sms"]["user"]
    status, text = office.check()
    assert status == 78 and "user" in text


def test_there_and_back(office):
    office.start()
    assert post(office, "sms:received", "e1", received("Paspor saya belum selesai"), key="salah") == 401
    for _ in range(2):
        assert post(office, "sms:received", "e1", received("Paspor saya belum selesai")) == 200
    ticket = wait(lambda: office.ctl("tickets"), "a ticket")[0]
    number = ticket["number"]
    assert ticket["channel"] == "sms"
    office.ctl("reply", number, "Silakan datang besok.")
    sent = wait(lambda: [m for m in office.gateway.messages.values() if m["textMessage"]["text"].startswith("Silakan")],
                "the answer at the gateway")[0]
    assert sent["phoneNumbers"] == ["+6281234567890"]
    wait(lambda: outgoing(office, number)["status"] == "sent", "the answer is sent")
    assert post(office, "sms:delivered", "e2", {"messageId": sent["id"], "phoneNumber": "+6281234567890",
                                                "deliveredAt": "2026-10-05T09:13:00.000+07:00"}) == 200
    wait(lambda: outgoing(office, number)["status"] == "delivered", "the receipt")
    assert len(office.ctl("tickets")) == 1


def outgoing(a, number):
    return [m for m in a.ctl("show", number)["messages"] if m["direction"] == "out" and m["text"].startswith("Silakan")][0]


def test_what_no_sms_can_carry_is_said_before(office):
    office.start()
    assert post(office, "sms:received", "e3", received("Promo", phone="INDOSAT")) == 200
    number = wait(lambda: office.ctl("tickets"), "a ticket")[0]["number"]
    with pytest.raises(Exception, match="bukan nomor telepon"):
        office.ctl("reply", number, "Terima kasih")
