"""SP4N-LAPOR! by its API, as a profile maps it: there and back, and every oddity of the notes.

Everything is real but LAPOR!: tests/rig/lapor.py stands in for it. Its list of reports is the stand-in's own invention.
"""
import pathlib
import re
import signal
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from rig.aduan import BUILD, Aduan, Refused, wait  # noqa: E402
from rig.lapor import ADMIN, OWN, Lapor  # noqa: E402

SAID = "Paspor Anda selesai, silakan diambil."

pytestmark = pytest.mark.skipif(not (BUILD / "connectors" / "lapor.so").exists() or not (BUILD / "aduanctl").exists(),
                                reason="SKIPPED: needs a build")


class Office:
    def __init__(self, a, lapor, **profile):
        self.a, self.lapor = a, lapor
        (a.dir / "lapor").mkdir()
        self.map(**profile)
        a.account("lapor", type="lapor", mode="api", profile="lapor/uji.profile", poll="1s", headers=list(lapor.headers),
                  secrets=[a.secret(f"lapor-{i}", v) for i, v in enumerate(lapor.values)])

    def map(self, **profile):
        (self.a.dir / "lapor" / "uji.profile").write_text(self.lapor.profile(**profile))

    def messages(self):
        return [m for t in self.a.ctl("tickets") for m in self.a.ctl("show", t["number"])["messages"]]

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

    def out(self, ticket, text):
        return next((m for m in self.a.ctl("show", ticket["number"])["messages"] if m["direction"] == "out" and text in m["text"]), None)

    def wait_status(self, ticket, text, status):
        wait(lambda: self.out(ticket, text)["status"] == status, f"{text!r} to be {status}")

    def settled(self):
        keys = self.a.redis.command("KEYS", "aduan:{lapor}:answer:*")
        return all(self.a.redis.command("HGET", k, "state") in ("sent", None) for k in keys)

    def answers(self, ident):
        return [f for f in self.lapor.followups(ident) if f["side"] == "office"]

    def said(self, ident, text):
        return [f for f in self.answers(ident) if text in f["text"]]

    def polled(self, times=2, on="list"):
        """Until LAPOR! has been asked so many times more."""
        before = len(self.lapor.asked(on))
        wait(lambda: len(self.lapor.asked(on)) >= before + times, f"{times} more of {on}")


def office_of(**profile):
    with Lapor() as lapor, Aduan() as a:
        o = Office(a, lapor, **profile)
        a.start()
        yield o
        print(a.log_text()[-6000:])  # shown only when the test failed
        assert not spoken(o)


def spoken(office):
    """Files of ours in which the value of a header stands."""
    files = [p for p in [office.a.logfile, *office.a.state.rglob("*")] if p.is_file()]
    return [p for p in files if any(v.encode() in p.read_bytes() for v in office.lapor.values)]


@pytest.fixture
def office():
    yield from office_of()


@pytest.fixture
def by_hand():
    yield from office_of(reply=False)


@pytest.fixture
def uploading():
    reply = "path = /complaints/followup/add\nencoding = json\n"
    more = ("[cap.upload]\nenabled = yes\npath = /complaints/complaint/file\nencoding = multipart\nfile_part = attachments[]\n"
            "ids = /results/images/*/id,/results/docs/*/id\n")
    yield from office_of(reply=reply, more=more + '[map.reply]\nattachments = {attachment_ids}|none("false")|json_array|suffix(".")|json\n')


def test_there_and_back_with_an_attachment(office, tmp_path):
    ident = office.lapor.file("Siti Rahma", "Paspor belum jadi", "<p>Sudah <b>tiga</b> minggu</p>", files=["bukti.jpg", "surat.pdf"])
    ticket = office.wait_ticket("tiga minggu")
    assert ticket["channel"] == "lapor"
    first = next(m for m in ticket["messages"] if m["direction"] == "in")
    assert sorted(f["name"] for f in first["attachments"]) == ["bukti.jpg", "surat.pdf"]
    letter = tmp_path / "balasan.pdf"
    letter.write_bytes(b"%PDF-1.4\n" + bytes(range(256)))
    office.reply(ticket, SAID, "--attach", letter)
    office.wait_status(ticket, SAID, "sent")
    shown = office.said(ident, SAID)
    assert [f["files"] for f in shown] == [["balasan.pdf"]]
    assert letter.read_bytes() in office.lapor.files.values()
    office.lapor.say(ident, "Terima kasih, kapan buka?")
    again = office.wait_ticket("kapan buka")
    assert again["number"] == ticket["number"]
    # Our own entry comes back with the follow-ups: an echo, no case and no message of the citizen's.
    office.polled(on="followups")
    assert len(office.a.ctl("tickets")) == 1 and len(office.said(ident, SAID)) == 1


def test_entries_of_every_shape_are_seen(office):
    ident = office.lapor.file("Budi", "Antrean", "Antrean panjang")
    office.wait_ticket("Antrean panjang")
    office.lapor.entry(ident, institution_from_id=ADMIN, institution_from_name=ADMIN["name"], institution_to_name=OWN["name"],
                       template_code="T1", template_content="Diteruskan dari {{institution_from}} kepada {{ institution_to }}.")
    office.lapor.entry(ident, institution_from_id=ADMIN, data='{"reason_description": "Mohon dilengkapi tanggal"}')
    office.lapor.entry(ident, content="<p>Lampiran &amp; bukti</p>",
                       attachments={"0": {"path": "x/foto.png", "file_name": "foto.png", "extension": "png"},
                                    "docs": [{"path": "x/surat.docx", "file_name": "surat.docx", "extension": "docx"}]})
    ticket = office.wait_ticket("Lampiran & bukti")
    texts = " | ".join(m["text"] for m in ticket["messages"] if m["direction"] == "in")
    assert f"Diteruskan dari {ADMIN['name']} kepada {OWN['name']}." in texts
    assert "Mohon dilengkapi tanggal" in texts
    names = [f["name"] for m in ticket["messages"] for f in m["attachments"]]
    assert sorted(names) == ["foto.png", "surat.docx"]


def test_pages_with_repeats_lose_and_double_nothing(office):
    office.lapor.page_size, office.lapor.overlap = 3, 2
    with office.lapor.lock:
        for i in range(10):
            office.lapor.file(f"Warga {i}", f"Perkara {i}", f"Laporan nomor-{i}.")
    wait(lambda: len(office.a.ctl("tickets")) == 10, "ten cases")
    office.polled(on="list", times=8)
    seen = sorted(m["text"] for m in office.messages() if m["direction"] == "in")
    assert seen == sorted(f"Laporan nomor-{i}." for i in range(10))


def test_a_crash_between_pages_loses_and_doubles_nothing(office):
    office.lapor.page_size = 2
    with office.lapor.lock:
        for i in range(6):
            office.lapor.file(f"Warga {i}", f"Perkara {i}", f"Laporan nomor-{i}.")
    wait(lambda: any(r["query"].get("page") == "2" for r in office.lapor.asked("list")), "the second page asked for")
    office.a.stop(signal.SIGKILL)
    office.a.start()
    wait(lambda: len(office.a.ctl("tickets")) == 6, "six cases")
    office.polled(on="list", times=4)
    assert sorted(m["text"] for m in office.messages() if m["direction"] == "in") == [f"Laporan nomor-{i}." for i in range(6)]


FAULTS = [("error", {"status": 503}), ("html", {}), ("redirect", {}), ("truncated", {}), ("message", {}), ("cut-before", {}), ("slow", {"seconds": 30})]


@pytest.mark.parametrize("do,more", FAULTS, ids=[f[0] for f in FAULTS])
def test_a_faulty_list_costs_nothing(do, more):
    for office in office_of():
        office.lapor.file("Siti", "Paspor", "Bertahan lewat gangguan")
        office.lapor.fault("list", do, times=1, **more)
        office.lapor.fault("followups", do, times=1, **more)
        ticket = office.wait_ticket("Bertahan lewat gangguan")
        office.lapor.say(ident := next(iter(office.lapor.reports)), "Sesudah gangguan")
        assert office.wait_ticket("Sesudah gangguan")["number"] == ticket["number"]
        assert len(office.a.ctl("tickets")) == 1 and ident


def test_an_unknown_status_is_shown_to_a_person(office):
    ident = office.lapor.file("Siti", "Paspor", "Status aneh")
    ticket = office.wait_ticket("Status aneh")
    office.lapor.status(ident, "Dalam Proses")
    wait(lambda: any("Dalam Proses" in m["text"] for m in office.a.ctl("show", ticket["number"])["messages"]), "the status")
    office.lapor.status(ident, "Dialihkan Ombudsman")

    def shown():
        return next((m for m in office.a.ctl("show", ticket["number"])["messages"] if "Dialihkan Ombudsman" in m["text"]), None)

    assert "tidak dikenal" in wait(shown, "the unknown status")["note"]


def test_a_refused_token_is_told_and_receiving_goes_on_after_it(office):
    ident = office.lapor.file("Siti", "Paspor", "Sebelum ditolak")
    ticket = office.wait_ticket("Sebelum ditolak")
    office.lapor.refuse = True
    wait(lambda: "401" in ((office.a.health("lapor", "receive") or {}).get("fault") or ""), "the fault of receiving")
    office.reply(ticket, SAID)
    wait(lambda: "401" in ((office.a.health("lapor", "send") or {}).get("fault") or ""), "the fault of sending")
    office.lapor.refuse, office.lapor.values = False, ["kunci-auth-yang-baru", "kunci-token-yang-baru"]
    for i, v in enumerate(office.lapor.values):
        office.a.secret(f"lapor-{i}", v)
    office.a.reload()
    office.lapor.say(ident, "Sesudah kunci baru")
    office.wait_ticket("Sesudah kunci baru")
    office.a.ctl("connectors", "resume", "lapor", as_json=False)
    office.wait_status(ticket, SAID, "sent")
    assert len(office.said(ident, SAID)) == 1


@pytest.mark.parametrize("do", ["cut-after", "500-accepted", "cut-before"])
def test_an_uncertain_reply_is_asked_about_before_it_is_repeated(office, do):
    ident = office.lapor.file("Siti", "Paspor", "Jawaban tidak pasti")
    ticket = office.wait_ticket("Jawaban tidak pasti")
    office.lapor.page_size = 1
    office.lapor.fault("reply", do)
    office.reply(ticket, SAID)
    office.wait_status(ticket, SAID, "sent")
    # The desk may know it by its echo before the sender does: what counts is that no turn of it is left.
    wait(lambda: office.settled(), "the sender to be done with it")
    office.polled(on="followups")
    assert len(office.said(ident, SAID)) == 1


def test_a_refused_answer_says_why(office):
    office.lapor.file("Siti", "Paspor", "Ditolak isinya")
    ticket = office.wait_ticket("Ditolak isinya")
    wait(lambda: all(m["status"] == "sent" for m in office.a.ctl("show", ticket["number"])["messages"] if m["direction"] == "out"), "quiet")
    office.lapor.fault("reply", "error", status=422, body={"message": "Laporan sudah ditutup"})
    office.reply(ticket, SAID)
    office.wait_status(ticket, SAID, "failed")
    assert "sudah ditutup" in str(office.out(ticket, SAID))
    with pytest.raises(Refused, match="1000"):
        office.reply(ticket, "x" * 1001)


def test_what_stands_in_a_header_is_never_told(office):
    office.lapor.file("Siti", "Paspor", "Rahasia tetap rahasia")
    ticket = office.wait_ticket("Rahasia tetap rahasia")
    office.lapor.fault("list", "html", times=3)
    office.lapor.fault("reply", "error", status=429)
    office.reply(ticket, SAID)
    office.polled()
    office.lapor.refuse = True
    wait(lambda: "401" in ((office.a.health("lapor", "receive") or {}).get("fault") or ""), "the fault of receiving")
    shown = office.a.ctl("status", as_json=False) + office.a.ctl("connectors", as_json=False)
    assert not spoken(office) and not any(v in shown for v in office.lapor.values)


def test_what_is_not_mapped_stays_by_hand(by_hand):
    by_hand.lapor.file("Siti", "Paspor", "Dibaca lewat API")
    ticket = by_hand.wait_ticket("Dibaca lewat API")
    by_hand.reply(ticket, SAID)
    wait(lambda: [w for w in by_hand.a.ctl("worklist") if w["number"] == ticket["number"]], "the answer in the work list")
    assert not by_hand.lapor.asked("reply")


def test_files_are_uploaded_first_where_the_profile_says_so(uploading, tmp_path):
    ident = uploading.lapor.file("Siti", "Paspor", "Dengan unggahan")
    ticket = uploading.wait_ticket("Dengan unggahan")
    files = []
    for name in ("foto.png", "surat.pdf"):
        (tmp_path / name).write_bytes(b"isi " + name.encode() * 100)
        files += ["--attach", tmp_path / name]
    uploading.lapor.fault("upload", "html")  # nothing was said to the citizen: simply once more
    uploading.reply(ticket, SAID, *files)
    uploading.wait_status(ticket, SAID, "sent")
    assert [sorted(f["files"]) for f in uploading.said(ident, SAID)] == [["foto.png", "surat.pdf"]]
    assert re.search(rb'"attachments":"\[\d+,\d+\]\."', uploading.lapor.asked("reply")[-1]["body"])
    uploading.reply(ticket, "Tanpa lampiran")
    uploading.wait_status(ticket, "Tanpa lampiran", "sent")
    assert b'"attachments":false' in uploading.lapor.asked("reply")[-1]["body"]


def test_a_fault_in_a_profile_is_told_with_line_and_key(office):
    office.map(more="[status.map2]\nA = baru\n[cap.list2]\nenabled = yes\n")
    status, text = office.a.check()
    assert status != 0 and re.search(r"line \d+: \[status\.map2\] A", text) and re.search(r"\[cap\.list2\] enabled", text)
    office.a.reload(settle=False)
    wait(lambda: re.search(r"line \d+: \[status\.map2\] A", office.a.log_text()), "the fault in the log of the running one")
    office.lapor.file("Siti", "Paspor", "Tetap jalan dengan profil lama")
    office.wait_ticket("Tetap jalan dengan profil lama")
