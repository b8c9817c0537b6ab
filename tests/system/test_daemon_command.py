"""A command whose answer is lost: the desk dies around its commit, the whole service and aduanctl being real.

The officer waits, or is told what to do, repeats it, and the citizen gets one answer.
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "rig"))
from aduan import Aduan, Refused, wait  # noqa: E402

STEPS = ["register.commit", "register.committed", "desk.acknowledge", "done.before", "done.after", "desk.acknowledged"]


@pytest.fixture(name="office")
def fixture_office():
    with Aduan() as a:
        a.places = a.loop("loop")
        a.start()
        (a.places["inbox"] / "1.json").write_text(json.dumps({"id": "m1", "from": "siti", "text": "Paspor saya belum selesai"}))
        a.number = wait(lambda: a.ctl("tickets"), "a ticket")[0]["number"]
        wait(lambda: a.places["outbox"].exists() and a.places["outbox"].read_text(), "the acknowledgement")
        yield a


def notes(a, text):
    return sum(text in (h["detail"] or "") for h in a.ctl("show", a.number)["history"] if h["event"] == "note")


def sent(a, text):
    return a.places["outbox"].read_text().count(text)


def dies_once_at(a, step):
    a.stop()
    a.env.update(ADUAN_DIE_AT=step, ADUAN_DIE_ONCE=str(a.dir / "died"))
    a.start()


@pytest.mark.parametrize("step", STEPS)
def test_the_desk_dies_and_the_officer_hears_all_the_same(office, step):
    dies_once_at(office, step)
    office.ctl("reply", office.number, "Silakan datang besok.", timeout=60)
    if not (office.dir / "died").exists():
        pytest.skip("this tree is built without ADUAN_STEPS")
    wait(lambda: sent(office, "Silakan datang besok.") == 1, "the answer is sent")
    office.ctl("note", office.number, "sudah dijawab", timeout=60)
    assert notes(office, "sudah dijawab") == 1
    assert sent(office, "Silakan datang besok.") == 1


def test_repeated_with_the_id_it_was_told_it_is_one(office):
    """The answer is lost for good: aduanctl is told the desk's answer by nobody, the desk stands still."""
    desk = office.worker("desk")
    asked = subprocess.Popen([office.build / "aduanctl", "-c", office.file, "note", office.number, "sekali"],
                             stderr=subprocess.PIPE, text=True)
    wait(lambda: notes(office, "sekali") == 1, "the note")  # carried out; now its teller is killed as well
    asked.kill()
    asked.wait(20)
    asked.stderr.close()
    office.ctl("note", office.number, "dua", "--request", "r-1")
    office.ctl("note", office.number, "dua", "--request", "r-1")
    assert notes(office, "dua") == 1
    with pytest.raises(Refused, match="r-1 was another command"):
        office.ctl("note", office.number, "tiga", "--request", "r-1")
    assert office.worker("desk") == desk


def test_what_was_not_taken_is_said_to_be_undone_and_stays_undone(office):
    desk = office.worker("desk")

    os.kill(desk, signal.SIGSTOP)
    try:
        # It may be in the middle of a blocking read: then Redis hands it the command all the same.
        with pytest.raises(Refused) as e:
            office.ctl("note", office.number, "tertunda", timeout=90)
    finally:
        os.kill(desk, signal.SIGCONT)
    text = str(e.value)
    request = re.search(r"--request ([\w.-]+)", text)
    assert "nothing was done" in text or request, text
    if request:
        office.ctl("note", office.number, "tertunda", "--request", request.group(1), timeout=60)
        assert notes(office, "tertunda") == 1
    else:
        office.ctl("note", office.number, "sesudahnya", timeout=60)
        assert notes(office, "tertunda") == 0
