"""Every module dies at every step of taking in and of sending that it reaches, and it shows nowhere."""
import concurrent.futures
import os

import pytest
from crash import AT_ONCE, LONG
from modules import DESK, ENDS, SCENES, SENDING, Play, mail

FRESH = 3  # deaths of one worker in a row: each makes its next start later
# A directory is made for the first file whose sum begins so; a token is renewed once in a service's life.
BY_CHANCE = ("blob.made-dir", "kept.before", "kept.after")
# The same instant as a step beside it, or core code that is the same for every module and dies elsewhere: when there is time.
SAME = () if LONG else (
    "blob.written", "blob.renamed", "blob.durable", "attempt.before", "receive.attempt", "accept.before", "accept.after",
    "receive.commit", "gateway.accept", "gateway.accepted", "event.before", "send.begun", "send.settle", "send.settled",
    "forget.before")
BURIED = ("uncertain", "a status of an answer we never sent")
NEEDS_MAIL = ("email", "maildir")


def chosen(scene, passed):
    """(steps of taking in, steps of sending) among those that were passed."""
    mine = [s for s in sorted(passed) if s not in BY_CHANCE + SAME + scene.less and (s in scene.desk or not s.startswith(DESK))]
    return [s for s in mine if not s.startswith(SENDING)], [s for s in mine if s.startswith(SENDING)]


def judge(play, tag, reference, counts, steps):
    """What is wrong with this round."""
    died = "/".join(filter(None, steps))
    state, seen, unknown = play.state(tag), play.counts(tag), play.uncertain(tag)
    if state != reference:
        yield f"{play.name} {died}: another end: expected {reference}, got {state}"
    for what, n in counts.items():
        if seen[what] > n:
            yield f"{play.name} {died}: {what} delivered {seen[what]} times, not {n}"
        if seen[what] < n and not unknown:
            yield f"{play.name} {died}: {what} is said to be sent and was delivered {seen[what]} times, not {n}"


def again(play, tags):
    """The platform delivers everything once more, the service is restarted, and once more."""
    before = {tag: (play.state(tag), play.counts(tag)) for tag in tags}
    play.scene.repeat()
    play.s.until(play.scene.idle, "rest after the repeat")
    play.s.restart()
    play.scene.repeat()
    tag = play.round()  # what is behind it all arrives
    yield from (f"{play.name} {t}: a repeat changed {b} to {a}" for t, b in before.items()
                if (a := (play.state(t), play.counts(t))) != b)
    if len(play.s.ctl("tickets")) != sum(map(len, play.numbers.values())):
        yield f"{play.name}: a repeat made a case"
    # The status of an answer whose id died with its sender is kept for a person.
    if (dead := [d for d in play.s.ctl("dead") if not any(w in d["reason"] for w in BURIED)]):
        yield f"{play.name}: dead letters: {dead}"
    assert tag


def run(name):
    faults, died = [], []
    with Play(name) as play:
        tags = [play.round()]
        reference, counts = play.state(tags[0]), play.counts(tags[0])
        taking, sending = chosen(play.scene, play.s.passed())
        for i in range(max(len(taking), len(sending))):
            steps = [taking[i] if i < len(taking) else None, sending[i] if i < len(sending) else None]
            if i and i % FRESH == 0:
                play.s.restart()
            tags.append(play.round(*steps))
            faults += judge(play, tags[-1], reference, counts, steps)
            faults += [f"{name}: {step} was not reached" for step in play.survived()]
            died += [s for s in steps if s and s not in play.survived()]
            play.clear()
        faults += again(play, tags)
    return reference, counts, died, faults


@pytest.fixture(scope="module")
def runs():
    names = [n for n in SCENES if not (n in NEEDS_MAIL and (mail.missing() or os.geteuid() != 0))]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        yield {name: pool.submit(run, name) for name in names}


@pytest.mark.parametrize("name", list(SCENES))
def test_a_death_at_every_step_of_a_module_shows_nowhere(runs, name):
    if name not in runs:
        pytest.skip(f"SKIPPED LOUDLY: {name} needs mail servers and root: {mail.missing()}")
    reference, counts, died, faults = runs[name].result()
    print(f"{name}: {len(died)} deaths: {' '.join(died)}")
    print(reference, counts)
    assert not faults, "\n".join(faults)
    assert len(died) >= 4 and all(m[3] in ENDS for case in reference for m in case if m[0] == "out")


@pytest.mark.skipif(bool(mail.missing()) or os.geteuid() != 0, reason="SKIPPED LOUDLY: needs mail servers and root")
def test_the_rig_notices_a_second_delivery():
    """The negative control: with "resend" a death behind the delivery delivers again, and judge() says so."""
    with Play("maildir", uncertain="resend") as play:
        tag = play.round()
        reference, counts = play.state(tag), play.counts(tag)
        tag = play.round(sending="settle.before")
        assert play.survived() == []
        assert any("answer delivered 2 times" in fault for fault in judge(play, tag, reference, counts, ["settle.before"]))
