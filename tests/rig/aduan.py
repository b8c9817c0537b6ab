"""A whole Aduan on this machine for a test: private Redis, generated configuration, aduand, aduanctl.

    with Aduan() as a:
        a.account("loop1", type="loop", inbox=..., outbox=...)   # before start()
        a.start()                                                # returns when READY=1 has come
        a.ctl("tickets")                                         # parsed JSON
        a.wait(lambda: a.ctl("tickets"), "a ticket")

Everything lives in one temporary directory and ends with the context: processes are stopped by
their pids. The build is $ADUAN_BUILD, else build/ of the checkout.
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from calendars import covering  # noqa: E402
from ports import free_port  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ADUAN_BUILD", ROOT / "build"))
PATIENCE = float(os.environ.get("ADUAN_PATIENCE", "30"))


class Gave(AssertionError):
    """A condition that did not come true in time."""


def wait(condition, what="the condition", timeout=PATIENCE, pause=0.05):
    """The first true value of condition(); exceptions count as not yet."""
    end = time.monotonic() + timeout
    last = None
    while time.monotonic() < end:
        try:
            value = condition()
            if value:
                return value
        except (OSError, subprocess.SubprocessError, ValueError, KeyError, IndexError, Refused) as e:
            last = e
        time.sleep(pause)
    raise Gave(f"{what} did not come true in {timeout:.0f} s" + (f" (last: {last!r})" if last else ""))


def render(value, indent=""):
    """A Python value in libconfig's syntax: dict = group, list of dicts = list, list = list."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (str, os.PathLike)):
        text = os.fspath(value)
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if isinstance(value, dict):
        inner = "".join(f"{indent}  {k} = {render(v, indent + '  ')};\n" for k, v in value.items())
        return "{\n" + inner + indent + "}"
    return "( " + ", ".join(render(v, indent + "  ") for v in value) + " )"


class Refused(Exception):
    """aduanctl ended with another status than 0."""

    def __init__(self, status, text):
        super().__init__(f"status {status}: {text}")
        self.status, self.text = status, text


class Redis:
    """A private redis-server on a unix socket, with the settings the promise needs."""

    def __init__(self, directory, **settings):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.sock = self.dir / "redis.sock"
        self.settings = {"appendonly": "yes", "appendfsync": "always", "save": "", "port": "0",
                         "maxmemory-policy": "noeviction", **settings}
        self.process = None

    def start(self):
        args = ["redis-server", "--dir", str(self.dir), "--unixsocket", str(self.sock), "--unixsocketperm", "700",
                "--daemonize", "no", "--logfile", str(self.dir / "redis.log")]
        for key, value in self.settings.items():
            args += [f"--{key.replace('_', '-')}", value]
        self.process = subprocess.Popen(args, stdin=subprocess.DEVNULL)
        wait(lambda: self.command("PING") == "PONG", "redis")
        return self

    def stop(self, how=signal.SIGTERM):
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(20)
            self.process = None

    def kill(self):
        self.stop(signal.SIGKILL)

    def command(self, *words):
        """One command; strings, integers, None and lists come back as such."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(str(self.sock))
            out = b"*%d\r\n" % len(words)
            for w in words:
                w = w if isinstance(w, bytes) else str(w).encode()
                out += b"$%d\r\n%s\r\n" % (len(w), w)
            s.sendall(out)
            with s.makefile("rb") as f:
                return self._reply(f)

    def _reply(self, f):
        line = f.readline()
        if not line:
            raise OSError("redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise ValueError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            n = int(rest)
            return None if n < 0 else f.read(n + 2)[:-2].decode("utf-8", "replace")
        n = int(rest)
        return None if n < 0 else [self._reply(f) for _ in range(n)]


class Notify:
    """What systemd would hear: the socket behind $NOTIFY_SOCKET."""

    def __init__(self, path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.messages = []  # (monotonic time, text)
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self):
        while True:
            try:
                text = self.socket.recv(65536).decode()
            except OSError:
                return
            if text == "quit":
                return
            self.messages.append((time.monotonic(), text))

    def count(self, word):
        return sum(word in text.split("\n") for _, text in list(self.messages))

    def status(self):
        for _, text in reversed(list(self.messages)):
            for line in text.split("\n"):
                if line.startswith("STATUS="):
                    return line[7:]
        return ""

    def close(self):
        with contextlib.suppress(OSError):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
                s.sendto(b"quit", self.path)
        self.thread.join(5)
        self.socket.close()


class Aduan:
    def __init__(self, directory=None, build=None, env=None, redis=None, keep=False):
        self.build = pathlib.Path(build or BUILD)
        self.own = directory is None
        self.dir = pathlib.Path(directory or tempfile.mkdtemp(prefix="aduan-"))
        self.keep = keep or os.environ.get("ADUAN_KEEP") == "1"
        self.state, self.secrets = self.dir / "state", self.dir / "secrets"
        self.file, self.logfile = self.dir / "aduan.conf", self.dir / "aduand.log"
        for d in (self.state, self.secrets):
            d.mkdir(mode=0o700, exist_ok=True)
        self.redis = redis or Redis(self.dir / "redis")
        self.own_redis = redis is None
        # What a sample body names (a picture on *.fbcdn.net) is asked of no resolver.
        self.env = {"ADUAN_LOOPBACK_ONLY": "1", **(env or {})}
        self.accounts = {}
        self.core = {
            "office": {"name": "Kantor Uji", "code": "UJI", "timezone": "Asia/Jakarta", "language": "id"},
            "state": str(self.state),
            "secrets": str(self.secrets),
            "policy": str(covering(ROOT / "conf", self.dir)),
            "modules": str(self.build / "connectors"),
            "queue": {"redis": f"unix:{self.redis.sock}"},
            # Ports of our own: other tests run beside this one.
            "console": {"listen": ""},
        }
        self.port, self.metrics_port = self.listen(), free_port()
        self.core["metrics"] = {"listen": f"127.0.0.1:{self.metrics_port}"}
        self.process = None
        self.notify = None

    # ------------------------------------------------------------ configuration

    def secret(self, name, value):
        """Writes a secret file; returns the reference to put into an account."""
        path = self.secrets / name
        path.write_text(value)
        path.chmod(0o600)
        return "@" + name

    def account(self, name, **keys):
        """Adds or replaces an account; its keys as in aduan.conf."""
        self.accounts[name] = {"name": name, **keys}
        return self.accounts[name]

    def loop(self, name="loop", **keys):
        """An account of the loop connector with directories of its own; returns them."""
        d = self.dir / name
        places = {k: d / k for k in ("inbox", "done", "media", "fault")}
        for p in places.values():
            p.mkdir(parents=True, exist_ok=True)
        places["outbox"] = d / "outbox.jsonl"
        self.account(name, **{"type": "loop", "poll": "50ms", **places, **keys})
        return places

    def listen(self):
        """Gives the gateway a (new) port and returns it."""
        port = free_port()
        self.core["gateway"] = {"listen": f"127.0.0.1:{port}"}
        return port

    def write(self):
        text = "".join(f"{k} = {render(v)};\n" for k, v in self.core.items())
        text += f"connectors = {render(list(self.accounts.values()))};\n"
        fresh = self.file.with_suffix(".new")
        fresh.write_text(text)
        fresh.rename(self.file)

    # ---------------------------------------------------------------- processes

    def start_redis(self):
        if self.own_redis and self.redis.process is None:
            self.redis.start()

    def start(self, ready=True, write=True):
        self.start_redis()
        if write:
            self.write()
        if self.notify is None:
            self.notify = Notify(self.dir / "notify.sock")
        env = {**os.environ, "NOTIFY_SOCKET": self.notify.path, **self.env}
        self.log = open(self.logfile, "ab")
        before = self.notify.count("READY=1")
        self.process = subprocess.Popen([str(self.build / "aduand"), "-c", str(self.file)], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log, env=env)
        if ready:
            wait(lambda: self.notify.count("READY=1") > before or self._gone(), "READY=1")
        return self

    def _gone(self):
        if self.process.poll() is not None:
            raise AssertionError(f"aduand ended with {self.process.returncode}:\n{self.log_text()}")
        return False

    def stop(self, how=signal.SIGTERM, timeout=40):
        """Ends aduand; returns its exit status."""
        if self.process is None:
            return None
        workers = self.workers()
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            status = self.process.wait(timeout)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait(10)
            self.process = None
            self.log.close()
        # After a killed master the workers notice by themselves; none may outlive the test.
        for name, pid in workers.items():
            end = time.monotonic() + 25
            while alive(pid) and time.monotonic() < end:
                time.sleep(0.02)
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
                raise AssertionError(f"{name} ({pid}) outlived its master")
        return status

    def restart(self):
        self.stop()
        return self.start()

    def reload(self, write=True, settle=True):
        if write:
            self.write()
        before = self.notify.count("READY=1")
        self.process.send_signal(signal.SIGHUP)
        if settle:
            wait(lambda: self.notify.count("READY=1") > before, "READY=1 after the reload")

    def check(self):
        """aduand -n: (status, text)."""
        self.write()
        p = subprocess.run([str(self.build / "aduand"), "-c", str(self.file), "-n"], capture_output=True, text=True,
                           timeout=60, env={**os.environ, **self.env}, check=False)
        return p.returncode, p.stdout + p.stderr

    def workers(self):
        """{"send gmail": pid, …} of the running master."""
        found = {}
        if self.process is None:
            return found
        for pid in children(self.process.pid):
            words = command_line(pid)
            if len(words) >= 3 and words[1] == "--job":
                found[" ".join(words[2:])] = pid
        return found

    def worker(self, name):
        return wait(lambda: self.workers().get(name), f"worker {name}")

    def log_text(self):
        return self.logfile.read_text(errors="replace") if self.logfile.exists() else ""

    def ctl(self, *words, stdin=None, as_json=True, timeout=30):
        """aduanctl; its JSON, or its text with as_json=False. Refused for another status than 0."""
        args = [str(self.build / "aduanctl"), "-c", str(self.file), *map(str, words)]
        if as_json:
            args.append("--json")
        p = subprocess.run(args, capture_output=True, text=True, input=stdin, timeout=timeout,
                           env={**os.environ, **self.env}, check=False)
        if p.returncode != 0:
            raise Refused(p.returncode, (p.stderr or p.stdout).strip())
        return json.loads(p.stdout) if as_json else p.stdout

    def health(self, account, role):
        text = self.redis.command("HGET", f"aduan:{{{account}}}:health", role)
        return json.loads(text) if text else None

    def stream(self, account, name):
        """Entries of a stream as (id, {field: value})."""
        entries = self.redis.command("XRANGE", f"aduan:{{{account}}}:{name}", "-", "+")
        return [(i, dict(zip(f[::2], f[1::2]))) for i, f in entries]

    def put_answer(self, account, ident, text, conversation="w1", **fields):
        """Queues an answer as the desk would, past the desk: the put script, from the sources."""
        answer = {"id": ident, "account": account, "number": "UJI-2026-000001", "kind": "reply", "text": text,
                  "conversation": conversation, "to": {"id": conversation}, "language": "id",
                  "queued_at": int(time.time() * 1000), **fields}
        script = (ROOT / "queue" / "lua" / "put.lua").read_text()
        key = f"aduan:{{{account}}}:"
        return self.redis.command("EVAL", script, 3, key + "out", key + "retry", key + f"answer:{ident}",
                                  int(time.time() * 1000), ident, json.dumps(answer), 1, 0)[0]

    def answer_state(self, account, ident):
        return self.redis.command("HGET", f"aduan:{{{account}}}:answer:{ident}", "state")

    wait = staticmethod(wait)

    # ------------------------------------------------------------------ context

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            self.stop()
        finally:
            if self.own_redis:
                self.redis.stop(signal.SIGKILL)
            if self.notify is not None:
                self.notify.close()
            if kind is not None:
                print(self.log_text()[-8000:])
            if self.own and not self.keep:
                shutil.rmtree(self.dir, ignore_errors=True)


def alive(pid):
    """Is it there and no zombie?"""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def children(pid):
    try:
        return [int(c) for c in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def command_line(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []
