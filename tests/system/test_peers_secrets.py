"""Secrets are where they are needed and nowhere that a person, a backup or a support ticket would show them."""
import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from rig.aduan import BUILD, Aduan, Refused, children, wait  # noqa: E402
from rig.graph import Graph  # noqa: E402

pytestmark = pytest.mark.skipif(not (BUILD / "connectors" / "whatsapp.so").exists(), reason="SKIPPED: needs whatsapp.so")
SECRETS = {"token": "EAAtoken0f9d3b7a", "app": "app-rahasia-77c1e0", "verify": "verify-2b6d90", "box": "kotak-4e8a1c"}


def everybody(pid):
    for child in children(pid):
        yield child
        yield from everybody(child)


def shown_anywhere(a):
    """Every place a person or a backup can see, by name."""
    yield "the log", a.log_text().encode()
    for words in (["status"], ["tickets"], ["dead"], ["connectors"], *(["show", t["number"]] for t in a.ctl("tickets"))):
        try:
            yield "aduanctl " + " ".join(words), a.ctl(*words, as_json=False).encode()
            yield "aduanctl --json " + " ".join(words), json.dumps(a.ctl(*words)).encode()
        except Refused as e:
            yield "aduanctl " + " ".join(words), e.text.encode()
    for path in [*a.state.rglob("*"), *a.redis.dir.rglob("*")]:
        if path.is_file():
            yield str(path), path.read_bytes()
    for pid in [a.process.pid, *everybody(a.process.pid)]:
        for place in ("cmdline", "environ"):
            yield f"/proc/{pid}/{place}", pathlib.Path(f"/proc/{pid}/{place}").read_bytes()


def test_no_secret_is_in_a_log_a_status_or_the_register():
    with Graph(token=SECRETS["token"], app_secret=SECRETS["app"]) as graph, Aduan() as a:
        a.account("wa", type="whatsapp", api=graph.api, phone_number_id=graph.number_id,
                  access_token=a.secret("t", SECRETS["token"]), app_secret=a.secret("a", SECRETS["app"]),
                  verify_token=a.secret("v", SECRETS["verify"]))
        a.account("surat", type="email", address="x@kantor.test",
                  imap={"url": "imap://127.0.0.1:9", "user": "x", "password": a.secret("b", SECRETS["box"])},
                  smtp={"url": "smtp://127.0.0.1:9"})
        graph.hook = f"http://{a.core['gateway']['listen']}/hook/wa"
        a.start()
        # The good way, and those on which error texts are made.
        graph.write("+6281234567890", "Paspor saya belum jadi")
        number = wait(lambda: a.ctl("tickets"), "a ticket")[0]["number"]
        assert graph.post(b"{}", secret="salah") == 401
        graph.fault("messages", "error", code=190, status=401)
        a.ctl("reply", number, "Kami cek.", as_json=False)
        wait(lambda: "refused" in a.log_text(), "the refused token to be said")
        wait(lambda: a.health("surat", "receive")["fault"], "the unreachable box to be said")
        a.reload()
        (a.secrets / "t").chmod(0o644)
        assert a.check()[0] == 78
        found = {(place, name) for place, content in shown_anywhere(a) for name, secret in SECRETS.items()
                 if secret.encode() in content}
        assert not found
