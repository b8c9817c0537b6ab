"""The service under a really booted systemd: readiness, watchdog, reload, stop, and its fences.

Needs root, cgroup v1 and overlayfs; says loudly what is missing where it cannot run.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from rig.aduan import BUILD, ROOT, alive, children, command_line, render, wait  # noqa: E402

BOOT = ROOT / "tests" / "rig" / "boot-systemd.sh"
CONTROLLERS = ("memory", "pids", "cpu", "cpuacct", "devices", "systemd")


def missing():
    if os.geteuid() != 0:
        return "not root"
    for tool in ("unshare", "nsenter", "systemd-sysusers", "redis-server"):
        if shutil.which(tool) is None:
            return f"no {tool}"
    if not os.path.exists("/lib/systemd/systemd"):
        return "no systemd to boot"
    if not all(os.path.isdir(f"/sys/fs/cgroup/{c}") for c in CONTROLLERS):
        return "no cgroup v1 hierarchy"
    probe = subprocess.run(["unshare", "--mount", "sh", "-c",
                            "mount -t tmpfs t /mnt && mkdir /mnt/u /mnt/w /mnt/r && "
                            "mount -t overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w o /mnt/r"],
                           capture_output=True, text=True, check=False)
    return f"no overlay of the root: {probe.stderr.strip()}" if probe.returncode else None


SANITIZED = (BUILD / "aduand").exists() and b"__asan_init" in (BUILD / "aduand").read_bytes()
WHY_NOT = "a sanitizer does not live with the unit's fences" if SANITIZED else missing()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=f"SKIPPED, THE BOOTED SERVICE IS NOT TESTED HERE: {WHY_NOT}")


def unit_value(unit, key):
    return re.search(rf"^{key}=(\S+)", (BUILD / "systemd" / unit).read_text(), re.M).group(1)


def loop(name, **keys):
    d = f"/var/lib/aduan/{name}"
    return {"name": name, "type": "loop", "poll": "50ms", "inbox": f"{d}/inbox", "done": f"{d}/done",
            "outbox": f"{d}/outbox.jsonl", **keys}


def configuration(*accounts):
    core = {
        "office": {"name": "Kantor Uji", "code": "UJI", "timezone": "Asia/Jakarta", "language": "id"},
        "state": "/var/lib/aduan",
        "secrets": "/etc/aduan/secrets",
        "policy": "/etc/aduan",
        "modules": "/usr/lib/aduan/connectors",
        "queue": {"redis": "unix:/run/aduan/redis.sock"},
        "gateway": {"listen": "127.0.0.1:8081"},
    }
    return "".join(f"{k} = {render(v)};\n" for k, v in core.items()) + f"connectors = {render(list(accounts))};\n"


def copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)


def stage(files):
    """What an installed package would put on the machine."""
    def at(path):
        return files / str(path).lstrip("/")

    copy(BUILD / "aduand", at(unit_value("aduan.service", "ExecStart")))
    copy(ROOT / "systemd" / "redis.conf", at(re.search(r"redis-server (\S+)", (BUILD / "systemd/aduan-redis.service").read_text()).group(1)))
    copy(BUILD / "connectors" / "loop.so", at("/usr/lib/aduan/connectors/loop.so"))
    copy(ROOT / "systemd" / "aduan.sysusers", at("/usr/lib/sysusers.d/aduan.conf"))
    copy(ROOT / "systemd" / "aduan.tmpfiles", at("/usr/lib/tmpfiles.d/aduan.conf"))
    for part in ("calendar", "templates", "calendar.conf", "routing.conf"):
        if (ROOT / "conf" / part).exists():
            copy(ROOT / "conf" / part, at("/etc/aduan") / part)
    at("/etc/aduan/aduan.conf").write_text(configuration(loop("satu")))
    units = at("/etc/systemd/system")
    units.mkdir(parents=True)
    for unit in ("aduan.service", "aduan-redis.service"):
        copy(BUILD / "systemd" / unit, units / unit)
        (units / f"{unit}.d").mkdir()
        # No journal in this small system; and a watchdog that a test can wait for.
        text = "[Service]\nStandardOutput=append:/run/log.txt\nStandardError=append:/run/log.txt\n"
        if unit == "aduan.service":
            text += "WatchdogSec=3\nTimeoutStopSec=40\n"
        (units / f"{unit}.d" / "test.conf").write_text(text)
    # The machine's own services stay out of it.
    for target in ("sysinit.target", "basic.target", "network-online.target"):
        (units / target).write_text("[Unit]\nDescription=none\nDefaultDependencies=no\n")
    (units / "aduan-test.target").write_text("[Unit]\nDefaultDependencies=no\nWants=aduan.service\n")


class Machine:
    def __init__(self, directory):
        self.tag = f"aduan-{os.getpid()}"
        self.files = directory / "files"
        self.files.mkdir()
        stage(self.files)
        self.console = open(directory / "console.txt", "wb")
        self.boot = subprocess.Popen([BOOT, self.files, self.tag], stdin=subprocess.DEVNULL, stdout=self.console,
                                     stderr=self.console)
        self.init = None
        self.console_path = directory / "console.txt"

    def find_init(self):
        for pid in children(self.boot.pid):
            if command_line(pid)[:1] == ["/lib/systemd/systemd"]:
                self.init = pid
                return pid
        assert self.boot.poll() is None, self.console_path.read_text(errors="replace")
        return None

    def run(self, *words, check=True):
        p = subprocess.run(["nsenter", "-t", str(self.init), "-m", "-u", "-i", "-n", "-p", *words], capture_output=True,
                           text=True, timeout=120, check=False)
        if check and p.returncode != 0:
            raise ValueError(f"{words}: {p.stderr}{p.stdout}")
        return p.stdout.strip()

    def show(self, key, unit="aduan.service"):
        return self.run("systemctl", "show", "-P", key, unit)

    def path(self, inside):
        return pathlib.Path(f"/proc/{self.init}/root{inside}")

    def log(self):
        with contextlib.suppress(OSError):
            return self.path("/run/log.txt").read_text(errors="replace")
        return ""

    def master(self):
        """The host's pid of the master."""
        for pid in children(self.init):
            words = command_line(pid)
            if words and words[0].endswith("/aduand"):
                return pid
        return None

    def workers(self):
        return {" ".join(command_line(p)[2:]): p for p in children(self.master())}

    def end(self):
        if self.init is not None and alive(self.init):
            os.kill(self.init, signal.SIGKILL)
        self.boot.kill() if self.boot.poll() is None and self.init is None else None
        self.boot.wait(20)
        self.console.close()
        for c in (*CONTROLLERS, "unified"):
            self.remove_cgroups(c)

    def remove_cgroups(self, controller):
        for line in open("/proc/self/cgroup", encoding="ascii"):
            _, name, path = line.strip().split(":", 2)
            if name in (controller, f"name={controller}") or (name == "" and controller == "unified"):
                top = f"/sys/fs/cgroup/{controller}{path.rstrip('/')}/{self.tag}"
                for _ in range(50):
                    for d, _, _ in os.walk(top, topdown=False):
                        with contextlib.suppress(OSError):
                            os.rmdir(d)
                    if not os.path.exists(top):
                        break
                    time.sleep(0.1)


@pytest.fixture(scope="module")
def machine():
    with tempfile.TemporaryDirectory(prefix="aduan-boot-") as d:
        m = Machine(pathlib.Path(d))
        try:
            wait(m.find_init, "systemd to boot", 60)
            yield m
        except BaseException:
            print(m.console_path.read_text(errors="replace")[-4000:], m.log()[-4000:])
            raise
        finally:
            m.end()


def test_ready_is_reached_and_true(machine):
    wait(lambda: machine.show("ActiveState") == "active", "the service to be active", 90)
    assert machine.show("StatusText").startswith("4 of 4 workers up"), machine.log()
    assert machine.show("NRestarts") == "0"
    assert set(machine.workers()) == {"desk", "gateway", "receive satu", "send satu"}
    assert "keeps what it acknowledges" in machine.log()
    inbox = machine.path("/var/lib/aduan/satu/inbox")
    inbox.mkdir(parents=True)
    (inbox.parent / "done").mkdir()
    subprocess.run(["chown", "-R", "--reference", str(machine.path("/var/lib/aduan")), str(inbox.parent)], check=True)
    (inbox / "m.json").write_text(json.dumps({"id": "m", "from": "w", "text": "aduan"}))
    wait(lambda: (inbox.parent / "done" / "m.json").exists(), "the message to be taken in")
    wait(lambda: (inbox.parent / "outbox.jsonl").exists(), "the acknowledgement")


def test_the_fences_are_closed_around_the_workers(machine):
    for name, pid in machine.workers().items():
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        assert re.search(r"^NoNewPrivs:\s*1$", status, re.M), name
        assert re.search(r"^CapEff:\s*0+$", status, re.M), name
        assert re.search(r"^Seccomp_filters:\s*([2-9]|\d\d)", status, re.M), name


def test_a_stopped_master_is_replaced_by_the_watchdog(machine):
    old, workers = machine.master(), machine.workers()
    os.kill(old, signal.SIGSTOP)
    wait(lambda: machine.show("NRestarts") == "1", "the restart", 60)
    wait(lambda: machine.show("ActiveState") == "active", "the service to be active again", 60)
    assert machine.master() not in (None, old)
    assert not any(alive(p) for p in workers.values())
    assert set(machine.workers()) == set(workers)


def test_a_working_master_is_left_alone(machine):
    before = machine.master()
    time.sleep(7)  # more than two periods of the watchdog
    assert machine.master() == before


def test_a_killed_worker_is_the_masters_business_alone(machine):
    master, workers = machine.master(), machine.workers()
    os.kill(workers["send satu"], signal.SIGKILL)
    wait(lambda: machine.workers().get("send satu") not in (None, workers["send satu"]), "a new send worker")
    assert machine.master() == master
    wait(lambda: machine.show("StatusText").startswith("4 of 4"), "all up")


def test_reload_adds_an_account_and_survives_a_bad_file(machine):
    conf = machine.path("/etc/aduan/aduan.conf")
    master = machine.master()
    conf.write_text(configuration(loop("satu"), loop("dua")))
    machine.run("systemctl", "reload", "aduan.service")
    wait(lambda: "receive dua" in machine.workers(), "the new account")
    wait(lambda: machine.show("StatusText").startswith("6 of 6"), "all up")
    conf.write_text("office = ;\n")
    machine.run("systemctl", "reload", "aduan.service")
    wait(lambda: "reload refused" in machine.log(), "the refusal")
    wait(lambda: machine.show("ActiveState") == "active", "the service to be active")
    assert machine.master() == master and "receive dua" in machine.workers()
    conf.write_text(configuration(loop("satu")))


def test_stop_is_clean_and_quick(machine):
    pids = [machine.master(), *machine.workers().values()]
    began = time.monotonic()
    machine.run("systemctl", "stop", "aduan.service")
    assert time.monotonic() - began < 25
    assert machine.show("Result") == "success" and machine.show("ExecMainStatus") == "0"
    assert not any(alive(p) for p in pids)


def test_a_refused_configuration_never_becomes_active(machine):
    conf = machine.path("/etc/aduan/aduan.conf")
    conf.write_text("offise = { };\n")
    machine.run("systemctl", "start", "aduan.service", check=False)
    assert machine.show("ActiveState") != "active"
    assert "offise" in machine.log()
