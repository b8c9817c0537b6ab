"""The master and its workers: start, restart, hang, reload, stop; and who can see which secret."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from rig import hooks  # noqa: E402
from rig.aduan import BUILD, ROOT, Aduan, alive, children, wait  # noqa: E402

SANITIZED = (BUILD / "aduand").exists() and b"__asan_init" in (BUILD / "aduand").read_bytes()


def drop(places, name, **message):
    """Puts a message into the inbox of a loop account."""
    tmp = places["inbox"] / (name + ".tmp")
    tmp.write_text(json.dumps({"id": name, "from": "w-" + name, "text": "aduan " + name, **message}))
    tmp.rename(places["inbox"] / (name + ".json"))


@pytest.fixture
def two():
    """Two loop accounts, started."""
    with Aduan() as a:
        a.places = {n: a.loop(n) for n in ("satu", "dua")}
        a.start()
        yield a


def received(a, name):
    return wait(lambda: not any(a.places[name]["inbox"].glob("*.json")), f"{name} to take in its inbox")


def test_every_job_is_its_own_process_and_ready_means_ready(two):
    assert two.notify.status().startswith("6 of 6 workers up"), two.notify.status()
    assert set(two.workers()) == {"desk", "gateway", "receive satu", "send satu", "receive dua", "send dua"}
    drop(two.places["satu"], "m1")
    received(two, "satu")
    assert two.stop() == 0
    assert two.notify.count("STOPPING=1") == 1


def test_a_killed_worker_comes_back_while_the_others_work(two):
    before = two.workers()
    os.kill(before["receive satu"], signal.SIGKILL)
    wait(lambda: two.workers().get("receive satu") not in (None, before["receive satu"]), "receive satu to be back")
    after = two.workers()
    assert {k: v for k, v in after.items() if k != "receive satu"} == \
        {k: v for k, v in before.items() if k != "receive satu"}
    drop(two.places["satu"], "m2")
    drop(two.places["dua"], "m3")
    received(two, "satu")
    received(two, "dua")
    wait(lambda: two.health("satu", "receive")["restarts"] == 1, "the restart to be counted")


def test_a_worker_that_keeps_dying_is_left_alone_longer_each_time():
    with Aduan() as a:
        a.loop("satu")
        a.start()
        times = []
        pid = a.worker("receive satu")
        for _ in range(4):
            os.kill(pid, signal.SIGKILL)
            began = time.monotonic()
            pid = wait(lambda old=pid: (lambda p: p if p != old else None)(a.workers().get("receive satu")), "a new one")
            times.append(time.monotonic() - began)
        assert times[3] > 1.2 > 0.6 > times[0], times
        assert re.search(r"receive satu failed 4 times, again in \d s", a.notify.status()) or \
            "workers up" in a.notify.status()


def test_a_hung_worker_is_noticed_and_replaced():
    with Aduan(env={"ADUAN_HUNG_MS": "3000"}) as a:
        a.loop("satu")
        a.start()
        pid = a.worker("send satu")
        os.kill(pid, signal.SIGSTOP)
        wait(lambda: a.workers().get("send satu") not in (None, pid), "a new send worker")
        assert not alive(pid)
        assert "send satu has been silent" in a.log_text()
        # Idle workers that do nothing but wait are not taken for hung.
        others = a.workers()
        time.sleep(4)
        assert a.workers() == others


def test_reload_touches_only_what_changed(two):
    before = two.workers()
    two.accounts["dua"]["poll"] = "70ms"
    two.places["tiga"] = two.loop("tiga")
    two.reload()
    wait(lambda: "receive tiga" in two.workers(), "the new account")
    after = two.workers()
    same = ["receive satu", "send satu"]
    assert {k: after[k] for k in same} == {k: before[k] for k in same}
    assert after["receive dua"] != before["receive dua"] and after["send dua"] != before["send dua"]
    drop(two.places["tiga"], "m4")
    received(two, "tiga")
    assert two.notify.count("RELOADING=1") == 1
    assert any("MONOTONIC_USEC=" in text for _, text in two.notify.messages)


def changed_by(a, change):
    """The workers that are others after a reload."""
    before = a.workers()
    change()
    a.reload()
    wait(lambda: a.notify.status().startswith("6 of 6"), "all up")
    after = a.workers()
    assert set(before) == set(after)
    return {name for name in before if before[name] != after[name]}


def test_a_worker_restarts_only_for_what_it_uses(two):
    dua, core = two.accounts["dua"], two.core
    assert changed_by(two, lambda: dua.update(uncertain="resend")) == {"send dua"}
    assert changed_by(two, lambda: core["office"].update(name="Kantor Lain")) == {"desk"}
    assert changed_by(two, lambda: core.update(console={"listen": "127.0.0.1:1"})) == set()
    # A connector's keys say not which of its own workers read them; the desk reads none.
    assert changed_by(two, lambda: dua.update(poll="90ms")) == {"gateway", "receive dua", "send dua"}
    assert changed_by(two, lambda: dua.update(address="kanim")) == {"desk", "gateway", "receive dua", "send dua"}
    assert changed_by(two, lambda: core.update(secrets=str(two.secrets) + "/.")) == set()


def test_reload_without_a_change_changes_nothing(two):
    before = two.workers()
    two.reload()
    assert two.workers() == before


def test_a_removed_and_a_disabled_account_stop(two):
    del two.accounts["satu"]
    two.reload()
    wait(lambda: "receive satu" not in two.workers() and "send satu" not in two.workers(), "satu to be gone")
    two.accounts["dua"]["enabled"] = False
    two.reload()
    wait(lambda: set(two.workers()) == {"desk", "gateway"}, "dua to be gone")


def test_a_changed_secret_restarts_its_holders_only(two):
    two.accounts["satu"]["secret"] = two.secret("s", "first-value-of-it")
    two.reload()
    wait(lambda: two.notify.status().startswith("6 of 6"), "all up")
    before = two.workers()
    two.secret("s", "second-value-of-it")
    two.reload()
    wait(lambda: two.workers().get("gateway") not in (None, before["gateway"]), "a new gateway")
    after = two.workers()
    for name in ("desk", "receive satu", "send satu", "receive dua", "send dua"):
        assert after[name] == before[name], name


def test_a_bad_file_is_refused_and_the_old_one_goes_on(two):
    before = two.workers()
    two.file.write_text(two.file.read_text() + "\noffise = { };\nconnectors = 7;\n")
    two.reload(write=False)
    wait(lambda: "reload refused" in two.log_text(), "the refusal")
    assert two.workers() == before
    wait(lambda: re.search(r"^6 of 6 workers up; the last reload was refused: \d faults? in .*$",
                           two.notify.status()), "the status")
    two.write()
    two.accounts["satu"]["pol"] = "1s"
    two.accounts["dua"]["type"] = "lop"
    two.reload()
    wait(lambda: two.log_text().count("reload refused") == 2, "the second refusal")
    log = two.log_text()
    assert "satu.pol" in log and "dua.type" in log  # all faults at once
    assert two.workers() == before
    drop(two.places["satu"], "m5")
    received(two, "satu")


def test_check_prints_every_fault_and_the_status_is_78():
    with Aduan() as a:
        a.loop("satu")
        a.core["offise"] = {"name": "x"}
        a.account("dua", type="lop")
        status, text = a.check()
        assert status == 78
        assert "offise" in text and "office" in text
        assert "dua.type" in text and "loop" in text
        del a.core["offise"], a.accounts["dua"]
        status, text = a.check()
        assert (status, "ok" in text) == (0, True), text
        a.accounts["satu"]["pol"] = "1s"
        a.start_redis()
        a.start(ready=False)
        assert a.process.wait(20) == 78


def test_status_forgets_a_refused_reload_once_one_is_taken(two):
    two.core["offise"] = {"x": 1}
    two.reload()
    wait(lambda: "the last reload was refused" in two.notify.status(), "the status")
    del two.core["offise"]
    two.reload()
    wait(lambda: two.notify.status() == "6 of 6 workers up", "the plain status")


def test_a_taken_port_costs_nothing_but_the_webhooks():
    with Aduan() as a, socket.socket() as taken:
        a.loop("satu")
        port = a.listen()
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        # Ready all the same, or systemd would end the whole service: mail lives on without the gateway.
        a.start()
        wait(lambda: a.log_text().count("cannot listen: gateway.listen") >= 3, "three tries")
        # The status is told after the worker's end was seen, a moment after its last line.
        wait(
            lambda: re.search(r"; gateway failed \d times", a.notify.status() or ""),
            "the status that names the gateway",
        )
        # Everything else works meanwhile.
        wait(lambda: {"receive satu", "send satu", "desk"} <= set(a.workers()), "the others")
        taken.close()
        wait(lambda: "gateway" not in (a.notify.status() or "gateway"), "the gateway")
        assert a.notify.count("READY=1") == 1


def test_a_fault_of_the_calendar_shows_beside_the_others(tmp_path):
    with Aduan() as a:
        shutil.copytree(ROOT / "conf", tmp_path / "policy")
        (tmp_path / "policy" / "calendar.conf").write_text("kalender = 1;\n")
        a.core["policy"] = str(tmp_path / "policy")
        a.core["offise"] = {"x": 1}
        a.core["office"]["timezone"] = "WIBB"
        a.loop("satu", pol="1s")
        status, text = a.check()
        assert status == 78
        assert "kalender" in text and "offise" in text and "satu.pol" in text, text
        assert text.count("office.timezone") == 1, text


def test_pausing_a_door_works_within_a_second(two):
    port = int(two.core["gateway"]["listen"].rsplit(":", 1)[1])
    two.accounts["satu"]["secret"] = two.secret("hook", hooks.SECRET)
    two.reload()
    wait(lambda: hooks.post(port, "satu", hooks.message(1))[0] == 200, "the door")
    time.sleep(0.5)  # not just when the gateway looks anyway
    two.ctl("connectors", "pause", "satu", "--in")
    time.sleep(1)
    assert hooks.post(port, "satu", hooks.message(2))[0] == 503
    two.ctl("connectors", "resume", "satu", "--in")
    time.sleep(1)
    assert hooks.post(port, "satu", hooks.message(3))[0] == 200


def test_workers_end_when_their_master_is_killed(two):
    pids = two.workers()
    two.process.kill()
    two.process.wait(5)
    wait(lambda: not any(alive(p) for p in pids.values()), "the workers to end")


def test_sigterm_lets_an_answer_in_flight_arrive():
    with Aduan() as a:
        p = a.loop("satu")
        a.start()
        # The connector delivers, then blocks for 3 s before it says so.
        (p["fault"] / "send").write_text("slow:3000*1")
        drop(p, "m6")
        wait(lambda: a.stream("satu", "out"), "the acknowledgement to be queued")
        wait(lambda: not list(p["fault"].glob("send")) or p["outbox"].exists(), "the send to begin")
        assert a.stop() == 0
        assert "killed" not in a.log_text()
        assert len(p["outbox"].read_text().splitlines()) == 1
        a.start_redis()
        state = [k for k in a.redis.command("KEYS", "aduan:{satu}:answer:*")]
        for key in state:
            assert a.redis.command("HGET", key, "state") == "sent"
        a.start()
        time.sleep(1)
        assert len(p["outbox"].read_text().splitlines()) == 1


TOKENS = {"gateway": "TOKEN-FOR-GATEWAY-7f3a91"}


def memory_of(pid):
    """All readable memory of a process, region by region (root only)."""
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines()
    with open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            where, perms, *rest = line.split()
            if "r" not in perms or "[v" in line:
                continue
            start, end = (int(x, 16) for x in where.split("-"))
            try:
                mem.seek(start)
                yield mem.read(end - start)
            except (OSError, ValueError, OverflowError):
                continue


@pytest.mark.skipif(os.geteuid() != 0, reason="reading other processes' memory needs root")
@pytest.mark.skipif(SANITIZED, reason="a sanitizer's shadow is terabytes of memory to read")
def test_a_secret_is_with_its_holder_and_nowhere_else():
    token = TOKENS["gateway"]
    with Aduan() as a:
        a.loop("satu", secret=a.secret("hook", token))
        a.listen()
        a.start()
        needle = token.encode()
        holders = {name for name, pid in a.workers().items() if any(needle in m for m in memory_of(pid))}
        assert holders == {"gateway"}, holders
        everybody = [a.process.pid, *a.workers().values()]
        for pid in everybody:
            for place in ("environ", "cmdline", "comm"):
                assert needle not in pathlib.Path(f"/proc/{pid}/{place}").read_bytes()
        assert token not in a.log_text()
        for line in a.redis.command("KEYS", "*"):
            assert token not in line


@pytest.mark.skipif(os.geteuid() != 0, reason="looks into other processes")
def test_workers_are_fenced(two):
    for name, pid in two.workers().items():
        status = dict(l.split(":\t", 1) for l in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in l)
        assert status["NoNewPrivs"] == "1", name
        fds = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
        assert not any(str(two.secrets) in f or "aduan.conf" in f for f in fds), (name, fds)
        if not SANITIZED:
            assert status["Seccomp"] == "2", name


def test_the_masters_environment_does_not_reach_the_workers():
    with Aduan(env={"CREDENTIALS_DIRECTORY": "/nowhere", "SECRET_THING": "x"}) as a:
        a.loop("satu")
        a.start()
        for name, pid in a.workers().items():
            env = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
            assert b"NOTIFY_SOCKET" not in env and b"SECRET_THING" not in env and b"CREDENTIALS" not in env, name
        assert children(a.process.pid)
