"""WhatsApp there and back: signed webhooks become tickets, answers reach the citizen's phone.

Everything is real but Graph: tests/rig/graph.py stands in for it, written from the reference.
"""
import base64
import json
import pathlib
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from rig.aduan import Aduan, wait  # noqa: E402
from rig.graph import Graph  # noqa: E402

SAMPLES = pathlib.Path(__file__).resolve().parents[1] / "platforms" / "whatsapp"
SITI, BUDI = "+6281234567890", "+6281298765432"
DAY = 24 * 3600


class Office:
    """Aduan with one WhatsApp account whose Graph is the stand-in."""

    def __init__(self, a, graph, template=True, **keys):
        self.a, self.graph = a, graph
        port = a.listen()
        account = {"type": "whatsapp", "api": graph.api, "phone_number_id": graph.number_id,
                   "access_token": a.secret("wa-token", graph.token), "app_secret": a.secret("wa-app", graph.app_secret),
                   "verify_token": a.secret("wa-verify", "token-kita"), **keys}
        if template:
            account["template"] = {"name": "buka_percakapan", "language": "id"}
        a.account("wa", **account)
        self.hook = f"http://127.0.0.1:{port}/hook/wa"
        graph.hook = self.hook

    def tickets(self):
        return self.a.ctl("tickets")

    def ticket_of(self, text):
        """The ticket that holds an incoming message with this text."""
        for t in self.tickets():
            shown = self.a.ctl("show", t["number"])
            if any(m["direction"] == "in" and text in m["text"] for m in shown["messages"]):
                return shown
        return None

    def wait_ticket(self, text):
        return wait(lambda: self.ticket_of(text), f"a ticket about {text!r}")

    def answer(self, number, text):
        """The outgoing message with this text."""
        return next((m for m in self.a.ctl("show", number)["messages"] if m["direction"] == "out" and m["text"] == text),
                    None)

    def wait_status(self, number, text, *states):
        return wait(lambda: (m := self.answer(number, text)) and m["status"] in states and m,
                    f"{text!r} to be {'/'.join(states)}")

    def on_phone(self, phone, text):
        return next((m for m in self.graph.phone(phone) if m["side"] == "office" and m["text"] == text), None)

    def copies(self, phone, text):
        return sum(m["side"] == "office" and m["text"] == text for m in self.graph.phone(phone))


@pytest.fixture
def office():
    with Graph() as graph, Aduan() as a:
        o = Office(a, graph)
        a.start()
        yield o
        print(a.log_text()[-8000:])  # shown only when the test failed


def test_a_message_becomes_a_ticket_and_the_answer_arrives_in_its_thread(office):
    wamid = office.graph.write(SITI, "Paspor saya belum jadi, sudah 10 hari 😡", name="Siti Rahma", username="siti.rahma")
    ticket = office.wait_ticket("Paspor saya belum jadi")
    assert ticket["channel"] == "whatsapp" and ticket["account"] == "wa"
    assert ticket["name"] != "Siti Rahma"  # a profile name is not the complainant's name
    office.a.ctl("reply", ticket["number"], "Mohon maaf, kami cek dulu.", as_json=False)
    shown = wait(lambda: office.on_phone(SITI, "Mohon maaf, kami cek dulu."), "the answer on the phone")
    assert shown["reply_to"] == wamid
    office.wait_status(ticket["number"], "Mohon maaf, kami cek dulu.", "delivered")
    office.graph.read(SITI)
    m = office.wait_status(ticket["number"], "Mohon maaf, kami cek dulu.", "read")
    assert m["platform_id"] == shown["id"]
    assert office.copies(SITI, "Mohon maaf, kami cek dulu.") == 1
    # A follow-up joins the case.
    office.graph.write(SITI, "Terima kasih, saya tunggu")
    wait(lambda: any("saya tunggu" in m["text"] for m in office.a.ctl("show", ticket["number"])["messages"]), "the follow-up")
    assert len(office.tickets()) == 1


def test_the_acknowledgement_is_sent_once_however_often_the_webhook_comes(office):
    office.graph.hold()
    office.graph.write(SITI, "Antrean kacau")
    office.graph.release(copies=8)
    ticket = office.wait_ticket("Antrean kacau")
    wait(lambda: [m for m in office.graph.phone(SITI) if m["side"] == "office"], "an acknowledgement")
    wait(office.graph.idle, "all webhooks to be taken")
    time.sleep(1)
    assert len([m for m in office.graph.phone(SITI) if m["side"] == "office"]) == 1
    assert len(office.tickets()) == 1
    assert sum(m["direction"] == "in" for m in office.a.ctl("show", ticket["number"])["messages"]) == 1


def test_the_handshake_and_bad_signatures_at_the_front_door(office):
    body = (SAMPLES / "text.json").read_bytes()
    assert office.graph.post(body, secret="salah") == 401
    assert office.graph.post(body, headers={"X-Hub-Signature-256": ""}) == 401
    p = subprocess.run(["curl", "-s", "-w", "|%{http_code}", "-X", "POST", "--data-binary", "{}", office.hook],
                       capture_output=True, text=True, check=True)
    assert p.stdout == "|401"  # and an empty body
    query = "?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
    for token, wanted in (("token-kita", "1158201444|200"), ("salah", "|403")):
        p = subprocess.run(["curl", "-s", "-w", "|%{http_code}", office.hook + query + token], capture_output=True,
                           text=True, check=True)
        assert p.stdout == wanted
    assert office.tickets() == []


def test_every_sample_comes_in_by_the_front_door_as_the_record_it_should_be():
    """Redis keeps what the desk reads: here the desk is too late, so the stream shows the records."""
    expected = json.loads((SAMPLES / "expected.json").read_text())
    index = [line.split("\t") for line in (SAMPLES / "INDEX").read_text().splitlines() if not line.startswith("#")]
    with Graph() as graph, Aduan() as a:
        office = Office(a, graph, app_secret=[a.secret("old", "rahasia-lama"), a.secret("wa-app", graph.app_secret)])
        a.start()
        for name, _, signature in index:
            body = (SAMPLES / name).read_bytes()
            assert graph.post(body, headers={"X-Hub-Signature-256": signature}) == 200, name
        assert len(index) == len(expected)
        visible = wait(lambda: settled(a, office), "everything to be taken in")
        # Samples also edit and unsend one message: its text is gone, as it must be.
        gone = {r["reply_to"] for records in expected.values() for r in records if r.get("kind") in ("edit", "delete")}
        for name, records in expected.items():
            for record in records:
                if not is_shown(record, graph.number_id):
                    continue
                there = any(record["text"] in text for text in visible)
                assert there == (record.get("platform_id") not in gone), (name, record)
        # The number that is nobody's is a dead letter, not nothing.
        assert any("200000000000002" in d["reason"] for d in a.ctl("dead"))


def is_shown(record, number_id):
    """A citizen's message to our number, which an officer must find in a ticket."""
    return (record.get("kind", "message") == "message" and "flags" not in record and record.get("text")
            and record.get("to", number_id) == number_id)


def settled(a, office):
    """All incoming texts once the in stream is empty."""
    if a.stream("wa", "in"):
        return None
    texts = [m["text"] for t in office.tickets() for m in a.ctl("show", t["number"])["messages"] if m["direction"] == "in"]
    return texts or None


def test_a_citizen_without_a_phone_number_is_answered_by_user_id(office):
    office.graph.write(user_id="ID.tanpanomor42", text="Saya hanya punya nama pengguna", username="pelapor42")
    ticket = office.wait_ticket("Saya hanya punya nama pengguna")
    office.a.ctl("reply", ticket["number"], "Baik, kami bantu.", as_json=False)
    wait(lambda: any(m["text"] == "Baik, kami bantu." for m in office.graph.phone(user_id="ID.tanpanomor42")), "the answer")
    sent = [json.loads(r["body"]) for r in office.graph.requests if r["path"].endswith("/messages")]
    assert all(r.get("recipient") == "ID.tanpanomor42" and "to" not in r for r in sent)


def test_a_closed_window_gets_the_template_and_the_answer_when_the_citizen_writes(office):
    office.graph.write(SITI, "Tulisan kemarin dulu", at=time.time() - 25 * 3600)
    ticket = office.wait_ticket("Tulisan kemarin dulu")
    office.a.ctl("reply", ticket["number"], "Jawaban yang menunggu", as_json=False)
    office.wait_status(ticket["number"], "Jawaban yang menunggu", "held")
    wait(lambda: any(m.get("template") == "buka_percakapan" for m in office.graph.phone(SITI)), "the template")
    assert office.copies(SITI, "Jawaban yang menunggu") == 0
    office.graph.write(SITI, "Ya, silakan")
    wait(lambda: office.on_phone(SITI, "Jawaban yang menunggu"), "the held answer")
    office.wait_status(ticket["number"], "Jawaban yang menunggu", "sent", "delivered")
    assert office.copies(SITI, "Jawaban yang menunggu") == 1
    assert sum(m.get("template") == "buka_percakapan" for m in office.graph.phone(SITI)) == 1


def closed_for_graph_only(office, order):
    """131047 at once, as a failed status after the acceptance, or as one that overtakes it."""
    office.graph.write(SITI, "Jam Graph berbeda")
    ticket = office.wait_ticket("Jam Graph berbeda")
    wait(lambda: [m for m in office.graph.phone(SITI) if m["side"] == "office"], "the acknowledgement")
    office.graph.window = "error" if order == "error" else "status"
    office.graph.advance(25 * 3600)
    if order == "status":
        office.graph.hold()
    if order == "overtakes":
        office.graph.fault("messages", "late", seconds=2)
    office.a.ctl("reply", ticket["number"], "Jawaban ditolak jendela", as_json=False)
    if order == "status":
        office.wait_status(ticket["number"], "Jawaban ditolak jendela", "sent")
        office.graph.release()
    office.wait_status(ticket["number"], "Jawaban ditolak jendela", "held")
    if order == "overtakes":
        time.sleep(3)  # until the late acceptance is known, too
        assert office.answer(ticket["number"], "Jawaban ditolak jendela")["status"] == "held"
    office.graph.offset = 0
    office.graph.write(SITI, "Saya di sini")
    wait(lambda: office.on_phone(SITI, "Jawaban ditolak jendela"), "the held answer")
    assert office.copies(SITI, "Jawaban ditolak jendela") == 1


@pytest.mark.parametrize("order", ["error", "status"])
def test_a_window_that_only_graph_knows_to_be_closed_holds_the_answer_too(office, order):
    closed_for_graph_only(office, order)


def test_a_closed_window_is_heard_although_its_status_overtakes_the_acceptance(office):
    closed_for_graph_only(office, "overtakes")


def test_media_is_fetched_although_the_first_tries_fail(office):
    content = bytes(range(256)) * 500
    office.graph.fault("link", "error", code=131000, status=500)
    office.graph.fault("bytes", "expired")
    office.graph.fault("bytes", "damage")
    office.graph.write(SITI, type="image", media=content, mime="image/jpeg", caption="Bukti antrean")
    ticket = office.wait_ticket("Bukti antrean")  # the message did not wait for its attachment

    def stored():
        return next((x for m in office.a.ctl("show", ticket["number"])["messages"] for x in m["attachments"]
                     if x["state"] == "stored"), None)
    attachment = wait(stored, "the attachment", 90)
    path = office.a.state / "attachments" / attachment["sha256"][:2] / attachment["sha256"]
    assert path.read_bytes() == content


def test_an_attachment_of_the_office_reaches_the_phone(office, tmp_path):
    office.graph.write(SITI, "Minta formulir")
    ticket = office.wait_ticket("Minta formulir")
    form = tmp_path / "formulir.pdf"
    form.write_bytes(b"%PDF-1.4 contoh")
    office.a.ctl("reply", ticket["number"], "Silakan diisi", "--attach", form, as_json=False)
    shown = wait(lambda: office.on_phone(SITI, "Silakan diisi"), "the document")
    assert shown["type"] == "document" and shown["filename"] == "formulir.pdf"
    assert office.graph.media[shown["media_id"]]["bytes"] == b"%PDF-1.4 contoh"


def test_a_connection_cut_before_or_after_acceptance_delivers_once(office):
    """The platform cannot be asked, but its status webhook carries our id: uncertain becomes delivered."""
    office.graph.write(SITI, "Koneksi buruk")
    ticket = office.wait_ticket("Koneksi buruk")
    wait(lambda: [m for m in office.graph.phone(SITI) if m["side"] == "office"], "the acknowledgement")
    office.graph.fault("messages", "cut-after")
    office.a.ctl("reply", ticket["number"], "Terputus sesudah diterima", as_json=False)
    office.wait_status(ticket["number"], "Terputus sesudah diterima", "sent", "delivered")
    assert office.copies(SITI, "Terputus sesudah diterima") == 1
    office.graph.fault("messages", "500-accepted")
    office.a.ctl("reply", ticket["number"], "Lima ratus tetapi diterima", as_json=False)
    office.wait_status(ticket["number"], "Lima ratus tetapi diterima", "sent", "delivered")
    assert office.copies(SITI, "Lima ratus tetapi diterima") == 1
    office.graph.fault("messages", "cut-before")
    office.a.ctl("reply", ticket["number"], "Terputus sebelum diterima", as_json=False)
    office.wait_status(ticket["number"], "Terputus sebelum diterima", "uncertain")
    assert office.copies(SITI, "Terputus sebelum diterima") == 0


def test_limits_delay_and_do_not_lose(office):
    office.graph.write(SITI, "Banyak pertanyaan")
    ticket = office.wait_ticket("Banyak pertanyaan")
    office.graph.fault("messages", "error", code=131056)
    office.graph.fault("messages", "error", code=131000, status=500)
    office.a.ctl("reply", ticket["number"], "Setelah batas", as_json=False)
    wait(lambda: office.on_phone(SITI, "Setelah batas"), "the answer", 60)
    assert office.copies(SITI, "Setelah batas") == 1


def test_receiving_goes_on_while_the_token_is_revoked(office):
    office.graph.write(SITI, "Sebelum token dicabut")
    first = office.wait_ticket("Sebelum token dicabut")
    token, office.graph.token = office.graph.token, "lain"
    office.a.ctl("reply", first["number"], "Tertahan token", as_json=False)
    wait(lambda: (office.a.health("wa", "send") or {}).get("fault"), "the fault in status")
    office.graph.write(BUDI, "Tetap diterima")
    office.wait_ticket("Tetap diterima")
    assert office.copies(SITI, "Tertahan token") == 0
    # Kept for the new token: neither failed nor forgotten, and never sent meanwhile.
    assert office.answer(first["number"], "Tertahan token")["status"] == "queued"
    assert token not in office.a.log_text()


def test_a_batch_in_any_order_for_several_people(office):
    office.graph.hold()
    for i in range(40):
        office.graph.write(f"+62811000{i:04d}", f"Aduan nomor {i}", name=f"Warga {i}")
    office.graph.release(batch=True, reverse=True, copies=2)
    wait(lambda: len(office.tickets()) == 40, "40 tickets")
    wait(office.graph.idle, "the webhook to be taken")
    assert len(office.tickets()) == 40


def test_media_of_a_citizen_is_base64_in_the_control_call(office):
    """The call the sandbox page uses."""
    data = json.dumps({"phone": SITI, "type": "document", "media": base64.b64encode(b"isi").decode(),
                       "filename": "bukti.txt", "mime": "text/plain", "caption": "Lihat lampiran"})
    p = subprocess.run(["curl", "-s", "-d", data, office.graph.base + "/control/message"], capture_output=True, text=True,
                       check=True)
    assert json.loads(p.stdout)["id"].startswith("wamid.")
    office.wait_ticket("Lihat lampiran")
