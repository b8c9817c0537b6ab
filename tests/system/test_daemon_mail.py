"""A mail box through the whole daemon: TLS with a private CA, IDLE, the parser apart, the reply by SMTP."""
import email.utils
import pathlib
import re
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from rig import mail  # noqa: E402
from rig.aduan import BUILD, Aduan, wait  # noqa: E402

pytestmark = pytest.mark.skipif(bool(mail.missing()) or not (BUILD / "connectors" / "email.so").exists(),
                                reason=f"SKIPPED: needs {mail.missing() or 'email.so'}")

TODAY = email.utils.formatdate()  # older than a day, and nothing would be acknowledged


def letter(n, body="Antrean paspor di loket 3 terlalu lama.\r\nNama: Budi Santoso\r\nAlamat: Jl. Merdeka 1\r\n"):
    return (f"From: Budi <warga@warga.test>\r\nTo: pengaduan@kantor.test\r\nSubject: Keluhan {n}\r\n"
            f"Message-ID: <{n}@warga.test>\r\nDate: {TODAY}\r\n"
            f"Content-Type: text/plain; charset=utf-8\r\n\r\n{body}").encode()


@pytest.fixture(scope="module")
def house():
    with mail.MailHouse() as h:
        certificates = h.certificates()
        h.ca, tls = certificates.ca, certificates.good
        h.dovecot({"pengaduan": "rahasia-kotak", "warga": "rahasia"}, tls=tls)
        h.exim(tls=tls)
        yield h


def account(a, house, **imap):
    a.account("surat", type="email", address="pengaduan@kantor.test", tls_ca=house.ca,
              imap={"url": f"imaps://localhost:{house.imaps_port}", "user": "pengaduan",
                    "password": a.secret("kotak", "rahasia-kotak"), "poll": "5s", **imap},
              smtp={"url": f"smtp://127.0.0.1:{house.smtp_port}", "user": "pengaduan", "password": a.secret("keluar", "rahasia")})


def test_a_mail_becomes_a_ticket_and_the_answer_reaches_the_citizen(house):
    with Aduan() as a:
        account(a, house)
        a.start()
        wait(lambda: a.health("surat", "receive"), "the receiver")
        time.sleep(1)
        began = time.monotonic()
        house.drop("pengaduan", letter("satu"))
        wait(lambda: "answer" in a.log_text() and " is sent" in a.log_text(), "the acknowledgement to be sent", 40)
        print("mail to acknowledgement:", round(time.monotonic() - began, 2), "s")
        got = wait(lambda: house.mails("warga"), "the acknowledgement in the citizen's box")
        assert b"In-Reply-To: <satu@warga.test>" in got[0]
        tickets = wait(lambda: a.ctl("tickets"), "the ticket")
        assert len(tickets) == 1
        a.ctl("reply", tickets[0]["number"], "Terima kasih, loket 3 sudah ditambah.", as_json=False)
        wait(lambda: len(house.mails("warga")) == 2, "the answer in the citizen's box")
        assert any(b"loket 3 sudah ditambah" in m for m in house.mails("warga"))
        # Told to stop in the middle of IDLE it goes at once.
        began = time.monotonic()
        assert a.stop() == 0
        assert time.monotonic() - began < 5
        assert "rahasia-kotak" not in a.log_text()


def test_a_certificate_for_another_host_is_not_believed(house):
    with Aduan() as a:
        account(a, house)
        a.accounts["surat"]["imap"]["url"] = f"imaps://127.0.0.2:{house.imaps_port}"
        a.accounts["surat"]["tls_ca"] = ""
        a.start()
        fault = wait(lambda: a.health("surat", "receive")["fault"], "the fault in status")
        assert re.search(r"certificate|verif|connect|SSL|TLS", fault, re.I), fault
        assert a.health("surat", "receive")["received"] == 0


def test_plain_imap_leaves_this_machine_only_over_tls():
    with Aduan() as a:
        a.account("surat", type="email", address="x@kantor.test",
                  imap={"url": "imap://192.0.2.1:143", "user": "x", "password": a.secret("p", "rahasia")},
                  smtp={"url": "smtps://127.0.0.1:465"})
        status, text = a.check()
        assert status == 78 and "imap.url" in text


def test_a_backlog_comes_in_whole_and_once(house):
    with Aduan() as a:
        account(a, house)
        for i in range(60):
            house.drop("pengaduan", letter(f"b{i}"))
        a.start()
        wait(lambda: a.health("surat", "receive")["received"] >= 60, "the backlog", 60)
        a.stop()
        total = len(a.redis.command("KEYS", "*")) if a.redis.process else 0
        a.start()
        time.sleep(3)
        assert a.health("surat", "receive")["received"] == 0, total
