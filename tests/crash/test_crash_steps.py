"""On the loop connector: a death at every durable step, inbound and outbound, shows nowhere."""
import json

from crash import every_step, put

BUDI = [{"id": "m1", "from": "budi", "name": "Budi", "text": "Paspor saya belum selesai.",
         "attachments": [{"name": "surat.txt", "type": "text/plain", "text": "isi surat"},
                         {"name": "foto.txt", "type": "text/plain", "source": "foto.txt"}]},
        {"id": "m3", "from": "budi", "name": "Budi", "text": "Mohon segera."}]
SITI = {"id": "m2", "from": "siti", "name": "Siti", "text": "Antrean tidak tertib."}


def prepare(s):
    places = s.loop("loop")
    (places["media"] / "foto.txt").write_text("gambar")
    return places


def arrive(places, prefix):
    put(places, f"{prefix}1", BUDI[0])
    put(places, f"{prefix}2", SITI)
    put(places, f"{prefix}3", BUDI[1])


def incoming(s):
    """{conversation: (number, texts that came in)}"""
    found = {}
    for t in s.ctl("tickets"):
        shown = s.ctl("show", t["number"])
        texts = [m["text"] for m in shown["messages"] if m["direction"] == "in"]
        found[shown["conversation"]] = (t["number"], texts)
    return found


def settled(s, places):
    files = [f for f in places["inbox"].iterdir() if f.suffix == ".json"]
    return not files and s.idle("loop")


def scenario(s, places):
    """Three messages of two people come in and are acknowledged; one person is answered."""
    arrive(places, "a")
    s.until(lambda: sum(len(texts) for _, texts in incoming(s).values()) == 3, "three messages in tickets")
    number = incoming(s)["budi"][0]
    s.until(lambda: len(s.deliveries(places)) >= 2, "two acknowledgements")
    answer(s, number, "Sudah kami teruskan.")
    s.until(lambda: any(d["kind"] == "reply" for d in s.deliveries(places)), "the answer")
    s.until(lambda: settled(s, places), "rest")
    return s.end_state(places, "loop")


def answer(s, number, text):
    """A person answers, and looks first whether it was taken when the service did not say."""
    def once():
        if any(m["text"] == text for m in s.ctl("show", number)["messages"]):
            return True
        return s.command("reply", number, text)
    s.until(once, "aduanctl reply")


def again(s, places):
    """The platform delivers everything once more; the service is restarted, too."""
    arrive(places, "b")
    s.until(lambda: settled(s, places), "rest after the repeat")
    s.stop()
    s.worker_env.pop("ADUAN_DIE_AT", None)
    s.start()
    arrive(places, "c")
    s.until(lambda: settled(s, places), "rest after the restart")
    return s.end_state(places, "loop")


def test_death_at_every_step_shows_nowhere():
    reference, passed, failures, deaths = every_step(scenario, prepare, again)
    print(json.dumps(reference, default=str, indent=1))
    print(f"{len(passed)} steps, {len(deaths)} deaths: {' '.join(deaths)}")
    assert not failures, "\n".join(failures)
    # The scenario reaches what it is about: otherwise it would prove nothing.
    expected = {"receive.pulled", "accept.before", "accept.after", "receive.accepted", "loop.moved", "register.commit",
                "ack.before", "put.after", "begin.before", "begin.after", "loop.deliver", "loop.delivered",
                "settle.before", "settle.after", "forget.before", "event.before", "blob.synced", "done.before"}
    assert expected <= set(passed), f"never passed: {expected - set(passed)}"
    assert reference["dead"] == 0 and len(reference["tickets"]) == 2
    assert [d[-1] for d in reference["delivered"]] == [1, 1, 1]
