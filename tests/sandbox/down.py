#!/usr/bin/python3
"""down.py: stops the sandbox that runs in a directory, by the pid it wrote, and waits until it is gone."""
import argparse
import fcntl
import os
import pathlib
import signal
import sys
import time


def is_held(file):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(file, fcntl.LOCK_UN)
        return False
    except OSError:
        return True


def main():
    p = argparse.ArgumentParser(prog="./dev down")
    p.add_argument("--dir", type=pathlib.Path, required=True)
    try:
        file = open(p.parse_args().dir / "lock", "r+", encoding="utf-8")
    except FileNotFoundError:
        print("no sandbox runs")
        return 0
    with file:
        if not is_held(file):
            print("no sandbox runs")
            return 0
        os.kill(int(file.read()), signal.SIGTERM)
        end = time.monotonic() + 60
        while is_held(file):
            if time.monotonic() > end:
                print("the sandbox does not stop", file=sys.stderr)
                return 1
            time.sleep(0.1)
    print("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
