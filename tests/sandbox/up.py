#!/usr/bin/python3
"""up.py: the sandbox of ./dev up: Redis, mail servers, a stand-in for each platform, aduand, and a page to play the citizen.

Runs until Ctrl-C (or ./dev down), then stops everything it started, by pid.
"""
import argparse
import fcntl
import json
import os
import pathlib
import shutil
import signal
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "rig")]

import channels  # noqa: E402
from badday import BadDays  # noqa: E402
from desk import Desk  # noqa: E402
from office import Office  # noqa: E402
from processes import Fault, free_port  # noqa: E402
from web import Sandbox, Web  # noqa: E402

WELCOME = """
  Aduan berjalan / is running.   Ctrl-C berhenti / stops everything.

  Bermain sebagai warga / play the citizen ....  {page}
  Kanal / channels ............................  {channels}
  Webhook .....................................  {hook}
  Kotak surel kantor / the office's mailbox ...  {box}  (SMTP 127.0.0.1:{smtp})
  Metrik / metrics ............................  http://127.0.0.1:{metrics}/metrics

  Sebagai petugas / as the officer, in another terminal:

    {ctl} tickets
    {ctl} show TPI-{year}-000001
    {ctl} reply TPI-{year}-000001 "Terima kasih, kami periksa hari ini."
    {ctl} worklist
    {ctl} status

  Log: {logs}
"""


class Everything:
    """What runs, in the order it was started; stop() goes backwards, whatever fails on the way."""

    def __init__(self):
        self.parts = []

    def add(self, part, stop=None):
        self.parts.append(stop or part.stop)
        return part

    def stop(self):
        while self.parts:
            try:
                self.parts.pop()()
            except Exception as fault:  # one part that does not stop must not keep the others
                print(f"sandbox: {type(fault).__name__}: {fault}", file=sys.stderr)


def start(options, running):
    office = Office(options.dir, options.build, fixed_ports=not options.free_ports)
    played = channels.start(office, running)
    office.configure()
    running.add(office)
    office.start()
    days = running.add(BadDays(office, played.stands))
    desk = Desk(office)
    people = played.people(desk, running)
    port = options.port if options.host != "127.0.0.1" else free_port(0 if options.free_ports else options.port)
    web = running.add(Web(Sandbox(office, people, days, desk, played.portal), options.host, port))
    house = played.house
    return {"page": web.url, "hook": office.hook_of("wa"), "box": channels.BOX, "smtp": house.smtp_port if house else "-",
            "metrics": office.metrics, "conf": str(office.conf), "ctl": f"{office.build}/aduanctl -c {office.conf}",
            "logs": str(office.dir / "logs" / "aduand.log"), "graph": played.stands["wa"].base, "pid": os.getpid(),
            "channels": " ".join(office.accounts), "app_secret_file": str(office.dir / "secrets" / "wa-app")}, office


def lock(directory):
    """Only one sandbox in a directory at a time."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = open(directory / "lock", "a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Fault(f"a sandbox already runs in {directory}; ./dev down stops it") from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def fresh(directory):
    for entry in directory.iterdir():
        if entry.name != "lock":
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


def parse():
    p = argparse.ArgumentParser(prog="./dev up", description="The whole of Aduan with every platform played on this machine.")
    p.add_argument("--build", default=str(HERE.parents[1] / "build"))
    p.add_argument("--dir", type=pathlib.Path, default=HERE.parents[1] / "build" / "sandbox")
    p.add_argument("--host", default="127.0.0.1", help="address of the page; 0.0.0.0 lets a real phone see it")
    p.add_argument("--port", type=int, default=8088, help="of the page")
    p.add_argument("--free-ports", action="store_true", help="take any free ports (tests)")
    p.add_argument("--keep", action="store_true", help="keep queue and register of the last time")
    p.add_argument("--ready-file", help="write the addresses there as JSON once all runs")
    return p.parse_args()


def main():
    options, running, end = parse(), Everything(), threading.Event()
    options.dir = options.dir.resolve()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: end.set())
    try:
        held = lock(options.dir)
        if not options.keep:
            fresh(options.dir)
        addresses, office = start(options, running)
        if options.ready_file:
            pathlib.Path(options.ready_file + ".new").write_text(json.dumps(addresses))
            os.replace(options.ready_file + ".new", options.ready_file)
        print(WELCOME.format(year=time.strftime("%Y"), **addresses), flush=True)
        while not end.wait(0.5):
            if not office.daemon.running:
                raise Fault(f"aduand has ended; its last words:\n{office.daemon.tail()}")
    except (Fault, AssertionError, OSError) as fault:
        print(f"sandbox: {fault}", file=sys.stderr)
        return 1
    finally:
        running.stop()
    held.close()
    print("sandbox: berhenti / stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
