"""The unit files as systemd itself judges them: no complaint, and an exposure of 1.2 at most."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ADUAN_BUILD", ROOT / "build"))
UNITS = BUILD / "systemd"

pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="SKIPPED: no systemd-analyze here")


def run(*words):
    p = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=60, check=False)
    return p.returncode, p.stdout + p.stderr


@pytest.fixture
def units():
    """The units with programs that exist: verify looks at them."""
    with tempfile.TemporaryDirectory() as d:
        d = pathlib.Path(d)
        program = shutil.which("true")
        for unit in ("aduan.service", "aduan-redis.service"):
            lines = []
            for line in (UNITS / unit).read_text().splitlines():
                for key in ("ExecStart=", "ExecStartPre="):
                    if line.startswith(key) and not pathlib.Path(line[len(key):].split()[0]).exists():
                        line = key + program
                lines.append(line)
            (d / unit).write_text("\n".join(lines) + "\n")
        yield d


def test_verify_finds_nothing(units):
    status, text = run("systemd-analyze", "verify", "--man=no", units / "aduan.service", units / "aduan-redis.service")
    ours = [line for line in text.splitlines() if "aduan" in line]
    assert (status, ours) == (0, []), text


@pytest.mark.parametrize("unit, bar", [("aduan.service", 12), ("aduan-redis.service", 3)])
def test_exposure(units, unit, bar):
    status, text = run("systemd-analyze", "security", "--offline=true", f"--threshold={bar}", units / unit)
    assert status == 0, text


@pytest.mark.parametrize("without", ["CapabilityBoundingSet=", "SystemCallFilter=@system", "RestrictNamespaces="])
def test_the_bar_sees_a_missing_line(units, without):
    """The measure measures: a unit without one of the large ones is over the bar."""
    path = units / "aduan.service"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith(without)))
    status, _ = run("systemd-analyze", "security", "--offline=true", "--threshold=12", path)
    assert status != 0


def test_sysusers_and_tmpfiles_are_understood():
    with tempfile.TemporaryDirectory() as root:
        (pathlib.Path(root) / "etc").mkdir()
        status, text = run("systemd-sysusers", f"--root={root}", ROOT / "systemd" / "aduan.sysusers")
        assert status == 0, text
        assert "aduan" in (pathlib.Path(root) / "etc/passwd").read_text()
        if os.geteuid() != 0:
            return
        status, text = run("systemd-tmpfiles", "--create", f"--root={root}", ROOT / "systemd" / "aduan.tmpfiles")
        assert status == 0, text
        assert oct((pathlib.Path(root) / "etc/aduan/secrets").stat().st_mode & 0o777) == "0o700"
