"""How far a transfer came: daemon/net.c against servers that cut it at every point.

SENT_NOTHING and BEFORE_DOT are proofs: they may only be claimed where the server saw no request or
could not have accepted the mail. Each server here records what it saw, and that is held against it.
"""
import contextlib
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from rig.aduan import BUILD, free_port  # noqa: E402

PROBE = BUILD / "tests" / "daemon_net_probe"
MAIL = b"Subject: jawaban\r\n\r\nYth. Bapak Budi\r\n.\r\nSalam\r\n"


def probe(*words, stdin=b""):
    p = subprocess.run([str(PROBE), *map(str, words)], input=stdin, capture_output=True, timeout=60, check=False)
    assert p.returncode == 0, p.stderr.decode()
    return json.loads(p.stdout)


class Server:
    """Runs handler(connection, server) for each connection; whole is what arrived in all."""

    def __init__(self, handler, tls=None):
        self.handler, self.tls = handler, tls
        self.whole = b""
        self.connections = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while True:
            try:
                c, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(c,), daemon=True).start()

    def _serve(self, c):
        with contextlib.suppress(OSError, ssl.SSLError), c:
            c.settimeout(10)
            if self.tls is not None:
                c = self.tls.wrap_socket(c, server_side=True)
            self.handler(c, self)
            c.close()

    def read(self, c, n=65536):
        data = c.recv(n)
        self.whole += data
        return data

    def read_until(self, c, end):
        got = b""
        while end not in got:
            data = self.read(c)
            if not data:
                return got
            got += data
        return got

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def reset(c):
    """Closes with RST, as a crash does."""
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    c.close()


@pytest.fixture(scope="module")
def ca():
    """A private CA and certificates of it: good, for another host, expired."""
    with tempfile.TemporaryDirectory() as d:
        d = pathlib.Path(d)

        def openssl(*words):
            subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, cwd=d)

        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Uji",
                "-days", "30", "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign")
        for name, alt, days in (("good", "IP:127.0.0.1,DNS:localhost", "30"), ("other", "DNS:other.example", "30"),
                                ("expired", "IP:127.0.0.1,DNS:localhost", "-1")):
            openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj",
                    f"/CN={name}")
            (d / f"{name}.ext").write_text(f"subjectAltName={alt}\n")
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out",
                    f"{name}.pem", "-days", days, "-extfile", f"{name}.ext")
        yield d


def context(ca, name):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(ca / f"{name}.pem", ca / f"{name}.key")
    return c


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Thing: a\r\n\r\nok"


def answering(answer=ANSWER):
    def handler(c, s):
        s.read_until(c, b"\r\n\r\n")
        c.sendall(answer)
    return handler


def url(s, scheme="http", path="/x"):
    return f"{scheme}://127.0.0.1:{s.port}{path}"


# ------------------------------------------------------------------------ HTTP


def test_an_answer_comes_back_whole():
    with Server(answering()) as s:
        r = probe("http", "POST", url(s), "body=halo", "bearer=TOKEN")
    assert (r["state"], r["status"], r["body"], r["headers"]["x-thing"]) == ("done", 200, "ok", "a")
    assert b"Authorization: Bearer TOKEN" in s.whole and b"User-Agent: aduan/" in s.whole


def test_a_refused_status_is_an_answer_too():
    with Server(answering(b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops")) as s:
        r = probe("http", "POST", url(s), "body=halo")
    assert (r["state"], r["status"], r["body"]) == ("done", 500, "oops")


def test_nobody_there_or_no_such_host_is_sent_nothing():
    assert probe("http", "POST", f"http://127.0.0.1:{free_port()}/", "body=x")["state"] == "sent nothing"
    assert probe("http", "POST", "https://no-such-host.invalid/", "body=x")["state"] == "sent nothing"
    assert probe("http", "POST", "http://example.org/", "body=x")["state"] == "sent nothing"


@pytest.mark.parametrize("name", ["other", "expired"])
def test_a_bad_certificate_is_sent_nothing(ca, name):
    with Server(answering(), context(ca, name)) as s:
        r = probe("http", "POST", url(s, "https"), "body=GEHEIM", f"ca={ca / 'ca.pem'}")
    assert r["state"] == "sent nothing" and b"GEHEIM" not in s.whole


def test_an_unknown_ca_is_sent_nothing_and_a_known_one_is_believed(ca):
    with Server(answering(), context(ca, "good")) as s:
        r = probe("http", "POST", url(s, "https"), "body=x")
        assert r["state"] == "sent nothing" and s.whole == b""
        r = probe("http", "POST", url(s, "https"), "body=x", f"ca={ca / 'ca.pem'}")
        assert r["state"] == "done"


def test_a_hang_up_during_tls_is_sent_nothing(ca):
    def handler(c, s):
        s.read(c, 100)
        reset(c)
    with Server(handler) as s:
        assert probe("http", "POST", url(s, "https"), "body=x", f"ca={ca / 'ca.pem'}")["state"] == "sent nothing"


@pytest.mark.parametrize("cut", range(0, len(ANSWER)))
def test_cut_anywhere_in_the_answer_is_broken(cut):
    """The request has been read: nobody may claim that nothing was sent, nor that all is well."""
    def handler(c, s):
        s.read_until(c, b"halo")
        c.sendall(ANSWER[:cut])
        reset(c)
    with Server(handler) as s:
        r = probe("http", "POST", url(s), "body=halo")
    assert r["state"] == "broken", r
    assert s.connections == 1  # never repeated by itself


def test_a_kept_connection_that_dies_does_not_repeat_a_post():
    """libcurl repeats a request by itself when a kept connection turns out dead: never with ours."""
    def handler(c, s):
        s.read_until(c, b"\r\n\r\n")
        if b"POST" not in s.whole:
            c.sendall(ANSWER)
            s.read_until(c, b"halo")
        reset(c)
    with Server(handler) as s:
        r = probe("http", "POST", url(s), "body=halo", f"before={url(s)}", "timeout=15000")
    assert s.whole.count(b"POST /x") == 1, s.whole
    assert r["state"] == "broken"


def test_a_request_cut_half_way_is_broken():
    def handler(c, s):
        s.read(c, 20)
        reset(c)
    with Server(handler) as s:
        r = probe("http", "POST", url(s), "body=-", stdin=b"x" * 10000000)
    assert r["state"] == "broken" and s.connections == 1


def test_silence_is_broken_after_the_timeout():
    with Server(lambda c, s: (s.read_until(c, b"halo"), threading.Event().wait(3))) as s:
        assert probe("http", "POST", url(s), "body=halo", "timeout=500")["state"] == "broken"


def test_too_large_an_answer_is_stopped():
    with Server(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000)) as s:
        r = probe("http", "GET", url(s), "max=1000")
    assert r["state"] == "broken" and "larger than 1000" in r["error"]


def test_a_download_goes_to_the_store_and_no_further_than_its_bound():
    with tempfile.TemporaryDirectory() as d, Server(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")) as s:
        r = probe("http", "GET", url(s), "blob=1", f"store={d}")
        assert (r["state"], r["size"]) == ("done", 3)
        assert r["sha256"].startswith("ba7816bf8f01cfea")
        r = probe("http", "GET", url(s), "blob=1", "max=2", f"store={d}")
        assert r["state"] == "broken"
        files = [p for p in pathlib.Path(d).rglob("*") if p.is_file()]
        assert [p.name for p in files] == ["ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]


def test_redirects_are_not_followed_for_our_own_calls():
    with Server(answering(b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n")) as s:
        r = probe("http", "GET", url(s))
    assert (r["state"], r["status"]) == ("done", 302)


def test_foreign_urls_reach_public_addresses_only(ca):
    with Server(answering(), context(ca, "good")) as s:
        r = probe("http", "GET", url(s, "https"), "foreign=1", f"ca={ca / 'ca.pem'}")
        assert r["state"] == "sent nothing" and "not public" in r["error"], r
        # A name that resolves to this machine is no better than its number.
        r = probe("http", "GET", f"https://localhost:{s.port}/", "foreign=1", f"ca={ca / 'ca.pem'}")
        assert r["state"] == "sent nothing" and s.whole == b""
        r = probe("http", "GET", url(s, "https"), "foreign=1", f"same={url(s, 'https', '/api')}", f"ca={ca / 'ca.pem'}")
        assert r["state"] == "done"


def test_a_foreign_redirect_is_judged_again():
    with Server(answering()) as inside:
        target = url(inside, path="/admin")
        with Server(answering(f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode())) as s:
            r = probe("http", "GET", url(s), "foreign=1", f"same={url(s, path='/api')}")
            assert r["state"] == "broken" and "redirected" in r["error"], r
            assert inside.connections == 0


def test_a_redirect_on_the_same_host_is_followed_and_a_ring_ends():
    def handler(c, s):
        head = s.read_until(c, b"\r\n\r\n")
        if b"GET /end" in head:
            c.sendall(ANSWER)
        else:
            c.sendall(b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" %
                      (b"/ring" if b"/ring" in head else b"/end"))
    with Server(handler) as s:
        r = probe("http", "GET", url(s), "foreign=1", f"same={url(s)}")
        assert (r["state"], r["body"]) == ("done", "ok")
        r = probe("http", "GET", url(s, path="/ring"), "foreign=1", f"same={url(s)}")
        assert (r["state"], r["status"]) == ("done", 302)


def test_proxies_of_the_environment_are_not_used():
    with Server(answering()) as s:
        p = subprocess.run([str(PROBE), "http", "GET", f"http://127.0.0.1:{free_port()}/"], capture_output=True, check=True,
                           env={**os.environ, "http_proxy": url(s), "all_proxy": url(s)})
        assert json.loads(p.stdout)["state"] == "sent nothing" and s.connections == 0


def test_a_test_tree_told_to_stay_here_asks_no_resolver_and_connects_nowhere_else():
    def told(*words, stdin=b""):
        p = subprocess.run([str(PROBE), *words], input=stdin, capture_output=True, check=True, timeout=60,
                           env={**os.environ, "ADUAN_LOOPBACK_ONLY": "1"})
        return json.loads(p.stdout)

    if b"ADUAN_LOOPBACK_ONLY" not in PROBE.read_bytes():
        pytest.skip("SKIPPED: this tree is built without ADUAN_STEPS")
    r = told("http", "GET", "https://scontent.fbcdn.net/x.jpg", "foreign=1")
    assert r["state"] == "sent nothing" and r["status"] == 0 and "cannot resolve" in r["error"], r
    r = told("http", "GET", "https://192.0.2.1/x.jpg")
    assert r["state"] == "sent nothing" and "stays on loopback" in r["error"], r
    r = told("mail", "smtps://smtp.kantor.example", stdin=MAIL)
    assert r["state"] == "before dot" and "cannot resolve" in r["text"], r
    with Server(answering()) as s:
        assert told("http", "GET", url(s))["state"] == "done"
        assert told("http", "GET", f"http://localhost:{s.port}/")["state"] == "done"
        moved = answering(b"HTTP/1.1 302 Found\r\nLocation: https://lain.example/\r\nContent-Length: 0\r\n\r\n")
        with Server(moved) as hop:
            r = told("http", "GET", url(hop), "foreign=1", f"same={url(hop)}")
            assert r["state"] != "done" and "cannot resolve" in r["error"], r


# ------------------------------------------------------------------------ mail


class Smtp:
    """A scripted SMTP server: replies by step; None hangs up there."""

    def __init__(self, **replies):
        self.replies = {"hello": "220 uji", "EHLO": "250-uji\r\n250 8BITMIME", "MAIL": "250 ok", "RCPT": "250 ok",
                        "DATA": "354 go", "dot": "250 2.0.0 queued as 7", "AUTH": "334 ", "login": "235 ok", "QUIT": "221 bye", **replies}
        self.mail = None

    def say(self, c, step):
        reply = self.replies[step]
        if reply is None:
            reset(c)
            raise OSError("hung up")
        c.sendall(reply.encode() + b"\r\n")
        return reply

    def __call__(self, c, s):
        self.say(c, "hello")
        f = c.makefile("rb")
        while line := f.readline():
            s.whole += line
            verb = line.split()[0].decode().upper()
            reply = self.say(c, verb)
            if reply.startswith("334"):
                s.whole += f.readline()
                self.say(c, "login")
            if not reply.startswith("354"):
                continue
            body = b""
            while not body.endswith(b"\r\n.\r\n"):
                more = f.readline()
                if not more:
                    return
                body += more
            self.mail = body[:-3]
            self.say(c, "dot")


def send(script, *words, tls=None, scheme="smtp"):
    with Server(script, tls) as s:
        return probe("mail", f"{scheme}://127.0.0.1:{s.port}", *words, stdin=MAIL), s


def test_a_mail_arrives_byte_for_byte():
    script = Smtp()
    r, s = send(script)
    assert (r["state"], r["code"]) == ("accepted", 250) and "queued as 7" in r["text"]
    assert script.mail == MAIL.replace(b"\r\n.\r\n", b"\r\n..\r\n")
    assert b"MAIL FROM:<kantor@example.org>" in s.whole and b"RCPT TO:<budi@example.org>" in s.whole


@pytest.mark.parametrize("step", ["hello", "EHLO", "MAIL", "RCPT", "DATA"])
def test_hung_up_before_the_data_is_before_the_dot(step):
    r, _ = send(Smtp(**{step: None}))
    assert (r["state"], r["code"]) == ("before dot", 0), r


@pytest.mark.parametrize("step, code", [("hello", 421), ("MAIL", 451), ("RCPT", 550), ("RCPT", 450), ("DATA", 554),
                                        ("dot", 554), ("dot", 452)])
def test_refused_in_words_is_before_the_dot_with_its_code(step, code):
    script = Smtp(**{step: f"{code} no"})
    r, _ = send(script)
    assert (r["state"], r["code"]) == ("before dot", code), r


def test_no_reply_after_the_dot_is_after_the_dot():
    script = Smtp(dot=None)
    r, _ = send(script)
    assert r["state"] == "after dot" and script.mail is not None


def test_half_a_reply_after_the_dot_is_after_the_dot():
    class Half(Smtp):
        def say(self, c, step):
            if step == "dot":
                c.sendall(b"45")
                reset(c)
                raise OSError("hung up")
            return super().say(c, step)
    r, _ = send(Half())
    assert r["state"] == "after dot", r


def test_silence_after_the_dot_is_after_the_dot():
    class Silent(Smtp):
        def say(self, c, step):
            if step == "dot":
                threading.Event().wait(4)
                return ""
            return super().say(c, step)
    r, _ = send(Silent(), "timeout=1500")
    assert r["state"] == "after dot", r


def test_a_large_mail_cut_in_the_middle_is_before_the_dot():
    def handler(c, s):
        for reply in (b"220 x", b"250 x", b"250 ok", b"250 ok", b"354 go"):
            c.sendall(reply + b"\r\n")
            if reply != b"354 go":
                s.read_until(c, b"\r\n")
        s.read(c, 1000)
        reset(c)
    with Server(handler) as s:
        r = probe("mail", f"smtp://127.0.0.1:{s.port}", stdin=b"X: y\r\n\r\n" + b"z" * 70 * 1000 * 100)
    assert (r["state"], r["code"]) == ("before dot", 0), r


def test_login_by_password_and_by_token_over_tls_only(ca):
    script = Smtp(EHLO="250-uji\r\n250 AUTH PLAIN XOAUTH2")
    r, s = send(script, "user=kantor", "password=rahasia", f"ca={ca / 'ca.pem'}", tls=context(ca, "good"), scheme="smtps")
    assert r["state"] == "accepted" and b"AUTH PLAIN" in s.whole
    r, s = send(script, "user=kantor", "bearer=ya29.token", f"ca={ca / 'ca.pem'}", tls=context(ca, "good"), scheme="smtps")
    assert r["state"] == "accepted" and b"AUTH XOAUTH2" in s.whole
    r, s = send(script, "user=kantor", "password=rahasia", tls=context(ca, "good"), scheme="smtps")
    assert (r["state"], r["code"]) == ("before dot", 0) and b"AUTH" not in s.whole


def test_a_wrong_password_is_before_the_dot_and_not_repeated_in_the_text():
    r, _ = send(Smtp(EHLO="250-uji\r\n250 AUTH PLAIN", login="535 5.7.8 wrong"), "user=kantor", "password=rahasia-kita")
    assert (r["state"], r["code"]) == ("before dot", 535) and "rahasia-kita" not in json.dumps(r)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
def test_plain_smtp_elsewhere_is_refused():
    r = probe("mail", "smtp://192.0.2.1:25", "timeout=500", stdin=MAIL)
    assert (r["state"], r["code"]) == ("before dot", 0)
    r = probe("mail", "http://127.0.0.1/", stdin=MAIL)
    assert r["state"] == "before dot"
