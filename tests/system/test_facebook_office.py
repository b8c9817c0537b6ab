"""Facebook there and back: messages, comments, posts and reviews become tickets, answers reach the citizen.

Everything is real but Facebook: tests/rig/facebook.py stands in for it, written from the reference.
"""
import json
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from rig.aduan import Aduan, wait  # noqa: E402
from rig.facebook import Facebook  # noqa: E402
from social_office import DAY, INVITATION, Office, check_samples, hold_back, post_samples  # noqa: E402

SITI, BUDI = "7700112233445566", "7700998877665544"


def facebook_office(a, fb, **keys):
    return Office(a, fb, "fb", type="facebook", page_id=fb.page_id, **keys)


@pytest.fixture
def office():
    with Facebook() as fb, Aduan() as a:
        o = facebook_office(a, fb)
        a.start()
        yield o
        print(a.log_text()[-8000:])  # shown only when the test failed


@pytest.fixture
def agent_office():
    with Facebook() as fb, Aduan() as a:
        o = facebook_office(a, fb, human_agent=True)
        a.start()
        yield o
        print(a.log_text()[-8000:])


# ------------------------------------------------------------------------ messages

def test_a_message_becomes_a_ticket_and_the_answer_arrives_once(office):
    mid = office.stand.write(SITI, "Paspor saya belum jadi, sudah 10 hari 😡", name="Siti Rahma")
    ticket = office.wait_ticket("Paspor saya belum jadi")
    assert ticket["channel"] == "facebook" and ticket["account"] == "fb" and ticket["name"] != "Siti Rahma"
    office.reply(ticket, "Mohon maaf, kami cek dulu.")
    shown = office.wait_phone(SITI, "Mohon maaf, kami cek dulu.")
    assert shown["tag"] is None and shown["reply_to"] in (None, mid)
    office.wait_status(ticket["number"], "Mohon maaf, kami cek dulu.", "delivered")
    office.stand.write(SITI, "Terima kasih, saya tunggu")
    wait(lambda: any("saya tunggu" in m["text"] for m in office.show(ticket["number"])["messages"]), "the follow-up")
    assert len(office.tickets()) == 1 and office.copies(SITI, "Mohon maaf, kami cek dulu.") == 1


@pytest.mark.parametrize("receipts", ["mids", "watermark", None])
def test_delivery_and_reading_are_known_though_no_message_is_named(office, receipts):
    office.stand.receipts = receipts
    office.stand.write(SITI, "Sudah dibaca?")
    ticket = office.wait_ticket("Sudah dibaca?")
    office.wait_acknowledged(SITI)
    office.reply(ticket, "Sedang kami periksa")
    office.wait_phone(SITI, "Sedang kami periksa")
    office.wait_status(ticket["number"], "Sedang kami periksa", "sent", "delivered")
    office.stand.read(SITI)
    office.wait_status(ticket["number"], "Sedang kami periksa", "read")
    # Somebody whom a private reply reached, and nobody's case but one that began in public.
    office.stand.comment(BUDI, "Di kolom komentar")
    public = office.wait_ticket("Di kolom komentar")
    office.reply(public, "Balasan pribadi")
    office.wait_status(public["number"], "Balasan pribadi", "sent", "delivered")
    office.stand.read(BUDI)
    office.wait_status(public["number"], "Balasan pribadi", "read")
    assert office.dead() == []


def test_duplicates_and_batches_make_one_ticket_and_one_acknowledgement_each(office):
    office.stand.hold()
    for i in range(10):
        office.stand.write(f"7700{i:04d}", f"Aduan nomor {i}")
        office.stand.comment(f"7711{i:04d}", f"Komentar nomor {i}")
    office.stand.release(batch=True, reverse=True, copies=3)
    wait(lambda: len(office.tickets()) == 20, "20 tickets")
    wait(lambda: all(office.from_office(f"7700{i:04d}") for i in range(10)), "the acknowledgements")
    office.wait_invited(count=10)
    hold_back(office)
    assert len(office.tickets()) == 20
    assert all(len(office.from_office(f"7700{i:04d}")) == 1 for i in range(10))
    assert len(office.invitations()) == 10


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


def test_an_edit_and_an_unsend_reach_our_copy(office):
    mid = office.stand.write(SITI, "Berkas saya nomor 12")
    ticket = office.wait_ticket("Berkas saya nomor 12")
    office.stand.edit(mid, "Berkas saya nomor 21")
    wait(lambda: any(m["text"] == "Berkas saya nomor 21" for m in office.show(ticket["number"])["messages"]), "the new text")
    office.stand.unsend(mid)
    wait(lambda: not any("Berkas saya" in m["text"] for m in office.show(ticket["number"])["messages"]), "the text to be gone")
    assert any(h["event"] == "deleted" for h in office.history(ticket["number"]))


def test_what_the_office_types_in_the_page_inbox_is_an_echo_and_no_case(office):
    office.stand.write(SITI, "Loket berapa?")
    ticket = office.wait_ticket("Loket berapa?")
    office.wait_acknowledged(SITI)
    office.stand.echo(SITI, "Loket tiga, dari kotak masuk")
    wait(lambda: any(h["event"] == "answered_elsewhere" for h in office.history(ticket["number"])), "the echo in the history")
    hold_back(office)
    assert len(office.tickets()) == 1 and len(office.from_office(SITI)) == 2  # the acknowledgement and the echo


def test_an_uncertain_send_is_resolved_by_its_echo(office):
    office.stand.write(SITI, "Koneksi buruk")
    ticket = office.wait_ticket("Koneksi buruk")
    office.wait_acknowledged(SITI)
    office.stand.receipts = None  # the echo alone
    for text, fault in (("Terputus sesudah diterima", "cut-after"), ("Lima ratus tetapi diterima", "500-accepted")):
        office.stand.fault("messages", fault)
        office.reply(ticket, text)
        office.wait_status(ticket["number"], text, "sent", "delivered", "read")
        assert office.copies(SITI, text) == 1
    office.stand.fault("messages", "cut-before")
    office.reply(ticket, "Terputus sebelum diterima")
    office.wait_status(ticket["number"], "Terputus sebelum diterima", "uncertain")
    assert office.copies(SITI, "Terputus sebelum diterima") == 0


# ------------------------------------------------------------------------- windows

def test_a_closed_window_holds_the_answer_until_the_citizen_writes(office):
    office.stand.write(SITI, "Tulisan kemarin dulu", at=office.stand.now() - 25 * 3600)
    ticket = office.wait_ticket("Tulisan kemarin dulu")
    office.reply(ticket, "Jawaban yang menunggu")
    office.wait_status(ticket["number"], "Jawaban yang menunggu", "held")
    assert office.copies(SITI, "Jawaban yang menunggu") == 0
    office.stand.write(SITI, "Saya di sini")
    office.wait_phone(SITI, "Jawaban yang menunggu")
    assert office.copies(SITI, "Jawaban yang menunggu") == 1


def test_a_window_that_only_facebook_knows_to_be_closed_holds_it_too(office):
    office.stand.write(SITI, "Jam Facebook berbeda")
    ticket = office.wait_ticket("Jam Facebook berbeda")
    office.wait_acknowledged(SITI)
    office.stand.advance(25 * 3600)
    office.reply(ticket, "Ditolak jendela")
    office.wait_status(ticket["number"], "Ditolak jendela", "held")
    office.stand.write(SITI, "Saya kembali", at=office.stand.now())
    office.wait_phone(SITI, "Ditolak jendela")
    assert office.copies(SITI, "Ditolak jendela") == 1


def test_a_human_agent_answers_for_seven_days_but_no_machine_does(agent_office):
    office = agent_office
    office.stand.write(SITI, "Tulisan tiga hari lalu", at=office.stand.now() - 3 * DAY)
    ticket = office.wait_ticket("Tulisan tiga hari lalu")
    office.reply(ticket, "Jawaban petugas")
    shown = office.wait_phone(SITI, "Jawaban petugas")
    assert shown["tag"] == "HUMAN_AGENT"
    # The acknowledgement is automatic: under that tag it would break Meta's rules.
    assert [m["text"] for m in office.from_office(SITI)] == ["Jawaban petugas"]
    office.stand.write(BUDI, "Tulisan delapan hari lalu", at=office.stand.now() - 8 * DAY)
    late = office.wait_ticket("Tulisan delapan hari lalu")
    office.reply(late, "Terlambat")
    office.wait_status(late["number"], "Terlambat", "held")
    assert office.copies(BUDI, "Terlambat") == 0


def test_within_the_day_no_tag_is_used(agent_office):
    agent_office.stand.write(SITI, "Baru saja")
    ticket = agent_office.wait_ticket("Baru saja")
    agent_office.reply(ticket, "Langsung dijawab")
    assert agent_office.wait_phone(SITI, "Langsung dijawab")["tag"] is None


# -------------------------------------------------------------------------- public

def test_a_comment_gets_the_invitation_in_public_and_the_officers_answer_in_private(office):
    comment = office.stand.comment(SITI, "Kecewa, paspor saya rusak. NIK 2172012345678901", name="Siti Rahma")
    ticket = office.wait_ticket("Kecewa, paspor saya rusak")
    invited = office.wait_invited()
    assert invited[0]["parent"] == comment and INVITATION in invited[0]["text"]
    for secret in ("Siti", ticket["number"], "2172012345678901", "rusak"):
        assert secret not in invited[0]["text"]
    office.reply(ticket, "Ibu Siti, paspor diganti. Nomor " + ticket["number"])
    shown = office.wait_phone(SITI, "Ibu Siti, paspor diganti. Nomor " + ticket["number"])
    assert shown["private_reply_to"] == comment
    office.wait_status(ticket["number"], "Ibu Siti, paspor diganti. Nomor " + ticket["number"], "sent", "delivered")
    hold_back(office)
    assert len(office.invitations()) == 1 and len(office.tickets()) == 1  # what came back by the feed is ours


def test_who_was_invited_and_writes_privately_takes_the_case_along(office):
    office.stand.comment(SITI, "Kecewa sekali")
    ticket = office.wait_ticket("Kecewa sekali")
    office.wait_invited()
    office.stand.write(SITI, "Saya Siti, ini kronologinya")
    wait(lambda: any("kronologinya" in m["text"] for m in office.show(ticket["number"])["messages"]), "the case to go along")
    office.reply(ticket, "Jawaban pertama")
    office.reply(ticket, "Jawaban kedua")  # no private reply any more: a conversation
    assert office.wait_phone(SITI, "Jawaban kedua")["private_reply_to"] is None
    assert office.wait_phone(SITI, "Jawaban pertama")["private_reply_to"] is None
    assert len(office.tickets()) == 1


def test_a_private_reply_goes_only_once_and_the_officer_is_told_before(office):
    office.stand.comment(SITI, "Mohon dibantu")
    ticket = office.wait_ticket("Mohon dibantu")
    office.reply(ticket, "Balasan pertama")
    office.wait_phone(SITI, "Balasan pertama")
    why = office.refused(ticket, "Balasan kedua")
    assert "sekali" in why and "once" in why
    assert [m["text"] for m in office.from_office(SITI)] == ["Balasan pertama"]


def test_what_cannot_go_is_refused_before_it_is_taken(office, tmp_path):
    office.stand.write(SITI, "Panjang sekali")
    ticket = office.wait_ticket("Panjang sekali")
    assert "1000" in office.refused(ticket, "a" * 1001)
    big = tmp_path / "besar.pdf"
    with open(big, "wb") as f:
        f.truncate(25_000_001)
    assert "25 MB" in office.refused(ticket, "Lihat lampiran", "--attach", big)
    office.stand.comment(BUDI, "Komentar saya")
    public = office.wait_ticket("Komentar saya")
    small = tmp_path / "kecil.pdf"
    small.write_bytes(b"%PDF-1.4")
    assert office.refused(public, "Lihat lampiran", "--attach", small)


def test_a_post_of_a_visitor_and_a_review_are_public_cases(office):
    post = office.stand.visitor_post(SITI, "Antrean kacau sekali")
    review = office.stand.review(BUDI, "Pelayanan lambat", positive=False)
    ticket = office.wait_ticket("Antrean kacau sekali")
    office.wait_ticket("Pelayanan lambat")
    office.wait_invited(post)
    office.wait_invited(review)
    office.reply(ticket, "Kami bantu lewat sini")
    assert office.wait_phone(SITI, "Kami bantu lewat sini")["private_reply_to"] == post
    assert "ulasan" in office.refused(office.ticket_of("Pelayanan lambat"), "Maaf")


def test_comments_of_one_author_join_and_their_changes_are_known(office):
    first = office.stand.comment(SITI, "Komentar pertama")
    ticket = office.wait_ticket("Komentar pertama")
    office.stand.comment(SITI, "Komentar kedua", parent=first)
    office.stand.comment(BUDI, "Saya juga", parent=first)
    wait(lambda: len(office.tickets()) == 2, "Budi's own ticket")
    wait(lambda: any(m["text"] == "Komentar kedua" for m in office.show(ticket["number"])["messages"]), "the second comment")
    office.stand.edit_comment(first, "Komentar pertama, diperbaiki")
    wait(lambda: any("diperbaiki" in m["text"] for m in office.show(ticket["number"])["messages"]), "the new text")
    office.stand.hide_comment(first)
    wait(lambda: any("disembunyikan" in json.dumps(h) for h in office.history(ticket["number"])), "the hiding in the history")
    office.stand.remove_comment(first)
    wait(lambda: not any("Komentar pertama" in m["text"] for m in office.show(ticket["number"])["messages"]), "our copy purged")


def test_ten_thousand_likes_drown_nobody(office):
    office.stand.hold()
    for i in range(300):
        office.stand.like(f"88{i:06d}", reaction="anger" if i % 2 else "like")
    office.stand.release(batch=True)
    office.stand.comment(SITI, "Setelah suka-suka")
    office.wait_ticket("Setelah suka-suka")
    wait(office.settled, "everything to be taken in")
    assert len(office.tickets()) == 1
    assert 1 <= len(office.dead()) <= 4  # of each kind one (two, when the day turns meanwhile)


def test_a_public_answer_with_a_lost_reply_is_found_and_not_repeated(office):
    office.stand.fault("comments", "cut-after")
    office.stand.comment(SITI, "Tolong dong")
    office.wait_ticket("Tolong dong")
    office.wait_invited()
    hold_back(office, 2)
    wait(lambda: all(m["status"] in ("sent", "delivered") for t in office.tickets() for m in office.show(t["number"])["messages"]
                     if m["direction"] == "out"), "the invitation to be known as sent")
    assert len(office.invitations()) == 1


# ------------------------------------------------------------- accounts in trouble

def test_receiving_goes_on_while_the_token_is_refused(office):
    office.stand.write(SITI, "Sebelum token dicabut")
    first = office.wait_ticket("Sebelum token dicabut")
    office.wait_acknowledged(SITI)
    token, office.stand.token = office.stand.token, "lain"
    office.reply(first, "Tertahan token")
    wait(lambda: (office.a.health("fb", "send") or {}).get("fault"), "the fault in status")
    office.stand.write(BUDI, "Tetap diterima")
    office.wait_ticket("Tetap diterima")
    assert office.copies(SITI, "Tertahan token") == 0
    assert office.answer(first["number"], "Tertahan token")["status"] == "queued"
    assert token not in office.a.log_text()


def test_a_dropped_subscription_is_put_back_and_said(office):
    office.stand.write(SITI, "Sebelum dicabut")
    office.wait_ticket("Sebelum dicabut")
    office.stand.unsubscribe()
    office.stand.write(SITI, "Ini tidak pernah sampai")
    assert office.stand.lost == 1
    office.probe()
    wait(lambda: office.stand.subscribed, "the subscription")
    assert {"messages", "message_echoes", "feed", "mention", "ratings", "standby"} <= set(office.stand.subscribed)
    health = wait(lambda: (h := office.a.health("fb", "send")) and h.get("fault") and h, "the fault in status")
    assert "dipasang kembali" in health["fault"]
    office.stand.write(SITI, "Sesudah dipasang kembali")
    office.wait_ticket("Sesudah dipasang kembali")


def test_a_page_without_subscription_is_installed_at_the_start():
    with Facebook() as fb, Aduan() as a:
        fb.subscribed = None
        facebook_office(a, fb)
        a.start()
        wait(lambda: fb.subscribed, "the first installation")


def test_another_app_that_holds_the_thread_is_told(office):
    office.stand.write(SITI, "Halo")
    ticket = office.wait_ticket("Halo")
    office.wait_acknowledged(SITI)
    office.stand.standby = True
    office.reply(ticket, "Dari Aduan")
    failed = office.wait_status(ticket["number"], "Dari Aduan", "failed", "queued")
    assert office.copies(SITI, "Dari Aduan") == 0 and failed
    office.stand.write(SITI, "Masih terbaca saat siaga")
    wait(lambda: any("saat siaga" in m["text"] for t in office.tickets() for m in office.show(t["number"])["messages"]),
         "the message from standby")


def test_how_much_of_the_allowance_is_used_is_told(office):
    office.stand.usage = {"X-App-Usage": {"call_count": 85, "total_time": 10, "total_cputime": 12}}
    office.stand.write(SITI, "Ada kuota?")
    office.wait_ticket("Ada kuota?")
    office.wait_acknowledged(SITI)
    wait(lambda: "85" in json.dumps((office.a.health("fb", "send") or {}).get("quota")), "the quota in the worker's health")


# ------------------------------------------------------------------------ the door

def test_the_citizens_side_by_its_control_api(office):
    """The calls of the sandbox page."""
    def call(path, body=None):
        words = ["curl", "-s", office.stand.base + "/control/" + path] + (["-d", json.dumps(body)] if body is not None else [])
        return json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    call("comment", {"id": SITI, "name": "Siti", "text": "Di muka umum"})
    ticket = office.wait_ticket("Di muka umum")
    wait(lambda: any(c["from"] == office.stand.page_id for c in call("public")["comments"]), "the invitation on the page")
    office.reply(ticket, "Secara pribadi")
    wait(lambda: [m["text"] for m in call("thread?id=" + SITI)["messages"]] == ["Secara pribadi"], "the private chat")
    assert call("message", {"id": SITI, "text": "Terima kasih"})["id"].startswith("m_")
    assert [p["id"] for p in call("people")["people"]] == [SITI] and call("thread?id=" + SITI)["window_open"]


def test_the_handshake_and_bad_signatures_at_the_front_door(office):
    body = b'{"object":"page","entry":[]}'
    assert office.stand.post(body, secret="salah") == 401
    assert office.stand.post(body) == 200
    query = "?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
    for token, wanted in (("token-kita", "1158201444|200"), ("salah", "|403")):
        p = subprocess.run(["curl", "-s", "-w", "|%{http_code}", office.hook + query + token], capture_output=True,
                           text=True, check=True)
        assert p.stdout == wanted
    assert office.tickets() == []


def test_every_sample_comes_in_by_the_front_door_as_the_record_it_should_be(office):
    expected = post_samples(office, "facebook")
    check_samples(office, expected, office.stand.page_id, ("reaction to a message we never saw",))
