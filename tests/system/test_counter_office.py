"""The office's own counter with everything real: aduand, aduanctl, files on disk, no platform at all.

What is logged at the counter is a case with its own deadline and a receipt; its answer waits for a person.
"""
import json
import pathlib
import re
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from rig.aduan import BUILD, Aduan, Refused, wait  # noqa: E402

pytestmark = pytest.mark.skipif(not (BUILD / "connectors" / "counter.so").exists() or not (BUILD / "aduanctl").exists(),
                                reason="SKIPPED: needs a build")

HOSTILE = "<script>alert(1)</script> \"&' ${x}"


@pytest.fixture(scope="module")
def office():
    with Aduan() as a:
        a.account("loket", type="counter")
        a.start()
        a.ctl("user", "add", "rina", "--role", "officer", "--name", "Rina Kartika", stdin="rahasia-sekali-1\n")
        a.ctl("user", "add", "audit", "--role", "auditor", stdin="rahasia-sekali-2\n")
        yield a


def intake(a, channel, *more, **kept):
    return a.ctl("intake", "--channel", channel, "--text", "Antrean tidak bergerak.", "--as", "rina", *more, **kept)


def work(a, number):
    return [w for w in a.ctl("worklist") if w["number"] == number]


def seconds(earlier, later):
    from datetime import datetime
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def test_face_to_face_has_fifteen_minutes_and_a_receipt(office, tmp_path):
    a = office
    page = tmp_path / "tanda-terima.html"
    r = intake(a, "counter", "--name", "Siti " + HOSTILE, "--identity", "KTP", "--phone", "0811-7769-393", "--receipt", page)
    # A quarter of an hour of the office's time: at night it begins in the morning.
    due = a.ctl("due", "--received", r["received_at"], "--channel", "counter")
    assert r["state"] == "new" and r["complete"] is True and seconds(due["effective_received_at"], r["due_at"]) == 900
    assert r["due_at"] == due["due_at"]
    html = page.read_text()
    assert r["number"] in html and "Rina Kartika" in html and "&lt;script&gt;" in html and "<script" not in html
    assert page.stat().st_mode & 0o077 == 0
    text = intake(a, "counter", "--identity", "KTP", as_json=False)
    assert re.search(r"TANDA TERIMA PENGADUAN - UJI-\d{4}-\d{6}", text) and "COMPLAINT RECEIPT" in text
    # never over a file that is there; the case is logged all the same, and said
    with pytest.raises(Refused) as no:
        intake(a, "counter", "--identity", "SIM", "--receipt", page)
    assert "tidak ditimpa" in no.value.text and page.read_text() == html
    shown = a.ctl("show", r["number"])
    assert shown["channel"] == "counter" and shown["account"] == "loket" and len(shown["messages"]) == 1


def test_each_way_asks_for_its_own_and_says_all_that_is_missing(office):
    a = office
    for channel, missing in (("counter", ["identity"]), ("phone", ["name", "address"]), ("letter", ["identity|phone"]),
                             ("box", ["name", "address|phone"])):
        with pytest.raises(Refused) as no:
            intake(a, channel)
        assert no.value.status == 1 and "Belum lengkap" in no.value.text and "missing" in no.value.text
        r = intake(a, channel, "--incomplete")
        assert r["state"] == "incomplete" and r["complete"] is False and r["missing"] == missing
    with pytest.raises(Refused) as no:
        intake(a, "fax")
    assert no.value.status == 2
    with pytest.raises(Refused) as no:
        a.ctl("intake", "--channel", "counter", "--identity", "KTP", "--text", "x", "--as", "audit")
    assert "role" in no.value.text
    with pytest.raises(Refused) as no:
        intake(a, "letter", "--phone", "08123456789", "--received", "2099-01-01T09:00")
    assert "masa depan" in no.value.text


def test_a_letter_with_its_scan_is_answered_by_a_letter(office, tmp_path):
    a = office
    ktp, scan = tmp_path / "ktp.jpg", tmp_path / "surat.pdf"
    ktp.write_bytes(b"\xff\xd8 ktp")
    scan.write_bytes(b"%PDF-1.4 surat")
    r = a.ctl("intake", "--channel", "letter", "--name", "Budi Santoso", "--address", "Jl. Bakar Batu 5, Tanjungpinang",
              "--subject", "Paspor anak", "--id-copy", ktp, "--attach", scan, "--received", "2026-10-05T09:12", "--as", "rina")
    assert r["due_at"] == "2026-10-08T16:00:00+07:00" and r["complete"] is True
    files = a.ctl("show", r["number"])["messages"][0]["attachments"]
    assert [f["name"] for f in files] == ["ktp.jpg", "surat.pdf"] and all(f["state"] == "stored" for f in files)
    extra = tmp_path / "README.txt"
    extra.write_text("lampiran jawaban")
    done = a.ctl("reply", r["number"], "Paspor dapat diambil <besok>.", "--attach", extra, "--attach", extra, "--as", "rina")
    assert done["status"] == "queued" and "worklist" in done["note"]
    w = work(a, r["number"])[0]
    assert w["way"] == "letter" and w["overdue"] is True
    page = tmp_path / "surat.html"
    a.ctl("worklist", "print", w["id"], page, as_json=False)
    html = page.read_text()
    assert "Jawaban atas pengaduan Nomor " + r["number"] in html and "Budi Santoso" in html and "Jl. Bakar Batu 5" in html
    assert "Paspor dapat diambil &lt;besok&gt;." in html and "NIP ……" in html
    out = tmp_path / "keluar"
    a.ctl("worklist", "export", w["id"], out, as_json=False)
    names = sorted(p.name for p in out.iterdir())
    assert names == ["2-README.txt", "3-README.txt", "README.txt", "answer.txt"], names
    assert (out / "answer.txt").read_text() == "Paspor dapat diambil <besok>.\n"
    assert (out / "2-README.txt").read_text() == "lampiran jawaban" and w["id"] in (out / "README.txt").read_text()
    with pytest.raises(Refused) as no:
        a.ctl("worklist", "export", w["id"], out, as_json=False)
    assert "tidak kosong" in no.value.text
    link = tmp_path / "tautan"
    link.symlink_to(tmp_path / "jauh")
    with pytest.raises(Refused):
        a.ctl("worklist", "print", w["id"], link, as_json=False)
    assert not (tmp_path / "jauh").exists()
    a.ctl("worklist", "done", w["id"], "--ref", "Resi 77", "--as", "rina")
    assert work(a, r["number"]) == []
    shown = a.ctl("show", r["number"])
    assert shown["messages"][1]["status"] == "sent" and shown["messages"][1]["platform_id"] == "Resi 77"
    row = next(h for h in shown["history"] if h["event"] == "carried_over")
    assert row["actor"] == "rina" and "letter" in row["detail"] and "Resi 77" in row["detail"]
    with pytest.raises(Refused) as no:
        a.ctl("worklist", "done", w["id"], "--as", "rina")
    assert "tidak menunggu lagi" in no.value.text


def test_a_call_is_told_by_telephone_and_meets_its_quarter_of_an_hour(office, tmp_path):
    a = office
    r = intake(a, "phone", "--name", "Ani", "--address", "Kijang", "--phone", "0771 4441234")
    bad = tmp_path / "a.txt"
    bad.write_text("x")
    with pytest.raises(Refused) as no:
        a.ctl("reply", r["number"], "Sudah.", "--attach", bad, "--as", "rina")
    assert "telepon" in no.value.text
    bad.write_bytes(b"x" * (26 << 20))
    with pytest.raises(Refused) as no:
        intake(a, "counter", "--identity", "KTP", "--attach", bad)
    assert "terlalu besar" in no.value.text
    a.ctl("reply", r["number"], "Sudah kami perbaiki.", "--as", "rina")
    w = work(a, r["number"])[0]
    assert w["way"] == "call" and not w["overdue"]
    page = tmp_path / "telepon.html"
    a.ctl("worklist", "print", w["id"], page, as_json=False)
    assert "CATATAN TELEPON" in page.read_text() and "0771 4441234" in page.read_text()
    shown = a.ctl("worklist", "show", w["id"].split("-")[0])
    assert shown["text"] == "Sudah kami perbaiki." and shown["id"] == w["id"]
    a.ctl("worklist", "failed", w["id"], "--reason", "nomor tidak aktif", "--as", "rina")
    back = a.ctl("show", r["number"])
    assert back["state"] == "in_progress" and back["messages"][1]["status"] == "failed"
    # given back to the list it can still be told
    letter = wait(lambda: [d for d in a.ctl("dead") if d["account"] == "loket"], "the dead letter")[0]
    a.ctl("dead", "retry", letter["id"], "--account", "loket", "--as", "rina")
    again = work(a, r["number"])
    assert [x["id"] for x in again] == [w["id"]]
    a.ctl("worklist", "done", w["id"], "--as", "rina")
    end = a.ctl("show", r["number"])
    assert end["state"] == "answered" and end["messages"][1]["status"] == "sent" and end["overdue"] is False
    assert a.stream("loket", "out") == []


def test_a_request_that_is_repeated_makes_one_case(office):
    a = office
    first = intake(a, "counter", "--identity", "KTP", "--request", "ulang-1")
    assert intake(a, "counter", "--identity", "KTP", "--request", "ulang-1")["number"] == first["number"]


def test_the_same_telephone_number_is_said(office):
    a = office
    first = intake(a, "box", "--name", "Citra", "--phone", "0813 6400 1122")
    p = subprocess.run([str(a.build / "aduanctl"), "-c", str(a.file), "intake", "--channel", "phone", "--name", "Citra",
                        "--address", "Sei Jang", "--phone", "+62 813-6400-1122", "--text", "Saya menelepon lagi.", "--json"],
                       capture_output=True, text=True, timeout=30, env=None, check=True)
    second = json.loads(p.stdout)
    assert second["possible_follow_up"] == first["number"] and second["number"] != first["number"]
    assert "kemungkinan lanjutan " + first["number"] in p.stderr


def test_a_killed_service_forgets_nothing_of_it(office):
    """The desk dies right behind its commit; the officer asks again under the same request."""
    a = office
    before = len(a.ctl("tickets"))
    a.restart()
    r = intake(a, "counter", "--identity", "Paspor")
    a.ctl("reply", r["number"], "Selesai.", "--as", "rina")
    a.stop(9)
    a.start()
    assert len(a.ctl("tickets")) == before + 1 and len(work(a, r["number"])) == 1
    status = wait(lambda: (lambda s: s if s["desk"]["up"] else None)(a.ctl("status")), "the desk")
    assert wait(lambda: [x["up"] for x in a.ctl("status")["accounts"]] == [True], "an account without workers is up")
    assert status["register"]["outbox"]["by_hand"] >= 1
