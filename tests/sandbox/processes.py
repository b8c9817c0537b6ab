"""processes.py: child processes of the sandbox: started, waited for, stopped by their own pid."""
import contextlib
import os
import signal
import socket
import subprocess
import time

import ports


class Process:
    """One child in a session of its own, its output in a file."""

    def __init__(self, name, argv, log, cwd=None, env=None):
        self.name, self.argv, self.log, self.cwd, self.env = name, [str(a) for a in argv], log, cwd, env
        self.child = None

    def start(self):
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.cwd,
                                          env=self.env, start_new_session=True)
        return self

    @property
    def running(self):
        return self.child is not None and self.child.poll() is None

    def stop(self, patience=15):
        """SIGTERM, then SIGKILL; only to the child we started."""
        if not self.running:
            return
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(patience)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait(5)

    def tail(self, lines=20):
        try:
            with open(self.log, "rb") as file:
                return b"\n".join(file.read().splitlines()[-lines:]).decode("utf-8", "replace")
        except OSError:
            return ""


class Fault(Exception):
    """What the person at the terminal should read."""


def wait_until(what, check, process=None, seconds=20):
    """Asks until check() is true; a Fault with the process's last words when it never is."""
    end = time.monotonic() + seconds
    while not check():
        if process is not None and not process.running:
            raise Fault(f"{process.name} ended while waiting for {what}; its last words ({process.log}):\n{process.tail()}")
        if time.monotonic() > end:
            words = f"; {process.name} says ({process.log}):\n{process.tail()}" if process else ""
            raise Fault(f"{what} did not come within {seconds} s{words}")
        time.sleep(0.02)


def answers(address):
    """Does anybody listen on (host, port), or on the unix socket at a path?"""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(1)
        try:
            s.connect(address)
            return True
        except OSError:
            return False


def free_port(wanted=0):
    """The wanted port of loopback if it is free, else any free one."""
    if wanted:
        with socket.socket() as s, contextlib.suppress(OSError):
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", wanted))
            return wanted
    return ports.free_port()


def write_file(path, text, mode=0o644):
    """Writes text with this mode from its first byte on, replacing what was there."""
    temporary = f"{path}.new"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(temporary, mode)
    os.replace(temporary, path)
