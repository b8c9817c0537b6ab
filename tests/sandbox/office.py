"""office.py: the office's side of the sandbox: a private Redis, the configuration, aduand, aduanctl."""
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import sys

from processes import Fault, Process, answers, free_port, wait_until, write_file

ROOT = pathlib.Path(__file__).resolve().parents[2]

CONF = """# Written by ./dev up; overwritten at every start.
office = {{
    name     = "Kantor Imigrasi Kelas I TPI Tanjungpinang";
    code     = "TPI";
    timezone = "Asia/Jakarta";
    language = "id";
}};
state   = "{dir}/state";
secrets = "{dir}/secrets";
policy  = "{policy}";
modules = "{build}/connectors";
queue   = {{ redis = "unix:{redis}"; }};
gateway = {{ listen = "127.0.0.1:{gateway}"; }};
console = {{ listen = ""; }};
metrics = {{ listen = "127.0.0.1:{metrics}"; }};
"""


class Office:
    def __init__(self, directory, build, fixed_ports=True):
        self.dir, self.build = pathlib.Path(directory), pathlib.Path(build).resolve()
        for name in ("state", "secrets", "redis", "logs", "connectors.d", "papers"):
            (self.dir / name).mkdir(parents=True, exist_ok=True, mode=0o700)
            (self.dir / name).chmod(0o700)
        self.conf = self.dir / "aduan.conf"
        self.gateway = free_port(8081 if fixed_ports else 0)
        self.metrics = free_port(9090 if fixed_ports else 0)
        self.accounts = []
        # A unix socket's path has 107 bytes at most: the sandbox may lie deeper than that.
        socket = self.dir / "redis" / "redis.sock"
        self.socket = str(socket) if len(str(socket)) < 100 else f"/tmp/aduan-{secrets.token_hex(8)}.sock"
        self.redis = self.make_redis()
        self.daemon = Process("aduand", [self.build / "aduand", "-c", self.conf], self.dir / "logs" / "aduand.log",
                              env={**os.environ, "ADUAN_LOOPBACK_ONLY": "1"})  # heeded by a tree for tests

    def make_redis(self):
        program = shutil.which("redis-server") or "/usr/bin/redis-server"
        return Process("redis-server", [program, "--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700",
                                        "--dir", self.dir / "redis", "--appendonly", "yes", "--appendfsync", "always",
                                        "--save", "", "--maxmemory-policy", "noeviction", "--daemonize", "no"],
                       self.dir / "logs" / "redis.log")

    def secret(self, name, value=None):
        """The content of a secret: as given, else a random one, kept from one start to the next."""
        path = self.dir / "secrets" / name
        if value is not None or not path.exists():
            write_file(path, (value or secrets.token_urlsafe(24)) + "\n", 0o600)
        return path.read_text().strip()

    def hook_of(self, name):
        return f"http://127.0.0.1:{self.gateway}/hook/{name}"

    def has(self, module):
        return (self.build / "connectors" / f"{module}.so").exists()

    def account(self, name, text):
        write_file(self.dir / "connectors.d" / f"{name}.conf", text)
        self.accounts.append(name)

    def configure(self):
        """The main file; accounts of an earlier start that are no more are taken away."""
        write_file(self.conf, CONF.format(dir=self.dir, policy=ROOT / "conf", build=self.build, redis=self.socket,
                                          gateway=self.gateway, metrics=self.metrics))
        for file in (self.dir / "connectors.d").glob("*.conf"):
            if file.stem not in self.accounts:
                file.unlink()

    def check(self):
        run = subprocess.run([self.build / "aduand", "-c", self.conf, "-n"], capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise Fault(f"aduand -n refuses the sandbox's configuration ({run.returncode}):\n{run.stdout}{run.stderr}")

    def start_redis(self):
        self.redis.start()
        wait_until("Redis", lambda: answers(self.socket), self.redis)

    def start(self):
        self.start_redis()
        self.check()
        self.daemon.start()
        wait_until("the gateway", lambda: answers(("127.0.0.1", self.gateway)), self.daemon)
        wait_until("the desk", lambda: self.ctl("tickets")[0] == 0, self.daemon)

    def stop(self):
        self.daemon.stop()
        self.redis.stop()
        if self.socket.startswith("/tmp/"):
            pathlib.Path(self.socket).unlink(missing_ok=True)

    def ctl(self, *arguments, text=None):
        """Runs aduanctl: (exit status, output, error)."""
        run = subprocess.run([str(self.build / "aduanctl"), "-c", str(self.conf), *arguments], input=text,
                             capture_output=True, text=True, timeout=30, check=False)
        return run.returncode, run.stdout, run.stderr

    def ask(self, *arguments, text=None):
        """aduanctl … --json as an object; a Fault when it is refused."""
        status, out, error = self.ctl(*arguments, "--json", text=text)
        if status != 0:
            raise Fault(error.strip().splitlines()[-1] if error.strip() else f"aduanctl {arguments[0]} ended with {status}")
        try:
            return json.loads(out) if out.strip() else {}
        except ValueError as fault:
            raise Fault(f"aduanctl {arguments[0]} printed no JSON: {fault}") from None


if __name__ == "__main__":
    sys.exit("start ./dev up instead")
