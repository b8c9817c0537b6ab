"""The mail connector against real IMAP servers, and against one that lies."""
import email.utils
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "rig"))
sys.path.insert(0, HERE)
import mail as rig  # noqa: E402
from email_fake import FakeImap  # noqa: E402

BUILD = os.environ.get("ADUAN_BUILD", os.path.join(HERE, "..", "..", "build"))
DRIVE = os.path.join(BUILD, "tests", "email_drive")
pytestmark = pytest.mark.skipif(bool(rig.missing()) or not os.path.exists(DRIVE),
                                reason="needs %s and %s" % (rig.missing(), DRIVE))


def a_mail(n, sender="warga@warga.test", body="Isi surat\r\n", extra=""):
    return ("From: Warga <%s>\r\nTo: pengaduan@kantor.test\r\nMessage-ID: <%s@warga.test>\r\nSubject: Keluhan %s\r\n"
            "Date: Sat, 19 Sep 2026 14:20:00 +0700\r\n%s\r\n%s" % (sender, n, n, extra, body)).encode()


def drive(*args, timeout=60, check=True):
    r = subprocess.run([DRIVE] + [str(a) for a in args], capture_output=True, text=True, timeout=timeout)
    if check:
        assert r.returncode == 0, r.stderr[-3000:]
    return [json.loads(line) for line in r.stdout.splitlines()]


def subjects(result):
    return [r.get("subject") for r in result["records"]]


@pytest.fixture(scope="module")
def house():
    with rig.MailHouse() as h:
        h.dovecot(USERS)
        yield h


# one user a test, so that no test sees another's mail
USERS = {name: "rahasia" for name in ("pengaduan", "satu", "idle", "poll", "seen", "pindah", "manusia", "besar", "ulang",
                                      "mati", "putus", "killers", "probe", "banyak", "nul")}


def box(house, user, *more):
    mark = os.path.join(house.d, "mark-" + user)
    return ["url=imap://127.0.0.1:%d" % house.imap_port, "user=" + user, "mark=" + mark] + list(more)


def test_each_mail_is_taken_once_over_restarts(house):
    for n in range(3):
        house.drop("satu", a_mail(n))
    first = drive(*box(house, "satu"), "pull:100")[0]
    assert subjects(first) == ["Keluhan 0", "Keluhan 1", "Keluhan 2"]
    assert all(r["received_at"] > 0 for r in first["records"])
    house.drop("satu", a_mail(3))
    second = drive(*box(house, "satu"), "pull:100")[0]
    assert subjects(second) == ["Keluhan 3"]
    assert drive(*box(house, "satu"), "pull:100")[0]["records"] == []


def test_idle_notices_a_mail_while_waiting(house):
    p = subprocess.Popen([DRIVE] + box(house, "idle") + ["pull:100", "pull:4000"], stdout=subprocess.PIPE, text=True)
    assert json.loads(p.stdout.readline())["records"] == []
    time.sleep(0.5)
    house.drop("idle", a_mail("a"))
    time.sleep(0.5)
    house.drop("idle", a_mail("b"))
    assert subjects(json.loads(p.stdout.readline())) == ["Keluhan a", "Keluhan b"]
    assert p.wait(10) == 0


def test_polls_where_idle_is_switched_off(house):
    p = subprocess.Popen([DRIVE] + box(house, "poll", "idle=0", "poll=300") + ["pull:100", "pull:2500"],
                         stdout=subprocess.PIPE, text=True)
    p.stdout.readline()
    house.drop("poll", a_mail("p"))
    assert subjects(json.loads(p.stdout.readline())) == ["Keluhan p"]
    assert p.wait(10) == 0


def test_a_mail_somebody_has_read_is_taken_all_the_same(house):
    house.drop("manusia", a_mail("r"))
    with house.imap("manusia") as imap:
        imap.store("1", "+FLAGS", "\\Seen")
    assert subjects(drive(*box(house, "manusia"), "pull:100")[0]) == ["Keluhan r"]


def test_marks_seen_only_what_was_accepted(house):
    house.drop("seen", a_mail("s1"))
    drive(*box(house, "seen", "after=seen", "nocommit=1"), "pull:100")
    with house.imap("seen", readonly=True) as imap:
        assert imap.search(None, "SEEN")[1][0] == b""
    house.drop("seen", a_mail("s2"))
    drive(*box(house, "seen", "after=seen"), "pull:100")
    with house.imap("seen", readonly=True) as imap:
        assert imap.search(None, "SEEN")[1][0] == b"2"


@pytest.mark.parametrize("capability,left", [(None, 0), ("IMAP4rev1 UIDPLUS", 0), ("IMAP4rev1", 1)])
def test_moves_without_ever_expunging_what_others_deleted(capability, left):
    with rig.MailHouse() as h:
        h.dovecot({"pindah": "rahasia"}, capability=capability)
        h.drop("pindah", a_mail("lain"), mtime=time.time() - 30 * 86400)  # not ours to take, deleted by a person
        with h.imap("pindah") as imap:
            imap.store("1", "+FLAGS", "\\Deleted")
        h.drop("pindah", a_mail("pindah"))
        drive(*box(h, "pindah", "after=move:Diterima – 2026"), "pull:100")
        assert sum(b"Keluhan lain" in m for m in h.mails("pindah")) == 1
        moved = h.mails("pindah", '"Diterima &IBM- 2026"')
        assert [b"Keluhan pindah" in m for m in moved].count(True) == 1
        with h.imap("pindah", readonly=True) as imap:
            assert len(imap.search(None, "SUBJECT", "pindah")[1][0].split()) == left


def test_bare_expunge_is_never_sent():
    sent = []

    def watch(session, tag, command):
        sent.append(command.upper())
        return False

    for capability in ("IMAP4rev1", "IMAP4rev1 UIDPLUS", "IMAP4rev1 UIDPLUS MOVE"):
        fake = FakeImap({5: a_mail(5)}, watch, capability)
        drive("url=imap://127.0.0.1:%d" % fake.port, "after=move:Arsip", "pull:50")
        fake.close()
    assert not [c for c in sent if c.startswith("EXPUNGE")]
    assert [c for c in sent if c.startswith("UID EXPUNGE 5")]


def test_a_uidvalidity_change_gives_the_same_ids_again():
    with rig.MailHouse() as h:
        h.dovecot({"reset": "rahasia"})
        for n in range(4):
            h.drop("reset", a_mail(n))
        before = drive(*box(h, "reset"), "pull:100")[0]
        h.stop_dovecot()
        os.unlink(os.path.join(h.d, "mail/reset/dovecot-uidlist"))
        for f in os.listdir(os.path.join(h.d, "mail/reset")):
            if f.startswith(("dovecot.index", "dovecot-uidvalidity")):
                os.unlink(os.path.join(h.d, "mail/reset", f))
        time.sleep(1.1)
        h.dovecot({"reset": "rahasia"})
        after = drive(*box(h, "reset"), "pull:100")[0]
        assert before["mark"].split(":")[0] != after["mark"].split(":")[0]
        assert sorted(r["platform_id"] for r in before["records"]) == sorted(r["platform_id"] for r in after["records"])


def test_of_a_huge_mail_only_the_header_is_fetched(house):
    house.drop("besar", a_mail("besar", body="x" * 70 + "\r\n" + ("y" * 76 + "\r\n") * 3000))
    house.drop("besar", a_mail("kecil"))
    got = drive(*box(house, "besar", "limit=65536"), "pull:100")[0]
    assert subjects(got) == ["Keluhan besar", "Keluhan kecil"]
    assert got["records"][0]["flags"] & 4 and "KiB" in got["records"][0]["note"]
    assert got["records"][0]["text" if "text" in got["records"][0] else "subject"] in ("", "Keluhan besar")


def test_after_a_crash_before_accepting_the_same_mails_come_again(house):
    for n in range(5):
        house.drop("mati", a_mail(n))
    drive(*box(house, "mati", "stop=3"), "pull:100")
    again = drive(*box(house, "mati"), "pull:100")[0]
    assert subjects(again) == ["Keluhan %d" % n for n in range(5)]


def test_the_line_cut_after_any_command_loses_nothing(house):
    for n in range(3):
        house.drop("putus", a_mail(n))
    want = drive(*box(house, "putus", "mark=/dev/null"), "pull:50")[0]
    ids = sorted(r["platform_id"] for r in want["records"])
    assert len(ids) == 3
    for when in ("before", "after"):
        for k in range(1, 9):
            count = [0]

            def cut(line):
                count[0] += 1
                return when if count[0] == k else None

            c = house.cutter(house.imap_port, cut)
            mark = os.path.join(house.d, "cut-%s-%d" % (when, k))
            runs = []
            for _ in range(3):
                runs += drive("url=imap://127.0.0.1:%d" % c.port, "user=putus", "mark=" + mark, "after=seen", "pull:50")
            got = {r["platform_id"] for run in runs for r in run["records"]}
            assert sorted(got) == ids, (when, k)
            assert runs[-1]["rc"] == 0, (when, k, runs[-1])


def test_every_killer_becomes_a_record(house):
    from email_killers import killers
    names = []
    for name, bytes_ in killers().items():
        house.drop("killers", bytes_)
        names.append(name)
    house.drop("killers", a_mail("sesudahnya"))
    got = drive(*box(house, "killers"), "pull:200", timeout=120)[0]
    assert len(got["records"]) == len(names) + 1
    assert subjects(got)[-1] == "Keluhan sesudahnya"
    assert sum(r["kind"] == "unparsed" for r in got["records"]) >= 8


def test_nul_bytes_and_bare_line_ends_come_through(house):
    house.drop("nul", a_mail("nul", body="sebelum\0sesudah\r\nselesai\r\n"))
    got = drive(*box(house, "nul"), "pull:100")[0]
    assert "sesudah" in got["records"][0]["text"] and "selesai" in got["records"][0]["text"]


def test_a_backlog_of_hundreds_comes_in_order(house):
    for n in range(350):
        house.drop("banyak", a_mail("%04d" % n))
    got = drive(*box(house, "banyak"), "pull:100")[0]
    assert len({r["platform_id"] for r in got["records"]}) == 350
    assert got["mark"].endswith(tuple("0123456789"))


def test_probe_says_what_is_wrong(house):
    url = "url=imap://127.0.0.1:%d" % house.imap_port
    assert drive(url, "user=probe", "probe")[0]["outcome"] == 1
    bad = drive(url, "user=probe", "pass=salah", "probe")[0]
    assert bad["outcome"] == 5 and "imap login" in bad["reason"] and "salah" not in bad["reason"]
    assert drive(url, "user=probe", "mailbox=Tidakada", "probe")[0]["outcome"] == 5
    assert drive("url=imap://127.0.0.1:%d" % rig.free_port(), "probe")[0]["outcome"] == 2


def test_first_contact_leaves_old_mail_alone():
    with rig.MailHouse() as h:
        h.dovecot({"lama": "rahasia"})
        h.drop("lama", a_mail("lama"), mtime=time.time() - 30 * 86400)
        h.drop("lama", a_mail("baru"))
        assert subjects(drive(*box(h, "lama"), "pull:100")[0]) == ["Keluhan baru"]


def test_a_second_kind_of_server(house):
    server = house.imap4d()
    args = ["url=imap://127.0.0.1:%d" % server.port, "mark=" + os.path.join(house.d, "mark-imap4d"), "poll=300", "idle=0",
            "backlog=%d" % (400 * 86400000)]  # its INTERNALDATE is the Date field
    for n in range(3):
        of_today = a_mail(n).replace(b"Sat, 19 Sep 2026 14:20:00 +0700", email.utils.formatdate().encode())
        house.drop("x", of_today.replace(b"\r\n", b"\n"), box=server.maildir)
    seen = {}
    first = drive(*args, "after=seen", "pull:100")[0]
    seen.update((r["platform_id"], r["subject"]) for r in first["records"])
    assert sorted(seen.values()) == ["Keluhan 0", "Keluhan 1", "Keluhan 2"], first
    house.drop("x", a_mail("lagi").replace(b"\r\n", b"\n"), box=server.maildir)
    for after in ("seen", "keep", "move:Arsip"):  # under EXAMINE this server numbers the same mail anew: the id tells
        again = drive(*args, "after=" + after, "pull:100")[0]
        assert again["rc"] == 0, again
        seen.update((r["platform_id"], r["subject"]) for r in again["records"])
    assert sorted(seen.values()) == ["Keluhan 0", "Keluhan 1", "Keluhan 2", "Keluhan lagi"]


# ------------------------------------------------------------------- one that lies

def fake_args(fake, *more):
    mark = tempfile.mktemp(prefix="aduan-mark-")
    return ["url=imap://127.0.0.1:%d" % fake.port, "mark=" + mark, "idle=0", "poll=200"] + list(more)


def test_a_mail_that_becomes_visible_late_is_not_missed():
    fake = FakeImap({1: a_mail(1), 2: a_mail(2), 3: a_mail(3)})
    args = fake_args(fake)
    drive(*args, "pull:50")
    fake.mails.update({4: a_mail(4), 5: a_mail(5)})
    fake.hidden = {4}
    assert subjects(drive(*args, "pull:50")[0]) == ["Keluhan 5"]
    fake.hidden = set()
    assert subjects(drive(*args, "pull:50")[0]) == ["Keluhan 4"]
    assert drive(*args, "pull:50")[0]["records"] == []
    fake.close()


def covers(command, uid):
    """Does this UID FETCH ask for that mail?"""
    if not command.upper().startswith("UID FETCH"):
        return False
    for part in command.split()[2].split(","):
        first, _, last = part.partition(":")
        if int(first) <= uid <= int(last or first):
            return True
    return False


def bomb(answer):
    def hook(session, tag, command):
        if covers(command, 2) and "BODY.PEEK[]" in command:
            session.send(answer)
            return True
        return False
    return hook


@pytest.mark.parametrize("answer", [
    b"* 2 FETCH (UID 2 BODY[] {4000000000}\r\n",
    b"* 2 FETCH (UID 2 BODY[] {99999999999999999999}\r\n",
    b"* 2 FETCH (BODYSTRUCTURE " + b"(" * 200000 + b"\r\n",
    b"* 2 FETCH (UID 2 BODY[] garbage\r\n",
    b"* 2 FETCH (UID 2 FLAGS (" + b"A" * 5000000 + b"))\r\n",
    b"* LIST () \"/\" x\r\n" * 60000,
], ids=["4 GB literal", "20 digit literal", "deep list", "garbage", "long line", "many lines"])
def test_a_hostile_answer_costs_one_mail_its_body_and_never_the_box(answer):
    fake = FakeImap({1: a_mail(1), 2: a_mail(2), 3: a_mail(3)}, bomb(answer))
    args = fake_args(fake)
    got = []
    run = drive(*args, *["pull:30"] * 6, timeout=100)
    got += [r for one in run for r in one["records"]]
    by = {r["subject"]: r for r in got}
    assert set(by) == {"Keluhan 1", "Keluhan 2", "Keluhan 3"}
    assert by["Keluhan 2"]["flags"] & 4, "a stub that shows sender and subject"
    assert by["Keluhan 2"]["sender"]["address"] == "warga@warga.test"
    fake.close()


def test_a_refused_body_becomes_a_stub():
    def hook(session, tag, command):
        if covers(command, 2) and "BODY" in command:
            session.send("%s NO [SERVERBUG] internal\r\n" % tag)
            return True
        return False

    fake = FakeImap({1: a_mail(1), 2: a_mail(2), 3: a_mail(3)}, hook)
    got = drive(*fake_args(fake), "pull:50")[0]
    assert [s for s in subjects(got) if s.startswith("Keluhan")] == ["Keluhan 1", "Keluhan 3"]
    assert len(got["records"]) == 3
    fake.close()


def test_envelope_and_bodystructure_are_never_asked():
    fake = FakeImap({1: a_mail(1)})
    drive(*fake_args(fake), "pull:50")
    asked = " ".join(fake.commands).upper()
    assert "ENVELOPE" not in asked and "BODYSTRUCTURE" not in asked and "BODY[" not in asked
    fake.close()


def test_a_full_server_is_waited_for_and_a_wrong_password_is_not():
    def refuse(text):
        def hook(session, tag, command):
            if command.upper().startswith(("LOGIN", "AUTHENTICATE")):
                session.send("%s NO %s\r\n" % (tag, text))
                return True
            return False
        return hook

    for text, outcome in (("[ALERT] Too many simultaneous connections. (Failure)", 3), ("[UNAVAILABLE] later", 2),
                          ("[AUTHENTICATIONFAILED] Invalid credentials (Failure)", 5)):
        fake = FakeImap({}, refuse(text))
        assert drive(*fake_args(fake), "pull:50")[0]["rc"] == outcome, text
        fake.close()


# -------------------------------------------------------------------------- xoauth2

class TokenServer:
    """Gives out access tokens, and tells Dovecot which are good."""

    def __init__(self):
        import http.server
        outer = self
        self.good, self.refresh, self.serial, self.fail, self.asked = set(), "refresh-1", 0, None, []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                from urllib.parse import parse_qs
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                form = {k: v[0] for k, v in parse_qs(body).items()}
                status, answer = outer.answer(self.path, form)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path, form):
        if path == "/introspect":
            ok = form.get("token") in self.good
            return 200, {"active": ok, "email": "token"}
        self.asked.append(form)
        if self.fail:
            return self.fail
        if form.get("refresh_token") != self.refresh:
            return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
        self.serial += 1
        token = "ya29.akses-%d" % self.serial
        self.good.add(token)
        self.refresh = "refresh-%d" % (self.serial + 1)
        return 200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer", "refresh_token": self.refresh}

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def test_xoauth2_with_refresh_and_rotation():
    tokens = TokenServer()
    with rig.MailHouse() as h:
        h.dovecot({"token": "rahasia"}, oauth_url=tokens.url + "/introspect")
        args = box(h, "token", "auth=xoauth2", "token_url=%s/token" % tokens.url)
        h.drop("token", a_mail("oauth"))
        got = drive(*args, "pull:100")[0]
        assert subjects(got) == ["Keluhan oauth"], (got, h.log("dovecot.log"))
        assert tokens.asked[0]["grant_type"] == "refresh_token" and tokens.asked[0]["client_secret"] == "client-secret"
        refused = drive(*args, "pull:100")[0]  # this process knows only the refresh token that was rotated away
        assert refused["rc"] == 5 and "invalid_grant" in refused["reason"] and "refresh-" not in refused["reason"]
        tokens.fail = (503, {"error": "temporarily_unavailable"})
        assert drive(*args, "pull:100")[0]["rc"] == 2
    tokens.close()
