"""What SP4N-LAPOR! is told may be read by everybody: nothing of the reporter leaves, by hand or by the API."""
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from rig.aduan import BUILD, Aduan, Refused, wait  # noqa: E402
from rig.lapor import Lapor  # noqa: E402

SAID = "Antrean kini dibagi dua."

pytestmark = pytest.mark.skipif(not (BUILD / "connectors" / "lapor.so").exists() or not (BUILD / "aduanctl").exists(),
                                reason="SKIPPED: needs a build")


@pytest.fixture(scope="module")
def office():
    with Lapor() as lapor, Aduan() as a:
        (a.dir / "uji.profile").write_text(lapor.profile())
        a.account("portal", type="lapor", mode="api", profile="uji.profile", poll="1s", headers=list(lapor.headers),
                  secrets=[a.secret(f"lapor-{i}", v) for i, v in enumerate(lapor.values)])
        a.account("tangan", type="lapor")
        a.start()
        yield a, lapor


def ticket(a, text):
    def find():
        shown = (a.ctl("show", t["number"]) for t in a.ctl("tickets"))
        return next((s for s in shown if any(text in m["text"] for m in s["messages"])), None)

    return wait(find, f"a ticket about {text!r}")


def refused(a, number):
    for text, words in (("Kepada Bapak Budi Hartono: paspor siap.", "nama pelapor"), ("Paspor A1234567 siap.", "NIK atau paspor"),
                        ("b" * 990, "R-22")):
        with pytest.raises(Refused, match=words):
            a.ctl("reply", number, text, "--allow-identity", as_json=False)


@pytest.mark.parametrize("anonymous,secret", [(False, False), (True, False), (False, True), (True, True)])
def test_the_api_publishes_nothing_private(office, anonymous, secret):
    a, lapor = office
    text = f"Antrean panjang {anonymous} {secret}"
    ident = lapor.file("Budi Hartono", "Antrean", text, anonymous=anonymous, secret=secret)
    shown = ticket(a, text)
    assert (shown["name"] or "") == ("" if anonymous else "Budi Hartono")
    assert not anonymous or "Hartono" not in str(shown)
    refused(a, shown["number"])
    a.ctl("reply", shown["number"], SAID, as_json=False)
    wait(lambda: lapor.followups(ident), "the answer")
    body = next(r["body"] for r in lapor.asked("reply") if ident.encode() in r["body"])
    assert b'name="is_secret"\r\n\r\n%d\r\n' % int(anonymous or secret) in body
    # Nothing but the officer's answer, in its frame: no acknowledgement went before it.
    assert [("Yth. Saudara Pelapor" in f["text"], SAID in f["text"], "TPI-" in f["text"]) for f in lapor.followups(ident)] == [(True, True, False)]
    assert "no_receipt" in [h["event"] for h in a.ctl("show", shown["number"])["history"]]


def test_a_person_is_told_when_answering(office):
    a, _ = office
    rows = "Tracking ID;Judul;Isi;Nama;Anonim;Rahasia\n990001;A;Isi biasa;Budi Hartono;0;0\n990002;B;Isi anonim;Budi Hartono;1;0\n"
    reports = {r["id"]: r["number"] for r in a.ctl("import", "tangan", "-", stdin=rows)["reports"]}
    assert a.ctl("show", reports["990001"])["name"] == "Budi Hartono"
    assert "Hartono" not in str(a.ctl("show", reports["990002"]))
    for number in reports.values():
        refused(a, number)
    assert not [w for w in a.ctl("worklist") if w["number"] in reports.values()]


@pytest.mark.parametrize("do", ["message-200", "html-200"])
def test_an_answer_200_that_is_no_yes_is_not_sent(office, do):
    a, lapor = office
    ident = lapor.file("Siti Aminah", "Paspor", f"Perkara {do}")
    shown = ticket(a, f"Perkara {do}")
    body = {"success": False, "message": "gagal, token"} if do == "message-200" else b"<html>halaman masuk</html>"
    lapor.fault("reply", "error", status=200, body=body)
    a.ctl("reply", shown["number"], SAID, as_json=False)

    def out():
        return next((m for m in a.ctl("show", shown["number"])["messages"] if m["direction"] == "out"), None)

    if do == "message-200":
        wait(lambda: out()["status"] == "failed", "the refusal")
        assert "gagal, token" in str(out()) and not lapor.followups(ident)
    else:  # asked about first, then sent once
        wait(lambda: out()["status"] == "sent", "the answer")
        assert len(lapor.followups(ident)) == 1
