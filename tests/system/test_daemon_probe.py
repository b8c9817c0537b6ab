"""`connectors probe`: each side asks its platform, on request, at its start, and never in the way of answers."""
import json
import pathlib
import re
import sqlite3
import sys
import time
import urllib.request

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from rig.aduan import Aduan, Refused, wait  # noqa: E402

ACCOUNT = "satu"


@pytest.fixture
def office():
    with Aduan() as a:
        a.places = a.loop(ACCOUNT)
        a.start()
        wait(lambda: a.health(ACCOUNT, "send") and a.health(ACCOUNT, "receive"), "both workers")
        yield a


def probe(a, name=ACCOUNT):
    """aduanctl's JSON, whatever its exit status is; and that status."""
    try:
        return 0, a.ctl("connectors", "probe", name, timeout=60)
    except Refused as no:
        return no.status, json.loads(no.text) if no.text.startswith("{") else no.text


def told(a):
    return a.redis.command("HGET", f"aduan:{{{ACCOUNT}}}:probe", "send")


def test_a_worker_asks_at_its_start_and_keeps_what_it_heard(office):
    found = json.loads(wait(lambda: told(office), "the first probe"))
    assert found["outcome"] == "well" and found["reason"] is None
    wait(lambda: office.health(ACCOUNT, "send").get("probe", {}).get("outcome") == "well", "the health")
    # The receiver asks only when told to: two that renew one token would undo each other.
    assert office.redis.command("HGET", f"aduan:{{{ACCOUNT}}}:probe", "receive") is None


def test_both_sides_answer_a_request(office):
    assert probe(office) == (0, {"name": ACCOUNT, "well": True, "sides": {
        "in": {"outcome": "well", "reason": None}, "out": {"outcome": "well", "reason": None}}})
    text = office.ctl("connectors", "probe", ACCOUNT, as_json=False)
    assert "masuk / in" in text and text.count("baik / well") == 2


def test_a_refusal_is_told_in_words_and_seen_before_anything_is_sent(office):
    (office.places["fault"] / "probe").write_text("refused")
    status, found = probe(office)
    assert status == 1 and not found["well"]
    assert found["sides"]["out"]["outcome"] == found["sides"]["in"]["outcome"] == "refused"
    assert found["sides"]["out"]["reason"]
    fault = wait(lambda: office.health(ACCOUNT, "send")["fault"], "the fault in status")
    assert fault == found["sides"]["out"]["reason"]
    with pytest.raises(Refused) as no:
        office.ctl("connectors", "probe", ACCOUNT, as_json=False)
    assert no.value.status == 1 and "DITOLAK / refused" in no.value.text
    (office.places["fault"] / "probe").unlink()
    assert probe(office)[0] == 0
    wait(lambda: not office.health(ACCOUNT, "send")["fault"], "no fault in status")


@pytest.mark.parametrize("side", ["in", "out"])
def test_a_paused_side_is_asked_all_the_same_and_the_other_goes_on(office, side):
    role, other = ("receive", "send") if side == "in" else ("send", "receive")
    office.ctl("connectors", "pause", ACCOUNT, f"--{side}")
    wait(lambda: office.health(ACCOUNT, role)["paused"], "the pause")
    assert not office.health(ACCOUNT, other)["paused"]
    status, found = probe(office)
    assert status == 0 and set(found["sides"]) == {"in", "out"}
    office.put_answer(ACCOUNT, "a-1", "jawaban")
    (office.places["inbox"] / "x.json").write_text(json.dumps({"id": "x", "from": "w", "text": "t"}))
    if side == "in":
        wait(lambda: office.places["outbox"].exists(), "the answer")
        assert list(office.places["inbox"].glob("*.json"))
    else:
        wait(lambda: not list(office.places["inbox"].glob("*.json")), "the message to be taken in")
        assert office.answer_state(ACCOUNT, "a-1") == "queued"
    office.ctl("connectors", "resume", ACCOUNT, f"--{side}")
    wait(lambda: office.places["outbox"].exists() and not list(office.places["inbox"].glob("*.json")), "both ways")


def test_an_answer_whose_fate_is_open_delays_the_probe_and_not_the_other_way_round(office):
    wait(lambda: told(office), "the first probe")
    (office.places["fault"] / "send").write_text("silent*1")
    office.put_answer(ACCOUNT, "a-1", "jawaban")
    wait(lambda: office.answer_state(ACCOUNT, "a-1") == "sending", "the answer under way")
    before = told(office)
    office.redis.command("HSET", f"aduan:{{{ACCOUNT}}}:switch", "probe", "tangan-1")
    wait(lambda: office.health(ACCOUNT, "send")["probe_waits"] or told(office) != before, "the request to be heard")
    assert told(office) == before
    # New answers are held for a short while only, then the probe waits.
    office.put_answer(ACCOUNT, "a-2", "jawaban", "w2")
    wait(lambda: office.answer_state(ACCOUNT, "a-2") == "sent" or "answer a-2 is sent" in office.log_text(),
         "the next answer", timeout=60)
    assert told(office) == before


def test_what_cannot_be_asked_is_said(office):
    status, text = probe(office, "lain")
    assert status == 1 and "no account" in text
    office.stop()
    wait(lambda: probe(office)[0] == 1 and "no worker" in str(probe(office)[1]), "the workers to be gone")


def test_the_same_request_is_answered_once_over_a_restart(office):
    assert probe(office)[0] == 0
    ident = json.loads(told(office))["request"]
    office.restart()
    wait(lambda: (office.health(ACCOUNT, "send") or {}).get("probe"), "the probe of its start")
    # What it asks at its start carries the id that is already answered, so an admin's next one is a new one.
    assert json.loads(told(office))["request"] == ident
    assert probe(office)[0] == 0


def test_last_times_stand_over_a_restart_and_are_in_the_metrics(office):
    office.put_answer(ACCOUNT, "a-1", "jawaban")
    (office.places["inbox"] / "x.json").write_text(json.dumps({"id": "x", "from": "w", "text": "t"}))
    sent = wait(lambda: office.health(ACCOUNT, "send")["last_out"], "last out")
    got = wait(lambda: office.health(ACCOUNT, "receive")["last_in"], "last in")
    # The desk acknowledges the message itself, so a later answer may go out before the restart.
    wait(lambda: len(office.places["outbox"].read_text().splitlines()) == 2, "both answers")
    office.stop()
    sent = office.health(ACCOUNT, "send")["last_out"]
    office.start()
    pid = office.worker(f"send {ACCOUNT}")
    wait(lambda: office.health(ACCOUNT, "send")["pid"] == pid and office.health(ACCOUNT, "receive")["pid"]
         == office.worker(f"receive {ACCOUNT}"), "the new workers")
    assert office.health(ACCOUNT, "send")["last_out"] == sent
    assert office.health(ACCOUNT, "receive")["last_in"] == got
    text = urllib.request.urlopen(f"http://127.0.0.1:{office.metrics_port}/metrics", timeout=30).read().decode()
    for name in ("last_in_seconds", "last_out_seconds", "account_fault"):
        assert f"# TYPE aduan_{name} gauge\n" in text and f'aduan_{name}{{account="{ACCOUNT}"}}' in text


def test_allowances_and_tokens_are_in_the_metrics_and_in_status(office):
    now = int(time.time() * 1000)
    office.redis.command("HSET", f"aduan:{{{ACCOUNT}}}:health", "uji", json.dumps(
        {"at": now, "token_expires_at": now + 10 * 86400000 + 3600000, "quota": {"app": 85, "page": 20}}))
    text = urllib.request.urlopen(f"http://127.0.0.1:{office.metrics_port}/metrics", timeout=30).read().decode()
    assert f'aduan_quota_used{{account="{ACCOUNT}",role="uji",name="app"}} 0.85\n' in text
    assert f'aduan_quota_used{{account="{ACCOUNT}",role="uji",name="page"}} 0.2\n' in text
    assert 10 < float(re.search(rf'aduan_token_days_left{{account="{ACCOUNT}"}} (\S+)', text)[1]) <= 10.05
    seen = office.ctl("status")["accounts"][0]
    assert seen["token_days"] == 10 and seen["quota"] == {"app": 85, "page": 20}
    shown = office.ctl("status", as_json=False)
    assert "app: 85 % - HAMPIR HABIS" in shown and "page: 20 %\n" in shown and "10 hari" in shown


def test_an_account_of_webhooks_keeps_its_last_time(office):
    """The register remembers what no worker tells any more."""
    office.stop()
    with sqlite3.connect(next(office.state.glob("*register*.db"), None) or next(office.state.glob("*.db"))) as db:
        db.execute("INSERT OR REPLACE INTO traffic (account, last_in, usual, count) VALUES (?, ?, 0, 1)",
                   (ACCOUNT, int(time.time() * 1000) - 3000))
    office.redis.command("DEL", f"aduan:{{{ACCOUNT}}}:health")
    for words in (["status"], ["connectors"]):
        found = office.ctl(*words)
        assert (found["accounts"] if words == ["status"] else found)[0]["in"]["last_at"], words


def test_status_goes_on_with_a_broken_file_and_without_redis(office):
    good = office.ctl("status")
    assert good["configuration_faults"] == [] and good["queue"]["aof_last_write"] == "ok"
    office.file.write_text(office.file.read_text() + 'offise = { code = "X"; };\n')
    broken = office.ctl("status")
    assert any('did you mean "office"' in line for line in broken["configuration_faults"])
    assert broken["queue"]["up"] and [a["name"] for a in broken["accounts"]] == [ACCOUNT]
    assert "RUSAK" in office.ctl("status", as_json=False)
    with pytest.raises(Refused) as no:
        office.ctl("tickets")  # only what tells of the trouble goes on
    assert no.value.status == 78
    office.file.write_text(office.file.read_text() + "}}}\n")
    assert "TIDAK TERJANGKAU" in office.ctl("status", as_json=False) or office.ctl("status")
    office.write()
    office.redis.kill()
    away = office.ctl("status")
    assert away["queue"]["up"] is False and "overdue" in away["register"]
    assert "TIDAK TERJANGKAU" in office.ctl("status", as_json=False)
    office.redis.start()
