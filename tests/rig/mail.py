"""Real mail servers on private ports under one directory: Dovecot, GNU imap4d, Exim.

    with MailHouse() as house:
        house.dovecot(users={"pengaduan": "rahasia", "warga": "rahasia"})
        house.exim()
        house.drop("pengaduan", b"From: …")     # as an MTA would, into the maildir
        with house.imap("warga") as box: …      # imaplib, logged in

Addresses are USER@kantor.test and USER@warga.test. Everything listens on
127.0.0.1 only, runs in the foreground as children of this process and ends with
stop(). Needs root (the servers drop to the account Debian-exim).
"""
import contextlib
import imaplib
import itertools
import os
import pathlib
import pwd
import shutil
import signal
import smtplib
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from ports import free_port  # noqa: E402

MAIL_USER = "Debian-exim"  # exim -C gives up root for it, so it owns all mail here

DOVECOT = """
base_dir = {d}/dovecot
state_dir = {d}/dovecot-state
log_path = {d}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = {ssl}
{tls}
disable_plaintext_auth = no
auth_mechanisms = {mechanisms}
mail_location = maildir:{d}/mail/%n
first_valid_uid = 1
mail_max_userip_connections = 100
maildir_very_dirty_syncs = no
{extra}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%n {d}/users
}}
userdb {{
  driver = static
  args = uid={owner} gid={owner} home={d}/mail/%n
}}
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = {ssl}
  }}
}}
service stats {{
  executable = stats
}}
"""

OAUTH = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {d}/dovecot-oauth2.conf
}}
"""

EXIM = """
exim_path = /usr/sbin/exim4
spool_directory = {d}/spool
log_file_path = {d}/exim-%slog
pid_file_path = {d}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {smtp} : {smtps}
tls_on_connect_ports = {smtps}
{tls}
primary_hostname = mx.kantor.test
domainlist local_domains = kantor.test : warga.test
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = acl_data
message_size_limit = 60M
host_lookup =
rfc1413_query_timeout = 0s
keep_environment =
never_users =
deliver_drop_privilege = true
accept_8bitmime = true
begin acl
acl_rcpt:
  defer local_parts = penuh
        message = 452 4.2.2 mailbox full
  defer local_parts = sibuk
        message = 450 4.2.1 too much mail for this recipient
  deny  local_parts = tidakada
        message = 550 5.1.1 no such user
  accept domains = +local_domains
  deny  message = relay not permitted
acl_data:
  accept
begin routers
local:
  driver = accept
  domains = +local_domains
  local_parts = lsearch,ret=key;{d}/locals
  transport = maildir
begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = {d}/mail/$local_part_data
  create_directory
  delivery_date_add
  envelope_to_add
  return_path_add
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if or{{{{eq{{$auth3}}{{rahasia}}}}{{eq{{$auth3}}{{${{lookup{{${{extract{{1}}{{@}}{{$auth2}}}}}}lsearch{{{d}/users}}{{$value}}{{?}}}}}}}}}}}}
  server_set_id = $auth2
"""


def wait_for(what, seconds=20, every=0.05):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(every)
    raise AssertionError("waited %d s in vain" % seconds)


def answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as s:
            s.settimeout(2)
            return s.recv(4)
    except OSError:
        return None


def missing():
    """Which of the programs are not installed (a reason to skip loudly)."""
    need = ["/usr/lib/dovecot/imap", "/usr/sbin/exim4", "/usr/sbin/imap4d"]
    gone = [p for p in need if not os.path.exists(p)]
    if os.geteuid() != 0:
        gone.append("root")
    return gone


class Certificates:
    """A private CA and server certificates: good, for another host, expired."""

    def __init__(self, d):
        self.d = d
        os.makedirs(d, exist_ok=True)
        self.ca = os.path.join(d, "ca.pem")
        self._ssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "30",
                  "-subj", "/CN=Aduan test CA")
        open(os.path.join(d, "index.txt"), "w").close()
        with open(os.path.join(d, "serial"), "w") as f:
            f.write("1000\n")
        with open(os.path.join(d, "ca.conf"), "w") as f:
            f.write("[ca]\ndefault_ca=x\n[x]\ndatabase=%s/index.txt\nserial=%s/serial\nnew_certs_dir=%s\ndefault_md=sha256\n"
                    "policy=p\nunique_subject=no\ncopy_extensions=copy\n[p]\ncommonName=supplied\n" % (d, d, d))
        self.good = self.make("good", "127.0.0.1")
        self.wrong = self.make("wrong", "imap.example.org", ip=False)
        self.expired = self.make("expired", "127.0.0.1", dates=("20200101000000Z", "20200201000000Z"))

    def _ssl(self, *args):
        subprocess.run(["openssl"] + list(args), cwd=self.d, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def make(self, name, host, ip=True, dates=None):
        san = "subjectAltName=" + ("IP:127.0.0.1,DNS:localhost" if ip else "DNS:" + host)
        self._ssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj",
                  "/CN=" + host, "-addext", san)
        args = ["ca", "-batch", "-config", "ca.conf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in", name + ".csr", "-out",
                name + ".pem", "-notext"]
        self._ssl(*args, *(["-startdate", dates[0], "-enddate", dates[1]] if dates else ["-days", "20"]))
        return os.path.join(self.d, name + ".pem"), os.path.join(self.d, name + ".key")


class Cutter(socketserver.ThreadingTCPServer):
    """A proxy that cuts the line: after the n-th line the client sent, or on a chosen one.

    cut(line) -> None (pass on), "before" (cut without passing it on), "after" (pass it on, then cut before
    the server's reply comes through).
    """
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, target, cut):
        self.target = target
        self.cut = cut
        self.lines = []
        super().__init__(("127.0.0.1", 0), None)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def finish_request(self, request, client_address):
        server = socket.create_connection(("127.0.0.1", self.target))
        stop = threading.Event()

        def back():
            with contextlib.suppress(OSError):
                while not stop.is_set():
                    data = server.recv(65536)
                    if not data or stop.is_set():
                        break
                    request.sendall(data)
            with contextlib.suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

        thread = threading.Thread(target=back, daemon=True)
        thread.start()
        with contextlib.suppress(OSError):
            for line in request.makefile("rb"):
                self.lines.append(line)
                verdict = self.cut(line)
                if verdict == "before":
                    break
                if verdict == "after":
                    stop.set()
                server.sendall(line)
                if verdict == "after":
                    time.sleep(0.3)
                    break
        stop.set()
        for s in (server, request):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()
        thread.join(2)

    def handle_error(self, request, client_address):
        pass

    def close(self):
        self.shutdown()
        self.server_close()


class Imap4d(socketserver.ThreadingTCPServer):
    """GNU Mailutils' imap4d, one process a connection, already logged in (PREAUTH): no MOVE, no UIDPLUS."""
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 20

    def __init__(self, house, user):
        self.home = os.path.join(house.d, "imap4d-" + user)
        self.maildir = os.path.join(self.home, "Maildir")
        self.children = []
        for path in (self.home, self.maildir) + tuple(os.path.join(self.maildir, p) for p in ("cur", "new", "tmp")):
            os.makedirs(path, exist_ok=True)
            os.chown(path, house.mail_user.pw_uid, house.mail_user.pw_gid)
        self.conf = os.path.join(self.home, "imap4d.conf")
        with open(self.conf, "w") as f:
            f.write("preauth stdio;\nmailbox { mailbox-pattern \"maildir://%s\"; mailbox-type maildir; };\n" % self.maildir)
        super().__init__(("127.0.0.1", 0), None)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def finish_request(self, request, client_address):
        user = pwd.getpwnam(MAIL_USER)

        def drop():
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)

        p = subprocess.Popen(["/usr/sbin/imap4d", "--no-config", "--config-file=" + self.conf, "--inetd"],
                             stdin=request.fileno(), stdout=request.fileno(), stderr=subprocess.DEVNULL,
                             cwd=self.home, preexec_fn=drop, env={"HOME": self.home, "USER": MAIL_USER, "PATH": "/usr/bin:/bin"})
        self.children.append(p)
        p.wait()

    def close(self):
        self.shutdown()
        self.server_close()
        for p in self.children:
            if p.poll() is None:
                p.kill()
                p.wait()


class MailHouse:
    def __init__(self, directory=None):
        self.own = directory is None
        self.d = directory or tempfile.mkdtemp(prefix="aduan-mail-")
        os.chmod(self.d, 0o755)
        self.mail_user = pwd.getpwnam(MAIL_USER)
        self.children = []
        self.extras = []
        self.serial = itertools.count(1)
        self.passwords = {}
        os.makedirs(os.path.join(self.d, "mail"), exist_ok=True)
        os.chown(os.path.join(self.d, "mail"), self.mail_user.pw_uid, self.mail_user.pw_gid)
        self._certificates = None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()

    def certificates(self):
        if self._certificates is None:
            self._certificates = Certificates(os.path.join(self.d, "tls"))
        return self._certificates

    def _spawn(self, args):
        p = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             start_new_session=True)
        self.children.append(p)
        return p

    # ---------------------------------------------------------------- dovecot

    def dovecot(self, users, tls=None, capability=None, oauth_url=None, extra=""):
        """tls: (certificate, key). capability: what to claim instead of the truth. Returns self."""
        d = self.d
        self.passwords.update(users)
        self.imap_port = getattr(self, "imap_port", None) or free_port()
        self.imaps_port = getattr(self, "imaps_port", None) or free_port()
        with open(os.path.join(d, "users"), "w") as f:
            f.writelines("%s:%s\n" % item for item in self.passwords.items())
        os.chmod(os.path.join(d, "users"), 0o644)
        for user in users:
            self.maildir(user)
        if capability:
            extra += "\nimap_capability = %s\n" % capability
        if oauth_url:
            extra += OAUTH.format(d=d)
            with open(os.path.join(d, "dovecot-oauth2.conf"), "w") as f:
                f.write("introspection_url = %s\nintrospection_mode = post\nusername_attribute = email\n"
                        "active_attribute = active\nactive_value = true\nforce_introspection = yes\n" % oauth_url)
        conf = os.path.join(d, "dovecot.conf")
        with open(conf, "w") as f:
            f.write(DOVECOT.format(d=d, owner=MAIL_USER, imap=self.imap_port, imaps=self.imaps_port, extra=extra, ssl="yes" if tls else "no",
                                   tls="ssl_cert = <%s\nssl_key = <%s" % tls if tls else "",
                                   mechanisms="plain login" + (" xoauth2 oauthbearer" if oauth_url else "")))
        self.dovecot_child = self._spawn(["/usr/sbin/dovecot", "-F", "-c", conf])
        try:
            wait_for(lambda: answers(self.imap_port))
        except AssertionError:
            raise AssertionError("dovecot did not start: " + self.log("dovecot.log"))
        return self

    def stop_dovecot(self):
        self._end(self.dovecot_child)

    def log(self, name):
        with contextlib.suppress(OSError), open(os.path.join(self.d, name), errors="replace") as f:
            return f.read()[-3000:]
        return ""

    def maildir(self, user):
        path = os.path.join(self.d, "mail", user)
        for part in ("", "cur", "new", "tmp"):
            p = os.path.join(path, part)
            os.makedirs(p, exist_ok=True)
            os.chown(p, self.mail_user.pw_uid, self.mail_user.pw_gid)
        return path

    def drop(self, user, mail, mtime=None, box=None):
        """Puts a mail into the box as an MTA does: tmp, then new."""
        box = box or self.maildir(user)
        name = "%d.%d_%d.test" % (int(mtime or time.time()), os.getpid(), next(self.serial))
        tmp = os.path.join(box, "tmp", name)
        with open(tmp, "wb") as f:
            f.write(mail)
        os.chown(tmp, self.mail_user.pw_uid, self.mail_user.pw_gid)
        if mtime:
            os.utime(tmp, (mtime, mtime))
        os.rename(tmp, os.path.join(box, "new", name))

    @contextlib.contextmanager
    def imap(self, user, mailbox="INBOX", readonly=False):
        box = imaplib.IMAP4("127.0.0.1", self.imap_port)
        box.login(user, self.passwords[user])
        box.select(mailbox, readonly)
        try:
            yield box
        finally:
            with contextlib.suppress(Exception):
                box.logout()

    def mails(self, user, mailbox="INBOX"):
        """All mails of a box: a list of bytes."""
        with self.imap(user, mailbox, readonly=True) as box:
            numbers = box.search(None, "ALL")[1][0].split()
            return [box.fetch(n, "(BODY.PEEK[])")[1][0][1] for n in numbers]

    def imap4d(self, user="pengaduan"):
        """A second kind of server, over a maildir of its own (port, maildir, close())."""
        server = Imap4d(self, user)
        self.extras.append(server)
        return server

    # ------------------------------------------------------------------- exim

    def exim(self, tls=None):
        d = self.d
        exim_user = pwd.getpwnam("Debian-exim")
        self.smtp_port, self.smtps_port = free_port(), free_port()
        os.makedirs(os.path.join(d, "spool"), exist_ok=True)
        os.chown(os.path.join(d, "spool"), exim_user.pw_uid, exim_user.pw_gid)
        for log in ("exim-mainlog", "exim-paniclog", "exim-rejectlog"):
            path = os.path.join(d, log)
            open(path, "a").close()
            os.chown(path, exim_user.pw_uid, exim_user.pw_gid)
        tls_text = "tls_advertise_hosts =\n"
        if tls:
            key = os.path.join(d, "exim.key")
            shutil.copy(tls[1], key)
            os.chown(key, exim_user.pw_uid, exim_user.pw_gid)
            tls_text = "tls_advertise_hosts = *\ntls_certificate = %s\ntls_privatekey = %s\n" % (tls[0], key)
        with open(os.path.join(d, "locals"), "w") as f:
            f.writelines("%s:\n" % user for user in self.passwords)
        os.chmod(os.path.join(d, "locals"), 0o644)
        conf = os.path.join(d, "exim.conf")
        with open(conf, "w") as f:
            f.write(EXIM.format(d=d, smtp=self.smtp_port, smtps=self.smtps_port, tls=tls_text))
        os.chmod(conf, 0o644)
        self._spawn(["/usr/sbin/exim4", "-C", conf, "-bdf", "-q1m"])
        try:
            wait_for(lambda: answers(self.smtp_port))
        except AssertionError:
            raise AssertionError("exim did not start: " + self.log("exim-mainlog") + self.log("exim-paniclog"))
        return self

    def submit(self, mail, sender="warga@warga.test", to="pengaduan@kantor.test"):
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=20) as s:
            s.sendmail(sender, [to], mail)

    def cutter(self, target, cut):
        c = Cutter(target, cut)
        self.extras.append(c)
        return c

    # -------------------------------------------------------------------- end

    def _end(self, p):
        if p.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(p.pid, signal.SIGTERM)
            try:
                p.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, signal.SIGKILL)
                p.wait()

    def stop(self):
        for extra in self.extras:
            extra.close()
        for p in self.children:
            self._end(p)
        self.children = []
        if self.own:
            shutil.rmtree(self.d, ignore_errors=True)
