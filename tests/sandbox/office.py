"""office.py: the office's side of the sandbox: a private Redis, the configuration, aduand, aduanctl."""
import json
import pathlib
import secrets
import shutil
import subprocess
import sys

from processes import Fault, Process, answers, free_port, wait_until, write_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
NUMBER_ID, NUMBER = "106540352242922", "6281130000111"
BOX = "pengaduan@kantor.example"

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

MAIL = """# The office's mailbox, at the local mail system.
name    = "surel";
type    = "email";
address = "{box}";
imap = {{ url = "{imap}"; user = "{user}"; password = "@surel"; }};
smtp = {{ url = "{smtp}"; user = "{user}"; password = "@surel"; }};{tls}
"""

WHATSAPP = """# The office's WhatsApp number, at the stand-in for Graph.
name            = "wa";
type            = "whatsapp";
api             = "{api}";
phone_number_id = "{number_id}";
access_token    = "@wa-token";
app_secret      = [ "@wa-app" ];
verify_token    = "@wa-verify";
template        = {{ name = "buka_percakapan"; language = "id"; }};
"""


def secret_of(path):
    """A random secret, kept from one start to the next."""
    if not path.exists():
        write_file(path, secrets.token_urlsafe(24) + "\n", 0o600)
    return path.read_text().strip()


class Office:
    def __init__(self, directory, build, fixed_ports=True):
        self.dir, self.build = pathlib.Path(directory), pathlib.Path(build).resolve()
        for name in ("state", "secrets", "redis", "logs", "connectors.d"):
            (self.dir / name).mkdir(parents=True, exist_ok=True, mode=0o700)
            (self.dir / name).chmod(0o700)
        self.conf = self.dir / "aduan.conf"
        self.gateway = free_port(8081 if fixed_ports else 0)
        self.metrics = free_port(9090 if fixed_ports else 0)
        self.hook = f"http://127.0.0.1:{self.gateway}/hook/wa"
        self.token = secret_of(self.dir / "secrets" / "wa-token")
        self.app_secret = secret_of(self.dir / "secrets" / "wa-app")
        secret_of(self.dir / "secrets" / "wa-verify")
        # A unix socket's path has 107 bytes at most: the sandbox may lie deeper than that.
        socket = self.dir / "redis" / "redis.sock"
        self.socket = str(socket) if len(str(socket)) < 100 else f"/tmp/aduan-{secrets.token_hex(8)}.sock"
        self.redis = self.make_redis()
        self.daemon = Process("aduand", [self.build / "aduand", "-c", self.conf], self.dir / "logs" / "aduand.log")

    def make_redis(self):
        program = shutil.which("redis-server") or "/usr/bin/redis-server"
        return Process("redis-server", [program, "--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700",
                                        "--dir", self.dir / "redis", "--appendonly", "yes", "--appendfsync", "always",
                                        "--save", "", "--maxmemory-policy", "noeviction", "--daemonize", "no"],
                       self.dir / "logs" / "redis.log")

    def configure(self, mail, api):
        """mail: url and login of the office's box (None: no mail); api: of the Graph stand-in."""
        write_file(self.conf, CONF.format(dir=self.dir, policy=ROOT / "conf", build=self.build, redis=self.socket,
                                          gateway=self.gateway, metrics=self.metrics))
        wa, box = self.dir / "connectors.d" / "wa.conf", self.dir / "connectors.d" / "surel.conf"
        write_file(wa, WHATSAPP.format(api=api, number_id=NUMBER_ID))
        box.unlink(missing_ok=True)
        if mail:
            write_file(self.dir / "secrets" / "surel", mail["password"] + "\n", 0o600)
            tls = f'\ntls_ca = "{mail["ca"]}";' if mail.get("ca") else ""
            write_file(box, MAIL.format(box=mail["address"], user=mail["user"], imap=mail["imap"], smtp=mail["smtp"], tls=tls))

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
