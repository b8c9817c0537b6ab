"""Routing, completeness and deadlines over labelled cases, each through aduanctl try: how many come out right.

The thresholds are a little below what tests/policy/measure.py counted last; a change of rules that
makes things worse is red. The office's own cases are not in the repository and are run where they are.
"""
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "policy")]
from rig.aduan import BUILD  # noqa: E402
import measure  # noqa: E402

ADUANCTL = BUILD / "aduanctl"
OFFICE = pathlib.Path(os.environ.get("ADUAN_OFFICE_CASES", "/work/shared/office/complaints.json"))
pytestmark = pytest.mark.skipif(not ADUANCTL.exists(), reason="SKIPPED: needs a build")

# How many may be wrong.
OURS = {"section": 2, "category": 2, "missing": 1, "due": 0, "hard": 1, "name": 1, "phone": 0, "decision": 1}
LATER = {"section": 2, "category": 2, "missing": 1, "due": 0, "hard": 0, "name": 1, "phone": 0, "decision": 1}
THIRD = {"section": 3, "category": 3, "missing": 1, "due": 0, "hard": 1, "name": 1, "decision": 0}
OF_OFFICE = {"section": 1, "missing": 1, "due": 0, "hard": 0}


def check(path, slack):
    counts, faults = measure.measure(str(ADUANCTL), path)
    said = "\n".join(f"{case['id']}: {bad}" for case, bad, _ in faults)
    for field, wrong in slack.items():
        right, of = counts[field]
        assert of > 0 and of - right <= wrong, f"{field}: {right} of {of}\n{said}"


def test_our_cases():
    check(HERE.parent / "policy" / "cases.json", OURS)


def test_cases_that_came_later():
    check(HERE.parent / "policy" / "cases-later.json", LATER)


def test_cases_of_the_third_set():
    check(HERE.parent / "policy" / "cases-third.json", THIRD)


@pytest.mark.skipif(not OFFICE.exists(), reason="SKIPPED: the office's own cases are not here")
def test_the_offices_cases():
    check(OFFICE, OF_OFFICE)


def run_try(conf, *options, text=""):
    return subprocess.run([ADUANCTL, "-c", conf, "try", *options], input=text.encode(), capture_output=True, timeout=60)


def test_it_needs_nothing_and_leaves_nothing(tmp_path):
    conf = measure.config(tmp_path)
    run = run_try(conf, "--channel", "whatsapp", "--at", "2026-10-05T09:12", text="paspor belum jadi. Ratna, Batu 9")
    assert run.returncode == 0 and b"LANTASKIM" in run.stdout and b"Ratna" in run.stdout, run
    assert [p.name for p in tmp_path.iterdir()] == ["aduan.conf"]


def test_what_it_refuses(tmp_path):
    conf = measure.config(tmp_path)
    assert run_try(conf).returncode == 2
    assert run_try(conf, "--channel", "pigeon", text="x").returncode == 2
    assert run_try(conf, "--channel", "email", "--at", "tomorrow").returncode == 2


def test_an_escape_sequence_is_not_printed(tmp_path):
    run = run_try(measure.config(tmp_path), "--channel", "email", text="Nama: A\x1b[2JB\nAlamat: Jl. X\x1b]0;y No 1, Batam")
    assert run.returncode == 0 and b"\x1b" not in run.stdout, run
