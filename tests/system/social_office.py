"""What the tests of Instagram and Facebook share: an Aduan with one account at a stand-in, and what its citizens see."""
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from rig.aduan import Refused, wait  # noqa: E402

PLATFORMS = pathlib.Path(__file__).resolve().parents[1] / "platforms"
INVITATION = "kirim nama, alamat, dan kronologi lewat DM"
DAY = 24 * 3600


class Office:
    """stand: the platform; name: of the account; keys: of the account beside the secrets."""

    def __init__(self, a, stand, name, **keys):
        self.a, self.stand, self.name = a, stand, name
        port = a.listen()
        account = {"api": stand.api, "access_token": a.secret("token", stand.token), "app_secret": a.secret("app", stand.app_secret),
                   "verify_token": a.secret("verify", "token-kita"), **keys}
        a.account(name, **account)
        self.hook = f"http://127.0.0.1:{port}/hook/{name}"
        stand.hook = self.hook

    # ---------------------------------------------------------------- the desk

    def tickets(self):
        return self.a.ctl("tickets")

    def show(self, number):
        return self.a.ctl("show", number)

    def ticket_of(self, text):
        for t in self.tickets():
            shown = self.show(t["number"])
            if any(m["direction"] == "in" and text in m["text"] for m in shown["messages"]):
                return shown
        return None

    def wait_ticket(self, text):
        return wait(lambda: self.ticket_of(text), f"a ticket about {text!r}")

    def reply(self, ticket, text, *more):
        self.a.ctl("reply", ticket["number"], text, *more, as_json=False)

    def refused(self, ticket, text, *more):
        """The words with which the desk refuses this answer."""
        try:
            self.reply(ticket, text, *more)
        except Refused as refusal:
            assert refusal.status == 1, refusal
            return refusal.text
        raise AssertionError(f"{text[:60]!r} was taken")

    def answer(self, number, text):
        return next((m for m in self.show(number)["messages"] if m["direction"] == "out" and m["text"] == text), None)

    def wait_status(self, number, text, *states):
        return wait(lambda: (m := self.answer(number, text)) and m["status"] in states and m,
                    f"{text!r} to be {'/'.join(states)}")

    def history(self, number):
        return self.show(number)["history"]

    def dead(self):
        return self.a.ctl("dead")

    def probe(self):
        """Asks the platform now; a worker that has only just begun may not be known yet."""
        return wait(lambda: self.a.ctl("connectors", "probe", self.name, as_json=False) or True, "the probe")

    # ------------------------------------------------------------- the citizen

    def from_office(self, ident):
        return [m for m in self.stand.thread(ident) if m["side"] == "office"]

    def on_phone(self, ident, text):
        return next((m for m in self.from_office(ident) if m["text"] == text), None)

    def wait_phone(self, ident, text):
        return wait(lambda: self.on_phone(ident, text), f"{text!r} in the chat of {ident}")

    def copies(self, ident, text):
        return sum(m["text"] == text for m in self.from_office(ident))

    def wait_acknowledged(self, ident):
        return wait(lambda: self.from_office(ident), "the acknowledgement")

    def invitations(self, post=None):
        """Our public answers."""
        return [c for c in self.stand.public(post) if c["from"] == self.stand.account_id]

    def wait_invited(self, post=None, count=1):
        return wait(lambda: len(found := self.invitations(post)) >= count and found, "the invitation in public")

    def settled(self):
        """Everything that came in was taken by the desk."""
        return self.stand.idle() and not self.a.stream(self.name, "in")


def post_samples(office, folder):
    """Every sample by the front door with its published signature; what it should have become."""
    where = PLATFORMS / folder
    index = [line.split("\t") for line in (where / "INDEX").read_text().splitlines() if not line.startswith("#")]
    for name, _, signature in index:
        status = office.stand.post((where / name).read_bytes(), headers={"X-Hub-Signature-256": signature})
        assert status == 200, (name, status)
    expected = json.loads((where / "expected.json").read_text())
    assert sorted(expected) == sorted(name.removesuffix(".json") for name, *_ in index)
    return expected


def check_samples(office, expected, to, buried):
    """What a citizen wrote is in a ticket; what the office wrote is in none; what is about nothing known is a dead letter
    with one of these reasons."""
    wait(office.settled, "everything to be taken in")
    said = {m["platform_id"]: m["text"] for t in office.tickets() for m in office.show(t["number"])["messages"]
            if m["direction"] == "in"}
    records = [r for of_sample in expected.values() for r in of_sample if r.get("to", to) == to]
    # Several samples are about one message: what was edited or unsent later does not show its first words.
    changed = {r.get("reply_to") for r in records if r.get("kind") in ("edit", "delete")}
    first = {}
    for r in records:
        if r.get("kind") == "message" and "platform_id" in r:
            first.setdefault(r["platform_id"], r)
    assert len(first) > 5
    for ident, r in first.items():
        assert ident in said, r
        if ident not in changed:
            assert r.get("text", r.get("text~", "")) in said[ident], r
    for r in records:
        if r.get("kind") == "echo":
            assert r["platform_id"] not in said, r
    for reason in buried:
        wait(lambda reason=reason: any(reason in d["reason"] for d in office.dead()), f"a dead letter: {reason}")


def hold_back(office, seconds=1.0):
    """A moment in which a second copy would have come; only ever used to see that nothing more came."""
    wait(office.stand.idle, "all webhooks to be taken")
    time.sleep(seconds)
