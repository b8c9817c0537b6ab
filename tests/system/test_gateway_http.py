"""The gateway's front door against real bytes: what is not a request is refused, what is one is kept once."""
import concurrent.futures
import os
import pathlib
import resource
import socket
import struct
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "rig"))
from aduan import Aduan, wait  # noqa: E402
import hooks  # noqa: E402
from hooks import Poster, kept, message, post, raw, request_of, statuses  # noqa: E402


class Gate:
    def __init__(self, a, port):
        self.a, self.port = a, port

    def kept(self, account="a", stream="in", **more):
        return kept(self.a.redis.dir, account, stream, **more)

    def pid(self):
        return self.a.worker("gateway")


@pytest.fixture(name="gate", scope="module")
def gate_fixture():
    with Aduan() as a:
        a.redis.settings["auto-aof-rewrite-percentage"] = "0"
        for name in ("a", "b"):
            a.loop(name, address=f"addr-{name}", secret=a.secret("hook", hooks.SECRET))
        a.loop("off", enabled=False, secret=a.secret("hook", hooks.SECRET))
        a.core["metrics"] = {"listen": ""}
        port = a.listen()
        a.start()
        wait(lambda: post(port, "a", message(0))[0] == 200, "the gateway")
        yield Gate(a, port)
        assert a.worker("gateway")


@pytest.fixture(autouse=True)
def same_process(gate):
    """No test may end the gateway."""
    before = gate.pid()
    yield
    assert gate.pid() == before


def test_empty_200_and_one_record(gate):
    assert post(gate.port, "a", message(1)) == (200, b"")
    assert post(gate.port, "a", message(1)) == (200, b"")  # a repeat is fine
    assert gate.kept().count("a/m000001") == 1


def test_bad_signature_is_401_empty_and_leaves_nothing(gate):
    before = gate.kept()
    assert post(gate.port, "a", message(2), secret="falsch") == (401, b"")
    assert post(gate.port, "a", b"not even JSON", secret="falsch") == (401, b"")
    assert gate.kept() == before
    assert not [f for f in (gate.a.state / "attachments").rglob("*") if f.is_file()]


def test_only_enabled_doors(gate):
    assert post(gate.port, "off", message(3)) == (404, b"")
    assert post(gate.port, "nobody", message(3)) == (404, b"")
    assert post(gate.port, "a/b", message(3)) == (404, b"")
    assert post(gate.port, "", message(3)) == (404, b"")
    assert "off/m000003" not in gate.kept("off")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "FOO"])
def test_other_methods_are_405(gate, method):
    assert statuses(raw(gate.port, f"{method} /hook/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())) == [405]


def test_no_name_no_version_and_safe_headers(gate):
    answer = raw(gate.port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").lower()
    for word in (b"server:", b"libwebsockets", b"aduan", b"x-powered-by"):
        assert word not in answer
    assert b"x-content-type-options: nosniff" in answer


# ------------------------------------------------------------------- malformed

INNER = message(666)
H = b"POST /hook/a HTTP/1.1\r\nHost: x\r\n"


def smuggling():
    """Requests that hide another, well signed one; the inner one must never be taken in."""
    inner = request_of("a", INNER)
    chunked = b"0\r\n\r\n" + inner
    size = len(inner)
    return {
        "CL.TE": H + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % len(chunked) + chunked,
        "TE.CL": H + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n%x\r\n" % size + inner + b"\r\n0\r\n\r\n",
        "TE.TE": H + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + chunked,
        "CL.CL": H + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % size + inner,
        "CL list": H + b"Content-Length: 0, %d\r\n\r\n" % size + inner,
        "CL plus": H + b"Content-Length: +0\r\n\r\n" + inner,
        "CL negative": H + b"Content-Length: -1\r\n\r\n" + inner,
        "space before colon": H + b"Content-Length : 0\r\n\r\n" + inner,
        "TE tab": H + b"Transfer-Encoding:\x0bchunked\r\n\r\n" + chunked,
        "TE folded": H + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + chunked,
        "TE gzip": H + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + chunked,
        "TE on 1.0": b"POST /hook/a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked,
        "bare LF": H.replace(b"\r\n", b"\n") + b"Content-Length: 0\n\n" + inner,
        "bare LF header": H + b"X: y\nContent-Length: 0\r\n\r\n" + inner,
        "bare CR": H + b"X: y\rContent-Length: 0\r\n\r\n" + inner,
        "NUL in header": H + b"X: a\0b\r\nContent-Length: 0\r\n\r\n" + inner,
        "NUL in name": H + b"X\0: a\r\n\r\n" + inner,
        "two hosts": H + b"Host: y\r\n\r\n" + inner,
        "no host": b"POST /hook/a HTTP/1.1\r\n\r\n" + inner,
        "HTTP/0.9": b"POST /hook/a\r\n\r\n" + inner,
        "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + inner,
        "chunk size 0x": H + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + inner,
        "chunk size overflow": H + b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n" + inner,
        "chunk LF": H + b"Transfer-Encoding: chunked\r\n\r\n0\n\n" + inner,
        "chunk extension LF": H + b"Transfer-Encoding: chunked\r\n\r\n0;a\n\r\n\r\n" + inner,
        "chunk data too long": H + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n" + inner,
        "trailer folded LF": H + b"Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\n\r\n" + inner,
    }


@pytest.mark.parametrize("name", smuggling())
def test_smuggling_is_refused_whole(gate, name):
    got = statuses(raw(gate.port, smuggling()[name]))
    assert len(got) == 1 and got[0] in (400, 501, 505), got
    assert "a/m000666" not in gate.kept()


MALFORMED = {
    "nothing but line ends": b"\r\n" * 50,
    "random": bytes(range(256)) * 20 + b"\r\n\r\n",
    "TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500 + b"\r\n\r\n",
    "huge header": H + b"X: " + b"a" * 100000 + b"\r\n\r\n",
    "many headers": H + b"".join(b"X%d: y\r\n" % i for i in range(5000)) + b"\r\n",
    "huge target": b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "encoded NUL": b"GET /hook/a%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "step up": b"GET /hook/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    "over the bound": H + b"Content-Length: 4194305\r\n\r\n",
    "absurd length": H + b"Content-Length: 999999999999999999\r\n\r\n",
    "expectation": H + b"Expect: something\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_is_refused_and_closed(gate, name):
    got = statuses(raw(gate.port, MALFORMED[name]))
    assert len(got) == 1 and 400 <= got[0] < 600, got


def test_over_the_bound_is_413_and_never_cut(gate):
    big = message(4, text="x" * 4200000)
    answer = raw(gate.port, request_of("a", big))
    assert statuses(answer) == [413]
    body = hooks.body_of(big)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 65536]), body[i:i + 65536]) for i in range(0, len(body), 65536))
    answer = raw(gate.port, H + b"X-Loop-Signature: " + hooks.signed(body).encode() +
                 b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
    assert statuses(answer) == [413]
    assert "a/m000004" not in gate.kept()


# ---------------------------------------------------------------------- proper

def test_pipelined_are_answered_in_order(gate):
    data = b"".join(request_of("a", message(i), secret="falsch" if i % 2 else hooks.SECRET) for i in range(10, 20))
    data += b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert statuses(raw(gate.port, data)) == [200, 401] * 5 + [404]
    assert [i for i in gate.kept() if "m00001" in i] == [f"a/m{i:06d}" for i in range(10, 20, 2)]


def test_chunked_body_and_pieces(gate):
    body = hooks.body_of(message(21))
    head = H + b"X-Loop-Signature: " + hooks.signed(body).encode() + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", gate.port), timeout=20) as s:
        for i in range(len(head)):
            s.sendall(head[i:i + 1])
        for i in range(len(body)):
            s.sendall(b"1;x=y\r\n" + body[i:i + 1] + b"\r\n")
        s.sendall(b"0\r\nTrailer: t\r\n\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 200 ")
    assert "a/m000021" in gate.kept()


def test_expect_100_continue(gate):
    whole = request_of("a", message(22), Expect="100-continue")
    head, body = whole.split(b"\r\n\r\n", 1)
    with socket.create_connection(("127.0.0.1", gate.port), timeout=20) as s:
        s.sendall(head + b"\r\n\r\n")
        assert s.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        s.sendall(body)
        assert s.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_half_close_keeps_the_message(gate):
    with socket.create_connection(("127.0.0.1", gate.port), timeout=20) as s:
        s.sendall(request_of("a", message(23)))
        s.shutdown(socket.SHUT_WR)
        s.recv(4096)  # an answer or the end: the message is kept in either case
    wait(lambda: "a/m000023" in gate.kept(), "the message")


def test_clients_that_leave_before_the_answer(gate):
    for i in range(100, 200):
        s = socket.create_connection(("127.0.0.1", gate.port), timeout=20)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.sendall(request_of("a", message(i)))
        s.close()  # a reset
    # Whether those bytes arrived is the network's affair: a repeat must settle it.
    for i in range(100, 200):
        assert post(gate.port, "a", message(i)) == (200, b"")
    ids = [i for i in gate.kept() if "/m0001" in i]
    assert sorted(ids) == [f"a/m{i:06d}" for i in range(100, 200)]


def test_a_batch_of_3_mb_is_kept_whole(gate):
    batch = [message(i, text="x" * 950) for i in range(10000, 13000)]
    assert len(hooks.body_of(batch)) > 2_900_000
    assert post(gate.port, "a", batch) == (200, b"")
    assert [i for i in gate.kept() if "/m01" in i] == [f"a/m{i:06d}" for i in range(10000, 13000)]


def test_one_post_for_several_numbers(gate):
    batch = [message(30, to="addr-a"), message(31, to="addr-b"), message(32, to="addr-unknown"), "nonsense"]
    assert post(gate.port, "a", batch) == (200, b"")
    assert "a/m000030" in gate.kept("a") and "b/m000031" in gate.kept("b")
    assert "a/m000032" in gate.kept("a", "dead", field=b"ref")
    assert "a/m000032" not in gate.kept("a") + gate.kept("b")
    assert len([i for i in gate.kept("a") if i.startswith("a/sha256-")]) == 1  # the nonsense, a record of its own


def test_repeats_at_once_are_one(gate):
    def deliver(i):
        return post(gate.port, "b", message(i))

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(deliver, [i for _ in range(8) for i in range(40, 60)]))
    assert answers == [(200, b"")] * 160
    assert sorted(i for i in gate.kept("b") if i != "b/m000031") == [f"b/m{i:06d}" for i in range(40, 60)]


# ---------------------------------------------------------------------- abuse

def test_failures_run_out_for_one_peer_only(gate):
    mallory, meta = {"X-Forwarded-For": "6.6.6.6, 192.0.2.66"}, {"X-Forwarded-For": "192.0.2.66, 203.0.113.5"}
    got = {post(gate.port, "b", message(70), secret="falsch", headers=mallory)[0] for _ in range(60)}
    assert got == {401, 429}
    assert post(gate.port, "b", message(70), headers=mallory)[0] == 429
    assert post(gate.port, "b", message(71), headers=meta)[0] == 200  # what others wrote before is no name
    assert post(gate.port, "b", message(72))[0] == 200


def test_dripping_heads_do_not_hold_others_up(gate):
    drips = [socket.create_connection(("127.0.0.1", gate.port), timeout=20) for _ in range(100)]
    for s in drips:
        s.sendall(b"POST /hook/a HT")
    start = time.monotonic()
    assert post(gate.port, "a", message(80)) == (200, b"")
    assert time.monotonic() - start < 5
    end = time.monotonic() + 25
    for s in drips:  # each is told so and let go, however it drips
        got = b""
        while time.monotonic() < end and not got:
            try:
                s.sendall(b"x")
                s.settimeout(0.02 if s is not drips[0] else 1)
                got = s.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                got = b"HTTP/1.1 408 (lost to a reset)"
        assert got.startswith(b"HTTP/1.1 408 "), got
        s.close()


def test_ten_thousand_idle_connections_are_bounded(gate):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 10500:
        pytest.skip(f"SKIPPED LOUDLY: only {hard} descriptors allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (10500, hard))
    idle, start = [], time.monotonic()
    try:
        for i in range(10000):
            s = socket.socket()
            s.settimeout(20)
            s.connect(("127.0.0.1", gate.port))
            idle.append(s)
            if i % 2500 == 0:
                assert post(gate.port, "a", message(81 + i // 2500)) == (200, b"")
        assert len(os.listdir(f"/proc/{gate.pid()}/fd")) < 1024 + 256
        assert post(gate.port, "a", message(90)) == (200, b"")
        assert time.monotonic() - start < 120  # by closing idle ones, not by running out of descriptors
    finally:
        for s in idle:
            s.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    poster = Poster(gate.port)
    for i in range(91, 95):
        assert poster.post("a", message(i)) == (200, b"")
    poster.close()
