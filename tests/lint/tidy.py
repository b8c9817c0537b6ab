#!/usr/bin/python3
"""tidy.py BUILD JOBS: clang-tidy (.clang-tidy) over every first-party source, JOBS at a time.

What tidy-judged.txt names was read by a person and is no fault. A file that was clean and has not changed since, with all headers and the rules, is not read again.
"""
import concurrent.futures
import hashlib
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
JUDGED = pathlib.Path(__file__).with_name("tidy-judged.txt")
FOLDERS = ("conf/", "connectors/", "queue/", "desk/", "daemon/")


def digest(files):
    total = hashlib.sha256()
    for file in sorted(files):
        total.update(str(file).encode() + b"\0" + file.read_bytes())
    return total.hexdigest()


def sources(build):
    """First-party sources of the build, each once, although modules are compiled twice."""
    commands = json.loads((build / "compile_commands.json").read_text())
    files = {pathlib.Path(c["file"]) for c in commands}
    return sorted(f for f in files if f.exists() and ROOT in f.parents and str(f.relative_to(ROOT)).startswith(FOLDERS))


def judged():
    """(file, check, line) of what was read and is no fault."""
    for line in JUDGED.read_text().splitlines():
        if line and not line.startswith("#"):
            file, check, code, _ = (part.strip() for part in re.split(r" \| (?!\|)", line, maxsplit=3))
            yield file, check, code


def is_judged(fault, table):
    match = re.match(r"(.+?):(\d+):\d+: \w+: .*\[(\S+?)(?:,-warnings-as-errors)?\]$", fault)
    if not match or not pathlib.Path(match.group(1)).is_file():
        return False
    path = pathlib.Path(match.group(1))
    code = path.read_text(errors="replace").splitlines()[int(match.group(2)) - 1].strip()
    check = match.group(3).removeprefix("clang-analyzer-")
    return (str(path.relative_to(ROOT)), check, code) in table


def tidy(build, file):
    run = subprocess.run(["clang-tidy-14", "--quiet", "-p", str(build), "--extra-arg=-Wno-unknown-warning-option",
                          str(file)], capture_output=True, text=True, cwd=ROOT, check=False)
    faults = [line for line in run.stdout.splitlines() if ": warning:" in line or ": error:" in line]
    broken = run.returncode != 0 and not faults
    table = set(judged())
    faults = [fault for fault in faults if not is_judged(fault, table)]
    if broken:
        faults = [f"{file}: clang-tidy ended with {run.returncode}: {run.stderr.strip()[-300:]}"]
    return file, faults


def main(build, jobs):
    build = pathlib.Path(build)
    kept = build / "tidy-clean.json"
    clean = json.loads(kept.read_text()) if kept.exists() else {}
    headers = [f for folder in FOLDERS for f in (ROOT / folder).rglob("*.h")]
    common = digest(headers + [ROOT / ".clang-tidy", JUDGED, pathlib.Path(__file__)])
    marks = {f: common[:16] + digest([f])[:16] for f in sources(build)}
    todo = [f for f, mark in marks.items() if clean.get(str(f)) != mark]
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(int(jobs)) as pool:
        for file, faults in pool.map(lambda f: tidy(build, f), todo):
            if not faults:
                clean[str(file)] = marks[file]
            for fault in faults:
                print(fault.replace(str(ROOT) + "/", ""))
                bad += 1
    kept.write_text(json.dumps(clean))
    print(f"clang-tidy: {len(todo)} of {len(marks)} files read, {bad} faults")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
