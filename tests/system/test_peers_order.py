"""Order per conversation through an outage (peers.md, 16): what waits in the spool is never overtaken."""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent))
from rig.aduan import Aduan, wait  # noqa: E402
from rig.hooks import Poster, message  # noqa: E402
from test_gateway_durable import Gate, ids_of, only  # noqa: E402


def test_a_long_spool_is_never_overtaken():
    """3,000 messages wait, a dozen rounds of replay; the citizen goes on writing from the moment Redis is back."""
    with Aduan() as a:
        gate = Gate(a).start()
        a.redis.kill()
        poster, n = Poster(gate.port), 3000
        for first in range(1, n, 1000):
            assert poster.post("a", [message(i) for i in range(first, first + 1000)]) == (200, b"")
        assert len(gate.spooled()) == n
        a.redis.start()
        while gate.spooled() or n < 3300:
            n += 1
            assert poster.post("a", message(n)) == (200, b"")
        poster.close()
        wanted = ids_of(range(1, n + 1))
        gate.until_kept(wanted)
        wait(lambda: not gate.spooled(), "an empty spool")
        assert only(gate.kept(), wanted) == wanted
