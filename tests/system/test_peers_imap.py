"""The commonest pain of other systems (peers.md, 5): a mail server that falls silent, and a poller that waits for it for ever."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent))
from email_fake import FakeImap  # noqa: E402
from rig.aduan import BUILD  # noqa: E402

DRIVE = BUILD / "tests" / "email_drive"
pytestmark = pytest.mark.skipif(not DRIVE.exists(), reason="SKIPPED: needs email_drive")
LONG = os.environ.get("ADUAN_LONG") == "1"


def a_mail(n):
    return (f"From: Budi <budi@warga.test>\r\nTo: pengaduan@kantor.test\r\nSubject: Keluhan {n}\r\nMessage-ID: <{n}@w>\r\n"
            "\r\nPaspor saya belum selesai.\r\n").encode()


def drive(fake, *words, timeout=110):
    with tempfile.TemporaryDirectory(prefix="aduan-imap-") as d:
        p = subprocess.run([DRIVE, f"url=imap://127.0.0.1:{fake.port}", f"mark={d}/mark", "poll=200", *words],
                           capture_output=True, text=True, timeout=timeout, check=True)
    return [json.loads(line) for line in p.stdout.splitlines()]


def silent_once(word):
    """The first command that begins so gets no answer, and the connection stays open: half-open TCP looks like this."""
    done = threading.Event()

    def hook(session, tag, command):
        if not command.upper().startswith(word) or done.is_set():
            return False
        done.set()
        return True
    return hook


def silence(word):
    fake = FakeImap({1: a_mail(1), 2: a_mail(2)}, silent_once(word))
    try:
        began = time.monotonic()
        pulls = drive(fake, "idle=0", "pull:50", "pull:50", "pull:50")
        return [r["subject"] for one in pulls for r in one["records"]], fake.sessions, time.monotonic() - began
    finally:
        fake.close()


def test_a_server_that_falls_silent_is_left_and_tried_again():
    """At each command: given up after its deadline (a minute), and all mail is taken, once, over the next connection."""
    words = ["LOGIN", ("SELECT", "EXAMINE"), "UID SEARCH", "UID FETCH"]
    with concurrent.futures.ThreadPoolExecutor(len(words)) as pool:
        for word, (got, sessions, took) in zip(words, pool.map(silence, words)):
            assert got == ["Keluhan 1", "Keluhan 2"], (word, got)
            assert sessions >= 2, word  # it was silent, and left
            assert took < 100, (word, took)


@pytest.mark.skipif(not LONG, reason="long (10 min): ADUAN_LONG=1")
def test_a_dead_idle_is_noticed():
    """IDLE is accepted and then nothing ever comes: the box is looked at anew all the same."""
    idles = []

    def hook(session, tag, command):
        if command.upper().startswith("IDLE"):
            idles.append(time.monotonic())
            session.send("+ idling\r\n")
            fake.mails[2] = a_mail(2)  # it comes, and this server never says so
            return True
        return command.upper().startswith("DONE")  # no answer to that either
    fake = FakeImap({1: a_mail(1)}, hook, "IMAP4rev1 IDLE UIDPLUS")
    try:
        got = [r["subject"] for one in drive(fake, "pull:640000", "pull:1000", timeout=900) for r in one["records"]]
        assert got == ["Keluhan 1", "Keluhan 2"]
    finally:
        fake.close()
