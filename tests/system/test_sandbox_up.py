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
INVITATION = "kirim nama, alamat, dan kronologi lewat DM"


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

    def comments(self, who):
        """All that stands in public where this citizen wrote, and under the office's own post."""
        return [c for group in self.get(f"api/state?who={who}")["public"] for c in group["comments"]]

    def work(self, number):
        return [w for w in self.get("api/state?who=siti")["work"] if w["number"] == number]

    def invited(self, who, count=1):
        """The office's answers in public, once there are so many."""
        def ours():
            found = [c for c in self.comments(who) if c["ours"]]
            return found if len(found) >= count else None
        return until(ours)[0]

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


def test_every_channel_of_the_office_is_there(page):
    people = page.get("api/people")
    assert {p["channel"] for p in people} == {"whatsapp", "email", "maildir", "instagram", "facebook", "x", "lapor", "lapor-api",
                                            "counter"}
    types = sorted(a["type"] for a in page.ctl("status")["accounts"])
    assert types == ["counter", "email", "facebook", "instagram", "lapor", "lapor", "maildir", "whatsapp", "x"]


def test_a_private_message_on_social_media_gets_its_number_in_private(page):
    for who, channel in (("dewi", "instagram"), ("joko", "facebook"), ("rudi", "x")):
        page.post("api/write", {"who": who, "text": f"Halo, ini pesan langsung lewat {channel}."})
        shown, _ = until(lambda channel=channel: page.ticket_with(f"pesan langsung lewat {channel}"))
        assert shown["channel"] == channel and not shown["public"]
        until(lambda who=who, number=shown["number"]: [m for m in page.thread(who) if not m["mine"] and number in m["text"]])
        page.ctl("reply", shown["number"], f"Jawaban petugas lewat {channel}.")
        until(lambda who=who, channel=channel: [m for m in page.thread(who) if f"petugas lewat {channel}" in m["text"]])
        assert not [c for c in page.comments(who) if c["ours"]]
        page.ctl("close", shown["number"])  # what these citizens write next is a matter of its own


def answered_in_private(page, who, wrote, channel):
    """What was written in public is a public case; in public stands R-14 and nothing else, the officer's words in private."""
    shown, _ = until(lambda: page.ticket_with(wrote))
    assert shown["channel"] == channel and shown["public"]
    invited = page.invited(who)
    assert all(INVITATION in c["text"] and shown["number"] not in c["text"] for c in invited)
    words = f"Petugas menjawab: {wrote}"
    page.ctl("reply", shown["number"], words)
    answer, _ = until(lambda: next((m for m in page.thread(who) if words in m["text"]), None))
    assert not any("Petugas menjawab" in c["text"] for c in page.comments(who))
    return shown, invited, answer


def test_a_comment_on_instagram_is_invited_in_public_and_answered_in_private(page):
    comment = page.post("api/write", {"who": "dewi", "text": "Kecewa dengan antrean", "public": "comment"})["id"]
    _, invited, answer = answered_in_private(page, "dewi", "Kecewa dengan antrean", "instagram")
    assert invited[0]["reply_to"] == comment and answer["private_reply_to"] == comment


def test_posts_on_the_page_are_invited_in_public_and_answered_in_private(page):
    for count, way in enumerate(("post", "comment"), 1):
        page.post("api/write", {"who": "joko", "text": f"Ini {way} saya tentang paspor", "public": way})
        page.invited("joko", count)
        answered_in_private(page, "joko", f"Ini {way} saya tentang paspor", "facebook")
    groups = page.get("api/state?who=joko")["public"]
    assert [len([c for c in g["comments"] if c["ours"]]) for g in groups] == [1, 1]


def test_a_review_is_invited_and_the_officer_is_told_that_it_has_no_private_reply(page):
    page.post("api/write", {"who": "joko", "text": "Ini ulasan saya", "public": "review"})
    shown, _ = until(lambda: page.ticket_with("Ini ulasan saya"))
    page.invited("joko", 3)
    with pytest.raises(urllib.error.HTTPError) as refused:
        page.post("api/answer", {"number": shown["number"], "text": "Terima kasih."})
    assert refused.value.code == 409 and "review" in json.load(refused.value)["error"]


def test_a_mention_on_x_is_invited_and_a_direct_message_afterwards_joins(page):
    post = page.post("api/write", {"who": "rudi", "text": "visa saya macet di kantor", "public": "mention"})["id"]
    shown, _ = until(lambda: page.ticket_with("visa saya macet"))
    assert shown["channel"] == "x" and shown["public"]
    invited = page.invited("rudi")
    assert invited[0]["reply_to"] == post and INVITATION in invited[0]["text"] and shown["number"] not in invited[0]["text"]
    page.post("api/write", {"who": "rudi", "text": "Nama saya Rudi, visa kunjungan saya."})
    until(lambda: [m for m in page.ctl("show", shown["number"])["messages"] if "visa kunjungan" in m["text"]])
    page.ctl("reply", shown["number"], "Visa Anda sudah disetujui.")
    until(lambda: [m for m in page.thread("rudi") if "sudah disetujui" in m["text"]])
    assert len(page.invited("rudi")) == 1


def test_a_report_at_the_portal_is_imported_and_its_answer_pasted(page):
    ident = page.post("api/write", {"who": "sri", "subject": "Loket lambat", "text": "Loket 3; \"lambat\" sekali."})["id"]
    assert [r["id"] for r in page.get("api/state?who=sri")["portal"]] == [ident]
    number = page.post("api/import", {"id": ident})["number"]
    assert page.get("api/state?who=sri")["portal"] == []
    shown = page.ctl("show", number)
    assert shown["channel"] == "lapor" and shown["conversation"] == ident and 'Loket 3; "lambat"' in shown["messages"][0]["text"]
    page.post("api/answer", {"number": number, "text": "Loket 3 sudah ditambah petugas."})
    work, _ = until(lambda: page.work(number))
    assert work[0]["way"] == "paste" and not [m for m in page.thread("sri") if not m["mine"]]
    words = page.post("api/work", {"id": work[0]["id"], "do": "show"})["text"]
    page.post("api/work", {"id": work[0]["id"], "do": "done", "ref": ident})
    assert [m["text"] for m in page.thread("sri") if not m["mine"]] == [words] and "sudah ditambah petugas" in words
    assert page.work(number) == [] and page.ctl("show", number)["state"] == "answered"


def test_a_report_at_the_portal_with_an_api_is_answered_and_followed_up_there(page):
    ident = page.post("api/write", {"who": "wayan", "subject": "Jam layanan", "text": "Kantor tutup lebih awal."})["id"]
    shown, _ = until(lambda: page.ticket_with("tutup lebih awal"))
    assert shown["account"] == "lapor-api" and shown["conversation"] == ident
    page.ctl("reply", shown["number"], "Jam layanan sampai pukul 16.00.")
    answer, _ = until(lambda: next((m for m in page.thread("wayan") if "sampai pukul 16.00" in m["text"]), None))
    page.post("api/write", {"who": "wayan", "text": "Terima kasih, jelas.", "reply_to": answer["id"]})
    until(lambda: [m for m in page.ctl("show", shown["number"])["messages"] if "jelas" in m["text"] and m["direction"] == "in"])
    assert page.work(shown["number"]) == []


def test_at_the_counter_a_receipt_is_printed_and_the_answer_is_carried_over(page):
    with pytest.raises(urllib.error.HTTPError) as refused:
        page.post("api/intake", {"who": "hasan", "channel": "letter", "name": "Hasan Basri", "text": "Paspor anak saya."})
    assert refused.value.code == 409 and "Belum lengkap" in json.load(refused.value)["error"]
    logged = page.post("api/intake", {"who": "hasan", "channel": "letter", "name": "Hasan <b>Basri</b>", "phone": "0811 222 333",
                                      "text": "Paspor anak saya.", "file": {"name": "surat.txt", "data": "c3VyYXQK"}})
    with urllib.request.urlopen(page.page.rstrip("/") + logged["receipt"], timeout=20) as receipt:
        html = receipt.read().decode()
        assert "sandbox" in receipt.headers["Content-Security-Policy"]
    assert logged["number"] in html and "Hasan &lt;b&gt;" in html
    assert page.ctl("show", logged["number"])["messages"][0]["attachments"][0]["state"] == "stored"
    page.post("api/answer", {"number": logged["number"], "text": "Paspor dapat diambil."})
    work, _ = until(lambda: page.work(logged["number"]))
    with urllib.request.urlopen(page.page.rstrip("/") + page.post("api/work", {"id": work[0]["id"], "do": "print"})["url"],
                                timeout=20) as letter:
        assert "Paspor dapat diambil." in letter.read().decode()
    assert not [m for m in page.thread("hasan") if m.get("carried")]
    page.post("api/work", {"id": work[0]["id"], "do": "done", "ref": "Resi 77"})
    until(lambda: [m for m in page.thread("hasan") if m.get("carried") and m["text"] == "Paspor dapat diambil."])
    with pytest.raises(urllib.error.HTTPError) as refused:
        page.get("paper/..%2Faduan.conf")
    assert refused.value.code == 404


def test_a_mail_to_the_second_box_comes_through_its_maildir(page):
    page.post("api/write", {"who": "lia", "subject": "Kotak kedua", "text": "Lewat maildir."})
    shown, _ = until(lambda: page.ticket_with("Lewat maildir."))
    assert shown["account"] == "surat"
    until(lambda: [m for m in page.thread("lia") if not m["mine"] and shown["number"] in m["text"]])


def test_many_open_pages_ask_aduanctl_seldom():
    import desk

    class Office:
        asked = []

        def ask(self, *words, **_):
            self.asked.append(words[0])
            return [{"number": "TPI-2026-000001", "messages": []}] if words[0] == "tickets" else []

    d, began = desk.Desk(Office()), time.monotonic()
    for _ in range(500):
        d.tickets(), d.work(), d.case("TPI-2026-000001")
    seconds = time.monotonic() - began
    assert Office.asked.count("tickets") <= 2 + seconds and Office.asked.count("worklist") <= 2 + seconds
    assert Office.asked.count("show") == 1


def test_a_repeated_webhook_changes_nothing(page):
    until(lambda: all(any(m["direction"] == "out" for m in page.ctl("show", t["number"])["messages"])
                      for t in page.ctl("tickets")))  # the last acknowledgement is on its way
    before = len(page.ctl("tickets"))
    messages = sum(len(page.ctl("show", t["number"])["messages"]) for t in page.ctl("tickets"))
    page.post("api/day", {"key": "repeat"})
    time.sleep(1)
    assert len(page.ctl("tickets")) == before
    assert sum(len(page.ctl("show", t["number"])["messages"]) for t in page.ctl("tickets")) == messages


def test_eight_deliveries_are_one_message_and_a_lost_webhook_is_made_up_for(page):
    def messages(text):
        return sum(text in m["text"] and m["direction"] == "in" for t in page.ctl("tickets")
                   for m in page.ctl("show", t["number"])["messages"])

    page.post("api/day", {"key": "repeat"})
    invited = len([c for c in page.comments("dewi") if c["ours"]])
    page.post("api/write", {"who": "dewi", "text": "Delapan kali dikirim", "public": "comment"})
    until(lambda: messages("Delapan kali dikirim"))
    page.post("api/day", {"key": "hook-gone"})
    page.post("api/write", {"who": "rudi", "text": "tanpa webhook", "public": "mention"})
    until(lambda: messages("tanpa webhook"))  # X is read all the same
    page.invited("rudi", 2)
    assert messages("Delapan kali dikirim") == messages("tanpa webhook") == 1
    assert len([c for c in page.comments("dewi") if c["ours"]]) <= invited + 1


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
