"""Bytes that no parser could read are kept; once it can, `aduanctl replay` makes the message of the stub."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from rig.aduan import Aduan, Refused, wait  # noqa: E402


def drop(places, name, content):
    tmp = places["inbox"] / (name + ".tmp")
    tmp.write_text(content)
    tmp.rename(places["inbox"] / name)


def entry(a, number):
    return [m for m in a.ctl("show", number)["messages"] if m["direction"] == "in"][0]


@pytest.fixture
def office():
    with Aduan() as a:
        a.core["modules"] = str(a.build / "tests" / "modules")
        a.places = a.loop("satu", type="apart")  # a parser that [[crash]] kills
        a.start()
        yield a


def mend(a):
    """The parser that survives: the same account with the real module."""
    a.stop()
    a.core["modules"] = str(a.build / "connectors")
    a.loop("satu")
    a.start()


def test_a_stub_becomes_its_message_once_it_can_be_read(office):
    drop(office.places, "1", "paspor saya [[crash]] belum jadi")
    drop(office.places, "2", "yang ini terbaca")
    numbers = wait(lambda: len(t := office.ctl("tickets")) == 2 and {entry(office, x["number"])["text"]: x["number"] for x in t},
                   "two tickets")
    assert "yang ini terbaca" in numbers
    stub = next(n for t, n in numbers.items() if t != "yang ini terbaca")

    office.ctl("replay", "--account", "satu", "--from", "2020-01-01", "--failed")  # still unreadable: stays a stub
    wait(lambda: "kept messages parsed again" in office.log_text(), "the replay", 60)
    assert entry(office, stub)["text"] != "paspor saya [[crash]] belum jadi"

    mend(office)
    office.ctl("replay", "--account", "satu", "--from", "2020-01-01", "--failed")
    wait(lambda: entry(office, stub)["text"] == "paspor saya [[crash]] belum jadi", "the message in place of its stub", 60)
    assert len(office.ctl("tickets")) == 2
    assert [h["event"] for h in office.ctl("show", stub)["history"]].count("replayed") == 1

    before = office.ctl("show", stub)
    office.ctl("replay", "--account", "satu", "--from", "2020-01-01")  # everything, again: nothing changes
    wait(lambda: "2 kept messages parsed again" in office.log_text(), "the second replay", 60)
    wait(lambda: office.redis.command("XLEN", "aduan:{satu}:event") == 0, "the desk to be through")
    assert office.ctl("show", stub)["messages"] == before["messages"]
    assert len(office.ctl("tickets")) == 2


def test_a_replay_says_what_is_wrong_with_its_words(office):
    with pytest.raises(Refused) as e:
        office.ctl("replay", "--account", "dua", "--from", "2020-01-01")
    assert "dua" in e.value.text
    with pytest.raises(Refused) as e:
        office.ctl("replay", "--account", "satu", "--from", "kemarin")
    assert "--from" in e.value.text and e.value.status == 2
