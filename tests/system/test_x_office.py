"""X there and back: mentions and private messages become tickets, answers go out within X's rules.

Everything is real but X: tests/rig/x.py stands in for it, written from the reference, and checks our signatures itself.
"""
import json
import pathlib
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from rig.aduan import Aduan, Refused, wait  # noqa: E402
from rig.x import X  # noqa: E402

SITI, BUDI = "9876543210", "9876500000"
SAMPLES = pathlib.Path(__file__).resolve().parents[1] / "platforms" / "x"
INVITATION = "lewat DM"


class Office:
    def __init__(self, a, x, **keys):
        self.a, self.x = a, x
        port = a.listen()
        x.hook = f"http://127.0.0.1:{port}/hook/x"
        auth = {"consumer_key": a.secret("ck", x.consumer_key), "access_token": a.secret("at", x.token),
                "access_token_secret": a.secret("ats", x.token_secret)}
        if "oauth" in keys:
            auth = {}
        a.account("x", type="x", api=x.api, ton=x.api, user_id=x.user_id, mentions="1s", dm_poll="1s",
                  consumer_secret=a.secret("cs", x.consumer_secret), **auth, **keys)

    def ticket(self, text):
        for t in self.a.ctl("tickets"):
            shown = self.a.ctl("show", t["number"])
            if any(m["direction"] == "in" and text in m["text"] for m in shown["messages"]):
                return shown
        return None

    def wait_ticket(self, text):
        return wait(lambda: self.ticket(text), f"a ticket about {text!r}")

    def reply(self, ticket, text, *more):
        self.a.ctl("reply", ticket["number"], text, *more, as_json=False)

    def sent(self, ident):
        return [m for m in self.x.thread(ident) if m["side"] == "office"]

    def wait_sent(self, ident, text):
        return wait(lambda: next((m for m in self.sent(ident) if m["text"] == text), None), f"{text!r} in the DMs of {ident}")

    def invitations(self, count=1):
        def ours():
            return [p for p in self.x.public() if p["author_id"] == self.x.user_id]
        return wait(lambda: len(ours()) >= count and ours(), "the invitation in public")

    def out(self, ticket, text):
        return next((m for m in self.a.ctl("show", ticket["number"])["messages"] if m["direction"] == "out" and text in m["text"]), None)


def office_of(secret=None, valid=True, **keys):
    with X() as x, Aduan() as a:
        x.consumer_secret, x.valid = secret or x.consumer_secret, valid
        o = Office(a, x, **keys)
        if not keys.get("webhook", True):
            x.shape = None
        a.start()
        yield o
        print(a.log_text()[-6000:])  # shown only when the test failed
        assert not x.bad or "oauth" in keys  # every request was signed as X wants it


@pytest.fixture
def office():
    yield from office_of()


@pytest.fixture
def sampled():
    yield from office_of(secret="rahasia-konsumen-uji-456")


@pytest.fixture
def dead():
    yield from office_of(valid=False)


@pytest.fixture
def polled():
    yield from office_of(webhook=False)


@pytest.fixture
def oauth2():
    with X() as x, Aduan() as a:
        o = Office(a, x, webhook=False, oauth={"token_url": x.api + "/2/oauth2/token", "client_id": x.client_id,
                                              "client_secret": a.secret("oc", x.client_secret),
                                              "refresh_token": a.secret("or", x.refresh_token)})
        x.shape = None
        a.start()
        yield o
        print(a.log_text()[-6000:])


def test_a_message_there_and_back(office):
    office.x.write(SITI, "Paspor saya & visa belum jadi", name="Siti Rahma")
    ticket = office.wait_ticket("Paspor saya & visa belum jadi")
    assert ticket["channel"] == "x" and ticket["name"] != "Siti Rahma"
    office.reply(ticket, "Mohon maaf, kami cek dulu 🙏")
    office.wait_sent(SITI, "Mohon maaf, kami cek dulu 🙏")
    wait(lambda: office.out(ticket, "kami cek dulu")["status"] == "sent", "the answer to be known as sent")
    assert sum(m["text"] == "Mohon maaf, kami cek dulu 🙏" for m in office.sent(SITI)) == 1


def test_a_mention_is_invited_once_and_nobody_is_written_to_first(office):
    pid = office.x.post(SITI, "@kantor kecewa, NIK 2172012345678901", name="Siti Rahma")
    ticket = office.wait_ticket("kecewa")
    said = office.invitations()
    assert said[0]["referenced_tweets"][0]["id"] == pid and INVITATION in said[0]["text"]
    assert "Siti" not in said[0]["text"] and ticket["number"] not in said[0]["text"]
    with pytest.raises(Refused) as refusal:
        office.reply(ticket, "Ibu Siti, paspor Ibu sudah jadi")
    assert "R-14" in refusal.value.text
    assert office.sent(SITI) == []


def test_webhook_and_poll_of_one_thing_are_one_ticket(office):
    for shape, ident in (("xaa", SITI), ("aaa", BUDI)):
        office.x.shape = shape
        office.x.post(ident, f"@kantor lewat dua jalan {shape}")
        office.wait_ticket(f"lewat dua jalan {shape}")
    polls = len(office.x.requests)
    wait(lambda: sum(r["path"].endswith("/mentions") for r in office.x.requests[polls:]) >= 2, "two more polls")
    wait(lambda: not office.a.stream("x", "in"), "everything to be taken in")
    assert len(office.a.ctl("tickets")) == 2
    assert len(office.invitations(2)) == 2


def test_a_deep_reply_comes_by_the_poll(office):
    first = office.x.post(SITI, "@kantor antrean panjang")
    office.wait_ticket("antrean panjang")
    office.x.post(BUDI, "@kantor saya juga, sudah tiga jam", reply_to=first, deep=True)
    office.wait_ticket("sudah tiga jam")


def test_all_by_polling_where_there_is_no_webhook(polled):
    polled.x.page_size = 2
    for i in range(5):
        polled.x.write(f"98765{i:05d}", f"Pesan nomor {i}")
        polled.x.post(f"98764{i:05d}", f"@kantor sebutan nomor {i}")
    for i in range(5):
        polled.wait_ticket(f"Pesan nomor {i}")
        polled.wait_ticket(f"sebutan nomor {i}")
    assert len(polled.a.ctl("tickets")) == 10


def test_who_did_not_call_us_gets_no_public_answer_and_the_officer_is_told(office):
    office.x.post(SITI, "kantor itu lambat sekali", mention=False)
    ticket = office.wait_ticket("lambat sekali")
    failed = wait(lambda: (m := office.out(ticket, INVITATION)) and m["status"] == "failed" and m, "the invitation to fail")
    assert failed
    assert [p for p in office.x.public() if p["author_id"] == office.x.user_id] == []
    assert any("disebut atau dikutip" in json.dumps(h) for h in office.a.ctl("show", ticket["number"])["history"])


def test_a_deleted_post_is_not_answered(office):
    office.x.fault("lookup", "error", times=1, status=503)
    pid = office.x.post(SITI, "@kantor akan dihapus")
    office.x.delete(pid)
    ticket = office.wait_ticket("akan dihapus")
    wait(lambda: (m := office.out(ticket, INVITATION)) and m["status"] == "failed", "the invitation to fail")


def test_the_budget_of_messages_is_waited_for(office):
    office.x.write(SITI, "Anggaran DM")
    ticket = office.wait_ticket("Anggaran DM")
    wait(lambda: office.sent(SITI), "the acknowledgement")
    office.x.limits["dm"], office.x.reset = 0, int(time.time()) + 4
    office.reply(ticket, "Setelah jeda")
    wait(lambda: any(r["path"].endswith("/messages") and "Setelah jeda" in r["body"] for r in office.x.requests), "the first try")
    assert office.out(ticket, "Setelah jeda")["status"] in ("queued", "sending")
    office.x.limits["dm"] = 15
    office.x.window_ends()
    office.wait_sent(SITI, "Setelah jeda")
    assert sum(m["text"] == "Setelah jeda" for m in office.sent(SITI)) == 1


def test_a_lost_answer_is_found_and_not_repeated(office):
    office.x.write(SITI, "Sambungan buruk")
    ticket = office.wait_ticket("Sambungan buruk")
    wait(lambda: office.sent(SITI), "the acknowledgement")
    for fault, text in (("cut-after", "Terputus sesudah diterima"), ("cut-before", "Terputus sebelum diterima")):
        office.x.fault("dm", fault)
        office.reply(ticket, text)
        office.wait_sent(SITI, text)
        wait(lambda t=text: office.out(ticket, t)["status"] == "sent", f"{text!r} to be known as sent")
        assert sum(m["text"] == text for m in office.sent(SITI)) == 1


def test_a_token_that_is_refused_is_renewed_and_its_successor_kept(oauth2):
    oauth2.x.write(SITI, "Dengan OAuth 2")
    ticket = oauth2.wait_ticket("Dengan OAuth 2")
    oauth2.x.rotate()
    oauth2.reply(ticket, "Setelah token diganti")
    oauth2.wait_sent(SITI, "Setelah token diganti")
    oauth2.a.restart()
    oauth2.x.write(SITI, "Sesudah mulai lagi")
    wait(lambda: any("mulai lagi" in m["text"] for m in oauth2.a.ctl("show", ticket["number"])["messages"]), "the follow-up")
    assert "rahasia-klien" not in oauth2.a.log_text()


def test_receiving_goes_on_while_the_token_is_refused(office):
    token, office.x.token = office.x.token, "999-lain"
    office.x.write(SITI, "Tetap diterima lewat webhook")
    office.wait_ticket("Tetap diterima")
    wait(lambda: (office.a.health("x", "send") or {}).get("fault"), "the fault in status")
    assert token not in office.a.log_text()
    office.x.bad.clear()


def test_pictures_come_in_and_go_out(office, tmp_path):
    content = bytes(range(256)) * 30
    office.x.write(SITI, "Bukti", media=content)
    ticket = office.wait_ticket("Bukti")
    stored = wait(lambda: next((f for m in office.a.ctl("show", ticket["number"])["messages"] for f in m["attachments"]
                                if f["state"] == "stored"), None), "the picture")
    assert (office.a.state / "attachments" / stored["sha256"][:2] / stored["sha256"]).read_bytes() == content
    form = tmp_path / "formulir.pdf"
    form.write_bytes(b"%PDF-1.4")
    with pytest.raises(Refused) as refusal:
        office.reply(ticket, "Formulir", "--attach", form)
    assert "gambar" in refusal.value.text


def test_a_dead_webhook_is_revived(dead):
    wait(lambda: dead.x.valid, "the webhook to be valid again")
    health = wait(lambda: (h := dead.a.health("x", "send")) and h.get("fault") and h, "the fault in status")
    assert "dipasang kembali" in health["fault"]


def test_every_sample_comes_in_by_the_front_door(sampled):
    office = sampled
    assert office.x.challenge()
    assert office.x.tell(b'{"for_user_id":"1234567890","direct_message_events":[]}', secret="salah") == 401
    index = [line.split("\t") for line in (SAMPLES / "INDEX").read_text().splitlines() if not line.startswith("#")]
    for name, _, signature in index:
        assert office.x.tell((SAMPLES / name).read_bytes(), signature=signature) == 200, name
    wait(lambda: not office.a.stream("x", "in"), "everything to be taken in")
    said = [m["text"] for t in office.a.ctl("tickets") for m in office.a.ctl("show", t["number"])["messages"] if m["direction"] == "in"]
    expected = json.loads((SAMPLES / "expected.json").read_text())
    deleted = {r["reply_to"] for rs in expected.values() for r in rs if r["kind"] == "delete"}
    for name, records in expected.items():
        for r in records:
            if r["kind"] == "message" and r.get("text") and r.get("platform_id") not in deleted and name != "more_tweet_truncated":
                assert any(r["text"] in s for s in said), (name, r["text"])
