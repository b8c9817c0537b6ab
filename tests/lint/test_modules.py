"""No module without contract suite, fuzz target, sample configuration, selftest and crash scene; and no platform sample forgotten."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import samples  # noqa: E402
from modules import NEEDS, faults, modules  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("connectors", "conf/connectors.d", "tests/unit", "tests/fuzz", "tests/crash")
KINDS = {".c", ".cmake", ".txt", ".conf", ".py"}


def tree():
    return {str(p.relative_to(ROOT)): p.read_text(encoding="utf-8", errors="replace") for folder in FOLDERS
            for p in (ROOT / folder).rglob("*") if p.is_file() and p.suffix in KINDS and "seeds" not in p.parts}


WHOLE = {
    "connectors/surat/surat.cmake": "aduan_connector(surat\n  SOURCES surat/surat.c)\n",
    "connectors/surat/surat.c": "const struct aduan_connector c = {\n    .selftest = surat_selftest,\n};\n",
    "tests/unit/contract.cmake": "aduan_contract(surat surat)\n",
    "tests/fuzz/surat.cmake": "add_executable(fuzz_surat x.c)\n",
    "conf/connectors.d/surat.conf": 'name = "surat";\ntype = "surat";\n',
    "tests/crash/modules.py": 'SCENES = {"surat": SuratScene}\n',
}


def test_every_module_has_what_it_needs():
    files = tree()
    assert len(modules(files)) >= 9
    assert list(faults(files)) == []


def test_a_whole_module_passes():
    assert list(faults(WHOLE)) == []


@pytest.mark.parametrize("without", [p for p in WHOLE if not p.endswith("surat/surat.cmake")])
def test_a_module_without_one_of_them_is_found(without):
    assert len(list(faults({p: t for p, t in WHOLE.items() if p != without}))) == 1
    commented = {**WHOLE, without: "".join("# " + line for line in WHOLE[without].splitlines(True))}
    if not without.endswith((".conf", ".py", ".c")):
        assert [what for _, what in faults(commented)] == [w for w in NEEDS if without.rsplit("/", 1)[0].split("surat")[0] in w]


def test_every_sample_of_the_platforms_is_in_the_tree():
    """Where the references are there: the office's machine has only what was copied."""
    shared = pathlib.Path(os.environ.get("ADUAN_SAMPLES", "/work/shared/platforms/samples"))
    if not shared.is_dir():
        pytest.skip(f"{shared} is not there")
    assert samples.missing(shared, ROOT / "tests" / "platforms") == []


def test_a_sample_that_is_forgotten_or_changed_is_found(tmp_path):
    for place, content in (("a/messenger/x.json", b"1"), ("a/messenger/y.json", b"2"), ("a/INDEX_x.tsv", b""), ("b/facebook/x.json", b"3")):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(content)
    assert samples.missing(tmp_path / "a", tmp_path / "b") == ["messenger/x.json: other bytes", "messenger/y.json: not there"]
