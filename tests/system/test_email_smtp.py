"""Answers out by a real SMTP server into the citizen's real mailbox, and the line cut at every step."""
import email
import email.policy
import hashlib
import json
import os
import socket
import sys
import threading

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "rig"))
sys.path.insert(0, HERE)
import mail as rig  # noqa: E402
from test_email_imap import DRIVE, drive  # noqa: E402

pytestmark = pytest.mark.skipif(bool(rig.missing()) or not os.path.exists(DRIVE),
                                reason="needs %s and %s" % (rig.missing(), DRIVE))

SENT, LATER, LIMITED, NEVER, REFUSED, UNCERTAIN = 1, 2, 3, 4, 5, 6


@pytest.fixture(scope="module")
def house():
    with rig.MailHouse() as h:
        h.dovecot({name: "rahasia" for name in ("pengaduan", "warga", "lampiran", "otomatis", "titik", "potong")})
        h.exim()
        os.makedirs(os.path.join(h.d, "blobs"))
        yield h


def answer(house, to="warga", **more):
    a = {"id": "a1", "account": "gmail", "number": "TPI-2026-000001", "kind": "reply", "conversation": to + "@warga.test",
         "to": {"address": to + "@warga.test", "name": "Siti Rähma"}, "subject": "Keluhan: paspor – lama",
         "text": "Sudah kami proses – terima kasih.\n", "reply_to": "CAF1@warga.test",
         "references": ["CAF0@warga.test", "CAF1@warga.test"], "token": "t1.abc", "attachments": [],
         "queued_at": 1789802400000, "language": "id"}
    a.update(more)
    path = os.path.join(house.d, "answer.json")
    with open(path, "w") as f:
        json.dump(a, f)
    return path


def send(house, path, port=None):
    return drive("url=imap://127.0.0.1:%d" % house.imap_port, "smtp=smtp://127.0.0.1:%d" % (port or house.smtp_port),
                 "name=Kantor Imigrasi – Tanjungpinang", "blobs=" + os.path.join(house.d, "blobs"), "send:" + path)[0]


def delivered(house, user, count=1):
    mails = rig.wait_for(lambda: (lambda m: m if len(m) >= count else None)(house.mails(user)))
    assert len(mails) == count
    return [email.message_from_bytes(m, policy=email.policy.default) for m in mails]


def test_the_answer_arrives_in_the_citizens_thread(house):
    result = send(house, answer(house))
    assert result["outcome"] == SENT and result["platform_id"] == "t1.abc@kantor.test"
    m = delivered(house, "warga")[0]
    assert m["Message-ID"] == "<t1.abc@kantor.test>" and m["In-Reply-To"] == "<CAF1@warga.test>"
    assert m["References"].split() == ["<CAF0@warga.test>", "<CAF1@warga.test>"]
    assert m["Subject"] == "Re: Keluhan: paspor – lama"
    assert m["From"].addresses[0].display_name == "Kantor Imigrasi – Tanjungpinang"
    assert m["From"].addresses[0].addr_spec == "pengaduan@kantor.test"
    assert m["To"].addresses[0].display_name == "Siti Rähma" and len(m["To"].addresses) == 1
    assert m.get_content().replace("\r\n", "\n") == "Sudah kami proses – terima kasih.\n"
    assert m["Auto-Submitted"] is None and m["X-Aduan-Loop"] is None and "Sep 2026" in m["Date"]


def test_attachments_arrive_whole_under_their_names(house):
    data = bytes(range(256)) * 1000
    sha = hashlib.sha256(data).hexdigest()
    with open(os.path.join(house.d, "blobs", sha), "wb") as f:
        f.write(data)
    files = [{"name": name, "type": type_, "size": len(data), "sha256": sha, "state": "stored"}
             for name, type_ in (("bukti – transfer.pdf", "application/pdf"), ("a\"b\\c\r\nX: y.png", "image/png"))]
    assert send(house, answer(house, "lampiran", attachments=files, token="t2"))["outcome"] == SENT
    m = delivered(house, "lampiran")[0]
    parts = list(m.iter_attachments())
    assert [p.get_content() for p in parts] == [data, data]
    assert parts[0].get_filename() == "bukti – transfer.pdf" and parts[0].get_content_type() == "application/pdf"
    assert m["X"] is None and "\n" not in parts[1].get_filename()


def test_an_automatic_answer_says_so(house):
    assert send(house, answer(house, "otomatis", kind="automatic", token="t3"))["outcome"] == SENT
    m = delivered(house, "otomatis")[0]
    assert m["Auto-Submitted"] == "auto-replied" and m["X-Auto-Response-Suppress"] == "All"
    assert m["X-Aduan-Loop"] == "pengaduan@kantor.test"


def test_dots_long_lines_and_everything_odd_come_through(house):
    text = ".\n..\n.titik\n" + "panjang " * 400 + "\nFrom sini\n\n=3D = é\t\n spasi di akhir \n" + "é" * 500 + "\n"
    assert send(house, answer(house, "titik", text=text, token="t4"))["outcome"] == SENT
    assert delivered(house, "titik")[0].get_content().replace("\r\n", "\n") == text


@pytest.mark.parametrize("to,outcome,scope", [("tidakada", NEVER, 0), ("sibuk", LIMITED, 0), ("penuh", LATER, 0)])
def test_what_the_server_refuses_is_classified(house, to, outcome, scope):
    result = send(house, answer(house, to, token="t5"))
    assert result["outcome"] == outcome and result["scope"] == scope and "smtp" in result["reason"]


@pytest.mark.parametrize("address", ["a@b\r\nRCPT TO:<c@d>", "a@b>,<c@d", "übel@warga.test", "tanpa-at", "a b@c", ""])
def test_addresses_that_cannot_be_are_refused_before_anything_leaves(house, address):
    result = send(house, _with_address(house, address), port=rig.free_port())
    assert result["outcome"] == NEVER


def _with_address(house, address):
    path = answer(house)
    with open(path) as f:
        a = json.load(f)
    a["to"] = {"address": address} if address else {}
    a["conversation"] = address or "x"
    with open(path, "w") as f:
        json.dump(a, f)
    return path


def test_the_line_cut_before_the_dot_is_later_and_after_it_uncertain(house):
    path = answer(house, "potong", token="t7")
    for k in range(1, 5):  # EHLO MAIL RCPT DATA
        for when in ("before", "after"):
            count = [0]

            def cut(line):
                count[0] += 1
                return when if count[0] == k else None

            c = house.cutter(house.smtp_port, cut)
            assert send(house, path, c.port)["outcome"] == LATER, (k, when)
    for when in ("before", "after"):
        c = house.cutter(house.smtp_port, lambda line: when if line == b".\r\n" else None)
        result = send(house, path, c.port)
        assert result["outcome"] == UNCERTAIN and result["platform_id"] == "t7@kantor.test"
    mails = delivered(house, "potong", 1)  # the one whose dot got through
    assert mails[0]["Message-ID"] == "<t7@kantor.test>"


def test_sent_is_found_by_its_message_id(house):
    path = answer(house, token="t8")
    args = ["url=imap://127.0.0.1:%d" % house.imap_port, "find:" + path]
    assert drive(*args)[0]["outcome"] == UNCERTAIN
    with house.imap("pengaduan") as imap:
        imap.append("Sent", None, None, b"Message-ID: <t8@kantor.test>\r\nSubject: x\r\n\r\nhi\r\n")
    found = drive(*args)[0]
    assert found["outcome"] == SENT and found["platform_id"] == "t8@kantor.test"


def scripted(replies):
    """An SMTP server that answers MAIL FROM with what it is given."""
    s = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                c, _ = s.accept()
            except OSError:
                return
            with c, c.makefile("rwb") as f:
                f.write(b"220 hi\r\n")
                f.flush()
                for line in f:
                    f.write((replies if line.upper().startswith(b"MAIL") else "250 ok").encode() + b"\r\n")
                    f.flush()

    threading.Thread(target=serve, daemon=True).start()
    return s


@pytest.mark.parametrize("reply,outcome,scope,after", [
    ("550 5.4.5 Daily user sending limit exceeded.", LIMITED, 1, 86400000),
    ("421 4.7.0 Try again later, closing connection.", LIMITED, 1, 0),
    ("454 4.7.0 Too many login attempts, please try again later.", LIMITED, 1, 0),
    ("451 4.3.0 Mail server temporarily rejected message.", LATER, 0, 0),
    ("535 5.7.8 Username and Password not accepted.", REFUSED, 0, 0),
    ("534 5.7.9 Application-specific password required.", REFUSED, 0, 0),
    ("530 5.7.0 Authentication Required.", REFUSED, 0, 0),
    ("550 5.7.30 Basic authentication is not supported for Client Submission", REFUSED, 0, 0),
    ("554 5.6.0 Mail message is malformed. Not accepted.", NEVER, 0, 0),
    ("552 5.2.3 Your message exceeded Google's message size limits.", NEVER, 0, 0),
])
def test_the_providers_codes(house, reply, outcome, scope, after):
    s = scripted(reply)
    result = send(house, answer(house), port=s.getsockname()[1])
    s.close()
    assert (result["outcome"], result["scope"], result["retry_after"]) == (outcome, scope, after)


def test_too_large_an_answer_is_refused_with_a_reason(house):
    data = b"\0" * (20 * 1024 * 1024)
    sha = hashlib.sha256(data).hexdigest()
    with open(os.path.join(house.d, "blobs", sha), "wb") as f:
        f.write(data)
    result = send(house, answer(house, attachments=[{"name": "besar.bin", "type": "application/octet-stream",
                                                     "size": len(data), "sha256": sha, "state": "stored"}]))
    assert result["outcome"] == NEVER and "25 MB" in result["reason"]
