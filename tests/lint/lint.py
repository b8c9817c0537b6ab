#!/usr/bin/python3
"""lint.py [FILE…]: prints `file:line: rule: why` for every broken house rule; 1 if there was one.

Without arguments: every first-party file git knows or could know (tracked, or new and not ignored).
"""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from rules import RULES  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
KINDS = {".c", ".h", ".lua", ".sql", ".py", ".sh", ".js", ".css", ".html", ".cmake", ".conf"}
NOT_OURS = ("tests/fuzz/seeds/", "tests/data/", "tests/samples/")


def first_party():
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z", "-co", "--exclude-standard"],
                            capture_output=True, check=True).stdout.decode().split("\0")
    return [p for p in sorted(set(listed))
            if pathlib.Path(p).suffix in KINDS and not p.startswith(NOT_OURS) and (ROOT / p).is_file()]


def check(path, text):
    for name, rule in RULES.items():
        for line, why in rule(path, text):
            yield f"{path}:{line}: {name}: {why}"


def main(arguments):
    files = [str(pathlib.Path(a).resolve().relative_to(ROOT)) for a in arguments] or first_party()
    found = 0
    for path in files:
        for fault in check(path, (ROOT / path).read_text(encoding="utf-8", errors="replace")):
            print(fault)
            found += 1
    print(f"lint: {len(files)} files, {len(RULES)} rules, {found} faults", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
