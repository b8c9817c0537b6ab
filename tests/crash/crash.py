"""Kill at a named durable step, restart, compare; run again, require no change.

A scenario is a function of a running service that ends when everything has settled. `steps()` runs
it undisturbed and lists every step that was passed; `killed_at()` runs it again and has the first
process that reaches the given step die by SIGKILL (the master restarts it, and we the master). The
end state of both must be the same.
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "rig"))
from aduan import BUILD, Aduan, Gave, Redis, Refused, free_port, wait  # noqa: E402,F401

LONG = os.environ.get("ADUAN_LONG") == "1"
AT_ONCE = 4  # services side by side: they mostly wait


class Service(Aduan):
    """An Aduan whose workers die where `die_at` says, once."""

    def __init__(self, die_at=None, **more):
        super().__init__(**more)
        self.listen()  # ports of its own: several services run side by side
        self.core["metrics"] = {"listen": f"127.0.0.1:{free_port()}"}
        self.steps_file, self.died_file = self.dir / "steps", self.dir / "died"
        self.worker_env = {"ADUAN_STEP_LOG": str(self.steps_file)}
        if die_at:
            self.worker_env.update(ADUAN_DIE_AT=die_at, ADUAN_DIE_ONCE=str(self.died_file))

    def start(self, **more):
        self.env = self.worker_env  # aduanctl is a person's: it does not die
        try:
            return super().start(**more)
        finally:
            self.env = {}

    def tend(self):
        """What systemd does: a master that died is started again."""
        if self.process is not None and self.process.poll() is not None:
            self.stop()
            self.start(ready=False)

    def until(self, condition, what):
        """Waits, tending the service."""
        def check():
            self.tend()
            return condition()
        return wait(check, what, pause=0.03)

    def command(self, *words):
        """A person's command, given again when it was not answered and had no effect."""
        return self.ctl(*words, timeout=60)

    def died(self):
        return self.died_file.exists()

    def passed(self):
        """{step: how often the process that passed it most often did}"""
        counts = collections.Counter()
        if self.steps_file.exists():
            counts.update(tuple(line.split(" ", 1)) for line in self.steps_file.read_text().splitlines())
        most = {}
        for (_, step), n in counts.items():
            most[step] = max(most.get(step, 0), n)
        return most

    def deliveries(self, places):
        if not places["outbox"].exists():
            return []
        return [json.loads(line) for line in places["outbox"].read_text().splitlines()]

    def idle(self, account):
        """Nothing is on its way any more."""
        for name in ("in", "out", "event", "media"):
            if self.redis.command("XLEN", f"aduan:{{{account}}}:{name}") != 0:
                return False
        answers = self.redis.command("KEYS", f"aduan:{{{account}}}:answer:*")
        # What ended unsent stays on record: a person may send it again.
        return all(self.redis.command("HGET", a, "state") in ("uncertain", "failed", "held") for a in answers)

    def end_state(self, places, account):
        """All that officers and citizens can see, without times, ids and pids."""
        tickets = {}
        for t in self.ctl("tickets"):
            shown = self.ctl("show", t["number"])
            # In order on each side; whether a receipt came before the next message is chance.
            messages = sorted(shown["messages"], key=lambda m: m["direction"])
            tickets[t["number"]] = {
                "conversation": shown["conversation"],
                "state": shown["state"],
                "messages": [(m["direction"], m["kind"], m["text"] if m["kind"] != "automatic" else "", m["status"],
                              tuple((a["name"], a["state"]) for a in m["attachments"])) for m in messages],
                "events": sorted(h["event"] for h in shown["history"]),
            }
        delivered = collections.Counter((d["conversation"], d["kind"], d["text"] if d["kind"] != "automatic" else "")
                                        for d in self.deliveries(places))
        return {"tickets": tickets, "delivered": sorted((*what, n) for what, n in delivered.items()), "dead": len(self.ctl("dead"))}


def steps(scenario, prepare, **more):
    """(end state, {step: count}) of a run that nobody disturbs."""
    with Service(**more) as s:
        places = prepare(s)
        s.start()
        state = scenario(s, places)
        return state, s.passed()


def killed_at(step, scenario, prepare, again, **more):
    """(did it die there, end state, end state after everything came once more)"""
    with Service(die_at=step, **more) as s:
        places = prepare(s)
        s.start(ready=False)
        state = scenario(s, places)
        died = s.died()
        s.tend()
        return died, state, again(s, places)


def some(step):
    """How often to die at a step: the register's transactions differ, most others are alike."""
    if LONG:
        return 50
    return 6 if step.startswith("register") else 1


def every_step(scenario, prepare, again, only=None, occurrences=some, **more):
    """Kills at every step of the scenario; returns (reference, passed, failures, deaths)."""
    reference, passed = steps(scenario, prepare, **more)
    wanted = [f"{step}:{n}" for step, count in sorted(passed.items()) if only is None or only(step)
              for n in range(1, min(count, occurrences(step)) + 1)]
    failures, deaths = [], []

    def one(step):
        try:
            died, state, repeated = killed_at(step, scenario, prepare, again, **more)
        except Exception as e:  # a scenario that hangs is a finding of this step
            return step, f"{type(e).__name__}: {e}", False
        if state != reference:
            return step, f"another end: {difference(reference, state)}", died
        if repeated != state:
            return step, f"a repeat changed it: {difference(state, repeated)}", died
        return step, None, died

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for step, fault, died in pool.map(one, wanted):
            if fault:
                failures.append(f"{step}: {fault}")
            if died:
                deaths.append(step)
    # How often a step is passed varies with what is batched; its first time must be reached.
    missed = [w for w in wanted if w.endswith(":1") and w not in deaths and not any(f.startswith(w + ":")
                                                                                    for f in failures)]
    failures += [f"{m}: was not reached" for m in missed]
    return reference, passed, failures, deaths


def difference(a, b):
    out = []
    for key in sorted(set(a) | set(b)):
        if a.get(key) != b.get(key):
            out.append(f"{key}: expected {a.get(key)!r}, got {b.get(key)!r}")
    return "; ".join(out)


def put(places, name, content):
    """A file for the inbox, there all at once."""
    fresh = places["inbox"] / f"{name}.tmp"
    fresh.write_text(json.dumps(content))
    fresh.rename(places["inbox"] / f"{name}.json")
