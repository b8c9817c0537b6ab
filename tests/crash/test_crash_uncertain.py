"""A platform that cannot tell what it got: a death while sending is said to be uncertain, and with
`uncertain = "hold"` nothing is ever delivered twice."""
import concurrent.futures

from crash import AT_ONCE, LONG, Service, put, steps

TEXT = "Sudah kami teruskan."


def prepare(s, **keys):
    places = s.loop("loop", **keys)
    (places["fault"] / "find").write_text("uncertain")
    return places


def statuses(s):
    return [m["status"] for t in s.ctl("tickets") for m in s.ctl("show", t["number"])["messages"]
            if m["direction"] == "out"]


def scenario(s, places):
    """One message, its acknowledgement, one answer; ends when both have an end."""
    put(places, "1", {"id": "m1", "from": "budi", "text": "Paspor saya belum selesai."})
    number = s.until(lambda: s.ctl("tickets"), "a ticket")[0]["number"]

    def once():
        return any(m["text"] == TEXT for m in s.ctl("show", number)["messages"]) or s.command("reply", number, TEXT)
    s.until(once, "aduanctl reply")
    s.until(lambda: len(statuses(s)) == 2 and set(statuses(s)) <= {"sent", "uncertain", "failed"}, "two ends")
    return sorted(statuses(s)), [d["kind"] for d in s.deliveries(places)]


def sending(step):
    return step.split(".")[0] in ("begin", "send", "loop", "settle") and not step.startswith("loop.move")


def run(step, **keys):
    with Service(die_at=step) as s:
        places = prepare(s, **keys)
        s.start(ready=False)
        ends, delivered = scenario(s, places)
        # And once more: a restart sends nothing again.
        s.stop()
        s.worker_env.pop("ADUAN_DIE_AT", None)
        s.start()
        s.until(lambda: s.idle("loop"), "rest")
        after = sorted(statuses(s)), [d["kind"] for d in s.deliveries(places)]
        return step, s.died(), ends, delivered, after == (ends, delivered)


def deaths():
    """Every step of sending, for the acknowledgement and for the answer."""
    _, passed = steps(scenario, prepare)
    return [f"{step}:{n}" for step in sorted(passed) if sending(step) for n in (1, 2)[:2 if LONG else 1]]


def judge(step, died, ends, delivered, same):
    """What is wrong with this end, or None."""
    twice = {k for k in delivered if delivered.count(k) > 1}
    if twice:
        return f"{step}: delivered twice: {twice}"
    if ends.count("sent") > len(delivered):
        return f"{step}: {ends} but only {delivered} was delivered"
    if not died:
        return f"{step}: was not reached"
    if ends.count("sent") + ends.count("uncertain") != 2:
        return f"{step}: ends are {ends}"
    if len(delivered) + ends.count("uncertain") < 2:
        return f"{step}: {delivered} delivered and {ends}: one is lost without a word"
    return None if same else f"{step}: a restart changed the end"


def test_hold_never_delivers_twice_and_says_what_is_uncertain():
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        runs = list(pool.map(run, deaths()))
    faults = [fault for fault in (judge(*r) for r in runs) if fault]
    assert not faults, "\n".join(faults)
    assert any("uncertain" in ends for _, _, ends, _, _ in runs)  # the window that nobody can close was hit


def test_the_rig_notices_a_second_delivery():
    """The negative control: with "resend" a death after delivery delivers again, and judge() says so."""
    assert "twice" in judge(*run("loop.delivered:1", uncertain="resend"))
