"""Instagram there and back: direct messages, comments and mentions become tickets, answers reach the citizen.

Everything is real but Instagram: tests/rig/instagram.py stands in for it, written from the reference.
"""
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from rig.aduan import Aduan, wait  # noqa: E402
from rig.instagram import Instagram  # noqa: E402
from social_office import DAY, INVITATION, Office, check_samples, hold_back, post_samples  # noqa: E402

SITI, BUDI = "990011223344556", "990099887766554"


def instagram_office(a, ig, **keys):
    return Office(a, ig, "ig", type="instagram", account_id=ig.account_id, **keys)


@pytest.fixture
def office():
    with Instagram() as ig, Aduan() as a:
        o = instagram_office(a, ig)
        a.start()
        yield o
        print(a.log_text()[-8000:])  # shown only when the test failed


@pytest.fixture
def agent_office():
    with Instagram() as ig, Aduan() as a:
        o = instagram_office(a, ig, human_agent=True)
        a.start()
        yield o
        print(a.log_text()[-8000:])


# ------------------------------------------------------------------------ messages

def test_a_direct_message_becomes_a_ticket_and_the_answer_arrives_once(office):
    office.stand.write(SITI, "Kak, paspor saya belum jadi 😢", username="siti.rahma")
    ticket = office.wait_ticket("paspor saya belum jadi")
    assert ticket["channel"] == "instagram" and ticket["account"] == "ig"
    office.reply(ticket, "Mohon maaf, kami cek dulu.")
    assert office.wait_phone(SITI, "Mohon maaf, kami cek dulu.")["tag"] is None
    office.wait_status(ticket["number"], "Mohon maaf, kami cek dulu.", "sent", "delivered")
    office.stand.read(SITI)
    office.wait_status(ticket["number"], "Mohon maaf, kami cek dulu.", "read")
    office.stand.write(SITI, "Terima kasih, saya tunggu")
    wait(lambda: any("saya tunggu" in m["text"] for m in office.show(ticket["number"])["messages"]), "the follow-up")
    assert len(office.tickets()) == 1 and office.copies(SITI, "Mohon maaf, kami cek dulu.") == 1


def test_duplicates_batches_and_boosted_comments_make_one_ticket_each(office):
    office.stand.hold()
    for i in range(10):
        office.stand.write(f"9900{i:04d}", f"Aduan nomor {i}")
        office.stand.comment(f"9911{i:04d}", f"Komentar nomor {i}", ad=i % 2 == 0)
    office.stand.release(batch=True, reverse=True, copies=3)
    wait(lambda: len(office.tickets()) >= 20, "20 tickets")
    wait(lambda: all(office.from_office(f"9900{i:04d}") for i in range(10)), "the acknowledgements")
    office.wait_invited(count=10)
    hold_back(office)
    assert len(office.tickets()) == 20
    assert all(len(office.from_office(f"9900{i:04d}")) == 1 for i in range(10))
    assert len(office.invitations()) == 10


def test_three_shapes_of_one_event_are_one_thing(office):
    for i, shape in enumerate(("changes", "flat", "array")):
        office.stand.comment(SITI + str(i), f"Bentuk {shape}", shape=shape)
    for shape in ("changes", "flat", "array"):
        assert office.wait_ticket(f"Bentuk {shape}")
    assert office.dead() == []


def test_pictures_come_in_and_go_out(office, tmp_path):
    content = bytes(range(256)) * 300
    office.stand.fault("bytes", "error", status=500)
    office.stand.write(SITI, "Bukti antrean", type="image", media=content)
    ticket = office.wait_ticket("Bukti antrean")

    def stored():
        return next((x for m in office.show(ticket["number"])["messages"] for x in m["attachments"] if x["state"] == "stored"), None)
    attachment = wait(stored, "the attachment", 90)
    assert (office.a.state / "attachments" / attachment["sha256"][:2] / attachment["sha256"]).read_bytes() == content
    form = tmp_path / "formulir.pdf"
    form.write_bytes(b"%PDF-1.4 contoh")
    office.reply(ticket, "Silakan diisi", "--attach", form)
    office.wait_phone(SITI, "Silakan diisi")
    shown = wait(lambda: next((m for m in office.from_office(SITI) if m["type"] == "file"), None), "the file")
    assert office.stand.media[shown["media_id"]]["bytes"] == b"%PDF-1.4 contoh"


def test_the_bytes_of_a_story_are_never_kept(office):
    office.stand.story_mention(SITI)
    office.stand.story_reply(BUDI, "Cerita ini benar?")
    office.wait_ticket("Cerita ini benar?")
    wait(lambda: len(office.tickets()) == 2, "both tickets")
    hold_back(office)
    assert not [r for r in office.stand.requests if r["path"].startswith("/cdn/")]


def test_an_edit_and_an_unsend_reach_our_copy(office):
    mid = office.stand.write(SITI, "Berkas saya nomor 12")
    ticket = office.wait_ticket("Berkas saya nomor 12")
    office.stand.edit(mid, "Berkas saya nomor 21")
    wait(lambda: any(m["text"] == "Berkas saya nomor 21" for m in office.show(ticket["number"])["messages"]), "the new text")
    office.stand.unsend(mid)
    wait(lambda: not any("Berkas saya" in m["text"] for m in office.show(ticket["number"])["messages"]), "the text to be gone")
    assert any(h["event"] == "deleted" for h in office.history(ticket["number"]))


def test_an_echo_is_never_answered(office):
    office.stand.write(SITI, "Loket berapa?")
    ticket = office.wait_ticket("Loket berapa?")
    office.wait_acknowledged(SITI)
    office.stand.echo(SITI, "Loket tiga, dari aplikasi")
    wait(lambda: any(h["event"] == "answered_elsewhere" for h in office.history(ticket["number"])), "the echo in the history")
    hold_back(office)
    assert len(office.tickets()) == 1 and len(office.from_office(SITI)) == 2


def test_an_uncertain_send_is_never_repeated(office):
    """Cut before or after, the citizen gets it at most once; what was accepted may be found out, or is uncertain."""
    office.stand.write(SITI, "Koneksi buruk")
    ticket = office.wait_ticket("Koneksi buruk")
    office.wait_acknowledged(SITI)
    office.stand.fault("messages", "cut-after")
    office.reply(ticket, "Terputus sesudah diterima")
    office.wait_status(ticket["number"], "Terputus sesudah diterima", "sent", "delivered", "uncertain")
    office.stand.fault("messages", "cut-before")
    office.reply(ticket, "Terputus sebelum diterima")
    office.wait_status(ticket["number"], "Terputus sebelum diterima", "uncertain")
    hold_back(office)
    assert office.copies(SITI, "Terputus sesudah diterima") == 1
    assert office.copies(SITI, "Terputus sebelum diterima") == 0


# ------------------------------------------------------------------------- windows

def test_a_closed_window_holds_the_answer_until_the_citizen_writes(office):
    office.stand.write(SITI, "Tulisan kemarin dulu", at=office.stand.now() - 25 * 3600)
    ticket = office.wait_ticket("Tulisan kemarin dulu")
    office.reply(ticket, "Jawaban yang menunggu")
    office.wait_status(ticket["number"], "Jawaban yang menunggu", "held")
    office.stand.write(SITI, "Saya di sini")
    office.wait_phone(SITI, "Jawaban yang menunggu")
    assert office.copies(SITI, "Jawaban yang menunggu") == 1


def test_a_human_agent_answers_for_seven_days_but_no_machine_does(agent_office):
    office = agent_office
    office.stand.write(SITI, "Tulisan tiga hari lalu", at=office.stand.now() - 3 * DAY)
    ticket = office.wait_ticket("Tulisan tiga hari lalu")
    office.reply(ticket, "Jawaban petugas")
    assert office.wait_phone(SITI, "Jawaban petugas")["tag"] == "HUMAN_AGENT"
    assert [m["text"] for m in office.from_office(SITI)] == ["Jawaban petugas"]


def test_a_thousand_bytes_and_not_one_more(office):
    office.stand.write(SITI, "Panjang sekali")
    ticket = office.wait_ticket("Panjang sekali")
    fits = "é" * 500
    office.reply(ticket, fits)
    office.wait_phone(SITI, fits)
    assert "1000" in office.refused(ticket, "é" * 500 + "a")


# -------------------------------------------------------------------------- public

def test_a_comment_gets_the_invitation_in_public_and_the_officers_answer_in_private(office):
    comment = office.stand.comment(SITI, "Kecewa, paspor saya rusak. NIK 2172012345678901", username="siti.rahma")
    ticket = office.wait_ticket("Kecewa, paspor saya rusak")
    invited = office.wait_invited()
    assert invited[0]["parent"] == comment and INVITATION in invited[0]["text"]
    for secret in ("siti", ticket["number"], "2172012345678901", "rusak"):
        assert secret not in invited[0]["text"]
    office.reply(ticket, "Ibu Siti, paspor diganti. Nomor " + ticket["number"])
    assert office.wait_phone(SITI, "Ibu Siti, paspor diganti. Nomor " + ticket["number"])["private_reply_to"] == comment
    hold_back(office)
    assert len(office.invitations()) == 1 and len(office.tickets()) == 1
    why = office.refused(ticket, "Balasan kedua")
    assert "sekali" in why and "once" in why


def test_a_mention_elsewhere_is_read_and_invited():
    with Instagram(login="facebook") as ig, Aduan() as a:
        office = instagram_office(a, ig)
        a.start()
        ig.mention(SITI, "@kantor.contoh tolong, antre dua jam", username="siti.rahma")
        ticket = office.wait_ticket("antre dua jam")
        assert ticket["channel"] == "instagram"
        office.wait_invited()
        hold_back(office)
        assert len(office.tickets()) == 1


# ------------------------------------------------------------- accounts in trouble

def test_receiving_goes_on_while_the_token_is_refused(office):
    office.stand.write(SITI, "Sebelum token dicabut")
    first = office.wait_ticket("Sebelum token dicabut")
    office.wait_acknowledged(SITI)
    token, office.stand.token = office.stand.token, "lain"
    office.reply(first, "Tertahan token")
    wait(lambda: (office.a.health("ig", "send") or {}).get("fault"), "the fault in status")
    office.stand.write(BUDI, "Tetap diterima")
    office.wait_ticket("Tetap diterima")
    assert office.copies(SITI, "Tertahan token") == 0
    assert office.answer(first["number"], "Tertahan token")["status"] == "queued"
    assert token not in office.a.log_text()


def test_a_refreshed_token_is_kept_over_a_restart():
    with Instagram() as ig, Aduan() as a:
        ig.rotate = True  # the old one is dead at once: it must have been kept before it was used
        office = instagram_office(a, ig)
        first = ig.token
        a.start()
        office.probe()
        wait(lambda: ig.token != first, "the refresh")
        a.restart()
        ig.write(SITI, "Sesudah token diperbarui")
        ticket = office.wait_ticket("Sesudah token diperbarui")
        office.reply(ticket, "Dengan token baru")
        office.wait_phone(SITI, "Dengan token baru")
        assert ig.token not in a.log_text() and first not in a.log_text()


# ------------------------------------------------------------------------ the door

def test_two_secrets_open_the_door_and_no_third():
    with Instagram() as ig, Aduan() as a:
        office = instagram_office(a, ig, app_secret=[a.secret("fb-app", "rahasia-facebook"), a.secret("app", ig.app_secret)])
        a.start()
        body = b'{"object":"instagram","entry":[]}'
        assert ig.post(body) == 200 and ig.post(body, secret="rahasia-facebook") == 200
        assert ig.post(body, secret="salah") == 401
        query = "?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=token-kita"
        p = subprocess.run(["curl", "-s", "-w", "|%{http_code}", office.hook + query], capture_output=True, text=True, check=True)
        assert p.stdout == "1158201444|200"


def test_every_sample_comes_in_by_the_front_door_as_the_record_it_should_be(office):
    expected = post_samples(office, "instagram")
    check_samples(office, expected, office.stand.account_id, ("23245",))
