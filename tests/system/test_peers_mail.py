"""Pains of other systems (peers.md): mail that is lost between two steps, that is parsed beside secrets, that eats memory."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from rig import mail  # noqa: E402
from rig.aduan import BUILD, Aduan, children, command_line, wait  # noqa: E402

PROGRAM = (BUILD / "aduand").read_bytes() if (BUILD / "aduand").exists() else b""
SANITIZED = b"__asan_init" in PROGRAM
pytestmark = pytest.mark.skipif(bool(mail.missing()) or not (BUILD / "connectors" / "email.so").exists(),
                                reason=f"SKIPPED: needs {mail.missing() or 'email.so'}")
PASSWORD = "sandi-kotak-51b7c9e2"


def letter(n, body="Paspor saya belum selesai.\r\n"):
    return (f"From: Budi <budi@warga.test>\r\nTo: pengaduan@kantor.test\r\nSubject: Keluhan {n}\r\n"
            f"Message-ID: <{n}@warga.test>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0700\r\n"
            f"Content-Type: text/plain; charset=utf-8\r\n\r\n{body}").encode()


@pytest.fixture
def house():
    with mail.MailHouse() as h:
        h.dovecot({"pengaduan": PASSWORD})
        yield h


def account(a, house, name="surat", **imap):
    a.account(name, type="email", address="pengaduan@kantor.test",
              imap={"url": f"imap://127.0.0.1:{house.imap_port}", "user": "pengaduan",
                    "password": a.secret("kotak", PASSWORD), "poll": "1s", **imap},
              smtp={"url": "smtp://127.0.0.1:9"})


def subjects(a):
    return sorted(m["subject"] for t in a.ctl("tickets") for m in a.ctl("show", t["number"])["messages"]
                  if m["direction"] == "in")


@pytest.mark.skipif(b"ADUAN_DIE_AT" not in PROGRAM, reason="SKIPPED LOUDLY: built without -DADUAN_STEPS=ON")
@pytest.mark.parametrize("step", ["receive.accept:1", "accept.before:1", "accept.after:1", "receive.accepted:1"])
def test_a_death_between_two_steps_of_taking_in_loses_no_mail(house, step):
    """The cursor is as far as what is kept, never further: no mail is missed, none comes twice."""
    house.drop("pengaduan", letter("satu"))
    house.drop("pengaduan", letter("dua"))
    with Aduan() as a:
        account(a, house)
        died = a.state / "died"
        a.env = {"ADUAN_DIE_AT": step, "ADUAN_DIE_ONCE": str(died)}
        a.start(ready=False)
        wait(died.exists, f"death at {step}")
        wait(lambda: subjects(a) == ["Keluhan dua", "Keluhan satu"], "both mails in tickets")
        house.drop("pengaduan", letter("tiga"))
        wait(lambda: "Keluhan tiga" in subjects(a), "the mail after them")
        assert subjects(a) == ["Keluhan dua", "Keluhan satu", "Keluhan tiga"]


def memory_holds(pid, needle):
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            where, perms, *_ = line.split()
            if "r" not in perms or "[v" in line:
                continue
            start, end = (int(x, 16) for x in where.split("-"))
            try:
                memory.seek(start)
                if needle in memory.read(end - start):
                    return True
            except (OSError, ValueError, OverflowError):
                continue
    return False


@pytest.mark.skipif(os.geteuid() != 0, reason="reading other processes' memory needs root")
@pytest.mark.skipif(SANITIZED, reason="a sanitizer's shadow is terabytes of memory to read")
def test_mail_is_parsed_in_a_process_without_secrets(house):
    with Aduan() as a:
        account(a, house)
        a.start()
        house.drop("pengaduan", letter("satu"))
        wait(lambda: subjects(a) == ["Keluhan satu"], "the ticket")
        receiver = a.worker("receive surat")
        parsers = [pid for pid in children(receiver) if command_line(pid)[1:3] == ["--job", "parse"]]
        assert len(parsers) == 1
        assert memory_holds(receiver, PASSWORD.encode())  # the method finds it where it is
        assert not memory_holds(parsers[0], PASSWORD.encode())


def peak(pid):
    """The most memory this process ever held, in MiB."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM:"))) // 1024


@pytest.mark.skipif(SANITIZED, reason="a sanitizer's memory is its own")
def test_mails_of_a_large_size_do_not_make_memory_grow(house):
    """Ten mails of 8 MB: the receiver holds some at a time, never all, and the desk none."""
    body = ("Lampiran panjang tanpa arti. " * 3 + "\r\n") * 92000
    with Aduan() as a:
        account(a, house)
        a.start()
        for i in range(10):
            house.drop("pengaduan", letter(f"besar{i}", body))
        wait(lambda: len(subjects(a)) == 10, "ten tickets", 90)
        assert peak(a.worker("receive surat")) < 160
        assert peak(a.worker("desk")) < 160


@pytest.mark.skipif(b"ADUAN_DIE_AT" not in PROGRAM, reason="SKIPPED LOUDLY: built without -DADUAN_STEPS=ON")
def test_a_death_between_two_batches_loses_no_mail(house):
    """What is kept of a look is its beginning: the cursor that is kept with it must not know of the rest."""
    names = sorted(f"Keluhan n{i:03d}" for i in range(150))
    for name in names:
        house.drop("pengaduan", letter(name.split()[1]))
    with Aduan() as a:
        account(a, house)
        died = a.state / "died"
        a.env = {"ADUAN_DIE_AT": "receive.accepted:1", "ADUAN_DIE_ONCE": str(died)}
        a.start(ready=False)
        wait(died.exists, "death after the first batch")
        wait(lambda: len(a.ctl("tickets")) >= len(names), "every mail in a ticket", 60)
        assert subjects(a) == names
