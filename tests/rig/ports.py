"""ports.py: TCP ports for the servers of a test."""
import contextlib
import os
import random
import socket

FIRST, PAST, SLICE = 15000, 32000, 2000
given = set()  # a port may be asked for long before its server binds it: none is given twice


def free_port():
    """A TCP port of 127.0.0.1 that nobody listens on: below the range (32768 and up on Linux) that the kernel gives to
    outgoing connections, which would else take it before our server does. Tests that run side by side (pytest-xdist)
    choose from ranges of their own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")[2:]
    first = FIRST + int(worker) % 8 * SLICE if worker else FIRST
    past = first + SLICE if worker else PAST
    if len(given) > (past - first) // 2:
        given.clear()
    while True:
        port = random.randrange(first, past)
        if port in given:
            continue
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            given.add(port)
            return port
