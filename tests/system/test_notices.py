"""Mail to the admin through a real SMTP server: once, and what comes back for it starts nothing."""
import email
import email.policy
import email.utils
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from rig import mail  # noqa: E402
from rig.aduan import BUILD, Aduan, wait  # noqa: E402

pytestmark = pytest.mark.skipif(bool(mail.missing()) or not (BUILD / "connectors" / "email.so").exists(),
                                reason=f"SKIPPED: needs {mail.missing() or 'email.so'}")


@pytest.fixture
def house():
    with mail.MailHouse() as h:
        h.dovecot({"pengaduan": "rahasia-kotak", "warga": "rahasia", "admin": "rahasia"})
        h.exim()
        yield h


def account(a, house):
    a.account("surat", type="email", address="pengaduan@kantor.test",
              imap={"url": f"imap://127.0.0.1:{house.imap_port}", "user": "pengaduan",
                    "password": a.secret("kotak", "rahasia-kotak"), "poll": "5s"},
              smtp={"url": f"smtp://127.0.0.1:{house.smtp_port}", "user": "pengaduan", "password": a.secret("keluar", "rahasia")})
    a.core["notices"] = {"account": "surat", "admin": "admin@warga.test"}


def letter(n, sender, subject, more="", body="Paspor saya belum selesai.\r\n"):
    return (f"From: <{sender}>\r\nTo: pengaduan@kantor.test\r\nSubject: {subject}\r\nMessage-ID: <{n}@warga.test>\r\n"
            f"Date: {email.utils.formatdate()}\r\n{more}Content-Type: text/plain; charset=utf-8\r\n\r\n{body}").encode()


def test_the_admin_is_told_once_and_what_comes_back_is_no_case(house):
    with Aduan() as a:
        account(a, house)
        a.start_redis()
        a.redis.command("XADD", "aduan:{surat}:dead", "*", "kind", "in", "ref", "x", "reason", "a trial", "record", "{}", "at", "1")
        a.start()
        got = wait(lambda: house.mails("admin"), "the notice in the admin's box", 60)
        notice = email.message_from_bytes(got[0], policy=email.policy.default)
        assert notice["Subject"].startswith("[Aduan] ")
        assert notice["Auto-Submitted"] == "auto-generated"
        assert notice["References"] is None and notice["In-Reply-To"] is None
        text = notice.get_content()
        assert "surat" in text and "aduanctl dead" in text and "rahasia" not in text
        assert [t for t in a.ctl("status")["troubles"] if t["key"] == "dead:surat"], "status shows it"
        ours = notice["Message-ID"]
        house.drop("pengaduan", letter("balas", "admin@warga.test", "Re: " + notice["Subject"], f"In-Reply-To: {ours}\r\n"))
        house.drop("pengaduan", letter("cuti", "admin@warga.test", "Saya cuti", f"References: {ours}\r\nAuto-Submitted: auto-replied\r\n"))
        house.drop("pengaduan", got[0])  # its own copy
        wait(lambda: a.health("surat", "receive")["received"] >= 3, "all three", 60)
        a.restart()
        # Behind them a citizen: by the time this is a case, they have been judged.
        house.drop("pengaduan", letter("warga", "warga@warga.test", "Paspor"))
        wait(lambda: house.mails("warga"), "the citizen's acknowledgement", 60)
        tickets = a.ctl("tickets")
        assert [t["subject"] for t in tickets] == ["Paspor"], tickets
        assert len(house.mails("admin")) == 1
        assert len(a.ctl("dead")) == 1, "only the one it was about"
