"""Pains of other systems (peers.md): one bad element that takes the rest with it, one sick account that holds up the others."""
import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from rig.aduan import BUILD, Aduan, free_port, wait  # noqa: E402
from rig.graph import Graph  # noqa: E402

pytestmark = pytest.mark.skipif(not (BUILD / "connectors" / "whatsapp.so").exists(), reason="SKIPPED: needs whatsapp.so")


def whatsapp(a, graph, **keys):
    a.account("wa", **{"type": "whatsapp", "api": graph.api, "phone_number_id": graph.number_id,
                       "access_token": a.secret("wa-token", graph.token), "app_secret": a.secret("wa-app", graph.app_secret),
                       "verify_token": a.secret("wa-verify", "token-kita"), **keys})
    graph.hook = f"http://{a.core['gateway']['listen']}/hook/wa"


def incoming(a):
    """(kind, text) of all that came in."""
    return [(m["kind"], m["text"]) for t in a.ctl("tickets") for m in a.ctl("show", t["number"])["messages"]
            if m["direction"] == "in"]


def message(n, text):
    return {"from": "6281234567890", "id": f"wamid.{n}", "timestamp": "1790000000", "type": "text", "text": {"body": text}}


def test_one_bad_element_costs_no_other_and_is_seen():
    """A number, null, a message without sense: each is something an officer sees, and its neighbours come in whole."""
    with Graph() as graph, Aduan() as a:
        whatsapp(a, graph)
        a.start()
        elements = [message(1, "sebelum"), 17, None, {"id": "wamid.2", "from": "6281234567890"}, message(3, "sesudah")]
        body = graph.envelope([graph.change("messages", {"messages": elements}), "bukan apa-apa",
                               graph.change("messages", {"messages": [message(4, "perubahan lain")]})])
        assert graph.post(body) == 200
        wait(lambda: {"sebelum", "sesudah", "perubahan lain"} <= {text for _, text in incoming(a)}, "the good ones")
        # Two elements without a shape, one change without a shape: in tickets or among the dead letters.
        wait(lambda: sum(kind == "unparsed" for kind, _ in incoming(a)) + len(a.ctl("dead")) >= 3, "the bad ones to be seen")
        assert graph.post(body) == 200
        before = len(incoming(a)), len(a.ctl("dead"))
        wait(lambda: a.stream("wa", "in") == [], "rest")
        assert (len(incoming(a)), len(a.ctl("dead"))) == before


def test_a_sick_account_holds_up_no_other():
    """A box that nobody answers for, with a token server that is gone: WhatsApp works, and status says what is sick."""
    with Graph() as graph, Aduan() as a:
        whatsapp(a, graph)
        a.account("surat", type="email", address="x@kantor.test", auth="xoauth2",
                  imap={"url": f"imap://127.0.0.1:{free_port()}", "user": "x"}, smtp={"url": f"smtp://127.0.0.1:{free_port()}"},
                  oauth={"token_url": f"http://127.0.0.1:{free_port()}/token", "client_id": "c",
                         "client_secret": a.secret("cs", "rahasia-klien"), "refresh_token": a.secret("rt", "rahasia-segar")})
        a.start()
        wait(lambda: a.health("surat", "receive")["fault"], "the fault in status")
        graph.write("+6281234567890", "Antrean panjang")
        wait(lambda: ("message", "Antrean panjang") in incoming(a), "the ticket")
        number = a.ctl("tickets")[0]["number"]
        a.ctl("reply", number, "Kami tambah loket.", as_json=False)
        wait(lambda: any(m["text"] == "Kami tambah loket." for m in graph.phone("+6281234567890")), "the answer")
        assert "surat" in json.dumps(a.ctl("status")) and a.health("surat", "receive")["fault"]


def test_a_secret_opens_its_own_door_only():
    """Signed by wa's app for wb's number: a dead letter of wa. Signed by an app that both have: wb's message."""
    with Graph() as graph, Aduan() as a:
        whatsapp(a, graph)
        a.accounts["wb"] = {**a.accounts["wa"], "name": "wb", "phone_number_id": "999", "app_secret": a.secret("wb-app", "rahasia-lain")}
        a.start()
        for_b = graph.change("messages", {"messages": [message(1, "palsu")]})
        for_b["value"]["metadata"]["phone_number_id"] = "999"
        assert graph.post(graph.envelope([for_b])) == 200
        dead = wait(lambda: a.ctl("dead"), "the dead letter")
        assert dead[0]["account"] == "wa" and "not signed" in dead[0]["reason"]
        a.accounts["wb"]["app_secret"] = (a.secret("wb-app", "rahasia-lain"), a.accounts["wa"]["app_secret"])
        a.reload()
        for_b["value"]["messages"] = [message(2, "asli")]

        def arrived():
            assert graph.post(graph.envelope([for_b])) == 200
            return ("message", "asli") in incoming(a)

        wait(arrived, "the message for the other number")
        assert [t["account"] for t in a.ctl("tickets")] == ["wb"]
        assert all(text != "palsu" for _, text in incoming(a))


def test_a_template_is_a_name_or_a_group():
    with Graph() as graph, Aduan() as a:
        for template in ("buka_percakapan", {"name": "buka_percakapan", "language": "en"}):
            whatsapp(a, graph, template=template)
            status, text = a.check()
            assert status == 0, text
        whatsapp(a, graph, template=5)
        status, text = a.check()
        assert status == 78 and "template: must be a text in quotes or a group" in text


def test_no_door_without_a_secret():
    """A webhook whose signatures cannot be checked is not opened: the configuration is refused."""
    with Graph() as graph, Aduan() as a:
        whatsapp(a, graph)
        del a.accounts["wa"]["app_secret"]
        status, text = a.check()
        assert status == 78 and "app_secret" in text
        a.accounts["wa"]["app_secret"] = a.secret("kosong", "")
        status, text = a.check()
        assert status == 78 and "app_secret" in text
