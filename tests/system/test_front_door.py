"""Every sample body by its real front door, signed as its platform signs: 200 only when the record is kept, and it is the
record that it should be. An unsigned or wrongly signed copy: 401, an empty body, and nothing.

The desk is halted meanwhile, so that what was kept can be read where the desk would take it: at the instant of the 200.
"""
import contextlib
import json
import os
import pathlib
import signal
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))
from rig import hooks  # noqa: E402
from rig.aduan import Aduan  # noqa: E402
from rig.facebook import Facebook  # noqa: E402
from rig.graph import Graph  # noqa: E402
from rig.instagram import Instagram  # noqa: E402
from rig.x import X  # noqa: E402
from social_office import PLATFORMS, Office  # noqa: E402
from test_x_office import Office as XOffice  # noqa: E402

META, TWITTER = "X-Hub-Signature-256", "x-twitter-webhooks-signature"


def index(channel):
    """[(file, signature)]"""
    lines = [line.split("\t") for line in (PLATFORMS / channel / "INDEX").read_text().splitlines() if not line.startswith("#")]
    return [(name, signature) for name, _, signature in lines]


def whatsapp(a, stand):
    Office(a, stand, "whatsapp", type="whatsapp", phone_number_id=stand.number_id)
    return stand.number_id


def instagram(a, stand):
    Office(a, stand, "instagram", type="instagram", account_id=stand.account_id)
    return stand.account_id


def facebook(a, stand):
    Office(a, stand, "facebook", type="facebook", page_id=stand.page_id)
    return stand.page_id


def x(a, stand):
    stand.consumer_secret = "rahasia-konsumen-uji-456"  # of the INDEX
    XOffice(a, stand)
    return stand.user_id


CHANNELS = {"whatsapp": (Graph, whatsapp, META), "instagram": (Instagram, instagram, META),
            "facebook": (Facebook, facebook, META), "x": (X, x, TWITTER)}
SAMPLES = [(channel, name, signature) for channel in CHANNELS for name, signature in index(channel)]


class Door:
    """One account whose desk is halted."""

    def __init__(self, a, channel, own):
        self.a, self.account, self.own, self.header = a, channel, own, CHANNELS[channel][2]
        self.port = int(a.core["gateway"]["listen"].rsplit(":", 1)[1])
        self.expected = json.loads((PLATFORMS / channel / "expected.json").read_text())

    def post(self, body, signature):
        return hooks.post(self.port, self.account, body, headers={self.header: signature} if signature else {})

    def records(self):
        return [json.loads(fields["record"]) for _, fields in self.a.stream(self.account, "in")]

    def buried(self):
        """What is for an account that is nobody's: a dead letter, not nothing."""
        return [fields for _, fields in self.a.stream(self.account, "dead")]

    def forget(self):
        """Samples share ids: to this one the platform has never told anything."""
        for stream in ("in", "dead"):
            self.a.redis.command("XTRIM", f"aduan:{{{self.account}}}:{stream}", "MAXLEN", "0")
        for key in self.a.redis.command("KEYS", f"aduan:{{{self.account}}}:seen:*"):
            self.a.redis.command("DEL", key)


@pytest.fixture(scope="module")
def doors():
    with contextlib.ExitStack() as keep:
        opened = {}

        def open_door(channel):
            if channel not in opened:
                stand = keep.enter_context(CHANNELS[channel][0]())
                a = keep.enter_context(Aduan(env={"ADUAN_HUNG_MS": "3600000"}))
                own = CHANNELS[channel][1](a, stand)
                a.start()
                desk = a.worker("desk")
                os.kill(desk, signal.SIGSTOP)
                keep.callback(os.kill, desk, signal.SIGCONT)
                opened[channel] = Door(a, channel, own)
            return opened[channel]
        yield open_door


def at_path(value, path):
    for part in path.split("."):
        if isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


def differences(record, wanted):
    """expected.json: {"path.in.record": value, "path~": a part of it, "path": null (not there)}"""
    for path, value in wanted.items():
        got = at_path(record, path.removesuffix("~"))
        if not (value in (got or "") if path.endswith("~") else got == value):
            yield f"{path}: expected {value!r}, is {got!r}"


@pytest.mark.parametrize("channel,name,signature", SAMPLES, ids=[f"{c}-{n.removesuffix('.json')}" for c, n, _ in SAMPLES])
def test_a_sample_is_kept_as_the_record_it_should_be_before_it_is_acknowledged(doors, channel, name, signature):
    door = doors(channel)
    body = (PLATFORMS / channel / name).read_bytes()
    door.forget()
    for wrong in (None, "sha256=", signature[:-2] + ("AA" if signature[-2:] != "AA" else "BB"), signature.replace("sha256", "sha1")):
        assert door.post(body, wrong) == (401, b""), wrong
    assert door.post(body + b" ", signature) == (401, b"")
    assert door.records() == []
    assert door.post(body, signature)[0] == 200
    records, expected = door.records(), door.expected[name.removesuffix(".json")]
    wanted = [w for w in expected if w.get("to", door.own) == door.own]
    assert len(records) == len(wanted), records
    strangers = [w["to"] for w in expected if w not in wanted]
    assert len(door.buried()) == len(strangers)
    assert all(to in json.dumps(b) for to, b in zip(strangers, door.buried())), door.buried()
    faults = [f"record {i}: {fault}" for i, pair in enumerate(zip(records, wanted)) for fault in differences(*pair)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_file_has_its_place_and_its_expectation(channel):
    files = {p.name for p in (PLATFORMS / channel).iterdir()} - {"INDEX", "expected.json"}
    assert files == {name for name, _ in index(channel)}
    assert {n.removesuffix(".json") for n in files} == set(json.loads((PLATFORMS / channel / "expected.json").read_text()))
