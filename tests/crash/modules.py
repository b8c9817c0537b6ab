"""Every connector at its platform's stand-in, as one scene: citizens write, see, and the platform repeats itself.

One service per module; a round is a new citizen, so that one service lives through death after death. In each round
a file in the directory of ADUAN_DIE_IN names a step of taking in, and later one of sending, at which the first
process to reach it dies by SIGKILL.
"""
import contextlib
import email.message
import email.utils
import pathlib
import sys
import time

from crash import Refused, Service, wait

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "rig"))
from facebook import Facebook  # noqa: E402
from graph import Graph  # noqa: E402
from instagram import Instagram  # noqa: E402
from rig import mail  # noqa: E402
from social_office import Office  # noqa: E402
from test_email_office import account as mail_account  # noqa: E402
from test_maildir_office import account as maildir_account  # noqa: E402
from test_x_office import Office as XOffice  # noqa: E402
from x import X  # noqa: E402

# The loop's suite has every step of the desk; what is left differs from module to module.
DESK = ("register", "desk", "relay", "put", "ack", "command", "done", "withdraw", "drop", "switch", "replay", "bury")
SENDING = ("begin", "send", "settle", "forget")
KNOWN = ("sent", "delivered", "read")
ENDS = (*KNOWN, "uncertain", "failed")


def jpeg(what):
    """Other bytes for everything, so that each is written anew."""
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(range(256)) * 4 + what.encode() + b"\xff\xd9"


def first(tag):
    return f"Paspor saya belum selesai {tag}"


def second(tag):
    return f"Ini buktinya {tag}"


def public(tag):
    return f"@kantor kecewa dengan antrean {tag}"


def answer(tag):
    return f"Sudah kami teruskan {tag}"


def recorded(stand, name):
    """Keeps what the stand-in's method is called with; repeat with stand.again()."""
    work, calls = getattr(stand, name), []

    def call(body, *words, **keys):
        calls.append(body)
        return work(body, *words, **keys)
    setattr(stand, name, call)
    return lambda: [work(body) for body in list(calls)]


class Scene:
    """account: its name; files: what the office sends with its answer; messages: how many come in a round."""
    by_hand = False
    desk = ()  # steps of the desk that are its own, too
    less = ()  # steps left out
    files = 1
    messages = 3

    def __init__(self, s, keep, **more):
        self.s, self.keep, self.more = s, keep, more  # keep ends what is started here; more: keys of the account
        self.setup()

    def idle(self):
        return self.s.idle(self.account)

    def repeat(self):
        """The platform delivers everything once more, all of it accepted again."""
        statuses = self.again()
        assert statuses and set(statuses) == {200}, statuses

    def invited(self, _):
        """How often the public answer stands there."""
        return 0


class Social(Scene):
    def setup(self):
        self.stand = self.keep.enter_context(self.make())
        self.again = recorded(self.stand, "post")
        self.office = Office(self.s, self.stand, self.account, **self.keys())

    def idle(self):
        return self.stand.idle() and super().idle()

    def who(self, tag, n):
        return f"77001{n}{int(tag[1:]):08d}"

    def write(self, tag):
        self.stand.write(self.who(tag, 1), first(tag))
        self.stand.write(self.who(tag, 1), second(tag), type="image", media=jpeg(tag))
        self.stand.comment(self.who(tag, 2), public(tag))

    def seen(self, tag):
        return [m for m in self.stand.thread(self.who(tag, 1)) + self.stand.thread(self.who(tag, 2)) if m["side"] == "office"]

    def texts(self, tag):
        return [m["text"] for m in self.seen(tag) if m["text"]]

    def pictures(self, tag):
        return sum(bool(m.get("media_id")) for m in self.seen(tag))

    def invited(self, tag):
        theirs = {c["id"] for c in self.stand.public() if tag in c["text"]}
        return sum(c["parent"] in theirs for c in self.stand.public() if c["from"] == self.stand.account_id)


class InstagramScene(Social):
    account, make = "ig", Instagram

    def keys(self):
        return {"type": "instagram", "account_id": self.stand.account_id}


class FacebookScene(Social):
    account, make = "fb", Facebook

    def keys(self):
        return {"type": "facebook", "page_id": self.stand.page_id}


class WhatsAppScene(Social):
    account, make, messages = "wa", Graph, 2

    def keys(self):
        return {"type": "whatsapp", "phone_number_id": self.stand.number_id}

    def who(self, tag, n):
        return f"+6281{n}{int(tag[1:]):08d}"

    def write(self, tag):
        self.stand.write(self.who(tag, 1), first(tag))
        self.stand.write(self.who(tag, 1), type="image", media=jpeg(tag), caption=second(tag))

    def seen(self, tag):
        return [m for m in self.stand.phone(self.who(tag, 1)) if m["side"] == "office"]

    def invited(self, _):
        return 0


class XScene(Scene):
    account, webhook = "x", True

    def setup(self):
        self.stand = self.keep.enter_context(X())
        self.stand.limits = {name: 100000 for name in self.stand.limits}
        self.again = recorded(self.stand, "tell")
        tell = self.stand.tell

        def until_taken(body):
            """X's retries (x.md, section 2): its stand-in tells each event once."""
            return wait(lambda: (status := tell(body)) == 200 and status, "X to be answered 200")
        self.stand.tell = until_taken
        XOffice(self.s, self.stand, **({} if self.webhook else {"webhook": False}))
        if not self.webhook:
            self.stand.shape = None

    def who(self, tag, n):
        return f"98{n}{int(tag[1:]):08d}"

    def write(self, tag):
        self.stand.write(self.who(tag, 1), first(tag))
        self.stand.write(self.who(tag, 1), second(tag), media=jpeg(tag))
        self.stand.post(self.who(tag, 2), public(tag))

    def seen(self, tag):
        return [m for n in (1, 2) for m in self.stand.thread(self.who(tag, n)) if m["side"] == "office"]

    def texts(self, tag):
        return [m["text"] for m in self.seen(tag)]

    def pictures(self, tag):
        return sum(bool(m.get("files")) for m in self.seen(tag))

    def invited(self, tag):
        theirs = {p["id"] for p in self.stand.public() if tag in p["text"]}
        return sum(r["id"] in theirs for p in self.stand.public() if p["author_id"] == self.stand.user_id
                   for r in p["referenced_tweets"])


class XPollScene(XScene):
    webhook = False

    def repeat(self):
        """X repeats nothing of itself: its pages are read again behind the same mark."""


class EmailScene(Scene):
    account, messages = "surat", 2

    def setup(self):
        self.house = self.keep.enter_context(mail.MailHouse())
        self.house.passwords.update({"pengaduan": "rahasia", "warga": "rahasia"})
        self.written = []
        self.connect()

    def connect(self):
        tls = self.house.certificates().good
        self.house.dovecot({"pengaduan": "rahasia", "warga": "rahasia"}, tls=tls)
        self.house.exim(tls=tls)
        mail_account(self.s, self.house, after="seen")

    def letter(self, tag, n, text, to=None, ago=0):
        m = email.message.EmailMessage()
        m["From"], m["To"], m["Subject"] = f"{tag}@warga.test", "pengaduan@kantor.test", f"Keluhan {tag}"
        m["Message-ID"], m["Date"] = f"<{tag}.{n}@warga.test>", email.utils.formatdate()
        if to:
            m["In-Reply-To"] = m["References"] = to
        m.set_content(text)
        if to:
            m.add_attachment(jpeg(tag), "image", "jpeg", filename="bukti.jpg")
        self.written.append(m.as_bytes())
        # The box is read in the order of the seconds in the files' names.
        self.house.drop("pengaduan", self.written[-1], time.time() - ago)

    def write(self, tag):
        self.house.passwords[tag] = "rahasia"  # a box for this citizen
        with open(pathlib.Path(self.house.d, "locals"), "a", encoding="utf-8") as f:
            f.write(f"{tag}:\n")
        self.house.maildir(tag)
        self.letter(tag, 1, first(tag), ago=5)
        self.letter(tag, 2, second(tag), f"<{tag}.1@warga.test>")

    def mails(self, tag):
        new = pathlib.Path(self.house.maildir(tag), "new")
        return [email.message_from_bytes(f.read_bytes(), policy=email.policy.default) for f in sorted(new.iterdir())]

    def texts(self, tag):
        return [m.get_body().get_content() for m in self.mails(tag)]

    def pictures(self, tag):
        return sum(1 for m in self.mails(tag) for _ in m.iter_attachments())

    def repeat(self):
        for letter in self.written:
            self.house.drop("pengaduan", letter)


class MaildirScene(EmailScene):
    def connect(self):
        self.house.maildir("pengaduan")
        self.house.exim()
        maildir_account(self.s, self.house, **self.more)

    def idle(self):
        return not list(pathlib.Path(self.house.maildir("pengaduan"), "new").iterdir()) and super().idle()


class Hand(Scene):
    """What an officer carries in and out; a command that was not answered is given again."""
    by_hand, messages, files = True, 1, 0
    desk = ("register.commit", "register.committed", "done.after", "desk.acknowledge", "relay.put")

    def texts(self, _):
        return []

    def pictures(self, _):
        return 0

    def given(self, *words):
        def once():
            with contextlib.suppress(Refused):
                return self.s.ctl(*words, timeout=60)
            return None
        return self.s.until(once, " ".join(map(str, words)))


class CounterScene(Hand):
    account = "loket"

    def setup(self):
        self.s.account(self.account, type="counter")
        self.commands = []

    def write(self, tag):
        scan = self.s.dir / f"{tag}.jpg"
        scan.write_bytes(jpeg(tag))
        self.commands.append(("intake", "--channel", "letter", "--name", "Siti", "--address", "Kijang", "--identity", "KTP",
                              "--subject", "Paspor", "--text", first(tag), "--attach", scan, "--incomplete",
                              "--request", f"permintaan-{tag}"))
        self.given(*self.commands[-1])

    def repeat(self):
        for words in self.commands:
            self.given(*words)


class LaporScene(Hand):
    account = "lapor"
    # What is imported is parsed within five seconds, which makes its rounds long.
    desk, less = ("replay.read", "replay.done"), ("receive.pulled", "receive.parsed", "accept.after", "attempt.after")

    def setup(self):
        self.s.account(self.account, type="lapor")
        self.files_written = []

    def write(self, tag):
        page = self.s.dir / f"{tag}.csv"
        page.write_text("Tracking ID;Judul Laporan;Isi Laporan;Tanggal;Nama Pelapor;Anonim;Rahasia\n"
                        f"76{int(tag[1:]):05d};Paspor;{first(tag)};{time.strftime('%d-%m-%Y')} 00:15:00;Siti Aminah;tidak;tidak\n",
                        encoding="utf-8")
        self.files_written.append(page)
        self.given("import", self.account, page)

    def repeat(self):
        for page in self.files_written:
            self.given("import", self.account, page)


# The longest first: they run side by side.
SCENES = {"lapor": LaporScene, "x-poll": XPollScene, "email": EmailScene, "instagram": InstagramScene, "facebook": FacebookScene,
          "x": XScene, "whatsapp": WhatsAppScene, "maildir": MaildirScene, "counter": CounterScene}


class Play:
    """One service with one scene, round after round."""

    def __init__(self, name, **more):
        self.name, self.more, self.keep = name, more, contextlib.ExitStack()
        self.rounds, self.numbers = 0, {}

    def __enter__(self):
        self.s = self.keep.enter_context(Service())
        self.deaths = self.s.dir / "die"
        self.deaths.mkdir()
        self.s.worker_env["ADUAN_DIE_IN"] = str(self.deaths)
        self.scene = SCENES[self.name](self.s, self.keep, **self.more)
        self.picture = self.s.dir / "jawaban.jpg"
        self.s.start()
        return self

    def __exit__(self, *what):
        return self.keep.__exit__(*what)

    # ---------------------------------------------------------------- one round

    def shown(self, numbers):
        return [self.s.ctl("show", n) for n in sorted(numbers)]

    def fresh(self):
        """The cases of this round."""
        before = {n for of_round in self.numbers.values() for n in of_round}
        return self.shown({t["number"] for t in self.s.ctl("tickets")} - before)

    def arrived(self):
        if not self.scene.idle():  # cheap; asking for cases is not
            return None
        cases = self.fresh()
        incoming = [m for c in cases for m in c["messages"] if m["direction"] == "in"]
        if len(incoming) < self.scene.messages or not self.ended(cases):
            return None
        return cases

    def ended(self, cases):
        out = [m for c in cases for m in c["messages"] if m["direction"] == "out"]
        pictures = [a for c in cases for m in c["messages"] for a in m["attachments"]]
        wanted = self.scene.by_hand or all(any(m["direction"] == "out" for m in c["messages"]) for c in cases)
        return (wanted and all(m["status"] in ENDS for m in out) and all(a["state"] != "pending" for a in pictures)
                and self.scene.idle())

    def reply(self, number, tag):
        self.picture.write_bytes(jpeg("jawaban " + tag))
        words = ["reply", number, answer(tag)] + (["--attach", self.picture] if self.scene.files else [])

        def once():
            return any(m["text"] == answer(tag) for m in self.s.ctl("show", number)["messages"]) or self.s.command(*words)
        self.s.until(once, "aduanctl reply")

    def carried(self, number):
        """By hand: the officer says that the answer was handed over."""
        def once():
            left = [w for w in self.s.ctl("worklist") if w["number"] == number]
            for w in left:
                self.s.ctl("worklist", "done", w["id"], as_json=False)
            return not left
        self.s.until(once, "the work list")

    def plant(self, step):
        if step:
            (self.deaths / step).touch()

    def survived(self):
        """Steps that were planted and not reached."""
        return sorted(f.name for f in self.deaths.iterdir())

    def clear(self):
        for f in self.deaths.iterdir():
            f.unlink(missing_ok=True)

    def round(self, taking=None, sending=None):
        """The citizens write and are answered; dies at these steps. The tag of the round."""
        tag = f"r{self.rounds:05d}"
        self.rounds += 1
        self.plant(taking)
        self.scene.write(tag)
        cases = self.s.until(self.arrived, f"what came in, {taking}")
        number = next(c["number"] for c in cases if any(first(tag) in m["text"] for m in c["messages"]))
        self.plant(sending)
        self.reply(number, tag)
        if self.scene.by_hand:
            self.carried(number)
        self.s.until(lambda: self.scene.idle() and self.ended(self.fresh()), f"the end of the answer, {sending}")
        self.numbers[tag] = [c["number"] for c in self.fresh()]
        return tag

    # ------------------------------------------------------------------ its end

    def state(self, tag):
        """What officers see, without tags and times; a send that nobody knows the end of is one that was sent. What
        the platform echoes of an answer before its id is known may be shown beside it, as is an answer's second part."""
        cases = self.shown(self.numbers[tag])
        return sorted(
            sorted((m["direction"], m["kind"], "" if m["kind"] == "automatic" else m["text"].replace(tag, "#"),
              "sent" if m["status"] in (*KNOWN, "uncertain") else m["status"],
              tuple((a["name"].replace(tag, "#") if a["name"] else "", a["state"]) for a in m["attachments"])) for m in c["messages"] if m["kind"] != "echo")
            for c in cases)

    def counts(self, tag):
        """What citizens see: (our answer, its picture, everything else private, public)."""
        texts = self.scene.texts(tag)
        mine = sum(answer(tag) in t for t in texts)
        return {"answer": mine, "picture": self.scene.pictures(tag), "other": len(texts) - mine, "public": self.scene.invited(tag)}

    def uncertain(self, tag):
        return any(m["status"] == "uncertain" for c in self.shown(self.numbers[tag]) for m in c["messages"])
