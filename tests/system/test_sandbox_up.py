"""./dev up, as a new user meets it: complaints by mail and webhook become tickets, answers come back in the same thread.

Times are reported, not judged: only a generous deadline fails.
"""
import email
import email.policy
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "rig"), str(ROOT / "tests" / "sandbox")]
import mail as mail_rig  # noqa: E402

BUILD = pathlib.Path(os.environ.get("ADUAN_RELEASE") or os.environ.get("ADUAN_BUILD") or ROOT / "build")
PATIENCE = 40


def until(what, seconds=PATIENCE):
    """The first true answer, and how long it took."""
    began = time.monotonic()
    while True:
        value = what()
        if value:
            return value, time.monotonic() - began
        assert time.monotonic() - began < seconds, "it never came"
        time.sleep(0.02)


class Page:
    """The sandbox as a browser uses it, and aduanctl beside it."""

    def __init__(self, addresses):
        self.__dict__.update(addresses)

    def get(self, path, headers=None):
        request = urllib.request.Request(self.page + path, headers=headers or {})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def post(self, path, body, headers=None):
        request = urllib.request.Request(self.page + path, data=json.dumps(body).encode(), method="POST",
                                         headers={"X-Sandbox": "1"} if headers is None else headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def thread(self, who):
        return self.get(f"api/state?who={who}")["thread"]

    def ctl(self, *words, text=None):
        program, _, conf = self.ctl_line.partition(" -c ")
        run = subprocess.run([program, "-c", conf, *words, "--json"], capture_output=True, text=True, input=text, timeout=30,
                             check=False)
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout) if run.stdout.strip() else {}

    def ticket_with(self, text):
        """The ticket one of whose inbound messages says this."""
        for ticket in self.ctl("tickets"):
            shown = self.ctl("show", ticket["number"])
            if any(m["direction"] == "in" and text in m["text"] for m in shown["messages"]):
                return shown
        return None


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    if mail_rig.missing():
        pytest.skip("no mail servers here: " + ", ".join(mail_rig.missing()))
    directory = tmp_path_factory.mktemp("sandbox")
    ready, log = directory / "ready.json", directory / "up.log"
    with open(log, "wb") as out:
        child = subprocess.Popen(["/usr/bin/python3", str(ROOT / "tests/sandbox/up.py"), "--build", str(BUILD), "--dir",
                                  str(directory / "s"), "--free-ports", "--ready-file", str(ready)],
                                 stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        until(lambda: ready.exists() or child.poll() is not None, 90)
        assert ready.exists(), log.read_text()
        addresses = json.loads(ready.read_text())
        addresses["ctl_line"] = addresses.pop("ctl")
        yield Page({**addresses, "log": log})
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
            child.wait(60)
        print(log.read_text()[-3000:])
        daemon_log = directory / "s" / "logs" / "aduand.log"
        if daemon_log.exists():
            print(daemon_log.read_text(errors="replace")[-6000:])
    assert child.returncode == 0


def test_it_prints_where_to_look_and_what_to_try(page):
    text = page.log.read_text()
    for word in (page.page, page.hook, page.box, f"{page.ctl_line} tickets", "reply TPI-", "Ctrl-C"):
        assert word in text, text


def test_a_whatsapp_message_becomes_a_ticket_and_its_answer_comes_back(page, record_property):
    wamid = page.post("api/write", {"who": "siti", "text": "Paspor saya belum selesai sejak tanggal 3"})["id"]
    shown, seconds = until(lambda: page.ticket_with("Paspor saya belum selesai"))
    record_property("webhook_to_ticket_s", round(seconds, 3))
    print(f"webhook to ticket: {seconds * 1000:.0f} ms")
    assert shown["channel"] == "whatsapp" and shown["messages"][0]["id"].endswith(wamid)

    acknowledged, _ = until(lambda: [m for m in page.thread("siti") if not m["mine"]])
    assert shown["number"] in acknowledged[0]["text"]

    page.ctl("reply", shown["number"], "-", text="Paspor Anda siap diambil besok.\n")
    answer, seconds = until(lambda: next((m for m in page.thread("siti") if "siap diambil" in m["text"]), None))
    record_property("whatsapp_reply_s", round(seconds, 3))
    assert not answer["mine"] and answer["status"] in ("sent", "delivered")

    page.post("api/read", {"who": "siti"})
    until(lambda: [m for m in page.ctl("show", shown["number"])["messages"]
                   if m["direction"] == "out" and m["status"] == "read" and "siap diambil" in m["text"]])


def test_a_mail_becomes_a_ticket_and_its_answer_comes_back_in_the_thread(page, record_property):
    first = page.post("api/write", {"who": "budi", "subject": "Antrean terlalu lama",
                                    "text": "Saya menunggu dari jam tujuh pagi sampai jam tiga sore."})["id"]
    shown, seconds = until(lambda: page.ticket_with("jam tujuh pagi"))
    record_property("mail_to_ticket_s", round(seconds, 3))
    print(f"mail to ticket: {seconds * 1000:.0f} ms")
    assert shown["channel"] == "email" and shown["subject"] == "Antrean terlalu lama"

    acknowledged, _ = until(lambda: [m for m in page.thread("budi") if not m["mine"]])
    assert shown["number"] in acknowledged[0]["text"] + acknowledged[0]["subject"]
    assert acknowledged[0]["reply_to"] == first and acknowledged[0]["auto"]

    page.ctl("reply", shown["number"], "-", text="Mohon maaf atas antrean itu.\n")
    answer, seconds = until(lambda: next((m for m in page.thread("budi") if "Mohon maaf atas antrean" in m["text"]), None))
    record_property("mail_reply_s", round(seconds, 3))
    assert answer["reply_to"] in {m["id"] for m in page.thread("budi")}
    assert first in answer["references"] and answer["subject"].lower().startswith("re: antrean terlalu lama")

    page.post("api/write", {"who": "budi", "text": "Terima kasih, sudah jelas.", "reply_to": answer["id"]})
    until(lambda: len([m for m in page.ctl("show", shown["number"])["messages"] if m["direction"] == "in"]) == 2)
    assert len(page.ctl("tickets")) == len({t["number"] for t in page.ctl("tickets")})


def test_an_attachment_comes_through_byte_for_byte(page):
    page.post("api/write", {"who": "amelia", "subject": "Visa", "text": "Please see the attached letter.",
                            "file": {"name": "surat – 1.txt", "type": "text/plain", "data": "YnVrdGkgc2F5YQo="}})
    shown, _ = until(lambda: page.ticket_with("attached letter"))
    found = shown["messages"][0]["attachments"][0]
    assert found["name"] == "surat – 1.txt" and found["state"] == "stored"
    assert found["sha256"] == hashlib.sha256(b"bukti saya\n").hexdigest()


def test_a_repeated_webhook_changes_nothing(page):
    until(lambda: all(any(m["direction"] == "out" for m in page.ctl("show", t["number"])["messages"])
                      for t in page.ctl("tickets")))  # the last acknowledgement is on its way
    before = len(page.ctl("tickets"))
    messages = sum(len(page.ctl("show", t["number"])["messages"]) for t in page.ctl("tickets"))
    page.post("api/day", {"key": "repeat"})
    time.sleep(1)
    assert len(page.ctl("tickets")) == before
    assert sum(len(page.ctl("show", t["number"])["messages"]) for t in page.ctl("tickets")) == messages


def test_an_answer_from_the_page_is_sent_like_any_other(page):
    shown, _ = until(lambda: page.ticket_with("Paspor saya belum selesai"))
    page.post("api/answer", {"number": shown["number"], "text": "Dijawab dari halaman."})
    until(lambda: [m for m in page.thread("siti") if m["text"].startswith("Dijawab dari halaman")])


def test_an_answer_accepted_before_the_line_was_cut_arrives_once(page):
    """The platform takes it and the answer to our request never comes: its status tells, nothing is sent again."""
    shown, _ = until(lambda: page.ticket_with("Paspor saya belum selesai"))
    page.post("api/day", {"key": "cut"})
    page.ctl("reply", shown["number"], "-", text="Sekali saja.\n")
    until(lambda: [m for m in page.ctl("show", shown["number"])["messages"]
                   if "Sekali saja" in m["text"] and m["status"] in ("delivered", "read")])
    time.sleep(2)
    assert len([m for m in page.thread("siti") if "Sekali saja" in m["text"]]) == 1


def test_nobody_else_can_play_the_citizen(page):
    """Another site in the same browser: no header of ours, or another host's name."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        page.post("api/write", {"who": "siti", "text": "x"}, headers={})
    assert refused.value.code == 403
    with pytest.raises(urllib.error.HTTPError) as refused:
        page.get("api/people", headers={"Host": "attacker.example"})
    assert refused.value.code == 421


def test_the_secrets_of_the_sandbox_are_private(page):
    directory = pathlib.Path(page.app_secret_file).parent
    assert directory.stat().st_mode & 0o077 == 0
    secrets = [p.read_text().strip() for p in directory.iterdir() if p.is_file()]
    logs = (directory.parent / "logs" / "aduand.log").read_text(errors="replace")
    for secret in secrets:
        assert len(secret) < 8 or secret not in logs
    for process in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes()
        except OSError:
            continue
        assert not any(len(s) > 12 and s.encode() in words for s in secrets)


def test_a_bad_configuration_is_refused_before_anything_starts(page, tmp_path):
    """The sandbox asks aduand -n first; so would an admin."""
    bad = tmp_path / "aduan.conf"
    bad.write_text(pathlib.Path(page.conf).read_text().replace("office", "ofice"))
    run = subprocess.run([page.ctl_line.split()[0].replace("aduanctl", "aduand"), "-c", str(bad), "-n"], capture_output=True,
                         text=True, check=False, timeout=30)
    assert run.returncode == 78 and "did you mean \"office\"" in run.stdout + run.stderr


def test_the_page_parses_what_mail_clients_send():
    """The citizen's mailbox of the sandbox itself: a mail without Message-ID or text does not end its loop."""
    import citizen
    box = citizen.Mailbox.__new__(citizen.Mailbox)
    box.person, box.messages, box.files, box.seen = {"key": "x"}, [], {}, set()
    box.keep(email.message_from_bytes(b"From: a@b\r\n\r\n", policy=email.policy.default), mine=False)
    box.keep(email.message_from_bytes(b"From: a@b\r\nContent-Type: image/png\r\n\r\nxx", policy=email.policy.default), mine=False)
    assert len(box.messages) == 2
