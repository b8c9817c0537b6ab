"""SP4N-LAPOR! by hand with everything real: no network. An import becomes cases, once; its answer waits for a person."""
import json
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from rig.aduan import BUILD, Aduan, wait  # noqa: E402

SAMPLES = HERE.parent / "platforms" / "lapor"

pytestmark = pytest.mark.skipif(not (BUILD / "connectors" / "lapor.so").exists() or not (BUILD / "aduanctl").exists(),
                                reason="SKIPPED: needs a build")


@pytest.fixture(scope="module")
def office():
    with Aduan() as a:
        a.account("lapor", type="lapor")
        a.start()
        a.ctl("user", "add", "rina", "--role", "officer", "--name", "Rina Kartika", stdin="rahasia-sekali-1\n")
        yield a


def test_an_import_becomes_cases_and_twice_the_same_ones(office):
    a = office
    first = a.ctl("import", "lapor", SAMPLES / "list.csv")["reports"]
    ids = {r["id"]: r for r in first}
    assert ids["7654321"]["number"] and ids["7654322"]["number"] and not ids["7654321"]["known"]
    assert [r["kind"] for r in first].count("unparsed") == 1
    again = a.ctl("import", "lapor", SAMPLES / "list.csv")["reports"]
    assert {r["id"]: r["number"] for r in again} == {r["id"]: r["number"] for r in first}
    assert all(r["known"] for r in again)


def test_a_number_in_a_text_is_no_report(office):
    a = office
    one = a.ctl("import", "lapor", "-", stdin="Tracking ID;Judul;Isi\n880011;Satu;Isi satu\n")["reports"]
    two = a.ctl("import", "lapor", "-", stdin="Tracking ID;Judul;Isi\n880012;Dua;Seperti laporan 880011\n")["reports"]
    assert [(r["id"], r["known"]) for r in one + two] == [("880011", False), ("880012", False)]
    both = a.ctl("import", "lapor", "-", stdin="Tracking ID;Judul;Isi\n880012;Dua;x\n880013;Tiga;y\n")["reports"]
    assert {r["id"]: r["known"] for r in both} == {"880012": True, "880013": False}
    history = a.ctl("show", two[0]["number"])["history"]
    assert [h["event"] for h in history].count("repeated") == 1


def test_the_answer_waits_in_the_work_list_until_it_is_done(office):
    a = office
    number = a.ctl("import", "lapor", SAMPLES / "mail.eml")["reports"][0]["number"]
    a.ctl("reply", number, "Syaratnya KTP kedua orang tua.", "--as", "rina")

    def item():
        return [w for w in a.ctl("worklist") if w["number"] == number]

    wait(item, "the answer in the work list")
    done = item()
    for one in done:
        a.ctl("worklist", "done", one["id"], "--ref", "7654350", "--as", "rina")
    wait(lambda: not item(), "nothing left to carry over")


def test_recorded_bytes_are_shown_and_nothing_is_kept(office):
    a = office
    r = subprocess.run([BUILD / "aduand", "-c", a.file, "-t", "lapor", SAMPLES / "detail.json", SAMPLES / "notice.txt"],
                       capture_output=True, text=True, timeout=60, check=False)
    assert r.returncode == 0, r.stderr
    records = [json.loads(line) for line in r.stdout.splitlines()]
    assert [x["platform_id"] for x in records] == ["7654330", "7654340", "7654341"]
    assert "7654341" not in json.dumps(a.ctl("tickets"))


def test_what_comes_again_with_other_words_is_seen(office):
    a = office
    head = "Tracking ID;Judul;Isi\n"
    number = a.ctl("import", "lapor", "-", stdin=head + "880021;Satu;Isi pertama\n")["reports"][0]["number"]
    a.ctl("import", "lapor", "-", stdin=head + "880021;Satu;Isi yang sudah diubah\n")
    shown = a.ctl("show", number)
    assert [m["text"] for m in shown["messages"] if m["direction"] == "in"] == ["Isi yang sudah diubah"]
    assert "edited" in [h["event"] for h in shown["history"]]
    a.ctl("import", "lapor", "-", stdin=head + "880021;Satu;Isi yang sudah diubah\n")
    assert [h["event"] for h in a.ctl("show", number)["history"]].count("edited") == 1


def test_no_row_of_a_list_is_swallowed(office):
    a = office
    head = "Tracking ID;Judul;Isi\n"
    for rows, ids, unparsed in (('880031;A;"tidak ditutup;x\n880032;B;y\n', set(), 1), ("880033;A;satu\n880033;A;dua\n", {"880033"}, 1)):
        reports = a.ctl("import", "lapor", "-", stdin=head + rows)["reports"]
        assert [r["kind"] for r in reports].count("unparsed") == unparsed
        assert {r["id"] for r in reports if r["kind"] == "message"} == ids
