"""Mail by a maildir, with everything real: SMTP → Exim → the maildir → aduand → ticket → SMTP → the citizen's maildir."""
import email
import email.policy
import email.utils
import os
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))
from email_killers import killers  # noqa: E402
from rig import mail  # noqa: E402
from rig.aduan import BUILD, Aduan, wait  # noqa: E402

PROGRAM = (BUILD / "aduand").read_bytes() if (BUILD / "aduand").exists() else b""
GONE = [p for p in ("/usr/sbin/exim4",) if not os.path.exists(p)] + (["root"] if os.geteuid() != 0 else [])
pytestmark = pytest.mark.skipif(bool(GONE) or not (BUILD / "connectors" / "maildir.so").exists(),
                                reason=f"SKIPPED: needs {GONE or 'a build'}")
crashes = pytest.mark.skipif(b"ADUAN_DIE_AT" not in PROGRAM, reason="SKIPPED LOUDLY: built without -DADUAN_STEPS=ON")


def letter(n, sender="warga", body="Paspor saya belum selesai – mohon bantuannya."):
    return (f"From: Siti Rahma <{sender}@warga.test>\r\nTo: pengaduan@kantor.test\r\nSubject: Keluhan {n}\r\n"
            f"Message-ID: <{n}@warga.test>\r\nDate: {email.utils.formatdate()}\r\n"
            f"Content-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n").encode()


def house():
    h = mail.MailHouse()
    h.passwords.update({"pengaduan": "rahasia", "warga": "rahasia", "lain": "rahasia"})
    h.maildir("pengaduan")
    h.maildir("warga")
    return h


def account(a, h, **more):
    smtp = {"smtp": {"url": f"smtp://127.0.0.1:{h.smtp_port}"}} if hasattr(h, "smtp_port") else {}
    a.account("surat", type="maildir", address="pengaduan@kantor.test", from_name="Kantor Uji", poll="100ms",
              path=os.path.join(h.d, "mail", "pengaduan"), **{**smtp, **more})


def box(h, part, user="pengaduan"):
    return sorted(os.listdir(os.path.join(h.d, "mail", user, part)))


def tickets(a):
    return a.ctl("tickets")


def subjects(a):
    return sorted(t["subject"] or "" for t in tickets(a))


@pytest.fixture(scope="module")
def office():
    with house() as h:
        h.exim()
        with Aduan() as a:
            account(a, h)
            a.start()
            yield h, a


def answered(h, words):
    found = []
    for part in ("new", "cur"):
        for name in box(h, part, "warga"):
            m = email.message_from_bytes(pathlib.Path(h.d, "mail", "warga", part, name).read_bytes(), policy=email.policy.default)
            if words in m.get_content():
                found.append(m)
    return found


def test_a_delivered_mail_becomes_a_ticket_and_is_answered_by_smtp(office):
    h, a = office
    h.submit(letter("pertama"))
    t = wait(lambda: tickets(a), "the ticket")[0]
    assert t["channel"] == "maildir" and t["conversation"] == "warga@warga.test"
    wait(lambda: box(h, "new") == [], "moved on")
    assert [n.endswith(":2,S") for n in box(h, "cur")] == [True]
    assert "belum selesai – mohon" in a.ctl("show", t["number"])["messages"][0]["text"]
    wait(lambda: answered(h, t["number"]), "the acknowledgement")
    a.ctl("reply", t["number"], "Sudah kami proses – silakan datang besok.", as_json=False)
    m = wait(lambda: answered(h, "silakan datang besok"), "the answer in the citizen's box")[0]
    assert m["In-Reply-To"] == "<pertama@warga.test>" and m["Subject"].startswith("Re: Keluhan pertama")
    assert m["From"].addresses[0].addr_spec == "pengaduan@kantor.test"
    wait(lambda: a.ctl("show", t["number"])["messages"][-1]["status"] == "sent", "sent")
    # the citizen answers: the same case
    more = letter("kedua").replace(b"Date:", f"In-Reply-To: {m['Message-ID']}\r\nDate:".encode())
    h.submit(more)
    wait(lambda: sum(x["direction"] == "in" for x in a.ctl("show", t["number"])["messages"]) == 2, "the follow-up")
    assert len(tickets(a)) == 1


def test_links_devices_and_killers_hold_up_nothing(office):
    h, a = office
    new = pathlib.Path(h.d, "mail", "pengaduan", "new")
    secret = new.parent / "rahasia"  # inside of what the worker's fence lets through
    secret.write_bytes(letter("curian").replace(b"warga@", b"pencuri@"))
    (new / "1.tautan.test").symlink_to(secret)
    os.mkfifo(new / "2.pipa.test")
    (new / "direktori").mkdir()
    for bytes_ in killers().values():
        h.drop("pengaduan", bytes_)
    h.submit(letter("sesudah", "lain"))
    wait(lambda: any(t["conversation"] == "lain@warga.test" for t in tickets(a)), "the mail behind them", timeout=90)
    wait(lambda: sum("tidak dapat dibaca" in s for s in subjects(a)) == 2, "a stub for the link and the pipe", timeout=60)
    assert not any("curian" in s for s in subjects(a))
    assert (new / "1.tautan.test").is_symlink() and (new / "2.pipa.test").exists()


def test_of_a_huge_mail_only_the_header_is_read(office):
    h, a = office
    account(a, h, limit="64KiB")
    a.reload()
    h.drop("pengaduan", letter("besar", "besar", "x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 4000))
    t = wait(lambda: [t for t in tickets(a) if t["subject"] == "Keluhan besar"], "its case")[0]
    m = a.ctl("show", t["number"])["messages"][0]
    assert "yyyy" not in m["text"] and m["note"], m
    wait(lambda: [n for n in box(h, "new") if not n.startswith(("1.", "2.", "direktori"))] == [], "moved on")


def test_what_a_mail_reader_moved_first_is_taken_all_the_same(office):
    h, a = office
    cur = pathlib.Path(h.d, "mail", "pengaduan", "cur")
    (cur / "99.pembaca.test:2,S").write_bytes(letter("dibaca", "pembaca"))
    wait(lambda: "Keluhan dibaca" in subjects(a), "its case")


def test_kept_mail_is_taken_once_across_restarts():
    with house() as h, Aduan() as a:
        account(a, h, after="keep")
        h.drop("pengaduan", letter("satu", "satu"))
        h.drop("pengaduan", letter("dua", "dua"))
        a.start()
        wait(lambda: subjects(a) == ["Keluhan dua", "Keluhan satu"], "both")
        a.restart()
        h.drop("pengaduan", letter("tiga", "tiga"))
        wait(lambda: "Keluhan tiga" in subjects(a), "the third")
        assert subjects(a) == ["Keluhan dua", "Keluhan satu", "Keluhan tiga"] and len(a.stream("surat", "in")) <= 3
        assert len(box(h, "new")) == 3 and box(h, "cur") == []


def test_without_smtp_its_answers_wait_for_a_person():
    with house() as h, Aduan() as a:
        account(a, h, after="remove")
        h.drop("pengaduan", letter("tangan"))
        a.start()
        t = wait(lambda: tickets(a), "the ticket")[0]
        wait(lambda: box(h, "new") == [] and box(h, "cur") == [], "removed")
        assert [w for w in a.workers() if w.startswith("send ")] == []
        a.ctl("reply", t["number"], "Kami jawab dari kotak kami.", as_json=False)
        w = a.ctl("worklist")
        assert len(w) == 1 and w[0]["way"] == "send" and w[0]["number"] == t["number"]
        a.ctl("worklist", "done", w[0]["id"], as_json=False)
        assert a.ctl("show", t["number"])["messages"][-1]["status"] == "sent" and a.ctl("worklist") == []


@crashes
@pytest.mark.parametrize("after", ["seen", "remove", "keep"])
@pytest.mark.parametrize("step", ["maildir.emitted", "receive.accepted", "maildir.commit", "maildir.committed"])
def test_a_crash_between_reading_and_moving_on_repeats_nothing(step, after):
    with house() as h, Aduan() as a:
        account(a, h, after=after)
        died = a.state / "died"
        a.env.update(ADUAN_DIE_AT=step, ADUAN_DIE_ONCE=str(died))
        for n in ("a", "b", "c"):
            h.drop("pengaduan", letter(n, n))
        a.start()
        wait(died.exists, f"death at {step}")
        wait(lambda: len(tickets(a)) >= 3, "all three", timeout=60)
        h.drop("pengaduan", letter("d", "d"))
        wait(lambda: "Keluhan d" in subjects(a), "the one behind", timeout=60)
        assert subjects(a) == ["Keluhan a", "Keluhan b", "Keluhan c", "Keluhan d"]
        if after != "keep":
            wait(lambda: box(h, "new") == [], "all moved on")
        assert len(box(h, "cur")) == (4 if after == "seen" else 0)
