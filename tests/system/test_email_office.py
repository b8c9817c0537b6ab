"""The whole way with everything real: Exim → Dovecot → aduand → ticket → aduanctl reply → the citizen's box, over TLS."""
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

pytestmark = pytest.mark.skipif(bool(mail.missing()) or not (BUILD / "connectors" / "email.so").exists()
                                or not (BUILD / "aduanctl").exists(),
                                reason=f"SKIPPED: needs {mail.missing() or 'a build'}")


def letter(n, sender="warga", more=""):
    return (f"From: Siti Rahma <{sender}@warga.test>\r\nTo: pengaduan@kantor.test\r\nSubject: Keluhan {n}\r\n"
            f"Message-ID: <{n}@warga.test>\r\nDate: {email.utils.formatdate()}\r\n{more}"
            "Content-Type: text/plain; charset=utf-8\r\n\r\nPaspor saya belum selesai – mohon bantuannya.\r\n").encode()


def account(a, h, name="surat", **imap):
    a.account(name, type="email", address="pengaduan@kantor.test", from_name="Kantor Uji",
              tls_ca=os.path.join(h.d, "tls", "ca.pem"),
              imap={"url": f"imaps://127.0.0.1:{h.imaps_port}", "user": "pengaduan",
                    "password": a.secret("kotak", "rahasia"), "poll": "2s", **imap},
              smtp={"url": f"smtps://127.0.0.1:{h.smtps_port}"})


def tickets(a):
    return a.ctl("tickets")


@pytest.fixture(scope="module")
def office():
    with mail.MailHouse() as h:
        tls = h.certificates().good
        h.dovecot({"pengaduan": "rahasia", "warga": "rahasia"}, tls=tls)
        h.exim(tls=tls)
        with Aduan() as a:
            account(a, h, after="seen")
            a.start()
            yield h, a


def test_a_complaint_becomes_a_ticket_and_is_answered_in_its_thread(office):
    h, a = office
    h.submit(letter("pertama"))
    number = wait(lambda: [t["number"] for t in tickets(a)], "the ticket")[0]
    a.ctl("reply", number, "Sudah kami proses – silakan datang besok.", as_json=False)

    def answered():
        mails = [email.message_from_bytes(m, policy=email.policy.default) for m in h.mails("warga")]
        return [m for m in mails if "silakan datang besok" in m.get_content()]

    m = wait(answered, "the answer in the citizen's box")[0]
    assert m["In-Reply-To"] == "<pertama@warga.test>" and "<pertama@warga.test>" in m["References"]
    assert m["Subject"].startswith("Re:") and "Keluhan pertama" in m["Subject"]
    assert m["Auto-Submitted"] is None and m["From"].addresses[0].addr_spec == "pengaduan@kantor.test"
    shown = a.ctl("show", number)
    assert any("belum selesai –" in (x["text"] or "") for x in shown["messages"])
    # the citizen answers our answer: the same case
    h.submit(letter("kedua", more=f"In-Reply-To: {m['Message-ID']}\r\nReferences: {m['References']} {m['Message-ID']}\r\n"))
    wait(lambda: sum(x["direction"] == "in" for x in a.ctl("show", number)["messages"]) == 2, "the follow-up")
    assert len(tickets(a)) == 1
    with h.imap("pengaduan", readonly=True) as box:
        wait(lambda: box.noop() and len(box.search(None, "SEEN")[1][0].split()) == 2, "both marked seen")


def test_the_killers_leave_the_box_working(office):
    h, a = office
    for bytes_ in killers().values():
        h.drop("pengaduan", bytes_)
    forms = ("ani", "budi", "cici")
    for who in forms:  # as web forms write: no Message-ID, no Date, the same words
        h.drop("pengaduan", f"From: Formulir <form@lain.test>\r\nReply-To: {who}@warga.test\r\nTo: pengaduan@kantor.test\r\n"
                            "Subject: Pengaduan dari formulir web\r\n\r\nPaspor saya belum selesai.\r\n".encode())
    before = len(a.stream("surat", "in"))
    h.submit(letter("sesudah", "lain"))
    wait(lambda: any(t for t in tickets(a) if t["conversation"] == "lain@warga.test"), "the mail behind them", timeout=90)
    assert len(a.stream("surat", "in")) >= before

    def arrived():
        theirs = [t["number"] for t in tickets(a) if t["conversation"] in ("a@b.example", "form@lain.test")]
        return sum(m["direction"] == "in" for n in theirs for m in a.ctl("show", n)["messages"])

    wait(lambda: arrived() >= len(killers()) + len(forms), "each of them", timeout=90)
    assert arrived() == len(killers()) + len(forms)
    assert a.ctl("status")


def test_receiving_goes_on_while_sending_is_refused():
    """A wrong SMTP password: mails still become tickets, the answer waits, and goes out once when it is mended."""
    with mail.MailHouse() as h, Aduan() as a:
        tls = h.certificates().good
        h.dovecot({"pengaduan": "rahasia", "warga": "rahasia"}, tls=tls)
        h.exim(tls=tls)
        account(a, h)
        a.accounts["surat"]["smtp"]["password"] = a.secret("kirim", "salah sekali")
        a.start()
        h.submit(letter("pertama"))
        number = wait(lambda: [t["number"] for t in tickets(a)], "the ticket")[0]
        a.ctl("reply", number, "Silakan datang besok.", as_json=False)

        def seen():
            return a.ctl("status")["accounts"][0]

        fault = wait(lambda: (x := seen()) and (x["fault"] or "").count("535") and x["fault"], "the refusal in status")
        assert "salah sekali" not in fault and "salah sekali" not in a.log_text()
        h.submit(letter("kedua", "lain"))
        wait(lambda: len(tickets(a)) == 2, "a ticket while nothing goes out")
        assert seen()["in"]["last_at"] and seen()["out"]["queued"] > 0 and h.mails("warga") == []
        a.ctl("connectors", "pause", "surat", "--out")
        a.secret("kirim", "rahasia")
        a.reload()
        assert h.mails("warga") == []
        a.ctl("connectors", "resume", "surat", "--out")

        def answers():
            mails = [email.message_from_bytes(m, policy=email.policy.default) for m in h.mails("warga")]
            return sum("Silakan datang besok." in m.get_content() for m in mails)

        # When exactly is the retry's business: only that it comes, and once.
        wait(answers, "the answer in the citizen's box", timeout=200)
        wait(lambda: seen()["out"]["queued"] == 0 and not seen()["fault"], "quiet", timeout=200)
        assert answers() == 1
        states = [m["status"] for m in a.ctl("show", number)["messages"] if m["direction"] == "out"]
        assert states and set(states) <= {"sent", "delivered"}, states


@pytest.mark.parametrize("which", ["wrong", "expired", "unknown"])
def test_a_certificate_that_is_not_right_is_refused(which):
    with mail.MailHouse() as h, Aduan() as a:
        certificates = h.certificates()
        tls = certificates.good if which == "unknown" else getattr(certificates, which)
        h.dovecot({"pengaduan": "rahasia"}, tls=tls)
        h.smtps_port = h.imaps_port
        h.drop("pengaduan", letter("rahasia"))
        account(a, h)
        if which == "unknown":
            a.accounts["surat"]["tls_ca"] = mail.Certificates(os.path.join(h.d, "lain")).ca
        a.start()
        health = wait(lambda: (lambda x: x if x and x.get("fault") else None)(a.health("surat", "receive")), "the fault")
        assert "imap connect" in health["fault"], health
        assert a.stream("surat", "in") == [] and "rahasia" not in h.log("dovecot.log").split("Login")[0]
