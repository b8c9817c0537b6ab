"""Hostile bytes kill or stall their parser: the worker, the box and the other messages do not notice."""
import json
import os
import pathlib
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from rig.aduan import BUILD, Aduan, children, command_line, wait  # noqa: E402

SANITIZED = b"__asan_init" in (BUILD / "aduand").read_bytes() if (BUILD / "aduand").exists() else False


def text(places, name, content):
    tmp = places["inbox"] / (name + ".tmp")
    tmp.write_text(content)
    tmp.rename(places["inbox"] / name)


@pytest.fixture
def apart():
    with Aduan(env={"ADUAN_PARSE_MS": "10000" if SANITIZED else "4000"}) as a:
        a.core["modules"] = str(a.build / "tests" / "modules")
        a.places = a.loop("satu", type="apart")
        a.start()
        yield a


def parser_of(a):
    for pid in children(a.worker("receive satu")):
        if command_line(pid)[1:3] == ["--job", "parse"]:
            return pid
    return None


def taken(a, timeout=90):
    wait(lambda: not [p for p in a.places["inbox"].iterdir() if p.suffix != ".tmp"], "the inbox to be empty", timeout)




def test_a_good_message_goes_through_its_own_process(apart):
    text(apart.places, "1", "halo")
    taken(apart)
    pid = wait(lambda: parser_of(apart), "the parser")
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    if not SANITIZED:
        assert "Seccomp:\t2" in status
    # Its fence is closed inside the receiver's: what the one has the other has, too.
    assert "parse satu: this kernel has no" not in apart.log_text() or "receive satu: this kernel" in apart.log_text()
    links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    assert sum("socket" in link for link in links) <= 1 + sum("socket" in os.readlink(f"/proc/self/fd/{n}") for n in (1, 2)), links
    text(apart.places, "2", "halo lagi")
    taken(apart)
    assert parser_of(apart) == pid  # it stays


@pytest.mark.parametrize("verb", ["crash", "stack", pytest.param("memory", marks=pytest.mark.skipif(
    SANITIZED, reason="the sanitizer's shadow needs what the limit would forbid"))])
def test_what_kills_the_parser_twice_becomes_a_stub(apart, verb):
    worker = apart.worker("receive satu")
    text(apart.places, "1", "sebelum")
    text(apart.places, "2", f"[[{verb}]]")
    text(apart.places, "3", "sesudah")
    taken(apart)
    assert apart.log_text().count("the parser died") + apart.log_text().count("the parser took longer") == 2
    assert "message satu/2 stops its parser: kept as a stub" in apart.log_text()
    assert apart.worker("receive satu") == worker
    wait(lambda: apart.health("satu", "receive")["received"] == 3, "three messages received")


def test_what_stalls_the_parser_becomes_a_stub(apart):
    worker = apart.worker("receive satu")
    text(apart.places, "1", "[[hang]]")
    text(apart.places, "2", "sesudah")
    taken(apart)
    assert "message satu/1 stops its parser: kept as a stub" in apart.log_text()
    assert apart.worker("receive satu") == worker


def test_the_parser_cannot_open_a_socket_or_a_file(apart):
    if SANITIZED:
        pytest.skip("the fence is relaxed in a sanitized build")
    text(apart.places, "1", "[[socket]]")
    text(apart.places, "2", "[[file]]")
    taken(apart)
    assert "the parser died" not in apart.log_text()


def test_a_receiver_that_dies_in_the_middle_counts_its_attempts(apart):
    """The counter is durable and goes before the attempt: also a parser that takes its receiver with it ends as a stub."""
    for _ in range(2):
        apart.redis.command("HINCRBY", "aduan:{satu}:attempt", "satu/9", 1)
    text(apart.places, "9", "halo")
    taken(apart)
    assert "message satu/9 stops its parser: kept as a stub" in apart.log_text()
    assert apart.redis.command("HLEN", "aduan:{satu}:attempt") == 0


def test_counters_end_with_what_they_counted(apart):
    (apart.places["inbox"] / "a.json").write_text(json.dumps({"id": "x1", "from": "w", "text": "t"}))
    text(apart.places, "b", "halo")
    taken(apart)
    wait(lambda: apart.redis.command("HLEN", "aduan:{satu}:attempt") == 0, "the counters to end")
    # The same bytes again and again (a box that is read anew) never become a stub.
    for i in range(4):
        (apart.places["inbox"] / f"again{i}.json").write_text(json.dumps({"id": "x1", "from": "w", "text": "t"}))
        taken(apart)
    time.sleep(0.2)
    assert "stub" not in apart.log_text()
    wait(lambda: apart.health("satu", "receive")["received"] == 2, "two messages in all")
