"""Redis dies, is away, or has a full disk: the whole service loses nothing and repeats nothing."""
import os
import random
import signal
import subprocess
import time

import pytest
from crash import LONG, Redis, Service, put, wait
from test_crash_steps import answer, incoming, prepare, scenario, settled


def test_redis_killed_again_and_again_in_the_middle():
    """kill -9 at random moments while messages come in and answers go out."""
    seed = int(os.environ.get("ADUAN_SEED", time.time()))
    print(f"ADUAN_SEED={seed}")
    dice = random.Random(seed)
    people, messages = 5, 120 if LONG else 30
    with Service() as s:
        places = prepare(s)
        s.start()
        for i in range(messages):
            put(places, f"{i:04d}", {"id": f"m{i}", "from": f"orang{i % people}", "text": f"pesan {i}"})
            if dice.random() < 0.3:
                s.redis.kill()
                time.sleep(dice.random() * 0.2)
                s.redis.start()
            time.sleep(dice.random() * 0.05)
        s.until(lambda: sum(len(t) for _, t in incoming(s).values()) >= messages, "all messages")
        s.until(lambda: settled(s, places), "rest")
        found = incoming(s)
        for person in range(people):  # each once, in order
            expected = [f"pesan {i}" for i in range(messages) if i % people == person]
            assert found[f"orang{person}"][1] == expected
        numbers = sorted(number for number, _ in found.values())
        assert numbers == [f"UJI-{numbers[0][4:8]}-{i + 1:06d}" for i in range(people)]
        delivered = [d["id"] for d in s.deliveries(places)]
        assert len(delivered) == len(set(delivered)) == people  # one acknowledgement each


def test_redis_away_for_a_while():
    """Nothing is taken off the platform; all of it comes in order when Redis is back."""
    with Service() as s:
        places = prepare(s)
        s.start()
        put(places, "0", {"id": "m0", "from": "budi", "text": "pesan 0"})
        s.until(lambda: incoming(s), "the first ticket")
        s.until(lambda: settled(s, places), "rest")
        s.redis.kill()
        for i in range(1, 6):
            put(places, str(i), {"id": f"m{i}", "from": "budi", "text": f"pesan {i}"})
        time.sleep(20 if LONG else 3)
        assert len([f for f in places["inbox"].iterdir() if f.suffix == ".json"]) == 5  # still with the platform
        assert s.process.poll() is None
        s.redis.start()
        s.until(lambda: len(incoming(s)["budi"][1]) == 6, "all messages")
        assert incoming(s)["budi"][1] == [f"pesan {i}" for i in range(6)]
        answer(s, incoming(s)["budi"][0], "Baik.")
        s.until(lambda: any(d["kind"] == "reply" for d in s.deliveries(places)), "the answer")
        s.until(lambda: settled(s, places), "rest")
        assert [d["kind"] for d in s.deliveries(places)] == ["automatic", "reply"]


class Mounted:
    """A little file system that can be filled."""

    def __init__(self, directory, size):
        self.directory = directory
        directory.mkdir()
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(directory)],
                                               capture_output=True, check=False).returncode != 0:
            pytest.skip("no tmpfs can be mounted here: the full disk is not tested")

    def __enter__(self):
        return self

    def fill(self):
        with open(self.directory / "filler", "wb") as f:
            try:
                while True:
                    f.write(b"x" * 65536)
                    f.flush()
            except OSError:
                pass

    def free(self):
        (self.directory / "filler").unlink()

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", str(self.directory)], check=False)


def test_disk_of_redis_full_and_free_again():
    """Redis with `always` ends itself when it cannot write; what it acknowledged is kept, the rest waits."""
    with Service() as s, Mounted(s.dir / "small", "24m") as disk:
        s.redis = Redis(disk.directory)
        s.core["queue"] = {"redis": f"unix:{s.redis.sock}"}
        places = prepare(s)
        s.start()
        put(places, "0", {"id": "m0", "from": "budi", "text": "pesan 0"})
        s.until(lambda: incoming(s), "the first ticket")
        disk.fill()
        for i in range(1, 4):
            put(places, str(i), {"id": f"m{i}", "from": "budi", "text": f"pesan {i}"})
        time.sleep(2)
        assert s.process.poll() is None
        disk.free()
        if s.redis.process.poll() is not None:  # as it should: started again, as systemd does
            s.redis.process = None
            s.redis.start()
        s.until(lambda: len(incoming(s)["budi"][1]) == 4, "all messages")
        assert incoming(s)["budi"][1] == [f"pesan {i}" for i in range(4)]
        s.until(lambda: settled(s, places), "rest")
        assert [d["kind"] for d in s.deliveries(places)] == ["automatic"]


def test_everything_dies_at_once_and_comes_back():
    """As a power cut does to processes: master, workers and Redis by SIGKILL in the middle of work."""
    with Service() as s:
        places = prepare(s)
        s.start()
        for i in range(10):
            put(places, f"{i}", {"id": f"m{i}", "from": "budi", "text": f"pesan {i}"})
        wait(lambda: len(list(places["done"].iterdir())) > 0, "work to have begun", pause=0.005)
        pids = [s.process.pid, *s.workers().values()]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        s.redis.kill()
        s.stop()
        s.redis.start()
        s.start()
        s.until(lambda: len(incoming(s).get("budi", (0, []))[1]) == 10, "all messages")
        assert incoming(s)["budi"][1] == [f"pesan {i}" for i in range(10)]
        s.until(lambda: settled(s, places), "rest")
        assert len(s.deliveries(places)) == 1


@pytest.mark.skipif(not LONG, reason="long: ADUAN_LONG=1")
def test_workers_killed_at_random_for_minutes():
    """Random SIGKILLs of random workers under the whole scenario, many times."""
    for _ in range(20):
        with Service() as s:
            places = prepare(s)
            s.start()
            dice = random.Random(time.time())
            end = time.monotonic() + 3
            put(places, "0", {"id": "m0", "from": "siti", "text": "pesan"})
            while time.monotonic() < end:
                pids = list(s.workers().values())
                if pids:
                    os.kill(dice.choice(pids), signal.SIGKILL)
                time.sleep(dice.random())
            state = scenario(s, places)
            assert all(n == 1 for *_, n in state["delivered"])
