"""Attachments that wait on a platform: fetched beside everything else, never in its way."""
import json
import pathlib
import socket
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from rig.aduan import Aduan, wait  # noqa: E402


@pytest.fixture
def a():
    with Aduan() as it:
        it.places = it.loop("satu")
        it.start()
        yield it


def drop(a, name, source):
    tmp = a.places["inbox"] / (name + ".tmp")
    tmp.write_text(json.dumps({"id": name, "from": "w-" + name, "text": "lihat lampiran",
                               "attachments": [{"name": "foto.jpg", "type": "image/jpeg", "source": source}]}))
    tmp.rename(a.places["inbox"] / (name + ".json"))


def attachment(a, name):
    """The attachment as the officer sees it."""
    for t in a.ctl("tickets"):
        for m in a.ctl("show", t["number"])["messages"]:
            if m["id"].endswith("/" + name) and m["attachments"]:
                return m["attachments"][0]
    return None


def ends(a, name, state):
    return wait(lambda: (lambda x: x if x and x["state"] == state else None)(attachment(a, name)), f"{name} to be {state}", 40)


def stored(a):
    return sum(p.is_file() and len(p.name) == 64 for p in (a.state / "attachments").rglob("*"))


def test_a_file_and_a_url_are_stored(a):
    (a.places["media"] / "foto.jpg").write_bytes(b"gambar")
    drop(a, "m1", "foto.jpg")
    assert ends(a, "m1", "stored")["size"] == 6
    assert a.stream("satu", "media") == []
    assert stored(a) == 1


def test_what_is_not_there_is_given_up_and_said(a):
    drop(a, "m2", "tidak-ada.jpg")
    ends(a, "m2", "failed")
    assert a.stream("satu", "media") == []


def test_a_failure_is_tried_again(a):
    (a.places["media"] / "foto.jpg").write_bytes(b"gambar")
    (a.places["fault"] / "fetch").write_text("later*2")
    drop(a, "m3", "foto.jpg")
    ends(a, "m3", "stored")


def test_a_killed_receiver_takes_up_the_download_again(a):
    (a.places["media"] / "foto.jpg").write_bytes(b"gambar")
    (a.places["fault"] / "fetch").write_text("die*1")
    drop(a, "m4", "foto.jpg")
    wait(lambda: "receive satu ended by signal 9" in a.log_text(), "the death")
    ends(a, "m4", "stored")


def test_a_slow_server_delays_no_message(a):
    """Five downloads hang (more than run at once); messages go on and a later stop is not held up."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def serve():
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        for i in range(5):
            drop(a, f"s{i}", f"http://127.0.0.1:{server.getsockname()[1]}/foto.jpg")
        wait(lambda: len(held) == 4, "four downloads under way")
        began = time.monotonic()
        (a.places["inbox"] / "n.json").write_text(json.dumps({"id": "n", "from": "w", "text": "halo"}))
        wait(lambda: not list(a.places["inbox"].glob("*.json")), "the message to be taken in")
        assert time.monotonic() - began < 3
        began = time.monotonic()
        a.stop()
        assert time.monotonic() - began < 5
        for c in held:
            c.close()
    # The jobs are still there for the next life.
    assert len(a.stream("satu", "media")) == 5
