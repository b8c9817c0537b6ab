"""channels.py: every channel of the sandbox: its stand-in, the office's account there, and the people who use it."""
import sys

import accounts
import citizen
import facebook as facebook_rig
import graph as graph_rig
import instagram as instagram_rig
import mail as mail_rig
import x as x_rig
from followers import Follower, PageFollower
from portal import Portal, Reporter
from portal_api import ApiReporter, Lapor
from visitor import Visitor
from xfollower import XFollower

USER, PASSWORD = "pengaduan", "rahasia"
BOX, SECOND_USER = f"{USER}@kantor.test", "surat"
SECOND_BOX = f"{SECOND_USER}@kantor.test"


def without(channel, why):
    print(f"sandbox: tanpa / without {channel}: {why}", file=sys.stderr)


class Played:
    """What runs: stand-ins by account, the mail servers (or None), the portal of SP4N-LAPOR! (or None)."""

    def __init__(self):
        self.stands, self.house, self.portal, self.counter = {}, None, None, False

    def side_of(self, person, desk, running):
        """Who plays this person; None where the channel is not there."""
        channel, stands = person["channel"], self.stands
        if channel == "whatsapp":
            return citizen.Phone(person, stands["wa"])
        if channel in ("email", "maildir") and self.house and (channel == "email" or self.house.second):
            return running.add(citizen.Mailbox(person, box_of(person, self.house), BOX if channel == "email" else SECOND_BOX))
        if channel == "instagram" and "ig" in stands:
            return Follower(person, stands["ig"])
        if channel == "facebook" and "fb" in stands:
            return PageFollower(person, stands["fb"])
        if channel == "x" and "x" in stands:
            return XFollower(person, stands["x"])
        if channel == "lapor" and self.portal:
            return Reporter(person, self.portal)
        if channel == "lapor-api" and "lapor-api" in stands:
            return ApiReporter(person, stands["lapor-api"])
        if channel == "counter" and self.counter:
            return Visitor(person, desk)
        return None

    def people(self, desk, running):
        found = {}
        for person in citizen.PEOPLE:
            side = self.side_of(person, desk, running)
            if side:
                box = getattr(side, "box", None)
                found[person["key"]] = ({**person, "address": box["address"]} if box else person, side)
        return found


def box_of(person, house):
    return {"address": f"{person['key']}@warga.test", "user": person["key"], "password": PASSWORD,
            "imap": ("127.0.0.1", house.imap_port), "smtp": ("127.0.0.1", house.smtp_port)}


def start_mail(office, running):
    """Dovecot and Exim with the office's boxes and one for each citizen; None, said loudly, where they cannot run."""
    gone = [name for name in mail_rig.missing() if not name.endswith("/imap4d")]  # the tests only want that one
    if gone:
        without("surel / e-mail", f"missing {', '.join(gone)} (./dev up installs it, as root)")
        return None
    house = running.add(mail_rig.MailHouse())
    users = [USER, SECOND_USER] + [p["key"] for p in citizen.PEOPLE if p["channel"] in ("email", "maildir")]
    pair = house.certificates().good
    house.dovecot(users=dict.fromkeys(users, PASSWORD), tls=pair)
    house.exim(tls=pair)
    accounts.write_mail(office, {"address": BOX, "user": USER, "password": PASSWORD, "ca": house.certificates().ca,
                                 "imap": f"imaps://127.0.0.1:{house.imaps_port}",
                                 "smtp": f"smtps://127.0.0.1:{house.smtps_port}"})
    house.second = present(office, "maildir")
    if house.second:
        office.account("surat", accounts.MAILDIR.format(address=SECOND_BOX, path=house.maildir(SECOND_USER),
                                                        smtp=f"smtp://127.0.0.1:{house.smtp_port}"))
    return house


def present(office, module):
    if not office.has(module):
        without(module, f"{module}.so is not built")
    return office.has(module)


def start_meta(office, running, stands):
    """WhatsApp, Instagram, Facebook."""
    for name, module, make in (("wa", "whatsapp", graph_rig.Graph), ("ig", "instagram", instagram_rig.Instagram),
                               ("fb", "facebook", facebook_rig.Facebook)):
        if present(office, module):
            stand = make()
            ident = stand.number_id if name == "wa" else stand.account_id
            accounts.write_meta(office, name, stand, ident)
            stands[name] = running.add(stand.start())


def start_x(office, running, stands):
    if present(office, "x"):
        x = x_rig.X()
        x.limits = dict.fromkeys(x.limits, 10**6)  # whoever plays here does not wait a quarter of an hour
        accounts.write_x(office, x)
        x.__enter__()
        running.add(x, stop=lambda: x.__exit__())
        stands["x"] = x


def start_lapor(office, running, played):
    """Twice: by hand, and with an API."""
    if present(office, "lapor"):
        office.account("lapor", accounts.LAPOR)
        played.portal = Portal("lapor")
        api = Lapor()
        accounts.write_lapor_api(office, api)
        api.__enter__()
        running.add(api, stop=lambda: api.__exit__())
        played.stands["lapor-api"] = api


def start(office, running):
    """Starts the stand-ins and writes the accounts; aduand runs later."""
    played = Played()
    start_meta(office, running, played.stands)
    start_x(office, running, played.stands)
    played.house = start_mail(office, running)
    start_lapor(office, running, played)
    played.counter = present(office, "counter")
    if played.counter:
        office.account("loket", accounts.COUNTER)
    return played
