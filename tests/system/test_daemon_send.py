"""What the send worker does with each fate of an answer; order, limits, death in between."""
import json
import os
import pathlib
import signal
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from rig.aduan import Aduan, wait  # noqa: E402

ACCOUNT = "satu"


class Sender:
    """Aduan with one loop account, and what has been delivered there."""

    def __init__(self, a, **keys):
        self.a = a
        self.places = a.loop(ACCOUNT, **keys)

    def put(self, ident, text="jawaban", conversation="w1"):
        assert self.a.put_answer(ACCOUNT, ident, text, conversation) == 1

    def delivered(self):
        box = self.places["outbox"]
        return [json.loads(line)["id"] for line in box.read_text().splitlines()] if box.exists() else []

    def state(self, ident):
        # The desk forgets the hash of an answer of its own once its register has the end; these are ours.
        return self.a.answer_state(ACCOUNT, ident)

    def ends(self, ident, state, timeout=30):
        wait(lambda: self.state(ident) == state or self.settled(ident, state), f"{ident} to be {state}", timeout)

    def settled(self, ident, state):
        return f"answer {ident} is {'sent' if state == 'sent' else state}" in self.a.log_text()


@pytest.fixture
def sender():
    with Aduan() as a:
        s = Sender(a)
        a.start()
        yield s


def test_an_answer_is_delivered_once_and_its_entry_ends(sender):
    sender.put("a-1")
    sender.ends("a-1", "sent")
    assert sender.delivered() == ["a-1"]
    wait(lambda: sender.a.stream(ACCOUNT, "out") == [], "the entry to end")


def test_order_within_a_conversation_and_none_between(sender):
    sender.put("b-1", "[[limited:1000*2]]", "budi")
    sender.put("b-2", "x", "budi")
    for i in range(20):
        sender.put(f"s-{i}", "x", f"siti{i}")
    wait(lambda: len(sender.delivered()) == 22, "all")
    got = sender.delivered()
    assert got.index("b-1") < got.index("b-2")
    # b-1 waited twice: the others did not wait for it.
    assert max(got.index(f"s-{i}") for i in range(20)) < got.index("b-1")


@pytest.mark.parametrize("verb, state", [("never", "failed"), ("closed", "held")])
def test_ends_without_a_delivery(sender, verb, state):
    sender.put("c-1", f"[[{verb}]]")
    sender.ends("c-1", state)
    assert sender.delivered() == []
    wait(lambda: sender.a.stream(ACCOUNT, "out") == [], "the entry to end")
    sender.put("c-2")  # the conversation goes on
    sender.ends("c-2", "sent")


def test_a_limit_of_one_conversation_is_obeyed(sender):
    began = time.monotonic()
    sender.put("d-1", "[[limited:1500*1]]", "budi")
    sender.put("d-2", "x", "siti")
    sender.ends("d-2", "sent")
    assert time.monotonic() - began < 1.4
    sender.ends("d-1", "sent")
    assert time.monotonic() - began >= 1.5


def test_a_limit_of_the_account_holds_all(sender):
    began = time.monotonic()
    sender.put("e-1", "[[limited-account:1500*1]]", "budi")
    wait(lambda: sender.state("e-1") == "later", "the limit")
    sender.put("e-2", "x", "siti")
    wait(lambda: len(sender.delivered()) == 2, "both")
    assert time.monotonic() - began >= 1.5


def test_a_refused_account_keeps_its_answers_and_says_so(sender):
    (sender.places["fault"] / "send").write_text("refused")
    sender.put("f-1")
    wait(lambda: sender.state("f-1") == "later", "the refusal")
    wait(lambda: "refused" in (sender.a.health(ACCOUNT, "send")["fault"] or ""), "the fault in status")
    # Receiving is not affected.
    (sender.places["inbox"] / "x.json").write_text(json.dumps({"id": "x", "from": "w", "text": "t"}))
    wait(lambda: not list(sender.places["inbox"].glob("*.json")), "the message to be taken in")
    assert sender.delivered() == []


def test_resume_tries_a_refused_account_at_once(sender):
    """Left alone it would rest for a minute; the officer has put the token right."""
    (sender.places["fault"] / "send").write_text("refused")
    sender.put("f-2")
    wait(lambda: sender.state("f-2") == "later", "the refusal")
    (sender.places["fault"] / "send").unlink()
    sender.a.ctl("connectors", "resume", ACCOUNT)
    sender.ends("f-2", "sent", timeout=15)
    wait(lambda: not sender.a.health(ACCOUNT, "send")["fault"], "no fault in status")


def test_a_token_that_was_put_right_is_tried_at_once(sender):
    """The admin changes the account and reloads; nobody thinks of `resume`."""
    (sender.places["fault"] / "send").write_text("refused")
    sender.put("f-3")
    wait(lambda: sender.state("f-3") == "later", "the refusal")
    wait(lambda: sender.a.health(ACCOUNT, "send")["refused_at"] > 0, "the refusal in the health")
    (sender.places["fault"] / "send").unlink()
    sender.a.accounts[ACCOUNT]["uncertain"] = "resend"
    sender.a.reload()
    sender.ends("f-3", "sent", timeout=25)
    wait(lambda: sender.a.health(ACCOUNT, "send")["refused_at"] == 0, "no refusal in the health")


def test_an_uncertain_answer_is_found_on_the_platform(sender):
    """The loop platform can be asked: delivered or not, in the end there is exactly one."""
    sender.put("g-1", "[[uncertain*1]]", "budi")  # delivers, claims a broken connection
    sender.put("g-2", "[[lost*1]]", "siti")       # delivers nothing, claims the same
    wait(lambda: sorted(sender.delivered()) == ["g-1", "g-2"], "one of each", 40)
    sender.ends("g-1", "sent")
    sender.ends("g-2", "sent")
    assert sorted(sender.delivered()) == ["g-1", "g-2"]


@pytest.mark.parametrize("policy, state, copies", [("hold", "uncertain", 1), ("resend", "sent", 2)])
def test_where_the_platform_cannot_tell_the_policy_decides(policy, state, copies):
    with Aduan() as a:
        s = Sender(a, uncertain=policy)
        (s.places["fault"] / "find").write_text("uncertain")
        a.start()
        s.put("h-1", "[[uncertain*1]]")
        s.ends("h-1", state, 60)
        assert s.delivered() == ["h-1"] * copies


def test_a_connector_that_never_ends_counts_as_uncertain():
    with Aduan(env={"ADUAN_SEND_DEADLINE_MS": "1500"}) as a:
        s = Sender(a)
        a.start()
        s.put("i-1", "[[silent*1]]", "budi")
        s.put("i-2", "x", "siti")
        wait(lambda: "i-2" in s.delivered(), "the other conversation")
        s.ends("i-1", "sent", 40)  # found on the platform
        assert sorted(s.delivered()) == ["i-1", "i-2"]


@pytest.mark.parametrize("verb", ["die", "die-after"])
def test_death_around_delivery_leaves_exactly_one(verb):
    with Aduan() as a:
        s = Sender(a)
        a.start()
        (s.places["fault"] / "send").write_text(verb + "*1")
        s.put("j-1", "x", "budi")
        s.put("j-2", "y", "budi")
        wait(lambda: "send satu ended by signal 9" in a.log_text(), "the death")
        wait(lambda: len(s.delivered()) >= 2, "both")
        s.ends("j-2", "sent")
        assert s.delivered() == ["j-1", "j-2"]


def test_a_paused_account_sends_nothing(sender):
    sender.a.redis.command("HSET", f"aduan:{{{ACCOUNT}}}:switch", "out", "paused")
    wait(lambda: "send satu: paused" in sender.a.log_text(), "the pause")
    sender.put("k-1")
    time.sleep(1.5)
    assert sender.delivered() == []
    sender.a.redis.command("HDEL", f"aduan:{{{ACCOUNT}}}:switch", "out")
    sender.ends("k-1", "sent")


def test_nothing_begins_once_the_pause_is_set(sender):
    """The admin is told "paused" as soon as it is written, not when the sender has looked."""
    for n in range(3):
        sender.a.redis.command("HSET", f"aduan:{{{ACCOUNT}}}:switch", "out", "paused")
        sender.put(f"p-{n}")
        wait(lambda: sender.a.health(ACCOUNT, "send")["state"] == "paused", "the state")
        assert f"p-{n}" not in sender.delivered()
        sender.a.redis.command("HDEL", f"aduan:{{{ACCOUNT}}}:switch", "out")
        sender.ends(f"p-{n}", "sent")


def test_a_paused_account_takes_nothing_in(sender):
    sender.a.redis.command("HSET", f"aduan:{{{ACCOUNT}}}:switch", "in", "paused")
    wait(lambda: "receive satu: paused" in sender.a.log_text(), "the pause")
    time.sleep(0.5)
    # What was asked of the platform before the pause may still come in; the next does not.
    wait(lambda: sender.a.health(ACCOUNT, "receive")["state"] == "paused", "the state")
    time.sleep(6)
    (sender.places["inbox"] / "p.json").write_text(json.dumps({"id": "p", "from": "w", "text": "t"}))
    time.sleep(1.5)
    assert (sender.places["inbox"] / "p.json").exists()
    sender.a.redis.command("HDEL", f"aduan:{{{ACCOUNT}}}:switch", "in")
    wait(lambda: not (sender.places["inbox"] / "p.json").exists(), "the message to be taken in")


def test_redis_away_and_back_loses_and_repeats_nothing(sender):
    for i in range(5):
        sender.put(f"l-{i}", "x", f"w{i}")
    sender.a.redis.kill()
    time.sleep(1)
    sender.a.redis.start()
    for i in range(5, 8):
        sender.put(f"l-{i}", "x", f"w{i}")
    wait(lambda: len(set(sender.delivered())) == 8, "all eight", 60)
    time.sleep(1)
    assert sorted(sender.delivered()) == [f"l-{i}" for i in range(8)]


def test_an_unreadable_answer_ends_and_blocks_nobody(sender):
    key = f"aduan:{{{ACCOUNT}}}:"
    sender.a.redis.command("EVAL", (pathlib.Path(__file__).parents[2] / "queue/lua/put.lua").read_text(), 3, key + "out",
                           key + "retry", key + "answer:m-1", 1, "m-1", "{not json", 1, 0)
    sender.ends("m-1", "failed")
    sender.put("m-2")
    sender.ends("m-2", "sent")


def test_a_killed_sender_takes_up_what_it_had(sender):
    pid = sender.a.worker("send satu")
    for i in range(30):
        sender.put(f"n-{i}", "x", f"w{i % 3}")
    os.kill(pid, signal.SIGKILL)
    wait(lambda: len(set(sender.delivered())) == 30, "all", 60)
    time.sleep(0.5)
    got = sender.delivered()
    assert len(got) == 30
    for w in range(3):
        mine = [int(i[2:]) for i in got if int(i[2:]) % 3 == w]
        assert mine == sorted(mine)
