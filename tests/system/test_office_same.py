"""One citizen, several boxes of the office: real mail servers, one case; and what is too large is said before it is taken."""
import email
import email.policy
import email.utils
import os
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from rig import mail  # noqa: E402
from rig.aduan import BUILD, Aduan, Refused, wait  # noqa: E402

pytestmark = pytest.mark.skipif(bool(mail.missing()) or not (BUILD / "connectors" / "maildir.so").exists()
                                or not (BUILD / "aduanctl").exists(),
                                reason=f"SKIPPED: needs {mail.missing() or 'a build'}")

BOXES = {"gmail": "pengaduan@kantor.test", "yahoo": "kantor@yahoo.test", "map": "loket@kantor.test"}  # map: a maildir
LIMIT = 256 * 1024
TODAY = email.utils.formatdate()  # older than a day, and nothing would be acknowledged


def letter(n, box, text="Paspor saya belum selesai – mohon bantuannya.", sender="warga", more=""):
    """As each provider delivers it: its own trace above the same mail."""
    return (f"Return-Path: <{sender}@warga.test>\r\nDelivered-To: {BOXES[box]}\r\n"
            f"Received: from warga.test by mx.{box}.test; Mon, 23 Nov 2026 10:00:0{len(box)} +0700\r\n"
            f"From: Siti Rahma <{sender}@warga.test>\r\nTo: {', '.join(BOXES.values())}\r\nSubject: Keluhan {n}\r\n"
            f"Message-ID: <{n}@warga.test>\r\nDate: {TODAY}\r\n{more}"
            f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n").encode()


@pytest.fixture(scope="module")
def office():
    with mail.MailHouse() as h:
        tls = h.certificates().good
        h.dovecot({"gmail": "rahasia", "yahoo": "rahasia", "warga": "rahasia"}, tls=tls)
        h.exim(tls=tls)
        with Aduan() as a:
            smtp = {"url": f"smtps://127.0.0.1:{h.smtps_port}", "limit": f"{LIMIT // 1024}KiB"}
            for name in ("gmail", "yahoo"):
                a.account(name, type="email", address=BOXES[name], tls_ca=os.path.join(h.d, "tls", "ca.pem"), smtp=smtp,
                          imap={"url": f"imaps://127.0.0.1:{h.imaps_port}", "user": name,
                                "password": a.secret("kotak", "rahasia"), "poll": "1s"})
            a.account("map", type="maildir", address=BOXES["map"], tls_ca=os.path.join(h.d, "tls", "ca.pem"), smtp=smtp,
                      path=h.maildir("map"), poll="200ms")
            a.start()
            yield h, a


def told(h, word):
    """What the citizen got that holds this word."""
    mails = [email.message_from_bytes(m, policy=email.policy.default) for m in h.mails("warga")]
    return [m for m in mails if word in str(m["Subject"]) + m.get_content()]


def about(a, n):
    return [a.ctl("show", t["number"]) for t in a.ctl("tickets") if t["subject"] == f"Keluhan {n}"]


def both_in(a, n):
    shown = about(a, n)
    return shown if sum(m["direction"] == "in" for t in shown for m in t["messages"]) == 2 else None


@pytest.mark.parametrize("order", [("gmail", "yahoo"), ("yahoo", "gmail"), ("gmail", "map"), ("map", "yahoo"), None])
def test_the_same_mail_to_both_boxes_is_one_case(office, order):
    h, a = office
    n = "-".join(order or ("sekaligus",))
    if order:
        h.drop(order[0], letter(n, order[0]))
        wait(lambda: about(a, n), "the ticket")
        h.drop(order[1], letter(n, order[1]))
    else:
        for box in ("gmail", "yahoo"):
            h.drop(box, letter(n, box))
    shown = wait(lambda: both_in(a, n), "both of them")
    assert len(shown) == 1, [t["number"] for t in shown]
    assert sum(e["event"] == "copy" for e in shown[0]["history"]) == 1
    assert order is None or shown[0]["account"] == order[0]
    number = shown[0]["number"]
    wait(lambda: told(h, number), "the receipt")
    a.ctl("reply", number, f"Jawaban untuk {n}.", as_json=False)
    answer = wait(lambda: told(h, f"Jawaban untuk {n}."), "the answer")[0]
    assert answer["From"].addresses[0].addr_spec == BOXES[shown[0]["account"]]
    assert len([m for m in told(h, number) if "kami catat dengan nomor" in m.get_content()]) == 1
    # To the answer they reply to both boxes again: a follow-up and its copy.
    more = f"In-Reply-To: {answer['Message-ID']}\r\nReferences: {answer['Message-ID']}\r\n"
    for box in order or ("gmail", "yahoo"):
        h.drop(box, letter(f"{n}-lagi", box, more=more))
    wait(lambda: sum(m["direction"] == "in" for m in a.ctl("show", number)["messages"]) == 4, "the follow-ups")
    events = [e["event"] for e in a.ctl("show", number)["history"]]
    assert (events.count("copy"), events.count("follow_up"), events.count("reopened")) == (2, 1, 1)


def test_another_text_under_the_same_id_is_another_case(office):
    h, a = office
    h.drop("gmail", letter("palsu", "gmail"))
    h.drop("yahoo", letter("palsu", "yahoo", text="Kirim uang ke rekening ini."))
    assert len(wait(lambda: both_in(a, "palsu"), "both of them")) == 2


def test_what_is_too_large_is_said_and_not_kept(office, tmp_path):
    h, a = office
    h.drop("gmail", letter("lampiran", "gmail"))
    number = wait(lambda: about(a, "lampiran"), "the ticket")[0]["number"]
    small, large = tmp_path / "kecil.pdf", tmp_path / "besar.pdf"
    small.write_bytes(b"%PDF-1.4 kecil")
    large.write_bytes(b"%PDF-1.4" + bytes(LIMIT * 3 // 4))
    store = pathlib.Path(a.state) / "attachments"
    before = sorted(store.rglob("*"))
    with pytest.raises(Refused) as refusal:
        a.ctl("reply", number, "Lihat lampiran", "--attach", large, as_json=False)
    assert refusal.value.status == 1 and "0.25 MB" in refusal.value.text, refusal.value.text
    assert sorted(store.rglob("*")) == before
    assert not any(m["text"] == "Lihat lampiran" for m in a.ctl("show", number)["messages"])
    a.ctl("reply", number, "Lihat lampiran", "--attach", small, as_json=False)
    assert wait(lambda: [m for m in h.mails("warga") if b"kecil.pdf" in m], "the small one")
